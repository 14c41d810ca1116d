#include "parse/syslog.h"

#include "read/syslog_frame.h"

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* The next word, cut off *rest with the blanks behind it. */
static struct sv word(struct sv *rest)
{
	struct sv v = sv_cut(*rest, ' ', rest);

	while (rest->n > 0 && rest->p[0] == ' ')
		*rest = sv_skip(*rest, 1);
	return v;
}

static struct sv without_priority(struct sv record, bool *had)
{
	size_t i = 1;

	*had = false;
	if (record.n < 3 || record.p[0] != '<')
		return record;
	while (i < record.n && i < 5 && is_digit(record.p[i]))
		i++;
	if (i == 1 || i >= record.n || record.p[i] != '>')
		return record;
	*had = true;
	return sv_skip(record, i + 1);
}

/* `1 TIME HOST APP PROCID MSGID SD MSG`, behind a priority. */
static bool rfc5424(struct sv rest, struct syslog_header *h, struct sv *message)
{
	if (!sv_starts(rest, SV("1 ")))
		return false;
	rest = sv_skip(rest, 2);
	h->time = word(&rest);
	h->host = word(&rest);
	h->program = word(&rest);
	word(&rest);
	word(&rest);
	if (rest.n > 0 && rest.p[0] == '-') {
		rest = sv_skip(rest, rest.n > 1 && rest.p[1] == ' ' ? 2 : 1);
	} else {
		while (rest.n > 0 && rest.p[0] == '[') { /* structured data, quotes may hold ] */
			bool quoted = false;
			size_t i = 1;
			for (; i < rest.n && (quoted || rest.p[i] != ']'); i++) {
				if (rest.p[i] == '\\')
					i++;
				else if (rest.p[i] == '"')
					quoted = !quoted;
			}
			rest = sv_skip(rest, i + 1);
		}
		if (rest.n > 0 && rest.p[0] == ' ')
			rest = sv_skip(rest, 1);
	}
	if (sv_starts(rest, SV("\xef\xbb\xbf")))
		rest = sv_skip(rest, 3);
	*message = rest;
	return rest.n > 0;
}

static bool month(struct sv v)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (size_t m = 0; v.n == 3 && m < 12; m++)
		if (memcmp(v.p, names + 3 * m, 3) == 0)
			return true;
	return false;
}

/* JSON, whose first word may end in a colon as a tag does. */
static bool begins_document(struct sv v) { return v.n > 0 && (v.p[0] == '{' || v.p[0] == '['); }

/* `Nov 24 02:14:13 HOST TAG[PID]: MSG`; the tag may be missing. */
static bool rfc3164(struct sv record, struct syslog_header *h, struct sv *message)
{
	struct sv rest = record, first = word(&rest), tag, behind;

	if (month(first)) {
		struct sv day = word(&rest), clock = word(&rest);
		if (day.n == 0 || day.n > 2 || !is_digit(day.p[0]) || clock.n < 8 ||
		    clock.p[2] != ':' || clock.p[5] != ':')
			return false;
		h->time = sv_make(record.p, (size_t)(clock.p + clock.n - record.p));
	} else if (first.n >= 19 && first.p[4] == '-' && first.p[10] == 'T') {
		h->time = first;
	} else {
		return false;
	}
	if (begins_document(rest)) { /* neither host nor tag */
		*message = rest;
		return true;
	}
	h->host = word(&rest);
	behind = rest;
	tag = word(&behind);
	/* `%FW-6-302013:` is a message's id, and part of it. */
	if (tag.n > 1 && tag.p[tag.n - 1] == ':' && tag.p[0] != '%' && !begins_document(tag)) {
		struct sv none;
		h->program = sv_cut(sv_first(tag, tag.n - 1), '[', &none);
		rest = behind;
	}
	*message = rest;
	return rest.n > 0;
}

struct sv syslog_message(struct sv record, struct syslog_header *header)
{
	bool priority;
	size_t octets;
	struct sv rest, message;

	record = sv_skip(record, syslog_octet_count(record, &octets));
	rest = without_priority(record, &priority);

	*header = (struct syslog_header){ 0 };
	if (priority && rfc5424(rest, header, &message))
		return message;
	*header = (struct syslog_header){ 0 };
	if (rfc3164(rest, header, &message))
		return message;
	*header = (struct syslog_header){ 0 };
	return rest;
}
