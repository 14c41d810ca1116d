/* Shared by the two halves of exclusion: phones (exclude_device.c) and the gateway
 * (exclude_gateway.c). */
#ifndef PINWATCH_JUDGE_EXCLUDE_INTERNAL_H
#define PINWATCH_JUDGE_EXCLUDE_INTERNAL_H

#include "judge/exclude.h"

struct spans {
	struct fault_span *list;
	size_t n, capacity;
};

void spans_add(struct spans *s, int64_t from, int64_t to);
/* Sorts, and joins what overlaps or touches. */
void spans_merge(struct spans *s);

/* Rules 6.1 and 6.2: marks what a missing root explains; adds the hours in which the issuer
 * changed. */
void exclude_untrusting(struct facts *f, const struct context *c, const bool *pool,
			struct spans *spans);
/* Rule 6.3: adds the spans in which nearly everything fails. */
void exclude_faults(const struct facts *f, const struct context *c, const bool *pool,
		    struct spans *spans);

#endif
