"""Scenarios about how sensors see a connection: merging, bytes, missing ports, missing names."""

from fleet import US
from scenario_tools import HARD, LATE, SILENT, cast, moments, person, pick, some_devices


def by_bytes(fleet):
	"""Flows whose outcome only their bytes tell."""
	rng = fleet.rng
	device, app, host = cast(fleet)
	how = person(fleet)
	via = rng.random() < 0.8
	for t in moments(fleet, rng.randint(1, 2)):
		fleet.connect(device, app, host, t, "established", sensors="i", bytes_out=0, **how)
		fleet.connect(
			device,
			app,
			host,
			t + 20 * US,
			"established",
			sensors="f",
			bytes_out=rng.choice((600, 600, 650)),
			via_listener=via,
			**how,
		)
	for t in moments(fleet, rng.randint(2, 6)):
		fleet.connect(
			pick(fleet, fleet.devices) if rng.random() < 0.3 else device,
			app,
			host,
			t,
			"unknown",
			rng.choice(("intercepted", "quiet", "quiet", "unknown")),
			sensors="f",
			via_listener=via,
			established=rng.choice((True, True, None, False, False)),
			bytes_out=rng.choice((400, 539, 540, 541, 541, 600, 640, None)),
			server_certificate=rng.choice((True, False, None)),
			closed_by=rng.choice(("client", "client", "server", None)),
			close=rng.choice(("fin", "rst", None)),
			duration=rng.choice((50, 50, 4999, 5000, None)),
			**how,
		)


def quiet_flows(fleet):
	"""Flow records that do not say whether the gateway inspected, with the gateway's own word
	near or far.
	"""
	rng = fleet.rng
	for device in some_devices(fleet):
		host, app, how = pick(fleet, fleet.hosts), pick(fleet, fleet.apps), person(fleet)
		for t in moments(fleet, rng.randint(1, 3)):
			fleet.connect(
				device,
				app,
				host,
				t,
				rng.choice((HARD, "established", "established")),
				"quiet",
				sensors="f",
				via_listener=rng.random() < 0.5,
				udp=rng.choice((None, None, None, True)),
				**how,
			)
			if rng.random() < 0.6:
				off = (
					rng.choice(
						(20, 5, fleet.settings["time_window"], fleet.settings["time_window"] + 1)
					)
					* US
					* rng.choice((-1, 1))
				)
				fleet.connect(
					device,
					app,
					rng.choice((host, pick(fleet, fleet.hosts))),
					t + off,
					rng.choice((HARD, "established")),
					rng.choice(("intercepted", "intercepted", "bypassed", "unknown")),
					sensors="i",
					**how,
				)


def same_port(fleet):
	"""Records that meet, or just do not: a port used again, other server ports, flow ids."""
	rng = fleet.rng
	device, app, host = cast(fleet)
	for t in moments(fleet, rng.randint(1, 4)):
		fleet.port += 1
		port, flow_id = fleet.port, rng.choice((None, f"X{fleet.port}"))
		fleet.connect(
			device,
			app,
			host,
			t,
			rng.choice((HARD, "established", SILENT, LATE)),
			sensors="i",
			portless=False,
			client_port=port,
			flow_id=flow_id,
		)
		off = rng.choice((0, 1, 119, 120, 121)) * US + rng.choice((0, 1))
		fleet.connect(
			device,
			app,
			host if rng.random() < 0.8 else pick(fleet, fleet.hosts),
			t + off,
			rng.choice((HARD, "established", "unknown", "incomplete")),
			"unknown",
			sensors=rng.choice("if"),
			portless=False,
			client_port=port,
			flow_id=rng.choice((None, flow_id)),
			port=rng.choice((443, 443, 8443)),
			via_listener=rng.random() < 0.3,
			duration=rng.choice((30, 3000)),
		)
		if rng.random() < 0.4:  # near the second, too far from the first
			fleet.connect(
				device,
				app,
				host,
				t + off + rng.choice((1, 100, 119)) * US,
				rng.choice((HARD, "established")),
				sensors="i",
				portless=False,
				client_port=port,
				flow_id=None,
			)


def without_port(fleet):
	rng = fleet.rng
	device, app, host = cast(fleet)
	for t in moments(fleet, rng.randint(1, 4)):
		second = t // US * US
		outcome = rng.choice((HARD, SILENT, "established", LATE))
		for _ in range(rng.randint(1, 4)):
			fleet.connect(
				device,
				app,
				host,
				second + rng.randrange(US),
				outcome if rng.random() < 0.8 else HARD,
				sensors="i",
				portless=True,
				flow_id=None,
				count=rng.choice((1, 1, 2, 4)),
				shown=rng.choice(("own", "none")),
				duration=rng.choice((None, 40)),
			)
		if outcome == LATE:
			fleet.connect(
				device,
				app,
				host,
				second + 2 * US,
				LATE,
				sensors="i",
				portless=True,
				flow_id=None,
				ended=False,
				duration=None,
				shown="own",
			)
			after = rng.choice((5, 30, 31)) * US + 2 * US
			fleet.connect(
				device,
				app,
				host,
				second + after,
				"established",
				sensors="i",
				portless=True,
				flow_id=None,
				duration=None,
				shown="own",
			)


def no_request(fleet):
	"""A bumped CONNECT whose request comes late or never, some of it at the very end of the log."""
	rng = fleet.rng
	device, app, host = cast(fleet)
	late = max((order for order, _ in fleet.records), default=fleet.main)
	for t in moments(
		fleet, rng.randint(1, 3), rng.choice((fleet.main, late - rng.choice((5, 29, 30)) * US))
	):
		fleet.port += 1
		more = {"sensors": "i", "portless": False, "client_port": fleet.port, "flow_id": None}
		fleet.connect(
			device,
			app,
			host,
			t,
			LATE,
			ended=rng.choice((False, False, True, None)),
			duration=rng.choice((None, 10)),
			seen_close=rng.choice((None, None, "client")),
			**more,
		)
		if rng.random() < 0.4:
			fleet.connect(
				device,
				app,
				host,
				t + 3 * US,
				rng.choice(("established", LATE)),
				ended=rng.choice((None, True, False)),
				duration=200,
				**more,
			)


def gateway_side(fleet):
	"""A flow sensor beyond the gateway, whose client is the gateway."""
	for t in moments(fleet, 2):
		fleet.put(
			{
				"kind": "tls_attempt",
				"sensor": fleet.rng.choice(("flow", "flow", "inspection")),
				"device": {},
				"src_endpoint": {
					"ip": fleet.rng.choice(("10.0.0.9", "10.0.0.5")),
					"port": 40000 + fleet.rng.randrange(100),
				},
				"dst_endpoint": {"hostname": pick(fleet, fleet.hosts), "port": 443},
				"outcome": "established",
			},
			t,
			100,
		)


def nameless(fleet):
	"""Connections known by address only, and an EDR that says no more."""
	rng = fleet.rng
	device, app, host = cast(fleet)
	for t in moments(fleet, rng.randint(1, 4)):
		fleet.connect(
			device,
			app,
			host,
			t,
			rng.choice((HARD, HARD, "established")),
			nameless=True,
			shown="none",
		)
		if rng.random() < 0.6:
			ip = f"203.0.113.{fleet.hosts.index(host) + 1}"
			fleet.activity(device, app, t + rng.randint(-300, 900) * US, "connect", ip=ip)
