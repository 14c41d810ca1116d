/* Shared by merge.c and merge_evict.c. */
#ifndef PINWATCH_CORRELATE_MERGE_INTERNAL_H
#define PINWATCH_CORRELATE_MERGE_INTERNAL_H

#include "base/clock.h"

/* Starts of one attempt's records that only the client port joins lie at most so far from the
 * first. */
#define JOIN_WITHIN (120 * NS_PER_S)

/* Counts of attempts without a client port, by the source that says them. */
struct sum_key {
	uint32_t attempt, source;
};

#endif
