#include "judge/records.h"

#include <stdlib.h>

void records_add(struct records *r, struct record record)
{
	if (r->n == r->capacity) {
		struct record *grown;
		r->capacity = r->capacity == 0 ? 8 : r->capacity * 2;
		grown = arena_alloc(r->scratch, r->capacity * sizeof(*grown));
		if (r->n > 0)
			memcpy(grown, r->list, r->n * sizeof(*grown));
		r->list = grown;
	}
	r->list[r->n++] = record;
}

static int by_place(const void *a, const void *b)
{
	const struct record *x = a, *y = b;

	if (x->device != y->device)
		return x->device < y->device ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->time != y->time) /* a file that was rotated counts its lines anew */
		return x->time < y->time ? -1 : 1;
	if (x->ref.file != y->ref.file)
		return x->ref.file < y->ref.file ? -1 : 1;
	return x->ref.line < y->ref.line ? -1 : x->ref.line > y->ref.line;
}

static int by_place_and_turn(const void *a, const void *b)
{
	const struct record *x = a, *y = b;
	int c = by_place(a, b);

	return c != 0 ? c : x->turn < y->turn ? -1 : x->turn > y->turn;
}

static uint64_t content(const struct record *r, const struct context *k)
{
	return r->activity == NULL ? 0 : activity_stamp(k->activities, r->activity).content;
}

/* By what the records say before where they stand: how a log was cut into files changes no
 * evidence. */
static int by_time(const void *a, const void *b, void *context)
{
	const struct record *x = a, *y = b;
	uint64_t c, d;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	if (x->ref.source != y->ref.source)
		return x->ref.source < y->ref.source ? -1 : 1;
	if (x->outcome != y->outcome)
		return x->outcome < y->outcome ? -1 : 1;
	if (x->alert != y->alert)
		return x->alert < y->alert ? -1 : 1;
	c = content(x, context);
	d = content(y, context);
	if (c != d)
		return c < d ? -1 : 1;
	return by_place(a, b);
}

static int by_group(const void *a, const void *b, void *context)
{
	const struct record *x = a, *y = b;

	if (x->device != y->device)
		return x->device < y->device ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return by_time(a, b, context);
}

static int by_age(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* Passes over what KEEP others are nearer to the end than. What stands at the same time as the last
 * of them stays: which of equal ones is the first is told later. */
static void narrow(struct record_end *e)
{
	struct records *r = &e->records;
	int64_t *times = arena_alloc(r->scratch, r->n * sizeof(*times));
	size_t n = 0, kept = 0;

	qsort(r->list, r->n, sizeof(*r->list), by_place_and_turn);
	for (size_t i = 0; i < r->n; i++) {
		const struct record *x = &r->list[i], *before = x - 1;
		if (i == 0 || x->time != before->time || x->ref.file != before->ref.file ||
		    x->ref.line != before->ref.line)
			times[n++] = x->time;
	}
	if (n >= KEEP) {
		qsort(times, n, sizeof(*times), by_age);
		e->limit = e->newest ? times[n - KEEP] : times[KEEP - 1];
	}
	for (size_t i = 0; i < r->n; i++)
		if (!record_end_beyond(e, r->list[i].time))
			r->list[kept++] = r->list[i];
	r->n = kept;
	e->full = kept * 2 > 4 * KEEP ? kept * 2 : 4 * KEEP;
}

void record_end_open(struct record_end *e, bool newest, struct arena *scratch)
{
	e->records.scratch = scratch;
	e->records.n = 0;
	e->full = 4 * KEEP;
	e->newest = newest;
	e->limit = newest ? INT64_MIN : INT64_MAX;
}

void record_end_add(struct record_end *e, const struct record *record)
{
	if (record_end_beyond(e, record->time))
		return;
	records_add(&e->records, *record);
	if (e->records.n >= e->full)
		narrow(e);
}

/* A record named twice stays once. */
static void unite(struct records *r)
{
	size_t kept = 0;

	qsort(r->list, r->n, sizeof(*r->list), by_place_and_turn);
	for (size_t i = 0; i < r->n; i++)
		if (kept == 0 || by_place(&r->list[kept - 1], &r->list[i]) != 0)
			r->list[kept++] = r->list[i];
	r->n = kept;
}

/* Thins each kind of a device's records to its ends. */
void records_thin(struct records *r, const struct context *k)
{
	void *context = (void *)(uintptr_t)k;
	size_t kept = 0;

	if (r->n == 0)
		return;
	unite(r);
	qsort_r(r->list, r->n, sizeof(*r->list), by_group, context);
	for (size_t i = 0, end; i < r->n; i = end) {
		size_t begin = kept;
		for (end = i; end < r->n && r->list[end].kind == r->list[i].kind; end++)
			r->list[kept++] = r->list[end];
		if (kept - begin > 2 * KEEP) {
			memmove(&r->list[begin + KEEP], &r->list[kept - KEEP],
				KEEP * sizeof(*r->list));
			kept = begin + 2 * KEEP;
		}
	}
	r->n = kept;
}

void records_sort(struct records *r, const struct context *c)
{
	if (r->n > 0)
		qsort_r(r->list, r->n, sizeof(*r->list), by_time, (void *)(uintptr_t)c);
}
