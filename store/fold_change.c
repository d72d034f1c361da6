/* Changes: opened, judged, folded; and parts folded again from their changes. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/alloc.h"
#include "protocol/body.h"
#include "protocol/partkey.h"
#include "protocol/role.h"
#include "protocol/schema.h"
#include "store/body.h"
#include "store/entries.h"
#include "store/fold_batch.h"
#include "store/items.h"

#define NUMBER_AT SPEAN_PART_NAME_BYTES
#define SEQ_AT    (NUMBER_AT + 4u)
#define LOOK_WORK 8192u /* What opening and judging a change costs a check. */

static const uint8_t nothing[1];

/* What is found out about a change on the way. */
struct change {
    const struct fold_place *place;
    struct fold_tag *tag; /* NULL: public. */
    struct spean_change decoded;
    struct spean_part_name part;
    struct fold_record *record;
    struct spean_role_author author;
};

/* -- Opening --------------------------------------------------------------------------------- */

/* Find the key under tag, at hand or in the store. SPEAN_ENOTFOUND: none is held. */
static spean_err tag_take(struct fold_batch *b, const struct spean_tag *tag, struct fold_tag **out)
{
    const size_t slot = (size_t)(spean_u64_get(tag->bytes) & (SPEAN_FOLD_TAGS - 1));
    struct fold_tag *const held = &b->fold->secrets->tags[slot];
    *out = held;
    if (held->number != 0 && spean_tag_equal(&held->tag, tag)) {
        return SPEAN_OK;
    }
    struct spean_partkey key;
    struct spean_partkey newer;
    spean_err err = spean_partkeys_by_tag(b->tx, b->fold->keys, tag, &key);
    if (err == SPEAN_OK) {
        const spean_err next =
            spean_partkeys_next(b->tx, b->fold->keys, &key.part, key.generation + 1, 0, &newer);
        held->superseded = next == SPEAN_OK;
        err = next == SPEAN_ENOTFOUND ? SPEAN_OK : next;
        spean_partkeys_wipe(&newer);
    }
    if (err == SPEAN_OK) {
        held->tag = *tag;
        held->part = key.part;
        held->number = key.number;
        held->generation = key.generation;
        (void)memcpy(held->key, key.key, sizeof(held->key));
    }
    spean_partkeys_wipe(&key);
    return err;
}

/* The same, also where the key was granted in this batch and the grant is not judged yet. */
static spean_err tag_find(struct fold_batch *b, const struct fold_place *place,
                          struct fold_tag **out)
{
    const struct spean_tag *const tag = &place->entry->header.tag;
    bool settled = false;
    spean_err err = tag_take(b, tag, out);
    if (err == SPEAN_ENOTFOUND && b->unjudged_count > 0) {
        err = fold_grants_settle_tag(b, &place->log->row.log, tag, &settled);
        if (err == SPEAN_OK) {
            err = settled ? tag_take(b, tag, out) : SPEAN_ENOTFOUND;
        }
    }
    return err;
}

void fold_tags_forget(struct spean_fold *fold)
{
    sodium_memzero(fold->secrets->tags, sizeof(fold->secrets->tags));
}

/* Read the content of a change into the fold's room for it. SPEAN_EWAIT: its body is lacking.
 * SPEAN_EFORMAT: it cannot be opened. */
static spean_err content_read(struct fold_batch *b, const struct change *c,
                              struct spean_view *content)
{
    const struct fold_log *const log = c->place->log;
    const struct spean_header *const header = &c->place->entry->header;
    struct spean_view body;
    spean_err err = spean_body_get(b->tx, log->row.number, header, &body);
    if (b->look != NULL) {
        b->look->work += err == SPEAN_OK ? body.len : 0;
        err = err == SPEAN_ECORRUPT && spean_tx_err(b->tx) == SPEAN_OK ? SPEAN_ENOTFOUND : err;
    }
    if (err == SPEAN_ECORRUPT && spean_tx_err(b->tx) == SPEAN_OK) {
        err = spean_body_del(b->tx, &log->row, header->seq); /* To be fetched again. */
        if (err == SPEAN_OK) {
            err = SPEAN_ENOTFOUND;
        }
    }
    if (err == SPEAN_ENOTFOUND) {
        return SPEAN_EWAIT;
    }
    if (err != SPEAN_OK) {
        return err;
    }
    if (c->tag == NULL) {
        struct spean_view view;
        if (spean_body_unwrap(body, &view) != SPEAN_OK) {
            return SPEAN_EFORMAT;
        }
        if (view.len > 0) {
            (void)memcpy(b->fold->body, view.data, view.len);
        }
        *content = (struct spean_view){b->fold->body, view.len};
        return SPEAN_OK;
    }
    const struct spean_keyed_part part = spean_part_keyed(&c->tag->part);
    err = spean_body_open(b->fold->body, SPEAN_BODY_BYTES_MAX, c->tag->key, &part, &log->row.log,
                          header->seq, &header->tag, body, content);
    return err == SPEAN_OK ? SPEAN_OK : SPEAN_EFORMAT;
}

/* Decode the content and check that it is about the part that it is sealed as. */
static enum spean_aside decode(struct change *c, struct spean_view content)
{
    if (spean_change_decode(content, &c->decoded) != SPEAN_OK) {
        return SPEAN_ASIDE_MALFORMED;
    }
    if (c->decoded.part > UINT32_MAX) {
        return SPEAN_ASIDE_PART;
    }
    c->part = (struct spean_part_name){c->decoded.record, (uint32_t)c->decoded.part};
    if (c->tag == NULL) {
        return c->part.part == SPEAN_PART_PUBLIC ? SPEAN_ASIDE_NOT : SPEAN_ASIDE_PART;
    }
    return spean_part_name_equal(&c->part, &c->tag->part) ? SPEAN_ASIDE_NOT : SPEAN_ASIDE_PART;
}

/* -- Records --------------------------------------------------------------------------------- */

/* Call for each part of a record that a table names, once. */
struct parts {
    bool begun;
    struct spean_part_name last;
    spean_err (*each)(struct fold_batch *b, const struct spean_part_name *part);
};

static spean_err part_row(struct fold_batch *b, void *ctx, struct spean_view key,
                          struct spean_view value)
{
    struct parts *const parts = ctx;
    (void)value;
    struct spean_part_name name;
    const spean_err err = spean_part_name_decode(key, &name);
    if (err != SPEAN_OK || (parts->begun && spean_part_name_equal(&name, &parts->last))) {
        return err;
    }
    parts->begun = true;
    parts->last = name;
    return parts->each(b, &name);
}

static spean_err each_part(struct fold_batch *b, enum spean_table table,
                           const struct spean_record_id *record,
                           spean_err (*each)(struct fold_batch *, const struct spean_part_name *))
{
    struct parts parts = {.each = each};
    const struct spean_view prefix = {record->bytes, sizeof(record->bytes)};
    return fold_each(b, table, prefix, part_row, &parts);
}

/* What is known of a record is other than it was: everything about it is judged again. */
static spean_err record_changed(struct fold_batch *b, const struct spean_record_id *record)
{
    spean_err err = each_part(b, SPEAN_TABLE_CHANGES, record, fold_mark_dirty);
    if (err == SPEAN_OK) {
        err = each_part(b, SPEAN_TABLE_PART_GRANTS, record, fold_grants_judge);
    }
    if (err == SPEAN_OK) {
        const struct spean_view prefix = {record->bytes, sizeof(record->bytes)};
        err = fold_requeue_all(b, SPEAN_TABLE_FOLD_WAITING, prefix);
    }
    return err;
}

static int views_compare(struct spean_view a, struct spean_view b)
{
    const int order = memcmp(a.data, b.data, a.len < b.len ? a.len : b.len);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* Order what two creating changes say of one record: the lower stands. */
static int infos_compare(const struct spean_record_info *a, const struct spean_record_info *b)
{
    if (a->type != b->type) {
        return a->type < b->type ? -1 : 1;
    }
    const int order = spean_id_compare(&a->owner, &b->owner);
    return order != 0 ? order : views_compare(a->fixed, b->fixed);
}

/* Take over what a creating change says of its record, unless a lower one said it before. */
static spean_err record_create(struct fold_batch *b, const struct change *c)
{
    const struct spean_record_info info = {
        .record = c->part.record,
        .type = c->decoded.type,
        .owner = c->author.org,
        .fixed = c->decoded.fixed,
        .created_part = c->part.part,
        .created_number = c->place->log->row.number,
        .created_seq = c->place->entry->header.seq,
    };
    if (c->record->record != NULL) {
        struct spean_record_info held;
        spean_record_get_info(c->record->record, &held);
        if (infos_compare(&held, &info) <= 0) {
            return SPEAN_OK;
        }
    }
    const spean_err err = fold_record_set(b, c->record, &info);
    if (err != SPEAN_OK || b->refolding) {
        b->record_set = true; /* When all of the part is folded, it shows what that changed. */
        return err;
    }
    return record_changed(b, &info.record);
}

/* -- Judging --------------------------------------------------------------------------------- */

/* Say whether who is a steward decides about a change. */
static bool is_stewards(const struct spean_change *change)
{
    struct spean_view left = change->operations;
    struct spean_operation op;
    while (spean_operation_next(&left, &op)) {
        if (spean_schema_writer_of(op.field) == SPEAN_WRITER_STEWARD) {
            return true;
        }
    }
    return false;
}

/* Judge a creating change and take over what it says. */
static spean_err judge_create(struct fold_batch *b, struct change *c, enum spean_aside *aside)
{
    *aside = spean_role_judge_create(&c->decoded, &b->ledger, &c->author);
    if (*aside != SPEAN_ASIDE_NOT) {
        return SPEAN_OK;
    }
    if (c->tag != NULL) {
        bool give = false;
        struct spean_partkey key;
        spean_err err = spean_partkeys_get(b->tx, b->fold->keys, c->tag->number, &key);
        if (err == SPEAN_OK) {
            err = fold_grants_give(b, &c->part, &key.proof, &c->author.org, &give);
        }
        spean_partkeys_wipe(&key);
        if (err != SPEAN_OK || !give) {
            *aside = SPEAN_ASIDE_PARTY;
            return err;
        }
    }
    return record_create(b, c);
}

/* Judge a change. SPEAN_EWAIT: its record is not known. */
static spean_err judge(struct fold_batch *b, struct change *c, enum spean_aside *aside)
{
    if (c->decoded.creates) {
        const spean_err err = judge_create(b, c, aside);
        if (err != SPEAN_OK || *aside != SPEAN_ASIDE_NOT) {
            return err;
        }
    }
    if (c->record->record == NULL) {
        return SPEAN_EWAIT;
    }
    struct spean_record_info info;
    spean_record_get_info(c->record->record, &info);
    if (info.type != c->decoded.type) {
        *aside = SPEAN_ASIDE_TYPE;
        return SPEAN_OK;
    }
    if (!c->decoded.creates) {
        *aside = spean_role_judge(&c->decoded, &info.owner, info.fixed, &c->author);
    }
    return SPEAN_OK;
}

/* -- Folding --------------------------------------------------------------------------------- */

/* Remember that the contexts of a part name a log, so that a cut of it is noticed. */
static spean_err name_log(struct fold_batch *b, struct fold_part *part, uint64_t log)
{
    for (uint32_t i = 0; i < part->named_count; i++) {
        if (part->named[i] == log) {
            return SPEAN_OK;
        }
    }
    void *array = part->named;
    const spean_err err =
        spean_alloc_more(&array, &part->named_cap, part->named_count, sizeof(part->named[0]));
    part->named = array;
    if (err != SPEAN_OK) {
        return spean_tx_fail(b->tx, err);
    }
    part->named[part->named_count++] = log;
    const struct spean_db_key name = spean_part_name_key(&part->name);
    struct spean_db_key key = {0};
    spean_db_key_put_u64(&key, log);
    spean_db_key_put_bytes(&key, name.bytes, name.len);
    struct spean_view held;
    if (spean_tx_get(b->tx, SPEAN_TABLE_FOLD_NAMED, spean_db_key_view(&key), &held) == SPEAN_OK) {
        return SPEAN_OK;
    }
    return fold_row_put(b, SPEAN_TABLE_FOLD_NAMED, &key, (struct spean_view){nothing, 0});
}

struct row_check {
    struct fold_batch *b;
    struct fold_part *part;
    const struct fold_place *place;
};

/* Look again at the change when the entry that a row names comes. */
static void wait_for_row(const struct row_check *check, const struct spean_context_row *row)
{
    const struct spean_db_key name = spean_part_name_key(&check->part->name);
    struct spean_db_key key = {0};
    spean_db_key_put_u64(&key, row->log);
    spean_db_key_put_u64(&key, row->seq);
    spean_db_key_put_bytes(&key, name.bytes, name.len);
    spean_db_key_put_u32(&key, check->place->log->row.number);
    spean_db_key_put_u64(&key, check->place->entry->header.seq);
    (void)fold_row_put(check->b, SPEAN_TABLE_FOLD_ROWS, &key, (struct spean_view){nothing, 0});
}

/* Say whether a context row counts; errors stick to the transaction. */
static bool row_counts(void *ctx, const struct spean_context_row *row)
{
    const struct row_check *const check = ctx;
    struct fold_batch *const b = check->b;
    (void)name_log(b, check->part, row->log);
    const struct fold_log *const log = fold_log_by_short(b, row->log);
    if (log != NULL && row->seq > 0 && row->seq <= log->end) {
        struct spean_id id;
        const spean_err err = spean_entries_id(b->tx, &log->row, row->seq, &id);
        if (err != SPEAN_OK) {
            (void)spean_tx_fail(b->tx, err == SPEAN_ENOTFOUND ? SPEAN_ECORRUPT : err);
            return false;
        }
        if (spean_short_of(&id) == row->entry) {
            return true;
        }
    }
    wait_for_row(check, row);
    return false;
}

/* Take the list items into a part that a change appends or strikes. */
static spean_err hold_items(struct fold_batch *b, struct fold_part *part,
                            const struct spean_fold_input *input)
{
    struct spean_view left = input->change->operations;
    struct spean_operation op;
    spean_err err = SPEAN_OK;
    for (uint32_t i = 0; err == SPEAN_OK && spean_operation_next(&left, &op); i++) {
        struct spean_dot item;
        if (spean_fold_item(input, &op, i, &item)) {
            err = spean_items_hold(b->tx, b->fold->keys, &part->name, part->state, op.field, &item);
        }
    }
    return err;
}

/* Fold an allowed change into its part. */
static spean_err apply(struct fold_batch *b, const struct change *c, struct fold_part *part)
{
    if (part->too_large) {
        /* Values may have become fewer since; only folding all of it tells. */
        return b->refolding ? SPEAN_OK : fold_mark_dirty(b, &part->name);
    }
    spean_err err = SPEAN_OK;
    if (part->state == NULL) {
        err = spean_part_new(&part->state, c->decoded.type, &part->name.record, part->name.part);
        if (err != SPEAN_OK) {
            return err;
        }
    }
    const struct spean_fold_input input = {
        .change = &c->decoded,
        .log = spean_short_of(&c->place->log->row.log),
        .seq = c->place->entry->header.seq,
        .entry = c->place->entry->id,
        .time = c->place->entry->header.time,
        .org = c->author.org,
    };
    struct row_check check = {b, part, c->place};
    bool missing;
    err = hold_items(b, part, &input);
    if (err != SPEAN_OK) {
        return err;
    }
    err = spean_part_apply(part->state, &input, row_counts, &check, &missing);
    part->changed = true;
    if (err == SPEAN_ELIMIT) {
        spean_part_free(part->state);
        part->state = NULL;
        part->too_large = true;
        err = SPEAN_OK;
    }
    if (err == SPEAN_EINPUT) {
        err = SPEAN_ECORRUPT; /* The state that was read is of another type. */
    }
    return err == SPEAN_OK ? spean_tx_err(b->tx) : err;
}

/* Judge whether the author was left out when it wrote. */
static spean_err judge_left_out(struct fold_batch *b, const struct change *c,
                                struct fold_part *part, enum spean_aside *aside)
{
    if (c->tag == NULL || !c->tag->superseded) {
        return SPEAN_OK;
    }
    struct spean_record_info info;
    spean_record_get_info(c->record->record, &info);
    const struct spean_grant_change change = {
        .org = c->author.org,
        .log = spean_short_of(&c->place->log->row.log),
        .seq = c->place->entry->header.seq,
        .generation = c->tag->generation,
    };
    struct row_check check = {b, part, c->place};
    bool left_out = false;
    const spean_err err =
        fold_left_out(b, &c->part, &info.owner, &change, row_counts, &check, &left_out);
    if (err == SPEAN_OK && left_out) {
        *aside = SPEAN_ASIDE_LEFT_OUT;
    }
    return err;
}

/* Note a change among those of its part. */
static spean_err note_change(struct fold_batch *b, const struct change *c, uint8_t flags)
{
    struct spean_db_key key = spean_part_name_key(&c->part);
    spean_db_key_put_u32(&key, c->place->log->row.number);
    spean_db_key_put_u64(&key, c->place->entry->header.seq);
    if (b->look != NULL) {
        b->look->noted = true;
    }
    return fold_row_put(b, SPEAN_TABLE_CHANGES, &key, (struct spean_view){&flags, sizeof(flags)});
}

static struct spean_db_key waiting_key(const struct change *c)
{
    struct spean_db_key key = {0};
    spean_db_key_put_bytes(&key, c->part.record.bytes, sizeof(c->part.record.bytes));
    spean_db_key_put_u32(&key, c->place->log->row.number);
    spean_db_key_put_u64(&key, c->place->entry->header.seq);
    return key;
}

/* Let a change wait for its record. */
static spean_err wait_for_record(struct fold_batch *b, const struct change *c)
{
    const struct spean_db_key key = waiting_key(c);
    return fold_row_put(b, SPEAN_TABLE_FOLD_WAITING, &key, (struct spean_view){nothing, 0});
}

/* In a check: see that a change is among those of its part, or waits for its record. */
static spean_err look_listed(struct fold_batch *b, const struct change *c)
{
    struct spean_db_key key = spean_part_name_key(&c->part);
    spean_db_key_put_u32(&key, c->place->log->row.number);
    spean_db_key_put_u64(&key, c->place->entry->header.seq);
    struct spean_view value;
    spean_err err = spean_tx_get(b->tx, SPEAN_TABLE_CHANGES, spean_db_key_view(&key), &value);
    if (err == SPEAN_ENOTFOUND) {
        key = waiting_key(c);
        err = spean_tx_get(b->tx, SPEAN_TABLE_FOLD_WAITING, spean_db_key_view(&key), &value);
    }
    if (err == SPEAN_ENOTFOUND) {
        fold_look_wrong(b, SPEAN_TABLE_CHANGES);
    }
    return spean_tx_err(b->tx);
}

static spean_err set_aside(struct fold_batch *b, const struct change *c, enum spean_aside aside)
{
    if (aside == SPEAN_ASIDE_NOT && !b->again) {
        return SPEAN_OK;
    }
    return fold_set_aside(b, c->place->log->row.number, c->place->entry->header.seq, aside);
}

/* Judge a decoded change, note it, and fold it if it is allowed. */
static spean_err take(struct fold_batch *b, struct change *c)
{
    if (b->look != NULL && b->look->part == NULL) {
        return look_listed(b, c);
    }
    if (b->look != NULL && !spean_part_name_equal(b->look->part, &c->part)) {
        return SPEAN_OK; /* Listed under another part than its own. */
    }
    struct fold_part *part;
    spean_err err = fold_part_take(b, &c->part, &part);
    if (err != SPEAN_OK) {
        return err;
    }
    uint8_t flags = c->decoded.creates ? SPEAN_CHANGE_CREATES : 0;
    if (part->erased) {
        return note_change(b, c, flags); /* Folded again if a cut takes the erasure back. */
    }
    err = fold_record_take(b, &c->part.record, &c->record);
    enum spean_aside aside = SPEAN_ASIDE_NOT;
    if (err == SPEAN_OK) {
        err = judge(b, c, &aside);
    }
    if (err == SPEAN_EWAIT) {
        err = set_aside(b, c, SPEAN_ASIDE_NOT);
        return err == SPEAN_OK ? wait_for_record(b, c) : err;
    }
    if (err == SPEAN_OK && aside == SPEAN_ASIDE_NOT) {
        err = judge_left_out(b, c, part, &aside);
    }
    if (err == SPEAN_OK) {
        flags |= is_stewards(&c->decoded) ? SPEAN_CHANGE_STEWARD : 0;
        flags |= aside == SPEAN_ASIDE_NOT ? SPEAN_CHANGE_FOLDED : 0;
        err = note_change(b, c, flags);
    }
    if (err == SPEAN_OK) {
        err = set_aside(b, c, aside);
    }
    return err == SPEAN_OK && aside == SPEAN_ASIDE_NOT ? apply(b, c, part) : err;
}

/* Let the body of a change be looked for, if it can be read; when it comes, it is queued. */
static spean_err wait_for_body(struct fold_batch *b, const struct change *c)
{
    const struct fold_log *const log = c->place->log;
    const struct spean_tag *const tag = &c->place->entry->header.tag;
    if (b->look != NULL) {
        b->look->lacking = true;
        return SPEAN_OK;
    }
    if (c->tag == NULL) {
        return SPEAN_OK;
    }
    const struct spean_keyed_part part = spean_part_keyed(&c->tag->part);
    if (!spean_partkey_bears(c->tag->key, &part, &log->row.log, tag)) {
        return SPEAN_OK;
    }
    return spean_partkeys_want(b->tx, tag, &c->tag->part, log->row.number, true);
}

/* Look no more for bodies under the tag of a change, if this was the last that was lacking. */
static spean_err end_wait(struct fold_batch *b, const struct change *c)
{
    const uint32_t number = c->place->log->row.number;
    const struct spean_tag *const tag = &c->place->entry->header.tag;
    struct spean_tagged at = {number, 0};
    if (c->tag == NULL || !b->again || b->refolding || b->look != NULL) {
        return SPEAN_OK;
    }
    const spean_err err = spean_body_next(b->tx, tag, SPEAN_BODY_LACKING, &at, &at);
    if (err == SPEAN_ENOTFOUND || (err == SPEAN_OK && at.number != number)) {
        return spean_partkeys_want(b->tx, tag, &c->tag->part, number, false);
    }
    return err;
}

spean_err fold_change(struct fold_batch *b, const struct fold_place *place)
{
    struct change c = {.place = place};
    const struct spean_header *const header = &place->entry->header;
    bool erased = false;
    spean_err err =
        header->has_tag ? tag_find(b, place, &c.tag) : fold_place_erased(b, place, &erased);
    if (err == SPEAN_ENOTFOUND || (err == SPEAN_OK && erased)) {
        /* The key will queue it, or a cut that takes the erasure back. */
        return set_aside(b, &c, SPEAN_ASIDE_NOT);
    }
    if (err != SPEAN_OK) {
        return err;
    }
    struct spean_view content;
    err = content_read(b, &c, &content);
    if (err == SPEAN_EWAIT) {
        return wait_for_body(b, &c);
    }
    if (err != SPEAN_OK && err != SPEAN_EFORMAT) {
        return err;
    }
    const spean_err ended = end_wait(b, &c);
    if (ended != SPEAN_OK) {
        return ended;
    }
    const enum spean_aside aside = err == SPEAN_OK ? decode(&c, content) : SPEAN_ASIDE_MALFORMED;
    if (aside != SPEAN_ASIDE_NOT) {
        return set_aside(b, &c, aside);
    }
    c.author = (struct spean_role_author){
        .org = place->log->row.org,
        .is_member = true, /* Its log counts, so it is or was one. */
        .is_steward = spean_authority_is_steward(b->authority, &place->log->row.org),
    };
    return take(b, &c);
}

/* -- Again ----------------------------------------------------------------------------------- */

/* Where a change stands. */
struct history_change {
    uint32_t number;
    uint64_t seq;
};

/* The changes of a part. */
struct history {
    struct history_change *changes;
    uint8_t *flags;
    uint32_t count;
    uint32_t changes_cap;
    uint32_t flags_cap;
};

static void history_fini(struct history *h)
{
    free(h->changes);
    free(h->flags);
}

/* Note a change and delete its row, which comes again when it is taken again. */
static spean_err history_row(struct fold_batch *b, void *ctx, struct spean_view key,
                             struct spean_view value)
{
    struct history *const h = ctx;
    struct history_change change = {0};
    if (value.len != 1 || spean_db_key_u32_at(key, NUMBER_AT, &change.number) != SPEAN_OK ||
        spean_db_key_u64_at(key, SEQ_AT, &change.seq) != SPEAN_OK) {
        return SPEAN_ECORRUPT;
    }
    void *changes = h->changes;
    void *flags = h->flags;
    spean_err err = spean_alloc_more(&changes, &h->changes_cap, h->count, sizeof(h->changes[0]));
    h->changes = changes;
    if (err == SPEAN_OK) {
        err = spean_alloc_more(&flags, &h->flags_cap, h->count, sizeof(h->flags[0]));
        h->flags = flags;
    }
    if (err != SPEAN_OK) {
        return err;
    }
    h->changes[h->count] = change;
    h->flags[h->count] = value.data[0];
    h->count++;
    if (b->look != NULL) {
        return SPEAN_OK;
    }
    struct spean_db_key copy = {0};
    spean_db_key_put_bytes(&copy, key.data, key.len);
    return spean_tx_del(b->tx, SPEAN_TABLE_CHANGES, spean_db_key_view(&copy));
}

/* In a check: take a change again, which must turn out to belong to the part. */
static spean_err history_look(struct fold_batch *b, const struct history_change *change)
{
    const bool lacked = b->look->lacking;
    b->look->noted = false;
    b->look->lacking = false;
    b->look->work += LOOK_WORK;
    const spean_err err = fold_entry(b, change->number, change->seq);
    if (err == SPEAN_OK && !b->look->noted && !b->look->lacking) {
        fold_look_wrong(b, SPEAN_TABLE_CHANGES);
    }
    b->look->lacking = b->look->lacking || lacked;
    return err;
}

/* Take the changes again that create the record, or the others. */
static spean_err history_take(struct fold_batch *b, const struct history *h, bool creating)
{
    spean_err err = SPEAN_OK;
    for (uint32_t i = 0; i < h->count && err == SPEAN_OK; i++) {
        if (((h->flags[i] & SPEAN_CHANGE_CREATES) != 0) == creating) {
            err = b->look == NULL ? fold_entry(b, h->changes[i].number, h->changes[i].seq)
                                  : history_look(b, &h->changes[i]);
        }
    }
    return err;
}

/* Forget what the changes of this part said of its record; *before then is that. */
static spean_err record_unset(struct fold_batch *b, struct fold_record *record,
                              const struct spean_part_name *part, struct spean_record **before)
{
    if (record->record == NULL) {
        return SPEAN_OK;
    }
    struct spean_record_info info;
    spean_record_get_info(record->record, &info);
    if (info.created_part != part->part) {
        return SPEAN_OK;
    }
    *before = record->record;
    record->record = NULL;
    return b->look == NULL ? spean_record_del(b->tx, &info) : SPEAN_OK;
}

/* Say whether a record is known as another than before. */
static bool is_other(const struct spean_record *before, const struct spean_record *after)
{
    if (before == NULL || after == NULL) {
        return before != after;
    }
    struct spean_record_info a;
    struct spean_record_info b;
    spean_record_get_info(before, &a);
    spean_record_get_info(after, &b);
    return infos_compare(&a, &b) != 0;
}

/* Take all changes of a part anew; first those that create the record. */
static spean_err refold(struct fold_batch *b, struct fold_part *part, struct fold_record *record,
                        const struct history *history)
{
    struct spean_record *before = NULL;
    b->record_set = false;
    spean_err err = record_unset(b, record, &part->name, &before);
    fold_part_clear(part);
    b->refolding = true;
    if (err == SPEAN_OK) {
        err = history_take(b, history, true);
    }
    if (err == SPEAN_OK) {
        err = history_take(b, history, false);
    }
    b->refolding = false;
    const bool other = before == NULL ? b->record_set : is_other(before, record->record);
    spean_record_free(before);
    if (err != SPEAN_OK || !other) {
        return err;
    }
    if (b->look != NULL) {
        fold_look_wrong(b, SPEAN_TABLE_RECORDS);
        return SPEAN_OK;
    }
    return record_changed(b, &part->name.record);
}

spean_err fold_part_again(struct fold_batch *b, const struct spean_part_name *name)
{
    struct history history = {0};
    struct fold_part *part = NULL;
    struct fold_record *record = NULL;
    const struct spean_db_key prefix = spean_part_name_key(name);
    spean_err err = fold_part_take(b, name, &part);
    if (err == SPEAN_OK) {
        err = fold_record_take(b, &name->record, &record);
    }
    if (err == SPEAN_OK) {
        err = fold_part_erased(b, name, &part->erased);
    }
    if (err == SPEAN_OK) {
        err = fold_each(b, SPEAN_TABLE_CHANGES, spean_db_key_view(&prefix), history_row, &history);
    }
    if (err == SPEAN_OK) {
        err = refold(b, part, record, &history);
    }
    b->left = b->left > history.count ? b->left - history.count : 0;
    history_fini(&history);
    return err;
}
