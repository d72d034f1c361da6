#include "tools/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/tools/clikit.h"

static void a_sound_store_is_exit_0_with_what_was_counted(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {
        {.status = 200, .json = "{\"ok\":true,\"problems\":[],\"entries\":1204,\"bodies\":9}"}};
    talk_run(&talk, says, 1, (const char *const[]){"spean", "verify", "--plain", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 0, "POST /v1/verify", NULL);
    assert_non_null(strstr(talk.result.out, "entries\t1204\n"));
    talk_fini(&talk);
}

static void damage_is_exit_9_and_is_told(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {
        {.status = 200, .json = "{\"ok\":false,\"problems\":[\"entry 7 of 91c4 is torn\"]}"}};
    talk_run(&talk, says, 1, (const char *const[]){"spean", "verify", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_INTEGRITY);
    assert_non_null(strstr(talk.result.out, "entry 7 of 91c4 is torn"));
    talk_fini(&talk);
    talk_run(&talk, says, 1, (const char *const[]){"spean", "verify", "--json", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_INTEGRITY);
    json_t *const said = json_loads(talk.result.out, 0, NULL);
    assert_true(json_is_false(json_object_get(said, "ok")));
    json_decref(said);
    talk_fini(&talk);
}

static void an_answer_that_does_not_say_ok_is_not_taken_for_it(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {{.status = 200, .json = "{}"}};
    talk_run(&talk, says, 1, (const char *const[]){"spean", "verify", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_INTEGRITY);
    talk_fini(&talk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_store_is_exit_0_with_what_was_counted),
        cmocka_unit_test(damage_is_exit_9_and_is_told),
        cmocka_unit_test(an_answer_that_does_not_say_ok_is_not_taken_for_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
