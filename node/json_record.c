#include "node/json_record.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "node/json_value.h"
#include "node/reply.h"
#include "node/when.h"
#include "protocol/consent.h"
#include "protocol/reader.h"

#define KEY_BYTES    64u
#define SIBLINGS_MAX 256u /* Of a strictest field; above, nobody is trusted with anything. */
#define NAME_SUFFIX  "_name"

bool spean_json_set_org(json_t *object, const char *key, const struct spean_id *org,
                        const struct spean_json_names *names)
{
    char name_key[KEY_BYTES];
    const int len = snprintf(name_key, sizeof(name_key), "%s" NAME_SUFFIX, key);
    assert(len > 0);
    assert((size_t)len < sizeof(name_key)); /* Keys are ours or the schema's. */
    const char *name = names == NULL || names->of == NULL ? NULL : names->of(names->ctx, org);
    /* A name that is no text is not shown; json_string() refuses it. */
    json_t *shown = name == NULL ? json_null() : json_string(name);
    return json_object_set_new(object, key, spean_json_hex(org->bytes, SPEAN_ID_BYTES)) == 0 &&
           json_object_set_new(object, name_key, shown == NULL ? json_null() : shown) == 0;
}

bool spean_json_set_time(json_t *object, const char *key, uint64_t time_s)
{
    char text[SPEAN_WHEN_BYTES];
    json_t *shown =
        spean_when_format(text, time_s) == SPEAN_OK ? json_string(text) : spean_json_u64(time_s);
    return json_object_set_new(object, key, shown) == 0;
}

void spean_json_field_name(char out[SPEAN_JSON_FIELD_BYTES], uint64_t type, uint64_t number,
                           uint64_t kind)
{
    const struct spean_schema_field *field = spean_schema_field(type, number);
    int len = 0;
    if (field == NULL) {
        len = snprintf(out, SPEAN_JSON_FIELD_BYTES, "#%" PRIu64, number);
    } else if ((uint64_t)field->kind == kind) {
        len = snprintf(out, SPEAN_JSON_FIELD_BYTES, "%s", field->name);
    } else {
        /* The same number with another kind is another field (S1). */
        len = snprintf(out, SPEAN_JSON_FIELD_BYTES, "#%" PRIu64 "/%" PRIu64, number, kind);
    }
    assert(len > 0);
    assert((size_t)len < SPEAN_JSON_FIELD_BYTES);
}

/* How a field's values look; NULL: not known. */
static const struct spean_schema_value *value_of(uint64_t type, uint64_t number, uint64_t kind)
{
    const struct spean_schema_field *field = spean_schema_field(type, number);
    return field != NULL && (uint64_t)field->kind == kind ? &field->value : NULL;
}

spean_err spean_json_fixed_show(uint64_t type, struct spean_view fixed,
                                const struct spean_json_names *names, json_t **out)
{
    assert(out != NULL);
    json_t *object = json_object();
    struct spean_reader r;
    spean_reader_init(&r, fixed);
    const uint32_t count = fixed.len == 0 ? 0 : spean_reader_map(&r, SPEAN_CHANGE_FIXED_MAX);
    spean_err err = object == NULL ? SPEAN_ENOMEM : SPEAN_OK;
    for (uint32_t i = 0; i < count && err == SPEAN_OK && !spean_reader_failed(&r); i++) {
        const uint64_t number = spean_reader_uint(&r, UINT64_MAX);
        const struct spean_view value = spean_reader_value(&r, SPEAN_VALUE_BYTES_MAX);
        const struct spean_schema_value *looks = value_of(type, number, SPEAN_KIND_FIXED);
        char name[SPEAN_JSON_FIELD_BYTES];
        spean_json_field_name(name, type, number, SPEAN_KIND_FIXED);
        json_t *shown = NULL;
        err = spean_reader_failed(&r) ? SPEAN_EFORMAT : spean_json_value_show(looks, value, &shown);
        struct spean_reader inner;
        struct spean_id org;
        spean_reader_init(&inner, value);
        if (err == SPEAN_OK && json_object_set_new(object, name, shown) != 0) {
            err = SPEAN_ENOMEM;
        }
        if (err != SPEAN_OK || looks == NULL || looks->type != SPEAN_VALUE_ORG) {
            continue;
        }
        spean_reader_bin_fixed(&inner, org.bytes, SPEAN_ID_BYTES);
        if (spean_reader_end(&inner) == SPEAN_OK &&
            !spean_json_set_org(object, name, &org, names)) {
            err = SPEAN_ENOMEM;
        }
    }
    if (err == SPEAN_OK && fixed.len > 0 && spean_reader_end(&r) != SPEAN_OK) {
        err = SPEAN_EFORMAT;
    }
    if (err != SPEAN_OK) {
        json_decref(object);
        return err;
    }
    *out = object;
    return SPEAN_OK;
}

/* {"by", "by_name", "actor", "at", "name"} of a write, and value under key, which is taken. */
static json_t *show_write(const struct spean_write *write, const char *key, json_t *value,
                          const struct spean_json_names *names)
{
    char name[SPEAN_JSON_ITEM_BYTES];
    spean_json_item_format(name, &write->dot);
    json_t *object = json_object();
    const bool done = json_object_set_new(object, key, value) == 0 &&
                      spean_json_set_org(object, "by", &write->org, names) &&
                      spean_json_set_time(object, "at", write->time) &&
                      json_object_set_new(
                          object, "actor",
                          json_stringn(write->actor.len == 0 ? "" : (const char *)write->actor.data,
                                       write->actor.len)) == 0 &&
                      json_object_set_new(object, "name", json_string(name)) == 0;
    if (!done) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static spean_err show_set(const struct spean_schema_value *looks, const struct spean_field *field,
                          json_t *array)
{
    const size_t count = spean_field_elements_count(field);
    for (size_t i = 0; i < count; i++) {
        struct spean_view element;
        if (!spean_field_get_element(field, i, &element)) {
            continue;
        }
        json_t *shown = NULL;
        const spean_err err = spean_json_value_show(looks, element, &shown);
        if (err != SPEAN_OK) {
            return err;
        }
        if (json_array_append_new(array, shown) != 0) {
            return SPEAN_ENOMEM;
        }
    }
    return SPEAN_OK;
}

static spean_err show_list(const struct spean_schema_value *looks, const struct spean_field *field,
                           const struct spean_json_names *names, json_t *array)
{
    const size_t count = spean_field_writes_count(field);
    for (size_t i = 0; i < count; i++) {
        struct spean_write write;
        spean_field_get_write(field, i, &write);
        json_t *item = NULL;
        const spean_err err = spean_json_value_show(looks, write.value, &item);
        if (err != SPEAN_OK) {
            return err;
        }
        json_t *shown = show_write(&write, "item", item, names);
        if (json_object_set_new(shown, "struck", json_boolean(write.struck)) != 0 ||
            json_array_append_new(array, shown) != 0) {
            return SPEAN_ENOMEM;
        }
    }
    return SPEAN_OK;
}

/* Add to array the elements of each sibling that is an array, each once. */
static spean_err join_union(const struct spean_schema_value *looks, const struct spean_field *field,
                            json_t *array)
{
    const size_t count = spean_field_writes_count(field);
    for (size_t i = 0; i < count; i++) {
        struct spean_write write;
        spean_field_get_write(field, i, &write);
        json_t *shown = NULL;
        const spean_err err = spean_json_value_show(looks, write.value, &shown);
        if (err != SPEAN_OK) {
            return err;
        }
        const size_t elements = json_is_array(shown) ? json_array_size(shown) : 1;
        bool failed = false;
        for (size_t k = 0; k < elements; k++) {
            json_t *element = json_is_array(shown) ? json_array_get(shown, k) : shown;
            bool held = false;
            for (size_t m = 0; m < json_array_size(array) && !held; m++) {
                held = json_equal(json_array_get(array, m), element) == 1;
            }
            failed = failed || (!held && json_array_append(array, element) != 0);
        }
        json_decref(shown);
        if (failed) {
            return SPEAN_ENOMEM;
        }
    }
    return SPEAN_OK;
}

static json_t *join_safe_contact(const struct spean_field *field)
{
    struct spean_view siblings[SIBLINGS_MAX];
    const size_t count = spean_field_writes_count(field);
    struct spean_safe_contact joined = {false, false};
    if (count <= SIBLINGS_MAX) {
        for (size_t i = 0; i < count; i++) {
            struct spean_write write;
            spean_field_get_write(field, i, &write);
            siblings[i] = write.value;
        }
        joined = spean_consent_safe_contact(siblings, count);
    }
    return json_pack("{s:b, s:b}", "safe", joined.is_safe, "may_leave_message",
                     joined.may_leave_message);
}

static spean_err show_strictest(const struct spean_schema_value *looks,
                                const struct spean_field *field, json_t **out)
{
    if (looks != NULL && !looks->array && looks->type == SPEAN_VALUE_MAP) {
        /* The schema has one such map; another would need a rule of its own. */
        assert(strcmp(looks->map->name, "safe_contact") == 0);
        *out = join_safe_contact(field);
        return *out == NULL ? SPEAN_ENOMEM : SPEAN_OK;
    }
    json_t *array = json_array();
    const spean_err err = array == NULL ? SPEAN_ENOMEM : join_union(looks, field, array);
    if (err != SPEAN_OK) {
        json_decref(array);
        return err;
    }
    *out = array;
    return SPEAN_OK;
}

static bool is_nil(struct spean_view value)
{
    struct spean_reader r;
    spean_reader_init(&r, value);
    return spean_reader_peek(&r) == SPEAN_READER_NIL;
}

static spean_err show_several(const struct spean_schema_value *looks,
                              const struct spean_field *field, const struct spean_json_names *names,
                              json_t **out)
{
    json_t *array = json_array();
    spean_err err = array == NULL ? SPEAN_ENOMEM : SPEAN_OK;
    if (err == SPEAN_OK) {
        err = spean_field_kind(field) == SPEAN_KIND_SET ? show_set(looks, field, array)
                                                        : show_list(looks, field, names, array);
    }
    if (err != SPEAN_OK || json_array_size(array) == 0) {
        json_decref(array);
        return err;
    }
    *out = array;
    return SPEAN_OK;
}

spean_err spean_json_field_show(uint64_t type, const struct spean_field *field,
                                const struct spean_json_names *names, json_t **out)
{
    assert(field != NULL);
    assert(out != NULL);
    *out = NULL;
    const uint64_t kind = spean_field_kind(field);
    const struct spean_schema_value *looks = value_of(type, spean_field_number(field), kind);
    if (kind == SPEAN_KIND_SET || kind == SPEAN_KIND_LIST) {
        return show_several(looks, field, names, out);
    }
    if (kind == SPEAN_KIND_STRICTEST) {
        return spean_field_writes_count(field) == 0 ? SPEAN_OK : show_strictest(looks, field, out);
    }
    struct spean_write shown;
    if (!spean_field_get_shown(field, &shown) || is_nil(shown.value)) {
        return SPEAN_OK;
    }
    return spean_json_value_show(looks, shown.value, out);
}

/* Every sibling of a field in conflict, and which of them is shown meanwhile. */
static spean_err show_conflict(uint64_t type, const struct spean_field *field,
                               const struct spean_json_names *names, json_t **out)
{
    const struct spean_schema_value *looks =
        value_of(type, spean_field_number(field), spean_field_kind(field));
    json_t *array = json_array();
    spean_err err = array == NULL ? SPEAN_ENOMEM : SPEAN_OK;
    struct spean_write provisional;
    const bool has_shown = spean_field_get_shown(field, &provisional);
    const size_t count = spean_field_writes_count(field);
    for (size_t i = 0; i < count && err == SPEAN_OK; i++) {
        struct spean_write write;
        spean_field_get_write(field, i, &write);
        json_t *value = NULL;
        err = spean_json_value_show(looks, write.value, &value);
        if (err != SPEAN_OK) {
            break;
        }
        const bool is_shown = has_shown && spean_dot_compare(&write.dot, &provisional.dot) == 0;
        json_t *sibling = show_write(&write, "value", value, names);
        if (json_object_set_new(sibling, "provisional", json_boolean(is_shown)) != 0 ||
            json_array_append_new(array, sibling) != 0) {
            err = SPEAN_ENOMEM;
        }
    }
    if (err != SPEAN_OK) {
        json_decref(array);
        return err;
    }
    *out = array;
    return SPEAN_OK;
}

static const char *verb_name(const struct spean_operation *op)
{
    switch (op->kind) {
    case SPEAN_KIND_SET:
        return op->verb == SPEAN_VERB_ADD ? "add" : "remove";
    case SPEAN_KIND_LIST:
        return op->verb == SPEAN_VERB_APPEND ? "append" : "strike";
    case SPEAN_KIND_VALUE:
        return is_nil(op->value) ? "clear" : "set";
    case SPEAN_KIND_STRICTEST:
    case SPEAN_KIND_ONE_WAY:
        return "set";
    default:
        return "unknown";
    }
}

spean_err spean_json_operation_show(const struct spean_fold_input *input,
                                    const struct spean_operation *op, uint32_t index, json_t **out)
{
    assert(input != NULL);
    assert(op != NULL);
    const uint64_t type = input->change->type;
    struct spean_dot dot;
    char item[SPEAN_JSON_ITEM_BYTES];
    char field[SPEAN_JSON_FIELD_BYTES];
    json_t *value = NULL;
    const bool is_item = spean_fold_item(input, op, index, &dot);
    if (is_item) {
        spean_json_item_format(item, &dot);
    }
    if (is_item && op->verb == SPEAN_VERB_STRIKE) {
        value = json_string(item);
    } else {
        const spean_err err =
            spean_json_value_show(value_of(type, op->field, op->kind), op->value, &value);
        if (err != SPEAN_OK) {
            return err;
        }
    }
    spean_json_field_name(field, type, op->field, op->kind);
    *out = json_pack("{s:s, s:s, s:o, s:s?}", "field", field, "verb", verb_name(op), "value", value,
                     "item", is_item ? item : NULL);
    return *out == NULL ? SPEAN_ENOMEM : SPEAN_OK;
}

/* The member of record with that key, made if it is missing; NULL without memory. */
static json_t *object_at(json_t *record, const char *key)
{
    json_t *object = json_object_get(record, key);
    if (object == NULL && json_object_set_new(record, key, json_object()) == 0) {
        object = json_object_get(record, key);
    }
    return object;
}

spean_err spean_json_part_show(json_t *record, const struct spean_part *part,
                               const struct spean_json_names *names)
{
    assert(json_is_object(record));
    assert(part != NULL);
    struct spean_part_info info;
    spean_part_get_info(part, &info);
    json_t *fields = object_at(record, "fields");
    json_t *conflicts = object_at(record, "conflicts");
    if (fields == NULL || conflicts == NULL) {
        return SPEAN_ENOMEM;
    }
    const size_t count = spean_part_fields_count(part);
    for (size_t i = 0; i < count; i++) {
        const struct spean_field *field = spean_part_field(part, i);
        char name[SPEAN_JSON_FIELD_BYTES];
        spean_json_field_name(name, info.type, spean_field_number(field), spean_field_kind(field));
        json_t *shown = NULL;
        spean_err err = spean_json_field_show(info.type, field, names, &shown);
        if (err == SPEAN_OK && shown != NULL && json_object_set_new(fields, name, shown) != 0) {
            err = SPEAN_ENOMEM;
        }
        json_t *conflict = NULL;
        if (err == SPEAN_OK && spean_field_conflict(field)) {
            err = show_conflict(info.type, field, names, &conflict);
        }
        if (err == SPEAN_OK && conflict != NULL &&
            json_object_set_new(conflicts, name, conflict) != 0) {
            err = SPEAN_ENOMEM;
        }
        if (err != SPEAN_OK) {
            return err;
        }
    }
    const json_int_t unknown = json_integer_value(json_object_get(record, "unknown"));
    const json_int_t more = (json_int_t)spean_part_unknown_count(part);
    return json_object_set_new(record, "unknown", json_integer(unknown + more)) == 0 ? SPEAN_OK
                                                                                     : SPEAN_ENOMEM;
}
