"""A random small fleet: its devices, apps, destinations and settings, and how its records are
written.

What happens in it is the matter of scenarios.py. Times are microseconds until they are written;
no two records share their order time, so that nothing rests on the rule for ties.
"""

import json
import random

from records import DEFAULTS, format_time, render_settings

US = 1_000_000
DAY_US = 86400 * US
BASE = 1_794_787_200 * US  # 2026-11-16T00:00:00Z

ROOT = {"identifier": "com.acme.inspection-root", "payload_types": ["com.apple.security.root"]}
OTHER_ROOT = {
	"identifier": "com.acme.old-root",
	"payload_types": ["com.apple.security.root", "com.apple.wifi.managed"],
}
WIFI = {"identifier": "com.acme.wifi", "payload_types": ["com.apple.wifi.managed"]}

JA4 = (
	"t13d1516h2_8daaf6152771_02713d6af862",
	"t13d1517h2_8daaf6152771_b0da82dd1658",
	"t12d1209h1_d34a8e72043a_b39be8c56a14",
)
JA3 = ("773906b0efdefa24a7f2b8eb6985bf37", "a0e9f5d64349fb13191bc781f81f42e1")
ISSUERS = ("Acme Inspection CA", "CN=Acme Inspection CA G2", "GlobalTrust Root")

PROFILES = (
	"mixed",
	"mixed",
	"mixed",
	"pins",
	"pins",
	"rivals",
	"rivals",
	"untrusted",
	"outage",
	"outage",
	"issuer",
	"opaque",
	"identity",
	"merging",
	"allowed",
	"versions",
	"quarantine",
	"timing",
)


class Device:
	def __init__(self, n, rng):
		self.n = n
		self.udid = f"00008110-{n:012X}"
		self.serial = f"SER{n:04d}"
		self.mac = f"aa:bb:cc:00:00:{n:02x}"
		self.mdm_id = f"mdm-{n}"
		self.user = f"user{n}@acme.test"
		self.ip = f"10.8.0.{n + 10}"
		self.named_by = rng.choices(
			("udid", "serial", "mac", "user", "mdm_id", "lease", "ip", "two"),
			(40, 8, 5, 8, 3, 20, 8, 8),
		)[0]
		self.inventoried = rng.random() < 0.85

	def keys(self, rng):
		"""The device keys in a gateway's or flow sensor's record."""
		how = self.named_by
		if how in ("lease", "ip"):
			return {}
		if how == "two":
			return {k: getattr(self, k) for k in rng.sample(("serial", "mac", "user", "mdm_id"), 2)}
		return {how: getattr(self, how)}


class App:
	def __init__(self, n, rng):
		self.bundle = rng.choice(("com.acme.app", "com.vendor.tool", "org.bank.app")) + str(n)
		self.name = f"App {n}" if n % 2 else f"App{n}"
		self.versions = ["1.0"]
		self.shown_by = rng.choices(
			("own", "connect", "activity", "agent", "learned", "foreground", "none"),
			(40, 12, 15, 10, 8, 6, 9),
		)[0]
		self.managed = rng.choice((True, True, False, None))
		self.declares = rng.choice((True, False, False, None))


class Fleet:
	def __init__(self, seed):
		self.seed = seed
		self.rng = rng = random.Random(seed)
		self.profile = PROFILES[seed % len(PROFILES)]
		self.records, self.orders = [], set()
		self.attempts = []  # (device, app, host, time) of every connection
		self.port = 20000
		self.settings = self.random_settings()
		self.devices = [Device(n, rng) for n in range(self.n_devices())]
		if len(self.devices) > 1 and rng.random() < 0.2:
			self.devices[1].mac = self.devices[0].mac  # a dock's address, say
		if len(self.devices) > 2 and rng.random() < 0.15:
			self.devices[2].user = self.devices[0].user
		self.apps = [App(n, rng) for n in range(rng.randint(1, 6))]
		self.hosts = self.random_hosts()
		self.days = rng.choice((0, 0, 0, 1, 2, 4, 4, 6, 9))
		self.t0 = BASE + rng.randrange(DAY_US)
		# where most things happen
		self.main = self.t0 + self.days * DAY_US + rng.randrange(3600 * US)

	def n_devices(self):
		if self.profile in ("outage", "issuer"):
			return self.rng.randint(6, 8)
		return self.rng.randint(1, 8)

	def random_settings(self):
		rng = self.rng
		some = {
			"time_window": (600, 600, 600, 300, 120, 1800),
			"threshold": (3, 3, 3, 2, 1, 5),
			"foreground_required": (True, True, False),
			"score_window": (7 * 86400, 7 * 86400, 86400, 2 * 86400),
			"posture_max_age": (7 * 86400, 7 * 86400, 86400),
			"state_max_age": (12 * 3600, 12 * 3600, 1800),
			"baseline_days": (3, 3, 2, 1),
			"baseline_devices": (5, 5, 2, 3),
			"opaque_sessions": (3, 3, 2, 4),
			"root_profiles": ([], [], ["com.acme.inspection-root"]),
			"issuers": ([], ["Acme Inspection CA"]),
			"listeners": ([], [], ["10.0.0.5:3128"]),
			"addresses": ([], ["10.0.0.9"]),
		}
		return {**DEFAULTS, **{k: rng.choice(v) for k, v in some.items()}}

	def random_hosts(self):
		rng = self.rng
		count = rng.randint(10, 14) if self.profile in ("outage", "issuer") else rng.randint(1, 8)
		hosts = []
		for n in range(count):
			name = rng.choice(("api", "cdn", "www", "push"))
			domain = rng.choice(("bank", "shop", "news"))
			hosts.append(f"{name}{n}.{domain}{n // 2}.test")
		if rng.random() < 0.2:
			hosts[rng.randrange(count)] = rng.choice(
				("gateway.icloud.com", "api.apple.com", "is1.mzstatic.com")
			)
		if rng.random() < 0.1:
			hosts[rng.randrange(count)] = "198.51.100.7"
		return hosts

	# --- writing records

	def put(self, o, at, duration_ms=None):
		"""Adds one record; moves it by as little as keeps order times distinct."""
		while True:
			order = at + (duration_ms or 0) * 1000
			if order not in self.orders:
				break
			if duration_ms is not None:
				duration_ms += 1
			else:
				at += 1
		self.orders.add(order)
		o["time"] = format_time(at * 1000)
		if duration_ms is not None:
			o["duration_ms"] = duration_ms
		self.records.append((order, o))

	def lines(self):
		"""The fleet as JSON lines, in the order in which a log would have them."""
		return [
			json.dumps(strip(o), separators=(",", ":"))
			for _, o in sorted(self.records, key=lambda x: x[0])
		]

	def connect(
		self,
		device,
		app,
		host,
		at,
		outcome="client_reject",
		state="intercepted",
		reason=None,
		**more,
	):
		"""One connection, as some mixture of sensors reports it.

		more: version, ja4, ja3, issuer, tls, count, duration (ms), port, client_port, portless,
		sensors ("i", "f", "if"), via_listener, nameless, flow_id, shown (how the app is named),
		ended, seen_close, and what a flow sensor adds: bytes_out, closed_by, close, established,
		server_certificate, udp.
		"""
		rng = self.rng
		self.attempts.append((device, app, host, at))
		shown = more.get("shown") or app.shown_by
		self.port += 1
		client_port = more.get("client_port", self.port)
		server_ip = "203.0.113." + str(self.hosts.index(host) + 1 if host in self.hosts else 99)
		duration = more.get("duration", rng.choice((None, 40, 900, 4999, 5000, 20000)))
		sensors = more.get("sensors") or rng.choices(("i", "f", "if"), (60, 15, 25))[0]
		if state in ("uninspected", "quiet"):
			sensors = "f"
		portless = more.get("portless", sensors == "i" and rng.random() < 0.06)
		flow_id = more.get(
			"flow_id", f"F{self.port}" if not portless and rng.random() < 0.15 else None
		)
		keys = device.keys(rng)
		if device.named_by == "two" and rng.random() < 0.5:
			keys = device.keys(rng)
		endpoint = {"hostname": host, "port": more.get("port", 443)}
		if rng.random() < 0.7:
			endpoint["ip"] = server_ip
		if more.get("nameless"):
			endpoint = {"ip": server_ip, "port": 443} if rng.random() < 0.9 else {}
		tls = {
			"version": more.get("tls"),
			"ja3": more.get("ja3"),
			"ja4": more.get("ja4"),
			"issuer": more.get("issuer"),
		}
		named = {}
		if shown == "own":
			named = {
				"bundle_id": app.bundle,
				"version": more.get("version", app.versions[-1] if rng.random() < 0.6 else None),
			}
		elif shown == "agent":
			named = {
				"user_agent": app.name.replace(" ", "%20") + "/4.2 CFNetwork/1494.0.7 Darwin/23.4.0"
			}
		for sensor in sensors:
			o = {
				"kind": "tls_attempt",
				"source": "proxy" if sensor == "i" else "zeek",
				"sensor": "inspection" if sensor == "i" else "flow",
				"device": keys if sensor == "i" or len(sensors) == 1 else {},
				"src_endpoint": {"ip": device.ip, "port": None if portless else client_port},
				"dst_endpoint": dict(endpoint),
				"app": named if sensor == sensors[0] else {},
				"tls": dict(tls),
				"count": more.get("count", 1),
				"flow_id": flow_id,
			}
			speaks = sensor == "i" or len(sensors) == 1
			if state not in ("unknown", "quiet") and speaks:
				o["inspection"], o["bypass_reason"] = state, reason
			if speaks:
				o["outcome"] = outcome
				if outcome == "client_reject_validity":
					o["tls"]["alert"], o["tls"]["alert_from"] = 45, "client"
				elif outcome == "client_reject":
					o["tls"]["alert"], o["tls"]["alert_from"] = rng.choice((42, 46, 48)), "client"
				if "ended" in more:
					o["ended"], o["closed_by"] = more["ended"], more.get("seen_close")
			if sensor == "f" or not speaks:
				self.flow_side(o, outcome, more)
			if "sni" in more:
				o["tls"]["sni"] = more["sni"]
			if (
				sensor == "f"
				and self.settings["listeners"]
				and more.get("via_listener", state == "intercepted")
			):
				o["dst_endpoint"] = {"ip": "10.0.0.5", "port": 3128}
				o["tls"]["sni"] = host
			self.put(
				o, at + (0 if sensor == sensors[0] else rng.choice((0, 150, 2_000_000))), duration
			)
		self.beside(
			device, app, host, at, shown, client_port, portless, flow_id, more.get("version")
		)

	def flow_side(self, o, outcome, more):
		"""Bytes, close and the established flag: always where asked for, else now and then."""
		rng = self.rng
		said = {k: more[k] for k in ("bytes_out", "closed_by", "close") if k in more}
		if not said and rng.random() < 0.4:
			said = {
				"closed_by": rng.choice(("client", "server")),
				"close": rng.choice(("fin", "rst")),
			}
			if outcome == "established":
				said["bytes_out"] = rng.randint(500, 900)
		if "bytes_out" in said:
			o["traffic"] = {"bytes_out": said["bytes_out"], "bytes_in": 3000}
		o["closed_by"], o["close"] = said.get("closed_by"), said.get("close")
		for flag in ("established", "server_certificate"):
			if flag in more:
				o["tls"][flag] = more[flag]
		if "udp" in more:
			o["udp"] = more["udp"]

	def beside(self, device, app, host, at, shown, client_port, portless, flow_id, version):
		"""What the EDR says beside a connection, where that is how the app is known."""
		rng = self.rng
		if shown == "connect" and not portless:
			o = {
				"kind": "app_activity",
				"sensor": "edr",
				"device": {"udid": device.udid} if rng.random() < 0.8 else device.keys(rng),
				"app": {"bundle_id": app.bundle, "version": version},
				"event": "connect",
				"src_endpoint": {"ip": device.ip, "port": client_port},
			}
			if not o["device"]:
				o["device"] = {"serial": device.serial}
			if flow_id and rng.random() < 0.5:
				o["flow_id"], o["src_endpoint"] = flow_id, {}
			self.put(o, at + rng.choice((-1_000_000, 3, 1_000_000)))
		elif shown == "activity":
			off = (
				rng.choice((0, 1, -1)) * self.settings["time_window"] * US
				if rng.random() < 0.2
				else rng.randint(-60, 60) * US
			)
			self.activity(
				device, app, at + off, event=rng.choice(("connect", "detection")), host=host
			)

	def activity(
		self, device, app, at, event, host=None, state=None, locked=None, interaction=None, ip=None
	):
		endpoint = {"hostname": host} if host else {"ip": ip} if ip else None
		self.put(
			{
				"kind": "app_activity",
				"sensor": "edr",
				"device": {"udid": device.udid}
				if self.rng.random() < 0.9
				else {"serial": device.serial},
				"app": {"bundle_id": app.bundle if app else None},
				"event": event,
				"app_state": state,
				"device_locked": locked,
				"user_interaction": interaction,
				"dst_endpoint": endpoint,
			},
			at,
		)

	def posture(self, device, at, apps=None, snapshot=True, profiles=None, versions=None, **fields):
		o = {
			"kind": "posture",
			"sensor": "mdm",
			"device": {"udid": device.udid, "serial": device.serial, "mdm_id": device.mdm_id},
			"snapshot": snapshot,
			**fields,
		}
		o["device"]["mac" if self.rng.random() < 0.5 else "_"] = device.mac
		o["device"].pop("_", None)
		if "mac" not in o["device"]:
			o["wifi_mac"] = device.mac
		if fields.get("named_user"):
			o["device"]["user"] = fields["named_user"]
		o.pop("named_user", None)
		if apps is not None:
			o["apps"] = [
				{
					"bundle_id": a.bundle,
					"name": a.name if self.rng.random() < 0.9 else None,
					"version": (versions or {}).get(a.bundle, a.versions[0]),
					"managed": a.managed,
					"declares_pinning": a.declares if self.rng.random() < 0.8 else None,
				}
				for a in apps
			]
		if profiles is not None:
			o["profiles"] = profiles
		self.put(o, at)

	def lease(self, device, at, by="dhcp", until=None, ip=None, keys=None):
		if keys is None:
			keys = (
				{"mac": device.mac}
				if by == "dhcp"
				else {self.rng.choice(("serial", "user", "udid")): None}
			)
			keys = {k: getattr(device, k) for k in keys}
		o = {"kind": "lease", "ip": ip or device.ip, "device": keys, "by": by}
		if until is not None:
			o["until"] = format_time(until * 1000)
		self.put(o, at)

	def files(self):
		"""Everything the program reads. A third of the fleets come out of order, within the usual
		max_lag of 30 s.
		"""
		found = render_settings(self.settings)
		lines = self.lines()
		if self.seed % 3 == 1:
			rng = random.Random(self.seed)
			arrival = [order + rng.randrange(29 * US) for order in sorted(self.orders)]
			lines = [line for _, line in sorted(zip(arrival, lines))]
		found["fleet.jsonl"] = "\n".join(lines) + "\n"
		return found


def strip(o):
	"""Without keys that say nothing."""
	if isinstance(o, dict):
		kept = {k: strip(v) for k, v in o.items() if v is not None}
		return {k: v for k, v in kept.items() if v != {} or k == "device"}
	return o
