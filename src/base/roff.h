/* Text for a manual page. */
#ifndef PINWATCH_BASE_ROFF_H
#define PINWATCH_BASE_ROFF_H

#include "base/buf.h"

/* Appends text as roff(7) shows it unchanged: a dot or apostrophe at a line's start is no request,
 * a backslash no escape, and a hyphen no typographic one. */
void roff_text(struct buf *out, struct sv text);

#endif
