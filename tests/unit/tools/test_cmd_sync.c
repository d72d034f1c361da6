#include "tools/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/tools/clikit.h"

static void in_step_is_exit_0_and_not_in_step_3(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say good[] = {{.status = 200, .json = "{\"in_step\":true,\"partners\":[]}"}};
    const struct api_say late[] = {
        {.status = 200,
         .json =
             "{\"in_step\":false,\"partners\":[{\"org\":\"7f3a91c4\",\"name\":\"Tokyo\",\"state\":"
             "\"offline\",\"why\":\"no answer\"}]}"}};
    talk_run(&talk, good, 1, (const char *const[]){"spean", "sync", "now", "--wait", "60", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 0, "POST /v1/sync?wait_s=60", NULL);
    talk_fini(&talk);
    talk_run(&talk, late, 1, (const char *const[]){"spean", "sync", "now", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_ATTENTION);
    assert_asked(&talk, 0, "POST /v1/sync", NULL);
    assert_non_null(strstr(talk.result.out, "Tokyo (7f3a-91c4): no answer"));
    assert_non_null(strstr(talk.result.out, "never"));
    talk_fini(&talk);
}

static void a_wait_beyond_what_the_daemon_takes_is_refused(void **state)
{
    (void)state;
    struct talk talk;
    static const char *const bad[] = {"3601", "9007199254740992", "-1", "x"};
    const struct api_say says[] = {{.status = 200, .json = "{\"in_step\":true}"}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        talk_run(&talk, says, 1,
                 (const char *const[]){"spean", "sync", "now", "--wait", bad[i], NULL});
        assert_int_equal(talk.result.exit, SPEAN_EXIT_USAGE);
        assert_asked_times(&talk, 0);
        talk_fini(&talk);
    }
    talk_run(&talk, says, 1, (const char *const[]){"spean", "sync", "now", "--wait", "3600", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    talk_fini(&talk);
}

static void sync_is_paused_and_resumed(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say paused[] = {{.status = 200, .json = "{\"paused\":true}"}};
    const struct api_say resumed[] = {{.status = 200, .json = "{\"paused\":false}"}};
    talk_run(&talk, paused, 1, (const char *const[]){"spean", "sync", "pause", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 0, "POST /v1/sync/pause", NULL);
    assert_non_null(strstr(talk.result.err, "spean sync resume"));
    talk_fini(&talk);
    talk_run(&talk, resumed, 1, (const char *const[]){"spean", "sync", "resume", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 0, "POST /v1/sync/resume", NULL);
    talk_fini(&talk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sync_is_paused_and_resumed),
        cmocka_unit_test(in_step_is_exit_0_and_not_in_step_3),
        cmocka_unit_test(a_wait_beyond_what_the_daemon_takes_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
