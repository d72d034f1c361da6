#include "tools/timetext.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void programs_get_rfc_3339_in_utc(void **state)
{
    (void)state;
    char out[SPEAN_TIMETEXT_BYTES_MAX];
    spean_timetext_utc(0, out);
    assert_string_equal(out, "1970-01-01T00:00:00Z");
    spean_timetext_utc(1795158120, out);
    assert_string_equal(out, "2026-11-20T07:02:00Z");
}

static void people_get_local_time_with_its_zone(void **state)
{
    (void)state;
    char out[SPEAN_TIMETEXT_BYTES_MAX];
    assert_int_equal(setenv("TZ", "<+07>-7", 1), 0);
    tzset();
    spean_timetext_local(1795158120, out);
    assert_string_equal(out, "2026-11-20 14:02 +07");
    assert_int_equal(setenv("TZ", "JST-9", 1), 0);
    tzset();
    spean_timetext_local(1795158120, out);
    assert_string_equal(out, "2026-11-20 16:02 JST");
}

static void a_clock_far_out_is_a_question_mark(void **state)
{
    (void)state;
    static const int64_t wild[] = {INT64_MIN, INT64_MAX, 253402300800, -62167219201};
    for (size_t i = 0; i < sizeof(wild) / sizeof(wild[0]); i++) {
        char out[SPEAN_TIMETEXT_BYTES_MAX];
        spean_timetext_utc(wild[i], out);
        assert_string_equal(out, "?");
        spean_timetext_local(wild[i], out);
        assert_string_equal(out, "?");
    }
}

static void what_was_written_is_read_back(void **state)
{
    (void)state;
    static const int64_t times[] = {0,          1795158120,   -1,          951782400,
                                    4107542399, -62167219200, 253402300799};
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        char text[SPEAN_TIMETEXT_BYTES_MAX];
        int64_t back = 42;
        spean_timetext_utc(times[i], text);
        assert_int_equal(spean_timetext_parse(text, &back), SPEAN_OK);
        assert_true(back == times[i]);
    }
}

static void a_time_that_is_none_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "2026-11-20",
                                      "2026-11-20T07:02:00",
                                      "2026-11-20T07:02:00+07:00",
                                      "2026-11-20T07:02:00Zx",
                                      "2026-11-20 07:02:00Z",
                                      "2026-13-20T07:02:00Z",
                                      "2026-00-20T07:02:00Z",
                                      "2026-02-30T07:02:00Z",
                                      "2025-02-29T07:02:00Z",
                                      "2026-11-20T24:02:00Z",
                                      "2026-11-20T07:60:00Z",
                                      "2026-11-20T07:02:60Z",
                                      "-026-11-20T07:02:00Z",
                                      "2026-1--20T07:02:00Z"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int64_t out = 42;
        assert_int_equal(spean_timetext_parse(bad[i], &out), SPEAN_EINPUT);
        assert_int_equal(out, 42);
    }
}

static void people_see_how_long_ago_it_was(void **state)
{
    (void)state;
    static const int64_t now = 1795158120; /* 14:02 at +07. */
    static const struct {
        int64_t then;
        const char *text;
    } rows[] = {{now, "now"},
                {now - 119, "now"},
                {now - 120, "2 min ago 14:00"},
                {now - 3599, "59 min ago 13:02"},
                {now - 3600, "1 h ago 13:02"},
                {now - 86399, "23 h ago 14:02"},
                {now - 86400, "1 d ago 2026-11-19"},
                {now + 60, "2026-11-20 14:03 +07"},
                {0, "never"}};
    assert_int_equal(setenv("TZ", "<+07>-7", 1), 0);
    tzset();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[SPEAN_TIMETEXT_BYTES_MAX];
        spean_timetext_ago(now, rows[i].then, text);
        assert_string_equal(text, rows[i].text);
    }
}

static void a_length_of_time_has_a_number_and_a_unit(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds;
    } good[] = {{"90s", 90},        {"30m", 1800},   {"72h", 259200},
                {"7d", 604800},     {"2w", 1209600}, {"365d", SPEAN_TIMETEXT_SPAN_MAX},
                {"\u17e7d", 604800}};
    static const char *const bad[] = {"",    "d",    "7",    "0d",           "-7d", "7D",
                                      "7dd", "1.5h", "366d", "99999999999d", "53w", "7 days"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        int64_t seconds = 0;
        assert_int_equal(spean_timetext_span(good[i].text, &seconds), SPEAN_OK);
        assert_true(seconds == good[i].seconds);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int64_t seconds = 42;
        assert_int_equal(spean_timetext_span(bad[i], &seconds), SPEAN_EINPUT);
        assert_int_equal(seconds, 42);
    }
}

static void today_is_a_date_of_this_machine(void **state)
{
    (void)state;
    char text[SPEAN_TIMETEXT_BYTES_MAX];
    spean_timetext_today(text);
    assert_int_equal(strlen(text), 10);
    assert_int_equal(strspn(text, "0123456789-"), 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs_get_rfc_3339_in_utc),
        cmocka_unit_test(people_get_local_time_with_its_zone),
        cmocka_unit_test(a_clock_far_out_is_a_question_mark),
        cmocka_unit_test(what_was_written_is_read_back),
        cmocka_unit_test(a_time_that_is_none_is_refused),
        cmocka_unit_test(people_see_how_long_ago_it_was),
        cmocka_unit_test(a_length_of_time_has_a_number_and_a_unit),
        cmocka_unit_test(today_is_a_date_of_this_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
