#include "serve/web.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/jsonw.h"
#include "serve/status.h"

#define MAX_METRICS ((size_t)16 * 1024 * 1024)

struct web {
	pthread_mutex_t lock;
	struct buf metrics;
	struct buf spare;	  /* the daemon's thread writes here, then swaps */
	struct instant published; /* monotonic */
	bool ready, trouble;
	char why[1024];
};

struct web *web_new(void)
{
	struct web *w = xcalloc(1, sizeof(*w));

	pthread_mutex_init(&w->lock, NULL);
	buf_init(&w->metrics, MAX_METRICS);
	buf_init(&w->spare, MAX_METRICS);
	return w;
}

void web_free(struct web *w)
{
	if (w == NULL)
		return;
	buf_free(&w->metrics);
	buf_free(&w->spare);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

static struct instant monotonic(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (struct instant){ (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec };
}

void web_publish(struct web *w, const struct daemon *d)
{
	struct buf old;

	buf_reset(&w->spare);
	status_metrics(&w->spare, d);
	pthread_mutex_lock(&w->lock);
	old = w->metrics;
	w->metrics = w->spare;
	w->spare = old;
	w->published = monotonic();
	w->ready = d->ready;
	w->trouble = d->trouble;
	memcpy(w->why, d->trouble_why.message, sizeof(w->why));
	w->why[sizeof(w->why) - 1] = '\0';
	pthread_mutex_unlock(&w->lock);
}

static void answer(struct http_response *r, bool good, const char *why)
{
	struct jsonw j = jsonw_on(&r->body);

	if (!good) {
		http_error(r, 503, "unavailable", "%s", why);
		return;
	}
	jsonw_open(&j, '{');
	jsonw_key_str(&j, "status", "ok");
	jsonw_close(&j, '}');
	buf_char(&r->body, '\n');
}

static bool turns(const struct web *w) { return monotonic().ns - w->published.ns < WEB_STUCK; }

static void healthz(void *context, const struct http_request *request,
		    struct http_response *response)
{
	struct web *w = context;
	bool good;

	(void)request;
	pthread_mutex_lock(&w->lock);
	good = turns(w);
	pthread_mutex_unlock(&w->lock);
	answer(response, good, "the daemon's loop does not turn");
}

static void readyz(void *context, const struct http_request *request,
		   struct http_response *response)
{
	struct web *w = context;
	char why[1024];
	bool good;

	(void)request;
	pthread_mutex_lock(&w->lock);
	good = turns(w) && w->ready && !w->trouble;
	memcpy(why, w->trouble ? w->why : "not ready yet",
	       w->trouble ? sizeof(why) : sizeof("not ready yet"));
	pthread_mutex_unlock(&w->lock);
	answer(response, good, why);
}

static void metrics(void *context, const struct http_request *request,
		    struct http_response *response)
{
	struct web *w = context;

	(void)request;
	response->type = "text/plain; version=0.0.4; charset=utf-8";
	pthread_mutex_lock(&w->lock);
	buf_sv(&response->body, buf_view(&w->metrics));
	pthread_mutex_unlock(&w->lock);
}

void web_routes(struct web *w, struct http_route out[WEB_ROUTES])
{
	static const struct {
		const char *pattern;
		http_handler *handler;
	} all[WEB_ROUTES] = { { "/healthz", healthz },
			      { "/readyz", readyz },
			      { "/metrics", metrics } };

	for (size_t i = 0; i < WEB_ROUTES; i++)
		out[i] = (struct http_route){
			.method = "GET",
			.pattern = all[i].pattern,
			.role = HTTP_ANYONE,
			.handler = all[i].handler,
			.context = w,
		};
}
