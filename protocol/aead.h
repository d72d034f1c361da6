/*
 * protocol/aead.h - XChaCha20-Poly1305 (IETF), the only cipher here.
 *
 * It does not commit to its key: two keys can open one ciphertext. Where it matters which key it
 * was, the caller compares a commitment to the key before opening.
 */
#ifndef SPEAN_PROTOCOL_AEAD_H
#define SPEAN_PROTOCOL_AEAD_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/err.h"

#define SPEAN_AEAD_NONCE_BYTES 24u
#define SPEAN_AEAD_TAG_BYTES   16u /* What sealing adds. */

/*
 * Seal plaintext into out: plaintext.len bytes of ciphertext and the tag. A nonce serves once per
 * key. out may be the plaintext itself, but not overlap it otherwise.
 * SPEAN_ELIMIT: out_cap is too small; out is unchanged.
 */
SPEAN_CHECK spean_err spean_aead_seal(uint8_t *out, size_t out_cap,
                                      const uint8_t key[SPEAN_KEY_BYTES],
                                      const uint8_t nonce[SPEAN_AEAD_NONCE_BYTES],
                                      struct spean_view ad, struct spean_view plaintext);

/*
 * Open sealed into out: sealed.len - SPEAN_AEAD_TAG_BYTES bytes. out may be sealed itself.
 * SPEAN_ESIGNATURE: key, nonce, ad or a byte of sealed is another one than at sealing; out may have
 * been zeroed. SPEAN_ELIMIT: out_cap is too small; out is unchanged.
 */
SPEAN_CHECK spean_err spean_aead_open(uint8_t *out, size_t out_cap,
                                      const uint8_t key[SPEAN_KEY_BYTES],
                                      const uint8_t nonce[SPEAN_AEAD_NONCE_BYTES],
                                      struct spean_view ad, struct spean_view sealed);

#endif
