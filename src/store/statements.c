#include "store/statements.h"

#include <stdarg.h>

/* A write more, in the order of commits. */
#define NEXT_SEQ "(SELECT coalesce(max(seq),0)+1 FROM finding)"

static const char *const texts[STATEMENTS] = {
	[PUT_META] =
	    "INSERT INTO meta VALUES(?,?) ON CONFLICT(key) DO UPDATE SET value=excluded.value",
	[GET_META] = "SELECT value FROM meta WHERE key=?",
	[PUT_CHECKPOINT] = "INSERT OR REPLACE INTO checkpoint VALUES(?,?,?,?,?)",
	[GET_CHECKPOINTS] =
	    "SELECT id,at,segment,offset,records FROM checkpoint ORDER BY id DESC LIMIT ?",
	[PRUNE_CHECKPOINTS] = "DELETE FROM checkpoint WHERE id<=?",
	/* Of each input the newest position at or before the oldest checkpoint stays. */
	[PRUNE_INPUTS] = "DELETE FROM input WHERE checkpoint<(SELECT max(b.checkpoint) FROM input b"
			 " WHERE b.name=input.name AND b.checkpoint<=?)",
	[BACK_CHECKPOINTS] = "DELETE FROM checkpoint WHERE id>?",
	[BACK_INPUTS] = "DELETE FROM input WHERE checkpoint>?",
	[PUT_INPUT] = "INSERT OR REPLACE INTO input VALUES(?,?,?)",
	[GET_INPUT] = "SELECT position FROM input WHERE name=? AND checkpoint<=?"
		      " ORDER BY checkpoint DESC LIMIT 1",
	[PUT_SOURCE] =
	    "INSERT OR REPLACE INTO source(name,format,records,irrelevant,rejected,overlong,"
	    "quarantined,late,too_late,evicted,observations,errors,sensors,first,last,newest)"
	    " VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
	[GET_SOURCES] = "SELECT name,format,records,irrelevant,rejected,overlong,quarantined,late,"
			"too_late,evicted,observations,errors,sensors,first,last,newest FROM "
			"source ORDER BY name",
	[PUT_SEGMENT] = "INSERT OR REPLACE INTO segment VALUES(?,?,?,?,?)",
	[DROP_SEGMENT] = "DELETE FROM segment WHERE number=?",
	[GET_SEGMENTS] = "SELECT number,bytes,observations,first,last FROM segment ORDER BY number",
	[PUT_FINDING] =
	    "INSERT OR REPLACE INTO finding(uid,revision,kind,verdict,severity,confidence,risk,"
	    "score,bundle_id,version,host,port,devices,first_seen,last_seen,present,"
	    "created_at,changed_at,resolved_at,digest,json,seq)"
	    " VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?," NEXT_SEQ ")",
	[PUT_HISTORY] = "INSERT OR REPLACE INTO finding_history VALUES(?,?,?,?,?)",
	[TOUCH_FINDING] = "UPDATE finding SET present=?,resolved_at=?,seq=" NEXT_SEQ " WHERE uid=?",
	[GET_FINDINGS] =
	    "SELECT uid,revision,kind,verdict,severity,confidence,risk,score,bundle_id,version,"
	    "host,port,devices,first_seen,last_seen,present,created_at,changed_at,"
	    "resolved_at,digest FROM finding ORDER BY uid",
	[GET_REVISION] = "SELECT json FROM finding_history WHERE uid=? AND revision=?",
	[PRUNE_HISTORY] = "DELETE FROM finding_history WHERE at<? AND revision<"
			  "(SELECT revision FROM finding f WHERE f.uid=finding_history.uid)"
			  " AND NOT EXISTS(SELECT 1 FROM outbox o WHERE o.uid=finding_history.uid"
			  " AND o.revision=finding_history.revision)",
	[PUT_OUTBOX] = "INSERT INTO outbox(output,uid,revision) VALUES(?,?,?)",
	[GET_OUTBOX] =
	    "SELECT id,uid,revision FROM outbox WHERE output=? AND id>? ORDER BY id LIMIT ?",
	[DROP_OUTBOX] = "DELETE FROM outbox WHERE output=? AND id<=?",
	[COUNT_OUTBOX] = "SELECT count(*) FROM outbox",
	[HAS_TRIAGE] = "SELECT 1 FROM triage WHERE uid=? AND status IN ('acknowledged','closed')",
	[PRUNE_CHANGES] = "DELETE FROM changes WHERE id<=(SELECT max(id) FROM changes)-?",
	[PRUNE_SESSIONS] = "DELETE FROM sessions WHERE expires_at<=?",
};

bool store_refused(const struct store *s, const char *what, struct error *err)
{
	return error_set(err, ERROR_IO, 0, "%s: %s: %s", s->path, what, sqlite3_errmsg(s->db));
}

bool statements_prepare(struct store *s, struct error *err)
{
	for (int i = 0; i < STATEMENTS; i++)
		if (sqlite3_prepare_v3(s->db, texts[i], -1, SQLITE_PREPARE_PERSISTENT,
				       &s->statements[i], NULL) != SQLITE_OK)
			return store_refused(s, "is not laid out as expected", err);
	return true;
}

void statements_finalize(struct store *s)
{
	for (int i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(s->statements[i]);
}

static void bind_text(sqlite3_stmt *q, int i, struct sv v)
{
	sqlite3_bind_text64(q, i, v.p != NULL ? v.p : "", v.n, SQLITE_STATIC, SQLITE_UTF8);
}

static void bind(sqlite3_stmt *q, const char *types, va_list args)
{
	const char *text;
	int64_t number;
	struct sv view;

	sqlite3_reset(q);
	for (int i = 1; *types != '\0'; types++, i++) {
		switch (*types) {
		case 't':
			text = va_arg(args, const char *);
			if (text != NULL)
				bind_text(q, i, sv_cstr(text));
			else
				sqlite3_bind_null(q, i);
			break;
		case 'v':
		case 'V':
			view = va_arg(args, struct sv);
			if (*types == 'V' && view.n == 0)
				sqlite3_bind_null(q, i);
			else
				bind_text(q, i, view);
			break;
		case 'd':
			sqlite3_bind_double(q, i, va_arg(args, double));
			break;
		default:
			number = va_arg(args, int64_t);
			if (*types == 'n' && number == INT64_MIN)
				sqlite3_bind_null(q, i);
			else
				sqlite3_bind_int64(q, i, number);
		}
	}
}

sqlite3_stmt *statement(struct store *s, enum statement which, const char *types, ...)
{
	va_list args;

	va_start(args, types);
	bind(s->statements[which], types, args);
	va_end(args);
	return s->statements[which];
}

bool statement_run(struct store *s, enum statement which, struct error *err, const char *types, ...)
{
	sqlite3_stmt *q = s->statements[which];
	va_list args;
	bool ok;
	int code;

	va_start(args, types);
	bind(q, types, args);
	va_end(args);
	do
		code = sqlite3_step(q);
	while (code == SQLITE_ROW);
	ok = code == SQLITE_DONE || store_refused(s, "cannot be written", err);
	sqlite3_reset(q);
	sqlite3_clear_bindings(q);
	return ok;
}

static sqlite3_stmt *prepare(struct store *s, const char *sql, struct error *err)
{
	sqlite3_stmt *q = NULL;

	if (sqlite3_prepare_v2(s->db, sql, -1, &q, NULL) == SQLITE_OK)
		return q;
	store_refused(s, "cannot be asked", err);
	return NULL;
}

sqlite3_stmt *statement_once(struct store *s, const char *sql, struct error *err, const char *types,
			     ...)
{
	sqlite3_stmt *q = prepare(s, sql, err);
	va_list args;

	if (q == NULL)
		return NULL;
	va_start(args, types);
	bind(q, types, args);
	va_end(args);
	return q;
}

bool statement_do(struct store *s, const char *sql, struct error *err, const char *types, ...)
{
	sqlite3_stmt *q = prepare(s, sql, err);
	va_list args;
	bool ok;
	int code;

	if (q == NULL)
		return false;
	va_start(args, types);
	bind(q, types, args);
	va_end(args);
	do
		code = sqlite3_step(q);
	while (code == SQLITE_ROW);
	ok = code == SQLITE_DONE || store_refused(s, "cannot be written", err);
	sqlite3_finalize(q);
	return ok;
}

struct sv column_text(sqlite3_stmt *q, int i)
{
	const unsigned char *p = sqlite3_column_text(q, i);

	return sv_make((const char *)p, p != NULL ? (size_t)sqlite3_column_bytes(q, i) : 0);
}

int64_t column_time(sqlite3_stmt *q, int i)
{
	return sqlite3_column_type(q, i) == SQLITE_NULL ? INT64_MIN : sqlite3_column_int64(q, i);
}
