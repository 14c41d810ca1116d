/* Which app an attempt belongs to, by the six steps of docs/evidence.md, 3.6, and its version, 3.7. */
#ifndef PINWATCH_CORRELATE_ATTRIBUTE_H
#define PINWATCH_CORRELATE_ATTRIBUTE_H

#include "correlate/facts.h"

void attribute_facts(struct facts *f, const struct context *c);

#endif
