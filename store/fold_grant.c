/* Grants: opened, judged together with the others of their part, and the keys that they give. */
#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/alloc.h"
#include "protocol/partkey.h"
#include "protocol/schema.h"
#include "store/body.h"
#include "store/destroy.h"
#include "store/fold_batch.h"
#include "store/handed.h"
#include "store/seal.h"

#define NUMBER_AT     SPEAN_PART_NAME_BYTES
#define SEQ_AT        (NUMBER_AT + 4u)
#define GRANT_KEY     (SEQ_AT + 8u)
#define HEAD_BYTES    (4u * SPEAN_ID_BYTES + 24u) /* Author, owner, log, key; numbers. */
#define OLDER_BYTES   (8u + SPEAN_KEY_BYTES)
#define NOT_FOR_US    0u /* Values of the table of grants that did not open. */
#define KEY_NOT_KNOWN 1u
#define LOOK_WORK     8192u /* What opening a grant, or judging one, costs a check. */

/* A grant of a part that was opened. Views bytes, which are the row's. */
struct held {
    uint32_t number;
    uint64_t seq;
    uint8_t *bytes;
    size_t len;
    struct spean_id log;
    struct spean_grant_facts facts;
    const uint8_t *key;
    const uint8_t *older; /* Pairs of generation and key. */
    uint32_t older_count;
    bool accepted;
    enum spean_aside aside;
};

/* All grants of a part. */
struct grants {
    struct held *rows;
    uint32_t count;
    uint32_t cap;
};

/* A key that they give. */
struct given {
    struct spean_partkey key;
    bool kept; /* There is a row of it. */
};

struct givens {
    struct given *keys;
    uint32_t count;
    uint32_t cap;
};

/* -- Pair keys ------------------------------------------------------------------------------- */

/* Derive a pair key, or find it at hand. SPEAN_ESIGNATURE: theirs is nobody's. */
static spean_err pair_take(struct fold_batch *b, bool node, const uint8_t *secret,
                           const struct spean_key *ours, const struct spean_key *theirs,
                           uint8_t out[SPEAN_KEY_BYTES])
{
    const size_t slot = (size_t)(spean_u64_get(theirs->bytes) ^ spean_u64_get(ours->bytes)) &
                        (SPEAN_FOLD_PAIRS - 1);
    struct fold_pair *const held = &b->fold->secrets->pairs[slot];
    if (held->node != node || !spean_key_equal(&held->ours, ours) ||
        !spean_key_equal(&held->theirs, theirs)) {
        const spean_err err = node ? spean_grant_node_pair(held->key, secret, ours, theirs)
                                   : spean_grant_pair(held->key, secret, ours, theirs);
        if (err != SPEAN_OK) {
            *held = (struct fold_pair){0};
            return err;
        }
        held->node = node;
        held->ours = *ours;
        held->theirs = *theirs;
    }
    (void)memcpy(out, held->key, SPEAN_KEY_BYTES);
    return SPEAN_OK;
}

/* Derive the pair keys of all our org's secrets with theirs, newest first. */
static spean_err pairs_take(struct fold_batch *b, const struct spean_key *theirs, size_t *count)
{
    const size_t secrets_count = spean_keys_org_count(b->fold->keys);
    for (size_t i = 0; i < secrets_count; i++) {
        const struct spean_org_secret *const secret =
            spean_keys_org_at(b->fold->keys, secrets_count - 1 - i);
        const spean_err err = pair_take(b, false, secret->secret, &secret->key, theirs,
                                        b->fold->secrets->pair_keys[i]);
        if (err != SPEAN_OK) {
            return err;
        }
    }
    *count = secrets_count;
    return SPEAN_OK;
}

/* Keep a grant for when another key of ours, or of its author's, is known. */
static spean_err keep_unopened(struct fold_batch *b, const struct fold_place *place, uint8_t why)
{
    const struct spean_db_key key =
        fold_place_key(place->log->row.number, place->entry->header.seq);
    return fold_row_put(b, SPEAN_TABLE_FOLD_UNOPENED, &key, (struct spean_view){&why, sizeof(why)});
}

static spean_err set_aside(struct fold_batch *b, const struct fold_place *place,
                           enum spean_aside aside)
{
    return fold_set_aside(b, place->log->row.number, place->entry->header.seq, aside);
}

/* -- Rows ------------------------------------------------------------------------------------ */

static struct spean_db_key grant_key(const struct spean_part_name *part, uint32_t number,
                                     uint64_t seq)
{
    struct spean_db_key key = spean_part_name_key(part);
    spean_db_key_put_u32(&key, number);
    spean_db_key_put_u64(&key, seq);
    return key;
}

static size_t row_bytes(const struct spean_grant_terms *terms)
{
    return HEAD_BYTES + terms->audience_count * SPEAN_ID_BYTES +
           (size_t)terms->older_count * OLDER_BYTES + terms->rows.len;
}

/* Lay out an opened grant in buf, which has row_bytes(): ids and keys, generation, counts,
 * audience, older keys, context. */
static void row_encode(const struct fold_place *place, const struct spean_grant_terms *terms,
                       const uint8_t *key, uint8_t *buf)
{
    uint8_t *at = buf;
    (void)memcpy(at, place->log->row.org.bytes, SPEAN_ID_BYTES);
    (void)memcpy(at + SPEAN_ID_BYTES, terms->owner.bytes, SPEAN_ID_BYTES);
    (void)memcpy(at + 2u * SPEAN_ID_BYTES, place->log->row.log.bytes, SPEAN_ID_BYTES);
    (void)memcpy(at + 3u * SPEAN_ID_BYTES, key, SPEAN_KEY_BYTES);
    at += 4u * SPEAN_ID_BYTES;
    spean_u64_put(at, terms->generation);
    spean_u64_put(at + 8, terms->audience_count);
    spean_u64_put(at + 16, terms->older_count);
    at += 24;
    for (uint32_t i = 0; i < terms->audience_count; i++) {
        (void)memcpy(at, terms->audience[i].bytes, SPEAN_ID_BYTES);
        at += SPEAN_ID_BYTES;
    }
    struct spean_view left = terms->older;
    struct spean_grant_key older;
    while (spean_grant_key_next(&left, &older)) {
        spean_u64_put(at, older.generation);
        (void)memcpy(at + 8, older.key, SPEAN_KEY_BYTES);
        at += OLDER_BYTES;
    }
    sodium_memzero(&older, sizeof(older));
    if (terms->rows.len > 0) {
        (void)memcpy(at, terms->rows.data, terms->rows.len);
    }
}

/* In a check: see that a row is there and says the same. One that has none is one too many. */
static spean_err row_look(struct fold_batch *b, const struct fold_place *place,
                          const struct spean_db_key *row, struct spean_view bytes)
{
    uint8_t *const held = malloc(bytes.len);
    size_t len = 0;
    if (held == NULL) {
        return SPEAN_ENOMEM;
    }
    const spean_err err = spean_seal_get(b->tx, b->fold->keys, SPEAN_TABLE_PART_GRANTS,
                                         spean_db_key_view(row), held, bytes.len, &len);
    if (err == SPEAN_OK && (len != bytes.len || memcmp(held, bytes.data, len) != 0)) {
        fold_look_wrong(b, SPEAN_TABLE_PART_GRANTS);
    }
    sodium_memzero(held, bytes.len);
    free(held);
    if (err == SPEAN_ENOTFOUND) {
        return set_aside(b, place, SPEAN_ASIDE_MANY);
    }
    if (err == SPEAN_OK || spean_tx_err(b->tx) != SPEAN_OK) {
        return err;
    }
    fold_look_wrong(b, SPEAN_TABLE_PART_GRANTS);
    return SPEAN_OK;
}

/* Keep an opened grant; in a check, see that it is. */
static spean_err row_keep(struct fold_batch *b, const struct fold_place *place,
                          const struct spean_grant_terms *terms, const uint8_t *key)
{
    const size_t len = row_bytes(terms);
    const struct spean_part_name part = {terms->record, (uint32_t)terms->part};
    const struct spean_db_key row =
        grant_key(&part, place->log->row.number, place->entry->header.seq);
    uint8_t *const buf = malloc(len);
    if (buf == NULL) {
        return spean_tx_fail(b->tx, SPEAN_ENOMEM);
    }
    row_encode(place, terms, key, buf);
    const struct spean_view bytes = {buf, len};
    const spean_err err = b->look != NULL
                              ? row_look(b, place, &row, bytes)
                              : spean_seal_put(b->tx, b->fold->keys, SPEAN_TABLE_PART_GRANTS,
                                               spean_db_key_view(&row), bytes);
    sodium_memzero(buf, len);
    free(buf);
    return err;
}

/* Read a row of a part into *held, which keeps its bytes. */
static spean_err row_decode(struct held *held, const struct spean_part_name *part)
{
    if (held->len < HEAD_BYTES) {
        return SPEAN_ECORRUPT;
    }
    const uint8_t *at = held->bytes;
    const uint8_t *const numbers = at + 4u * SPEAN_ID_BYTES;
    const uint64_t audience_count = spean_u64_get(numbers + 8);
    const uint64_t older_count = spean_u64_get(numbers + 16);
    const size_t left = held->len - HEAD_BYTES;
    if (audience_count > SPEAN_AUDIENCE_ORGS_MAX || older_count > SPEAN_PART_GENERATIONS_MAX ||
        left < audience_count * SPEAN_ID_BYTES + older_count * OLDER_BYTES) {
        return SPEAN_ECORRUPT;
    }
    (void)memcpy(held->facts.author.bytes, at, SPEAN_ID_BYTES);
    (void)memcpy(held->facts.owner.bytes, at + SPEAN_ID_BYTES, SPEAN_ID_BYTES);
    (void)memcpy(held->log.bytes, at + 2u * SPEAN_ID_BYTES, SPEAN_ID_BYTES);
    held->key = at + 3u * SPEAN_ID_BYTES;
    held->facts.generation = spean_u64_get(numbers);
    held->facts.audience_count = (uint32_t)audience_count;
    /* Ids are bytes without alignment, one after the other. */
    held->facts.audience = (const struct spean_id *)(at + HEAD_BYTES);
    held->older = at + HEAD_BYTES + audience_count * SPEAN_ID_BYTES;
    held->older_count = (uint32_t)older_count;
    const uint8_t *const rows = held->older + older_count * OLDER_BYTES;
    held->facts.rows = (struct spean_view){rows, (size_t)(held->bytes + held->len - rows)};
    held->facts.log = spean_short_of(&held->log);
    held->facts.seq = held->seq;
    if (held->facts.generation == 0 || held->facts.generation > SPEAN_PART_GENERATIONS_MAX) {
        return SPEAN_ECORRUPT;
    }
    const struct spean_keyed_part keyed = spean_part_keyed(part);
    spean_partkey_proof(&held->facts.proof, held->key, &keyed);
    return SPEAN_OK;
}

static void grants_fini(struct grants *grants)
{
    for (uint32_t i = 0; i < grants->count; i++) {
        sodium_memzero(grants->rows[i].bytes, grants->rows[i].len);
        free(grants->rows[i].bytes);
    }
    free(grants->rows);
}

static spean_err grants_row(struct fold_batch *b, void *ctx, struct spean_view key,
                            struct spean_view value)
{
    struct grants *const grants = ctx;
    struct held held = {.bytes = malloc(value.len + 1)};
    void *rows = grants->rows;
    if (held.bytes == NULL) {
        return SPEAN_ENOMEM;
    }
    spean_err err = spean_alloc_more(&rows, &grants->cap, grants->count, sizeof(held));
    grants->rows = rows;
    if (err == SPEAN_OK) {
        err = spean_seal_open(b->fold->keys, SPEAN_TABLE_PART_GRANTS, key, value, held.bytes,
                              value.len, &held.len);
    }
    if (err == SPEAN_OK && key.len != GRANT_KEY) {
        err = SPEAN_ECORRUPT;
    }
    if (err == SPEAN_OK) {
        err = spean_db_key_u32_at(key, NUMBER_AT, &held.number);
    }
    if (err == SPEAN_OK) {
        err = spean_db_key_u64_at(key, SEQ_AT, &held.seq);
    }
    struct spean_part_name part;
    if (err == SPEAN_OK) {
        err = spean_part_name_decode(key, &part);
    }
    if (err == SPEAN_OK) {
        err = row_decode(&held, &part);
    }
    if (err != SPEAN_OK) {
        sodium_memzero(held.bytes, held.len);
        free(held.bytes);
        return err;
    }
    grants->rows[grants->count++] = held;
    return SPEAN_OK;
}

/* Load all grants of a part; grants_fini() after an error, too. */
static spean_err grants_load(struct fold_batch *b, const struct spean_part_name *part,
                             struct grants *grants)
{
    const struct spean_db_key prefix = spean_part_name_key(part);
    return fold_each(b, SPEAN_TABLE_PART_GRANTS, spean_db_key_view(&prefix), grants_row, grants);
}

/* -- Judging --------------------------------------------------------------------------------- */

static int generations_compare(const void *a, const void *b)
{
    const struct held *const x = a;
    const struct held *const y = b;
    if (x->facts.generation != y->facts.generation) {
        return x->facts.generation < y->facts.generation ? -1 : 1;
    }
    const int order = spean_id_compare(&x->log, &y->log);
    return order != 0 ? order : (x->seq > y->seq) - (x->seq < y->seq);
}

/* Go over the grants of one generation, from first on, until none more is accepted. Returns the
 * index of the first of the next one. */
static uint32_t generation_accept(struct grants *grants, uint32_t first,
                                  struct spean_grant_facts *accepted, uint32_t *count,
                                  const struct spean_id *owner)
{
    const uint64_t generation = grants->rows[first].facts.generation;
    uint32_t end = first;
    bool found = true;
    while (found) {
        found = false;
        for (end = first; end < grants->count; end++) {
            struct held *const held = &grants->rows[end];
            if (held->facts.generation != generation) {
                break;
            }
            if (held->accepted) {
                continue;
            }
            held->aside = spean_grant_judge(accepted, *count, &held->facts, owner);
            if (held->aside == SPEAN_ASIDE_NOT) {
                held->accepted = true;
                accepted[(*count)++] = held->facts;
                found = true;
            }
        }
    }
    return end;
}

/* Judge all grants, generation after generation: what is accepted of one depends on those of it and
 * of the one before (P8.4). So one answer comes out in every order. */
static spean_err grants_accept(struct grants *grants, const struct spean_id *owner)
{
    if (grants->count == 0) {
        return SPEAN_OK;
    }
    struct spean_grant_facts *const accepted =
        spean_alloc_array(grants->count, sizeof(accepted[0]));
    if (accepted == NULL) {
        return SPEAN_ENOMEM;
    }
    qsort(grants->rows, grants->count, sizeof(grants->rows[0]), generations_compare);
    uint32_t before = 0; /* Where the accepted ones of the generation before begin. */
    uint32_t count = 0;
    for (uint32_t first = 0; first < grants->count;) {
        uint32_t window = count - before;
        const uint32_t own = count;
        first = generation_accept(grants, first, accepted + before, &window, owner);
        count = before + window;
        before = own;
    }
    free(accepted);
    return SPEAN_OK;
}

/* Add an org to an audience that ascends; the lowest ids stay. */
static void audience_add(struct spean_partkey *key, const struct spean_id *org)
{
    uint32_t at = 0;
    while (at < key->audience_count && spean_id_compare(&key->audience[at], org) < 0) {
        at++;
    }
    if (at == SPEAN_PARTKEYS_AUDIENCE_MAX ||
        (at < key->audience_count && spean_id_equal(&key->audience[at], org))) {
        return;
    }
    if (key->audience_count == SPEAN_PARTKEYS_AUDIENCE_MAX) {
        key->audience_count--;
    }
    (void)memmove(&key->audience[at + 1], &key->audience[at],
                  (key->audience_count - at) * sizeof(key->audience[0]));
    key->audience[at] = *org;
    key->audience_count++;
}

static void givens_fini(struct givens *givens)
{
    if (givens->keys != NULL) {
        sodium_memzero(givens->keys, givens->cap * sizeof(givens->keys[0]));
        free(givens->keys);
    }
}

/* Add a key that a grant gives, or widen its audience. */
static spean_err givens_add(struct givens *givens, const struct held *held,
                            const struct spean_part_name *part, uint64_t generation,
                            const uint8_t *key)
{
    struct spean_id proof;
    const struct spean_keyed_part keyed = spean_part_keyed(part);
    spean_partkey_proof(&proof, key, &keyed);
    uint32_t i = 0;
    while (i < givens->count && (givens->keys[i].key.generation != generation ||
                                 !spean_id_equal(&givens->keys[i].key.proof, &proof))) {
        i++;
    }
    if (i == givens->count) {
        void *keys = givens->keys;
        const spean_err err =
            spean_alloc_more(&keys, &givens->cap, givens->count, sizeof(givens->keys[0]));
        givens->keys = keys;
        if (err != SPEAN_OK) {
            return err;
        }
        givens->keys[i] = (struct given){.key = {
                                             .part = *part,
                                             .generation = (uint32_t)generation,
                                             .proof = proof,
                                             .owner = held->facts.owner,
                                             .granted_log = held->log,
                                             .granted_seq = held->seq,
                                         }};
        (void)memcpy(givens->keys[i].key.key, key, SPEAN_KEY_BYTES);
        givens->count++;
    }
    for (uint32_t a = 0; a < held->facts.audience_count; a++) {
        audience_add(&givens->keys[i].key, &held->facts.audience[a]);
    }
    return SPEAN_OK;
}

/*
 * Collect the keys that the accepted grants give. Older keys that come along are taken from the
 * owner alone: another's would have been granted to us as well, if they were the part's.
 */
static spean_err givens_collect(const struct grants *grants, const struct spean_part_name *part,
                                struct givens *givens)
{
    spean_err err = SPEAN_OK;
    for (uint32_t i = 0; i < grants->count && err == SPEAN_OK; i++) {
        const struct held *const held = &grants->rows[i];
        if (!held->accepted) {
            continue;
        }
        err = givens_add(givens, held, part, held->facts.generation, held->key);
        const bool by_owner = spean_id_equal(&held->facts.author, &held->facts.owner);
        for (uint32_t o = 0; by_owner && o < held->older_count && err == SPEAN_OK; o++) {
            const uint8_t *const at = held->older + (size_t)o * OLDER_BYTES;
            err = givens_add(givens, held, part, spean_u64_get(at), at + 8);
        }
    }
    return err;
}

/* -- Keys and tags --------------------------------------------------------------------------- */

/* Look again at what is held under a tag in a log. */
static spean_err tag_requeue(struct fold_batch *b, const struct spean_tag *tag, uint32_t number)
{
    struct spean_tagged at = {number, 0};
    spean_err err = spean_body_next(b->tx, tag, SPEAN_BODY_HELD, &at, &at);
    while (err == SPEAN_OK && at.number == number) {
        err = fold_requeue(b, number, at.seq);
        at.seq++;
        if (err == SPEAN_OK) {
            err = spean_body_next(b->tx, tag, SPEAN_BODY_HELD, &at, &at);
        }
    }
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

/* Look at what a tag in a log covers: what is held is queued, what is lacking is wanted. */
static spean_err tag_wake(struct fold_batch *b, const struct spean_part_name *part,
                          const struct spean_tag *tag, uint32_t number)
{
    spean_err err = tag_requeue(b, tag, number);
    if (err != SPEAN_OK) {
        return err;
    }
    struct spean_tagged at = {number, 0};
    err = spean_body_next(b->tx, tag, SPEAN_BODY_LACKING, &at, &at);
    if (err == SPEAN_OK && at.number == number) {
        return spean_partkeys_want(b->tx, tag, part, number, true);
    }
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

/* Let a key show in one log, or, with number 0, be refused there. */
static spean_err tag_put(struct fold_batch *b, const struct spean_partkey *key, uint32_t number,
                         const struct spean_log *log)
{
    struct spean_tag tag;
    uint32_t held = 0;
    spean_partkey_tag(&tag, &key->proof, &log->id);
    spean_err err = spean_partkeys_number_of(b->tx, &tag, &held);
    if (err == SPEAN_OK && (held == number || number == 0)) {
        return SPEAN_OK; /* What another part has is not refused. */
    }
    if (err != SPEAN_OK && err != SPEAN_ENOTFOUND) {
        return err;
    }
    err = spean_partkeys_put_tag(b->tx, &tag, number);
    const struct fold_log *const store = fold_log_find(b, &log->id);
    if (err != SPEAN_OK || store == NULL) {
        return err;
    }
    if (number == 0) {
        return spean_partkeys_want(b->tx, &tag, &key->part, store->row.number, false);
    }
    return tag_wake(b, &key->part, &tag, store->row.number);
}

/* Let a key show, or be refused, in all logs of its audience from number first on. */
static spean_err tags_put(struct fold_batch *b, const struct spean_partkey *key, uint32_t number,
                          uint32_t first)
{
    const uint32_t logs_count = spean_authority_logs_count(b->authority);
    spean_err err = SPEAN_OK;
    for (uint32_t i = first; i < logs_count && err == SPEAN_OK; i++) {
        const struct spean_log *const log = spean_authority_log_at(b->authority, i);
        if (spean_partkeys_reaches(key, &log->org)) {
            err = tag_put(b, key, number, log);
        }
    }
    return err;
}

spean_err fold_tags_fill(struct fold_batch *b, uint32_t first)
{
    struct spean_partkey key;
    spean_err err = spean_partkeys_scan(b->tx, b->fold->keys, 0, &key);
    while (err == SPEAN_OK) {
        err = tags_put(b, &key, key.number, first);
        if (err == SPEAN_OK) {
            err = spean_partkeys_scan(b->tx, b->fold->keys, key.number + 1, &key);
        }
    }
    spean_partkeys_wipe(&key);
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

static bool same_audience(const struct spean_partkey *a, const struct spean_partkey *b)
{
    return a->audience_count == b->audience_count &&
           memcmp(a->audience, b->audience, a->audience_count * sizeof(a->audience[0])) == 0;
}

/*
 * Let a key that is held no longer show in logs of whom it does not reach, or, with still NULL, in
 * any. What came under it there is looked at again, and the part is folded again without it.
 */
static spean_err tags_drop(struct fold_batch *b, const struct spean_partkey *key,
                           const struct spean_partkey *still)
{
    const uint32_t logs_count = spean_authority_logs_count(b->authority);
    spean_err err = SPEAN_OK;
    for (uint32_t i = 0; i < logs_count && err == SPEAN_OK; i++) {
        const struct spean_log *const log = spean_authority_log_at(b->authority, i);
        struct spean_tag tag;
        uint32_t number = 0;
        if (still != NULL && spean_partkeys_reaches(still, &log->org)) {
            continue;
        }
        spean_partkey_tag(&tag, &key->proof, &log->id);
        err = spean_partkeys_number_of(b->tx, &tag, &number);
        if (err == SPEAN_ENOTFOUND || (err == SPEAN_OK && number != key->number)) {
            err = SPEAN_OK;
            continue;
        }
        (void)spean_partkeys_del_tag(b->tx, &tag);
        (void)spean_partkeys_want(b->tx, &tag, &key->part, 0, false);
        err = fold_mark_dirty(b, &key->part);
        const struct fold_log *const store = fold_log_find(b, &log->id);
        if (err == SPEAN_OK && store != NULL) {
            err = tag_requeue(b, &tag, store->row.number);
        }
    }
    return err;
}

/* Keep or remove a key that is held, by whether it is given still, and to whom. */
static spean_err key_settle(struct fold_batch *b, const struct spean_partkey *held,
                            struct givens *givens)
{
    for (uint32_t i = 0; i < givens->count; i++) {
        struct given *const given = &givens->keys[i];
        if (given->key.generation == held->generation &&
            spean_id_equal(&given->key.proof, &held->proof)) {
            given->key.number = held->number;
            given->kept =
                same_audience(&given->key, held) && spean_id_equal(&given->key.owner, &held->owner);
            return given->kept ? SPEAN_OK : tags_drop(b, held, &given->key);
        }
    }
    fold_tags_forget(b->fold);
    spean_err err = tags_drop(b, held, NULL);
    if (err == SPEAN_OK) {
        err = spean_partkeys_del(b->tx, held);
    }
    return err == SPEAN_OK ? fold_mark_dirty(b, &held->part) : err;
}

/* Make the keys held those given. */
static spean_err keys_settle(struct fold_batch *b, const struct spean_part_name *part,
                             struct givens *givens)
{
    struct spean_partkey held;
    spean_err err = spean_partkeys_next(b->tx, b->fold->keys, part, 0, 0, &held);
    while (err == SPEAN_OK) {
        err = key_settle(b, &held, givens);
        if (err == SPEAN_OK) {
            err = spean_partkeys_next(b->tx, b->fold->keys, part, held.generation, held.number + 1,
                                      &held);
        }
    }
    spean_partkeys_wipe(&held);
    if (err != SPEAN_ENOTFOUND) {
        return err;
    }
    err = SPEAN_OK;
    for (uint32_t i = 0; i < givens->count && err == SPEAN_OK; i++) {
        struct given *const given = &givens->keys[i];
        if (!given->kept) {
            fold_tags_forget(b->fold); /* Those at hand know whether a newer one is held. */
            err = spean_partkeys_put(b->tx, b->fold->keys, &given->key);
        }
        if (err == SPEAN_OK && !given->kept) {
            err = tags_put(b, &given->key, given->key.number, 0);
        }
    }
    return err;
}

/* Of an erased part nothing is held, and what comes under its keys is refused. */
static spean_err keys_refuse(struct fold_batch *b, const struct spean_part_name *part,
                             const struct givens *givens)
{
    struct givens none = {0};
    spean_err err = keys_settle(b, part, &none);
    for (uint32_t i = 0; i < givens->count && err == SPEAN_OK; i++) {
        err = tags_put(b, &givens->keys[i].key, 0, 0);
    }
    return err;
}

/* Give the owner of a record, if it is known. */
static spean_err owner_of(struct fold_batch *b, const struct spean_record_id *id,
                          struct spean_id *owner, bool *known)
{
    struct spean_record *record;
    const spean_err err = spean_record_get(b->tx, b->fold->keys, id, &record);
    *known = err == SPEAN_OK;
    if (err == SPEAN_OK) {
        struct spean_record_info info;
        spean_record_get_info(record, &info);
        *owner = info.owner;
        spean_record_free(record);
    }
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

/* All grants of a part, judged, and what they give. */
struct judged {
    struct grants grants;
    struct givens givens;
    bool erased; /* The part is. */
};

static void judged_fini(struct judged *judged)
{
    givens_fini(&judged->givens);
    grants_fini(&judged->grants);
}

/* Judge the grants of a part, and set aside those that are not accepted; judged_fini() after an
 * error, too. */
static spean_err judged_make(struct fold_batch *b, const struct spean_part_name *part,
                             struct judged *out)
{
    struct spean_id owner;
    bool known = false;
    *out = (struct judged){.erased = false};
    spean_err err = owner_of(b, &part->record, &owner, &known);
    if (err == SPEAN_OK) {
        err = fold_part_erased(b, part, &out->erased);
    }
    if (err == SPEAN_OK) {
        err = grants_load(b, part, &out->grants);
    }
    if (err == SPEAN_OK) {
        err = grants_accept(&out->grants, known ? &owner : NULL);
    }
    for (uint32_t i = 0; i < out->grants.count && err == SPEAN_OK; i++) {
        const struct held *const held = &out->grants.rows[i];
        err = fold_set_aside(b, held->number, held->seq, held->aside);
    }
    return err == SPEAN_OK ? givens_collect(&out->grants, part, &out->givens) : err;
}

spean_err fold_grants_judge(struct fold_batch *b, const struct spean_part_name *part)
{
    struct judged judged;
    fold_accepted_drop(b->fold);
    spean_err err = judged_make(b, part, &judged);
    if (err == SPEAN_OK) {
        err = judged.erased ? keys_refuse(b, part, &judged.givens)
                            : keys_settle(b, part, &judged.givens);
    }
    if (err == SPEAN_OK && judged.grants.count > 1) {
        err = fold_mark_dirty(b, part); /* Who is left out is another question now. */
    }
    judged_fini(&judged);
    return err;
}

/* Say whether a key that is held is among those given, to the same audience. */
static bool is_given(const struct givens *givens, const struct spean_partkey *held)
{
    for (uint32_t i = 0; i < givens->count; i++) {
        const struct spean_partkey *const key = &givens->keys[i].key;
        if (key->generation == held->generation && spean_id_equal(&key->proof, &held->proof)) {
            return same_audience(key, held) && spean_id_equal(&key->owner, &held->owner) &&
                   sodium_memcmp(key->key, held->key, sizeof(key->key)) == 0;
        }
    }
    return false;
}

/* In a check: see that the keys held are those given, or none of a part that is erased. */
static spean_err keys_look(struct fold_batch *b, const struct spean_part_name *part,
                           const struct givens *givens, bool erased)
{
    struct spean_partkey held;
    uint32_t count = 0;
    bool all = true;
    spean_err err = spean_partkeys_next(b->tx, b->fold->keys, part, 0, 0, &held);
    while (err == SPEAN_OK) {
        count++;
        all = all && is_given(givens, &held);
        err = spean_partkeys_next(b->tx, b->fold->keys, part, held.generation, held.number + 1,
                                  &held);
    }
    spean_partkeys_wipe(&held);
    if (err == SPEAN_OK || err == SPEAN_ENOTFOUND) {
        if (!all || count != (erased ? 0 : givens->count)) {
            fold_look_wrong(b, SPEAN_TABLE_PART_KEYS);
        }
        return SPEAN_OK;
    }
    return err;
}

spean_err fold_grants_look(struct fold_batch *b, const struct spean_part_name *part)
{
    assert(b->look != NULL);

    struct judged judged;
    spean_err err = judged_make(b, part, &judged);
    b->look->work += (uint64_t)judged.grants.count * LOOK_WORK;
    if (err == SPEAN_OK) {
        err = keys_look(b, part, &judged.givens, judged.erased);
    }
    judged_fini(&judged);
    return err;
}

/* Judge the grants of the part at index, and take it from the list. */
static spean_err settle_at(struct fold_batch *b, uint32_t index)
{
    const struct spean_part_name part = b->unjudged[index].part;
    b->unjudged_count--;
    (void)memmove(&b->unjudged[index], &b->unjudged[index + 1],
                  (b->unjudged_count - index) * sizeof(b->unjudged[0]));
    return fold_grants_judge(b, &part);
}

spean_err fold_grants_settle(struct fold_batch *b)
{
    spean_err err = SPEAN_OK;
    while (err == SPEAN_OK && b->unjudged_count > 0) {
        err = settle_at(b, b->unjudged_count - 1);
    }
    return err;
}

spean_err fold_grants_settle_tag(struct fold_batch *b, const struct spean_id *log,
                                 const struct spean_tag *tag, bool *settled)
{
    *settled = false;
    for (uint32_t i = 0; i < b->unjudged_count; i++) {
        struct spean_tag own;
        spean_partkey_tag(&own, &b->unjudged[i].proof, log);
        if (spean_tag_equal(&own, tag)) {
            *settled = true;
            return settle_at(b, i);
        }
    }
    return SPEAN_OK;
}

/*
 * Judge the grants of a part later in this batch: judging reads all of them, so doing it for each
 * one that comes would take a time that grows with the square of how many there are.
 */
static spean_err judge_later(struct fold_batch *b, const struct spean_part_name *part,
                             const uint8_t *key)
{
    uint32_t i = 0;
    while (i < b->unjudged_count && !spean_part_name_equal(&b->unjudged[i].part, part)) {
        i++;
    }
    spean_err err = SPEAN_OK;
    if (i == FOLD_UNJUDGED_MAX) {
        err = settle_at(b, 0);
        i--;
    }
    if (i == b->unjudged_count) {
        b->unjudged[i].part = *part;
        b->unjudged_count++;
    }
    const struct spean_keyed_part keyed = spean_part_keyed(part);
    spean_partkey_proof(&b->unjudged[i].proof, key, &keyed);
    fold_accepted_drop(b->fold); /* It lacks the new grant. */
    return err;
}

spean_err fold_grants_give(struct fold_batch *b, const struct spean_part_name *part,
                           const struct spean_id *proof, const struct spean_id *owner, bool *give)
{
    struct grants grants = {0};
    struct givens givens = {0};
    spean_err err = grants_load(b, part, &grants);
    if (err == SPEAN_OK) {
        err = grants_accept(&grants, owner);
    }
    if (err == SPEAN_OK) {
        err = givens_collect(&grants, part, &givens);
    }
    *give = false;
    for (uint32_t i = 0; i < givens.count && err == SPEAN_OK; i++) {
        *give = *give || spean_id_equal(&givens.keys[i].key.proof, proof);
    }
    givens_fini(&givens);
    grants_fini(&grants);
    return err;
}

/* -- Left out -------------------------------------------------------------------------------- */

/* The accepted grants of the part that was asked about last. */
struct fold_accepted {
    struct spean_part_name part;
    struct spean_id owner;
    struct grants grants;
    struct spean_grant_facts *facts;
    uint32_t count;
};

void fold_accepted_drop(struct spean_fold *fold)
{
    if (fold->accepted != NULL) {
        grants_fini(&fold->accepted->grants);
        free(fold->accepted->facts);
        free(fold->accepted);
        fold->accepted = NULL;
    }
}

/* Load the accepted grants of a part whose record has this owner. */
static spean_err accepted_load(struct fold_batch *b, const struct spean_part_name *part,
                               const struct spean_id *owner)
{
    struct fold_accepted *const a = calloc(1, sizeof(*a));
    fold_accepted_drop(b->fold);
    if (a == NULL) {
        return SPEAN_ENOMEM;
    }
    b->fold->accepted = a;
    a->part = *part;
    a->owner = *owner;
    spean_err err = grants_load(b, part, &a->grants);
    if (err == SPEAN_OK) {
        err = grants_accept(&a->grants, owner);
    }
    if (err != SPEAN_OK || a->grants.count == 0) {
        return err;
    }
    a->facts = spean_alloc_array(a->grants.count, sizeof(a->facts[0]));
    if (a->facts == NULL) {
        return SPEAN_ENOMEM;
    }
    for (uint32_t i = 0; i < a->grants.count; i++) {
        if (a->grants.rows[i].accepted) {
            a->facts[a->count++] = a->grants.rows[i].facts;
        }
    }
    return SPEAN_OK;
}

spean_err fold_left_out(struct fold_batch *b, const struct spean_part_name *part,
                        const struct spean_id *owner, const struct spean_grant_change *change,
                        spean_row_counts *row_counts, void *ctx, bool *left_out)
{
    const struct fold_accepted *const held = b->fold->accepted;
    if (held == NULL || !spean_part_name_equal(&held->part, part) ||
        !spean_id_equal(&held->owner, owner)) {
        const spean_err err = accepted_load(b, part, owner);
        if (err != SPEAN_OK) {
            fold_accepted_drop(b->fold);
            return err;
        }
    }
    bool missing;
    *left_out = spean_grant_left_out(b->fold->accepted->facts, b->fold->accepted->count, owner,
                                     change, row_counts, ctx, &missing);
    return spean_tx_err(b->tx);
}

/* -- Part grants ----------------------------------------------------------------------------- */

/*
 * Make room for a grant among those of its log that count: the ones with the lowest seqs, whatever
 * order they were opened in. *counts: it is one of them. A cut takes the last ones first, so one
 * that was set aside never has to come back.
 */
static spean_err grant_room(struct fold_batch *b, const struct fold_place *place,
                            const struct spean_part_name *part, bool *counts)
{
    const uint32_t number = place->log->row.number;
    const uint64_t seq = place->entry->header.seq;
    const struct spean_db_key own = grant_key(part, number, seq);
    uint32_t count = 0;
    uint64_t last_seq = 0;
    struct spean_view held;
    *counts = true;
    spean_err err = spean_tx_get(b->tx, SPEAN_TABLE_PART_GRANTS, spean_db_key_view(&own), &held);
    if (err != SPEAN_ENOTFOUND) {
        return err; /* It was opened before. */
    }
    err = spean_partkeys_grants(b->tx, part, number, &count, &last_seq);
    if (err != SPEAN_OK || count < SPEAN_PART_GRANTS_MAX) {
        return err;
    }
    if (last_seq < seq) {
        *counts = false;
        return SPEAN_OK;
    }
    const struct spean_db_key last = grant_key(part, number, last_seq);
    err = spean_tx_del(b->tx, SPEAN_TABLE_PART_GRANTS, spean_db_key_view(&last));
    return err == SPEAN_OK ? fold_set_aside(b, number, last_seq, SPEAN_ASIDE_MANY) : err;
}

/* Keep an opened grant, and judge those of its part again. */
static spean_err grant_keep(struct fold_batch *b, const struct fold_place *place,
                            const struct spean_grant_terms *terms, const uint8_t *key)
{
    if (terms->part == SPEAN_PART_PUBLIC || terms->part > UINT32_MAX) {
        return set_aside(b, place, SPEAN_ASIDE_PART);
    }
    if (b->look != NULL) {
        b->look->work += LOOK_WORK;
        return row_keep(b, place, terms, key);
    }
    const struct spean_part_name part = {terms->record, (uint32_t)terms->part};
    bool counts = false;
    bool late = false;
    spean_err err = spean_destroy_late(b->tx, &part, &place->log->row, place->entry->header.seq,
                                       b->now_s, &late);
    if (err != SPEAN_OK || late) {
        return err == SPEAN_OK ? set_aside(b, place, SPEAN_ASIDE_NOT) : err;
    }
    err = grant_room(b, place, &part, &counts);
    if (err == SPEAN_OK && !counts) {
        return set_aside(b, place, SPEAN_ASIDE_MANY);
    }
    if (err == SPEAN_OK) {
        err = row_keep(b, place, terms, key);
    }
    return err == SPEAN_OK ? judge_later(b, &part, key) : err;
}

/* Open what a grant says, with its key from our box. */
static spean_err grant_open(struct fold_batch *b, const struct fold_place *place,
                            const struct spean_grant *grant, const struct spean_grant_place *at,
                            const uint8_t *key)
{
    const size_t cap = grant->sealed.len + 1;
    uint8_t *const buf = malloc(cap);
    if (buf == NULL) {
        return SPEAN_ENOMEM;
    }
    struct spean_grant_terms terms;
    spean_err err = spean_grant_open_terms(grant, at, key, buf, cap, &terms);
    if (err == SPEAN_OK) {
        err = grant_keep(b, place, &terms, key);
    } else {
        err =
            set_aside(b, place, err == SPEAN_ESIGNATURE ? SPEAN_ASIDE_KEY : SPEAN_ASIDE_MALFORMED);
    }
    sodium_memzero(buf, cap);
    free(buf);
    return err;
}

/* Say whether the header bears the tag of the commitment, as it must (P8.1, P8.6). */
static bool bears_commitment(const struct fold_place *place, const struct spean_grant *grant)
{
    const struct spean_header *const header = &place->entry->header;
    return header->has_tag &&
           memcmp(header->tag.bytes, grant->commitment.bytes, sizeof(header->tag.bytes)) == 0;
}

spean_err fold_grant(struct fold_batch *b, const struct fold_place *place,
                     struct spean_view content)
{
    struct spean_grant grant;
    if (spean_grant_decode(content, &grant) != SPEAN_OK || !bears_commitment(place, &grant)) {
        return set_aside(b, place, SPEAN_ASIDE_MALFORMED);
    }
    const struct spean_grant_place at = {place->log->row.log, place->entry->header.seq,
                                         place->log->row.org};
    const struct spean_key *const theirs =
        spean_authority_sealing(b->authority, &at.author, grant.author_generation);
    size_t pairs_count = 0;
    if (theirs == NULL) {
        return keep_unopened(b, place, KEY_NOT_KNOWN);
    }
    if (pairs_take(b, theirs, &pairs_count) != SPEAN_OK) {
        return set_aside(b, place, SPEAN_ASIDE_KEY); /* Nobody owns that key. */
    }
    uint8_t key[SPEAN_KEY_BYTES];
    spean_err err = spean_grant_open(&grant, &at, &b->fold->org,
                                     (const uint8_t(*)[SPEAN_KEY_BYTES])b->fold->secrets->pair_keys,
                                     pairs_count, key);
    if (err == SPEAN_ENOTFOUND) {
        return keep_unopened(b, place, NOT_FOR_US);
    }
    err = err == SPEAN_OK ? grant_open(b, place, &grant, &at, key)
                          : set_aside(b, place, SPEAN_ASIDE_KEY);
    sodium_memzero(key, sizeof(key));
    return err;
}

/* -- Org-key grants -------------------------------------------------------------------------- */

/* Take over a secret of the org: if it is what a statement names, and not held yet. *newest is then
 * at least its generation. */
static spean_err secret_take(struct fold_batch *b, const struct fold_place *place,
                             const struct spean_grant_key *secret, uint64_t *newest)
{
    struct spean_key public_key;
    const struct spean_key *const named =
        spean_authority_sealing(b->authority, &b->fold->org, secret->generation);
    if (crypto_scalarmult_base(public_key.bytes, secret->key) != 0 || named == NULL) {
        return keep_unopened(b, place, KEY_NOT_KNOWN);
    }
    if (!spean_key_equal(named, &public_key)) {
        return SPEAN_OK;
    }
    *newest = secret->generation > *newest ? secret->generation : *newest;
    if (spean_keys_org_find(b->fold->keys, &public_key) != NULL ||
        b->fold->found_count == SPEAN_FOLD_SECRETS_MAX) {
        return SPEAN_OK; /* Above the most at once, the entry comes again for the others. */
    }
    b->fold->secrets->found[b->fold->found_count++] = *secret;
    b->keep_secrets = true;
    return SPEAN_OK;
}

static spean_err secrets_open(struct fold_batch *b, const struct fold_place *place,
                              const struct spean_grant *grant, const struct spean_grant_place *at,
                              const uint8_t *key)
{
    const size_t cap = grant->sealed.len + 1;
    uint8_t *const buf = malloc(cap);
    if (buf == NULL) {
        return SPEAN_ENOMEM;
    }
    struct spean_grant_secrets secrets;
    spean_err err = spean_grant_open_secrets(grant, at, key, buf, cap, &secrets);
    if (err != SPEAN_OK) {
        err =
            set_aside(b, place, err == SPEAN_ESIGNATURE ? SPEAN_ASIDE_KEY : SPEAN_ASIDE_MALFORMED);
    } else {
        struct spean_view left = secrets.secrets;
        struct spean_grant_key secret;
        uint64_t newest = 0;
        while (err == SPEAN_OK && spean_grant_key_next(&left, &secret)) {
            err = secret_take(b, place, &secret, &newest);
        }
        sodium_memzero(&secret, sizeof(secret));
        if (err == SPEAN_OK && newest > 0) {
            err =
                spean_handed_seen(b->tx, b->authority, place->log->log, grant->boxes_count, newest);
        }
    }
    sodium_memzero(buf, cap);
    free(buf);
    return err;
}

spean_err fold_orgkey(struct fold_batch *b, const struct fold_place *place,
                      struct spean_view content)
{
    const struct spean_log *const author = place->log->log;
    struct spean_grant grant;
    if (spean_grant_decode(content, &grant) != SPEAN_OK || grant.author_generation != 0 ||
        !bears_commitment(place, &grant)) {
        return set_aside(b, place, SPEAN_ASIDE_MALFORMED);
    }
    struct spean_key ours;
    const uint8_t *const secret = spean_keys_sealing_secret(b->fold->keys);
    if (!spean_id_equal(&author->org, &b->fold->org) ||
        crypto_scalarmult_base(ours.bytes, secret) != 0) {
        return SPEAN_OK; /* Another org hands out its own. */
    }
    struct spean_grant_place at = {.log = place->log->row.log, .seq = place->entry->header.seq};
    struct spean_id party;
    (void)memcpy(at.author.bytes, author->sealing.bytes, sizeof(at.author.bytes));
    (void)memcpy(party.bytes, ours.bytes, sizeof(party.bytes));
    uint8_t(*const pair)[SPEAN_KEY_BYTES] = b->fold->secrets->pair_keys;
    uint8_t key[SPEAN_KEY_BYTES];
    spean_err err = pair_take(b, true, secret, &ours, &author->sealing, pair[0]);
    if (err == SPEAN_OK) {
        err =
            spean_grant_open(&grant, &at, &party, (const uint8_t(*)[SPEAN_KEY_BYTES])pair, 1, key);
    }
    if (err == SPEAN_ENOTFOUND) {
        return SPEAN_OK; /* For other nodes of the org. */
    }
    err = err == SPEAN_OK ? secrets_open(b, place, &grant, &at, key)
                          : set_aside(b, place, SPEAN_ASIDE_KEY);
    sodium_memzero(key, sizeof(key));
    return err;
}
