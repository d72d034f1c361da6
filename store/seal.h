/*
 * store/seal.h - values sealed at rest under the store key, and names hidden in keys of rows.
 *
 * A sealed value is nonce ‖ ciphertext ‖ tag; its table and the key of its row are bound in, so a
 * row moved elsewhere does not open. The length of the plaintext shows.
 */
#ifndef SPEAN_STORE_SEAL_H
#define SPEAN_STORE_SEAL_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/aead.h"
#include "protocol/bytes.h"
#include "protocol/err.h"
#include "store/db.h"
#include "store/keystore.h"

#define SPEAN_SEAL_EXTRA_BYTES     (SPEAN_AEAD_NONCE_BYTES + SPEAN_AEAD_TAG_BYTES)
#define SPEAN_SEAL_PLAIN_BYTES_MAX (SPEAN_DB_VALUE_BYTES_MAX - SPEAN_SEAL_EXTRA_BYTES)
#define SPEAN_SEAL_NAME_BYTES      16u

/*
 * Write or replace a row with plaintext, sealed. Errors stick to tx, as those of spean_tx_put():
 * also SPEAN_ELOCKED, the keys are locked, and SPEAN_ELIMIT, plaintext is longer than
 * SPEAN_SEAL_PLAIN_BYTES_MAX. plaintext is not a view into the store.
 */
spean_err spean_seal_put(struct spean_tx *tx, const struct spean_keys *keys, enum spean_table table,
                         struct spean_view key, struct spean_view plaintext);

/*
 * Open sealed, the value of row key in table, into buf of cap bytes, the length into *len.
 * SPEAN_ECORRUPT: it does not verify. SPEAN_ELIMIT: buf is too small; sealed.len is enough.
 * SPEAN_ELOCKED. After an error buf holds nothing of worth.
 */
SPEAN_CHECK spean_err spean_seal_open(const struct spean_keys *keys, enum spean_table table,
                                      struct spean_view key, struct spean_view sealed, uint8_t *buf,
                                      size_t cap, size_t *len);

/* Look up row key and open its value as spean_seal_open() does. SPEAN_ENOTFOUND: no such row.
 * Other errors as for spean_tx_get(); what is found wrong here does not stick to tx. */
SPEAN_CHECK spean_err spean_seal_get(struct spean_tx *tx, const struct spean_keys *keys,
                                     enum spean_table table, struct spean_view key, uint8_t *buf,
                                     size_t cap, size_t *len);

/* Hash a name, or whatever else would tell something as a key of a row, into out. domain is a
 * constant that says what for. SPEAN_ELOCKED: out is unchanged. */
SPEAN_CHECK spean_err spean_seal_name(const struct spean_keys *keys, const char *domain,
                                      struct spean_view name, uint8_t out[SPEAN_SEAL_NAME_BYTES]);

#endif
