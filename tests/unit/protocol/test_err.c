#include "protocol/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void every_error_has_a_name_and_a_text(void **state)
{
    (void)state;
    for (int i = 0; i < SPEAN_ERRS_COUNT; i++) {
        assert_true(strlen(spean_err_name((spean_err)i)) > 0);
        assert_true(strlen(spean_err_text((spean_err)i)) > 0);
    }
}

static void names_are_distinct_because_scripts_match_on_them(void **state)
{
    (void)state;
    for (int i = 0; i < SPEAN_ERRS_COUNT; i++) {
        for (int j = 0; j < i; j++) {
            assert_string_not_equal(spean_err_name((spean_err)i), spean_err_name((spean_err)j));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_has_a_name_and_a_text),
        cmocka_unit_test(names_are_distinct_because_scripts_match_on_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
