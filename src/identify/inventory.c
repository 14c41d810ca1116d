#include "identify/inventory.h"

#include <stdlib.h>

enum key_kind { KEY_SERIAL, KEY_MAC, KEY_USER, KEY_MDM_ID };

struct key {
	uint32_t number;
	uint32_t kind;
};

/* A list is a chain of (udid, next) pairs in _lists, newest first; 0 ends it. Lists are short:
 * UDIDs that share a key. */

int stamp_cmp(const struct stamp *a, const struct stamp *b)
{
	if (a->order != b->order)
		return a->order < b->order ? -1 : 1;
	if (a->ref.source != b->ref.source)
		return a->ref.source < b->ref.source ? -1 : 1;
	return a->content < b->content ? -1 : a->content > b->content;
}

void inventory_init(struct inventory *v, struct names *names, uint64_t seed)
{
	*v = (struct inventory){ .names = names };
	keymap_init(&v->_by_key, sizeof(struct key), seed);
	keymap_init(&v->_user_of, sizeof(uint32_t), seed);
}

void inventory_free(struct inventory *v)
{
	arena_free(&v->_arena);
	free(v->records);
	free(v->_lists);
	free(v->_next_user_record);
	keymap_free(&v->_by_key);
	keymap_free(&v->_user_of);
}

static const struct app_entry *copy_apps(struct inventory *v, const struct posture *p)
{
	struct app_entry *apps = arena_alloc(&v->_arena, p->n_apps * sizeof(*apps));

	for (size_t i = 0; i < p->n_apps; i++)
		apps[i] = (struct app_entry){
			.bundle = names_put(v->names, p->apps[i].bundle_id),
			.name = names_put(v->names, p->apps[i].name),
			.version = names_put(v->names, p->apps[i].version),
			.managed = (uint8_t)p->apps[i].managed,
			.declares_pinning = (uint8_t)p->apps[i].declares_pinning,
		};
	return apps;
}

static const struct profile_entry *copy_profiles(struct inventory *v, const struct posture *p)
{
	struct profile_entry *profiles = arena_alloc(&v->_arena, p->n_profiles * sizeof(*profiles));

	for (size_t i = 0; i < p->n_profiles; i++) {
		profiles[i].identifier = names_put(v->names, p->profiles[i].identifier);
		for (size_t k = 0; k < p->profiles[i].n_payload_types; k++)
			if (sv_eq(p->profiles[i].payload_types[k], SV("com.apple.security.root")))
				profiles[i].root_payload = true;
	}
	return profiles;
}

void inventory_add(struct inventory *v, const struct observation *o, struct stamp stamp)
{
	const struct posture *p = &o->posture;
	struct device_keys keys = o->device;
	struct posture_record *r;

	if (sv_empty(keys.mac))
		keys.mac = p->wifi_mac;
	if (v->n_records == v->_capacity) {
		v->_capacity = v->_capacity == 0 ? 64 : v->_capacity * 2;
		v->records = xrealloc(v->records, v->_capacity, sizeof(*v->records));
	}
	r = &v->records[v->n_records++];
	*r = (struct posture_record){
		.stamp = stamp,
		.time = o->time.ns,
		.keys = names_keys(v->names, &keys),
		.supervised = (uint8_t)p->supervised,
		.managed = (uint8_t)p->managed,
		.compliant = (uint8_t)p->compliant,
		.jailbroken = (uint8_t)p->jailbroken,
		.snapshot = p->snapshot,
		.managed_complete = p->managed_complete,
		.has_apps = p->has_apps,
		.has_profiles = p->has_profiles,
		.n_apps = p->has_apps ? (uint32_t)p->n_apps : 0,
		.n_profiles = p->has_profiles ? (uint32_t)p->n_profiles : 0,
	};
	if (r->n_apps > 0)
		r->apps = copy_apps(v, p);
	if (r->n_profiles > 0)
		r->profiles = copy_profiles(v, p);
}

static uint32_t list_of(const struct inventory *v, uint32_t number, enum key_kind kind)
{
	struct key key = { number, (uint32_t)kind };
	uint32_t at = number == 0 ? KEYMAP_NONE : keymap_get(&v->_by_key, &key);

	return at == KEYMAP_NONE ? 0 : at;
}

static bool list_holds(const struct inventory *v, uint32_t list, uint32_t udid)
{
	for (; list != 0; list = v->_lists[list + 1])
		if (v->_lists[list] == udid)
			return true;
	return false;
}

static void list_add(struct inventory *v, uint32_t number, enum key_kind kind, uint32_t udid)
{
	struct key key = { number, (uint32_t)kind };
	uint32_t *slot;

	if (number == 0 || list_holds(v, list_of(v, number, kind), udid))
		return;
	if (v->_n_lists + 2 > v->_lists_capacity) {
		v->_lists_capacity = v->_lists_capacity == 0 ? 128 : v->_lists_capacity * 2;
		v->_lists = xrealloc(v->_lists, v->_lists_capacity, sizeof(*v->_lists));
	}
	slot = keymap_slot(&v->_by_key, &key);
	v->_lists[v->_n_lists] = udid;
	v->_lists[v->_n_lists + 1] = *slot == KEYMAP_NONE ? 0 : *slot;
	*slot = (uint32_t)v->_n_lists;
	v->_n_lists += 2;
}

static int by_stamp(const void *a, const void *b)
{
	const struct posture_record *x = a, *y = b;

	return stamp_cmp(&x->stamp, &y->stamp);
}

/* Chains, per UDID, the records that name a user, oldest first. */
static void index_users(struct inventory *v)
{
	v->_next_user_record =
	    xrealloc(v->_next_user_record, v->n_records + 1, sizeof(*v->_next_user_record));
	for (size_t i = v->n_records; i-- > 0;) {
		const struct posture_record *r = &v->records[i];
		uint32_t *slot;

		v->_next_user_record[i] = KEYMAP_NONE;
		if (r->udid == 0 || names_keys_get(v->names, r->keys)->user == 0)
			continue;
		slot = keymap_slot(&v->_user_of, &r->udid);
		v->_next_user_record[i] = *slot;
		*slot = (uint32_t)i;
	}
}

void inventory_drop(struct inventory *v, uint16_t source, int64_t from)
{
	size_t kept = 0;

	for (size_t i = 0; i < v->n_records; i++)
		if (v->records[i].stamp.ref.source != source || v->records[i].stamp.order < from)
			v->records[kept++] = v->records[i];
	v->n_records = kept;
}

static size_t size_of(const struct posture_record *r)
{
	return sizeof(*r) + r->n_apps * sizeof(*r->apps) + r->n_profiles * sizeof(*r->profiles);
}

size_t inventory_footprint(const struct inventory *v, uint32_t source)
{
	size_t n = 0;

	for (size_t i = 0; i < v->n_records; i++)
		if (source == UINT32_MAX || v->records[i].stamp.ref.source == source)
			n += size_of(&v->records[i]);
	return n;
}

size_t inventory_evict(struct inventory *v, uint16_t source, int64_t before)
{
	struct arena lists = { 0 };
	size_t kept = 0, n = v->n_records;

	for (size_t i = 0; i < n; i++)
		if (v->records[i].stamp.ref.source != source || v->records[i].time >= before)
			v->records[kept++] = v->records[i];
	v->n_records = kept;
	/* What is left moves to where nothing is lost between. */
	for (size_t i = 0; i < kept; i++) {
		struct posture_record *r = &v->records[i];
		if (r->n_apps > 0)
			r->apps = arena_copy(&lists, r->apps, r->n_apps * sizeof(*r->apps));
		if (r->n_profiles > 0)
			r->profiles =
			    arena_copy(&lists, r->profiles, r->n_profiles * sizeof(*r->profiles));
	}
	arena_free(&v->_arena);
	v->_arena = lists;
	return n - kept;
}

void inventory_finish(struct inventory *v)
{
	size_t n = v->n_records;

	if (n > 0)
		qsort(v->records, n, sizeof(*v->records), by_stamp);
	v->_n_lists = 2; /* 0 ends a list */
	if (v->_lists_capacity == 0)
		v->_lists = xcalloc(v->_lists_capacity = 128, sizeof(*v->_lists));
	keymap_clear(&v->_by_key);
	keymap_clear(&v->_user_of);
	for (size_t i = 0; i < n; i++) {
		const struct keys *k = names_keys_get(v->names, v->records[i].keys);
		v->records[i].udid = k->udid;
		if (k->udid == 0)
			continue;
		list_add(v, k->serial, KEY_SERIAL, k->udid);
		list_add(v, k->mac, KEY_MAC, k->udid);
		list_add(v, k->user, KEY_USER, k->udid);
		list_add(v, k->mdm_id, KEY_MDM_ID, k->udid);
	}
	/* Records that name no UDID but a serial or the like belong to the UDID that has it. */
	for (size_t i = 0; i < n; i++) {
		struct posture_record *r = &v->records[i];
		struct keys k = *names_keys_get(v->names, r->keys);
		uint32_t udid;
		k.user = 0;
		if (r->udid == 0 && inventory_resolve(v, &k, r->time, &udid) == RESOLVE_ONE)
			r->udid = udid;
	}
	index_users(v);
}

/* The user whom UDID has as of t. */
static uint32_t user_as_of(const struct inventory *v, uint32_t udid, int64_t t)
{
	uint32_t i = keymap_get(&v->_user_of, &udid), best = i;

	for (; i != KEYMAP_NONE && v->records[i].time <= t; i = v->_next_user_record[i])
		best = i;
	return best == KEYMAP_NONE ? 0 : names_keys_get(v->names, v->records[best].keys)->user;
}

static bool has_key(const struct inventory *v, uint32_t udid, uint32_t number, enum key_kind kind,
		    int64_t t)
{
	if (!list_holds(v, list_of(v, number, kind), udid))
		return false;
	return kind != KEY_USER || user_as_of(v, udid, t) == number;
}

enum resolve_result inventory_resolve(const struct inventory *v, const struct keys *keys, int64_t t,
				      uint32_t *udid)
{
	const uint32_t number[4] = { keys->serial, keys->mac, keys->user, keys->mdm_id };
	bool known[4], any = false;
	uint32_t hits = 0;

	if (keys->udid != 0) {
		*udid = keys->udid;
		return RESOLVE_ONE;
	}
	for (int k = 0; k < 4; k++) {
		known[k] = false;
		for (uint32_t l = list_of(v, number[k], (enum key_kind)k); l != 0 && !known[k];
		     l = v->_lists[l + 1])
			known[k] = has_key(v, v->_lists[l], number[k], (enum key_kind)k, t);
		any |= known[k];
	}
	if (!any)
		return RESOLVE_NONE;
	/* The intersection: members of the first known key's list that have every other known
	 * key. */
	for (int k = 0; k < 4; k++) {
		if (!known[k])
			continue;
		for (uint32_t l = list_of(v, number[k], (enum key_kind)k); l != 0;
		     l = v->_lists[l + 1]) {
			bool all = true;
			for (int j = 0; j < 4 && all; j++)
				if (known[j])
					all = has_key(v, v->_lists[l], number[j], (enum key_kind)j,
						      t);
			if (all) {
				*udid = v->_lists[l];
				hits++;
			}
		}
		break;
	}
	return hits == 1 ? RESOLVE_ONE : RESOLVE_AMBIGUOUS;
}
