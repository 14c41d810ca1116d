/* Logging in and out, and who one is. */
#include <stdio.h>

#include "api/internal.h"
#include "store/people.h"

#define MIN_PASSWORD 12
#define MAX_PASSWORD 256
/* Failed log-ins within API_LIMIT_SPAN that the audit has a row of. The name is no address's and no
 * user's. */
#define MAX_AUDITED 1000
#define EVERYBODY SV("*")

/* Whoever has one IPv6 address has its whole network of 64 bits. */
static struct sv address_of(const struct http_request *q)
{
	static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	char *text = arena_alloc(http_arena(q), ADDR_TEXT_SIZE);
	struct addr network = q->peer;

	if (!addr_known(&q->peer))
		return SV_NONE;
	if (memcmp(q->peer.b, mapped, sizeof(mapped)) != 0)
		memset(network.b + 8, 0, 8);
	return sv_make(text, addr_format(&network, text));
}

/* 429 where this address or this user has failed too often. */
static bool may_try(struct api *a, const struct http_request *q, struct sv user,
		    struct http_response *r)
{
	unsigned most, wait, other;
	char seconds[16];

	pthread_mutex_lock(&a->lock);
	most = a->settings.login_attempts;
	pthread_mutex_unlock(&a->lock);
	wait = api_limit_wait(a->limit, address_of(q), most, q->now);
	/* A user may be somebody else's target, from many addresses: ten times as often. */
	other = api_limit_wait(a->limit, user, most * 10, q->now);
	wait = other > wait ? other : wait;
	if (wait == 0)
		return true;
	http_error(r, 429, "too_many", "too many failed log-ins: try again in %u s", wait);
	snprintf(seconds, sizeof(seconds), "%u", wait);
	http_set_header(r, "Retry-After", seconds);
	return false;
}

static void say_session(struct http_response *r, struct sv user, struct sv role, struct sv via,
			const char *csrf, int64_t expires_at)
{
	struct jsonw w = jsonw_on(&r->body);

	jsonw_open(&w, '{');
	jsonw_key_said(&w, "user", user);
	jsonw_key_said(&w, "role", role);
	jsonw_key_said(&w, "via", via);
	jsonw_key_str(&w, "csrf", csrf);
	jsonw_key_time(&w, "expires_at", (struct instant){ expires_at });
	jsonw_close(&w, '}');
	buf_char(&r->body, '\n');
}

static bool audit_login(struct store *s, const struct http_request *q, const char *action,
			struct sv user, struct error *err)
{
	struct audit_who who = api_who(q);

	who.actor = user;
	who.via = SV("session");
	return audit_write(s, &who, action, user, SV_NONE, SV_NONE, err);
}

static void failed(struct api *a, const struct http_request *q, struct sv user,
		   struct http_response *r)
{
	struct store *s;
	struct error err;

	api_limit_failed(a->limit, address_of(q), q->now);
	api_limit_failed(a->limit, user, q->now);
	http_error(r, 401, "unauthorized", "user or password is wrong");
	/* Whoever comes from many addresses shall not fill the disk. */
	if (api_limit_wait(a->limit, EVERYBODY, MAX_AUDITED, q->now) > 0)
		return;
	api_limit_failed(a->limit, EVERYBODY, q->now);
	s = api_write(a, r);
	if (s != NULL)
		api_write_end(a, s, audit_login(s, q, "login.failed", user, &err), r);
}

/* secure: the browser speaks TLS, with us or with a proxy before us. */
static void cookie(struct http_response *r, const char *session, int64_t seconds, bool secure)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "pinwatch_session=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%lld%s", session,
		 (long long)seconds, secure ? "; Secure" : "");
	http_set_header(r, "Set-Cookie", text);
}

static void begin_session(struct api *a, const struct http_request *q, const struct store_user *u,
			  bool secure, struct http_response *r)
{
	struct audit_who who = api_who(q);
	char session[API_SECRET_SIZE], hash[65], csrf[65];
	struct error err = { 0 };
	struct span age;
	struct store *s;
	bool ok;

	pthread_mutex_lock(&a->lock);
	age = a->settings.session_age;
	secure = secure || a->settings.tls;
	pthread_mutex_unlock(&a->lock);
	api_secret("", session);
	api_hash(sv_cstr(session), hash);
	api_csrf(sv_cstr(session), csrf);
	s = api_write(a, r);
	if (s == NULL)
		return;
	ok = people_put_session(s, hash, u->name, who.address, q->now.ns, q->now.ns + age.ns,
				&err) &&
	     audit_login(s, q, "login", u->name, &err);
	if (!ok)
		api_refused(r, &err);
	if (!api_write_end(a, s, ok, r))
		return;
	cookie(r, session, age.ns / NS_PER_S, secure);
	say_session(r, u->name, u->role, SV("session"), csrf, q->now.ns + age.ns);
}

static void login(void *context, const struct http_request *sent, struct http_response *r)
{
	static const struct api_field fields[] = {
		{ .name = "user",
		  .type = API_TEXT,
		  .required = true,
		  .min = 1,
		  .max = PEOPLE_MAX_NAME },
		{ .name = "password",
		  .type = API_TEXT,
		  .required = true,
		  .min = 1,
		  .max = MAX_PASSWORD },
	};
	const struct value *v[2];
	struct http_request own = *sent, *q = &own;
	struct store_user u = { 0 };
	struct api *a = context;
	struct store *s;
	bool secure;

	secure = api_look_behind(a, q) &&
		 sv_eq_nocase(sv_trim(http_header(q, "X-Forwarded-Proto")), SV("https"));
	if (!api_only(q, NULL, 0, r) || !api_body(q, fields, 2, v, r) ||
	    !may_try(a, q, v[0]->text, r))
		return;
	s = api_read(a, r);
	if (s == NULL)
		return;
	people_user(s, v[0]->text, q->_arena, &u);
	api_read_end(a, s);
	if (!api_password_matches(a, u.password, v[1]->text)) {
		failed(a, q, v[0]->text, r);
		return;
	}
	api_limit_forget(a->limit, address_of(q));
	begin_session(a, q, &u, secure, r);
}

static void logout(void *context, const struct http_request *q, struct http_response *r)
{
	struct error err = { 0 };
	struct api *a = context;
	struct store *s;
	bool ok;

	if (!api_only(q, NULL, 0, r) || !api_body(q, NULL, 0, NULL, r))
		return;
	if (!sv_eq(q->via, SV("session"))) {
		http_error(r, 409, "no_session", "there is no session to end: you came by %.*s",
			   SV_ARG(q->via));
		return;
	}
	s = api_write(a, r);
	if (s == NULL)
		return;
	ok = people_remove_session(s, q->credential.p, &err) &&
	     audit_login(s, q, "logout", q->user, &err);
	if (!ok)
		api_refused(r, &err);
	if (!api_write_end(a, s, ok, r))
		return;
	cookie(r, "", 0, false);
	buf_str(&r->body, "{}\n");
}

static const char *role_word(enum http_role role)
{
	return role == HTTP_ADMIN ? "admin" : role == HTTP_ANALYST ? "analyst" : "viewer";
}

static void session(void *context, const struct http_request *q, struct http_response *r)
{
	int64_t expires_at = INT64_MIN;
	struct store_known k;
	struct api *a = context;
	struct store *s;
	char csrf[65] = "";

	if (!api_only(q, NULL, 0, r))
		return;
	s = api_read(a, r);
	if (s == NULL)
		return;
	if (sv_eq(q->via, SV("session")) &&
	    people_by_session(s, q->credential.p, q->now.ns, q->_arena, &k)) {
		expires_at = k.expires_at;
		api_csrf(api_cookie(q), csrf);
	} else if (sv_eq(q->via, SV("token")) &&
		   people_by_token(s, q->credential.p, q->now.ns, q->_arena, &k)) {
		expires_at = k.expires_at;
	} else if (sv_eq(q->via, SV("proxy"))) {
		snprintf(csrf, sizeof(csrf), "proxy");
	}
	api_read_end(a, s);
	say_session(r, q->user, sv_cstr(role_word(q->role)), q->via, csrf[0] != '\0' ? csrf : NULL,
		    expires_at);
}

/* One's own password; the other sessions end. */
static void password(void *context, const struct http_request *q, struct http_response *r)
{
	static const struct api_field fields[] = {
		{ .name = "old",
		  .type = API_TEXT,
		  .required = true,
		  .min = 1,
		  .max = MAX_PASSWORD },
		{ .name = "new",
		  .type = API_TEXT,
		  .required = true,
		  .min = MIN_PASSWORD,
		  .max = MAX_PASSWORD },
	};
	struct audit_who who = api_who(q);
	struct error err = { 0 };
	const struct value *v[2];
	struct store_user u = { 0 };
	struct api *a = context;
	char hash[128];
	struct store *s;
	bool ok;

	if (!api_only(q, NULL, 0, r) || !api_body(q, fields, 2, v, r) || !may_try(a, q, q->user, r))
		return;
	if (!sv_eq(q->via, SV("session"))) {
		http_error(r, 409, "no_session", "log in to change your password: you came by %.*s",
			   SV_ARG(q->via));
		return;
	}
	s = api_read(a, r);
	if (s == NULL)
		return;
	people_user(s, q->user, q->_arena, &u);
	api_read_end(a, s);
	if (!api_password_matches(a, u.password, v[0]->text)) {
		api_limit_failed(a->limit, address_of(q), q->now);
		http_error(r, 403, "wrong_password", "the old password is wrong");
		return;
	}
	if (!api_password_hash(a, v[1]->text, hash)) {
		http_error(r, 503, "busy", "not enough memory to keep a password: try again later");
		return;
	}
	s = api_write(a, r);
	if (s == NULL)
		return;
	ok = people_user(s, q->user, q->_arena, &u);
	if (!ok) {
		http_error(r, 404, "no_such_user", "there is no user of this name");
	} else {
		u.password = sv_cstr(hash);
		u.changed_at = q->now.ns;
		ok = people_put_user(s, &u, &err) && people_end_sessions(s, u.name, &err) &&
		     audit_write(s, &who, "user.password", u.name, SV_NONE, SV_NONE, &err);
		if (!ok)
			api_refused(r, &err);
	}
	if (!api_write_end(a, s, ok, r))
		return;
	cookie(r, "", 0, false);
	buf_str(&r->body, "{}\n");
}

size_t api_login_routes(struct api *a, struct http_route *out)
{
	static const struct api_route list[] = {
		{ "POST", API_PREFIX "/login", HTTP_ANYONE, login, true },
		{ "POST", API_PREFIX "/logout", HTTP_VIEWER, logout, true },
		{ "GET", API_PREFIX "/session", HTTP_VIEWER, session, false },
		{ "POST", API_PREFIX "/session/password", HTTP_VIEWER, password, true },
	};

	return api_add_routes(a, list, sizeof(list) / sizeof(list[0]), out);
}
