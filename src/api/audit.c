/* The audit, newest first; for admins. */
#include <inttypes.h>
#include <stdio.h>

#include "api/internal.h"
#include "store/query.h"

#define DEFAULT_LIMIT 100
#define MAX_LIMIT 1000

enum { TARGET, ACTOR, ACTION, LIMIT, CURSOR, QUERIES };

static const struct api_field queries[QUERIES] = {
	[TARGET] = { .name = "target", .min = 1, .max = 255 },
	[ACTOR] = { .name = "actor", .min = 1, .max = 64 },
	[ACTION] = { .name = "action", .min = 1, .max = 64 },
	[LIMIT] = { .name = "limit", .min = 1, .max = 4 },
	[CURSOR] = { .name = "cursor", .min = 1, .max = 20 },
};

struct listing {
	struct jsonw w;
	int64_t last;
	size_t n, limit;
};

/* before and after are JSON of ours, or nothing. */
static void raw(struct jsonw *w, const char *key, struct sv json)
{
	jsonw_key(w, key);
	if (json.n > 0)
		jsonw_raw(w, json);
	else
		jsonw_null(w);
}

static void row(void *arg, const struct query_audit *x)
{
	struct listing *l = arg;

	if (l->n++ == l->limit)
		return;
	l->last = x->id;
	jsonw_open(&l->w, '{');
	jsonw_key_int(&l->w, "id", x->id);
	jsonw_key_time(&l->w, "at", (struct instant){ x->at });
	jsonw_key_text(&l->w, "actor", x->actor);
	jsonw_key_text(&l->w, "via", x->via);
	jsonw_key_full(&l->w, "address", x->address);
	jsonw_key_text(&l->w, "action", x->action);
	jsonw_key_text(&l->w, "target", x->target);
	raw(&l->w, "before", x->before);
	raw(&l->w, "after", x->after);
	jsonw_close(&l->w, '}');
}

static void list(void *context, const struct http_request *q, struct http_response *r)
{
	uint64_t limit = DEFAULT_LIMIT, before = 0;
	struct error err = { 0 };
	struct api *a = context;
	struct sv v[QUERIES];
	struct listing l;
	struct store *s;
	char next[24];
	bool ok;

	if (!api_only(q, queries, QUERIES, r))
		return;
	for (int i = 0; i < QUERIES; i++)
		if (!api_query(q, &queries[i], &v[i], r))
			return;
	if (v[LIMIT].p != NULL &&
	    (!sv_to_u64(v[LIMIT], &limit) || limit < 1 || limit > MAX_LIMIT)) {
		http_error(r, 400, "bad_request", "parameter limit: expected 1 to %d", MAX_LIMIT);
		return;
	}
	if (v[CURSOR].p != NULL &&
	    (!sv_to_u64(v[CURSOR], &before) || before < 1 || before > INT64_MAX)) {
		http_error(r, 400, "bad_cursor", "parameter cursor: expected what `next` said");
		return;
	}
	s = api_read(a, r);
	if (s == NULL)
		return;
	l = (struct listing){ .w = jsonw_on(&r->body), .limit = (size_t)limit };
	jsonw_open(&l.w, '{');
	jsonw_key(&l.w, "audit");
	jsonw_open(&l.w, '[');
	ok = query_audit(s, v[TARGET], v[ACTOR], v[ACTION], (int64_t)before, (size_t)limit + 1, row,
			 &l, &err);
	jsonw_close(&l.w, ']');
	snprintf(next, sizeof(next), "%" PRId64, l.last);
	jsonw_key_full(&l.w, "next", l.n > l.limit ? sv_cstr(next) : SV_NONE);
	jsonw_close(&l.w, '}');
	buf_char(&r->body, '\n');
	api_read_end(a, s);
	if (!ok)
		api_refused(r, &err);
}

size_t api_audit_routes(struct api *a, struct http_route *out)
{
	static const struct api_route routes[] = { { "GET", API_PREFIX "/audit", HTTP_ADMIN, list,
						     false } };

	return api_add_routes(a, routes, 1, out);
}
