#include "correlate/facts.h"

#include <stdlib.h>

#include "correlate/attribute.h"
#include "correlate/bytes.h"
#include "correlate/facts_internal.h"
#include "correlate/state.h"

#define DEFAULT_PORT 443

static uint32_t destination_number(struct facts *f, uint32_t host, uint32_t port)
{
	struct destination key = { host, port };
	uint32_t *slot = keymap_slot(&f->_destination_numbers, &key);

	if (*slot == KEYMAP_NONE) {
		if (f->n_destinations == f->_destinations_capacity)
			f->destinations = xrealloc(f->destinations, f->_destinations_capacity *= 2,
						   sizeof(*f->destinations));
		f->destinations[f->n_destinations] = key;
		*slot = f->n_destinations++;
	}
	return *slot;
}

static uint32_t finding_number(struct facts *f, uint32_t app, uint32_t destination)
{
	struct pair_number key = { app, destination };
	uint32_t *slot = keymap_slot(&f->_finding_numbers, &key);

	if (*slot == KEYMAP_NONE) {
		if (f->n_findings == f->_findings_capacity)
			f->findings =
			    xrealloc(f->findings, f->_findings_capacity *= 2, sizeof(*f->findings));
		f->findings[f->n_findings] = key;
		*slot = f->n_findings++;
	}
	return *slot;
}

/* Middle part of a JA4 (`t13d1516h2_8daaf6152771_02713d6af862`): the ciphers, which neither
 * extension order nor resumption changes. */
static uint32_t cipher_part(struct names *names, uint32_t ja4)
{
	struct sv rest, tail;

	sv_cut(names_get(names, ja4), '_', &rest);
	return rest.p == NULL ? 0 : names_put(names, sv_cut(rest, '_', &tail));
}

/* Attempts that can be judged, in order of start. */
static void select_attempts(struct facts *f, const struct context *c)
{
	const struct attempts *t = &c->merge->attempts;
	int64_t *starts = xmalloc((size_t)t->n * sizeof(*starts));
	uint32_t *numbers = xmalloc((size_t)t->n * sizeof(*numbers));
	uint32_t *order;
	size_t n = 0;

	for (uint32_t i = 1; i < t->n; i++) {
		const struct peers *p = attempt_peers(t, i);

		if (!(attempt_said(t, i)->flags & SEEN_TLS))
			continue;
		if (p->host == 0) {
			f->without_host++;
			continue;
		}
		if (p->client == 0 && p->keys == 0) {
			f->without_client++;
			continue;
		}
		starts[n] = t->records[i].start;
		numbers[n++] = i;
	}
	order = order_by_key(starts, n);
	f->list = xcalloc(n, sizeof(*f->list));
	f->n = n;
	for (size_t i = 0; i < n; i++) {
		f->list[i].attempt = numbers[order[i]];
		f->list[i].start = starts[order[i]];
	}
	free(order);
	free(starts);
	free(numbers);
}

static struct facts_common *common_of(struct facts *f, const struct context *c,
				      const struct fact *x)
{
	const struct peers *p = fact_peers(c, x);
	struct facts_common *k = facts_common(f, c, x);
	uint32_t port = p->inspecting_port != 0 ? p->inspecting_port : p->join_port;

	if (k->destination != 0)
		return k;
	*k = (struct facts_common){
		.destination = destination_number(f, p->host, port != 0 ? port : DEFAULT_PORT),
		.stack = p->ja4 != 0 ? cipher_part(c->names, p->ja4) : 0,
		.device = devices_at_any_time(c->devices, p->keys),
		.agent_name = p->agent != 0 ? attribute_agent_name(c->names, p->agent) : 0,
	};
	if (k->stack == 0) {
		k->stack = p->ja3;
		k->stack_is_ja3 = true;
	}
	return k;
}

static void resolve(struct facts *f, const struct context *c)
{
	for (size_t i = 0; i < f->n; i++) {
		struct fact *x = &f->list[i];
		const struct facts_common *k;

		facts_ahead(f, c, i);
		k = common_of(f, c, x);

		x->destination = k->destination;
		x->stack = k->stack;
		x->stack_is_ja3 = k->stack_is_ja3;
		x->device = k->device;
		if (x->device == KEYMAP_NONE)
			x->device = devices_resolve(c->devices, fact_peers(c, x)->keys,
						    fact_peers(c, x)->client, x->start);
	}
}

static void settle(struct facts *f, const struct context *c, size_t from, size_t to, void *arg)
{
	atomic_size_t *contradictions = arg;
	size_t n = 0;

	for (size_t i = from; i < to; i++) {
		struct fact *x = &f->list[i];
		const struct said *s;
		bool contradiction;
		int alert;

		facts_ahead(f, c, i);
		s = fact_said(c, x);
		x->count = s->count > 0 ? s->count : 1;
		x->outcome = (uint8_t)attempt_outcome(&c->merge->attempts, x->attempt,
						      c->merge->now, &alert, &contradiction);
		x->weak_late = x->outcome == ESTABLISHED_NO_DATA && s->weak_late && !s->sure_late;
		n += contradiction;
	}
	atomic_fetch_add(contradictions, n);
}

static void number_findings(struct facts *f, const struct context *c)
{
	for (size_t i = 0; i < f->n; i++) {
		struct fact *x = &f->list[i];
		struct facts_common *k = facts_common(f, c, x);

		/* Attempts of equal peers are mostly of one app too. */
		if (k->finding == 0 || f->findings[k->finding].app != x->app)
			k->finding = finding_number(f, x->app, x->destination);
		x->finding = k->finding;
	}
}

enum grouped { BY_FINDING, BY_DESTINATION, BY_DEVICE };

static void group_by(void *arg, size_t index, unsigned worker)
{
	struct facts *f = arg;
	uint32_t *of = xmalloc(f->n * sizeof(*of)), devices = 1;

	(void)worker;
	for (size_t i = 0; i < f->n; i++) {
		const struct fact *x = &f->list[i];
		of[i] = index == BY_FINDING  ? x->finding
			: index == BY_DEVICE ? x->device
					     : x->destination;
		if (x->device >= devices)
			devices = x->device + 1;
	}
	if (index == BY_FINDING)
		f->by_finding = group_items(of, f->n, f->n_findings);
	else if (index == BY_DEVICE)
		f->by_device = group_items(of, f->n, devices);
	else
		f->by_destination = group_items(of, f->n, f->n_destinations);
	free(of);
}

/* Facts of one stretch. */
#define STRETCH 4096u

struct stretches {
	struct facts *facts;
	const struct context *context;
	void (*each)(struct facts *f, const struct context *c, size_t from, size_t to, void *arg);
	void *arg;
};

static void do_stretch(void *arg, size_t index, unsigned worker)
{
	const struct stretches *s = arg;
	size_t from = index * STRETCH, to = from + STRETCH;

	(void)worker;
	s->each(s->facts, s->context, from, to < s->facts->n ? to : s->facts->n, s->arg);
}

void facts_each(struct facts *f, const struct context *c,
		void (*each)(struct facts *f, const struct context *c, size_t from, size_t to,
			     void *arg),
		void *arg)
{
	struct stretches s = { f, c, each, arg };

	pool_each(c->pool, (f->n + STRETCH - 1) / STRETCH, do_stretch, &s);
}

void facts_build(struct facts *f, const struct context *c)
{
	atomic_size_t contradictions = 0;

	*f = (struct facts){ .n_destinations = 1, .n_findings = 1 };
	f->destinations = xcalloc(f->_destinations_capacity = 64, sizeof(*f->destinations));
	f->findings = xcalloc(f->_findings_capacity = 64, sizeof(*f->findings));
	f->_common = xcalloc(c->merge->attempts.peers.n, sizeof(*f->_common));
	keymap_init(&f->_destination_numbers, sizeof(struct destination), c->seed);
	keymap_init(&f->_finding_numbers, sizeof(struct pair_number), c->seed);
	learned_init(&f->taught, c->seed);
	select_attempts(f, c);
	resolve(f, c);
	facts_each(f, c, settle, &contradictions);
	f->contradictions = contradictions;
	attribute_facts(f, c);
	infer_states(f, c);
	infer_by_bytes(f, c);
	number_findings(f, c);
	pool_each(c->pool, 3, group_by, f);
	free(f->_common);
	f->_common = NULL;
}

void facts_free(struct facts *f)
{
	free(f->list);
	learned_free(&f->taught);
	free(f->destinations);
	free(f->findings);
	grouping_free(&f->by_finding);
	grouping_free(&f->by_device);
	grouping_free(&f->by_destination);
	keymap_free(&f->_destination_numbers);
	keymap_free(&f->_finding_numbers);
	*f = (struct facts){ 0 };
}

size_t facts_since(const struct facts *f, int64_t t)
{
	size_t low = 0, high = f->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (f->list[mid].start < t)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

size_t facts_from(const struct facts *f, struct group g, int64_t t)
{
	size_t low = 0, high = g.n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (f->list[g.items[mid]].start < t)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}
