#include "node/export.h"

#include <stdbool.h>

#include "node/json_value.h"
#include "protocol/change.h"
#include "store/entries.h"
#include "store/logs.h"

/* {"name", "entry"} and who and when, all of which may be NULL. */
static json_t *write_make(struct spean_records *at, const struct spean_dot *dot,
                          const struct spean_id *entry, const struct spean_id *org,
                          const uint64_t *time, const struct spean_view *actor)
{
    char name[SPEAN_JSON_ITEM_BYTES];
    spean_json_item_format(name, dot);
    json_t *object = json_object();
    const bool done =
        json_object_set_new(object, "name", json_string(name)) == 0 &&
        json_object_set_new(object, "entry",
                            entry == NULL ? json_null()
                                          : spean_json_hex(entry->bytes, SPEAN_ID_BYTES)) == 0 &&
        (org == NULL ? json_object_set_new(object, "by", json_null()) == 0 &&
                           json_object_set_new(object, "by_name", json_null()) == 0
                     : spean_json_set_org(object, "by", org, &at->names)) &&
        (time == NULL ? json_object_set_new(object, "at", json_null()) == 0
                      : spean_json_set_time(object, "at", *time)) &&
        json_object_set_new(
            object, "actor",
            actor == NULL
                ? json_null()
                : json_stringn(actor->len == 0 ? "" : (const char *)actor->data, actor->len)) == 0;
    if (!done) {
        json_decref(object);
        return NULL;
    }
    return object;
}

/* A member of a set keeps the name of its write alone: the rest stands in the header of its entry;
 * who in the organisation it was is not kept. */
static json_t *element_make(struct spean_records *at, const struct spean_dot *dot)
{
    uint8_t name[SPEAN_SHORT_BYTES];
    spean_u64_put(name, dot->log);
    const struct spean_log *log = spean_authority_log_by_short(at->view.authority, name);
    struct spean_logs_row row;
    struct spean_run_entry entry;
    if (log == NULL || spean_logs_get(at->view.tx, &log->id, &row) != SPEAN_OK ||
        spean_entries_get(at->view.tx, &row, dot->seq, &entry) != SPEAN_OK) {
        return write_make(at, dot, NULL, NULL, NULL, NULL);
    }
    return write_make(at, dot, &entry.id, &row.org, &entry.header.time, NULL);
}

static spean_err append(json_t *array, json_t *made)
{
    return json_array_append_new(array, made) == 0 ? SPEAN_OK : SPEAN_ENOMEM;
}

static spean_err field_add(struct spean_records *at, const struct spean_field *field, json_t *array)
{
    spean_err err = SPEAN_OK;
    for (size_t i = 0; i < spean_field_elements_count(field) && err == SPEAN_OK; i++) {
        struct spean_dot dot;
        if (spean_field_get_element_dot(field, i, &dot)) {
            err = append(array, element_make(at, &dot));
        }
    }
    for (size_t i = 0; i < spean_field_writes_count(field) && err == SPEAN_OK; i++) {
        struct spean_write write;
        spean_field_get_write(field, i, &write);
        err = append(
            array, write_make(at, &write.dot, &write.entry, &write.org, &write.time, &write.actor));
    }
    return err;
}

static spean_err part_add(struct spean_records *at, const struct spean_part *part, json_t *written)
{
    struct spean_part_info info;
    spean_part_get_info(part, &info);
    spean_err err = SPEAN_OK;
    for (size_t i = 0; i < spean_part_fields_count(part) && err == SPEAN_OK; i++) {
        const struct spean_field *field = spean_part_field(part, i);
        char name[SPEAN_JSON_FIELD_BYTES];
        json_t *array = json_array();
        spean_json_field_name(name, info.type, spean_field_number(field), spean_field_kind(field));
        err = array == NULL ? SPEAN_ENOMEM : field_add(at, field, array);
        if (err != SPEAN_OK || json_array_size(array) == 0) {
            json_decref(array);
        } else if (json_object_set_new(written, name, array) != 0) {
            err = SPEAN_ENOMEM;
        }
    }
    return err;
}

spean_err spean_export_record(struct spean_records *at, const struct spean_records_item *item,
                              json_t **out)
{
    json_t *record = NULL;
    spean_err err = spean_records_show(at, item, &record);
    if (err != SPEAN_OK) {
        return err;
    }
    json_t *written = json_object();
    for (size_t i = 0; i < SPEAN_SCHEMA_PARTS_MAX && err == SPEAN_OK && written != NULL; i++) {
        err = item->parts[i] == NULL ? SPEAN_OK : part_add(at, item->parts[i], written);
    }
    if (err == SPEAN_OK && json_object_set(record, "written", written) != 0) {
        err = SPEAN_ENOMEM;
    }
    json_decref(written);
    if (err != SPEAN_OK) {
        json_decref(record);
        return err;
    }
    *out = record;
    return SPEAN_OK;
}
