#include "correlate/state.h"

#include <stdlib.h>

struct case_key {
	uint32_t device, destination;
};

/* What the gateway recorded, by device and by (device, destination). */
struct gateway_view {
	struct grouping by_case, by_device;
	struct keymap cases;
};

static void set_state(struct fact *x, enum inspection i, enum bypass_reason r)
{
	x->inspection = i & 3u;
	x->bypass_reason = r & 3u;
}

static void gateway_view_build(struct gateway_view *v, const struct facts *f,
			       const struct context *c)
{
	uint32_t *by_case = xmalloc(f->n * sizeof(*by_case));
	uint32_t *by_device = xmalloc(f->n * sizeof(*by_device));
	uint32_t n_cases = 0, n_devices = 1;

	keymap_init(&v->cases, sizeof(struct case_key), c->seed);
	for (size_t i = 0; i < f->n; i++) {
		const struct fact *x = &f->list[i];
		const struct said *s = fact_said(c, x);

		by_case[i] = by_device[i] = GROUP_SKIP;
		if (!(s->flags & SEEN_INSPECTION))
			continue;
		by_device[i] = x->device;
		if (x->device >= n_devices)
			n_devices = x->device + 1;
		if (s->inspection[0] != INSPECTION_UNKNOWN) {
			struct case_key key = { x->device, x->destination };
			uint32_t *slot = keymap_slot(&v->cases, &key);
			if (*slot == KEYMAP_NONE)
				*slot = n_cases++;
			by_case[i] = *slot;
		}
	}
	v->by_case = group_items(by_case, f->n, n_cases);
	v->by_device = group_items(by_device, f->n, n_devices);
	free(by_case);
	free(by_device);
}

/* The fact of the case nearest to x within the window, the earlier of two equally near; NULL if
 * none. */
static const struct fact *nearest(const struct gateway_view *v, const struct facts *f,
				  const struct fact *x, int64_t window)
{
	struct case_key key = { x->device, x->destination };
	uint32_t number = keymap_get(&v->cases, &key);
	const struct fact *before = NULL, *after = NULL;
	struct group g;
	size_t at;

	if (number == KEYMAP_NONE)
		return NULL;
	g = grouping_at(&v->by_case, number);
	at = facts_from(f, g, x->start);
	/* Of equal starts the one made first. */
	if (at > 0)
		before = &f->list[g.items[facts_from(f, g, f->list[g.items[at - 1]].start)]];
	if (at < g.n)
		after = &f->list[g.items[at]];
	if (before != NULL && x->start - before->start > window)
		before = NULL;
	if (after != NULL && after->start - x->start > window)
		after = NULL;
	if (before == NULL || after == NULL)
		return before != NULL ? before : after;
	return x->start - before->start <= after->start - x->start ? before : after;
}

static bool gateway_logs(const struct gateway_view *v, const struct facts *f, const struct fact *x,
			 int64_t window)
{
	struct group g;
	size_t at;

	if (x->device >= v->by_device.n_groups)
		return false;
	g = grouping_at(&v->by_device, x->device);
	at = facts_from(f, g, x->start - window);
	return at < g.n && f->list[g.items[at]].start <= x->start + window;
}

static bool issued_by_gateway(const struct context *c, uint32_t issuer)
{
	struct sv text = names_get(c->names, issuer);

	for (size_t i = 0; i < c->settings->n_issuers; i++)
		if (sv_find(text, c->settings->issuers[i]) != SIZE_MAX)
			return true;
	return false;
}

static void infer(struct fact *x, const struct facts *f, const struct context *c,
		  const struct gateway_view *v)
{
	const struct settings *s = c->settings;
	uint8_t flags = fact_said(c, x)->flags;
	uint32_t issuer = fact_peers(c, x)->issuer;
	bool around = s->n_listeners > 0 && !(flags & WENT_TO_LISTENER) && (flags & WENT_ELSEWHERE);
	const struct fact *gateway;

	if (flags & SEEN_INSPECTION)
		return;
	if (flags & WAS_OUTSIDE) {
		set_state(x, UNINSPECTED, BYPASS_UNKNOWN);
		return;
	}
	if (flags & WAS_UDP) {
		set_state(x, BYPASSED, BYPASS_UNKNOWN);
		return;
	}
	gateway = around ? NULL : nearest(v, f, x, s->time_window.ns);
	if (gateway != NULL)
		set_state(x, (enum inspection)fact_said(c, gateway)->inspection[0],
			  (enum bypass_reason)fact_said(c, gateway)->bypass_reason[0]);
	else if (issuer != 0 && s->n_issuers > 0)
		set_state(x, issued_by_gateway(c, issuer) ? INTERCEPTED : BYPASSED, BYPASS_UNKNOWN);
	else if (gateway_logs(v, f, x, s->time_window.ns))
		set_state(x, BYPASSED, BYPASS_UNKNOWN);
}

static void infer_stretch(struct facts *f, const struct context *c, size_t from, size_t to,
			  void *arg)
{
	const struct gateway_view *v = arg;

	for (size_t i = from; i < to; i++) {
		struct fact *x = &f->list[i];
		const struct said *s = fact_said(c, x);
		int who = s->inspection[0] != INSPECTION_UNKNOWN ? 0 : 1;

		if (s->inspection[who] != INSPECTION_UNKNOWN)
			set_state(x, (enum inspection)s->inspection[who],
				  (enum bypass_reason)s->bypass_reason[who]);
		else
			infer(x, f, c, v);
	}
}

void infer_states(struct facts *f, const struct context *c)
{
	struct gateway_view v;

	gateway_view_build(&v, f, c);
	facts_each(f, c, infer_stretch, &v);
	grouping_free(&v.by_case);
	grouping_free(&v.by_device);
	keymap_free(&v.cases);
}
