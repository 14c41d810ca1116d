/* The keeper: the engine and its journal as one. Whatever the engine is told is written down first.
 *
 * State is a function of the calls, so that replaying the journal gives the engine that there was.
 * The engine is built anew from the journal where it has to see the past with other eyes: at the
 * start, when a listener of the gateway was found, when the numbers of sources have changed, and
 * after a reload of what settings it reads while taking. One thread.
 */
#ifndef PINWATCH_SERVE_KEEPER_H
#define PINWATCH_SERVE_KEEPER_H

#include "base/intern.h"
#include "govern/governed.h"
#include "scan/engine.h"
#include "serve/live_source.h"
#include "store/journal.h"

/* Record times further ahead of the wall clock than this are quarantined. */
#define KEEPER_AHEAD (5 * NS_PER_MINUTE)

/* Released is in whole steps of this: a finding waits so much longer than max_lag. */
#define KEEPER_GRAIN (125 * NS_PER_MS)

enum taken {
	TAKEN,
	TAKEN_LATE,  /* behind the watermark, but within TimeWindow of it */
	TOO_LATE,    /* further behind */
	QUARANTINED, /* ahead of the wall clock */
};

struct keeper {
	struct engine engine;
	struct settings settings;
	uint64_t settled; /* counts how often they were taken over */
	/* the database's part of the allow-lists; borrowed, may be NULL */
	const struct governed *governed;
	struct allow_tally tally;     /* of the newest judgement, in its arena */
	struct live_sources *sources; /* borrowed */
	struct journal *journal;
	const char *dir; /* of the journal; borrowed */
	uint64_t segment_size;
	struct intern files;   /* paths by number */
	struct sv *file_names; /* for engine_view */
	uint32_t n_file_names, _file_names_capacity;
	struct listener found; /* a listener of the gateway that nobody configured; port 0: none */
	int64_t released;      /* the newest watermark; INT64_MIN none */
	uint64_t taken;	       /* observations, since the start */
	uint64_t news;	       /* changes since whoever judges set it to 0 */
	uint64_t lost_blocks;  /* of the journal, damaged beyond any checkpoint */
	uint64_t evicted;      /* attempts given up, since the start */
	uint64_t _seed;
	struct arena _settings_arena;
	bool _there;
	bool _remembers;      /* the engine does */
	uint64_t _judgements; /* of engines before this one */
};

/* Replays the journal up to `at`. Damage before it is JOURNAL_DAMAGED with *good, unless `skip`. */
enum journal_result keeper_open(struct keeper *k, const struct conf *c,
				const struct governed *governed, const char *dir,
				struct live_sources *sources, struct listener found,
				struct journal_position at, bool skip,
				const struct journal_segment *current,
				struct journal_position *good, struct error *err);
void keeper_close(struct keeper *k);

/* ref.source and ref.file are set by the call. */
enum taken keeper_take(struct keeper *k, struct live_source *source, const struct observation *o,
		       int64_t order, uint64_t content, uint32_t file, uint32_t line,
		       enum vantage vantage, struct instant wall);
/* The number of a file that records come from. */
uint32_t keeper_file(struct keeper *k, struct sv path);
/* Releases up to here, if that is new. */
void keeper_release(struct keeper *k, int64_t watermark);
/* Forgets what is older; source NULL: of all. */
struct engine_evicted keeper_evict(struct keeper *k, const struct live_source *source,
				   int64_t before);
/* Bytes that a source's records take (NULL: all records). What tables keep free after giving up is
 * not counted. */
size_t keeper_footprint(const struct keeper *k, const struct live_source *source);
/* A listener was found since the last call: the engine has to be rebuilt with it. */
bool keeper_found_listener(struct keeper *k);
/* Takes over a configuration's settings. True where the engine has to be rebuilt, since it has read
 * what changed while taking. What the settings held before must live until then. */
bool keeper_settings(struct keeper *k, const struct conf *c);
/* Builds the engine anew, under these settings, from what the journal holds. */
bool keeper_rebuild(struct keeper *k, const struct conf *c, struct error *err);
/* All findings of what was released, in outline what is as it was and what nobody is shown; they
 * live in the arena. */
struct finding *keeper_judge(struct keeper *k, struct pool *pool, struct arena *arena, size_t *n);
/* Makes one of them whole; until keeper_judged. */
void keeper_fill(const struct keeper *k, struct arena *arena, struct finding *f);
void keeper_judged(struct keeper *k);

#endif
