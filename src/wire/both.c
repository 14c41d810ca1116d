#include "wire/both.h"

#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/arena.h"

/* The gateway's hello follows the client's, or at least its CONNECT, so soon. */
#define WITHIN (10 * NS_PER_S)
/* An unknown client is taken for a gateway after so many connections of its own inside those of
 * several others, if they are nine in ten. */
#define PROVEN 8
/* Connections of one name that are looked at. */
#define MAX_CHAIN 64

void both_init(struct both *b, uint64_t seed)
{
	*b = (struct both){ .seed = seed };
	b->_recent = xcalloc(BOTH_RECENT, sizeof(*b->_recent));
	keymap_init(&b->_newest, sizeof(uint64_t), seed);
	keymap_init(&b->_numbers, sizeof(struct addr), seed);
}

void both_free(struct both *b)
{
	free(b->_recent);
	free(b->_clients);
	keymap_free(&b->_newest);
	keymap_free(&b->_numbers);
}

static const char *name_of(const struct connection *c)
{
	return c->hello != NULL && c->hello->sni[0] != '\0' ? c->hello->sni : c->connect_host;
}

static void remember(struct both *b, uint64_t name, const struct connection *c, uint32_t slot,
		     struct instant time)
{
	struct both_recent *r = &b->_recent[b->_n % BOTH_RECENT];
	uint32_t *newest;

	/* The oldest makes room; where its name was said again since, that one's chain ends
	 * here. */
	if (r->serial != 0 && keymap_get(&b->_newest, &r->name) == b->_n % BOTH_RECENT + 1)
		keymap_remove(&b->_newest, &r->name);
	newest = keymap_slot(&b->_newest, &name);
	*r = (struct both_recent){ name, c->serial, slot, *newest == KEYMAP_NONE ? 0 : *newest,
				   time };
	*newest = b->_n++ % BOTH_RECENT + 1;
}

static bool is_gateway(const struct both *b, const struct addr *a)
{
	for (size_t i = 0; i < b->n_listeners; i++)
		if (addr_eq(&b->listeners[i].ip, a))
			return true;
	for (size_t i = 0; i < b->n_addresses; i++)
		if (cidr_holds(&b->addresses[i], a))
			return true;
	return false;
}

static struct both_address *address_of(struct both *b, const struct addr *a)
{
	uint32_t *number;

	if (b->_n_clients >= BOTH_ADDRESSES && keymap_get(&b->_numbers, a) == KEYMAP_NONE)
		return NULL;
	number = keymap_slot(&b->_numbers, a);
	if (*number == KEYMAP_NONE) {
		if (b->_n_clients == b->_capacity) {
			b->_capacity = b->_capacity == 0 ? 64 : b->_capacity * 2;
			b->_clients = xrealloc(b->_clients, b->_capacity, sizeof(*b->_clients));
		}
		b->_clients[b->_n_clients] = (struct both_address){ 0 };
		*number = b->_n_clients++;
	}
	return &b->_clients[*number];
}

static bool same_end(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && addr_eq(&a->ip, &b->ip);
}

/* How certain it is that the later connection is the gateway's, for the earlier one's client. */
enum relation { UNRELATED, NESTED, GATEWAYS };

static enum relation relation(const struct both *b, const struct connection *inner,
			      const struct connection *outer)
{
	struct endpoint from = connection_end(outer, CLIENT), to = connection_end(outer, SERVER);
	struct endpoint client = connection_end(inner, CLIENT),
			server = connection_end(inner, SERVER);
	bool other_client = !addr_eq(&from.ip, &client.ip);

	if (inner->connect_host != NULL && addr_eq(&from.ip, &server.ip) &&
	    outer->connect_host == NULL)
		return GATEWAYS;
	if (!other_client)
		return UNRELATED;
	if (addr_eq(&from.ip, &server.ip) && !same_end(&to, &server))
		return GATEWAYS;
	if (is_gateway(b, &from.ip))
		return is_gateway(b, &client.ip) ? UNRELATED : GATEWAYS;
	/* An explicit proxy may leave by another address than it is reached at. */
	if (inner->facts.server_hello)
		return UNRELATED;
	return same_end(&to, &server) || inner->connect_host != NULL ? NESTED : UNRELATED;
}

static bool has_proven(const struct both_address *a)
{
	return a != NULL && a->several && a->nested >= PROVEN &&
	       a->nested * 10 >= a->connections * 9;
}

static void note_nested(struct both_address *a, const struct addr *client)
{
	if (a->nested > 0 && !addr_eq(&a->inside, client))
		a->several = true;
	a->inside = *client;
	a->nested++;
}

static bool same_hello(const struct connection *a, const struct connection *b)
{
	return a->hello != NULL && b->hello != NULL &&
	       memcmp(a->hello->random, b->hello->random, sizeof(a->hello->random)) == 0;
}

static void join(struct connection *inner, uint32_t slot, struct connection *outer)
{
	outer->inner = slot;
	outer->inner_serial = inner->serial;
	inner->has_outer = true;
}

/* Looks for the client's connection behind this one. */
static void look_inside(struct both *b, const struct flows *f, struct connection *outer,
			uint64_t name, struct instant time)
{
	struct endpoint from = connection_end(outer, CLIENT);
	struct both_address *address = address_of(b, &from.ip);
	uint32_t at = keymap_get(&b->_newest, &name);
	enum relation how = UNRELATED;
	struct endpoint client;
	bool nested = false;

	/* Enough is known of whoever has so many. */
	if (address != NULL && address->connections > UINT32_MAX / 16)
		address = NULL;
	if (address != NULL)
		address->connections++;

	if (at == KEYMAP_NONE)
		at = 0;
	for (int i = 0; at != 0 && i < MAX_CHAIN; i++) {
		const struct both_recent *r = &b->_recent[at - 1];
		struct connection *inner = r->slot < f->n_slots ? f->slots[r->slot] : NULL;

		if (r->name != name || time.ns - r->time.ns > WITHIN)
			break;
		at = r->before;
		if (inner == NULL || inner == outer || inner->serial != r->serial ||
		    inner->inner != FLOW_NONE)
			continue;
		how = relation(b, inner, outer);
		if (same_hello(inner, outer)) {
			/* Or the proxy's: only its client has said CONNECT. */
			inner->passed |= how == GATEWAYS || (inner->connect_host != NULL &&
							     outer->connect_host == NULL);
			join(inner, r->slot, outer);
			break;
		}
		if (how == UNRELATED || inner->has_outer)
			continue;
		if (how == NESTED && address != NULL && !nested) {
			client = connection_end(inner, CLIENT);
			note_nested(address, &client.ip);
			nested = true;
		}
		if (how == NESTED && !has_proven(address))
			continue;
		join(inner, r->slot, outer);
		break;
	}
}

void both_named(struct both *b, const struct flows *f, uint32_t slot, struct instant time)
{
	struct connection *c = f->slots[slot];
	const char *name = name_of(c);
	uint64_t hash;

	if (name == NULL)
		return;
	hash = XXH3_64bits_withSeed(name, strlen(name), b->seed);
	if (c->hello != NULL)
		look_inside(b, f, c, hash, time);
	if (c->inner == FLOW_NONE)
		remember(b, hash, c, slot, time);
}

void both_answered(const struct flows *f, const struct connection *outer)
{
	struct connection *inner = outer->inner < f->n_slots ? f->slots[outer->inner] : NULL;

	if (inner == NULL || inner->serial != outer->inner_serial)
		return;
	memcpy(inner->outer_random, outer->server.random, sizeof(inner->outer_random));
	inner->outer_answered = true;
}

bool both_intercepted(const struct connection *inner)
{
	return inner->outer_answered && inner->facts.server_hello && !inner->passed &&
	       memcmp(inner->outer_random, inner->server.random, sizeof(inner->outer_random)) != 0;
}
