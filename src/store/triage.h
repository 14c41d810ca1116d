/* What people decided about findings, and when a decision no longer holds.
 *
 * A finding is open, acknowledged, closed or reopened; resolved is said where it is quiet and not
 * closed. Deciding keeps the evidence as it was (the basis: verdict, severity, paths, devices).
 * When a revision is written whose evidence goes beyond the basis (a graver verdict or severity, a
 * path or a device more), the finding is reopened in the same transaction. Less evidence reopens
 * nothing. Each change has its row in the audit and in the changes. Writing calls stand in a
 * transaction.
 */
#ifndef PINWATCH_STORE_TRIAGE_H
#define PINWATCH_STORE_TRIAGE_H

#include "store/audit.h"

#define TRIAGE_STATUSES "open acknowledged closed reopened resolved"

enum triage_result {
	TRIAGE_DONE,
	TRIAGE_NONE,	/* there is no such finding */
	TRIAGE_STALE,	/* its revision is another than the one that was looked at */
	TRIAGE_ALREADY, /* it is so already */
	TRIAGE_REFUSED, /* *err: the database */
};

struct triage {
	struct sv status, assignee, reason, changed_by; /* in the arena; empty: none */
	int64_t changed_at;				/* INT64_MIN: nobody did anything */
};

/* What was decided; a finding that nobody touched is open. */
void triage_get(struct store *s, const char *uid, struct arena *a, struct triage *out);
/* As the API shows it. */
void triage_json(struct buf *out, const struct triage *t);

/* status: acknowledged, closed or reopened. reason: why, empty: none. revision: the one that the
 * person looked at, 0: whichever. */
enum triage_result triage_decide(struct store *s, const struct audit_who *who, const char *uid,
				 const char *status, struct sv reason, uint32_t revision,
				 struct error *err);
/* assignee empty: nobody. */
enum triage_result triage_assign(struct store *s, const struct audit_who *who, const char *uid,
				 struct sv assignee, struct error *err);
/* *id: of the comment. */
enum triage_result triage_comment(struct store *s, const struct audit_who *who, const char *uid,
				  struct sv text, int64_t *id, struct error *err);

struct triage_comment {
	int64_t id, at;
	struct sv author, text;
};
bool triage_comments(struct store *s, const char *uid,
		     void (*take)(void *arg, const struct triage_comment *c), void *arg,
		     struct error *err);

/* Reopens what was acknowledged or closed, where the revision that was just written goes beyond
 * it. */
bool triage_revised(struct store *s, const char *uid, int64_t at, struct error *err);

#endif
