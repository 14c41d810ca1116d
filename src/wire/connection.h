/* A connection under observation: both directions of TCP, or of QUIC, and what TLS said in them.
 *
 * Made and freed by the flow table (flow.h); tcp.c and quic.c fill it, report.c turns it into an
 * observation.
 */
#ifndef PINWATCH_WIRE_CONNECTION_H
#define PINWATCH_WIRE_CONNECTION_H

#include "wire/hello.h"
#include "wire/infer.h"
#include "wire/packet.h"
#include "wire/record.h"
#include "wire/stream.h"

#define FLOW_NONE UINT32_MAX

/* The two ends, the lesser one first, so that both directions find the same connection. No
 * padding. */
struct flow_key {
	struct addr ip[2];
	uint16_t port[2];
	uint32_t udp;
};

enum connection_state {
	CONNECTION_OPENING, /* nothing but TCP's own handshake */
	CONNECTION_CONNECT, /* HTTP before it, to an explicit proxy */
	CONNECTION_TLS,
	CONNECTION_QUIC,
	CONNECTION_OTHER, /* not TLS: nothing is kept or reported */
};

enum { CLIENT, SERVER, SIDES };

struct prelude {
	enum { PRELUDE_FIRST, PRELUDE_HTTP, PRELUDE_DONE } state;
	struct buf text;
};

struct direction {
	struct stream stream;
	struct prelude prelude;
	struct records records;
	struct infer_side facts;
	bool opened, acks;
	uint32_t opening; /* its SYN's sequence number */
	uint32_t first_ack, last_ack;
};

struct quic;

struct connection {
	struct flow_key key;
	uint8_t client; /* which end of the key it is */
	bool client_known;
	enum connection_state state;
	bool settled;	 /* only counted from here on */
	uint32_t packet; /* the ClientHello's, or the first; counted from 1 */
	struct instant first, last;
	struct instant missed_since; /* the receiver has acknowledged what the capture has not */
	struct direction side[SIDES];
	struct infer_facts facts; /* but for the sides */
	struct client_hello *hello;
	struct server_hello server;
	struct instant hello_time, server_hello_time, connect_time;
	char *issuer;
	char *connect_host; /* what the client asked an explicit proxy for */
	uint16_t connect_port;
	struct quic *quic;
	/* Kept by both.c: the other side of the gateway. */
	uint32_t inner; /* this is the gateway's own connection, for the client's in that slot;
			   FLOW_NONE */
	uint64_t serial, inner_serial; /* a slot is used again, a serial number is not */
	bool has_outer;
	bool outer_answered; /* the origin's ServerHello to the gateway is known */
	uint8_t outer_random[32];
	bool passed; /* the gateway handed the very same TLS connection on */
	/* Kept by flow.c. */
	uint32_t prev, next; /* slots; in the list of the open or of the closing */
	bool closing;
};

static inline struct endpoint connection_end(const struct connection *c, int side)
{
	int end = side == CLIENT ? c->client : 1 - c->client;

	return (struct endpoint){ .ip = c->key.ip[end], .port = c->key.port[end] };
}

/* Everything that infer() wants to know. */
struct infer_facts connection_facts(const struct connection *c);

#endif
