#include "tools/client.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/tools/clikit.h"
#include "tools/interrupt.h"

#define SILENT_MS 400

/* One request that the server answers with data (len 0: a string). */
struct exchange {
    struct spean_problem problem;
    enum spean_exit exit;
    json_t *reply;
    struct api_server *server;
};

static void exchange_run(struct exchange *x, const char *method, const json_t *body,
                         const char *data, size_t len)
{
    const struct api_reply replies[] = {{.data = data, .len = len}};
    *x = (struct exchange){.server = api_server_start(replies, 1)};
    struct spean_client *client;
    assert_int_equal(spean_client_new(api_server_path(x->server), "/h", &client, &x->problem),
                     SPEAN_EXIT_DONE);
    x->exit = spean_client_request(client, method, "/v1/things", body, &x->reply, &x->problem);
    spean_client_free(client);
    api_server_stop(x->server);
}

static void exchange_end(struct exchange *x)
{
    json_decref(x->reply);
    api_server_free(x->server);
}

/* A GET that is answered by data must end with exit and code. */
static void assert_refused(const char *data, size_t len, enum spean_exit exit, const char *code)
{
    struct exchange x;
    exchange_run(&x, "GET", NULL, data, len);
    assert_int_equal(x.exit, exit);
    assert_string_equal(x.problem.code, code);
    assert_null(x.reply);
    exchange_end(&x);
}

/* Count the lines that come. */
static enum spean_exit line_count(void *ctx, const char *line, struct spean_problem *problem)
{
    (void)line;
    (void)problem;
    ++*(unsigned *)ctx;
    return SPEAN_EXIT_DONE;
}

/* Follow what the server says, and give up after SILENT_MS of silence. */
static enum spean_exit follow(struct api_server *server, unsigned *lines,
                              struct spean_problem *problem)
{
    struct spean_client *client;
    assert_int_equal(spean_client_new(api_server_path(server), "/h", &client, problem),
                     SPEAN_EXIT_DONE);
    spean_client_wait(client, SILENT_MS);
    const enum spean_exit exit =
        spean_client_lines(client, "/v1/events?follow=1", true, line_count, lines, problem);
    spean_client_free(client);
    api_server_stop(server);
    return exit;
}

static void empty_lines_now_and_then_are_enough_to_go_on(void **state)
{
    (void)state;
    const struct api_reply reply = {
        .data = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n\n\n\n\n\n\n\n\n\n\n{}\n",
        .pause_ms = SILENT_MS / 4};
    struct api_server *const server = api_server_start(&reply, 1);
    struct spean_problem problem = {0};
    unsigned lines = 0;
    assert_int_equal(follow(server, &lines, &problem), SPEAN_EXIT_DONE);
    assert_int_equal(lines, 1);
    api_server_free(server);
}

static void a_daemon_that_falls_silent_is_given_up(void **state)
{
    (void)state;
    struct api_server *const server = api_server_start(NULL, 0);
    struct spean_problem problem = {0};
    unsigned lines = 0;
    assert_int_equal(follow(server, &lines, &problem), SPEAN_EXIT_FAILED);
    assert_string_equal(problem.code, "timeout");
    api_server_free(server);
}

static void a_json_object_comes_back(void **state)
{
    (void)state;
    struct exchange x;
    exchange_run(&x, "GET", NULL, api_http(200, "{\"name\": \"ភ្នំពេញ\"}"), 0);
    assert_int_equal(x.exit, SPEAN_EXIT_DONE);
    assert_string_equal(json_string_value(json_object_get(x.reply, "name")), "ភ្នំពេញ");
    const char *const request = api_server_request(x.server, 0);
    assert_memory_equal(request, "GET /v1/things HTTP/1.1\r\n", 25);
    assert_non_null(strstr(request, "\r\nHost: localhost\r\n"));
    exchange_end(&x);
}

static void method_and_body_arrive_as_given(void **state)
{
    (void)state;
    json_t *const body = json_pack("{s:s}", "name", "東京");
    struct exchange x;
    exchange_run(&x, "PUT", body, api_http(201, "{}"), 0);
    assert_int_equal(x.exit, SPEAN_EXIT_DONE);
    const char *const request = api_server_request(x.server, 0);
    assert_memory_equal(request, "PUT /v1/things HTTP/1.1\r\n", 25);
    assert_non_null(strstr(request, "\r\nContent-Type: application/json\r\n"));
    assert_non_null(strstr(request, "\r\n\r\n{\"name\":\"東京\"}"));
    assert_null(strstr(request, "Expect:"));
    exchange_end(&x);
    json_decref(body);
}

static void a_reply_without_content_is_an_empty_object(void **state)
{
    (void)state;
    struct exchange x;
    exchange_run(&x, "DELETE", NULL, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n", 0);
    assert_int_equal(x.exit, SPEAN_EXIT_DONE);
    assert_int_equal(json_object_size(x.reply), 0);
    exchange_end(&x);
}

static void the_daemons_error_object_becomes_ours(void **state)
{
    (void)state;
    struct exchange x;
    exchange_run(&x, "POST", NULL,
                 api_http(409, "{\"error\":{\"code\":\"wrong_state\",\"message\":\"it is closed\","
                               "\"hint\":\"open it\",\"exit\":6}}"),
                 0);
    assert_int_equal(x.exit, SPEAN_EXIT_STATE);
    assert_string_equal(x.problem.code, "wrong_state");
    assert_string_equal(x.problem.message, "it is closed");
    assert_string_equal(x.problem.hint, "open it");
    exchange_end(&x);
}

static void an_error_never_ends_in_success_whatever_exit_it_claims(void **state)
{
    (void)state;
    static const char *const claims[] = {"0", "77", "-1", "\"6\"", "null", "18446744073709551615"};
    for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
        char json[128];
        (void)snprintf(json, sizeof(json),
                       "{\"error\":{\"code\":\"x\",\"message\":\"m\",\"exit\":%s}}", claims[i]);
        struct exchange x;
        exchange_run(&x, "GET", NULL, api_http(404, json), 0);
        assert_true(x.exit == SPEAN_EXIT_NOT_FOUND || x.exit == SPEAN_EXIT_FAILED);
        exchange_end(&x);
    }
}

static void statuses_without_an_error_object_still_tell(void **state)
{
    (void)state;
    assert_refused(api_http(404, "nothing"), 0, SPEAN_EXIT_NOT_FOUND, "bad_reply");
    assert_refused(api_http(403, "{}"), 0, SPEAN_EXIT_DENIED, "bad_reply");
    assert_refused(api_http(423, "{\"error\":7}"), 0, SPEAN_EXIT_LOCKED, "bad_reply");
    assert_refused(api_http(500, "{\"error\":{\"code\":7}}"), 0, SPEAN_EXIT_FAILED, "bad_reply");
    assert_refused(api_http(302, "{}"), 0, SPEAN_EXIT_FAILED, "bad_reply");
}

static void nobody_listening_is_said_with_the_way_to_start(void **state)
{
    (void)state;
    static const char *const paths[] = {"/nonexistent/spean.sock", "/dev/null"};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        struct spean_client *client;
        struct spean_problem problem;
        json_t *reply = NULL;
        assert_int_equal(spean_client_new(paths[i], "/srv/node", &client, &problem),
                         SPEAN_EXIT_DONE);
        assert_int_equal(spean_client_request(client, "GET", "/v1/x", NULL, &reply, &problem),
                         SPEAN_EXIT_NO_DAEMON);
        assert_string_equal(problem.code, "daemon_not_running");
        assert_string_equal(problem.hint, "start it: speand --home /srv/node");
        assert_null(reply);
        spean_client_free(client);
    }
}

static void a_reply_cut_at_any_byte_is_refused(void **state)
{
    (void)state;
    static const char whole[] = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"a\":123}";
    for (size_t len = 1; len < sizeof(whole) - 1; len++) {
        struct exchange x;
        exchange_run(&x, "GET", NULL, whole, len);
        assert_int_equal(x.exit, SPEAN_EXIT_FAILED);
        assert_null(x.reply);
        exchange_end(&x);
    }
}

static void what_is_not_a_json_object_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "[]",          "7",      "\"text\"",         "{\"a\":1,\"a\":2}",
        "{\"a\":1} x", "<html>", "{\"a\":\"\xff\"}", "{"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_refused(api_http(200, bad[i]), 0, SPEAN_EXIT_FAILED, "bad_reply");
    }
    assert_refused("no HTTP at all\r\n\r\n", 0, SPEAN_EXIT_FAILED, "broken_reply");
}

static void one_byte_beyond_the_limit_is_too_large(void **state)
{
    (void)state;
    static const char head[] = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
    const size_t head_len = sizeof(head) - 1;
    char *const data = malloc(head_len + SPEAN_CLIENT_REPLY_BYTES_MAX + 1);
    assert_non_null(data);
    memcpy(data, head, head_len);
    memset(data + head_len, ' ', SPEAN_CLIENT_REPLY_BYTES_MAX + 1);
    memcpy(data + head_len, "{}", 2);
    assert_refused(data, head_len + SPEAN_CLIENT_REPLY_BYTES_MAX + 1, SPEAN_EXIT_FAILED,
                   "too_large");
    struct exchange x;
    exchange_run(&x, "GET", NULL, data, head_len + SPEAN_CLIENT_REPLY_BYTES_MAX);
    assert_int_equal(x.exit, SPEAN_EXIT_DONE);
    exchange_end(&x);
    free(data);
}

static void a_broken_answer_to_a_change_says_that_it_may_have_been_made(void **state)
{
    (void)state;
    struct exchange x;
    exchange_run(&x, "POST", NULL, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", 0);
    assert_int_equal(x.exit, SPEAN_EXIT_FAILED);
    assert_non_null(strstr(x.problem.hint, "may have been made"));
    exchange_end(&x);
}

static void a_daemon_that_does_not_answer_is_not_waited_for_for_ever(void **state)
{
    (void)state;
    struct api_server *const server = api_server_start(NULL, 0); /* Listens; never accepts. */
    struct spean_client *client;
    struct spean_problem problem;
    json_t *reply = NULL;
    assert_int_equal(spean_client_new(api_server_path(server), "/h", &client, &problem),
                     SPEAN_EXIT_DONE);
    spean_client_wait(client, 50);
    assert_int_equal(spean_client_request(client, "GET", "/v1/x", NULL, &reply, &problem),
                     SPEAN_EXIT_FAILED);
    assert_string_equal(problem.code, "timeout");
    spean_client_free(client);
    api_server_stop(server);
    api_server_free(server);
}

static void proxies_from_the_environment_are_not_used(void **state)
{
    (void)state;
    assert_int_equal(setenv("http_proxy", "http://127.0.0.1:9", 1), 0);
    assert_int_equal(setenv("ALL_PROXY", "http://127.0.0.1:9", 1), 0);
    struct exchange x;
    exchange_run(&x, "GET", NULL, api_http(200, "{}"), 0);
    assert_int_equal(x.exit, SPEAN_EXIT_DONE);
    exchange_end(&x);
}

static void a_value_in_a_path_stays_one_segment(void **state)
{
    (void)state;
    char path[SPEAN_CLIENT_PATH_BYTES_MAX];
    assert_int_equal(spean_client_path(path, "/v1/a/%s/b/%s?x=%%", "../c?d#e f", "ក-._~9"),
                     SPEAN_OK);
    assert_string_equal(path, "/v1/a/..%2Fc%3Fd%23e%20f/b/%E1%9E%80-._~9?x=%");
    char longest[SPEAN_CLIENT_PATH_BYTES_MAX];
    memset(longest, 'a', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    assert_int_equal(spean_client_path(path, "%s", longest), SPEAN_OK);
    assert_int_equal(spean_client_path(path, "/%s", longest), SPEAN_ELIMIT);
    longest[sizeof(longest) - 2] = '/';
    assert_int_equal(spean_client_path(path, "%s", longest), SPEAN_ELIMIT);
}

/* The last one: what it does to the process cannot be undone. */
static void an_interrupt_ends_the_wait_for_a_reply(void **state)
{
    (void)state;
    assert_int_equal(spean_interrupt_install(), SPEAN_OK);
    assert_int_equal(raise(SIGINT), 0);
    struct exchange x;
    exchange_run(&x, "GET", NULL, api_http(200, "{}"), 0);
    assert_int_equal(x.exit, SPEAN_EXIT_INTERRUPTED);
    exchange_end(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_json_object_comes_back),
        cmocka_unit_test(empty_lines_now_and_then_are_enough_to_go_on),
        cmocka_unit_test(a_daemon_that_falls_silent_is_given_up),
        cmocka_unit_test(method_and_body_arrive_as_given),
        cmocka_unit_test(a_reply_without_content_is_an_empty_object),
        cmocka_unit_test(the_daemons_error_object_becomes_ours),
        cmocka_unit_test(an_error_never_ends_in_success_whatever_exit_it_claims),
        cmocka_unit_test(statuses_without_an_error_object_still_tell),
        cmocka_unit_test(nobody_listening_is_said_with_the_way_to_start),
        cmocka_unit_test(a_reply_cut_at_any_byte_is_refused),
        cmocka_unit_test(what_is_not_a_json_object_is_refused),
        cmocka_unit_test(one_byte_beyond_the_limit_is_too_large),
        cmocka_unit_test(a_broken_answer_to_a_change_says_that_it_may_have_been_made),
        cmocka_unit_test(a_daemon_that_does_not_answer_is_not_waited_for_for_ever),
        cmocka_unit_test(proxies_from_the_environment_are_not_used),
        cmocka_unit_test(a_value_in_a_path_stays_one_segment),
        cmocka_unit_test(an_interrupt_ends_the_wait_for_a_reply),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
