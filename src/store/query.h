/* Findings, asked for: filtered, sorted, page by page; and what else is listed.
 *
 * Pages stay whole while findings change. The first page fixes a moment; the listing then gives
 * what has not changed since in the wanted order, and at its end whatever did change (again, where
 * it was given before), until nothing is left. So nothing that is there all the time is missed, and
 * nothing comes twice in the same state.
 */
#ifndef PINWATCH_STORE_QUERY_H
#define PINWATCH_STORE_QUERY_H

#include "store/store.h"

#define QUERY_SORTS                                                                                \
	"last_seen first_seen changed_at created_at risk score severity devices app destination"
#define QUERY_MAX_LIMIT 500

/* Empty: any. Words may be several, with commas between. */
struct query_filter {
	struct sv verdict, severity, kind, status;
	struct sv app;	       /* exact, or `prefix.*` */
	struct sv destination; /* exact, or `.suffix` */
	struct sv device;      /* id */
	struct sv assignee;    /* `-`: nobody */
	int64_t since;	       /* last seen at or after, ns; INT64_MIN: ever */
	/* also what is not shown to people, where no verdict is asked for */
	bool all;
};

/* Where a listing stands. A zeroed one is its beginning. */
struct query_place {
	bool changed; /* gives what changed since; `seq` is the last one given */
	int64_t asof; /* 0: not begun */
	int64_t seq;
	char type; /* of the key: i, d or t; 0: no row given yet */
	int64_t integer;
	double real;
	char text[256];
	char uid[37];
};

struct query_row {
	/* confidence may be NULL */
	const char *uid, *kind, *verdict, *severity, *confidence, *status;
	struct sv bundle_id, version, host, assignee;
	uint32_t revision;
	int risk;
	double score;
	uint16_t port;
	size_t devices, comments;
	int64_t first_seen, last_seen, created_at, changed_at, resolved_at; /* INT64_MIN: none */
	bool present;
};

/* sort: one of QUERY_SORTS, with `-` before it the other way around. Gives at most `limit` rows and
 * moves *place on; *more: there is a next page. Views die with the callback. */
bool query_findings(struct store *s, const struct query_filter *f, struct sv sort, size_t limit,
		    struct query_place *place, bool *more,
		    void (*take)(void *arg, const struct query_row *r), void *arg,
		    struct error *err);
/* One of them; false where there is none. *json: its newest revision, in the arena. */
bool query_finding(struct store *s, const char *uid, struct arena *a, struct sv *json,
		   void (*take)(void *arg, const struct query_row *r), void *arg);

struct query_revision {
	uint32_t revision;
	int64_t at;
	struct sv verdict;
};
bool query_history(struct store *s, const char *uid,
		   void (*take)(void *arg, const struct query_revision *r), void *arg,
		   struct error *err);

struct query_audit {
	int64_t id, at;
	struct sv actor, via, address, action, target, before, after;
};
/* Newest first, behind `before` (0: from the newest). Filters empty: any. */
bool query_audit(struct store *s, struct sv target, struct sv actor, struct sv action,
		 int64_t before, size_t limit, void (*take)(void *arg, const struct query_audit *r),
		 void *arg, struct error *err);

struct query_change {
	int64_t id, at;
	struct sv kind, data;
};
/* Oldest first, behind `after`. *oldest, *newest: ids of those that are kept; 0 none. */
bool query_changes(struct store *s, int64_t after, size_t limit, int64_t *oldest, int64_t *newest,
		   void (*take)(void *arg, const struct query_change *c), void *arg,
		   struct error *err);

#endif
