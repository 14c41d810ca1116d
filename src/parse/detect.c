#include <stdio.h>
#include <stdlib.h>

#include "parse/decode_record.h"
#include "parse/syslog.h"
#include "read/frame.h"

/* Records looked at before a format is given up: headers and comments come first. */
#define MAX_LIKENESS 4096
#define MAX_RECORDS 64u

/* A record of the head with READ_PADDING readable bytes behind it. */
struct padded {
	char *bytes;
};

static struct sv pad(struct padded *room, struct sv record)
{
	memcpy(room->bytes, record.p, record.n);
	memset(room->bytes + record.n, 0, READ_PADDING);
	return sv_make(room->bytes, record.n);
}

static struct sv next_record(struct sv *rest, enum framing framing)
{
	struct frame f = { .skip = SKIP_NONE };
	enum frame_result result;
	struct sv record;
	size_t end;

	if (framing == FRAMING_DOCUMENT) {
		record = *rest;
		*rest = SV_NONE;
		return record;
	}
	if (framing == FRAMING_PARAGRAPH) {
		while (rest->n > 0 && (rest->p[0] == '\n' || rest->p[0] == '\r'))
			*rest = sv_skip(*rest, 1);
		end = sv_find(*rest, SV("\n\n"));
		record = end == SIZE_MAX ? *rest : sv_first(*rest, end);
		*rest = end == SIZE_MAX ? SV_NONE : sv_skip(*rest, end + 2);
		return record;
	}
	result = frame_next(*rest, 0, true, FRAMING_LINE, READER_MAX_RECORD, &f);
	record = result == FRAME_RECORD ? sv_first(*rest, f.length) : SV_NONE;
	*rest = result == FRAME_MORE ? SV_NONE : sv_skip(*rest, f.used);
	return record;
}

static void why_not(struct format_match *m, const char *fmt, struct sv name)
{
	m->score = 0;
	snprintf(m->reason, sizeof(m->reason), fmt, SV_ARG(name));
}

/* Judges the fields at hand. *near counts what agreed. */
static bool agrees(const struct format *f, const struct record_decoder *d, struct format_match *m,
		   size_t *near, bool heading)
{
	static const struct parser_options no_options = { .date = { INT64_MIN } };
	const struct condition *failing;
	size_t held = 0;

	for (size_t i = 0; i < f->detect.n_require; i++) {
		uint32_t slot = f->detect.require[i];
		if (d->raws[slot].type == RAW_ABSENT) {
			why_not(m,
				heading ? "its heading has no column `%.*s`"
					: "its first record has no field `%.*s`",
				f->names.list[slot]);
			return false;
		}
		++*near;
	}
	failing = condition_first_failing(f->detect.when, d->raws, &no_options, &held);
	*near += held;
	if (failing != NULL) {
		struct sv name;
		const struct condition *c = failing;
		while (c->n_children > 0)
			c = &c->children[0];
		name = f->names.list[c->slot];
		if (d->raws[c->slot].type == RAW_ABSENT || d->raws[c->slot].type == RAW_TREE)
			why_not(m, "its first record has not what is expected in `%.*s`", name);
		else
			snprintf(
			    m->reason, sizeof(m->reason),
			    "its first record has `%.*s` in `%.*s`, which is not expected there",
			    SV_ARG(sv_first(d->raws[c->slot].text, 40)), SV_ARG(name));
		return false;
	}
	m->score = f->detect.weight + (int)held + (int)f->detect.n_require;
	if (f->detect.n_require > 0)
		snprintf(m->reason, sizeof(m->reason),
			 "%s has `%.*s` and all that is expected with it",
			 heading ? "its heading" : "its first record",
			 SV_ARG(f->names.list[f->detect.require[0]]));
	else
		snprintf(m->reason, sizeof(m->reason), "its first record fits");
	return true;
}

static bool head_texts(const struct format *f, struct sv head, struct format_match *m, size_t *near)
{
	const struct detection *d = &f->detect;
	bool starts = d->n_starts == 0;
	struct syslog_header none;
	struct sv message = f->framing == FRAMING_LINE ? syslog_message(head, &none) : head;

	for (size_t i = 0; i < d->n_starts; i++)
		starts =
		    starts || sv_starts(head, d->starts[i]) || sv_starts(message, d->starts[i]);
	if (!starts) {
		why_not(m, "it does not start with `%.*s`", d->starts[0]);
		return false;
	}
	for (size_t i = 0; i < d->n_contains; i++) {
		if (sv_find(head, d->contains[i]) == SIZE_MAX) {
			why_not(m, "it does not hold `%.*s`", d->contains[i]);
			return false;
		}
		++*near;
	}
	*near += d->n_starts > 0;
	m->score = d->weight + (int)d->n_contains + (d->n_starts > 0);
	snprintf(m->reason, sizeof(m->reason), "its first bytes hold `%.*s`",
		 SV_ARG(d->n_starts > 0	    ? d->starts[0]
			: d->n_contains > 0 ? d->contains[0]
					    : SV("")));
	return true;
}

/* The first object of a JSON list: the head may hold no more than the list's beginning. The text as
 * it is where there is none. */
static struct sv first_of_list(struct sv text)
{
	struct sv rest = sv_trim(text);
	size_t depth = 0, start = 0;
	bool quoted = false;

	if (rest.n == 0 || rest.p[0] != '[')
		return text;
	for (size_t i = 1; i < rest.n; i++) {
		char c = rest.p[i];

		if (quoted) {
			if (c == '\\')
				i++;
			else if (c == '"')
				quoted = false;
		} else if (c == '"') {
			quoted = true;
		} else if (c == '{' && depth++ == 0) {
			start = i;
		} else if (c == '}' && depth > 0 && --depth == 0) {
			return sv_make(rest.p + start, i + 1 - start);
		}
	}
	return text;
}

/* How much a record that does not decode still looks like the format: the names it needs, as
 * text. */
static size_t likeness(const struct format *f, struct sv record)
{
	struct syslog_header none;
	struct sv text = sv_first(syslog_message(record, &none), MAX_LIKENESS);
	bool object = text.n > 0 && text.p[0] == '{', json = f->decoder == &decoder_json;
	size_t hits = 0;

	if (object && !json) /* the names are there, but in another encoding */
		return 0;
	for (size_t i = 0; i < f->detect.n_require; i++)
		hits += sv_find(text, f->names.list[f->detect.require[i]]) != SIZE_MAX;
	return hits > 0 ? 2 * hits + object : 0;
}

static bool begins_object(struct sv head)
{
	struct syslog_header none;
	struct sv text = sv_trim(sv_first(syslog_message(head, &none), MAX_LIKENESS));

	return text.n > 0 && text.p[0] == '{';
}

static void detect_records(const struct format *f, struct sv head, enum framing framing,
			   struct padded *room, struct format_match *m, size_t *near)
{
	struct record_decoder d;
	struct error err = { 0 };

	struct sv first = head;

	record_decoder_open(&d, f);
	snprintf(m->reason, sizeof(m->reason), "it has no record");
	for (size_t i = 0; i < MAX_RECORDS && head.n > 0; i++) {
		struct sv record = next_record(&head, framing);
		enum decode_result got;

		if (record.n == 0)
			continue;
		if (framing == FRAMING_DOCUMENT && f->decoder == &decoder_json)
			record = first_of_list(record);
		got = record_decode(&d, pad(room, record), &err);
		if (got == DECODE_NOTHING)
			continue;
		if (got == DECODE_BAD && d.bad_embed) /* the record itself says what it is */
			got = DECODE_FIELDS;
		if (got == DECODE_BAD) {
			snprintf(m->reason, sizeof(m->reason), "%.150s", err.message);
			*near += likeness(f, record);
			break;
		}
		++*near; /* the right encoding, at least */
		if (got == DECODE_LIST &&
		    (d.list->array.n == 0 || !record_decode_item(&d, 0, &err))) {
			snprintf(m->reason, sizeof(m->reason), "it has no record");
			break;
		}
		if (f->refusal.n > 0 || got != DECODE_HEADING) {
			agrees(f, &d, m, near, false);
			break;
		}
		agrees(f, &d, m, near, true);
		break;
	}
	record_decoder_close(&d);
	/* Lines of any shape hold an object as well: that is no likeness. */
	if (m->score == 0 && f->decoder != &decoder_json && begins_object(first))
		*near = 0;
}

/* The first line is no whole JSON object, but the head begins one. */
static bool document_instead(const struct format *f, struct sv head)
{
	struct sv rest, line = sv_trim(sv_cut(sv_trim(head), '\n', &rest));

	if (f->framing != FRAMING_LINE || f->decoder != &decoder_json || rest.n == 0)
		return false;
	return line.n > 0 && (line.p[0] == '{' || line.p[0] == '[') && line.p[line.n - 1] != '}';
}

static void detect_one(const struct format *f, struct sv head, struct padded *room,
		       struct format_match *m, size_t *near)
{
	*near = 0;
	*m = (struct format_match){ f, 0, f->framing, "" };
	if (!head_texts(f, head, m, near))
		return;
	if (f->detect.n_require == 0 && f->detect.when == NULL)
		return; /* the first bytes decide alone */
	m->score = 0;
	if (document_instead(f, head))
		m->framing = FRAMING_DOCUMENT;
	detect_records(f, head, m->framing, room, m, near);
}

struct ranked {
	struct format_match match;
	size_t near;
};

static int by_rank(const void *left, const void *right)
{
	const struct ranked *a = left, *b = right;

	if (a->match.score != b->match.score)
		return a->match.score > b->match.score ? -1 : 1;
	if (a->near != b->near)
		return a->near > b->near ? -1 : 1;
	return sv_cmp(format_name(a->match.format), format_name(b->match.format));
}

size_t format_detect(const struct format_set *set, struct sv head, struct format_match *out,
		     size_t n)
{
	size_t count = format_set_count(set);
	struct ranked *all = xcalloc(count, sizeof(*all));
	struct padded room = { xmalloc(head.n + READ_PADDING) };

	if (sv_starts(head, SV("\xef\xbb\xbf")))
		head = sv_skip(head, 3);
	for (size_t i = 0; i < count; i++)
		detect_one(format_set_at(set, i), head, &room, &all[i].match, &all[i].near);
	qsort(all, count, sizeof(*all), by_rank);
	if (n > count)
		n = count;
	for (size_t i = 0; i < n; i++)
		out[i] = all[i].match;
	free(room.bytes);
	free(all);
	return n;
}
