/* The analytic's three network effects, as paths to suspected. docs/evidence.md, 7.2. */
#include "judge/case.h"

#define SLOW_WITHIN NS_PER_DAY
#define WIDE_DEVICES 5
#define MIN_SCORE (-1000)

static const struct settings *settings_of(const struct version_case *c)
{
	return c->sitting->bench->context->settings;
}

/* Failures of one device, each as often as it counts, with first-to-last within TimeWindow. */
static bool fast(struct version_case *c)
{
	const struct settings *s = settings_of(c);

	for (size_t d = 0; d < c->trials.n_devices; d++) {
		const struct device_trials *dev = &c->trials.devices[d];
		const struct fact **facts = c->trials.by_device + dev->first;
		uint64_t sum = 0;
		uint32_t from = 0;

		for (uint32_t i = 0; i < dev->n; i++) {
			if (!fact_failure(facts[i]))
				continue;
			sum += facts[i]->count;
			for (; facts[i]->start - facts[from]->start > s->time_window.ns; from++)
				if (fact_failure(facts[from]))
					sum -= facts[from]->count;
			if (sum > c->most_in_window)
				c->most_in_window = sum > UINT32_MAX ? UINT32_MAX : (uint32_t)sum;
		}
	}
	return c->most_in_window >= s->inspection_failure_threshold;
}

/* Failed bursts in a row of one device and stack. */
static bool slow(const struct version_case *c)
{
	size_t want = 2 * (size_t)settings_of(c)->inspection_failure_threshold;
	const struct burst *runs = c->trials.runs;

	for (size_t i = 0, first = 0; i < c->trials.n_bursts; i++) {
		if (runs[i].device != runs[first].device || runs[i].stack != runs[first].stack)
			first = i;
		if (runs[i].weight == FAILURE_NONE) {
			first = i + 1;
			continue;
		}
		if (i + 1 - first >= want &&
		    runs[i].start - runs[i + 1 - want].start <= SLOW_WITHIN)
			return true;
	}
	return false;
}

/* Failed bursts of many devices in one stack, with no success of it between. */
static bool wide(const struct version_case *c)
{
	uint32_t want = settings_of(c)->inspection_failure_threshold;
	const struct trials *t = &c->trials;
	uint32_t *seen = arena_alloc(c->sitting->scratch, (t->n_devices + 1) * sizeof(*seen));

	if (want < WIDE_DEVICES)
		want = WIDE_DEVICES;
	if (t->n_devices < want)
		return false;
	for (size_t i = 0; i < t->n_bursts; i++) {
		size_t n = 0;

		/* From this failed burst on, the run of failed bursts of its stack. */
		for (size_t k = i; k < t->n_bursts && n < want; k++) {
			const struct burst *b = &t->bursts[k];
			size_t known = 0;

			if (b->stack != t->bursts[i].stack || b->weight == FAILURE_NONE ||
			    b->start - t->bursts[i].start > SLOW_WITHIN)
				break;
			while (known < n && seen[known] != b->device)
				known++;
			if (known == n)
				seen[n++] = b->device;
		}
		if (n == want)
			return true;
	}
	return false;
}

/* A hard failure, then the gateway lets the destination pass for a reason it learned by itself. */
static bool learned(const struct version_case *c)
{
	int64_t rejected = INT64_MAX;

	for (size_t i = 0; i < c->trials.n; i++) {
		const struct fact *x = c->trials.facts[i];
		if (rejected == INT64_MAX && fact_failure(x) && x->outcome == CLIENT_REJECT)
			rejected = x->start;
		if (fact_learned_bypass(x) && rejected != INT64_MAX)
			return true;
		/* One at the same instant counts, whichever stands first. */
		if (fact_learned_bypass(x))
			for (size_t k = i + 1;
			     k < c->trials.n && c->trials.facts[k]->start == x->start; k++)
				if (fact_failure(c->trials.facts[k]) &&
				    c->trials.facts[k]->outcome == CLIENT_REJECT)
					return true;
	}
	return false;
}

static bool selective_bypass(const struct version_case *c)
{
	int64_t window = settings_of(c)->time_window.ns;

	for (size_t d = 0; d < c->trials.n_devices; d++) {
		const struct device_trials *dev = &c->trials.devices[d];
		const struct fact **facts = c->trials.by_device + dev->first;
		int64_t failed = INT64_MIN; /* newest failure before the current start */
		int64_t pending = INT64_MIN;

		for (uint32_t i = 0; i < dev->n; i++) {
			if (pending != INT64_MIN && pending < facts[i]->start)
				failed = pending;
			if (failed != INT64_MIN && facts[i]->start - failed <= window &&
			    (fact_uninspected_session(facts[i]) || fact_learned_bypass(facts[i])))
				return true;
			if (fact_failure(facts[i]))
				pending = facts[i]->start;
		}
	}
	return false;
}

static bool persistent_opacity(const struct version_case *c)
{
	const struct settings *s = settings_of(c);

	if (c->sitting->baseline_learning || !c->sitting->off_baseline)
		return false;
	for (size_t d = 0; d < c->trials.n_devices; d++) {
		const struct device_trials *dev = &c->trials.devices[d];
		uint32_t sessions = 0;

		for (uint32_t i = 0; i < dev->n && sessions < s->opaque_sessions; i++) {
			const struct fact *x = c->trials.by_device[dev->first + i];
			sessions += fact_uninspected_session(x) && x->intercepted_elsewhere;
		}
		if (sessions >= s->opaque_sessions)
			return true;
	}
	return false;
}

void find_paths(struct version_case *c)
{
	if (c->n_failures > 0) {
		c->fast = fast(c);
		c->slow = slow(c);
		c->wide = wide(c);
		c->learned = learned(c);
		if (c->fast || c->slow || c->wide || c->learned)
			c->paths |= PATH_REJECTION;
		if (selective_bypass(c))
			c->paths |= PATH_SELECTIVE_BYPASS;
	}
	if (persistent_opacity(c))
		c->paths |= PATH_PERSISTENT_OPACITY;
}

void settle_paths(struct version_case *c)
{
	if (c->any_success && c->score < MIN_SCORE)
		c->paths &= ~(unsigned)PATH_REJECTION;
}
