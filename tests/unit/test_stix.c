/* ATT&CK bundles: finding the analytic, resolving its references, telling its drift.
 *
 * The documents in data/stix have the structure and the names of ATT&CK's and a wording of their
 * own; so the drift is told against the implemented analytic with the digests of that wording. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/sha.h>

#include "base/buf.h"
#include "parse/stix.h"
#include "parse/stix_drift.h"
#include "parse/stix_split.h"

#ifndef TEST_DATA_DIR
#define TEST_DATA_DIR "tests/unit/data"
#endif

#define ID SV("AN1726")

/* What a corpus is made of, the analytic first. */
static const char *const parts[] = { "analytic", "analytic_older", "sibling", "components",
				     "lineage_2.1" };
#define N_PARTS (sizeof(parts) / sizeof(parts[0]))
#define N_OBJECTS 14u

/* The analytic that the documents describe. */
struct fixture {
	struct implemented_analytic analytic;
	char digests[10][STIX_DIGEST_SIZE];
};

/* Words as they are digested: lower case, single blanks. Not by stix_digest, which is under
 * test. */
static void published(struct fixture *f, size_t i, struct implemented_text *text, const char *words)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];

	SHA256((const unsigned char *)words, strlen(words), digest);
	for (size_t k = 0; k < sizeof(digest); k++)
		snprintf(f->digests[i] + 2 * k, 3, "%02x", digest[k]);
	text->published = f->digests[i];
}

static void fixture_init(struct fixture *f)
{
	static const struct {
		const char *channel, *component_ref;
	} sources[] = {
		{ "inventory line for the test",
		  "x-mitre-data-component--dc000000-0000-4000-8000-000000000114" },
		{ "agent line for the test",
		  "x-mitre-data-component--dc000000-0000-4000-8000-000000000123" },
		{ "flow line for the test",
		  "x-mitre-data-component--dc000000-0000-4000-8000-000000000085" },
		{ "gateway line for the test",
		  "x-mitre-data-component--dc000000-0000-4000-8000-000000000085" },
	};
	static const char *const elements[] = {
		"invented meaning of the window",
		"invented meaning of the app list",
		"invented meaning of the destination list",
		"invented meaning of the foreground rule",
		"invented meaning of the threshold",
	};

	f->analytic = implemented_analytic;
	published(f, 9, &f->analytic.description,
		  "a test sentence about phones whose apps turn down the gateway. "
		  "a second paragraph, so that line breaks occur.");
	for (size_t i = 0; i < 4; i++) {
		published(f, i, &f->analytic.sources[i].channel, sources[i].channel);
		f->analytic.sources[i].component_ref = sources[i].component_ref;
	}
	for (size_t i = 0; i < 5; i++)
		published(f, 4 + i, &f->analytic.elements[i].description, elements[i]);
}

/* A file of the data folder, to be freed. */
static char *slurp(const char *name, size_t *n)
{
	char path[300], *bytes;
	FILE *f;

	snprintf(path, sizeof(path), TEST_DATA_DIR "/stix/%s.json", name);
	f = fopen(path, "rb");
	if (f == NULL)
		fail_msg("cannot open %s: run from the source folder", path);
	bytes = calloc(1, 100001);
	assert_non_null(bytes);
	*n = fread(bytes, 1, 100000, f);
	fclose(f);
	return bytes;
}

static void assert_view(struct sv v, const char *text)
{
	if (!sv_eq(v, sv_cstr(text)))
		fail_msg("expected `%s`, have `%.*s`", text, SV_ARG(v));
}

/* Every object of the parts in one bundle, as a corpus has them. STIX 2.0 says so on the bundle,
 * 2.1 on the objects. */
static void corpus(struct buf *out, const char *version, bool backwards)
{
	bool old = strcmp(version, "2.0") == 0;
	struct sv objects[N_OBJECTS];
	char *files[N_PARTS];
	struct error err;
	size_t n = 0;

	for (size_t i = 0; i < N_PARTS; i++) {
		size_t bytes;
		struct stix_split split;
		struct sv object;
		files[i] = slurp(i > 0 || old ? parts[i] : "analytic_2.1", &bytes);
		assert_true(stix_split_open(&split, sv_make(files[i], bytes), &err));
		while (stix_split_next(&split, &object, &err) > 0) {
			assert_true(n < N_OBJECTS);
			objects[n++] = object;
		}
	}
	assert_int_equal(n, N_OBJECTS);
	buf_init(out, 1 << 20);
	buf_str(out, "{\"type\":\"bundle\",\"id\":\"bundle--1\",\"objects\":[");
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_char(out, ',');
		buf_sv(out, objects[backwards ? n - 1 - i : i]);
	}
	buf_str(out, old ? "],\"spec_version\":\"2.0\"}" : "]}");
	assert_false(out->overflowed);
	for (size_t i = 0; i < N_PARTS; i++)
		free(files[i]);
}

/* The corpus with the first occurrence of a text (the analytic comes first) replaced by another. */
static void changed(struct buf *out, const char *old, const char *new)
{
	struct buf all;
	size_t at;

	corpus(&all, "2.0", false);
	at = sv_find(buf_view(&all), sv_cstr(old));
	if (at == SIZE_MAX)
		fail_msg("nowhere: %s", old);
	buf_init(out, 1 << 20);
	buf_sv(out, sv_first(buf_view(&all), at));
	buf_str(out, new);
	buf_sv(out, sv_skip(buf_view(&all), at + strlen(old)));
	buf_free(&all);
}

static size_t count_kind(const struct drift *drift, size_t n, enum drift_kind kind)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += drift[i].kind == kind;
	return count;
}

/* The drifts of one document. */
static size_t drift_of(struct sv json, struct arena *a, const struct drift **out)
{
	struct stix *s = stix_new(ID);
	struct stix_analytic analytic;
	struct fixture f;
	struct error err;
	size_t n;

	fixture_init(&f);
	if (!stix_add(s, json, &err) || !stix_resolve(s, &analytic, &err))
		fail_msg("%s", err.message);
	n = stix_drift(&analytic, &f.analytic, a, out);
	stix_free(s);
	return n;
}

/* Fails when the analytic alone is not understood, or what it lacks is not said to be open. */
static void alone(void **state)
{
	static const char *const files[][2] = { { "analytic", "2.0" }, { "analytic_2.1", "2.1" } };
	static const char *const sources[] = { "iOS:MDMLog", "MobileEDR:telemetry", "NSM:Flow",
					       "NSM:Inspection" };
	static const char *const elements[] = { "TimeWindow", "AllowedAppList",
						"AllowedDestinationList", "ForegroundStateRequired",
						"InspectionFailureThreshold" };

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct stix *s = stix_new(ID);
		struct arena arena = { 0 };
		const struct drift *drift;
		struct stix_analytic a;
		struct fixture f;
		struct error err;
		char path[300];

		fixture_init(&f);
		snprintf(path, sizeof(path), TEST_DATA_DIR "/stix/%s.json", files[k][0]);
		if (!stix_add_file(s, path, &err) || !stix_resolve(s, &a, &err))
			fail_msg("%s", err.message);
		assert_view(a.self.external_id, "AN1726");
		assert_view(a.self.name, "Analytic 1726");
		assert_true(sv_starts(a.description, SV("A test sentence about phones")));
		assert_view(a.version, "1.1");
		assert_view(a.modified, "2031-03-01T09:30:00.000Z");
		assert_view(a.attack_spec_version, "3.3.0");
		assert_view(a.stix_version, files[k][1]);
		assert_int_equal(a.platforms.n, 1);
		assert_view(a.platforms.items[0], "iOS");
		assert_view(a.domains.items[0], "mobile-attack");
		assert_int_equal(a.n_elements, 5);
		for (size_t i = 0; i < 5; i++)
			assert_view(a.elements[i].field, elements[i]);
		assert_view(a.elements[0].description, "Invented meaning of the window");
		assert_int_equal(a.n_log_sources, 4);
		for (size_t i = 0; i < 4; i++)
			assert_view(a.log_sources[i].name, sources[i]);
		assert_view(a.log_sources[2].channel, "Flow line for the test");
		assert_int_equal(a.n_open, 4);
		assert_false(a.log_sources[0].component.resolved);
		assert_view(a.log_sources[0].component.stix_id,
			    "x-mitre-data-component--dc000000-0000-4000-8000-000000000114");
		assert_true(sv_empty(a.strategy.stix_id));
		assert_true(sv_empty(a.technique.stix_id));
		assert_int_equal(stix_drift(&a, &f.analytic, &arena, &drift), 0);
		arena_free(&arena);
		stix_free(s);
	}
}

static void assert_complete(const struct stix_analytic *a)
{
	static const char *const components[] = { "DC0114", "DC0123", "DC0085", "DC0085" };

	assert_int_equal(a->n_open, 0);
	for (size_t i = 0; i < 4; i++)
		assert_view(a->log_sources[i].component.external_id, components[i]);
	assert_view(a->log_sources[0].component.name, "Application Permission");
	assert_view(a->strategy.external_id, "DET0646");
	assert_view(a->strategy.name, "Detection of SSL Pinning");
	assert_true(a->technique.resolved);
	assert_view(a->technique.external_id, "T1521.003");
	assert_view(a->technique.name, "SSL Pinning");
	assert_false(a->technique.revoked || a->technique.deprecated);
}

/* Fails when resolution depends on the order of objects, on the STIX version, or on being alone:
 * the corpus has a sibling, an older version, another strategy and a withdrawn relationship. */
static void whole(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		const char *version = i < 2 ? "2.0" : "2.1";
		struct stix *s = stix_new(ID);
		struct arena arena = { 0 };
		const struct drift *drift;
		struct stix_analytic a;
		struct fixture f;
		struct error err;
		struct buf b;

		fixture_init(&f);
		corpus(&b, version, i % 2 != 0);
		if (!stix_add(s, buf_view(&b), &err) || !stix_resolve(s, &a, &err))
			fail_msg("%s", err.message);
		assert_complete(&a);
		assert_int_equal(a.n_objects, N_OBJECTS);
		assert_view(a.version, "1.1");
		assert_view(a.stix_version, version);
		assert_int_equal(stix_drift(&a, &f.analytic, &arena, &drift), 0);
		arena_free(&arena);
		stix_free(s);
		buf_free(&b);
	}
}

/* Fails when resolution depends on all being in one document, or on which document comes first. */
static void apart(void **state)
{
	(void)state;
	for (int backwards = 0; backwards < 2; backwards++) {
		struct stix *s = stix_new(ID);
		struct stix_analytic a;
		struct error err;

		for (size_t i = 0; i < N_PARTS; i++) {
			char path[300];
			snprintf(path, sizeof(path), TEST_DATA_DIR "/stix/%s.json",
				 parts[backwards ? N_PARTS - 1 - i : i]);
			assert_true(stix_add_file(s, path, &err));
		}
		assert_true(stix_resolve(s, &a, &err));
		assert_complete(&a);
		assert_view(a.version, "1.1");
		stix_free(s);
	}
}

/* Fails when an earlier version passes for the analytic that is implemented. */
static void older(void **state)
{
	struct arena arena = { 0 };
	const struct drift *drift;
	size_t n, bytes_n;
	char *bytes = slurp("analytic_older", &bytes_n);

	(void)state;
	n = drift_of(sv_make(bytes, bytes_n), &arena, &drift);
	assert_int_equal(count_kind(drift, n, DRIFT_VERSION), 1);
	assert_int_equal(count_kind(drift, n, DRIFT_DESCRIPTION), 1);
	assert_int_equal(count_kind(drift, n, DRIFT_ELEMENT_MISSING), 5);
	assert_int_equal(count_kind(drift, n, DRIFT_SOURCE_MISSING), 4);
	assert_int_equal(count_kind(drift, n, DRIFT_SOURCE_ADDED), 1);
	assert_int_equal(n, 12);
	assert_view(drift[0].because, "the bundle has x_mitre_version 1.0, implemented is 1.1");
	for (size_t i = 0; i < n; i++)
		assert_false(drift[i].note);
	free(bytes);
	arena_free(&arena);
}

/* Fails when a spelling is reported as a change, a change passes for a spelling, or a change around
 * the analytic (another strategy or technique, one of them or a component withdrawn) goes
 *
 * unnoticed. */
static void differences(void **state)
{
	static const struct {
		const char *old, *new;
		enum drift_kind kind;
		bool note;
		const char *subject;
	} cases[] = {
		{ "\"TimeWindow\"", "\"TimeWindowSeconds\"", DRIFT_ELEMENT_RENAMED, true,
		  "TimeWindow" },
		{ "\"AllowedDestinationList\"", "\"AllowedDestinations\"", DRIFT_ELEMENT_RENAMED,
		  true, "AllowedDestinationList" },
		{ "\"AllowedAppList\"", "\"AllowedApList\"", DRIFT_ELEMENT_RENAMED, true,
		  "AllowedAppList" },
		{ "\"MobileEDR:telemetry\"", "\"MobiledEDR:telemetry \"", DRIFT_SOURCE_SPELLING,
		  true, "MobileEDR:telemetry" },
		{ "\"NSM:Flow\"", "\"nsm:flow\"", DRIFT_SOURCE_SPELLING, true, "NSM:Flow" },
		{ "meaning of the threshold", "sense of the threshold", DRIFT_ELEMENT_MEANING,
		  false, "InspectionFailureThreshold" },
		{ "Gateway line", "Gateway lines", DRIFT_SOURCE_CHANNEL, false, "NSM:Inspection" },
		{ "000000000123", "000000000124", DRIFT_SOURCE_COMPONENT, false,
		  "MobileEDR:telemetry" },
		{ "\"iOS\"", "\"Android\"", DRIFT_PLATFORM, false, "AN1726" },
		{ "\"mobile-attack\"", "\"ics-attack\"", DRIFT_PLATFORM, false, "AN1726" },
		{ "\"revoked\": false", "\"revoked\": true", DRIFT_WITHDRAWN, false, "AN1726" },
		{ "\"x_mitre_deprecated\": false", "\"x_mitre_deprecated\": true", DRIFT_WITHDRAWN,
		  false, "AN1726" },
		{ "\"1.1\"", "\"1.2\"", DRIFT_VERSION, false, "AN1726" },
		{ "occur.", "occur!", DRIFT_DESCRIPTION, false, "AN1726" },
		{ "turn down", "turndown", DRIFT_DESCRIPTION, false, "AN1726" },
		{ "\"DET0646\"", "\"DET0647\"", DRIFT_LINEAGE, false, "DET0647" },
		{ "\"T1521.003\"", "\"T1521.004\"", DRIFT_LINEAGE, false, "T1521.004" },
		{ "\"name\": \"Detection of SSL Pinning\"", "\"x_mitre_deprecated\": true",
		  DRIFT_WITHDRAWN, false, "DET0646" },
		{ "\"name\": \"SSL Pinning\"", "\"x_mitre_deprecated\": true", DRIFT_WITHDRAWN,
		  false, "T1521.003" },
		{ "\"name\": \"Application State\"", "\"x_mitre_deprecated\": true",
		  DRIFT_WITHDRAWN, false, "DC0123" },
	};
	struct arena arena = { 0 };
	const struct drift *drift;
	struct buf b;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		changed(&b, cases[i].old, cases[i].new);
		if (drift_of(buf_view(&b), &arena, &drift) != 1)
			fail_msg("%s: not exactly one drift", cases[i].new);
		if (drift[0].kind != cases[i].kind || drift[0].note != cases[i].note)
			fail_msg("%s: told as %s", cases[i].new, drift_kind_name(drift[0].kind));
		assert_view(drift[0].subject, cases[i].subject);
		buf_free(&b);
	}
	/* Blanks at the ends are no difference at all. */
	changed(&b, "\"NSM:Inspection\"", "\" NSM:Inspection  \"");
	assert_int_equal(drift_of(buf_view(&b), &arena, &drift), 0);
	buf_free(&b);
	/* Nor is the breaking of lines, or case. */
	changed(&b, "turn down the gateway.\\n\\nA second", "turn\\tdown the gateway. a  SECOND");
	assert_int_equal(drift_of(buf_view(&b), &arena, &drift), 0);
	buf_free(&b);
	/* Another name: gone and new. */
	changed(&b, "\"NSM:Flow\"", "\"NSM:Connections\"");
	assert_int_equal(drift_of(buf_view(&b), &arena, &drift), 2);
	assert_int_equal(drift[0].kind, DRIFT_SOURCE_MISSING);
	assert_int_equal(drift[1].kind, DRIFT_SOURCE_ADDED);
	buf_free(&b);
	arena_free(&arena);
}

#define MINIMAL(more)                                                                              \
	"{\"type\":\"x-mitre-analytic\",\"id\":\"x-mitre-analytic--1\"" more                       \
	",\"external_references\":[{\"source_name\":\"mitre-attack\",\"external_id\":\"AN1726\"}]" \
	"}"

/* Fails when one of the envelopes in use is not read, or its STIX version not told. */
static void envelopes(void **state)
{
	static const struct {
		const char *json, *version;
	} cases[] = {
		{ "{\"type\":\"bundle\",\"id\":\"bundle--1\",\"objects\":[" MINIMAL(
		      ",\"spec_version\":\"2.1\"") "]}",
		  "2.1" },
		{ "\xef\xbb\xbf{\"spec_version\":\"2.0\",\"objects\":[ " MINIMAL("") " ]}", "2.0" },
		{ "{\"more\":false,\"objects\":[" MINIMAL(",\"spec_version\":\"2.1\"") "]}",
		  "2.1" },
		{ "[" MINIMAL("") "]", "" },
		{ MINIMAL(",\"spec_version\":\"2.1\""), "2.1" },
		{ "{\"objects\":[" MINIMAL(",\"name\":\"a \\\"}]{[ b\"") "]}", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct stix *s = stix_new(ID);
		struct stix_analytic a;
		struct error err;
		if (!stix_add(s, sv_cstr(cases[i].json), &err) || !stix_resolve(s, &a, &err))
			fail_msg("%s: %s", cases[i].json, err.message);
		assert_view(a.stix_version, cases[i].version);
		assert_int_equal(a.n_log_sources, 0);
		stix_free(s);
	}
}

/* Fails when something that is no bundle is accepted, or the message does not say what is
 * missing. */
static void refusals(void **state)
{
	static const struct {
		const char *json, *words;
	} cases[] = {
		{ "", "empty" },
		{ "hello", "not a STIX bundle" },
		{ "{}", "not a STIX bundle" },
		{ "{\"objects\":3}", "not a STIX bundle" },
		{ "{\"objects\":[3]}", "expected a STIX object" },
		{ "{\"objects\":[{]}", "too early" },
		{ "{\"objects\":[{\"a\":tru}]}", "" },
		{ "{\"objects\":[{} {}]}", "expected a comma" },
		{ "{objects:[]}", "in quotes" },
		{ "{\"objects\":[]", "too early" },
		{ "{\"objects\":[]}", "no analytic AN1726 among the 0 STIX objects" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct stix *s = stix_new(ID);
		struct stix_analytic a;
		struct error err = { 0 };
		if (stix_add(s, sv_cstr(cases[i].json), &err) && stix_resolve(s, &a, &err))
			fail_msg("accepted: %s", cases[i].json);
		if (strstr(err.message, cases[i].words) == NULL)
			fail_msg("%s: %s", cases[i].json, err.message);
		stix_free(s);
	}
}

static void missing_file(void **state)
{
	struct stix *s = stix_new(ID);
	struct error err;

	(void)state;
	assert_false(stix_add_file(s, "/nonexistent/attack.json", &err));
	assert_non_null(strstr(err.message, "/nonexistent/attack.json"));
	stix_free(s);
}

/* Fails when a cut or a damaged byte crashes the reader, or a cut document passes for a whole
 * one. */
static void damage(void **state)
{
	size_t n;
	char *bytes = slurp("analytic", &n);
	struct stix_analytic a;
	struct error err;

	(void)state;
	for (size_t cut = 0; cut < n; cut += 7) {
		char *copy = malloc(cut + 1); /* so that reading past the cut is noticed */
		struct stix *s = stix_new(ID);
		memcpy(copy, bytes, cut);
		assert_false(stix_add(s, sv_make(copy, cut), &err));
		stix_free(s);
		s = stix_new(ID);
		if (cut > 0)
			copy[cut / 2] ^= 0x55;
		stix_add(s, sv_make(copy, cut), &err);
		stix_free(s);
		free(copy);
		s = stix_new(ID);
		bytes[cut] ^= 0x11;
		if (stix_add(s, sv_make(bytes, n), &err) && stix_resolve(s, &a, &err)) {
			struct arena arena = { 0 };
			const struct drift *drift;
			stix_drift(&a, &implemented_analytic, &arena, &drift);
			arena_free(&arena);
		}
		bytes[cut] ^= 0x11;
		stix_free(s);
	}
	free(bytes);
}

/* Fails when a digest is not the one that sha256sum gives for the plain form of a text. */
static void digests(void **state)
{
	static const struct {
		const char *text, *hex;
	} cases[] = {
		/* The vectors of "hello world", of nothing, and of "a". */
		{ "hello world",
		  "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9" },
		{ "\t Hello \r\n  World\n",
		  "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9" },
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ " \n\t\r", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "A", "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb" },
	};
	struct arena arena = { 0 };
	char hex[STIX_DIGEST_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		stix_digest(hex, sv_cstr(cases[i].text), &arena);
		assert_string_equal(hex, cases[i].hex);
	}
	stix_digest(hex, SV_NONE, &arena);
	assert_string_equal(hex, cases[2].hex);
	arena_free(&arena);
}

/* A digest that nothing can equal, or words that are missing, would pass unnoticed otherwise. */
static void assert_text(const struct implemented_text *text)
{
	assert_true(strlen(text->words) > 20);
	assert_int_equal(strlen(text->published), STIX_DIGEST_SIZE - 1);
	assert_int_equal(strspn(text->published, "0123456789abcdef"), STIX_DIGEST_SIZE - 1);
}

/* Fails when the table of what is implemented has a hole, or names what AN1726 does not. */
static void implemented(void **state)
{
	const struct implemented_analytic *a = &implemented_analytic;

	(void)state;
	assert_string_equal(a->external_id, "AN1726");
	assert_string_equal(a->version, "1.1");
	assert_string_equal(a->strategy_id, "DET0646");
	assert_string_equal(a->technique_id, "T1521.003");
	assert_int_equal(a->sources[0].sensor, SENSOR_MDM);
	assert_int_equal(a->sources[1].sensor, SENSOR_EDR);
	assert_int_equal(a->sources[2].sensor, SENSOR_FLOW);
	assert_int_equal(a->sources[3].sensor, SENSOR_INSPECTION);
	assert_text(&a->description);
	for (size_t i = 0; i < 4; i++)
		assert_text(&a->sources[i].channel);
	for (size_t i = 0; i < 5; i++) {
		assert_non_null(a->elements[i].field);
		assert_text(&a->elements[i].description);
	}
	for (int kind = 0; kind < DRIFT_KINDS; kind++)
		assert_non_null(drift_kind_name((enum drift_kind)kind));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alone),	cmocka_unit_test(whole),
		cmocka_unit_test(apart),	cmocka_unit_test(older),
		cmocka_unit_test(differences),	cmocka_unit_test(digests),
		cmocka_unit_test(envelopes),	cmocka_unit_test(refusals),
		cmocka_unit_test(missing_file), cmocka_unit_test(damage),
		cmocka_unit_test(implemented),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
