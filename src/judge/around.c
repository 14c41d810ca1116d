#include "judge/around.h"

#include <stdlib.h>

/* The newest that was seen, and the newest that is of another kind than that: enough to say when
 * something of another kind than any given one was last seen. Kind 0: none. */
struct latest {
	int64_t at[2];
	uint32_t kind[2];
};

static void latest_see(struct latest *l, uint32_t kind, int64_t at)
{
	if (l->kind[0] != kind) {
		l->kind[1] = l->kind[0];
		l->at[1] = l->at[0];
		l->kind[0] = kind;
	}
	l->at[0] = at;
}

static bool latest_other(const struct latest *l, uint32_t kind, int64_t at, int64_t within)
{
	unsigned k = l->kind[0] == kind;
	uint64_t apart =
	    at > l->at[k] ? (uint64_t)at - (uint64_t)l->at[k] : (uint64_t)l->at[k] - (uint64_t)at;

	return l->kind[k] != 0 && apart <= (uint64_t)within;
}

/* What was done at a destination. */
enum { FAILS = 1, FINE = 2 };

struct survey {
	struct facts *facts;
	uint8_t *deeds; /* by destination */
	int64_t time_window;
	struct device_latest **apps; /* by worker, by device */
};

struct device_latest {
	struct latest fine;
	uint32_t destination; /* for which this holds */
	bool backward;
};

/* What one attempt of a device learns from, and adds to, what was seen of it before (or, walking
 * back, after). */
static void look_at_device(struct fact *x, const struct survey *s, struct latest *fine,
			   struct latest *intercepted)
{
	if (fact_failure(x))
		x->fine_elsewhere |= latest_other(fine, x->destination, x->start, NS_PER_HOUR);
	else if (fact_uninspected_session(x))
		x->intercepted_elsewhere |=
		    latest_other(intercepted, x->destination, x->start, s->time_window);
	if (fact_excluded(x))
		return;
	if (fact_success(x))
		latest_see(fine, x->destination, x->start);
	if (x->inspection == INTERCEPTED)
		latest_see(intercepted, x->destination, x->start);
}

#define DEVICES_A_PIECE 64u

static void survey_devices(void *arg, size_t piece, unsigned worker)
{
	const struct survey *s = arg;
	const struct grouping *devices = &s->facts->by_device;

	(void)worker;
	for (size_t d = piece * DEVICES_A_PIECE;
	     d < (piece + 1) * DEVICES_A_PIECE && d < devices->n_groups; d++) {
		struct group g = grouping_at(devices, (uint32_t)d);
		struct latest fine = { 0 }, intercepted = { 0 };

		for (size_t i = 0; i < g.n; i++) {
			facts_fetch(s->facts, devices, (uint32_t)d, i);
			look_at_device(&s->facts->list[g.items[i]], s, &fine, &intercepted);
		}
		fine = intercepted = (struct latest){ 0 };
		for (size_t i = g.n; i-- > 0;)
			look_at_device(&s->facts->list[g.items[i]], s, &fine, &intercepted);
	}
}

static void look_at_destination(struct fact *x, struct device_latest *devices, bool backward)
{
	struct device_latest *d = &devices[x->device];

	if (d->destination != x->destination || d->backward != backward)
		*d = (struct device_latest){ .destination = x->destination, .backward = backward };
	if (fact_failure(x))
		x->other_app_fine |= latest_other(&d->fine, x->app, x->start, NS_PER_DAY);
	if (fact_success(x) && x->app != 0 && !fact_excluded(x))
		latest_see(&d->fine, x->app, x->start);
}

#define DESTINATIONS_A_PIECE 16u

static void survey_destinations(void *arg, size_t piece, unsigned worker)
{
	const struct survey *s = arg;
	const struct grouping *destinations = &s->facts->by_destination;

	for (size_t d = piece * DESTINATIONS_A_PIECE;
	     d < (piece + 1) * DESTINATIONS_A_PIECE && d < destinations->n_groups; d++) {
		struct group g = grouping_at(destinations, (uint32_t)d);

		if (s->deeds[d] != (FAILS | FINE))
			continue;
		for (size_t i = 0; i < g.n; i++) {
			facts_fetch(s->facts, destinations, (uint32_t)d, i);
			look_at_destination(&s->facts->list[g.items[i]], s->apps[worker], false);
		}
		for (size_t i = g.n; i-- > 0;)
			look_at_destination(&s->facts->list[g.items[i]], s->apps[worker], true);
	}
}

static uint8_t *find_deeds(const struct facts *f)
{
	uint8_t *deeds = xcalloc(f->n_destinations, sizeof(*deeds));

	for (size_t i = 0; i < f->n; i++)
		deeds[f->list[i].destination] |= (uint8_t)((fact_failure(&f->list[i]) ? FAILS : 0) |
							   (fact_success(&f->list[i]) ? FINE : 0));
	return deeds;
}

void around_mark(struct facts *f, const struct context *c)
{
	unsigned threads = pool_threads(c->pool);
	struct survey s = {
		.facts = f,
		.deeds = find_deeds(f),
		.time_window = c->settings->time_window.ns,
		.apps = xcalloc(threads, sizeof(*s.apps)),
	};

	for (unsigned i = 0; i < threads; i++)
		s.apps[i] = xcalloc(f->by_device.n_groups, sizeof(**s.apps));
	pool_each(c->pool, (f->by_device.n_groups + DEVICES_A_PIECE - 1) / DEVICES_A_PIECE,
		  survey_devices, &s);
	pool_each(c->pool,
		  (f->by_destination.n_groups + DESTINATIONS_A_PIECE - 1) / DESTINATIONS_A_PIECE,
		  survey_destinations, &s);
	for (unsigned i = 0; i < threads; i++)
		free(s.apps[i]);
	free(s.apps);
	free(s.deeds);
}
