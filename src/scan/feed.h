/* Feeding: all inputs into the engine, merged by event time.
 *
 * The input whose position is least is read next, a run of records at a time; the watermark is the
 * least position. A pass ends with what the next one has to do differently: an input whose records
 * lie further out of order than its max_lag is read whole before anything of it is relied on;
 * records behind a source's cut are quarantined.
 */
#ifndef PINWATCH_SCAN_FEED_H
#define PINWATCH_SCAN_FEED_H

#include "scan/engine.h"
#include "scan/feed_ahead.h"

struct feed {
	struct inputs_read *inputs;
	struct engine *engine;
	const struct scan_options *options;
	struct arena *arena;
	struct pool *pool; /* reads ahead; may be NULL */
	uint64_t records;
	bool interrupted;
	bool damaged; /* an input ended in an error after some records; see its source's examples */
	struct feed_heap _order; /* inputs that are not done, by position */
};

/* FEED_LISTENER: the engine has found a listener of the gateway; start over with it. */
enum feed_result { FEED_DONE, FEED_AGAIN, FEED_LISTENER, FEED_FAILED };
enum feed_result feed_pass(struct feed *f, struct error *err);

#endif
