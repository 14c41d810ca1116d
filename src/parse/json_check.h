/* Is it JSON at all? For what is stored as it came and read later. */
#ifndef PINWATCH_PARSE_JSON_CHECK_H
#define PINWATCH_PARSE_JSON_CHECK_H

#include <stdbool.h>

#include "base/error.h"
#include "base/sv.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Keeps its memory from one document to the next. Belongs to one thread. */
struct json_checker;

struct json_checker *json_checker_new(void);
void json_checker_free(struct json_checker *c);
/* True where the bytes are one JSON document (RFC 8259, UTF-8, depth at most VALUE_MAX_DEPTH), and,
 * where that is wanted, an object. *array says whether it is an array. *err: position is a byte
 * offset. */
bool json_check(struct json_checker *c, struct sv bytes, bool object, bool *array,
		struct error *err);

#ifdef __cplusplus
}
#endif

/* The next element of an array that json_check has found good. *rest: the array at first;
 * afterwards what follows. False: there is none left. */
bool json_next_element(struct sv *rest, struct sv *element);

#endif
