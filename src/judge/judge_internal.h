/* What a judgement of all findings is made of: one finding after the other, by several workers. */
#ifndef PINWATCH_JUDGE_JUDGE_INTERNAL_H
#define PINWATCH_JUDGE_JUDGE_INTERNAL_H

#include "judge/judge.h"

/* Where one worker judges. */
struct desk {
	struct arena arena, scratch;
	struct findings findings;
	uint32_t *seen; /* by device, for footing_hash */
};

/* judge.c: one more, of this kind and nothing else. */
struct finding *new_finding(struct findings *out, enum finding_kind kind);
static inline bool is_shown(enum verdict v)
{
	return v == VERDICT_CONFIRMED || v == VERDICT_SUSPECTED;
}

/* sitting.c: *entry: the allow-list entry that covers all of its attempts, or NULL. */
struct sitting sitting_open(const struct bench *b, const struct docket_entry *e,
			    struct arena *arena, struct arena *scratch,
			    const struct allowance **entry);
/* verdict.c: judges every version; returns the one to report. */
struct version_case *judge_versions(const struct sitting *s, const struct allowance *entry);
/* fill.c: all that a finding says of the case. */
void fill_finding(const struct version_case *c, struct finding *out);
void fill_excluded(const struct fact **facts, size_t n, struct finding *out);
/* again.c: judges what stands on something new, in full what people are shown; the rest is an
 * outline. number: the memo's; round: see footing_hash. */
void judge_again(const struct bench *b, const struct docket_entry *e, uint32_t number,
		 uint32_t round, struct desk *d);
/* repair.c: phones without the root and faults of the gateway. */
void judge_repairs(const struct bench *b, struct arena *arena, struct findings *out);

#endif
