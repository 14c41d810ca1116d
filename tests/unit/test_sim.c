/* The fleet simulator and the comparison of findings with its truth. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "sim/rng.h"
#include "sim/score.h"
#include "sim/sim.h"
#include "sim/timeline.h"

/* A folder of the test's own, and what is in it. */
struct folder {
	char path[64];
};

static void make_folder(struct folder *f)
{
	snprintf(f->path, sizeof(f->path), "/tmp/pinwatch-sim-XXXXXX");
	assert_non_null(mkdtemp(f->path));
}

static void drop_folder(struct folder *f)
{
	DIR *d = opendir(f->path);
	struct dirent *e;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL) {
		char path[512];
		snprintf(path, sizeof(path), "%s/%s", f->path, e->d_name);
		if (e->d_name[0] != '.')
			unlink(path);
	}
	closedir(d);
	rmdir(f->path);
}

/* The file's bytes, NUL-terminated, or NULL; the caller frees them. */
static char *slurp(const struct folder *f, const char *name, size_t *n)
{
	char path[512];
	FILE *in;
	char *bytes;
	long size;

	snprintf(path, sizeof(path), "%s/%s", f->path, name);
	in = fopen(path, "rb");
	if (in == NULL)
		return NULL;
	fseek(in, 0, SEEK_END);
	size = ftell(in);
	rewind(in);
	bytes = malloc((size_t)size + 1);
	assert_non_null(bytes);
	*n = fread(bytes, 1, (size_t)size, in);
	bytes[*n] = '\0';
	fclose(in);
	return bytes;
}

static struct sim_options small(const struct folder *f, uint64_t seed)
{
	return (struct sim_options){ .seed = seed,
				     .devices = 20,
				     .days = 5,
				     .connections = 800,
				     .start = INSTANT_NONE,
				     .out = f->path };
}

static void run(const struct sim_options *o, struct sim_report *report)
{
	struct error err;

	if (!sim_run(o, report, &err))
		fail_msg("%s", err.message);
}

/* Fails if the generator is not the published one: then another machine's fleet would differ. */
static void test_rng_is_xoshiro256starstar(void **state)
{
	/* First outputs for the state 1, 2, 3, 4, as in the published test vectors. */
	static const uint64_t want[] = { 11520, 0, 1509978240, UINT64_C(1215971899390074240) };
	struct rng r = { { 1, 2, 3, 4 } };

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_true(rng_next(&r) == want[i]);
}

/* Fails if a range leaves out an end or passes one. */
static void test_rng_range_is_inclusive(void **state)
{
	struct rng r = rng_stream(1, "test", 0);
	bool seen[3] = { false, false, false };

	(void)state;
	for (int i = 0; i < 1000; i++) {
		int64_t n = rng_range(&r, -1, 1);
		assert_true(n >= -1 && n <= 1);
		seen[n + 1] = true;
	}
	assert_true(seen[0] && seen[1] && seen[2]);
}

/* Fails if streams of different names or numbers run alike, or a stream is not repeatable. */
static void test_rng_streams_differ(void **state)
{
	struct rng a = rng_stream(1, "a", 0), again = rng_stream(1, "a", 0);
	struct rng b = rng_stream(1, "b", 0), c = rng_stream(1, "a", 1), d = rng_stream(2, "a", 0);
	uint64_t x = rng_next(&a);

	(void)state;
	assert_true(x == rng_next(&again));
	assert_true(x != rng_next(&b) && x != rng_next(&c) && x != rng_next(&d));
}

static void compare_folders(const struct folder *a, const struct folder *b,
			    const struct sim_report *report, size_t *differing)
{
	*differing = 0;
	for (size_t i = 0; i < report->n_files; i++) {
		size_t n, m;
		char *x = slurp(a, report->files[i].name, &n);
		char *y = slurp(b, report->files[i].name, &m);
		assert_non_null(x);
		assert_non_null(y);
		if (n != m || memcmp(x, y, n) != 0)
			(*differing)++;
		free(x);
		free(y);
	}
}

/* Fails if a fleet depends on anything but its options. */
static void test_same_seed_same_bytes(void **state)
{
	struct sim_report report, again;
	struct folder a, b, c;
	size_t differing;

	(void)state;
	for (int profile = SIM_SQUID_ZEEK; profile <= SIM_CANONICAL; profile++) {
		struct sim_options o;
		make_folder(&a);
		make_folder(&b);
		make_folder(&c);
		o = small(&a, 3);
		o.profile = (enum sim_profile)profile;
		o.garbage = o.disorder = true;
		run(&o, &report);
		o.out = b.path;
		run(&o, &again);
		compare_folders(&a, &b, &report, &differing);
		assert_int_equal(differing, 0);
		assert_int_equal(report.lines, again.lines);
		o.out = c.path;
		o.seed = 4;
		run(&o, &again);
		compare_folders(&a, &c, &report, &differing);
		assert_true(differing > 3);
		drop_folder(&a);
		drop_folder(&b);
		drop_folder(&c);
	}
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Splits in place; the caller frees the array. */
static char **lines_of(char *text, size_t *n)
{
	char **lines = NULL;

	*n = 0;
	for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		if (*n % 1024 == 0)
			lines = xrealloc(lines, *n + 1024, sizeof(*lines));
		lines[(*n)++] = line;
	}
	return lines;
}

/* Fails if --disorder changes records instead of their order, or puts one off by more than 30 s. */
static void test_disorder_only_reorders(void **state)
{
	struct sim_report report;
	struct folder a, b;
	struct sim_options o;
	char *x, *y, **left, **right;
	size_t n, m, moved = 0;
	double newest = 0;

	(void)state;
	make_folder(&a);
	make_folder(&b);
	o = small(&a, 5);
	/* Late lines are a scenario of their own. */
	o.scenarios[0] = SV("bank");
	o.n_scenarios = 1;
	run(&o, &report);
	o.out = b.path;
	o.disorder = true;
	run(&o, &report);
	x = slurp(&a, "squid-access.log", &n);
	y = slurp(&b, "squid-access.log", &n);
	left = lines_of(x, &n);
	right = lines_of(y, &m);
	assert_int_equal(n, m);
	for (size_t i = 0; i < n; i++) {
		double t = strtod(right[i], NULL);
		moved += strcmp(left[i], right[i]) != 0;
		assert_true(t > newest - 30);
		newest = t > newest ? t : newest;
	}
	assert_true(moved > n / 10);
	qsort(left, n, sizeof(*left), by_text);
	qsort(right, n, sizeof(*right), by_text);
	for (size_t i = 0; i < n; i++)
		assert_string_equal(left[i], right[i]);
	free(left);
	free(right);
	free(x);
	free(y);
	drop_folder(&a);
	drop_folder(&b);
}

/* Fails if a destination of the logs has no truth: then nothing could be scored there. */
static void test_truth_names_every_destination(void **state)
{
	struct sim_report report;
	struct folder f;
	struct sim_options o;
	char *log, *truth, **lines;
	size_t n, n_lines;

	(void)state;
	make_folder(&f);
	o = small(&f, 6);
	run(&o, &report);
	assert_int_equal(report.n_skipped, 0);
	log = slurp(&f, "squid-access.log", &n);
	truth = slurp(&f, "truth.json", &n);
	lines = lines_of(log, &n_lines);
	for (size_t i = 0; i < n_lines; i++) {
		char *at = strstr(lines[i], " CONNECT "), host[128];
		if (at == NULL)
			continue;
		assert_int_equal(sscanf(at, " CONNECT %99[^:]", host + 8), 1);
		memcpy(host, "\"host\":\"", 8);
		strcat(host, "\"");
		assert_non_null(strstr(truth, host));
	}
	free(lines);
	free(log);
	free(truth);
	drop_folder(&f);
}

/* Fails if proxy and flow sensor tell the same connection apart: they must agree on client port
 * and, to the millisecond, on the start (the proxy's line is dated at its end). */
static void test_proxy_and_sensor_agree(void **state)
{
	struct sim_report report;
	struct folder f;
	struct sim_options o;
	char *squid, *conn, **lines;
	size_t n, n_lines, compared = 0;

	(void)state;
	make_folder(&f);
	o = small(&f, 7);
	o.scenarios[0] = SV("bank");
	o.n_scenarios = 1;
	run(&o, &report);
	squid = slurp(&f, "squid-access.log", &n);
	conn = slurp(&f, "conn.log", &n);
	lines = lines_of(squid, &n_lines);
	for (size_t i = 0; i < n_lines; i += 17) {
		char ip[32], when[64], who[96];
		unsigned long long s, ms, port, took;
		const char *at = strstr(lines[i], " CONNECT ");
		size_t length;

		if (at == NULL)
			continue;
		assert_int_equal(sscanf(lines[i], "%llu.%llu %31s %llu", &s, &ms, ip, &port), 4);
		assert_int_equal(sscanf(at, " CONNECT %*s %*s %llu", &took), 1);
		ms = s * 1000 + ms - took;
		snprintf(when, sizeof(when), "\"ts\":%llu.%03llu", ms / 1000, ms % 1000);
		snprintf(who, sizeof(who), "\"id.orig_h\":\"%s\",\"id.orig_p\":%llu,", ip, port);
		at = conn;
		do {
			at = strstr(at + 1, when);
			assert_non_null(at);
			length = (size_t)(strchr(at, '\n') - at);
		} while (memmem(at, length, who, strlen(who)) == NULL);
		compared++;
	}
	assert_true(compared > 10);
	free(lines);
	free(squid);
	free(conn);
	drop_folder(&f);
}

/* Fails if a rejection over TLS 1.3, which the sensor takes for an established connection, could
 * not be told from a success by its bytes: 60 or more below the smallest success to the same host
 * by the same app. */
static void test_rejection_is_smaller_than_success(void **state)
{
	static const enum sim_happening happenings[] = { HAPPENED_OK, HAPPENED_REJECT };
	struct sim_options o = { .seed = 8, .devices = 1, .days = 1, .start = INSTANT_NONE };
	struct sim_report report = { 0 };
	struct sim *s = xcalloc(1, sizeof(*s));
	struct sim_visit v = { 0 };
	uint32_t least_success = UINT32_MAX, most_reject = 0;

	(void)state;
	s->o = &o;
	s->report = &report;
	s->end.ns = NS_PER_DAY;
	sim_build_devices(s);
	sim_build_ordinary_apps(s);
	for (int64_t i = 0; i < 4000; i++)
		assert_non_null(sim_connect(s, &v, s->apps[0].pairs[0],
					    (struct instant){ i * 2 * NS_PER_S }, happenings[i % 2],
					    ROUTE_BUMP));
	sim_finish_timeline(s);
	for (size_t i = 0; i < s->n_conns; i++) {
		const struct sim_conn *c = &s->conns[i];
		assert_true(c->duration_us >= c->handshake_us);
		if (c->happening == HAPPENED_OK)
			least_success = c->bytes_out < least_success ? c->bytes_out : least_success;
		else
			most_reject = c->bytes_out > most_reject ? c->bytes_out : most_reject;
		if (c->happening == HAPPENED_REJECT)
			assert_true(c->duration_us < 5000000 && (c->flags & CONN_CLIENT_CLOSES));
	}
	assert_int_equal(least_success - most_reject, 74);
	free(s->conns);
	arena_free(&s->arena);
	free(s);
}

/* Fails if options out of range or misspelt are taken. */
static void test_options_are_checked(void **state)
{
	struct sim_report report;
	struct error err;
	struct folder f;
	struct sim_options o;

	(void)state;
	make_folder(&f);
	o = small(&f, 1);
	o.devices = 0;
	assert_false(sim_run(&o, &report, &err));
	assert_int_equal(err.code, ERROR_USAGE);
	o = small(&f, 1);
	o.days = SIM_MAX_DAYS + 1;
	assert_false(sim_run(&o, &report, &err));
	o = small(&f, 1);
	o.scenarios[0] = SV("bnak");
	o.n_scenarios = 1;
	assert_false(sim_run(&o, &report, &err));
	assert_non_null(strstr(err.message, "bnak"));
	o = small(&f, 1);
	o.out = "/dev/null/fleet";
	assert_false(sim_run(&o, &report, &err));
	assert_int_equal(err.code, ERROR_IO);
	drop_folder(&f);
}

/* Fails if the smallest fleet breaks, or scenarios that found no phone go unmentioned. */
static void test_one_phone_one_day(void **state)
{
	struct sim_report report;
	struct folder f;
	struct sim_options o;
	char *truth;
	size_t n;

	(void)state;
	make_folder(&f);
	o = small(&f, 9);
	o.devices = o.days = 1;
	run(&o, &report);
	assert_true(report.n_skipped > 0);
	truth = slurp(&f, "truth.json", &n);
	assert_non_null(strstr(truth, "\"rogue\""));
	free(truth);
	drop_folder(&f);
}

static const char truth_text[] =
    "{\"schema\":\"pinwatch.truth/1\",\"seed\":1,\"cases\":["
    "{\"app\":\"a.bank\",\"host\":\"api.bank.test\",\"port\":443,\"label\":\"pinned\",\"scenario\":"
    "\"bank\","
    "\"expect\":{\"verdict\":[\"confirmed\"],\"explained_by\":null,\"devices\":[\"D1\"]}},"
    "{\"app\":\"a.late\",\"host\":\"late.test\",\"port\":443,\"label\":\"pinned\",\"scenario\":"
    "\"late\","
    "\"expect\":{\"verdict\":[\"confirmed\",\"suspected\"],\"explained_by\":null}},"
    "{\"app\":\"a.news\",\"host\":\"news.test\",\"port\":443,\"label\":\"not_pinned\",\"scenario\":"
    "\"base\","
    "\"expect\":{\"verdict\":[\"observed\",\"explained\"],\"explained_by\":null}},"
    "{\"app\":\"a.pay\",\"host\":\"pay.test\",\"port\":443,\"label\":\"pinned\",\"scenario\":"
    "\"allowed\","
    "\"expect\":{\"verdict\":[\"expected\"],\"explained_by\":\"AllowedAppList:a.pay\"}},"
    "{\"app\":\"a.old\",\"host\":\"old.test\",\"port\":443,\"label\":\"not_pinned\",\"scenario\":"
    "\"rival\","
    "\"expect\":{\"verdict\":[\"explained\"],\"explained_by\":\"upstream\"}}],"
    "\"devices\":[{\"udid\":\"D9\",\"label\":\"ca_untrusted\"}],"
    "\"spans\":[{\"label\":\"gateway_fault\",\"from\":\"2026-11-18T12:30:00Z\",\"to\":\"2026-11-"
    "18T12:33:00Z\"}]}";

static void begin(struct score *s)
{
	struct error err;

	*s = (struct score){ 0 };
	if (!score_truth(s, sv_cstr(truth_text), &err))
		fail_msg("%s", err.message);
}

static void find(struct score *s, const char *line)
{
	struct error err;

	if (!score_finding(s, sv_cstr(line), &err))
		fail_msg("%s", err.message);
}

static void find_pinning(struct score *s, const char *app, const char *host, const char *verdict,
			 const char *explained_by, const char *device)
{
	char line[1024];

	snprintf(line, sizeof(line),
		 "{\"kind\":\"pinning\",\"verdict\":\"%s\",\"explained_by\":%s%s%s,"
		 "\"app\":{\"bundle_id\":%s%s%s},\"destination\":{\"host\":\"%s\",\"port\":443},"
		 "\"devices\":[{\"id\":\"%s\"}]}",
		 verdict, explained_by ? "\"" : "", explained_by ? explained_by : "null",
		 explained_by ? "\"" : "", app ? "\"" : "", app ? app : "null", app ? "\"" : "",
		 host, device);
	find(s, line);
}

static const struct score_case *case_of(const struct score *s, const char *app)
{
	for (size_t i = 0; i < s->n_cases; i++)
		if (sv_eq(s->cases[i].app, sv_cstr(app)))
			return &s->cases[i];
	fail_msg("no case %s", app);
	return NULL;
}

/* Fails if a faultless analysis does not get full marks. */
static void test_score_of_the_truth_itself(void **state)
{
	struct score s;

	(void)state;
	begin(&s);
	find_pinning(&s, "a.bank", "api.bank.test", "confirmed", NULL, "D1");
	find_pinning(&s, "a.late", "late.test", "suspected", NULL, "D1");
	find_pinning(&s, "a.pay", "pay.test", "expected", "AllowedAppList:a.pay", "D1");
	find_pinning(&s, "a.old", "old.test", "explained", "upstream", "D1");
	find(&s, "{\"kind\":\"ca_untrusted\",\"verdict\":\"confirmed\",\"app\":null,"
		 "\"destination\":null,"
		 "\"devices\":[{\"id\":\"D9\"}]}");
	find(&s, "{\"kind\":\"gateway_fault\",\"verdict\":\"confirmed\",\"first_seen\":\"2026-11-"
		 "18T12:30:04Z\","
		 "\"last_seen\":\"2026-11-18T12:32:50Z\",\"devices\":[]}");
	score_finish(&s);
	assert_true(score_f1(&s) == 1.0);
	assert_int_equal(s.outcomes[SCORE_TP], 2);
	/* a.news without a finding, and the two that are rightly quiet. */
	assert_int_equal(s.outcomes[SCORE_TN], 3);
	assert_int_equal(s.as_expected, 5);
	assert_int_equal(s.n_extras, 0);
	assert_true(s.devices[0].found && s.spans[0].found);
	score_free(&s);
}

/* Fails if an error of the analysis goes uncounted, each kind in its place. */
static void test_score_counts_errors(void **state)
{
	struct score s;

	(void)state;
	begin(&s);
	find_pinning(&s, "a.bank", "api.bank.test", "confirmed", NULL, "D2"); /* another phone's */
	find_pinning(&s, "a.news", "news.test", "suspected", NULL, "D1");     /* fine in truth */
	find_pinning(&s, "a.pay", "pay.test", "confirmed", NULL, "D1");	      /* allow-listed */
	find_pinning(&s, "a.old", "old.test", "explained", "mutual_tls",
		     "D1");						    /* the wrong reason */
	find_pinning(&s, "a.ghost", "ghost.test", "suspected", NULL, "D1"); /* no such case */
	find(&s,
	     "{\"kind\":\"ca_untrusted\",\"verdict\":\"confirmed\",\"devices\":[{\"id\":\"D3\"}]}");
	score_finish(&s);
	assert_int_equal(s.outcomes[SCORE_TP], 1);
	assert_int_equal(s.outcomes[SCORE_FP], 3); /* a.news, a.pay, a.ghost */
	assert_int_equal(s.outcomes[SCORE_FN], 1); /* a.late */
	assert_int_equal(s.n_extras, 2);
	assert_true(case_of(&s, "a.bank")->wrong_device);
	assert_false(case_of(&s, "a.bank")->as_expected);
	assert_false(case_of(&s, "a.old")->as_expected);
	assert_int_equal(case_of(&s, "a.old")->outcome, SCORE_TN);
	assert_false(s.devices[0].found || s.spans[0].found);
	assert_true(score_precision(&s) == 0.25 && score_recall(&s) == 0.5);
	score_free(&s);
}

/* Fails if a finding whose app is unknown does not speak for its host, or overrules one that names
 * the app. */
static void test_score_without_app(void **state)
{
	struct score s;

	(void)state;
	begin(&s);
	find_pinning(&s, NULL, "late.test", "suspected", NULL, "D1");
	find_pinning(&s, NULL, "news.test", "suspected", NULL, "D1");
	find_pinning(&s, "a.bank", "api.bank.test", "confirmed", NULL, "D1");
	find_pinning(&s, NULL, "api.bank.test", "observed", NULL, "D1");
	score_finish(&s);
	assert_int_equal(case_of(&s, "a.late")->outcome, SCORE_TP);
	assert_true(case_of(&s, "a.late")->by_host);
	assert_int_equal(case_of(&s, "a.news")->outcome, SCORE_FP);
	assert_int_equal(case_of(&s, "a.bank")->verdict, VERDICT_CONFIRMED);
	assert_int_equal(s.n_extras, 0);
	score_free(&s);
}

/* Fails if findings without --all are blamed for the quiet verdicts that they leave out. */
static void test_score_without_all(void **state)
{
	struct score s;

	(void)state;
	begin(&s);
	find_pinning(&s, "a.bank", "api.bank.test", "confirmed", NULL, "D1");
	find_pinning(&s, "a.late", "late.test", "confirmed", NULL, "D1");
	score_finish(&s);
	assert_false(s.quiet_ones);
	assert_int_equal(s.as_expected, 5);
	assert_true(score_f1(&s) == 1.0);
	score_free(&s);
}

/* Fails if files that are something else pass as truth or findings. */
static void test_score_refuses_nonsense(void **state)
{
	static const char *const truths[] = {
		"",
		"[]",
		"{\"schema\":\"pinwatch.finding/1\"}",
		"{\"schema\":\"pinwatch.truth/1\"",
		"{\"schema\":\"pinwatch.truth/1\",\"cases\":[{}]}",
		"{\"schema\":\"pinwatch.truth/"
		"1\",\"cases\":[{\"app\":\"a\",\"host\":\"h\",\"port\":443,\"label\":\"maybe\"}]}",
		"{\"schema\":\"pinwatch.truth/"
		"1\",\"cases\":[{\"app\":\"a\",\"host\":\"h\",\"port\":443000,\"label\":\"pinned\"}"
		"]}",
		"{\"schema\":\"pinwatch.truth/1\",\"spans\":[{\"label\":\"gateway_fault\"}]}",
	};
	struct error err;
	struct score s;

	(void)state;
	for (size_t i = 0; i < sizeof(truths) / sizeof(truths[0]); i++) {
		s = (struct score){ 0 };
		assert_false(score_truth(&s, sv_cstr(truths[i]), &err));
		score_free(&s);
	}
	begin(&s);
	assert_false(score_finding(&s, SV("not json"), &err));
	assert_false(score_finding(&s, SV("{\"kind\":\"pinning\"}"), &err));
	assert_false(score_finding(&s, SV("{\"kind\":7,\"verdict\":\"confirmed\"}"), &err));
	/* Strange, but a finding: raised, and of nothing in the truth. */
	assert_true(score_finding(
	    &s, SV("{\"kind\":\"pinning\",\"verdict\":\"confirmed\",\"app\":[],\"devices\":{}}"),
	    &err));
	score_finish(&s);
	assert_int_equal(s.n_extras, 1);
	score_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rng_is_xoshiro256starstar),
		cmocka_unit_test(test_rng_range_is_inclusive),
		cmocka_unit_test(test_rng_streams_differ),
		cmocka_unit_test(test_same_seed_same_bytes),
		cmocka_unit_test(test_disorder_only_reorders),
		cmocka_unit_test(test_truth_names_every_destination),
		cmocka_unit_test(test_proxy_and_sensor_agree),
		cmocka_unit_test(test_rejection_is_smaller_than_success),
		cmocka_unit_test(test_options_are_checked),
		cmocka_unit_test(test_one_phone_one_day),
		cmocka_unit_test(test_score_of_the_truth_itself),
		cmocka_unit_test(test_score_counts_errors),
		cmocka_unit_test(test_score_without_app),
		cmocka_unit_test(test_score_without_all),
		cmocka_unit_test(test_score_refuses_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
