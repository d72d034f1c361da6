#include "protocol/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/protocol/hex.h"

/* Expected values: Python's hashlib.blake2b over b"\x0cspean/test/1" + b"abc". */

static void a_hash_is_blake2b_over_the_composed_bytes(void **state)
{
    (void)state;
    uint8_t expected[32];
    uint8_t got[32];
    from_hex(expected, 32, "d5c6f2a66abce3bfc2385990b73900316e43213d224008a91dbc19ff107a381c");
    spean_hash(got, 32, SPEAN_DOMAIN_TEST, "abc", 3);
    assert_memory_equal(got, expected, 32);

    from_hex(expected, 16, "48fb1056ec595586a1dab6972edbd168");
    spean_hash(got, 16, SPEAN_DOMAIN_TEST, "abc", 3);
    assert_memory_equal(got, expected, 16);
}

static void a_keyed_hash_is_keyed_blake2b_over_the_composed_bytes(void **state)
{
    (void)state;
    uint8_t key[32];
    uint8_t expected[32];
    uint8_t got[32];
    for (size_t i = 0; i < sizeof(key); i++) {
        key[i] = (uint8_t)i;
    }
    from_hex(expected, 32, "62b22c8b9bd0526c2d4b9933e2b8afeaf1f7630eab8ff2bbc267c884b019f34d");
    struct spean_hash h;
    spean_hash_begin_keyed(&h, SPEAN_DOMAIN_TEST, key, sizeof(key), 32);
    spean_hash_update(&h, "abc", 3);
    spean_hash_end(&h, got, 32);
    assert_memory_equal(got, expected, 32);
}

static void the_library_is_blake2b_of_rfc_7693(void **state)
{
    (void)state;
    uint8_t expected[64];
    uint8_t got[64];
    from_hex(expected, 64,
             "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
             "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923");
    assert_int_equal(crypto_generichash(got, 64, (const uint8_t *)"abc", 3, NULL, 0), 0);
    assert_memory_equal(got, expected, 64);
}

static void a_message_in_pieces_hashes_like_one(void **state)
{
    (void)state;
    uint8_t message[300];
    uint8_t expected[32];
    for (size_t i = 0; i < sizeof(message); i++) {
        message[i] = (uint8_t)(i * 7);
    }
    spean_hash(expected, 32, SPEAN_DOMAIN_TEST, message, sizeof(message));
    for (size_t split = 0; split <= sizeof(message); split++) {
        uint8_t got[32];
        struct spean_hash h;
        spean_hash_begin(&h, SPEAN_DOMAIN_TEST, 32);
        spean_hash_update(&h, message, split);
        spean_hash_update(&h, NULL, 0);
        spean_hash_update(&h, message + split, sizeof(message) - split);
        spean_hash_end(&h, got, 32);
        assert_memory_equal(got, expected, 32);
    }
}

static void a_byte_moved_from_domain_to_message_is_another_hash(void **state)
{
    (void)state;
    uint8_t a[32];
    uint8_t b[32];
    spean_hash(a, 32, "spean/test/1", "2abc", 4);
    spean_hash(b, 32, "spean/test/12", "abc", 3);
    assert_memory_not_equal(a, b, 32);
}

static void another_domain_is_another_hash(void **state)
{
    (void)state;
    uint8_t a[32];
    uint8_t b[32];
    spean_hash(a, 32, "spean/test/1", "abc", 3);
    spean_hash(b, 32, "spean/test/2", "abc", 3);
    assert_memory_not_equal(a, b, 32);
}

static void a_shorter_hash_is_no_prefix_of_a_longer_one(void **state)
{
    (void)state;
    uint8_t a[16];
    uint8_t b[32];
    spean_hash(a, 16, SPEAN_DOMAIN_TEST, "abc", 3);
    spean_hash(b, 32, SPEAN_DOMAIN_TEST, "abc", 3);
    assert_memory_not_equal(a, b, 16);
}

static void an_ended_hash_holds_no_trace_of_its_key(void **state)
{
    (void)state;
    uint8_t key[32];
    uint8_t out[32];
    struct spean_hash h;
    memset(key, 0xa5, sizeof(key));
    memset(&h, 0, sizeof(h));
    spean_hash_begin_keyed(&h, SPEAN_DOMAIN_TEST, key, sizeof(key), 32);
    spean_hash_end(&h, out, 32);

    uint8_t bytes[sizeof(h)];
    memcpy(bytes, &h, sizeof(h));
    for (size_t i = 0; i + 4 <= sizeof(bytes); i++) {
        assert_memory_not_equal(bytes + i, key, 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hash_is_blake2b_over_the_composed_bytes),
        cmocka_unit_test(a_keyed_hash_is_keyed_blake2b_over_the_composed_bytes),
        cmocka_unit_test(the_library_is_blake2b_of_rfc_7693),
        cmocka_unit_test(a_message_in_pieces_hashes_like_one),
        cmocka_unit_test(a_byte_moved_from_domain_to_message_is_another_hash),
        cmocka_unit_test(another_domain_is_another_hash),
        cmocka_unit_test(a_shorter_hash_is_no_prefix_of_a_longer_one),
        cmocka_unit_test(an_ended_hash_holds_no_trace_of_its_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
