/* Confidence and risk: how sure, and who should care. docs/evidence.md, 8.1–8.3. */
#include <math.h>
#include <stdlib.h>

#include "judge/case.h"

#define BEACON_BURSTS 6
#define BEACON_VARIATION 0.2
#define TRIM_FROM 12

/* What the relevant attempts have in common; each count is compared with half of n. */
struct traits {
	size_t n;
	size_t background, supervised, managed, unmanaged, no_interaction, undeclared, ambiguous,
	    ip_only;
	size_t attribution[ATTRIBUTION_EXACT + 1];
	bool rejected, bad_posture;
};

static bool more_than_half(size_t count, size_t n) { return count * 2 > n; }

static void look_at(const struct version_case *c, const struct fact *x, struct traits *t)
{
	const struct context *k = c->sitting->bench->context;
	int64_t state_age = k->settings->state_max_age.ns;
	bool known = !k->devices->list[x->device].ambiguous;
	enum tri supervised = TRI_UNKNOWN, listed = TRI_UNKNOWN;
	struct app_entry app = { 0 };

	t->n++;
	t->attribution[x->attribution]++;
	t->ambiguous += !known;
	t->ip_only += k->devices->list[x->device].id_type == ID_IP;
	t->rejected |= x->outcome == CLIENT_REJECT;
	t->background +=
	    (x->app != 0 && activity_app_state(k->activities, x->device, x->app, x->start,
					       state_age) == APP_STATE_BACKGROUND) ||
	    activity_locked(k->activities, x->device, x->start, state_age) == TRI_TRUE;
	t->no_interaction += activity_interaction(k->activities, x->device, x->app, x->start,
						  k->settings->time_window.ns) == TRI_FALSE;
	supervised = posture_field(k->postures, x->device, POSTURE_SUPERVISED, x->start);
	t->supervised += supervised == TRI_TRUE;
	t->bad_posture |=
	    posture_field(k->postures, x->device, POSTURE_JAILBROKEN, x->start) == TRI_TRUE ||
	    posture_field(k->postures, x->device, POSTURE_COMPLIANT, x->start) == TRI_FALSE;
	if (x->app == 0)
		return;
	listed = posture_app(k->postures, x->device, x->app, x->start, &app);
	t->managed += listed == TRI_TRUE && app.managed == TRI_TRUE;
	t->unmanaged += listed == TRI_FALSE ||
			(listed == TRI_TRUE && supervised == TRI_TRUE && app.managed == TRI_FALSE);
	t->undeclared += listed == TRI_TRUE && app.declares_pinning == TRI_FALSE;
}

static struct traits traits_of(const struct version_case *c)
{
	struct traits t = { 0 };

	for (size_t i = 0; i < c->n_failures; i++)
		look_at(c, c->failures[i], &t);
	for (size_t i = 0; i < c->trials.n && c->n_failures == 0; i++)
		if (fact_uninspected_session(c->trials.facts[i]))
			look_at(c, c->trials.facts[i], &t);
	return t;
}

static enum attribution plurality(const size_t *counts)
{
	enum attribution most = ATTRIBUTION_NONE;

	for (enum attribution a = ATTRIBUTION_NONE; a <= ATTRIBUTION_EXACT; a++)
		if (counts[a] > counts[most])
			most = a;
	return most;
}

/* Without a relevant attempt, over all there are. */
static enum attribution attribution_of(const struct version_case *c, const struct traits *t)
{
	const struct sitting *s = c->sitting;
	const struct fact **facts = c->trials.n > 0 ? c->trials.facts : s->window;
	size_t n = c->trials.n > 0 ? c->trials.n : s->n_window,
	       counts[ATTRIBUTION_EXACT + 1] = { 0 };

	if (t->n > 0)
		return plurality(t->attribution);
	for (size_t i = 0; i < n; i++)
		counts[facts[i]->attribution]++;
	return plurality(counts);
}

static bool absent(enum source_status s) { return s == SOURCE_MISSING || s == SOURCE_STALE; }

static enum confidence confidence_of(const struct version_case *c, const struct traits *t,
				     enum attribution how, const enum source_status *sources)
{
	bool required = c->sitting->bench->context->settings->foreground_state_required;
	int level = c->verdict == VERDICT_CONFIRMED ? CONFIDENCE_MEDIUM : CONFIDENCE_LOW;
	int support = more_than_half(t->managed, t->n) +
		      (required && more_than_half(t->background, t->n)) +
		      more_than_half(t->supervised, t->n) + (how == ATTRIBUTION_EXACT);

	level += support >= 2;
	level -= how <= ATTRIBUTION_LEARNED || more_than_half(t->ambiguous, t->n);
	if (level > CONFIDENCE_MEDIUM &&
	    (absent(sources[SENSOR_MDM]) || absent(sources[SENSOR_EDR])))
		level = CONFIDENCE_MEDIUM;
	if (level > CONFIDENCE_LOW && more_than_half(t->ip_only, t->n))
		level = CONFIDENCE_LOW;
	if (level < CONFIDENCE_LOW)
		level = CONFIDENCE_LOW;
	return level > CONFIDENCE_HIGH ? CONFIDENCE_HIGH : (enum confidence)level;
}

static int by_length(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* Coefficient of variation of the intervals, the extremes left out since phones sleep; sorts
 * them. */
static double variation(int64_t *intervals, size_t n)
{
	size_t cut = n < TRIM_FROM ? 0 : n / 20 > 1 ? n / 20 : 1;
	double sum = 0, squares = 0, mean;

	qsort(intervals, n, sizeof(*intervals), by_length);
	for (size_t i = cut; i < n - cut; i++)
		sum += (double)intervals[i];
	mean = sum / (double)(n - 2 * cut);
	for (size_t i = cut; i < n - cut; i++)
		squares += ((double)intervals[i] - mean) * ((double)intervals[i] - mean);
	return sqrt(squares / (double)(n - 2 * cut)) / mean;
}

/* Bursts of the device that beacons most regularly; 0: none does. */
static size_t beacon(const struct version_case *c)
{
	for (size_t d = 0; d < c->trials.n_devices; d++) {
		const struct device_trials *dev = &c->trials.devices[d];
		int64_t *intervals = arena_alloc(c->sitting->scratch, dev->n * sizeof(*intervals));
		int64_t begun = INT64_MIN, before;
		size_t bursts = 0;

		for (uint32_t i = 0; i < dev->n; i++) {
			const struct fact *x = c->trials.by_device[dev->first + i];
			if (!fact_trial(x) && !fact_uninspected_session(x))
				continue;
			before = begun;
			if (!burst_begins(&begun, x->start))
				continue;
			if (bursts++ > 0)
				intervals[bursts - 2] = x->start - before;
		}
		if (bursts >= BEACON_BURSTS && variation(intervals, bursts - 1) < BEACON_VARIATION)
			return bursts;
	}
	return 0;
}

struct risk {
	struct risk_entry *list;
	size_t n;
	int sum;
};

static void add(struct risk *r, enum risk_factor factor, int points, struct sv because)
{
	r->list[r->n++] = (struct risk_entry){ factor, points, because };
	r->sum += points;
}

static void add_factors(const struct version_case *c, const struct traits *t, struct risk *r)
{
	struct arena *a = c->sitting->arena;
	bool required = c->sitting->bench->context->settings->foreground_state_required;
	size_t bursts;

	if (required && more_than_half(t->background, t->n))
		add(r, RISK_BACKGROUND, 25,
		    say(a, "%zu of %zu attempts started in background or on a locked device",
			t->background, t->n));
	if (c->sitting->off_baseline && !c->sitting->baseline_learning)
		add(r, RISK_OFF_BASELINE, 20,
		    SV("the destination is not on this app's baseline in the fleet"));
	if (more_than_half(t->unmanaged, t->n))
		add(r, RISK_UNMANAGED, 15,
		    SV("the app is not managed on a supervised device, or unknown to the "
		       "inventory"));
	if (more_than_half(t->no_interaction, t->n))
		add(r, RISK_NO_USER_INTERACTION, 10,
		    SV("the EDR saw no user interaction within TimeWindow"));
	if (t->rejected && more_than_half(t->undeclared, t->n))
		add(r, RISK_UNDECLARED_TRANSPORT, 10,
		    SV("it rejects certificates, yet declares no NSPinnedDomains"));
	if (t->bad_posture)
		add(r, RISK_DEVICE_POSTURE, 10, SV("a device is jailbroken or not compliant"));
	if ((bursts = beacon(c)) > 0)
		add(r, RISK_BEACON, 10, say(a, "%zu bursts at regular intervals", bursts));
}

void judge_risk(const struct version_case *c, struct finding *out)
{
	struct traits t = traits_of(c);
	struct risk r = { .list = arena_alloc(c->sitting->arena, RISK_FACTORS * sizeof(*r.list)) };

	out->attribution = attribution_of(c, &t);
	if (c->verdict != VERDICT_CONFIRMED && c->verdict != VERDICT_SUSPECTED)
		return;
	out->confidence = confidence_of(c, &t, out->attribution, c->sitting->bench->log_sources);
	add(&r, RISK_VERDICT, 20,
	    say(c->sitting->arena, "the finding is %s", verdict_name(c->verdict)));
	add_factors(c, &t, &r);
	if (out->confidence == CONFIDENCE_LOW)
		add(&r, RISK_CONFIDENCE_LOW, -20, SV("the confidence is low"));
	out->risk = r.sum < 0 ? 0 : r.sum > 100 ? 100 : r.sum;
	out->severity = severity_of_risk(out->risk);
	out->risk_factors = r.list;
	out->n_risk_factors = r.n;
}
