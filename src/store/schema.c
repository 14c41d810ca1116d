#include "store/schema.h"

#include "base/fault.h"

/* Step i takes version i to i + 1. A step that was released is never changed. */
static const char *const steps[SCHEMA_VERSION] = {
	/* 0 → 1 */
	"CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
	/* How far the journal counts; the newest few are kept, to fall back to. */
	"CREATE TABLE checkpoint(id INTEGER PRIMARY KEY, at INTEGER NOT NULL, segment INTEGER NOT "
	"NULL, offset INTEGER NOT NULL, records INTEGER NOT NULL);CREATE TABLE input(name TEXT NOT "
	"NULL, checkpoint INTEGER NOT NULL, position TEXT NOT NULL, PRIMARY KEY(name, checkpoint)) "
	"WITHOUT ROWID;CREATE TABLE source(name TEXT PRIMARY KEY, records INTEGER NOT NULL, "
	"irrelevant INTEGER NOT NULL, rejected INTEGER NOT NULL, overlong INTEGER NOT NULL, "
	"quarantined INTEGER NOT NULL, late INTEGER NOT NULL, too_late INTEGER NOT NULL, evicted "
	"INTEGER NOT NULL, observations INTEGER NOT NULL, errors INTEGER NOT NULL, first INTEGER, "
	"last INTEGER, newest INTEGER, sensors INTEGER NOT NULL, format TEXT NOT NULL) WITHOUT "
	"ROWID;CREATE TABLE segment(number INTEGER PRIMARY KEY, bytes INTEGER NOT NULL, "
	"observations INTEGER NOT NULL, first INTEGER, last INTEGER);CREATE TABLE finding(uid TEXT "
	"PRIMARY KEY, revision INTEGER NOT NULL, kind TEXT NOT NULL, verdict TEXT NOT NULL, "
	"severity TEXT NOT NULL, confidence TEXT, risk INTEGER NOT NULL, score REAL NOT NULL, "
	"bundle_id TEXT, version TEXT, host TEXT, port INTEGER, devices INTEGER NOT NULL, "
	"first_seen INTEGER, last_seen INTEGER, present INTEGER NOT NULL, created_at INTEGER NOT "
	"NULL, changed_at INTEGER NOT NULL, digest TEXT NOT NULL, json TEXT NOT NULL) WITHOUT "
	"ROWID;CREATE TABLE finding_history(uid TEXT NOT NULL, revision INTEGER NOT NULL, at "
	"INTEGER NOT NULL, verdict TEXT NOT NULL, json TEXT NOT NULL, PRIMARY KEY(uid, revision)) "
	"WITHOUT ROWID;CREATE TABLE outbox(id INTEGER PRIMARY KEY AUTOINCREMENT, output TEXT NOT "
	"NULL, uid TEXT NOT NULL, revision INTEGER NOT NULL);",
	/* 1 → 2: findings are resolved after quiet; looked up by time and verdict. */
	"ALTER TABLE finding ADD COLUMN resolved_at INTEGER;"
	"CREATE INDEX finding_by_time ON finding(last_seen);"
	"CREATE INDEX finding_by_verdict ON finding(verdict, severity);"
	"CREATE INDEX outbox_by_output ON outbox(output, id);",
	/* 2 → 3: what people do, who they are, and what they changed. */
	/* When a finding, or what people did with it, changed last, in the order of commits: pages
	   stay whole. */
	"ALTER TABLE finding ADD COLUMN seq INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX finding_by_seq ON finding(seq);"
	/* status: acknowledged, closed or reopened; no row: open. basis: what the evidence was when
	 * a person decided
	 * ({"verdict","severity","paths","devices"}). Never dropped with a checkpoint. */
	"CREATE TABLE triage(uid TEXT PRIMARY KEY, status TEXT NOT NULL, assignee TEXT, reason "
	"TEXT, basis TEXT, changed_at INTEGER NOT NULL, changed_by TEXT NOT NULL) WITHOUT "
	"ROWID;CREATE TABLE comments(id INTEGER PRIMARY KEY AUTOINCREMENT, uid TEXT NOT NULL, at "
	"INTEGER NOT NULL, author TEXT NOT NULL, text TEXT NOT NULL);CREATE INDEX comments_by_uid "
	"ON comments(uid, id);"
	/* password: as crypto_pwhash_str gives it; null: none can log in with one. */
	"CREATE TABLE users(name TEXT PRIMARY KEY, role TEXT NOT NULL, password TEXT, created_at "
	"INTEGER NOT NULL, created_by TEXT NOT NULL, changed_at INTEGER NOT NULL) WITHOUT ROWID;"
	/* hash: SHA-256 of the token, in hexadecimal. */
	"CREATE TABLE tokens(id TEXT PRIMARY KEY, user TEXT NOT NULL, role TEXT NOT NULL, hash "
	"TEXT NOT NULL UNIQUE, label TEXT NOT NULL, created_at INTEGER NOT NULL, created_by TEXT "
	"NOT NULL, expires_at INTEGER NOT NULL) WITHOUT ROWID;CREATE INDEX tokens_by_user ON "
	"tokens(user);CREATE TABLE sessions(hash TEXT PRIMARY KEY, user TEXT NOT NULL, address "
	"TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL) WITHOUT "
	"ROWID;CREATE INDEX sessions_by_user ON sessions(user);"
	/* Who did what to what, whence; before and after are JSON or null. */
	"CREATE TABLE audit(id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, actor TEXT "
	"NOT NULL, via TEXT NOT NULL, address TEXT NOT NULL, action TEXT NOT NULL, target TEXT NOT "
	"NULL, before TEXT, after TEXT);CREATE INDEX audit_by_target ON audit(target, id);"
	/* Entries of the allow-lists, also those of list files (file and line; null: of the
	 * database). list: app or destination; scope: a JSON array of the other kind's patterns, or
	 * null; expires: a UTC day, YYYY-MM-DD; ended_at: somebody ended it before; expired_at: its
	 * end was said. What is over keeps its row. */
	"CREATE TABLE allow_entries(id INTEGER PRIMARY KEY AUTOINCREMENT, list TEXT NOT NULL, "
	"pattern TEXT NOT NULL, scope TEXT, owner TEXT, reason TEXT, ticket TEXT, expires TEXT, "
	"ended_at INTEGER, file TEXT, line INTEGER, created_at INTEGER NOT NULL, created_by TEXT "
	"NOT NULL, changed_at INTEGER NOT NULL, changed_by TEXT NOT NULL, expired_at INTEGER, "
	"removed_at INTEGER, removed_by TEXT);"
	/* What each covered, as of the newest judgement, and the newest attempt ever; only: what no
	 * other entry covers. */
	"CREATE TABLE allow_use(entry INTEGER PRIMARY KEY, attempts INTEGER NOT NULL, "
	"only_attempts INTEGER NOT NULL, findings INTEGER NOT NULL, only_findings INTEGER NOT "
	"NULL, would_show INTEGER NOT NULL, last INTEGER);"
	/* By name, the weightiest of each entry; verdict: as judged without allow-lists. */
	"CREATE TABLE allow_cover(entry INTEGER NOT NULL, uid TEXT NOT NULL, attempts INTEGER NOT "
	"NULL, only_attempts INTEGER NOT NULL, verdict TEXT NOT NULL, PRIMARY KEY(entry, uid)) "
	"WITHOUT ROWID;"
	/* The servers behind findings that are or were shown, separated by spaces; more: not all of
	   them. */
	"CREATE TABLE allow_reach(uid TEXT PRIMARY KEY, servers TEXT NOT NULL, more INTEGER NOT "
	"NULL) WITHOUT ROWID;"
	/* What changed, for those who listen; the newest STORE_CHANGES are kept. kind: finding,
	   triage, allow, … */
	"CREATE TABLE changes(id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, kind TEXT "
	"NOT NULL, target TEXT NOT NULL, data TEXT NOT NULL);",
};

static bool refused(sqlite3 *db, const char *what, struct error *err)
{
	return error_set(err, ERROR_IO, 0, "%s: %s cannot be done: %s",
			 sqlite3_db_filename(db, "main"), what, sqlite3_errmsg(db));
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
	return sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK ||
	       refused(db, "migration", err);
}

bool schema_migrate(sqlite3 *db, const char *path, struct error *err)
{
	int version = schema_version(db, err);

	if (version < 0)
		return false;
	if (version > SCHEMA_VERSION)
		return error_set(err, ERROR_FORMAT, 0,
				 "%s: is of version %d, this program knows up to %d: a newer "
				 "pinwatch wrote it; take that one, or a backup",
				 path, version, SCHEMA_VERSION);
	for (; version < SCHEMA_VERSION; version++) {
		fault_point("migrate.step");
		if (!step(db, version, err))
			return false;
	}
	return true;
}
