#include "parse/dry_run.h"

#include <stdio.h>
#include <stdlib.h>

#include "parse/base64.h"
#include "parse/decode_record.h"
#include "parse/json.h"
#include "parse/plist.h"

/* Names that are learnt at most, members looked into, and columns that may go by number. */
#define MAX_NAMES 4096u
#define MAX_DEPTH 8u
#define MAX_COLUMNS 256u
#define MAX_PATH 200u

struct dry_run {
	struct format *format;
	size_t n_own; /* names of the format itself */
	struct names own;
	struct arena learnt; /* the other names */
	struct parser_options options;
	struct parser *parser;
	struct record_decoder decoder;
	struct arena scratch; /* of the record at hand */
};

struct dry_run *dry_run_new(struct format_set *set, struct sv name)
{
	const struct format *f = format_find(set, name);
	struct dry_run *d;

	if (f == NULL)
		return NULL;
	d = xcalloc(1, sizeof(*d));
	d->format = (struct format *)(uintptr_t)f; /* the set lends it, see the header */
	d->n_own = f->names.n;
	d->own = f->names;
	return d;
}

void dry_run_free(struct dry_run *d)
{
	if (d == NULL)
		return;
	parser_free(d->parser);
	record_decoder_close(&d->decoder);
	d->format->names = d->own;
	arena_free(&d->learnt);
	arena_free(&d->scratch);
	free(d);
}

static void learn_name(struct dry_run *d, struct sv name)
{
	if (name.n > 0 && name.n <= MAX_PATH && d->format->names.n < MAX_NAMES)
		names_add(&d->format->names, &d->learnt, name);
}

/* The members of a tree, by path. */
static void learn_tree(struct dry_run *d, struct sv prefix, const struct value *v, unsigned depth)
{
	for (size_t i = 0; v->type == VALUE_OBJECT && i < v->object.n; i++) {
		const struct value_member *m = &v->object.members[i];
		char path[MAX_PATH + 2];
		int n = snprintf(path, sizeof(path), "%.*s%.*s", SV_ARG(prefix), SV_ARG(m->key));

		if (n <= 0 || (unsigned)n > MAX_PATH)
			continue;
		if (m->value.type != VALUE_OBJECT || m->value.object.n == 0 || depth == MAX_DEPTH) {
			learn_name(d, sv_make(path, (size_t)n));
			continue;
		}
		path[n] = '.';
		learn_tree(d, sv_make(path, (size_t)n + 1), &m->value, depth + 1);
	}
}

/* An object, or the first objects of a list. */
static void learn_document(struct dry_run *d, struct sv prefix, const struct value *v)
{
	if (v->type != VALUE_ARRAY) {
		learn_tree(d, prefix, v, 0);
		return;
	}
	for (size_t i = 0; i < v->array.n && i < 16; i++)
		learn_tree(d, prefix, &v->array.items[i], 0);
}

static void learn_bytes(struct dry_run *d, struct sv prefix, struct sv bytes, bool plist)
{
	struct value tree = { .type = VALUE_NULL };
	struct error ignored;

	if (plist ? plist_parse(bytes, &d->scratch, &tree, &ignored)
		  : json_to_value(bytes, &d->scratch, &tree, &ignored))
		learn_document(d, prefix, &tree);
}

/* The documents inside of a record, and the lists whose items are records. */
static void learn_inner(struct dry_run *d, struct sv record)
{
	struct format *f = d->format;
	struct record_decoder decoder;
	struct error ignored = { 0 };

	record_decoder_open(&decoder, f);
	record_decode(&decoder, record, &ignored);
	for (size_t i = 0; i < f->n_embeds; i++)
		for (size_t k = 0; k < f->embeds[i].n_slots; k++) {
			const struct raw *raw = &decoder.raws[f->embeds[i].slots[k]];
			struct sv bytes = raw->type == RAW_TREE ? SV_NONE : raw->text;

			if (raw->type == RAW_ABSENT || raw->type == RAW_TREE ||
			    (f->embeds[i].base64 && !base64_decode(bytes, &d->scratch, &bytes)))
				continue;
			learn_bytes(d, f->embeds[i].prefix, bytes, f->embeds[i].plist);
		}
	for (size_t i = 0; i < f->plan.n_rules; i++) {
		const struct record_rule *rule = &f->plan.rules[i];
		const struct value *list =
		    rule->has_each ? raw_tree(&decoder.raws[rule->each], decoder.json, &d->scratch)
				   : NULL;

		if (list != NULL)
			learn_document(d, SV("item."), list);
	}
	record_decoder_close(&decoder);
}

static bool word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       memchr("_-.@/()#", c, 8) != NULL;
}

/* Whatever in a line may be a name. */
static void learn_words(struct dry_run *d, struct sv text)
{
	for (size_t i = 0; i < text.n;) {
		size_t begin = i;

		while (i < text.n && word_char(text.p[i]))
			i++;
		learn_name(d, sv_make(text.p + begin, i - begin));
		i += i == begin;
	}
}

/* Fields of patterns, which only the format file names. */
static void learn_patterns(struct dry_run *d)
{
	struct yaml decode = yfile_get(yfile_root(&d->format->file), "decode");
	struct yaml patterns = yfile_get(yfile_get(decode, "text"), "patterns");

	for (size_t i = 0; yfile_there(patterns) && i < yfile_count(patterns); i++)
		learn_words(d, yfile_text(yfile_item(patterns, i)));
}

void dry_run_learn(struct dry_run *d, struct sv record)
{
	const struct decoder *decoder = d->format->decoder;
	struct record_decoder unwrap;
	char number[16];

	arena_reset(&d->scratch);
	if (decoder == &decoder_json) {
		record_decoder_open(&unwrap, d->format);
		learn_bytes(d, SV_NONE, record_unwrap(&unwrap, record), false);
		record_decoder_close(&unwrap);
	} else if (decoder == &decoder_plist) {
		learn_inner(d, record);
	} else if (decoder == &decoder_text) {
		learn_patterns(d);
	} else {
		learn_words(d, record);
	}
	for (unsigned i = 1; decoder == &decoder_delimited && i <= MAX_COLUMNS; i++)
		learn_name(d, sv_make(number, (size_t)snprintf(number, sizeof(number), "%u", i)));
	learn_inner(d, record);
}

void dry_run_begin(struct dry_run *d, const struct parser_options *options)
{
	d->options = *options;
	d->parser = parser_new(d->format, options);
	record_decoder_open(&d->decoder, d->format);
}

static void add_target(struct dry_field *field, const struct target *t)
{
	for (size_t i = 0; i < DRY_TARGETS; i++) {
		if (field->targets[i] != NULL && strcmp(field->targets[i], t->name) == 0)
			return;
		if (field->targets[i] == NULL) {
			field->targets[i] = t->name;
			break;
		}
	}
	field->state = DRY_MAPPED;
}

/* Marks what the assignments read; fields[slot] is the slot's. */
static void mark(struct dry_field *fields, const struct assignments *a)
{
	static const struct target lists = { .name = "a list" };

	for (size_t i = 0; i < a->n_steps; i++)
		for (size_t k = 0; k < a->steps[i].n; k++)
			for (size_t s = 0; s < a->steps[i].alternatives[k].n_slots; s++)
				add_target(&fields[a->steps[i].alternatives[k].slots[s]],
					   a->steps[i].target);
	for (size_t i = 0; i < a->n_lists; i++)
		for (size_t s = 0; s < a->lists[i].n_slots; s++)
			add_target(&fields[a->lists[i].slots[s]], &lists);
}

/* Runs the rule again and again, each time without the field that was refused, so that all of them
 * are known and not only the first. */
static void mark_refused(struct dry_run *d, const struct record_rule *rule, struct sv record,
			 struct dry_field *fields)
{
	const size_t n = d->format->names.n;
	struct raw *raws = arena_alloc(&d->scratch, (n + 1) * sizeof(*raws));
	struct error err;
	uint32_t slot;
	const struct plan_run run = { record, &d->format->names, raws, &d->scratch, &d->options,
				      &err,   d->decoder.json,	 NULL, &slot };

	memcpy(raws, d->decoder.raws, n * sizeof(*raws));
	for (size_t tries = 0; tries < n; tries++) {
		struct observation o;

		slot = UINT32_MAX;
		if (plan_observe(rule, &run, &o) || slot == UINT32_MAX)
			return;
		fields[slot].state = DRY_FAILED;
		fields[slot].why = arena_sv(&d->scratch, sv_cstr(err.message));
		raws[slot].type = RAW_ABSENT;
	}
}

static struct sv shown(const struct raw *raw, struct arena *a)
{
	char text[48];
	int n;

	if (raw->type != RAW_TREE)
		return raw->text;
	n = snprintf(text, sizeof(text),
		     raw->tree->type == VALUE_ARRAY ? "%zu items" : "%zu members",
		     raw->tree->type == VALUE_ARRAY ? raw->tree->array.n : raw->tree->object.n);
	return arena_sv(a, sv_make(text, (size_t)n));
}

/* The fields `item.…` are those of the list's first item. */
static void open_first_item(struct dry_run *d, const struct record_rule *rule)
{
	const struct value *list =
	    raw_tree(&d->decoder.raws[rule->each], d->decoder.json, &d->scratch);

	if (list != NULL && list->type == VALUE_ARRAY)
		list = list->array.n > 0 ? &list->array.items[0] : NULL;
	if (list != NULL)
		decode_from_tree(d->format, SV("item."), list, d->decoder.raws, &d->scratch);
}

/* A member of an object that is read as a whole. */
static bool inside_mapped(const struct dry_run *d, const struct dry_field *fields, struct sv name)
{
	for (size_t i = 0; i < d->n_own; i++) {
		struct sv outer = d->format->names.list[i];
		enum raw_type type = d->decoder.raws[i].type;

		if (fields[i].state == DRY_MAPPED && (type == RAW_TREE || type == RAW_JSON) &&
		    sv_starts(name, outer) && name.n > outer.n && name.p[outer.n] == '.')
			return true;
	}
	return false;
}

static void look_at_fields(struct dry_run *d, struct sv record, struct dry_record *out)
{
	const size_t n = d->format->names.n;
	struct dry_field *fields = arena_alloc(&d->scratch, (n + 1) * sizeof(*fields));
	struct plan_run run = { record,	     &d->format->names, d->decoder.raws, &d->scratch,
				&d->options, &out->err,		d->decoder.json, NULL,
				NULL };
	const struct record_rule *rule = NULL;

	for (size_t i = 0; i < n; i++)
		fields[i].state = i < d->n_own ? DRY_ASKED : DRY_UNMAPPED;
	if (d->format->conversation == NULL)
		rule = plan_choose(&d->format->plan, &run, NULL);
	if (rule != NULL)
		out->rule = (size_t)(rule - d->format->plan.rules) + 1;
	for (const struct record_rule *r = rule; r != NULL;
	     r = r->also ? plan_choose(&d->format->plan, &run, r) : NULL) {
		mark(fields, &r->assign);
		for (size_t i = 0; i < r->n_cases; i++)
			mark(fields, &r->cases[i].assign);
	}
	if (rule != NULL && rule->has_each)
		open_first_item(d, rule);
	if (rule != NULL && !rule->irrelevant && sv_empty(rule->rejected))
		mark_refused(d, rule, record, fields);
	for (size_t i = 0; i < n; i++) {
		if (d->decoder.raws[i].type == RAW_ABSENT ||
		    (fields[i].state == DRY_UNMAPPED &&
		     inside_mapped(d, fields, d->format->names.list[i])))
			continue;
		fields[out->n_fields] = fields[i];
		fields[out->n_fields].name = d->format->names.list[i];
		fields[out->n_fields++].text = shown(&d->decoder.raws[i], &d->scratch);
	}
	out->fields = fields;
}

void dry_run_record(struct dry_run *d, struct sv record, struct dry_record *out)
{
	struct error ignored = { 0 };
	enum decode_result got;

	*out = (struct dry_record){ .rule = 0 };
	arena_reset(&d->scratch);
	got = record_decode(&d->decoder, record, &ignored);
	if (got == DECODE_LIST && d->decoder.list->array.n > 0 &&
	    record_decode_item(&d->decoder, 0, &ignored))
		got = DECODE_FIELDS;
	if (got == DECODE_FIELDS)
		look_at_fields(d, record, out);
	out->result =
	    parser_run(d->parser, record, &out->observations, &out->n_observations, &out->err);
}
