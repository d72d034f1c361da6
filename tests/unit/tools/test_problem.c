#include "tools/problem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void a_problem_carries_exit_code_message_and_hint(void **state)
{
    (void)state;
    struct spean_problem problem = {.hint = "old"};
    assert_int_equal(spean_problem_set(&problem, SPEAN_EXIT_STATE, "wrong_state", "no %d", 7),
                     SPEAN_EXIT_STATE);
    assert_int_equal(problem.exit, SPEAN_EXIT_STATE);
    assert_string_equal(problem.code, "wrong_state");
    assert_string_equal(problem.message, "no 7");
    assert_string_equal(problem.hint, "");
    spean_problem_hint(&problem, "try %s", "again");
    assert_string_equal(problem.hint, "try again");
}

static void a_long_message_is_cut_between_characters(void **state)
{
    (void)state;
    char text[2 * SPEAN_PROBLEM_TEXT_BYTES_MAX];
    for (size_t shift = 0; shift < 3; shift++) {
        memset(text, 'a', shift);
        for (size_t i = shift; i + 3 < sizeof(text); i += 3) {
            memcpy(text + i, "\xe1\x9e\x80", 3);
            text[i + 3] = '\0';
        }
        struct spean_problem problem;
        (void)spean_problem_usage(&problem, "%s", text);
        const size_t len = strlen(problem.message);
        assert_int_equal((len - shift) % 3, 0);
        assert_true(len > SPEAN_PROBLEM_TEXT_BYTES_MAX - 4);
    }
}

static void errors_of_the_libraries_get_the_documented_exit_codes(void **state)
{
    (void)state;
    assert_int_equal(spean_exit_of(SPEAN_OK), 0);
    assert_int_equal(spean_exit_of(SPEAN_EDENIED), 4);
    assert_int_equal(spean_exit_of(SPEAN_ENOTFOUND), 5);
    assert_int_equal(spean_exit_of(SPEAN_ESTATE), 6);
    assert_int_equal(spean_exit_of(SPEAN_ESIGNATURE), 9);
    assert_int_equal(spean_exit_of(SPEAN_ECORRUPT), 9);
    assert_int_equal(spean_exit_of(SPEAN_ELOCKED), 11);
    assert_int_equal(spean_exit_of(SPEAN_EPASSPHRASE), 12);
    assert_int_equal(spean_exit_of(SPEAN_EIO), 1);
}

static void no_library_error_ends_in_success(void **state)
{
    (void)state;
    for (int i = 1; i < SPEAN_ERRS_COUNT; i++) {
        struct spean_problem problem;
        assert_int_not_equal(spean_problem_err(&problem, (spean_err)i, "it"), SPEAN_EXIT_DONE);
        assert_string_equal(problem.code, spean_err_name((spean_err)i));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_problem_carries_exit_code_message_and_hint),
        cmocka_unit_test(a_long_message_is_cut_between_characters),
        cmocka_unit_test(errors_of_the_libraries_get_the_documented_exit_codes),
        cmocka_unit_test(no_library_error_ends_in_success),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
