#include "emit/explain.h"

#include <stdio.h>

#include "emit/words.h"

/* Decibans that one character of a bar stands for, and the longest bar. */
#define BAR_CENTIDB 200
#define BAR_MAX 20

static void heading(struct buf *b, const struct text_style *style, const char *title)
{
	buf_char(b, '\n');
	text_paint(b, style, PAINT_BOLD);
	buf_str(b, title);
	text_paint(b, style, PAINT_PLAIN);
	buf_char(b, '\n');
}

/* A bullet line: two spaces, a mark, then the paragraph with hanging indent. */
static void item(struct buf *b, const struct text_style *style, const char *mark,
		 enum text_paint paint, const struct buf *paragraph)
{
	size_t columns = text_columns(sv_cstr(mark));

	buf_str(b, "  ");
	text_paint(b, style, paint);
	buf_str(b, mark);
	text_paint(b, style, PAINT_PLAIN);
	buf_char(b, ' ');
	text_wrap(b, buf_view(paragraph), columns + 3, columns + 3, style);
}

static void verdict_sentence(struct buf *b, const struct finding *f)
{
	words_app(b, f);
	switch (f->verdict) {
	case VERDICT_CONFIRMED:
		buf_str(b, " pins ");
		words_destination(b, f);
		buf_str(b, ": it refuses the inspecting gateway's certificate there, and the "
			   "controls rule the ordinary reasons out.");
		break;
	case VERDICT_SUSPECTED:
		buf_str(b, " behaves as if it pinned ");
		words_destination(b, f);
		buf_str(b, ", but the evidence does not yet rule the other explanations out.");
		break;
	case VERDICT_EXPLAINED:
		buf_str(b, " has trouble with ");
		words_destination(b, f);
		buf_str(b, " under inspection, and there is an ordinary reason: ");
		words_why(b, f);
		buf_char(b, '.');
		break;
	case VERDICT_OBSERVED:
		buf_str(b, " was seen with ");
		words_destination(b, f);
		buf_str(b, "; nothing there amounts to pinning so far.");
		break;
	case VERDICT_EXPECTED:
		buf_str(b, " and ");
		words_destination(b, f);
		buf_str(b, " are expected to behave like this: ");
		words_why(b, f);
		buf_char(b, '.');
		break;
	case VERDICTS:
		break;
	}
}

static void other_sentence(struct buf *b, const struct finding *f)
{
	if (f->kind == FINDING_CA_UNTRUSTED) {
		buf_str(b, "The device ");
		if (f->n_devices > 0)
			text_safe(b, f->devices[0].id, 64);
		buf_str(b, " does not trust the inspecting gateway's root certificate: its "
			   "connections fail whatever the app. Install the root on it (or "
			   "repair the profile). Its failures are set aside and count for no app.");
	} else if (f->kind == FINDING_GATEWAY_FAULT) {
		buf_str(b, "The gateway itself was failing: ");
		text_plural(b, f->n_devices, "device", "devices");
		buf_str(b, " failed at the same time with many destinations. What failed in "
			   "that span is set aside and counts for no app.");
	} else {
		buf_str(b, "A log source has fallen silent. What it would have shown is missing "
			   "from every judgement since.");
	}
}

static void masthead(struct buf *b, const struct finding *f, const struct text_style *style)
{
	struct buf line;

	buf_init(&line, 65536);
	text_paint(b, style, PAINT_BOLD);
	buf_printf(b, "%s: %s", finding_kind_name(f->kind), verdict_name(f->verdict));
	if (!sv_empty(f->explained_by)) {
		buf_str(b, " (");
		text_safe(b, f->explained_by, 120);
		buf_char(b, ')');
	}
	text_paint(b, style, PAINT_PLAIN);
	buf_printf(b, "   %s\n\n", f->uid);
	if (f->kind == FINDING_PINNING)
		verdict_sentence(&line, f);
	else
		other_sentence(&line, f);
	text_wrap(b, buf_view(&line), 0, 0, style);
	buf_free(&line);

	buf_str(b, "\nSeen         ");
	text_time(b, f->first_seen, style);
	buf_str(b, " to ");
	text_time(b, f->last_seen, style);
	if (f->kind == FINDING_PINNING) {
		buf_str(b, "\nApp          ");
		words_app(b, f);
		buf_printf(b, " (attribution %s: %s)\nDestination  ",
			   attribution_name(f->attribution), words_attribution(f->attribution));
		text_place(b, f->host, 0, f->port);
	}
	buf_printf(b, "\nSeverity     %s (risk %d of 100)", severity_name(f->severity), f->risk);
	buf_printf(b, "\nConfidence   %s\n",
		   f->confidence == CONFIDENCE_NONE
		       ? "- (only confirmed and suspected findings have one)"
		       : confidence_name(f->confidence));
}

static void score(struct buf *b, const struct finding *f, const struct text_style *style)
{
	struct buf line;

	heading(b, style, "Score, in decibans (not fitted, so no probability)");
	buf_init(&line, 65536);
	for (size_t i = 0; i < f->n_contributions; i++) {
		const struct contribution *c = &f->contributions[i];
		int64_t magnitude = c->centidb < 0 ? -(int64_t)c->centidb : c->centidb;
		size_t bar = (size_t)((magnitude + BAR_CENTIDB / 2) / BAR_CENTIDB);
		size_t at = b->n;

		buf_str(b, "  ");
		text_fixed2(b, c->centidb, true);
		if (b->n - at < 10) { /* right-align the number in eight columns */
			size_t pad = 10 - (b->n - at);

			b->n = at;
			text_repeat(b, ' ', pad + 2);
			text_fixed2(b, c->centidb, true);
		}
		buf_str(b, "  ");
		bar = bar > BAR_MAX ? BAR_MAX : bar;
		text_paint(b, style, c->centidb < 0 ? PAINT_GREEN : PAINT_RED);
		text_repeat(b, c->centidb < 0 ? '-' : '+', bar);
		text_paint(b, style, PAINT_PLAIN);
		text_repeat(b, ' ', BAR_MAX - bar + 2);
		buf_reset(&line);
		buf_printf(&line, "%s: %s", term_name(c->term), words_term(c->term));
		if (!sv_empty(c->because)) {
			buf_str(&line, "; ");
			text_safe(&line, c->because, 400);
		}
		text_wrap(b, buf_view(&line), BAR_MAX + 14, BAR_MAX + 14, style);
	}
	buf_str(b, "  ");
	buf_reset(&line);
	text_fixed2(&line, f->score_centidb, true);
	text_repeat(b, ' ', line.n < 8 ? 8 - line.n : 0);
	text_paint(b, style, PAINT_BOLD);
	buf_sv(b, buf_view(&line));
	buf_str(b, "  in all");
	text_paint(b, style, PAINT_PLAIN);
	buf_char(b, '\n');
	buf_free(&line);
}

/* Do the notes say what would meet the control? */
static bool noted(const struct finding *f, enum control c)
{
	for (size_t i = 0; i < f->n_notes; i++)
		if (sv_starts(f->notes[i], sv_cstr(control_name(c))))
			return true;
	return false;
}

static void controls(struct buf *b, const struct finding *f, const struct text_style *style)
{
	struct buf line;

	heading(b, style, "Controls: observations that rule other explanations out");
	buf_init(&line, 65536);
	for (int c = 0; c < CONTROLS; c++) {
		bool met = f->controls_met >> c & 1u;

		buf_reset(&line);
		buf_printf(&line, "%s: %s", control_name((enum control)c),
			   words_control((enum control)c));
		if (!met && !noted(f, (enum control)c))
			buf_printf(&line, "; %s", words_control_missing((enum control)c));
		item(b, style, met ? "met    " : "missing", met ? PAINT_GREEN : PAINT_YELLOW,
		     &line);
	}
	buf_free(&line);
}

static void rivals(struct buf *b, const struct finding *f, const struct text_style *style)
{
	static const enum text_paint paints[] = { [RIVAL_UNTESTED] = PAINT_YELLOW,
						  [RIVAL_REFUTED] = PAINT_GREEN,
						  [RIVAL_STANDS] = PAINT_RED };
	static const char *const marks[] = { [RIVAL_UNTESTED] = "untested",
					     [RIVAL_REFUTED] = "refuted ",
					     [RIVAL_STANDS] = "stands  " };
	struct buf line;

	heading(b, style, "Rival explanations");
	buf_init(&line, 65536);
	for (int r = 0; r < RIVALS; r++) {
		enum rival_status status = f->rivals[r].status;

		buf_reset(&line);
		buf_printf(&line, "%s: %s", rival_name((enum rival)r), words_rival((enum rival)r));
		if (!sv_empty(f->rivals[r].because)) {
			buf_str(&line, "; ");
			text_safe(&line, f->rivals[r].because, 400);
		}
		item(b, style, marks[status], paints[status], &line);
	}
	buf_free(&line);
}

static void paths(struct buf *b, const struct finding *f, const struct text_style *style)
{
	struct buf line;

	heading(b, style, "Paths to suspected");
	buf_init(&line, 65536);
	for (unsigned p = PATH_REJECTION; p <= PATH_PERSISTENT_OPACITY; p <<= 1) {
		bool reached = f->paths & p;

		buf_reset(&line);
		buf_str(&line, words_path((enum path)p));
		if (!reached)
			buf_printf(&line, ": %s", words_path_needs((enum path)p));
		item(b, style, reached ? "reached    " : "not reached",
		     reached ? PAINT_RED : PAINT_PLAIN, &line);
	}
	buf_free(&line);
}

static void notes(struct buf *b, const struct finding *f, const struct text_style *style)
{
	struct buf line;

	if (f->n_notes == 0)
		return;
	heading(b, style, "What keeps it where it is, and what would change that");
	buf_init(&line, 65536);
	for (size_t i = 0; i < f->n_notes; i++) {
		buf_reset(&line);
		text_safe(&line, f->notes[i], 1000);
		item(b, style, "-", PAINT_PLAIN, &line);
	}
	buf_free(&line);
}

static void risk(struct buf *b, const struct finding *f, const struct text_style *style)
{
	struct buf line;

	if (f->n_risk_factors == 0)
		return;
	heading(b, style, "Risk: who should care");
	buf_init(&line, 65536);
	for (size_t i = 0; i < f->n_risk_factors; i++) {
		const struct risk_entry *r = &f->risk_factors[i];
		char points[16];

		snprintf(points, sizeof(points), "%+4d", r->points);
		buf_reset(&line);
		buf_printf(&line, "%s: %s", risk_factor_name(r->factor), words_risk(r->factor));
		if (!sv_empty(r->because)) {
			buf_str(&line, "; ");
			text_safe(&line, r->because, 400);
		}
		item(b, style, points, PAINT_PLAIN, &line);
	}
	buf_free(&line);
}

static void devices(struct buf *b, const struct finding *f, const struct text_style *style)
{
	struct buf line;

	heading(b, style, "Devices");
	buf_init(&line, 65536);
	if (f->n_devices == 0)
		buf_str(b, "  none left: every attempt is set aside\n");
	for (size_t i = 0; i < f->n_devices; i++) {
		const struct finding_device *d = &f->devices[i];

		buf_reset(&line);
		text_safe(&line, d->id, 80);
		buf_printf(&line, " (%s%s): ", words_id_type(d->id_type),
			   d->ambiguous ? "; ambiguous, several devices could be meant" : "");
		text_plural(&line, d->failures, "failure", "failures");
		buf_str(&line, " and ");
		text_plural(&line, d->successes, "success", "successes");
		buf_str(&line, " under inspection in ");
		text_plural(&line, d->trials, "trial", "trials");
		buf_str(&line, ", ");
		text_plural(&line, d->uninspected, "uninspected session", "uninspected sessions");
		buf_str(&line, "; started in the background ");
		text_count(&line, d->background_starts);
		buf_str(&line, ", on a locked device ");
		text_count(&line, d->locked_starts);
		item(b, style, "-", PAINT_PLAIN, &line);
	}
	if (f->excluded_ca_untrusted + f->excluded_gateway_fault > 0) {
		buf_reset(&line);
		buf_str(&line, "Set aside: ");
		text_plural(&line, f->excluded_ca_untrusted, "attempt", "attempts");
		buf_str(&line, " of devices that do not trust the inspection root, ");
		text_plural(&line, f->excluded_gateway_fault, "attempt", "attempts");
		buf_str(&line, " while the gateway was failing.");
		item(b, style, "-", PAINT_PLAIN, &line);
	}
	buf_free(&line);
}

static void log_sources(struct buf *b, const struct finding *f, const struct text_style *style)
{
	static const enum sensor_kind order[] = { SENSOR_MDM, SENSOR_EDR, SENSOR_FLOW,
						  SENSOR_INSPECTION };
	struct buf line;

	heading(b, style, "Log sources of the analytic");
	buf_init(&line, 65536);
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		enum source_status s = f->log_sources[order[i]];
		bool gone = s == SOURCE_MISSING || s == SOURCE_STALE;
		char mark[16];

		snprintf(mark, sizeof(mark), "%-11s", source_status_name(s));
		buf_reset(&line);
		buf_printf(&line, "%s, %s", log_source_name(order[i]), words_log_source(order[i]));
		if (gone)
			buf_printf(&line, ". %s", words_missing_source(order[i]));
		item(b, style, mark, gone ? PAINT_YELLOW : PAINT_PLAIN, &line);
	}
	buf_free(&line);
}

static void settings(struct buf *b, const struct settings *s, const struct text_style *style)
{
	char window[INSTANT_ISO_SIZE];
	size_t apps = 0;

	for (size_t i = 0; i < s->n_allowances; i++)
		apps += s->allowances[i].is_app_list;
	span_format(s->time_window, window);
	heading(b, style, "Judged with");
	buf_printf(b,
		   "  TimeWindow %s, InspectionFailureThreshold %u, ForegroundStateRequired %s,\n"
		   "  AllowedAppList ",
		   window, s->inspection_failure_threshold,
		   s->foreground_state_required ? "true" : "false");
	text_plural(b, apps, "entry", "entries");
	buf_str(b, ", AllowedDestinationList ");
	text_plural(b, s->n_allowances - apps, "entry", "entries");
	buf_char(b, '\n');
}

void explain_finding(struct buf *out, const struct finding *f,
		     const struct explain_options *options)
{
	const struct text_style *style = &options->style;

	masthead(out, f, style);
	if (f->kind == FINDING_PINNING) {
		notes(out, f, style);
		score(out, f, style);
		controls(out, f, style);
		rivals(out, f, style);
		paths(out, f, style);
		risk(out, f, style);
	} else {
		notes(out, f, style);
	}
	devices(out, f, style);
	log_sources(out, f, style);
	explain_evidence(out, f, options);
	settings(out, options->settings, style);
}
