/* JSON writer: appends one compact document to a buf. RFC 8259.
 *
 * Keeps track of commas and nesting. Strings may hold any bytes: control characters, quotes and
 * backslashes are escaped, each byte that is not part of valid UTF-8 becomes U+FFFD, and so do not
 * break the document. Keys passed as C strings are trusted literals.
 */
#ifndef PINWATCH_BASE_JSONW_H
#define PINWATCH_BASE_JSONW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/utf8.h"

struct jsonw {
	struct buf *b;
	bool _comma;
};

static inline struct jsonw jsonw_on(struct buf *b) { return (struct jsonw){ b, false }; }
void jsonw_key(struct jsonw *w, const char *key);
void jsonw_key_sv(struct jsonw *w, struct sv key);
void jsonw_open(struct jsonw *w, char bracket);	 /* '{' or '[' */
void jsonw_close(struct jsonw *w, char bracket); /* '}' or ']' */
void jsonw_sv(struct jsonw *w, struct sv v);
void jsonw_str(struct jsonw *w, const char *s); /* NULL writes null */
void jsonw_int(struct jsonw *w, int64_t n);
void jsonw_fixed2(struct jsonw *w, int64_t hundredths); /* -1600 → -16.0, 2136 → 21.36 */
void jsonw_bool(struct jsonw *w, bool v);
void jsonw_null(struct jsonw *w);
void jsonw_instant(struct jsonw *w, struct instant t); /* null when unknown */
/* A member: key and value. */
void jsonw_key_int(struct jsonw *w, const char *key, int64_t n);
void jsonw_key_count(struct jsonw *w, const char *key, uint64_t n);
void jsonw_key_bool(struct jsonw *w, const char *key, bool v);
void jsonw_key_str(struct jsonw *w, const char *key, const char *s);
void jsonw_key_text(struct jsonw *w, const char *key, struct sv v);
void jsonw_key_said(struct jsonw *w, const char *key, struct sv v); /* null where p is NULL */
void jsonw_key_full(struct jsonw *w, const char *key, struct sv v); /* null where empty: not said */
void jsonw_key_time(struct jsonw *w, const char *key, struct instant t);
/* Bytes that are JSON already. */
void jsonw_raw(struct jsonw *w, struct sv json);

#endif
