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

static void a_plan_says_what_would_come_and_go_and_as_of_when(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {
        {.status = 200,
         .json = "{\"partners\":[{\"org\":\"7f3a91c4\",\"name\":\"Tokyo\",\"connected\":true,"
                 "\"last_contact\":null,\"fetch\":{\"changes\":1214,\"bytes\":310400},"
                 "\"send\":{\"changes\":12,\"bytes\":999}},"
                 "{\"org\":\"00000001\",\"name\":\"Hanoi\",\"connected\":false,"
                 "\"last_contact\":null,\"fetch\":null,\"send\":null},"
                 "{\"org\":\"00000002\",\"name\":\"Jakarta\",\"connected\":false,"
                 "\"last_contact\":null,\"fetch\":{\"changes\":0,\"bytes\":0},"
                 "\"send\":{\"changes\":3,\"bytes\":2000000}}],"
                 "\"fetch\":{\"changes\":1214,\"bytes\":310400},\"missing_bodies\":7,"
                 "\"paused\":true}"}};
    talk_run(&talk, says, 1, (const char *const[]){"spean", "sync", "plan", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 0, "GET /v1/sync/plan", NULL);
    assert_non_null(strstr(talk.result.out, "Tokyo (7f3a-91c4): would fetch 1,214 changes, about "
                                            "310 kB; would send 12, about 999 B"));
    assert_non_null(strstr(talk.result.out, "Hanoi (0000-0001): never met"));
    assert_non_null(strstr(talk.result.out, "3, about 2 MB\n  not connected"));
    assert_non_null(strstr(talk.result.err, "missing here: 7"));
    assert_non_null(strstr(talk.result.err, "spean sync resume"));
    talk_fini(&talk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_says_what_would_come_and_go_and_as_of_when),
        cmocka_unit_test(sync_is_paused_and_resumed),
        cmocka_unit_test(in_step_is_exit_0_and_not_in_step_3),
        cmocka_unit_test(a_wait_beyond_what_the_daemon_takes_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
