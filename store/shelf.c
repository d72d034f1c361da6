#include "store/shelf.h"

#include <assert.h>
#include <string.h>

#include "protocol/hash.h"
#include "store/seal.h"

#define DOMAIN     "spean/store-value/1"
#define HASH_BYTES 16u

/* The hash binds a value to its row, as sealing does. */
static void hash_of(uint8_t out[HASH_BYTES], enum spean_table table, struct spean_view key,
                    struct spean_view bytes)
{
    const uint8_t head[2] = {(uint8_t)table, (uint8_t)key.len};
    struct spean_hash h;
    spean_hash_begin(&h, DOMAIN, HASH_BYTES);
    spean_hash_update(&h, head, sizeof(head));
    spean_hash_update(&h, key.data, key.len);
    spean_hash_update(&h, bytes.data, bytes.len);
    spean_hash_end(&h, out, HASH_BYTES);
}

spean_err spean_shelf_put(struct spean_tx *tx, const struct spean_keys *keys,
                          enum spean_table table, struct spean_view key, enum spean_shelf shelf,
                          struct spean_view bytes)
{
    assert(tx != NULL);
    assert(bytes.len <= SPEAN_SHELF_BYTES_MAX);

    if (shelf == SPEAN_SHELF_SEALED) {
        return spean_seal_put(tx, keys, table, key, bytes);
    }
    uint8_t *at;
    const spean_err err =
        spean_tx_reserve(tx, table, key, HASH_BYTES + bytes.len, SPEAN_TX_ANYWHERE, &at);
    if (err != SPEAN_OK) {
        return err;
    }
    hash_of(at, table, key, bytes);
    if (bytes.len > 0) {
        (void)memcpy(at + HASH_BYTES, bytes.data, bytes.len);
    }
    return SPEAN_OK;
}

spean_err spean_shelf_get(struct spean_tx *tx, const struct spean_keys *keys,
                          enum spean_table table, struct spean_view key, enum spean_shelf shelf,
                          uint8_t *buf, size_t cap, size_t *len)
{
    assert(buf != NULL);
    assert(len != NULL);

    if (shelf == SPEAN_SHELF_SEALED) {
        return spean_seal_get(tx, keys, table, key, buf, cap, len);
    }
    struct spean_view value;
    const spean_err err = spean_tx_get(tx, table, key, &value);
    if (err != SPEAN_OK) {
        return err;
    }
    if (value.len < HASH_BYTES) {
        return SPEAN_ECORRUPT;
    }
    const struct spean_view bytes = {value.data + HASH_BYTES, value.len - HASH_BYTES};
    if (bytes.len > cap) {
        return SPEAN_ELIMIT;
    }
    uint8_t expected[HASH_BYTES];
    hash_of(expected, table, key, bytes);
    if (memcmp(expected, value.data, HASH_BYTES) != 0) {
        return SPEAN_ECORRUPT;
    }
    (void)memcpy(buf, bytes.data, bytes.len);
    *len = bytes.len;
    return SPEAN_OK;
}
