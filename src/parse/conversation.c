#include "parse/conversation.h"

/* With more rules each is asked. */
#define DISPATCHED_MAX 64u

static const char *const conversation_keys[] = { "key", "clock", "within", "parts", "lines", NULL };
static const char *const line_keys[] = { "when",   "opens",   "begins", "decides",
					 "closes", "lingers", "keep",	NULL };

static bool compile_slots(struct yaml y, struct names *names, struct arena *a,
			  const uint32_t **slots, size_t *n, struct error *err)
{
	uint32_t *list;

	*n = yfile_there(y) ? yfile_count(y) : 0;
	if (yfile_is_map(y))
		return yfile_error(err, y, "expected a field name or a list of them");
	*slots = list = arena_alloc(a, *n * sizeof(*list));
	for (size_t i = 0; i < *n; i++) {
		struct sv name = yfile_text(yfile_item(y, i));
		if (name.n == 0)
			return yfile_error(err, yfile_item(y, i), "expected a field name");
		list[i] = names_add(names, a, name);
	}
	return true;
}

/* A field, alternatives, or {join: [fields]}. */
static bool compile_key(struct conversation *c, struct yaml y, struct names *names, struct arena *a,
			struct error *err)
{
	static const char *const keys[] = { "join", NULL };

	c->joined = yfile_is_map(y);
	if (c->joined && !yfile_check_keys(y, keys, err))
		return false;
	return compile_slots(c->joined ? yfile_get(y, "join") : y, names, a, &c->keys, &c->n_keys,
			     err);
}

static bool compile_parts(struct conversation *c, struct yaml y, struct names *names,
			  struct arena *a, struct error *err)
{
	static const char *const keys[] = { "number", "of", NULL };
	struct sv number = yfile_text(yfile_get(y, "number")), of = yfile_text(yfile_get(y, "of"));

	c->has_parts = yfile_there(y);
	if (!c->has_parts)
		return true;
	if (!yfile_is_map(y) || !yfile_check_keys(y, keys, err))
		return yfile_is_map(y) ? false
				       : yfile_error(err, y, "expected {number: field, of: field}");
	if (number.n == 0 || of.n == 0 || c->n_keys == 0)
		return yfile_error(err, y, "expected {number: field, of: field}, and `key`");
	c->part_number = names_add(names, a, number);
	c->part_of = names_add(names, a, of);
	return true;
}

/* The piece that fills `slot`, made when new. */
static bool piece_of(struct conversation *c, struct yaml at, uint32_t slot, uint32_t *piece,
		     struct error *err)
{
	for (*piece = 0; *piece < c->n_kept; ++*piece)
		if (c->kept[*piece] == slot)
			return true;
	if (c->n_kept == KEPT_MAX)
		return yfile_error(err, at, "a conversation keeps at most %u fields", KEPT_MAX);
	c->kept[c->n_kept++] = slot;
	return true;
}

static bool compile_keep(struct conversation *c, struct yaml y, struct names *names,
			 struct arena *a, struct line_rule *rule, struct error *err)
{
	size_t n = yfile_there(y) ? yfile_count(y) : 0;
	struct kept_field *keep = arena_alloc(a, n * sizeof(*keep));

	if (yfile_there(y) && !yfile_is_map(y))
		return yfile_error(err, y, "expected keep: {name: field}");
	for (size_t i = 0; i < n; i++) {
		struct yaml name = yfile_key_at(y, i), from = yfile_value_at(y, i);
		if (yfile_text(name).n == 0 || yfile_text(from).n == 0)
			return yfile_error(err, name, "expected keep: {name: field}");
		keep[i].from = names_add(names, a, yfile_text(from));
		if (!piece_of(c, name, names_add(names, a, yfile_text(name)), &keep[i].piece, err))
			return false;
	}
	rule->keep = keep;
	rule->n_keep = n;
	return true;
}

static bool compile_line(struct conversation *c, struct yaml y, struct names *names,
			 struct arena *a, struct line_rule *rule, struct error *err)
{
	if (!yfile_check_keys(y, line_keys, err) ||
	    !condition_compile(yfile_get(y, "when"), names, a, &rule->when, err) ||
	    !yfile_take_bool(yfile_get(y, "opens"), &rule->opens, err) ||
	    !yfile_take_bool(yfile_get(y, "begins"), &rule->begins, err) ||
	    !yfile_take_bool(yfile_get(y, "decides"), &rule->decides, err) ||
	    !yfile_take_bool(yfile_get(y, "closes"), &rule->closes, err) ||
	    !yfile_take_bool(yfile_get(y, "lingers"), &rule->lingers, err) ||
	    !compile_keep(c, yfile_get(y, "keep"), names, a, rule, err))
		return false;
	if (rule->when == NULL)
		return yfile_error(err, y, "`when:` is missing");
	if (c->n_keys > 0 && (rule->begins || rule->lingers))
		return yfile_error(err, y,
				   "`begins` and `lingers` belong to conversations without `key`");
	if (c->n_keys == 0 && rule->decides)
		return yfile_error(err, y, "`decides` needs `key`: the line does not say for whom");
	return true;
}

/* For how many rules a line's fate hangs on how that field begins. */
static size_t beginnings(const struct conversation *c, uint32_t slot, uint64_t first[][4])
{
	size_t n = 0;

	memset(first, 0, c->n_rules * sizeof(*first));
	for (size_t i = 0; i < c->n_rules; i++) {
		if (condition_begins(c->rules[i].when, slot, first[i]))
			n++;
		else
			memset(first[i], 0xff, sizeof(first[i]));
	}
	return n;
}

/* Most lines match no rule or one, and how their text begins tells most rules apart. */
static void index_rules(struct conversation *c, const struct names *names, struct arena *a)
{
	uint64_t first[DISPATCHED_MAX][4], *by_first;
	size_t best = 0, n;

	if (c->n_rules > DISPATCHED_MAX)
		return;
	for (uint32_t slot = 0; slot < names->n; slot++)
		if ((n = beginnings(c, slot, first)) > best) {
			best = n;
			c->begun = slot;
		}
	if (best < 2)
		return;
	beginnings(c, c->begun, first);
	by_first = arena_alloc(a, 256 * sizeof(*by_first));
	for (unsigned b = 0; b < 256; b++)
		for (size_t i = 0; i < c->n_rules; i++)
			by_first[b] |= (first[i][b / 64] >> b % 64 & 1) << i;
	c->by_first = by_first;
}

bool conversation_compile(struct yaml y, struct names *names, struct arena *a,
			  const struct conversation **out, struct error *err)
{
	struct conversation *c = arena_alloc(a, sizeof(*c));
	struct yaml lines = yfile_get(y, "lines"), within = yfile_get(y, "within");
	struct line_rule *rules;
	uint64_t n = 0;

	*out = NULL;
	if (!yfile_there(y))
		return true;
	if (!yfile_check_keys(y, conversation_keys, err) ||
	    !compile_key(c, yfile_get(y, "key"), names, a, err) ||
	    !compile_slots(yfile_get(y, "clock"), names, a, &c->clocks, &c->n_clocks, err))
		return false;
	if (!compile_parts(c, yfile_get(y, "parts"), names, a, err))
		return false;
	if (yfile_there(within) == (c->n_keys > 0 && !c->has_parts) ||
	    (yfile_there(within) && (!sv_to_u64(yfile_text(within), &n) || n < 1 || n > 1000)))
		return yfile_error(
		    err, y, "expected `key`, or `within`: 1 to 1000 lines; both with `parts`");
	c->within = (uint32_t)n;
	if (!yfile_is_list(lines))
		return yfile_error(err, y, "expected `lines:`, a list");
	c->n_rules = yfile_count(lines);
	c->rules = rules = arena_alloc(a, c->n_rules * sizeof(*rules));
	for (size_t i = 0; i < c->n_rules; i++)
		if (!compile_line(c, yfile_item(lines, i), names, a, &rules[i], err))
			return false;
	c->began = names_add(names, a, SV("@began"));
	c->lasted = names_add(names, a, SV("@lasted"));
	c->how = names_add(names, a, SV("@how"));
	index_rules(c, names, a);
	*out = c;
	return true;
}

bool conversation_delivers(const struct conversation *c, const struct names *names, struct sv name)
{
	size_t slot = names_find(names, name);
	bool kept = false;

	if (c == NULL)
		return false;
	if (slot == c->began || slot == c->lasted || slot == c->how)
		return true;
	for (size_t i = 0; i < c->n_kept; i++)
		kept |= c->kept[i] == slot;
	for (size_t i = 0; kept && i < c->n_rules; i++)
		for (size_t k = 0; k < c->rules[i].n_keep; k++)
			kept &= c->rules[i].keep[k].from != slot;
	return kept;
}

const struct line_rule *conversation_rule(const struct conversation *c, const struct raw *line,
					  const struct parser_options *options)
{
	uint64_t may = UINT64_MAX;

	if (c->by_first == NULL) {
		for (size_t i = 0; i < c->n_rules; i++)
			if (condition_holds(c->rules[i].when, line, options))
				return &c->rules[i];
		return NULL;
	}
	/* A field that is not there begins with nothing: the byte 0, which no text in a format file
	 * holds. */
	if (line[c->begun].type != RAW_TREE)
		may = c->by_first[line[c->begun].type == RAW_ABSENT
				      ? 0
				      : (unsigned char)line[c->begun].text.p[0]];
	for (; may != 0; may &= may - 1) {
		size_t i = (size_t)__builtin_ctzll(may);
		if (i < c->n_rules && condition_holds(c->rules[i].when, line, options))
			return &c->rules[i];
	}
	return NULL;
}

struct sv conversation_text(const uint32_t *slots, size_t n, const struct raw *line)
{
	for (size_t i = 0; i < n; i++) {
		const struct raw *r = &line[slots[i]];
		if (r->type == RAW_TEXT || r->type == RAW_LITERAL)
			return r->text;
	}
	return SV_NONE;
}
