#include "store/counter.h"

#include <assert.h>
#include <string.h>

#define NAME_BYTES_MAX 32u
#define VALUE_BYTES    4u

spean_err spean_counter_next(struct spean_tx *tx, const char *name, uint32_t max, uint32_t *out)
{
    assert(name != NULL);
    assert(strlen(name) <= NAME_BYTES_MAX);
    assert(out != NULL);

    struct spean_db_key key = {0};
    spean_db_key_put_bytes(&key, (const uint8_t *)"counter/", 8);
    spean_db_key_put_bytes(&key, (const uint8_t *)name, strlen(name));
    struct spean_view value;
    uint32_t last = 0;
    spean_err err = spean_tx_get(tx, SPEAN_TABLE_META, spean_db_key_view(&key), &value);
    if (err == SPEAN_OK) {
        err = value.len == VALUE_BYTES ? spean_db_key_u32_at(value, 0, &last) : SPEAN_ECORRUPT;
    }
    if (err != SPEAN_OK && err != SPEAN_ENOTFOUND) {
        return err;
    }
    if (last >= max) {
        return SPEAN_ELIMIT;
    }
    struct spean_db_key number = {0};
    spean_db_key_put_u32(&number, last + 1);
    err = spean_tx_put(tx, SPEAN_TABLE_META, spean_db_key_view(&key), spean_db_key_view(&number));
    if (err == SPEAN_OK) {
        *out = last + 1;
    }
    return err;
}
