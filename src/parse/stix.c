#include "parse/stix.h"

#include <stdlib.h>

#include "base/arena.h"
#include "parse/json.h"
#include "parse/stix_split.h"
#include "parse/value.h"
#include "read/reader.h"

#define MAX_ITEMS 1000u /* of any list of one object */

enum keep { KEEP_COMPONENT, KEEP_STRATEGY, KEEP_TECHNIQUE, KEEP_DETECTS };

/* What resolution may need of an object. */
struct kept {
	enum keep kind;
	struct stix_ref ref;
	struct sv modified;
	struct sv source, target;      /* KEEP_DETECTS */
	struct stix_strings analytics; /* KEEP_STRATEGY */
};

struct stix {
	struct arena arena;   /* what stays */
	struct arena scratch; /* the tree of the object at hand */
	struct sv external_id;
	struct kept *kept;
	size_t n, capacity;
	size_t n_objects, n_analytics;
	bool found;
	struct stix_analytic analytic;
};

struct stix *stix_new(struct sv external_id)
{
	struct stix *s = xcalloc(1, sizeof(*s));

	s->external_id = arena_sv(&s->arena, external_id);
	return s;
}

void stix_free(struct stix *s)
{
	if (s == NULL)
		return;
	arena_free(&s->arena);
	arena_free(&s->scratch);
	free(s->kept);
	free(s);
}

/* A view into the scratch tree; empty unless the member is a string. */
static struct sv text(const struct value *object, struct sv name)
{
	const struct value *v = value_member(object, name);

	return v != NULL && v->type == VALUE_STRING ? v->text : SV_NONE;
}

static struct sv kept_text(struct stix *s, const struct value *object, struct sv name)
{
	return arena_sv(&s->arena, text(object, name));
}

static bool flag(const struct value *object, struct sv name)
{
	const struct value *v = value_member(object, name);

	return v != NULL && v->type == VALUE_BOOL && v->boolean;
}

/* The items of a member that is an array, at most MAX_ITEMS of them. */
static const struct value *items(const struct value *object, struct sv name, size_t *n)
{
	const struct value *v = value_member(object, name);

	*n = 0;
	if (v == NULL || v->type != VALUE_ARRAY)
		return NULL;
	*n = v->array.n < MAX_ITEMS ? v->array.n : MAX_ITEMS;
	return v->array.items;
}

/* ATT&CK's own id of the object: the reference whose source is mitre-attack (in older corpora
 * mitre-mobile-attack). */
static struct sv attack_id(const struct value *object)
{
	size_t n;
	const struct value *refs = items(object, SV("external_references"), &n);

	for (size_t i = 0; i < n; i++) {
		struct sv source = text(&refs[i], SV("source_name"));
		if (sv_starts(source, SV("mitre-")) && sv_ends(source, SV("attack")))
			return text(&refs[i], SV("external_id"));
	}
	return SV_NONE;
}

static struct stix_strings strings(struct stix *s, const struct value *object, struct sv name)
{
	size_t n, count = 0;
	const struct value *list = items(object, name, &n);
	struct sv *out = arena_alloc(&s->arena, n * sizeof(*out));

	for (size_t i = 0; i < n; i++)
		if (list[i].type == VALUE_STRING)
			out[count++] = arena_sv(&s->arena, list[i].text);
	return (struct stix_strings){ out, count };
}

static struct stix_ref identity(struct stix *s, const struct value *object)
{
	return (struct stix_ref){
		.stix_id = kept_text(s, object, SV("id")),
		.external_id = arena_sv(&s->arena, attack_id(object)),
		.name = kept_text(s, object, SV("name")),
		.resolved = true,
		.revoked = flag(object, SV("revoked")),
		.deprecated = flag(object, SV("x_mitre_deprecated")),
	};
}

static void read_log_sources(struct stix *s, const struct value *object, struct stix_analytic *out)
{
	size_t n;
	const struct value *list = items(object, SV("x_mitre_log_source_references"), &n);
	struct stix_log_source *sources = arena_alloc(&s->arena, n * sizeof(*sources));

	for (size_t i = 0; i < n; i++)
		sources[i] = (struct stix_log_source){
			.name = sv_trim(kept_text(s, &list[i], SV("name"))),
			.channel = sv_trim(kept_text(s, &list[i], SV("channel"))),
			.component.stix_id =
			    kept_text(s, &list[i], SV("x_mitre_data_component_ref")),
		};
	out->log_sources = sources;
	out->n_log_sources = n;
}

static void read_elements(struct stix *s, const struct value *object, struct stix_analytic *out)
{
	size_t n;
	const struct value *list = items(object, SV("x_mitre_mutable_elements"), &n);
	struct stix_element *elements = arena_alloc(&s->arena, n * sizeof(*elements));

	for (size_t i = 0; i < n; i++)
		elements[i] = (struct stix_element){
			.field = sv_trim(kept_text(s, &list[i], SV("field"))),
			.description = sv_trim(kept_text(s, &list[i], SV("description"))),
		};
	out->elements = elements;
	out->n_elements = n;
}

static void read_analytic(struct stix *s, const struct value *object, struct sv bundle_version)
{
	struct sv own = text(object, SV("spec_version")); /* STIX 2.1 has it on the objects */
	struct stix_analytic a = { 0 };

	s->n_analytics++;
	if (!sv_eq(attack_id(object), s->external_id))
		return;
	if (s->found && sv_cmp(text(object, SV("modified")), s->analytic.modified) <= 0)
		return;
	a.self = identity(s, object);
	a.description = kept_text(s, object, SV("description"));
	a.version = kept_text(s, object, SV("x_mitre_version"));
	a.modified = kept_text(s, object, SV("modified"));
	a.attack_spec_version = kept_text(s, object, SV("x_mitre_attack_spec_version"));
	a.stix_version = arena_sv(&s->arena, sv_empty(own) ? bundle_version : own);
	a.platforms = strings(s, object, SV("x_mitre_platforms"));
	a.domains = strings(s, object, SV("x_mitre_domains"));
	read_log_sources(s, object, &a);
	read_elements(s, object, &a);
	s->analytic = a;
	s->found = true;
}

static void keep(struct stix *s, const struct value *object, enum keep kind)
{
	struct kept k = { .kind = kind, .ref = identity(s, object) };

	k.modified = kept_text(s, object, SV("modified"));
	if (kind == KEEP_DETECTS) {
		k.source = kept_text(s, object, SV("source_ref"));
		k.target = kept_text(s, object, SV("target_ref"));
	}
	if (kind == KEEP_STRATEGY)
		k.analytics = strings(s, object, SV("x_mitre_analytic_refs"));
	if (s->n == s->capacity) {
		s->capacity = s->capacity == 0 ? 256 : s->capacity * 2;
		s->kept = xrealloc(s->kept, s->capacity, sizeof(*s->kept));
	}
	s->kept[s->n++] = k;
}

static void read_object(struct stix *s, const struct value *object, struct sv bundle_version)
{
	struct sv type = text(object, SV("type"));

	if (sv_eq(type, SV("x-mitre-analytic")))
		read_analytic(s, object, bundle_version);
	else if (sv_eq(type, SV("x-mitre-data-component")))
		keep(s, object, KEEP_COMPONENT);
	else if (sv_eq(type, SV("x-mitre-detection-strategy")))
		keep(s, object, KEEP_STRATEGY);
	else if (sv_eq(type, SV("attack-pattern")))
		keep(s, object, KEEP_TECHNIQUE);
	else if (sv_eq(type, SV("relationship")) &&
		 sv_eq(text(object, SV("relationship_type")), SV("detects")))
		keep(s, object, KEEP_DETECTS);
}

bool stix_add(struct stix *s, struct sv json, struct error *err)
{
	struct stix_split split;
	struct sv bytes;
	int more;

	if (!stix_split_open(&split, json, err))
		return false;
	while ((more = stix_split_next(&split, &bytes, err)) > 0) {
		struct value object;
		if (++s->n_objects > STIX_MAX_OBJECTS)
			return error_set(err, ERROR_LIMIT, (size_t)(bytes.p - json.p),
					 "more than %u STIX objects: expected an ATT&CK bundle",
					 STIX_MAX_OBJECTS);
		arena_reset(&s->scratch);
		if (!json_to_value(bytes, &s->scratch, &object, err)) {
			err->position += (size_t)(bytes.p - json.p);
			error_prefix(err, "STIX object %zu", s->n_objects);
			return false;
		}
		read_object(s, &object, split.version);
	}
	return more == 0;
}

bool stix_add_file(struct stix *s, const char *path, struct error *err)
{
	struct reader_options options = { .framing = FRAMING_DOCUMENT,
					  .max_record = STIX_MAX_BYTES,
					  .max_unpacked = STIX_MAX_BYTES };
	struct reader *r = reader_open(path, &options, err);
	struct sv bytes;
	bool ok = false;

	if (r == NULL)
		return false;
	switch (reader_next(r, &bytes, err)) {
	case READ_RECORD:
		ok = stix_add(s, bytes, err);
		break;
	case READ_OVERLONG:
		error_set(err, ERROR_LIMIT, 0, "larger than %u MiB: expected an ATT&CK bundle",
			  STIX_MAX_BYTES >> 20);
		break;
	case READ_END:
		error_set(err, ERROR_FORMAT, 0, "the file is empty: expected a STIX bundle");
		break;
	case READ_ERROR:
		break;
	}
	reader_close(r);
	if (!ok && sv_find(sv_cstr(err->message), sv_cstr(path)) == SIZE_MAX)
		error_prefix(err, "%s", path);
	return ok;
}

/* Is b the better answer: in force rather than withdrawn, then the newer one. */
static bool better(const struct kept *a, const struct kept *b)
{
	bool a_gone = a->ref.revoked || a->ref.deprecated;
	bool b_gone = b->ref.revoked || b->ref.deprecated;

	if (a_gone != b_gone)
		return a_gone;
	return sv_cmp(b->modified, a->modified) > 0;
}

/* The newest version of one object. */
static const struct kept *by_id(const struct stix *s, enum keep kind, struct sv id)
{
	const struct kept *found = NULL;

	for (size_t i = 0; i < s->n; i++) {
		const struct kept *k = &s->kept[i];
		if (k->kind == kind && sv_eq(k->ref.stix_id, id) &&
		    (found == NULL || sv_cmp(k->modified, found->modified) > 0))
			found = k;
	}
	return found;
}

static bool names_analytic(const struct kept *strategy, struct sv id)
{
	for (size_t i = 0; i < strategy->analytics.n; i++)
		if (sv_eq(strategy->analytics.items[i], id))
			return true;
	return false;
}

static void resolve_strategy(const struct stix *s, struct stix_analytic *a)
{
	const struct kept *strategy = NULL, *detects = NULL, *technique;

	for (size_t i = 0; i < s->n; i++) {
		const struct kept *k = &s->kept[i];
		if (k->kind == KEEP_STRATEGY && names_analytic(k, a->self.stix_id) &&
		    (strategy == NULL || better(strategy, k)))
			strategy = k;
	}
	if (strategy == NULL)
		return;
	a->strategy = strategy->ref;
	for (size_t i = 0; i < s->n; i++) {
		const struct kept *k = &s->kept[i];
		if (k->kind == KEEP_DETECTS && sv_eq(k->source, strategy->ref.stix_id) &&
		    (detects == NULL || better(detects, k)))
			detects = k;
	}
	if (detects == NULL)
		return;
	technique = by_id(s, KEEP_TECHNIQUE, detects->target);
	if (technique != NULL)
		a->technique = technique->ref;
	a->technique.stix_id = detects->target;
	/* A withdrawn relationship leaves the technique undetected all the same. */
	a->technique.revoked |= detects->ref.revoked;
	a->technique.deprecated |= detects->ref.deprecated;
}

bool stix_resolve(struct stix *s, struct stix_analytic *out, struct error *err)
{
	struct stix_analytic *a = &s->analytic;
	struct stix_log_source *sources;

	if (!s->found)
		return error_set(err, ERROR_FORMAT, 0,
				 "no analytic %.*s among the %zu STIX objects (%zu analytics): "
				 "expected an ATT&CK bundle, v18 or later, with the mobile domain",
				 SV_ARG(s->external_id), s->n_objects, s->n_analytics);
	sources = arena_copy(&s->arena, a->log_sources, a->n_log_sources * sizeof(*sources));
	a->n_open = 0;
	for (size_t i = 0; i < a->n_log_sources; i++) {
		const struct kept *component =
		    by_id(s, KEEP_COMPONENT, sources[i].component.stix_id);
		if (component != NULL)
			sources[i].component = component->ref;
		else
			a->n_open++;
	}
	a->log_sources = sources;
	resolve_strategy(s, a);
	a->n_objects = s->n_objects;
	*out = *a;
	return true;
}
