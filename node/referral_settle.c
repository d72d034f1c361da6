/*
 * What follows by itself from what was folded: details go to who accepted, a withdrawal goes
 * everywhere. Every node of an organisation may do it; doing it twice is harmless.
 */
#include "node/referral_settle.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "node/referral.h"
#include "node/withdrawal.h"
#include "protocol/reader.h"
#include "protocol/schema_numbers.h"
#include "store/partkeys.h"

#define DUES_MAX 64u /* Written in one commit. */

enum due_kind {
    DUE_GRANT,              /* The payload's key, to the target. */
    DUE_REFERRAL_WITHDRAWN, /* The withdrawal, into a referral. */
    DUE_CONSENT_WITHDRAWN   /* The withdrawal, into the consent. */
};

struct due {
    enum due_kind kind;
    struct spean_record_id record;
    struct spean_id target;
    uint8_t value[SPEAN_WITHDRAWAL_BYTES_MAX];
    size_t value_len;
};

struct settling {
    struct spean_records at;
    struct due dues[DUES_MAX];
    uint32_t count;
    bool more;
};

/* -- Finding what is due --------------------------------------------------------------------- */

static bool is_listed(const struct settling *s, enum due_kind kind,
                      const struct spean_record_id *record)
{
    for (uint32_t i = 0; i < s->count; i++) {
        if (s->dues[i].kind == kind && spean_record_id_equal(&s->dues[i].record, record)) {
            return true;
        }
    }
    return false;
}

static void add_due(struct settling *s, const struct due *due)
{
    if (is_listed(s, due->kind, &due->record)) {
        return;
    }
    if (s->count == DUES_MAX) {
        s->more = true;
        return;
    }
    s->dues[s->count++] = *due;
}

/* Take the withdrawal that is shown in a one-way field; false: none, or none that can be carried.
 */
static bool take_withdrawal(const struct spean_records_item *item, uint32_t part, uint64_t field,
                            struct due *due)
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

/* The consent that a referral was sent by. */
static bool consent_of(const struct spean_records_item *item, struct spean_record_id *out)
{
    struct spean_view value;
    struct spean_reader r;
    if (!spean_fixed_get(item->info.fixed, SPEAN_FIELD_REFERRAL_CONSENT, &value)) {
        return false;
    }
    spean_reader_init(&r, value);
    const uint32_t pairs = spean_reader_map(&r, UINT32_MAX);
    const uint64_t key = spean_reader_uint(&r, UINT64_MAX);
    spean_reader_bin_fixed(&r, out->bytes, SPEAN_RECORD_ID_BYTES);
    return pairs > 0 && key == SPEAN_SUB_CONSENT_REF_CONSENT && !spean_reader_failed(&r);
}

/* Whether the target has accepted and neither side has taken it back. */
static bool is_accepted(const struct spean_referral_now *now)
{
    const uint32_t accepted = (1u << SPEAN_TRACK_ACCEPTED) | (1u << SPEAN_TRACK_IN_PROGRESS) |
                              (1u << SPEAN_TRACK_ON_HOLD) | (1u << SPEAN_TRACK_COMPLETED) |
                              (1u << SPEAN_TRACK_UNSUCCESSFUL);
    return now->progress.origin.state == SPEAN_TRACK_SENT &&
           ((1u << now->progress.target.state) & accepted) != 0;
}

/* Whether we hold the payload's key and the target was not granted it. */
static bool lacks_key(const struct spean_records *at, const struct spean_record_id *record,
                      const struct spean_id *target, bool *lacks)
{
    const struct spean_part_name name = {*record, SPEAN_PART_PAYLOAD};
    struct spean_partkey key;
    const spean_err err = spean_partkeys_newest(at->view.tx, at->view.keys, &name, &key);
    if (err != SPEAN_OK) {
        *lacks = false;
        return err == SPEAN_ENOTFOUND;
    }
    *lacks = !spean_partkeys_reaches(&key, target);
    spean_partkeys_wipe(&key);
    return true;
}

/* Compare what a referral and its consent say of a withdrawal. *withdrawn: one of them does. */
static spean_err look_at_consent(struct settling *s, const struct spean_records_item *item,
                                 bool *withdrawn)
{
    struct spean_record_id consent;
    struct spean_records_item held = {.record = NULL};
    struct due due = {.kind = DUE_CONSENT_WITHDRAWN};
    *withdrawn =
        take_withdrawal(item, SPEAN_PART_STEPS, SPEAN_FIELD_REFERRAL_CONSENT_WITHDRAWN, &due);
    if (!consent_of(item, &consent)) {
        return SPEAN_OK;
    }
    const spean_err err = spean_records_load(&s->at, &consent, &held);
    if (err != SPEAN_OK) {
        return err == SPEAN_ENOTFOUND ? SPEAN_OK : err; /* Not here yet, or another's. */
    }
    const bool says =
        spean_withdrawal_is_set(&held, SPEAN_PART_CONSENT, SPEAN_FIELD_CONSENT_WITHDRAWN);
    const bool ours = spean_id_equal(&held.info.owner, spean_core_org(s->at.view.core));
    if (*withdrawn && !says && ours && held.parts[SPEAN_PART_CONSENT] != NULL) {
        due.record = consent;
        add_due(s, &due);
    }
    if (!*withdrawn &&
        take_withdrawal(&held, SPEAN_PART_CONSENT, SPEAN_FIELD_CONSENT_WITHDRAWN, &due)) {
        due.kind = DUE_REFERRAL_WITHDRAWN;
        due.record = item->info.record;
        add_due(s, &due);
        *withdrawn = true;
    }
    spean_records_unload(&held);
    return SPEAN_OK;
}

static spean_err look_at(struct settling *s, const struct spean_records_item *item)
{
    struct spean_referral_now now;
    bool withdrawn = false;
    bool lacks = false;
    spean_err err = spean_referral_now_init(&s->at, item, &now);
    if (err != SPEAN_OK) {
        return err == SPEAN_ENOMEM ? err : SPEAN_OK; /* Shown as it is; nothing follows from it. */
    }
    const bool origin = now.side == SPEAN_SIDE_ORIGIN && item->parts[SPEAN_PART_STEPS] != NULL;
    const bool accepted = is_accepted(&now);
    struct due due = {.kind = DUE_GRANT, .record = item->info.record, .target = now.target};
    spean_referral_now_fini(&now);
    if (!origin) {
        return SPEAN_OK;
    }
    err = look_at_consent(s, item, &withdrawn);
    if (err != SPEAN_OK || withdrawn || !accepted ||
        !spean_authority_is_member(s->at.view.authority, &due.target)) {
        return err;
    }
    if (!lacks_key(&s->at, &due.record, &due.target, &lacks)) {
        return SPEAN_ECORRUPT;
    }
    if (lacks) {
        add_due(s, &due);
    }
    return SPEAN_OK;
}

static spean_err look_at_all(struct settling *s)
{
    struct spean_record_id record;
    struct spean_record_id before;
    bool has = false;
    while (!s->more) {
        spean_err err =
            spean_record_next(s->at.view.tx, SPEAN_TYPE_REFERRAL, has ? &before : NULL, &record);
        if (err == SPEAN_ENOTFOUND) {
            return SPEAN_OK;
        }
        struct spean_records_item item = {.record = NULL};
        if (err == SPEAN_OK) {
            err = spean_records_load_some(&s->at, &record, 1u << SPEAN_PART_STEPS, &item);
        }
        if (err == SPEAN_OK) {
            err = look_at(s, &item);
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

/* -- Writing it ------------------------------------------------------------------------------ */

/* A consent and every referral under it say so in one commit, as far as they fit. */
static spean_err draft_consent(struct settling *s, struct spean_draft *draft, const struct due *due)
{
    const struct spean_view value = {due->value, due->value_len};
    bool more = false;
    spean_err err = spean_withdrawal_draft_consent(draft, &due->record, value);
    if (err == SPEAN_OK) {
        err = spean_withdrawal_draft_referrals(&s->at, draft, &due->record, value, &more);
    }
    s->more = s->more || more;
    return err;
}

static spean_err draft_due(struct settling *s, struct spean_draft *draft, const struct due *due)
{
    switch (due->kind) {
    case DUE_GRANT:
        return spean_draft_grant(draft, &due->record, SPEAN_TYPE_REFERRAL, SPEAN_PART_PAYLOAD,
                                 SPEAN_GRANT_MORE, &due->target, 1);
    case DUE_REFERRAL_WITHDRAWN:
        return spean_withdrawal_draft_referral(draft, &due->record,
                                               (struct spean_view){due->value, due->value_len});
    case DUE_CONSENT_WITHDRAWN:
        return draft_consent(s, draft, due);
    }
    return SPEAN_OK;
}

static spean_err write_dues(struct settling *s, const struct due *dues, uint32_t count)
{
    struct spean_draft *draft = NULL;
    uint32_t item = 0;
    spean_err err =
        spean_draft_new(s->at.view.authority, spean_core_own_log(s->at.view.core), &draft);
    for (uint32_t i = 0; i < count && err == SPEAN_OK; i++) {
        err = draft_due(s, draft, &dues[i]);
    }
    if (err == SPEAN_OK) {
        err = spean_records_try_commit(&s->at, draft, &item);
    }
    spean_draft_free(draft);
    return err;
}

/* Whether an error is about what is written, so that something else may still be. */
static bool is_about_it(spean_err err)
{
    return err == SPEAN_EDENIED || err == SPEAN_ENOTFOUND || err == SPEAN_ESTATE ||
           err == SPEAN_ELIMIT;
}

/* All in one commit; if one of them is in the way, each by itself. */
static spean_err write_all(struct settling *s)
{
    spean_err err = write_dues(s, s->dues, s->count);
    if (!is_about_it(err)) {
        return err;
    }
    s->more = false; /* Or we would come back to the same for ever. */
    for (uint32_t i = 0; i < s->count && s->count > 1; i++) {
        const spean_err one = write_dues(s, &s->dues[i], 1);
        if (one != SPEAN_OK && !is_about_it(one)) {
            return one;
        }
        err = one == SPEAN_OK ? SPEAN_OK : err;
    }
    return err;
}

spean_err spean_referral_settle(struct spean_core *core, bool *more)
{
    struct settling *s = calloc(1, sizeof(*s));
    assert(more != NULL);
    *more = false;
    if (s == NULL) {
        return SPEAN_ENOMEM;
    }
    spean_err err = spean_records_settle_begin(&s->at, core, NULL);
    if (err != SPEAN_OK) {
        free(s);
        return err;
    }
    err = look_at_all(s);
    if (err == SPEAN_OK && s->count > 0) {
        err = write_all(s);
        *more = s->more && err == SPEAN_OK;
    }
    spean_records_end(&s->at);
    free(s);
    return err;
}
