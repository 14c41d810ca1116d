/* Rivals: the ordinary reasons why TLS fails under inspection. docs/evidence.md, 7.1. */
#include <stdlib.h>

#include "judge/apple.h"
#include "judge/case.h"

/* What the finding's own app did at the destination in the window; nothing where it is unknown. */
struct own {
	bool active, failing, both, fine, prompt;
};

static struct own own_deeds(const struct sitting *s)
{
	bool inspected = false, uninspected = false;
	struct own o = { 0 };

	for (size_t i = 0; i < s->n_kept && s->app != 0; i++) {
		const struct fact *x = s->kept[i];
		bool failing = outcome_class((enum outcome)x->outcome) == CLASS_FAILURE ||
			       x->outcome == UPSTREAM_FAILED;

		o.failing |= fact_failure(x);
		o.fine |= fact_success(x);
		o.prompt |=
		    fact_success(x) || (fact_failure(x) && x->outcome != ESTABLISHED_NO_DATA);
		inspected |= failing && x->inspection == INTERCEPTED;
		uninspected |=
		    failing && (x->inspection == BYPASSED || x->inspection == UNINSPECTED);
	}
	o.active = o.failing || o.fine;
	o.both = inspected && uninspected;
	return o;
}

/* Sums over the finding's own attempts, by count. */
struct tally {
	uint64_t all, failures, validity, mutual_tls, upstream, mismatch;
};

static struct tally tally(const struct sitting *s)
{
	struct tally t = { 0 };

	for (size_t i = 0; i < s->n_kept; i++) {
		const struct fact *x = s->kept[i];
		t.all += x->count;
		if (fact_failure(x)) {
			t.failures += x->count;
			if (x->outcome == CLIENT_REJECT_VALIDITY)
				t.validity += x->count;
		}
		if (x->outcome == MUTUAL_TLS)
			t.mutual_tls += x->count;
		if (x->outcome == UPSTREAM_FAILED)
			t.upstream += x->count;
		if (x->outcome == TLS_MISMATCH)
			t.mismatch += x->count;
	}
	return t;
}

static bool all_end_late(const struct others *others, const struct own *own)
{
	return !others->prompt && !own->prompt && others->active + own->active >= 2;
}

static bool fails_either_way(const struct others *others, const struct own *own)
{
	return others->both + own->both >= 2;
}

static bool all_fail(const struct others *others, const struct own *own)
{
	return !others->fine && !own->fine && others->failing + own->failing >= 2;
}

static void set(struct version_case *c, enum rival r, bool holds, bool refuted, struct sv why,
		struct sv refutation, struct sv otherwise)
{
	struct rival_judgement *j = &c->rivals[r];

	j->status = refuted ? RIVAL_REFUTED : holds ? RIVAL_STANDS : RIVAL_UNTESTED;
	j->because = refuted ? refutation : holds ? why : otherwise;
}

static int by_device(const void *a, const void *b)
{
	const struct fact *x = *(const struct fact *const *)a, *y = *(const struct fact *const *)b;

	if (x->device != y->device)
		return x->device < y->device ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* Whether the device was fine, under the same issuer, before this failure. */
static bool fine_before(const struct bench *b, const struct fact *x)
{
	uint32_t issuer = fact_peers(b->context, x)->issuer;
	struct group g = grouping_at(&b->facts->by_device, x->device);

	for (size_t i = 0; i < g.n; i++) {
		const struct fact *y = &b->facts->list[g.items[i]];
		uint32_t other;

		if (y->start >= x->start)
			return false;
		if (!b->exclusion->pool[g.items[i]] || !fact_success(y))
			continue;
		other = fact_peers(b->context, y)->issuer;
		if (issuer == 0 || other == 0 || issuer == other)
			return true;
	}
	return false;
}

/* Every failing device has been fine, under the same issuer, before its last failure here. */
bool find_trust(const struct sitting *s)
{
	const struct fact **failures = arena_alloc(s->scratch, (s->n_kept + 1) * sizeof(*failures));
	size_t n = 0;

	for (size_t i = 0; i < s->n_window; i++)
		if (s->window[i]->excluded_ca)
			return false;
	for (size_t i = 0; i < s->n_kept; i++)
		if (fact_failure(s->kept[i]))
			failures[n++] = s->kept[i];
	qsort(failures, n, sizeof(struct fact *), by_device);
	for (size_t i = 0; i < n; i++) {
		bool last = i + 1 == n || failures[i + 1]->device != failures[i]->device;
		if (last && !fine_before(s->bench, failures[i]))
			return false;
	}
	return n > 0;
}

/* A failure and a success that count in one stack. */
static bool stack_mixed(const struct trials *t)
{
	for (size_t i = 0; i < t->n && t->n_successes > 0; i++)
		if (fact_failure(t->by_device[i]) && trials_succeeded(t, t->labels[i], 0))
			return true;
	return false;
}

static void judge_excluding(struct version_case *c)
{
	const struct sitting *s = c->sitting;
	uint64_t ca = 0, gateway = 0;

	for (size_t i = 0; i < s->n_window; i++) {
		ca += s->window[i]->excluded_ca ? s->window[i]->count : 0;
		gateway += s->window[i]->excluded_gateway ? s->window[i]->count : 0;
	}
	set(c, RIVAL_CA_UNTRUSTED, ca > 0, ca == 0 && s->trusting,
	    ca == 0 ? SV("")
		    : say(s->arena,
			  "failures of a device that does not trust the inspection root: %llu",
			  (unsigned long long)ca),
	    SV("every failing device was fine under inspection before its last failure here"),
	    SV("not every failing device was seen fine under inspection before its last failure "
	       "here"));
	set(c, RIVAL_GATEWAY_FAULT, gateway > 0, false,
	    gateway == 0 ? SV("")
			 : say(s->arena, "failures that fall into a fault of the gateway: %llu",
			       (unsigned long long)gateway),
	    SV(""), SV("no fault of the gateway covers the failures"));
}

void judge_rivals(struct version_case *c)
{
	const struct sitting *s = c->sitting;
	const struct others *others = &s->others;
	struct own own = own_deeds(s);
	struct tally t = tally(s);
	struct sv other = SV("another app reaches the destination under inspection");
	struct sv host =
	    names_get(s->bench->context->names, s->bench->facts->destinations[s->destination].host);
	bool fine = others->fine;
	bool most_expired = t.validity * 2 > t.failures;

	judge_excluding(c);
	set(c, RIVAL_MUTUAL_TLS,
	    (t.mutual_tls > 0 && t.mutual_tls >= t.failures) || all_end_late(others, &own), fine,
	    t.mutual_tls > 0
		? say(s->arena, "the origin asked for a client certificate, attempts: %llu",
		      (unsigned long long)t.mutual_tls)
		: SV("several apps leave late here and none is fine: the origin may want a client "
		     "certificate"),
	    other, SV("no other app was seen fine here"));
	set(c, RIVAL_UPSTREAM,
	    t.upstream * 2 > t.all || fails_either_way(others, &own) ||
		(most_expired && all_fail(others, &own)),
	    fine,
	    t.upstream * 2 > t.all
		? say(s->arena, "%llu of %llu attempts failed between gateway and origin",
		      (unsigned long long)t.upstream, (unsigned long long)t.all)
	    : most_expired ? SV("most failures are alert 45 (certificate_expired), several apps "
				"fail here and none is fine")
			   : SV("several apps fail here, inspected or not"),
	    other, SV("no other app was seen fine here"));
	set(c, RIVAL_TLS_MISMATCH, t.mismatch > 0 && t.mismatch >= t.failures, fine,
	    t.mismatch == 0 ? SV("")
			    : say(s->arena, "version or cipher did not fit, attempts: %llu",
				  (unsigned long long)t.mismatch),
	    other, SV("no other app was seen fine here"));
	set(c, RIVAL_INTERMITTENT, c->score < 0 && stack_mixed(&c->trials), false,
	    SV("the same version and stack both fails and succeeds, and the score is below 0"),
	    SV(""),
	    !c->any_success   ? SV("no success under inspection was seen")
	    : t.failures == 0 ? SV("no failure under inspection was seen")
			      : SV("the score is not below 0, or the stacks differ"));
	set(c, RIVAL_APPLE_SERVICE, apple_service(host), false,
	    SV("Apple documents this service as never inspectable"), SV(""),
	    SV("not one of Apple's services"));
}
