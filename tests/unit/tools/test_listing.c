#include "tools/listing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/tools/clikit.h"

/* `member list` gets its list here; any command that lists would do. */
static const char *const words[] = {"spean", "member", "list", "--json", NULL};

static void all_pages_become_one_list(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {{.status = 200, .json = "{\"items\":[1,2],\"next\":\"a&b\"}"},
                                   {.status = 200, .json = "{\"items\":[],\"next\":\"c\"}"},
                                   {.status = 200, .json = "{\"items\":[3],\"next\":null}"}};
    talk_run(&talk, says, 3, words);
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 1, "GET /v1/members?limit=1000&after=a%26b", NULL);
    assert_asked(&talk, 2, "GET /v1/members?limit=1000&after=c", NULL);
    json_t *const said = json_loads(talk.result.out, 0, NULL);
    json_t *const wanted = json_pack("{s:[i,i,i]}", "items", 1, 2, 3);
    assert_true(json_equal(said, wanted));
    json_decref(wanted);
    json_decref(said);
    talk_fini(&talk);
}

static void an_answer_that_is_no_list_is_a_failure(void **state)
{
    (void)state;
    struct talk talk;
    static const char *const bad[] = {"{}", "{\"items\":{}}", "{\"items\":null,\"next\":null}"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const struct api_say says[] = {{.status = 200, .json = bad[i]}};
        talk_run(&talk, says, 1, words);
        assert_int_equal(talk.result.exit, SPEAN_EXIT_FAILED);
        talk_fini(&talk);
    }
}

static void pages_that_turn_in_a_circle_end(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {{.status = 200, .json = "{\"items\":[],\"next\":\"a\"}"},
                                   {.status = 200, .json = "{\"items\":[],\"next\":\"a\"}"},
                                   {.status = 200, .json = "{\"items\":[],\"next\":null}"}};
    talk_run(&talk, says, 3, words);
    assert_int_equal(talk.result.exit, SPEAN_EXIT_FAILED);
    assert_asked_times(&talk, 2);
    talk_fini(&talk);
}

static void an_error_on_a_later_page_is_the_error_of_the_command(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {
        {.status = 200, .json = "{\"items\":[1],\"next\":\"a\"}"},
        {.status = 423, .json = "{\"error\":{\"code\":\"locked\",\"message\":\"m\",\"exit\":11}}"}};
    talk_run(&talk, says, 2, words);
    assert_int_equal(talk.result.exit, SPEAN_EXIT_LOCKED);
    assert_null(strstr(talk.result.out, "items"));
    talk_fini(&talk);
}

static void a_query_is_encoded_and_bounded(void **state)
{
    (void)state;
    char path[SPEAN_CLIENT_PATH_BYTES_MAX] = "/v1/x";
    char value[SPEAN_CLIENT_PATH_BYTES_MAX];
    assert_int_equal(spean_listing_query(path, "q", "a b"), SPEAN_OK);
    assert_int_equal(spean_listing_query(path, "none", NULL), SPEAN_OK);
    assert_int_equal(spean_listing_query(path, "empty", ""), SPEAN_OK);
    assert_int_equal(spean_listing_query(path, "k", "?&="), SPEAN_OK);
    assert_string_equal(path, "/v1/x?q=a%20b&k=%3F%26%3D");
    memset(value, 'x', sizeof(value));
    value[sizeof(value) - 10] = '\0';
    assert_int_equal(spean_listing_query(path, "k", value), SPEAN_ELIMIT);
    assert_string_equal(path, "/v1/x?q=a%20b&k=%3F%26%3D");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_pages_become_one_list),
        cmocka_unit_test(an_answer_that_is_no_list_is_a_failure),
        cmocka_unit_test(pages_that_turn_in_a_circle_end),
        cmocka_unit_test(an_error_on_a_later_page_is_the_error_of_the_command),
        cmocka_unit_test(a_query_is_encoded_and_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
