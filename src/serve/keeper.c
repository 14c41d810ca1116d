#include "serve/keeper.h"

#include <stdlib.h>
#include <sys/random.h>

#include "scan/settings.h"
#include "store/numbers.h"

/* Bytes that an attempt takes with its references and look-up tables. */
#define ATTEMPT_AT_MOST 400u

static uint64_t random_seed(void)
{
	uint64_t seed = 0;

	/* Without a random seed the tables still work; they are then only as safe as a fixed
	 * one. */
	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		seed = 0x9e3779b97f4a7c15u;
	return seed;
}

static void settle_settings(struct keeper *k, const struct conf *c)
{
	k->settled++;
	arena_free(&k->_settings_arena);
	k->_settings_arena = (struct arena){ 0 };
	settings_from_conf(&k->settings, c, &k->_settings_arena);
	if (k->governed != NULL)
		governed_settings(k->governed, &k->settings, &k->_settings_arena);
	if (k->settings.n_listeners == 0 && k->found.port != 0) {
		k->settings.listeners = &k->found;
		k->settings.n_listeners = 1;
	}
}

/* An engine that has seen nothing, under these settings. */
static void begin(struct keeper *k, const struct conf *c)
{
	if (k->_there) {
		if (k->_remembers)
			k->_judgements = k->engine.memo.judgements;
		engine_free(&k->engine);
	}
	k->_remembers = false;
	settle_settings(k, c);
	engine_init(&k->engine, &k->settings, k->_seed);
	calendar_width(&k->engine.calendar, (struct span){ KEEPER_GRAIN });
	k->_there = true;
	k->released = INT64_MIN;
	k->news = 1;
}

/* ---- replay */

/* Numbers of a segment as ours. */
struct replay {
	struct keeper *k;
	struct numbers numbers;
};

static void replay_segment(void *arg, uint64_t number)
{
	struct replay *r = arg;

	(void)number;
	numbers_begin(&r->numbers);
}

static void replay_source(void *arg, uint64_t number, struct sv name)
{
	struct replay *r = arg;
	const struct live_source *one = live_sources_find(r->k->sources, name);

	numbers_put_source(&r->numbers, number, one != NULL ? one->number : NUMBERS_NONE);
}

static void replay_file(void *arg, uint64_t number, struct sv path)
{
	struct replay *r = arg;

	numbers_put_file(&r->numbers, number, keeper_file(r->k, path));
}

static void replay_observation(void *arg, struct kept_observation *o)
{
	struct replay *r = arg;
	struct keeper *k = r->k;
	struct stamp stamp = { o->order, o->content, o->ref };

	stamp.ref.source = numbers_source(&r->numbers, o->ref.source);
	stamp.ref.file = numbers_file(&r->numbers, o->ref.file);
	if (stamp.ref.source >= k->sources->n)
		return;
	if (!engine_take(&k->engine, &o->seen, stamp, o->vantage) && o->late)
		engine_take_late(&k->engine, &o->seen, stamp, o->vantage);
}

static void replay_release(void *arg, int64_t watermark)
{
	struct replay *r = arg;

	engine_release(&r->k->engine, (struct instant){ watermark });
	r->k->released = watermark;
}

static void replay_evict(void *arg, int32_t source, int64_t before)
{
	struct replay *r = arg;
	uint32_t which = ENGINE_ALL_SOURCES;

	if (source >= 0) {
		which = numbers_source(&r->numbers, (uint64_t)source);
		if (which == NUMBERS_NONE)
			return;
	}
	engine_evict(&r->k->engine, which, (struct instant){ before });
}

static enum journal_result replay(struct keeper *k, struct journal_position at, bool skip,
				  struct journal_position *good, struct error *err)
{
	struct replay r = { .k = k };
	const struct journal_sink sink = {
		.arg = &r,
		.segment = replay_segment,
		.source = replay_source,
		.file = replay_file,
		.observation = replay_observation,
		.release = replay_release,
		.evict = replay_evict,
	};
	enum journal_result result;

	result = journal_replay(k->dir, at, skip, &sink, good, skip ? &k->lost_blocks : NULL, err);
	numbers_free(&r.numbers);
	return result;
}

/* ---- the keeper itself */

enum journal_result keeper_open(struct keeper *k, const struct conf *c,
				const struct governed *governed, const char *dir,
				struct live_sources *sources, struct listener found,
				struct journal_position at, bool skip,
				const struct journal_segment *current,
				struct journal_position *good, struct error *err)
{
	const struct journal_options options = { dir, c->segment_size };
	enum journal_result result;

	*k = (struct keeper){ .dir = dir,
			      .governed = governed,
			      .sources = sources,
			      .found = found,
			      ._seed = random_seed(),
			      .segment_size = c->segment_size };
	intern_init(&k->files, NUMBERS_MAX_FILES, k->_seed);
	begin(k, c);
	result = replay(k, at, skip, good, err);
	if (result != JOURNAL_OK)
		return result;
	k->journal = journal_open(&options, at, current, err);
	return k->journal != NULL ? JOURNAL_OK : JOURNAL_FAILED;
}

void keeper_close(struct keeper *k)
{
	journal_close(k->journal);
	if (k->_there)
		engine_free(&k->engine);
	intern_free(&k->files);
	free(k->file_names);
	arena_free(&k->_settings_arena);
	*k = (struct keeper){ 0 };
}

uint32_t keeper_file(struct keeper *k, struct sv path)
{
	uint32_t number = intern_put(&k->files, path);

	if (number == INTERN_FULL)
		return 0;
	if (number >= k->_file_names_capacity) {
		k->_file_names_capacity = number * 2 + 16;
		k->file_names =
		    xrealloc(k->file_names, k->_file_names_capacity, sizeof(*k->file_names));
	}
	for (; k->n_file_names <= number; k->n_file_names++)
		k->file_names[k->n_file_names] = intern_get(&k->files, k->n_file_names);
	return number;
}

enum taken keeper_take(struct keeper *k, struct live_source *source, const struct observation *o,
		       int64_t order, uint64_t content, uint32_t file, uint32_t line,
		       enum vantage vantage, struct instant wall)
{
	struct kept_observation kept = { .seen = *o,
					 .order = order,
					 .content = content,
					 .ref = { file, line, source->number },
					 .vantage = vantage };
	struct stamp stamp = { order, content, kept.ref };
	enum taken taken = TAKEN;

	if (instant_known(wall) && order > wall.ns && order - wall.ns > KEEPER_AHEAD)
		return QUARANTINED;
	if (!engine_take(&k->engine, o, stamp, vantage)) {
		kept.late = order >= k->released - k->settings.time_window.ns;
		if (kept.late)
			engine_take_late(&k->engine, o, stamp, vantage);
		taken = kept.late ? TAKEN_LATE : TOO_LATE;
	}
	/* What came too late as a connection still tells of its app. */
	if (taken == TOO_LATE && o->kind != OBS_APP_ACTIVITY)
		return taken;
	journal_name_source(k->journal, source->number, source->name);
	journal_name_file(k->journal, file, intern_get(&k->files, file));
	journal_observation(k->journal, &kept);
	k->taken++;
	/* What waits for the watermark is no news yet. */
	if (taken == TAKEN_LATE || o->kind != OBS_TLS_ATTEMPT)
		k->news++;
	return taken;
}

void keeper_release(struct keeper *k, int64_t watermark)
{
	if (watermark == INT64_MIN ||
	    (k->released != INT64_MIN && watermark / KEEPER_GRAIN <= k->released / KEEPER_GRAIN))
		return;
	engine_release(&k->engine, (struct instant){ watermark });
	journal_release(k->journal, watermark);
	k->released = watermark;
	k->news++;
}

struct engine_evicted keeper_evict(struct keeper *k, const struct live_source *source,
				   int64_t before)
{
	struct engine_evicted gone;

	if (source != NULL)
		journal_name_source(k->journal, source->number, source->name);
	journal_evict(k->journal, source != NULL ? source->number : 0, source == NULL, before);
	gone = engine_evict(&k->engine, source != NULL ? source->number : ENGINE_ALL_SOURCES,
			    (struct instant){ before });
	k->evicted += gone.attempts;
	k->news++;
	return gone;
}

size_t keeper_footprint(const struct keeper *k, const struct live_source *source)
{
	const struct engine *e = &k->engine;
	uint32_t which = source != NULL ? source->number : ENGINE_ALL_SOURCES;
	size_t all = engine_footprint(e, which), attempts = merge_footprint(&e->merge, which);
	size_t most = (size_t)e->merge.attempts.n * ATTEMPT_AT_MOST;

	return attempts > most ? all - attempts + most : all;
}

bool keeper_found_listener(struct keeper *k)
{
	if (!k->engine.guess.found || k->found.port != 0)
		return false;
	k->found = (struct listener){ *names_addr_get(&k->engine.names, k->engine.guess.addr),
				      k->engine.guess.port };
	return true;
}

bool keeper_settings(struct keeper *k, const struct conf *c)
{
	struct arena kept = { 0 };
	struct settings before = k->settings;
	bool anew;

	before.listeners =
	    arena_copy(&kept, before.listeners, before.n_listeners * sizeof(*before.listeners));
	before.addresses =
	    arena_copy(&kept, before.addresses, before.n_addresses * sizeof(*before.addresses));
	settle_settings(k, c);
	engine_forget(&k->engine);
	anew = before.n_listeners != k->settings.n_listeners ||
	       before.n_addresses != k->settings.n_addresses;
	for (size_t i = 0; !anew && i < before.n_listeners; i++)
		anew = !addr_eq(&before.listeners[i].ip, &k->settings.listeners[i].ip) ||
		       before.listeners[i].port != k->settings.listeners[i].port;
	for (size_t i = 0; !anew && i < before.n_addresses; i++)
		anew = memcmp(&before.addresses[i], &k->settings.addresses[i],
			      sizeof(*before.addresses)) != 0;
	arena_free(&kept);
	return anew;
}

bool keeper_rebuild(struct keeper *k, const struct conf *c, struct error *err)
{
	struct journal_position at, good;

	if (!journal_sync(k->journal, &at, err))
		return false;
	journal_renumber(k->journal);
	begin(k, c);
	return replay(k, at, true, &good, err) == JOURNAL_OK;
}

struct finding *keeper_judge(struct keeper *k, struct pool *pool, struct arena *arena, size_t *n)
{
	struct engine_view view = { .sources = k->sources->names,
				    .pool = pool,
				    .tally = &k->tally };
	int64_t newest;

	if (k->n_file_names == 0)
		keeper_file(k, SV_NONE);
	/* Not before all of the journal has been replayed: until then nobody asks what changes. */
	if (!k->_remembers)
		engine_remember(&k->engine, k->_judgements);
	k->_remembers = true;
	view.files = k->file_names;
	for (int i = 0; i < 4; i++)
		view.log_sources[i] = live_sources_status(k->sources, (enum sensor_kind)i);
	/* As far as records have been released, since a later one may still say what an attempt
	 * waits for. */
	newest = live_sources_newest(k->sources);
	k->engine.merge.now = newest < k->released ? newest : k->released;
	engine_judge(&k->engine, &view, true, arena);
	*n = k->engine.findings.n;
	return k->engine.findings.list;
}

void keeper_fill(const struct keeper *k, struct arena *arena, struct finding *f)
{
	engine_fill(&k->engine, arena, f);
}

void keeper_judged(struct keeper *k) { engine_rest(&k->engine); }
