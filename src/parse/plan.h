/* The plan: a format file's mapping, compiled into arrays that run without looking anything up.
 *
 *     map:    {target: field}, or {target: {from:, via:, words:, else:, is:, when:, lenient:}}, or
 * a list of those, tried in order until one says something set:    {target: constant} cases:
 * [{when:, set:, map:}, …], the first that holds is applied on top apps, profiles: {each: field,
 * …targets of the items}
 *
 * Everything of a plan lives in the format's arena and is read-only once compiled.
 */
#ifndef PINWATCH_PARSE_PLAN_H
#define PINWATCH_PARSE_PLAN_H

#include "parse/condition.h"
#include "parse/quick.h"

struct link {
	const struct derivation *derivation;
	struct sv argument;
};

/* A word of a format and what it stands for. */
struct word {
	struct sv text;
	struct short_text head; /* of text */
	struct cell value;
};

/* One way to fill a target. */
struct alternative {
	const struct condition *when; /* NULL: always */
	const uint32_t *slots;	      /* tried in order, or joined */
	size_t n_slots;
	const struct link *links;
	size_t n_links;
	const struct word *words; /* translate the text the links made */
	size_t n_words;
	bool has_words, has_else, lenient;
	bool joined;	   /* all of slots, a blank between them; one that is absent: nothing */
	bool constant;	   /* `value` as it is */
	struct cell value; /* the constant, or of `else` */
};

struct step {
	const struct target *target;
	const struct alternative *alternatives;
	size_t n;
	/* Most steps: one field, no condition. The quick way first, else the derivations; only what
	 * goes wrong there takes the long way through the alternatives, which says what it was. */
	bool direct;
	uint32_t slot;
	enum quick quick;
	const struct derivation *only; /* NULL: more than one link, or words */
	const struct word *words;      /* of QUICK_WORD */
	size_t n_words;
	bool all_words; /* what is none of them says nothing */
};

/* A field of a list's item. */
struct item_field {
	enum { ITEM_PATH, ITEM_MEMBER, ITEM_KEY, ITEM_ITSELF } where;
	struct sv path; /* without `[]` and what follows; of ITEM_MEMBER the name of one member */
};

/* A list of the posture: `each` leads to an array (or an object, whose keys are `@key`), `every` to
 * several that count together, `one` to the only item itself. */
struct list_step {
	unsigned in; /* IN_APP or IN_PROFILE */
	const struct condition *when;
	const uint32_t *slots;
	size_t n_slots;
	bool every;			 /* all lists that are there, not the first */
	bool one;			 /* what is found is no list but its only item */
	struct names names;		 /* fields of an item */
	const struct item_field *fields; /* where each of them is */
	const struct step *steps;
	size_t n_steps;
};

struct assignments {
	struct step *steps;
	size_t n_steps;
	struct list_step *lists;
	size_t n_lists;
};

struct plan_case {
	const struct condition *when;
	struct assignments assign;
};

/* What becomes of records for which `when` holds. */
struct record_rule {
	const struct condition *when;
	bool irrelevant;
	struct sv rejected; /* why; empty: it is not */
	bool also;	    /* the record is given to the rules behind this one as well */
	bool time_is_end;   /* the time said is the end: start = time − duration */
	uint32_t each;	    /* slot of a list; one observation an item, its fields are `item.…` */
	bool has_each;
	struct observation base; /* the constants */
	size_t base_size;	 /* of it: see plan_observe */
	struct assignments assign;
	struct plan_case *cases;
	size_t n_cases;
	const struct target **required;
	size_t n_required;
};

struct plan {
	struct record_rule *rules;
	size_t n_rules;
};

/* `map` is the format's own mapping, common to all rules; `records` the list of rules. Field names
 * are added to `names`. */
bool plan_compile(struct plan *plan, struct yaml map, struct yaml records, enum sensor_kind sensor,
		  struct names *names, struct arena *a, struct error *err);

/* What running a plan needs beyond the plan. */
struct plan_run {
	struct sv record; /* for positions in messages */
	const struct names *names;
	struct raw *raws;
	struct arena *scratch;
	const struct parser_options *options;
	struct error *err;
	struct json_reader *json;
	struct host_cache *hosts; /* or NULL */
	uint32_t *refused; /* takes the slot of the field that err is about; NULL: nobody asks */
};

/* The first rule that holds for raws, or NULL; behind `before`, where that is one (`also`). */
const struct record_rule *plan_choose(const struct plan *plan, const struct plan_run *run,
				      const struct record_rule *before);
/* Fills *o. False: err says which field and what was expected. */
bool plan_observe(const struct record_rule *rule, const struct plan_run *run,
		  struct observation *o);

#endif
