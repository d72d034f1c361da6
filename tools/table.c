#include "tools/table.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>

#include "tools/display.h"
#include "tools/vformat.h"

#define CELLS_FIRST 64u

struct column {
    const char *heading;
    bool right;
};

struct spean_table {
    struct column columns[SPEAN_TABLE_COLUMNS_MAX];
    size_t columns_count;
    char **cells;
    size_t cells_count;
    size_t cells_room;
    spean_err err; /* Sticky. */
};

spean_err spean_table_new(struct spean_table **out)
{
    assert(out != NULL);
    struct spean_table *const table = calloc(1, sizeof(*table));
    if (table == NULL) {
        return SPEAN_ENOMEM;
    }
    *out = table;
    return SPEAN_OK;
}

void spean_table_free(struct spean_table *table)
{
    if (table == NULL) {
        return;
    }
    for (size_t i = 0; i < table->cells_count; i++) {
        free(table->cells[i]);
    }
    free(table->cells);
    free(table);
}

void spean_table_column(struct spean_table *table, const char *heading, bool right)
{
    assert(table != NULL);
    assert(table->columns_count < SPEAN_TABLE_COLUMNS_MAX);
    assert(table->cells_count == 0);
    table->columns[table->columns_count++] = (struct column){.heading = heading, .right = right};
}

/* Make room for one more cell. */
static spean_err grow(struct spean_table *table)
{
    if (table->cells_count < table->cells_room) {
        return SPEAN_OK;
    }
    if (table->cells_count == SPEAN_TABLE_CELLS_MAX) {
        return SPEAN_ELIMIT;
    }
    size_t room = table->cells_room == 0 ? CELLS_FIRST : table->cells_room * 2;
    if (room > SPEAN_TABLE_CELLS_MAX) {
        room = SPEAN_TABLE_CELLS_MAX;
    }
    char **const cells = realloc(table->cells, room * sizeof(*cells));
    if (cells == NULL) {
        return SPEAN_ENOMEM;
    }
    table->cells = cells;
    table->cells_room = room;
    return SPEAN_OK;
}

void spean_table_cell(struct spean_table *table, const char *format, ...)
{
    assert(table != NULL);
    assert(table->columns_count > 0);
    if (table->err != SPEAN_OK) {
        return;
    }
    table->err = grow(table);
    if (table->err != SPEAN_OK) {
        return;
    }
    va_list args;
    va_start(args, format);
    char *const raw = spean_vformat(format, args);
    va_end(args);
    char *const clean = raw == NULL ? NULL : spean_display_clean(raw);
    free(raw);
    if (clean == NULL) {
        table->err = SPEAN_ENOMEM;
        return;
    }
    table->cells[table->cells_count++] = clean;
}

static size_t rows_count(const struct spean_table *table)
{
    return table->columns_count == 0
               ? 0
               : (table->cells_count + table->columns_count - 1) / table->columns_count;
}

static const char *cell_at(const struct spean_table *table, size_t row, size_t column)
{
    const size_t at = row * table->columns_count + column;
    return at < table->cells_count ? table->cells[at] : "";
}

static void widths_measure(const struct spean_table *table, size_t *widths)
{
    for (size_t c = 0; c < table->columns_count; c++) {
        const char *const heading = table->columns[c].heading;
        widths[c] = heading == NULL ? 0 : spean_display_width(heading);
        for (size_t r = 0; r < rows_count(table); r++) {
            const size_t width = spean_display_width(cell_at(table, r, c));
            widths[c] = width > widths[c] ? width : widths[c];
        }
    }
}

static void pad(FILE *file, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        (void)putc(' ', file); /* ferror() tells at the end. */
    }
}

/* Write one cell; the last column of a line gets no spaces after it. */
static void cell_write(FILE *file, const char *text, size_t width, bool right, bool last)
{
    const size_t gap = width - spean_display_width(text);
    if (right) {
        pad(file, gap);
    }
    (void)fputs(text, file); /* ferror() tells at the end. */
    if (!last) {
        pad(file, (right ? 0 : gap) + 2);
    }
}

static void line_write(const struct spean_table *table, FILE *file, bool plain,
                       const size_t *widths, const char *const *texts)
{
    for (size_t c = 0; c < table->columns_count; c++) {
        const bool last = c + 1 == table->columns_count;
        if (plain) {
            (void)fprintf(file, "%s%s", texts[c], last ? "" : "\t"); /* ferror() tells. */
        } else {
            cell_write(file, texts[c], widths[c], table->columns[c].right, last);
        }
    }
}

spean_err spean_table_write(const struct spean_table *table, FILE *file, bool plain,
                            const char *before, const char *after)
{
    assert(table != NULL);
    assert(file != NULL);
    if (table->err != SPEAN_OK) {
        return table->err;
    }
    size_t widths[SPEAN_TABLE_COLUMNS_MAX];
    const char *texts[SPEAN_TABLE_COLUMNS_MAX];
    bool has_heading = false;
    for (size_t c = 0; c < table->columns_count; c++) {
        has_heading = has_heading || table->columns[c].heading != NULL;
        texts[c] = table->columns[c].heading == NULL ? "" : table->columns[c].heading;
    }

    widths_measure(table, widths);
    if (has_heading) {
        (void)fputs(before, file); /* ferror() tells at the end. */
        line_write(table, file, plain, widths, texts);
        (void)fprintf(file, "%s\n", after); /* Likewise. */
    }
    for (size_t r = 0; r < rows_count(table); r++) {
        for (size_t c = 0; c < table->columns_count; c++) {
            texts[c] = cell_at(table, r, c);
        }
        line_write(table, file, plain, widths, texts);
        (void)putc('\n', file); /* Likewise. */
    }
    return ferror(file) ? SPEAN_EIO : SPEAN_OK;
}
