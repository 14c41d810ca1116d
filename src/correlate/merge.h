/* Attempts: one TLS connection, merged from every observation of it. docs/evidence.md, 2.
 *
 * Takes events in the one total order; what comes late all the same joins what is there. Attempts
 * are forgotten only by merge_evict; who bounds the run bounds them.
 */
#ifndef PINWATCH_CORRELATE_MERGE_H
#define PINWATCH_CORRELATE_MERGE_H

#include "correlate/attempts.h"
#include "correlate/guess.h"
#include "correlate/joins.h"

#define MERGE_ALL_SOURCES UINT32_MAX

struct merge {
	struct attempts attempts;
	struct joins _by_conn, _by_flow;
	struct keymap _portless, _portless_sums, _portless_pending;
	struct guess *guess; /* NULL: the listeners are configured */
	int64_t now; /* order time of the newest record of any kind; whoever feeds sets it before
			judging */
	int64_t _newest; /* order time of the newest event */
	int64_t _packed_second;
	struct names *names;
};

void merge_init(struct merge *m, struct names *names, uint64_t seed);
void merge_free(struct merge *m);
/* Gives back what only merging needs; no event may follow. */
void merge_finish(struct merge *m);
void merge_event(struct merge *m, const struct event *e);
/* Fetches into the cache what merge_event will look at first. */
void merge_prefetch(const struct merge *m, const struct event *e);
/* Forgets attempts of which every record is of the source (MERGE_ALL_SOURCES: of any) and started
 * before `before`, as if the records had never come; returns how many. One stays while its client
 * port has attempts that stay and might have been joined otherwise without it. */
uint64_t merge_evict(struct merge *m, uint32_t source, int64_t before);
/* Bytes held for attempts, or about so many for those that began with a record of the source. */
size_t merge_footprint(const struct merge *m, uint32_t source);

/* Outcome by rules 5 to 7: what the records say, before byte counts decide. *alert: the alert
 * behind it. */
enum outcome attempt_outcome(const struct attempts *t, uint32_t number, int64_t now, int *alert,
			     bool *contradiction);

#endif
