#include "node/purge.h"

#include <string.h>

#include "node/json_value.h"
#include "node/referral_case.h"
#include "node/transfer.h"
#include "protocol/schema.h"
#include "protocol/schema_numbers.h"
#include "store/destroy.h"
#include "store/fold.h"
#include "store/logs.h"
#include "store/partkeys.h"

static const uint32_t purged_parts[] = {SPEAN_PART_PREVIEW, SPEAN_PART_PAYLOAD};

#define PURGED_COUNT (sizeof(purged_parts) / sizeof(purged_parts[0]))

/* A sub-field of a write as it is shown, a new reference; NULL: it has none. */
static json_t *shown_sub(const struct spean_field *field, size_t index, const char *name)
{
    struct spean_write write;
    json_t *object = NULL;
    const struct spean_schema_field *known =
        spean_schema_field(SPEAN_TYPE_REFERRAL, spean_field_number(field));
    spean_field_get_write(field, index, &write);
    if (spean_json_value_show(&known->value, write.value, &object) != SPEAN_OK) {
        return NULL;
    }
    json_t *sub = json_incref(json_object_get(object, name));
    json_decref(object);
    return sub;
}

static const struct spean_field *steps_list(const struct spean_records_item *item, uint64_t number)
{
    const struct spean_part *steps = item->parts[SPEAN_PART_STEPS];
    return steps == NULL ? NULL : spean_part_find(steps, number, SPEAN_KIND_LIST);
}

/* -- What is to go --------------------------------------------------------------------------- */

/* Whether we acknowledged a cancellation and said that nothing is kept. */
static bool says_purged(const struct spean_records_item *item, const struct spean_referral_now *now)
{
    const struct spean_field *field = steps_list(item, SPEAN_FIELD_REFERRAL_TARGET_STEPS);
    bool purged = false;
    for (size_t i = 0; i < now->of_target.count; i++) {
        if (now->of_target.items[i].step != SPEAN_STEP_ACK_CANCEL) {
            continue;
        }
        json_t *said = shown_sub(field, now->of_target.writes[i], "data_purged");
        const char *code = json_string_value(said);
        purged = purged || (code != NULL && strcmp(code, "yes") == 0);
        json_decref(said);
    }
    return purged && now->progress.state == SPEAN_REFERRAL_CANCELLED;
}

/* Whether the node that writes a log of ours has said that it has seen a step, or cannot say it any
 * more. What it wrote before it said so is here. */
static spean_err has_seen(const struct spean_records *at, const struct spean_log *log,
                          const struct spean_dot *step, bool *seen)
{
    struct spean_logs_row row;
    uint64_t seq = 0;
    uint64_t said = 0;
    *seen = log->status != SPEAN_LOG_OPEN || spean_short_of(&log->id) == step->log ||
            spean_id_equal(&log->id, &spean_core_own_log(at->view.core)->id);
    if (*seen) {
        return SPEAN_OK;
    }
    spean_err err = spean_logs_get(at->view.tx, &log->id, &row);
    if (err == SPEAN_OK) {
        err = spean_fold_seen(at->view.tx, row.number, step->log, &seq, &said);
    }
    *seen = err == SPEAN_OK && seq >= step->seq;
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

/* Whether none of our nodes can come up with an acceptance that it wrote before it knew that
 * another one declined; after SPEAN_PURGE_WAIT_S it is taken for granted. */
static spean_err is_declined_by_all(const struct spean_records *at,
                                    const struct spean_records_item *item,
                                    const struct spean_referral_now *now, bool *by_all)
{
    const struct spean_authority *authority = at->view.authority;
    const uint32_t count = spean_authority_logs_count(authority);
    const size_t head = now->progress.target.head;
    struct spean_write write;
    *by_all = now->progress.target.state == SPEAN_TRACK_DECLINED &&
              spean_core_own_log(at->view.core) != NULL;
    if (!*by_all) {
        return SPEAN_OK;
    }
    spean_field_get_write(steps_list(item, SPEAN_FIELD_REFERRAL_TARGET_STEPS),
                          now->of_target.writes[head], &write);
    const bool waits = write.time <= at->now_s && at->now_s - write.time <= SPEAN_PURGE_WAIT_S;
    for (uint32_t i = 0; waits && i < count && *by_all; i++) {
        const struct spean_log *log = spean_authority_log_at(authority, i);
        const spean_err err = spean_id_equal(&log->org, spean_core_org(at->view.core))
                                  ? has_seen(at, log, &now->of_target.items[head].name, by_all)
                                  : SPEAN_OK;
        if (err != SPEAN_OK) {
            return err;
        }
    }
    return SPEAN_OK;
}

static bool keeps_nothing(const struct spean_records_item *item,
                          const struct spean_referral_now *now)
{
    struct spean_record_id parent;
    if (now->progress.target.heads_count > 1) {
        return false;
    }
    if (now->side == SPEAN_SIDE_ORIGIN) {
        return now->progress.is_consent_withdrawn &&
               spean_records_fixed_record(item, SPEAN_FIELD_REFERRAL_PARENT, &parent);
    }
    return now->side == SPEAN_SIDE_TARGET &&
           (now->progress.is_consent_withdrawn || says_purged(item, now));
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

spean_err spean_purge_erases(const struct spean_records *at, const struct spean_records_item *item,
                             const struct spean_referral_now *now, uint32_t *parts)
{
    bool erases = keeps_nothing(item, now);
    *parts = 0;
    if (!erases && now->side == SPEAN_SIDE_TARGET && now->progress.target.heads_count == 1) {
        const spean_err err = is_declined_by_all(at, item, now, &erases);
        if (err != SPEAN_OK) {
            return err;
        }
    }
    for (size_t i = 0; erases && i < PURGED_COUNT; i++) {
        const struct spean_part_name name = {item->info.record, purged_parts[i]};
        struct spean_partkey key;
        const spean_err err = spean_partkeys_newest(at->view.tx, at->view.keys, &name, &key);
        if (err == SPEAN_OK) {
            spean_partkeys_wipe(&key);
            *parts |= is_erased(item, name.part) ? 0 : 1u << name.part;
        } else if (err != SPEAN_ENOTFOUND) {
            return err; /* Without a key nothing of the part is here that could be read. */
        }
    }
    return SPEAN_OK;
}

/* -- What is gone ---------------------------------------------------------------------------- */

/* The parts that receipts of this node name. */
static uint32_t receipted(const struct spean_records *at, const struct spean_records_item *item)
{
    const struct spean_log *own = spean_core_own_log(at->view.core);
    const struct spean_field *field = steps_list(item, SPEAN_FIELD_REFERRAL_PURGE_RECEIPTS);
    const size_t count = field == NULL ? 0 : spean_field_writes_count(field);
    uint32_t parts = 0;
    for (size_t i = 0; i < count; i++) {
        struct spean_write write;
        spean_field_get_write(field, i, &write);
        if (write.struck || own == NULL || write.dot.log != spean_short_of(&own->id)) {
            continue;
        }
        json_t *named = shown_sub(field, i, "parts");
        for (size_t k = 0; k < json_array_size(named); k++) {
            const json_int_t part = json_integer_value(json_array_get(named, k));
            parts |= part > 0 && part < SPEAN_SCHEMA_PARTS_MAX ? 1u << part : 0;
        }
        json_decref(named);
    }
    return parts;
}

spean_err spean_purge_receipts(const struct spean_records *at,
                               const struct spean_records_item *item,
                               const struct spean_referral_now *now, uint32_t *parts,
                               uint64_t *since_s)
{
    *parts = 0;
    *since_s = 0;
    if (now->side == SPEAN_SIDE_NONE) {
        return SPEAN_OK;
    }
    for (size_t i = 0; i < PURGED_COUNT; i++) {
        const struct spean_part_name name = {item->info.record, purged_parts[i]};
        struct spean_destroy_row row;
        const spean_err err = spean_destroy_get(at->view.tx, &name, &row);
        if (err == SPEAN_OK && row.stage == SPEAN_DESTROY_DONE) {
            *parts |= 1u << name.part;
            *since_s = row.since_s > *since_s ? row.since_s : *since_s;
        } else if (err != SPEAN_OK && err != SPEAN_ENOTFOUND) {
            return err;
        }
    }
    *parts &= *parts != 0 ? ~receipted(at, item) : 0;
    return SPEAN_OK;
}

/* -- Writing it ------------------------------------------------------------------------------ */

spean_err spean_purge_draft_erasures(struct spean_draft *draft,
                                     const struct spean_record_id *referral, uint32_t parts)
{
    spean_err err = SPEAN_OK;
    for (size_t i = 0; i < PURGED_COUNT && err == SPEAN_OK; i++) {
        if ((parts & (1u << purged_parts[i])) != 0) {
            err = spean_draft_erase(draft, referral, SPEAN_TYPE_REFERRAL, purged_parts[i]);
        }
    }
    return err;
}

/* What a case that was opened of the referral here still says of it, a new array. */
static spean_err kept_fields(const struct spean_records *at, const struct spean_record_id *referral,
                             json_t **out)
{
    struct spean_records_item item = {.record = NULL};
    struct spean_record_id a_case;
    bool worked_on = false;
    spean_err err = spean_transfer_case(at, referral, &a_case, &worked_on);
    if (err == SPEAN_OK) {
        err = spean_records_load(at, &a_case, &item);
    }
    if (err == SPEAN_OK || err == SPEAN_ENOTFOUND) {
        *out = err == SPEAN_OK ? spean_referral_said_by_case(&item) : json_array();
        err = *out == NULL ? SPEAN_ENOMEM : SPEAN_OK;
    }
    spean_records_unload(&item);
    return err;
}

/* The map purge_receipt, a new object; NULL: no memory. Takes kept. */
static json_t *receipt_json(const struct spean_records *at, uint32_t parts, uint64_t since_s,
                            json_t *kept)
{
    json_t *named = json_array();
    for (size_t i = 0; i < PURGED_COUNT; i++) {
        if ((parts & (1u << purged_parts[i])) != 0 &&
            json_array_append_new(named, json_integer((json_int_t)purged_parts[i])) != 0) {
            json_decref(named);
            json_decref(kept);
            return NULL;
        }
    }
    json_t *receipt =
        json_pack("{s:s, s:b, s:o, s:o}", "method", "erased", "keys_destroyed", 1, "parts", named,
                  "by_org", spean_json_hex(spean_core_org(at->view.core)->bytes, SPEAN_ID_BYTES));
    const bool done =
        receipt != NULL && spean_json_set_time(receipt, "at", since_s) &&
        (json_array_size(kept) == 0 || json_object_set(receipt, "fields_kept", kept) == 0);
    json_decref(kept);
    if (!done) {
        json_decref(receipt);
        return NULL;
    }
    return receipt;
}

spean_err spean_purge_draft_receipt(const struct spean_records *at, struct spean_draft *draft,
                                    const struct spean_record_id *referral, uint32_t parts,
                                    uint64_t since_s)
{
    struct spean_json_why why;
    struct spean_edit *edit = NULL;
    json_t *kept = NULL;
    json_t *receipt = NULL;
    spean_err err = kept_fields(at, referral, &kept);
    if (err == SPEAN_OK) {
        receipt = receipt_json(at, parts, since_s, kept);
        err = receipt == NULL ? SPEAN_ENOMEM : spean_edit_new(&edit);
    }
    if (err == SPEAN_OK) {
        err = spean_edit_add_json(edit, SPEAN_TYPE_REFERRAL, SPEAN_FIELD_REFERRAL_PURGE_RECEIPTS,
                                  SPEAN_VERB_APPEND, receipt, &why);
    }
    if (err == SPEAN_OK) {
        err = spean_edit_draft(edit, draft, referral, SPEAN_TYPE_REFERRAL, SPEAN_PART_STEPS, false);
    }
    spean_edit_free(edit);
    json_decref(receipt);
    return err;
}
