/*
 * store/local.h - fields of records that never leave this node: drafts, comments, retention.
 *
 * Values are sealed, and so are the names of the fields. A row is found by record and name.
 */
#ifndef SPEAN_STORE_LOCAL_H
#define SPEAN_STORE_LOCAL_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/err.h"
#include "store/db.h"
#include "store/keystore.h"

#define SPEAN_LOCAL_NAME_BYTES_MAX  64u
#define SPEAN_LOCAL_VALUE_BYTES_MAX 65536u

/*
 * Write or replace a field. SPEAN_EINPUT: name is empty or too long, or value is too long; nothing
 * changed. SPEAN_ELOCKED: the keys are locked. Others stick to tx.
 */
SPEAN_CHECK spean_err spean_local_put(struct spean_tx *tx, const struct spean_keys *keys,
                                      const struct spean_record_id *record, struct spean_view name,
                                      struct spean_view value);

/*
 * Read a field into buf of cap bytes, the length into *len. SPEAN_ENOTFOUND: it is not there.
 * SPEAN_ELIMIT: buf is too small; SPEAN_LOCAL_VALUE_BYTES_MAX is enough. SPEAN_EINPUT: as above.
 * SPEAN_ECORRUPT: damaged. SPEAN_ELOCKED. SPEAN_ENOMEM. After an error buf holds nothing of worth.
 */
SPEAN_CHECK spean_err spean_local_get(struct spean_tx *tx, const struct spean_keys *keys,
                                      const struct spean_record_id *record, struct spean_view name,
                                      uint8_t *buf, size_t cap, size_t *len);

/* Delete a field. SPEAN_ENOTFOUND: there is none. SPEAN_EINPUT, SPEAN_ELOCKED. Others stick. */
SPEAN_CHECK spean_err spean_local_del(struct spean_tx *tx, const struct spean_keys *keys,
                                      const struct spean_record_id *record, struct spean_view name);

/* Delete every field of a record. Needs no keys. Errors stick to tx. */
SPEAN_CHECK spean_err spean_local_del_all(struct spean_tx *tx,
                                          const struct spean_record_id *record);

#endif
