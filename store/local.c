#include "store/local.h"

#include <assert.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "store/seal.h"

#define NAME_DOMAIN "spean/local-name/1"

static bool name_valid(struct spean_view name)
{
    return name.len > 0 && name.len <= SPEAN_LOCAL_NAME_BYTES_MAX;
}

/* A row is found by its record and the hidden name of the field. */
static spean_err row_key(const struct spean_keys *keys, const struct spean_record_id *record,
                         struct spean_view name, struct spean_db_key *key)
{
    if (!name_valid(name)) {
        return SPEAN_EINPUT;
    }
    uint8_t hidden[SPEAN_SEAL_NAME_BYTES];
    const spean_err err = spean_seal_name(keys, NAME_DOMAIN, name, hidden);
    if (err != SPEAN_OK) {
        return err;
    }
    *key = (struct spean_db_key){0};
    spean_db_key_put_bytes(key, record->bytes, sizeof(record->bytes));
    spean_db_key_put_bytes(key, hidden, sizeof(hidden));
    return SPEAN_OK;
}

spean_err spean_local_put(struct spean_tx *tx, const struct spean_keys *keys,
                          const struct spean_record_id *record, struct spean_view name,
                          struct spean_view value)
{
    assert(record != NULL);

    if (value.len > SPEAN_LOCAL_VALUE_BYTES_MAX) {
        return SPEAN_EINPUT;
    }
    struct spean_db_key key;
    spean_err err = row_key(keys, record, name, &key);
    if (err != SPEAN_OK) {
        return err;
    }
    /* The name goes in too, before the value: whoever opens the row can say what it is. */
    const size_t len = 1 + name.len + value.len;
    uint8_t *plain = malloc(len);
    if (plain == NULL) {
        return SPEAN_ENOMEM;
    }
    plain[0] = (uint8_t)name.len;
    (void)memcpy(plain + 1, name.data, name.len);
    if (value.len > 0) {
        (void)memcpy(plain + 1 + name.len, value.data, value.len);
    }
    err = spean_seal_put(tx, keys, SPEAN_TABLE_LOCAL, spean_db_key_view(&key),
                         (struct spean_view){plain, len});
    sodium_memzero(plain, len);
    free(plain);
    return err;
}

/* Take the value out of an opened row. */
static spean_err value_copy(struct spean_view plain, struct spean_view name, uint8_t *buf,
                            size_t cap, size_t *len)
{
    if (plain.len < 1 + name.len || plain.data[0] != name.len ||
        memcmp(plain.data + 1, name.data, name.len) != 0) {
        return SPEAN_ECORRUPT;
    }
    const size_t value_len = plain.len - 1 - name.len;
    if (value_len > cap) {
        return SPEAN_ELIMIT;
    }
    if (value_len > 0) {
        (void)memcpy(buf, plain.data + 1 + name.len, value_len);
    }
    *len = value_len;
    return SPEAN_OK;
}

spean_err spean_local_get(struct spean_tx *tx, const struct spean_keys *keys,
                          const struct spean_record_id *record, struct spean_view name,
                          uint8_t *buf, size_t cap, size_t *len)
{
    assert(record != NULL);
    assert(len != NULL);

    struct spean_db_key key;
    spean_err err = row_key(keys, record, name, &key);
    if (err != SPEAN_OK) {
        return err;
    }
    struct spean_view sealed;
    err = spean_tx_get(tx, SPEAN_TABLE_LOCAL, spean_db_key_view(&key), &sealed);
    if (err != SPEAN_OK) {
        return err;
    }
    if (sealed.len == 0) {
        return SPEAN_ECORRUPT;
    }
    uint8_t *plain = malloc(sealed.len);
    if (plain == NULL) {
        return SPEAN_ENOMEM;
    }
    size_t plain_len;
    err = spean_seal_open(keys, SPEAN_TABLE_LOCAL, spean_db_key_view(&key), sealed, plain,
                          sealed.len, &plain_len);
    if (err == SPEAN_OK) {
        err = value_copy((struct spean_view){plain, plain_len}, name, buf, cap, len);
    }
    sodium_memzero(plain, sealed.len);
    free(plain);
    return err;
}

spean_err spean_local_del(struct spean_tx *tx, const struct spean_keys *keys,
                          const struct spean_record_id *record, struct spean_view name)
{
    assert(record != NULL);

    struct spean_db_key key;
    const spean_err err = row_key(keys, record, name, &key);
    return err == SPEAN_OK ? spean_tx_del(tx, SPEAN_TABLE_LOCAL, spean_db_key_view(&key)) : err;
}

spean_err spean_local_del_all(struct spean_tx *tx, const struct spean_record_id *record)
{
    assert(record != NULL);

    spean_err err = SPEAN_OK;
    while (err == SPEAN_OK) {
        struct spean_cursor cursor;
        err = spean_cursor_init(&cursor, tx, SPEAN_TABLE_LOCAL,
                                (struct spean_view){record->bytes, sizeof(record->bytes)});
        if (err != SPEAN_OK) {
            break;
        }
        struct spean_view found;
        struct spean_view value;
        struct spean_db_key key = {0};
        err = spean_cursor_first(&cursor, &found, &value);
        if (err == SPEAN_OK) {
            spean_db_key_put_bytes(&key, found.data, found.len);
        }
        spean_cursor_fini(&cursor);
        if (err == SPEAN_OK) {
            err = spean_tx_del(tx, SPEAN_TABLE_LOCAL, spean_db_key_view(&key));
        }
    }
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}
