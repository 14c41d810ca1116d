/* Short texts, compared at once instead of byte by byte: the words of log formats are short. */
#ifndef PINWATCH_PARSE_SHORT_TEXT_H
#define PINWATCH_PARSE_SHORT_TEXT_H

#include "base/sv.h"

struct short_text {
	uint64_t a, b;
	size_t n;
};

static inline uint64_t load_64(const char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint32_t load_32(const char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* Of longer texts the first and the last eight bytes. */
static inline struct short_text short_text(struct sv v)
{
	struct short_text s = { 0, 0, v.n };

	if (v.n >= 8) {
		s.a = load_64(v.p);
		s.b = load_64(v.p + v.n - 8);
	} else if (v.n >= 4) {
		s.a = load_32(v.p);
		s.b = load_32(v.p + v.n - 4);
	} else if (v.n > 0) {
		s.a = (unsigned char)v.p[0];
		s.b = (uint64_t)(unsigned char)v.p[v.n / 2] << 8 | (unsigned char)v.p[v.n - 1];
	}
	return s;
}

/* Texts of the same first and last bytes and length; up to sixteen bytes that is all of them. */
static inline bool short_text_eq(struct short_text a, struct short_text b)
{
	return ((a.a ^ b.a) | (a.b ^ b.b) | (a.n ^ b.n)) == 0;
}

/* Whether c, which is not NUL, stands in a text of at most sixteen bytes. */
static inline bool short_text_has(struct short_text s, char c)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), highs = ones * 0x80;
	uint64_t a = s.a ^ (ones * (unsigned char)c), b = s.b ^ (ones * (unsigned char)c);

	/* A byte that is zero now; unused ones were zero before and are not. */
	return ((((a - ones) & ~a) | ((b - ones) & ~b)) & highs) != 0;
}

/* `whole` is the text of which `head` was made, `text` the one compared with it. */
static inline bool short_text_is(struct short_text head, struct sv whole, struct short_text other,
				 struct sv text)
{
	return short_text_eq(head, other) && (text.n <= 16 || sv_eq(whole, text));
}

/* Whether a text is that whole one. Most that are not differ in length or the first byte. */
static inline bool short_text_same(struct short_text head, struct sv whole, struct sv text)
{
	return text.n == whole.n &&
	       (text.n == 0 ||
		(text.p[0] == whole.p[0] && short_text_is(head, whole, short_text(text), text)));
}

#endif
