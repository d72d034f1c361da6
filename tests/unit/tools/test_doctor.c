#include "tools/doctor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/tools/clikit.h"
#include "tools/jsonget.h"

#define PATH_BYTES 160u

struct home {
    char path[PATH_BYTES];
    char store[PATH_BYTES + 8];
};

static int home_make(void **state)
{
    static struct home home;
    scratch_make(home.path, sizeof(home.path));
    (void)snprintf(home.store, sizeof(home.store), "%s/store", home.path);
    assert_int_equal(mkdir(home.store, 0700), 0);
    *state = &home;
    return 0;
}

static int home_end(void **state)
{
    struct home *const home = *state;
    (void)rmdir(home->store); /* A test may have done so. */
    scratch_remove(home->path);
    return 0;
}

/* The state of one check of path; "" if it was not made. */
static void assert_state(const char *path, const char *check, const char *state, const char *advice)
{
    json_t *const checks = json_array();
    const char *found = "";
    const char *help = "";
    assert_int_equal(spean_doctor_look(path, checks), SPEAN_OK);
    for (size_t i = 0; i < json_array_size(checks); i++) {
        const json_t *const row = json_array_get(checks, i);
        if (strcmp(spean_jsonget_text(row, "check"), check) == 0) {
            found = spean_jsonget_text(row, "state");
            help = spean_jsonget_text(row, "do");
        }
    }
    assert_string_equal(found, state);
    assert_non_null(strstr(help, advice));
    assert_int_equal(help[0] == '\0', strcmp(state, "attention") != 0);
    json_decref(checks);
}

static void a_home_that_is_closed_is_well(void **state)
{
    const struct home *const home = *state;
    assert_state(home->path, "home", "ok", "");
    assert_state(home->path, "store", "ok", "");
    assert_state(home->path, "time", "ok", "");
}

static void a_home_that_others_may_open_is_told_with_the_remedy(void **state)
{
    const struct home *const home = *state;
    assert_int_equal(chmod(home->path, 0750), 0);
    assert_state(home->path, "home", "ok", ""); /* A group may share the socket in it. */
    assert_int_equal(chmod(home->path, 0705), 0);
    assert_state(home->path, "home", "attention", "chmod o-rwx ");
    assert_int_equal(chmod(home->store, 0750), 0);
    assert_state(home->path, "store", "attention", "chmod go-rwx ");
}

static void where_there_is_no_node_that_is_all_that_is_said(void **state)
{
    const struct home *const home = *state;
    assert_int_equal(rmdir(home->store), 0);
    assert_state(home->path, "store", "attention", "spean init");
    assert_state(home->path, "home", "", "");
    assert_state(home->path, "disk", "", "");
}

int main(void)
{
#define RULE(name) cmocka_unit_test_setup_teardown(name, home_make, home_end)
    const struct CMUnitTest tests[] = {
        RULE(a_home_that_is_closed_is_well),
        RULE(a_home_that_others_may_open_is_told_with_the_remedy),
        RULE(where_there_is_no_node_that_is_all_that_is_said),
    };
#undef RULE
    return cmocka_run_group_tests(tests, NULL, NULL);
}
