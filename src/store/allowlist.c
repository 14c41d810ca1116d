#include "store/allowlist.h"

#include <inttypes.h>
#include <stdio.h>

#include "store/statements.h"
#include "store/triage.h"

#define MAX_JSON ((size_t)4 * 1024 * 1024)

#define COLUMNS                                                                                    \
	"id,list,pattern,scope,owner,reason,ticket,expires,ended_at,file,line,created_at,"         \
	"created_by,changed_at,changed_by,expired_at,removed_at,removed_by,attempts,"              \
	"only_attempts,findings,only_findings,would_show,last"                                     \
	" FROM allow_entries LEFT JOIN allow_use ON entry=id"

static struct sv kept(sqlite3_stmt *q, int i, struct arena *a)
{
	struct sv v = column_text(q, i);

	return sv_empty(v) ? SV_NONE : arena_sv(a, v);
}

static uint64_t count_at(sqlite3_stmt *q, int i) { return (uint64_t)sqlite3_column_int64(q, i); }

static void read_row(sqlite3_stmt *q, struct arena *a, struct store_allow *e)
{
	*e = (struct store_allow){
		.id = sqlite3_column_int64(q, 0),
		.is_app_list = sv_eq(column_text(q, 1), SV("app")),
		.pattern = kept(q, 2, a),
		.scope = kept(q, 3, a),
		.owner = kept(q, 4, a),
		.reason = kept(q, 5, a),
		.ticket = kept(q, 6, a),
		.expires = kept(q, 7, a),
		.ended_at = column_time(q, 8),
		.file = kept(q, 9, a),
		.line = sqlite3_column_int64(q, 10),
		.created_at = sqlite3_column_int64(q, 11),
		.created_by = kept(q, 12, a),
		.changed_at = sqlite3_column_int64(q, 13),
		.changed_by = kept(q, 14, a),
		.expired_at = column_time(q, 15),
		.removed_at = column_time(q, 16),
		.removed_by = kept(q, 17, a),
		.use = { count_at(q, 18), count_at(q, 19), count_at(q, 20), count_at(q, 21),
			 count_at(q, 22), column_time(q, 23) },
	};
}

static bool finished(struct store *s, sqlite3_stmt *q, int code, struct error *err)
{
	bool ok = code == SQLITE_DONE || store_refused(s, "cannot be read", err);

	sqlite3_finalize(q);
	return ok;
}

bool store_allow_list(struct store *s, bool removed, struct arena *a, struct store_allow **list,
		      size_t *n, struct error *err)
{
	sqlite3_stmt *q =
	    statement_once(s, "SELECT " COLUMNS " WHERE removed_at IS NULL OR ? ORDER BY id", err,
			   "i", (int64_t)removed);
	size_t capacity = 0;
	int code;

	*list = NULL;
	*n = 0;
	if (q == NULL)
		return false;
	while ((code = sqlite3_step(q)) == SQLITE_ROW) {
		if (*n == capacity) {
			struct store_allow *larger =
			    arena_alloc(a, (capacity + 32) * 2 * sizeof(*larger));

			if (*n > 0)
				memcpy(larger, *list, *n * sizeof(*larger));
			*list = larger;
			capacity = (capacity + 32) * 2;
		}
		read_row(q, a, &(*list)[(*n)++]);
	}
	return finished(s, q, code, err);
}

bool store_allow_get(struct store *s, int64_t id, struct arena *a, struct store_allow *out,
		     struct error *err)
{
	sqlite3_stmt *q = statement_once(s, "SELECT " COLUMNS " WHERE id=?", err, "i", id);
	bool there;
	int code;

	if (q == NULL)
		return false;
	code = sqlite3_step(q);
	there = code == SQLITE_ROW;
	if (there)
		read_row(q, a, out);
	err->code = ERROR_NONE;
	return finished(s, q, there ? SQLITE_DONE : code, err) && there;
}

/* ---- as JSON */

static void when(struct jsonw *w, const char *key, int64_t t)
{
	jsonw_key(w, key);
	jsonw_instant(w, (struct instant){ t });
}

void store_allow_draft_members(struct jsonw *w, const struct store_allow *e)
{
	jsonw_key_str(w, "list", e->is_app_list ? "app" : "destination");
	jsonw_key_full(w, "pattern", e->pattern);
	jsonw_key(w, "scope");
	jsonw_raw(w, sv_empty(e->scope) ? SV("[]") : e->scope);
	jsonw_key_full(w, "owner", e->owner);
	jsonw_key_full(w, "reason", e->reason);
	jsonw_key_full(w, "ticket", e->ticket);
	jsonw_key_full(w, "expires", e->expires);
}

void store_allow_members(struct jsonw *w, const struct store_allow *e)
{
	jsonw_key_int(w, "id", e->id);
	store_allow_draft_members(w, e);
	when(w, "ended_at", e->ended_at);
	jsonw_key_full(w, "file", e->file);
	jsonw_key(w, "line");
	if (sv_empty(e->file))
		jsonw_null(w);
	else
		jsonw_int(w, e->line);
	when(w, "created_at", e->created_at);
	jsonw_key_full(w, "created_by", e->created_by);
	when(w, "changed_at", e->changed_at);
	jsonw_key_full(w, "changed_by", e->changed_by);
	when(w, "expired_at", e->expired_at);
	when(w, "removed_at", e->removed_at);
	jsonw_key_full(w, "removed_by", e->removed_by);
}

static void open_entry(struct buf *b, const struct store_allow *e, struct jsonw *w)
{
	buf_init(b, MAX_JSON);
	*w = jsonw_on(b);
	jsonw_open(w, '{');
	store_allow_members(w, e);
}

/* ---- changes */

/* The entry before and after (NULL: not there), for the audit and for those who listen. Frees
 * `after`. */
static bool tell(struct store *s, const struct audit_who *who, const char *action,
		 const struct store_allow *before, struct buf *after, struct jsonw *w, int64_t id,
		 struct error *err)
{
	char number[24];
	struct sv target =
	    sv_make(number, (size_t)snprintf(number, sizeof(number), "%" PRId64, id));
	struct buf old;
	struct jsonw v;
	bool ok;

	jsonw_close(w, '}');
	if (before != NULL) {
		open_entry(&old, before, &v);
		jsonw_close(&v, '}');
	} else {
		buf_init(&old, 1);
	}
	ok = audit_write(s, who, action, target, buf_view(&old), buf_view(after), err) &&
	     changes_write(s, who->at, "allow", target, buf_view(after), err);
	buf_free(&old);
	buf_free(after);
	return ok;
}

bool store_allow_add(struct store *s, const struct audit_who *who, struct store_allow *e,
		     struct error *err)
{
	struct buf b;
	struct jsonw w;

	e->created_at = e->changed_at = who->at;
	e->created_by = e->changed_by = who->actor;
	e->ended_at = e->expired_at = e->removed_at = INT64_MIN;
	if (!statement_do(s,
			  "INSERT INTO allow_entries(list,pattern,scope,owner,reason,ticket,"
			  "expires,file,line,created_at,created_by,changed_at,changed_by) "
			  "VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?)",
			  err, "tvVVVVVVniviv", e->is_app_list ? "app" : "destination", e->pattern,
			  e->scope, e->owner, e->reason, e->ticket, e->expires, e->file,
			  sv_empty(e->file) ? INT64_MIN : e->line, e->created_at, e->created_by,
			  e->changed_at, e->changed_by))
		return false;
	e->id = sqlite3_last_insert_rowid(s->db);
	open_entry(&b, e, &w);
	return tell(s, who, "allow.add", NULL, &b, &w, e->id, err);
}

bool store_allow_change(struct store *s, const struct audit_who *who, const char *action,
			const struct store_allow *before, const struct store_allow *after,
			struct error *err)
{
	struct store_allow e = *after;
	struct buf b;
	struct jsonw w;

	e.id = before->id;
	e.changed_at = who->at;
	e.changed_by = who->actor;
	if (!sv_eq(before->expires, e.expires))
		e.ended_at = e.expired_at = INT64_MIN;
	if (!statement_do(s,
			  "UPDATE allow_entries SET owner=?,reason=?,ticket=?,expires=?,ended_at=?,"
			  "expired_at=?,file=?,line=?,changed_at=?,changed_by=? WHERE id=?",
			  err, "VVVVnnVnivi", e.owner, e.reason, e.ticket, e.expires, e.ended_at,
			  e.expired_at, e.file, sv_empty(e.file) ? INT64_MIN : e.line, e.changed_at,
			  e.changed_by, e.id))
		return false;
	open_entry(&b, &e, &w);
	return tell(s, who, action, before, &b, &w, e.id, err);
}

bool store_allow_move(struct store *s, int64_t id, struct sv file, int64_t line, struct error *err)
{
	return statement_do(s, "UPDATE allow_entries SET file=?,line=? WHERE id=?", err, "vii",
			    file, line, id);
}

/* Findings that only this entry hid. Where judging has not said so by name, the entry that the
 * finding names. */
#define HIDDEN                                                                                     \
	" FROM finding f WHERE f.verdict='expected' AND f.present=1"                               \
	" AND (json_extract(f.json,'$.explained_by')=?1||':'||?2 OR"                               \
	" EXISTS(SELECT 1 FROM allow_cover c"                                                      \
	" WHERE c.entry=?3 AND c.uid=f.uid AND c.only_attempts>0))"                                \
	" AND NOT EXISTS(SELECT 1 FROM allow_cover c"                                              \
	" WHERE c.entry=?3 AND c.uid=f.uid AND c.only_attempts=0)"

static sqlite3_stmt *ask_hidden(struct store *s, const char *sql, const struct store_allow *e,
				struct error *err)
{
	return statement_once(s, sql, err, "tvi",
			      e->is_app_list ? "AllowedAppList" : "AllowedDestinationList",
			      e->pattern, e->id);
}

/* The findings to reopen, in the arena: reopening changes what is asked. */
static bool decided(struct store *s, const struct store_allow *e, struct arena *a,
		    const char **uids, size_t max, size_t *n, struct error *err)
{
	sqlite3_stmt *q =
	    ask_hidden(s,
		       "SELECT t.uid FROM triage t WHERE t.status IN('acknowledged','closed') AND "
		       "t.uid IN(SELECT f.uid" HIDDEN ") ORDER BY t.uid",
		       e, err);
	int code = SQLITE_DONE;

	*n = 0;
	if (q == NULL)
		return false;
	while (*n < max && (code = sqlite3_step(q)) == SQLITE_ROW)
		uids[(*n)++] = arena_sv(a, column_text(q, 0)).p;
	return finished(s, q, *n == max ? SQLITE_DONE : code, err);
}

#define REOPEN_AT_ONCE 256

static bool reopen(struct store *s, const struct audit_who *who, const struct store_allow *e,
		   uint64_t *reopened, struct error *err)
{
	const char *uids[REOPEN_AT_ONCE];
	struct arena a = { 0 };
	struct buf reason;
	bool ok;
	size_t n;

	*reopened = 0;
	buf_init(&reason, 65536);
	buf_printf(&reason, "allow-list entry %" PRId64 " (%.*s) no longer applies", e->id,
		   SV_ARG(e->pattern));
	/* What was reopened is found no more. */
	do {
		ok = decided(s, e, &a, uids, REOPEN_AT_ONCE, &n, err);
		for (size_t i = 0; ok && i < n; i++)
			ok = triage_decide(s, who, uids[i], "reopened", buf_view(&reason), 0,
					   err) == TRIAGE_DONE;
		*reopened += n;
		arena_reset(&a);
	} while (ok && n == REOPEN_AT_ONCE);
	buf_free(&reason);
	arena_free(&a);
	return ok;
}

/* How many findings the entry hid, and the first of them, into the audit's open object. */
static bool name_hidden(struct store *s, struct jsonw *w, const struct store_allow *e,
			uint64_t reopened, struct error *err)
{
	sqlite3_stmt *q = ask_hidden(s, "SELECT f.uid" HIDDEN " ORDER BY f.uid", e, err);
	int64_t n = 0;
	int code;

	if (q == NULL)
		return false;
	jsonw_key(w, "hid");
	jsonw_open(w, '[');
	for (; (code = sqlite3_step(q)) == SQLITE_ROW; n++)
		if (n < 20)
			jsonw_sv(w, column_text(q, 0));
	jsonw_close(w, ']');
	jsonw_key_int(w, "hidden", n);
	jsonw_key_int(w, "reopened", (int64_t)reopened);
	return finished(s, q, code, err);
}

/* The entry as it is from now on, with what that brings back. */
static bool leave(struct store *s, const struct audit_who *who, const char *action,
		  const struct store_allow *before, const struct store_allow *after,
		  uint64_t *reopened, struct error *err)
{
	struct buf b;
	struct jsonw w;

	open_entry(&b, after, &w);
	if (reopen(s, who, before, reopened, err) && name_hidden(s, &w, before, *reopened, err))
		return tell(s, who, action, before, &b, &w, after->id, err);
	buf_free(&b);
	return false;
}

bool store_allow_end(struct store *s, const struct audit_who *who, const struct store_allow *e,
		     bool by_itself, uint64_t *reopened, struct error *err)
{
	struct store_allow after = *e;

	after.expired_at = who->at;
	if (!by_itself) {
		after.ended_at = after.changed_at = who->at;
		after.changed_by = who->actor;
	}
	return statement_do(s,
			    "UPDATE allow_entries SET "
			    "expired_at=?,ended_at=?,changed_at=?,changed_by=? WHERE id=?",
			    err, "ninvi", after.expired_at, after.ended_at, after.changed_at,
			    after.changed_by, e->id) &&
	       leave(s, who, by_itself ? "allow.expired" : "allow.expire", e, &after, reopened,
		     err);
}

bool store_allow_remove(struct store *s, const struct audit_who *who, const struct store_allow *e,
			uint64_t *reopened, struct error *err)
{
	struct store_allow after = *e;

	after.removed_at = who->at;
	after.removed_by = who->actor;
	return statement_do(s, "UPDATE allow_entries SET removed_at=?,removed_by=? WHERE id=?", err,
			    "ivi", after.removed_at, after.removed_by, e->id) &&
	       leave(s, who, "allow.remove", e, &after, reopened, err);
}
