#include "tools/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/tools/clikit.h"

static void logs_are_listed_with_where_they_were_closed(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {
        {.status = 200,
         .json = "{\"items\":[{\"id\":\"91c47f3aaa\",\"org\":\"7f3a91c4bb\",\"name\":\"Tokyo\","
                 "\"height\":1204,\"standing\":\"open\",\"cut\":null,\"self\":true},{\"id\":"
                 "\"00112233\",\"height\":3,\"standing\":\"closed\",\"cut\":{\"seq\":2}}]}"}};
    talk_run(&talk, says, 1, (const char *const[]){"spean", "log", "list", "--plain", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 0, "GET /v1/logs?limit=1000", NULL);
    assert_non_null(
        strstr(talk.result.out, "91c4-7f3a\tTokyo (7f3a-91c4)  (this node)\t1,204\topen\t-\n"));
    assert_non_null(strstr(talk.result.out, "closed at 2\n"));
    talk_fini(&talk);
}

static void entries_tell_what_became_of_them(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say list[] = {
        {.status = 200,
         .json =
             "{\"items\":[{\"seq\":12,\"kind\":\"change\",\"body_bytes\":300,\"body\":\"missing\","
             "\"fate\":\"aside\",\"why\":\"author may not\"}]}"}};
    const struct api_say one[] = {{.status = 200, .json = "{\"seq\":12,\"id\":\"ab\"}"}};
    talk_run(&talk, list, 1, (const char *const[]){"spean", "log", "show", "91C4", NULL});
    assert_asked(&talk, 0, "GET /v1/logs/91c4/entries?limit=1000", NULL);
    assert_non_null(strstr(talk.result.out, "author may not"));
    talk_fini(&talk);
    talk_run(&talk, one, 1, (const char *const[]){"spean", "log", "show", "91c4", "\u17e12", NULL});
    assert_asked(&talk, 0, "GET /v1/logs/91c4/entries/12", NULL);
    assert_non_null(strstr(talk.result.out, "ab"));
    talk_fini(&talk);
    talk_run(&talk, one, 1, (const char *const[]){"spean", "log", "show", "91c4", "x", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_USAGE);
    talk_fini(&talk);
}

static void a_log_is_paused_and_resumed(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say paused[] = {
        {.status = 200, .json = "{\"id\":\"91c47f3aaa\",\"paused\":true}"}};
    const struct api_say resumed[] = {
        {.status = 200, .json = "{\"id\":\"91c47f3aaa\",\"paused\":false}"}};
    const struct api_say refused[] = {
        {.status = 409,
         .json = "{\"error\":{\"code\":\"ESTATE\",\"message\":\"this is the log of "
                 "this node itself\",\"hint\":\"\",\"exit\":6}}"}};
    talk_run(&talk, paused, 1, (const char *const[]){"spean", "log", "pause", "91C4-7F3A", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 0, "POST /v1/logs/91c47f3a/pause", NULL);
    assert_non_null(strstr(talk.result.err, "91c4-7f3a is paused"));
    assert_non_null(strstr(talk.result.err, "spean log resume 91c4-7f3a"));
    talk_fini(&talk);
    talk_run(&talk, resumed, 1, (const char *const[]){"spean", "log", "resume", "91c4", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 0, "POST /v1/logs/91c4/resume", NULL);
    assert_non_null(strstr(talk.result.err, "91c4-7f3a goes on"));
    talk_fini(&talk);
    talk_run(&talk, refused, 1, (const char *const[]){"spean", "log", "pause", "91c4", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_STATE);
    talk_fini(&talk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logs_are_listed_with_where_they_were_closed),
        cmocka_unit_test(entries_tell_what_became_of_them),
        cmocka_unit_test(a_log_is_paused_and_resumed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
