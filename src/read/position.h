/* Reading back the position texts that this folder writes: JSON, but of one fixed shape each.
 *
 * The texts come from our own database, so anything unexpected means that they are not ours; there
 * is no need for a reader of all JSON. A cursor goes over the text; once something did not fit it
 * is `failed` and everything further fails.
 */
#ifndef PINWATCH_READ_POSITION_H
#define PINWATCH_READ_POSITION_H

#include "base/error.h"
#include "base/sv.h"

struct position_cursor {
	struct sv rest;
	bool failed;
};

/* Passes over exactly this text. False, and nothing passed over, where something else stands there;
 * position_need also fails the cursor. */
bool position_is(struct position_cursor *c, const char *text);
bool position_need(struct position_cursor *c, const char *text);
/* A decimal number; or hexadecimal digits in quotes. 0 and failed where there is none. */
uint64_t position_number(struct position_cursor *c);
uint64_t position_hex(struct position_cursor *c);
/* True where all was as expected, to the end; else *err says so. what: `tail`, `spool`, … */
bool position_done(const struct position_cursor *c, const char *what, struct error *err);

#endif
