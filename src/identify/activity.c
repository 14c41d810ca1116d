#include "identify/activity.h"

#include <stdlib.h>

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

enum app_state activity_app_state(const struct activities *a, uint32_t device, uint32_t bundle,
				  int64_t t, int64_t max_age)
{
	struct points track = tracks_get(&a->_states, device, bundle);
	uint32_t n = points_until(track, t);

	if (n == 0 || t - track.list[n - 1].time > max_age ||
	    track.list[n - 1].value == ACTIVITY_STATE_ENDED)
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
