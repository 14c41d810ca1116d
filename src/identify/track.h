/* Tracks: values over time under a pair of numbers, for as-of look-ups.
 *
 * Points are appended in time order by the builder; a look-up is one hash and one binary search.
 */
#ifndef PINWATCH_IDENTIFY_TRACK_H
#define PINWATCH_IDENTIFY_TRACK_H

#include "base/keymap.h"

struct point {
	int64_t time; /* ns */
	uint32_t value, extra;
};

struct points {
	const struct point *list;
	uint32_t n;
};

struct track;

struct tracks {
	struct keymap _numbers;
	struct track *_list;
	uint32_t _n, _capacity;
};

void tracks_init(struct tracks *t, uint64_t seed);
void tracks_free(struct tracks *t);
void tracks_clear(struct tracks *t);
/* Times must not decrease within one track. */
void tracks_add(struct tracks *t, uint32_t a, uint32_t b, struct point p);
/* The pair's track, made where there is none, and a point at its end: for who adds many to one. */
uint32_t tracks_number(struct tracks *t, uint32_t a, uint32_t b);
void tracks_append(struct tracks *t, uint32_t number, struct point p);
/* Nothing (n = 0) where the pair is unknown. Good until the next tracks_add. */
struct points tracks_get(const struct tracks *t, uint32_t a, uint32_t b);
/* How many of the points lie at or before `time`. */
uint32_t points_until(struct points p, int64_t time);

#endif
