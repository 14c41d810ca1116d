/* Rows in aligned columns, for lists that people read. Cells are made
 * harmless. */
#ifndef PINWATCH_CLI_GRID_H
#define PINWATCH_CLI_GRID_H

#include "base/arena.h"
#include "base/buf.h"

#define GRID_MAX_COLUMNS 12
/* Characters of a cell; what is longer ends in `…`. */
#define GRID_MAX_CELL 60

struct grid {
	const char *const *titles;
	size_t n_columns;
	struct sv *_cells;
	size_t _n, _capacity;
	struct arena _arena;
};

/* titles: borrowed, at most GRID_MAX_COLUMNS; one that begins with `>` stands on the right of its
 * column. */
void grid_begin(struct grid *g, const char *const *titles, size_t n_columns);
/* The next cell, row by row; empty: `-`. */
void grid_cell(struct grid *g, struct sv text);
void grid_count(struct grid *g, int64_t n);
/* Titles and rows, each indented; frees the grid. */
void grid_end(struct grid *g, size_t indent, struct buf *out);

#endif
