#include "node/referral_due.h"

#include <assert.h>
#include <string.h>

#include "node/purge.h"
#include "node/referral.h"
#include "node/transfer.h"
#include "protocol/schema_numbers.h"
#include "store/partkeys.h"

/* States of the target's track in which it took what it was asked for. */
#define TAKEN_STATES                                                                               \
    ((1u << SPEAN_TRACK_ACCEPTED) | (1u << SPEAN_TRACK_IN_PROGRESS) |                              \
     (1u << SPEAN_TRACK_ON_HOLD) | (1u << SPEAN_TRACK_COMPLETED))

struct finding {
    const struct spean_records *at;
    struct spean_dues *dues;
};

static void add_due(struct spean_dues *dues, const struct spean_due *due)
{
    for (uint32_t i = 0; i < dues->count; i++) {
        if (dues->list[i].kind == due->kind &&
            spean_record_id_equal(&dues->list[i].record, &due->record)) {
            return;
        }
    }
    if (dues->count == SPEAN_DUES_MAX) {
        dues->more = true;
        return;
    }
    dues->list[dues->count++] = *due;
}

/* -- Consent --------------------------------------------------------------------------------- */

/* Take the withdrawal that is shown in a one-way field; false: none, or none that can be carried.
 */
static bool take_withdrawal(const struct spean_records_item *item, uint32_t part, uint64_t field,
                            struct spean_due *due)
{
    const struct spean_field *found =
        item->parts[part] == NULL ? NULL
                                  : spean_part_find(item->parts[part], field, SPEAN_KIND_ONE_WAY);
    struct spean_write write;
    if (found == NULL || !spean_field_get_shown(found, &write) ||
        write.value.len > sizeof(due->value)) {
        return false;
    }
    memcpy(due->value, write.value.data, write.value.len);
    due->value_len = write.value.len;
    return true;
}

/* Compare what a referral of ours and its consent say of a withdrawal. *withdrawn: one does. */
static spean_err look_at_consent(struct finding *f, const struct spean_records_item *item,
                                 bool *withdrawn)
{
    struct spean_record_id consent;
    struct spean_records_item held = {.record = NULL};
    struct spean_due due = {.kind = SPEAN_DUE_CONSENT_WITHDRAWN};
    *withdrawn =
        take_withdrawal(item, SPEAN_PART_STEPS, SPEAN_FIELD_REFERRAL_CONSENT_WITHDRAWN, &due);
    if (!spean_referral_consent(item, &consent)) {
        return SPEAN_OK;
    }
    const spean_err err = spean_records_load(f->at, &consent, &held);
    if (err != SPEAN_OK) {
        return err == SPEAN_ENOTFOUND ? SPEAN_OK : err; /* Not here yet, or another's. */
    }
    const bool says =
        spean_withdrawal_is_set(&held, SPEAN_PART_CONSENT, SPEAN_FIELD_CONSENT_WITHDRAWN);
    const bool ours = spean_id_equal(&held.info.owner, spean_core_org(f->at->view.core));
    if (*withdrawn && !says && ours && held.parts[SPEAN_PART_CONSENT] != NULL) {
        due.record = consent;
        add_due(f->dues, &due);
    }
    if (!*withdrawn &&
        take_withdrawal(&held, SPEAN_PART_CONSENT, SPEAN_FIELD_CONSENT_WITHDRAWN, &due)) {
        due.kind = SPEAN_DUE_REFERRAL_WITHDRAWN;
        due.record = item->info.record;
        add_due(f->dues, &due);
        *withdrawn = true;
    }
    spean_records_unload(&held);
    return SPEAN_OK;
}

/* Whether a referral is not said to be withdrawn, and our organisation is on that side of it. */
static spean_err is_to_hear(const struct finding *f, const struct spean_record_id *referral,
                            uint64_t our_field, bool *hears)
{
    struct spean_records_item item = {.record = NULL};
    struct spean_id party;
    const spean_err err = spean_records_load_some(f->at, referral, 1u << SPEAN_PART_STEPS, &item);
    *hears =
        err == SPEAN_OK && item.parts[SPEAN_PART_STEPS] != NULL &&
        item.info.type == SPEAN_TYPE_REFERRAL &&
        spean_records_fixed_org(&item, our_field, &party) &&
        spean_id_equal(&party, spean_core_org(f->at->view.core)) &&
        !spean_withdrawal_is_set(&item, SPEAN_PART_STEPS, SPEAN_FIELD_REFERRAL_CONSENT_WITHDRAWN);
    spean_records_unload(&item);
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

static spean_err tell(struct finding *f, const struct spean_record_id *referral, uint64_t our_field,
                      const struct spean_due *withdrawal)
{
    struct spean_due due = *withdrawal;
    bool hears = false;
    const spean_err err = is_to_hear(f, referral, our_field, &hears);
    if (err == SPEAN_OK && hears) {
        due.kind = SPEAN_DUE_REFERRAL_WITHDRAWN;
        due.record = *referral;
        add_due(f->dues, &due);
    }
    return err;
}

/* Who passed a referral on carries the withdrawal down to the child, and up to the parent. */
static spean_err look_at_family(struct finding *f, const struct spean_records_item *item)
{
    struct spean_due due = {.kind = SPEAN_DUE_REFERRAL_WITHDRAWN};
    struct spean_record_id other;
    struct spean_record_id before;
    const struct spean_view name = {item->info.record.bytes, SPEAN_RECORD_ID_BYTES};
    if (!take_withdrawal(item, SPEAN_PART_STEPS, SPEAN_FIELD_REFERRAL_CONSENT_WITHDRAWN, &due)) {
        return SPEAN_OK;
    }
    spean_err err = SPEAN_OK;
    if (spean_records_fixed_record(item, SPEAN_FIELD_REFERRAL_PARENT, &other)) {
        err = tell(f, &other, SPEAN_FIELD_REFERRAL_TO, &due);
    }
    if (err == SPEAN_OK) {
        err = spean_record_lookup(f->at->view.tx, f->at->view.keys, SPEAN_LOOKUP_REDIRECTED, name,
                                  NULL, &other);
    }
    while (err == SPEAN_OK) {
        err = tell(f, &other, SPEAN_FIELD_REFERRAL_FROM, &due);
        before = other;
        if (err == SPEAN_OK) {
            err = spean_record_lookup(f->at->view.tx, f->at->view.keys, SPEAN_LOOKUP_REDIRECTED,
                                      name, &before, &other);
        }
    }
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

/* -- Details --------------------------------------------------------------------------------- */

/* Whether we hold the payload's key and the target was not granted it. */
static spean_err lacks_key(const struct spean_records *at, const struct spean_record_id *record,
                           const struct spean_id *target, bool *lacks)
{
    const struct spean_part_name name = {*record, SPEAN_PART_PAYLOAD};
    struct spean_partkey key;
    const spean_err err = spean_partkeys_newest(at->view.tx, at->view.keys, &name, &key);
    *lacks = err == SPEAN_OK && !spean_partkeys_reaches(&key, target);
    spean_partkeys_wipe(&key);
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

/* Whether it is an emergency, and no node of ours says otherwise. */
static bool is_emergency(const struct spean_records_item *item)
{
    static const char emergency[] = "emergency";
    const struct spean_field *field = spean_part_find(
        item->parts[SPEAN_PART_STEPS], SPEAN_FIELD_REFERRAL_URGENCY, SPEAN_KIND_VALUE);
    const struct spean_view code = spean_records_text(
        spean_records_value(item, SPEAN_PART_STEPS, SPEAN_FIELD_REFERRAL_URGENCY));
    return field != NULL && !spean_field_conflict(field) && code.len == sizeof(emergency) - 1 &&
           memcmp(code.data, emergency, code.len) == 0;
}

/* The target accepted, or it became an emergency before it answered, and neither side took it back:
 * it gets the details. */
static spean_err look_at_grant(struct finding *f, const struct spean_records_item *item,
                               const struct spean_referral_now *now)
{
    const uint32_t accepted = TAKEN_STATES | (1u << SPEAN_TRACK_UNSUCCESSFUL);
    const uint32_t unanswered = (1u << SPEAN_TRACK_NONE) | (1u << SPEAN_TRACK_RECEIVED);
    const uint32_t entitled = accepted | (is_emergency(item) ? unanswered : 0);
    const struct spean_due due = {
        .kind = SPEAN_DUE_GRANT, .record = item->info.record, .target = now->target};
    bool lacks = false;
    if (now->progress.origin.state != SPEAN_TRACK_SENT ||
        ((1u << now->progress.target.state) & entitled) == 0 ||
        !spean_authority_is_member(f->at->view.authority, &now->target)) {
        return SPEAN_OK;
    }
    const spean_err err = lacks_key(f->at, &due.record, &now->target, &lacks);
    if (err == SPEAN_OK && lacks) {
        add_due(f->dues, &due);
    }
    return err;
}

/* -- Transfers ------------------------------------------------------------------------------- */

/* Whether the target took it over, as far as the origin lets it. */
static bool is_taken(const struct spean_referral_now *now)
{
    const uint32_t origin = (1u << SPEAN_TRACK_SENT) | (1u << SPEAN_TRACK_CLOSED);
    return ((1u << now->progress.origin.state) & origin) != 0 &&
           ((1u << now->progress.target.state) & TAKEN_STATES) != 0;
}

static spean_err look_at_transfer(struct finding *f, const struct spean_records_item *item,
                                  const struct spean_referral_now *now)
{
    struct spean_due due = {.kind = SPEAN_DUE_CASE_OPENED, .record = item->info.record};
    bool is_due = false;
    spean_err err = SPEAN_OK;
    if (!spean_transfer_is_one(item) || !is_taken(now)) {
        return SPEAN_OK;
    }
    if (now->side == SPEAN_SIDE_TARGET) {
        err = spean_transfer_opens(f->at, item, now, &is_due);
    } else if (now->side == SPEAN_SIDE_ORIGIN) {
        due.kind = SPEAN_DUE_CASE_CLOSED;
        err = spean_transfer_closes(f->at, item, now, &due.a_case, &is_due);
    }
    if (err == SPEAN_OK && is_due) {
        add_due(f->dues, &due);
    }
    return err;
}

/* -- Purging --------------------------------------------------------------------------------- */

static spean_err look_at_purge(struct finding *f, const struct spean_records_item *item,
                               const struct spean_referral_now *now)
{
    struct spean_due due = {.kind = SPEAN_DUE_ERASURE, .record = item->info.record};
    spean_err err = spean_purge_erases(f->at, item, now, &due.parts);
    if (err == SPEAN_OK && due.parts != 0) {
        add_due(f->dues, &due);
    }
    if (err == SPEAN_OK) {
        due.kind = SPEAN_DUE_RECEIPT;
        err = spean_purge_receipts(f->at, item, now, &due.parts, &due.since_s);
    }
    if (err == SPEAN_OK && due.parts != 0) {
        add_due(f->dues, &due);
    }
    return err;
}

/* -- All of it ------------------------------------------------------------------------------- */

static spean_err look_at_now(struct finding *f, const struct spean_records_item *item,
                             const struct spean_referral_now *now)
{
    bool withdrawn = now->progress.is_consent_withdrawn;
    spean_err err = SPEAN_OK;
    if (item->parts[SPEAN_PART_STEPS] == NULL) {
        return SPEAN_OK; /* Its steps are to come. */
    }
    if (now->side == SPEAN_SIDE_ORIGIN) {
        err = look_at_consent(f, item, &withdrawn);
        if (err == SPEAN_OK && !withdrawn) {
            err = look_at_grant(f, item, now);
        }
    }
    if (err == SPEAN_OK) {
        err = look_at_family(f, item);
    }
    if (err == SPEAN_OK) {
        err = look_at_purge(f, item, now);
    }
    return err == SPEAN_OK && !withdrawn ? look_at_transfer(f, item, now) : err;
}

static spean_err look_at(struct finding *f, const struct spean_records_item *item)
{
    struct spean_referral_now now;
    spean_err err = spean_referral_now_init(f->at, item, &now);
    if (err != SPEAN_OK) {
        return err == SPEAN_ENOMEM ? err : SPEAN_OK; /* Shown as it is; nothing follows from it. */
    }
    err = look_at_now(f, item, &now);
    spean_referral_now_fini(&now);
    return err;
}

spean_err spean_dues_find(const struct spean_records *at, struct spean_dues *out)
{
    assert(at != NULL);
    assert(out != NULL);

    struct finding f = {at, out};
    struct spean_record_id record;
    struct spean_record_id before;
    bool has = false;
    out->count = 0;
    out->more = false;
    while (!out->more) {
        spean_err err =
            spean_record_next(at->view.tx, SPEAN_TYPE_REFERRAL, has ? &before : NULL, &record);
        if (err == SPEAN_ENOTFOUND) {
            return SPEAN_OK;
        }
        struct spean_records_item item = {.record = NULL};
        if (err == SPEAN_OK) {
            err = spean_records_load_some(at, &record, 1u << SPEAN_PART_STEPS, &item);
        }
        if (err == SPEAN_OK) {
            err = look_at(&f, &item);
        }
        spean_records_unload(&item);
        if (err != SPEAN_OK) {
            return err;
        }
        before = record;
        has = true;
    }
    return SPEAN_OK;
}
