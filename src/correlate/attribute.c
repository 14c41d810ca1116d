#include "correlate/attribute.h"

#include "correlate/facts_internal.h"

static void set_app(struct fact *x, uint32_t app, enum attribution how)
{
	x->app = app;
	x->attribution = how & 7u;
}

static bool ambiguous(const struct context *c, uint32_t device)
{
	return c->devices->list[device].ambiguous;
}

uint32_t attribute_agent_name(struct names *names, uint32_t agent)
{
	struct sv text = names_get(names, agent), rest, name;
	char decoded[256];
	size_t n = 0;

	if (sv_find(text, SV(" CFNetwork/")) == SIZE_MAX)
		return 0;
	name = sv_cut(text, '/', &rest);
	for (size_t i = 0; i < name.n && n < sizeof(decoded); i++) {
		uint64_t byte;
		if (name.p[i] == '%' && i + 2 < name.n &&
		    sv_hex_to_u64(sv_make(name.p + i + 1, 2), &byte)) {
			decoded[n++] = (char)byte;
			i += 2;
		} else {
			decoded[n++] = name.p[i];
		}
	}
	return names_put(names, sv_make(decoded, n));
}

static uint32_t by_agent(const struct context *c, uint32_t name, const struct fact *x)
{
	if (name == 0)
		return 0;
	return posture_app_named(c->postures, ambiguous(c, x->device) ? 0 : x->device, name,
				 x->start);
}

struct candidates {
	const struct context *c;
	const struct fact *x;
	uint32_t app;
	bool several;
};

static void consider(void *arg, uint32_t bundle)
{
	struct candidates *k = arg;
	struct app_entry e;

	if (!ambiguous(k->c, k->x->device) &&
	    posture_app(k->c->postures, k->x->device, bundle, k->x->start, &e) == TRI_FALSE)
		return;
	k->several |= k->app != 0 && k->app != bundle;
	k->app = bundle;
}

static uint32_t by_learning(const struct facts *f, const struct context *c, const struct fact *x)
{
	struct candidates k = { .c = c, .x = x };
	int64_t until = x->start + c->settings->time_window.ns;

	learned_at(&c->activities->learned, fact_peers(c, x)->host, until, consider, &k);
	learned_at(&f->taught, fact_peers(c, x)->host, until, consider, &k);
	return k.several ? 0 : k.app;
}

static void attribute_surely(struct facts *f, const struct context *c, size_t from, size_t to,
			     void *arg)
{
	int64_t window = c->settings->time_window.ns;

	(void)arg;
	for (size_t i = from; i < to; i++) {
		struct fact *x = &f->list[i];
		const struct peers *p;
		uint32_t app = 0;

		facts_ahead(f, c, i);
		p = fact_peers(c, x);
		if (p->bundle != 0) {
			set_app(x, p->bundle, ATTRIBUTION_EXACT);
		} else if (c->activities->n_records > 0 && !ambiguous(c, x->device)) {
			app = activity_contact(c->activities, x->device, p->host, p->server,
					       x->start, window);
			if (app != 0)
				set_app(x, app, ATTRIBUTION_HOST);
		}
	}
}

/* What is sure teaches the fleet. Facts come by start, so of equal ones the first says since
 * when. */
static void teach(struct facts *f, const struct context *c)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct fact *x = &f->list[i];
		struct facts_common *k;

		facts_ahead(f, c, i);
		k = facts_common(f, c, x);
		if (x->app == 0 || (x->attribution == ATTRIBUTION_EXACT && k->taught))
			continue;
		learned_add(&f->taught, fact_peers(c, x)->host, x->app, x->start);
		k->taught = x->attribution == ATTRIBUTION_EXACT;
	}
}

static void attribute_rest(struct facts *f, const struct context *c, size_t from, size_t to,
			   void *arg)
{
	int64_t state_age = c->settings->state_max_age.ns;
	uint32_t app;

	(void)arg;
	for (size_t i = from; i < to; i++) {
		struct fact *x = &f->list[i];

		if (x->app != 0)
			continue;
		if ((app = by_agent(c, facts_common(f, c, x)->agent_name, x)) != 0)
			set_app(x, app, ATTRIBUTION_AGENT);
		else if ((app = by_learning(f, c, x)) != 0)
			set_app(x, app, ATTRIBUTION_LEARNED);
		else if (!ambiguous(c, x->device) &&
			 (app = activity_foreground(c->activities, x->device, x->start,
						    state_age)) != 0)
			set_app(x, app, ATTRIBUTION_FOREGROUND);
	}
}

static void set_versions(struct facts *f, const struct context *c, size_t from, size_t to,
			 void *arg)
{
	(void)arg;
	for (size_t i = from; i < to; i++) {
		struct fact *x = &f->list[i];
		struct app_entry e;

		facts_ahead(f, c, i);
		x->version = fact_peers(c, x)->version;
		if (x->version == 0 && x->app != 0 && !ambiguous(c, x->device) &&
		    posture_app(c->postures, x->device, x->app, x->start, &e) == TRI_TRUE)
			x->version = e.version;
	}
}

void attribute_facts(struct facts *f, const struct context *c)
{
	facts_each(f, c, attribute_surely, NULL);
	teach(f, c);
	facts_each(f, c, attribute_rest, NULL);
	facts_each(f, c, set_versions, NULL);
}
