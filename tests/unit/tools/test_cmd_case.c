#include "tools/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/tools/clikit.h"

#define PATH_BYTES 160u
#define COST(category, amount, currency, struck)                                                   \
    "{\"name\":\"ab-1-0\",\"struck\":" struck ",\"item\":{\"category\":\"" category                \
    "\",\"amount\":{\"amount\":" amount ",\"currency\":\"" currency "\",\"exact\":true},"          \
    "\"paid_to\":{\"kind\":\"sending_org\"},\"paid_on\":\"2023-11\"}}"
#define CASE(costs)                                                                                \
    "{\"id\":\"aabbccdd00112233\",\"code\":\"KH-2611-0317-B\",\"type\":\"case\",\"changed\":true," \
    "\"fields\":{\"status\":\"active\",\"opened_on\":\"2026-11-22\",\"names\":[{\"script\":"       \
    "\"latn\",\"full\":\"Test Person\"}],\"costs\":[" costs "]}}"

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

static void a_case_from_a_file_is_sent_with_status_and_day(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {{.status = 201, .json = CASE("")}};
    scratch_write(folder, "case.json",
                  "{\"set\":{\"opened_on\":\"2026-11-01\"},\"append\":{\"costs\":[{}]}}", path,
                  sizeof(path));
    talk_run(&talk, says, 1, (const char *const[]){"spean", "case", "add", "--from", path, NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 0, "POST /v1/cases",
                 "{\"set\":{\"opened_on\":\"2026-11-01\",\"status\":\"active\"},"
                 "\"append\":{\"costs\":[{}]}}");
    assert_non_null(strstr(talk.result.err, "KH-2611-0317-B"));
    assert_non_null(strstr(talk.result.err, "Only your own organisation"));
    talk_fini(&talk);
}

static void answers_become_a_case_in_their_script(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {{.status = 201, .json = CASE("")}};
    static const struct {
        const char *name;
        const char *script;
    } rows[] = {{"\u179f\u17bb\u1797\u17b6", "khmr"},
                {"Nguy\u1ec5n Th\u1ecb V\u00ed D\u1ee5", "latn"},
                {"\u4e94\u5341\u5d50", "jpan"},
                {"\u30a8\u30f3", "kana"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char answers[256];
        char wanted[256];
        (void)snprintf(answers, sizeof(answers),
                       "person.name: %s\nperson.language: km\nnarrative:\n", rows[i].name);
        (void)snprintf(wanted, sizeof(wanted), "[{\"script\":\"%s\",\"full\":\"%s\"}]",
                       rows[i].script, rows[i].name);
        scratch_write(folder, "answers", answers, path, sizeof(path));
        talk_run(&talk, says, 1,
                 (const char *const[]){"spean", "case", "add", "--answers", path, NULL});
        assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
        json_t *const body = asked_body(&talk, 0);
        json_t *const names = json_loads(wanted, 0, NULL);
        const json_t *const add = json_object_get(body, "add");
        assert_true(json_equal(json_object_get(add, "names"), names));
        assert_int_equal(json_array_size(json_object_get(add, "languages")), 1);
        assert_null(json_object_get(json_object_get(body, "set"), "narrative"));
        assert_null(strstr(talk.result.err, rows[i].name)); /* Talk goes to logs of scripts. */
        json_decref(names);
        json_decref(body);
        talk_fini(&talk);
    }
}

static void a_narrative_needs_its_language(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {{.status = 201, .json = CASE("")}};
    scratch_write(folder, "answers", "person.name:\nperson.language:\nnarrative: it rained\n", path,
                  sizeof(path));
    talk_run(&talk, says, 1,
             (const char *const[]){"spean", "case", "add", "--answers", path, NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_USAGE);
    assert_asked_times(&talk, 0);
    talk_fini(&talk);
    talk_run(
        &talk, says, 1,
        (const char *const[]){"spean", "case", "add", "--answers", path, "--lang", "en", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    json_t *const body = asked_body(&talk, 0);
    const json_t *const text =
        json_object_get(json_object_get(json_object_get(body, "set"), "narrative"), "en");
    assert_string_equal(json_string_value(text), "it rained");
    json_decref(body);
    talk_fini(&talk);
}

static void personal_data_is_refused_on_the_command_line(void **state)
{
    (void)state;
    struct talk talk;
    const char *const runs[][7] = {
        {"spean", "case", "add", "--name", "Test Person", NULL},
        {"spean", "case", "add", "Test Person", NULL},
        {"spean", "case", "add", "--narrative", "it rained", NULL},
        {"spean", "case", "edit", "KH-2611-0317-B", "--phone", "+855", NULL},
        {"spean", "case", "edit", "KH-2611-0317-B", NULL},
        {"spean", "case", "add", NULL}, /* Nobody can be asked. */
    };
    const struct api_say says[] = {{.status = 201, .json = CASE("")}};
    for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
        talk_run(&talk, says, 1, runs[i]);
        assert_int_equal(talk.result.exit, SPEAN_EXIT_USAGE);
        assert_asked_times(&talk, 0);
        talk_fini(&talk);
    }
}

#define LINE                                                                                       \
    "{\"id\":\"aabbccdd00112233\",\"code\":\"KH-2611-0317-B\",\"status\":\"active\",\"names\":[{"  \
    "\"script\":\"latn\",\"family\":\"Test\",\"given\":\"Person\"}]}"

static void a_name_is_looked_for_in_the_body_of_a_request(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {{.status = 200, .json = "{\"items\":[],\"next\":\"aa\"}"},
                                   {.status = 200, .json = "{\"items\":[" LINE "],\"next\":null}"}};
    scratch_write(folder, "name", "\u1797\u17b6\n", path, sizeof(path));
    char spec[sizeof(path) + 1];
    (void)snprintf(spec, sizeof(spec), "@%s", path);
    talk_run(&talk, says, 2,
             (const char *const[]){"spean", "case", "find", "--name", spec, "--status", "active",
                                   "--risk", "high", "--opened-from", "2026", "--dry-run", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked_times(&talk, 2);
    assert_asked(&talk, 0, "POST /v1/cases/find?limit=1000",
                 "{\"text\":\"\u1797\u17b6\",\"status\":\"active\",\"risk_level\":\"high\","
                 "\"opened_from\":\"2026\"}");
    assert_asked(&talk, 1, "POST /v1/cases/find?limit=1000&after=aa", "*");
    assert_non_null(strstr(talk.result.out, "KH-2611-0317-B"));
    assert_non_null(strstr(talk.result.out, "Test Person"));
    talk_fini(&talk);
}

static void who_says_nothing_is_asked_for_a_name(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {{.status = 200, .json = "{\"items\":[],\"next\":null}"}};
    scratch_write(folder, "answers", "find.name: Test Person\n", path, sizeof(path));
    talk_run(&talk, says, 1,
             (const char *const[]){"spean", "case", "find", "--answers", path, "--json", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 0, "POST /v1/cases/find?limit=1000", "{\"text\":\"Test Person\"}");
    assert_non_null(strstr(talk.result.out, "\"items\""));
    talk_fini(&talk);
    talk_run(&talk, says, 1,
             (const char *const[]){"spean", "case", "find", "--issue", "debt", NULL});
    assert_asked(&talk, 0, "POST /v1/cases/find?limit=1000", "{\"issue\":\"debt\"}");
    talk_fini(&talk);
    talk_run(&talk, says, 1,
             (const char *const[]){"spean", "case", "find", "kh-2611-0317-b", NULL});
    assert_asked(&talk, 0, "POST /v1/cases/find?limit=1000", "{\"text\":\"KH-2611-0317-B\"}");
    talk_fini(&talk);
}

static void a_search_with_personal_words_is_refused(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {{.status = 200, .json = "{\"items\":[],\"next\":null}"}};
    const char *const runs[][7] = {
        {"spean", "case", "find", "--name", "Test Person", NULL},
        {"spean", "case", "find", "Test Person", NULL},
        {"spean", "case", "find", "--contact", "+85512345678", NULL},
        {"spean", "case", "find", "KH-2611-0317-B", "--name", "-", NULL},
        {"spean", "case", "find", NULL}, /* Nobody can be asked. */
    };
    for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
        talk_run(&talk, says, 1, runs[i]);
        assert_int_equal(talk.result.exit, SPEAN_EXIT_USAGE);
        assert_asked_times(&talk, 0);
        talk_fini(&talk);
    }
}

static void a_list_of_cases_is_filtered_by_the_daemon(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {{.status = 200, .json = "{\"items\":[],\"next\":null}"}};
    talk_run(&talk, says, 1,
             (const char *const[]){"spean", "case", "list", "--status", "active", "--issue", "debt",
                                   "--risk", "high", "--opened-to", "2026-11", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(
        &talk, 0,
        "GET /v1/cases?status=active&issue=debt&risk_level=high&opened_to=2026-11&limit=1000",
        NULL);
    talk_fini(&talk);
}

static void what_looks_like_another_is_told_and_what_is_the_same_is_shown(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {
        {.status = 200,
         .json = "{\"id\":\"aabb\",\"code\":\"KH-2611-0318-9\",\"type\":\"case\",\"changed\":true,"
                 "\"fields\":{},\"looks_like\":[{\"id\":\"aabbccdd\",\"code\":"
                 "\"KH-2611-0317-B\",\"why\":\"same_name_and_birth_year\"},{\"id\":\"7f3a91c4\","
                 "\"code\":null,\"why\":\"same_name\"}],\"same\":[{\"id\":\"ccdd\",\"code\":"
                 "\"KH-2611-0001-A\"}]}"}};
    scratch_write(folder, "case.json", "{}", path, sizeof(path));
    talk_run(&talk, says, 1, (const char *const[]){"spean", "case", "add", "--from", path, NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_non_null(
        strstr(talk.result.err, "Looks like KH-2611-0317-B: same name and birth year."));
    assert_non_null(strstr(talk.result.err, "Looks like 7f3a-91c4: same name."));
    talk_fini(&talk);
    talk_run(&talk, says, 1, (const char *const[]){"spean", "case", "show", "aabb", NULL});
    assert_non_null(strstr(talk.result.out, "the same as KH-2611-0001-A"));
    talk_fini(&talk);
}

#define DERIVED(text) "},\"derived\":{\"costs\":{" text "}}}"

static void costs_are_a_table_with_totals_in_the_right_units(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {
        {.status = 200,
         .json = "{\"id\":\"aabbccdd00112233\",\"type\":\"case\",\"fields\":{\"costs\":[" COST(
             "fee_recruiter", "310000", "JPY",
             "false") "," COST("training", "5000", "JPY",
                               "true") ","
                                       "{\"name\":\"ab-2-0\",\"struck\":false,\"item\":{"
                                       "\"category\":\"deposit\","
                                       "\"assessment\":\"forbidden\",\"rule\":\"Prakas "
                                       "047\"}}]" DERIVED("\"totals\":[{\"category\":\"fee_"
                                                          "recruiter\",\"amount\":310000,"
                                                          "\"currency\":\"JPY\",\"exact\":true},{"
                                                          "\"category\":\"travel\",\"amount\":"
                                                          "120050,\"currency\":\"USD\",\"exact\":"
                                                          "false},{\"category\":\"travel\","
                                                          "\"amount\":4100000,\"currency\":\"KHR\","
                                                          "\"exact\":true}],\"sums\":[{"
                                                          "\"amount\":null,\"currency\":\"JPY\","
                                                          "\"exact\":true}],\"borne\":[{"
                                                          "\"amount\":8800000,\"currency\":\"VND\","
                                                          "\"exact\":true}],\"month_pay\":"
                                                          "{\"amount\":180000,\"currency\":\"JPY\","
                                                          "\"exact\":true},\"sdg_10_7_1\":"
                                                          "{\"hundredths\":305,\"exact\":false},"
                                                          "\"missing\":[],\"complete\":false")}};
    talk_run(&talk, says, 1,
             (const char *const[]){"spean", "case", "show", "KH-2611-0317-B", "--plain", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 0, "GET /v1/cases/KH-2611-0317-B", NULL);
    static const char *const said[] = {"fee_recruiter\tJPY 310,000\tsending_org\t2023-11",
                                       "\tstruck out\t",
                                       "\t! forbidden: Prakas 047\t",
                                       "fee_recruiter\tJPY 310,000\n",
                                       "travel\tabout USD 1,200.50\n",
                                       "travel\tKHR 41,000.00\n",
                                       "everything\tJPY ?\n",
                                       "borne by the worker\tVND 8,800,000\n",
                                       "! There are more categories",
                                       "SDG 10.7.1: about 3.05 months' pay of JPY 180,000\n"};
    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
        assert_non_null(strstr(talk.result.out, said[i]));
    }
    talk_fini(&talk);
}

static void a_ratio_that_cannot_be_told_says_what_is_missing(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {
        {.status = 200,
         .json = "{\"id\":\"aabbccdd00112233\",\"type\":\"case\",\"fields\":{\"costs\":[" COST(
             "other", "1", "JPY",
             "false") "]" DERIVED("\"totals\":[],\"sums\":[],\"borne\":[],\"month_pay\":null,"
                                  "\"sdg_10_7_1\":null,\"missing\":[\"wage\",\"a_newer_one\"],"
                                  "\"complete\":true")}};
    talk_run(&talk, says, 1,
             (const char *const[]){"spean", "case", "show", "KH-2611-0317-B", "--plain", NULL});
    assert_non_null(strstr(talk.result.out, "SDG 10.7.1: cannot be told; missing: a wage in "
                                            "employments, a_newer_one\n"));
    talk_fini(&talk);
}

static void retention_takes_dates_or_the_settings_and_nothing_between(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {
        {.status = 200,
         .json = "{\"id\":\"aabb\",\"code\":\"KH-2611-0317-B\",\"type\":\"case\",\"retention\":{"
                 "\"review_on\":\"2027\",\"delete_by\":null,\"by_person\":true,\"due\":[]}}"}};
    talk_run(&talk, says, 1,
             (const char *const[]){"spean", "case", "retain", "KH-2611-0317-B", "--review-on",
                                   "2027", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 0, "PUT /v1/cases/KH-2611-0317-B/retention",
                 "{\"review_on\":\"2027\",\"delete_by\":null}");
    assert_non_null(strstr(talk.result.out, "again on 2027, delete it by -"));
    talk_fini(&talk);
    talk_run(
        &talk, says, 1,
        (const char *const[]){"spean", "case", "retain", "KH-2611-0317-B", "--by-settings", NULL});
    assert_asked(&talk, 0, "PUT /v1/cases/KH-2611-0317-B/retention",
                 "{\"review_on\":null,\"delete_by\":null}");
    talk_fini(&talk);
    talk_run(&talk, says, 1,
             (const char *const[]){"spean", "case", "retain", "KH-2611-0317-B", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_USAGE);
    assert_asked_times(&talk, 0);
    talk_fini(&talk);
}

static void editing_patches_and_a_list_shows_codes(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {{.status = 200, .json = CASE("")}};
    const struct api_say list[] = {
        {.status = 200,
         .json = "{\"items\":[{\"code\":\"KH-2611-0317-B\",\"names\":[{\"full\":\"Test\"}]}]}"}};
    talk_run(&talk, says, 1,
             (const char *const[]){"spean", "case", "edit", "kh-2611-0317-b", "--status", "closed",
                                   NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 0, "PATCH /v1/cases/KH-2611-0317-B", "{\"set\":{\"status\":\"closed\"}}");
    talk_fini(&talk);
    talk_run(&talk, list, 1, (const char *const[]){"spean", "case", "list", NULL});
    assert_asked(&talk, 0, "GET /v1/cases?limit=1000", NULL);
    assert_non_null(strstr(talk.result.out, "KH-2611-0317-B"));
    assert_non_null(strstr(talk.result.out, "Test"));
    talk_fini(&talk);
}

static void a_list_says_what_is_due_and_who_is_the_same(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {
        {.status = 200,
         .json = "{\"items\":[{\"code\":\"KH-1\",\"names\":[{\"full\":\"A\"}],\"same\":[{\"id\":"
                 "\"aabbccdd00112233\",\"code\":\"KH-4\"},{\"id\":\"bbbbccdd00112233\",\"code\":"
                 "null}],\"retention\":{\"review_on\":\"2026-11\",\"delete_by\":\"2031\",\"due\":["
                 "\"review_on\"]}},{\"code\":\"KH-2\",\"names\":[{\"full\":\"B\"}],\"same\":[],"
                 "\"retention\":{\"review_on\":\"2025\",\"delete_by\":\"2026\",\"due\":["
                 "\"review_on\",\"delete_by\"]}},{\"code\":\"KH-3\",\"names\":[{\"full\":\"C\"}],"
                 "\"retention\":{\"review_on\":\"2099\",\"delete_by\":null,\"due\":[]}}]}"}};
    talk_run(&talk, says, 1, (const char *const[]){"spean", "case", "list", "--plain", NULL});
    assert_non_null(strstr(talk.result.out, "A = KH-4 = bbbb-ccdd"));
    assert_non_null(strstr(talk.result.out, "\t! look at it again on 2026-11\n"));
    assert_non_null(strstr(talk.result.out, "B\t! delete it by 2026\n"));
    assert_null(strstr(talk.result.out, "2099"));
    talk_fini(&talk);
}

static void errors_keep_the_daemons_exit_code(void **state)
{
    (void)state;
    struct talk talk;
    static const struct {
        int status;
        const char *json;
        enum spean_exit exit;
    } rows[] = {
        {404, "{\"error\":{\"code\":\"not_found\",\"message\":\"m\",\"exit\":5}}",
         SPEAN_EXIT_NOT_FOUND},
        {423, "{\"error\":{\"code\":\"locked\",\"message\":\"m\",\"exit\":11}}", SPEAN_EXIT_LOCKED},
        {409, "{\"error\":{\"code\":\"ambiguous\",\"message\":\"m\"}}", SPEAN_EXIT_STATE},
        {403, "{\"error\":{\"code\":\"not_permitted\",\"message\":\"m\",\"exit\":4}}",
         SPEAN_EXIT_DENIED},
        {500, "broken", SPEAN_EXIT_FAILED}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct api_say says[] = {{.status = rows[i].status, .json = rows[i].json}};
        talk_run(&talk, says, 1,
                 (const char *const[]){"spean", "case", "show", "KH-2611-0317-B", NULL});
        assert_int_equal(talk.result.exit, rows[i].exit);
        assert_string_equal(talk.result.out, "");
        talk_fini(&talk);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_make, folder_remove)
        TEST(a_case_from_a_file_is_sent_with_status_and_day),
        TEST(answers_become_a_case_in_their_script),
        TEST(a_narrative_needs_its_language),
        TEST(personal_data_is_refused_on_the_command_line),
        TEST(a_name_is_looked_for_in_the_body_of_a_request),
        TEST(who_says_nothing_is_asked_for_a_name),
        TEST(a_search_with_personal_words_is_refused),
        TEST(a_list_of_cases_is_filtered_by_the_daemon),
        TEST(what_looks_like_another_is_told_and_what_is_the_same_is_shown),
        TEST(costs_are_a_table_with_totals_in_the_right_units),
        TEST(a_ratio_that_cannot_be_told_says_what_is_missing),
        TEST(retention_takes_dates_or_the_settings_and_nothing_between),
        TEST(editing_patches_and_a_list_shows_codes),
        TEST(a_list_says_what_is_due_and_who_is_the_same),
        TEST(errors_keep_the_daemons_exit_code),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
