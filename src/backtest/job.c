#include "backtest/job.h"

#include <pthread.h>
#include <stdatomic.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "backtest/backtest.h"
#include "scan/settings.h"

struct backtest_job {
	pthread_mutex_t lock;	/* everything down to `result` */
	struct job_limits next; /* limits of those that are started */
	struct job_status status;
	bool there;	    /* a thread was begun and is not joined yet */
	struct arena arena; /* of the result */
	struct backtest result;
	pthread_t thread;
	atomic_bool cancelled;
	/* What the thread works on, its own while it runs. */
	bool late; /* out of time */
	struct job_limits limits;
	struct arena request_arena;
	struct job_request request;
	struct instant until;
};

struct backtest_job *job_new(const struct job_limits *limits)
{
	struct backtest_job *j = xcalloc(1, sizeof(*j));

	j->next = *limits;
	pthread_mutex_init(&j->lock, NULL);
	return j;
}

void job_limit(struct backtest_job *j, const struct job_limits *limits)
{
	pthread_mutex_lock(&j->lock);
	j->next = *limits;
	pthread_mutex_unlock(&j->lock);
}

static void forget_request(struct backtest_job *j)
{
	grid_free(&j->request.grid);
	arena_free(&j->request_arena);
	j->request_arena = (struct arena){ 0 };
}

void job_free(struct backtest_job *j)
{
	if (j == NULL)
		return;
	atomic_store(&j->cancelled, true);
	if (j->there)
		pthread_join(j->thread, NULL);
	forget_request(j);
	arena_free(&j->arena);
	pthread_mutex_destroy(&j->lock);
	free(j);
}

static bool stop(void *arg)
{
	struct backtest_job *j = arg;
	struct instant now = j->limits.now(j->limits.now_arg);

	j->late = j->late || now.ns > j->until.ns;
	return j->late || atomic_load(&j->cancelled);
}

static bool count(void *arg, size_t setting, const struct grid_setting *s,
		  const struct finding *findings, size_t n, struct backtest_measure *measure,
		  struct error *err)
{
	struct backtest_job *j = arg;

	(void)s, (void)findings, (void)n, (void)measure, (void)err;
	pthread_mutex_lock(&j->lock);
	j->status.judged = setting + 1;
	pthread_mutex_unlock(&j->lock);
	return true;
}

/* Reads the past and judges it. False and *err: there is no result; ERROR_NONE: it was stopped. */
static bool work(struct backtest_job *j, struct arena *arena, struct backtest *result,
		 struct error *err)
{
	const struct job_request *r = &j->request;
	const struct past_options past_options = {
		.state = r->state_dir,
		.settings = r->in_force,
		.sources = r->sources,
		.n_sources = r->n_sources,
		.period = r->period,
		.memory = j->limits.memory,
		.threads = j->limits.threads,
		.stop = stop,
		.stop_arg = j,
	};
	const struct backtest_options options = {
		.grid = &r->grid,
		.all = r->all,
		.max_changes = j->limits.max_changes,
		.judged = count,
		.judged_arg = j,
		.stop = stop,
		.stop_arg = j,
	};
	struct past *past = past_open(&past_options, err);
	bool ok = past != NULL && backtest_run(past, &options, arena, result, err);

	past_free(past);
	if (ok && result->stopped) {
		err->code = ERROR_NONE;
		ok = false;
	}
	return ok;
}

static void *run(void *arg)
{
	struct backtest_job *j = arg;
	struct arena arena = { 0 };
	struct backtest result;
	struct error err = { .code = ERROR_NONE };
	bool ok;

	/* Records come first, where the system lets us say so. */
	setpriority(PRIO_PROCESS, (id_t)gettid(), 10);
	ok = work(j, &arena, &result, &err);

	if (!ok && err.code == ERROR_NONE && !atomic_load(&j->cancelled))
		error_set(&err, ERROR_LIMIT, 0,
			  "the backtest took longer than the %lld s that it may: narrow the past "
			  "by since and until, or try fewer settings",
			  (long long)(j->limits.time.ns / NS_PER_S));
	pthread_mutex_lock(&j->lock);
	if (ok) {
		j->arena = arena;
		j->result = result;
	} else {
		arena_free(&arena);
		j->status.error = err;
	}
	j->status.state = ok ? JOB_DONE : err.code == ERROR_NONE ? JOB_CANCELLED : JOB_FAILED;
	pthread_mutex_unlock(&j->lock);
	return NULL;
}

/* A copy of what the caller may change as soon as the call returns. */
static void copy_request(struct backtest_job *j, struct job_request *request)
{
	struct arena *a = &j->request_arena;
	struct settings *in_force = arena_alloc(a, sizeof(*in_force));
	struct past_source *sources = arena_alloc(a, (request->n_sources + 1) * sizeof(*sources));

	settings_copy(in_force, request->in_force, a);
	for (size_t i = 0; i < request->n_sources; i++)
		sources[i] = (struct past_source){ arena_sv(a, request->sources[i].name),
						   request->sources[i].silence_after };
	j->request = *request;
	j->request.state_dir = arena_sv(a, sv_cstr(request->state_dir)).p;
	j->request.in_force = in_force;
	j->request.sources = sources;
	request->grid = (struct grid){ 0 };
}

/* Signals are the business of the threads that were there before. */
static int begin_thread(struct backtest_job *j)
{
	sigset_t all, before;
	int code;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	code = pthread_create(&j->thread, NULL, run, j);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return code;
}

bool job_start(struct backtest_job *j, struct job_request *request, uint64_t *id, struct error *err)
{
	int code;

	pthread_mutex_lock(&j->lock);
	if (j->status.state == JOB_RUNNING) {
		pthread_mutex_unlock(&j->lock);
		return error_set(err, ERROR_LIMIT, 0,
				 "backtest %llu is running: wait for its end or cancel it, there "
				 "is one at a time",
				 (unsigned long long)j->status.id);
	}
	if (j->there)
		pthread_join(j->thread, NULL); /* it has nothing left to do but to end */
	j->there = false;
	forget_request(j);
	arena_free(&j->arena);
	j->arena = (struct arena){ 0 };
	copy_request(j, request);
	j->limits = j->next;
	j->late = false;
	atomic_store(&j->cancelled, false);
	j->until.ns = j->limits.now(j->limits.now_arg).ns + j->limits.time.ns;
	j->status = (struct job_status){
		.id = j->status.id + 1,
		.state = JOB_RUNNING,
		.to_judge = j->request.grid.n + 1,
	};
	code = begin_thread(j);
	if (code != 0) {
		request->grid = j->request.grid;
		j->request.grid = (struct grid){ 0 };
		j->status.state = JOB_FAILED;
		error_set(&j->status.error, ERROR_IO, 0,
			  "no thread can be made: %s; try again later", strerror(code));
		*err = j->status.error;
	}
	j->there = code == 0;
	*id = j->status.id;
	pthread_mutex_unlock(&j->lock);
	return code == 0;
}

bool job_cancel(struct backtest_job *j)
{
	bool runs;

	pthread_mutex_lock(&j->lock);
	runs = j->status.state == JOB_RUNNING;
	if (runs)
		atomic_store(&j->cancelled, true);
	pthread_mutex_unlock(&j->lock);
	return runs;
}

void job_status(struct backtest_job *j, struct job_status *out)
{
	pthread_mutex_lock(&j->lock);
	*out = j->status;
	pthread_mutex_unlock(&j->lock);
}

bool job_result(struct backtest_job *j, uint64_t id,
		void (*take)(void *arg, const struct backtest *b), void *arg)
{
	bool there;

	pthread_mutex_lock(&j->lock);
	there = j->status.state == JOB_DONE && j->status.id == id;
	if (there)
		take(arg, &j->result);
	pthread_mutex_unlock(&j->lock);
	return there;
}

const char *job_state_name(enum job_state s)
{
	static const char *const names[] = { "none", "running", "done", "failed", "cancelled" };

	return names[s];
}
