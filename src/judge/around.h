/* What else happened around an attempt: the look to both sides that the controls
 * (docs/evidence.md, 5.3) and the path of opacity need, once for all attempts and in linear time,
 * left as marks on the facts.
 */
#ifndef PINWATCH_JUDGE_AROUND_H
#define PINWATCH_JUDGE_AROUND_H

#include "correlate/facts.h"

/* Facts are excluded by then. */
void around_mark(struct facts *f, const struct context *c);

#endif
