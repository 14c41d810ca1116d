/* Inspection state of attempts whose records do not say it. docs/evidence.md, 3.8. */
#ifndef PINWATCH_CORRELATE_STATE_H
#define PINWATCH_CORRELATE_STATE_H

#include "correlate/facts.h"

void infer_states(struct facts *f, const struct context *c);

#endif
