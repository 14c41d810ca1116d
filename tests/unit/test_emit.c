/* Outputs: the JSON of a finding is the contract's, and no bytes of a log reach a terminal
 * unchanged.
 *
 * `test_emit --print` writes the findings it uses as JSON lines, for tests/unit/check_schema.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "emit/emit.h"
#include "emit/explain.h"
#include "emit/finding_json.h"
#include "emit/footer.h"
#include "emit/text.h"

static struct instant at(const char *iso)
{
	struct instant t;

	assert_true(instant_parse_iso(sv_cstr(iso), 0, &t));
	return t;
}

static const struct allowance allowances[] = {
	{ .text = SV("com.acme.*"), .is_app_list = true },
	{ .text = SV(".push.vendor.test") },
};

static const struct settings settings = {
	.time_window = { 10 * NS_PER_MINUTE },
	.inspection_failure_threshold = 3,
	.foreground_state_required = true,
	.allowances = allowances,
	.n_allowances = 2,
};

static const struct finding_device devices[] = {
	{ SV("00008110-000A1B2C3D4E001E"), ID_UDID, false, 5, 4, 0, 2, 3, 1 },
	{ SV("10.8.0.14"), ID_IP, true, 1, 1, 2, 0, 0, 0 },
};
static const struct contribution contributions[] = {
	{ TERM_PRIOR, -1600, SV("2.5 % of apps pin") },
	{ TERM_DIFFERENTIAL, 2500, SV("4 of 4 trials failed hard on 1 device") },
	{ TERM_SAME_DEVICE_OTHER_DESTINATION, 600, SV("fine with www.news.test") },
	{ TERM_CONTRADICTION, -2000, SV("fine on another device") },
	{ TERM_RETRY, 305, SV("again within 5 s") },
};
static const struct risk_entry risks[] = {
	{ RISK_VERDICT, 20, SV("confirmed") },
	{ RISK_BACKGROUND, 25, SV("3 of 5 starts") },
};
static const struct sv notes[] = { SV("One control more would raise the score by 10.") };

/* A confirmed finding with something in every field. */
static struct finding confirmed(void)
{
	static struct evidence evidence[1];
	struct finding f = {
		.kind = FINDING_PINNING,
		.verdict = VERDICT_CONFIRMED,
		.uid = "6f1c2a90-1111-5222-8333-444455556666",
		.revision = 3,
		.bundle_id = SV("com.acme.bank"),
		.app_version = SV("7.1"),
		.attribution = ATTRIBUTION_HOST,
		.host = SV("api.bank.test"),
		.port = 443,
		.score_centidb = -195,
		.confidence = CONFIDENCE_MEDIUM,
		.risk = 45,
		.severity = SEVERITY_MEDIUM,
		.paths = PATH_REJECTION | PATH_PERSISTENT_OPACITY,
		.devices = devices,
		.n_devices = 2,
		.excluded_gateway_fault = 4,
		.log_sources = { [SENSOR_INSPECTION] = SOURCE_CONTRIBUTED,
				 [SENSOR_FLOW] = SOURCE_MISSING,
				 [SENSOR_EDR] = SOURCE_STALE,
				 [SENSOR_MDM] = SOURCE_PRESENT },
		.contributions = contributions,
		.n_contributions = 5,
		.controls_met = 1u << CONTROL_SAME_DEVICE_OTHER_DESTINATION,
		.risk_factors = risks,
		.n_risk_factors = 2,
		.evidence = evidence,
		.n_evidence = 1,
		.notes = notes,
		.n_notes = 1,
	};

	f.first_seen = at("2026-11-24T02:14:13.903Z");
	f.last_seen = at("2026-11-24T05:00:53.759Z");
	f.rivals[RIVAL_CA_UNTRUSTED] =
	    (struct rival_judgement){ RIVAL_REFUTED, SV("3 inspected successes") };
	f.rivals[RIVAL_MUTUAL_TLS] = (struct rival_judgement){ RIVAL_UNTESTED, SV("nobody asked") };
	evidence[0] = (struct evidence){ SV("proxy"),  SV("access.log"), 4711,
					 f.first_seen, OBS_TLS_ATTEMPT,	 SV("client_reject 46") };
	return f;
}

/* Names as an attacker would choose them: a title sequence, a screen wipe, reversed text, broken
 * UTF-8. */
static struct finding hostile(void)
{
	struct finding f = confirmed();

	f.bundle_id = SV("com.evil\x1b]0;owned\x07\"\\");
	f.host = SV("a\xe2\x80\xaetset.knab\xc2\x9b"
		    "2J\xff\x7f\n\r");
	f.app_version = sv_make("1\0.2", 4);
	return f;
}

static struct finding explained(void)
{
	struct finding f = confirmed();

	f.verdict = VERDICT_EXPLAINED;
	f.explained_by = SV("mutual_tls");
	f.bundle_id = f.app_version = SV_NONE;
	f.attribution = ATTRIBUTION_NONE;
	f.confidence = CONFIDENCE_NONE;
	f.risk = 0;
	f.severity = SEVERITY_INFORMATIONAL;
	f.n_risk_factors = 0;
	f.rivals[RIVAL_MUTUAL_TLS] =
	    (struct rival_judgement){ RIVAL_STANDS, SV("5 of 6 asked for one") };
	return f;
}

static struct finding expected(void)
{
	struct finding f = explained();

	f.verdict = VERDICT_EXPECTED;
	f.explained_by = SV("AllowedAppList:com.acme.*");
	return f;
}

static struct finding observed(void)
{
	struct finding f = explained();

	f.verdict = VERDICT_OBSERVED;
	f.explained_by = SV_NONE;
	f.paths = 0;
	return f;
}

static struct finding untrusted(void)
{
	struct finding f = {
		.kind = FINDING_CA_UNTRUSTED,
		.verdict = VERDICT_CONFIRMED,
		.uid = "caca2a90-1111-5222-8333-444455556666",
		.revision = 1,
		.confidence = CONFIDENCE_MEDIUM,
		.risk = 25,
		.severity = SEVERITY_LOW,
		.devices = devices,
		.n_devices = 1,
		.excluded_ca_untrusted = 5,
	};

	f.first_seen = f.last_seen = at("2026-11-24T02:14:13Z");
	return f;
}

static struct finding outage(void)
{
	struct finding f = untrusted();

	f.kind = FINDING_GATEWAY_FAULT;
	f.risk = 45;
	f.severity = SEVERITY_MEDIUM;
	f.devices = devices;
	f.n_devices = 2;
	return f;
}

static char *json_of(const struct finding *f)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	finding_json(&b, f, &settings);
	buf_char(&b, '\0');
	assert_false(b.overflowed);
	return b.p; /* buf_free is free */
}

/* The interface page's example with its own values; ' stands for a quote. */
static const char confirmed_json[] =
    "{'schema':'pinwatch.finding/1','uid':'6f1c2a90-1111-5222-8333-444455556666',"
    "'revision':3,'kind':'pinning','verdict':'confirmed','explained_by':null,"
    "'app':{'bundle_id':'com.acme.bank','version':'7.1','attribution':'host'},"
    "'destination':{'host':'api.bank.test','port':443},"
    "'score_db':-1.95,'confidence':'medium','risk':45,'severity':'medium',"
    "'paths':['rejection','persistent_opacity'],"
    "'first_seen':'2026-11-24T02:14:13.903Z','last_seen':'2026-11-24T05:00:53.759Z',"
    "'devices':[{'id':'00008110-000A1B2C3D4E001E','id_type':'udid','failures':5,'trials':4,"
    "'successes':0,'uninspected':2,'background_starts':3,'locked_starts':1},"
    "{'id':'10.8.0.14','id_type':'ip','ambiguous':true,'failures':1,'trials':1,"
    "'successes':2,'uninspected':0,'background_starts':0,'locked_starts':0}],"
    "'excluded':{'ca_untrusted':0,'gateway_fault':4},"
    "'log_sources':{'iOS:MDMLog':'present','MobileEDR:telemetry':'stale',"
    "'NSM:Flow':'missing','NSM:Inspection':'contributed'},"
    "'contributions':[{'term':'prior','db':-16.0,'because':'2.5 % of apps pin'},"
    "{'term':'differential','db':25.0,'because':'4 of 4 trials failed hard on 1 device'},"
    "{'term':'same_device_other_destination','db':6.0,'because':'fine with www.news.test'},"
    "{'term':'contradiction','db':-20.0,'because':'fine on another device'},"
    "{'term':'retry','db':3.05,'because':'again within 5 s'}],"
    "'controls':{'met':['same_device_other_destination'],"
    "'missing':['same_app_uninspected','other_app_same_destination']},"
    "'rivals':[{'name':'ca_untrusted','status':'refuted','because':'3 inspected successes'},"
    "{'name':'gateway_fault','status':'untested','because':''},"
    "{'name':'mutual_tls','status':'untested','because':'nobody asked'},"
    "{'name':'upstream','status':'untested','because':''},"
    "{'name':'tls_mismatch','status':'untested','because':''},"
    "{'name':'intermittent','status':'untested','because':''},"
    "{'name':'apple_service','status':'untested','because':''}],"
    "'risk_factors':[{'factor':'verdict','points':20,'because':'confirmed'},"
    "{'factor':'background','points':25,'because':'3 of 5 starts'}],"
    "'evidence':[{'source':'proxy','path':'access.log','line':4711,"
    "'time':'2026-11-24T02:14:13.903Z','what':'client_reject 46'}],"
    "'analytic':{'id':'AN1726','detection_strategy':'DET0646','technique':'T1521.003',"
    "'settings':{'TimeWindow':'10m','InspectionFailureThreshold':3,"
    "'ForegroundStateRequired':true,'AllowedAppList':['com.acme.*'],"
    "'AllowedDestinationList':['.push.vendor.test']}}}";

static void json_is_the_contracts(void **state)
{
	struct finding f = confirmed();
	char *json = json_of(&f);
	char *want = strdup(confirmed_json);

	(void)state;
	for (char *p = want; *p != '\0'; p++)
		*p = *p == '\'' ? '"' : *p;
	/* Keys and their order are those of the interface page; receivers compare lines. */
	assert_string_equal(json, want);
	free(want);
	free(json);
}

static void json_of_other_kinds_names_no_app(void **state)
{
	struct finding f = untrusted();
	char *json = json_of(&f);

	(void)state;
	/* A device's finding with an app or controls would be read as one about an app. */
	assert_non_null(strstr(json, "\"app\":null,\"destination\":null,\"score_db\":0.0,"));
	assert_non_null(strstr(json, "\"controls\":{\"met\":[],\"missing\":[]},\"rivals\":[]"));
	free(json);
}

static void json_nulls_what_is_not_said(void **state)
{
	struct finding f = explained();
	char *json = json_of(&f);

	(void)state;
	assert_non_null(strstr(json, "\"explained_by\":\"mutual_tls\",\"app\":{\"bundle_id\":null,"
				     "\"version\":null,\"attribution\":\"none\"}"));
	assert_non_null(
	    strstr(json, "\"confidence\":null,\"risk\":0,\"severity\":\"informational\""));
	free(json);
}

static void json_bounds_the_allow_lists(void **state)
{
	struct allowance many[SETTINGS_MAX_NAMES + 7];
	struct settings s = settings;
	struct finding f = confirmed();
	struct buf b;

	(void)state;
	for (size_t i = 0; i < SETTINGS_MAX_NAMES + 7; i++)
		many[i] = (struct allowance){ .text = SV("com.x"), .is_app_list = true };
	s.allowances = many;
	s.n_allowances = SETTINGS_MAX_NAMES + 7;
	buf_init(&b, 1 << 20);
	finding_json(&b, &f, &s);
	/* A list of thousands, repeated in every finding, would drown them. */
	assert_int_not_equal(sv_find(buf_view(&b), SV("\"com.x\",\"+7 more\"]")), SIZE_MAX);
	buf_free(&b);
}

static char *safe(struct sv v, size_t max)
{
	struct buf b;

	buf_init(&b, 4096);
	text_safe(&b, v, max);
	buf_char(&b, '\0');
	return b.p;
}

static void expect_safe(struct sv v, size_t max, const char *want)
{
	char *got = safe(v, max);

	assert_string_equal(got, want);
	free(got);
}

static void text_safe_neutralises(void **state)
{
	(void)state;
	expect_safe(SV("api.bank.test"), 0, "api.bank.test");
	expect_safe(SV("\x1b[2J\x07\r\n\t\x7f"), 0, "␛[2J␇␍␊␉␡");
	expect_safe(sv_make("a\0b", 3), 0, "a␀b");
	/* C1 controls are escape sequences too: U+009B is CSI. */
	expect_safe(SV("\xc2\x9b"
		       "31m"),
		    0, "<U+009B>31m");
	expect_safe(SV("a\xe2\x80\xae"
		       "b\xe2\x81\xa6"),
		    0, "a<U+202E>b<U+2066>");
	expect_safe(SV("\xe2\x80\x8bx\xef\xbb\xbf"), 0, "<U+200B>x<U+FEFF>");
	expect_safe(SV("\xff\xc3"), 0, "\xef\xbf\xbd\xef\xbf\xbd");
	expect_safe(SV("\xc0\x9b"), 0, "\xef\xbf\xbd\xef\xbf\xbd"); /* overlong ESC */
	expect_safe(SV("größe 日本"), 0, "größe 日本");
	expect_safe(SV("abcdef"), 6, "abcdef");
	expect_safe(SV("abcdefg"), 6, "abcde…");
	expect_safe(SV_NONE, 3, "");
}

static void text_formats(void **state)
{
	struct text_style utc = { 0 };
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	text_count(&b, 0);
	buf_char(&b, '|');
	text_count(&b, 999);
	buf_char(&b, '|');
	text_count(&b, 1234567);
	buf_char(&b, '|');
	text_bytes(&b, 999);
	buf_char(&b, '|');
	text_bytes(&b, 999999);
	buf_char(&b, '|');
	text_bytes(&b, 1440000);
	buf_char(&b, '|');
	text_span(&b, (struct span){ 26 * NS_PER_HOUR + 5 * NS_PER_MINUTE });
	buf_char(&b, '|');
	text_span(&b, (struct span){ NS_PER_HOUR + 5 * NS_PER_S });
	buf_char(&b, '|');
	text_fixed2(&b, -5, true);
	buf_char(&b, '|');
	text_fixed2(&b, 2136, true);
	buf_char(&b, '|');
	text_time(&b, INSTANT_NONE, &utc);
	buf_char(&b, '\0');
	assert_string_equal(b.p, "0|999|1,234,567|999 B|1.0 MB|1.4 MB|1 d 2 h|1 h|-0.05|+21.36|-");
	buf_free(&b);
}

/* What an emitter writes, as a string. */
static char *emitted(const char *name, const struct finding *f, size_t n, bool all,
		     struct text_style style)
{
	const struct run_summary run = { 0 };
	struct emit_input in = { .findings = f,
				 .n = n,
				 .all = all,
				 .summary = &run,
				 .settings = &settings,
				 .style = style,
				 .explain_command = SV("pinwatch explain FLEET") };
	struct error err;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(emitter_find(sv_cstr(name)));
	assert_true(emitter_find(sv_cstr(name))->write(out, &in, &err));
	fclose(out);
	return text;
}

/* Only printable characters, spaces and line breaks: nothing that a terminal obeys. */
static void assert_harmless(const char *text)
{
	for (const char *p = text; *p != '\0'; p++) {
		assert_true((unsigned char)*p >= 0x20 || *p == '\n');
		assert_true((unsigned char)*p != 0x7f);
	}
	assert_null(strstr(text, "\xe2\x80\xae"));
	assert_null(strstr(text, "\xc2\x9b"));
}

static void table_neutralises(void **state)
{
	struct finding f[] = { hostile() };
	char *wide = emitted("table", f, 1, false, (struct text_style){ 0 });
	char *narrow = emitted("table", f, 1, false, (struct text_style){ .width = 60 });

	(void)state;
	assert_harmless(wide);
	assert_harmless(narrow);
	assert_non_null(strstr(wide, "com.evil␛]0;owned␇"));
	free(wide);
	free(narrow);
}

static void table_ranks_by_severity_then_score(void **state)
{
	struct finding f[3] = { confirmed(), confirmed(), confirmed() };
	char *text;

	(void)state;
	f[0].host = SV("low.test");
	f[0].severity = SEVERITY_LOW;
	f[0].score_centidb = 9000;
	f[1].host = SV("second.test");
	f[1].score_centidb = 100;
	f[2].host = SV("first.test");
	f[2].score_centidb = 200;
	text = emitted("table", f, 3, false, (struct text_style){ 0 });
	assert_true(strstr(text, "first.test") < strstr(text, "second.test"));
	assert_true(strstr(text, "second.test") < strstr(text, "low.test"));
	/* The reader is told how to ask for the reason. */
	assert_non_null(strstr(text, "pinwatch explain FLEET 6f1c2a90"));
	free(text);
}

static void table_fits_the_terminal(void **state)
{
	struct finding f[] = { confirmed() };
	struct text_style style = { .width = 80 };
	char *text, *line, *rest;

	(void)state;
	f[0].host = SV("a-very-long-name-of-a-host.in-some-deep-zone.vendor.test");
	text = emitted("table", f, 1, false, style);
	/* The end of a host says whose it is; a cut from the right would hide that. */
	assert_non_null(strstr(text, "vendor.test"));
	for (line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
		assert_true(text_columns(sv_cstr(line)) <= 80);
	free(text);
}

static void table_hides_the_quiet_and_says_so(void **state)
{
	struct finding f[] = { explained(), expected(), observed(), untrusted(), outage() };
	char *text = emitted("table", f, 5, false, (struct text_style){ 0 });
	char *all = emitted("table", f, 5, true, (struct text_style){ 0 });

	(void)state;
	assert_non_null(strstr(text, "No app was found to pin."));
	assert_non_null(strstr(text, "1 explained, 1 observed, 1 expected (--all lists them)"));
	assert_non_null(strstr(text, "ca_untrusted: 1 device does not trust the inspection root"));
	assert_non_null(strstr(text, "gateway_fault: 1 span"));
	assert_non_null(strstr(all, "explained"));
	assert_null(strstr(all, "Not shown"));
	free(text);
	free(all);
}

static void table_colours_only_when_told(void **state)
{
	struct finding f[] = { confirmed() };
	char *plain = emitted("table", f, 1, false, (struct text_style){ 0 });
	char *coloured = emitted("table", f, 1, false, (struct text_style){ .colour = true });

	(void)state;
	assert_null(strchr(plain, '\x1b'));
	assert_non_null(strchr(coloured, '\x1b'));
	free(plain);
	free(coloured);
}

static void json_array_and_lines_hold_the_same(void **state)
{
	struct finding f[] = { confirmed(), explained(), untrusted() };
	char *lines = emitted("jsonl", f, 3, false, (struct text_style){ 0 });
	char *array = emitted("json", f, 3, false, (struct text_style){ 0 });
	char *none = emitted("json", f, 0, false, (struct text_style){ 0 });
	size_t breaks = 0;

	(void)state;
	for (const char *p = lines; *p != '\0'; p++)
		breaks += *p == '\n';
	assert_int_equal(breaks, 2); /* the explained one only with --all */
	assert_int_equal(array[0], '[');
	assert_string_equal(array + strlen(array) - 4, "}\n]\n");
	assert_string_equal(none, "[]\n");
	free(lines);
	free(array);
	free(none);
}

static char *page_of(const struct finding *f)
{
	struct explain_options options = { .style = { .width = 100 },
					   .settings = &settings,
					   .raw_lines = true };
	struct buf b;

	buf_init(&b, EXPLAIN_MAX_BYTES);
	explain_finding(&b, f, &options);
	buf_char(&b, '\0');
	assert_false(b.overflowed);
	return b.p;
}

/* Lines joined: where a paragraph breaks is another matter. */
static void unwrap(char *page)
{
	char *to = page;

	for (const char *p = page; *p != '\0'; p++) {
		bool end = *p == '\n';

		*to++ = end ? ' ' : *p;
		while (end && p[1] == ' ')
			p++;
	}
	*to = '\0';
}

static void explain_takes_everything_apart(void **state)
{
	static const char *const parts[] = {
		"pinning: confirmed",
		"6f1c2a90-1111-5222-8333-444455556666",
		"com.acme.bank 7.1",
		"api.bank.test:443",
		"attribution host",
		"risk 45",
		"medium",
		/* score */
		"-16.00",
		"prior",
		"+25.00",
		"differential",
		"4 of 4 trials failed hard",
		"-20.00",
		"-1.95",
		/* controls, met and missing, and what would meet them */
		"met     same_device_other_destination",
		"missing same_app_uninspected",
		"would be met by",
		/* rivals */
		"refuted  ca_untrusted",
		"3 inspected successes",
		"untested gateway_fault",
		"apple_service",
		/* paths */
		"reached     A",
		"not reached B",
		"reached     C",
		/* risk, devices, log sources and what they capped */
		"+25 background",
		"00008110-000A1B2C3D4E001E",
		"ambiguous",
		"4 attempts while",
		"missing     NSM:Flow",
		"stale       MobileEDR:telemetry",
		"Confidence is at most medium",
		/* evidence, notes, settings */
		"access.log:4711",
		"client_reject 46",
		"One control more would raise the score by 10.",
		"TimeWindow 10m",
		"AllowedAppList 1 entry",
	};
	struct finding f = confirmed();
	char *page = page_of(&f);

	(void)state;
	unwrap(page);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strstr(page, parts[i]) == NULL)
			fail_msg("the page lacks \"%s\":\n%s", parts[i], page);
	free(page);
}

static void explain_says_every_verdict(void **state)
{
	struct finding f[] = { explained(), expected(), observed(), untrusted(), outage() };
	static const char *const sentences[] = {
		"there is an ordinary reason: the destination wants a client certificate",
		"allowed by AllowedAppList:com.acme.*",
		"nothing there amounts to pinning",
		"does not trust the inspecting gateway's root certificate",
		"The gateway itself was failing",
	};

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		char *page = page_of(&f[i]);

		unwrap(page);
		if (strstr(page, sentences[i]) == NULL)
			fail_msg("no \"%s\" in:\n%s", sentences[i], page);
		free(page);
	}
}

static void explain_neutralises_and_reads_lines_again(void **state)
{
	char path[] = "/tmp/pinwatch-test-XXXXXX";
	int fd = mkstemp(path);
	struct finding f = hostile();
	struct evidence evidence[2] = {
		{ SV("proxy"), sv_cstr(path), 3, at("2026-11-24T02:14:13Z"), OBS_TLS_ATTEMPT,
		  SV("third\x1b[1m") },
		{ SV("proxy"), sv_cstr(path), 1, at("2026-11-24T02:14:14Z"), OBS_TLS_ATTEMPT,
		  SV("first") },
	};
	static const char lines[] = "the first line\n\nthe \x1b[31mthird\n";
	char *page;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, lines, sizeof(lines) - 1), sizeof(lines) - 1);
	close(fd);
	f.evidence = evidence;
	f.n_evidence = 2;
	page = page_of(&f);
	unlink(path);
	assert_harmless(page);
	/* Each under its own record, in the order of the evidence. */
	assert_non_null(strstr(page, "the ␛[31mthird"));
	assert_true(strstr(page, "the ␛[31mthird") < strstr(page, "the first line"));
	free(page);
}

static void explain_stands_without_the_files(void **state)
{
	struct finding f = confirmed();
	struct evidence gone = {
		SV("proxy"),	 SV("/nonexistent/access.log"), 1, at("2026-11-24T02:14:13Z"),
		OBS_TLS_ATTEMPT, SV("client_reject 46")
	};
	char *page;

	(void)state;
	f.evidence = &gone;
	page = page_of(&f);
	assert_non_null(strstr(page, "/nonexistent/access.log:1"));
	free(page);
}

static void footer_accounts_for_everything(void **state)
{
	const struct source_summary sources[] = {
		{ .name = SV("proxy\x1b[2J"),
		  .kind = SENSOR_INSPECTION,
		  .format = SV("lines"),
		  .files = 2,
		  .records = 12345,
		  .rejected = 3,
		  .irrelevant = 31,
		  .overlong = 1,
		  .quarantined = 5,
		  .too_late = 7,
		  .first = at("2026-11-24T02:00:00Z"),
		  .last = at("2026-11-24T04:00:00Z"),
		  .examples = { { SV("a.log"), 17, SV("field time: no number") } },
		  .n_examples = 1 },
		{ .name = SV("mdm"), .kind = SENSOR_MDM, .configured = true },
	};
	const struct run_summary run = {
		.sources = sources,
		.n_sources = 2,
		.log_sources = { SOURCE_PRESENT, SOURCE_STALE, SOURCE_MISSING, SOURCE_MISSING },
		.first = sources[0].first,
		.last = sources[0].last,
		.overlap_from = INSTANT_NONE,
		.overlap_to = INSTANT_NONE,
	};
	static const char *const parts[] = {
		"12,345 records",
		"3 rejected",
		"31 irrelevant",
		"1 overlong",
		"7 too late",
		"5 quarantined",
		"2026-11-24T02:00:00Z to 2026-11-24T04:00:00Z",
		"a.log:17: field time: no number",
		"mdm (mdm): missing",
		"overlap: none",
		"NSM:Flow is stale",
		"iOS:MDMLog is missing",
		"MobileEDR:telemetry is missing",
		"Confidence is at most medium",
	};
	struct text_style style = { 0 };
	struct buf b;

	(void)state;
	buf_init(&b, FOOTER_MAX_BYTES);
	footer(&b, &run, &style, false);
	buf_char(&b, '\0');
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strstr(b.p, parts[i]) == NULL)
			fail_msg("the footer lacks \"%s\":\n%s", parts[i], b.p);
	assert_null(strstr(b.p, "NSM:Inspection is"));
	assert_harmless(b.p);
	buf_free(&b);
}

static int print_all(void)
{
	struct finding f[] = { confirmed(), hostile(),	 explained(), expected(),
			       observed(),  untrusted(), outage() };

	for (size_t i = 0; i < sizeof(f) / sizeof(f[0]); i++) {
		char *json = json_of(&f[i]);

		puts(json);
		free(json);
	}
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_is_the_contracts),
		cmocka_unit_test(json_of_other_kinds_names_no_app),
		cmocka_unit_test(json_nulls_what_is_not_said),
		cmocka_unit_test(json_bounds_the_allow_lists),
		cmocka_unit_test(text_safe_neutralises),
		cmocka_unit_test(text_formats),
		cmocka_unit_test(table_neutralises),
		cmocka_unit_test(table_ranks_by_severity_then_score),
		cmocka_unit_test(table_fits_the_terminal),
		cmocka_unit_test(table_hides_the_quiet_and_says_so),
		cmocka_unit_test(table_colours_only_when_told),
		cmocka_unit_test(json_array_and_lines_hold_the_same),
		cmocka_unit_test(explain_takes_everything_apart),
		cmocka_unit_test(explain_says_every_verdict),
		cmocka_unit_test(explain_neutralises_and_reads_lines_again),
		cmocka_unit_test(explain_stands_without_the_files),
		cmocka_unit_test(footer_accounts_for_everything),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	if (argc == 2 && strcmp(argv[1], "--print") == 0)
		return print_all();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
