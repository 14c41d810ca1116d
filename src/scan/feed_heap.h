/* Numbered things by a key that changes: which has the least? Of equal keys the lower number. */
#ifndef PINWATCH_SCAN_FEED_HEAP_H
#define PINWATCH_SCAN_FEED_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct feed_heap {
	size_t n;
	size_t *_list; /* the heap: numbers */
	size_t *_at;   /* where in it a number is; SIZE_MAX: not in it */
	int64_t *_keys;
};

/* For the numbers below `most`; none is in it yet. */
void feed_heap_init(struct feed_heap *h, size_t most);
void feed_heap_free(struct feed_heap *h);
/* Puts it in, or gives it another key. */
void feed_heap_put(struct feed_heap *h, size_t number, int64_t key);
/* Nothing where it is not in it. */
void feed_heap_remove(struct feed_heap *h, size_t number);
bool feed_heap_holds(const struct feed_heap *h, size_t number);
/* SIZE_MAX: empty. */
size_t feed_heap_least(const struct feed_heap *h);

#endif
