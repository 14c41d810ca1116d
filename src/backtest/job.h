/* A backtest in a thread of its own, over the journal of a daemon that runs: one at a time.
 *
 * Whoever starts one goes on at once; the state and, at the end, the result are asked for. It may
 * be cancelled at any time and ends at the next block of records, or behind the judgement at hand.
 * Bounded in memory by the records' own (judging them takes about as much again) and in time. The
 * newest result is kept until the next one begins.
 *
 * What is in force is copied on starting. Any thread may call anything but free.
 */
#ifndef PINWATCH_BACKTEST_JOB_H
#define PINWATCH_BACKTEST_JOB_H

#include "backtest/grid.h"
#include "backtest/past.h"

enum job_state { JOB_NONE, JOB_RUNNING, JOB_DONE, JOB_FAILED, JOB_CANCELLED };

struct job_limits {
	uint64_t memory;    /* bytes of records; 0: no bound */
	struct span time;   /* behind which it gives up */
	size_t max_changes; /* listed of a setting */
	unsigned threads;   /* that judge; 0: as many as there are processors */
	/* Monotonic, for `time`. */
	struct instant (*now)(void *arg);
	void *now_arg;
};

struct job_request {
	const char *state_dir;
	const struct settings *in_force;
	const struct past_source *sources;
	size_t n_sources;
	struct scan_period period;
	bool all;
	struct grid grid; /* taken over where the job starts */
};

struct job_status {
	uint64_t id; /* counts up from 1; 0: none yet */
	enum job_state state;
	size_t judged, to_judge; /* settings, that in force included */
	struct error error;	 /* JOB_FAILED */
};

struct backtest_job;

struct backtest_job *job_new(const struct job_limits *limits);
/* Other limits for those that are started from now on. */
void job_limit(struct backtest_job *j, const struct job_limits *limits);
/* Cancels what runs and waits for it. */
void job_free(struct backtest_job *j);
/* False: one runs already (*err: ERROR_LIMIT), or no thread is to be had (ERROR_IO); the request
 * stays the caller's. */
bool job_start(struct backtest_job *j, struct job_request *request, uint64_t *id,
	       struct error *err);
/* False where none runs. */
bool job_cancel(struct backtest_job *j);
void job_status(struct backtest_job *j, struct job_status *out);
/* Calls back with the result of a job, where that is done and the last one; the result is good
 * within the call only. `take` may not call the job. */
bool job_result(struct backtest_job *j, uint64_t id,
		void (*take)(void *arg, const struct backtest *b), void *arg);
const char *job_state_name(enum job_state s);

#endif
