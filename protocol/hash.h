/*
 * protocol/hash.h - BLAKE2b under a domain string.
 *
 * What is hashed is: the length of the domain in one byte, the domain, the message. So no hash made
 * for one end can be shown as one for another. Domains are the constants of protocol/domains.h.
 */
#ifndef SPEAN_PROTOCOL_HASH_H
#define SPEAN_PROTOCOL_HASH_H

#include <sodium.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/domains.h"

#define SPEAN_HASH_BYTES_MIN     16u /* Of the result; its length is part of what is computed. */
#define SPEAN_HASH_BYTES_MAX     64u
#define SPEAN_HASH_KEY_BYTES_MIN 16u
#define SPEAN_HASH_KEY_BYTES_MAX 64u

/* A hash under way; the caller's memory. Holds nothing secret after spean_hash_end(). */
struct spean_hash {
    crypto_generichash_state state;
};

void spean_hash_begin(struct spean_hash *h, const char *domain, size_t out_len);
void spean_hash_begin_keyed(struct spean_hash *h, const char *domain, const uint8_t *key,
                            size_t key_len, size_t out_len);
void spean_hash_update(struct spean_hash *h, const void *data, size_t len);

/* Write the hash of all that was given; out_len is the one that the hash was begun with. */
void spean_hash_end(struct spean_hash *h, uint8_t *out, size_t out_len);

/* All of the above for a message in one piece. */
void spean_hash(uint8_t *out, size_t out_len, const char *domain, const void *data, size_t len);

#endif
