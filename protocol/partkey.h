/*
 * protocol/partkey.h - what shows that one holds a part's key (PROTOCOL.md, 7).
 *
 * key and part -> key proof -> commitment in a log -> tag in that log. Each arrow is one way.
 * Whoever holds the proof can name the part's entries in every log and fetch them, and can read
 * nothing. A key that is granted for another part too has another proof there, so that nobody who
 * knows a key takes the tags of its part.
 */
#ifndef SPEAN_PROTOCOL_PARTKEY_H
#define SPEAN_PROTOCOL_PARTKEY_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/bytes.h"

/* A part as grants name it: they may name numbers that no part can have (P8.4). */
struct spean_keyed_part {
    struct spean_record_id record;
    uint64_t part;
};

/*
 * Compute the key proof of a key for a part, or with NULL for the part that of the wrapping key of
 * an org-key grant. Show it only to parties of the part and to relays.
 */
void spean_partkey_proof(struct spean_id *proof, const uint8_t key[SPEAN_KEY_BYTES],
                         const struct spean_keyed_part *part);

/* Compute the commitment in a log to the key that has this proof. */
void spean_partkey_commitment(struct spean_id *commitment, const struct spean_id *proof,
                              const struct spean_id *log);

/* Compute the tag that entries of a log bear for the key that has this proof. */
void spean_partkey_tag(struct spean_tag *tag, const struct spean_id *proof,
                       const struct spean_id *log);

/* Say whether key for part (as above) gives commitment in log. Takes the same time for every key.
 */
bool spean_partkey_commits(const uint8_t key[SPEAN_KEY_BYTES], const struct spean_keyed_part *part,
                           const struct spean_id *log, const struct spean_id *commitment);

/* Say whether key for part (as above) gives tag in log. Takes the same time for every key. */
bool spean_partkey_bears(const uint8_t key[SPEAN_KEY_BYTES], const struct spean_keyed_part *part,
                         const struct spean_id *log, const struct spean_tag *tag);

#endif
