#include "store/schema.h"

#include "base/fault.h"

/* Step i takes version i to i + 1. A step that was released is never changed. */
static const char *const steps[SCHEMA_VERSION] = {
	/* 0 → 1 */
	"CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
	/* How far the journal counts; the newest few are kept, to fall back to. */
	"CREATE TABLE checkpoint(id INTEGER PRIMARY KEY, at INTEGER NOT NULL, segment INTEGER NOT NULL,"
	" offset INTEGER NOT NULL, records INTEGER NOT NULL);"
	"CREATE TABLE input(name TEXT NOT NULL, checkpoint INTEGER NOT NULL, position TEXT NOT NULL,"
	" PRIMARY KEY(name, checkpoint)) WITHOUT ROWID;"
	"CREATE TABLE source(name TEXT PRIMARY KEY, records INTEGER NOT NULL, irrelevant INTEGER NOT NULL,"
	" rejected INTEGER NOT NULL, overlong INTEGER NOT NULL, quarantined INTEGER NOT NULL,"
	" late INTEGER NOT NULL, too_late INTEGER NOT NULL, evicted INTEGER NOT NULL,"
	" observations INTEGER NOT NULL, errors INTEGER NOT NULL, first INTEGER, last INTEGER,"
	" newest INTEGER, sensors INTEGER NOT NULL, format TEXT NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE segment(number INTEGER PRIMARY KEY, bytes INTEGER NOT NULL,"
	" observations INTEGER NOT NULL, first INTEGER, last INTEGER);"
	"CREATE TABLE finding(uid TEXT PRIMARY KEY, revision INTEGER NOT NULL, kind TEXT NOT NULL,"
	" verdict TEXT NOT NULL, severity TEXT NOT NULL, confidence TEXT, risk INTEGER NOT NULL,"
	" score REAL NOT NULL, bundle_id TEXT, version TEXT, host TEXT, port INTEGER, devices INTEGER NOT NULL,"
	" first_seen INTEGER, last_seen INTEGER, present INTEGER NOT NULL, created_at INTEGER NOT NULL,"
	" changed_at INTEGER NOT NULL, digest TEXT NOT NULL, json TEXT NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE finding_history(uid TEXT NOT NULL, revision INTEGER NOT NULL, at INTEGER NOT NULL,"
	" verdict TEXT NOT NULL, json TEXT NOT NULL, PRIMARY KEY(uid, revision)) WITHOUT ROWID;"
	"CREATE TABLE outbox(id INTEGER PRIMARY KEY AUTOINCREMENT, output TEXT NOT NULL, uid TEXT NOT NULL,"
	" revision INTEGER NOT NULL);",
	/* 1 → 2: findings are resolved after quiet; looked up by time and verdict. */
	"ALTER TABLE finding ADD COLUMN resolved_at INTEGER;"
	"CREATE INDEX finding_by_time ON finding(last_seen);"
	"CREATE INDEX finding_by_verdict ON finding(verdict, severity);"
	"CREATE INDEX outbox_by_output ON outbox(output, id);",
};

static bool refused(sqlite3 *db, const char *what, struct error *err)
{
	return error_set(err, ERROR_IO, 0, "%s: %s cannot be done: %s", sqlite3_db_filename(db, "main"), what, sqlite3_errmsg(db));
}

int schema_version(sqlite3 *db, struct error *err)
{
	sqlite3_stmt *s = NULL;
	int version = -1;

	if (sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &s, NULL) == SQLITE_OK &&
	    sqlite3_step(s) == SQLITE_ROW)
		version = sqlite3_column_int(s, 0);
	else
		refused(db, "reading its version", err);
	sqlite3_finalize(s);
	return version;
}

static bool step(sqlite3 *db, int from, struct error *err)
{
	char version[64];

	sqlite3_snprintf(sizeof(version), version, "PRAGMA user_version = %d", from + 1);
	if (sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
		return refused(db, "migration", err);
	if (sqlite3_exec(db, steps[from], NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_exec(db, version, NULL, NULL, NULL) != SQLITE_OK) {
		refused(db, "migration", err);
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
		return false;
	}
	fault_point("migrate.commit");
	return sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK || refused(db, "migration", err);
}

bool schema_migrate(sqlite3 *db, const char *path, struct error *err)
{
	int version = schema_version(db, err);

	if (version < 0)
		return false;
	if (version > SCHEMA_VERSION)
		return error_set(err, ERROR_FORMAT, 0,
				 "%s: is of version %d, this program knows up to %d: a newer pinwatch wrote it; "
				 "take that one, or a backup",
				 path, version, SCHEMA_VERSION);
	for (; version < SCHEMA_VERSION; version++) {
		fault_point("migrate.step");
		if (!step(db, version, err))
			return false;
	}
	return true;
}
