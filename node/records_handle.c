/* Handlers that are alike for every type of record: show, edit, list, make. */
#include <assert.h>
#include <string.h>

#include "node/alike.h"
#include "node/json_value.h"
#include "node/records.h"
#include "protocol/schema.h"
#include "protocol/schema_numbers.h"
#include "protocol/text.h"

void spean_records_run(struct spean_job *job, void *core, void (*act)(struct spean_records *at))
{
    assert(act != NULL);
    struct spean_records at;
    if (spean_records_write(&at, job, core)) {
        act(&at);
        spean_records_end(&at);
    }
    spean_queue_answer(job);
}

void spean_records_get(struct spean_records *at, uint64_t type)
{
    struct spean_record_id record;
    if (spean_records_find(at, type, spean_request_param(at->request, "id"), &record)) {
        spean_records_answer(at, &record, -1);
    }
}

void spean_records_refuse_draft(struct spean_records *at, spean_err err)
{
    if (err == SPEAN_ELIMIT) {
        spean_records_refuse(at, err, "too_large", "it is too large to be written at once",
                             "make it shorter, or several changes of it");
        return;
    }
    spean_records_refuse(at, err, NULL, NULL, NULL);
}

bool spean_records_write_edit(struct spean_records *at, const struct spean_records_item *item,
                              const struct spean_edit *edit)
{
    struct spean_draft *draft = NULL;
    if (!spean_records_draft(at, &draft)) {
        return false;
    }
    spean_err err = SPEAN_OK;
    for (uint32_t part = 0; part < SPEAN_SCHEMA_PARTS_MAX && err == SPEAN_OK; part++) {
        if (spean_edit_touches(edit, part)) {
            err = spean_edit_draft(edit, draft, &item->info.record, item->info.type, part, false);
        }
    }
    if (err != SPEAN_OK) {
        spean_records_refuse_draft(at, err);
    }
    const bool done = err == SPEAN_OK && spean_records_commit(at, draft);
    spean_draft_free(draft);
    return done;
}

void spean_records_patch(struct spean_records *at, uint64_t type,
                         bool (*editable)(const struct spean_schema_field *field))
{
    struct spean_record_id record;
    struct spean_records_item item = {.record = NULL};
    struct spean_edit *edit = NULL;
    if (!spean_records_find(at, type, spean_request_param(at->request, "id"), &record) ||
        !spean_records_take(at, &record, &item)) {
        return;
    }
    struct spean_edit_subject subject = spean_records_subject(at, &item);
    subject.editable = editable;
    struct spean_json_why why = {""};
    spean_err err = spean_edit_new(&edit);
    if (err == SPEAN_OK) {
        err = spean_edit_read(edit, &subject, at->request->body, &why);
    }
    if (err != SPEAN_OK) {
        spean_records_refuse_why(at, err, &why);
    } else if (spean_edit_count(edit) == 0) {
        spean_records_answer(at, &record, false);
    } else if (spean_records_write_edit(at, &item, edit)) {
        spean_records_answer(at, &record, true);
    }
    spean_edit_free(edit);
    spean_records_unload(&item);
}

bool spean_records_create(struct spean_records *at, struct spean_draft *draft, uint64_t type,
                          const uint8_t *random, struct spean_view fixed,
                          const struct spean_edit *edit, struct spean_record_id *out)
{
    uint8_t drawn[SPEAN_CHANGE_RANDOM_BYTES];
    const struct spean_schema_type *known = spean_schema_type(type);
    assert(known != NULL);
    if (random == NULL) {
        spean_records_random(drawn);
    }
    spean_err err =
        spean_draft_create(draft, type, random != NULL ? random : drawn, fixed, out, NULL);
    uint32_t first = 0;
    while (known->parts[first] == NULL) {
        first++; /* Every type has one. */
    }
    if (err == SPEAN_OK) {
        err = spean_edit_draft(edit, draft, out, type, first, true);
    }
    if (err != SPEAN_OK) {
        spean_records_refuse_draft(at, err);
    }
    return err == SPEAN_OK;
}

json_t *spean_records_body_without(const struct spean_records *at, const char *key)
{
    json_t *copy = json_copy(at->request->body);
    if (copy != NULL) {
        (void)json_object_del(copy, key); /* It need not be there. */
    }
    return copy;
}

/* -- Lists ----------------------------------------------------------------------------------- */

spean_err spean_records_line_field(struct spean_records *at, const struct spean_records_item *item,
                                   const char *name, json_t *line)
{
    const struct spean_schema_field *field = spean_schema_field_by_name(item->info.type, name);
    assert(field != NULL);
    const struct spean_part *part = item->parts[field->part];
    const struct spean_field *there =
        part == NULL ? NULL : spean_part_find(part, field->number, (uint64_t)field->kind);
    json_t *shown = NULL;
    const spean_err err = there == NULL
                              ? SPEAN_OK
                              : spean_json_field_show(item->info.type, there, &at->names, &shown);
    if (err != SPEAN_OK) {
        return err == SPEAN_EFORMAT ? SPEAN_ECORRUPT : err;
    }
    return json_object_set_new(line, name, shown != NULL ? shown : json_null()) == 0 ? SPEAN_OK
                                                                                     : SPEAN_ENOMEM;
}

static json_int_t conflicts_count(const struct spean_records_item *item)
{
    json_int_t count = 0;
    for (size_t i = 0; i < SPEAN_SCHEMA_PARTS_MAX; i++) {
        const struct spean_part *part = item->parts[i];
        const size_t fields = part == NULL ? 0 : spean_part_fields_count(part);
        for (size_t k = 0; k < fields; k++) {
            count += spean_field_conflict(spean_part_field(part, k)) ? 1 : 0;
        }
    }
    return count;
}

spean_err spean_records_line(struct spean_records *at, const struct spean_records_item *item,
                             json_t **out)
{
    char code[SPEAN_RECORDS_CODE_BYTES];
    const spean_err err = spean_records_code(at, item, code);
    if (err != SPEAN_OK) {
        return err;
    }
    json_t *line = json_object();
    const bool done =
        json_object_set_new(line, "id",
                            spean_json_hex(item->info.record.bytes, SPEAN_RECORD_ID_BYTES)) == 0 &&
        json_object_set_new(line, "code", code[0] == '\0' ? json_null() : json_string(code)) == 0 &&
        spean_json_set_org(line, "owner", &item->info.owner, &at->names) &&
        json_object_set_new(line, "conflicts", json_integer(conflicts_count(item))) == 0;
    if (!done) {
        json_decref(line);
        return SPEAN_ENOMEM;
    }
    *out = line;
    return SPEAN_OK;
}

/* Read the cursor of a page; *has says whether there is one. */
static bool read_cursor(struct spean_records *at, const struct spean_page *page, bool *has,
                        struct spean_record_id *out)
{
    const struct spean_view text = {(const uint8_t *)page->after, strlen(page->after)};
    *has = text.len > 0;
    if (*has && spean_text_hex_decode(out->bytes, SPEAN_RECORD_ID_BYTES, text) != SPEAN_OK) {
        spean_records_refuse(at, SPEAN_EINPUT, NULL, "after: expected what the last page gave",
                             NULL);
        return false;
    }
    return true;
}

/* Make the line of a record that the list wants; none where another stands for it. */
static spean_err make_line(struct spean_records *at, const struct spean_records_listing *listing,
                           const struct spean_records_item *item, json_t **out)
{
    bool first = true;
    json_t *same = NULL;
    spean_err err = listing->as_one ? spean_alike_one(at, listing, item, &first, &same) : SPEAN_OK;
    if (err == SPEAN_OK && first) {
        err = listing->line(at, item, listing->ctx, out);
    }
    if (err == SPEAN_OK && *out != NULL && same != NULL &&
        json_object_set(*out, "same", same) != 0) {
        json_decref(*out);
        *out = NULL;
        err = SPEAN_ENOMEM;
    }
    json_decref(same);
    return err;
}

/* Add the record's line to items if the list has it. Records that cannot be read are left out. */
static spean_err add_line(struct spean_records *at, const struct spean_records_listing *listing,
                          const struct spean_record_id *record, json_t *items)
{
    struct spean_records_item item = {.record = NULL};
    spean_err err = spean_records_load(at, record, &item);
    if (err != SPEAN_OK) {
        return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
    }
    json_t *line = NULL;
    if (listing->wants == NULL || listing->wants(at, &item, listing->ctx)) {
        err = make_line(at, listing, &item, &line);
    }
    spean_records_unload(&item);
    if (err == SPEAN_OK && line != NULL && json_array_append_new(items, line) != 0) {
        err = SPEAN_ENOMEM;
    }
    return err;
}

void spean_records_list(struct spean_records *at, const struct spean_records_listing *listing)
{
    struct spean_page page;
    struct spean_record_id record;
    struct spean_record_id before;
    bool has = false;
    if (spean_request_page(at->request, &page) != SPEAN_OK) {
        spean_records_refuse(at, SPEAN_EINPUT, NULL, "limit: expected a number from 1 to 1000",
                             NULL);
        return;
    }
    if (!read_cursor(at, &page, &has, &before)) {
        return;
    }
    json_t *items = json_array();
    spean_err err = items == NULL ? SPEAN_ENOMEM : SPEAN_OK;
    bool more = false;
    uint32_t looked = 0;
    while (err == SPEAN_OK && !more) {
        err = spean_record_next(at->view.tx, listing->type, has ? &before : NULL, &record);
        if (err == SPEAN_OK &&
            (json_array_size(items) == page.limit || looked++ == SPEAN_RECORDS_LOOKED_MAX)) {
            more = true; /* Perhaps; the next page may be empty. */
        } else if (err == SPEAN_OK) {
            err = add_line(at, listing, &record, items);
            before = record;
            has = true;
        }
    }
    if (err != SPEAN_OK && err != SPEAN_ENOTFOUND) {
        json_decref(items);
        spean_records_refuse(at, err, NULL, NULL, NULL);
        return;
    }
    char next[2 * SPEAN_RECORD_ID_BYTES + 1];
    spean_text_hex_encode(next, sizeof(next),
                          (struct spean_view){before.bytes, SPEAN_RECORD_ID_BYTES});
    spean_reply_page(at->reply, items, more ? next : NULL);
}
