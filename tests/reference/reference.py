#!/usr/bin/python3
"""A slow, plain second implementation of the judgement, for differential tests.

    reference.py FLEET.jsonl [SETTINGS.json]

reads canonical observations and prints the findings as JSON lines, in the program's shape less
what only explains (uid, revision, texts, evidence). Written from docs/evidence.md alone; where it
is slow, it is so to be plainly right.
"""

import json
import sys
from statistics import mean, pstdev

from attempts import Attempt, Joiner, in_network, settle_outcomes, settle_states
from exclusion import Exclusion, bursts, same_issuer
from identity import Identity
from records import (
	DAY,
	DEFAULTS,
	SECOND,
	format_time,
	is_address,
	is_apple,
	parse_time,
	read_records,
	registrable,
)
from records import utc_date
from score import CONTROLS, VersionGroup, by_device, plurality

RIVALS = (
	"ca_untrusted",
	"gateway_fault",
	"mutual_tls",
	"upstream",
	"tls_mismatch",
	"intermittent",
	"apple_service",
)
ATTRIBUTIONS = ["none", "foreground", "learned", "agent", "host", "exact"]  # weakest first
VERDICTS = ("confirmed", "suspected", "explained", "observed", "expected")
RISK = {
	"verdict": 20,
	"background": 25,
	"off_baseline": 20,
	"unmanaged": 15,
	"no_user_interaction": 10,
	"undeclared_transport": 10,
	"device_posture": 10,
	"beacon": 10,
	"confidence_low": -20,
}


# --- allow-lists (8.6)


def end_of_day(date):
	return parse_time(f"{date}T00:00:00Z") + DAY


def app_matches(pattern, app):
	if app is None:
		return False
	return app.startswith(pattern[:-1]) if pattern.endswith(".*") else app == pattern


def destination_matches(pattern, a):
	if pattern.startswith("."):
		return a.host == pattern[1:] or a.host.endswith(pattern)
	if "/" in pattern:
		addresses = [a.server_ip] + ([a.host] if is_address(a.host) else [])
		return any(x is not None and in_network(x, pattern) for x in addresses)
	return a.host == pattern


def entry_covers(entry, a):
	if entry.get("expires") and a.start >= end_of_day(entry["expires"]):
		return False
	if "app" in entry:
		places = entry.get("destinations")
		return app_matches(entry["app"], a.app) and (
			not places or any(destination_matches(p, a) for p in places)
		)
	apps = entry.get("apps")
	return destination_matches(entry["destination"], a) and (
		not apps or any(app_matches(p, a.app) for p in apps)
	)


# --- what a run knows


class World:
	"""Every attempt of a run, judged for exclusion, with the indexes that rules look through."""

	def __init__(self, lines, settings):
		self.settings = {**DEFAULTS, **settings}
		records = read_records(lines)
		self.now = records[-1].order if records else 0
		joiner = Joiner(self.settings)
		for r in records:
			if r.kind == "tls_attempt" or (r.kind == "app_activity" and r.event == "connect"):
				joiner.add(r)
		self.identity = Identity(records, self.settings)
		entries = [e for e in joiner.entries if any(r.kind == "tls_attempt" for r in e.records)]
		self.all = [Attempt(e, joiner, self.now) for e in entries]
		for a in self.all:
			a.device = self.identity.device_of(a)
		self.identity.attribute(self.all)
		settle_states(self.all, self.settings)
		settle_outcomes(self.all)
		self.judged = [a for a in self.all if a.host is not None]
		self.exclusion = Exclusion(self.judged, self.identity, self.settings, self.covering)
		self.declared = [r for r in records if r.kind == "app_activity" and r.event == "declared"]
		self.has_mdm = any(r.kind == "posture" for r in records)
		self.has_edr = any(r.kind == "app_activity" for r in records)
		beginnings = [a.start for a in self.all] + [r.time for r in self.declared]
		self.earliest = min(beginnings) if beginnings else 0
		self.at_destination, self.of_device = {}, {}
		for a in self.judged:
			if a.excluded is None:
				self.at_destination.setdefault(a.destination, []).append(a)
				self.of_device.setdefault(a.device, []).append(a)

	def covering(self, a):
		"""How `explained_by` names the first allow-list entry that covers this attempt, or None."""
		for entry in self.settings["allowed_apps"]:
			if entry_covers(entry, a):
				return "AllowedAppList:" + entry["app"]
		for entry in self.settings["allowed_destinations"]:
			if entry_covers(entry, a):
				return "AllowedDestinationList:" + entry["destination"]
		return None

	def learning(self, t):
		return t - self.earliest < self.settings["baseline_days"] * DAY

	def baselined(self, app, host, t):
		domain = registrable(host)
		seen = [
			(a.start, a.device)
			for a in self.judged
			if a.app == app and registrable(a.host) == domain
		]
		seen += [
			(r.time, r.device)
			for r in self.declared
			if r.bundle == app and r.hostname and registrable(r.hostname) == domain
		]
		before = [(time, device) for time, device in seen if time < t]
		devices = {device for _, device in before if device is not None}
		dates = {utc_date(time) for time, _ in before}
		if len(devices) >= self.settings["baseline_devices"]:
			return True
		return len(dates) >= self.settings["baseline_days"] and len(devices) >= 2

	def findings(self):
		groups = {}
		for a in self.judged:
			groups.setdefault((a.app, a.destination), []).append(a)
		found = [
			Finding(self, app, destination, attempts).show()
			for (app, destination), attempts in groups.items()
		]
		found.sort(
			key=lambda f: (
				f["destination"]["host"],
				f["destination"]["port"],
				f["app"]["bundle_id"] or "",
			)
		)
		untrusted = [
			self.show_untrusted(d, failures) for d, failures in self.exclusion.untrusted.items()
		]
		untrusted.sort(key=lambda f: f["devices"][0]["id"])
		outages = [self.show_outage(attempts) for attempts in self.exclusion.spans]
		return found + untrusted + outages

	def show_untrusted(self, device, failures):
		total = sum(f.count for f in failures)
		return repair(
			"ca_untrusted", 25, "low", failures, [device_row(device, failures=total)], total
		)

	def show_outage(self, attempts):
		rows = [
			device_row(device, failures=sum(a.count for a in mine if a.failure))
			for device, mine in by_device(attempts).items()
		]
		return repair(
			"gateway_fault",
			45,
			"medium",
			attempts,
			sorted(rows, key=lambda r: r["id"]),
			sum(a.count for a in attempts),
		)


def device_row(device, **values):
	row = {
		"id": device[0],
		"id_type": device[1],
		"failures": 0,
		"trials": 0,
		"successes": 0,
		"uninspected": 0,
		"background_starts": 0,
		"locked_starts": 0,
	}
	if device[2]:
		row["ambiguous"] = True
	row.update(values)
	return row


def repair(kind, risk, severity, attempts, devices, excluded):
	"""A finding about something to repair: a phone or an outage."""
	counts = {"ca_untrusted": 0, "gateway_fault": 0}
	counts[kind] = excluded
	return {
		"kind": kind,
		"verdict": "confirmed",
		"explained_by": None,
		"app": None,
		"destination": None,
		"score_db": 0.0,
		"confidence": "medium",
		"risk": risk,
		"severity": severity,
		"paths": [],
		"first_seen": format_time(min(a.start for a in attempts)),
		"last_seen": format_time(max(a.start for a in attempts)),
		"devices": devices,
		"excluded": counts,
		"contributions": [],
		"controls": {"met": [], "missing": []},
		"rivals": [],
		"risk_factors": [],
	}


# --- one finding


class Finding:
	def __init__(self, world, app, destination, attempts):
		self.world, self.app, self.destination = world, app, destination
		self.settings = world.settings
		uncovered = [a for a in attempts if world.covering(a) is None]
		judged = uncovered or attempts
		self.newest = max(a.start for a in judged)
		self.oldest = self.newest - self.settings["score_window"] * SECOND
		self.latest = self.newest + self.settings["score_window"] * SECOND
		self.attempts = sorted((a for a in judged if a.start >= self.oldest), key=lambda a: a.start)
		self.left = [a for a in self.attempts if a.excluded is None]
		self.expected_by = None
		if is_apple(destination[0]):
			self.expected_by = "apple_service"
		elif not uncovered:
			self.expected_by = world.covering(self.attempts[-1])
		shown = self.left or self.attempts
		self.first_seen, self.last_seen = shown[0].start, shown[-1].start
		self.learning = world.learning(self.first_seen)
		self.off_baseline = not self.learning and not world.baselined(
			app, destination[0], self.first_seen
		)
		versions = {}
		for a in self.left:
			versions.setdefault(a.version, []).append(a)
		if not versions:
			versions[None] = []
		self.groups = [
			VersionGroup(v, mine, world, self.off_baseline) for v, mine in versions.items()
		]
		for group in self.groups:
			group.rivals = self.rivals(group)
			group.verdict, group.explained_by = self.verdict(group)
		self.group = min(self.groups, key=self.rank)

	@staticmethod
	def rank(group):
		"""Worst verdict, then highest score, then newest attempt, then last version in byte
		order, unknown last.
		"""
		newest = group.attempts[-1].start if group.attempts else 0
		version = [-b for b in (group.version or "").encode()] + [1]
		return VERDICTS.index(group.verdict), -group.total, -newest, group.version is None, version

	# --- 7.1

	def counted(self, attempts):
		return sum(a.count for a in attempts)

	def rivals(self, group):
		left, failures = self.left, [a for a in self.left if a.failure]
		n_failures = self.counted(failures)
		# every known app at this destination, this finding's own among them
		apps = {self.app: left} if self.app is not None else {}
		for a in self.world.at_destination.get(self.destination, []):
			if a.app is not None and a.app != self.app and self.oldest <= a.start <= self.latest:
				apps.setdefault(a.app, []).append(a)
		other_fine = any(a.success for app, mine in apps.items() if app != self.app for a in mine)

		def of(outcome):
			return self.counted([a for a in left if a.outcome == outcome])

		trying = [mine for mine in apps.values() if any(a.trial for a in mine)]
		all_late = len(trying) >= 2 and all(
			any(a.failure for a in mine)
			and not any(a.success for a in mine)
			and all(a.weight == "late" for a in mine if a.failure)
			for mine in trying
		)
		mutual_tls = (of("mutual_tls") > 0 and of("mutual_tls") >= n_failures) or all_late
		broken_alike = [mine for mine in apps.values() if fails_alike(mine)]
		expired = self.counted([a for a in failures if a.outcome == "client_reject_validity"])
		failing_apps = [mine for mine in apps.values() if any(a.failure for a in mine)]
		anyone_fine = any(a.success for mine in apps.values() for a in mine)
		upstream = (
			2 * of("upstream_failed") > self.counted(left)
			or len(broken_alike) >= 2
			or (2 * expired > n_failures and len(failing_apps) >= 2 and not anyone_fine)
		)
		mismatch = of("tls_mismatch") > 0 and of("tls_mismatch") >= n_failures
		excluded = {a.excluded for a in self.attempts}
		return {
			"ca_untrusted": status(
				"ca_untrusted" in excluded, self.root_proven(failures), refutes_standing=False
			),
			"gateway_fault": status("gateway_fault" in excluded, False),
			"mutual_tls": status(mutual_tls, other_fine),
			"upstream": status(upstream, other_fine),
			"tls_mismatch": status(mismatch, other_fine),
			"intermittent": status(group.mixed_stacks() and group.total < 0, False),
			"apple_service": status(is_apple(self.destination[0]), False),
		}

	def root_proven(self, failures):
		"""Every failing device had a success under the same issuer before its last failure here."""
		if not failures:
			return False
		for device, mine in by_device(failures).items():
			last = max(mine, key=lambda f: f.start)
			pool = self.world.exclusion.by_device.get(device, [])
			if not any(s.success and s.start < last.start and same_issuer(s, last) for s in pool):
				return False
		return True

	# --- 7.3

	def verdict(self, group):
		if self.expected_by is not None:
			return "expected", self.expected_by
		for name in RIVALS:
			only_if_nothing_left = name in ("ca_untrusted", "gateway_fault")
			if group.rivals[name] == "stands" and not (only_if_nothing_left and group.paths):
				return "explained", name
		if not group.paths:
			return "observed", None
		alert_45 = all(f.outcome == "client_reject_validity" for f in group.failures)
		if (
			"rejection" in group.paths
			and group.total >= 1000
			and group.controls
			and group.failed_trials >= 2
			and not alert_45
		):
			return "confirmed", None
		return "suspected", None

	# --- 8

	def relevant(self):
		return self.group.failures or self.group.sessions

	def mostly(self, holds):
		relevant = self.relevant()
		return 2 * sum(1 for a in relevant if holds(a)) > len(relevant)

	def attribution(self):
		over = self.relevant() or self.group.attempts or self.attempts
		return plurality([a.attribution for a in over], ATTRIBUTIONS)

	def installed(self, a):
		return self.world.identity.app_list(a.device, a.start)

	def in_background(self, a):
		return self.world.identity.state(a.device, a.app, a.start) == "background"

	def locked(self, a):
		return self.world.identity.locked(a.device, a.start) is True

	def unseen(self, a):
		return self.in_background(a) or self.locked(a)

	def confidence(self):
		identity, attribution = self.world.identity, self.attribution()
		level = {"suspected": 0, "confirmed": 1}[self.group.verdict]
		reasons = [
			self.mostly(
				lambda a: ((self.installed(a) or {}).get(a.app) or {}).get("managed") is True
			),
			self.settings["foreground_required"] and self.mostly(self.unseen),
			self.mostly(lambda a: identity.posture_value(a.device, a.start, "supervised") is True),
			attribution == "exact",
		]
		if sum(reasons) >= 2:
			level += 1
		if attribution in ("learned", "foreground", "none") or self.mostly(lambda a: a.device[2]):
			level -= 1
		if not (self.world.has_mdm and self.world.has_edr):
			level = min(level, 1)
		if self.mostly(lambda a: a.device[1] == "ip"):
			level = 0
		return ("low", "medium", "high")[max(0, min(2, level))]

	def unmanaged(self, a):
		installed = self.installed(a)
		if installed is None or a.app is None:
			return False
		if a.app not in installed:
			return self.world.identity.list_is_whole(a.device, a.start)
		supervised = self.world.identity.posture_value(a.device, a.start, "supervised")
		return installed[a.app].get("managed") is False and supervised is True

	def undeclared(self):
		if not any(a.outcome == "client_reject" and a.failure for a in self.relevant()):
			return False
		return self.mostly(
			lambda a: ((self.installed(a) or {}).get(a.app) or {}).get("declares_pinning") is False
		)

	def bad_posture(self, a):
		identity = self.world.identity
		return (
			identity.posture_value(a.device, a.start, "jailbroken") is True
			or identity.posture_value(a.device, a.start, "compliant") is False
		)

	def beacons(self):
		for attempts in by_device(self.group.trials + self.group.sessions).values():
			starts = [burst[0].start for burst in bursts(attempts)]
			if len(starts) < 6:
				continue
			intervals = sorted(b - a for a, b in zip(starts, starts[1:]))
			if len(intervals) >= 12:
				out = max(1, len(intervals) // 20)
				intervals = intervals[out:-out]
			if pstdev(intervals) < 0.2 * mean(intervals):
				return True
		return False

	def risk_factors(self, confidence):
		identity = self.world.identity
		holds = {
			"verdict": True,
			"background": self.settings["foreground_required"] and self.mostly(self.unseen),
			"off_baseline": self.off_baseline,
			"unmanaged": self.mostly(self.unmanaged),
			"no_user_interaction": self.mostly(
				lambda a: identity.interaction(a.device, a.app, a.start) is False
			),
			"undeclared_transport": self.undeclared(),
			"device_posture": any(self.bad_posture(a) for a in self.relevant()),
			"beacon": self.beacons(),
			"confidence_low": confidence == "low",
		}
		return [{"factor": name, "points": points} for name, points in RISK.items() if holds[name]]

	def device_rows(self):
		rows = []
		for device, mine in by_device(self.left).items():
			rows.append(
				device_row(
					device,
					failures=self.counted([a for a in mine if a.failure]),
					successes=self.counted([a for a in mine if a.success]),
					trials=sum(
						len(bursts([a for a in g.trials if a.device == device]))
						for g in self.groups
					),
					uninspected=sum(1 for a in mine if a.uninspected_session),
					background_starts=sum(1 for a in mine if self.in_background(a)),
					locked_starts=sum(1 for a in mine if self.locked(a)),
				)
			)
		return sorted(rows, key=lambda r: (r["id"], r["id_type"]))

	def show(self):
		group = self.group
		confidence, risk, factors = None, 0, []
		if group.verdict in ("confirmed", "suspected"):
			confidence = self.confidence()
			factors = self.risk_factors(confidence)
			risk = max(0, min(100, sum(f["points"] for f in factors)))
		severity = (
			"high"
			if risk >= 70
			else "medium"
			if risk >= 45
			else "low"
			if risk >= 25
			else "informational"
		)
		return {
			"kind": "pinning",
			"verdict": group.verdict,
			"explained_by": group.explained_by,
			"app": {
				"bundle_id": self.app,
				"version": group.version,
				"attribution": self.attribution(),
			},
			"destination": {"host": self.destination[0], "port": self.destination[1]},
			"score_db": group.score,
			"confidence": confidence,
			"risk": risk,
			"severity": severity,
			"paths": group.paths,
			"first_seen": format_time(self.first_seen),
			"last_seen": format_time(self.last_seen),
			"devices": self.device_rows(),
			"excluded": {
				name: self.counted([a for a in self.attempts if a.excluded == name])
				for name in ("ca_untrusted", "gateway_fault")
			},
			"contributions": [
				{"term": name, "db": value / 100} for name, value in group.contributions
			],
			"controls": {
				"met": group.controls,
				"missing": [c for c in CONTROLS if c not in group.controls],
			},
			"rivals": [{"name": name, "status": group.rivals[name]} for name in RIVALS],
			"risk_factors": factors,
		}


def status(holds, refuted, refutes_standing=True):
	if holds and not (refuted and refutes_standing):
		return "stands"
	return "refuted" if refuted else "untested"


def fails_alike(attempts):
	"""Broken both under inspection and without it."""

	def broken(a):
		return a.outcome == "upstream_failed" or a.weight is not None

	return any(broken(a) and a.state == "intercepted" for a in attempts) and any(
		broken(a) and a.state in ("bypassed", "uninspected") for a in attempts
	)


def judge(lines, settings=None):
	"""The findings over these canonical observations, all verdicts, in the program's order."""
	return World(lines, settings or {}).findings()


def main(argv):
	with open(argv[1], encoding="utf-8") as f:
		lines = f.readlines()
	settings = {}
	if len(argv) > 2:
		with open(argv[2], encoding="utf-8") as f:
			settings = json.load(f)
	for finding in judge(lines, settings):
		print(json.dumps(finding, separators=(",", ":")))


if __name__ == "__main__":
	main(sys.argv)
