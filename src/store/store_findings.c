#include <inttypes.h>
#include <stdio.h>

#include "store/statements.h"

bool store_put_finding(struct store *s, const struct store_finding *f, bool history,
		       struct error *err)
{
	char digest[33];

	snprintf(digest, sizeof(digest), "%016" PRIx64 "%016" PRIx64, f->digest[0], f->digest[1]);
	return statement_run(s, PUT_FINDING, err, "tittttidVVViinniiintv", f->uid,
			     (int64_t)f->revision, f->kind, f->verdict, f->severity, f->confidence,
			     (int64_t)f->risk, f->score, f->bundle_id, f->version, f->host,
			     (int64_t)f->port, (int64_t)f->devices, f->first_seen, f->last_seen,
			     (int64_t)f->present, f->created_at, f->changed_at, f->resolved_at,
			     digest, f->json) &&
	       (!history ||
		statement_run(s, PUT_HISTORY, err, "tiitv", f->uid, (int64_t)f->revision,
			      f->changed_at, f->verdict, f->json));
}

bool store_touch_finding(struct store *s, const char *uid, bool present, int64_t resolved_at,
			 struct error *err)
{
	return statement_run(s, TOUCH_FINDING, err, "int", (int64_t)present, resolved_at, uid);
}

static const char *text(sqlite3_stmt *q, int i) { return column_text(q, i).p; }

void store_findings(struct store *s, void (*take)(void *arg, const struct store_finding *f),
		    void *arg)
{
	sqlite3_stmt *q = statement(s, GET_FINDINGS, "");

	while (sqlite3_step(q) == SQLITE_ROW) {
		struct sv digest = column_text(q, 19);
		struct store_finding f = {
			.uid = text(q, 0),
			.revision = (uint32_t)sqlite3_column_int64(q, 1),
			.kind = text(q, 2),
			.verdict = text(q, 3),
			.severity = text(q, 4),
			.confidence = text(q, 5),
			.risk = sqlite3_column_int(q, 6),
			.score = sqlite3_column_double(q, 7),
			.bundle_id = column_text(q, 8),
			.version = column_text(q, 9),
			.host = column_text(q, 10),
			.port = (uint16_t)sqlite3_column_int(q, 11),
			.devices = (size_t)sqlite3_column_int64(q, 12),
			.first_seen = column_time(q, 13),
			.last_seen = column_time(q, 14),
			.present = sqlite3_column_int(q, 15) != 0,
			.created_at = sqlite3_column_int64(q, 16),
			.changed_at = sqlite3_column_int64(q, 17),
			.resolved_at = column_time(q, 18),
		};
		if (digest.n == 32) {
			sv_hex_to_u64(sv_first(digest, 16), &f.digest[0]);
			sv_hex_to_u64(sv_skip(digest, 16), &f.digest[1]);
		}
		take(arg, &f);
	}
	sqlite3_reset(q);
}

bool store_revision(struct store *s, const char *uid, uint32_t revision, struct arena *a,
		    struct sv *json)
{
	sqlite3_stmt *q = statement(s, GET_REVISION, "ti", uid, (int64_t)revision);
	bool there = sqlite3_step(q) == SQLITE_ROW;

	*json = there ? arena_sv(a, column_text(q, 0)) : SV_NONE;
	sqlite3_reset(q);
	return there;
}

bool store_prune_history(struct store *s, int64_t before, struct error *err)
{
	return statement_run(s, PRUNE_HISTORY, err, "i", before);
}

bool store_put_outbox(struct store *s, struct sv output, const char *uid, uint32_t revision,
		      struct error *err)
{
	return statement_run(s, PUT_OUTBOX, err, "vti", output, uid, (int64_t)revision);
}

size_t store_outbox(struct store *s, struct sv output, int64_t after, struct store_outbox *out,
		    size_t n)
{
	sqlite3_stmt *q = statement(s, GET_OUTBOX, "vii", output, after, (int64_t)n);
	size_t i = 0;

	while (i < n && sqlite3_step(q) == SQLITE_ROW) {
		out[i].id = sqlite3_column_int64(q, 0);
		snprintf(out[i].uid, sizeof(out[i].uid), "%.*s", SV_ARG(column_text(q, 1)));
		out[i++].revision = (uint32_t)sqlite3_column_int64(q, 2);
	}
	sqlite3_reset(q);
	return i;
}

bool store_drop_outbox(struct store *s, struct sv output, int64_t until, struct error *err)
{
	return statement_run(s, DROP_OUTBOX, err, "vi", output, until);
}

uint64_t store_outbox_depth(struct store *s)
{
	sqlite3_stmt *q = statement(s, COUNT_OUTBOX, "");
	uint64_t n = sqlite3_step(q) == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(q, 0) : 0;

	sqlite3_reset(q);
	return n;
}
