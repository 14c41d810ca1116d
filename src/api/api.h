/* The API: what people and programs do with pinwatch, under /api/v1. docs/openapi.yaml describes
 * it.
 *
 * One set of handlers serves three doors: HTTP(S) at serve.listen, `api.sock` in the state folder
 * (whoever may open it is admin), and api_call, which the command line uses on a database where no
 * daemon runs.
 *
 * How handlers read and write: they run on the server's threads and never touch the daemon. To
 * read, a handler borrows a read-only store of its own between api_read and api_read_end. To write
 * it has the one writing store between api_write and api_write_end: locked, in a transaction, which
 * api_write_end commits; only then is the person told. Each change has its audit row (audit.h) and,
 * where others should hear of it, a row of changes_write in the same transaction. Both fill the
 * response with 503 where the disk refuses. What the daemon has to do about it, it is told by
 * api_tell once the transaction is committed; its thread asks api_told. What only the daemon knows
 * it publishes, once a second, as JSON texts (api_publish), which handlers copy with api_published.
 */
#ifndef PINWATCH_API_API_H
#define PINWATCH_API_API_H

#include "http/http.h"
#include "parse/value.h"
#include "store/audit.h"
#include "store/store.h"

#define API_PREFIX "/api/v1"
#define API_MAX_ROUTES 64
#define API_MAX_BODY ((size_t)64 * 1024)

struct api;

/* database: pinwatch.db, which must be of the present version. */
struct api *api_open(const char *database, struct error *err);
void api_close(struct api *a);
/* All routes under /api/v1 but ingest's. Returns how many, at most API_MAX_ROUTES. */
size_t api_routes(struct api *a, struct http_route out[API_MAX_ROUTES]);

/* ---- for handlers: any thread */

/* NULL: the response says why. */
struct store *api_read(struct api *a, struct http_response *r);
void api_read_end(struct api *a, struct store *s);
/* Locks and begins; NULL: the response says why. */
struct store *api_write(struct api *a, struct http_response *r);
/* ok: commits, else rolls back. False: nothing was kept, and the response says so. */
bool api_write_end(struct api *a, struct store *s, bool ok, struct http_response *r);
/* Something of the store refused: 503 where the response is no error yet. */
void api_refused(struct http_response *r, const struct error *err);

/* Whoever asks, for the audit. Views live as long as the request. */
struct audit_who api_who(const struct http_request *q);

/* A member of a request's body. A body is one JSON object; unknown members, wrong types and lengths
 * are 400. */
enum api_type { API_TEXT, API_INTEGER, API_BOOLEAN, API_TEXTS };
struct api_field {
	const char *name;
	enum api_type type;
	bool required, nullable;
	int64_t min, max; /* bytes of a text, of each of texts; value of an integer */
	/* a text is one of these, separated by spaces; NULL: any without control characters */
	const char *words;
	bool lines; /* line breaks and tabs may be in it */
};
/* out[i]: the member of fields[i], NULL where it is not there or null. False: the response says
 * what is wrong. An empty body is an empty object. */
bool api_body(const struct http_request *q, const struct api_field *fields, size_t n,
	      const struct value **out, struct http_response *r);
/* The text of a member, empty where there is none. */
struct sv api_text(const struct value *v);

/* A query parameter under the same rules; false and 400 where it breaks them. *out has p NULL where
 * it is not there. */
bool api_query(const struct http_request *q, const struct api_field *field, struct sv *out,
	       struct http_response *r);
/* 400 where the query holds any other parameter than these, or one twice. */
bool api_only(const struct http_request *q, const struct api_field *fields, size_t n,
	      struct http_response *r);

/* ---- what others have to do about it */

enum api_news {
	API_NEWS_CHANGES = 1, /* there are new rows of changes_write: listeners are woken */
	API_NEWS_ALLOW = 2,   /* the allow-list has changed: judge anew */
};
/* Any thread, after the commit. */
void api_tell(struct api *a, unsigned news);
/* What was told since the last call; the daemon's thread. */
unsigned api_told(struct api *a);
/* Becomes readable when something was told. */
int api_fd(const struct api *a);

/* ---- what the daemon alone knows, as JSON texts */
enum api_page { API_STATUS, API_SOURCES, API_SETTINGS, API_ANALYTIC, API_PAGES };
void api_publish(struct api *a, enum api_page page, struct sv json);
/* False where no daemon runs (503). */
bool api_published(struct api *a, enum api_page page, struct http_response *r);

/* ---- without a daemon, and for tests: the same handlers */
/* target: path and query; who: the actor, as admin, via `file`. Fills the response;
 * http_response_free it. */
void api_call(struct api *a, const char *method, const char *target, struct sv body,
	      const char *who, struct http_response *r);

#endif
