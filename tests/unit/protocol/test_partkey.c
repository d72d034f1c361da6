#include "protocol/partkey.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

static const uint8_t key[SPEAN_KEY_BYTES] = {1, 2, 3};
static const struct spean_keyed_part part = {{{0x11, 0x12}}, 0x0102};
static const struct spean_id log_a = {{0xa}};
static const struct spean_id log_b = {{0xb}};

/* BLAKE2b over the length of the domain, the domain and the message, by libsodium alone (P1.3). */
static void hash_by_hand(uint8_t out[32], const char *domain, const uint8_t *message, size_t len)
{
    uint8_t buf[128];
    const size_t domain_len = strlen(domain);
    assert_true(1 + domain_len + len <= sizeof(buf));
    buf[0] = (uint8_t)domain_len;
    memcpy(buf + 1, domain, domain_len);
    memcpy(buf + 1 + domain_len, message, len);
    assert_int_equal(crypto_generichash(out, 32, buf, 1 + domain_len + len, NULL, 0), 0);
}

static void proof_commitment_and_tag_are_as_the_protocol_spells_them(void **state)
{
    (void)state;
    uint8_t proof_and_log[64];
    uint8_t commitment_by_hand[32];
    uint8_t key_and_part[32 + 16 + 8] = {0};
    memcpy(key_and_part, key, 32);
    key_and_part[32] = 0x11;
    key_and_part[33] = 0x12;
    key_and_part[54] = 0x01;
    key_and_part[55] = 0x02;
    hash_by_hand(proof_and_log, "spean/key-proof/1", key_and_part, sizeof(key_and_part));
    memcpy(proof_and_log + 32, log_a.bytes, 32);
    hash_by_hand(commitment_by_hand, "spean/commitment/1", proof_and_log, 64);

    struct spean_id proof;
    struct spean_id commitment;
    struct spean_tag tag;
    spean_partkey_proof(&proof, key, &part);
    spean_partkey_commitment(&commitment, &proof, &log_a);
    spean_partkey_tag(&tag, &proof, &log_a);
    assert_memory_equal(proof.bytes, proof_and_log, 32);
    assert_memory_equal(commitment.bytes, commitment_by_hand, 32);
    assert_memory_equal(tag.bytes, commitment_by_hand, 16);
}

static void one_key_has_another_tag_in_each_log(void **state)
{
    (void)state;
    struct spean_id proof;
    struct spean_tag a;
    struct spean_tag b;
    spean_partkey_proof(&proof, key, &part);
    spean_partkey_tag(&a, &proof, &log_a);
    spean_partkey_tag(&b, &proof, &log_b);
    assert_false(spean_tag_equal(&a, &b));
    assert_true(spean_partkey_bears(key, &part, &log_a, &a));
    assert_false(spean_partkey_bears(key, &part, &log_a, &b));
    assert_false(spean_partkey_bears(key, &part, &log_b, &a));
}

static void a_key_commits_only_to_every_byte_of_its_commitment(void **state)
{
    (void)state;
    struct spean_id proof;
    struct spean_id commitment;
    spean_partkey_proof(&proof, key, &part);
    spean_partkey_commitment(&commitment, &proof, &log_a);
    assert_true(spean_partkey_commits(key, &part, &log_a, &commitment));
    assert_false(spean_partkey_commits(key, &part, &log_b, &commitment));
    for (size_t bit = 0; bit < sizeof(commitment) * 8; bit++) {
        commitment.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(spean_partkey_commits(key, &part, &log_a, &commitment));
        commitment.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void another_key_does_not_commit(void **state)
{
    (void)state;
    struct spean_id proof;
    struct spean_id commitment;
    uint8_t other[SPEAN_KEY_BYTES];
    memcpy(other, key, sizeof(other));
    other[31] ^= 0x80;
    spean_partkey_proof(&proof, key, &part);
    spean_partkey_commitment(&commitment, &proof, &log_a);
    assert_false(spean_partkey_commits(other, &part, &log_a, &commitment));
}

static void a_wrapping_key_has_the_proof_of_part_0_of_no_record(void **state)
{
    (void)state;
    const uint8_t key_alone[32 + 16 + 8] = {1, 2, 3};
    uint8_t proof_by_hand[32];
    hash_by_hand(proof_by_hand, "spean/key-proof/1", key_alone, sizeof(key_alone));
    struct spean_id proof;
    spean_partkey_proof(&proof, key, NULL);
    assert_memory_equal(proof.bytes, proof_by_hand, 32);
}

static void one_key_has_another_proof_and_tag_for_each_part(void **state)
{
    (void)state;
    const struct spean_keyed_part others[] = {
        {part.record, 0x0103}, {part.record, 0x0102 + (1ull << 32)}, {{{0x11, 0x13}}, 0x0102}};
    struct spean_id proof;
    struct spean_id commitment;
    struct spean_tag tag;
    spean_partkey_proof(&proof, key, &part);
    spean_partkey_commitment(&commitment, &proof, &log_a);
    spean_partkey_tag(&tag, &proof, &log_a);
    assert_false(spean_partkey_commits(key, NULL, &log_a, &commitment));
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        struct spean_id other;
        spean_partkey_proof(&other, key, &others[i]);
        assert_false(spean_id_equal(&other, &proof));
        assert_false(spean_partkey_commits(key, &others[i], &log_a, &commitment));
        assert_false(spean_partkey_bears(key, &others[i], &log_a, &tag));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(proof_commitment_and_tag_are_as_the_protocol_spells_them),
        cmocka_unit_test(one_key_has_another_tag_in_each_log),
        cmocka_unit_test(a_key_commits_only_to_every_byte_of_its_commitment),
        cmocka_unit_test(another_key_does_not_commit),
        cmocka_unit_test(a_wrapping_key_has_the_proof_of_part_0_of_no_record),
        cmocka_unit_test(one_key_has_another_proof_and_tag_for_each_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
