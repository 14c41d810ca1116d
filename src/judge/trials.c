#include "judge/trials.h"

#include <math.h>
#include <stdlib.h>

/* lgamma leaves the sign in a global variable, and findings are judged side by side. */
static double log_gamma(double x)
{
	int sign;

	return lgamma_r(x, &sign);
}

static double log_beta(double a, double b)
{
	return log_gamma(a) + log_gamma(b) - log_gamma(a + b);
}

double differential(uint32_t k, uint32_t n, enum failure_weight class)
{
	/* Beta priors of a failure's chance, pinned (9, 1) against not pinned, by class. */
	static const double not_pinned[][2] = {
		[FAILURE_NONE] = { 0.5, 20 },
		[FAILURE_LATE] = { 2, 6 },
		[FAILURE_SILENT] = { 2, 18 },
		[FAILURE_HARD] = { 0.5, 20 },
	};
	double a = not_pinned[class][0], b = not_pinned[class][1];
	double pinned = log_beta(k + 9.0, n - k + 1.0) - log_beta(9, 1);
	double other = log_beta(k + a, n - k + b) - log_beta(a, b);

	return (pinned - other) * 10 / log(10);
}

static int by_device(const void *a, const void *b)
{
	const struct fact *x = *(const struct fact *const *)a, *y = *(const struct fact *const *)b;

	if (x->device != y->device)
		return x->device < y->device ? -1 : 1;
	return x < y ? -1 : x > y;
}

static int by_ja3(const void *a, const void *b)
{
	const struct fact *x = *(const struct fact *const *)a, *y = *(const struct fact *const *)b;

	if (x->stack != y->stack)
		return x->stack < y->stack ? -1 : 1;
	return by_device(a, b);
}

/* A JA3 stands for a stack only if it repeats: clients that shuffle their extensions never show one
 * twice. Leaves, behind the group's facts by device, the JA3 numbers that do. */
struct repeating {
	uint32_t *numbers;
	size_t n;
};

static struct repeating repeating_ja3(const struct fact **facts, size_t n, struct arena *a)
{
	const struct fact **only = arena_alloc(a, n * sizeof(*only));
	struct repeating r = { 0 };
	size_t m = 0;

	for (size_t i = 0; i < n; i++)
		if (fact_trial(facts[i]) && facts[i]->stack_is_ja3 && facts[i]->stack != 0)
			only[m++] = facts[i];
	if (m == 0)
		return r;
	r.numbers = arena_alloc(a, m * sizeof(*r.numbers));
	qsort(only, m, sizeof(struct fact *), by_ja3);
	for (size_t i = 0, end; i < m; i = end) {
		int64_t burst = INT64_MIN;
		size_t bursts = 0;
		for (end = i; end < m && only[end]->stack == only[i]->stack; end++) {
			if (end > i && only[end]->device != only[end - 1]->device)
				burst = INT64_MIN;
			bursts += burst_begins(&burst, only[end]->start);
		}
		if (bursts >= 2)
			r.numbers[r.n++] = only[i]->stack;
	}
	return r;
}

static uint32_t label_of(const struct fact *x, const struct repeating *r)
{
	size_t low = 0, high = r->n;

	if (!x->stack_is_ja3 || x->stack == 0)
		return x->stack;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (r->numbers[mid] < x->stack)
			low = mid + 1;
		else
			high = mid;
	}
	return low < r->n && r->numbers[low] == x->stack ? x->stack : 0;
}

/* The stacks a device's own trial attempts show; returns how many. Stack none only where a failure
 * has no label, or nothing has one. */
static size_t stacks_of(const struct fact **facts, const uint32_t *labels, size_t n,
			uint32_t *stacks)
{
	bool none = false, any = false;
	size_t m = 0;

	for (size_t i = 0; i < n; i++) {
		size_t k = 0;
		if (!fact_trial(facts[i]))
			continue;
		any = true;
		if (labels[i] == 0) {
			none |= fact_failure(facts[i]);
			continue;
		}
		while (k < m && stacks[k] != labels[i])
			k++;
		if (k == m && m < MAX_STACKS)
			stacks[m++] = labels[i];
	}
	if (none || (any && m == 0))
		stacks[m++] = 0;
	return m;
}

static enum failure_weight plurality(const uint32_t *counts)
{
	enum failure_weight class = FAILURE_LATE;

	if (counts[FAILURE_HARD] + counts[FAILURE_SILENT] + counts[FAILURE_LATE] == 0)
		return FAILURE_HARD;
	/* Ties take the weaker. */
	if (counts[FAILURE_SILENT] > counts[class])
		class = FAILURE_SILENT;
	if (counts[FAILURE_HARD] > counts[class])
		class = FAILURE_HARD;
	return class;
}

/* Bursts of one device in one stack, appended to t->runs; fills failed, trials, class and value. */
static void run_stack(struct trials *t, struct device_trials *d, const struct fact **facts,
		      const uint32_t *labels, size_t n)
{
	uint32_t counts[4] = { 0 };
	struct burst *burst = NULL;
	int64_t begun = INT64_MIN;
	size_t first = t->n_bursts;

	for (size_t i = 0; i < n; i++) {
		bool success = fact_success(facts[i]);
		uint8_t weight;

		if (!fact_trial(facts[i]) ||
		    !(labels[i] == d->stack || (success && labels[i] == 0)))
			continue;
		weight = success ? FAILURE_NONE
				 : (uint8_t)outcome_weight((enum outcome)facts[i]->outcome);
		if (burst_begins(&begun, facts[i]->start)) {
			burst = &t->runs[t->n_bursts++];
			*burst = (struct burst){ facts[i]->start, d->device, d->stack, weight };
		} else if (success || (burst->weight != FAILURE_NONE && weight > burst->weight)) {
			burst->weight = weight;
		}
	}
	for (size_t i = first; i < t->n_bursts; i++)
		counts[t->runs[i].weight]++;
	d->trials = (uint32_t)(t->n_bursts - first);
	d->failed = d->trials - counts[FAILURE_NONE];
	d->class = plurality(counts);
	d->value = differential(d->failed, d->trials, d->class);
}

/* Labels in byte order, none last. */
static bool label_before(const struct names *names, uint32_t a, uint32_t b)
{
	if (a == 0 || b == 0)
		return b == 0 && a != 0;
	return sv_cmp(names_get(names, a), names_get(names, b)) < 0;
}

static void run_device(struct trials *t, struct device_trials *best, const struct names *names,
		       const uint32_t *labels, uint32_t *stacks)
{
	const struct fact **facts = t->by_device + best->first;
	size_t m = stacks_of(facts, labels, best->n, stacks);
	bool chosen = false;

	for (size_t k = 0; k < m; k++) {
		struct device_trials d = *best;
		d.stack = stacks[k];
		run_stack(t, &d, facts, labels, best->n);
		if (!chosen || d.value > best->value ||
		    (d.value >= best->value && label_before(names, d.stack, best->stack)))
			*best = d;
		chosen = true;
	}
}

static int by_stack(const void *a, const void *b)
{
	const struct burst *x = a, *y = b;

	if (x->stack != y->stack)
		return x->stack < y->stack ? -1 : 1;
	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->device < y->device ? -1 : x->device > y->device;
}

/* How many bursts there can be: each trial attempt begins one in its own stack; a success without
 * label one in each stack of its device. */
static size_t burst_bound(const struct trials *t, const uint32_t *labels, const uint32_t *n_stacks)
{
	size_t n = 0;

	for (size_t d = 0; d < t->n_devices; d++)
		for (uint32_t i = 0; i < t->devices[d].n; i++) {
			uint32_t at = t->devices[d].first + i;
			if (fact_trial(t->by_device[at]))
				n += labels[at] == 0 ? n_stacks[d] : 1;
		}
	return n;
}

static int by_label(const void *a, const void *b)
{
	const struct success *x = a, *y = b;

	if (x->stack != y->stack)
		return x->stack < y->stack ? -1 : 1;
	return x->device < y->device ? -1 : x->device > y->device;
}

static void list_successes(struct trials *t, struct arena *a)
{
	t->successes = arena_alloc(a, (t->n + 1) * sizeof(*t->successes));
	for (size_t i = 0; i < t->n; i++)
		if (fact_success(t->by_device[i]))
			t->successes[t->n_successes++] =
			    (struct success){ t->labels[i], t->by_device[i]->device };
	qsort(t->successes, t->n_successes, sizeof(*t->successes), by_label);
}

/* First success that does not stand before (stack, device). */
static size_t success_at(const struct trials *t, uint32_t stack, uint32_t device)
{
	struct success key = { stack, device };
	size_t low = 0, high = t->n_successes;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (by_label(&t->successes[mid], &key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool succeeded_as(const struct trials *t, uint32_t stack, uint32_t other_than)
{
	size_t first = success_at(t, stack, 0), end = success_at(t, stack, UINT32_MAX);

	return first < end && (other_than == 0 || t->successes[first].device != other_than ||
			       t->successes[end - 1].device != other_than);
}

bool trials_succeeded(const struct trials *t, uint32_t stack, uint32_t other_than)
{
	return succeeded_as(t, stack, other_than) || succeeded_as(t, 0, other_than);
}

void trials_build(struct trials *t, const struct fact **facts, size_t n, const struct names *names,
		  struct arena *a)
{
	struct repeating repeating = repeating_ja3(facts, n, a);
	uint32_t *labels = arena_alloc(a, n * sizeof(*labels));
	uint32_t stacks[MAX_STACKS + 1];
	uint32_t *n_stacks;

	*t = (struct trials){ .facts = facts, .n = n };
	t->by_device = arena_copy(a, facts, n * sizeof(*facts));
	qsort(t->by_device, n, sizeof(struct fact *), by_device);
	t->devices = arena_alloc(a, n * sizeof(*t->devices));
	n_stacks = arena_alloc(a, n * sizeof(*n_stacks));
	for (size_t i = 0; i < n; i++) {
		const struct fact *x = t->by_device[i];
		labels[i] = label_of(x, &repeating);
		if (i == 0 || x->device != t->by_device[i - 1]->device)
			t->devices[t->n_devices++] = (struct device_trials){
				.device = x->device,
				.first = (uint32_t)i,
				.class = FAILURE_HARD,
			};
		t->devices[t->n_devices - 1].n++;
	}
	for (size_t d = 0; d < t->n_devices; d++)
		n_stacks[d] =
		    (uint32_t)stacks_of(t->by_device + t->devices[d].first,
					labels + t->devices[d].first, t->devices[d].n, stacks);
	t->runs = arena_alloc(a, (burst_bound(t, labels, n_stacks) + 1) * sizeof(*t->runs));
	for (size_t d = 0; d < t->n_devices; d++)
		run_device(t, &t->devices[d], names, labels + t->devices[d].first, stacks);
	t->bursts = arena_copy(a, t->runs, t->n_bursts * sizeof(*t->runs));
	qsort(t->bursts, t->n_bursts, sizeof(*t->bursts), by_stack);
	t->labels = labels;
	list_successes(t, a);
}
