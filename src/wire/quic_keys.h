/* The keys of QUIC's Initial packets, which everybody can derive, and opening a packet with them
 * (RFC 9001, 5; RFC 9369, 3). */
#ifndef PINWATCH_WIRE_QUIC_KEYS_H
#define PINWATCH_WIRE_QUIC_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct quic_keys {
	uint8_t key[16], iv[12], header[16];
};

/* Versions 1 and 2, and draft 29. */
bool quic_version_known(uint32_t version);
/* 0 Initial, 1 0-RTT, 2 Handshake, 3 Retry; first: a long header's first byte. */
int quic_packet_type(uint32_t version, uint8_t first);
/* From the destination id of the client's first packet: the client's keys, then the server's. */
bool quic_keys_derive(struct quic_keys keys[2], uint32_t version, const uint8_t *id, size_t n);
/* Opens the packet p[0..end), whose packet number is at p[at]. Returns the plain bytes, at most
 * max; 0 where it does not open. */
size_t quic_open(const struct quic_keys *k, const uint8_t *p, size_t at, size_t end, uint8_t *plain,
		 size_t max);

#endif
