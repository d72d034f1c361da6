/*
 * store/fold.h - from entries to records, behind the logs at its own pace.
 *
 * Each log is folded up to a cursor of its own, in batches of one write transaction each. What
 * comes out depends on the documents, the chains, and the bodies and keys held, and on nothing
 * else (P10.1): entries that wait for a body, a key or a record are looked at again when it comes;
 * parts that a cut, an erasure or another judgement touched are folded again from their changes.
 *
 * While the keys are locked the fold waits. One thread: that which writes to the store.
 */
#ifndef SPEAN_STORE_FOLD_H
#define SPEAN_STORE_FOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/aside.h"
#include "protocol/authority.h"
#include "protocol/bytes.h"
#include "protocol/err.h"
#include "store/db.h"
#include "store/keystore.h"

#define SPEAN_FOLD_BATCH_MAX 65536u /* Entries in one step. */
#define SPEAN_FOLD_PARTS_MAX 4096u  /* Parts touched in one step; the batch ends there. */

struct spean_fold; /* Opaque. */

/*
 * Create a fold for the node of org that has this signing key; db and keys outlive it and it writes
 * nothing yet. SPEAN_ENOMEM, SPEAN_EMEMLOCK. The caller frees *out.
 */
SPEAN_CHECK spean_err spean_fold_new(struct spean_db *db, struct spean_keys *keys,
                                     const struct spean_id *org, const struct spean_key *signing,
                                     struct spean_fold **out);
void spean_fold_free(struct spean_fold *fold); /* NULL is allowed. */

/*
 * Fold about budget entries (1 to SPEAN_FOLD_BATCH_MAX) in a write transaction of its own. *more:
 * there is more to do; call again. No transaction is open. Call it after entries, bodies or
 * documents became durable, after unlocking, and at start. now_s is our clock, for display.
 * SPEAN_ELOCKED: it waits; call again after unlocking. SPEAN_EBUSY: a write transaction is open.
 * SPEAN_ESTATE: authority knows no genesis yet. SPEAN_EFULL, SPEAN_ENOMEM: nothing was folded, try
 * again later. SPEAN_ECORRUPT, SPEAN_EIO: verify the store.
 */
SPEAN_CHECK spean_err spean_fold_step(struct spean_fold *fold,
                                      const struct spean_authority *authority, uint32_t budget,
                                      uint64_t now_s, bool *more);

/*
 * Say that the body of an entry of log number came by itself, in the transaction in which
 * spean_body_put() kept it: it will be folded. Needs no keys. Errors stick to tx.
 */
spean_err spean_fold_body(struct spean_tx *tx, uint32_t number, uint64_t seq);

/* Forget everything that was folded, and begin at the first entry of each log: for repair. Keys,
 * records and what is set aside come again; what is erased stays so. Errors stick to tx. */
spean_err spean_fold_reset(struct spean_tx *tx);

/* How far the fold is. */
struct spean_fold_status {
    uint64_t entries_behind;  /* Above the cursors. */
    uint64_t queued;          /* To be looked at again, at most SPEAN_FOLD_COUNT_MAX. */
    uint64_t parts_dirty;     /* Shown as they were until folded again; likewise. */
    uint64_t waiting_records; /* Entries whose record is not known; likewise. */
    uint64_t grants_unopened; /* Not for us, or for a key of ours that we lack; likewise. */
    uint64_t bodies_lacking;  /* That we could read. */
    uint64_t aside;           /* Judged and not folded; likewise. */
    uint64_t unknown;         /* Of kinds and formats that this program does not know. */
};
#define SPEAN_FOLD_COUNT_MAX 100000u

/* Tell how far the fold is. Needs no keys. SPEAN_ECORRUPT. */
SPEAN_CHECK spean_err spean_fold_status(struct spean_tx *tx,
                                        const struct spean_authority *authority,
                                        struct spean_fold_status *out);

/* How far log number is folded, 0 for not at all. SPEAN_ECORRUPT. */
SPEAN_CHECK spean_err spean_fold_cursor(struct spean_tx *tx, uint32_t number, uint64_t *seq);

/* -- Set aside ------------------------------------------------------------------------------- */

/* An entry that was judged, and is kept and shown, but not folded. */
struct spean_fold_aside {
    uint32_t number; /* Of the log. */
    uint64_t seq;
    enum spean_aside reason;
    uint64_t since_s; /* By our clock. */
};

/* Give the first at (number, seq) or behind. SPEAN_ENOTFOUND: no more. SPEAN_ECORRUPT. */
SPEAN_CHECK spean_err spean_fold_aside_next(struct spean_tx *tx, uint32_t number, uint64_t seq,
                                            struct spean_fold_aside *out);

/* -- What other nodes have seen -------------------------------------------------------------- */

/*
 * Up to where the node that writes log number has said, in its heads entries, that it has seen the
 * log with this short name (P5.10). *seq is 0 when it never did; *said_seq is where it last said
 * so. SPEAN_ECORRUPT.
 */
SPEAN_CHECK spean_err spean_fold_seen(struct spean_tx *tx, uint32_t number, uint64_t short_name,
                                      uint64_t *seq, uint64_t *said_seq);

#endif
