/*
 * store/items.h - the list items of parts, each a row of its own.
 *
 * A part is stored as its trunk (store/record.h) and, for every item of its lists, two rows: the
 * item, where canonical order has it (P10.5), and its name, which leads there. A strike that came
 * before its item is one row. So a change to a list writes few rows, however long the list is.
 *
 * Rows are sealed, or hashed where the part is public. Which field of which record an item is of,
 * and which entry appended it when, shows in their keys, as much of it does in the headers.
 */
#ifndef SPEAN_STORE_ITEMS_H
#define SPEAN_STORE_ITEMS_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/err.h"
#include "protocol/fold.h"
#include "store/db.h"
#include "store/keystore.h"
#include "store/partkeys.h"

/*
 * Take the item of a list field that is named, or the strike of it, into a part whose rows are
 * kept; if there is neither, nothing changes. SPEAN_ECORRUPT: fold anew. SPEAN_ELOCKED,
 * SPEAN_ENOMEM.
 */
SPEAN_CHECK spean_err spean_items_hold(struct spean_tx *tx, const struct spean_keys *keys,
                                       const struct spean_part_name *name, struct spean_part *part,
                                       uint64_t field, const struct spean_dot *dot);

/* Take all of them. Errors as above. */
SPEAN_CHECK spean_err spean_items_load(struct spean_tx *tx, const struct spean_keys *keys,
                                       const struct spean_part_name *name, struct spean_part *part);

/* Write the items and strikes that part holds. Errors stick to tx, but SPEAN_ENOMEM. */
SPEAN_CHECK spean_err spean_items_put(struct spean_tx *tx, const struct spean_keys *keys,
                                      const struct spean_part_name *name,
                                      const struct spean_part *part);

/* Count all rows of a part. */
SPEAN_CHECK spean_err spean_items_count(struct spean_tx *tx, const struct spean_part_name *name,
                                        uint64_t *count);

/* Forget all rows of a part. Errors stick to tx. */
spean_err spean_items_del(struct spean_tx *tx, const struct spean_part_name *name);

/* Takes the bytes of rows: spean_item_encode(), spean_dot_encode(). */
typedef spean_err spean_items_take(void *ctx, struct spean_view bytes);

/* Give the items, or the strikes of items not held, of a list in canonical order; there must be
 * count (SPEAN_ECORRUPT). Errors of take end it. Others as above. */
SPEAN_CHECK spean_err spean_items_each(struct spean_tx *tx, const struct spean_keys *keys,
                                       const struct spean_part_name *name, uint64_t field,
                                       uint32_t count, spean_items_take *take, void *ctx);
SPEAN_CHECK spean_err spean_items_strikes_each(struct spean_tx *tx, const struct spean_keys *keys,
                                               const struct spean_part_name *name, uint64_t field,
                                               uint32_t count, spean_items_take *take, void *ctx);

/*
 * For a check: say whether the row with this key can be read, and agrees with those that name the
 * same item. SPEAN_ELOCKED: it is sealed, so that cannot be said.
 */
SPEAN_CHECK spean_err spean_items_agree(struct spean_tx *tx, const struct spean_keys *keys,
                                        struct spean_view key, bool *agree);

#endif
