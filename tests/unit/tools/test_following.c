#include "tools/following.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/tools/clikit.h"
#include "tools/client.h"

#define LINES_HEAD                                                                                 \
    "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nConnection: close\r\n\r\n"
#define EVENT(cursor) "{\"event\":\"case\",\"cursor\":\"" cursor "\",\"at\":null}\n"

/* Run words against a daemon that answers one connection with data and closes it. */
static void follow(struct cli_result *result, const char *data, const char *const *words)
{
    const struct api_reply replies[] = {{.data = data}};
    struct api_server *const server = api_server_start(replies, 1);
    const char *all[CLI_WORDS_MAX] = {NULL};
    size_t count = 0;
    for (; words[count] != NULL; count++) {
        all[count] = words[count];
    }
    all[count] = "--socket";
    all[count + 1] = api_server_path(server);
    cli_run_words(result, all);
    api_server_stop(server);
    api_server_free(server);
}

#define WORDS(...) ((const char *const[]){"spean", __VA_ARGS__, NULL})

static void lines_are_printed_with_a_summary_behind_them(void **state)
{
    (void)state;
    struct cli_result result;
    follow(&result, LINES_HEAD EVENT("1-1") "\n" EVENT("2-1") "\n",
           WORDS("events", "--follow", "--count", "2", "--json"));
    assert_int_equal(result.exit, SPEAN_EXIT_DONE);
    assert_string_equal(result.out,
                        EVENT("1-1") EVENT("2-1") "{\"summary\":{\"lines\":2,\"last\":\"2-1\"}}\n");
    cli_result_fini(&result);
}

static void no_more_is_printed_than_was_asked_for(void **state)
{
    (void)state;
    struct cli_result result;
    follow(&result, LINES_HEAD EVENT("1-1") EVENT("2-1") EVENT("3-1"),
           WORDS("events", "--follow", "--count", "1", "--json"));
    assert_int_equal(result.exit, SPEAN_EXIT_DONE);
    assert_non_null(strstr(result.out, "\"last\":\"1-1\""));
    assert_null(strstr(result.out, "2-1"));
    cli_result_fini(&result);
}

static void a_daemon_that_ends_it_is_told_of_with_the_place_reached(void **state)
{
    (void)state;
    struct cli_result result;
    follow(&result, LINES_HEAD EVENT("7-1"), WORDS("events", "--follow", "--json"));
    assert_int_equal(result.exit, SPEAN_EXIT_NO_DAEMON);
    const char *const last = strstr(result.out, "{\"summary\":{\"lines\":1,\"last\":\"7-1\"}}\n");
    assert_non_null(last);
    const char *const error = strchr(last, '\n') + 1;
    assert_memory_equal(error, "{\"error\": {\"code\": \"daemon_not_running\"", 39);
    assert_non_null(strstr(error, "--after 7-1"));
    assert_ptr_equal(strchr(error, '\n'), error + strlen(error) - 1); /* One line, as all are. */
    cli_result_fini(&result);
}

static void without_news_the_place_is_where_it_began(void **state)
{
    (void)state;
    struct cli_result result;
    follow(&result, LINES_HEAD "\n", WORDS("log", "follow", "91c4-7f3a", "--after", "7", "--json"));
    assert_int_equal(result.exit, SPEAN_EXIT_NO_DAEMON);
    assert_non_null(strstr(result.out, "{\"summary\":{\"lines\":0,\"last\":7}}\n"));
    assert_non_null(strstr(result.out, "--after 7"));
    cli_result_fini(&result);
    follow(&result, LINES_HEAD "\n", WORDS("events", "--follow", "--after", "3-2", "--json"));
    assert_non_null(strstr(result.out, "{\"summary\":{\"lines\":0,\"last\":\"3-2\"}}\n"));
    cli_result_fini(&result);
    follow(&result, LINES_HEAD "\n", WORDS("log", "follow", "91c4-7f3a", "--json"));
    assert_non_null(strstr(result.out, "{\"summary\":{\"lines\":0,\"last\":null}}\n"));
    cli_result_fini(&result);
}

static void half_a_line_is_not_taken_for_one(void **state)
{
    (void)state;
    struct cli_result result;
    follow(&result, LINES_HEAD EVENT("1-1") "{\"event\":\"ca",
           WORDS("events", "--follow", "--json"));
    assert_int_equal(result.exit, SPEAN_EXIT_NO_DAEMON);
    assert_non_null(strstr(result.out, "\"lines\":1"));
    cli_result_fini(&result);
}

static void a_line_that_is_no_object_ends_it(void **state)
{
    (void)state;
    static const char *const lines[] = {LINES_HEAD "[]\n", LINES_HEAD "event\n",
                                        LINES_HEAD "{\"event\":\n"};
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct cli_result result;
        follow(&result, lines[i], WORDS("events", "--follow", "--json"));
        assert_int_equal(result.exit, SPEAN_EXIT_FAILED);
        assert_non_null(strstr(result.out, "\"bad_reply\""));
        cli_result_fini(&result);
    }
}

static void a_line_without_end_is_not_waited_for(void **state)
{
    (void)state;
    struct cli_result result;
    const size_t head = sizeof(LINES_HEAD) - 1;
    const size_t len = head + 2 * SPEAN_CLIENT_LINE_BYTES_MAX;
    char *const data = malloc(len + 1);
    assert_non_null(data);
    memcpy(data, LINES_HEAD, head);
    memset(data + head, 'a', len - head);
    data[len] = '\0';
    follow(&result, data, WORDS("events", "--follow", "--json"));
    assert_int_equal(result.exit, SPEAN_EXIT_FAILED);
    assert_non_null(strstr(result.out, "\"too_large\""));
    cli_result_fini(&result);
    free(data);
}

static void a_refusal_of_the_daemon_is_passed_on(void **state)
{
    (void)state;
    struct cli_result result;
    follow(&result,
           api_http(400, "{\"error\":{\"code\":\"bad_input\",\"message\":\"after: no\","
                         "\"hint\":\"\",\"exit\":2}}"),
           WORDS("events", "--follow", "--after", "x", "--json"));
    assert_int_equal(result.exit, SPEAN_EXIT_USAGE);
    assert_non_null(strstr(result.out, "\"bad_input\""));
    assert_null(strstr(result.out, "summary"));
    cli_result_fini(&result);
}

static void what_an_event_says_never_commands_the_terminal(void **state)
{
    (void)state;
    struct cli_result result;
    follow(&result,
           LINES_HEAD "{\"event\":\"case\",\"cursor\":\"1-1\",\"at\":null,"
                      "\"code\":\"\\u001b[2J\\n\"}\n",
           WORDS("events", "--follow", "--count", "1"));
    assert_int_equal(result.exit, SPEAN_EXIT_DONE);
    assert_null(strchr(result.out, '\x1b'));
    cli_result_fini(&result);
}

#define TEXT_HEAD "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n"

static void figures_are_printed_as_they_come_or_as_json(void **state)
{
    (void)state;
    static const char data[] = TEXT_HEAD "# HELP spean_todo What waits.\n# TYPE spean_todo gauge\n"
                                         "spean_todo{kind=\"pending\"} 2\nspean_locked 0\n";
    struct cli_result result;
    follow(&result, data, WORDS("metrics"));
    assert_int_equal(result.exit, SPEAN_EXIT_DONE);
    assert_string_equal(result.out, data + sizeof(TEXT_HEAD) - 1);
    cli_result_fini(&result);
    follow(&result, data, WORDS("metrics", "--json"));
    json_t *const all = json_loads(result.out, 0, NULL);
    json_t *const want = json_pack("{s:[{s:s,s:{s:s},s:i},{s:s,s:{},s:i}]}", "metrics", "name",
                                   "spean_todo", "labels", "kind", "pending", "value", 2, "name",
                                   "spean_locked", "labels", "value", 0);
    assert_true(json_equal(all, want));
    json_decref(all);
    json_decref(want);
    cli_result_fini(&result);
}

static void figures_that_cannot_be_read_are_refused(void **state)
{
    (void)state;
    struct cli_result result;
    follow(&result, TEXT_HEAD "spean_locked\n", WORDS("metrics", "--json"));
    assert_int_equal(result.exit, SPEAN_EXIT_FAILED);
    assert_non_null(strstr(result.out, "\"bad_reply\""));
    cli_result_fini(&result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_printed_with_a_summary_behind_them),
        cmocka_unit_test(no_more_is_printed_than_was_asked_for),
        cmocka_unit_test(a_daemon_that_ends_it_is_told_of_with_the_place_reached),
        cmocka_unit_test(without_news_the_place_is_where_it_began),
        cmocka_unit_test(half_a_line_is_not_taken_for_one),
        cmocka_unit_test(a_line_that_is_no_object_ends_it),
        cmocka_unit_test(a_line_without_end_is_not_waited_for),
        cmocka_unit_test(a_refusal_of_the_daemon_is_passed_on),
        cmocka_unit_test(what_an_event_says_never_commands_the_terminal),
        cmocka_unit_test(figures_are_printed_as_they_come_or_as_json),
        cmocka_unit_test(figures_that_cannot_be_read_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
