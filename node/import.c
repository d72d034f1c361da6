#include "node/import.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/schema.h"

#define BATCH_ITEMS_MAX 32u    /* Edits in one commit; each is at most five changes and a grant. */
#define BATCH_BYTES_MAX 65536u /* Of their values; a commit holds twice that. */
#define LANG_DEFAULT    "und"  /* Nobody said in which language. */
#define OPERATION_BYTES 64u    /* Of an operation, around its value. */

struct import {
    struct spean_records *at;
    const struct spean_import_kind *kind;
    const char *lang;
    json_t *results;
    struct spean_import_member members[BATCH_ITEMS_MAX];
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

static spean_err put_member(const struct import *import, struct spean_draft *draft,
                            struct spean_import_member *member)
{
    spean_err err = SPEAN_OK;
    if (member->is_new) {
        err = spean_draft_create(draft, import->kind->type, member->random,
                                 (struct spean_view){NULL, 0}, &member->record, NULL);
    }
    if (err == SPEAN_OK) {
        err = spean_edit_draft(member->edit, draft, &member->record, import->kind->type,
                               import->kind->part, member->is_new);
    }
    return err;
}

/* Write count members in one commit. */
static spean_err write_members(struct import *import, struct spean_import_member *members,
                               uint32_t count)
{
    struct spean_draft *draft = NULL;
    struct spean_records *at = import->at;
    uint32_t item = 0;
    spean_err err = spean_draft_new(at->view.authority, spean_core_own_log(at->view.core), &draft);
    for (uint32_t i = 0; i < count && err == SPEAN_OK; i++) {
        err = put_member(import, draft, &members[i]);
    }
    if (err == SPEAN_OK) {
        err = spean_records_try_commit(at, draft, &item);
    }
    spean_draft_free(draft);
    return err;
}

static bool report(struct spean_import_member *member, spean_err err)
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
        struct spean_import_member *member = &import->members[i];
        const bool again = err != SPEAN_OK && import->count > 1;
        kept = report(member, again ? write_members(import, member, 1) : err) && kept;
        spean_edit_free(member->edit);
    }
    import->count = 0;
    import->bytes = 0;
    return kept ? SPEAN_OK : SPEAN_ENOMEM;
}

/* -- One item -------------------------------------------------------------------------------- */

/* Read {"record": an id or code}, which every type takes, as a 0 byte and the text. */
static spean_err read_match(const struct import *import, struct spean_import_member *member,
                            struct spean_json_why *why)
{
    const json_t *record = json_object_get(member->match, "record");
    const size_t len = json_string_length(record);
    if (record == NULL) {
        return import->kind->read(member, import->kind->ctx, why);
    }
    if (json_object_size(member->match) != 1 || len == 0 || len > sizeof(member->name) - 2) {
        (void)snprintf(why->text, sizeof(why->text),
                       "match: expected {\"record\": an id or code} and nothing beside it");
        return SPEAN_EINPUT;
    }
    member->name[0] = '\0';
    memcpy(member->name + 1, json_string_value(record), len + 1);
    member->name_len = len + 1;
    return SPEAN_OK;
}

/* Find the record of a member. SPEAN_ENOTFOUND: it is to be made. */
static spean_err find(struct import *import, struct spean_import_member *member,
                      struct spean_json_why *why)
{
    if (member->name_len == 0) {
        return SPEAN_ENOTFOUND;
    }
    if (member->name[0] != '\0') {
        return import->kind->find(import->at, member, import->kind->ctx, why);
    }
    const spean_err err =
        spean_records_find_one(import->at, import->kind->type, member->name + 1, &member->record);
    if (err == SPEAN_OK) {
        return SPEAN_OK;
    }
    (void)snprintf(why->text, sizeof(why->text),
                   err == SPEAN_ENOTFOUND ? "match: there is no such record"
                                          : "match: several records answer to that");
    return SPEAN_EINPUT;
}

static bool is_pending(const struct import *import, const struct spean_import_member *member)
{
    for (uint32_t i = 0; i < import->count; i++) {
        const struct spean_import_member *other = &import->members[i];
        if (other->name_len == member->name_len &&
            memcmp(other->name, member->name, member->name_len) == 0) {
            return true;
        }
    }
    return false;
}

/* Compare what the item says with what is there. */
static spean_err read_edit(struct import *import, struct spean_import_member *member, json_t *edit,
                           struct spean_json_why *why)
{
    const struct spean_import_kind *kind = import->kind;
    struct spean_records_item there = {.record = NULL};
    struct spean_edit_subject subject = {
        .type = kind->type,
        .roles = SPEAN_ROLE_OWNER | SPEAN_ROLE_MEMBER,
    };
    spean_records_random(member->random);
    spean_err err = find(import, member, why);
    member->is_new = err == SPEAN_ENOTFOUND;
    if (err == SPEAN_OK) {
        err = spean_records_load(import->at, &member->record, &there);
        if (err == SPEAN_OK) {
            subject = spean_records_subject(import->at, &there);
        }
    } else if (member->is_new) {
        err = SPEAN_OK;
    }
    subject.import_lang = import->lang;
    subject.editable = kind->editable;
    if (err == SPEAN_OK) {
        err = spean_edit_read(member->edit, &subject, edit, why);
    }
    if (err == SPEAN_OK && member->is_new && spean_edit_count(member->edit) == 0) {
        (void)snprintf(why->text, sizeof(why->text), "edit: nothing is said of it");
        err = SPEAN_EINPUT;
    }
    if (err == SPEAN_OK && member->is_new) {
        err = kind->complete(import->at, member, kind->ctx, why);
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
static spean_err gather(struct import *import, struct spean_import_member *member)
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
    struct spean_import_member member = {.match = json_object_get(item, "match"), .result = result};
    struct spean_json_why why = {""};
    spean_err err = json_is_object(item) ? SPEAN_OK : SPEAN_EINPUT;
    if (err == SPEAN_OK) {
        err = read_match(import, &member, &why);
    }
    if (err == SPEAN_OK && member.name_len > 0 && is_pending(import, &member)) {
        err = flush(import); /* This one edits what that one makes. */
    }
    if (err == SPEAN_OK) {
        err = spean_edit_new(&member.edit);
    }
    if (err == SPEAN_OK) {
        err = read_edit(import, &member, json_object_get(item, "edit"), &why);
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

void spean_import(struct spean_records *at, const struct spean_import_kind *kind)
{
    assert(at != NULL);
    assert(kind != NULL);
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
    import->kind = kind;
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
