#include "identify/track.h"

#include <stdlib.h>

#include "base/arena.h"

struct track {
	struct point *points;
	uint32_t n, capacity;
};

struct pair {
	uint32_t a, b;
};

void tracks_init(struct tracks *t, uint64_t seed)
{
	*t = (struct tracks){ 0 };
	keymap_init(&t->_numbers, sizeof(struct pair), seed);
}

void tracks_free(struct tracks *t)
{
	for (uint32_t i = 0; i < t->_n; i++)
		free(t->_list[i].points);
	free(t->_list);
	keymap_free(&t->_numbers);
}

void tracks_clear(struct tracks *t)
{
	for (uint32_t i = 0; i < t->_n; i++)
		free(t->_list[i].points);
	t->_n = 0;
	keymap_clear(&t->_numbers);
}

uint32_t tracks_number(struct tracks *t, uint32_t a, uint32_t b)
{
	struct pair key = { a, b };
	uint32_t *slot = keymap_slot(&t->_numbers, &key);

	if (*slot == KEYMAP_NONE) {
		if (t->_n == t->_capacity) {
			t->_capacity = t->_capacity == 0 ? 64 : t->_capacity * 2;
			t->_list = xrealloc(t->_list, t->_capacity, sizeof(*t->_list));
		}
		t->_list[t->_n] = (struct track){ 0 };
		*slot = t->_n++;
	}
	return *slot;
}

void tracks_append(struct tracks *t, uint32_t number, struct point p)
{
	struct track *track = &t->_list[number];

	if (track->n == track->capacity) {
		track->capacity = track->capacity == 0 ? 4 : track->capacity + track->capacity / 2;
		track->points = xrealloc(track->points, track->capacity, sizeof(*track->points));
	}
	track->points[track->n++] = p;
}

void tracks_add(struct tracks *t, uint32_t a, uint32_t b, struct point p)
{
	tracks_append(t, tracks_number(t, a, b), p);
}

struct points tracks_get(const struct tracks *t, uint32_t a, uint32_t b)
{
	struct pair key = { a, b };
	uint32_t at = keymap_get(&t->_numbers, &key);

	if (at == KEYMAP_NONE)
		return (struct points){ NULL, 0 };
	return (struct points){ t->_list[at].points, t->_list[at].n };
}

uint32_t points_until(struct points p, int64_t time)
{
	uint32_t low = 0, high = p.n;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		if (p.list[mid].time <= time)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}
