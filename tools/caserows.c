#include "tools/caserows.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/casekeys.h"
#include "tools/csv.h"
#include "tools/edit.h"
#include "tools/htcds.h"
#include "tools/htcds_words.h"
#include "tools/i18n.h"
#include "tools/interrupt.h"

#define CHUNK_BYTES   65536u
#define LABELS_MIN    3u /* So many labels make a row one of headings. */
#define HEADING_BYTES 128u
#define ID_PREFIX     "uuid:" /* KoBo writes the same name with it and without. */

/* What a cell of CSV, or a value of JSON, is. */
struct heading {
    const char *column;    /* NULL: not known. */
    const char *choice_of; /* The cell says whether one choice of this column was made. */
    size_t choice_at;      /* Which: the text from here on. */
    size_t id_rank;        /* 0: it is no name of the row; of several the lowest counts. */
    bool passed_over;      /* Nothing that anybody answered. */
    bool nameless;         /* It was empty: text is what we call it. */
    char text[HEADING_BYTES];
};

struct spean_caserows {
    struct spean_caserows_options options;
    json_t *left;
    json_t *cells; /* Of the row given last. */
    uint64_t count;
    json_t *array; /* JSON: of the rows; NULL for CSV. */
    int fd;        /* CSV: -1 when closed. */
    struct spean_csv *csv;
    char chunk[CHUNK_BYTES];
    struct spean_csv_row held; /* Read, and not given yet: it was no second header. */
    bool has_held;
    size_t headings_count;
    struct heading headings[SPEAN_CSV_CELLS_MAX];
};

/* -- CSV: its rows --------------------------------------------------------------------------- */

static enum spean_exit refuse_csv(const struct spean_caserows *rows,
                                  const struct spean_csv_why *why, struct spean_problem *problem)
{
    (void)spean_problem_usage(problem, _("%s, line %" PRIu64 ", column %" PRIu64 ": %s"),
                              rows->options.path, why->line, why->column, why->text);
    if (why->hint != NULL) {
        spean_problem_hint(problem, "%s", why->hint);
    }
    return SPEAN_EXIT_USAGE;
}

/* Give the next row of the file; *more false: there is none. */
static enum spean_exit csv_next(struct spean_caserows *rows, struct spean_csv_row *row, bool *more,
                                struct spean_problem *problem)
{
    struct spean_csv_why why;
    for (;;) {
        const spean_err err = spean_csv_next(rows->csv, row, &why);
        *more = err == SPEAN_OK;
        if (err == SPEAN_OK || err == SPEAN_ENOTFOUND) {
            return SPEAN_EXIT_DONE;
        }
        if (err == SPEAN_ENOMEM) {
            return spean_problem_err(problem, err, rows->options.path);
        }
        if (err != SPEAN_EWAIT) {
            return refuse_csv(rows, &why, problem);
        }
        if (!spean_interrupt_wait(rows->fd)) {
            return spean_interrupt_problem(problem);
        }
        const ssize_t got = read(rows->fd, rows->chunk, sizeof(rows->chunk));
        if (got < 0) {
            return spean_problem_set(problem, SPEAN_EXIT_FAILED, "file", "%s: %s",
                                     rows->options.path, strerror(errno));
        }
        spean_csv_feed(rows->csv, rows->chunk, (size_t)got);
    }
}

/* Begin to read the file, again. */
static enum spean_exit csv_begin(struct spean_caserows *rows, struct spean_problem *problem)
{
    spean_csv_free(rows->csv);
    rows->csv = NULL;
    const spean_err err = spean_csv_new(&rows->csv);
    return err == SPEAN_OK ? SPEAN_EXIT_DONE : spean_problem_err(problem, err, rows->options.path);
}

/* Read it once for its form alone, if it can be read twice. */
static enum spean_exit csv_check(struct spean_caserows *rows, struct spean_problem *problem)
{
    struct stat facts;
    struct spean_csv_row row;
    bool more = true;
    if (fstat(rows->fd, &facts) != 0 || !S_ISREG(facts.st_mode)) {
        return SPEAN_EXIT_DONE;
    }
    const off_t start = lseek(rows->fd, 0, SEEK_CUR);
    enum spean_exit exit = csv_begin(rows, problem);
    while (exit == SPEAN_EXIT_DONE && more) {
        exit = csv_next(rows, &row, &more, problem);
    }
    if (exit == SPEAN_EXIT_DONE && (start < 0 || lseek(rows->fd, start, SEEK_SET) < 0)) {
        exit = spean_problem_set(problem, SPEAN_EXIT_FAILED, "file", "%s: %s", rows->options.path,
                                 strerror(errno));
    }
    return exit;
}

/* -- CSV: its headings ----------------------------------------------------------------------- */

/* The column that a heading stands for behind its groups: "person/prs_Gender"; ODK Central joins
 * with '-', KoBo with what it is told, and only a name is looked for behind those. */
static const char *grouped_find(const char *text)
{
    const char *const slash = strrchr(text, '/');
    const char *const column = slash == NULL ? NULL : spean_htcds_column_find(slash + 1);
    if (column != NULL) {
        return column;
    }
    for (const char *at = strpbrk(text, "-.:"); at != NULL; at = strpbrk(at + 1, "-.:")) {
        const char *const name = spean_htcds_column_find(at + 1);
        if (name != NULL && !spean_htcds_is_label(at + 1)) {
            return name;
        }
    }
    return NULL;
}

/* Forms spread a question with several answers over columns: "person/prs_Citizenship/KH". */
static void choice_find(struct heading *heading)
{
    char before[HEADING_BYTES];
    for (const char *at = strchr(heading->text, '/'); at != NULL; at = strchr(at + 1, '/')) {
        const size_t len = (size_t)(at - heading->text);
        memcpy(before, heading->text, len);
        before[len] = '\0';
        const char *const whole = spean_htcds_column_find(before);
        const char *const column = whole != NULL ? whole : grouped_find(before);
        if (column != NULL && spean_htcds_is_multiple(column) && at[1] != '\0') {
            heading->choice_of = column;
            heading->choice_at = len + 1;
            return;
        }
    }
}

/* Work out what a heading stands for. */
static void heading_read(const struct spean_caserows *rows, const char *text,
                         struct heading *heading)
{
    const char *const id = rows->options.id_column;
    *heading = (struct heading){.column = spean_htcds_column_find(text)};
    (void)snprintf(heading->text, sizeof(heading->text), "%s", text); /* Cut is good enough. */
    const size_t rank = spean_casekeys_id_rank(rows->options.format, text);
    heading->id_rank = id == NULL ? rank : strcmp(id, text) == 0 ? 1 : 0;
    heading->passed_over = rank > 0 || spean_casekeys_is_bookkeeping(text);
    if (heading->column == NULL) {
        heading->column = grouped_find(text);
    }
    if (heading->column == NULL) {
        choice_find(heading);
    }
}

/* Whether a row is one of labels below the names. */
static bool is_labels(const struct spean_csv_row *row)
{
    size_t labels = 0;
    for (size_t i = 0; i < row->count; i++) {
        labels += row->cells[i][0] != '\0' && spean_htcds_is_label(row->cells[i]) ? 1 : 0;
    }
    return labels >= LABELS_MIN;
}

/* Bring a second row of headings together with the first. */
static enum spean_exit labels_take(struct spean_caserows *rows, const struct spean_csv_row *row,
                                   struct spean_problem *problem)
{
    for (size_t i = 0; i < row->count && i < rows->headings_count; i++) {
        struct heading label;
        struct heading *const name = &rows->headings[i];
        heading_read(rows, row->cells[i], &label);
        const bool differ =
            name->column != NULL && label.column != NULL && strcmp(name->column, label.column) != 0;
        if (differ && rows->options.header == SPEAN_CASEROWS_HEADER_UNSAID) {
            (void)spean_problem_usage(
                problem, _("%s, line %" PRIu64 ": column %zu is headed \"%s\" and \"%s\""),
                rows->options.path, row->line, i + 1, name->text, label.text);
            spean_problem_hint(problem, "%s",
                               _("look under which heading the values fit, and give --header names "
                                 "or --header labels"));
            return SPEAN_EXIT_USAGE;
        }
        const bool take =
            differ ? rows->options.header == SPEAN_CASEROWS_HEADER_LABELS : name->text[0] == '\0';
        if (take) {
            *name = label;
        }
    }
    return SPEAN_EXIT_DONE;
}

/* Whether a whole column has what the columns of its choices say again. */
static bool has_whole(const struct spean_caserows *rows, const char *column)
{
    for (size_t i = 0; i < rows->headings_count; i++) {
        if (rows->headings[i].column == column) {
            return true;
        }
    }
    return false;
}

/* All headings are known: leave of columns that say one choice those whose answer stands nowhere
 * else, and call columns without a heading by their number. */
static void headings_settle(struct spean_caserows *rows)
{
    for (size_t i = 0; i < rows->headings_count; i++) {
        struct heading *const heading = &rows->headings[i];
        if (heading->text[0] == '\0') {
            heading->nameless = true;
            (void)snprintf(heading->text, sizeof(heading->text),
                           _("the column without a heading (number %zu)"),
                           i + 1); /* Cut is good enough. */
        }
        if (heading->choice_of != NULL && has_whole(rows, heading->choice_of)) {
            heading->choice_of = NULL;
            heading->passed_over = true;
        }
    }
}

/* Refuse headings that cannot be used: none known, one twice, no id column. */
static enum spean_exit headings_judge(const struct spean_caserows *rows,
                                      struct spean_problem *problem)
{
    size_t names = 0;
    size_t labels = 0;
    bool has_id = rows->options.id_column == NULL;
    for (size_t i = 0; i < rows->headings_count; i++) {
        const struct heading *const heading = &rows->headings[i];
        if (heading->column != NULL || heading->choice_of != NULL) {
            labels += spean_htcds_is_label(heading->text) ? 1 : 0;
            names += spean_htcds_is_label(heading->text) ? 0 : 1;
        }
        has_id = has_id || heading->id_rank > 0;
        for (size_t k = 0; heading->column != NULL && k < i; k++) {
            if (rows->headings[k].column == heading->column) {
                return spean_problem_usage(problem, _("%s: columns %zu and %zu are both \"%s\""),
                                           rows->options.path, k + 1, i + 1, heading->column);
            }
        }
    }
    if (names == 0 && labels < LABELS_MIN) { /* "Status" and "Title" stand in many files. */
        (void)spean_problem_usage(problem, _("%s: none of its columns is known"),
                                  rows->options.path);
        spean_problem_hint(problem, "%s",
                           _("the first row should have names of HTCDS 2.0: prs_FirstName, "
                             "prs_Gender, cas_Status"));
        return SPEAN_EXIT_USAGE;
    }
    return has_id ? SPEAN_EXIT_DONE
                  : spean_problem_usage(problem, _("%s has no column \"%s\""), rows->options.path,
                                        rows->options.id_column);
}

static enum spean_exit headings_take(struct spean_caserows *rows, struct spean_problem *problem)
{
    struct spean_csv_row row;
    bool more = false;
    enum spean_exit exit = csv_next(rows, &row, &more, problem);
    if (exit == SPEAN_EXIT_DONE && !more) {
        return spean_problem_usage(problem, _("%s is empty"), rows->options.path);
    }
    for (size_t i = 0; exit == SPEAN_EXIT_DONE && i < row.count; i++) {
        heading_read(rows, row.cells[i], &rows->headings[i]);
        rows->headings_count = i + 1;
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = csv_next(rows, &rows->held, &rows->has_held, problem);
    }
    if (exit == SPEAN_EXIT_DONE && rows->has_held && is_labels(&rows->held)) {
        exit = labels_take(rows, &rows->held, problem);
        rows->has_held = false;
    }
    headings_settle(rows);
    return exit == SPEAN_EXIT_DONE ? headings_judge(rows, problem) : exit;
}

/* -- Opening --------------------------------------------------------------------------------- */

static enum spean_exit csv_open(struct spean_caserows *rows, struct spean_problem *problem)
{
    const char *const path = rows->options.path;
    rows->fd =
        strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (rows->fd < 0) {
        const enum spean_exit exit = errno == ENOENT   ? SPEAN_EXIT_NOT_FOUND
                                     : errno == EACCES ? SPEAN_EXIT_DENIED
                                                       : SPEAN_EXIT_FAILED;
        return spean_problem_set(problem, exit, "file", "%s: %s", path, strerror(errno));
    }
    enum spean_exit exit = csv_check(rows, problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = csv_begin(rows, problem);
    }
    return exit == SPEAN_EXIT_DONE ? headings_take(rows, problem) : exit;
}

static enum spean_exit json_open(struct spean_caserows *rows, struct spean_problem *problem)
{
    static const char *const wrappers[] = {"data", "contents", "results", "clients", "cases"};
    json_t *file = NULL;
    const enum spean_exit exit =
        spean_edit_json(rows->options.path, SPEAN_CASEROWS_JSON_MAX, &file, problem);
    if (exit != SPEAN_EXIT_DONE) {
        return exit;
    }
    json_t *array = json_is_array(file) ? file : NULL;
    for (size_t i = 0; array == NULL && i < sizeof(wrappers) / sizeof(wrappers[0]); i++) {
        json_t *const inner = json_object_get(file, wrappers[i]);
        array = json_is_array(inner) ? inner : NULL;
    }
    json_t *const one = json_object_get(file, "data"); /* GET of one case answers so. */
    rows->array =
        array == NULL && json_object_size(one) > 0 ? json_pack("[O]", one) : json_incref(array);
    json_decref(file);
    if (rows->array == NULL) {
        (void)spean_problem_usage(problem, _("%s: this is no list of cases"), rows->options.path);
        spean_problem_hint(problem, "%s", _("it should be an array of objects, one for each case"));
        return SPEAN_EXIT_USAGE;
    }
    return SPEAN_EXIT_DONE;
}

enum spean_exit spean_caserows_open(const struct spean_caserows_options *options,
                                    struct spean_caserows **out, struct spean_problem *problem)
{
    assert(options != NULL);
    assert(out != NULL);
    struct spean_caserows *const rows = calloc(1, sizeof(*rows));
    if (rows == NULL) {
        return spean_problem_err(problem, SPEAN_ENOMEM, options->path);
    }
    rows->options = *options;
    rows->fd = -1;
    rows->left = json_object();
    enum spean_exit exit = rows->left == NULL
                               ? spean_problem_err(problem, SPEAN_ENOMEM, options->path)
                           : options->format == SPEAN_CASEROWS_CSV ? csv_open(rows, problem)
                                                                   : json_open(rows, problem);
    if (exit != SPEAN_EXIT_DONE) {
        spean_caserows_free(rows);
        return exit;
    }
    *out = rows;
    return SPEAN_EXIT_DONE;
}

void spean_caserows_free(struct spean_caserows *rows)
{
    if (rows == NULL) {
        return;
    }
    spean_csv_free(rows->csv);
    json_decref(rows->array);
    json_decref(rows->cells);
    json_decref(rows->left);
    if (rows->fd >= 0) {
        (void)close(rows->fd); /* Only read from. */
    }
    free(rows);
}

json_t *spean_caserows_left(struct spean_caserows *rows)
{
    assert(rows != NULL);
    return rows->left;
}

/* -- Rows ------------------------------------------------------------------------------------ */

/* Count a value that no field takes. Only the name is kept. */
static bool left_add(struct spean_caserows *rows, const char *name)
{
    const json_int_t before = json_integer_value(json_object_get(rows->left, name));
    return json_object_set_new(rows->left, name, json_integer(before + 1)) == 0;
}

static void id_take(const struct spean_caserows *rows, struct spean_caserow *row, const char *text)
{
    const size_t prefix = strlen(ID_PREFIX);
    if (rows->options.id_column == NULL && strncmp(text, ID_PREFIX, prefix) == 0) {
        text += prefix;
    }
    if (strlen(text) >= sizeof(row->id)) {
        row->error = _("the name of the row is longer than 191 bytes");
        return;
    }
    (void)snprintf(row->id, sizeof(row->id), "%s", text); /* Fits. */
}

/* Add one choice to the cell of its column, if it was made. False: no memory, or it is neither
 * made nor not made, which *row says. */
static bool choice_take(struct spean_caserow *row, const struct heading *heading, const char *text)
{
    static const char *const made[] = {"1", "true", "yes"};
    static const char *const not_made[] = {"0", "false", "no"};
    const char *const before = json_string_value(json_object_get(row->cells, heading->choice_of));
    bool is_made = false;
    bool is_known = text[0] == '\0';
    for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
        is_made = is_made || spean_codewords_same(made[i], text);
        is_known = is_known || spean_codewords_same(not_made[i], text);
    }
    if (!is_made && !is_known) {
        row->error = _("a column of one choice has something other than 1 and 0");
        return true;
    }
    if (text[0] == '\0' || (!is_made && before != NULL)) {
        return true; /* Not answered, or answered with others. */
    }
    return json_object_set_new(
               row->cells, heading->choice_of,
               json_sprintf("%s%s%s", before == NULL ? "" : before,
                            before == NULL || before[0] == '\0' || !is_made ? "" : ";",
                            is_made ? heading->text + heading->choice_at : "")) == 0;
}

/* Take one value, a text, as what its heading says that it is. */
static bool value_take(struct spean_caserows *rows, const struct heading *heading, const char *text,
                       struct spean_caserow *row)
{
    if (heading->column != NULL) {
        if (json_object_get(row->cells, heading->column) != NULL) {
            row->error = _("two of its values stand for the same column");
        }
        return json_object_set_new(row->cells, heading->column, json_string(text)) == 0;
    }
    if (heading->choice_of != NULL) {
        return choice_take(row, heading, text);
    }
    return text[0] == '\0' || heading->id_rank > 0 || heading->passed_over ||
           left_add(rows, heading->text);
}

/* Whether a row says something under a heading: templates come with rows that have their number and
 * nothing else. */
static bool says_something(const struct spean_caserows *rows, const struct spean_csv_row *row)
{
    for (size_t i = 0; i < row->count; i++) {
        const bool nameless = i < rows->headings_count && rows->headings[i].nameless;
        if (!nameless && row->cells[i][0] != '\0') {
            return true;
        }
    }
    return false;
}

static bool csv_cells(struct spean_caserows *rows, const struct spean_csv_row *from,
                      struct spean_caserow *row)
{
    bool good = true;
    size_t rank = SIZE_MAX;
    const bool says = says_something(rows, from);
    for (size_t i = 0; good && says && i < from->count; i++) {
        const char *const text = from->cells[i];
        if (i >= rows->headings_count) {
            row->error = text[0] == '\0' ? row->error : _("a cell has no heading");
            continue;
        }
        const struct heading *const heading = &rows->headings[i];
        if (heading->id_rank > 0 && heading->id_rank < rank && text[0] != '\0') {
            rank = heading->id_rank;
            id_take(rows, row, text);
        }
        good = value_take(rows, heading, text, row);
    }
    return good;
}

static enum spean_exit row_csv(struct spean_caserows *rows, struct spean_caserow *row, bool *more,
                               struct spean_problem *problem)
{
    struct spean_csv_row from = rows->held;
    *more = rows->has_held;
    rows->has_held = false;
    if (!*more) {
        const enum spean_exit exit = csv_next(rows, &from, more, problem);
        if (exit != SPEAN_EXIT_DONE || !*more) {
            return exit;
        }
    }
    (void)snprintf(row->place, sizeof(row->place), _("line %" PRIu64), from.line); /* Fits. */
    return csv_cells(rows, &from, row)
               ? SPEAN_EXIT_DONE
               : spean_problem_err(problem, SPEAN_ENOMEM, rows->options.path);
}

/* A JSON value as a cell, a new text; NULL: it cannot be one, or no memory. */
static json_t *cell_make(const json_t *value)
{
    if (json_is_string(value)) {
        return json_string(json_string_value(value));
    }
    if (json_is_integer(value)) {
        return json_sprintf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
    }
    if (json_is_boolean(value)) {
        return json_string(json_is_true(value) ? "true" : "false");
    }
    if (!json_is_array(value)) {
        return NULL;
    }
    json_t *cell = json_string("");
    for (size_t i = 0; cell != NULL && i < json_array_size(value); i++) {
        const char *const word = json_string_value(json_array_get(value, i));
        json_t *const longer =
            word == NULL ? NULL
                         : json_sprintf("%s%s%s", json_string_value(cell), i == 0 ? "" : ";", word);
        json_decref(cell);
        cell = longer;
    }
    return cell;
}

/* Whether a value says nothing: null, or an array or object with nothing in it. */
static bool is_nothing(const json_t *value)
{
    bool nothing = json_is_null(value) || json_is_array(value) ||
                   (json_is_object(value) && json_object_size(value) == 0);
    for (size_t i = 0; nothing && i < json_array_size(value); i++) {
        nothing = json_is_null(json_array_get(value, i));
    }
    return nothing;
}

/* What a key of JSON stands for: in the names of another system, or as a heading. */
static void key_read(const struct spean_caserows *rows, const char *key, struct heading *heading)
{
    const enum spean_caserows_format format = rows->options.format;
    if (format == SPEAN_CASEROWS_JSON) {
        heading_read(rows, key, heading);
        return;
    }
    const char *const id = rows->options.id_column;
    *heading = (struct heading){.column = spean_casekeys_column(format, key)};
    heading->id_rank = id == NULL             ? spean_casekeys_id_rank(format, key)
                       : strcmp(id, key) == 0 ? 1
                                              : 0;
    (void)snprintf(heading->text, sizeof(heading->text), "%s", key); /* Cut is good enough. */
}

static bool json_cells(struct spean_caserows *rows, const json_t *from, struct spean_caserow *row)
{
    const char *key;
    json_t *value;
    bool good = true;
    json_object_foreach((json_t *)(uintptr_t)from, key, value)
    {
        struct heading heading;
        key_read(rows, key, &heading);
        if (!good || json_is_null(value) || (heading.column == NULL && is_nothing(value))) {
            continue;
        }
        json_t *const cell = cell_make(value);
        if (cell != NULL) {
            good = value_take(rows, &heading, json_string_value(cell), row);
        } else if (heading.id_rank == 0 && !heading.passed_over) {
            good = left_add(rows, key);
        }
        json_decref(cell);
    }
    return good;
}

/* Take the name of a row; one that cannot be read is not none, or the case would be made again at
 * each import. */
static void json_id(const struct spean_caserows *rows, const json_t *from,
                    struct spean_caserow *row)
{
    const json_t *const value = rows->options.id_column != NULL
                                    ? json_object_get(from, rows->options.id_column)
                                    : spean_casekeys_id(rows->options.format, from);
    if (value == NULL || json_is_null(value)) {
        return;
    }
    json_t *const cell = json_is_array(value) ? NULL : cell_make(value);
    if (cell == NULL) {
        row->error = _("the name of the row is no text and no whole number");
    } else {
        id_take(rows, row, json_string_value(cell));
    }
    json_decref(cell);
}

static enum spean_exit row_json(struct spean_caserows *rows, struct spean_caserow *row, bool *more,
                                struct spean_problem *problem)
{
    const size_t index = (size_t)rows->count;
    const json_t *const from = json_array_get(rows->array, index);
    *more = from != NULL;
    (void)snprintf(row->place, sizeof(row->place), "$[%zu]", index); /* Fits. */
    if (!*more) {
        return SPEAN_EXIT_DONE;
    }
    if (!json_is_object(from)) {
        row->error = _("this is no object");
        return SPEAN_EXIT_DONE;
    }
    json_id(rows, from, row);
    return json_cells(rows, from, row)
               ? SPEAN_EXIT_DONE
               : spean_problem_err(problem, SPEAN_ENOMEM, rows->options.path);
}

enum spean_exit spean_caserows_next(struct spean_caserows *rows, struct spean_caserow *row,
                                    bool *more, struct spean_problem *problem)
{
    assert(rows != NULL);
    assert(row != NULL);
    assert(more != NULL);
    json_decref(rows->cells);
    rows->cells = json_object();
    *row = (struct spean_caserow){.cells = rows->cells};
    if (rows->cells == NULL) {
        return spean_problem_err(problem, SPEAN_ENOMEM, rows->options.path);
    }
    const enum spean_exit exit = rows->array == NULL ? row_csv(rows, row, more, problem)
                                                     : row_json(rows, row, more, problem);
    if (exit == SPEAN_EXIT_DONE && *more && rows->count == SPEAN_CASEROWS_MAX) {
        return spean_problem_usage(problem, _("%s: more than %u rows; make several files of it"),
                                   rows->options.path, SPEAN_CASEROWS_MAX);
    }
    rows->count++;
    return exit;
}
