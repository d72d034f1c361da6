#include "store/news.h"

#include <assert.h>
#include <string.h>

#define NUMBER_BYTES 8u
#define VALUE_BYTES  (SPEAN_RECORD_ID_BYTES + 8u)

static struct spean_db_key number_key(uint64_t number)
{
    struct spean_db_key key = {0};
    spean_db_key_put_u64(&key, number);
    return key;
}

static spean_err row_decode(struct spean_view key, struct spean_view value, struct spean_news *out)
{
    struct spean_news row;
    if (key.len != NUMBER_BYTES || value.len != VALUE_BYTES ||
        spean_db_key_u64_at(key, 0, &row.number) != SPEAN_OK || row.number == 0 ||
        spean_db_key_u64_at(value, SPEAN_RECORD_ID_BYTES, &row.time_s) != SPEAN_OK) {
        return SPEAN_ECORRUPT;
    }
    memcpy(row.record.bytes, value.data, SPEAN_RECORD_ID_BYTES);
    *out = row;
    return SPEAN_OK;
}

spean_err spean_news_last(struct spean_tx *tx, uint64_t *number)
{
    assert(number != NULL);
    struct spean_cursor cursor;
    struct spean_view key;
    struct spean_view value;
    struct spean_news row = {.number = 0};
    spean_err err = spean_cursor_init(&cursor, tx, SPEAN_TABLE_NEWS, (struct spean_view){NULL, 0});
    if (err != SPEAN_OK) {
        return err;
    }
    err = spean_cursor_last(&cursor, &key, &value);
    if (err == SPEAN_OK) {
        err = row_decode(key, value, &row);
    } else if (err == SPEAN_ENOTFOUND) {
        err = SPEAN_OK;
    }
    spean_cursor_fini(&cursor);
    if (err == SPEAN_OK) {
        *number = row.number;
    }
    return err;
}

/* Take a record from where it stood. */
static spean_err row_remove(struct spean_tx *tx, struct spean_view record, uint64_t *number)
{
    struct spean_view value;
    spean_err err = spean_tx_get(tx, SPEAN_TABLE_NEWS_OF, record, &value);
    if (err != SPEAN_OK) {
        return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
    }
    if (value.len != NUMBER_BYTES || spean_db_key_u64_at(value, 0, number) != SPEAN_OK) {
        return SPEAN_ECORRUPT;
    }
    const struct spean_db_key key = number_key(*number);
    err = spean_tx_del(tx, SPEAN_TABLE_NEWS, spean_db_key_view(&key));
    return err == SPEAN_ENOTFOUND ? SPEAN_ECORRUPT : err;
}

spean_err spean_news_put(struct spean_tx *tx, const struct spean_record_id *record, uint64_t time_s)
{
    assert(record != NULL);
    const struct spean_view id = {record->bytes, SPEAN_RECORD_ID_BYTES};
    uint64_t before = 0;
    uint64_t last = 0;
    spean_err err = spean_news_last(tx, &last);
    if (err == SPEAN_OK) {
        err = row_remove(tx, id, &before);
    }
    if (err == SPEAN_OK && last == UINT64_MAX) {
        err = SPEAN_ELIMIT; /* No store lives that long. */
    }
    if (err != SPEAN_OK) {
        return spean_tx_fail(tx, err);
    }
    const struct spean_db_key key = number_key(last + 1);
    struct spean_db_key value = {0};
    spean_db_key_put_bytes(&value, record->bytes, SPEAN_RECORD_ID_BYTES);
    spean_db_key_put_u64(&value, time_s);
    (void)spean_tx_put(tx, SPEAN_TABLE_NEWS, spean_db_key_view(&key), spean_db_key_view(&value));
    return spean_tx_put(tx, SPEAN_TABLE_NEWS_OF, id, spean_db_key_view(&key));
}

spean_err spean_news_next(struct spean_tx *tx, uint64_t after, struct spean_news *out)
{
    assert(out != NULL);
    struct spean_cursor cursor;
    struct spean_view key;
    struct spean_view value;
    if (after == UINT64_MAX) {
        return SPEAN_ENOTFOUND;
    }
    const struct spean_db_key at = number_key(after + 1);
    spean_err err = spean_cursor_init(&cursor, tx, SPEAN_TABLE_NEWS, (struct spean_view){NULL, 0});
    if (err != SPEAN_OK) {
        return err;
    }
    err = spean_cursor_seek(&cursor, spean_db_key_view(&at), &key, &value);
    if (err == SPEAN_OK) {
        err = row_decode(key, value, out);
    }
    spean_cursor_fini(&cursor);
    return err;
}
