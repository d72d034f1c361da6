#include "store/wrap.h"

#include <assert.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/hash.h"
#include "protocol/reader.h"
#include "protocol/writer.h"
#include "store/secret.h"

#define VERSION           1u
#define PACKAGE_FIELDS    4u
#define PASSPHRASE_FIELDS 6u
#define CREDENTIAL_FIELDS 3u
#define FIELDS_MAX        32u /* That a later version may have; enough to read its number. */
#define AD_BYTES_MAX      256u
#define CREDENTIAL_DOMAIN "spean/store-credential/1"
#define BYTES_PER_MIB     ((size_t)1024 * 1024)

_Static_assert(SPEAN_WRAP_SALT_BYTES == crypto_pwhash_argon2id_SALTBYTES, "salt");

static bool unlock_valid(const struct spean_unlock *unlock)
{
    switch (unlock->kind) {
    case SPEAN_UNLOCK_PASSPHRASE:
        return unlock->bytes.len > 0 && unlock->bytes.len <= SPEAN_WRAP_PASSPHRASE_BYTES_MAX;
    case SPEAN_UNLOCK_CREDENTIAL:
        return unlock->bytes.len == SPEAN_WRAP_CREDENTIAL_BYTES;
    default:
        return false;
    }
}

static bool cost_valid(uint32_t ops, uint32_t mib)
{
    return ops >= SPEAN_WRAP_OPS_MIN && ops <= SPEAN_WRAP_OPS_MAX && mib >= SPEAN_WRAP_MIB_MIN &&
           mib <= SPEAN_WRAP_MIB_MAX;
}

/* -- Encoding -------------------------------------------------------------------------------- */

static void wrap_write(struct spean_writer *w, const struct spean_wrap *wrap)
{
    const bool costs = wrap->kind == SPEAN_UNLOCK_PASSPHRASE;
    spean_writer_array(w, costs ? PASSPHRASE_FIELDS : CREDENTIAL_FIELDS);
    spean_writer_uint(w, wrap->kind);
    if (costs) {
        spean_writer_uint(w, wrap->ops);
        spean_writer_uint(w, wrap->mib);
        spean_writer_bin(w, wrap->salt, sizeof(wrap->salt));
    }
    spean_writer_bin(w, wrap->nonce, sizeof(wrap->nonce));
    spean_writer_bin(w, wrap->key, sizeof(wrap->key));
}

static void wrap_read(struct spean_reader *r, struct spean_wrap *wrap)
{
    *wrap = (struct spean_wrap){0};
    const uint32_t fields = spean_reader_array(r, CREDENTIAL_FIELDS, PASSPHRASE_FIELDS);
    const uint64_t kind = spean_reader_uint(r, SPEAN_UNLOCK_CREDENTIAL);
    if (kind == SPEAN_UNLOCK_PASSPHRASE && fields == PASSPHRASE_FIELDS) {
        wrap->kind = SPEAN_UNLOCK_PASSPHRASE;
        wrap->ops = (uint32_t)spean_reader_uint(r, UINT32_MAX);
        wrap->mib = (uint32_t)spean_reader_uint(r, UINT32_MAX);
        spean_reader_bin_fixed(r, wrap->salt, sizeof(wrap->salt));
        if (!spean_reader_failed(r) && !cost_valid(wrap->ops, wrap->mib)) {
            spean_reader_fail(r, SPEAN_ELIMIT);
        }
    } else if (kind == SPEAN_UNLOCK_CREDENTIAL && fields == CREDENTIAL_FIELDS) {
        wrap->kind = SPEAN_UNLOCK_CREDENTIAL;
    } else {
        spean_reader_fail(r, SPEAN_EFORMAT);
    }
    spean_reader_bin_fixed(r, wrap->nonce, sizeof(wrap->nonce));
    spean_reader_bin_fixed(r, wrap->key, sizeof(wrap->key));
}

struct package {
    struct spean_wrap wrap;
    uint8_t nonce[SPEAN_AEAD_NONCE_BYTES];
    struct spean_view content; /* Into the bytes read. */
};

static spean_err package_read(struct spean_view bytes, struct package *package)
{
    struct spean_reader r;
    spean_reader_init(&r, bytes);
    const uint32_t fields = spean_reader_array(&r, 1, FIELDS_MAX);
    const uint64_t version = spean_reader_uint(&r, UINT32_MAX);
    if (!spean_reader_failed(&r) && version > VERSION) {
        return SPEAN_EVERSION;
    }
    if (version != VERSION || fields != PACKAGE_FIELDS) {
        spean_reader_fail(&r, SPEAN_EFORMAT);
    }
    wrap_read(&r, &package->wrap);
    spean_reader_bin_fixed(&r, package->nonce, sizeof(package->nonce));
    package->content = spean_reader_bin(&r, SPEAN_AEAD_TAG_BYTES,
                                        SPEAN_WRAP_CONTENT_BYTES_MAX + SPEAN_AEAD_TAG_BYTES);
    return spean_reader_end(&r);
}

/* Additional data of the wrapped key: what it opens, and at which cost. */
static struct spean_view key_ad(const char *domain, const struct spean_wrap *wrap,
                                uint8_t buf[AD_BYTES_MAX])
{
    const bool costs = wrap->kind == SPEAN_UNLOCK_PASSPHRASE;
    struct spean_writer w;
    spean_writer_init(&w, buf, AD_BYTES_MAX);
    spean_writer_array(&w, costs ? 5 : 2);
    spean_writer_str(&w, domain, strlen(domain));
    spean_writer_uint(&w, wrap->kind);
    if (costs) {
        spean_writer_uint(&w, wrap->ops);
        spean_writer_uint(&w, wrap->mib);
        spean_writer_bin(&w, wrap->salt, sizeof(wrap->salt));
    }
    struct spean_view ad = {0};
    const spean_err err = spean_writer_end(&w, &ad);
    assert(err == SPEAN_OK); /* Domains are constants of ours, and short. */
    return ad;
}

/* Additional data of the content: what it is, and the whole wrap. */
static struct spean_view content_ad(const char *domain, const struct spean_wrap *wrap,
                                    uint8_t buf[AD_BYTES_MAX])
{
    struct spean_writer w;
    spean_writer_init(&w, buf, AD_BYTES_MAX);
    spean_writer_array(&w, 3);
    spean_writer_str(&w, domain, strlen(domain));
    spean_writer_uint(&w, VERSION);
    wrap_write(&w, wrap);
    struct spean_view ad = {0};
    const spean_err err = spean_writer_end(&w, &ad);
    assert(err == SPEAN_OK);
    return ad;
}

/* -- Sealing --------------------------------------------------------------------------------- */

/* Derive the key that wraps the wrapping key, at the costs and with the salt of wrap. */
static spean_err derive(const struct spean_wrap *wrap, const struct spean_unlock *unlock,
                        uint8_t out[SPEAN_KEY_BYTES])
{
    if (wrap->kind == SPEAN_UNLOCK_CREDENTIAL) {
        struct spean_hash h;
        spean_hash_begin_keyed(&h, CREDENTIAL_DOMAIN, unlock->bytes.data, unlock->bytes.len,
                               SPEAN_KEY_BYTES);
        spean_hash_end(&h, out, SPEAN_KEY_BYTES);
        return SPEAN_OK;
    }
    assert(cost_valid(wrap->ops, wrap->mib));
    const int failed = crypto_pwhash(out, SPEAN_KEY_BYTES, (const char *)unlock->bytes.data,
                                     unlock->bytes.len, wrap->salt, wrap->ops,
                                     wrap->mib * BYTES_PER_MIB, crypto_pwhash_ALG_ARGON2ID13);
    return failed == 0 ? SPEAN_OK : SPEAN_ENOMEM; /* All else was checked before. */
}

spean_err spean_wrap_new(const char *domain, const struct spean_unlock *unlock,
                         struct spean_wrap *wrap, uint8_t key[SPEAN_KEY_BYTES])
{
    assert(domain != NULL);
    assert(unlock != NULL);
    assert(wrap != NULL);
    assert(key != NULL);

    struct spean_wrap fresh = {.kind = unlock->kind};
    if (!unlock_valid(unlock)) {
        return SPEAN_EINPUT;
    }
    if (unlock->kind == SPEAN_UNLOCK_PASSPHRASE) {
        fresh.ops = unlock->ops != 0 ? unlock->ops : SPEAN_WRAP_OPS_DEFAULT;
        fresh.mib = unlock->mib != 0 ? unlock->mib : SPEAN_WRAP_MIB_DEFAULT;
        if (!cost_valid(fresh.ops, fresh.mib)) {
            return SPEAN_EINPUT;
        }
    }
    void *derived;
    spean_err err = spean_secret_alloc(SPEAN_KEY_BYTES, &derived);
    if (err != SPEAN_OK) {
        return err;
    }

    randombytes_buf(fresh.salt, sizeof(fresh.salt));
    randombytes_buf(fresh.nonce, sizeof(fresh.nonce));
    err = derive(&fresh, unlock, derived);
    if (err == SPEAN_OK) {
        uint8_t ad[AD_BYTES_MAX];
        randombytes_buf(key, SPEAN_KEY_BYTES);
        err =
            spean_aead_seal(fresh.key, sizeof(fresh.key), derived, fresh.nonce,
                            key_ad(domain, &fresh, ad), (struct spean_view){key, SPEAN_KEY_BYTES});
        assert(err == SPEAN_OK);
        *wrap = fresh;
    }
    spean_secret_free(derived);
    return err;
}

spean_err spean_wrap_seal(const char *domain, const struct spean_wrap *wrap,
                          const uint8_t key[SPEAN_KEY_BYTES], struct spean_view content,
                          uint8_t *buf, size_t cap, size_t *len)
{
    assert(domain != NULL);
    assert(wrap != NULL);
    assert(key != NULL);
    assert(buf != NULL);
    assert(len != NULL);

    if (content.len > SPEAN_WRAP_CONTENT_BYTES_MAX) {
        return SPEAN_ELIMIT;
    }
    const size_t sealed_len = content.len + SPEAN_AEAD_TAG_BYTES;
    uint8_t *sealed = malloc(sealed_len);
    if (sealed == NULL) {
        return SPEAN_ENOMEM;
    }
    uint8_t nonce[SPEAN_AEAD_NONCE_BYTES];
    uint8_t ad[AD_BYTES_MAX];
    randombytes_buf(nonce, sizeof(nonce));
    spean_err err =
        spean_aead_seal(sealed, sealed_len, key, nonce, content_ad(domain, wrap, ad), content);
    assert(err == SPEAN_OK); /* There is room. */

    struct spean_writer w;
    spean_writer_init(&w, buf, cap);
    spean_writer_array(&w, PACKAGE_FIELDS);
    spean_writer_uint(&w, VERSION);
    wrap_write(&w, wrap);
    spean_writer_bin(&w, nonce, sizeof(nonce));
    spean_writer_bin(&w, sealed, sealed_len);
    free(sealed);
    struct spean_view whole;
    err = spean_writer_end(&w, &whole);
    if (err == SPEAN_OK) {
        *len = whole.len;
    }
    return err;
}

/* -- Opening --------------------------------------------------------------------------------- */

/* Open the wrapping key of wrap into key. */
static spean_err key_open(const char *domain, const struct spean_wrap *wrap,
                          const struct spean_unlock *unlock, uint8_t key[SPEAN_KEY_BYTES])
{
    void *derived;
    spean_err err = spean_secret_alloc(SPEAN_KEY_BYTES, &derived);
    if (err != SPEAN_OK) {
        return err;
    }
    err = derive(wrap, unlock, derived);
    if (err == SPEAN_OK) {
        uint8_t ad[AD_BYTES_MAX];
        err = spean_aead_open(key, SPEAN_KEY_BYTES, derived, wrap->nonce, key_ad(domain, wrap, ad),
                              (struct spean_view){wrap->key, sizeof(wrap->key)});
        err = err == SPEAN_OK ? SPEAN_OK : SPEAN_EPASSPHRASE;
    }
    spean_secret_free(derived);
    return err;
}

spean_err spean_wrap_open(const char *domain, struct spean_view package,
                          const struct spean_unlock *unlock, struct spean_wrap *wrap,
                          uint8_t key[SPEAN_KEY_BYTES], uint8_t *buf, size_t cap, size_t *len)
{
    assert(domain != NULL);
    assert(unlock != NULL);
    assert(wrap != NULL);
    assert(key != NULL);
    assert(buf != NULL);
    assert(len != NULL);

    if (!unlock_valid(unlock)) {
        return SPEAN_EINPUT;
    }
    struct package read;
    spean_err err = package_read(package, &read);
    if (err != SPEAN_OK) {
        return err;
    }
    if (read.wrap.kind != unlock->kind) {
        return SPEAN_ESTATE;
    }
    const size_t content_len = read.content.len - SPEAN_AEAD_TAG_BYTES;
    if (content_len > cap) {
        return SPEAN_ELIMIT;
    }
    err = key_open(domain, &read.wrap, unlock, key);
    if (err != SPEAN_OK) {
        return err;
    }
    uint8_t ad[AD_BYTES_MAX];
    if (spean_aead_open(buf, cap, key, read.nonce, content_ad(domain, &read.wrap, ad),
                        read.content) != SPEAN_OK) {
        return SPEAN_ECORRUPT;
    }
    *wrap = read.wrap;
    *len = content_len;
    return SPEAN_OK;
}
