#include "parse/condition.h"

#include "base/addr.h"

#define MAX_DEPTH 8

static const struct {
	const char *name;
	enum condition_op op;
} ops[] = {
	{ "is", WHEN_IS },	 { "not", WHEN_NOT },	    { "has", WHEN_HAS },
	{ "lacks", WHEN_LACKS }, { "starts", WHEN_STARTS }, { "ends", WHEN_ENDS },
	{ "word", WHEN_WORD },
};
static const char *const op_names[] = { "is",	"not",	   "has",     "lacks",	  "starts",  "ends",
					"word", "present", "same_as", "tls_port", "private", NULL };

static bool compile_texts(struct yaml y, struct arena *a, struct condition *c, struct error *err)
{
	struct sv *texts = arena_alloc(a, yfile_count(y) * sizeof(*texts));
	struct short_text *heads = arena_alloc(a, yfile_count(y) * sizeof(*heads));

	if (yfile_count(y) == 0 || yfile_is_map(y))
		return yfile_error(err, y, "expected a text or a list of texts");
	for (size_t i = 0; i < yfile_count(y); i++) {
		struct yaml item = yfile_item(y, i);
		if (!yfile_is_text(item))
			return yfile_error(err, item, "expected a text");
		texts[i] = arena_sv(a, yfile_text(item));
		heads[i] = short_text(texts[i]);
	}
	c->texts = texts;
	c->heads = heads;
	c->n_texts = yfile_count(y);
	return true;
}

/* What texts begin with: few of a log's lines get further than this. */
struct beginnings {
	uint64_t first[4]; /* a bit a byte that one of them begins with */
	struct {
		uint64_t word, mask; /* its first eight bytes */
	} text[];
};

static void bit_set(uint64_t bits[4], char c)
{
	unsigned char b = (unsigned char)c;

	bits[b / 64] |= UINT64_C(1) << b % 64;
}

static const struct beginnings *begin_with(const struct condition *c, struct arena *a)
{
	struct beginnings *b = arena_alloc(a, sizeof(*b) + c->n_texts * sizeof(b->text[0]));

	for (size_t i = 0; i < c->n_texts; i++) {
		size_t n = c->texts[i].n < sizeof(uint64_t) ? c->texts[i].n : sizeof(uint64_t);

		memset(&b->text[i].mask, 0xff, n);
		memcpy(&b->text[i].word, c->texts[i].p, n);
		if (n > 0)
			bit_set(b->first, c->texts[i].p[0]);
	}
	return b;
}

/* One operator of a field: `has: X`. */
static bool compile_op(struct yaml key, struct yaml value, struct names *names, struct arena *a,
		       struct condition *c, struct error *err)
{
	struct sv name = yfile_text(key);
	bool yes = false;

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		if (sv_eq(name, sv_cstr(ops[i].name))) {
			c->op = ops[i].op;
			if (!compile_texts(value, a, c, err))
				return false;
			if (c->op == WHEN_STARTS)
				c->beginnings = begin_with(c, a);
			return true;
		}
	if (sv_eq(name, SV("same_as"))) {
		if (yfile_text(value).n == 0)
			return yfile_error(err, value, "expected a field name");
		c->op = WHEN_SAME;
		c->other = names_add(names, a, yfile_text(value));
		return true;
	}
	if (!yfile_take_bool(value, &yes, err))
		return false;
	if (sv_eq(name, SV("present"))) {
		c->op = yes ? WHEN_PRESENT : WHEN_ABSENT;
		return true;
	}
	c->op = sv_eq(name, SV("private")) ? WHEN_PRIVATE : WHEN_TLS_PORT;
	return yes || yfile_error(err, value, "write `none: [{…: {%.*s: true}}]` for the opposite",
				  SV_ARG(name));
}

static bool compile_map(struct yaml when, struct names *names, struct arena *a, unsigned depth,
			struct condition *out, struct error *err);

static bool compile_children(struct yaml list, struct names *names, struct arena *a, unsigned depth,
			     struct condition *c, struct error *err)
{
	size_t n = yfile_count(list);
	struct condition *children = arena_alloc(a, n * sizeof(*children));

	if (!yfile_is_list(list) || n == 0)
		return yfile_error(err, list, "expected a list of conditions");
	for (size_t i = 0; i < n; i++)
		if (!compile_map(yfile_item(list, i), names, a, depth + 1, &children[i], err))
			return false;
	c->children = children;
	c->n_children = n;
	return true;
}

static bool compile_field(struct yaml key, struct yaml value, struct names *names, struct arena *a,
			  struct condition *c, struct error *err)
{
	struct condition *children;
	uint32_t slot = names_add(names, a, yfile_text(key));

	if (!yfile_is_map(value)) {
		c->op = WHEN_IS;
		c->slot = slot;
		return compile_texts(value, a, c, err);
	}
	if (!yfile_check_keys(value, op_names, err))
		return false;
	c->op = WHEN_ALL;
	c->n_children = yfile_count(value);
	c->children = children = arena_alloc(a, c->n_children * sizeof(*children));
	for (size_t i = 0; i < c->n_children; i++) {
		children[i].slot = slot;
		if (!compile_op(yfile_key_at(value, i), yfile_value_at(value, i), names, a,
				&children[i], err))
			return false;
	}
	if (c->n_children == 1)
		*c = children[0];
	return true;
}

/* Whether asking takes a look at the field's type, a comparison, or more. */
static int cost(const struct condition *c)
{
	switch (c->op) {
	case WHEN_PRESENT:
	case WHEN_ABSENT:
		return 0;
	case WHEN_IS:
	case WHEN_NOT:
		return 1;
	case WHEN_ALL:
	case WHEN_ANY:
	case WHEN_NONE:
		return 3;
	default:
		return 2;
	}
}

/* All of them have to hold, in whatever order they are asked: equally dear ones in the file's. */
static void cheap_first(struct condition *children, size_t n)
{
	for (size_t i = 1; i < n; i++)
		for (size_t k = i; k > 0 && cost(&children[k]) < cost(&children[k - 1]); k--) {
			struct condition dear = children[k - 1];
			children[k - 1] = children[k];
			children[k] = dear;
		}
}

static bool compile_map(struct yaml when, struct names *names, struct arena *a, unsigned depth,
			struct condition *out, struct error *err)
{
	size_t n = yfile_count(when);
	struct condition *children = arena_alloc(a, n * sizeof(*children));

	if (!yfile_is_map(when) || n == 0)
		return yfile_error(err, when, "expected conditions (field: text)");
	if (depth > MAX_DEPTH)
		return yfile_error(err, when, "conditions are nested more than %d deep", MAX_DEPTH);
	for (size_t i = 0; i < n; i++) {
		struct yaml key = yfile_key_at(when, i), value = yfile_value_at(when, i);
		struct sv name = yfile_text(key);
		bool any = sv_eq(name, SV("any")), none = sv_eq(name, SV("none"));
		bool ok;

		if (any || none) {
			children[i].op = any ? WHEN_ANY : WHEN_NONE;
			ok = compile_children(value, names, a, depth, &children[i], err);
		} else {
			ok = compile_field(key, value, names, a, &children[i], err);
		}
		if (!ok)
			return false;
	}
	cheap_first(children, n);
	*out = (struct condition){ .op = WHEN_ALL, .children = children, .n_children = n };
	return true;
}

bool condition_compile(struct yaml when, struct names *names, struct arena *a,
		       const struct condition **out, struct error *err)
{
	struct condition *c;

	*out = NULL;
	if (!yfile_there(when))
		return true;
	c = arena_alloc(a, sizeof(*c));
	if (!compile_map(when, names, a, 0, c, err))
		return false;
	*out = c->n_children == 1 ? &c->children[0] : c;
	return true;
}

static bool word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-';
}

static bool has_word(struct sv text, struct sv word)
{
	if (text.n <= word.n)
		return sv_eq(text, word);
	for (size_t at; (at = sv_find(text, word)) != SIZE_MAX; text = sv_skip(text, at + word.n)) {
		bool before = at == 0 || !word_char(text.p[at - 1]);
		bool after = at + word.n == text.n || !word_char(text.p[at + word.n]);
		if (before && after)
			return true;
	}
	return false;
}

static bool tls_port(struct sv text, const struct parser_options *options)
{
	uint64_t port;

	if (!sv_to_u64(text, &port))
		return false;
	if (port == 443 || port == 8443)
		return true;
	for (size_t i = 0; i < options->n_tls_ports; i++)
		if (port == options->tls_ports[i])
			return true;
	return false;
}

/* RFC 1918 and RFC 4193: addresses that networks use inside. */
static bool private_address(struct sv text)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct addr a;
	uint8_t first, second;

	if (!addr_parse(sv_trim(text), &a))
		return false;
	if ((a.b[0] & 0xfe) == 0xfc)
		return true;
	first = a.b[12];
	second = a.b[13];
	return memcmp(a.b, mapped, sizeof(mapped)) == 0 &&
	       (first == 10 || (first == 172 && (second & 0xf0) == 16) ||
		(first == 192 && second == 168));
}

static bool is_one_of(const struct condition *c, struct sv text)
{
	for (size_t i = 0; i < c->n_texts; i++)
		if (short_text_same(c->heads[i], c->texts[i], text))
			return true;
	return false;
}

static bool has(struct sv text, struct sv want)
{
	if (want.n == 1 && text.n <= 16 && want.p[0] != '\0') /* a letter of a history */
		return short_text_has(short_text(text), want.p[0]);
	return sv_find(text, want) != SIZE_MAX;
}

static bool matches(enum condition_op op, struct sv text, struct sv want)
{
	switch (op) {
	case WHEN_HAS:
	case WHEN_LACKS:
		return has(text, want);
	case WHEN_ENDS:
		return sv_ends(text, want);
	case WHEN_WORD:
		return has_word(text, want);
	default:
		return false;
	}
}

static bool same_text(const struct raw *a, const struct raw *b)
{
	return a->type != RAW_ABSENT && a->type != RAW_TREE && b->type != RAW_ABSENT &&
	       b->type != RAW_TREE && sv_eq(a->text, b->text);
}

static bool starts_with_one(const struct condition *c, struct sv text)
{
	const struct beginnings *b = c->beginnings;
	unsigned char first = text.n > 0 ? (unsigned char)text.p[0] : 0;
	uint64_t word;

	if (text.n == 0 || (b->first[first / 64] >> first % 64 & 1) == 0)
		return false;
	if (text.n < sizeof(word)) {
		for (size_t i = 0; i < c->n_texts; i++)
			if (c->texts[i].n > 0 && sv_starts(text, c->texts[i]))
				return true;
		return false;
	}
	memcpy(&word, text.p, sizeof(word));
	for (size_t i = 0; i < c->n_texts; i++) {
		struct sv want = c->texts[i];
		if (((word ^ b->text[i].word) & b->text[i].mask) == 0 && want.n > 0 &&
		    (want.n <= sizeof(word) || sv_starts(text, want)))
			return true;
	}
	return false;
}

static bool text_holds(const struct condition *c, struct sv text,
		       const struct parser_options *options)
{
	bool hit = false;

	if (c->op == WHEN_STARTS)
		return starts_with_one(c, text);

	if (c->op == WHEN_TLS_PORT)
		return tls_port(text, options);
	if (c->op == WHEN_PRIVATE)
		return private_address(text);
	if (c->op == WHEN_IS || c->op == WHEN_NOT)
		hit = is_one_of(c, text);
	else
		for (size_t i = 0; i < c->n_texts && !hit; i++)
			hit = matches(c->op, text, c->texts[i]);
	return hit != (c->op == WHEN_NOT || c->op == WHEN_LACKS);
}

/* Whether a text stands in a list's or an object's texts and names, as it would in the JSON they
 * were. */
static bool tree_has(const struct value *v, struct sv want)
{
	switch (v->type) {
	case VALUE_STRING:
		return has(v->text, want);
	case VALUE_ARRAY:
		for (size_t i = 0; i < v->array.n; i++)
			if (tree_has(&v->array.items[i], want))
				return true;
		return false;
	case VALUE_OBJECT:
		for (size_t i = 0; i < v->object.n; i++)
			if (has(v->object.members[i].key, want) ||
			    tree_has(&v->object.members[i].value, want))
				return true;
		return false;
	default:
		return false;
	}
}

static bool tree_holds(const struct condition *c, const struct value *v)
{
	bool hit = false;

	if (c->op != WHEN_HAS && c->op != WHEN_LACKS)
		return c->op == WHEN_NOT;
	for (size_t i = 0; i < c->n_texts && !hit; i++)
		hit = tree_has(v, c->texts[i]);
	return hit != (c->op == WHEN_LACKS);
}

/* A condition on one field. */
static bool field_holds(const struct condition *c, const struct raw *raws,
			const struct parser_options *options)
{
	const struct raw *r = &raws[c->slot];

	if (r->type == RAW_ABSENT) /* as most fields are that conditions ask for */
		return c->op == WHEN_ABSENT || c->op == WHEN_NOT || c->op == WHEN_LACKS;
	switch (c->op) {
	case WHEN_PRESENT:
		return true;
	case WHEN_ABSENT:
		return false;
	case WHEN_SAME:
		return same_text(r, &raws[c->other]);
	default:
		if (r->type == RAW_TREE)
			return tree_holds(c, r->tree);
		return text_holds(c, r->text, options);
	}
}

bool condition_holds(const struct condition *c, const struct raw *raws,
		     const struct parser_options *options)
{
	bool wanted;

	if (c == NULL)
		return true;
	if (c->op != WHEN_ALL && c->op != WHEN_ANY && c->op != WHEN_NONE)
		return field_holds(c, raws, options);
	wanted = c->op != WHEN_ALL; /* the child that settles it */
	for (size_t i = 0; i < c->n_children; i++) {
		const struct condition *child = &c->children[i];
		bool holds = child->n_children == 0 ? field_holds(child, raws, options)
						    : condition_holds(child, raws, options);
		if (holds == wanted)
			return c->op == WHEN_ANY;
	}
	return c->op != WHEN_ANY;
}

bool condition_begins(const struct condition *c, uint32_t slot, uint64_t first[4])
{
	if (c == NULL)
		return false;
	if (c->op == WHEN_ALL) {
		for (size_t i = 0; i < c->n_children; i++)
			if (condition_begins(&c->children[i], slot, first))
				return true;
		return false;
	}
	if (c->slot != slot || (c->op != WHEN_STARTS && c->op != WHEN_IS))
		return false;
	for (size_t i = 0; i < c->n_texts; i++)
		if (c->texts[i].n > 0)
			bit_set(first, c->texts[i].p[0]);
	return true;
}

const struct condition *condition_first_failing(const struct condition *c, const struct raw *raws,
						const struct parser_options *options, size_t *held)
{
	if (c == NULL)
		return NULL;
	if (c->op != WHEN_ALL) {
		bool yes = condition_holds(c, raws, options);
		*held += yes;
		return yes ? NULL : c;
	}
	for (size_t i = 0; i < c->n_children; i++) {
		if (!condition_holds(&c->children[i], raws, options))
			return &c->children[i];
		++*held;
	}
	return NULL;
}
