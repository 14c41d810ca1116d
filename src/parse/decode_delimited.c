/* Columns between separators: CSV and its relatives.
 *
 *     decode: {delimited: {separator: ",", quote: '"', heading: true, columns: [a, b], unset: ["",
 * "-"]}}
 *
 * Columns are named by a heading line, by `columns`, or by their number, from 1 and from the left.
 * With both, `columns` holds until a heading comes and says what a heading's first column is
 * called. `heading_prefix` is for headings in a comment (`#Fields: `). Quotes are doubled inside
 * quotes (RFC 4180) and optional.
 */
#include <stdio.h>
#include <stdlib.h>

#include "parse/decode.h"

struct delimited_options {
	char separator, quote; /* quote '\0': none */
	bool heading;
	struct sv heading_prefix;
	const struct sv *columns;
	size_t n_columns;
	struct unset unset;
};

struct delimited_state {
	const struct format *format;
	const struct delimited_options *options;
	struct columns columns;
	struct sv first; /* what a heading's first column is called */
	struct arena text;
	uint32_t offsets[COLUMNS_MAX];
	struct sv cells[COLUMNS_MAX];
};

static bool one_char(struct yaml y, char *out, struct error *err)
{
	struct sv text = yfile_text(y);

	if (!yfile_there(y))
		return true;
	if (text.n > 1 || !yfile_is_text(y))
		return yfile_error(err, y, "expected one character");
	*out = text.n == 1 ? text.p[0] : '\0';
	return true;
}

static bool compile(struct format *f, struct yaml options, void **out, struct error *err)
{
	static const char *const keys[] = { "separator", "quote", "heading", "heading_prefix",
					    "columns",	 "unset", NULL };
	struct delimited_options *o = arena_alloc(&f->arena, sizeof(*o));

	o->separator = ',';
	o->quote = '"';
	*out = o;
	if (!yfile_is_map(options))
		return true;
	if (!yfile_check_keys(options, keys, err) ||
	    !one_char(yfile_get(options, "separator"), &o->separator, err) ||
	    !one_char(yfile_get(options, "quote"), &o->quote, err) ||
	    !yfile_take_bool(yfile_get(options, "heading"), &o->heading, err) ||
	    !yfile_take_text(yfile_get(options, "heading_prefix"), &o->heading_prefix, err) ||
	    !format_texts(yfile_get(options, "columns"), &f->arena, &o->columns, &o->n_columns,
			  err))
		return false;
	if (o->separator == '\0')
		return yfile_error(err, options, "expected one character as `separator`");
	return unset_compile(f, yfile_get(options, "unset"), &o->unset, err);
}

static bool knows(const struct format *f, struct sv name)
{
	const struct delimited_options *o = f->decoder_options;
	uint64_t number;

	if (o->heading || o->heading_prefix.n > 0)
		return true;
	if (o->n_columns == 0)
		return sv_to_u64(name, &number) && number >= 1 && number <= COLUMNS_MAX;
	for (size_t i = 0; i < o->n_columns; i++)
		if (sv_eq(o->columns[i], name))
			return true;
	return false;
}

static void *open(const struct format *f)
{
	struct delimited_state *s = xcalloc(1, sizeof(*s));
	const struct delimited_options *o = f->decoder_options;

	s->format = f;
	s->options = o;
	for (size_t i = 0; i < o->n_columns; i++)
		columns_add(&s->columns, f, o->columns[i]);
	if (o->n_columns > 0)
		s->first = o->columns[0];
	for (size_t i = 1; o->n_columns == 0 && !o->heading && i <= COLUMNS_MAX; i++) {
		char number[16];
		int n = snprintf(number, sizeof(number), "%zu", i);
		columns_add(&s->columns, f, sv_make(number, (size_t)n));
	}
	return s;
}

static void close(void *state)
{
	struct delimited_state *s = state;

	arena_free(&s->text);
	free(s);
}

static size_t split_plain(struct delimited_state *s, struct sv record, size_t max)
{
	size_t n = split_offsets(record, s->options->separator, s->offsets, max), start = 0;

	for (size_t i = 0; i < n; i++) {
		s->cells[i] = sv_make(record.p + start, s->offsets[i] - start);
		start = s->offsets[i] + 1;
	}
	if (n == max)
		return n;
	s->cells[n] = sv_make(record.p + start, record.n - start);
	return n + 1;
}

/* A quoted cell at *at; leaves *at on the separator behind it. */
static struct sv quoted(struct sv record, size_t *at, char quote, struct arena *a)
{
	size_t from = *at + 1, n = 0;
	char *p = NULL;

	for (size_t i = from; i < record.n; i++) {
		if (record.p[i] != quote) {
			if (p != NULL)
				p[n++] = record.p[i];
			continue;
		}
		if (i + 1 < record.n && record.p[i + 1] == quote) {
			if (p == NULL) {
				p = arena_copy(a, record.p + from, record.n - from);
				n = i - from;
			}
			p[n++] = quote;
			i++;
			continue;
		}
		*at = i + 1;
		return p != NULL ? sv_make(p, n) : sv_make(record.p + from, i - from);
	}
	*at = record.n;
	return p != NULL ? sv_make(p, n) : sv_make(record.p + from, record.n - from);
}

static size_t split_quoted(struct delimited_state *s, struct sv record, size_t max, struct arena *a)
{
	char separator = s->options->separator, quote = s->options->quote;
	size_t n = 0, at = 0;

	while (n < max) {
		size_t end;
		if (at < record.n && record.p[at] == quote) {
			s->cells[n++] = quoted(record, &at, quote, a);
		} else {
			end = sv_find_char(sv_skip(record, at), separator);
			end = end == SIZE_MAX ? record.n : at + end;
			s->cells[n++] = sv_make(record.p + at, end - at);
			at = end;
		}
		while (at < record.n && record.p[at] != separator)
			at++;
		if (at >= record.n)
			break;
		at++;
	}
	return n;
}

static size_t split(struct delimited_state *s, struct sv record, size_t max, struct arena *a)
{
	char quote = s->options->quote;

	if (quote != '\0' && sv_find_char(record, quote) != SIZE_MAX)
		return split_quoted(s, record, max, a);
	return split_plain(s, record, max);
}

static enum decode_result heading(struct delimited_state *s, size_t n, struct decode_context *c)
{
	columns_clear(&s->columns);
	arena_reset(&s->text);
	for (size_t i = 0; i < n; i++) {
		size_t before = s->columns.n;
		columns_add(&s->columns, s->format, s->cells[i]);
		if (before < s->columns.n && s->columns.slots[before] != SLOT_NONE)
			raw_set_text(&c->raws[s->columns.slots[before]], s->cells[i]);
	}
	s->first = arena_sv(&s->text, n > 0 ? s->cells[0] : SV_NONE);
	return DECODE_HEADING;
}

static enum decode_result run(void *state, struct sv record, struct decode_context *c)
{
	struct delimited_state *s = state;
	const struct delimited_options *o = s->options;
	size_t n;

	if (o->heading_prefix.n > 0 && sv_starts(record, o->heading_prefix)) {
		n = split(s, sv_skip(record, o->heading_prefix.n), COLUMNS_MAX, c->scratch);
		return heading(s, n, c);
	}
	if (o->heading && s->first.n == 0)
		return heading(s, split(s, record, COLUMNS_MAX, c->scratch), c);
	if (s->columns.n == 0) {
		error_set(c->err, ERROR_FORMAT, 0,
			  "expected a heading before this line; the file may have been cut");
		return DECODE_BAD;
	}
	if (o->heading && sv_starts(record, s->first)) {
		n = split(s, record, COLUMNS_MAX, c->scratch);
		if (sv_eq(s->cells[0], s->first))
			return heading(s, n, c);
	}
	n = split(s, record, s->columns.wanted, c->scratch);
	for (size_t i = 0; i < n && i < s->columns.wanted; i++)
		if (s->columns.slots[i] != SLOT_NONE && !unset_holds(&o->unset, s->cells[i]))
			raw_set_text(&c->raws[s->columns.slots[i]], s->cells[i]);
	return DECODE_FIELDS;
}

static bool remembers(const struct format *f)
{
	const struct delimited_options *o = f->decoder_options;

	return o->heading || o->heading_prefix.n > 0;
}

const struct decoder decoder_delimited = {
	"delimited", compile, knows, open, close, run, remembers
};
