#include "tests/unit/tools/schemakit.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/codes.h"
#include "protocol/limits.h"

#define STACK_MAX 1024u

/* A value that is still to be looked at. */
struct pending {
    const struct spean_schema_value *type;
    json_t *value;
    bool element; /* Of an array: the array itself was seen. */
};

struct work {
    struct pending stack[STACK_MAX];
    size_t count;
};

static void push(struct work *work, const struct spean_schema_value *type, json_t *value,
                 bool element)
{
    assert_true(work->count < STACK_MAX);
    work->stack[work->count++] = (struct pending){type, value, element};
}

static bool is_word(json_t *value, const char *chars, size_t len_min, size_t len_max)
{
    const char *const text = json_string_value(value);
    return text != NULL && strlen(text) >= len_min && strlen(text) <= len_max &&
           strspn(text, chars) == strlen(text);
}

static bool is_str(json_t *value, size_t bytes_max)
{
    return json_is_string(value) && json_string_length(value) > 0 &&
           json_string_length(value) <= bytes_max;
}

static bool fits_text(json_t *value)
{
    const char *lang;
    json_t *text;
    bool good = json_object_size(value) > 0;
    json_object_foreach(value, lang, text)
    {
        good = good && is_str(text, SPEAN_VALUE_BYTES_MAX) && strlen(lang) >= 2;
    }
    return good;
}

static bool fits_code(const struct spean_schema_value *type, json_t *value)
{
    const char *const text = json_string_value(value);
    if (text == NULL) {
        return false;
    }
    const struct spean_view view = {(const uint8_t *)text, strlen(text)};
    return spean_codes_valid(view) &&
           (type->codes == NULL || strcmp(type->codes, "identifier_scheme") == 0 ||
            spean_codes_find(type->codes, view) != NULL);
}

static bool fits_money(json_t *value)
{
    return json_object_size(value) == 3 && json_is_integer(json_object_get(value, "amount")) &&
           is_word(json_object_get(value, "currency"), "ABCDEFGHIJKLMNOPQRSTUVWXYZ", 3, 3) &&
           json_is_boolean(json_object_get(value, "exact"));
}

static bool fits_place(json_t *value)
{
    return json_object_size(value) == 3 && json_is_string(json_object_get(value, "country")) &&
           json_is_string(json_object_get(value, "code")) &&
           json_is_string(json_object_get(value, "name")) &&
           json_string_length(json_object_get(value, "name")) <= 256;
}

static bool fits_scalar(const struct spean_schema_value *type, json_t *value)
{
    switch (type->type) {
    case SPEAN_VALUE_BOOL:
        return json_is_boolean(value);
    case SPEAN_VALUE_UINT:
        return json_is_integer(value) && json_integer_value(value) >= 0;
    case SPEAN_VALUE_STR:
        return is_str(value, type->bytes_max);
    case SPEAN_VALUE_CODE:
        return fits_code(type, value);
    case SPEAN_VALUE_LANG:
        return is_str(value, 35);
    case SPEAN_VALUE_COUNTRY:
        return is_word(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZ", 2, 2);
    case SPEAN_VALUE_TEXT:
        return fits_text(value);
    case SPEAN_VALUE_MONEY:
        return fits_money(value);
    case SPEAN_VALUE_DATE:
        return is_word(value, "0123456789-", 4, 10);
    case SPEAN_VALUE_PLACE:
        return fits_place(value);
    case SPEAN_VALUE_ORG:
    case SPEAN_VALUE_BIN32:
        return is_word(value, "0123456789abcdef", 64, 64);
    case SPEAN_VALUE_RECORD:
        return is_word(value, "0123456789abcdef", 32, 32);
    case SPEAN_VALUE_BYTES:
    case SPEAN_VALUE_ITEM:
    case SPEAN_VALUE_TIME:
    case SPEAN_VALUE_MAP:
    case SPEAN_VALUE_TYPES_COUNT:
        break;
    }
    return false; /* Nothing that we ship has one. */
}

/* Look at one value; put the parts of maps and arrays on the stack. */
static bool step(struct work *work, const struct pending *at)
{
    if (at->type->array && !at->element) {
        for (size_t i = 0; i < json_array_size(at->value); i++) {
            push(work, at->type, json_array_get(at->value, i), true);
        }
        return json_is_array(at->value);
    }
    if (at->type->type != SPEAN_VALUE_MAP) {
        return fits_scalar(at->type, at->value);
    }
    const char *name;
    json_t *part;
    json_object_foreach(at->value, name, part)
    {
        const struct spean_schema_sub *const sub = spean_schema_sub_by_name(at->type->map, name);
        if (sub == NULL) {
            return false;
        }
        push(work, &sub->value, part, false);
    }
    return json_object_size(at->value) > 0;
}

void assert_value_fits(const struct spean_schema_value *type, json_t *value, const char *what)
{
    struct work work = {.count = 0};
    push(&work, type, value, false);
    while (work.count > 0) {
        const struct pending at = work.stack[--work.count];
        if (!step(&work, &at)) {
            char *const text = json_dumps(at.value, JSON_COMPACT | JSON_ENCODE_ANY);
            fail_msg("%s: %s is no value of type %d", what, text == NULL ? "?" : text,
                     (int)at.type->type);
        }
    }
}

static void assert_field_fits(enum spean_record_type type, const char *part, const char *name,
                              json_t *value)
{
    const struct spean_schema_field *const field = spean_schema_field_by_name(type, name);
    if (field == NULL) {
        fail_msg("%s is no field", name);
        return;
    }
    const bool members = strcmp(part, "add") == 0 || strcmp(part, "append") == 0;
    const enum spean_kind wanted = strcmp(part, "add") == 0      ? SPEAN_KIND_SET
                                   : strcmp(part, "append") == 0 ? SPEAN_KIND_LIST
                                   : strcmp(part, "fixed") == 0  ? SPEAN_KIND_FIXED
                                                                 : SPEAN_KIND_VALUE;
    const bool kind_fits = field->kind == wanted ||
                           (wanted == SPEAN_KIND_VALUE && field->kind == SPEAN_KIND_STRICTEST);
    if (!kind_fits) {
        fail_msg("%s stands under %s", name, part);
    }
    if (!members) {
        assert_value_fits(&field->value, value, name);
        return;
    }
    assert_true(json_array_size(value) > 0);
    for (size_t i = 0; i < json_array_size(value); i++) {
        assert_value_fits(&field->value, json_array_get(value, i), name);
    }
}

void assert_edit_fits(enum spean_record_type type, json_t *edit)
{
    const char *part;
    const char *name;
    json_t *fields;
    json_t *value;
    assert_true(json_object_size(edit) > 0);
    json_object_foreach(edit, part, fields)
    {
        json_object_foreach(fields, name, value)
        {
            assert_field_fits(type, part, name, value);
        }
    }
}
