/* A finding, as it is told, from the case that was judged. */
#include "judge/judge_internal.h"
#include "judge/uid.h"

void fill_excluded(const struct fact **facts, size_t n, struct finding *out)
{
	for (size_t i = 0; i < n; i++) {
		if (facts[i]->excluded_ca)
			out->excluded_ca_untrusted =
			    count_add(out->excluded_ca_untrusted, facts[i]->count);
		else if (facts[i]->excluded_gateway)
			out->excluded_gateway_fault =
			    count_add(out->excluded_gateway_fault, facts[i]->count);
	}
}

/* For whoever asks what a network would cover. */
static void list_servers(const struct sitting *s, struct finding *out)
{
	const struct context *c = s->bench->context;
	struct addr *list = arena_alloc(s->arena, FINDING_MAX_SERVERS * sizeof(*list));
	size_t n = 0;

	for (size_t i = 0; i < s->n_window && !out->more_servers; i++) {
		const struct addr *a =
		    names_addr_get(c->names, fact_peers(c, s->window[i])->server);
		size_t at = 0;

		while (at < n && memcmp(&list[at], a, sizeof(*a)) < 0)
			at++;
		if (!addr_known(a) || (at < n && addr_eq(&list[at], a)))
			continue;
		if (n == FINDING_MAX_SERVERS) {
			out->more_servers = true;
			continue;
		}
		memmove(&list[at + 1], &list[at], (n++ - at) * sizeof(*list));
		list[at] = *a;
	}
	out->servers = list;
	out->n_servers = n;
}

void fill_finding(const struct version_case *c, struct finding *out)
{
	const struct sitting *s = c->sitting;
	const struct bench *b = s->bench;
	const struct destination *d = &b->facts->destinations[s->destination];
	struct names *names = b->context->names;

	out->verdict = c->verdict;
	out->without_lists = c->without_lists;
	out->explained_by = c->explained_by;
	out->bundle_id = names_get(names, s->app);
	out->app_version = names_get(names, c->version);
	out->host = names_get(names, d->host);
	out->port = (uint16_t)d->port;
	uid_pinning(out->uid, out->bundle_id, out->host, d->port);
	out->score_centidb = c->score;
	out->paths = c->paths;
	out->first_seen.ns = s->first_seen;
	out->last_seen.ns = s->last_seen;
	out->contributions =
	    arena_copy(s->arena, c->contributions, c->n_contributions * sizeof(*c->contributions));
	out->n_contributions = c->n_contributions;
	out->controls_met = c->controls;
	memcpy(out->rivals, c->rivals, sizeof(out->rivals));
	fill_excluded(s->window, s->n_window, out);
	judge_risk(c, out);
	list_devices(s, out);
	list_evidence(b, s->arena, s->scratch, s->window, s->n_window, s->app, out);
	write_notes(c, out);
	if (is_shown(c->verdict))
		list_servers(s, out);
}
