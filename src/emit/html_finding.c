/* One finding about an app: what it means first, then everything that led to it. */
#include "emit/html_page.h"

#include <stdio.h>

#include "emit/html_text.h"
#include "emit/svg_timeline.h"
#include "emit/text.h"
#include "emit/words.h"

/* More devices than this stay folded. */
#define OPEN_MAX_DEVICES 8

static unsigned controls_met(const struct finding *f)
{
	unsigned n = 0;

	for (int c = 0; c < CONTROLS; c++)
		n += f->controls_met >> c & 1u;
	return n;
}

/* The verdict as one sentence. */
static void verdict_sentence(struct buf *b, const struct finding *f)
{
	static const char *const controls[CONTROLS + 1] = {
		", and ordinary reasons are ruled out.",
		", and one control rules ordinary reasons out.",
		", and two controls rule ordinary reasons out.",
		", and all three controls rule ordinary reasons out.",
	};

	html_say(b, words_app, f);
	buf_str(b, f->verdict == VERDICT_CONFIRMED ? " pins " : " may be pinning ");
	html_say(b, words_destination, f);
	buf_str(b, ": ");
	html_say(b, words_why, f);
	if (f->verdict == VERDICT_CONFIRMED)
		buf_str(b, controls[controls_met(f)]);
	else
		buf_str(b, ", but other explanations are not ruled out yet.");
}

/* What to do about it, which is a matter of risk and not of how sure the verdict is. */
static void next_step(struct buf *b, const struct finding *f)
{
	buf_str(b, "<p class=\"next\"><b>Next step</b> <span>");
	if (f->severity >= SEVERITY_MEDIUM)
		buf_str(b, "Find out what the app sends there and who installed it. Do not exempt "
			   "the destination from inspection before that.");
	else if (f->paths == PATH_PERSISTENT_OPACITY)
		buf_str(b,
			"Find out what the app sends there, or have the gateway inspect it once: "
			"opacity alone never confirms that an app pins.");
	else if (f->verdict == VERDICT_SUSPECTED)
		buf_str(b, "Settle it: a missing control would confirm or clear it, see below what "
			   "would meet one.");
	else if (f->confidence == CONFIDENCE_LOW)
		buf_str(b, "Find out which app or device this is before deciding; the identity is "
			   "weaker than the evidence.");
	else
		buf_str(b, "Review it for the do-not-decrypt list; nothing here raises the risk "
			   "beyond that of any app that pins.");
	buf_str(b, "</span></p>\n");
}

/* Why it should worry anyone, in a line. */
static void concerns(struct buf *b, const struct finding *f)
{
	bool first = true;

	for (size_t i = 0; i < f->n_risk_factors; i++) {
		const struct risk_entry *r = &f->risk_factors[i];

		if (r->factor == RISK_VERDICT || r->points <= 0)
			continue;
		buf_printf(b, "%s%s", first ? "<p class=\"concern\"><b>Why care</b> <span>" : "; ",
			   words_risk(r->factor));
		first = false;
	}
	if (!first)
		buf_str(b, ".</span></p>\n");
}

static void metric(struct buf *b, const char *name, const char *style)
{
	buf_printf(b, "<div class=\"%s\"><dt>%s</dt><dd>", style, name);
}

static void masthead(struct buf *b, const struct finding *f)
{
	buf_printf(b,
		   "<article class=\"finding %s\" id=\"f-%s\" aria-labelledby=\"h-%s\">\n"
		   "<div class=\"mast\"><div class=\"title\"><p class=\"pills\">",
		   severity_name(f->severity), f->uid, f->uid);
	html_pill(b, severity_name(f->severity), severity_name(f->severity));
	buf_char(b, ' ');
	html_pill(b, verdict_name(f->verdict), verdict_name(f->verdict));
	buf_printf(b, "</p>\n<h3 id=\"h-%s\">", f->uid);
	html_say(b, words_app, f);
	buf_str(
	    b,
	    "<span class=\"unseen\"> to </span> <span class=\"to\" aria-hidden=\"true\">→</span> ");
	html_say(b, words_destination, f);
	buf_str(b, "</h3></div>\n<dl class=\"metrics\">");
	metric(b, "Risk", "risk-of");
	buf_printf(b, "%d<small>/100</small></dd></div>", f->risk);
	metric(b, "Score", "score-of");
	text_fixed2(b, f->score_centidb, true);
	buf_str(b, "<small> dB</small></dd></div>");
	metric(b, "Confidence", "confidence-of");
	buf_printf(b, "%s</dd></div></dl></div>\n",
		   f->confidence == CONFIDENCE_NONE ? "none" : confidence_name(f->confidence));
	buf_str(b, "<p class=\"verdict\">");
	verdict_sentence(b, f);
	buf_str(b, "</p>\n");
}

static void fact(struct buf *b, const char *name) { buf_printf(b, "<div><dt>%s</dt><dd>", name); }

static void facts(struct buf *b, const struct finding *f)
{
	bool first = true, v6 = text_is_v6(f->host);

	buf_str(b, "<dl class=\"facts\">");
	fact(b, "App");
	html_say(b, words_app, f);
	buf_printf(b, "<small>%s: %s</small></dd></div>\n", attribution_name(f->attribution),
		   words_attribution(f->attribution));
	fact(b, "Destination");
	buf_str(b, v6 ? "[" : "");
	html_value(b, f->host, HTML_MAX_NAME);
	buf_printf(b, "%s:%u</dd></div>\n", v6 ? "]" : "", f->port);
	fact(b, "Seen");
	html_period(b, f->first_seen, f->last_seen);
	buf_str(b, "</dd></div>\n");
	fact(b, "Devices");
	if (f->n_devices == 1) {
		buf_str(b, "<code>");
		html_value(b, f->devices[0].id, 96);
		buf_str(b, "</code>");
	} else {
		text_count(b, f->n_devices);
	}
	buf_str(b, "</dd></div>\n");
	fact(b, "Path");
	for (unsigned path = PATH_REJECTION; path <= PATH_PERSISTENT_OPACITY; path <<= 1)
		if (f->paths & path) {
			buf_printf(b, "%s%s", first ? "" : "; ", words_path((enum path)path));
			first = false;
		}
	buf_printf(b, "%s</dd></div>\n", first ? "none" : "");
	fact(b, "Finding");
	buf_printf(b, "<code>%s</code><small>revision %u</small></dd></div></dl>\n", f->uid,
		   f->revision);
}

/* What the finding had to do without. */
static void gaps(struct buf *b, const struct finding *f)
{
	for (int l = 0; l < LANES; l++) {
		enum sensor_kind s = svg_lane_sensor((enum svg_lane)l);
		enum source_status status = f->log_sources[s];

		if (status == SOURCE_MISSING || status == SOURCE_STALE)
			buf_printf(b, "<p class=\"gap\"><b>%s is %s.</b> %s</p>\n",
				   log_source_name(s), source_status_name(status),
				   words_missing_source(s));
	}
	if (f->excluded_ca_untrusted + f->excluded_gateway_fault == 0)
		return;
	buf_str(b, "<p class=\"gap\"><b>Set aside.</b> ");
	if (f->excluded_ca_untrusted > 0) {
		text_plural(b, f->excluded_ca_untrusted, "attempt", "attempts");
		buf_str(b, " of devices that do not trust the inspection root. ");
	}
	if (f->excluded_gateway_fault > 0) {
		text_plural(b, f->excluded_gateway_fault, "attempt", "attempts");
		buf_str(b, " while the gateway was failing.");
	}
	buf_str(b, "</p>\n");
}

/* Begins a part that folds; its count follows the name where it is not empty. */
static void part(struct buf *b, const char *name, const char *count, bool open)
{
	buf_printf(b, "<details class=\"part\"%s><summary>%s", open ? " open" : "", name);
	if (count[0] != '\0')
		buf_printf(b, " <span class=\"count\">%s</span>", count);
	buf_str(b, "</summary>\n");
}

static void parts(struct html_page *p, const struct html_item *item)
{
	const struct finding *f = item->f;
	struct buf *b = &p->b;
	char count[64];

	part(b, "Evidence over time", "", true);
	svg_timeline(b, f, &item->points);
	buf_str(b, "</details>\n");
	part(b, "Score and risk, taken apart", "", true);
	buf_str(b, "<div class=\"pair\">");
	html_score(b, f);
	html_risk(b, f);
	buf_str(b, "</div></details>\n");
	snprintf(count, sizeof(count), "%u of %d controls met", controls_met(f), CONTROLS);
	part(b, "Could it be something else?", count, true);
	html_controls(b, f);
	html_rivals(b, f);
	html_paths(b, f);
	html_notes(b, f);
	buf_str(b, "</details>\n");
	snprintf(count, sizeof(count), "%zu", f->n_devices);
	part(b, "Devices", count, f->n_devices <= OPEN_MAX_DEVICES);
	html_devices(b, f);
	buf_str(b, "</details>\n");
	html_records(p, item);
}

void html_finding(struct html_page *p, size_t i)
{
	const struct html_item *item = &p->ranked[i];
	const struct finding *f = item->f;
	/* What nobody need look at now is one line that unfolds. */
	bool folded = f->severity == SEVERITY_INFORMATIONAL;
	struct buf *b = &p->b;

	masthead(b, f);
	concerns(b, f);
	next_step(b, f);
	if (folded) {
		buf_str(b, "<details class=\"fold\"><summary>Evidence <span "
			   "class=\"count\">timeline, score, controls and rivals, ");
		text_plural(b, f->n_devices, "device", "devices");
		buf_str(b, ", ");
		text_plural(b, f->n_evidence, "record", "records");
		buf_str(b, "</span></summary>\n");
	}
	facts(b, f);
	gaps(b, f);
	parts(p, item);
	buf_str(b, folded ? "</details>\n</article>\n" : "</article>\n");
}
