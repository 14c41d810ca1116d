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

/* What a judgement leaves. */
static void clear(struct engine *e)
{
	if (!e->_judged)
		return;
	free(e->findings.list);
	e->findings = (struct findings){ 0 };
	facts_free(&e->facts);
	devices_cut(&e->devices, e->_n_devices);
	e->_judged = false;
}

/* What says who is who, and when, changes: postures and the index of activity do not hold any more. */
static void unindex(struct engine *e)
{
	clear(e);
	if (!e->_indexed)
		return;
	postures_free(&e->postures);
	devices_free(&e->devices);
	e->_indexed = false;
}

static void index_again(struct engine *e)
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
	activities_finish(&e->activities, &e->devices);
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
	unindex(e);
	return (struct engine_evicted){
		.attempts = merge_evict(&e->merge, source, before.ns),
		.activities = activities_evict(&e->activities, source, before.ns),
		.leases = leases_evict(&e->leases, source, before.ns),
		.postures = source == ENGINE_ALL_SOURCES
				    ? 0
				    : inventory_evict(&e->inventory, (uint16_t)source, before.ns),
	};
}

size_t engine_footprint(const struct engine *e, uint32_t source)
{
	size_t n = merge_footprint(&e->merge, source) + activities_footprint(&e->activities, source) +
		   leases_footprint(&e->leases, source) + inventory_footprint(&e->inventory, source);

	if (source == ENGINE_ALL_SOURCES)
		n += names_footprint(&e->names) + calendar_footprint(&e->calendar);
	return n;
}

void engine_judge(struct engine *e, const struct engine_view *view, bool all, struct arena *arena)
{
	struct context c = {
		.settings = e->settings,
		.names = &e->names,
		.merge = &e->merge,
		.devices = &e->devices,
		.postures = &e->postures,
		.activities = &e->activities,
		.seed = e->seed,
		.pool = view->pool,
	};
	struct baseline baseline;
	struct allow allow;
	struct exclusion exclusion;
	struct bench bench = {
		.context = &c,
		.facts = &e->facts,
		.baseline = &baseline,
		.allow = &allow,
		.exclusion = &exclusion,
		.sources = view->sources,
		.files = view->files,
		.pool = view->pool,
	};

	memcpy(bench.log_sources, view->log_sources, sizeof(bench.log_sources));
	clear(e);
	attempts_note(&e->merge.attempts);
	index_again(e);
	facts_build(&e->facts, &c);
	baseline_build(&baseline, &e->facts, &c);
	allow_build(&allow, &e->facts, &c);
	exclude_build(&exclusion, &e->facts, &c, &allow);
	around_mark(&e->facts, &c);
	judge_all(&bench, all, arena, &e->findings);
	if (view->tally != NULL)
		allow_count(&allow, arena, view->tally);
	exclude_free(&exclusion);
	allow_free(&allow);
	baseline_free(&baseline);
	e->_judged = true;
}
