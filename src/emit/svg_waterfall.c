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

/* A cap behind the trials cuts a sum that may be many times the rest: it is drawn with them, as
 * what they count for. */
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

/* The bar stands beside the first line of its row. */
#define BAR_TOP "9"
#define BAR_HEIGHT "14"
#define BAR_BOTTOM "23"

/* A cell with a bar from one sum to the next, and strokes that lead in from the row above at
 * `entry` and on to the one below. */
static void bar_cell(struct buf *out, const struct scale *s, int64_t from, int64_t to,
		     const char *style, const int64_t *entry, bool onward)
{
	int64_t left = from < to ? from : to, right = from < to ? to : from;
	bool bar = style != NULL;

	buf_str(out, "<td class=\"bar\"><svg aria-hidden=\"true\">");
	vertical(out, "zero", s, 0, "0", "100%");
	vertical(out, "goal", s, CONFIRMED_CENTIDB, "0", "100%");
	if (entry != NULL)
		vertical(out, "join", s, *entry, "0", bar ? BAR_TOP : BAR_BOTTOM);
	if (bar) {
		buf_printf(
		    out, "<rect class=\"%s\" y=\"" BAR_TOP "\" height=\"" BAR_HEIGHT "\" rx=\"2\"",
		    style);
		percent(out, "x", s, left, false);
		percent(out, "width", s, right - left, true);
		buf_str(out, "/>");
	}
	if (onward)
		vertical(out, "join", s, to, BAR_BOTTOM, "100%");
	buf_str(out, "</svg></td>");
}

/* The column's head names the two upright lines. */
static void head_cell(struct buf *out, const struct scale *s)
{
	buf_str(out, "<th scope=\"col\" class=\"bar\"><span class=\"unseen\">From the prior to the "
		     "score</span><svg aria-hidden=\"true\"><text y=\"14\"");
	percent(out, "x", s, 0, false);
	buf_str(out, ">0</text><text y=\"14\"");
	percent(out, "x", s, CONFIRMED_CENTIDB, false);
	buf_str(out, ">10</text></svg></th>");
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
	buf_printf(out, "<tr><th scope=\"row\"><span class=\"term\">%s</span>",
		   words_term(c->term));
	buf_printf(out, "<small><code>%s</code>", term_name(c->term));
	if (!sv_empty(c->because)) {
		buf_str(out, " ");
		html_value(out, c->because, SENTENCE_MAX_CHARS);
	}
	buf_str(out, "</small></th>");
	if (again)
		bar_cell(out, s, to, to, NULL, &to, true);
	else
		bar_cell(out, s, from, to, to < from ? "minus" : "plus", i > 0 ? &from : NULL,
			 true);
	buf_str(out, "<td class=\"n\">");
	text_fixed2(out, c->centidb, true);
	buf_str(out, "</td></tr>\n");
}

void svg_waterfall(struct buf *out, const struct finding *f)
{
	struct scale s = scale_of(f);
	int64_t sum = 0, total;

	buf_str(out,
		"<table class=\"waterfall\"><caption>Score in decibans, term by term. It is not "
		"fitted, so no probability; confirmed needs +10 (dashed line) and more."
		"</caption>\n<thead><tr><th scope=\"col\">Term</th>");
	head_cell(out, &s);
	buf_str(out, "<th scope=\"col\" class=\"n\">dB</th></tr></thead>\n<tbody>");
	for (size_t i = 0; i < f->n_contributions; i++)
		row(out, &s, f, i, &sum);
	buf_str(out, "</tbody>\n<tfoot><tr><th scope=\"row\">Score</th>");
	total = f->score_centidb;
	bar_cell(out, &s, 0, total, "sum", &total, false);
	buf_str(out, "<td class=\"n\">");
	text_fixed2(out, f->score_centidb, true);
	buf_str(out, "</td></tr></tfoot></table>\n");
}
