/* Ordering without comparisons: radix sort by a 64-bit key, and grouping by small numbers.
 *
 * Both are stable and linear, which is what makes judging millions of attempts cheap.
 */
#ifndef PINWATCH_BASE_ORDER_H
#define PINWATCH_BASE_ORDER_H

#include <stddef.h>
#include <stdint.h>

/* Permutation of 0…n−1 that puts `keys` in ascending signed order; the caller frees it. */
uint32_t *order_by_key(const int64_t *keys, size_t n);

/* Items of each group, in their original order. Group g is items[begin[g]] … items[begin[g + 1] −
 * 1]. */
struct grouping {
	uint32_t *begin;
	uint32_t *items;
	uint32_t n_groups;
};

#define GROUP_SKIP UINT32_MAX
/* group_of[i] < n_groups, or GROUP_SKIP to leave the item out. */
struct grouping group_items(const uint32_t *group_of, size_t n, uint32_t n_groups);
void grouping_free(struct grouping *g);

struct group {
	const uint32_t *items;
	size_t n;
};
static inline struct group grouping_at(const struct grouping *g, uint32_t group)
{
	return (struct group){ g->items + g->begin[group], g->begin[group + 1] - g->begin[group] };
}

#endif
