#include "protocol/hash.h"

#include <assert.h>
#include <string.h>

static void domain_add(struct spean_hash *h, const char *domain)
{
    const size_t len = strlen(domain);
    assert(len > 0);
    assert(len <= SPEAN_DOMAIN_BYTES_MAX);

    uint8_t prefix[1 + SPEAN_DOMAIN_BYTES_MAX];
    prefix[0] = (uint8_t)len;
    memcpy(prefix + 1, domain, len);
    spean_hash_update(h, prefix, 1 + len);
}

void spean_hash_begin(struct spean_hash *h, const char *domain, size_t out_len)
{
    assert(h != NULL);
    assert(domain != NULL);
    assert(out_len >= SPEAN_HASH_BYTES_MIN);
    assert(out_len <= SPEAN_HASH_BYTES_MAX);

    const int failed = crypto_generichash_init(&h->state, NULL, 0, out_len);
    assert(failed == 0);
    domain_add(h, domain);
}

void spean_hash_begin_keyed(struct spean_hash *h, const char *domain, const uint8_t *key,
                            size_t key_len, size_t out_len)
{
    assert(h != NULL);
    assert(domain != NULL);
    assert(key != NULL);
    assert(key_len >= SPEAN_HASH_KEY_BYTES_MIN);
    assert(key_len <= SPEAN_HASH_KEY_BYTES_MAX);
    assert(out_len >= SPEAN_HASH_BYTES_MIN);
    assert(out_len <= SPEAN_HASH_BYTES_MAX);

    const int failed = crypto_generichash_init(&h->state, key, key_len, out_len);
    assert(failed == 0);
    domain_add(h, domain);
}

void spean_hash_update(struct spean_hash *h, const void *data, size_t len)
{
    assert(h != NULL);
    assert(data != NULL || len == 0);

    if (len > 0) {
        const int failed = crypto_generichash_update(&h->state, data, len);
        assert(failed == 0);
    }
}

void spean_hash_end(struct spean_hash *h, uint8_t *out, size_t out_len)
{
    assert(h != NULL);
    assert(out != NULL);

    /* Wipes the state as well. */
    const int failed = crypto_generichash_final(&h->state, out, out_len);
    assert(failed == 0);
}

void spean_hash(uint8_t *out, size_t out_len, const char *domain, const void *data, size_t len)
{
    struct spean_hash h;
    spean_hash_begin(&h, domain, out_len);
    spean_hash_update(&h, data, len);
    spean_hash_end(&h, out, out_len);
}
