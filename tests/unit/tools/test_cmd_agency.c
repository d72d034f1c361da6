#include "tools/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/tools/clikit.h"
#include "tools/agencyimport.h"

#define PATH_BYTES 160u
#define AGENCY                                                                                     \
    "{\"id\":\"7f3a91c4aabbccdd\",\"type\":\"agency\",\"changed\":true,\"fields\":{\"names\":"     \
    "{\"km\":\"\u179f\u17d2\u1796\u17b6\u1793\",\"en\":\"Bridge\"},\"kind\":\"legal\","            \
    "\"country\":\"KH\",\"languages\":[\"km\",\"vi\"]},\"conflicts\":{\"email\":[{},{}]},"         \
    "\"waiting\":{\"parts\":2,\"keys\":[\"payload\"]},\"unknown\":1}"

static char folder[PATH_BYTES];
static char path[PATH_BYTES + 32];

static int folder_make(void **state)
{
    (void)state;
    scratch_make(folder, sizeof(folder));
    return 0;
}

static int folder_remove(void **state)
{
    (void)state;
    scratch_remove(folder);
    return 0;
}

static void a_list_is_filtered_by_the_daemon_and_names_conflicts(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {
        {.status = 200,
         .json = "{\"items\":[{\"id\":\"7f3a91c4aabbccdd\",\"names\":{\"en\":\"Bridge\"},"
                 "\"kind\":\"legal\",\"country\":\"KH\",\"conflicts\":1}],\"next\":null}"}};
    talk_run(&talk, says, 1,
             (const char *const[]){"spean", "agency", "list", "--kind", "legal", "--country", "KH",
                                   "--status", "active", "--service", "legal", "--language", "vi",
                                   "--q", "a b&c", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 0,
                 "GET /v1/agencies?kind=legal&country=KH&status=active&service=legal&language=vi&"
                 "q=a%20b%26c&limit=1000",
                 NULL);
    assert_non_null(strstr(talk.result.out, "Bridge"));
    assert_non_null(strstr(talk.result.out, "7f3a-91c4"));
    assert_non_null(strstr(talk.result.out, "needs a decision"));
    talk_fini(&talk);
}

static void show_prints_fields_conflicts_and_what_is_missing(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {{.status = 200, .json = AGENCY}};
    talk_run(&talk, says, 1, (const char *const[]){"spean", "agency", "show", "7F3A-91C4", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 0, "GET /v1/agencies/7f3a91c4", NULL);
    static const char *const said[] = {"km: \u179f\u17d2\u1796\u17b6\u1793",
                                       "en: Bridge",
                                       "! email: 2 versions",
                                       "! changes to 2 of its parts have not arrived",
                                       "! waiting for the key of: payload",
                                       "! 1 change is of"};
    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
        assert_non_null(strstr(talk.result.out, said[i]));
    }
    talk_fini(&talk);
}

static void adding_sends_the_flags_as_one_edit(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {{.status = 201, .json = AGENCY}};
    talk_run(&talk, says, 1,
             (const char *const[]){"spean",
                                   "agency",
                                   "add",
                                   "--name",
                                   "km=\u1780",
                                   "--name",
                                   "en=K=1",
                                   "--kind",
                                   "legal",
                                   "--country",
                                   "KH",
                                   "--email",
                                   "a@b.example",
                                   "--phone",
                                   "+855",
                                   "--language",
                                   "km",
                                   "--identifier",
                                   "ngo_registration=1",
                                   NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 0, "POST /v1/agencies",
                 "{\"set\":{\"names\":{\"km\":\"\u1780\",\"en\":\"K=1\"},\"kind\":\"legal\","
                 "\"country\":\"KH\",\"email\":\"a@b.example\"},\"add\":{\"languages\":[\"km\"],"
                 "\"phones\":[{\"number\":\"+855\"}],\"identifiers\":[{\"scheme\":"
                 "\"ngo_registration\",\"value\":\"1\"}]}}");
    assert_non_null(strstr(talk.result.err, "All members"));
    assert_non_null(strstr(talk.result.err, "spean agency show 7f3a-91c4"));
    talk_fini(&talk);
}

static void editing_a_name_keeps_those_in_other_languages(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {{.status = 200, .json = AGENCY},
                                   {.status = 200, .json = AGENCY}};
    talk_run(&talk, says, 2,
             (const char *const[]){"spean", "agency", "edit", "7f3a", "--name", "en=New", "--clear",
                                   "email", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 0, "GET /v1/agencies/7f3a", NULL);
    assert_asked(&talk, 1, "PATCH /v1/agencies/7f3a",
                 "{\"set\":{\"names\":{\"km\":\"\u179f\u17d2\u1796\u17b6\u1793\",\"en\":\"New\"},"
                 "\"email\":null}}");
    talk_fini(&talk);
}

static void a_file_gives_the_edit_and_flags_go_on_top(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {{.status = 200, .json = AGENCY}};
    scratch_write(folder, "edit.json",
                  "{\"set\":{\"email\":\"x@y.example\"},\"remove\":{\"languages\":[\"vi\"]}}", path,
                  sizeof(path));
    talk_run(&talk, says, 1,
             (const char *const[]){"spean", "agency", "edit", "7f3a", "--from", path, "--status",
                                   "closed", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 0, "PATCH /v1/agencies/7f3a",
                 "{\"set\":{\"email\":\"x@y.example\",\"status\":\"closed\"},"
                 "\"remove\":{\"languages\":[\"vi\"]}}");
    talk_fini(&talk);
}

static void what_is_no_edit_is_refused_before_the_daemon_is_asked(void **state)
{
    (void)state;
    struct talk talk;
    static const char *const bad[] = {
        "{\"sets\":{}}", "{\"set\":[]}", "[]", "7", "{", "{\"set\":{},\"set\":{}}", "", "{}"};
    const struct api_say says[] = {{.status = 200, .json = AGENCY}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        scratch_write(folder, "edit.json", bad[i], path, sizeof(path));
        talk_run(&talk, says, 1,
                 (const char *const[]){"spean", "agency", "edit", "7f3a", "--from", path, NULL});
        assert_int_equal(talk.result.exit, SPEAN_EXIT_USAGE);
        assert_asked_times(&talk, 0);
        talk_fini(&talk);
    }
}

static void malformed_flags_and_an_agency_without_a_name_are_refused(void **state)
{
    (void)state;
    struct talk talk;
    const char *const runs[][6] = {
        {"spean", "agency", "add", "--kind", "legal", NULL},
        {"spean", "agency", "add", "--name", "Bridge", NULL},
        {"spean", "agency", "add", "--name", "=Bridge", NULL},
        {"spean", "agency", "add", "--name", "km=", NULL},
        {"spean", "agency", "show", "not an id", NULL},
        {"spean", "agency", "edit", "7f3a", NULL},
    };
    const struct api_say says[] = {{.status = 200, .json = AGENCY}};
    for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
        talk_run(&talk, says, 1, runs[i]);
        assert_int_equal(talk.result.exit, SPEAN_EXIT_USAGE);
        assert_asked_times(&talk, 0);
        talk_fini(&talk);
    }
}

/* What an import asks first: the codes that members added. */
#define NO_CODES                                                                                   \
    {                                                                                              \
        .status = 200, .json = "{\"items\":[],\"next\":null}"                                      \
    }

static void an_import_sends_items_and_tells_sums(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {
        NO_CODES,
        {.status = 200,
         .json = "{\"created\":1,\"changed\":0,\"unchanged\":0,\"failed\":0,\"results\":[]}"}};
    scratch_write(folder, "h.json", "{\"id\":\"u\",\"name\":\"n\",\"logo\":\"x\"}", path,
                  sizeof(path));
    talk_run(&talk, says, 2,
             (const char *const[]){"spean", "agency", "import", path, "--lang", "km", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 1, "POST /v1/agencies/import",
                 "{\"lang\":\"km\",\"items\":[{\"place\":\"$\",\"match\":{\"scheme\":\"hsds\","
                 "\"value\":\"u\"},\"edit\":{\"set\":{\"names\":{\"km\":\"n\"}},\"add\":"
                 "{\"identifiers\":[{\"scheme\":\"hsds\",\"value\":\"u\"}]}}}]}");
    assert_string_equal(talk.result.out, "created 1, changed 0, unchanged 0, failed 0\n");
    assert_non_null(strstr(talk.result.err, "organization.logo (1 time)"));
    talk_fini(&talk);
}

static void a_second_import_of_the_same_file_is_done_with_nothing_changed(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {
        NO_CODES,
        {.status = 200, .json = "{\"created\":0,\"changed\":0,\"unchanged\":1,\"failed\":0}"}};
    scratch_write(folder, "h.json", "{\"id\":\"u\",\"name\":\"n\"}", path, sizeof(path));
    talk_run(&talk, says, 2,
             (const char *const[]){"spean", "agency", "import", path, "--lang", "km", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_string_equal(talk.result.out, "created 0, changed 0, unchanged 1, failed 0\n");
    talk_fini(&talk);
}

static void rows_that_fail_are_told_with_file_place_and_reason(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {
        NO_CODES,
        {.status = 200,
         .json =
             "{\"created\":0,\"changed\":0,\"unchanged\":0,\"failed\":1,\"results\":[{\"place\":"
             "\"$[1]\",\"id\":null,\"error\":{\"code\":\"limit\",\"message\":\"too long\"}}]}"}};
    scratch_write(folder, "h.json", "[{\"id\":\"1\"},{\"id\":\"2\",\"name\":\"n\"}]", path,
                  sizeof(path));
    talk_run(&talk, says, 2,
             (const char *const[]){"spean", "agency", "import", path, "--lang", "km", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_ATTENTION);
    assert_string_equal(talk.result.out, "created 0, changed 0, unchanged 0, failed 2\n");
    assert_non_null(strstr(talk.result.err, "h.json: $[0].name: an organization needs a name"));
    assert_non_null(strstr(talk.result.err, "h.json: $[1]: too long"));
    talk_fini(&talk);
}

static void a_large_import_goes_in_chunks_and_tells_once(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {NO_CODES,
                                   {.status = 200, .json = "{\"dry_run\":true,\"created\":500}"},
                                   {.status = 200, .json = "{\"dry_run\":true,\"created\":1}"}};
    json_t *const rows = json_array();
    for (int i = 0; i < (int)SPEAN_AGENCYIMPORT_CHUNK + 1; i++) {
        char id[16];
        (void)snprintf(id, sizeof(id), "%d", i);
        assert_int_equal(json_array_append_new(rows, json_pack("{s:s,s:s}", "id", id, "name", "n")),
                         0);
    }
    char *const text = json_dumps(rows, JSON_COMPACT);
    scratch_write(folder, "h.json", text, path, sizeof(path));
    free(text);
    json_decref(rows);
    talk_run(&talk, says, 3,
             (const char *const[]){"spean", "agency", "import", path, "--lang", "km", "--dry-run",
                                   "--json", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 2, "POST /v1/agencies/import?dry_run=1", "*");
    json_t *const said = json_loads(talk.result.out, JSON_REJECT_DUPLICATES, NULL);
    assert_int_equal(json_integer_value(json_object_get(said, "created")), 501);
    assert_true(json_is_true(json_object_get(said, "dry_run")));
    json_decref(said);
    talk_fini(&talk);
}

static void a_file_without_agencies_or_a_language_imports_nothing(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {NO_CODES};
    scratch_write(folder, "h.json", "{\"id\":\"1\",\"name\":\"t\",\"version\":\"2\"}", path,
                  sizeof(path));
    talk_run(&talk, says, 1,
             (const char *const[]){"spean", "agency", "import", path, "--lang", "km", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_FAILED);
    assert_asked_times(&talk, 1); /* For codes, and nothing is sent. */
    talk_fini(&talk);
    talk_run(&talk, says, 1, (const char *const[]){"spean", "agency", "import", path, NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_USAGE);
    assert_non_null(strstr(talk.result.err, "--lang"));
    talk_fini(&talk);
    talk_run(
        &talk, says, 1,
        (const char *const[]){"spean", "agency", "import", "/nonexistent", "--lang", "km", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_NOT_FOUND);
    talk_fini(&talk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_make, folder_remove)
        TEST(a_list_is_filtered_by_the_daemon_and_names_conflicts),
        TEST(show_prints_fields_conflicts_and_what_is_missing),
        TEST(adding_sends_the_flags_as_one_edit),
        TEST(editing_a_name_keeps_those_in_other_languages),
        TEST(a_file_gives_the_edit_and_flags_go_on_top),
        TEST(what_is_no_edit_is_refused_before_the_daemon_is_asked),
        TEST(malformed_flags_and_an_agency_without_a_name_are_refused),
        TEST(an_import_sends_items_and_tells_sums),
        TEST(a_second_import_of_the_same_file_is_done_with_nothing_changed),
        TEST(rows_that_fail_are_told_with_file_place_and_reason),
        TEST(a_large_import_goes_in_chunks_and_tells_once),
        TEST(a_file_without_agencies_or_a_language_imports_nothing),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
