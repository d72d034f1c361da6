#include "protocol/pair.h"

#include <assert.h>
#include <sodium.h>
#include <stdbool.h>
#include <string.h>

#include "protocol/hash.h"

_Static_assert(SPEAN_KEY_BYTES == crypto_scalarmult_BYTES, "X25519 key");
_Static_assert(SPEAN_KEY_BYTES == crypto_scalarmult_SCALARBYTES, "X25519 secret");

void spean_x25519_public(struct spean_key *key, const uint8_t secret[SPEAN_KEY_BYTES])
{
    assert(key != NULL);
    assert(secret != NULL);

    const int failed = crypto_scalarmult_base(key->bytes, secret);
    assert(failed == 0);
}

spean_err spean_pair_key(uint8_t out[SPEAN_KEY_BYTES], const char *domain,
                         const uint8_t secret[SPEAN_KEY_BYTES], const struct spean_key *ours,
                         const struct spean_key *theirs)
{
    assert(out != NULL);
    assert(domain != NULL);
    assert(secret != NULL);
    assert(ours != NULL);
    assert(theirs != NULL);

    uint8_t shared[crypto_scalarmult_BYTES];
    if (crypto_scalarmult(shared, secret, theirs->bytes) != 0) {
        sodium_memzero(shared, sizeof(shared));
        return SPEAN_ESIGNATURE;
    }
    const bool ours_lower = memcmp(ours->bytes, theirs->bytes, SPEAN_KEY_BYTES) < 0;
    const struct spean_key *const lower = ours_lower ? ours : theirs;
    const struct spean_key *const higher = ours_lower ? theirs : ours;

    struct spean_hash h;
    spean_hash_begin(&h, domain, SPEAN_KEY_BYTES);
    spean_hash_update(&h, shared, sizeof(shared));
    spean_hash_update(&h, lower->bytes, SPEAN_KEY_BYTES);
    spean_hash_update(&h, higher->bytes, SPEAN_KEY_BYTES);
    spean_hash_end(&h, out, SPEAN_KEY_BYTES);
    sodium_memzero(shared, sizeof(shared));
    return SPEAN_OK;
}
