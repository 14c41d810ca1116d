#include "wire/fingerprint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/buf.h"

#define MAX_TEXT ((size_t)64 * 1024)
enum { EXTENSION_SNI = 0, EXTENSION_ALPN = 16 };

bool fingerprint_is_grease(uint16_t v) { return (v & 0x0f0f) == 0x0a0a && v >> 8 == (v & 0xff); }

void fingerprint_add(struct fingerprint_list *l, uint16_t v)
{
	if (l->n < FINGERPRINT_LIST && !fingerprint_is_grease(v))
		l->item[l->n++] = v;
}

/* The first `digits` digits of the text's hash; all zero where the library refuses the
 * algorithm. */
static void hash(const EVP_MD *algorithm, const struct buf *text, size_t digits, char *out)
{
	unsigned char digest[EVP_MAX_MD_SIZE] = { 0 };
	unsigned n = 0;

	(void)!EVP_Digest(text->p != NULL ? text->p : "", text->n, digest, &n, algorithm, NULL);
	for (size_t i = 0; i < digits; i++)
		out[i] = "0123456789abcdef"[i % 2 == 0 ? digest[i / 2] >> 4 : digest[i / 2] & 15];
	out[digits] = '\0';
}

static void decimals(struct buf *b, const struct fingerprint_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		buf_printf(b, i == 0 ? "%u" : "-%u", l->item[i]);
}

void fingerprint_ja3(const struct fingerprint *f, char out[33])
{
	struct buf b;

	buf_init(&b, MAX_TEXT);
	buf_printf(&b, "%u,", f->legacy_version);
	decimals(&b, &f->suites);
	buf_char(&b, ',');
	decimals(&b, &f->extensions);
	buf_char(&b, ',');
	decimals(&b, &f->groups);
	buf_char(&b, ',');
	decimals(&b, &f->formats);
	hash(EVP_md5(), &b, 32, out);
	buf_free(&b);
}

static int by_value(const void *a, const void *b)
{
	return *(const uint16_t *)a - *(const uint16_t *)b;
}

static void sorted(struct fingerprint_list *l)
{
	qsort(l->item, l->n, sizeof(l->item[0]), by_value);
}

static void hexadecimals(struct buf *b, const struct fingerprint_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		buf_printf(b, i == 0 ? "%04x" : ",%04x", l->item[i]);
}

static const char *ja4_version(uint16_t v)
{
	switch (v) {
	case 0x0304:
		return "13";
	case 0x0303:
		return "12";
	case 0x0302:
		return "11";
	case 0x0301:
		return "10";
	case 0x0300:
		return "s3";
	case 0x0002:
		return "s2";
	default:
		return "00";
	}
}

/* First and last character; where either is no letter or digit, the first and last digit of their
 * hexadecimals. */
static void ja4_alpn(const struct fingerprint *f, char out[2])
{
	static const char digits[] = "0123456789abcdef";

	if (f->alpn_first == 0) {
		out[0] = out[1] = '0';
	} else if (f->alpn_plain) {
		out[0] = f->alpn_first;
		out[1] = f->alpn_last;
	} else {
		out[0] = digits[(unsigned char)f->alpn_first >> 4];
		out[1] = digits[(unsigned char)f->alpn_last & 15];
	}
}

static unsigned at_most_99(size_t n) { return n < 99 ? (unsigned)n : 99; }

void fingerprint_ja4(const struct fingerprint *f, char out[37])
{
	struct fingerprint_list suites = f->suites, extensions = { .n = 0 };
	char suites_hash[13] = "000000000000", extensions_hash[13] = "000000000000", alpn[2];
	struct buf b;

	buf_init(&b, MAX_TEXT);
	sorted(&suites);
	if (suites.n > 0) {
		hexadecimals(&b, &suites);
		hash(EVP_sha256(), &b, 12, suites_hash);
	}
	for (size_t i = 0; i < f->extensions.n; i++)
		if (f->extensions.item[i] != EXTENSION_SNI &&
		    f->extensions.item[i] != EXTENSION_ALPN)
			fingerprint_add(&extensions, f->extensions.item[i]);
	sorted(&extensions);
	if (f->extensions.n > 0) {
		buf_reset(&b);
		hexadecimals(&b, &extensions);
		if (f->signatures.n > 0) {
			buf_char(&b, '_');
			hexadecimals(&b, &f->signatures);
		}
		hash(EVP_sha256(), &b, 12, extensions_hash);
	}
	buf_free(&b);
	ja4_alpn(f, alpn);
	snprintf(out, 37, "%c%s%c%02u%02u%.2s_%s_%s", f->quic ? 'q' : 't', ja4_version(f->version),
		 f->sni ? 'd' : 'i', at_most_99(f->suites.n), at_most_99(f->extensions.n), alpn,
		 suites_hash, extensions_hash);
}
