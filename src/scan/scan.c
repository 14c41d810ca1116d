#include "scan/scan.h"

#include <stdlib.h>
#include <sys/random.h>

#include "scan/feed.h"
#include "scan/settings.h"

/* Passes over the inputs: the plain one, one with a listener that was found, one without the
 * quarantined, one with what is out of order read whole. */
#define MAX_PASSES 5
/* Bad lines that an unconfigured source may have, in parts per million, as bad_line_budget's
 * default. */
#define DEFAULT_BUDGET 50000

struct scan {
	struct arena arena;
	struct settings settings;
	struct inputs_read inputs;
	struct engine engine;
	bool engine_there;
	struct pool pool;
	struct feed feed;
	struct run_summary summary;
	struct source_summary *sources;
	struct listener listener; /* found, not configured */
	bool partial;
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

/* The newest thing that any source says. */
static struct instant newest(const struct inputs_read *in)
{
	struct instant t = INSTANT_NONE;

	for (size_t i = 0; i < in->n_sources; i++) {
		struct instant last = in->sources[i]->summary.last;
		if (instant_known(last) && (!instant_known(t) || last.ns > t.ns))
			t = last;
	}
	return t;
}

static void judge_source(struct source *s, struct instant now)
{
	struct source_summary *m = &s->summary;
	uint64_t bad = m->rejected + m->overlong, budget;

	budget = (m->records - m->irrelevant) *
		 (s->configured != NULL ? s->configured->bad_line_budget : DEFAULT_BUDGET) /
		 1000000;
	m->over_budget = bad > budget;
	if (s->configured != NULL)
		m->stale = !instant_known(m->last) ||
			   now.ns - m->last.ns > s->configured->silence_after.ns;
}

/* Missing, stale or present, by what the records say they are. */
static enum source_status status_of(const struct inputs_read *in, enum sensor_kind kind)
{
	enum source_status status = SOURCE_MISSING;

	for (size_t i = 0; i < in->n_sources; i++) {
		const struct source_summary *m = &in->sources[i]->summary;
		if (m->by_sensor[kind] == 0)
			continue;
		if (!m->stale)
			return SOURCE_PRESENT;
		status = SOURCE_STALE;
	}
	return status;
}

static bool carries_attempts(const struct source_summary *m)
{
	return m->observations[OBS_TLS_ATTEMPT] > 0;
}

/* Everything but what judging counts. */
static void summarise_sources(struct scan *s)
{
	struct run_summary *m = &s->summary;
	struct instant now = newest(&s->inputs);

	s->sources = xcalloc(s->inputs.n_sources, sizeof(*s->sources));
	m->first = m->last = m->overlap_from = m->overlap_to = INSTANT_NONE;
	for (size_t i = 0; i < s->inputs.n_sources; i++) {
		struct source_summary *one = &s->inputs.sources[i]->summary;

		judge_source(s->inputs.sources[i], now);
		s->partial |= one->stale || one->over_budget;
		s->sources[i] = *one;
		if (!instant_known(one->first))
			continue;
		if (!instant_known(m->first) || one->first.ns < m->first.ns)
			m->first = one->first;
		if (!instant_known(m->last) || one->last.ns > m->last.ns)
			m->last = one->last;
		if (!carries_attempts(one))
			continue;
		if (!instant_known(m->overlap_from) || one->first.ns > m->overlap_from.ns)
			m->overlap_from = one->first;
		if (!instant_known(m->overlap_to) || one->last.ns < m->overlap_to.ns)
			m->overlap_to = one->last;
	}
	for (int k = 0; k < 4; k++)
		m->log_sources[k] = status_of(&s->inputs, (enum sensor_kind)k);
	m->sources = s->sources;
	m->n_sources = s->inputs.n_sources;
	m->left_alone = s->inputs.left_alone;
	m->n_left_alone = s->inputs.n_left_alone;
	s->partial |= s->feed.damaged;
}

static void summarise_judgement(struct scan *s)
{
	struct run_summary *m = &s->summary;
	bool *apps = xcalloc(s->engine.names.text.count, sizeof(*apps));

	m->attempts = s->engine.facts.n;
	m->contradictions = s->engine.facts.contradictions;
	m->gateway_own = s->engine.gateway_own;
	m->unjudged = s->engine.facts.without_host + s->engine.facts.without_client;
	m->devices = s->engine.devices.n - 1;
	m->destinations = s->engine.facts.n_destinations - 1;
	for (uint32_t i = 1; i < s->engine.facts.n_findings; i++) {
		uint32_t app = s->engine.facts.findings[i].app;
		if (app != 0 && app < s->engine.names.text.count && !apps[app]) {
			apps[app] = true;
			m->apps++;
		}
	}
	free(apps);
}

static bool anything_parsed(const struct scan *s, struct error *err)
{
	uint64_t observations = 0, outside = 0;
	const struct source_summary *bad = NULL;

	for (size_t i = 0; i < s->inputs.n_sources; i++) {
		const struct source_summary *m = &s->inputs.sources[i]->summary;
		for (int k = 0; k < OBS_KINDS; k++)
			observations += m->observations[k];
		outside += m->outside;
		if (m->n_examples > 0 && bad == NULL)
			bad = m;
	}
	if (observations > 0 || s->feed.interrupted)
		return true;
	if (outside > 0)
		return error_set(err, ERROR_USAGE, 0,
				 "--since, --until: all %llu observations lie outside: expected a "
				 "period that holds some of them",
				 (unsigned long long)outside);
	if (bad == NULL)
		return error_set(err, ERROR_FORMAT, 0,
				 "%.*s: no record says anything of TLS, apps, devices or leases; "
				 "`pinwatch parse --stats FILE` says what is in it",
				 SV_ARG(s->inputs.list[0].path));
	return error_set(err, ERROR_FORMAT, bad->examples[0].line,
			 "no record could be parsed; the first, in %.*s:%u: %.*s (`pinwatch parse "
			 "-v FILE` shows each)",
			 SV_ARG(bad->examples[0].file), bad->examples[0].line,
			 SV_ARG(bad->examples[0].reason));
}

/* From here on as if it were configured. */
static void take_listener(struct scan *s)
{
	s->listener = (struct listener){
		*names_addr_get(&s->engine.names, s->engine.guess.addr),
		s->engine.guess.port,
	};
	s->settings.listeners = &s->listener;
	s->settings.n_listeners = 1;
	s->summary.found_listener = s->listener;
}

static bool read_all(struct scan *s, const struct scan_options *o, struct error *err)
{
	enum feed_result result = FEED_AGAIN;

	s->feed = (struct feed){ .inputs = &s->inputs,
				 .engine = &s->engine,
				 .options = o,
				 .arena = &s->arena,
				 .pool = &s->pool };
	for (int pass = 0; pass < MAX_PASSES && result == FEED_AGAIN; pass++) {
		if (s->engine_there)
			engine_free(&s->engine);
		engine_init(&s->engine, &s->settings, random_seed());
		s->engine_there = true;
		result = feed_pass(&s->feed, err);
		if (result == FEED_LISTENER) {
			take_listener(s);
			result = FEED_AGAIN;
		}
	}
	return result != FEED_FAILED;
}

static void judge(struct scan *s, const struct settings *settings, bool all, struct arena *arena)
{
	struct sv *sources = arena_alloc(&s->arena, s->inputs.n_sources * sizeof(*sources));
	struct sv *files = arena_alloc(&s->arena, s->inputs.n * sizeof(*files));
	struct engine_view view = { .sources = sources, .files = files, .pool = &s->pool };

	for (size_t i = 0; i < s->inputs.n_sources; i++)
		sources[i] = s->inputs.sources[i]->name;
	for (size_t i = 0; i < s->inputs.n; i++)
		files[i] = s->inputs.list[i].path;
	memcpy(view.log_sources, s->summary.log_sources, sizeof(view.log_sources));
	s->engine.settings = settings;
	engine_judge(&s->engine, &view, all, arena);
}

struct scan *scan_run(const struct scan_options *options, struct error *err)
{
	struct scan *s = xcalloc(1, sizeof(*s));

	settings_from_conf(&s->settings, options->conf, &s->arena);
	pool_init(&s->pool,
		  options->conf->threads > 0 ? options->conf->threads : pool_processors());
	if (!inputs_find(&s->inputs, options, &s->arena, err) || !read_all(s, options, err) ||
	    !anything_parsed(s, err)) {
		scan_free(s);
		return NULL;
	}
	summarise_sources(s);
	engine_end(&s->engine);
	judge(s, &s->settings, options->all, &s->arena);
	summarise_judgement(s);
	return s;
}

void scan_free(struct scan *s)
{
	if (s == NULL)
		return;
	if (s->engine_there)
		engine_free(&s->engine);
	inputs_close(&s->inputs);
	pool_free(&s->pool);
	free(s->sources);
	arena_free(&s->arena);
	free(s);
}

const struct finding *scan_findings(const struct scan *s, size_t *n)
{
	*n = s->engine.findings.n;
	return s->engine.findings.list;
}

const struct settings *scan_settings(const struct scan *s) { return &s->settings; }

const struct finding *scan_judge_again(struct scan *s, const struct settings *settings,
				       struct arena *arena, size_t *n)
{
	judge(s, settings, true, arena);
	s->engine.settings = &s->settings; /* those judged by may not live on */
	*n = s->engine.findings.n;
	return s->engine.findings.list;
}

bool scan_outside_period(const struct scan_period *p, const struct observation *o)
{
	return (instant_known(p->until) && o->time.ns >= p->until.ns) ||
	       (instant_known(p->since) && o->time.ns < p->since.ns && o->kind == OBS_TLS_ATTEMPT);
}

const struct run_summary *scan_summary(const struct scan *s) { return &s->summary; }
bool scan_partial(const struct scan *s) { return s->partial; }
bool scan_interrupted(const struct scan *s) { return s->feed.interrupted; }
