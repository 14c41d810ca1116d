/* Judging: facts to findings, as docs/evidence.md has it. A pure function of what it is given. */
#ifndef PINWATCH_JUDGE_JUDGE_H
#define PINWATCH_JUDGE_JUDGE_H

#include "judge/case.h"

/* Findings are judged side by side; what comes out does not depend on how. */
struct findings {
	struct finding *list; /* by kind, host, port, app, device, first_seen */
	size_t n, _capacity;
};

/* all: observed, explained and expected findings too. Everything lands in the arena but the list
 * itself, which the caller frees. */
void judge_all(const struct bench *b, bool all, struct arena *arena, struct findings *out);
/* With a memo, judge_all gives all findings; of those that are as they were, and of those that
 * nobody is shown, only an outline: kind, uid, app, host, port, verdicts, first and last seen,
 * servers. This makes such a one whole, as judge_all without a memo gives it. Not while judge_all
 * runs; what b points at is as it was then. */
void judge_fill(const struct bench *b, struct arena *arena, struct finding *f);

#endif
