/* tools/grid.h - rows and columns for people. Filled cell by cell, printed by tools/out.h. */
#ifndef SPEAN_TOOLS_GRID_H
#define SPEAN_TOOLS_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "protocol/err.h"

#define SPEAN_GRID_COLUMNS_MAX 16u
#define SPEAN_GRID_CELLS_MAX   1000000u
#define SPEAN_GRID_WRAP_MIN    20u

struct spean_grid; /* Opaque. */

/* Create an empty grid in *out; the caller frees it. SPEAN_ENOMEM. */
SPEAN_CHECK spean_err spean_grid_new(struct spean_grid **out);
void spean_grid_free(struct spean_grid *grid); /* NULL is allowed. */

/* Add a column; all of them before the first cell. heading NULL: no heading (for label and value).
 * right: numbers. The heading is borrowed and must outlive the grid. */
void spean_grid_column(struct spean_grid *grid, const char *heading, bool right);

/* Break the last column at spaces, so that lines have at most so many cells; nothing where plain.
 * The other columns have to leave room for SPEAN_GRID_WRAP_MIN, else lines are longer. */
void spean_grid_wrap(struct spean_grid *grid, size_t cells);

/*
 * Fill the next cell, row by row from the left. The text is cleaned (tools/display.h). What fails
 * (memory, SPEAN_GRID_CELLS_MAX) is remembered and reported by spean_grid_write().
 */
void spean_grid_cell(struct spean_grid *grid, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Write the grid: columns aligned by the cells they take on a terminal and set apart by two
 * spaces, or, when plain, set apart by one tab. before and after surround the line of headings (for
 * colour); both may be "". A last row that is not full is filled with nothing.
 * SPEAN_ENOMEM, SPEAN_ELIMIT: as remembered; nothing is written. SPEAN_EIO: writing failed.
 */
SPEAN_CHECK spean_err spean_grid_write(const struct spean_grid *grid, FILE *file, bool plain,
                                       const char *before, const char *after);

#endif
