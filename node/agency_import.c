#include "node/agency_import.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/json_value.h"
#include "protocol/codes.h"
#include "protocol/schema.h"
#include "protocol/schema_numbers.h"

#define BATCH_ITEMS_MAX 32u    /* Edits in one commit; each is at most five changes. */
#define BATCH_BYTES_MAX 65536u /* Of their values; a commit holds twice that. */
#define NAME_BYTES_MAX  256u   /* Scheme, 0 and value of an identifier. */
#define LANG_DEFAULT    "und"  /* Nobody said in which language. */
#define OPERATION_BYTES 64u    /* Of an operation, around its value. */

/* An item that is ready to be written. */
struct member {
    struct spean_edit *edit;
    json_t *result; /* Borrowed: the array of results owns it. */
    char name[NAME_BYTES_MAX];
    size_t name_len;
    bool is_new;
    struct spean_record_id record;
    uint8_t random[SPEAN_CHANGE_RANDOM_BYTES];
};

struct import {
    struct spean_records *at;
    const char *lang;
    json_t *results;
    struct member members[BATCH_ITEMS_MAX];
    uint32_t count;
    size_t bytes;
};

/* -- Results --------------------------------------------------------------------------------- */

static bool set_result(json_t *result, const char *what, const struct spean_record_id *record)
{
    json_t *id =
        record == NULL ? json_null() : spean_json_hex(record->bytes, SPEAN_RECORD_ID_BYTES);
    return json_object_set_new(result, "result", json_string(what)) == 0 &&
           json_object_set_new(result, "id", id) == 0;
}

static bool set_failed(json_t *result, spean_err err, const char *message)
{
    json_t *error =
        json_pack("{s:s, s:s}", "code", spean_err_name(err), "message",
                  message != NULL && message[0] != '\0' ? message : spean_err_text(err));
    return set_result(result, "failed", NULL) && json_object_set_new(result, "error", error) == 0;
}

/* -- Writing what was gathered --------------------------------------------------------------- */

static spean_err put_member(struct spean_draft *draft, struct member *member)
{
    spean_err err = SPEAN_OK;
    if (member->is_new) {
        err = spean_draft_create(draft, SPEAN_TYPE_AGENCY, member->random,
                                 (struct spean_view){NULL, 0}, &member->record, NULL);
    }
    if (err == SPEAN_OK) {
        err = spean_edit_draft(member->edit, draft, &member->record, SPEAN_TYPE_AGENCY,
                               SPEAN_PART_PUBLIC, member->is_new);
    }
    return err;
}

/* Write count members in one commit. */
static spean_err write_members(struct import *import, struct member *members, uint32_t count)
{
    struct spean_draft *draft = NULL;
    struct spean_records *at = import->at;
    uint32_t item = 0;
    spean_err err = spean_draft_new(at->view.authority, spean_core_own_log(at->view.core), &draft);
    for (uint32_t i = 0; i < count && err == SPEAN_OK; i++) {
        err = put_member(draft, &members[i]);
    }
    if (err == SPEAN_OK) {
        err = spean_records_try_commit(at, draft, &item);
    }
    spean_draft_free(draft);
    return err;
}

static bool report(struct member *member, spean_err err)
{
    if (err != SPEAN_OK) {
        return set_failed(member->result, err, NULL);
    }
    return set_result(member->result, member->is_new ? "created" : "changed", &member->record);
}

/* Write the batch; if it fails as a whole, each of its items by itself. */
static spean_err flush(struct import *import)
{
    bool kept = true;
    const spean_err err =
        import->count == 0 ? SPEAN_OK : write_members(import, import->members, import->count);
    for (uint32_t i = 0; i < import->count; i++) {
        struct member *member = &import->members[i];
        const bool again = err != SPEAN_OK && import->count > 1;
        kept = report(member, again ? write_members(import, member, 1) : err) && kept;
        spean_edit_free(member->edit);
    }
    import->count = 0;
    import->bytes = 0;
    return kept ? SPEAN_OK : SPEAN_ENOMEM;
}

/* -- One item -------------------------------------------------------------------------------- */

/* Read {"scheme", "value"} into the name that the identifier is looked up by. */
static bool read_match(const json_t *match, struct member *member, struct spean_json_why *why)
{
    const json_t *scheme = json_object_get(match, "scheme");
    const json_t *value = json_object_get(match, "value");
    const size_t scheme_len = json_string_length(scheme);
    const size_t value_len = json_string_length(value);
    const struct spean_view code = {(const uint8_t *)json_string_value(scheme), scheme_len};
    if (!json_is_string(scheme) || !json_is_string(value) || !spean_codes_valid(code) ||
        value_len == 0 || value_len > NAME_BYTES_MAX - SPEAN_CODE_BYTES_MAX - 1) {
        (void)snprintf(why->text, sizeof(why->text),
                       "match: expected {\"scheme\": a code, "
                       "\"value\": the number there}");
        return false;
    }
    memcpy(member->name, json_string_value(scheme), scheme_len);
    member->name[scheme_len] = '\0';
    memcpy(member->name + scheme_len + 1, json_string_value(value), value_len);
    member->name_len = scheme_len + 1 + value_len;
    return true;
}

static bool is_pending(const struct import *import, const struct member *member)
{
    for (uint32_t i = 0; i < import->count; i++) {
        const struct member *other = &import->members[i];
        if (other->name_len == member->name_len &&
            memcmp(other->name, member->name, member->name_len) == 0) {
            return true;
        }
    }
    return false;
}

/* A new agency is found again by its identifier, so it must have it. */
static spean_err add_identifier(struct member *member, json_t *match, struct spean_json_why *why)
{
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
    json_t *edit =
        json_pack("{s:{s:[{s:O, s:O}]}}", "add", "identifiers", "scheme",
                  json_object_get(match, "scheme"), "value", json_object_get(match, "value"));
    const spean_err err =
        edit == NULL ? SPEAN_ENOMEM : spean_edit_read(member->edit, &subject, edit, why);
    json_decref(edit);
    return err;
}

/* Compare what the item says with what is there. */
static spean_err read_edit(struct import *import, struct member *member, json_t *item,
                           struct spean_json_why *why)
{
    const struct spean_view name = {(const uint8_t *)member->name, member->name_len};
    json_t *edit = json_object_get(item, "edit");
    struct spean_records_item there = {.record = NULL};
    struct spean_edit_subject subject = {
        .type = SPEAN_TYPE_AGENCY,
        .roles = SPEAN_ROLE_OWNER | SPEAN_ROLE_MEMBER,
    };
    /* Two nodes may have imported the same agency at once: the lower id counts, for everybody. */
    spean_err err = member->name_len == 0
                        ? SPEAN_ENOTFOUND
                        : spean_record_lookup(import->at->view.tx, import->at->view.keys,
                                              SPEAN_LOOKUP_IDENTIFIER, name, NULL, &member->record);
    member->is_new = err == SPEAN_ENOTFOUND;
    if (err == SPEAN_OK) {
        err = spean_records_load(import->at, &member->record, &there);
        if (err == SPEAN_OK) {
            subject = spean_records_subject(import->at, &there);
        }
    } else if (member->is_new) {
        spean_records_random(member->random);
        err = SPEAN_OK;
    }
    subject.import_lang = import->lang;
    if (err == SPEAN_OK) {
        err = spean_edit_read(member->edit, &subject, edit, why);
    }
    if (err == SPEAN_OK && member->is_new && member->name_len > 0) {
        err = add_identifier(member, json_object_get(item, "match"), why);
    }
    if (err == SPEAN_OK && member->is_new && spean_edit_count(member->edit) == 0) {
        (void)snprintf(why->text, sizeof(why->text), "edit: nothing is said of this agency");
        err = SPEAN_EINPUT;
    }
    spean_records_unload(&there);
    return err;
}

static size_t edit_bytes(const struct spean_edit *edit)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < spean_edit_count(edit); i++) {
        bytes += spean_edit_at(edit, i)->value.len + OPERATION_BYTES;
    }
    return bytes;
}

/* Put a member into the batch, which it takes over. */
static spean_err gather(struct import *import, struct member *member)
{
    const size_t bytes = edit_bytes(member->edit);
    if (import->count == BATCH_ITEMS_MAX ||
        (import->count > 0 && bytes > BATCH_BYTES_MAX - import->bytes)) {
        const spean_err err = flush(import);
        if (err != SPEAN_OK) {
            spean_edit_free(member->edit);
            return err;
        }
    }
    import->members[import->count++] = *member;
    import->bytes = bytes < BATCH_BYTES_MAX - import->bytes ? import->bytes + bytes
        : BATCH_BYTES_MAX;
    return SPEAN_OK;
}

static spean_err import_item(struct import *import, json_t *item, json_t *result)
{
    struct member member = {.result = result};
    struct spean_json_why why = {""};
    json_t *match = json_object_get(item, "match");
    spean_err err = json_is_object(item) ? SPEAN_OK : SPEAN_EINPUT;
    if (err == SPEAN_OK && match != NULL && !read_match(match, &member, &why)) {
        err = SPEAN_EINPUT;
    }
    if (err == SPEAN_OK && member.name_len > 0 && is_pending(import, &member)) {
        err = flush(import); /* This one edits what that one makes. */
    }
    if (err == SPEAN_OK) {
        err = spean_edit_new(&member.edit);
    }
    if (err == SPEAN_OK) {
        err = read_edit(import, &member, item, &why);
    }
    if (err != SPEAN_OK) {
        spean_edit_free(member.edit);
        return set_failed(result, err, why.text) ? SPEAN_OK : SPEAN_ENOMEM;
    }
    if (spean_edit_count(member.edit) == 0) {
        spean_edit_free(member.edit);
        return set_result(result, "unchanged", &member.record) ? SPEAN_OK : SPEAN_ENOMEM;
    }
    return gather(import, &member);
}

/* -- The whole ------------------------------------------------------------------------------- */

static json_int_t count_of(json_t *results, const char *what)
{
    json_int_t count = 0;
    for (size_t i = 0; i < json_array_size(results); i++) {
        const char *result =
            json_string_value(json_object_get(json_array_get(results, i), "result"));
        count += result != NULL && strcmp(result, what) == 0 ? 1 : 0;
    }
    return count;
}

static void answer(struct import *import)
{
    json_t *results = import->results;
    json_t *body =
        json_pack("{s:I, s:I, s:I, s:I, s:O}", "created", count_of(results, "created"), "changed",
                  count_of(results, "changed"), "unchanged", count_of(results, "unchanged"),
                  "failed", count_of(results, "failed"), "results", results);
    if (import->at->dry_run && json_object_set_new(body, "dry_run", json_true()) != 0) {
        json_decref(body);
        body = NULL;
    }
    spean_reply_take(import->at->reply, body);
}

static spean_err import_all(struct import *import, json_t *items)
{
    spean_err err = import->results == NULL ? SPEAN_ENOMEM : SPEAN_OK;
    for (size_t i = 0; i < json_array_size(items) && err == SPEAN_OK; i++) {
        json_t *item = json_array_get(items, i);
        const json_t *place = json_object_get(item, "place");
        json_t *result = json_pack("{s:o, s:n, s:s, s:n}", "place",
                                   json_is_string(place) ? json_string(json_string_value(place))
                                                         : json_integer((json_int_t)i),
                                   "id", "result", "unchanged", "error");
        if (json_array_append_new(import->results, result) != 0) {
            return SPEAN_ENOMEM;
        }
        err = import_item(import, item, result);
    }
    /* Also after an error: the edits that were gathered must be freed. */
    const spean_err flushed = flush(import);
    return err != SPEAN_OK ? err : flushed;
}

void spean_agency_import(struct spean_records *at)
{
    json_t *items = json_object_get(at->request->body, "items");
    const json_t *lang = json_object_get(at->request->body, "lang");
    if (!json_is_array(items) || (lang != NULL && !json_is_string(lang))) {
        spean_records_refuse(at, SPEAN_EINPUT, NULL,
                             "expected {\"lang\": \"km\", \"items\": [...]}", NULL);
        return;
    }
    if (json_array_size(items) > SPEAN_IMPORT_ITEMS_MAX) {
        spean_records_refuse(at, SPEAN_ELIMIT, NULL, "more than 500 items at once",
                             "send them in several requests");
        return;
    }
    struct spean_draft *draft = NULL;
    if (!spean_records_draft(at, &draft)) {
        return; /* Said once, not once for each item. */
    }
    spean_draft_free(draft);
    struct import *import = calloc(1, sizeof(*import));
    if (import == NULL) {
        spean_records_refuse(at, SPEAN_ENOMEM, NULL, NULL, NULL);
        return;
    }
    import->at = at;
    import->lang = lang == NULL ? LANG_DEFAULT : json_string_value(lang);
    import->results = json_array();
    const spean_err err = import_all(import, items);
    if (err == SPEAN_OK) {
        answer(import);
    } else {
        spean_records_refuse(at, err, NULL, NULL, NULL);
    }
    json_decref(import->results);
    free(import);
}
