#include "tools/timetext.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs_get_rfc_3339_in_utc),
        cmocka_unit_test(people_get_local_time_with_its_zone),
        cmocka_unit_test(a_clock_far_out_is_a_question_mark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
