#include "protocol/sign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "tests/unit/protocol/hex.h"

/* RFC 8032, 7.1, tests 1 and 2. */
static const struct {
    const char *seed;
    const char *key;
    const char *msg;
    size_t msg_len;
    const char *sig;
} rfc_8032[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "", 0,
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
     "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72", 1,
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
     "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
};

static const struct spean_view message = {(const uint8_t *)"an entry id", 11};

struct fixture {
    uint8_t seed[SPEAN_KEY_BYTES];
    struct spean_key key;
    struct spean_signature sig; /* Of message. */
};

static struct fixture signed_message(void)
{
    struct fixture f;
    from_hex(f.seed, sizeof(f.seed), rfc_8032[0].seed);
    spean_sign_public(&f.key, f.seed);
    spean_sign(&f.sig, SPEAN_DOMAIN_TEST, message, f.seed);
    return f;
}

static void keys_and_signers_are_those_of_rfc_8032(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rfc_8032) / sizeof(rfc_8032[0]); i++) {
        uint8_t seed[SPEAN_KEY_BYTES];
        uint8_t expected_key[SPEAN_KEY_BYTES];
        uint8_t expected_sig[SPEAN_SIGNATURE_BYTES];
        uint8_t msg[1] = {0};
        from_hex(seed, sizeof(seed), rfc_8032[i].seed);
        from_hex(expected_key, sizeof(expected_key), rfc_8032[i].key);
        from_hex(expected_sig, sizeof(expected_sig), rfc_8032[i].sig);
        from_hex(msg, rfc_8032[i].msg_len, rfc_8032[i].msg);

        struct spean_key key;
        struct spean_signer signer;
        uint8_t sig[SPEAN_SIGNATURE_BYTES];
        spean_sign_public(&key, seed);
        spean_signer_init(&signer, seed);
        assert_memory_equal(key.bytes, expected_key, sizeof(expected_key));
        assert_int_equal(crypto_sign_detached(sig, NULL, msg, rfc_8032[i].msg_len, signer.secret),
                         0);
        assert_memory_equal(sig, expected_sig, sizeof(sig));
        spean_signer_fini(&signer);
    }
}

static void a_signature_is_ed25519_over_the_composed_bytes(void **state)
{
    (void)state;
    const struct fixture f = signed_message();
    const char composed[] = "\x0cspean/test/1an entry id";
    assert_int_equal(crypto_sign_verify_detached(f.sig.bytes, (const uint8_t *)composed,
                                                 sizeof(composed) - 1, f.key.bytes),
                     0);
    assert_int_equal(spean_verify(&f.sig, SPEAN_DOMAIN_TEST, message, &f.key), SPEAN_OK);
}

static void signer_and_seed_sign_alike(void **state)
{
    (void)state;
    const struct fixture f = signed_message();
    struct spean_signer signer;
    struct spean_signature sig;
    spean_signer_init(&signer, f.seed);
    spean_signer_sign(&sig, SPEAN_DOMAIN_TEST, message, &signer);
    assert_memory_equal(sig.bytes, f.sig.bytes, sizeof(sig.bytes));

    const uint8_t zeros[SPEAN_SIGNER_BYTES] = {0};
    spean_signer_fini(&signer);
    assert_memory_equal(signer.secret, zeros, sizeof(zeros));
}

static void a_signature_serves_one_domain_only(void **state)
{
    (void)state;
    const struct fixture f = signed_message();
    assert_int_equal(spean_verify(&f.sig, "spean/test/2", message, &f.key), SPEAN_ESIGNATURE);
    const struct spean_view shifted = {(const uint8_t *)"1an entry id", 12};
    assert_int_equal(spean_verify(&f.sig, "spean/test/", shifted, &f.key), SPEAN_ESIGNATURE);
}

static void a_signature_with_any_bit_changed_is_refused(void **state)
{
    (void)state;
    struct fixture f = signed_message();
    for (size_t bit = 0; bit < SPEAN_SIGNATURE_BYTES * 8; bit++) {
        f.sig.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(spean_verify(&f.sig, SPEAN_DOMAIN_TEST, message, &f.key),
                         SPEAN_ESIGNATURE);
        f.sig.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void another_key_or_message_is_refused(void **state)
{
    (void)state;
    const struct fixture f = signed_message();
    for (size_t len = 0; len < message.len; len++) {
        const struct spean_view cut = {message.data, len};
        assert_int_equal(spean_verify(&f.sig, SPEAN_DOMAIN_TEST, cut, &f.key), SPEAN_ESIGNATURE);
    }
    struct spean_key other = f.key;
    from_hex(other.bytes, sizeof(other.bytes), rfc_8032[1].key);
    assert_int_equal(spean_verify(&f.sig, SPEAN_DOMAIN_TEST, message, &other), SPEAN_ESIGNATURE);
}

static void a_key_of_low_order_signs_nothing(void **state)
{
    (void)state;
    const struct spean_key identity = {{1}};
    const struct spean_signature sig = {{1}}; /* R is the identity, S is 0. */
    assert_int_equal(spean_verify(&sig, SPEAN_DOMAIN_TEST, message, &identity), SPEAN_ESIGNATURE);
}

static void the_longest_message_is_signed_and_a_longer_one_refused(void **state)
{
    (void)state;
    static const uint8_t bytes[SPEAN_SIGN_MESSAGE_BYTES_MAX + 1];
    struct fixture f = signed_message();
    const struct spean_view longest = {bytes, SPEAN_SIGN_MESSAGE_BYTES_MAX};
    spean_sign(&f.sig, SPEAN_DOMAIN_TEST, longest, f.seed);
    assert_int_equal(spean_verify(&f.sig, SPEAN_DOMAIN_TEST, longest, &f.key), SPEAN_OK);
    const struct spean_view longer = {bytes, sizeof(bytes)};
    assert_int_equal(spean_verify(&f.sig, SPEAN_DOMAIN_TEST, longer, &f.key), SPEAN_ELIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_and_signers_are_those_of_rfc_8032),
        cmocka_unit_test(a_signature_is_ed25519_over_the_composed_bytes),
        cmocka_unit_test(signer_and_seed_sign_alike),
        cmocka_unit_test(a_signature_serves_one_domain_only),
        cmocka_unit_test(a_signature_with_any_bit_changed_is_refused),
        cmocka_unit_test(another_key_or_message_is_refused),
        cmocka_unit_test(a_key_of_low_order_signs_nothing),
        cmocka_unit_test(the_longest_message_is_signed_and_a_longer_one_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
