#include "tools/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "tests/unit/tools/clikit.h"
#include "tools/call.h"

#define PATH_BYTES 128u
#define NAME_BYTES 64u

/* A table of our own takes the place of the program's: one command that reads, one that changes. */
static enum spean_exit thing_show(struct spean_call *call, struct spean_problem *problem)
{
    char path[SPEAN_CLIENT_PATH_BYTES_MAX];
    json_t *reply = NULL;
    assert_int_equal(spean_client_path(path, "/v1/things/%s", spean_call_value(call, "thing")),
                     SPEAN_OK);
    const enum spean_exit exit = spean_call_request(call, "GET", path, NULL, &reply, problem);
    if (reply == NULL) {
        return exit;
    }
    spean_out_json(spean_call_out(call), reply);
    spean_out_line(spean_call_out(call), "%s", json_string_value(json_object_get(reply, "name")));
    json_decref(reply);
    return exit;
}

static enum spean_exit thing_add(struct spean_call *call, struct spean_problem *problem)
{
    char *name;
    enum spean_exit exit = spean_call_private(call, "name", NAME_BYTES, &name, problem);
    if (exit != SPEAN_EXIT_DONE) {
        return exit;
    }
    json_t *const body = json_pack("{s:s,s:I}", "name", name, "count",
                                   (json_int_t)spean_call_number(call, "count", 1));
    json_t *reply = NULL;
    exit = spean_call_request(call, "POST", "/v1/things", body, &reply, problem);
    free(name);
    json_decref(body);
    if (reply == NULL) {
        return exit;
    }
    spean_out_json(spean_call_out(call), reply);
    spean_out_done(spean_call_out(call), "added");
    json_decref(reply);
    return SPEAN_EXIT_DONE;
}

static const struct spean_command commands[] = {
    {
        .path = "thing show",
        .summary = "Show a thing",
        .text = "Shows.",
        .args =
            (const struct spean_arg[]){{.name = "thing", .kind = SPEAN_KIND_ID, .help = "id"}, {0}},
        .inverse = SPEAN_INVERSE_READS,
        .examples = (const char *const[]){"spean thing show 7f3a", NULL},
        .run = thing_show,
    },
    {
        .path = "thing add",
        .summary = "Add a thing",
        .text = "Adds.",
        .flags =
            (const struct spean_flag[]){
                {.name = "name", .kind = SPEAN_KIND_PRIVATE, .value = "@FILE", .help = "its name"},
                {.name = "count", .kind = SPEAN_KIND_NUMBER, .value = "N", .help = "how many"},
                {0}},
        .questions =
            (const struct spean_question[]){
                {.name = "thing.name", .flag = "name", .text = "Name"},
                {.name = "thing.note", .text = "Note"},
                {0},
            },
        .inverse = SPEAN_INVERSE_NONE,
        .examples = (const char *const[]){"spean thing add", NULL},
        .run = thing_add,
    },
    {0},
};
static const struct spean_group group = {
    .name = "thing", .summary = "Things", .commands = commands};
const struct spean_group *const spean_groups[] = {&group, NULL};

static char folder[PATH_BYTES];

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

static void a_reply_is_printed_for_people_or_as_json(void **state)
{
    (void)state;
    struct api_reply replies[2] = {{0}};
    replies[0].data = api_http(200, "{\"name\":\"\\u001B[2J東京\"}");
    replies[1].data = replies[0].data;
    struct api_server *const server = api_server_start(replies, 2);
    struct cli_result result;
    cli_run(&result, "spean", "thing", "show", "７F3A-91c4", "--socket", api_server_path(server),
            NULL);
    assert_int_equal(result.exit, SPEAN_EXIT_DONE);
    assert_string_equal(result.out, "\xef\xbf\xbd[2J東京\n");
    assert_string_equal(result.err, "");
    cli_result_fini(&result);
    cli_run(&result, "spean", "thing", "show", "7f3a", "--json", "--socket",
            api_server_path(server), NULL);
    assert_int_equal(result.exit, SPEAN_EXIT_DONE);
    assert_string_equal(result.out, "{\n  \"name\": \"\\u001B[2J東京\"\n}\n");
    cli_result_fini(&result);
    api_server_stop(server);
    assert_memory_equal(api_server_request(server, 0), "GET /v1/things/7f3a91c4 ", 24);
    api_server_free(server);
}

static void a_line_that_is_not_understood_is_one_json_error_wherever_json_stands(void **state)
{
    (void)state;
    static const char *const lines[][6] = {
        {"spean", "--json", NULL},
        {"spean", "xyzzy", "--json", NULL},
        {"spean", "thing", "--json", NULL},
        {"spean", "thing", "shwo", "--json", NULL},
        {"spean", "thing", "show", "--nope", "--json", NULL},
        {"spean", "thing", "show", "--json", "7f3a", "91c4"},
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        const char *words[7] = {NULL};
        struct cli_result result;
        memcpy(words, lines[i], sizeof(lines[i]));
        cli_run_words(&result, words);
        assert_int_equal(result.exit, SPEAN_EXIT_USAGE);
        assert_string_equal(result.err, "");
        json_t *const said = json_loads(result.out, JSON_REJECT_DUPLICATES, NULL);
        const json_t *const error = json_object_get(said, "error");
        assert_string_equal(json_string_value(json_object_get(error, "code")), "usage");
        assert_true(json_string_length(json_object_get(error, "message")) > 0);
        assert_true(json_is_string(json_object_get(error, "hint")));
        json_decref(said);
        cli_result_fini(&result);
    }
}

static void
without_a_store_the_exit_is_10_and_without_a_daemon_7_with_the_way_to_get_one(void **state)
{
    (void)state;
    struct cli_result result;
    char store[PATH_BYTES + sizeof("/store")];
    cli_run(&result, "spean", "--home", folder, "thing", "show", "7f3a", NULL);
    assert_int_equal(result.exit, SPEAN_EXIT_NO_STORE);
    assert_non_null(strstr(result.err, "hint: make one: spean init"));
    cli_result_fini(&result);
    (void)snprintf(store, sizeof(store), "%s/store", folder);
    assert_int_equal(mkdir(store, 0700), 0);
    cli_run(&result, "spean", "--home", folder, "thing", "show", "7f3a", NULL);
    assert_int_equal(result.exit, SPEAN_EXIT_NO_DAEMON);
    assert_string_equal(result.out, "");
    assert_non_null(strstr(result.err, "hint: start it: speand --home /"));
    cli_result_fini(&result);
    cli_run(&result, "spean", "--home", folder, "thing", "show", "7f3a", "--json", NULL);
    assert_int_equal(result.exit, SPEAN_EXIT_NO_DAEMON);
    assert_non_null(strstr(result.out, "\"code\": \"daemon_not_running\""));
    assert_string_equal(result.err, "");
    cli_result_fini(&result);
    assert_int_equal(rmdir(store), 0);
}

static void a_dry_run_is_checked_by_the_daemon_and_printed(void **state)
{
    (void)state;
    struct api_reply replies[2] = {{0}};
    replies[0].data = api_http(200, "{\"dry_run\":true,\"would\":\"add\"}");
    replies[1].data = replies[0].data;
    struct api_server *const server = api_server_start(replies, 2);
    struct cli_result result;
    char spec[PATH_BYTES] = "@";
    scratch_write(folder, "name", "Dara\n", spec + 1, sizeof(spec) - 1);
    cli_run(&result, "spean", "thing", "add", "-n", "--name", spec, "--count", "៧", "--socket",
            api_server_path(server), NULL);
    assert_int_equal(result.exit, SPEAN_EXIT_DONE);
    assert_non_null(strstr(result.out, "POST /v1/things\n"));
    assert_non_null(strstr(result.out, "\"would\": \"add\""));
    assert_null(strstr(result.err, "added"));
    cli_result_fini(&result);
    cli_run(&result, "spean", "thing", "add", "-n", "--name", spec, "--json", "--socket",
            api_server_path(server), NULL);
    assert_string_equal(result.out, "{\n  \"dry_run\": true,\n  \"would\": \"add\"\n}\n");
    cli_result_fini(&result);
    api_server_stop(server);
    assert_memory_equal(api_server_request(server, 0), "POST /v1/things?dry_run=1 ", 26);
    assert_non_null(strstr(api_server_request(server, 0), "\"count\":7"));
    api_server_free(server);
}

static void a_daemon_that_does_not_confirm_a_dry_run_is_not_believed(void **state)
{
    (void)state;
    const struct api_reply replies[] = {{.data = api_http(201, "{\"id\":\"7f3a\"}")}};
    struct api_server *const server = api_server_start(replies, 1);
    struct cli_result result;
    char spec[PATH_BYTES] = "@";
    scratch_write(folder, "name", "Dara\n", spec + 1, sizeof(spec) - 1);
    cli_run(&result, "spean", "thing", "add", "-n", "--name", spec, "--socket",
            api_server_path(server), NULL);
    assert_int_equal(result.exit, SPEAN_EXIT_FAILED);
    assert_non_null(strstr(result.err, "may have been made"));
    cli_result_fini(&result);
    api_server_stop(server);
    api_server_free(server);
}

static void answers_are_used_and_leftovers_are_said(void **state)
{
    (void)state;
    const struct api_reply replies[] = {{.data = "HTTP/1.1 204 X\r\nConnection: close\r\n\r\n"},
                                        {.data = "HTTP/1.1 204 X\r\nConnection: close\r\n\r\n"}};
    struct api_server *const server = api_server_start(replies, 2);
    struct cli_result result;
    char path[PATH_BYTES];
    scratch_write(folder, "answers", "thing.name: Dara\n", path, sizeof(path));
    cli_run(&result, "spean", "thing", "add", "--answers", path, "--socket",
            api_server_path(server), NULL);
    assert_int_equal(result.exit, SPEAN_EXIT_DONE);
    assert_string_equal(result.err, "✔ added\n");
    cli_result_fini(&result);
    scratch_write(folder, "answers", "thing.name: D\nthing.note: N\n", path, sizeof(path));
    cli_run(&result, "spean", "thing", "add", "--answers", path, "--socket",
            api_server_path(server), NULL);
    assert_int_equal(result.exit, SPEAN_EXIT_ATTENTION);
    assert_non_null(strstr(result.err, "\"thing.note\" was not asked for"));
    cli_result_fini(&result);
    api_server_stop(server);
    assert_non_null(strstr(api_server_request(server, 0), "\"name\":\"Dara\""));
    api_server_free(server);
}

static void an_answer_nobody_asks_for_or_a_missing_one_stops_before_the_request(void **state)
{
    (void)state;
    struct cli_result result;
    char path[PATH_BYTES];
    scratch_write(folder, "answers", "thing.color: red\n", path, sizeof(path));
    cli_run(&result, "spean", "thing", "add", "--answers", path, "--home", folder, NULL);
    assert_int_equal(result.exit, SPEAN_EXIT_USAGE);
    cli_result_fini(&result);
    scratch_write(folder, "answers", "thing.note: N\n", path, sizeof(path));
    cli_run(&result, "spean", "thing", "add", "--answers", path, "--home", folder, NULL);
    assert_int_equal(result.exit, SPEAN_EXIT_USAGE);
    assert_non_null(strstr(result.err, "\"thing.name\""));
    cli_result_fini(&result);
    cli_run(&result, "spean", "thing", "add", "--no-input", "--home", folder, NULL);
    assert_int_equal(result.exit, SPEAN_EXIT_USAGE);
    assert_non_null(strstr(result.err, "--name"));
    cli_result_fini(&result);
}

static void without_a_verb_the_exit_is_2_and_stdout_is_empty(void **state)
{
    (void)state;
    struct cli_result result;
    cli_run(&result, "spean", NULL);
    assert_int_equal(result.exit, SPEAN_EXIT_USAGE);
    assert_string_equal(result.out, "");
    cli_result_fini(&result);
    cli_run(&result, "spean", "thing", NULL);
    assert_int_equal(result.exit, SPEAN_EXIT_USAGE);
    assert_non_null(strstr(result.err, "spean help thing"));
    cli_result_fini(&result);
}

static void help_works_everywhere(void **state)
{
    (void)state;
    struct cli_result result;
    cli_run(&result, "spean", "--help", NULL);
    assert_int_equal(result.exit, SPEAN_EXIT_DONE);
    assert_non_null(strstr(result.out, "spean thing add"));
    assert_non_null(strstr(result.out, "--no-input"));
    assert_non_null(strstr(result.out, "130"));
    cli_result_fini(&result);
    cli_run(&result, "spean", "thing", "--help", NULL);
    assert_int_equal(result.exit, SPEAN_EXIT_DONE);
    assert_non_null(strstr(result.out, "Add a thing"));
    cli_result_fini(&result);
    cli_run(&result, "spean", "thing", "add", "--help", NULL);
    assert_int_equal(result.exit, SPEAN_EXIT_DONE);
    assert_non_null(strstr(result.out, "--name @FILE"));
    assert_non_null(strstr(result.out, "thing.note"));
    assert_non_null(strstr(result.out, "cannot be taken back"));
    cli_result_fini(&result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reply_is_printed_for_people_or_as_json),
        cmocka_unit_test(a_line_that_is_not_understood_is_one_json_error_wherever_json_stands),
        cmocka_unit_test(
            without_a_store_the_exit_is_10_and_without_a_daemon_7_with_the_way_to_get_one),
        cmocka_unit_test(a_dry_run_is_checked_by_the_daemon_and_printed),
        cmocka_unit_test(a_daemon_that_does_not_confirm_a_dry_run_is_not_believed),
        cmocka_unit_test(answers_are_used_and_leftovers_are_said),
        cmocka_unit_test(an_answer_nobody_asks_for_or_a_missing_one_stops_before_the_request),
        cmocka_unit_test(without_a_verb_the_exit_is_2_and_stdout_is_empty),
        cmocka_unit_test(help_works_everywhere),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
