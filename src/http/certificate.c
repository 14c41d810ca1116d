#include "http/certificate.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"

#define DAYS (10L * 365)
/* What a name in a certificate may hold; commas would begin another. */
#define HOST "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-"

static char *below(const char *dir, const char *name)
{
	size_t n = strlen(dir) + strlen(name) + 2;
	char *p = xmalloc(n);

	snprintf(p, n, "%s/%s", dir, name);
	return p;
}

static bool add_extension(X509 *x, int nid, const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *e;
	bool ok;

	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, x, x, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	ok = e != NULL && X509_add_ext(x, e, -1) == 1;
	X509_EXTENSION_free(e);
	return ok;
}

static bool set_names(X509 *x, const struct addr *ip)
{
	char names[512], host[256] = "", text[ADDR_TEXT_SIZE];
	X509_NAME *name = X509_get_subject_name(x);

	addr_format(ip, text);
	if (gethostname(host, sizeof(host) - 1) != 0 || strspn(host, HOST) != strlen(host))
		host[0] = '\0';
	snprintf(names, sizeof(names), "DNS:localhost,IP:127.0.0.1,IP:::1%s%s%s%s",
		 host[0] != '\0' ? ",DNS:" : "", host, addr_known(ip) ? ",IP:" : "",
		 addr_known(ip) ? text : "");
	return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
					  (const unsigned char *)"pinwatch", -1, -1, 0) == 1 &&
	       X509_set_issuer_name(x, name) == 1 &&
	       add_extension(x, NID_basic_constraints, "critical,CA:FALSE") &&
	       add_extension(x, NID_ext_key_usage, "serverAuth") &&
	       add_extension(x, NID_subject_alt_name, names);
}

static X509 *make(EVP_PKEY *key, const struct addr *ip)
{
	X509 *x = X509_new();
	unsigned char serial[16];
	BIGNUM *number = NULL;
	bool ok;

	ok = x != NULL && RAND_bytes(serial, sizeof(serial)) == 1;
	if (ok) {
		serial[0] &= 0x7f;
		number = BN_bin2bn(serial, sizeof(serial), NULL);
	}
	ok = ok && number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x)) != NULL &&
	     X509_set_version(x, X509_VERSION_3) == 1 &&
	     X509_gmtime_adj(X509_getm_notBefore(x), -3600) != NULL &&
	     X509_time_adj_ex(X509_getm_notAfter(x), DAYS, 0, NULL) != NULL &&
	     X509_set_pubkey(x, key) == 1 && set_names(x, ip) &&
	     X509_sign(x, key, EVP_sha256()) > 0;
	BN_free(number);
	if (ok)
		return x;
	X509_free(x);
	return NULL;
}

/* Whole or not at all. */
static bool put(const char *path, mode_t mode, bool (*write_it)(FILE *f, void *what), void *what)
{
	char *part = below(path, "");
	int fd;
	FILE *f;
	bool ok;

	memcpy(part + strlen(path), "~", 2); /* in place of the slash */
	fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	f = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (fd >= 0 && f == NULL)
		close(fd);
	ok = f != NULL && write_it(f, what) && fflush(f) == 0 && fsync(fileno(f)) == 0;
	if (f != NULL && fclose(f) != 0)
		ok = false;
	ok = ok && rename(part, path) == 0;
	if (!ok)
		unlink(part);
	free(part);
	return ok;
}

static bool write_key(FILE *f, void *what)
{
	return PEM_write_PrivateKey(f, what, NULL, NULL, 0, NULL, NULL) == 1;
}

static bool write_certificate(FILE *f, void *what) { return PEM_write_X509(f, what) == 1; }

bool certificate_own(const char *state_dir, const struct addr *ip, char **certificate, char **key,
		     struct error *err)
{
	EVP_PKEY *pair = NULL;
	X509 *x = NULL;
	bool ok;

	*certificate = below(state_dir, "api-cert.pem");
	*key = below(state_dir, "api-key.pem");
	if (access(*certificate, R_OK) == 0 && access(*key, R_OK) == 0)
		return true;
	pair = EVP_EC_gen("P-256");
	x = pair != NULL ? make(pair, ip) : NULL;
	ok = x != NULL && put(*key, 0600, write_key, pair) &&
	     put(*certificate, 0644, write_certificate, x);
	if (!ok)
		error_set(err, ERROR_IO, 0, "%s: a certificate cannot be made: %s", state_dir,
			  x == NULL ? "the crypto library refuses" : strerror(errno));
	X509_free(x);
	EVP_PKEY_free(pair);
	return ok;
}

bool certificate_fingerprint(const char *path, char out[CERTIFICATE_FINGERPRINT_SIZE])
{
	FILE *f = fopen(path, "re");
	X509 *x = f != NULL ? PEM_read_X509(f, NULL, NULL, NULL) : NULL;
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	bool ok = x != NULL && X509_digest(x, EVP_sha256(), hash, &n) == 1 && n == 32;

	for (unsigned i = 0; ok && i < n; i++)
		snprintf(out + i * 3, 4, i + 1 < n ? "%02X:" : "%02X", hash[i]);
	X509_free(x);
	if (f != NULL)
		fclose(f);
	return ok;
}
