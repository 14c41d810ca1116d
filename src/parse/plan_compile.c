#include "parse/plan.h"

/* What the compiler carries along. */
struct compiler {
	struct names *names; /* of the record, or of a list's items */
	struct arena *arena;
	struct error *err;
	unsigned in; /* which targets may stand here */
};

static const char *const step_keys[] = { "from", "join", "via",	    "words", "else",
					 "is",	 "when", "lenient", NULL };
static const char *const case_keys[] = { "when", "set", "map", NULL };
static const char *const rule_keys[] = { "when",  "kind",    "irrelevant", "rejected",
					 "each",  "time_is", "set",	   "map",
					 "cases", "require", "also",	   NULL };

/* A constant: the target's own derivation reads it now. */
static bool constant(struct compiler *c, const struct target *t, struct yaml y, struct cell *out)
{
	static const struct parser_options no_options = { .date = { INT64_MIN } };
	static const struct observation nothing;
	struct derive_context context = { c->arena, &no_options, &nothing, SV_NONE, NULL, NULL };
	const struct derivation *d;

	if (!yfile_is_text(y))
		return yfile_error(c->err, y, "expected a constant for `%s`", t->name);
	out->text = arena_sv(c->arena, yfile_text(y));
	if (t->derivation == NULL)
		return true;
	d = derivation_find(sv_cstr(t->derivation));
	if (d->run(&context, out->text, out) == DERIVED)
		return true;
	return yfile_error(c->err, y, "`%.*s` is no value of `%s`: expected %s",
			   SV_ARG(yfile_text(y)), t->name,
			   context.expected != NULL ? context.expected : "something else");
}

static bool compile_from(struct compiler *c, struct yaml from, const uint32_t **slots, size_t *n)
{
	uint32_t *list = arena_alloc(c->arena, yfile_count(from) * sizeof(*list));

	*slots = list;
	*n = yfile_there(from) ? yfile_count(from) : 0;
	if (yfile_is_map(from))
		return yfile_error(c->err, from, "expected a field name or a list of them");
	for (size_t i = 0; i < *n; i++) {
		struct yaml item = yfile_item(from, i);
		if (yfile_text(item).n == 0)
			return yfile_error(c->err, item, "expected a field name");
		list[i] = names_add(c->names, c->arena, yfile_text(item));
	}
	return true;
}

static bool unknown_derivation(struct compiler *c, struct yaml at, struct sv name)
{
	const char *names[128];
	const struct derivation *d;
	const char *near;
	size_t n = 0;

	while ((d = derivation_at(n)) != NULL && n < 127)
		names[n++] = d->name;
	names[n] = NULL;
	near = yfile_nearest(name, names);
	if (near != NULL)
		return yfile_error(c->err, at, "no derivation is called `%.*s`; did you mean `%s`?",
				   SV_ARG(name), near);
	return yfile_error(c->err, at, "no derivation is called `%.*s`; docs/formats.md lists them",
			   SV_ARG(name));
}

static bool compile_link(struct compiler *c, struct yaml y, struct link *link)
{
	struct yaml name = y, argument = { y.file, NULL };

	if (yfile_is_map(y)) {
		if (yfile_count(y) != 1)
			return yfile_error(c->err, y, "expected {derivation: argument}");
		name = yfile_key_at(y, 0);
		argument = yfile_value_at(y, 0);
	}
	link->derivation = derivation_find(yfile_text(name));
	if (link->derivation == NULL)
		return unknown_derivation(c, name, yfile_text(name));
	if (link->derivation->takes_argument != (yfile_text(argument).n > 0))
		return yfile_error(c->err, y, "`%s` takes %s argument", link->derivation->name,
				   link->derivation->takes_argument ? "a text as" : "no");
	link->argument = arena_sv(c->arena, yfile_text(argument));
	return true;
}

static bool compile_words(struct compiler *c, const struct target *t, struct yaml y,
			  struct alternative *a)
{
	size_t n = yfile_count(y);
	struct word *words = arena_alloc(c->arena, n * sizeof(*words));

	if (!yfile_is_map(y) || n == 0)
		return yfile_error(c->err, y, "expected words and what they stand for");
	for (size_t i = 0; i < n; i++) {
		words[i].text = arena_sv(c->arena, yfile_text(yfile_key_at(y, i)));
		words[i].head = short_text(words[i].text);
		if (!constant(c, t, yfile_value_at(y, i), &words[i].value))
			return false;
	}
	a->words = words;
	a->n_words = n;
	a->has_words = true;
	return true;
}

/* The chain of `via`, closed with the target's own derivation where it ends in text. */
static bool compile_via(struct compiler *c, const struct target *t, struct yaml via,
			struct alternative *a)
{
	size_t n = yfile_there(via) ? yfile_count(via) : 0;
	bool one_map = yfile_is_map(via);
	struct link *links;
	enum cell_type type = CELL_TEXT;

	if (one_map)
		n = 1;
	links = arena_alloc(c->arena, (n + 1) * sizeof(*links));
	for (size_t i = 0; i < n; i++) {
		struct yaml item = one_map ? via : yfile_item(via, i);
		if (type != CELL_TEXT)
			return yfile_error(c->err, item, "`%s` makes no text; it has to come last",
					   links[i - 1].derivation->name);
		if (!compile_link(c, item, &links[i]))
			return false;
		type = links[i].derivation->out;
	}
	a->links = links;
	a->n_links = n;
	if (a->has_words)
		return type == CELL_TEXT ||
		       yfile_error(c->err, via, "`words` need a text, `%s` makes none",
				   links[n - 1].derivation->name);
	if (type == CELL_TEXT && t->derivation != NULL &&
	    !(n > 0 && strcmp(links[n - 1].derivation->name, t->derivation) == 0)) {
		links[n].derivation = derivation_find(sv_cstr(t->derivation));
		type = links[n].derivation->out;
		a->n_links++;
	}
	if (type != t->type)
		return yfile_error(
		    c->err, via,
		    "`%s` makes no value for `%s`; docs/formats.md says what makes what",
		    links[a->n_links - 1].derivation->name, t->name);
	return true;
}

static bool compile_alternative(struct compiler *c, const struct target *t, struct yaml y,
				struct alternative *a)
{
	struct yaml none = { y.file, NULL }, is, words, join;

	if (yfile_is_text(y)) /* target: field */
		return compile_from(c, y, &a->slots, &a->n_slots) && compile_via(c, t, none, a);
	if (!yfile_check_keys(y, step_keys, c->err) ||
	    !condition_compile(yfile_get(y, "when"), c->names, c->arena, &a->when, c->err) ||
	    !yfile_take_bool(yfile_get(y, "lenient"), &a->lenient, c->err))
		return false;
	is = yfile_get(y, "is");
	if (yfile_there(is)) {
		a->constant = true;
		if (yfile_there(yfile_get(y, "from")) || yfile_there(yfile_get(y, "via")))
			return yfile_error(c->err, is, "`is` may stand alone or with `when` only");
		return constant(c, t, is, &a->value);
	}
	join = yfile_get(y, "join");
	a->joined = yfile_there(join);
	if (a->joined && (!yfile_is_list(join) || yfile_there(yfile_get(y, "from"))))
		return yfile_error(c->err, join,
				   "`join` is a list of fields, and stands in place of `from`");
	if (!compile_from(c, a->joined ? join : yfile_get(y, "from"), &a->slots, &a->n_slots))
		return false;
	words = yfile_get(y, "words");
	if (yfile_there(words) && !compile_words(c, t, words, a))
		return false;
	if (yfile_there(yfile_get(y, "else"))) {
		if (!a->has_words)
			return yfile_error(c->err, yfile_get(y, "else"),
					   "`else` belongs to `words`");
		a->has_else = true;
		if (!constant(c, t, yfile_get(y, "else"), &a->value))
			return false;
	}
	if (t->type != CELL_TEXTS && !compile_via(c, t, yfile_get(y, "via"), a))
		return false;
	if (a->n_slots == 0 && !(a->n_links > 0 && a->links[0].derivation->takes_no_field))
		return yfile_error(c->err, y, "`%s` needs `from` or `is`", t->name);
	return true;
}

static bool find_target(struct compiler *c, struct yaml key, const struct target **out)
{
	struct sv name = yfile_text(key);
	const char *near;

	*out = target_find(name, c->in);
	if (*out != NULL)
		return true;
	near = target_nearest(name, c->in);
	if (target_find(name, IN_ANY | IN_APP | IN_PROFILE) != NULL)
		return yfile_error(
		    c->err, key, "`%.*s` is no field of this kind of record; it belongs to another",
		    SV_ARG(name));
	if (near != NULL)
		return yfile_error(c->err, key, "no field is called `%.*s`; did you mean `%s`?",
				   SV_ARG(name), near);
	return yfile_error(c->err, key, "no field is called `%.*s`; docs/formats.md lists them",
			   SV_ARG(name));
}

/* The words that an enumeration's own derivation knows. */
static void own_words(struct compiler *c, const struct derivation *d, struct step *step)
{
	struct word *words;
	size_t n = 0;

	while (derivation_word(d, n).p != NULL)
		n++;
	words = arena_alloc(c->arena, n * sizeof(*words));
	for (size_t i = 0; i < n; i++) {
		words[i].text = derivation_word(d, i);
		words[i].head = short_text(words[i].text);
		words[i].value.number = (int64_t)i;
	}
	step->words = words;
	step->n_words = n;
}

/* A step of one field without condition. */
static void compile_direct(struct compiler *c, const struct alternative *a, struct step *step)
{
	const struct derivation *only = a->n_links == 1 ? a->links[0].derivation : NULL;

	step->direct = true;
	step->slot = a->slots[0];
	if (a->has_words) {
		if (a->n_links > 0 || step->target->width != AS_INT)
			return;
		step->quick = QUICK_WORD;
		step->words = a->words;
		step->n_words = a->n_words;
		step->all_words = !a->has_else;
		return;
	}
	if (a->n_links > 1 || (only != NULL && only->takes_argument))
		return;
	step->only = only;
	step->quick = quick_find(only, step->target);
	if (only != NULL && step->target->width == AS_INT && derivation_word(only, 0).p != NULL) {
		step->quick = QUICK_WORD;
		own_words(c, only, step);
	}
}

static bool compile_step(struct compiler *c, const struct target *t, struct yaml y,
			 struct step *step)
{
	bool list = yfile_is_list(y);
	size_t n = list ? yfile_count(y) : 1;
	struct alternative *alternatives = arena_alloc(c->arena, n * sizeof(*alternatives));

	if (t->type == CELL_TEXTS) { /* one path; the list it leads to is read when it runs */
		step->alternatives = alternatives;
		step->target = t;
		step->n = 1;
		return compile_from(c, y, &alternatives[0].slots, &alternatives[0].n_slots);
	}
	for (size_t i = 0; i < n; i++)
		if (!compile_alternative(c, t, list ? yfile_item(y, i) : y, &alternatives[i]))
			return false;
	*step = (struct step){ .target = t, .alternatives = alternatives, .n = n };
	if (n == 1 && alternatives->when == NULL && alternatives->n_slots == 1 &&
	    !alternatives->lenient && !alternatives->joined)
		compile_direct(c, alternatives, step);
	return true;
}

static const struct item_field *item_fields(const struct names *names, struct arena *a)
{
	struct item_field *fields = arena_alloc(a, names->n * sizeof(*fields));

	for (size_t i = 0; i < names->n; i++) {
		struct sv name = names->list[i];
		size_t mark = sv_find(name, SV("[]"));

		fields[i].path = mark == SIZE_MAX ? name : sv_first(name, mark);
		if (sv_eq(name, SV("@key")))
			fields[i].where = ITEM_KEY;
		else if (sv_eq(name, SV("@item")))
			fields[i].where = ITEM_ITSELF;
		else
			fields[i].where =
			    sv_find_char(fields[i].path, '.') == SIZE_MAX ? ITEM_MEMBER : ITEM_PATH;
	}
	return fields;
}

static bool compile_list(struct compiler *c, struct yaml y, unsigned in, struct list_step *list)
{
	struct compiler inner = { &list->names, c->arena, c->err, in };
	struct step *steps = arena_alloc(c->arena, yfile_count(y) * sizeof(*steps));

	struct yaml each = yfile_get(y, "each"), every = yfile_get(y, "every"),
		    one = yfile_get(y, "one");

	list->in = in;
	list->every = yfile_there(every);
	list->one = yfile_there(one);
	if (!yfile_is_map(y) || yfile_there(each) + yfile_there(every) + yfile_there(one) != 1)
		return yfile_error(
		    c->err, y,
		    "expected {each: field, …}, {every: [field, …], …} or {one: field, …}");
	if (!compile_from(c,
			  list->every ? every
			  : list->one ? one
				      : each,
			  &list->slots, &list->n_slots) ||
	    !condition_compile(yfile_get(y, "when"), c->names, c->arena, &list->when, c->err))
		return false;
	for (size_t i = 0; i < yfile_count(y); i++) {
		struct yaml key = yfile_key_at(y, i);
		const struct target *t;
		if (sv_eq(yfile_text(key), SV("each")) || sv_eq(yfile_text(key), SV("every")) ||
		    sv_eq(yfile_text(key), SV("one")) || sv_eq(yfile_text(key), SV("when")))
			continue;
		if (!find_target(&inner, key, &t) ||
		    !compile_step(&inner, t, yfile_value_at(y, i), &steps[list->n_steps]))
			return false;
		list->n_steps++;
	}
	list->steps = steps;
	list->fields = item_fields(&list->names, c->arena);
	return true;
}

static size_t member_count(struct yaml map) { return yfile_is_map(map) ? yfile_count(map) : 0; }

static bool not_a_map(struct yaml y) { return yfile_there(y) && !yfile_is_map(y); }

/* Adds the steps of a `map:`. `shared` mappings leave out what does not belong to this kind. */
static bool compile_map(struct compiler *c, struct yaml map, bool shared, struct assignments *out)
{
	if (not_a_map(map))
		return yfile_error(c->err, map, "expected a mapping (target: field)");
	for (size_t i = 0; i < member_count(map); i++) {
		struct yaml key = yfile_key_at(map, i), value = yfile_value_at(map, i);
		struct sv name = yfile_text(key);
		bool apps = sv_eq(name, SV("apps"));
		const struct target *t;

		for (size_t j = 0; j < i; j++)
			if (sv_eq(name, yfile_text(yfile_key_at(map, j))))
				return yfile_error(c->err, key,
						   "`%.*s` stands here twice: leave one out",
						   SV_ARG(name));
		if (apps || sv_eq(name, SV("profiles"))) {
			if ((c->in & IN_POSTURE) == 0 && shared)
				continue;
			if ((c->in & IN_POSTURE) == 0)
				return yfile_error(c->err, key, "lists belong to a posture only");
			if (!compile_list(c, value, apps ? IN_APP : IN_PROFILE,
					  &out->lists[out->n_lists]))
				return false;
			out->n_lists++;
			continue;
		}
		if (shared && target_find(name, c->in) == NULL && target_find(name, IN_ANY) != NULL)
			continue;
		if (!find_target(c, key, &t) ||
		    !compile_step(c, t, value, &out->steps[out->n_steps]))
			return false;
		out->n_steps++;
	}
	return true;
}

static void assignments_room(struct compiler *c, struct assignments *a, size_t n)
{
	a->steps = arena_alloc(c->arena, n * sizeof(*a->steps));
	a->lists = arena_alloc(c->arena, n * sizeof(*a->lists));
}

static bool compile_case(struct compiler *c, struct yaml y, struct plan_case *out)
{
	struct yaml set = yfile_get(y, "set"), map = yfile_get(y, "map");

	if (!yfile_check_keys(y, case_keys, c->err) ||
	    !condition_compile(yfile_get(y, "when"), c->names, c->arena, &out->when, c->err))
		return false;
	if (not_a_map(set))
		return yfile_error(c->err, set, "expected a mapping (target: constant)");
	assignments_room(c, &out->assign, member_count(set) + member_count(map));
	for (size_t i = 0; i < member_count(set); i++) {
		struct alternative *a = arena_alloc(c->arena, sizeof(*a));
		const struct target *t;
		a->constant = true;
		if (!find_target(c, yfile_key_at(set, i), &t) ||
		    !constant(c, t, yfile_value_at(set, i), &a->value))
			return false;
		out->assign.steps[out->assign.n_steps++] =
		    (struct step){ .target = t, .alternatives = a, .n = 1 };
	}
	return compile_map(c, map, false, &out->assign);
}

static bool compile_base(struct compiler *c, struct yaml set, struct record_rule *rule)
{
	if (not_a_map(set))
		return yfile_error(c->err, set, "expected a mapping (target: constant)");
	for (size_t i = 0; i < member_count(set); i++) {
		const struct target *t;
		struct cell cell = { .number = 0 };
		if (!find_target(c, yfile_key_at(set, i), &t) ||
		    !constant(c, t, yfile_value_at(set, i), &cell))
			return false;
		if (!target_store(t, &rule->base, &cell))
			return yfile_error(c->err, yfile_value_at(set, i),
					   "expected a value within the range of its field");
	}
	return true;
}

static bool compile_kind(struct compiler *c, struct yaml y, enum sensor_kind sensor,
			 struct record_rule *rule)
{
	for (int k = 0; k < OBS_KINDS; k++)
		if (sv_eq(yfile_text(y),
			  sv_cstr(observation_kind_name((enum observation_kind)k)))) {
			observation_clear(&rule->base, (enum observation_kind)k);
			rule->base.sensor = sensor;
			rule->base_size = sizeof(rule->base);
			c->in = 1u << k;
			return true;
		}
	return yfile_error(c->err, y, "expected kind: tls_attempt, app_activity, posture or lease");
}

static bool compile_required(struct compiler *c, struct yaml y, struct record_rule *rule)
{
	size_t n = yfile_there(y) ? yfile_count(y) : 0;

	rule->required = arena_alloc(c->arena, (n + 2) * sizeof(struct target *));
	rule->required[rule->n_required++] = target_find(SV("time"), IN_ANY);
	if ((c->in & IN_LEASE) != 0)
		rule->required[rule->n_required++] = target_find(SV("ip"), IN_LEASE);
	for (size_t i = 0; i < n; i++) {
		if (!find_target(c, yfile_item(y, i), &rule->required[rule->n_required]))
			return false;
		rule->n_required++;
	}
	return true;
}

static bool compile_rule(struct compiler *c, struct yaml y, struct yaml common,
			 enum sensor_kind sensor, struct record_rule *rule)
{
	struct yaml map = yfile_get(y, "map"), cases = yfile_get(y, "cases");
	struct yaml end = yfile_get(y, "time_is");

	if (!yfile_check_keys(y, rule_keys, c->err) ||
	    !condition_compile(yfile_get(y, "when"), c->names, c->arena, &rule->when, c->err) ||
	    !yfile_take_bool(yfile_get(y, "also"), &rule->also, c->err))
		return false;
	if (yfile_there(
		yfile_get(y, "irrelevant"))) { /* its text says why, to the file's readers */
		rule->irrelevant = true;
		return true;
	}
	if (yfile_there(yfile_get(y, "rejected"))) {
		rule->rejected = arena_sv(c->arena, yfile_text(yfile_get(y, "rejected")));
		return !sv_empty(rule->rejected) ||
		       yfile_error(c->err, yfile_get(y, "rejected"),
				   "expected why the record is rejected");
	}
	if (!compile_kind(c, yfile_there(yfile_get(y, "kind")) ? yfile_get(y, "kind") : y, sensor,
			  rule))
		return false;
	rule->time_is_end = sv_eq(yfile_text(end), SV("end"));
	if (yfile_there(end) && !rule->time_is_end && !sv_eq(yfile_text(end), SV("start")))
		return yfile_error(c->err, end, "expected start or end");
	rule->has_each = yfile_there(yfile_get(y, "each"));
	if (rule->has_each)
		rule->each = names_add(c->names, c->arena, yfile_text(yfile_get(y, "each")));
	assignments_room(c, &rule->assign, member_count(common) + member_count(map));
	if (!compile_base(c, yfile_get(y, "set"), rule) ||
	    !compile_map(c, common, true, &rule->assign) ||
	    !compile_map(c, map, false, &rule->assign) ||
	    !compile_required(c, yfile_get(y, "require"), rule))
		return false;
	if (!yfile_there(cases))
		return true;
	if (!yfile_is_list(cases))
		return yfile_error(c->err, cases, "expected a list of cases");
	rule->n_cases = yfile_count(cases);
	rule->cases = arena_alloc(c->arena, rule->n_cases * sizeof(*rule->cases));
	for (size_t i = 0; i < rule->n_cases; i++)
		if (!compile_case(c, yfile_item(cases, i), &rule->cases[i]))
			return false;
	return true;
}

bool plan_compile(struct plan *plan, struct yaml map, struct yaml records, enum sensor_kind sensor,
		  struct names *names, struct arena *a, struct error *err)
{
	struct compiler c = { names, a, err, IN_ANY };

	if (!yfile_is_list(records) || yfile_count(records) == 0)
		return yfile_error(err, records, "expected `records:`, a list of rules");
	plan->n_rules = yfile_count(records);
	plan->rules = arena_alloc(a, plan->n_rules * sizeof(*plan->rules));
	for (size_t i = 0; i < plan->n_rules; i++)
		if (!compile_rule(&c, yfile_item(records, i), map, sensor, &plan->rules[i]))
			return false;
	return true;
}
