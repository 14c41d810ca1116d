/* What one judgement of the past changes against another: findings gained, lost and changed, each
 * with the reasons, found by taking both
 * apart. */
#ifndef PINWATCH_BACKTEST_DIFF_H
#define PINWATCH_BACKTEST_DIFF_H

#include "base/arena.h"
#include "model/backtest.h"

/* Findings of one judgement, in the order of judge_all. */
struct diff_side {
	const struct finding *const *by_uid; /* the same, sorted by uid */
	const struct finding *list;
	size_t n;
};

/* What a run without --all shows. */
bool diff_shows(const struct finding *f);
/* Sorts by uid; the caller frees the result. */
const struct finding **diff_sort(const struct finding *list, size_t n);
/* Fills changes, n_changes, left_out and by_change of *out. At most `max` changes are listed;
 * `all`: quiet ones, too. Everything lands in the arena. */
void diff_findings(const struct diff_side *before, const struct diff_side *after, bool all,
		   size_t max, struct arena *a, struct backtest_setting *out);

/* Reasons for one change; before or after may be NULL, not both. In the arena. */
const struct sv *reasons_find(const struct diff_side *before_all, const struct finding *before,
			      const struct diff_side *after_all, const struct finding *after,
			      size_t *n, struct arena *a);

#endif
