/* Pairs of names and values: `date=2026-11-24 srcip=10.0.0.1 desc="unknown ca"`.
 *
 *     decode: {keyvalue: {between: " ", pair: "=", quote: '"', after: "%GW-", head: ": ", unset:
 * ["N/A"]}}
 *
 * `between` stands between pairs, `pair` between a name and its value. White space around both
 * goes. A value in quotes may hold anything; a backslash saves the quote. What comes before the
 * first pair is the field
 * `@head`; with `head`, what stands before that text, and then a record without any pair is one,
 * too. `after` skips everything up to and including a text. `words` names the words a record begins
 * with, which are no pairs. The first of repeated names counts.
 */
#include <stdlib.h>

#include "parse/decode.h"

struct keyvalue_options {
	struct sv between, pair, after, head;
	char quote;
	struct unset unset;
	const struct sv *words;
	size_t n_words;
};

#define WORDS_MAX 16u

struct keyvalue_state {
	const struct format *format;
	const struct keyvalue_options *options;
	uint32_t head;
	uint32_t words[WORDS_MAX];
	struct name_order order;
};

static bool compile(struct format *f, struct yaml options, void **out, struct error *err)
{
	static const char *const keys[] = { "between", "pair",	"after", "head",
					    "quote",   "unset", "words", NULL };
	struct keyvalue_options *o = arena_alloc(&f->arena, sizeof(*o));
	struct sv quote = SV("\"");

	o->between = SV(" ");
	o->pair = SV("=");
	*out = o;
	if (yfile_is_map(options)) {
		if (!yfile_check_keys(options, keys, err) ||
		    !yfile_take_text(yfile_get(options, "between"), &o->between, err) ||
		    !yfile_take_text(yfile_get(options, "pair"), &o->pair, err) ||
		    !yfile_take_text(yfile_get(options, "after"), &o->after, err) ||
		    !yfile_take_text(yfile_get(options, "head"), &o->head, err) ||
		    !yfile_take_text(yfile_get(options, "quote"), &quote, err) ||
		    !unset_compile(f, yfile_get(options, "unset"), &o->unset, err) ||
		    !format_texts(yfile_get(options, "words"), &f->arena, &o->words, &o->n_words,
				  err))
			return false;
		if (o->n_words > WORDS_MAX)
			return yfile_error(err, yfile_get(options, "words"), "at most %u words",
					   WORDS_MAX);
		if (o->between.n == 0 || o->pair.n == 0 || quote.n > 1)
			return yfile_error(err, options,
					   "`between` and `pair` are texts, `quote` one character");
	}
	o->quote = quote.n == 1 ? quote.p[0] : '\0';
	return true;
}

static void *open(const struct format *f)
{
	struct keyvalue_state *s = xcalloc(1, sizeof(*s));
	size_t head = names_find(&f->names, SV("@head"));

	s->format = f;
	s->options = f->decoder_options;
	s->head = head == SIZE_MAX ? SLOT_NONE : (uint32_t)head;
	for (size_t i = 0; i < s->options->n_words; i++) {
		size_t slot = names_find(&f->names, s->options->words[i]);
		s->words[i] = slot == SIZE_MAX ? SLOT_NONE : (uint32_t)slot;
	}
	return s;
}

static struct sv skip_blank(struct sv v)
{
	while (v.n > 0 && (v.p[0] == ' ' || v.p[0] == '\t' || v.p[0] == '\r'))
		v = sv_skip(v, 1);
	return v;
}

/* Cuts the value off *rest, which starts with it; *rest is left behind the `between`. */
static struct sv take_value(const struct keyvalue_options *o, struct sv *rest, struct arena *a)
{
	struct sv v = sv_starts(*rest, o->between) ? *rest : skip_blank(*rest), value;
	size_t end;

	if (o->quote != '\0' && v.n > 0 && v.p[0] == o->quote) {
		size_t i = 1, n = 0;
		char *p = NULL;
		for (; i < v.n && v.p[i] != o->quote; i++) {
			bool escape = v.p[i] == '\\' && i + 1 < v.n &&
				      (v.p[i + 1] == o->quote || v.p[i + 1] == '\\');
			if (escape && p == NULL) {
				p = arena_copy(a, v.p + 1, v.n - 1);
				n = i - 1;
			}
			i += escape;
			if (p != NULL)
				p[n++] = v.p[i];
		}
		value = p != NULL ? sv_make(p, n) : sv_make(v.p + 1, i - 1);
		v = sv_skip(v, i + 1);
		end = sv_find(v, o->between);
		*rest = end == SIZE_MAX ? SV_NONE : sv_skip(v, end + o->between.n);
		return value;
	}
	end = sv_find(v, o->between);
	value = end == SIZE_MAX ? v : sv_first(v, end);
	*rest = end == SIZE_MAX ? SV_NONE : sv_skip(v, end + o->between.n);
	return sv_trim(value);
}

/* What stands between pairs may stand behind the last one too, where its blank is lost most
 * often. */
static struct sv without_last(struct sv rest, struct sv between)
{
	struct sv mark = sv_trim(between), end = rest;

	while (end.n > 0 && (end.p[end.n - 1] == ' ' || end.p[end.n - 1] == '\r'))
		end.n--;
	return mark.n > 0 && mark.n < between.n && sv_ends(end, mark)
		   ? sv_first(end, end.n - mark.n)
		   : rest;
}

static enum decode_result run(void *state, struct sv record, struct decode_context *c)
{
	struct keyvalue_state *s = state;
	const struct keyvalue_options *o = s->options;
	struct sv rest = record;
	size_t pairs = 0;

	if (o->after.n > 0) {
		size_t at = sv_find(record, o->after);
		if (at == SIZE_MAX) {
			error_set(c->err, ERROR_FORMAT, 0, "expected `%.*s`", SV_ARG(o->after));
			return DECODE_BAD;
		}
		rest = sv_skip(record, at + o->after.n);
	}
	if (o->head.n > 0) {
		size_t at = sv_find(rest, o->head);
		if (at == SIZE_MAX) {
			error_set(c->err, ERROR_FORMAT, 0, "expected `%.*s`", SV_ARG(o->head));
			return DECODE_BAD;
		}
		if (s->head != SLOT_NONE && at > 0)
			raw_set_text(&c->raws[s->head], sv_first(rest, at));
		rest = sv_skip(rest, at + o->head.n);
	}
	for (size_t i = 0; i < o->n_words && rest.n > 0; i++) {
		struct sv word = sv_cut(rest, ' ', &rest);
		if (s->words[i] != SLOT_NONE && word.n > 0)
			raw_set_text(&c->raws[s->words[i]], word);
	}
	rest = without_last(rest, o->between);
	while (rest.n > 0) {
		size_t end = sv_find(rest, o->between);
		struct sv piece = end == SIZE_MAX ? rest : sv_first(rest, end), name;
		size_t pair = sv_find(piece, o->pair);
		uint32_t slot;

		if (pair == SIZE_MAX) { /* a piece that is no pair */
			piece = sv_trim(piece);
			if (pairs == 0 && piece.n > 0 && s->head != SLOT_NONE &&
			    c->raws[s->head].type == RAW_ABSENT)
				raw_set_text(&c->raws[s->head], piece);
			rest = end == SIZE_MAX ? SV_NONE : sv_skip(rest, end + o->between.n);
			continue;
		}
		name = sv_trim(sv_first(rest, pair));
		rest = sv_skip(rest, pair + o->pair.n);
		slot = name_order_slot(&s->order, &s->format->names, pairs++, name);
		name = take_value(o, &rest, c->scratch);
		if (slot != SLOT_NONE && c->raws[slot].type == RAW_ABSENT &&
		    !unset_holds(&o->unset, name))
			raw_set_text(&c->raws[slot], name);
	}
	if (pairs > 0 || o->head.n > 0)
		return DECODE_FIELDS;
	error_set(c->err, ERROR_FORMAT, 0, "expected NAME%.*sVALUE", SV_ARG(o->pair));
	return DECODE_BAD;
}

const struct decoder decoder_keyvalue = { "keyvalue", compile, NULL, open, free, run, NULL };
