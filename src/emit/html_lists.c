/* Tables of findings: the ranking, things to repair, and what --all adds. */
#include "emit/html_page.h"

#include "emit/html_text.h"
#include "emit/text.h"
#include "emit/words.h"

static void table_begin(struct buf *b, const char *label, const char *caption,
			const char *const *columns, const bool *numeric, size_t n)
{
	buf_printf(b,
		   "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"%s\"><table "
		   "class=\"grid\"><caption>%s</caption>\n<thead><tr>",
		   label, caption);
	for (size_t i = 0; i < n; i++)
		buf_printf(b, "<th scope=\"col\"%s>%s</th>", numeric[i] ? " class=\"n\"" : "",
			   columns[i]);
	buf_str(b, "</tr></thead>\n<tbody>");
}

static void cut_note(struct buf *b, size_t shown, size_t n)
{
	buf_str(b, "</tbody></table></div>\n");
	if (shown < n)
		buf_printf(b,
			   "<p class=\"hint\">And %zu more, not listed here: --output jsonl has "
			   "every one.</p>\n",
			   n - shown);
}

/* What the findings without --all leave out, by verdict. */
static void hidden_note(struct html_page *p)
{
	struct buf *b = &p->b;
	size_t sum = 0;
	bool first = true;

	if (p->in->all)
		return;
	for (int v = 0; v < VERDICTS; v++)
		sum += p->hidden[v];
	buf_str(b, "<p class=\"hint\">");
	if (sum > 0) {
		buf_str(b, "Not shown: ");
		for (int v = 0; v < VERDICTS; v++) {
			if (p->hidden[v] == 0)
				continue;
			buf_printf(b, "%s%zu %s", first ? "" : ", ", p->hidden[v],
				   verdict_name((enum verdict)v));
			first = false;
		}
		buf_str(b, ". ");
	}
	buf_str(b, "With <code>--all</code> the report also lists what was observed, explained or "
		   "expected.</p>\n");
}

static void ranking_row(struct buf *b, const struct finding *f, bool linked)
{
	buf_str(b, "<tr><td>");
	html_pill(b, severity_name(f->severity),
		  f->severity == SEVERITY_INFORMATIONAL ? "info" : severity_name(f->severity));
	buf_str(b, "</td><th scope=\"row\">");
	if (linked)
		buf_printf(b, "<a href=\"#f-%s\">", f->uid);
	html_say(b, words_app, f);
	if (linked)
		buf_str(b, "</a>");
	buf_str(b, "</th><td class=\"dest\">");
	html_say(b, words_destination, f);
	buf_printf(b, "</td><td>%s</td><td class=\"n\">%d</td><td class=\"n\">",
		   verdict_name(f->verdict), f->risk);
	text_fixed2(b, f->score_centidb, true);
	buf_printf(b, "</td><td>%s</td><td class=\"n\">%zu</td><td>",
		   f->confidence == CONFIDENCE_NONE ? "-" : confidence_name(f->confidence),
		   f->n_devices);
	html_time(b, f->last_seen);
	buf_printf(b, "</td><td><code title=\"%s\">%.8s</code></td></tr>\n", f->uid, f->uid);
}

void html_ranking(struct html_page *p)
{
	static const char *const columns[] = { "Severity",  "App",   "Destination", "Verdict",
					       "Risk",	    "Score", "Confidence",  "Devices",
					       "Last seen", "Id" };
	static const bool numeric[] = { false, false, false, false, true,
					true,  false, true,  false, false };
	struct buf *b = &p->b;
	size_t shown = p->n_ranked < HTML_MAX_ROWS ? p->n_ranked : HTML_MAX_ROWS;

	buf_str(b, "<section id=\"findings\" aria-labelledby=\"h-findings\">\n<h2 "
		   "id=\"h-findings\">Findings</h2>\n");
	if (p->n_ranked == 0)
		buf_str(b, "<p>There is no confirmed or suspected pinning.</p>\n");
	if (p->n_full < p->n_ranked)
		buf_printf(b,
			   "<p class=\"hint\">The %zu most important are told in full below; the "
			   "others have their row here.</p>\n",
			   p->n_full);
	if (p->n_ranked > 0) {
		table_begin(b, "Findings", "Confirmed and suspected pinning, by severity and score",
			    columns, numeric, sizeof(columns) / sizeof(columns[0]));
		for (size_t i = 0; i < shown; i++)
			ranking_row(b, p->ranked[i].f, i < p->n_full);
		cut_note(b, shown, p->n_ranked);
	}
	hidden_note(p);
}

static void repair_title(struct buf *b, const struct finding *f)
{
	if (f->kind == FINDING_CA_UNTRUSTED) {
		buf_str(b, "Device <code>");
		if (f->n_devices > 0)
			html_value(b, f->devices[0].id, 96);
		buf_str(b, "</code> does not trust the inspection root");
	} else if (f->kind == FINDING_GATEWAY_FAULT) {
		buf_str(b, "The gateway was failing");
	} else {
		buf_str(b, "A log source has fallen silent");
	}
}

static void repair_sentence(struct buf *b, const struct finding *f)
{
	uint32_t failures = 0;

	for (size_t i = 0; i < f->n_devices; i++)
		failures += f->devices[i].failures;
	if (f->kind == FINDING_CA_UNTRUSTED) {
		text_plural(b, failures, "connection", "connections");
		buf_str(b, " failed, whatever the app. <b>Install or repair the profile with the "
			   "gateway’s root certificate.</b> Until then its failures are set aside "
			   "and count for no app.");
	} else if (f->kind == FINDING_GATEWAY_FAULT) {
		text_plural(b, f->n_devices, "device", "devices");
		buf_str(b,
			" failed at the same time with many destinations. <b>Look at the gateway "
			"in that span: certificate, upstream, load, restart.</b> What failed in "
			"it is set aside and counts for no app.");
	} else {
		buf_str(b, "What it would have shown is missing from every judgement since. "
			   "<b>Look at the source and at how its log gets here.</b>");
	}
}

static void repair(struct html_page *p, const struct html_item *item)
{
	const struct finding *f = item->f;
	struct buf *b = &p->b;

	buf_printf(b,
		   "<article class=\"finding repair\" id=\"f-%s\" aria-labelledby=\"h-%s\">\n"
		   "<p class=\"pills\">",
		   f->uid, f->uid);
	html_pill(b, severity_name(f->severity), severity_name(f->severity));
	buf_printf(b, " <code>%s</code></p>\n<h3 id=\"h-%s\">", finding_kind_name(f->kind), f->uid);
	repair_title(b, f);
	buf_str(b, "</h3>\n<p class=\"verdict\">");
	repair_sentence(b, f);
	buf_str(b, "</p>\n<dl class=\"facts\"><div><dt>Seen</dt><dd>");
	html_period(b, f->first_seen, f->last_seen);
	buf_printf(b, "</dd></div><div><dt>Finding</dt><dd><code>%s</code></dd></div></dl>\n",
		   f->uid);
	html_notes(b, f);
	if (f->n_devices > 1) {
		buf_printf(b,
			   "<details class=\"part\"><summary>Devices <span "
			   "class=\"count\">%zu</span></summary>\n",
			   f->n_devices);
		html_devices(b, f);
		buf_str(b, "</details>\n");
	}
	html_records(p, item);
	buf_str(b, "</article>\n");
}

void html_repairs(struct html_page *p)
{
	static const char *const columns[] = { "Kind", "What", "From", "To", "Id" };
	static const bool numeric[] = { false, false, false, false, false };
	struct buf *b = &p->b;
	size_t shown = p->n_repairs < HTML_MAX_REPAIRS ? p->n_repairs : HTML_MAX_REPAIRS;
	size_t listed = p->n_repairs < HTML_MAX_ROWS ? p->n_repairs : HTML_MAX_ROWS;

	if (p->n_repairs == 0)
		return;
	buf_str(b, "<section id=\"repair\" aria-labelledby=\"h-repair\">\n<h2 id=\"h-repair\">To "
		   "repair</h2>\n<p class=\"hint\">Not about apps: while these last, connections "
		   "fail for reasons of your own.</p>\n");
	for (size_t i = 0; i < shown; i++)
		repair(p, &p->repairs[i]);
	if (shown < p->n_repairs) {
		table_begin(b, "More to repair", "More of the same kinds", columns, numeric,
			    sizeof(columns) / sizeof(columns[0]));
		for (size_t i = shown; i < listed; i++) {
			const struct finding *f = p->repairs[i].f;

			buf_printf(b, "<tr><td><code>%s</code></td><th scope=\"row\">",
				   finding_kind_name(f->kind));
			repair_title(b, f);
			buf_str(b, "</th><td>");
			html_time(b, f->first_seen);
			buf_str(b, "</td><td>");
			html_time(b, f->last_seen);
			buf_printf(b, "</td><td><code title=\"%s\">%.8s</code></td></tr>\n", f->uid,
				   f->uid);
		}
		cut_note(b, listed, p->n_repairs);
	}
	buf_str(b, "</section>\n");
}

void html_others(struct html_page *p)
{
	static const char *const columns[] = { "Verdict", "App",     "Destination", "Why",
					       "Score",	  "Devices", "Last seen",   "Id" };
	static const bool numeric[] = { false, false, false, false, true, true, false, false };
	struct buf *b = &p->b;
	size_t shown = p->n_others < HTML_MAX_ROWS ? p->n_others : HTML_MAX_ROWS;

	if (p->n_others == 0)
		return;
	buf_str(
	    b, "<section id=\"others\" aria-labelledby=\"h-others\">\n<h2 id=\"h-others\">Other "
	       "verdicts</h2>\n<p class=\"hint\">Explained by an ordinary reason, observed without "
	       "reaching a path to suspected, or expected. None of them needs action.</p>\n");
	table_begin(b, "Other verdicts", "Explained, observed and expected", columns, numeric,
		    sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < shown; i++) {
		const struct finding *f = p->others[i].f;

		buf_str(b, "<tr><td>");
		html_pill(b, "none", verdict_name(f->verdict));
		buf_str(b, "</td><th scope=\"row\">");
		html_say(b, words_app, f);
		buf_str(b, "</th><td class=\"dest\">");
		html_say(b, words_destination, f);
		buf_str(b, "</td><td class=\"why\">");
		html_say(b, words_why, f);
		buf_str(b, "</td><td class=\"n\">");
		text_fixed2(b, f->score_centidb, true);
		buf_printf(b, "</td><td class=\"n\">%zu</td><td>", f->n_devices);
		html_time(b, f->last_seen);
		buf_printf(b, "</td><td><code title=\"%s\">%.8s</code></td></tr>\n", f->uid,
			   f->uid);
	}
	cut_note(b, shown, p->n_others);
	buf_str(b, "</section>\n");
}
