#include "emit/svg_marks.h"

#include <stdlib.h>

#include "emit/html_text.h"

const char *svg_lane_name(enum svg_lane l)
{
	static const char *const names[LANES] = { "MDM", "EDR", "Inspection", "Flow" };

	return names[l];
}

enum sensor_kind svg_lane_sensor(enum svg_lane l)
{
	static const enum sensor_kind sensors[LANES] = { SENSOR_MDM, SENSOR_EDR, SENSOR_INSPECTION,
							 SENSOR_FLOW };

	return sensors[l];
}

const char *svg_mark_words(enum svg_mark m)
{
	static const char *const words[MARKS] = {
		[MARK_SEEN] = "connection seen, outcome not told",
		[MARK_POSTURE] = "device posture",
		[MARK_ACTIVE] = "app active",
		[MARK_BACKGROUND] = "in background or locked",
		[MARK_SUCCESS] = "data flowed",
		[MARK_RIVAL] = "an ordinary TLS fault",
		[MARK_LATE] = "failed late (no data)",
		[MARK_SILENT] = "failed silently",
		[MARK_REJECT] = "failed hard (refused)",
	};
	return words[m];
}

bool svg_mark_fails(enum svg_mark m)
{
	return m == MARK_LATE || m == MARK_SILENT || m == MARK_REJECT;
}

/* `client_reject 46`: the outcome, and the alert or −1. */
static enum outcome outcome_of(struct sv what, int *alert)
{
	struct sv rest;
	struct sv name = sv_cut(what, ' ', &rest);
	enum outcome o;
	uint64_t n;

	*alert = sv_to_u64(rest, &n) && n < 256 ? (int)n : -1;
	return outcome_from_name(name, &o) ? o : OUTCOME_UNKNOWN;
}

static enum svg_mark attempt_mark(struct sv what)
{
	int alert;
	enum outcome o = outcome_of(what, &alert);

	switch (outcome_class(o)) {
	case CLASS_FAILURE:
		return outcome_weight(o) == FAILURE_HARD     ? MARK_REJECT
		       : outcome_weight(o) == FAILURE_SILENT ? MARK_SILENT
							     : MARK_LATE;
	case CLASS_RIVAL:
		return MARK_RIVAL;
	case CLASS_SUCCESS:
		return MARK_SUCCESS;
	case CLASS_NEUTRAL:
	case CLASS_NO_TRIAL:
		break;
	}
	return MARK_SEEN;
}

static enum svg_mark mark_of(const struct evidence *e)
{
	if (e->kind == OBS_POSTURE)
		return MARK_POSTURE;
	if (e->kind != OBS_APP_ACTIVITY)
		return attempt_mark(e->what);
	return sv_ends(e->what, SV(", background")) || sv_ends(e->what, SV(", locked"))
		   ? MARK_BACKGROUND
		   : MARK_ACTIVE;
}

/* Posture and activity have lanes of their own; a connection stands in that of its source. */
static enum svg_lane lane_of(const struct evidence *e, const struct run_summary *summary)
{
	if (e->kind == OBS_POSTURE)
		return LANE_MDM;
	if (e->kind == OBS_APP_ACTIVITY)
		return LANE_EDR;
	for (size_t i = 0; i < summary->n_sources; i++) {
		if (!sv_eq(summary->sources[i].name, e->source))
			continue;
		return summary->sources[i].kind == SENSOR_INSPECTION ? LANE_INSPECTION
		       : summary->sources[i].kind == SENSOR_EDR	     ? LANE_EDR
								     : LANE_FLOW;
	}
	return svg_mark_fails(mark_of(e)) ? LANE_INSPECTION : LANE_FLOW;
}

static int by_time(const void *left, const void *right)
{
	const struct svg_point *a = left, *b = right;

	if (a->e->time.ns != b->e->time.ns)
		return a->e->time.ns < b->e->time.ns ? -1 : 1;
	return a->e < b->e ? -1 : a->e > b->e; /* as the finding lists them */
}

/* How much a record says about the verdict: failures the gateway saw, then other outcomes. */
static int telling(const struct svg_point *p)
{
	if (svg_mark_fails(p->mark))
		return p->lane == LANE_INSPECTION ? 4 : 3;
	if (p->e->kind != OBS_TLS_ATTEMPT)
		return 0;
	return p->mark == MARK_SEEN ? 1 : 2;
}

static void find_window(struct svg_points *p)
{
	int most = 0;
	size_t begin = 0, count = 0;

	for (size_t i = 0; i < p->n; i++)
		most = telling(&p->list[i]) > most ? telling(&p->list[i]) : most;
	p->counts_failures = most >= 3;
	for (size_t i = 0; i < p->n; i++) {
		if (telling(&p->list[i]) != most)
			continue;
		if (count++ == 0)
			begin = i;
		while (p->list[i].e->time.ns - p->list[begin].e->time.ns > p->window_length.ns) {
			do
				begin++;
			while (telling(&p->list[begin]) != most);
			count--;
		}
		if (count > p->in_window) {
			p->in_window = count;
			p->window = p->list[begin].e->time;
		}
	}
}

void svg_points(struct svg_points *p, const struct finding *f, const struct run_summary *summary,
		const struct settings *settings, struct arena *a)
{
	*p = (struct svg_points){ .window = INSTANT_NONE, .window_length = settings->time_window };
	p->list = arena_alloc(a, (f->n_evidence + 1) * sizeof(*p->list));
	for (size_t i = 0; i < f->n_evidence; i++) {
		const struct evidence *e = &f->evidence[i];

		if (instant_known(e->time) && e->kind != OBS_LEASE)
			p->list[p->n++] = (struct svg_point){ e, lane_of(e, summary), mark_of(e) };
	}
	qsort(p->list, p->n, sizeof(*p->list), by_time);
	find_window(p);
}

bool svg_in_window(const struct svg_points *p, struct instant t)
{
	return instant_known(p->window) && t.ns >= p->window.ns &&
	       t.ns - p->window.ns <= p->window_length.ns;
}

void svg_record_words(struct buf *out, const struct evidence *e)
{
	static const char *const words[OUTCOMES] = {
		[OUTCOME_UNKNOWN] = "connection seen; this record does not tell its outcome",
		[CLIENT_REJECT] = "the client refused the certificate",
		[CLIENT_REJECT_VALIDITY] = "the client took the certificate for expired",
		[CLIENT_SILENT_CLOSE] = "the client hung up inside the handshake",
		[ESTABLISHED_NO_DATA] = "handshake complete, then gone without data",
		[CLIENT_CANCEL] = "the client cancelled",
		[MUTUAL_TLS] = "the origin wanted a client certificate",
		[UPSTREAM_FAILED] = "the origin could not be reached or trusted",
		[TLS_MISMATCH] = "no common version or cipher",
		[ESTABLISHED] = "data flowed",
		[INCOMPLETE] = "cut off; no end was seen",
	};
	int alert;
	enum outcome o;

	if (e->kind != OBS_TLS_ATTEMPT) {
		html_plain(out, e->what, 120);
		return;
	}
	o = outcome_of(e->what, &alert);
	buf_str(out, words[o]);
	if (alert >= 0) {
		const char *name = alert_name(alert);

		buf_printf(out, " (alert %d%s%s)", alert, name != NULL ? ", " : "",
			   name != NULL ? name : "");
	}
}

void svg_mark_shapes(struct buf *out)
{
	/* Each is drawn around the origin, about ten units wide. */
	static const char *const shapes[MARKS] = {
		[MARK_SEEN] = "<circle r=\"2.6\"/>",
		[MARK_POSTURE] = "<path d=\"M-4-5H2L4-3V5H-4ZM-2-1H2M-2 2H2\"/>",
		[MARK_ACTIVE] = "<rect x=\"-2\" y=\"-5\" width=\"4\" height=\"10\" rx=\"1.5\"/>",
		[MARK_BACKGROUND] = "<path d=\"M2-5A5 5 0 1 0 5 2 4.2 4.2 0 0 1 2-5Z\"/>",
		[MARK_SUCCESS] = "<circle r=\"4.4\"/>",
		[MARK_RIVAL] = "<rect x=\"-4\" y=\"-4\" width=\"8\" height=\"8\"/>",
		[MARK_LATE] = "<path d=\"M-5-4H5L-5 4H5Z\"/>",
		[MARK_SILENT] = "<path d=\"M-5-4H5L0 5Z\"/>",
		[MARK_REJECT] = "<path d=\"M0-6 6 0 0 6-6 0ZM-2-2 2 2M2-2-2 2\"/>",
	};

	buf_str(out, "<svg class=\"shapes\" width=\"0\" height=\"0\" aria-hidden=\"true\"><defs>");
	for (int m = 0; m < MARKS; m++)
		buf_printf(out, "<g id=\"m%d\" class=\"m%d\">%s</g>", m, m, shapes[m]);
	buf_str(out, "</defs></svg>\n");
}

void svg_legend(struct buf *out, unsigned marks)
{
	buf_str(out, "<ul class=\"legend\">");
	for (int m = MARKS - 1; m >= 0; m--)
		if (marks >> m & 1u)
			buf_printf(out,
				   "<li><svg width=\"14\" height=\"14\" viewBox=\"-7 -7 14 14\" "
				   "aria-hidden=\"true\"><use href=\"#m%d\"/></svg>%s</li>",
				   m, svg_mark_words((enum svg_mark)m));
	buf_str(out, "</ul>\n");
}
