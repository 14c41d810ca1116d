#include "backtest/backtest.h"

#include <stdlib.h>

#include "backtest/diff.h"

struct run {
	struct past *past;
	const struct backtest_options *options;
	struct arena *arena;	   /* of the result */
	struct diff_side in_force; /* owns list and by_uid */
	struct backtest_setting *settings;
};

static void describe(struct backtest_setting *out, const struct grid_setting *g, struct arena *a)
{
	const struct settings *s = &g->settings;

	*out = (struct backtest_setting){
		.label = arena_sv(a, g->label),
		.value = arena_sv(a, g->value),
		.time_window = s->time_window,
		.inspection_failure_threshold = s->inspection_failure_threshold,
		.foreground_state_required = s->foreground_state_required,
	};
	for (size_t i = 0; i < s->n_allowances; i++) {
		out->n_apps += s->allowances[i].is_app_list;
		out->n_destinations += !s->allowances[i].is_app_list;
	}
}

static void tally(struct backtest_setting *out, const struct finding *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].kind == FINDING_PINNING)
			out->by_verdict[list[i].verdict]++;
		else
			out->others++;
}

/* Judges one setting and tells the rest of it. `findings` is where the judgement's findings go. */
static bool judge(struct run *r, size_t number, const struct grid_setting *g,
		  struct arena *findings, const struct finding **list, size_t *n, struct error *err)
{
	const struct backtest_options *o = r->options;
	struct backtest_setting *out = &r->settings[number];

	describe(out, g, r->arena);
	*list = r->past->judge(r->past, &g->settings, findings, n);
	tally(out, *list, *n);
	return o->judged == NULL ||
	       o->judged(o->judged_arg, number, g, *list, *n, &out->measure, err);
}

static bool judge_in_force(struct run *r, struct arena *findings, struct error *err)
{
	struct grid_setting g = { *r->past->settings, SV("in force"), SV("in force") };
	const struct finding *list;
	struct finding *kept;
	size_t n;
	bool ok = judge(r, 0, &g, findings, &list, &n, err);

	/* The next judgement takes the list away, but not what it points at. */
	kept = arena_copy(findings, list, n * sizeof(*kept));
	r->in_force = (struct diff_side){ .list = kept, .n = n, .by_uid = diff_sort(kept, n) };
	return ok;
}

static bool judge_other(struct run *r, size_t number, struct arena *findings, struct error *err)
{
	const struct backtest_options *o = r->options;
	struct diff_side side = { 0 };
	struct grid_setting g;
	const struct finding *list;
	bool ok;

	grid_at(o->grid, number - 1, r->past->settings, findings, &g);
	ok = judge(r, number, &g, findings, &list, &side.n, err);
	side.list = list;
	side.by_uid = diff_sort(list, side.n);
	diff_findings(&r->in_force, &side, o->all,
		      o->max_changes > 0 ? o->max_changes : BACKTEST_MAX_CHANGES, r->arena,
		      &r->settings[number]);
	free((void *)side.by_uid);
	return ok;
}

bool backtest_run(struct past *past, const struct backtest_options *o, struct arena *arena,
		  struct backtest *out, struct error *err)
{
	struct run r = { .past = past, .options = o, .arena = arena };
	struct arena in_force = { 0 };
	bool ok;

	*out = (struct backtest){
		.swept = grid_swept(o->grid, arena),
		.fixed = grid_fixed(o->grid, arena),
		.since = past->period.since,
		.until = past->period.until,
		.first = past->first,
		.last = past->last,
		.observations = past->observations,
		.outside = past->outside,
		.all = o->all,
	};
	r.settings = arena_alloc(arena, (o->grid->n + 1) * sizeof(*r.settings));
	ok = judge_in_force(&r, &in_force, err);
	out->attempts = past->attempts;
	out->n = 1;
	while (ok && out->n <= o->grid->n) {
		struct arena findings = { 0 };

		if (o->stop != NULL && o->stop(o->stop_arg)) {
			out->stopped = true;
			break;
		}
		ok = judge_other(&r, out->n, &findings, err);
		arena_free(&findings);
		out->n++;
	}
	out->measured = r.settings[0].measure.there;
	out->settings = r.settings;
	free((void *)r.in_force.by_uid);
	arena_free(&in_force);
	return ok;
}
