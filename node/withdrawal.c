#include "node/withdrawal.h"

#include <stdio.h>

#include "node/json_value.h"
#include "protocol/schema.h"
#include "protocol/schema_numbers.h"
#include "protocol/writer.h"

#define DRAFT_ITEMS_MAX 200u /* Below what a commit takes, with room for what comes beside. */
#define DATE_BYTES      16u

bool spean_withdrawal_is_set(const struct spean_records_item *item, uint32_t part, uint64_t field)
{
    const struct spean_field *found =
        item->parts[part] == NULL ? NULL
                                  : spean_part_find(item->parts[part], field, SPEAN_KIND_ONE_WAY);
    return found != NULL && spean_field_writes_count(found) > 0;
}

bool spean_withdrawal_read(struct spean_records *at, uint8_t *buf, size_t cap,
                           struct spean_view *out)
{
    const struct spean_day today = spean_records_today(at);
    const struct spean_id *own = spean_core_org(at->view.core);
    char date[64];
    (void)snprintf(date, sizeof(date), "%04u-%02u-%02u", today.year, today.month, today.day);
    json_t *json = json_copy(at->request->body);
    bool built = json != NULL;
    if (json_object_get(json, "channel") == NULL) {
        json_decref(json);
        spean_records_refuse(at, SPEAN_EINPUT, "missing_channel", "say how the person told you",
                             "give \"channel\"");
        return false;
    }
    if (json_object_get(json, "on") == NULL) {
        built = json_object_set_new(json, "on", json_string(date)) == 0;
    }
    built = built &&
            json_object_set_new(json, "by_org", spean_json_hex(own->bytes, SPEAN_ID_BYTES)) == 0;
    struct spean_json_why why = {""};
    struct spean_writer w;
    const struct spean_schema_field *field =
        spean_schema_field(SPEAN_TYPE_CONSENT, SPEAN_FIELD_CONSENT_WITHDRAWN);
    spean_writer_init(&w, buf, cap);
    spean_err err =
        built ? spean_json_value_encode(&w, &field->value, "withdrawal", json, &why) : SPEAN_ENOMEM;
    json_decref(json);
    if (err == SPEAN_OK) {
        err = spean_writer_end(&w, out);
    }
    if (err != SPEAN_OK) {
        spean_records_refuse_why(at, err, &why);
    }
    return err == SPEAN_OK;
}

spean_err spean_withdrawal_draft_consent(struct spean_draft *draft,
                                         const struct spean_record_id *consent,
                                         struct spean_view value)
{
    const spean_err err =
        spean_draft_change(draft, consent, SPEAN_TYPE_CONSENT, SPEAN_PART_CONSENT);
    return err != SPEAN_OK
               ? err
               : spean_draft_op(draft, SPEAN_FIELD_CONSENT_WITHDRAWN, SPEAN_VERB_WRITE, value);
}

spean_err spean_withdrawal_draft_referral(struct spean_draft *draft,
                                          const struct spean_record_id *referral,
                                          struct spean_view value)
{
    const spean_err err =
        spean_draft_change(draft, referral, SPEAN_TYPE_REFERRAL, SPEAN_PART_STEPS);
    return err != SPEAN_OK ? err
                           : spean_draft_op(draft, SPEAN_FIELD_REFERRAL_CONSENT_WITHDRAWN,
                                            SPEAN_VERB_WRITE, value);
}

spean_err spean_withdrawal_draft_referrals(struct spean_records *at, struct spean_draft *draft,
                                           const struct spean_record_id *consent,
                                           struct spean_view value, bool *more)
{
    const struct spean_view name = {consent->bytes, SPEAN_RECORD_ID_BYTES};
    struct spean_record_id record;
    struct spean_record_id before;
    bool has = false;
    *more = false;
    for (;;) {
        spean_err err = spean_record_lookup(at->view.tx, at->view.keys, SPEAN_LOOKUP_REFERRED_BY,
                                            name, has ? &before : NULL, &record);
        if (err == SPEAN_ENOTFOUND) {
            return SPEAN_OK;
        }
        struct spean_records_item item = {.record = NULL};
        if (err == SPEAN_OK) {
            err = spean_records_load_some(at, &record, 1u << SPEAN_PART_STEPS, &item);
        }
        /* Without its steps we cannot know whether it says so already: they are to come. */
        const bool due = err == SPEAN_OK && item.parts[SPEAN_PART_STEPS] != NULL &&
                         !spean_withdrawal_is_set(&item, SPEAN_PART_STEPS,
                                                  SPEAN_FIELD_REFERRAL_CONSENT_WITHDRAWN);
        spean_records_unload(&item);
        if (due && spean_draft_count(draft) >= DRAFT_ITEMS_MAX) {
            *more = true;
            return SPEAN_OK;
        }
        if (due) {
            err = spean_withdrawal_draft_referral(draft, &record, value);
        }
        if (err != SPEAN_OK) {
            return err;
        }
        before = record;
        has = true;
    }
}
