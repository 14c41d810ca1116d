/* A pushed body taken apart into records. */
#ifndef PINWATCH_SERVE_INGEST_BODY_H
#define PINWATCH_SERVE_INGEST_BODY_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "parse/json_check.h"

enum ingest_type { INGEST_LINES, INGEST_JSON_LINES, INGEST_JSON, INGEST_UNKNOWN };

/* What a Content-Type says; parameters are passed over. */
enum ingest_type ingest_type_of(struct sv content_type);

enum ingest_packing { INGEST_PLAIN, INGEST_GZIP, INGEST_ZSTD, INGEST_OTHER };
enum ingest_packing ingest_packing_of(struct sv content_encoding);
/* Unpacks at most `max` bytes into out, which this initialises (ERROR_LIMIT where there are
 * more). */
bool ingest_unpack(struct sv body, enum ingest_packing packing, size_t max, struct buf *out,
		   struct error *err);

struct ingest_records {
	struct sv *items; /* views into the body */
	size_t n, _capacity;
	size_t bytes;
};

/* checked: each line has to be a JSON object, too. err->position is the line, 1-based, where the
 * first bad record begins. The records' array has to be freed either way. */
bool ingest_split(struct sv body, enum ingest_type type, bool checked, size_t max_record,
		  struct json_checker *checker, struct ingest_records *out, struct error *err);

#endif
