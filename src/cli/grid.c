#include "cli/grid.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "emit/text.h"

void grid_begin(struct grid *g, const char *const *titles, size_t n_columns)
{
	*g = (struct grid){ .titles = titles, .n_columns = n_columns };
}

void grid_cell(struct grid *g, struct sv text)
{
	struct buf b;

	if (g->_n == g->_capacity) {
		g->_capacity = g->_capacity == 0 ? 256 : g->_capacity * 2;
		g->_cells = xrealloc(g->_cells, g->_capacity, sizeof(*g->_cells));
	}
	buf_init(&b, 65536);
	text_safe(&b, sv_empty(text) ? SV("-") : text, GRID_MAX_CELL);
	g->_cells[g->_n++] = arena_sv(&g->_arena, buf_view(&b));
	buf_free(&b);
}

void grid_count(struct grid *g, int64_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, n);
	grid_cell(g, sv_cstr(text));
}

static bool on_the_right(const struct grid *g, size_t column)
{
	return g->titles[column][0] == '>';
}

static struct sv title(const struct grid *g, size_t column)
{
	return sv_cstr(g->titles[column] + on_the_right(g, column));
}

static void put(struct buf *out, const struct grid *g, size_t column, struct sv text, size_t width)
{
	size_t pad = width - text_columns(text);

	if (column > 0)
		buf_str(out, "  ");
	if (on_the_right(g, column))
		text_repeat(out, ' ', pad);
	buf_sv(out, text);
	if (!on_the_right(g, column) && column + 1 < g->n_columns)
		text_repeat(out, ' ', pad);
}

static size_t next_column(const struct grid *g, size_t column)
{
	return column + 1 < g->n_columns ? column + 1 : 0;
}

void grid_end(struct grid *g, size_t indent, struct buf *out)
{
	size_t widths[GRID_MAX_COLUMNS] = { 0 };

	for (size_t c = 0; c < g->n_columns; c++)
		widths[c] = text_columns(title(g, c));
	for (size_t i = 0, c = 0; i < g->_n; i++, c = next_column(g, c)) {
		size_t n = text_columns(g->_cells[i]);

		widths[c] = n > widths[c] ? n : widths[c];
	}
	text_repeat(out, ' ', indent);
	for (size_t c = 0; c < g->n_columns; c++)
		put(out, g, c, title(g, c), widths[c]);
	buf_char(out, '\n');
	for (size_t i = 0, c = 0; i < g->_n; i++, c = next_column(g, c)) {
		if (c == 0)
			text_repeat(out, ' ', indent);
		put(out, g, c, g->_cells[i], widths[c]);
		if (c + 1 == g->n_columns)
			buf_char(out, '\n');
	}
	free(g->_cells);
	arena_free(&g->_arena);
	*g = (struct grid){ 0 };
}
