/* Who had an address when: DHCP, RADIUS, VPN, ZTNA and static leases. docs/evidence.md, 3.3.
 *
 * A newer DHCP record of an address ends the older; of the other kinds each holder's own newest
 * record counts, so that two may claim one address at one time.
 */
#ifndef PINWATCH_IDENTIFY_LEASE_H
#define PINWATCH_IDENTIFY_LEASE_H

#include "identify/inventory.h"

struct lease_record {
	struct stamp stamp;
	int64_t time, until; /* until: INT64_MAX when open */
	uint32_t addr, keys;
	uint32_t holder; /* keys, or 0 for DHCP: records of one holder form one history */
};

struct leases {
	struct lease_record *records; /* after leases_finish by (addr, holder, stamp) */
	size_t n_records, _capacity;
	struct keymap _by_addr; /* addr → first record */
	struct names *names;
};

void leases_init(struct leases *l, struct names *names, uint64_t seed);
void leases_free(struct leases *l);
void leases_add(struct leases *l, const struct observation *o, struct stamp stamp);
/* Forgets a source's records from this order time on. */
void leases_drop(struct leases *l, uint16_t source, int64_t from);
/* Forgets the source's records from before this time; of all sources (UINT32_MAX) those that no
 * longer hold at it: ended, or followed by a newer of their holder. Returns how many. */
size_t leases_evict(struct leases *l, uint32_t source, int64_t before);
size_t leases_footprint(const struct leases *l, uint32_t source);
void leases_finish(struct leases *l);
/* Calls `claim` with the keys of each holder who has the address at t. */
void leases_at(const struct leases *l, uint32_t addr, int64_t t,
	       void (*claim)(void *arg, uint32_t keys), void *arg);

#endif
