#include "tools/money.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void amounts_stand_in_groups_of_thousands(void **state)
{
    (void)state;
    static const struct {
        int64_t amount;
        const char *currency;
        const char *text;
    } rows[] = {{573607, "JPY", "JPY 573,607"},
                {0, "JPY", "JPY 0"},
                {999, "VND", "VND 999"},
                {1000, "VND", "VND 1,000"},
                {-1000, "VND", "VND -1,000"},
                {5, "USD", "USD 0.05"},
                {-5, "USD", "USD -0.05"},
                {120450, "USD", "USD 1,204.50"},
                {410000000, "KHR", "KHR 4,100,000.00"},
                {1234567, "KWD", "KWD 1,234.567"},
                {INT64_MAX, "JPY", "JPY 9,223,372,036,854,775,807"},
                {INT64_MIN, "USD", "USD -92,233,720,368,547,758.08"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[SPEAN_MONEY_BYTES_MAX];
        spean_money_text(rows[i].amount, rows[i].currency, text);
        assert_string_equal(text, rows[i].text);
    }
}

static void basis_points_are_told_in_per_cent(void **state)
{
    (void)state;
    static const struct {
        int64_t points;
        const char *text;
    } rows[] = {{3600, "36"},
                {1250, "12.5"},
                {25, "0.25"},
                {5, "0.05"},
                {0, "0"},
                {100, "1"},
                {-150, "-1.5"},
                {12000000, "120,000"},
                {INT64_MIN, "-92,233,720,368,547,758.08"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[SPEAN_MONEY_BYTES_MAX];
        spean_money_percent(rows[i].points, text);
        assert_string_equal(text, rows[i].text);
    }
}

static void counts_stand_in_groups_too(void **state)
{
    (void)state;
    char text[SPEAN_MONEY_BYTES_MAX];
    spean_money_count(1204, text);
    assert_string_equal(text, "1,204");
    spean_money_count(-1, text);
    assert_string_equal(text, "-1");
    spean_money_count(100000, text);
    assert_string_equal(text, "100,000");
}

static void a_currency_that_is_none_cannot_overflow_the_text(void **state)
{
    (void)state;
    char text[SPEAN_MONEY_BYTES_MAX];
    spean_money_text(INT64_MIN, "a currency of far too many letters, from a newer program", text);
    assert_memory_equal(text, "a curren ", 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(amounts_stand_in_groups_of_thousands),
        cmocka_unit_test(basis_points_are_told_in_per_cent),
        cmocka_unit_test(counts_stand_in_groups_too),
        cmocka_unit_test(a_currency_that_is_none_cannot_overflow_the_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
