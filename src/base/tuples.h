/* Tuples as numbers: equal bytes, equal number.
 *
 * What many records have in common is kept once. Numbers count from 0 in order of appearance;
 * hashing is seeded, so that chosen tuples cannot be made to collide. Tuples are compared bytewise:
 * zero any padding. Pointers are good until the next tuples_put. Not thread-safe.
 */
#ifndef PINWATCH_BASE_TUPLES_H
#define PINWATCH_BASE_TUPLES_H

#include <stddef.h>
#include <stdint.h>

struct tuples {
	unsigned char *_list;
	uint32_t *_slots; /* 1 + number, 0 while free */
	size_t _size, _mask, _capacity;
	uint64_t _seed;
	uint32_t n;
};

/* size: bytes of a tuple. */
void tuples_init(struct tuples *t, size_t size, uint64_t seed);
void tuples_free(struct tuples *t);
uint32_t tuples_put(struct tuples *t, const void *tuple);
static inline const void *tuples_get(const struct tuples *t, uint32_t number)
{
	return t->_list + (size_t)number * t->_size;
}
size_t tuples_footprint(const struct tuples *t);

#endif
