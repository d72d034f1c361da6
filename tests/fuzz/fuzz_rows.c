/*
 * Rows of cases of any bytes, as CSV and as JSON: what a row asks for is an edit; a case that has
 * what the row says shows it so that the same row asks for no more; and a shown row asks for
 * nothing at all.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "tests/fuzz/fuzz.h"
#include "tools/csv.h"
#include "tools/htcds.h"

#define LANG       "km"
#define ROWS_MAX   16u
#define DEPTH_FLAG JSON_REJECT_DUPLICATES

/* Apply the parts of an edit that a new record can have to the fields of one. */
static json_t *record_make(const json_t *edit)
{
    json_t *const fields = json_object();
    const char *name;
    json_t *value;
    json_object_foreach(json_object_get(edit, "set"), name, value)
    {
        if (!json_is_null(value)) {
            (void)json_object_set(fields, name, value);
        }
    }
    json_object_foreach(json_object_get(edit, "add"), name, value)
    {
        (void)json_object_set(fields, name, value);
    }
    json_object_foreach(json_object_get(edit, "append"), name, value)
    {
        json_t *const items = json_array();
        for (size_t i = 0; i < json_array_size(value); i++) {
            (void)json_array_append_new(items, json_pack("{s:s,s:b,s:O}", "name", "0-1-0", "struck",
                                                         0, "item", json_array_get(value, i)));
        }
        (void)json_object_set_new(fields, name, items);
    }
    return json_pack("{s:s,s:o}", "id", "00", "fields", fields);
}

static void row_try(const json_t *row)
{
    struct spean_htcds_why why;
    json_t *edit = NULL;
    const spean_err err = spean_htcds_edit(row, NULL, LANG, NULL, &edit, &why);
    if (err != SPEAN_OK) {
        assert(err == SPEAN_EINPUT);
        assert(why.column != NULL);
        assert(why.text[0] != '\0');
        return;
    }
    json_t *const record = record_make(edit);
    json_t *const shown = spean_htcds_show(record, LANG, NULL);
    json_t *again = NULL;
    const spean_err shown_err = spean_htcds_edit(shown, record, LANG, NULL, &again, &why);
    assert(shown_err == SPEAN_OK);
    assert(json_object_size(again) == 0);
    json_decref(again);
    json_decref(shown);
    json_decref(record);
    json_decref(edit);
}

/* A row of JSON as it is, but with texts alone. */
static void json_try(const char *data, size_t size)
{
    json_t *const row = json_loadb(data, size, DEPTH_FLAG, NULL);
    if (json_is_object(row)) {
        row_try(row);
    }
    json_decref(row);
}

static void csv_try(struct spean_csv *csv, const char *data, size_t size)
{
    const char *columns[SPEAN_CSV_CELLS_MAX];
    size_t columns_count = 0;
    struct spean_csv_row row;
    struct spean_csv_why why;
    spean_csv_feed(csv, data, size);
    for (size_t rows = 0; rows < ROWS_MAX && spean_csv_next(csv, &row, &why) == SPEAN_OK; rows++) {
        json_t *const cells = json_object();
        for (size_t i = 0; i < row.count; i++) {
            if (rows == 0) {
                columns[columns_count++] = spean_htcds_column_find(row.cells[i]);
            } else if (i < columns_count && columns[i] != NULL) {
                (void)json_object_set_new(cells, columns[i], json_string(row.cells[i]));
            }
        }
        row_try(cells);
        json_decref(cells);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct spean_csv *csv = NULL;
    if (size == 0) {
        return 0;
    }
    json_try((const char *)data, size);
    if (spean_csv_new(&csv) == SPEAN_OK) {
        csv_try(csv, (const char *)data, size);
    }
    spean_csv_free(csv);
    return 0;
}
