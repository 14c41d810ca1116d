/* Which app an attempt belongs to, by the six steps of docs/evidence.md, 3.6, and its version,
 * 3.7. */
#ifndef PINWATCH_CORRELATE_ATTRIBUTE_H
#define PINWATCH_CORRELATE_ATTRIBUTE_H

#include "correlate/facts.h"

/* The app's name in a CFNetwork user agent (`My%20News/4.2 CFNetwork/1494.0.7 Darwin/23.4.0`),
 * percent-decoded and interned; 0 where it is none. */
uint32_t attribute_agent_name(struct names *names, uint32_t agent);
void attribute_facts(struct facts *f, const struct context *c);

#endif
