#include "store/keystore.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/hash.h"
#include "protocol/pair.h"
#include "protocol/reader.h"
#include "protocol/writer.h"
#include "store/secret.h"

#define DOMAIN            "spean/keystore/1"
#define VALUE_KEY_DOMAIN  "spean/store-values/1"
#define NAME_KEY_DOMAIN   "spean/store-names/1"
#define CONTENT_FIELDS    5u
#define ORG_FIELDS        2u
#define ORG_ENCODED_MAX   40u  /* Heads, generation, secret. */
#define FIXED_ENCODED_MAX 160u /* All before the org's secrets. */
#define CONTENT_BYTES_MAX (FIXED_ENCODED_MAX + SPEAN_KEYS_ORG_MAX * ORG_ENCODED_MAX)
#define PACKAGE_BYTES_MAX (CONTENT_BYTES_MAX + SPEAN_WRAP_EXTRA_BYTES_MAX)

_Static_assert(CONTENT_BYTES_MAX <= SPEAN_WRAP_CONTENT_BYTES_MAX, "the content fits a package");
_Static_assert(SPEAN_KEYS_ORG_MAX * sizeof(struct spean_org_secret) <= SPEAN_SECRET_BYTES_MAX,
               "the org's secrets fit a block");

static const struct spean_view row_key = {(const uint8_t *)"keystore", 8};

/* Secrets that locking wipes. */
struct core {
    uint8_t signing[SPEAN_KEY_BYTES];
    uint8_t sealing[SPEAN_KEY_BYTES];
    uint8_t store[SPEAN_KEY_BYTES];
    uint8_t wrapping[SPEAN_KEY_BYTES];
    uint8_t values[SPEAN_KEY_BYTES]; /* These two are drawn from store. */
    uint8_t names[SPEAN_KEY_BYTES];
    struct spean_signer signer; /* Of signing. */
};

struct spean_keys {
    uint8_t *transport;
    struct core *core;             /* NULL when locked. */
    struct spean_org_secret *orgs; /* Ascending by generation and key; NULL when none. */
    size_t orgs_count;
    struct spean_wrap wrap;
    void (*hold)(void *ctx, bool on); /* See spean_keys_guard(); or NULL. */
    void *hold_ctx;
};

spean_err spean_keys_new(struct spean_keys **out)
{
    assert(out != NULL);

    struct spean_keys *keys = calloc(1, sizeof(*keys));
    if (keys == NULL) {
        return SPEAN_ENOMEM;
    }
    *out = keys;
    return SPEAN_OK;
}

void spean_keys_lock(struct spean_keys *keys)
{
    assert(keys != NULL);

    spean_secret_free(keys->core);
    spean_secret_free(keys->orgs);
    keys->core = NULL;
    keys->orgs = NULL;
    keys->orgs_count = 0;
}

void spean_keys_free(struct spean_keys *keys)
{
    if (keys != NULL) {
        spean_keys_lock(keys);
        spean_secret_free(keys->transport);
        free(keys);
    }
}

bool spean_keys_locked(const struct spean_keys *keys)
{
    assert(keys != NULL);
    return keys->core == NULL;
}

static int org_compare(const struct spean_org_secret *a, const struct spean_org_secret *b)
{
    if (a->generation != b->generation) {
        return a->generation < b->generation ? -1 : 1;
    }
    return memcmp(a->key.bytes, b->key.bytes, sizeof(a->key.bytes));
}

/* Nothing is lost if the system cannot do it: it only catches our own stray writes. */
static void protect(struct spean_keys *keys)
{
    (void)sodium_mprotect_readonly(keys->core);
    (void)sodium_mprotect_readonly(keys->transport);
    if (keys->orgs != NULL) {
        (void)sodium_mprotect_readonly(keys->orgs);
    }
}

static void core_derive(struct core *core)
{
    struct spean_hash h;
    spean_hash_begin_keyed(&h, VALUE_KEY_DOMAIN, core->store, sizeof(core->store),
                           sizeof(core->values));
    spean_hash_end(&h, core->values, sizeof(core->values));
    spean_hash_begin_keyed(&h, NAME_KEY_DOMAIN, core->store, sizeof(core->store),
                           sizeof(core->names));
    spean_hash_end(&h, core->names, sizeof(core->names));
    spean_signer_init(&core->signer, core->signing);
}

/* Make empty blocks for count secrets of the org in *keys, which holds none. */
static spean_err blocks_alloc(struct spean_keys *keys, size_t count)
{
    void *core = NULL;
    void *transport = NULL;
    void *orgs = NULL;
    spean_err err = spean_secret_alloc(sizeof(struct core), &core);
    if (err == SPEAN_OK) {
        err = spean_secret_alloc(SPEAN_KEY_BYTES, &transport);
    }
    if (err == SPEAN_OK && count > 0) {
        err = spean_secret_alloc(count * sizeof(*keys->orgs), &orgs);
    }
    if (err != SPEAN_OK) {
        spean_secret_free(core);
        spean_secret_free(transport);
        return err;
    }
    keys->core = core;
    keys->transport = transport;
    keys->orgs = orgs;
    keys->orgs_count = count;
    return SPEAN_OK;
}

/* -- Content --------------------------------------------------------------------------------- */

static spean_err content_write(const struct spean_keys *keys, uint8_t *buf, size_t cap,
                               struct spean_view *out)
{
    struct spean_writer w;
    spean_writer_init(&w, buf, cap);
    spean_writer_array(&w, CONTENT_FIELDS);
    spean_writer_bin(&w, keys->core->signing, SPEAN_KEY_BYTES);
    spean_writer_bin(&w, keys->core->sealing, SPEAN_KEY_BYTES);
    spean_writer_bin(&w, keys->transport, SPEAN_KEY_BYTES);
    spean_writer_bin(&w, keys->core->store, SPEAN_KEY_BYTES);
    spean_writer_array(&w, (uint32_t)keys->orgs_count);
    for (size_t i = 0; i < keys->orgs_count; i++) {
        spean_writer_array(&w, ORG_FIELDS);
        spean_writer_uint(&w, keys->orgs[i].generation);
        spean_writer_bin(&w, keys->orgs[i].secret, SPEAN_KEY_BYTES);
    }
    return spean_writer_end(&w, out);
}

static void org_read(struct spean_reader *r, struct spean_org_secret *org,
                     const struct spean_org_secret *before)
{
    (void)spean_reader_array(r, ORG_FIELDS, ORG_FIELDS);
    org->generation = (uint32_t)spean_reader_uint(r, UINT32_MAX);
    spean_reader_bin_fixed(r, org->secret, sizeof(org->secret));
    if (spean_reader_failed(r)) {
        return;
    }
    spean_x25519_public(&org->key, org->secret);
    if (org->generation == 0 || (before != NULL && org_compare(before, org) >= 0)) {
        spean_reader_fail(r, SPEAN_EFORMAT);
    }
}

/* Read the content into fresh blocks of *keys, which holds none. On error some may be made. */
static spean_err content_read(struct spean_view content, struct spean_keys *keys)
{
    struct spean_reader r;
    spean_reader_init(&r, content);
    (void)spean_reader_array(&r, CONTENT_FIELDS, CONTENT_FIELDS);
    const struct spean_reader fixed = r;
    for (uint32_t i = 0; i < CONTENT_FIELDS - 1; i++) {
        (void)spean_reader_bin(&r, SPEAN_KEY_BYTES, SPEAN_KEY_BYTES);
    }
    const uint32_t count = spean_reader_array(&r, 0, SPEAN_KEYS_ORG_MAX);
    if (spean_reader_failed(&r)) {
        return SPEAN_ECORRUPT;
    }
    const spean_err err = blocks_alloc(keys, count);
    if (err != SPEAN_OK) {
        return err;
    }
    struct spean_reader again = fixed; /* Now straight into locked memory. */
    spean_reader_bin_fixed(&again, keys->core->signing, SPEAN_KEY_BYTES);
    spean_reader_bin_fixed(&again, keys->core->sealing, SPEAN_KEY_BYTES);
    spean_reader_bin_fixed(&again, keys->transport, SPEAN_KEY_BYTES);
    spean_reader_bin_fixed(&again, keys->core->store, SPEAN_KEY_BYTES);
    for (uint32_t i = 0; i < count && !spean_reader_failed(&r); i++) {
        org_read(&r, &keys->orgs[i], i > 0 ? &keys->orgs[i - 1] : NULL);
    }
    return spean_reader_end(&r) == SPEAN_OK ? SPEAN_OK : SPEAN_ECORRUPT;
}

/* -- The row --------------------------------------------------------------------------------- */

/* Seal what keys hold into a package on the heap, for the caller to free. */
static spean_err package_make(const struct spean_keys *keys, uint8_t **out, size_t *len)
{
    void *plain = NULL;
    uint8_t *package = NULL;
    struct spean_view content;
    size_t package_len = 0;

    const size_t plain_cap = FIXED_ENCODED_MAX + keys->orgs_count * ORG_ENCODED_MAX;
    const size_t package_cap = plain_cap + SPEAN_WRAP_EXTRA_BYTES_MAX;
    spean_err err = spean_secret_alloc(plain_cap, &plain);
    if (err != SPEAN_OK) {
        return err;
    }
    package = malloc(package_cap);
    if (package == NULL) {
        err = SPEAN_ENOMEM;
    }
    if (err == SPEAN_OK) {
        err = content_write(keys, plain, plain_cap, &content);
    }
    if (err == SPEAN_OK) {
        err = spean_wrap_seal(DOMAIN, &keys->wrap, keys->core->wrapping, content, package,
                              package_cap, &package_len);
    }
    spean_secret_free(plain);
    if (err != SPEAN_OK) {
        free(package);
        return err;
    }
    *out = package;
    *len = package_len;
    return SPEAN_OK;
}

/* Write the row for what keys hold, durably. */
static spean_err row_write(const struct spean_keys *keys, struct spean_db *db, bool is_new)
{
    uint8_t *package = NULL;
    size_t len = 0;
    spean_err err = package_make(keys, &package, &len);
    if (err != SPEAN_OK) {
        return err;
    }
    struct spean_tx *tx = NULL;
    err = spean_tx_begin(db, SPEAN_TX_WRITE, &tx);
    if (err == SPEAN_OK) {
        const struct spean_view value = {package, len};
        err = is_new ? spean_tx_put_new(tx, SPEAN_TABLE_META, row_key, value)
                     : spean_tx_put(tx, SPEAN_TABLE_META, row_key, value);
        if (err == SPEAN_OK) {
            err = spean_tx_commit(tx);
        } else {
            spean_tx_abort(tx);
        }
    }
    free(package);
    return err;
}

/* The row is nobody's input: what is no package there is damage. */
static spean_err row_err(spean_err err)
{
    return err == SPEAN_EFORMAT ? SPEAN_ECORRUPT : err;
}

/* Copy the row to the heap, for the caller to free: no transaction stays open over Argon2id. */
static spean_err row_read(struct spean_db *db, uint8_t **out, size_t *len)
{
    struct spean_tx *tx;
    spean_err err = spean_tx_begin(db, SPEAN_TX_READ, &tx);
    if (err != SPEAN_OK) {
        return err;
    }
    struct spean_view value;
    uint8_t *copy = NULL;
    err = spean_tx_get(tx, SPEAN_TABLE_META, row_key, &value);
    if (err == SPEAN_OK && (value.len == 0 || value.len > PACKAGE_BYTES_MAX)) {
        err = SPEAN_ECORRUPT;
    }
    if (err == SPEAN_OK) {
        copy = malloc(value.len);
        err = copy != NULL ? SPEAN_OK : SPEAN_ENOMEM;
    }
    if (copy != NULL) {
        (void)memcpy(copy, value.data, value.len);
        *out = copy;
        *len = value.len;
    }
    spean_tx_abort(tx);
    return err;
}

/* Open the row into *keys, which holds nothing. On error some blocks may be made. */
static spean_err row_open(struct spean_db *db, const struct spean_unlock *unlock,
                          struct spean_keys *keys)
{
    uint8_t *package = NULL;
    size_t package_len = 0;
    spean_err err = row_read(db, &package, &package_len);
    if (err != SPEAN_OK) {
        return err;
    }
    /* The wrapping key and behind it the content. */
    void *block = NULL;
    err = spean_secret_alloc(SPEAN_KEY_BYTES + package_len, &block);
    if (err == SPEAN_OK) {
        uint8_t *wrapping = block;
        uint8_t *plain = wrapping + SPEAN_KEY_BYTES;
        size_t plain_len = 0;
        err = row_err(spean_wrap_open(DOMAIN, (struct spean_view){package, package_len}, unlock,
                                      &keys->wrap, wrapping, plain, package_len, &plain_len));
        if (err == SPEAN_OK) {
            err = content_read((struct spean_view){plain, plain_len}, keys);
        }
        if (err == SPEAN_OK) {
            (void)memcpy(keys->core->wrapping, wrapping, SPEAN_KEY_BYTES);
            core_derive(keys->core);
        }
    }
    spean_secret_free(block);
    free(package);
    return err;
}

static void discard(struct spean_keys *keys)
{
    spean_keys_lock(keys);
    spean_secret_free(keys->transport);
    *keys = (struct spean_keys){0};
}

/* -- Public ---------------------------------------------------------------------------------- */

spean_err spean_keys_create(struct spean_keys *keys, struct spean_db *db,
                            const struct spean_unlock *unlock)
{
    assert(keys != NULL);
    assert(keys->core == NULL);
    assert(keys->transport == NULL);
    assert(db != NULL);
    assert(unlock != NULL);

    struct spean_keys fresh = {.hold = keys->hold, .hold_ctx = keys->hold_ctx};
    spean_err err = blocks_alloc(&fresh, 0);
    if (err == SPEAN_OK) {
        err = spean_wrap_new(DOMAIN, unlock, &fresh.wrap, fresh.core->wrapping);
    }
    if (err == SPEAN_OK) {
        randombytes_buf(fresh.core->signing, SPEAN_KEY_BYTES);
        randombytes_buf(fresh.core->sealing, SPEAN_KEY_BYTES);
        randombytes_buf(fresh.core->store, SPEAN_KEY_BYTES);
        randombytes_buf(fresh.transport, SPEAN_KEY_BYTES);
        core_derive(fresh.core);
        err = row_write(&fresh, db, true);
    }
    if (err != SPEAN_OK) {
        discard(&fresh);
        return err;
    }
    protect(&fresh);
    *keys = fresh;
    return SPEAN_OK;
}

spean_err spean_keys_unlock(struct spean_keys *keys, struct spean_db *db,
                            const struct spean_unlock *unlock)
{
    assert(keys != NULL);
    assert(db != NULL);
    assert(unlock != NULL);

    if (keys->core != NULL) {
        return SPEAN_OK;
    }
    struct spean_keys fresh = {.hold = keys->hold, .hold_ctx = keys->hold_ctx};
    const spean_err err = row_open(db, unlock, &fresh);
    if (err != SPEAN_OK) {
        discard(&fresh);
        return err;
    }
    if (keys->transport != NULL) {
        /* In use since the first unlock, and nothing of ours changes it. */
        spean_secret_free(fresh.transport);
        fresh.transport = keys->transport;
    }
    protect(&fresh);
    *keys = fresh;
    return SPEAN_OK;
}

spean_err spean_keys_rewrap(struct spean_keys *keys, struct spean_db *db,
                            const struct spean_unlock *before, const struct spean_unlock *after)
{
    assert(keys != NULL);
    assert(db != NULL);
    assert(before != NULL);
    assert(after != NULL);

    if (keys->core == NULL) {
        return SPEAN_ELOCKED;
    }
    /* Read anew: an unlocked screen left alone must not be enough to shut its owner out. */
    struct spean_keys fresh = {0};
    spean_err err = row_open(db, before, &fresh);
    if (err == SPEAN_OK) {
        err = spean_wrap_new(DOMAIN, after, &fresh.wrap, fresh.core->wrapping);
    }
    if (err == SPEAN_OK) {
        err = row_write(&fresh, db, false);
    }
    if (err == SPEAN_OK) {
        /* In place, since the getters' pointers must stay good. */
        if (sodium_mprotect_readwrite(keys->core) == 0) {
            (void)memcpy(keys->core->wrapping, fresh.core->wrapping, SPEAN_KEY_BYTES);
            keys->wrap = fresh.wrap;
            protect(keys);
        } else {
            spean_keys_lock(keys); /* The row is good; the next unlock reads it. */
        }
    }
    discard(&fresh);
    return err;
}

const uint8_t *spean_keys_signing_seed(const struct spean_keys *keys)
{
    assert(keys != NULL);
    return keys->core != NULL ? keys->core->signing : NULL;
}

const struct spean_signer *spean_keys_signer(const struct spean_keys *keys)
{
    assert(keys != NULL);
    return keys->core != NULL ? &keys->core->signer : NULL;
}

const uint8_t *spean_keys_sealing_secret(const struct spean_keys *keys)
{
    assert(keys != NULL);
    return keys->core != NULL ? keys->core->sealing : NULL;
}

const uint8_t *spean_keys_transport_secret(const struct spean_keys *keys)
{
    assert(keys != NULL);
    return keys->transport;
}

const uint8_t *spean_keys_value_key(const struct spean_keys *keys)
{
    assert(keys != NULL);
    return keys->core != NULL ? keys->core->values : NULL;
}

const uint8_t *spean_keys_name_key(const struct spean_keys *keys)
{
    assert(keys != NULL);
    return keys->core != NULL ? keys->core->names : NULL;
}

/* Put org among the secrets of keys into a block of one more, where it sorts. */
static spean_err orgs_with(const struct spean_keys *keys, const struct spean_org_secret *org,
                           struct spean_org_secret **out)
{
    void *block;
    const spean_err err = spean_secret_alloc((keys->orgs_count + 1) * sizeof(*keys->orgs), &block);
    if (err != SPEAN_OK) {
        return err;
    }
    struct spean_org_secret *orgs = block;
    size_t at = 0;
    while (at < keys->orgs_count && org_compare(&keys->orgs[at], org) < 0) {
        orgs[at] = keys->orgs[at];
        at++;
    }
    orgs[at] = *org;
    for (size_t i = at; i < keys->orgs_count; i++) {
        orgs[i + 1] = keys->orgs[i];
    }
    *out = orgs;
    return SPEAN_OK;
}

void spean_keys_guard(struct spean_keys *keys, void (*hold)(void *ctx, bool on), void *ctx)
{
    assert(keys != NULL);
    assert(hold != NULL);
    keys->hold = hold;
    keys->hold_ctx = ctx;
}

/* Take over what is written by now, while nobody reads. */
static void orgs_swap(struct spean_keys *keys, const struct spean_keys *with)
{
    if (keys->hold != NULL) {
        keys->hold(keys->hold_ctx, true);
    }
    spean_secret_free(keys->orgs);
    *keys = *with;
    protect(keys);
    if (keys->hold != NULL) {
        keys->hold(keys->hold_ctx, false);
    }
}

spean_err spean_keys_add_org(struct spean_keys *keys, struct spean_db *db, uint32_t generation,
                             const uint8_t secret[SPEAN_KEY_BYTES])
{
    assert(keys != NULL);
    assert(db != NULL);
    assert(secret != NULL);

    if (keys->core == NULL) {
        return SPEAN_ELOCKED;
    }
    if (generation == 0) {
        return SPEAN_EINPUT;
    }
    struct spean_org_secret org = {.generation = generation};
    spean_x25519_public(&org.key, secret);
    for (size_t i = 0; i < keys->orgs_count; i++) {
        if (org_compare(&keys->orgs[i], &org) == 0) {
            return SPEAN_OK;
        }
    }
    if (keys->orgs_count == SPEAN_KEYS_ORG_MAX) {
        return SPEAN_ELIMIT;
    }

    (void)memcpy(org.secret, secret, sizeof(org.secret));
    struct spean_keys with = *keys; /* Shares all blocks but this one. */
    spean_err err = orgs_with(keys, &org, &with.orgs);
    sodium_memzero(&org, sizeof(org));
    if (err != SPEAN_OK) {
        return err;
    }
    with.orgs_count++;
    err = row_write(&with, db, false);
    if (err != SPEAN_OK) {
        spean_secret_free(with.orgs);
        return err;
    }
    orgs_swap(keys, &with);
    return SPEAN_OK;
}

size_t spean_keys_org_count(const struct spean_keys *keys)
{
    assert(keys != NULL);
    return keys->orgs_count;
}

const struct spean_org_secret *spean_keys_org_at(const struct spean_keys *keys, size_t index)
{
    assert(keys != NULL);
    assert(index < keys->orgs_count);
    return &keys->orgs[index];
}

const struct spean_org_secret *spean_keys_org_find(const struct spean_keys *keys,
                                                   const struct spean_key *key)
{
    assert(keys != NULL);
    assert(key != NULL);

    for (size_t i = keys->orgs_count; i > 0; i--) { /* The newest is asked for most. */
        if (spean_key_equal(&keys->orgs[i - 1].key, key)) {
            return &keys->orgs[i - 1];
        }
    }
    return NULL;
}
