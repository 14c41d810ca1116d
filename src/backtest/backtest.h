/* A backtest: one past, judged under the settings in force and under every other one that is tried.
 *
 * Records are read once (past.h); the five mutable elements are read while judging only, so that
 * every setting costs one judgement. The findings of a setting are those of a scan of the same
 * records with that setting, byte for byte. Held at any time are two judgements: that in force and
 * the one at hand.
 */
#ifndef PINWATCH_BACKTEST_BACKTEST_H
#define PINWATCH_BACKTEST_BACKTEST_H

#include "backtest/grid.h"
#include "backtest/past.h"

/* Changes of a setting that are listed by default; the rest is counted. */
#define BACKTEST_MAX_CHANGES 10000u

struct backtest_options {
	const struct grid *grid;
	bool all;	    /* quiet changes are listed, too */
	size_t max_changes; /* listed of a setting; 0: BACKTEST_MAX_CHANGES */
	/* Called with all findings of each setting, 0 being that in force, while they live; may
	 * measure them. NULL: none. False: *err says why, and the backtest ends. */
	bool (*judged)(void *arg, size_t setting, const struct grid_setting *s,
		       const struct finding *findings, size_t n, struct backtest_measure *measure,
		       struct error *err);
	void *judged_arg;
	bool (*stop)(void *arg); /* asked before each judgement but the first; may be NULL */
	void *stop_arg;
};

/* The result lives in the arena. False and *err only where `judged` says so. */
bool backtest_run(struct past *past, const struct backtest_options *options, struct arena *arena,
		  struct backtest *out, struct error *err);

#endif
