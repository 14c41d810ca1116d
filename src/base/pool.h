/* A fixed set of threads for work that is cut into numbered pieces.
 *
 * The thread that asks works along. Which thread does which piece is up to chance: a piece may only
 * write what is its own by its number, or its worker's, so that the result is the same for any
 * number of threads. A pool of one thread, or none (NULL), does everything in the caller, in order.
 * Workers take no signals. One thread at a time may use a pool; pieces may not use it themselves.
 */
#ifndef PINWATCH_BASE_POOL_H
#define PINWATCH_BASE_POOL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* More threads than this are not made. */
#define POOL_MAX 256u

/* index: 0 … n − 1; worker: 0 … pool_threads − 1, 0 being the caller. */
typedef void pool_fn(void *arg, size_t index, unsigned worker);

/* Pieces on their way; lives where the caller keeps it until pool_end. */
struct pool_job {
	struct pool_job *_next;
	pool_fn *_fn;
	void *_arg;
	size_t _n, _chunk;
	atomic_size_t _taken;
	unsigned _active; /* workers on it */
};

struct pool {
	unsigned _threads; /* the caller's included */
	pthread_t *_ids;
	pthread_mutex_t _lock;
	pthread_cond_t _work, _left;
	struct pool_job *_jobs;
	unsigned _started;
	bool _stop;
};

/* The processors this process may run on, at least 1. */
unsigned pool_processors(void);
/* threads: the caller's included. Where the system gives fewer, the pool has fewer. The pool stays
 * where it is. */
void pool_init(struct pool *p, unsigned threads);
void pool_free(struct pool *p);
/* 1 for NULL. */
unsigned pool_threads(const struct pool *p);
/* Calls fn for every index below n, and returns when all have been done. */
void pool_each(struct pool *p, size_t n, pool_fn *fn, void *arg);
/* The same in two halves, for a caller with something else to do meanwhile. pool_end works along on
 * what no worker has taken. Nothing is done before pool_end where there are no workers. */
void pool_begin(struct pool *p, struct pool_job *job, size_t n, pool_fn *fn, void *arg);
void pool_end(struct pool *p, struct pool_job *job);

#endif
