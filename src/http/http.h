/* HTTP(S) server: a table of routes over libmicrohttpd.
 *
 * A route is a method, a path pattern, a role and a handler. `{name}` in a pattern stands for one
 * non-empty segment (percent-decoded), `{name...}` at its end for the rest of the path. The table
 * is read-only while the server runs. What finds no route is 404, what finds one with another
 * method 405 with Allow; HEAD is answered by GET's handler. Errors are JSON:
 * {"error":{"code":…,"message":…}}.
 *
 * Handlers run on the server's threads, several at once; one request is handled by one thread. The
 * body is complete when the handler is called and is bounded per request and over all requests. TLS
 * (1.2 and 1.3) where certificate and key are given.
 */
#ifndef PINWATCH_HTTP_HTTP_H
#define PINWATCH_HTTP_HTTP_H

#include "base/addr.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/sv.h"

#define HTTP_MAX_PARAMS 4
#define HTTP_MAX_ROUTES 128

/* Each includes those before it. */
enum http_role { HTTP_ANYONE, HTTP_VIEWER, HTTP_ANALYST, HTTP_ADMIN };

struct arena;

struct http_request {
	const char *method;
	struct sv path;			   /* as sent, without query */
	struct sv params[HTTP_MAX_PARAMS]; /* in the pattern's order, percent-decoded */
	struct sv body; /* as sent: still packed where Content-Encoding says so */
	struct addr peer;
	enum http_role role;  /* of whoever asks, as authenticate said */
	struct sv user;	      /* likewise; its bytes are of the request's arena */
	struct sv via;	      /* likewise: by what they are known */
	struct sv credential; /* likewise: what authenticate knows them by later on */
	/* set by authenticate: known, but not like this; 403 with these words */
	const char *refused;
	/* of the process at a Unix socket's other end; else UINT32_MAX */
	uint32_t uid;
	struct instant now; /* wall clock when the request was complete */
	struct sv query;    /* what stands behind `?`, where there is no connection */
	void *_connection;  /* NULL: http_local */
	struct arena *_arena;
};

/* Memory for the time of the request. */
static inline struct arena *http_arena(const struct http_request *r) { return r->_arena; }

/* The value of a header (name in any case) or of a query parameter (percent-decoded); p NULL where
 * there is none. Good while the request is. */
struct sv http_header(const struct http_request *r, const char *name);
struct sv http_query(const struct http_request *r, const char *name);
/* Calls back for every query parameter, decoded; a wrong escape gives a value with p NULL. */
void http_each_query(const struct http_request *r,
		     void (*take)(void *arg, struct sv name, struct sv value), void *arg);

struct http_response {
	unsigned status;  /* 200 unless set */
	const char *type; /* application/json unless set */
	struct buf body;
	/* Set for a body that is produced piece by piece instead of `body`: writes at most n bytes
	 * and returns how many; 0: none yet, call again after http_wake; -1: the end. `closed` is
	 * called once, whatever happened. */
	ptrdiff_t (*stream)(void *state, char *out, size_t n);
	void (*closed)(void *state);
	void *state;
	struct http_header_list *_headers;
};

/* A header that is set twice is sent twice, newest first. */
void http_set_header(struct http_response *r, const char *name, const char *value);
/* Fills the response with {"error":{"code":code,"message":…}}. */
void http_error(struct http_response *r, unsigned status, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

typedef void http_handler(void *context, const struct http_request *request,
			  struct http_response *response);

struct http_route {
	const char *method;
	const char *pattern;
	enum http_role role;
	http_handler *handler;
	void *context;
	size_t max_body; /* bytes; 0: the route takes none */
	/* Called when the headers are there and before the body is taken, with the same context:
	 * where it sets a status of 400 or more that is the answer. NULL: the body is taken from
	 * everyone. */
	http_handler *admit;
};

struct http_options {
	struct addr ip;
	uint16_t port; /* 0: the system chooses */
	/* a socket's path instead of ip and port; made anew, mode 0660 */
	const char *unix_path;
	const char *certificate, *key;	 /* PEM files, or NULL */
	const struct http_route *routes; /* copied */
	size_t n_routes;
	/* Says who asks; needed where a route wants a role. NULL: everyone is HTTP_ANYONE. True
	 * with role HTTP_ANYONE: nobody known (401 where a role is wanted). */
	void (*authenticate)(void *context, struct http_request *request);
	void *context;
	unsigned threads;	  /* 0: 4 */
	unsigned max_connections; /* 0: 1024 */
	unsigned max_per_address; /* 0: no limit but max_connections */
	unsigned timeout;	  /* seconds a connection may be quiet; 0: 30 */
	size_t max_bodies;	  /* bytes of all bodies held at once; 0: 256 MiB */
	bool strict_transport;	  /* tell browsers to come by HTTPS only */
};

struct http_stats {
	uint64_t requests;
	uint64_t by_class[6];	      /* [2]: 2xx …; [0]: ended without an answer */
	uint64_t bytes_in, bytes_out; /* bodies */
	uint64_t unauthorised;	      /* 401 and 403 */
	uint64_t refused;	      /* 413, 429 and 503 */
	unsigned connections;	      /* now */
};

struct http_server;

struct http_server *http_start(const struct http_options *options, struct error *err);
/* Waits for running handlers. */
void http_stop(struct http_server *s);
uint16_t http_port(const struct http_server *s);
/* Asks streams that had nothing to say once more. Any thread. */
void http_wake(struct http_server *s);
void http_stats(struct http_server *s, struct http_stats *out);
/* What a table's route answers, without server and connection: target is path and query. Fills the
 * response, which http_response_free empties. */
void http_local(const struct http_route *routes, size_t n, const struct http_request *as,
		const char *target, struct http_response *response);
void http_response_init(struct http_response *r);
void http_response_free(struct http_response *r);
/* Requests a route has answered, by the table's order; for access counters. */
uint64_t http_route_requests(struct http_server *s, size_t route);

#endif
