/* Between the files of the API. */
#ifndef PINWATCH_API_INTERNAL_H
#define PINWATCH_API_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "api/api.h"
#include "api/limit.h"
#include "base/arena.h"
#include "base/jsonw.h"
#include "conf/conf.h"

#define API_MAX_IDLE 32
#define API_MAX_SERVERS 2

/* What the configuration says of who may; copied, so that a reload can change it while handlers
 * run. */
struct api_settings {
	struct span session_age;
	uint32_t login_attempts;
	uint32_t event_streams;
	struct conf_networks proxies; /* of _arena */
	struct sv proxy_user_header, proxy_role_header;
	bool tls;
	struct arena _arena;
};

struct api {
	char *database;
	pthread_mutex_t lock; /* idle, pages, settings */
	struct store *idle[API_MAX_IDLE];
	size_t n_idle;
	pthread_mutex_t writing;
	struct store *writer;
	atomic_uint told;
	int fd;
	struct buf pages[API_PAGES];
	struct api_settings settings;
	struct http_server *servers[API_MAX_SERVERS];
	size_t n_servers;
	struct api_limit *limit;
	pthread_mutex_t hashing; /* a password takes 64 MiB to check: one at a time */
	char *dummy;		 /* a password's hash that is nobody's */
	atomic_uint streams;
	struct api_backtest *backtest;
};

/* Each file's routes; they return how many. */
size_t api_findings_routes(struct api *a, struct http_route *out);
size_t api_allow_routes(struct api *a, struct http_route *out);
size_t api_login_routes(struct api *a, struct http_route *out);
size_t api_users_routes(struct api *a, struct http_route *out);
size_t api_backtest_routes(struct api *a, struct http_route *out);
size_t api_audit_routes(struct api *a, struct http_route *out);
size_t api_pages_routes(struct api *a, struct http_route *out);
size_t api_events_routes(struct api *a, struct http_route *out);

/* A table's rows as routes, all with the same context. */
struct api_route {
	const char *method, *pattern;
	enum http_role role;
	http_handler *handler;
	bool body;
};
size_t api_add_routes(struct api *a, const struct api_route *list, size_t n,
		      struct http_route *out);

enum http_role api_role(struct sv word); /* HTTP_ANYONE for none */
/* "viewer analyst admin", for fields. */
#define API_ROLES "viewer analyst admin"

/* SHA-256 in hexadecimal. */
void api_hash(struct sv secret, char out[65]);
/* 32 random bytes behind a prefix, as text; *out holds API_SECRET_SIZE. */
#define API_SECRET_SIZE 64
void api_secret(const char *prefix, char out[API_SECRET_SIZE]);
/* Argon2id. False where memory is short. */
bool api_password_hash(struct api *a, struct sv password, char out[128]);
/* hash empty: takes as long, and is false. */
bool api_password_matches(struct api *a, struct sv hash, struct sv password);
/* The token that unsafe requests of a session carry. */
void api_csrf(struct sv session, char out[65]);
/* The session in the request's cookies; empty: none. */
struct sv api_cookie(const struct http_request *q);
/* From a proxy that may say so, takes the address behind it as the peer. False: it comes from
 * elsewhere. The last address of X-Forwarded-For is the one that the proxy has seen. */
bool api_look_behind(struct api *a, struct http_request *q);
/* Is who was let in with this still let in, with this role? */
bool api_still(struct api *a, struct sv via, struct sv credential, enum http_role role,
	       int64_t now);

#endif
