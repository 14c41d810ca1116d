#include "api/auth.h"

#include <pwd.h>
#include <sodium.h>
#include <stdio.h>

#include "api/internal.h"
#include "http/hmac.h"
#include "store/people.h"

#define COOKIE "pinwatch_session="

static const char *const roles[] = { NULL, "viewer", "analyst", "admin" };

enum http_role api_role(struct sv word)
{
	for (int i = HTTP_VIEWER; i <= HTTP_ADMIN; i++)
		if (sv_eq(word, sv_cstr(roles[i])))
			return (enum http_role)i;
	return HTTP_ANYONE;
}

void api_configure(struct api *a, const struct conf *c, bool tls)
{
	struct api_settings new = {
		.session_age = c->session_age,
		.login_attempts = c->login_attempts,
		.event_streams = c->event_streams,
		.tls = tls,
	};
	struct arena old;

	new.proxies.items =
	    c->proxy_addresses.n == 0
		? NULL
		: arena_copy(&new._arena, c->proxy_addresses.items,
			     c->proxy_addresses.n * sizeof(*c->proxy_addresses.items));
	new.proxies.n = c->proxy_addresses.n;
	new.proxy_user_header = arena_sv(&new._arena, c->proxy_user_header);
	new.proxy_role_header = arena_sv(&new._arena, c->proxy_role_header);
	pthread_mutex_lock(&a->lock);
	old = a->settings._arena;
	a->settings = new;
	pthread_mutex_unlock(&a->lock);
	arena_free(&old);
}

void api_serves(struct api *a, struct http_server *s)
{
	if (a->n_servers < API_MAX_SERVERS)
		a->servers[a->n_servers++] = s;
}

struct sv api_cookie(const struct http_request *q)
{
	struct sv rest = http_header(q, "Cookie");

	while (rest.n > 0) {
		struct sv one = sv_trim(sv_cut(rest, ';', &rest));

		if (sv_starts(one, SV(COOKIE)))
			return sv_skip(one, sizeof(COOKIE) - 1);
	}
	return SV_NONE;
}

static bool is_safe(const struct http_request *q)
{
	return strcmp(q->method, "GET") == 0 || strcmp(q->method, "HEAD") == 0;
}

static bool same_text(struct sv a, struct sv b)
{
	return a.n == b.n && (a.n == 0 || sodium_memcmp(a.p, b.p, a.n) == 0);
}

/* A page of another origin may make the browser send what it knows of us, but cannot read it. */
static bool is_ours(const struct http_request *q)
{
	struct sv origin = http_header(q, "Origin"), host = http_header(q, "Host");

	if (origin.p == NULL)
		return true;
	if (sv_starts(origin, SV("https://")))
		origin = sv_skip(origin, 8);
	else if (sv_starts(origin, SV("http://")))
		origin = sv_skip(origin, 7);
	return origin.n > 0 && sv_eq_nocase(origin, host);
}

static void check_origin(struct http_request *q, struct sv csrf)
{
	struct sv sent = http_header(q, "X-CSRF-Token");

	if (is_safe(q))
		return;
	if (!is_ours(q))
		q->refused = "this came from a page of another origin";
	else if (csrf.n > 0 ? !same_text(sent, csrf) : sent.n == 0)
		q->refused = "the request lacks its X-CSRF-Token: GET /api/v1/session says it";
}

static void let_in(struct http_request *q, const struct store_known *k, const char *via,
		   const char *hash)
{
	enum http_role role = api_role(k->role), most = api_role(k->token_role);

	q->role = k->token_role.n > 0 && most < role ? most : role;
	q->user = k->user;
	q->via = sv_cstr(via);
	q->credential = arena_sv(q->_arena, sv_cstr(hash));
}

static void by_token(struct api *a, struct http_request *q, struct sv token)
{
	struct store *s = api_read(a, NULL);
	struct store_known k;
	char hash[65];

	if (s == NULL)
		return;
	api_hash(token, hash);
	if (people_by_token(s, hash, q->now.ns, q->_arena, &k))
		let_in(q, &k, "token", hash);
	api_read_end(a, s);
}

static void by_session(struct api *a, struct http_request *q, struct sv session)
{
	struct store *s = api_read(a, NULL);
	struct store_known k;
	char hash[65], csrf[65];
	bool known;

	if (s == NULL)
		return;
	api_hash(session, hash);
	known = people_by_session(s, hash, q->now.ns, q->_arena, &k);
	api_read_end(a, s);
	if (!known)
		return;
	let_in(q, &k, "session", hash);
	api_csrf(session, csrf);
	check_origin(q, sv_cstr(csrf));
}

/* What a proxy says of whom it has let in; and behind it, whence. */
static void by_proxy(struct api *a, struct http_request *q)
{
	struct sv name, role, user_header, role_header;
	struct store_user u;
	struct store *s;

	pthread_mutex_lock(&a->lock);
	user_header = arena_sv(q->_arena, a->settings.proxy_user_header);
	role_header = arena_sv(q->_arena, a->settings.proxy_role_header);
	pthread_mutex_unlock(&a->lock);
	if (user_header.n == 0)
		return;
	name = sv_trim(http_header(q, user_header.p));
	if (!people_name_ok(name))
		return;
	if (role_header.n > 0) {
		role = sv_trim(http_header(q, role_header.p));
		q->role = api_role(role);
	} else {
		s = api_read(a, NULL);
		if (s == NULL)
			return;
		if (people_user(s, name, q->_arena, &u))
			q->role = api_role(u.role);
		api_read_end(a, s);
	}
	if (q->role == HTTP_ANYONE)
		return;
	q->user = arena_sv(q->_arena, name);
	q->via = SV("proxy");
	check_origin(q, SV_NONE);
}

static bool is_proxy(struct api *a, const struct addr *peer)
{
	bool found = false;

	pthread_mutex_lock(&a->lock);
	for (size_t i = 0; i < a->settings.proxies.n && !found; i++)
		found = cidr_holds(&a->settings.proxies.items[i], peer);
	pthread_mutex_unlock(&a->lock);
	return found;
}

bool api_look_behind(struct api *a, struct http_request *q)
{
	struct sv list = http_header(q, "X-Forwarded-For"), last = list;
	struct addr behind;

	if (!is_proxy(a, &q->peer))
		return false;
	for (size_t i = 0; i < list.n; i++)
		if (list.p[i] == ',')
			last = sv_skip(list, i + 1);
	if (addr_parse(sv_trim(last), &behind))
		q->peer = behind;
	return true;
}

void api_authenticate(void *context, struct http_request *q)
{
	struct api *a = context;
	struct sv authorization = http_header(q, "Authorization"), session = api_cookie(q);
	bool proxy = api_look_behind(a, q);

	if (authorization.n > 0)
		by_token(a, q, token_bearer(authorization));
	else if (session.n > 0)
		by_session(a, q, session);
	if (proxy && q->role == HTTP_ANYONE && authorization.n == 0)
		by_proxy(a, q);
}

void api_authenticate_local(void *context, struct http_request *q)
{
	char *text = arena_alloc(q->_arena, PEOPLE_MAX_NAME + 1), room[4096];
	struct passwd entry, *found = NULL;

	(void)context;
	if (q->uid == UINT32_MAX)
		return;
	if (getpwuid_r(q->uid, &entry, room, sizeof(room), &found) == 0 && found != NULL)
		snprintf(text, PEOPLE_MAX_NAME + 1, "%s", entry.pw_name);
	else
		snprintf(text, PEOPLE_MAX_NAME + 1, "uid-%u", q->uid);
	q->role = HTTP_ADMIN;
	q->user = sv_cstr(text);
	q->via = SV("socket");
}

bool api_still(struct api *a, struct sv via, struct sv credential, enum http_role role, int64_t now)
{
	bool token = sv_eq(via, SV("token"));
	struct arena arena = { 0 };
	struct store_known k;
	struct store *s;
	bool ok;

	if (credential.n == 0)
		return true;
	s = api_read(a, NULL);
	if (s == NULL)
		return false;
	ok = token ? people_by_token(s, credential.p, now, &arena, &k)
		   : people_by_session(s, credential.p, now, &arena, &k);
	api_read_end(a, s);
	ok = ok && api_role(k.role) >= role && (!token || api_role(k.token_role) >= role);
	arena_free(&arena);
	return ok;
}
