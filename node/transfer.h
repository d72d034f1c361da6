/*
 * node/transfer.h - what follows from a transfer that was taken: the target opens a case of its
 * own, the origin's is closed. Nothing changes owner in place.
 *
 * An organisation has several nodes, and one of them writes: the one that took the step from which
 * it follows, or, once that one's log is closed, the open one whose log id is the lowest.
 */
#ifndef SPEAN_NODE_TRANSFER_H
#define SPEAN_NODE_TRANSFER_H

#include <stdbool.h>

#include "node/records.h"
#include "node/referral.h"
#include "protocol/bytes.h"
#include "protocol/err.h"
#include "store/draft.h"

/* Say whether a referral hands the case over. */
bool spean_transfer_is_one(const struct spean_records_item *item);

/*
 * Of a transfer that the target took, at the target: *opens, if this node is to open the case, all
 * of whose details are here, and none was opened. Errors of the store.
 */
SPEAN_CHECK spean_err spean_transfer_opens(const struct spean_records *at,
                                           const struct spean_records_item *item,
                                           const struct spean_referral_now *now, bool *opens);

/*
 * The same at the origin: *closes, if this node is to close *a_case, which is open and was not
 * closed for this transfer before: somebody may have had reason to open it again.
 */
SPEAN_CHECK spean_err spean_transfer_closes(const struct spean_records *at,
                                            const struct spean_records_item *item,
                                            const struct spean_referral_now *now,
                                            struct spean_record_id *a_case, bool *closes);

/* Add the case that is opened of a referral to draft: one in each commit. Errors of the store, of
 * spean_case_defaults() and spean_draft_op(). */
SPEAN_CHECK spean_err spean_transfer_draft_open(struct spean_records *at, struct spean_draft *draft,
                                                const struct spean_record_id *referral);

/* Add the closing of a case to draft. Errors of spean_draft_op(). */
SPEAN_CHECK spean_err spean_transfer_draft_close(const struct spean_records *at,
                                                 struct spean_draft *draft,
                                                 const struct spean_record_id *a_case);

/* Find the case that was opened here of a transfer, and whether people still work on it.
 * SPEAN_ENOTFOUND: none was. Errors of the store. */
SPEAN_CHECK spean_err spean_transfer_case(const struct spean_records *at,
                                          const struct spean_record_id *referral,
                                          struct spean_record_id *a_case, bool *worked_on);

/* Remember on this node that the case was closed for this referral, once that is durable. */
SPEAN_CHECK spean_err spean_transfer_closed(struct spean_records *at,
                                            const struct spean_record_id *referral);

#endif
