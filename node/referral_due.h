/*
 * node/referral_due.h - what follows by itself from what was folded about referrals, and is not
 * written yet. For node/referral_settle.c, which writes it.
 */
#ifndef SPEAN_NODE_REFERRAL_DUE_H
#define SPEAN_NODE_REFERRAL_DUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/records.h"
#include "node/withdrawal.h"
#include "protocol/bytes.h"
#include "protocol/err.h"

#define SPEAN_DUES_MAX 64u /* Looked for at once. */

enum spean_due_kind {
    SPEAN_DUE_GRANT,              /* The payload's key, to the target. */
    SPEAN_DUE_REFERRAL_WITHDRAWN, /* The withdrawal, into a referral. */
    SPEAN_DUE_CONSENT_WITHDRAWN,  /* The withdrawal, into the consent. */
    SPEAN_DUE_CASE_OPENED,        /* A case of our own, of a transfer that we took. */
    SPEAN_DUE_CASE_CLOSED,        /* The case whose transfer was taken. */
    SPEAN_DUE_ERASURE,            /* Of what we must not keep. */
    SPEAN_DUE_RECEIPT             /* For what is destroyed. */
};

struct spean_due {
    enum spean_due_kind kind;
    struct spean_record_id record; /* A referral; a consent where that is what is written. */
    struct spean_id target;        /* Of a grant. */
    struct spean_record_id a_case; /* The case to be closed. */
    uint32_t parts;                /* Of an erasure, a receipt: bits 1u << part. */
    uint64_t since_s;              /* Of a receipt: when it was destroyed. */
    uint8_t value[SPEAN_WITHDRAWAL_BYTES_MAX]; /* The withdrawal. */
    size_t value_len;
};

struct spean_dues {
    struct spean_due list[SPEAN_DUES_MAX];
    uint32_t count;
    bool more; /* There may be others. */
};

/* Look through all referrals. Errors of the store; *out is then not to be used. */
SPEAN_CHECK spean_err spean_dues_find(const struct spean_records *at, struct spean_dues *out);

#endif
