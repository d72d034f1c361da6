/* protocol/heads.h - a node's signed word on how far it has seen all logs (P5.10). */
#ifndef SPEAN_PROTOCOL_HEADS_H
#define SPEAN_PROTOCOL_HEADS_H

#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/err.h"
#include "protocol/limits.h"

#define SPEAN_HEADS_ENTRY_BYTES                                                                    \
    16u /* First bytes of the entry id: enough for a second preimage.                              \
         */

struct spean_heads_row {
    uint64_t log; /* Short name. */
    uint64_t seq;
    uint8_t entry[SPEAN_HEADS_ENTRY_BYTES];
};

/*
 * Decode the content of a heads entry into rows, which has room for SPEAN_HEADS_ROWS_MAX.
 * SPEAN_EFORMAT: not canonical, not strictly ascending by log, or a seq of 0; SPEAN_ELIMIT.
 */
SPEAN_CHECK spean_err spean_heads_decode(struct spean_view content, struct spean_heads_row *rows,
                                         uint32_t *count);

/* Encode count rows, ascending by log, at buf. SPEAN_ELIMIT: cap is too small. */
SPEAN_CHECK spean_err spean_heads_encode(const struct spean_heads_row *rows, uint32_t count,
                                         uint8_t *buf, size_t cap, struct spean_view *out);

#endif
