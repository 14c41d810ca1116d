"""Attempts that a phone without the inspection root or an outage of the gateway explains
(docs/evidence.md, section 6).
"""

from records import DAY, HOUR, SECOND, is_apple

BURST = 60 * SECOND
GRID = 15 * SECOND


def bursts(attempts):
	"""Attempts of one device in bursts: a member starts less than 60 s after the burst's first."""
	found = []
	for a in sorted(attempts, key=lambda a: a.start):
		if not found or a.start - found[-1][0].start >= BURST:
			found.append([])
		found[-1].append(a)
	return found


def pairs(failures):
	return {(f.app, f.destination) for f in failures}


def same_issuer(a, b):
	return a.issuer is None or b.issuer is None or a.issuer == b.issuer


def pool_of(attempts, covered):
	policy = {a.destination for a in attempts if a.state == "bypassed" and a.reason == "policy"}
	return [
		a
		for a in attempts
		if not is_apple(a.host) and a.destination not in policy and not covered(a)
	]


class Exclusion:
	"""Marks `excluded` on attempts, and keeps what the findings of kind ca_untrusted and
	gateway_fault show.
	"""

	def __init__(self, attempts, identity, settings, covered):
		self.identity, self.root_profiles = identity, settings["root_profiles"]
		self.pool = pool_of(attempts, covered)
		self.by_device = {}
		for a in self.pool:
			self.by_device.setdefault(a.device, []).append(a)
		# device -> (explained failures of C1 and C2, of C3)
		explained = {device: self.explained_of(device) for device in self.by_device}
		hours = self.issuer_changes(explained)
		self.untrusted = {}
		for device, (strange, rootless) in explained.items():
			left = [f for f in strange if f.start // HOUR not in hours]
			if len(pairs(left)) < 3:
				left = []
			kept = left + [f for f in rootless if f.start // HOUR not in hours and f not in left]
			if kept:
				self.untrusted[device] = sorted(kept, key=lambda f: f.start)
				for f in kept:
					f.excluded = "ca_untrusted"
		windows = self.outages() + [(h * HOUR, (h + 1) * HOUR) for h in hours]
		self.spans = []
		for begin, end in merge(windows):
			inside = [
				a
				for a in self.pool
				if begin <= a.start < end
				and a.excluded is None
				and (a.failure or a.outcome == "upstream_failed")
			]
			for a in inside:
				a.excluded = "gateway_fault"
			if inside:
				self.spans.append(sorted(inside, key=lambda a: a.start))

	# --- ca_untrusted

	def explained_of(self, device):
		failures = [a for a in self.by_device[device] if a.failure]
		successes = [a for a in self.by_device[device] if a.success]
		lonely = [f for f in failures if not any(abs(s.start - f.start) <= DAY for s in successes)]
		early = [f for f in failures if not any(s.start <= f.start for s in successes)]
		rootless = [f for f in failures if self.rootless_since(f) is not None]
		strange = []
		for candidates in (lonely, early):
			if len(pairs(candidates)) >= 3:
				left = [f for f in candidates if not self.refuted(f, candidates, successes)]
				if len(pairs(left)) >= 3:
					strange += [f for f in left if f not in strange]
		unrefuted = [
			f for f in rootless if not self.refuted(f, rootless, successes, self.rootless_since(f))
		]
		return strange, unrefuted

	@staticmethod
	def refuted(f, candidates, successes, since=None):
		last = max(c.start for c in candidates)
		return any(
			s.start < last and same_issuer(s, f) and (since is None or s.start >= since)
			for s in successes
		)

	def rootless_since(self, f):
		"""The time of the posture record that shows the missing root as of this failure, or None.
		"""
		r = self.identity.posture_record(f.device, f.start, "profiles")
		if r is None:
			return None
		for profile in r.profiles:
			if self.root_profiles:
				if profile.get("identifier") in self.root_profiles:
					return None
			elif "com.apple.security.root" in (profile.get("payload_types") or []):
				return None
		return r.time

	def issuer_changes(self, explained):
		"""The UTC hours in which it is the gateway's issuer that changed, not every phone."""
		suffering, active = {}, {}
		for device, (strange, rootless) in explained.items():
			for f in strange + rootless:
				suffering.setdefault(f.start // HOUR, set()).add(device)
		for a in self.pool:
			if a.trial:
				active.setdefault(a.start // HOUR, set()).add(a.device)
		return {
			h
			for h, devices in suffering.items()
			if len(devices) >= 5 and 5 * len(devices) >= 4 * len(active[h])
		}

	# --- gateway_fault

	def outages(self):
		cases = {}
		for a in self.pool:
			if a.device not in self.untrusted and (a.trial or a.outcome == "upstream_failed"):
				cases.setdefault((a.device, a.app, a.destination), []).append(a)
		trials = []  # (time, failed, device, destination)
		for (device, _, destination), attempts in cases.items():
			for burst in bursts(attempts):
				trials.append(
					(burst[0].start, not any(a.success for a in burst), device, destination)
				)
		if len({t[2] for t in trials if t[1]}) < 5 or len({t[3] for t in trials}) < 10:
			return []
		starts = set()
		for time, *_ in trials:
			g = time // GRID * GRID
			starts.update(range(g - 300 * SECOND, g + 1, GRID))
		found = []
		for g in sorted(starts):
			near = [t for t in trials if g <= t[0] < g + 300 * SECOND]
			if len({t[3] for t in near}) < 10:
				continue
			for length in range(60, 301, 15):
				if self.is_outage([t for t in near if t[0] < g + length * SECOND]):
					found.append((g, g + length * SECOND))
		return found

	@staticmethod
	def is_outage(trials):
		failed = [t for t in trials if t[1]]
		return (
			len(failed) > 0
			and 10 * len(failed) >= 8 * len(trials)
			and len({t[2] for t in failed}) >= 5
			and len({t[3] for t in trials}) >= 10
		)


def merge(windows):
	"""Overlapping or touching windows as spans."""
	spans = []
	for begin, end in sorted(windows):
		if spans and begin <= spans[-1][1]:
			spans[-1] = spans[-1][0], max(end, spans[-1][1])
		else:
			spans.append((begin, end))
	return spans
