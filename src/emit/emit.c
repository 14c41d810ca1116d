#include "emit/emit.h"

#include <errno.h>
#include <string.h>

#include "emit/csv.h"
#include "emit/finding_json.h"
#include "emit/html.h"
#include "emit/table.h"

/* One finding; evidence is bounded per device, devices are not. */
#define FINDING_MAX_BYTES ((size_t)256 * 1024 * 1024)

bool emit_shows(const struct finding *f, bool all)
{
	return all || f->kind != FINDING_PINNING || f->verdict == VERDICT_CONFIRMED ||
	       f->verdict == VERDICT_SUSPECTED;
}

bool emit_flush(FILE *out, struct buf *b, struct error *err)
{
	bool ok;

	if (b->overflowed)
		return error_set(err, ERROR_LIMIT, 0,
				 "a finding grew past %zu MB of output: narrow what is scanned",
				 FINDING_MAX_BYTES / 1000000);
	ok = b->n == 0 || fwrite(b->p, 1, b->n, out) == b->n;
	buf_reset(b);
	return ok ? true
		  : error_set(err, ERROR_IO, 0,
			      "the output cannot be written: %s; make room, or send it elsewhere",
			      strerror(errno));
}

static bool write_objects(FILE *out, const struct emit_input *in, bool array, struct error *err)
{
	struct buf b;
	bool ok = true, first = true;

	buf_init(&b, FINDING_MAX_BYTES);
	if (array)
		buf_char(&b, '[');
	for (size_t i = 0; ok && i < in->n; i++) {
		if (!emit_shows(&in->findings[i], in->all))
			continue;
		if (array)
			buf_str(&b, first ? "\n" : ",\n");
		finding_json(&b, &in->findings[i], in->settings);
		if (!array)
			buf_char(&b, '\n');
		first = false;
		ok = emit_flush(out, &b, err);
	}
	if (array)
		buf_str(&b, first ? "]\n" : "\n]\n");
	ok = ok && emit_flush(out, &b, err);
	buf_free(&b);
	return ok;
}

static bool write_json(FILE *out, const struct emit_input *in, struct error *err)
{
	return write_objects(out, in, true, err);
}

static bool write_jsonl(FILE *out, const struct emit_input *in, struct error *err)
{
	return write_objects(out, in, false, err);
}

static const struct emitter emitters[] = {
	{ "table", "ranked table for people", true, table_write },
	{ "json", "one JSON array of findings", false, write_json },
	{ "jsonl", "one finding a line, JSON", false, write_jsonl },
	{ "csv", "one finding a row, RFC 4180", false, csv_write },
	{ "html", "a self-contained report", false, html_write },
};
#define N_EMITTERS (sizeof(emitters) / sizeof(emitters[0]))

const struct emitter *emitter_at(size_t i) { return i < N_EMITTERS ? &emitters[i] : NULL; }

const struct emitter *emitter_find(struct sv name)
{
	for (size_t i = 0; i < N_EMITTERS; i++)
		if (sv_eq(name, sv_cstr(emitters[i].name)))
			return &emitters[i];
	return NULL;
}
