/* Controls: what else that app, that phone and that destination did at the time. docs/evidence.md, 5.3. */
#include "judge/case.h"

#include <stdarg.h>
#include <stdio.h>

#define WITHIN_A_DAY NS_PER_DAY
#define WITHIN_AN_HOUR NS_PER_HOUR

struct sv say(struct arena *a, const char *fmt, ...)
{
	char text[512];
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (n < 0)
		n = 0;
	return arena_sv(a, sv_make(text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1));
}

bool failure_near(const struct device_trials *d, const struct trials *t, int64_t at, int64_t within)
{
	const struct fact **facts = t->by_device + d->first;
	size_t low = 0, high = d->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (facts[mid]->start < at - within)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < d->n && facts[low]->start <= at + within; low++)
		if (fact_failure(facts[low]))
			return true;
	return false;
}

static const struct device_trials *device_of(const struct trials *t, uint32_t device)
{
	size_t low = 0, high = t->n_devices;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (t->devices[mid].device < device)
			low = mid + 1;
		else
			high = mid;
	}
	return low < t->n_devices && t->devices[low].device == device ? &t->devices[low] : NULL;
}

static bool same_app_uninspected(const struct version_case *c)
{
	size_t from = 0;

	for (size_t i = 0; i < c->trials.n; i++) {
		const struct fact *x = c->trials.facts[i];
		if (!fact_fine_uninspected(x))
			continue;
		while (from < c->n_failures && c->failures[from]->start < x->start - WITHIN_A_DAY)
			from++;
		if (from < c->n_failures && c->failures[from]->start <= x->start + WITHIN_A_DAY)
			return true;
	}
	return false;
}

static bool other_app_same_destination(const struct version_case *c)
{
	const struct bench *b = c->sitting->bench;
	struct group g = grouping_at(&b->facts->by_destination, c->sitting->destination);
	int64_t first = c->failures[0]->start - WITHIN_A_DAY;
	int64_t last = c->failures[c->n_failures - 1]->start + WITHIN_A_DAY;

	for (size_t i = facts_from(b->facts, g, first); i < g.n; i++) {
		const struct fact *x = &b->facts->list[g.items[i]];
		const struct device_trials *d;

		if (x->start > last)
			break;
		if (x->app == 0 || x->app == c->sitting->app || !fact_success(x) || fact_excluded(x))
			continue;
		d = device_of(&c->trials, x->device);
		if (d != NULL && failure_near(d, &c->trials, x->start, WITHIN_A_DAY))
			return true;
	}
	return false;
}

/* The first failure among the device's attempts, from `at` on. */
static uint32_t next_failure(const struct device_trials *d, const struct fact *const *facts, uint32_t at)
{
	while (at < d->n && !fact_failure(facts[at]))
		at++;
	return at;
}

/* Walks the device's failures here and all its attempts side by side, once. */
static bool fine_elsewhere(const struct version_case *c, const struct device_trials *d)
{
	const struct facts *f = c->sitting->bench->facts;
	const struct fact *const *facts = c->trials.by_device + d->first;
	struct group g = grouping_at(&f->by_device, d->device);
	uint32_t k = next_failure(d, facts, 0);

	if (k == d->n)
		return false;
	for (size_t i = facts_from(f, g, facts[k]->start - WITHIN_AN_HOUR); i < g.n; i++) {
		const struct fact *y = &f->list[g.items[i]];

		while (k < d->n && facts[k]->start < y->start - WITHIN_AN_HOUR)
			k = next_failure(d, facts, k + 1);
		if (k == d->n)
			return false;
		if (facts[k]->start <= y->start + WITHIN_AN_HOUR &&
		    y->destination != c->sitting->destination && fact_success(y) && !fact_excluded(y))
			return true;
	}
	return false;
}

static bool same_device_other_destination(const struct version_case *c)
{
	for (size_t d = 0; d < c->trials.n_devices; d++)
		if (fine_elsewhere(c, &c->trials.devices[d]))
			return true;
	return false;
}

void find_controls(struct version_case *c)
{
	if (c->n_failures == 0)
		return;
	if (same_app_uninspected(c))
		c->controls |= 1u << CONTROL_SAME_APP_UNINSPECTED;
	if (other_app_same_destination(c))
		c->controls |= 1u << CONTROL_OTHER_APP_SAME_DESTINATION;
	if (same_device_other_destination(c))
		c->controls |= 1u << CONTROL_SAME_DEVICE_OTHER_DESTINATION;
}
