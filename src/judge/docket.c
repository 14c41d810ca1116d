#include "judge/docket.h"

#include <stdlib.h>

/* What one app did at the destination in the window. */
struct deeds {
	uint32_t failures, late, successes, inspected_failing, uninspected_failing;
};

/* How many apps did what. */
struct census {
	uint32_t active, failing, both, fine, prompt;
};

/* The destinations, some a piece, by as many workers as there are. */
struct walk {
	const struct facts *facts;
	struct docket *docket;
	struct deeds *deeds; /* by finding; a destination's are its own */
	size_t *begins;	     /* where each destination's entries begin, and the end */
	int64_t window;
};

/* By finding: without failure, session or bypass there is no path, and nothing but observed,
 * explained or expected. The caller frees it. */
static bool *find_worth(const struct facts *f)
{
	bool *worth = xcalloc(f->n_findings, sizeof(*worth));

	for (size_t i = 0; i < f->n; i++) {
		const struct fact *x = &f->list[i];
		if ((fact_failure(x) || fact_uninspected_session(x) || fact_learned_bypass(x)) &&
		    !fact_excluded(x))
			worth[x->finding] = true;
	}
	return worth;
}

static int64_t newest_judged(const struct facts *f, struct group g, const struct allow *allow)
{
	for (size_t i = g.n; i-- > 0;)
		if (allow_covering(allow, &f->list[g.items[i]]) == NULL)
			return f->list[g.items[i]].start;
	return f->list[g.items[g.n - 1]].start;
}

static int by_destination(const void *a, const void *b)
{
	const struct docket_entry *x = a, *y = b;

	if (x->destination != y->destination)
		return x->destination < y->destination ? -1 : 1;
	if (x->newest != y->newest)
		return x->newest < y->newest ? -1 : 1;
	return x->finding < y->finding ? -1 : x->finding > y->finding;
}

static struct census census_of(const struct deeds *d)
{
	bool active = d->failures + d->successes > 0;

	return (struct census){
		.active = active,
		.failing = d->failures > 0,
		.both = d->inspected_failing > 0 && d->uninspected_failing > 0,
		.fine = d->successes > 0,
		.prompt = active && (d->successes > 0 || d->late != d->failures),
	};
}

static void census_move(struct census *c, struct census from, struct census to)
{
	c->active += to.active - from.active;
	c->failing += to.failing - from.failing;
	c->both += to.both - from.both;
	c->fine += to.fine - from.fine;
	c->prompt += to.prompt - from.prompt;
}

/* by: 1 enters the window, UINT32_MAX (that is -1) leaves it. */
static void count(const struct walk *w, struct census *c, const struct fact *x, uint32_t by)
{
	struct deeds *d = &w->deeds[x->finding];
	struct census before;
	bool failing = outcome_class((enum outcome)x->outcome) == CLASS_FAILURE ||
		       x->outcome == UPSTREAM_FAILED;

	if (x->app == 0 || fact_excluded(x))
		return;
	before = census_of(d);
	if (fact_failure(x)) {
		d->failures += by;
		if (x->outcome == ESTABLISHED_NO_DATA)
			d->late += by;
	}
	if (fact_success(x))
		d->successes += by;
	if (failing && x->inspection == INTERCEPTED)
		d->inspected_failing += by;
	if (failing && (x->inspection == BYPASSED || x->inspection == UNINSPECTED))
		d->uninspected_failing += by;
	census_move(c, before, census_of(d));
}

static unsigned two_at_most(uint32_t n) { return n > 2 ? 2 : n; }

static struct others others_than(const struct walk *w, const struct census *all, uint32_t finding)
{
	struct census c = *all;

	census_move(&c, census_of(&w->deeds[finding]), (struct census){ 0 });
	return (struct others){
		.active = two_at_most(c.active) & 3,
		.failing = two_at_most(c.failing) & 3,
		.both = two_at_most(c.both) & 3,
		.fine = c.fine > 0,
		.prompt = c.prompt > 0,
	};
}

static void walk_destination(void *arg, size_t piece, unsigned worker)
{
	const struct walk *w = arg;
	struct docket_entry *e = w->docket->list + w->begins[piece],
			    *end = w->docket->list + w->begins[piece + 1];
	uint32_t destination = e->destination;
	struct group g = grouping_at(&w->facts->by_destination, destination);
	struct census c = { 0 };
	size_t from = facts_from(w->facts, g, e->newest - w->window), to = from;

	(void)worker;
	for (; e < end; e++) {
		/* Logs may claim any time. */
		int64_t until =
		    e->newest > INT64_MAX - w->window ? INT64_MAX : e->newest + w->window;

		for (; to < g.n && w->facts->list[g.items[to]].start <= until; to++) {
			facts_fetch(w->facts, &w->facts->by_destination, destination, to);
			count(w, &c, &w->facts->list[g.items[to]], 1);
		}
		for (; from < to && w->facts->list[g.items[from]].start < e->newest - w->window;
		     from++)
			count(w, &c, &w->facts->list[g.items[from]], UINT32_MAX);
		e->others = others_than(w, &c, e->finding);
	}
}

void docket_build(struct docket *d, const struct facts *f, const struct context *c,
		  const struct allow *allow, bool all)
{
	struct walk w = { .facts = f, .docket = d, .window = c->settings->score_window.ns };
	bool *worth = all ? NULL : find_worth(f);
	size_t destinations = 0;

	*d = (struct docket){ .list = xmalloc((f->n_findings + 1) * sizeof(*d->list)) };
	for (uint32_t i = 1; i < f->n_findings; i++) {
		struct group g = grouping_at(&f->by_finding, i);

		if (g.n > 0 && (all || worth[i]))
			d->list[d->n++] = (struct docket_entry){
				.newest = newest_judged(f, g, allow),
				.finding = i,
				.destination = f->findings[i].destination,
			};
	}
	free(worth);
	qsort(d->list, d->n, sizeof(*d->list), by_destination);
	w.deeds = xcalloc(f->n_findings, sizeof(*w.deeds));
	w.begins = xmalloc((d->n + 1) * sizeof(*w.begins));
	for (size_t i = 0; i < d->n; i++)
		if (i == 0 || d->list[i].destination != d->list[i - 1].destination)
			w.begins[destinations++] = i;
	w.begins[destinations] = d->n;
	pool_each(c->pool, destinations, walk_destination, &w);
	free(w.begins);
	free(w.deeds);
}

void docket_free(struct docket *d) { free(d->list); }
