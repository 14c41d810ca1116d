"""What is known beside the connections: posture, leases, activity, allow-lists."""

from fleet import DAY_US, OTHER_ROOT, ROOT, US, WIFI
from records import format_time, is_address
from scenario_tools import HOUR_US, MINUTE_US, pick


def posture(fleet):
	rng = fleet.rng
	for device in fleet.devices:
		if not device.inventoried:
			continue
		at = fleet.t0 - rng.choice((1, 5, 47, 150, 200)) * HOUR_US + rng.randrange(HOUR_US)
		for n in range(rng.randint(1, 3)):
			known = (
				rng.sample(fleet.apps, rng.randint(1, len(fleet.apps)))
				if rng.random() < 0.4
				else fleet.apps
			)
			fleet.posture(
				device,
				at,
				apps=known if rng.random() < 0.8 else None,
				snapshot=rng.random() < 0.7,
				profiles=rng.choices(([ROOT, WIFI], [OTHER_ROOT], [], None), (60, 5, 3, 32))[0],
				named_user=device.user
				if n == 0 or rng.random() < 0.5
				else rng.choice((f"user{device.n}b@acme.test", fleet.devices[0].user)),
				supervised=rng.choice((True, True, False, None)),
				managed=rng.choice((True, None)),
				compliant=rng.choice((True, True, True, False, None)),
				jailbroken=rng.choice((False, False, None, None, True)),
				versions={a.bundle: rng.choice(a.versions) for a in fleet.apps},
			)
			at = fleet.main + rng.randint(-48, 24) * HOUR_US + rng.randrange(HOUR_US)


def leases(fleet):
	rng = fleet.rng
	for device in fleet.devices:
		if device.named_by != "lease" and rng.random() < 0.7:
			continue
		begin = fleet.t0 - HOUR_US
		mine = [t for d, _, _, t in fleet.attempts if d is device] or [fleet.main]
		what = rng.choice(
			("dhcp", "dhcp", "renewed", "radius", "overlap", "moved", "static", "vpn")
		)
		if what == "dhcp":
			fleet.lease(
				device, begin, until=rng.choice((None, fleet.main + 40 * HOUR_US, rng.choice(mine)))
			)
		elif what == "renewed":
			for day in range(fleet.days + 2):
				fleet.lease(device, begin + day * DAY_US, until=begin + (day + 1) * DAY_US)
			if rng.random() < 0.4:
				at = rng.choice(mine) + rng.choice((-US, -1, 1))
				fleet.lease(device, at, until=at)  # released
		elif what == "radius":
			keys = (
				{"user": device.user}
				if rng.random() < 0.5
				else {"serial": device.serial, "mac": device.mac}
			)
			fleet.lease(device, begin, by="radius", keys=keys)
			at = rng.choice(mine) + rng.choice((-US, -1, 1))
			fleet.lease(device, at, by="radius", keys=keys, until=at)
			if rng.random() < 0.5:
				fleet.lease(device, at + 10 * MINUTE_US, by="radius", keys=keys)
		elif what == "overlap":
			fleet.lease(device, begin, by="radius")
			fleet.lease(
				pick(fleet, fleet.devices),
				begin + HOUR_US,
				by="radius",
				ip=device.ip,
				until=rng.choice(mine),
			)
		elif what == "moved":
			fleet.lease(device, begin)
			fleet.lease(pick(fleet, fleet.devices), rng.choice(mine) - US, ip=device.ip)
		else:
			fleet.lease(device, begin, by=what)
			if rng.random() < 0.3:
				fleet.lease(device, begin + 1, keys={"mac": "aa:bb:cc:ff:ff:ff"})


def states(fleet):
	"""What the EDR says of apps, locks and people."""
	rng = fleet.rng
	for _ in range(rng.randint(1, 8) if fleet.attempts else 0):
		device, app, host, near = pick(fleet, fleet.attempts)
		window = fleet.settings["time_window"] * US
		interaction = rng.choice((None, False, False, False, True))
		off = rng.choice((-window, -window - 1, window, window + 1, 0, -MINUTE_US, -10 * US))
		fleet.activity(
			device,
			app,
			near + off,
			rng.choice(("backgrounded", "resumed", "detection", "background_task")),
			locked=rng.choice((None, True, False)),
			interaction=interaction,
		)
	for device in fleet.devices:
		for _ in range(rng.randint(0, 4)):
			app = rng.choice(fleet.apps + [None])
			event = rng.choice(
				(
					"launched",
					"resumed",
					"backgrounded",
					"suspended",
					"terminated",
					"background_task",
					"connect",
					"detection",
				)
			)
			at = fleet.main + rng.randint(-60, 150) * MINUTE_US + rng.randrange(MINUTE_US)
			if rng.random() < 0.15:
				at -= fleet.settings["state_max_age"] * US
			fleet.activity(
				device,
				app,
				at,
				event,
				state=rng.choice((None, None, "background", "foreground")),
				locked=rng.choice((None, True, True, False)),
				interaction=rng.choice((None, False, False, True)),
				host=pick(fleet, fleet.hosts)
				if event in ("connect", "detection") and rng.random() < 0.4
				else None,
			)


def allow(fleet):
	rng = fleet.rng
	for _ in range(rng.randint(1, 2)):
		host = pick(fleet, fleet.hosts)
		expires = rng.choice(
			(None, None, day_of(fleet.main), day_of(fleet.main - DAY_US), "2027-03-31")
		)
		suffix = host if is_address(host) else "." + host.split(".", 1)[1]
		if rng.random() < 0.5:
			app = pick(fleet, fleet.apps).bundle
			entry = {"app": rng.choice((app, app.rsplit(".", 1)[0] + ".*"))}
			if rng.random() < 0.5:
				entry["destinations"] = [rng.choice((host, suffix, "203.0.113.0/30"))]
			entry["expires"] = expires
			fleet.settings["allowed_apps"] = fleet.settings["allowed_apps"] + [entry]
		else:
			entry = {
				"destination": rng.choice(
					(host, suffix, suffix, "203.0.113.0/30", "198.51.100.0/24")
				)
			}
			if rng.random() < 0.3:
				entry["apps"] = [rng.choice((pick(fleet, fleet.apps).bundle, "com.vendor.*"))]
			entry["expires"] = expires
			others = fleet.settings["allowed_destinations"]
			fleet.settings["allowed_destinations"] = others + [entry]
		if expires and fleet.attempts and rng.random() < 0.5:  # at the end of its last day
			device, app, host, _ = pick(fleet, fleet.attempts)
			midnight = (fleet.main // DAY_US + 1) * DAY_US
			fleet.connect(device, app, host, midnight - rng.choice((0, 0, 1)), "client_reject")


def day_of(us):
	return format_time(us * 1000)[:10]
