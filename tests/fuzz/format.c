/* Format files: loading any, and running those that load over an input that stands behind them, after
 * a line `---`. */
#include "fuzz.h"

#define INPUT "\n---\n"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct format_set *builtin; /* read-only: what a new one is compared with */
	struct error err = { 0 };
	struct sv text = { (const char *)data, size }, input = SV_NONE;
	size_t at = sv_find(text, SV(INPUT));
	struct format_set *set = format_set_builtin(&err);

	if (builtin == NULL)
		builtin = fuzz_formats(NULL, 0);
	if (at != SIZE_MAX) {
		input = sv_skip(text, at + sizeof(INPUT) - 1);
		text = sv_first(text, at + 1);
	}
	if (format_set_add_text(set, "fuzz.yaml", text, &err)) {
		for (size_t i = 0; i < format_set_count(set); i++) {
			const struct format *f = format_set_at(set, i);
			const struct format *old = format_find(builtin, format_name(f));
			struct format_match m[2];

			if (old != NULL && sv_eq(format_title(f), format_title(old)))
				continue;
			format_detect(set, input, m, 2);
			fuzz_records(builtin, f, input);
		}
	} else {
		fuzz_require(sv_starts(sv_cstr(err.message), SV("fuzz.yaml")));
	}
	format_set_free(set);
	return 0;
}
