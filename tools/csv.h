/*
 * tools/csv.h - comma-separated values by RFC 4180, in UTF-8 with or without a byte order mark.
 *
 * Where commas are decimal points, spreadsheets separate by semicolons, and so do forms of KoBo;
 * tabs come from copying. What stands most often in the first line, outside of quotes, separates:
 * comma, semicolon or tab. A line "sep=;" in front says it too, and is no row.
 *
 * Reading is strict: a quote within a bare cell, text behind a closing quote, a quote that is never
 * closed, bytes that are no UTF-8 are refused with their line and column, for what follows them
 * would be put into the wrong cells. Rows end with CR LF, LF or CR; empty lines are passed over.
 *
 * Spreadsheets take a cell that begins with = + - @, a tab or a line end for a formula, or for its
 * beginning. Who writes for them puts an apostrophe in front (the guard); reading takes exactly
 * such an apostrophe away again, so that what was written comes back byte for byte.
 */
#ifndef SPEAN_TOOLS_CSV_H
#define SPEAN_TOOLS_CSV_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "protocol/err.h"

#define SPEAN_CSV_CELL_BYTES_MAX 65536u
#define SPEAN_CSV_ROW_BYTES_MAX  1048576u /* Cells of one row, each with a NUL. */
#define SPEAN_CSV_CELLS_MAX      1024u
#define SPEAN_CSV_WHY_BYTES      128u

struct spean_csv; /* Opaque: a file that is being read. */

/* A row; it lives until the next call. */
struct spean_csv_row {
    const char *const *cells; /* Without the guard. */
    size_t count;
    uint64_t line; /* Where it begins; the first line of a file is 1. */
};

/* What is wrong with a file, and where. */
struct spean_csv_why {
    uint64_t line;
    uint64_t column; /* Characters, from 1. */
    char text[SPEAN_CSV_WHY_BYTES];
    const char *hint; /* What to do, where that is more than to mend the place; else NULL. */
};

SPEAN_CHECK spean_err spean_csv_new(struct spean_csv **out);
void spean_csv_free(struct spean_csv *csv); /* NULL is allowed. Wipes what was read. */

/* Hand over the next bytes of the file, which are borrowed until spean_csv_next() has said
 * SPEAN_EWAIT. len 0: the file ends. */
void spean_csv_feed(struct spean_csv *csv, const char *data, size_t len);

/*
 * Give the next row. SPEAN_EWAIT: feed more. SPEAN_ENOTFOUND: there are no more. SPEAN_EINPUT,
 * SPEAN_ELIMIT: *why says what is wrong; nothing behind it can be read. SPEAN_ENOMEM.
 */
SPEAN_CHECK spean_err spean_csv_next(struct spean_csv *csv, struct spean_csv_row *row,
                                     struct spean_csv_why *why);

/* Write one cell, guarded and quoted where it must be. What fails shows in ferror(). */
void spean_csv_write_cell(FILE *file, const char *text);

/* Write a row of count cells; NULL is an empty one. The mark goes before the first row. */
void spean_csv_write_row(FILE *file, const char *const *cells, size_t count);
void spean_csv_write_mark(FILE *file);

#endif
