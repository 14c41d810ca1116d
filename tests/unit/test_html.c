/* The report and the CSV: whatever a log says, the page stays a page and the row a row.
 *
 * `test_html --html`, `--many` and `--csv` write what tests/html/test_html.py reads: findings that
 * are hostile in every field, more findings than are told in full, and the hostile ones as CSV.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "emit/emit.h"
#include "emit/html_text.h"
#include "emit/svg_timeline.h"

/* Markup, an attribute's end, reversed text, an escape sequence, broken UTF-8, a formula. */
#define EVIL                                                                                       \
	"=1+1<script>alert(1)</script>\" onload='x\xe2\x80\xae\x1b]0;\x07\xff\n&lt;</style><!--"

static const struct settings settings = {
	.time_window = { 10 * NS_PER_MINUTE },
	.inspection_failure_threshold = 3,
	.foreground_state_required = true,
};

static struct instant second(int64_t s)
{
	return (struct instant){ (INT64_C(1795000000) + s) * NS_PER_S };
}

static const struct source_summary sources[] = {
	{ .name = SV("proxy"),
	  .kind = SENSOR_INSPECTION,
	  .format = SV("squid"),
	  .files = 1,
	  .records = 9 },
	{ .name = SV(EVIL),
	  .kind = SENSOR_FLOW,
	  .format = SV(EVIL),
	  .files = 1,
	  .stale = true,
	  .examples = { { SV(EVIL), 3, SV(EVIL) } },
	  .n_examples = 1 },
};
static const struct run_summary summary = {
	.sources = sources,
	.n_sources = 2,
	.log_sources = { [SENSOR_INSPECTION] = SOURCE_PRESENT,
			 [SENSOR_FLOW] = SOURCE_STALE,
			 [SENSOR_EDR] = SOURCE_MISSING,
			 [SENSOR_MDM] = SOURCE_PRESENT },
	.attempts = 7,
};
static const struct finding_device devices[] = {
	{ SV(EVIL), ID_USER, true, 5, 4, 0, 2, 3, 1 },
	{ SV("00008110-000A1B2C3D4E001E"), ID_UDID, false, 1, 1, 2, 0, 0, 0 },
};
static const struct contribution contributions[] = {
	{ TERM_PRIOR, -1600, SV(EVIL) },
	{ TERM_DIFFERENTIAL, 42500, SV("many") },
	{ TERM_CAP, -39000, SV("trials together count at most 35") },
	{ TERM_SAME_DEVICE_OTHER_DESTINATION, 600, SV(EVIL) },
};
static const struct risk_entry risks[] = {
	{ RISK_VERDICT, 20, SV(EVIL) },
	{ RISK_BACKGROUND, 25, SV("3 of 5 starts") },
};
static const struct sv notes[] = { SV(EVIL), SV("same_app_uninspected would be met by " EVIL) };

/* Enough records for both drawings of a timeline; `path` is where raw lines are read again. */
static void fill_evidence(struct evidence *list, size_t n, const char *path)
{
	for (size_t i = 0; i < n; i++)
		list[i] = (struct evidence){
			.source = i % 3 == 0 ? SV(EVIL) : SV("proxy"),
			.path = i % 2 == 0 ? sv_cstr(path) : SV("/nowhere/" EVIL),
			.line = (uint32_t)i + 1,
			.time = second((int64_t)(i < n / 2 ? i * 7 : i * 3600)),
			.kind = i % 5 == 4 ? OBS_APP_ACTIVITY : OBS_TLS_ATTEMPT,
			.what = i % 5 == 4   ? SV("connect " EVIL ", background")
				: i % 5 == 3 ? SV(EVIL)
					     : SV("client_reject 46"),
		};
}

#define N_EVIDENCE 60
static struct evidence evidence[N_EVIDENCE];

static struct finding hostile(const char *path)
{
	struct finding f = {
		.kind = FINDING_PINNING,
		.verdict = VERDICT_CONFIRMED,
		.uid = "6f1c2a90-1111-5222-8333-444455556666",
		.revision = 3,
		.explained_by = SV(EVIL),
		.bundle_id = SV(EVIL),
		.app_version = sv_make("1\0.2<b>", 7),
		.attribution = ATTRIBUTION_HOST,
		.host = SV("@" EVIL),
		.port = 8443,
		.score_centidb = 2500,
		.confidence = CONFIDENCE_MEDIUM,
		.risk = 45,
		.severity = SEVERITY_MEDIUM,
		.paths = PATH_REJECTION,
		.devices = devices,
		.n_devices = 2,
		.excluded_gateway_fault = 4,
		.log_sources = { [SENSOR_INSPECTION] = SOURCE_CONTRIBUTED,
				 [SENSOR_EDR] = SOURCE_MISSING },
		.contributions = contributions,
		.n_contributions = 4,
		.controls_met = 1u << CONTROL_SAME_DEVICE_OTHER_DESTINATION,
		.risk_factors = risks,
		.n_risk_factors = 2,
		.evidence = evidence,
		.n_evidence = N_EVIDENCE,
		.notes = notes,
		.n_notes = 2,
	};

	fill_evidence(evidence, N_EVIDENCE, path);
	f.first_seen = second(0);
	f.last_seen = second(N_EVIDENCE * 3600);
	f.rivals[RIVAL_MUTUAL_TLS] = (struct rival_judgement){ RIVAL_STANDS, SV(EVIL) };
	return f;
}

/* One of each: an app, what --all adds, a phone, an outage, a silent source. */
static size_t one_of_each(struct finding list[7], const char *path)
{
	for (int i = 0; i < 7; i++) {
		list[i] = hostile(path);
		snprintf(list[i].uid, sizeof(list[i].uid), "6f1c2a90-0000-5222-8333-%012d", i);
	}
	list[1].verdict = VERDICT_EXPECTED;
	list[2].verdict = VERDICT_EXPLAINED;
	list[3].verdict = VERDICT_SUSPECTED;
	list[3].severity = SEVERITY_INFORMATIONAL;
	list[3].n_evidence = 0;
	list[3].n_devices = 0;
	for (int i = 4; i < 7; i++) {
		list[i].kind = (enum finding_kind)(FINDING_CA_UNTRUSTED + i - 4);
		list[i].bundle_id = list[i].host = SV_NONE;
	}
	return 7;
}

static struct sv written(const char *form, const struct finding *f, size_t n, struct arena *a)
{
	struct emit_input in = {
		.findings = f,
		.n = n,
		.all = true,
		.summary = &summary,
		.settings = &settings,
		.explain_command = SV("pinwatch explain '" EVIL "'"),
	};
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	struct error err;
	struct sv copy;

	assert_non_null(out);
	assert_true(emitter_find(sv_cstr(form))->write(out, &in, &err));
	assert_int_equal(fclose(out), 0);
	copy = arena_sv(a, sv_make(text, size));
	free(text);
	return copy;
}

/* A file whose every line is hostile, to be read again. */
static void raw_file(char path[32])
{
	FILE *f;
	int fd;

	strcpy(path, "/tmp/test_html_XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	f = fdopen(fd, "w");
	for (int i = 0; i < 2 * N_EVIDENCE; i++)
		fprintf(f, "%d <img src=x onerror=alert(1)> \"'& \xe2\x80\xae\x1b[2J\n", i);
	assert_int_equal(fclose(f), 0);
}

static size_t count(struct sv text, const char *what)
{
	size_t n = 0, at;

	while ((at = sv_find(text, sv_cstr(what))) != SIZE_MAX) {
		n++;
		text = sv_skip(text, at + 1);
	}
	return n;
}

/* If it failed, a log line could put elements, scripts or escape sequences into the report. */
static void test_hostile_text_stays_text(void **state)
{
	struct arena a = { 0 };
	struct finding list[7];
	char path[32];
	struct sv page;

	(void)state;
	raw_file(path);
	page = written("html", list, one_of_each(list, path), &a);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(count(page, "<script"), 0);
	assert_int_equal(count(page, "<img"), 0);
	assert_int_equal(count(page, "<!--"), 0);
	assert_int_equal(count(page, "<b>\""), 0);
	assert_int_equal(count(page, "</style>"), 1); /* its own */
	assert_int_equal(count(page, "\xe2\x80\xae"), 0);
	assert_int_equal(count(page, "\xff"), 0);
	for (size_t i = 0; i < page.n; i++)
		assert_true((unsigned char)page.p[i] >= 0x20 || page.p[i] == '\n');
	/* and it is there to be read: text, not dropped */
	assert_true(count(page, "&lt;script&gt;alert(1)&lt;/script&gt;&#34; onload=&#39;x") > 20);
	assert_true(count(page, "&lt;img src=x onerror=alert(1)&gt;") > 0);
	arena_free(&a);
}

/* If it failed, an analyst would lose findings without a word, or get a page of a gigabyte. */
static void test_many_findings_are_cut_and_said(void **state)
{
	enum { MANY = 450 };
	struct finding *list = xcalloc(MANY, sizeof(*list));
	struct arena a = { 0 };
	struct sv page;

	(void)state;
	for (int i = 0; i < MANY; i++) {
		list[i] = hostile("/nowhere");
		list[i].severity = i == MANY - 1 ? SEVERITY_HIGH : SEVERITY_INFORMATIONAL;
		snprintf(list[i].uid, sizeof(list[i].uid), "6f1c2a90-0000-5222-8333-%012d", i);
	}
	page = written("html", list, MANY, &a);
	assert_int_equal(count(page, "<article "), 200);
	assert_int_equal(count(page, "The 200 most important are told in full"), 1);
	for (int i = 0; i < MANY; i++)
		assert_true(count(page, list[i].uid) >= 1);
	/* the one that matters comes first */
	assert_true(sv_find(page, SV("id=\"f-6f1c2a90-0000-5222-8333-000000000449\"")) <
		    sv_find(page, SV("id=\"f-6f1c2a90-0000-5222-8333-000000000000\"")));
	assert_true(page.n < (size_t)16 * 1024 * 1024);
	arena_free(&a);
	free(list);
}

/* If it failed, two runs over the same logs could not be compared. */
static void test_same_findings_same_page(void **state)
{
	struct arena a = { 0 };
	struct finding list[7];
	size_t n = one_of_each(list, "/nowhere");

	(void)state;
	assert_true(sv_eq(written("html", list, n, &a), written("html", list, n, &a)));
	assert_true(sv_eq(written("csv", list, n, &a), written("csv", list, n, &a)));
	arena_free(&a);
}

/* If it failed, a run that found nothing would give a broken page, or none. */
static void test_nothing_found(void **state)
{
	struct arena a = { 0 };
	struct sv page = written("html", NULL, 0, &a);

	(void)state;
	assert_int_equal(count(page, "No app was found to pin."), 1);
	assert_int_equal(count(page, "</html>"), 1);
	assert_int_equal(count(written("csv", NULL, 0, &a), "\r\n"), 1);
	arena_free(&a);
}

/* If it failed, the shaded window would not be where the failures are, or count the wrong ones. */
static void test_window_is_the_fullest(void **state)
{
	static const int64_t at[] = { 0, 1000, 1300, 1600, 1601, 9000 };
	struct evidence list[6];
	struct finding f = { .kind = FINDING_PINNING, .evidence = list, .n_evidence = 6 };
	struct svg_points points;
	struct arena a = { 0 };

	(void)state;
	for (int i = 0; i < 6; i++)
		list[i] = (struct evidence){ .source = SV("proxy"),
					     .time = second(at[i]),
					     .kind = OBS_TLS_ATTEMPT,
					     .what = SV("client_reject 46") };
	svg_points(&points, &f, &summary, &settings, &a);
	/* 1000 to 1600 is exactly TimeWindow, inclusive; 1601 is beyond it, and 1300 to 1601 has as
	 * many: the earlier one stands */
	assert_int_equal(points.window.ns, second(1000).ns);
	assert_int_equal(points.in_window, 3);
	assert_true(points.counts_failures);
	assert_true(svg_in_window(&points, second(1600)));
	assert_false(svg_in_window(&points, second(1601)));
	assert_int_equal(points.list[0].lane, LANE_INSPECTION);
	assert_int_equal(points.list[0].mark, MARK_REJECT);
	arena_free(&a);
}

/* If it failed, a legend would tell analysts the wrong outcome. */
static void test_records_have_their_lane_and_mark(void **state)
{
	static const struct {
		enum observation_kind kind;
		const char *what;
		const char *source;
		enum svg_lane lane;
		enum svg_mark mark;
	} rows[] = {
		{ OBS_POSTURE, "posture, supervised", "mdm", LANE_MDM, MARK_POSTURE },
		{ OBS_APP_ACTIVITY, "connect com.a", "edr", LANE_EDR, MARK_ACTIVE },
		{ OBS_APP_ACTIVITY, "connect com.a, background", "edr", LANE_EDR, MARK_BACKGROUND },
		{ OBS_APP_ACTIVITY, "connect com.a, locked", "edr", LANE_EDR, MARK_BACKGROUND },
		{ OBS_TLS_ATTEMPT, "client_reject 46", "proxy", LANE_INSPECTION, MARK_REJECT },
		{ OBS_TLS_ATTEMPT, "client_silent_close", "proxy", LANE_INSPECTION, MARK_SILENT },
		{ OBS_TLS_ATTEMPT, "client_reject_validity 45", "proxy", LANE_INSPECTION,
		  MARK_SILENT },
		{ OBS_TLS_ATTEMPT, "established_no_data", "proxy", LANE_INSPECTION, MARK_LATE },
		{ OBS_TLS_ATTEMPT, "established", EVIL, LANE_FLOW, MARK_SUCCESS },
		{ OBS_TLS_ATTEMPT, "mutual_tls", "proxy", LANE_INSPECTION, MARK_RIVAL },
		{ OBS_TLS_ATTEMPT, "unknown", EVIL, LANE_FLOW, MARK_SEEN },
		{ OBS_TLS_ATTEMPT, "no such outcome", "proxy", LANE_INSPECTION, MARK_SEEN },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct evidence e = { .source = sv_cstr(rows[i].source),
				      .time = second(0),
				      .kind = rows[i].kind,
				      .what = sv_cstr(rows[i].what) };
		struct finding f = { .evidence = &e, .n_evidence = 1 };
		struct svg_points points;
		struct arena a = { 0 };

		svg_points(&points, &f, &summary, &settings, &a);
		assert_int_equal(points.list[0].lane, rows[i].lane);
		assert_int_equal(points.list[0].mark, rows[i].mark);
		arena_free(&a);
	}
}

/* If it failed, a record dated at either end of time, or a window of no or endless length, would
 * stop the report. */
static void test_any_time_can_be_drawn(void **state)
{
	static const int64_t spreads[][3] = { { 0, 0, 0 },
					      { 0, 1, INT64_MAX },
					      { INT64_MAX - 1, INT64_MAX, INT64_MAX },
					      { 1, NS_PER_DAY, 400 * NS_PER_DAY } };
	static const int64_t windows[] = { 0, 1, 10 * NS_PER_MINUTE, INT64_MAX };
	struct evidence list[3];
	struct finding f = hostile("/nowhere");

	(void)state;
	f.evidence = list;
	f.n_evidence = 3;
	for (size_t i = 0; i < sizeof(spreads) / sizeof(spreads[0]); i++)
		for (size_t w = 0; w < sizeof(windows) / sizeof(windows[0]); w++) {
			struct settings odd = settings;
			struct svg_points points;
			struct arena a = { 0 };
			struct buf b;

			odd.time_window.ns = windows[w];
			for (int k = 0; k < 3; k++)
				list[k] = (struct evidence){ .source = SV("proxy"),
							     .time = { spreads[i][k] },
							     .kind = OBS_TLS_ATTEMPT,
							     .what = SV("client_reject 46") };
			buf_init(&b, (size_t)1024 * 1024);
			svg_points(&points, &f, &summary, &odd, &a);
			svg_timeline(&b, &f, &points);
			assert_false(b.overflowed);
			assert_int_equal(count(buf_view(&b), "</svg></div>"), 1);
			assert_int_equal(count(buf_view(&b), " x=\"-"), 0);
			assert_true(count(buf_view(&b), "<use ") >= 1);
			buf_free(&b);
			arena_free(&a);
		}
}

/* If it failed, opening the file in a spreadsheet would run what an app is called. */
static void test_csv_is_no_formula(void **state)
{
	struct arena a = { 0 };
	struct finding list[7];
	struct sv text, rest;

	(void)state;
	one_of_each(list, "/nowhere");
	list[0].bundle_id = SV("-2+3");
	list[0].score_centidb = -1300;
	text = written("csv", list, 1, &a);
	assert_int_equal(count(text, "\"'-2+3\""), 1);
	assert_int_equal(count(text, "\"'@=1+1"), 1); /* the host */
	assert_int_equal(count(text, "\"="), 0);
	assert_int_equal(count(text, ",-13.00,"), 1); /* a number stays one */
	/* a row is a line: no line break of a log ends it early */
	assert_int_equal(count(text, "\n"), 2);
	sv_cut(text, '\n', &rest);
	assert_true(sv_starts(rest, SV("6f1c2a90-0000-5222-8333-000000000000,3,\"pinning\"")));
	arena_free(&a);
}

/* If it failed, a full disk would pass for a finished report. */
static void test_write_errors_are_told(void **state)
{
	struct emit_input in = { .summary = &summary, .settings = &settings };
	struct error err = { 0 };
	FILE *out = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(out);
	setvbuf(out, NULL, _IONBF, 0);
	assert_false(emitter_find(SV("html"))->write(out, &in, &err));
	assert_int_equal(err.code, ERROR_IO);
	assert_false(emitter_find(SV("csv"))->write(out, &in, &err));
	fclose(out);
}

/* Times and quotes as a page has them. */
static void test_words(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	html_escape(&b, SV("<a href=\"x\">Tom & 'Jerry'</a>"));
	assert_true(sv_eq(buf_view(&b),
			  SV("&lt;a href=&#34;x&#34;&gt;Tom &amp; &#39;Jerry&#39;&lt;/a&gt;")));
	buf_reset(&b);
	html_time(&b, instant_from_civil(2026, 11, 4, 2, 14, 13, 903000000));
	assert_true(
	    sv_eq(buf_view(&b), SV("<time datetime=\"2026-11-04T02:14:13Z\">2026-11-04 02:14:13"
				   "</time>")));
	buf_reset(&b);
	html_day(&b, instant_from_civil(2026, 11, 4, 2, 14, 13, 0));
	assert_true(sv_eq(buf_view(&b), SV("4 Nov")));
	buf_reset(&b);
	html_time(&b, INSTANT_NONE);
	assert_true(sv_eq(buf_view(&b), SV("-")));
	buf_free(&b);
}

static int print(const char *form, size_t n)
{
	struct finding *list = xcalloc(n + 7, sizeof(*list));
	struct arena a = { 0 };
	struct sv text;

	one_of_each(list, "/nowhere");
	for (size_t i = 7; i < n; i++) {
		list[i] = list[0];
		snprintf(list[i].uid, sizeof(list[i].uid), "6f1c2a90-0000-5222-8333-%012zu", i);
	}
	text = written(form, list, n, &a);
	fwrite(text.p, 1, text.n, stdout);
	arena_free(&a);
	free(list);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hostile_text_stays_text),
		cmocka_unit_test(test_many_findings_are_cut_and_said),
		cmocka_unit_test(test_same_findings_same_page),
		cmocka_unit_test(test_nothing_found),
		cmocka_unit_test(test_window_is_the_fullest),
		cmocka_unit_test(test_records_have_their_lane_and_mark),
		cmocka_unit_test(test_any_time_can_be_drawn),
		cmocka_unit_test(test_csv_is_no_formula),
		cmocka_unit_test(test_write_errors_are_told),
		cmocka_unit_test(test_words),
	};

	if (argc == 2 && strcmp(argv[1], "--html") == 0)
		return print("html", 7);
	if (argc == 2 && strcmp(argv[1], "--many") == 0)
		return print("html", 400);
	if (argc == 2 && strcmp(argv[1], "--csv") == 0)
		return print("csv", 7);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
