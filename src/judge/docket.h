/* The findings that are to be judged, each with its newest attempt and what other apps did at its
 * destination around it, up to the score window before and after (for the rivals,
 * docs/evidence.md, 7.1).
 *
 * The window slides over a destination's attempts once for all its findings: a million apps at one
 * destination cost no more than a million at one each.
 */
#ifndef PINWATCH_JUDGE_DOCKET_H
#define PINWATCH_JUDGE_DOCKET_H

#include "judge/allow.h"

/* How many known apps but the finding's own, of which more than two do not matter. Excluded
 * attempts count nowhere. */
struct others {
	unsigned active : 2;  /* failed or were fine under inspection */
	unsigned failing : 2; /* failed under inspection */
	unsigned both : 2;    /* failed inspected and uninspected, upstream failures included */
	bool fine : 1;	      /* one was fine under inspection */
	bool prompt : 1;      /* one did otherwise than always end late */
};

struct docket_entry {
	int64_t newest; /* start of its newest attempt that no allow-list entry covers, or of its
			   newest */
	uint32_t finding, destination;
	struct others others;
};

struct docket {
	struct docket_entry *list; /* by destination, newest, finding */
	size_t n;
};

/* all: those too that can only be observed, explained or expected. Facts are excluded by then. */
void docket_build(struct docket *d, const struct facts *f, const struct context *c,
		  const struct allow *allow, bool all);
void docket_free(struct docket *d);

#endif
