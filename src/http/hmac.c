#include "http/hmac.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/arena.h"
#include "parse/base64.h"

#define MAX_SIGNATURE 256

static const struct {
	const char *name;
	const EVP_MD *(*digest)(void);
} algorithms[HMAC_ALGORITHMS] = {
	[HMAC_SHA256] = { "sha256=", EVP_sha256 },
	[HMAC_SHA1] = { "sha1=", EVP_sha1 },
	[HMAC_SHA512] = { "sha512=", EVP_sha512 },
};

/* The signature's bytes; false where the text is none. */
static bool decode(enum hmac_encoding encoding, struct sv text, unsigned char *out, size_t wanted)
{
	struct arena a = { 0 };
	struct sv bytes = SV_NONE;
	bool ok;

	if (encoding == HMAC_BASE64) {
		ok = base64_decode(text, &a, &bytes) && bytes.n == wanted;
		if (ok)
			memcpy(out, bytes.p, wanted);
		arena_free(&a);
		return ok;
	}
	ok = text.n == wanted * 2;
	for (size_t i = 0; ok && i < wanted; i++) {
		uint64_t byte;
		ok = sv_hex_to_u64(sv_make(text.p + 2 * i, 2), &byte);
		if (ok)
			out[i] = (unsigned char)byte;
	}
	return ok;
}

bool hmac_matches(enum hmac_algorithm algorithm, enum hmac_encoding encoding, struct sv secret,
		  struct sv body, struct sv signature)
{
	unsigned char ours[EVP_MAX_MD_SIZE], theirs[EVP_MAX_MD_SIZE];
	struct sv prefix = sv_cstr(algorithms[algorithm].name);
	unsigned n = 0;

	signature = sv_trim(signature);
	if (sv_starts(signature, prefix))
		signature = sv_skip(signature, prefix.n);
	if (secret.n == 0 || secret.n > INT32_MAX || signature.n > MAX_SIGNATURE)
		return false;
	if (HMAC(algorithms[algorithm].digest(), secret.p, (int)secret.n,
		 (const unsigned char *)(body.n > 0 ? body.p : ""), body.n, ours, &n) == NULL)
		return false;
	return decode(encoding, signature, theirs, n) && CRYPTO_memcmp(ours, theirs, n) == 0;
}

struct token_hash token_hash(struct sv token)
{
	struct token_hash hash = { { 0 } };
	unsigned n = 0;

	/* Where this fails no token matches: what is asked for is hashed again and compared with
	 * zeros. */
	EVP_Digest(token.n > 0 ? token.p : "", token.n, hash.bytes, &n, EVP_sha256(), NULL);
	return hash;
}

bool token_matches(const struct token_hash *known, struct sv token)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	return token.n > 0 && EVP_Digest(token.p, token.n, hash, &n, EVP_sha256(), NULL) == 1 &&
	       n == sizeof(known->bytes) && CRYPTO_memcmp(hash, known->bytes, n) == 0;
}

struct sv token_bearer(struct sv authorization)
{
	if (authorization.n < 7 || !sv_eq_nocase(sv_first(authorization, 7), SV("bearer ")))
		return SV_NONE;
	return sv_trim(sv_skip(authorization, 7));
}
