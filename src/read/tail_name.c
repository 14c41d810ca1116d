#include "read/tail_name.h"

#include <fnmatch.h>

#include "base/sv.h"

#define MAX_NAME 256

static bool digit(char c) { return c >= '0' && c <= '9'; }
static bool separator(char c) { return c == '.' || c == '-' || c == '_'; }

static struct sv without_packing(struct sv v)
{
	if (sv_ends(v, SV(".gz")))
		v.n -= 3;
	else if (sv_ends(v, SV(".zst")))
		v.n -= 4;
	return v;
}

bool tail_name_packed(const char *name)
{
	struct sv v = sv_cstr(name);

	return without_packing(v).n < v.n;
}

/* Without `.7`, `-20261124`, `_old`; the same when there is no such thing. */
static struct sv without_number(struct sv v, uint64_t *number)
{
	size_t n = v.n;

	while (n > 0 && digit(v.p[n - 1]))
		n--;
	if (n < v.n && n > 1 && separator(v.p[n - 1])) {
		if (!sv_to_u64(sv_skip(v, n), number))
			*number = 0;
		return sv_first(v, n - 1);
	}
	for (size_t i = 0; i < 2; i++) {
		struct sv word = i == 0 ? SV("old") : SV("bak");
		if (sv_ends(v, word) && v.n > 4 && separator(v.p[v.n - 4]))
			return sv_first(v, v.n - 4);
	}
	return v;
}

static bool matches(struct sv name, const char *pattern)
{
	char text[MAX_NAME];

	if (name.n == 0 || name.n >= sizeof(text))
		return false;
	memcpy(text, name.p, name.n);
	text[name.n] = '\0';
	return fnmatch(pattern, text, FNM_PERIOD) == 0;
}

/* `access-20261124.log` as a rotated `access.log`. */
static bool matches_without_infix(struct sv name, const char *pattern)
{
	char text[MAX_NAME];
	size_t dot = name.n;
	struct sv stem, shorter;
	uint64_t ignored = 0;

	while (dot > 0 && name.p[dot - 1] != '.')
		dot--;
	if (dot < 2 || name.n >= sizeof(text))
		return false;
	stem = sv_first(name, dot - 1);
	shorter = without_number(stem, &ignored);
	if (shorter.n == stem.n || shorter.n == 0)
		return false;
	memcpy(text, shorter.p, shorter.n);
	memcpy(text + shorter.n, name.p + stem.n, name.n - stem.n);
	return matches(sv_make(text, shorter.n + name.n - stem.n), pattern);
}

enum tail_name tail_name_is(const char *name, const char *pattern, uint64_t *number)
{
	struct sv v = sv_cstr(name), rest = without_packing(v), shorter;
	uint64_t first = 0, ignored = 0;

	*number = 0;
	if (matches(v, pattern))
		return rest.n < v.n ? TAIL_NAME_PACKED : TAIL_NAME_LIVE;
	if (rest.n < v.n && matches(rest, pattern))
		return TAIL_NAME_SIBLING;
	if (matches_without_infix(rest, pattern))
		return TAIL_NAME_SIBLING;
	/* At most a date and a number: `-20261124-2`. */
	shorter = without_number(rest, &first);
	if (shorter.n == rest.n)
		return TAIL_NAME_OTHER;
	*number = first;
	if (matches(shorter, pattern))
		return TAIL_NAME_SIBLING;
	rest = without_number(shorter, &ignored);
	return rest.n < shorter.n && matches(rest, pattern) ? TAIL_NAME_SIBLING : TAIL_NAME_OTHER;
}
