/*
 * protocol/sign.h - Ed25519 under a domain string.
 *
 * What is signed is: the length of the domain in one byte, the domain, the message. Messages are
 * ids and short strings; anything longer is hashed first.
 */
#ifndef SPEAN_PROTOCOL_SIGN_H
#define SPEAN_PROTOCOL_SIGN_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/domains.h"
#include "protocol/err.h"

#define SPEAN_SIGN_MESSAGE_BYTES_MAX 4096u
#define SPEAN_SIGNER_BYTES           64u

/*
 * A seed made ready for many signatures. As secret as the seed: the caller keeps it in locked
 * memory and ends it with spean_signer_fini().
 */
struct spean_signer {
    uint8_t secret[SPEAN_SIGNER_BYTES];
};

/* Work out the public key of a seed of SPEAN_KEY_BYTES. */
void spean_sign_public(struct spean_key *key, const uint8_t seed[SPEAN_KEY_BYTES]);

void spean_signer_init(struct spean_signer *signer, const uint8_t seed[SPEAN_KEY_BYTES]);
void spean_signer_fini(struct spean_signer *signer); /* Wipes it. */

/* The message is at most SPEAN_SIGN_MESSAGE_BYTES_MAX bytes: our own messages only. */
void spean_signer_sign(struct spean_signature *sig, const char *domain, struct spean_view msg,
                       const struct spean_signer *signer);

/* Sign once from the seed; what is derived from it is wiped. */
void spean_sign(struct spean_signature *sig, const char *domain, struct spean_view msg,
                const uint8_t seed[SPEAN_KEY_BYTES]);

/*
 * Check sig; it holds exactly when libsodium's crypto_sign_verify_detached() says so.
 * SPEAN_ESIGNATURE: it does not; trust nothing of msg. SPEAN_ELIMIT: msg is longer than anything
 * that is ever signed.
 */
SPEAN_CHECK spean_err spean_verify(const struct spean_signature *sig, const char *domain,
                                   struct spean_view msg, const struct spean_key *key);

#endif
