/* The devices of a finding and what each did there. docs/evidence.md, 8.5. */
#include <stdlib.h>

#include "judge/case.h"

static int by_device_version(const void *a, const void *b)
{
	const struct fact *x = *(const struct fact *const *)a, *y = *(const struct fact *const *)b;

	if (x->device != y->device)
		return x->device < y->device ? -1 : 1;
	if (x->version != y->version)
		return x->version < y->version ? -1 : 1;
	return x < y ? -1 : x > y;
}

static int by_id(const void *a, const void *b)
{
	const struct finding_device *x = a, *y = b;
	int c = sv_cmp(x->id, y->id);

	if (c != 0)
		return c;
	return x->id_type != y->id_type ? (int)x->id_type - (int)y->id_type
					: (int)x->ambiguous - (int)y->ambiguous;
}

static struct finding_device start_device(const struct context *k, uint32_t device)
{
	const struct device *d = &k->devices->list[device];

	return (struct finding_device){
		.id = names_get(k->names, d->name),
		.id_type = (enum id_type)d->id_type,
		.ambiguous = d->ambiguous,
	};
}

static void count(const struct context *k, const struct fact *x, struct finding_device *d)
{
	int64_t age = k->settings->state_max_age.ns;

	if (fact_failure(x))
		d->failures = count_add(d->failures, x->count);
	if (fact_success(x))
		d->successes = count_add(d->successes, x->count);
	d->uninspected += fact_uninspected_session(x);
	d->background_starts +=
	    x->app != 0 && activity_app_state(k->activities, x->device, x->app, x->start, age) ==
			       APP_STATE_BACKGROUND;
	d->locked_starts += activity_locked(k->activities, x->device, x->start, age) == TRI_TRUE;
}

void list_devices(const struct sitting *s, struct finding *out)
{
	const struct context *k = s->bench->context;
	const struct fact **facts = arena_copy(s->scratch, s->kept, s->n_kept * sizeof(*facts));
	struct finding_device *list;
	int64_t begun = INT64_MIN;
	size_t n = 0;

	qsort(facts, s->n_kept, sizeof(struct fact *), by_device_version);
	for (size_t i = 0; i < s->n_kept; i++)
		n += i == 0 || facts[i]->device != facts[i - 1]->device;
	list = arena_alloc(s->arena, n * sizeof(*list));
	n = 0;
	for (size_t i = 0; i < s->n_kept; i++) {
		const struct fact *x = facts[i];
		if (i == 0 || x->device != facts[i - 1]->device)
			list[n++] = start_device(k, x->device);
		if (i == 0 || x->device != facts[i - 1]->device ||
		    x->version != facts[i - 1]->version)
			begun = INT64_MIN;
		if (fact_trial(x))
			list[n - 1].trials += burst_begins(&begun, x->start);
		count(k, x, &list[n - 1]);
	}
	qsort(list, n, sizeof(*list), by_id);
	out->devices = list;
	out->n_devices = n;
}

void list_failing_devices(const struct bench *b, struct arena *a, const struct fact **facts,
			  size_t n, struct finding *out)
{
	struct finding_device *list = arena_alloc(a, n * sizeof(*list));
	const struct fact **sorted = arena_copy(a, facts, n * sizeof(*facts));
	size_t m = 0;

	qsort(sorted, n, sizeof(struct fact *), by_device_version);
	for (size_t i = 0; i < n; i++) {
		if (i == 0 || sorted[i]->device != sorted[i - 1]->device)
			list[m++] = start_device(b->context, sorted[i]->device);
		if (fact_failure(sorted[i]))
			list[m - 1].failures = count_add(list[m - 1].failures, sorted[i]->count);
	}
	qsort(list, m, sizeof(*list), by_id);
	out->devices = list;
	out->n_devices = m;
}
