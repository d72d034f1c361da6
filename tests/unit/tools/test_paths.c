#include "tools/paths.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int variables_clear(void **state)
{
    (void)state;
    return unsetenv("SPEAN_HOME") | unsetenv("XDG_DATA_HOME") | unsetenv("HOME");
}

static void assert_home(const char *given, const char *expected)
{
    char home[SPEAN_PATH_BYTES_MAX];
    struct spean_problem problem;
    assert_int_equal(spean_path_home(given, home, &problem), SPEAN_EXIT_DONE);
    assert_string_equal(home, expected);
}

static void the_nearest_word_about_the_home_counts(void **state)
{
    (void)state;
    assert_int_equal(setenv("HOME", "/h", 1), 0);
    assert_home(NULL, "/h/.local/share/spean");
    assert_int_equal(setenv("XDG_DATA_HOME", "/x", 1), 0);
    assert_home(NULL, "/x/spean");
    assert_int_equal(setenv("SPEAN_HOME", "/s", 1), 0);
    assert_home(NULL, "/s");
    assert_home("/g", "/g");
    assert_int_equal(setenv("SPEAN_HOME", "", 1), 0);
    assert_home(NULL, "/x/spean");
    assert_int_equal(setenv("XDG_DATA_HOME", "relative", 1), 0);
    assert_home(NULL, "/h/.local/share/spean");
}

static void without_any_home_the_flag_is_named(void **state)
{
    (void)state;
    char home[SPEAN_PATH_BYTES_MAX];
    struct spean_problem problem;
    assert_int_equal(spean_path_home(NULL, home, &problem), SPEAN_EXIT_USAGE);
    assert_non_null(strstr(problem.hint, "--home"));
}

static void a_path_too_long_for_a_socket_is_refused_not_cut(void **state)
{
    (void)state;
    char home[SPEAN_SOCKET_PATH_BYTES_MAX];
    char path[SPEAN_SOCKET_PATH_BYTES_MAX];
    struct spean_problem problem;
    memset(home, 'a', sizeof(home));
    const size_t fits = SPEAN_SOCKET_PATH_BYTES_MAX - 1 - strlen("/" SPEAN_SOCKET_NAME);
    home[fits] = '\0';
    assert_int_equal(spean_path_socket(NULL, home, path, &problem), SPEAN_EXIT_DONE);
    assert_int_equal(strlen(path), SPEAN_SOCKET_PATH_BYTES_MAX - 1);
    home[fits] = 'a';
    home[fits + 1] = '\0';
    assert_int_equal(spean_path_socket(NULL, home, path, &problem), SPEAN_EXIT_USAGE);
    assert_int_equal(spean_path_socket("/run/s.sock", home, path, &problem), SPEAN_EXIT_DONE);
    assert_string_equal(path, "/run/s.sock");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_nearest_word_about_the_home_counts, variables_clear),
        cmocka_unit_test_setup(without_any_home_the_flag_is_named, variables_clear),
        cmocka_unit_test(a_path_too_long_for_a_socket_is_refused_not_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
