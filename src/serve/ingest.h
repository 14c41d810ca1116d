/* Pushed records over HTTP: `POST /api/v1/ingest/{source}`.
 *
 * What a body is, its Content-Type says: application/x-ndjson, application/jsonl and text/plain are
 * a record a line; application/json is one record, or, where it is an array, a record an element.
 * gzip and zstd by Content-Encoding, unpacked only so far as max_unpacked allows. JSON is checked
 * before anything is taken: a body is taken whole or not at all.
 *
 * 200 {"accepted":N} is sent only once the records are synced in the source's spool.
 * `Idempotency-Key` makes repeating safe: a body that came before is answered 200
 * {"accepted":0,"known":true}. 429 with Retry-After while the spool is full, 503 while the disk
 * fails.
 *
 * A source is open to whoever shows its token (`Authorization: Bearer …`) or signs the body with
 * its secret (an HMAC of the bytes as sent, in a header). Where it has both, both are needed.
 * Tokens and signatures are compared in constant time and only their hashes are kept.
 */
#ifndef PINWATCH_SERVE_INGEST_H
#define PINWATCH_SERVE_INGEST_H

#include "http/hmac.h"
#include "http/http.h"

struct spool;

struct ingest_source {
	struct sv name;
	struct spool *spool;
	struct sv token;	    /* empty: none */
	struct sv secret;	    /* empty: bodies are not signed */
	struct sv signature_header; /* empty: X-Hmac-Signature */
	enum hmac_algorithm algorithm;
	enum hmac_encoding encoding;
	bool json; /* its format is JSON: lines of text/plain are checked too */
};

struct ingest_options {
	const struct ingest_source *sources; /* copied; spools are borrowed */
	size_t n_sources;
	size_t max_body;      /* bytes as sent; 0: 16 MiB */
	size_t max_unpacked;  /* bytes; 0: 128 MiB */
	size_t max_record;    /* bytes; 0: READER_MAX_RECORD */
	unsigned retry_after; /* seconds; 0: 5 */
};

struct ingest_stats {
	uint64_t requests, records, bytes; /* bytes: unpacked, accepted */
	uint64_t rejected;		   /* 400, 413, 415: bodies */
	uint64_t unauthorised;
	uint64_t full;	/* 429 */
	uint64_t known; /* came again */
};

struct ingest;

/* NULL where a source has neither token nor secret, or a name twice. */
struct ingest *ingest_new(const struct ingest_options *options, struct error *err);
void ingest_free(struct ingest *in);
/* The route to put into the server's table. */
struct http_route ingest_route(struct ingest *in);
/* False where there is no such source. Any thread. */
bool ingest_stats(struct ingest *in, struct sv source, struct ingest_stats *out);

#endif
