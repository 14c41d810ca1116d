#include "conf/timezone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ZONEINFO "/usr/share/zoneinfo"
#define MAX_ZONE_FILE (256u * 1024u)
#define MAX_CHANGES 4096u
/* Rules without an end are unrolled to here; the program's times end in 2262, its logs sooner. */
#define LAST_YEAR 2100

/* A clock rule of a POSIX TZ string, `M3.5.0/2`. */
struct rule {
	unsigned month, week, weekday;
	int32_t at; /* seconds after local midnight */
};

static bool digits(struct sv *v, uint32_t max, uint32_t *out)
{
	uint32_t n = 0;
	size_t i = 0;

	for (; i < v->n && i < 6 && v->p[i] >= '0' && v->p[i] <= '9'; i++)
		n = n * 10 + (uint32_t)(v->p[i] - '0');
	*v = sv_skip(*v, i);
	*out = n;
	return i > 0 && n <= max;
}

static bool take(struct sv *v, char c)
{
	if (v->n == 0 || v->p[0] != c)
		return false;
	*v = sv_skip(*v, 1);
	return true;
}

/* `[+-]h[h][:mm[:ss]]`, as POSIX has it. */
static bool clock_time(struct sv *v, int32_t *seconds)
{
	bool negative = take(v, '-');
	uint32_t h, m = 0, s = 0;

	if (!negative)
		take(v, '+');
	if (!digits(v, 167, &h) || (take(v, ':') && !digits(v, 59, &m)) ||
	    (take(v, ':') && !digits(v, 59, &s)))
		return false;
	*seconds = (int32_t)(h * 3600 + m * 60 + s) * (negative ? -1 : 1);
	return true;
}

/* The name of a zone in a TZ string: letters, or anything between < and >. */
static bool zone_word(struct sv *v)
{
	size_t i = 0;

	if (take(v, '<')) {
		i = sv_find_char(*v, '>');
		if (i == SIZE_MAX)
			return false;
		*v = sv_skip(*v, i + 1);
		return true;
	}
	while (i < v->n && ((v->p[i] | 0x20) >= 'a' && (v->p[i] | 0x20) <= 'z'))
		i++;
	*v = sv_skip(*v, i);
	return i >= 3;
}

static bool read_rule(struct sv *v, struct rule *r)
{
	r->at = 7200;
	if (!take(v, ',') || !take(v, 'M') || !digits(v, 12, &r->month) || r->month == 0 ||
	    !take(v, '.') || !digits(v, 5, &r->week) || r->week == 0 || !take(v, '.') ||
	    !digits(v, 6, &r->weekday))
		return false;
	return !take(v, '/') || clock_time(v, &r->at);
}

/* UTC seconds at which the rule strikes in a year, under the offset in force before it. */
static int64_t rule_strikes(const struct rule *r, int year, int32_t offset)
{
	int next_year = r->month == 12 ? year + 1 : year;
	unsigned next_month = r->month == 12 ? 1 : r->month + 1;
	int64_t first = instant_from_civil(year, r->month, 1, 0, 0, 0, 0).ns / NS_PER_DAY;
	int64_t end = instant_from_civil(next_year, next_month, 1, 0, 0, 0, 0).ns / NS_PER_DAY;
	int64_t weekday = (first + 4) % 7; /* 1970-01-01 was a Thursday */
	int64_t day = first + ((int64_t)r->weekday - weekday + 7) % 7 + ((int64_t)r->week - 1) * 7;

	while (day >= end)
		day -= 7;
	return day * 86400 + r->at - offset;
}

/* Adds the changes that the file's closing rule makes after its last written one. */
static bool unroll(struct sv text, struct zone_change *changes, size_t *n)
{
	int32_t standard, summer;
	struct rule start, end;
	int64_t after = *n > 0 ? changes[*n - 1].from : INT64_MIN;

	if (!zone_word(&text) || !clock_time(&text, &standard))
		return false;
	standard = -standard; /* POSIX counts west */
	if (text.n == 0)
		return true;
	if (!zone_word(&text))
		return false;
	summer = standard + 3600;
	if (text.n > 0 && text.p[0] != ',') {
		if (!clock_time(&text, &summer))
			return false;
		summer = -summer;
	}
	if (!read_rule(&text, &start) || !read_rule(&text, &end) || text.n > 0)
		return false;
	for (int year = 1970; year <= LAST_YEAR; year++) {
		struct zone_change on = { rule_strikes(&start, year, standard), summer };
		struct zone_change off = { rule_strikes(&end, year, summer), standard };
		bool north = on.from < off.from;
		struct zone_change pair[2] = { north ? on : off, north ? off : on };
		for (size_t i = 0; i < 2; i++)
			if (pair[i].from > after && *n < MAX_CHANGES)
				changes[(*n)++] = pair[i];
	}
	return true;
}

static uint32_t be32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | (uint32_t)p[3];
}

static int64_t be64(const unsigned char *p)
{
	return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

struct tzif {
	uint32_t isut, isstd, leap, times, types, chars;
};

#define TZIF_HEADER 44

static bool tzif_header(struct sv v, struct tzif *h)
{
	const unsigned char *p = (const unsigned char *)v.p;

	if (v.n < TZIF_HEADER || memcmp(p, "TZif", 4) != 0 || p[4] < '2')
		return false;
	*h = (struct tzif){ be32(p + 20), be32(p + 24), be32(p + 28),
			    be32(p + 32), be32(p + 36), be32(p + 40) };
	return h->times < MAX_CHANGES && h->types > 0 && h->types <= 256 && h->chars <= 4096 &&
	       h->leap <= 4096 && h->isut <= 256 && h->isstd <= 256;
}

static size_t tzif_body(const struct tzif *h, size_t time_size)
{
	return h->times * (time_size + 1) + h->types * 6 + h->chars + h->leap * (time_size + 4) +
	       h->isstd + h->isut;
}

/* RFC 8536: a version 1 block to be skipped, the 64-bit block, a TZ string between line feeds. */
static bool tzif_read(struct sv file, struct arena *a, struct zone *out)
{
	struct zone_change *changes;
	const unsigned char *times, *kinds, *types;
	struct tzif h;
	struct sv v = file, footer;
	size_t body, n = 0;

	if (!tzif_header(v, &h))
		return false;
	v = sv_skip(v, TZIF_HEADER + tzif_body(&h, 4));
	if (!tzif_header(v, &h))
		return false;
	v = sv_skip(v, TZIF_HEADER);
	body = tzif_body(&h, 8);
	if (v.n < body)
		return false;
	times = (const unsigned char *)v.p;
	kinds = times + h.times * 8;
	types = kinds + h.times;
	changes = arena_alloc(a, MAX_CHANGES * sizeof(*changes));
	for (uint32_t i = 0; i < h.times; i++) {
		if (kinds[i] >= h.types || (i > 0 && be64(times + i * 8) <= changes[n - 1].from))
			return false;
		changes[n++] = (struct zone_change){ be64(times + i * 8),
						     (int32_t)be32(types + kinds[i] * 6) };
	}
	out->offset = (int32_t)be32(types);
	footer = sv_skip(v, body);
	if (take(&footer, '\n') && footer.n > 1 && footer.p[footer.n - 1] == '\n' &&
	    !unroll(sv_first(footer, footer.n - 1), changes, &n))
		return false;
	out->changes = changes;
	out->n_changes = n;
	for (size_t i = 0; i < n; i++)
		if (changes[i].offset < -93600 || changes[i].offset > 93600)
			return false;
	return true;
}

static bool safe_name(struct sv name)
{
	static const char more[] = "/_+-";

	if (name.n == 0 || name.n > 64 || (name.p[0] | 0x20) < 'a' || (name.p[0] | 0x20) > 'z')
		return false;
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		if (!((c | 0x20) >= 'a' && (c | 0x20) <= 'z') && !(c >= '0' && c <= '9') &&
		    memchr(more, c, sizeof(more) - 1) == NULL)
			return false;
	}
	return true;
}

static bool read_named(struct sv name, struct arena *a, struct zone *out, struct error *err)
{
	char path[128];
	char *bytes;
	size_t n;
	bool ok;
	FILE *f;

	snprintf(path, sizeof(path), ZONEINFO "/%.*s", SV_ARG(name));
	f = fopen(path, "rbe");
	if (f == NULL)
		return error_set(err, ERROR_CONFIG, 0,
				 "no time zone `%.*s` in " ZONEINFO
				 ": write an IANA name such as Europe/Berlin (with the tzdata "
				 "package installed) or a fixed offset such as +01:00",
				 SV_ARG(name));
	bytes = xmalloc(MAX_ZONE_FILE);
	n = fread(bytes, 1, MAX_ZONE_FILE, f);
	fclose(f);
	ok = tzif_read(sv_make(bytes, n), a, out);
	free(bytes);
	if (!ok)
		return error_set(err, ERROR_CONFIG, 0,
				 "%s cannot be read as a zone file (RFC 8536): write a fixed "
				 "offset such as +01:00",
				 path);
	return true;
}

/* `+hh`, `+h`, `+hhmm`, `+hh:mm`. */
static bool fixed_offset(struct sv text, int32_t *out)
{
	bool negative = take(&text, '-');
	uint32_t h, m = 0;

	if (!negative && !take(&text, '+'))
		return false;
	if (text.n == 4 && sv_find_char(text, ':') == SIZE_MAX) {
		struct sv hours = sv_first(text, 2), minutes = sv_skip(text, 2);
		if (!digits(&hours, 18, &h) || hours.n > 0 || !digits(&minutes, 59, &m) ||
		    minutes.n > 0)
			return false;
	} else if (!digits(&text, 18, &h) ||
		   (text.n > 0 && (text.n != 3 || !take(&text, ':') || !digits(&text, 59, &m))) ||
		   text.n > 0) {
		return false;
	}
	*out = (int32_t)(h * 3600 + m * 60) * (negative ? -1 : 1);
	return true;
}

bool zone_parse(struct sv text, struct arena *a, struct zone *out, struct error *err)
{
	*out = (struct zone){ .name = arena_sv(a, text) };
	if (sv_eq_nocase(text, SV("UTC")) || sv_eq(text, SV("Z")))
		return true;
	if (fixed_offset(text, &out->offset))
		return true;
	if (!safe_name(text))
		return error_set(
		    err, ERROR_CONFIG, 0,
		    "expected a time zone such as UTC, a fixed offset such as +01:00, or an "
		    "IANA name such as Europe/Berlin");
	return read_named(text, a, out, err);
}

int32_t zone_offset(const struct zone *z, struct instant utc)
{
	int64_t s = utc.ns / NS_PER_S - (utc.ns % NS_PER_S < 0);
	size_t low = 0, high = z->n_changes;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (z->changes[middle].from <= s)
			low = middle + 1;
		else
			high = middle;
	}
	return low == 0 ? z->offset : z->changes[low - 1].offset;
}

int32_t zone_offset_local(const struct zone *z, struct instant local)
{
	/* The offset an hour or a day away may differ; the one that is in force at the moment it
	 * leads to is right. The later moment is tried first. */
	int32_t before = zone_offset(z, (struct instant){ local.ns - NS_PER_DAY });
	int32_t after = zone_offset(z, (struct instant){ local.ns + NS_PER_DAY });
	struct instant late = { local.ns - (int64_t)after * NS_PER_S };

	return zone_offset(z, late) == after ? after : before;
}
