/* Allow-list entries in the database: those that people put there, and a picture of those in list
 * files.
 *
 * A row stays when its entry is over: expired, ended or removed, with who did it and when. An entry
 * of a list file has `file` and `line`; it is changed in the file, and the daemon keeps its row in
 * step. Beside each entry stands what it covered as of the newest judgement (store_allow_use,
 * store_allow_cover).
 *
 * Every change writes its audit row and its row of changes into the open transaction, and says what
 * findings it brings back: whoever had acknowledged or closed one that the entry hid finds it
 * reopened. Patterns and dates are taken as given: conf/conf_list.h knows what they may be.
 */
#ifndef PINWATCH_STORE_ALLOWLIST_H
#define PINWATCH_STORE_ALLOWLIST_H

#include "base/arena.h"
#include "base/jsonw.h"
#include "store/audit.h"

/* What an entry covers, as of the newest judgement. */
struct store_allow_use {
	uint64_t attempts, only_attempts; /* only: that no other entry covers */
	uint64_t findings, only_findings; /* with such attempts */
	/* of only_findings: that would be confirmed or suspected without it */
	uint64_t would_show;
	/* start of the newest attempt that it ever covered; INT64_MIN none */
	int64_t last;
};

struct store_allow {
	int64_t id;
	bool is_app_list;
	struct sv pattern;
	/* a JSON array of patterns of the other kind; empty: all */
	struct sv scope;
	struct sv owner, reason, ticket; /* empty: not said */
	struct sv expires;		 /* YYYY-MM-DD, UTC, the last day; empty: never */
	int64_t ended_at;		 /* wall clock, ns; INT64_MIN: nobody ended it before */
	struct sv file;			 /* empty: of the database */
	int64_t line;
	int64_t created_at, changed_at;
	struct sv created_by, changed_by;
	int64_t expired_at, removed_at; /* when its end was said; INT64_MIN: not over */
	struct sv removed_by;
	struct store_allow_use use;
};

/* One finding behind an entry. */
struct store_allow_cover {
	char uid[37];
	uint64_t attempts, only_attempts;
	const char *verdict; /* as judged without allow-lists */
	struct sv app, host; /* for reading; of the finding, where it is kept */
	uint16_t port;
};

/* Entries by id, in the arena; removed ones only if asked for. */
bool store_allow_list(struct store *s, bool removed, struct arena *a, struct store_allow **list,
		      size_t *n, struct error *err);
/* False with err->code ERROR_NONE where there is no such entry. */
bool store_allow_get(struct store *s, int64_t id, struct arena *a, struct store_allow *out,
		     struct error *err);
/* The members of one entry as JSON, without its use: what the audit keeps. Into an open object. */
void store_allow_members(struct jsonw *w, const struct store_allow *e);
/* Of them those that whoever writes an entry says. */
void store_allow_draft_members(struct jsonw *w, const struct store_allow *e);

/* ---- changes, in the open transaction */

/* e->id is set. */
bool store_allow_add(struct store *s, const struct audit_who *who, struct store_allow *e,
		     struct error *err);
/* Owner, reason, ticket, expires and place; what was over is so no longer where expires differs.
 * action: allow.renew or allow.change. */
bool store_allow_change(struct store *s, const struct audit_who *who, const char *action,
			const struct store_allow *before, const struct store_allow *after,
			struct error *err);
/* Only where it stands: no change that anybody has to hear of. */
bool store_allow_move(struct store *s, int64_t id, struct sv file, int64_t line, struct error *err);
/* Ends at who->at, or (by_itself) has ended: action allow.expire or allow.expired. *reopened counts
 * findings. */
bool store_allow_end(struct store *s, const struct audit_who *who, const struct store_allow *e,
		     bool by_itself, uint64_t *reopened, struct error *err);
bool store_allow_remove(struct store *s, const struct audit_who *who, const struct store_allow *e,
			uint64_t *reopened, struct error *err);

/* ---- what entries cover */

bool store_allow_put_use(struct store *s, int64_t entry, const struct store_allow_use *use,
			 const struct store_allow_cover *covers, size_t n, struct error *err);
/* The findings behind an entry: those it alone covers first. */
bool store_allow_covers(struct store *s, int64_t entry, struct arena *a,
			struct store_allow_cover **list, size_t *n, struct error *err);
/* Where a finding's connections go: addresses separated by spaces. more: not all of them. */
bool store_allow_put_reach(struct store *s, const char *uid, struct sv servers, bool more,
			   struct error *err);

/* ---- what an entry would cover: every finding about an app and a destination */
struct store_allow_finding {
	const char *uid, *verdict, *severity;
	struct sv bundle_id, host;
	uint16_t port;
	int64_t last_seen;
	uint64_t devices;
	bool open; /* shown, and neither resolved nor gone */
	bool past; /* was shown once */
	struct sv servers;
	bool more_servers;
};
/* Views die with the call. */
bool store_allow_findings(struct store *s,
			  void (*take)(void *arg, const struct store_allow_finding *f), void *arg,
			  struct error *err);
/* Every app that a finding is about, once. */
bool store_allow_apps(struct store *s, void (*take)(void *arg, struct sv bundle_id), void *arg,
		      struct error *err);
/* The ids of a finding's devices. */
bool store_allow_devices(struct store *s, const char *uid, void (*take)(void *arg, struct sv id),
			 void *arg, struct error *err);

#endif
