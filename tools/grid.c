#include "tools/grid.h"

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

struct spean_grid {
    struct column columns[SPEAN_GRID_COLUMNS_MAX];
    size_t columns_count;
    char **cells;
    size_t cells_count;
    size_t cells_room;
    size_t wrap;   /* Cells of a line; 0: whatever it takes. */
    spean_err err; /* Sticky. */
};

spean_err spean_grid_new(struct spean_grid **out)
{
    assert(out != NULL);
    struct spean_grid *const grid = calloc(1, sizeof(*grid));
    if (grid == NULL) {
        return SPEAN_ENOMEM;
    }
    *out = grid;
    return SPEAN_OK;
}

void spean_grid_free(struct spean_grid *grid)
{
    if (grid == NULL) {
        return;
    }
    for (size_t i = 0; i < grid->cells_count; i++) {
        free(grid->cells[i]);
    }
    free(grid->cells);
    free(grid);
}

void spean_grid_column(struct spean_grid *grid, const char *heading, bool right)
{
    assert(grid != NULL);
    assert(grid->columns_count < SPEAN_GRID_COLUMNS_MAX);
    assert(grid->cells_count == 0);
    grid->columns[grid->columns_count++] = (struct column){.heading = heading, .right = right};
}

void spean_grid_wrap(struct spean_grid *grid, size_t cells)
{
    assert(grid != NULL);
    grid->wrap = cells;
}

/* Make room for one more cell. */
static spean_err grow(struct spean_grid *grid)
{
    if (grid->cells_count < grid->cells_room) {
        return SPEAN_OK;
    }
    if (grid->cells_count == SPEAN_GRID_CELLS_MAX) {
        return SPEAN_ELIMIT;
    }
    size_t room = grid->cells_room == 0 ? CELLS_FIRST : grid->cells_room * 2;
    if (room > SPEAN_GRID_CELLS_MAX) {
        room = SPEAN_GRID_CELLS_MAX;
    }
    char **const cells = realloc(grid->cells, room * sizeof(*cells));
    if (cells == NULL) {
        return SPEAN_ENOMEM;
    }
    grid->cells = cells;
    grid->cells_room = room;
    return SPEAN_OK;
}

void spean_grid_cell(struct spean_grid *grid, const char *format, ...)
{
    assert(grid != NULL);
    assert(grid->columns_count > 0);
    if (grid->err != SPEAN_OK) {
        return;
    }
    grid->err = grow(grid);
    if (grid->err != SPEAN_OK) {
        return;
    }
    va_list args;
    va_start(args, format);
    char *const raw = spean_vformat(format, args);
    va_end(args);
    char *const clean = raw == NULL ? NULL : spean_display_clean(raw);
    free(raw);
    if (clean == NULL) {
        grid->err = SPEAN_ENOMEM;
        return;
    }
    grid->cells[grid->cells_count++] = clean;
}

static size_t rows_count(const struct spean_grid *grid)
{
    return grid->columns_count == 0
               ? 0
               : (grid->cells_count + grid->columns_count - 1) / grid->columns_count;
}

static const char *cell_at(const struct spean_grid *grid, size_t row, size_t column)
{
    const size_t at = row * grid->columns_count + column;
    return at < grid->cells_count ? grid->cells[at] : "";
}

static void widths_measure(const struct spean_grid *grid, size_t *widths)
{
    for (size_t c = 0; c < grid->columns_count; c++) {
        const char *const heading = grid->columns[c].heading;
        widths[c] = heading == NULL ? 0 : spean_display_width(heading);
        for (size_t r = 0; r < rows_count(grid); r++) {
            const size_t width = spean_display_width(cell_at(grid, r, c));
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

/* Write the last cell in lines that end at the edge, each but the first behind indent spaces. */
static void wrapped_write(FILE *file, const char *text, size_t edge, size_t indent)
{
    const bool narrow = edge < indent + SPEAN_GRID_WRAP_MIN;
    const size_t room = narrow ? SPEAN_GRID_WRAP_MIN : edge - indent;
    for (bool first = true; first || *text != '\0'; first = false) {
        const size_t len = spean_display_fit(text, room);
        if (!first) {
            (void)putc('\n', file); /* ferror() tells at the end. */
            pad(file, indent);
        }
        (void)fwrite(text, 1, len, file); /* Likewise. */
        text += len;
        text += *text == ' ';
    }
}

static void line_write(const struct spean_grid *grid, FILE *file, bool plain, const size_t *widths,
                       const char *const *texts)
{
    size_t indent = 0;
    for (size_t c = 0; c < grid->columns_count; c++) {
        const bool last = c + 1 == grid->columns_count;
        if (plain) {
            (void)fprintf(file, "%s%s", texts[c], last ? "" : "\t"); /* ferror() tells. */
        } else if (last && grid->wrap > 0) {
            wrapped_write(file, texts[c], grid->wrap, indent);
        } else {
            indent += widths[c] + 2;
            cell_write(file, texts[c], widths[c], grid->columns[c].right, last);
        }
    }
}

spean_err spean_grid_write(const struct spean_grid *grid, FILE *file, bool plain,
                           const char *before, const char *after)
{
    assert(grid != NULL);
    assert(file != NULL);
    if (grid->err != SPEAN_OK) {
        return grid->err;
    }
    size_t widths[SPEAN_GRID_COLUMNS_MAX];
    const char *texts[SPEAN_GRID_COLUMNS_MAX];
    bool has_heading = false;
    for (size_t c = 0; c < grid->columns_count; c++) {
        has_heading = has_heading || grid->columns[c].heading != NULL;
        texts[c] = grid->columns[c].heading == NULL ? "" : grid->columns[c].heading;
    }

    widths_measure(grid, widths);
    if (has_heading) {
        (void)fputs(before, file); /* ferror() tells at the end. */
        line_write(grid, file, plain, widths, texts);
        (void)fprintf(file, "%s\n", after); /* Likewise. */
    }
    for (size_t r = 0; r < rows_count(grid); r++) {
        for (size_t c = 0; c < grid->columns_count; c++) {
            texts[c] = cell_at(grid, r, c);
        }
        line_write(grid, file, plain, widths, texts);
        (void)putc('\n', file); /* Likewise. */
    }
    return ferror(file) ? SPEAN_EIO : SPEAN_OK;
}
