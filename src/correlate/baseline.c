#include "correlate/baseline.h"

#include <libpsl.h>
#include <stdlib.h>

struct pair_key {
	uint32_t app, domain;
};

/* The part of a host that somebody registered, by the public suffix list; the host itself where
 * there is none, as for addresses. */
static uint32_t domain_of(const psl_ctx_t *psl, struct names *names, uint32_t host)
{
	struct sv text = names_get(names, host);
	struct addr ip;
	const char *domain;

	if (psl == NULL || addr_parse(text, &ip))
		return host;
	domain = psl_registrable_domain(psl, text.p);
	return domain != NULL ? names_put(names, sv_cstr(domain)) : host;
}

static uint32_t pair_number(struct baseline *b, uint32_t app, uint32_t domain, uint32_t *n)
{
	struct pair_key key = { app, domain };
	uint32_t *slot = keymap_slot(&b->_pairs, &key);

	if (*slot == KEYMAP_NONE)
		*slot = (*n)++;
	return *slot;
}

static bool is_declared(const struct activity_what *w)
{
	return w->event == ACTIVITY_DECLARED && w->bundle != 0 && w->host != 0;
}

void baseline_build(struct baseline *b, const struct facts *f, const struct context *c)
{
	const psl_ctx_t *psl = psl_builtin();
	const struct activities *a = c->activities;
	size_t n = f->n + a->n_records;
	uint32_t *of = xmalloc(n * sizeof(*of)), n_pairs = 0;

	*b = (struct baseline){ ._facts = f, ._context = c, ._fleet_since = INT64_MAX };
	keymap_init(&b->_pairs, sizeof(struct pair_key), c->seed);
	b->_domains = xcalloc(f->n_destinations, sizeof(*b->_domains));
	for (uint32_t d = 1; d < f->n_destinations; d++)
		b->_domains[d] = domain_of(psl, c->names, f->destinations[d].host);
	for (size_t i = 0; i < f->n; i++)
		of[i] =
		    pair_number(b, f->list[i].app, b->_domains[f->list[i].destination], &n_pairs);
	if (f->n > 0)
		b->_fleet_since = f->list[0].start;
	for (size_t i = 0; i < a->n_records; i++) {
		const struct activity_record *r = &a->records[i];
		const struct activity_what *w = activity_what(a, r);
		of[f->n + i] = GROUP_SKIP;
		if (!is_declared(w))
			continue;
		of[f->n + i] =
		    pair_number(b, w->bundle, domain_of(psl, c->names, w->host), &n_pairs);
		if (r->time < b->_fleet_since)
			b->_fleet_since = r->time;
	}
	b->_sightings = group_items(of, n, n_pairs);
	free(of);
}

void baseline_free(struct baseline *b)
{
	free(b->_domains);
	keymap_free(&b->_pairs);
	grouping_free(&b->_sightings);
}

bool baseline_learning(const struct baseline *b, int64_t t)
{
	return t - b->_fleet_since < (int64_t)b->_context->settings->baseline_days * NS_PER_DAY;
}

/* Adds a number to a small set that is full at `max`. */
static void note(int64_t *set, uint32_t *n, uint32_t max, int64_t value)
{
	for (uint32_t i = 0; i < *n; i++)
		if (set[i] == value)
			return;
	if (*n < max)
		set[(*n)++] = value;
}

bool baseline_holds(const struct baseline *b, uint32_t app, uint32_t destination, int64_t t)
{
	const struct settings *s = b->_context->settings;
	struct pair_key key = { app, b->_domains[destination] };
	uint32_t number = keymap_get(&b->_pairs, &key), n_days = 0, n_devices = 0;
	uint32_t want = s->baseline_devices > 2 ? s->baseline_devices : 2;
	int64_t *days, *devices;
	struct group g;
	bool holds = false;

	if (number == KEYMAP_NONE)
		return false;
	g = grouping_at(&b->_sightings, number);
	days = xcalloc((size_t)s->baseline_days + 1, sizeof(*days));
	devices = xcalloc((size_t)want + 1, sizeof(*devices));
	for (size_t i = 0; i < g.n && !holds; i++) {
		int64_t time;
		uint32_t device;

		if (g.items[i] < b->_facts->n) {
			const struct fact *x = &b->_facts->list[g.items[i]];
			time = x->start;
			device = x->device;
		} else {
			const struct activity_record *r =
			    &b->_context->activities->records[g.items[i] - b->_facts->n];
			time = r->time;
			device = r->device;
		}
		if (time >= t)
			continue;
		note(days, &n_days, s->baseline_days + 1, time / NS_PER_DAY);
		note(devices, &n_devices, want + 1, device);
		holds = (n_days >= s->baseline_days && n_devices >= 2) ||
			n_devices >= s->baseline_devices;
	}
	free(days);
	free(devices);
	return holds;
}
