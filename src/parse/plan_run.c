#include "parse/host_cache.h"
#include "parse/plan.h"

/* Items a list of a posture may have; more is no inventory. */
#define MAX_ITEMS 100000u

struct runner {
	const struct plan_run *run;
	const struct names *names;
	const struct raw *raws;
	struct derive_context context;
};

const struct record_rule *plan_choose(const struct plan *plan, const struct plan_run *run,
				      const struct record_rule *before)
{
	for (size_t i = before != NULL ? (size_t)(before - plan->rules) + 1 : 0; i < plan->n_rules;
	     i++)
		if (condition_holds(plan->rules[i].when, run->raws, run->options))
			return &plan->rules[i];
	return NULL;
}

static const struct word *find_word(const struct word *words, size_t n, struct sv text)
{
	struct short_text head = short_text(text);

	for (size_t i = 0; i < n && text.n > 0; i++)
		if (short_text_is(words[i].head, words[i].text, head, text))
			return &words[i];
	return NULL;
}

static enum derived words_of(const struct alternative *a, struct sv text, struct cell *out)
{
	const struct word *word = find_word(a->words, a->n_words, text);

	if (word != NULL) {
		*out = word->value;
		return DERIVED;
	}
	*out = a->value;
	return a->has_else ? DERIVED : DERIVED_NOTHING;
}

static enum derived chain(struct runner *r, const struct alternative *a, struct sv text,
			  struct cell *out)
{
	out->text = text;
	for (size_t i = 0; i < a->n_links; i++) {
		enum derived got;
		r->context.argument = a->links[i].argument;
		got = a->links[i].derivation->run(&r->context, out->text, out);
		if (got != DERIVED)
			return got;
	}
	return a->has_words ? words_of(a, out->text, out) : DERIVED;
}

static bool bad(struct runner *r, const struct step *step, const struct raw *raw, struct sv field,
		const char *expected)
{
	struct sv record = r->run->record;
	struct sv text = raw->type != RAW_TREE ? raw->text : SV("a list");
	/* Compared as numbers: what was unescaped or decoded lies elsewhere. */
	uintptr_t at = (uintptr_t)text.p, from = (uintptr_t)record.p;
	size_t position = at >= from && at < from + record.n ? at - from : 0;

	if (r->run->refused != NULL && r->raws == r->run->raws)
		*r->run->refused = (uint32_t)names_find(r->names, field);
	return error_set(r->run->err, ERROR_FORMAT, position,
			 "field `%.*s` (%s): expected %s, found `%.*s`", SV_ARG(field),
			 step->target->name, expected, SV_ARG(sv_first(text, 80)));
}

/* A list of texts behind `list[].member` or `list[]`. */
static void run_texts(struct runner *r, const struct step *step, void *object)
{
	struct profile *p = object;
	const struct raw *raw = &r->raws[step->alternatives[0].slots[0]];
	const struct value *list = raw_tree(raw, r->run->json, r->run->scratch);
	struct sv name = r->names->list[step->alternatives[0].slots[0]];
	size_t mark = sv_find(name, SV("[]")), n = 0;
	struct sv member = mark == SIZE_MAX ? SV_NONE : sv_skip(name, mark + 3);
	struct sv *texts;

	if (list == NULL || list->type != VALUE_ARRAY || list->array.n > MAX_ITEMS)
		return;
	texts = arena_alloc(r->run->scratch, list->array.n * sizeof(*texts));
	for (size_t i = 0; i < list->array.n; i++) {
		const struct value *v = member.n > 0 ? value_path(&list->array.items[i], member)
						     : &list->array.items[i];
		if (v != NULL && v->type == VALUE_STRING)
			texts[n++] = v->text;
	}
	p->payload_types = texts;
	p->n_payload_types = n;
}

/* A word of the step. False where it is none, unless that says nothing. */
static bool quick_word(const struct step *step, struct sv text, void *object)
{
	const struct word *word = find_word(step->words, step->n_words, text);

	if (word == NULL)
		return step->all_words;
	return target_store(step->target, object, &word->value);
}

/* A direct step whose field is there and no tree. What goes wrong is for the long way to say. */
static inline bool run_direct(struct runner *r, const struct step *step, struct sv text,
			      void *object)
{
	enum derived got;
	struct cell cell;

	if (step->quick == QUICK_WORD ? quick_word(step, text, object)
				      : quick_take(step->quick, text, step->target, object))
		return true;
	got = step->only != NULL ? step->only->run(&r->context, text, &cell)
				 : chain(r, &step->alternatives[0], text, &cell);
	return got == DERIVED_NOTHING ||
	       (got == DERIVED && target_store(step->target, object, &cell));
}

/* The texts of all the fields, a blank between them, where all are there. */
static bool joined(struct runner *r, const struct alternative *a, struct raw *out)
{
	size_t n = 0;
	char *p;

	for (size_t k = 0; k < a->n_slots; k++) {
		const struct raw *raw = &r->raws[a->slots[k]];
		if (raw->type == RAW_ABSENT || raw->type == RAW_TREE)
			return false;
		n += raw->text.n + 1;
	}
	p = arena_alloc(r->run->scratch, n);
	n = 0;
	for (size_t k = 0; k < a->n_slots; k++) {
		struct sv text = r->raws[a->slots[k]].text;
		if (k > 0)
			p[n++] = ' ';
		memcpy(p + n, text.p, text.n);
		n += text.n;
	}
	raw_set_text(out, sv_make(p, n));
	return true;
}

/* Through the alternatives. */
static bool run_long(struct runner *r, const struct step *step, void *object)
{
	struct cell cell;

	if (step->target->type == CELL_TEXTS) {
		run_texts(r, step, object);
		return true;
	}
	for (size_t i = 0; i < step->n; i++) {
		const struct alternative *a = &step->alternatives[i];

		if (a->when != NULL && !condition_holds(a->when, r->raws, r->run->options))
			continue;
		if (a->constant) {
			target_store(step->target, object, &a->value);
			return true;
		}
		if (a->n_slots == 0 && chain(r, a, SV_NONE, &cell) == DERIVED)
			return target_store(step->target, object, &cell);
		for (size_t k = 0; k < (a->joined ? 1 : a->n_slots); k++) {
			const struct raw *raw = &r->raws[a->slots[k]];
			struct raw all;
			enum derived got;

			if (a->joined && joined(r, a, &all))
				raw = &all;
			else if (a->joined || raw->type == RAW_ABSENT)
				continue;
			r->context.expected = "a single value";
			got = raw->type == RAW_TREE ? DERIVED_BAD : chain(r, a, raw->text, &cell);
			if (got == DERIVED && target_store(step->target, object, &cell))
				return true;
			if (got == DERIVED) {
				got = DERIVED_BAD;
				r->context.expected = "a number in range";
			}
			if (got == DERIVED_BAD && !a->lenient)
				return bad(r, step, raw, r->names->list[a->slots[k]],
					   r->context.expected);
		}
	}
	return true;
}

static inline bool run_step(struct runner *r, const struct step *step, void *object)
{
	if (step->direct) {
		const struct raw *raw = &r->raws[step->slot];

		if (raw->type == RAW_ABSENT)
			return true;
		if (raw->type != RAW_TREE && run_direct(r, step, raw->text, object))
			return true;
	}
	return run_long(r, step, object);
}

static void fill_item(struct raw *raws, const struct list_step *list, struct sv key,
		      const struct value *item, struct arena *scratch)
{
	for (size_t i = 0; i < list->names.n; i++) {
		const struct item_field *field = &list->fields[i];

		raws[i].type = RAW_ABSENT;
		if (field->where == ITEM_KEY && key.p != NULL)
			raw_set_text(&raws[i], key);
		else if (field->where == ITEM_ITSELF)
			raw_from_value(&raws[i], item, scratch);
		else if (field->where == ITEM_MEMBER && item->type == VALUE_OBJECT &&
			 field->path.n > 0)
			raw_from_value(&raws[i], value_member(item, field->path), scratch);
		else if (field->where == ITEM_PATH || field->where == ITEM_MEMBER)
			raw_from_value(&raws[i], value_path(item, field->path), scratch);
	}
}

/* One item of a posture's list; false when a field is bad. */
static bool run_item(const struct list_step *list, const struct plan_run *run, struct sv key,
		     const struct value *item, struct raw *raws, void *object)
{
	struct runner inner = { run, &list->names, raws, { 0 } };
	static const struct observation nothing;

	inner.context = (struct derive_context){ run->scratch, run->options, &nothing,
						 SV_NONE,      NULL,	     run->hosts };
	fill_item(raws, list, key, item, run->scratch);
	for (size_t i = 0; i < list->n_steps; i++)
		if (!run_step(&inner, &list->steps[i], object))
			return false;
	return true;
}

/* All the arrays that are there as one. An object, whose keys are names, stands alone. */
static const struct value *joined_lists(struct runner *r, const struct list_step *list)
{
	struct value *all = arena_alloc(r->run->scratch, sizeof(*all));
	struct value *items;
	size_t n = 0;

	for (size_t k = 0; k < list->n_slots; k++) {
		const struct value *v =
		    raw_tree(&r->raws[list->slots[k]], r->run->json, r->run->scratch);
		if (v != NULL && v->type == VALUE_OBJECT)
			return v;
		n += v != NULL && v->type == VALUE_ARRAY ? v->array.n : 0;
	}
	items = arena_alloc(r->run->scratch, n * sizeof(*items));
	*all = (struct value){ .type = VALUE_NULL };
	for (size_t k = 0; k < list->n_slots; k++) {
		const struct value *v =
		    raw_tree(&r->raws[list->slots[k]], r->run->json, r->run->scratch);
		if (v == NULL || v->type != VALUE_ARRAY)
			continue;
		memcpy(items + all->array.n, v->array.items, v->array.n * sizeof(*items));
		all->type = VALUE_ARRAY;
		all->array.items = items;
		all->array.n += v->array.n;
	}
	return all;
}

static const struct value *first_list(struct runner *r, const struct list_step *list)
{
	for (size_t k = 0; k < list->n_slots; k++) {
		const struct value *v =
		    raw_tree(&r->raws[list->slots[k]], r->run->json, r->run->scratch);
		if (v != NULL)
			return v;
	}
	return NULL;
}

static bool run_list(struct runner *r, const struct list_step *list, struct observation *o)
{
	struct arena *a = r->run->scratch;
	struct posture *posture = &o->posture;
	const struct value *tree;
	struct raw *raws;
	void *items;
	size_t n, kept = 0,
		  size = list->in == IN_APP ? sizeof(struct installed_app) : sizeof(struct profile);

	if (!condition_holds(list->when, r->raws, r->run->options))
		return true;
	tree = list->every ? joined_lists(r, list) : first_list(r, list);
	if (tree == NULL || (tree->type != VALUE_ARRAY && tree->type != VALUE_OBJECT))
		return true;
	n = list->one ? 1 : tree->type == VALUE_ARRAY ? tree->array.n : tree->object.n;
	if (n > MAX_ITEMS)
		return error_set(r->run->err, ERROR_LIMIT, 0,
				 "a list of %zu items; at most %u are read", n, MAX_ITEMS);
	raws = arena_alloc(a, list->names.n * sizeof(*raws));
	items = arena_alloc(a, n * size);
	for (size_t i = 0; i < n; i++) {
		bool members = tree->type == VALUE_OBJECT && !list->one;
		const struct value *item = list->one ? tree
					   : members ? &tree->object.members[i].value
						     : &tree->array.items[i];
		struct sv key = members ? tree->object.members[i].key : SV_NONE;
		char *object = (char *)items + kept * size;

		memset(object, 0, size);
		if (!run_item(list, r->run, key, item, raws, object))
			return false;
		/* An item without its name is nobody's. Both structs begin with it. */
		kept += ((struct sv *)(void *)object)->n > 0;
	}
	if (list->in == IN_APP) {
		posture->has_apps = true;
		posture->apps = items;
		posture->n_apps = kept;
	} else {
		posture->has_profiles = true;
		posture->profiles = items;
		posture->n_profiles = kept;
	}
	return true;
}

_Static_assert(offsetof(struct installed_app, bundle_id) == 0, "run_list looks at the name first");
_Static_assert(offsetof(struct profile, identifier) == 0, "run_list looks at the name first");

static bool run_assignments(struct runner *r, const struct assignments *a, struct observation *o)
{
	for (size_t i = 0; i < a->n_steps; i++)
		if (!run_step(r, &a->steps[i], o))
			return false;
	for (size_t i = 0; i < a->n_lists; i++)
		if (!run_list(r, &a->lists[i], o))
			return false;
	return true;
}

static bool said(const struct target *t, const struct observation *o)
{
	const char *at = (const char *)o + t->offset;

	switch (t->type) {
	case CELL_TIME:
		return instant_known(*(const struct instant *)(const void *)at);
	case CELL_ADDR:
		return addr_known((const struct addr *)(const void *)at);
	case CELL_TEXT:
		return ((const struct sv *)(const void *)at)->n > 0;
	case CELL_SPAN:
		return span_known(*(const struct span *)(const void *)at);
	default:
		switch (t->width) {
		case AS_U16:
			return *(const uint16_t *)(const void *)at != 0;
		case AS_I64:
			return *(const int64_t *)(const void *)at >= 0;
		case AS_INT: /* tls.alert is −1 where it is not said, enumerations 0 */
			return t->type == CELL_NUMBER ? *(const int *)(const void *)at >= 0
						      : *(const int *)(const void *)at != 0;
		default:
			return true;
		}
	}
}

/* Which fields of the record would have filled a target, for the message that none did. */
static bool missing(const struct record_rule *rule, struct runner *r, const struct target *t)
{
	for (size_t i = 0; i < rule->assign.n_steps; i++) {
		const struct step *s = &rule->assign.steps[i];
		if (s->target == t && s->n > 0 && s->alternatives[0].n_slots > 0)
			return error_set(
			    r->run->err, ERROR_FORMAT, 0, "field `%.*s` (%s) is missing",
			    SV_ARG(r->names->list[s->alternatives[0].slots[0]]), t->name);
	}
	return error_set(r->run->err, ERROR_FORMAT, 0,
			 "`%s` is missing: nothing in the record says it", t->name);
}

bool plan_observe(const struct record_rule *rule, const struct plan_run *run, struct observation *o)
{
	struct runner r = { run, run->names, run->raws, { 0 } };

	/* Of an assignment compilers make `rep movs`, which takes longer to start than to copy. */
	memcpy(o, &rule->base, rule->base_size);
	r.context =
	    (struct derive_context){ run->scratch, run->options, o, SV_NONE, NULL, run->hosts };
	if (run->hosts != NULL)
		run->hosts->last.of = SV_NONE;
	if (!run_assignments(&r, &rule->assign, o))
		return false;
	for (size_t i = 0; i < rule->n_cases; i++)
		if (condition_holds(rule->cases[i].when, run->raws, run->options)) {
			if (!run_assignments(&r, &rule->cases[i].assign, o))
				return false;
			break;
		}
	for (size_t i = 0; i < rule->n_required; i++)
		if (!said(rule->required[i], o))
			return missing(rule, &r, rule->required[i]);
	if (o->kind == OBS_TLS_ATTEMPT && o->tls.alert < 0)
		o->tls.alert_from = SIDE_UNKNOWN;
	if (o->time.ns < 0)
		return error_set(run->err, ERROR_FORMAT, 0, "expected a time since 1970");
	if (rule->time_is_end && span_known(o->duration)) {
		if (o->duration.ns > o->time.ns)
			return error_set(
			    run->err, ERROR_FORMAT, 0,
			    "expected a shorter duration: it reaches back before 1970");
		o->time.ns -= o->duration.ns;
	}
	if (o->kind == OBS_LEASE) /* is written when it begins, and ordered by that */
		o->duration = SPAN_NONE;
	if (span_known(o->duration) && o->duration.ns > INT64_MAX - o->time.ns)
		return error_set(run->err, ERROR_FORMAT, 0,
				 "expected a shorter duration: it reaches beyond 2262");
	return true;
}
