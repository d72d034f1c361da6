#include "store/context.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/part.h"
#include "protocol/partkey.h"
#include "protocol/schema.h"
#include "store/body.h"
#include "store/entries.h"
#include "store/fold.h"
#include "store/logs.h"
#include "store/record.h"

#define NUMBER_AT SPEAN_PART_NAME_BYTES
#define SEQ_AT    (NUMBER_AT + 4u)

/* The logs that wrote to what is replaced, ascending; those with a write that shows are live. */
struct named {
    uint64_t log;
    bool live;
};

struct names {
    struct named rows[4u * SPEAN_CONTEXT_ROWS_MAX];
    uint32_t count;
};

/* A context under construction. */
struct building {
    struct spean_tx *tx;
    const struct spean_keys *keys;
    const struct spean_authority *authority;
    const struct spean_part_name *part;
    uint64_t own;
    struct names names;
};

static void name_add(struct building *b, uint64_t log, bool live)
{
    struct names *const names = &b->names;
    uint32_t at = 0;
    while (at < names->count && names->rows[at].log < log) {
        at++;
    }
    if (log == b->own) {
        return; /* Own earlier entries are implied. */
    }
    if (at < names->count && names->rows[at].log == log) {
        names->rows[at].live = names->rows[at].live || live;
        return;
    }
    if (names->count == sizeof(names->rows) / sizeof(names->rows[0])) {
        return; /* What that log wrote stays as a sibling. */
    }
    (void)memmove(&names->rows[at + 1], &names->rows[at],
                  (names->count - at) * sizeof(names->rows[0]));
    names->rows[at] = (struct named){log, live};
    names->count++;
}

static void clock_add(struct building *b, const struct spean_clock *clock)
{
    for (uint32_t i = 0; i < clock->count; i++) {
        name_add(b, clock->rows[i].log, false);
    }
}

/* Add the logs that wrote to the element of a set that an operation adds or removes. */
static void element_add(struct building *b, const struct spean_field *field,
                        struct spean_view bytes)
{
    for (size_t i = 0; i < field->elements.count; i++) {
        const struct spean_part_element *const e = field->elements.items[i];
        if (e->len != bytes.len || memcmp(e->bytes, bytes.data, bytes.len) != 0) {
            continue;
        }
        for (size_t d = 0; d < e->dots.count; d++) {
            const struct spean_dot *const dot = e->dots.items[d];
            name_add(b, dot->log, true);
        }
        clock_add(b, &e->clock);
    }
}

/* Add the logs that wrote to what an operation replaces. */
static void operation_add(struct building *b, const struct spean_part *part,
                          const struct spean_operation *op)
{
    const struct spean_field *const field = spean_part_find(part, op->field, op->kind);
    if (field == NULL) {
        return;
    }
    if (op->kind == SPEAN_KIND_SET) {
        element_add(b, field, op->value);
        return;
    }
    if (op->kind != SPEAN_KIND_VALUE && op->kind != SPEAN_KIND_STRICTEST) {
        return;
    }
    const size_t count = spean_field_writes_count(field);
    for (size_t i = 0; i < count; i++) {
        struct spean_write write;
        spean_field_get_write(field, i, &write);
        name_add(b, write.dot.log, true);
    }
    clock_add(b, &field->clock);
}

/* Lower *bound to the first entry under one key of the part that is not read. */
static spean_err bound_by_key(struct spean_tx *tx, const struct spean_partkey *key,
                              const struct spean_logs_row *row, uint64_t *bound)
{
    struct spean_tag tag;
    spean_partkey_tag(&tag, &key->proof, &row->log);
    struct spean_tagged at = {row->number, 0};
    const spean_err err = spean_body_next(tx, &tag, SPEAN_BODY_LACKING, &at, &at);
    if (err == SPEAN_OK && at.number == row->number && at.seq < *bound) {
        *bound = at.seq;
    }
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

/* Lower *bound to the first entry of the log that waits to be looked at again. */
static spean_err bound_by_queue(struct spean_tx *tx, const struct spean_logs_row *row,
                                uint64_t *bound)
{
    struct spean_db_key prefix = {0};
    spean_db_key_put_u32(&prefix, row->number);
    struct spean_db_key key;
    uint64_t seq = 0;
    spean_err err = spean_tx_first(tx, SPEAN_TABLE_FOLD_QUEUE, spean_db_key_view(&prefix), &key);
    if (err == SPEAN_OK) {
        err = spean_db_key_u64_at(spean_db_key_view(&key), prefix.len, &seq);
    }
    if (err == SPEAN_OK && seq < *bound) {
        *bound = seq;
    }
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

/* Find the first seq of a log at which something of the part may be unread. */
static spean_err bound_of(const struct building *b, const struct spean_logs_row *row,
                          uint64_t *bound)
{
    uint64_t cursor = 0;
    spean_err err = spean_fold_cursor(b->tx, row->number, &cursor);
    *bound = cursor + 1;
    if (err == SPEAN_OK) {
        err = bound_by_queue(b->tx, row, bound);
    }
    struct spean_partkey key;
    uint32_t generation = 0;
    uint32_t number = 0;
    while (err == SPEAN_OK) {
        err = spean_partkeys_next(b->tx, b->keys, b->part, generation, number, &key);
        if (err == SPEAN_OK) {
            generation = key.generation;
            number = key.number + 1;
            err = bound_by_key(b->tx, &key, row, bound);
        }
    }
    spean_partkeys_wipe(&key);
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

/* Find the last change of a log to the part below bound. SPEAN_ENOTFOUND: there is none. */
static spean_err last_change(const struct building *b, uint32_t number, uint64_t bound,
                             uint64_t *seq)
{
    struct spean_db_key at = spean_part_name_key(b->part);
    spean_db_key_put_u32(&at, number);
    const size_t prefix_len = at.len;
    spean_db_key_put_u64(&at, bound - 1);
    struct spean_cursor cursor;
    spean_err err = spean_cursor_init(&cursor, b->tx, SPEAN_TABLE_CHANGES,
                                      (struct spean_view){at.bytes, prefix_len});
    if (err != SPEAN_OK) {
        return err;
    }
    struct spean_view key;
    struct spean_view value;
    err = spean_cursor_seek_back(&cursor, spean_db_key_view(&at), &key, &value);
    if (err == SPEAN_OK) {
        err = spean_db_key_u64_at(key, SEQ_AT, seq);
    }
    spean_cursor_fini(&cursor);
    return err;
}

/* Make the row about one log. SPEAN_ENOTFOUND: nothing of it was read, or its name is not its own.
 */
static spean_err row_make(const struct building *b, uint64_t name, struct spean_context_row *out)
{
    uint8_t bytes[SPEAN_SHORT_BYTES];
    spean_u64_put(bytes, name);
    const struct spean_log *const log = spean_authority_log_by_short(b->authority, bytes);
    if (log == NULL) {
        return SPEAN_ENOTFOUND;
    }
    struct spean_logs_row row;
    struct spean_id id;
    uint64_t bound = 0;
    uint64_t seq = 0;
    spean_err err = spean_logs_get(b->tx, &log->id, &row);
    if (err == SPEAN_OK) {
        err = bound_of(b, &row, &bound);
    }
    if (err == SPEAN_OK) {
        err = last_change(b, row.number, bound, &seq);
    }
    if (err == SPEAN_OK) {
        err = spean_entries_id(b->tx, &row, seq, &id);
        err = err == SPEAN_ENOTFOUND ? SPEAN_ECORRUPT : err;
    }
    if (err == SPEAN_OK) {
        *out = (struct spean_context_row){name, seq, spean_short_of(&id)};
    }
    return err;
}

/* Make the rows of all logs, or, when there are too many, of those that are live. */
static spean_err rows_make(const struct building *b, bool live_only,
                           struct spean_context_row rows[SPEAN_CONTEXT_ROWS_MAX], uint32_t *count)
{
    uint32_t made = 0;
    for (uint32_t i = 0; i < b->names.count && made < SPEAN_CONTEXT_ROWS_MAX; i++) {
        if (live_only && !b->names.rows[i].live) {
            continue;
        }
        const spean_err err = row_make(b, b->names.rows[i].log, &rows[made]);
        if (err != SPEAN_OK && err != SPEAN_ENOTFOUND) {
            return err;
        }
        made += err == SPEAN_OK ? 1 : 0;
    }
    *count = made;
    return SPEAN_OK;
}

spean_err spean_context_rows(struct spean_tx *tx, const struct spean_keys *keys,
                             const struct spean_authority *authority, const struct spean_id *log,
                             const struct spean_part_name *part,
                             const struct spean_operation *operations, uint32_t operations_count,
                             struct spean_context_row rows[SPEAN_CONTEXT_ROWS_MAX], uint32_t *count)
{
    assert(log != NULL);
    assert(part != NULL);
    assert(operations != NULL || operations_count == 0);
    assert(count != NULL);

    struct spean_part *state;
    struct spean_view row;
    const struct spean_db_key key = spean_part_name_key(part);
    spean_err err = spean_tx_get(tx, SPEAN_TABLE_FOLD_DIRTY, spean_db_key_view(&key), &row);
    if (err != SPEAN_ENOTFOUND) {
        return err == SPEAN_OK ? SPEAN_EWAIT : err;
    }
    err = spean_record_trunk(tx, keys, part, &state);
    if (err == SPEAN_ENOTFOUND) {
        *count = 0;
        return SPEAN_OK;
    }
    if (err != SPEAN_OK) {
        return err;
    }
    struct building b = {
        .tx = tx,
        .keys = keys,
        .authority = authority,
        .part = part,
        .own = spean_short_of(log),
    };
    for (uint32_t i = 0; i < operations_count; i++) {
        operation_add(&b, state, &operations[i]);
    }
    spean_part_free(state);
    return rows_make(&b, b.names.count > SPEAN_CONTEXT_ROWS_MAX, rows, count);
}

static bool is_in(const struct spean_id *audience, uint32_t count, const struct spean_id *org)
{
    for (uint32_t i = 0; i < count; i++) {
        if (spean_id_equal(&audience[i], org)) {
            return true;
        }
    }
    return false;
}

/* Give the first log with a change to the part whose number is at least from. */
static spean_err next_writer(const struct building *b, uint32_t from, struct spean_logs_row *row)
{
    const struct spean_db_key prefix = spean_part_name_key(b->part);
    struct spean_db_key at = prefix;
    spean_db_key_put_u32(&at, from);
    struct spean_cursor cursor;
    spean_err err =
        spean_cursor_init(&cursor, b->tx, SPEAN_TABLE_CHANGES, spean_db_key_view(&prefix));
    if (err != SPEAN_OK) {
        return err;
    }
    uint32_t number = 0;
    struct spean_view key;
    struct spean_view value;
    err = spean_cursor_seek(&cursor, spean_db_key_view(&at), &key, &value);
    if (err == SPEAN_OK) {
        err = spean_db_key_u32_at(key, NUMBER_AT, &number);
    }
    spean_cursor_fini(&cursor);
    if (err == SPEAN_OK) {
        err = spean_logs_at(b->tx, number, row);
        err = err == SPEAN_ENOTFOUND ? SPEAN_ECORRUPT : err;
    }
    return err;
}

/* Name the logs that wrote to the part; those of organisations that are left out are live. */
static spean_err writers_add(struct building *b, const struct spean_id *audience, uint32_t count)
{
    struct spean_logs_row row;
    uint32_t from = 0;
    spean_err err = next_writer(b, from, &row);
    while (err == SPEAN_OK) {
        const bool live = !is_in(audience, count, &row.org);
        if (live || b->names.count <= SPEAN_CONTEXT_ROWS_MAX) {
            name_add(b, spean_short_of(&row.log), live);
        }
        from = row.number + 1; /* Numbers are below SPEAN_FRONTIER_LOGS_MAX. */
        err = next_writer(b, from, &row);
    }
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

spean_err spean_context_part(struct spean_tx *tx, const struct spean_keys *keys,
                             const struct spean_authority *authority, const struct spean_id *log,
                             const struct spean_part_name *part, const struct spean_id *audience,
                             uint32_t audience_count,
                             struct spean_context_row rows[SPEAN_CONTEXT_ROWS_MAX], uint32_t *count)
{
    assert(log != NULL);
    assert(part != NULL);
    assert(audience != NULL || audience_count == 0);
    assert(count != NULL);

    struct building b = {
        .tx = tx,
        .keys = keys,
        .authority = authority,
        .part = part,
        .own = spean_short_of(log),
    };
    const spean_err err = writers_add(&b, audience, audience_count);
    return err == SPEAN_OK ? rows_make(&b, b.names.count > SPEAN_CONTEXT_ROWS_MAX, rows, count)
                           : err;
}
