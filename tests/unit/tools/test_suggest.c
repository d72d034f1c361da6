#include "tools/suggest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void each_kind_of_typing_error_counts_one(void **state)
{
    (void)state;
    assert_int_equal(spean_suggest_distance("status", "status"), 0);
    assert_int_equal(spean_suggest_distance("status", "statu"), 1);
    assert_int_equal(spean_suggest_distance("status", "statuss"), 1);
    assert_int_equal(spean_suggest_distance("status", "ststus"), 1);
    assert_int_equal(spean_suggest_distance("status", "satus"), 1);
    assert_int_equal(spean_suggest_distance("status", "sttaus"), 1);
    assert_int_equal(spean_suggest_distance("", "abc"), 3);
    assert_int_equal(spean_suggest_distance("abc", ""), 3);
    assert_int_equal(spean_suggest_distance("kitten", "sitting"), 3);
}

static void the_distance_is_the_same_from_either_side(void **state)
{
    (void)state;
    static const char *const words[] = {"", "agency", "agnecy", "member", "referral", "refer"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        for (size_t j = 0; j < sizeof(words) / sizeof(words[0]); j++) {
            assert_int_equal(spean_suggest_distance(words[i], words[j]),
                             spean_suggest_distance(words[j], words[i]));
        }
    }
}

static void words_beyond_the_limit_are_infinitely_far(void **state)
{
    (void)state;
    char word[SPEAN_SUGGEST_BYTES_MAX + 2];
    memset(word, 'a', sizeof(word));
    word[SPEAN_SUGGEST_BYTES_MAX + 1] = '\0';
    assert_true(spean_suggest_distance(word, "a") == SIZE_MAX);
    assert_true(spean_suggest_distance("a", word) == SIZE_MAX);
    word[SPEAN_SUGGEST_BYTES_MAX] = '\0';
    assert_int_equal(spean_suggest_distance(word, "a"), SPEAN_SUGGEST_BYTES_MAX - 1);
}

static void the_nearest_offered_first_is_suggested(void **state)
{
    (void)state;
    struct spean_suggestion best = {0};
    spean_suggest_offer(&best, "lsit", "edit");
    spean_suggest_offer(&best, "lsit", "list");
    spean_suggest_offer(&best, "lsit", "lisp");
    assert_string_equal(best.word, "list");
    assert_int_equal(best.distance, 1);

    best = (struct spean_suggestion){0};
    spean_suggest_offer(&best, "sen", "send");
    spean_suggest_offer(&best, "sen", "seen");
    assert_string_equal(best.word, "send");
}

static void nothing_is_suggested_beyond_two_errors_or_for_tiny_words(void **state)
{
    (void)state;
    struct spean_suggestion best = {0};
    spean_suggest_offer(&best, "xyz", "referral");
    spean_suggest_offer(&best, "abcdef", "abcxyz");
    spean_suggest_offer(&best, "ab", "xy");
    assert_null(best.word);
}

static void half_of_a_word_is_changed_at_the_most_unless_it_begins_the_other(void **state)
{
    (void)state;
    static const struct {
        const char *typed;
        const char *candidate;
        bool near;
    } rows[] = {{"log", "lang", false},    {"seq", "yes", false}, {"js", "json", true},
                {"lst", "list", true},     {"frm", "from", true}, {"colr", "color", true},
                {"agnecy", "agency", true}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct spean_suggestion best = {0};
        spean_suggest_offer(&best, rows[i].typed, rows[i].candidate);
        assert_int_equal(best.word != NULL, rows[i].near);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_of_a_word_is_changed_at_the_most_unless_it_begins_the_other),
        cmocka_unit_test(each_kind_of_typing_error_counts_one),
        cmocka_unit_test(the_distance_is_the_same_from_either_side),
        cmocka_unit_test(words_beyond_the_limit_are_infinitely_far),
        cmocka_unit_test(the_nearest_offered_first_is_suggested),
        cmocka_unit_test(nothing_is_suggested_beyond_two_errors_or_for_tiny_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
