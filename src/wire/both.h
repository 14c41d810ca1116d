/* Both sides of a gateway in one capture.
 *
 * A gateway that inspects answers the client's ClientHello itself and sends one of its own, for the
 * same name, to the origin. So two connections of one name at one time, with different
 * ServerHellos, are the client's (inner) and the gateway's (outer), where the outer's client is
 * known to be the gateway: it is where the inner one went to; or it is configured; or it has shown
 * it, by opening nearly all its connections inside several others' handshakes to the same server.
 * One ClientHello seen twice is one TLS connection that was handed on.
 *
 * The inner connection learns what is proven, the outer one is not reported. Bounded: the latest
 * names, the first addresses.
 */
#ifndef PINWATCH_WIRE_BOTH_H
#define PINWATCH_WIRE_BOTH_H

#include "model/settings.h"
#include "wire/flow.h"

#define BOTH_RECENT 8192 /* hellos that are remembered; a power of two */
#define BOTH_ADDRESSES 65536

struct both_recent {
	uint64_t name; /* hash */
	uint64_t serial;
	uint32_t slot;
	uint32_t before; /* position of the previous one of this name + 1; 0: none */
	struct instant time;
};

struct both_address {
	uint32_t connections, nested;
	struct addr inside; /* a client in whose handshake it was */
	bool several;	    /* of more than one client */
};

struct both {
	const struct listener *listeners;
	size_t n_listeners;
	const struct cidr *addresses;
	size_t n_addresses;
	uint64_t seed;
	struct both_recent *_recent;
	uint32_t _n;	       /* ever remembered; positions are taken modulo BOTH_RECENT */
	struct keymap _newest; /* by name: position + 1 */
	struct keymap _numbers;
	struct both_address *_clients;
	uint32_t _n_clients, _capacity;
};

void both_init(struct both *b, uint64_t seed);
void both_free(struct both *b);
/* The connection has said its name: in a ClientHello, or before in a CONNECT. */
void both_named(struct both *b, const struct flows *f, uint32_t slot, struct instant time);
/* Its ServerHello has come. */
void both_answered(const struct flows *f, const struct connection *outer);
/* Both sides were seen, and the answers differ. */
bool both_intercepted(const struct connection *inner);

#endif
