/* Logs and their ends: up to where each counts, and what a cut took back. */
#include <assert.h>
#include <string.h>

#include "protocol/alloc.h"
#include "protocol/reader.h"
#include "protocol/writer.h"
#include "store/entries.h"
#include "store/fold_batch.h"

#define CURSOR_ELEMENTS 4u
#define CURSOR_BYTES    96u
#define PLACE_BYTES     12u /* Log number and seq at the end of a key. */
#define ASIDE_BYTES     9u

static const uint8_t nothing[1];

struct spean_db_key fold_place_key(uint32_t number, uint64_t seq)
{
    return spean_entries_key(number, seq);
}

void fold_look_wrong(struct fold_batch *b, enum spean_table table)
{
    assert(b->look != NULL);
    b->look->wrong |= (uint64_t)1 << table;
}

spean_err fold_row_put(struct fold_batch *b, enum spean_table table, const struct spean_db_key *key,
                       struct spean_view value)
{
    if (b->look == NULL) {
        return spean_tx_put(b->tx, table, spean_db_key_view(key), value);
    }
    struct spean_view held;
    const spean_err err = spean_tx_get(b->tx, table, spean_db_key_view(key), &held);
    if (err == SPEAN_ENOTFOUND ||
        (err == SPEAN_OK && (held.len != value.len ||
                             (held.len > 0 && memcmp(held.data, value.data, held.len) != 0)))) {
        fold_look_wrong(b, table);
    }
    return spean_tx_err(b->tx);
}

static spean_err put_empty(struct fold_batch *b, enum spean_table table,
                           const struct spean_db_key *key)
{
    return spean_tx_put(b->tx, table, spean_db_key_view(key), (struct spean_view){nothing, 0});
}

spean_err fold_requeue(struct fold_batch *b, uint32_t number, uint64_t seq)
{
    if (number >= b->fold->logs_count || seq > b->fold->logs[number].cursor) {
        return SPEAN_OK;
    }
    const struct spean_db_key key = fold_place_key(number, seq);
    return put_empty(b, SPEAN_TABLE_FOLD_QUEUE, &key);
}

spean_err fold_mark_dirty(struct fold_batch *b, const struct spean_part_name *part)
{
    const struct spean_db_key key = spean_part_name_key(part);
    return put_empty(b, SPEAN_TABLE_FOLD_DIRTY, &key);
}

spean_err fold_set_aside(struct fold_batch *b, uint32_t number, uint64_t seq,
                         enum spean_aside reason)
{
    const struct spean_db_key key = fold_place_key(number, seq);
    const struct spean_view at = spean_db_key_view(&key);
    if (reason == SPEAN_ASIDE_NOT && b->look == NULL) {
        (void)spean_tx_del(b->tx, SPEAN_TABLE_FOLD_ASIDE, at);
        return spean_tx_err(b->tx);
    }
    struct spean_view held;
    const spean_err err = spean_tx_get(b->tx, SPEAN_TABLE_FOLD_ASIDE, at, &held);
    if (err == SPEAN_OK && held.len == ASIDE_BYTES && held.data[0] == (uint8_t)reason) {
        return SPEAN_OK; /* Since when stays. */
    }
    if (b->look != NULL) {
        if (err == SPEAN_OK || reason != SPEAN_ASIDE_NOT) {
            fold_look_wrong(b, SPEAN_TABLE_FOLD_ASIDE);
        }
        return spean_tx_err(b->tx);
    }
    uint8_t value[ASIDE_BYTES] = {(uint8_t)reason};
    spean_u64_put(value + 1, b->now_s);
    return spean_tx_put(b->tx, SPEAN_TABLE_FOLD_ASIDE, at,
                        (struct spean_view){value, sizeof(value)});
}

/* -- Rows of a table ------------------------------------------------------------------------- */

/* Find the first row at or behind *at. */
static spean_err row_at(struct fold_batch *b, enum spean_table table, struct spean_view prefix,
                        const struct spean_db_key *at, struct spean_view *key,
                        struct spean_view *value)
{
    struct spean_cursor cursor;
    spean_err err = spean_cursor_init(&cursor, b->tx, table, prefix);
    if (err != SPEAN_OK) {
        return err;
    }
    err = at->len == 0 ? spean_cursor_first(&cursor, key, value)
                       : spean_cursor_seek(&cursor, spean_db_key_view(at), key, value);
    spean_cursor_fini(&cursor);
    return err;
}

spean_err fold_each(struct fold_batch *b, enum spean_table table, struct spean_view prefix,
                    fold_row *each, void *ctx)
{
    struct spean_db_key at = {0};
    spean_db_key_put_bytes(&at, prefix.data, prefix.len);
    for (;;) {
        struct spean_view key;
        struct spean_view value;
        spean_err err = row_at(b, table, prefix, &at, &key, &value);
        if (err != SPEAN_OK) {
            return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
        }
        if (key.len >= SPEAN_DB_KEY_BYTES_MAX) {
            return SPEAN_ECORRUPT;
        }
        /* The lowest key behind this one. */
        at = (struct spean_db_key){0};
        spean_db_key_put_bytes(&at, key.data, key.len);
        spean_db_key_put_u8(&at, 0);
        err = each(b, ctx, key, value);
        if (err != SPEAN_OK) {
            return err;
        }
    }
}

/* Read log number and seq at the end of a key. */
static spean_err place_of(struct spean_view key, uint32_t *number, uint64_t *seq)
{
    if (key.len < PLACE_BYTES) {
        return SPEAN_ECORRUPT;
    }
    const spean_err err = spean_db_key_u32_at(key, key.len - PLACE_BYTES, number);
    return err == SPEAN_OK ? spean_db_key_u64_at(key, key.len - 8u, seq) : err;
}

static spean_err requeue_row(struct fold_batch *b, void *ctx, struct spean_view key,
                             struct spean_view value)
{
    const enum spean_table *const table = ctx;
    (void)value;
    uint32_t number;
    uint64_t seq;
    const spean_err err = place_of(key, &number, &seq);
    if (err != SPEAN_OK) {
        return err;
    }
    struct spean_db_key copy = {0};
    spean_db_key_put_bytes(&copy, key.data, key.len);
    (void)spean_tx_del(b->tx, *table, spean_db_key_view(&copy));
    return fold_requeue(b, number, seq);
}

spean_err fold_requeue_all(struct fold_batch *b, enum spean_table table, struct spean_view prefix)
{
    return fold_each(b, table, prefix, requeue_row, &table);
}

/* -- Taking back ----------------------------------------------------------------------------- */

/* What is taken back: rows of a table about entries of a log. */
struct taking {
    enum spean_table table;
    uint32_t number;
    bool granted; /* Grants of this part went, and the others of it are to be judged. */
    struct spean_part_name part;
};

/* Judge the grants of a part of which some went, once for all of them. */
static spean_err taking_judge(struct fold_batch *b, struct taking *t)
{
    const bool granted = t->granted;
    t->granted = false;
    return granted ? fold_grants_judge(b, &t->part) : SPEAN_OK;
}

/* Delete a row that ends with a place in the log; of a part, fold it again. */
static spean_err take_row(struct fold_batch *b, void *ctx, struct spean_view key,
                          struct spean_view value)
{
    struct taking *const t = ctx;
    (void)value;
    uint32_t number;
    uint64_t seq;
    spean_err err = place_of(key, &number, &seq);
    if (err != SPEAN_OK || number != t->number) {
        return err;
    }
    struct spean_db_key copy = {0};
    spean_db_key_put_bytes(&copy, key.data, key.len);
    (void)spean_tx_del(b->tx, t->table, spean_db_key_view(&copy));
    if (t->table != SPEAN_TABLE_CHANGES && t->table != SPEAN_TABLE_PART_GRANTS) {
        return spean_tx_err(b->tx);
    }
    struct spean_part_name part;
    err = spean_part_name_decode(spean_db_key_view(&copy), &part);
    if (err == SPEAN_OK && t->granted && !spean_part_name_equal(&part, &t->part)) {
        err = taking_judge(b, t);
    }
    t->granted = t->table == SPEAN_TABLE_PART_GRANTS;
    t->part = part;
    return err == SPEAN_OK ? fold_mark_dirty(b, &part) : err;
}

/* Delete a row that begins with the number of the log. */
static spean_err drop_row(struct fold_batch *b, void *ctx, struct spean_view key,
                          struct spean_view value)
{
    const enum spean_table *const table = ctx;
    (void)value;
    struct spean_db_key copy = {0};
    spean_db_key_put_bytes(&copy, key.data, key.len);
    return spean_tx_del(b->tx, *table, spean_db_key_view(&copy));
}

/* Fold a part again whose contexts name the log. */
static spean_err dirty_named(struct fold_batch *b, void *ctx, struct spean_view key,
                             struct spean_view value)
{
    (void)ctx;
    (void)value;
    struct spean_part_name part;
    const struct spean_view name = {key.data + SPEAN_SHORT_BYTES, key.len - SPEAN_SHORT_BYTES};
    const spean_err err = spean_part_name_decode(name, &part);
    return err == SPEAN_OK ? fold_mark_dirty(b, &part) : err;
}

/*
 * Take back all that was folded of a log; it is then folded anew from its first entry, up to where
 * it counts now. Rare, so the tables are gone through as they are.
 */
static spean_err take_back(struct fold_batch *b, struct fold_log *log)
{
    static const enum spean_table by_end[] = {SPEAN_TABLE_CHANGES, SPEAN_TABLE_PART_GRANTS,
                                              SPEAN_TABLE_FOLD_WAITING, SPEAN_TABLE_FOLD_ROWS};
    static const enum spean_table by_start[] = {SPEAN_TABLE_FOLD_ASIDE, SPEAN_TABLE_FOLD_QUEUE,
                                                SPEAN_TABLE_FOLD_UNOPENED, SPEAN_TABLE_KNOWLEDGE};
    log->cursor = 0;
    log->unknown = 0;
    log->seen = (struct spean_place){0};
    spean_err err = SPEAN_OK;
    for (size_t i = 0; i < sizeof(by_end) / sizeof(by_end[0]) && err == SPEAN_OK; i++) {
        struct taking taking = {.table = by_end[i], .number = log->row.number};
        err = fold_each(b, by_end[i], (struct spean_view){0}, take_row, &taking);
        if (err == SPEAN_OK) {
            err = taking_judge(b, &taking);
        }
    }
    struct spean_db_key number = {0};
    spean_db_key_put_u32(&number, log->row.number);
    for (size_t i = 0; i < sizeof(by_start) / sizeof(by_start[0]) && err == SPEAN_OK; i++) {
        enum spean_table table = by_start[i];
        err = fold_each(b, table, spean_db_key_view(&number), drop_row, &table);
    }
    if (err == SPEAN_OK) {
        err = fold_erasures_take_back(b, log->row.number);
    }
    if (err == SPEAN_OK) {
        const struct spean_view name = {log->row.log.bytes, SPEAN_SHORT_BYTES};
        err = fold_each(b, SPEAN_TABLE_FOLD_NAMED, name, dirty_named, NULL);
    }
    return err;
}

/* -- Loading --------------------------------------------------------------------------------- */

static struct spean_db_key cursor_key(uint32_t number)
{
    struct spean_db_key key = {0};
    spean_db_key_put_u32(&key, number);
    return key;
}

spean_err fold_log_save(struct fold_batch *b, const struct fold_log *log)
{
    uint8_t buf[CURSOR_BYTES];
    struct spean_writer w;
    spean_writer_init(&w, buf, sizeof(buf));
    spean_writer_array(&w, CURSOR_ELEMENTS);
    spean_writer_uint(&w, log->cursor);
    spean_writer_uint(&w, log->seen.seq);
    spean_writer_bin(&w, log->seen.entry.bytes, sizeof(log->seen.entry.bytes));
    spean_writer_uint(&w, log->unknown);
    struct spean_view value;
    const spean_err err = spean_writer_end(&w, &value);
    assert(err == SPEAN_OK);
    const struct spean_db_key key = cursor_key(log->row.number);
    return spean_tx_put(b->tx, SPEAN_TABLE_FOLD_CURSORS, spean_db_key_view(&key), value);
}

static spean_err cursor_load(struct spean_tx *tx, struct fold_log *log)
{
    log->cursor = 0;
    log->seen = (struct spean_place){0};
    log->unknown = 0;
    const struct spean_db_key key = cursor_key(log->row.number);
    struct spean_view value;
    const spean_err err =
        spean_tx_get(tx, SPEAN_TABLE_FOLD_CURSORS, spean_db_key_view(&key), &value);
    if (err != SPEAN_OK) {
        return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
    }
    struct spean_reader r;
    spean_reader_init(&r, value);
    (void)spean_reader_array(&r, CURSOR_ELEMENTS, CURSOR_ELEMENTS);
    log->cursor = spean_reader_uint(&r, UINT64_MAX);
    log->seen.seq = spean_reader_uint(&r, UINT64_MAX);
    spean_reader_bin_fixed(&r, log->seen.entry.bytes, sizeof(log->seen.entry.bytes));
    log->unknown = spean_reader_uint(&r, UINT64_MAX);
    return spean_reader_end(&r) == SPEAN_OK ? SPEAN_OK : SPEAN_ECORRUPT;
}

spean_err spean_fold_cursor(struct spean_tx *tx, uint32_t number, uint64_t *seq)
{
    assert(seq != NULL);

    struct fold_log log = {.row = {.number = number}};
    const spean_err err = cursor_load(tx, &log);
    if (err == SPEAN_OK) {
        *seq = log.cursor;
    }
    return err;
}

spean_err spean_fold_unknown(struct spean_tx *tx, uint32_t number, uint64_t *count)
{
    assert(count != NULL);

    struct fold_log log = {.row = {.number = number}};
    const spean_err err = cursor_load(tx, &log);
    if (err == SPEAN_OK) {
        *count = log.unknown;
    }
    return err;
}

/* What the authority says of a log; NULL also where its short name is another's too: then the
 * names of what it wrote could not be told from the other's. */
static const struct spean_log *counted_log(const struct spean_authority *authority,
                                           const struct spean_id *id)
{
    const struct spean_log *const log = spean_authority_log(authority, id);
    return log != NULL && spean_authority_log_by_short(authority, id->bytes) == log ? log : NULL;
}

/* Compute up to where the chain of a log counts. */
spean_err spean_fold_end(struct spean_tx *tx, const struct spean_authority *authority,
                         const struct spean_logs_row *row, uint64_t *end)
{
    const struct spean_log *const log = counted_log(authority, &row->log);
    *end = log == NULL ? 0 : row->head.seq;
    if (log == NULL || !log->cut.closed || row->head.seq < log->cut.seq) {
        return SPEAN_OK;
    }
    struct spean_id id;
    const spean_err err = spean_entries_id(tx, row, log->cut.seq, &id);
    if (err != SPEAN_OK) {
        return err == SPEAN_ENOTFOUND ? SPEAN_ECORRUPT : err;
    }
    /* What is held is another branch than the cut names: it will be cut back. */
    const bool branch = log->cut.seq > 0 && !spean_id_equal(&id, &log->cut.entry);
    *end = branch ? 0 : log->cut.seq;
    return SPEAN_OK;
}

/* Say whether something that may have been made use of is no longer on the chain. */
static spean_err is_cut(struct spean_tx *tx, const struct fold_log *log, bool *cut)
{
    *cut = false;
    if (log->seen.seq == 0) {
        return SPEAN_OK;
    }
    if (log->seen.seq > log->end) {
        *cut = true;
        return SPEAN_OK;
    }
    struct spean_id id = log->row.head.entry;
    if (log->seen.seq != log->row.head.seq) {
        const spean_err err = spean_entries_id(tx, &log->row, log->seen.seq, &id);
        if (err != SPEAN_OK) {
            return err == SPEAN_ENOTFOUND ? SPEAN_ECORRUPT : err;
        }
    }
    *cut = !spean_id_equal(&id, &log->seen.entry);
    return SPEAN_OK;
}

static spean_err logs_more(struct spean_fold *fold)
{
    void *array = fold->logs;
    const spean_err err =
        spean_alloc_more(&array, &fold->logs_cap, fold->logs_count, sizeof(fold->logs[0]));
    fold->logs = array;
    return err;
}

/* Load one log. SPEAN_ENOTFOUND: there are no more. */
static spean_err log_load(struct fold_batch *b, uint32_t number)
{
    struct spean_fold *const fold = b->fold;
    struct spean_logs_row row;
    spean_err err = spean_logs_at(b->tx, number, &row);
    if (err != SPEAN_OK) {
        return err;
    }
    if (number == fold->logs_count) {
        err = logs_more(fold);
        if (err == SPEAN_OK) {
            err = spean_id_map_put(&fold->log_numbers, row.log.bytes, number);
        }
        if (err != SPEAN_OK) {
            return err;
        }
        fold->logs[number] = (struct fold_log){0};
        fold->logs_count++;
    }
    struct fold_log *const log = &fold->logs[number];
    log->row = row;
    log->log = counted_log(b->authority, &row.log);
    err = spean_fold_end(b->tx, b->authority, &row, &log->end);
    return err == SPEAN_OK ? cursor_load(b->tx, log) : err;
}

/* Note the end of a log as something that is made use of from now on. */
static spean_err note_end(struct fold_batch *b, struct fold_log *log)
{
    struct spean_id id;
    const spean_err err = spean_entries_id(b->tx, &log->row, log->end, &id);
    if (err != SPEAN_OK) {
        return err == SPEAN_ENOTFOUND ? SPEAN_ECORRUPT : err;
    }
    log->seen = (struct spean_place){log->end, id};
    return fold_log_save(b, log);
}

static spean_err logs_load(struct fold_batch *b)
{
    spean_err err = SPEAN_OK;
    for (uint32_t number = 0; err == SPEAN_OK; number++) {
        err = log_load(b, number);
    }
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

spean_err fold_logs_look(struct fold_batch *b, bool *settled)
{
    spean_err err = logs_load(b);
    bool all = true;
    for (uint32_t i = 0; i < b->fold->logs_count && err == SPEAN_OK; i++) {
        const struct fold_log *const log = &b->fold->logs[i];
        bool cut;
        err = is_cut(b->tx, log, &cut);
        all = all && err == SPEAN_OK && !cut && log->cursor >= log->end;
    }
    *settled = all;
    return err;
}

spean_err fold_logs_load(struct fold_batch *b)
{
    spean_err err = logs_load(b);
    for (uint32_t i = 0; i < b->fold->logs_count && err == SPEAN_OK; i++) {
        struct fold_log *const log = &b->fold->logs[i];
        bool cut;
        err = is_cut(b->tx, log, &cut);
        if (err == SPEAN_OK && cut) {
            err = take_back(b, log);
        }
        if (err == SPEAN_OK && (cut || log->end > log->seen.seq)) {
            err = note_end(b, log);
        }
    }
    return err;
}

struct fold_log *fold_log_find(struct fold_batch *b, const struct spean_id *id)
{
    const uint32_t number = spean_id_map_get(&b->fold->log_numbers, id->bytes);
    if (number >= b->fold->logs_count) {
        return NULL;
    }
    struct fold_log *const log = &b->fold->logs[number];
    return log->log == NULL ? NULL : log;
}

struct fold_log *fold_log_by_short(struct fold_batch *b, uint64_t name)
{
    uint8_t bytes[SPEAN_SHORT_BYTES];
    spean_u64_put(bytes, name);
    const struct spean_log *const log = spean_authority_log_by_short(b->authority, bytes);
    return log == NULL ? NULL : fold_log_find(b, &log->id);
}
