/* The evidence of a finding in four lanes over time, as inline SVG.
 *
 * Above, the whole span; below, the fullest TimeWindow and some time around it, with every record
 * as a mark that says what it is. One drawing is enough where the whole span is not much longer.
 */
#ifndef PINWATCH_EMIT_SVG_TIMELINE_H
#define PINWATCH_EMIT_SVG_TIMELINE_H

#include "emit/svg_marks.h"

/* A <figure> with the drawing, its caption and the legend of the marks in it; nothing without
 * records. */
void svg_timeline(struct buf *out, const struct finding *f, const struct svg_points *points);

#endif
