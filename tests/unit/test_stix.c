/* ATT&CK bundles: finding the analytic, resolving its references, telling its drift. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buf.h"
#include "parse/stix.h"
#include "parse/stix_drift.h"
#include "parse/stix_split.h"

#ifndef TEST_DATA_DIR
#define TEST_DATA_DIR "tests/unit/data"
#endif

#define ID SV("AN1726")

static const char *const parts[] = {
	"DC0114",  "DC0123", "DC0085", "T1521.003", "AN1725", "rel_DET0646_detects_T1521.003",
	"DET0646", "AN1726",
};
#define N_PARTS (sizeof(parts) / sizeof(parts[0]))

/* A file of the data folder, to be freed. */
static char *slurp(const char *name, size_t *n)
{
	char path[300], *bytes;
	FILE *f;

	snprintf(path, sizeof(path), TEST_DATA_DIR "/attack/%s.json", name);
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

/* Every object of the parts in one bundle, as a corpus has them. */
static void corpus(struct buf *out, bool backwards)
{
	struct error err;

	buf_init(out, 1 << 20);
	buf_str(out, "{\"type\":\"bundle\",\"id\":\"bundle--1\",\"objects\":[");
	for (size_t i = 0; i < N_PARTS; i++) {
		size_t n;
		char *bytes = slurp(parts[backwards ? N_PARTS - 1 - i : i], &n);
		struct stix_split split;
		struct sv object;
		assert_true(stix_split_open(&split, sv_make(bytes, n), &err));
		while (stix_split_next(&split, &object, &err) > 0) {
			if (out->p[out->n - 1] != '[')
				buf_char(out, ',');
			buf_sv(out, object);
		}
		free(bytes);
	}
	buf_str(out, "],\"spec_version\":\"2.0\"}");
	assert_false(out->overflowed);
}

/* The analytic's file with one text replaced by another. */
static void changed(struct buf *out, const char *old, const char *new)
{
	size_t n, at;
	char *bytes = slurp("AN1726", &n);

	at = sv_find(sv_make(bytes, n), sv_cstr(old));
	assert_true(at != SIZE_MAX);
	buf_init(out, 1 << 20);
	buf_append(out, bytes, at);
	buf_str(out, new);
	buf_sv(out, sv_skip(sv_make(bytes, n), at + strlen(old)));
	free(bytes);
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
	struct error err;
	size_t n;

	if (!stix_add(s, json, &err) || !stix_resolve(s, &analytic, &err))
		fail_msg("%s", err.message);
	n = stix_drift(&analytic, a, out);
	stix_free(s);
	return n;
}

/* Fails when the analytic alone is not understood, or what it lacks is not said to be open. */
static void alone(void **state)
{
	struct stix *s = stix_new(ID);
	struct stix_analytic a;
	const struct drift *drift;
	struct arena arena = { 0 };
	struct error err;

	(void)state;
	if (!stix_add_file(s, TEST_DATA_DIR "/attack/AN1726.json", &err) ||
	    !stix_resolve(s, &a, &err))
		fail_msg("%s", err.message);
	assert_view(a.self.external_id, "AN1726");
	assert_view(a.self.name, "Analytic 1726");
	assert_view(a.version, "1.1");
	assert_view(a.modified, "2026-04-08T16:26:13.027Z");
	assert_view(a.attack_spec_version, "3.3.0");
	assert_view(a.stix_version, "2.0");
	assert_int_equal(a.platforms.n, 1);
	assert_view(a.platforms.items[0], "iOS");
	assert_view(a.domains.items[0], "mobile-attack");
	assert_int_equal(a.n_elements, 5);
	assert_view(a.elements[4].field, "InspectionFailureThreshold");
	assert_int_equal(a.n_log_sources, 4);
	assert_view(a.log_sources[1].name, "MobileEDR:telemetry");
	assert_int_equal(a.n_open, 4);
	assert_false(a.log_sources[0].component.resolved);
	assert_view(a.log_sources[0].component.stix_id,
		    "x-mitre-data-component--b1e0bb80-23d4-44f2-b919-7e9c54898f43");
	assert_true(sv_empty(a.strategy.stix_id));
	assert_true(sv_empty(a.technique.stix_id));
	assert_int_equal(stix_drift(&a, &arena, &drift), 0);
	arena_free(&arena);
	stix_free(s);
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

/* Fails when resolution depends on the order of objects, or on all being in one document. */
static void whole(void **state)
{
	(void)state;
	for (int backwards = 0; backwards < 2; backwards++) {
		struct stix *s = stix_new(ID);
		struct arena arena = { 0 };
		const struct drift *drift;
		struct stix_analytic a;
		struct error err;
		struct buf b;

		corpus(&b, backwards != 0);
		if (!stix_add(s, buf_view(&b), &err) || !stix_resolve(s, &a, &err))
			fail_msg("%s", err.message);
		assert_complete(&a);
		assert_int_equal(a.n_objects, N_PARTS);
		assert_view(a.stix_version, "2.0");
		assert_int_equal(stix_drift(&a, &arena, &drift), 0);
		arena_free(&arena);
		stix_free(s);
		buf_free(&b);
	}
}

static void apart(void **state)
{
	struct stix *s = stix_new(ID);
	struct stix_analytic a;
	struct error err;

	(void)state;
	for (size_t i = 0; i < N_PARTS; i++) {
		char path[300];
		snprintf(path, sizeof(path), TEST_DATA_DIR "/attack/%s.json", parts[i]);
		assert_true(stix_add_file(s, path, &err));
	}
	assert_true(stix_resolve(s, &a, &err));
	assert_complete(&a);
	stix_free(s);
}

/* Fails when the stub of v18.1 passes for the analytic that is implemented. */
static void stub(void **state)
{
	struct arena arena = { 0 };
	const struct drift *drift;
	size_t n, bytes_n;
	char *bytes = slurp("AN1726_v18.1", &bytes_n);

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

/* Fails when a spelling is reported as a change, or a change passes for a spelling. */
static void differences(void **state)
{
	static const struct {
		const char *old, *new;
		enum drift_kind kind;
		bool note;
	} cases[] = {
		{ "\"TimeWindow\"", "\"TimeWindowSeconds\"", DRIFT_ELEMENT_RENAMED, true },
		{ "\"AllowedDestinationList\"", "\"AllowedDestinations\"", DRIFT_ELEMENT_RENAMED,
		  true },
		{ "\"AllowedAppList\"", "\"AllowedApList\"", DRIFT_ELEMENT_RENAMED, true },
		{ "\"MobileEDR:telemetry\"", "\"MobiledEDR:telemetry \"", DRIFT_SOURCE_SPELLING,
		  true },
		{ "\"NSM:Flow\"", "\"nsm:flow\"", DRIFT_SOURCE_SPELLING, true },
		{ "Number of repeated", "Size of repeated", DRIFT_ELEMENT_MEANING, false },
		{ "TLS handshake from iOS", "QUIC handshake from iOS", DRIFT_SOURCE_CHANNEL,
		  false },
		{ "component--55c669d9", "component--55c669d8", DRIFT_SOURCE_COMPONENT, false },
		{ "\"iOS\"", "\"Android\"", DRIFT_PLATFORM, false },
		{ "\"revoked\": false", "\"revoked\": true", DRIFT_WITHDRAWN, false },
		{ "\"x_mitre_deprecated\": false", "\"x_mitre_deprecated\": true", DRIFT_WITHDRAWN,
		  false },
		{ "\"1.1\"", "\"1.2\"", DRIFT_VERSION, false },
		{ "policy state.", "policy state!", DRIFT_DESCRIPTION, false },
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
		buf_free(&b);
	}
	/* Blanks at the ends are no difference at all. */
	changed(&b, "\"NSM:Inspection\"", "\" NSM:Inspection  \"");
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

/* Fails when an older copy of the analytic wins over a newer one. */
static void newest(void **state)
{
	static const char *const order[2][2] = { { "AN1726_v18.1", "AN1726" },
						 { "AN1726", "AN1726_v18.1" } };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct stix *s = stix_new(ID);
		struct stix_analytic a;
		struct error err;
		for (size_t j = 0; j < 2; j++) {
			size_t n;
			char *bytes = slurp(order[i][j], &n);
			assert_true(stix_add(s, sv_make(bytes, n), &err));
			free(bytes);
		}
		assert_true(stix_resolve(s, &a, &err));
		assert_view(a.version, "1.1");
		stix_free(s);
	}
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

/* Fails when something that is no bundle is accepted, or the message does not say what is missing.
 */
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

/* Fails when a cut or a damaged byte crashes the reader, or a cut document passes for a whole one.
 */
static void damage(void **state)
{
	size_t n;
	char *bytes = slurp("AN1726", &n);
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
			stix_drift(&a, &arena, &drift);
			arena_free(&arena);
		}
		bytes[cut] ^= 0x11;
		stix_free(s);
	}
	free(bytes);
}

/* Fails when what is displayed without a bundle is not what MITRE published. */
static void implemented(void **state)
{
	(void)state;
	assert_string_equal(implemented_analytic.external_id, "AN1726");
	assert_int_equal(implemented_analytic.sources[2].sensor, SENSOR_FLOW);
	for (size_t i = 0; i < 5; i++)
		assert_non_null(implemented_analytic.elements[i].field);
	for (int kind = 0; kind < DRIFT_KINDS; kind++)
		assert_non_null(drift_kind_name((enum drift_kind)kind));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alone),	cmocka_unit_test(whole),
		cmocka_unit_test(apart),	cmocka_unit_test(stub),
		cmocka_unit_test(differences),	cmocka_unit_test(newest),
		cmocka_unit_test(envelopes),	cmocka_unit_test(refusals),
		cmocka_unit_test(missing_file), cmocka_unit_test(damage),
		cmocka_unit_test(implemented),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
