/* Allow-lists: what an entry covers, told three times (judging, previews, and plainly here), when
 * it ends, and what a draft of one may be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "govern/broad.h"
#include "scan/engine.h"
#include "scan/settings.h"

#define BASE (INT64_C(1795507200) * NS_PER_S)
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static const char *const apps[] = { "com.acme.bank", "com.acme.bankx", "com.acme", "org.x" };
static const char *const hosts[] = { "bank.test", "api.bank.test", "xbank.test", "192.0.2.7",
				     "2001:db8::1" };
static const char *const servers[] = { "192.0.2.10", "198.51.100.1", "2001:db8::5" };
/* Empty: the entry says nothing about it. */
static const char *const app_patterns[] = { "",		  "com.acme.bank", "com.acme",
					    "com.acme.*", "com.*",	   "org.x.*" };
static const char *const host_patterns[] = { "",	  "bank.test",	  ".bank.test",
					     ".test",	  "test",	  "192.0.2.0/24",
					     "192.0.2.7", "198.51.100.1", "2001:db8::/32",
					     "0.0.0.0/0" };

/* ---- told plainly */

static bool app_in(const char *pattern, const char *app)
{
	size_t n = strlen(pattern);

	if (n == 0)
		return true;
	if (pattern[n - 1] == '*')
		return strncmp(app, pattern, n - 1) == 0;
	return strcmp(app, pattern) == 0;
}

static bool address_in(const char *network, const char *text)
{
	struct addr ip;

	if (!addr_parse(sv_cstr(text), &ip))
		return false;
	if (strcmp(network, "192.0.2.0/24") == 0)
		return strncmp(text, "192.0.2.", 8) == 0;
	if (strcmp(network, "198.51.100.0/24") == 0)
		return strncmp(text, "198.51.100.", 11) == 0;
	if (strcmp(network, "2001:db8::/32") == 0)
		return strncmp(text, "2001:db8:", 9) == 0;
	if (strcmp(network, "0.0.0.0/0") == 0)
		return strchr(text, ':') == NULL;
	return strcmp(network, text) == 0;
}

static bool host_in(const char *pattern, const char *host, const char *server);

static bool plainly(const struct allowance *e, const char *app, const char *host,
		    const char *server)
{
	bool by_app = sv_empty(e->app) ? e->n_apps == 0 : app_in(e->app.p, app),
	     to_host = e->n_destinations == 0;

	for (size_t i = 0; i < e->n_apps; i++)
		by_app |= app_in(e->apps[i].p, app);
	for (size_t i = 0; i < e->n_destinations; i++)
		to_host |= host_in(e->destinations[i].p, host, server);
	return by_app && to_host;
}

static bool host_in(const char *pattern, const char *host, const char *server)
{
	size_t n = strlen(pattern), m = strlen(host);

	if (n == 0 || strcmp(pattern, host) == 0)
		return true;
	if (pattern[0] == '.')
		return strcmp(host, pattern + 1) == 0 ||
		       (m > n && strcmp(host + m - n, pattern) == 0);
	return address_in(pattern, host) || address_in(pattern, server);
}

/* ---- told by judging */

static void feed(struct engine *e, const char *app, const char *host, const char *server,
		 int64_t at, uint32_t line)
{
	struct stamp stamp = { at, line, { 0, line, 0 } };
	struct observation o;

	observation_clear(&o, OBS_TLS_ATTEMPT);
	o.time.ns = at;
	o.sensor = SENSOR_INSPECTION;
	o.device.udid = SV("00008110-0000000000000001");
	o.src.ip = (struct addr){ { [10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1 } };
	o.src.port = (uint16_t)(1000 + line);
	assert_true(addr_parse(sv_cstr(server), &o.dst.ip));
	o.dst.port = 443;
	o.app.bundle_id = sv_cstr(app);
	o.tls.sni = sv_cstr(host);
	o.tls.outcome = CLIENT_REJECT;
	o.tls.inspection = INTERCEPTED;
	assert_true(engine_take(e, &o, stamp, VANTAGE_INSIDE));
}

static struct settings settings_of(const struct allowance *list, size_t n)
{
	return (struct settings){
		.time_window = { 10 * NS_PER_MINUTE },
		.inspection_failure_threshold = 3,
		.foreground_state_required = true,
		.score_window = { 30 * NS_PER_DAY },
		.posture_max_age = { 7 * NS_PER_DAY },
		.state_max_age = { 12 * NS_PER_HOUR },
		.baseline_days = 3,
		.baseline_devices = 5,
		.opaque_sessions = 5,
		.allowances = list,
		.n_allowances = n,
	};
}

static void judge(struct engine *e, struct allow_tally *tally, struct arena *a)
{
	const struct sv source = SV("a"), file = SV("a.log");
	const struct engine_view view = { .sources = &source, .files = &file, .tally = tally };

	engine_release(e, (struct instant){ BASE + NS_PER_DAY });
	engine_judge(e, &view, true, a);
}

static const struct finding *finding_of(const struct engine *e, const char *app, const char *host)
{
	for (size_t i = 0; i < e->findings.n; i++)
		if (sv_eq(e->findings.list[i].bundle_id, sv_cstr(app)) &&
		    sv_eq(e->findings.list[i].host, sv_cstr(host)))
			return &e->findings.list[i];
	return NULL;
}

static const struct allow_covered *covered(const struct allow_tally *t, uint32_t allowance,
					   const char *uid)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->list[i].allowance == allowance && strcmp(t->list[i].uid, uid) == 0)
			return &t->list[i];
	return NULL;
}

/* Entries that are narrowed to several. */
static const struct {
	bool app_list;
	const char *subject, *only[3];
} several[] = {
	{ false, "192.0.2.0/24", { "com.acme.*", "org.x" } },
	{ false, "bank.test", { "org.x", "com.acme.bank" } },
	{ false, ".test", { "org.x", "com.acme", "com.*" } },
	{ true, "com.acme.*", { "192.0.2.0/24", "bank.test" } },
	{ true, "org.x", { ".test", "192.0.2.7" } },
	{ true, "com.*", { "xbank.test", ".bank.test", "2001:db8::/32" } },
	{ true, "com.acme.bank", { "192.0.2.0/24", "198.51.100.0/24" } },
};

/* The entry of these patterns, in either list, as settings have it. */
static struct allowance *entries(struct arena *a, struct allow_entry **read, size_t *n)
{
	size_t all = COUNT(app_patterns) * COUNT(host_patterns) * 2 + COUNT(several);
	struct allow_list apps_list = { 0 }, hosts_list = { 0 };
	struct allow_entry *list = arena_alloc(a, all * sizeof(*list)),
			   *other = arena_alloc(a, all * sizeof(*other));
	struct settings s = { 0 };
	struct allowance *out = arena_alloc(a, all * sizeof(*out));
	struct error err;

	for (size_t i = 0; i < COUNT(app_patterns); i++)
		for (size_t k = 0; k < COUNT(host_patterns); k++)
			for (int app_list = 0; app_list < 2; app_list++) {
				struct sv subject =
				    sv_cstr(app_list ? app_patterns[i] : host_patterns[k]);
				struct sv only =
				    sv_cstr(app_list ? host_patterns[k] : app_patterns[i]);
				const struct allow_draft d = { .is_app_list = app_list,
							       .pattern = subject,
							       .scope = &only,
							       .n_scope = only.n > 0 };
				struct store_allow row;

				if (subject.n == 0)
					continue;
				assert_true(allow_draft_read(&d, a, &row, &err));
				assert_true(allow_entry_read(&row, a,
							     app_list ? &list[apps_list.n++]
								      : &other[hosts_list.n++],
							     &err));
			}
	for (size_t i = 0; i < COUNT(several); i++) {
		struct sv only[3];
		struct allow_draft d = { .is_app_list = several[i].app_list,
					 .pattern = sv_cstr(several[i].subject),
					 .scope = only };
		struct store_allow row;

		for (; d.n_scope < 3 && several[i].only[d.n_scope] != NULL; d.n_scope++)
			only[d.n_scope] = sv_cstr(several[i].only[d.n_scope]);
		assert_true(allow_draft_read(&d, a, &row, &err));
		assert_true(allow_entry_read(
		    &row, a, d.is_app_list ? &list[apps_list.n++] : &other[hosts_list.n++], &err));
	}
	apps_list.entries = list;
	hosts_list.entries = other;
	settings_allow(&s, out, &apps_list, true, a);
	settings_allow(&s, out, &hosts_list, false, a);
	memcpy(list + apps_list.n, other, hosts_list.n * sizeof(*list));
	*read = list;
	*n = s.n_allowances;
	return out;
}

/* Fails when judging, previews and the plain rules disagree about any entry and any finding. */
static void told_three_times(void **state)
{
	struct arena a = { 0 }, judged = { 0 };
	struct allow_entry *read;
	struct allow_tally tally;
	struct engine e;
	uint32_t line = 0;
	size_t n, met = 0;
	struct allowance *list = entries(&a, &read, &n);
	struct settings s = settings_of(list, n);

	(void)state;
	assert_true(n > 100);
	engine_init(&e, &s, 1);
	for (size_t i = 0; i < COUNT(apps); i++)
		for (size_t k = 0; k < COUNT(hosts); k++)
			for (size_t m = 0; m < COUNT(servers); m++, line++)
				feed(&e, apps[i], hosts[k], servers[m], BASE + line * NS_PER_S,
				     line);
	judge(&e, &tally, &judged);
	for (uint32_t x = 0; x < n; x++)
		for (size_t i = 0; i < COUNT(apps) * COUNT(hosts); i++) {
			const char *app = apps[i / COUNT(hosts)], *host = hosts[i % COUNT(hosts)];
			const struct finding *f = finding_of(&e, app, host);
			const struct allow_covered *c;
			const char *text = list[x].text.p;
			uint64_t plain = 0;
			enum allow_met m;

			for (size_t k = 0; k < COUNT(servers); k++)
				plain += plainly(&list[x], app, host, servers[k]);
			assert_non_null(f);
			c = covered(&tally, x, f->uid);
			if ((c != NULL ? c->attempts : 0) != plain)
				fail_msg("entry %u, `%s`: %llu of %s at %s, judging covers %llu", x,
					 text, (unsigned long long)plain, app, host,
					 (unsigned long long)(c != NULL ? c->attempts : 0));
			m = allow_meets(&read[x], sv_cstr(app), sv_cstr(host),
					SV("192.0.2.10 198.51.100.1 2001:db8::5"), false);
			/* Two networks that each hold a part are not added up. */
			if (m != (plain == 0		    ? MET_NOT
				  : plain == COUNT(servers) ? MET_WHOLLY
							    : MET_PARTLY) &&
			    !(m == MET_PARTLY && list[x].n_destinations > 1 && plain > 0))
				fail_msg("entry %u, `%s`: %llu of %s at %s, a preview says %d", x,
					 text, (unsigned long long)plain, app, host, m);
			met += plain > 0;
		}
	assert_true(met > 300);
	engine_free(&e);
	arena_free(&judged);
	arena_free(&a);
}

/* Fails when an entry covers more or less than up to the end of its last day, or counts as alone
 * what another covers. */
static void ends_and_shares(void **state)
{
	const struct sv host = SV("bank.test");
	struct allowance list[] = {
		{ .text = SV("com.acme.bank"),
		  .is_app_list = true,
		  .app = SV("com.acme.bank"),
		  .expires = { BASE + 2 } },
		{ .text = host,
		  .destinations = &host,
		  .n_destinations = 1,
		  .expires = { BASE + 1 } },
	};
	struct settings s = settings_of(list, 2);
	const struct allow_covered *c;
	struct arena a = { 0 };
	struct allow_tally tally;
	const struct finding *f;
	struct engine e;

	(void)state;
	engine_init(&e, &s, 1);
	for (uint32_t i = 0; i < 4; i++)
		feed(&e, "com.acme.bank", "bank.test", "192.0.2.10", BASE + i, i);
	judge(&e, &tally, &a);
	f = finding_of(&e, "com.acme.bank", "bank.test");
	assert_non_null(f);
	/* At 0 and 1 both, at 2 the first alone, at 3 nobody: one failure is left to be judged. */
	assert_int_equal(f->verdict, VERDICT_OBSERVED);
	assert_int_equal(f->devices[0].failures, 1);
	c = covered(&tally, 0, f->uid);
	assert_non_null(c);
	assert_int_equal(c->attempts, 3);
	assert_int_equal(c->only, 1);
	assert_true(c->last.ns == BASE + 2);
	c = covered(&tally, 1, f->uid);
	assert_non_null(c);
	assert_int_equal(c->attempts, 2);
	assert_int_equal(c->only, 0);
	engine_free(&e);
	arena_free(&a);
}

/* Fails when what a list hides is not said as it would be judged without. */
static void what_would_be_shown(void **state)
{
	const struct allowance list = { .text = SV("com.acme.*"),
					.is_app_list = true,
					.app = SV("com.acme.*"),
					.expires = INSTANT_NONE };
	struct settings s = settings_of(&list, 1);
	const struct finding *hidden, *little, *shown;
	struct arena a = { 0 };
	struct allow_tally tally;
	struct engine e;

	(void)state;
	engine_init(&e, &s, 1);
	for (uint32_t i = 0; i < 3; i++) {
		feed(&e, "com.acme.bank", "bank.test", "192.0.2.10", BASE + i * NS_PER_S, i);
		feed(&e, "org.x", "x.test", i == 0 ? "192.0.2.30" : "192.0.2.20",
		     BASE + i * NS_PER_S, 10 + i);
	}
	feed(&e, "com.acme.little", "little.test", "192.0.2.10", BASE, 20);
	judge(&e, &tally, &a);
	hidden = finding_of(&e, "com.acme.bank", "bank.test");
	little = finding_of(&e, "com.acme.little", "little.test");
	shown = finding_of(&e, "org.x", "x.test");
	assert_int_equal(hidden->verdict, VERDICT_EXPECTED);
	assert_int_equal(hidden->without_lists, VERDICT_SUSPECTED);
	assert_int_equal(little->verdict, VERDICT_EXPECTED);
	assert_int_equal(little->without_lists, VERDICT_OBSERVED);
	assert_int_equal(shown->verdict, VERDICT_SUSPECTED);
	assert_int_equal(shown->without_lists, VERDICT_SUSPECTED);
	/* Servers of what is shown, each once, in order. */
	assert_int_equal(hidden->n_servers, 0);
	assert_int_equal(shown->n_servers, 2);
	assert_int_equal(shown->servers[0].b[15], 20);
	assert_int_equal(shown->servers[1].b[15], 30);
	assert_false(shown->more_servers);
	engine_free(&e);
	arena_free(&a);
}

/* Fails when a draft is taken otherwise than a list file's entry would be. */
static void drafts(void **state)
{
	static const struct {
		bool app;
		const char *pattern, *expires, *field; /* field NULL: taken, as */
		const char *as;
	} table[] = {
		{ true, "TEAMID1234.com.acme.bank", "", NULL, "com.acme.bank" },
		{ true, "com.acme.*", "2027-03-31", NULL, "com.acme.*" },
		{ false, "*.Bank.TEST.", "", NULL, ".bank.test" },
		{ false,
		  "b\xc3\xbc"
		  "cher.test",
		  "", NULL, "xn--bcher-kva.test" },
		{ false, "192.0.2.0/24", "", NULL, "192.0.2.0/24" },
		{ true, "", "", "app: ", NULL },
		{ true, "*", "", "app: ", NULL },
		{ false, "", "", "destination: ", NULL },
		{ false, "bank.test:443", "", "destination: ", NULL },
		{ false, "192.0.2.0/33", "", "destination: ", NULL },
		{ true, "com.acme.bank", "2027-02-29", "expires: ", NULL },
		{ true, "com.acme.bank", "31.3.2027", "expires: ", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		const struct allow_draft d = { .is_app_list = table[i].app,
					       .pattern = sv_cstr(table[i].pattern),
					       .expires = sv_cstr(table[i].expires) };
		struct arena a = { 0 };
		struct store_allow row;
		struct error err;
		bool ok = allow_draft_read(&d, &a, &row, &err);

		if (ok != (table[i].field == NULL) ||
		    (ok && !sv_eq(row.pattern, sv_cstr(table[i].as))) ||
		    (!ok && !sv_starts(sv_cstr(err.message), sv_cstr(table[i].field))))
			fail_msg("`%s` until `%s`: %s", table[i].pattern, table[i].expires,
				 ok ? row.pattern.p : err.message);
		arena_free(&a);
	}
}

/* Fails when an entry ends at another moment than its owner was told. */
static void ends(void **state)
{
	struct store_allow row = { .expires = SV("2026-11-24"),
				   .ended_at = INT64_MIN,
				   .expired_at = INT64_MIN,
				   .removed_at = INT64_MIN };
	const struct instant midnight = instant_from_civil(2026, 11, 25, 0, 0, 0, 0);

	(void)state;
	assert_true(allow_until(&row).ns == midnight.ns);
	assert_string_equal(allow_state(&row, (struct instant){ midnight.ns - 1 }), "active");
	assert_string_equal(allow_state(&row, midnight), "expired");
	row.ended_at = midnight.ns + 5; /* later than its last day: that stands */
	assert_true(allow_until(&row).ns == midnight.ns);
	row.ended_at = midnight.ns - 5;
	assert_true(allow_until(&row).ns == midnight.ns - 5);
	assert_string_equal(allow_state(&row, (struct instant){ midnight.ns - 5 }), "expired");
	row.expires = SV_NONE;
	assert_true(allow_until(&row).ns == midnight.ns - 5);
	row.ended_at = INT64_MIN;
	assert_false(instant_known(allow_until(&row)));
	assert_string_equal(allow_state(&row, (struct instant){ INT64_MAX }), "active");
	row.removed_at = 1;
	assert_string_equal(allow_state(&row, midnight), "removed");
}

/* Fails when a row that somebody damaged ends the program or is taken in part. */
static void damaged_rows(void **state)
{
	static const char *const scopes[] = { "{",	   "{}",     "7",      "[7]",
					      "[\"a b\"]", "[\"\"]", "[null]", "[[]]" };

	(void)state;
	for (size_t i = 0; i < COUNT(scopes); i++) {
		const struct store_allow row = { .id = 7,
						 .is_app_list = true,
						 .pattern = SV("com.acme.bank"),
						 .scope = sv_cstr(scopes[i]),
						 .ended_at = INT64_MIN };
		struct arena a = { 0 };
		struct allow_entry e;
		struct error err = { 0 };

		if (allow_entry_read(&row, &a, &e, &err) || err.code != ERROR_FORMAT ||
		    strstr(err.message, "allow-list entry 7") == NULL)
			fail_msg("scope %s: %s", scopes[i], err.message);
		arena_free(&a);
	}
}

/* Servers that are not all known make no promise. */
static void unknown_servers(void **state)
{
	const struct allow_draft d = { .pattern = SV("192.0.2.0/24") };
	struct arena a = { 0 };
	struct store_allow row;
	struct allow_entry e;
	struct error err;

	(void)state;
	assert_true(allow_draft_read(&d, &a, &row, &err) && allow_entry_read(&row, &a, &e, &err));
	assert_int_equal(allow_meets(&e, SV("x"), SV("h.test"), SV_NONE, false), MET_PERHAPS);
	assert_int_equal(allow_meets(&e, SV("x"), SV("h.test"), SV("192.0.2.1"), false),
			 MET_WHOLLY);
	assert_int_equal(allow_meets(&e, SV("x"), SV("h.test"), SV("192.0.2.1"), true), MET_PARTLY);
	assert_int_equal(allow_meets(&e, SV("x"), SV("h.test"), SV("192.0.2.1 192.0.3.1"), false),
			 MET_PARTLY);
	assert_int_equal(allow_meets(&e, SV("x"), SV("h.test"), SV("192.0.3.1"), false), MET_NOT);
	assert_int_equal(allow_meets(&e, SV("x"), SV("h.test"), SV("192.0.3.1"), true),
			 MET_PERHAPS);
	assert_int_equal(allow_meets(&e, SV("x"), SV("192.0.2.9"), SV("192.0.3.1"), false),
			 MET_WHOLLY);
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(told_three_times),
		cmocka_unit_test(ends_and_shares),
		cmocka_unit_test(what_would_be_shown),
		cmocka_unit_test(drafts),
		cmocka_unit_test(ends),
		cmocka_unit_test(damaged_rows),
		cmocka_unit_test(unknown_servers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
