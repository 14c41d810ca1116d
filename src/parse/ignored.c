#include "parse/ignored.h"

void ignored_hosts_init(struct ignored_hosts *h, const struct sv *entries, size_t n)
{
	*h = (struct ignored_hosts){ 0 };
	h->names = arena_alloc(&h->arena, n * sizeof(*h->names));
	h->nets = arena_alloc(&h->arena, n * sizeof(*h->nets));
	for (size_t i = 0; i < n; i++) {
		struct sv entry = sv_trim(entries[i]);

		if (cidr_parse(entry, &h->nets[h->n_nets]))
			h->n_nets++;
		else if (entry.n > 0)
			h->names[h->n_names++] = arena_sv(&h->arena, entry);
	}
}

void ignored_hosts_free(struct ignored_hosts *h) { arena_free(&h->arena); }

static bool name_covers(struct sv entry, struct sv host)
{
	if (entry.p[0] != '.')
		return sv_eq_nocase(entry, host);
	if (host.n >= entry.n)
		return sv_eq_nocase(entry, sv_skip(host, host.n - entry.n));
	return sv_eq_nocase(sv_skip(entry, 1), host);
}

static bool covers(const struct ignored_hosts *h, const struct observation *o)
{
	struct sv host = o->tls.sni.n > 0 ? o->tls.sni : o->dst.hostname;

	for (size_t i = 0; i < h->n_names; i++)
		if (name_covers(h->names[i], host))
			return true;
	for (size_t i = 0; i < h->n_nets && addr_known(&o->dst.ip); i++)
		if (cidr_holds(&h->nets[i], &o->dst.ip))
			return true;
	return false;
}

void ignored_hosts_apply(const struct ignored_hosts *h, struct observation *o)
{
	if (o->kind != OBS_TLS_ATTEMPT || !o->tls.weak_late || h->n_names + h->n_nets == 0 ||
	    !covers(h, o))
		return;
	o->tls.inspection = BYPASSED;
	o->tls.bypass_reason = BYPASS_POLICY;
	o->tls.outcome = OUTCOME_UNKNOWN;
	o->tls.weak_late = false;
}
