/* The sources of a running daemon: their counters, how far each has come, and who is silent.
 *
 * A source's number is its rank by name among all sources that the journal or the configuration
 * knows, since equal times are ordered by it. Sources are never forgotten while the journal holds
 * records of them.
 */
#ifndef PINWATCH_SERVE_LIVE_SOURCE_H
#define PINWATCH_SERVE_LIVE_SOURCE_H

#include "conf/conf.h"
#include "model/finding.h"
#include "store/store.h"

#define SOURCE_EXAMPLES 3

struct live_source {
	struct sv name;			/* owned by the registry */
	const struct conf_source *conf; /* NULL: not configured (any more) */
	uint16_t number;
	struct store_source counts; /* name and format are the registry's */
	bool changed;		    /* counters changed since the last checkpoint */
	bool behind;		    /* something of it waits to be read */
	bool waits;		    /* it does, or may */
	/* what waits is not older than this, but for max_lag; INT64_MIN: no idea */
	int64_t floor;
	/* records in a row that leap more than a day ahead, not believed yet */
	uint64_t beyond;
	int64_t beyond_newest; /* the newest of them */
	/* monotonic: when its last record came, or the daemon began */
	struct instant heard;
	bool silent;
	uint64_t footprint;		     /* bytes, as of the last look */
	struct sv examples[SOURCE_EXAMPLES]; /* the first reasons for which records were rejected */
	size_t n_examples;
};

struct live_sources {
	struct live_source **list; /* by name; list[i]->number == i */
	size_t n;
	struct sv *names; /* names[i] == list[i]->name; for engine_view */
	struct arena _arena;
};

void live_sources_free(struct live_sources *s);
/* Adds a name; NULL past UINT16_MAX. Numbers of others may change: live_sources_number
 * afterwards. */
struct live_source *live_sources_add(struct live_sources *s, struct sv name);
struct live_source *live_sources_find(const struct live_sources *s, struct sv name);
/* Points the sources at this configuration's; adds those that are new. True where numbers
 * changed. */
bool live_sources_configure(struct live_sources *s, const struct conf *c, struct instant monotonic);
void live_source_example(struct live_sources *s, struct live_source *source, const char *reason);

/* Moves the source's newest order time. A wrong clock in a backlog must not make everything behind
 * it too late: a leap of more than a day, to where no other source has come and the wall clock has
 * long been, is not believed until a hundred records in a row, and more than 1 % of the source, lie
 * there. False for such a leap; the record waits for its time. */
bool live_source_advance(struct live_sources *s, struct live_source *source, int64_t order,
			 struct instant wall);
/* Everything has been read: leaps are believed where more than 1 % of the source lie beyond, as in
 * a scan. */
void live_sources_believe(struct live_sources *s);

/* Newest order time of all; INT64_MIN: nothing came yet. */
int64_t live_sources_newest(const struct live_sources *s);
/* The watermark: the least over sources that count of newest − max_lag. A source of which something
 * waits, or may wait, to be read counts always, one that was read to its end until the newest of
 * all is `idle` ahead of it. INT64_MIN: none yet. */
int64_t live_sources_watermark(const struct live_sources *s);
/* Who is silent: behind the newest event by more than silence_after, or not heard of for so long.
 * True where that changed for one. */
bool live_sources_listen(struct live_sources *s, struct instant monotonic);
/* Missing, stale or present, by what the sources' records have fed. */
enum source_status live_sources_status(const struct live_sources *s, enum sensor_kind kind);

#endif
