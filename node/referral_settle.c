/*
 * What follows by itself from what was folded: details go to who accepted, a withdrawal goes
 * everywhere, a case that was handed over is opened there and closed here, what nobody may keep is
 * erased. Every node of an
 * organisation may do it; doing it twice is harmless.
 */
#include "node/referral_settle.h"

#include <assert.h>
#include <stdlib.h>

#include "node/purge.h"
#include "node/referral_due.h"
#include "node/transfer.h"
#include "node/withdrawal.h"
#include "protocol/schema_numbers.h"

struct settling {
    struct spean_records at;
    struct spean_dues dues;
};

/* A consent and every referral under it say so in one commit, as far as they fit. */
static spean_err draft_consent(struct settling *s, struct spean_draft *draft,
                               const struct spean_due *due)
{
    const struct spean_view value = {due->value, due->value_len};
    bool more = false;
    spean_err err = spean_withdrawal_draft_consent(draft, &due->record, value);
    if (err == SPEAN_OK) {
        err = spean_withdrawal_draft_referrals(&s->at, draft, &due->record, value, &more);
    }
    s->dues.more = s->dues.more || more;
    return err;
}

static spean_err draft_due(struct settling *s, struct spean_draft *draft,
                           const struct spean_due *due)
{
    switch (due->kind) {
    case SPEAN_DUE_GRANT:
        return spean_draft_grant(draft, &due->record, SPEAN_TYPE_REFERRAL, SPEAN_PART_PAYLOAD,
                                 SPEAN_GRANT_MORE, &due->target, 1);
    case SPEAN_DUE_REFERRAL_WITHDRAWN:
        return spean_withdrawal_draft_referral(draft, &due->record,
                                               (struct spean_view){due->value, due->value_len});
    case SPEAN_DUE_CONSENT_WITHDRAWN:
        return draft_consent(s, draft, due);
    case SPEAN_DUE_CASE_OPENED:
        return spean_transfer_draft_open(&s->at, draft, &due->record);
    case SPEAN_DUE_CASE_CLOSED:
        return spean_transfer_draft_close(&s->at, draft, &due->a_case);
    case SPEAN_DUE_ERASURE:
        return spean_purge_draft_erasures(draft, &due->record, due->parts);
    case SPEAN_DUE_RECEIPT:
        return spean_purge_draft_receipt(&s->at, draft, &due->record, due->parts, due->since_s);
    }
    return SPEAN_OK;
}

/* What is remembered on this node once it is durable. */
static spean_err note_due(struct settling *s, const struct spean_due *due)
{
    return due->kind == SPEAN_DUE_CASE_CLOSED ? spean_transfer_closed(&s->at, &due->record)
                                              : SPEAN_OK;
}

static spean_err write_dues(struct settling *s, const struct spean_due *dues, uint32_t count)
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
    for (uint32_t i = 0; i < count && err == SPEAN_OK; i++) {
        err = note_due(s, &dues[i]);
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

/* Whether two dues can be written by one commit. The codes of new cases are looked up in what is
 * folded; and of one case, a commit writes a field once. */
static bool go_together(const struct spean_dues *dues)
{
    for (uint32_t i = 0; i < dues->count; i++) {
        if (dues->list[i].kind == SPEAN_DUE_CASE_OPENED ||
            dues->list[i].kind == SPEAN_DUE_CASE_CLOSED) {
            return dues->count == 1;
        }
    }
    return true;
}

/* Withdrawals and erasures are written also when room is short. */
static bool is_urgent(enum spean_due_kind kind)
{
    return kind == SPEAN_DUE_REFERRAL_WITHDRAWN || kind == SPEAN_DUE_CONSENT_WITHDRAWN ||
           kind == SPEAN_DUE_ERASURE || kind == SPEAN_DUE_RECEIPT;
}

/* Leave those that are urgent, or the others; returns whether there are any. */
static bool choose(struct spean_dues *dues, const struct spean_dues *all, bool urgent)
{
    dues->count = 0;
    for (uint32_t i = 0; i < all->count; i++) {
        if (is_urgent(all->list[i].kind) == urgent) {
            dues->list[dues->count++] = all->list[i];
        }
    }
    return dues->count > 0;
}

/* All in one commit; if one of them is in the way, each by itself. */
static spean_err write_chosen(struct settling *s)
{
    const struct spean_dues *dues = &s->dues;
    spean_err err = SPEAN_ELIMIT;
    if (go_together(dues)) {
        err = write_dues(s, dues->list, dues->count);
        if (!is_about_it(err)) {
            return err;
        }
        s->dues.more = false; /* Or we would come back to the same for ever. */
    }
    for (uint32_t i = 0; i < dues->count && dues->count > 1; i++) {
        const spean_err one = write_dues(s, &dues->list[i], 1);
        if (one != SPEAN_OK && !is_about_it(one)) {
            return one;
        }
        err = one == SPEAN_OK ? SPEAN_OK : err;
    }
    return err;
}

/* The urgent ones first. */
static spean_err write_all(struct settling *s)
{
    const struct spean_dues all = s->dues;
    spean_err err = SPEAN_OK;
    if (choose(&s->dues, &all, true)) {
        s->at.urgent = true;
        err = write_chosen(s);
        s->at.urgent = false;
    }
    if ((err == SPEAN_OK || is_about_it(err)) && choose(&s->dues, &all, false)) {
        const spean_err other = write_chosen(s);
        err = other == SPEAN_OK ? err : other;
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
    err = spean_dues_find(&s->at, &s->dues);
    if (err == SPEAN_OK && s->dues.count > 0) {
        err = write_all(s);
        *more = s->dues.more && err == SPEAN_OK;
    }
    spean_records_end(&s->at);
    free(s);
    return err;
}
