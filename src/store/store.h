/* The daemon's database: findings and their history, input positions, the journal's length,
 * counters, outbox.
 *
 * SQLite in WAL mode with synchronous=FULL. What belongs together is written in one transaction,
 * between store_begin and store_commit; every store_put_* stands in one. Reading is for the start
 * and for tools. The schema's version is checked on opening; an older database is copied beside
 * itself first (NAME.v1.bak) and then brought forward.
 *
 * One store, one thread. Any failing call gives ERROR_IO with SQLite's words; a full or read-only
 * disk is one of them and leaves the database as it was before the transaction.
 */
#ifndef PINWATCH_STORE_STORE_H
#define PINWATCH_STORE_STORE_H

#include "base/clock.h"
#include "base/error.h"
#include "base/sv.h"
#include "store/journal.h"

struct store;

/* path: the database file; made where it does not exist. read_only: for tools on a database in
 * use. */
struct store *store_open(const char *path, bool read_only, struct error *err);
void store_close(struct store *s);

bool store_begin(struct store *s, struct error *err);
bool store_commit(struct store *s, struct error *err);
void store_rollback(struct store *s);

/* ---- words that outlive a run */
bool store_put_meta(struct store *s, const char *key, struct sv value, struct error *err);
/* False where there is none; the text is copied into the arena. */
bool store_meta(struct store *s, const char *key, struct arena *a, struct sv *value);

/* ---- checkpoints: how far the journal counts, and where the inputs stood then */
struct store_checkpoint {
	int64_t id;
	int64_t at; /* wall clock, ns */
	struct journal_position journal;
	uint64_t records;
};
#define STORE_CHECKPOINTS 16 /* kept */
bool store_put_checkpoint(struct store *s, const struct store_checkpoint *c, struct error *err);
bool store_put_input(struct store *s, struct sv name, int64_t checkpoint, struct sv position,
		     struct error *err);
/* Drops all but the newest STORE_CHECKPOINTS. */
bool store_prune(struct store *s, int64_t newest, struct error *err);
/* Newest first; at most n. */
size_t store_checkpoints(struct store *s, struct store_checkpoint *out, size_t n);
/* The input's position as of a checkpoint, copied into the arena; empty where there was none. */
struct sv store_input(struct store *s, struct sv name, int64_t checkpoint, struct arena *a);
/* Drops sessions that are over at `now` (wall clock), and changes but the newest STORE_CHANGES. */
#define STORE_CHANGES 10000
bool store_prune_people(struct store *s, int64_t now, struct error *err);
/* A reader's view of one moment, until store_snapshot_end. */
bool store_snapshot(struct store *s, struct error *err);
void store_snapshot_end(struct store *s);
/* Forgets what came after a checkpoint; what people did stays. */
bool store_fall_back(struct store *s, int64_t checkpoint, struct error *err);

/* ---- sources */
struct store_source {
	struct sv name, format;
	uint64_t records, irrelevant, rejected, overlong, quarantined, late, too_late, evicted,
	    observations, errors;
	uint32_t sensors;	     /* 1 << enum sensor_kind: what its records have fed */
	int64_t first, last, newest; /* event times, newest order time; INT64_MIN unknown */
};
bool store_put_source(struct store *s, const struct store_source *source, struct error *err);
void store_sources(struct store *s, void (*take)(void *arg, const struct store_source *source),
		   void *arg);

/* ---- journal segments that are closed, and the current one */
bool store_put_segment(struct store *s, const struct journal_segment *segment, struct error *err);
bool store_drop_segment(struct store *s, uint64_t number, struct error *err);
void store_segments(struct store *s, void (*take)(void *arg, const struct journal_segment *segment),
		    void *arg);

/* ---- findings */
struct store_finding {
	const char *uid, *kind, *verdict, *severity, *confidence; /* confidence may be NULL */
	uint32_t revision;
	int risk;
	double score;
	struct sv bundle_id, version, host;
	uint16_t port;
	size_t devices;
	int64_t first_seen, last_seen;
	bool present;				     /* the newest judgement gave it */
	int64_t created_at, changed_at, resolved_at; /* wall clock; resolved_at INT64_MIN: open */
	uint64_t digest[2]; /* of all that the JSON is made of, but the revision */
	struct sv json;	    /* with it */
};
/* A new revision; with a row in its history. */
bool store_put_finding(struct store *s, const struct store_finding *f, bool history,
		       struct error *err);
/* Only `present` and `resolved_at`. */
bool store_touch_finding(struct store *s, const char *uid, bool present, int64_t resolved_at,
			 struct error *err);
/* Views die with the call. Without the JSON. */
void store_findings(struct store *s, void (*take)(void *arg, const struct store_finding *f),
		    void *arg);
/* The JSON of a revision, copied into the arena. */
bool store_revision(struct store *s, const char *uid, uint32_t revision, struct arena *a,
		    struct sv *json);
/* Removes history rows but the newest of each finding that are older than `before` (wall clock). */
bool store_prune_history(struct store *s, int64_t before, struct error *err);

/* ---- outbox */
bool store_put_outbox(struct store *s, struct sv output, const char *uid, uint32_t revision,
		      struct error *err);
struct store_outbox {
	int64_t id;
	char uid[37];
	uint32_t revision;
};
/* The oldest rows of an output behind `after`; at most n. */
size_t store_outbox(struct store *s, struct sv output, int64_t after, struct store_outbox *out,
		    size_t n);
bool store_drop_outbox(struct store *s, struct sv output, int64_t until, struct error *err);
uint64_t store_outbox_depth(struct store *s);

/* ---- tools */
/* Everything that PRAGMA integrity_check and the references between tables can tell; calls
 * `complain` for each thing that is wrong. */
bool store_check(struct store *s, void (*complain)(void *arg, const char *what), void *arg,
		 struct error *err);
/* A consistent copy, also of a database in use. */
bool store_copy(struct store *s, const char *to, struct error *err);

#endif
