#include "read/position.h"

bool position_is(struct position_cursor *c, const char *text)
{
	struct sv wanted = sv_cstr(text);

	if (c->failed || !sv_starts(c->rest, wanted))
		return false;
	c->rest = sv_skip(c->rest, wanted.n);
	return true;
}

bool position_need(struct position_cursor *c, const char *text)
{
	if (!position_is(c, text))
		c->failed = true;
	return !c->failed;
}

uint64_t position_number(struct position_cursor *c)
{
	size_t n = 0;
	uint64_t value = 0;

	while (n < c->rest.n && c->rest.p[n] >= '0' && c->rest.p[n] <= '9')
		n++;
	if (c->failed || !sv_to_u64(sv_first(c->rest, n), &value)) {
		c->failed = true;
		return 0;
	}
	c->rest = sv_skip(c->rest, n);
	return value;
}

uint64_t position_hex(struct position_cursor *c)
{
	uint64_t value = 0;
	size_t n;

	if (!position_need(c, "\""))
		return 0;
	n = sv_find_char(c->rest, '"');
	if (n == SIZE_MAX || !sv_hex_to_u64(sv_first(c->rest, n), &value)) {
		c->failed = true;
		return 0;
	}
	c->rest = sv_skip(c->rest, n + 1);
	return value;
}

bool position_done(const struct position_cursor *c, const char *what, struct error *err)
{
	if (!c->failed && c->rest.n == 0)
		return true;
	return error_set(err, ERROR_FORMAT, 0,
			 "the stored position of a %s is not one that this version writes (at "
			 "`%.*s`): restore the database, or remove the position to begin anew",
			 what, SV_ARG(sv_first(c->rest, 40)));
}
