/* Looking for the end of a field, 32 bytes at a time: few fields of log lines are longer, a call to
 * memchr takes longer than most, and a loop whose turns hang on the field costs more than what it
 * does. Both read up to 31 bytes behind the text (READ_PADDING).
 */
#ifndef PINWATCH_PARSE_TEXT_SCAN_H
#define PINWATCH_PARSE_TEXT_SCAN_H

#include "base/sv.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum byte_class {
	BYTES_ANY,
	BYTES_WORD,   /* anything but space and tab */
	BYTES_NUMBER, /* digits and points */
};

#ifdef __SSE2__

#define TEXT_SCAN_STEP 32u

struct text_scan_bytes {
	__m128i low, high;
};

static inline struct text_scan_bytes text_scan_load(const char *p)
{
	return (struct text_scan_bytes){ _mm_loadu_si128((const __m128i *)(const void *)p),
					 _mm_loadu_si128((const __m128i *)(const void *)(p + 16)) };
}

static inline uint32_t text_scan_bits(__m128i low, __m128i high)
{
	return (uint32_t)_mm_movemask_epi8(low) | (uint32_t)_mm_movemask_epi8(high) << 16;
}

/* A bit a byte: those that are c. */
static inline uint32_t text_scan_equal(struct text_scan_bytes b, char c)
{
	const __m128i want = _mm_set1_epi8(c);

	return text_scan_bits(_mm_cmpeq_epi8(b.low, want), _mm_cmpeq_epi8(b.high, want));
}

static inline __m128i text_scan_number(__m128i b)
{
	const __m128i digit = _mm_sub_epi8(b, _mm_set1_epi8('0'));

	return _mm_or_si128(_mm_cmpeq_epi8(_mm_min_epu8(digit, _mm_set1_epi8(9)), digit),
			    _mm_cmpeq_epi8(b, _mm_set1_epi8('.')));
}

static inline __m128i text_scan_white(__m128i b)
{
	return _mm_or_si128(_mm_cmpeq_epi8(b, _mm_set1_epi8(' ')),
			    _mm_cmpeq_epi8(b, _mm_set1_epi8('\t')));
}

/* Likewise those that are not of the class. */
static inline uint32_t text_scan_foreign(struct text_scan_bytes b, enum byte_class class)
{
	if (class == BYTES_ANY)
		return 0;
	if (class == BYTES_NUMBER)
		return ~text_scan_bits(text_scan_number(b.low), text_scan_number(b.high));
	return text_scan_bits(text_scan_white(b.low), text_scan_white(b.high));
}

static inline bool text_scan_stands(const char *p, struct sv literal)
{
	return literal.n == 1 || (p[1] == literal.p[1] && /* most often all of it */
				  (literal.n == 2 || memcmp(p, literal.p, literal.n) == 0));
}

/* Where the literal, which is not empty, stands first in p to `end`, nothing but bytes of the class
 * before it; or NULL. */
static inline const char *text_scan_to(const char *p, const char *end, struct sv literal,
				       enum byte_class class)
{
	for (; p < end; p += TEXT_SCAN_STEP) {
		const struct text_scan_bytes bytes = text_scan_load(p);
		const uint32_t hits = text_scan_equal(bytes, literal.p[0]),
			       foreign = text_scan_foreign(bytes, class);

		for (uint32_t stops = hits | foreign; stops != 0; stops &= stops - 1) {
			const char *here = p + __builtin_ctz(stops);

			if ((size_t)(end - here) < literal.n || here >= end)
				return NULL;
			if (*here == literal.p[0] && text_scan_stands(here, literal))
				return here;
			if ((foreign & stops & -stops) != 0)
				return NULL;
		}
	}
	return NULL;
}

/* Whether all of a text is of that class. */
static inline bool text_scan_is(struct sv text, enum byte_class class)
{
	for (size_t at = 0; at < text.n; at += TEXT_SCAN_STEP) {
		const size_t left = text.n - at;
		const uint32_t there =
		    left < TEXT_SCAN_STEP ? (UINT32_C(1) << left) - 1 : UINT32_MAX;

		if ((text_scan_foreign(text_scan_load(text.p + at), class) & there) != 0)
			return false;
	}
	return true;
}

#else

static inline bool text_scan_is(struct sv text, enum byte_class class)
{
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		if (class == BYTES_NUMBER ? (c < '0' || c > '9') && c != '.'
					  : class == BYTES_WORD && (c == ' ' || c == '\t'))
			return false;
	}
	return true;
}

static inline const char *text_scan_to(const char *p, const char *end, struct sv literal,
				       enum byte_class class)
{
	const struct sv text = sv_make(p, (size_t)(end - p));
	const size_t at = sv_find(text, literal);

	return at != SIZE_MAX && text_scan_is(sv_first(text, at), class) ? p + at : NULL;
}

#endif
#endif
