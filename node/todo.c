#include "node/todo.h"

#include <string.h>
#include <time.h>

#include "node/records.h"
#include "node/referral.h"
#include "node/reminder.h"
#include "node/retention.h"
#include "node/transfer.h"
#include "protocol/fold.h"
#include "protocol/schema_numbers.h"
#include "store/record.h"

/* Whether something about keeping a case is due; what cannot be read is not counted. */
static bool is_due(const struct spean_records *at, const struct spean_record_id *record,
                   const struct spean_part *part)
{
    json_t *retention = NULL;
    const bool due = spean_retention_show(at, record, part, &retention) == SPEAN_OK &&
                     spean_retention_due(retention);
    json_decref(retention);
    return due;
}

/* Count fields of one part that two people wrote unseen by each other, and what is due of it. */
static void count_part(const struct spean_records *at, uint64_t type,
                       const struct spean_part_name *name, struct spean_todo_counts *out)
{
    struct spean_part *part = NULL;
    if (spean_record_trunk(at->view.tx, at->view.keys, name, &part) != SPEAN_OK) {
        return;
    }
    for (size_t i = 0; i < spean_part_fields_count(part); i++) {
        out->decisions += spean_field_conflict(spean_part_field(part, i));
    }
    if (type == SPEAN_TYPE_CASE && name->part == SPEAN_PART_CASE) {
        out->retention_due += is_due(at, &name->record, part);
    }
    spean_part_free(part);
}

static void count_records(const struct spean_records *at, uint64_t type,
                          struct spean_todo_counts *out)
{
    struct spean_record_id record;
    const struct spean_record_id *after = NULL;
    while (spean_record_next(at->view.tx, type, after, &record) == SPEAN_OK) {
        struct spean_record_part parts[SPEAN_RECORD_PARTS_MAX];
        uint32_t parts_count = 0;
        after = &record;
        if (spean_record_parts(at->view.tx, &record, parts, &parts_count) != SPEAN_OK) {
            continue;
        }
        for (uint32_t i = 0; i < parts_count; i++) {
            const struct spean_part_name name = {record, parts[i].part};
            if (parts[i].folded) {
                count_part(at, type, &name, out);
            }
        }
    }
}

/* Whether the person withdrew what a case was handed over under that we still work on. */
static bool is_case_to_decide(const struct spean_records *at, const struct spean_records_item *item,
                              const struct spean_referral_now *now)
{
    struct spean_record_id a_case;
    bool worked_on = false;
    return now->side == SPEAN_SIDE_TARGET && now->progress.is_consent_withdrawn &&
           spean_transfer_case(at, &item->info.record, &a_case, &worked_on) == SPEAN_OK &&
           worked_on;
}

/* What one referral adds to the counts. */
static void count_referral(const struct spean_records *at, const struct spean_records_item *item,
                           struct spean_todo_counts *out)
{
    struct spean_referral_now now;
    if (spean_referral_now_init(at, item, &now) != SPEAN_OK) {
        return;
    }
    const enum spean_referral_state state = now.progress.state;
    const unsigned late = spean_reminder_of(at, item, &now);
    out->referrals_to_answer += now.side == SPEAN_SIDE_TARGET &&
                                (state == SPEAN_REFERRAL_SENT || state == SPEAN_REFERRAL_RECEIVED);
    const struct spean_referral_track *own =
        now.side == SPEAN_SIDE_ORIGIN ? &now.progress.origin : &now.progress.target;
    out->decisions += now.side != SPEAN_SIDE_NONE && own->heads_count > 1;
    out->decisions += is_case_to_decide(at, item, &now);
    out->unread += (late & SPEAN_UNREAD) != 0;
    out->overdue += (late & SPEAN_LATE) != 0;
    spean_referral_now_fini(&now);
}

static void count_referrals(const struct spean_records *at, struct spean_todo_counts *out)
{
    struct spean_record_id record;
    const struct spean_record_id *after = NULL;
    while (spean_record_next(at->view.tx, SPEAN_TYPE_REFERRAL, after, &record) == SPEAN_OK) {
        struct spean_records_item item = {.record = NULL};
        after = &record;
        if (spean_records_load_some(at, &record, 1u << SPEAN_PART_STEPS, &item) == SPEAN_OK) {
            count_referral(at, &item, out);
        }
        spean_records_unload(&item);
    }
}

static uint32_t count_drafts(const struct spean_records *at)
{
    json_t *drafts = NULL;
    if (spean_records_drafts(at, &drafts) != SPEAN_OK) {
        return 0;
    }
    const size_t count = json_array_size(drafts); /* At most SPEAN_RECORDS_DRAFTS_MAX. */
    json_decref(drafts);
    return (uint32_t)count;
}

void spean_todo_count(const struct spean_core_view *view, struct spean_todo_counts *out)
{
    static const uint64_t types[] = {SPEAN_TYPE_AGENCY, SPEAN_TYPE_CASE, SPEAN_TYPE_REFERRAL,
                                     SPEAN_TYPE_CODE, SPEAN_TYPE_CODE_LIST};
    const time_t now = time(NULL);
    const struct spean_records at = {.view = *view, .now_s = now < 0 ? 0 : (uint64_t)now};
    memset(out, 0, sizeof(*out));
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        count_records(&at, types[i], out);
    }
    if (spean_keys_locked(view->keys)) {
        return;
    }
    count_referrals(&at, out);
    out->not_sent = count_drafts(&at);
}
