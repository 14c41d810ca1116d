/* Names of hosts, devices and apps in the form the model wants (model/observation.h). */
#include <idn2.h>

#include "base/jsonw.h"
#include "parse/derive.h"
#include "parse/host_cache.h"
#include "parse/quick.h"

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool valid_utf8(struct sv v)
{
	for (size_t i = 0; i < v.n;) {
		size_t n = utf8_sequence(v.p + i, v.n - i);
		if (n == 0)
			return false;
		i += n;
	}
	return true;
}

static struct sv lowered(struct arena *a, struct sv v)
{
	char *p = arena_copy(a, v.p, v.n);

	for (size_t i = 0; i < v.n; i++)
		if (p[i] >= 'A' && p[i] <= 'Z')
			p[i] = (char)(p[i] + 32);
	return sv_make(p, v.n);
}

/* Without the dot of the root. */
static struct sv rootless(struct sv name)
{
	while (name.n > 0 && name.p[name.n - 1] == '.')
		name.n--;
	return name;
}

/* Lower-case A-label (RFC 5890). A name that IDNA refuses keeps its bytes, in lower case: an odd
 * name is evidence, too. Longer than any host name (RFC 1035, 255 octets) says nothing. */
static enum derived host(struct derive_context *c, struct sv in, struct cell *out)
{
	bool upper = false, foreign = false;
	struct sv known;
	char *label;

	in = rootless(in);
	if (in.n > 2 && in.p[0] == '[' && in.p[in.n - 1] == ']')
		in = rootless(sv_make(in.p + 1, in.n - 2));
	if (in.n == 0 || in.n > 255)
		return DERIVED_NOTHING;
	if (is_simple(in, 'A'))
		return derive_text(out, in);
	for (size_t i = 0; i < in.n; i++) {
		upper |= in.p[i] >= 'A' && in.p[i] <= 'Z';
		foreign |= (unsigned char)in.p[i] >= 0x80;
		if ((unsigned char)in.p[i] <= ' ' || in.p[i] == 0x7f)
			return DERIVED_NOTHING;
	}
	if (!foreign)
		return derive_text(out, upper ? lowered(c->scratch, in) : in);
	if (c->hosts != NULL && (known = host_cache_get(c->hosts, in)).n > 0)
		return derive_text(out, arena_sv(c->scratch, known));
	if (!valid_utf8(in))
		return DERIVED_NOTHING;
	if (idn2_to_ascii_8z(arena_sv(c->scratch, in).p, &label,
			     IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
		return derive_text(out, lowered(c->scratch, in));
	/* Full stops of other scripts (U+3002, U+FF0E, U+FF61) are dots by now. */
	known = arena_sv(c->scratch, rootless(sv_cstr(label)));
	idn2_free(label);
	if (known.n == 0)
		return DERIVED_NOTHING;
	if (c->hosts != NULL)
		host_cache_put(c->hosts, in, known);
	in = known;
	return derive_text(out, in);
}

/* HOST:PORT, [V6]:PORT, or the host alone. False where the port is no port. */
static bool split_authority(struct sv in, struct sv *name, struct sv *port)
{
	size_t colon = in.n, digits = 0;

	*name = in;
	*port = SV_NONE;
	if (in.n > 0 && in.p[0] == '[') {
		size_t end = sv_find_char(in, ']');
		if (end == SIZE_MAX)
			return false;
		*name = sv_make(in.p + 1, end - 1);
		in = sv_skip(in, end + 1);
		if (in.n == 0)
			return true;
		*port = sv_skip(in, 1);
		return in.p[0] == ':';
	}
	while (colon > 0 && in.p[colon - 1] >= '0' && in.p[colon - 1] <= '9') {
		colon--;
		digits++;
	}
	if (colon == 0 || in.p[colon - 1] != ':')
		return true;
	/* A bare IPv6 address ends in digits behind a colon as well. */
	if (sv_find_char(in, ':') != colon - 1)
		return true;
	*name = sv_first(in, colon - 1);
	*port = sv_skip(in, colon);
	return digits > 0;
}

/* Most names do not begin like an address: with a digit, a-f or a colon. */
static bool is_address(struct sv name, struct addr *ip)
{
	return name.n > 0 && (is_hex(name.p[0]) || name.p[0] == ':' || name.p[0] == '[') &&
	       addr_parse(name, ip);
}

/* The authority of a URL without user information (RFC 3986, 3.2). */
static bool authority_of_url(struct sv in, struct sv *scheme, struct sv *authority)
{
	size_t at = 0, begin, end;

	while (at + 3 <= in.n && (in.p[at] != ':' || in.p[at + 1] != '/' || in.p[at + 2] != '/'))
		at++;
	if (at + 3 > in.n)
		return false;
	*scheme = sv_first(in, at);
	begin = end = at + 3;
	for (; end < in.n && in.p[end] != '/' && in.p[end] != '?' && in.p[end] != '#'; end++)
		if (in.p[end] == '@')
			begin = end + 1;
	*authority = sv_make(in.p + begin, end - begin);
	return end > begin;
}

/* The parts of HOST:PORT, or of a URL; where the parser remembers, those of the text asked for
 * before if it is the same one. `room` is used where it does not. */
static const struct authority *authority(struct derive_context *c, struct sv in, bool url,
					 struct authority *room)
{
	struct authority *a = c->hosts != NULL ? &c->hosts->last : room;
	struct sv text = in;

	if (a != room && in.n > 0 && a->of.p == in.p && a->of.n == in.n && a->url == url)
		return a;
	a->of = in;
	a->url = url;
	a->there = !url || authority_of_url(in, &a->scheme, &text);
	a->good = a->there && split_authority(text, &a->name, &a->port);
	return a;
}

static enum derived host_of(struct derive_context *c, const struct authority *a, struct cell *out)
{
	struct addr ip;

	if (!a->good)
		return derive_bad(c, "HOST:PORT");
	return is_address(a->name, &ip) ? DERIVED_NOTHING : host(c, a->name, out);
}

static enum derived ip_of(struct derive_context *c, const struct authority *a, struct cell *out)
{
	if (!a->good)
		return derive_bad(c, "HOST:PORT");
	return is_address(a->name, &out->addr) && addr_known(&out->addr) ? DERIVED
									 : DERIVED_NOTHING;
}

static enum derived port_of(struct derive_context *c, const struct authority *a, struct cell *out)
{
	uint64_t n;

	if (!a->good)
		return derive_bad(c, "HOST:PORT");
	if (a->port.n == 0)
		return DERIVED_NOTHING;
	if (!sv_to_u64(a->port, &n) || n > 65535)
		return derive_bad(c, "a port");
	return derive_number(out, (int64_t)n);
}

static enum derived host_of_authority(struct derive_context *c, struct sv in, struct cell *out)
{
	struct authority room;
	const struct authority *a = authority(c, in, false, &room);

	return host_of(c, a, out);
}

static enum derived ip_of_authority(struct derive_context *c, struct sv in, struct cell *out)
{
	struct authority room;
	const struct authority *a = authority(c, in, false, &room);

	return ip_of(c, a, out);
}

static enum derived port_of_authority(struct derive_context *c, struct sv in, struct cell *out)
{
	struct authority room;
	const struct authority *a = authority(c, in, false, &room);

	return port_of(c, a, out);
}

static enum derived url_host(struct derive_context *c, struct sv in, struct cell *out)
{
	struct authority room;
	const struct authority *a = authority(c, in, true, &room);

	return a->there ? host_of(c, a, out) : DERIVED_NOTHING;
}

static enum derived url_ip(struct derive_context *c, struct sv in, struct cell *out)
{
	struct authority room;
	const struct authority *a = authority(c, in, true, &room);

	return a->there ? ip_of(c, a, out) : DERIVED_NOTHING;
}

static enum derived url_port(struct derive_context *c, struct sv in, struct cell *out)
{
	struct authority room;
	const struct authority *a = authority(c, in, true, &room);
	enum derived got;

	if (!a->there)
		return DERIVED_NOTHING;
	got = port_of(c, a, out);
	if (got != DERIVED_NOTHING)
		return got;
	if (sv_eq_nocase(a->scheme, SV("https")) || sv_eq_nocase(a->scheme, SV("wss")))
		return derive_number(out, 443);
	return sv_eq_nocase(a->scheme, SV("http")) || sv_eq_nocase(a->scheme, SV("ws"))
		   ? derive_number(out, 80)
		   : DERIVED_NOTHING;
}

/* `TEAMID.com.acme.app` and `.com.acme.app` name com.acme.app. A team id has ten capitals and
 * digits. */
static enum derived strip_team_id(struct derive_context *c, struct sv in, struct cell *out)
{
	size_t i = 0;

	(void)c;
	in = sv_trim(in);
	while (i < in.n &&
	       ((in.p[i] >= 'A' && in.p[i] <= 'Z') || (in.p[i] >= '0' && in.p[i] <= '9')))
		i++;
	if (i == 10 && i + 1 < in.n && in.p[i] == '.')
		in = sv_skip(in, i + 1);
	while (in.n > 0 && in.p[0] == '.')
		in = sv_skip(in, 1);
	return derive_text(out, in);
}

/* Twelve hex digits, whatever stands between them (`-`, `:`, `.`, nothing). Anything else, and the
 * addresses no interface has, says nothing: RADIUS clients put phone numbers there. */
static enum derived mac(struct derive_context *c, struct sv in, struct cell *out)
{
	char digits[12], *p;
	size_t n = 0;

	in = sv_trim(in);
	for (size_t i = 0; i < in.n; i++) {
		char k = in.p[i];
		if (is_hex(k) && n < sizeof(digits))
			digits[n++] = (char)(k >= 'A' && k <= 'F' ? k + 32 : k);
		else if ((k == ':' || k == '-' || k == '.') && n > 0 && n < sizeof(digits))
			continue;
		else
			return DERIVED_NOTHING;
	}
	if (n != sizeof(digits) || memcmp(digits, "000000000000", 12) == 0 ||
	    memcmp(digits, "ffffffffffff", 12) == 0)
		return DERIVED_NOTHING;
	p = arena_alloc(c->scratch, 17);
	for (size_t i = 0; i < 6; i++) {
		p[3 * i] = digits[2 * i];
		p[3 * i + 1] = digits[2 * i + 1];
		if (i < 5)
			p[3 * i + 2] = ':';
	}
	return derive_text(out, sv_make(p, 17));
}

/* Upper-case hex, as iOS 12.2 and later spells it; 40 digits without dash are older devices' and
 * are lower case there. Comparison wants one spelling: upper. */
enum derived derive_udid(struct derive_context *c, struct sv in, struct cell *out)
{
	char *p;

	in = sv_trim(in);
	if (in.n == 0 || derive_is_placeholder(in)) /* one device named so would be all of them */
		return DERIVED_NOTHING;
	p = arena_copy(c->scratch, in.p, in.n);
	for (size_t i = 0; i < in.n; i++)
		if (p[i] >= 'a' && p[i] <= 'z')
			p[i] = (char)(p[i] - 32);
	return derive_text(out, sv_make(p, in.n));
}

static enum derived serial(struct derive_context *c, struct sv in, struct cell *out)
{
	return derive_udid(c, in, out);
}

static const struct derivation list[] = {
	{ "authority_host", CELL_TEXT, false, false, host_of_authority,
	  "the name in HOST:PORT; nothing where an address stands there" },
	{ "authority_ip", CELL_ADDR, false, false, ip_of_authority,
	  "the address in ADDRESS:PORT; nothing where a name stands there" },
	{ "authority_port", CELL_NUMBER, false, false, port_of_authority, "the port in HOST:PORT" },
	{ "host", CELL_TEXT, false, false, host,
	  "a host name as lower-case A-label without trailing dot" },
	{ "mac", CELL_TEXT, false, false, mac,
	  "twelve hex digits in any grouping as aa:bb:cc:dd:ee:ff; anything else says nothing" },
	{ "serial", CELL_TEXT, false, false, serial, "trimmed, upper case" },
	{ "strip_team_id", CELL_TEXT, false, false, strip_team_id,
	  "a bundle id without `TEAMID.` or leading dot" },
	{ "udid", CELL_TEXT, false, false, derive_udid, "trimmed, upper case" },
	{ "url_host", CELL_TEXT, false, false, url_host, "the host name of a URL" },
	{ "url_ip", CELL_ADDR, false, false, url_ip, "the address of a URL that names one" },
	{ "url_port", CELL_NUMBER, false, false, url_port,
	  "the port of a URL, or the one its scheme stands for" },
};

struct derivation_table derive_name_table(void)
{
	return (struct derivation_table){ list, sizeof(list) / sizeof(list[0]) };
}
