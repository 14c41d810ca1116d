#include "base/clock.h"

#include <stdio.h>
#include <time.h>

/* Days since 1970-01-01 of a proleptic Gregorian date. */
static int64_t days_from_civil(int year, unsigned month, unsigned day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400;
	int64_t mp = (int64_t)month + (month > 2 ? -3 : 9);
	int64_t doy = (153 * mp + 2) / 5 + (int64_t)day - 1;
	int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

	return era * 146097 + doe - 719468;
}

struct instant instant_from_civil(int year, unsigned month, unsigned day, unsigned hour,
				  unsigned minute, unsigned second, uint32_t ns)
{
	int64_t s = days_from_civil(year, month, day) * 86400 + (int64_t)hour * 3600 +
		    (int64_t)minute * 60 + (int64_t)second;

	return (struct instant){ s * NS_PER_S + (int64_t)ns };
}

static bool two_digits(const char *p, unsigned *out)
{
	unsigned a = (unsigned)(unsigned char)p[0] - '0', b = (unsigned)(unsigned char)p[1] - '0';

	*out = a * 10 + b;
	return a <= 9 && b <= 9;
}

/* Reads `.123456` (or `,`) at v, up to nine digits that count; leaves v behind it. */
static bool fraction(struct sv *v, uint32_t *ns)
{
	uint32_t scale = 100000000u, sum = 0;
	size_t i = 1;

	if (v->n == 0 || (v->p[0] != '.' && v->p[0] != ',')) {
		*ns = 0;
		return true;
	}
	for (; i < v->n && v->p[i] >= '0' && v->p[i] <= '9'; i++) {
		sum += (uint32_t)(v->p[i] - '0') * scale;
		scale /= 10;
	}
	*ns = sum;
	*v = sv_skip(*v, i);
	return i > 1;
}

static bool offset(struct sv v, int32_t zone, int32_t *seconds)
{
	unsigned h, m = 0;

	if (v.n == 0) {
		*seconds = zone;
		return true;
	}
	if (v.n == 1 && (v.p[0] == 'Z' || v.p[0] == 'z')) {
		*seconds = 0;
		return true;
	}
	if (v.p[0] != '+' && v.p[0] != '-')
		return false;
	if (v.n == 6 && v.p[3] == ':') {
		if (!two_digits(v.p + 1, &h) || !two_digits(v.p + 4, &m))
			return false;
	} else if (v.n == 5) {
		if (!two_digits(v.p + 1, &h) || !two_digits(v.p + 3, &m))
			return false;
	} else if (v.n != 3 || !two_digits(v.p + 1, &h)) {
		return false;
	}
	if (h > 18 || m > 59)
		return false;
	*seconds = (int32_t)(h * 3600 + m * 60) * (v.p[0] == '-' ? -1 : 1);
	return true;
}

bool instant_parse_iso(struct sv v, int32_t zone, struct instant *out)
{
	static const unsigned char month_days[] = {
		31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
	};
	unsigned century, year, month, day, hour, minute, second;
	uint32_t ns;
	int32_t east;
	int64_t past_midnight;
	const char *p = v.p;

	if (v.n < 19 || v.n > 40)
		return false;
	if (!two_digits(p, &century) || !two_digits(p + 2, &year) || p[4] != '-' ||
	    !two_digits(p + 5, &month) || p[7] != '-' || !two_digits(p + 8, &day) ||
	    (p[10] != 'T' && p[10] != ' ' && p[10] != 't') || !two_digits(p + 11, &hour) ||
	    p[13] != ':' || !two_digits(p + 14, &minute) || p[16] != ':' ||
	    !two_digits(p + 17, &second))
		return false;
	year += century * 100;
	if (month == 2 && day == 29 && (year % 4 != 0 || (year % 100 == 0 && year % 400 != 0)))
		return false;
	if (year < 1970 || year > 2262 || month < 1 || month > 12 || day < 1 ||
	    day > month_days[month - 1] || hour > 23 || minute > 59 || second > 60)
		return false;
	v = sv_skip(v, 19);
	if (!fraction(&v, &ns) || !offset(v, zone, &east))
		return false;
	if (year == 2262 && (month > 4 || (month == 4 && day > 11)))
		return false; /* 64 bits of nanoseconds end on that day */
	*out = instant_from_civil((int)year, month, day, 0, 0, 0, 0);
	past_midnight = ((int64_t)hour * 3600 + minute * 60 + second - east) * NS_PER_S + ns;
	return !__builtin_add_overflow(out->ns, past_midnight, &out->ns) && out->ns >= 0;
}

bool instant_parse_epoch(struct sv v, struct instant *out)
{
	size_t dot = sv_find_char(v, '.');
	uint64_t whole;
	uint32_t ns = 0;
	struct sv rest = dot == SIZE_MAX ? SV_NONE : sv_skip(v, dot);

	if (!sv_to_u64(sv_first(v, dot == SIZE_MAX ? v.n : dot), &whole))
		return false;
	if (rest.n > 0 && (!fraction(&rest, &ns) || rest.n > 0))
		return false;
	if (whole < UINT64_C(9223372036)) /* seconds */
		out->ns = (int64_t)whole * NS_PER_S + (int64_t)ns;
	else if (whole < UINT64_C(9223372036000)) /* milliseconds */
		out->ns = (int64_t)whole * NS_PER_MS + (int64_t)ns / 1000;
	else if (whole < UINT64_C(9223372036000000)) /* microseconds */
		out->ns = (int64_t)whole * 1000 + (int64_t)ns / 1000000;
	else if (whole <= (uint64_t)INT64_MAX)
		out->ns = (int64_t)whole;
	else
		return false;
	return true;
}

static struct tm civil(struct instant t, int64_t *ns)
{
	time_t s = (time_t)(t.ns / NS_PER_S);
	struct tm tm;

	*ns = t.ns % NS_PER_S;
	if (*ns < 0) {
		*ns += NS_PER_S;
		s--;
	}
	gmtime_r(&s, &tm);
	return tm;
}

size_t instant_format_iso(struct instant t, char out[INSTANT_ISO_SIZE])
{
	int64_t ns;
	struct tm tm = civil(t, &ns);
	int n = snprintf(out, INSTANT_ISO_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d",
			 (tm.tm_year + 1900) % 10000, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
			 tm.tm_min, tm.tm_sec);
	char *p = out + n;
	size_t room = INSTANT_ISO_SIZE - (size_t)n;

	if (ns % NS_PER_MS == 0)
		n += snprintf(p, room, ".%03dZ", (int)(ns / NS_PER_MS));
	else if (ns % 1000 == 0)
		n += snprintf(p, room, ".%06dZ", (int)(ns / 1000));
	else
		n += snprintf(p, room, ".%09dZ", (int)ns);
	return (size_t)n;
}

size_t instant_format_minute(struct instant t, char out[INSTANT_ISO_SIZE])
{
	int64_t ns;
	struct tm tm = civil(t, &ns);

	return (size_t)snprintf(out, INSTANT_ISO_SIZE, "%04d-%02d-%02dT%02d:%02dZ",
				(tm.tm_year + 1900) % 10000, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
				tm.tm_min);
}

static const struct {
	struct sv name;
	int64_t ns;
} units[] = {
	{ { "d", 1 }, NS_PER_DAY }, { { "h", 1 }, NS_PER_HOUR }, { { "m", 1 }, NS_PER_MINUTE },
	{ { "s", 1 }, NS_PER_S },   { { "ms", 2 }, NS_PER_MS },	 { { "us", 2 }, 1000 },
	{ { "ns", 2 }, 1 },
};
#define N_UNITS (sizeof(units) / sizeof(units[0]))

bool span_parse(struct sv v, struct span *out)
{
	int64_t sum = 0;

	if (v.n == 0)
		return false;
	while (v.n > 0) {
		size_t digits = 0, letters = 0, u;
		uint64_t count;
		int64_t part;

		while (digits < v.n && v.p[digits] >= '0' && v.p[digits] <= '9')
			digits++;
		if (!sv_to_u64(sv_first(v, digits), &count) || count > INT64_MAX)
			return false;
		v = sv_skip(v, digits);
		while (letters < v.n && v.p[letters] >= 'a' && v.p[letters] <= 'z')
			letters++;
		for (u = 0; u < N_UNITS; u++)
			if (sv_eq(sv_first(v, letters), units[u].name))
				break;
		if (u == N_UNITS || __builtin_mul_overflow((int64_t)count, units[u].ns, &part) ||
		    __builtin_add_overflow(sum, part, &sum))
			return false;
		v = sv_skip(v, letters);
	}
	out->ns = sum;
	return true;
}

size_t span_format(struct span d, char out[INSTANT_ISO_SIZE])
{
	int64_t left = d.ns;
	size_t n = 0;

	out[0] = '\0';
	for (size_t u = 0; u < N_UNITS; u++) {
		if (left / units[u].ns == 0)
			continue;
		n += (size_t)snprintf(out + n, INSTANT_ISO_SIZE - n, "%lld%s",
				      (long long)(left / units[u].ns), units[u].name.p);
		left %= units[u].ns;
	}
	if (n == 0)
		n = (size_t)snprintf(out, INSTANT_ISO_SIZE, "0s");
	return n;
}
