/* The verdict on a finding: every version of the app by itself, then the one to report. */
#include <stdlib.h>

#include "judge/judge_internal.h"

#define CONFIRMED_SCORE 1000

/* Failures that alone never go beyond suspected: an expired certificate is often the gateway's own
 * fault, and some logs write other things like a late refusal. */
static bool only_doubtful(const struct version_case *c)
{
	bool only_validity = true, only_weak = true;

	for (size_t i = 0; i < c->n_failures; i++) {
		only_validity &= c->failures[i]->outcome == CLIENT_REJECT_VALIDITY;
		only_weak &= c->failures[i]->weak_late;
	}
	return only_validity || only_weak;
}

/* The first rival that stands. A missing root and a gateway's fault explain only what they leave
 * nothing of. */
static bool explained(struct version_case *c)
{
	for (enum rival r = RIVAL_CA_UNTRUSTED; r <= RIVAL_INTERMITTENT; r++) {
		if (c->rivals[r].status != RIVAL_STANDS)
			continue;
		if ((r == RIVAL_CA_UNTRUSTED || r == RIVAL_GATEWAY_FAULT) && c->paths != 0)
			continue;
		c->explained_by = sv_cstr(rival_name(r));
		return true;
	}
	return false;
}

static void settle_verdict(struct version_case *c, const struct allowance *entry)
{
	if (c->rivals[RIVAL_APPLE_SERVICE].status == RIVAL_STANDS) {
		c->verdict = VERDICT_EXPECTED;
		c->explained_by = sv_cstr(rival_name(RIVAL_APPLE_SERVICE));
	} else if (explained(c)) {
		c->verdict = VERDICT_EXPLAINED;
	} else if (c->paths == 0) {
		c->verdict = VERDICT_OBSERVED;
	} else if ((c->paths & PATH_REJECTION) && c->score >= CONFIRMED_SCORE && c->controls != 0 &&
		   c->failed_trials >= 2 && !only_doubtful(c)) {
		c->verdict = VERDICT_CONFIRMED;
	} else {
		c->verdict = VERDICT_SUSPECTED;
	}
	c->without_lists = c->verdict;
	if (entry == NULL || c->verdict == VERDICT_EXPECTED)
		return;
	c->verdict = VERDICT_EXPECTED;
	c->explained_by = say(c->sitting->arena, "%s:%.*s",
			      entry->is_app_list ? "AllowedAppList" : "AllowedDestinationList",
			      SV_ARG(entry->text));
}

static void judge_version(struct version_case *c, const struct fact **facts, size_t n,
			  const struct allowance *entry)
{
	const struct sitting *s = c->sitting;

	trials_build(&c->trials, facts, n, s->bench->context->names, s->scratch);
	c->failures = arena_alloc(s->scratch, (n + 1) * sizeof(*c->failures));
	for (size_t i = 0; i < n; i++) {
		if (fact_failure(facts[i]))
			c->failures[c->n_failures++] = facts[i];
		c->any_success |= fact_success(facts[i]);
	}
	find_controls(c);
	find_paths(c);
	score_case(c);
	settle_paths(c);
	judge_rivals(c);
	settle_verdict(c, entry);
}

/* Negative when a is the one to report. Versions of equal standing: the newest attempt, then the
 * name. */
static int reported_first(const struct version_case *a, const struct version_case *b)
{
	struct names *names = a->sitting->bench->context->names;
	int64_t x, y;

	if (a->verdict != b->verdict)
		return (int)a->verdict - (int)b->verdict;
	if (a->score != b->score)
		return a->score > b->score ? -1 : 1;
	x = a->trials.n > 0 ? a->trials.facts[a->trials.n - 1]->start : INT64_MIN;
	y = b->trials.n > 0 ? b->trials.facts[b->trials.n - 1]->start : INT64_MIN;
	if (x != y)
		return x > y ? -1 : 1;
	return -sv_cmp(names_get(names, a->version), names_get(names, b->version));
}

static int by_version(const void *a, const void *b)
{
	const struct fact *x = *(const struct fact *const *)a, *y = *(const struct fact *const *)b;

	if (x->version != y->version)
		return x->version < y->version ? -1 : 1;
	return x < y ? -1 : x > y;
}

struct version_case *judge_versions(const struct sitting *s, const struct allowance *entry)
{
	const struct fact **facts = arena_copy(s->scratch, s->kept, s->n_kept * sizeof(*facts));
	enum verdict without_lists = VERDICT_EXPECTED;
	struct version_case *best = NULL;
	size_t i = 0;

	qsort(facts, s->n_kept, sizeof(struct fact *), by_version);
	do {
		struct version_case *c = arena_alloc(s->scratch, sizeof(*c));
		size_t end = i;

		while (end < s->n_kept && facts[end]->version == facts[i]->version)
			end++;
		c->sitting = s;
		c->version = i < s->n_kept ? facts[i]->version : 0;
		judge_version(c, facts + i, end - i, entry);
		if (best == NULL || reported_first(c, best) < 0)
			best = c;
		if (c->without_lists < without_lists)
			without_lists = c->without_lists;
		i = end;
	} while (i < s->n_kept);
	best->without_lists = without_lists;
	return best;
}
