/* The sweep as a chart: for each setting how many findings would be shown, what that gains and
 * loses against the settings in force, and, where there is a truth, precision and recall. Shapes
 * and words say what colours say. */
#include <stdio.h>

#include "emit/backtest.h"
#include "emit/html_text.h"

#define LEFT 58 /* of the plots; the axis' numbers before it */
#define RIGHT 20
#define TOP 64	  /* title and period above */
#define PANEL 190 /* height of a plot */
#define NAMES 62  /* between plots: names of the settings, gained and lost */
#define LEGEND 30
#define APART 14 /* between the settings in force and the others */
#define NARROWEST 24
#define WIDEST 84
#define LABEL_MAX_CHARS 16
/* Names longer than this are slanted. */
#define FLAT_CHARS 7
#define SLANTED 52 /* more room below for those */

struct chart {
	const struct backtest *b;
	int column;	  /* width of one */
	int width, names; /* of the drawing; height of the names */
	size_t top;	  /* of the axis of findings */
};

static size_t shown(const struct backtest_setting *s)
{
	return s->by_verdict[VERDICT_CONFIRMED] + s->by_verdict[VERDICT_SUSPECTED];
}

/* The middle of a column. */
static int x_of(const struct chart *c, size_t i)
{
	return LEFT + (int)i * c->column + c->column / 2 + (i > 0 ? APART : 0);
}

/* The smallest of five round steps that holds n. */
static size_t round_up(size_t n)
{
	static const size_t steps[] = { 1, 2, 3, 4, 5, 6, 8 };

	for (size_t ten = 1;; ten *= 10)
		for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
			if (n <= steps[i] * ten * 5 || ten > SIZE_MAX / 1000)
				return steps[i] * ten * 5;
}

static int y_of(int bottom, double value, double top)
{
	return bottom - (int)(value / top * PANEL + 0.5);
}

static void style(struct buf *out)
{
	buf_str(out,
		"<style>svg{--bg:#fff;--text:#16191d;--soft:#525b67;--line:#dfe3e8;--force:#eef1f5;"
		"--confirmed:#b3211b;--suspected:#e0a15a;--p:#1a5fb0;--r:#146c37;--f:#7a3fc4;"
		"background:var(--bg);font:12px system-ui,sans-serif;color-scheme:light "
		"dark}@media(prefers-color-scheme:dark){svg{--bg:#0e1116;--text:#e5e9ee;--soft:#"
		"9ca7b4;--line:#2a313b;--force:#1b212a;--confirmed:#ff8a80;--suspected:#a3692c;--p:"
		"#80b6ff;--r:#7cd79b;--f:#bd93ff}}text{fill:var(--text)}.soft{fill:var(--soft)}.h{"
		"font-size:16px;font-weight:600}.m{text-anchor:middle}.e{text-anchor:end}.tick{"
		"stroke:var(--line)}.force{fill:var(--force)}.confirmed{fill:var(--confirmed)}."
		"suspected{fill:var(--suspected);stroke:var(--confirmed);stroke-dasharray:3 "
		"2}.p,.r,.f{fill:none;stroke-width:2}.p{stroke:var(--p)}.r{stroke:var(--r);stroke-"
		"dasharray:7 3}.f{stroke:var(--f);stroke-dasharray:2 "
		"3}.dr{fill:var(--r)}.df{fill:var(--f);stroke:var(--bg)}</style>\n");
}

static void period(struct buf *out, const struct backtest *b)
{
	static const struct text_style plain = { 0 };

	text_time(out, b->first, &plain);
	buf_str(out, " to ");
	text_time(out, b->last, &plain);
	buf_str(out, ", ");
	text_count(out, b->attempts);
	buf_str(out, " connections");
}

static void title(struct buf *out, const struct backtest *b)
{
	buf_str(out, "Backtest");
	if (!sv_empty(b->swept)) {
		buf_str(out, " of ");
		html_plain(out, b->swept, 120);
	}
	if (!sv_empty(b->fixed)) {
		buf_str(out, sv_empty(b->swept) ? " of " : " with ");
		html_plain(out, b->fixed, 80);
	}
}

/* For those who do not see it: every number of the drawing. */
static void describe(struct buf *out, const struct backtest *b)
{
	buf_str(out, "<desc>");
	period(out, b);
	buf_str(out, ".");
	for (size_t i = 0; i < b->n; i++) {
		const struct backtest_setting *s = &b->settings[i];

		buf_char(out, ' ');
		html_plain(out, s->label, 80);
		buf_printf(out, ": %zu confirmed, %zu suspected", s->by_verdict[VERDICT_CONFIRMED],
			   s->by_verdict[VERDICT_SUSPECTED]);
		if (i > 0)
			buf_printf(out, ", %zu gained, %zu lost, %zu changed",
				   s->by_change[BACKTEST_GAINED], s->by_change[BACKTEST_LOST],
				   s->by_change[BACKTEST_CHANGED]);
		if (s->measure.there)
			buf_printf(out, ", precision %.3f, recall %.3f", s->measure.precision,
				   s->measure.recall);
		buf_char(out, '.');
	}
	buf_str(out, "</desc>\n");
}

/* The plot's ground: the column in force, lines at round numbers. `shares`: 0 to 1. */
static void ground(struct buf *out, const struct chart *c, int top, bool shares, const char *name)
{
	int bottom = top + PANEL;

	buf_printf(out, "<rect class=\"force\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>",
		   LEFT, top, c->column, PANEL);
	for (int i = 0; i <= 5; i++) {
		int y = bottom - PANEL * i / 5;

		buf_printf(out,
			   "<path class=\"tick\" d=\"M%d %dH%d\"/><text class=\"soft e\" x=\"%d\" "
			   "y=\"%d\">",
			   LEFT, y, c->width - RIGHT, LEFT - 6, y + 4);
		if (shares)
			buf_printf(out, "%.1f", i / 5.0);
		else
			buf_printf(out, "%zu", c->top * (size_t)i / 5);
		buf_str(out, "</text>");
	}
	buf_printf(out, "<text class=\"soft\" x=\"%d\" y=\"%d\">%s</text>\n", LEFT, top - 8, name);
}

static void name(struct buf *out, const struct chart *c, size_t i, int y)
{
	struct sv text = c->b->settings[i].value;

	buf_printf(out, "<text class=\"%s\" ", c->names > NAMES ? "e" : "m");
	if (c->names > NAMES)
		buf_printf(out, "transform=\"translate(%d %d) rotate(-40)\">", x_of(c, i) + 4,
			   y - 2);
	else
		buf_printf(out, "x=\"%d\" y=\"%d\">", x_of(c, i), y);
	html_plain(out, text, LABEL_MAX_CHARS);
	buf_str(out, "</text>");
}

static void bars(struct buf *out, const struct chart *c, int top)
{
	int bottom = top + PANEL, half = c->column * 3 / 10;

	ground(out, c, top, false, "Findings shown");
	for (size_t i = 0; i < c->b->n; i++) {
		const struct backtest_setting *s = &c->b->settings[i];
		int x = x_of(c, i);
		int y = y_of(bottom, (double)s->by_verdict[VERDICT_CONFIRMED], (double)c->top);
		int above = y_of(bottom, (double)shown(s), (double)c->top);

		buf_printf(out, "<g><title>");
		html_plain(out, s->label, 80);
		buf_printf(out, ": %zu confirmed, %zu suspected</title>",
			   s->by_verdict[VERDICT_CONFIRMED], s->by_verdict[VERDICT_SUSPECTED]);
		buf_printf(
		    out, "<rect class=\"confirmed\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>",
		    x - half, y, half * 2, bottom - y);
		if (above < y)
			buf_printf(out,
				   "<rect class=\"suspected\" x=\"%d\" y=\"%d\" width=\"%d\" "
				   "height=\"%d\"/>",
				   x - half, above, half * 2, y - above);
		buf_printf(out, "<text class=\"m\" x=\"%d\" y=\"%d\">%zu</text></g>", x, above - 4,
			   shown(s));
		name(out, c, i, bottom + 18);
		if (i > 0)
			buf_printf(out,
				   "<text class=\"soft m\" x=\"%d\" y=\"%d\">+%zu</text><text "
				   "class=\"soft m\" x=\"%d\" y=\"%d\">−%zu</text>",
				   x, bottom + c->names - 26, s->by_change[BACKTEST_GAINED], x,
				   bottom + c->names - 12, s->by_change[BACKTEST_LOST]);
		buf_char(out, '\n');
	}
	buf_printf(out,
		   "<text class=\"soft e\" x=\"%d\" y=\"%d\">gained</text><text class=\"soft e\" "
		   "x=\"%d\" y=\"%d\">lost</text>\n",
		   LEFT - 6, bottom + c->names - 26, LEFT - 6, bottom + c->names - 12);
}

static double share(const struct backtest_setting *s, int which)
{
	return which == 0 ? s->measure.precision : which == 1 ? s->measure.recall : s->measure.f1;
}

/* Ring, square, triangle: all three are seen where they meet. */
static void mark(struct buf *out, int which, int x, int y)
{
	if (which == 0)
		buf_printf(out, "<circle class=\"p\" cx=\"%d\" cy=\"%d\" r=\"7\"/>", x, y);
	else if (which == 1)
		buf_printf(out, "<path class=\"dr\" d=\"M%d %dm-5-5h10v10h-10z\"/>", x, y);
	else
		buf_printf(out, "<path class=\"df\" d=\"M%d %dm0-5l5 8h-10z\"/>", x, y);
}

static void lines(struct buf *out, const struct chart *c, int top)
{
	static const char *const classes[] = { "p", "r", "f" };
	int bottom = top + PANEL;

	ground(out, c, top, true, "Against the truth");
	for (int which = 0; which < 3; which++) {
		buf_printf(out, "<path class=\"%s\" d=\"", classes[which]);
		for (size_t i = 1; i < c->b->n; i++)
			buf_printf(out, "%c%d %d", i == 1 ? 'M' : 'L', x_of(c, i),
				   y_of(bottom, share(&c->b->settings[i], which), 1));
		buf_str(out, "\"/>");
		for (size_t i = 0; i < c->b->n; i++) {
			buf_printf(out, "<g><title>%.3f</title>", share(&c->b->settings[i], which));
			mark(out, which, x_of(c, i),
			     y_of(bottom, share(&c->b->settings[i], which), 1));
			buf_str(out, "</g>");
		}
		buf_char(out, '\n');
	}
	for (size_t i = 0; i < c->b->n; i++)
		name(out, c, i, bottom + 18);
}

static void legend(struct buf *out, const struct chart *c, int y)
{
	static const char *const words[] = { "precision", "recall", "F1" };
	int x = LEFT;

	buf_printf(out,
		   "<rect class=\"confirmed\" x=\"%d\" y=\"%d\" width=\"12\" height=\"12\"/><text "
		   "x=\"%d\" y=\"%d\">confirmed</text><rect class=\"suspected\" x=\"%d\" y=\"%d\" "
		   "width=\"12\" height=\"12\"/><text x=\"%d\" y=\"%d\">suspected</text>",
		   x, y - 10, x + 17, y, x + 92, y - 10, x + 109, y);
	for (int which = 0; which < 3 && c->b->measured; which++) {
		x = LEFT + 190 + which * 75;
		mark(out, which, x, y - 4);
		buf_printf(out, "<text x=\"%d\" y=\"%d\">%s</text>", x + 12, y, words[which]);
	}
}

void backtest_svg(struct buf *out, const struct backtest *b)
{
	struct chart c = { .b = b, .names = NAMES };
	size_t most = 0;
	int height, top = TOP, least = b->measured ? 440 : 330;

	c.column = 720 / (int)b->n;
	c.column = c.column < NARROWEST ? NARROWEST : c.column > WIDEST ? WIDEST : c.column;
	for (size_t i = 0; i < b->n; i++) {
		most = shown(&b->settings[i]) > most ? shown(&b->settings[i]) : most;
		if (text_columns(b->settings[i].value) > (c.column >= 70   ? 10
							  : c.column >= 54 ? FLAT_CHARS
									   : 2))
			c.names = NAMES + SLANTED;
	}
	c.top = round_up(most + most / 10 + 1);
	c.width = LEFT + (int)b->n * c.column + APART + RIGHT;
	c.width = c.width < least ? least : c.width;
	height = TOP + PANEL + c.names + (b->measured ? 24 + PANEL + c.names - 34 : 0) + LEGEND;
	buf_printf(out,
		   "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" "
		   "height=\"%d\" role=\"img\"><title>",
		   c.width, height, c.width, height);
	title(out, b);
	buf_str(out, "</title>\n");
	describe(out, b);
	style(out);
	buf_printf(out,
		   "<rect width=\"%d\" height=\"%d\" style=\"fill:var(--bg)\"/><text class=\"h\" "
		   "x=\"%d\" y=\"22\">",
		   c.width, height, 14);
	title(out, b);
	buf_str(out, "</text><text class=\"soft\" x=\"14\" y=\"40\">");
	period(out, b);
	buf_str(out, "</text>\n");
	bars(out, &c, top);
	if (b->measured)
		lines(out, &c, top + PANEL + c.names + 24);
	legend(out, &c, height - 10);
	buf_str(out, "</svg>\n");
}
