#include "tests/bench/limit.h"

#include <sodium.h>
#include <string.h>

#include "tests/bench/bare.h"
#include "tests/bench/tally.h"

#define KEY_BYTES    12u /* Log number, seq. */
#define TAG_BYTES    (SPEAN_TAG_BYTES + 1u + KEY_BYTES)
#define SIGNED_BYTES 64u /* What a commit's signature is over: log and entry. */

enum table { ENTRIES, BODIES, TAGS, SIGNATURES, TABLES_COUNT };

static const char *const table_names[TABLES_COUNT] = {"entries", "bodies", "tags", "signatures"};

struct limit {
    struct bare bare;
    MDB_dbi tables[TABLES_COUNT];
    uint64_t seq;
    uint8_t message[SIGNED_BYTES];
    uint8_t public_key[crypto_sign_PUBLICKEYBYTES];
    uint8_t signature[crypto_sign_BYTES];
};

static void put(const struct limit *l, enum table table, struct spean_view key,
                struct spean_view head, struct spean_view rest, unsigned flags)
{
    uint8_t *const row = bare_put(&l->bare, l->tables[table], key, head.len + rest.len, flags);
    if (head.len > 0) {
        memcpy(row, head.data, head.len);
    }
    if (rest.len > 0) {
        memcpy(row + head.len, rest.data, rest.len);
    }
}

static void write_key(uint8_t key[KEY_BYTES], uint64_t seq)
{
    memset(key, 0, KEY_BYTES);
    for (size_t i = 0; i < sizeof(seq); i++) {
        key[KEY_BYTES - 1 - i] = (uint8_t)(seq >> (8 * i));
    }
}

static void take_entry(struct limit *l, const struct limit_entry *entry)
{
    static const struct spean_tag untagged = {{0}};
    const struct spean_view nothing = {0};
    uint8_t id[SPEAN_ID_BYTES];
    uint8_t hash[SPEAN_ID_BYTES];
    uint8_t key[KEY_BYTES];
    const struct spean_view view = {key, sizeof(key)};
    (void)crypto_generichash(hash, sizeof(hash), entry->body.data, entry->body.len, NULL, 0);
    (void)crypto_generichash(id, sizeof(id), entry->header.data, entry->header.len, NULL, 0);
    l->seq++;
    write_key(key, l->seq);
    put(l, ENTRIES, view, (struct spean_view){id, sizeof(id)}, entry->header, MDB_APPEND);
    put(l, BODIES, view, entry->body, nothing, MDB_APPEND);
    if (!spean_tag_equal(&entry->tag, &untagged)) {
        uint8_t tag[TAG_BYTES];
        memcpy(tag, entry->tag.bytes, SPEAN_TAG_BYTES);
        tag[SPEAN_TAG_BYTES] = 1;
        memcpy(tag + SPEAN_TAG_BYTES + 1, key, sizeof(key));
        put(l, TAGS, (struct spean_view){tag, sizeof(tag)}, nothing, nothing, 0);
    }
}

static void end_run(struct limit *l)
{
    uint8_t key[KEY_BYTES];
    write_key(key, l->seq);
    scratch_want(crypto_sign_verify_detached(l->signature, l->message, sizeof(l->message),
                                             l->public_key) == 0,
                 "to verify a signature");
    put(l, SIGNATURES, (struct spean_view){key, sizeof(key)},
        (struct spean_view){l->signature, sizeof(l->signature)}, (struct spean_view){0},
        MDB_APPEND);
}

double limit_measure(const char *dir, const struct limit_entry *entries, uint64_t entries_count,
                     const uint32_t *batches, uint32_t batches_count)
{
    static struct limit l;
    uint8_t secret_key[crypto_sign_SECRETKEYBYTES];
    (void)crypto_sign_keypair(l.public_key, secret_key);
    (void)crypto_sign_detached(l.signature, NULL, l.message, sizeof(l.message), secret_key);
    bare_open(&l.bare, dir, table_names, TABLES_COUNT, l.tables);
    bare_begin(&l.bare);

    const double begun_s = scratch_now_s();
    for (uint32_t i = 0; i < batches_count; i++) {
        if (batches[i] == TALLY_COMMIT) {
            bare_commit(&l.bare);
            bare_begin(&l.bare);
            continue;
        }
        for (uint32_t k = 0; k < batches[i]; k++) {
            scratch_want(l.seq < entries_count, "as many entries as were counted");
            take_entry(&l, &entries[l.seq]);
        }
        end_run(&l);
    }
    const double took_s = scratch_now_s() - begun_s;
    scratch_want(l.seq == entries_count, "all entries in batches");
    bare_close(&l.bare);
    return took_s;
}
