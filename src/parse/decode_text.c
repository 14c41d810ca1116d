/* Lines of a fixed shape, as patterns of literal text and fields:
 *
 *     decode:
 *       text:
 *         patterns:
 *           - '{ts:number} {client} {status}/{code} {method} {url} "{agent}"'
 *
 * `{name}` takes everything up to the literal text behind it (or the end). `{name:word}` takes no
 * white space,
 * `{name:number}` digits and points only; both take at least one byte. `{name:endpoint}` takes
 * ADDRESS:PORT, `{name:blank}` white space or nothing, `{name:padded}` a word with blanks before
 * it.
 * `{}` is taken and dropped,
 * `{{` is a brace. The first pattern that fits the whole line counts. `unset` lists words that say
 * nothing.
 */
#include <stdlib.h>

#include "base/addr.h"
#include "parse/decode.h"
#include "parse/text_scan.h"

enum capture {
	CAPTURE_ANY,
	CAPTURE_WORD,
	CAPTURE_NUMBER,
	CAPTURE_ENDPOINT,
	CAPTURE_BLANK,
	CAPTURE_PADDED,
};

/* A literal and the field behind it; the last piece of a pattern has no field. */
struct piece {
	struct sv literal;
	struct sv name;
	enum capture capture;
	enum byte_class class; /* of the capture: words and numbers are not empty */
	bool has_field;
};

struct pattern {
	struct piece *pieces;
	size_t n;
	size_t base; /* of its pieces in text_state.slots */
};

struct text_options {
	struct pattern *patterns;
	size_t n;
	size_t n_pieces;
	struct unset unset;
};

struct text_state {
	const struct text_options *options;
	uint32_t *slots; /* a piece */
	struct sv *found;
};

/* Reads the literal at *at up to a field or the end, `{{` undone. */
static struct sv take_literal(struct sv text, size_t *at, struct arena *a)
{
	char *p = arena_alloc(a, text.n + 1);
	size_t n = 0;

	while (*at < text.n) {
		if (text.p[*at] == '{') {
			if (*at + 1 >= text.n || text.p[*at + 1] != '{')
				break;
			++*at;
		}
		p[n++] = text.p[(*at)++];
	}
	return sv_make(p, n);
}

static enum byte_class class_of(enum capture capture)
{
	switch (capture) {
	case CAPTURE_WORD:
	case CAPTURE_PADDED:
		return BYTES_WORD;
	case CAPTURE_NUMBER:
		return BYTES_NUMBER;
	default:
		return BYTES_ANY;
	}
}

static bool take_field(struct sv text, size_t *at, struct piece *piece, struct arena *a,
		       struct yaml where, struct error *err)
{
	struct sv field = sv_skip(text, *at + 1), kind;
	size_t end = sv_find_char(field, '}');

	if (end == SIZE_MAX)
		return yfile_error(err, where, "`{` without `}`; write `{{` for the brace itself");
	*at += end + 2;
	field = sv_first(field, end);
	piece->has_field = true;
	piece->name = arena_sv(a, sv_cut(field, ':', &kind));
	if (kind.p == NULL)
		piece->capture = CAPTURE_ANY;
	else if (sv_eq(kind, SV("word")))
		piece->capture = CAPTURE_WORD;
	else if (sv_eq(kind, SV("number")))
		piece->capture = CAPTURE_NUMBER;
	else if (sv_eq(kind, SV("endpoint")))
		piece->capture = CAPTURE_ENDPOINT;
	else if (sv_eq(kind, SV("blank")))
		piece->capture = CAPTURE_BLANK;
	else if (sv_eq(kind, SV("padded")))
		piece->capture = CAPTURE_PADDED;
	else
		return yfile_error(err, where,
				   "expected {name}, {name:word}, {name:number}, {name:endpoint}, "
				   "{name:blank} or {name:padded}");
	piece->class = class_of(piece->capture);
	return true;
}

static bool compile_pattern(struct yaml y, struct arena *a, struct pattern *pattern,
			    struct error *err)
{
	struct sv text = yfile_text(y);
	size_t at = 0;

	if (text.n == 0)
		return yfile_error(err, y, "expected a pattern");
	pattern->pieces = arena_alloc(a, (text.n + 1) * sizeof(*pattern->pieces));
	while (at < text.n) {
		struct piece *piece = &pattern->pieces[pattern->n++];
		piece->literal = take_literal(text, &at, a);
		if (pattern->n > 1 && piece->literal.n == 0 && at < text.n)
			return yfile_error(err, y, "between two fields stands a text: write one");
		if (at < text.n && !take_field(text, &at, piece, a, y, err))
			return false;
	}
	return true;
}

static bool compile(struct format *f, struct yaml options, void **out, struct error *err)
{
	static const char *const keys[] = { "patterns", "unset", NULL };
	struct text_options *o = arena_alloc(&f->arena, sizeof(*o));
	struct yaml patterns = yfile_get(options, "patterns");

	*out = o;
	if (!yfile_check_keys(options, keys, err) ||
	    !unset_compile(f, yfile_get(options, "unset"), &o->unset, err))
		return false;
	if (!yfile_there(patterns) || yfile_count(patterns) == 0 || yfile_is_map(patterns))
		return yfile_error(err, options, "expected `patterns:`, a list");
	o->n = yfile_count(patterns);
	o->patterns = arena_alloc(&f->arena, o->n * sizeof(*o->patterns));
	for (size_t i = 0; i < o->n; i++) {
		if (!compile_pattern(yfile_item(patterns, i), &f->arena, &o->patterns[i], err))
			return false;
		o->patterns[i].base = o->n_pieces;
		o->n_pieces += o->patterns[i].n;
	}
	return true;
}

static bool knows(const struct format *f, struct sv name)
{
	const struct text_options *o = f->decoder_options;

	for (size_t i = 0; i < o->n; i++)
		for (size_t k = 0; k < o->patterns[i].n; k++)
			if (sv_eq(o->patterns[i].pieces[k].name, name))
				return true;
	return false;
}

static void *open(const struct format *f)
{
	struct text_state *s = xcalloc(1, sizeof(*s));
	const struct text_options *o = f->decoder_options;
	size_t at = 0;

	s->options = o;
	s->slots = xcalloc(o->n_pieces, sizeof(*s->slots));
	s->found = xcalloc(o->n_pieces, sizeof(*s->found));
	for (size_t i = 0; i < o->n; i++)
		for (size_t k = 0; k < o->patterns[i].n; k++) {
			const struct piece *piece = &o->patterns[i].pieces[k];
			size_t slot =
			    piece->name.n > 0 ? names_find(&f->names, piece->name) : SIZE_MAX;
			s->slots[at++] = slot == SIZE_MAX ? SLOT_NONE : (uint32_t)slot;
		}
	return s;
}

static void close(void *state)
{
	struct text_state *s = state;

	free(s->slots);
	free(s->found);
	free(s);
}

/* Whether any bytes are what the capture takes. */
static bool fits(enum capture capture, struct sv text)
{
	struct addr ip;
	uint16_t port;

	switch (capture) {
	case CAPTURE_ENDPOINT:
		return addr_parse_port(text, &ip, &port) && port != 0;
	case CAPTURE_BLANK:
		return sv_trim(text).n == 0;
	default:
		return true;
	}
}

/* Where the field at p ends, the literal behind it; NULL where that is nowhere or the field holds
 * what it may not. */
static inline const char *field_end(enum byte_class class, const char *p, const char *end,
				    struct sv literal)
{
	switch (class) { /* a copy of the search each */
	case BYTES_WORD:
		return text_scan_to(p, end, literal, BYTES_WORD);
	case BYTES_NUMBER:
		return text_scan_to(p, end, literal, BYTES_NUMBER);
	default:
		return text_scan_to(p, end, literal, BYTES_ANY);
	}
}

/* Likewise of the last field: it ends where the line does, but for the literal, which may stand in
 * it as well. */
static const char *last_end(enum byte_class class, const char *p, const char *end,
			    struct sv literal)
{
	struct sv rest = sv_make(p, (size_t)(end - p));

	if (!sv_ends(rest, literal))
		return NULL;
	rest.n -= literal.n;
	return text_scan_is(rest, class) ? p + rest.n : NULL;
}

/* sv_starts; most patterns that do not fit fail at the first byte. */
static inline bool starts_like(struct sv line, struct sv literal)
{
	return literal.n == 0 || (line.n > 0 && line.p[0] == literal.p[0] &&
				  (literal.n == 1 || sv_starts(line, literal)));
}

/* Fits the whole line, or says how far it came. */
static bool match(const struct pattern *pattern, struct sv line, struct sv *found, size_t *reached)
{
	const char *p = line.p, *end = line.p + line.n, *stop;

	*reached = 0;
	if (!starts_like(line, pattern->pieces[0].literal))
		return false;
	for (size_t i = 0; i < pattern->n; i++) {
		const struct piece *piece = &pattern->pieces[i], *next = piece + 1;

		p += piece->literal.n; /* which was found where the last field ended */
		*reached = i;
		if (!piece->has_field)
			break;
		while (piece->capture == CAPTURE_PADDED && p < end && *p == ' ')
			p++;
		if (i + 1 < pattern->n && next->has_field)
			stop = field_end(piece->class, p, end, next->literal);
		else
			stop = last_end(piece->class, p, end,
					i + 1 < pattern->n ? next->literal : SV_NONE);
		if (stop == NULL || (stop == p && piece->class != BYTES_ANY))
			return false;
		found[i] = sv_make(p, (size_t)(stop - p));
		if (piece->class == BYTES_ANY && !fits(piece->capture, found[i]))
			return false;
		p = stop;
	}
	return p == end;
}

static enum decode_result run(void *state, struct sv record, struct decode_context *c)
{
	struct text_state *s = state;
	const struct text_options *o = s->options;
	size_t best = 0, best_pattern = 0;

	for (size_t i = 0; i < o->n; i++) {
		const struct pattern *p = &o->patterns[i];
		size_t reached;

		if (!match(p, record, s->found, &reached)) {
			if (reached > best) {
				best = reached;
				best_pattern = i;
			}
			continue;
		}
		for (size_t k = 0; k < p->n; k++) {
			uint32_t slot = s->slots[p->base + k];
			if (slot != SLOT_NONE && !unset_holds(&o->unset, s->found[k]))
				raw_set_text(&c->raws[slot], s->found[k]);
		}
		return DECODE_FIELDS;
	}
	error_set(
	    c->err, ERROR_FORMAT, 0,
	    "the line does not fit the format at `{%.*s}`: expected what the pattern has there",
	    SV_ARG(o->patterns[best_pattern].pieces[best].name));
	return DECODE_BAD;
}

const struct decoder decoder_text = { "text", compile, knows, open, close, run, NULL };
