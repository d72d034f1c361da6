/* protocol/pair.h - X25519 keys, and the key that two of them share. */
#ifndef SPEAN_PROTOCOL_PAIR_H
#define SPEAN_PROTOCOL_PAIR_H

#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/err.h"

/* Work out the public key of an X25519 secret of SPEAN_KEY_BYTES. */
void spean_x25519_public(struct spean_key *key, const uint8_t secret[SPEAN_KEY_BYTES]);

/*
 * Derive the key that the owner of secret, whose public key is ours, shares with the owner of
 * theirs; both sides get the same. It is BLAKE2b-256 under domain over the X25519 result, the
 * lower public key and the higher one, as byte strings. out is as secret as the secret.
 * SPEAN_ESIGNATURE: theirs is a point of low order, which nobody owns; refuse the statement that
 * names it. out is unchanged.
 */
SPEAN_CHECK spean_err spean_pair_key(uint8_t out[SPEAN_KEY_BYTES], const char *domain,
                                     const uint8_t secret[SPEAN_KEY_BYTES],
                                     const struct spean_key *ours, const struct spean_key *theirs);

#endif
