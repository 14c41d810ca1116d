/* The allow-list as the daemon judges with it: entries of list files and of the database together.
 *
 * Entries of list files have rows in the database too, so that all entries have an id, a history
 * and counts of what they cover; governed_load keeps these rows in step with the configuration. An
 * entry's end is an event: once the wall clock is past it, governed_tick says so in the audit and
 * reopens what was decided about findings that it hid. After each judgement governed_count takes
 * what entries cover; the next checkpoint writes it.
 *
 * The daemon's thread. Settings made by governed_settings borrow from here until the next
 * governed_load.
 */
#ifndef PINWATCH_GOVERN_GOVERNED_H
#define PINWATCH_GOVERN_GOVERNED_H

#include "base/keymap.h"
#include "conf/conf.h"
#include "judge/allow.h"
#include "scan/settings.h"
#include "store/allowlist.h"

/* Findings kept by name of each entry. */
#define GOVERNED_COVERS 200
/* How often counts by finding are written where only the counts have changed. */
#define GOVERNED_EVERY (60 * NS_PER_S)

struct governed_entry {
	int64_t id;
	struct instant until;
	bool said; /* its end stands in the audit */
	/* the database says that it covers nothing, and that has not changed */
	bool blank;
	bool pending; /* to be written */
	/* hashes of what was written: all numbers; which findings, and what they would be */
	uint64_t counts, names;
	uint64_t new_counts, new_names;
	struct store_allow_use use;
	struct store_allow_cover *covers;
	size_t n_covers;
};

struct governed {
	struct arena _arena;		/* entries and lists */
	struct arena _news;		/* what is pending */
	struct governed_entry *entries; /* by id */
	size_t n;
	struct allow_list apps, destinations; /* of the database */
	const int64_t *app_ids, *destination_ids;
	/* of the configuration's entries: apps, then destinations; 0: none */
	const int64_t *file_ids;
	size_t n_file_ids;
	struct instant next_end; /* the next end that is to be said; INSTANT_NONE: none */
	struct instant counted;	 /* when counts by finding were last taken whole */
	struct governed_reach *_reach;
	size_t _n_reach;
	uint64_t _seed;
	struct keymap _reached; /* by uid: a hash of the servers as written */
	uint64_t _devices, _devices_written;
	size_t n_pending;
};

void governed_init(struct governed *g);
void governed_free(struct governed *g);
/* Brings the rows of list files in step, in a transaction of its own, and reads the database's
 * entries. False leaves everything as it was. *changed counts rows written. */
bool governed_load(struct governed *g, struct store *s, const struct conf *c, struct instant wall,
		   uint64_t *changed, struct error *err);
/* settings as settings_from_conf made them of the same configuration: entries get their ids, and
 * the database's are put behind them. */
void governed_settings(const struct governed *g, struct settings *settings, struct arena *a);

/* Puts the database's entries behind those of the settings, for who only looks at a database. */
bool governed_look(struct store *s, struct settings *settings, struct arena *a, struct error *err);

static inline bool governed_is_due(const struct governed *g, struct instant wall)
{
	return instant_known(g->next_end) && g->next_end.ns <= wall.ns;
}
/* Says which ends have come, in a transaction of its own. */
bool governed_tick(struct governed *g, struct store *s, struct instant wall, uint64_t *ended,
		   uint64_t *reopened, struct error *err);

/* ---- governed_count.c */

/* What a judgement under these settings gave. all: counts by finding are to be written, however
 * little changed. */
void governed_count(struct governed *g, const struct settings *settings,
		    const struct allow_tally *tally, const struct finding *findings, size_t n,
		    uint64_t devices, struct instant wall, bool all);
/* In the checkpoint's transaction. */
bool governed_write(const struct governed *g, struct store *s, struct error *err);
void governed_committed(struct governed *g);
static inline bool governed_changed(const struct governed *g) { return g->n_pending > 0; }

#endif
