/* An allow-list entry of the database, as conf/ reads one of a list file: its patterns, its end,
 * what it meets.
 */
#ifndef PINWATCH_GOVERN_ENTRY_H
#define PINWATCH_GOVERN_ENTRY_H

#include "conf/conf_list.h"
#include "store/allowlist.h"

/* What an entry is made of, as somebody wrote it. */
struct allow_draft {
	bool is_app_list;
	struct sv pattern;
	const struct sv *scope; /* patterns of the other kind; none: all */
	size_t n_scope;
	struct sv owner, reason, ticket, expires; /* empty: not said */
};

#define ALLOW_DAY_EXPECTED                                                                         \
	"a date such as 2027-03-31, the last day (UTC) on which the entry applies"

/* Checks, with the rules of list files, and makes the row of it, normalised, in the arena. Members
 * are called as there. */
bool allow_draft_read(const struct allow_draft *d, struct arena *a, struct store_allow *out,
		      struct error *err);
/* The row with its patterns taken apart, in the arena. A row that no longer reads is
 * ERROR_FORMAT. */
bool allow_entry_read(const struct store_allow *row, struct arena *a, struct allow_entry *out,
		      struct error *err);
/* The patterns of a list file's entry as a row's scope: a JSON array, empty for none. */
struct sv allow_scope(const struct allow_pattern *only, size_t n, struct arena *a);

/* A day's text; false where it is none. */
bool allow_day(struct sv text, struct instant *day);
/* The first moment that the entry does not cover; INSTANT_NONE: it covers all. */
struct instant allow_until(const struct store_allow *row);
/* "active", "expired" or "removed". */
const char *allow_state(const struct store_allow *row, struct instant now);
/* Once an end has been said the entry is over, whatever a clock says later. */
static inline bool allow_is_over(const struct store_allow *row, struct instant now)
{
	struct instant until = allow_until(row);

	return row->removed_at != INT64_MIN || row->expired_at != INT64_MIN ||
	       (instant_known(until) && until.ns <= now.ns);
}

/* How far an entry meets a finding. Networks are held against the servers that are known. */
enum allow_met { MET_NOT, MET_PARTLY, MET_PERHAPS, MET_WHOLLY };
/* servers: separated by spaces; more: there are others. */
enum allow_met allow_meets(const struct allow_entry *e, struct sv app, struct sv host,
			   struct sv servers, bool more);
/* Whether the entry's patterns of apps hold the app. */
bool allow_meets_app(const struct allow_entry *e, struct sv app);

#endif
