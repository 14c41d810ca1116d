#include "judge/exclude.h"

#include <stdlib.h>

#include "judge/apple.h"
#include "judge/exclude_internal.h"

static void build_pool(struct exclusion *x, const struct facts *f, const struct context *c,
		       const struct allow *allow)
{
	bool *left_out = xcalloc(f->n_destinations, sizeof(*left_out));

	for (uint32_t d = 1; d < f->n_destinations; d++)
		left_out[d] = apple_service(names_get(c->names, f->destinations[d].host));
	for (size_t i = 0; i < f->n; i++)
		if (f->list[i].inspection == BYPASSED && f->list[i].bypass_reason == BYPASS_POLICY)
			left_out[f->list[i].destination] = true;
	x->pool = xcalloc(f->n, sizeof(*x->pool));
	for (size_t i = 0; i < f->n; i++)
		x->pool[i] =
		    !left_out[f->list[i].destination] && allow_covering(allow, &f->list[i]) == NULL;
	free(left_out);
}

static bool has_failures(const struct facts *f, const bool *pool)
{
	for (size_t i = 0; i < f->n; i++)
		if (pool[i] && (fact_failure(&f->list[i]) || f->list[i].outcome == UPSTREAM_FAILED))
			return true;
	return false;
}

/* Per device, what is marked excluded_ca by now. */
static void list_devices(struct exclusion *x, const struct facts *f)
{
	struct untrusting_device *of = xcalloc(f->by_device.n_groups, sizeof(*of));

	for (size_t i = 0; i < f->n; i++) {
		const struct fact *y = &f->list[i];
		struct untrusting_device *u = &of[y->device];

		if (!y->excluded_ca)
			continue;
		if (u->failures == 0)
			u->first = y->start;
		u->last = y->start;
		u->failures = count_add(u->failures, y->count);
		u->device = y->device;
	}
	for (uint32_t d = 1; d < f->by_device.n_groups; d++)
		if (of[d].failures > 0)
			of[x->n_devices++] = of[d];
	x->devices = of;
}

/* Inside the spans, failures and upstream_failed are the gateway's, unless a phone's missing root
 * has them. */
static void mark_spans(struct exclusion *x, struct facts *f)
{
	for (size_t s = 0; s < x->n_spans; s++) {
		struct fault_span *span = &x->spans[s];

		span->first = INT64_MAX;
		span->last = INT64_MIN;
		for (size_t i = facts_since(f, span->from); i < f->n && f->list[i].start < span->to;
		     i++) {
			struct fact *y = &f->list[i];
			if (!x->pool[i] || y->excluded_ca ||
			    !(fact_failure(y) || y->outcome == UPSTREAM_FAILED))
				continue;
			y->excluded_gateway = true;
			if (y->start < span->first)
				span->first = y->start;
			span->last = y->start;
		}
	}
}

void exclude_build(struct exclusion *x, struct facts *f, const struct context *c,
		   const struct allow *allow)
{
	struct spans spans = { 0 };

	*x = (struct exclusion){ 0 };
	build_pool(x, f, c, allow);
	if (!has_failures(f, x->pool))
		return;
	exclude_untrusting(f, c, x->pool, &spans);
	exclude_faults(f, c, x->pool, &spans);
	spans_merge(&spans);
	x->spans = spans.list;
	x->n_spans = spans.n;
	mark_spans(x, f);
	list_devices(x, f);
}

void exclude_free(struct exclusion *x)
{
	free(x->devices);
	free(x->spans);
	free(x->pool);
}

void spans_add(struct spans *s, int64_t from, int64_t to)
{
	if (s->n > 0 && from <= s->list[s->n - 1].to && from >= s->list[s->n - 1].from) {
		if (to > s->list[s->n - 1].to)
			s->list[s->n - 1].to = to;
		return;
	}
	if (s->n == s->capacity) {
		s->capacity = s->capacity == 0 ? 8 : s->capacity * 2;
		s->list = xrealloc(s->list, s->capacity, sizeof(*s->list));
	}
	s->list[s->n++] = (struct fault_span){ .from = from, .to = to };
}

static int by_from(const void *a, const void *b)
{
	const struct fault_span *x = a, *y = b;

	return x->from < y->from ? -1 : x->from > y->from;
}

void spans_merge(struct spans *s)
{
	size_t kept = 0;

	if (s->n == 0)
		return;
	qsort(s->list, s->n, sizeof(*s->list), by_from);
	for (size_t i = 1; i < s->n; i++) {
		if (s->list[i].from <= s->list[kept].to) {
			if (s->list[i].to > s->list[kept].to)
				s->list[kept].to = s->list[i].to;
		} else {
			s->list[++kept] = s->list[i];
		}
	}
	s->n = kept + 1;
}
