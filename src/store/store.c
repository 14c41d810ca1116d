#include "store/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fault.h"
#include "store/schema.h"
#include "store/statements.h"

/* A tool that reads must not make the daemon's transaction fail. */
#define BUSY_MS 15000

static bool execute(struct store *s, const char *sql, const char *what, struct error *err)
{
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ||
	       store_refused(s, what, err);
}

/* An older database is copied beside itself before it is changed. */
static bool back_up(struct store *s, int version, struct error *err)
{
	struct buf to;
	bool ok;

	buf_init(&to, 65536);
	buf_printf(&to, "%s.v%d.bak", s->path, version);
	buf_char(&to, '\0');
	fault_point("migrate.backup");
	ok = store_copy(s, to.p, err);
	buf_free(&to);
	return ok;
}

static bool prepare(struct store *s, bool read_only, struct error *err)
{
	int version;

	sqlite3_busy_timeout(s->db, BUSY_MS);
	if (!read_only && !execute(s,
				   "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
				   "PRAGMA foreign_keys=ON; PRAGMA "
				   "journal_size_limit=67108864;PRAGMA cache_size=-65536",
				   "cannot be opened for writing", err))
		return false;
	version = schema_version(s->db, err);
	if (version < 0)
		return false;
	if (read_only && version != SCHEMA_VERSION)
		return error_set(err, ERROR_FORMAT, 0,
				 "%s: is of version %d, this program reads %d: it needs `pinwatch "
				 "serve` to bring it forward",
				 s->path, version, SCHEMA_VERSION);
	if (version > 0 && version < SCHEMA_VERSION && !back_up(s, version, err))
		return false;
	return (read_only || schema_migrate(s->db, s->path, err)) && statements_prepare(s, err);
}

struct store *store_open(const char *path, bool read_only, struct error *err)
{
	struct store *s = xcalloc(1, sizeof(*s));
	int flags = read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;

	s->path = xstrdup(path);
	if (sqlite3_open_v2(path, &s->db, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
		store_refused(s, "cannot be opened", err);
	} else if (prepare(s, read_only, err)) {
		return s;
	}
	store_close(s);
	return NULL;
}

void store_close(struct store *s)
{
	if (s == NULL)
		return;
	statements_finalize(s);
	sqlite3_close(s->db);
	free(s->path);
	free(s);
}

bool store_begin(struct store *s, struct error *err)
{
	return execute(s, "BEGIN IMMEDIATE", "cannot be written", err);
}

bool store_commit(struct store *s, struct error *err)
{
	if (execute(s, "COMMIT", "cannot be written", err))
		return true;
	store_rollback(s);
	return false;
}

void store_rollback(struct store *s)
{
	if (!sqlite3_get_autocommit(s->db))
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
}

bool store_put_meta(struct store *s, const char *key, struct sv value, struct error *err)
{
	return statement_run(s, PUT_META, err, "tv", key, value);
}

bool store_meta(struct store *s, const char *key, struct arena *a, struct sv *value)
{
	sqlite3_stmt *q = statement(s, GET_META, "t", key);
	bool there = sqlite3_step(q) == SQLITE_ROW;

	*value = there ? arena_sv(a, column_text(q, 0)) : SV_NONE;
	sqlite3_reset(q);
	return there;
}

bool store_put_checkpoint(struct store *s, const struct store_checkpoint *c, struct error *err)
{
	return statement_run(s, PUT_CHECKPOINT, err, "iiiii", c->id, c->at,
			     (int64_t)c->journal.segment, (int64_t)c->journal.offset,
			     (int64_t)c->records);
}

bool store_put_input(struct store *s, struct sv name, int64_t checkpoint, struct sv position,
		     struct error *err)
{
	return statement_run(s, PUT_INPUT, err, "viv", name, checkpoint, position);
}

bool store_prune(struct store *s, int64_t newest, struct error *err)
{
	return statement_run(s, PRUNE_CHECKPOINTS, err, "i", newest - STORE_CHECKPOINTS) &&
	       statement_run(s, PRUNE_INPUTS, err, "i", newest - STORE_CHECKPOINTS + 1);
}

bool store_prune_people(struct store *s, int64_t now, struct error *err)
{
	return statement_run(s, PRUNE_CHANGES, err, "i", (int64_t)STORE_CHANGES) &&
	       statement_run(s, PRUNE_SESSIONS, err, "i", now);
}

bool store_snapshot(struct store *s, struct error *err)
{
	return execute(s, "BEGIN", "cannot be read", err);
}

void store_snapshot_end(struct store *s) { store_rollback(s); }

size_t store_checkpoints(struct store *s, struct store_checkpoint *out, size_t n)
{
	sqlite3_stmt *q = statement(s, GET_CHECKPOINTS, "i", (int64_t)n);
	size_t i = 0;

	while (i < n && sqlite3_step(q) == SQLITE_ROW)
		out[i++] = (struct store_checkpoint){
			.id = sqlite3_column_int64(q, 0),
			.at = sqlite3_column_int64(q, 1),
			.journal = { (uint64_t)sqlite3_column_int64(q, 2),
				     (uint64_t)sqlite3_column_int64(q, 3) },
			.records = (uint64_t)sqlite3_column_int64(q, 4),
		};
	sqlite3_reset(q);
	return i;
}

struct sv store_input(struct store *s, struct sv name, int64_t checkpoint, struct arena *a)
{
	sqlite3_stmt *q = statement(s, GET_INPUT, "vi", name, checkpoint);
	struct sv position = SV_NONE;

	if (sqlite3_step(q) == SQLITE_ROW)
		position = arena_sv(a, column_text(q, 0));
	sqlite3_reset(q);
	return position;
}

bool store_fall_back(struct store *s, int64_t checkpoint, struct error *err)
{
	return statement_run(s, BACK_CHECKPOINTS, err, "i", checkpoint) &&
	       statement_run(s, BACK_INPUTS, err, "i", checkpoint);
}

bool store_put_source(struct store *s, const struct store_source *o, struct error *err)
{
	return statement_run(s, PUT_SOURCE, err, "vviiiiiiiiiiinnn", o->name, o->format,
			     (int64_t)o->records, (int64_t)o->irrelevant, (int64_t)o->rejected,
			     (int64_t)o->overlong, (int64_t)o->quarantined, (int64_t)o->late,
			     (int64_t)o->too_late, (int64_t)o->evicted, (int64_t)o->observations,
			     (int64_t)o->errors, (int64_t)o->sensors, o->first, o->last, o->newest);
}

void store_sources(struct store *s, void (*take)(void *arg, const struct store_source *source),
		   void *arg)
{
	sqlite3_stmt *q = statement(s, GET_SOURCES, "");

	while (sqlite3_step(q) == SQLITE_ROW) {
		struct store_source o = {
			.name = column_text(q, 0),
			.format = column_text(q, 1),
			.records = (uint64_t)sqlite3_column_int64(q, 2),
			.irrelevant = (uint64_t)sqlite3_column_int64(q, 3),
			.rejected = (uint64_t)sqlite3_column_int64(q, 4),
			.overlong = (uint64_t)sqlite3_column_int64(q, 5),
			.quarantined = (uint64_t)sqlite3_column_int64(q, 6),
			.late = (uint64_t)sqlite3_column_int64(q, 7),
			.too_late = (uint64_t)sqlite3_column_int64(q, 8),
			.evicted = (uint64_t)sqlite3_column_int64(q, 9),
			.observations = (uint64_t)sqlite3_column_int64(q, 10),
			.errors = (uint64_t)sqlite3_column_int64(q, 11),
			.sensors = (uint32_t)sqlite3_column_int64(q, 12),
			.first = column_time(q, 13),
			.last = column_time(q, 14),
			.newest = column_time(q, 15),
		};
		take(arg, &o);
	}
	sqlite3_reset(q);
}

/* No observations: no times. */
static int64_t order_or_none(int64_t t) { return t == INT64_MAX || t == INT64_MIN ? INT64_MIN : t; }

bool store_put_segment(struct store *s, const struct journal_segment *g, struct error *err)
{
	return statement_run(s, PUT_SEGMENT, err, "iiinn", (int64_t)g->number, (int64_t)g->bytes,
			     (int64_t)g->observations, order_or_none(g->first),
			     order_or_none(g->last));
}

bool store_drop_segment(struct store *s, uint64_t number, struct error *err)
{
	return statement_run(s, DROP_SEGMENT, err, "i", (int64_t)number);
}

void store_segments(struct store *s, void (*take)(void *arg, const struct journal_segment *segment),
		    void *arg)
{
	sqlite3_stmt *q = statement(s, GET_SEGMENTS, "");

	while (sqlite3_step(q) == SQLITE_ROW) {
		struct journal_segment g = {
			.number = (uint64_t)sqlite3_column_int64(q, 0),
			.bytes = (uint64_t)sqlite3_column_int64(q, 1),
			.observations = (uint64_t)sqlite3_column_int64(q, 2),
			.first = column_time(q, 3),
			.last = column_time(q, 4),
		};
		if (g.first == INT64_MIN)
			g.first = INT64_MAX;
		take(arg, &g);
	}
	sqlite3_reset(q);
}
