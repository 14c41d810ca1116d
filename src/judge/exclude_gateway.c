/* gateway_fault: spans in which nearly everything fails at once. docs/evidence.md, 6.3. */
#include <stdlib.h>

#include "judge/exclude_internal.h"
#include "judge/trials.h"

#define GRID (15 * NS_PER_S)
#define SHORTEST 4 /* grid cells: 60 s */
#define LONGEST 20 /* 300 s */
#define MIN_DEVICES 5
#define MIN_DESTINATIONS 10

struct fault_trial {
	int64_t start;
	uint32_t device, destination;
	bool failed;
};

struct trial_key {
	uint32_t device, finding;
};

static bool counts(const struct fact *x) { return fact_trial(x) || x->outcome == UPSTREAM_FAILED; }

/* Bursts per (device, app, destination), in order of start. Devices without the root are left
 * out. */
static size_t list_trials(const struct facts *f, const struct context *c, const bool *pool,
			  struct fault_trial **out)
{
	bool *untrusting = xcalloc(f->by_device.n_groups, sizeof(*untrusting));
	struct fault_trial *trials = xmalloc(f->n * sizeof(*trials));
	struct keymap open;
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		untrusting[f->list[i].device] |= f->list[i].excluded_ca;
	keymap_init(&open, sizeof(struct trial_key), c->seed);
	for (size_t i = 0; i < f->n; i++) {
		const struct fact *x = &f->list[i];
		struct trial_key key = { x->device, x->finding };
		uint32_t *slot;

		if (!pool[i] || !counts(x) || untrusting[x->device])
			continue;
		slot = keymap_slot(&open, &key);
		if (*slot == KEYMAP_NONE || x->start - trials[*slot].start >= BURST) {
			*slot = (uint32_t)n;
			trials[n++] =
			    (struct fault_trial){ x->start, x->device, x->destination, true };
		}
		if (fact_success(x))
			trials[*slot].failed = false;
	}
	keymap_free(&open);
	free(untrusting);
	*out = trials;
	return n;
}

/* Counts distinct numbers by the round in which each was last seen. */
struct distinct {
	uint32_t *seen;
	uint32_t round;
};

static bool first_time(struct distinct *d, uint32_t number)
{
	bool fresh = d->seen[number] != d->round;

	d->seen[number] = d->round;
	return fresh;
}

/* From the trial at `begin` on, all windows that start at g: adds those that are a fault. */
static void add_faults(const struct fault_trial *t, size_t n, size_t begin, int64_t g,
		       struct distinct *devices, struct distinct *destinations, struct spans *out)
{
	size_t total = 0, failed = 0, n_devices = 0, n_destinations = 0, i = begin;

	devices->round++;
	destinations->round++;
	for (int64_t cells = 1; cells <= LONGEST; cells++) {
		int64_t end = g + cells * GRID;

		for (; i < n && t[i].start < end; i++) {
			total++;
			n_destinations += first_time(destinations, t[i].destination);
			if (!t[i].failed)
				continue;
			failed++;
			n_devices += first_time(devices, t[i].device);
		}
		if (cells >= SHORTEST && failed * 5 >= total * 4 && n_devices >= MIN_DEVICES &&
		    n_destinations >= MIN_DESTINATIONS)
			spans_add(out, g, end);
	}
}

/* Whether the longest window from `begin` holds enough failures for any fault at all. */
static bool worth_a_look(const struct fault_trial *t, size_t n, size_t begin, int64_t end)
{
	size_t failed = 0;

	for (size_t i = begin; i < n && t[i].start < end && failed < MIN_DEVICES; i++)
		failed += t[i].failed;
	return failed >= MIN_DEVICES;
}

/* A window matters only if a failed trial lies in its first cell or just behind: every fault window
 * can be found from grid starts within LONGEST of a failure, so the walk jumps from failure to
 * failure. */
static void walk(const struct fault_trial *t, size_t n, struct distinct *devices,
		 struct distinct *destinations, struct spans *out)
{
	int64_t g = INT64_MIN;
	size_t begin = 0;

	for (size_t next = 0; next < n; next++) {
		int64_t from;
		if (!t[next].failed)
			continue;
		from = t[next].start / GRID * GRID - (LONGEST - 1) * GRID;
		for (g = from > g ? from : g + GRID; g <= t[next].start; g += GRID) {
			while (begin > 0 && t[begin - 1].start >= g)
				begin--;
			while (begin < n && t[begin].start < g)
				begin++;
			if (worth_a_look(t, n, begin, g + LONGEST * GRID))
				add_faults(t, n, begin, g, devices, destinations, out);
		}
		g -= GRID;
	}
}

static bool fails(const struct fact *x) { return fact_failure(x) || x->outcome == UPSTREAM_FAILED; }

/* Whether so many devices ever fail within the longest window and a burst: if not, no window can be
 * a fault, and the bursts need not be told apart at all. */
static bool possible(const struct facts *f, const bool *pool)
{
	uint32_t *failures =
	    xcalloc(f->by_device.n_groups, sizeof(*failures)); /* of a device, in the window */
	size_t *failing = xmalloc(f->n * sizeof(*failing)), n = 0, different = 0;
	bool enough = false;

	for (size_t i = 0; i < f->n; i++)
		if (pool[i] && fails(&f->list[i]))
			failing[n++] = i;
	for (size_t i = 0, end = 0; i < n && !enough; i++) {
		const struct fact *first = &f->list[failing[i]];

		for (;
		     end < n && f->list[failing[end]].start - first->start < LONGEST * GRID + BURST;
		     end++)
			different += failures[f->list[failing[end]].device]++ == 0;
		enough = different >= MIN_DEVICES;
		different -= --failures[first->device] == 0;
	}
	free(failing);
	free(failures);
	return enough;
}

void exclude_faults(const struct facts *f, const struct context *c, const bool *pool,
		    struct spans *spans)
{
	struct distinct devices = { .round = 0 }, destinations = { .round = 0 };
	struct fault_trial *trials;
	size_t n, failed = 0;

	if (!possible(f, pool))
		return;
	n = list_trials(f, c, pool, &trials);
	for (size_t i = 0; i < n; i++)
		failed += trials[i].failed;
	if (failed >= MIN_DEVICES) {
		devices.seen = xcalloc(f->by_device.n_groups, sizeof(*devices.seen));
		destinations.seen = xcalloc(f->n_destinations, sizeof(*destinations.seen));
		walk(trials, n, &devices, &destinations, spans);
		free(devices.seen);
		free(destinations.seen);
	}
	free(trials);
}
