#include "api/backtest.h"

#include <pthread.h>
#include <stdlib.h>

#include "api/internal.h"
#include "backtest/job.h"
#include "conf/assign.h"
#include "emit/backtest.h"
#include "scan/settings.h"

#define MAX_SECONDS 600
/* Changes of a setting that are listed: with as many settings as may be tried the answer has some
 * 10 MB. */
#define MAX_CHANGES 200
#define MAX_ASSIGNMENT (32 * 1024)
#define MAX_TIME 40

struct api_backtest {
	pthread_mutex_t lock;	  /* everything down to `arena` */
	struct backtest_job *job; /* NULL until the daemon has said what is in force */
	uint64_t version;	  /* of the settings, as the keeper counts */
	const struct conf *conf;  /* only to be told from another */
	struct settings in_force;
	struct past_source *sources;
	size_t n_sources;
	const char *state;
	struct arena arena;
};

struct api_backtest *api_backtest_new(void)
{
	struct api_backtest *b = xcalloc(1, sizeof(*b));

	pthread_mutex_init(&b->lock, NULL);
	return b;
}

void api_backtest_free(struct api_backtest *b)
{
	if (b == NULL)
		return;
	job_free(b->job);
	arena_free(&b->arena);
	pthread_mutex_destroy(&b->lock);
	free(b);
}

void api_backtest_look(struct api *a, const struct daemon *d)
{
	struct api_backtest *b = a->backtest;
	const struct job_limits limits = {
		.memory = d->conf->memory,
		.time = { MAX_SECONDS * NS_PER_S },
		.max_changes = MAX_CHANGES,
		.threads = 1,
		.now = d->options->clock.monotonic,
		.now_arg = d->options->clock.arg,
	};

	pthread_mutex_lock(&b->lock);
	if (b->job == NULL || b->version != d->keeper.settled || b->conf != d->conf) {
		if (b->job == NULL)
			b->job = job_new(&limits);
		job_limit(b->job, &limits);
		arena_free(&b->arena);
		b->arena = (struct arena){ 0 };
		b->version = d->keeper.settled;
		b->conf = d->conf;
		settings_copy(&b->in_force, &d->keeper.settings, &b->arena);
		b->n_sources = d->conf->n_sources;
		b->sources = arena_alloc(&b->arena, (b->n_sources + 1) * sizeof(*b->sources));
		for (size_t i = 0; i < b->n_sources; i++)
			b->sources[i] =
			    (struct past_source){ arena_sv(&b->arena, d->conf->sources[i].name),
						  d->conf->sources[i].silence_after };
		b->state = arena_sv(&b->arena, sv_cstr(d->state_dir)).p;
	}
	pthread_mutex_unlock(&b->lock);
}

/* False and 503 where no daemon runs. */
static bool has_daemon(struct api_backtest *b, struct http_response *r)
{
	bool there;

	pthread_mutex_lock(&b->lock);
	there = b->job != NULL;
	pthread_mutex_unlock(&b->lock);
	if (!there)
		http_error(r, 503, "no_daemon",
			   "no daemon runs: `pinwatch backtest` judges the past of a database "
			   "where none does");
	return there;
}

static void put_result(void *arg, const struct backtest *b) { backtest_json(arg, b); }

static void write_status(struct api_backtest *b, struct http_response *r, bool with_result)
{
	struct jsonw w = jsonw_on(&r->body);
	struct job_status status;
	struct buf result;

	buf_init(&result, BACKTEST_MAX_BYTES);
	job_status(b->job, &status);
	jsonw_open(&w, '{');
	jsonw_key_int(&w, "id", (int64_t)status.id);
	jsonw_key_said(&w, "state", sv_cstr(job_state_name(status.state)));
	jsonw_key_int(&w, "judged", (int64_t)status.judged);
	jsonw_key_int(&w, "to_judge", (int64_t)status.to_judge);
	jsonw_key_full(&w, "error",
		       status.state == JOB_FAILED ? sv_cstr(status.error.message) : SV_NONE);
	jsonw_key(&w, "result");
	if (with_result && job_result(b->job, status.id, put_result, &result) && !result.overflowed)
		jsonw_raw(&w, buf_view(&result));
	else
		jsonw_null(&w);
	jsonw_close(&w, '}');
	buf_char(&r->body, '\n');
	buf_free(&result);
}

/* ---- what is asked for */

enum { SET, SWEEP, SINCE, UNTIL, ALL, FIELDS };

static const struct api_field fields[FIELDS] = {
	[SET] = { .name = "set", .type = API_TEXTS, .min = 1, .max = MAX_ASSIGNMENT },
	[SWEEP] = { .name = "sweep", .type = API_TEXTS, .min = 1, .max = MAX_ASSIGNMENT },
	[SINCE] = { .name = "since",
		    .type = API_TEXT,
		    .nullable = true,
		    .min = 1,
		    .max = MAX_TIME },
	[UNTIL] = { .name = "until",
		    .type = API_TEXT,
		    .nullable = true,
		    .min = 1,
		    .max = MAX_TIME },
	[ALL] = { .name = "all", .type = API_BOOLEAN },
};

static bool read_time(const char *name, const struct value *v, struct instant *out,
		      struct http_response *r)
{
	*out = INSTANT_NONE;
	if (v == NULL || conf_date(v->text, out) || instant_parse_iso(v->text, 0, out))
		return true;
	http_error(r, 400, "bad_request",
		   "%s: expected a time like 2026-11-24 or 2026-11-24T08:00:00Z", name);
	return false;
}

static bool read_grid(const struct value *const *v, struct grid *g, struct http_response *r)
{
	struct error err = { 0 };
	bool ok = true;

	g->no_files = true;
	for (int list = SET; list <= SWEEP && ok; list++)
		for (size_t i = 0; v[list] != NULL && i < v[list]->array.n && ok; i++)
			ok = (list == SET ? grid_set : grid_sweep)(
			    g, fields[list].name, v[list]->array.items[i].text, &err);
	if (!ok)
		http_error(r, 400, "bad_setting", "%s", err.message);
	else if (g->n == 0)
		http_error(r, 400, "bad_request",
			   "nothing to try: expected `set` or `sweep`, such as "
			   "{\"sweep\":[\"InspectionFailureThreshold=2..8\"]}");
	return ok && g->n > 0;
}

static bool read_request(const struct http_request *q, struct job_request *request,
			 struct http_response *r)
{
	const struct value *v[FIELDS];

	if (!api_only(q, NULL, 0, r) || !api_body(q, fields, FIELDS, v, r) ||
	    !read_time("since", v[SINCE], &request->period.since, r) ||
	    !read_time("until", v[UNTIL], &request->period.until, r))
		return false;
	if (instant_known(request->period.since) && instant_known(request->period.until) &&
	    request->period.since.ns >= request->period.until.ns) {
		http_error(r, 400, "bad_request",
			   "since, until: expected a period that ends after it begins");
		return false;
	}
	request->all = v[ALL] != NULL && v[ALL]->boolean;
	return read_grid(v, &request->grid, r);
}

/* ---- handlers */

static bool begin(struct api_backtest *b, struct job_request *request, struct http_response *r)
{
	struct error err;
	uint64_t id;
	bool ok;

	pthread_mutex_lock(&b->lock);
	request->state_dir = b->state;
	request->in_force = &b->in_force;
	request->sources = b->sources;
	request->n_sources = b->n_sources;
	ok = job_start(b->job, request, &id, &err);
	pthread_mutex_unlock(&b->lock);
	if (!ok && err.code == ERROR_LIMIT)
		http_error(r, 409, "busy", "%s", err.message);
	else if (!ok)
		http_error(r, 503, "no_thread", "%s", err.message);
	return ok;
}

static void start(void *context, const struct http_request *q, struct http_response *r)
{
	struct api *a = context;
	struct audit_who who = api_who(q);
	struct job_request request = { 0 };
	struct error err = { 0 };
	struct store *s;
	bool ok;

	if (has_daemon(a->backtest, r) && read_request(q, &request, r) &&
	    (s = api_write(a, r)) != NULL) {
		ok = audit_write(s, &who, "backtest.start", SV("backtest"), SV_NONE, q->body, &err);
		if (!ok)
			api_refused(r, &err);
		ok = ok && begin(a->backtest, &request, r);
		if (!api_write_end(a, s, ok, r) && ok) {
			job_cancel(a->backtest->job);
			ok = false;
		}
		if (ok) {
			r->status = 202;
			write_status(a->backtest, r, false);
		}
	}
	grid_free(&request.grid);
}

static void get(void *context, const struct http_request *q, struct http_response *r)
{
	struct api *a = context;

	if (api_only(q, NULL, 0, r) && has_daemon(a->backtest, r))
		write_status(a->backtest, r, true);
}

static void cancel(void *context, const struct http_request *q, struct http_response *r)
{
	struct api *a = context;

	if (!api_only(q, NULL, 0, r) || !has_daemon(a->backtest, r))
		return;
	if (job_cancel(a->backtest->job))
		write_status(a->backtest, r, false);
	else
		http_error(r, 409, "not_running", "no backtest is running");
}

size_t api_backtest_routes(struct api *a, struct http_route *out)
{
	static const struct api_route list[] = {
		{ "POST", API_PREFIX "/backtest", HTTP_ANALYST, start, true },
		{ "GET", API_PREFIX "/backtest", HTTP_VIEWER, get, false },
		{ "DELETE", API_PREFIX "/backtest", HTTP_ANALYST, cancel, false },
	};

	return api_add_routes(a, list, sizeof(list) / sizeof(list[0]), out);
}
