#include "parse/base64.h"

#include <endian.h>

enum {
	CLASS_BAD = 64,
	CLASS_SPACE,
	CLASS_PADDING,
};

/* Six bits, or a class. */
#define XX CLASS_BAD
#define SP CLASS_SPACE
#define PD CLASS_PADDING
/* clang-format off */
static const unsigned char classes[256] = {
	XX, XX, XX, XX, XX, XX, XX, XX, XX, SP, SP, XX, XX, SP, XX, XX,
	XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
	SP, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, 62, XX, XX, XX, 63,
	52, 53, 54, 55, 56, 57, 58, 59, 60, 61, XX, XX, XX, PD, XX, XX,
	XX, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
	15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, XX, XX, XX, XX, XX,
	XX, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
	41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, XX, XX, XX, XX, XX,
	XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
	XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
	XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
	XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
	XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
	XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
	XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
	XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
};
/* clang-format on */
#undef XX
#undef SP
#undef PD

/* As many whole groups as stand there without white space or padding. Writes one byte more than
 * they make. Returns the bytes of text taken. */
static size_t plain_groups(struct sv text, unsigned char *bytes)
{
	const unsigned char *p = (const unsigned char *)text.p;
	size_t at = 0;

	for (; at + 4 <= text.n; at += 4, bytes += 3) {
		uint32_t a = classes[p[at]], b = classes[p[at + 1]], c = classes[p[at + 2]],
			 d = classes[p[at + 3]];

		if ((a | b | c | d) >= CLASS_BAD)
			break;
		a = htobe32(a << 26 | b << 20 | c << 14 | d << 8);
		memcpy(bytes, &a, sizeof(a));
	}
	return at;
}

bool base64_decode(struct sv text, struct arena *a, struct sv *out)
{
	unsigned char *bytes = arena_alloc(a, text.n / 4 * 3 + 4);
	size_t n = 0, digits = 0, padding = 0;
	uint32_t group = 0;

	for (size_t i = 0; i < text.n; i++) {
		unsigned v;

		if (digits % 4 == 0 && padding == 0) {
			size_t taken = plain_groups(sv_skip(text, i), bytes + n);
			i += taken;
			n += taken / 4 * 3;
		}
		if (i == text.n)
			break;
		v = classes[(unsigned char)text.p[i]];
		if (v == CLASS_SPACE)
			continue;
		if (v == CLASS_PADDING) {
			padding++;
			continue;
		}
		if (v == CLASS_BAD || padding > 0)
			return false;
		group = group << 6 | v;
		if (++digits % 4 == 0) {
			bytes[n++] = (unsigned char)(group >> 16);
			bytes[n++] = (unsigned char)(group >> 8);
			bytes[n++] = (unsigned char)group;
		}
	}
	if (digits % 4 == 1 || (padding > 0 && (digits % 4 == 0 || digits % 4 + padding != 4)))
		return false;
	if (digits % 4 == 2) {
		bytes[n++] = (unsigned char)(group >> 4);
	} else if (digits % 4 == 3) {
		bytes[n++] = (unsigned char)(group >> 10);
		bytes[n++] = (unsigned char)(group >> 2);
	}
	bytes[n] = '\0';
	*out = sv_make((const char *)bytes, n);
	return true;
}
