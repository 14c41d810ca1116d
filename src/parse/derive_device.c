/* Names of devices where consoles leave placeholders or write several kinds of names into one
 * field. */
#include "parse/derive.h"

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool derive_is_placeholder(struct sv in)
{
	static const char *const words[] = {
		"unknown",   "none",	      "null",		"n/a",	  "na",
		"undefined", "not available", "not applicable", "notset", "unassigned",
	};
	size_t zeros = 0;

	for (size_t i = 0; i < in.n; i++)
		zeros += in.p[i] == '0' || in.p[i] == '-' || in.p[i] == ':' || in.p[i] == ' ';
	if (zeros == in.n)
		return true;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (sv_eq_nocase(in, sv_cstr(words[i])))
			return true;
	return false;
}

static enum derived known_id(struct derive_context *c, struct sv in, struct cell *out)
{
	(void)c;
	in = sv_trim(in);
	return derive_is_placeholder(in) ? DERIVED_NOTHING : derive_text(out, in);
}

/* 40 hex digits, or 8-16 of them: how Apple names devices. */
static bool is_udid(struct sv in)
{
	if (in.n != 40 && in.n != 25)
		return false;
	for (size_t i = 0; i < in.n; i++)
		if (in.n == 25 && i == 8 ? in.p[i] != '-' : !is_hex(in.p[i]))
			return false;
	return !derive_is_placeholder(in);
}

static enum derived apple_udid(struct derive_context *c, struct sv in, struct cell *out)
{
	in = sv_trim(in);
	return is_udid(in) ? derive_udid(c, in, out) : DERIVED_NOTHING;
}

static enum derived other_id(struct derive_context *c, struct sv in, struct cell *out)
{
	return is_udid(sv_trim(in)) ? DERIVED_NOTHING : known_id(c, in, out);
}

static const struct derivation list[] = {
	{ "apple_udid", CELL_TEXT, false, false, apple_udid,
	  "a UDID as Apple devices have (40 hex digits, or 8-16); anything else says nothing" },
	{ "known_id", CELL_TEXT, false, false, known_id,
	  "trimmed; zeros, `unknown`, `none` and the like say nothing" },
	{ "other_id", CELL_TEXT, false, false, other_id,
	  "known_id, but nothing where apple_udid takes it" },
};

struct derivation_table derive_device_table(void)
{
	return (struct derivation_table){ list, sizeof(list) / sizeof(list[0]) };
}
