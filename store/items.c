#include "store/items.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/schema.h"
#include "store/shelf.h"

/* What a row is; behind part and field in its key. */
enum row {
    ROW_ITEM = 0,   /* Then time, entry, index; the value is the item as encoded. */
    ROW_NAME = 1,   /* Then log, seq, index; the value is time and entry. */
    ROW_STRIKE = 2, /* Then log, seq, index; the value is empty. */
};

#define FIELD_AT   SPEAN_PART_NAME_BYTES
#define ROW_AT     (FIELD_AT + 8u)
#define REST_AT    (ROW_AT + 1u)
#define WHEN_BYTES (8u + SPEAN_ID_BYTES) /* Time and entry. */
#define ITEM_KEY   (REST_AT + WHEN_BYTES + 4u)
#define DOT_BYTES  20u
#define DOT_KEY    (REST_AT + DOT_BYTES)

_Static_assert(ITEM_KEY <= SPEAN_DB_KEY_BYTES_MAX, "keys of items fit");
_Static_assert(SPEAN_ITEM_BYTES_MAX <= SPEAN_SHELF_BYTES_MAX, "items fit");

static const uint8_t nothing[1];

/* -- Keys ------------------------------------------------------------------------------------ */

/* Part 0 of every type is public, the others are sealed. */
static enum spean_shelf shelf_of(const struct spean_part_name *name)
{
    return name->part == SPEAN_PART_PUBLIC ? SPEAN_SHELF_OPEN : SPEAN_SHELF_SEALED;
}

static struct spean_db_key rows_key(const struct spean_part_name *name, uint64_t field,
                                    enum row row)
{
    struct spean_db_key key = spean_part_name_key(name);
    spean_db_key_put_u64(&key, field);
    spean_db_key_put_u8(&key, (uint8_t)row);
    return key;
}

static struct spean_db_key dot_key(const struct spean_part_name *name, uint64_t field, enum row row,
                                   const struct spean_dot *dot)
{
    struct spean_db_key key = rows_key(name, field, row);
    spean_db_key_put_u64(&key, dot->log);
    spean_db_key_put_u64(&key, dot->seq);
    spean_db_key_put_u32(&key, dot->index);
    return key;
}

static struct spean_db_key item_key(const struct spean_part_name *name, uint64_t field,
                                    const struct spean_write *item)
{
    struct spean_db_key key = rows_key(name, field, ROW_ITEM);
    spean_db_key_put_u64(&key, item->time);
    spean_db_key_put_bytes(&key, item->entry.bytes, sizeof(item->entry.bytes));
    spean_db_key_put_u32(&key, item->dot.index);
    return key;
}

/* Read the dot at the end of a key of DOT_KEY bytes. */
static struct spean_dot dot_of(struct spean_view key)
{
    struct spean_dot dot;
    dot.log = spean_u64_get(key.data + REST_AT);
    dot.seq = spean_u64_get(key.data + REST_AT + 8);
    const spean_err err = spean_db_key_u32_at(key, REST_AT + 16, &dot.index);
    assert(err == SPEAN_OK); /* It is that long. */
    return dot;
}

static bool keys_equal(const struct spean_db_key *a, struct spean_view b)
{
    return a->len == b.len && memcmp(a->bytes, b.data, b.len) == 0;
}

/* -- Values ---------------------------------------------------------------------------------- */

/* What turns up while a row is read is damage, but for these. */
static spean_err read_result(spean_err err)
{
    return err == SPEAN_ELIMIT || err == SPEAN_EFORMAT ? SPEAN_ECORRUPT : err;
}

/* Read the item under key into buf of SPEAN_ITEM_BYTES_MAX, which *out then views. *bytes, which
 * the caller wipes, is as before where nothing was opened. */
static spean_err item_read(struct spean_tx *tx, const struct spean_keys *keys,
                           const struct spean_part_name *name, uint64_t field,
                           struct spean_view key, uint8_t *buf, struct spean_view *bytes,
                           struct spean_write *out)
{
    size_t len = 0;
    spean_err err = spean_shelf_get(tx, keys, SPEAN_TABLE_ITEMS, key, shelf_of(name), buf,
                                    SPEAN_ITEM_BYTES_MAX, &len);
    if (err == SPEAN_OK) {
        *bytes = (struct spean_view){buf, len};
        err = spean_item_decode(*bytes, out);
    }
    if (err == SPEAN_OK) {
        const struct spean_db_key own = item_key(name, field, out);
        err = keys_equal(&own, key) ? SPEAN_OK : SPEAN_ECORRUPT;
    }
    return read_result(err);
}

/* Find the key of the item with a name. SPEAN_ENOTFOUND. */
static spean_err name_read(struct spean_tx *tx, const struct spean_keys *keys,
                           const struct spean_part_name *name, uint64_t field,
                           const struct spean_dot *dot, struct spean_db_key *out)
{
    uint8_t when[WHEN_BYTES];
    size_t len = 0;
    const struct spean_db_key key = dot_key(name, field, ROW_NAME, dot);
    const spean_err err = spean_shelf_get(tx, keys, SPEAN_TABLE_ITEMS, spean_db_key_view(&key),
                                          shelf_of(name), when, sizeof(when), &len);
    if (err != SPEAN_OK) {
        return read_result(err);
    }
    if (len != sizeof(when)) {
        return SPEAN_ECORRUPT;
    }
    *out = rows_key(name, field, ROW_ITEM);
    spean_db_key_put_bytes(out, when, sizeof(when));
    spean_db_key_put_u32(out, dot->index);
    return SPEAN_OK;
}

/* See that there is a strike of an item not held. SPEAN_ENOTFOUND. */
static spean_err strike_read(struct spean_tx *tx, const struct spean_keys *keys,
                             const struct spean_part_name *name, struct spean_view key)
{
    uint8_t byte;
    size_t len = 0;
    return read_result(
        spean_shelf_get(tx, keys, SPEAN_TABLE_ITEMS, key, shelf_of(name), &byte, 0, &len));
}

/* Wipe what was in the room for one item. The room is much larger than most items. */
static void wipe(uint8_t *buf, struct spean_view bytes)
{
    sodium_memzero(buf, bytes.len);
}

/* -- Reading --------------------------------------------------------------------------------- */

static spean_err item_hold(struct spean_tx *tx, const struct spean_keys *keys,
                           const struct spean_part_name *name, struct spean_part *part,
                           uint64_t field, const struct spean_db_key *key)
{
    uint8_t *const buf = malloc(SPEAN_ITEM_BYTES_MAX);
    if (buf == NULL) {
        return SPEAN_ENOMEM;
    }
    struct spean_view bytes = {0};
    struct spean_write item;
    spean_err err = item_read(tx, keys, name, field, spean_db_key_view(key), buf, &bytes, &item);
    if (err == SPEAN_OK) {
        err = spean_part_hold_item(part, field, &item);
    }
    wipe(buf, bytes);
    free(buf);
    return err == SPEAN_ENOTFOUND ? SPEAN_ECORRUPT : read_result(err);
}

/* Say whether a part holds the item or the strike that is named. */
static bool is_held(const struct spean_part *part, uint64_t field, const struct spean_dot *dot)
{
    const struct spean_field *const list = spean_part_find(part, field, SPEAN_KIND_LIST);
    return list != NULL && spean_field_holds(list, dot);
}

spean_err spean_items_hold(struct spean_tx *tx, const struct spean_keys *keys,
                           const struct spean_part_name *name, struct spean_part *part,
                           uint64_t field, const struct spean_dot *dot)
{
    assert(name != NULL);
    assert(part != NULL);
    assert(dot != NULL);

    struct spean_db_key key;
    if (!spean_part_is_away(part, field) || is_held(part, field, dot)) {
        return SPEAN_OK;
    }
    spean_err err = name_read(tx, keys, name, field, dot, &key);
    if (err == SPEAN_OK) {
        return item_hold(tx, keys, name, part, field, &key);
    }
    if (err == SPEAN_ENOTFOUND) {
        key = dot_key(name, field, ROW_STRIKE, dot);
        err = strike_read(tx, keys, name, spean_db_key_view(&key));
        if (err == SPEAN_OK) {
            return read_result(spean_part_hold_strike(part, field, dot));
        }
    }
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

/* Go through the rows of one sort that a list has, which must be count. */
struct walk {
    struct spean_tx *tx;
    const struct spean_keys *keys;
    const struct spean_part_name *name;
    uint64_t field;
    spean_items_take *take;
    void *ctx;
    uint8_t *buf;
};

static spean_err walk_row(const struct walk *w, enum row row, struct spean_view key)
{
    struct spean_view bytes = {0};
    uint8_t encoded[SPEAN_DOT_BYTES_MAX];
    if (row == ROW_ITEM) {
        struct spean_write item;
        spean_err err = item_read(w->tx, w->keys, w->name, w->field, key, w->buf, &bytes, &item);
        if (err == SPEAN_OK) {
            err = w->take(w->ctx, bytes);
        }
        wipe(w->buf, bytes);
        return err;
    }
    if (key.len != DOT_KEY) {
        return SPEAN_ECORRUPT;
    }
    const struct spean_dot dot = dot_of(key);
    const spean_err err = strike_read(w->tx, w->keys, w->name, key);
    return err == SPEAN_OK ? w->take(w->ctx, spean_dot_encode(&dot, encoded)) : err;
}

static spean_err walk_rows(const struct walk *w, enum row row, uint32_t count)
{
    const struct spean_db_key prefix = rows_key(w->name, w->field, row);
    struct spean_cursor cursor;
    spean_err err =
        spean_cursor_init(&cursor, w->tx, SPEAN_TABLE_ITEMS, spean_db_key_view(&prefix));
    if (err != SPEAN_OK) {
        return err;
    }
    struct spean_view key;
    struct spean_view value;
    uint32_t found = 0;
    err = spean_cursor_first(&cursor, &key, &value);
    while (err == SPEAN_OK && found < count) {
        err = walk_row(w, row, key);
        found++;
        if (err == SPEAN_OK) {
            err = spean_cursor_next(&cursor, &key, &value);
        }
    }
    spean_cursor_fini(&cursor);
    if (err == SPEAN_ENOTFOUND) {
        return found == count ? SPEAN_OK : SPEAN_ECORRUPT;
    }
    return err == SPEAN_OK ? SPEAN_ECORRUPT : err; /* One too many. */
}

spean_err spean_items_each(struct spean_tx *tx, const struct spean_keys *keys,
                           const struct spean_part_name *name, uint64_t field, uint32_t count,
                           spean_items_take *take, void *ctx)
{
    assert(name != NULL);
    assert(take != NULL);

    const struct walk w = {.tx = tx,
                           .keys = keys,
                           .name = name,
                           .field = field,
                           .take = take,
                           .ctx = ctx,
                           .buf = malloc(SPEAN_ITEM_BYTES_MAX)};
    if (w.buf == NULL) {
        return SPEAN_ENOMEM;
    }
    const spean_err err = walk_rows(&w, ROW_ITEM, count);
    free(w.buf);
    return err;
}

spean_err spean_items_strikes_each(struct spean_tx *tx, const struct spean_keys *keys,
                                   const struct spean_part_name *name, uint64_t field,
                                   uint32_t count, spean_items_take *take, void *ctx)
{
    assert(name != NULL);
    assert(take != NULL);

    const struct walk w = {
        .tx = tx, .keys = keys, .name = name, .field = field, .take = take, .ctx = ctx};
    return walk_rows(&w, ROW_STRIKE, count);
}

/* A part that takes all its rows. */
struct loading {
    struct spean_part *part;
    uint64_t field;
};

static spean_err load_item(void *ctx, struct spean_view bytes)
{
    const struct loading *const l = ctx;
    struct spean_write item;
    const spean_err err = spean_item_decode(bytes, &item);
    return read_result(err == SPEAN_OK ? spean_part_hold_item(l->part, l->field, &item) : err);
}

static spean_err load_strike(void *ctx, struct spean_view bytes)
{
    const struct loading *const l = ctx;
    struct spean_dot dot;
    const spean_err err = spean_dot_decode(bytes, &dot);
    return read_result(err == SPEAN_OK ? spean_part_hold_strike(l->part, l->field, &dot) : err);
}

spean_err spean_items_load(struct spean_tx *tx, const struct spean_keys *keys,
                           const struct spean_part_name *name, struct spean_part *part)
{
    assert(name != NULL);
    assert(part != NULL);

    spean_err err = SPEAN_OK;
    const size_t count = spean_part_fields_count(part);
    for (size_t i = 0; i < count && err == SPEAN_OK; i++) {
        const struct spean_field *const field = spean_part_field(part, i);
        struct loading l = {part, spean_field_number(field)};
        if (spean_field_kind(field) != SPEAN_KIND_LIST) {
            continue;
        }
        err =
            spean_items_each(tx, keys, name, l.field, spean_field_items_away(field), load_item, &l);
        if (err == SPEAN_OK) {
            err = spean_items_strikes_each(tx, keys, name, l.field, spean_field_strikes_away(field),
                                           load_strike, &l);
        }
    }
    return err;
}

/* -- Writing --------------------------------------------------------------------------------- */

static spean_err item_put(struct spean_tx *tx, const struct spean_keys *keys,
                          const struct spean_part_name *name, uint64_t field,
                          const struct spean_write *item, uint8_t *buf)
{
    struct spean_view bytes;
    spean_err err = spean_item_encode(item, buf, SPEAN_ITEM_BYTES_MAX, &bytes);
    assert(err == SPEAN_OK); /* There is room. */
    uint8_t when[WHEN_BYTES];
    spean_u64_put(when, item->time);
    (void)memcpy(when + 8, item->entry.bytes, sizeof(item->entry.bytes));
    const struct spean_db_key own = item_key(name, field, item);
    const struct spean_db_key named = dot_key(name, field, ROW_NAME, &item->dot);
    const struct spean_db_key strike = dot_key(name, field, ROW_STRIKE, &item->dot);
    (void)spean_shelf_put(tx, keys, SPEAN_TABLE_ITEMS, spean_db_key_view(&own), shelf_of(name),
                          bytes);
    wipe(buf, bytes);
    (void)spean_shelf_put(tx, keys, SPEAN_TABLE_ITEMS, spean_db_key_view(&named), shelf_of(name),
                          (struct spean_view){when, sizeof(when)});
    if (item->struck) {
        /* Where the strike came first, it has found its item. */
        (void)spean_tx_del(tx, SPEAN_TABLE_ITEMS, spean_db_key_view(&strike));
    }
    return spean_tx_err(tx);
}

static spean_err list_put(struct spean_tx *tx, const struct spean_keys *keys,
                          const struct spean_part_name *name, const struct spean_field *list,
                          uint8_t *buf)
{
    spean_err err = SPEAN_OK;
    const uint64_t field = spean_field_number(list);
    const size_t items_count = spean_field_writes_count(list);
    for (size_t i = 0; i < items_count && err == SPEAN_OK; i++) {
        struct spean_write item;
        spean_field_get_write(list, i, &item);
        err = item_put(tx, keys, name, field, &item, buf);
    }
    const size_t strikes_count = spean_field_strikes_count(list);
    for (size_t i = 0; i < strikes_count && err == SPEAN_OK; i++) {
        struct spean_dot dot;
        spean_field_get_strike(list, i, &dot);
        const struct spean_db_key key = dot_key(name, field, ROW_STRIKE, &dot);
        err = spean_shelf_put(tx, keys, SPEAN_TABLE_ITEMS, spean_db_key_view(&key), shelf_of(name),
                              (struct spean_view){nothing, 0});
    }
    return err;
}

spean_err spean_items_put(struct spean_tx *tx, const struct spean_keys *keys,
                          const struct spean_part_name *name, const struct spean_part *part)
{
    assert(name != NULL);
    assert(part != NULL);

    uint8_t *const buf = malloc(SPEAN_ITEM_BYTES_MAX);
    if (buf == NULL) {
        return SPEAN_ENOMEM;
    }
    spean_err err = SPEAN_OK;
    const size_t count = spean_part_fields_count(part);
    for (size_t i = 0; i < count && err == SPEAN_OK; i++) {
        const struct spean_field *const field = spean_part_field(part, i);
        if (spean_field_kind(field) == SPEAN_KIND_LIST) {
            err = list_put(tx, keys, name, field, buf);
        }
    }
    free(buf);
    return err;
}

spean_err spean_items_del(struct spean_tx *tx, const struct spean_part_name *name)
{
    assert(name != NULL);

    const struct spean_db_key prefix = spean_part_name_key(name);
    spean_err err = SPEAN_OK;
    while (err == SPEAN_OK) {
        struct spean_db_key key;
        err = spean_tx_first(tx, SPEAN_TABLE_ITEMS, spean_db_key_view(&prefix), &key);
        if (err == SPEAN_OK) {
            err = spean_tx_del(tx, SPEAN_TABLE_ITEMS, spean_db_key_view(&key));
        }
    }
    return err == SPEAN_ENOTFOUND ? spean_tx_err(tx) : err;
}

spean_err spean_items_count(struct spean_tx *tx, const struct spean_part_name *name,
                            uint64_t *count)
{
    assert(name != NULL);
    assert(count != NULL);

    const struct spean_db_key prefix = spean_part_name_key(name);
    return spean_tx_count(tx, SPEAN_TABLE_ITEMS, spean_db_key_view(&prefix), UINT64_MAX, count);
}

/* -- Checking -------------------------------------------------------------------------------- */

/* See that the name of an item leads to it, and that it is not kept as struck before it came. */
static spean_err item_agrees(struct spean_tx *tx, const struct spean_keys *keys,
                             const struct spean_part_name *name, uint64_t field,
                             struct spean_view key)
{
    uint8_t *const buf = malloc(SPEAN_ITEM_BYTES_MAX);
    if (buf == NULL) {
        return SPEAN_ENOMEM;
    }
    struct spean_view bytes = {0};
    struct spean_write item;
    struct spean_db_key named;
    spean_err err = item_read(tx, keys, name, field, key, buf, &bytes, &item);
    if (err == SPEAN_OK) {
        err = name_read(tx, keys, name, field, &item.dot, &named);
    }
    if (err == SPEAN_OK && !keys_equal(&named, key)) {
        err = SPEAN_ECORRUPT;
    }
    if (err == SPEAN_OK) {
        const struct spean_db_key strike = dot_key(name, field, ROW_STRIKE, &item.dot);
        struct spean_view value;
        err = spean_tx_get(tx, SPEAN_TABLE_ITEMS, spean_db_key_view(&strike), &value);
        err = err == SPEAN_OK ? SPEAN_ECORRUPT : err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
    }
    wipe(buf, bytes);
    free(buf);
    return err;
}

/* See that a name leads to an item; whose name is another, that item's row tells. */
static spean_err name_agrees(struct spean_tx *tx, const struct spean_keys *keys,
                             const struct spean_part_name *name, uint64_t field,
                             struct spean_view key)
{
    struct spean_db_key item;
    struct spean_view value;
    const struct spean_dot dot = dot_of(key);
    const spean_err err = name_read(tx, keys, name, field, &dot, &item);
    return err == SPEAN_OK ? spean_tx_get(tx, SPEAN_TABLE_ITEMS, spean_db_key_view(&item), &value)
                           : err;
}

static spean_err row_agrees(struct spean_tx *tx, const struct spean_keys *keys,
                            struct spean_view key)
{
    struct spean_part_name name;
    uint64_t field = 0;
    if (key.len <= REST_AT || spean_part_name_decode(key, &name) != SPEAN_OK ||
        spean_db_key_u64_at(key, FIELD_AT, &field) != SPEAN_OK) {
        return SPEAN_ECORRUPT;
    }
    const uint8_t row = key.data[ROW_AT];
    if (row == ROW_ITEM && key.len == ITEM_KEY) {
        return item_agrees(tx, keys, &name, field, key);
    }
    if (row == ROW_NAME && key.len == DOT_KEY) {
        return name_agrees(tx, keys, &name, field, key);
    }
    return row == ROW_STRIKE && key.len == DOT_KEY ? strike_read(tx, keys, &name, key)
                                                   : SPEAN_ECORRUPT;
}

spean_err spean_items_agree(struct spean_tx *tx, const struct spean_keys *keys,
                            struct spean_view key, bool *agree)
{
    assert(agree != NULL);

    const spean_err err = row_agrees(tx, keys, key);
    *agree = err == SPEAN_OK;
    return err == SPEAN_ECORRUPT || err == SPEAN_ENOTFOUND ? spean_tx_err(tx) : err;
}
