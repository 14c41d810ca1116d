/* The devices of a finding, and the raw records behind it. */
#include "emit/html_page.h"

#include <stdlib.h>

#include "emit/explain.h"
#include "emit/html_text.h"
#include "emit/words.h"

#define RAW_MAX_CHARS 240
_Static_assert(RAW_MAX_CHARS <= EXPLAIN_RAW_MAX_CHARS, "more than what is read again");

/* A record to show and how much it says: the lower, the rather. */
struct candidate {
	const struct svg_point *point;
	int rank;
};

static int rank_of(const struct svg_points *points, const struct svg_point *p)
{
	bool inside = svg_in_window(points, p->e->time);

	if (svg_mark_fails(p->mark))
		return inside ? (p->lane == LANE_INSPECTION ? 0 : 1) : 5;
	if (p->lane == LANE_MDM)
		return 2;
	if (inside)
		return p->lane == LANE_EDR ? 3 : 4;
	return p->mark == MARK_SEEN ? 8 : p->lane == LANE_EDR ? 7 : 6;
}

static int by_rank(const void *left, const void *right)
{
	const struct candidate *a = left, *b = right;

	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	return a->point < b->point ? -1 : a->point > b->point;
}

static int by_point(const void *left, const void *right)
{
	const struct candidate *a = left, *b = right;

	return a->point < b->point ? -1 : a->point > b->point;
}

void html_choose_records(struct html_page *p, struct html_item *item, size_t most, size_t *total)
{
	struct candidate *list;
	size_t of_rank[9] = { 0 };
	size_t kept = 0;

	svg_points(&item->points, item->f, p->in->summary, p->in->settings, &p->arena);
	list = xcalloc(item->points.n + 1, sizeof(*list));
	for (size_t i = 0; i < item->points.n; i++)
		list[i] = (struct candidate){ &item->points.list[i],
					      rank_of(&item->points, &item->points.list[i]) };
	qsort(list, item->points.n, sizeof(*list), by_rank);
	/* None of one sort takes more than a third, so that every log has its say. */
	for (size_t i = 0; i < item->points.n && kept < most; i++)
		if (of_rank[list[i].rank]++ < (most + 2) / 3)
			list[kept++] = list[i];
	qsort(list, kept, sizeof(*list), by_point);
	item->records = arena_alloc(&p->arena, (kept + 1) * sizeof(*item->records));
	for (size_t i = 0; i < kept; i++)
		item->records[i] = list[i].point->e;
	item->n_records = kept;
	*total += kept;
	free(list);
}

void html_records(struct html_page *p, const struct html_item *item)
{
	struct buf *b = &p->b;

	buf_printf(b, "<details class=\"part\"><summary>Records <span class=\"count\">");
	if (item->n_records < item->f->n_evidence)
		buf_printf(b, "the %zu most telling of %zu", item->n_records, item->f->n_evidence);
	else
		buf_printf(b, "%zu", item->n_records);
	buf_str(b, "</span></summary>\n");
	if (item->n_records == 0)
		buf_str(b, "<p>There are none.</p>\n");
	else
		buf_str(b, "<ol class=\"records\">");
	for (size_t i = 0; i < item->n_records; i++) {
		const struct evidence *e = item->records[i];

		buf_str(b, "<li><p>");
		html_time(b, e->time);
		buf_str(b, " <b>");
		svg_record_words(b, e);
		buf_str(b, "</b> <span class=\"from\">");
		html_value(b, e->source, 64);
		buf_str(b, " <code>");
		html_value(b, e->path, HTML_MAX_NAME);
		buf_printf(b, ":%u</code></span></p>", e->line);
		if (!sv_empty(item->raws[i])) {
			buf_str(b, "<pre><bdi>");
			html_plain(b, item->raws[i], RAW_MAX_CHARS);
			buf_str(b, "</bdi></pre>");
		}
		buf_str(b, "</li>\n");
	}
	if (item->n_records > 0)
		buf_str(b, "</ol>\n");
	if (item->n_records < item->f->n_evidence && !sv_empty(p->in->explain_command)) {
		buf_str(b, "<p class=\"hint\">All of them: <code>");
		html_plain(b, p->in->explain_command, 1000);
		buf_printf(b, " %.8s --evidence all</code></p>\n", item->f->uid);
	}
	buf_str(b, "</details>\n");
}

void html_devices(struct buf *b, const struct finding *f)
{
	static const char *const columns[] = { "Failures",    "Successes",  "Trials",
					       "Uninspected", "Background", "Locked" };
	size_t shown = f->n_devices < HTML_MAX_DEVICES ? f->n_devices : HTML_MAX_DEVICES;

	if (f->n_devices == 0) {
		buf_str(b, "<p>No device is left: every attempt is set aside.</p>\n");
		return;
	}
	buf_str(b,
		"<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Devices\"><table "
		"class=\"grid devices\"><caption>Connections of each device: failures and "
		"successes under inspection, trials (bursts that count), uninspected sessions; "
		"starts in the background or on a locked device</caption>\n<thead><tr><th "
		"scope=\"col\">Device</th><th scope=\"col\">Known by</th>");
	for (size_t c = 0; c < sizeof(columns) / sizeof(columns[0]); c++)
		buf_printf(b, "<th scope=\"col\">%s</th>", columns[c]);
	buf_str(b, "</tr></thead>\n<tbody>");
	for (size_t i = 0; i < shown; i++) {
		const struct finding_device *d = &f->devices[i];
		const uint32_t counts[] = {
			d->failures,	d->successes,	      d->trials,
			d->uninspected, d->background_starts, d->locked_starts
		};

		buf_str(b, "<tr><th scope=\"row\"><code>");
		html_value(b, d->id, 96);
		buf_printf(b, "</code></th><td>%s%s</td>", words_id_type(d->id_type),
			   d->ambiguous ? ", ambiguous" : "");
		for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++)
			buf_printf(b, "<td>%u</td>", counts[c]);
		buf_str(b, "</tr>\n");
	}
	buf_str(b, "</tbody></table></div>\n");
	if (shown < f->n_devices)
		buf_printf(b, "<p class=\"hint\">And %zu more devices.</p>\n",
			   f->n_devices - shown);
}
