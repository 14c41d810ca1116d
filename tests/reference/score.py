"""The score of one version group, in decibans, and the paths to suspected (docs/evidence.md,
sections 5 and 7.2).
"""

from math import lgamma, log

from attempts import ja4_stack
from exclusion import bursts
from records import DAY, HOUR, SECOND

CONTROLS = ("same_app_uninspected", "other_app_same_destination", "same_device_other_destination")
ALTERNATIVE = {"hard": (0.5, 20), "silent": (2, 18), "late": (2, 6)}
HEAVIER = {"late": 0, "silent": 1, "hard": 2}
NONE = None  # the stack of attempts that have no fingerprint


def log_beta(a, b):
	return lgamma(a) + lgamma(b) - lgamma(a + b)


def trial_value(k, n, weight):
	"""Decibans of k failed of n trials: pinned (9, 1) against the alternative of this class of
	failure.
	"""
	a, b = ALTERNATIVE[weight]
	pinned = log_beta(k + 9, n - k + 1) - log_beta(9, 1)
	other = log_beta(k + a, n - k + b) - log_beta(a, b)
	return 10 * (pinned - other) / log(10)


def centi(db):
	"""Hundredths of a deciban, so that sums are exact."""
	return int(abs(db) * 100 + 0.5) * (1 if db >= 0 else -1)


def plurality(values, weakest_first):
	"""The most frequent value, ties to the weaker."""
	return max(weakest_first, key=lambda v: (values.count(v), -weakest_first.index(v)))


def by_device(attempts):
	found = {}
	for a in attempts:
		found.setdefault(a.device, []).append(a)
	return found


class StackTrials:
	"""Bursts of one device in one stack."""

	def __init__(self, attempts):
		self.bursts = bursts(attempts)
		self.failed = [b for b in self.bursts if not any(a.success for a in b)]
		self.k, self.n = len(self.failed), len(self.bursts)
		weights = [max((a.weight for a in b), key=HEAVIER.get) for b in self.failed]
		self.weight = plurality(weights, ["late", "silent", "hard"]) if weights else "hard"
		self.value = trial_value(self.k, self.n, self.weight)


class VersionGroup:
	"""Non-excluded attempts of one app version with one destination, and all that follows from
	them alone.
	"""

	def __init__(self, version, attempts, world, off_baseline):
		self.version = version
		self.attempts = sorted(attempts, key=lambda a: a.start)
		self.world = world  # every non-excluded attempt with a host
		self.settings = world.settings
		self.window = self.settings["time_window"] * SECOND
		self.off_baseline = off_baseline
		self.trials = [a for a in self.attempts if a.trial]
		self.failures = [a for a in self.attempts if a.failure]
		self.successes = [a for a in self.attempts if a.success]
		self.sessions = [a for a in self.attempts if a.uninspected_session]
		self.find_stacks()
		self.choose_stacks()
		self.add_up()

	# --- 5.1, 5.2

	def find_stacks(self):
		with_ja3 = [a for a in self.trials if not a.ja4 and a.ja3]
		repeating = set()
		for ja3 in {a.ja3 for a in with_ja3}:
			same = [a for a in with_ja3 if a.ja3 == ja3]
			if sum(len(bursts(attempts)) for attempts in by_device(same).values()) >= 2:
				repeating.add(ja3)

		def label(a):
			if a.ja4:
				return ja4_stack(a.ja4)
			return a.ja3 if a.ja3 in repeating else NONE

		labels = {id(a): label(a) for a in self.trials}
		self.labels = labels
		self.by_stack = {}  # label -> device -> its trials
		for device, mine in by_device(self.trials).items():
			unlabelled = [a for a in mine if labels[id(a)] is NONE]
			shown = {labels[id(a)] for a in mine if labels[id(a)] is not NONE}
			for name in shown:
				stack = [a for a in mine if self.in_stack(a, name)]
				self.by_stack.setdefault(name, {})[device] = StackTrials(stack)
			if unlabelled and (not shown or any(a.failure for a in unlabelled)):
				self.by_stack.setdefault(NONE, {})[device] = StackTrials(unlabelled)

	def in_stack(self, a, name):
		"""Successes without a label count in every stack, failures without one are a stack of
		their own.
		"""
		return self.labels[id(a)] == name or (self.labels[id(a)] is NONE and a.success)

	def mixed_stacks(self):
		"""Whether some stack has a failure and a success, on any devices."""
		return any(
			self.in_stack(s, self.labels[id(f)]) for f in self.failures for s in self.successes
		)

	def choose_stacks(self):
		"""device -> (label, trials): each device counts with its highest value, ties to the first
		label in byte order, none last.
		"""
		self.chosen = {}
		for name in sorted(self.by_stack, key=lambda name: (name is NONE, name or "")):
			for device, trials in self.by_stack[name].items():
				if device not in self.chosen or trials.value > self.chosen[device][1].value:
					self.chosen[device] = name, trials
		self.failed_trials = sum(trials.k for _, trials in self.chosen.values())

	# --- the score

	def add_up(self):
		self.contributions = []
		self.total = 0
		self.term("prior", -16)
		if self.chosen:
			value = sum(min(25.0, trials.value) for _, trials in self.chosen.values())
			self.capped([self.term("differential", value, always=True)], 35)
		met = {name for name in CONTROLS if self.failures and getattr(self, name)()}
		self.controls = [name for name in CONTROLS if name in met]
		points = {
			"same_app_uninspected": 10,
			"other_app_same_destination": 10,
			"same_device_other_destination": 6,
		}
		self.capped([self.term(name, points[name]) for name in self.controls], 20)
		failing = sum(1 for _, trials in self.chosen.values() if trials.k >= 1)
		self.term("replication", 9 if failing >= 5 else 6 if failing >= 2 else 0)
		self.term("contradiction", -20 if self.contradicted() else 0)
		self.capped(
			[
				self.term("retry", 3 if self.retries() else 0),
				self.term(
					"uninspected_after_failure", 6 if self.uninspected_after_failure() else 0
				),
				self.term("short_sessions", 4 if self.short_sessions() else 0),
			],
			9,
		)
		self.opaque = self.path_c()
		self.capped(
			[
				self.term(
					"learned_bypass", 4 if any(a.learned_bypass for a in self.attempts) else 0
				),
				self.term("persistent_opacity", 3 if self.opaque else 0),
			],
			4,
		)
		self.find_paths()

	def term(self, name, db, always=False):
		value = centi(db)
		if value or always:
			self.contributions.append((name, value))
		self.total += value
		return value

	def capped(self, values, limit):
		over = sum(values) - 100 * limit
		if over > 0:
			self.contributions.append(("cap", -over))
			self.total -= over

	@property
	def score(self):
		return self.total / 100

	# --- 5.3: controls

	def same_app_uninspected(self):
		fine = [a for a in self.attempts if a.fine_uninspected]
		return any(abs(a.start - f.start) <= DAY for a in fine for f in self.failures)

	def other_app_same_destination(self):
		for f in self.failures:
			for a in self.world.at_destination.get(f.destination, []):
				known_other = a.app is not None and a.app != f.app
				if (
					a.success
					and known_other
					and a.device == f.device
					and abs(a.start - f.start) <= DAY
				):
					return True
		return False

	def same_device_other_destination(self):
		for f in self.failures:
			for a in self.world.of_device[f.device]:
				if a.success and a.destination != f.destination and abs(a.start - f.start) <= HOUR:
					return True
		return False

	# --- 5.4

	def contradicted(self):
		for device, (name, trials) in self.chosen.items():
			if trials.k >= 1 and any(
				a.device != device and self.in_stack(a, name) for a in self.successes
			):
				return True
		return False

	# --- 5.5: timing

	def retries(self):
		followed = 0
		for device, attempts in by_device(self.trials).items():
			mine = [a for a in self.attempts if a.device == device]
			for burst in bursts(attempts):
				if any(
					0 < a.start - f.start <= 5 * SECOND for f in burst if f.failure for a in mine
				):
					followed += 1
		return followed >= 2

	def uninspected_after_failure(self):
		return any(
			a.device == f.device and 0 < a.start - f.start <= 300 * SECOND
			for f in self.failures
			for a in self.sessions
		)

	def short_sessions(self):
		short = [
			a
			for a in self.failures + self.sessions
			if a.duration is not None and a.duration < 5 * SECOND
		]
		for attempts in by_device(short).values():
			numbered = [(a.start, i) for i, burst in enumerate(bursts(attempts)) for a in burst]
			for begin, _ in numbered:
				inside = [i for start, i in numbered if begin <= start <= begin + self.window]
				if len(inside) >= 3 and len(set(inside)) >= 2:
					return True
		return False

	# --- 7.2: paths

	def find_paths(self):
		rejection = self.fast() or self.slow() or self.wide() or self.bypassed_by_itself()
		self.paths = []
		if rejection and (self.total >= -1000 or not self.successes):
			self.paths.append("rejection")
		if self.path_b():
			self.paths.append("selective_bypass")
		if self.opaque:
			self.paths.append("persistent_opacity")

	def fast(self):
		for failures in by_device(self.failures).values():
			for f in failures:
				inside = [x for x in failures if f.start <= x.start <= f.start + self.window]
				if sum(x.count for x in inside) >= self.settings["threshold"]:
					return True
		return False

	def slow(self):
		need = 2 * self.settings["threshold"]
		for devices in self.by_stack.values():
			for trials in devices.values():
				for i in range(len(trials.bursts) - need + 1):
					row = trials.bursts[i : i + need]
					all_failed = not any(a.success for burst in row for a in burst)
					if all_failed and row[-1][0].start - row[0][0].start <= DAY:
						return True
		return False

	def wide(self):
		need = max(5, self.settings["threshold"])
		for devices in self.by_stack.values():
			failed, fine = [], []
			for device, trials in devices.items():
				for burst in trials.bursts:
					(fine if any(a.success for a in burst) else failed).append(
						(burst[0].start, device)
					)
			if len({device for _, device in failed}) < need:
				continue
			for begin, _ in failed:
				for end, _ in failed:
					if begin <= end <= begin + DAY and not any(
						begin <= start <= end for start, _ in fine
					):
						if (
							len({device for start, device in failed if begin <= start <= end})
							>= need
						):
							return True
		return False

	def bypassed_by_itself(self):
		rejects = [f for f in self.failures if f.outcome == "client_reject"]
		return any(a.learned_bypass and a.start >= f.start for f in rejects for a in self.attempts)

	def path_b(self):
		return any(
			a.device == f.device
			and 0 < a.start - f.start <= self.window
			and (a.uninspected_session or a.learned_bypass)
			for f in self.failures
			for a in self.attempts
		)

	def path_c(self):
		if not self.off_baseline:
			return False
		for device, sessions in by_device(self.sessions).items():
			beside = [
				s
				for s in sessions
				if any(
					a.state == "intercepted"
					and a.destination != s.destination
					and abs(a.start - s.start) <= self.window
					for a in self.world.of_device[device]
				)
			]
			if len(beside) >= self.settings["opaque_sessions"]:
				return True
		return False
