#include "store/destroy.h"

#include <assert.h>
#include <string.h>

#include "protocol/limits.h"
#include "protocol/partkey.h"
#include "store/body.h"
#include "store/entries.h"
#include "store/local.h"
#include "store/log.h"
#include "store/logs.h"
#include "store/record.h"

#define ROW_BYTES    9u  /* Stage, seconds. */
#define FOUND_MAX    64u /* Parts of one stage that are worked on before looking again. */
#define PROOFS_BYTES ((size_t)SPEAN_PART_GENERATIONS_MAX * SPEAN_ID_BYTES)

_Static_assert(PROOFS_BYTES <= SPEAN_BODY_BYTES_MAX, "an erasure names all generations");

/* -- Rows ------------------------------------------------------------------------------------ */

static spean_err row_decode(struct spean_view value, struct spean_destroy_row *out)
{
    if (value.len != ROW_BYTES || value.data[0] < SPEAN_DESTROY_HIDDEN ||
        value.data[0] > SPEAN_DESTROY_DONE) {
        return SPEAN_ECORRUPT;
    }
    out->stage = (enum spean_destroy_stage)value.data[0];
    out->since_s = spean_u64_get(value.data + 1);
    return SPEAN_OK;
}

static spean_err row_put(struct spean_tx *tx, const struct spean_part_name *part,
                         enum spean_destroy_stage stage, uint64_t since_s)
{
    const struct spean_db_key key = spean_part_name_key(part);
    uint8_t value[ROW_BYTES] = {(uint8_t)stage};
    spean_u64_put(value + 1, since_s);
    return spean_tx_put(tx, SPEAN_TABLE_DESTROYING, spean_db_key_view(&key),
                        (struct spean_view){value, sizeof(value)});
}

spean_err spean_destroy_get(struct spean_tx *tx, const struct spean_part_name *part,
                            struct spean_destroy_row *out)
{
    assert(out != NULL);

    const struct spean_db_key key = spean_part_name_key(part);
    struct spean_view value;
    const spean_err err = spean_tx_get(tx, SPEAN_TABLE_DESTROYING, spean_db_key_view(&key), &value);
    return err == SPEAN_OK ? row_decode(value, out) : err;
}

spean_err spean_destroy_note(struct spean_tx *tx, const struct spean_part_name *part,
                             uint64_t now_s)
{
    struct spean_destroy_row held;
    const spean_err err = spean_destroy_get(tx, part, &held);
    if (err != SPEAN_ENOTFOUND) {
        return err == SPEAN_OK ? SPEAN_OK : spean_tx_fail(tx, err);
    }
    return row_put(tx, part, SPEAN_DESTROY_HIDDEN, now_s);
}

spean_err spean_destroy_forget(struct spean_tx *tx, const struct spean_part_name *part)
{
    struct spean_destroy_row held;
    const spean_err err = spean_destroy_get(tx, part, &held);
    if (err != SPEAN_OK || held.stage != SPEAN_DESTROY_HIDDEN) {
        return err == SPEAN_OK || err == SPEAN_ENOTFOUND ? SPEAN_OK : spean_tx_fail(tx, err);
    }
    const struct spean_db_key key = spean_part_name_key(part);
    return spean_tx_del(tx, SPEAN_TABLE_DESTROYING, spean_db_key_view(&key));
}

spean_err spean_destroy_late(struct spean_tx *tx, const struct spean_part_name *part,
                             const struct spean_logs_row *log, uint64_t seq, uint64_t now_s,
                             bool *late)
{
    struct spean_destroy_row held;
    spean_err err = spean_destroy_get(tx, part, &held);
    *late = err == SPEAN_OK && held.stage != SPEAN_DESTROY_HIDDEN;
    if (err == SPEAN_ENOTFOUND || (err == SPEAN_OK && !*late)) {
        return SPEAN_OK;
    }
    if (err == SPEAN_OK) {
        err = spean_body_del(tx, log, seq);
    }
    /* Once for each delay, however many come: what was deleted waits for the store to be written
     * anew, and that is work. */
    if (err == SPEAN_OK && held.stage == SPEAN_DESTROY_DONE) {
        err = row_put(tx, part, SPEAN_DESTROY_HIDDEN, now_s);
    }
    return err == SPEAN_OK || spean_tx_err(tx) != SPEAN_OK ? err : spean_tx_fail(tx, err);
}

/* -- Finding --------------------------------------------------------------------------------- */

struct found {
    struct spean_part_name parts[FOUND_MAX];
    uint32_t count;
};

/* Find parts of a stage that are that far since until_s or before. */
static spean_err find(struct spean_tx *tx, enum spean_destroy_stage stage, uint64_t until_s,
                      struct found *out)
{
    struct spean_cursor cursor;
    struct spean_view key;
    struct spean_view value;
    out->count = 0;
    spean_err err =
        spean_cursor_init(&cursor, tx, SPEAN_TABLE_DESTROYING, (struct spean_view){NULL, 0});
    if (err != SPEAN_OK) {
        return err;
    }
    err = spean_cursor_first(&cursor, &key, &value);
    while (err == SPEAN_OK && out->count < FOUND_MAX) {
        struct spean_destroy_row row;
        struct spean_part_name *part = &out->parts[out->count];
        err = row_decode(value, &row);
        if (err == SPEAN_OK) {
            err = spean_part_name_decode(key, part);
        }
        if (err == SPEAN_OK) {
            out->count += row.stage == stage && row.since_s <= until_s ? 1 : 0;
            err = spean_cursor_next(&cursor, &key, &value);
        }
    }
    spean_cursor_fini(&cursor);
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

static spean_err find_in(struct spean_db *db, enum spean_destroy_stage stage, uint64_t until_s,
                         struct found *out)
{
    struct spean_tx *tx = NULL;
    spean_err err = spean_tx_begin(db, SPEAN_TX_READ, &tx);
    if (err == SPEAN_OK) {
        err = find(tx, stage, until_s, out);
        spean_tx_abort(tx);
    }
    return err;
}

/* -- Deleting -------------------------------------------------------------------------------- */

/* Drop the body of an entry, of a change alone or of whatever kind; it may be gone already. */
static spean_err body_destroy(struct spean_tx *tx, const struct spean_tagged *at, bool changes)
{
    struct spean_logs_row row;
    struct spean_run_entry entry;
    spean_err err = spean_logs_at(tx, at->number, &row);
    if (err == SPEAN_OK) {
        err = spean_entries_get(tx, &row, at->seq, &entry);
    }
    if (err == SPEAN_OK && (!changes || entry.header.kind == SPEAN_ENTRY_CHANGE)) {
        err = spean_body_del(tx, &row, at->seq);
    }
    return err == SPEAN_ENOTFOUND ? spean_tx_err(tx) : err;
}

/* Drop every body of a change that is held under a tag that is refused: one that is not is of a key
 * that another part has, too. */
static spean_err tag_destroy(struct spean_tx *tx, const struct spean_tag *tag)
{
    struct spean_tagged at = {0, 0};
    bool refused = false;
    spean_err err = spean_partkeys_refused(tx, tag, &refused);
    if (err != SPEAN_OK || !refused) {
        return err;
    }
    err = spean_body_next(tx, tag, SPEAN_BODY_HELD, &at, &at);
    while (err == SPEAN_OK) {
        err = body_destroy(tx, &at, true);
        at.seq++;
        if (err == SPEAN_OK) {
            err = spean_body_next(tx, tag, SPEAN_BODY_HELD, &at, &at);
        }
    }
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

/* Do so for a key, by its proof, in every log. */
static spean_err proof_destroy(struct spean_tx *tx, const struct spean_authority *authority,
                               const struct spean_id *proof)
{
    const uint32_t logs_count = spean_authority_logs_count(authority);
    spean_err err = SPEAN_OK;
    for (uint32_t i = 0; i < logs_count && err == SPEAN_OK; i++) {
        struct spean_tag tag;
        spean_partkey_tag(&tag, proof, &spean_authority_log_at(authority, i)->id);
        err = tag_destroy(tx, &tag);
    }
    return err;
}

/* Copy what stands in the first row of a table behind *after, and begins with the part; *len is 0
 * for no value. SPEAN_ENOTFOUND: no more. */
static spean_err row_next(struct spean_tx *tx, enum spean_table table,
                          const struct spean_part_name *part, struct spean_db_key *at, bool *begun,
                          uint8_t *value, size_t *len)
{
    const struct spean_db_key prefix = spean_part_name_key(part);
    struct spean_cursor cursor;
    struct spean_view key;
    struct spean_view found;
    spean_err err = spean_cursor_init(&cursor, tx, table, spean_db_key_view(&prefix));
    if (err != SPEAN_OK) {
        return err;
    }
    err = *begun ? spean_cursor_seek(&cursor, spean_db_key_view(at), &key, &found)
                 : spean_cursor_first(&cursor, &key, &found);
    if (err == SPEAN_OK && *begun && key.len == at->len &&
        memcmp(key.data, at->bytes, at->len) == 0) {
        err = spean_cursor_next(&cursor, &key, &found);
    }
    if (err == SPEAN_OK && (found.len > PROOFS_BYTES || key.len > sizeof(at->bytes))) {
        err = SPEAN_ECORRUPT;
    }
    if (err == SPEAN_OK) {
        *begun = true;
        *at = (struct spean_db_key){0};
        spean_db_key_put_bytes(at, key.data, key.len);
        *len = found.len;
        if (value != NULL && found.len > 0) {
            (void)memcpy(value, found.data, found.len);
        }
    }
    spean_cursor_fini(&cursor);
    return err;
}

/* Delete all bodies of a part, by the proofs that its erasures name. */
static spean_err bodies_destroy(struct spean_tx *tx, const struct spean_authority *authority,
                                const struct spean_part_name *part)
{
    uint8_t proofs[PROOFS_BYTES];
    struct spean_db_key at;
    bool begun = false;
    size_t len = 0;
    spean_err err = row_next(tx, SPEAN_TABLE_ERASURES, part, &at, &begun, proofs, &len);
    while (err == SPEAN_OK) {
        for (size_t i = 0; len - i >= SPEAN_ID_BYTES && err == SPEAN_OK; i += SPEAN_ID_BYTES) {
            struct spean_id proof;
            (void)memcpy(proof.bytes, proofs + i, sizeof(proof.bytes));
            err = proof_destroy(tx, authority, &proof);
        }
        if (err == SPEAN_OK) {
            err = row_next(tx, SPEAN_TABLE_ERASURES, part, &at, &begun, proofs, &len);
        }
    }
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

/* Delete the opened grants of a part, and their entries' bodies: its keys stand in them. Of others
 * nobody here knows what they are of. */
static spean_err grants_destroy(struct spean_tx *tx, const struct spean_part_name *part)
{
    const struct spean_db_key prefix = spean_part_name_key(part);
    spean_err err = SPEAN_OK;
    while (err == SPEAN_OK) {
        struct spean_db_key at = {0};
        struct spean_tagged grant;
        err = spean_tx_first(tx, SPEAN_TABLE_PART_GRANTS, spean_db_key_view(&prefix), &at);
        const struct spean_view place = spean_db_key_view(&at);
        if (err == SPEAN_OK) {
            err = spean_db_key_u32_at(place, prefix.len, &grant.number);
        }
        if (err == SPEAN_OK) {
            err = spean_db_key_u64_at(place, prefix.len + sizeof(grant.number), &grant.seq);
        }
        if (err == SPEAN_OK) {
            err = body_destroy(tx, &grant, false);
        }
        if (err == SPEAN_OK) {
            err = spean_tx_del(tx, SPEAN_TABLE_PART_GRANTS, place);
        }
    }
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

/* With the last part of a record that is left goes what this node noted of the record for itself.
 */
static spean_err local_destroy(struct spean_tx *tx, const struct spean_record_id *record)
{
    struct spean_cursor cursor;
    struct spean_view key;
    struct spean_view value;
    spean_err err = spean_cursor_init(&cursor, tx, SPEAN_TABLE_PARTS,
                                      (struct spean_view){record->bytes, sizeof(record->bytes)});
    if (err != SPEAN_OK) {
        return err;
    }
    err = spean_cursor_first(&cursor, &key, &value);
    spean_cursor_fini(&cursor);
    return err == SPEAN_ENOTFOUND ? spean_local_del_all(tx, record) : err;
}

static spean_err part_delete(struct spean_tx *tx, const struct spean_authority *authority,
                             const struct spean_part_name *part, uint64_t now_s)
{
    spean_err err = bodies_destroy(tx, authority, part);
    if (err == SPEAN_OK) {
        err = grants_destroy(tx, part);
    }
    if (err == SPEAN_OK) {
        err = spean_record_del_state(tx, part);
    }
    if (err == SPEAN_OK) {
        err = spean_record_unindex(tx, part);
    }
    if (err == SPEAN_OK) {
        err = local_destroy(tx, &part->record);
    }
    return err == SPEAN_OK ? row_put(tx, part, SPEAN_DESTROY_DELETED, now_s) : err;
}

/* Say whether a key of a part that is destroyed now has this tag in a log. */
static spean_err is_of_part(struct spean_tx *tx, const struct spean_part_name *part,
                            const struct spean_id *log, const struct spean_tag *tag, bool *is)
{
    uint8_t proofs[PROOFS_BYTES];
    struct spean_db_key at;
    bool begun = false;
    size_t len = 0;
    spean_err err = row_next(tx, SPEAN_TABLE_ERASURES, part, &at, &begun, proofs, &len);
    *is = false;
    while (err == SPEAN_OK && !*is) {
        for (size_t i = 0; len - i >= SPEAN_ID_BYTES && !*is; i += SPEAN_ID_BYTES) {
            struct spean_id proof;
            struct spean_tag own;
            (void)memcpy(proof.bytes, proofs + i, sizeof(proof.bytes));
            spean_partkey_tag(&own, &proof, log);
            *is = spean_tag_equal(&own, tag);
        }
        err = row_next(tx, SPEAN_TABLE_ERASURES, part, &at, &begun, proofs, &len);
    }
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

/* Drop the body of an entry that is set aside, if it is of one of the parts. */
static spean_err aside_body(struct spean_tx *tx, const struct found *found,
                            struct spean_logs_row *row, const struct spean_log_aside *aside)
{
    const struct spean_header *const header = &aside->entry.header;
    bool hidden = false;
    spean_err err = SPEAN_OK;
    if (aside->entry.body.len > 0) {
        err = spean_body_refused(tx, header, &hidden);
    }
    bool is = false;
    for (uint32_t i = 0; hidden && i < found->count && err == SPEAN_OK && !is; i++) {
        err = is_of_part(tx, &found->parts[i], &row->log, &header->tag, &is);
    }
    return err == SPEAN_OK && is ? spean_log_aside_drop_body(tx, row, aside) : err;
}

/* Drop the bodies of the parts among what is set aside of a log, which has no index of tags. */
static spean_err aside_destroy(struct spean_tx *tx, const struct found *found,
                               struct spean_logs_row *row)
{
    struct spean_log_aside_at at = {0};
    struct spean_log_aside aside;
    spean_err err = spean_log_aside_next(tx, row, &at, &aside);
    while (err == SPEAN_OK || (err == SPEAN_ECORRUPT && spean_tx_err(tx) == SPEAN_OK)) {
        if (err == SPEAN_OK) {
            err = aside_body(tx, found, row, &aside);
            if (err != SPEAN_OK) {
                return err; /* Said to be destroyed is only what is. */
            }
        }
        err = spean_log_aside_next(tx, row, &at, &aside); /* The check tells what is damaged. */
    }
    return err == SPEAN_ENOTFOUND ? spean_logs_put(tx, row) : err;
}

static spean_err asides_destroy(struct spean_tx *tx, const struct found *found)
{
    struct spean_logs_row row = {0};
    spean_err err = spean_logs_next(tx, 0, &row);
    while (err == SPEAN_OK) {
        err = row.aside_bytes > 0 ? aside_destroy(tx, found, &row) : SPEAN_OK;
        if (err == SPEAN_OK) {
            err = spean_logs_next(tx, row.number + 1, &row);
        }
    }
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

/* Bring parts to a stage, in one transaction. */
static spean_err advance(struct spean_db *db, const struct spean_authority *authority,
                         const struct found *found, enum spean_destroy_stage stage, uint64_t now_s)
{
    struct spean_tx *tx = NULL;
    spean_err err = spean_tx_begin(db, SPEAN_TX_WRITE, &tx);
    if (err != SPEAN_OK) {
        return err;
    }
    for (uint32_t i = 0; i < found->count && err == SPEAN_OK; i++) {
        err = stage == SPEAN_DESTROY_DELETED ? part_delete(tx, authority, &found->parts[i], now_s)
                                             : row_put(tx, &found->parts[i], stage, now_s);
    }
    if (err == SPEAN_OK && stage == SPEAN_DESTROY_DELETED) {
        err = asides_destroy(tx, found);
    }
    if (err != SPEAN_OK) {
        spean_tx_abort(tx);
        return err;
    }
    return spean_tx_commit(tx);
}

spean_err spean_destroy_due(struct spean_db *db, const struct spean_authority *authority,
                            uint64_t now_s, uint64_t delay_s, uint32_t *destroyed)
{
    assert(db != NULL);
    assert(authority != NULL);
    assert(destroyed != NULL);

    struct found found = {.count = 0};
    spean_err err = SPEAN_OK;
    *destroyed = 0;
    if (delay_s <= now_s) {
        err = find_in(db, SPEAN_DESTROY_HIDDEN, now_s - delay_s, &found);
    }
    if (err == SPEAN_OK && found.count > 0) {
        err = advance(db, authority, &found, SPEAN_DESTROY_DELETED, now_s);
    }
    if (err == SPEAN_OK) {
        err = find_in(db, SPEAN_DESTROY_DELETED, UINT64_MAX, &found);
    }
    if (err != SPEAN_OK || found.count == 0) {
        return err;
    }
    err = spean_db_rewrite(db);
    if (err == SPEAN_OK) {
        err = advance(db, authority, &found, SPEAN_DESTROY_DONE, now_s);
    }
    *destroyed = err == SPEAN_OK ? found.count : 0;
    return err;
}
