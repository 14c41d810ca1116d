/* Format files: compiling any, and running those that compile over an input that stands behind
 * them, after a line `---`. */
#include "fuzz.h"

#include "parse/format.h"

#define INPUT "\n---\n"

static const struct format *like(const void *context, struct sv name)
{
	return format_find(context, name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct format_set *builtin; /* what `like` finds; compiled once */
	struct error err = { 0 };
	struct sv text = { (const char *)data, size }, input = SV_NONE;
	size_t at = sv_find(text, SV(INPUT));
	struct format *f;

	if (builtin == NULL)
		builtin = fuzz_formats(NULL, 0);
	if (at != SIZE_MAX) {
		input = sv_skip(text, at + sizeof(INPUT) - 1);
		text = sv_first(text, at + 1);
	}
	f = format_compile("fuzz.yaml", text, like, builtin, &err);
	if (f != NULL)
		fuzz_records(builtin, f, input);
	else
		fuzz_require(sv_starts(sv_cstr(err.message), SV("fuzz.yaml")));
	format_free(f);
	return 0;
}
