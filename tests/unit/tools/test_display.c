#include "tools/display.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

static void latin_letters_take_one_cell_in_either_normal_form(void **state)
{
    (void)state;
    assert_int_equal(spean_display_width(""), 0);
    assert_int_equal(spean_display_width("Hanoi"), 5);
    assert_int_equal(spean_display_width("Nguy\xe1\xbb\x85n"), 6);      /* NFC */
    assert_int_equal(spean_display_width("Nguye\xcc\x82\xcc\x83n"), 6); /* NFD */
    assert_int_equal(spean_display_width("Tr\xe1\xba\xa7n Th\xe1\xbb\x8b"), 8);
}

static void japanese_takes_two_cells_and_half_width_kana_one(void **state)
{
    (void)state;
    assert_int_equal(spean_display_width("東京"), 4);
    assert_int_equal(spean_display_width("カンボジア"), 10);
    assert_int_equal(spean_display_width("か\xe3\x82\x99"), 2); /* GA in NFD: one cluster. */
    assert_int_equal(spean_display_width("ｱｲ"), 2);
    assert_int_equal(spean_display_width("Ａ"), 2);
}

static void khmer_marks_take_none_and_spacing_vowels_one(void **state)
{
    (void)state;
    assert_int_equal(spean_display_width("ក"), 1);
    assert_int_equal(spean_display_width("កិ"), 1);              /* A vowel above. */
    assert_int_equal(spean_display_width("កា"), 2);             /* A vowel beside. */
    assert_int_equal(spean_display_width("ភ្នំ"), 2);             /* PHO, COENG, NO, NIKAHIT. */
    assert_int_equal(spean_display_width("ភ្នំពេញ"), 5);          /* Phnom Penh. */
    assert_int_equal(spean_display_width("ក\xe2\x80\x8bខ"), 2); /* A zero-width space. */
}

static void an_emoji_of_several_code_points_takes_two_cells(void **state)
{
    (void)state;
    assert_int_equal(spean_display_width("👩"), 2);
    assert_int_equal(spean_display_width("👩\xe2\x80\x8d👧"), 2); /* Joined. */
}

static void each_byte_that_is_not_utf8_takes_one_cell(void **state)
{
    (void)state;
    assert_int_equal(spean_display_width("\xff\xfe"), 2);
    assert_int_equal(spean_display_width("a\xe1\x9f"), 3);
}

static void assert_clean(const char *text, const char *expected)
{
    char *const clean = spean_display_clean(text);
    assert_non_null(clean);
    assert_string_equal(clean, expected);
    free(clean);
}

static void escape_sequences_in_data_cannot_reach_the_terminal(void **state)
{
    (void)state;
    assert_clean("\x1b[2Jgone", "\xef\xbf\xbd[2Jgone");
    assert_clean("\x1b]0;title\x07", "\xef\xbf\xbd]0;title\xef\xbf\xbd");
    assert_clean("\xc2\x9b"
                 "31m",
                 "\xef\xbf\xbd"
                 "31m"); /* C1: CSI in one character. */
    assert_clean("back\x08\x7f", "back\xef\xbf\xbd\xef\xbf\xbd");
}

static void data_cannot_begin_a_line_of_its_own(void **state)
{
    (void)state;
    assert_clean("a\nb\rc", "a\xe2\x86\xb5"
                            "b\xef\xbf\xbd"
                            "c");
    assert_clean("a\r\n\r\nb\r", "a\xe2\x86\xb5\xe2\x86\xb5"
                                 "b\xef\xbf\xbd");
    assert_clean("a\xe2\x80\xa8"
                 "b",
                 "a\xef\xbf\xbd"
                 "b");
    assert_clean("a\tb", "a b");
}

static void a_line_takes_the_words_that_fit_and_the_first_in_any_case(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t cells;
        size_t fits;
    } rows[] = {{"", 5, 0},         {"word", 2, 4},  {"word two", 8, 8}, {"word two", 7, 4},
                {"word two", 0, 4}, {"a  b", 3, 2},  {"a b c", 3, 3},    {" a", 1, 0},
                {"東京 x", 6, 8},   {"東京 x", 5, 6}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(spean_display_fit(rows[i].text, rows[i].cells), rows[i].fits);
    }
}

static void data_cannot_turn_its_direction_or_hide_text(void **state)
{
    (void)state;
    assert_clean("\xe2\x80\xae"
                 "abc",
                 "\xef\xbf\xbd"
                 "abc"); /* Right-to-left override. */
    assert_clean("\xe2\x81\xa7"
                 "abc",
                 "\xef\xbf\xbd"
                 "abc"); /* Isolate. */
    assert_clean("\xf3\xa0\x81\x81"
                 "x",
                 "\xef\xbf\xbd"
                 "x"); /* A tag. */
}

static void what_is_not_utf8_is_replaced_byte_by_byte(void **state)
{
    (void)state;
    assert_clean("\xff"
                 "a\xc0\x80",
                 "\xef\xbf\xbd"
                 "a\xef\xbf\xbd\xef\xbf\xbd");
    assert_clean("\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* A surrogate. */
    assert_clean("\xe6\x9d", "\xef\xbf\xbd\xef\xbf\xbd");                 /* Cut. */
}

static void the_five_languages_are_left_as_they_are(void **state)
{
    (void)state;
    static const char *const texts[] = {"ភ្នំ\xe2\x80\x8bពេញ", "Nguyễn Thị Hạnh", "東京都・サポート",
                                        "Jakarta", "Tokyo \xe2\x80\x8d"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_clean(texts[i], texts[i]);
    }
}

static void escaped_json_has_the_same_value_and_no_unsafe_character(void **state)
{
    (void)state;
    static const char value[] = "ក\xc2\x9b\xe2\x80\xae\x7f\xf3\xa0\x81\x81 end\x1b\n";
    json_t *const object = json_pack("{s:s}", "name", value);
    char *const text = json_dumps(object, JSON_INDENT(2));
    char *const safe = spean_display_escape_json(text);
    assert_non_null(safe);
    for (const char *at = safe; *at != '\0'; at++) {
        assert_true((unsigned char)*at >= 0x20 || *at == '\n');
        assert_true(*at != 0x7f);
    }
    assert_null(strstr(safe, "\xc2\x9b"));
    assert_null(strstr(safe, "\xe2\x80\xae"));
    assert_non_null(strstr(safe, "ក"));
    json_t *const again = json_loads(safe, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(again, "name")), value);
    json_decref(again);
    json_decref(object);
    free(safe);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(latin_letters_take_one_cell_in_either_normal_form),
        cmocka_unit_test(japanese_takes_two_cells_and_half_width_kana_one),
        cmocka_unit_test(khmer_marks_take_none_and_spacing_vowels_one),
        cmocka_unit_test(an_emoji_of_several_code_points_takes_two_cells),
        cmocka_unit_test(each_byte_that_is_not_utf8_takes_one_cell),
        cmocka_unit_test(escape_sequences_in_data_cannot_reach_the_terminal),
        cmocka_unit_test(data_cannot_begin_a_line_of_its_own),
        cmocka_unit_test(a_line_takes_the_words_that_fit_and_the_first_in_any_case),
        cmocka_unit_test(data_cannot_turn_its_direction_or_hide_text),
        cmocka_unit_test(what_is_not_utf8_is_replaced_byte_by_byte),
        cmocka_unit_test(the_five_languages_are_left_as_they_are),
        cmocka_unit_test(escaped_json_has_the_same_value_and_no_unsafe_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
