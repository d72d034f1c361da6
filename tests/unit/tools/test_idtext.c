#include "tools/idtext.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_parses(const char *typed, enum spean_idtext_kind kind, const char *expected)
{
    struct spean_idtext id;
    assert_int_equal(spean_idtext_parse(typed, &id), SPEAN_OK);
    assert_int_equal(id.kind, kind);
    assert_string_equal(id.text, expected);
}

static void assert_refused(const char *typed, spean_err err)
{
    struct spean_idtext id = {.text = "before"};
    assert_int_equal(spean_idtext_parse(typed, &id), err);
    assert_string_equal(id.text, "before");
}

static void an_id_loses_its_dashes_and_its_capitals(void **state)
{
    (void)state;
    assert_parses("7f3a-91c4", SPEAN_IDTEXT_HEX, "7f3a91c4");
    assert_parses("7F3A", SPEAN_IDTEXT_HEX, "7f3a");
    assert_parses("４８２１–９０３７", SPEAN_IDTEXT_HEX, "48219037");
    assert_parses("៤៨២១ ៩០៣៧", SPEAN_IDTEXT_HEX, "48219037");
    assert_parses("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
                  SPEAN_IDTEXT_HEX,
                  "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
}

static void an_id_that_is_too_short_or_too_long_is_refused(void **state)
{
    (void)state;
    assert_refused("7f3", SPEAN_EINPUT);
    assert_refused("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f0",
                   SPEAN_EINPUT);
}

static void a_record_code_takes_look_alikes_for_digits(void **state)
{
    (void)state;
    assert_parses("R-58Q2", SPEAN_IDTEXT_RECORD, "R-58Q2");
    assert_parses("r-58q2", SPEAN_IDTEXT_RECORD, "R-58Q2");
    assert_parses("R-oIl2", SPEAN_IDTEXT_RECORD, "R-0112");
    assert_parses("m-oIl", SPEAN_IDTEXT_RECORD, "M-011");
    assert_parses("Ｍ－１３", SPEAN_IDTEXT_RECORD, "M-13");
    assert_parses("R-0123456789ABCDEFGHJKMNPQRS", SPEAN_IDTEXT_RECORD,
                  "R-0123456789ABCDEFGHJKMNPQRS");
}

static void a_malformed_record_code_is_refused(void **state)
{
    (void)state;
    assert_refused("R-", SPEAN_EINPUT);
    assert_refused("R-U123", SPEAN_EINPUT);
    assert_refused("1-58Q2", SPEAN_EINPUT);
    assert_refused("M-58-Q2", SPEAN_EINPUT);
    assert_refused("R-58Q", SPEAN_EINPUT); /* Too short to tell referrals apart. */
    assert_refused("R-0123456789ABCDEFGHJKMNPQRST", SPEAN_EINPUT);
}

/* The check character of the first is the protocol's own example; the others were worked out by a
 * script from the rule that it states. */
static void a_case_code_with_its_check_character_is_read(void **state)
{
    (void)state;
    assert_parses("KH-2611-0317-B", SPEAN_IDTEXT_CASE, "KH-2611-0317-B");
    assert_parses("kh-2611-0317-b", SPEAN_IDTEXT_CASE, "KH-2611-0317-B");
    assert_parses("KH 26110317 B", SPEAN_IDTEXT_CASE, "KH-2611-0317-B");
    assert_parses("KH-២៦១១-០៣១៧-B", SPEAN_IDTEXT_CASE, "KH-2611-0317-B");
    assert_parses("ＫＨ－２６１１－０３１７－Ｂ", SPEAN_IDTEXT_CASE, "KH-2611-0317-B");
    assert_parses("VN-2611-0001-C", SPEAN_IDTEXT_CASE, "VN-2611-0001-C");
    assert_parses("ID-2611-OO42-H", SPEAN_IDTEXT_CASE, "ID-2611-0042-H");
}

static void a_case_code_with_any_one_character_wrong_is_refused(void **state)
{
    (void)state;
    static const char good[] = "KH-2611-0317-B";
    for (size_t i = 0; i < sizeof(good) - 1; i++) {
        if (good[i] == '-') {
            continue;
        }
        const bool letter = i < 2 || i == sizeof(good) - 2;
        for (const char *c = letter ? "ABCDEFGHIJKLMNOPQRSTUVWXYZ" : "0123456789"; *c != '\0';
             c++) {
            char typed[sizeof(good)];
            memcpy(typed, good, sizeof(good));
            typed[i] = *c;
            if (*c != good[i]) {
                assert_refused(typed, SPEAN_ESIGNATURE);
            }
        }
    }
}

static void a_malformed_case_code_is_refused(void **state)
{
    (void)state;
    assert_refused("KHM-2611-0317-B", SPEAN_EINPUT);
    assert_refused("KH-2611-317-Y", SPEAN_EINPUT);
    assert_refused("KH-2611-0317", SPEAN_EINPUT);
    assert_refused("KH-2611-0317-BY", SPEAN_EINPUT);
    assert_refused("KH-261-0317-B", SPEAN_EINPUT);
    assert_refused("KH-2611-031703170-Y", SPEAN_EINPUT);
    assert_refused("KH", SPEAN_EINPUT);
    assert_refused("", SPEAN_EINPUT);
    assert_refused("\x1b[m", SPEAN_EINPUT);
}

static void the_short_form_shows_eight_digits_or_a_question_mark(void **state)
{
    (void)state;
    char out[SPEAN_IDTEXT_SHORT_BYTES];
    spean_idtext_short("7f3a91c40011", out);
    assert_string_equal(out, "7f3a-91c4");
    spean_idtext_short("7f3a91c", out);
    assert_string_equal(out, "?");
    spean_idtext_short("\x1b[2J91c40011", out);
    assert_string_equal(out, "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_loses_its_dashes_and_its_capitals),
        cmocka_unit_test(an_id_that_is_too_short_or_too_long_is_refused),
        cmocka_unit_test(a_record_code_takes_look_alikes_for_digits),
        cmocka_unit_test(a_malformed_record_code_is_refused),
        cmocka_unit_test(a_case_code_with_its_check_character_is_read),
        cmocka_unit_test(a_case_code_with_any_one_character_wrong_is_refused),
        cmocka_unit_test(a_malformed_case_code_is_refused),
        cmocka_unit_test(the_short_form_shows_eight_digits_or_a_question_mark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
