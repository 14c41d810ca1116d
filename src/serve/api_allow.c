/* /api/v1/allow-list: entries, what they cover, what one would cover; adding, renewing, ending, removing. */
#include <stdio.h>

#include "serve/allow_preview.h"
#include "serve/api_internal.h"

#define PATTERN "/api/v1/allow-list"
#define MAX_TEXT 1000
#define PAGE 1000
#define MAX_PAGE 10000
/* An entry that covered nothing for so long is unused. */
#define UNUSED_AFTER (30 * NS_PER_DAY)

/* ---- one entry */

static const char *unused(const struct store_allow *e, struct instant now)
{
	return e->use.last == INT64_MIN ? "never" : now.ns - e->use.last > UNUSED_AFTER ? "30_days" : NULL;
}

static void use_json(struct jsonw *w, const struct store_allow_use *u)
{
	jsonw_key(w, "use");
	jsonw_open(w, '{');
	api_key_int(w, "attempts", (int64_t)u->attempts);
	api_key_int(w, "only_attempts", (int64_t)u->only_attempts);
	api_key_int(w, "shared_attempts", (int64_t)(u->attempts - u->only_attempts));
	api_key_int(w, "findings", (int64_t)u->findings);
	api_key_int(w, "only_findings", (int64_t)u->only_findings);
	api_key_int(w, "shared_findings", (int64_t)(u->findings - u->only_findings));
	api_key_int(w, "would_show", (int64_t)u->would_show);
	api_key_time(w, "last", u->last);
	jsonw_close(w, '}');
}

static bool covers_json(struct jsonw *w, struct store *s, const struct store_allow *e, struct arena *a,
			struct error *err)
{
	struct store_allow_cover *list;
	size_t n;

	if (!store_allow_covers(s, e->id, a, &list, &n, err))
		return false;
	jsonw_key(w, "covers");
	jsonw_open(w, '[');
	for (size_t i = 0; i < n; i++) {
		jsonw_open(w, '{');
		jsonw_key(w, "uid");
		jsonw_str(w, list[i].uid);
		api_key_full(w, "app", list[i].app);
		api_key_full(w, "host", list[i].host);
		api_key_int(w, "port", list[i].port);
		api_key_int(w, "attempts", (int64_t)list[i].attempts);
		api_key_int(w, "only_attempts", (int64_t)list[i].only_attempts);
		jsonw_key(w, "without_lists");
		jsonw_str(w, list[i].verdict);
		jsonw_close(w, '}');
	}
	jsonw_close(w, ']');
	return true;
}

static void entry_members(struct jsonw *w, const struct store_allow *e, const struct allow_warnings *warnings,
			  struct instant now)
{
	const char *why = e->removed_at == INT64_MIN ? unused(e, now) : NULL;

	store_allow_members(w, e);
	jsonw_key(w, "state");
	jsonw_str(w, allow_state(e, now));
	use_json(w, &e->use);
	jsonw_key(w, "unused");
	jsonw_str(w, why);
	jsonw_key(w, "broad");
	jsonw_bool(w, warnings->broad);
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
	http_error(r, 400, "bad_request", "parameter %s: expected a number up to %llu", name, (unsigned long long)max);
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
	if (!read_number(q, "id", INT64_MAX, &id, r) || !read_number(q, "after", INT64_MAX, &after, r) ||
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

static bool list_json(struct jsonw *w, struct store *s, const struct asked *q, struct arena *a, struct error *err)
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
		entry_members(w, &rows[i], &warnings, q->now);
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
static void answer(struct http_response *r, bool ok, const struct error *err)
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

static void get_list(void *context, const struct http_request *q, struct http_response *r)
{
	struct jsonw w = jsonw_on(&r->body);
	struct error err = { 0 };
	struct asked asked;
	struct store *s;

	if (!read_asked(q, &asked, r) || (s = api_read(context, r)) == NULL)
		return;
	answer(r, list_json(&w, s, &asked, http_arena(q), &err), &err);
	api_read_end(context, s);
}

/* ---- drafts */

/* As an entry stands in a list file. */
static const struct api_field draft_fields[] = {
	{ .name = "app", .type = API_TEXT, .nullable = true, .min = 1, .max = MAX_TEXT },
	{ .name = "destinations", .type = API_TEXTS, .nullable = true, .min = 1, .max = MAX_TEXT },
	{ .name = "destination", .type = API_TEXT, .nullable = true, .min = 1, .max = MAX_TEXT },
	{ .name = "apps", .type = API_TEXTS, .nullable = true, .min = 1, .max = MAX_TEXT },
	{ .name = "owner", .type = API_TEXT, .nullable = true, .max = MAX_TEXT },
	{ .name = "reason", .type = API_TEXT, .nullable = true, .max = MAX_TEXT },
	{ .name = "ticket", .type = API_TEXT, .nullable = true, .max = MAX_TEXT },
	{ .name = "expires", .type = API_TEXT, .nullable = true, .max = MAX_TEXT },
};
#define DRAFT_FIELDS (sizeof(draft_fields) / sizeof(draft_fields[0]))

static struct sv *texts_of(const struct value *v, size_t *n, struct arena *a)
{
	struct sv *list;

	*n = v != NULL ? v->array.n : 0;
	list = arena_alloc(a, (*n + 1) * sizeof(*list));
	for (size_t i = 0; i < *n; i++)
		list[i] = v->array.items[i].text;
	return list;
}

static bool read_draft(const struct http_request *q, struct store_allow *out, struct http_response *r)
{
	const struct value *v[DRAFT_FIELDS];
	struct arena *a = http_arena(q);
	struct allow_draft d = { 0 };
	struct error err;

	if (!api_body(q, draft_fields, DRAFT_FIELDS, v, r))
		return false;
	if ((v[0] == NULL) == (v[2] == NULL)) {
		http_error(r, 400, "bad_request",
			   "expected `app` for an entry of AllowedAppList, or `destination` for one of "
			   "AllowedDestinationList");
		return false;
	}
	d.is_app_list = v[0] != NULL;
	if ((d.is_app_list ? v[3] : v[1]) != NULL) {
		http_error(r, 400, "bad_request", "`%s` does not belong beside `%s`: write `%s` to narrow it",
			   d.is_app_list ? "apps" : "destinations", d.is_app_list ? "app" : "destination",
			   d.is_app_list ? "destinations" : "apps");
		return false;
	}
	d.pattern = api_text(d.is_app_list ? v[0] : v[2]);
	d.scope = texts_of(d.is_app_list ? v[1] : v[3], &d.n_scope, a);
	d.owner = api_text(v[4]);
	d.reason = api_text(v[5]);
	d.ticket = api_text(v[6]);
	d.expires = api_text(v[7]);
	if (!allow_draft_read(&d, a, out, &err)) {
		http_error(r, 400, "bad_request", "%s", err.message);
		return false;
	}
	return true;
}

static void post_preview(void *context, const struct http_request *q, struct http_response *r)
{
	struct jsonw w = jsonw_on(&r->body);
	struct error err = { 0 };
	struct store_allow row;
	struct store *s;

	if (!api_only(q, NULL, 0, r) || !read_draft(q, &row, r) || (s = api_read(context, r)) == NULL)
		return;
	answer(r, allow_preview_json(&w, s, &row, http_arena(q), &err), &err);
	api_read_end(context, s);
}

static void get_test(void *context, const struct http_request *q, struct http_response *r)
{
	static const struct api_field fields[] = {
		{ .name = "host", .required = true, .min = 1, .max = MAX_TEXT },
		{ .name = "app", .min = 1, .max = MAX_TEXT },
	};
	struct arena *a = http_arena(q);
	struct jsonw w = jsonw_on(&r->body);
	struct allow_pattern host, app = { .text = SV_NONE };
	struct error err = { 0 };
	struct sv given, bundle;
	struct store *s;

	if (!api_only(q, fields, 2, r) || !api_query(q, &fields[0], &given, r) || !api_query(q, &fields[1], &bundle, r))
		return;
	if (!allow_pattern_destination(given, a, &host, &err)) {
		http_error(r, 400, "bad_request", "host: %s", err.message);
		return;
	}
	if (host.kind == PATTERN_SUFFIX || sv_find_char(host.text, '/') != SIZE_MAX) {
		http_error(r, 400, "bad_request", "host: expected one host or address, such as api.bank.test");
		return;
	}
	if (bundle.p != NULL && !allow_pattern_app(bundle, a, &app, &err)) {
		http_error(r, 400, "bad_request", "app: %s", err.message);
		return;
	}
	if (app.kind == PATTERN_PREFIX) {
		http_error(r, 400, "bad_request", "app: expected one bundle id, such as com.acme.bank");
		return;
	}
	if ((s = api_read(context, r)) == NULL)
		return;
	answer(r, allow_test_json(&w, s, host.text, app.text, q->now, a, &err), &err);
	api_read_end(context, s);
}

/* ---- changes */

/* The entry as it stands now, with what the change brought back. */
static bool answer_entry(struct store *s, int64_t id, uint64_t reopened, unsigned status, const struct http_request *q,
			 struct http_response *r, struct error *err)
{
	struct arena *a = http_arena(q);
	struct jsonw w = jsonw_on(&r->body);
	struct allow_warnings warnings;
	struct store_allow row;
	struct allow_entry e;
	struct allow_apps apps;

	if (!store_allow_get(s, id, a, &row, err) || !allow_entry_read(&row, a, &e, err) ||
	    !allow_apps_read(&apps, s, a, err))
		return false;
	allow_warn(&e, &apps, &warnings);
	jsonw_open(&w, '{');
	entry_members(&w, &row, &warnings, q->now);
	api_key_int(&w, "reopened", (int64_t)reopened);
	jsonw_close(&w, '}');
	buf_char(&r->body, '\n');
	r->status = status;
	return true;
}

/* Ends the writing; whoever listens and judges is told. */
static void finish(struct api *a, struct store *s, bool ok, const struct error *err, struct http_response *r)
{
	if (!ok && r->status < 400) {
		buf_reset(&r->body);
		api_refused(r, err);
	}
	if (api_write_end(a, s, ok, r))
		api_tell(a, API_NEWS_ALLOW | API_NEWS_CHANGES);
}

/* Whether the day is over; then the response says so. */
static bool is_past(struct sv expires, struct instant now, struct http_response *r)
{
	struct instant day;

	if (sv_empty(expires) || !allow_day(expires, &day) || day.ns + NS_PER_DAY > now.ns)
		return false;
	http_error(r, 400, "bad_request", "expires: %.*s is over; expected a day from today on", SV_ARG(expires));
	return true;
}

static bool may_add(struct store *s, const struct store_allow *row, const struct http_request *q,
		    struct http_response *r, struct error *err)
{
	struct store_allow *rows;
	size_t n;

	if (!store_allow_list(s, false, http_arena(q), &rows, &n, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!sv_empty(rows[i].file) || rows[i].is_app_list != row->is_app_list ||
		    !sv_eq(rows[i].pattern, row->pattern) || !sv_eq(rows[i].scope, row->scope))
			continue;
		http_error(r, 409, "exists", "entry %lld says the same: renew or remove it", (long long)rows[i].id);
		return false;
	}
	if (n >= ALLOW_MAX_ENTRIES) {
		http_error(r, 409, "full", "there are %zu entries, and may be no more: remove some", n);
		return false;
	}
	return true;
}

static void post_entry(void *context, const struct http_request *q, struct http_response *r)
{
	struct audit_who who = api_who(q);
	struct error err = { 0 };
	struct store_allow row;
	struct store *s;
	bool ok;

	if (!api_only(q, NULL, 0, r) || !read_draft(q, &row, r) || is_past(row.expires, q->now, r) ||
	    (s = api_write(context, r)) == NULL)
		return;
	ok = may_add(s, &row, q, r, &err) && store_allow_add(s, &who, &row, &err) &&
	     answer_entry(s, row.id, 0, 201, q, r, &err);
	finish(context, s, ok, &err, r);
}

/* The entry that the path names, where it may be changed; else the response says why not. */
static bool entry_of(struct store *s, const struct http_request *q, struct store_allow *row, struct http_response *r,
		     struct error *err)
{
	uint64_t id;

	if (!sv_to_u64(q->params[0], &id) || id > INT64_MAX)
		id = 0;
	if (id == 0 || !store_allow_get(s, (int64_t)id, http_arena(q), row, err)) {
		if (id == 0 || err->code == ERROR_NONE)
			http_error(r, 404, "not_found", "there is no such allow-list entry");
		return false;
	}
	if (row->removed_at != INT64_MIN) {
		http_error(r, 409, "removed", "entry %lld has been removed: add it anew", (long long)row->id);
		return false;
	}
	if (!sv_empty(row->file)) {
		http_error(r, 409, "in_file", "entry %lld stands in %.*s, line %lld: change it there",
			   (long long)row->id, SV_ARG(sv_first(row->file, 600)), (long long)row->line);
		return false;
	}
	return true;
}

static void post_renew(void *context, const struct http_request *q, struct http_response *r)
{
	static const struct api_field fields[] = {
		{ .name = "expires", .type = API_TEXT, .required = true, .nullable = true, .min = 1, .max = MAX_TEXT },
		{ .name = "owner", .type = API_TEXT, .max = MAX_TEXT },
		{ .name = "reason", .type = API_TEXT, .max = MAX_TEXT },
		{ .name = "ticket", .type = API_TEXT, .max = MAX_TEXT },
	};
	struct audit_who who = api_who(q);
	struct store_allow before, after;
	const struct value *v[4];
	struct error err = { 0 };
	struct instant day;
	struct store *s;
	bool ok;

	if (!api_only(q, NULL, 0, r) || !api_body(q, fields, 4, v, r))
		return;
	if (v[0] != NULL && !allow_day(v[0]->text, &day)) {
		http_error(r, 400, "bad_request", "expires: expected " ALLOW_DAY_EXPECTED ", or null for never");
		return;
	}
	if (is_past(api_text(v[0]), q->now, r) || (s = api_write(context, r)) == NULL)
		return;
	ok = entry_of(s, q, &before, r, &err);
	if (ok) {
		after = before;
		after.expires = api_text(v[0]);
		after.ended_at = after.expired_at = INT64_MIN;
		after.owner = v[1] != NULL ? v[1]->text : after.owner;
		after.reason = v[2] != NULL ? v[2]->text : after.reason;
		after.ticket = v[3] != NULL ? v[3]->text : after.ticket;
		ok = store_allow_change(s, &who, "allow.renew", &before, &after, &err) &&
		     answer_entry(s, before.id, 0, 200, q, r, &err);
	}
	finish(context, s, ok, &err, r);
}

static void post_end(void *context, const struct http_request *q, struct http_response *r, bool remove)
{
	struct audit_who who = api_who(q);
	struct error err = { 0 };
	const struct value *none;
	uint64_t reopened = 0;
	struct store_allow row;
	struct store *s;
	bool ok;

	if (!api_only(q, NULL, 0, r) || !api_body(q, NULL, 0, &none, r) || (s = api_write(context, r)) == NULL)
		return;
	ok = entry_of(s, q, &row, r, &err);
	if (ok && !remove && allow_is_over(&row, q->now)) {
		http_error(r, 409, "expired", "entry %lld has ended already", (long long)row.id);
		ok = false;
	}
	ok = ok && (remove ? store_allow_remove(s, &who, &row, &reopened, &err)
			   : store_allow_end(s, &who, &row, false, &reopened, &err)) &&
	     answer_entry(s, row.id, reopened, 200, q, r, &err);
	finish(context, s, ok, &err, r);
}

static void post_expire(void *context, const struct http_request *q, struct http_response *r)
{
	post_end(context, q, r, false);
}

static void post_remove(void *context, const struct http_request *q, struct http_response *r)
{
	post_end(context, q, r, true);
}

size_t api_allow_routes(struct api *a, struct http_route *out)
{
	static const struct api_route list[] = {
		{ "GET", PATTERN, HTTP_VIEWER, get_list, false },
		{ "POST", PATTERN, HTTP_ADMIN, post_entry, true },
		{ "POST", PATTERN "/preview", HTTP_ANALYST, post_preview, true },
		{ "GET", PATTERN "/test", HTTP_VIEWER, get_test, false },
		{ "POST", PATTERN "/{id}/renew", HTTP_ADMIN, post_renew, true },
		{ "POST", PATTERN "/{id}/expire", HTTP_ADMIN, post_expire, true },
		{ "POST", PATTERN "/{id}/remove", HTTP_ADMIN, post_remove, true },
	};

	return api_add_routes(a, list, sizeof(list) / sizeof(list[0]), out);
}
