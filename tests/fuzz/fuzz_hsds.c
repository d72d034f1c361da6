/*
 * JSON of any shape as HSDS: what is read are items with a match and an edit; and an agency that
 * has what an item says, written and read again, asks for nothing.
 */
#include <assert.h>
#include <stdlib.h>

#include <jansson.h>

#include "tests/fuzz/fuzz.h"
#include "tools/hsds.h"
#include "tools/hsdsout.h"

#define LANG "km"

/* The record that the edit of a new agency makes. */
static json_t *record_make(const json_t *edit)
{
    json_t *const fields = json_object();
    (void)json_object_update(fields, json_object_get(edit, "set"));
    (void)json_object_update(fields, json_object_get(edit, "add"));
    return json_pack("{s:s,s:o}", "id", "0123456789abcdef0123456789abcdef", "fields", fields);
}

static void item_try(const json_t *item)
{
    json_t *const edit = json_object_get(item, "edit");
    assert(json_is_string(json_object_get(item, "place")));
    assert(json_is_object(json_object_get(item, "match")));
    assert(json_is_object(edit));
    json_t *const record = record_make(edit);
    json_t *const shown = spean_hsdsout_show(record, LANG);
    assert(shown != NULL);
    assert(spean_hsds_own_id(shown) != NULL);
    struct spean_hsds read;
    const spean_err err = spean_hsds_read(shown, LANG, NULL, NULL, NULL, &read);
    assert(err == SPEAN_OK);
    assert(json_array_size(read.items) == 1);
    json_t *const again = json_object_get(json_array_get(read.items, 0), "edit");
    const spean_err subtracted = spean_hsdsout_subtract(again, record, LANG, NULL);
    assert(subtracted == SPEAN_OK);
    assert(json_object_size(again) == 0);
    spean_hsds_fini(&read);
    json_decref(shown);
    json_decref(record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *const file = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
    struct spean_hsds hsds;
    if (file != NULL && spean_hsds_read(file, LANG, "legal", "KH", NULL, &hsds) == SPEAN_OK) {
        for (size_t i = 0; i < json_array_size(hsds.items); i++) {
            item_try(json_array_get(hsds.items, i));
        }
        spean_hsds_fini(&hsds);
    }
    json_decref(file);
    return 0;
}
