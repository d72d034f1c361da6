/* store/counter.h - numbers that are given once and never again, also after what had them is gone.
 */
#ifndef SPEAN_STORE_COUNTER_H
#define SPEAN_STORE_COUNTER_H

#include <stdint.h>

#include "protocol/err.h"
#include "store/db.h"

/*
 * Give the next number of the counter called name (a constant of at most 32 bytes): 1, 2, 3 and so
 * on. SPEAN_ELIMIT: it would be above max; nothing changed. SPEAN_ECORRUPT: the row is damaged.
 * Others stick to tx.
 */
SPEAN_CHECK spean_err spean_counter_next(struct spean_tx *tx, const char *name, uint32_t max,
                                         uint32_t *out);

#endif
