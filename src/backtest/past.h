/* The past, held once and judged many times: what a scan has read, or what a daemon's journal
 * holds.
 *
 * A daemon's is read from its state folder, up to its last checkpoint, without a lock and while it
 * runs; should it give up old segments meanwhile, reading begins anew. Everything that was read is
 * released, as at the end of a scan, so that the findings are those of a scan of the same records.
 * How late a record may come (TimeWindow, too) was decided when it came: what was too late then is
 * in no journal.
 */
#ifndef PINWATCH_BACKTEST_PAST_H
#define PINWATCH_BACKTEST_PAST_H

#include "scan/scan.h"

struct past {
	/* All findings under these settings; as scan_judge_again. */
	const struct finding *(*judge)(struct past *p, const struct settings *settings,
				       struct arena *arena, size_t *n);
	const struct settings *settings; /* in force */
	struct scan_period period;
	struct instant first, last; /* of what counts; INSTANT_NONE: nothing */
	uint64_t observations, outside;
	uint64_t attempts;    /* after the first judgement */
	uint64_t lost_blocks; /* of the journal, damaged */
};

/* A configured source: what makes it stale. */
struct past_source {
	struct sv name;
	struct span silence_after;
};

struct past_options {
	const char *state;		 /* the daemon's state folder */
	const struct settings *settings; /* in force; outlive the past */
	const struct past_source *sources;
	size_t n_sources;
	struct scan_period period;
	uint64_t memory;	 /* bytes that records may take; 0: no bound */
	unsigned threads;	 /* 0: as many as there are processors */
	bool (*stop)(void *arg); /* asked between blocks of records; may be NULL */
	void *stop_arg;
};

/* The configuration's sources, in the arena; they borrow from it. */
const struct past_source *past_sources(const struct conf *c, struct arena *a);
/* Of a scan, which must live as long. */
struct past *past_of_scan(struct scan *s, const struct scan_period *period);
/* ERROR_IO, ERROR_FORMAT, ERROR_LIMIT (memory), ERROR_USAGE (nothing in the period); NULL with
 * ERROR_NONE: stopped. */
struct past *past_open(const struct past_options *options, struct error *err);
/* Ends every kind. */
void past_free(struct past *p);

#endif
