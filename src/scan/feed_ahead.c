#include "scan/feed_ahead.h"

#include <stdlib.h>

/* Runs that may wait, a thread. */
#define WAITING 4u

/* All below but the making itself happens with the lock held. */

static int64_t standing(const struct lane *l)
{
	return l->input->whole || l->reached == INT64_MIN ? INT64_MIN
							  : l->reached - l->input->max_lag.ns;
}

static struct run *fresh_run(struct ahead *a)
{
	struct run *r = a->_free;

	if (r == NULL)
		return xcalloc(1, sizeof(*r));
	a->_free = r->_next;
	return r;
}

static void append(struct lane *l, struct run *r)
{
	r->_next = NULL;
	r->_made = false;
	if (l->last != NULL)
		l->last->_next = r;
	else
		l->first = r;
	l->last = r;
}

/* The lane's reader is free again. */
static void pass_on(struct ahead *a, size_t i, bool ended)
{
	if (ended)
		return;
	feed_heap_put(&a->_ready, i, standing(&a->_lanes[i]));
	pthread_cond_signal(&a->_room);
}

static void settle(struct ahead *a, size_t i, struct run *r)
{
	struct lane *l = &a->_lanes[i];

	if (r->reached != INT64_MIN) {
		l->reached = r->reached;
		if (feed_heap_holds(&a->_ready, i))
			feed_heap_put(&a->_ready, i, standing(l));
	}
	r->_made = true;
	pthread_cond_signal(&a->_made);
}

/* Makes the lane's next run. The lock is let go of meanwhile. */
static void make(struct ahead *a, size_t i)
{
	struct lane *l = &a->_lanes[i];
	struct run *r = fresh_run(a);
	struct parser *p;
	bool splits = l->splits;

	feed_heap_remove(&a->_ready, i);
	append(l, r);
	a->_waiting++;
	pthread_mutex_unlock(&a->_lock);
	run_read(r, l);
	if (splits) {
		pthread_mutex_lock(&a->_lock);
		p = lane_take_parser(l);
		pass_on(a, i, r->last);
		pthread_mutex_unlock(&a->_lock);
	} else {
		p = lane_take_parser(l);
	}
	if (!r->failed) {
		if (p == NULL)
			p = lane_new_parser(l);
		run_parse(r, l, p);
	}
	pthread_mutex_lock(&a->_lock);
	if (p != NULL)
		lane_rest_parser(l, p);
	if (!splits)
		pass_on(a, i, r->last);
	settle(a, i, r);
}

static void work(void *arg, size_t index, unsigned worker)
{
	struct ahead *a = arg;
	size_t i;

	(void)index;
	(void)worker;
	pthread_mutex_lock(&a->_lock);
	while (!a->_stop) {
		i = feed_heap_least(&a->_ready);
		if (i == SIZE_MAX || a->_waiting >= a->_most)
			pthread_cond_wait(&a->_room, &a->_lock);
		else
			make(a, i);
	}
	pthread_mutex_unlock(&a->_lock);
}

void ahead_start(struct ahead *a, const struct inputs_read *in, const struct scan_options *o,
		 struct pool *pool)
{
	unsigned threads = pool_threads(pool);

	*a = (struct ahead){ ._pool = pool, ._n = in->n, ._most = (size_t)threads * WAITING };
	pthread_mutex_init(&a->_lock, NULL);
	pthread_cond_init(&a->_made, NULL);
	pthread_cond_init(&a->_room, NULL);
	a->_lanes = xcalloc(in->n, sizeof(*a->_lanes));
	feed_heap_init(&a->_ready, in->n);
	for (size_t i = 0; i < in->n; i++) {
		lane_init(&a->_lanes[i], &in->list[i], o);
		feed_heap_put(&a->_ready, i, INT64_MIN);
	}
	pool_begin(pool, &a->_job, threads - 1, work, a);
}

struct run *ahead_next(struct ahead *a, size_t input)
{
	struct lane *l = &a->_lanes[input];
	struct run *r;

	pthread_mutex_lock(&a->_lock);
	while (l->first == NULL || !l->first->_made) {
		size_t other = feed_heap_least(&a->_ready);

		if (l->first == NULL)
			make(a, input);
		else if (other != SIZE_MAX && a->_waiting < a->_most)
			make(a, other);
		else
			pthread_cond_wait(&a->_made, &a->_lock);
	}
	r = l->first;
	l->first = r->_next;
	if (l->first == NULL)
		l->last = NULL;
	a->_waiting--;
	pthread_cond_signal(&a->_room);
	pthread_mutex_unlock(&a->_lock);
	return r;
}

void ahead_give_back(struct ahead *a, size_t input, struct run *r)
{
	if (r->last)
		lane_close(&a->_lanes[input]);
	run_trim(r);
	pthread_mutex_lock(&a->_lock);
	r->_next = a->_free;
	a->_free = r;
	pthread_mutex_unlock(&a->_lock);
}

static void free_runs(struct run *r)
{
	while (r != NULL) {
		struct run *gone = r;
		r = gone->_next;
		run_free(gone);
	}
}

void ahead_stop(struct ahead *a)
{
	pthread_mutex_lock(&a->_lock);
	a->_stop = true;
	pthread_cond_broadcast(&a->_room);
	pthread_mutex_unlock(&a->_lock);
	pool_end(a->_pool, &a->_job);
	for (size_t i = 0; i < a->_n; i++) {
		free_runs(a->_lanes[i].first);
		lane_close(&a->_lanes[i]);
	}
	free_runs(a->_free);
	free(a->_lanes);
	feed_heap_free(&a->_ready);
	pthread_cond_destroy(&a->_room);
	pthread_cond_destroy(&a->_made);
	pthread_mutex_destroy(&a->_lock);
}
