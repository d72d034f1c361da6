#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/costs.h"
#include "protocol/writer.h"

#define ITEM_BYTES 256u
#define LINE_BYTES 32u

struct item {
    uint8_t bytes[ITEM_BYTES];
    struct spean_view view;
};

static void money(struct spean_writer *w, uint64_t sub, int64_t amount, const char *currency,
                  bool exact)
{
    spean_writer_uint(w, sub);
    spean_writer_array(w, 3);
    spean_writer_int(w, amount);
    spean_writer_str(w, currency, strlen(currency));
    spean_writer_bool(w, exact);
}

static void code(struct spean_writer *w, uint64_t sub, const char *text)
{
    spean_writer_uint(w, sub);
    spean_writer_str(w, text, strlen(text));
}

static void item_end(struct spean_writer *w, struct item *item)
{
    assert_int_equal(spean_writer_end(w, &item->view), SPEAN_OK);
}

/* A cost item; refunded 0: none. */
static void add(struct spean_costs *costs, const char *category, int64_t amount,
                const char *currency, const char *paid_by, int64_t refunded)
{
    struct item item;
    struct spean_writer w;
    spean_writer_init(&w, item.bytes, sizeof(item.bytes));
    spean_writer_map(&w, 2u + (paid_by != NULL ? 1u : 0u) + (refunded != 0 ? 1u : 0u));
    code(&w, 1, category);
    money(&w, 2, amount, currency, true);
    if (paid_by != NULL) {
        code(&w, 4, paid_by);
    }
    if (refunded != 0) {
        money(&w, 12, refunded, currency, true);
    }
    item_end(&w, &item);
    spean_costs_add(costs, item.view);
}

/* An employment that began in a year, 0: it is not said; hours 0 and period NULL likewise. */
static void employ(struct spean_costs *costs, uint64_t year, int64_t wage, const char *currency,
                   const char *period, uint64_t hours)
{
    struct item item;
    struct spean_writer w;
    spean_writer_init(&w, item.bytes, sizeof(item.bytes));
    spean_writer_map(&w, 1u + (year != 0 ? 1u : 0u) + (period != NULL ? 1u : 0u) +
                             (hours != 0 ? 1u : 0u));
    if (year != 0) {
        spean_writer_uint(&w, 4);
        spean_writer_array(&w, 1);
        spean_writer_uint(&w, year);
    }
    money(&w, 6, wage, currency, true);
    if (period != NULL) {
        code(&w, 7, period);
    }
    if (hours != 0) {
        spean_writer_uint(&w, 8);
        spean_writer_uint(&w, hours);
    }
    item_end(&w, &item);
    spean_costs_employment(costs, item.view);
}

static struct spean_costs *costs_new(void)
{
    struct spean_costs *costs = calloc(1, sizeof(*costs));
    assert_non_null(costs);
    return costs;
}

static void totals_are_by_category_and_currency_and_never_converted(void **state)
{
    (void)state;
    struct spean_costs *costs = costs_new();
    add(costs, "travel", 100, "JPY", "worker", 0);
    add(costs, "travel", 50, "JPY", "employer", 0);
    add(costs, "travel", 7, "USD", "worker", 0);
    add(costs, "medical", 1, "JPY", "worker", 0);
    spean_costs_end(costs);
    assert_int_equal(costs->totals_count, 3);
    assert_string_equal(costs->totals[0].category, "travel");
    assert_int_equal(costs->totals[0].amount, 150);
    assert_int_equal(costs->totals[0].items, 2);
    assert_string_equal(costs->totals[1].currency, "USD");
    assert_int_equal(costs->totals[1].amount, 7);
    assert_int_equal(costs->sums_count, 2);
    assert_int_equal(costs->sums[0].amount, 151);
    assert_int_equal(costs->borne[0].amount, 101);
    free(costs);
}

static void the_ratio_is_what_the_worker_bore_by_a_months_pay(void **state)
{
    (void)state;
    struct spean_costs *costs = costs_new();
    add(costs, "fee_recruiter", 500000, "JPY", "worker", 100000);
    add(costs, "training", 142311, "JPY", "family", 0);
    add(costs, "travel", 90000, "JPY", "employer", 5000);
    employ(costs, 2024, 200000, "JPY", "month", 0);
    employ(costs, 2023, 180000, "JPY", "month", 0); /* The first employment. */
    employ(costs, 0, 1, "JPY", "month", 0);
    spean_costs_end(costs);
    assert_int_equal(costs->missing, 0);
    assert_true(costs->has_ratio);
    assert_int_equal(costs->month, 180000);
    assert_int_equal(costs->borne[0].amount, 542311);
    assert_int_equal(costs->hundredths, 301); /* 3.0128 */
    free(costs);
}

static void pay_by_the_hour_week_and_year_becomes_a_months(void **state)
{
    (void)state;
    static const struct {
        const char *period;
        uint64_t hours;
        int64_t wage;
        int64_t month;
        unsigned missing;
    } rows[] = {{"month", 0, 7, 7, 0},
                {"year", 0, 2400000, 200000, 0},
                {"year", 0, 18, 2, 0}, /* 1.5, rounded half up. */
                {"week", 0, 30000, 130000, 0},
                {"hour", 160, 1100, 176000, 0},
                {"hour", 0, 1100, 0, SPEAN_COSTS_NO_HOURS},
                {"day", 0, 9000, 0, SPEAN_COSTS_NO_PERIOD},
                {NULL, 0, 9000, 0, SPEAN_COSTS_NO_PERIOD},
                {"fortnight", 0, 9000, 0, SPEAN_COSTS_NO_PERIOD},
                {"month", 0, 0, 0, SPEAN_COSTS_NO_WAGE},
                {"month", 0, -5, 0, SPEAN_COSTS_NO_WAGE},
                {"hour", INT64_MAX, 2, 0, SPEAN_COSTS_TOO_LARGE},
                {"hour", UINT64_MAX, 2, 0, SPEAN_COSTS_NO_HOURS},
                {"week", 0, INT64_MAX, 0, SPEAN_COSTS_TOO_LARGE}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct spean_costs *costs = costs_new();
        add(costs, "travel", 1, "JPY", "worker", 0);
        employ(costs, 2024, rows[i].wage, "JPY", rows[i].period, rows[i].hours);
        spean_costs_end(costs);
        assert_int_equal(costs->missing, rows[i].missing);
        assert_int_equal(costs->has_ratio, rows[i].missing == 0);
        assert_int_equal(costs->has_month ? costs->month : 0, rows[i].month);
        free(costs);
    }
}

static void what_is_missing_is_said_and_no_ratio_is_made_up(void **state)
{
    (void)state;
    static const char *const nobody[] = {NULL, "unknown"};
    for (size_t i = 0; i < sizeof(nobody) / sizeof(nobody[0]); i++) {
        struct spean_costs *unpaid = costs_new();
        add(unpaid, "travel", 100, "JPY", nobody[i], 0);
        spean_costs_end(unpaid);
        assert_int_equal(unpaid->missing, SPEAN_COSTS_NO_PAYER | SPEAN_COSTS_NO_WAGE);
        free(unpaid);
    }

    struct spean_costs *costs = costs_new();
    add(costs, "travel", 100, "VND", "worker", 0);
    employ(costs, 2024, 1000, "JPY", "month", 0);
    spean_costs_end(costs);
    assert_int_equal(costs->missing, SPEAN_COSTS_OTHER_CURRENCY);
    assert_false(costs->has_ratio);
    free(costs);
}

static void a_sum_beyond_all_numbers_is_not_a_wrong_one(void **state)
{
    (void)state;
    struct spean_costs *costs = costs_new();
    add(costs, "travel", INT64_MAX, "JPY", "worker", 0);
    add(costs, "travel", 1, "JPY", "worker", 0);
    add(costs, "travel", 0, "JPY", "worker", 0); /* It fits, and makes nothing right again. */
    add(costs, "medical", INT64_MIN, "USD", "worker", INT64_MIN);
    employ(costs, 2024, 1, "JPY", "month", 0);
    spean_costs_end(costs);
    assert_true(costs->totals[0].overflow);
    assert_true(costs->sums[0].overflow);
    assert_false(costs->totals[1].overflow);
    assert_true(costs->borne[1].overflow);
    assert_true((costs->missing & SPEAN_COSTS_TOO_LARGE) != 0);
    free(costs);

    costs = costs_new();
    add(costs, "travel", INT64_MAX, "JPY", "worker", 0);
    employ(costs, 2024, 1, "JPY", "month", 0);
    spean_costs_end(costs); /* The sum fits, a hundred times it does not. */
    assert_int_equal(costs->missing, SPEAN_COSTS_TOO_LARGE);
    free(costs);
}

static void a_refund_of_more_than_was_paid_is_no_negative_burden(void **state)
{
    (void)state;
    struct spean_costs *costs = costs_new();
    add(costs, "travel", 100, "JPY", "worker", 300);
    employ(costs, 2024, 100, "JPY", "month", 0);
    spean_costs_end(costs);
    assert_true(costs->has_ratio);
    assert_int_equal(costs->hundredths, 0);
    free(costs);
}

static void more_rows_than_there_is_room_for_are_told(void **state)
{
    (void)state;
    struct spean_costs *costs = costs_new();
    char category[LINE_BYTES];
    for (unsigned i = 0; i <= SPEAN_COSTS_TOTALS_MAX; i++) {
        assert_false(costs->more);
        (void)snprintf(category, sizeof(category), "c%u", i);
        add(costs, category, 1, "JPY", "worker", 0);
    }
    assert_true(costs->more);
    assert_int_equal(costs->totals_count, SPEAN_COSTS_TOTALS_MAX);
    assert_int_equal(costs->sums[0].amount, SPEAN_COSTS_TOTALS_MAX + 1);
    free(costs);
}

static void what_is_no_cost_item_counts_as_not_said(void **state)
{
    (void)state;
    /* A map with an amount that is no money, one with nothing in it, and no map at all. */
    static const uint8_t rows[][8] = {{0x81, 0x02, 0xa1, 'x'}, {0x80}, {0xc0}, {0x82, 0x02}};
    static const size_t lens[] = {4, 1, 1, 2};
    struct spean_costs *costs = costs_new();
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        spean_costs_add(costs, (struct spean_view){rows[i], lens[i]});
        spean_costs_employment(costs, (struct spean_view){rows[i], lens[i]});
    }
    spean_costs_end(costs);
    assert_int_equal(costs->totals_count, 0);
    assert_int_equal(costs->missing, SPEAN_COSTS_NO_AMOUNT | SPEAN_COSTS_NO_WAGE);
    free(costs);
}

static void what_is_missing_has_a_name_each(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SPEAN_COSTS_MISSING_COUNT; i++) {
        for (unsigned k = 0; k < i; k++) {
            assert_string_not_equal(spean_costs_missing_name(i), spean_costs_missing_name(k));
        }
    }
    assert_string_equal(spean_costs_missing_name(0), "paid_by");
}

static void currencies_have_their_digits_by_iso_4217(void **state)
{
    (void)state;
    static const struct {
        const char *code;
        unsigned digits;
    } rows[] = {{"JPY", 0}, {"VND", 0}, {"KRW", 0}, {"KHR", 2}, {"IDR", 2}, {"USD", 2}, {"EUR", 2},
                {"MMK", 2}, {"KWD", 3}, {"CLF", 4}, {"ABC", 2}, {"", 2},    {"JP", 2},  {"PY ", 2}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(spean_currency_digits(rows[i].code), rows[i].digits);
    }
    size_t count = 0;
    const struct spean_currency *all = spean_currency_all(&count);
    assert_true(count > 150);
    for (size_t i = 1; i < count; i++) {
        assert_true(strcmp(all[i - 1].code, all[i].code) < 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(totals_are_by_category_and_currency_and_never_converted),
        cmocka_unit_test(the_ratio_is_what_the_worker_bore_by_a_months_pay),
        cmocka_unit_test(pay_by_the_hour_week_and_year_becomes_a_months),
        cmocka_unit_test(what_is_missing_is_said_and_no_ratio_is_made_up),
        cmocka_unit_test(a_sum_beyond_all_numbers_is_not_a_wrong_one),
        cmocka_unit_test(a_refund_of_more_than_was_paid_is_no_negative_burden),
        cmocka_unit_test(more_rows_than_there_is_room_for_are_told),
        cmocka_unit_test(what_is_no_cost_item_counts_as_not_said),
        cmocka_unit_test(what_is_missing_has_a_name_each),
        cmocka_unit_test(currencies_have_their_digits_by_iso_4217),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
