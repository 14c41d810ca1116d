#include "parse/stix_drift.h"

#include <openssl/sha.h>
#include <stdarg.h>
#include <stdio.h>

#define MAX_DRIFTS 4096u

struct report {
	struct arena *a;
	struct drift *items;
	size_t n;
};

void stix_digest(char hex[STIX_DIGEST_SIZE], struct sv text, struct arena *a)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char digest[SHA256_DIGEST_LENGTH] = { 0 };
	char *plain = arena_alloc(a, text.n + 1);
	size_t n = 0;

	text = sv_trim(text);
	while (text.n > 0) {
		struct sv rest = sv_trim(text);
		char c = text.p[0];

		if (rest.n < text.n) {
			plain[n++] = ' ';
			text = rest;
			continue;
		}
		plain[n++] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
		text = sv_skip(text, 1);
	}
	SHA256((const unsigned char *)plain, n, digest);
	for (size_t i = 0; i < sizeof(digest); i++) {
		hex[2 * i] = digits[digest[i] >> 4];
		hex[2 * i + 1] = digits[digest[i] & 15];
	}
	hex[2 * sizeof(digest)] = '\0';
}

static bool is_published(struct report *r, struct sv text, const struct implemented_text *own)
{
	char hex[STIX_DIGEST_SIZE];

	stix_digest(hex, text, r->a);
	return strcmp(hex, own->published) == 0;
}

/* One character too many, too few, another one, or two neighbours swapped. */
static bool one_slip(struct sv a, struct sv b)
{
	size_t head = 0, tail = 0;
	struct sv x, y;

	while (head < a.n && head < b.n && a.p[head] == b.p[head])
		head++;
	while (tail < a.n - head && tail < b.n - head && a.p[a.n - 1 - tail] == b.p[b.n - 1 - tail])
		tail++;
	x = sv_make(a.p + head, a.n - head - tail);
	y = sv_make(b.p + head, b.n - head - tail);
	if (x.n + y.n <= 1 || (x.n == 1 && y.n == 1))
		return true;
	return x.n == 2 && y.n == 2 && x.p[0] == y.p[1] && x.p[1] == y.p[0];
}

/* Short names that differ in a letter are other names. */
static bool misspelt(struct sv a, struct sv b) { return a.n > 5 && b.n > 5 && one_slip(a, b); }

static void add(struct report *r, enum drift_kind kind, bool note, struct sv subject,
		const char *fmt, ...) __attribute__((format(printf, 5, 6)));
static void add(struct report *r, enum drift_kind kind, bool note, struct sv subject,
		const char *fmt, ...)
{
	char text[1024];
	va_list args;

	if (r->n == MAX_DRIFTS)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	r->items[r->n++] = (struct drift){ kind, note, arena_sv(r->a, sv_first(subject, 200)),
					   arena_sv(r->a, sv_cstr(text)) };
}

static void withdrawn(struct report *r, const struct stix_ref *ref, const char *what)
{
	struct sv subject = sv_empty(ref->external_id) ? ref->stix_id : ref->external_id;

	if (ref->revoked)
		add(r, DRIFT_WITHDRAWN, false, subject, "the %s is revoked", what);
	else if (ref->deprecated)
		add(r, DRIFT_WITHDRAWN, false, subject, "the %s is deprecated", what);
}

static bool holds(const struct stix_strings *list, const char *word)
{
	for (size_t i = 0; i < list->n; i++)
		if (sv_eq_nocase(list->items[i], sv_cstr(word)))
			return true;
	return false;
}

static void compare_whole(struct report *r, const struct stix_analytic *b,
			  const struct implemented_analytic *i)
{
	struct sv id = sv_cstr(i->external_id);

	if (!sv_eq(b->version, sv_cstr(i->version)))
		add(r, DRIFT_VERSION, false, id,
		    "the bundle has x_mitre_version %.*s, implemented is %s",
		    SV_ARG(sv_empty(b->version) ? SV("(none)") : sv_first(b->version, 40)),
		    i->version);
	withdrawn(r, &b->self, "analytic");
	withdrawn(r, &b->strategy, "detection strategy");
	withdrawn(r, &b->technique, "technique or its `detects` relationship");
	if (!is_published(r, b->description, &i->description))
		add(r, DRIFT_DESCRIPTION, false, id,
		    "the description is another one; the bundle's begins: %.*s",
		    SV_ARG(sv_first(b->description, 160)));
	if (!holds(&b->platforms, i->platform))
		add(r, DRIFT_PLATFORM, false, id, "platform %s is no longer named", i->platform);
	if (!holds(&b->domains, i->domain))
		add(r, DRIFT_PLATFORM, false, id, "domain %s is no longer named", i->domain);
	if (b->strategy.resolved && !sv_eq(b->strategy.external_id, sv_cstr(i->strategy_id)))
		add(r, DRIFT_LINEAGE, false, b->strategy.external_id,
		    "the analytic belongs to strategy %.*s, implemented for %s",
		    SV_ARG(sv_first(b->strategy.external_id, 40)), i->strategy_id);
	if (b->technique.resolved && !sv_eq(b->technique.external_id, sv_cstr(i->technique_id)))
		add(r, DRIFT_LINEAGE, false, b->technique.external_id,
		    "the strategy detects %.*s, implemented for %s",
		    SV_ARG(sv_first(b->technique.external_id, 40)), i->technique_id);
}

/* How the name of a bundle stands to an implemented one. */
enum likeness { OTHER, MISSPELT, SYNONYM, SAME };

static enum likeness element_likeness(struct sv field, const struct implemented_element *e)
{
	struct sv own = sv_cstr(e->field);

	if (sv_eq(field, own))
		return SAME;
	for (size_t i = 0; i < sizeof(e->synonyms) / sizeof(e->synonyms[0]); i++)
		if (e->synonyms[i] != NULL && sv_eq_nocase(field, sv_cstr(e->synonyms[i])))
			return SYNONYM;
	return sv_eq_nocase(field, own) || misspelt(field, own) ? MISSPELT : OTHER;
}

static void compare_element(struct report *r, const struct stix_analytic *b,
			    const struct implemented_element *e, bool *taken)
{
	enum likeness best = OTHER, likeness;
	struct sv own = sv_cstr(e->field);
	size_t at = 0;

	for (size_t i = 0; i < b->n_elements; i++) {
		likeness = taken[i] ? OTHER : element_likeness(b->elements[i].field, e);
		if (likeness > best) {
			best = likeness;
			at = i;
		}
	}
	if (best == OTHER) {
		add(r, DRIFT_ELEMENT_MISSING, false, own,
		    "mutable element %s is implemented and not in the bundle", e->field);
		return;
	}
	taken[at] = true;
	if (best != SAME)
		add(r, DRIFT_ELEMENT_RENAMED, true, own, "the bundle calls %s %.*s (%s)", e->field,
		    SV_ARG(sv_first(b->elements[at].field, 80)),
		    best == SYNONYM ? "a known synonym" : "spelled differently");
	if (!is_published(r, b->elements[at].description, &e->description))
		add(r, DRIFT_ELEMENT_MEANING, false, own, "%s is described anew: %.*s", e->field,
		    SV_ARG(sv_first(b->elements[at].description, 200)));
}

static void compare_elements(struct report *r, const struct stix_analytic *b,
			     const struct implemented_analytic *implemented)
{
	bool *taken = arena_alloc(r->a, (b->n_elements + 1) * sizeof(*taken));

	for (size_t i = 0; i < 5; i++)
		compare_element(r, b, &implemented->elements[i], taken);
	for (size_t i = 0; i < b->n_elements; i++)
		if (!taken[i])
			add(r, DRIFT_ELEMENT_ADDED, false, b->elements[i].field,
			    "mutable element %.*s is new and not implemented: %.*s",
			    SV_ARG(sv_first(b->elements[i].field, 80)),
			    SV_ARG(sv_first(b->elements[i].description, 200)));
}

static void compare_source(struct report *r, const struct stix_analytic *b,
			   const struct implemented_source *s, bool *taken)
{
	enum likeness best = OTHER, likeness;
	struct sv own = sv_cstr(s->name);
	const struct stix_log_source *found;
	size_t at = 0;

	for (size_t i = 0; i < b->n_log_sources; i++) {
		struct sv name = b->log_sources[i].name;
		likeness = sv_eq(name, own)				    ? SAME
			   : sv_eq_nocase(name, own) || misspelt(name, own) ? MISSPELT
									    : OTHER;
		if (!taken[i] && likeness > best) {
			best = likeness;
			at = i;
		}
	}
	if (best == OTHER) {
		add(r, DRIFT_SOURCE_MISSING, false, own,
		    "log source %s is implemented and not in the bundle", s->name);
		return;
	}
	taken[at] = true;
	found = &b->log_sources[at];
	if (best == MISSPELT)
		add(r, DRIFT_SOURCE_SPELLING, true, own, "the bundle spells %s as %.*s", s->name,
		    SV_ARG(sv_first(found->name, 80)));
	if (!is_published(r, found->channel, &s->channel))
		add(r, DRIFT_SOURCE_CHANNEL, false, own, "%s is to show something else: %.*s",
		    s->name, SV_ARG(sv_first(found->channel, 300)));
	if (!sv_eq(found->component.stix_id, sv_cstr(s->component_ref)))
		add(r, DRIFT_SOURCE_COMPONENT, false, own, "%s refers to %.*s, implemented is %s",
		    s->name,
		    SV_ARG(sv_first(found->component.resolved ? found->component.external_id
							      : found->component.stix_id,
				    80)),
		    s->component_id);
	withdrawn(r, &found->component, "data component");
}

static void compare_sources(struct report *r, const struct stix_analytic *b,
			    const struct implemented_analytic *implemented)
{
	bool *taken = arena_alloc(r->a, (b->n_log_sources + 1) * sizeof(*taken));

	for (size_t i = 0; i < 4; i++)
		compare_source(r, b, &implemented->sources[i], taken);
	for (size_t i = 0; i < b->n_log_sources; i++)
		if (!taken[i])
			add(r, DRIFT_SOURCE_ADDED, false, b->log_sources[i].name,
			    "log source %.*s is new and not implemented: %.*s",
			    SV_ARG(sv_first(b->log_sources[i].name, 80)),
			    SV_ARG(sv_first(b->log_sources[i].channel, 300)));
}

size_t stix_drift(const struct stix_analytic *bundle, const struct implemented_analytic *against,
		  struct arena *a, const struct drift **out)
{
	struct report r = { .a = a };

	r.items = arena_alloc(a, MAX_DRIFTS * sizeof(*r.items));
	compare_whole(&r, bundle, against);
	compare_elements(&r, bundle, against);
	compare_sources(&r, bundle, against);
	*out = r.items;
	return r.n;
}

const char *drift_kind_name(enum drift_kind kind)
{
	static const char *const names[DRIFT_KINDS] = {
		[DRIFT_VERSION] = "version",
		[DRIFT_WITHDRAWN] = "withdrawn",
		[DRIFT_DESCRIPTION] = "description",
		[DRIFT_PLATFORM] = "platform",
		[DRIFT_LINEAGE] = "lineage",
		[DRIFT_ELEMENT_MISSING] = "element_missing",
		[DRIFT_ELEMENT_ADDED] = "element_added",
		[DRIFT_ELEMENT_RENAMED] = "element_renamed",
		[DRIFT_ELEMENT_MEANING] = "element_meaning",
		[DRIFT_SOURCE_MISSING] = "source_missing",
		[DRIFT_SOURCE_ADDED] = "source_added",
		[DRIFT_SOURCE_SPELLING] = "source_spelling",
		[DRIFT_SOURCE_CHANNEL] = "source_channel",
		[DRIFT_SOURCE_COMPONENT] = "source_component",
	};

	return names[kind];
}
