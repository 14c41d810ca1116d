/* Configuration: the option table, the reader and its messages, allow-lists, time zones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "conf/conf.h"
#include "conf/nearest.h"
#include "conf/node.h"
#include "conf/options.h"

static bool load(struct conf *c, const char *yaml, struct error *err)
{
	return conf_load_text(c, sv_cstr(yaml), "/etc/pinwatch/pinwatch.yaml", err);
}

static void assert_view(struct sv v, const char *text)
{
	assert_int_equal(v.n, strlen(text));
	assert_memory_equal(v.p, text, v.n);
}

/* The text is refused, and the message begins with this position and holds these words. */
static void assert_refused(const char *yaml, const char *position, const char *words)
{
	struct error err = { 0 };
	struct conf c;
	bool ok = load(&c, yaml, &err);

	conf_free(&c);
	if (ok)
		fail_msg("accepted: %s", yaml);
	if (strstr(err.message, position) == NULL || strstr(err.message, words) == NULL)
		fail_msg("expected `%s` and `%s` in: %s", position, words, err.message);
	assert_int_equal(err.code, ERROR_CONFIG);
}

/* Fails when a default of the contract is not what the program starts with. */
static void defaults(void **state)
{
	struct conf c;

	(void)state;
	conf_defaults(&c);
	assert_true(c.time_window.ns == 10 * NS_PER_MINUTE);
	assert_int_equal(c.inspection_failure_threshold, 3);
	assert_true(c.foreground_state_required);
	assert_int_equal(c.allowed_apps.n, 0);
	assert_true(c.score_window.ns == 7 * NS_PER_DAY);
	assert_true(c.posture_max_age.ns == 7 * NS_PER_DAY);
	assert_true(c.state_max_age.ns == 12 * NS_PER_HOUR);
	assert_int_equal(c.baseline_days, 3);
	assert_int_equal(c.baseline_devices, 5);
	assert_int_equal(c.opaque_sessions, 3);
	assert_int_equal(c.max_record, 16 << 20);
	assert_int_equal(c.listen.port, 8443);
	assert_int_equal(c.n_sources, 0);
	assert_true(sv_empty(c.bundle));
	conf_free(&c);
}

/* Fails when a row of the table has a default that its own type or bounds refuse, a name twice, or
 * nothing to say about an unset option: the reference would lie. */
static void table_is_sound(void **state)
{
	(void)state;
	for (size_t i = 0; i < option_count; i++) {
		const struct option *o = &option_table[i];
		char yaml[400];
		struct error err;
		struct conf c;

		assert_ptr_equal(option_find(sv_cstr(o->path)), o);
		assert_true(o->required || o->fallback != NULL || o->unset != NULL);
		assert_true(strlen(o->description) < 130);
		if (o->fallback == NULL)
			continue;
		conf_defaults(&c);
		if (option_of_source(o)) {
			snprintf(yaml, sizeof(yaml),
				 "sources:\n- name: a\n  path: b\n  %.*s: \"%s\"\n",
				 SV_ARG(option_leaf(o)), o->fallback);
			conf_free(&c);
			if (strcmp(o->path, "sources[].name") != 0 && !load(&c, yaml, &err))
				fail_msg("%s", err.message);
		} else {
			snprintf(yaml, sizeof(yaml), "%s=%s", o->path, o->fallback);
			if (!conf_set(&c, yaml, &err))
				fail_msg("%s", err.message);
		}
		conf_free(&c);
	}
}

static const char full[] = "analytic:\n"
			   "  bundle: attack.json\n"
			   "  TimeWindow: 5m\n"
			   "  InspectionFailureThreshold: 4\n"
			   "  ForegroundStateRequired: no\n"
			   "  AllowedAppList:\n"
			   "    - app: com.acme.bank\n"
			   "      destinations: [bank.test, .Bank-CDN.test, 192.0.2.0/24]\n"
			   "      owner: mobile-security\n"
			   "      expires: 2027-03-31\n"
			   "sources:\n"
			   "  - name: proxy\n"
			   "    kind: inspection\n"
			   "    path: logs/access*.log\n"
			   "    max_lag: 1m30s\n"
			   "    bad_line_budget: 0.5%\n"
			   "    ignore_hosts: Pinned.TEST\n"
			   "  - name: zeek\n"
			   "    kind: flow\n"
			   "    path: [/opt/zeek/conn.log, /opt/zeek/ssl.log]\n"
			   "    vantage: inside\n"
			   "    timezone: \"+05:30\"\n"
			   "    date: 2026-11-24\n"
			   "inspection:\n"
			   "  root_profiles: [com.acme.inspection-root]\n"
			   "  issuers: [\"Acme Inspection CA\", 007]\n"
			   "  listeners: [\"10.0.0.5:3128\", \"[2001:db8::5]:3128\"]\n"
			   "  addresses: [10.0.0.5, 2001:db8::/64]\n"
			   "tls_ports: [8443, 993]\n"
			   "limits:\n"
			   "  max_record: 32MiB\n";

/* Fails when a value of any type does not reach its field, or a relative path does not count from
 * the configuration's folder. */
static void every_type(void **state)
{
	const struct allow_entry *e;
	struct error err;
	struct conf c;

	(void)state;
	if (!load(&c, full, &err))
		fail_msg("%s", err.message);
	assert_view(c.bundle, "/etc/pinwatch/attack.json");
	assert_true(c.time_window.ns == 5 * NS_PER_MINUTE);
	assert_int_equal(c.inspection_failure_threshold, 4);
	assert_false(c.foreground_state_required);
	assert_true(c.max_record == UINT64_C(32) << 20);
	assert_int_equal(c.tls_ports.n, 2);
	assert_int_equal(c.tls_ports.items[1], 993);
	assert_int_equal(c.issuers.n, 2);
	assert_view(c.issuers.items[1], "007");
	assert_int_equal(c.listeners.n, 2);
	assert_int_equal(c.listeners.items[1].port, 3128);
	assert_int_equal(c.addresses.items[0].bits, 128);
	assert_int_equal(c.addresses.items[1].bits, 64);

	assert_int_equal(c.n_sources, 2);
	assert_view(c.sources[0].name, "proxy");
	assert_int_equal(c.sources[0].kind, SENSOR_INSPECTION);
	assert_view(c.sources[0].format, "auto");
	assert_int_equal(c.sources[0].path.n, 1);
	assert_view(c.sources[0].path.items[0], "/etc/pinwatch/logs/access*.log");
	assert_true(c.sources[0].max_lag.ns == 90 * NS_PER_S);
	assert_true(c.sources[0].idle.ns == 5 * NS_PER_MINUTE);
	assert_true(c.sources[0].silence_after.ns == NS_PER_HOUR);
	assert_int_equal(c.sources[0].bad_line_budget, 5000);
	assert_view(c.sources[0].ignore_hosts.items[0], "pinned.test");
	assert_false(instant_known(c.sources[0].date));
	assert_int_equal(c.sources[1].kind, SENSOR_FLOW);
	assert_int_equal(c.sources[1].vantage, VANTAGE_INSIDE);
	assert_view(c.sources[1].path.items[1], "/opt/zeek/ssl.log");
	assert_int_equal(zone_offset(&c.sources[1].timezone, (struct instant){ 0 }), 19800);
	assert_true(c.sources[1].date.ns == instant_from_civil(2026, 11, 24, 0, 0, 0, 0).ns);

	assert_int_equal(c.allowed_apps.n, 1);
	e = &c.allowed_apps.entries[0];
	assert_view(e->subject.text, "com.acme.bank");
	assert_int_equal(e->n_only, 3);
	assert_view(e->only[1].text, ".bank-cdn.test");
	assert_int_equal(e->only[2].kind, PATTERN_NETWORK);
	assert_true(e->until.ns == instant_from_civil(2027, 4, 1, 0, 0, 0, 0).ns);
	assert_int_equal(e->line, 7);
	conf_free(&c);
}

/* Fails when a mistake is accepted, or its message does not lead to the place or to the remedy. */
static void mistakes(void **state)
{
	(void)state;
	assert_refused("analytic:\n  TimeWindw: 5m\n", "pinwatch.yaml:2:3:", "`TimeWindow`");
	assert_refused("analytic:\n  timewindow: 5m\n", ":2:3:", "did you mean `TimeWindow`");
	assert_refused("analytics:\n  TimeWindow: 5m\n", ":1:1:", "did you mean `analytic`");
	assert_refused("baseline_days: 4\n", ":1:1:", "did you mean `correlation.baseline_days`");
	assert_refused("analytic.TimeWindow: 5m\n", ":1:1:", "write `TimeWindow` below `analytic`");
	assert_refused("sources[].idle: 5m\n", ":1:1:", "unknown key");
	assert_refused("zzzzqqq: 1\n", ":1:1:", "--reference");
	assert_refused("analytic:\n  TimeWindow: 10\n", ":2:15:", "needs a unit");
	assert_refused("analytic:\n  TimeWindow: soon\n", ":2:15:", "for example 10m");
	assert_refused("analytic:\n  TimeWindow: 60d\n", ":2:15:", "from 1s to 30d");
	assert_refused("analytic:\n  TimeWindow:\n", ":2:", "expected a duration");
	assert_refused("analytic:\n  TimeWindow: [5m]\n", ":2:15:", "not a list");
	assert_refused("analytic:\n  InspectionFailureThreshold: 0\n", ":2:", "from 1 to 1000");
	assert_refused("analytic:\n  InspectionFailureThreshold: 3.5\n", ":2:", "for example 3");
	assert_refused("analytic:\n  ForegroundStateRequired: maybe\n", ":2:", "for example true");
	assert_refused("analytic: 3\n", ":1:11:", "is a section");
	assert_refused("- a\n", ":1:1:", "begins with sections");
	assert_refused("analytic:\n  TimeWindow: 5m\n  TimeWindow: 6m\n",
		       ":3:3:", "first in line 2");
	assert_refused("sources: {name: a}\n", ":1:10:", "is a list");
	assert_refused("sources:\n- name: a\n", ":2:3:", "has nothing to read");
	assert_refused("sources:\n- path: a\n", ":2:3:", "needs `name`");
	assert_refused("sources:\n- {name: a, path: b}\n- {name: a, path: c}\n",
		       ":3:10:", "two sources are named `a`");
	assert_refused("sources:\n- {name: a, path: b, kind: flows}\n",
		       ":2:28:", "did you mean flow");
	assert_refused("sources:\n- {name: a, path: b, maxlag: 3s}\n",
		       ":2:22:", "did you mean `max_lag`");
	assert_refused("sources:\n- {name: a, path: b, date: 2026-02-30}\n",
		       ":2:28:", "expected a date");
	assert_refused("sources:\n- {name: a, path: b, timezone: Mars/Base}\n",
		       ":2:32:", "no time zone `Mars/Base`");
	assert_refused("sources:\n- {name: a, path: b, ignore_hosts: ['^x$']}\n",
		       ":2:37:", "no regular expression");
	assert_refused("inspection:\n  listeners: [10.0.0.5]\n", ":2:15:", "10.0.0.5:3128");
	assert_refused("tls_ports: [70000]\n", ":1:13:", "list of ports");
	assert_refused("limits:\n  max_record: 512\n", ":2:15:", "for example 16MiB");
	assert_refused("limits:\n  max_record: 1KiB\n", ":2:15:", "from 64KiB");
	assert_refused("a: &x 1\nb: *x\n", ":1:4:", "not supported");
	assert_refused("analytic: *x\n", ":1:11:", "not supported");
	assert_refused("<<: {}\n", ":1:1:", "merge keys");
	assert_refused("analytic: {}\n---\nanalytic: {}\n", ":2:1:", "second document");
	assert_refused("analytic: [\n", "pinwatch.yaml:", "not valid YAML");
	assert_refused("a: [[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]\n", ":1:", "nested deeper");
}

/* Fails when a failed load leaves half of a configuration behind. */
static void failure_leaves_defaults(void **state)
{
	struct error err;
	struct conf c;

	(void)state;
	assert_false(load(&c, "analytic:\n  TimeWindow: 5m\nlimits: 3\n", &err));
	assert_true(c.time_window.ns == 10 * NS_PER_MINUTE);
	assert_int_equal(err.position, 3);
	conf_free(&c);
	assert_false(conf_load(&c, "/nonexistent/pinwatch.yaml", &err));
	assert_non_null(strstr(err.message, "/nonexistent/pinwatch.yaml"));
	conf_free(&c);
	assert_true(load(&c, "", &err));
	conf_free(&c);
	assert_true(load(&c, "analytic:\nsources:\n", &err));
	conf_free(&c);
}

/* Fails when --set checks less than the file does, or cannot reach an option. */
static void set(void **state)
{
	struct error err;
	struct conf c;

	(void)state;
	assert_true(load(&c, full, &err));
	assert_true(conf_set(&c, "analytic.TimeWindow=2m", &err));
	assert_true(c.time_window.ns == 2 * NS_PER_MINUTE);
	assert_true(conf_set(&c, "InspectionFailureThreshold=7", &err));
	assert_int_equal(c.inspection_failure_threshold, 7);
	assert_true(conf_set(&c, "inspection.issuers=[A, \"B: C\"]", &err));
	assert_int_equal(c.issuers.n, 2);
	assert_view(c.issuers.items[1], "B: C");
	assert_true(conf_set(&c, "inspection.issuers=Acme: the CA", &err));
	assert_int_equal(c.issuers.n, 1);
	assert_view(c.issuers.items[0], "Acme: the CA");
	assert_true(conf_set(&c, "inspection.listeners=[2001:db8::1]:8080", &err));
	assert_int_equal(c.listeners.items[0].port, 8080);
	assert_true(conf_set(&c, "inspection.issuers=", &err));
	assert_int_equal(c.issuers.n, 0);
	assert_true(conf_set(&c, "analytic.bundle=here.json", &err));
	assert_view(c.bundle, "here.json");
	assert_true(conf_set(&c, "sources.zeek.idle=1m", &err));
	assert_true(c.sources[1].idle.ns == NS_PER_MINUTE);
	assert_true(conf_set(&c, "sources[0].idle=2m", &err));
	assert_true(c.sources[0].idle.ns == 2 * NS_PER_MINUTE);
	assert_true(conf_set(&c, "analytic.AllowedAppList=[{app: com.x.*, owner: me}]", &err));
	assert_int_equal(c.allowed_apps.n, 1);

	assert_false(conf_set(&c, "analytic.TimeWindow", &err));
	assert_int_equal(err.code, ERROR_USAGE);
	assert_false(conf_set(&c, "analytic.TimeWindow=never", &err));
	assert_non_null(strstr(err.message, "--set: analytic.TimeWindow: expected a duration"));
	assert_true(c.time_window.ns == 2 * NS_PER_MINUTE);
	assert_false(conf_set(&c, "analytic.TimeWindw=1m", &err));
	assert_non_null(strstr(err.message, "did you mean `analytic.TimeWindow`"));
	assert_false(conf_set(&c, "analytic.ForegroundStateRequired=perhaps", &err));
	assert_false(c.foreground_state_required);
	assert_false(conf_set(&c, "sources.nobody.idle=1m", &err));
	assert_false(conf_set(&c, "sources[2].idle=1m", &err));
	assert_false(conf_set(&c, "sources[].idle=1m", &err));
	assert_false(conf_set(&c, "sources.zeek=1m", &err));
	assert_false(conf_set(&c, "sources.zeek.idel=1m", &err));
	assert_false(conf_set(&c, "sources.zeek.name=proxy", &err));
	assert_false(conf_set(&c, "sources.zeek.path=", &err));
	assert_false(conf_set(&c, "idle=1m", &err));
	assert_false(conf_set(&c, "=1m", &err));
	conf_free(&c);
}

/* A list file of the test's own folder. */
static void write_file(char *path, size_t size, const char *dir, const char *name, const char *text)
{
	FILE *f;

	snprintf(path, size, "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* Fails when a list file is not found beside the configuration, or an error in it does not name
 * it. */
static void list_files(void **state)
{
	char dir[] = "/tmp/pinwatch-test-conf-XXXXXX", conf_path_[128], list[128], bad[128];
	struct error err;
	struct conf c;

	(void)state;
	assert_non_null(mkdtemp(dir));
	write_file(list, sizeof(list), dir, "apps.yaml",
		   "- app: ABCDE12345.com.acme.bank\n  owner: sec\n  ticket: SEC-1\n"
		   "- app: com.vendor.*\n  destinations: [.vendor.test]\n");
	write_file(bad, sizeof(bad), dir, "bad.yaml", "- app: com.acme.bank\n  ownr: me\n");
	write_file(conf_path_, sizeof(conf_path_), dir, "pinwatch.yaml",
		   "analytic:\n  AllowedAppList:\n  - apps.yaml\n  - app: com.inline\n");
	if (!conf_load(&c, conf_path_, &err))
		fail_msg("%s", err.message);
	assert_int_equal(c.allowed_apps.n, 3);
	assert_view(c.allowed_apps.entries[0].subject.match, "com.acme.bank");
	assert_string_equal(c.allowed_apps.entries[0].file, list);
	assert_int_equal(c.allowed_apps.entries[1].line, 4);
	assert_view(c.allowed_apps.entries[1].subject.match, "com.vendor.");
	assert_int_equal(c.allowed_apps.n_files, 1);
	assert_false(conf_set(&c, "analytic.AllowedAppList=/nonexistent/apps.yaml", &err));
	assert_non_null(strstr(err.message, "No such file"));
	conf_free(&c);
	write_file(conf_path_, sizeof(conf_path_), dir, "pinwatch.yaml",
		   "analytic:\n  AllowedAppList: bad.yaml\n");
	assert_false(conf_load(&c, conf_path_, &err));
	assert_non_null(strstr(err.message, "bad.yaml:2:3:"));
	assert_non_null(strstr(err.message, "did you mean `owner`"));
	conf_free(&c);
	unlink(list);
	unlink(bad);
	unlink(conf_path_);
	rmdir(dir);
}

/* Fails when an entry that could never match, or would match too much, is accepted. */
static void entry_mistakes(void **state)
{
	static const struct {
		const char *entry, *words;
	} apps[] = {
		{ "{app: 'com.*.bank'}", "only at the end" },
		{ "{app: 'com.acme*'}", "only at the end" },
		{ "{app: '*'}", "only at the end" },
		{ "{app: 'com/acme'}", "bundle id" },
		{ "{app: com.a, destination: x.test}", "`destinations` to narrow" },
		{ "{destinations: [x.test]}", "needs `app`" },
		{ "{app: com.a, destinations: []}", "leave it out" },
		{ "{app: com.a, destinations: ['x.test:443']}", "no port" },
		{ "{app: com.a, destinations: ['http://x.test/']}", "neither a host" },
		{ "{app: com.a, destinations: ['10.0.0.0/33']}", "neither a host" },
		{ "{app: com.a, destinations: ['a..test']}", "empty label" },
		{ "{app: com.a, expires: 2027-13-01}", "expected a date" },
		{ "{app: com.a, expires: soon}", "expected a date" },
		{ "{app: com.a, owner: [x]}", "expected a text" },
		{ "[x]", "not a list" },
	};
	char yaml[200];

	(void)state;
	for (size_t i = 0; i < sizeof(apps) / sizeof(apps[0]); i++) {
		snprintf(yaml, sizeof(yaml), "analytic:\n  AllowedAppList:\n  - %s\n",
			 apps[i].entry);
		assert_refused(yaml, ":3:", apps[i].words);
	}
	assert_refused("analytic:\n  AllowedDestinationList:\n  - {app: com.a}\n",
		       ":3:6:", "`apps` to narrow");
}

static bool covers(const char *pattern, bool app, const char *name, const char *ip)
{
	struct allow_pattern p;
	struct addr address = { { 0 } };
	struct arena a = { 0 };
	struct error err;
	bool held;

	if (ip != NULL)
		assert_true(addr_parse(sv_cstr(ip), &address));
	if (app)
		assert_true(allow_pattern_app(sv_cstr(pattern), &a, &p, &err));
	else
		assert_true(allow_pattern_destination(sv_cstr(pattern), &a, &p, &err));
	held = allow_pattern_holds(&p, sv_cstr(name), ip != NULL ? &address : NULL);
	arena_free(&a);
	return held;
}

/* Fails when an entry covers a neighbour it does not name, or misses what it does. */
static void patterns(void **state)
{
	(void)state;
	assert_true(covers("com.acme.bank", true, "com.acme.bank", NULL));
	assert_false(covers("com.acme.bank", true, "com.acme.bank.evil", NULL));
	assert_true(covers("com.acme.*", true, "com.acme.bank", NULL));
	assert_false(covers("com.acme.*", true, "com.acmebank", NULL));
	assert_false(covers("com.acme.*", true, "com.acme", NULL));
	assert_true(covers("Bank.TEST.", false, "bank.test", NULL));
	assert_false(covers("bank.test", false, "api.bank.test", NULL));
	assert_true(covers(".bank.test", false, "api.bank.test", NULL));
	assert_true(covers("*.bank.test", false, "api.bank.test", NULL));
	assert_true(covers(".bank.test", false, "bank.test", NULL));
	assert_false(covers(".bank.test", false, "evilbank.test", NULL));
	assert_true(covers("b\xc3\xbc"
			   "cher.test",
			   false, "xn--bcher-kva.test", NULL));
	assert_true(covers("192.0.2.0/24", false, "whatever.test", "192.0.2.77"));
	assert_true(covers("192.0.2.0/24", false, "192.0.2.77", NULL));
	assert_false(covers("192.0.2.0/24", false, "192.0.3.1", NULL));
	assert_false(covers("192.0.2.0/24", false, "whatever.test", NULL));
}

/* Fails when a fixed offset or a zone with summer time is read with the wrong sign or hour. */
static void zones(void **state)
{
	static const struct {
		const char *text;
		int32_t offset;
	} fixed[] = { { "UTC", 0 },	   { "utc", 0 },       { "Z", 0 },     { "+01:00", 3600 },
		      { "-0530", -19800 }, { "+5:30", 19800 }, { "+2", 7200 }, { "-08", -28800 } };
	static const char *const wrong[] = {
		"",	 "+",	   "+1:0",	  "+25:00", "+01:60",
		"01:00", "../etc", "/etc/passwd", "Europe", "Europe/../UTC"
	};
	struct arena a = { 0 };
	struct error err;
	struct zone z;

	(void)state;
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
		assert_true(zone_parse(sv_cstr(fixed[i].text), &a, &z, &err));
		assert_true(zone_fixed(&z));
		assert_int_equal(zone_offset(&z, (struct instant){ 0 }), fixed[i].offset);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(zone_parse(sv_cstr(wrong[i]), &a, &z, &err));
	if (access("/usr/share/zoneinfo/Europe/Berlin", R_OK) == 0) {
		/* Directive 2000/84/EC: the last Sundays of March and October, at 01:00 UTC. */
		assert_true(zone_parse(SV("Europe/Berlin"), &a, &z, &err));
		assert_false(zone_fixed(&z));
		assert_int_equal(zone_offset(&z, instant_from_civil(2026, 3, 29, 0, 59, 59, 0)),
				 3600);
		assert_int_equal(zone_offset(&z, instant_from_civil(2026, 3, 29, 1, 0, 0, 0)),
				 7200);
		assert_int_equal(zone_offset(&z, instant_from_civil(2026, 10, 25, 0, 59, 59, 0)),
				 7200);
		assert_int_equal(zone_offset(&z, instant_from_civil(2026, 10, 25, 1, 0, 0, 0)),
				 3600);
		/* Beyond the written transitions the closing rule goes on. */
		assert_int_equal(zone_offset(&z, instant_from_civil(2090, 7, 1, 0, 0, 0, 0)), 7200);
		assert_int_equal(zone_offset(&z, instant_from_civil(2090, 1, 1, 0, 0, 0, 0)), 3600);
		/* Clock readings: before, in the skipped hour, in the repeated hour, after. */
		assert_int_equal(
		    zone_offset_local(&z, instant_from_civil(2026, 3, 29, 1, 59, 0, 0)), 3600);
		assert_int_equal(
		    zone_offset_local(&z, instant_from_civil(2026, 3, 29, 2, 30, 0, 0)), 3600);
		assert_int_equal(zone_offset_local(&z, instant_from_civil(2026, 3, 29, 3, 0, 0, 0)),
				 7200);
		assert_int_equal(
		    zone_offset_local(&z, instant_from_civil(2026, 10, 25, 2, 30, 0, 0)), 3600);
		assert_int_equal(
		    zone_offset_local(&z, instant_from_civil(2026, 10, 25, 1, 59, 0, 0)), 7200);
		assert_true(zone_parse(SV("Australia/Sydney"), &a, &z, &err));
		assert_int_equal(zone_offset(&z, instant_from_civil(2026, 1, 1, 0, 0, 0, 0)),
				 39600);
		assert_int_equal(zone_offset(&z, instant_from_civil(2095, 1, 1, 0, 0, 0, 0)),
				 39600);
		assert_int_equal(zone_offset(&z, instant_from_civil(2095, 7, 1, 0, 0, 0, 0)),
				 36000);
	} else {
		print_message("no time zone files here: named zones not tested\n");
	}
	arena_free(&a);
}

/* Fails when a slip of the finger gets no suggestion, or an unrelated word does. */
static void suggestions(void **state)
{
	(void)state;
	assert_int_equal(nearest_distance(SV("Time_Window"), SV("timewindow")), 0);
	assert_int_equal(nearest_distance(SV("idel"), SV("idle")), 1);
	assert_int_equal(nearest_distance(SV("kitten"), SV("sitting")), 3);
	assert_int_equal(nearest_distance(SV(""), SV("abc")), 3);
	assert_true(sv_eq(option_nearest(SV("inspection.isuers")), SV("inspection.issuers")));
	assert_true(sv_eq(option_nearest(SV("sources[].vantge")), SV("sources[].vantage")));
	assert_true(sv_empty(option_nearest(SV("analytic.colour"))));
}

static void assert_holds(const struct buf *b, const char *words)
{
	if (sv_find(buf_view(b), sv_cstr(words)) == SIZE_MAX)
		fail_msg("expected `%s` in:\n%.*s", words, SV_ARG(buf_view(b)));
}

/* Fails when check-config or the manual leaves an option out, or says a wrong origin. */
static void descriptions(void **state)
{
	struct buf text, man, told;
	struct error err;
	struct conf c;

	(void)state;
	buf_init(&text, 1 << 20);
	buf_init(&man, 1 << 20);
	buf_init(&told, 1 << 20);
	conf_reference(&text);
	conf_reference_man(&man);
	for (size_t i = 0; i < option_count; i++)
		assert_holds(&text, option_table[i].path);
	assert_holds(&text, "default 10m");
	assert_holds(&man, ".B analytic.TimeWindow\n");
	assert_holds(&man, ".SH OPTIONS");

	assert_true(load(&c, full, &err));
	assert_true(conf_set(&c, "correlation.baseline_days=5", &err));
	conf_describe(&told, &c, instant_from_civil(2027, 4, 1, 0, 0, 0, 0));
	assert_holds(&told, "[/etc/pinwatch/pinwatch.yaml:3]");
	assert_holds(&told, "[--set]");
	assert_holds(&told, "[default]");
	assert_holds(&told, "source zeek (/etc/pinwatch/pinwatch.yaml:18)");
	assert_holds(&told, "gives no reason");
	assert_holds(&told, "has expired");
	assert_holds(&told, "0.5%");
	assert_holds(&told, "[2001:db8::5]:3128");
	assert_holds(&told, "2001:db8::/64");
	assert_false(text.overflowed || man.overflowed || told.overflowed);
	conf_free(&c);
	buf_free(&text);
	buf_free(&man);
	buf_free(&told);
}

/* Fails when a log would be taken for a configuration, or a configuration for a log. */
static void recognition(void **state)
{
	(void)state;
	assert_int_equal(conf_recognise(sv_cstr(full)), CONF_DOCUMENT_CONFIGURATION);
	assert_int_equal(conf_recognise(SV("- app: com.acme.bank\n")), CONF_DOCUMENT_LIST);
	assert_int_equal(conf_recognise(SV("# c\n- destination: .x.test\n  apps: [a.b]\n")),
			 CONF_DOCUMENT_LIST);
	assert_int_equal(conf_recognise(SV("")), CONF_DOCUMENT_NONE);
	assert_int_equal(conf_recognise(SV("{\"kind\":\"tls_attempt\",\"sources\":[]}\n")),
			 CONF_DOCUMENT_NONE);
	assert_int_equal(conf_recognise(SV("{\"a\":1}\n{\"a\":2}\n")), CONF_DOCUMENT_NONE);
	assert_int_equal(conf_recognise(SV("[{\"app\":\"x\"}]")), CONF_DOCUMENT_NONE);
	assert_int_equal(conf_recognise(SV("#separator \\x09\n#fields\tts\tuid\n1.0\tC1\n")),
			 CONF_DOCUMENT_NONE);
	assert_int_equal(conf_recognise(SV("1795486453.759 10 10.0.0.1 TCP_TUNNEL/200 -\n")),
			 CONF_DOCUMENT_NONE);
}

/* Fails when some cut or damage of a file crashes the reader or leaks. */
static void damage(void **state)
{
	char text[sizeof(full)];
	struct error err;
	struct conf c;

	(void)state;
	for (size_t n = 0; n < sizeof(full); n += 3) {
		conf_load_text(&c, sv_make(full, n), "x", &err);
		conf_free(&c);
		memcpy(text, full, sizeof(full));
		text[n] = (char)(0x80 | n);
		conf_load_text(&c, sv_make(text, sizeof(full) - 1), "x", &err);
		conf_free(&c);
		text[n] = "{[*&!:-\n"[n % 8];
		conf_load_text(&c, sv_make(text, sizeof(full) - 1), "x", &err);
		conf_free(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(table_is_sound),
		cmocka_unit_test(every_type),
		cmocka_unit_test(mistakes),
		cmocka_unit_test(failure_leaves_defaults),
		cmocka_unit_test(set),
		cmocka_unit_test(list_files),
		cmocka_unit_test(entry_mistakes),
		cmocka_unit_test(patterns),
		cmocka_unit_test(zones),
		cmocka_unit_test(suggestions),
		cmocka_unit_test(descriptions),
		cmocka_unit_test(recognition),
		cmocka_unit_test(damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
