#include "store/body.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "store/entries.h"
#include "store/erased.h"
#include "store/partkeys.h"

#define TAG_STATE_BYTES  (SPEAN_TAG_BYTES + 1u)
#define TAG_NUMBER_BYTES (TAG_STATE_BYTES + 4u)
#define TAG_KEY_BYTES    (TAG_NUMBER_BYTES + 8u)

static const uint8_t nothing[1];

static struct spean_db_key tag_key(const struct spean_tag *tag, enum spean_body_state state,
                                   uint32_t number, uint64_t seq)
{
    struct spean_db_key key = {0};
    spean_db_key_put_bytes(&key, tag->bytes, sizeof(tag->bytes));
    spean_db_key_put_u8(&key, (uint8_t)state);
    spean_db_key_put_u32(&key, number);
    spean_db_key_put_u64(&key, seq);
    return key;
}

static spean_err tag_put(struct spean_tx *tx, const struct spean_header *header,
                         enum spean_body_state state, uint32_t number)
{
    const struct spean_db_key key = tag_key(&header->tag, state, number, header->seq);
    return spean_tx_put(tx, SPEAN_TABLE_TAGS, spean_db_key_view(&key),
                        (struct spean_view){nothing, 0});
}

/* Remove a row of the index; that it is not there is found by the check. */
static spean_err tag_del(struct spean_tx *tx, const struct spean_header *header,
                         enum spean_body_state state, uint32_t number)
{
    const struct spean_db_key key = tag_key(&header->tag, state, number, header->seq);
    const spean_err err = spean_tx_del(tx, SPEAN_TABLE_TAGS, spean_db_key_view(&key));
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

/* Let the index say that the body of an entry is now in state. */
static spean_err tag_move(struct spean_tx *tx, const struct spean_header *header,
                          enum spean_body_state state, uint32_t number)
{
    if (!header->has_tag) {
        return SPEAN_OK;
    }
    const enum spean_body_state before =
        state == SPEAN_BODY_HELD ? SPEAN_BODY_LACKING : SPEAN_BODY_HELD;
    const spean_err err = tag_del(tx, header, before, number);
    return err == SPEAN_OK ? tag_put(tx, header, state, number) : err;
}

spean_err spean_body_get(struct spean_tx *tx, uint32_t number, const struct spean_header *header,
                         struct spean_view *out)
{
    assert(header != NULL);
    assert(out != NULL);

    const struct spean_db_key key = spean_entries_key(number, header->seq);
    struct spean_view body;
    const spean_err err = spean_tx_get(tx, SPEAN_TABLE_BODIES, spean_db_key_view(&key), &body);
    if (err != SPEAN_OK) {
        return err;
    }
    if (spean_body_check(header, body) != SPEAN_OK) {
        return SPEAN_ECORRUPT;
    }
    *out = body;
    return SPEAN_OK;
}

spean_err spean_body_refused(struct spean_tx *tx, const struct spean_id *log,
                             const struct spean_run_entry *entry, bool *refused)
{
    assert(entry != NULL);
    assert(refused != NULL);

    *refused = false;
    if (!entry->header.has_tag) {
        return spean_erased_refused(tx, log, entry, refused);
    }
    /* A grant says itself which part it is of, and may be of another than was erased. */
    return spean_header_is_sealed(&entry->header)
               ? spean_partkeys_refused(tx, &entry->header.tag, refused)
               : SPEAN_OK;
}

spean_err spean_body_put(struct spean_tx *tx, const struct spean_logs_row *row, uint64_t seq,
                         struct spean_view body)
{
    assert(row != NULL);

    struct spean_run_entry entry;
    spean_err err = spean_entries_get(tx, row, seq, &entry);
    if (err == SPEAN_OK) {
        err = spean_body_check(&entry.header, body);
    }
    if (err != SPEAN_OK) {
        return err;
    }
    bool refused = false;
    /* A grant that was destroyed does not come back, either. */
    err = entry.header.has_tag ? spean_partkeys_refused(tx, &entry.header.tag, &refused)
                               : spean_erased_refused(tx, &row->log, &entry, &refused);
    if (err != SPEAN_OK || refused) {
        return err == SPEAN_OK ? SPEAN_EDENIED : err;
    }
    struct spean_view held;
    err = spean_body_get(tx, row->number, &entry.header, &held);
    if (err == SPEAN_OK) {
        return SPEAN_EEXISTS;
    }
    if (spean_tx_err(tx) != SPEAN_OK) {
        return err;
    }
    const struct spean_db_key key = spean_entries_key(row->number, seq);
    err = spean_tx_put(tx, SPEAN_TABLE_BODIES, spean_db_key_view(&key), body);
    return err == SPEAN_OK ? tag_move(tx, &entry.header, SPEAN_BODY_HELD, row->number) : err;
}

spean_err spean_body_del(struct spean_tx *tx, const struct spean_logs_row *row, uint64_t seq)
{
    assert(row != NULL);

    struct spean_run_entry entry;
    spean_err err = spean_entries_get(tx, row, seq, &entry);
    if (err != SPEAN_OK) {
        return err;
    }
    const struct spean_db_key key = spean_entries_key(row->number, seq);
    err = spean_tx_del(tx, SPEAN_TABLE_BODIES, spean_db_key_view(&key));
    return err == SPEAN_OK ? tag_move(tx, &entry.header, SPEAN_BODY_LACKING, row->number) : err;
}

spean_err spean_body_load(struct spean_tx *tx, const struct spean_logs_row *row,
                          const struct spean_tag *tag, uint64_t seq, struct spean_view *out)
{
    assert(row != NULL);
    assert(tag != NULL);

    struct spean_run_entry entry;
    spean_err err = spean_entries_get(tx, row, seq, &entry);
    if (err != SPEAN_OK) {
        return err;
    }
    if (!entry.header.has_tag || !spean_tag_equal(&entry.header.tag, tag)) {
        return SPEAN_ENOTFOUND;
    }
    bool hidden = false;
    err = spean_body_refused(tx, &row->log, &entry, &hidden);
    if (err != SPEAN_OK || hidden) {
        return err == SPEAN_OK ? SPEAN_ENOTFOUND : err;
    }
    err = spean_body_get(tx, row->number, &entry.header, out);
    return err == SPEAN_ECORRUPT && spean_tx_err(tx) == SPEAN_OK ? SPEAN_ENOTFOUND : err;
}

spean_err spean_body_put_new(struct spean_tx *tx, uint32_t number,
                             const struct spean_run_entry *entry, enum spean_tx_place place)
{
    assert(entry != NULL);

    const struct spean_view body = entry->body;
    if (body.len > 0) {
        const struct spean_db_key key = spean_entries_key(number, entry->header.seq);
        uint8_t *at;
        const spean_err err =
            spean_tx_reserve(tx, SPEAN_TABLE_BODIES, spean_db_key_view(&key), body.len, place, &at);
        if (err != SPEAN_OK) {
            return err;
        }
        (void)memcpy(at, body.data, body.len);
    }
    if (!entry->header.has_tag) {
        return SPEAN_OK;
    }
    const enum spean_body_state state = body.len > 0 ? SPEAN_BODY_HELD : SPEAN_BODY_LACKING;
    return tag_put(tx, &entry->header, state, number);
}

spean_err spean_body_forget(struct spean_tx *tx, uint32_t number, const struct spean_header *header)
{
    assert(header != NULL);

    const struct spean_db_key key = spean_entries_key(number, header->seq);
    spean_err err = spean_tx_del(tx, SPEAN_TABLE_BODIES, spean_db_key_view(&key));
    if (err == SPEAN_ENOTFOUND) {
        err = SPEAN_OK;
    }
    if (err == SPEAN_OK && header->has_tag) {
        err = tag_del(tx, header, SPEAN_BODY_HELD, number);
        if (err == SPEAN_OK) {
            err = tag_del(tx, header, SPEAN_BODY_LACKING, number);
        }
    }
    return err;
}

/* -- Entries under a tag --------------------------------------------------------------------- */

static spean_err tagged_decode(struct spean_view key, struct spean_tagged *out)
{
    struct spean_tagged tagged;
    if (key.len != TAG_KEY_BYTES ||
        spean_db_key_u32_at(key, TAG_STATE_BYTES, &tagged.number) != SPEAN_OK ||
        spean_db_key_u64_at(key, TAG_NUMBER_BYTES, &tagged.seq) != SPEAN_OK) {
        return SPEAN_ECORRUPT;
    }
    *out = tagged;
    return SPEAN_OK;
}

spean_err spean_body_next(struct spean_tx *tx, const struct spean_tag *tag,
                          enum spean_body_state state, const struct spean_tagged *from,
                          struct spean_tagged *out)
{
    assert(tag != NULL);
    assert(from != NULL);
    assert(out != NULL);

    const struct spean_db_key at = tag_key(tag, state, from->number, from->seq);
    struct spean_cursor cursor;
    spean_err err = spean_cursor_init(&cursor, tx, SPEAN_TABLE_TAGS,
                                      (struct spean_view){at.bytes, TAG_STATE_BYTES});
    if (err != SPEAN_OK) {
        return err;
    }
    struct spean_view key;
    struct spean_view value;
    err = spean_cursor_seek(&cursor, spean_db_key_view(&at), &key, &value);
    if (err == SPEAN_OK) {
        err = tagged_decode(key, out);
    }
    spean_cursor_fini(&cursor);
    return err;
}

spean_err spean_body_next_tag(struct spean_tx *tx, const struct spean_tag *from,
                              struct spean_tag *out)
{
    assert(from != NULL);
    assert(out != NULL);

    struct spean_cursor cursor;
    spean_err err = spean_cursor_init(&cursor, tx, SPEAN_TABLE_TAGS, (struct spean_view){0});
    if (err != SPEAN_OK) {
        return err;
    }
    struct spean_view key;
    struct spean_view value;
    err = spean_cursor_seek(&cursor, (struct spean_view){from->bytes, sizeof(from->bytes)}, &key,
                            &value);
    if (err == SPEAN_OK && key.len != TAG_KEY_BYTES) {
        err = SPEAN_ECORRUPT;
    }
    if (err == SPEAN_OK) {
        (void)memcpy(out->bytes, key.data, sizeof(out->bytes));
    }
    spean_cursor_fini(&cursor);
    return err;
}

spean_err spean_body_lacking(struct spean_tx *tx, const struct spean_tag *tag, uint32_t number,
                             uint64_t from, uint64_t *seqs, uint32_t cap, uint32_t *count,
                             bool *more)
{
    assert(tag != NULL);
    assert(seqs != NULL);
    assert(count != NULL);
    assert(more != NULL);

    const struct spean_db_key at = tag_key(tag, SPEAN_BODY_LACKING, number, from);
    struct spean_cursor cursor;
    spean_err err = spean_cursor_init(&cursor, tx, SPEAN_TABLE_TAGS,
                                      (struct spean_view){at.bytes, TAG_NUMBER_BYTES});
    if (err != SPEAN_OK) {
        return err;
    }
    uint32_t found = 0;
    struct spean_view key;
    struct spean_view value;
    err = spean_cursor_seek(&cursor, spean_db_key_view(&at), &key, &value);
    while (err == SPEAN_OK && found < cap) {
        struct spean_tagged tagged;
        err = tagged_decode(key, &tagged);
        if (err == SPEAN_OK) {
            seqs[found++] = tagged.seq;
            err = spean_cursor_next(&cursor, &key, &value);
        }
    }
    spean_cursor_fini(&cursor);
    if (err != SPEAN_OK && err != SPEAN_ENOTFOUND) {
        return err;
    }
    *count = found;
    *more = err == SPEAN_OK;
    return SPEAN_OK;
}
