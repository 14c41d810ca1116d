#include "identify/activity.h"

#include <stdlib.h>

/* Value in a state track where the app's state became unknown (terminated). */
#define STATE_ENDED 3u

void activities_init(struct activities *a, struct names *names, uint64_t seed)
{
	*a = (struct activities){ .names = names };
	tuples_init(&a->whats, sizeof(struct activity_what), seed);
	tracks_init(&a->_states, seed);
	tracks_init(&a->_apps, seed);
	tracks_init(&a->_locks, seed);
	tracks_init(&a->_interactions, seed);
	tracks_init(&a->_contacts, seed);
	tracks_init(&a->_ip_contacts, seed);
	learned_init(&a->learned, seed);
}

void activities_free(struct activities *a)
{
	free(a->records);
	tuples_free(&a->whats);
	tracks_free(&a->_states);
	tracks_free(&a->_apps);
	tracks_free(&a->_locks);
	tracks_free(&a->_interactions);
	tracks_free(&a->_contacts);
	tracks_free(&a->_ip_contacts);
	grouping_free(&a->_of_device);
	learned_free(&a->learned);
}

void activities_add(struct activities *a, const struct observation *o, struct stamp stamp)
{
	struct activity_what what = {
		.delay = (int64_t)((uint64_t)stamp.order - (uint64_t)o->time.ns),
		.file = stamp.ref.file,
		.keys = names_keys(a->names, &o->device),
		.addr = names_addr(a->names, &o->src.ip),
		.bundle = names_put(a->names, o->app.bundle_id),
		.host = names_put(a->names, o->dst.hostname),
		.ip = names_addr(a->names, &o->dst.ip),
		.source = stamp.ref.source,
		.event = (uint8_t)o->activity.event,
	};

	if (a->n_records == a->_capacity) {
		a->_capacity = a->_capacity == 0 ? 64 : a->_capacity * 2;
		a->records = xrealloc(a->records, a->_capacity, sizeof(*a->records));
	}
	a->records[a->n_records++] = (struct activity_record){
		.time = o->time.ns,
		.content = stamp.content,
		.line = stamp.ref.line,
		.what = tuples_put(&a->whats, &what),
		.app_state = (uint8_t)o->activity.app_state,
		.locked = (uint8_t)o->activity.device_locked,
		.interaction = (uint8_t)o->activity.user_interaction,
	};
}

struct stamp activity_stamp(const struct activities *a, const struct activity_record *r)
{
	const struct activity_what *w = activity_what(a, r);

	return (struct stamp){
		.order = (int64_t)((uint64_t)r->time + (uint64_t)w->delay),
		.content = r->content,
		.ref = { w->file, r->line, w->source },
	};
}

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
		return STATE_ENDED;
	default:
		return APP_STATE_UNKNOWN;
	}
}

/* Where the points of equal records of one device go, found once. 0: not looked up yet, else 1 + the track's number. */
struct places {
	uint32_t device; /* KEYMAP_NONE: depends on the time */
	uint32_t states, locks, interactions, contacts;
	bool looked_up, taught;
};

static void add_point(struct tracks *t, uint32_t *place, uint32_t a, uint32_t b, struct point p)
{
	if (*place == 0)
		*place = tracks_number(t, a, b) + 1;
	tracks_append(t, *place - 1, p);
}

static void index_state(struct activities *a, const struct activity_record *r, struct places *at)
{
	const struct activity_what *w = activity_what(a, r);
	uint32_t state = state_said(w, r);

	if (r->locked != TRI_UNKNOWN)
		add_point(&a->_locks, &at->locks, r->device, 0, (struct point){ r->time, r->locked, 0 });
	if (r->interaction != TRI_UNKNOWN)
		add_point(&a->_interactions, &at->interactions, r->device, 0,
			  (struct point){ r->time, r->interaction, w->bundle });
	if (w->bundle == 0 || state == APP_STATE_UNKNOWN)
		return;
	if (at->states == 0 && tracks_get(&a->_states, r->device, w->bundle).n == 0)
		tracks_add(&a->_apps, r->device, 0, (struct point){ 0, w->bundle, 0 });
	add_point(&a->_states, &at->states, r->device, w->bundle, (struct point){ r->time, state, 0 });
}

static void index_contact(struct activities *a, const struct activity_record *r, struct places *at)
{
	const struct activity_what *w = activity_what(a, r);
	struct point p = { r->time, w->bundle, 0 };
	bool declared = w->event == ACTIVITY_DECLARED;

	if (w->bundle == 0)
		return;
	/* Records come by time, so of equal ones the first says since when. */
	if (w->host != 0 && !at->taught)
		learned_add(&a->learned, w->host, w->bundle, declared ? INT64_MIN : r->time);
	at->taught = true;
	if (r->device == 0 || declared)
		return;
	if (w->host != 0)
		add_point(&a->_contacts, &at->contacts, r->device, w->host, p);
	else if (w->ip != 0)
		add_point(&a->_ip_contacts, &at->contacts, r->device, w->ip, p);
}

void activities_drop(struct activities *a, uint16_t source, int64_t from)
{
	size_t kept = 0;

	for (size_t i = 0; i < a->n_records; i++) {
		struct stamp stamp = activity_stamp(a, &a->records[i]);
		if (stamp.ref.source != source || stamp.order < from)
			a->records[kept++] = a->records[i];
	}
	a->n_records = kept;
}

size_t activities_evict(struct activities *a, uint32_t source, int64_t before)
{
	struct tuples old = a->whats;
	size_t kept = 0, n = a->n_records;

	tuples_init(&a->whats, sizeof(struct activity_what), old._seed);
	for (size_t i = 0; i < n; i++) {
		struct activity_record r = a->records[i];
		const struct activity_what *w = tuples_get(&old, r.what);

		if ((source == UINT32_MAX || w->source == source) && r.time < before)
			continue;
		r.what = tuples_put(&a->whats, w);
		a->records[kept++] = r;
	}
	a->n_records = kept;
	tuples_free(&old);
	return n - kept;
}

size_t activities_footprint(const struct activities *a, uint32_t source)
{
	size_t n = 0, whats = 0;

	for (size_t i = 0; i < a->n_records; i++)
		n += source == UINT32_MAX || activity_what(a, &a->records[i])->source == source;
	for (uint32_t i = 0; i < a->whats.n; i++) {
		const struct activity_what *w = tuples_get(&a->whats, i);
		whats += source == UINT32_MAX || w->source == source;
	}
	return n * sizeof(*a->records) + whats * sizeof(struct activity_what);
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
	tracks_clear(&a->learned._bundles);
	keymap_clear(&a->learned._numbers);
	a->learned._n = 0;
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

void activities_finish(struct activities *a, struct devices *d)
{
	struct places *places = xcalloc(a->whats.n, sizeof(*places));

	clear_index(a);
	sort_records(a);
	for (size_t i = 0; i < a->n_records; i++) {
		struct activity_record *r = &a->records[i];
		const struct activity_what *w = activity_what(a, r);
		struct places *at = &places[r->what];

		if (!at->looked_up)
			at->device = devices_at_any_time(d, w->keys);
		at->looked_up = true;
		if (at->device != KEYMAP_NONE) {
			r->device = at->device;
		} else {
			r->device = devices_resolve(d, w->keys, w->addr, r->time);
			at->states = at->locks = at->interactions = at->contacts = 0;
		}
		index_contact(a, r, at);
		if (r->device != 0)
			index_state(a, r, at);
	}
	free(places);
	group_by_device(a);
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

struct group activity_records_of(const struct activities *a, uint32_t device)
{
	if (device == 0 || device >= a->_of_device.n_groups)
		return (struct group){ NULL, 0 };
	return grouping_at(&a->_of_device, device);
}

size_t activity_records_before(const struct activities *a, struct group of, int64_t t)
{
	size_t low = 0, high = of.n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (a->records[of.items[mid]].time < t)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

bool activity_between(const struct activities *a, uint32_t device, int64_t from, int64_t to)
{
	struct group of = activity_records_of(a, device);
	size_t i = activity_records_before(a, of, from);

	return i < of.n && a->records[of.items[i]].time <= to;
}

void learned_init(struct learned *l, uint64_t seed)
{
	*l = (struct learned){ 0 };
	tracks_init(&l->_bundles, seed);
	keymap_init(&l->_numbers, 2 * sizeof(uint32_t), seed);
}

void learned_free(struct learned *l)
{
	tracks_free(&l->_bundles);
	keymap_free(&l->_numbers);
	free(l->_since);
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
