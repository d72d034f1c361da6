#include "node/todo.h"

#include <string.h>
#include <time.h>

#include "node/records.h"
#include "node/referral.h"
#include "node/reminder.h"
#include "protocol/fold.h"
#include "protocol/schema_numbers.h"
#include "store/record.h"

/* Fields of one part that two people wrote unseen by each other. */
static uint32_t conflicts_of(const struct spean_core_view *view, const struct spean_part_name *name)
{
    struct spean_part *part = NULL;
    uint32_t count = 0;
    if (spean_record_trunk(view->tx, view->keys, name, &part) != SPEAN_OK) {
        return 0;
    }
    for (size_t i = 0; i < spean_part_fields_count(part); i++) {
        count += spean_field_conflict(spean_part_field(part, i));
    }
    spean_part_free(part);
    return count;
}

static uint32_t count_conflicts(const struct spean_core_view *view, uint64_t type)
{
    struct spean_record_id record;
    const struct spean_record_id *after = NULL;
    uint32_t count = 0;
    while (spean_record_next(view->tx, type, after, &record) == SPEAN_OK) {
        struct spean_record_part parts[SPEAN_RECORD_PARTS_MAX];
        uint32_t parts_count = 0;
        after = &record;
        if (spean_record_parts(view->tx, &record, parts, &parts_count) != SPEAN_OK) {
            continue;
        }
        for (uint32_t i = 0; i < parts_count; i++) {
            const struct spean_part_name name = {record, parts[i].part};
            count += parts[i].folded ? conflicts_of(view, &name) : 0;
        }
    }
    return count;
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
    const time_t now = time(NULL);
    const struct spean_records at = {.view = *view, .now_s = now < 0 ? 0 : (uint64_t)now};
    memset(out, 0, sizeof(*out));
    out->decisions = count_conflicts(view, SPEAN_TYPE_AGENCY) +
                     count_conflicts(view, SPEAN_TYPE_CASE) +
                     count_conflicts(view, SPEAN_TYPE_REFERRAL) +
                     count_conflicts(view, SPEAN_TYPE_CODE) +
                     count_conflicts(view, SPEAN_TYPE_CODE_LIST);
    if (spean_keys_locked(view->keys)) {
        return;
    }
    count_referrals(&at, out);
    out->not_sent = count_drafts(&at);
}
