#!/usr/bin/python3
"""Hand-computed checks of the reference itself: score, paths, rivals, verdict.

The expectations are reasoned from the contract, not copied from output.
"""

import unittest

from score import centi, plurality, trial_value
from testlog import DAY, Log, at, factors, rival, terms


class CheckValues(unittest.TestCase):
	"""The check values under the table of score terms, all of them."""

	TABLE = {
		"hard": {
			(1, 1): 15.7,
			(2, 2): 26.8,
			(3, 3): 36.0,
			(2, 3): 16.5,
			(3, 4): 25.5,
			(5, 10): 15.2,
			(1, 10): -31.6,
			(0, 1): -9.9,
			(0, 10): -48.8,
		},
		"silent": {
			(1, 1): 9.5,
			(2, 2): 17.6,
			(3, 3): 24.6,
			(2, 3): 7.7,
			(3, 4): 14.5,
			(5, 10): 2.5,
		},
		"late": {(1, 1): 5.6, (2, 2): 9.9, (3, 3): 13.5, (3, 4): 5.0, (5, 10): -7.5},
	}

	def test_all(self):
		for weight, values in self.TABLE.items():
			for (k, n), db in values.items():
				self.assertAlmostEqual(
					trial_value(k, n, weight), db, delta=0.051, msg=f"{weight} {k} of {n}"
				)

	def test_rounding(self):
		self.assertEqual([centi(x) for x in (1.004, 1.006, -1.006, -16)], [100, 101, -101, -1600])

	def test_plurality_takes_the_weaker_on_a_tie(self):
		order = ["late", "silent", "hard"]
		self.assertEqual(plurality(["hard", "silent"], order), "silent")
		self.assertEqual(plurality(["hard", "late", "hard"], order), "hard")


class Bursts(unittest.TestCase):
	def test_sixty_seconds_end_a_burst(self):
		# 59.999999 s after the first belongs to its burst, exactly 60 s begins the next
		for gap, trials in ((59.999999, 1), (60, 2)):
			f = Log().tls(0).tls(gap).pinning()
			self.assertEqual(f["devices"][0]["trials"], trials, gap)
			self.assertEqual(f["devices"][0]["failures"], 2)

	def test_burst_is_measured_from_its_first_member(self):
		# 0, 50, 100: the third is 100 s from the first, so a second burst though 50 s from its
		# neighbour
		self.assertEqual(Log().tls(0).tls(50).tls(100).pinning()["devices"][0]["trials"], 2)

	def test_a_success_makes_the_burst_one(self):
		f = Log().tls(0).fine(30).pinning()
		# k = 0 of n = 1
		self.assertEqual(terms(f)["differential"], -9.89)

	def test_heaviest_failure_is_the_burst(self):
		f = Log().tls(0, "established_no_data").tls(1, "client_silent_close").pinning()
		self.assertEqual(terms(f)["differential"], 9.54)  # 10 log10(0.9 / 0.1), silent (1, 1)

	def test_devices_have_bursts_of_their_own(self):
		f = Log().tls(0).tls(1, device="D2").pinning()
		self.assertEqual([d["trials"] for d in f["devices"]], [1, 1])
		self.assertEqual(
			terms(f)["differential"], 31.34
		)  # twice 10 log10(0.9 / (0.5 / 20.5)) = 15.67
		self.assertEqual(terms(f)["replication"], 6)


class Verdicts(unittest.TestCase):
	def test_confirmed(self):
		# three hard failures within TimeWindow: 36.0, one device counts at most 25; other
		# destination fine: +6
		f = Log().tls(0).tls(300).tls(600).fine(601, host="other.test").pinning()
		self.assertEqual(
			(f["verdict"], f["paths"], f["score_db"]), ("confirmed", ["rejection"], 15.0)
		)
		self.assertEqual(f["controls"]["met"], ["same_device_other_destination"])
		# neither MDM nor EDR: medium stays the most
		self.assertEqual(f["confidence"], "medium")

	def test_time_window_is_inclusive(self):
		self.assertEqual(Log().tls(0).tls(300).tls(600).pinning()["paths"], ["rejection"])
		f = Log().tls(0).tls(300).tls(600.000001).pinning()
		self.assertEqual((f["verdict"], f["paths"]), ("observed", []))
		self.assertEqual((f["confidence"], f["risk"], f["severity"]), (None, 0, "informational"))

	def test_without_a_control_only_suspected(self):
		f = Log().tls(0).tls(100).tls(200).pinning()
		self.assertEqual((f["verdict"], f["score_db"]), ("suspected", 9.0))

	def test_one_burst_is_one_trial(self):
		# three failures in one burst reach path A, but one failed trial confirms nothing: -16 +
		# 15.67 + 20
		log = Log().tls(0).tls(10).tls(20).fine(3000, host="other.test").fine(4000, app="com.b")
		log.fine(30000, state="uninspected")
		f = log.pinning()
		self.assertEqual(terms(f)["cap"], -6)
		self.assertEqual((f["verdict"], f["score_db"]), ("suspected", 19.67))

	def test_alert_45_alone_is_at_most_suspected(self):
		log = Log().fine(700, host="other.test").fine(701, app="com.b")
		for t in (0, 100, 200):
			log.tls(t, "client_reject_validity")
		f = log.pinning()
		# silent (3, 3) 24.6 - 16 + 16 is more than enough
		self.assertEqual((f["verdict"], f["score_db"] > 10), ("suspected", True))

	def test_observed_success(self):
		f = Log().fine(0).pinning()
		self.assertEqual(
			(f["verdict"], f["score_db"], f["controls"]["met"]), ("observed", -25.89, [])
		)

	def test_explained_names_the_rival(self):
		f = Log().tls(0).tls(1).tls(2, "mutual_tls", count=2).pinning()
		self.assertEqual((f["verdict"], f["explained_by"]), ("explained", "mutual_tls"))

	def test_expected(self):
		entry = {"app": "com.a", "expires": "2026-11-18"}
		f = Log(allowed_apps=[entry]).tls(0).tls(1).tls(2).pinning()
		self.assertEqual(
			(f["verdict"], f["explained_by"], f["risk"]), ("expected", "AllowedAppList:com.a", 0)
		)
		f = Log().tls(0, host="x.icloud.com").pinning("x.icloud.com")
		self.assertEqual((f["verdict"], f["explained_by"]), ("expected", "apple_service"))
		self.assertEqual(rival(f, "apple_service"), "stands")

	def test_expiry_ends_with_its_day(self):
		# the day ends 14 h after T0; what starts then is judged on its own
		entry = {"destination": ".test", "expires": "2026-11-18"}
		log = Log(allowed_destinations=[entry]).tls(0).tls(1).tls(14 * 3600 - 0.000001)
		self.assertEqual(log.pinning()["explained_by"], "AllowedDestinationList:.test")
		f = log.tls(14 * 3600).pinning()
		self.assertEqual((f["verdict"], f["devices"][0]["failures"]), ("observed", 1))

	def test_reported_version(self):
		# 2.0 pins, 1.0 does not: the worse verdict is reported, seen and devices cover both
		log = Log().fine(0, version="1.0").fine(60, host="other.test")
		for t in (100, 200, 300):
			log.tls(t, version="2.0")
		f = log.pinning()
		self.assertEqual(
			(f["app"]["version"], f["verdict"], f["first_seen"]), ("2.0", "confirmed", at(0))
		)
		self.assertEqual((f["devices"][0]["successes"], f["devices"][0]["trials"]), (1, 4))

	def test_score_window(self):
		f = Log(score_window=DAY).tls(0).tls(1).tls(DAY + 2).pinning()
		self.assertEqual((f["devices"][0]["failures"], f["first_seen"]), (1, at(DAY + 2)))
		self.assertEqual(
			Log(score_window=DAY).tls(0).tls(DAY).pinning()["devices"][0]["failures"], 2
		)


class Stacks(unittest.TestCase):
	A, B = "t13d1516h2_8daaf6152771_02713d6af862", "t13d1516h2_d34a8e72043a_02713d6af862"

	def test_success_of_another_stack_refutes_nothing(self):
		f = Log().tls(0, ja4=self.A).tls(100, ja4=self.A).fine(200, ja4=self.B).pinning()
		self.assertEqual(terms(f)["differential"], 25)  # (2, 2) 26.8, one device at most 25
		f = Log().tls(0, ja4=self.A).tls(100, ja4=self.A).fine(200, ja4=self.A).pinning()
		self.assertAlmostEqual(terms(f)["differential"], 16.5, delta=0.05)  # (2, 3)

	def test_extension_order_does_not_change_a_stack(self):
		f = Log().tls(0, ja4=self.A).tls(100, ja4="t13d1517h2_8daaf6152771_ffffffffffff").pinning()
		self.assertEqual(terms(f)["differential"], 25)

	def test_success_without_a_stack_counts_in_every_one(self):
		f = Log().tls(0, ja4=self.A).fine(100).pinning()
		# (1, 2) hard: C cancels; 10 log10( B(10,2)/B(9,1) / (B(1.5,21)/B(.5,20)) )
		self.assertAlmostEqual(terms(f)["differential"], trial_value(1, 2, "hard"), delta=0.006)

	def test_ja3_counts_once_it_repeats(self):
		# one burst only: no label, so the success of the same JA3-less client is in the same stack
		f = Log().tls(0, ja3="x").fine(100).pinning()
		self.assertAlmostEqual(terms(f)["differential"], trial_value(1, 2, "hard"), delta=0.006)
		f = Log().tls(0, ja3="x").tls(100, ja3="x").fine(200, ja3="y").fine(300, ja3="y").pinning()
		self.assertEqual(terms(f)["differential"], 25)

	def test_stacks_are_a_devices_own(self):
		# D1 shows stack A alone, so its unlabelled success counts there, not as a stack of one
		# trial beside D2's unlabelled failure: (0, 2) -17.19 and (1, 1) 15.67
		f = Log().fine(0, ja4=self.A).fine(100).tls(200, device="D2").pinning()
		self.assertAlmostEqual(
			terms(f)["differential"], trial_value(0, 2, "hard") + 15.67, delta=0.01
		)

	def test_equal_values_choose_the_first_label(self):
		# (1, 1) in both; "8daa..." comes before "d34a...", and D2 succeeds in the latter only
		log = Log().tls(0, ja4=self.B).tls(100, ja4=self.A).fine(0.5, ja4=self.B, device="D2")
		self.assertNotIn("contradiction", terms(log.pinning()))
		log = Log().tls(0, ja4=self.B).tls(100, ja4=self.A).fine(0.5, ja4=self.A, device="D2")
		self.assertEqual(terms(log.pinning())["contradiction"], -20)

	def test_unlabelled_success_contradicts_every_stack(self):
		f = Log().tls(0, ja4=self.A).fine(0.5, device="D2").pinning()
		self.assertEqual(terms(f)["contradiction"], -20)

	def test_contradiction_needs_the_same_stack_elsewhere(self):
		f = Log().tls(0, ja4=self.A).fine(0.5, ja4=self.A, device="D2").pinning()
		self.assertEqual(terms(f)["contradiction"], -20)
		f = Log().tls(0, ja4=self.A).fine(0.5, ja4=self.B, device="D2").pinning()
		self.assertNotIn("contradiction", terms(f))


class Terms(unittest.TestCase):
	def test_replication(self):
		for n, db in ((1, None), (2, 6), (4, 6), (5, 9)):
			log = Log()
			for i in range(n):
				log.tls(i, device=f"D{i}")
			self.assertEqual(terms(log.pinning()).get("replication"), db, n)

	def test_differential_cap(self):
		f = Log().tls(0).tls(100).tls(0.5, device="D2").tls(101, device="D2").pinning()
		# two devices at 25 each: 50, cut to 35
		self.assertEqual(
			[(c["term"], c["db"]) for c in f["contributions"]][:3],
			[("prior", -16), ("differential", 50), ("cap", -15)],
		)

	def test_control_distances(self):
		day, hour = DAY, 3600
		for t, met in ((day, True), (-day, True), (day + 0.000001, False)):
			f = Log().tls(0).fine(t, app="com.b").pinning()
			self.assertEqual("other_app_same_destination" in f["controls"]["met"], met, t)
			f = Log().tls(0).fine(t, device="D9", state="uninspected").pinning()
			self.assertEqual("same_app_uninspected" in f["controls"]["met"], met, t)
		for t, met in ((hour, True), (-hour - 0.000001, False)):
			f = Log().tls(0).fine(t, host="other.test").pinning()
			self.assertEqual("same_device_other_destination" in f["controls"]["met"], met, t)

	def test_another_device_is_no_control_of_this_one(self):
		f = (
			Log()
			.tls(0)
			.fine(1, app="com.b", device="D2")
			.fine(2, host="other.test", device="D2")
			.pinning()
		)
		self.assertEqual(f["controls"]["met"], [])

	def test_an_unknown_app_is_no_other_app(self):
		self.assertEqual(
			Log()
			.tls(0)
			.fine(1, app=None, dst_port=443)
			.add({"kind": "lease", "time": at(0), "ip": "10.9.9.9", "device": {}})
			.findings()[0]["controls"]["met"],
			[],
		)

	def test_retry(self):
		for gap, counts in ((5, True), (5.000001, False)):
			log = Log().tls(0).tls(gap).tls(200).tls(200 + gap)
			self.assertEqual("retry" in terms(log.pinning()), counts, gap)
		# one burst is not enough
		self.assertNotIn("retry", terms(Log().tls(0).tls(2).tls(4).pinning()))

	def test_uninspected_after_failure(self):
		for gap, counts in ((300, True), (300.000001, False), (0, False)):
			f = Log().tls(0).fine(gap, state="uninspected").pinning()
			self.assertEqual("uninspected_after_failure" in terms(f), counts, gap)
		# policy is no evasion
		f = Log().tls(0).fine(10, state="bypassed", bypass_reason="policy").pinning()
		self.assertNotIn("uninspected_after_failure", terms(f))
		self.assertEqual(f["controls"]["met"], ["same_app_uninspected"])

	def test_short_sessions(self):
		log = Log().tls(0, duration_ms=4999).tls(10, duration_ms=10).tls(600, duration_ms=10)
		self.assertEqual(terms(log.pinning())["short_sessions"], 4)
		log = Log().tls(0, duration_ms=5000).tls(10, duration_ms=10).tls(600, duration_ms=10)
		self.assertNotIn("short_sessions", terms(log.pinning()))
		log = (
			Log().tls(0, duration_ms=10).tls(10, duration_ms=10).tls(59, duration_ms=10)
		)  # one burst
		self.assertNotIn("short_sessions", terms(log.pinning()))

	def test_timing_cap(self):
		log = Log()
		for t in (0, 2, 100, 102, 200):
			log.tls(t, duration_ms=10)
		f = log.fine(250, state="uninspected").pinning()
		names = [c["term"] for c in f["contributions"]]
		i = names.index("retry")
		self.assertEqual(
			names[i : i + 4], ["retry", "uninspected_after_failure", "short_sessions", "cap"]
		)
		self.assertEqual(f["contributions"][i + 3]["db"], -4)  # 3 + 6 + 4 cut to 9


class Paths(unittest.TestCase):
	def test_counts_of_one_record(self):
		self.assertEqual(Log().tls(0, count=3).pinning()["paths"], ["rejection"])
		self.assertEqual(Log().tls(0, count=2).pinning()["paths"], [])

	def test_slow(self):
		# six failed bursts within exactly a day, no success between
		step = DAY / 5
		log = Log()
		for i in range(6):
			log.tls(i * step)
		self.assertEqual(log.pinning()["paths"], ["rejection"])
		self.assertEqual(log.fine(2.5 * step).pinning()["paths"], [])
		log = Log()
		for i in range(6):
			log.tls(i * step + (0.000001 if i == 5 else 0))
		self.assertEqual(log.pinning()["paths"], [])

	def test_wide(self):
		log = Log()
		for i in range(5):
			log.tls(i * DAY / 4, device=f"D{i}")
		self.assertEqual(log.pinning()["paths"], ["rejection"])
		self.assertEqual(log.fine(DAY, device="D9").pinning()["paths"], [])

	def test_learned(self):
		log = Log().tls(0).tls(0, "unknown", state="bypassed", bypass_reason="learned", device="D2")
		f = log.pinning()
		self.assertEqual((f["paths"], terms(f)["learned_bypass"]), (["rejection"], 4))
		# after a silent close it is not the gateway's own answer to a rejection, but on the same
		# device it is path B
		log = (
			Log()
			.tls(0, "client_silent_close")
			.tls(1, "unknown", state="bypassed", bypass_reason="learned")
		)
		self.assertEqual(log.pinning()["paths"], ["selective_bypass"])

	def test_rejection_needs_a_score_or_no_success(self):
		log = Log().tls(0).tls(60).tls(120)
		for i in range(10):
			log.fine(1000 + 100 * i)
		# 3 of 13: far below -10
		self.assertEqual(log.pinning()["paths"], [])

	def test_selective_bypass(self):
		for gap, paths in ((600, ["selective_bypass"]), (600.000001, []), (0, [])):
			self.assertEqual(
				Log().tls(0).fine(gap, state="uninspected").pinning()["paths"], paths, gap
			)
		self.assertEqual(
			Log().tls(0).fine(1, state="bypassed", bypass_reason="policy").pinning()["paths"], []
		)
		self.assertEqual(
			Log().tls(0).fine(1, state="uninspected", device="D2").pinning()["paths"], []
		)

	def opaque(self, before, **settings):
		log = Log(**settings).fine(-before, app="com.z", host="z.test")
		for i in range(3):
			log.fine(i * 1000, state="uninspected").fine(
				i * 1000 + 600, app="com.b", host="other.test"
			)
		return log

	def test_persistent_opacity(self):
		f = self.opaque(3 * DAY).pinning()
		self.assertEqual((f["paths"], f["verdict"]), (["persistent_opacity"], "suspected"))
		self.assertEqual(terms(f), {"prior": -16, "persistent_opacity": 3})
		self.assertIn("off_baseline", factors(f))

	def test_no_opacity_while_learning(self):
		self.assertEqual(self.opaque(3 * DAY - 1).pinning()["paths"], [])

	def test_no_opacity_on_the_baseline(self):
		log = self.opaque(5 * DAY)
		for i, device in ((4, "D2"), (3, "D2"), (2, "D3")):  # three dates, two devices, same domain
			log.activity(-i * DAY, "declared", device=device, host="x.h.test")
		self.assertEqual(log.pinning()["paths"], [])

	def test_no_opacity_without_inspected_traffic(self):
		log = Log().fine(-3 * DAY, app="com.z", host="z.test")
		for i in range(3):
			log.fine(i * 1000, state="uninspected")
		self.assertEqual(log.pinning()["paths"], [])


class Rivals(unittest.TestCase):
	def test_untested_by_default(self):
		f = Log().tls(0).pinning()
		self.assertEqual({r["status"] for r in f["rivals"]}, {"untested"})
		self.assertEqual(
			[r["name"] for r in f["rivals"]],
			[
				"ca_untrusted",
				"gateway_fault",
				"mutual_tls",
				"upstream",
				"tls_mismatch",
				"intermittent",
				"apple_service",
			],
		)

	def test_another_app_fine_refutes_three(self):
		f = Log().tls(0, "mutual_tls").fine(-1, app="com.b", device="D2").pinning()
		self.assertEqual(
			[rival(f, r) for r in ("mutual_tls", "upstream", "tls_mismatch")], ["refuted"] * 3
		)
		# other apps are looked at as far behind the finding's newest attempt as before it
		for at, status in ((1, "refuted"), (DAY, "refuted"), (DAY + 1, "stands"), (-DAY - 1, "stands")):
			log = Log(score_window=DAY).tls(0, "mutual_tls").fine(at, app="com.b", device="D2")
			self.assertEqual(rival(log.pinning(), "mutual_tls"), status)

	def test_mutual_tls_by_two_late_apps(self):
		log = Log().tls(0, "established_no_data").tls(-1, "established_no_data", app="com.b")
		self.assertEqual(rival(log.pinning(), "mutual_tls"), "stands")
		self.assertEqual(
			rival(log.tls(-2, "client_silent_close", app="com.b").pinning(), "mutual_tls"),
			"untested",
		)

	def test_upstream(self):
		self.assertEqual(rival(Log().tls(0, "upstream_failed").pinning(), "upstream"), "stands")
		self.assertEqual(
			rival(Log().tls(0, "upstream_failed").tls(1).pinning(), "upstream"), "untested"
		)  # half is not most
		log = Log()
		for app in ("com.a", "com.b"):
			log.tls(0, app=app).tls(1, app=app).tls(
				1.5, "upstream_failed", app=app, state="bypassed"
			)
		log.tls(2)
		self.assertEqual(rival(log.pinning(), "upstream"), "stands")
		log = Log().tls(0, "client_reject_validity").tls(-1, "client_reject_validity", app="com.b")
		self.assertEqual(rival(log.pinning(), "upstream"), "stands")

	def test_tls_mismatch(self):
		self.assertEqual(
			rival(Log().tls(0, "tls_mismatch").tls(1).pinning(), "tls_mismatch"), "stands"
		)
		self.assertEqual(
			rival(Log().tls(0, "tls_mismatch").tls(1, count=2).pinning(), "tls_mismatch"),
			"untested",
		)

	def test_intermittent(self):
		f = Log().tls(0).fine(100).fine(200).pinning()
		self.assertEqual(
			(f["verdict"], f["explained_by"], f["score_db"] < 0),
			("explained", "intermittent", True),
		)

	def test_ca_untrusted_refuted_by_an_earlier_success(self):
		self.assertEqual(
			rival(Log().fine(-1, host="other.test").tls(0).pinning(), "ca_untrusted"), "refuted"
		)
		self.assertEqual(
			rival(Log().fine(1, host="other.test").tls(0).pinning(), "ca_untrusted"), "untested"
		)
		log = Log().fine(-1, host="other.test", issuer="new").tls(0, issuer="old")
		self.assertEqual(rival(log.pinning(), "ca_untrusted"), "untested")
		self.assertEqual(rival(log.tls(-2, device="D2").pinning(), "ca_untrusted"), "untested")


if __name__ == "__main__":
	unittest.main()
