/* Changes as they come: server-sent events (WHATWG HTML, 9.2).
 *
 * Each has the number of its row as id. Nothing is queued: a stream remembers the last number that
 * it has sent and reads on from there, so that one that is slow holds nothing but its place. Who
 * comes back too late for what is kept is told `lost`, and has to read the findings anew.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "api/internal.h"
#include "store/query.h"

#define HEARTBEAT (5 * NS_PER_S)
#define AT_ONCE 50
#define MAX_WAITING ((size_t)8 << 20)

struct stream {
	struct api *api;
	int64_t last; /* the newest change that was sent */
	struct buf out;
	size_t written;
	int64_t beat; /* monotonic */
	char via[16], credential[65];
};

static int64_t now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

static void event(void *arg, const struct query_change *c)
{
	struct stream *x = arg;
	char at[INSTANT_ISO_SIZE];

	instant_format_iso((struct instant){ c->at }, at);
	/* Our JSON has no line breaks. */
	buf_printf(&x->out,
		   "id: %lld\nevent: %.*s\ndata: {\"at\":\"%s\",\"change\":", (long long)c->id,
		   SV_ARG(c->kind), at);
	buf_sv(&x->out, c->data);
	buf_str(&x->out, "}\n\n");
	x->last = c->id;
}

static bool look(struct stream *x)
{
	int64_t oldest, newest;
	struct error err;
	struct store *s = api_read(x->api, NULL);
	bool ok;

	if (s == NULL)
		return false;
	ok = query_changes(s, x->last, AT_ONCE, &oldest, &newest, event, x, &err);
	api_read_end(x->api, s);
	return ok;
}

static ptrdiff_t more(void *state, char *out, size_t n)
{
	struct stream *x = state;
	size_t left;

	if (x->written == x->out.n) {
		buf_reset(&x->out);
		x->written = 0;
		if (!look(x) || x->out.overflowed)
			return -1;
		if (x->out.n == 0 && now(CLOCK_MONOTONIC) < x->beat)
			return 0;
		/* Whoever may no longer hear is told nothing more. */
		if (!api_still(x->api, sv_cstr(x->via), sv_cstr(x->credential), HTTP_VIEWER,
			       now(CLOCK_REALTIME)))
			return -1;
		if (x->out.n == 0)
			buf_str(&x->out, ":\n\n");
		x->beat = now(CLOCK_MONOTONIC) + HEARTBEAT;
	}
	left = x->out.n - x->written;
	n = n < left ? n : left;
	memcpy(out, x->out.p + x->written, n);
	x->written += n;
	return (ptrdiff_t)n;
}

static void closed(void *state)
{
	struct stream *x = state;

	atomic_fetch_sub(&x->api->streams, 1);
	buf_free(&x->out);
	free(x);
}

/* Where to begin: behind what was seen, else with what comes. */
static bool place(struct stream *x, struct sv seen, struct http_response *r)
{
	struct store *s = api_read(x->api, r);
	int64_t oldest = 0, newest = 0;
	struct error err = { 0 };
	bool ok;

	if (s == NULL)
		return false;
	ok = query_changes(s, INT64_MAX, 1, &oldest, &newest, event, x, &err);
	api_read_end(x->api, s);
	if (!ok) {
		api_refused(r, &err);
		return false;
	}
	x->last = newest;
	buf_str(&x->out, "retry: 2000\n");
	if (seen.p != NULL && sv_to_i64(seen, &x->last) &&
	    (x->last > newest || x->last < oldest - 1)) {
		x->last = newest;
		buf_printf(&x->out, "id: %lld\nevent: lost\ndata: {\"after\":%lld}\n",
			   (long long)newest, (long long)newest);
	}
	buf_str(&x->out, "\n");
	return true;
}

static void events(void *context, const struct http_request *q, struct http_response *r)
{
	static const struct api_field fields[] = { { .name = "after", .min = 1, .max = 19 } };
	struct api *a = context;
	struct stream *x;
	struct sv seen;
	unsigned most;
	uint64_t id;

	if (!api_only(q, fields, 1, r) || !api_query(q, fields, &seen, r))
		return;
	if (seen.p == NULL)
		seen = http_header(q, "Last-Event-ID");
	if (seen.p != NULL && (!sv_to_u64(seen, &id) || id > INT64_MAX)) {
		http_error(r, 400, "bad_request",
			   "Last-Event-ID and after: expected an event's id");
		return;
	}
	if (q->_connection == NULL) {
		http_error(r, 503, "no_daemon", "no daemon runs, and without one nothing changes");
		return;
	}
	pthread_mutex_lock(&a->lock);
	most = a->settings.event_streams;
	pthread_mutex_unlock(&a->lock);
	if (atomic_fetch_add(&a->streams, 1) >= most) {
		atomic_fetch_sub(&a->streams, 1);
		http_error(r, 503, "busy", "as many listen already as may: try again later");
		http_set_header(r, "Retry-After", "30");
		return;
	}
	x = xcalloc(1, sizeof(*x));
	x->api = a;
	buf_init(&x->out, MAX_WAITING);
	snprintf(x->via, sizeof(x->via), "%.*s", SV_ARG(q->via));
	snprintf(x->credential, sizeof(x->credential), "%.*s", SV_ARG(q->credential));
	x->beat = now(CLOCK_MONOTONIC) + HEARTBEAT;
	r->state = x;
	r->closed = closed;
	if (!place(x, seen, r))
		return;
	r->type = "text/event-stream";
	r->stream = more;
	http_set_header(r, "X-Accel-Buffering", "no");
}

size_t api_events_routes(struct api *a, struct http_route *out)
{
	static const struct api_route routes[] = { { "GET", API_PREFIX "/events", HTTP_VIEWER,
						     events, false } };

	return api_add_routes(a, routes, 1, out);
}
