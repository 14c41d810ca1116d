/* Errors are returned, not printed: the caller passes a `struct error *` (never NULL), the callee
 * fills it and returns false. Only cli/ and serve/ turn one into words for a person.
 *
 * A message says where, what was expected and what to do; `position` is the 1-based line or the
 * 0-based byte offset that the message talks about, 0 where neither applies.
 */
#ifndef PINWATCH_BASE_ERROR_H
#define PINWATCH_BASE_ERROR_H

#include <stdbool.h>
#include <stddef.h>

enum error_code {
	ERROR_NONE = 0,
	ERROR_USAGE,	    /* command line */
	ERROR_CONFIG,	    /* configuration, list or format file */
	ERROR_IO,	    /* the operating system said no */
	ERROR_FORMAT,	    /* bytes that are not what they claim to be */
	ERROR_UNRECOGNISED, /* no known format */
	ERROR_LIMIT,	    /* a stated bound was reached */
};

struct error {
	enum error_code code;
	size_t position;
	char message[1024];
};

/* Fills *e (cut at the buffer's end) and returns false, so that `return error_set(…)` reads
 * well. */
bool error_set(struct error *e, enum error_code code, size_t position, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* Puts "PREFIX: " before the message, to add the file as the error travels up. */
void error_prefix(struct error *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
