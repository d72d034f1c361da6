/* Records as they are read from the store and shown. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "node/codebook.h"
#include "node/derived.h"
#include "node/json_value.h"
#include "node/records.h"
#include "node/retention.h"
#include "protocol/caseid.h"
#include "protocol/reader.h"
#include "protocol/schema.h"
#include "protocol/schema_numbers.h"
#include "store/entries.h"
#include "store/logs.h"
#include "store/partkeys.h"

#define CODE_DIGITS 5u /* Hex digits in the shortest code of a referral: 20 bits. */

spean_err spean_records_load(const struct spean_records *at, const struct spean_record_id *record,
                             struct spean_records_item *out)
{
    return spean_records_load_some(at, record, UINT32_MAX, out);
}

spean_err spean_records_load_some(const struct spean_records *at,
                                  const struct spean_record_id *record, uint32_t mask,
                                  struct spean_records_item *out)
{
    struct spean_records_item item = {.record = NULL};
    spean_err err = spean_record_get(at->view.tx, at->view.keys, record, &item.record);
    if (err != SPEAN_OK) {
        return err;
    }
    spean_record_get_info(item.record, &item.info);
    err = spean_record_parts(at->view.tx, record, item.listed, &item.listed_count);
    for (uint32_t i = 0; i < item.listed_count && err == SPEAN_OK; i++) {
        const uint32_t part = item.listed[i].part;
        if (part >= SPEAN_SCHEMA_PARTS_MAX || !item.listed[i].folded ||
            ((mask >> part) & 1u) == 0) {
            continue;
        }
        const struct spean_part_name name = {*record, part};
        err = spean_record_part(at->view.tx, at->view.keys, &name, &item.parts[part]);
        if (err == SPEAN_ENOTFOUND || err == SPEAN_ESTATE || err == SPEAN_ELIMIT) {
            item.parts[part] = NULL;
            err = SPEAN_OK;
        }
    }
    if (err != SPEAN_OK) {
        spean_records_unload(&item);
        return err;
    }
    *out = item;
    return SPEAN_OK;
}

void spean_records_unload(struct spean_records_item *item)
{
    for (size_t i = 0; i < SPEAN_SCHEMA_PARTS_MAX; i++) {
        spean_part_free(item->parts[i]);
    }
    spean_record_free(item->record);
    memset(item, 0, sizeof(*item));
}

bool spean_records_take(struct spean_records *at, const struct spean_record_id *record,
                        struct spean_records_item *out)
{
    const spean_err err = spean_records_load(at, record, out);
    if (err == SPEAN_ENOTFOUND) {
        spean_records_refuse(at, err, NULL, "this record has not arrived here yet",
                             "try again when this node has met the other organisation's");
    } else if (err != SPEAN_OK) {
        spean_records_refuse(at, err, NULL, NULL, NULL);
    }
    return err == SPEAN_OK;
}

static size_t common_max(const struct spean_records *at, const struct spean_record_id *record)
{
    size_t common = 0;
    struct spean_record_id other;
    const struct spean_record_id *after = NULL;
    while (spean_record_prefix(at->view.tx, record, CODE_DIGITS, after, &other) == SPEAN_OK) {
        const size_t now = spean_caseid_referral_common(record, &other);
        if (!spean_record_id_equal(record, &other) && now > common) {
            common = now;
        }
        after = &other;
    }
    return common;
}

spean_err spean_records_code(struct spean_records *at, const struct spean_records_item *item,
                             char out[SPEAN_RECORDS_CODE_BYTES])
{
    out[0] = '\0';
    if (item->info.type == SPEAN_TYPE_REFERRAL) {
        const size_t common = common_max(at, &item->info.record) + 1;
        size_t chars =
            common > SPEAN_REFERRAL_CODE_CHARS_MIN ? common : SPEAN_REFERRAL_CODE_CHARS_MIN;
        chars = chars < SPEAN_REFERRAL_CODE_CHARS_MAX ? chars : SPEAN_REFERRAL_CODE_CHARS_MAX;
        spean_caseid_referral_make(out, &item->info.record, chars);
    }
    if (item->info.type == SPEAN_TYPE_CASE) {
        const struct spean_view text = spean_records_text(
            spean_records_value(item, SPEAN_PART_CASE, SPEAN_FIELD_CASE_SHORT_REF));
        if (text.len > 0 && text.len < SPEAN_RECORDS_CODE_BYTES) {
            memcpy(out, text.data, text.len);
            out[text.len] = '\0';
        }
    }
    return SPEAN_OK;
}

/* The time of the entry that made the record; null where it cannot be read. */
static bool set_created(const struct spean_records *at, const struct spean_records_item *item,
                        json_t *object)
{
    struct spean_logs_row row;
    struct spean_run_entry entry;
    if (spean_logs_at(at->view.tx, item->info.created_number, &row) != SPEAN_OK ||
        spean_entries_get(at->view.tx, &row, item->info.created_seq, &entry) != SPEAN_OK) {
        return json_object_set_new(object, "created", json_null()) == 0;
    }
    return spean_json_set_time(object, "created", entry.header.time);
}

static bool set_hashes(const struct spean_records *at, const struct spean_records_item *item,
                       json_t *object)
{
    json_t *hashes = json_object();
    bool done = hashes != NULL;
    for (uint32_t i = 0; i < item->listed_count && done; i++) {
        const struct spean_part_name name = {item->info.record, item->listed[i].part};
        struct spean_id hash;
        char key[16];
        if (!item->listed[i].folded ||
            spean_record_hash(at->view.tx, at->view.keys, &name, &hash) != SPEAN_OK) {
            continue;
        }
        (void)snprintf(key, sizeof(key), "%u", (unsigned)item->listed[i].part);
        done = json_object_set_new(hashes, key, spean_json_hex(hash.bytes, SPEAN_ID_BYTES)) == 0;
    }
    return json_object_set_new(object, "state_hash", hashes) == 0 && done;
}

static bool is_erased(const struct spean_records_item *item, uint32_t part)
{
    for (uint32_t i = 0; i < item->listed_count; i++) {
        if (item->listed[i].part == part) {
            return item->listed[i].erased;
        }
    }
    return false;
}

/* Which parts wait for their key, and how many for bodies. */
static bool set_waiting(const struct spean_records *at, const struct spean_records_item *item,
                        json_t *object)
{
    json_t *keys = json_array();
    json_int_t parts = 0;
    const struct spean_schema_type *type = spean_schema_type(item->info.type);
    bool done = keys != NULL;
    for (uint32_t i = 0; i < item->listed_count; i++) {
        parts += item->listed[i].incomplete ? 1 : 0;
    }
    for (uint32_t part = 1; type != NULL && part < SPEAN_SCHEMA_PARTS_MAX && done; part++) {
        const struct spean_part_name name = {item->info.record, part};
        struct spean_partkey key;
        if (type->parts[part] == NULL || is_erased(item, part)) {
            continue; /* Of what was erased nothing is to come. */
        }
        const spean_err err = spean_partkeys_newest(at->view.tx, at->view.keys, &name, &key);
        if (err == SPEAN_OK) {
            spean_partkeys_wipe(&key);
        } else if (err == SPEAN_ENOTFOUND) {
            done = json_array_append_new(keys, json_string(type->parts[part])) == 0;
        }
    }
    json_t *waiting = json_pack("{s:I, s:o}", "parts", parts, "keys", keys);
    return json_object_set_new(object, "waiting", waiting) == 0 && done;
}

static spean_err show_head(struct spean_records *at, const struct spean_records_item *item,
                           json_t *object)
{
    char code[SPEAN_RECORDS_CODE_BYTES];
    json_t *fixed = NULL;
    spean_err err = spean_records_code(at, item, code);
    if (err == SPEAN_OK) {
        err = spean_json_fixed_show(item->info.type, item->info.fixed, &at->names, &fixed);
    }
    if (err != SPEAN_OK) {
        return err;
    }
    const struct spean_schema_type *type = spean_schema_type(item->info.type);
    char number[24];
    (void)snprintf(number, sizeof(number), "#%llu", (unsigned long long)item->info.type);
    const bool done =
        json_object_set_new(object, "fixed", fixed) == 0 &&
        json_object_set_new(object, "id",
                            spean_json_hex(item->info.record.bytes, SPEAN_RECORD_ID_BYTES)) == 0 &&
        json_object_set_new(object, "code", code[0] == '\0' ? json_null() : json_string(code)) ==
            0 &&
        json_object_set_new(object, "type", json_string(type != NULL ? type->name : number)) == 0 &&
        spean_json_set_org(object, "owner", &item->info.owner, &at->names) &&
        json_object_set_new(object, "fields", json_object()) == 0 &&
        json_object_set_new(object, "conflicts", json_object()) == 0 &&
        json_object_set_new(object, "unknown", json_integer(0)) == 0 &&
        set_created(at, item, object) && set_hashes(at, item, object) &&
        set_waiting(at, item, object);
    return done ? SPEAN_OK : SPEAN_ENOMEM;
}

spean_err spean_records_show(struct spean_records *at, const struct spean_records_item *item,
                             json_t **out)
{
    json_t *object = json_object();
    spean_err err = object == NULL ? SPEAN_ENOMEM : show_head(at, item, object);
    for (size_t i = 0; i < SPEAN_SCHEMA_PARTS_MAX && err == SPEAN_OK; i++) {
        if (item->parts[i] != NULL) {
            err = spean_json_part_show(object, item->parts[i], &at->names);
        }
    }
    if (err == SPEAN_OK) {
        err = spean_codebook_explain(at, object);
    }
    if (err == SPEAN_OK) {
        err = spean_derived_show(item, object);
    }
    if (err == SPEAN_OK && item->info.type == SPEAN_TYPE_CASE) {
        json_t *retention = NULL;
        err =
            spean_retention_show(at, &item->info.record, item->parts[SPEAN_PART_CASE], &retention);
        if (err == SPEAN_OK && json_object_set_new(object, "retention", retention) != 0) {
            err = SPEAN_ENOMEM;
        }
    }
    if (err != SPEAN_OK) {
        json_decref(object);
        return err == SPEAN_EFORMAT ? SPEAN_ECORRUPT : err;
    }
    *out = object;
    return SPEAN_OK;
}

void spean_records_answer(struct spean_records *at, const struct spean_record_id *record,
                          int changed)
{
    struct spean_records_item item = {.record = NULL};
    json_t *object = NULL;
    if (!spean_records_take(at, record, &item)) {
        if (changed > 0) {
            /* The commit is durable; only folding it found no room. */
            spean_records_refuse(at, SPEAN_EFULL, NULL,
                                 "what you wrote is safe, but the disk is too full to show it",
                                 "make room; do not enter it again");
        }
        return;
    }
    spean_err err = spean_records_show(at, &item, &object);
    spean_records_unload(&item);
    if (err == SPEAN_OK && changed >= 0 &&
        json_object_set_new(object, "changed", json_boolean(changed)) != 0) {
        err = SPEAN_ENOMEM;
    }
    if (err == SPEAN_OK && at->dry_run &&
        json_object_set_new(object, "dry_run", json_true()) != 0) {
        err = SPEAN_ENOMEM;
    }
    if (err != SPEAN_OK) {
        json_decref(object);
        spean_records_refuse(at, err, NULL, NULL, NULL);
        return;
    }
    spean_reply_take(at->reply, object);
}

void spean_records_answer_new(struct spean_records *at, const struct spean_record_id *record)
{
    if (!at->dry_run) {
        spean_records_answer(at, record, true);
        return;
    }
    spean_reply_take(at->reply, json_pack("{s:o, s:b, s:b}", "id",
                                          spean_json_hex(record->bytes, SPEAN_RECORD_ID_BYTES),
                                          "changed", true, "dry_run", true));
}

bool spean_records_fixed_org(const struct spean_records_item *item, uint64_t field,
                             struct spean_id *out)
{
    struct spean_view value;
    struct spean_reader r;
    if (!spean_fixed_get(item->info.fixed, field, &value)) {
        return false;
    }
    spean_reader_init(&r, value);
    spean_reader_bin_fixed(&r, out->bytes, SPEAN_ID_BYTES);
    return spean_reader_end(&r) == SPEAN_OK;
}

bool spean_records_fixed_record(const struct spean_records_item *item, uint64_t field,
                                struct spean_record_id *out)
{
    struct spean_view value;
    struct spean_reader r;
    if (!spean_fixed_get(item->info.fixed, field, &value)) {
        return false;
    }
    spean_reader_init(&r, value);
    spean_reader_bin_fixed(&r, out->bytes, SPEAN_RECORD_ID_BYTES);
    return spean_reader_end(&r) == SPEAN_OK;
}

struct spean_view spean_records_value(const struct spean_records_item *item, uint32_t part,
                                      uint64_t field)
{
    assert(part < SPEAN_SCHEMA_PARTS_MAX);
    const struct spean_field *found =
        item->parts[part] == NULL ? NULL
                                  : spean_part_find(item->parts[part], field, SPEAN_KIND_VALUE);
    struct spean_write write;
    if (found == NULL || !spean_field_get_shown(found, &write)) {
        return (struct spean_view){NULL, 0};
    }
    return write.value;
}

unsigned spean_records_roles(const struct spean_records *at, const struct spean_records_item *item,
                             const struct spean_id *org)
{
    struct spean_id origin;
    struct spean_id target;
    struct spean_id agency;
    struct spean_schema_parties parties = {.type = item->info.type, .owner = &item->info.owner};
    if (item->info.type == SPEAN_TYPE_REFERRAL) {
        if (spean_records_fixed_org(item, SPEAN_FIELD_REFERRAL_FROM, &origin)) {
            parties.origin = &origin;
        }
        if (spean_records_fixed_org(item, SPEAN_FIELD_REFERRAL_TO, &target)) {
            parties.target = &target;
        }
    }
    if (item->info.type == SPEAN_TYPE_AGENCY &&
        spean_records_fixed_org(item, SPEAN_FIELD_AGENCY_ORG, &agency)) {
        parties.agency = &agency;
    }
    return spean_schema_roles(&parties, org, spean_authority_is_steward(at->view.authority, org));
}

struct spean_edit_subject spean_records_subject(const struct spean_records *at,
                                                const struct spean_records_item *item)
{
    struct spean_edit_subject subject = {
        .type = item->info.type,
        .roles = spean_records_roles(at, item, spean_core_org(at->view.core)),
    };
    for (size_t i = 0; i < SPEAN_SCHEMA_PARTS_MAX; i++) {
        subject.parts[i] = item->parts[i];
    }
    return subject;
}
