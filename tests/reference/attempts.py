"""Observations of one connection become one attempt (docs/evidence.md, section 2, and 3.8 for the
inspection state).

`join` groups the records, `merge` reads the fields that do not depend on who the device is; the
identity of each attempt is decided between that and `settle_states` and `settle_outcomes`.
"""

import ipaddress

from records import DAY, SECOND

# name: (class, weight of a failure, specificity), in the order of the table "Outcomes"
OUTCOMES = {
	"client_reject": ("failure", "hard", 1),
	"client_reject_validity": ("failure", "silent", 1),
	"client_silent_close": ("failure", "silent", 3),
	"established_no_data": ("failure", "late", 5),
	"client_cancel": ("neutral", None, 2),
	"mutual_tls": ("rival", None, 1),
	"upstream_failed": ("rival", None, 1),
	"tls_mismatch": ("rival", None, 1),
	"established": ("success", None, 4),
	"incomplete": ("no trial", None, 6),
	"unknown": ("no trial", None, 7),
}
TABLE_ORDER = {name: i for i, name in enumerate(OUTCOMES)}


def specificity(outcome):
	return OUTCOMES[outcome][2]


class Entry:
	"""The records that belong to one connection, in processing order."""

	def __init__(self):
		self.records = []
		self.portless = False
		self.summed = []  # records without a client port whose counts add up

	def client(self):
		for r in self.records:
			if r.src_ip and r.src_port:
				return r.src_ip, r.src_port
		return None


def first(records, name):
	"""The first value of this field that is said, in order."""
	for r in records:
		value = getattr(r, name)
		if value is not None:
			return value
	return None


def largest(records, name):
	values = [getattr(r, name) for r in records if getattr(r, name) is not None]
	return max(values) if values else None


def tri_merge(records, name):
	"""TRUE where any says so, else FALSE where any says so."""
	values = [getattr(r, name) for r in records]
	return True if True in values else False if False in values else None


class Joiner:
	def __init__(self, settings):
		self.listeners = set(settings["listeners"])
		self.gateway = {split_listener(x)[0] for x in self.listeners} | set(settings["addresses"])
		self.entries = []
		self.dropped = 0

	def is_listener(self, r):
		if r.dst_ip is None or r.dst_port is None:
			return False
		return any(split_listener(x) == (r.dst_ip, r.dst_port) for x in self.listeners)

	def server_port(self, entry):
		for r in entry.records:
			if r.dst_port is not None and not self.is_listener(r):
				return r.dst_port
		return None

	def host_of(self, records):
		"""The best of SNI, host name and server address; at equal kind the inspecting source's,
		then the first.
		"""
		for name in ("sni", "hostname", "dst_ip"):
			usable = [
				r
				for r in records
				if getattr(r, name) and not (name == "dst_ip" and self.is_listener(r))
			]
			for r in usable:
				if r.sensor == "inspection":
					return getattr(r, name)
			if usable:
				return getattr(usable[0], name)
		return None

	def port_of(self, records):
		for r in records:
			if r.sensor == "inspection" and r.dst_port is not None and not self.is_listener(r):
				return r.dst_port
		for r in records:
			if r.dst_port is not None and not self.is_listener(r):
				return r.dst_port
		return 443

	def add(self, r):
		tls = r.kind == "tls_attempt"
		if tls and r.sensor == "flow" and r.src_ip in self.gateway:
			self.dropped += 1
			return
		entry = self.by_flow(r)
		if entry is None and r.src_ip and r.src_port:
			entry = self.by_client(r)
		elif entry is None and tls:
			entry = self.by_content(r)
		elif entry is None and not r.flow_id:
			return  # an activity that names no connection
		if entry is None:
			entry = Entry()
			entry.portless = tls and not (r.src_ip and r.src_port)
			if entry.portless:
				entry.summed.append(r)
			self.entries.append(entry)
		entry.records.append(r)

	def by_flow(self, r):
		if r.flow_id:
			for entry in self.entries:
				if any(x.flow_id == r.flow_id for x in entry.records):
					return entry
		return None

	def by_client(self, r):
		for entry in reversed(self.entries):
			if entry.client() != (r.src_ip, r.src_port):
				continue
			if abs(entry.records[0].time - r.time) > 120 * SECOND:
				continue
			return entry if self.ports_agree(r, entry) else None
		return None

	def ports_agree(self, r, entry):
		if self.is_listener(r) or r.dst_port is None:
			return True
		return self.server_port(entry) in (None, r.dst_port)

	def by_content(self, r):
		"""Where no client port is known."""
		me = self.portless_key(r)
		for entry in reversed(self.entries):
			if not entry.portless or r.outcome != "established":
				continue
			for x in entry.records:
				waiting = (
					x.outcome == "established_no_data" and x.ended is False and x.source == r.source
				)
				if waiting and self.portless_key(x) == me and 0 <= r.order - x.order <= 30 * SECOND:
					return entry
		for entry in reversed(self.entries):
			head = entry.records[0]
			if entry.portless and self.portless_key(head) == me and head.outcome == r.outcome:
				if head.time // SECOND == r.time // SECOND:
					entry.summed.append(r)
					return entry
		return None

	def portless_key(self, r):
		client = r.src_ip or tuple(sorted(r.keys.items()))
		return client, self.host_of([r]), self.port_of([r])


def split_listener(text):
	host, _, port = text.rpartition(":")
	return host.strip("[]"), int(port)


class Attempt:
	"""One TLS connection. Identity, state and outcome are filled in later."""

	def __init__(self, entry, joiner, now):
		tls = [r for r in entry.records if r.kind == "tls_attempt"]
		self.records = tls
		self.start = min(r.time for r in tls)
		self.duration = largest(tls, "duration")
		self.bytes_out = largest(tls, "bytes_out")
		self.count = self.merged_count(entry, tls)
		self.tls_version = first(tls, "tls_version")
		self.ja4, self.ja3 = first(tls, "ja4"), first(tls, "ja3")
		self.issuer, self.user_agent = first(tls, "issuer"), first(tls, "user_agent")
		self.bundle, self.own_version = first(entry.records, "bundle"), first(
			entry.records, "app_version"
		)
		self.keys = {}
		for r in entry.records:
			for name, value in r.keys.items():
				self.keys.setdefault(name, value)
		self.client_ip = first(tls, "src_ip")
		self.server_ip = first([r for r in tls if not joiner.is_listener(r)], "dst_ip")
		flow = [r for r in tls if r.sensor == "flow"]
		self.closed_by = first(flow, "closed_by") or first(tls, "closed_by")
		self.close = first(flow, "close") or first(tls, "close")
		self.established = tri_merge(tls, "established")
		self.server_certificate = tri_merge(tls, "server_certificate")
		self.udp = any(r.udp for r in tls)
		self.host, self.port = joiner.host_of(tls), joiner.port_of(tls)
		self.via_listener = any(joiner.is_listener(r) for r in tls)
		self.seen_by_gateway = any(r.sensor == "inspection" for r in tls)
		said = [r for r in tls if r.inspection is not None]
		by_gateway = [r for r in said if r.sensor == "inspection"]
		self.state_from_gateway = bool(by_gateway)
		speaker = (by_gateway or said or [None])[0]
		self.state = speaker.inspection if speaker else None
		self.reason = (
			speaker.bypass_reason if speaker and speaker.inspection == "bypassed" else None
		)
		self.merged_outcome, self.contradiction = merge_outcome(tls, now)
		self.outcome = self.merged_outcome
		# who, filled in by identity
		self.device = self.app = self.attribution = self.version = None
		self.excluded = None  # or "ca_untrusted", "gateway_fault"

	@staticmethod
	def merged_count(entry, tls):
		"""The largest of the records' counts, and of the sums where there is no client port."""
		sums = {}
		for r in entry.summed:
			sums[r.source] = sums.get(r.source, 0) + r.count
		return max([r.count for r in tls] + list(sums.values()))

	# section 4, in the words of the page
	@property
	def destination(self):
		return self.host, self.port

	@property
	def failure(self):
		return self.state == "intercepted" and OUTCOMES[self.outcome][0] == "failure"

	@property
	def success(self):
		return self.state == "intercepted" and self.outcome == "established"

	@property
	def trial(self):
		return self.failure or self.success

	@property
	def weight(self):
		return OUTCOMES[self.outcome][1]

	@property
	def uninspected_session(self):
		if self.outcome != "established":
			return False
		return self.state == "uninspected" or (self.state == "bypassed" and self.reason != "policy")

	@property
	def fine_uninspected(self):
		return self.outcome == "established" and self.state in ("bypassed", "uninspected")

	@property
	def learned_bypass(self):
		return self.state == "bypassed" and self.reason == "learned"

	def __repr__(self):
		where = f"{self.device} {self.app} {self.host}:{self.port}"
		return f"<{self.start / 1e9:.6f} {where} {self.state} {self.outcome}>"


def merge_outcome(tls, now):
	"""Rules 5 and 6. Returns the outcome and whether sensors contradict each other."""

	def outcome_of(r):
		if r.outcome == "established_no_data" and r.ended is False:
			others_end = any(x is not r and x.ended for x in tls)
			closes = any(x.closed_by is not None or x.close is not None for x in tls)
			if not others_end and not closes and now - r.order < 30 * SECOND:
				return "unknown"
		return r.outcome

	def most_specific(records):
		return min(
			(outcome_of(r) for r in records),
			key=lambda o: (specificity(o), TABLE_ORDER[o]),
			default="unknown",
		)

	gateway = most_specific([r for r in tls if r.sensor == "inspection"])
	other = most_specific([r for r in tls if r.sensor != "inspection"])
	classes = {OUTCOMES[gateway][0], OUTCOMES[other][0]}
	if classes == {"failure", "success"} and max(specificity(gateway), specificity(other)) <= 4:
		return gateway, True
	return (gateway if specificity(gateway) <= specificity(other) else other), False


def settle_states(attempts, settings):
	"""3.8: the inspection state of attempts whose records do not say it. Needs devices."""
	window = settings["time_window"] * SECOND
	answers = []
	for a in attempts:
		if a.state is None:
			answers.append((a, state_of(a, attempts, window, settings)))
	for a, (state, reason) in answers:
		a.state, a.reason = state, reason


def state_of(a, attempts, window, settings):
	if a.seen_by_gateway:
		return "unknown", None
	if a.udp:
		return "bypassed", "unknown"
	near = [
		b
		for b in attempts
		if b is not a and b.device == a.device and abs(b.start - a.start) <= window
	]
	around_the_proxy = bool(settings["listeners"]) and not a.via_listener
	same = [b for b in near if b.state_from_gateway and b.destination == a.destination]
	if same and not around_the_proxy:
		b = min(same, key=lambda b: (abs(b.start - a.start), b.start))
		return b.state, b.reason
	if a.issuer and settings["issuers"]:
		if any(name in a.issuer for name in settings["issuers"]):
			return "intercepted", None
		return "bypassed", "unknown"
	if any(b.seen_by_gateway for b in near):
		return "bypassed", "unknown"
	return "unknown", None


def settle_outcomes(attempts):
	"""Rules 7 and 8: attempts that are still unknown. Needs devices, apps and states."""
	known = [a for a in attempts if a.merged_outcome == "established" and a.bytes_out]
	for a in attempts:
		if a.merged_outcome != "unknown":
			continue
		if a.established is False:
			if a.closed_by == "client" and a.server_certificate:
				a.outcome = "client_silent_close"
			elif a.closed_by == "server" and a.close == "rst" and not a.server_certificate:
				a.outcome = "upstream_failed"
			else:
				a.outcome = "incomplete"
		elif (a.established or a.state == "intercepted") and a.bytes_out is not None:
			a.outcome = by_bytes(a, known)


def by_bytes(a, known):
	peers = [
		b
		for b in known
		if b.destination == a.destination
		and b.tls_version == a.tls_version
		and abs(b.start - a.start) <= DAY
	]
	same_stack = [b for b in peers if a.ja4 and b.ja4 and ja4_stack(b.ja4) == ja4_stack(a.ja4)]
	same_app = [b for b in peers if a.app is not None and b.app == a.app]
	same_device = [b for b in peers if b.device == a.device]
	chosen = same_stack or same_app or same_device
	if not chosen:
		return "unknown"
	if a.bytes_out > min(b.bytes_out for b in chosen) - 60:
		return "established"
	if a.duration is not None and a.duration < 5 * SECOND and a.closed_by == "client":
		return (
			"established_no_data" if a.tls_version and a.tls_version <= "1.2" else "client_reject"
		)
	return "unknown"


def ja4_stack(ja4):
	"""The cipher part: extension order and resumption do not change it."""
	return ja4.split("_")[1]


def in_network(address, cidr):
	try:
		return ipaddress.ip_address(address) in ipaddress.ip_network(cidr, strict=False)
	except ValueError:
		return False
