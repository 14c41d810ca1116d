/* Tab-separated values under a header of directives, as Zeek's ASCII writer makes them
 * (scripts/base/frameworks/logging/writers/ascii.zeek):
 *
 *     #separator \x09
 *     #set_separator  ,
 *     #empty_field    (empty)
 *     #unset_field    -
 *     #path   conn
 *     #fields ts      uid     id.orig_h …
 *
 * The header names the columns, so that their order and presence do not matter; a file may hold
 * several.
 * `#path` is a field of every record. Bytes the writer escaped (\x09) are restored.
 */
#include <stdlib.h>

#include "parse/decode.h"

struct zeek_state {
	const struct format *format;
	struct columns columns;
	bool has_columns;
	char separator;
	struct sv unset, empty, path; /* in `text` */
	uint32_t path_slot;
	struct arena text, old_text; /* the old one for observations that still borrow from it */
	uint32_t offsets[COLUMNS_MAX];
};

/* sv_eq of texts that are not empty, of which most differ in the first byte or have but one. */
static inline bool is_word(struct sv text, struct sv word)
{
	return text.n == word.n && text.p[0] == word.p[0] && (text.n == 1 || sv_eq(text, word));
}

/* Header texts a parser keeps, in bytes, before it lets go of old ones: headers repeat in a
 * file. */
#define KEEP_MAX (256u * 1024u)

static bool compile(struct format *f, struct yaml options, void **out, struct error *err)
{
	(void)f;
	*out = NULL;
	return !yfile_there(options) || !yfile_is_map(options) || yfile_count(options) == 0 ||
	       yfile_error(err, options, "tsv_header takes no options");
}

static void *open(const struct format *f)
{
	struct zeek_state *s = xcalloc(1, sizeof(*s));
	size_t path = names_find(&f->names, SV("#path"));

	s->format = f;
	s->separator = '\t';
	s->unset = SV("-");
	s->empty = SV("(empty)");
	s->path_slot = path == SIZE_MAX ? SLOT_NONE : (uint32_t)path;
	return s;
}

static void close(void *state)
{
	struct zeek_state *s = state;

	arena_free(&s->text);
	arena_free(&s->old_text);
	free(s);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* \xHH restored; anything else as it is. */
static struct sv unescape(struct sv in, struct arena *a)
{
	char *p;
	size_t n = 0;

	if (sv_find(in, SV("\\x")) == SIZE_MAX)
		return in;
	p = arena_alloc(a, in.n);
	for (size_t i = 0; i < in.n; i++) {
		bool escape = i + 3 < in.n && in.p[i] == '\\' && in.p[i + 1] == 'x' &&
			      hex_digit(in.p[i + 2]) >= 0 && hex_digit(in.p[i + 3]) >= 0;
		if (escape) {
			int byte = hex_digit(in.p[i + 2]) << 4 | hex_digit(in.p[i + 3]);
			p[n++] = (char)byte;
			i += 3;
		} else {
			p[n++] = in.p[i];
		}
	}
	return sv_make(p, n);
}

static struct sv keep(struct zeek_state *s, struct sv v) { return arena_sv(&s->text, v); }

static void forget(struct zeek_state *s)
{
	struct sv unset = s->unset, empty = s->empty, path = s->path;
	struct arena old = s->text;

	s->text = (struct arena){ 0 };
	s->unset = keep(s, unset);
	s->empty = keep(s, empty);
	s->path = keep(s, path);
	arena_free(&s->old_text);
	s->old_text = old;
}

static enum decode_result heading(struct zeek_state *s, struct sv names, struct decode_context *c)
{
	columns_clear(&s->columns);
	while (names.p != NULL) {
		struct sv name = sv_cut(names, s->separator, &names);
		size_t before = s->columns.n;
		columns_add(&s->columns, s->format, name);
		if (before < s->columns.n && s->columns.slots[before] != SLOT_NONE)
			raw_set_text(&c->raws[s->columns.slots[before]], name);
	}
	s->has_columns = true;
	if (s->path_slot != SLOT_NONE && s->path.n > 0)
		raw_set_text(&c->raws[s->path_slot], s->path);
	return DECODE_HEADING;
}

/* `#name<separator>value`; only #separator itself is followed by a space. */
static enum decode_result directive(struct zeek_state *s, struct sv line, struct decode_context *c)
{
	struct sv value, name;

	if (sv_starts(line, SV("#separator "))) {
		value = unescape(sv_trim(sv_skip(line, 11)), c->scratch);
		if (value.n == 1)
			s->separator = value.p[0];
		else if (sv_skip(line, 11).n == 1)
			s->separator = line.p[11];
		s->has_columns = false;
		return DECODE_NOTHING;
	}
	if (arena_footprint(&s->text) > KEEP_MAX)
		forget(s);
	name = sv_cut(line, s->separator, &value);
	if (value.p == NULL)
		return DECODE_NOTHING;
	if (sv_eq(name, SV("#unset_field")))
		s->unset = keep(s, value);
	else if (sv_eq(name, SV("#empty_field")))
		s->empty = keep(s, value);
	else if (sv_eq(name, SV("#path")))
		s->path = keep(s, value);
	else if (sv_eq(name, SV("#fields")))
		return heading(s, value, c);
	return DECODE_NOTHING;
}

static enum decode_result run(void *state, struct sv record, struct decode_context *c)
{
	struct zeek_state *s = state;
	size_t n, start = 0, need;
	bool escaped;

	if (record.n > 0 && record.p[0] == '#')
		return directive(s, record, c);
	if (!s->has_columns) {
		error_set(
		    c->err, ERROR_FORMAT, 0,
		    "expected a `#fields` header before this line; the file may have been cut");
		return DECODE_BAD;
	}
	need = s->columns.n;
	n = split_offsets(record, s->separator, s->offsets, COLUMNS_MAX);
	if (n + 1 < need) {
		error_set(c->err, ERROR_FORMAT, record.n,
			  "the line has %zu columns, its header names %zu: expected as many", n + 1,
			  need);
		return DECODE_BAD;
	}
	escaped = sv_find_char(record, '\\') != SIZE_MAX;
	for (size_t i = 0; i < s->columns.wanted; i++) {
		size_t end = i < n ? s->offsets[i] : record.n;
		uint32_t slot = s->columns.slots[i];
		struct sv text = sv_make(record.p + start, end - start);

		start = end + 1;
		if (slot == SLOT_NONE || text.n == 0 || is_word(text, s->unset) ||
		    is_word(text, s->empty))
			continue;
		raw_set_text(&c->raws[slot], escaped ? unescape(text, c->scratch) : text);
	}
	if (s->path_slot != SLOT_NONE && s->path.n > 0)
		raw_set_text(&c->raws[s->path_slot], s->path);
	return DECODE_FIELDS;
}

static bool remembers(const struct format *f)
{
	(void)f;
	return true;
}

const struct decoder decoder_tsv_header = {
	"tsv_header", compile, NULL, open, close, run, remembers
};
