#include "parse/base64.h"

enum {
	CLASS_BAD = 64,
	CLASS_SPACE,
	CLASS_PADDING,
};

/* Six bits, or a class. */
static unsigned classify(unsigned char c)
{
	if (c >= 'A' && c <= 'Z')
		return (unsigned)c - 'A';
	if (c >= 'a' && c <= 'z')
		return (unsigned)c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return (unsigned)c - '0' + 52;
	if (c == '+')
		return 62;
	if (c == '/')
		return 63;
	if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
		return CLASS_SPACE;
	return c == '=' ? CLASS_PADDING : CLASS_BAD;
}

bool base64_decode(struct sv text, struct arena *a, struct sv *out)
{
	unsigned char *bytes = arena_alloc(a, text.n / 4 * 3 + 4);
	size_t n = 0, digits = 0, padding = 0;
	uint32_t group = 0;

	for (size_t i = 0; i < text.n; i++) {
		unsigned v = classify((unsigned char)text.p[i]);

		if (v == CLASS_SPACE)
			continue;
		if (v == CLASS_PADDING) {
			padding++;
			continue;
		}
		if (v == CLASS_BAD || padding > 0)
			return false;
		group = group << 6 | v;
		if (++digits % 4 == 0) {
			bytes[n++] = (unsigned char)(group >> 16);
			bytes[n++] = (unsigned char)(group >> 8);
			bytes[n++] = (unsigned char)group;
		}
	}
	if (digits % 4 == 1 || (padding > 0 && (digits % 4 == 0 || digits % 4 + padding != 4)))
		return false;
	if (digits % 4 == 2) {
		bytes[n++] = (unsigned char)(group >> 4);
	} else if (digits % 4 == 3) {
		bytes[n++] = (unsigned char)(group >> 10);
		bytes[n++] = (unsigned char)(group >> 2);
	}
	bytes[n] = '\0';
	*out = sv_make((const char *)bytes, n);
	return true;
}
