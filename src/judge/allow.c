#include "judge/allow.h"

#include <stdlib.h>

static bool app_matches(struct sv pattern, struct sv app)
{
	if (sv_empty(pattern))
		return true;
	if (sv_ends(pattern, SV(".*")))
		return sv_starts(app, sv_first(pattern, pattern.n - 1));
	return sv_eq(pattern, app);
}

static bool any_app(const struct allowance *e, struct sv app)
{
	if (!app_matches(e->app, app))
		return false;
	for (size_t i = 0; i < e->n_apps; i++)
		if (app_matches(e->apps[i], app))
			return true;
	return e->n_apps == 0;
}

/* `server` may be NULL; then a CIDR counts as met (the question is whether it could be). */
static bool destination_matches(struct sv pattern, struct sv host, const struct addr *server)
{
	struct addr ip;
	struct cidr range;

	if (sv_starts(pattern, SV(".")))
		return sv_ends(host, pattern) || sv_eq(host, sv_skip(pattern, 1));
	if (sv_eq(pattern, host))
		return true;
	if (!cidr_parse(pattern, &range))
		return false;
	if (addr_parse(host, &ip) && cidr_holds(&range, &ip))
		return true;
	return server == NULL || (addr_known(server) && cidr_holds(&range, server));
}

static bool any_destination(const struct allowance *e, struct sv host, const struct addr *server)
{
	for (size_t i = 0; i < e->n_destinations; i++)
		if (destination_matches(e->destinations[i], host, server))
			return true;
	return e->n_destinations == 0;
}

void allow_build(struct allow *a, const struct facts *f, const struct context *c)
{
	const struct settings *s = c->settings;

	*a = (struct allow){ ._context = c, ._facts = f };
	a->_possible = xcalloc(f->n_findings, 1);
	for (uint32_t i = 1; i < f->n_findings && s->n_allowances > 0; i++) {
		struct sv app = names_get(c->names, f->findings[i].app);
		uint32_t host = f->destinations[f->findings[i].destination].host;
		for (size_t k = 0; k < s->n_allowances && !a->_possible[i]; k++)
			a->_possible[i] =
				any_app(&s->allowances[k], app) &&
				any_destination(&s->allowances[k], names_get(c->names, host), NULL);
	}
}

void allow_free(struct allow *a)
{
	free(a->_possible);
}

const struct allowance *allow_covering(const struct allow *a, const struct fact *x)
{
	const struct context *c = a->_context;
	const struct settings *s = c->settings;
	const struct addr *server;
	struct sv app, host;

	if (!a->_possible[x->finding])
		return NULL;
	server = names_addr_get(c->names, fact_peers(c, x)->server);
	app = names_get(c->names, x->app);
	host = names_get(c->names, a->_facts->destinations[x->destination].host);
	for (int list = 1; list >= 0; list--)
		for (size_t k = 0; k < s->n_allowances; k++) {
			const struct allowance *e = &s->allowances[k];
			if (e->is_app_list != (list == 1))
				continue;
			if (instant_known(e->expires) && x->start > e->expires.ns)
				continue;
			if (any_app(e, app) && any_destination(e, host, server))
				return e;
		}
	return NULL;
}
