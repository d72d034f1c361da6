/*
 * store/documents.h - charter and statement documents, in the order in which they arrived.
 *
 * An authority is built at start by adding them in that order. It lives in memory and knows no
 * transactions: when a transaction in which spean_documents_put() kept something is not committed,
 * the authority knows documents that the store has not. Free it then and load another, or, since
 * that follows from a full disk or worse, end the process; never go on with it.
 */
#ifndef SPEAN_STORE_DOCUMENTS_H
#define SPEAN_STORE_DOCUMENTS_H

#include <stdint.h>

#include "protocol/authority.h"
#include "protocol/bytes.h"
#include "protocol/err.h"
#include "store/db.h"

/*
 * Add every document kept to authority, which knows nothing yet. Opens a read transaction.
 * SPEAN_ECORRUPT: a row is damaged or is not valid after those before it; restore a backup.
 * SPEAN_ENOMEM, and those of spean_tx_begin(). After an error free the authority.
 */
SPEAN_CHECK spean_err spean_documents_load(struct spean_db *db, struct spean_authority *authority);

/*
 * Judge count documents in turn and keep those that are valid; what one changed goes to
 * changes[*kept], which has room for count. One that is held already is passed over.
 * SPEAN_ELIMIT, SPEAN_EWAIT, SPEAN_EGAP: at least one has no room or place here, which need not be
 * the fault of who sent it; it was passed over, and the others were judged.
 * Other errors of spean_authority_add(): the first one refused ends it; those before it stay kept.
 * Errors of tx, which then has failed (spean_tx_err()).
 */
SPEAN_CHECK spean_err spean_documents_put(struct spean_tx *tx, struct spean_authority *authority,
                                          const struct spean_view *documents, uint32_t count,
                                          enum spean_authority_pending pending,
                                          struct spean_authority_change *changes, uint32_t *kept);

/*
 * Look up a document of a chain (ledger id or org id); *out is a view into the store.
 * SPEAN_ENOTFOUND: it is not held, or is of another chain. SPEAN_ECORRUPT: it is damaged.
 */
SPEAN_CHECK spean_err spean_documents_get(struct spean_tx *tx, const struct spean_id *chain,
                                          const struct spean_title *title, struct spean_view *out);

/* One document as it is kept. */
struct spean_documents_row {
    uint64_t number; /* Counts arrivals, from 1. */
    struct spean_id chain;
    struct spean_title title;
    struct spean_view bytes; /* View into the store. */
};

/* Give the first document whose number is at least from. SPEAN_ENOTFOUND: there is none.
 * SPEAN_ECORRUPT: that row is damaged. */
SPEAN_CHECK spean_err spean_documents_next(struct spean_tx *tx, uint64_t from,
                                           struct spean_documents_row *out);

#endif
