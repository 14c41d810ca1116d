#include "parse/decode_record.h"

#include <stdlib.h>

#include "parse/base64.h"
#include "parse/json.h"
#include "parse/plist.h"
#include "parse/syslog.h"
#include "read/syslog_frame.h"

void record_decoder_open(struct record_decoder *d, const struct format *f)
{
	static const struct sv syslog[] = { { "syslog.time", 11 },
					    { "syslog.host", 11 },
					    { "syslog.program", 14 } };

	*d = (struct record_decoder){ .format = f };
	d->state = f->decoder->open(f);
	d->json = json_reader_new();
	d->raws = xcalloc(f->names.n + 1, sizeof(*d->raws));
	for (size_t i = 0; i < 3; i++) {
		size_t slot = names_find(&f->names, syslog[i]);
		d->syslog[i] = slot == SIZE_MAX ? SLOT_NONE : (uint32_t)slot;
	}
}

void record_decoder_close(struct record_decoder *d)
{
	if (d->format == NULL)
		return;
	d->format->decoder->close(d->state);
	json_reader_free(d->json);
	free(d->raws);
	arena_free(&d->scratch);
}

static void clear(struct record_decoder *d)
{
	memset(d->raws, 0, d->format->names.n * sizeof(*d->raws));
}

static bool begins_json(struct sv v)
{
	while (v.n > 0 && (v.p[0] == ' ' || v.p[0] == '\t' || v.p[0] == '\r' || v.p[0] == '\n'))
		v = sv_skip(v, 1);
	return v.n > 0 && (v.p[0] == '{' || v.p[0] == '[');
}

/* What a relay may have put before the record. Formats that are used to it say so (`syslog: true`);
 * of the others JSON is told by its first byte, and any by a priority: no record begins so by
 * itself. */
static bool may_be_enveloped(const struct format *f, struct sv record)
{
	size_t octets;

	if (f->syslog)
		return true;
	if (f->framing != FRAMING_LINE || record.n < 3)
		return false;
	if (f->decoder == &decoder_json)
		return !begins_json(record);
	return (record.p[0] == '<' && record.p[1] >= '0' && record.p[1] <= '9') ||
	       syslog_octet_count(record, &octets) > 0;
}

/* Where the first object begins; 0 where none does. */
static size_t brace_at(struct sv text)
{
	size_t at = sv_find_char(text, '{');

	return at == SIZE_MAX ? 0 : at;
}

static struct sv open_envelope(struct record_decoder *d, struct sv record)
{
	struct syslog_header h;
	struct sv message = syslog_message(record, &h);
	const struct sv parts[] = { h.time, h.host, h.program };

	/* `@cee:`, a tag without colon, a name the shipper adds: all of it is before the
	 * document. */
	if (d->format->decoder == &decoder_json && !begins_json(message))
		message = sv_skip(message, brace_at(message));

	for (size_t i = 0; i < 3; i++)
		if (d->syslog[i] != SLOT_NONE && parts[i].n > 0)
			raw_set_text(&d->raws[d->syslog[i]], parts[i]);
	return message;
}

struct sv record_unwrap(struct record_decoder *d, struct sv record)
{
	return may_be_enveloped(d->format, record) ? open_envelope(d, record) : record;
}

static bool open_embed(struct record_decoder *d, const struct embed *e, const struct raw *raw,
		       struct sv field, struct error *err)
{
	struct sv bytes = raw->text;
	struct value *tree = arena_alloc(&d->scratch, sizeof(*tree));
	bool ok = true;

	if (raw->type == RAW_TREE) {
		decode_from_tree(d->format, e->prefix, raw->tree, d->raws, &d->scratch);
		return true;
	}
	if (e->base64 && !base64_decode(bytes, &d->scratch, &bytes))
		return error_set(err, ERROR_FORMAT, 0, "field `%.*s`: expected base64",
				 SV_ARG(field));
	ok = e->plist ? plist_parse(bytes, &d->scratch, tree, err)
		      : json_read(d->json, bytes, &d->scratch, tree, err);
	if (!ok) {
		error_prefix(err, "field `%.*s`", SV_ARG(field));
		return false;
	}
	decode_from_tree(d->format, e->prefix, tree, d->raws, &d->scratch);
	return true;
}

static bool open_embeds(struct record_decoder *d, struct error *err)
{
	const struct format *f = d->format;

	for (size_t i = 0; i < f->n_embeds; i++)
		for (size_t k = 0; k < f->embeds[i].n_slots; k++) {
			uint32_t slot = f->embeds[i].slots[k];
			if (d->raws[slot].type == RAW_ABSENT)
				continue;
			if (!open_embed(d, &f->embeds[i], &d->raws[slot], f->names.list[slot], err))
				return false;
			break;
		}
	return true;
}

static bool ignored(const struct format *f, struct sv record)
{
	for (size_t i = 0; i < f->n_ignore; i++)
		if (sv_starts(record, f->ignore[i]))
			return true;
	return false;
}

enum decode_result record_decode(struct record_decoder *d, struct sv record, struct error *err)
{
	const struct format *f = d->format;
	struct decode_context c = { d->raws, &d->scratch, d->json, NULL, err };
	enum decode_result got;

	if (!d->keeps)
		arena_reset(&d->scratch);
	clear(d);
	if (f->n_ignore > 0 && ignored(f, record))
		return DECODE_NOTHING;
	record = record_unwrap(d, record);
	if (ignored(f, record))
		return DECODE_NOTHING;
	got = f->decoder->run(d->state, record, &c);
	d->list = c.list;
	if (got == DECODE_LIST && c.list->type != VALUE_ARRAY) {
		error_set(err, ERROR_FORMAT, 0, "expected a list of records");
		return DECODE_BAD;
	}
	d->bad_embed = got == DECODE_FIELDS && f->n_embeds > 0 && !open_embeds(d, err);
	if (d->bad_embed)
		return DECODE_BAD;
	return got;
}

bool record_decode_item(struct record_decoder *d, size_t i, struct error *err)
{
	const struct value *item = &d->list->array.items[i];

	if (item->type != VALUE_OBJECT)
		return error_set(err, ERROR_FORMAT, 0,
				 "item %zu of the list is no object: expected {…}", i);
	clear(d);
	decode_from_tree(d->format, SV_NONE, item, d->raws, &d->scratch);
	return open_embeds(d, err);
}
