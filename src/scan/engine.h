/* The engine: everything between an observation and the findings, in one value.
 *
 * engine_take accepts observations in any order of arrival; engine_release hands on what the
 * watermark has passed; engine_judge judges what has been released so far, as often as asked.
 * Whoever has read all calls engine_end first. The state is a function of the calls and their
 * order, but for the seed, which reaches no output.
 */
#ifndef PINWATCH_SCAN_ENGINE_H
#define PINWATCH_SCAN_ENGINE_H

#include "base/calendar.h"
#include "base/pool.h"
#include "judge/footing.h"
#include "judge/judge.h"
#include "judge/memo.h"

/* Records of a source from this order time on are quarantined. */
struct engine_cut {
	uint16_t source;
	int64_t from;
};

struct engine {
	const struct settings *settings;
	struct names names;
	struct inventory inventory;
	struct leases leases;
	struct activities activities;
	struct calendar calendar;
	struct merge merge;
	struct guess guess;   /* used where no listener is known */
	uint64_t gateway_own; /* dropped: the gateway's own connections */
	uint64_t seed;
	/* After engine_judge. */
	struct devices devices;
	struct postures postures;
	struct facts facts;
	struct findings findings;
	bool _judged;
	/* Of an engine that judges again and again (engine_remember). */
	struct memo memo;
	struct footing _footing;
	bool _remembers;
	struct engine_stand *_stand; /* what the newest judgement stands on, until engine_rest */
	/* Whether postures and the index of activity are of all that was added, and the devices
	 * then. */
	bool _indexed, _stale;
	uint32_t _n_devices;
	struct engine_cut *_cuts;
	size_t _n_cuts;
};

#define ENGINE_ALL_SOURCES UINT32_MAX

/* What engine_evict gave up. */
struct engine_evicted {
	uint64_t attempts, activities, leases, postures;
};

/* What engine_judge needs to know of the run. */
struct engine_view {
	const struct sv *sources, *files; /* names, by record_ref */
	enum source_status log_sources[4];
	struct pool *pool; /* judges along; may be NULL */
	/* what each allow-list entry covers, in the judgement's arena; may be NULL */
	struct allow_tally *tally;
};

/* seed: random, so that chosen names cannot be made to collide. Settings are borrowed. */
void engine_init(struct engine *e, const struct settings *settings, uint64_t seed);
void engine_free(struct engine *e);
/* False when the record is too late: its second has been released. */
bool engine_take(struct engine *e, const struct observation *o, struct stamp stamp,
		 enum vantage vantage);
/* Takes what engine_take called too late all the same: it joins the attempts that are there. */
void engine_take_late(struct engine *e, const struct observation *o, struct stamp stamp,
		      enum vantage vantage);
void engine_release(struct engine *e, struct instant watermark);
/* Forgets what was taken but not released of a source, from this order time on, and its posture,
 * leases and activity from then on. False when something of it may have been released already. */
bool engine_quarantine(struct engine *e, uint16_t source, int64_t from);
/* Gives back what only taking and releasing need: neither may follow. */
void engine_end(struct engine *e);
/* Forgets what is older than `before`, as if its records had never come: attempts of which every
 * record started before it, activity, and leases that no longer hold then. Of one source: the
 * attempts that no other source saw, and all its leases and posture from before it as well.
 * ENGINE_ALL_SOURCES: posture stays, since a device is what it was last said to be. */
struct engine_evicted engine_evict(struct engine *e, uint32_t source, struct instant before);
/* Bytes held because of a source's records, or (ENGINE_ALL_SOURCES) by the engine, names and what
 * waits to be released included; what judging itself takes is left out. A look through all that is
 * held. */
size_t engine_footprint(const struct engine *e, uint32_t source);
/* Findings, in the arena, of all that was released. What an earlier call left behind the engine is
 * gone. */
void engine_judge(struct engine *e, const struct engine_view *view, bool all, struct arena *arena);
/* From now on judgements follow one another: engine_judge gives of what is as it was, and of what
 * nobody is shown, only an outline (judge.h), and engine_fill the whole of it. judgements: of
 * engines before it, so that finding.since never comes twice. */
void engine_remember(struct engine *e, uint64_t judgements);
/* What was judged is no longer worth anything, since the settings are others. */
void engine_forget(struct engine *e);
/* Between engine_judge and whatever is called next but itself, or engine_rest. */
void engine_fill(const struct engine *e, struct arena *arena, struct finding *f);
/* Gives back what only engine_fill needs. */
void engine_rest(struct engine *e);

#endif
