#!/usr/bin/python3
"""Hand-computed checks of the reference: how records become attempts, and whose they are.

The expectations are reasoned from the contract, not copied from output.
"""

import json
import unittest

from records import SECOND, format_time, parse_time, quarantine, read_records, render_settings
from testlog import DAY, T0, Log


class Merging(unittest.TestCase):
	def test_two_sensors_are_one_attempt(self):
		log = (
			Log()
			.tls(0, port=5)
			.tls(0.1, "unknown", state=None, sensor="flow", port=5, keys={}, app=None)
		)
		self.assertEqual(len(log.world().all), 1)

	def test_same_port_after_two_minutes(self):
		for gap, n in ((120, 1), (120.000001, 2)):
			self.assertEqual(len(Log().tls(0, port=5).tls(gap, port=5).world().all), n, gap)

	def test_ports_must_agree(self):
		self.assertEqual(len(Log().tls(0, port=5).tls(1, port=5, dst_port=8443).world().all), 2)
		proxy = {"ip": "10.0.0.5", "port": 3128}
		log = (
			Log(listeners=["10.0.0.5:3128"]).tls(0, port=5).tls(1, port=5, dst=proxy, sensor="flow")
		)
		self.assertEqual([a.port for a in log.world().all], [443])

	def test_flow_id(self):
		self.assertEqual(len(Log().tls(0, flow_id="f").tls(500, flow_id="f").world().all), 1)

	def test_contradiction_goes_to_the_gateway(self):
		a = Log().tls(0, port=5).tls(0.1, "established", sensor="flow", port=5).attempt()
		self.assertEqual((a.outcome, a.contradiction), ("client_reject", True))
		# established_no_data is weaker than data that flowed, and no contradiction
		a = (
			Log()
			.tls(0, "established_no_data", port=5)
			.tls(0.1, "established", sensor="flow", port=5)
			.attempt()
		)
		self.assertEqual((a.outcome, a.contradiction), ("established", False))

	def test_portless_records_add_up_within_a_second(self):
		log = Log().tls(0.1, port=None, count=2).tls(0.9, port=None).tls(1.1, port=None)
		self.assertEqual([a.count for a in log.world().all], [3, 1])

	def test_request_joins_its_portless_connect(self):
		log = Log().tls(0, "established_no_data", port=None, ended=False).fine(30, port=None)
		self.assertEqual([(a.outcome, a.count) for a in log.world().all], [("established", 1)])
		log = Log().tls(0, "established_no_data", port=None, ended=False).fine(30.1, port=None)
		self.assertEqual(len(log.world().all), 2)

	def test_port_learnt_by_flow_id(self):
		# the connect names the flow only, its record brings the port, by which the third is found
		log = Log().activity(0, "connect", flow_id="f").tls(1, port=5, flow_id="f").tls(100, port=5)
		self.assertEqual([a.bundle for a in log.world().all], ["com.a"])
		self.assertEqual(len(log.world().all[0].records), 2)

	def test_device_keys_are_joined_one_by_one(self):
		seen = {"src_endpoint": {"ip": "10.1.0.1", "port": 5}}
		log = Log().tls(0, port=5, keys={"user": "u"}).activity(1, "connect", **seen)
		self.assertEqual(log.attempt().device, ("D1", "udid", False))

	def test_no_request_yet(self):
		log = Log().tls(0, "established_no_data", ended=False).fine(29.9, host="z.test")
		self.assertEqual(log.world().all[0].outcome, "unknown")
		self.assertEqual(log.fine(30, host="z.test").world().all[0].outcome, "established_no_data")

	def test_bytes_decide(self):
		def outcome(size, **more):
			log = Log().fine(0, bytes_out=600, tls_version="1.3")
			how = {
				"sensor": "flow",
				"established": True,
				"tls_version": "1.3",
				"duration_ms": 40,
				"closed_by": "client",
				**more,
			}
			return log.tls(100, "unknown", bytes_out=size, **how).world().all[1].outcome

		self.assertEqual(outcome(540), "client_reject")
		self.assertEqual(outcome(541), "established")
		self.assertEqual(outcome(540, duration_ms=5000), "unknown")
		self.assertEqual(outcome(540, tls_version="1.2"), "unknown")  # no success of this version
		self.assertEqual(outcome(540, closed_by="server"), "unknown")

	def test_handshake_not_established(self):
		def outcome(**more):
			return (
				Log().tls(0, "unknown", sensor="flow", established=False, **more).attempt().outcome
			)

		self.assertEqual(
			outcome(closed_by="client", server_certificate=True), "client_silent_close"
		)
		self.assertEqual(outcome(closed_by="client"), "incomplete")
		self.assertEqual(outcome(closed_by="server", close="rst"), "upstream_failed")
		self.assertEqual(outcome(closed_by="server", close="fin"), "incomplete")

	def test_gateway_itself_is_dropped(self):
		self.assertEqual(Log(addresses=["10.1.0.1"]).fine(0, sensor="flow").world().all, [])

	def test_state_from_the_gateway_nearby(self):
		def state(t=30, **settings):
			log = Log(**settings).fine(0).fine(t, sensor="flow", state=None)
			a = log.world().all[1]
			return a.state, a.reason

		self.assertEqual(state(), ("intercepted", None))
		self.assertEqual(state(600.000001), ("unknown", None))
		# with explicit listeners a connection that went to none of them went around
		self.assertEqual(state(listeners=["10.0.0.5:3128"]), ("bypassed", "unknown"))

	def test_state_from_the_issuer(self):
		a = Log(issuers=["Acme"]).fine(0, sensor="flow", state=None, issuer="CN=Acme CA").attempt()
		self.assertEqual(a.state, "intercepted")
		a = Log(issuers=["Acme"]).fine(0, sensor="flow", state=None, issuer="GlobalTrust").attempt()
		self.assertEqual((a.state, a.reason), ("bypassed", "unknown"))

	def test_quic_is_a_bypass(self):
		self.assertEqual(
			Log().fine(0, sensor="flow", state=None, udp=True).attempt().state, "bypassed"
		)

	def test_quarantine(self):
		log = Log()
		for i in range(99):
			log.fine(i)
		log.fine(99 + DAY)
		self.assertEqual(len(log.world().all), 99)  # 1 of 100 behind a gap of more than a day
		self.assertEqual(len(Log().fine(0).fine(2 * DAY).world().all), 2)


class Who(unittest.TestCase):
	def device(self, log):
		return log.world().all[0].device

	def test_inventory(self):
		log = Log().posture(0, keys={"serial": "S1"}).tls(1, keys={"serial": "S1"})
		self.assertEqual(self.device(log), ("D1", "udid", False))
		self.assertEqual(
			self.device(Log().tls(1, keys={"serial": "S9", "user": "u"})), ("S9", "serial", False)
		)

	def test_shared_key(self):
		log = (
			Log()
			.posture(0, keys={"mac": "m"})
			.posture(0.5, device="D2", wifi_mac="m")
			.tls(1, keys={"mac": "m"})
		)
		self.assertEqual(self.device(log), ("m", "mac", True))
		log = (
			Log()
			.posture(0, keys={"mac": "m", "user": "u"})
			.posture(0.5, device="D2", wifi_mac="m")
			.tls(1, keys={"mac": "m", "user": "u"})
		)
		self.assertEqual(self.device(log), ("D1", "udid", False))

	def test_user_as_of(self):
		log = (
			Log()
			.posture(0, keys={"user": "u"})
			.posture(10, keys={"user": "v"})
			.posture(11, device="D2", keys={"user": "u"})
		)
		self.assertEqual(
			self.device(Log(**{}).add(json.loads(log.lines[0])).tls(-5, keys={"user": "u"})),
			("D1", "udid", False),
		)
		log.tls(20, keys={"user": "u"})
		self.assertEqual(self.device(log), ("D2", "udid", False))

	def test_leases(self):
		def log():
			return (
				Log()
				.posture(0, keys={"mac": "m1"})
				.posture(0.5, device="D2", keys={"mac": "m2", "serial": "S2"})
			)

		self.assertEqual(self.device(log().tls(9, keys={})), ("10.1.0.1", "ip", False))
		self.assertEqual(
			self.device(log().lease(1, {"mac": "m1"}).tls(9, keys={})), ("D1", "udid", False)
		)
		self.assertEqual(
			self.device(log().lease(1, {"mac": "m1"}).lease(2, {"mac": "m2"}).tls(9, keys={})),
			("D2", "udid", False),
		)
		self.assertEqual(
			self.device(log().lease(1, {"mac": "m1"}, until=9).tls(9, keys={}))[1], "ip"
		)
		self.assertEqual(
			self.device(
				log().lease(1, {"mac": "m1"}).lease(5, {"mac": "m1"}, until=5).tls(9, keys={})
			)[1],
			"ip",
		)
		self.assertEqual(
			self.device(log().lease(1, {"mac": "mX"}).tls(9, keys={})), ("10.1.0.1", "ip", False)
		)
		two = (
			log()
			.lease(1, {"mac": "m1"}, by="radius")
			.lease(2, {"serial": "S2"}, by="radius")
			.tls(9, keys={})
		)
		self.assertEqual(self.device(two), ("10.1.0.1", "ip", True))
		stopped = (
			log()
			.lease(1, {"mac": "m1"}, by="radius")
			.lease(2, {"serial": "S2"}, by="radius")
			.lease(3, {"serial": "S2"}, by="radius", until=3)
		)
		self.assertEqual(self.device(stopped.tls(9, keys={})), ("D1", "udid", False))

	def app(self, log):
		a = log.world().all[0]
		return a.app, a.attribution

	def test_attribution(self):
		self.assertEqual(self.app(Log().tls(0)), ("com.a", "exact"))
		seen = {"src_endpoint": {"ip": "10.1.0.1", "port": 5}}
		self.assertEqual(
			self.app(Log().tls(0, app=None, port=5).activity(1, "connect", **seen)),
			("com.a", "exact"),
		)
		self.assertEqual(
			self.app(Log().tls(0, app=None).activity(600, "connect", host="h.test")),
			("com.a", "host"),
		)
		# another device saw the host, and by attempt time + TimeWindow: learned
		self.assertEqual(
			self.app(Log().tls(0, app=None).activity(600, "connect", device="D2", host="h.test")),
			("com.a", "learned"),
		)
		self.assertEqual(
			self.app(Log().tls(0, app=None).activity(601, "connect", device="D2", host="h.test"))[
				1
			],
			"none",
		)
		self.assertEqual(
			self.app(Log().tls(0, app=None).activity(9999, "declared", device="D2", host="h.test"))[
				1
			],
			"learned",
		)
		self.assertEqual(
			self.app(Log().tls(0, app=None).activity(-1, "launched")), ("com.a", "foreground")
		)
		self.assertEqual(
			self.app(Log().tls(0, app=None).activity(-1, "launched").activity(-0.5, "terminated")),
			(None, "none"),
		)

	def test_an_unknown_app_has_no_state(self):
		world = Log().tls(0, app=None).activity(-1, "backgrounded", app=None).world()
		self.assertIsNone(world.identity.state(("D1", "udid", False), None, T0))

	def test_agent(self):
		agent = "My%20News/4.2 CFNetwork/1494.0.7 Darwin/23.4.0"
		apps = [{"bundle_id": "com.news", "name": "My News"}]
		log = Log().posture(-1, snapshot=True, apps=apps).tls(0, app=None, agent=agent)
		self.assertEqual(self.app(log), ("com.news", "agent"))
		# a known list without it says that it is not this app
		log = (
			Log()
			.posture(-1, snapshot=True, apps=[])
			.posture(-2, device="D2", apps=apps)
			.tls(0, app=None, agent=agent)
		)
		self.assertEqual(self.app(log), (None, "none"))
		log = Log().posture(-2, device="D2", apps=apps).tls(0, app=None, agent=agent)
		self.assertEqual(self.app(log), ("com.news", "agent"))

	def test_app_list_is_a_fold(self):
		log = Log().posture(
			-30,
			snapshot=True,
			apps=[{"bundle_id": "com.a", "version": "1", "managed": True}, {"bundle_id": "com.b"}],
		)
		log.posture(-20, apps=[{"bundle_id": "com.a", "version": "2"}])
		world = log.tls(0).world()
		self.assertEqual(world.all[0].version, "2")
		known = world.identity.app_list(("D1", "udid", False), T0)
		self.assertEqual((known["com.a"]["managed"], sorted(known)), (True, ["com.a", "com.b"]))
		world = log.posture(-10, snapshot=True, apps=[{"bundle_id": "com.b"}]).world()
		self.assertEqual(sorted(world.identity.app_list(("D1", "udid", False), T0)), ["com.b"])

	def test_posture_ages(self):
		for age, known in (
			(7 * DAY, True),
			(7 * DAY + 1, False),
			(-7 * DAY, True),
			(-7 * DAY - 1, False),
		):
			world = Log().posture(-age, supervised=True).tls(0).world()
			value = world.identity.posture_value(("D1", "udid", False), T0, "supervised")
			self.assertEqual(value, True if known else None, age)


class Rendering(unittest.TestCase):
	def test_configuration(self):
		import yaml

		files = render_settings(
			{
				"time_window": 90,
				"allowed_apps": [
					{"app": "com.a.*", "destinations": [".x.test"], "expires": "2026-11-18"}
				],
			}
		)
		conf = yaml.safe_load(files["pinwatch.yaml"])
		self.assertEqual(
			(conf["analytic"]["TimeWindow"], conf["correlation"]["score_window"]), ("90s", "7d")
		)
		self.assertEqual(conf["analytic"]["AllowedAppList"], ["apps.yaml"])
		self.assertEqual(yaml.safe_load(files["apps.yaml"])[0]["destinations"], [".x.test"])

	def test_times(self):
		self.assertEqual(
			format_time(parse_time("2026-11-18T10:00:00.000001Z")), "2026-11-18T10:00:00.000001Z"
		)
		self.assertEqual(parse_time("1970-01-01T00:00:01Z"), SECOND)

	def test_order_is_by_end(self):
		log = Log().tls(0, duration_ms=2000).tls(1, duration_ms=0)
		self.assertEqual([r.time for r in quarantine(read_records(log.lines))], [T0 + SECOND, T0])


if __name__ == "__main__":
	unittest.main()
