/* The wire sensor: captured frames to observations of TLS connections.
 *
 *     frame -> segment (packet.h) -> connection (flow.h) -> TCP in order (stream.h) -> records
 * (record.h)
 *           -> hellos, certificate, alerts (hello.h) -> outcome (infer.h) -> observation
 *
 * An observation is given out when its connection has ended, has been quiet for long, had to make
 * room, or the capture is at its end; so they come in the order of their ends, as connection logs
 * do. Where one capture holds both sides of a gateway, the gateway's own connections are
 * recognised, and what they prove about the client's (both.h).
 *
 * Time is the capture's. Memory is bounded by the number of connections and by what one may hold.
 * No threads inside; one sensor, one thread.
 */
#ifndef PINWATCH_WIRE_WIRE_H
#define PINWATCH_WIRE_WIRE_H

#include "model/observation.h"
#include "model/settings.h"

/* What was seen of one connection. Views die with the call. */
struct wire_seen {
	struct observation observation;
	enum vantage vantage; /* where the capture itself shows it; else unknown */
	uint32_t packet;      /* of the ClientHello, counted from 1 */
	uint64_t content;     /* a hash of what was seen, for a total order */
	struct sv alpn;	      /* the first protocol offered */
	bool ech;     /* an encrypted ClientHello, or a decoy of one: then the SNI may be a cover */
	bool evicted; /* given out early to make room */
};

struct wire_options {
	void (*seen)(void *arg, const struct wire_seen *s);
	void *arg;
	uint32_t max_connections; /* 0: WIRE_CONNECTIONS */
	uint32_t max_held; /* bytes of a direction that may wait behind a hole; 0: WIRE_HELD */
	uint64_t seed;	   /* random, so that chosen addresses cannot be made to collide */
	/* What is known of the gateway; borrowed. */
	const struct listener *listeners;
	size_t n_listeners;
	const struct cidr *addresses;
	size_t n_addresses;
};
#define WIRE_CONNECTIONS 65536u
#define WIRE_HELD (64u * 1024u)

struct wire_counts {
	uint64_t packets, bytes; /* captured */
	uint64_t segments;	 /* TCP and UDP */
	uint64_t other;		 /* neither */
	uint64_t fragments;	 /* later fragments of IP packets: not looked into */
	uint64_t cut;		 /* captured too short for their own headers */
	uint64_t unknown_link;
	uint64_t midstream;    /* segments of connections whose beginning is not in the capture */
	uint64_t connections;  /* TCP and QUIC, begun */
	uint64_t reported;     /* observations given out */
	uint64_t not_tls;      /* connections that carry something else, or nothing */
	uint64_t gateways_own; /* connections of the gateway itself, not reported */
	uint64_t evicted;      /* connections given out early to make room */
	uint64_t incomplete;   /* connections in which bytes are missing */
};

struct wire;

struct wire *wire_new(const struct wire_options *options);
/* link: as captures number link layers; the frame's time must be known and is bounded to the
 * clock's range. */
void wire_packet(struct wire *w, struct instant time, int link, const uint8_t *frame, size_t n);
/* Passes time on where no frames come: connections that have ended or fallen quiet are given
 * out. */
void wire_tick(struct wire *w, struct instant now);
/* Gives out all that is left. */
void wire_finish(struct wire *w);
const struct wire_counts *wire_counts(const struct wire *w);
void wire_free(struct wire *w);

#endif
