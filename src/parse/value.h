/* A small document tree: what a property list (or any other nested document) says.
 *
 * Trees are built by a decoder in the caller's arena and are read-only from then on. Strings are
 * NUL-terminated behind their last byte when the decoder copied them; do not rely on it, use the
 * view. A binary property list may share one subtree under several parents.
 */
#ifndef PINWATCH_PARSE_VALUE_H
#define PINWATCH_PARSE_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/sv.h"

/* Bounds that every decoder of trees keeps. A container at the root has depth 1. */
#define VALUE_MAX_DEPTH 64
#define VALUE_MAX_NODES 1000000u
/* Bytes of one document as it stands in the input. */
#define VALUE_MAX_BYTES (64u * 1024u * 1024u)

enum value_type {
	VALUE_NULL,
	VALUE_BOOL,
	VALUE_INT,
	VALUE_REAL,
	VALUE_STRING,
	VALUE_DATA, /* bytes, decoded */
	VALUE_DATE,
	VALUE_ARRAY,
	VALUE_OBJECT,
};

struct value_member;

struct value {
	enum value_type type;
	union {
		bool boolean;
		int64_t integer;
		double real;
		struct sv text; /* VALUE_STRING, VALUE_DATA */
		struct instant date;
		struct {
			const struct value *items;
			size_t n;
		} array;
		struct {
			const struct value_member *members; /* in document order */
			size_t n;
		} object;
	};
};

struct value_member {
	struct sv key;
	struct value value;
};

/* The member of that name (the first, where a document repeats it). NULL when there is none, when
 * `object` is not a VALUE_OBJECT, or when it is NULL: lookups can be chained. */
const struct value *value_member(const struct value *object, struct sv key);
/* Follows a path of member names and 0-based array positions separated by dots:
 * `CheckinDetails.Devices.0.UDID`. Names that hold dots themselves (bundle ids) are found as well:
 * where a shorter name leads nowhere, longer ones are tried. The empty path is `v` itself. NULL
 * when there is nothing there. Paths are trusted (they come from format files). */
const struct value *value_path(const struct value *v, struct sv path);

#endif
