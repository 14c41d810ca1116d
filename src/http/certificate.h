/* A certificate of one's own, for HTTPS where none was given: made once, in the state folder. */
#ifndef PINWATCH_HTTP_CERTIFICATE_H
#define PINWATCH_HTTP_CERTIFICATE_H

#include "base/addr.h"
#include "base/error.h"

/* Makes api-cert.pem and api-key.pem (0600) in the folder where they do not exist: P-256,
 * self-signed, ten years, for localhost, this machine's name and the address. The paths are the
 * caller's to free. */
bool certificate_own(const char *state_dir, const struct addr *ip, char **certificate, char **key,
		     struct error *err);
/* SHA-256 of a PEM file's first certificate, `AB:CD:…`. False where it is none. */
#define CERTIFICATE_FINGERPRINT_SIZE 96
bool certificate_fingerprint(const char *path, char out[CERTIFICATE_FINGERPRINT_SIZE]);

#endif
