#include "store/check_records.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/partkey.h"
#include "protocol/schema.h"
#include "store/entries.h"
#include "store/fold_batch.h"
#include "store/items.h"

/* Work of one slice, in bytes read, more or less: some tens of milliseconds. */
#define SLICE_WORK 16777216u
#define ROW_WORK   4096u
#define TAG_WORK   2048u

#define PLACE_BYTES       12u /* Log number and seq. */
#define RECORD_KEY_BYTES  (SPEAN_RECORD_ID_BYTES + 1u)
#define TYPE_KEY_BYTES    (8u + SPEAN_RECORD_ID_BYTES)
#define WAITING_KEY_BYTES (SPEAN_RECORD_ID_BYTES + PLACE_BYTES)
#define NUMBER_KEY_BYTES  (SPEAN_PART_NAME_BYTES + 8u)
#define CHANGE_KEY_BYTES  (SPEAN_PART_NAME_BYTES + PLACE_BYTES)
#define NUMBER_BYTES      4u

struct spean_check_records {
    struct spean_db *db;
    const struct spean_authority *authority;
    struct spean_keys *keys;
    spean_check_report *report;
    void *ctx;
    struct spean_fold *fold; /* Never steps; it holds what is at hand. */
    struct fold_batch batch; /* Of the slice. */
    struct fold_look look;
    bool opens;               /* Grants, where the keys are not locked. */
    bool settled;             /* In this slice nothing waits to be folded. */
    size_t phase;             /* Index into the walks. */
    struct spean_db_key last; /* The last row read of its table; len 0: none yet. */
    uint64_t parts;
    uint64_t skipped;
    uint64_t problems;
};

/* What folding a part again says of what is stored. */
struct verdict {
    bool same;    /* Its state. */
    bool indexed; /* Its names, and no others, lead to its record. */
    bool whole;   /* Nothing of it was lacking. */
};

/* -- Reporting ------------------------------------------------------------------------------- */

static void report(struct spean_check_records *c, const struct spean_check_problem *problem)
{
    c->problems++;
    c->report(c->ctx, problem);
}

/* What is so only until all is folded is no problem. */
static void found(struct spean_check_records *c, const struct spean_check_problem *problem)
{
    if (c->settled) {
        report(c, problem);
    } else {
        c->skipped++;
    }
}

static void found_part(struct spean_check_records *c, enum spean_check_kind kind,
                       const struct spean_part_name *name)
{
    const struct spean_check_problem problem = {
        .kind = kind, .record = name->record, .part = name->part};
    found(c, &problem);
}

static void found_place(struct spean_check_records *c, enum spean_check_kind kind, uint32_t number,
                        uint64_t seq)
{
    struct spean_check_problem problem = {.kind = kind, .seq = seq};
    if (number < c->fold->logs_count) {
        problem.log = c->fold->logs[number].row.log;
    }
    found(c, &problem);
}

static void found_row(struct spean_check_records *c, enum spean_check_kind kind)
{
    const struct spean_check_problem problem = {.kind = kind};
    found(c, &problem);
}

/* The kinds of problem that wrong rows of a table are. */
static const struct {
    enum spean_table table;
    enum spean_check_kind kind;
} wrongs[] = {
    {SPEAN_TABLE_CHANGES, SPEAN_CHECK_CHANGE},       {SPEAN_TABLE_RECORDS, SPEAN_CHECK_RECORD},
    {SPEAN_TABLE_FOLD_ASIDE, SPEAN_CHECK_JUDGED},    {SPEAN_TABLE_FOLD_ROWS, SPEAN_CHECK_WAITING},
    {SPEAN_TABLE_FOLD_WAITING, SPEAN_CHECK_WAITING}, {SPEAN_TABLE_FOLD_NAMED, SPEAN_CHECK_WAITING},
    {SPEAN_TABLE_KNOWLEDGE, SPEAN_CHECK_SEEN},       {SPEAN_TABLE_PART_GRANTS, SPEAN_CHECK_GRANT},
    {SPEAN_TABLE_FOLD_UNOPENED, SPEAN_CHECK_GRANT},  {SPEAN_TABLE_PART_KEYS, SPEAN_CHECK_KEYS},
};
#define WRONGS_COUNT (sizeof(wrongs) / sizeof(wrongs[0]))

static bool is_wrong(const struct spean_check_records *c, size_t index)
{
    return (c->look.wrong >> wrongs[index].table & 1u) != 0;
}

/* -- Parts ----------------------------------------------------------------------------------- */

/* Say whether a part has a row that says how its state is kept. */
static spean_err has_state(struct spean_check_records *c, const struct spean_part_name *name,
                           bool *has)
{
    const struct spean_db_key key = spean_part_name_key(name);
    struct spean_view value;
    const spean_err err =
        spean_tx_get(c->batch.tx, SPEAN_TABLE_PARTS, spean_db_key_view(&key), &value);
    *has = err == SPEAN_OK;
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

/* Compare a state with the stored one, which err says how it was read. */
static bool is_same(spean_err err, struct spean_view stored, const struct spean_view *state)
{
    if (state == NULL || state->len > SPEAN_RECORD_STATE_BYTES_MAX) {
        return err == SPEAN_ELIMIT;
    }
    return err == SPEAN_OK && stored.len == state->len &&
           memcmp(stored.data, state->data, state->len) == 0;
}

/* Encode the state of a part into *buf, which the caller wipes and frees. */
static spean_err state_encode(const struct spean_part *state, uint8_t **buf, struct spean_view *out)
{
    const size_t cap = spean_part_encoded_max(state);
    uint8_t *const bytes = malloc(cap);
    if (bytes == NULL) {
        return SPEAN_ENOMEM;
    }
    const spean_err err = spean_part_encode(state, bytes, cap, out);
    assert(err == SPEAN_OK); /* There is room. */
    *buf = bytes;
    return SPEAN_OK;
}

/* How many rows the lists of a part take: each item has one of its own and one for its name. */
static uint64_t rows_count(const struct spean_part *state)
{
    uint64_t count = 0;
    const size_t fields_count = state == NULL ? 0 : spean_part_fields_count(state);
    for (size_t i = 0; i < fields_count; i++) {
        const struct spean_field *const field = spean_part_field(state, i);
        if (spean_field_kind(field) == SPEAN_KIND_LIST) {
            count += 2u * spean_field_writes_count(field) + spean_field_strikes_count(field);
        }
    }
    return count;
}

/* Compare what was folded of a part, which is something, with what is stored. */
static spean_err state_compare(struct spean_check_records *c, const struct fold_part *part,
                               bool *same)
{
    uint8_t *stored = NULL;
    size_t stored_len = 0;
    uint8_t *buf = NULL;
    struct spean_view state = {0};
    const spean_err read =
        spean_record_state(c->batch.tx, c->keys, &part->name, &stored, &stored_len);
    spean_err err = spean_tx_err(c->batch.tx);
    if (read == SPEAN_ENOMEM || read == SPEAN_ELOCKED) {
        err = read;
    }
    if (err == SPEAN_OK && !part->too_large) {
        err = state_encode(part->state, &buf, &state);
    }
    uint64_t rows = 0;
    if (err == SPEAN_OK) {
        err = spean_items_count(c->batch.tx, &part->name, &rows);
    }
    if (err == SPEAN_OK) {
        *same =
            is_same(read, (struct spean_view){stored, stored_len}, part->too_large ? NULL : &state);
        *same = *same && (read != SPEAN_OK || rows == rows_count(part->state));
        c->look.work += stored_len + state.len;
    }
    if (stored != NULL) {
        sodium_memzero(stored, stored_len);
    }
    if (buf != NULL) {
        sodium_memzero(buf, state.len);
    }
    free(stored);
    free(buf);
    return err;
}

/* Fold a part again. */
static spean_err part_fold(struct spean_check_records *c, const struct spean_part_name *name,
                           struct verdict *out)
{
    struct fold_part *part = NULL;
    c->look.part = name;
    c->look.lacking = false;
    spean_err err = fold_part_take(&c->batch, name, &part);
    if (err == SPEAN_OK && !part->erased) {
        err = fold_part_again(&c->batch, name);
    }
    if (err == SPEAN_OK && (part->state != NULL || part->too_large)) {
        err = state_compare(c, part, &out->same);
    } else if (err == SPEAN_OK) {
        bool has = false;
        err = has_state(c, name, &has);
        out->same = !has;
    }
    if (err == SPEAN_OK) {
        err = spean_record_is_indexed(c->batch.tx, c->keys, name, part->state, &out->indexed);
    }
    out->whole = !c->look.lacking;
    c->look.part = NULL;
    fold_cache_clear(c->fold);
    return err;
}

/* Report what was found wrong of a part. */
static void found_wrongs(struct spean_check_records *c, const struct spean_part_name *name)
{
    for (size_t i = 0; i < WRONGS_COUNT; i++) {
        if (is_wrong(c, i)) {
            found_part(c, wrongs[i].kind, name);
        }
    }
}

/* Go on behind all rows of a part that end with a place. */
static void skip_part(struct spean_check_records *c, const struct spean_part_name *name)
{
    c->last = spean_part_name_key(name);
    for (size_t i = 0; i <= PLACE_BYTES; i++) {
        spean_db_key_put_u8(&c->last, UINT8_MAX);
    }
}

static void part_judge(struct spean_check_records *c, const struct spean_part_name *name,
                       const struct verdict *verdict)
{
    c->parts++;
    if (!verdict->same) {
        found_part(c, SPEAN_CHECK_STATE, name);
    } else if (!verdict->indexed) {
        found_part(c, SPEAN_CHECK_LOOKUP, name);
    }
    found_wrongs(c, name);
}

/* The first change of a part stands for all of it. */
static spean_err check_part(struct spean_check_records *c, struct spean_view key,
                            struct spean_view value)
{
    struct spean_part_name name;
    if (key.len != CHANGE_KEY_BYTES || value.len != 1 ||
        spean_part_name_decode(key, &name) != SPEAN_OK) {
        found_row(c, SPEAN_CHECK_CHANGE);
        return SPEAN_OK;
    }
    struct verdict verdict = {.same = false};
    c->look.wrong = 0;
    const spean_err err = part_fold(c, &name, &verdict);
    if (err == SPEAN_ELOCKED || (err == SPEAN_OK && !verdict.whole)) {
        c->skipped++; /* What is lacking is part of the first part's report, or on its way. */
    } else if (err == SPEAN_ECORRUPT && spean_tx_err(c->batch.tx) == SPEAN_OK) {
        found_part(c, SPEAN_CHECK_STATE, &name);
    } else if (err != SPEAN_OK) {
        return err;
    } else {
        part_judge(c, &name, &verdict);
    }
    skip_part(c, &name);
    return SPEAN_OK;
}

/* Say whether a table has a row whose key begins like that. */
static spean_err has_prefix(struct spean_check_records *c, enum spean_table table,
                            struct spean_view prefix, bool *has)
{
    uint64_t count = 0;
    const spean_err err = spean_tx_count(c->batch.tx, table, prefix, 1, &count);
    *has = count > 0;
    return err;
}

/* A row about a part has changes that make it. */
static spean_err part_has_changes(struct spean_check_records *c, struct spean_view key,
                                  enum spean_check_kind kind)
{
    struct spean_part_name name;
    if (key.len != SPEAN_PART_NAME_BYTES || spean_part_name_decode(key, &name) != SPEAN_OK) {
        found_row(c, SPEAN_CHECK_STRAY);
        return SPEAN_OK;
    }
    bool has = false;
    const spean_err err = has_prefix(c, SPEAN_TABLE_CHANGES, key, &has);
    if (err == SPEAN_OK && !has) {
        found_part(c, kind, &name);
    }
    return err;
}

static spean_err check_state(struct spean_check_records *c, struct spean_view key,
                             struct spean_view value)
{
    (void)value;
    return part_has_changes(c, key, SPEAN_CHECK_STATE);
}

static spean_err check_names(struct spean_check_records *c, struct spean_view key,
                             struct spean_view value)
{
    (void)value;
    return part_has_changes(c, key, SPEAN_CHECK_LOOKUP);
}

/* A name that leads to a record is one of those that a part of it gave. */
static spean_err check_lookup(struct spean_check_records *c, struct spean_view key,
                              struct spean_view value)
{
    (void)value;
    bool belongs = false;
    const spean_err err = spean_record_lookup_belongs(c->batch.tx, key, &belongs);
    if (err == SPEAN_OK && !belongs) {
        found_row(c, SPEAN_CHECK_LOOKUP);
    }
    return err;
}

/* A piece belongs to a state. */
static spean_err check_piece(struct spean_check_records *c, struct spean_view key,
                             struct spean_view value)
{
    (void)value;
    struct spean_part_name name;
    bool has = false;
    spean_err err = spean_part_name_decode(key, &name);
    if (err == SPEAN_OK) {
        err = has_state(c, &name, &has);
    }
    if (err == SPEAN_ECORRUPT && spean_tx_err(c->batch.tx) == SPEAN_OK) {
        err = SPEAN_OK;
    }
    if (err == SPEAN_OK && !has) {
        found_row(c, SPEAN_CHECK_STRAY);
    }
    return err;
}

/* A list item, its name, or a strike agrees with the others and belongs to a state. */
static spean_err check_item(struct spean_check_records *c, struct spean_view key,
                            struct spean_view value)
{
    bool agree = false;
    const spean_err err = spean_items_agree(c->batch.tx, c->keys, key, &agree);
    if (err != SPEAN_OK && err != SPEAN_ELOCKED) {
        return err;
    }
    if (err == SPEAN_OK && !agree) {
        found_row(c, SPEAN_CHECK_STRAY);
        return SPEAN_OK;
    }
    return check_piece(c, key, value);
}

/* -- Records --------------------------------------------------------------------------------- */

/* See that the change is listed that made a record known, and the record under its type. */
static spean_err record_belongs(struct spean_check_records *c, const struct spean_record_info *info,
                                bool *belongs)
{
    const struct spean_part_name name = {info->record, info->created_part};
    struct spean_db_key change = spean_part_name_key(&name);
    spean_db_key_put_u32(&change, info->created_number);
    spean_db_key_put_u64(&change, info->created_seq);
    struct spean_db_key type = {0};
    spean_db_key_put_u64(&type, info->type);
    spean_db_key_put_bytes(&type, info->record.bytes, sizeof(info->record.bytes));
    struct spean_view value;
    spean_err err =
        spean_tx_get(c->batch.tx, SPEAN_TABLE_CHANGES, spean_db_key_view(&change), &value);
    *belongs = err == SPEAN_OK && value.len == 1 && (value.data[0] & SPEAN_CHANGE_CREATES) != 0;
    if (err == SPEAN_OK) {
        err = spean_tx_get(c->batch.tx, SPEAN_TABLE_RECORD_TYPES, spean_db_key_view(&type), &value);
        *belongs = *belongs && err == SPEAN_OK;
    }
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

static spean_err check_record(struct spean_check_records *c, struct spean_view key,
                              struct spean_view value)
{
    (void)value;
    struct spean_part_name name = {0};
    if (key.len != RECORD_KEY_BYTES) {
        found_row(c, SPEAN_CHECK_RECORD);
        return SPEAN_OK;
    }
    (void)memcpy(name.record.bytes, key.data, SPEAN_RECORD_ID_BYTES);
    struct spean_record *record = NULL;
    bool belongs = false;
    spean_err err = spean_record_get(c->batch.tx, c->keys, &name.record, &record);
    if (err == SPEAN_ELOCKED) {
        return SPEAN_OK; /* Its parts are counted. */
    }
    if (err == SPEAN_OK) {
        struct spean_record_info info;
        spean_record_get_info(record, &info);
        name.part = info.created_part;
        err = record_belongs(c, &info, &belongs);
    }
    spean_record_free(record);
    if (err == SPEAN_ECORRUPT || err == SPEAN_ENOTFOUND) {
        err = spean_tx_err(c->batch.tx);
    }
    if (err == SPEAN_OK && !belongs) {
        found_part(c, SPEAN_CHECK_RECORD, &name);
    }
    return err;
}

static spean_err check_type(struct spean_check_records *c, struct spean_view key,
                            struct spean_view value)
{
    (void)value;
    bool has = false;
    spean_err err = SPEAN_OK;
    if (key.len == TYPE_KEY_BYTES) {
        const struct spean_view id = {key.data + 8, SPEAN_RECORD_ID_BYTES};
        err = has_prefix(c, SPEAN_TABLE_RECORDS, id, &has);
    }
    if (err == SPEAN_OK && !has) {
        found_row(c, SPEAN_CHECK_RECORD);
    }
    return err;
}

/* -- Entries --------------------------------------------------------------------------------- */

/* Read log number and seq at pos of a key; false: that entry is not there, or not folded yet. */
static bool read_place(struct spean_check_records *c, struct spean_view key, size_t pos,
                       uint32_t *number, uint64_t *seq)
{
    *number = UINT32_MAX;
    *seq = 0;
    if (spean_db_key_u32_at(key, pos, number) != SPEAN_OK ||
        spean_db_key_u64_at(key, pos + NUMBER_BYTES, seq) != SPEAN_OK ||
        *number >= c->fold->logs_count || *seq == 0) {
        return false;
    }
    const struct fold_log *const log = &c->fold->logs[*number];
    return *seq <= log->cursor && *seq <= log->row.head.seq;
}

static spean_err check_aside(struct spean_check_records *c, struct spean_view key,
                             struct spean_view value)
{
    (void)value;
    uint32_t number;
    uint64_t seq;
    struct spean_fold_aside aside;
    if (!read_place(c, key, 0, &number, &seq) || key.len != PLACE_BYTES ||
        spean_fold_aside_next(c->batch.tx, number, seq, &aside) != SPEAN_OK ||
        aside.number != number || aside.seq != seq || aside.reason == SPEAN_ASIDE_NOT) {
        found_place(c, SPEAN_CHECK_JUDGED, number, seq);
    }
    return spean_tx_err(c->batch.tx);
}

static spean_err check_waiting(struct spean_check_records *c, struct spean_view key,
                               struct spean_view value)
{
    (void)value;
    uint32_t number;
    uint64_t seq;
    if (!read_place(c, key, SPEAN_RECORD_ID_BYTES, &number, &seq) || key.len != WAITING_KEY_BYTES) {
        found_place(c, SPEAN_CHECK_WAITING, number, seq);
    }
    return SPEAN_OK;
}

/* A change that can be read is listed, waits, or is set aside for a good reason. */
static spean_err check_entry(struct spean_check_records *c, struct spean_view key,
                             struct spean_view value)
{
    (void)value;
    uint32_t number;
    uint64_t seq;
    if (!read_place(c, key, 0, &number, &seq)) {
        return SPEAN_OK; /* Its turn comes; the first part looks at the row itself. */
    }
    c->look.wrong = 0;
    const spean_err err = fold_entry(&c->batch, number, seq);
    if (err != SPEAN_OK && err != SPEAN_ELOCKED) {
        return err == SPEAN_ECORRUPT ? spean_tx_err(c->batch.tx) : err;
    }
    for (size_t i = 0; i < WRONGS_COUNT; i++) {
        if (is_wrong(c, i)) {
            found_place(c, wrongs[i].kind, number, seq);
        }
    }
    return SPEAN_OK;
}

/* What a node has seen is what an entry of its log said. */
static spean_err check_seen(struct spean_check_records *c, struct spean_view key,
                            struct spean_view value)
{
    uint32_t number = UINT32_MAX;
    uint64_t said = 0;
    bool belongs = false;
    spean_err err = spean_db_key_u32_at(key, 0, &number);
    if (err == SPEAN_OK && number < c->fold->logs_count) {
        err = fold_seen_belongs(&c->batch, key, value, &said, &belongs);
    }
    if (err == SPEAN_ECORRUPT) {
        err = spean_tx_err(c->batch.tx);
    }
    if (err == SPEAN_OK && !belongs) {
        found_place(c, SPEAN_CHECK_SEEN, number, said);
    }
    return err;
}

/* -- Keys of parts --------------------------------------------------------------------------- */

/* Say whether there is a row of the key with this number. */
static spean_err has_key(struct spean_check_records *c, uint32_t number, bool *has)
{
    struct spean_db_key key = {0};
    spean_db_key_put_u32(&key, number);
    struct spean_view value;
    const spean_err err =
        spean_tx_get(c->batch.tx, SPEAN_TABLE_PART_KEYS, spean_db_key_view(&key), &value);
    *has = err == SPEAN_OK;
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

static spean_err check_tag(struct spean_check_records *c, struct spean_view key,
                           struct spean_view value)
{
    uint32_t number = 0;
    bool has = false;
    spean_err err = SPEAN_OK;
    if (key.len == SPEAN_TAG_BYTES && spean_db_key_u32_at(value, 0, &number) == SPEAN_OK) {
        has = number == 0; /* Refused for ever. */
        err = has ? SPEAN_OK : has_key(c, number, &has);
    }
    if (err == SPEAN_OK && !has) {
        found_row(c, SPEAN_CHECK_KEYS);
    }
    return err;
}

static spean_err check_key_number(struct spean_check_records *c, struct spean_view key,
                                  struct spean_view value)
{
    (void)value;
    uint32_t number = 0;
    bool has = false;
    spean_err err = SPEAN_OK;
    if (key.len == NUMBER_KEY_BYTES &&
        spean_db_key_u32_at(key, SPEAN_PART_NAME_BYTES + NUMBER_BYTES, &number) == SPEAN_OK) {
        err = has_key(c, number, &has);
    }
    if (err == SPEAN_OK && !has) {
        found_row(c, SPEAN_CHECK_KEYS);
    }
    return err;
}

/* The first grant of a part stands for all of it: they are judged together. */
static spean_err check_grants(struct spean_check_records *c, struct spean_view key,
                              struct spean_view value)
{
    (void)value;
    struct spean_part_name name;
    if (key.len != CHANGE_KEY_BYTES || spean_part_name_decode(key, &name) != SPEAN_OK) {
        found_row(c, SPEAN_CHECK_GRANT);
        return SPEAN_OK;
    }
    c->look.wrong = 0;
    const spean_err err = fold_grants_look(&c->batch, &name);
    if (err == SPEAN_ECORRUPT && spean_tx_err(c->batch.tx) == SPEAN_OK) {
        found_part(c, SPEAN_CHECK_GRANT, &name);
    } else if (err != SPEAN_OK && err != SPEAN_ELOCKED) {
        return err;
    } else if (err == SPEAN_OK) {
        found_wrongs(c, &name);
    }
    skip_part(c, &name);
    return SPEAN_OK;
}

/* See that a key shows under its tag in every log of its audience and in no other, and among those
 * of its part. */
static spean_err key_shows(struct spean_check_records *c, const struct spean_partkey *key,
                           bool *shows)
{
    struct spean_db_key row = spean_part_name_key(&key->part);
    spean_db_key_put_u32(&row, key->generation);
    spean_db_key_put_u32(&row, key->number);
    spean_err err = has_prefix(c, SPEAN_TABLE_PART_KEY_NUMBERS, spean_db_key_view(&row), shows);
    const uint32_t logs_count = spean_authority_logs_count(c->authority);
    for (uint32_t i = 0; i < logs_count && err == SPEAN_OK; i++) {
        const struct spean_log *const log = spean_authority_log_at(c->authority, i);
        struct spean_tag tag;
        uint32_t number = UINT32_MAX;
        spean_partkey_tag(&tag, &key->proof, &log->id);
        err = spean_partkeys_number_of(c->batch.tx, &tag, &number);
        const bool is = err == SPEAN_OK && (number == key->number || number == 0);
        const bool to_be = spean_partkeys_reaches(key, &log->org);
        *shows = *shows && (to_be ? is : number != key->number);
        err = spean_tx_err(c->batch.tx);
        c->look.work += TAG_WORK;
    }
    return err;
}

static spean_err check_key(struct spean_check_records *c, struct spean_view key,
                           struct spean_view value)
{
    (void)value;
    uint32_t number = 0;
    struct spean_partkey held;
    bool shows = false;
    spean_err err = key.len == NUMBER_BYTES ? spean_db_key_u32_at(key, 0, &number) : SPEAN_ECORRUPT;
    if (err == SPEAN_OK) {
        err = spean_partkeys_get(c->batch.tx, c->keys, number, &held);
    }
    if (err == SPEAN_OK) {
        err = key_shows(c, &held, &shows);
    }
    spean_partkeys_wipe(&held);
    if (err == SPEAN_ELOCKED) {
        return SPEAN_OK; /* The parts are counted. */
    }
    if (err == SPEAN_ECORRUPT) {
        err = spean_tx_err(c->batch.tx);
    }
    if (err == SPEAN_OK && !shows) {
        found_row(c, SPEAN_CHECK_KEYS);
    }
    return err;
}

/* -- Walks ----------------------------------------------------------------------------------- */

typedef spean_err look_row(struct spean_check_records *c, struct spean_view key,
                           struct spean_view value);

static const struct {
    enum spean_table table;
    look_row *row;
} walks[] = {
    {SPEAN_TABLE_CHANGES, check_part},     {SPEAN_TABLE_PARTS, check_state},
    {SPEAN_TABLE_STATES, check_piece},     {SPEAN_TABLE_ITEMS, check_item},
    {SPEAN_TABLE_RECORDS, check_record},   {SPEAN_TABLE_RECORD_TYPES, check_type},
    {SPEAN_TABLE_FOLD_ASIDE, check_aside}, {SPEAN_TABLE_FOLD_WAITING, check_waiting},
    {SPEAN_TABLE_PART_KEYS, check_key},    {SPEAN_TABLE_PART_KEY_NUMBERS, check_key_number},
    {SPEAN_TABLE_PART_TAGS, check_tag},    {SPEAN_TABLE_ENTRIES, check_entry},
    {SPEAN_TABLE_LOOKUPS_OF, check_names}, {SPEAN_TABLE_LOOKUPS, check_lookup},
    {SPEAN_TABLE_KNOWLEDGE, check_seen},   {SPEAN_TABLE_PART_GRANTS, check_grants},
};
#define WALKS_COUNT (sizeof(walks) / sizeof(walks[0]))

/* Read on in the table of this phase until its end or that of the slice. */
static spean_err walk(struct spean_check_records *c)
{
    struct spean_cursor cursor;
    spean_err err =
        spean_cursor_init(&cursor, c->batch.tx, walks[c->phase].table, (struct spean_view){0});
    if (err != SPEAN_OK) {
        return err;
    }
    while (err == SPEAN_OK && c->look.work < SLICE_WORK) {
        struct spean_view key;
        struct spean_view value;
        err = spean_cursor_behind(&cursor, spean_db_key_view(&c->last), &key, &value);
        if (err == SPEAN_OK) {
            c->last = (struct spean_db_key){0};
            spean_db_key_put_bytes(&c->last, key.data, key.len);
            err = walks[c->phase].row(c, key, value);
            err = err == SPEAN_ENOTFOUND ? SPEAN_ECORRUPT : err; /* That is for the end alone. */
        }
        c->look.work += ROW_WORK;
    }
    spean_cursor_fini(&cursor);
    return err;
}

/* Go through the tables within the transaction of a slice. */
static spean_err slice(struct spean_check_records *c)
{
    spean_err err = fold_look_begin(&c->batch, &c->settled);
    if (err == SPEAN_ECORRUPT && spean_tx_err(c->batch.tx) == SPEAN_OK) {
        const struct spean_check_problem problem = {.kind = SPEAN_CHECK_WAITING};
        report(c, &problem); /* How far the fold is cannot be read, or not of what. */
        c->phase = WALKS_COUNT;
        return SPEAN_OK;
    }
    while (err == SPEAN_OK && c->phase < WALKS_COUNT && c->look.work < SLICE_WORK) {
        err = walk(c);
        if (err == SPEAN_ENOTFOUND) {
            c->last = (struct spean_db_key){0};
            c->phase++;
            err = SPEAN_OK;
        }
    }
    return err == SPEAN_OK ? spean_tx_err(c->batch.tx) : err;
}

spean_err spean_check_records_new(struct spean_db *db, const struct spean_authority *authority,
                                  struct spean_keys *keys, const struct spean_id *org,
                                  spean_check_report *report_problem, void *ctx,
                                  struct spean_check_records **out)
{
    assert(db != NULL);
    assert(authority != NULL);
    assert(keys != NULL);
    assert(report_problem != NULL);
    assert(out != NULL);

    struct spean_check_records *const c = calloc(1, sizeof(*c));
    if (c == NULL) {
        return SPEAN_ENOMEM;
    }
    c->db = db;
    c->authority = authority;
    c->keys = keys;
    c->report = report_problem;
    c->ctx = ctx;
    c->opens = org != NULL;
    static const struct spean_id no_org;
    static const struct spean_key no_key; /* Which node this is matters to no grant. */
    const spean_err err = spean_fold_new(db, keys, org != NULL ? org : &no_org, &no_key, &c->fold);
    if (err != SPEAN_OK) {
        free(c);
        return err;
    }
    *out = c;
    return SPEAN_OK;
}

void spean_check_records_free(struct spean_check_records *check)
{
    if (check != NULL) {
        spean_fold_free(check->fold);
        free(check);
    }
}

spean_err spean_check_records_step(struct spean_check_records *check, bool *done)
{
    assert(check != NULL);
    assert(done != NULL);

    const struct spean_ledger *const ledger = spean_authority_ledger(check->authority);
    if (ledger == NULL) {
        *done = true;
        return SPEAN_OK;
    }
    check->look = (struct fold_look){.grants = check->opens && !spean_keys_locked(check->keys)};
    check->batch = (struct fold_batch){.fold = check->fold,
                                       .authority = check->authority,
                                       .ledger = ledger->id,
                                       .again = true,
                                       .look = &check->look};
    spean_err err = spean_tx_begin(check->db, SPEAN_TX_READ, &check->batch.tx);
    if (err != SPEAN_OK) {
        return err;
    }
    err = slice(check);
    spean_tx_abort(check->batch.tx);
    check->batch.tx = NULL;
    fold_wipe(check->fold);
    if (err == SPEAN_OK) {
        *done = check->phase == WALKS_COUNT;
    }
    return err;
}

uint64_t spean_check_records_parts(const struct spean_check_records *check)
{
    assert(check != NULL);
    return check->parts;
}

uint64_t spean_check_records_skipped(const struct spean_check_records *check)
{
    assert(check != NULL);
    return check->skipped;
}

uint64_t spean_check_records_problems(const struct spean_check_records *check)
{
    assert(check != NULL);
    return check->problems;
}
