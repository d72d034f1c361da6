/*
 * CSV of any bytes: what is read, written and read again is the same, whatever the pieces in which
 * it arrives; what is refused is refused for good.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tools/csv.h"

/* Read everything and write it again; chunk bytes are fed at a time. */
static spean_err copy(const char *data, size_t len, size_t chunk, FILE *file)
{
    struct spean_csv *csv = NULL;
    struct spean_csv_row row;
    struct spean_csv_why why;
    uint64_t line = 0;
    size_t at = 0;
    spean_err err = spean_csv_new(&csv);
    assert(err == SPEAN_OK);
    spean_csv_write_mark(file); /* A first cell may begin with one of its own. */
    do {
        err = spean_csv_next(csv, &row, &why);
        if (err == SPEAN_EWAIT) {
            const size_t some = chunk < len - at ? chunk : len - at;
            spean_csv_feed(csv, data + at, some);
            at += some;
        } else if (err == SPEAN_OK) {
            assert(row.count > 0);
            assert(row.count <= SPEAN_CSV_CELLS_MAX);
            assert(row.line > line);
            line = row.line;
            spean_csv_write_row(file, row.cells, row.count);
        }
    } while (err == SPEAN_OK || err == SPEAN_EWAIT);
    spean_csv_free(csv);
    return err;
}

/* The copy in memory, which the caller frees. */
static char *copied(const char *data, size_t len, size_t chunk, size_t *out_len, spean_err *err)
{
    char *text = NULL;
    FILE *const file = open_memstream(&text, out_len);
    assert(file != NULL);
    *err = copy(data, len, chunk, file);
    const int closed = fclose(file);
    assert(closed == 0);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    spean_err err[3];
    size_t len[3];
    char *const whole = copied((const char *)data, size, size + 1, &len[0], &err[0]);
    char *const pieces = copied((const char *)data, size, 1, &len[1], &err[1]);
    assert(err[0] == err[1]);
    assert(len[0] == len[1]);
    assert(memcmp(whole, pieces, len[0]) == 0);
    char *const again = copied(whole, len[0], len[0] + 1, &len[2], &err[2]);
    assert(err[2] == SPEAN_ENOTFOUND);
    assert(len[2] == len[0]);
    assert(memcmp(again, whole, len[0]) == 0);
    free(whole);
    free(pieces);
    free(again);
    return 0;
}
