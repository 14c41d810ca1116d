#include "base/sv.h"

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }

bool sv_eq_nocase(struct sv a, struct sv b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (lower(a.p[i]) != lower(b.p[i]))
			return false;
	return true;
}

int sv_cmp(struct sv a, struct sv b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n > 0 ? memcmp(a.p, b.p, n) : 0;

	if (c != 0)
		return c;
	return a.n < b.n ? -1 : a.n > b.n;
}

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

struct sv sv_trim(struct sv v)
{
	while (v.n > 0 && is_space(v.p[0])) {
		v.p++;
		v.n--;
	}
	while (v.n > 0 && is_space(v.p[v.n - 1]))
		v.n--;
	return v;
}

/* Texts up to this length are searched by a byte of the needle: memmem first fills a table, which
 * takes longer. In longer ones only memmem is linear whatever stands there. */
#define SHORT_TEXT 512

/* The needle's first byte, or the one behind a blank, which text is full of. */
static size_t find_in_short(struct sv v, struct sv needle)
{
	size_t pivot = needle.p[0] == ' ' && needle.n > 1, last = v.n - needle.n;
	char end = needle.p[needle.n - 1];

	for (size_t at = 0; at <= last; at++) {
		const char *hit = memchr(v.p + at + pivot, needle.p[pivot], last - at + 1);
		if (hit == NULL)
			break;
		at = (size_t)(hit - v.p) - pivot;
		if (v.p[at + needle.n - 1] == end && memcmp(v.p + at, needle.p, needle.n) == 0)
			return at;
	}
	return SIZE_MAX;
}

size_t sv_find(struct sv v, struct sv needle)
{
	const char *hit;

	if (needle.n == 0)
		return 0;
	if (v.n < needle.n)
		return SIZE_MAX;
	if (v.n <= SHORT_TEXT)
		return find_in_short(v, needle);
	hit = memmem(v.p, v.n, needle.p, needle.n);
	return hit != NULL ? (size_t)(hit - v.p) : SIZE_MAX;
}

size_t sv_find_char(struct sv v, char c)
{
	const char *hit = v.n > 0 ? memchr(v.p, c, v.n) : NULL;

	return hit != NULL ? (size_t)(hit - v.p) : SIZE_MAX;
}

struct sv sv_cut(struct sv v, char sep, struct sv *rest)
{
	size_t at = sv_find_char(v, sep);

	if (at == SIZE_MAX) {
		*rest = SV_NONE;
		return v;
	}
	*rest = sv_skip(v, at + 1);
	return sv_first(v, at);
}

bool sv_to_u64(struct sv v, uint64_t *out)
{
	uint64_t n = 0;

	if (v.n == 0 || v.n > 20)
		return false;
	for (size_t i = 0; i < v.n; i++) {
		unsigned d = (unsigned)(unsigned char)v.p[i] - '0';
		if (d > 9 || __builtin_mul_overflow(n, 10u, &n) || __builtin_add_overflow(n, d, &n))
			return false;
	}
	*out = n;
	return true;
}

bool sv_to_i64(struct sv v, int64_t *out)
{
	bool negative = v.n > 0 && v.p[0] == '-';
	uint64_t n;

	if (!sv_to_u64(negative ? sv_skip(v, 1) : v, &n))
		return false;
	if (n > (uint64_t)INT64_MAX + (negative ? 1 : 0))
		return false;
	*out = negative ? (int64_t)(0 - n) : (int64_t)n;
	return true;
}

bool sv_hex_to_u64(struct sv v, uint64_t *out)
{
	uint64_t n = 0;

	if (v.n == 0 || v.n > 16)
		return false;
	for (size_t i = 0; i < v.n; i++) {
		char c = lower(v.p[i]);
		unsigned d;
		if (c >= '0' && c <= '9')
			d = (unsigned)(c - '0');
		else if (c >= 'a' && c <= 'f')
			d = (unsigned)(c - 'a') + 10;
		else
			return false;
		n = n << 4 | d;
	}
	*out = n;
	return true;
}
