#include "emit/svg_waterfall.h"

#include "emit/html_text.h"
#include "emit/text.h"
#include "emit/words.h"

/* The score from which a finding may be confirmed, in 1/100 dB (docs/evidence.md, Verdict). */
#define CONFIRMED_CENTIDB 1000
#define SENTENCE_MAX_CHARS 400

/* What the bars span, in 1/100 dB. */
struct scale {
	int64_t low, high;
};

/* A cap behind the trials cuts a sum that may be many times the rest: it is drawn with them, as what
 * they count for. */
static bool capped_next(const struct finding *f, size_t i)
{
	return f->contributions[i].term == TERM_DIFFERENTIAL && i + 1 < f->n_contributions &&
	       f->contributions[i + 1].term == TERM_CAP;
}

static void include(struct scale *s, int64_t at)
{
	s->low = at < s->low ? at : s->low;
	s->high = at > s->high ? at : s->high;
}

static struct scale scale_of(const struct finding *f)
{
	struct scale s = { 0, CONFIRMED_CENTIDB };
	int64_t sum = 0, margin;

	for (size_t i = 0; i < f->n_contributions; i++) {
		sum += f->contributions[i].centidb;
		if (!capped_next(f, i))
			include(&s, sum);
	}
	include(&s, f->score_centidb);
	margin = (s.high - s.low) / 40 + 1;
	s.low -= margin;
	s.high += margin;
	return s;
}

/* A place on the scale, `12.34%`. */
static void percent(struct buf *out, const char *attribute, const struct scale *s, int64_t at,
		    bool length)
{
	int64_t n = (at - (length ? 0 : s->low)) * 10000 / (s->high - s->low);

	buf_printf(out, " %s=\"%lld.%02d%%\"", attribute, (long long)(n / 100), (int)(n % 100));
}

static void vertical(struct buf *out, const char *style, const struct scale *s, int64_t at,
		     const char *from, const char *to)
{
	buf_printf(out, "<line class=\"%s\" y1=\"%s\" y2=\"%s\"", style, from, to);
	percent(out, "x1", s, at, false);
	percent(out, "x2", s, at, false);
	buf_str(out, "/>");
}

/* A cell with a bar from one sum to the next; `joined`: a row follows. */
static void bar_cell(struct buf *out, const struct scale *s, int64_t from, int64_t to,
		     const char *style, bool joined)
{
	int64_t left = from < to ? from : to, right = from < to ? to : from;

	buf_str(out, "<td class=\"bar\"><svg aria-hidden=\"true\">");
	vertical(out, "zero", s, 0, "0", "100%");
	vertical(out, "goal", s, CONFIRMED_CENTIDB, "0", "100%");
	buf_printf(out, "<rect class=\"%s\" y=\"30%%\" height=\"40%%\" rx=\"2\"", style);
	percent(out, "x", s, left, false);
	percent(out, "width", s, right - left, true);
	buf_str(out, "/>");
	if (joined)
		vertical(out, "join", s, to, "70%", "100%");
	buf_str(out, "</svg></td>");
}

/* A row that starts where the last one ended. */
static void row(struct buf *out, const struct scale *s, const struct finding *f, size_t i,
		int64_t *sum)
{
	const struct contribution *c = &f->contributions[i];
	int64_t from = *sum, to = from + c->centidb;
	bool again = i > 0 && capped_next(f, i - 1);

	*sum = to;
	if (capped_next(f, i))
		to += f->contributions[i + 1].centidb;
	buf_printf(out, "<tr><th scope=\"row\"><span class=\"term\">%s</span>", words_term(c->term));
	buf_printf(out, "<small><code>%s</code>", term_name(c->term));
	if (!sv_empty(c->because)) {
		buf_str(out, " ");
		html_value(out, c->because, SENTENCE_MAX_CHARS);
	}
	buf_str(out, "</small></th>");
	if (again)
		bar_cell(out, s, to, to, "none", true);
	else
		bar_cell(out, s, from, to, to < from ? "minus" : "plus", true);
	buf_str(out, "<td class=\"n\">");
	text_fixed2(out, c->centidb, true);
	buf_str(out, "</td></tr>\n");
}

void svg_waterfall(struct buf *out, const struct finding *f)
{
	struct scale s = scale_of(f);
	int64_t sum = 0;

	buf_str(out, "<table class=\"waterfall\"><caption>Score in decibans, term by term. It is not "
		     "fitted, so no probability; confirmed needs +10.00 (dashed line) and more."
		     "</caption>\n"
		     "<thead><tr><th scope=\"col\">Term</th>"
		     "<th scope=\"col\">from the prior to the score</th>"
		     "<th scope=\"col\" class=\"n\">dB</th></tr></thead>\n<tbody>");
	for (size_t i = 0; i < f->n_contributions; i++)
		row(out, &s, f, i, &sum);
	buf_str(out, "</tbody>\n<tfoot><tr><th scope=\"row\">Score</th>");
	bar_cell(out, &s, 0, f->score_centidb, "sum", false);
	buf_str(out, "<td class=\"n\">");
	text_fixed2(out, f->score_centidb, true);
	buf_str(out, "</td></tr></tfoot></table>\n");
}
