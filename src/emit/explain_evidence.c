#include <stdlib.h>
#include <string.h>

#include "emit/explain.h"
#include "read/capture.h"
#include "read/reader.h"

/* Bytes kept of a raw line: enough for as many characters of UTF-8. */
#define RAW_MAX_BYTES (4 * EXPLAIN_RAW_MAX_CHARS)
/* A file is read to its last wanted line, but never past this many lines. */
#define RAW_MAX_LINE 50000000u

/* A record whose raw line is wanted; sorted by file and line, so that each file is read once. */
struct wanted {
	const struct evidence *e;
	struct sv *raw; /* where the line goes, itself in the arena */
};

static int by_position(const void *left, const void *right)
{
	const struct evidence *a = ((const struct wanted *)left)->e;
	const struct evidence *b = ((const struct wanted *)right)->e;
	int c = sv_cmp(a->path, b->path);

	if (c != 0)
		return c;
	return a->line < b->line ? -1 : a->line > b->line;
}

/* Reads one file, whose records are w[0..n), up to the last line wanted. What cannot be read again
 * stays empty: the finding stands without it. */
static void read_file(struct wanted *w, size_t n, struct arena *a)
{
	struct reader_options options = { .framing = FRAMING_LINE };
	struct error err;
	struct reader *r;
	struct sv line;
	char *path;
	size_t next = 0;
	enum read_result got;

	while (n > 0 && w[n - 1].e->line > RAW_MAX_LINE)
		n--;
	if (n == 0 || sv_empty(w[0].e->path) || sv_eq(w[0].e->path, SV("-")))
		return;
	path = (char *)(uintptr_t)arena_sv(a, w[0].e->path).p;
	r = reader_open(path, &options, &err);
	if (r == NULL)
		return;
	if (capture_recognise(reader_peek(r, 4))) { /* packets have no lines to show */
		reader_close(r);
		return;
	}
	while (next < n &&
	       ((got = reader_next(r, &line, &err)) == READ_RECORD || got == READ_OVERLONG)) {
		while (next < n && w[next].e->line < reader_line(r))
			next++;
		if (next == n || w[next].e->line != reader_line(r))
			continue;
		line = arena_sv(a, sv_first(line, RAW_MAX_BYTES));
		while (next < n && w[next].e->line == reader_line(r))
			*w[next++].raw = line;
	}
	reader_close(r);
}

void explain_raw_lines(const struct evidence *const *records, size_t n, struct arena *a,
		       struct sv *raws)
{
	struct wanted *w = xcalloc(n + 1, sizeof(*w));

	for (size_t i = 0; i < n; i++) {
		raws[i] = SV_NONE;
		w[i] = (struct wanted){ records[i], &raws[i] };
	}
	qsort(w, n, sizeof(*w), by_position);
	for (size_t from = 0, to; from < n; from = to) {
		for (to = from + 1; to < n && sv_eq(w[to].e->path, w[from].e->path); to++)
			continue;
		read_file(&w[from], to - from, a);
	}
	free(w);
}

void explain_evidence(struct buf *out, const struct finding *f,
		      const struct explain_options *options)
{
	const struct text_style *style = &options->style;
	size_t shown = f->n_evidence;
	struct arena a = { 0 };
	const struct evidence **records;
	struct sv *raws;

	buf_char(out, '\n');
	text_paint(out, style, PAINT_BOLD);
	buf_str(out, "Evidence");
	text_paint(out, style, PAINT_PLAIN);
	buf_char(out, '\n');
	if (f->n_evidence == 0) {
		buf_str(out, "  no records\n");
		return;
	}
	if (options->max_evidence > 0 && shown > options->max_evidence)
		shown = options->max_evidence;
	records = xcalloc(shown, sizeof(*records));
	raws = xcalloc(shown, sizeof(*raws));
	for (size_t i = 0; i < shown; i++)
		records[i] = &f->evidence[i];
	if (options->raw_lines)
		explain_raw_lines(records, shown, &a, raws);
	for (size_t i = 0; i < shown; i++) {
		const struct evidence *e = &f->evidence[i];

		buf_str(out, "  ");
		text_time(out, e->time, style);
		buf_str(out, "  ");
		text_safe(out, e->what, 120);
		text_paint(out, style, PAINT_CYAN);
		buf_str(out, "  ");
		text_safe(out, e->source, 40);
		buf_char(out, ' ');
		text_safe(out, e->path, 0);
		buf_printf(out, ":%u", e->line);
		text_paint(out, style, PAINT_PLAIN);
		buf_char(out, '\n');
		if (!sv_empty(raws[i])) {
			text_paint(out, style, PAINT_DIM);
			buf_str(out, "    ");
			text_safe(out, raws[i], EXPLAIN_RAW_MAX_CHARS);
			text_paint(out, style, PAINT_PLAIN);
			buf_char(out, '\n');
		}
	}
	if (shown < f->n_evidence)
		buf_printf(out, "  and %zu more records (--evidence all shows them)\n",
			   f->n_evidence - shown);
	free(raws);
	free(records);
	arena_free(&a);
}
