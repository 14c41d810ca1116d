/* Devices: what a record's keys or its address at a time come down to. docs/evidence.md, 3.1
 * and 3.3. */
#ifndef PINWATCH_IDENTIFY_DEVICE_H
#define PINWATCH_IDENTIFY_DEVICE_H

#include "identify/inventory.h"
#include "identify/lease.h"
#include "model/finding.h"

struct device {
	uint32_t name;	  /* the id */
	uint32_t id_type; /* enum id_type */
	uint32_t ambiguous;
};

struct devices {
	struct device *list; /* number 0 is no device */
	uint32_t n, _capacity;
	struct keymap _numbers;
	const struct inventory *inventory;
	const struct leases *leases;
	struct names *names;
};

void devices_init(struct devices *d, const struct inventory *v, const struct leases *l,
		  struct names *names, uint64_t seed);
void devices_free(struct devices *d);
/* The device of a record with these keys (a tuple's number, not 0) at t, or, where keys is 0, of
 * the client address. 0 when neither says anything. */
uint32_t devices_resolve(struct devices *d, uint32_t keys, uint32_t addr, int64_t t);

/* Forgets the devices from this number on. */
void devices_cut(struct devices *d, uint32_t n);
/* The device that such keys name at any time, or KEYMAP_NONE where it depends on the time. */
uint32_t devices_at_any_time(struct devices *d, uint32_t keys);

#endif
