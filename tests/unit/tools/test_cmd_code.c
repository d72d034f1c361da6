#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/tools/clikit.h"

#define DONE                                                                                       \
    {                                                                                              \
        .status = 200, .json = "{\"id\":\"aabb\",\"type\":\"code\",\"changed\":true}"              \
    }

static void a_list_shows_what_codes_mean_and_what_took_their_place(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {
        {.status = 200,
         .json = "{\"items\":[{\"list\":\"scheme\",\"code\":\"a\",\"labels\":{\"en\":\"A!\"},"
                 "\"standing\":\"published\",\"superseded_by\":\"b\"},{\"list\":\"scheme\","
                 "\"code\":\"b\",\"labels\":{},\"standing\":\"local\",\"valid_from\":\"2027-04\"},"
                 "{\"list\":\"scheme\",\"code\":\"c\",\"labels\":{},\"standing\":\"local\","
                 "\"mapped_to\":\"b\"}],\"next\":null}"}};
    talk_run(&talk, says, 1, (const char *const[]){"spean", "code", "list", "scheme", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 0, "GET /v1/codes?list=scheme&limit=1000", NULL);
    static const char *const said[] = {"A!", "superseded by b", "valid 2027-04 to ...", "means b"};
    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
        assert_non_null(strstr(talk.result.out, said[i]));
    }
    talk_fini(&talk);
}

static void a_list_that_nobody_knows_is_not_found_and_one_like_it_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *list;
        const char *hint;
    } rows[] = {{"schene", "did you mean \"scheme\""}, {"no_such_list", "see \"spean code list\""}};
    const struct api_say says[] = {
        {.status = 200, .json = "{\"items\":[],\"next\":null}"},
        {.status = 200,
         .json = "{\"items\":[{\"list\":\"scheme\"},{\"list\":\"service\"}],\"next\":null}"}};
    static const char *const verbs[] = {"list", "unmapped"};
    for (size_t i = 0; i < 4; i++) {
        struct talk talk;
        talk_run(&talk, says, 2,
                 (const char *const[]){"spean", "code", verbs[i / 2], rows[i % 2].list, NULL});
        assert_int_equal(talk.result.exit, SPEAN_EXIT_NOT_FOUND);
        assert_asked(&talk, 1, "GET /v1/code-lists?limit=1000", NULL);
        assert_non_null(strstr(talk.result.err, rows[i % 2].hint));
        assert_string_equal(talk.result.out, "");
        talk_fini(&talk);
    }
}

static void without_a_list_the_lists_are_shown(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {
        {.status = 200,
         .json = "{\"items\":[{\"list\":\"scheme\",\"standing\":\"published\",\"version\":\"7\","
                 "\"title\":{\"en\":\"T\"}}],\"next\":null}"}};
    talk_run(&talk, says, 1, (const char *const[]){"spean", "code", "list", NULL});
    assert_asked(&talk, 0, "GET /v1/code-lists?limit=1000", NULL);
    assert_non_null(strstr(talk.result.out, "scheme"));
    talk_fini(&talk);
}

static void what_needs_a_mapping_is_asked_for_by_list_or_all(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {{.status = 200, .json = "{\"items\":[],\"next\":null}"}};
    talk_run(&talk, says, 1, (const char *const[]){"spean", "code", "unmapped", NULL});
    assert_asked(&talk, 0, "GET /v1/codes?unmapped=1&limit=1000", NULL);
    talk_fini(&talk);
    const struct api_say none[] = {
        says[0], {.status = 200, .json = "{\"items\":[{\"list\":\"service\"}],\"next\":null}"}};
    talk_run(&talk, none, 2, (const char *const[]){"spean", "code", "unmapped", "service", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 0, "GET /v1/codes?list=service&unmapped=1&limit=1000", NULL);
    talk_fini(&talk);
}

static void codes_that_stand_in_records_and_in_no_list_are_counted(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {
        {.status = 200,
         .json = "{\"items\":[{\"list\":\"gender\",\"code\":\"x\",\"standing\":\"local\"}],"
                 "\"next\":null}"},
        {.status = 200,
         .json = "{\"items\":[{\"codes\":{\"agency_kind\":{\"bus\":{\"standing\":\"unknown\"}}}}],"
                 "\"next\":null}"},
        {.status = 200,
         .json =
             "{\"items\":[{\"codes\":{\"gender\":{\"femail\":{\"standing\":\"unknown\"},"
             "\"female\":{\"standing\":\"built_in\"}}}},"
             "{\"codes\":{\"gender\":{\"femail\":{\"standing\":\"unknown\"}}}}],\"next\":null}"}};
    talk_run(
        &talk, says, 3,
        (const char *const[]){"spean", "code", "unmapped", "gender", "--in-use", "--json", NULL});
    assert_asked(&talk, 1, "GET /v1/export?type=agency&limit=200", NULL);
    assert_asked(&talk, 2, "GET /v1/export?type=case&limit=200", NULL);
    json_t *const said = json_loads(talk.result.out, JSON_REJECT_DUPLICATES, NULL);
    const json_t *const items = json_object_get(said, "items");
    assert_int_equal(json_array_size(items), 2); /* None of another list. */
    const json_t *const found = json_array_get(items, 1);
    assert_string_equal(json_string_value(json_object_get(found, "code")), "femail");
    assert_int_equal(json_integer_value(json_object_get(found, "times")), 2);
    json_decref(said);
    talk_fini(&talk);
}

static void adding_sends_the_flags_as_one_edit(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {DONE};
    talk_run(&talk, says, 1,
             (const char *const[]){"spean", "code", "add", "scheme", "esd_1", "--label", "en=E=1",
                                   "--label", "ja=\u80b2", "--mapping", "HTCDS=x", "--valid-from",
                                   "2027-04-01", "--superseded-by", "other", "--publish", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 0, "POST /v1/codes",
                 "{\"set\":{\"labels\":{\"en\":\"E=1\",\"ja\":\"\u80b2\"},\"valid_from\":"
                 "\"2027-04-01\",\"superseded_by\":\"other\",\"published\":true},\"add\":"
                 "{\"mappings\":[{\"scheme\":\"HTCDS\",\"value\":\"x\"}]},\"fixed\":{\"list\":"
                 "\"scheme\",\"code\":\"esd_1\"}}");
    assert_non_null(strstr(talk.result.err, "All members"));
    talk_fini(&talk);
}

static void without_a_code_it_is_about_the_list(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {DONE};
    talk_run(&talk, says, 1,
             (const char *const[]){"spean", "code", "add", "ssw_field", "--version", "2027-04",
                                   "--label", "en=Fields", NULL});
    assert_asked(&talk, 0, "POST /v1/code-lists",
                 "{\"set\":{\"title\":{\"en\":\"Fields\"},\"version\":\"2027-04\"},\"fixed\":"
                 "{\"list\":\"ssw_field\"}}");
    talk_fini(&talk);
}

static void mapping_and_taking_it_back_are_one_command(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {DONE};
    talk_run(&talk, says, 1,
             (const char *const[]){"spean", "code", "map", "service", "x", "--to", "legal", NULL});
    assert_asked(&talk, 0, "POST /v1/codes",
                 "{\"fixed\":{\"list\":\"service\",\"code\":\"x\"},\"set\":{\"mapped_to\":"
                 "\"legal\"}}");
    talk_fini(&talk);
    talk_run(&talk, says, 1,
             (const char *const[]){"spean", "code", "map", "service", "x", "--nothing", NULL});
    assert_asked(&talk, 0, "POST /v1/codes",
                 "{\"fixed\":{\"list\":\"service\",\"code\":\"x\"},\"set\":{\"mapped_to\":null}}");
    talk_fini(&talk);
}

static void flags_that_make_no_sense_are_refused_before_the_daemon_is_asked(void **state)
{
    (void)state;
    const char *const *const rows[] = {
        (const char *const[]){"spean", "code", "add", "scheme", "x", "--label", "=x", NULL},
        (const char *const[]){"spean", "code", "add", "scheme", "x", "--label", "en=", NULL},
        (const char *const[]){"spean", "code", "add", "scheme", "x", "--mapping", "x", NULL},
        (const char *const[]){"spean", "code", "add", "scheme", "x", "--version", "1", NULL},
        (const char *const[]){"spean", "code", "add", "scheme", "--superseded-by", "x", NULL},
        (const char *const[]){"spean", "code", "add", "scheme", "--mapping", "a=b", NULL},
        (const char *const[]){"spean", "code", "add", "scheme", NULL},
        (const char *const[]){"spean", "code", "map", "scheme", "x", NULL},
        (const char *const[]){"spean", "code", "map", "scheme", "x", "--to", "y", "--nothing",
                              NULL}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cli_result result;
        cli_run_words(&result, rows[i]);
        assert_int_equal(result.exit, SPEAN_EXIT_USAGE);
        cli_result_fini(&result);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_shows_what_codes_mean_and_what_took_their_place),
        cmocka_unit_test(without_a_list_the_lists_are_shown),
        cmocka_unit_test(a_list_that_nobody_knows_is_not_found_and_one_like_it_is_named),
        cmocka_unit_test(codes_that_stand_in_records_and_in_no_list_are_counted),
        cmocka_unit_test(what_needs_a_mapping_is_asked_for_by_list_or_all),
        cmocka_unit_test(adding_sends_the_flags_as_one_edit),
        cmocka_unit_test(without_a_code_it_is_about_the_list),
        cmocka_unit_test(mapping_and_taking_it_back_are_one_command),
        cmocka_unit_test(flags_that_make_no_sense_are_refused_before_the_daemon_is_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
