/*
 * store/shelf.h - values of rows that are sealed if they come from a sealed part, and otherwise
 * hashed, for LMDB keeps no checksums.
 */
#ifndef SPEAN_STORE_SHELF_H
#define SPEAN_STORE_SHELF_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/err.h"
#include "store/db.h"
#include "store/keystore.h"

#define SPEAN_SHELF_BYTES_MAX 524288u /* Of one value. */

enum spean_shelf {
    SPEAN_SHELF_OPEN,   /* Everybody may read it. */
    SPEAN_SHELF_SEALED, /* Under the store key. */
};

/* Write or replace a row. bytes is not a view into the store. Errors stick to tx: those of
 * spean_seal_put(). */
spean_err spean_shelf_put(struct spean_tx *tx, const struct spean_keys *keys,
                          enum spean_table table, struct spean_view key, enum spean_shelf shelf,
                          struct spean_view bytes);

/* Read a row into buf. SPEAN_ENOTFOUND. SPEAN_ELIMIT: cap. SPEAN_ELOCKED. SPEAN_ECORRUPT: it is
 * damaged. Others as for spean_tx_get(). */
SPEAN_CHECK spean_err spean_shelf_get(struct spean_tx *tx, const struct spean_keys *keys,
                                      enum spean_table table, struct spean_view key,
                                      enum spean_shelf shelf, uint8_t *buf, size_t cap,
                                      size_t *len);

#endif
