/* Posture as of a time: supervised, managed, profiles, installed apps. docs/evidence.md, 3.4.
 *
 * Built once from the inventory when every device has its number; look-ups are binary searches in
 * tracks, one per device and field, one per device and app.
 */
#ifndef PINWATCH_IDENTIFY_POSTURE_H
#define PINWATCH_IDENTIFY_POSTURE_H

#include "identify/device.h"
#include "identify/track.h"

enum posture_field {
	POSTURE_SUPERVISED,
	POSTURE_MANAGED,
	POSTURE_COMPLIANT,
	POSTURE_JAILBROKEN,
	POSTURE_APPS,	  /* the list as such: value is the record's index */
	POSTURE_PROFILES, /* likewise */
	POSTURE_WHOLE,	  /* a list that is complete: likewise */
	POSTURE_FIELDS
};

struct postures {
	const struct inventory *inventory;
	int64_t max_age;
	struct tracks _records; /* (device, 0): the record's index */
	struct tracks _fields;	/* (device, field): value, or the record's index */
	struct tracks _apps;	/* (device, bundle): 1 + index into _entries, 0 once it is gone */
	struct tracks _bundles; /* (device, 0): every bundle that has a track */
	struct tracks _named; /* (device, or 0 for the fleet; app name): bundles that ever had it */
	struct keymap _named_by; /* bundle → 1 + index of the record that named it last */
	struct app_entry *_entries;
	uint32_t _n_entries, _entries_capacity;
};

void postures_build(struct postures *p, struct inventory *v, struct devices *d, struct span max_age,
		    uint64_t seed);
void postures_free(struct postures *p);

/* The newest record not after t, else the first after it, however old; NULL where there is none. */
const struct posture_record *posture_newest(const struct postures *p, uint32_t device, int64_t t);
enum tri posture_field(const struct postures *p, uint32_t device, enum posture_field f, int64_t t);
/* The record whose profiles hold as of t, or NULL. */
const struct posture_record *posture_profiles(const struct postures *p, uint32_t device, int64_t t);
/* TRUE: installed; FALSE: a complete list lacks it; UNKNOWN: no list, or none that is complete.
 * *entry where TRUE. */
enum tri posture_app(const struct postures *p, uint32_t device, uint32_t bundle, int64_t t,
		     struct app_entry *entry);
/* The one bundle of that app name, on the device as of t, or in the fleet where its list is
 * unknown. 0: none or several. */
uint32_t posture_app_named(const struct postures *p, uint32_t device, uint32_t name, int64_t t);

#endif
