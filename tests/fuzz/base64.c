/* Base64: never reads or writes too far, and decodes what it encodes to. */
#include "fuzz.h"

#include <stdlib.h>

#include "parse/base64.h"

static size_t encode(struct sv bytes, char *out)
{
	static const char alphabet[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t n = 0;

	for (size_t i = 0; i < bytes.n; i += 3) {
		uint32_t bits = 0;
		size_t here = bytes.n - i < 3 ? bytes.n - i : 3;

		for (size_t k = 0; k < 3; k++)
			bits = bits << 8 | (k < here ? (unsigned char)bytes.p[i + k] : 0u);
		for (size_t k = 0; k < 4; k++)
			out[n++] = k <= here ? alphabet[bits >> (18 - 6 * k) & 63] : '=';
	}
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = { 0 };
	char *text = xmalloc(size / 3 * 4 + 5), *copy = xmalloc(size + 1);
	struct sv out = SV_NONE;
	size_t n;

	if (size > 0)
		memcpy(copy, data, size);
	copy = xrealloc(copy, size > 0 ? size : 1, 1);
	if (base64_decode(sv_make(copy, size), &a, &out))
		fuzz_require(out.n <= size / 4 * 3 + 2);
	else
		fuzz_require(out.p == NULL);

	n = encode(sv_make(copy, size), text);
	fuzz_require(base64_decode(sv_make(text, n), &a, &out));
	fuzz_require_same(out, sv_make(copy, size));
	free(text);
	free(copy);
	arena_free(&a);
	return 0;
}
