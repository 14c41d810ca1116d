/* The judgement of a finding: score, controls, rivals, paths, risk, notes. */
#include "emit/html_page.h"

#include "emit/html_text.h"
#include "emit/svg_waterfall.h"
#include "emit/words.h"

void html_score(struct buf *b, const struct finding *f) { svg_waterfall(b, f); }

/* `: because`, where there is one. */
static void reason(struct buf *b, struct sv because)
{
	if (sv_empty(because))
		return;
	buf_str(b, "<small>");
	html_value(b, because, HTML_MAX_SENTENCE);
	buf_str(b, "</small>");
}

void html_controls(struct buf *b, const struct finding *f)
{
	buf_str(b, "<table class=\"checks\"><caption>Controls: observations that rule ordinary "
		   "reasons out</caption>\n<thead><tr><th scope=\"col\">Control</th><th "
		   "scope=\"col\">What it shows</th></tr></thead>\n<tbody>");
	for (int c = 0; c < CONTROLS; c++) {
		bool met = f->controls_met >> c & 1u;

		buf_str(b, "<tr><th scope=\"row\">");
		html_pill(b, met ? "good" : "gap", met ? "met" : "missing");
		buf_printf(b, " <code>%s</code></th><td>%s", control_name((enum control)c),
			   words_control((enum control)c));
		if (!met)
			buf_printf(b, "<small>%s</small>", words_control_missing((enum control)c));
		buf_str(b, "</td></tr>\n");
	}
	buf_str(b, "</tbody></table>\n");
}

void html_rivals(struct buf *b, const struct finding *f)
{
	static const char *const styles[] = {
		[RIVAL_UNTESTED] = "none", [RIVAL_REFUTED] = "good", [RIVAL_STANDS] = "bad"
	};

	buf_str(b,
		"<table class=\"checks\"><caption>Rival explanations, and what refutes them or is "
		"missing</caption>\n<thead><tr><th scope=\"col\">Rival</th><th scope=\"col\">Why "
		"it stands or falls</th></tr></thead>\n<tbody>");
	for (int r = 0; r < RIVALS; r++) {
		enum rival_status s = f->rivals[r].status;

		buf_str(b, "<tr><th scope=\"row\">");
		html_pill(b, styles[s], rival_status_name(s));
		buf_printf(b, " <code>%s</code></th><td>%s", rival_name((enum rival)r),
			   words_rival((enum rival)r));
		reason(b, f->rivals[r].because);
		buf_str(b, "</td></tr>\n");
	}
	buf_str(b, "</tbody></table>\n");
}

void html_paths(struct buf *b, const struct finding *f)
{
	buf_str(b, "<table class=\"checks\"><caption>Paths to suspected</caption>\n<thead><tr>"
		   "<th scope=\"col\">Path</th><th scope=\"col\">What it takes</th></tr></thead>\n"
		   "<tbody>");
	for (unsigned path = PATH_REJECTION; path <= PATH_PERSISTENT_OPACITY; path <<= 1) {
		bool reached = f->paths & path;

		buf_str(b, "<tr><th scope=\"row\">");
		html_pill(b, reached ? "bad" : "none", reached ? "reached" : "not reached");
		buf_printf(b, " <span class=\"path\">%s</span></th><td>%s</td></tr>\n",
			   words_path((enum path)path), words_path_needs((enum path)path));
	}
	buf_str(b, "</tbody></table>\n");
}

void html_risk(struct buf *b, const struct finding *f)
{
	int sum = 0;

	if (f->n_risk_factors == 0)
		return;
	buf_str(b, "<table class=\"risk\"><caption>Risk, 0 to 100: who should care</caption>\n"
		   "<thead><tr><th scope=\"col\" class=\"n\">Points</th><th "
		   "scope=\"col\">Factor</th></tr></thead>\n<tbody>");
	for (size_t i = 0; i < f->n_risk_factors; i++) {
		const struct risk_entry *r = &f->risk_factors[i];

		sum += r->points;
		buf_printf(b, "<tr><td class=\"n\">%+d</td><th scope=\"row\">%s <code>%s</code>",
			   r->points, words_risk(r->factor), risk_factor_name(r->factor));
		reason(b, r->because);
		buf_str(b, "</th></tr>\n");
	}
	buf_printf(b,
		   "</tbody>\n<tfoot><tr><td class=\"n\">%d</td><th scope=\"row\">%s "
		   "severity%s</th></tr></tfoot></table>\n",
		   f->risk, severity_name(f->severity),
		   sum != f->risk ? ", the sum cut to 0 to 100" : "");
}

/* What would meet a missing control stands with the controls. */
static bool about_control(struct sv note)
{
	for (int c = 0; c < CONTROLS; c++)
		if (sv_starts(note, sv_cstr(control_name((enum control)c))))
			return true;
	return false;
}

void html_notes(struct buf *b, const struct finding *f)
{
	bool any = false;

	for (size_t i = 0; i < f->n_notes; i++) {
		if (f->kind == FINDING_PINNING && about_control(f->notes[i]))
			continue;
		buf_str(b,
			any ? "<li>" : "<h4>What would change it</h4>\n<ul class=\"notes\"><li>");
		html_value(b, f->notes[i], HTML_MAX_SENTENCE);
		buf_str(b, "</li>\n");
		any = true;
	}
	if (any)
		buf_str(b, "</ul>\n");
}
