#!/usr/bin/python3
"""Hand-computed checks of the reference: phones and outages to repair, confidence, risk.

The expectations are reasoned from the contract, not copied from output.
"""

import unittest

from testlog import Log, at, factors, rival


class Untrusted(unittest.TestCase):
	def everything_fails(self, pairs=3):
		log = Log()
		for i in range(pairs):
			log.tls(i, host=f"h{i}.test")
		return log

	def test_three_pairs(self):
		found = self.everything_fails().findings()
		self.assertEqual([f["kind"] for f in found], ["pinning"] * 3 + ["ca_untrusted"])
		f = found[0]
		self.assertEqual(
			(f["verdict"], f["explained_by"], f["excluded"]["ca_untrusted"]),
			("explained", "ca_untrusted", 1),
		)
		self.assertEqual((f["score_db"], f["devices"], f["app"]["version"]), (-16, [], None))
		phone = found[3]
		self.assertEqual(
			(phone["verdict"], phone["risk"], phone["severity"], phone["confidence"]),
			("confirmed", 25, "low", "medium"),
		)
		self.assertEqual((phone["app"], phone["destination"], phone["score_db"]), (None, None, 0))
		self.assertEqual((phone["devices"][0]["id"], phone["devices"][0]["failures"]), ("D1", 3))
		self.assertEqual((phone["first_seen"], phone["last_seen"]), (at(0), at(2)))

	def test_two_pairs_are_not_enough(self):
		self.assertNotIn("ca_untrusted", [f["kind"] for f in self.everything_fails(2).findings()])

	def test_success_before_the_last_failure_refutes(self):
		self.assertEqual(len(self.everything_fails().fine(-30 * 3600, host="z.test").findings()), 4)

	def test_failures_before_the_first_success(self):
		# a success an hour later: not lonely, but all failures come before the first success
		found = self.everything_fails().fine(3600, host="z.test").findings()
		self.assertEqual(found[-1]["kind"], "ca_untrusted")

	def test_missing_root(self):
		# one failure is enough where MDM shows that the root is missing
		log = (
			Log()
			.posture(
				-10,
				profiles=[{"identifier": "com.wifi", "payload_types": ["com.apple.wifi.managed"]}],
			)
			.tls(0)
		)
		self.assertEqual([f["kind"] for f in log.findings()], ["pinning", "ca_untrusted"])
		log = (
			Log()
			.posture(
				-10, profiles=[{"identifier": "r", "payload_types": ["com.apple.security.root"]}]
			)
			.tls(0)
		)
		self.assertEqual([f["kind"] for f in log.findings()], ["pinning"])
		log.settings = {"root_profiles": ["com.acme.root"]}
		self.assertEqual([f["kind"] for f in log.findings()], ["pinning", "ca_untrusted"])

	def test_older_success_does_not_prove_a_lost_root(self):
		log = Log().posture(-10, profiles=[]).fine(-11, host="z.test").tls(0)
		self.assertEqual(log.findings()[-1]["kind"], "ca_untrusted")
		log = Log().posture(-10, profiles=[]).fine(-9, host="z.test").tls(0)
		self.assertEqual(log.findings()[-1]["kind"], "pinning")

	def test_a_pin_is_not_hidden_by_what_is_left(self):
		# D1 has no root; D2 reaches path A by itself
		log = self.everything_fails().fine(-1, device="D2", host="z.test")
		for t in (0, 100, 200):
			log.tls(t + 0.5, device="D2", host="h0.test")
		f = log.pinning("h0.test")
		self.assertEqual(
			(f["verdict"], rival(f, "ca_untrusted"), f["excluded"]["ca_untrusted"]),
			("confirmed", "stands", 1),
		)


class Outages(unittest.TestCase):
	GRID = 7200  # T0 + 7200 s lies on the 15 s grid

	def outage(self, devices=5, hosts=10, fine=0):
		log = Log()
		for i in range(devices):  # trusted before, so no phone's fault
			log.fine(i, device=f"D{i}", host="before.test")
		for i in range(max(devices, hosts)):
			log.tls(self.GRID + i, device=f"D{i % devices}", host=f"h{i % hosts}.test")
		for i in range(fine):
			log.fine(self.GRID + 30 + i, device=f"D{i % devices}", host=f"ok{i}.test")
		return log

	def kinds(self, log):
		return sorted({f["kind"] for f in log.findings()})

	def test_five_devices_ten_destinations(self):
		found = self.outage().findings()
		(span,) = [f for f in found if f["kind"] == "gateway_fault"]
		self.assertEqual(
			(span["risk"], span["severity"], span["first_seen"], span["last_seen"]),
			(45, "medium", at(self.GRID), at(self.GRID + 9)),
		)
		self.assertEqual(span["excluded"], {"ca_untrusted": 0, "gateway_fault": 10})
		explained = [f for f in found if f["explained_by"] == "gateway_fault"]
		self.assertEqual(len(explained), 10)

	def test_too_few(self):
		self.assertNotIn("gateway_fault", self.kinds(self.outage(devices=4)))
		self.assertNotIn("gateway_fault", self.kinds(self.outage(hosts=9)))

	def test_eighty_percent(self):
		# 10 failed of 12 is 83 %; 10 of 13 is 77 %, but a window that ends before the successes
		# still holds
		self.assertIn("gateway_fault", self.kinds(self.outage(fine=2)))
		spread = self.outage()
		for i in range(3):
			spread.fine(self.GRID + 3 * i, device=f"D{i}", host=f"ok{i}.test")
		self.assertNotIn("gateway_fault", self.kinds(spread))

	def test_upstream_failures_count_and_are_excluded(self):
		log = self.outage(hosts=9).tls(
			self.GRID + 20, "upstream_failed", device="D1", host="h9.test"
		)
		self.assertEqual(log.pinning("h9.test")["excluded"]["gateway_fault"], 1)

	def test_issuer_change(self):
		# five phones lose trust in one hour: the gateway, not five phones
		log = Log()
		for i in range(5):
			for k in range(3):
				log.tls(self.GRID + 300 * i + 100 * k, device=f"D{i}", host=f"h{k}.test")
		self.assertEqual(self.kinds(log), ["gateway_fault", "pinning"])
		log = Log()
		for i in range(4):
			for k in range(3):
				log.tls(self.GRID + 300 * i + 100 * k, device=f"D{i}", host=f"h{k}.test")
		self.assertEqual(self.kinds(log), ["ca_untrusted", "pinning"])


class Confidence(unittest.TestCase):
	MANAGED = {
		"supervised": True,
		"snapshot": True,
		"apps": [{"bundle_id": "com.a", "managed": True}],
	}

	def pinned(self, **settings):
		log = Log(**settings)
		for t in (0, 100, 200):
			log.tls(t)
		return log

	def test_steps_up(self):
		# suspected: low; managed, supervised and exact: medium; the EDR is there
		f = self.pinned().posture(-5, **self.MANAGED).activity(-5, "resumed").pinning()
		self.assertEqual((f["verdict"], f["confidence"]), ("suspected", "medium"))
		f = (
			self.pinned()
			.posture(-5, **self.MANAGED)
			.activity(-5, "resumed")
			.fine(1, host="o.test")
			.pinning()
		)
		self.assertEqual((f["verdict"], f["confidence"]), ("confirmed", "high"))

	def test_one_reason_is_no_step(self):
		f = self.pinned().posture(-5).activity(-5, "resumed").pinning()
		self.assertEqual(f["confidence"], "low")
		self.assertIn("confidence_low", factors(f))

	def test_missing_source_caps(self):
		f = self.pinned().posture(-5, **self.MANAGED).fine(1, host="o.test").pinning()
		self.assertEqual((f["verdict"], f["confidence"]), ("confirmed", "medium"))

	def test_ip_only_caps(self):
		log = Log()
		for t in (0, 100, 200):
			log.tls(t, keys={})
		f = log.fine(1, keys={}, host="o.test").pinning()
		self.assertEqual(
			(f["verdict"], f["confidence"], f["devices"][0]["id_type"]), ("confirmed", "low", "ip")
		)


class Risk(unittest.TestCase):
	def base(self, **settings):
		log = Log(**settings)
		for t in (0, 100, 200):
			log.tls(t)
		return log.fine(1, host="o.test")

	def test_verdict_only(self):
		f = self.base().pinning()
		self.assertEqual((factors(f), f["risk"], f["severity"]), (["verdict"], 20, "informational"))

	def test_background(self):
		f = self.base().activity(-1, "backgrounded").pinning()
		self.assertEqual(
			(factors(f), f["risk"], f["severity"]), (["verdict", "background"], 45, "medium")
		)
		self.assertEqual(f["devices"][0]["background_starts"], 3)
		f = self.base(foreground_required=False).activity(-1, "backgrounded").pinning()
		self.assertEqual(factors(f), ["verdict"])
		f = self.base().activity(-1, "connect", app=None, device_locked=True).pinning()
		self.assertEqual((factors(f)[1], f["devices"][0]["locked_starts"]), ("background", 4 - 1))
		# half is not most: locked for one of three only
		f = (
			self.base()
			.activity(-1, "connect", device_locked=True)
			.activity(50, "connect", device_locked=False)
			.pinning()
		)
		self.assertEqual(factors(f), ["verdict"])

	def test_state_grows_old(self):
		f = self.base().activity(-12 * 3600 - 1, "backgrounded").pinning()
		self.assertEqual(f["devices"][0]["background_starts"], 0)
		f = self.base().activity(-12 * 3600, "backgrounded").pinning()
		self.assertEqual(f["devices"][0]["background_starts"], 1)  # the first attempt only

	def test_interaction(self):
		f = self.base().activity(-1, "connect", user_interaction=False).pinning()
		self.assertEqual(factors(f), ["verdict", "no_user_interaction"])
		f = (
			self.base()
			.activity(-1, "connect", user_interaction=False)
			.activity(-2, "connect", user_interaction=True)
			.pinning()
		)
		self.assertEqual(factors(f), ["verdict"])

	def test_unmanaged(self):
		def found(**posture):
			return factors(self.base().posture(-9, **posture).pinning())

		unmanaged = [{"bundle_id": "com.a", "managed": False}]
		self.assertIn("unmanaged", found(supervised=True, apps=unmanaged))
		self.assertNotIn("unmanaged", found(apps=unmanaged))
		self.assertIn("unmanaged", found(apps=[{"bundle_id": "com.b"}], snapshot=True))
		self.assertNotIn("unmanaged", found(apps=[{"bundle_id": "com.b"}]))  # only adds: it says nothing of others
		self.assertNotIn("unmanaged", found(supervised=True, apps=[{"bundle_id": "com.a"}]))

	def test_undeclared_and_posture(self):
		log = self.base().posture(
			-9, jailbroken=True, apps=[{"bundle_id": "com.a", "declares_pinning": False}]
		)
		self.assertEqual(
			factors(log.pinning()), ["verdict", "undeclared_transport", "device_posture"]
		)
		log = Log().posture(
			-9, compliant=False, apps=[{"bundle_id": "com.a", "declares_pinning": False}]
		)
		for t in (0, 100, 200):
			log.tls(t, "client_silent_close")
		self.assertEqual(
			[f for f in factors(log.pinning()) if f != "confidence_low"],
			["verdict", "device_posture"],
		)

	def test_beacon(self):
		def beacons(starts):
			log = Log()
			for t in starts:
				log.tls(t)
			return "beacon" in factors(log.pinning())

		self.assertTrue(beacons([100 * i for i in range(6)]))
		self.assertFalse(beacons([100 * i for i in range(5)]))
		self.assertFalse(beacons([0, 100, 200, 300, 400, 700]))  # mean 140, deviation 80
		# with 12 intervals the one long sleep is left out
		self.assertTrue(beacons([100 * i for i in range(12)] + [9000]))
		self.assertFalse(beacons([100 * i for i in range(11)] + [9000]))


if __name__ == "__main__":
	unittest.main()
