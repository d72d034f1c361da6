/*
 * protocol/ledger_chain.h - every version held of the charter, and which is in force (P4.6).
 *
 * Each node goes on with the branch that it had first, so the order of adding matters. What any
 * other branch removes or cuts is removed or cut all the same, and only a version that joins two
 * heads under the rules of both ends the fork.
 */
#ifndef SPEAN_PROTOCOL_LEDGER_CHAIN_H
#define SPEAN_PROTOCOL_LEDGER_CHAIN_H

#include <stdint.h>

#include "protocol/chain.h"
#include "protocol/document.h"
#include "protocol/err.h"
#include "protocol/ledger.h"

struct spean_ledger_joint; /* What one joining version put in force. */

/* Read the fields; only this module writes them. */
struct spean_ledger_chain {
    struct spean_chain chain;
    struct spean_ledger tip;    /* After version tip_number, which was added last. */
    uint32_t tip_number;        /* SPEAN_CHAIN_NONE: nothing held. */
    uint32_t own_number;        /* The head of the branch that this node goes on with. */
    struct spean_ledger ledger; /* In force: that branch, less what others removed and cut. */
    uint32_t joints_count;
    uint32_t joints_cap;
    struct spean_ledger_joint *joints;
};

void spean_ledger_chain_init(struct spean_ledger_chain *lc);
void spean_ledger_chain_fini(struct spean_ledger_chain *lc);

/*
 * Judge a document against the version that it follows, keep it, and settle what is in force.
 * Errors as in spean_chain_place() and spean_ledger_apply(); SPEAN_EGAP also: the head that it
 * joins is not held; SPEAN_ECHAIN also: one of the two that it joins follows the other. lc is then
 * as before. SPEAN_ENOMEM: lc may only be ended.
 */
SPEAN_CHECK spean_err spean_ledger_chain_add(struct spean_ledger_chain *lc,
                                             const struct spean_document *doc);

#endif
