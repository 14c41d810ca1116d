/* What may stand before TLS in a connection: a CONNECT request to an explicit proxy and its answer
 * (RFC 9110, 9.3.6). */
#ifndef PINWATCH_WIRE_PRELUDE_H
#define PINWATCH_WIRE_PRELUDE_H

#include "wire/connection.h"

/* How many of the n bytes stood before TLS. Sets the connection's state, and on the client's side
 * what it asked for; CONNECTION_OTHER where this is neither TLS nor a CONNECT. */
size_t prelude_take(struct connection *c, int side, const uint8_t *p, size_t n);
void prelude_skip(struct prelude *p);

#endif
