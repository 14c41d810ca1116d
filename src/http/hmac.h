/* Secrets compared without telling by time how far they agree: HMAC signatures and tokens. */
#ifndef PINWATCH_HTTP_HMAC_H
#define PINWATCH_HTTP_HMAC_H

#include <stdbool.h>

#include "base/sv.h"

enum hmac_algorithm { HMAC_SHA256, HMAC_SHA1, HMAC_SHA512, HMAC_ALGORITHMS };
enum hmac_encoding { HMAC_BASE64, HMAC_HEX };

/* True where `signature` is the HMAC of the body, as text (RFC 2104). A leading `sha256=` (the
 * algorithm's name) is passed over. */
bool hmac_matches(enum hmac_algorithm algorithm, enum hmac_encoding encoding, struct sv secret,
		  struct sv body, struct sv signature);

/* A token is kept and compared by its SHA-256. */
struct token_hash {
	unsigned char bytes[32];
};
struct token_hash token_hash(struct sv token);
bool token_matches(const struct token_hash *known, struct sv token);
/* What stands behind `Bearer ` in an Authorization header; p NULL where it is none. */
struct sv token_bearer(struct sv authorization);

#endif
