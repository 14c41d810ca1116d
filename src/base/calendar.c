#include "base/calendar.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

#define NO_BUCKET UINT32_MAX
/* Up to so many items are sorted by insertion. */
#define FEW 48u

struct calendar_bucket {
	int64_t *times;
	unsigned char *items;
	uint32_t n, capacity;
	uint32_t next_free;
};

/* What a bucket is sorted by: the items themselves stay where they are. */
struct calendar_slot {
	int64_t time;
	uint32_t item;
};

static int64_t number_of(const struct calendar *c, struct instant t)
{
	int64_t n = t.ns / c->_width;

	return t.ns % c->_width < 0 ? n - 1 : n;
}

void calendar_init(struct calendar *c, size_t item_size, uint64_t seed,
		   int (*compare)(const void *, const void *))
{
	*c = (struct calendar){
		._item_size = (item_size + 7) & ~(size_t)7,
		._compare = compare,
		._free = NO_BUCKET,
		._last = NO_BUCKET,
		._released = INT64_MIN,
		._width = NS_PER_S,
	};
	keymap_init(&c->_by_number, sizeof(int64_t), seed);
}

void calendar_width(struct calendar *c, struct span width) { c->_width = width.ns; }

void calendar_empty(struct calendar *c)
{
	for (uint32_t i = 0; i < c->_n_buckets; i++) {
		free(c->_buckets[i].items);
		free(c->_buckets[i].times);
	}
	free(c->_buckets);
	free(c->_heap);
	free(c->_order);
	keymap_free(&c->_by_number);
	c->_buckets = NULL;
	c->_heap = NULL;
	c->_order = NULL;
	c->_n_buckets = 0;
	c->_n_heap = c->_heap_capacity = c->_order_capacity = c->count = 0;
	c->_free = c->_last = NO_BUCKET;
}

void calendar_free(struct calendar *c) { calendar_empty(c); }

static void heap_push(struct calendar *c, int64_t number)
{
	size_t i = c->_n_heap++;

	if (i == c->_heap_capacity) {
		c->_heap_capacity = i == 0 ? 64 : i * 2;
		c->_heap = xrealloc(c->_heap, c->_heap_capacity, sizeof(*c->_heap));
	}
	for (; i > 0 && c->_heap[(i - 1) / 2] > number; i = (i - 1) / 2)
		c->_heap[i] = c->_heap[(i - 1) / 2];
	c->_heap[i] = number;
}

static int64_t heap_pop(struct calendar *c)
{
	int64_t least = c->_heap[0], moved = c->_heap[--c->_n_heap];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < c->_n_heap) {
		if (child + 1 < c->_n_heap && c->_heap[child + 1] < c->_heap[child])
			child++;
		if (c->_heap[child] >= moved)
			break;
		c->_heap[i] = c->_heap[child];
		i = child;
	}
	c->_heap[i] = moved;
	return least;
}

static uint32_t bucket_for(struct calendar *c, int64_t number)
{
	uint32_t *slot = keymap_slot(&c->_by_number, &number);

	if (*slot == KEYMAP_NONE) {
		if (c->_free != NO_BUCKET) {
			*slot = c->_free;
			c->_free = c->_buckets[*slot].next_free;
		} else {
			if ((c->_n_buckets & (c->_n_buckets - 1)) == 0)
				c->_buckets = xrealloc(c->_buckets,
						       c->_n_buckets == 0 ? 1 : c->_n_buckets * 2u,
						       sizeof(*c->_buckets));
			*slot = c->_n_buckets++;
			c->_buckets[*slot] = (struct calendar_bucket){ 0 };
		}
		heap_push(c, number);
	}
	return *slot;
}

bool calendar_push(struct calendar *c, struct instant t, const void *item)
{
	int64_t number = number_of(c, t);
	struct calendar_bucket *b;

	if (number < c->_released)
		return false;
	if (c->_last == NO_BUCKET || number != c->_last_number) {
		c->_last = bucket_for(c, number);
		c->_last_number = number;
	}
	b = &c->_buckets[c->_last];
	if (b->n == b->capacity) {
		b->capacity = b->capacity == 0 ? 16 : b->capacity * 2;
		b->items = xrealloc(b->items, b->capacity, c->_item_size);
		b->times = xrealloc(b->times, b->capacity, sizeof(*b->times));
	}
	b->times[b->n] = t.ns;
	memcpy(b->items + b->n++ * c->_item_size, item, c->_item_size);
	c->count++;
	return true;
}

/* A bucket under sorting, for by_time. */
struct sorting {
	const struct calendar *calendar;
	const unsigned char *items;
};

static int by_time(const void *a, const void *b, void *arg)
{
	const struct sorting *s = arg;
	const struct calendar_slot *x = a, *y = b;
	size_t size = s->calendar->_item_size;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return s->calendar->_compare(s->items + x->item * size, s->items + y->item * size);
}

/* A bucket is mostly a few runs, each of them in order, one behind the other. */
static void insert_each(struct sorting *s, struct calendar_slot *order, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++) {
		struct calendar_slot x = order[i];
		uint32_t k = i;

		while (k > 0 &&
		       (order[k - 1].time > x.time ||
			(order[k - 1].time == x.time && by_time(&order[k - 1], &x, s) > 0))) {
			order[k] = order[k - 1];
			k--;
		}
		order[k] = x;
	}
}

/* Leaves the bucket's items in c->_order, sorted. Runs that come in order cost one look. */
static void sort_bucket(struct calendar *c, const struct calendar_bucket *b)
{
	struct sorting s = { c, b->items };
	bool sorted = true;

	if (b->n > c->_order_capacity) {
		c->_order_capacity = (size_t)b->n * 2;
		c->_order = xrealloc(c->_order, c->_order_capacity, sizeof(*c->_order));
	}
	for (uint32_t i = 0; i < b->n; i++) {
		c->_order[i] = (struct calendar_slot){ b->times[i], i };
		sorted = sorted && (i == 0 || b->times[i - 1] < b->times[i]);
	}
	if (!sorted && b->n <= FEW)
		insert_each(&s, c->_order, b->n);
	else if (!sorted)
		qsort_r(c->_order, b->n, sizeof(*c->_order), by_time, &s);
}

void calendar_release(struct calendar *c, struct instant watermark,
		      void (*prepare)(void *arg, const void *item),
		      void (*deliver)(void *arg, const void *item), void *arg)
{
	int64_t end = number_of(c, watermark);

	while (c->_n_heap > 0 && c->_heap[0] < end) {
		int64_t number = heap_pop(c);
		uint32_t i = keymap_get(&c->_by_number, &number);
		struct calendar_bucket *b = &c->_buckets[i];

		sort_bucket(c, b);
		for (uint32_t k = 0; k < b->n; k++)
			prepare(arg, b->items + k * c->_item_size);
		for (uint32_t k = 0; k < b->n; k++)
			deliver(arg, b->items + c->_order[k].item * c->_item_size);
		c->count -= b->n;
		b->n = 0;
		b->next_free = c->_free;
		c->_free = i;
		keymap_remove(&c->_by_number, &number);
		c->_last = NO_BUCKET;
	}
	if (end > c->_released)
		c->_released = end;
}

struct instant calendar_released(const struct calendar *c)
{
	if (c->_released <= INT64_MIN / c->_width)
		return (struct instant){ INT64_MIN };
	return (struct instant){ c->_released * c->_width };
}

size_t calendar_footprint(const struct calendar *c)
{
	size_t n = c->_n_buckets * sizeof(*c->_buckets) + keymap_footprint(&c->_by_number);

	for (uint32_t i = 0; i < c->_n_buckets; i++)
		n += c->_buckets[i].capacity * (sizeof(int64_t) + c->_item_size);
	return n;
}
