/* Calendar queue: puts records in event-time order with a bounded look-ahead.
 *
 * Records of one second (or calendar_width) share a bucket, an unsorted run; a bucket is sorted
 * once, when the watermark has passed its end and it is handed out. Pushing is an append, so nearly
 * ordered input costs next to nothing per record.
 */
#ifndef PINWATCH_BASE_CALENDAR_H
#define PINWATCH_BASE_CALENDAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/keymap.h"

struct calendar_bucket;

struct calendar {
	struct calendar_bucket *_buckets; /* pool; free ones keep their memory */
	uint32_t _n_buckets;
	uint32_t _free;
	struct keymap _by_number;
	int64_t *_heap; /* bucket numbers, least first */
	size_t _n_heap, _heap_capacity;
	uint32_t _last;
	int64_t _last_number;
	size_t _item_size;
	int (*_compare)(const void *, const void *);
	struct calendar_slot *_order; /* scratch of calendar_release */
	size_t _order_capacity;
	int64_t _width;	   /* ns */
	int64_t _released; /* number of the first bucket not yet handed out */
	size_t count;
};

/* Items are copied in. compare: decides between items of equal time. */
void calendar_init(struct calendar *c, size_t item_size, uint64_t seed,
		   int (*compare)(const void *, const void *));
/* Narrower buckets are handed out sooner, wider ones cost less. To be called before anything is
 * pushed. */
void calendar_width(struct calendar *c, struct span width);
void calendar_free(struct calendar *c);
/* False when the record's bucket has been handed out already: it is too late. */
bool calendar_push(struct calendar *c, struct instant t, const void *item);
/* Hands out every record of each bucket that ends at or before the watermark, in order.
 * `prepare` sees each record of a bucket before the first is delivered, to fetch into the cache
 * what it will need. */
void calendar_release(struct calendar *c, struct instant watermark,
		      void (*prepare)(void *arg, const void *item),
		      void (*deliver)(void *arg, const void *item), void *arg);
/* Gives back the memory of a queue that holds nothing. */
void calendar_empty(struct calendar *c);
/* Everything before this has been handed out. */
struct instant calendar_released(const struct calendar *c);
size_t calendar_footprint(const struct calendar *c);

#endif
