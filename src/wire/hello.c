#include "wire/hello.h"

#include <stdio.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "base/arena.h"
#include "wire/fingerprint.h"

/* A certificate longer than this is nobody's; parsing stays cheap. */
#define MAX_CERTIFICATE 32768

enum extension {
	EXTENSION_SERVER_NAME = 0,
	EXTENSION_GROUPS = 10,
	EXTENSION_FORMATS = 11,
	EXTENSION_SIGNATURES = 13,
	EXTENSION_ALPN = 16,
	EXTENSION_PRE_SHARED_KEY = 41,
	EXTENSION_EARLY_DATA = 42,
	EXTENSION_VERSIONS = 43,
	EXTENSION_ECH = 0xfe0d,
};

/* A HelloRetryRequest is a ServerHello with this random (RFC 8446, 4.1.3). */
static const uint8_t retry_random[32] = {
	0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
	0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
	0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
};

/* Drafts of TLS 1.3 are 0x7f00 + their number. */
static uint16_t settled_version(uint16_t v) { return v >> 8 == 0x7f ? TLS_1_3 : v; }
static bool is_version(uint16_t v) { return v >= 0x0300 && v <= TLS_1_3; }

const char *hello_version_name(uint16_t version)
{
	switch (settled_version(version)) {
	case 0x0301:
		return "1.0";
	case 0x0302:
		return "1.1";
	case TLS_1_2:
		return "1.2";
	case TLS_1_3:
		return "1.3";
	default:
		return NULL;
	}
}

/* Offered by every client that a server of the last fifteen years would talk to. */
static bool is_usual(uint16_t suite)
{
	switch (suite) {
	case 0x002f: /* RSA, AES-128-CBC, SHA */
	case 0x0035:
	case 0x009c:
	case 0x009d:
	case 0x1301: /* TLS 1.3 */
	case 0x1302:
	case 0x1303:
	case 0xc013: /* ECDHE-RSA, AES-CBC */
	case 0xc014:
	case 0xc02b: /* ECDHE, AES-GCM */
	case 0xc02c:
	case 0xc02f:
	case 0xc030:
	case 0xcca8: /* ECDHE, ChaCha20 */
	case 0xcca9:
		return true;
	default:
		return false;
	}
}

static void take_name(struct bytes b, struct client_hello *out)
{
	struct bytes list = bytes_sub(&b, bytes_u16(&b));
	size_t n = 0, length;

	if (bytes_u8(&list) != 0)
		return;
	length = bytes_u16(&list);
	if (list.bad || length > list.n || length == 0 || length > HELLO_SNI_MAX + 1)
		return;
	if (list.p[length - 1] == '.')
		length--;
	for (; n < length && n < HELLO_SNI_MAX; n++) {
		char c = (char)list.p[n];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
		      c == '_'))
			break;
		out->sni[n] = c;
	}
	out->sni[n == length ? n : 0] = '\0';
}

static bool is_plain(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static void take_alpn(struct bytes b, struct client_hello *out, struct fingerprint *f)
{
	struct bytes list = bytes_sub(&b, bytes_u16(&b)), name = bytes_sub(&list, bytes_u8(&list));
	size_t n = 0;

	if (name.bad || name.n == 0)
		return;
	f->alpn_first = (char)name.p[0];
	f->alpn_last = (char)name.p[name.n - 1];
	f->alpn_plain = is_plain(name.p[0]) && is_plain(name.p[name.n - 1]);
	for (; n < name.n && n + 1 < sizeof(out->alpn) && name.p[n] > ' ' && name.p[n] < 0x7f; n++)
		out->alpn[n] = (char)name.p[n];
	out->alpn[n] = '\0';
}

static void take_u16s(struct bytes list, struct fingerprint_list *out)
{
	while (list.n >= 2)
		fingerprint_add(out, bytes_u16(&list));
}

static void take_versions(struct bytes b, struct client_hello *out)
{
	struct bytes list = bytes_sub(&b, bytes_u8(&b));

	while (list.n >= 2) {
		uint16_t v = settled_version(bytes_u16(&list));

		if (is_version(v) && v > out->version)
			out->version = v;
	}
}

static void take_extension(uint16_t type, struct bytes b, struct client_hello *out,
			   struct fingerprint *f)
{
	struct bytes list;

	switch (type) {
	case EXTENSION_SERVER_NAME:
		f->sni = true;
		take_name(b, out);
		break;
	case EXTENSION_GROUPS:
		list = bytes_sub(&b, bytes_u16(&b));
		take_u16s(list, &f->groups);
		break;
	case EXTENSION_FORMATS:
		list = bytes_sub(&b, bytes_u8(&b));
		while (list.n > 0)
			fingerprint_add(&f->formats, bytes_u8(&list));
		break;
	case EXTENSION_SIGNATURES:
		list = bytes_sub(&b, bytes_u16(&b));
		take_u16s(list, &f->signatures);
		break;
	case EXTENSION_ALPN:
		take_alpn(b, out, f);
		break;
	case EXTENSION_EARLY_DATA:
		out->early_data = true;
		break;
	case EXTENSION_VERSIONS:
		take_versions(b, out);
		break;
	case EXTENSION_ECH:
		out->ech = true;
		break;
	default:
		break;
	}
}

bool hello_client(struct bytes b, bool quic, struct client_hello *out)
{
	struct fingerprint f = { .quic = quic };
	struct bytes suites, extensions, one;
	uint16_t suite, type;

	memset(out, 0, sizeof(*out));
	f.legacy_version = bytes_u16(&b);
	bytes_copy(&b, out->random, sizeof(out->random));
	bytes_sub(&b, bytes_u8(&b)); /* session id */
	suites = bytes_sub(&b, bytes_u16(&b));
	bytes_sub(&b, bytes_u8(&b)); /* compression */
	if (b.bad || suites.bad || f.legacy_version < 0x0300 || f.legacy_version > 0x03ff)
		return false;
	while (suites.n >= 2) {
		suite = bytes_u16(&suites);
		out->usual |= is_usual(suite);
		fingerprint_add(&f.suites, suite);
	}
	if (b.n >= 2) {
		extensions = bytes_sub(&b, bytes_u16(&b));
		if (extensions.bad)
			return false;
		while (extensions.n >= 4) {
			type = bytes_u16(&extensions);
			one = bytes_sub(&extensions, bytes_u16(&extensions));
			if (one.bad)
				return false;
			fingerprint_add(&f.extensions, type);
			take_extension(type, one, out, &f);
		}
	}
	if (out->version == 0)
		out->version = f.legacy_version;
	f.version = out->version;
	fingerprint_ja3(&f, out->ja3);
	fingerprint_ja4(&f, out->ja4);
	return true;
}

bool hello_server(struct bytes b, struct server_hello *out)
{
	struct bytes extensions, one;
	uint16_t type;
	bool draft;

	memset(out, 0, sizeof(*out));
	out->version = bytes_u16(&b);
	/* Drafts up to 21 had no session id and no compression in it. */
	draft = out->version >> 8 == 0x7f;
	bytes_copy(&b, out->random, sizeof(out->random));
	if (!draft)
		bytes_sub(&b, bytes_u8(&b));
	out->suite = bytes_u16(&b);
	if (!draft)
		bytes_skip(&b, 1);
	if (b.bad || (!is_version(out->version) && !draft))
		return false;
	out->version = settled_version(out->version);
	out->retry = memcmp(out->random, retry_random, sizeof(retry_random)) == 0;
	if (b.n < 2)
		return true;
	extensions = bytes_sub(&b, bytes_u16(&b));
	while (extensions.n >= 4) {
		type = bytes_u16(&extensions);
		one = bytes_sub(&extensions, bytes_u16(&extensions));
		if (one.bad)
			return false;
		if (type == EXTENSION_VERSIONS && one.n >= 2)
			out->version = settled_version(bytes_u16(&one));
		if (type == EXTENSION_PRE_SHARED_KEY)
			out->resumed = true;
	}
	return !extensions.bad && is_version(out->version);
}

char *hello_issuer(struct bytes b)
{
	struct bytes list = bytes_sub(&b, bytes_u24(&b)),
		     first = bytes_sub(&list, bytes_u24(&list));
	const unsigned char *der = first.p;
	X509 *certificate = NULL;
	BIO *text = NULL;
	char *p, *issuer = NULL;
	long n = 0;

	if (first.bad || first.n == 0 || first.n > MAX_CERTIFICATE)
		return NULL;
	certificate = d2i_X509(NULL, &der, (long)first.n);
	text = BIO_new(BIO_s_mem());
	if (certificate != NULL && text != NULL &&
	    X509_NAME_print_ex(text, X509_get_issuer_name(certificate), 0, XN_FLAG_RFC2253) >= 0) {
		n = BIO_get_mem_data(text, &p);
		if (n > 0)
			issuer = xstrndup(p, n < HELLO_ISSUER_MAX ? (size_t)n : HELLO_ISSUER_MAX);
	}
	BIO_free(text);
	X509_free(certificate);
	ERR_clear_error(); /* hostile certificates would fill the library's queue */
	return issuer;
}
