/* The index of what apps did: by device and app, host or address, in order of time. It is made one
 * device behind the other, so that what belongs to one device lies together. */
#include <stdlib.h>

#include "identify/activity.h"

static int by_stamp(const void *x, const void *y, void *arg)
{
	struct stamp a = activity_stamp(arg, x), b = activity_stamp(arg, y);

	return stamp_cmp(&a, &b);
}

static bool in_order(const struct activities *a)
{
	for (size_t i = 1; i < a->n_records; i++)
		if (a->records[i - 1].time >= a->records[i].time)
			return false;
	return true;
}

/* By time, then by stamp. Records come nearly sorted, so they are moved once. */
static void sort_records(struct activities *a)
{
	int64_t *times;
	struct activity_record *sorted;
	uint32_t *order;

	if (in_order(a))
		return;
	times = xmalloc(a->n_records * sizeof(*times));
	for (size_t i = 0; i < a->n_records; i++)
		times[i] = a->records[i].time;
	order = order_by_key(times, a->n_records);
	free(times);
	sorted = xmalloc(a->n_records * sizeof(*sorted));
	for (size_t i = 0; i < a->n_records; i++)
		sorted[i] = a->records[order[i]];
	free(order);
	for (size_t i = 0, end; i < a->n_records; i = end) {
		for (end = i + 1; end < a->n_records && sorted[end].time == sorted[i].time;)
			end++;
		if (end - i > 1)
			qsort_r(&sorted[i], end - i, sizeof(*sorted), by_stamp, a);
	}
	free(a->records);
	a->records = sorted;
	a->_capacity = a->n_records;
}

static void clear_index(struct activities *a)
{
	tracks_clear(&a->_states);
	tracks_clear(&a->_apps);
	tracks_clear(&a->_locks);
	tracks_clear(&a->_interactions);
	tracks_clear(&a->_contacts);
	tracks_clear(&a->_ip_contacts);
	grouping_free(&a->_of_device);
	learned_clear(&a->learned);
}

/* Gives each record its device, and returns by `what` whose its records are at any time;
 * KEYMAP_NONE: that depends on the time, or there is none of its records. The caller frees it. */
static uint32_t *resolve_devices(struct activities *a, struct devices *d)
{
	uint32_t *of = xmalloc((a->whats.n + 1) * sizeof(*of));
	bool *looked_up = xcalloc(a->whats.n, sizeof(*looked_up));

	for (uint32_t i = 0; i < a->whats.n; i++)
		of[i] = KEYMAP_NONE;
	for (size_t i = 0; i < a->n_records; i++) {
		struct activity_record *r = &a->records[i];
		const struct activity_what *w;

		if (looked_up[r->what] && of[r->what] != KEYMAP_NONE) {
			r->device = of[r->what];
			continue;
		}
		w = activity_what(a, r);
		if (!looked_up[r->what])
			of[r->what] = devices_at_any_time(d, w->keys);
		looked_up[r->what] = true;
		r->device = of[r->what] != KEYMAP_NONE
				? of[r->what]
				: devices_resolve(d, w->keys, w->addr, r->time);
	}
	free(looked_up);
	return of;
}

/* Adds a point where the track's place is kept: 0 where it has not been looked up, else 1 + its
 * number. */
static void add_point(struct tracks *t, uint32_t *place, uint32_t a, uint32_t b, struct point p)
{
	if (*place == 0)
		*place = tracks_number(t, a, b) + 1;
	tracks_append(t, *place - 1, p);
}

static uint32_t state_said(const struct activity_what *w, const struct activity_record *r)
{
	if (r->app_state != APP_STATE_UNKNOWN)
		return r->app_state;
	switch ((enum activity_event)w->event) {
	case ACTIVITY_LAUNCHED:
	case ACTIVITY_RESUMED:
		return APP_STATE_FOREGROUND;
	case ACTIVITY_BACKGROUNDED:
	case ACTIVITY_SUSPENDED:
	case ACTIVITY_BACKGROUND_TASK:
		return APP_STATE_BACKGROUND;
	case ACTIVITY_TERMINATED:
		return ACTIVITY_STATE_ENDED;
	default:
		return APP_STATE_UNKNOWN;
	}
}

struct state_places {
	uint32_t states, locks, interactions;
};

static void index_state(struct activities *a, const struct activity_record *r,
			struct state_places *at)
{
	const struct activity_what *w = activity_what(a, r);
	uint32_t state = state_said(w, r);

	if (r->locked != TRI_UNKNOWN)
		add_point(&a->_locks, &at->locks, r->device, 0,
			  (struct point){ r->time, r->locked, 0 });
	if (r->interaction != TRI_UNKNOWN)
		add_point(&a->_interactions, &at->interactions, r->device, 0,
			  (struct point){ r->time, r->interaction, w->bundle });
	if (w->bundle == 0 || state == APP_STATE_UNKNOWN)
		return;
	if (at->states == 0 && tracks_get(&a->_states, r->device, w->bundle).n == 0)
		tracks_add(&a->_apps, r->device, 0, (struct point){ 0, w->bundle, 0 });
	add_point(&a->_states, &at->states, r->device, w->bundle,
		  (struct point){ r->time, state, 0 });
}

/* The record at a place of the grouping; fetches what comes a little later. */
static const struct activity_record *record_at(const struct activities *a, size_t at)
{
	const uint32_t *items = a->_of_device.items;

	if (at + 16 < a->n_records)
		__builtin_prefetch(&a->records[items[at + 16]]);
	if (at + 8 < a->n_records)
		__builtin_prefetch(activity_what(a, &a->records[items[at + 8]]));
	return &a->records[items[at]];
}

static void index_states(struct activities *a, const uint32_t *device_of)
{
	struct state_places *places = xcalloc(a->whats.n, sizeof(*places));

	for (size_t i = 0; i < a->n_records; i++) {
		const struct activity_record *r = record_at(a, i);

		if (device_of[r->what] == KEYMAP_NONE)
			places[r->what] = (struct state_places){ 0 };
		if (r->device != 0)
			index_state(a, r, &places[r->what]);
	}
	free(places);
}

struct contact_place {
	uint32_t contacts;
	bool taught;
	int64_t since; /* what was taught */
};

static void index_contact(struct activities *a, const struct activity_record *r,
			  struct contact_place *at)
{
	const struct activity_what *w = activity_what(a, r);
	struct point p = { r->time, w->bundle, 0 };
	bool declared = w->event == ACTIVITY_DECLARED;
	int64_t since = declared ? INT64_MIN : r->time;

	if (w->bundle == 0)
		return;
	if (w->host != 0 && (!at->taught || since < at->since)) {
		learned_add(&a->learned, w->host, w->bundle, since);
		at->since = since;
		at->taught = true;
	}
	if (r->device == 0 || declared)
		return;
	if (w->host != 0)
		add_point(&a->_contacts, &at->contacts, r->device, w->host, p);
	else if (w->ip != 0)
		add_point(&a->_ip_contacts, &at->contacts, r->device, w->ip, p);
}

static void index_contacts(struct activities *a, const uint32_t *device_of)
{
	struct contact_place *places = xcalloc(a->whats.n, sizeof(*places));

	for (size_t i = 0; i < a->n_records; i++) {
		const struct activity_record *r = record_at(a, i);

		if (device_of[r->what] == KEYMAP_NONE)
			places[r->what].contacts = 0;
		index_contact(a, r, &places[r->what]);
	}
	free(places);
}

static void group_by_device(struct activities *a)
{
	uint32_t *of = xmalloc(a->n_records * sizeof(*of)), n = 1;

	for (size_t i = 0; i < a->n_records; i++) {
		of[i] = a->records[i].device;
		if (of[i] >= n)
			n = of[i] + 1;
	}
	a->_of_device = group_items(of, a->n_records, n);
	free(of);
}

/* The two parts of the index have nothing in common but the records, which they read. */
enum part { CONTACTS, STATES, PARTS };

struct indexing {
	struct activities *activities;
	const uint32_t *device_of;
};

static void index_part(void *arg, size_t part, unsigned worker)
{
	const struct indexing *x = arg;

	(void)worker;
	if (part == CONTACTS)
		index_contacts(x->activities, x->device_of);
	else
		index_states(x->activities, x->device_of);
}

void activities_finish(struct activities *a, struct devices *d, struct pool *pool)
{
	uint32_t *device_of;

	clear_index(a);
	sort_records(a);
	device_of = resolve_devices(a, d);
	group_by_device(a);
	pool_each(pool, PARTS, index_part, &(struct indexing){ a, device_of });
	free(device_of);
}
