/* The audit: what people did, and what a due date did in their name.
 *
 * A row is written in the transaction of what it tells of, so that there is neither without the
 * other. Rows are never changed; they go with the database only.
 */
#ifndef PINWATCH_STORE_AUDIT_H
#define PINWATCH_STORE_AUDIT_H

#include "store/store.h"

/* Who acts. Borrowed. */
struct audit_who {
	struct sv actor;   /* a user's name, or `pinwatch` for what comes about by itself */
	struct sv via;	   /* token, session, proxy, socket, file, daemon */
	struct sv address; /* whence; empty: this machine */
	int64_t at;	   /* wall clock, ns */
};

/* action: `finding.close`, `allow.add`, `user.role`, …; target: a uid, an id or a name. before and
 * after: JSON, or empty for null. */
bool audit_write(struct store *s, const struct audit_who *who, const char *action, struct sv target,
		 struct sv before, struct sv after, struct error *err);

/* What those who listen at /api/v1/events are told: `kind` and a JSON object. In the transaction as
 * well. */
bool changes_write(struct store *s, int64_t at, const char *kind, struct sv target, struct sv data,
		   struct error *err);

#endif
