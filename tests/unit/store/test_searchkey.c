#include "store/searchkey.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct spean_view view_of(const char *text)
{
    return (struct spean_view){(const uint8_t *)text, strlen(text)};
}

static void assert_key(const char *text, const char *wanted)
{
    char *key = NULL;
    assert_int_equal(spean_searchkey_new(view_of(text), &key), SPEAN_OK);
    assert_string_equal(key, wanted);
    spean_searchkey_free(key);
}

static bool finds(const char *typed, const char *text)
{
    char *key = NULL;
    char *query = NULL;
    assert_int_equal(spean_searchkey_new(view_of(text), &key), SPEAN_OK);
    assert_int_equal(spean_searchkey_query(view_of(typed), &query), SPEAN_OK);
    const bool found = spean_searchkey_match(key, query);
    spean_searchkey_free(key);
    spean_searchkey_free(query);
    return found;
}

static bool is_one_name(const char *left, const char *right)
{
    char *a = NULL;
    char *b = NULL;
    assert_int_equal(spean_searchkey_name(view_of(left), &a), SPEAN_OK);
    assert_int_equal(spean_searchkey_name(view_of(right), &b), SPEAN_OK);
    const bool same = strcmp(a, b) == 0;
    spean_searchkey_free(a);
    spean_searchkey_free(b);
    return same;
}

static void latin_letters_lose_case_and_marks_in_either_normal_form(void **state)
{
    (void)state;
    assert_key("Nguy\u1ec5n Th\u1ecb Ho\u00e0", "nguyen thi hoa");
    assert_key("Nguye\u0302\u0303n Thi\u0323 Hoa\u0300", "nguyen thi hoa");
    assert_key("\u0110\u1eb6NG \u0111\u1ee9c", "dang duc");
    assert_key("\u01a0n \u01afu", "on uu");
    assert_key("\u0130stanbul Stra\u00dfe", "istanbul strasse");
    assert_key("\u1e9e \ufb01", "ss fi");
    assert_key("\u0142\u00f8", "\u0142\u00f8"); /* These are letters, and no marks of others. */
}

static void marks_of_other_scripts_stay(void **state)
{
    (void)state;
    assert_key("\u1780\u17b6\u17c6", "\u1780\u17b6\u17c6"); /* Khmer. */
    assert_key("\u1780\u17b6", "\u1780\u17b6");
    assert_false(is_one_name("\u1780\u17b6\u179a", "\u1780\u17b8\u179a"));
    assert_false(is_one_name("\u1780\u17b6\u179a", "\u1780\u179a"));
    assert_key("\u304c", "\u30ac"); /* GA, of katakana, is not KA. */
    assert_key("\u304b\u3099", "\u30ac");
    assert_false(is_one_name("\u304b", "\u304c"));
    assert_key("\u0439", "\u0439"); /* Nor are Cyrillic letters Latin. */
    assert_key("a\u0300\u0e01\u0e48", "a\u0e01\u0e48");
}

static void what_nobody_sees_is_gone(void **state)
{
    (void)state;
    assert_key("\u179f\u17bb\u1781\u17b6\u200b\u1793\u17b6\u179a\u17b8",
               "\u179f\u17bb\u1781\u17b6\u1793\u17b6\u179a\u17b8");
    assert_key("\ufeffa\u200cb\u200dc\u2060d\u00ad", "abcd");
    assert_key("\u200b", "");
    assert_key("", "");
}

static void width_of_letters_digits_and_kana_does_not_matter(void **state)
{
    (void)state;
    assert_key("\uff21\uff22\uff43\uff10\uff11", "abc01");
    assert_key("\uff78\uff9e\uff74\uff9d", "\u30b0\u30a8\u30f3");
    assert_key("\u30b0\u30a8\u30f3", "\u30b0\u30a8\u30f3");
}

static void kana_are_found_in_either_form(void **state)
{
    (void)state;
    assert_true(finds("\u3084\u307e\u3060", "\u30e4\u30de\u30c0 \u30cf\u30ca\u30b3"));
    assert_true(finds("\u30e4\u30de\u30c0", "\u3084\u307e\u3060"));
    assert_true(finds("\uff94\uff8f\uff80\uff9e", "\u3084\u307e\u3060")); /* Of half width. */
    assert_false(finds("\u3084\u307e\u305f", "\u30e4\u30de\u30c0"));      /* Another sound. */
}

static void khmer_that_looks_the_same_is_found_however_it_was_typed(void **state)
{
    (void)state;
    static const char *const same[][2] = {
        /* Below the line: t and r in either order, and d is drawn as t. */
        {"\u179f\u17d2\u178f\u17d2\u179a\u17b8", "\u179f\u17d2\u179a\u17d2\u178f\u17b8"},
        {"\u179f\u17d2\u178f\u17b8", "\u179f\u17d2\u178a\u17b8"},
        /* One vowel in one piece or in two. */
        {"\u1780\u17c4", "\u1780\u17c1\u17b6"},
        {"\u1780\u17be", "\u1780\u17c1\u17b8"},
        /* The sign that shifts the register, before or behind the vowel. */
        {"\u179f\u17ca\u17b8", "\u179f\u17b8\u17ca"},
        {"\u1780\u17b6\u17c6", "\u1780\u17c6\u17b6"},
    };
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        assert_true(finds(same[i][0], same[i][1]));
        assert_true(finds(same[i][1], same[i][0]));
    }
    assert_false(finds("\u1780\u17b6", "\u1780\u17b8"));
    assert_false(finds("\u178a\u17b6", "\u178f\u17b6")); /* On the line they differ. */
    assert_false(finds("\u1780\u17d2\u1781", "\u1780\u1781"));
    assert_true(finds("\u17d2", "\u1780\u17d2")); /* Not followed by a letter. */
}

static void a_syllable_with_more_parts_than_fit_stays_as_it_is(void **state)
{
    (void)state;
    char text[3 * (2 + 17) + 1] = "\u1780\u17c6";
    for (size_t i = 0; i < 17; i++) {
        strcat(text, "\u17b6");
    }
    assert_true(finds(text, text));
    assert_key(text, text);
}

static void spaces_count_only_where_words_are_written_with_them(void **state)
{
    (void)state;
    assert_key("  Sok\t\u00a0 Sophea\n", "sok sophea");
    assert_key("\u5c71\u7530\u3000\u592a\u90ce", "\u5c71\u7530\u592a\u90ce");
    assert_key("\u5c71\u7530 Taro", "\u5c71\u7530 taro");
    assert_key("\u30b0\u30a8\u30f3\u30fb\u30db\u30a2", "\u30b0\u30a8\u30f3\u30db\u30a2");
    assert_true(finds("\u5c71\u7530\u592a\u90ce", "\u5c71\u7530 \u592a\u90ce"));
    assert_true(finds("\u592a\u90ce \u5c71\u7530", "\u5c71\u7530\u592a\u90ce"));
}

static void every_word_that_was_typed_must_be_there(void **state)
{
    (void)state;
    assert_true(finds("hoa nguyen", "Nguy\u1ec5n Th\u1ecb Ho\u00e0"));
    assert_true(finds("\u0111uc", "Tr\u1ea7n Duc"));
    assert_true(finds("guy", "Nguy\u1ec5n"));
    assert_false(finds("hoa tran", "Nguy\u1ec5n Th\u1ecb Ho\u00e0"));
    assert_false(finds("nguyenn", "Nguy\u1ec5n"));
    assert_true(finds("", "Sukarno"));
    assert_true(finds("sukarno", "Sukarno"));
    assert_false(finds("a", ""));
}

static void names_are_one_in_either_order_and_with_one_word(void **state)
{
    (void)state;
    assert_true(is_one_name("Nguy\u1ec5n Th\u1ecb Ho\u00e0", "thi hoa NGUYEN"));
    assert_true(is_one_name("Suharto", "SUHARTO"));
    assert_false(is_one_name("Suharto", "Suharto Suharto"));
    assert_false(is_one_name("ab c", "a bc"));
}

static void more_words_than_fit_are_compared_all_the_same(void **state)
{
    (void)state;
    char text[4 * SPEAN_SEARCHKEY_WORDS_MAX + 1];
    for (size_t i = 0; i < sizeof(text) - 1; i++) {
        text[i] = i % 2 == 0 ? 'a' : ' ';
    }
    text[sizeof(text) - 1] = '\0';
    assert_true(finds(text, text));
    assert_true(is_one_name(text, text));
    text[sizeof(text) - 3] = 'b';
    assert_false(finds(text, "a a a"));
}

static void what_is_no_utf8_has_no_key(void **state)
{
    (void)state;
    static const char *const bad[] = {"\xff", "a\xc3", "\xed\xa0\x80", "\xc0\xaf"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char *key = NULL;
        assert_int_equal(spean_searchkey_new(view_of(bad[i]), &key), SPEAN_EINPUT);
        assert_int_equal(spean_searchkey_name(view_of(bad[i]), &key), SPEAN_EINPUT);
        assert_int_equal(spean_searchkey_query(view_of(bad[i]), &key), SPEAN_EINPUT);
        assert_null(key);
    }
    spean_searchkey_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(latin_letters_lose_case_and_marks_in_either_normal_form),
        cmocka_unit_test(marks_of_other_scripts_stay),
        cmocka_unit_test(what_nobody_sees_is_gone),
        cmocka_unit_test(width_of_letters_digits_and_kana_does_not_matter),
        cmocka_unit_test(kana_are_found_in_either_form),
        cmocka_unit_test(khmer_that_looks_the_same_is_found_however_it_was_typed),
        cmocka_unit_test(a_syllable_with_more_parts_than_fit_stays_as_it_is),
        cmocka_unit_test(spaces_count_only_where_words_are_written_with_them),
        cmocka_unit_test(every_word_that_was_typed_must_be_there),
        cmocka_unit_test(names_are_one_in_either_order_and_with_one_word),
        cmocka_unit_test(more_words_than_fit_are_compared_all_the_same),
        cmocka_unit_test(what_is_no_utf8_has_no_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
