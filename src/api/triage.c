/* What people do about a finding. */
#include "api/findings.h"
#include "api/internal.h"
#include "store/people.h"
#include "store/triage.h"

#define MAX_TEXT 8192
#define REVISION                                                                                   \
	{                                                                                          \
		.name = "revision", .type = API_INTEGER, .nullable = true, .min = 1,               \
		.max = UINT32_MAX                                                                  \
	}
#define COMMENT                                                                                    \
	{                                                                                          \
		.name = "comment", .type = API_TEXT, .nullable = true, .min = 1, .max = MAX_TEXT,  \
		.lines = true                                                                      \
	}

static void say_triage(struct store *s, const struct http_request *q, const char *uid,
		       struct http_response *r)
{
	struct triage t;

	triage_get(s, uid, q->_arena, &t);
	buf_str(&r->body, "{\"triage\":");
	triage_json(&r->body, &t);
	buf_str(&r->body, "}\n");
}

/* What came of it, as an answer; true where it is to be kept. */
static bool heed(enum triage_result result, const struct error *err, struct http_response *r)
{
	switch (result) {
	case TRIAGE_DONE:
	case TRIAGE_ALREADY:
		return true;
	case TRIAGE_NONE:
		api_no_finding(r);
		return false;
	case TRIAGE_STALE:
		http_error(r, 409, "revised",
			   "the finding has been revised since: look at it again");
		return false;
	case TRIAGE_REFUSED:
	default:
		api_refused(r, err);
		return false;
	}
}

static void finish(struct api *a, struct store *s, const struct http_request *q, const char *uid,
		   bool ok, struct http_response *r)
{
	if (ok)
		say_triage(s, q, uid, r);
	if (api_write_end(a, s, ok, r))
		api_tell(a, API_NEWS_CHANGES);
}

static void decide(struct api *a, const struct http_request *q, const char *status,
		   const struct value *reason, const struct value *revision,
		   const struct value *comment, struct http_response *r)
{
	struct audit_who who = api_who(q);
	struct error err = { 0 };
	char uid[API_UID_SIZE];
	struct store *s;
	int64_t id;
	bool ok;

	if (!api_uid(q, uid, r))
		return;
	s = api_write(a, r);
	if (s == NULL)
		return;
	ok = heed(triage_decide(s, &who, uid, status, api_text(reason),
				revision != NULL ? (uint32_t)revision->integer : 0, &err),
		  &err, r);
	if (ok && comment != NULL)
		ok = heed(triage_comment(s, &who, uid, comment->text, &id, &err), &err, r);
	finish(a, s, q, uid, ok, r);
}

static void acknowledge(void *context, const struct http_request *q, struct http_response *r)
{
	static const struct api_field fields[] = { REVISION, COMMENT };
	const struct value *v[2];

	if (api_only(q, NULL, 0, r) && api_body(q, fields, 2, v, r))
		decide(context, q, "acknowledged", NULL, v[0], v[1], r);
}

static void close_it(void *context, const struct http_request *q, struct http_response *r)
{
	static const struct api_field fields[] = {
		{ .name = "reason", .type = API_TEXT, .required = true, .min = 1, .max = 1000 },
		REVISION,
		COMMENT,
	};
	const struct value *v[3];

	if (api_only(q, NULL, 0, r) && api_body(q, fields, 3, v, r))
		decide(context, q, "closed", v[0], v[1], v[2], r);
}

static void reopen(void *context, const struct http_request *q, struct http_response *r)
{
	static const struct api_field fields[] = {
		{ .name = "reason", .type = API_TEXT, .nullable = true, .min = 1, .max = 1000 },
		COMMENT,
	};
	const struct value *v[2];

	if (api_only(q, NULL, 0, r) && api_body(q, fields, 2, v, r))
		decide(context, q, "reopened", v[0], NULL, v[1], r);
}

static void assign(void *context, const struct http_request *q, struct http_response *r)
{
	static const struct api_field fields[] = {
		{ .name = "assignee",
		  .type = API_TEXT,
		  .required = true,
		  .nullable = true,
		  .min = 1,
		  .max = PEOPLE_MAX_NAME },
	};
	struct audit_who who = api_who(q);
	struct error err = { 0 };
	struct api *a = context;
	const struct value *v[1];
	char uid[API_UID_SIZE];
	struct store *s;

	if (!api_only(q, NULL, 0, r) || !api_body(q, fields, 1, v, r) || !api_uid(q, uid, r))
		return;
	if (v[0] != NULL && !people_name_ok(v[0]->text)) {
		http_error(r, 400, "bad_request",
			   "assignee: expected a name of letters, digits, `.`, `_`, `-` and `@`");
		return;
	}
	s = api_write(a, r);
	if (s != NULL)
		finish(a, s, q, uid,
		       heed(triage_assign(s, &who, uid, api_text(v[0]), &err), &err, r), r);
}

static void comment(void *context, const struct http_request *q, struct http_response *r)
{
	static const struct api_field fields[] = {
		{ .name = "text",
		  .type = API_TEXT,
		  .required = true,
		  .min = 1,
		  .max = MAX_TEXT,
		  .lines = true },
	};
	struct audit_who who = api_who(q);
	struct error err = { 0 };
	struct api *a = context;
	const struct value *v[1];
	char uid[API_UID_SIZE];
	struct store *s;
	int64_t id;
	bool ok;

	if (!api_only(q, NULL, 0, r) || !api_body(q, fields, 1, v, r) || !api_uid(q, uid, r))
		return;
	s = api_write(a, r);
	if (s == NULL)
		return;
	ok = heed(triage_comment(s, &who, uid, v[0]->text, &id, &err), &err, r);
	if (ok) {
		struct jsonw w = jsonw_on(&r->body);

		r->status = 201;
		jsonw_open(&w, '{');
		jsonw_key_int(&w, "id", id);
		jsonw_key_time(&w, "at", (struct instant){ who.at });
		jsonw_key_said(&w, "author", who.actor);
		jsonw_key_said(&w, "text", v[0]->text);
		jsonw_close(&w, '}');
		buf_char(&r->body, '\n');
	}
	if (api_write_end(a, s, ok, r))
		api_tell(a, API_NEWS_CHANGES);
}

size_t api_triage_routes(struct api *a, struct http_route *out)
{
	static const struct api_route list[] = {
		{ "POST", API_PREFIX "/findings/{uid}/acknowledge", HTTP_ANALYST, acknowledge,
		  true },
		{ "POST", API_PREFIX "/findings/{uid}/close", HTTP_ANALYST, close_it, true },
		{ "POST", API_PREFIX "/findings/{uid}/reopen", HTTP_ANALYST, reopen, true },
		{ "POST", API_PREFIX "/findings/{uid}/assign", HTTP_ANALYST, assign, true },
		{ "POST", API_PREFIX "/findings/{uid}/comments", HTTP_ANALYST, comment, true },
	};

	return api_add_routes(a, list, sizeof(list) / sizeof(list[0]), out);
}
