/* Secrets: made, hashed, compared. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/internal.h"

void api_hash(struct sv secret, char out[65])
{
	unsigned char hash[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(hash, (const unsigned char *)(secret.n > 0 ? secret.p : ""), secret.n);
	sodium_bin2hex(out, 65, hash, sizeof(hash));
}

void api_secret(const char *prefix, char out[API_SECRET_SIZE])
{
	unsigned char bytes[32];
	char text[sodium_base64_ENCODED_LEN(sizeof(bytes),
					    sodium_base64_VARIANT_URLSAFE_NO_PADDING)];

	randombytes_buf(bytes, sizeof(bytes));
	sodium_bin2base64(text, sizeof(text), bytes, sizeof(bytes),
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	snprintf(out, API_SECRET_SIZE, "%s%s", prefix, text);
	sodium_memzero(bytes, sizeof(bytes));
	sodium_memzero(text, sizeof(text));
}

_Static_assert(crypto_pwhash_STRBYTES <= 128, "a password's hash fits");

static bool hash_password(struct sv password, char out[128])
{
	return crypto_pwhash_str(out, password.p != NULL ? password.p : "", password.n,
				 crypto_pwhash_OPSLIMIT_INTERACTIVE,
				 crypto_pwhash_MEMLIMIT_INTERACTIVE) == 0;
}

bool api_password_hash(struct api *a, struct sv password, char out[128])
{
	bool ok;

	pthread_mutex_lock(&a->hashing);
	ok = hash_password(password, out);
	pthread_mutex_unlock(&a->hashing);
	return ok;
}

bool api_password_matches(struct api *a, struct sv hash, struct sv password)
{
	char known[crypto_pwhash_STRBYTES] = "";
	bool ok;

	pthread_mutex_lock(&a->hashing);
	/* Who is not there must take as long as who is. */
	if (a->dummy == NULL) {
		a->dummy = xcalloc(1, 128);
		if (!hash_password(SV("nobody's"), a->dummy))
			a->dummy[0] = '\0';
	}
	snprintf(known, sizeof(known), "%.*s", SV_ARG(hash.n > 0 ? hash : sv_cstr(a->dummy)));
	ok = crypto_pwhash_str_verify(known, password.p != NULL ? password.p : "", password.n) == 0;
	pthread_mutex_unlock(&a->hashing);
	return ok && hash.n > 0;
}

void api_csrf(struct sv session, char out[65])
{
	static const char purpose[] = "pinwatch csrf ";
	crypto_hash_sha256_state state;
	unsigned char hash[crypto_hash_sha256_BYTES];

	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, (const unsigned char *)purpose, sizeof(purpose) - 1);
	crypto_hash_sha256_update(&state, (const unsigned char *)(session.n > 0 ? session.p : ""),
				  session.n);
	crypto_hash_sha256_final(&state, hash);
	sodium_bin2hex(out, 65, hash, sizeof(hash));
}
