/* Times as the local API writes them. */
#include "node/when.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static spean_err parse(const char *text, uint64_t *out)
{
    return spean_when_parse((struct spean_view){(const uint8_t *)text, strlen(text)}, out);
}

static void known_moments_are_read_and_written(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t time_s;
    } rows[] = {
        {"1970-01-01T00:00:00Z", 0},          {"1999-12-31T23:59:59Z", 946684799},
        {"2000-02-29T12:00:00Z", 951825600},  {"2026-11-22T00:00:00Z", 1795305600},
        {"2100-03-01T00:00:00Z", 4107542400}, {"9999-12-31T23:59:59Z", SPEAN_WHEN_MAX},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t time_s = 1;
        char text[SPEAN_WHEN_BYTES];
        assert_int_equal(parse(rows[i].text, &time_s), SPEAN_OK);
        assert_int_equal(time_s, rows[i].time_s);
        assert_int_equal(spean_when_format(text, time_s), SPEAN_OK);
        assert_string_equal(text, rows[i].text);
    }
}

static void every_day_follows_the_one_before(void **state)
{
    (void)state;
    struct spean_day before = spean_when_day(0);
    for (uint64_t day = 1; day < 60000; day++) {
        const struct spean_day now = spean_when_day(day * 86400 + 86399);
        const int same_month = now.month == before.month && now.year == before.year;
        assert_true(same_month ? now.day == before.day + 1 : now.day == 1);
        before = now;
    }
    assert_int_equal(before.year, 2134);
}

static void an_offset_is_taken_off(void **state)
{
    (void)state;
    uint64_t time_s = 0;
    assert_int_equal(parse("1970-01-01T09:30:00+09:00", &time_s), SPEAN_OK);
    assert_int_equal(time_s, 1800);
    assert_int_equal(parse("1970-01-01T00:00:00-01:30", &time_s), SPEAN_OK);
    assert_int_equal(time_s, 5400);
}

static void other_forms_and_impossible_times_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "2026-11-22",
        "2026-11-22T00:00:00",
        "2026-11-22 00:00:00Z",
        "2026-11-22t00:00:00Z",
        "2026-11-22T00:00:00z",
        "2026-11-22T00:00:00.0Z",
        "2026-02-29T00:00:00Z",
        "2026-00-10T00:00:00Z",
        "2026-13-10T00:00:00Z",
        "2026-11-00T00:00:00Z",
        "2026-11-31T00:00:00Z",
        "2026-11-22T24:00:00Z",
        "2026-11-22T23:60:00Z",
        "2026-11-22T23:59:60Z",
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "2026-11-22T00:00:00+0900x",
        "2026-11-22T00:00:00+24:00",
        "2026-11-22T00:00:00*09:00",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        uint64_t time_s = 7;
        assert_int_equal(parse(wrong[i], &time_s), SPEAN_EINPUT);
        assert_int_equal(time_s, 7);
    }
    char text[SPEAN_WHEN_BYTES];
    assert_int_equal(spean_when_format(text, SPEAN_WHEN_MAX + 1), SPEAN_EINPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_moments_are_read_and_written),
        cmocka_unit_test(every_day_follows_the_one_before),
        cmocka_unit_test(an_offset_is_taken_off),
        cmocka_unit_test(other_forms_and_impossible_times_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
