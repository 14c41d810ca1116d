/* Network address: 16 bytes, IPv4 as v4-mapped IPv6 (RFC 4291, 2.5.5.2), all zero for "not
 * said". */
#ifndef PINWATCH_BASE_ADDR_H
#define PINWATCH_BASE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/sv.h"

struct addr {
	uint8_t b[16];
};

struct cidr {
	struct addr base;
	uint8_t bits; /* 0–128, counted on the mapped form */
};

#define ADDR_TEXT_SIZE 46

static inline bool addr_known(const struct addr *a)
{
	static const struct addr none = { { 0 } };
	return memcmp(a, &none, sizeof(none)) != 0;
}
static inline bool addr_eq(const struct addr *a, const struct addr *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}
/* Dotted IPv4 or IPv6, brackets and zone id allowed; whole-string. */
bool addr_parse(struct sv v, struct addr *out);
/* `10.0.0.5:3128`, `[2001:db8::1]:443`, or an address alone (port 0). */
bool addr_parse_port(struct sv v, struct addr *out, uint16_t *port);
/* RFC 5952 text; mapped addresses print as IPv4. Returns the length; NUL-terminated. */
size_t addr_format(const struct addr *a, char out[ADDR_TEXT_SIZE]);
/* `10.0.0.0/8`, `2001:db8::/32`, or one address. */
bool cidr_parse(struct sv v, struct cidr *out);
bool cidr_holds(const struct cidr *c, const struct addr *a);

#endif
