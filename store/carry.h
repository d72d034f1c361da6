/*
 * store/carry.h - what a relay lacks: sealed bodies of which it holds the header alone (P13.10).
 *
 * A relay holds every body and opens none, so nothing here needs a key: a locked one carries, too.
 * Bodies under erased tags are not lacking.
 */
#ifndef SPEAN_STORE_CARRY_H
#define SPEAN_STORE_CARRY_H

#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/err.h"
#include "store/db.h"
#include "store/partkeys.h"

/* Where the walk is; begin with all zero. */
struct spean_carry_at {
    struct spean_tag tag;
    uint32_t number; /* Of the log. */
    uint64_t seq;    /* At this or above. */
};

/*
 * Give the next group of bodies that are not held, of a log of org (NULL: of any), and move *at
 * behind it; proof is all zero. SPEAN_ENOTFOUND: no more. SPEAN_ECORRUPT. One seek for each tag.
 */
SPEAN_CHECK spean_err spean_carry_lacking(struct spean_tx *tx, const struct spean_id *org,
                                          struct spean_carry_at *at, struct spean_lacking *out);

/* Count what is lacking: the number in SYNCED of a relay (P13.11). Errors as above. */
SPEAN_CHECK spean_err spean_carry_count(struct spean_tx *tx, uint64_t *count);

#endif
