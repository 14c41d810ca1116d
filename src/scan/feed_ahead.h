/* Reading ahead: the runs of all inputs, made by every thread there is.
 *
 * The feed takes runs one after another, always of the input that stands least. Meanwhile the
 * pool's workers make the next ones, of the inputs that will stand least then, as far as the runs
 * made so far tell. The feed makes a run itself when the one it needs is not there: so no thread
 * waits while there is something to do, and with one thread everything happens in the feed, in its
 * order. How many runs wait is bounded. What a run holds hangs on its input alone, so that chance
 * decides about nothing but time.
 */
#ifndef PINWATCH_SCAN_FEED_AHEAD_H
#define PINWATCH_SCAN_FEED_AHEAD_H

#include "base/pool.h"
#include "scan/feed_heap.h"
#include "scan/feed_run.h"

struct ahead {
	struct pool *_pool;
	struct pool_job _job;
	pthread_mutex_t _lock;
	pthread_cond_t _made, _room;
	struct lane *_lanes; /* one an input */
	size_t _n;
	struct feed_heap _ready; /* lanes of which another run can be made, by where they stand
				    after those made */
	struct run *_free;
	size_t _waiting, _most; /* runs made or being made, and not taken */
	bool _stop;
};

/* Begins to read ahead, of the inputs as they are. */
void ahead_start(struct ahead *a, const struct inputs_read *in, const struct scan_options *o,
		 struct pool *pool);
/* The next run of an input, which has to be given back before the next call. */
struct run *ahead_next(struct ahead *a, size_t input);
void ahead_give_back(struct ahead *a, size_t input, struct run *r);
void ahead_stop(struct ahead *a);

#endif
