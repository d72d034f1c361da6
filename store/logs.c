#include "store/logs.h"

#include <assert.h>
#include <stddef.h>

#include "protocol/limits.h"
#include "protocol/reader.h"
#include "protocol/writer.h"

#define ROW_ELEMENTS     9u
#define ROW_ELEMENTS_OLD 8u /* Up to format 2: without allowed_bytes. */
#define ROW_BYTES_MAX    192u
#define NUMBER_BYTES     4u
#define ARRIVAL_ELEMENTS 3u
#define ARRIVAL_BYTES    64u
#define PLACE_KEY_BYTES  12u /* Log number and seq. */

static struct spean_db_key number_key(uint32_t number)
{
    struct spean_db_key key = {0};
    spean_db_key_put_u32(&key, number);
    return key;
}

static struct spean_view id_view(const struct spean_id *id)
{
    return (struct spean_view){id->bytes, sizeof(id->bytes)};
}

/* Read a row that has at least that many elements. */
static spean_err row_read(uint32_t number, struct spean_view value, uint32_t elements_min,
                          struct spean_logs_row *out)
{
    struct spean_logs_row row = {.number = number};
    struct spean_reader r;
    spean_reader_init(&r, value);
    const uint32_t elements = spean_reader_array(&r, elements_min, ROW_ELEMENTS);
    spean_reader_bin_fixed(&r, row.log.bytes, sizeof(row.log.bytes));
    spean_reader_bin_fixed(&r, row.org.bytes, sizeof(row.org.bytes));
    spean_reader_bin_fixed(&r, row.signing.bytes, sizeof(row.signing.bytes));
    row.head.seq = spean_reader_uint(&r, UINT64_MAX);
    spean_reader_bin_fixed(&r, row.head.entry.bytes, sizeof(row.head.entry.bytes));
    row.bytes = spean_reader_uint(&r, UINT64_MAX);
    row.standing = (enum spean_log_standing)spean_reader_uint(&r, SPEAN_LOG_PAUSED);
    row.aside_bytes = spean_reader_uint(&r, UINT64_MAX);
    if (elements == ROW_ELEMENTS) {
        row.allowed_bytes = spean_reader_uint(&r, UINT64_MAX);
    }
    if (spean_reader_end(&r) != SPEAN_OK) {
        return SPEAN_ECORRUPT;
    }
    *out = row;
    return SPEAN_OK;
}

static spean_err row_decode(uint32_t number, struct spean_view value, struct spean_logs_row *out)
{
    return row_read(number, value, ROW_ELEMENTS, out);
}

spean_err spean_logs_at(struct spean_tx *tx, uint32_t number, struct spean_logs_row *out)
{
    assert(out != NULL);

    const struct spean_db_key key = number_key(number);
    struct spean_view value;
    const spean_err err = spean_tx_get(tx, SPEAN_TABLE_LOGS, spean_db_key_view(&key), &value);
    return err == SPEAN_OK ? row_decode(number, value, out) : err;
}

spean_err spean_logs_get(struct spean_tx *tx, const struct spean_id *log,
                         struct spean_logs_row *out)
{
    assert(log != NULL);
    assert(out != NULL);

    struct spean_view value;
    spean_err err = spean_tx_get(tx, SPEAN_TABLE_LOG_IDS, id_view(log), &value);
    if (err != SPEAN_OK) {
        return err;
    }
    uint32_t number;
    err = spean_db_key_u32_at(value, 0, &number);
    if (err != SPEAN_OK || value.len != NUMBER_BYTES) {
        return SPEAN_ECORRUPT;
    }
    struct spean_logs_row row;
    err = spean_logs_at(tx, number, &row);
    if (err == SPEAN_ENOTFOUND || (err == SPEAN_OK && !spean_id_equal(&row.log, log))) {
        return SPEAN_ECORRUPT;
    }
    if (err == SPEAN_OK) {
        *out = row;
    }
    return err;
}

/* Read the first row whose number is at least from. */
static spean_err row_next(struct spean_tx *tx, uint32_t from, uint32_t elements_min,
                          struct spean_logs_row *out)
{
    struct spean_cursor cursor;
    spean_err err = spean_cursor_init(&cursor, tx, SPEAN_TABLE_LOGS, (struct spean_view){0});
    if (err != SPEAN_OK) {
        return err;
    }
    const struct spean_db_key at = number_key(from);
    struct spean_view key;
    struct spean_view value;
    err = spean_cursor_seek(&cursor, spean_db_key_view(&at), &key, &value);
    spean_cursor_fini(&cursor);
    if (err != SPEAN_OK) {
        return err;
    }
    uint32_t number;
    if (spean_db_key_u32_at(key, 0, &number) != SPEAN_OK || key.len != NUMBER_BYTES) {
        return SPEAN_ECORRUPT;
    }
    return row_read(number, value, elements_min, out);
}

spean_err spean_logs_next(struct spean_tx *tx, uint32_t from, struct spean_logs_row *out)
{
    assert(out != NULL);
    return row_next(tx, from, ROW_ELEMENTS, out);
}

/* Find the number for a log that has none. */
static spean_err number_new(struct spean_tx *tx, uint32_t *out)
{
    const spean_err err = spean_tx_number_next(tx, SPEAN_TABLE_LOGS, 0, out);
    return err == SPEAN_OK && *out >= SPEAN_FRONTIER_LOGS_MAX ? SPEAN_ELIMIT : err;
}

spean_err spean_logs_open(struct spean_tx *tx, const struct spean_log *log,
                          struct spean_logs_row *out)
{
    assert(log != NULL);
    assert(out != NULL);

    spean_err err = spean_logs_get(tx, &log->id, out);
    if (err != SPEAN_ENOTFOUND) {
        return err;
    }
    struct spean_logs_row row = {.log = log->id, .org = log->org, .signing = log->signing};
    err = number_new(tx, &row.number);
    if (err != SPEAN_OK) {
        return err;
    }
    const struct spean_db_key number = number_key(row.number);
    (void)spean_tx_put(tx, SPEAN_TABLE_LOG_IDS, id_view(&log->id), spean_db_key_view(&number));
    err = spean_logs_put(tx, &row);
    if (err == SPEAN_OK) {
        *out = row;
    }
    return err;
}

spean_err spean_logs_put(struct spean_tx *tx, const struct spean_logs_row *row)
{
    assert(row != NULL);

    uint8_t buf[ROW_BYTES_MAX];
    struct spean_writer w;
    spean_writer_init(&w, buf, sizeof(buf));
    spean_writer_array(&w, ROW_ELEMENTS);
    spean_writer_bin(&w, row->log.bytes, sizeof(row->log.bytes));
    spean_writer_bin(&w, row->org.bytes, sizeof(row->org.bytes));
    spean_writer_bin(&w, row->signing.bytes, sizeof(row->signing.bytes));
    spean_writer_uint(&w, row->head.seq);
    spean_writer_bin(&w, row->head.entry.bytes, sizeof(row->head.entry.bytes));
    spean_writer_uint(&w, row->bytes);
    spean_writer_uint(&w, (uint64_t)row->standing);
    spean_writer_uint(&w, row->aside_bytes);
    spean_writer_uint(&w, row->allowed_bytes);
    struct spean_view value;
    const spean_err err = spean_writer_end(&w, &value);
    assert(err == SPEAN_OK);
    const struct spean_db_key key = number_key(row->number);
    return spean_tx_put(tx, SPEAN_TABLE_LOGS, spean_db_key_view(&key), value);
}

spean_err spean_logs_migrate(struct spean_tx *tx)
{
    struct spean_logs_row row = {0};
    spean_err err = row_next(tx, 0, ROW_ELEMENTS_OLD, &row);
    while (err == SPEAN_OK) {
        err = spean_logs_put(tx, &row);
        if (err == SPEAN_OK) {
            err = row_next(tx, row.number + 1, ROW_ELEMENTS_OLD, &row);
        }
    }
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

spean_err spean_logs_set_standing(struct spean_tx *tx, const struct spean_id *log,
                                  enum spean_log_standing standing)
{
    struct spean_logs_row row;
    const spean_err err = spean_logs_get(tx, log, &row);
    if (err != SPEAN_OK) {
        return err;
    }
    row.standing = standing;
    return spean_logs_put(tx, &row);
}

spean_err spean_logs_frontier(struct spean_tx *tx, struct spean_frontier *frontier)
{
    assert(frontier != NULL);

    struct spean_logs_row row = {0};
    spean_err err = spean_logs_next(tx, 0, &row);
    while (err == SPEAN_OK) {
        err = spean_frontier_set(frontier, &row.log, &row.head);
        if (err == SPEAN_OK) {
            err = spean_logs_next(tx, row.number + 1, &row);
        }
    }
    /* The table is bounded as the frontier is, unless it is damaged. */
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err == SPEAN_ELIMIT ? SPEAN_ECORRUPT : err;
}

static struct spean_db_key arrival_key(uint32_t number, uint64_t last_seq)
{
    struct spean_db_key key = number_key(number);
    spean_db_key_put_u64(&key, last_seq);
    return key;
}

spean_err spean_logs_put_arrival(struct spean_tx *tx, uint32_t number,
                                 const struct spean_arrival *arrival)
{
    assert(arrival != NULL);

    uint8_t buf[ARRIVAL_BYTES];
    struct spean_writer w;
    spean_writer_init(&w, buf, sizeof(buf));
    spean_writer_array(&w, ARRIVAL_ELEMENTS);
    spean_writer_uint(&w, arrival->first_seq);
    spean_writer_bin(&w, arrival->from.bytes, sizeof(arrival->from.bytes));
    spean_writer_uint(&w, arrival->time);
    struct spean_view value;
    const spean_err err = spean_writer_end(&w, &value);
    assert(err == SPEAN_OK);
    const struct spean_db_key key = arrival_key(number, arrival->last_seq);
    return spean_tx_put(tx, SPEAN_TABLE_ARRIVALS, spean_db_key_view(&key), value);
}

static spean_err arrival_decode(struct spean_view key, struct spean_view value,
                                struct spean_arrival *out)
{
    struct spean_arrival arrival = {0};
    if (key.len != PLACE_KEY_BYTES ||
        spean_db_key_u64_at(key, NUMBER_BYTES, &arrival.last_seq) != SPEAN_OK) {
        return SPEAN_ECORRUPT;
    }
    struct spean_reader r;
    spean_reader_init(&r, value);
    (void)spean_reader_array(&r, ARRIVAL_ELEMENTS, ARRIVAL_ELEMENTS);
    arrival.first_seq = spean_reader_uint(&r, UINT64_MAX);
    spean_reader_bin_fixed(&r, arrival.from.bytes, sizeof(arrival.from.bytes));
    arrival.time = spean_reader_uint(&r, UINT64_MAX);
    if (spean_reader_end(&r) != SPEAN_OK || arrival.first_seq == 0 ||
        arrival.first_seq > arrival.last_seq) {
        return SPEAN_ECORRUPT;
    }
    *out = arrival;
    return SPEAN_OK;
}

spean_err spean_logs_next_arrival(struct spean_tx *tx, uint32_t number, uint64_t seq,
                                  struct spean_arrival *out)
{
    assert(out != NULL);

    const struct spean_db_key prefix = number_key(number);
    struct spean_cursor cursor;
    spean_err err =
        spean_cursor_init(&cursor, tx, SPEAN_TABLE_ARRIVALS, spean_db_key_view(&prefix));
    if (err != SPEAN_OK) {
        return err;
    }
    const struct spean_db_key at = arrival_key(number, seq);
    struct spean_view key;
    struct spean_view value;
    err = spean_cursor_seek(&cursor, spean_db_key_view(&at), &key, &value);
    spean_cursor_fini(&cursor);
    return err == SPEAN_OK ? arrival_decode(key, value, out) : err;
}

spean_err spean_logs_cut_arrivals(struct spean_tx *tx, uint32_t number, uint64_t seq)
{
    struct spean_arrival arrival;
    spean_err err = spean_logs_next_arrival(tx, number, seq + 1, &arrival);
    while (err == SPEAN_OK) {
        const struct spean_db_key key = arrival_key(number, arrival.last_seq);
        (void)spean_tx_del(tx, SPEAN_TABLE_ARRIVALS, spean_db_key_view(&key));
        if (arrival.first_seq <= seq) {
            arrival.last_seq = seq;
            (void)spean_logs_put_arrival(tx, number, &arrival);
        }
        err = spean_logs_next_arrival(tx, number, seq + 1, &arrival);
    }
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}
