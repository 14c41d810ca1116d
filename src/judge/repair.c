/* Findings about what has to be repaired: phones without the root, and the gateway. */
#include "judge/judge_internal.h"
#include "judge/uid.h"

/* Common to findings about a device or the gateway: things to repair. */
static void fill_repair(const struct bench *b, struct arena *arena, struct arena *scratch,
			const struct fact **facts, size_t n, int risk, struct finding *out)
{
	out->verdict = VERDICT_CONFIRMED;
	out->confidence = CONFIDENCE_MEDIUM;
	out->risk = risk;
	out->severity = severity_of_risk(risk);
	out->first_seen.ns = facts[0]->start;
	out->last_seen.ns = facts[n - 1]->start;
	fill_excluded(facts, n, out);
	list_failing_devices(b, arena, facts, n, out);
	list_evidence(b, arena, scratch, facts, n, 0, out);
}

static void judge_untrusting(const struct bench *b, const struct untrusting_device *u,
			     struct arena *arena, struct arena *scratch, struct findings *out)
{
	struct group g = grouping_at(&b->facts->by_device, u->device);
	const struct fact **facts = arena_alloc(scratch, g.n * sizeof(*facts));
	struct finding *f = new_finding(out, FINDING_CA_UNTRUSTED);
	size_t n = 0;

	for (size_t i = 0; i < g.n; i++)
		if (b->facts->list[g.items[i]].excluded_ca)
			facts[n++] = &b->facts->list[g.items[i]];
	fill_repair(b, arena, scratch, facts, n, 25, f);
	uid_device(f->uid, names_get(b->context->names, b->context->devices->list[u->device].name));
}

static void judge_fault(const struct bench *b, const struct fault_span *span, struct arena *arena,
			struct arena *scratch, struct findings *out)
{
	const struct facts *facts = b->facts;
	const struct fact **inside = NULL;
	struct finding *f;
	size_t n = 0, low, high;

	if (span->first > span->last)
		return;
	low = facts_since(facts, span->first);
	for (high = low; high < facts->n && facts->list[high].start <= span->last;)
		high++;
	inside = arena_alloc(scratch, (high - low) * sizeof(*inside));
	for (size_t i = low; i < high; i++)
		if (facts->list[i].excluded_gateway)
			inside[n++] = &facts->list[i];
	f = new_finding(out, FINDING_GATEWAY_FAULT);
	fill_repair(b, arena, scratch, inside, n, 45, f);
	uid_fault(f->uid, f->first_seen);
}

void judge_repairs(const struct bench *b, struct arena *arena, struct findings *out)
{
	struct arena scratch = { 0 };

	for (size_t i = 0; i < b->exclusion->n_devices; i++) {
		judge_untrusting(b, &b->exclusion->devices[i], arena, &scratch, out);
		arena_reset(&scratch);
	}
	for (size_t i = 0; i < b->exclusion->n_spans; i++) {
		judge_fault(b, &b->exclusion->spans[i], arena, &scratch, out);
		arena_reset(&scratch);
	}
	arena_free(&scratch);
}
