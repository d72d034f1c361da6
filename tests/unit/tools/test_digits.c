#include "tools/digits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_folds(const char *typed, const char *expected)
{
    char out[64];
    assert_int_equal(spean_digits_fold(typed, out, sizeof(out)), SPEAN_OK);
    assert_string_equal(out, expected);
}

static void every_khmer_and_full_width_digit_is_its_ascii_digit(void **state)
{
    (void)state;
    assert_folds("០១២៣៤៥៦៧៨៩", "0123456789");
    assert_folds("０１２３４５６７８９", "0123456789");
    assert_folds("0123456789", "0123456789");
    assert_folds("ＫＨ－２６１１", "KH-2611");
}

static void spaces_of_every_kind_are_left_out(void **state)
{
    (void)state;
    assert_folds(" 12 34\t56 ", "123456");
    assert_folds("12\xe3\x80\x80"
                 "34",
                 "1234"); /* Ideographic. */
    assert_folds("12\xc2\xa0"
                 "34",
                 "1234"); /* No-break. */
    assert_folds("12\xe2\x80\x8b"
                 "34",
                 "1234"); /* Zero-width, as Khmer keyboards put it. */
    assert_folds("\xef\xbb\xbf"
                 "12",
                 "12"); /* Byte order mark. */
}

static void every_dash_is_one_dash(void **state)
{
    (void)state;
    assert_folds("R-58Q2", "R-58Q2");
    assert_folds("R–58Q2", "R-58Q2");
    assert_folds("R—58Q2", "R-58Q2");
    assert_folds("R‑58Q2", "R-58Q2");
    assert_folds("R−58Q2", "R-58Q2");
    assert_folds("Rー58Q2", "R-58Q2");
}

static void what_remains_foreign_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",         "   ",    "ក",    "12é",
                                      "12\x1b[m", "12\x01", "\xff", "\xe1\x9f"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char out[16] = "before";
        assert_int_equal(spean_digits_fold(bad[i], out, sizeof(out)), SPEAN_EINPUT);
        assert_string_equal(out, "before");
    }
}

static void what_does_not_fit_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    char out[5] = "xx";
    assert_int_equal(spean_digits_fold("12345", out, sizeof(out)), SPEAN_ELIMIT);
    assert_string_equal(out, "xx");
    assert_int_equal(spean_digits_fold("1234", out, sizeof(out)), SPEAN_OK);
    assert_string_equal(out, "1234");

    char longest[600];
    char room[600];
    memset(longest, '7', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    assert_int_equal(spean_digits_fold(longest, room, sizeof(room)), SPEAN_ELIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_khmer_and_full_width_digit_is_its_ascii_digit),
        cmocka_unit_test(spaces_of_every_kind_are_left_out),
        cmocka_unit_test(every_dash_is_one_dash),
        cmocka_unit_test(what_remains_foreign_is_refused),
        cmocka_unit_test(what_does_not_fit_is_refused_and_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
