/* The database's statements, prepared once. Inside of store/ only. */
#ifndef PINWATCH_STORE_STATEMENTS_H
#define PINWATCH_STORE_STATEMENTS_H

#include <sqlite3.h>

#include "store/store.h"

enum statement {
	PUT_META,
	GET_META,
	PUT_CHECKPOINT,
	GET_CHECKPOINTS,
	PRUNE_CHECKPOINTS,
	PRUNE_INPUTS,
	BACK_CHECKPOINTS,
	BACK_INPUTS,
	PUT_INPUT,
	GET_INPUT,
	PUT_SOURCE,
	GET_SOURCES,
	PUT_SEGMENT,
	DROP_SEGMENT,
	GET_SEGMENTS,
	PUT_FINDING,
	PUT_HISTORY,
	TOUCH_FINDING,
	GET_FINDINGS,
	GET_REVISION,
	PRUNE_HISTORY,
	PUT_OUTBOX,
	GET_OUTBOX,
	DROP_OUTBOX,
	COUNT_OUTBOX,
	HAS_TRIAGE,
	PRUNE_CHANGES,
	PRUNE_SESSIONS,
	STATEMENTS
};

struct store {
	sqlite3 *db;
	char *path;
	sqlite3_stmt *statements[STATEMENTS];
};

bool statements_prepare(struct store *s, struct error *err);
void statements_finalize(struct store *s);
/* Binds by type and returns the statement, ready to step. A letter an argument: t const char *
 * (NULL: null), v struct sv, V struct sv (empty: null), i int64_t, n int64_t (INT64_MIN: null), d
 * double. */
sqlite3_stmt *statement(struct store *s, enum statement which, const char *types, ...);
/* Binds likewise and runs to the end. */
bool statement_run(struct store *s, enum statement which, struct error *err, const char *types,
		   ...);
/* The same for what is seldom asked: prepared for the once. NULL and *err where the database
 * refuses; whoever gets one finalizes it. */
sqlite3_stmt *statement_once(struct store *s, const char *sql, struct error *err, const char *types,
			     ...);
/* Prepares, runs to the end, and is done. */
bool statement_do(struct store *s, const char *sql, struct error *err, const char *types, ...);
/* A column's value; a view is good until the next step. */
struct sv column_text(sqlite3_stmt *q, int i);
int64_t column_time(sqlite3_stmt *q, int i); /* INT64_MIN for null */
bool store_refused(const struct store *s, const char *what, struct error *err);

#endif
