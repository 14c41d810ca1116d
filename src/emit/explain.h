/* One finding on a page, in plain words: the verdict, and everything that led to it, taken apart.
 *
 * Writes into a buffer; the caller sets its maximum. Evidence records are read again from the files
 * they came from, as far as those still hold such a line, and shown bounded and made safe.
 */
#ifndef PINWATCH_EMIT_EXPLAIN_H
#define PINWATCH_EMIT_EXPLAIN_H

#include "base/buf.h"
#include "emit/text.h"
#include "model/finding.h"
#include "model/settings.h"

struct explain_options {
	struct text_style style;
	const struct settings *settings;
	bool raw_lines;      /* read the evidence's files again */
	size_t max_evidence; /* records shown; 0: all */
};

#define EXPLAIN_MAX_BYTES ((size_t)16 * 1024 * 1024)

void explain_finding(struct buf *out, const struct finding *f,
		     const struct explain_options *options);
/* The records behind the finding: source, file and line, time, what, and the raw line. */
void explain_evidence(struct buf *out, const struct finding *f,
		      const struct explain_options *options);

#endif
