#include "node/referral_case.h"

#include <string.h>

#include "node/json_record.h"
#include "protocol/schema_numbers.h"

bool spean_referral_section_chosen(const json_t *sections, const struct spean_schema_field *field)
{
    for (size_t i = 0; field->section != NULL && i < json_array_size(sections); i++) {
        const char *code = json_string_value(json_array_get(sections, i));
        if (code != NULL && strcmp(code, field->section) == 0) {
            return true;
        }
    }
    return false;
}

/* What everybody asked sees of a case. */
static const struct {
    uint64_t of_case;
    uint64_t of_preview;
} previewed[] = {
    {SPEAN_FIELD_CASE_AGE_BAND, SPEAN_FIELD_REFERRAL_AGE_BAND},
    {SPEAN_FIELD_CASE_LOCATION_SIDE, SPEAN_FIELD_REFERRAL_LOCATION_SIDE},
    {SPEAN_FIELD_CASE_RISK_LEVEL, SPEAN_FIELD_REFERRAL_RISK_LEVEL},
    {SPEAN_FIELD_CASE_SAFE_CONTACT, SPEAN_FIELD_REFERRAL_SAFE_CONTACT},
    {SPEAN_FIELD_CASE_WITHHOLD_FROM, SPEAN_FIELD_REFERRAL_WITHHOLD_FROM},
};

#define PREVIEWED_COUNT (sizeof(previewed) / sizeof(previewed[0]))

uint64_t spean_referral_preview_field(uint64_t case_field)
{
    for (size_t i = 0; i < PREVIEWED_COUNT; i++) {
        if (previewed[i].of_case == case_field) {
            return previewed[i].of_preview;
        }
    }
    return 0;
}

/* The field of a case that a field of a referral's preview or payload shows; 0: none. */
static uint64_t case_field(const struct spean_schema_field *of_referral)
{
    for (size_t i = 0; i < PREVIEWED_COUNT; i++) {
        if (previewed[i].of_preview == of_referral->number) {
            return previewed[i].of_case;
        }
    }
    if (of_referral->part != SPEAN_PART_PAYLOAD ||
        of_referral->number <= SPEAN_FIELD_SHARED_OFFSET) {
        return 0;
    }
    const uint64_t number = of_referral->number - SPEAN_FIELD_SHARED_OFFSET;
    const struct spean_schema_field *field = spean_schema_field(SPEAN_TYPE_CASE, number);
    return field == NULL || field->section == NULL ? 0 : number;
}

const char *spean_referral_section_of(const struct spean_schema_field *of_referral)
{
    const uint64_t number = case_field(of_referral);
    return number == 0 ? NULL : spean_schema_field(SPEAN_TYPE_CASE, number)->section;
}

/* Add one value, unless this program does not understand it. */
static spean_err copy_value(struct spean_edit *edit, const struct spean_schema_field *to,
                            enum spean_verb verb, struct spean_view value)
{
    const uint8_t nil = 0xc0;
    const bool cleared = value.len == 1 && value.data[0] == nil;
    if (cleared || spean_schema_check_value(to, value) != SPEAN_OK) {
        return SPEAN_OK;
    }
    return spean_edit_add(edit, to, verb, value);
}

static spean_err copy_set(struct spean_edit *edit, const struct spean_schema_field *to,
                          const struct spean_field *from)
{
    const size_t count = spean_field_elements_count(from);
    for (size_t i = 0; i < count; i++) {
        struct spean_view element;
        const spean_err err = spean_field_get_element(from, i, &element)
                                  ? copy_value(edit, to, SPEAN_VERB_ADD, element)
                                  : SPEAN_OK;
        if (err != SPEAN_OK) {
            return err;
        }
    }
    return SPEAN_OK;
}

static spean_err copy_list(struct spean_edit *edit, const struct spean_schema_field *to,
                           const struct spean_field *from)
{
    const size_t count = spean_field_writes_count(from);
    for (size_t i = 0; i < count; i++) {
        struct spean_write write;
        spean_field_get_write(from, i, &write);
        const spean_err err =
            write.struck ? SPEAN_OK : copy_value(edit, to, SPEAN_VERB_APPEND, write.value);
        if (err != SPEAN_OK) {
            return err;
        }
    }
    return SPEAN_OK;
}

/* A field of a record of one type, that is to be copied into one of another type. */
struct source {
    uint64_t type;
    uint64_t into; /* The other type. */
    const struct spean_field *field;
};

/* The join of all siblings, as one value: what is acted on. */
static spean_err copy_join(struct spean_edit *edit, const struct spean_schema_field *to,
                           const struct source *from)
{
    struct spean_json_why why;
    json_t *joined = NULL;
    spean_err err = spean_json_field_show(from->type, from->field, NULL, &joined);
    if (err == SPEAN_OK && joined != NULL) {
        err = spean_edit_add_json(edit, from->into, to->number, SPEAN_VERB_WRITE, joined, &why);
    }
    json_decref(joined);
    return err;
}

static spean_err copy_field(struct spean_edit *edit, const struct spean_schema_field *to,
                            const struct source *from)
{
    struct spean_write write;
    switch (to->kind) {
    case SPEAN_KIND_SET:
        return copy_set(edit, to, from->field);
    case SPEAN_KIND_LIST:
        return copy_list(edit, to, from->field);
    case SPEAN_KIND_STRICTEST:
        return copy_join(edit, to, from);
    case SPEAN_KIND_VALUE:
        return spean_field_get_shown(from->field, &write)
                   ? copy_value(edit, to, SPEAN_VERB_WRITE, write.value)
                   : SPEAN_OK;
    case SPEAN_KIND_FIXED:
    case SPEAN_KIND_ONE_WAY:
        break;
    }
    return SPEAN_OK; /* No field of a case that may be shared is of these. */
}

spean_err spean_referral_copy_case(const struct spean_records_item *item, const json_t *sections,
                                   struct spean_edit *edit)
{
    const struct spean_part *part = item->parts[SPEAN_PART_CASE];
    const size_t count = part == NULL ? 0 : spean_part_fields_count(part);
    for (size_t i = 0; i < count; i++) {
        const struct spean_field *from = spean_part_field(part, i);
        const struct spean_schema_field *known =
            spean_schema_field(SPEAN_TYPE_CASE, spean_field_number(from));
        if (known == NULL || (uint64_t)known->kind != spean_field_kind(from)) {
            continue; /* A newer program's: nobody has said that it may be shared. */
        }
        uint64_t to = spean_referral_preview_field(known->number);
        if (to == 0 && spean_referral_section_chosen(sections, known)) {
            to = known->number + SPEAN_FIELD_SHARED_OFFSET;
        }
        const struct spean_schema_field *into =
            to == 0 ? NULL : spean_schema_field(SPEAN_TYPE_REFERRAL, to);
        const struct source source = {SPEAN_TYPE_CASE, SPEAN_TYPE_REFERRAL, from};
        const spean_err err = into == NULL ? SPEAN_OK : copy_field(edit, into, &source);
        if (err != SPEAN_OK) {
            return err;
        }
    }
    return SPEAN_OK;
}

/* Whether a field has a value that is shown. */
static bool says_something(const struct spean_field *field)
{
    json_t *shown = NULL;
    const bool says = spean_json_field_show(SPEAN_TYPE_CASE, field, NULL, &shown) == SPEAN_OK &&
                      shown != NULL && !json_is_null(shown) &&
                      !(json_is_array(shown) && json_array_size(shown) == 0);
    json_decref(shown);
    return says;
}

json_t *spean_referral_said_by_case(const struct spean_records_item *item)
{
    const struct spean_part *part = item->parts[SPEAN_PART_CASE];
    const size_t count = part == NULL ? 0 : spean_part_fields_count(part);
    json_t *numbers = json_array();
    for (size_t i = 0; i < count && numbers != NULL; i++) {
        const struct spean_field *field = spean_part_field(part, i);
        const struct spean_schema_field *known =
            spean_schema_field(SPEAN_TYPE_CASE, spean_field_number(field));
        const uint64_t preview =
            known == NULL ? 0 : spean_referral_preview_field(spean_field_number(field));
        const bool shared = preview != 0 || (known != NULL && known->section != NULL);
        const uint64_t number =
            preview != 0 ? preview : spean_field_number(field) + SPEAN_FIELD_SHARED_OFFSET;
        if (shared && says_something(field) &&
            json_array_append_new(numbers, json_integer((json_int_t)number)) != 0) {
            json_decref(numbers);
            numbers = NULL;
        }
    }
    return numbers;
}

/* The field that a field of a referral is copied into; 0: it is not. */
typedef uint64_t into_field(const struct spean_schema_field *of_referral);

static spean_err copy_part(const struct spean_part *part, uint64_t into_type, into_field *into,
                           struct spean_edit *edit)
{
    const size_t count = part == NULL ? 0 : spean_part_fields_count(part);
    for (size_t i = 0; i < count; i++) {
        const struct source from = {SPEAN_TYPE_REFERRAL, into_type, spean_part_field(part, i)};
        const struct spean_schema_field *known =
            spean_schema_field(SPEAN_TYPE_REFERRAL, spean_field_number(from.field));
        const uint64_t to = known == NULL || (uint64_t)known->kind != spean_field_kind(from.field)
                                ? 0
                                : into(known);
        const spean_err err =
            to == 0 ? SPEAN_OK : copy_field(edit, spean_schema_field(into_type, to), &from);
        if (err != SPEAN_OK) {
            return err;
        }
    }
    return SPEAN_OK;
}

static spean_err copy_parts(const struct spean_records_item *item, uint64_t into_type,
                            into_field *into, struct spean_edit *edit)
{
    const spean_err err = copy_part(item->parts[SPEAN_PART_PREVIEW], into_type, into, edit);
    return err == SPEAN_OK ? copy_part(item->parts[SPEAN_PART_PAYLOAD], into_type, into, edit)
                           : err;
}

spean_err spean_referral_copy_back(const struct spean_records_item *item, struct spean_edit *edit)
{
    return copy_parts(item, SPEAN_TYPE_CASE, case_field, edit);
}

/* What is about the person; what is asked of whom the sender says anew. */
static uint64_t person_field(const struct spean_schema_field *of_referral)
{
    const bool shared = case_field(of_referral) != 0;
    const bool preview = of_referral->part == SPEAN_PART_PREVIEW &&
                         of_referral->number != SPEAN_FIELD_REFERRAL_SERVICES_REQUESTED;
    return shared || preview ? of_referral->number : 0;
}

spean_err spean_referral_copy_on(const struct spean_records_item *item, struct spean_edit *edit)
{
    return copy_parts(item, SPEAN_TYPE_REFERRAL, person_field, edit);
}

spean_err spean_referral_copy_same(const struct spean_records_item *item, uint64_t number,
                                   struct spean_edit *edit)
{
    const struct spean_schema_field *field = spean_schema_field(SPEAN_TYPE_REFERRAL, number);
    const struct spean_part *part = item->parts[field->part];
    const struct source from = {
        SPEAN_TYPE_REFERRAL, SPEAN_TYPE_REFERRAL,
        part == NULL ? NULL : spean_part_find(part, number, (uint64_t)field->kind)};
    return from.field == NULL ? SPEAN_OK : copy_field(edit, field, &from);
}
