/* The first screen: what needs a look, what was scanned, what could not be evaluated. */
#include "emit/html_page.h"

#include "emit/html_text.h"
#include "emit/text.h"
#include "emit/words.h"

static size_t count_severity(const struct html_page *p, enum severity s)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_ranked; i++)
		n += p->ranked[i].f->severity == s;
	return n;
}

static void subject(struct buf *b, const struct finding *f)
{
	buf_printf(b, "<a href=\"#f-%s\">", f->uid);
	html_say(b, words_app, f);
	buf_str(b, f->verdict == VERDICT_CONFIRMED ? " pins " : " may be pinning ");
	html_say(b, words_destination, f);
	buf_str(b, "</a>");
}

/* The answer for someone with a minute. */
static void lead(struct html_page *p)
{
	size_t urgent = count_severity(p, SEVERITY_HIGH) + count_severity(p, SEVERITY_MEDIUM);
	size_t quiet = count_severity(p, SEVERITY_INFORMATIONAL);
	size_t low = p->n_ranked - urgent - quiet;
	struct buf *b = &p->b;

	buf_str(b, "<p class=\"lead\">");
	if (p->n_ranked == 0) {
		buf_str(b, "No app was found to pin.");
	} else if (urgent == 0) {
		buf_str(b, "Nothing needs attention at once.");
	} else {
		buf_str(b, "<strong>");
		text_plural(b, urgent, "finding needs attention", "findings need attention");
		buf_str(b, ":</strong> ");
		for (size_t i = 0; i < urgent && i < 3; i++) {
			buf_str(b, i == 0 ? "" : "; ");
			subject(b, p->ranked[i].f);
		}
		if (urgent > 3)
			buf_printf(b, "; and %zu more", urgent - 3);
		buf_char(b, '.');
	}
	if (low > 0) {
		buf_char(b, ' ');
		text_plural(b, low, urgent == 0 ? "finding deserves" : "more deserves",
			    urgent == 0 ? "findings deserve" : "more deserve");
		buf_str(b, " a look when there is time.");
	}
	if (quiet > 0) {
		buf_char(b, ' ');
		text_plural(b, quiet, p->n_ranked == quiet ? "finding has" : "more has",
			    p->n_ranked == quiet ? "findings have" : "more have");
		buf_str(b, " nothing unusual beyond the pinning itself: to be reviewed for the "
			   "do-not-decrypt list.");
	}
	if (p->n_repairs > 0) {
		buf_char(b, ' ');
		text_plural(b, p->n_repairs, "thing on your own side needs",
			    "things on your own side need");
		buf_str(b, " <a href=\"#repair\">repair</a>.");
	}
	buf_str(b, "</p>\n");
}

static void tile(struct buf *b, const char *style, const char *name, size_t n)
{
	buf_printf(b, "<div class=\"tile %s%s\"><dt>%s</dt><dd>", style, n == 0 ? " nil" : "",
		   name);
	text_count(b, n);
	buf_str(b, "</dd></div>");
}

static void tiles(struct html_page *p)
{
	struct buf *b = &p->b;

	buf_str(b, "<dl class=\"tiles\">");
	tile(b, "high", "High", count_severity(p, SEVERITY_HIGH));
	tile(b, "medium", "Medium", count_severity(p, SEVERITY_MEDIUM));
	tile(b, "low", "Low", count_severity(p, SEVERITY_LOW));
	tile(b, "informational", "Informational", count_severity(p, SEVERITY_INFORMATIONAL));
	tile(b, "repair", "To repair", p->n_repairs);
	buf_str(b, "</dl>\n");
}

static void scanned(struct html_page *p)
{
	const struct run_summary *s = p->in->summary;
	uint64_t records = 0, rejected = 0;
	struct buf *b = &p->b;

	for (size_t i = 0; i < s->n_sources; i++) {
		records += s->sources[i].records;
		rejected += s->sources[i].rejected + s->sources[i].overlong;
	}
	buf_str(b, "<p class=\"scanned\">");
	text_plural(b, records, "record", "records");
	buf_str(b, " of <a href=\"#sources\">");
	text_plural(b, s->n_sources, "source", "sources");
	buf_str(b, "</a>, ");
	text_count(b, rejected);
	buf_str(b, " rejected; ");
	text_plural(b, s->attempts, "connection", "connections");
	buf_str(b, " of ");
	text_plural(b, s->devices, "device", "devices");
	buf_str(b, " and ");
	text_plural(b, s->apps, "app", "apps");
	buf_str(b, " to ");
	text_plural(b, s->destinations, "destination", "destinations");
	buf_str(b, ".</p>\n");
}

static void not_evaluated(struct buf *b, bool *any)
{
	if (!*any)
		buf_str(b, "<div class=\"notice\" role=\"note\"><h2>What could not be "
			   "evaluated</h2><ul>\n");
	*any = true;
	buf_str(b, "<li>");
}

static void count_gap(struct buf *b, bool *any, uint64_t n, const char *one, const char *many)
{
	if (n == 0)
		return;
	not_evaluated(b, any);
	text_plural(b, n, one, many);
	buf_str(b, ".</li>\n");
}

static void source_gaps(struct buf *b, const struct run_summary *s, bool *any)
{
	for (size_t i = 0; i < s->n_sources; i++) {
		const struct source_summary *x = &s->sources[i];

		if (x->files > 0 && !x->stale && !x->over_budget)
			continue;
		not_evaluated(b, any);
		buf_str(b, "<b>");
		html_value(b, x->name, 64);
		buf_str(b, "</b> ");
		if (x->files == 0)
			buf_str(b, "is missing: no file was found.");
		if (x->stale) {
			buf_str(b, "fell silent at ");
			html_time(b, x->last);
			buf_str(b, ", longer before the newest event than silence_after allows.");
		}
		if (x->over_budget)
			buf_str(b, " has more bad lines than bad_line_budget allows.");
		buf_str(b, "</li>\n");
	}
}

static void gaps(struct html_page *p)
{
	const struct run_summary *s = p->in->summary;
	uint64_t quarantined = 0, late = 0;
	struct buf *b = &p->b;
	bool any = false;

	for (int l = 0; l < LANES; l++) {
		enum sensor_kind k = svg_lane_sensor((enum svg_lane)l);
		enum source_status status = s->log_sources[k];

		if (status != SOURCE_MISSING && status != SOURCE_STALE)
			continue;
		not_evaluated(b, &any);
		buf_printf(b, "<b>%s is %s</b> (%s). %s</li>\n", log_source_name(k),
			   source_status_name(status), words_log_source(k),
			   words_missing_source(k));
	}
	source_gaps(b, s, &any);
	if (s->n_sources > 1 && (!instant_known(s->overlap_from) || !instant_known(s->overlap_to) ||
				 s->overlap_from.ns > s->overlap_to.ns)) {
		not_evaluated(b, &any);
		buf_str(b, "No time is covered by every source of connections, so they cannot be "
			   "joined.</li>\n");
	}
	for (size_t i = 0; i < s->n_sources; i++) {
		quarantined += s->sources[i].quarantined;
		late += s->sources[i].too_late;
	}
	count_gap(b, &any, quarantined, "record is dated too far ahead and was quarantined",
		  "records are dated too far ahead and were quarantined");
	count_gap(b, &any, late, "record came too late", "records came too late");
	count_gap(b, &any, s->unjudged, "connection has no host and was not judged",
		  "connections have no host and were not judged");
	count_gap(b, &any, s->evicted, "connection was given up to stay within limits.memory",
		  "connections were given up to stay within limits.memory");
	if (any)
		buf_str(b, "</ul></div>\n");
	else
		buf_str(b, "<p class=\"complete\">All four log sources of the analytic were there "
			   "for the whole time.</p>\n");
}

void html_summary(struct html_page *p)
{
	const struct run_summary *s = p->in->summary;
	struct buf *b = &p->b;

	buf_str(
	    b,
	    "<section id=\"summary\" class=\"hero\" aria-labelledby=\"h-summary\">\n"
	    "<p class=\"over\">SSL pinning on iOS · MITRE ATT&amp;CK AN1726 (DET0646, "
	    "T1521.003)</p>\n<h1 id=\"h-summary\">TLS pinning report</h1>\n<p class=\"period\">");
	html_period(b, s->first, s->last);
	buf_str(b, ", UTC</p>\n");
	lead(p);
	tiles(p);
	scanned(p);
	gaps(p);
	buf_str(b, "</section>\n");
}
