#include "tests/bench/limit.h"

#include <lmdb.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/bench/tally.h"

#define MAP_BYTES    ((size_t)4 << 30)
#define TABLES_MAX   4u
#define KEY_BYTES    12u /* Log number, seq. */
#define TAG_BYTES    (SPEAN_TAG_BYTES + 1u + KEY_BYTES)
#define SIGNED_BYTES 64u /* What a commit's signature is over: log and entry. */

struct limit {
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi entries, bodies, tags, signatures;
    uint64_t seq;
    uint8_t message[SIGNED_BYTES];
    uint8_t public_key[crypto_sign_PUBLICKEYBYTES];
    uint8_t signature[crypto_sign_BYTES];
};

static void need(int rc, const char *what)
{
    scratch_want(rc == 0, what);
}

static void begin(struct limit *l)
{
    need(mdb_txn_begin(l->env, NULL, 0, &l->txn), "to begin a bare transaction");
}

static void commit(struct limit *l)
{
    need(mdb_txn_commit(l->txn), "to commit bare rows");
    begin(l);
}

static void put(struct limit *l, MDB_dbi table, const uint8_t *key, size_t key_len,
                struct spean_view head, struct spean_view rest, unsigned flags)
{
    MDB_val k = {key_len, (void *)(uintptr_t)key};
    MDB_val v = {head.len + rest.len, NULL};
    need(mdb_put(l->txn, table, &k, &v, MDB_RESERVE | flags), "to put a bare row");
    if (head.len > 0) {
        memcpy(v.mv_data, head.data, head.len);
    }
    if (rest.len > 0) {
        memcpy((uint8_t *)v.mv_data + head.len, rest.data, rest.len);
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
    (void)crypto_generichash(hash, sizeof(hash), entry->body.data, entry->body.len, NULL, 0);
    (void)crypto_generichash(id, sizeof(id), entry->header.data, entry->header.len, NULL, 0);
    l->seq++;
    write_key(key, l->seq);
    put(l, l->entries, key, sizeof(key), (struct spean_view){id, sizeof(id)}, entry->header,
        MDB_APPEND);
    put(l, l->bodies, key, sizeof(key), entry->body, nothing, MDB_APPEND);
    if (!spean_tag_equal(&entry->tag, &untagged)) {
        uint8_t tag[TAG_BYTES];
        memcpy(tag, entry->tag.bytes, SPEAN_TAG_BYTES);
        tag[SPEAN_TAG_BYTES] = 1;
        memcpy(tag + SPEAN_TAG_BYTES + 1, key, sizeof(key));
        put(l, l->tags, tag, sizeof(tag), nothing, nothing, 0);
    }
}

static void end_run(struct limit *l)
{
    uint8_t key[KEY_BYTES];
    write_key(key, l->seq);
    scratch_want(crypto_sign_verify_detached(l->signature, l->message, sizeof(l->message),
                                             l->public_key) == 0,
                 "to verify a signature");
    put(l, l->signatures, key, sizeof(key), (struct spean_view){l->signature, sizeof(l->signature)},
        (struct spean_view){0}, MDB_APPEND);
}

static void open_env(struct limit *l, const char *dir)
{
    need(mkdir(dir, S_IRWXU), "to make a folder for the bare limit");
    need(mdb_env_create(&l->env), "to make an environment");
    need(mdb_env_set_maxdbs(l->env, TABLES_MAX), "to set the number of tables");
    need(mdb_env_set_mapsize(l->env, MAP_BYTES), "to set the size of the map");
    need(mdb_env_open(l->env, dir, MDB_NOTLS, S_IRUSR | S_IWUSR), "to open an environment");
    begin(l);
    need(mdb_dbi_open(l->txn, "entries", MDB_CREATE, &l->entries), "to make a table");
    need(mdb_dbi_open(l->txn, "bodies", MDB_CREATE, &l->bodies), "to make a table");
    need(mdb_dbi_open(l->txn, "tags", MDB_CREATE, &l->tags), "to make a table");
    need(mdb_dbi_open(l->txn, "signatures", MDB_CREATE, &l->signatures), "to make a table");
    commit(l);
}

double limit_measure(const char *dir, const struct limit_entry *entries, uint64_t entries_count,
                     const uint32_t *batches, uint32_t batches_count)
{
    static struct limit l;
    uint8_t secret_key[crypto_sign_SECRETKEYBYTES];
    (void)crypto_sign_keypair(l.public_key, secret_key);
    (void)crypto_sign_detached(l.signature, NULL, l.message, sizeof(l.message), secret_key);
    open_env(&l, dir);

    const double begun_s = scratch_now_s();
    for (uint32_t i = 0; i < batches_count; i++) {
        if (batches[i] == TALLY_COMMIT) {
            commit(&l);
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
    mdb_txn_abort(l.txn);
    mdb_env_close(l.env);
    return took_s;
}
