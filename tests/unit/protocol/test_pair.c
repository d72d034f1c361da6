#include "protocol/pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "protocol/domains.h"
#include "tests/unit/protocol/hex.h"

struct fixture {
    uint8_t alice[SPEAN_KEY_BYTES];
    uint8_t bob[SPEAN_KEY_BYTES];
    struct spean_key alice_key;
    struct spean_key bob_key;
};

/* RFC 7748, 6.1. Bob's public key is the higher one. */
static struct fixture rfc_7748(void)
{
    struct fixture f;
    from_hex(f.alice, 32, "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
    from_hex(f.bob, 32, "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
    from_hex(f.alice_key.bytes, 32,
             "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
    from_hex(f.bob_key.bytes, 32,
             "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
    return f;
}

static void public_keys_are_those_of_rfc_7748(void **state)
{
    (void)state;
    const struct fixture f = rfc_7748();
    struct spean_key key;
    spean_x25519_public(&key, f.alice);
    assert_true(spean_key_equal(&key, &f.alice_key));
    spean_x25519_public(&key, f.bob);
    assert_true(spean_key_equal(&key, &f.bob_key));
}

static void both_sides_get_the_hash_of_the_rfc_secret_and_the_ordered_keys(void **state)
{
    (void)state;
    const struct fixture f = rfc_7748();
    uint8_t composed[13 + 3 * 32];
    uint8_t expected[SPEAN_KEY_BYTES];
    memcpy(composed, "\x0cspean/test/1", 13);
    from_hex(composed + 13, 32, "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
    memcpy(composed + 13 + 32, f.alice_key.bytes, 32);
    memcpy(composed + 13 + 64, f.bob_key.bytes, 32);
    assert_int_equal(crypto_generichash(expected, 32, composed, sizeof(composed), NULL, 0), 0);

    uint8_t key[SPEAN_KEY_BYTES];
    assert_int_equal(spean_pair_key(key, SPEAN_DOMAIN_TEST, f.alice, &f.alice_key, &f.bob_key),
                     SPEAN_OK);
    assert_memory_equal(key, expected, sizeof(key));
    memset(key, 0, sizeof(key));
    assert_int_equal(spean_pair_key(key, SPEAN_DOMAIN_TEST, f.bob, &f.bob_key, &f.alice_key),
                     SPEAN_OK);
    assert_memory_equal(key, expected, sizeof(key));
}

static void another_domain_is_another_key(void **state)
{
    (void)state;
    const struct fixture f = rfc_7748();
    uint8_t a[SPEAN_KEY_BYTES];
    uint8_t b[SPEAN_KEY_BYTES];
    assert_int_equal(spean_pair_key(a, "spean/test/1", f.alice, &f.alice_key, &f.bob_key),
                     SPEAN_OK);
    assert_int_equal(spean_pair_key(b, "spean/test/2", f.alice, &f.alice_key, &f.bob_key),
                     SPEAN_OK);
    assert_memory_not_equal(a, b, sizeof(a));
}

static void points_of_low_order_are_refused_and_give_no_key(void **state)
{
    (void)state;
    static const char *const points[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };
    const struct fixture f = rfc_7748();
    for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
        struct spean_key theirs;
        uint8_t key[SPEAN_KEY_BYTES] = {7};
        const uint8_t before[SPEAN_KEY_BYTES] = {7};
        from_hex(theirs.bytes, 32, points[i]);
        assert_int_equal(spean_pair_key(key, SPEAN_DOMAIN_TEST, f.alice, &f.alice_key, &theirs),
                         SPEAN_ESIGNATURE);
        assert_memory_equal(key, before, sizeof(key));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(public_keys_are_those_of_rfc_7748),
        cmocka_unit_test(both_sides_get_the_hash_of_the_rfc_secret_and_the_ordered_keys),
        cmocka_unit_test(another_domain_is_another_key),
        cmocka_unit_test(points_of_low_order_are_refused_and_give_no_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
