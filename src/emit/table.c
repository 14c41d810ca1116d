#include "emit/table.h"

#include <libsmartcols.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "emit/emit.h"
#include "emit/words.h"

#define TABLE_MAX_BYTES ((size_t)64 * 1024 * 1024)
/* Ids named in a line about devices; the rest is counted. */
#define LINE_MAX_IDS 5

enum column {
	COLUMN_ID,
	COLUMN_SEVERITY,
	COLUMN_VERDICT,
	COLUMN_APP,
	COLUMN_DESTINATION,
	COLUMN_SCORE,
	COLUMN_CONFIDENCE,
	COLUMN_RISK,
	COLUMN_DEVICES,
	COLUMN_WHY,
	COLUMNS
};

static const char *const titles[COLUMNS] = {
	"ID", "SEVERITY", "VERDICT", "APP", "DESTINATION", "SCORE", "CONF", "RISK", "DEV", "WHY",
};

/* An app or destination is never cut below this, whatever the terminal. */
#define NAME_MIN_CHARS 12
/* The column before which the reason starts where it stands on its own line. */
#define WHY_INDENT 9

struct table {
	const struct finding *const *rows;
	size_t n;
	const struct text_style *style;
	size_t widths[COLUMNS];
	size_t max_app, max_destination; /* characters; 0: whole */
};

/* Severity first, then score, then the stable order in which the findings came. */
static int by_rank(const void *left, const void *right)
{
	const struct finding *a = *(const struct finding *const *)left;
	const struct finding *b = *(const struct finding *const *)right;

	if (a->severity != b->severity)
		return a->severity > b->severity ? -1 : 1;
	if (a->score_centidb != b->score_centidb)
		return a->score_centidb > b->score_centidb ? -1 : 1;
	return a < b ? -1 : a > b;
}

static enum text_paint paint_of(const struct finding *f)
{
	if (f->verdict != VERDICT_CONFIRMED && f->verdict != VERDICT_SUSPECTED)
		return PAINT_DIM;
	return f->severity == SEVERITY_HIGH	? PAINT_RED
	       : f->severity == SEVERITY_MEDIUM ? PAINT_YELLOW
						: PAINT_PLAIN;
}

/* The name's end tells more than its beginning: …long.vendor.test. */
static void name_cell(struct buf *b, struct buf *name, size_t max)
{
	struct sv v = buf_view(name);
	size_t chars = text_columns(v);

	if (max > 0 && chars > max) {
		buf_str(b, "…");
		while (chars >= max && v.n > 0) {
			v = sv_skip(v, 1);
			while (v.n > 0 && ((unsigned char)v.p[0] & 0xc0) == 0x80)
				v = sv_skip(v, 1);
			chars = text_columns(v);
		}
	}
	buf_sv(b, v);
	buf_free(name);
}

/* The cell's text in b, emptied first. */
static void cell(struct buf *b, const struct table *t, const struct finding *f, enum column c)
{
	struct buf name;

	buf_reset(b);
	buf_init(&name, 4096);
	switch (c) {
	case COLUMN_ID:
		buf_printf(b, "%.8s", f->uid);
		break;
	case COLUMN_SEVERITY:
		buf_str(b, f->severity == SEVERITY_INFORMATIONAL ? "info"
								 : severity_name(f->severity));
		break;
	case COLUMN_VERDICT:
		buf_str(b, verdict_name(f->verdict));
		break;
	case COLUMN_APP:
		words_app(&name, f);
		name_cell(b, &name, t->max_app);
		break;
	case COLUMN_DESTINATION:
		words_destination(&name, f);
		name_cell(b, &name, t->max_destination);
		break;
	case COLUMN_SCORE:
		text_fixed2(b, f->score_centidb, false);
		break;
	case COLUMN_CONFIDENCE:
		buf_str(b, f->confidence == CONFIDENCE_NONE ? "-" : confidence_name(f->confidence));
		break;
	case COLUMN_RISK:
		buf_printf(b, "%d", f->risk);
		break;
	case COLUMN_DEVICES:
		buf_printf(b, "%zu", f->n_devices);
		break;
	case COLUMN_WHY:
		words_why(b, f);
		break;
	case COLUMNS:
		break;
	}
	buf_char(b, '\0');
}

static void measure(struct table *t)
{
	struct buf b;

	buf_init(&b, 8192);
	for (int c = 0; c < COLUMNS; c++) {
		t->widths[c] = strlen(titles[c]);
		for (size_t i = 0; i < t->n; i++) {
			size_t width;

			cell(&b, t, t->rows[i], (enum column)c);
			width = text_columns(sv_cstr(b.p));
			t->widths[c] = width > t->widths[c] ? width : t->widths[c];
		}
	}
	buf_free(&b);
}

/* Columns of a line with the first `n` columns. */
static size_t line_width(const struct table *t, int n)
{
	size_t sum = (size_t)n - 1;

	for (int c = 0; c < n; c++)
		sum += t->widths[c];
	return sum;
}

/* Cuts destinations and apps until the line without the reason fits. */
static void squeeze(struct table *t)
{
	size_t width = line_width(t, COLUMN_WHY);
	size_t excess = width > t->style->width ? width - t->style->width : 0;
	size_t *const caps[] = { &t->max_app, &t->max_destination };
	const enum column cut[] = { COLUMN_APP, COLUMN_DESTINATION };

	while (excess > 0) {
		int wider = t->widths[COLUMN_APP] > t->widths[COLUMN_DESTINATION] ? 0 : 1;

		if (t->widths[cut[wider]] <= NAME_MIN_CHARS)
			break;
		*caps[wider] = --t->widths[cut[wider]];
		excess--;
	}
}

static bool fill(struct libscols_table *s, const struct table *t, int n_columns)
{
	struct buf b;
	bool ok = true;

	buf_init(&b, 8192);
	for (int c = 0; ok && c < n_columns; c++)
		ok = scols_table_new_column(s, titles[c], 0,
					    c == COLUMN_SCORE || c == COLUMN_RISK ||
						    c == COLUMN_DEVICES
						? SCOLS_FL_RIGHT
						: 0) != NULL;
	for (size_t i = 0; ok && i < t->n; i++) {
		struct libscols_line *line = scols_table_new_line(s, NULL);
		enum text_paint paint = paint_of(t->rows[i]);

		ok = line != NULL;
		/* The reason stays plain: it is the longest text and the one to read. */
		for (int c = 0; ok && t->style->colour && paint != PAINT_PLAIN && c < COLUMN_WHY;
		     c++)
			scols_cell_set_color(scols_line_get_cell(line, (size_t)c),
					     text_paint_code(paint));
		for (int c = 0; ok && c < n_columns; c++) {
			cell(&b, t, t->rows[i], (enum column)c);
			ok = scols_line_set_data(line, (size_t)c, b.overflowed ? "…" : b.p) == 0;
		}
	}
	buf_free(&b);
	return ok;
}

/* Lines of the printed table, each row's reason below it where it has no column. */
static void interleave(struct buf *out, const struct table *t, struct sv printed, bool reasons)
{
	struct buf why;
	size_t line = 0;

	buf_init(&why, 8192);
	while (printed.n > 0) {
		struct sv text = sv_cut(printed, '\n', &printed);

		while (text.n > 0 && text.p[text.n - 1] == ' ')
			text.n--;
		buf_sv(out, text);
		buf_char(out, '\n');
		if (reasons && line > 0 && line <= t->n) {
			buf_reset(&why);
			words_why(&why, t->rows[line - 1]);
			text_repeat(out, ' ', WHY_INDENT);
			text_wrap(out, buf_view(&why), WHY_INDENT, WHY_INDENT, t->style);
		}
		line++;
	}
	buf_free(&why);
}

static bool print_rows(struct buf *out, struct table *t)
{
	struct libscols_table *s;
	char *printed = NULL;
	bool ok, reasons;

	measure(t);
	reasons = t->style->width > 0 && line_width(t, COLUMNS) > t->style->width;
	if (reasons)
		squeeze(t);
	s = scols_new_table();
	ok = s != NULL;
	if (ok) {
		scols_table_enable_colors(s, t->style->colour);
		scols_table_set_termforce(s, SCOLS_TERMFORCE_NEVER);
		ok = fill(s, t, reasons ? COLUMN_WHY : COLUMNS) &&
		     scols_print_table_to_string(s, &printed) == 0 && printed != NULL;
	}
	if (ok)
		interleave(out, t, sv_cstr(printed), reasons);
	free(printed);
	scols_unref_table(s);
	return ok;
}

/* Devices that do not trust the inspection root, outages, silent sources: a line for each kind. */
static void other_kind(struct buf *b, const struct emit_input *in, enum finding_kind kind)
{
	size_t count = 0, named = 0;

	for (size_t i = 0; i < in->n; i++)
		count += in->findings[i].kind == kind;
	if (count == 0)
		return;
	text_paint(b, &in->style, PAINT_BOLD);
	buf_str(b, finding_kind_name(kind));
	text_paint(b, &in->style, PAINT_PLAIN);
	buf_str(b, ": ");
	if (kind == FINDING_CA_UNTRUSTED)
		text_plural(
		    b, count,
		    "device does not trust the inspection root, its failures are set aside",
		    "devices do not trust the inspection root, their failures are set aside");
	else if (kind == FINDING_GATEWAY_FAULT)
		text_plural(
		    b, count, "span in which the gateway itself failed, its failures are set aside",
		    "spans in which the gateway itself failed, their failures are set aside");
	else
		text_plural(b, count, "source has fallen silent", "sources have fallen silent");
	for (size_t i = 0; i < in->n && named < LINE_MAX_IDS; i++) {
		const struct finding *f = &in->findings[i];

		if (f->kind != kind)
			continue;
		buf_str(b, named++ == 0 ? " (" : ", ");
		if (kind == FINDING_CA_UNTRUSTED && f->n_devices > 0) {
			text_safe(b, f->devices[0].id, 48);
		} else {
			text_time(b, f->first_seen, &in->style);
			buf_str(b, " to ");
			text_time(b, f->last_seen, &in->style);
		}
		buf_printf(b, " %.8s", f->uid);
	}
	if (count > LINE_MAX_IDS)
		buf_printf(b, ", and %zu more", count - LINE_MAX_IDS);
	buf_str(b, ")\n");
}

static void quiet_ones(struct buf *b, const struct emit_input *in, size_t shown)
{
	size_t by_verdict[VERDICTS] = { 0 };
	size_t hidden = 0;
	bool first = true;

	for (size_t i = 0; i < in->n; i++)
		if (!emit_shows(&in->findings[i], in->all)) {
			by_verdict[in->findings[i].verdict]++;
			hidden++;
		}
	if (shown == 0)
		buf_str(b, "No app was found to pin.\n");
	if (in->all)
		return;
	text_paint(b, &in->style, PAINT_DIM);
	if (hidden == 0) { /* judged without being counted */
		buf_str(b, "--all also lists what was observed, explained or expected.\n");
		text_paint(b, &in->style, PAINT_PLAIN);
		return;
	}
	buf_str(b, "Not shown: ");
	for (int v = 0; v < VERDICTS; v++) {
		if (by_verdict[v] == 0)
			continue;
		buf_printf(b, "%s%zu %s", first ? "" : ", ", by_verdict[v],
			   verdict_name((enum verdict)v));
		first = false;
	}
	buf_str(b, " (--all lists them)\n");
	text_paint(b, &in->style, PAINT_PLAIN);
}

bool table_write(FILE *out, const struct emit_input *in, struct error *err)
{
	const struct finding **rows = xcalloc(in->n + 1, sizeof(*rows));
	struct buf b;
	size_t n = 0;
	bool ok = true;

	buf_init(&b, TABLE_MAX_BYTES);
	for (size_t i = 0; i < in->n; i++)
		if (in->findings[i].kind == FINDING_PINNING &&
		    emit_shows(&in->findings[i], in->all))
			rows[n++] = &in->findings[i];
	qsort(rows, n, sizeof(*rows), by_rank);
	if (n > 0) {
		struct table t = { .rows = rows, .n = n, .style = &in->style };

		ok = print_rows(&b, &t);
		if (!ok)
			error_set(err, ERROR_LIMIT, 0,
				  "the table of %zu rows cannot be laid out: take --output jsonl "
				  "or csv instead",
				  n);
		buf_char(&b, '\n');
	}
	for (int k = FINDING_CA_UNTRUSTED; k < FINDING_KINDS; k++)
		other_kind(&b, in, (enum finding_kind)k);
	quiet_ones(&b, in, n);
	if (n > 0 && !sv_empty(in->explain_command)) {
		buf_str(&b, "Why: ");
		text_safe(&b, in->explain_command, 0);
		buf_printf(&b, " %.8s\n", rows[0]->uid);
	}
	ok = ok && emit_flush(out, &b, err);
	buf_free(&b);
	free(rows);
	return ok;
}
