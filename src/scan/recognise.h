/* Which format an input is in, and why; for parse and formats. */
#ifndef PINWATCH_SCAN_RECOGNISE_H
#define PINWATCH_SCAN_RECOGNISE_H

#include <stdbool.h>

#include "base/error.h"
#include "parse/parser.h"
#include "read/reader.h"

/* Bytes by which an input is told. */
#define RECOGNISE_BYTES ((size_t)64 * 1024)
/* Formats named where none matches. */
#define RECOGNISE_NEAREST 3

/* The first bytes of what the reader is about to give: RECOGNISE_BYTES, or as many as the first
 * line has. */
struct sv recognise_head(struct reader *r);
/* The best match for what the reader is about to give, or NULL and ERROR_UNRECOGNISED: its first
 * line, the nearest formats and the field at which each failed. */
const struct format *recognise(const struct format_set *set, struct reader *r, const char *path,
			       struct format_match *match, struct error *err);
/* How to read this input in a format that was named: as detection would where it agrees, else as
 * the format usually comes. */
enum framing recognise_framing(const struct format_set *set, struct reader *r,
			       const struct format *f);
/* Logs of a known kind that say nothing of use: ERROR_UNRECOGNISED with what to configure
 * instead. */
bool recognise_usable(const struct format *f, const char *path, struct error *err);
/* By name, or NULL and ERROR_USAGE with the nearest name. */
const struct format *recognise_name(const struct format_set *set, const char *name,
				    struct error *err);

#endif
