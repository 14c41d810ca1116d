/* ca_untrusted: failures of a phone that does not trust the gateway's root.
 * docs/evidence.md, 6.1, 6.2. */
#include <stdlib.h>

#include "judge/exclude_internal.h"

#define MIN_PAIRS 3
#define AROUND NS_PER_DAY
#define MIN_DEVICES_OF_HOUR 5

/* Why a failure is explained; a failure may have several. */
enum reason { LONELY = 1, EARLY = 2, ROOTLESS = 4 };
#define REASONS 3

struct failure {
	uint32_t fact;
	uint8_t reasons;
	int64_t posture; /* ROOTLESS: time of the record that shows no root */
};

struct device_view {
	const struct facts *facts;
	const struct context *context;
	struct failure *failures;
	size_t n_failures;
	uint32_t *successes; /* facts, by start */
	size_t n_successes;
};

static int64_t start_of(const struct device_view *v, uint32_t fact)
{
	return v->facts->list[fact].start;
}

static uint32_t issuer_of(const struct device_view *v, uint32_t fact)
{
	return fact_peers(v->context, &v->facts->list[fact])->issuer;
}

/* First success that starts at or after t. */
static size_t success_from(const struct device_view *v, int64_t t)
{
	size_t low = 0, high = v->n_successes;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (start_of(v, v->successes[mid]) < t)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool has_root(const struct context *c, const struct posture_record *r)
{
	const struct settings *s = c->settings;

	for (uint32_t i = 0; i < r->n_profiles; i++) {
		if (s->n_root_profiles == 0 && r->profiles[i].root_payload)
			return true;
		for (size_t k = 0; k < s->n_root_profiles; k++)
			if (sv_eq(names_get(c->names, r->profiles[i].identifier),
				  s->root_profiles[k]))
				return true;
	}
	return false;
}

static void find_reasons(struct device_view *v, struct failure *e)
{
	const struct fact *x = &v->facts->list[e->fact];
	size_t near = success_from(v, x->start - AROUND);
	const struct posture_record *r =
	    posture_profiles(v->context->postures, x->device, x->start);

	e->reasons = 0;
	if (near == v->n_successes || start_of(v, v->successes[near]) > x->start + AROUND)
		e->reasons |= LONELY;
	if (v->n_successes == 0 || start_of(v, v->successes[0]) > x->start)
		e->reasons |= EARLY;
	if (r != NULL && !has_root(v->context, r)) {
		e->reasons |= ROOTLESS;
		e->posture = r->time;
	}
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* How many (app, destination) pairs the failures with any of these reasons span. */
static size_t pairs(const struct device_view *v, unsigned reasons)
{
	uint32_t *numbers = xmalloc(v->n_failures * sizeof(*numbers));
	size_t n = 0, distinct = 0;

	for (size_t i = 0; i < v->n_failures; i++)
		if (v->failures[i].reasons & reasons)
			numbers[n++] = v->facts->list[v->failures[i].fact].finding;
	qsort(numbers, n, sizeof(*numbers), by_number);
	for (size_t i = 0; i < n; i++)
		distinct += i == 0 || numbers[i] != numbers[i - 1];
	free(numbers);
	return distinct;
}

static void drop_reason(struct device_view *v, enum reason reason)
{
	for (size_t i = 0; i < v->n_failures; i++)
		v->failures[i].reasons &= (uint8_t) ~(unsigned)reason;
}

/* A success before the last failure of the set, under the same issuer, speaks against a missing
 * root. */
static bool refuted(const struct device_view *v, const struct failure *e, enum reason reason,
		    int64_t last)
{
	uint32_t issuer = issuer_of(v, e->fact);
	size_t i = reason == ROOTLESS ? success_from(v, e->posture) : 0;

	for (; i < v->n_successes && start_of(v, v->successes[i]) < last; i++) {
		uint32_t other = issuer_of(v, v->successes[i]);
		if (issuer == 0 || other == 0 || issuer == other)
			return true;
	}
	return false;
}

static void refute(struct device_view *v, enum reason reason)
{
	int64_t last = INT64_MIN;

	for (size_t i = 0; i < v->n_failures; i++)
		if (v->failures[i].reasons & reason)
			last = start_of(v, v->failures[i].fact);
	for (size_t i = 0; i < v->n_failures; i++) {
		struct failure *e = &v->failures[i];
		if ((e->reasons & reason) && refuted(v, e, reason, last))
			e->reasons &= (uint8_t) ~(unsigned)reason;
	}
}

static void explain_device(struct device_view *v)
{
	for (size_t i = 0; i < v->n_failures; i++)
		find_reasons(v, &v->failures[i]);
	for (unsigned reason = LONELY; reason <= ROOTLESS; reason <<= 1) {
		bool counted = reason != ROOTLESS;
		if (counted && pairs(v, reason) < MIN_PAIRS)
			drop_reason(v, (enum reason)reason);
		refute(v, (enum reason)reason);
		if (counted && pairs(v, reason) < MIN_PAIRS)
			drop_reason(v, (enum reason)reason);
	}
}

static void view_device(struct device_view *v, uint32_t device, const bool *pool)
{
	struct group g = grouping_at(&v->facts->by_device, device);

	v->n_failures = v->n_successes = 0;
	for (size_t i = 0; i < g.n; i++) {
		const struct fact *x = &v->facts->list[g.items[i]];

		facts_fetch(v->facts, &v->facts->by_device, device, i);
		if (!pool[g.items[i]])
			continue;
		if (fact_failure(x))
			v->failures[v->n_failures++] = (struct failure){ .fact = g.items[i] };
		else if (fact_success(x))
			v->successes[v->n_successes++] = g.items[i];
	}
}

/* Devices of one UTC hour: active ones, and those with an explained failure. Facts come by start,
 * so an hour's stand together. */
static void issuer_change_hours(const struct facts *f, const bool *pool, const uint8_t *reasons,
				struct spans *out)
{
	size_t *active_in =
	    xcalloc(f->by_device.n_groups, sizeof(*active_in)); /* 1 + where the hour begins */
	size_t *explained_in = xcalloc(f->by_device.n_groups, sizeof(*explained_in));

	for (size_t begin = 0, end; begin < f->n; begin = end) {
		int64_t hour = f->list[begin].start / NS_PER_HOUR;
		size_t active = 0, explained = 0;

		for (end = begin; end < f->n && f->list[end].start / NS_PER_HOUR == hour; end++) {
			uint32_t device = f->list[end].device;
			if (!pool[end] || !fact_trial(&f->list[end]))
				continue;
			active += active_in[device] != begin + 1;
			active_in[device] = begin + 1;
			if (reasons[end] == 0)
				continue;
			explained += explained_in[device] != begin + 1;
			explained_in[device] = begin + 1;
		}
		if (explained >= MIN_DEVICES_OF_HOUR && explained * 5 >= active * 4)
			spans_add(out, hour * NS_PER_HOUR, (hour + 1) * NS_PER_HOUR);
	}
	free(active_in);
	free(explained_in);
}

static bool inside(const struct spans *s, int64_t t)
{
	for (size_t i = 0; i < s->n; i++)
		if (t >= s->list[i].from && t < s->list[i].to)
			return true;
	return false;
}

/* What of a device's explained failures remains outside the hours, if it still suffices. */
static void mark_device(struct device_view *v, struct facts *f, const struct spans *hours,
			const uint8_t *reasons)
{
	for (size_t i = 0; i < v->n_failures; i++) {
		struct failure *e = &v->failures[i];
		e->reasons = inside(hours, start_of(v, e->fact)) ? 0 : reasons[e->fact];
	}
	if (pairs(v, LONELY | EARLY) < MIN_PAIRS) {
		drop_reason(v, LONELY);
		drop_reason(v, EARLY);
	}
	for (size_t i = 0; i < v->n_failures; i++)
		f->list[v->failures[i].fact].excluded_ca = v->failures[i].reasons != 0;
}

/* The devices, some a piece, by as many workers as there are. */
struct inquiry {
	struct facts *facts;
	const bool *pool;
	struct device_view *views; /* by worker */
	uint8_t *reasons;	   /* by fact */
	const struct spans *hours;
	atomic_bool any;
};

#define DEVICES_A_PIECE 64u

static void explain_devices(void *arg, size_t piece, unsigned worker)
{
	struct inquiry *q = arg;
	struct device_view *v = &q->views[worker];
	size_t first = piece * DEVICES_A_PIECE, end = first + DEVICES_A_PIECE;

	for (size_t d = first; d < end && d < q->facts->by_device.n_groups; d++) {
		view_device(v, (uint32_t)d, q->pool);
		if (v->n_failures == 0)
			continue;
		explain_device(v);
		for (size_t i = 0; i < v->n_failures; i++) {
			q->reasons[v->failures[i].fact] = v->failures[i].reasons;
			if (v->failures[i].reasons != 0)
				q->any = true;
		}
	}
}

static void mark_devices(void *arg, size_t piece, unsigned worker)
{
	struct inquiry *q = arg;
	struct device_view *v = &q->views[worker];
	size_t first = piece * DEVICES_A_PIECE, end = first + DEVICES_A_PIECE;

	for (size_t d = first; d < end && d < q->facts->by_device.n_groups; d++) {
		view_device(v, (uint32_t)d, q->pool);
		if (v->n_failures > 0)
			mark_device(v, q->facts, q->hours, q->reasons);
	}
}

/* Attempts of the device that has most. */
static size_t most_of_a_device(const struct facts *f)
{
	size_t most = 0;

	for (uint32_t d = 0; d < f->by_device.n_groups; d++)
		if (grouping_at(&f->by_device, d).n > most)
			most = grouping_at(&f->by_device, d).n;
	return most;
}

void exclude_untrusting(struct facts *f, const struct context *c, const bool *pool,
			struct spans *spans)
{
	unsigned threads = pool_threads(c->pool);
	size_t pieces = (f->by_device.n_groups + DEVICES_A_PIECE - 1) / DEVICES_A_PIECE;
	size_t most = most_of_a_device(f);
	struct inquiry q = {
		.facts = f,
		.pool = pool,
		.views = xcalloc(threads, sizeof(*q.views)),
		.reasons = xcalloc(f->n, sizeof(*q.reasons)),
		.hours = spans,
	};

	for (unsigned i = 0; i < threads; i++)
		q.views[i] = (struct device_view){
			.facts = f,
			.context = c,
			.failures = xmalloc(most * sizeof(struct failure)),
			.successes = xmalloc(most * sizeof(uint32_t)),
		};
	pool_each(c->pool, pieces, explain_devices, &q);
	if (q.any) {
		issuer_change_hours(f, pool, q.reasons, spans);
		pool_each(c->pool, pieces, mark_devices, &q);
	}
	for (unsigned i = 0; i < threads; i++) {
		free(q.views[i].failures);
		free(q.views[i].successes);
	}
	free(q.views);
	free(q.reasons);
}
