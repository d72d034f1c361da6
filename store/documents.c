#include "store/documents.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "protocol/document.h"

#define NUMBER_BYTES 8u

static struct spean_db_key number_key(uint64_t number)
{
    struct spean_db_key key = {0};
    spean_db_key_put_u64(&key, number);
    return key;
}

/* A row is the id of the chain, then the document. */
static spean_err row_decode(uint64_t number, struct spean_view value, struct spean_document *doc,
                            struct spean_documents_row *out)
{
    if (value.len <= SPEAN_ID_BYTES) {
        return SPEAN_ECORRUPT;
    }
    struct spean_documents_row row = {
        .number = number,
        .bytes = {value.data + SPEAN_ID_BYTES, value.len - SPEAN_ID_BYTES},
    };
    (void)memcpy(row.chain.bytes, value.data, SPEAN_ID_BYTES);
    if (spean_document_decode(doc, row.bytes) != SPEAN_OK) {
        return SPEAN_ECORRUPT;
    }
    if (doc->version == 1 && !spean_id_equal(&doc->id, &row.chain)) {
        return SPEAN_ECORRUPT;
    }
    row.title = (struct spean_title){doc->version, doc->id};
    *out = row;
    return SPEAN_OK;
}

spean_err spean_documents_next(struct spean_tx *tx, uint64_t from, struct spean_documents_row *out)
{
    assert(out != NULL);

    struct spean_cursor cursor;
    spean_err err = spean_cursor_init(&cursor, tx, SPEAN_TABLE_DOCUMENTS, (struct spean_view){0});
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
    uint64_t number;
    if (spean_db_key_u64_at(key, 0, &number) != SPEAN_OK || key.len != NUMBER_BYTES) {
        return SPEAN_ECORRUPT;
    }
    struct spean_document doc;
    return row_decode(number, value, &doc, out);
}

spean_err spean_documents_load(struct spean_db *db, struct spean_authority *authority)
{
    struct spean_tx *tx;
    spean_err err = spean_tx_begin(db, SPEAN_TX_READ, &tx);
    if (err != SPEAN_OK) {
        return err;
    }
    struct spean_documents_row row;
    err = spean_documents_next(tx, 0, &row);
    while (err == SPEAN_OK) {
        struct spean_authority_change change;
        err = spean_authority_add(authority, row.bytes, SPEAN_PENDING_KEEP, &change);
        if (err != SPEAN_OK) {
            err = err == SPEAN_ENOMEM ? SPEAN_ENOMEM : SPEAN_ECORRUPT;
            break;
        }
        err = spean_documents_next(tx, row.number + 1, &row);
    }
    spean_tx_abort(tx);
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

static spean_err number_next(struct spean_tx *tx, uint64_t *out)
{
    struct spean_cursor cursor;
    spean_err err = spean_cursor_init(&cursor, tx, SPEAN_TABLE_DOCUMENTS, (struct spean_view){0});
    if (err != SPEAN_OK) {
        return err;
    }
    uint64_t last = 0;
    struct spean_view key;
    struct spean_view value;
    err = spean_cursor_last(&cursor, &key, &value);
    if (err == SPEAN_OK) {
        err = spean_db_key_u64_at(key, 0, &last);
    }
    spean_cursor_fini(&cursor);
    if (err != SPEAN_OK && err != SPEAN_ENOTFOUND) {
        return err;
    }
    *out = last + 1;
    return SPEAN_OK;
}

/* Keep what the authority has taken over: from here on each failure is one of tx. */
static spean_err keep(struct spean_tx *tx, struct spean_view bytes,
                      const struct spean_authority_change *change)
{
    uint64_t number;
    const spean_err err = number_next(tx, &number);
    if (err != SPEAN_OK) {
        return spean_tx_fail(tx, err);
    }
    const struct spean_db_key key = number_key(number);
    uint8_t *at;
    if (spean_tx_reserve(tx, SPEAN_TABLE_DOCUMENTS, spean_db_key_view(&key),
                         SPEAN_ID_BYTES + bytes.len, SPEAN_TX_ANYWHERE, &at) == SPEAN_OK) {
        (void)memcpy(at, change->chain.bytes, SPEAN_ID_BYTES);
        (void)memcpy(at + SPEAN_ID_BYTES, bytes.data, bytes.len);
    }
    const struct spean_view id = {change->title.id.bytes, sizeof(change->title.id.bytes)};
    return spean_tx_put(tx, SPEAN_TABLE_DOCUMENT_IDS, id, spean_db_key_view(&key));
}

spean_err spean_documents_put(struct spean_tx *tx, struct spean_authority *authority,
                              const struct spean_view *documents, uint32_t count,
                              enum spean_authority_pending pending,
                              struct spean_authority_change *changes, uint32_t *kept)
{
    assert(authority != NULL);
    assert(documents != NULL || count == 0);
    assert(changes != NULL || count == 0);
    assert(kept != NULL);

    *kept = 0;
    spean_err passed_over = SPEAN_OK;
    spean_err err = spean_tx_err(tx);
    for (uint32_t i = 0; i < count && err == SPEAN_OK; i++) {
        struct spean_authority_change change;
        err = spean_authority_add(authority, documents[i], pending, &change);
        if (err == SPEAN_EEXISTS) {
            err = SPEAN_OK;
            continue;
        }
        if (err == SPEAN_ELIMIT || err == SPEAN_EWAIT || err == SPEAN_EGAP) {
            passed_over = err;
            err = SPEAN_OK;
            continue;
        }
        if (err == SPEAN_OK) {
            err = keep(tx, documents[i], &change);
        }
        if (err == SPEAN_OK) {
            changes[*kept] = change;
            (*kept)++;
        }
    }
    return err == SPEAN_OK ? passed_over : err;
}

spean_err spean_documents_get(struct spean_tx *tx, const struct spean_id *chain,
                              const struct spean_title *title, struct spean_view *out)
{
    assert(chain != NULL);
    assert(title != NULL);
    assert(out != NULL);

    const struct spean_view id = {title->id.bytes, sizeof(title->id.bytes)};
    struct spean_view value;
    spean_err err = spean_tx_get(tx, SPEAN_TABLE_DOCUMENT_IDS, id, &value);
    if (err != SPEAN_OK) {
        return err;
    }
    uint64_t number;
    if (spean_db_key_u64_at(value, 0, &number) != SPEAN_OK || value.len != NUMBER_BYTES) {
        return SPEAN_ECORRUPT;
    }
    const struct spean_db_key key = number_key(number);
    err = spean_tx_get(tx, SPEAN_TABLE_DOCUMENTS, spean_db_key_view(&key), &value);
    if (err != SPEAN_OK) {
        return err == SPEAN_ENOTFOUND ? SPEAN_ECORRUPT : err;
    }
    struct spean_document doc;
    struct spean_documents_row row;
    err = row_decode(number, value, &doc, &row);
    if (err != SPEAN_OK) {
        return err;
    }
    if (!spean_id_equal(&row.title.id, &title->id)) {
        return SPEAN_ECORRUPT;
    }
    if (!spean_id_equal(&row.chain, chain) || row.title.version != title->version) {
        return SPEAN_ENOTFOUND;
    }
    *out = row.bytes;
    return SPEAN_OK;
}
