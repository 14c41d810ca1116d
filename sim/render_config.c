/* pinwatch.yaml and the allow-lists that it names. */
#include "sim/render.h"
#include "sim/talk.h"

static void source(struct sink *k, const char *name, const char *kind, const char *path,
		   const char *more)
{
	sink_printf(k, "  - name: %s\n    kind: %s\n    format: auto\n    path: %s\n%s", name, kind,
		    path, more);
}

#define EVENT_LOGS "mitmdump-*.log"

/* Did this run write the file, or one of those a name with an asterisk stands for? */
static bool has_file(const struct sim *s, const char *name)
{
	const char *star = strchr(name, '*');
	size_t n = star != NULL ? (size_t)(star - name) : strlen(name) + 1;

	for (size_t i = 0; i < s->report->n_files; i++)
		if (strncmp(s->report->files[i].name, name, n) == 0)
			return true;
	return false;
}

/* Hosts that the proxy passes on unopened, where its log does not say so. */
static void ignored_hosts(const struct sim *s, struct sink *k)
{
	const char *before = "    ignore_hosts: [";

	for (size_t i = 0; i < s->n_pairs; i++)
		if (s->pairs[i].talk == talk_spliced) {
			sink_printf(k, "%s%s", before, s->hosts[s->pairs[i].host].name);
			before = ", ";
		}
	if (*before == ',')
		sink_str(k, "]\n");
}

/* Logs that this run wrote, in the order in which they should appear. */
static const struct {
	const char *file, *name, *kind, *more;
} sources[] = {
	{ "squid-access.log", "proxy", "inspection", "    max_lag: 30s\n    silence_after: 12h\n" },
	{ EVENT_LOGS, "proxy", "inspection", "    max_lag: 30s\n    silence_after: 12h\n" },
	{ "inspection.jsonl", "proxy", "inspection", "    max_lag: 30s\n    silence_after: 12h\n" },
	{ "conn.log", "zeek-conn", "flow",
	  "    vantage: inside\n    max_lag: 30s\n    silence_after: 12h\n" },
	{ "ssl.log", "zeek-ssl", "flow",
	  "    vantage: inside\n    max_lag: 30s\n    silence_after: 12h\n" },
	{ "conn-b.log", "zeek-b-conn", "flow",
	  "    vantage: inside\n    max_lag: 30s\n    silence_after: 12h\n" },
	{ "ssl-b.log", "zeek-b-ssl", "flow",
	  "    vantage: inside\n    max_lag: 30s\n    silence_after: 12h\n" },
	{ "flow.jsonl", "zeek", "flow",
	  "    vantage: inside\n    max_lag: 30s\n    silence_after: 12h\n" },
	{ "edr.jsonl", "edr", "edr", "    max_lag: 30s\n    silence_after: 12h\n" },
	{ "nanomdm.ndjson", "mdm", "mdm", "    silence_after: 48h\n" },
	{ "mdm.jsonl", "mdm", "mdm", "    silence_after: 48h\n" },
	{ "dhcp.log", "dhcp", "lease", "    silence_after: 48h\n" },
	{ "kea-leases4.csv", "kea", "lease", "    silence_after: 48h\n" },
	{ "radius-detail.log", "radius", "lease", "    silence_after: 48h\n" },
	{ "lease.jsonl", "lease", "lease", "    silence_after: 48h\n" },
};

static bool render_lists(struct sim *s, struct error *err)
{
	struct sim_file f;

	if (!sim_file_open(s, &f, "apps.yaml", err))
		return false;
	sink_str(&f.sink, "- app: com.acme.payroll\n  owner: mobile-security\n"
			  "  reason: pins by design, agreed with the vendor\n  ticket: SEC-1234\n"
			  "  expires: 2030-12-31\n");
	if (!sim_file_close(s, &f, err) || !sim_file_open(s, &f, "destinations.yaml", err))
		return false;
	sink_str(&f.sink,
		 "- destination: .push.gridline.test\n  apps: [com.gridline.*]\n"
		 "  owner: endpoint-team\n  reason: the management agent's push service pins\n"
		 "  ticket: SEC-1301\n  expires: 2030-12-31\n");
	return sim_file_close(s, &f, err);
}

bool sim_render_config(struct sim *s, struct error *err)
{
	struct sim_file f;
	bool listed = false;

	if (s->lists && !render_lists(s, err))
		return false;
	if (!sim_file_open(s, &f, "pinwatch.yaml", err))
		return false;
	sink_str(&f.sink, "# Goes with the logs beside it. Relative paths count from this file.\n");
	if (s->lists)
		sink_str(&f.sink, "analytic:\n  AllowedAppList: [apps.yaml]\n"
				  "  AllowedDestinationList: [destinations.yaml]\n");
	sink_str(&f.sink, "inspection:\n  root_profiles: [" SIM_ROOT_PROFILE
			  "]\n  issuers: [\"" SIM_ISSUER "\"]\n");
	sink_printf(&f.sink, "  listeners: [\"%s:%d\"]\n", SIM_PROXY_IP, SIM_PROXY_PORT);
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
		if (has_file(s, sources[i].file)) {
			if (!listed)
				sink_str(&f.sink, "sources:\n");
			listed = true;
			source(&f.sink, sources[i].name, sources[i].kind, sources[i].file,
			       sources[i].more);
			if (strcmp(sources[i].file, EVENT_LOGS) == 0)
				ignored_hosts(s, &f.sink);
		}
	return sim_file_close(s, &f, err);
}
