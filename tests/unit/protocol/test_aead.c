#include "protocol/aead.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/protocol/hex.h"

#define PLAINTEXT_BYTES 114u
#define SEALED_BYTES    (PLAINTEXT_BYTES + SPEAN_AEAD_TAG_BYTES)

static const char plaintext[] = "Ladies and Gentlemen of the class of '99: If I could offer you "
                                "only one tip for the future, sunscreen would be it.";

struct fixture {
    uint8_t key[SPEAN_KEY_BYTES];
    uint8_t nonce[SPEAN_AEAD_NONCE_BYTES];
    uint8_t ad[12];
    uint8_t sealed[SEALED_BYTES];
};

/* draft-irtf-cfrg-xchacha-03, A.3.1. */
static struct fixture draft_vector(void)
{
    struct fixture f;
    from_hex(f.key, 32, "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
    from_hex(f.nonce, 24, "404142434445464748494a4b4c4d4e4f5051525354555657");
    from_hex(f.ad, 12, "50515253c0c1c2c3c4c5c6c7");
    from_hex(f.sealed, SEALED_BYTES,
             "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb"
             "731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452"
             "2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9"
             "21f9664c97637da9768812f615c68b13b52e"
             "c0875924c1c7987947deafd8780acf49");
    return f;
}

static spean_err open_it(const struct fixture *f, size_t sealed_len, uint8_t *out, size_t out_cap)
{
    return spean_aead_open(out, out_cap, f->key, f->nonce,
                           (struct spean_view){f->ad, sizeof(f->ad)},
                           (struct spean_view){f->sealed, sealed_len});
}

static void sealing_and_opening_agree_with_the_published_vector(void **state)
{
    (void)state;
    const struct fixture f = draft_vector();
    uint8_t out[SEALED_BYTES];
    assert_int_equal(
        spean_aead_seal(out, sizeof(out), f.key, f.nonce, (struct spean_view){f.ad, sizeof(f.ad)},
                        (struct spean_view){(const uint8_t *)plaintext, PLAINTEXT_BYTES}),
        SPEAN_OK);
    assert_memory_equal(out, f.sealed, SEALED_BYTES);
    assert_int_equal(open_it(&f, SEALED_BYTES, out, PLAINTEXT_BYTES), SPEAN_OK);
    assert_memory_equal(out, plaintext, PLAINTEXT_BYTES);
}

static void any_bit_changed_anywhere_is_refused(void **state)
{
    (void)state;
    struct fixture f = draft_vector();
    uint8_t *const bytes = (uint8_t *)&f;
    uint8_t out[PLAINTEXT_BYTES];
    for (size_t bit = 0; bit < sizeof(f) * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(open_it(&f, SEALED_BYTES, out, sizeof(out)), SPEAN_ESIGNATURE);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(open_it(&f, SEALED_BYTES, out, sizeof(out)), SPEAN_OK);
}

static void what_is_cut_off_at_any_byte_is_refused(void **state)
{
    (void)state;
    const struct fixture f = draft_vector();
    uint8_t out[PLAINTEXT_BYTES];
    for (size_t len = 0; len < SEALED_BYTES; len++) {
        assert_int_equal(open_it(&f, len, out, sizeof(out)), SPEAN_ESIGNATURE);
    }
}

static void additional_data_left_out_is_refused(void **state)
{
    (void)state;
    const struct fixture f = draft_vector();
    uint8_t out[PLAINTEXT_BYTES];
    assert_int_equal(spean_aead_open(out, sizeof(out), f.key, f.nonce, (struct spean_view){NULL, 0},
                                     (struct spean_view){f.sealed, SEALED_BYTES}),
                     SPEAN_ESIGNATURE);
}

static void an_output_one_byte_too_small_is_a_limit_and_untouched(void **state)
{
    (void)state;
    const struct fixture f = draft_vector();
    uint8_t out[SEALED_BYTES];
    uint8_t before[SEALED_BYTES];
    memset(out, 0xee, sizeof(out));
    memset(before, 0xee, sizeof(before));
    const struct spean_view ad = {f.ad, sizeof(f.ad)};
    const struct spean_view text = {(const uint8_t *)plaintext, PLAINTEXT_BYTES};
    for (size_t cap = 0; cap < SEALED_BYTES; cap++) {
        assert_int_equal(spean_aead_seal(out, cap, f.key, f.nonce, ad, text), SPEAN_ELIMIT);
    }
    assert_int_equal(open_it(&f, SEALED_BYTES, out, PLAINTEXT_BYTES - 1), SPEAN_ELIMIT);
    assert_memory_equal(out, before, sizeof(out));
}

static void sealing_and_opening_work_in_place_and_on_nothing(void **state)
{
    (void)state;
    const struct fixture f = draft_vector();
    const struct spean_view ad = {f.ad, sizeof(f.ad)};
    uint8_t buf[SEALED_BYTES];
    memcpy(buf, plaintext, PLAINTEXT_BYTES);
    assert_int_equal(spean_aead_seal(buf, sizeof(buf), f.key, f.nonce, ad,
                                     (struct spean_view){buf, PLAINTEXT_BYTES}),
                     SPEAN_OK);
    assert_memory_equal(buf, f.sealed, SEALED_BYTES);
    assert_int_equal(spean_aead_open(buf, sizeof(buf), f.key, f.nonce, ad,
                                     (struct spean_view){buf, SEALED_BYTES}),
                     SPEAN_OK);
    assert_memory_equal(buf, plaintext, PLAINTEXT_BYTES);

    const struct spean_view nothing = {NULL, 0};
    assert_int_equal(spean_aead_seal(buf, SPEAN_AEAD_TAG_BYTES, f.key, f.nonce, nothing, nothing),
                     SPEAN_OK);
    assert_int_equal(spean_aead_open(buf, 0, f.key, f.nonce, nothing,
                                     (struct spean_view){buf, SPEAN_AEAD_TAG_BYTES}),
                     SPEAN_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sealing_and_opening_agree_with_the_published_vector),
        cmocka_unit_test(any_bit_changed_anywhere_is_refused),
        cmocka_unit_test(what_is_cut_off_at_any_byte_is_refused),
        cmocka_unit_test(additional_data_left_out_is_refused),
        cmocka_unit_test(an_output_one_byte_too_small_is_a_limit_and_untouched),
        cmocka_unit_test(sealing_and_opening_work_in_place_and_on_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
