"""What happens in a random fleet: each scenario puts records that aim at some rules of the
judgement.
"""

from fleet import DAY_US, ISSUERS, JA3, JA4, OTHER_ROOT, US, WIFI
from scenario_context import allow, leases, posture, states
from scenario_sensors import (
	by_bytes,
	gateway_side,
	nameless,
	no_request,
	quiet_flows,
	same_port,
	without_port,
)
from scenario_tools import (
	HARD,
	HOUR_US,
	LATE,
	MINUTE_US,
	SILENT,
	cast,
	moments,
	person,
	pick,
	place,
	some_devices,
)


# --- the ordinary


def fine(fleet, n=6):
	for t in moments(fleet, n):
		fleet.connect(*cast(fleet), t, "established", **person(fleet))


def history(fleet):
	"""Days of use, so that baselines exist and learning is over."""
	rng = fleet.rng
	apps = rng.sample(fleet.apps, rng.randint(1, len(fleet.apps)))
	for day in range(fleet.days):
		for _ in range(rng.randint(1, 5)):
			t = fleet.t0 + day * DAY_US + rng.randrange(DAY_US)
			outcome, state = rng.choice(
				(
					("established", "intercepted"),
					("established", "intercepted"),
					("unknown", "unknown"),
				)
			)
			fleet.connect(
				pick(fleet, fleet.devices),
				pick(fleet, apps),
				pick(fleet, fleet.hosts),
				t,
				outcome,
				state,
			)
	if rng.random() < 0.3:
		for _ in range(rng.randint(1, 6)):
			fleet.activity(
				pick(fleet, fleet.devices),
				pick(fleet, fleet.apps),
				fleet.t0 + rng.randrange((fleet.days + 1) * DAY_US),
				"declared",
				host=pick(fleet, fleet.hosts),
			)


# --- pins


def pin(fleet, outcome=None, devices=None, app=None, host=None, n=None, **more):
	"""Failures of one app at one destination, with a success now and then on some seeds."""
	rng = fleet.rng
	app, host = app or pick(fleet, fleet.apps), host or place(fleet)
	outcome = (
		outcome or rng.choices((HARD, SILENT, LATE, "client_reject_validity"), (55, 20, 15, 10))[0]
	)
	mixed = rng.random() < 0.2
	for device in devices or some_devices(fleet):
		how = {**person(fleet), **more}
		for t in moments(fleet, n or rng.randint(1, 7)):
			this = rng.choice((HARD, SILENT, LATE)) if mixed else outcome
			fleet.connect(device, app, host, t, this, **how)
		if rng.random() < 0.6:
			around(fleet, device, app, host)
	return app, host


def around(fleet, device, app, host):
	"""What may serve as a control."""
	rng = fleet.rng
	if rng.random() < 0.5:
		t = fleet.main + rng.randrange(3 * HOUR_US) + rng.choice((0, 0, -20, 20)) * HOUR_US
	else:  # at an exact distance from the last attempt
		off = rng.choice((HOUR_US, DAY_US, HOUR_US + 1, DAY_US + 1)) * rng.choice((1, -1))
		t = fleet.attempts[-1][3] + off
	other_host, other_app = pick(fleet, fleet.hosts), pick(fleet, fleet.apps)
	what = rng.randrange(4)
	if what == 0:
		fleet.connect(device, pick(fleet, fleet.apps), other_host, t, "established")
	elif what == 1:
		fleet.connect(device, other_app, host, t, "established")
	elif what == 2:
		state, reason = rng.choice(
			(("uninspected", None), ("bypassed", "technical"), ("bypassed", "policy"))
		)
		fleet.connect(device, app, host, t, "established", state, reason)
	else:
		fleet.connect(
			pick(fleet, fleet.devices), app, host, t, "established", ja4=rng.choice((None, JA4[0]))
		)


def wide(fleet):
	app, host, how = pick(fleet, fleet.apps), pick(fleet, fleet.hosts), person(fleet)
	t = fleet.main + fleet.rng.randrange(HOUR_US)
	# a fifth device a day after the first, or a microsecond more
	even = fleet.rng.choice((None, 6 * HOUR_US, 6 * HOUR_US, 6 * HOUR_US + 1))
	for device in fleet.devices:
		fleet.connect(device, app, host, t, fleet.rng.choice((HARD, HARD, HARD, SILENT)), **how)
		t += even or fleet.rng.choice((MINUTE_US, HOUR_US, 4 * HOUR_US, 5 * HOUR_US))
	if fleet.rng.random() < 0.3:
		fleet.connect(
			pick(fleet, fleet.devices), app, host, fleet.main + 2 * HOUR_US, "established", **how
		)


def slow(fleet):
	device, app, host = cast(fleet)
	how = person(fleet)
	n = 2 * fleet.settings["threshold"]
	gap = fleet.rng.choice((DAY_US // (n - 1), DAY_US // (n - 1) + 1, 2 * HOUR_US, 11 * MINUTE_US))
	t = fleet.main - DAY_US if fleet.days else fleet.main
	for i in range(n + fleet.rng.randint(0, 2)):
		outcome = "established" if fleet.rng.random() < 0.04 else HARD
		fleet.connect(device, app, host, t + i * gap, outcome, **how)


def beacon(fleet):
	"""Regular bursts, mostly in the background, to a place of its own."""
	rng = fleet.rng
	device, app, _ = cast(fleet)
	host, how = place(fleet), person(fleet)
	period = rng.choice((61, 300, 1800)) * US
	jitter = rng.choice((0.0, 0.02, 0.1, 0.3, 0.6))
	t = fleet.main
	state, outcome = rng.choice(
		(("intercepted", HARD), ("intercepted", HARD), ("uninspected", "established"))
	)
	fleet.activity(
		device,
		app,
		t - 30 * US,
		"backgrounded",
		locked=rng.choice((True, None)),
		interaction=rng.choice((False, None)),
	)
	for _ in range(rng.choice((5, 6, 7, 12, 13, 13, 14, 24, 45))):
		fleet.connect(device, app, host, t, outcome, state, shown="own", **how)
		t += int(period * (1 + rng.uniform(-jitter, jitter)))
		if rng.random() < 0.05:
			t += 8 * period  # asleep


def two_stacks(fleet):
	app, host = pick(fleet, fleet.apps), pick(fleet, fleet.hosts)
	for device in some_devices(fleet):
		for t in moments(fleet, fleet.rng.randint(2, 8)):
			pins = fleet.rng.random() < 0.5
			label = (
				{"ja4": JA4[0] if pins else JA4[2]}
				if fleet.rng.random() < 0.5
				else {"ja3": JA3[0] if pins else JA3[1]}
			)
			if fleet.rng.random() < 0.15:
				label = {}
			fleet.connect(device, app, host, t, HARD if pins else "established", **label)


def update(fleet):
	"""A version that pins after one that did not."""
	rng = fleet.rng
	app, host = pick(fleet, fleet.apps), pick(fleet, fleet.hosts)
	app.versions = ["1.0", "2.0", "2.1"][: rng.randint(2, 3)]
	app.shown_by = rng.choice(("own", "own", "connect", "activity"))
	t = fleet.main
	for version in app.versions:
		for device in some_devices(fleet):
			fleet.posture(
				device, t - MINUTE_US, apps=[app], snapshot=False, versions={app.bundle: version}
			)
			for at in moments(fleet, rng.randint(1, 4), t + rng.randrange(10 * MINUTE_US)):
				pins = version != "1.0" or rng.random() < 0.2
				fleet.connect(
					device,
					app,
					host,
					at,
					HARD if pins else "established",
					version=rng.choice((version, version, None)),
				)
		t += 3 * HOUR_US


# --- bypasses and opacity


def selective(fleet):
	"""A failure, then the same without inspection, at the distances that matter."""
	rng = fleet.rng
	app, host = pick(fleet, fleet.apps), pick(fleet, fleet.hosts)
	for device in some_devices(fleet):
		for t in moments(fleet, rng.randint(1, 3)):
			fleet.connect(device, app, host, t, rng.choice((HARD, HARD, SILENT)), duration=40)
			after = (
				rng.choice(
					(
						0,
						2,
						5,
						300,
						301,
						fleet.settings["time_window"],
						fleet.settings["time_window"] + 1,
					)
				)
				* US
			)
			after += rng.choice((0, 1))
			state, reason = rng.choice(
				(
					("uninspected", None),
					("bypassed", "learned"),
					("bypassed", "unknown"),
					("bypassed", "policy"),
					("bypassed", "technical"),
				)
			)
			fleet.connect(
				device,
				app,
				host,
				t + after,
				rng.choice(("established", "established", "unknown")),
				state,
				reason,
			)


def opaque(fleet):
	"""Uninspected sessions to a destination, beside inspected traffic."""
	rng = fleet.rng
	app, device = pick(fleet, fleet.apps), pick(fleet, fleet.devices)
	host, begin = place(fleet), None
	if fleet.attempts and rng.random() < 0.3:  # when learning just ends
		begin = min(t for _, _, _, t in fleet.attempts)
		begin += fleet.settings["baseline_days"] * DAY_US - rng.choice((0, 0, 1))
	for t in moments(fleet, rng.randint(1, 7), begin):
		state, reason = rng.choice(
			(
				("uninspected", None),
				("bypassed", "unknown"),
				("bypassed", "unknown"),
				("bypassed", "policy"),
			)
		)
		fleet.connect(
			device, app, host, t, "established", state, reason, duration=rng.choice((300, 60000))
		)
		if rng.random() < 0.85:
			off = (
				rng.choice((10, fleet.settings["time_window"], fleet.settings["time_window"] + 1))
				* US
				* rng.choice((-1, 1))
			)
			fleet.connect(
				device,
				pick(fleet, fleet.apps),
				pick(fleet, fleet.hosts),
				t + off,
				rng.choice(("established", HARD)),
			)


def quick_sessions(fleet):
	app, host, device = (
		pick(fleet, fleet.apps),
		pick(fleet, fleet.hosts),
		pick(fleet, fleet.devices),
	)
	for t in moments(fleet, fleet.rng.randint(3, 6)):
		kind = fleet.rng.choice(
			((HARD, "intercepted"), (HARD, "intercepted"), ("established", "uninspected"))
		)
		fleet.connect(
			device, app, host, t, *kind, duration=fleet.rng.choice((10, 4999, 5000, None))
		)
		if fleet.rng.random() < 0.6:
			fleet.connect(
				device,
				app,
				host,
				t + fleet.rng.choice((1, 5, 5)) * US + fleet.rng.choice((0, 1)),
				*kind,
				duration=20,
			)


# --- rivals


def rival(fleet):
	rng = fleet.rng
	host = place(fleet)
	what = rng.choice(
		(
			"mutual_tls",
			"upstream_failed",
			"tls_mismatch",
			"late",
			"alert45",
			"alike",
			"intermittent",
			"client_cancel",
		)
	)
	apps = rng.sample(fleet.apps, min(len(fleet.apps), rng.randint(1, 3)))
	for app in apps:
		device = pick(fleet, fleet.devices)
		for t in moments(fleet, rng.randint(1, 5)):
			if what == "late":
				fleet.connect(
					device, app, host, t, LATE if rng.random() < 0.95 else HARD, shown="own"
				)
			elif what == "alert45":
				fleet.connect(
					device,
					app,
					host,
					t,
					"client_reject_validity" if rng.random() < 0.9 else HARD,
					shown="own",
				)
			elif what == "alike":
				state = rng.choice(("intercepted", "uninspected", "bypassed"))
				fleet.connect(
					device, app, host, t, rng.choice((HARD, "upstream_failed")), state, shown="own"
				)
			elif what == "intermittent":
				fleet.connect(
					device,
					app,
					host,
					t,
					rng.choice((HARD, SILENT, "established", "established")),
					ja4=rng.choice((None, JA4[0])),
				)
			else:
				fleet.connect(device, app, host, t, what if rng.random() < 0.7 else HARD)
	if rng.random() < 0.3:
		fleet.connect(
			pick(fleet, fleet.devices),
			pick(fleet, fleet.apps),
			host,
			fleet.main,
			"established",
			shown="own",
		)


def untrusted(fleet):
	"""A phone on which everything fails, with or without a profile list that tells why."""
	rng = fleet.rng
	device = pick(fleet, fleet.devices)
	issuer = rng.choice((None, ISSUERS[0]))
	outcome = rng.choice((HARD, SILENT, LATE))
	if rng.random() < 0.5:
		fleet.posture(
			device,
			fleet.main - rng.choice((1, 30, 200)) * HOUR_US,
			profiles=rng.choice(([], [WIFI], [OTHER_ROOT])),
		)
	for t in moments(fleet, rng.randint(3, 9)):
		fleet.connect(
			device, pick(fleet, fleet.apps), pick(fleet, fleet.hosts), t, outcome, issuer=issuer
		)
	if rng.random() < 0.3:
		off = rng.choice((DAY_US, DAY_US + 1, -DAY_US, -DAY_US - 1))
		fleet.connect(*cast(fleet), fleet.attempts[-1][3] + off, "established", issuer=ISSUERS[0])
	if rng.random() < 0.4:
		off = rng.choice((-40, -25, -1, 0, 1, 23, 25, 40)) * HOUR_US
		fleet.connect(
			device,
			pick(fleet, fleet.apps),
			pick(fleet, fleet.hosts),
			fleet.main + off + rng.randrange(HOUR_US),
			"established",
			issuer=rng.choice((None, ISSUERS[0], ISSUERS[1])),
		)


def outage(fleet, begin=None):
	"""Everything fails everywhere for some minutes."""
	rng = fleet.rng
	if begin is None:
		begin = (fleet.main + 2 * HOUR_US) // (15 * US) * 15 * US + rng.choice((0, 0, 7 * US, 1))
		if rng.random() < 0.3:  # and again, at once or soon
			outage(fleet, begin + rng.choice((300, 300, 420, 600)) * US)
	length = rng.choice((45, 60, 75, 180, 300, 420)) * US
	for _ in range(rng.randint(12, 45)):
		outcome = rng.choices(
			(HARD, SILENT, "upstream_failed", "established"), (50, 10, 30, rng.choice((2, 10, 30)))
		)[0]
		fleet.connect(
			*cast(fleet),
			begin + rng.randrange(length),
			outcome,
			state=rng.choice(("intercepted",) * 9 + ("bypassed",)),
		)
	if rng.random() < 0.5:  # the last good ones before it and the first after it
		for _ in range(rng.randint(3, 12)):
			off = rng.choice((-rng.randrange(1, 60 * US), length + rng.randrange(60 * US)))
			fleet.connect(*cast(fleet), begin + off, "established")
	for device in fleet.devices:
		if rng.random() < 0.9:  # trusted at other times
			fleet.connect(
				device,
				pick(fleet, fleet.apps),
				pick(fleet, fleet.hosts),
				fleet.main + rng.randrange(2 * HOUR_US),
				"established",
			)


def new_issuer(fleet):
	"""An hour from which on nobody trusts the gateway any more."""
	rng = fleet.rng
	hour = (fleet.main // HOUR_US + 30) * HOUR_US
	for device in fleet.devices:
		if rng.random() < 0.7:
			fleet.connect(
				device,
				pick(fleet, fleet.apps),
				pick(fleet, fleet.hosts),
				fleet.main + rng.randrange(HOUR_US),
				"established",
				issuer=ISSUERS[0],
			)
		fails = rng.random() < 0.92
		for _ in range(rng.randint(3, 6)):
			t = (
				hour + rng.randrange(HOUR_US)
				if rng.random() < 0.85
				else hour + HOUR_US + rng.randrange(2 * HOUR_US)
			)
			fleet.connect(
				device,
				pick(fleet, fleet.apps),
				pick(fleet, fleet.hosts),
				t,
				HARD if fails else "established",
				issuer=ISSUERS[1],
			)


def far_ahead(fleet):
	"""A clock gone wrong: few records far ahead of many."""
	rng = fleet.rng
	while len(fleet.records) < 105:
		fine(fleet, 10)
	end = max(order for order, _ in fleet.records)
	for i in range(rng.choice((1, 1, 2))):
		fleet.connect(
			*cast(fleet),
			end + rng.choice((24, 24, 25, 200)) * HOUR_US + i * US,
			HARD,
			sensors="i",
			shown="own",
			duration=None,
		)


ANY = (
	pin,
	pin,
	pin,
	wide,
	slow,
	beacon,
	two_stacks,
	update,
	selective,
	selective,
	opaque,
	quick_sessions,
	rival,
	rival,
	untrusted,
	by_bytes,
	quiet_flows,
	same_port,
	without_port,
	no_request,
	gateway_side,
	nameless,
)

MAIN = {
	"mixed": (),
	"pins": (pin, pin, wide, beacon),
	"rivals": (rival, rival, rival, pin),
	"untrusted": (untrusted, untrusted, pin),
	"outage": (outage, pin),
	"issuer": (new_issuer, pin),
	"opaque": (opaque, opaque, selective),
	"identity": (pin, quiet_flows, quiet_flows),
	"merging": (by_bytes, by_bytes, same_port, same_port, without_port, without_port, no_request),
	"allowed": (pin, pin, opaque),
	"versions": (update, two_stacks, update),
	"quarantine": (pin, pin),
	"timing": (quick_sessions, selective, beacon, slow),
}


def compose(fleet):
	rng = fleet.rng
	if fleet.profile in ("opaque", "timing") and fleet.days < 4:
		fleet.main += (4 - fleet.days) * DAY_US
		fleet.days = 4
	if fleet.profile == "identity" and len(fleet.devices) > 1 and rng.random() < 0.5:
		fleet.devices[1].mac = fleet.devices[0].mac
		fleet.devices[0].named_by = fleet.devices[1].named_by = "mac"
	if fleet.profile in ("outage", "issuer"):
		for device in fleet.devices:
			device.named_by = rng.choice(("udid", "udid", "serial", "lease"))
			device.inventoried = True
		for app in fleet.apps:
			app.shown_by = rng.choice(("own", "own", "connect", "none"))
	if rng.random() < 0.8 or fleet.profile == "identity":
		posture(fleet)
	quiet = fleet.profile == "issuer" and rng.random() < 0.7
	if not quiet:
		history(fleet)
		fine(fleet, rng.randint(0, 12))
	for scenario in MAIN[fleet.profile]:
		scenario(fleet)
	more = 0 if quiet else rng.randint(0, 3) if MAIN[fleet.profile] else rng.randint(2, 5)
	for scenario in rng.sample(ANY, more):
		scenario(fleet)
	if rng.random() < 0.8 or fleet.profile == "identity":
		leases(fleet)
	if rng.random() < 0.7:
		states(fleet)
	if fleet.profile == "allowed" or rng.random() < 0.15:
		allow(fleet)
	if fleet.profile == "quarantine":
		far_ahead(fleet)
