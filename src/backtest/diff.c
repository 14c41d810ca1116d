#include "backtest/diff.h"

#include <stdlib.h>

bool diff_shows(const struct finding *f)
{
	return f->kind != FINDING_PINNING || f->verdict == VERDICT_CONFIRMED ||
	       f->verdict == VERDICT_SUSPECTED;
}

static int by_uid(const void *left, const void *right)
{
	const struct finding *a = *(const struct finding *const *)left;
	const struct finding *b = *(const struct finding *const *)right;

	return strcmp(a->uid, b->uid);
}

const struct finding **diff_sort(const struct finding *list, size_t n)
{
	const struct finding **sorted = xcalloc(n + 1, sizeof(*sorted));

	for (size_t i = 0; i < n; i++)
		sorted[i] = &list[i];
	qsort(sorted, n, sizeof(*sorted), by_uid);
	return sorted;
}

static const struct finding *find(const struct diff_side *side, const char *uid)
{
	size_t from = 0, to = side->n;

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		int order = strcmp(side->by_uid[middle]->uid, uid);

		if (order == 0)
			return side->by_uid[middle];
		if (order < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return NULL;
}

static struct backtest_side side_of(const struct finding *f, struct arena *a)
{
	if (f == NULL)
		return (struct backtest_side){ 0 };
	return (struct backtest_side){
		.there = true,
		.verdict = f->verdict,
		.severity = f->severity,
		.confidence = f->confidence,
		.score_centidb = f->score_centidb,
		.risk = f->risk,
		.paths = f->paths,
		.explained_by = arena_sv(a, f->explained_by),
	};
}

static enum backtest_change_kind kind_of(const struct finding *before, const struct finding *after)
{
	bool was = before != NULL && diff_shows(before), is = after != NULL && diff_shows(after);

	return is && !was   ? BACKTEST_GAINED
	       : was && !is ? BACKTEST_LOST
	       : is	    ? BACKTEST_CHANGED
			    : BACKTEST_QUIET;
}

struct listing {
	const struct diff_side *before, *after;
	bool all;
	size_t max, n, capacity;
	struct backtest_change *list;
	struct arena *a;
	struct arena scratch; /* of one comparison */
	struct backtest_setting *out;
};

static const struct sv *copy_reasons(const struct sv *reasons, size_t n, struct arena *a)
{
	struct sv *copy = arena_alloc(a, (n + 1) * sizeof(*copy));

	for (size_t i = 0; i < n; i++)
		copy[i] = arena_sv(a, reasons[i]);
	return copy;
}

/* One pair, f whichever is there; nothing where both say the same. */
static void compare(struct listing *l, const struct finding *f, const struct finding *before,
		    const struct finding *after)
{
	struct backtest_change c = { .finding = f->kind, .port = f->port };
	enum backtest_change_kind kind = kind_of(before, after);

	c.kind = kind;
	arena_reset(&l->scratch);
	c.reasons = reasons_find(l->before, before, l->after, after, &c.n_reasons, &l->scratch);
	if (c.n_reasons == 0)
		return;
	l->out->by_change[kind]++;
	if (kind == BACKTEST_QUIET && !l->all)
		return;
	if (l->n >= l->max) {
		l->out->left_out++;
		return;
	}
	c.reasons = copy_reasons(c.reasons, c.n_reasons, l->a);
	memcpy(c.uid, f->uid, sizeof(c.uid));
	c.app = arena_sv(l->a, f->bundle_id);
	c.host = arena_sv(l->a, f->host);
	c.device = f->n_devices > 0 ? arena_sv(l->a, f->devices[0].id) : SV_NONE;
	c.first_seen = f->first_seen;
	c.last_seen = f->last_seen;
	c.before = side_of(before, l->a);
	c.after = side_of(after, l->a);
	if (l->n == l->capacity) {
		l->capacity = l->capacity * 2 + 16;
		l->list = xrealloc(l->list, l->capacity, sizeof(*l->list));
	}
	l->list[l->n++] = c;
}

void diff_findings(const struct diff_side *before, const struct diff_side *after, bool all,
		   size_t max, struct arena *a, struct backtest_setting *out)
{
	struct listing l = {
		.before = before, .after = after, .all = all, .max = max, .a = a, .out = out
	};
	struct backtest_change *sorted;
	size_t n = 0;

	for (size_t i = 0; i < before->n; i++) {
		const struct finding *was = &before->list[i], *is = find(after, was->uid);

		compare(&l, is != NULL ? is : was, was, is);
	}
	for (size_t i = 0; i < after->n; i++) {
		const struct finding *is = &after->list[i];

		if (find(before, is->uid) == NULL)
			compare(&l, is, NULL, is);
	}
	sorted = arena_alloc(a, (l.n + 1) * sizeof(*sorted));
	for (int kind = 0; kind < BACKTEST_CHANGES; kind++)
		for (size_t i = 0; i < l.n; i++)
			if ((int)l.list[i].kind == kind)
				sorted[n++] = l.list[i];
	free(l.list);
	arena_free(&l.scratch);
	out->changes = sorted;
	out->n_changes = n;
}
