#include <time.h>

#include "base/arena.h"
#include "http/internal.h"
#include "http/route.h"

/* As the server decodes: `+` is a space in a query. */
static struct sv decode(struct sv text, struct arena *a)
{
	char *p = arena_copy(a, text.n > 0 ? text.p : "", text.n + (text.n == 0));
	struct sv out;

	for (size_t i = 0; i < text.n; i++)
		if (p[i] == '+')
			p[i] = ' ';
	return http_decode(sv_make(p, text.n), a, &out) ? out : SV_NONE;
}

void http_each_local(const struct http_request *r,
		     void (*take)(void *arg, struct sv name, struct sv value), void *arg)
{
	struct sv rest = r->query;

	while (rest.n > 0) {
		struct sv one = sv_cut(rest, '&', &rest), value;
		struct sv name = sv_cut(one, '=', &value);

		take(arg, decode(name, r->_arena), decode(value, r->_arena));
	}
}

static void answer(const struct http_route *route, const struct http_request *q,
		   struct http_response *r)
{
	http_check_role(route, q, r);
	if (r->status < 400 && q->body.n > route->max_body)
		http_error(r, 413, "too_large", "the body has %zu bytes, more than the %zu allowed",
			   q->body.n, route->max_body);
	if (r->status < 400 && route->admit != NULL)
		route->admit(route->context, q, r);
	if (r->status < 400)
		route->handler(route->context, q, r);
}

void http_local(const struct http_route *routes, size_t n, const struct http_request *as,
		const char *target, struct http_response *r)
{
	struct arena arena = { 0 };
	struct http_request q = *as;
	const struct http_route *route;
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	q.path = sv_cut(sv_cstr(target), '?', &q.query);
	q.now = (struct instant){ t.tv_sec * NS_PER_S + t.tv_nsec };
	q.uid = UINT32_MAX;
	q._connection = NULL;
	q._arena = &arena;
	http_response_init(r);
	route = http_find_route(routes, n, &q, r);
	if (route != NULL)
		answer(route, &q, r);
	arena_free(&arena);
}
