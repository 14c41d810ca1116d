/* Hostile texts on their way out, to a terminal and into JSON. The first byte is the cut. */
#include "fuzz.h"

#include <stdlib.h>

#include "base/jsonw.h"
#include "base/safe.h"
#include "base/utf8.h"
#include "parse/json.h"

/* What one character may become: `<U+E0041>`. */
#define MAX_SHOWN 9u

static size_t characters(struct sv v)
{
	size_t n = 0;

	for (size_t i = 0; i < v.n; n++) {
		size_t length = utf8_sequence(v.p + i, v.n - i);
		i += length > 0 ? length : 1;
	}
	return n;
}

static void check_safe(struct sv text, size_t cut)
{
	struct buf once, twice;

	buf_init(&once, (size_t)1 << 26);
	buf_init(&twice, (size_t)1 << 26);
	text_safe(&once, text, 0);
	fuzz_harmless(buf_view(&once), false);
	text_safe(&twice, buf_view(&once), 0);
	fuzz_require_same(buf_view(&once), buf_view(&twice));
	if (cut > 0) {
		buf_reset(&once);
		text_safe(&once, text, cut);
		fuzz_harmless(buf_view(&once), false);
		fuzz_require(characters(buf_view(&once)) <= cut * MAX_SHOWN);
	}
	buf_free(&once);
	buf_free(&twice);
}

/* What is written reads back: byte for byte where it is UTF-8, else with replacement characters. */
static void check_json(struct sv text)
{
	struct arena a = { 0 };
	struct error err = { 0 };
	struct value v;
	struct buf out;
	struct jsonw w;
	bool valid = true;

	for (size_t i = 0, n; i < text.n && valid; i += n)
		valid = (n = utf8_sequence(text.p + i, text.n - i)) > 0;
	buf_init(&out, (size_t)1 << 26);
	w = jsonw_on(&out);
	jsonw_open(&w, '{');
	jsonw_key_sv(&w, text);
	jsonw_sv(&w, text);
	jsonw_close(&w, '}');
	fuzz_require(json_to_value(buf_view(&out), &a, &v, &err));
	fuzz_require(v.type == VALUE_OBJECT && v.object.n == 1);
	fuzz_require_same(v.object.members[0].key, v.object.members[0].value.text);
	if (valid)
		fuzz_require_same(v.object.members[0].key, text);
	buf_free(&out);
	arena_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sv text = { (const char *)data, size };
	size_t cut = fuzz_byte(&text);
	char *bytes = xmalloc(text.n > 0 ? text.n : 1);

	if (text.n > 0)
		memcpy(bytes, text.p, text.n);
	text = sv_make(bytes, text.n);
	check_safe(text, cut);
	check_json(text);
	free(bytes);
	return 0;
}
