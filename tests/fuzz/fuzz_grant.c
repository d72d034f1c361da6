/*
 * Grants and erasures of any bytes: the content of either is public and comes from anybody. One
 * that is accepted opens to nobody without a key, and its parts can be walked.
 */
#include <assert.h>

#include "protocol/erasure.h"
#include "protocol/grant.h"
#include "tests/fuzz/fuzz.h"

static void check_grant(struct spean_view content)
{
    static uint8_t buf[SPEAN_BODY_BYTES_MAX];
    static const uint8_t keys[1][SPEAN_KEY_BYTES];
    const struct spean_grant_place place = {.seq = 1};
    struct spean_grant grant;
    if (spean_grant_decode(content, &grant) != SPEAN_OK) {
        return;
    }
    uint8_t key[SPEAN_KEY_BYTES];
    struct spean_grant_terms terms;
    struct spean_grant_secrets secrets;
    spean_err err = spean_grant_open(&grant, &place, &place.author, keys, 1, key);
    assert(err != SPEAN_OK);
    err = spean_grant_open_terms(&grant, &place, keys[0], buf, sizeof(buf), &terms);
    assert(err == SPEAN_ESIGNATURE);
    err = spean_grant_open_secrets(&grant, &place, keys[0], buf, sizeof(buf), &secrets);
    assert(err == SPEAN_ESIGNATURE);
}

static void check_erasure(struct spean_view content)
{
    struct spean_erasure erasure;
    if (spean_erasure_decode(content, &erasure) != SPEAN_OK) {
        return;
    }
    for (uint32_t i = 0; i < erasure.proofs_count; i++) {
        struct spean_id proof;
        spean_erasure_proof(&erasure, i, &proof);
    }
    struct spean_view left = erasure.places;
    struct spean_erasure_place place;
    uint32_t count = 0;
    while (spean_erasure_place_next(&left, &place)) {
        count++;
    }
    assert(count == erasure.places_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_grant((struct spean_view){data, size});
    check_erasure((struct spean_view){data, size});
    return 0;
}
