#include "node/case_import.h"

#include <stdio.h>
#include <string.h>

#include "node/case_new.h"
#include "node/import.h"
#include "protocol/change.h"
#include "protocol/codes.h"
#include "protocol/hash.h"
#include "protocol/schema_numbers.h"

#define DOMAIN_SOURCE "spean/case-source/1"

static spean_err refuse(struct spean_json_why *why, spean_err err, const char *text)
{
    (void)snprintf(why->text, sizeof(why->text), "match: %s", text);
    return err;
}

/* Read {"source", "id"} as source, a 0 byte, id. */
static spean_err case_read(struct spean_import_member *member, void *ctx,
                           struct spean_json_why *why)
{
    (void)ctx;
    const json_t *source = json_object_get(member->match, "source");
    const json_t *id = json_object_get(member->match, "id");
    const size_t source_len = json_string_length(source);
    const size_t id_len = json_string_length(id);
    const struct spean_view code = {(const uint8_t *)json_string_value(source), source_len};
    if (!json_is_string(id) || !json_is_string(source) || !spean_codes_valid(code)) {
        return refuse(why, SPEAN_EINPUT,
                      "expected {\"record\": an id or code} or {\"source\": a code, \"id\": its "
                      "name there}");
    }
    if (id_len == 0 || id_len > sizeof(member->name) - SPEAN_CODE_BYTES_MAX - 1) {
        return refuse(why, SPEAN_EINPUT, "the name of a case has 1 to 191 bytes");
    }
    memcpy(member->name, json_string_value(source), source_len);
    member->name[source_len] = '\0';
    memcpy(member->name + source_len + 1, json_string_value(id), id_len);
    member->name_len = source_len + 1 + id_len;
    return SPEAN_OK;
}

/* The record that a source's name for it leads to, which need not be there. */
static void derive(const struct spean_records *at, struct spean_import_member *member)
{
    const struct spean_id *org = spean_core_org(at->view.core);
    struct spean_hash hash;
    spean_hash_begin(&hash, DOMAIN_SOURCE, sizeof(member->random));
    spean_hash_update(&hash, org->bytes, sizeof(org->bytes));
    spean_hash_update(&hash, member->name, member->name_len);
    spean_hash_end(&hash, member->random, sizeof(member->random));
    spean_record_id_derive(&member->record, &spean_authority_ledger(at->view.authority)->id, org,
                           member->random);
}

static spean_err case_find(struct spean_records *at, struct spean_import_member *member, void *ctx,
                           struct spean_json_why *why)
{
    (void)ctx;
    (void)why;
    struct spean_record *held = NULL;
    struct spean_record_info info;
    derive(at, member);
    const spean_err err = spean_record_get(at->view.tx, at->view.keys, &member->record, &held);
    if (err != SPEAN_OK) {
        return err;
    }
    spean_record_get_info(held, &info);
    spean_record_free(held);
    return info.type == SPEAN_TYPE_CASE ? SPEAN_OK : SPEAN_EEXISTS;
}

/* A new case is active unless the file says otherwise, and gets a code as long as this month has
 * any; without one it is named by its id. When it was opened is known to the source alone. */
static spean_err case_complete(struct spean_records *at, struct spean_import_member *member,
                               void *ctx, struct spean_json_why *why)
{
    (void)why;
    char code[SPEAN_CASEID_LEN + 1];
    spean_err err = SPEAN_OK;
    if (!spean_case_edit_gives(member->edit, SPEAN_FIELD_CASE_SHORT_REF)) {
        err = spean_case_code_next(at, ctx, code);
        if (err == SPEAN_OK) {
            err = spean_case_edit_text(member->edit, SPEAN_FIELD_CASE_SHORT_REF, code);
        }
        err = err == SPEAN_ELIMIT ? SPEAN_OK : err;
    }
    if (err == SPEAN_OK && !spean_case_edit_gives(member->edit, SPEAN_FIELD_CASE_STATUS)) {
        err = spean_case_edit_text(member->edit, SPEAN_FIELD_CASE_STATUS, "active");
    }
    return err;
}

void spean_case_import(struct spean_records *at)
{
    struct spean_case_numbers numbers = {.last = {.number = 0}};
    const struct spean_import_kind kind = {
        .type = SPEAN_TYPE_CASE,
        .part = SPEAN_PART_CASE,
        .ctx = &numbers,
        .editable = spean_case_editable,
        .read = case_read,
        .find = case_find,
        .complete = case_complete,
    };
    spean_import(at, &kind);
}
