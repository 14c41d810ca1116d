#include "sim/timeline.h"

#include <stdlib.h>

#include "model/observation.h"

/* People use their phones between these hours. */
#define DAY_FROM (6 * NS_PER_HOUR + 30 * NS_PER_MINUTE)
#define DAY_LENGTH (16 * NS_PER_HOUR)
/* Ordinary visits of a device on one day when nothing else is asked for. */
#define ORDINARY_VISITS 8
#define MAX_DAY_VISITS 20000

struct sim_conn *sim_connect(struct sim *s, const struct sim_visit *v, uint16_t pair,
			     struct instant at, enum sim_happening happening, enum sim_route route)
{
	struct sim_conn *c;

	if (at.ns < s->start.ns || at.ns >= s->end.ns)
		return NULL;
	if (s->n_conns == s->cap_conns) {
		s->cap_conns = s->cap_conns == 0 ? 4096 : s->cap_conns * 2;
		s->conns = xrealloc(s->conns, s->cap_conns, sizeof(*s->conns));
	}
	c = &s->conns[s->n_conns++];
	*c = (struct sim_conn){
		/* Whole microseconds: what the finest of the logs can say. */
		.start = at.ns / 1000 * 1000,
		.device = v->device,
		.pair = pair,
		.happening = (uint8_t)happening,
		.route = (uint8_t)route,
		.stack = (uint8_t)s->apps[v->app].stack,
		.requests = 1,
		.flags = (uint16_t)((v->background ? CONN_BACKGROUND : 0) |
				    (v->locked ? CONN_LOCKED : 0)),
		.updated = sim_updated(s, v->app, v->device, at),
	};
	return c;
}

static void add_event(struct sim *s, const struct sim_visit *v, struct instant at,
		      enum activity_event what)
{
	struct sim_event *e;

	if (at.ns < s->start.ns || at.ns >= s->end.ns || s->devices[v->device].edr == EDR_NONE)
		return;
	if (s->n_events == s->cap_events) {
		s->cap_events = s->cap_events == 0 ? 1024 : s->cap_events * 2;
		s->events = xrealloc(s->events, s->cap_events, sizeof(*s->events));
	}
	e = &s->events[s->n_events++];
	*e = (struct sim_event){
		.time = at.ns / NS_PER_MS * NS_PER_MS,
		.device = v->device,
		.app = v->app,
		.what = (uint8_t)what,
		.foreground = what == ACTIVITY_LAUNCHED || what == ACTIVITY_RESUMED,
		.interaction = what == ACTIVITY_LAUNCHED || what == ACTIVITY_RESUMED,
		.locked = v->locked,
		.updated = sim_updated(s, v->app, v->device, at),
	};
}

void sim_play_visit(struct sim *s, struct rng *r, const struct sim_visit *v)
{
	const struct sim_app *app = &s->apps[v->app];

	if (v->background)
		add_event(s, v, v->start, ACTIVITY_BACKGROUND_TASK);
	else if (!app->system)
		add_event(s, v, v->start,
			  rng_chance(r, 250) ? ACTIVITY_LAUNCHED : ACTIVITY_RESUMED);
	for (uint8_t i = 0; i < app->n_pairs; i++) {
		const struct sim_pair *p = &s->pairs[app->pairs[i]];
		if (!rng_chance(r, p->chance))
			continue;
		p->talk(s, r, v, app->pairs[i],
			instant_add(v->start, (struct span){ rng_range(r, 300 * NS_PER_MS,
								       v->length.ns / 3) }));
	}
	if (!v->background && !app->system) {
		struct sim_visit after = *v;
		/* Most put the phone away, and it locks. */
		after.locked = rng_chance(r, 600);
		add_event(s, &after, instant_add(v->start, v->length), ACTIVITY_BACKGROUNDED);
	}
}

/* Connections that one ordinary visit of a device holds on average, in hundredths. */
static uint64_t mean_connections(const struct sim *s)
{
	uint64_t weight = 0, sum = 0;

	for (size_t a = 0; a < s->n_apps; a++) {
		const struct sim_app *app = &s->apps[a];
		uint64_t chance = 0;
		for (uint8_t i = 0; i < app->n_pairs; i++)
			chance += s->pairs[app->pairs[i]].chance;
		/* talk_ok makes two on average. */
		sum += (uint64_t)app->weight * app->share * chance * 2 / 10;
		weight += (uint64_t)app->weight * app->share;
	}
	return weight > 0 && sum > weight ? sum / weight : 100;
}

/* Ordinary visits of this device on this day; the remainder is spread evenly. */
static uint64_t ordinary_visits(const struct sim *s, uint64_t mean, uint32_t device, uint32_t day)
{
	uint64_t cells = (uint64_t)s->n_devices * s->o->days;
	uint64_t cell = (uint64_t)device * s->o->days + day;
	uint64_t total = s->o->connections * 100 / mean;
	uint64_t n;

	if (s->o->connections == 0)
		return ORDINARY_VISITS;
	n = total * (cell + 1) / cells - total * cell / cells;
	return n < MAX_DAY_VISITS ? n : MAX_DAY_VISITS;
}

static uint16_t pick_ordinary(const struct sim *s, const struct sim_device *d, struct rng *r)
{
	uint64_t total = 0, at;

	for (uint16_t a = 0; a < s->n_apps; a++)
		if (sim_has_app(d, a))
			total += s->apps[a].weight;
	at = total > 0 ? rng_below(r, total) : 0;
	for (uint16_t a = 0; a < s->n_apps; a++) {
		if (!sim_has_app(d, a) || s->apps[a].weight == 0)
			continue;
		if (at < s->apps[a].weight)
			return a;
		at -= s->apps[a].weight;
	}
	return 0;
}

static size_t day_apps(const struct sim *s, uint64_t ordinary, uint32_t device, uint32_t day,
		       struct rng *r, uint16_t *apps)
{
	const struct sim_device *d = &s->devices[device];
	size_t n = 0;

	for (uint64_t i = 0; i < ordinary; i++)
		apps[n++] = pick_ordinary(s, d, r);
	for (uint16_t a = 0; a < s->n_apps; a++)
		if (sim_has_app(d, a) && !s->apps[a].background &&
		    s->apps[a].from.ns < sim_day(s, day + 1, 0, 0).ns)
			for (uint16_t k = 0; k < s->apps[a].visits; k++)
				apps[n++] = a;
	for (size_t i = n; i > 1; i--) {
		size_t k = (size_t)rng_below(r, i);
		uint16_t swap = apps[i - 1];
		apps[i - 1] = apps[k];
		apps[k] = swap;
	}
	return n;
}

/* An origin's trouble during the gateway's would have two true explanations: such a visit is left
 * out. */
static bool in_two_troubles(const struct sim *s, const struct sim_visit *v)
{
	const struct sim_app *app = &s->apps[v->app];
	int64_t margin = NS_PER_MINUTE, until = v->start.ns + v->length.ns + margin;

	for (size_t i = 0; i < s->n_spans; i++) {
		if (until < s->spans[i].from.ns || v->start.ns > s->spans[i].until.ns + margin)
			continue;
		for (uint8_t k = 0; k < app->n_pairs; k++)
			if (!s->pairs[app->pairs[k]].pinned &&
			    s->pairs[app->pairs[k]].explained_by != NULL)
				return true;
	}
	return false;
}

void sim_plan_visits(struct sim *s)
{
	uint64_t mean = mean_connections(s);
	uint16_t *apps = xcalloc(MAX_DAY_VISITS + SIM_MAX_APPS * 64, sizeof(*apps));

	for (uint32_t device = 0; device < s->n_devices; device++) {
		struct rng r = rng_stream(s->o->seed, "visits", device);
		for (uint32_t day = 0; day < s->o->days; day++) {
			uint64_t ordinary = ordinary_visits(s, mean, device, day);
			size_t n = day_apps(s, ordinary, device, day, &r, apps);
			/* One slot a visit: an app is alone in the foreground. */
			int64_t slot = n > 0 ? DAY_LENGTH / (int64_t)n : 0;
			for (size_t i = 0; i < n; i++) {
				int64_t most = slot * 4 / 5;
				int64_t length = rng_range(&r, 20 * NS_PER_S, 180 * NS_PER_S);
				struct sim_visit v = { .device = device, .app = apps[i] };
				v.length.ns = length < most ? length : most;
				v.start = sim_day(s, day, 0, 0);
				v.start.ns += DAY_FROM + (int64_t)i * slot +
					      rng_range(&r, 0, slot - v.length.ns);
				if (v.length.ns < NS_PER_S)
					v.length.ns = NS_PER_S;
				if (v.start.ns >= s->apps[v.app].from.ns && !in_two_troubles(s, &v))
					sim_play_visit(s, &r, &v);
			}
		}
	}
	free(apps);
}

static int by_start(const void *a, const void *b)
{
	const struct sim_conn *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	if (x->device != y->device)
		return x->device < y->device ? -1 : 1;
	if (x->pair != y->pair)
		return x->pair < y->pair ? -1 : 1;
	if (x->happening != y->happening)
		return x->happening < y->happening ? -1 : 1;
	if (x->route != y->route)
		return (int)x->route - (int)y->route;
	return (int)x->stack - (int)y->stack;
}

static int by_time(const void *a, const void *b)
{
	const struct sim_event *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	if (x->device != y->device)
		return x->device < y->device ? -1 : 1;
	if (x->app != y->app)
		return x->app < y->app ? -1 : 1;
	return (int)x->what - (int)y->what;
}

void sim_sort_timeline(struct sim *s)
{
	if (s->n_conns > 0)
		qsort(s->conns, s->n_conns, sizeof(*s->conns), by_start);
	if (s->n_events > 0)
		qsort(s->events, s->n_events, sizeof(*s->events), by_time);
}
