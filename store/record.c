#include "store/record.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/reader.h"
#include "protocol/writer.h"
#include "store/items.h"
#include "store/shelf.h"

#define INFO_ELEMENTS    6u
#define INFO_BYTES_MAX   65536u
#define STATE_ELEMENTS   2u
#define STATE_BYTES      32u
#define PIECE_BYTES      SPEAN_SHELF_BYTES_MAX
#define TRUNK_BYTES_MAX  (2u * SPEAN_RECORD_STATE_BYTES_MAX) /* It counts what the state has. */
#define NUMBER_AT        SPEAN_PART_NAME_BYTES
#define SEQ_AT           (NUMBER_AT + 4u)
#define CHANGE_KEY_BYTES (SEQ_AT + 8u)
#define DIGITS_MAX       (2u * SPEAN_RECORD_ID_BYTES)

struct spean_record {
    struct spean_record_info info; /* fixed views bytes. */
    uint8_t fixed[];
};

static const uint8_t nothing[1];

static void wipe_free(uint8_t *buf, size_t len)
{
    if (buf != NULL) {
        sodium_memzero(buf, len);
        free(buf);
    }
}

/* Part 0 of every type is public, the others are sealed. */
static enum spean_shelf shelf_of(uint32_t part)
{
    return part == 0 ? SPEAN_SHELF_OPEN : SPEAN_SHELF_SEALED;
}

/* -- One record ------------------------------------------------------------------------------ */

/* The key of a record's row: the id, then how it is kept. */
static struct spean_db_key record_key(const struct spean_record_id *record, enum spean_shelf shelf)
{
    struct spean_db_key key = {0};
    spean_db_key_put_bytes(&key, record->bytes, sizeof(record->bytes));
    spean_db_key_put_u8(&key, (uint8_t)shelf);
    return key;
}

static struct spean_db_key type_key(uint64_t type, const struct spean_record_id *record)
{
    struct spean_db_key key = {0};
    spean_db_key_put_u64(&key, type);
    spean_db_key_put_bytes(&key, record->bytes, sizeof(record->bytes));
    return key;
}

spean_err spean_record_of(const struct spean_record_info *info, struct spean_record **out)
{
    assert(info != NULL);
    assert(out != NULL);

    struct spean_record *const record = malloc(sizeof(*record) + info->fixed.len);
    if (record == NULL) {
        return SPEAN_ENOMEM;
    }
    record->info = *info;
    if (info->fixed.len > 0) {
        (void)memcpy(record->fixed, info->fixed.data, info->fixed.len);
    }
    record->info.fixed.data = record->fixed;
    *out = record;
    return SPEAN_OK;
}

static spean_err info_decode(struct spean_view bytes, struct spean_record **out)
{
    struct spean_record_info info = {0};
    struct spean_reader r;
    spean_reader_init(&r, bytes);
    (void)spean_reader_array(&r, INFO_ELEMENTS, INFO_ELEMENTS);
    info.type = spean_reader_uint(&r, UINT64_MAX);
    spean_reader_bin_fixed(&r, info.owner.bytes, sizeof(info.owner.bytes));
    info.fixed = spean_reader_value(&r, INFO_BYTES_MAX);
    info.created_part = (uint32_t)spean_reader_uint(&r, UINT32_MAX);
    info.created_number = (uint32_t)spean_reader_uint(&r, UINT32_MAX);
    info.created_seq = spean_reader_uint(&r, UINT64_MAX);
    if (spean_reader_end(&r) != SPEAN_OK) {
        return SPEAN_ECORRUPT;
    }
    return spean_record_of(&info, out);
}

static spean_err record_read(struct spean_tx *tx, const struct spean_keys *keys,
                             const struct spean_record_id *record, enum spean_shelf shelf,
                             uint8_t *buf, struct spean_record **out)
{
    size_t len = 0;
    const struct spean_db_key key = record_key(record, shelf);
    spean_err err = spean_shelf_get(tx, keys, SPEAN_TABLE_RECORDS, spean_db_key_view(&key), shelf,
                                    buf, INFO_BYTES_MAX, &len);
    if (err == SPEAN_OK) {
        err = info_decode((struct spean_view){buf, len}, out);
        sodium_memzero(buf, len);
    }
    if (err == SPEAN_OK) {
        (*out)->info.record = *record;
    }
    return err == SPEAN_ELIMIT ? SPEAN_ECORRUPT : err;
}

spean_err spean_record_get(struct spean_tx *tx, const struct spean_keys *keys,
                           const struct spean_record_id *record, struct spean_record **out)
{
    assert(record != NULL);
    assert(out != NULL);

    uint8_t *const buf = malloc(INFO_BYTES_MAX);
    if (buf == NULL) {
        return SPEAN_ENOMEM;
    }
    spean_err err = record_read(tx, keys, record, SPEAN_SHELF_OPEN, buf, out);
    if (err == SPEAN_ENOTFOUND) {
        err = record_read(tx, keys, record, SPEAN_SHELF_SEALED, buf, out);
    }
    free(buf);
    return err;
}

void spean_record_free(struct spean_record *record)
{
    if (record != NULL) {
        sodium_memzero(record, sizeof(*record) + record->info.fixed.len);
        free(record);
    }
}

void spean_record_get_info(const struct spean_record *record, struct spean_record_info *out)
{
    assert(record != NULL);
    assert(out != NULL);
    *out = record->info;
}

/* -- Parts ----------------------------------------------------------------------------------- */

/* How the state of a part is kept. */
struct state_row {
    bool too_large;
    uint64_t len; /* Of the trunk. */
};

static spean_err state_row_decode(struct spean_view value, struct state_row *out)
{
    struct spean_reader r;
    spean_reader_init(&r, value);
    (void)spean_reader_array(&r, STATE_ELEMENTS, STATE_ELEMENTS);
    out->too_large = spean_reader_bool(&r);
    out->len = spean_reader_uint(&r, TRUNK_BYTES_MAX);
    return spean_reader_end(&r) == SPEAN_OK ? SPEAN_OK : SPEAN_ECORRUPT;
}

static spean_err state_row_get(struct spean_tx *tx, const struct spean_part_name *name,
                               struct state_row *out)
{
    const struct spean_db_key key = spean_part_name_key(name);
    struct spean_view value;
    const spean_err err = spean_tx_get(tx, SPEAN_TABLE_PARTS, spean_db_key_view(&key), &value);
    return err == SPEAN_OK ? state_row_decode(value, out) : err;
}

/* Say whether a table has a row that begins with the name of this part. */
static spean_err has_row(struct spean_tx *tx, enum spean_table table,
                         const struct spean_part_name *name, bool *has)
{
    const struct spean_db_key prefix = spean_part_name_key(name);
    uint64_t count = 0;
    const spean_err err = spean_tx_count(tx, table, spean_db_key_view(&prefix), 1, &count);
    if (err == SPEAN_OK) {
        *has = count > 0;
    }
    return err;
}

/* Find the first part of a record, from number part on, that a table knows. */
static spean_err part_next(struct spean_tx *tx, enum spean_table table,
                           const struct spean_record_id *record, uint32_t part, uint32_t *found)
{
    const struct spean_part_name from = {*record, part};
    const struct spean_db_key at = spean_part_name_key(&from);
    struct spean_cursor cursor;
    spean_err err =
        spean_cursor_init(&cursor, tx, table, (struct spean_view){at.bytes, SPEAN_RECORD_ID_BYTES});
    if (err != SPEAN_OK) {
        return err;
    }
    struct spean_part_name name;
    struct spean_view key;
    struct spean_view value;
    err = spean_cursor_seek(&cursor, spean_db_key_view(&at), &key, &value);
    if (err == SPEAN_OK) {
        err = spean_part_name_decode(key, &name);
        *found = name.part;
    }
    spean_cursor_fini(&cursor);
    return err;
}

/* Find the lowest number, from part on, that any of the tables knows. */
static spean_err part_next_any(struct spean_tx *tx, const struct spean_record_id *record,
                               uint32_t part, uint32_t *found)
{
    static const enum spean_table tables[] = {SPEAN_TABLE_PARTS, SPEAN_TABLE_ERASURES,
                                              SPEAN_TABLE_FOLD_DIRTY, SPEAN_TABLE_PART_KEY_NUMBERS};
    bool any = false;
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        uint32_t number = 0;
        const spean_err err = part_next(tx, tables[i], record, part, &number);
        if (err != SPEAN_OK && err != SPEAN_ENOTFOUND) {
            return err;
        }
        if (err == SPEAN_OK && (!any || number < *found)) {
            *found = number;
            any = true;
        }
    }
    return any ? SPEAN_OK : SPEAN_ENOTFOUND;
}

static spean_err part_fill(struct spean_tx *tx, const struct spean_part_name *name,
                           struct spean_record_part *out)
{
    struct state_row row = {0};
    spean_err err = state_row_get(tx, name, &row);
    *out = (struct spean_record_part){.part = name->part};
    out->folded = err == SPEAN_OK && !row.too_large;
    out->too_large = err == SPEAN_OK && row.too_large;
    if (err == SPEAN_OK || err == SPEAN_ENOTFOUND) {
        err = has_row(tx, SPEAN_TABLE_ERASURES, name, &out->erased);
    }
    if (err == SPEAN_OK) {
        err = has_row(tx, SPEAN_TABLE_FOLD_DIRTY, name, &out->behind);
    }
    return err == SPEAN_OK ? spean_partkeys_lacks(tx, name, &out->incomplete) : err;
}

spean_err spean_record_parts(struct spean_tx *tx, const struct spean_record_id *record,
                             struct spean_record_part out[SPEAN_RECORD_PARTS_MAX], uint32_t *count)
{
    assert(record != NULL);
    assert(out != NULL);
    assert(count != NULL);

    struct spean_part_name name = {*record, 0};
    uint32_t found = 0;
    spean_err err = part_next_any(tx, record, 0, &name.part);
    while (err == SPEAN_OK && found < SPEAN_RECORD_PARTS_MAX) {
        err = part_fill(tx, &name, &out[found]);
        found++;
        if (err == SPEAN_OK) {
            err = name.part < UINT32_MAX ? part_next_any(tx, record, name.part + 1, &name.part)
                                         : SPEAN_ENOTFOUND;
        }
    }
    if (err != SPEAN_OK && err != SPEAN_ENOTFOUND) {
        return err;
    }
    *count = found;
    return SPEAN_OK;
}

static struct spean_db_key piece_key(const struct spean_part_name *name, uint32_t piece)
{
    struct spean_db_key key = spean_part_name_key(name);
    spean_db_key_put_u32(&key, piece);
    return key;
}

/* Read all pieces of a state into buf of exactly len bytes. */
static spean_err pieces_read(struct spean_tx *tx, const struct spean_keys *keys,
                             const struct spean_part_name *name, uint8_t *buf, size_t len)
{
    size_t done = 0;
    for (uint32_t piece = 0; done < len; piece++) {
        size_t got = 0;
        const struct spean_db_key key = piece_key(name, piece);
        const spean_err err = spean_shelf_get(tx, keys, SPEAN_TABLE_STATES, spean_db_key_view(&key),
                                              shelf_of(name->part), buf + done, len - done, &got);
        if (err != SPEAN_OK) {
            return err == SPEAN_ENOTFOUND || err == SPEAN_ELIMIT ? SPEAN_ECORRUPT : err;
        }
        if (got == 0) {
            return SPEAN_ECORRUPT;
        }
        done += got;
    }
    return SPEAN_OK;
}

spean_err spean_record_trunk(struct spean_tx *tx, const struct spean_keys *keys,
                             const struct spean_part_name *name, struct spean_part **out)
{
    assert(name != NULL);
    assert(out != NULL);

    bool erased = false;
    struct state_row row;
    spean_err err = has_row(tx, SPEAN_TABLE_ERASURES, name, &erased);
    if (err != SPEAN_OK || erased) {
        return err != SPEAN_OK ? err : SPEAN_ESTATE;
    }
    err = state_row_get(tx, name, &row);
    if (err != SPEAN_OK || row.too_large) {
        return err != SPEAN_OK ? err : SPEAN_ELIMIT;
    }
    if (row.len == 0) {
        return SPEAN_ECORRUPT;
    }
    const size_t len = (size_t)row.len;
    uint8_t *const buf = malloc(len);
    if (buf == NULL) {
        return SPEAN_ENOMEM;
    }
    err = pieces_read(tx, keys, name, buf, len);
    if (err == SPEAN_OK) {
        err = spean_part_decode_trunk((struct spean_view){buf, len}, out);
    }
    wipe_free(buf, len);
    return err == SPEAN_EFORMAT || err == SPEAN_ELIMIT ? SPEAN_ECORRUPT : err;
}

spean_err spean_record_part(struct spean_tx *tx, const struct spean_keys *keys,
                            const struct spean_part_name *name, struct spean_part **out)
{
    assert(out != NULL);

    struct spean_part *part;
    spean_err err = spean_record_trunk(tx, keys, name, &part);
    if (err != SPEAN_OK) {
        return err;
    }
    err = spean_items_load(tx, keys, name, part);
    if (err != SPEAN_OK) {
        spean_part_free(part);
        return err;
    }
    *out = part;
    return SPEAN_OK;
}

/* -- The canonical state --------------------------------------------------------------------- */

/* A state on its way from trunk and rows to whoever takes its bytes. */
struct pouring {
    struct spean_tx *tx;
    const struct spean_keys *keys;
    const struct spean_part_name *name;
    spean_items_take *take;
    void *ctx;
};

static spean_err pour_bytes(void *ctx, struct spean_view bytes)
{
    const struct pouring *const p = ctx;
    return p->take(p->ctx, bytes);
}

static spean_err pour_items(void *ctx, uint64_t field, uint32_t count)
{
    const struct pouring *const p = ctx;
    return spean_items_each(p->tx, p->keys, p->name, field, count, p->take, p->ctx);
}

static spean_err pour_strikes(void *ctx, uint64_t field, uint32_t count)
{
    const struct pouring *const p = ctx;
    return spean_items_strikes_each(p->tx, p->keys, p->name, field, count, p->take, p->ctx);
}

/* Let p->take have the state whose trunk this is. */
static spean_err state_pour(struct pouring *p, const struct spean_part *trunk)
{
    const size_t cap = spean_part_encoded_max(trunk);
    uint8_t *const buf = malloc(cap);
    if (buf == NULL) {
        return SPEAN_ENOMEM;
    }
    const struct spean_part_sink sink = {
        .bytes = pour_bytes, .items = pour_items, .strikes = pour_strikes, .ctx = p};
    const spean_err err = spean_part_pour(trunk, buf, cap, &sink);
    wipe_free(buf, cap);
    return err;
}

/* Encode a trunk into *buf of *cap bytes, to be wiped and freed. */
static spean_err trunk_encode(const struct spean_part *part, uint8_t **buf, size_t *cap,
                              struct spean_view *trunk, size_t *state_len)
{
    *cap = spean_part_encoded_max(part);
    *buf = malloc(*cap);
    if (*buf == NULL) {
        return SPEAN_ENOMEM;
    }
    const spean_err err = spean_part_encode_trunk(part, *buf, *cap, trunk, state_len);
    assert(err == SPEAN_OK); /* There is room. */
    return SPEAN_OK;
}

/* A state that is put together. */
struct gathering {
    uint8_t *buf;
    size_t len;
    size_t cap;
};

static spean_err gather(void *ctx, struct spean_view bytes)
{
    struct gathering *const g = ctx;
    if (bytes.len > g->cap - g->len) {
        return SPEAN_ECORRUPT; /* The rows take more than the trunk says. */
    }
    if (bytes.len > 0) {
        (void)memcpy(g->buf + g->len, bytes.data, bytes.len);
    }
    g->len += bytes.len;
    return SPEAN_OK;
}

/* How long the state of a trunk is; as stored, it is not too large. */
static spean_err state_len_of(const struct spean_part *trunk, size_t *len)
{
    uint8_t *buf = NULL;
    size_t cap = 0;
    struct spean_view bytes;
    const spean_err err = trunk_encode(trunk, &buf, &cap, &bytes, len);
    if (err != SPEAN_OK) {
        return err;
    }
    wipe_free(buf, cap);
    return *len <= SPEAN_RECORD_STATE_BYTES_MAX ? SPEAN_OK : SPEAN_ECORRUPT;
}

spean_err spean_record_state(struct spean_tx *tx, const struct spean_keys *keys,
                             const struct spean_part_name *name, uint8_t **out, size_t *len)
{
    assert(out != NULL);
    assert(len != NULL);

    struct spean_part *trunk = NULL;
    struct gathering g = {0};
    struct pouring p = {tx, keys, name, gather, &g};
    spean_err err = spean_record_trunk(tx, keys, name, &trunk);
    if (err == SPEAN_OK) {
        err = state_len_of(trunk, &g.cap);
    }
    if (err == SPEAN_OK) {
        g.buf = malloc(g.cap);
        err = g.buf == NULL ? SPEAN_ENOMEM : state_pour(&p, trunk);
    }
    if (err == SPEAN_OK && g.len != g.cap) {
        err = SPEAN_ECORRUPT;
    }
    spean_part_free(trunk);
    if (err != SPEAN_OK) {
        wipe_free(g.buf, g.len);
        return err;
    }
    *out = g.buf;
    *len = g.len;
    return SPEAN_OK;
}

static spean_err hash_more(void *ctx, struct spean_view bytes)
{
    spean_hash_update(ctx, bytes.data, bytes.len);
    return SPEAN_OK;
}

spean_err spean_record_hash(struct spean_tx *tx, const struct spean_keys *keys,
                            const struct spean_part_name *name, struct spean_id *out)
{
    assert(out != NULL);

    struct spean_part *trunk;
    struct spean_hash h;
    struct pouring p = {tx, keys, name, hash_more, &h};
    spean_err err = spean_record_trunk(tx, keys, name, &trunk);
    if (err != SPEAN_OK) {
        return err;
    }
    spean_part_hash_begin(&h);
    err = state_pour(&p, trunk);
    spean_part_free(trunk);
    if (err == SPEAN_OK) {
        spean_hash_end(&h, out->bytes, sizeof(out->bytes));
    }
    return err;
}

/* -- Finding records ------------------------------------------------------------------------- */

/* The id behind another; false behind the last there can be. */
static bool id_step(struct spean_record_id *id)
{
    for (size_t i = sizeof(id->bytes); i-- > 0;) {
        id->bytes[i]++;
        if (id->bytes[i] != 0) {
            return true;
        }
    }
    return false;
}

spean_err spean_record_id_next(struct spean_tx *tx, enum spean_table table,
                               struct spean_view prefix, const struct spean_record_id *after,
                               struct spean_record_id *out)
{
    struct spean_record_id from = {0};
    if (after != NULL) {
        from = *after;
        if (!id_step(&from)) {
            return SPEAN_ENOTFOUND;
        }
    }
    struct spean_db_key at = {0};
    spean_db_key_put_bytes(&at, prefix.data, prefix.len);
    spean_db_key_put_bytes(&at, from.bytes, sizeof(from.bytes));
    struct spean_cursor cursor;
    spean_err err = spean_cursor_init(&cursor, tx, table, prefix);
    if (err != SPEAN_OK) {
        return err;
    }
    struct spean_view key;
    struct spean_view value;
    err = spean_cursor_seek(&cursor, spean_db_key_view(&at), &key, &value);
    if (err == SPEAN_OK && key.len < prefix.len + sizeof(out->bytes)) {
        err = SPEAN_ECORRUPT;
    }
    if (err == SPEAN_OK) {
        (void)memcpy(out->bytes, key.data + prefix.len, sizeof(out->bytes));
    }
    spean_cursor_fini(&cursor);
    return err;
}

spean_err spean_record_next(struct spean_tx *tx, uint64_t type, const struct spean_record_id *after,
                            struct spean_record_id *out)
{
    assert(out != NULL);

    struct spean_db_key prefix = {0};
    spean_db_key_put_u64(&prefix, type);
    return spean_record_id_next(tx, SPEAN_TABLE_RECORD_TYPES, spean_db_key_view(&prefix), after,
                                out);
}

static uint8_t digit_of(const struct spean_record_id *id, uint32_t i)
{
    const uint8_t byte = id->bytes[i / 2];
    return i % 2 == 0 ? (uint8_t)(byte >> 4) : (uint8_t)(byte & 0x0f);
}

static bool begins_with(const struct spean_record_id *id, const struct spean_record_id *prefix,
                        uint32_t digits)
{
    for (uint32_t i = 0; i < digits; i++) {
        if (digit_of(id, i) != digit_of(prefix, i)) {
            return false;
        }
    }
    return true;
}

/* The lowest id that begins with digits of prefix, less one, into *out; false if that is none. */
static bool below_prefix(const struct spean_record_id *prefix, uint32_t digits,
                         struct spean_record_id *out)
{
    struct spean_record_id id = {0};
    for (uint32_t i = 0; i < digits; i++) {
        const uint8_t digit = digit_of(prefix, i);
        id.bytes[i / 2] |= (uint8_t)(i % 2 == 0 ? digit << 4 : digit);
    }
    for (size_t i = sizeof(id.bytes); i-- > 0;) {
        id.bytes[i]--;
        if (id.bytes[i] != UINT8_MAX) {
            *out = id;
            return true;
        }
    }
    return false;
}

spean_err spean_record_prefix(struct spean_tx *tx, const struct spean_record_id *prefix,
                              uint32_t digits, const struct spean_record_id *after,
                              struct spean_record_id *out)
{
    assert(prefix != NULL);
    assert(digits <= DIGITS_MAX);
    assert(out != NULL);

    struct spean_record_id below;
    const bool bounded = below_prefix(prefix, digits, &below);
    if (bounded && (after == NULL || memcmp(after->bytes, below.bytes, sizeof(below.bytes)) < 0)) {
        after = &below;
    }
    struct spean_record_id found;
    const spean_err err =
        spean_record_id_next(tx, SPEAN_TABLE_RECORDS, (struct spean_view){0}, after, &found);
    if (err != SPEAN_OK) {
        return err;
    }
    if (!begins_with(&found, prefix, digits)) {
        return SPEAN_ENOTFOUND;
    }
    *out = found;
    return SPEAN_OK;
}

/* -- For the fold ---------------------------------------------------------------------------- */

spean_err spean_record_put(struct spean_tx *tx, const struct spean_keys *keys,
                           const struct spean_record_info *info)
{
    assert(info != NULL);

    uint8_t *const buf = malloc(INFO_BYTES_MAX);
    if (buf == NULL) {
        return spean_tx_fail(tx, SPEAN_ENOMEM);
    }
    struct spean_writer w;
    spean_writer_init(&w, buf, INFO_BYTES_MAX);
    spean_writer_array(&w, INFO_ELEMENTS);
    spean_writer_uint(&w, info->type);
    spean_writer_bin(&w, info->owner.bytes, sizeof(info->owner.bytes));
    spean_writer_raw(&w, info->fixed);
    spean_writer_uint(&w, info->created_part);
    spean_writer_uint(&w, info->created_number);
    spean_writer_uint(&w, info->created_seq);
    struct spean_view bytes;
    spean_err err = spean_writer_end(&w, &bytes);
    assert(err == SPEAN_OK); /* Fixed fields fit into a body, so into this. */
    const enum spean_shelf shelf = shelf_of(info->created_part);
    const struct spean_db_key key = record_key(&info->record, shelf);
    const struct spean_db_key type = type_key(info->type, &info->record);
    (void)spean_tx_put(tx, SPEAN_TABLE_RECORD_TYPES, spean_db_key_view(&type),
                       (struct spean_view){nothing, 0});
    err = spean_shelf_put(tx, keys, SPEAN_TABLE_RECORDS, spean_db_key_view(&key), shelf, bytes);
    wipe_free(buf, bytes.len);
    return err;
}

spean_err spean_record_del(struct spean_tx *tx, const struct spean_record_info *info)
{
    assert(info != NULL);

    const struct spean_db_key key = record_key(&info->record, shelf_of(info->created_part));
    const struct spean_db_key type = type_key(info->type, &info->record);
    (void)spean_tx_del(tx, SPEAN_TABLE_RECORD_TYPES, spean_db_key_view(&type));
    (void)spean_tx_del(tx, SPEAN_TABLE_RECORDS, spean_db_key_view(&key));
    return spean_tx_err(tx);
}

/* Delete the pieces of a state from number piece on. */
static spean_err pieces_del(struct spean_tx *tx, const struct spean_part_name *name, uint32_t piece)
{
    spean_err err = SPEAN_OK;
    for (uint32_t i = piece; err == SPEAN_OK; i++) {
        const struct spean_db_key key = piece_key(name, i);
        err = spean_tx_del(tx, SPEAN_TABLE_STATES, spean_db_key_view(&key));
    }
    return spean_tx_err(tx);
}

static spean_err state_row_put(struct spean_tx *tx, const struct spean_part_name *name,
                               const struct state_row *row)
{
    uint8_t buf[STATE_BYTES];
    struct spean_writer w;
    spean_writer_init(&w, buf, sizeof(buf));
    spean_writer_array(&w, STATE_ELEMENTS);
    spean_writer_bool(&w, row->too_large);
    spean_writer_uint(&w, row->len);
    struct spean_view value;
    const spean_err err = spean_writer_end(&w, &value);
    assert(err == SPEAN_OK);
    const struct spean_db_key key = spean_part_name_key(name);
    return spean_tx_put(tx, SPEAN_TABLE_PARTS, spean_db_key_view(&key), value);
}

/* Write a trunk in pieces. */
static spean_err pieces_put(struct spean_tx *tx, const struct spean_keys *keys,
                            const struct spean_part_name *name, struct spean_view trunk)
{
    uint32_t piece = 0;
    spean_err err = SPEAN_OK;
    for (size_t done = 0; done < trunk.len && err == SPEAN_OK; piece++) {
        const size_t left = trunk.len - done;
        const size_t len = left < PIECE_BYTES ? left : PIECE_BYTES;
        const struct spean_db_key key = piece_key(name, piece);
        err = spean_shelf_put(tx, keys, SPEAN_TABLE_STATES, spean_db_key_view(&key),
                              shelf_of(name->part), (struct spean_view){trunk.data + done, len});
        done += len;
    }
    return err == SPEAN_OK ? pieces_del(tx, name, piece) : err;
}

static spean_err too_large_put(struct spean_tx *tx, const struct spean_part_name *name)
{
    const struct state_row row = {.too_large = true};
    (void)pieces_del(tx, name, 0);
    (void)spean_items_del(tx, name);
    return state_row_put(tx, name, &row);
}

spean_err spean_record_put_state(struct spean_tx *tx, const struct spean_keys *keys,
                                 const struct spean_part_name *name, const struct spean_part *part,
                                 bool anew)
{
    assert(name != NULL);

    uint8_t *buf = NULL;
    size_t cap = 0;
    size_t state_len = 0;
    struct spean_view trunk = {0};
    if (part == NULL) {
        return too_large_put(tx, name);
    }
    spean_err err = trunk_encode(part, &buf, &cap, &trunk, &state_len);
    if (err != SPEAN_OK) {
        return err;
    }
    if (state_len > SPEAN_RECORD_STATE_BYTES_MAX) {
        wipe_free(buf, cap);
        return too_large_put(tx, name);
    }
    const struct state_row row = {.len = trunk.len};
    if (anew) {
        err = spean_items_del(tx, name);
    }
    if (err == SPEAN_OK) {
        err = spean_items_put(tx, keys, name, part);
    }
    if (err == SPEAN_OK) {
        err = pieces_put(tx, keys, name, trunk);
    }
    wipe_free(buf, cap);
    return err == SPEAN_OK ? state_row_put(tx, name, &row) : err;
}

spean_err spean_record_del_state(struct spean_tx *tx, const struct spean_part_name *name)
{
    assert(name != NULL);

    const struct spean_db_key key = spean_part_name_key(name);
    (void)spean_tx_del(tx, SPEAN_TABLE_PARTS, spean_db_key_view(&key));
    (void)spean_items_del(tx, name);
    return pieces_del(tx, name, 0);
}
