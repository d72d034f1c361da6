#include "protocol/sign.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#define COMPOSED_BYTES_MAX (1u + SPEAN_DOMAIN_BYTES_MAX + SPEAN_SIGN_MESSAGE_BYTES_MAX)

_Static_assert(SPEAN_SIGNER_BYTES == crypto_sign_SECRETKEYBYTES, "secret key");
_Static_assert(SPEAN_KEY_BYTES == crypto_sign_SEEDBYTES, "seed");
_Static_assert(SPEAN_KEY_BYTES == crypto_sign_PUBLICKEYBYTES, "public key");
_Static_assert(SPEAN_SIGNATURE_BYTES == crypto_sign_BYTES, "signature");

/* Put the domain and msg into out, which Ed25519 reads twice, and return their length. */
static size_t compose(uint8_t out[COMPOSED_BYTES_MAX], const char *domain, struct spean_view msg)
{
    const size_t domain_len = strlen(domain);
    assert(domain_len > 0);
    assert(domain_len <= SPEAN_DOMAIN_BYTES_MAX);
    assert(msg.len <= SPEAN_SIGN_MESSAGE_BYTES_MAX);

    out[0] = (uint8_t)domain_len;
    memcpy(out + 1, domain, domain_len);
    if (msg.len > 0) {
        memcpy(out + 1 + domain_len, msg.data, msg.len);
    }
    return 1 + domain_len + msg.len;
}

void spean_sign_public(struct spean_key *key, const uint8_t seed[SPEAN_KEY_BYTES])
{
    assert(key != NULL);
    assert(seed != NULL);

    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    const int failed = crypto_sign_seed_keypair(key->bytes, secret, seed);
    assert(failed == 0);
    sodium_memzero(secret, sizeof(secret));
}

void spean_signer_init(struct spean_signer *signer, const uint8_t seed[SPEAN_KEY_BYTES])
{
    assert(signer != NULL);
    assert(seed != NULL);

    uint8_t key[crypto_sign_PUBLICKEYBYTES]; /* Also the second half of the secret. */
    const int failed = crypto_sign_seed_keypair(key, signer->secret, seed);
    assert(failed == 0);
}

void spean_signer_fini(struct spean_signer *signer)
{
    assert(signer != NULL);

    sodium_memzero(signer, sizeof(*signer));
}

void spean_signer_sign(struct spean_signature *sig, const char *domain, struct spean_view msg,
                       const struct spean_signer *signer)
{
    assert(sig != NULL);
    assert(domain != NULL);
    assert(signer != NULL);

    uint8_t composed[COMPOSED_BYTES_MAX];
    const size_t len = compose(composed, domain, msg);
    const int failed = crypto_sign_detached(sig->bytes, NULL, composed, len, signer->secret);
    assert(failed == 0);
}

void spean_sign(struct spean_signature *sig, const char *domain, struct spean_view msg,
                const uint8_t seed[SPEAN_KEY_BYTES])
{
    struct spean_signer signer;
    spean_signer_init(&signer, seed);
    spean_signer_sign(sig, domain, msg, &signer);
    spean_signer_fini(&signer);
}

spean_err spean_verify(const struct spean_signature *sig, const char *domain, struct spean_view msg,
                       const struct spean_key *key)
{
    assert(sig != NULL);
    assert(domain != NULL);
    assert(key != NULL);

    if (msg.len > SPEAN_SIGN_MESSAGE_BYTES_MAX) {
        return SPEAN_ELIMIT;
    }
    uint8_t composed[COMPOSED_BYTES_MAX];
    const size_t len = compose(composed, domain, msg);
    const int failed = crypto_sign_verify_detached(sig->bytes, composed, len, key->bytes);
    return failed == 0 ? SPEAN_OK : SPEAN_ESIGNATURE;
}
