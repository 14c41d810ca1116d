/* JSON in: the only door to simdjson, which is C++ and stays behind it.
 *
 * Two ways in. A scanner takes the fields a format names out of one flat record and touches nothing
 * else: no tree, no allocation but for strings with escapes. json_to_value builds the whole tree.
 * No exception crosses; running out of memory ends the program. A scanner belongs to one thread.
 */
#ifndef PINWATCH_PARSE_JSON_H
#define PINWATCH_PARSE_JSON_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/sv.h"
#include "parse/raw.h"
#include "parse/value.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A wanted field and the slot it fills. A dot leads into a nested object or belongs to the name:
 * `id.orig_h` finds {"id.orig_h":…} and {"id":{"orig_h":…}}. */
struct json_name {
	struct sv path;
	uint32_t slot;
};

struct json_scanner;

/* Names are copied. Several names may share a slot. */
struct json_scanner *json_scanner_new(const struct json_name *names, size_t n);
void json_scanner_free(struct json_scanner *s);

/* Reads one record, an object, into slots[] (all RAW_ABSENT before). The first of repeated keys
 * counts. Ends early once every name has been seen. READ_PADDING bytes behind the record must be
 * readable. False: err->position is the offset of the offending byte. */
bool json_scan(struct json_scanner *s, struct sv record, struct raw *slots, struct arena *scratch,
	       struct error *err);

/* What reading documents one after another needs, kept between them. One thread. */
struct json_reader;
struct json_reader *json_reader_new(void);
void json_reader_free(struct json_reader *r);
/* As json_to_value, with the reader's memory. */
bool json_read(struct json_reader *r, struct sv bytes, struct arena *a, struct value *out,
	       struct error *err);

/* Any JSON document as a tree of the arena, independent of `bytes` (which needs no padding).
 * Bounded by VALUE_MAX_DEPTH, VALUE_MAX_NODES and VALUE_MAX_BYTES. Integers beyond 64 bits become
 * reals. */
bool json_to_value(struct sv bytes, struct arena *a, struct value *out, struct error *err);

#ifdef __cplusplus
}
#endif
#endif
