/* QUIC, as far as it is in the clear: the Initial packets (RFC 9001, 5; RFC 9369 for version 2) are
 * encrypted under keys that anyone can derive, and hold the ClientHello; a handshake that fails
 * early says why in them. All else is sizes and times.
 */
#ifndef PINWATCH_WIRE_QUIC_H
#define PINWATCH_WIRE_QUIC_H

#include "wire/connection.h"

struct quic;

/* Whether the datagram begins a QUIC connection of a known version. */
bool quic_begins(const uint8_t *p, size_t n);
struct quic *quic_new(void);
void quic_free(struct quic *q);
/* One datagram of the side, n bytes of it captured. True when it completed the ClientHello. */
bool quic_take(struct connection *c, int side, const uint8_t *p, size_t n, uint32_t packet,
	       struct instant time);
/* From sizes and silence, so never more than a weak failure. */
struct inference quic_infer(const struct connection *c, struct instant now);

#endif
