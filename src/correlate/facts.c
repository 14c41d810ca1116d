#include "correlate/facts.h"

#include <stdlib.h>

#include "correlate/attribute.h"
#include "correlate/bytes.h"
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
			f->findings = xrealloc(f->findings, f->_findings_capacity *= 2,
					       sizeof(*f->findings));
		f->findings[f->n_findings] = key;
		*slot = f->n_findings++;
	}
	return *slot;
}

/* Middle part of a JA4 (`t13d1516h2_8daaf6152771_02713d6af862`): the ciphers, which neither extension order
 * nor resumption changes. */
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

static void resolve(struct facts *f, const struct context *c)
{
	struct keymap stacks;

	keymap_init(&stacks, sizeof(uint32_t), c->seed);
	for (size_t i = 0; i < f->n; i++) {
		struct fact *x = &f->list[i];
		const struct peers *p = fact_peers(c, x);
		const struct said *s = fact_said(c, x);
		uint32_t port = p->inspecting_port != 0 ? p->inspecting_port : p->join_port;
		bool contradiction;
		int alert;

		x->device = devices_resolve(c->devices, p->keys, p->client, x->start);
		x->destination = destination_number(f, p->host, port != 0 ? port : DEFAULT_PORT);
		x->count = s->count > 0 ? s->count : 1;
		if (p->ja4 != 0) {
			uint32_t *slot = keymap_slot(&stacks, &p->ja4);
			if (*slot == KEYMAP_NONE)
				*slot = cipher_part(c->names, p->ja4);
			x->stack = *slot;
		}
		if (x->stack == 0) {
			x->stack = p->ja3;
			x->stack_is_ja3 = true;
		}
		x->outcome = (uint8_t)attempt_outcome(
			&c->merge->attempts, x->attempt, c->merge->now, &alert, &contradiction);
		x->weak_late = x->outcome == ESTABLISHED_NO_DATA && s->weak_late && !s->sure_late;
		f->contradictions += contradiction;
	}
	keymap_free(&stacks);
}

static void number_findings(struct facts *f)
{
	uint32_t *of = xmalloc(f->n * sizeof(*of));
	uint32_t devices = 1;

	for (size_t i = 0; i < f->n; i++) {
		f->list[i].finding = finding_number(f, f->list[i].app, f->list[i].destination);
		of[i] = f->list[i].finding;
	}
	f->by_finding = group_items(of, f->n, f->n_findings);
	for (size_t i = 0; i < f->n; i++)
		of[i] = f->list[i].destination;
	f->by_destination = group_items(of, f->n, f->n_destinations);
	for (size_t i = 0; i < f->n; i++) {
		of[i] = f->list[i].device;
		if (of[i] >= devices)
			devices = of[i] + 1;
	}
	f->by_device = group_items(of, f->n, devices);
	free(of);
}

void facts_build(struct facts *f, const struct context *c)
{
	*f = (struct facts){ .n_destinations = 1, .n_findings = 1 };
	f->destinations = xcalloc(f->_destinations_capacity = 64, sizeof(*f->destinations));
	f->findings = xcalloc(f->_findings_capacity = 64, sizeof(*f->findings));
	keymap_init(&f->_destination_numbers, sizeof(struct destination), c->seed);
	keymap_init(&f->_finding_numbers, sizeof(struct pair_number), c->seed);
	select_attempts(f, c);
	resolve(f, c);
	attribute_facts(f, c);
	infer_states(f, c);
	infer_by_bytes(f, c);
	number_findings(f);
}

void facts_free(struct facts *f)
{
	free(f->list);
	free(f->destinations);
	free(f->findings);
	grouping_free(&f->by_finding);
	grouping_free(&f->by_device);
	grouping_free(&f->by_destination);
	keymap_free(&f->_destination_numbers);
	keymap_free(&f->_finding_numbers);
	*f = (struct facts){ 0 };
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
