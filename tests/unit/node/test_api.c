#include "node/api.h"

#include <curl/curl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "node/follow.h"

#define DEADLINE_MS  20000
#define JOBS_MAX     64u
#define CLIENTS      50
#define ANSWER_BYTES 65536u
#define NOBODY       65534u
#define LARGE_BYTES  8388608
#define SHORT_MS     50 /* A time limit that a test waits for. */

#define HOST "Host: localhost\r\n"
#define JSON "Content-Type: application/json\r\n"
#define LAST "Connection: close\r\n"

/* A server in this process; the test itself is the core. */
struct world {
    char dir[64];
    char path[96];
    struct spean_queue *queue;
    struct spean_api *api;
    struct spean_journal log;
    int log_read; /* What the API logs can be read here. */
    char answer[ANSWER_BYTES];
};

static void echo_read(const struct spean_request *request, void *ctx, struct spean_reply *reply)
{
    const char *q = spean_request_query(request, "q");
    spean_reply_take(reply, json_pack("{s:s, s:s, s:I, s:s}", "id",
                                      spean_request_param(request, "id"), "q", q != NULL ? q : "",
                                      "uid", (json_int_t)request->caller.uid, "ctx", ctx));
}

static void missing_read(const struct spean_request *request, void *ctx, struct spean_reply *reply)
{
    (void)request;
    (void)ctx;
    spean_reply_error(reply, SPEAN_ENOTFOUND, NULL, "see: spean agency list");
}

static void unbuilt_read(const struct spean_request *request, void *ctx, struct spean_reply *reply)
{
    (void)request;
    (void)ctx;
    spean_reply_take(reply, NULL);
}

/* More than a socket holds, so that writing it has to wait for the reader. */
static void large_read(const struct spean_request *request, void *ctx, struct spean_reply *reply)
{
    (void)request;
    (void)ctx;
    char *text = malloc(LARGE_BYTES);
    assert_non_null(text);
    memset(text, 'a', LARGE_BYTES);
    spean_reply_take(reply, json_pack("{s:s#}", "text", text, LARGE_BYTES));
    free(text);
}

/* Counts on, a line each time somebody looks, up to the third. */
static bool count_lines(const struct spean_request *request, void *ctx, struct spean_stream *stream,
                        json_t *lines, struct spean_reply *reply)
{
    (void)ctx;
    if (spean_request_query(request, "fail") != NULL) {
        spean_reply_error(reply, SPEAN_EINPUT, "after: no such place", NULL);
        return false;
    }
    if (stream->at[0] < 3) {
        stream->at[0]++;
        (void)json_array_append_new(lines, json_pack("{s:i}", "line", (int)stream->at[0]));
    }
    return stream->at[0] < 3 || spean_request_query(request, "ends") == NULL;
}

static void count_read(const struct spean_request *request, void *ctx, struct spean_reply *reply)
{
    (void)ctx;
    if (spean_follow_asked(request)) {
        spean_reply_go_on(reply, count_lines);
    } else {
        spean_reply_text(reply, strdup("spean_up 1\n"));
    }
}

static bool thing_check(struct spean_job *job, void *ctx)
{
    (void)ctx;
    const char *name = json_string_value(json_object_get(job->request->body, "name"));
    if (name == NULL) {
        spean_reply_error(&job->reply, SPEAN_EINPUT, "name is missing", NULL);
        return false;
    }
    job->data = strdup(name);
    job->data_free = free;
    return job->data != NULL;
}

static void thing_run(struct spean_job *job, void *core)
{
    int *done = core;
    (*done)++;
    spean_reply_take(&job->reply,
                     json_pack("{s:s, s:i}", "name", (const char *)job->data, "done", *done));
    spean_queue_answer(job);
}

static void import_run(struct spean_job *job, void *core)
{
    (void)core;
    const json_t *rows = json_object_get(job->request->body, "rows");
    spean_reply_take(&job->reply,
                     json_pack("{s:o}", "bytes", spean_json_u64(json_string_length(rows))));
    spean_queue_answer(job);
}

static const struct spean_route routes[] = {
    {.method = "GET",
     .path = "/v1/echo/{id}",
     .flags = SPEAN_ROUTE_READ,
     .query = "q",
     .read = echo_read},
    {.method = "GET",
     .path = "/v1/count",
     .flags = SPEAN_ROUTE_READ,
     .query = "follow ends fail",
     .read = count_read},
    {.method = "GET", .path = "/v1/large", .flags = SPEAN_ROUTE_READ, .read = large_read},
    {.method = "GET", .path = "/v1/missing", .flags = SPEAN_ROUTE_READ, .read = missing_read},
    {.method = "GET", .path = "/v1/unbuilt", .flags = SPEAN_ROUTE_READ, .read = unbuilt_read},
    {.method = "POST",
     .path = "/v1/things",
     .flags = SPEAN_ROUTE_WRITE,
     .check = thing_check,
     .run = thing_run},
    {.method = "POST",
     .path = "/v1/import",
     .flags = SPEAN_ROUTE_WRITE | SPEAN_ROUTE_BIG_BODY,
     .run = import_run},
};

static char context[] = "the context";

static struct spean_api_config config_of(const struct world *world)
{
    const struct spean_api_config config = {.socket_path = world->path,
                                            .group = SPEAN_LOCAL_NO_GROUP,
                                            .queue = world->queue,
                                            .log = &world->log};
    return config;
}

static int world_make_with(void **state, uint32_t jobs_max, uint32_t timeout_ms)
{
    struct world *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    (void)snprintf(world->dir, sizeof(world->dir), "/tmp/spean-test-XXXXXX");
    assert_non_null(mkdtemp(world->dir));
    (void)snprintf(world->path, sizeof(world->path), "%s/spean.sock", world->dir);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    world->log_read = ends[0];
    spean_journal_init(&world->log, ends[1], SPEAN_JOURNAL_DEBUG, NULL);
    assert_int_equal(spean_queue_new(jobs_max, &world->queue), SPEAN_OK);
    struct spean_api_config config = config_of(world);
    config.timeout_ms = timeout_ms;
    assert_int_equal(
        spean_api_start(&config, routes, sizeof(routes) / sizeof(routes[0]), context, &world->api),
        SPEAN_OK);
    *state = world;
    return 0;
}

static int world_make(void **state)
{
    return world_make_with(state, JOBS_MAX, 0);
}

static int world_make_large(void **state)
{
    return world_make_with(state, SPEAN_QUEUE_JOBS_MAX, 0);
}

static int world_make_hasty(void **state)
{
    return world_make_with(state, JOBS_MAX, SHORT_MS);
}

static int world_end(void **state)
{
    struct world *world = *state;
    spean_api_stop(world->api, 0);
    spean_queue_free(world->queue);
    assert_int_equal(close(world->log.fd), 0);
    assert_int_equal(close(world->log_read), 0);
    assert_int_not_equal(access(world->path, F_OK), 0);
    assert_int_equal(rmdir(world->dir), 0);
    free(world);
    return 0;
}

/* The client. */

static void client_connect(const struct world *world, int fd)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, world->path, strlen(world->path) + 1);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
}

static int client_open(const struct world *world)
{
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    client_connect(world, fd);
    return fd;
}

static bool client_wait(int fd, short events)
{
    struct pollfd item = {.fd = fd, .events = events};
    return poll(&item, 1, DEADLINE_MS) == 1;
}

static void client_send(int fd, const char *bytes, size_t len)
{
    size_t sent = 0;
    while (sent < len) {
        assert_true(client_wait(fd, POLLOUT));
        const ssize_t wrote = send(fd, bytes + sent, len - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        assert_true(wrote > 0);
        sent += (size_t)wrote;
    }
}

/* All that comes until the server closes the connection, which it must; the fd is closed too. */
static const char *client_receive(struct world *world, int fd)
{
    size_t len = 0;
    ssize_t got = 1;
    while (got > 0) {
        assert_true(client_wait(fd, POLLIN));
        got = recv(fd, world->answer + len, ANSWER_BYTES - 1 - len, 0);
        len += got > 0 ? (size_t)got : 0;
    }
    world->answer[len] = '\0';
    assert_int_equal(close(fd), 0);
    return world->answer;
}

static const char *talk(struct world *world, const char *request)
{
    const int fd = client_open(world);
    client_send(fd, request, strlen(request));
    return client_receive(world, fd);
}

/* 0: it is no answer. */
static long status_of(const char *answer)
{
    return strncmp(answer, "HTTP/1.", 7) == 0 ? strtol(answer + 9, NULL, 10) : 0;
}

static json_t *body_of(const char *answer)
{
    const char *body = strstr(answer, "\r\n\r\n");
    assert_non_null(body);
    assert_non_null(strstr(answer, "Content-Type: application/json; charset=utf-8\r\n"));
    json_t *value = json_loads(body + 4, JSON_DECODE_ANY, NULL);
    assert_non_null(value);
    return value;
}

/* The request must be refused with status and code in a JSON error, and the connection closed. */
static void assert_refused(struct world *world, const char *request, int status, const char *code)
{
    const char *answer = talk(world, request);
    assert_int_equal(status_of(answer), status);
    json_t *body = body_of(answer);
    const json_t *error = json_object_get(body, "error");
    assert_string_equal(json_string_value(json_object_get(error, "code")), code);
    assert_true(json_is_string(json_object_get(error, "message")));
    assert_true(json_is_string(json_object_get(error, "hint")));
    assert_true(json_integer_value(json_object_get(error, "exit")) > 0);
    json_decref(body);
}

static int thing_send(const struct world *world, const char *name)
{
    char request[512];
    char body[128];
    const int len = snprintf(body, sizeof(body), "{\"name\":\"%s\"}", name);
    const int all = snprintf(
        request, sizeof(request),
        "POST /v1/things HTTP/1.1\r\n" HOST JSON LAST "Content-Length: %d\r\n\r\n%s", len, body);
    const int fd = client_open(world);
    client_send(fd, request, (size_t)all);
    return fd;
}

/* The core. */

static struct spean_job *core_take(struct world *world)
{
    assert_true(client_wait(spean_queue_core_fd(world->queue), POLLIN));
    struct spean_job *job = spean_queue_take(world->queue);
    assert_non_null(job);
    return job;
}

/* Reads. */

static void a_read_is_answered_with_json(void **state)
{
    struct world *world = *state;
    const char *answer =
        talk(world, "GET /v1/echo/a%2Fb?q=%E1%9E%9F HTTP/1.1\r\n" HOST LAST "\r\n");
    assert_int_equal(status_of(answer), 200);
    assert_non_null(strstr(answer, "Cache-Control: no-store\r\n"));
    json_t *body = body_of(answer);
    assert_string_equal(json_string_value(json_object_get(body, "id")), "a/b");
    assert_string_equal(json_string_value(json_object_get(body, "q")), "\xe1\x9e\x9f");
    assert_int_equal(json_integer_value(json_object_get(body, "uid")), geteuid());
    assert_string_equal(json_string_value(json_object_get(body, "ctx")), context);
    json_decref(body);
}

static void two_requests_on_one_connection_are_both_answered(void **state)
{
    struct world *world = *state;
    const char *answer = talk(world, "GET /v1/echo/one HTTP/1.1\r\n" HOST "\r\n"
                                     "GET /v1/echo/two HTTP/1.1\r\nHost: spean\r\n" LAST "\r\n");
    const char *one = strstr(answer, "\"one\"");
    assert_non_null(one);
    assert_non_null(strstr(one, "\"two\""));
}

static void nothing_after_a_refused_request_is_looked_at(void **state)
{
    struct world *world = *state;
    const char *answer = talk(world, "GET /v1/nowhere HTTP/1.1\r\n" HOST "\r\n"
                                     "GET /v1/echo/two HTTP/1.1\r\n" HOST LAST "\r\n");
    assert_int_equal(status_of(answer), 404);
    assert_null(strstr(answer, "two"));
}

static void an_error_of_a_handler_reaches_the_client(void **state)
{
    assert_refused(*state, "GET /v1/missing HTTP/1.1\r\n" HOST "\r\n", 404, "not_found");
}

static void an_answer_that_could_not_be_built_is_an_error(void **state)
{
    assert_refused(*state, "GET /v1/unbuilt HTTP/1.1\r\n" HOST "\r\n", 503, "no_memory");
}

static void the_library_that_the_tools_use_is_understood(void **state)
{
    struct world *world = *state;
    CURL *curl = curl_easy_init();
    FILE *sink = tmpfile();
    assert_non_null(curl);
    assert_non_null(sink);
    long status = 0;
    assert_int_equal(curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, world->path), CURLE_OK);
    assert_int_equal(curl_easy_setopt(curl, CURLOPT_URL, "http://localhost/v1/echo/x"), CURLE_OK);
    assert_int_equal(curl_easy_setopt(curl, CURLOPT_WRITEDATA, sink), CURLE_OK);
    assert_int_equal(curl_easy_perform(curl), CURLE_OK);
    assert_int_equal(curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status), CURLE_OK);
    assert_int_equal(status, 200);
    curl_easy_cleanup(curl);
    assert_int_equal(fclose(sink), 0);
}

/* Requests that can be read in two ways, or in none. */

static void a_request_needs_exactly_one_host_from_the_list(void **state)
{
    struct world *world = *state;
    assert_refused(world, "GET /v1/echo/a HTTP/1.1\r\n\r\n", 400, "bad_input");
    assert_refused(world, "GET /v1/echo/a HTTP/1.1\r\n" HOST HOST "\r\n", 400, "bad_input");
    assert_refused(world, "GET /v1/echo/a HTTP/1.1\r\n" HOST "host: spean\r\n\r\n", 400,
                   "bad_input");
    assert_refused(world, "GET /v1/echo/a HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421,
                   "bad_input");
    assert_refused(world, "GET /v1/echo/a HTTP/1.1\r\nHost: localhost.evil\r\n\r\n", 421,
                   "bad_input");
    assert_refused(world, "GET /v1/echo/a HTTP/1.1\r\nHost:\r\n\r\n", 421, "bad_input");
}

static void two_lengths_are_refused_even_when_they_agree(void **state)
{
    struct world *world = *state;
    assert_refused(world,
                   "POST /v1/things HTTP/1.1\r\n" HOST JSON
                   "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
                   400, "bad_input");
    assert_refused(world,
                   "POST /v1/things HTTP/1.1\r\n" HOST JSON
                   "Content-Length: 2\r\nContent-Length: 20\r\n\r\n{}",
                   400, "bad_input");
}

static void a_length_together_with_an_encoding_is_refused(void **state)
{
    struct world *world = *state;
    /* evhttp refuses this one itself; what counts is that nothing after it is answered. */
    const char *answer = talk(world, "POST /v1/things HTTP/1.1\r\n" HOST JSON
                                     "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n" LAST
                                     "\r\n2\r\n{}\r\n0\r\n\r\n");
    assert_int_equal(status_of(answer), 400);
    answer = talk(world, "POST /v1/things HTTP/1.1\r\n" HOST JSON
                         "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n"
                         "GET /v1/echo/smuggled HTTP/1.1\r\n" HOST LAST "\r\n");
    assert_int_equal(status_of(answer), 400);
    assert_null(strstr(answer, "smuggled"));
}

static void a_length_that_is_no_number_is_refused(void **state)
{
    struct world *world = *state;
    assert_refused(world,
                   "POST /v1/things HTTP/1.1\r\n" HOST JSON
                   "Content-Length: +12\r\n\r\n{\"name\":\"a\"}",
                   400, "bad_input");
    assert_null(spean_queue_take(world->queue));
    const char *answer =
        talk(world, "POST /v1/things HTTP/1.1\r\n" HOST JSON LAST "Content-Length: -2\r\n\r\n{}");
    assert_int_equal(status_of(answer), 400);
}

static void a_header_name_that_hides_a_length_is_refused(void **state)
{
    struct world *world = *state;
    assert_refused(world, "GET /v1/echo/a HTTP/1.1\r\n" HOST "Content-Length : 2\r\n\r\n{}", 400,
                   "bad_input");
    assert_refused(world, "GET /v1/echo/a HTTP/1.1\r\n" HOST "(X): 2\r\n\r\n", 400, "bad_input");
}

static void a_get_with_a_body_is_refused(void **state)
{
    struct world *world = *state;
    assert_refused(world, "GET /v1/echo/a HTTP/1.1\r\n" HOST JSON "Content-Length: 2\r\n\r\n{}",
                   400, "bad_input");
    assert_refused(world,
                   "GET /v1/echo/a HTTP/1.1\r\n" HOST JSON
                   "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                   400, "bad_input");
}

static void what_is_no_http_is_refused(void **state)
{
    struct world *world = *state;
    assert_int_equal(status_of(talk(world, "\x01\x02\r\n\r\n")), 400);
    assert_int_equal(status_of(talk(world, "GET /v1/echo/a HTTP/1.1\r\nHost localhost\r\n\r\n")),
                     400);
}

/* Paths, methods, limits. */

static void an_unknown_path_is_404(void **state)
{
    struct world *world = *state;
    assert_refused(world, "GET /v1/nowhere HTTP/1.1\r\n" HOST "\r\n", 404, "not_found");
    assert_refused(world, "GET http://localhost/v1/missing HTTP/1.1\r\n" HOST "\r\n", 404,
                   "not_found");
    assert_refused(world, "GET /v1/missing#a HTTP/1.1\r\n" HOST "\r\n", 404, "not_found");
}

static void another_method_is_405_and_the_allowed_ones_are_named(void **state)
{
    struct world *world = *state;
    assert_refused(world, "DELETE /v1/things HTTP/1.1\r\n" HOST "\r\n", 405, "bad_input");
    assert_non_null(strstr(world->answer, "Allow: POST\r\n"));
    assert_refused(world, "BREW /v1/things HTTP/1.1\r\n" HOST "\r\n", 405, "bad_input");
    assert_refused(world, "TRACE /v1/missing HTTP/1.1\r\n" HOST "\r\n", 405, "bad_input");
    assert_non_null(strstr(world->answer, "Allow: GET\r\n"));
}

static void a_query_or_parameter_that_cannot_be_read_is_400(void **state)
{
    struct world *world = *state;
    assert_refused(world, "GET /v1/echo/%00 HTTP/1.1\r\n" HOST "\r\n", 400, "bad_input");
    assert_refused(world, "GET /v1/echo/a?q=1&q=2 HTTP/1.1\r\n" HOST "\r\n", 400, "bad_input");
    assert_refused(world, "GET /v1/echo/a?q HTTP/1.1\r\n" HOST "\r\n", 400, "bad_input");
    assert_refused(world, "GET /v1/echo/a?p=1 HTTP/1.1\r\n" HOST "\r\n", 400, "bad_input");
}

static void a_target_over_the_limit_is_414(void **state)
{
    char request[SPEAN_TARGET_BYTES_MAX + 256];
    char path[SPEAN_TARGET_BYTES_MAX + 2] = "/v1/echo/";
    const size_t begin = strlen(path);
    memset(path + begin, 'a', SPEAN_TARGET_BYTES_MAX + 1 - begin);
    (void)snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\n" HOST "\r\n", path);
    assert_refused(*state, request, 414, "limit");
}

static void a_header_over_the_limit_is_refused(void **state)
{
    struct world *world = *state;
    char request[SPEAN_API_HEADER_BYTES_MAX + 256];
    const int begin = snprintf(request, sizeof(request), "GET /v1/echo/a HTTP/1.1\r\n" HOST "X: ");
    memset(request + begin, 'a', SPEAN_API_HEADER_BYTES_MAX);
    (void)snprintf(request + begin + SPEAN_API_HEADER_BYTES_MAX,
                   sizeof(request) - (size_t)begin - SPEAN_API_HEADER_BYTES_MAX, "\r\n\r\n");
    assert_int_equal(status_of(talk(world, request)), 400);
}

/* A POST of {"rows":"aaa..."} with a body of exactly body_len bytes. The caller frees it. */
static char *rows_request(const char *path, size_t body_len)
{
    static const char before[] = "{\"rows\":\"";
    static const char after[] = "\"}";
    char *request = malloc(body_len + 256);
    assert_non_null(request);
    int len = snprintf(request, 256,
                       "POST %s HTTP/1.1\r\n" HOST JSON LAST "Content-Length: %zu\r\n\r\n%s", path,
                       body_len, before);
    const size_t fill = body_len - (sizeof(before) - 1) - (sizeof(after) - 1);
    memset(request + len, 'a', fill);
    memcpy(request + (size_t)len + fill, after, sizeof(after));
    return request;
}

static void a_body_over_the_limit_of_its_route_is_413(void **state)
{
    struct world *world = *state;
    char *request = rows_request("/v1/things", SPEAN_API_BODY_BYTES_MAX + 1);
    assert_refused(world, request, 413, "limit");
    free(request);
    request = rows_request("/v1/things", SPEAN_API_BODY_BYTES_MAX);
    assert_refused(world, request, 400, "bad_input"); /* Read, and then it lacks a name. */
    free(request);
}

static void an_import_may_be_larger(void **state)
{
    struct world *world = *state;
    char *request = rows_request("/v1/import", SPEAN_API_BODY_BYTES_MAX + 11);
    const int fd = client_open(world);
    client_send(fd, request, strlen(request));
    struct spean_job *job = core_take(world);
    job->run(job, NULL);
    const char *answer = client_receive(world, fd);
    assert_int_equal(status_of(answer), 200);
    json_t *body = body_of(answer);
    assert_int_equal(json_integer_value(json_object_get(body, "bytes")), SPEAN_API_BODY_BYTES_MAX);
    json_decref(body);
    free(request);
}

static void a_body_over_every_limit_is_refused_when_it_is_announced(void **state)
{
    struct world *world = *state;
    char request[256];
    (void)snprintf(request, sizeof(request),
                   "POST /v1/import HTTP/1.1\r\n" HOST JSON "Content-Length: %u\r\n\r\n{",
                   SPEAN_API_BIG_BODY_BYTES_MAX + 1);
    assert_int_equal(status_of(talk(world, request)), 413);
}

/* Bodies. */

static void assert_body_refused(struct world *world, const char *body, const char *code)
{
    char request[1024];
    (void)snprintf(request, sizeof(request),
                   "POST /v1/things HTTP/1.1\r\n" HOST JSON "Content-Length: %zu\r\n\r\n%s",
                   strlen(body), body);
    assert_refused(world, request, 400, code);
}

static void json_that_is_broken_repeated_or_too_deep_is_400(void **state)
{
    struct world *world = *state;
    char deep[2 * SPEAN_JSON_DEPTH_MAX + 32] = "{\"name\":";
    const size_t begin = strlen(deep);
    memset(deep + begin, '[', SPEAN_JSON_DEPTH_MAX);
    memset(deep + begin + SPEAN_JSON_DEPTH_MAX, ']', SPEAN_JSON_DEPTH_MAX);
    deep[begin + 2 * (size_t)SPEAN_JSON_DEPTH_MAX] = '}';
    assert_body_refused(world, deep, "limit");
    assert_body_refused(world, "{", "bad_input");
    assert_body_refused(world, "[]", "bad_input");
    assert_body_refused(world, "{\"name\":\"a\",\"name\":\"b\"}", "bad_input");
    assert_body_refused(world, "{\"name\":\"\xff\"}", "bad_input");
    assert_null(spean_queue_take(world->queue));
}

static void a_body_of_another_type_or_compressed_is_415(void **state)
{
    struct world *world = *state;
    assert_refused(world, "POST /v1/things HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\n{}", 415,
                   "bad_input");
    assert_refused(world,
                   "POST /v1/things HTTP/1.1\r\n" HOST
                   "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}",
                   415, "bad_input");
    assert_refused(world,
                   "POST /v1/things HTTP/1.1\r\n" HOST JSON
                   "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
                   415, "bad_input");
}

static void what_the_check_refuses_never_reaches_the_core(void **state)
{
    struct world *world = *state;
    assert_body_refused(world, "{}", "bad_input");
    assert_refused(world, "POST /v1/things HTTP/1.1\r\n" HOST "\r\n", 400, "bad_input");
    assert_null(spean_queue_take(world->queue));
}

/* Writes. */

static void a_write_is_answered_when_the_core_has_done_it(void **state)
{
    struct world *world = *state;
    int done = 0;
    const int fd = thing_send(world, "sokha");
    struct spean_job *job = core_take(world);
    struct pollfd item = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&item, 1, 0), 0); /* Nothing is promised before. */
    job->run(job, &done);
    const char *answer = client_receive(world, fd);
    assert_int_equal(status_of(answer), 200);
    assert_non_null(strstr(answer, "{\"name\":\"sokha\",\"done\":1}"));
    assert_int_equal(done, 1);
}

static void answers_find_their_own_client_whatever_their_order(void **state)
{
    struct world *world = *state;
    int fds[CLIENTS];
    struct spean_job *jobs[CLIENTS];
    int done = 0;
    for (int i = 0; i < CLIENTS; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "<%d>", i);
        fds[i] = thing_send(world, name);
    }
    for (int i = 0; i < CLIENTS; i++) {
        jobs[i] = core_take(world);
    }
    for (int i = CLIENTS - 1; i >= 0; i--) {
        jobs[i]->run(jobs[i], &done);
    }
    for (int i = 0; i < CLIENTS; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "<%d>", i);
        const char *answer = client_receive(world, fds[i]);
        assert_int_equal(status_of(answer), 200);
        assert_non_null(strstr(answer, name));
    }
    assert_int_equal(done, CLIENTS);
}

static void a_full_queue_is_503_and_the_node_goes_on(void **state)
{
    struct world *world = *state;
    int fds[JOBS_MAX];
    struct spean_job *jobs[JOBS_MAX];
    int done = 0;
    for (unsigned i = 0; i < JOBS_MAX; i++) {
        fds[i] = thing_send(world, "a");
        jobs[i] = core_take(world);
    }
    const char *answer = client_receive(world, thing_send(world, "one too many"));
    assert_int_equal(status_of(answer), 503);
    assert_non_null(strstr(answer, "\"busy\""));
    assert_non_null(strstr(answer, "Retry-After: 1\r\n"));
    for (unsigned i = 0; i < JOBS_MAX; i++) {
        jobs[i]->run(jobs[i], &done);
        assert_int_equal(status_of(client_receive(world, fds[i])), 200);
    }
    const int fd = thing_send(world, "b");
    struct spean_job *job = core_take(world);
    job->run(job, &done);
    assert_int_equal(status_of(client_receive(world, fd)), 200);
}

static void one_request_too_many_at_a_time_is_503(void **state)
{
    struct world *world = *state;
    int fds[SPEAN_API_REQUESTS_MAX];
    struct spean_job *jobs[SPEAN_API_REQUESTS_MAX];
    int done = 0;
    for (unsigned i = 0; i < SPEAN_API_REQUESTS_MAX; i++) {
        fds[i] = thing_send(world, "a");
        jobs[i] = core_take(world);
    }
    assert_refused(world, "GET /v1/echo/a HTTP/1.1\r\n" HOST "\r\n", 503, "busy");
    for (unsigned i = 0; i < SPEAN_API_REQUESTS_MAX; i++) {
        jobs[i]->run(jobs[i], &done);
        assert_int_equal(status_of(client_receive(world, fds[i])), 200);
    }
    assert_int_equal(status_of(talk(world, "GET /v1/echo/a HTTP/1.1\r\n" HOST LAST "\r\n")), 200);
}

static void a_silent_client_is_dropped_and_a_slow_core_is_not(void **state)
{
    struct world *world = *state;
    int done = 0;
    const int waiting = thing_send(world, "a");
    struct spean_job *job = core_take(world);
    const int silent = client_open(world);
    const int half = client_open(world);
    client_send(half, "GET /v1/ec", 10);
    assert_string_equal(client_receive(world, silent), "");
    assert_string_equal(client_receive(world, half), "");
    job->run(job, &done); /* Its client has waited longer than they were allowed to be silent. */
    assert_int_equal(status_of(client_receive(world, waiting)), 200);
}

static void a_client_that_leaves_within_an_answer_harms_nothing(void **state)
{
    struct world *world = *state;
    static const char request[] = "GET /v1/large HTTP/1.1\r\n" HOST "\r\n";
    char byte = 0;
    const int fd = client_open(world);
    client_send(fd, request, sizeof(request) - 1);
    assert_true(client_wait(fd, POLLIN));
    assert_int_equal(recv(fd, &byte, 1, 0), 1);
    assert_int_equal(close(fd), 0);
    assert_int_equal(status_of(talk(world, "GET /v1/echo/a HTTP/1.1\r\n" HOST LAST "\r\n")), 200);
}

/* Read from fd until text has come. */
static void client_expect(struct world *world, int fd, const char *text)
{
    size_t len = 0;
    world->answer[0] = '\0';
    while (strstr(world->answer, text) == NULL) {
        assert_true(client_wait(fd, POLLIN));
        const ssize_t got = recv(fd, world->answer + len, ANSWER_BYTES - 1 - len, 0);
        assert_true(got > 0);
        len += (size_t)got;
        world->answer[len] = '\0';
    }
}

#define FOLLOW      "GET /v1/count?follow=1"
#define FOLLOW_REST " HTTP/1.1\r\n" HOST "\r\n"

static int follow_open(const struct world *world)
{
    static const char request[] = FOLLOW FOLLOW_REST;
    const int fd = client_open(world);
    client_send(fd, request, sizeof(request) - 1);
    return fd;
}

static void figures_are_plain_text(void **state)
{
    struct world *world = *state;
    const char *answer = talk(world, "GET /v1/count HTTP/1.1\r\n" HOST LAST "\r\n");
    assert_int_equal(status_of(answer), 200);
    assert_non_null(strstr(answer, "Content-Type: text/plain; version=0.0.4"));
    assert_non_null(strstr(answer, "\r\n\r\nspean_up 1\n"));
}

static void an_answer_that_goes_on_gives_lines_as_they_come(void **state)
{
    struct world *world = *state;
    const int fd = follow_open(world);
    client_expect(world, fd, "{\"line\":1}\n");
    assert_int_equal(status_of(world->answer), 200);
    assert_non_null(strstr(world->answer, "Content-Type: application/x-ndjson"));
    client_expect(world, fd, "{\"line\":3}\n");
    assert_int_equal(close(fd), 0);
}

static void an_answer_that_cannot_go_on_ends(void **state)
{
    struct world *world = *state;
    const char *answer = talk(world, FOLLOW "&ends=1" FOLLOW_REST);
    assert_non_null(strstr(answer, "{\"line\":2}\n"));
    assert_non_null(strstr(answer, "\r\n0\r\n\r\n"));
}

static void a_place_that_is_none_is_refused_before_anything_is_said(void **state)
{
    assert_refused(*state, FOLLOW "&fail=1" FOLLOW_REST, 400, "bad_input");
}

static void one_follower_too_many_is_503(void **state)
{
    struct world *world = *state;
    int fds[SPEAN_FOLLOW_MAX];
    for (unsigned i = 0; i < SPEAN_FOLLOW_MAX; i++) {
        fds[i] = follow_open(world);
        client_expect(world, fds[i], "{\"line\":1}\n");
    }
    assert_refused(world, FOLLOW FOLLOW_REST, 503, "busy");
    for (unsigned i = 0; i < SPEAN_FOLLOW_MAX; i++) {
        assert_int_equal(close(fds[i]), 0);
    }
}

static void whoever_follows_may_be_silent(void **state)
{
    struct world *world = *state; /* A hasty one: others are dropped after SHORT_MS. */
    const int fd = follow_open(world);
    client_expect(world, fd, "{\"line\":3}\n");
    assert_int_equal(close(fd), 0);
}

static void who_follows_is_told_when_the_node_stops(void **state)
{
    struct world *world = *state;
    const int fd = follow_open(world);
    client_expect(world, fd, "{\"line\":1}\n");
    spean_api_stop(world->api, DEADLINE_MS);
    world->api = NULL;
    assert_non_null(strstr(client_receive(world, fd), "0\r\n\r\n"));
}

static void a_write_is_503_when_the_core_has_gone(void **state)
{
    struct world *world = *state;
    const int fd = thing_send(world, "waiting");
    assert_true(client_wait(spean_queue_core_fd(world->queue), POLLIN));
    spean_queue_close(world->queue);
    assert_int_equal(status_of(client_receive(world, fd)), 503);
    assert_int_equal(status_of(client_receive(world, thing_send(world, "late"))), 503);
}

static void a_client_that_leaves_loses_the_answer_and_nothing_else(void **state)
{
    struct world *world = *state;
    int done = 0;
    const int before = thing_send(world, "before");
    assert_true(client_wait(spean_queue_core_fd(world->queue), POLLIN));
    assert_int_equal(close(before), 0);
    struct spean_job *job = core_take(world);
    job->run(job, &done);
    const int during = thing_send(world, "during");
    job = core_take(world);
    assert_int_equal(close(during), 0);
    job->run(job, &done);
    assert_int_equal(done, 2);
    const int fd = thing_send(world, "after");
    job = core_take(world);
    job->run(job, &done);
    assert_int_equal(status_of(client_receive(world, fd)), 200);
}

/* Stopping. */

struct stopper {
    struct spean_api *api;
    uint32_t deadline_ms;
};

static void *stopper_main(void *arg)
{
    const struct stopper *stopper = arg;
    spean_api_stop(stopper->api, stopper->deadline_ms);
    return NULL;
}

static bool path_gone(const char *path)
{
    for (int waited = 0; waited < DEADLINE_MS; waited++) {
        if (access(path, F_OK) != 0) {
            return true;
        }
        (void)poll(NULL, 0, 1);
    }
    return false;
}

static time_t seconds_now(void)
{
    struct timespec now;
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
    return now.tv_sec;
}

static void a_running_request_is_finished_before_the_stop(void **state)
{
    struct world *world = *state;
    int done = 0;
    const int fd = thing_send(world, "late");
    struct spean_job *job = core_take(world);
    struct stopper stopper = {.api = world->api, .deadline_ms = DEADLINE_MS};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, stopper_main, &stopper), 0);
    world->api = NULL;
    assert_true(path_gone(world->path));
    job->run(job, &done);
    assert_int_equal(status_of(client_receive(world, fd)), 200);
    const time_t answered = seconds_now();
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(seconds_now() - answered < DEADLINE_MS / 2000); /* It waits for nothing more. */
}

static void a_stop_waits_no_longer_than_its_deadline(void **state)
{
    struct world *world = *state;
    int done = 0;
    const int idle = client_open(world);
    const int half = client_open(world);
    client_send(half, "GET /v1/ec", 10);
    const int fd = thing_send(world, "never");
    struct spean_job *job = core_take(world);
    spean_api_stop(world->api, 1);
    world->api = NULL;
    assert_string_equal(client_receive(world, fd), "");
    assert_string_equal(client_receive(world, idle), "");
    assert_string_equal(client_receive(world, half), "");
    job->run(job, &done); /* The core does not care; the queue frees the answer. */
    assert_int_equal(done, 1);
}

static void a_second_server_on_one_socket_is_busy_and_harms_nothing(void **state)
{
    struct world *world = *state;
    const struct spean_api_config config = config_of(world);
    struct spean_api *second = NULL;
    assert_int_equal(spean_api_start(&config, routes, 1, NULL, &second), SPEAN_EBUSY);
    assert_null(second);
    assert_int_equal(status_of(talk(world, "GET /v1/echo/a HTTP/1.1\r\n" HOST LAST "\r\n")), 200);
}

/* Who may speak: even where the file modes would let a stranger in. */

static int stranger_main(struct world *world)
{
    if (setgid(NOBODY) != 0 || setuid(NOBODY) != 0) {
        return 2;
    }
    const char *answer = talk(world, "GET /v1/echo/a HTTP/1.1\r\n" HOST "\r\n");
    return status_of(answer) == 403 && strstr(answer, "not_permitted") != NULL ? 0 : 1;
}

/* The next line of the log must be about event. */
static void assert_logged(const struct world *world, const char *event)
{
    char line[SPEAN_JOURNAL_LINE_BYTES_MAX + 1];
    assert_true(client_wait(world->log_read, POLLIN));
    const ssize_t got = read(world->log_read, line, sizeof(line) - 1);
    assert_true(got > 0);
    line[got] = '\0';
    assert_non_null(strstr(line, event));
}

static void another_user_is_refused(void **state)
{
    struct world *world = *state;
    if (geteuid() != 0) {
        skip();
    }
    assert_int_equal(chmod(world->dir, 0711), 0);
    assert_int_equal(chmod(world->path, 0666), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        _exit(stranger_main(world));
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_logged(world, "event=api_caller_refused uid=65534");
}

static void connections_wait_while_descriptors_are_wanting(void **state)
{
    struct world *world = *state;
    static const char request[] = "GET /v1/echo/a HTTP/1.1\r\n" HOST LAST "\r\n";
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    const struct rlimit none = {.rlim_cur = (rlim_t)fd + 1, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    client_connect(world, fd);
    client_send(fd, request, sizeof(request) - 1);
    assert_logged(world, "event=api_accept_failed");
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(status_of(client_receive(world, fd)), 200);
}

int main(void)
{
#define SERVED(test) cmocka_unit_test_setup_teardown(test, world_make, world_end)
    const struct CMUnitTest tests[] = {
        SERVED(a_read_is_answered_with_json),
        SERVED(two_requests_on_one_connection_are_both_answered),
        SERVED(nothing_after_a_refused_request_is_looked_at),
        SERVED(an_error_of_a_handler_reaches_the_client),
        SERVED(an_answer_that_could_not_be_built_is_an_error),
        SERVED(the_library_that_the_tools_use_is_understood),
        SERVED(a_request_needs_exactly_one_host_from_the_list),
        SERVED(two_lengths_are_refused_even_when_they_agree),
        SERVED(a_length_together_with_an_encoding_is_refused),
        SERVED(a_length_that_is_no_number_is_refused),
        SERVED(a_header_name_that_hides_a_length_is_refused),
        SERVED(a_get_with_a_body_is_refused),
        SERVED(what_is_no_http_is_refused),
        SERVED(an_unknown_path_is_404),
        SERVED(another_method_is_405_and_the_allowed_ones_are_named),
        SERVED(a_query_or_parameter_that_cannot_be_read_is_400),
        SERVED(a_target_over_the_limit_is_414),
        SERVED(a_header_over_the_limit_is_refused),
        SERVED(a_body_over_the_limit_of_its_route_is_413),
        SERVED(an_import_may_be_larger),
        SERVED(a_body_over_every_limit_is_refused_when_it_is_announced),
        SERVED(json_that_is_broken_repeated_or_too_deep_is_400),
        SERVED(a_body_of_another_type_or_compressed_is_415),
        SERVED(what_the_check_refuses_never_reaches_the_core),
        SERVED(a_write_is_answered_when_the_core_has_done_it),
        SERVED(answers_find_their_own_client_whatever_their_order),
        SERVED(a_full_queue_is_503_and_the_node_goes_on),
        SERVED(figures_are_plain_text),
        SERVED(an_answer_that_goes_on_gives_lines_as_they_come),
        SERVED(an_answer_that_cannot_go_on_ends),
        SERVED(a_place_that_is_none_is_refused_before_anything_is_said),
        SERVED(one_follower_too_many_is_503),
        SERVED(who_follows_is_told_when_the_node_stops),
        cmocka_unit_test_setup_teardown(whoever_follows_may_be_silent, world_make_hasty, world_end),
        cmocka_unit_test_setup_teardown(one_request_too_many_at_a_time_is_503, world_make_large,
                                        world_end),
        cmocka_unit_test_setup_teardown(a_silent_client_is_dropped_and_a_slow_core_is_not,
                                        world_make_hasty, world_end),
        SERVED(a_client_that_leaves_within_an_answer_harms_nothing),
        SERVED(a_write_is_503_when_the_core_has_gone),
        SERVED(a_client_that_leaves_loses_the_answer_and_nothing_else),
        SERVED(a_running_request_is_finished_before_the_stop),
        SERVED(a_stop_waits_no_longer_than_its_deadline),
        SERVED(a_second_server_on_one_socket_is_busy_and_harms_nothing),
        SERVED(another_user_is_refused),
        SERVED(connections_wait_while_descriptors_are_wanting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
