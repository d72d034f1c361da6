#include "store/seal.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "protocol/hash.h"

#define TABLE_BYTES 4u

struct ad {
    uint8_t bytes[TABLE_BYTES + SPEAN_DB_KEY_BYTES_MAX];
};

/* Additional data: the number of the table in 4 bytes, and the key. */
static struct spean_view ad_of(enum spean_table table, struct spean_view key, struct ad *ad)
{
    assert(table < SPEAN_TABLES_COUNT);
    assert(key.len > 0);
    assert(key.len <= SPEAN_DB_KEY_BYTES_MAX);

    struct spean_db_key number = {0};
    spean_db_key_put_u32(&number, (uint32_t)table);
    (void)memcpy(ad->bytes, number.bytes, TABLE_BYTES);
    (void)memcpy(ad->bytes + TABLE_BYTES, key.data, key.len);
    return (struct spean_view){ad->bytes, TABLE_BYTES + key.len};
}

spean_err spean_seal_put(struct spean_tx *tx, const struct spean_keys *keys, enum spean_table table,
                         struct spean_view key, struct spean_view plaintext)
{
    assert(tx != NULL);
    assert(keys != NULL);

    const uint8_t *value_key = spean_keys_value_key(keys);
    if (value_key == NULL) {
        return spean_tx_fail(tx, SPEAN_ELOCKED);
    }
    if (plaintext.len > SPEAN_SEAL_PLAIN_BYTES_MAX) {
        return spean_tx_fail(tx, SPEAN_ELIMIT);
    }
    uint8_t *room;
    spean_err err = spean_tx_reserve(tx, table, key, plaintext.len + SPEAN_SEAL_EXTRA_BYTES,
                                     SPEAN_TX_ANYWHERE, &room);
    if (err != SPEAN_OK) {
        return err;
    }
    struct ad ad;
    randombytes_buf(room, SPEAN_AEAD_NONCE_BYTES);
    err = spean_aead_seal(room + SPEAN_AEAD_NONCE_BYTES, plaintext.len + SPEAN_AEAD_TAG_BYTES,
                          value_key, room, ad_of(table, key, &ad), plaintext);
    assert(err == SPEAN_OK); /* There is room. */
    return SPEAN_OK;
}

spean_err spean_seal_open(const struct spean_keys *keys, enum spean_table table,
                          struct spean_view key, struct spean_view sealed, uint8_t *buf, size_t cap,
                          size_t *len)
{
    assert(keys != NULL);
    assert(buf != NULL);
    assert(len != NULL);

    const uint8_t *value_key = spean_keys_value_key(keys);
    if (value_key == NULL) {
        return SPEAN_ELOCKED;
    }
    if (sealed.len < SPEAN_SEAL_EXTRA_BYTES) {
        return SPEAN_ECORRUPT;
    }
    struct ad ad;
    const struct spean_view box = {sealed.data + SPEAN_AEAD_NONCE_BYTES,
                                   sealed.len - SPEAN_AEAD_NONCE_BYTES};
    const spean_err err =
        spean_aead_open(buf, cap, value_key, sealed.data, ad_of(table, key, &ad), box);
    if (err == SPEAN_OK) {
        *len = sealed.len - SPEAN_SEAL_EXTRA_BYTES;
    }
    return err == SPEAN_ESIGNATURE ? SPEAN_ECORRUPT : err;
}

spean_err spean_seal_get(struct spean_tx *tx, const struct spean_keys *keys, enum spean_table table,
                         struct spean_view key, uint8_t *buf, size_t cap, size_t *len)
{
    struct spean_view sealed;
    const spean_err err = spean_tx_get(tx, table, key, &sealed);
    if (err != SPEAN_OK) {
        return err;
    }
    return spean_seal_open(keys, table, key, sealed, buf, cap, len);
}

spean_err spean_seal_name(const struct spean_keys *keys, const char *domain, struct spean_view name,
                          uint8_t out[SPEAN_SEAL_NAME_BYTES])
{
    assert(keys != NULL);
    assert(domain != NULL);
    assert(out != NULL);

    const uint8_t *name_key = spean_keys_name_key(keys);
    if (name_key == NULL) {
        return SPEAN_ELOCKED;
    }
    struct spean_hash h;
    spean_hash_begin_keyed(&h, domain, name_key, SPEAN_KEY_BYTES, SPEAN_SEAL_NAME_BYTES);
    spean_hash_update(&h, name.data, name.len);
    spean_hash_end(&h, out, SPEAN_SEAL_NAME_BYTES);
    return SPEAN_OK;
}
