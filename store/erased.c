#include "store/erased.h"

#include <assert.h>
#include <string.h>

#include "store/destroy.h"

struct spean_db_key spean_erased_key(const struct spean_id *log, uint64_t seq)
{
    assert(log != NULL);

    struct spean_db_key key = {0};
    spean_db_key_put_bytes(&key, log->bytes, sizeof(log->bytes));
    spean_db_key_put_u64(&key, seq);
    return key;
}

spean_err spean_erased_named(struct spean_tx *tx, const struct spean_id *log, uint64_t seq,
                             const struct spean_id *entry, bool *named)
{
    assert(entry != NULL);
    assert(named != NULL);

    const struct spean_db_key prefix = spean_erased_key(log, seq);
    struct spean_cursor cursor;
    spean_err err =
        spean_cursor_init(&cursor, tx, SPEAN_TABLE_ERASED_PLACES, spean_db_key_view(&prefix));
    if (err != SPEAN_OK) {
        return err;
    }
    bool found = false;
    struct spean_view key;
    struct spean_view value;
    err = spean_cursor_first(&cursor, &key, &value);
    while (err == SPEAN_OK && !found) {
        if (value.len != sizeof(entry->bytes)) {
            err = SPEAN_ECORRUPT;
            break;
        }
        found = memcmp(value.data, entry->bytes, value.len) == 0;
        err = spean_cursor_next(&cursor, &key, &value);
    }
    spean_cursor_fini(&cursor);
    if (err != SPEAN_OK && err != SPEAN_ENOTFOUND) {
        return err;
    }
    *named = found;
    return SPEAN_OK;
}

spean_err spean_erased_refused(struct spean_tx *tx, const struct spean_id *log,
                               const struct spean_run_entry *entry, bool *refused)
{
    assert(entry != NULL);
    assert(refused != NULL);

    *refused = false;
    if (entry->header.has_tag || entry->header.kind != SPEAN_ENTRY_CHANGE) {
        return SPEAN_OK;
    }
    struct spean_destroy_row row;
    const struct spean_destroy_place place = {*log, entry->header.seq, entry->id};
    const spean_err err = spean_destroy_get_place(tx, &place, &row);
    if (err != SPEAN_OK || row.stage == SPEAN_DESTROY_HIDDEN) {
        return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
    }
    return spean_erased_named(tx, log, entry->header.seq, &entry->id, refused);
}
