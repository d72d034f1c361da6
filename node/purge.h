/*
 * node/purge.h - what an organisation must not keep of a referral: it is erased here, by an entry
 * of our own that binds our own nodes, and receipted in the part steps once it is destroyed.
 *
 * The target erases preview and payload when it declined, when the person withdrew the consent, and
 * when it acknowledged a cancellation and said that it keeps nothing; whoever passed a referral on
 * erases the child when the consent is withdrawn. Nothing is erased while the target's track has a
 * second head: one of its nodes may have accepted (SCHEMA S6). Nor, for that reason, after a
 * decline before all open nodes of the target are known to have seen it, or have had time to: an
 * erasure binds them all, and cannot be taken back.
 */
#ifndef SPEAN_NODE_PURGE_H
#define SPEAN_NODE_PURGE_H

#include <stdint.h>

#include "node/records.h"
#include "node/referral.h"
#include "protocol/err.h"
#include "store/draft.h"

#define SPEAN_PURGE_WAIT_S (3u * 86400u) /* For our other nodes to tell that they took it. */

/* Tell in *parts, as bits 1u << part, what is to be erased and is not. Errors of the store. */
SPEAN_CHECK spean_err spean_purge_erases(const struct spean_records *at,
                                         const struct spean_records_item *item,
                                         const struct spean_referral_now *now, uint32_t *parts);

/* The same for what was destroyed on this node and has no receipt of it yet; *since_s is when. Each
 * node of an organisation gives its own: what one destroyed another may still hold. */
SPEAN_CHECK spean_err spean_purge_receipts(const struct spean_records *at,
                                           const struct spean_records_item *item,
                                           const struct spean_referral_now *now, uint32_t *parts,
                                           uint64_t *since_s);

/* Add erasures of these parts to draft. Errors of spean_draft_erase(). */
SPEAN_CHECK spean_err spean_purge_draft_erasures(struct spean_draft *draft,
                                                 const struct spean_record_id *referral,
                                                 uint32_t parts);

/* Add a receipt for them. Errors of spean_draft_op(). */
SPEAN_CHECK spean_err spean_purge_draft_receipt(const struct spean_records *at,
                                                struct spean_draft *draft,
                                                const struct spean_record_id *referral,
                                                uint32_t parts, uint64_t since_s);

#endif
