#include "store/entries.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#define NUMBER_BYTES 4u
#define KEY_BYTES    12u

struct spean_db_key spean_entries_key(uint32_t number, uint64_t seq)
{
    struct spean_db_key key = {0};
    spean_db_key_put_u32(&key, number);
    spean_db_key_put_u64(&key, seq);
    return key;
}

/* A stored entry is its id, then its header. */
static spean_err entry_decode(const struct spean_logs_row *row, uint64_t seq,
                              struct spean_view value, struct spean_run_entry *out)
{
    if (value.len <= SPEAN_ID_BYTES) {
        return SPEAN_ECORRUPT;
    }
    struct spean_run_entry entry = {
        .header_bytes = {value.data + SPEAN_ID_BYTES, value.len - SPEAN_ID_BYTES},
    };
    if (spean_header_decode(entry.header_bytes, &entry.header) != SPEAN_OK ||
        entry.header.seq != seq) {
        return SPEAN_ECORRUPT;
    }
    spean_entry_id(&entry.id, &row->log, entry.header_bytes);
    if (memcmp(entry.id.bytes, value.data, SPEAN_ID_BYTES) != 0) {
        return SPEAN_ECORRUPT;
    }
    *out = entry;
    return SPEAN_OK;
}

spean_err spean_entries_get(struct spean_tx *tx, const struct spean_logs_row *row, uint64_t seq,
                            struct spean_run_entry *out)
{
    assert(row != NULL);
    assert(out != NULL);

    const struct spean_db_key key = spean_entries_key(row->number, seq);
    struct spean_view value;
    const spean_err err = spean_tx_get(tx, SPEAN_TABLE_ENTRIES, spean_db_key_view(&key), &value);
    return err == SPEAN_OK ? entry_decode(row, seq, value, out) : err;
}

spean_err spean_entries_id(struct spean_tx *tx, const struct spean_logs_row *row, uint64_t seq,
                           struct spean_id *out)
{
    assert(out != NULL);

    if (seq == 0) {
        *out = (struct spean_id){0};
        return SPEAN_OK;
    }
    struct spean_run_entry entry;
    const spean_err err = spean_entries_get(tx, row, seq, &entry);
    if (err == SPEAN_OK) {
        *out = entry.id;
    }
    return err;
}

spean_err spean_entries_signature(struct spean_tx *tx, const struct spean_logs_row *row,
                                  uint64_t seq, struct spean_signature *out)
{
    assert(row != NULL);
    assert(out != NULL);

    const struct spean_db_key key = spean_entries_key(row->number, seq);
    struct spean_view value;
    const spean_err err = spean_tx_get(tx, SPEAN_TABLE_SIGNATURES, spean_db_key_view(&key), &value);
    if (err != SPEAN_OK) {
        return err;
    }
    if (value.len != sizeof(out->bytes)) {
        return SPEAN_ECORRUPT;
    }
    (void)memcpy(out->bytes, value.data, sizeof(out->bytes));
    return SPEAN_OK;
}

spean_err spean_entries_signed_below(struct spean_tx *tx, const struct spean_logs_row *row,
                                     uint64_t seq, uint64_t *out)
{
    assert(row != NULL);
    assert(out != NULL);

    const struct spean_db_key at = spean_entries_key(row->number, seq);
    struct spean_cursor cursor;
    spean_err err = spean_cursor_init(&cursor, tx, SPEAN_TABLE_SIGNATURES,
                                      (struct spean_view){at.bytes, NUMBER_BYTES});
    if (err != SPEAN_OK) {
        return err;
    }
    struct spean_view key;
    struct spean_view value;
    err = spean_cursor_seek_back(&cursor, spean_db_key_view(&at), &key, &value);
    if (err == SPEAN_OK) {
        err = key.len == KEY_BYTES ? spean_db_key_u64_at(key, NUMBER_BYTES, out) : SPEAN_ECORRUPT;
    }
    spean_cursor_fini(&cursor);
    return err;
}

spean_err spean_entries_put(struct spean_tx *tx, uint32_t number,
                            const struct spean_run_entry *entry, enum spean_tx_place place)
{
    assert(entry != NULL);
    assert(entry->header_bytes.len > 0);
    assert(entry->header_bytes.len <= SPEAN_HEADER_BYTES_MAX);

    const struct spean_db_key key = spean_entries_key(number, entry->header.seq);
    uint8_t *at;
    const spean_err err = spean_tx_reserve(tx, SPEAN_TABLE_ENTRIES, spean_db_key_view(&key),
                                           SPEAN_ID_BYTES + entry->header_bytes.len, place, &at);
    if (err != SPEAN_OK) {
        return err;
    }
    (void)memcpy(at, entry->id.bytes, SPEAN_ID_BYTES);
    (void)memcpy(at + SPEAN_ID_BYTES, entry->header_bytes.data, entry->header_bytes.len);
    return SPEAN_OK;
}

spean_err spean_entries_scan_init(struct spean_entries_scan *scan, struct spean_tx *tx,
                                  const struct spean_logs_row *row, uint64_t from)
{
    assert(scan != NULL);
    assert(row != NULL);
    assert(from > 0);

    const struct spean_db_key at = spean_entries_key(row->number, from);
    const spean_err err = spean_cursor_init(&scan->cursor, tx, SPEAN_TABLE_ENTRIES,
                                            (struct spean_view){at.bytes, NUMBER_BYTES});
    scan->row = *row;
    scan->seq = from;
    scan->begun = false;
    return err;
}

void spean_entries_scan_fini(struct spean_entries_scan *scan)
{
    assert(scan != NULL);
    spean_cursor_fini(&scan->cursor);
}

spean_err spean_entries_scan_next(struct spean_entries_scan *scan, struct spean_run_entry *out)
{
    assert(scan != NULL);
    assert(out != NULL);

    if (scan->seq > scan->row.head.seq) {
        return SPEAN_ENOTFOUND;
    }
    const struct spean_db_key at = spean_entries_key(scan->row.number, scan->seq);
    const struct spean_view wanted = spean_db_key_view(&at);
    struct spean_view key;
    struct spean_view value;
    spean_err err = scan->begun ? spean_cursor_next(&scan->cursor, &key, &value)
                                : spean_cursor_seek(&scan->cursor, wanted, &key, &value);
    if (err == SPEAN_ENOTFOUND) {
        return SPEAN_ECORRUPT;
    }
    if (err != SPEAN_OK) {
        return err;
    }
    if (key.len != wanted.len || memcmp(key.data, wanted.data, wanted.len) != 0) {
        return SPEAN_ECORRUPT;
    }
    err = entry_decode(&scan->row, scan->seq, value, out);
    scan->begun = true;
    scan->seq++;
    return err;
}
