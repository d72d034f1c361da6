/* What a case says that nobody wrote: sums, the ratio, and until when it is kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "node/todo.h"
#include "tests/unit/node/records_kit.h"

#define PATH_BYTES 160u
#define MONEY(amount, currency)                                                                    \
    "{\"amount\": " amount ", \"currency\": \"" currency "\", \"exact\": true}"

static void keep_id(char out[64], json_t *answer)
{
    const char *id = records_kit_text(answer, "id");
    assert_non_null(id);
    (void)snprintf(out, 64, "%s", id);
}

static const char *path_of(const char *id, const char *rest)
{
    static char path[PATH_BYTES];
    (void)snprintf(path, sizeof(path), "/v1/cases/%s%s", id, rest);
    return path;
}

static json_t *add_case(struct records_kit *kit, const char *body, char id[64])
{
    json_t *answer = records_kit_ok(kit, A1, "POST", "/v1/cases", body);
    keep_id(id, answer);
    return answer;
}

static uint32_t due_of(struct records_kit *kit)
{
    struct spean_core_view view;
    struct spean_todo_counts counts;
    assert_int_equal(spean_core_view_begin(&kit->cores[A1], &view), SPEAN_OK);
    spean_todo_count(&view, &counts);
    spean_core_view_end(&view);
    return counts.retention_due;
}

static size_t listed_due(struct records_kit *kit)
{
    json_t *answer = records_kit_ok(kit, A1, "GET", "/v1/cases?due=1", NULL);
    return json_array_size(records_kit_at(answer, "items"));
}

static void costs_are_summed_and_told_in_months_pay(void **state)
{
    struct records_kit *kit = *state;
    char id[64];
    json_t *answer = add_case(
        kit,
        "{\"append\": {\"costs\": [{\"category\": \"fee_recruiter\", \"paid_by\": \"worker\", "
        "\"amount\": " MONEY("500000", "JPY") "}, {\"category\": \"travel\", \"paid_by\": "
                                              "\"employer\", \"amount\": " MONEY(
                                                  "120050", "USD") "}], \"employments\": "
                                                                   "[{\"wage\": " MONEY(
                                                                       "160000",
                                                                       "JPY") ", \"wage_period\": "
                                                                              "\"month\"}]}}",
        id);
    json_t *costs = records_kit_at(answer, "derived.costs");
    assert_string_equal(records_kit_text(costs, "totals.0.category"), "fee_recruiter");
    assert_int_equal(json_integer_value(records_kit_at(costs, "totals.0.digits")), 0);
    assert_int_equal(json_integer_value(records_kit_at(costs, "totals.1.digits")), 2);
    assert_int_equal(json_integer_value(records_kit_at(costs, "sums.1.amount")), 120050);
    assert_int_equal(json_array_size(records_kit_at(costs, "borne")), 1);
    assert_int_equal(json_integer_value(records_kit_at(costs, "month_pay.amount")), 160000);
    /* 3.125, rounded half up. */
    assert_int_equal(json_integer_value(records_kit_at(costs, "sdg_10_7_1.hundredths")), 313);
    assert_int_equal(json_array_size(records_kit_at(costs, "missing")), 0);
}

static void what_was_struck_out_is_in_no_sum(void **state)
{
    struct records_kit *kit = *state;
    char id[64];
    char strike[PATH_BYTES];
    json_t *answer =
        add_case(kit, "{\"append\": {\"costs\": [{\"amount\": " MONEY("1", "JPY") "}]}}", id);
    assert_true(json_is_object(records_kit_at(answer, "derived.costs")));
    assert_string_equal(records_kit_text(answer, "derived.costs.missing.0"), "paid_by");
    assert_true(json_is_null(records_kit_at(answer, "derived.costs.totals.0.category")));
    (void)snprintf(strike, sizeof(strike), "{\"strike\": {\"costs\": [\"%s\"]}}",
                   records_kit_text(answer, "fields.costs.0.name"));
    answer = records_kit_ok(kit, A1, "PATCH", path_of(id, ""), strike);
    assert_true(json_is_null(records_kit_at(answer, "derived.costs")));
}

static void a_sum_that_does_not_fit_is_null(void **state)
{
    struct records_kit *kit = *state;
    char id[64];
    json_t *answer =
        add_case(kit,
                 "{\"append\": {\"costs\": [{\"amount\": " MONEY(
                     "\"9223372036854775807\"", "JPY") "}, {\"amount\": " MONEY("1", "JPY") "}]}}",
                 id);
    assert_true(json_is_null(records_kit_at(answer, "derived.costs.sums.0.amount")));
    answer = add_case(
        kit,
        "{\"append\": {\"costs\": [{\"amount\": " MONEY("\"9223372036854775807\"", "JPY") "}]}}",
        id);
    assert_string_equal(records_kit_text(answer, "derived.costs.sums.0.amount"),
                        "9223372036854775807");
}

static void a_case_is_due_by_what_a_person_set(void **state)
{
    struct records_kit *kit = *state;
    char id[64];
    json_t *answer = add_case(kit, "{}", id);
    const uint64_t height = records_kit_height(kit, A1);
    assert_true(json_is_null(records_kit_at(answer, "retention.review_on")));
    assert_true(json_is_false(records_kit_at(answer, "retention.by_person")));
    assert_int_equal(due_of(kit), 0);
    answer = records_kit_ok(kit, A1, "PUT", path_of(id, "/retention"),
                            "{\"review_on\": \"9999\", \"delete_by\": \"2020-02\"}");
    assert_true(json_is_true(records_kit_at(answer, "changed")));
    assert_string_equal(records_kit_text(answer, "retention.review_on"), "9999");
    assert_int_equal(json_array_size(records_kit_at(answer, "retention.due")), 1);
    assert_string_equal(records_kit_text(answer, "retention.due.0"), "delete_by");
    assert_int_equal(due_of(kit), 1);
    assert_int_equal(listed_due(kit), 1);
    /* What is put takes the place of all that was; nothing of it is an entry. */
    answer = records_kit_ok(kit, A1, "PUT", path_of(id, "/retention"),
                            "{\"review_on\": \"9999\", \"delete_by\": null}");
    assert_true(json_is_null(records_kit_at(answer, "retention.delete_by")));
    assert_int_equal(listed_due(kit), 0);
    answer = records_kit_ok(kit, A1, "PUT", path_of(id, "/retention"), "{}");
    assert_true(json_is_false(records_kit_at(answer, "retention.by_person")));
    answer = records_kit_ok(kit, A1, "PUT", path_of(id, "/retention"), "{}");
    assert_true(json_is_false(records_kit_at(answer, "changed")));
    assert_int_equal(records_kit_height(kit, A1), height);
}

static void a_date_is_due_on_its_day(void **state)
{
    struct records_kit *kit = *state;
    char id[64];
    char body[PATH_BYTES];
    char today[16];
    const time_t now = time(NULL);
    struct tm tm;
    assert_non_null(gmtime_r(&now, &tm));
    assert_true(strftime(today, sizeof(today), "%Y-%m-%d", &tm) > 0);
    (void)snprintf(body, sizeof(body), "{\"review_on\": \"%s\"}", today);
    (void)add_case(kit, "{}", id);
    json_t *answer = records_kit_ok(kit, A1, "PUT", path_of(id, "/retention"), body);
    assert_string_equal(records_kit_text(answer, "retention.due.0"), "review_on");
}

static void what_a_person_set_stands_before_the_settings(void **state)
{
    struct records_kit *kit = *state;
    char id[64];
    json_t *answer =
        add_case(kit, "{\"set\": {\"status\": \"closed\", \"closed_on\": \"2020\"}}", id);
    assert_string_equal(records_kit_text(answer, "retention.review_on"), "2021-12-31");
    answer = records_kit_ok(kit, A1, "PUT", path_of(id, "/retention"), "{\"review_on\": \"9999\"}");
    assert_string_equal(records_kit_text(answer, "retention.review_on"), "9999");
    assert_true(json_is_null(records_kit_at(answer, "retention.delete_by")));
    assert_int_equal(json_array_size(records_kit_at(answer, "retention.due")), 0);
}

static void the_settings_count_from_the_day_a_case_was_closed(void **state)
{
    struct records_kit *kit = *state;
    static const struct {
        const char *closed, *review, *erase;
    } rows[] = {
        {"2020-01-31", "2021-01-30", "2030-01-28"}, /* 365 and 3650 days, over leap years. */
        {"2020-02", "2021-02-28", "2030-02-26"},    /* As if on its last day, the 29th. */
        {"2020", "2021-12-31", "2030-12-29"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char id[64];
        char body[PATH_BYTES];
        (void)snprintf(body, sizeof(body),
                       "{\"set\": {\"status\": \"closed\", \"closed_on\": \"%s\"}}",
                       rows[i].closed);
        json_t *answer = add_case(kit, body, id);
        assert_string_equal(records_kit_text(answer, "retention.review_on"), rows[i].review);
        assert_string_equal(records_kit_text(answer, "retention.delete_by"), rows[i].erase);
        assert_string_equal(records_kit_text(answer, "retention.due.0"), "review_on");
        assert_int_equal(due_of(kit), i + 1);
    }
    char id[64];
    json_t *answer = add_case(kit, "{\"set\": {\"closed_on\": \"9999-12-31\"}}", id);
    assert_true(json_is_null(records_kit_at(answer, "retention.review_on")));
}

static void what_is_no_retention_is_refused(void **state)
{
    struct records_kit *kit = *state;
    static const char *const rows[] = {"{\"review_on\": 5}", "{\"review_on\": \"2027-02-30\"}",
                                       "{\"review_on\": \"soon\"}", "{\"delete_on\": \"2027\"}",
                                       "{\"delete_by\": {}}"};
    char id[64];
    (void)add_case(kit, "{}", id);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_refused(kit, A1, "PUT", path_of(id, "/retention"), rows[i], "bad_input");
    }
    assert_refused(kit, A1, "PUT", "/v1/cases/ffffffff/retention", "{}", "not_found");
    assert_refused(kit, A1, "GET", "/v1/cases?due=yes", NULL, "bad_input");
    json_t *answer = records_kit_ok(kit, A1, "PUT", path_of(id, "/retention?dry_run=1"),
                                    "{\"delete_by\": \"2020\"}");
    assert_true(json_is_true(records_kit_at(answer, "dry_run")));
    assert_int_equal(listed_due(kit), 0);
}

int main(void)
{
#define ROW(test) cmocka_unit_test_setup_teardown(test, records_kit_setup, records_kit_teardown)
    const struct CMUnitTest tests[] = {
        ROW(costs_are_summed_and_told_in_months_pay),
        ROW(what_was_struck_out_is_in_no_sum),
        ROW(a_sum_that_does_not_fit_is_null),
        ROW(a_case_is_due_by_what_a_person_set),
        ROW(a_date_is_due_on_its_day),
        ROW(what_a_person_set_stands_before_the_settings),
        ROW(the_settings_count_from_the_day_a_case_was_closed),
        ROW(what_is_no_retention_is_refused),
    };
#undef ROW
    return cmocka_run_group_tests(tests, NULL, NULL);
}
