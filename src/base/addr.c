#include "base/addr.h"

#include <arpa/inet.h>

static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

static bool parse_v4(struct sv v, uint8_t out[4])
{
	unsigned part = 0, digits = 0, at = 0;

	for (size_t i = 0; i <= v.n; i++) {
		if (i == v.n || v.p[i] == '.') {
			if (digits == 0 || at > 3)
				return false;
			out[at++] = (uint8_t)part;
			part = digits = 0;
			continue;
		}
		if (v.p[i] < '0' || v.p[i] > '9' || digits == 3)
			return false;
		part = part * 10 + (unsigned)(v.p[i] - '0');
		digits++;
		if (part > 255)
			return false;
	}
	return at == 4;
}

bool addr_parse(struct sv v, struct addr *out)
{
	char text[INET6_ADDRSTRLEN];
	size_t zone;

	if (v.n > 2 && v.p[0] == '[' && v.p[v.n - 1] == ']')
		v = sv_make(v.p + 1, v.n - 2);
	memcpy(out->b, mapped, sizeof(mapped));
	if (parse_v4(v, out->b + 12))
		return true;
	if (sv_find_char(v, ':') == SIZE_MAX)
		return false;
	zone = sv_find_char(v, '%');
	if (zone != SIZE_MAX)
		v = sv_first(v, zone);
	if (v.n >= sizeof(text) || memchr(v.p, 0, v.n) != NULL)
		return false;
	memcpy(text, v.p, v.n);
	text[v.n] = '\0';
	return inet_pton(AF_INET6, text, out->b) == 1;
}

bool addr_parse_port(struct sv v, struct addr *out, uint16_t *port)
{
	uint64_t n;
	size_t i = v.n;

	*port = 0;
	while (i > 0 && v.p[i - 1] != ':')
		i--;
	/* The only colon stands before a port: no address of version 6 has just one. */
	if ((i == 0 || memchr(v.p, ':', i - 1) != NULL) && addr_parse(v, out))
		return true;
	if (i == 0 || !sv_to_u64(sv_skip(v, i), &n) || n == 0 || n > 65535)
		return false;
	*port = (uint16_t)n;
	return addr_parse(sv_first(v, i - 1), out);
}

size_t addr_format(const struct addr *a, char out[ADDR_TEXT_SIZE])
{
	bool v4 = memcmp(a->b, mapped, sizeof(mapped)) == 0;

	out[0] = '\0';
	inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? a->b + 12 : a->b, out, ADDR_TEXT_SIZE);
	return strlen(out);
}

bool cidr_parse(struct sv v, struct cidr *out)
{
	struct sv rest, text = sv_cut(v, '/', &rest);
	bool v4 = sv_find_char(text, ':') == SIZE_MAX;
	uint64_t bits = v4 ? 32 : 128;

	if (!addr_parse(text, &out->base))
		return false;
	if (rest.p != NULL && (!sv_to_u64(rest, &bits) || bits > (v4 ? 32u : 128u)))
		return false;
	out->bits = (uint8_t)(bits + (v4 ? 96 : 0));
	return true;
}

bool cidr_holds(const struct cidr *c, const struct addr *a)
{
	unsigned whole = c->bits / 8, rest = c->bits % 8;
	uint8_t mask = (uint8_t)(0xff00u >> rest);

	if (memcmp(c->base.b, a->b, whole) != 0)
		return false;
	return rest == 0 || (c->base.b[whole] & mask) == (a->b[whole] & mask);
}
