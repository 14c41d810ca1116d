/* While facts are built: what attempts of equal peers share, found once. */
#ifndef PINWATCH_CORRELATE_FACTS_INTERNAL_H
#define PINWATCH_CORRELATE_FACTS_INTERNAL_H

#include "correlate/facts.h"

struct facts_common {
	uint32_t destination; /* 0: not looked at yet */
	uint32_t stack;
	uint32_t device;     /* KEYMAP_NONE: depends on the time */
	uint32_t agent_name; /* of the app, by its user agent; 0: none */
	uint32_t finding;    /* of the last attempt; 0: none yet */
	bool stack_is_ja3, taught;
};

static inline struct facts_common *facts_common(const struct facts *f, const struct context *c,
						const struct fact *x)
{
	return &f->_common[c->merge->attempts.records[x->attempt].peers];
}

/* Fetches what the attempt of the fact a little further on in the list says: it may lie anywhere.
 */
static inline void facts_ahead(const struct facts *f, const struct context *c, size_t i)
{
	const struct attempts *t = &c->merge->attempts;
	const struct attempt_record *r;

	if (i + 8 >= f->n)
		return;
	r = &t->records[f->list[i + 8].attempt];
	__builtin_prefetch(tuples_get(&t->peers, r->peers));
	__builtin_prefetch(tuples_get(&t->said, r->said));
	__builtin_prefetch(&f->_common[r->peers]);
}

#endif
