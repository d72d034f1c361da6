/* store/context.h - what this node has read of a part: the context of the next change (P9.3) or
 * grant (P8.3). */
#ifndef SPEAN_STORE_CONTEXT_H
#define SPEAN_STORE_CONTEXT_H

#include <stdint.h>

#include "protocol/authority.h"
#include "protocol/bytes.h"
#include "protocol/change.h"
#include "protocol/err.h"
#include "store/db.h"
#include "store/keystore.h"
#include "store/partkeys.h"

/*
 * Compute the context of a change to a part that is about to be written into log, into rows,
 * ascending by log: for each other log that wrote to a value, strictest or set field that an
 * operation replaces, its last change to this part up to which every body of the part there was
 * read and folded. Lists and one-way fields need none.
 *
 * A row is left out where nothing was read, or where a short name names two logs: what such a log
 * wrote stays as a sibling. Above SPEAN_CONTEXT_ROWS_MAX, logs with a write that still shows come
 * first. Fold what this node wrote itself before the next change (spean_fold_step() until no more).
 *
 * *count is 0 for a part of which nothing is folded. SPEAN_EWAIT: the part waits to be folded
 * again, so what is shown of it is not what was read; fold, then try again. SPEAN_ESTATE: the part
 * is erased. SPEAN_ELIMIT: it is too large to be shown; write nothing. SPEAN_ELOCKED,
 * SPEAN_ECORRUPT, SPEAN_ENOMEM.
 */
SPEAN_CHECK spean_err spean_context_rows(
    struct spean_tx *tx, const struct spean_keys *keys, const struct spean_authority *authority,
    const struct spean_id *log, const struct spean_part_name *part,
    const struct spean_operation *operations, uint32_t operations_count,
    struct spean_context_row rows[SPEAN_CONTEXT_ROWS_MAX], uint32_t *count);

/*
 * Compute the context of a grant that opens a new generation of a part, about to be written into
 * log for audience (ascending), into rows, ascending by log (P8.3): for each other log that wrote
 * to this part, its last change to it up to which every body of the part there was read, whether it
 * is folded or set aside. A row is left out as above. Above SPEAN_CONTEXT_ROWS_MAX, only logs
 * of organisations that are not in the audience: the rows of others cover nothing.
 *
 * *count is 0 for a part of which nothing was read. SPEAN_ELOCKED, SPEAN_ECORRUPT.
 */
SPEAN_CHECK spean_err spean_context_part(struct spean_tx *tx, const struct spean_keys *keys,
                                         const struct spean_authority *authority,
                                         const struct spean_id *log,
                                         const struct spean_part_name *part,
                                         const struct spean_id *audience, uint32_t audience_count,
                                         struct spean_context_row rows[SPEAN_CONTEXT_ROWS_MAX],
                                         uint32_t *count);

#endif
