/* tools/table.h - rows and columns for people. Filled cell by cell, printed by tools/out.h. */
#ifndef SPEAN_TOOLS_TABLE_H
#define SPEAN_TOOLS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "protocol/err.h"

#define SPEAN_TABLE_COLUMNS_MAX 16u
#define SPEAN_TABLE_CELLS_MAX   1000000u

struct spean_table; /* Opaque. */

/* Create an empty table in *out; the caller frees it. SPEAN_ENOMEM. */
SPEAN_CHECK spean_err spean_table_new(struct spean_table **out);
void spean_table_free(struct spean_table *table); /* NULL is allowed. */

/* Add a column; all of them before the first cell. heading NULL: no heading (for label and value).
 * right: numbers. The heading is borrowed and must outlive the table. */
void spean_table_column(struct spean_table *table, const char *heading, bool right);

/*
 * Fill the next cell, row by row from the left. The text is cleaned (tools/display.h). What fails
 * (memory, SPEAN_TABLE_CELLS_MAX) is remembered and reported by spean_table_write().
 */
void spean_table_cell(struct spean_table *table, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Write the table: columns aligned by the cells they take on a terminal and set apart by two
 * spaces, or, when plain, set apart by one tab. before and after surround the line of headings (for
 * colour); both may be "". A last row that is not full is filled with nothing.
 * SPEAN_ENOMEM, SPEAN_ELIMIT: as remembered; nothing is written. SPEAN_EIO: writing failed.
 */
SPEAN_CHECK spean_err spean_table_write(const struct spean_table *table, FILE *file, bool plain,
                                        const char *before, const char *after);

#endif
