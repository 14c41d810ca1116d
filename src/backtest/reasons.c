/* Why a finding is judged otherwise: both judgements are taken apart, and what differs is said. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "backtest/diff.h"

#define MAX_REASONS 48
/* Other findings of a destination that are named where connections moved between apps. */
#define MAX_OTHERS 3
/* Names in a sentence are cut there. */
#define MAX_NAME 120

struct reasons {
	struct sv list[MAX_REASONS];
	size_t n;
	struct arena *a;
	const struct finding *before, *after;
};

static void reason(struct reasons *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void reason(struct reasons *r, const char *fmt, ...)
{
	char text[1024];
	va_list args;
	int n;

	if (r->n == MAX_REASONS)
		return;
	va_start(args, fmt);
	n = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (n < 0)
		return;
	r->list[r->n++] =
	    arena_sv(r->a, sv_make(text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1));
}

static struct sv named(struct sv name, const char *none)
{
	return sv_empty(name) ? sv_cstr(none) : sv_first(name, MAX_NAME);
}

/* ---- who is spoken of */

/* The first finding of a destination, in a list that is sorted by kind, host and port. */
static size_t first_there(const struct diff_side *side, const struct finding *f)
{
	size_t from = 0, to = side->n;

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		const struct finding *x = &side->list[middle];
		int order =
		    x->kind != f->kind ? (x->kind < f->kind ? -1 : 1) : sv_cmp(x->host, f->host);

		if (order < 0 || (order == 0 && x->port < f->port))
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

/* Connections count for the app that they are attributed to: where a finding comes or goes, the
 * others of its destination are where they have gone to or come from. */
static void moved(struct reasons *r, const struct diff_side *side, const struct finding *f,
		  const char *verb)
{
	size_t n = 0;

	for (size_t i = first_there(side, f); i < side->n && n < MAX_OTHERS; i++) {
		const struct finding *x = &side->list[i];

		if (x->kind != f->kind || x->port != f->port || !sv_eq(x->host, f->host))
			break;
		if (strcmp(x->uid, f->uid) == 0)
			continue;
		reason(r, "%s %.*s, which is %s", verb,
		       SV_ARG(named(x->bundle_id, "an unknown app")), verdict_name(x->verdict));
		n++;
	}
}

/* f is there on one side only: gained, or lost. `other`: all of the side that does not have it. */
static void only_one(struct reasons *r, const struct finding *f, bool gained,
		     const struct diff_side *other)
{
	if (f->kind == FINDING_CA_UNTRUSTED)
		reason(r,
		       gained
			   ? "its failures are explained by a missing trust in the inspection root"
			   : "its failures are no longer explained by a missing trust in the "
			     "inspection root");
	else if (f->kind == FINDING_GATEWAY_FAULT)
		reason(r, gained
			      ? "so many failures at once are a fault of the gateway in this span"
			      : "its failures are no longer taken for a fault of the gateway");
	if (f->kind != FINDING_PINNING)
		return;
	if (gained && sv_empty(f->bundle_id))
		reason(r, "no connection to this destination was without a known app before");
	else if (sv_empty(f->bundle_id))
		reason(r, "every connection to this destination has a known app now");
	else
		reason(r,
		       gained ? "no connection to this destination was attributed to the app "
				"before; now by %s"
			      : "no connection to this destination is attributed to the app any "
				"more; before by %s",
		       attribution_name(f->attribution));
	moved(r, other, f,
	      gained ? "before, connections there counted for"
		     : "now, connections there count for");
}

/* ---- what was judged */

/* What covers an expected finding is "AllowedAppList:com.vendor.*". */
static void covered(struct reasons *r, const struct finding *f, const char *verb)
{
	struct sv entry, list = sv_cut(f->explained_by, ':', &entry);

	if (f->verdict == VERDICT_EXPECTED && entry.p != NULL)
		reason(r, "entry %.*s of %.*s %s it", SV_ARG(sv_first(entry, MAX_NAME)),
		       SV_ARG(list), verb);
}

static void allow_lists(struct reasons *r)
{
	if (sv_eq(r->before->explained_by, r->after->explained_by) &&
	    r->before->verdict == r->after->verdict)
		return;
	covered(r, r->after, "covers");
	covered(r, r->before, "no longer covers");
	if (r->after->verdict == VERDICT_EXPLAINED)
		reason(r, "explained by %.*s", SV_ARG(sv_first(r->after->explained_by, MAX_NAME)));
	else if (r->before->verdict == VERDICT_EXPLAINED)
		reason(r, "no longer explained by %.*s",
		       SV_ARG(sv_first(r->before->explained_by, MAX_NAME)));
}

static const struct {
	enum path path;
	const char *name;
} paths[] = {
	{ PATH_REJECTION, "Path A (rejection)" },
	{ PATH_SELECTIVE_BYPASS, "Path B (selective bypass)" },
	{ PATH_PERSISTENT_OPACITY, "Path C (persistent opacity)" },
};

/* What the judgement that misses a path says it needs, without the path's name and the full
 * stop. */
static struct sv missing(const struct finding *f, const char *path)
{
	for (size_t i = 0; i < f->n_notes; i++) {
		struct sv note = f->notes[i];

		if (!sv_starts(note, sv_cstr(path)))
			continue;
		note = sv_skip(note, strlen(path));
		note = sv_starts(note, SV(":")) ? sv_skip(note, 1) : note;
		note = sv_trim(note);
		return sv_ends(note, SV(".")) ? sv_first(note, note.n - 1) : note;
	}
	return SV_NONE;
}

static void compare_paths(struct reasons *r)
{
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		bool was = (r->before->paths & paths[i].path) != 0,
		     is = (r->after->paths & paths[i].path) != 0;
		struct sv why;

		if (was == is)
			continue;
		why = missing(is ? r->before : r->after, paths[i].name);
		if (is)
			reason(r, "%s is reached%s%.*s", paths[i].name,
			       sv_empty(why) ? "" : "; before: ", SV_ARG(why));
		else
			reason(r, "%s is no longer reached%s%.*s", paths[i].name,
			       sv_empty(why) ? "" : ": ", SV_ARG(why));
	}
}

static const struct contribution *term_of(const struct finding *f, enum term t)
{
	for (size_t i = 0; i < f->n_contributions; i++)
		if (f->contributions[i].term == t)
			return &f->contributions[i];
	return NULL;
}

static void compare_score(struct reasons *r)
{
	if (r->before->score_centidb != r->after->score_centidb)
		reason(r, "score %.2f -> %.2f dB", r->before->score_centidb / 100.0,
		       r->after->score_centidb / 100.0);
	for (int t = 0; t < TERMS; t++) {
		const struct contribution *was = term_of(r->before, (enum term)t);
		const struct contribution *is = term_of(r->after, (enum term)t);

		if (was != NULL && is != NULL && was->centidb != is->centidb)
			reason(r, "%s %+.2f -> %+.2f dB: %.*s", term_name((enum term)t),
			       was->centidb / 100.0, is->centidb / 100.0, SV_ARG(is->because));
		else if (was != NULL && is == NULL)
			reason(r, "%s %+.2f dB is gone; it was: %.*s", term_name((enum term)t),
			       was->centidb / 100.0, SV_ARG(was->because));
		else if (was == NULL && is != NULL)
			reason(r, "%s %+.2f dB is new: %.*s", term_name((enum term)t),
			       is->centidb / 100.0, SV_ARG(is->because));
	}
}

static void compare_support(struct reasons *r)
{
	for (int k = 0; k < CONTROLS; k++) {
		bool was = r->before->controls_met >> k & 1u, is = r->after->controls_met >> k & 1u;

		if (was != is)
			reason(r, "control %s is %s", control_name((enum control)k),
			       is ? "met" : "no longer met");
	}
	for (int k = 0; k < RIVALS && r->after->kind == FINDING_PINNING; k++)
		if (r->before->rivals[k].status != r->after->rivals[k].status)
			reason(r, "rival %s: %s -> %s", rival_name((enum rival)k),
			       rival_status_name(r->before->rivals[k].status),
			       rival_status_name(r->after->rivals[k].status));
}

static const struct risk_entry *risk_of(const struct finding *f, enum risk_factor k)
{
	for (size_t i = 0; i < f->n_risk_factors; i++)
		if (f->risk_factors[i].factor == k)
			return &f->risk_factors[i];
	return NULL;
}

static const char *confidence_word(enum confidence c)
{
	return c == CONFIDENCE_NONE ? "none" : confidence_name(c);
}

static void compare_weight(struct reasons *r)
{
	/* Only what is confirmed or suspected weighs anything: that it does or does not goes
	 * without saying. */
	if (r->n > 0 &&
	    (r->before->confidence == CONFIDENCE_NONE) != (r->after->confidence == CONFIDENCE_NONE))
		return;
	if (r->before->confidence != r->after->confidence)
		reason(r, "confidence %s -> %s", confidence_word(r->before->confidence),
		       confidence_word(r->after->confidence));
	if (r->before->risk != r->after->risk)
		reason(r, "risk %d -> %d", r->before->risk, r->after->risk);
	if (r->before->severity != r->after->severity)
		reason(r, "severity %s -> %s", severity_name(r->before->severity),
		       severity_name(r->after->severity));
	for (int k = 0; k < RISK_FACTORS; k++) {
		const struct risk_entry *was = risk_of(r->before, (enum risk_factor)k);
		const struct risk_entry *is = risk_of(r->after, (enum risk_factor)k);

		if (was != NULL && is != NULL && was->points != is->points)
			reason(r, "risk of %s %+d -> %+d", risk_factor_name((enum risk_factor)k),
			       was->points, is->points);
		else if (was != NULL && is == NULL)
			reason(r, "risk of %s %+d is gone; it was: %.*s",
			       risk_factor_name((enum risk_factor)k), was->points,
			       SV_ARG(was->because));
		else if (was == NULL && is != NULL)
			reason(r, "risk of %s %+d is new: %.*s",
			       risk_factor_name((enum risk_factor)k), is->points,
			       SV_ARG(is->because));
	}
}

static bool same_device(const struct finding_device *a, const struct finding_device *b)
{
	return sv_eq(a->id, b->id) && a->id_type == b->id_type && a->ambiguous == b->ambiguous &&
	       a->failures == b->failures && a->trials == b->trials &&
	       a->successes == b->successes && a->uninspected == b->uninspected &&
	       a->background_starts == b->background_starts && a->locked_starts == b->locked_starts;
}

static uint64_t failures_of(const struct finding *f)
{
	uint64_t n = 0;

	for (size_t i = 0; i < f->n_devices; i++)
		n += f->devices[i].failures;
	return n;
}

static void compare_basis(struct reasons *r)
{
	const struct finding *was = r->before, *is = r->after;
	bool devices = was->n_devices != is->n_devices;

	if (!sv_eq(was->app_version, is->app_version))
		reason(r, "speaks of version %.*s instead of %.*s",
		       SV_ARG(named(is->app_version, "unknown")),
		       SV_ARG(named(was->app_version, "unknown")));
	if (was->attribution != is->attribution)
		reason(r, "the app is known by %s instead of %s", attribution_name(is->attribution),
		       attribution_name(was->attribution));
	for (size_t i = 0; i < was->n_devices && !devices; i++)
		devices = !same_device(&was->devices[i], &is->devices[i]);
	if (devices)
		reason(r, "counts other connections: %zu -> %zu devices, %llu -> %llu failures",
		       was->n_devices, is->n_devices, (unsigned long long)failures_of(was),
		       (unsigned long long)failures_of(is));
	if (was->excluded_ca_untrusted != is->excluded_ca_untrusted)
		reason(r, "failures set aside for ca_untrusted: %u -> %u",
		       was->excluded_ca_untrusted, is->excluded_ca_untrusted);
	if (was->excluded_gateway_fault != is->excluded_gateway_fault)
		reason(r, "failures set aside for gateway_fault: %u -> %u",
		       was->excluded_gateway_fault, is->excluded_gateway_fault);
	if (was->first_seen.ns != is->first_seen.ns || was->last_seen.ns != is->last_seen.ns)
		reason(r, "first or last seen at another time");
	for (int k = 0; k < 4; k++)
		if (was->log_sources[k] != is->log_sources[k])
			reason(r, "%s: %s -> %s", log_source_name((enum sensor_kind)k),
			       source_status_name(was->log_sources[k]),
			       source_status_name(is->log_sources[k]));
}

const struct sv *reasons_find(const struct diff_side *before_all, const struct finding *before,
			      const struct diff_side *after_all, const struct finding *after,
			      size_t *n, struct arena *a)
{
	struct reasons r = { .a = a, .before = before, .after = after };

	if (before == NULL) {
		only_one(&r, after, true, before_all);
	} else if (after == NULL) {
		only_one(&r, before, false, after_all);
	} else {
		allow_lists(&r);
		compare_paths(&r);
		compare_score(&r);
		compare_support(&r);
		compare_weight(&r);
		compare_basis(&r);
		if (r.n == 0 && before->verdict != after->verdict)
			reason(&r, "judged %s instead of %s", verdict_name(after->verdict),
			       verdict_name(before->verdict));
	}
	*n = r.n;
	return arena_copy(a, r.list, r.n * sizeof(*r.list));
}
