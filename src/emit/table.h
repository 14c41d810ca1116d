/* The ranked table of findings for people, and one line for each kind that is not about an app. */
#ifndef PINWATCH_EMIT_TABLE_H
#define PINWATCH_EMIT_TABLE_H

#include <stdio.h>

#include "base/error.h"

struct emit_input;

/* An emitter: see emit.h. */
bool table_write(FILE *out, const struct emit_input *in, struct error *err);

#endif
