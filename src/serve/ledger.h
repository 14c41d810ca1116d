/* The ledger: what was found so far, revision by revision.
 *
 * After each judgement every finding is compared with what stands in the ledger: a new uid is
 * revision 1, a changed one the next. What a judgement no longer gives is kept as it last was. A
 * finding that saw nothing new for resolve_after of event time is marked resolved, and open again
 * with its next revision. A revision counts once it is committed: until then a further change
 * replaces it, so that nobody is told of what did not last. Findings that nobody is shown
 * (observed, explained, expected) are many and change with nearly every record. They have no
 * history, and only LEDGER_LAZY of them are written out between two checkpoints, in turns: the
 * journal has what they are made of. One thread.
 */
#ifndef PINWATCH_SERVE_LEDGER_H
#define PINWATCH_SERVE_LEDGER_H

#include "base/keymap.h"
#include "model/finding.h"
#include "model/settings.h"
#include "store/store.h"

#define LEDGER_LAZY 500

struct ledger_entry {
	char uid[37];
	uint32_t revision;  /* committed; 0 none */
	uint64_t digest[2]; /* of the newest state, pending included */
	uint64_t seen;	    /* number of the judgement that gave it last */
	uint64_t since;	    /* finding.since of what was compared last and was taken; 0: none */
	int64_t last_seen;  /* event time */
	int64_t created_at, resolved_at;
	uint8_t kind, verdict, severity;
	bool present;
	/* it is, or its newest committed revision was, for people to see */
	bool shown;
	bool touched;		       /* present or resolved_at changed */
	struct store_finding *pending; /* the next revision, owned; NULL none */
};

struct ledger {
	struct ledger_entry *list;
	size_t n, capacity;
	struct keymap _by_uid;
	uint64_t judgements;
	uint64_t open_by_verdict[VERDICTS];
	size_t n_pending, n_touched;
	size_t n_shown; /* of the pending ones, those that are for people to see */
	size_t n_stale; /* changed, but not written out since the last call with `all` */
	size_t _turn;
	struct buf _json;
};

void ledger_init(struct ledger *l, uint64_t seed);
void ledger_free(struct ledger *l);
/* What the database holds. */
void ledger_load(struct ledger *l, struct store *s);
/* Makes a finding whole that a judgement gave in outline. */
struct ledger_whole {
	void (*make)(void *arg, struct finding *f);
	void *arg;
};

/* Compares; what `since` says is as it was taken last is not looked at. wall: for created_at and
 * the like; newest: event time; all: writes out every change. whole: NULL where no finding is an
 * outline. */
void ledger_take(struct ledger *l, const struct finding *list, size_t n,
		 const struct settings *settings, const struct ledger_whole *whole,
		 struct span resolve_after, int64_t newest, struct instant wall, bool all);
/* Writes pending revisions, their outbox rows (where output is not empty), what was touched, and
 * what those who listen hear of it, into the open transaction; reopens what people had decided
 * where the evidence goes beyond it (triage.h). ledger_committed afterwards, once the commit has
 * succeeded. */
bool ledger_write(struct ledger *l, struct store *s, struct sv output, struct instant wall,
		  struct error *err);
void ledger_committed(struct ledger *l);
static inline bool ledger_changed(const struct ledger *l)
{
	return l->n_pending + l->n_touched > 0;
}

#endif
