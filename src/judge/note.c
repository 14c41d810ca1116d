/* What keeps a case from the next verdict, and what would change it, in sentences. */
#include <stdio.h>

#include "judge/case.h"

#define MAX_NOTES 16

struct notes {
	struct sv *list;
	size_t n;
	struct arena *arena;
};

static void note(struct notes *n, struct sv sentence)
{
	if (n->n < MAX_NOTES)
		n->list[n->n++] = sentence;
}

static void note_paths(struct notes *n, const struct version_case *c)
{
	const struct settings *s = c->sitting->bench->context->settings;
	char window[INSTANT_ISO_SIZE];

	span_format(s->time_window, window);
	if (c->n_failures == 0)
		note(n, SV("Path A (rejection) needs failures under inspection; there is none."));
	else if (!(c->paths & PATH_REJECTION) && (c->fast || c->slow || c->wide || c->learned))
		note(n, SV("Path A (rejection) has its failures, but the score is below -10 while "
			   "there are successes under inspection."));
	else if (!(c->paths & PATH_REJECTION))
		note(n,
		     say(n->arena,
			 "Path A (rejection): at most %u failure%s of one device within TimeWindow "
			 "(%s); InspectionFailureThreshold is %u.",
			 c->most_in_window, c->most_in_window == 1 ? "" : "s", window,
			 s->inspection_failure_threshold));
	if (!(c->paths & PATH_SELECTIVE_BYPASS) && c->n_failures > 0)
		note(n,
		     say(n->arena,
			 "Path B (selective bypass): no uninspected success and no learned bypass "
			 "within %s after a failure on the same device.",
			 window));
	if (c->paths & PATH_PERSISTENT_OPACITY)
		return;
	if (c->sitting->baseline_learning)
		note(n,
		     say(n->arena,
			 "Path C (persistent opacity) is closed while the baseline is learning: it "
			 "needs %u days of history before the first attempt.",
			 s->baseline_days));
	else if (!c->sitting->off_baseline)
		note(n,
		     SV("Path C (persistent opacity): the destination is on the app's baseline."));
	else
		note(n, say(n->arena,
			    "Path C (persistent opacity) needs %u uninspected sessions of one "
			    "device while its other traffic is intercepted.",
			    s->opaque_sessions));
}

static void note_confirmation(struct notes *n, const struct version_case *c)
{
	bool only_validity = c->n_failures > 0, only_weak = c->n_failures > 0;

	for (size_t i = 0; i < c->n_failures; i++) {
		only_validity &= c->failures[i]->outcome == CLIENT_REJECT_VALIDITY;
		only_weak &= c->failures[i]->weak_late;
	}
	if (!(c->paths & PATH_REJECTION))
		note(n, SV("Only path A (rejection) leads to confirmed."));
	if (c->score < 1000)
		note(n, say(n->arena, "Confirmed needs a score of 10; %.2f dB are missing.",
			    (1000 - c->score) / 100.0));
	if (c->controls == 0)
		note(n, SV("Confirmed needs a control: see which would rule the rivals out."));
	if (c->failed_trials < 2)
		note(n, say(n->arena,
			    "Confirmed needs 2 failed trials (bursts at least 60 s apart); there "
			    "%s %u.",
			    c->failed_trials == 1 ? "is" : "are", c->failed_trials));
	if (only_weak)
		note(n, SV("The gateway's log writes a policy bypass and a late refusal alike, so "
			   "on this alone it never goes beyond suspected; its structured log, or a "
			   "network sensor, tells."));
	if (only_validity)
		note(n, SV("Alert 45 (certificate_expired) alone never goes beyond suspected."));
}

static void note_controls(struct notes *n, const struct version_case *c)
{
	static const char *const wanted[CONTROLS] = {
		("same_app_uninspected would be met by this app version reaching the destination "
		 "without inspection within 24 h of a failure: exempt one test phone and open the "
		 "app."),
		("other_app_same_destination would be met by another app, such as the browser, "
		 "reaching the destination under inspection on a failing phone within 24 h."),
		("same_device_other_destination would be met by a failing phone reaching any other "
		 "destination under inspection within 1 h of a failure."),
	};

	if (c->n_failures == 0)
		return;
	for (int k = 0; k < CONTROLS; k++)
		if (!(c->controls & 1u << k))
			note(n, sv_cstr(wanted[k]));
}

void write_notes(const struct version_case *c, struct finding *out)
{
	struct sv list[MAX_NOTES];
	struct notes n = { .arena = c->sitting->arena, .list = list };

	switch (c->verdict) {
	case VERDICT_EXPECTED:
		note(&n, SV("It is expected: without that it would be judged by the score, the "
			    "rivals and the paths below."));
		break;
	case VERDICT_EXPLAINED:
		note(&n,
		     say(n.arena, "It would be judged on its own once %.*s is refuted or repaired.",
			 SV_ARG(c->explained_by)));
		break;
	case VERDICT_OBSERVED:
		note_paths(&n, c);
		break;
	case VERDICT_SUSPECTED:
		note_confirmation(&n, c);
		note_paths(&n, c);
		break;
	case VERDICT_CONFIRMED:
	case VERDICTS:
		break;
	}
	if (c->verdict == VERDICT_OBSERVED || c->verdict == VERDICT_SUSPECTED ||
	    c->verdict == VERDICT_CONFIRMED)
		note_controls(&n, c);
	out->notes = arena_copy(n.arena, list, n.n * sizeof(*list));
	out->n_notes = n.n;
}
