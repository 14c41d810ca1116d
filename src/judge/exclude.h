/* What a phone without the inspection root or a fault of the gateway explains is taken out before
 * anything is scored, and becomes a finding of its own. docs/evidence.md, 6.
 */
#ifndef PINWATCH_JUDGE_EXCLUDE_H
#define PINWATCH_JUDGE_EXCLUDE_H

#include "judge/allow.h"

struct untrusting_device {
	uint32_t device;
	int64_t first, last; /* its first and last explained failure */
	uint32_t failures;   /* sum of counts */
};

struct fault_span {
	int64_t from, to;    /* [from, to) */
	int64_t first, last; /* first and last excluded attempt; first > last: nothing excluded */
};

struct exclusion {
	struct untrusting_device *devices; /* by device number */
	size_t n_devices;
	struct fault_span *spans; /* by time */
	size_t n_spans;
	bool *pool; /* by fact: counts here at all (not Apple, allow-listed, policy-bypassed) */
};

/* Marks facts as excluded. */
void exclude_build(struct exclusion *x, struct facts *f, const struct context *c,
		   const struct allow *allow);
void exclude_free(struct exclusion *x);

#endif
