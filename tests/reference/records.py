"""Canonical observations and settings, as plain Python values.

Times are integers in nanoseconds since 1970, durations nanoseconds, "not said" is None. Records
come back in the order in which the rules process them: by order time (time + duration), then by
the hash of the line's bytes.
"""

import json
import re
from datetime import datetime, timezone

try:
	import xxhash
except ImportError:  # only ties of order time need it, and tests avoid those
	xxhash = None

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 3600 * SECOND
DAY = 24 * HOUR

DEFAULTS = {
	# the analytic's five mutable elements; durations in seconds
	"time_window": 600,
	"threshold": 3,
	"foreground_required": True,
	"allowed_apps": [],
	"allowed_destinations": [],
	# correlation
	"score_window": 7 * 86400,
	"posture_max_age": 7 * 86400,
	"state_max_age": 12 * 3600,
	"baseline_days": 3,
	"baseline_devices": 5,
	"opaque_sessions": 3,
	# inspection
	"root_profiles": [],
	"issuers": [],
	"listeners": [],
	"addresses": [],
}

APPLE = ("apple.com", "icloud.com", "mzstatic.com")


def parse_time(text):
	"""ISO 8601 with Z, at most nine digits of a second, to nanoseconds."""
	m = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z", text)
	if m is None:
		raise ValueError(f"not a time: {text}")
	whole = datetime.fromisoformat(m.group(1)).replace(tzinfo=timezone.utc)
	return int(whole.timestamp()) * SECOND + int((m.group(2) or "0").ljust(9, "0"))


def format_time(ns):
	"""The same instant in ISO 8601, in as few digits as it needs."""
	whole = datetime.fromtimestamp(ns // SECOND, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
	fraction = f"{ns % SECOND:09d}".rstrip("0")
	return whole + ("." + fraction if fraction else "") + "Z"


def utc_date(ns):
	return ns // DAY


def registrable(host):
	"""The registrable domain of the names used in tests (two labels), an address itself."""
	if is_address(host):
		return host
	return ".".join(host.split(".")[-2:])


def is_address(text):
	return ":" in text or re.fullmatch(r"\d+\.\d+\.\d+\.\d+", text) is not None


def is_apple(host):
	return any(host == d or host.endswith("." + d) for d in APPLE)


class Record:
	"""One observation. Every attribute exists on every kind, None where not said."""

	KEYS = ("udid", "serial", "mac", "user", "mdm_id")

	def __init__(self, line, source="canonical"):
		o = json.loads(line)
		device = o.get("device") or {}
		src, dst = o.get("src_endpoint") or {}, o.get("dst_endpoint") or {}
		app, tls, traffic = o.get("app") or {}, o.get("tls") or {}, o.get("traffic") or {}
		self.source = source
		self.kind = o["kind"]
		self.time = parse_time(o["time"])
		ms = o.get("duration_ms")
		self.duration = None if ms is None else ms * 1_000_000
		self.order = self.time + (self.duration or 0)
		self.hash = xxhash.xxh3_64_intdigest(line.encode()) if xxhash else 0
		self.sensor = o.get("sensor") or "flow"
		self.keys = {k: device[k] for k in self.KEYS if device.get(k)}
		self.src_ip, self.src_port = src.get("ip"), src.get("port") or None
		self.hostname, self.dst_ip, self.dst_port = (
			dst.get("hostname"),
			dst.get("ip"),
			dst.get("port") or None,
		)
		self.bundle, self.app_version = app.get("bundle_id"), app.get("version")
		self.user_agent = app.get("user_agent")
		self.flow_id = o.get("flow_id")
		# tls_attempt
		self.sni, self.tls_version, self.issuer = (
			tls.get("sni"),
			tls.get("version"),
			tls.get("issuer"),
		)
		self.ja3, self.ja4 = tls.get("ja3"), tls.get("ja4")
		self.established, self.server_certificate = tls.get("established"), tls.get(
			"server_certificate"
		)
		state = o.get("inspection")
		self.inspection = None if state == "unknown" else state
		self.bypass_reason = o.get("bypass_reason") or "unknown"
		self.outcome = o.get("outcome") or "unknown"
		self.count = o.get("count") or 1
		self.bytes_out, self.bytes_in = traffic.get("bytes_out"), traffic.get("bytes_in")
		self.closed_by, self.close = o.get("closed_by"), o.get("close")
		self.ended, self.udp = o.get("ended"), o.get("udp")
		# app_activity
		self.event, self.app_state = o.get("event"), o.get("app_state")
		self.locked, self.interaction = o.get("device_locked"), o.get("user_interaction")
		# posture
		self.supervised, self.managed = o.get("supervised"), o.get("managed")
		self.compliant, self.jailbroken = o.get("compliant"), o.get("jailbroken")
		self.wifi_mac = o.get("wifi_mac")
		self.snapshot = bool(o.get("snapshot"))
		self.apps, self.profiles = o.get("apps"), o.get("profiles")
		# lease
		self.ip, self.by = o.get("ip"), o.get("by")
		until = o.get("until")
		self.until = None if until is None else parse_time(until)


def read_records(lines, source="canonical"):
	"""All records of the lines, in processing order."""
	records = [Record(line, source) for line in lines if line.strip()]
	records.sort(key=lambda r: (r.order, r.source, r.hash))
	return quarantine(records)


def quarantine(records):
	"""Without what lies behind the first gap of more than a day beyond which at most 1 % of the
	records lie.
	"""
	for i in range(1, len(records)):
		if records[i].order - records[i - 1].order > DAY and 100 * (len(records) - i) <= len(
			records
		):
			return records[:i]
	return records


def duration_text(seconds):
	"""A duration as the configuration writes it, in the largest unit that divides it."""
	for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
		if seconds and seconds % size == 0:
			return f"{seconds // size}{unit}"
	return f"{seconds}s"


def render_settings(settings):
	"""The configuration files that make the program use these settings: {file name: text}."""
	s = {**DEFAULTS, **settings}
	text = [
		"analytic:",
		f"  TimeWindow: {duration_text(s['time_window'])}",
		f"  InspectionFailureThreshold: {s['threshold']}",
		f"  ForegroundStateRequired: {'true' if s['foreground_required'] else 'false'}",
	]
	files = {}
	for key, option, name in (
		("allowed_apps", "AllowedAppList", "apps.yaml"),
		("allowed_destinations", "AllowedDestinationList", "destinations.yaml"),
	):
		if s[key]:
			text.append(f"  {option}: [{name}]")
			files[name] = "".join(render_entry(e) for e in s[key])
	text += [
		"correlation:",
		f"  score_window: {duration_text(s['score_window'])}",
		f"  posture_max_age: {duration_text(s['posture_max_age'])}",
		f"  state_max_age: {duration_text(s['state_max_age'])}",
		f"  baseline_days: {s['baseline_days']}",
		f"  baseline_devices: {s['baseline_devices']}",
		f"  opaque_sessions: {s['opaque_sessions']}",
	]
	lists = [k for k in ("root_profiles", "issuers", "listeners", "addresses") if s[k]]
	if lists:
		text.append("inspection:")
		text += [f"  {k}: {json.dumps(s[k])}" for k in lists]
	files["pinwatch.yaml"] = "\n".join(text) + "\n"
	return files


def render_entry(entry):
	"""One allow-list entry as YAML; JSON strings are YAML strings."""
	first = "app" if "app" in entry else "destination"
	text = f"- {first}: {json.dumps(entry[first])}\n"
	for key in ("destinations", "apps"):
		if entry.get(key):
			text += f"  {key}: {json.dumps(entry[key])}\n"
	text += "  owner: tests\n  reason: differential test\n"
	if entry.get("expires"):
		text += f"  expires: {entry['expires']}\n"
	return text
