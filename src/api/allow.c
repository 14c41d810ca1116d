/* /api/v1/allow-list: what an entry would cover, and which entries cover something; adding,
 * renewing, ending, removing. */
#include "api/allow.h"

#define PATTERN "/api/v1/allow-list"

/* ---- drafts */

/* As an entry stands in a list file. */
static const struct api_field draft_fields[] = {
	{ .name = "app", .type = API_TEXT, .nullable = true, .min = 1, .max = API_ALLOW_TEXT },
	{ .name = "destinations",
	  .type = API_TEXTS,
	  .nullable = true,
	  .min = 1,
	  .max = API_ALLOW_TEXT },
	{ .name = "destination",
	  .type = API_TEXT,
	  .nullable = true,
	  .min = 1,
	  .max = API_ALLOW_TEXT },
	{ .name = "apps", .type = API_TEXTS, .nullable = true, .min = 1, .max = API_ALLOW_TEXT },
	{ .name = "owner", .type = API_TEXT, .nullable = true, .max = API_ALLOW_TEXT },
	{ .name = "reason", .type = API_TEXT, .nullable = true, .max = API_ALLOW_TEXT },
	{ .name = "ticket", .type = API_TEXT, .nullable = true, .max = API_ALLOW_TEXT },
	{ .name = "expires", .type = API_TEXT, .nullable = true, .max = API_ALLOW_TEXT },
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

static bool read_draft(const struct http_request *q, struct store_allow *out,
		       struct http_response *r)
{
	const struct value *v[DRAFT_FIELDS];
	struct arena *a = http_arena(q);
	struct allow_draft d = { 0 };
	struct error err;

	if (!api_body(q, draft_fields, DRAFT_FIELDS, v, r))
		return false;
	if ((v[0] == NULL) == (v[2] == NULL)) {
		http_error(r, 400, "bad_request",
			   "expected `app` for an entry of AllowedAppList, or `destination` for "
			   "one of AllowedDestinationList");
		return false;
	}
	d.is_app_list = v[0] != NULL;
	if ((d.is_app_list ? v[3] : v[1]) != NULL) {
		http_error(r, 400, "bad_request",
			   "`%s` does not belong beside `%s`: write `%s` to narrow it",
			   d.is_app_list ? "apps" : "destinations",
			   d.is_app_list ? "app" : "destination",
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

	if (!api_only(q, NULL, 0, r) || !read_draft(q, &row, r) ||
	    (s = api_read(context, r)) == NULL)
		return;
	api_allow_answer(r, allow_preview_json(&w, s, &row, http_arena(q), &err), &err);
	api_read_end(context, s);
}

static void get_test(void *context, const struct http_request *q, struct http_response *r)
{
	static const struct api_field fields[] = {
		{ .name = "host", .required = true, .min = 1, .max = API_ALLOW_TEXT },
		{ .name = "app", .min = 1, .max = API_ALLOW_TEXT },
	};
	struct arena *a = http_arena(q);
	struct jsonw w = jsonw_on(&r->body);
	struct allow_pattern host, app = { .text = SV_NONE };
	struct error err = { 0 };
	struct sv given, bundle;
	struct store *s;

	if (!api_only(q, fields, 2, r) || !api_query(q, &fields[0], &given, r) ||
	    !api_query(q, &fields[1], &bundle, r))
		return;
	if (!allow_pattern_destination(given, a, &host, &err)) {
		http_error(r, 400, "bad_request", "host: %s", err.message);
		return;
	}
	if (host.kind == PATTERN_SUFFIX || sv_find_char(host.text, '/') != SIZE_MAX) {
		http_error(r, 400, "bad_request",
			   "host: expected one host or address, such as api.bank.test");
		return;
	}
	if (bundle.p != NULL && !allow_pattern_app(bundle, a, &app, &err)) {
		http_error(r, 400, "bad_request", "app: %s", err.message);
		return;
	}
	if (app.kind == PATTERN_PREFIX) {
		http_error(r, 400, "bad_request",
			   "app: expected one bundle id, such as com.acme.bank");
		return;
	}
	if ((s = api_read(context, r)) == NULL)
		return;
	api_allow_answer(r, allow_test_json(&w, s, host.text, app.text, q->now, a, &err), &err);
	api_read_end(context, s);
}

/* ---- changes */

/* The entry as it stands now, with what the change brought back. */
static bool answer_entry(struct store *s, int64_t id, uint64_t reopened, unsigned status,
			 const struct http_request *q, struct http_response *r, struct error *err)
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
	api_allow_entry(&w, &row, &warnings, q->now);
	jsonw_key_int(&w, "reopened", (int64_t)reopened);
	jsonw_close(&w, '}');
	buf_char(&r->body, '\n');
	r->status = status;
	return true;
}

/* Ends the writing; whoever listens and judges is told. */
static void finish(struct api *a, struct store *s, bool ok, const struct error *err,
		   struct http_response *r)
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
	http_error(r, 400, "bad_request", "expires: %.*s is over; expected a day from today on",
		   SV_ARG(expires));
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
		http_error(r, 409, "exists", "entry %lld says the same: renew or remove it",
			   (long long)rows[i].id);
		return false;
	}
	if (n >= ALLOW_MAX_ENTRIES) {
		http_error(r, 409, "full", "there are %zu entries, and may be no more: remove some",
			   n);
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

	if (!api_only(q, NULL, 0, r) || !read_draft(q, &row, r) ||
	    is_past(row.expires, q->now, r) || (s = api_write(context, r)) == NULL)
		return;
	ok = may_add(s, &row, q, r, &err) && store_allow_add(s, &who, &row, &err) &&
	     answer_entry(s, row.id, 0, 201, q, r, &err);
	finish(context, s, ok, &err, r);
}

/* The entry that the path names, where it may be changed; else the response says why not. */
static bool entry_of(struct store *s, const struct http_request *q, struct store_allow *row,
		     struct http_response *r, struct error *err)
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
		http_error(r, 409, "removed", "entry %lld has been removed: add it anew",
			   (long long)row->id);
		return false;
	}
	if (!sv_empty(row->file)) {
		http_error(
		    r, 409, "in_file", "entry %lld stands in %.*s, line %lld: change it there",
		    (long long)row->id, SV_ARG(sv_first(row->file, 600)), (long long)row->line);
		return false;
	}
	return true;
}

static void post_renew(void *context, const struct http_request *q, struct http_response *r)
{
	static const struct api_field fields[] = {
		{ .name = "expires",
		  .type = API_TEXT,
		  .required = true,
		  .nullable = true,
		  .min = 1,
		  .max = API_ALLOW_TEXT },
		{ .name = "owner", .type = API_TEXT, .max = API_ALLOW_TEXT },
		{ .name = "reason", .type = API_TEXT, .max = API_ALLOW_TEXT },
		{ .name = "ticket", .type = API_TEXT, .max = API_ALLOW_TEXT },
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
		http_error(r, 400, "bad_request",
			   "expires: expected " ALLOW_DAY_EXPECTED ", or null for never");
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

static void post_end(void *context, const struct http_request *q, struct http_response *r,
		     bool remove)
{
	struct audit_who who = api_who(q);
	struct error err = { 0 };
	const struct value *none;
	uint64_t reopened = 0;
	struct store_allow row;
	struct store *s;
	bool ok;

	if (!api_only(q, NULL, 0, r) || !api_body(q, NULL, 0, &none, r) ||
	    (s = api_write(context, r)) == NULL)
		return;
	ok = entry_of(s, q, &row, r, &err);
	if (ok && !remove && allow_is_over(&row, q->now)) {
		http_error(r, 409, "expired", "entry %lld has ended already", (long long)row.id);
		ok = false;
	}
	ok = ok &&
	     (remove ? store_allow_remove(s, &who, &row, &reopened, &err)
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
		{ "GET", PATTERN, HTTP_VIEWER, api_allow_list, false },
		{ "POST", PATTERN, HTTP_ADMIN, post_entry, true },
		{ "POST", PATTERN "/preview", HTTP_ANALYST, post_preview, true },
		{ "GET", PATTERN "/test", HTTP_VIEWER, get_test, false },
		{ "POST", PATTERN "/{id}/renew", HTTP_ADMIN, post_renew, true },
		{ "POST", PATTERN "/{id}/expire", HTTP_ADMIN, post_expire, true },
		{ "POST", PATTERN "/{id}/remove", HTTP_ADMIN, post_remove, true },
	};

	return api_add_routes(a, list, sizeof(list) / sizeof(list[0]), out);
}
