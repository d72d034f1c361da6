/*
 * store/handed.h - which nodes of our organisation are known to have got its sealing secrets, and
 * up to which generation (P8.6).
 *
 * What is known is what this node handed out itself, who handed them to it, and whom else that
 * node reached for certain. Of a node of which nothing is known the secrets may be there all the
 * same: to hand them over once more does no harm.
 */
#ifndef SPEAN_STORE_HANDED_H
#define SPEAN_STORE_HANDED_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/authority.h"
#include "protocol/bytes.h"
#include "protocol/err.h"
#include "store/db.h"

/* Note that the node with this sealing key has the secrets up to generation. What is known of later
 * ones stays. SPEAN_ECORRUPT; others stick to tx. */
SPEAN_CHECK spean_err spean_handed_put(struct spean_tx *tx, const struct spean_key *sealing,
                                       uint64_t generation);

/*
 * Note what a grant shows that was opened here: by a log of org, with so many boxes, of the secrets
 * up to generation. Its author has them; and where it has as many boxes as org ever had nodes, so
 * has every one of them: an author gives each open node it knows of one box. Errors likewise.
 */
SPEAN_CHECK spean_err spean_handed_seen(struct spean_tx *tx,
                                        const struct spean_authority *authority,
                                        const struct spean_log *author, uint32_t boxes_count,
                                        uint64_t generation);

/* Say whether a node lacks, for all that is known, the newest secret that its organisation's
 * statement names. SPEAN_ECORRUPT; others stick to tx. */
SPEAN_CHECK spean_err spean_handed_lacks(struct spean_tx *tx,
                                         const struct spean_authority *authority,
                                         const struct spean_log *node, bool *lacks);

/* Say whether that is so of an open node of the organisation of own, other than own itself. */
SPEAN_CHECK spean_err spean_handed_owes(struct spean_tx *tx,
                                        const struct spean_authority *authority,
                                        const struct spean_log *own, bool *owes);

#endif
