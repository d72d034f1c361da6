#include "node/agency_import.h"

#include <stdio.h>
#include <string.h>

#include "node/import.h"
#include "protocol/codes.h"
#include "protocol/schema.h"
#include "protocol/schema_numbers.h"

#define LANG_DEFAULT "und" /* Nobody said in which language. */

/* Read {"scheme", "value"} into the name that the identifier is looked up by. */
static spean_err agency_read(struct spean_import_member *member, void *ctx,
                             struct spean_json_why *why)
{
    (void)ctx;
    const json_t *scheme = json_object_get(member->match, "scheme");
    const json_t *value = json_object_get(member->match, "value");
    const size_t scheme_len = json_string_length(scheme);
    const size_t value_len = json_string_length(value);
    const struct spean_view code = {(const uint8_t *)json_string_value(scheme), scheme_len};
    if (member->match == NULL) {
        return SPEAN_OK;
    }
    if (!json_is_string(scheme) || !json_is_string(value) || !spean_codes_valid(code) ||
        value_len == 0 || value_len > SPEAN_IMPORT_NAME_BYTES - SPEAN_CODE_BYTES_MAX - 1) {
        (void)snprintf(why->text, sizeof(why->text),
                       "match: expected {\"scheme\": a code, "
                       "\"value\": the number there}");
        return SPEAN_EINPUT;
    }
    memcpy(member->name, json_string_value(scheme), scheme_len);
    member->name[scheme_len] = '\0';
    memcpy(member->name + scheme_len + 1, json_string_value(value), value_len);
    member->name_len = scheme_len + 1 + value_len;
    return SPEAN_OK;
}

/* Two nodes may have imported the same agency at once: the lower id counts, for everybody. */
static spean_err agency_find(struct spean_records *at, struct spean_import_member *member,
                             void *ctx, struct spean_json_why *why)
{
    (void)ctx;
    (void)why;
    const struct spean_view name = {(const uint8_t *)member->name, member->name_len};
    return spean_record_lookup(at->view.tx, at->view.keys, SPEAN_LOOKUP_IDENTIFIER, name, NULL,
                               &member->record);
}

/* A new agency is found again by its identifier, so it must have it. */
static spean_err agency_complete(struct spean_records *at, struct spean_import_member *member,
                                 void *ctx, struct spean_json_why *why)
{
    (void)at;
    (void)ctx;
    if (member->name_len == 0) {
        return SPEAN_OK;
    }
    const struct spean_edit_subject subject = {
        .type = SPEAN_TYPE_AGENCY,
        .roles = SPEAN_ROLE_OWNER | SPEAN_ROLE_MEMBER,
        .import_lang = LANG_DEFAULT,
    };
    const size_t scheme_len = strlen(member->name);
    for (uint32_t i = 0; i < spean_edit_count(member->edit); i++) {
        const struct spean_edit_operation *operation = spean_edit_at(member->edit, i);
        json_t *shown = NULL;
        if (operation->field->number != SPEAN_FIELD_AGENCY_IDENTIFIERS ||
            spean_json_value_show(&operation->field->value, operation->value, &shown) != SPEAN_OK) {
            continue;
        }
        const char *scheme = json_string_value(json_object_get(shown, "scheme"));
        const char *value = json_string_value(json_object_get(shown, "value"));
        const bool same = scheme != NULL && value != NULL && strcmp(scheme, member->name) == 0 &&
                          strlen(value) == member->name_len - scheme_len - 1 &&
                          memcmp(value, member->name + scheme_len + 1, strlen(value)) == 0;
        json_decref(shown);
        if (same) {
            return SPEAN_OK;
        }
    }
    json_t *edit = json_pack("{s:{s:[{s:O, s:O}]}}", "add", "identifiers", "scheme",
                             json_object_get(member->match, "scheme"), "value",
                             json_object_get(member->match, "value"));
    const spean_err err =
        edit == NULL ? SPEAN_ENOMEM : spean_edit_read(member->edit, &subject, edit, why);
    json_decref(edit);
    return err;
}

bool spean_agency_editable(const struct spean_schema_field *field)
{
    return field->number != SPEAN_FIELD_AGENCY_ENDPOINTS;
}

void spean_agency_import(struct spean_records *at)
{
    const struct spean_import_kind kind = {
        .type = SPEAN_TYPE_AGENCY,
        .part = SPEAN_PART_PUBLIC,
        .read = agency_read,
        .find = agency_find,
        .complete = agency_complete,
        .editable = spean_agency_editable,
    };
    spean_import(at, &kind);
}
