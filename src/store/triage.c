#include "store/triage.h"

#include "base/jsonw.h"
#include "model/finding.h"
#include "store/statements.h"

#define MAX_JSON ((size_t)64 * 1024)

/* The evidence as it stands, as a basis for a decision. (json_each has a column `json` of its
 * own.) */
#define BASIS                                                                                      \
	"SELECT json_object('verdict',f.verdict,'severity',f.severity,"                            \
	"'paths',json_extract(f.json,'$.paths'),"                                                  \
	"'devices',(SELECT json_group_array(json_extract(d.value,'$.id'))"                         \
	" FROM json_each(f.json,'$.devices') d))"                                                  \
	" FROM finding f WHERE f.uid=?"

void triage_get(struct store *s, const char *uid, struct arena *a, struct triage *out)
{
	struct error err;
	sqlite3_stmt *q = statement_once(
	    s, "SELECT status,assignee,reason,changed_by,changed_at FROM triage WHERE uid=?", &err,
	    "t", uid);

	*out = (struct triage){ .status = SV("open"), .changed_at = INT64_MIN };
	if (q != NULL && sqlite3_step(q) == SQLITE_ROW)
		*out = (struct triage){
			.status = arena_sv(a, column_text(q, 0)),
			.assignee = arena_sv(a, column_text(q, 1)),
			.reason = arena_sv(a, column_text(q, 2)),
			.changed_by = arena_sv(a, column_text(q, 3)),
			.changed_at = sqlite3_column_int64(q, 4),
		};
	sqlite3_finalize(q);
}

static void text_or_null(struct jsonw *w, const char *key, struct sv v)
{
	jsonw_key(w, key);
	if (sv_empty(v))
		jsonw_null(w);
	else
		jsonw_sv(w, v);
}

void triage_json(struct buf *out, const struct triage *t)
{
	struct jsonw w = jsonw_on(out);

	jsonw_open(&w, '{');
	jsonw_key_text(&w, "status", t->status);
	text_or_null(&w, "assignee", t->assignee);
	text_or_null(&w, "reason", t->reason);
	jsonw_key(&w, "changed_at");
	jsonw_instant(&w, (struct instant){ t->changed_at });
	text_or_null(&w, "changed_by", t->changed_by);
	jsonw_close(&w, '}');
}

/* The finding's revision; 0: there is none. */
static uint32_t revision_of(struct store *s, const char *uid)
{
	struct error err;
	sqlite3_stmt *q =
	    statement_once(s, "SELECT revision FROM finding WHERE uid=?", &err, "t", uid);
	uint32_t revision = 0;

	if (q != NULL && sqlite3_step(q) == SQLITE_ROW)
		revision = (uint32_t)sqlite3_column_int64(q, 0);
	sqlite3_finalize(q);
	return revision;
}

/* Pages that are being turned see it again, and those who listen hear of it. */
static bool tell(struct store *s, const char *uid, int64_t at, struct sv triage, struct error *err)
{
	struct buf data;
	struct jsonw w;
	bool ok;

	buf_init(&data, 2 * MAX_JSON);
	w = jsonw_on(&data);
	jsonw_open(&w, '{');
	jsonw_key_str(&w, "uid", uid);
	jsonw_key(&w, "triage");
	jsonw_raw(&w, triage);
	jsonw_close(&w, '}');
	ok = statement_do(
		 s,
		 "UPDATE finding SET seq=(SELECT coalesce(max(seq),0)+1 FROM finding) WHERE uid=?",
		 err, "t", uid) &&
	     changes_write(s, at, "triage", sv_cstr(uid), buf_view(&data), err);
	buf_free(&data);
	return ok;
}

/* The row, its audit and its change. basis: a decision takes the evidence of now as its ground. */
static bool put(struct store *s, const struct audit_who *who, const char *action, const char *uid,
		const struct triage *before, const struct triage *after, bool basis,
		struct error *err)
{
	struct buf was, is;
	bool ok;

	buf_init(&was, MAX_JSON);
	buf_init(&is, MAX_JSON);
	triage_json(&was, before);
	triage_json(&is, after);
	ok =
	    statement_do(s,
			 "INSERT INTO triage(uid,status,assignee,reason,changed_at,changed_by) "
			 "VALUES(?,?,?,?,?,?) ON CONFLICT(uid) DO UPDATE SET "
			 "status=excluded.status,assignee=excluded.assignee,reason=excluded.reason,"
			 "changed_at=excluded.changed_at,changed_by=excluded.changed_by",
			 err, "tvVViv", uid, after->status, after->assignee, after->reason,
			 after->changed_at, after->changed_by) &&
	    (!basis || statement_do(s, "UPDATE triage SET basis=(" BASIS ") WHERE uid=?", err, "tt",
				    uid, uid)) &&
	    audit_write(s, who, action, sv_cstr(uid), buf_view(&was), buf_view(&is), err) &&
	    tell(s, uid, who->at, buf_view(&is), err);
	buf_free(&was);
	buf_free(&is);
	return ok;
}

static const char *action_of(const char *status)
{
	return strcmp(status, "acknowledged") == 0 ? "finding.acknowledge"
	       : strcmp(status, "closed") == 0	   ? "finding.close"
						   : "finding.reopen";
}

enum triage_result triage_decide(struct store *s, const struct audit_who *who, const char *uid,
				 const char *status, struct sv reason, uint32_t revision,
				 struct error *err)
{
	uint32_t current = revision_of(s, uid);
	enum triage_result result = TRIAGE_DONE;
	struct triage before, after;
	struct arena a = { 0 };
	bool reopens = strcmp(status, "reopened") == 0;

	if (current == 0)
		return TRIAGE_NONE;
	if (revision != 0 && revision != current)
		return TRIAGE_STALE;
	triage_get(s, uid, &a, &before);
	if ((sv_eq(before.status, sv_cstr(status)) && sv_eq(before.reason, reason)) ||
	    (reopens &&
	     (sv_eq(before.status, SV("open")) || sv_eq(before.status, SV("reopened"))))) {
		result = TRIAGE_ALREADY;
	} else {
		after = before;
		after.status = sv_cstr(status);
		after.reason = reason;
		after.changed_at = who->at;
		after.changed_by = who->actor;
		if (!put(s, who, action_of(status), uid, &before, &after, !reopens, err))
			result = TRIAGE_REFUSED;
	}
	arena_free(&a);
	return result;
}

enum triage_result triage_assign(struct store *s, const struct audit_who *who, const char *uid,
				 struct sv assignee, struct error *err)
{
	enum triage_result result = TRIAGE_DONE;
	struct triage before, after;
	struct arena a = { 0 };

	if (revision_of(s, uid) == 0)
		return TRIAGE_NONE;
	triage_get(s, uid, &a, &before);
	if (sv_eq(before.assignee, assignee)) {
		result = TRIAGE_ALREADY;
	} else {
		after = before;
		after.assignee = assignee;
		after.changed_at = who->at;
		after.changed_by = who->actor;
		if (!put(s, who, "finding.assign", uid, &before, &after, false, err))
			result = TRIAGE_REFUSED;
	}
	arena_free(&a);
	return result;
}

static void comment_json(struct buf *out, const char *uid, int64_t id, const struct audit_who *who,
			 struct sv text)
{
	struct jsonw w = jsonw_on(out);

	jsonw_open(&w, '{');
	if (uid != NULL) {
		jsonw_key_str(&w, "uid", uid);
	}
	jsonw_key_int(&w, "id", id);
	jsonw_key_text(&w, "author", who->actor);
	jsonw_key_text(&w, "text", text);
	jsonw_close(&w, '}');
}

enum triage_result triage_comment(struct store *s, const struct audit_who *who, const char *uid,
				  struct sv text, int64_t *id, struct error *err)
{
	struct buf after, data;
	bool ok;

	if (revision_of(s, uid) == 0)
		return TRIAGE_NONE;
	buf_init(&after, MAX_JSON);
	buf_init(&data, MAX_JSON);
	ok = statement_do(s, "INSERT INTO comments(uid,at,author,text) VALUES(?,?,?,?)", err,
			  "tivv", uid, who->at, who->actor, text);
	*id = ok ? sqlite3_last_insert_rowid(s->db) : 0;
	comment_json(&after, NULL, *id, who, text);
	comment_json(&data, uid, *id, who, text);
	ok = ok &&
	     audit_write(s, who, "finding.comment", sv_cstr(uid), SV_NONE, buf_view(&after), err) &&
	     changes_write(s, who->at, "comment", sv_cstr(uid), buf_view(&data), err);
	buf_free(&after);
	buf_free(&data);
	return ok ? TRIAGE_DONE : TRIAGE_REFUSED;
}

bool triage_comments(struct store *s, const char *uid,
		     void (*take)(void *arg, const struct triage_comment *c), void *arg,
		     struct error *err)
{
	sqlite3_stmt *q = statement_once(
	    s, "SELECT id,at,author,text FROM comments WHERE uid=? ORDER BY id", err, "t", uid);
	int code;

	if (q == NULL)
		return false;
	while ((code = sqlite3_step(q)) == SQLITE_ROW) {
		struct triage_comment c = { sqlite3_column_int64(q, 0), sqlite3_column_int64(q, 1),
					    column_text(q, 2), column_text(q, 3) };
		take(arg, &c);
	}
	sqlite3_finalize(q);
	return code == SQLITE_DONE || store_refused(s, "cannot be read", err);
}

/* ---- by itself */

/* How grave a verdict is; the enumeration is in the order of outputs. */
static int gravity(struct sv verdict)
{
	static const struct {
		enum verdict verdict;
		int gravity;
	} all[] = { { VERDICT_OBSERVED, 1 }, { VERDICT_SUSPECTED, 2 }, { VERDICT_CONFIRMED, 3 } };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (sv_eq(verdict, sv_cstr(verdict_name(all[i].verdict))))
			return all[i].gravity;
	return 0;
}

static int severity_rank(struct sv severity)
{
	for (int i = 0; i <= SEVERITY_HIGH; i++)
		if (sv_eq(severity, sv_cstr(severity_name((enum severity)i))))
			return i;
	return 0;
}

static void because(struct buf *why, const char *what, struct sv from, struct sv to)
{
	if (why->n > 0)
		buf_str(why, "; ");
	buf_printf(why, "%s %.*s, was %.*s", what, SV_ARG(to), SV_ARG(from));
}

/* In what the evidence goes beyond the basis; empty: in nothing. */
static bool compare(struct store *s, const char *uid, struct buf *why, struct error *err)
{
	sqlite3_stmt *q =
	    statement_once(s,
			   "SELECT json_extract(t.basis,'$.verdict'),f.verdict,"
			   "json_extract(t.basis,'$.severity'),f.severity,(SELECT "
			   "group_concat(value,', ') FROM json_each(f.json,'$.paths') WHERE value "
			   "NOT IN (SELECT value FROM json_each(t.basis,'$.paths'))),(SELECT "
			   "count(*) FROM json_each(f.json,'$.devices') d WHERE "
			   "json_extract(d.value,'$.id') NOT IN (SELECT value FROM "
			   "json_each(t.basis,'$.devices') WHERE value IS NOT NULL)),(SELECT "
			   "min(json_extract(d.value,'$.id')) FROM json_each(f.json,'$.devices') d "
			   "WHERE json_extract(d.value,'$.id') NOT IN (SELECT value FROM "
			   "json_each(t.basis,'$.devices') WHERE value IS NOT NULL)) FROM triage t "
			   "JOIN finding f ON f.uid=t.uid WHERE t.uid=?",
			   err, "t", uid);
	int code, more;

	if (q == NULL)
		return false;
	code = sqlite3_step(q);
	if (code == SQLITE_ROW) {
		if (gravity(column_text(q, 1)) > gravity(column_text(q, 0)))
			because(why, "verdict", column_text(q, 0), column_text(q, 1));
		if (severity_rank(column_text(q, 3)) > severity_rank(column_text(q, 2)))
			because(why, "severity", column_text(q, 2), column_text(q, 3));
		if (column_text(q, 4).n > 0)
			buf_printf(why, "%spath %.*s", why->n > 0 ? "; " : "",
				   SV_ARG(column_text(q, 4)));
		more = sqlite3_column_int(q, 5);
		if (more > 0)
			buf_printf(why, "%s%d new device%s: %.*s%s", why->n > 0 ? "; " : "", more,
				   more > 1 ? "s" : "", SV_ARG(sv_first(column_text(q, 6), 128)),
				   more > 1 ? ", …" : "");
	}
	sqlite3_finalize(q);
	return code == SQLITE_ROW || code == SQLITE_DONE || store_refused(s, "cannot be read", err);
}

bool triage_revised(struct store *s, const char *uid, int64_t at, struct error *err)
{
	const struct audit_who who = { SV("pinwatch"), SV("daemon"), SV_NONE, at };
	sqlite3_stmt *q = statement(s, HAS_TRIAGE, "t", uid);
	bool decided = sqlite3_step(q) == SQLITE_ROW;
	enum triage_result result = TRIAGE_DONE;
	struct buf why;

	sqlite3_reset(q);
	if (!decided)
		return true;
	buf_init(&why, 4096);
	if (!compare(s, uid, &why, err))
		result = TRIAGE_REFUSED;
	else if (why.n > 0)
		result = triage_decide(s, &who, uid, "reopened", buf_view(&why), 0, err);
	buf_free(&why);
	return result != TRIAGE_REFUSED;
}
