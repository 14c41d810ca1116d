/* Segments of a TCP connection into what TLS says in it. */
#ifndef PINWATCH_WIRE_TCP_H
#define PINWATCH_WIRE_TCP_H

#include "wire/connection.h"

struct tcp_context {
	struct connection *c;
	int side; /* of the segment being taken */
	uint32_t packet;
	uint32_t max_held;
	bool hello;   /* set when a ClientHello was completed by this segment */
	bool connect; /* likewise the request to an explicit proxy */
	bool server_hello;
};

/* Which side sent what looks like the beginning of TLS, or of a request to an explicit proxy:
 * CLIENT, SERVER, or −1 for neither. */
int tcp_sender(const uint8_t *p, size_t n);
void tcp_take(struct tcp_context *x, const struct segment *s, struct instant time);
/* Gives up on what is missing. */
void tcp_finish(struct tcp_context *x);

#endif
