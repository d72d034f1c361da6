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
#define ZIP        "PK\x03\x04" /* How .xlsx and .ods begin. */
#define SAYS       "sep="       /* A first line that names the separator, as Excel reads it. */
#define GUARD      '\''
#define WIDE_BYTES 3u
#define HEAD_BYTES 8192u /* Of the first line, by which the separator is told. */

struct spean_csv {
    struct csv_parser parser;
    const char *data; /* Borrowed: not parsed yet. */
    size_t len;
    bool at_end; /* There is nothing to come behind data. */
    bool closed; /* All is parsed, or something is wrong. */
    bool headed; /* The head is complete, and parsed. */
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
    size_t head_len;
    bool head_quoted; /* Its last byte is within quotes. */
    bool head_begun;  /* There is more in it than line ends. */
    char head[HEAD_BYTES];
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

/* Refuse a file that was saved in another form, and say in which it can be read. */
static void fail_form(struct spean_csv *csv, const char *text)
{
    fail(csv, SPEAN_EINPUT, text);
    csv->why.hint = _("save it as CSV in UTF-8: in Excel \"CSV UTF-8 (comma delimited)\", in "
                      "LibreOffice \"Text CSV\" with the character set UTF-8");
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
        fail_form(csv, _("a cell that ends here is not UTF-8 text"));
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

/* The separator of a line: the most frequent outside of quotes. */
static char separator_of(const char *line, size_t len)
{
    static const char separators[] = {',', ';', '\t'};
    size_t counts[sizeof(separators)] = {0};
    bool quoted = false;
    size_t best = 0;
    for (size_t i = 0; i < len; i++) {
        quoted = line[i] == '"' ? !quoted : quoted;
        for (size_t k = 0; !quoted && k < sizeof(separators); k++) {
            counts[k] += line[i] == separators[k] ? 1 : 0;
        }
    }
    for (size_t k = 1; k < sizeof(separators); k++) {
        best = counts[k] > counts[best] ? k : best;
    }
    return separators[best];
}

/* How many bytes at the beginning name the separator and are no row; 0: none. */
static size_t says_separator(const char *line, size_t len, char *separator)
{
    const size_t says = strlen(SAYS);
    if (len < says + 2 || strncmp(line, SAYS, says) != 0 ||
        (line[says + 1] != '\r' && line[says + 1] != '\n')) {
        return 0;
    }
    *separator = line[says];
    return says + 1;
}

/* The first line is there, or all of the file: find out what the file is and parse it so far. */
static void head_take(struct spean_csv *csv)
{
    const bool marked = csv->head_len >= MARK_BYTES && memcmp(csv->head, MARK, MARK_BYTES) == 0;
    const char *const text = csv->head + (marked ? MARK_BYTES : 0);
    const size_t len = csv->head_len - (marked ? MARK_BYTES : 0);
    csv->headed = true;
    if (len >= strlen(ZIP) && memcmp(text, ZIP, strlen(ZIP)) == 0) {
        fail_form(csv, _("this is a spreadsheet's own file, not CSV"));
        return;
    }
    if (len >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0)) {
        fail_form(csv, _("this is text in UTF-16"));
        return;
    }
    char separator = separator_of(text, len);
    const size_t skip = says_separator(text, len, &separator);
    csv_set_delim(&csv->parser, (unsigned char)separator);
    for (size_t i = 0; csv->err == SPEAN_OK && i < len; i++) {
        if (i < skip) {
            place_move(csv, text[i]);
        } else {
            byte_parse(csv, text[i]);
        }
    }
}

/* Keep a byte of the head, which ends with the first line that is not empty. */
static void head_add(struct spean_csv *csv, char c)
{
    const bool ends = c == '\r' || c == '\n';
    csv->head[csv->head_len++] = c;
    csv->head_quoted = c == '"' ? !csv->head_quoted : csv->head_quoted;
    csv->head_begun = csv->head_begun || !ends;
    if ((ends && csv->head_begun && !csv->head_quoted) || csv->head_len == HEAD_BYTES) {
        head_take(csv);
    }
}

/* Parse one byte of what was fed; after the head a byte may complete a row. */
static void byte_take(struct spean_csv *csv, char c)
{
    if (csv->headed) {
        byte_parse(csv, c);
    } else {
        head_add(csv, c);
    }
}

/* The file ends: what is left is the last row. */
static void finish(struct spean_csv *csv)
{
    if (!csv->headed) {
        head_take(csv);
    }
    csv->closed = true;
    if (csv->err == SPEAN_OK && csv_fini(&csv->parser, cell_take, row_take, csv) != 0) {
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
