/* Handshakes that a flow sensor calls established, decided by the client's byte count.
 *
 * Over TLS 1.3 a client that refuses the certificate can look established on the wire; it sends no
 * Finished and no request, so it sends less than the smallest known success. docs/evidence.md, 2.8.
 */
#ifndef PINWATCH_CORRELATE_BYTES_H
#define PINWATCH_CORRELATE_BYTES_H

#include "correlate/facts.h"

void infer_by_bytes(struct facts *f, const struct context *c);

#endif
