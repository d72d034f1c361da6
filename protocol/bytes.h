/* protocol/bytes.h - the fixed-size byte strings that everything is named, signed and sealed by. */
#ifndef SPEAN_PROTOCOL_BYTES_H
#define SPEAN_PROTOCOL_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPEAN_ID_BYTES        32u /* BLAKE2b-256: ledger, org, log, entry, statement. */
#define SPEAN_RECORD_ID_BYTES 16u /* BLAKE2b-128. */
#define SPEAN_TAG_BYTES       16u /* Names a part's key within one log (PROTOCOL.md, 9). */
#define SPEAN_SHORT_BYTES     8u  /* First bytes of an id, where the place leaves no doubt. */
#define SPEAN_KEY_BYTES       32u /* Every public and secret key here; Ed25519 secrets as seeds. */
#define SPEAN_SIGNATURE_BYTES 64u /* Ed25519. */
#define SPEAN_HANDLE_BYTES    16u /* First bytes of a ledger id (P4.2). */

/* Hash of a statement, charter version, log or entry. Plain value; copy by assignment. */
struct spean_id {
    uint8_t bytes[SPEAN_ID_BYTES];
};

struct spean_record_id {
    uint8_t bytes[SPEAN_RECORD_ID_BYTES];
};

struct spean_tag {
    uint8_t bytes[SPEAN_TAG_BYTES];
};

/* A public key. Secret keys live only in locked memory and have no struct of their own. */
struct spean_key {
    uint8_t bytes[SPEAN_KEY_BYTES];
};

struct spean_signature {
    uint8_t bytes[SPEAN_SIGNATURE_BYTES];
};

/* What names a ledger before its charter is known. */
struct spean_handle {
    uint8_t bytes[SPEAN_HANDLE_BYTES];
};

/* Bytes that belong to somebody else; valid as long as the owner says. */
struct spean_view {
    const uint8_t *data; /* May be NULL when len is 0. */
    size_t len;
};

/* Order ids as byte strings: negative, 0, positive like memcmp(). Not for secrets. */
int spean_id_compare(const struct spean_id *a, const struct spean_id *b);
bool spean_id_equal(const struct spean_id *a, const struct spean_id *b);
bool spean_record_id_equal(const struct spean_record_id *a, const struct spean_record_id *b);
bool spean_tag_equal(const struct spean_tag *a, const struct spean_tag *b);
bool spean_key_equal(const struct spean_key *a, const struct spean_key *b);
int spean_key_compare(const struct spean_key *a, const struct spean_key *b);
bool spean_handle_equal(const struct spean_handle *a, const struct spean_handle *b);

/* The handle of the ledger whose id is given. */
struct spean_handle spean_handle_of(const struct spean_id *ledger);

/* Unsigned 64-bit numbers as 8 big-endian bytes. */
void spean_u64_put(uint8_t out[8], uint64_t value);
uint64_t spean_u64_get(const uint8_t bytes[8]);

/* The unsigned 64-bit big-endian number in the first 8 bytes of an id: a log's short name. */
uint64_t spean_short_of(const struct spean_id *id);

#endif
