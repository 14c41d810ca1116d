/* The score taken apart: a table whose bars, row under row, make a waterfall from the prior to the
 * score.
 *
 * The table carries the numbers, so that it can be read aloud, copied and printed; the bars are
 * inline SVG that stretches with its cell.
 */
#ifndef PINWATCH_EMIT_SVG_WATERFALL_H
#define PINWATCH_EMIT_SVG_WATERFALL_H

#include "base/buf.h"
#include "model/finding.h"

void svg_waterfall(struct buf *out, const struct finding *f);

#endif
