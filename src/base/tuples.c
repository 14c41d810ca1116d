#include "base/tuples.h"

#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/arena.h"

void tuples_init(struct tuples *t, size_t size, uint64_t seed)
{
	*t = (struct tuples){ ._size = size, ._seed = seed };
}

void tuples_free(struct tuples *t)
{
	free(t->_list);
	free(t->_slots);
	tuples_init(t, t->_size, t->_seed);
}

static size_t home(const struct tuples *t, const void *tuple)
{
	return (size_t)XXH3_64bits_withSeed(tuple, t->_size, t->_seed) & t->_mask;
}

static void grow_slots(struct tuples *t)
{
	size_t slots = t->_slots == NULL ? 64 : (t->_mask + 1) * 2;

	free(t->_slots);
	t->_slots = xcalloc(slots, sizeof(*t->_slots));
	t->_mask = slots - 1;
	for (uint32_t i = 0; i < t->n; i++) {
		size_t at = home(t, tuples_get(t, i));
		while (t->_slots[at] != 0)
			at = (at + 1) & t->_mask;
		t->_slots[at] = i + 1;
	}
}

uint32_t tuples_put(struct tuples *t, const void *tuple)
{
	size_t at;

	if (t->_slots == NULL || ((size_t)t->n + 1) * 4 > (t->_mask + 1) * 3)
		grow_slots(t);
	for (at = home(t, tuple); t->_slots[at] != 0; at = (at + 1) & t->_mask)
		if (memcmp(tuples_get(t, t->_slots[at] - 1), tuple, t->_size) == 0)
			return t->_slots[at] - 1;
	if (t->n == t->_capacity) {
		t->_capacity = t->_capacity == 0 ? 32 : t->_capacity * 2;
		t->_list = xrealloc(t->_list, t->_capacity, t->_size);
	}
	memcpy(t->_list + (size_t)t->n * t->_size, tuple, t->_size);
	t->_slots[at] = ++t->n;
	return t->n - 1;
}

size_t tuples_footprint(const struct tuples *t)
{
	return t->_capacity * t->_size +
	       (t->_slots == NULL ? 0 : (t->_mask + 1) * sizeof(*t->_slots));
}
