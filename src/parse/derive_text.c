/* Text to text: cutting, trimming, unpacking. */
#include "parse/base64.h"
#include "parse/derive.h"

static enum derived trim(struct derive_context *c, struct sv in, struct cell *out)
{
	(void)c;
	return derive_text(out, sv_trim(in));
}

static struct sv recased(struct arena *a, struct sv in, char first, char last)
{
	size_t i = 0;
	char *p;

	while (i < in.n && !(in.p[i] >= first && in.p[i] <= last))
		i++;
	if (i == in.n)
		return in;
	p = arena_copy(a, in.p, in.n);
	for (; i < in.n; i++)
		if (p[i] >= first && p[i] <= last)
			p[i] = (char)(p[i] ^ 0x20);
	return sv_make(p, in.n);
}

static enum derived lower(struct derive_context *c, struct sv in, struct cell *out)
{
	return derive_text(out, recased(c->scratch, in, 'A', 'Z'));
}

static enum derived upper(struct derive_context *c, struct sv in, struct cell *out)
{
	return derive_text(out, recased(c->scratch, in, 'a', 'z'));
}

static enum derived after(struct derive_context *c, struct sv in, struct cell *out)
{
	size_t at = sv_find(in, c->argument);

	return at == SIZE_MAX ? DERIVED_NOTHING : derive_text(out, sv_skip(in, at + c->argument.n));
}

static enum derived after_last(struct derive_context *c, struct sv in, struct cell *out)
{
	size_t from = 0, at;

	while ((at = sv_find(sv_skip(in, from), c->argument)) != SIZE_MAX)
		from += at + c->argument.n;
	return derive_text(out, sv_skip(in, from));
}

static enum derived until(struct derive_context *c, struct sv in, struct cell *out)
{
	size_t at = sv_find(in, c->argument);

	return derive_text(out, at == SIZE_MAX ? in : sv_first(in, at));
}

static enum derived first(struct derive_context *c, struct sv in, struct cell *out)
{
	uint64_t n;

	if (!sv_to_u64(c->argument, &n))
		return derive_bad(c, "a number as argument");
	return derive_text(out, in.n > n ? sv_first(in, (size_t)n) : in);
}

static enum derived append(struct derive_context *c, struct sv in, struct cell *out)
{
	char *p = arena_alloc(c->scratch, in.n + c->argument.n);

	memcpy(p, in.p, in.n);
	memcpy(p + in.n, c->argument.p, c->argument.n);
	return derive_text(out, sv_make(p, in.n + c->argument.n));
}

static enum derived drop_prefix(struct derive_context *c, struct sv in, struct cell *out)
{
	return derive_text(out, sv_starts(in, c->argument) ? sv_skip(in, c->argument.n) : in);
}

/* "a" or 'a' without its quotes; backslash escapes of the quote and of itself undone. */
static enum derived unquote(struct derive_context *c, struct sv in, struct cell *out)
{
	char quote = in.n >= 2 ? in.p[0] : '\0';
	struct sv inner;
	size_t n = 0;
	char *p;

	if ((quote != '"' && quote != '\'') || in.p[in.n - 1] != quote)
		return derive_text(out, in);
	inner = sv_make(in.p + 1, in.n - 2);
	if (sv_find_char(inner, '\\') == SIZE_MAX)
		return derive_text(out, inner);
	p = arena_alloc(c->scratch, inner.n);
	for (size_t i = 0; i < inner.n; i++) {
		if (inner.p[i] == '\\' && i + 1 < inner.n &&
		    (inner.p[i + 1] == quote || inner.p[i + 1] == '\\'))
			i++;
		p[n++] = inner.p[i];
	}
	return derive_text(out, sv_make(p, n));
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static enum derived percent_decode(struct derive_context *c, struct sv in, struct cell *out)
{
	size_t n = 0;
	char *p;

	if (sv_find_char(in, '%') == SIZE_MAX)
		return derive_text(out, in);
	p = arena_alloc(c->scratch, in.n);
	for (size_t i = 0; i < in.n; i++) {
		int high = i + 2 < in.n && in.p[i] == '%' ? hex_digit(in.p[i + 1]) : -1;
		int low = high >= 0 ? hex_digit(in.p[i + 2]) : -1;
		if (low >= 0) {
			p[n++] = (char)(high << 4 | low);
			i += 2;
		} else {
			p[n++] = in.p[i];
		}
	}
	return derive_text(out, sv_make(p, n));
}

static enum derived base64(struct derive_context *c, struct sv in, struct cell *out)
{
	if (!base64_decode(in, c->scratch, &out->text))
		return derive_bad(c, "base64");
	return out->text.n > 0 ? DERIVED : DERIVED_NOTHING;
}

static const struct derivation list[] = {
	{ "after", CELL_TEXT, true, false, after,
	  "what stands behind the first ARGUMENT; nothing where that is missing" },
	{ "after_last", CELL_TEXT, true, false, after_last,
	  "what stands behind the last ARGUMENT, or all of it" },
	{ "append", CELL_TEXT, true, false, append, "the text and ARGUMENT behind it" },
	{ "base64", CELL_TEXT, false, false, base64, "decoded base64" },
	{ "drop_prefix", CELL_TEXT, true, false, drop_prefix, "without ARGUMENT at its start" },
	{ "first", CELL_TEXT, true, false, first, "the first ARGUMENT bytes, or all of it" },
	{ "lower", CELL_TEXT, false, false, lower, "ASCII letters in lower case" },
	{ "percent_decode", CELL_TEXT, false, false, percent_decode, "%41 becomes A" },
	{ "trim", CELL_TEXT, false, false, trim, "without white space around it" },
	{ "unquote", CELL_TEXT, false, false, unquote,
	  "without the quotes around it, its escapes undone" },
	{ "until", CELL_TEXT, true, false, until,
	  "what stands before the first ARGUMENT, or all of it" },
	{ "upper", CELL_TEXT, false, false, upper, "ASCII letters in upper case" },
};

struct derivation_table derive_text_table(void)
{
	return (struct derivation_table){ list, sizeof(list) / sizeof(list[0]) };
}
