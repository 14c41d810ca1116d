"""Tiny hand-made logs for the tests of the reference, and short ways to look at findings.

Times are seconds after an arbitrary instant, T0 = 2026-11-18T10:00:00Z.
"""

import json

from records import format_time, parse_time
from reference import World, judge

T0 = parse_time("2026-11-18T10:00:00Z")
DAY = 86400


def at(seconds):
	return format_time(T0 + round(seconds * 1_000_000_000))


class Log:
	"""Builds records; every connection gets a client port of its own."""

	def __init__(self, **settings):
		self.settings, self.lines, self.port = settings, [], 10000

	def add(self, o):
		self.lines.append(json.dumps(o))
		return self

	def tls(
		self,
		t,
		outcome="client_reject",
		device="D1",
		app="com.a",
		host="h.test",
		state="intercepted",
		**more,
	):
		self.port += 1
		o = {
			"kind": "tls_attempt",
			"time": at(t),
			"sensor": more.pop("sensor", "inspection"),
			"device": more.pop("keys", {"udid": device} if device else {}),
			"src_endpoint": {"ip": more.pop("ip", "10.1.0.1"), "port": more.pop("port", self.port)},
			"dst_endpoint": more.pop("dst", {"hostname": host, "port": more.pop("dst_port", 443)}),
			"app": {
				"bundle_id": app,
				"version": more.pop("version", None),
				"user_agent": more.pop("agent", None),
			},
			"inspection": state,
			"outcome": outcome,
			"tls": {k: more.pop(k) for k in ("ja3", "ja4", "issuer", "sni") if k in more},
		}
		if "tls_version" in more:
			o["tls"]["version"] = more.pop("tls_version")
		for flag in ("established", "server_certificate"):
			if flag in more:
				o["tls"][flag] = more.pop(flag)
		if "bytes_out" in more:
			o["traffic"] = {"bytes_out": more.pop("bytes_out")}
		return self.add({**o, **more})

	def fine(self, t, **more):
		return self.tls(t, "established", **more)

	def activity(self, t, event, device="D1", app="com.a", host=None, **more):
		endpoint = {"hostname": host} if host else more.pop("dst", {})
		return self.add(
			{
				"kind": "app_activity",
				"time": at(t),
				"device": {"udid": device},
				"app": {"bundle_id": app},
				"event": event,
				"dst_endpoint": endpoint,
				**more,
			}
		)

	def posture(self, t, device="D1", keys=None, **more):
		return self.add(
			{"kind": "posture", "time": at(t), "device": {"udid": device, **(keys or {})}, **more}
		)

	def lease(self, t, keys, by="dhcp", until=None, ip="10.1.0.1"):
		return self.add(
			{
				"kind": "lease",
				"time": at(t),
				"ip": ip,
				"device": keys,
				"by": by,
				"until": None if until is None else at(until),
			}
		)

	def world(self):
		return World(self.lines, self.settings)

	def findings(self):
		return judge(self.lines, self.settings)

	def pinning(self, host="h.test", app="com.a", port=443):
		found = [
			f
			for f in self.findings()
			if f["kind"] == "pinning"
			and f["destination"] == {"host": host, "port": port}
			and f["app"]["bundle_id"] == app
		]
		assert len(found) == 1, found
		return found[0]

	def attempt(self):
		(a,) = self.world().all
		return a


def terms(f):
	return {c["term"]: c["db"] for c in f["contributions"]}


def rival(f, name):
	return next(r["status"] for r in f["rivals"] if r["name"] == name)


def factors(f):
	return [r["factor"] for r in f["risk_factors"]]
