#include "judge/allow.h"

#include <stdlib.h>

#include "judge/allow_index.h"
#include "judge/uid.h"

/* An entry's patterns, taken apart once. */
struct pattern {
	enum { NAME, APP_PREFIX, HOST_SUFFIX, NETWORK } kind;
	struct sv text;
	struct cidr range;
};

struct allow_rule {
	const struct allowance *entry;
	struct pattern *apps, *destinations; /* none: any */
	size_t n_apps, n_destinations;
};

static struct pattern app_pattern(struct sv text)
{
	if (sv_ends(text, SV(".*")))
		return (struct pattern){ .kind = APP_PREFIX, .text = sv_first(text, text.n - 1) };
	return (struct pattern){ .kind = NAME, .text = text };
}

static struct pattern destination_pattern(struct sv text)
{
	struct pattern p = { .kind = NAME, .text = text };

	if (sv_starts(text, SV(".")))
		p.kind = HOST_SUFFIX;
	else if (cidr_parse(text, &p.range))
		p.kind = NETWORK;
	return p;
}

static void compile(struct allow_rule *r, const struct allowance *e, struct arena *a)
{
	r->entry = e;
	r->apps = arena_alloc(a, (e->n_apps + 1) * sizeof(*r->apps));
	r->destinations = arena_alloc(a, e->n_destinations * sizeof(*r->destinations));
	if (!sv_empty(e->app))
		r->apps[r->n_apps++] = app_pattern(e->app);
	for (size_t i = 0; i < e->n_apps; i++)
		r->apps[r->n_apps++] = app_pattern(e->apps[i]);
	for (size_t i = 0; i < e->n_destinations; i++)
		r->destinations[r->n_destinations++] = destination_pattern(e->destinations[i]);
}

static bool any_app(const struct allow_rule *r, struct sv app)
{
	for (size_t i = 0; i < r->n_apps; i++) {
		const struct pattern *p = &r->apps[i];
		if (p->kind == APP_PREFIX ? sv_starts(app, p->text) : sv_eq(app, p->text))
			return true;
	}
	return r->n_apps == 0;
}

/* A destination as the patterns look at it. */
struct place {
	struct sv host;
	struct addr ip;		   /* the host, where it is an address */
	const struct addr *server; /* NULL: any; a network counts as met, for the question is
				      whether it could be */
};

static bool destination_matches(const struct pattern *p, const struct place *at)
{
	if (p->kind == HOST_SUFFIX)
		return sv_ends(at->host, p->text) || sv_eq(at->host, sv_skip(p->text, 1));
	if (sv_eq(p->text, at->host))
		return true;
	if (p->kind != NETWORK)
		return false;
	if (addr_known(&at->ip) && cidr_holds(&p->range, &at->ip))
		return true;
	return at->server == NULL || (addr_known(at->server) && cidr_holds(&p->range, at->server));
}

static bool any_destination(const struct allow_rule *r, const struct place *at)
{
	for (size_t i = 0; i < r->n_destinations; i++)
		if (destination_matches(&r->destinations[i], at))
			return true;
	return r->n_destinations == 0;
}

static struct place place_of(const struct allow *a, uint32_t destination, const struct addr *server)
{
	struct place at = { .server = server };

	at.host = names_get(a->_context->names, a->_facts->destinations[destination].host);
	if (!addr_parse(at.host, &at.ip))
		at.ip = (struct addr){ { 0 } };
	return at;
}

struct search {
	const struct allow_rule *rules;
	struct allow_index index;
	uint32_t *found;
	size_t capacity;
};

/* AllowedAppList first, each list in the order of the settings. */
static int by_precedence(const void *a, const void *b, void *arg)
{
	const struct search *s = arg;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	if (s->rules[x].entry->is_app_list != s->rules[y].entry->is_app_list)
		return s->rules[x].entry->is_app_list ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* The entries that could cover a finding, behind the n candidates that are there; returns how many
 * there are then. */
static size_t add_candidates(struct allow *a, struct search *s, uint32_t finding, size_t n)
{
	struct sv app = names_get(a->_context->names, a->_facts->findings[finding].app);
	struct place at = place_of(a, a->_facts->findings[finding].destination, NULL);
	size_t found = allow_index_find(&s->index, app, at.host, s->found), kept = 0;

	for (size_t i = 0; i < found; i++)
		if (any_app(&s->rules[s->found[i]], app) &&
		    any_destination(&s->rules[s->found[i]], &at))
			s->found[kept++] = s->found[i];
	if (kept > 1)
		qsort_r(s->found, kept, sizeof(*s->found), by_precedence, s);
	if (n + kept > s->capacity) {
		s->capacity = (n + kept) * 2 + 64;
		a->_candidates = xrealloc(a->_candidates, s->capacity, sizeof(*a->_candidates));
	}
	if (kept > 0)
		memcpy(a->_candidates + n, s->found, kept * sizeof(*s->found));
	return n + kept;
}

void allow_build(struct allow *a, const struct facts *f, const struct context *c)
{
	const struct settings *settings = c->settings;
	struct allow_rule *rules;
	struct search s = { 0 };
	uint32_t *from;
	size_t n = 0;

	*a = (struct allow){ ._context = c, ._facts = f };
	if (settings->n_allowances == 0)
		return;
	rules = arena_alloc(&a->_arena, settings->n_allowances * sizeof(*rules));
	from = arena_alloc(&a->_arena, ((size_t)f->n_findings + 1) * sizeof(*from));
	for (size_t i = 0; i < settings->n_allowances; i++)
		compile(&rules[i], &settings->allowances[i], &a->_arena);
	s.rules = rules;
	s.found = xcalloc(settings->n_allowances, sizeof(*s.found));
	allow_index_build(&s.index, settings, c->seed);
	for (uint32_t i = 1; i < f->n_findings; i++) {
		from[i] = (uint32_t)n;
		n = add_candidates(a, &s, i, n);
	}
	from[f->n_findings] = (uint32_t)n;
	allow_index_free(&s.index);
	free(s.found);
	a->_rules = rules;
	a->_from = from;
}

void allow_free(struct allow *a)
{
	free(a->_candidates);
	arena_free(&a->_arena);
}

static bool covers(const struct allow_rule *r, const struct fact *x, const struct place *at)
{
	return (!instant_known(r->entry->expires) || x->start <= r->entry->expires.ns) &&
	       any_destination(r, at);
}

/* From candidate *at on: the next that covers the attempt; *at is left behind it. */
static const struct allow_rule *next_covering(const struct allow *a, const struct fact *x,
					      uint32_t *at)
{
	const struct context *c = a->_context;
	uint32_t end = a->_from[x->finding + 1];
	struct place place;

	if (*at == end)
		return NULL;
	place = place_of(a, x->destination, names_addr_get(c->names, fact_peers(c, x)->server));
	while (*at < end) {
		const struct allow_rule *r = &a->_rules[a->_candidates[(*at)++]];
		if (covers(r, x, &place))
			return r;
	}
	return NULL;
}

const struct allowance *allow_covering(const struct allow *a, const struct fact *x)
{
	const struct allow_rule *r;
	uint32_t at;

	if (a->_from == NULL)
		return NULL;
	at = a->_from[x->finding];
	r = next_covering(a, x, &at);
	return r != NULL ? r->entry : NULL;
}

/* ---- counting */

static void count_attempt(const struct allow *a, const struct fact *x, struct allow_covered *counts)
{
	uint32_t first = a->_from[x->finding], at = first;
	struct allow_covered *only = NULL;
	size_t n = 0;

	while (next_covering(a, x, &at) != NULL) {
		struct allow_covered *w = &counts[at - 1 - first];

		w->attempts += x->count;
		if (x->start > w->last.ns)
			w->last.ns = x->start;
		only = w;
		n++;
	}
	if (n == 1)
		only->only += x->count;
}

static void name_finding(const struct allow *a, uint32_t number, char uid[37])
{
	const struct pair_number *pair = &a->_facts->findings[number];
	const struct destination *d = &a->_facts->destinations[pair->destination];

	uid_pinning(uid, names_get(a->_context->names, pair->app),
		    names_get(a->_context->names, d->host), d->port);
}

void allow_count(const struct allow *a, struct arena *arena, struct allow_tally *out)
{
	struct allow_covered *list;
	size_t n = 0;

	*out = (struct allow_tally){ 0 };
	if (a->_from == NULL)
		return;
	list = arena_alloc(arena, a->_from[a->_facts->n_findings] * sizeof(*list));
	for (uint32_t i = 1; i < a->_facts->n_findings; i++) {
		uint32_t candidates = a->_from[i + 1] - a->_from[i];
		struct group g = grouping_at(&a->_facts->by_finding, i);
		struct allow_covered *here = &list[n];
		size_t kept = 0;

		if (candidates == 0)
			continue;
		for (uint32_t k = 0; k < candidates; k++)
			here[k] =
			    (struct allow_covered){ .allowance = a->_candidates[a->_from[i] + k],
						    .last = INSTANT_NONE };
		for (size_t k = 0; k < g.n; k++)
			count_attempt(a, &a->_facts->list[g.items[k]], here);
		for (uint32_t k = 0; k < candidates; k++)
			if (here[k].attempts > 0)
				here[kept++] = here[k];
		if (kept > 0)
			name_finding(a, i, here[0].uid);
		for (size_t k = 1; k < kept; k++)
			memcpy(here[k].uid, here[0].uid, sizeof(here[k].uid));
		n += kept;
	}
	*out = (struct allow_tally){ list, n };
}
