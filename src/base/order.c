#include "base/order.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

#define RADIX_BITS 11
#define RADIX (1u << RADIX_BITS)

struct keyed {
	uint64_t key;
	uint32_t item;
};

uint32_t *order_by_key(const int64_t *keys, size_t n)
{
	struct keyed *from = xmalloc(n * sizeof(*from)), *to = xmalloc(n * sizeof(*to));
	uint32_t *out = xmalloc(n * sizeof(*out));
	uint64_t spread = 0;
	int64_t least = INT64_MAX;

	for (size_t i = 0; i < n; i++)
		if (keys[i] < least)
			least = keys[i];
	for (size_t i = 0; i < n; i++) {
		from[i] = (struct keyed){ (uint64_t)keys[i] - (uint64_t)least, (uint32_t)i };
		spread |= from[i].key;
	}
	for (unsigned shift = 0; shift < 64 && spread >> shift != 0; shift += RADIX_BITS) {
		uint32_t at[RADIX] = { 0 }, sum = 0;
		struct keyed *swap;

		for (size_t i = 0; i < n; i++)
			at[from[i].key >> shift & (RADIX - 1)]++;
		for (unsigned d = 0; d < RADIX; d++) {
			uint32_t count = at[d];
			at[d] = sum;
			sum += count;
		}
		for (size_t i = 0; i < n; i++)
			to[at[from[i].key >> shift & (RADIX - 1)]++] = from[i];
		swap = from;
		from = to;
		to = swap;
	}
	for (size_t i = 0; i < n; i++)
		out[i] = from[i].item;
	free(from);
	free(to);
	return out;
}

struct grouping group_items(const uint32_t *group_of, size_t n, uint32_t n_groups)
{
	struct grouping g = {
		.begin = xcalloc((size_t)n_groups + 2, sizeof(*g.begin)),
		.items = xmalloc(n * sizeof(*g.items)),
		.n_groups = n_groups,
	};
	uint32_t *next = g.begin + 1;

	/* While filling, begin[k + 1] is the next free place of group k; afterwards it is its
	 * end. */
	for (size_t i = 0; i < n; i++)
		if (group_of[i] != GROUP_SKIP)
			g.begin[group_of[i] + 2]++;
	for (uint32_t k = 1; k <= n_groups; k++)
		g.begin[k + 1] += g.begin[k];
	for (size_t i = 0; i < n; i++)
		if (group_of[i] != GROUP_SKIP)
			g.items[next[group_of[i]]++] = (uint32_t)i;
	return g;
}

void grouping_free(struct grouping *g)
{
	free(g->begin);
	free(g->items);
	*g = (struct grouping){ 0 };
}
