/* Quick ways: what the usual spelling of a value needs, written straight to its target.
 *
 * Each says true after having done exactly what its derivation would have, and false, with nothing
 * written, for every spelling it does not know: the derivation then has the word. So a quick way
 * may be short of cases but never of care. None reads outside its text.
 */
#ifndef PINWATCH_PARSE_QUICK_H
#define PINWATCH_PARSE_QUICK_H

#include <endian.h>

#include "parse/short_text.h"
#include "parse/target.h"

enum quick {
	QUICK_NONE,
	QUICK_PLAIN,  /* the text as it is */
	QUICK_TRIM,   /* trim */
	QUICK_LOWER,  /* lower, host */
	QUICK_UPPER,  /* udid, serial */
	QUICK_BUNDLE, /* strip_team_id */
	QUICK_IP,     /* ip */
	QUICK_PORT,   /* number, into 16 bits */
	QUICK_NUMBER, /* number, into 64 bits */
	QUICK_EPOCH,  /* time, epoch_any */
	QUICK_TRI,    /* boolean */
	QUICK_WORD,   /* one of the step's words */
};

/* The quick way of a derivation (NULL: none) into a target, or QUICK_NONE. */
enum quick quick_find(const struct derivation *d, const struct target *t);

#define EVERY_BYTE(c) (UINT64_C(0x0101010101010101) * (c))

/* Bytes of x that are no visible ASCII, or letters from `first` to `first` + 25: their high bits
 * are set. Sums cannot carry into the next byte but from one that is not ASCII, which counts
 * anyway. */
static inline uint64_t odd_bytes(uint64_t x, unsigned char first)
{
	uint64_t letter = (x + EVERY_BYTE(0x80u - first)) & ~(x + EVERY_BYTE(0x80u - first - 26u));
	uint64_t blank = ~(x + EVERY_BYTE(0x80u - 0x21u));
	uint64_t delete = x + EVERY_BYTE(1u);

	return (x | letter | blank | delete) & EVERY_BYTE(0x80u);
}

/* Not empty, visible ASCII only, without letters of the case that begins with `first`. */
static inline bool is_simple(struct sv v, char first)
{
	uint64_t odd = 0;

	if (v.n < 8) { /* filled up with a digit, which is never odd */
		struct short_text s = short_text(v);
		uint64_t x = s.a | s.b << 32;
		if (v.n < 4) /* a is there again in b, or n is 0 or 1 */
			x = v.n > 0 ? s.b | s.a << 16 | EVERY_BYTE('0') << 24 : 0;
		return odd_bytes(x, (unsigned char)first) == 0;
	}
	for (size_t i = 0; i + 8 < v.n; i += 8)
		odd |= odd_bytes(load_64(v.p + i), (unsigned char)first);
	return (odd | odd_bytes(load_64(v.p + v.n - 8), (unsigned char)first)) == 0;
}

static inline bool visible(char c) { return c > ' ' && c < 0x7f; }

static inline bool quick_digits(const char *p, size_t n, uint64_t *out)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned d = (unsigned)(unsigned char)p[i] - '0';
		if (d > 9)
			return false;
		sum = sum * 10 + d;
	}
	*out = sum;
	return true;
}

static inline bool quick_number(struct sv in, const struct target *t, int64_t *out)
{
	uint64_t n;

	if (in.n == 0 || in.n > 18 || !quick_digits(in.p, in.n, &n) || (int64_t)n < t->min ||
	    (int64_t)n > t->max)
		return false;
	*out = (int64_t)n;
	return true;
}

static inline unsigned quick_digit(const char *p) { return (unsigned)(unsigned char)*p - '0'; }

/* One to three digits up to 255; returns what stands behind them, or NULL. */
static inline const char *quick_octet(const char *p, const char *end, uint32_t *out)
{
	unsigned sum, d;

	if (p == end || (sum = quick_digit(p)) > 9)
		return NULL;
	if (++p != end && (d = quick_digit(p)) <= 9) {
		sum = sum * 10 + d;
		if (++p != end && (d = quick_digit(p)) <= 9) {
			sum = sum * 10 + d;
			p++;
		}
	}
	*out = *out << 8 | sum;
	return sum <= 255 ? p : NULL;
}

/* Dotted IPv4. */
static inline bool quick_ip(struct sv in, struct addr *out)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	const char *p = in.p, *end = in.p + in.n;
	uint32_t sum = 0;

	for (int i = 0; i < 3; i++)
		if ((p = quick_octet(p, end, &sum)) == NULL || p == end || *p++ != '.')
			return false;
	if (quick_octet(p, end, &sum) != end)
		return false;
	sum = htobe32(sum);
	memcpy(out->b, mapped, sizeof(mapped));
	memcpy(out->b + sizeof(mapped), &sum, sizeof(sum));
	return true;
}

/* Seconds since 1970 of ten digits (2001 to 2262) with at most nine decimals. */
static inline bool quick_epoch(struct sv in, struct instant *out)
{
	static const uint32_t unit[] = { 0,	1000000000, 100000000, 10000000, 1000000, 100000,
					 10000, 1000,	    100,       10,	 1 };
	uint64_t seconds, fraction;

	if (in.n < 12 || in.n > 20 || in.p[10] != '.' || !quick_digits(in.p, 10, &seconds) ||
	    seconds >= UINT64_C(9223372036) || !quick_digits(in.p + 11, in.n - 11, &fraction))
		return false;
	out->ns = (int64_t)(seconds * NS_PER_S + fraction * unit[in.n - 10]);
	return true;
}

static inline bool quick_tri(struct sv in, enum tri *out)
{
	if (in.n == 4 && load_32(in.p) == load_32("true"))
		*out = TRI_TRUE;
	else if (in.n == 5 && load_32(in.p) == load_32("fals") && in.p[4] == 'e')
		*out = TRI_FALSE;
	else if (in.n == 1 && (in.p[0] == 'T' || in.p[0] == 'F'))
		*out = in.p[0] == 'T' ? TRI_TRUE : TRI_FALSE;
	else
		return false;
	return true;
}

/* What may be a console's word for no name: zeros, or a short one like UNKNOWN, NONE, N/A. */
static inline bool quick_placeholder(struct sv in)
{
	size_t n = in.n;

	while (n > 0 && (in.p[n - 1] == '0' || in.p[n - 1] == '-' || in.p[n - 1] == ':'))
		n--;
	return n == 0 || (in.n <= 16 && (in.p[0] == 'U' || in.p[0] == 'N'));
}

/* Inlined even where it stands more than once: what a step does then hangs on one jump. */
__attribute__((always_inline)) static inline bool quick_take(enum quick quick, struct sv in,
							     const struct target *t, void *object)
{
	void *at = (char *)object + t->offset;
	int64_t n;

	switch (quick) {
	case QUICK_NONE:
	case QUICK_WORD: /* which plan_run.c looks up */
		return false;
	case QUICK_PLAIN:
		break;
	case QUICK_TRIM:
		if (in.n == 0 || !visible(in.p[0]) || !visible(in.p[in.n - 1]))
			return false;
		break;
	case QUICK_LOWER:
		/* 255 octets, a closing dot, [brackets]: what `host` has to think about. */
		if (in.n > 255 || !is_simple(in, 'A') || in.p[in.n - 1] == '.' || in.p[0] == '[')
			return false;
		break;
	case QUICK_UPPER:
		if (!is_simple(in, 'a') || quick_placeholder(in))
			return false;
		break;
	case QUICK_BUNDLE:
		if (in.n == 0 || in.p[0] < 'a' || in.p[0] > 'z' || !visible(in.p[in.n - 1]))
			return false;
		break;
	case QUICK_IP:
		return quick_ip(in, at);
	case QUICK_PORT:
		if (!quick_number(in, t, &n))
			return false;
		*(uint16_t *)at = (uint16_t)n;
		return true;
	case QUICK_NUMBER:
		return quick_number(in, t, at);
	case QUICK_EPOCH:
		return quick_epoch(in, at);
	case QUICK_TRI:
		return quick_tri(in, at);
	}
	*(struct sv *)at = in;
	return true;
}

#endif
