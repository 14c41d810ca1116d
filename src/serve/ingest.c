#include "serve/ingest.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "read/spool.h"
#include "serve/ingest_body.h"

#define MAX_BODY ((size_t)16 << 20)
#define MAX_UNPACKED ((size_t)128 << 20)
#define RETRY_AFTER 5
#define SIGNATURE_HEADER "X-Hmac-Signature"

struct target {
	struct sv name;
	struct spool *spool;
	struct token_hash token;
	bool has_token;
	struct sv secret;
	const char *header; /* of the signature */
	enum hmac_algorithm algorithm;
	enum hmac_encoding encoding;
	bool json;
	struct ingest_stats stats; /* with the ingest's lock */
};

struct ingest {
	struct target *targets;
	size_t n;
	size_t max_body, max_unpacked, max_record;
	unsigned retry_after;
	pthread_mutex_t lock;
	struct arena arena;
};

static void keep(struct ingest *in, struct target *t, const struct ingest_source *s)
{
	struct sv header = s->signature_header.n > 0 ? s->signature_header : SV(SIGNATURE_HEADER);

	*t = (struct target){
		.name = arena_sv(&in->arena, s->name),
		.spool = s->spool,
		.has_token = s->token.n > 0,
		.token = token_hash(s->token),
		.secret = arena_sv(&in->arena, s->secret),
		.header = arena_sv(&in->arena, header).p,
		.algorithm = s->algorithm,
		.encoding = s->encoding,
		.json = s->json,
	};
}

static struct target *find(const struct ingest *in, struct sv name)
{
	for (size_t i = 0; i < in->n; i++)
		if (sv_eq(in->targets[i].name, name))
			return &in->targets[i];
	return NULL;
}

struct ingest *ingest_new(const struct ingest_options *options, struct error *err)
{
	struct ingest *in = xcalloc(1, sizeof(*in));

	pthread_mutex_init(&in->lock, NULL);
	in->max_body = options->max_body > 0 ? options->max_body : MAX_BODY;
	in->max_unpacked = options->max_unpacked > 0 ? options->max_unpacked : MAX_UNPACKED;
	in->max_record = options->max_record > 0 ? options->max_record : READER_MAX_RECORD;
	in->retry_after = options->retry_after > 0 ? options->retry_after : RETRY_AFTER;
	in->targets = arena_alloc(&in->arena, (options->n_sources + 1) * sizeof(*in->targets));
	for (size_t i = 0; i < options->n_sources; i++) {
		const struct ingest_source *s = &options->sources[i];
		bool known = find(in, s->name) != NULL;
		if (known || (s->token.n == 0 && s->secret.n == 0)) {
			error_set(
			    err, ERROR_CONFIG, 0,
			    known ? "source `%.*s`: two sources of this name take pushed records"
				  : "source `%.*s`: takes pushed records from everyone: give "
				    "it a token_file or a secret_file",
			    SV_ARG(s->name));
			ingest_free(in);
			return NULL;
		}
		keep(in, &in->targets[in->n++], s);
	}
	return in;
}

void ingest_free(struct ingest *in)
{
	if (in == NULL)
		return;
	for (size_t i = 0; i < in->n; i++) /* secrets need not outlive us in memory */
		explicit_bzero((void *)(uintptr_t)in->targets[i].secret.p, in->targets[i].secret.n);
	arena_free(&in->arena);
	pthread_mutex_destroy(&in->lock);
	free(in);
}

bool ingest_stats(struct ingest *in, struct sv source, struct ingest_stats *out)
{
	struct target *t = find(in, source);

	if (t == NULL)
		return false;
	pthread_mutex_lock(&in->lock);
	*out = t->stats;
	pthread_mutex_unlock(&in->lock);
	return true;
}

static void count(struct ingest *in, uint64_t *counter)
{
	pthread_mutex_lock(&in->lock);
	++*counter;
	pthread_mutex_unlock(&in->lock);
}

static void refuse(struct ingest *in, struct target *t, struct http_response *r, unsigned status,
		   const char *code, const char *message)
{
	http_error(r, status, code, "%s", message);
	if (status == 401)
		http_set_header(r, "WWW-Authenticate", "Bearer realm=\"pinwatch\"");
	count(in, status == 401 || status == 403 ? &t->stats.unauthorised : &t->stats.rejected);
}

/* True where the token is another source's: the sender is known, but has the wrong address. */
static bool is_anothers(const struct ingest *in, const struct target *t, struct sv token)
{
	bool found = false;

	for (size_t i = 0; i < in->n; i++)
		if (&in->targets[i] != t && in->targets[i].has_token)
			found |= token_matches(&in->targets[i].token, token);
	return found;
}

static void unknown_source(struct http_response *r)
{
	http_error(r, 404, "no_such_source", "no source of this name takes pushed records");
}

/* What the headers say already. */
static void admit(void *context, const struct http_request *q, struct http_response *r)
{
	struct ingest *in = context;
	struct target *t = find(in, q->params[0]);
	struct sv token = token_bearer(http_header(q, "Authorization"));
	char message[256];

	if (t == NULL) {
		unknown_source(r);
		return;
	}
	count(in, &t->stats.requests);
	if (t->has_token && !token_matches(&t->token, token)) {
		if (is_anothers(in, t, token))
			refuse(in, t, r, 403, "forbidden", "this token is another source's");
		else
			refuse(in, t, r, 401, "unauthorized",
			       "this source wants its token: Authorization: Bearer TOKEN");
		return;
	}
	if (t->secret.n > 0 && http_header(q, t->header).n == 0) {
		snprintf(message, sizeof(message), "this source wants signed bodies: %.100s: HMAC",
			 t->header);
		refuse(in, t, r, 401, "unsigned", message);
		return;
	}
	if (ingest_type_of(http_header(q, "Content-Type")) == INGEST_UNKNOWN) {
		refuse(
		    in, t, r, 415, "unsupported_media_type",
		    "expected Content-Type application/json, application/x-ndjson or text/plain");
		return;
	}
	if (ingest_packing_of(http_header(q, "Content-Encoding")) == INGEST_OTHER) {
		refuse(in, t, r, 415, "unsupported_encoding",
		       "expected Content-Encoding gzip, zstd or none");
		http_set_header(r, "Accept-Encoding", "gzip, zstd");
		return;
	}
	if (spool_full(t->spool, q->now)) {
		http_error(r, 429, "full", "the source's spool is full: try again later");
		snprintf(message, sizeof(message), "%u", in->retry_after);
		http_set_header(r, "Retry-After", message);
		count(in, &t->stats.full);
	}
}

static void accepted(struct ingest *in, struct target *t, const struct ingest_records *records,
		     bool known, struct http_response *r)
{
	buf_printf(&r->body, "{\"accepted\":%zu%s}\n", known ? 0 : records->n,
		   known ? ",\"known\":true" : "");
	pthread_mutex_lock(&in->lock);
	t->stats.known += known;
	t->stats.records += known ? 0 : records->n;
	t->stats.bytes += known ? 0 : records->bytes;
	pthread_mutex_unlock(&in->lock);
}

/* Into the spool, and only then an answer. */
static void store(struct ingest *in, struct target *t, const struct http_request *q,
		  const struct ingest_records *records, struct http_response *r)
{
	struct error err = { 0 };
	char seconds[16];
	uint64_t ticket;
	enum spool_result result =
	    spool_append_batch(t->spool, records->items, records->n,
			       http_header(q, "Idempotency-Key"), q->now, &ticket, &err);

	snprintf(seconds, sizeof(seconds), "%u", in->retry_after);
	if ((result == SPOOL_DONE || result == SPOOL_KNOWN) && !spool_sync(t->spool, ticket, &err))
		result = SPOOL_ERROR;
	switch (result) {
	case SPOOL_DONE:
	case SPOOL_KNOWN:
		accepted(in, t, records, result == SPOOL_KNOWN, r);
		return;
	case SPOOL_FULL:
		http_error(r, 429, "full", "the source's spool is full: try again later");
		http_set_header(r, "Retry-After", seconds);
		count(in, &t->stats.full);
		return;
	case SPOOL_TOO_LONG:
		refuse(in, t, r, 413, "too_large",
		       "more records than the source's spool takes at once");
		return;
	case SPOOL_ERROR:
	default:
		/* The disk's own words are for the operator, not for whoever sends. */
		http_error(r, 503, "disk", "the records cannot be stored now: try again later");
		http_set_header(r, "Retry-After", seconds);
	}
}

static void push(void *context, const struct http_request *q, struct http_response *r)
{
	struct ingest *in = context;
	struct target *t = find(in, q->params[0]);
	enum ingest_packing packing = ingest_packing_of(http_header(q, "Content-Encoding"));
	struct ingest_records records = { 0 };
	struct json_checker *checker;
	struct error err = { 0 };
	struct sv body = q->body;
	struct buf unpacked;

	if (t == NULL) {
		unknown_source(r);
		return;
	}
	buf_init(&unpacked, in->max_unpacked);
	if (t->secret.n > 0 && !hmac_matches(t->algorithm, t->encoding, t->secret, q->body,
					     http_header(q, t->header))) {
		refuse(in, t, r, 401, "wrong_signature", "the signature is not that of the body");
		return;
	}
	checker = json_checker_new();
	if (packing != INGEST_PLAIN) {
		if (!ingest_unpack(body, packing, in->max_unpacked, &unpacked, &err)) {
			refuse(in, t, r, err.code == ERROR_LIMIT ? 413 : 400,
			       err.code == ERROR_LIMIT ? "too_large" : "bad_encoding", err.message);
			goto done;
		}
		body = buf_view(&unpacked);
	}
	if (ingest_split(body, ingest_type_of(http_header(q, "Content-Type")), t->json,
			 in->max_record, checker, &records, &err))
		store(in, t, q, &records, r);
	else
		refuse(in, t, r, err.code == ERROR_LIMIT ? 413 : 400,
		       err.code == ERROR_LIMIT ? "too_large" : "bad_record", err.message);
done:
	free(records.items);
	json_checker_free(checker);
	buf_free(&unpacked);
}

struct http_route ingest_route(struct ingest *in)
{
	return (struct http_route){ .method = "POST",
				    .pattern = "/api/v1/ingest/{source}",
				    .role = HTTP_ANYONE,
				    .handler = push,
				    .context = in,
				    .max_body = in->max_body,
				    .admit = admit };
}
