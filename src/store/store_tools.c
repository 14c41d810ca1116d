#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "store/statements.h"

/* What must hold between tables: a question, and what a row of its answer means. */
static const struct {
	const char *sql, *means;
} rules[] = {
	{ "SELECT uid FROM finding f WHERE (kind<>'pinning' OR verdict IN "
	  "('confirmed','suspected')) AND NOT EXISTS(SELECT 1 FROM finding_history h WHERE "
	  "h.uid=f.uid AND h.revision=f.revision AND h.json=f.json)",
	  "the newest revision of a finding that is shown is not in its history" },
	{ "SELECT uid FROM finding_history h WHERE NOT EXISTS(SELECT 1 FROM finding f WHERE "
	  "f.uid=h.uid AND f.revision>=h.revision)",
	  "history of a finding that is not there, or newer than it" },
	{ "SELECT uid FROM outbox o WHERE NOT EXISTS(SELECT 1 FROM finding_history h WHERE "
	  "h.uid=o.uid AND h.revision=o.revision)",
	  "the outbox names a revision that is not there" },
	{ "SELECT uid FROM finding WHERE json_valid(json)=0 OR json_extract(json,'$.uid')<>uid"
	  " OR json_extract(json,'$.revision')<>revision OR "
	  "json_extract(json,'$.verdict')<>verdict",
	  "a finding's columns and its JSON disagree" },
	{ "SELECT a.id FROM checkpoint a JOIN checkpoint b ON b.id>a.id WHERE"
	  " b.segment<a.segment OR (b.segment=a.segment AND b.offset<a.offset)",
	  "a newer checkpoint counts less of the journal than an older one" },
	{ "SELECT entry FROM (SELECT entry FROM allow_use UNION SELECT entry FROM allow_cover)"
	  " WHERE entry NOT IN (SELECT id FROM allow_entries)",
	  "something is counted of an allow-list entry that is not there" },
	{ "SELECT name FROM input WHERE checkpoint>(SELECT max(id) FROM checkpoint)",
	  "an input's position belongs to no checkpoint" },
	{ "SELECT uid FROM triage t WHERE NOT EXISTS(SELECT 1 FROM finding f WHERE f.uid=t.uid)"
	  " UNION SELECT uid FROM comments c WHERE NOT EXISTS(SELECT 1 FROM finding f WHERE "
	  "f.uid=c.uid)",
	  "people decided or commented on a finding that is not there" },
	{ "SELECT uid FROM triage WHERE status IN ('acknowledged','closed') AND "
	  "coalesce(json_valid(basis),0)=0",
	  "a decision lacks the evidence that it rests on" },
	{ "SELECT user FROM tokens t WHERE NOT EXISTS(SELECT 1 FROM users u WHERE u.name=t.user)"
	  " UNION SELECT user FROM sessions s WHERE NOT EXISTS(SELECT 1 FROM users u WHERE "
	  "u.name=s.user)",
	  "a token or session of a user who is not there" },
};

static bool ask(struct store *s, const char *sql, const char *means, int most,
		void (*complain)(void *arg, const char *what), void *arg, bool *clean,
		struct error *err)
{
	sqlite3_stmt *q = NULL;
	char text[512];
	int code;

	if (sqlite3_prepare_v2(s->db, sql, -1, &q, NULL) != SQLITE_OK)
		return store_refused(s, "cannot be checked", err);
	while ((code = sqlite3_step(q)) == SQLITE_ROW && most-- > 0) {
		struct sv row = column_text(q, 0);

		if (means == NULL && sv_eq(row, SV("ok")))
			continue;
		snprintf(text, sizeof(text), "%s%s%.*s", means != NULL ? means : "",
			 means != NULL ? ": " : "", SV_ARG(sv_first(row, 200)));
		*clean = false;
		complain(arg, text);
	}
	sqlite3_finalize(q);
	return code == SQLITE_DONE || code == SQLITE_ROW ||
	       store_refused(s, "cannot be checked", err);
}

bool store_check(struct store *s, void (*complain)(void *arg, const char *what), void *arg,
		 struct error *err)
{
	bool clean = true;

	if (!ask(s, "PRAGMA integrity_check(20)", NULL, 20, complain, arg, &clean, err))
		return false;
	for (size_t i = 0; clean && i < sizeof(rules) / sizeof(rules[0]); i++)
		if (!ask(s, rules[i].sql, rules[i].means, 5, complain, arg, &clean, err))
			return false;
	return true;
}

bool store_copy(struct store *s, const char *to, struct error *err)
{
	sqlite3 *target = NULL;
	sqlite3_backup *b;
	struct buf part;
	int code;
	bool ok;

	buf_init(&part, 65536);
	buf_printf(&part, "%s.part", to);
	buf_char(&part, '\0');
	unlink(part.p);
	code = sqlite3_open_v2(part.p, &target, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
	b = code == SQLITE_OK ? sqlite3_backup_init(target, "main", s->db, "main") : NULL;
	if (b != NULL) {
		do {
			code = sqlite3_backup_step(b, 1000);
			if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
				sqlite3_sleep(20);
		} while (code == SQLITE_OK || code == SQLITE_BUSY || code == SQLITE_LOCKED);
		sqlite3_backup_finish(b);
	}
	/* One file: no WAL beside the copy. */
	ok = b != NULL && code == SQLITE_DONE &&
	     sqlite3_exec(target, "PRAGMA journal_mode=DELETE", NULL, NULL, NULL) == SQLITE_OK;
	if (!ok)
		error_set(err, ERROR_IO, 0, "%s: cannot be written: %s", to,
			  target != NULL ? sqlite3_errmsg(target) : "out of memory");
	sqlite3_close(target);
	fault_point("copy.rename");
	if (ok && rename(part.p, to) != 0)
		ok = error_set(err, ERROR_IO, 0, "%s: cannot be put in place: %s", to,
			       strerror(errno));
	if (!ok)
		unlink(part.p);
	buf_free(&part);
	return ok;
}
