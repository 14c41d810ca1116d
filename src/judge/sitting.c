/* The sitting of one finding: which of its attempts are judged. */
#include "judge/judge_internal.h"

/* Attempts in the window that no allow-list entry covers; all of them where every one is covered,
 * then *entry is the one that covers the newest. */
static void choose_attempts(struct sitting *s, struct group g, const struct allowance **entry)
{
	const struct bench *b = s->bench;
	const struct facts *f = b->facts;
	size_t from = 0;

	*entry = NULL;
	s->window = arena_alloc(s->scratch, g.n * sizeof(*s->window));
	for (size_t i = 0; i < g.n; i++) {
		const struct fact *x = &f->list[g.items[i]];
		const struct allowance *e = allow_covering(b->allow, x);
		if (e == NULL)
			s->window[s->n_window++] = x;
		else
			*entry = e;
	}
	if (s->n_window > 0) {
		*entry = NULL;
	} else {
		for (size_t i = 0; i < g.n; i++)
			s->window[s->n_window++] = &f->list[g.items[i]];
	}
	s->newest = s->window[s->n_window - 1]->start;
	while (s->window[from]->start < s->newest - b->context->settings->score_window.ns)
		from++;
	s->window += from;
	s->n_window -= from;
}

struct sitting sitting_open(const struct bench *b, const struct docket_entry *e,
			    struct arena *arena, struct arena *scratch,
			    const struct allowance **entry)
{
	struct sitting s = {
		.bench = b,
		.arena = arena,
		.scratch = scratch,
		.app = b->facts->findings[e->finding].app,
		.destination = e->destination,
		.others = e->others,
	};

	choose_attempts(&s, grouping_at(&b->facts->by_finding, e->finding), entry);
	s.kept = arena_alloc(s.scratch, s.n_window * sizeof(*s.kept));
	for (size_t i = 0; i < s.n_window; i++)
		if (!fact_excluded(s.window[i]))
			s.kept[s.n_kept++] = s.window[i];
	s.first_seen = s.n_kept > 0 ? s.kept[0]->start : s.window[0]->start;
	s.last_seen = s.n_kept > 0 ? s.kept[s.n_kept - 1]->start : s.newest;
	s.baseline_learning = baseline_learning(b->baseline, s.first_seen);
	s.off_baseline = !s.baseline_learning &&
			 !baseline_holds(b->baseline, s.app, s.destination, s.first_seen);
	s.trusting = find_trust(&s);
	return s;
}
