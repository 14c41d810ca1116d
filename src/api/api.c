#include "api/backtest.h"
#include "api/internal.h"
#include "base/arena.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define MAX_PAGE ((size_t)64 << 20)

struct api *api_open(const char *database, struct error *err)
{
	struct api *a = xcalloc(1, sizeof(*a));

	a->database = xstrdup(database);
	a->fd = -1;
	pthread_mutex_init(&a->lock, NULL);
	pthread_mutex_init(&a->writing, NULL);
	pthread_mutex_init(&a->hashing, NULL);
	a->limit = api_limit_new();
	a->backtest = api_backtest_new();
	for (int i = 0; i < API_PAGES; i++)
		buf_init(&a->pages[i], MAX_PAGE);
	a->settings = (struct api_settings){ .session_age = { 12 * NS_PER_HOUR },
					     .login_attempts = 10,
					     .event_streams = 64 };
	a->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (a->fd < 0)
		error_set(err, ERROR_IO, 0, "%s: an event descriptor cannot be opened: %s",
			  database, strerror(errno));
	else if (sodium_init() < 0)
		error_set(err, ERROR_IO, 0,
			  "%s: random numbers are missing: the system has to give them", database);
	else
		a->writer = store_open(database, false, err);
	if (a->writer != NULL)
		return a;
	api_close(a);
	return NULL;
}

void api_close(struct api *a)
{
	if (a == NULL)
		return;
	api_backtest_free(a->backtest);
	for (size_t i = 0; i < a->n_idle; i++)
		store_close(a->idle[i]);
	store_close(a->writer);
	for (int i = 0; i < API_PAGES; i++)
		buf_free(&a->pages[i]);
	if (a->fd >= 0)
		close(a->fd);
	api_limit_free(a->limit);
	arena_free(&a->settings._arena);
	pthread_mutex_destroy(&a->lock);
	pthread_mutex_destroy(&a->writing);
	pthread_mutex_destroy(&a->hashing);
	free(a->dummy);
	free(a->database);
	free(a);
}

void api_refused(struct http_response *r, const struct error *err)
{
	(void)err; /* the disk's own words are for the operator: the daemon says them */
	if (r->status < 400)
		http_error(r, 503, "disk",
			   "the database cannot be read or written now: try again later");
	http_set_header(r, "Retry-After", "5");
}

struct store *api_read(struct api *a, struct http_response *r)
{
	struct store *s = NULL;
	struct error err;

	pthread_mutex_lock(&a->lock);
	if (a->n_idle > 0)
		s = a->idle[--a->n_idle];
	pthread_mutex_unlock(&a->lock);
	if (s == NULL)
		s = store_open(a->database, true, &err);
	if (s != NULL && store_snapshot(s, &err))
		return s;
	store_close(s);
	if (r != NULL)
		api_refused(r, &err);
	return NULL;
}

void api_read_end(struct api *a, struct store *s)
{
	bool kept = false;

	store_snapshot_end(s);
	pthread_mutex_lock(&a->lock);
	if (a->n_idle < API_MAX_IDLE) {
		a->idle[a->n_idle++] = s;
		kept = true;
	}
	pthread_mutex_unlock(&a->lock);
	if (!kept)
		store_close(s);
}

struct store *api_write(struct api *a, struct http_response *r)
{
	struct error err;

	pthread_mutex_lock(&a->writing);
	if (store_begin(a->writer, &err))
		return a->writer;
	pthread_mutex_unlock(&a->writing);
	api_refused(r, &err);
	return NULL;
}

bool api_write_end(struct api *a, struct store *s, bool ok, struct http_response *r)
{
	struct error err = { 0 };

	if (ok && !store_commit(s, &err)) {
		ok = false;
		api_refused(r, &err);
	}
	if (!ok)
		store_rollback(s);
	pthread_mutex_unlock(&a->writing);
	return ok;
}

struct audit_who api_who(const struct http_request *q)
{
	char *text = arena_alloc(q->_arena, ADDR_TEXT_SIZE);
	size_t n = addr_known(&q->peer) ? addr_format(&q->peer, text) : 0;

	return (struct audit_who){ q->user, q->via, sv_make(text, n), q->now.ns };
}

void api_tell(struct api *a, unsigned news)
{
	uint64_t one = 1;

	atomic_fetch_or(&a->told, news);
	if (write(a->fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		return; /* the daemon looks once a second all the same */
	for (size_t i = 0; i < a->n_servers; i++)
		http_wake(a->servers[i]);
}

unsigned api_told(struct api *a)
{
	uint64_t count;

	if (read(a->fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		return 0;
	return atomic_exchange(&a->told, 0);
}

int api_fd(const struct api *a) { return a->fd; }

void api_publish(struct api *a, enum api_page page, struct sv json)
{
	pthread_mutex_lock(&a->lock);
	buf_reset(&a->pages[page]);
	buf_sv(&a->pages[page], json);
	pthread_mutex_unlock(&a->lock);
}

bool api_published(struct api *a, enum api_page page, struct http_response *r)
{
	bool there;

	pthread_mutex_lock(&a->lock);
	there = a->pages[page].n > 0;
	if (there)
		buf_sv(&r->body, buf_view(&a->pages[page]));
	pthread_mutex_unlock(&a->lock);
	if (!there)
		http_error(r, 503, "no_daemon", "no daemon runs, and only it knows this");
	return there;
}

size_t api_add_routes(struct api *a, const struct api_route *list, size_t n, struct http_route *out)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (struct http_route){
			.method = list[i].method,
			.pattern = list[i].pattern,
			.role = list[i].role,
			.handler = list[i].handler,
			.context = a,
			.max_body = list[i].body ? API_MAX_BODY : 0,
		};
	return n;
}

size_t api_routes(struct api *a, struct http_route out[API_MAX_ROUTES])
{
	static size_t (*const parts[])(struct api * a, struct http_route * out) = {
		api_findings_routes, api_allow_routes, api_login_routes,  api_users_routes,
		api_audit_routes,    api_pages_routes, api_events_routes, api_backtest_routes,
	};
	size_t n = 0;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		n += parts[i](a, out + n);
	return n;
}

void api_call(struct api *a, const char *method, const char *target, struct sv body,
	      const char *who, struct http_response *r)
{
	struct http_route routes[API_MAX_ROUTES];
	const struct http_request as = {
		.method = method,
		.body = body,
		.role = HTTP_ADMIN,
		.user = sv_cstr(who),
		.via = SV("file"),
	};

	http_local(routes, api_routes(a, routes), &as, target, r);
}
