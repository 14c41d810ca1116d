/* Allow-lists: which attempts an entry of AllowedAppList or AllowedDestinationList covers.
 * docs/evidence.md, 8.6.
 */
#ifndef PINWATCH_JUDGE_ALLOW_H
#define PINWATCH_JUDGE_ALLOW_H

#include "correlate/facts.h"

struct allow {
	const struct context *_context;
	const struct facts *_facts;
	/* By finding: whether any entry could cover it, expiry and address left aside. */
	uint8_t *_possible;
};

void allow_build(struct allow *a, const struct facts *f, const struct context *c);
void allow_free(struct allow *a);
/* The first entry that covers the attempt, AllowedAppList before AllowedDestinationList; NULL if none. */
const struct allowance *allow_covering(const struct allow *a, const struct fact *x);

#endif
