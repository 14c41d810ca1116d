/* The account of a run, which closes every scan on standard error: what was read, what was not,
 * which of the analytic's four log sources were missing and what that capped.
 */
#ifndef PINWATCH_EMIT_FOOTER_H
#define PINWATCH_EMIT_FOOTER_H

#include "base/buf.h"
#include "emit/text.h"
#include "model/summary.h"

#define FOOTER_MAX_BYTES ((size_t)4 * 1024 * 1024)

/* verbose adds observations by kind, the files left alone and the counts of merging. */
void footer(struct buf *out, const struct run_summary *s, const struct text_style *style,
	    bool verbose);

#endif
