/* UTF-8, RFC 3629: no surrogates, no overlong forms. */
#ifndef PINWATCH_BASE_UTF8_H
#define PINWATCH_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Length of the valid sequence at p (1–4), or 0. */
size_t utf8_sequence(const char *p, size_t n);
/* The code point of a valid sequence of `len` bytes. */
uint32_t utf8_decode(const char *p, size_t len);

#endif
