/* Times and spans. */
#include <errno.h>
#include <stdlib.h>

#include "parse/derive.h"

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* Decimals that instant_parse_epoch and seconds do not take: `1.7e+09`, `9.5e-07`. Finite,
 * non-negative. */
static bool parse_exponent(struct sv in, double *out)
{
	char text[64], *end;

	if (in.n == 0 || in.n >= sizeof(text) || (!is_digit(in.p[0]) && in.p[0] != '.'))
		return false;
	for (size_t i = 0; i < in.n; i++)
		if (!is_digit(in.p[i]) && strchr(".eE+-", in.p[i]) == NULL)
			return false;
	memcpy(text, in.p, in.n);
	text[in.n] = '\0';
	errno = 0;
	*out = strtod(text, &end);
	return end == text + in.n && *out >= 0 && *out < 1e300;
}

static enum derived epoch_any(struct derive_context *c, struct sv in, struct cell *out)
{
	double seconds;

	if (instant_parse_epoch(in, &out->time))
		return DERIVED;
	if (!parse_exponent(in, &seconds) || seconds > 9e9)
		return derive_bad(c, "a Unix time");
	out->time.ns = (int64_t)(seconds * 1e6) * 1000;
	return DERIVED;
}

static enum derived iso_any(struct derive_context *c, struct sv in, struct cell *out)
{
	/* Go's zero time: the field was never set. */
	if (sv_starts(in, SV("0001-01-01")))
		return DERIVED_NOTHING;
	return instant_parse_iso(in, c->options->zone, &out->time)
		   ? DERIVED
		   : derive_bad(c, "an ISO 8601 time");
}

static const struct {
	const char *name;
	int hours;
} zones[] = {
	{ "UTC", 0 },  { "GMT", 0 },  { "Z", 0 },    { "WET", 0 },  { "WEST", 1 },
	{ "BST", 1 },  { "CET", 1 },  { "CEST", 2 }, { "EET", 2 },  { "EEST", 3 },
	{ "MSK", 3 },  { "EST", -5 }, { "EDT", -4 }, { "CST", -6 }, { "CDT", -5 },
	{ "MST", -7 }, { "MDT", -6 }, { "PST", -8 }, { "PDT", -7 }, { "JST", 9 },
};

static unsigned month_of(struct sv word)
{
	static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";

	if (word.n < 3)
		return 0;
	for (unsigned m = 0; m < 12; m++)
		if (sv_eq_nocase(sv_first(word, 3), sv_make(names + 3 * m, 3)))
			return m + 1;
	return 0;
}

/* What a date in words says; year and month 0, day 0, clock false while unsaid. */
struct date_words {
	unsigned year, month, day, hour, minute, second;
	uint32_t ns;
	bool clock, zoned;
	int32_t zone;
};

static bool number_of(struct sv v, unsigned max, unsigned *out)
{
	uint64_t n;

	if (!sv_to_u64(v, &n) || n > max)
		return false;
	*out = (unsigned)n;
	return true;
}

/* HH:MM:SS[.fraction] */
static bool take_clock(struct date_words *d, struct sv word)
{
	struct sv rest, hour = sv_cut(word, ':', &rest), minute = sv_cut(rest, ':', &rest);
	struct sv fraction, second;
	uint32_t scale = 100000000u;
	size_t dot = 0;

	while (dot < rest.n && is_digit(rest.p[dot]))
		dot++;
	second = sv_first(rest, dot);
	fraction = sv_skip(rest, dot);
	if (!number_of(hour, 23, &d->hour) || !number_of(minute, 59, &d->minute) ||
	    !number_of(second, 60, &d->second))
		return false;
	for (size_t i = 1; i < fraction.n; i++, scale /= 10) {
		if (!is_digit(fraction.p[i]) || (fraction.p[0] != '.' && fraction.p[0] != ','))
			return false;
		d->ns += (uint32_t)(fraction.p[i] - '0') * scale;
	}
	d->clock = true;
	return true;
}

/* +hhmm, +hh:mm or +h */
static bool take_offset(struct date_words *d, struct sv word)
{
	unsigned hours, minutes = 0;
	struct sv digits = sv_skip(word, 1);
	bool colon = digits.n == 5 && digits.p[2] == ':', whole = digits.n <= 2;

	if ((digits.n != 4 && !colon && !whole) || !number_of(sv_first(digits, 2), 18, &hours) ||
	    (!whole && !number_of(sv_skip(digits, colon ? 3 : 2), 59, &minutes)))
		return false;
	d->zone = (int32_t)(hours * 3600 + minutes * 60) * (word.p[0] == '-' ? -1 : 1);
	d->zoned = true;
	return true;
}

/* YYYY/MM/DD, YYYY-MM-DD, DD/Mon/YYYY */
static bool take_date(struct date_words *d, struct sv word, char between)
{
	struct sv rest, a = sv_cut(word, between, &rest), b = sv_cut(rest, between, &rest);

	if (a.n == 4)
		return number_of(a, 2261, &d->year) && number_of(b, 12, &d->month) &&
		       number_of(rest, 31, &d->day);
	d->month = month_of(b);
	return d->month > 0 && number_of(a, 31, &d->day) && number_of(rest, 2261, &d->year);
}

static bool take_word(struct date_words *d, struct sv word)
{
	unsigned n;

	if (sv_find_char(word, '/') != SIZE_MAX)
		return take_date(d, word, '/');
	if (word.n == 10 && word.p[4] == '-')
		return take_date(d, word, '-');
	if (word.n > 4 && (sv_starts(word, SV("UTC")) || sv_starts(word, SV("GMT"))))
		word = sv_skip(word, 3);
	if (word.p[0] == '+' || word.p[0] == '-')
		return take_offset(d, word);
	if (sv_find_char(word, ':') != SIZE_MAX)
		return take_clock(d, word);
	if (number_of(word, 2261, &n)) {
		if (word.n == 4)
			d->year = n;
		else if (n <= 31 && d->day == 0)
			d->day = n;
		else
			return false;
		return true;
	}
	if (d->month == 0 && month_of(word) > 0) {
		d->month = month_of(word);
		return true;
	}
	for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++)
		if (sv_eq(word, sv_cstr(zones[i].name))) {
			d->zone = zones[i].hours * 3600;
			d->zoned = true;
		}
	return true; /* a weekday, or a zone whose letters several zones share */
}

/* The year that puts the date nearest before `date`, or at most a day behind it. */
static bool guess_year(struct date_words *d, struct instant date)
{
	char text[INSTANT_ISO_SIZE];
	struct instant t;

	if (!instant_known(date) || date.ns < 0)
		return false;
	instant_format_iso(date, text);
	if (!number_of(sv_make(text, 4), 2261, &d->year))
		return false;
	t = instant_from_civil((int)d->year, d->month, d->day, 0, 0, 0, 0);
	if (t.ns > date.ns + 2 * NS_PER_DAY)
		d->year--;
	return true;
}

/* Dates in words: `Tue Jun  9 00:03:48 2015`, `Jun  9 2015 00:03:47 CEST`, `Nov 24 02:14:13`,
 * `10/Oct/2026:13:55:36 -0700`, `2021/11/11 15:42:44`. */
static enum derived date_text(struct derive_context *c, struct sv in, struct cell *out)
{
	struct date_words d = { 0 };
	size_t i = 0;

	in = sv_trim(in);
	if (in.n > 64)
		return derive_bad(c, "a date");
	while (i < in.n) {
		size_t start = i;
		while (i < in.n && in.p[i] != ' ' && in.p[i] != ',' &&
		       !(in.p[i] == ':' && memchr(in.p + start, '/', i - start) != NULL))
			i++;
		if (i > start && !take_word(&d, sv_make(in.p + start, i - start)))
			return derive_bad(c, "a date");
		i++;
	}
	if (d.month == 0 || d.day == 0 || !d.clock)
		return derive_bad(c, "a date");
	if (d.year == 0 && !guess_year(&d, c->options->date))
		return derive_bad(c, "a date with a year, or a source with `date`");
	if (d.year < 1970)
		return derive_bad(c, "a date");
	out->time =
	    instant_from_civil((int)d.year, d.month, d.day, d.hour, d.minute, d.second, d.ns);
	out->time.ns -= (int64_t)(d.zoned ? d.zone : c->options->zone) * NS_PER_S;
	return out->time.ns >= 0 ? DERIVED : derive_bad(c, "a date since 1970");
}

enum derived derive_any_time(struct derive_context *c, struct sv in, struct cell *out)
{
	enum derived got;

	if (in.n > 4 && in.p[4] == '-')
		got = iso_any(c, in, out);
	else if (in.n > 0 && is_digit(in.p[0]) && epoch_any(c, in, out) == DERIVED)
		return DERIVED;
	else
		got = date_text(c, in, out);
	return got == DERIVED_BAD ? derive_bad(c, "a time (ISO 8601 or Unix)") : got;
}

/* HH:MM:SS on the day of the source's date. */
static enum derived time_of_day(struct derive_context *c, struct sv in, struct cell *out)
{
	struct date_words d = { 0 };
	int64_t day, zone = (int64_t)c->options->zone * NS_PER_S;

	if (!take_clock(&d, sv_trim(in)))
		return derive_bad(c, "HH:MM:SS");
	if (!instant_known(c->options->date))
		return derive_bad(c, "a time with a date, or a source with `date`");
	day = (c->options->date.ns + zone) / NS_PER_DAY * NS_PER_DAY;
	out->time.ns = day - zone + (int64_t)(d.hour * 3600 + d.minute * 60 + d.second) * NS_PER_S +
		       (int64_t)d.ns;
	return DERIVED;
}

static enum derived source_date(struct derive_context *c, struct sv in, struct cell *out)
{
	(void)in;
	out->time = c->options->date;
	return instant_known(out->time) ? DERIVED : DERIVED_NOTHING;
}

/* A decimal number of seconds or milliseconds (`unit` nanoseconds); at most about 30 years. */
static enum derived decimal_span(struct derive_context *c, struct sv in, int64_t unit, int64_t *ns)
{
	static const int64_t tens[] = { 1,	10,	 100,	   1000,      10000,
					100000, 1000000, 10000000, 100000000, 1000000000 };
	const int64_t max = unit == NS_PER_S ? INT64_C(8000000000) : INT64_C(8000000000000);
	int64_t whole = 0, part = 0;
	size_t i = 0, digits = 0;
	double value;

	for (; i < in.n && is_digit(in.p[i]); i++) {
		whole = whole * 10 + (in.p[i] - '0');
		if (whole > max)
			return derive_bad(c, "a shorter time span");
	}
	if (i > 0 && i < in.n && in.p[i] == '.')
		for (i++; i < in.n && is_digit(in.p[i]); i++)
			if (digits < 9) {
				part = part * 10 + (in.p[i] - '0');
				digits++;
			}
	if (i == in.n && i > 0) {
		part *= tens[9 - digits]; /* billionths of a unit */
		*ns = whole * unit + (unit == NS_PER_S ? part : part / (NS_PER_S / NS_PER_MS));
		return DERIVED;
	}
	if (!parse_exponent(in, &value) || value > (double)max)
		return derive_bad(c, "a number, not negative");
	*ns = (int64_t)(value * (double)unit);
	return DERIVED;
}

static enum derived seconds(struct derive_context *c, struct sv in, struct cell *out)
{
	return decimal_span(c, in, NS_PER_S, &out->span.ns);
}

static enum derived milliseconds(struct derive_context *c, struct sv in, struct cell *out)
{
	return decimal_span(c, in, NS_PER_MS, &out->span.ns);
}

static enum derived seconds_after(struct derive_context *c, struct sv in, struct cell *out)
{
	int64_t ns;
	enum derived got = decimal_span(c, in, NS_PER_S, &ns);

	if (got != DERIVED || !instant_known(c->so_far->time))
		return got == DERIVED ? DERIVED_NOTHING : got;
	/* 0xffffffff seconds is "for ever" (RFC 2131, 3.3). */
	if (ns >= INT64_C(0xffffffff) * NS_PER_S)
		return DERIVED_NOTHING;
	if (__builtin_add_overflow(c->so_far->time.ns, ns, &out->time.ns))
		return derive_bad(c, "a shorter time span");
	return DERIVED;
}

static enum derived same_time(struct derive_context *c, struct sv in, struct cell *out)
{
	(void)in;
	out->time = c->so_far->time;
	return instant_known(out->time) ? DERIVED : DERIVED_NOTHING;
}

/* A fixed time after the observation's own. */
static enum derived later(struct derive_context *c, struct sv in, struct cell *out)
{
	(void)in;
	return seconds_after(c, c->argument, out);
}

static const struct derivation list[] = {
	{ "date_text", CELL_TIME, false, false, date_text,
	  "a date in words, with or without weekday, year and zone: `Nov 24 02:14:13`" },
	{ "epoch_any", CELL_TIME, false, false, epoch_any,
	  "a Unix time in seconds, milli-, micro- or nanoseconds" },
	{ "iso_any", CELL_TIME, false, false, iso_any,
	  "ISO 8601; without a zone the source's `timezone`" },
	{ "later", CELL_TIME, true, true, later,
	  "ARGUMENT seconds after the observation's time (no field)" },
	{ "milliseconds", CELL_SPAN, false, false, milliseconds, "a span in milliseconds" },
	{ "same_time", CELL_TIME, false, true, same_time, "the observation's own time (no field)" },
	{ "seconds", CELL_SPAN, false, false, seconds, "a span in seconds" },
	{ "seconds_after", CELL_TIME, false, false, seconds_after,
	  "so many seconds after the observation's time" },
	{ "source_date", CELL_TIME, false, true, source_date,
	  "the source's `date`: the file's modification time (no field)" },
	{ "time", CELL_TIME, false, false, derive_any_time,
	  "any of epoch_any, iso_any and date_text" },
	{ "time_of_day", CELL_TIME, false, false, time_of_day,
	  "HH:MM:SS on the day of the source's `date`" },
};

struct derivation_table derive_time_table(void)
{
	return (struct derivation_table){ list, sizeof(list) / sizeof(list[0]) };
}
