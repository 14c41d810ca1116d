#include "store/query.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/statements.h"

#define MAX_SQL 8192
#define UNKNOWN "-9223372036854775807"

#define STATUS                                                                                     \
	"CASE WHEN t.status='closed' THEN 'closed' WHEN f.resolved_at IS NOT NULL THEN 'resolved'" \
	" ELSE coalesce(t.status,'open') END"
#define COLUMNS                                                                                    \
	"SELECT f.uid,f.kind,f.verdict,f.severity,f.confidence," STATUS ",f.bundle_id,f.version,"  \
	"f.host,t.assignee,f.revision,f.risk,f.score,f.port,f.devices,"                            \
	"(SELECT count(*) FROM comments c WHERE c.uid=f.uid),"                                     \
	"f.first_seen,f.last_seen,f.created_at,f.changed_at,f.resolved_at,f.present,f.seq"
#define FROM " FROM finding f LEFT JOIN triage t ON t.uid=f.uid"
#define ONE_OF(n, column) "(?" n "='' OR instr(','||?" n "||',',','||" column "||',')>0)"
#define FILTER                                                                                     \
	" WHERE " ONE_OF("1", "f.verdict") " AND " ONE_OF("2", "f.severity") " AND " ONE_OF(       \
	    "3",                                                                                   \
	    "f.kind") " AND " ONE_OF("4",                                                          \
				     STATUS) " AND (?5='' OR f.bundle_id=?5) AND (?6='' OR "       \
					     "substr(f.bundle_id,1,length(?6))=?6)"                \
					     " AND (?7='' OR f.host=?7) AND (?8='' OR "            \
					     "substr(f.host,-length(?8))=?8 OR '.'||f.host=?8)"    \
					     " AND (?9='' OR EXISTS(SELECT 1 FROM "                \
					     "json_each(f.json,'$.devices') d"                     \
					     " WHERE json_extract(d.value,'$.id')=?9))"            \
					     " AND (?10='' OR coalesce(t.assignee,'-')=?10) AND "  \
					     "(?11 IS NULL OR f.last_seen>=?11)"                   \
					     " AND (?12 OR f.kind<>'pinning' OR f.verdict IN "     \
					     "('confirmed','suspected'))"

/* What findings are sorted by. A text is cut, so that it fits a place. */
static const struct {
	const char *name, *key;
	char type;
} sorts[] = {
	{ "last_seen", "coalesce(f.last_seen," UNKNOWN ")", 'i' },
	{ "first_seen", "coalesce(f.first_seen," UNKNOWN ")", 'i' },
	{ "changed_at", "f.changed_at", 'i' },
	{ "created_at", "f.created_at", 'i' },
	{ "risk", "f.risk", 'i' },
	{ "score", "f.score", 'd' },
	{ "severity",
	  "CASE f.severity WHEN 'high' THEN 3 WHEN 'medium' THEN 2 WHEN 'low' THEN 1 ELSE 0 END",
	  'i' },
	{ "devices", "f.devices", 'i' },
	{ "app", "substr(coalesce(f.bundle_id,''),1,60)", 't' },
	{ "destination", "substr(coalesce(f.host,''),1,60)", 't' },
};

static const char *text(sqlite3_stmt *q, int i) { return column_text(q, i).p; }

static struct query_row row_of(sqlite3_stmt *q)
{
	return (struct query_row){
		.uid = text(q, 0),
		.kind = text(q, 1),
		.verdict = text(q, 2),
		.severity = text(q, 3),
		.confidence = text(q, 4),
		.status = text(q, 5),
		.bundle_id = column_text(q, 6),
		.version = column_text(q, 7),
		.host = column_text(q, 8),
		.assignee = column_text(q, 9),
		.revision = (uint32_t)sqlite3_column_int64(q, 10),
		.risk = sqlite3_column_int(q, 11),
		.score = sqlite3_column_double(q, 12),
		.port = (uint16_t)sqlite3_column_int(q, 13),
		.devices = (size_t)sqlite3_column_int64(q, 14),
		.comments = (size_t)sqlite3_column_int64(q, 15),
		.first_seen = column_time(q, 16),
		.last_seen = column_time(q, 17),
		.created_at = sqlite3_column_int64(q, 18),
		.changed_at = sqlite3_column_int64(q, 19),
		.resolved_at = column_time(q, 20),
		.present = sqlite3_column_int(q, 21) != 0,
	};
}

static int64_t newest_seq(struct store *s, struct error *err)
{
	sqlite3_stmt *q = statement_once(s, "SELECT coalesce(max(seq),0) FROM finding", err, "");
	int64_t seq = q != NULL && sqlite3_step(q) == SQLITE_ROW ? sqlite3_column_int64(q, 0) : -1;

	sqlite3_finalize(q);
	return seq;
}

static void bind_key(sqlite3_stmt *q, const struct query_place *p)
{
	if (p->type == 'i')
		sqlite3_bind_int64(q, 14, p->integer);
	else if (p->type == 'd')
		sqlite3_bind_double(q, 14, p->real);
	else if (p->type == 't')
		sqlite3_bind_text(q, 14, p->text, -1, SQLITE_STATIC);
	if (p->type != 0)
		sqlite3_bind_text(q, 15, p->uid, -1, SQLITE_STATIC);
}

static struct sv without(struct sv v, size_t last) { return sv_first(v, v.n - last); }

/* A statement of the filter, with ?13 bound to `seq`. */
static sqlite3_stmt *ask(struct store *s, const char *sql, const struct query_filter *f,
			 int64_t seq, struct error *err)
{
	bool prefix = sv_ends(f->app, SV(".*")), suffix = sv_starts(f->destination, SV("."));

	return statement_once(
	    s, sql, err, "vvvvvvvvvvnii", f->verdict, f->severity, f->kind, f->status,
	    prefix ? SV_NONE : f->app, prefix ? without(f->app, 1) : SV_NONE,
	    suffix ? SV_NONE : f->destination, suffix ? f->destination : SV_NONE, f->device,
	    f->assignee, f->since, (int64_t)(f->all || f->verdict.n > 0), seq);
}

/* Where the row stands that was just given. */
static void remember(sqlite3_stmt *q, struct query_place *p, char type)
{
	p->seq = sqlite3_column_int64(q, 22);
	snprintf(p->uid, sizeof(p->uid), "%s", text(q, 0));
	if (p->changed)
		return;
	p->type = type;
	p->integer = type == 'i' ? sqlite3_column_int64(q, 23) : 0;
	p->real = type == 'd' ? sqlite3_column_double(q, 23) : 0;
	snprintf(p->text, sizeof(p->text), "%s", type == 't' ? text(q, 23) : "");
}

/* Gives rows up to the limit; *more: there is one behind them. Finalizes. */
static bool give(struct store *s, sqlite3_stmt *q, size_t limit, size_t *n,
		 struct query_place *place, char type, bool *more,
		 void (*take)(void *arg, const struct query_row *r), void *arg, struct error *err)
{
	int code = SQLITE_DONE;

	*more = false;
	while (!*more && (code = sqlite3_step(q)) == SQLITE_ROW) {
		struct query_row r;

		if (*n == limit) {
			*more = true;
			break;
		}
		r = row_of(q);
		take(arg, &r);
		remember(q, place, type);
		++*n;
	}
	if (!*more && code != SQLITE_DONE)
		store_refused(s, "cannot be read", err);
	sqlite3_finalize(q);
	return *more || code == SQLITE_DONE;
}

bool query_findings(struct store *s, const struct query_filter *f, struct sv sort, size_t limit,
		    struct query_place *place, bool *more,
		    void (*take)(void *arg, const struct query_row *r), void *arg,
		    struct error *err)
{
	bool down = sv_starts(sort, SV("-"));
	char sql[MAX_SQL];
	sqlite3_stmt *q;
	size_t which = 0, n = 0;
	int64_t newest;

	sort = sv_skip(sort, down ? 1 : 0);
	while (which + 1 < sizeof(sorts) / sizeof(sorts[0]) &&
	       !sv_eq(sort, sv_cstr(sorts[which].name)))
		which++;
	if (place->asof == 0) {
		newest = newest_seq(s, err);
		if (newest < 0)
			return false;
		place->asof = newest + 1;
	}
	if (!place->changed) {
		snprintf(sql, sizeof(sql),
			 COLUMNS ",%s" FROM FILTER
				 " AND f.seq<?13 AND (?14 IS NULL OR (%s,f.uid)%c(?14,?15))"
				 " ORDER BY %s %s,f.uid %s LIMIT %zu",
			 sorts[which].key, sorts[which].key, down ? '<' : '>', sorts[which].key,
			 down ? "DESC" : "ASC", down ? "DESC" : "ASC", limit + 1);
		q = ask(s, sql, f, place->asof, err);
		if (q == NULL)
			return false;
		bind_key(q, place);
		if (!give(s, q, limit, &n, place, sorts[which].type, more, take, arg, err))
			return false;
		if (*more)
			return true;
		place->changed = true;
		place->seq = place->asof - 1;
	}
	snprintf(sql, sizeof(sql), COLUMNS FROM FILTER " AND f.seq>?13 ORDER BY f.seq LIMIT %zu",
		 limit - n + 1);
	q = ask(s, sql, f, place->seq, err);
	return q != NULL && give(s, q, limit, &n, place, 0, more, take, arg, err);
}

bool query_finding(struct store *s, const char *uid, struct arena *a, struct sv *json,
		   void (*take)(void *arg, const struct query_row *r), void *arg)
{
	struct error err;
	sqlite3_stmt *q =
	    statement_once(s, COLUMNS ",f.json" FROM " WHERE f.uid=?1", &err, "t", uid);
	bool there = q != NULL && sqlite3_step(q) == SQLITE_ROW;

	if (there) {
		struct query_row r = row_of(q);

		*json = arena_sv(a, column_text(q, 23));
		take(arg, &r);
	}
	sqlite3_finalize(q);
	return there;
}

static bool done(struct store *s, sqlite3_stmt *q, int code, struct error *err)
{
	bool ok = code == SQLITE_DONE || store_refused(s, "cannot be read", err);

	sqlite3_finalize(q);
	return ok;
}

bool query_history(struct store *s, const char *uid,
		   void (*take)(void *arg, const struct query_revision *r), void *arg,
		   struct error *err)
{
	sqlite3_stmt *q = statement_once(
	    s, "SELECT revision,at,verdict FROM finding_history WHERE uid=? ORDER BY revision", err,
	    "t", uid);
	int code;

	if (q == NULL)
		return false;
	while ((code = sqlite3_step(q)) == SQLITE_ROW) {
		struct query_revision r = { (uint32_t)sqlite3_column_int64(q, 0),
					    sqlite3_column_int64(q, 1), column_text(q, 2) };
		take(arg, &r);
	}
	return done(s, q, code, err);
}

bool query_audit(struct store *s, struct sv target, struct sv actor, struct sv action,
		 int64_t before, size_t limit, void (*take)(void *arg, const struct query_audit *r),
		 void *arg, struct error *err)
{
	sqlite3_stmt *q =
	    statement_once(s,
			   "SELECT id,at,actor,via,address,action,target,before,after FROM audit"
			   " WHERE (?1='' OR target=?1) AND (?2='' OR actor=?2) AND (?3='' OR "
			   "action=?3) AND (?4=0 OR id<?4) ORDER BY id DESC LIMIT ?5",
			   err, "vvvii", target, actor, action, before, (int64_t)limit);
	int code;

	if (q == NULL)
		return false;
	while ((code = sqlite3_step(q)) == SQLITE_ROW) {
		struct query_audit r = {
			.id = sqlite3_column_int64(q, 0),
			.at = sqlite3_column_int64(q, 1),
			.actor = column_text(q, 2),
			.via = column_text(q, 3),
			.address = column_text(q, 4),
			.action = column_text(q, 5),
			.target = column_text(q, 6),
			.before = column_text(q, 7),
			.after = column_text(q, 8),
		};
		take(arg, &r);
	}
	return done(s, q, code, err);
}

static bool span_of_changes(struct store *s, int64_t *oldest, int64_t *newest, struct error *err)
{
	sqlite3_stmt *q = statement_once(
	    s, "SELECT coalesce(min(id),0),coalesce(max(id),0) FROM changes", err, "");
	int code;

	if (q == NULL)
		return false;
	code = sqlite3_step(q);
	if (code == SQLITE_ROW) {
		*oldest = sqlite3_column_int64(q, 0);
		*newest = sqlite3_column_int64(q, 1);
		code = SQLITE_DONE;
	}
	return done(s, q, code, err);
}

bool query_changes(struct store *s, int64_t after, size_t limit, int64_t *oldest, int64_t *newest,
		   void (*take)(void *arg, const struct query_change *c), void *arg,
		   struct error *err)
{
	sqlite3_stmt *q;
	int code;

	if (!span_of_changes(s, oldest, newest, err))
		return false;
	q = statement_once(s, "SELECT id,at,kind,data FROM changes WHERE id>? ORDER BY id LIMIT ?",
			   err, "ii", after, (int64_t)limit);
	if (q == NULL)
		return false;
	while ((code = sqlite3_step(q)) == SQLITE_ROW) {
		struct query_change c = { sqlite3_column_int64(q, 0), sqlite3_column_int64(q, 1),
					  column_text(q, 2), column_text(q, 3) };
		take(arg, &c);
	}
	return done(s, q, code, err);
}
