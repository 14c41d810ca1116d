/* The records behind a finding: the first and last ten of each device and kind, in event order. */
#include <stdlib.h>

#include "judge/case.h"

#define KEEP 10
/* EDR records that may bear on a finding: the state that held at its start, and what followed. */
#define BEFORE (12 * NS_PER_HOUR)

struct record {
	int64_t time;
	struct record_ref ref;
	uint32_t device;
	uint8_t kind;
	uint8_t outcome;        /* TLS attempts */
	int16_t alert;
	const struct activity_record *activity;
	const struct posture_record *posture;
};

struct records {
	struct record *list;
	size_t n, capacity;
	struct arena *scratch;
};

static void add(struct records *r, struct record record)
{
	if (r->n == r->capacity) {
		struct record *grown;
		r->capacity = r->capacity == 0 ? 64 : r->capacity * 2;
		grown = arena_alloc(r->scratch, r->capacity * sizeof(*grown));
		if (r->n > 0)
			memcpy(grown, r->list, r->n * sizeof(*grown));
		r->list = grown;
	}
	r->list[r->n++] = record;
}

static void add_attempt(struct records *r, const struct context *k, const struct fact *x)
{
	struct ref_cursor c = attempt_refs(&k->merge->attempts, x->attempt);
	struct attempt_ref ref;

	while (ref_next(&c, &ref))
		add(r, (struct record){
			       .time = ref.time,
			       .ref = ref.ref,
			       .device = x->device,
			       .kind = ref.kind,
			       .outcome = ref.outcome,
			       .alert = ref.alert,
		       });
}

static void add_activities(struct records *r, const struct context *k, uint32_t device, uint32_t app,
			   int64_t from, int64_t to)
{
	struct group of = activity_records_of(k->activities, device);

	for (size_t i = activity_records_before(k->activities, of, from); i < of.n; i++) {
		const struct activity_record *a = &k->activities->records[of.items[i]];
		const struct activity_what *w = activity_what(k->activities, a);

		if (a->time > to)
			break;
		if (w->bundle != 0 && w->bundle != app)
			continue;
		add(r, (struct record){
			       .time = a->time,
			       .ref = activity_stamp(k->activities, a).ref,
			       .device = device,
			       .kind = OBS_APP_ACTIVITY,
			       .activity = a,
		       });
	}
}

/* The newest posture record not after t, else the first after. */
static void add_posture(struct records *r, const struct context *k, uint32_t device, int64_t t)
{
	const struct posture_record *p = posture_newest(k->postures, device, t);

	if (p != NULL)
		add(r, (struct record){
			       .time = p->time,
			       .ref = p->stamp.ref,
			       .device = device,
			       .kind = OBS_POSTURE,
			       .posture = p,
		       });
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

static uint64_t content(const struct record *r, const struct context *k)
{
	return r->activity == NULL ? 0 : activity_stamp(k->activities, r->activity).content;
}

/* By what the records say before where they stand: how a log was cut into files changes no evidence. */
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

/* A record named twice stays once. */
static void unite(struct records *r)
{
	size_t kept = 0;

	qsort(r->list, r->n, sizeof(*r->list), by_place);
	for (size_t i = 0; i < r->n; i++)
		if (kept == 0 || by_place(&r->list[kept - 1], &r->list[i]) != 0)
			r->list[kept++] = r->list[i];
	r->n = kept;
}

/* Thins each run of (device, kind) to its ends. */
static void thin(struct records *r, const struct context *k)
{
	void *context = (void *)(uintptr_t)k;
	size_t kept = 0;

	if (r->n == 0)
		return;
	unite(r);
	qsort_r(r->list, r->n, sizeof(*r->list), by_group, context);
	for (size_t i = 0, end; i < r->n; i = end) {
		size_t begin = kept;
		for (end = i; end < r->n && r->list[end].device == r->list[i].device &&
			      r->list[end].kind == r->list[i].kind;
		     end++)
			r->list[kept++] = r->list[end];
		if (kept - begin > 2 * KEEP) {
			memmove(&r->list[begin + KEEP], &r->list[kept - KEEP],
				KEEP * sizeof(*r->list));
			kept = begin + 2 * KEEP;
		}
	}
	r->n = kept;
	qsort_r(r->list, r->n, sizeof(*r->list), by_time, context);
}

static struct sv what(struct arena *a, const struct context *k, const struct record *r)
{
	const struct activity_what *w;
	struct sv app;

	if (r->kind == OBS_TLS_ATTEMPT) {
		const char *name = outcome_name((enum outcome)r->outcome);
		return r->alert >= 0 ? say(a, "%s %d", name, r->alert) : sv_cstr(name);
	}
	if (r->kind == OBS_POSTURE)
		return say(a, "posture%s%s%s", r->posture->supervised == TRI_TRUE ? ", supervised" : "",
			   r->posture->has_apps ? ", apps" : "",
			   r->posture->has_profiles ? ", profiles" : "");
	if (r->activity == NULL)
		return SV("connect");
	w = activity_what(k->activities, r->activity);
	app = names_get(k->names, w->bundle);
	const char *event = activity_event_name((enum activity_event)w->event);
	return say(a, "%s%s%.*s%s%s", event != NULL ? event : "activity", sv_empty(app) ? "" : " ",
		   SV_ARG(app), r->activity->app_state == APP_STATE_BACKGROUND ? ", background" : "",
		   r->activity->locked == TRI_TRUE ? ", locked" : "");
}

static void settle_sources(const struct bench *b, const struct records *r, const struct fact **facts,
			   size_t n, struct finding *out)
{
	int64_t window = b->context->settings->time_window.ns;

	for (int s = 0; s < 4; s++)
		out->log_sources[s] = b->log_sources[s];
	for (size_t i = 0; i < n; i++) {
		uint8_t flags = fact_said(b->context, facts[i])->flags;
		if (flags & SEEN_INSPECTION)
			out->log_sources[SENSOR_INSPECTION] = SOURCE_CONTRIBUTED;
		if (flags & SEEN_FLOW)
			out->log_sources[SENSOR_FLOW] = SOURCE_CONTRIBUTED;
		if (activity_between(b->context->activities, facts[i]->device,
				     out->first_seen.ns - BEFORE, out->last_seen.ns + window))
			out->log_sources[SENSOR_EDR] = SOURCE_CONTRIBUTED;
	}
	for (size_t i = 0; i < r->n; i++)
		if (r->list[i].kind == OBS_POSTURE)
			out->log_sources[SENSOR_MDM] = SOURCE_CONTRIBUTED;
	/* What caps the confidence is named, whatever came before it fell silent. */
	for (int s = 0; s < 4; s++)
		if (b->log_sources[s] == SOURCE_STALE)
			out->log_sources[s] = SOURCE_STALE;
}

static int by_device(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

void list_evidence(const struct bench *b, struct arena *a, struct arena *scratch,
		   const struct fact **facts, size_t n, uint32_t app, struct finding *out)
{
	struct records r = { .scratch = scratch };
	uint32_t *devices = arena_alloc(scratch, (n + 1) * sizeof(*devices));
	int64_t window = b->context->settings->time_window.ns;
	struct evidence *list;

	for (size_t i = 0; i < n; i++) {
		add_attempt(&r, b->context, facts[i]);
		devices[i] = facts[i]->device;
	}
	qsort(devices, n, sizeof(*devices), by_device);
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && devices[i] == devices[i - 1])
			continue;
		add_activities(&r, b->context, devices[i], app, out->first_seen.ns - window,
			       out->last_seen.ns + window);
		add_posture(&r, b->context, devices[i], out->last_seen.ns);
	}
	thin(&r, b->context);
	settle_sources(b, &r, facts, n, out);
	list = arena_alloc(a, r.n * sizeof(*list));
	for (size_t i = 0; i < r.n; i++)
		list[i] = (struct evidence){
			.source = b->sources[r.list[i].ref.source],
			.path = b->files[r.list[i].ref.file],
			.line = r.list[i].ref.line,
			.time = { r.list[i].time },
			.kind = (enum observation_kind)r.list[i].kind,
			.what = what(a, b->context, &r.list[i]),
		};
	out->evidence = list;
	out->n_evidence = r.n;
}
