/* The codes that stand in a record, each with what it means. */
#include <assert.h>
#include <string.h>

#include "node/codebook.h"
#include "protocol/referral.h"
#include "protocol/schema.h"

#define DEPTH_MAX 16u /* A value nests SPEAN_SCHEMA_DEPTH_MAX deep. */

/* An array or map that is being looked through, and how far. */
struct frame {
    json_t *value;
    const struct spean_schema_value *looks;
    size_t index;
    void *iter;
};

/* Put what a code means into codes[list][code], once. */
static spean_err explain(struct spean_records *at, json_t *codes, const char *list,
                         const char *code)
{
    static const char *const kept[] = {"labels", "standing", "in_force", "superseded_by",
                                       "mapped_to"};
    json_t *of_list = json_object_get(codes, list);
    if (of_list == NULL) {
        of_list = json_object();
        if (json_object_set_new(codes, list, of_list) != 0) {
            return SPEAN_ENOMEM;
        }
    }
    if (json_object_get(of_list, code) != NULL) {
        return SPEAN_OK;
    }
    json_t *shown = NULL;
    spean_err err = spean_codebook_show(at, list, code, &shown);
    json_t *meaning = err == SPEAN_OK ? json_object() : NULL;
    for (size_t i = 0; err == SPEAN_OK && i < sizeof(kept) / sizeof(kept[0]); i++) {
        json_t *value = json_object_get(shown, kept[i]);
        if (value != NULL && json_object_set(meaning, kept[i], value) != 0) {
            err = SPEAN_ENOMEM;
        }
    }
    json_decref(shown);
    if (err != SPEAN_OK) {
        json_decref(meaning);
        return err;
    }
    return json_object_set_new(of_list, code, meaning) == 0 ? SPEAN_OK : SPEAN_ENOMEM;
}

/* The list of the reason that stands in a step; NULL: none. */
static const char *reason_list(json_t *step)
{
    const char *code = json_string_value(json_object_get(step, "step"));
    return code == NULL ? NULL
                        : spean_referral_reason_list(spean_referral_step_of(
                              (struct spean_view){(const uint8_t *)code, strlen(code)}));
}

/* Whether a value is text that can be a code: newer programs may put anything in its place. */
static bool is_code(const json_t *value)
{
    return json_is_string(value) &&
           spean_codes_valid((struct spean_view){(const uint8_t *)json_string_value(value),
                                                 json_string_length(value)});
}

/* Step to the next part of a frame; NULL: there is none. *looks NULL: it is not known, or no code
 * is in it; *list is the list of a reason. */
static json_t *part_next(struct frame *top, const struct spean_schema_value **looks,
                         const char **list)
{
    *list = NULL;
    *looks = top->looks;
    if (json_is_array(top->value)) {
        return json_array_get(top->value, top->index++);
    }
    top->iter = top->iter == NULL ? json_object_iter(top->value)
                                  : json_object_iter_next(top->value, top->iter);
    if (top->iter == NULL) {
        return NULL;
    }
    const char *name = json_object_iter_key(top->iter);
    const struct spean_schema_map *map = top->looks->map;
    const struct spean_schema_sub *sub = spean_schema_sub_by_name(map, name);
    *looks = sub == NULL ? NULL : &sub->value;
    if (strcmp(map->name, "step") == 0 && strcmp(name, "reason") == 0) {
        *list = reason_list(top->value);
    }
    return json_object_iter_value(top->iter);
}

static spean_err explain_value(struct spean_records *at, json_t *codes, json_t *value,
                               const struct spean_schema_value *looks)
{
    struct frame stack[DEPTH_MAX];
    size_t depth = 0;
    const char *list = NULL;
    json_t *part = value;
    spean_err err = SPEAN_OK;
    for (;;) {
        const bool inner =
            looks != NULL && depth < DEPTH_MAX &&
            (json_is_array(part) || (json_is_object(part) && looks->type == SPEAN_VALUE_MAP));
        if (inner) {
            stack[depth++] = (struct frame){.value = part, .looks = looks};
        } else if (looks != NULL && looks->type == SPEAN_VALUE_CODE && is_code(part)) {
            list = list == NULL ? looks->codes : list;
            err = list == NULL ? SPEAN_OK : explain(at, codes, list, json_string_value(part));
        }
        do {
            if (err != SPEAN_OK || depth == 0) {
                return err;
            }
            part = part_next(&stack[depth - 1], &looks, &list);
            depth -= part == NULL ? 1 : 0;
        } while (part == NULL);
    }
}

/* One field as it is shown: of a list, each item stands in an object of its own. */
static spean_err explain_field(struct spean_records *at, json_t *codes,
                               const struct spean_schema_field *field, json_t *shown)
{
    if (field->kind != SPEAN_KIND_LIST) {
        return explain_value(at, codes, shown, &field->value);
    }
    size_t index = 0;
    json_t *row = NULL;
    spean_err err = SPEAN_OK;
    json_array_foreach(shown, index, row)
    {
        json_t *item = json_object_get(row, "item");
        if (err == SPEAN_OK && item != NULL) {
            err = explain_value(at, codes, item, &field->value);
        }
    }
    return err;
}

/* Every version of a field in conflict. */
static spean_err explain_conflict(struct spean_records *at, json_t *codes,
                                  const struct spean_schema_field *field, json_t *versions)
{
    size_t index = 0;
    json_t *version = NULL;
    spean_err err = SPEAN_OK;
    json_array_foreach(versions, index, version)
    {
        json_t *value = json_object_get(version, "value");
        if (err == SPEAN_OK && value != NULL) {
            err = explain_value(at, codes, value, &field->value);
        }
    }
    return err;
}

static spean_err explain_fields(struct spean_records *at, json_t *codes, uint64_t type,
                                json_t *fields, bool conflicts)
{
    const char *name = NULL;
    json_t *shown = NULL;
    spean_err err = SPEAN_OK;
    json_object_foreach(fields, name, shown)
    {
        const struct spean_schema_field *field = spean_schema_field_by_name(type, name);
        if (err == SPEAN_OK && field != NULL) {
            err = conflicts ? explain_conflict(at, codes, field, shown)
                            : explain_field(at, codes, field, shown);
        }
    }
    return err;
}

spean_err spean_codebook_explain(struct spean_records *at, json_t *record)
{
    assert(json_is_object(record));
    const char *name = json_string_value(json_object_get(record, "type"));
    const struct spean_schema_type *type = name == NULL ? NULL : spean_schema_type_by_name(name);
    json_t *codes = json_object();
    spean_err err = codes == NULL ? SPEAN_ENOMEM : SPEAN_OK;
    if (err == SPEAN_OK && type != NULL) {
        const uint64_t number = type->number;
        err = explain_fields(at, codes, number, json_object_get(record, "fixed"), false);
        if (err == SPEAN_OK) {
            err = explain_fields(at, codes, number, json_object_get(record, "fields"), false);
        }
        if (err == SPEAN_OK) {
            err = explain_fields(at, codes, number, json_object_get(record, "conflicts"), true);
        }
    }
    if (err != SPEAN_OK) {
        json_decref(codes);
        return err;
    }
    return json_object_set_new(record, "codes", codes) == 0 ? SPEAN_OK : SPEAN_ENOMEM;
}
