/* Facts: every attempt with all that the joins say of it, in order of start; what judging reads.
 *
 * Identity, attribution, version, inspection state and outcome come from everything known at this
 * moment (docs/evidence.md, 1.3), so a fact never depends on arrival.
 */
#ifndef PINWATCH_CORRELATE_FACTS_H
#define PINWATCH_CORRELATE_FACTS_H

#include "base/order.h"
#include "base/pool.h"
#include "correlate/merge.h"
#include "identify/activity.h"
#include "identify/posture.h"
#include "model/finding.h"

struct destination {
	uint32_t host, port;
};

struct fact {
	int64_t start;
	uint32_t attempt;
	uint32_t device, app, version; /* app 0: unknown */
	uint32_t destination;
	uint32_t finding; /* number of (app, destination) */
	uint32_t stack;	  /* the middle part of a JA4, else a JA3; 0: none */
	uint32_t count;
	uint8_t outcome;
	uint8_t inspection : 2, bypass_reason : 2, attribution : 3;
	bool stack_is_ja3 : 1;
	bool weak_late : 1;			    /* a late failure that is not sure to be one */
	bool excluded_ca : 1, excluded_gateway : 1; /* set by judge/exclude */
	/* Set by judge/around. A failure: its device was fine under inspection at another
	 * destination within an hour; another known app was fine there on that device within a day.
	 * A session that was not inspected: its device was intercepted elsewhere within
	 * TimeWindow. */
	bool fine_elsewhere : 1, other_app_fine : 1, intercepted_elsewhere : 1;
};

struct facts {
	struct fact *list;
	size_t n;
	struct destination *destinations; /* number 0 unused */
	uint32_t n_destinations;
	struct pair_number *findings; /* (app, destination); number 0 unused */
	uint32_t n_findings;
	struct grouping by_finding, by_device, by_destination;
	struct keymap _destination_numbers, _finding_numbers;
	uint32_t _destinations_capacity, _findings_capacity;
	uint64_t contradictions, without_host, without_client;
	struct learned taught;	      /* by attempts that surely are of an app */
	struct facts_common *_common; /* while they are built: what attempts of equal peers share */
};

struct pair_number {
	uint32_t app, destination;
};

/* The joins that facts are made of; all borrowed. */
struct context {
	const struct settings *settings;
	struct names *names;
	const struct merge *merge;
	struct devices *devices;
	const struct postures *postures;
	struct activities *activities;
	uint64_t seed;
	struct pool *pool; /* works along; may be NULL */
};

void facts_build(struct facts *f, const struct context *c);
void facts_free(struct facts *f);

static inline const struct peers *fact_peers(const struct context *c, const struct fact *f)
{
	return attempt_peers(&c->merge->attempts, f->attempt);
}
static inline const struct said *fact_said(const struct context *c, const struct fact *f)
{
	return attempt_said(&c->merge->attempts, f->attempt);
}
static inline uint32_t fact_ja4_stack(const struct fact *f)
{
	return f->stack_is_ja3 ? 0 : f->stack;
}
static inline bool fact_excluded(const struct fact *f)
{
	return f->excluded_ca || f->excluded_gateway;
}
/* Failure and success as docs/evidence.md, 4, has them. */
static inline bool fact_failure(const struct fact *f)
{
	return f->inspection == INTERCEPTED &&
	       outcome_class((enum outcome)f->outcome) == CLASS_FAILURE;
}
static inline bool fact_success(const struct fact *f)
{
	return f->inspection == INTERCEPTED && f->outcome == ESTABLISHED;
}
static inline bool fact_trial(const struct fact *f) { return fact_failure(f) || fact_success(f); }
static inline bool fact_fine_uninspected(const struct fact *f)
{
	return (f->inspection == BYPASSED || f->inspection == UNINSPECTED) &&
	       f->outcome == ESTABLISHED;
}
static inline bool fact_uninspected_session(const struct fact *f)
{
	return fact_fine_uninspected(f) &&
	       !(f->inspection == BYPASSED && f->bypass_reason == BYPASS_POLICY);
}
static inline bool fact_learned_bypass(const struct fact *f)
{
	return f->inspection == BYPASSED && f->bypass_reason == BYPASS_LEARNED;
}

/* Calls `each` for stretches [from, to) of the facts, side by side where there is a pool. */
void facts_each(struct facts *f, const struct context *c,
		void (*each)(struct facts *f, const struct context *c, size_t from, size_t to,
			     void *arg),
		void *arg);

/* Fetches what stands a little further on in a grouping's items, whose facts lie all over. */
static inline void facts_fetch(const struct facts *f, const struct grouping *by, uint32_t group,
			       size_t item)
{
	size_t at = by->begin[group] + item + 16;

	if (at < by->begin[by->n_groups])
		__builtin_prefetch(&f->list[by->items[at]]);
}
/* The place in the list of the first that starts at t or later. */
size_t facts_since(const struct facts *f, int64_t t);
/* Among a group's items (in order of start): the first whose start is not before t. */
size_t facts_from(const struct facts *f, struct group g, int64_t t);

#endif
