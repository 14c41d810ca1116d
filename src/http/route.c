#include "http/route.h"

#include <stdio.h>

#include "http/internal.h"

bool http_route_matches(const char *pattern, struct sv path, struct sv params[HTTP_MAX_PARAMS])
{
	struct sv p = sv_cstr(pattern);
	size_t n = 0;

	while (p.n > 0) {
		size_t close;
		struct sv name, value;

		if (p.p[0] != '{') {
			if (path.n == 0 || path.p[0] != p.p[0])
				return false;
			p = sv_skip(p, 1);
			path = sv_skip(path, 1);
			continue;
		}
		close = sv_find_char(p, '}');
		if (close == SIZE_MAX || n == HTTP_MAX_PARAMS)
			return false;
		name = sv_first(p, close);
		p = sv_skip(p, close + 1);
		value = path;
		if (!sv_ends(name, SV("..."))) {
			size_t slash = sv_find_char(path, '/');
			value = sv_first(path, slash == SIZE_MAX ? path.n : slash);
		}
		if (value.n == 0)
			return false;
		params[n++] = value;
		path = sv_skip(path, value.n);
	}
	return path.n == 0;
}

bool http_decode(struct sv text, struct arena *a, struct sv *out)
{
	char *p = arena_alloc(a, text.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		uint64_t byte = 0;
		if (text.p[i] != '%') {
			p[n++] = text.p[i];
			continue;
		}
		if (text.n - i < 3 || !sv_hex_to_u64(sv_make(text.p + i + 1, 2), &byte) ||
		    byte == 0)
			return false;
		p[n++] = (char)byte;
		i += 2;
	}
	p[n] = '\0';
	*out = sv_make(p, n);
	return true;
}

/* The methods that the path has routes for. */
static void refuse_method(const struct http_request *q, struct http_response *r,
			  const char *allowed)
{
	http_error(r, 405, "method_not_allowed", "%s is not allowed here: use %s", q->method,
		   allowed);
	http_set_header(r, "Allow", allowed);
}

const struct http_route *http_find_route(const struct http_route *routes, size_t n,
					 struct http_request *q, struct http_response *r)
{
	struct sv raw[HTTP_MAX_PARAMS], method = sv_cstr(q->method);
	char allowed[128] = "";
	size_t length = 0;

	if (sv_eq(method, SV("HEAD")))
		method = SV("GET");
	for (size_t i = 0; i < n; i++) {
		const struct http_route *route = &routes[i];
		memset(raw, 0, sizeof(raw));
		if (!http_route_matches(route->pattern, q->path, raw))
			continue;
		if (!sv_eq(method, sv_cstr(route->method))) {
			if (length < sizeof(allowed))
				length +=
				    (size_t)snprintf(allowed + length, sizeof(allowed) - length,
						     "%s%s", length > 0 ? ", " : "", route->method);
			continue;
		}
		for (size_t p = 0; p < HTTP_MAX_PARAMS; p++)
			if (raw[p].p != NULL && !http_decode(raw[p], q->_arena, &q->params[p])) {
				http_error(r, 400, "bad_path",
					   "the path holds a wrong percent escape");
				return NULL;
			}
		return route;
	}
	if (length > 0)
		refuse_method(q, r, allowed);
	else
		http_error(r, 404, "not_found", "there is nothing at this path");
	return NULL;
}

void http_check_role(const struct http_route *route, const struct http_request *q,
		     struct http_response *r)
{
	if (q->refused != NULL) {
		http_error(r, 403, "forbidden", "%s", q->refused);
	} else if (q->role >= route->role) {
		return;
	} else if (q->role == HTTP_ANYONE) {
		http_error(r, 401, "unauthorized",
			   "say who you are: Authorization: Bearer TOKEN, or log in");
		http_set_header(r, "WWW-Authenticate", "Bearer realm=\"pinwatch\"");
	} else {
		http_error(r, 403, "forbidden", "your role does not allow this");
	}
}
