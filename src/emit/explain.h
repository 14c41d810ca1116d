/* One finding on a page, in plain words: the verdict, and everything that led to it, taken apart.
 *
 * Writes into a buffer; the caller sets its maximum. Evidence records are read again from the files
 * they came from, as far as those still hold such a line, and shown bounded and made safe.
 */
#ifndef PINWATCH_EMIT_EXPLAIN_H
#define PINWATCH_EMIT_EXPLAIN_H

#include "base/arena.h"
#include "base/buf.h"
#include "emit/text.h"
#include "model/finding.h"
#include "model/settings.h"

struct explain_options {
	struct text_style style;
	const struct settings *settings;
	bool raw_lines;	     /* read the evidence's files again */
	size_t max_evidence; /* records shown; 0: all */
};

/* Characters of a raw line that are shown. */
#define EXPLAIN_RAW_MAX_CHARS 400
#define EXPLAIN_MAX_BYTES ((size_t)16 * 1024 * 1024)

void explain_finding(struct buf *out, const struct finding *f,
		     const struct explain_options *options);
/* The records behind the finding: source, file and line, time, what, and the raw line. */
void explain_evidence(struct buf *out, const struct finding *f,
		      const struct explain_options *options);
/* Reads records again: raws[i] becomes the raw line of records[i], cut to as many bytes as
 * EXPLAIN_RAW_MAX_CHARS characters may take, in the arena and still hostile; empty where the file
 * no longer holds it. Each file is read once, however many records it has. */
void explain_raw_lines(const struct evidence *const *records, size_t n, struct arena *a,
		       struct sv *raws);

#endif
