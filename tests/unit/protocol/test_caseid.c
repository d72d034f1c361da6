#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/caseid.h"

static struct spean_view view(const char *text)
{
    return (struct spean_view){(const uint8_t *)text, strlen(text)};
}

static struct spean_caseid some_case(void)
{
    return (struct spean_caseid){"KH", 2026, 11, 317};
}

static spean_err parse(const char *typed)
{
    struct spean_caseid id;
    return spean_caseid_parse(&id, view(typed));
}

/* Case codes. */

static void a_case_code_reads_back_as_what_it_was_made_from(void **state)
{
    (void)state;
    const struct spean_caseid cases[] = {
        {"KH", 2026, 11, 317}, {"ID", 2000, 1, 1}, {"VN", 2099, 12, 9999}, {"JP", 2027, 4, 1000}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[SPEAN_CASEID_LEN + 1];
        struct spean_caseid id = {"", 0, 0, 0};
        assert_int_equal(spean_caseid_make(text, &cases[i]), SPEAN_OK);
        assert_int_equal(strlen(text), SPEAN_CASEID_LEN);
        assert_int_equal(spean_caseid_parse(&id, view(text)), SPEAN_OK);
        assert_string_equal(id.country, cases[i].country);
        assert_int_equal(id.year, cases[i].year);
        assert_int_equal(id.month, cases[i].month);
        assert_int_equal(id.number, cases[i].number);
    }
}

static void a_case_code_looks_as_documented(void **state)
{
    (void)state;
    /*
     * By hand: K 10*2 + H 7*3 + 2*4 + 6*5 + 1*6 + 1*7 + 0*8 + 3*9 + 1*10 + 7*11 = 206 = 6*31 + 20;
     * the check character is number 11 of 0-9 A B ...: B.
     */
    char text[SPEAN_CASEID_LEN + 1];
    const struct spean_caseid id = some_case();
    assert_int_equal(spean_caseid_make(text, &id), SPEAN_OK);
    assert_string_equal(text, "KH-2611-0317-B");
}

static void parts_out_of_range_make_no_code(void **state)
{
    (void)state;
    const struct spean_caseid bad[] = {
        {"kh", 2026, 11, 317}, {"K", 2026, 11, 317},  {"K1", 2026, 11, 317},
        {"KH", 1999, 11, 317}, {"KH", 2100, 11, 317}, {"KH", 2026, 0, 317},
        {"KH", 2026, 13, 317}, {"KH", 2026, 11, 0},   {"KH", 2026, 11, 10000},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char text[SPEAN_CASEID_LEN + 1] = "untouched";
        assert_int_equal(spean_caseid_make(text, &bad[i]), SPEAN_EINPUT);
        assert_string_equal(text, "untouched");
    }
}

static void one_wrong_character_anywhere_is_noticed(void **state)
{
    (void)state;
    static const char wrong[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    char text[SPEAN_CASEID_LEN + 1];
    const struct spean_caseid id = some_case();
    assert_int_equal(spean_caseid_make(text, &id), SPEAN_OK);
    for (size_t i = 0; i < SPEAN_CASEID_LEN; i++) {
        const char right = text[i];
        for (const char *c = wrong; right != '-' && *c != '\0'; c++) {
            const bool same = *c == right || (right == '0' && *c == 'O') ||
                              (right == '1' && (*c == 'I' || *c == 'L'));
            text[i] = *c;
            assert_int_equal(parse(text), same ? SPEAN_OK : SPEAN_EINPUT);
        }
        text[i] = right;
    }
}

static void two_swapped_characters_are_noticed_wherever_they_stand(void **state)
{
    (void)state;
    char text[SPEAN_CASEID_LEN + 1];
    const struct spean_caseid id = {"VN", 2012, 10, 3456};
    assert_int_equal(spean_caseid_make(text, &id), SPEAN_OK);
    size_t swaps = 0;
    for (size_t i = 0; i < SPEAN_CASEID_LEN; i++) {
        for (size_t k = i + 1; k < SPEAN_CASEID_LEN; k++) {
            if (text[i] == text[k] || text[i] == '-' || text[k] == '-') {
                continue;
            }
            char swapped[SPEAN_CASEID_LEN + 1];
            memcpy(swapped, text, sizeof(text));
            swapped[i] = text[k];
            swapped[k] = text[i];
            assert_int_equal(parse(swapped), SPEAN_EINPUT);
            swaps++;
        }
    }
    assert_true(swaps > 30);
}

static void a_code_is_read_as_people_type_it(void **state)
{
    (void)state;
    assert_int_equal(parse("KH-2611-0317-B"), SPEAN_OK);
    assert_int_equal(parse("kh-2611-0317-b"), SPEAN_OK);
    assert_int_equal(parse("kh26110317b"), SPEAN_OK);
    assert_int_equal(parse(" KH 2611 0317 B "), SPEAN_OK);
    assert_int_equal(parse("KH-26II-O3l7-B"), SPEAN_OK);
    assert_int_equal(parse("KH-២៦១១-០៣១៧-B"), SPEAN_OK);
    assert_int_equal(parse("ＫＨ－２６１１－０３１７－Ｂ"), SPEAN_OK);
    assert_int_equal(parse("ｋｈ２６１１０３１７ｂ"), SPEAN_OK);
}

static void what_is_no_case_code_is_refused(void **state)
{
    (void)state;
    assert_int_equal(parse(""), SPEAN_EINPUT);
    assert_int_equal(parse("KH-2611-0317"), SPEAN_EINPUT);
    assert_int_equal(parse("KH-2611-0317-BB"), SPEAN_EINPUT);
    assert_int_equal(parse("KH/2611/0317/B"), SPEAN_EINPUT);
    assert_int_equal(parse("K0-2611-0317-B"), SPEAN_EINPUT);
    assert_int_equal(parse("KH-26x1-0317-B"), SPEAN_EINPUT);
    assert_int_equal(parse("KH-2611-0317-é"), SPEAN_EINPUT);
    assert_int_equal(parse("KH-2611-0317-\xe1"), SPEAN_EINPUT);
    assert_int_equal(parse("KH-2611-0317-\xe1\x9f"), SPEAN_EINPUT);
    assert_int_equal(parse("KH-2611-0317-\xef\xbd\x9f"), SPEAN_EINPUT);
    assert_int_equal(parse("KH-២៦១១-០៣១\xe1\x9f\xaa-B"), SPEAN_EINPUT); /* U+17EA. */

    char long_one[SPEAN_CASEID_TYPED_BYTES_MAX + 16];
    memset(long_one, ' ', sizeof(long_one));
    memcpy(long_one, "KH-2611-0317-B", SPEAN_CASEID_LEN);
    long_one[SPEAN_CASEID_TYPED_BYTES_MAX] = '\0';
    assert_int_equal(parse(long_one), SPEAN_OK);
    long_one[SPEAN_CASEID_TYPED_BYTES_MAX] = ' ';
    long_one[SPEAN_CASEID_TYPED_BYTES_MAX + 1] = '\0';
    assert_int_equal(parse(long_one), SPEAN_EINPUT);
}

static void a_month_that_is_none_is_refused_whatever_its_check_character(void **state)
{
    (void)state;
    static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    for (const char *c = alphabet; *c != '\0'; c++) {
        char text[] = "KH-2613-0317-?";
        text[SPEAN_CASEID_LEN - 1] = *c;
        assert_int_equal(parse(text), SPEAN_EINPUT);
        memcpy(text, "KH-2611-0000", 12);
        assert_int_equal(parse(text), SPEAN_EINPUT);
    }
}

/* Referral codes. */

static void a_referral_code_is_the_beginning_of_the_record_id(void **state)
{
    (void)state;
    /* 58Q2 is 5, 8, 23, 2 in the alphabet: 00101 01000 10111 00010, then zeros. */
    const struct spean_record_id record = {{0x2a, 0x2e, 0x20}};
    char code[SPEAN_REFERRAL_CODE_LEN_MAX + 1];
    spean_caseid_referral_make(code, &record, SPEAN_REFERRAL_CODE_CHARS_MIN);
    assert_string_equal(code, "R-58Q2");
    spean_caseid_referral_make(code, &record, 6);
    assert_string_equal(code, "R-58Q200");
    spean_caseid_referral_make(code, &record, SPEAN_REFERRAL_CODE_CHARS_MAX);
    assert_string_equal(code, "R-58Q20000000000000000000000");
}

static void a_referral_code_is_read_as_people_type_it(void **state)
{
    (void)state;
    static const char *const typed[] = {"R-58Q2",   "r-58q2",       "r58q2",
                                        " R 58 Q2", "Ｒ－５８Ｑ２", "R-៥៨Q២"};
    for (size_t i = 0; i < sizeof(typed) / sizeof(typed[0]); i++) {
        char code[SPEAN_REFERRAL_CODE_LEN_MAX + 1];
        assert_int_equal(spean_caseid_referral_parse(code, view(typed[i])), SPEAN_OK);
        assert_string_equal(code, "R-58Q2");
    }
    char code[SPEAN_REFERRAL_CODE_LEN_MAX + 1];
    assert_int_equal(spean_caseid_referral_parse(code, view("R-oIl2")), SPEAN_OK);
    assert_string_equal(code, "R-0112");
}

static void what_is_no_referral_code_is_refused(void **state)
{
    (void)state;
    static const char *const typed[] = {
        "", "R", "R-58Q", "58Q2", "Q-58Q2", "R-58U2", "R-58_2", "R-58Q20000000000000000000000X"};
    for (size_t i = 0; i < sizeof(typed) / sizeof(typed[0]); i++) {
        char code[SPEAN_REFERRAL_CODE_LEN_MAX + 1] = "untouched";
        assert_int_equal(spean_caseid_referral_parse(code, view(typed[i])), SPEAN_EINPUT);
        assert_string_equal(code, "untouched");
    }
}

static void a_code_names_every_record_that_begins_like_it(void **state)
{
    (void)state;
    const struct spean_record_id record = {{0x2a, 0x2e, 0x20}};
    const struct spean_record_id alike = {{0x2a, 0x2e, 0x2f}};
    const struct spean_record_id other = {{0x2a, 0x2e, 0x30}};

    assert_true(spean_caseid_referral_matches("R-58Q2", &record));
    assert_true(spean_caseid_referral_matches("R-58Q2", &alike));
    assert_false(spean_caseid_referral_matches("R-58Q2", &other));
    assert_true(spean_caseid_referral_matches("R-58Q200", &record));
    assert_false(spean_caseid_referral_matches("R-58Q200", &alike));
}

static void one_character_more_than_they_share_tells_two_records_apart(void **state)
{
    (void)state;
    const struct spean_record_id record = {{0x2a, 0x2e, 0x20}};
    const struct spean_record_id alike = {{0x2a, 0x2e, 0x2f}};
    struct spean_record_id last = record;
    last.bytes[SPEAN_RECORD_ID_BYTES - 1] = 1;

    assert_int_equal(spean_caseid_referral_common(&record, &alike), 4);
    assert_int_equal(spean_caseid_referral_common(&record, &last), 25);
    assert_int_equal(spean_caseid_referral_common(&record, &record), SPEAN_REFERRAL_CODE_CHARS_MAX);
    char code[SPEAN_REFERRAL_CODE_LEN_MAX + 1];
    spean_caseid_referral_make(code, &record, 5);
    assert_false(spean_caseid_referral_matches(code, &alike));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_case_code_reads_back_as_what_it_was_made_from),
        cmocka_unit_test(a_case_code_looks_as_documented),
        cmocka_unit_test(parts_out_of_range_make_no_code),
        cmocka_unit_test(one_wrong_character_anywhere_is_noticed),
        cmocka_unit_test(two_swapped_characters_are_noticed_wherever_they_stand),
        cmocka_unit_test(a_code_is_read_as_people_type_it),
        cmocka_unit_test(what_is_no_case_code_is_refused),
        cmocka_unit_test(a_month_that_is_none_is_refused_whatever_its_check_character),
        cmocka_unit_test(a_referral_code_is_the_beginning_of_the_record_id),
        cmocka_unit_test(a_referral_code_is_read_as_people_type_it),
        cmocka_unit_test(what_is_no_referral_code_is_refused),
        cmocka_unit_test(a_code_names_every_record_that_begins_like_it),
        cmocka_unit_test(one_character_more_than_they_share_tells_two_records_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
