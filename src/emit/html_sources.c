/* Where it all comes from: sources and their health, the analytic's log sources, the settings; and
 * how to read the page. */
#include "emit/html_page.h"

#include "emit/html_text.h"
#include "emit/text.h"
#include "emit/words.h"

/* Rejected records quoted, over all sources. */
#define MAX_REJECTS 12

static void health(struct buf *b, const struct source_summary *s)
{
	if (s->files == 0)
		html_pill(b, "bad", "missing");
	else if (s->over_budget)
		html_pill(b, "bad", "too many bad lines");
	else if (s->stale)
		html_pill(b, "gap", "fell silent");
	else
		html_pill(b, "good", "fine");
}

static void number(struct buf *b, uint64_t n)
{
	buf_printf(b, "<td class=\"n%s\">", n == 0 ? " nil" : "");
	text_count(b, n);
	buf_str(b, "</td>");
}

static void source_row(struct buf *b, const struct source_summary *s)
{
	bool first = true;

	buf_str(b, "<tr><th scope=\"row\">");
	html_value(b, s->name, 64);
	buf_str(b, "</th><td>");
	for (int k = 0; k < SENSORS; k++)
		if (s->by_sensor[k] > 0) {
			buf_printf(b, "%s%s", first ? "" : ", ",
				   sensor_kind_name((enum sensor_kind)k));
			first = false;
		}
	if (first)
		buf_str(b, sensor_kind_name(s->kind));
	buf_str(b, "</td><td>");
	html_value(b, s->format, 64);
	buf_str(b, "</td><td>");
	health(b, s);
	buf_str(b, "</td>");
	number(b, s->records);
	number(b, s->rejected + s->overlong);
	number(b, s->irrelevant);
	number(b, s->quarantined + s->too_late);
	buf_str(b, "<td>");
	html_time(b, s->first);
	buf_str(b, "</td><td>");
	html_time(b, s->last);
	buf_str(b, "</td></tr>\n");
}

static void rejects(struct buf *b, const struct run_summary *s)
{
	size_t shown = 0, n = 0;

	for (size_t i = 0; i < s->n_sources; i++)
		n += s->sources[i].n_examples;
	if (n == 0)
		return;
	buf_str(b,
		"<details class=\"part\"><summary>Rejected records, the first of them</summary>\n"
		"<ul class=\"notes\">");
	for (size_t i = 0; i < s->n_sources; i++)
		for (size_t k = 0; k < s->sources[i].n_examples && k < SUMMARY_EXAMPLES; k++) {
			const struct reject_example *e = &s->sources[i].examples[k];

			if (shown++ >= MAX_REJECTS)
				break;
			buf_str(b, "<li><code>");
			html_value(b, e->file, HTML_MAX_NAME);
			buf_printf(b, ":%u</code> ", e->line);
			html_value(b, e->reason, 200);
			buf_str(b, "</li>\n");
		}
	buf_str(b, "</ul></details>\n");
}

static void log_sources(struct buf *b, const struct run_summary *s)
{
	buf_str(b,
		"<table class=\"checks\"><caption>The analytic’s log sources</caption>\n<thead><tr>"
		"<th scope=\"col\">Log source</th><th scope=\"col\">Written by</th></tr></thead>\n"
		"<tbody>");
	for (int l = 0; l < LANES; l++) {
		enum sensor_kind k = svg_lane_sensor((enum svg_lane)l);
		enum source_status status = s->log_sources[k];
		bool gone = status == SOURCE_MISSING || status == SOURCE_STALE;

		buf_str(b, "<tr><th scope=\"row\">");
		html_pill(b, gone ? "gap" : "good", source_status_name(status));
		buf_printf(b, " <code>%s</code></th><td>%s", log_source_name(k),
			   words_log_source(k));
		if (gone)
			buf_printf(b, "<small>%s</small>", words_missing_source(k));
		buf_str(b, "</td></tr>\n");
	}
	buf_str(b, "</tbody></table>\n");
}

static void overlap(struct buf *b, const struct run_summary *s)
{
	if (s->n_sources < 2 || !instant_known(s->overlap_from) || !instant_known(s->overlap_to) ||
	    s->overlap_from.ns > s->overlap_to.ns)
		return;
	buf_str(b, "<p class=\"hint\">Covered by every source of connections: ");
	html_period(b, s->overlap_from, s->overlap_to);
	buf_str(b, ".</p>\n");
}

static void settings(struct buf *b, const struct settings *s)
{
	char window[INSTANT_ISO_SIZE];
	size_t apps = 0;

	for (size_t i = 0; i < s->n_allowances; i++)
		apps += s->allowances[i].is_app_list;
	span_format(s->time_window, window);
	buf_str(b, "<h3>Judged with</h3>\n<dl class=\"facts\">");
	buf_printf(b, "<div><dt>TimeWindow</dt><dd>%s</dd></div>", window);
	buf_printf(b, "<div><dt>InspectionFailureThreshold</dt><dd>%u</dd></div>",
		   s->inspection_failure_threshold);
	buf_printf(b, "<div><dt>ForegroundStateRequired</dt><dd>%s</dd></div>",
		   s->foreground_state_required ? "true" : "false");
	buf_str(b, "<div><dt>AllowedAppList</dt><dd>");
	text_plural(b, apps, "entry", "entries");
	buf_str(b, "</dd></div><div><dt>AllowedDestinationList</dt><dd>");
	text_plural(b, s->n_allowances - apps, "entry", "entries");
	buf_str(b, "</dd></div></dl>\n");
}

void html_sources(struct html_page *p)
{
	static const char *const columns[] = { "Source",  "Feeds",    "Format",	    "Health",
					       "Records", "Rejected", "Irrelevant", "Not used",
					       "From",	  "To" };
	const struct run_summary *s = p->in->summary;
	struct buf *b = &p->b;

	buf_str(
	    b, "<section id=\"sources\" aria-labelledby=\"h-sources\">\n<h2 "
	       "id=\"h-sources\">Sources</h2>\n<div class=\"scroll\" tabindex=\"0\" role=\"group\" "
	       "aria-label=\"Sources\"><table class=\"grid\"><caption>What was read; not used are "
	       "records that came too late or are dated too far ahead</caption>\n<thead><tr>");
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		buf_printf(b, "<th scope=\"col\"%s>%s</th>", i >= 4 && i <= 7 ? " class=\"n\"" : "",
			   columns[i]);
	buf_str(b, "</tr></thead>\n<tbody>");
	for (size_t i = 0; i < s->n_sources; i++)
		source_row(b, &s->sources[i]);
	buf_str(b, "</tbody></table></div>\n");
	overlap(b, s);
	rejects(b, s);
	log_sources(b, s);
	settings(b, p->in->settings);
	buf_str(b, "</section>\n");
}

void html_guide(struct html_page *p)
{
	buf_str(
	    &p->b,
	    "<section id=\"guide\" aria-labelledby=\"h-guide\">\n<h2 id=\"h-guide\">How to read "
	    "it</h2>\n<dl class=\"guide\">\n"
	    "<div><dt>Verdict</dt><dd>Does the app pin? <b>confirmed</b>: rejection repeats, the "
	    "score is 10 or more and a control rules ordinary reasons out. <b>suspected</b>: it "
	    "behaves so, but something is not ruled out. <b>explained</b>: an ordinary reason "
	    "stands. <b>expected</b>: allow-listed, or an Apple service. <b>observed</b>: too "
	    "little to say.</dd></div>\n"
	    "<div><dt>Risk and severity</dt><dd>Does anyone need to care? A bank’s app that pins "
	    "its own server is confirmed and harmless; a background app that does so with an "
	    "unknown place is not. 70 and more is high, 45 medium, 25 low.</dd></div>\n"
	    "<div><dt>Score</dt><dd>Ten times the logarithm of the odds that the app pins, from "
	    "expert weights. It ranks; it is no probability.</dd></div>\n"
	    "<div><dt>Trial</dt><dd>Connections of one device within a minute count once. It "
	    "fails <b>hard</b> when the client refuses the certificate, <b>silently</b> when it "
	    "hangs up inside the handshake, <b>late</b> when it leaves without sending "
	    "anything.</dd></div>\n"
	    "<div><dt>Control</dt><dd>An observation that rules a rival explanation out, such as "
	    "the same app working where nobody inspects.</dd></div>\n"
	    "<div><dt>Confidence</dt><dd>How well device, app and circumstances are known. A "
	    "missing log source caps it.</dd></div>\n</dl>\n</section>\n</main>\n"
	    "<footer class=\"end\"><p>pinwatch " PINWATCH_VERSION
	    " · times are UTC · records quote logs as they were when this report was "
	    "written</p></footer>\n</body>\n</html>\n");
}
