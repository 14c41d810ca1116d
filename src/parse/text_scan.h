/* Looking for the end of a field, sixteen bytes at a time: fields of log lines are shorter than a
 * call to memchr. Both read up to 15 bytes behind the text (READ_PADDING).
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

/* The first c at or behind `from`, or SIZE_MAX. */
static inline size_t text_scan_find(struct sv text, size_t from, char c)
{
	const __m128i want = _mm_set1_epi8(c);

	for (size_t at = from; at < text.n; at += 16) {
		unsigned hits = (unsigned)_mm_movemask_epi8(
		    _mm_cmpeq_epi8(text_scan_load(text.p + at), want));
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
		__m128i bytes = text_scan_load(text.p + at), hits;
		unsigned bad;

		if (class == BYTES_NUMBER) {
			__m128i digit = _mm_sub_epi8(bytes, _mm_set1_epi8('0'));
			hits = _mm_or_si128(
			    _mm_cmpeq_epi8(_mm_min_epu8(digit, _mm_set1_epi8(9)), digit),
			    _mm_cmpeq_epi8(bytes, _mm_set1_epi8('.')));
			bad = ~(unsigned)_mm_movemask_epi8(hits);
		} else {
			hits = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(' ')),
					    _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t')));
			bad = (unsigned)_mm_movemask_epi8(hits);
		}
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
		if (class == BYTES_NUMBER ? (c < '0' || c > '9') && c != '.' : c == ' ' || c == '\t')
			return false;
	}
	return true;
}

#endif
#endif
