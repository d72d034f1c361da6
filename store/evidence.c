#include "store/evidence.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "store/logs.h"

static struct spean_view id_view(const struct spean_id *id)
{
    return (struct spean_view){id->bytes, sizeof(id->bytes)};
}

spean_err spean_evidence_put(struct spean_tx *tx, const struct spean_log *log,
                             struct spean_view bytes)
{
    assert(log != NULL);

    struct spean_evidence evidence;
    spean_err err = spean_evidence_decode(bytes, &evidence);
    if (err != SPEAN_OK) {
        return err;
    }
    if (!spean_id_equal(&evidence.log, &log->id)) {
        return SPEAN_EINPUT;
    }
    struct spean_logs_row row;
    err = spean_logs_open(tx, log, &row);
    if (err != SPEAN_OK) {
        return err;
    }
    row.standing = SPEAN_LOG_DISPUTED;
    err = spean_logs_put(tx, &row);
    if (err != SPEAN_OK) {
        return err;
    }
    return spean_tx_put_new(tx, SPEAN_TABLE_EVIDENCE, id_view(&log->id), bytes);
}

static spean_err stored_decode(const struct spean_id *log, struct spean_view bytes,
                               struct spean_evidence *out)
{
    const spean_err err = spean_evidence_decode(bytes, out);
    return err == SPEAN_OK && spean_id_equal(&out->log, log) ? SPEAN_OK : SPEAN_ECORRUPT;
}

spean_err spean_evidence_get(struct spean_tx *tx, const struct spean_id *log,
                             struct spean_view *bytes, struct spean_evidence *out)
{
    assert(log != NULL);
    assert(bytes != NULL);

    struct spean_view value;
    spean_err err = spean_tx_get(tx, SPEAN_TABLE_EVIDENCE, id_view(log), &value);
    if (err != SPEAN_OK) {
        return err;
    }
    struct spean_evidence evidence;
    err = stored_decode(log, value, &evidence);
    if (err != SPEAN_OK) {
        return err;
    }
    *bytes = value;
    if (out != NULL) {
        *out = evidence;
    }
    return SPEAN_OK;
}

spean_err spean_evidence_next(struct spean_tx *tx, const struct spean_id *after,
                              struct spean_id *log, struct spean_view *bytes)
{
    assert(log != NULL);
    assert(bytes != NULL);

    struct spean_cursor cursor;
    spean_err err = spean_cursor_init(&cursor, tx, SPEAN_TABLE_EVIDENCE, (struct spean_view){0});
    if (err != SPEAN_OK) {
        return err;
    }
    struct spean_view key;
    struct spean_view value;
    if (after == NULL) {
        err = spean_cursor_first(&cursor, &key, &value);
    } else {
        const struct spean_id from = *after;
        err = spean_cursor_seek(&cursor, id_view(&from), &key, &value);
        if (err == SPEAN_OK && key.len == SPEAN_ID_BYTES &&
            memcmp(key.data, from.bytes, SPEAN_ID_BYTES) == 0) {
            err = spean_cursor_next(&cursor, &key, &value);
        }
    }
    spean_cursor_fini(&cursor);
    if (err != SPEAN_OK) {
        return err;
    }
    (void)memset(log->bytes, 0xff, SPEAN_ID_BYTES); /* Of a damaged key: nothing comes behind. */
    if (key.len != SPEAN_ID_BYTES) {
        return SPEAN_ECORRUPT;
    }
    (void)memcpy(log->bytes, key.data, SPEAN_ID_BYTES);
    struct spean_evidence evidence;
    err = stored_decode(log, value, &evidence);
    if (err == SPEAN_OK) {
        *bytes = value;
    }
    return err;
}
