/* A backtest's result for people and programs: table, JSON and a chart.
 *
 * JSON is docs/openapi.yaml's `Backtest`; the command line and the API give the same. The chart is
 * one SVG that needs nothing around it, light or dark as its reader likes.
 */
#ifndef PINWATCH_EMIT_BACKTEST_H
#define PINWATCH_EMIT_BACKTEST_H

#include "base/buf.h"
#include "emit/text.h"
#include "model/backtest.h"

/* Bytes of a result, written; past it the buffer is overflowed. */
#define BACKTEST_MAX_BYTES ((size_t)256 * 1024 * 1024)

/* Without all, a setting's longest lists end with how many changes more there are. */
void backtest_table(struct buf *out, const struct backtest *b, const struct text_style *style);
void backtest_json(struct buf *out, const struct backtest *b);
void backtest_svg(struct buf *out, const struct backtest *b);

#endif
