/* Erasures: who they bind, and what they hide (P8.7). */
#include <string.h>

#include "protocol/body.h"
#include "protocol/erasure.h"
#include "protocol/partkey.h"
#include "protocol/schema.h"
#include "store/body.h"
#include "store/destroy.h"
#include "store/entries.h"
#include "store/erased.h"
#include "store/fold_batch.h"

#define NEEDS_AUTHORITY 1u /* As of grants whose author's key is not known. */
#define PLACE_BYTES     12u

spean_err fold_part_erased(struct fold_batch *b, const struct spean_part_name *part, bool *erased)
{
    const struct spean_db_key prefix = spean_part_name_key(part);
    uint64_t count = 0;
    const spean_err err =
        spean_tx_count(b->tx, SPEAN_TABLE_ERASURES, spean_db_key_view(&prefix), 1, &count);
    if (err == SPEAN_OK) {
        *erased = count > 0;
    }
    return err;
}

spean_err fold_place_erased(struct fold_batch *b, const struct fold_place *place, bool *erased)
{
    const struct spean_run_entry *const entry = place->entry;
    *erased = false;
    return b->erased_some ? spean_erased_named(b->tx, &place->log->row.log, entry->header.seq,
                                               &entry->id, erased)
                          : SPEAN_OK;
}

/* -- Parts ----------------------------------------------------------------------------------- */

/* Refuse, or no longer refuse, bodies under one tag. A key that is held is another part's, for
 * those of the erased one are gone: whoever is party to that part knows its proof, and erases
 * nothing by it. Where no grant of it is held, there is nothing to know it by. */
static spean_err tag_refuse(struct fold_batch *b, const struct spean_id *proof,
                            const struct spean_log *log, bool refuse)
{
    struct spean_tag tag;
    uint32_t number = 0;
    spean_partkey_tag(&tag, proof, &log->id);
    const spean_err err = spean_partkeys_number_of(b->tx, &tag, &number);
    if (err == SPEAN_ENOTFOUND) {
        return refuse ? spean_partkeys_put_tag(b->tx, &tag, 0) : SPEAN_OK;
    }
    return err == SPEAN_OK && number == 0 && !refuse ? spean_partkeys_del_tag(b->tx, &tag) : err;
}

/* Do so for proofs, one after the other in bytes, in all logs from number first on. */
static spean_err proofs_refuse(struct fold_batch *b, struct spean_view proofs, uint32_t first,
                               bool refuse)
{
    const uint32_t logs_count = spean_authority_logs_count(b->authority);
    spean_err err = SPEAN_OK;
    for (size_t at = 0; proofs.len - at >= SPEAN_ID_BYTES && err == SPEAN_OK;
         at += SPEAN_ID_BYTES) {
        struct spean_id proof;
        (void)memcpy(proof.bytes, proofs.data + at, sizeof(proof.bytes));
        for (uint32_t i = first; i < logs_count && err == SPEAN_OK; i++) {
            err = tag_refuse(b, &proof, spean_authority_log_at(b->authority, i), refuse);
        }
    }
    return err;
}

/* A row of the table of erasures; its value is the proofs. */
struct erasure_rows {
    uint32_t number; /* Of the log whose rows are taken back. */
    uint32_t first;  /* Of the logs that are new. */
    uint8_t *proofs; /* Room for a copy: a view is gone with the first write. */
};

static spean_err fill_row(struct fold_batch *b, void *ctx, struct spean_view key,
                          struct spean_view value)
{
    const struct erasure_rows *const rows = ctx;
    (void)key;
    if (value.len > SPEAN_BODY_BYTES_MAX) {
        return SPEAN_ECORRUPT;
    }
    if (value.len > 0) {
        (void)memcpy(rows->proofs, value.data, value.len);
    }
    return proofs_refuse(b, (struct spean_view){rows->proofs, value.len}, rows->first, true);
}

spean_err fold_erasures_fill(struct fold_batch *b, uint32_t first)
{
    struct erasure_rows rows = {.first = first, .proofs = b->fold->body};
    return fold_each(b, SPEAN_TABLE_ERASURES, (struct spean_view){0}, fill_row, &rows);
}

static struct spean_db_key erasure_key(const struct spean_part_name *part,
                                       const struct fold_place *place)
{
    struct spean_db_key key = spean_part_name_key(part);
    spean_db_key_put_u32(&key, place->log->row.number);
    spean_db_key_put_u64(&key, place->entry->header.seq);
    return key;
}

/* Say whether our node hides the part: the owner binds everybody, an org its own nodes.
 * SPEAN_EWAIT: that depends on who the owner is, which is not known. */
static spean_err part_binds(struct fold_batch *b, const struct fold_place *place,
                            const struct spean_record_id *id, bool *binds)
{
    const struct spean_id *const author = &place->log->row.org;
    struct fold_record *record;
    const spean_err err = fold_record_take(b, id, &record);
    if (err != SPEAN_OK) {
        return err;
    }
    *binds = spean_erasure_binds(SPEAN_ERASURE_OWN, author, &b->fold->org);
    if (*binds) {
        return SPEAN_OK;
    }
    if (record->record == NULL) {
        return SPEAN_EWAIT;
    }
    struct spean_record_info info;
    spean_record_get_info(record->record, &info);
    const enum spean_erasure_reach reach = spean_erasure_may(true, author, false, &info.owner);
    *binds = spean_erasure_binds(reach, author, &b->fold->org);
    return SPEAN_OK;
}

/* Keep the proofs of an erasure of a part, and refuse what is under them: but for what other parts
 * that are held have. */
static spean_err proofs_keep(struct fold_batch *b, const struct fold_place *place,
                             const struct spean_part_name *part,
                             const struct spean_erasure *erasure)
{
    uint8_t *const proofs = b->fold->erased_proofs;
    for (uint32_t i = 0; i < erasure->proofs_count; i++) {
        struct spean_id proof;
        spean_erasure_proof(erasure, i, &proof);
        (void)memcpy(proofs + (size_t)i * SPEAN_ID_BYTES, proof.bytes, SPEAN_ID_BYTES);
    }
    const struct spean_view bytes = {proofs, (size_t)erasure->proofs_count * SPEAN_ID_BYTES};
    const struct spean_db_key key = erasure_key(part, place);
    spean_err err = spean_tx_put(b->tx, SPEAN_TABLE_ERASURES, spean_db_key_view(&key), bytes);
    if (err == SPEAN_OK) {
        err = spean_destroy_note(b->tx, part, b->now_s);
    }
    if (err == SPEAN_OK) {
        err = fold_grants_judge(b, part);
    }
    if (err == SPEAN_OK) {
        err = proofs_refuse(b, bytes, 0, true);
    }
    fold_tags_forget(b->fold);
    return err;
}

/* Hide a part: its keys and tags go, and it is folded again to nothing. */
static spean_err part_hide(struct fold_batch *b, const struct fold_place *place,
                           const struct spean_part_name *part, const struct spean_erasure *erasure)
{
    const spean_err err = proofs_keep(b, place, part, erasure);
    return err == SPEAN_OK ? fold_mark_dirty(b, part) : err;
}

/*
 * On a relay, refuse what is under the proofs, whoever shows them, and hide nothing: what the relay
 * is party to itself goes by its owner. They are kept under a name that no part has, made of the
 * erasure's own id, so that they are taken back with it.
 */
static spean_err relay_refuse(struct fold_batch *b, const struct fold_place *place,
                              const struct spean_erasure *erasure)
{
    struct spean_part_name name = {.part = SPEAN_PART_PUBLIC};
    (void)memcpy(name.record.bytes, place->entry->id.bytes, sizeof(name.record.bytes));
    const struct spean_db_key key = erasure_key(&name, place);
    struct spean_view held;
    const spean_err err = spean_tx_get(b->tx, SPEAN_TABLE_ERASURES, spean_db_key_view(&key), &held);
    return err == SPEAN_ENOTFOUND ? proofs_keep(b, place, &name, erasure) : err;
}

/* Let an erasure wait for the record that it is about. */
static spean_err wait_for_record(struct fold_batch *b, const struct fold_place *place,
                                 const struct spean_record_id *record)
{
    static const uint8_t nothing[1];
    struct spean_db_key key = {0};
    spean_db_key_put_bytes(&key, record->bytes, sizeof(record->bytes));
    spean_db_key_put_u32(&key, place->log->row.number);
    spean_db_key_put_u64(&key, place->entry->header.seq);
    return spean_tx_put(b->tx, SPEAN_TABLE_FOLD_WAITING, spean_db_key_view(&key),
                        (struct spean_view){nothing, 0});
}

static spean_err erase_part(struct fold_batch *b, const struct fold_place *place,
                            const struct spean_erasure *erasure)
{
    if (erasure->part > UINT32_MAX || erasure->part == SPEAN_PART_PUBLIC) {
        return fold_set_aside(b, place->log->row.number, place->entry->header.seq,
                              SPEAN_ASIDE_PART);
    }
    const struct spean_part_name part = {erasure->record, (uint32_t)erasure->part};
    const struct spean_db_key key = erasure_key(&part, place);
    struct spean_view held;
    spean_err err = spean_tx_get(b->tx, SPEAN_TABLE_ERASURES, spean_db_key_view(&key), &held);
    if (err != SPEAN_ENOTFOUND) {
        return err; /* It was obeyed before; with the part, its owner may have become unknown. */
    }
    bool binds = false;
    err = part_binds(b, place, &part.record, &binds);
    const bool waits = err == SPEAN_EWAIT;
    if (waits) {
        err = wait_for_record(b, place, &part.record);
    }
    if (err == SPEAN_OK && binds) {
        return part_hide(b, place, &part, erasure);
    }
    return err == SPEAN_OK && b->relay ? relay_refuse(b, place, erasure) : err;
}

/* -- Public entries -------------------------------------------------------------------------- */

/* Say whether the author may erase all places. SPEAN_EWAIT: a log is not known. */
static spean_err places_bind(const struct fold_batch *b, const struct fold_place *place,
                             const struct spean_erasure *erasure, bool *binds)
{
    const struct spean_id *const author = &place->log->row.org;
    const bool steward = spean_authority_is_steward(b->authority, author);
    struct spean_view left = erasure->places;
    struct spean_erasure_place at;
    *binds = true;
    while (spean_erasure_place_next(&left, &at)) {
        const struct spean_log *const log = spean_authority_log(b->authority, &at.log);
        if (log == NULL) {
            return SPEAN_EWAIT;
        }
        *binds =
            *binds && spean_erasure_may(false, author, steward, &log->org) == SPEAN_ERASURE_ALL;
    }
    return SPEAN_OK;
}

/* Look again at a public entry, and fold the part again that it is a change of. */
static spean_err place_hide(struct fold_batch *b, const struct spean_id *id, uint64_t seq)
{
    struct fold_log *const log = fold_log_find(b, id);
    struct spean_run_entry entry;
    struct spean_view body;
    struct spean_view content;
    struct spean_change change;
    if (log == NULL || seq == 0 || seq > log->cursor) {
        return SPEAN_OK;
    }
    spean_err err = fold_requeue(b, log->row.number, seq);
    if (err == SPEAN_OK) {
        err = spean_entries_get(b->tx, &log->row, seq, &entry);
    }
    if (err == SPEAN_OK) {
        err = spean_body_get(b->tx, log->row.number, &entry.header, &body);
    }
    if (err != SPEAN_OK) {
        return err == SPEAN_ENOTFOUND || spean_tx_err(b->tx) == SPEAN_OK ? SPEAN_OK : err;
    }
    if (entry.header.has_tag || entry.header.kind != SPEAN_ENTRY_CHANGE ||
        spean_body_unwrap(body, &content) != SPEAN_OK ||
        spean_change_decode(content, &change) != SPEAN_OK || change.part > UINT32_MAX) {
        return SPEAN_OK;
    }
    const struct spean_part_name part = {change.record, (uint32_t)change.part};
    return fold_mark_dirty(b, &part);
}

static spean_err erase_places(struct fold_batch *b, const struct fold_place *place,
                              const struct spean_erasure *erasure)
{
    const uint32_t number = place->log->row.number;
    const uint64_t seq = place->entry->header.seq;
    bool binds = false;
    spean_err err = places_bind(b, place, erasure, &binds);
    if (err == SPEAN_EWAIT) {
        const uint8_t why = NEEDS_AUTHORITY;
        const struct spean_db_key key = fold_place_key(number, seq);
        return spean_tx_put(b->tx, SPEAN_TABLE_FOLD_UNOPENED, spean_db_key_view(&key),
                            (struct spean_view){&why, sizeof(why)});
    }
    err = fold_set_aside(b, number, seq, binds ? SPEAN_ASIDE_NOT : SPEAN_ASIDE_ERASER);
    struct spean_view left = erasure->places;
    struct spean_erasure_place at;
    while (err == SPEAN_OK && binds && spean_erasure_place_next(&left, &at)) {
        const struct spean_destroy_place named = {at.log, at.seq, at.entry};
        struct spean_db_key key = spean_erased_key(&at.log, at.seq);
        spean_db_key_put_u32(&key, number);
        spean_db_key_put_u64(&key, seq);
        b->erased_some = true;
        err = spean_tx_put(b->tx, SPEAN_TABLE_ERASED_PLACES, spean_db_key_view(&key),
                           (struct spean_view){at.entry.bytes, sizeof(at.entry.bytes)});
        if (err == SPEAN_OK) {
            err = spean_destroy_note_place(b->tx, &named, b->now_s);
        }
        if (err == SPEAN_OK) {
            err = place_hide(b, &at.log, at.seq);
        }
    }
    return err;
}

spean_err fold_erasure(struct fold_batch *b, const struct fold_place *place,
                       struct spean_view content)
{
    struct spean_erasure erasure;
    if (spean_erasure_decode(content, &erasure) != SPEAN_OK) {
        return fold_set_aside(b, place->log->row.number, place->entry->header.seq,
                              SPEAN_ASIDE_MALFORMED);
    }
    return erasure.of_part ? erase_part(b, place, &erasure) : erase_places(b, place, &erasure);
}

/* -- Taking back ----------------------------------------------------------------------------- */

static spean_err back_part(struct fold_batch *b, void *ctx, struct spean_view key,
                           struct spean_view value)
{
    const struct erasure_rows *const rows = ctx;
    struct spean_part_name part;
    uint32_t number;
    spean_err err = spean_part_name_decode(key, &part);
    if (err == SPEAN_OK) {
        err = spean_db_key_u32_at(key, SPEAN_PART_NAME_BYTES, &number);
    }
    if (err != SPEAN_OK || number != rows->number) {
        return err;
    }
    if (value.len > SPEAN_BODY_BYTES_MAX) {
        return SPEAN_ECORRUPT;
    }
    const struct spean_view proofs = {rows->proofs, value.len};
    if (value.len > 0) {
        (void)memcpy(rows->proofs, value.data, value.len);
    }
    struct spean_db_key copy = {0};
    spean_db_key_put_bytes(&copy, key.data, key.len);
    (void)spean_tx_del(b->tx, SPEAN_TABLE_ERASURES, spean_db_key_view(&copy));
    err = proofs_refuse(b, proofs, 0, false);
    bool erased = false;
    if (err == SPEAN_OK) {
        err = fold_part_erased(b, &part, &erased); /* By another one. */
    }
    if (err == SPEAN_OK && !erased) {
        err = spean_destroy_forget(b->tx, &part);
    }
    if (err == SPEAN_OK) {
        err = fold_grants_judge(b, &part);
    }
    const bool of_relay = part.part == SPEAN_PART_PUBLIC; /* Nothing was hidden. */
    return err == SPEAN_OK && !of_relay ? fold_mark_dirty(b, &part) : err;
}

static spean_err back_place(struct fold_batch *b, void *ctx, struct spean_view key,
                            struct spean_view value)
{
    const struct erasure_rows *const rows = ctx;
    uint32_t number;
    struct spean_destroy_place place;
    if (key.len != sizeof(place.log.bytes) + 8u + PLACE_BYTES ||
        value.len != sizeof(place.entry.bytes) ||
        spean_db_key_u32_at(key, key.len - PLACE_BYTES, &number) != SPEAN_OK ||
        spean_db_key_u64_at(key, sizeof(place.log.bytes), &place.seq) != SPEAN_OK) {
        return SPEAN_ECORRUPT;
    }
    if (number != rows->number) {
        return SPEAN_OK;
    }
    (void)memcpy(place.log.bytes, key.data, sizeof(place.log.bytes));
    (void)memcpy(place.entry.bytes, value.data, sizeof(place.entry.bytes));
    struct spean_db_key copy = {0};
    spean_db_key_put_bytes(&copy, key.data, key.len);
    (void)spean_tx_del(b->tx, SPEAN_TABLE_ERASED_PLACES, spean_db_key_view(&copy));
    bool named = false;
    spean_err err = spean_erased_named(b->tx, &place.log, place.seq, &place.entry, &named);
    if (err == SPEAN_OK && !named) {
        err = spean_destroy_forget_place(b->tx, &place);
    }
    const struct fold_log *const log = fold_log_find(b, &place.log);
    return err == SPEAN_OK && log != NULL ? fold_requeue(b, log->row.number, place.seq) : err;
}

spean_err fold_erasures_take_back(struct fold_batch *b, uint32_t number)
{
    struct erasure_rows rows = {.number = number, .proofs = b->fold->body};
    spean_err err = fold_each(b, SPEAN_TABLE_ERASURES, (struct spean_view){0}, back_part, &rows);
    if (err == SPEAN_OK) {
        err = fold_each(b, SPEAN_TABLE_ERASED_PLACES, (struct spean_view){0}, back_place, &rows);
    }
    /* What other erasures refuse stays refused. */
    return err == SPEAN_OK ? fold_erasures_fill(b, 0) : err;
}
