/* The records behind a finding: the first and last ten of each device and kind, in event order. */
#include <stdlib.h>

#include "judge/case.h"
#include "judge/records.h"

/* EDR records that may bear on a finding: the state that held at its start, and what followed. */
#define BEFORE (12 * NS_PER_HOUR)

/* An attempt with its place among those that are shown. */
struct numbered {
	const struct fact *fact;
	uint32_t device, number;
};

/* The two ends of what one device has of TLS attempts and of activity. */
struct ends {
	struct record_end of[2][2]; /* [kind][newest] */
};

static void ends_add(struct ends *ends, const struct record *record)
{
	struct record_end *of = ends->of[record->kind == OBS_TLS_ATTEMPT ? 0 : 1];

	record_end_add(&of[0], record);
	record_end_add(&of[1], record);
}

static void add_attempt(struct ends *ends, const struct context *k, const struct fact *x,
			size_t turn)
{
	struct ref_cursor c = attempt_refs(&k->merge->attempts, x->attempt);
	struct attempt_ref ref;

	for (uint32_t i = 0; ref_next(&c, &ref); i++)
		ends_add(ends, &(struct record){
				   .time = ref.time,
				   .turn = (uint64_t)turn << 32 | i,
				   .ref = ref.ref,
				   .device = x->device,
				   .kind = ref.kind,
				   .outcome = ref.outcome,
				   .alert = ref.alert,
			       });
}

/* Of the device's attempts, from both ends in turn, so that what lies between is soon passed
 * over. */
static void add_attempts(struct ends *ends, const struct context *k, const struct numbered *list,
			 size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct numbered *x = i % 2 == 0 ? &list[i / 2] : &list[n - 1 - i / 2];

		add_attempt(ends, k, x->fact, x->number);
	}
}

static bool bears(const struct context *k, const struct activity_record *a, uint32_t app)
{
	const struct activity_what *w = activity_what(k->activities, a);

	return w->bundle == 0 || w->bundle == app;
}

static struct record of_activity(const struct context *k, const struct activity_record *a,
				 uint32_t device, size_t number)
{
	return (struct record){
		.time = a->time,
		.turn = UINT64_C(1) << 63 | number,
		.ref = activity_stamp(k->activities, a).ref,
		.device = device,
		.kind = OBS_APP_ACTIVITY,
		.activity = a,
	};
}

/* The device's records come by time: from either end only as far as they are among the first. */
static void add_activities(struct ends *ends, const struct context *k, uint32_t device,
			   uint32_t app, int64_t from, int64_t to)
{
	struct group of = activity_records_of(k->activities, device);
	struct record_end *oldest = &ends->of[1][0], *newest = &ends->of[1][1];
	size_t first = activity_records_before(k->activities, of, from), last = of.n;

	if (to < INT64_MAX)
		last = activity_records_before(k->activities, of, to + 1);
	for (size_t i = first; i < last; i++) {
		const struct activity_record *a = &k->activities->records[of.items[i]];

		if (record_end_beyond(oldest, a->time))
			break;
		if (bears(k, a, app))
			record_end_add(oldest,
				       &(struct record[]){ of_activity(k, a, device, i) }[0]);
	}
	for (size_t i = last; i-- > first;) {
		const struct activity_record *a = &k->activities->records[of.items[i]];

		if (record_end_beyond(newest, a->time))
			break;
		if (bears(k, a, app))
			record_end_add(newest,
				       &(struct record[]){ of_activity(k, a, device, i) }[0]);
	}
}

/* The newest posture record not after t, else the first after. */
static void add_posture(struct records *r, const struct context *k, uint32_t device, int64_t t)
{
	const struct posture_record *p = posture_newest(k->postures, device, t);

	if (p != NULL)
		records_add(r, (struct record){
				   .time = p->time,
				   .ref = p->stamp.ref,
				   .device = device,
				   .kind = OBS_POSTURE,
				   .posture = p,
			       });
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
		return say(a, "posture%s%s%s",
			   r->posture->supervised == TRI_TRUE ? ", supervised" : "",
			   r->posture->has_apps ? ", apps" : "",
			   r->posture->has_profiles ? ", profiles" : "");
	if (r->activity == NULL)
		return SV("connect");
	w = activity_what(k->activities, r->activity);
	app = names_get(k->names, w->bundle);
	const char *event = activity_event_name((enum activity_event)w->event);
	return say(a, "%s%s%.*s%s%s", event != NULL ? event : "activity", sv_empty(app) ? "" : " ",
		   SV_ARG(app),
		   r->activity->app_state == APP_STATE_BACKGROUND ? ", background" : "",
		   r->activity->locked == TRI_TRUE ? ", locked" : "");
}

/* Which of the run's log sources the finding used, but for what its devices say of EDR and MDM. */
static void settle_sources(const struct bench *b, const struct fact **facts, size_t n,
			   struct finding *out)
{
	for (int s = 0; s < 4; s++)
		out->log_sources[s] = b->log_sources[s];
	for (size_t i = 0; i < n; i++) {
		uint8_t flags = fact_said(b->context, facts[i])->flags;
		if (flags & SEEN_INSPECTION)
			out->log_sources[SENSOR_INSPECTION] = SOURCE_CONTRIBUTED;
		if (flags & SEEN_FLOW)
			out->log_sources[SENSOR_FLOW] = SOURCE_CONTRIBUTED;
	}
}

static int by_device(const void *a, const void *b)
{
	const struct numbered *x = a, *y = b;

	if (x->device != y->device)
		return x->device < y->device ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

static struct numbered *number_by_device(const struct fact **facts, size_t n, struct arena *scratch)
{
	struct numbered *list = arena_alloc(scratch, (n + 1) * sizeof(*list));
	bool sorted = true;

	for (size_t i = 0; i < n; i++) {
		list[i] = (struct numbered){ facts[i], facts[i]->device, (uint32_t)i };
		sorted &= i == 0 || list[i - 1].device <= list[i].device;
	}
	if (!sorted)
		qsort(list, n, sizeof(*list), by_device);
	return list;
}

/* All that bears on a finding, to be thinned device by device. */
struct search {
	const struct bench *bench;
	uint32_t app;
	int64_t from, to;
	struct ends ends;
	struct records one; /* a device's */
	struct records all;
};

/* What one device has; its attempts are list[0] … list[n − 1]. */
static void search_device(struct search *s, const struct numbered *list, size_t n,
			  struct finding *out)
{
	const struct context *k = s->bench->context;
	uint32_t device = list[0].device;

	for (int i = 0; i < 4; i++)
		record_end_open(&s->ends.of[i / 2][i % 2], i % 2 == 1, s->all.scratch);
	s->one.n = 0;
	add_attempts(&s->ends, k, list, n);
	add_activities(&s->ends, k, device, s->app, s->from, s->to);
	for (int i = 0; i < 4; i++) {
		const struct records *r = &s->ends.of[i / 2][i % 2].records;
		for (size_t j = 0; j < r->n; j++)
			records_add(&s->one, r->list[j]);
	}
	add_posture(&s->one, k, device, out->last_seen.ns);
	records_thin(&s->one, k);
	for (size_t i = 0; i < s->one.n; i++) {
		records_add(&s->all, s->one.list[i]);
		if (s->one.list[i].kind == OBS_POSTURE)
			out->log_sources[SENSOR_MDM] = SOURCE_CONTRIBUTED;
	}
	if (activity_between(k->activities, device, out->first_seen.ns - BEFORE, s->to))
		out->log_sources[SENSOR_EDR] = SOURCE_CONTRIBUTED;
}

void list_evidence(const struct bench *b, struct arena *a, struct arena *scratch,
		   const struct fact **facts, size_t n, uint32_t app, struct finding *out)
{
	int64_t window = b->context->settings->time_window.ns;
	struct search s = {
		.bench = b,
		.app = app,
		.from = out->first_seen.ns - window,
		.to = out->last_seen.ns + window,
		.one.scratch = scratch,
		.all.scratch = scratch,
	};
	struct numbered *list = number_by_device(facts, n, scratch);
	struct records *r = &s.all;
	struct evidence *found;

	settle_sources(b, facts, n, out);
	for (size_t i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && list[end].device == list[i].device;)
			end++;
		search_device(&s, &list[i], end - i, out);
	}
	/* What caps the confidence is named, whatever came before it fell silent. */
	for (int i = 0; i < 4; i++)
		if (b->log_sources[i] == SOURCE_STALE)
			out->log_sources[i] = SOURCE_STALE;
	records_sort(r, b->context);
	found = arena_alloc(a, r->n * sizeof(*found));
	for (size_t i = 0; i < r->n; i++)
		found[i] = (struct evidence){
			.source = b->sources[r->list[i].ref.source],
			.path = b->files[r->list[i].ref.file],
			.line = r->list[i].ref.line,
			.time = { r->list[i].time },
			.kind = (enum observation_kind)r->list[i].kind,
			.what = what(a, b->context, &r->list[i]),
		};
	out->evidence = found;
	out->n_evidence = r->n;
}
