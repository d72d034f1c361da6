#include "tools/csv.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <csv.h>
#include <sodium.h>

#include "protocol/text.h"
#include "tools/i18n.h"

#define MARK       "\xef\xbb\xbf"
#define MARK_BYTES 3u
#define GUARD      '\''
#define WIDE_BYTES 3u

struct spean_csv {
    struct csv_parser parser;
    const char *data; /* Borrowed: not parsed yet. */
    size_t len;
    bool at_end;        /* There is nothing to come behind data. */
    bool closed;        /* All is parsed, or something is wrong. */
    uint32_t mark_seen; /* Bytes at the beginning that were compared with the mark. */
    bool after_cr;
    uint64_t line; /* Of the next byte. */
    uint64_t column;
    uint64_t row_line;
    bool row_begun;
    bool row_done;
    spean_err err; /* Sticky. */
    struct spean_csv_why why;
    size_t used; /* Of text. */
    size_t count;
    const char *cells[SPEAN_CSV_CELLS_MAX];
    char text[SPEAN_CSV_ROW_BYTES_MAX];
};

/* libcsv doubles a cell's buffer without end; it has no context to say more. */
static void *cell_realloc(void *old, size_t size)
{
    return size > 2 * (size_t)SPEAN_CSV_CELL_BYTES_MAX ? NULL : realloc(old, size);
}

/* Spaces are part of a cell. */
static int is_no_space(unsigned char c)
{
    (void)c;
    return 0;
}

spean_err spean_csv_new(struct spean_csv **out)
{
    assert(out != NULL);
    struct spean_csv *const csv = calloc(1, sizeof(*csv));
    if (csv == NULL) {
        return SPEAN_ENOMEM;
    }
    if (csv_init(&csv->parser, CSV_STRICT | CSV_STRICT_FINI) != 0) {
        free(csv);
        return SPEAN_ENOMEM;
    }
    csv_set_realloc_func(&csv->parser, cell_realloc);
    csv_set_space_func(&csv->parser, is_no_space);
    csv->line = 1;
    csv->column = 1;
    *out = csv;
    return SPEAN_OK;
}

void spean_csv_free(struct spean_csv *csv)
{
    if (csv == NULL) {
        return;
    }
    if (csv->parser.entry_buf != NULL) {
        sodium_memzero(csv->parser.entry_buf, csv->parser.entry_size);
    }
    csv_free(&csv->parser);
    sodium_memzero(csv, sizeof(*csv));
    free(csv);
}

void spean_csv_feed(struct spean_csv *csv, const char *data, size_t len)
{
    assert(csv != NULL);
    assert(csv->len == 0);
    csv->data = data;
    csv->len = len;
    csv->at_end = len == 0;
}

static void fail(struct spean_csv *csv, spean_err err, const char *text)
{
    if (csv->err == SPEAN_OK) {
        csv->err = err;
        csv->why.line = csv->line;
        csv->why.column = csv->column;
        (void)snprintf(csv->why.text, sizeof(csv->why.text), "%s", text); /* Cut is good enough. */
    }
}

/* A formula may begin like this; in East Asian locales also with the full-width signs. */
static bool is_dangerous(const char *text)
{
    static const char *const wide[] = {"\uff1d", "\uff0b", "\uff0d", "\uff20"};
    for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++) {
        if (strncmp(text, wide[i], WIDE_BYTES) == 0) {
            return true;
        }
    }
    return text[0] != '\0' && strchr("=+-@\t\r\n", text[0]) != NULL;
}

static bool is_guarded(const char *text)
{
    return text[0] == GUARD && (text[1] == GUARD || is_dangerous(text + 1));
}

/* libcsv: a cell is complete. */
static void cell_take(void *data, size_t len, void *context)
{
    struct spean_csv *const csv = context;
    const char *text = data;
    if (len > SPEAN_CSV_CELL_BYTES_MAX) {
        fail(csv, SPEAN_ELIMIT, _("a cell is longer than 65536 bytes"));
        return;
    }
    if (csv->count == SPEAN_CSV_CELLS_MAX || len >= SPEAN_CSV_ROW_BYTES_MAX - csv->used) {
        fail(csv, SPEAN_ELIMIT, _("a row has more than 1024 cells or 1048576 bytes"));
        return;
    }
    if (!spean_text_valid((struct spean_view){(const uint8_t *)text, len})) {
        fail(csv, SPEAN_EINPUT, _("a cell that ends here is not UTF-8 text"));
        return;
    }
    char *const own = csv->text + csv->used;
    if (len > 0) {
        memcpy(own, text, len);
    }
    own[len] = '\0';
    csv->cells[csv->count++] = is_guarded(own) ? own + 1 : own;
    csv->used += len + 1;
}

/* libcsv: a row is complete. */
static void row_take(int terminator, void *context)
{
    struct spean_csv *const csv = context;
    (void)terminator;
    csv->row_done = true;
}

/* Count lines and columns: a line ends with CR LF, LF or CR; a character begins with a byte that
 * does not go on another. */
static void place_move(struct spean_csv *csv, char c)
{
    const bool lf_of_crlf = c == '\n' && csv->after_cr;
    csv->after_cr = c == '\r';
    if (lf_of_crlf) {
        return;
    }
    if (c == '\n' || c == '\r') {
        csv->line++;
        csv->column = 1;
    } else if (((unsigned char)c & 0xc0) != 0x80) {
        csv->column++;
    }
}

static void parse_fail(struct spean_csv *csv)
{
    if (csv_error(&csv->parser) == CSV_EPARSE) {
        fail(csv, SPEAN_EINPUT, _("a quote stands where none may be, or is never closed"));
    } else {
        fail(csv, SPEAN_ELIMIT, _("a cell is longer than 65536 bytes"));
    }
}

static void byte_parse(struct spean_csv *csv, char c)
{
    if (!csv->row_begun && c != '\r' && c != '\n') {
        csv->row_begun = true;
        csv->row_line = csv->line;
    }
    if (csv_parse(&csv->parser, &c, 1, cell_take, row_take, csv) != 1) {
        parse_fail(csv);
    }
    place_move(csv, c);
}

/* Take the next byte, of which the first few may be the mark. */
static void byte_take(struct spean_csv *csv, char c)
{
    if (csv->mark_seen < MARK_BYTES) {
        if (c == MARK[csv->mark_seen]) {
            csv->mark_seen++;
            return;
        }
        const uint32_t kept = csv->mark_seen; /* It was another character. */
        csv->mark_seen = MARK_BYTES;
        for (uint32_t i = 0; i < kept; i++) {
            byte_parse(csv, MARK[i]);
        }
    }
    byte_parse(csv, c);
}

/* The file ends: what is left is the last row. */
static void finish(struct spean_csv *csv)
{
    csv->closed = true;
    if (csv->mark_seen > 0 && csv->mark_seen < MARK_BYTES) {
        fail(csv, SPEAN_EINPUT, _("a cell that ends here is not UTF-8 text"));
    } else if (csv_fini(&csv->parser, cell_take, row_take, csv) != 0) {
        parse_fail(csv);
    }
}

static void row_forget(struct spean_csv *csv)
{
    sodium_memzero(csv->text, csv->used);
    csv->used = 0;
    csv->count = 0;
    csv->row_begun = false;
    csv->row_done = false;
}

spean_err spean_csv_next(struct spean_csv *csv, struct spean_csv_row *row,
                         struct spean_csv_why *why)
{
    assert(csv != NULL);
    assert(row != NULL);
    assert(why != NULL);
    if (csv->row_done) {
        row_forget(csv);
    }
    while (csv->err == SPEAN_OK && !csv->row_done && csv->len > 0) {
        const char c = *csv->data++;
        csv->len--;
        byte_take(csv, c);
    }
    if (csv->err == SPEAN_OK && !csv->row_done && csv->at_end && !csv->closed) {
        finish(csv);
    }
    if (csv->err != SPEAN_OK) {
        *why = csv->why;
        return csv->err;
    }
    if (!csv->row_done) {
        return csv->closed ? SPEAN_ENOTFOUND : SPEAN_EWAIT;
    }
    *row = (struct spean_csv_row){csv->cells, csv->count, csv->row_line};
    return SPEAN_OK;
}

/* -- Writing --------------------------------------------------------------------------------- */

void spean_csv_write_cell(FILE *file, const char *text)
{
    assert(file != NULL);
    assert(text != NULL);
    const size_t len = strlen(text);
    const bool guard = is_dangerous(text) || is_guarded(text);
    const bool edge = len > 0 && (text[0] == ' ' || text[len - 1] == ' ');
    const bool quote = edge || strpbrk(text, "\",\r\n\t") != NULL;
    (void)fputs(quote ? "\"" : "", file); /* The caller asks ferror() once, at the end. */
    if (guard) {
        (void)fputc(GUARD, file);
    }
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '"') {
            (void)fputc('"', file);
        }
        (void)fputc(*c, file);
    }
    (void)fputs(quote ? "\"" : "", file);
}

void spean_csv_write_row(FILE *file, const char *const *cells, size_t count)
{
    assert(cells != NULL);
    if (count == 1 && (cells[0] == NULL || cells[0][0] == '\0')) {
        (void)fputs("\"\"", file); /* An empty line would be no row. */
    }
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            (void)fputc(',', file);
        }
        spean_csv_write_cell(file, cells[i] == NULL ? "" : cells[i]);
    }
    (void)fputs("\r\n", file);
}

void spean_csv_write_mark(FILE *file)
{
    (void)fputs(MARK, file);
}
