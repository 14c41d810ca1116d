"""What scenarios are written with: choices, moments, and how a client speaks."""

from fleet import ISSUERS, JA3, JA4, US

HARD, SILENT, LATE = "client_reject", "client_silent_close", "established_no_data"
MINUTE_US, HOUR_US = 60 * US, 3600 * US


def pick(fleet, what):
	return fleet.rng.choice(what)


def some_devices(fleet, least=1):
	rng = fleet.rng
	return rng.sample(
		fleet.devices, rng.randint(min(least, len(fleet.devices)), len(fleet.devices))
	)


def cast(fleet):
	"""Who does what: a device, an app and a host."""
	return pick(fleet, fleet.devices), pick(fleet, fleet.apps), pick(fleet, fleet.hosts)


def place(fleet):
	"""A destination, half of the time one of the scenario's own."""
	if fleet.rng.random() < 0.5:
		return pick(fleet, fleet.hosts)
	host = f"own{len(fleet.hosts)}.place{len(fleet.hosts)}.example"
	fleet.hosts.append(host)
	return host


def step(fleet):
	"""The time from one attempt to the next: often exactly on, or a microsecond beside, a rule's
	boundary.
	"""
	rng = fleet.rng
	if rng.random() < 0.35:
		edge = rng.choice((60, 60, fleet.settings["time_window"], 5, 300, 3600, 86400, 120, 30))
		return edge * US + rng.choice((0, 0, 1, -1))
	return int(10 ** rng.uniform(5.5, 9.2))


def moments(fleet, n, at=None):
	t = fleet.main + fleet.rng.randrange(2 * HOUR_US) if at is None else at
	for _ in range(n):
		yield t
		t += step(fleet)


def person(fleet):
	"""How one client speaks: fields that stay the same over a scenario."""
	rng = fleet.rng
	return {
		"ja4": rng.choice((None, JA4[0], JA4[1], JA4[2])),
		"ja3": rng.choice((None, JA3[0], JA3[1])),
		"issuer": rng.choice((None, ISSUERS[0], ISSUERS[0], ISSUERS[1])),
		"tls": rng.choice((None, "1.3", "1.3", "1.2")),
	}
