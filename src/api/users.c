/* Users and their tokens; for admins. */
#include <stdio.h>

#include "api/internal.h"
#include "store/people.h"

#define MIN_PASSWORD 12
#define MAX_PASSWORD 256
#define TOKEN_DAYS 90
#define MAX_DAYS 3650

static void user_json(struct jsonw *w, const struct store_user *u)
{
	jsonw_open(w, '{');
	jsonw_key_text(w, "name", u->name);
	jsonw_key_text(w, "role", u->role);
	jsonw_key_bool(w, "password", u->password.n > 0);
	jsonw_key_int(w, "tokens", (int64_t)u->tokens);
	jsonw_key_time(w, "created_at", (struct instant){ u->created_at });
	jsonw_key_text(w, "created_by", u->created_by);
	jsonw_key_time(w, "changed_at", (struct instant){ u->changed_at });
	jsonw_close(w, '}');
}

static void list_one(void *arg, const struct store_user *u) { user_json(arg, u); }

static void list(void *context, const struct http_request *q, struct http_response *r)
{
	struct error err = { 0 };
	struct api *a = context;
	struct store *s;
	struct jsonw w;
	bool ok;

	if (!api_only(q, NULL, 0, r))
		return;
	s = api_read(a, r);
	if (s == NULL)
		return;
	w = jsonw_on(&r->body);
	jsonw_open(&w, '{');
	jsonw_key(&w, "users");
	jsonw_open(&w, '[');
	ok = people_users(s, q->now.ns, list_one, &w, &err);
	jsonw_close(&w, ']');
	jsonw_close(&w, '}');
	buf_char(&r->body, '\n');
	api_read_end(a, s);
	if (!ok)
		api_refused(r, &err);
}

/* {"role":…,"password":…}, as the audit has it; no secret. */
static struct sv state_of(const struct store_user *u, struct arena *a)
{
	struct sv text;
	struct jsonw w;
	struct buf b;

	buf_init(&b, 4096);
	w = jsonw_on(&b);
	jsonw_open(&w, '{');
	jsonw_key_text(&w, "role", u->role);
	jsonw_key_bool(&w, "password", u->password.n > 0);
	jsonw_close(&w, '}');
	text = arena_sv(a, buf_view(&b));
	buf_free(&b);
	return text;
}

/* What is done to a user, between reading and writing. NULL: the response says why. */
static struct store *begin(struct api *a, const struct http_request *q, struct store_user *u,
			   struct http_response *r)
{
	struct store *s = api_write(a, r);

	if (s == NULL || people_user(s, q->params[0], q->_arena, u))
		return s;
	http_error(r, 404, "no_such_user", "there is no user of this name");
	api_write_end(a, s, false, r);
	return NULL;
}

static bool end(struct api *a, struct store *s, bool ok, const struct error *err,
		struct http_response *r)
{
	if (!ok)
		api_refused(r, err);
	return api_write_end(a, s, ok, r);
}

static void say_user(const struct store_user *u, struct http_response *r)
{
	struct jsonw w = jsonw_on(&r->body);

	jsonw_open(&w, '{');
	jsonw_key(&w, "user");
	user_json(&w, u);
	jsonw_close(&w, '}');
	buf_char(&r->body, '\n');
}

/* The hash of a password that may be absent. */
static bool hash_of(struct api *a, const struct value *password, char hash[128], struct sv *out,
		    struct http_response *r)
{
	*out = SV_NONE;
	if (password == NULL)
		return true;
	if (!api_password_hash(a, password->text, hash)) {
		http_error(r, 503, "busy", "not enough memory to keep a password: try again later");
		return false;
	}
	*out = sv_cstr(hash);
	return true;
}

#define PASSWORD                                                                                   \
	{                                                                                          \
		.name = "password", .type = API_TEXT, .nullable = true, .min = MIN_PASSWORD,       \
		.max = MAX_PASSWORD                                                                \
	}
#define ROLE                                                                                       \
	{                                                                                          \
		.name = "role", .type = API_TEXT, .required = true, .max = 16, .words = API_ROLES  \
	}

static void add(void *context, const struct http_request *q, struct http_response *r)
{
	static const struct api_field fields[] = {
		{ .name = "name",
		  .type = API_TEXT,
		  .required = true,
		  .min = 1,
		  .max = PEOPLE_MAX_NAME },
		ROLE,
		PASSWORD,
	};
	struct audit_who who = api_who(q);
	struct store_user u = { 0 }, other;
	struct error err = { 0 };
	struct api *a = context;
	const struct value *v[3];
	char hash[128];
	struct store *s;

	if (!api_only(q, NULL, 0, r) || !api_body(q, fields, 3, v, r))
		return;
	if (!people_name_ok(v[0]->text)) {
		http_error(r, 400, "bad_request",
			   "name: expected letters, digits, `.`, `_`, `-` and `@`, at most %d, "
			   "beginning with a letter or digit",
			   PEOPLE_MAX_NAME);
		return;
	}
	u = (struct store_user){ .name = v[0]->text,
				 .role = v[1]->text,
				 .created_by = who.actor,
				 .created_at = who.at,
				 .changed_at = who.at };
	if (!hash_of(a, v[2], hash, &u.password, r))
		return;
	s = api_write(a, r);
	if (s == NULL)
		return;
	if (people_user(s, u.name, q->_arena, &other)) {
		http_error(r, 409, "exists", "there is a user of this name already");
		api_write_end(a, s, false, r);
		return;
	}
	r->status = 201;
	say_user(&u, r);
	end(a, s,
	    people_put_user(s, &u, &err) &&
		audit_write(s, &who, "user.add", u.name, SV_NONE, state_of(&u, q->_arena), &err),
	    &err, r);
}

/* Puts a changed user, whose sessions end. */
static void change(struct api *a, struct store *s, const struct http_request *q, const char *action,
		   const struct store_user *before, struct store_user *u, struct http_response *r)
{
	struct audit_who who = api_who(q);
	struct error err = { 0 };

	u->changed_at = who.at;
	say_user(u, r);
	end(a, s,
	    people_put_user(s, u, &err) && people_end_sessions(s, u->name, &err) &&
		audit_write(s, &who, action, u->name, state_of(before, q->_arena),
			    state_of(u, q->_arena), &err),
	    &err, r);
}

static void set_role(void *context, const struct http_request *q, struct http_response *r)
{
	static const struct api_field fields[] = { ROLE };
	struct store_user before, u;
	struct api *a = context;
	const struct value *v[1];
	struct store *s;

	if (!api_only(q, NULL, 0, r) || !api_body(q, fields, 1, v, r))
		return;
	s = begin(a, q, &before, r);
	if (s == NULL)
		return;
	u = before;
	u.role = v[0]->text;
	change(a, s, q, "user.role", &before, &u, r);
}

static void set_password(void *context, const struct http_request *q, struct http_response *r)
{
	static const struct api_field fields[] = { { .name = "password",
						     .type = API_TEXT,
						     .required = true,
						     .nullable = true,
						     .min = MIN_PASSWORD,
						     .max = MAX_PASSWORD } };
	struct store_user before, u;
	struct api *a = context;
	const struct value *v[1];
	struct sv password;
	char hash[128];
	struct store *s;

	if (!api_only(q, NULL, 0, r) || !api_body(q, fields, 1, v, r) ||
	    !hash_of(a, v[0], hash, &password, r))
		return;
	s = begin(a, q, &before, r);
	if (s == NULL)
		return;
	u = before;
	u.password = password;
	change(a, s, q, "user.password", &before, &u, r);
}

static void remove_user(void *context, const struct http_request *q, struct http_response *r)
{
	struct audit_who who = api_who(q);
	struct error err = { 0 };
	struct api *a = context;
	struct store_user u;
	struct store *s;

	if (!api_only(q, NULL, 0, r))
		return;
	s = begin(a, q, &u, r);
	if (s == NULL)
		return;
	buf_str(&r->body, "{}\n");
	end(a, s,
	    people_remove_user(s, u.name, &err) &&
		audit_write(s, &who, "user.remove", u.name, state_of(&u, q->_arena), SV_NONE, &err),
	    &err, r);
}

/* ---- tokens */

static void token_members(struct jsonw *w, const struct store_token *t)
{
	jsonw_key_text(w, "id", t->id);
	jsonw_key_text(w, "user", t->user);
	jsonw_key_text(w, "role", t->role);
	jsonw_key_text(w, "label", t->label);
	jsonw_key_time(w, "created_at", (struct instant){ t->created_at });
	jsonw_key_text(w, "created_by", t->created_by);
	jsonw_key_time(w, "expires_at", (struct instant){ t->expires_at });
}

static void list_token(void *arg, const struct store_token *t)
{
	jsonw_open(arg, '{');
	token_members(arg, t);
	jsonw_close(arg, '}');
}

static void list_tokens(void *context, const struct http_request *q, struct http_response *r)
{
	struct error err = { 0 };
	struct api *a = context;
	struct store_user u;
	struct store *s;
	struct jsonw w;

	if (!api_only(q, NULL, 0, r))
		return;
	s = api_read(a, r);
	if (s == NULL)
		return;
	w = jsonw_on(&r->body);
	jsonw_open(&w, '{');
	jsonw_key(&w, "tokens");
	jsonw_open(&w, '[');
	if (!people_user(s, q->params[0], q->_arena, &u))
		http_error(r, 404, "no_such_user", "there is no user of this name");
	else if (!people_tokens(s, u.name, list_token, &w, &err))
		api_refused(r, &err);
	api_read_end(a, s);
	if (r->status >= 400)
		return;
	jsonw_close(&w, ']');
	jsonw_close(&w, '}');
	buf_char(&r->body, '\n');
}

static struct sv token_text(const struct store_token *t, struct arena *a)
{
	struct sv text;
	struct jsonw w;
	struct buf b;

	buf_init(&b, 8192);
	w = jsonw_on(&b);
	jsonw_open(&w, '{');
	token_members(&w, t);
	jsonw_close(&w, '}');
	text = arena_sv(a, buf_view(&b));
	buf_free(&b);
	return text;
}

static void say_token(const struct store_token *t, const char *secret, struct http_response *r)
{
	struct jsonw w = jsonw_on(&r->body);

	r->status = 201;
	jsonw_open(&w, '{');
	token_members(&w, t);
	jsonw_key_str(&w, "token", secret);
	jsonw_close(&w, '}');
	buf_char(&r->body, '\n');
}

static void add_token(void *context, const struct http_request *q, struct http_response *r)
{
	static const struct api_field fields[] = {
		{ .name = "label", .type = API_TEXT, .nullable = true, .max = 200 },
		{ .name = "role",
		  .type = API_TEXT,
		  .nullable = true,
		  .max = 16,
		  .words = API_ROLES },
		{ .name = "days",
		  .type = API_INTEGER,
		  .nullable = true,
		  .min = 1,
		  .max = MAX_DAYS },
	};
	struct audit_who who = api_who(q);
	char secret[API_SECRET_SIZE], hash[65], id[API_SECRET_SIZE];
	struct error err = { 0 };
	struct api *a = context;
	const struct value *v[3];
	struct store_token t;
	struct store_user u;
	struct store *s;

	if (!api_only(q, NULL, 0, r) || !api_body(q, fields, 3, v, r))
		return;
	s = begin(a, q, &u, r);
	if (s == NULL)
		return;
	api_secret("pw_", secret);
	api_secret("", id);
	api_hash(sv_cstr(secret), hash);
	t = (struct store_token){
		.id = sv_first(sv_cstr(id), 12),
		.user = u.name,
		.role = v[1] != NULL ? v[1]->text : u.role,
		.label = v[0] != NULL ? v[0]->text : SV(""),
		.created_by = who.actor,
		.created_at = who.at,
		.expires_at = who.at + (v[2] != NULL ? v[2]->integer : TOKEN_DAYS) * NS_PER_DAY,
	};
	say_token(&t, secret, r);
	end(a, s,
	    people_put_token(s, &t, hash, &err) &&
		audit_write(s, &who, "token.add", u.name, SV_NONE, token_text(&t, q->_arena), &err),
	    &err, r);
}

static void remove_token(void *context, const struct http_request *q, struct http_response *r)
{
	struct audit_who who = api_who(q);
	struct error err = { 0 };
	struct api *a = context;
	struct store_user u;
	struct store *s;
	bool there, ok;

	if (!api_only(q, NULL, 0, r))
		return;
	s = begin(a, q, &u, r);
	if (s == NULL)
		return;
	ok = people_remove_token(s, u.name, q->params[1], &there, &err);
	if (ok && !there) {
		http_error(r, 404, "no_such_token", "this user has no token of this id");
		api_write_end(a, s, false, r);
		return;
	}
	buf_str(&r->body, "{}\n");
	end(a, s, ok && audit_write(s, &who, "token.remove", u.name, SV_NONE, SV_NONE, &err), &err,
	    r);
}

size_t api_users_routes(struct api *a, struct http_route *out)
{
	static const struct api_route routes[] = {
		{ "GET", API_PREFIX "/users", HTTP_ADMIN, list, false },
		{ "POST", API_PREFIX "/users", HTTP_ADMIN, add, true },
		{ "DELETE", API_PREFIX "/users/{name}", HTTP_ADMIN, remove_user, false },
		{ "POST", API_PREFIX "/users/{name}/role", HTTP_ADMIN, set_role, true },
		{ "POST", API_PREFIX "/users/{name}/password", HTTP_ADMIN, set_password, true },
		{ "GET", API_PREFIX "/users/{name}/tokens", HTTP_ADMIN, list_tokens, false },
		{ "POST", API_PREFIX "/users/{name}/tokens", HTTP_ADMIN, add_token, true },
		{ "DELETE", API_PREFIX "/users/{name}/tokens/{id}", HTTP_ADMIN, remove_token,
		  false },
	};

	return api_add_routes(a, routes, sizeof(routes) / sizeof(routes[0]), out);
}
