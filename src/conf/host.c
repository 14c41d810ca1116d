#include "conf/host.h"

#include <idn2.h>

static bool ascii(struct sv v)
{
	for (size_t i = 0; i < v.n; i++)
		if ((unsigned char)v.p[i] >= 0x80)
			return false;
	return true;
}

static const char *check_labels(struct sv host)
{
	struct sv label, rest = host;

	if (host.n > 253)
		return "a host name has at most 253 characters";
	while (rest.p != NULL) {
		label = sv_cut(rest, '.', &rest);
		if (label.n == 0)
			return "a host name may not hold an empty label (two dots in a row)";
		if (label.n > 63)
			return "a label of a host name has at most 63 characters";
		for (size_t i = 0; i < label.n; i++) {
			char c = label.p[i];
			if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' &&
			    c != '_')
				return "a host name holds letters, digits, dots and hyphens only: "
				       "no port, no path, no regular expression";
		}
	}
	return NULL;
}

const char *host_normalise(struct sv text, struct arena *a, struct sv *out)
{
	bool suffix = text.n > 0 && text.p[0] == '.';
	struct sv bare = suffix ? sv_skip(text, 1) : text;
	const char *wrong;
	char *p;

	if (bare.n > 0 && bare.p[bare.n - 1] == '.')
		bare.n--;
	if (bare.n == 0 || bare.n > 1000)
		return "expected a host name such as bank.test, or .bank.test for it and all below";
	bare = arena_sv(a, bare);
	if (!ascii(bare)) {
		char *name = NULL;
		if (idn2_to_ascii_8z(bare.p, &name, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) !=
		    IDN2_OK)
			return "not a valid internationalised host name (IDNA 2008)";
		bare = arena_sv(a, sv_cstr(name));
		idn2_free(name);
	}
	p = arena_alloc(a, bare.n + 2);
	if (suffix)
		p[0] = '.';
	for (size_t i = 0; i < bare.n; i++) {
		char c = bare.p[i];
		p[i + suffix] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
	}
	wrong = check_labels(sv_make(p + suffix, bare.n));
	if (wrong == NULL)
		*out = sv_make(p, bare.n + suffix);
	return wrong;
}
