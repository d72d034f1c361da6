/*
 * protocol/org_chain.h - every version held of one org's statement, and which is in force (P3.9).
 *
 * Branches are kept side by side. In force is the one with the most recovery-signed versions; among
 * equals none is, and the org is frozen at the version that they have in common, with every log
 * closed that one of them cuts. The result does not depend on the order of arrival.
 */
#ifndef SPEAN_PROTOCOL_ORG_CHAIN_H
#define SPEAN_PROTOCOL_ORG_CHAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/chain.h"
#include "protocol/document.h"
#include "protocol/err.h"
#include "protocol/org.h"

/* Read the fields; only this module writes them. */
struct spean_org_chain {
    struct spean_chain chain;
    struct spean_org tip; /* After version tip_number, which was added last. */
    uint32_t tip_number;  /* SPEAN_CHAIN_NONE: nothing held. */
    struct spean_org org; /* In force. */
    bool frozen;          /* org is the common version, with the cuts of all branches. */
    uint64_t *recoveries; /* For each version: how many up to it were signed by recovery. */
    uint32_t recoveries_cap;
    bool has_pin;
    struct spean_id pin;
    uint32_t aside_count; /* Nodes that only a branch that is not in force opened. */
    uint32_t aside_cap;
    struct spean_org_node *aside;
};

void spean_org_chain_init(struct spean_org_chain *oc);
void spean_org_chain_fini(struct spean_org_chain *oc);

/*
 * Judge a document against the version that it follows, keep it, and settle what is in force.
 * Errors as in spean_chain_place() and spean_org_apply(); oc is then as before. SPEAN_ENOMEM: oc
 * may only be ended.
 */
SPEAN_CHECK spean_err spean_org_chain_add(struct spean_org_chain *oc,
                                          const struct spean_document *doc);

/*
 * Settle by a pin of the charter, NULL for none (P4.8). A pin that names a version not held waits
 * for it. SPEAN_ENOMEM: oc may only be ended.
 */
SPEAN_CHECK spean_err spean_org_chain_pin(struct spean_org_chain *oc, const struct spean_id *pin);

#endif
