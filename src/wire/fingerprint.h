/* JA3 and JA4 of a ClientHello, from the lists that it holds. */
#ifndef PINWATCH_WIRE_FINGERPRINT_H
#define PINWATCH_WIRE_FINGERPRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More than a real hello has; what lies beyond is left out, and the fingerprint is then
 * nobody's. */
#define FINGERPRINT_LIST 512

struct fingerprint_list {
	uint16_t item[FINGERPRINT_LIST];
	size_t n;
};

/* In the order of the hello, GREASE values (RFC 8701) already left out. */
struct fingerprint {
	uint16_t legacy_version, version; /* of the message; the highest offered */
	struct fingerprint_list suites, extensions, groups, formats, signatures;
	bool sni, quic;
	char alpn_first, alpn_last; /* of the first protocol's name; 0: none */
	bool alpn_plain;	    /* both are letters or digits */
};

bool fingerprint_is_grease(uint16_t v);
void fingerprint_add(struct fingerprint_list *l, uint16_t v);
void fingerprint_ja3(const struct fingerprint *f, char out[33]);
void fingerprint_ja4(const struct fingerprint *f, char out[37]);

#endif
