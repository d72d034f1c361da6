#include "protocol/aead.h"

#include <assert.h>
#include <sodium.h>

_Static_assert(SPEAN_KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "key");
_Static_assert(SPEAN_AEAD_NONCE_BYTES == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "nonce");
_Static_assert(SPEAN_AEAD_TAG_BYTES == crypto_aead_xchacha20poly1305_ietf_ABYTES, "tag");

spean_err spean_aead_seal(uint8_t *out, size_t out_cap, const uint8_t key[SPEAN_KEY_BYTES],
                          const uint8_t nonce[SPEAN_AEAD_NONCE_BYTES], struct spean_view ad,
                          struct spean_view plaintext)
{
    assert(out != NULL);
    assert(key != NULL);
    assert(nonce != NULL);

    if (out_cap < SPEAN_AEAD_TAG_BYTES || out_cap - SPEAN_AEAD_TAG_BYTES < plaintext.len) {
        return SPEAN_ELIMIT;
    }
    const int failed = crypto_aead_xchacha20poly1305_ietf_encrypt(
        out, NULL, plaintext.data, plaintext.len, ad.data, ad.len, NULL, nonce, key);
    assert(failed == 0);
    return SPEAN_OK;
}

spean_err spean_aead_open(uint8_t *out, size_t out_cap, const uint8_t key[SPEAN_KEY_BYTES],
                          const uint8_t nonce[SPEAN_AEAD_NONCE_BYTES], struct spean_view ad,
                          struct spean_view sealed)
{
    assert(out != NULL);
    assert(key != NULL);
    assert(nonce != NULL);

    if (sealed.len < SPEAN_AEAD_TAG_BYTES) {
        return SPEAN_ESIGNATURE;
    }
    if (out_cap < sealed.len - SPEAN_AEAD_TAG_BYTES) {
        return SPEAN_ELIMIT;
    }
    const int failed = crypto_aead_xchacha20poly1305_ietf_decrypt(
        out, NULL, NULL, sealed.data, sealed.len, ad.data, ad.len, nonce, key);
    return failed == 0 ? SPEAN_OK : SPEAN_ESIGNATURE;
}
