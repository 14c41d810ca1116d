/* A cursor over bytes from the wire: reads past the end give 0 and turn it `bad`, once and for all,
 * so that a parser looks at the flag where it matters and not at every step. Numbers are in network
 * order.
 */
#ifndef PINWATCH_WIRE_BYTES_H
#define PINWATCH_WIRE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
	const uint8_t *p;
	size_t n; /* left */
	bool bad;
};

static inline bool bytes_need(struct bytes *b, size_t n)
{
	if (!b->bad && b->n >= n)
		return true;
	b->bad = true;
	b->n = 0;
	return false;
}

static inline bool bytes_skip(struct bytes *b, size_t n)
{
	if (!bytes_need(b, n))
		return false;
	if (n > 0)
		b->p += n;
	b->n -= n;
	return true;
}

static inline uint8_t bytes_u8(struct bytes *b)
{
	if (!bytes_need(b, 1))
		return 0;
	b->n--;
	return *b->p++;
}

static inline uint16_t bytes_u16(struct bytes *b)
{
	uint16_t v = 0;

	if (bytes_need(b, 2)) {
		v = (uint16_t)(b->p[0] << 8 | b->p[1]);
		b->p += 2;
		b->n -= 2;
	}
	return v;
}

static inline uint32_t bytes_u24(struct bytes *b)
{
	uint32_t high = bytes_u8(b);

	return high << 16 | bytes_u16(b);
}

static inline uint32_t bytes_u32(struct bytes *b)
{
	uint32_t high = bytes_u16(b);

	return high << 16 | bytes_u16(b);
}

static inline bool bytes_copy(struct bytes *b, void *out, size_t n)
{
	const uint8_t *from = b->p;

	if (!bytes_skip(b, n))
		return false;
	memcpy(out, from, n);
	return true;
}

/* The next n bytes as a cursor of their own; bad where there are fewer. */
static inline struct bytes bytes_sub(struct bytes *b, size_t n)
{
	struct bytes sub = { b->p, n, false };

	if (!bytes_skip(b, n))
		sub = (struct bytes){ NULL, 0, true };
	return sub;
}

#endif
