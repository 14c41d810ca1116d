/* The memo: what was judged before, so that a judgement that follows another judges only what
 * stands on something new.
 *
 * Judging is a pure function, so a finding whose inputs are those of an earlier judgement is what
 * it was then. The memo keeps for each finding a hash of all that its judgement reads (footing.h),
 * and of what came out only what whoever follows findings asks of each of them; the rest is judged
 * again for who wants it (judge_fill). Attempts that a record has joined are named by
 * attempts_note; what depends on them is judged again without asking for a hash. Sequential but for
 * memo_entry's fields: a finding is judged by one thread.
 */
#ifndef PINWATCH_JUDGE_MEMO_H
#define PINWATCH_JUDGE_MEMO_H

#include "judge/docket.h"

struct memo_entry {
	uint64_t inputs[2];
	uint64_t since; /* number of the judgement that gave what stands here; 0: none yet */
	struct docket_entry docket; /* of the newest judgement */
	int64_t first_seen, last_seen;
	struct addr *servers; /* owned; of confirmed and suspected ones */
	uint32_t n_servers;
	bool more_servers;
	uint8_t verdict, without_lists;
	char uid[37];
};

struct memo {
	struct memo_entry *list;
	uint32_t n, _capacity;
	struct keymap _numbers; /* by app, host and port */
	uint64_t judgements; /* so many, over all that this memo was cleared of: `since` never comes
				twice */
	bool *changed;	     /* by attempt: since the last judgement */
	uint32_t n_changed;
};

void memo_init(struct memo *m, uint64_t judgements, uint64_t seed);
void memo_free(struct memo *m);
/* Everything is judged again: numbers mean something else, or the rules are others. */
void memo_clear(struct memo *m);
/* A judgement begins: which attempts have changed is taken over. */
void memo_begin(struct memo *m, struct attempts *t);
/* The docket's findings, by number: which entries are theirs. Made where there are none. The caller
 * frees it. */
uint32_t *memo_find(struct memo *m, const struct docket *d, const struct facts *f,
		    const struct names *names);
static inline bool memo_changed(const struct memo *m, uint32_t attempt)
{
	return attempt >= m->n_changed || m->changed[attempt];
}
/* Bytes; servers beside, a few of shown findings. */
size_t memo_footprint(const struct memo *m);

#endif
