#include "conf/options.h"

#include "conf/conf.h"
#include "conf/nearest.h"

#define KIB INT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

static const struct option_word kinds[] = {
	{ "auto", SENSORS },	   { "inspection", SENSOR_INSPECTION },
	{ "flow", SENSOR_FLOW },   { "wire", CONF_KIND_WIRE },
	{ "edr", SENSOR_EDR },	   { "mdm", SENSOR_MDM },
	{ "lease", SENSOR_LEASE }, { NULL, 0 },
};

static const struct option_word vantages[] = {
	{ "unknown", VANTAGE_UNKNOWN },
	{ "inside", VANTAGE_INSIDE },
	{ "outside", VANTAGE_OUTSIDE },
	{ NULL, 0 },
};

static const struct option_word signatures[] = {
	{ "sha256-base64", SIGNATURE_SHA256_BASE64 },
	{ "sha256-hex", SIGNATURE_SHA256_HEX },
	{ "sha1-hex", SIGNATURE_SHA1_HEX },
	{ "sha512-hex", SIGNATURE_SHA512_HEX },
	{ NULL, 0 },
};

#define GLOBAL(field) .offset = offsetof(struct conf, field)
#define SOURCE(field) .offset = offsetof(struct conf_source, field)

const struct option option_table[] = {
	{ "analytic.bundle", OPTION_PATH, GLOBAL(bundle),
	  .unset = "only the implemented version is known",
	  .description =
	      "ATT&CK STIX bundle (2.0 or 2.1) to compare the implemented analytic with" },
	{ "analytic.TimeWindow", OPTION_DURATION, GLOBAL(time_window), "10m", .min = NS_PER_S,
	  .max = 30 * NS_PER_DAY,
	  .description = "span in which failures are counted, and within which user interaction "
			 "and attribution relate to an attempt" },
	{ "analytic.InspectionFailureThreshold", OPTION_COUNT, GLOBAL(inspection_failure_threshold),
	  "3", .min = 1, .max = 1000,
	  .description =
	      "inspected failures of one case within TimeWindow that make it suspected" },
	{ "analytic.ForegroundStateRequired", OPTION_BOOLEAN, GLOBAL(foreground_state_required),
	  "true",
	  .description = "true: an attempt started in background or on a locked device is "
			 "evidence; false: that is ignored" },
	{ "analytic.AllowedAppList", OPTION_APPS, GLOBAL(allowed_apps),
	  .unset = "no app is allowed to pin",
	  .description =
	      "list files or entries: apps expected to pin, with owner, reason and expiry" },
	{ "analytic.AllowedDestinationList", OPTION_DESTINATIONS, GLOBAL(allowed_destinations),
	  .unset = "no destination is allowed to be pinned",
	  .description = "list files or entries: destinations expected to be pinned, with owner, "
			 "reason and expiry" },

	{ "correlation.score_window", OPTION_DURATION, GLOBAL(score_window), "7d",
	  .min = NS_PER_HOUR, .max = 90 * NS_PER_DAY,
	  .description = "how far trials look back from a finding's newest attempt" },
	{ "correlation.posture_max_age", OPTION_DURATION, GLOBAL(posture_max_age), "7d",
	  .min = NS_PER_HOUR, .max = 365 * NS_PER_DAY,
	  .description = "MDM posture older than this counts as unknown" },
	{ "correlation.state_max_age", OPTION_DURATION, GLOBAL(state_max_age), "12h",
	  .min = NS_PER_MINUTE, .max = 30 * NS_PER_DAY,
	  .description = "app and lock state hold until the next event, at most this long" },
	{ "correlation.baseline_days", OPTION_COUNT, GLOBAL(baseline_days), "3", .min = 1,
	  .max = 90,
	  .description = "a destination is baselined once seen on so many UTC dates on two "
			 "devices; path C waits as long" },
	{ "correlation.baseline_devices", OPTION_COUNT, GLOBAL(baseline_devices), "5", .min = 2,
	  .max = 100000, .description = "a destination is baselined once seen on so many devices" },
	{ "correlation.opaque_sessions", OPTION_COUNT, GLOBAL(opaque_sessions), "3", .min = 1,
	  .max = 1000,
	  .description = "uninspected sessions to a destination off the baseline that make "
			 "persistent opacity" },

	{ "inspection.root_profiles", OPTION_STRINGS, GLOBAL(root_profiles),
	  .unset = "any com.apple.security.root payload counts",
	  .example = "[com.acme.inspection-root]",
	  .description =
	      "identifiers of the profiles that install the inspection root, as MDM reports them" },
	{ "inspection.issuers", OPTION_STRINGS, GLOBAL(issuers),
	  .unset = "no issuer is known to be the gateway's",
	  .description = "common names of the CAs under which the gateway presents certificates" },
	{ "inspection.listeners", OPTION_ENDPOINTS, GLOBAL(listeners), .unset = "no explicit proxy",
	  .description = "address and port of explicit proxies, so that flow and proxy records of "
			 "a connection meet" },
	{ "inspection.addresses", OPTION_NETWORKS, GLOBAL(addresses), .unset = "not known",
	  .description = "the gateway's own addresses: records of a sensor beyond it with these as "
			 "client are dropped" },

	{ "tls_ports", OPTION_PORTS, GLOBAL(tls_ports), .unset = "443 and 8443 only",
	  .description = "ports beside 443, 8443 and those of inspection.listeners that count as "
			 "TLS in flow records that do not say what they carry" },

	{ "threads", OPTION_COUNT, GLOBAL(threads), .min = 1, .max = 256,
	  .unset = "as many as there are processors",
	  .description =
	      "how many threads read and judge; the findings are the same for any number" },

	{ "limits.max_record", OPTION_SIZE, GLOBAL(max_record), "16MiB", .min = 64 * KIB,
	  .max = 64 * MIB,
	  .description = "longest record read; a longer one is rejected and counted" },
	{ "limits.source_memory", OPTION_SIZE, GLOBAL(source_memory), "1GiB", .min = MIB,
	  .max = 1024 * GIB,
	  .description =
	      "what the daemon holds in memory of one source's records; past it the source's "
	      "oldest are given up and counted" },
	{ "limits.memory", OPTION_SIZE, GLOBAL(memory), "4GiB", .min = 16 * MIB, .max = 4096 * GIB,
	  .description = "the same of all sources; the largest gives up first" },
	{ "limits.dead_letter", OPTION_SIZE, GLOBAL(dead_letter), "64MiB", .min = 64 * KIB,
	  .max = 64 * GIB,
	  .description = "size at which the daemon's dead-letter file is put aside and a new one "
			 "begun; one old one is kept" },
	{ "serve.listen", OPTION_ENDPOINT, GLOBAL(listen), "127.0.0.1:8443",
	  .description = "address and port of the daemon's API and metrics" },
	{ "serve.tls_certificate", OPTION_PATH, GLOBAL(tls_certificate), .unset = "no TLS",
	  .example = "/etc/pinwatch/tls.pem",
	  .description = "certificate chain (PEM) of the daemon, for HTTPS and syslog over TLS" },
	{ "serve.tls_key", OPTION_PATH, GLOBAL(tls_key), .unset = "no TLS",
	  .example = "/etc/pinwatch/tls.key", .description = "its key (PEM)" },
	{ "serve.tls_client_ca", OPTION_PATH, GLOBAL(tls_client_ca),
	  .unset = "clients need no certificate", .example = "/etc/pinwatch/senders-ca.pem",
	  .description = "CA (PEM) whose certificates syslog senders over TLS have to show" },
	{ "serve.state", OPTION_PATH, GLOBAL(state), "/var/lib/pinwatch",
	  .example = "/var/lib/pinwatch",
	  .description = "folder of the daemon's database, journal, spools and dead letters" },
	{ "serve.checkpoint", OPTION_DURATION, GLOBAL(checkpoint), "2s", .min = 100 * NS_PER_MS,
	  .max = 5 * NS_PER_MINUTE,
	  .description = "how often what was read and found is made durable" },
	{ "serve.judge_every", OPTION_DURATION, GLOBAL(judge_every), "100ms", .min = 10 * NS_PER_MS,
	  .max = NS_PER_HOUR,
	  .description =
	      "least time between two judgements of what is new; more when judging takes long" },
	{ "serve.history", OPTION_DURATION, GLOBAL(history), "30d", .min = NS_PER_DAY,
	  .max = 3650 * NS_PER_DAY,
	  .description = "how long observations are kept: what findings rest on" },
	{ "serve.history_size", OPTION_SIZE, GLOBAL(history_size), "20GiB", .min = 16 * MIB,
	  .max = 1024 * 1024 * GIB,
	  .description = "journal of observations on disk at most; the oldest go first" },
	{ "serve.segment_size", OPTION_SIZE, GLOBAL(segment_size), "64MiB", .min = 64 * KIB,
	  .max = 4 * GIB,
	  .description =
	      "size at which a new file of the journal is begun; a new UTC day begins one too" },
	{ "serve.resolve_after", OPTION_DURATION, GLOBAL(resolve_after), "7d", .min = NS_PER_MINUTE,
	  .max = 3650 * NS_PER_DAY,
	  .description = "a finding that saw nothing new for so long is resolved" },
	{ "serve.findings", OPTION_PATH, GLOBAL(findings_file), .unset = "not written",
	  .example = "/var/log/pinwatch/findings.jsonl",
	  .description = "file to which each new revision of a shown finding is appended as a JSON "
			 "line, at least once" },

	{ "serve.tls_self_made", OPTION_BOOLEAN, GLOBAL(tls_self_made), "false",
	  .description = "without serve.tls_certificate: HTTPS with a certificate of its own, made "
			 "once in the state folder" },
	{ "serve.session_age", OPTION_DURATION, GLOBAL(session_age), "12h", .min = NS_PER_MINUTE,
	  .max = 30 * NS_PER_DAY, .description = "a log-in holds so long" },
	{ "serve.login_attempts", OPTION_COUNT, GLOBAL(login_attempts), "10", .min = 1, .max = 1000,
	  .description = "failed log-ins from one address within 15 minutes before more are "
			 "refused; ten times as many for one user" },
	{ "serve.event_streams", OPTION_COUNT, GLOBAL(event_streams), "64", .min = 1, .max = 512,
	  .description = "how many may listen at /api/v1/events at once" },
	{ "serve.proxy_addresses", OPTION_NETWORKS, GLOBAL(proxy_addresses),
	  .unset = "no proxy is believed", .example = "[127.0.0.1, 10.0.0.6]",
	  .description = "addresses of proxies before the API, whose X-Forwarded-For and headers "
			 "below are believed" },
	{ "serve.proxy_user_header", OPTION_NAME, GLOBAL(proxy_user_header),
	  .unset = "proxies name no users", .example = "X-Remote-User",
	  .description = "header in which such a proxy says whom it has let in" },
	{ "serve.proxy_role_header", OPTION_NAME, GLOBAL(proxy_role_header),
	  .unset = "the role of the local user of that name", .example = "X-Remote-Role",
	  .description = "header in which such a proxy says their role: viewer, analyst or admin" },

	{ "sources[].name", OPTION_NAME, SOURCE(name), .required = true,
	  .description = "the source's name in findings, footer and metrics; unique" },
	{ "sources[].kind", OPTION_WORD, SOURCE(kind), "auto", .words = kinds,
	  .description = "which of the analytic's log sources it feeds; auto: as the format says" },
	{ "sources[].format", OPTION_NAME, SOURCE(format), "auto",
	  .description = "a format's name (see pinwatch formats); auto: told by content" },
	{ "sources[].path", OPTION_PATHS, SOURCE(path), .unset = "no files",
	  .description = "files or folders, globs allowed, one or a list; - is standard input" },
	{ "sources[].interface", OPTION_NAME, SOURCE(interface), .unset = "no interface",
	  .example = "eth1",
	  .description =
	      "network interface that the daemon captures packets from; with `kind: wire`" },
	{ "sources[].filter", OPTION_STRINGS, SOURCE(filter), .unset = "all packets",
	  .example = "[\"tcp port 443\"]",
	  .description = "BPF expressions (pcap-filter(7)) of what to look at in captured packets; "
			 "all have to hold" },
	{ "sources[].drop", OPTION_PATH, SOURCE(drop), .unset = "no watched folder",
	  .example = "/var/spool/pinwatch/drop",
	  .description = "folder whose files are read once they are complete (the daemon)" },
	{ "sources[].listen", OPTION_STRINGS, SOURCE(listen), .unset = "no syslog",
	  .example = "[\"tcp://10.0.0.8:5514\"]",
	  .description = "where the daemon takes syslog: udp://ADDRESS:PORT, tcp:// or tls://, one "
			 "or a list" },
	{ "sources[].ingest", OPTION_BOOLEAN, SOURCE(ingest), "false",
	  .description = "the daemon takes records over HTTP, at /api/v1/ingest/NAME" },
	{ "sources[].token_file", OPTION_PATH, SOURCE(token_file), .unset = "no token",
	  .example = "/etc/pinwatch/mdm.token",
	  .description = "file with the token that whoever pushes over HTTP has to show" },
	{ "sources[].secret_file", OPTION_PATH, SOURCE(secret_file),
	  .unset = "bodies are not signed", .example = "/etc/pinwatch/mdm.secret",
	  .description = "file with the secret under which bodies pushed over HTTP are signed" },
	{ "sources[].signature_header", OPTION_NAME, SOURCE(signature_header),
	  .unset = "X-Hmac-Signature", .example = "X-Hub-Signature-256",
	  .description = "header in which the signature stands" },
	{ "sources[].signature", OPTION_WORD, SOURCE(signature), "sha256-base64",
	  .words = signatures,
	  .description = "how bodies are signed, and how the signature is written" },
	{ "sources[].spool_size", OPTION_SIZE, SOURCE(spool_size), "1GiB", .min = 32 * MIB,
	  .max = 1024 * GIB,
	  .description =
	      "disk for what was pushed and is not read yet; when it is full, senders wait" },
	{ "sources[].max_lag", OPTION_DURATION, SOURCE(max_lag), "30s", .min = 0, .max = NS_PER_DAY,
	  .description = "how far out of order the source's records may come" },
	{ "sources[].idle", OPTION_DURATION, SOURCE(idle), "5m", .min = NS_PER_S,
	  .max = 7 * NS_PER_DAY,
	  .description = "event time after which a quiet source no longer holds the others back" },
	{ "sources[].silence_after", OPTION_DURATION, SOURCE(silence_after), "1h",
	  .min = NS_PER_MINUTE, .max = 30 * NS_PER_DAY,
	  .description = "silent for longer before the newest event, the source is stale" },
	{ "sources[].vantage", OPTION_WORD, SOURCE(vantage), "unknown", .words = vantages,
	  .description = "on which side of the gateway a flow sensor sits" },
	{ "sources[].timezone", OPTION_ZONE, SOURCE(timezone), "UTC",
	  .description = "zone of times that are written without one" },
	{ "sources[].date", OPTION_DATE, SOURCE(date),
	  .unset = "the file's modification day, backwards from its end",
	  .description = "day of times that are written without a date" },
	{ "sources[].bad_line_budget", OPTION_SHARE, SOURCE(bad_line_budget), "5%", .min = 0,
	  .max = 1000000,
	  .description =
	      "share of the source's records that may be unparseable before it is unhealthy" },
	{ "sources[].ignore_hosts", OPTION_HOSTS, SOURCE(ignore_hosts), .unset = "none",
	  .description = "hosts that the proxy passes by policy and logs like a late refusal (its "
			 "own option of that name)" },
};

const size_t option_count = sizeof(option_table) / sizeof(option_table[0]);

_Static_assert(sizeof(enum vantage) == sizeof(unsigned), "words are stored as unsigned");

static const struct {
	const char *name, *example;
} types[OPTION_TYPES] = {
	[OPTION_DURATION] = { "duration", "10m" },
	[OPTION_COUNT] = { "count", "3" },
	[OPTION_SIZE] = { "size", "16MiB" },
	[OPTION_SHARE] = { "share", "5%" },
	[OPTION_BOOLEAN] = { "boolean", "true" },
	[OPTION_NAME] = { "name", "proxy-1" },
	[OPTION_PATH] = { "path", "/etc/pinwatch/bundle.json" },
	[OPTION_WORD] = { "word", NULL },
	[OPTION_ZONE] = { "time zone", "+01:00" },
	[OPTION_DATE] = { "date", "2026-11-24" },
	[OPTION_ENDPOINT] = { "address and port", "127.0.0.1:8443" },
	[OPTION_STRINGS] = { "list of strings", "[\"Acme Inspection CA\"]" },
	[OPTION_HOSTS] = { "list of hosts", "[bank.test, .push.vendor.test]" },
	[OPTION_PATHS] = { "path or list of paths", "/var/log/proxy/access*.log" },
	[OPTION_PORTS] = { "list of ports", "[8443, 9443]" },
	[OPTION_ENDPOINTS] = { "list of addresses with port", "[\"10.0.0.5:3128\"]" },
	[OPTION_NETWORKS] = { "list of addresses or networks", "[10.0.0.5, 192.0.2.0/28]" },
	[OPTION_APPS] = { "list of files or entries", "[apps.yaml]" },
	[OPTION_DESTINATIONS] = { "list of files or entries", "[destinations.yaml]" },
};

const char *option_type_name(enum option_type type) { return types[type].name; }
const char *option_example(const struct option *o)
{
	return o->example != NULL ? o->example : types[o->type].example;
}
bool option_is_list(enum option_type type) { return type >= OPTION_STRINGS; }

const struct option *option_find(struct sv path)
{
	for (size_t i = 0; i < option_count; i++)
		if (sv_eq(sv_cstr(option_table[i].path), path))
			return &option_table[i];
	return NULL;
}

bool option_is_section(struct sv path)
{
	for (size_t i = 0; i < option_count; i++) {
		struct sv known = sv_cstr(option_table[i].path);
		if (known.n > path.n && known.p[path.n] == '.' && sv_starts(known, path))
			return true;
	}
	return false;
}

/* What stands before the last dot, that included. */
static struct sv parent(struct sv path)
{
	while (path.n > 0 && path.p[path.n - 1] != '.')
		path.n--;
	return path;
}

static struct sv leaf(struct sv path) { return sv_skip(path, parent(path).n); }

struct sv option_leaf(const struct option *o) { return leaf(sv_cstr(o->path)); }

struct sv option_nearest(struct sv path)
{
	struct sv above = parent(path), name = leaf(path), best = SV_NONE;
	size_t least = SIZE_MAX;

	for (size_t i = 0; i < option_count; i++) {
		struct sv known = sv_cstr(option_table[i].path), word, rest;
		size_t distance;
		if (!sv_starts(known, above))
			continue;
		word = sv_cut(sv_skip(known, above.n), '.', &rest);
		if (sv_ends(word, SV("[]")))
			word.n -= 2;
		distance = nearest_distance(name, word);
		if (distance < least) {
			least = distance;
			best = sv_first(known, above.n + word.n);
		}
	}
	if (least <= nearest_limit(name))
		return best;
	for (size_t i = 0; i < option_count; i++)
		if (nearest_distance(name, option_leaf(&option_table[i])) <=
		    nearest_limit(name) / 2)
			return sv_cstr(option_table[i].path);
	return SV_NONE;
}
