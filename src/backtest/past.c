#include "backtest/past.h"

#include <stdlib.h>

#include "backtest/past_internal.h"

struct scan_past {
	struct past past; /* first */
	struct scan *scan;
};

static const struct finding *judge_scan(struct past *p, const struct settings *settings,
					struct arena *arena, size_t *n)
{
	return scan_judge_again(((struct scan_past *)p)->scan, settings, arena, n);
}

struct past *past_of_scan(struct scan *s, const struct scan_period *period)
{
	struct scan_past *one = xcalloc(1, sizeof(*one));
	const struct run_summary *m = scan_summary(s);

	one->scan = s;
	one->past = (struct past){
		.judge = judge_scan,
		.settings = scan_settings(s),
		.period = *period,
		.first = m->first,
		.last = m->last,
		.attempts = m->attempts,
	};
	for (size_t i = 0; i < m->n_sources; i++) {
		one->past.outside += m->sources[i].outside;
		for (int k = 0; k < OBS_KINDS; k++)
			one->past.observations += m->sources[i].observations[k];
	}
	return &one->past;
}

const struct past_source *past_sources(const struct conf *c, struct arena *a)
{
	struct past_source *list = arena_alloc(a, (c->n_sources + 1) * sizeof(*list));

	for (size_t i = 0; i < c->n_sources; i++)
		list[i] = (struct past_source){ c->sources[i].name, c->sources[i].silence_after };
	return list;
}

void past_free(struct past *p)
{
	if (p == NULL)
		return;
	if (p->judge == judge_scan)
		free(p);
	else
		past_free_journal(p);
}
