/* The run's names and addresses as small numbers, shared by the stages behind the parser.
 *
 * Number 0 is "not said" throughout. One table for all kinds of names: equal bytes, equal number.
 */
#ifndef PINWATCH_IDENTIFY_NAMES_H
#define PINWATCH_IDENTIFY_NAMES_H

#include "base/addr.h"
#include "base/intern.h"
#include "base/keymap.h"
#include "model/observation.h"

/* The keys by which a record names a device, interned. */
struct keys {
	uint32_t udid, serial, mac, user, mdm_id;
};

struct names {
	struct intern text;
	struct keymap _addr_numbers;
	struct addr *_addrs;
	uint32_t _n_addrs, _addrs_capacity;
	uint32_t _recent[256]; /* addresses seen lately, by their last byte */
	struct keymap _key_numbers;
	struct keys *_keys;
	uint32_t _n_keys, _keys_capacity;
};

void names_init(struct names *n, uint64_t seed);
void names_free(struct names *n);
uint32_t names_addr(struct names *n, const struct addr *a);
/* Address numbers are below this. */
static inline uint32_t names_addrs(const struct names *n) { return n->_n_addrs; }
const struct addr *names_addr_get(const struct names *n, uint32_t number);
/* The number of a tuple of keys; 0 when none is said. */
uint32_t names_keys(struct names *n, const struct device_keys *keys);
/* The tuple that has, of each key, the first's, else the second's. */
uint32_t names_keys_join(struct names *n, uint32_t first, uint32_t second);
const struct keys *names_keys_get(const struct names *n, uint32_t number);
static inline uint32_t names_put(struct names *n, struct sv v) { return intern_put(&n->text, v); }
static inline struct sv names_get(const struct names *n, uint32_t number)
{
	return intern_get(&n->text, number);
}
size_t names_footprint(const struct names *n);

#endif
