/* The score: decibans that this app pins this destination, term by term. docs/evidence.md, 5. */
#include <math.h>

#include "judge/case.h"

#define PRIOR (-1600)
#define DEVICE_CAP 2500
#define DIFFERENTIAL_CAP 3500
#define CONTROLS_CAP 2000
#define TIMING_CAP 900
#define BYPASS_CAP 400
#define RETRY_WITHIN (5 * NS_PER_S)
#define AFTER_FAILURE_WITHIN (300 * NS_PER_S)
#define SHORT_SESSIONS 3

static int32_t centidb(double db) { return (int32_t)lround(db * 100); }

static void add(struct version_case *c, enum term term, int32_t db, struct sv because)
{
	if (db == 0 && term != TERM_PRIOR && term != TERM_DIFFERENTIAL)
		return;
	c->contributions[c->n_contributions++] =
	    (struct contribution){ .term = term, .centidb = db, .because = because };
	c->score += db;
}

/* Cuts what was added since `before` to `most`. */
static void cap(struct version_case *c, int32_t before, int32_t most, const char *what)
{
	int32_t sum = c->score - before;

	if (sum > most)
		add(c, TERM_CAP, most - sum,
		    say(c->sitting->arena, "%s together count at most %d", what, most / 100));
}

static const char *weight_word(enum failure_weight w)
{
	return w == FAILURE_HARD ? "hard" : w == FAILURE_SILENT ? "silently" : "late";
}

static void add_differential(struct version_case *c)
{
	uint32_t failed = 0, trials = 0, devices = 0, by_weight[4] = { 0 };
	enum failure_weight most = FAILURE_LATE;
	double sum = 0;

	for (size_t d = 0; d < c->trials.n_devices; d++) {
		const struct device_trials *dev = &c->trials.devices[d];
		if (dev->trials == 0)
			continue;
		devices++;
		failed += dev->failed;
		trials += dev->trials;
		by_weight[dev->class] += dev->failed;
		sum += dev->value * 100 > DEVICE_CAP ? DEVICE_CAP / 100.0 : dev->value;
	}
	c->failed_trials = failed;
	if (trials == 0)
		return;
	for (enum failure_weight w = FAILURE_SILENT; w <= FAILURE_HARD; w++)
		if (by_weight[w] > by_weight[most])
			most = w;
	if (failed > 0)
		add(c, TERM_DIFFERENTIAL, centidb(sum),
		    say(c->sitting->arena, "%u of %u trials failed %s on %u device%s", failed,
			trials, weight_word(most), devices, devices == 1 ? "" : "s"));
	else
		add(c, TERM_DIFFERENTIAL, centidb(sum),
		    say(c->sitting->arena, "none of %u trials failed on %u device%s", trials,
			devices, devices == 1 ? "" : "s"));
	cap(c, PRIOR, DIFFERENTIAL_CAP, "trials");
}

static void add_controls(struct version_case *c)
{
	int32_t before = c->score;

	if (c->controls & 1u << CONTROL_SAME_APP_UNINSPECTED)
		add(c, TERM_SAME_APP_UNINSPECTED, 1000,
		    SV("the same app version reaches this destination when it is not inspected"));
	if (c->controls & 1u << CONTROL_OTHER_APP_SAME_DESTINATION)
		add(c, TERM_OTHER_APP_SAME_DESTINATION, 1000,
		    SV("another app on a failing device reaches this destination under "
		       "inspection"));
	if (c->controls & 1u << CONTROL_SAME_DEVICE_OTHER_DESTINATION)
		add(c, TERM_SAME_DEVICE_OTHER_DESTINATION, 600,
		    SV("a failing device reaches other destinations under inspection"));
	cap(c, before, CONTROLS_CAP, "controls");
}

/* A device that fails in its stack, and a success of that stack on another device. */
static bool contradicted(const struct version_case *c)
{
	const struct trials *t = &c->trials;

	for (size_t d = 0; d < t->n_devices; d++) {
		const struct device_trials *dev = &t->devices[d];
		if (dev->failed > 0 && trials_succeeded(t, dev->stack, dev->device))
			return true;
	}
	return false;
}

static void add_replication(struct version_case *c)
{
	uint32_t devices = 0;

	for (size_t d = 0; d < c->trials.n_devices; d++)
		devices += c->trials.devices[d].failed > 0;
	if (devices >= 2)
		add(c, TERM_REPLICATION, devices >= 5 ? 900 : 600,
		    say(c->sitting->arena, "it fails on %u devices", devices));
	if (devices > 0 && c->any_success && contradicted(c))
		add(c, TERM_CONTRADICTION, -2000,
		    SV("the same version and TLS stack succeeds under inspection on another "
		       "device"));
}

/* Whether at least two bursts hold a failure that the device follows up within 5 s. */
static uint32_t retried_bursts(const struct version_case *c)
{
	uint32_t bursts = 0;

	for (size_t d = 0; d < c->trials.n_devices; d++) {
		const struct device_trials *dev = &c->trials.devices[d];
		const struct fact **facts = c->trials.by_device + dev->first;
		int64_t begun = INT64_MIN;
		uint32_t next = 0; /* the first that starts later */
		bool counted = false;

		for (uint32_t i = 0; i < dev->n; i++) {
			if (!fact_trial(facts[i]))
				continue;
			if (burst_begins(&begun, facts[i]->start))
				counted = false;
			if (counted || !fact_failure(facts[i]))
				continue;
			while (next < dev->n && facts[next]->start <= facts[i]->start)
				next++;
			if (next < dev->n && facts[next]->start - facts[i]->start <= RETRY_WITHIN) {
				counted = true;
				bursts++;
			}
		}
	}
	return bursts;
}

/* The last failure that began earlier decides. */
static bool uninspected_after_failure(const struct version_case *c)
{
	for (size_t d = 0; d < c->trials.n_devices; d++) {
		const struct device_trials *dev = &c->trials.devices[d];
		const struct fact **facts = c->trials.by_device + dev->first;
		int64_t failed = INT64_MIN;

		for (uint32_t i = 0, next; i < dev->n; i = next) {
			bool fails = false;

			for (next = i; next < dev->n && facts[next]->start == facts[i]->start;
			     next++) {
				if (failed != INT64_MIN &&
				    facts[next]->start - failed <= AFTER_FAILURE_WITHIN &&
				    fact_uninspected_session(facts[next]))
					return true;
				fails |= fact_failure(facts[next]);
			}
			if (fails)
				failed = facts[i]->start;
		}
	}
	return false;
}

static bool short_session(const struct version_case *c, const struct fact *x)
{
	return fact_said(c->sitting->bench->context, x)->duration == DURATION_SHORT &&
	       (fact_failure(x) || fact_uninspected_session(x));
}

/* Three short sessions of one device within TimeWindow, over at least two bursts of such
 * sessions. */
static bool short_sessions(const struct version_case *c)
{
	int64_t window = c->sitting->bench->context->settings->time_window.ns;

	for (size_t d = 0; d < c->trials.n_devices; d++) {
		const struct device_trials *dev = &c->trials.devices[d];
		struct {
			int64_t start;
			uint32_t burst;
		} *s = arena_alloc(c->sitting->scratch, dev->n * sizeof(*s));
		int64_t begun = INT64_MIN;
		uint32_t burst = 0, n = 0;

		for (uint32_t i = 0; i < dev->n; i++) {
			const struct fact *x = c->trials.by_device[dev->first + i];
			if (!short_session(c, x))
				continue;
			burst += burst_begins(&begun, x->start);
			s[n].start = x->start;
			s[n++].burst = burst;
		}
		/* The widest window that ends at i holds the most bursts. */
		for (uint32_t i = 0, from = 0; i < n; i++) {
			while (s[i].start - s[from].start > window)
				from++;
			if (i - from + 1 >= SHORT_SESSIONS && s[i].burst != s[from].burst)
				return true;
		}
	}
	return false;
}

static void add_timing(struct version_case *c)
{
	int32_t before = c->score;
	uint32_t retried = retried_bursts(c);

	if (retried >= 2)
		add(c, TERM_RETRY, 300,
		    say(c->sitting->arena, "retried within 5 s in %u bursts", retried));
	if (uninspected_after_failure(c))
		add(c, TERM_UNINSPECTED_AFTER_FAILURE, 600,
		    SV("an uninspected session succeeds within 300 s of a failure"));
	if (short_sessions(c))
		add(c, TERM_SHORT_SESSIONS, 400,
		    SV("at least three sessions shorter than 5 s within TimeWindow"));
	cap(c, before, TIMING_CAP, "timing");
}

static void add_bypass(struct version_case *c)
{
	int32_t before = c->score;
	bool learned = false;

	for (size_t i = 0; i < c->trials.n && !learned; i++)
		learned = fact_learned_bypass(c->trials.facts[i]);
	if (learned)
		add(c, TERM_LEARNED_BYPASS, 400,
		    SV("the gateway by itself stopped inspecting this destination"));
	if (c->paths & PATH_PERSISTENT_OPACITY)
		add(c, TERM_PERSISTENT_OPACITY, 300,
		    SV("uninspected sessions to a destination off the app's baseline"));
	cap(c, before, BYPASS_CAP, "bypass and opacity");
}

void score_case(struct version_case *c)
{
	add(c, TERM_PRIOR, PRIOR, SV("2.5 % of iOS apps pin at run time"));
	add_differential(c);
	add_controls(c);
	add_replication(c);
	add_timing(c);
	add_bypass(c);
}
