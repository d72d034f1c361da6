#include "protocol/join.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/hash.h"

static const uint8_t secret[SPEAN_INVITE_SECRET_BYTES] = {1, 2, 3};
static const uint8_t fresh[SPEAN_JOIN_FRESH_BYTES] = {9, 8, 7};

static struct spean_join sample(void)
{
    struct spean_join join;
    memset(join.handle.bytes, 1, sizeof(join.handle.bytes));
    memset(join.inviter.bytes, 2, sizeof(join.inviter.bytes));
    memset(join.newcomer.bytes, 3, sizeof(join.newcomer.bytes));
    memset(join.statement.bytes, 4, sizeof(join.statement.bytes));
    return join;
}

/* The hash of P12.3 over a message that is written out by hand. */
static void digest(uint8_t out[32], const uint8_t *more)
{
    const struct spean_join join = sample();
    uint8_t msg[16 + 3 * 32 + 16];
    memcpy(msg, join.handle.bytes, 16);
    memcpy(msg + 16, join.inviter.bytes, 32);
    memcpy(msg + 48, join.newcomer.bytes, 32);
    memcpy(msg + 80, join.statement.bytes, 32);
    memcpy(msg + 112, more, 16);
    spean_hash(out, 32, "spean/digits/1", msg, sizeof(msg));
}

static uint64_t word(const uint8_t *bytes)
{
    return spean_u64_get(bytes) % 100000000u;
}

static void a_mac_holds_for_what_it_was_made_for_alone_p12_3(void **state)
{
    (void)state;
    const struct spean_join join = sample();
    uint8_t mac[SPEAN_JOIN_MAC_BYTES];
    spean_join_mac(mac, &join, secret);
    assert_true(spean_join_mac_valid(mac, &join, secret));

    uint8_t other_secret[SPEAN_INVITE_SECRET_BYTES] = {1, 2, 4};
    assert_false(spean_join_mac_valid(mac, &join, other_secret));
    struct spean_join other = sample();
    other.handle.bytes[0] ^= 1;
    assert_false(spean_join_mac_valid(mac, &other, secret));
    other = sample();
    other.inviter.bytes[31] ^= 1;
    assert_false(spean_join_mac_valid(mac, &other, secret));
    other = sample();
    other.newcomer.bytes[0] ^= 1;
    assert_false(spean_join_mac_valid(mac, &other, secret));
    other = sample();
    other.statement.bytes[5] ^= 1;
    assert_false(spean_join_mac_valid(mac, &other, secret));
    other = sample();
    other.inviter = join.newcomer;
    other.newcomer = join.inviter;
    assert_false(spean_join_mac_valid(mac, &other, secret));
    mac[31] ^= 1;
    assert_false(spean_join_mac_valid(mac, &join, secret));
}

static void the_digits_are_the_first_word_of_the_hash_p12_3(void **state)
{
    (void)state;
    const struct spean_join join = sample();
    char digits[SPEAN_JOIN_DIGITS_LEN + 1];
    spean_join_digits(digits, &join, fresh);
    uint8_t hash[32];
    digest(hash, fresh);
    const uint64_t value = word(hash);
    char expected[32];
    (void)snprintf(expected, sizeof(expected), "%04u %04u", (unsigned)(value / 10000),
                   (unsigned)(value % 10000));
    assert_string_equal(digits, expected);
}

static void by_files_three_words_are_shown_p12_3(void **state)
{
    (void)state;
    const struct spean_join join = sample();
    char digits[SPEAN_JOIN_LETTER_LEN + 1];
    spean_join_letter_digits(digits, &join, fresh);
    uint8_t hash[32];
    digest(hash, fresh);
    char expected[64];
    (void)snprintf(expected, sizeof(expected), "%08u %08u %08u", (unsigned)word(hash),
                   (unsigned)word(hash + 8), (unsigned)word(hash + 16));
    assert_string_equal(digits, expected);
}

static void zeros_in_front_are_shown(void **state)
{
    (void)state;
    const struct spean_join join = sample();
    uint8_t other[SPEAN_JOIN_FRESH_BYTES] = {0};
    for (unsigned n = 0; n < 2000; n++) {
        uint8_t hash[32];
        other[0] = (uint8_t)n;
        other[1] = (uint8_t)(n >> 8);
        digest(hash, other);
        if (word(hash) < 10000000) {
            char digits[SPEAN_JOIN_DIGITS_LEN + 1];
            spean_join_digits(digits, &join, other);
            assert_int_equal(digits[0], '0');
            assert_int_equal(strlen(digits), 9);
            return;
        }
    }
    fail_msg("no hash with a small first word");
}

static void other_fresh_bytes_give_other_digits(void **state)
{
    (void)state;
    const struct spean_join join = sample();
    const uint8_t other[SPEAN_JOIN_FRESH_BYTES] = {9, 8, 6};
    char first[SPEAN_JOIN_DIGITS_LEN + 1];
    char second[SPEAN_JOIN_DIGITS_LEN + 1];
    spean_join_digits(first, &join, fresh);
    spean_join_digits(second, &join, other);
    assert_string_not_equal(first, second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mac_holds_for_what_it_was_made_for_alone_p12_3),
        cmocka_unit_test(the_digits_are_the_first_word_of_the_hash_p12_3),
        cmocka_unit_test(by_files_three_words_are_shown_p12_3),
        cmocka_unit_test(zeros_in_front_are_shown),
        cmocka_unit_test(other_fresh_bytes_give_other_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
