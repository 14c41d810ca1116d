/* STIX bundles: one or several documents, divided by a line `---`, resolved and compared with what
 * is implemented. */
#include "fuzz.h"

#include "parse/stix.h"
#include "parse/stix_drift.h"

#define NEXT "\n---\n"

static void check_strings(struct stix_strings s)
{
	for (size_t i = 0; i < s.n; i++)
		fuzz_require(s.items[i].n == 0 || s.items[i].p != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct stix *s = stix_new(SV("AN1726"));
	struct sv text = { (const char *)data, size };
	struct error err = { 0 };
	struct stix_analytic analytic;
	struct arena a = { 0 };
	const struct drift *drifts;

	for (size_t at; text.p != NULL; text = at == SIZE_MAX ? SV_NONE : sv_skip(text, at + 5)) {
		struct sv document;

		at = sv_find(text, SV(NEXT));
		document = arena_sv(&a, sv_first(text, at));
		err.message[0] = '\0';
		if (!stix_add(s, document, &err))
			fuzz_require(err.message[0] != '\0' && err.position <= document.n);
	}
	if (stix_resolve(s, &analytic, &err)) {
		size_t n = stix_drift(&analytic, &implemented_analytic, &a, &drifts);

		check_strings(analytic.platforms);
		check_strings(analytic.domains);
		fuzz_require(analytic.n_open <= analytic.n_log_sources);
		for (size_t i = 0; i < n; i++)
			fuzz_require(drift_kind_name(drifts[i].kind) != NULL &&
				     drifts[i].because.n > 0);
	}
	stix_free(s);
	arena_free(&a);
	return 0;
}
