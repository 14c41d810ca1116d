#include "identify/activity.h"

#include <stdlib.h>

#include "base/order.h"

/* Value in a state track where the app's state became unknown (terminated). */
#define STATE_ENDED 3u

void activities_init(struct activities *a, struct names *names, uint64_t seed)
{
	*a = (struct activities){ .names = names };
	tracks_init(&a->_states, seed);
	tracks_init(&a->_apps, seed);
	tracks_init(&a->_locks, seed);
	tracks_init(&a->_interactions, seed);
	tracks_init(&a->_contacts, seed);
	tracks_init(&a->_ip_contacts, seed);
	tracks_init(&a->_seen, seed);
	tracks_init(&a->learned._bundles, seed);
	keymap_init(&a->learned._numbers, 2 * sizeof(uint32_t), seed);
}

void activities_free(struct activities *a)
{
	free(a->records);
	tracks_free(&a->_states);
	tracks_free(&a->_apps);
	tracks_free(&a->_locks);
	tracks_free(&a->_interactions);
	tracks_free(&a->_contacts);
	tracks_free(&a->_ip_contacts);
	tracks_free(&a->_seen);
	tracks_free(&a->learned._bundles);
	keymap_free(&a->learned._numbers);
	free(a->learned._since);
}

void activities_add(struct activities *a, const struct observation *o, struct stamp stamp)
{
	if (a->n_records == a->_capacity) {
		a->_capacity = a->_capacity == 0 ? 64 : a->_capacity * 2;
		a->records = xrealloc(a->records, a->_capacity, sizeof(*a->records));
	}
	a->records[a->n_records++] = (struct activity_record){
		.stamp = stamp,
		.time = o->time.ns,
		.keys = names_keys(a->names, &o->device),
		.addr = names_addr(a->names, &o->src.ip),
		.bundle = names_put(a->names, o->app.bundle_id),
		.host = names_put(a->names, o->dst.hostname),
		.ip = names_addr(a->names, &o->dst.ip),
		.event = (uint8_t)o->activity.event,
		.app_state = (uint8_t)o->activity.app_state,
		.locked = (uint8_t)o->activity.device_locked,
		.interaction = (uint8_t)o->activity.user_interaction,
	};
}

static int by_stamp(const void *a, const void *b)
{
	const struct activity_record *x = a, *y = b;

	return stamp_cmp(&x->stamp, &y->stamp);
}

/* By time, then by stamp. Records come nearly sorted and are large, so they are moved once. */
static void sort_records(struct activities *a)
{
	int64_t *times = xmalloc(a->n_records * sizeof(*times));
	struct activity_record *sorted = xmalloc(a->n_records * sizeof(*sorted));
	uint32_t *order;

	for (size_t i = 0; i < a->n_records; i++)
		times[i] = a->records[i].time;
	order = order_by_key(times, a->n_records);
	for (size_t i = 0; i < a->n_records; i++)
		sorted[i] = a->records[order[i]];
	for (size_t i = 0, end; i < a->n_records; i = end) {
		for (end = i + 1; end < a->n_records && sorted[end].time == sorted[i].time;)
			end++;
		if (end - i > 1)
			qsort(&sorted[i], end - i, sizeof(*sorted), by_stamp);
	}
	free(order);
	free(times);
	free(a->records);
	a->records = sorted;
	a->_capacity = a->n_records;
}

static uint32_t state_said(const struct activity_record *r)
{
	if (r->app_state != APP_STATE_UNKNOWN)
		return r->app_state;
	switch ((enum activity_event)r->event) {
	case ACTIVITY_LAUNCHED:
	case ACTIVITY_RESUMED:
		return APP_STATE_FOREGROUND;
	case ACTIVITY_BACKGROUNDED:
	case ACTIVITY_SUSPENDED:
	case ACTIVITY_BACKGROUND_TASK:
		return APP_STATE_BACKGROUND;
	case ACTIVITY_TERMINATED:
		return STATE_ENDED;
	default:
		return APP_STATE_UNKNOWN;
	}
}

static void index_state(struct activities *a, const struct activity_record *r)
{
	uint32_t state = state_said(r);

	if (r->locked != TRI_UNKNOWN)
		tracks_add(&a->_locks, r->device, 0, (struct point){ r->time, r->locked, 0 });
	if (r->interaction != TRI_UNKNOWN)
		tracks_add(&a->_interactions, r->device, 0,
			   (struct point){ r->time, r->interaction, r->bundle });
	if (r->bundle == 0 || state == APP_STATE_UNKNOWN)
		return;
	if (tracks_get(&a->_states, r->device, r->bundle).n == 0)
		tracks_add(&a->_apps, r->device, 0, (struct point){ 0, r->bundle, 0 });
	tracks_add(&a->_states, r->device, r->bundle, (struct point){ r->time, state, 0 });
}

static void index_contact(struct activities *a, const struct activity_record *r)
{
	struct point p = { r->time, r->bundle, 0 };

	bool declared = r->event == ACTIVITY_DECLARED;

	if (r->bundle == 0)
		return;
	if (r->host != 0)
		learned_add(&a->learned, r->host, r->bundle, declared ? INT64_MIN : r->time);
	if (r->device == 0 || declared)
		return;
	if (r->host != 0)
		tracks_add(&a->_contacts, r->device, r->host, p);
	else if (r->ip != 0)
		tracks_add(&a->_ip_contacts, r->device, r->ip, p);
}

void activities_drop(struct activities *a, uint16_t source, int64_t from)
{
	size_t kept = 0;

	for (size_t i = 0; i < a->n_records; i++)
		if (a->records[i].stamp.ref.source != source || a->records[i].stamp.order < from)
			a->records[kept++] = a->records[i];
	a->n_records = kept;
}

size_t activities_evict(struct activities *a, uint32_t source, int64_t before)
{
	size_t kept = 0, n = a->n_records;

	for (size_t i = 0; i < n; i++)
		if ((source != UINT32_MAX && a->records[i].stamp.ref.source != source) ||
		    a->records[i].time >= before)
			a->records[kept++] = a->records[i];
	a->n_records = kept;
	return n - kept;
}

size_t activities_footprint(const struct activities *a, uint32_t source)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n_records; i++)
		n += source == UINT32_MAX || a->records[i].stamp.ref.source == source;
	return n * sizeof(*a->records);
}

static void clear_index(struct activities *a)
{
	tracks_clear(&a->_states);
	tracks_clear(&a->_apps);
	tracks_clear(&a->_locks);
	tracks_clear(&a->_interactions);
	tracks_clear(&a->_contacts);
	tracks_clear(&a->_ip_contacts);
	tracks_clear(&a->_seen);
	tracks_clear(&a->learned._bundles);
	keymap_clear(&a->learned._numbers);
	a->learned._n = 0;
}

void activities_finish(struct activities *a, struct devices *d)
{
	clear_index(a);
	if (a->n_records > 0)
		sort_records(a);
	for (size_t i = 0; i < a->n_records; i++) {
		struct activity_record *r = &a->records[i];

		r->device = devices_resolve(d, r->keys, r->addr, r->time);
		index_contact(a, r);
		if (r->device == 0)
			continue;
		tracks_add(&a->_seen, r->device, 0, (struct point){ r->time, (uint32_t)i, 0 });
		index_state(a, r);
	}
}

enum app_state activity_app_state(const struct activities *a, uint32_t device, uint32_t bundle,
				  int64_t t, int64_t max_age)
{
	struct points track = tracks_get(&a->_states, device, bundle);
	uint32_t n = points_until(track, t);

	if (n == 0 || t - track.list[n - 1].time > max_age || track.list[n - 1].value == STATE_ENDED)
		return APP_STATE_UNKNOWN;
	return (enum app_state)track.list[n - 1].value;
}

enum tri activity_locked(const struct activities *a, uint32_t device, int64_t t, int64_t max_age)
{
	struct points track = tracks_get(&a->_locks, device, 0);
	uint32_t n = points_until(track, t);

	if (n == 0 || t - track.list[n - 1].time > max_age)
		return TRI_UNKNOWN;
	return (enum tri)track.list[n - 1].value;
}

enum tri activity_interaction(const struct activities *a, uint32_t device, uint32_t bundle,
			      int64_t t, int64_t window)
{
	struct points track = tracks_get(&a->_interactions, device, 0);
	enum tri said = TRI_UNKNOWN;

	for (uint32_t i = points_until(track, t - window - 1); i < track.n; i++) {
		if (track.list[i].time > t + window)
			break;
		if (track.list[i].extra != 0 && track.list[i].extra != bundle)
			continue;
		if (track.list[i].value == TRI_TRUE)
			return TRI_TRUE;
		said = TRI_FALSE;
	}
	return said;
}

/* Narrows *app to the one bundle of the points within the window; false once there are several. */
static bool one_bundle(struct points track, int64_t t, int64_t window, uint32_t *app)
{
	for (uint32_t i = points_until(track, t - window - 1); i < track.n; i++) {
		if (track.list[i].time > t + window)
			break;
		if (*app != 0 && *app != track.list[i].value)
			return false;
		*app = track.list[i].value;
	}
	return true;
}

uint32_t activity_contact(const struct activities *a, uint32_t device, uint32_t host, uint32_t ip,
			  int64_t t, int64_t window)
{
	uint32_t app = 0;

	if (!one_bundle(tracks_get(&a->_contacts, device, host), t, window, &app))
		return 0;
	if (ip != 0 && !one_bundle(tracks_get(&a->_ip_contacts, device, ip), t, window, &app))
		return 0;
	return app;
}

uint32_t activity_foreground(const struct activities *a, uint32_t device, int64_t t,
			     int64_t max_age)
{
	struct points apps = tracks_get(&a->_apps, device, 0);
	uint32_t found = 0;

	for (uint32_t i = 0; i < apps.n; i++) {
		uint32_t bundle = apps.list[i].value;
		if (activity_app_state(a, device, bundle, t, max_age) != APP_STATE_FOREGROUND)
			continue;
		if (found != 0)
			return 0;
		found = bundle;
	}
	return found;
}

struct points activity_records_of(const struct activities *a, uint32_t device)
{
	return tracks_get(&a->_seen, device, 0);
}

bool activity_between(const struct activities *a, uint32_t device, int64_t from, int64_t to)
{
	struct points track = tracks_get(&a->_seen, device, 0);
	uint32_t i = points_until(track, from - 1);

	return i < track.n && track.list[i].time <= to;
}

void learned_add(struct learned *l, uint32_t host, uint32_t bundle, int64_t since)
{
	const uint32_t key[2] = { host, bundle };
	uint32_t *slot = keymap_slot(&l->_numbers, key);

	if (*slot != KEYMAP_NONE) {
		if (since < l->_since[*slot])
			l->_since[*slot] = since;
		return;
	}
	if (l->_n == l->_capacity) {
		l->_capacity = l->_capacity == 0 ? 64 : l->_capacity * 2;
		l->_since = xrealloc(l->_since, l->_capacity, sizeof(*l->_since));
	}
	l->_since[l->_n] = since;
	*slot = l->_n++;
	tracks_add(&l->_bundles, host, 0, (struct point){ 0, bundle, *slot });
}

void learned_at(const struct learned *l, uint32_t host, int64_t t,
		void (*take)(void *arg, uint32_t bundle), void *arg)
{
	struct points bundles = tracks_get(&l->_bundles, host, 0);

	for (uint32_t i = 0; i < bundles.n; i++)
		if (l->_since[bundles.list[i].extra] <= t)
			take(arg, bundles.list[i].value);
}
