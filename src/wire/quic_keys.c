#include "wire/quic_keys.h"

#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#define VERSION_1 0x00000001u
#define VERSION_2 0x6b3343cfu
#define DRAFT_29 0xff00001du
#define HASH 32
#define TAG 16
#define SAMPLE 16
/* Header bytes up to and with the packet number: the token may be long. */
#define MAX_HEADER 1500

static const uint8_t salt_1[] = { 0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
				  0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a };
static const uint8_t salt_2[] = { 0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93,
				  0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9 };
static const uint8_t salt_29[] = { 0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97,
				   0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43, 0x90, 0xa8, 0x99 };

bool quic_version_known(uint32_t version)
{
	return version == VERSION_1 || version == VERSION_2 || version == DRAFT_29;
}

int quic_packet_type(uint32_t version, uint8_t first)
{
	int type = first >> 4 & 3;

	return version == VERSION_2 ? (type + 3) & 3 : type;
}

/* HKDF-Expand-Label without context (RFC 8446, 7.1), for lengths up to one hash. */
static bool expand(const uint8_t secret[HASH], const char *label, uint8_t *out, size_t n)
{
	uint8_t info[64], block[EVP_MAX_MD_SIZE];
	size_t length = strlen(label), at = 0;
	unsigned size = 0;

	info[at++] = 0;
	info[at++] = (uint8_t)n;
	info[at++] = (uint8_t)(6 + length);
	memcpy(info + at, "tls13 ", 6);
	memcpy(info + at + 6, label, length);
	at += 6 + length;
	info[at++] = 0;
	info[at++] = 1; /* the first block of HKDF-Expand (RFC 5869) */
	if (HMAC(EVP_sha256(), secret, HASH, info, at, block, &size) == NULL || size < n)
		return false;
	memcpy(out, block, n);
	return true;
}

bool quic_keys_derive(struct quic_keys keys[2], uint32_t version, const uint8_t *id, size_t n)
{
	const uint8_t *salt = version == VERSION_1   ? salt_1
			      : version == VERSION_2 ? salt_2
						     : salt_29;
	bool two = version == VERSION_2, ok = true;
	uint8_t initial[EVP_MAX_MD_SIZE], secret[HASH];
	unsigned size = 0;

	if (HMAC(EVP_sha256(), salt, sizeof(salt_1), id, n, initial, &size) == NULL)
		return false;
	for (int side = 0; side < 2; side++) {
		ok = ok && expand(initial, side == 0 ? "client in" : "server in", secret, HASH) &&
		     expand(secret, two ? "quicv2 key" : "quic key", keys[side].key, 16) &&
		     expand(secret, two ? "quicv2 iv" : "quic iv", keys[side].iv, 12) &&
		     expand(secret, two ? "quicv2 hp" : "quic hp", keys[side].header, 16);
	}
	return ok;
}

/* The mask over the header's protected bits (RFC 9001, 5.4). */
static bool header_mask(EVP_CIPHER_CTX *x, const uint8_t key[16], const uint8_t *sample,
			uint8_t mask[16])
{
	int n = 0;

	return EVP_EncryptInit_ex(x, EVP_aes_128_ecb(), NULL, key, NULL) == 1 &&
	       EVP_CIPHER_CTX_set_padding(x, 0) == 1 &&
	       EVP_EncryptUpdate(x, mask, &n, sample, SAMPLE) == 1 && n == SAMPLE;
}

static size_t open_with(EVP_CIPHER_CTX *x, const struct quic_keys *k, const uint8_t *p, size_t at,
			size_t end, uint8_t *plain)
{
	uint8_t header[MAX_HEADER], mask[16], nonce[12], tag[TAG];
	size_t length, body;
	int n = 0, last = 0;

	if (!header_mask(x, k->header, p + at + 4, mask))
		return 0;
	memcpy(header, p, at + 4);
	header[0] ^= mask[0] & 0x0f;
	length = (header[0] & 3) + 1u;
	memcpy(nonce, k->iv, sizeof(nonce));
	for (size_t i = 0; i < length; i++) {
		header[at + i] ^= mask[1 + i];
		nonce[sizeof(nonce) - length + i] ^= header[at + i];
	}
	body = at + length;
	memcpy(tag, p + end - TAG, TAG);
	if (EVP_CIPHER_CTX_reset(x) != 1 ||
	    EVP_DecryptInit_ex(x, EVP_aes_128_gcm(), NULL, k->key, nonce) != 1 ||
	    EVP_DecryptUpdate(x, NULL, &n, header, (int)body) != 1 ||
	    EVP_DecryptUpdate(x, plain, &n, p + body, (int)(end - TAG - body)) != 1 ||
	    EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_GCM_SET_TAG, TAG, tag) != 1 ||
	    EVP_DecryptFinal_ex(x, plain + n, &last) != 1)
		return 0;
	return (size_t)n + (size_t)last;
}

size_t quic_open(const struct quic_keys *k, const uint8_t *p, size_t at, size_t end, uint8_t *plain,
		 size_t max)
{
	EVP_CIPHER_CTX *x;
	size_t n;

	if (at + 4 + SAMPLE > end || at + 4 > MAX_HEADER || end - at > max)
		return 0;
	x = EVP_CIPHER_CTX_new();
	n = x != NULL ? open_with(x, k, p, at, end, plain) : 0;
	EVP_CIPHER_CTX_free(x);
	return n;
}
