#include "node/transfer.h"

#include <assert.h>
#include <string.h>

#include "node/case_new.h"
#include "node/referral_case.h"
#include "protocol/schema.h"
#include "protocol/schema_numbers.h"
#include "protocol/writer.h"

#define KIND_TRANSFER   "transfer"
#define STATUS_REFERRED "closed_referred"
#define REASON_REFERRED "referred"
#define CLOSED_NAME     "transferred" /* Local to the node: the case was closed for it. */
#define CODE_BYTES      40u

static bool is_text(struct spean_view view, const char *text)
{
    return view.len == strlen(text) && memcmp(view.data, text, view.len) == 0;
}

bool spean_transfer_is_one(const struct spean_records_item *item)
{
    struct spean_view kind;
    return spean_fixed_get(item->info.fixed, SPEAN_FIELD_REFERRAL_KIND, &kind) &&
           is_text(spean_records_text(kind), KIND_TRANSFER);
}

/* -- Which node writes ------------------------------------------------------------------------- */

/* The step of that code which every node takes for the first: of the lowest entry. */
static const struct spean_referral_item *first_step(const struct spean_referral_steps *steps,
                                                    enum spean_referral_step step)
{
    const struct spean_referral_item *first = NULL;
    for (size_t i = 0; i < steps->count; i++) {
        const struct spean_referral_item *item = &steps->items[i];
        if (item->step == step &&
            (first == NULL || spean_id_compare(&item->entry, &first->entry) < 0)) {
            first = item;
        }
    }
    return first;
}

static bool is_open(const struct spean_log *log)
{
    return log->status == SPEAN_LOG_OPEN && !log->cut.closed;
}

/* Whether this node writes what follows from a step of our organisation. */
static bool writes(const struct spean_records *at, const struct spean_referral_steps *steps,
                   enum spean_referral_step step)
{
    const struct spean_log *own = spean_core_own_log(at->view.core);
    const struct spean_referral_item *item = first_step(steps, step);
    const struct spean_authority *authority = at->view.authority;
    const struct spean_log *lowest = own;
    const uint32_t count = spean_authority_logs_count(authority);
    if (own == NULL || item == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct spean_log *log = spean_authority_log_at(authority, i);
        if (!spean_id_equal(&log->org, &own->org) || !is_open(log)) {
            continue;
        }
        if (spean_short_of(&log->id) == item->name.log) {
            return spean_id_equal(&log->id, &own->id);
        }
        lowest = spean_id_compare(&log->id, &lowest->id) < 0 ? log : lowest;
    }
    return spean_id_equal(&lowest->id, &own->id);
}

/* -- The target -------------------------------------------------------------------------------- */

/* Whether all that is known of a part is here and folded. */
static bool is_whole(const struct spean_records_item *item, uint32_t part)
{
    for (uint32_t i = 0; i < item->listed_count; i++) {
        const struct spean_record_part *listed = &item->listed[i];
        if (listed->part == part) {
            return listed->folded && !listed->erased && !listed->incomplete && !listed->behind;
        }
    }
    return false;
}

spean_err spean_transfer_opens(const struct spean_records *at,
                               const struct spean_records_item *item,
                               const struct spean_referral_now *now, bool *opens)
{
    const struct spean_view name = {item->info.record.bytes, SPEAN_RECORD_ID_BYTES};
    struct spean_record_id held;
    *opens = false;
    if (!is_whole(item, SPEAN_PART_PAYLOAD) || !is_whole(item, SPEAN_PART_PREVIEW) ||
        !writes(at, &now->of_target, SPEAN_STEP_ACCEPT)) {
        return SPEAN_OK;
    }
    const spean_err err = spean_record_lookup(at->view.tx, at->view.keys, SPEAN_LOOKUP_TRANSFERRED,
                                              name, NULL, &held);
    *opens = err == SPEAN_ENOTFOUND;
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

/* All that the new case says. */
static spean_err fill_case(struct spean_records *at, const struct spean_record_id *referral,
                           struct spean_edit *edit)
{
    uint8_t id[CODE_BYTES];
    struct spean_records_item item = {.record = NULL};
    spean_err err = spean_records_load(at, referral, &item);
    if (err == SPEAN_OK) {
        err = spean_referral_copy_back(&item, edit);
    }
    spean_records_unload(&item);
    if (err == SPEAN_OK) {
        err = spean_edit_add(
            edit, spean_schema_field(SPEAN_TYPE_CASE, SPEAN_FIELD_CASE_TRANSFERRED_FROM),
            SPEAN_VERB_WRITE, spean_records_encode_id(referral->bytes, SPEAN_RECORD_ID_BYTES, id));
    }
    return err == SPEAN_OK ? spean_case_defaults(at, edit) : err;
}

spean_err spean_transfer_draft_open(struct spean_records *at, struct spean_draft *draft,
                                    const struct spean_record_id *referral)
{
    uint8_t random[SPEAN_CHANGE_RANDOM_BYTES];
    struct spean_record_id a_case;
    struct spean_edit *edit = NULL;
    spean_err err = spean_edit_new(&edit);
    if (err == SPEAN_OK) {
        err = fill_case(at, referral, edit);
    }
    if (err == SPEAN_OK) {
        spean_records_random(random);
        err = spean_draft_create(draft, SPEAN_TYPE_CASE, random, (struct spean_view){NULL, 0},
                                 &a_case, NULL);
    }
    if (err == SPEAN_OK) {
        err = spean_edit_draft(edit, draft, &a_case, SPEAN_TYPE_CASE, SPEAN_PART_CASE, true);
    }
    spean_edit_free(edit);
    return err;
}

/* -- The origin -------------------------------------------------------------------------------- */

/* Whether a case is one that people work on. */
static spean_err is_worked_on(const struct spean_records *at, const struct spean_record_id *a_case,
                              bool *worked_on)
{
    struct spean_records_item item = {.record = NULL};
    const spean_err err = spean_records_load(at, a_case, &item);
    *worked_on = false;
    if (err != SPEAN_OK) {
        return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
    }
    const struct spean_view status =
        spean_records_text(spean_records_value(&item, SPEAN_PART_CASE, SPEAN_FIELD_CASE_STATUS));
    *worked_on = item.parts[SPEAN_PART_CASE] != NULL && !is_text(status, STATUS_REFERRED) &&
                 !is_text(status, "closed") && !is_text(status, "duplicate");
    spean_records_unload(&item);
    return SPEAN_OK;
}

spean_err spean_transfer_case(const struct spean_records *at,
                              const struct spean_record_id *referral,
                              struct spean_record_id *a_case, bool *worked_on)
{
    const struct spean_view name = {referral->bytes, SPEAN_RECORD_ID_BYTES};
    const spean_err err = spean_record_lookup(at->view.tx, at->view.keys, SPEAN_LOOKUP_TRANSFERRED,
                                              name, NULL, a_case);
    return err == SPEAN_OK ? is_worked_on(at, a_case, worked_on) : err;
}

spean_err spean_transfer_closes(const struct spean_records *at,
                                const struct spean_records_item *item,
                                const struct spean_referral_now *now,
                                struct spean_record_id *a_case, bool *closes)
{
    const struct spean_record_id *referral = &item->info.record;
    const struct spean_view name = {referral->bytes, SPEAN_RECORD_ID_BYTES};
    json_t *before = NULL;
    *closes = false;
    if (!writes(at, &now->of_origin, SPEAN_STEP_SEND)) {
        return SPEAN_OK;
    }
    spean_err err = spean_records_local_get(at, referral, CLOSED_NAME, &before);
    if (err != SPEAN_OK || before != NULL) {
        json_decref(before);
        return err;
    }
    err = spean_record_lookup(at->view.tx, at->view.keys, SPEAN_LOOKUP_CASE_OF, name, NULL, a_case);
    if (err != SPEAN_OK) {
        return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
    }
    return is_worked_on(at, a_case, closes);
}

static spean_err write_code(struct spean_draft *draft, uint64_t field, const char *code)
{
    uint8_t buf[CODE_BYTES];
    struct spean_view value;
    struct spean_writer w;
    spean_writer_init(&w, buf, sizeof(buf));
    spean_writer_str(&w, code, strlen(code));
    const spean_err err = spean_writer_end(&w, &value);
    return err == SPEAN_OK ? spean_draft_op(draft, field, SPEAN_VERB_WRITE, value) : err;
}

spean_err spean_transfer_draft_close(const struct spean_records *at, struct spean_draft *draft,
                                     const struct spean_record_id *a_case)
{
    uint8_t day[16];
    const struct spean_day today = spean_records_today(at);
    spean_err err = spean_draft_change(draft, a_case, SPEAN_TYPE_CASE, SPEAN_PART_CASE);
    if (err == SPEAN_OK) {
        err = write_code(draft, SPEAN_FIELD_CASE_STATUS, STATUS_REFERRED);
    }
    if (err == SPEAN_OK) {
        err = spean_draft_op(draft, SPEAN_FIELD_CASE_CLOSED_ON, SPEAN_VERB_WRITE,
                             spean_records_encode_day(&today, day));
    }
    return err == SPEAN_OK ? write_code(draft, SPEAN_FIELD_CASE_CLOSURE_REASON, REASON_REFERRED)
                           : err;
}

spean_err spean_transfer_closed(struct spean_records *at, const struct spean_record_id *referral)
{
    json_t *closed = json_pack("{s:b}", "case_closed", 1);
    const spean_err err =
        closed == NULL ? SPEAN_ENOMEM : spean_records_local_put(at, referral, CLOSED_NAME, closed);
    json_decref(closed);
    return err;
}
