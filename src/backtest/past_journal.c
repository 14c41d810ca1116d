#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "backtest/past_internal.h"
#include "base/intern.h"
#include "base/pool.h"
#include "scan/engine.h"
#include "store/numbers.h"
#include "store/store.h"

#define MAX_PATH_TEXT 65536
/* A running daemon may give up segments while they are read. */
#define TRIES 5
/* Observations of a segment between two looks at the memory they take, which is a look through all
 * of them. */
#define LOOK_EVERY 500000u
/* Passes: the plain one, and one with a listener that was found. */
#define MAX_PASSES 3

/* A source, numbered by its rank among all names. */
struct ranked_source {
	struct sv name;
	bool configured;
	struct span silence_after;
	uint32_t sensors;    /* 1 << enum sensor_kind: what its records have fed */
	struct instant last; /* newest order time */
};

struct journal_past {
	struct past past;		    /* first */
	const struct past_options *options; /* while opening */
	struct settings settings;
	struct listener listener;
	struct engine engine;
	bool engine_there;
	struct pool pool;
	struct ranked_source *sources; /* by name */
	struct sv *source_names;
	size_t n_sources;
	struct intern files;
	struct sv *file_names;
	struct engine_view view;
	struct arena arena;
	/* While replaying: the segment's numbers as ours. */
	struct numbers numbers;
	uint64_t seed;
	bool stopped, too_large;
};

static uint64_t random_seed(void)
{
	uint64_t seed = 0;

	/* Without a random seed the tables still work; they are then only as safe as a fixed
	 * one. */
	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		seed = 0x9e3779b97f4a7c15u;
	return seed;
}

/* ---- sources, ranked by name as in a scan */

static void add_source(struct journal_past *p, struct sv name, const struct past_source *configured)
{
	size_t at = 0;

	while (at < p->n_sources && sv_cmp(p->sources[at].name, name) < 0)
		at++;
	if (at < p->n_sources && sv_eq(p->sources[at].name, name)) {
		return;
	}
	if (p->n_sources >= UINT16_MAX)
		return;
	p->sources = xrealloc(p->sources, p->n_sources + 1, sizeof(*p->sources));
	memmove(p->sources + at + 1, p->sources + at, (p->n_sources - at) * sizeof(*p->sources));
	p->sources[at] = (struct ranked_source){
		.name = arena_sv(&p->arena, name),
		.configured = configured != NULL,
		.silence_after = configured != NULL ? configured->silence_after : SPAN_NONE,
	};
	p->n_sources++;
}

static void add_stored(void *arg, const struct store_source *s) { add_source(arg, s->name, NULL); }

static uint16_t source_number(const struct journal_past *p, struct sv name)
{
	for (size_t i = 0; i < p->n_sources; i++)
		if (sv_eq(p->sources[i].name, name))
			return (uint16_t)i;
	return UINT16_MAX;
}

/* ---- the journal's calls */

static void on_segment(void *arg, uint64_t number)
{
	struct journal_past *p = arg;

	(void)number;
	numbers_begin(&p->numbers);
}

static void on_source(void *arg, uint64_t number, struct sv name)
{
	struct journal_past *p = arg;

	numbers_put_source(&p->numbers, number, source_number(p, name));
}

static void on_file(void *arg, uint64_t number, struct sv path)
{
	struct journal_past *p = arg;
	uint32_t known = intern_put(&p->files, path);

	numbers_put_file(&p->numbers, number, known == INTERN_FULL ? 0 : known);
}

static void look_at_memory(struct journal_past *p)
{
	p->too_large =
	    p->too_large || (p->options->memory > 0 &&
			     engine_footprint(&p->engine, ENGINE_ALL_SOURCES) > p->options->memory);
}

static void count(struct journal_past *p, const struct kept_observation *o, struct ranked_source *s)
{
	struct past *past = &p->past;

	past->observations++;
	s->sensors |= 1u << o->seen.sensor;
	if (o->order > s->last.ns)
		s->last.ns = o->order;
	if (o->order > p->engine.merge.now)
		p->engine.merge.now = o->order;
	if (!instant_known(past->first) || o->seen.time.ns < past->first.ns)
		past->first = o->seen.time;
	if (!instant_known(past->last) || o->order > past->last.ns)
		past->last.ns = o->order;
	if (past->observations % LOOK_EVERY == 0)
		look_at_memory(p);
	if (past->observations % 4096 == 0 && p->options->stop != NULL)
		p->stopped = p->options->stop(p->options->stop_arg);
}

static void on_observation(void *arg, struct kept_observation *o)
{
	struct journal_past *p = arg;
	struct stamp stamp = { o->order, o->content, o->ref };

	if (p->stopped || p->too_large)
		return;
	stamp.ref.source = numbers_source(&p->numbers, o->ref.source);
	stamp.ref.file = numbers_file(&p->numbers, o->ref.file);
	if (stamp.ref.source >= p->n_sources)
		return;
	if (scan_outside_period(&p->past.period, &o->seen)) {
		p->past.outside++;
		return;
	}
	count(p, o, &p->sources[stamp.ref.source]);
	if (!engine_take(&p->engine, &o->seen, stamp, o->vantage) && o->late)
		engine_take_late(&p->engine, &o->seen, stamp, o->vantage);
}

static void on_release(void *arg, int64_t watermark)
{
	struct journal_past *p = arg;

	if (!p->stopped)
		engine_release(&p->engine, (struct instant){ watermark });
}

static void on_evict(void *arg, int32_t source, int64_t before)
{
	struct journal_past *p = arg;
	uint32_t which = ENGINE_ALL_SOURCES;

	if (source >= 0) {
		which = numbers_source(&p->numbers, (uint64_t)source);
		if (which == NUMBERS_NONE)
			return;
	}
	engine_evict(&p->engine, which, (struct instant){ before });
}

/* ---- reading it all */

static void begin(struct journal_past *p)
{
	struct past *past = &p->past;

	if (p->engine_there)
		engine_free(&p->engine);
	engine_init(&p->engine, &p->settings, p->seed);
	p->engine_there = true;
	past->first = past->last = INSTANT_NONE;
	past->observations = past->outside = past->lost_blocks = 0;
	p->stopped = p->too_large = false;
	for (size_t i = 0; i < p->n_sources; i++) {
		p->sources[i].sensors = 0;
		p->sources[i].last = INSTANT_NONE;
	}
}

static bool replay(struct journal_past *p, const char *dir, struct journal_position until,
		   struct error *err)
{
	const struct journal_sink sink = {
		.arg = p,
		.segment = on_segment,
		.source = on_source,
		.file = on_file,
		.observation = on_observation,
		.release = on_release,
		.evict = on_evict,
	};
	struct journal_position good;
	uint64_t *numbers, lost = 0;
	size_t n;
	bool ok = journal_list(dir, &numbers, &n, err);

	for (size_t i = 0;
	     i < n && ok && numbers[i] <= until.segment && !p->stopped && !p->too_large; i++) {
		ok = journal_replay_segment(dir, numbers[i],
					    numbers[i] == until.segment ? until.offset : UINT64_MAX,
					    true, &sink, &good, &lost, err) == JOURNAL_OK;
		p->past.lost_blocks += lost;
		lost = 0;
		look_at_memory(p);
		if (p->options->stop != NULL && !p->stopped)
			p->stopped = p->options->stop(p->options->stop_arg);
	}
	free(numbers);
	return ok;
}

/* What the database knows: how far the journal counts, the sources, a listener that was found. */
static bool read_database(struct journal_past *p, const char *path, struct journal_position *until,
			  struct error *err)
{
	struct store *s = store_open(path, true, err);
	struct store_checkpoint newest = { .journal = { 0, 0 } };
	struct sv text;

	if (s == NULL)
		return false;
	store_sources(s, add_stored, p);
	if (store_checkpoints(s, &newest, 1) == 1)
		*until = newest.journal;
	if (p->settings.n_listeners == 0 && store_meta(s, "listener", &p->arena, &text) &&
	    !sv_empty(text) && addr_parse_port(text, &p->listener.ip, &p->listener.port)) {
		p->settings.listeners = &p->listener;
		p->settings.n_listeners = 1;
	}
	store_close(s);
	return true;
}

/* Missing, stale or present, as a scan of the same records has it. */
static void judge_sources(struct journal_past *p)
{
	enum source_status *status = p->view.log_sources;

	for (int k = 0; k < 4; k++)
		status[k] = SOURCE_MISSING;
	for (size_t i = 0; i < p->n_sources; i++) {
		const struct ranked_source *s = &p->sources[i];
		bool stale = s->configured && (!instant_known(s->last) ||
					       p->past.last.ns - s->last.ns > s->silence_after.ns);

		for (int k = 0; k < 4; k++) {
			if ((s->sensors & 1u << k) == 0 || status[k] == SOURCE_PRESENT)
				continue;
			status[k] = stale ? SOURCE_STALE : SOURCE_PRESENT;
		}
	}
}

static void finish(struct journal_past *p)
{
	uint32_t n = p->files.count;

	engine_release(&p->engine, (struct instant){ INT64_MAX });
	engine_end(&p->engine);
	p->source_names = xcalloc(p->n_sources + 1, sizeof(*p->source_names));
	for (size_t i = 0; i < p->n_sources; i++)
		p->source_names[i] = p->sources[i].name;
	p->file_names = xcalloc(n + 1, sizeof(*p->file_names));
	for (uint32_t i = 0; i < n; i++)
		p->file_names[i] = intern_get(&p->files, i);
	p->view.sources = p->source_names;
	p->view.files = p->file_names;
	p->view.pool = &p->pool;
	judge_sources(p);
}

static bool read_all(struct journal_past *p, const char *dir, struct journal_position until,
		     struct error *err)
{
	for (int pass = 0; pass < MAX_PASSES; pass++) {
		begin(p);
		if (!replay(p, dir, until, err))
			return false;
		if (p->stopped || p->too_large || !p->engine.guess.found)
			return true;
		p->listener =
		    (struct listener){ *names_addr_get(&p->engine.names, p->engine.guess.addr),
				       p->engine.guess.port };
		p->settings.listeners = &p->listener;
		p->settings.n_listeners = 1;
	}
	return true;
}

static bool fits(const struct journal_past *p, const struct past_options *o, struct error *err)
{
	if (p->too_large)
		return error_set(err, ERROR_LIMIT, 0,
				 "%s: its past takes more than the %llu MB that it may: narrow it "
				 "by since and until",
				 o->state, (unsigned long long)(o->memory / 1000000));
	if (p->past.observations == 0 && p->past.outside > 0)
		return error_set(err, ERROR_USAGE, 0,
				 "--since, --until: all %llu observations lie outside: expected a "
				 "period that holds some of them",
				 (unsigned long long)p->past.outside);
	if (p->past.observations == 0)
		return error_set(err, ERROR_USAGE, 0,
				 "%s: the daemon's journal holds no observation yet: let it read "
				 "something first",
				 o->state);
	return true;
}

static const struct finding *judge_journal(struct past *past, const struct settings *settings,
					   struct arena *arena, size_t *n)
{
	struct journal_past *p = (struct journal_past *)past;

	p->engine.settings = settings;
	engine_judge(&p->engine, &p->view, true, arena);
	p->engine.settings = &p->settings; /* those judged by may not live on */
	past->attempts = p->engine.facts.n;
	*n = p->engine.findings.n;
	return p->engine.findings.list;
}

void past_free_journal(struct past *past)
{
	struct journal_past *p = (struct journal_past *)past;

	if (p->engine_there)
		engine_free(&p->engine);
	pool_free(&p->pool);
	intern_free(&p->files);
	free(p->sources);
	free(p->source_names);
	free(p->file_names);
	numbers_free(&p->numbers);
	arena_free(&p->arena);
	free(p);
}

struct past *past_open(const struct past_options *o, struct error *err)
{
	struct journal_past *p = xcalloc(1, sizeof(*p));
	struct buf database, journal;
	bool ok = false;

	*err = (struct error){ .code = ERROR_NONE };
	buf_init(&database, MAX_PATH_TEXT);
	buf_init(&journal, MAX_PATH_TEXT);
	buf_printf(&database, "%s/pinwatch.db%c", o->state, 0);
	buf_printf(&journal, "%s/journal%c", o->state, 0);
	p->options = o;
	p->seed = random_seed();
	p->past.judge = judge_journal;
	p->past.settings = &p->settings;
	p->past.period = o->period;
	intern_init(&p->files, NUMBERS_MAX_FILES, p->seed);
	pool_init(&p->pool, o->threads > 0 ? o->threads : pool_processors());
	p->settings = *o->settings;
	for (size_t i = 0; i < o->n_sources; i++)
		add_source(p, o->sources[i].name, &o->sources[i]);
	for (int i = 0; i < TRIES && !ok; i++) {
		struct journal_position until = { 0, 0 };

		if (!read_database(p, database.p, &until, err))
			break;
		ok = read_all(p, journal.p, until, err);
	}
	buf_free(&database);
	buf_free(&journal);
	ok = ok && !p->stopped && fits(p, o, err);
	if (!ok) {
		if (p->stopped)
			err->code = ERROR_NONE;
		past_free_journal(&p->past);
		return NULL;
	}
	finish(p);
	p->options = NULL;
	return &p->past;
}
