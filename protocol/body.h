/* protocol/body.h - content as it is stored and as it travels: public or sealed (PROTOCOL.md, 6).
 */
#ifndef SPEAN_PROTOCOL_BODY_H
#define SPEAN_PROTOCOL_BODY_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/aead.h"
#include "protocol/bytes.h"
#include "protocol/err.h"
#include "protocol/limits.h"
#include "protocol/partkey.h"

#define SPEAN_BODY_SALT_BYTES 16u /* Before public content: its hash then confirms no guess. */
#define SPEAN_BODY_SEAL_BYTES (SPEAN_AEAD_NONCE_BYTES + SPEAN_AEAD_TAG_BYTES)

/* The longest content. Sealed, more would be padded beyond SPEAN_BODY_BYTES_MAX. */
#define SPEAN_BODY_PUBLIC_CONTENT_BYTES_MAX (SPEAN_BODY_BYTES_MAX - SPEAN_BODY_SALT_BYTES)
#define SPEAN_BODY_SEALED_CONTENT_BYTES_MAX 59391u

/*
 * Put a public body of salt, which is random, and content at out; *body is then a view of it.
 * SPEAN_ELIMIT: content is too long, or cap too small.
 */
SPEAN_CHECK spean_err spean_body_wrap(uint8_t *out, size_t cap,
                                      const uint8_t salt[SPEAN_BODY_SALT_BYTES],
                                      struct spean_view content, struct spean_view *body);

/* Give the content of a public body, as a view into it. SPEAN_EFORMAT: too short. SPEAN_ELIMIT. */
SPEAN_CHECK spean_err spean_body_unwrap(struct spean_view body, struct spean_view *content);

/* Return the length of the sealed body of so much content, 0 if it is too long. */
size_t spean_body_sealed_len(size_t content_len);

/*
 * Seal content at out as the body of entry seq of log, under a part's key; *body is then a view of
 * it. nonce is random and never used twice with key; tag is the key's in this log, and goes into
 * the entry's header. SPEAN_ELIMIT: content is too long, or cap too small; out is unchanged.
 */
SPEAN_CHECK spean_err spean_body_seal(uint8_t *out, size_t cap, const uint8_t key[SPEAN_KEY_BYTES],
                                      const uint8_t nonce[SPEAN_AEAD_NONCE_BYTES],
                                      const struct spean_id *log, uint64_t seq,
                                      const struct spean_tag *tag, struct spean_view content,
                                      struct spean_view *body);

/*
 * Open the sealed body of entry seq of log, whose header bears tag, into out; *content is then a
 * view of out, which the caller wipes, also after an error. body.len - SPEAN_BODY_SEAL_BYTES are
 * enough for cap. SPEAN_ESIGNATURE: key for part does not give tag, or body is another one than was
 * sealed: nothing of it can be used. SPEAN_EFORMAT: wrongly padded or too short. SPEAN_ELIMIT.
 */
SPEAN_CHECK spean_err spean_body_open(uint8_t *out, size_t cap, const uint8_t key[SPEAN_KEY_BYTES],
                                      const struct spean_keyed_part *part,
                                      const struct spean_id *log, uint64_t seq,
                                      const struct spean_tag *tag, struct spean_view body,
                                      struct spean_view *content);

#endif
