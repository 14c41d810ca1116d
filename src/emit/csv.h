/* Findings as CSV (RFC 4180) for spreadsheets: a header, then a row a finding.
 *
 * Text is quoted and made safe as for a terminal; where a spreadsheet would take it for a formula
 * it gets a leading apostrophe. Numbers are numbers: a negative score stays one. Lists in a cell
 * are joined with `; `. For exact values use JSON.
 */
#ifndef PINWATCH_EMIT_CSV_H
#define PINWATCH_EMIT_CSV_H

#include <stdio.h>

#include "base/error.h"

struct emit_input;

/* An emitter: see emit.h. */
bool csv_write(FILE *out, const struct emit_input *in, struct error *err);

#endif
