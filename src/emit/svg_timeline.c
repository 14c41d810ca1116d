#include "emit/svg_timeline.h"

#include "emit/html_text.h"
#include "emit/text.h"

/* The drawing, in its own units. */
#define WIDTH 960
#define LEFT 124  /* of the plot; names of the lanes before it */
#define RIGHT 952 /* its end */
#define PLOT (RIGHT - LEFT)
#define OVERVIEW_LANE 7
#define OVERVIEW_TOP 16
#define OVERVIEW_BOTTOM (OVERVIEW_TOP + LANES * OVERVIEW_LANE)
#define FUNNEL 14 /* between overview and lanes */
#define HEAD 18	  /* above the lanes, for the name of the window */
#define LANE 40
#define FOOT 20 /* below them, for the axis */

/* Marks of a lane stand in one of three rows where they would cover each other. */
#define ROWS 3
#define MARK_WIDTH 11
/* Two of a kind as close as this become one that counts both. */
#define MARK_SAME 2
/* Labels of an axis. */
#define MAX_TICKS 9

struct axis {
	struct instant from, to; /* from < to */
	int top, bottom;
};

/* The range of time ends in 2262: nothing lies behind it. */
static struct instant later(struct instant t, int64_t ns)
{
	return (struct instant){ t.ns < INT64_MAX - ns ? t.ns + ns : INT64_MAX };
}

static int x_of(const struct axis *a, struct instant t)
{
	int64_t length = (a->to.ns - a->from.ns) / NS_PER_MS;
	int64_t at = (t.ns - a->from.ns) / NS_PER_MS;

	if (at < 0 || length <= 0)
		return LEFT;
	return LEFT + (int)(at >= length ? PLOT : at * PLOT / length);
}

static struct span tick_step(const struct axis *a)
{
	static const int64_t seconds[] = { 1,	   2,	   5,	    10,	     15,      30,
					   60,	   120,	   300,	    600,     900,     1800,
					   3600,   7200,   10800,   21600,   43200,   86400,
					   172800, 604800, 1209600, 2592000, 7776000, 31536000 };
	int64_t length = (a->to.ns - a->from.ns) / NS_PER_S;
	size_t i = 0;

	while (i + 1 < sizeof(seconds) / sizeof(seconds[0]) && length / seconds[i] >= MAX_TICKS)
		i++;
	return (struct span){ seconds[i] * NS_PER_S };
}

/* Lines at round times, and their labels: the clock, and the day where it changes. */
static void ticks(struct buf *out, const struct axis *a, int label_y)
{
	struct span step = tick_step(a);
	int64_t day = -1;
	int64_t first = a->from.ns / step.ns * step.ns;

	if (first < a->from.ns)
		first += step.ns;
	for (int64_t t = first; t <= a->to.ns; t += step.ns) {
		struct instant at = { t };
		int x = x_of(a, at);

		buf_printf(out, "<path class=\"tick\" d=\"M%d %dV%d\"/>", x, a->top, a->bottom);
		if (x <= RIGHT - 28) {
			buf_printf(out, "<text x=\"%d\" y=\"%d\">", x, label_y);
			if (day != t / NS_PER_DAY)
				html_day(out, at);
			if (day != t / NS_PER_DAY && step.ns < NS_PER_DAY)
				buf_char(out, ' ');
			if (step.ns < NS_PER_DAY)
				html_clock(out, at, step.ns < NS_PER_MINUTE);
			buf_str(out, "</text>");
			day = t / NS_PER_DAY;
		}
		if (t > INT64_MAX - step.ns)
			break;
	}
}

/* The whole span: a stroke a record, the worst outcome of each pixel on top. */
static void overview(struct buf *out, const struct svg_points *p, const struct axis *a,
		     const struct axis *detail)
{
	int x0 = x_of(a, detail->from), x1 = x_of(a, detail->to);

	ticks(out, a, OVERVIEW_TOP - 5);
	buf_printf(out, "<text class=\"lane\" x=\"0\" y=\"%d\">Whole span</text>",
		   OVERVIEW_TOP + 18);
	for (int m = 0; m < MARKS; m++) {
		int last[LANES] = { 0 };
		bool any = false;

		for (size_t i = 0; i < p->n; i++) {
			enum svg_lane lane = p->list[i].lane;
			int x = x_of(a, p->list[i].e->time);

			if ((int)p->list[i].mark != m || last[lane] == x)
				continue;
			if (!any)
				buf_printf(out, "<path class=\"o m%d\" d=\"", m);
			any = true;
			last[lane] = x;
			buf_printf(out, "M%d %dv%d", x,
				   OVERVIEW_TOP + (int)lane * OVERVIEW_LANE + 1, OVERVIEW_LANE - 2);
		}
		if (any)
			buf_str(out, "\"/>");
	}
	if (x1 - x0 < 3)
		x1 = x0 + 3;
	buf_printf(out,
		   "<path class=\"funnel\" d=\"M%d %dH%dL%d %dH%dZ\"/><rect class=\"lens\" "
		   "x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>",
		   x0, OVERVIEW_BOTTOM, x1, RIGHT, detail->top, LEFT, x0, OVERVIEW_TOP, x1 - x0,
		   OVERVIEW_BOTTOM - OVERVIEW_TOP);
}

/* A mark on the drawing, which may stand for several records of one kind and place. */
struct placed {
	const struct evidence *e;
	enum svg_mark mark;
	int x, row;
	unsigned count;
};

static void draw(struct buf *out, const struct placed *m, int lane_middle)
{
	static const int rows[ROWS] = { 0, -12, 12 };

	buf_printf(out, "<use href=\"#m%d\" x=\"%d\" y=\"%d\"><title>", m->mark, m->x,
		   lane_middle + rows[m->row]);
	html_clock(out, m->e->time, true);
	buf_char(out, ' ');
	svg_record_words(out, m->e);
	if (m->count > 1)
		buf_printf(out, ", %u times", m->count);
	buf_str(out, ". ");
	html_plain(out, m->e->source, 40);
	buf_printf(out, ":%u</title></use>", m->e->line);
}

/* The marks of one lane; which kinds were drawn, a bit each. */
static unsigned lane_marks(struct buf *out, const struct svg_points *p, const struct axis *a,
			   enum svg_lane lane, int middle)
{
	struct placed rows[ROWS] = { 0 };
	unsigned marks = 0;

	for (size_t i = 0; i < p->n; i++) {
		const struct svg_point *point = &p->list[i];
		int x, row = 0;
		bool same = false;

		if (point->lane != lane || point->e->time.ns < a->from.ns ||
		    point->e->time.ns > a->to.ns)
			continue;
		x = x_of(a, point->e->time);
		marks |= 1u << point->mark;
		for (int r = 0; !same && r < ROWS; r++)
			if (rows[r].count > 0 && rows[r].mark == point->mark &&
			    x - rows[r].x <= MARK_SAME) {
				rows[r].count++;
				same = true;
			}
		if (same)
			continue;
		while (row < ROWS && rows[row].count > 0 && x - rows[row].x < MARK_WIDTH)
			row++;
		if (row == ROWS) { /* full: over the one that is farthest back */
			row = 0;
			for (int r = 1; r < ROWS; r++)
				row = rows[r].x < rows[row].x ? r : row;
		}
		if (rows[row].count > 0)
			draw(out, &rows[row], middle);
		rows[row] = (struct placed){ point->e, point->mark, x, row, 1 };
	}
	for (int r = 0; r < ROWS; r++)
		if (rows[r].count > 0)
			draw(out, &rows[r], middle);
	return marks;
}

/* The lane's name, and what lies outside the drawing or was never there. */
static void lane_name(struct buf *out, const struct finding *f, const struct svg_points *p,
		      const struct axis *a, enum svg_lane lane, int top)
{
	enum source_status status = f->log_sources[svg_lane_sensor(lane)];
	size_t before = 0, within = 0, after = 0;

	for (size_t i = 0; i < p->n; i++) {
		if (p->list[i].lane != lane)
			continue;
		if (p->list[i].e->time.ns < a->from.ns)
			before++;
		else if (p->list[i].e->time.ns > a->to.ns)
			after++;
		else
			within++;
	}
	buf_printf(out, "<text class=\"lane\" x=\"0\" y=\"%d\">%s</text>", top + 18,
		   svg_lane_name(lane));
	if (before + after > 0) {
		buf_printf(out, "<text class=\"aside\" x=\"0\" y=\"%d\">", top + 32);
		if (before > 0)
			buf_printf(out, "%zu before%s", before, after > 0 ? ", " : "");
		if (after > 0)
			buf_printf(out, "%zu after", after);
		buf_str(out, "</text>");
	} else if (within == 0) {
		buf_printf(out, "<text class=\"aside\" x=\"0\" y=\"%d\">%s</text>", top + 32,
			   status == SOURCE_MISSING ? "source missing"
			   : status == SOURCE_STALE ? "source stale"
						    : "no records");
	}
	if (within == 0 && (status == SOURCE_MISSING || status == SOURCE_STALE))
		buf_printf(out,
			   "<rect class=\"void\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>",
			   LEFT, top + 1, PLOT, LANE - 2);
}

static void window_shade(struct buf *out, const struct svg_points *p, const struct axis *a)
{
	struct instant end = later(p->window, p->window_length.ns);
	char length[INSTANT_ISO_SIZE];
	int x0 = x_of(a, p->window), x1 = x_of(a, end);

	span_format(p->window_length, length);
	buf_printf(out,
		   "<rect class=\"window%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/><text "
		   "class=\"window-name\" x=\"%d\" y=\"%d\">TimeWindow %s: ",
		   p->counts_failures ? "" : " calm", x0, a->top, x1 - x0 < 2 ? 2 : x1 - x0,
		   a->bottom - a->top, x0 + 4 > RIGHT - 240 ? RIGHT - 240 : x0 + 4, a->top + 13,
		   length);
	text_plural(out, p->in_window, p->counts_failures ? "failed record" : "record",
		    p->counts_failures ? "failed records" : "records");
	buf_str(out, "</text>");
}

/* Some room around, and never an empty range. */
static struct axis padded(int64_t from, int64_t to, int64_t pad)
{
	struct axis a;

	pad = pad < NS_PER_S ? NS_PER_S : pad;
	a = (struct axis){ .from = { from > pad ? from - pad : 0 },
			   .to = later((struct instant){ to }, pad) };
	return a;
}

static void caption(struct buf *out, const struct svg_points *p, bool zoomed)
{
	buf_str(out, "<figcaption>");
	text_plural(out, p->n, "record", "records");
	buf_str(out, " in the analytic’s four log sources (the first and last ten of each device "
		     "and kind are kept). ");
	if (zoomed)
		buf_str(out, "The lanes show the TimeWindow that holds the most of them; the strip "
			     "above shows where it lies. ");
	buf_str(out, "Point at a mark to read it. Times are UTC.</figcaption>\n");
}

void svg_timeline(struct buf *out, const struct finding *f, const struct svg_points *p)
{
	struct axis whole, detail;
	unsigned marks = 0;
	bool zoomed;
	int64_t first, last, window = p->window_length.ns;

	if (p->n == 0 || !instant_known(p->window))
		return;
	first = p->list[0].e->time.ns;
	last = p->list[p->n - 1].e->time.ns;
	whole = padded(first, last, (last - first) / 60);
	zoomed = last - first - window > window / 2;
	detail = zoomed ? padded(p->window.ns, later(p->window, window).ns, window / 5) : whole;
	whole.top = OVERVIEW_TOP;
	whole.bottom = OVERVIEW_BOTTOM;
	detail.top = zoomed ? OVERVIEW_BOTTOM + FUNNEL : 0;
	detail.bottom = detail.top + HEAD + LANES * LANE;

	buf_str(out, "<figure class=\"timeline\"><div class=\"scroll\" tabindex=\"0\" "
		     "role=\"group\" aria-label=\"Timeline\">");
	buf_printf(out,
		   "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Evidence over time: the "
		   "same records are listed under Records\">",
		   WIDTH, detail.bottom + FOOT);
	if (zoomed)
		overview(out, p, &whole, &detail);
	window_shade(out, p, &detail);
	ticks(out, &detail, detail.bottom + 15);
	for (int l = 0; l < LANES; l++) {
		int top = detail.top + HEAD + l * LANE;

		buf_printf(out, "<path class=\"rule\" d=\"M0 %dH%d\"/>", top, RIGHT);
		lane_name(out, f, p, &detail, (enum svg_lane)l, top);
		marks |= lane_marks(out, p, &detail, (enum svg_lane)l, top + LANE / 2);
	}
	buf_printf(out, "<path class=\"rule\" d=\"M0 %dH%d\"/></svg></div>\n", detail.bottom,
		   RIGHT);
	caption(out, p, zoomed);
	for (size_t i = 0; zoomed && i < p->n; i++)
		marks |= 1u << p->list[i].mark;
	svg_legend(out, marks);
	buf_str(out, "</figure>\n");
}
