/*
 * Files of cases of any bytes. The first byte chooses the format, what is said of the headers and
 * whether a column is named as the id; the rest is the file. It is refused with a message, or every
 * row has a place, a name that is whole, and texts alone as cells, of which an edit can be made or
 * not. Reading it a second time gives the same rows.
 */
#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "tests/fuzz/fuzz.h"
#include "tools/caserows.h"
#include "tools/htcds.h"

#define LANG     "km"
#define ROWS_MAX 64u

static char path[] = "/tmp/spean-fuzz-rows-XXXXXX";
static int file = -1;

static void file_remove(void)
{
    (void)unlink(path); /* At the end of the process. */
}

static void file_write(const uint8_t *data, size_t size)
{
    if (file < 0) {
        file = mkstemp(path);
        assert(file >= 0);
        const int failed = atexit(file_remove);
        assert(failed == 0);
    }
    const int cut = ftruncate(file, 0);
    assert(cut == 0);
    const ssize_t wrote = pwrite(file, data, size, 0);
    assert(wrote == (ssize_t)size);
}

static void row_check(const struct spean_caserow *row)
{
    const char *column;
    json_t *cell;
    assert(row->place[0] != '\0');
    assert(memchr(row->id, '\0', sizeof(row->id)) != NULL);
    json_object_foreach(row->cells, column, cell)
    {
        assert(json_is_string(cell));
        assert(spean_htcds_column_find(column) != NULL);
    }
    struct spean_htcds_why why;
    json_t *edit = NULL;
    const spean_err err = spean_htcds_edit(row->cells, NULL, LANG, NULL, &edit, &why);
    assert(err == SPEAN_OK || err == SPEAN_EINPUT);
    json_decref(edit);
}

/* Read the rows as an array of [place, id, cells]; NULL: refused. */
static json_t *rows_read(const struct spean_caserows_options *options)
{
    struct spean_caserows *rows = NULL;
    struct spean_problem problem = {.exit = SPEAN_EXIT_DONE};
    enum spean_exit exit = spean_caserows_open(options, &rows, &problem);
    json_t *const all = json_array();
    bool more = exit == SPEAN_EXIT_DONE;
    for (size_t i = 0; more && i < ROWS_MAX; i++) {
        struct spean_caserow row;
        exit = spean_caserows_next(rows, &row, &more, &problem);
        more = more && exit == SPEAN_EXIT_DONE;
        if (more) {
            row_check(&row);
            (void)json_array_append_new(
                all, json_pack("[s,s,O]", row.place, row.id, row.cells)); /* json_equal() tells. */
        }
    }
    assert(exit == SPEAN_EXIT_DONE || exit == SPEAN_EXIT_USAGE);
    assert((exit == SPEAN_EXIT_DONE) == (problem.message[0] == '\0'));
    spean_caserows_free(rows);
    if (exit != SPEAN_EXIT_DONE) {
        json_decref(all);
        return NULL;
    }
    return all;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    const struct spean_caserows_options options = {
        .path = path,
        .format = (enum spean_caserows_format)(data[0] % 4),
        .header = (enum spean_caserows_header)(data[0] / 4 % 3),
        .id_column = data[0] / 12 % 2 == 1 ? "id" : NULL,
    };
    file_write(data + 1, size - 1);
    json_t *const once = rows_read(&options);
    json_t *const again = rows_read(&options);
    assert((once == NULL) == (again == NULL));
    assert(once == NULL || json_equal(once, again));
    json_decref(once);
    json_decref(again);
    return 0;
}
