/* GET /api/v1/allow-list: the entries, what they cover and which are unused or too broad. */
#include "api/allow.h"

#define PAGE 1000
#define MAX_PAGE 10000
/* An entry that covered nothing for so long is unused. */
#define UNUSED_AFTER (30 * NS_PER_DAY)

/* ---- one entry */

static const char *unused(const struct store_allow *e, struct instant now)
{
	return e->use.last == INT64_MIN		     ? "never"
	       : now.ns - e->use.last > UNUSED_AFTER ? "30_days"
						     : NULL;
}

static void use_json(struct jsonw *w, const struct store_allow_use *u)
{
	jsonw_key(w, "use");
	jsonw_open(w, '{');
	jsonw_key_int(w, "attempts", (int64_t)u->attempts);
	jsonw_key_int(w, "only_attempts", (int64_t)u->only_attempts);
	jsonw_key_int(w, "shared_attempts", (int64_t)(u->attempts - u->only_attempts));
	jsonw_key_int(w, "findings", (int64_t)u->findings);
	jsonw_key_int(w, "only_findings", (int64_t)u->only_findings);
	jsonw_key_int(w, "shared_findings", (int64_t)(u->findings - u->only_findings));
	jsonw_key_int(w, "would_show", (int64_t)u->would_show);
	jsonw_key_time(w, "last", (struct instant){ u->last });
	jsonw_close(w, '}');
}

static bool covers_json(struct jsonw *w, struct store *s, const struct store_allow *e,
			struct arena *a, struct error *err)
{
	struct store_allow_cover *list;
	size_t n;

	if (!store_allow_covers(s, e->id, a, &list, &n, err))
		return false;
	jsonw_key(w, "covers");
	jsonw_open(w, '[');
	for (size_t i = 0; i < n; i++) {
		jsonw_open(w, '{');
		jsonw_key_str(w, "uid", list[i].uid);
		jsonw_key_full(w, "app", list[i].app);
		jsonw_key_full(w, "host", list[i].host);
		jsonw_key_int(w, "port", list[i].port);
		jsonw_key_int(w, "attempts", (int64_t)list[i].attempts);
		jsonw_key_int(w, "only_attempts", (int64_t)list[i].only_attempts);
		jsonw_key_str(w, "without_lists", list[i].verdict);
		jsonw_close(w, '}');
	}
	jsonw_close(w, ']');
	return true;
}

void api_allow_entry(struct jsonw *w, const struct store_allow *e,
		     const struct allow_warnings *warnings, struct instant now)
{
	const char *why = e->removed_at == INT64_MIN ? unused(e, now) : NULL;

	store_allow_members(w, e);
	jsonw_key_str(w, "state", allow_state(e, now));
	use_json(w, &e->use);
	jsonw_key_str(w, "unused", why);
	jsonw_key_bool(w, "broad", warnings->broad);
	jsonw_key(w, "warnings");
	allow_warnings_json(w, warnings);
}

/* ---- GET /allow-list */

struct asked {
	struct sv state, list;
	bool unused, broad, covers;
	int64_t id, after;
	size_t limit;
	struct instant now;
};

static bool wanted(const struct asked *q, const struct store_allow *e)
{
	const char *state = allow_state(e, q->now);

	if (q->id != 0 && e->id != q->id)
		return false;
	if (q->unused && (strcmp(state, "active") != 0 || unused(e, q->now) == NULL))
		return false;
	if (q->list.n > 0 && !sv_eq(q->list, e->is_app_list ? SV("app") : SV("destination")))
		return false;
	if (sv_empty(q->state))
		return q->id != 0 || e->removed_at == INT64_MIN;
	return sv_eq(q->state, SV("all")) || sv_eq(q->state, sv_cstr(state));
}

static bool is_true(struct sv v) { return sv_eq(v, SV("true")); }

static bool read_number(const struct http_request *q, const char *name, uint64_t max, uint64_t *out,
			struct http_response *r)
{
	const struct api_field f = { .name = name, .min = 1, .max = 19 };
	struct sv v;

	if (!api_query(q, &f, &v, r))
		return false;
	if (v.p == NULL || (sv_to_u64(v, out) && *out <= max))
		return true;
	http_error(r, 400, "bad_request", "parameter %s: expected a number up to %llu", name,
		   (unsigned long long)max);
	return false;
}

static const struct api_field list_query[] = {
	{ .name = "state", .words = "active expired removed all", .max = 10 },
	{ .name = "list", .words = "app destination", .max = 20 },
	{ .name = "unused", .words = "true false", .max = 5 },
	{ .name = "broad", .words = "true false", .max = 5 },
	{ .name = "covers", .words = "true false", .max = 5 },
	{ .name = "id", .min = 1, .max = 19 },
	{ .name = "after", .min = 1, .max = 19 },
	{ .name = "limit", .min = 1, .max = 5 },
};
#define LIST_QUERY (sizeof(list_query) / sizeof(list_query[0]))

static bool read_asked(const struct http_request *q, struct asked *out, struct http_response *r)
{
	uint64_t id = 0, after = 0, limit = PAGE;
	struct sv words[5];

	if (!api_only(q, list_query, LIST_QUERY, r))
		return false;
	for (size_t i = 0; i < 5; i++)
		if (!api_query(q, &list_query[i], &words[i], r))
			return false;
	if (!read_number(q, "id", INT64_MAX, &id, r) ||
	    !read_number(q, "after", INT64_MAX, &after, r) ||
	    !read_number(q, "limit", MAX_PAGE, &limit, r))
		return false;
	*out = (struct asked){
		.state = words[0],
		.list = words[1],
		.unused = is_true(words[2]),
		.broad = is_true(words[3]),
		.covers = is_true(words[4]),
		.id = (int64_t)id,
		.after = (int64_t)after,
		.limit = limit == 0 ? 1 : (size_t)limit,
		.now = q->now,
	};
	return true;
}

static bool list_json(struct jsonw *w, struct store *s, const struct asked *q, struct arena *a,
		      struct error *err)
{
	struct store_allow *rows;
	struct allow_apps apps;
	int64_t next = 0, last = 0;
	size_t n, given = 0;

	if (!store_allow_list(s, true, a, &rows, &n, err) || !allow_apps_read(&apps, s, a, err))
		return false;
	jsonw_open(w, '{');
	jsonw_key(w, "entries");
	jsonw_open(w, '[');
	for (size_t i = 0; i < n; i++) {
		struct allow_warnings warnings;
		struct allow_entry e;

		if (rows[i].id <= q->after || !wanted(q, &rows[i]))
			continue;
		if (!allow_entry_read(&rows[i], a, &e, err))
			return false;
		allow_warn(&e, &apps, &warnings);
		if (q->broad && !warnings.broad)
			continue;
		if (given++ == q->limit) {
			next = last;
			break;
		}
		last = rows[i].id;
		jsonw_open(w, '{');
		api_allow_entry(w, &rows[i], &warnings, q->now);
		if (q->covers && !covers_json(w, s, &rows[i], a, err))
			return false;
		jsonw_close(w, '}');
	}
	jsonw_close(w, ']');
	jsonw_key(w, "next");
	if (next != 0)
		jsonw_int(w, next);
	else
		jsonw_null(w);
	jsonw_close(w, '}');
	return true;
}

/* An answer that was begun and cannot be ended is none. */
void api_allow_answer(struct http_response *r, bool ok, const struct error *err)
{
	if (ok && r->body.overflowed) {
		http_error(r, 503, "too_large", "the answer is too large: ask for less at once");
		return;
	}
	if (!ok) {
		buf_reset(&r->body);
		api_refused(r, err);
		return;
	}
	buf_char(&r->body, '\n');
}

void api_allow_list(void *context, const struct http_request *q, struct http_response *r)
{
	struct jsonw w = jsonw_on(&r->body);
	struct error err = { 0 };
	struct asked asked;
	struct store *s;

	if (!read_asked(q, &asked, r) || (s = api_read(context, r)) == NULL)
		return;
	api_allow_answer(r, list_json(&w, s, &asked, http_arena(q), &err), &err);
	api_read_end(context, s);
}
