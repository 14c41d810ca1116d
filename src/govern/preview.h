/* What an allow-list entry would do, before somebody makes it; and what entries say to one
 * destination.
 *
 * Both go by what the database holds: findings with their apps and destinations, and for networks
 * the servers that findings were seen at. Judging may still differ in what hangs on other findings:
 * attempts that are covered leave the pool by which faults of the gateway and missing roots are
 * told.
 */
#ifndef PINWATCH_GOVERN_PREVIEW_H
#define PINWATCH_GOVERN_PREVIEW_H

#include "base/jsonw.h"
#include "govern/broad.h"

/* Findings that are named; all are counted. */
#define ALLOW_NAMED 500

/* One object; row: a checked draft. */
bool allow_preview_json(struct jsonw *w, struct store *s, const struct store_allow *row,
			struct arena *a, struct error *err);

/* One object. host: a normalised name or an address; app empty: whichever. */
bool allow_test_json(struct jsonw *w, struct store *s, struct sv host, struct sv app,
		     struct instant now, struct arena *a, struct error *err);

#endif
