/* Fields that never leave this node, as JSON. */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "node/json_value.h"
#include "node/records.h"
#include "store/local.h"

#define DRAFT_NAME  "draft"
#define DRAFTS_NAME "drafts"

/* Where the list of drafts is kept: no record has this id. */
static const struct spean_record_id no_record;

static struct spean_view view_of(const char *text)
{
    return (struct spean_view){(const uint8_t *)text, strlen(text)};
}

spean_err spean_records_local_get(const struct spean_records *at,
                                  const struct spean_record_id *record, const char *name,
                                  json_t **out)
{
    *out = NULL;
    uint8_t *buf = malloc(SPEAN_LOCAL_VALUE_BYTES_MAX);
    size_t len = 0;
    if (buf == NULL) {
        return SPEAN_ENOMEM;
    }
    spean_err err = spean_local_get(at->view.tx, at->view.keys, record, view_of(name), buf,
                                    SPEAN_LOCAL_VALUE_BYTES_MAX, &len);
    if (err == SPEAN_OK) {
        *out = json_loadb((const char *)buf, len, JSON_REJECT_DUPLICATES, NULL);
        sodium_memzero(buf, len);
        err = *out == NULL ? SPEAN_ECORRUPT : SPEAN_OK;
    }
    free(buf);
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

static spean_err put(struct spean_records *at, struct spean_tx *tx,
                     const struct spean_record_id *record, const char *name, const json_t *json)
{
    if (json == NULL) {
        const spean_err err = spean_local_del(tx, at->view.keys, record, view_of(name));
        return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
    }
    char *text = json_dumps(json, JSON_COMPACT);
    if (text == NULL) {
        return SPEAN_ENOMEM;
    }
    const size_t len = strlen(text);
    const spean_err err = len > SPEAN_LOCAL_VALUE_BYTES_MAX
                              ? SPEAN_ELIMIT
                              : spean_local_put(tx, at->view.keys, record, view_of(name),
                                                (struct spean_view){(const uint8_t *)text, len});
    sodium_memzero(text, len);
    free(text);
    return err;
}

/* Writing nothing is deleting: that goes on when room is short. */
static spean_err begin_write(struct spean_records *at, bool adds, struct spean_tx **tx)
{
    if (adds && !spean_core_takes_writes(at->view.core)) {
        return SPEAN_EFULL;
    }
    return spean_tx_begin(spean_core_db(at->view.core), SPEAN_TX_WRITE, tx);
}

/* Run on what we read with again, in a new transaction: what was written can be read. */
static spean_err end_write(struct spean_records *at, struct spean_tx *tx, spean_err err)
{
    if (err == SPEAN_OK) {
        err = spean_tx_commit(tx);
    } else {
        spean_tx_abort(tx);
    }
    spean_tx_abort(at->view.tx);
    at->view.tx = NULL;
    struct spean_tx *reading = NULL;
    const spean_err begun = spean_tx_begin(spean_core_db(at->view.core), SPEAN_TX_READ, &reading);
    at->view.tx = begun == SPEAN_OK ? reading : NULL;
    return err != SPEAN_OK ? err : begun;
}

spean_err spean_records_local_put(struct spean_records *at, const struct spean_record_id *record,
                                  const char *name, const json_t *json)
{
    struct spean_tx *tx = NULL;
    spean_err err = begin_write(at, json != NULL, &tx);
    if (err != SPEAN_OK) {
        return err;
    }
    err = put(at, tx, record, name, json);
    return end_write(at, tx, err);
}

spean_err spean_records_drafts(const struct spean_records *at, json_t **out)
{
    const spean_err err = spean_records_local_get(at, &no_record, DRAFTS_NAME, out);
    if (err == SPEAN_OK && *out == NULL) {
        *out = json_array();
        return *out == NULL ? SPEAN_ENOMEM : SPEAN_OK;
    }
    return err;
}

/* Put the id into the list, or take it out. */
static spean_err list_draft(json_t *drafts, const struct spean_record_id *record, bool listed)
{
    json_t *id = spean_json_hex(record->bytes, SPEAN_RECORD_ID_BYTES);
    size_t place = 0;
    while (place < json_array_size(drafts) && json_equal(json_array_get(drafts, place), id) != 1) {
        place++;
    }
    const bool held = place < json_array_size(drafts);
    spean_err err = id == NULL ? SPEAN_ENOMEM : SPEAN_OK;
    if (err == SPEAN_OK && listed && !held) {
        err = json_array_size(drafts) >= SPEAN_RECORDS_DRAFTS_MAX ? SPEAN_ELIMIT
              : json_array_append(drafts, id) != 0                ? SPEAN_ENOMEM
                                                                  : SPEAN_OK;
    }
    if (err == SPEAN_OK && !listed && held && json_array_remove(drafts, place) != 0) {
        err = SPEAN_ENOMEM;
    }
    json_decref(id);
    return err;
}

spean_err spean_records_draft_put(struct spean_records *at, const struct spean_record_id *record,
                                  const json_t *json)
{
    json_t *drafts = NULL;
    spean_err err = spean_records_drafts(at, &drafts);
    if (err == SPEAN_OK) {
        err = list_draft(drafts, record, json != NULL);
    }
    struct spean_tx *tx = NULL;
    if (err == SPEAN_OK) {
        err = begin_write(at, json != NULL, &tx);
    }
    if (err != SPEAN_OK) {
        json_decref(drafts);
        return err;
    }
    err = put(at, tx, &no_record, DRAFTS_NAME, drafts);
    if (err == SPEAN_OK) {
        err = put(at, tx, record, DRAFT_NAME, json);
    }
    json_decref(drafts);
    return end_write(at, tx, err);
}
