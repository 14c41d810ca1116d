/* Findings: listed, one of them, its history. */
#include <math.h>
#include <stdio.h>

#include "api/cursor.h"
#include "api/findings.h"
#include "api/internal.h"
#include "store/triage.h"

#define UID_SIZE 36
#define DEFAULT_LIMIT 50

enum {
	BY_VERDICT,
	BY_SEVERITY,
	BY_KIND,
	BY_STATUS,
	BY_APP,
	BY_DESTINATION,
	BY_DEVICE,
	BY_ASSIGNEE,
	BY_SINCE,
	BY_ALL,
	SORT,
	LIMIT,
	CURSOR,
	QUERIES
};

static const struct api_field queries[QUERIES] = {
	[BY_VERDICT] = { .name = "verdict", .min = 1, .max = 100 },
	[BY_SEVERITY] = { .name = "severity", .min = 1, .max = 100 },
	[BY_KIND] = { .name = "kind", .min = 1, .max = 100 },
	[BY_STATUS] = { .name = "status", .min = 1, .max = 100 },
	[BY_APP] = { .name = "app", .min = 1, .max = 255 },
	[BY_DESTINATION] = { .name = "destination", .min = 1, .max = 255 },
	[BY_DEVICE] = { .name = "device", .min = 1, .max = 255 },
	[BY_ASSIGNEE] = { .name = "assignee", .min = 1, .max = 64 },
	[BY_SINCE] = { .name = "since", .min = 1, .max = 40 },
	[BY_ALL] = { .name = "all", .min = 1, .max = 5, .words = "true false" },
	[SORT] = { .name = "sort", .min = 1, .max = 20 },
	[LIMIT] = { .name = "limit", .min = 1, .max = 4 },
	[CURSOR] = { .name = "cursor", .min = 1, .max = API_MAX_CURSOR },
};

/* A list of words, each of which must be known. */
static bool words_ok(const char *name, struct sv list, const char *known, struct http_response *r)
{
	struct sv rest = list;

	do {
		struct sv one = sv_cut(rest, ',', &rest), all = sv_cstr(known);
		bool found = false;

		while (all.n > 0)
			found |= sv_eq(sv_cut(all, ' ', &all), one);
		if (!found) {
			http_error(r, 400, "bad_request", "parameter %s: expected of: %s", name,
				   known);
			return false;
		}
	} while (rest.p != NULL);
	return true;
}

static bool check_words(const struct sv v[QUERIES], struct http_response *r)
{
	static const struct {
		int which;
		const char *words;
	} lists[] = {
		{ BY_VERDICT, "confirmed suspected explained observed expected" },
		{ BY_SEVERITY, "informational low medium high" },
		{ BY_KIND, "pinning ca_untrusted gateway_fault source_silent" },
		{ BY_STATUS, TRIAGE_STATUSES },
	};
	struct sv sort = v[SORT];

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (v[lists[i].which].n > 0 &&
		    !words_ok(queries[lists[i].which].name, v[lists[i].which], lists[i].words, r))
			return false;
	if (sv_starts(sort, SV("-")))
		sort = sv_skip(sort, 1);
	return words_ok("sort", sort, QUERY_SORTS, r);
}

static uint64_t number_of(const struct sv v[QUERIES])
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (int i = 0; i <= SORT; i++) {
		for (size_t k = 0; k < v[i].n; k++)
			h = (h ^ (unsigned char)v[i].p[k]) * UINT64_C(1099511628211);
		h = (h ^ 0xff) * UINT64_C(1099511628211);
	}
	return h;
}

static bool read_query(const struct http_request *q, struct http_response *r,
		       struct query_filter *f, struct sv *sort, size_t *limit,
		       struct query_place *place, uint64_t *question)
{
	struct instant since = INSTANT_NONE;
	struct sv v[QUERIES];
	uint64_t n = DEFAULT_LIMIT;

	if (!api_only(q, queries, QUERIES, r))
		return false;
	for (int i = 0; i < QUERIES; i++)
		if (!api_query(q, &queries[i], &v[i], r))
			return false;
	if (v[SORT].p == NULL)
		v[SORT] = SV("-last_seen");
	if (!check_words(v, r))
		return false;
	if (v[BY_SINCE].p != NULL && !instant_parse_iso(v[BY_SINCE], 0, &since)) {
		http_error(r, 400, "bad_request",
			   "parameter since: expected a time like 2026-11-24T02:14:13Z");
		return false;
	}
	if (v[LIMIT].p != NULL && (!sv_to_u64(v[LIMIT], &n) || n < 1 || n > QUERY_MAX_LIMIT)) {
		http_error(r, 400, "bad_request", "parameter limit: expected 1 to %d",
			   QUERY_MAX_LIMIT);
		return false;
	}
	*question = number_of(v);
	*place = (struct query_place){ 0 };
	if (v[CURSOR].p != NULL && !api_cursor_read(v[CURSOR], *question, place)) {
		http_error(r, 400, "bad_cursor",
			   "parameter cursor: expected what `next` said for the same question");
		return false;
	}
	*sort = v[SORT];
	*limit = (size_t)n;
	*f = (struct query_filter){ v[BY_VERDICT], v[BY_SEVERITY],
				    v[BY_KIND],	   v[BY_STATUS],
				    v[BY_APP],	   v[BY_DESTINATION],
				    v[BY_DEVICE],  v[BY_ASSIGNEE],
				    since.ns,	   sv_eq(v[BY_ALL], SV("true")) };
	return true;
}

static void row(void *arg, const struct query_row *f)
{
	struct jsonw *w = arg;

	jsonw_open(w, '{');
	jsonw_key_str(w, "uid", f->uid);
	jsonw_key_int(w, "revision", f->revision);
	jsonw_key_str(w, "kind", f->kind);
	jsonw_key_str(w, "verdict", f->verdict);
	jsonw_key_str(w, "severity", f->severity);
	jsonw_key_str(w, "confidence", f->confidence);
	jsonw_key_int(w, "risk", f->risk);
	jsonw_key(w, "score_db");
	jsonw_fixed2(w, llround(f->score * 100));
	jsonw_key_full(w, "app", f->bundle_id);
	jsonw_key_full(w, "app_version", f->version);
	jsonw_key_full(w, "destination", f->host);
	jsonw_key(w, "port");
	if (f->port != 0)
		jsonw_int(w, f->port);
	else
		jsonw_null(w);
	jsonw_key_int(w, "devices", (int64_t)f->devices);
	jsonw_key_time(w, "first_seen", (struct instant){ f->first_seen });
	jsonw_key_time(w, "last_seen", (struct instant){ f->last_seen });
	jsonw_key_str(w, "status", f->status);
	jsonw_key_full(w, "assignee", f->assignee);
	jsonw_key_int(w, "comments", (int64_t)f->comments);
	jsonw_key_bool(w, "present", f->present);
	jsonw_key_time(w, "created_at", (struct instant){ f->created_at });
	jsonw_key_time(w, "changed_at", (struct instant){ f->changed_at });
	jsonw_key_time(w, "resolved_at", (struct instant){ f->resolved_at });
	jsonw_close(w, '}');
}

static void list(void *context, const struct http_request *q, struct http_response *r)
{
	struct error err = { 0 };
	struct query_filter filter;
	struct query_place place;
	struct api *a = context;
	uint64_t question;
	struct store *s;
	struct jsonw w;
	struct sv sort;
	size_t limit;
	bool more = false, ok;

	if (!read_query(q, r, &filter, &sort, &limit, &place, &question))
		return;
	s = api_read(a, r);
	if (s == NULL)
		return;
	w = jsonw_on(&r->body);
	jsonw_open(&w, '{');
	jsonw_key(&w, "findings");
	jsonw_open(&w, '[');
	ok = query_findings(s, &filter, sort, limit, &place, &more, row, &w, &err);
	jsonw_close(&w, ']');
	jsonw_key_full(&w, "next", more ? api_cursor_write(&place, question, q->_arena) : SV_NONE);
	jsonw_close(&w, '}');
	buf_char(&r->body, '\n');
	api_read_end(a, s);
	if (!ok)
		api_refused(r, &err);
}

bool api_uid(const struct http_request *q, char uid[API_UID_SIZE], struct http_response *r)
{
	struct sv v = q->params[0];

	if (v.n == UID_SIZE) {
		memcpy(uid, v.p, v.n);
		uid[v.n] = '\0';
		return true;
	}
	api_no_finding(r);
	return false;
}

void api_no_finding(struct http_response *r)
{
	http_error(r, 404, "no_such_finding", "there is no finding of this uid");
}

static void comment(void *arg, const struct triage_comment *c)
{
	struct jsonw *w = arg;

	jsonw_open(w, '{');
	jsonw_key_int(w, "id", c->id);
	jsonw_key_time(w, "at", (struct instant){ c->at });
	jsonw_key_text(w, "author", c->author);
	jsonw_key_text(w, "text", c->text);
	jsonw_close(w, '}');
}

static void revision(void *arg, const struct query_revision *h)
{
	struct jsonw *w = arg;

	jsonw_open(w, '{');
	jsonw_key_int(w, "revision", h->revision);
	jsonw_key_time(w, "at", (struct instant){ h->at });
	jsonw_key_text(w, "verdict", h->verdict);
	jsonw_close(w, '}');
}

static void one(void *context, const struct http_request *q, struct http_response *r)
{
	struct buf summary, state;
	struct error err = { 0 };
	struct api *a = context;
	struct triage triage;
	char uid[API_UID_SIZE];
	struct store *s;
	struct jsonw w, first;
	struct sv json;
	bool ok = true;

	if (!api_only(q, NULL, 0, r) || !api_uid(q, uid, r))
		return;
	s = api_read(a, r);
	if (s == NULL)
		return;
	buf_init(&summary, 65536);
	buf_init(&state, 65536);
	first = jsonw_on(&summary);
	if (!query_finding(s, uid, q->_arena, &json, row, &first)) {
		api_no_finding(r);
		goto done;
	}
	triage_get(s, uid, q->_arena, &triage);
	triage_json(&state, &triage);
	w = jsonw_on(&r->body);
	jsonw_open(&w, '{');
	jsonw_key(&w, "summary");
	jsonw_raw(&w, buf_view(&summary));
	jsonw_key(&w, "triage");
	jsonw_raw(&w, buf_view(&state));
	jsonw_key(&w, "finding");
	jsonw_raw(&w, sv_trim(json));
	jsonw_key(&w, "comments");
	jsonw_open(&w, '[');
	ok = triage_comments(s, uid, comment, &w, &err);
	jsonw_close(&w, ']');
	jsonw_key(&w, "history");
	jsonw_open(&w, '[');
	ok = ok && query_history(s, uid, revision, &w, &err);
	jsonw_close(&w, ']');
	jsonw_close(&w, '}');
	buf_char(&r->body, '\n');
	if (!ok)
		api_refused(r, &err);
done:
	api_read_end(a, s);
	buf_free(&summary);
	buf_free(&state);
}

static void past(void *context, const struct http_request *q, struct http_response *r)
{
	struct api *a = context;
	char uid[API_UID_SIZE];
	struct store *s;
	struct sv json;
	uint64_t n;

	if (!api_only(q, NULL, 0, r) || !api_uid(q, uid, r))
		return;
	if (!sv_to_u64(q->params[1], &n) || n < 1 || n > UINT32_MAX) {
		http_error(r, 404, "no_such_revision",
			   "there is no such revision, or it is no longer kept");
		return;
	}
	s = api_read(a, r);
	if (s == NULL)
		return;
	if (store_revision(s, uid, (uint32_t)n, q->_arena, &json)) {
		buf_sv(&r->body, sv_trim(json));
		buf_char(&r->body, '\n');
	} else {
		http_error(r, 404, "no_such_revision",
			   "there is no such revision, or it is no longer kept");
	}
	api_read_end(a, s);
}

size_t api_findings_routes(struct api *a, struct http_route *out)
{
	static const struct api_route routes[] = {
		{ "GET", API_PREFIX "/findings", HTTP_VIEWER, list, false },
		{ "GET", API_PREFIX "/findings/{uid}", HTTP_VIEWER, one, false },
		{ "GET", API_PREFIX "/findings/{uid}/revisions/{revision}", HTTP_VIEWER, past,
		  false },
	};
	size_t n = api_add_routes(a, routes, sizeof(routes) / sizeof(routes[0]), out);

	return n + api_triage_routes(a, out + n);
}
