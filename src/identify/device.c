#include "identify/device.h"

#include <stdlib.h>

void devices_init(struct devices *d, const struct inventory *v, const struct leases *l,
		  struct names *names, uint64_t seed)
{
	*d = (struct devices){ .inventory = v, .leases = l, .names = names, .n = 1 };
	d->list = xcalloc(d->_capacity = 64, sizeof(*d->list));
	keymap_init(&d->_numbers, sizeof(struct device), seed);
}

void devices_free(struct devices *d)
{
	free(d->list);
	keymap_free(&d->_numbers);
}

static uint32_t number(struct devices *d, uint32_t name, enum id_type type, bool ambiguous)
{
	struct device key = { name, (uint32_t)type, ambiguous };
	uint32_t *slot = keymap_slot(&d->_numbers, &key);

	if (*slot == KEYMAP_NONE) {
		if (d->n == d->_capacity)
			d->list = xrealloc(d->list, d->_capacity *= 2, sizeof(*d->list));
		d->list[d->n] = key;
		*slot = d->n++;
	}
	return *slot;
}

/* The first of the keys that may stand for the device itself. */
static uint32_t by_own_key(struct devices *d, const struct keys *k, bool ambiguous)
{
	if (k->serial != 0)
		return number(d, k->serial, ID_SERIAL, ambiguous);
	if (k->mdm_id != 0)
		return number(d, k->mdm_id, ID_MDM_ID, ambiguous);
	if (k->user != 0)
		return number(d, k->user, ID_USER, ambiguous);
	return number(d, k->mac, ID_MAC, ambiguous);
}

#define MAX_UNRESOLVED 8

struct claims {
	const struct inventory *inventory;
	const struct names *names;
	int64_t t;
	uint32_t udid;
	uint32_t strangers[MAX_UNRESOLVED]; /* keys of claims that the inventory does not know */
	uint32_t holders[MAX_UNRESOLVED];   /* keys of claims that it does */
	unsigned resolved, unresolved;
	bool ambiguous;
};

static bool shares_key(const struct keys *a, const struct keys *b)
{
	return (a->serial != 0 && a->serial == b->serial) ||
	       (a->mdm_id != 0 && a->mdm_id == b->mdm_id) || (a->user != 0 && a->user == b->user) ||
	       (a->mac != 0 && a->mac == b->mac);
}

/* A private Wi-Fi address is unknown to the inventory; where a session of a known user names it as
 * well, that lease is no second device's. */
static bool all_are_holders(const struct claims *c)
{
	if (c->unresolved > MAX_UNRESOLVED)
		return false;
	for (unsigned i = 0; i < c->unresolved; i++) {
		bool known = false;
		for (unsigned k = 0; k < c->resolved && k < MAX_UNRESOLVED && c->strangers[i] != 0;
		     k++)
			known |= shares_key(names_keys_get(c->names, c->strangers[i]),
					    names_keys_get(c->names, c->holders[k]));
		if (!known)
			return false;
	}
	return true;
}

static void take_claim(void *arg, uint32_t keys)
{
	struct claims *c = arg;
	static const struct keys nobody = { 0 };
	const struct keys *k = keys != 0 ? names_keys_get(c->names, keys) : &nobody;
	uint32_t udid;

	switch (inventory_resolve(c->inventory, k, c->t, &udid)) {
	case RESOLVE_NONE:
		if (c->unresolved < MAX_UNRESOLVED)
			c->strangers[c->unresolved] = keys;
		c->unresolved++;
		break;
	case RESOLVE_AMBIGUOUS:
		c->ambiguous = true;
		break;
	case RESOLVE_ONE:
		if (c->resolved > 0 && c->udid != udid)
			c->ambiguous = true;
		c->udid = udid;
		if (c->resolved < MAX_UNRESOLVED)
			c->holders[c->resolved] = keys;
		c->resolved++;
		break;
	}
}

static uint32_t by_address(struct devices *d, uint32_t addr, int64_t t)
{
	struct claims c = { .inventory = d->inventory, .names = d->names, .t = t };
	char text[ADDR_TEXT_SIZE];
	size_t n;

	leases_at(d->leases, addr, t, take_claim, &c);
	if (c.resolved > 0 && !c.ambiguous && all_are_holders(&c))
		return number(d, c.udid, ID_UDID, false);
	n = addr_format(names_addr_get(d->names, addr), text);
	return number(d, names_put(d->names, sv_make(text, n)), ID_IP,
		      c.ambiguous || c.resolved > 0);
}

uint32_t devices_resolve(struct devices *d, uint32_t keys, uint32_t addr, int64_t t)
{
	const struct keys *k;
	uint32_t udid;

	if (keys == 0)
		return addr == 0 ? 0 : by_address(d, addr, t);
	k = names_keys_get(d->names, keys);
	switch (inventory_resolve(d->inventory, k, t, &udid)) {
	case RESOLVE_ONE:
		return number(d, udid, ID_UDID, false);
	case RESOLVE_AMBIGUOUS:
		return by_own_key(d, k, true);
	case RESOLVE_NONE:
		break;
	}
	return by_own_key(d, k, false);
}

void devices_cut(struct devices *d, uint32_t n)
{
	while (d->n > n)
		keymap_remove(&d->_numbers, &d->list[--d->n]);
}

uint32_t devices_at_any_time(struct devices *d, uint32_t keys)
{
	const struct keys *k = keys != 0 ? names_keys_get(d->names, keys) : NULL;

	return k != NULL && k->udid != 0 ? number(d, k->udid, ID_UDID, false) : KEYMAP_NONE;
}
