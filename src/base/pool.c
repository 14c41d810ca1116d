#include "base/pool.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>

#include "base/arena.h"

/* So many chunks a thread: enough that one with heavy pieces does not end last by much. */
#define CHUNKS 16u

unsigned pool_processors(void)
{
	cpu_set_t set;
	int n;

	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		return 1;
	n = CPU_COUNT(&set);
	return n < 1 ? 1 : (unsigned)n > POOL_MAX ? POOL_MAX : (unsigned)n;
}

static void work_on(struct pool_job *job, unsigned worker)
{
	size_t from;

	while ((from = atomic_fetch_add(&job->_taken, job->_chunk)) < job->_n) {
		size_t end = job->_n - from < job->_chunk ? job->_n : from + job->_chunk;
		for (size_t i = from; i < end; i++)
			job->_fn(job->_arg, i, worker);
	}
}

/* With the lock held: a job of which something is left to take. */
static struct pool_job *open_job(const struct pool *p)
{
	struct pool_job *job = p->_jobs;

	while (job != NULL && atomic_load(&job->_taken) >= job->_n)
		job = job->_next;
	return job;
}

static void *worker_main(void *arg)
{
	struct pool *p = arg;
	unsigned worker;

	pthread_mutex_lock(&p->_lock);
	worker = ++p->_started;
	for (;;) {
		struct pool_job *job = NULL;

		while (!p->_stop && (job = open_job(p)) == NULL)
			pthread_cond_wait(&p->_work, &p->_lock);
		if (job == NULL)
			break;
		job->_active++;
		pthread_mutex_unlock(&p->_lock);
		work_on(job, worker);
		pthread_mutex_lock(&p->_lock);
		if (--job->_active == 0)
			pthread_cond_broadcast(&p->_left);
	}
	pthread_mutex_unlock(&p->_lock);
	return NULL;
}

void pool_init(struct pool *p, unsigned threads)
{
	sigset_t all, before;

	*p = (struct pool){ ._threads = 1 };
	pthread_mutex_init(&p->_lock, NULL);
	pthread_cond_init(&p->_work, NULL);
	pthread_cond_init(&p->_left, NULL);
	if (threads > POOL_MAX)
		threads = POOL_MAX;
	if (threads <= 1)
		return;
	p->_ids = xcalloc(threads - 1, sizeof(*p->_ids));
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (p->_threads < threads &&
	       pthread_create(&p->_ids[p->_threads - 1], NULL, worker_main, p) == 0)
		p->_threads++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void pool_free(struct pool *p)
{
	pthread_mutex_lock(&p->_lock);
	p->_stop = true;
	pthread_cond_broadcast(&p->_work);
	pthread_mutex_unlock(&p->_lock);
	for (unsigned i = 1; i < p->_threads; i++)
		pthread_join(p->_ids[i - 1], NULL);
	free(p->_ids);
	pthread_cond_destroy(&p->_left);
	pthread_cond_destroy(&p->_work);
	pthread_mutex_destroy(&p->_lock);
}

unsigned pool_threads(const struct pool *p) { return p != NULL ? p->_threads : 1; }

void pool_begin(struct pool *p, struct pool_job *job, size_t n, pool_fn *fn, void *arg)
{
	size_t chunk = n / ((size_t)pool_threads(p) * CHUNKS);

	*job =
	    (struct pool_job){ ._fn = fn, ._arg = arg, ._n = n, ._chunk = chunk > 0 ? chunk : 1 };
	if (pool_threads(p) == 1 || n == 0)
		return;
	pthread_mutex_lock(&p->_lock);
	job->_next = p->_jobs;
	p->_jobs = job;
	pthread_cond_broadcast(&p->_work);
	pthread_mutex_unlock(&p->_lock);
}

void pool_end(struct pool *p, struct pool_job *job)
{
	struct pool_job **at;

	work_on(job, 0);
	if (pool_threads(p) == 1 || job->_n == 0)
		return;
	pthread_mutex_lock(&p->_lock);
	for (at = &p->_jobs; *at != job;)
		at = &(*at)->_next;
	*at = job->_next;
	while (job->_active > 0)
		pthread_cond_wait(&p->_left, &p->_lock);
	pthread_mutex_unlock(&p->_lock);
}

void pool_each(struct pool *p, size_t n, pool_fn *fn, void *arg)
{
	struct pool_job job;

	/* Too little to wake anyone for. */
	if (n <= 1 || pool_threads(p) == 1) {
		for (size_t i = 0; i < n; i++)
			fn(arg, i, 0);
		return;
	}
	pool_begin(p, &job, n, fn, arg);
	pool_end(p, &job);
}
