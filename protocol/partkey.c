#include "protocol/partkey.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "protocol/domains.h"
#include "protocol/hash.h"

void spean_partkey_proof(struct spean_id *proof, const uint8_t key[SPEAN_KEY_BYTES],
                         const struct spean_keyed_part *part)
{
    assert(proof != NULL);
    assert(key != NULL);

    static const struct spean_keyed_part none;
    const struct spean_keyed_part *const of = part != NULL ? part : &none;
    uint8_t number[8];
    spean_u64_put(number, of->part);
    struct spean_hash h;
    spean_hash_begin(&h, SPEAN_DOMAIN_KEY_PROOF, sizeof(proof->bytes));
    spean_hash_update(&h, key, SPEAN_KEY_BYTES);
    spean_hash_update(&h, of->record.bytes, sizeof(of->record.bytes));
    spean_hash_update(&h, number, sizeof(number));
    spean_hash_end(&h, proof->bytes, sizeof(proof->bytes));
}

void spean_partkey_commitment(struct spean_id *commitment, const struct spean_id *proof,
                              const struct spean_id *log)
{
    assert(commitment != NULL);
    assert(proof != NULL);
    assert(log != NULL);

    struct spean_hash h;
    spean_hash_begin(&h, SPEAN_DOMAIN_COMMITMENT, sizeof(commitment->bytes));
    spean_hash_update(&h, proof->bytes, sizeof(proof->bytes));
    spean_hash_update(&h, log->bytes, sizeof(log->bytes));
    spean_hash_end(&h, commitment->bytes, sizeof(commitment->bytes));
}

void spean_partkey_tag(struct spean_tag *tag, const struct spean_id *proof,
                       const struct spean_id *log)
{
    struct spean_id commitment;
    spean_partkey_commitment(&commitment, proof, log);
    memcpy(tag->bytes, commitment.bytes, sizeof(tag->bytes));
}

/* The commitment to a key for a part in a log. */
static struct spean_id commitment_of(const uint8_t key[SPEAN_KEY_BYTES],
                                     const struct spean_keyed_part *part,
                                     const struct spean_id *log)
{
    struct spean_id proof;
    struct spean_id commitment;
    spean_partkey_proof(&proof, key, part);
    spean_partkey_commitment(&commitment, &proof, log);
    return commitment;
}

bool spean_partkey_commits(const uint8_t key[SPEAN_KEY_BYTES], const struct spean_keyed_part *part,
                           const struct spean_id *log, const struct spean_id *commitment)
{
    assert(commitment != NULL);

    const struct spean_id ours = commitment_of(key, part, log);
    return sodium_memcmp(ours.bytes, commitment->bytes, sizeof(ours.bytes)) == 0;
}

bool spean_partkey_bears(const uint8_t key[SPEAN_KEY_BYTES], const struct spean_keyed_part *part,
                         const struct spean_id *log, const struct spean_tag *tag)
{
    assert(tag != NULL);

    const struct spean_id ours = commitment_of(key, part, log);
    return sodium_memcmp(ours.bytes, tag->bytes, sizeof(tag->bytes)) == 0;
}
