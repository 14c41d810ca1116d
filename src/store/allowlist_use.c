/* What allow-list entries cover, and what there is to cover. */
#include <stdio.h>

#include "store/allowlist.h"
#include "store/statements.h"

bool store_allow_put_use(struct store *s, int64_t entry, const struct store_allow_use *use,
			 const struct store_allow_cover *covers, size_t n, struct error *err)
{
	/* What was covered once stays known, though its attempts be forgotten. */
	if (!statement_do(s,
			  "INSERT INTO allow_use VALUES(?,?,?,?,?,?,?) ON CONFLICT(entry) DO "
			  "UPDATE SET attempts=excluded.attempts,"
			  "only_attempts=excluded.only_attempts,findings=excluded.findings,"
			  "only_findings=excluded.only_findings,would_show=excluded.would_show,"
			  "last=max(coalesce(last,excluded.last),coalesce(excluded.last,last))",
			  err, "iiiiiin", entry, (int64_t)use->attempts,
			  (int64_t)use->only_attempts, (int64_t)use->findings,
			  (int64_t)use->only_findings, (int64_t)use->would_show, use->last) ||
	    !statement_do(s, "DELETE FROM allow_cover WHERE entry=?", err, "i", entry))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!statement_do(s, "INSERT OR REPLACE INTO allow_cover VALUES(?,?,?,?,?)", err,
				  "itiit", entry, covers[i].uid, (int64_t)covers[i].attempts,
				  (int64_t)covers[i].only_attempts, covers[i].verdict))
			return false;
	return true;
}

bool store_allow_covers(struct store *s, int64_t entry, struct arena *a,
			struct store_allow_cover **list, size_t *n, struct error *err)
{
	sqlite3_stmt *q =
	    statement_once(s,
			   "SELECT c.uid,attempts,only_attempts,c.verdict,count(*) "
			   "OVER(),f.bundle_id,f.host,f.port FROM allow_cover c LEFT JOIN finding "
			   "f ON f.uid=c.uid WHERE entry=? ORDER BY only_attempts=0,c.uid",
			   err, "i", entry);
	bool ok;
	int code;

	*list = NULL;
	*n = 0;
	if (q == NULL)
		return false;
	while ((code = sqlite3_step(q)) == SQLITE_ROW) {
		struct store_allow_cover *c;

		if (*list == NULL)
			*list = arena_alloc(a, (size_t)sqlite3_column_int64(q, 4) * sizeof(**list));
		c = &(*list)[(*n)++];
		snprintf(c->uid, sizeof(c->uid), "%.*s", SV_ARG(column_text(q, 0)));
		c->attempts = (uint64_t)sqlite3_column_int64(q, 1);
		c->only_attempts = (uint64_t)sqlite3_column_int64(q, 2);
		c->verdict = arena_sv(a, column_text(q, 3)).p;
		c->app = arena_sv(a, column_text(q, 5));
		c->host = arena_sv(a, column_text(q, 6));
		c->port = (uint16_t)sqlite3_column_int(q, 7);
	}
	ok = code == SQLITE_DONE || store_refused(s, "cannot be read", err);
	sqlite3_finalize(q);
	return ok;
}

bool store_allow_put_reach(struct store *s, const char *uid, struct sv servers, bool more,
			   struct error *err)
{
	return statement_do(s, "INSERT OR REPLACE INTO allow_reach VALUES(?,?,?)", err, "tvi", uid,
			    servers, (int64_t)more);
}

bool store_allow_findings(struct store *s,
			  void (*take)(void *arg, const struct store_allow_finding *f), void *arg,
			  struct error *err)
{
	sqlite3_stmt *q =
	    statement_once(s,
			   "SELECT f.uid,f.verdict,f.severity,f.bundle_id,f.host,f.port,"
			   "f.last_seen,f.devices,f.verdict IN('confirmed','suspected') AND "
			   "f.present=1 AND f.resolved_at IS NULL,EXISTS(SELECT 1 FROM "
			   "finding_history h WHERE h.uid=f.uid AND h.verdict IN('confirmed',"
			   "'suspected')),r.servers,coalesce(r.more,0) FROM finding f LEFT JOIN "
			   "allow_reach r ON r.uid=f.uid WHERE f.kind='pinning' ORDER BY "
			   "f.host,f.port,f.bundle_id",
			   err, "");
	bool ok;
	int code;

	if (q == NULL)
		return false;
	while ((code = sqlite3_step(q)) == SQLITE_ROW) {
		const struct store_allow_finding f = {
			.uid = column_text(q, 0).p,
			.verdict = column_text(q, 1).p,
			.severity = column_text(q, 2).p,
			.bundle_id = column_text(q, 3),
			.host = column_text(q, 4),
			.port = (uint16_t)sqlite3_column_int(q, 5),
			.last_seen = column_time(q, 6),
			.devices = (uint64_t)sqlite3_column_int64(q, 7),
			.open = sqlite3_column_int(q, 8) != 0,
			.past = sqlite3_column_int(q, 9) != 0,
			.servers = column_text(q, 10),
			.more_servers = sqlite3_column_int(q, 11) != 0,
		};
		take(arg, &f);
	}
	ok = code == SQLITE_DONE || store_refused(s, "cannot be read", err);
	sqlite3_finalize(q);
	return ok;
}

static bool take_texts(struct store *s, sqlite3_stmt *q, void (*take)(void *arg, struct sv text),
		       void *arg, struct error *err)
{
	bool ok;
	int code;

	if (q == NULL)
		return false;
	while ((code = sqlite3_step(q)) == SQLITE_ROW)
		take(arg, column_text(q, 0));
	ok = code == SQLITE_DONE || store_refused(s, "cannot be read", err);
	sqlite3_finalize(q);
	return ok;
}

bool store_allow_apps(struct store *s, void (*take)(void *arg, struct sv bundle_id), void *arg,
		      struct error *err)
{
	return take_texts(
	    s,
	    statement_once(s, "SELECT DISTINCT bundle_id FROM finding WHERE bundle_id IS NOT NULL",
			   err, ""),
	    take, arg, err);
}

bool store_allow_devices(struct store *s, const char *uid, void (*take)(void *arg, struct sv id),
			 void *arg, struct error *err)
{
	return take_texts(s,
			  statement_once(s,
					 "SELECT json_extract(d.value,'$.id') FROM finding f,"
					 "json_each(f.json,'$.devices') d WHERE f.uid=?",
					 err, "t", uid),
			  take, arg, err);
}
