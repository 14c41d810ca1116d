#include "scan/engine.h"

#include <stdlib.h>

#include "judge/around.h"

void engine_init(struct engine *e, const struct settings *settings, uint64_t seed)
{
	*e = (struct engine){ .settings = settings, .seed = seed };
	names_init(&e->names, seed);
	inventory_init(&e->inventory, &e->names, seed);
	leases_init(&e->leases, &e->names, seed);
	activities_init(&e->activities, &e->names, seed);
	calendar_init(&e->calendar, sizeof(struct event), seed, event_cmp);
	merge_init(&e->merge, &e->names, seed);
	guess_init(&e->guess, seed);
	if (settings->n_listeners == 0)
		e->merge.guess = &e->guess;
}

/* What a judgement stands on. */
struct engine_stand {
	struct context context;
	struct baseline baseline;
	struct allow allow;
	struct exclusion exclusion;
	struct bench bench;
};

/* What a judgement leaves. */
static void clear(struct engine *e)
{
	engine_rest(e);
	if (!e->_judged)
		return;
	free(e->findings.list);
	e->findings = (struct findings){ 0 };
	facts_free(&e->facts);
	devices_cut(&e->devices, e->_n_devices);
	e->_judged = false;
}

/* What says who is who, and when, changes: postures and the index of activity do not hold any
 * more. */
static void unindex(struct engine *e)
{
	clear(e);
	if (!e->_indexed)
		return;
	postures_free(&e->postures);
	devices_free(&e->devices);
	footing_free(&e->_footing);
	e->_indexed = false;
}

static void index_again(struct engine *e, struct pool *pool)
{
	if (e->_stale)
		unindex(e);
	if (e->_indexed)
		return;
	inventory_finish(&e->inventory);
	leases_finish(&e->leases);
	devices_init(&e->devices, &e->inventory, &e->leases, &e->names, e->seed);
	postures_build(&e->postures, &e->inventory, &e->devices, e->settings->posture_max_age,
		       e->seed);
	activities_finish(&e->activities, &e->devices, pool);
	e->_n_devices = e->devices.n;
	e->_indexed = true;
	e->_stale = false;
}

void engine_free(struct engine *e)
{
	unindex(e);
	merge_free(&e->merge);
	guess_free(&e->guess);
	calendar_free(&e->calendar);
	activities_free(&e->activities);
	leases_free(&e->leases);
	inventory_free(&e->inventory);
	names_free(&e->names);
	if (e->_remembers)
		memo_free(&e->memo);
	free(e->_cuts);
}

/* App activity that names a connection joins attempts. */
static bool names_connection(const struct observation *o)
{
	return o->flow_id.n > 0 || (addr_known(&o->src.ip) && o->src.port != 0);
}

bool engine_take(struct engine *e, const struct observation *o, struct stamp stamp,
		 enum vantage vantage)
{
	struct event event;

	e->_stale |= o->kind != OBS_TLS_ATTEMPT;
	switch (o->kind) {
	case OBS_POSTURE:
		inventory_add(&e->inventory, o, stamp);
		return true;
	case OBS_LEASE:
		leases_add(&e->leases, o, stamp);
		return true;
	case OBS_APP_ACTIVITY:
		activities_add(&e->activities, o, stamp);
		if (o->activity.event != ACTIVITY_CONNECT || !names_connection(o))
			return true;
		break;
	case OBS_TLS_ATTEMPT:
		if (event_is_gateways_own(o, e->settings)) {
			e->gateway_own++;
			return true;
		}
		break;
	case OBS_KINDS:
		return true;
	}
	event_from(&event, o, stamp, vantage, &e->names, e->settings, e->seed);
	return calendar_push(&e->calendar, (struct instant){ stamp.order }, &event);
}

void engine_take_late(struct engine *e, const struct observation *o, struct stamp stamp,
		      enum vantage vantage)
{
	struct event event;

	event_from(&event, o, stamp, vantage, &e->names, e->settings, e->seed);
	merge_event(&e->merge, &event);
}

static void prepare(void *arg, const void *item)
{
	const struct engine *e = arg;

	merge_prefetch(&e->merge, item);
}

static void deliver(void *arg, const void *item)
{
	struct engine *e = arg;
	const struct event *event = item;

	for (size_t i = 0; i < e->_n_cuts; i++)
		if (e->_cuts[i].source == event->stamp.ref.source &&
		    event->stamp.order >= e->_cuts[i].from)
			return;
	merge_event(&e->merge, event);
}

void engine_release(struct engine *e, struct instant watermark)
{
	calendar_release(&e->calendar, watermark, prepare, deliver, e);
}

bool engine_quarantine(struct engine *e, uint16_t source, int64_t from)
{
	if (calendar_released(&e->calendar).ns > from)
		return false;
	e->_stale = true;
	e->_cuts = xrealloc(e->_cuts, e->_n_cuts + 1, sizeof(*e->_cuts));
	e->_cuts[e->_n_cuts++] = (struct engine_cut){ source, from };
	inventory_drop(&e->inventory, source, from);
	leases_drop(&e->leases, source, from);
	activities_drop(&e->activities, source, from);
	return true;
}

void engine_end(struct engine *e)
{
	merge_finish(&e->merge);
	calendar_empty(&e->calendar);
}

struct engine_evicted engine_evict(struct engine *e, uint32_t source, struct instant before)
{
	struct engine_evicted gone;

	unindex(e);
	engine_forget(e);
	gone = (struct engine_evicted){
		.attempts = merge_evict(&e->merge, source, before.ns),
		.activities = activities_evict(&e->activities, source, before.ns),
		.leases = leases_evict(&e->leases, source, before.ns),
		.postures = source == ENGINE_ALL_SOURCES
				? 0
				: inventory_evict(&e->inventory, (uint16_t)source, before.ns),
	};
	if (e->_remembers)
		attempts_heard(&e->merge.attempts); /* numbers are others now */
	return gone;
}

size_t engine_footprint(const struct engine *e, uint32_t source)
{
	size_t n =
	    merge_footprint(&e->merge, source) + activities_footprint(&e->activities, source) +
	    leases_footprint(&e->leases, source) + inventory_footprint(&e->inventory, source);

	if (source == ENGINE_ALL_SOURCES)
		n += names_footprint(&e->names) + calendar_footprint(&e->calendar) +
		     footing_footprint(&e->_footing) +
		     (e->_remembers ? memo_footprint(&e->memo) : 0);
	return n;
}

void engine_remember(struct engine *e, uint64_t judgements)
{
	memo_init(&e->memo, judgements, e->seed);
	e->_remembers = true;
	attempts_heard(&e->merge.attempts);
}

void engine_forget(struct engine *e)
{
	if (!e->_remembers)
		return;
	engine_rest(e);
	memo_clear(&e->memo);
}

static struct engine_stand *stand_on(struct engine *e, const struct engine_view *view)
{
	struct engine_stand *s = xcalloc(1, sizeof(*s));

	s->context = (struct context){
		.settings = e->settings,
		.names = &e->names,
		.merge = &e->merge,
		.devices = &e->devices,
		.postures = &e->postures,
		.activities = &e->activities,
		.seed = e->seed,
		.pool = view->pool,
	};
	s->bench = (struct bench){
		.context = &s->context,
		.facts = &e->facts,
		.baseline = &s->baseline,
		.allow = &s->allow,
		.exclusion = &s->exclusion,
		.sources = view->sources,
		.files = view->files,
		.pool = view->pool,
		.memo = e->_remembers ? &e->memo : NULL,
		.footing = &e->_footing,
	};
	memcpy(s->bench.log_sources, view->log_sources, sizeof(s->bench.log_sources));
	return s;
}

void engine_judge(struct engine *e, const struct engine_view *view, bool all, struct arena *arena)
{
	struct engine_stand *s = stand_on(e, view);
	const struct context *c = &s->context;

	clear(e);
	attempts_note(&e->merge.attempts);
	index_again(e, view->pool);
	if (e->_remembers) {
		memo_begin(&e->memo, &e->merge.attempts);
		if (!footing_there(&e->_footing))
			footing_build(&e->_footing, c);
	}
	facts_build(&e->facts, c);
	baseline_build(&s->baseline, &e->facts, c);
	allow_build(&s->allow, &e->facts, c);
	exclude_build(&s->exclusion, &e->facts, c, &s->allow);
	around_mark(&e->facts, c);
	judge_all(&s->bench, all, arena, &e->findings);
	if (view->tally != NULL)
		allow_count(&s->allow, arena, view->tally);
	e->_judged = true;
	e->_stand = s;
	if (!e->_remembers)
		engine_rest(e);
}

void engine_fill(const struct engine *e, struct arena *arena, struct finding *f)
{
	judge_fill(&e->_stand->bench, arena, f);
}

void engine_rest(struct engine *e)
{
	if (e->_stand == NULL)
		return;
	exclude_free(&e->_stand->exclusion);
	allow_free(&e->_stand->allow);
	baseline_free(&e->_stand->baseline);
	free(e->_stand);
	e->_stand = NULL;
}
