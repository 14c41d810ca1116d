#include "scan/feed_heap.h"

#include <stdlib.h>

#include "base/arena.h"

void feed_heap_init(struct feed_heap *h, size_t most)
{
	h->n = 0;
	h->_list = xcalloc(most, sizeof(*h->_list));
	h->_at = xcalloc(most, sizeof(*h->_at));
	h->_keys = xcalloc(most, sizeof(*h->_keys));
	for (size_t i = 0; i < most; i++)
		h->_at[i] = SIZE_MAX;
}

void feed_heap_free(struct feed_heap *h)
{
	free(h->_list);
	free(h->_at);
	free(h->_keys);
	*h = (struct feed_heap){ 0 };
}

static bool before(const struct feed_heap *h, size_t a, size_t b)
{
	return h->_keys[a] != h->_keys[b] ? h->_keys[a] < h->_keys[b] : a < b;
}

static void place(struct feed_heap *h, size_t at, size_t number)
{
	h->_list[at] = number;
	h->_at[number] = at;
}

static size_t rise(struct feed_heap *h, size_t at, size_t number)
{
	for (; at > 0 && before(h, number, h->_list[(at - 1) / 2]); at = (at - 1) / 2)
		place(h, at, h->_list[(at - 1) / 2]);
	return at;
}

static size_t sink(struct feed_heap *h, size_t at, size_t number)
{
	size_t child;

	while ((child = 2 * at + 1) < h->n) {
		if (child + 1 < h->n && before(h, h->_list[child + 1], h->_list[child]))
			child++;
		if (!before(h, h->_list[child], number))
			break;
		place(h, at, h->_list[child]);
		at = child;
	}
	return at;
}

void feed_heap_put(struct feed_heap *h, size_t number, int64_t key)
{
	size_t at = h->_at[number];

	if (at == SIZE_MAX)
		at = h->n++;
	h->_keys[number] = key;
	place(h, sink(h, rise(h, at, number), number), number);
}

void feed_heap_remove(struct feed_heap *h, size_t number)
{
	size_t at = h->_at[number], moved;

	if (at == SIZE_MAX)
		return;
	h->_at[number] = SIZE_MAX;
	moved = h->_list[--h->n];
	if (moved != number)
		place(h, sink(h, rise(h, at, moved), moved), moved);
}

bool feed_heap_holds(const struct feed_heap *h, size_t number)
{
	return h->_at[number] != SIZE_MAX;
}
size_t feed_heap_least(const struct feed_heap *h) { return h->n > 0 ? h->_list[0] : SIZE_MAX; }
