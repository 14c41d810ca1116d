#include <stdio.h>
#include <stdlib.h>

#include "judge/uid.h"
#include "serve/daemon.h"

/* Judging may take 30 % of the time while there is a backlog: after a judgement of t it rests for t
 * × REST. Otherwise a quarter of it, but nobody waits longer than LONG_REST for that, and half of
 * it at most. */
#define REST 7 / 3
#define LONG_REST (500 * NS_PER_MS)

/* Reading has not come to the end of all inputs for longer than judging explains. */
static bool is_behind(const struct daemon *d)
{
	return d->monotonic.ns - d->caught_up.ns > 2 * d->judged_in.ns + NS_PER_S;
}

static int64_t rest_after(int64_t took)
{
	if (took * 3 < LONG_REST)
		return took * 3;
	return took > LONG_REST ? took : LONG_REST;
}

/* A silent source is a finding of its own. What it says must not depend on how long the silence has
 * lasted, or it would be revised for ever. */
static void silent_finding(const struct daemon *d, const struct live_source *s, struct arena *a,
			   struct finding *out)
{
	struct evidence *e = arena_alloc(a, sizeof(*e));
	char span[INSTANT_ISO_SIZE], what[160];
	struct finding f = {
		.kind = FINDING_SOURCE_SILENT,
		.verdict = VERDICT_CONFIRMED,
		.confidence = CONFIDENCE_MEDIUM,
		.risk = 45,
		.severity = severity_of_risk(45),
		.first_seen = { s->counts.last },
		.last_seen = { s->counts.last },
	};

	span_format(s->conf->silence_after, span);
	snprintf(what, sizeof(what), "no record for longer than %s", span);
	*e = (struct evidence){
		.source = s->name,
		.time = { s->counts.last },
		.kind = OBS_TLS_ATTEMPT,
		.what = arena_sv(a, sv_cstr(what)),
	};
	f.evidence = e;
	f.n_evidence = 1;
	for (int i = 0; i < 4; i++)
		f.log_sources[i] = live_sources_status(&d->sources, (enum sensor_kind)i);
	uid_source(f.uid, s->name);
	*out = f;
}

struct wholesale {
	const struct daemon *daemon;
	struct arena *arena;
};

static void make_whole(void *arg, struct finding *f)
{
	const struct wholesale *w = arg;

	keeper_fill(&w->daemon->keeper, w->arena, f);
}

void daemon_judge(struct daemon *d, bool all)
{
	const struct serve_clock *clock = &d->options->clock;
	struct instant from = clock->monotonic(clock->arg), to;
	struct arena arena = { 0 };
	struct finding *judged, *list;
	const struct ledger_whole whole = { make_whole, &(struct wholesale){ d, &arena } };
	size_t n, silent = 0;
	int64_t rest, soonest;

	d->keeper.news = 0;
	d->silence_changed = false;
	judged = keeper_judge(&d->keeper, &d->pool, &arena, &n);
	list = xcalloc(n + d->sources.n + 1, sizeof(*list));
	if (n > 0)
		memcpy(list, judged, n * sizeof(*list));
	for (size_t i = 0; i < d->sources.n; i++)
		if (d->sources.list[i]->silent)
			silent_finding(d, d->sources.list[i], &arena, &list[n + silent++]);
	ledger_take(&d->ledger, list, n + silent, &d->keeper.settings, &whole,
		    d->conf->resolve_after, live_sources_newest(&d->sources), d->wall, all);
	keeper_judged(&d->keeper);
	governed_count(&d->governed, &d->keeper.settings, &d->keeper.tally, judged, n,
		       d->keeper.engine.devices.n > 0 ? d->keeper.engine.devices.n - 1 : 0, d->wall,
		       all);
	free(list);
	arena_free(&arena);
	to = clock->monotonic(clock->arg);
	d->judgements++;
	d->judged_in = span_between(from, to);
	/* Who waits for findings does not wait for the next checkpoint; those take a fifth of the
	 * time at most. */
	soonest = d->checkpoint_ended.ns + d->checkpointed_in.ns * 4;
	if (d->ledger.n_shown > 0 && soonest < d->next_checkpoint.ns)
		d->next_checkpoint.ns = soonest;
	rest = is_behind(d) ? d->judged_in.ns * REST : rest_after(d->judged_in.ns);
	d->next_judge.ns =
	    to.ns + (rest > d->conf->judge_every.ns ? rest : d->conf->judge_every.ns);
}
