/* Looking for the end of a field, 16 bytes at a time: few fields of log lines are longer, and a
 * call to memchr takes longer than most. Both read up to 15 bytes behind the text (READ_PADDING).
 */
#ifndef PINWATCH_PARSE_TEXT_SCAN_H
#define PINWATCH_PARSE_TEXT_SCAN_H

#include "base/sv.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum byte_class {
	BYTES_WORD,   /* anything but space and tab */
	BYTES_NUMBER, /* digits and points */
};

#ifdef __SSE2__

static inline __m128i text_scan_load(const char *p)
{
	return _mm_loadu_si128((const __m128i *)(const void *)p);
}

/* A bit a byte of the 16: those that are c. */
static inline unsigned text_scan_equal(__m128i bytes, char c)
{
	return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)));
}

/* Likewise those that are digits. */
static inline unsigned text_scan_digits(__m128i bytes)
{
	const __m128i digit = _mm_sub_epi8(bytes, _mm_set1_epi8('0'));

	return (unsigned)_mm_movemask_epi8(
	    _mm_cmpeq_epi8(_mm_min_epu8(digit, _mm_set1_epi8(9)), digit));
}

/* The first c at or behind `from`, or SIZE_MAX. */
static inline size_t text_scan_find(struct sv text, size_t from, char c)
{
	for (size_t at = from; at < text.n; at += 16) {
		unsigned hits = text_scan_equal(text_scan_load(text.p + at), c);
		if (hits != 0) {
			at += (size_t)__builtin_ctz(hits);
			return at < text.n ? at : SIZE_MAX;
		}
	}
	return SIZE_MAX;
}

/* Whether all of a text is of that class. */
static inline bool text_scan_is(struct sv text, enum byte_class class)
{
	for (size_t at = 0; at < text.n; at += 16) {
		const __m128i bytes = text_scan_load(text.p + at);
		unsigned bad = class == BYTES_NUMBER
				   ? ~(text_scan_digits(bytes) | text_scan_equal(bytes, '.'))
				   : text_scan_equal(bytes, ' ') | text_scan_equal(bytes, '\t');

		bad &= text.n - at < 16 ? (1u << (text.n - at)) - 1 : 0xffffu;
		if (bad != 0)
			return false;
	}
	return true;
}

#else

static inline size_t text_scan_find(struct sv text, size_t from, char c)
{
	size_t at = sv_find_char(sv_skip(text, from), c);

	return at == SIZE_MAX ? SIZE_MAX : from + at;
}

static inline bool text_scan_is(struct sv text, enum byte_class class)
{
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		if (class == BYTES_NUMBER ? (c < '0' || c > '9') && c != '.'
					  : c == ' ' || c == '\t')
			return false;
	}
	return true;
}

#endif
#endif
