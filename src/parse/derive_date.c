/* Dates as some consoles print them, and times inside other text. */
#include "parse/derive.h"

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* MM, DD and YYYY with any of `/ - .` or a blank between them become ISO 8601; what follows is the
 * time of day, and perhaps `UTC`. */
static enum derived rewritten(struct derive_context *c, struct sv in, const unsigned char order[3],
			      const char *expected, struct cell *out)
{
	static const unsigned char at_iso[3] = { 0, 5, 8 }, width[3] = { 4, 2, 2 };
	char iso[48] = "0000-00-00T";
	size_t i = 0, n = 11;

	in = sv_trim(in);
	for (int part = 0; part < 3; part++) {
		unsigned char which = order[part];
		size_t digits = 0;

		while (i + digits < in.n && is_digit(in.p[i + digits]))
			digits++;
		if (digits == 0 || digits > width[which] || (which == 0 && digits != 4))
			return derive_bad(c, expected);
		memcpy(iso + at_iso[which] + width[which] - digits, in.p + i, digits);
		i += digits;
		if (i == in.n || (part < 2 && memchr("/-. ", in.p[i], 4) == NULL))
			return derive_bad(c, expected);
		i++;
	}
	in = sv_trim(sv_skip(in, i));
	if (sv_ends(in, SV(" UTC")) || sv_ends(in, SV(" GMT")))
		in = sv_first(in, in.n - 4);
	else
		i = 0; /* no zone of its own */
	if (in.n == 0 || n + in.n + 1 >= sizeof(iso))
		return derive_bad(c, expected);
	memcpy(iso + n, in.p, in.n);
	n += in.n;
	if (i > 0)
		iso[n++] = 'Z';
	return instant_parse_iso(sv_make(iso, n), c->options->zone, &out->time)
		   ? DERIVED
		   : derive_bad(c, expected);
}

static enum derived date_mdy(struct derive_context *c, struct sv in, struct cell *out)
{
	static const unsigned char order[3] = { 1, 2, 0 };

	return rewritten(c, in, order, "MM/DD/YYYY HH:MM:SS", out);
}

static enum derived date_ymd(struct derive_context *c, struct sv in, struct cell *out)
{
	static const unsigned char order[3] = { 0, 1, 2 };

	return rewritten(c, in, order, "YYYY/MM/DD HH:MM:SS", out);
}

/* The first ISO 8601 time in a text, with an offset where a blank and `±hh:mm` follow. */
static enum derived iso_within(struct derive_context *c, struct sv in, struct cell *out)
{
	for (size_t i = 0; i + 19 <= in.n; i++) {
		size_t n = 19;
		char time[48];

		if (!is_digit(in.p[i]) || in.p[i + 4] != '-' || in.p[i + 7] != '-' ||
		    (i > 0 && is_digit(in.p[i - 1])))
			continue;
		while (i + n < in.n && n < 40 && in.p[i + n] != ' ' && in.p[i + n] != ',')
			n++;
		if (n >= 40)
			continue;
		memcpy(time, in.p + i, n);
		if (i + n + 6 < in.n && in.p[i + n] == ' ' && in.p[i + n + 4] == ':' &&
		    (in.p[i + n + 1] == '+' || in.p[i + n + 1] == '-')) {
			memcpy(time + n, in.p + i + n + 1, 6);
			n += 6;
		}
		if (instant_parse_iso(sv_make(time, n), c->options->zone, &out->time))
			return DERIVED;
	}
	return DERIVED_NOTHING;
}

/* From the observation's time to the one in the field; nothing where that lies before it. */
static enum derived span_until(struct derive_context *c, struct sv in, struct cell *out)
{
	struct cell end = { .number = 0 };
	enum derived got = derive_any_time(c, in, &end);

	if (got == DERIVED_BAD)
		got = date_ymd(c, in, &end);
	if (got != DERIVED)
		return got;
	if (!instant_known(c->so_far->time) || end.time.ns < c->so_far->time.ns)
		return DERIVED_NOTHING;
	out->span.ns = end.time.ns - c->so_far->time.ns;
	return DERIVED;
}

static enum derived nanoseconds(struct derive_context *c, struct sv in, struct cell *out)
{
	int64_t ns;

	if (!sv_to_i64(in, &ns) || ns < 0)
		return derive_bad(c, "a whole number of nanoseconds");
	out->span.ns = ns;
	return DERIVED;
}

static const struct derivation list[] = {
	{ "date_mdy", CELL_TIME, false, false, date_mdy,
	  "a date as MM/DD/YYYY and a time of day; without `UTC` in the source's `timezone`" },
	{ "date_ymd", CELL_TIME, false, false, date_ymd, "likewise, as YYYY/MM/DD" },
	{ "iso_within", CELL_TIME, false, false, iso_within, "the first ISO 8601 time in a text" },
	{ "nanoseconds", CELL_SPAN, false, false, nanoseconds, "a span in nanoseconds" },
	{ "span_until", CELL_SPAN, false, false, span_until,
	  "the span from the observation's time to this time" },
};

struct derivation_table derive_date_table(void)
{
	return (struct derivation_table){ list, sizeof(list) / sizeof(list[0]) };
}
