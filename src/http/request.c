/* What a request says in its headers and query, wherever it comes from. */
#include <microhttpd.h>

#include "base/arena.h"
#include "http/internal.h"
#include "http/route.h"

struct sv http_header(const struct http_request *r, const char *name)
{
	if (r->_connection == NULL)
		return SV_NONE;
	return sv_cstr(MHD_lookup_connection_value(r->_connection, MHD_HEADER_KIND, name));
}

struct wanted {
	struct sv name, value;
};

static void find_wanted(void *arg, struct sv name, struct sv value)
{
	struct wanted *w = arg;

	/* `?name` without a value is an empty one; the first of several counts. */
	if (w->value.p == NULL && sv_eq(name, w->name))
		w->value = value;
}

struct sv http_query(const struct http_request *r, const char *name)
{
	struct wanted w = { sv_cstr(name), SV_NONE };

	http_each_query(r, find_wanted, &w);
	return w.value;
}

struct each {
	const struct http_request *request;
	void (*take)(void *arg, struct sv name, struct sv value);
	void *arg;
};

static struct sv decoded(struct sv text, struct arena *a)
{
	struct sv out;

	return http_decode(text, a, &out) ? out : SV_NONE;
}

static enum MHD_Result one_argument(void *arg, enum MHD_ValueKind kind, const char *key,
				    size_t key_n, const char *value, size_t n)
{
	const struct each *e = arg;
	struct arena *a = e->request->_arena;

	(void)kind;
	e->take(e->arg, decoded(sv_make(key, key_n), a),
		decoded(sv_make(value != NULL ? value : "", n), a));
	return MHD_YES;
}

void http_each_query(const struct http_request *r,
		     void (*take)(void *arg, struct sv name, struct sv value), void *arg)
{
	struct each e = { r, take, arg };

	if (r->_connection == NULL)
		http_each_local(r, take, arg);
	else
		MHD_get_connection_values_n(r->_connection, MHD_GET_ARGUMENT_KIND, one_argument,
					    &e);
}
