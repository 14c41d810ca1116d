/* What ClientHello, ServerHello and Certificate say (RFC 8446, 4.1; RFC 5246, 7.4), and the
 * client's fingerprints: JA3 (https://github.com/salesforce/ja3) and JA4
 * (https://github.com/FoxIO-LLC/ja4, the TLS client part).
 *
 * Parsers of a message's body, without its four bytes of header; they keep nothing of it.
 */
#ifndef PINWATCH_WIRE_HELLO_H
#define PINWATCH_WIRE_HELLO_H

#include "wire/bytes.h"

#define HELLO_SNI_MAX 253 /* a DNS name's length */
#define HELLO_ISSUER_MAX 256
#define TLS_1_2 0x0303
#define TLS_1_3 0x0304

struct client_hello {
	char sni[HELLO_SNI_MAX + 1]; /* lower-case, without trailing dot; empty: none, or no name */
	char alpn[17];		     /* the first protocol offered, cut */
	char ja3[33];
	char ja4[37];
	uint8_t random[32];
	uint16_t version; /* the highest offered */
	bool early_data;  /* data may come before the client's Finished (0-RTT) */
	bool ech;	  /* an encrypted ClientHello, or the decoy that some clients always send */
	bool usual;	  /* offers a cipher suite that every server speaks */
};

struct server_hello {
	uint8_t random[32];
	uint16_t version;
	uint16_t suite;
	bool retry;   /* a HelloRetryRequest */
	bool resumed; /* TLS 1.3: by a pre-shared key, so without certificate */
};

/* False where the body is no such message. quic: for JA4's first letter. */
bool hello_client(struct bytes body, bool quic, struct client_hello *out);
bool hello_server(struct bytes body, struct server_hello *out);
/* The issuer of the first certificate in a Certificate message of TLS ≤ 1.2, as RFC 2253 writes
 * names, cut to HELLO_ISSUER_MAX, for the caller to free. NULL where there is no certificate or it
 * does not parse. */
char *hello_issuer(struct bytes body);
/* "1.2"; NULL for what is no version of TLS. Drafts of 1.3 count as 1.3. */
const char *hello_version_name(uint16_t version);

#endif
