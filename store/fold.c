#include "store/fold.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/alloc.h"
#include "protocol/body.h"
#include "protocol/hash.h"
#include "protocol/reader.h"
#include "protocol/writer.h"
#include "store/body.h"
#include "store/entries.h"
#include "store/fold_batch.h"
#include "store/secret.h"

#define STEWARDS_DOMAIN "spean/store-stewards/1"
#define STATE_ELEMENTS  4u
#define STATE_BYTES     128u
#define NUMBER_BYTES    4u
#define PLACE_BYTES     12u
#define ASIDE_BYTES     9u
#define SEEN_BYTES      32u /* Seq, first bytes of the entry id, seq of the heads entry. */
#define PROOFS_BYTES    ((size_t)SPEAN_PART_GENERATIONS_MAX * SPEAN_ID_BYTES)

static const uint8_t nothing[1];

/* What the fold made use of last beside the logs themselves. */
struct fold_state {
    struct spean_id authority; /* Digest of all documents. */
    struct spean_id stewards;  /* Hash of who they are. */
    uint64_t secrets_count;    /* Of the org, held. */
    uint64_t logs_count;       /* Of the authority, in which keys show. */
};

/* -- The fold -------------------------------------------------------------------------------- */

static spean_err fold_alloc(struct spean_fold *fold)
{
    void *secrets;
    const spean_err err = spean_secret_alloc(sizeof(struct fold_secrets), &secrets);
    if (err != SPEAN_OK) {
        return err;
    }
    fold->secrets = secrets;
    sodium_memzero(secrets, sizeof(struct fold_secrets));
    fold->body = spean_alloc_array(SPEAN_BODY_BYTES_MAX, 1);
    fold->erased_proofs = spean_alloc_array(PROOFS_BYTES, 1);
    fold->heads = spean_alloc_array(SPEAN_HEADS_ROWS_MAX, sizeof(fold->heads[0]));
    fold->parts = spean_alloc_array(SPEAN_FOLD_PARTS_MAX, sizeof(fold->parts[0]));
    fold->records = spean_alloc_array(SPEAN_FOLD_PARTS_MAX, sizeof(fold->records[0]));
    fold->part_slots = spean_alloc_array(SPEAN_FOLD_SLOTS, sizeof(fold->part_slots[0]));
    fold->record_slots = spean_alloc_array(SPEAN_FOLD_SLOTS, sizeof(fold->record_slots[0]));
    const bool complete = fold->body != NULL && fold->erased_proofs != NULL &&
                          fold->heads != NULL && fold->parts != NULL && fold->records != NULL &&
                          fold->part_slots != NULL && fold->record_slots != NULL;
    return complete ? SPEAN_OK : SPEAN_ENOMEM;
}

spean_err spean_fold_new(struct spean_db *db, struct spean_keys *keys, const struct spean_id *org,
                         const struct spean_key *signing, struct spean_fold **out)
{
    assert(db != NULL);
    assert(keys != NULL);
    assert(org != NULL);
    assert(signing != NULL);
    assert(out != NULL);

    struct spean_fold *const fold = calloc(1, sizeof(*fold));
    if (fold == NULL) {
        return SPEAN_ENOMEM;
    }
    fold->db = db;
    fold->keys = keys;
    fold->org = *org;
    fold->signing = *signing;
    spean_id_map_init(&fold->log_numbers);
    const spean_err err = fold_alloc(fold);
    if (err != SPEAN_OK) {
        spean_fold_free(fold);
        return err;
    }
    *out = fold;
    return SPEAN_OK;
}

void spean_fold_free(struct spean_fold *fold)
{
    if (fold == NULL) {
        return;
    }
    spean_secret_free(fold->secrets);
    spean_id_map_fini(&fold->log_numbers);
    free(fold->body);
    free(fold->erased_proofs);
    free(fold->heads);
    free(fold->logs);
    free(fold->parts);
    free(fold->records);
    free(fold->part_slots);
    free(fold->record_slots);
    free(fold);
}

/* -- What changed beside the logs ------------------------------------------------------------ */

static struct spean_view state_key(void)
{
    static const uint8_t key[] = {'s'}; /* Shorter than a log number. */
    return (struct spean_view){key, sizeof(key)};
}

static spean_err state_get(struct fold_batch *b, struct fold_state *out)
{
    *out = (struct fold_state){0};
    struct spean_view value;
    const spean_err err = spean_tx_get(b->tx, SPEAN_TABLE_FOLD_CURSORS, state_key(), &value);
    if (err != SPEAN_OK) {
        return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
    }
    struct spean_reader r;
    spean_reader_init(&r, value);
    (void)spean_reader_array(&r, STATE_ELEMENTS, STATE_ELEMENTS);
    spean_reader_bin_fixed(&r, out->authority.bytes, sizeof(out->authority.bytes));
    spean_reader_bin_fixed(&r, out->stewards.bytes, sizeof(out->stewards.bytes));
    out->secrets_count = spean_reader_uint(&r, UINT64_MAX);
    out->logs_count = spean_reader_uint(&r, UINT64_MAX);
    return spean_reader_end(&r) == SPEAN_OK ? SPEAN_OK : SPEAN_ECORRUPT;
}

static spean_err state_put(struct fold_batch *b, const struct fold_state *state)
{
    uint8_t buf[STATE_BYTES];
    struct spean_writer w;
    spean_writer_init(&w, buf, sizeof(buf));
    spean_writer_array(&w, STATE_ELEMENTS);
    spean_writer_bin(&w, state->authority.bytes, sizeof(state->authority.bytes));
    spean_writer_bin(&w, state->stewards.bytes, sizeof(state->stewards.bytes));
    spean_writer_uint(&w, state->secrets_count);
    spean_writer_uint(&w, state->logs_count);
    struct spean_view value;
    const spean_err err = spean_writer_end(&w, &value);
    assert(err == SPEAN_OK);
    return spean_tx_put(b->tx, SPEAN_TABLE_FOLD_CURSORS, state_key(), value);
}

static struct fold_state state_now(const struct fold_batch *b)
{
    struct fold_state state = {
        .secrets_count = spean_keys_org_count(b->fold->keys),
        .logs_count = spean_authority_logs_count(b->authority),
    };
    spean_authority_digest(b->authority, &state.authority);
    struct spean_hash h;
    spean_hash_begin(&h, STEWARDS_DOMAIN, sizeof(state.stewards.bytes));
    const uint32_t orgs_count = spean_authority_orgs_count(b->authority);
    for (uint32_t i = 0; i < orgs_count; i++) {
        const struct spean_authority_org org = spean_authority_org_at(b->authority, i);
        if (spean_authority_is_steward(b->authority, &org.id)) {
            spean_hash_update(&h, org.id.bytes, sizeof(org.id.bytes));
        }
    }
    spean_hash_end(&h, state.stewards.bytes, sizeof(state.stewards.bytes));
    return state;
}

/* Fold a part again that has a change about which stewardship decides. */
static spean_err steward_change(struct fold_batch *b, void *ctx, struct spean_view key,
                                struct spean_view value)
{
    (void)ctx;
    struct spean_part_name part;
    if (value.len != 1 || spean_part_name_decode(key, &part) != SPEAN_OK) {
        return SPEAN_ECORRUPT;
    }
    return (value.data[0] & SPEAN_CHANGE_STEWARD) != 0 ? fold_mark_dirty(b, &part) : SPEAN_OK;
}

/* Judge an erasure again that was refused. */
static spean_err steward_aside(struct fold_batch *b, void *ctx, struct spean_view key,
                               struct spean_view value)
{
    (void)ctx;
    uint32_t number;
    uint64_t seq;
    if (value.len != ASIDE_BYTES || spean_db_key_u32_at(key, 0, &number) != SPEAN_OK ||
        spean_db_key_u64_at(key, NUMBER_BYTES, &seq) != SPEAN_OK) {
        return SPEAN_ECORRUPT;
    }
    return value.data[0] == SPEAN_ASIDE_ERASER ? fold_requeue(b, number, seq) : SPEAN_OK;
}

/* Judge an erasure of public entries again that was obeyed. */
static spean_err steward_erased(struct fold_batch *b, void *ctx, struct spean_view key,
                                struct spean_view value)
{
    (void)ctx;
    (void)value;
    uint32_t number;
    uint64_t seq;
    uint64_t erased_seq;
    struct spean_id id;
    if (key.len != sizeof(id.bytes) + 8u + PLACE_BYTES ||
        spean_db_key_u64_at(key, sizeof(id.bytes), &erased_seq) != SPEAN_OK ||
        spean_db_key_u32_at(key, sizeof(id.bytes) + 8u, &number) != SPEAN_OK ||
        spean_db_key_u64_at(key, sizeof(id.bytes) + PLACE_BYTES, &seq) != SPEAN_OK) {
        return SPEAN_ECORRUPT;
    }
    (void)memcpy(id.bytes, key.data, sizeof(id.bytes));
    struct spean_db_key copy = {0};
    spean_db_key_put_bytes(&copy, key.data, key.len);
    (void)spean_tx_del(b->tx, SPEAN_TABLE_ERASED_PLACES, spean_db_key_view(&copy));
    (void)fold_requeue(b, number, seq);
    const struct fold_log *const log = fold_log_find(b, &id);
    return log == NULL ? spean_tx_err(b->tx) : fold_requeue(b, log->row.number, erased_seq);
}

static spean_err stewards_changed(struct fold_batch *b)
{
    const struct spean_view all = {0};
    spean_err err = fold_each(b, SPEAN_TABLE_CHANGES, all, steward_change, NULL);
    if (err == SPEAN_OK) {
        err = fold_each(b, SPEAN_TABLE_FOLD_ASIDE, all, steward_aside, NULL);
    }
    if (err == SPEAN_OK) {
        err = fold_each(b, SPEAN_TABLE_ERASED_PLACES, all, steward_erased, NULL);
    }
    return err;
}

/* Queue what depends on documents or keys that are new. */
static spean_err follow(struct fold_batch *b)
{
    struct fold_state before;
    spean_err err = state_get(b, &before);
    if (err != SPEAN_OK) {
        return err;
    }
    const struct fold_state now = state_now(b);
    if (memcmp(&before, &now, sizeof(now)) == 0) {
        return SPEAN_OK;
    }
    /* Logs are numbered by arrival, which is not the same after a store was built anew. */
    const uint32_t first = before.logs_count <= now.logs_count ? (uint32_t)before.logs_count : 0;
    err = fold_tags_fill(b, first);
    if (err == SPEAN_OK) {
        err = fold_erasures_fill(b, first);
    }
    if (err == SPEAN_OK && !spean_id_equal(&before.stewards, &now.stewards)) {
        err = stewards_changed(b);
    }
    if (err == SPEAN_OK) {
        err = fold_requeue_all(b, SPEAN_TABLE_FOLD_UNOPENED, (struct spean_view){0});
    }
    return err == SPEAN_OK ? state_put(b, &now) : err;
}

/* -- Entries --------------------------------------------------------------------------------- */

/* Keep what a heads entry says that its node has seen. */
static spean_err fold_heads(struct fold_batch *b, const struct fold_place *place,
                            struct spean_view content)
{
    uint32_t count = 0;
    const uint32_t number = place->log->row.number;
    const uint64_t said = place->entry->header.seq;
    if (spean_heads_decode(content, b->fold->heads, &count) != SPEAN_OK) {
        return fold_set_aside(b, number, said, SPEAN_ASIDE_MALFORMED);
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct spean_heads_row *const row = &b->fold->heads[i];
        const struct spean_db_key key = fold_place_key(number, row->log);
        struct spean_view held;
        uint64_t held_said = 0;
        if (spean_tx_get(b->tx, SPEAN_TABLE_KNOWLEDGE, spean_db_key_view(&key), &held) ==
                SPEAN_OK &&
            spean_db_key_u64_at(held, SEEN_BYTES - 8u, &held_said) == SPEAN_OK &&
            held_said > said) {
            continue; /* It is looked at again, and a later word is known. */
        }
        uint8_t value[SEEN_BYTES];
        spean_u64_put(value, row->seq);
        (void)memcpy(value + 8, row->entry, sizeof(row->entry));
        spean_u64_put(value + SEEN_BYTES - 8u, said);
        (void)fold_row_put(b, SPEAN_TABLE_KNOWLEDGE, &key,
                           (struct spean_view){value, sizeof(value)});
    }
    return spean_tx_err(b->tx);
}

spean_err fold_seen_belongs(struct fold_batch *b, struct spean_view key, struct spean_view value,
                            uint64_t *said, bool *belongs)
{
    uint32_t number = 0;
    struct spean_run_entry entry;
    *belongs = false;
    if (key.len != PLACE_BYTES || value.len != SEEN_BYTES ||
        spean_db_key_u32_at(key, 0, &number) != SPEAN_OK || number >= b->fold->logs_count) {
        return SPEAN_OK;
    }
    *said = spean_u64_get(value.data + SEEN_BYTES - 8u);
    const struct fold_log *const log = &b->fold->logs[number];
    if (*said == 0 || *said > log->cursor) {
        return SPEAN_OK;
    }
    const spean_err err = spean_entries_get(b->tx, &log->row, *said, &entry);
    *belongs = err == SPEAN_OK && entry.header.kind == SPEAN_ENTRY_HEADS;
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

/* Read the content of a public entry into the fold's room for it. SPEAN_EWAIT: it is not held. */
static spean_err content_read(struct fold_batch *b, const struct fold_place *place,
                              struct spean_view *content)
{
    struct spean_view body;
    struct spean_view view;
    spean_err err = spean_body_get(b->tx, place->log->row.number, &place->entry->header, &body);
    if (err == SPEAN_ECORRUPT && b->look != NULL) {
        return spean_tx_err(b->tx) == SPEAN_OK ? SPEAN_EWAIT : err; /* The first part says so. */
    }
    if (err == SPEAN_ECORRUPT && spean_tx_err(b->tx) == SPEAN_OK) {
        err = spean_body_del(b->tx, &place->log->row, place->entry->header.seq);
        return err == SPEAN_OK ? SPEAN_EWAIT : err;
    }
    if (err != SPEAN_OK) {
        return err == SPEAN_ENOTFOUND ? SPEAN_EWAIT : err;
    }
    if (spean_body_unwrap(body, &view) != SPEAN_OK) {
        return SPEAN_EFORMAT;
    }
    if (view.len > 0) {
        (void)memcpy(b->fold->body, view.data, view.len);
    }
    *content = (struct spean_view){b->fold->body, view.len};
    return SPEAN_OK;
}

static spean_err fold_public(struct fold_batch *b, const struct fold_place *place)
{
    struct spean_view content;
    const spean_err err = content_read(b, place, &content);
    if (err == SPEAN_EWAIT) {
        return SPEAN_OK;
    }
    if (err == SPEAN_EFORMAT) {
        return fold_set_aside(b, place->log->row.number, place->entry->header.seq,
                              SPEAN_ASIDE_MALFORMED);
    }
    if (err != SPEAN_OK) {
        return err;
    }
    switch (place->entry->header.kind) {
    case SPEAN_ENTRY_GRANT:
        return fold_grant(b, place, content);
    case SPEAN_ENTRY_ORGKEY:
        return fold_orgkey(b, place, content);
    case SPEAN_ENTRY_ERASURE:
        return fold_erasure(b, place, content);
    default:
        return fold_heads(b, place, content);
    }
}

static bool is_known(const struct spean_header *header)
{
    return header->format == SPEAN_ENTRY_FORMAT &&
           (header->flags & ~(uint64_t)SPEAN_ENTRY_ENDS_COMMIT) == 0 &&
           header->kind >= SPEAN_ENTRY_CHANGE && header->kind <= SPEAN_ENTRY_HEADS;
}

/* Say whether a check passes over an entry: org keys are found in the keystore, and what erasures
 * say shows in the parts. */
static bool is_passed_over(const struct fold_batch *b, const struct spean_header *header)
{
    return b->look != NULL &&
           (header->kind == SPEAN_ENTRY_ORGKEY || header->kind == SPEAN_ENTRY_ERASURE ||
            (header->kind == SPEAN_ENTRY_GRANT && !b->look->grants));
}

/* Work on an entry. */
static spean_err place_work(struct fold_batch *b, const struct fold_place *place)
{
    const struct spean_header *const header = &place->entry->header;
    if (is_passed_over(b, header)) {
        return SPEAN_OK;
    }
    if (!is_known(header)) {
        place->log->unknown += b->again ? 0 : 1;
        return SPEAN_OK;
    }
    return header->kind == SPEAN_ENTRY_CHANGE ? fold_change(b, place) : fold_public(b, place);
}

spean_err fold_entry(struct fold_batch *b, uint32_t number, uint64_t seq)
{
    struct fold_log *const log = number < b->fold->logs_count ? &b->fold->logs[number] : NULL;
    if (log == NULL || log->log == NULL || seq == 0 || seq > log->cursor) {
        return SPEAN_OK; /* Its turn comes with the cursor. */
    }
    struct spean_run_entry entry;
    const spean_err err = spean_entries_get(b->tx, &log->row, seq, &entry);
    if (err != SPEAN_OK) {
        return err == SPEAN_ENOTFOUND ? SPEAN_ECORRUPT : err;
    }
    const struct fold_place place = {log, &entry};
    b->again = true;
    return place_work(b, &place);
}

/* -- Work ------------------------------------------------------------------------------------ */

static bool may_go_on(const struct fold_batch *b)
{
    return b->left > 0 && !b->keep_secrets && fold_cache_room(b);
}

/* Work on the queue until it is empty. What waited for keys that were granted is queued first. */
static spean_err work_queue(struct fold_batch *b)
{
    spean_err err = fold_grants_settle(b);
    while (err == SPEAN_OK && may_go_on(b)) {
        struct spean_db_key key;
        uint32_t number;
        uint64_t seq;
        err = spean_tx_first(b->tx, SPEAN_TABLE_FOLD_QUEUE, (struct spean_view){0}, &key);
        if (err == SPEAN_ENOTFOUND && b->unjudged_count > 0) {
            err = fold_grants_settle(b); /* It may queue something. */
            continue;
        }
        if (err != SPEAN_OK) {
            return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
        }
        const struct spean_view at = spean_db_key_view(&key);
        if (spean_db_key_u32_at(at, 0, &number) != SPEAN_OK ||
            spean_db_key_u64_at(at, NUMBER_BYTES, &seq) != SPEAN_OK) {
            return SPEAN_ECORRUPT;
        }
        err = fold_entry(b, number, seq);
        b->left--;
        if (err == SPEAN_OK && !b->keep_secrets) {
            err = spean_tx_del(b->tx, SPEAN_TABLE_FOLD_QUEUE, at);
        }
    }
    return err == SPEAN_OK ? fold_grants_settle(b) : err;
}

/* Fold dirty parts again until none is left. */
static spean_err work_dirty(struct fold_batch *b)
{
    spean_err err = SPEAN_OK;
    while (err == SPEAN_OK && may_go_on(b)) {
        struct spean_db_key key;
        struct spean_part_name part;
        err = spean_tx_first(b->tx, SPEAN_TABLE_FOLD_DIRTY, (struct spean_view){0}, &key);
        if (err != SPEAN_OK) {
            return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
        }
        const struct spean_view at = spean_db_key_view(&key);
        err = spean_part_name_decode(at, &part);
        if (err == SPEAN_OK) {
            err = spean_tx_del(b->tx, SPEAN_TABLE_FOLD_DIRTY, at);
        }
        if (err == SPEAN_OK) {
            err = fold_part_again(b, &part);
        }
        b->left -= b->left > 0 ? 1 : 0;
    }
    return err;
}

/* What context rows wait for: the entries from one seq to another of the log with a short name. */
struct rows_range {
    uint64_t first;
    uint64_t last;
};

static spean_err row_wake(struct fold_batch *b, void *ctx, struct spean_view key,
                          struct spean_view value)
{
    const struct rows_range *const range = ctx;
    (void)value;
    uint64_t named;
    uint32_t number;
    uint64_t seq;
    if (key.len != 2u * 8u + SPEAN_PART_NAME_BYTES + PLACE_BYTES ||
        spean_db_key_u64_at(key, SPEAN_SHORT_BYTES, &named) != SPEAN_OK ||
        spean_db_key_u32_at(key, key.len - PLACE_BYTES, &number) != SPEAN_OK ||
        spean_db_key_u64_at(key, key.len - 8u, &seq) != SPEAN_OK) {
        return SPEAN_ECORRUPT;
    }
    if (named < range->first || named > range->last) {
        return SPEAN_OK;
    }
    struct spean_db_key copy = {0};
    spean_db_key_put_bytes(&copy, key.data, key.len);
    (void)spean_tx_del(b->tx, SPEAN_TABLE_FOLD_ROWS, spean_db_key_view(&copy));
    return fold_requeue(b, number, seq);
}

/* Fold a log from its cursor on. */
static spean_err work_log(struct fold_batch *b, struct fold_log *log)
{
    struct spean_entries_scan scan;
    const struct rows_range before = {log->cursor + 1, log->end};
    spean_err err = spean_entries_scan_init(&scan, b->tx, &log->row, log->cursor + 1);
    if (err != SPEAN_OK) {
        return err;
    }
    b->again = false;
    while (err == SPEAN_OK && log->cursor < log->end && may_go_on(b)) {
        struct spean_run_entry entry;
        err = spean_entries_scan_next(&scan, &entry);
        if (err == SPEAN_OK) {
            const struct fold_place place = {log, &entry};
            err = place_work(b, &place);
            b->left--;
        }
        if (err == SPEAN_OK && !b->keep_secrets) {
            log->cursor++;
        }
    }
    spean_entries_scan_fini(&scan);
    if (err == SPEAN_ENOTFOUND) {
        err = SPEAN_ECORRUPT; /* The head is not there. */
    }
    if (err == SPEAN_OK) {
        struct rows_range passed = {before.first, log->cursor};
        err = fold_each(b, SPEAN_TABLE_FOLD_ROWS,
                        (struct spean_view){log->row.log.bytes, SPEAN_SHORT_BYTES}, row_wake,
                        &passed);
    }
    return err == SPEAN_OK ? fold_log_save(b, log) : err;
}

/* Work on everything in turn until the budget is used up. */
static spean_err work(struct fold_batch *b)
{
    spean_err err = work_queue(b);
    for (uint32_t i = 0; i < b->fold->logs_count && err == SPEAN_OK && may_go_on(b); i++) {
        struct fold_log *const log = &b->fold->logs[i];
        if (log->cursor < log->end) {
            err = work_log(b, log);
        }
        if (err == SPEAN_OK) {
            err = work_queue(b);
        }
    }
    if (err == SPEAN_OK) {
        err = work_dirty(b);
    }
    return err == SPEAN_OK ? work_queue(b) : err;
}

/* Say whether something is left to do. */
static spean_err is_left(struct fold_batch *b, bool *left)
{
    struct spean_db_key key;
    for (uint32_t i = 0; i < b->fold->logs_count; i++) {
        if (b->fold->logs[i].cursor < b->fold->logs[i].end) {
            *left = true;
            return SPEAN_OK;
        }
    }
    spean_err err = spean_tx_first(b->tx, SPEAN_TABLE_FOLD_QUEUE, (struct spean_view){0}, &key);
    if (err == SPEAN_ENOTFOUND) {
        err = spean_tx_first(b->tx, SPEAN_TABLE_FOLD_DIRTY, (struct spean_view){0}, &key);
    }
    *left = err == SPEAN_OK;
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

/* Say whether anything was erased in public logs. */
static spean_err erased_look(struct fold_batch *b)
{
    struct spean_db_key key;
    const spean_err err =
        spean_tx_first(b->tx, SPEAN_TABLE_ERASED_PLACES, (struct spean_view){0}, &key);
    b->erased_some = err == SPEAN_OK;
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

spean_err fold_look_begin(struct fold_batch *b, bool *settled)
{
    assert(b->look != NULL);

    struct fold_state before = {0};
    bool at_ends = false;
    bool left = false;
    spean_err err = fold_logs_look(b, &at_ends);
    if (err == SPEAN_OK) {
        err = erased_look(b);
    }
    if (err == SPEAN_OK) {
        err = state_get(b, &before);
    }
    if (err == SPEAN_OK) {
        err = is_left(b, &left);
    }
    if (err != SPEAN_OK) {
        return err;
    }
    struct fold_state now = state_now(b);
    if (spean_keys_locked(b->fold->keys)) {
        now.secrets_count = before.secrets_count; /* They cannot be counted. */
    }
    *settled = at_ends && !left && memcmp(&before, &now, sizeof(now)) == 0;
    return SPEAN_OK;
}

static bool is_relay(const struct fold_batch *b)
{
    struct spean_id id;
    spean_log_id(&id, &b->ledger, &b->fold->org, &b->fold->signing);
    const struct spean_log *const log = spean_authority_log(b->authority, &id);
    return log != NULL && log->relay;
}

/* Tell in b whether our node is a relay, or was one: what it carried then is erased as it would
 * have been. That it was is remembered in the store. */
static spean_err relay_look(struct fold_batch *b)
{
    static const struct spean_view key = {(const uint8_t *)"carried", 7};
    static const uint8_t yes[] = {1};
    struct spean_view held;
    const spean_err err = spean_tx_get(b->tx, SPEAN_TABLE_META, key, &held);
    if (err != SPEAN_ENOTFOUND) {
        b->relay = true;
        return err;
    }
    b->relay = is_relay(b);
    return b->relay
               ? spean_tx_put(b->tx, SPEAN_TABLE_META, key, (struct spean_view){yes, sizeof(yes)})
               : SPEAN_OK;
}

/* Do one batch within its transaction. */
static spean_err batch_do(struct fold_batch *b, bool *more)
{
    spean_err err = fold_logs_load(b);
    if (err == SPEAN_OK) {
        err = relay_look(b);
    }
    if (err == SPEAN_OK) {
        err = erased_look(b);
    }
    if (err == SPEAN_OK) {
        err = follow(b);
    }
    if (err == SPEAN_OK) {
        err = work(b);
    }
    if (err == SPEAN_OK) {
        err = fold_cache_write(b);
    }
    return err == SPEAN_OK ? is_left(b, more) : err;
}

/* Keep the secrets of the org that were found, outside of any transaction. */
static spean_err secrets_keep(struct spean_fold *fold)
{
    spean_err err = SPEAN_OK;
    for (uint32_t i = 0; i < fold->found_count && err == SPEAN_OK; i++) {
        const struct spean_grant_key *const found = &fold->secrets->found[i];
        err = spean_keys_add_org(fold->keys, fold->db, (uint32_t)found->generation, found->key);
    }
    return err;
}

void fold_wipe(struct spean_fold *fold)
{
    fold_cache_clear(fold);
    fold_accepted_drop(fold);
    sodium_memzero(fold->secrets, sizeof(*fold->secrets));
    sodium_memzero(fold->body, SPEAN_BODY_BYTES_MAX);
    fold->found_count = 0;
}

spean_err spean_fold_step(struct spean_fold *fold, const struct spean_authority *authority,
                          uint32_t budget, uint64_t now_s, bool *more)
{
    assert(fold != NULL);
    assert(authority != NULL);
    assert(budget > 0);
    assert(budget <= SPEAN_FOLD_BATCH_MAX);
    assert(more != NULL);

    const struct spean_ledger *const ledger = spean_authority_ledger(authority);
    if (spean_keys_locked(fold->keys)) {
        return SPEAN_ELOCKED;
    }
    if (ledger == NULL) {
        return SPEAN_ESTATE;
    }
    struct fold_batch b = {
        .fold = fold,
        .authority = authority,
        .ledger = ledger->id,
        .now_s = now_s,
        .left = budget,
    };
    spean_err err = spean_tx_begin(fold->db, SPEAN_TX_WRITE, &b.tx);
    if (err != SPEAN_OK) {
        return err;
    }
    bool left = false;
    err = batch_do(&b, &left);
    if (err == SPEAN_OK) {
        err = spean_tx_commit(b.tx);
    } else {
        spean_tx_abort(b.tx);
    }
    if (err == SPEAN_OK) {
        err = secrets_keep(fold);
    }
    fold_wipe(fold);
    if (err == SPEAN_OK) {
        *more = left || b.keep_secrets;
    }
    return err;
}

spean_err spean_fold_body(struct spean_tx *tx, uint32_t number, uint64_t seq)
{
    const struct spean_db_key key = fold_place_key(number, seq);
    return spean_tx_put(tx, SPEAN_TABLE_FOLD_QUEUE, spean_db_key_view(&key),
                        (struct spean_view){nothing, 0});
}

spean_err spean_fold_reset(struct spean_tx *tx)
{
    static const enum spean_table tables[] = {
        SPEAN_TABLE_PART_KEYS,    SPEAN_TABLE_PART_KEY_NUMBERS,
        SPEAN_TABLE_PART_GRANTS,  SPEAN_TABLE_PART_WANTED,
        SPEAN_TABLE_FOLD_CURSORS, SPEAN_TABLE_FOLD_QUEUE,
        SPEAN_TABLE_FOLD_DIRTY,   SPEAN_TABLE_FOLD_WAITING,
        SPEAN_TABLE_FOLD_ASIDE,   SPEAN_TABLE_FOLD_UNOPENED,
        SPEAN_TABLE_FOLD_ROWS,    SPEAN_TABLE_FOLD_NAMED,
        SPEAN_TABLE_KNOWLEDGE,    SPEAN_TABLE_CHANGES,
        SPEAN_TABLE_RECORDS,      SPEAN_TABLE_RECORD_TYPES,
        SPEAN_TABLE_PARTS,        SPEAN_TABLE_STATES,
        SPEAN_TABLE_ITEMS,        SPEAN_TABLE_LOOKUPS,
        SPEAN_TABLE_LOOKUPS_OF,
    };
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        (void)spean_tx_clear(tx, tables[i]);
    }
    return spean_partkeys_reset_tags(tx); /* Bodies may come before the fold goes on. */
}

/* -- How far it is --------------------------------------------------------------------------- */

/* Add what one log has to come, and its entries of unknown kinds. */
static spean_err log_count(struct spean_tx *tx, const struct spean_authority *authority,
                           const struct spean_logs_row *row, struct spean_fold_status *out)
{
    uint64_t cursor = 0;
    uint64_t end = 0;
    uint64_t unknown = 0;
    spean_err err = spean_fold_cursor(tx, row->number, &cursor);
    if (err == SPEAN_OK) {
        err = spean_fold_end(tx, authority, row, &end);
    }
    if (err == SPEAN_OK) {
        err = spean_fold_unknown(tx, row->number, &unknown);
    }
    out->entries_behind += end > cursor ? end - cursor : 0;
    out->unknown += unknown;
    return err;
}

spean_err spean_fold_status(struct spean_tx *tx, const struct spean_authority *authority,
                            struct spean_fold_status *out)
{
    assert(tx != NULL);
    assert(authority != NULL);
    assert(out != NULL);

    struct spean_fold_status status = {0};
    const struct {
        enum spean_table table;
        uint64_t *count;
    } counts[] = {
        {SPEAN_TABLE_FOLD_QUEUE, &status.queued},
        {SPEAN_TABLE_FOLD_DIRTY, &status.parts_dirty},
        {SPEAN_TABLE_FOLD_WAITING, &status.waiting_records},
        {SPEAN_TABLE_FOLD_UNOPENED, &status.grants_unopened},
        {SPEAN_TABLE_FOLD_ASIDE, &status.aside},
    };
    spean_err err = SPEAN_OK;
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]) && err == SPEAN_OK; i++) {
        err = spean_tx_count(tx, counts[i].table, (struct spean_view){0}, SPEAN_FOLD_COUNT_MAX,
                             counts[i].count);
    }
    if (err == SPEAN_OK) {
        err = spean_partkeys_lacking_count(tx, &status.bodies_lacking);
    }
    struct spean_logs_row row = {0};
    for (uint32_t number = 0; err == SPEAN_OK; number++) {
        err = spean_logs_at(tx, number, &row);
        if (err == SPEAN_OK) {
            err = log_count(tx, authority, &row, &status);
        }
    }
    if (err != SPEAN_ENOTFOUND) {
        return err;
    }
    *out = status;
    return SPEAN_OK;
}

spean_err spean_fold_aside_next(struct spean_tx *tx, uint32_t number, uint64_t seq,
                                struct spean_fold_aside *out)
{
    assert(out != NULL);

    const struct spean_db_key at = fold_place_key(number, seq);
    struct spean_cursor cursor;
    spean_err err = spean_cursor_init(&cursor, tx, SPEAN_TABLE_FOLD_ASIDE, (struct spean_view){0});
    if (err != SPEAN_OK) {
        return err;
    }
    struct spean_view key;
    struct spean_view value;
    struct spean_fold_aside aside = {0};
    err = spean_cursor_seek(&cursor, spean_db_key_view(&at), &key, &value);
    spean_cursor_fini(&cursor);
    if (err != SPEAN_OK) {
        return err;
    }
    if (key.len != PLACE_BYTES || value.len != ASIDE_BYTES || value.data[0] >= SPEAN_ASIDES_COUNT ||
        spean_db_key_u32_at(key, 0, &aside.number) != SPEAN_OK ||
        spean_db_key_u64_at(key, NUMBER_BYTES, &aside.seq) != SPEAN_OK) {
        return SPEAN_ECORRUPT;
    }
    aside.reason = (enum spean_aside)value.data[0];
    aside.since_s = spean_u64_get(value.data + 1);
    *out = aside;
    return SPEAN_OK;
}

spean_err spean_fold_seen(struct spean_tx *tx, uint32_t number, uint64_t short_name, uint64_t *seq,
                          uint64_t *said_seq)
{
    assert(seq != NULL);
    assert(said_seq != NULL);

    const struct spean_db_key key = fold_place_key(number, short_name);
    struct spean_view value;
    const spean_err err = spean_tx_get(tx, SPEAN_TABLE_KNOWLEDGE, spean_db_key_view(&key), &value);
    if (err != SPEAN_OK && err != SPEAN_ENOTFOUND) {
        return err;
    }
    if (err == SPEAN_OK && value.len != SEEN_BYTES) {
        return SPEAN_ECORRUPT;
    }
    *seq = err == SPEAN_OK ? spean_u64_get(value.data) : 0;
    *said_seq = err == SPEAN_OK ? spean_u64_get(value.data + SEEN_BYTES - 8u) : 0;
    return SPEAN_OK;
}
