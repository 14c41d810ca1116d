/* Allow-lists: which attempts an entry of AllowedAppList or AllowedDestinationList covers.
 * docs/evidence.md, 8.6.
 */
#ifndef PINWATCH_JUDGE_ALLOW_H
#define PINWATCH_JUDGE_ALLOW_H

#include "correlate/facts.h"

struct allow_rule;

struct allow {
	const struct context *_context;
	const struct facts *_facts;
	struct arena _arena;
	const struct allow_rule *_rules; /* by allowance, in the order of the settings */
	/* By finding: the entries that could cover it, expiry and server address left aside; those
	 * of AllowedAppList first. NULL where there are no entries. */
	const uint32_t *_from;
	uint32_t *_candidates;
};

void allow_build(struct allow *a, const struct facts *f, const struct context *c);
void allow_free(struct allow *a);
/* The first entry that covers the attempt, AllowedAppList before AllowedDestinationList; NULL if
 * none. */
const struct allowance *allow_covering(const struct allow *a, const struct fact *x);

/* What one entry covers of one finding. */
struct allow_covered {
	uint32_t allowance;	 /* by the order of the settings */
	char uid[37];		 /* of the finding */
	uint64_t attempts, only; /* by their counts; only: that no other entry covers */
	struct instant last;	 /* start of the newest */
};

struct allow_tally {
	const struct allow_covered *list; /* by finding, then entry */
	size_t n;
};

/* Counts what every entry covers, in the arena. */
void allow_count(const struct allow *a, struct arena *arena, struct allow_tally *out);

#endif
