/* Baseline: which destinations, by registrable domain, an app is known for. docs/evidence.md,
 * 8.4. */
#ifndef PINWATCH_CORRELATE_BASELINE_H
#define PINWATCH_CORRELATE_BASELINE_H

#include "correlate/facts.h"

struct baseline {
	const struct facts *_facts;
	const struct context *_context;
	uint32_t *_domains; /* by destination */
	struct keymap _pairs;
	struct grouping _sightings; /* by (app, domain): facts, and behind them declared records */
	int64_t _fleet_since;
};

void baseline_build(struct baseline *b, const struct facts *f, const struct context *c);
void baseline_free(struct baseline *b);
/* Whether the fleet's history before t is too short to call anything off the baseline. */
bool baseline_learning(const struct baseline *b, int64_t t);
/* Whether the destination is on the app's baseline as of t. */
bool baseline_holds(const struct baseline *b, uint32_t app, uint32_t destination, int64_t t);

#endif
