#include "identify/names.h"

#include <stdlib.h>

/* More distinct names than this and later ones share one number (counted by the table). */
#define MAX_NAMES (1u << 26)

void names_init(struct names *n, uint64_t seed)
{
	*n = (struct names){ ._n_addrs = 1, ._n_keys = 1 };
	intern_init(&n->text, MAX_NAMES, seed);
	keymap_init(&n->_addr_numbers, sizeof(struct addr), seed);
	keymap_init(&n->_key_numbers, sizeof(struct keys), seed);
	n->_addrs = xcalloc(n->_addrs_capacity = 64, sizeof(*n->_addrs));
	n->_keys = xcalloc(n->_keys_capacity = 64, sizeof(*n->_keys));
}

void names_free(struct names *n)
{
	intern_free(&n->text);
	keymap_free(&n->_addr_numbers);
	keymap_free(&n->_key_numbers);
	free(n->_addrs);
	free(n->_keys);
}

uint32_t names_addr(struct names *n, const struct addr *a)
{
	uint32_t *recent = &n->_recent[a->b[15]];
	uint32_t *slot;

	if (!addr_known(a))
		return 0;
	if (*recent != 0 && addr_eq(&n->_addrs[*recent], a))
		return *recent;
	slot = keymap_slot(&n->_addr_numbers, a);
	if (*slot == KEYMAP_NONE) {
		if (n->_n_addrs == n->_addrs_capacity)
			n->_addrs =
			    xrealloc(n->_addrs, n->_addrs_capacity *= 2, sizeof(*n->_addrs));
		n->_addrs[n->_n_addrs] = *a;
		*slot = n->_n_addrs++;
	}
	*recent = *slot;
	return *slot;
}

const struct addr *names_addr_get(const struct names *n, uint32_t number)
{
	return &n->_addrs[number];
}

static uint32_t number_keys(struct names *n, const struct keys *k)
{
	uint32_t *slot = keymap_slot(&n->_key_numbers, k);

	if (*slot == KEYMAP_NONE) {
		if (n->_n_keys == n->_keys_capacity)
			n->_keys = xrealloc(n->_keys, n->_keys_capacity *= 2, sizeof(*n->_keys));
		n->_keys[n->_n_keys] = *k;
		*slot = n->_n_keys++;
	}
	return *slot;
}

uint32_t names_keys(struct names *n, const struct device_keys *keys)
{
	struct keys k;

	if (keys->udid.n + keys->serial.n + keys->mac.n + keys->user.n + keys->mdm_id.n == 0)
		return 0;
	k = (struct keys){
		.udid = names_put(n, keys->udid),
		.serial = names_put(n, keys->serial),
		.mac = names_put(n, keys->mac),
		.user = names_put(n, keys->user),
		.mdm_id = names_put(n, keys->mdm_id),
	};
	return number_keys(n, &k);
}

uint32_t names_keys_join(struct names *n, uint32_t first, uint32_t second)
{
	struct keys k;
	const struct keys *more;

	if (second == 0 || first == second)
		return first;
	if (first == 0)
		return second;
	k = n->_keys[first];
	more = &n->_keys[second];
	if (k.udid == 0)
		k.udid = more->udid;
	if (k.serial == 0)
		k.serial = more->serial;
	if (k.mac == 0)
		k.mac = more->mac;
	if (k.user == 0)
		k.user = more->user;
	if (k.mdm_id == 0)
		k.mdm_id = more->mdm_id;
	return number_keys(n, &k);
}

const struct keys *names_keys_get(const struct names *n, uint32_t number)
{
	return &n->_keys[number];
}

size_t names_footprint(const struct names *n)
{
	return intern_footprint(&n->text) + keymap_footprint(&n->_addr_numbers) +
	       keymap_footprint(&n->_key_numbers) + n->_addrs_capacity * sizeof(*n->_addrs) +
	       n->_keys_capacity * sizeof(*n->_keys);
}
