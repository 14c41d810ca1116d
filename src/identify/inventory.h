/* What MDM says of devices, as of any time: posture, installed apps, profiles, and which serial,
 * MAC, user and MDM id belong to which UDID. docs/evidence.md, 3.1, 3.2 and 3.4.
 *
 * Filled by inventory_add in any order, then inventory_finish sorts and indexes; look-ups come
 * after.
 */
#ifndef PINWATCH_IDENTIFY_INVENTORY_H
#define PINWATCH_IDENTIFY_INVENTORY_H

#include "identify/names.h"

/* Place of a record in the one total order, and where it stands. */
struct stamp {
	int64_t order; /* ns */
	uint64_t content;
	struct record_ref ref;
};
int stamp_cmp(const struct stamp *a, const struct stamp *b);

struct app_entry {
	uint32_t bundle, name, version;
	uint8_t managed, declares_pinning; /* enum tri */
};

struct profile_entry {
	uint32_t identifier;
	bool root_payload; /* holds a com.apple.security.root payload */
};

struct posture_record {
	struct stamp stamp;
	int64_t time;
	uint32_t keys;
	uint32_t udid;	 /* resolved by inventory_finish; 0: none */
	uint32_t device; /* set by device_table */
	uint8_t supervised, managed, compliant, jailbroken; /* enum tri */
	bool snapshot, managed_complete, has_apps, has_profiles;
	const struct app_entry *apps;
	uint32_t n_apps;
	const struct profile_entry *profiles;
	uint32_t n_profiles;
};

struct inventory {
	struct arena _arena;
	struct posture_record *records; /* sorted by stamp after inventory_finish */
	size_t n_records, _capacity;
	/* key (number, kind) → list of UDIDs; see inventory.c */
	struct keymap _by_key;
	uint32_t *_lists;
	size_t _n_lists, _lists_capacity;
	struct keymap _user_of;	     /* UDID → first record index that names a user */
	uint32_t *_next_user_record; /* per record: the UDID's next record that names a user */
	struct names *names;
};

void inventory_init(struct inventory *v, struct names *names, uint64_t seed);
void inventory_free(struct inventory *v);
void inventory_add(struct inventory *v, const struct observation *o, struct stamp stamp);
/* Forgets a source's records from this order time on. */
void inventory_drop(struct inventory *v, uint16_t source, int64_t from);
/* Forgets a source's records from before this time; returns how many. */
size_t inventory_evict(struct inventory *v, uint16_t source, int64_t before);
/* Of a source's records (UINT32_MAX: of all). */
size_t inventory_footprint(const struct inventory *v, uint32_t source);
/* Sorts and indexes; more may be added and finished again. */
void inventory_finish(struct inventory *v);

enum resolve_result { RESOLVE_NONE, RESOLVE_ONE, RESOLVE_AMBIGUOUS };
/* Keys to a UDID as of t (ns), by what the inventory knows; a UDID among the keys is the answer
 * itself. */
enum resolve_result inventory_resolve(const struct inventory *v, const struct keys *keys, int64_t t,
				      uint32_t *udid);

#endif
