#include "identify/posture.h"

#include <stdlib.h>

/* Apps of one name that are told apart; more make the name useless anyway. */
#define MAX_NAMESAKES 64

static uint32_t keep_entry(struct postures *p, const struct app_entry *e)
{
	if (p->_n_entries == p->_entries_capacity) {
		p->_entries_capacity = p->_entries_capacity == 0 ? 256 : p->_entries_capacity * 2;
		p->_entries = xrealloc(p->_entries, p->_entries_capacity, sizeof(*p->_entries));
	}
	p->_entries[p->_n_entries++] = *e;
	return p->_n_entries;
}

/* The app's entry at the end of its track, or NULL where it is not installed. */
static const struct app_entry *newest(const struct postures *p, struct points track)
{
	uint32_t value = track.n > 0 ? track.list[track.n - 1].value : 0;

	return value != 0 ? &p->_entries[value - 1] : NULL;
}

static void add_name(struct postures *p, uint32_t device, const struct app_entry *e)
{
	struct points known = tracks_get(&p->_named, device, e->name);

	for (uint32_t i = 0; i < known.n; i++)
		if (known.list[i].value == e->bundle)
			return;
	if (known.n >= MAX_NAMESAKES)
		return;
	tracks_add(&p->_named, device, e->name, (struct point){ 0, e->bundle, 0 });
}

/* What a record does not say of an app keeps what was known. */
static void inherit(struct app_entry *e, const struct app_entry *old)
{
	if (e->name == 0)
		e->name = old->name;
	if (e->version == 0)
		e->version = old->version;
	if (e->managed == TRI_UNKNOWN)
		e->managed = old->managed;
	if (e->declares_pinning == TRI_UNKNOWN)
		e->declares_pinning = old->declares_pinning;
}

/* An app that the record does not name: gone, where the list is complete; where it is the list of
 * the managed ones, not managed. */
static void unnamed_app(struct postures *p, const struct posture_record *r, uint32_t bundle)
{
	const struct app_entry *old = newest(p, tracks_get(&p->_apps, r->device, bundle));
	struct app_entry e;

	if (r->snapshot) {
		tracks_add(&p->_apps, r->device, bundle, (struct point){ r->time, 0, 0 });
	} else if (old != NULL && old->managed != TRI_FALSE) {
		e = *old;
		e.managed = TRI_FALSE;
		tracks_add(&p->_apps, r->device, bundle,
			   (struct point){ r->time, keep_entry(p, &e), 0 });
	}
}

/* Adds what one record with an app list says to the device's tracks. */
static void fold_apps(struct postures *p, const struct posture_record *r, uint32_t index)
{
	struct points bundles;

	for (uint32_t i = 0; i < r->n_apps; i++) {
		struct app_entry e = r->apps[i];
		struct points track = tracks_get(&p->_apps, r->device, e.bundle);
		const struct app_entry *old = newest(p, track);

		if (e.bundle == 0)
			continue;
		*keymap_slot(&p->_named_by, &e.bundle) = index + 1;
		if (old != NULL)
			inherit(&e, old);
		if (track.n == 0)
			tracks_add(&p->_bundles, r->device, 0, (struct point){ 0, e.bundle, 0 });
		tracks_add(&p->_apps, r->device, e.bundle,
			   (struct point){ r->time, keep_entry(p, &e), 0 });
		if (e.name != 0) {
			add_name(p, r->device, &e);
			add_name(p, 0, &e);
		}
	}
	if (!r->snapshot && !r->managed_complete)
		return;
	bundles = tracks_get(&p->_bundles, r->device, 0);
	for (uint32_t i = 0; i < bundles.n; i++) {
		uint32_t bundle = bundles.list[i].value;
		if (keymap_get(&p->_named_by, &bundle) != index + 1)
			unnamed_app(p, r, bundle);
	}
}

static void add_record(struct postures *p, const struct posture_record *r, uint32_t index)
{
	const uint8_t values[] = { r->supervised, r->managed, r->compliant, r->jailbroken };

	tracks_add(&p->_records, r->device, 0, (struct point){ r->time, index, 0 });
	for (uint32_t f = POSTURE_SUPERVISED; f <= POSTURE_JAILBROKEN; f++)
		if (values[f] != TRI_UNKNOWN)
			tracks_add(&p->_fields, r->device, f,
				   (struct point){ r->time, values[f], 0 });
	if (r->has_profiles)
		tracks_add(&p->_fields, r->device, POSTURE_PROFILES,
			   (struct point){ r->time, index, 0 });
	if (r->has_apps) {
		tracks_add(&p->_fields, r->device, POSTURE_APPS,
			   (struct point){ r->time, index, 0 });
		if (r->snapshot)
			tracks_add(&p->_fields, r->device, POSTURE_WHOLE,
				   (struct point){ r->time, index, 0 });
		fold_apps(p, r, index);
	}
}

void postures_build(struct postures *p, struct inventory *v, struct devices *d, struct span max_age,
		    uint64_t seed)
{
	*p = (struct postures){ .inventory = v, .max_age = max_age.ns };
	tracks_init(&p->_records, seed);
	tracks_init(&p->_fields, seed);
	tracks_init(&p->_apps, seed);
	tracks_init(&p->_bundles, seed);
	tracks_init(&p->_named, seed);
	keymap_init(&p->_named_by, sizeof(uint32_t), seed);
	for (size_t i = 0; i < v->n_records; i++) {
		struct posture_record *r = &v->records[i];

		r->device = r->keys == 0 ? 0 : devices_resolve(d, r->keys, 0, r->time);
		if (r->device != 0)
			add_record(p, r, (uint32_t)i);
	}
}

void postures_free(struct postures *p)
{
	tracks_free(&p->_records);
	tracks_free(&p->_fields);
	tracks_free(&p->_apps);
	tracks_free(&p->_bundles);
	tracks_free(&p->_named);
	keymap_free(&p->_named_by);
	free(p->_entries);
}

const struct posture_record *posture_newest(const struct postures *p, uint32_t device, int64_t t)
{
	struct points track = tracks_get(&p->_records, device, 0);
	uint32_t n = points_until(track, t);

	if (track.n == 0)
		return NULL;
	return &p->inventory->records[track.list[n > 0 ? n - 1 : 0].value];
}

/* The point that holds as of t: the newest not after it if not too old; where none precedes, the
 * first after it, if not too far. */
static const struct point *as_of(const struct postures *p, uint32_t device, enum posture_field f,
				 int64_t t)
{
	struct points track = tracks_get(&p->_fields, device, (uint32_t)f);
	uint32_t n = points_until(track, t);

	if (track.n == 0)
		return NULL;
	if (n > 0)
		return t - track.list[n - 1].time <= p->max_age ? &track.list[n - 1] : NULL;
	return track.list[0].time - t <= p->max_age ? &track.list[0] : NULL;
}

enum tri posture_field(const struct postures *p, uint32_t device, enum posture_field f, int64_t t)
{
	const struct point *point = as_of(p, device, f, t);

	return point != NULL ? (enum tri)point->value : TRI_UNKNOWN;
}

const struct posture_record *posture_profiles(const struct postures *p, uint32_t device, int64_t t)
{
	const struct point *point = as_of(p, device, POSTURE_PROFILES, t);

	return point != NULL ? &p->inventory->records[point->value] : NULL;
}

/* Whether an app that the list of that time lacks is not there: records that only add say nothing
 * of the others. */
static bool whole(const struct postures *p, uint32_t device, const struct point *list, int64_t t)
{
	struct points track = tracks_get(&p->_fields, device, POSTURE_WHOLE);
	uint32_t n = points_until(track, t);

	if (list == NULL)
		return false;
	if (list->time > t)
		return p->inventory->records[list->value].snapshot;
	return n > 0 && t - track.list[n - 1].time <= p->max_age;
}

enum tri posture_app(const struct postures *p, uint32_t device, uint32_t bundle, int64_t t,
		     struct app_entry *entry)
{
	const struct point *list = as_of(p, device, POSTURE_APPS, t);
	struct points track;
	uint32_t n;

	if (list == NULL)
		return TRI_UNKNOWN;
	track = tracks_get(&p->_apps, device, bundle);
	/* Where the first list after t stands in, it is read as of its own time. */
	n = points_until(track, list->time > t ? list->time : t);
	if (n == 0 || track.list[n - 1].value == 0)
		return whole(p, device, list, t) ? TRI_FALSE : TRI_UNKNOWN;
	*entry = p->_entries[track.list[n - 1].value - 1];
	return TRI_TRUE;
}

uint32_t posture_app_named(const struct postures *p, uint32_t device, uint32_t name, int64_t t)
{
	bool listed = whole(p, device, as_of(p, device, POSTURE_APPS, t), t);
	struct points bundles = tracks_get(&p->_named, listed ? device : 0, name);
	uint32_t found = 0;

	for (uint32_t i = 0; i < bundles.n; i++) {
		uint32_t bundle = bundles.list[i].value;
		struct app_entry e;

		if (listed && (posture_app(p, device, bundle, t, &e) != TRI_TRUE || e.name != name))
			continue;
		if (found != 0)
			return 0;
		found = bundle;
	}
	return found;
}
