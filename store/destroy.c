#include "store/destroy.h"

#include <assert.h>
#include <string.h>

#include "protocol/limits.h"
#include "protocol/partkey.h"
#include "store/body.h"
#include "store/entries.h"
#include "store/erased.h"
#include "store/local.h"
#include "store/log.h"
#include "store/logs.h"
#include "store/record.h"

#define ROW_BYTES    9u  /* Stage, seconds. */
#define FOUND_MAX    64u /* Parts of one stage that are worked on before looking again. */
#define PLACE_BYTES  (2u * SPEAN_ID_BYTES + 8u) /* The key of a row about a public entry. */
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

static spean_err row_put(struct spean_tx *tx, const struct spean_db_key *key,
                         enum spean_destroy_stage stage, uint64_t since_s)
{
    uint8_t value[ROW_BYTES] = {(uint8_t)stage};
    spean_u64_put(value + 1, since_s);
    return spean_tx_put(tx, SPEAN_TABLE_DESTROYING, spean_db_key_view(key),
                        (struct spean_view){value, sizeof(value)});
}

static spean_err row_get(struct spean_tx *tx, const struct spean_db_key *key,
                         struct spean_destroy_row *out)
{
    struct spean_view value;
    const spean_err err = spean_tx_get(tx, SPEAN_TABLE_DESTROYING, spean_db_key_view(key), &value);
    return err == SPEAN_OK ? row_decode(value, out) : err;
}

static spean_err row_note(struct spean_tx *tx, const struct spean_db_key *key, uint64_t now_s)
{
    struct spean_destroy_row held;
    const spean_err err = row_get(tx, key, &held);
    if (err != SPEAN_ENOTFOUND) {
        return err == SPEAN_OK ? SPEAN_OK : spean_tx_fail(tx, err);
    }
    return row_put(tx, key, SPEAN_DESTROY_HIDDEN, now_s);
}

static spean_err row_forget(struct spean_tx *tx, const struct spean_db_key *key)
{
    struct spean_destroy_row held;
    const spean_err err = row_get(tx, key, &held);
    if (err != SPEAN_OK || held.stage != SPEAN_DESTROY_HIDDEN) {
        return err == SPEAN_OK || err == SPEAN_ENOTFOUND ? SPEAN_OK : spean_tx_fail(tx, err);
    }
    return spean_tx_del(tx, SPEAN_TABLE_DESTROYING, spean_db_key_view(key));
}

static struct spean_db_key place_key(const struct spean_destroy_place *place)
{
    struct spean_db_key key = spean_erased_key(&place->log, place->seq);
    spean_db_key_put_bytes(&key, place->entry.bytes, sizeof(place->entry.bytes));
    return key;
}

spean_err spean_destroy_get(struct spean_tx *tx, const struct spean_part_name *part,
                            struct spean_destroy_row *out)
{
    assert(out != NULL);

    const struct spean_db_key key = spean_part_name_key(part);
    return row_get(tx, &key, out);
}

spean_err spean_destroy_get_place(struct spean_tx *tx, const struct spean_destroy_place *place,
                                  struct spean_destroy_row *out)
{
    assert(place != NULL);
    assert(out != NULL);

    const struct spean_db_key key = place_key(place);
    return row_get(tx, &key, out);
}

spean_err spean_destroy_note(struct spean_tx *tx, const struct spean_part_name *part,
                             uint64_t now_s)
{
    const struct spean_db_key key = spean_part_name_key(part);
    return row_note(tx, &key, now_s);
}

spean_err spean_destroy_note_place(struct spean_tx *tx, const struct spean_destroy_place *place,
                                   uint64_t now_s)
{
    assert(place != NULL);

    const struct spean_db_key key = place_key(place);
    return row_note(tx, &key, now_s);
}

spean_err spean_destroy_forget(struct spean_tx *tx, const struct spean_part_name *part)
{
    const struct spean_db_key key = spean_part_name_key(part);
    return row_forget(tx, &key);
}

spean_err spean_destroy_forget_place(struct spean_tx *tx, const struct spean_destroy_place *place)
{
    assert(place != NULL);

    const struct spean_db_key key = place_key(place);
    return row_forget(tx, &key);
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
        const struct spean_db_key key = spean_part_name_key(part);
        err = row_put(tx, &key, SPEAN_DESTROY_HIDDEN, now_s);
    }
    return err == SPEAN_OK || spean_tx_err(tx) != SPEAN_OK ? err : spean_tx_fail(tx, err);
}

/* -- Finding --------------------------------------------------------------------------------- */

/* What is to be brought to the next stage, by the keys of its rows: parts and public entries. */
struct found {
    struct spean_db_key keys[FOUND_MAX];
    uint32_t count;
};

/* Say whether a row is about a public entry, and give that. */
static bool is_place(const struct spean_db_key *key, struct spean_destroy_place *out)
{
    if (key->len != PLACE_BYTES ||
        spean_db_key_u64_at(spean_db_key_view(key), SPEAN_ID_BYTES, &out->seq) != SPEAN_OK) {
        return false;
    }
    (void)memcpy(out->log.bytes, key->bytes, sizeof(out->log.bytes));
    (void)memcpy(out->entry.bytes, key->bytes + PLACE_BYTES - SPEAN_ID_BYTES,
                 sizeof(out->entry.bytes));
    return true;
}

/* Say whether a row is about a part, and give that. */
static bool is_part(const struct spean_db_key *key, struct spean_part_name *out)
{
    return key->len == SPEAN_PART_NAME_BYTES &&
           spean_part_name_decode(spean_db_key_view(key), out) == SPEAN_OK;
}

/* Find what is at a stage that are that far since until_s or before. */
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
        struct spean_db_key *const at = &out->keys[out->count];
        err = key.len == SPEAN_PART_NAME_BYTES || key.len == PLACE_BYTES ? row_decode(value, &row)
                                                                         : SPEAN_ECORRUPT;
        if (err == SPEAN_OK) {
            *at = (struct spean_db_key){0};
            spean_db_key_put_bytes(at, key.data, key.len);
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
    struct spean_db_key part;
    const spean_err err = spean_tx_first(
        tx, SPEAN_TABLE_PARTS, (struct spean_view){record->bytes, sizeof(record->bytes)}, &part);
    return err == SPEAN_ENOTFOUND ? spean_local_del_all(tx, record) : err;
}

static spean_err part_delete(struct spean_tx *tx, const struct spean_authority *authority,
                             const struct spean_part_name *part)
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
    return err == SPEAN_OK ? local_destroy(tx, &part->record) : err;
}

/* Drop the body of a public change, if it is held. */
static spean_err place_delete(struct spean_tx *tx, const struct spean_destroy_place *place)
{
    struct spean_logs_row row;
    struct spean_run_entry entry;
    spean_err err = spean_logs_get(tx, &place->log, &row);
    if (err == SPEAN_OK) {
        err = spean_entries_get(tx, &row, place->seq, &entry);
    }
    if (err == SPEAN_OK && spean_id_equal(&entry.id, &place->entry) && !entry.header.has_tag &&
        entry.header.kind == SPEAN_ENTRY_CHANGE) {
        err = spean_body_del(tx, &row, place->seq);
    }
    return err == SPEAN_ENOTFOUND ? spean_tx_err(tx) : err;
}

/* Delete what a row is about. */
static spean_err key_delete(struct spean_tx *tx, const struct spean_authority *authority,
                            const struct spean_db_key *key, uint64_t now_s)
{
    struct spean_part_name part;
    struct spean_destroy_place place;
    spean_err err = SPEAN_ECORRUPT;
    if (is_part(key, &part)) {
        err = part_delete(tx, authority, &part);
    } else if (is_place(key, &place)) {
        bool named = false;
        err = spean_erased_named(tx, &place.log, place.seq, &place.entry, &named);
        if (err == SPEAN_OK && !named) {
            return row_forget(tx, key); /* Who erased it is no steward any more. */
        }
        err = err == SPEAN_OK ? place_delete(tx, &place) : err;
    }
    return err == SPEAN_OK ? row_put(tx, key, SPEAN_DESTROY_DELETED, now_s) : err;
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

/* Say whether an entry that is set aside is among what is found, or of a part that is. */
static spean_err is_found(struct spean_tx *tx, const struct found *found,
                          const struct spean_id *log, const struct spean_run_entry *entry, bool *is)
{
    const struct spean_destroy_place own = {*log, entry->header.seq, entry->id};
    const struct spean_db_key own_key = place_key(&own);
    bool hidden = true;
    spean_err err = SPEAN_OK;
    if (entry->header.has_tag) {
        err = spean_body_refused(tx, log, entry, &hidden);
    }
    *is = false;
    for (uint32_t i = 0; hidden && i < found->count && err == SPEAN_OK && !*is; i++) {
        const struct spean_db_key *const key = &found->keys[i];
        struct spean_part_name part;
        if (entry->header.has_tag && is_part(key, &part)) {
            err = is_of_part(tx, &part, log, &entry->header.tag, is);
        } else {
            *is = !entry->header.has_tag && entry->header.kind == SPEAN_ENTRY_CHANGE &&
                  key->len == own_key.len && memcmp(key->bytes, own_key.bytes, key->len) == 0;
        }
    }
    return err;
}

/* Drop the body of an entry that is set aside, if it is among what is found. */
static spean_err aside_body(struct spean_tx *tx, const struct found *found,
                            struct spean_logs_row *row, const struct spean_log_aside *aside)
{
    bool is = false;
    spean_err err = SPEAN_OK;
    if (aside->entry.body.len > 0) {
        err = is_found(tx, found, &row->log, &aside->entry, &is);
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

/* Bring what is found to a stage, in one transaction. */
static spean_err advance(struct spean_db *db, const struct spean_authority *authority,
                         const struct found *found, enum spean_destroy_stage stage, uint64_t now_s)
{
    struct spean_tx *tx = NULL;
    spean_err err = spean_tx_begin(db, SPEAN_TX_WRITE, &tx);
    if (err != SPEAN_OK) {
        return err;
    }
    for (uint32_t i = 0; i < found->count && err == SPEAN_OK; i++) {
        err = stage == SPEAN_DESTROY_DELETED ? key_delete(tx, authority, &found->keys[i], now_s)
                                             : row_put(tx, &found->keys[i], stage, now_s);
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

/* Bring all that is at one stage since until_s or before to the next one; *count says how much. */
static spean_err advance_all(struct spean_db *db, const struct spean_authority *authority,
                             enum spean_destroy_stage from, uint64_t until_s, uint64_t now_s,
                             uint32_t *count)
{
    const enum spean_destroy_stage to =
        from == SPEAN_DESTROY_HIDDEN ? SPEAN_DESTROY_DELETED : SPEAN_DESTROY_DONE;
    struct found found;
    spean_err err = SPEAN_OK;
    *count = 0;
    do {
        err = find_in(db, from, until_s, &found);
        if (err == SPEAN_OK && found.count > 0) {
            err = advance(db, authority, &found, to, now_s);
            *count += err == SPEAN_OK ? found.count : 0;
        }
    } while (err == SPEAN_OK && found.count == FOUND_MAX);
    return err;
}

/* Say whether anything waits for the store to be written anew. */
static spean_err look_for_deleted(struct spean_db *db, bool *is)
{
    struct found found;
    const spean_err err = find_in(db, SPEAN_DESTROY_DELETED, UINT64_MAX, &found);
    *is = err == SPEAN_OK && found.count > 0;
    return err;
}

spean_err spean_destroy_due(struct spean_db *db, const struct spean_authority *authority,
                            uint64_t now_s, uint64_t delay_s, uint32_t *destroyed)
{
    assert(db != NULL);
    assert(authority != NULL);
    assert(destroyed != NULL);

    bool deleted = false;
    uint32_t count = 0;
    spean_err err = SPEAN_OK;
    *destroyed = 0;
    if (delay_s <= now_s) {
        err = advance_all(db, authority, SPEAN_DESTROY_HIDDEN, now_s - delay_s, now_s, &count);
    }
    if (err == SPEAN_OK) {
        err = look_for_deleted(db, &deleted);
    }
    if (err == SPEAN_OK && deleted) {
        err = spean_db_rewrite(db);
    }
    if (err == SPEAN_OK && deleted) {
        err = advance_all(db, authority, SPEAN_DESTROY_DELETED, UINT64_MAX, now_s, destroyed);
    }
    return err;
}
