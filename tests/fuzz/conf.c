/* The configuration: loading any text, then every line behind a line `---` as a --set, then what is
 * said about the result. */
#include "fuzz.h"

#include "conf/conf.h"
#include "scan/settings.h"

#define SETS "\n---\n"
#define NOW ((struct instant){ INT64_C(1795507200) * NS_PER_S })

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sv text = { (const char *)data, size }, sets = SV_NONE;
	size_t at = sv_find(text, SV(SETS));
	struct error err = { 0 };
	struct arena a = { 0 };
	struct settings settings;
	struct conf c;
	struct buf out;

	if (at != SIZE_MAX) {
		sets = sv_skip(text, at + sizeof(SETS) - 1);
		text = sv_first(text, at + 1);
	}
	conf_recognise(text);
	if (!conf_load_text(&c, text, "/nowhere/pinwatch.yaml", &err))
		fuzz_require(err.message[0] != '\0');
	while (sets.p != NULL) {
		struct sv set = arena_sv(&a, sv_cut(sets, '\n', &sets));
		err.message[0] = '\0';
		fuzz_require(conf_set(&c, set.p, &err) || err.message[0] != '\0');
	}
	for (size_t i = 0; i < c.n_sources; i++) {
		zone_offset(&c.sources[i].timezone, NOW);
		zone_offset_local(&c.sources[i].timezone, NOW);
	}
	settings_from_conf(&settings, &c, &a);
	buf_init(&out, (size_t)1 << 26);
	conf_describe(&out, &c, NOW);
	fuzz_harmless(buf_view(&out), true);
	buf_free(&out);
	conf_free(&c);
	arena_free(&a);
	return 0;
}
