#include "tests/unit/tools/clikit.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "tools/program.h"

#define REQUEST_BYTES_MAX 65536u
#define BACKLOG           8
#define WAIT_MS           30000 /* For a client that never speaks; longer than any test lasts. */

static void run(struct cli_result *result, const char *const *words, size_t count)
{
    char *argv[CLI_WORDS_MAX + 1];
    assert_true(count <= CLI_WORDS_MAX);
    for (size_t i = 0; i < count; i++) {
        argv[i] = strdup(words[i]);
        assert_non_null(argv[i]);
    }
    argv[count] = NULL;
    char *owned[CLI_WORDS_MAX]; /* The run may put argv in another order. */
    memcpy(owned, argv, count * sizeof(owned[0]));

    size_t out_len;
    size_t err_len;
    struct spean_surroundings around = {.terminal = "/nonexistent/terminal", .unicode = true};
    around.results = open_memstream(&result->out, &out_len);
    around.talk = open_memstream(&result->err, &err_len);
    assert_non_null(around.results);
    assert_non_null(around.talk);
    result->exit = spean_program_run((int)count, argv, &around);
    assert_int_equal(fclose(around.results), 0);
    assert_int_equal(fclose(around.talk), 0);
    for (size_t i = 0; i < count; i++) {
        free(owned[i]);
    }
}

void cli_run(struct cli_result *result, const char *first, ...)
{
    const char *words[CLI_WORDS_MAX];
    size_t count = 0;
    va_list args;
    va_start(args, first);
    for (const char *word = first; word != NULL; word = va_arg(args, const char *)) {
        assert_true(count < CLI_WORDS_MAX);
        words[count++] = word;
    }
    va_end(args);
    run(result, words, count);
}

void cli_run_words(struct cli_result *result, const char *const *words)
{
    size_t count = 0;
    while (words[count] != NULL) {
        count++;
    }
    run(result, words, count);
}

void cli_result_fini(struct cli_result *result)
{
    free(result->out);
    free(result->err);
}

struct api_server {
    char folder[64];
    char path[96];
    int listener;
    int stop[2]; /* A pipe: closing its writing end ends the thread. */
    pthread_t thread;
    const struct api_reply *replies;
    size_t replies_count;
    char *requests[API_SERVER_REPLIES_MAX];
};

/* Say whether the request in text is whole: headers, and as much body as they say. */
static int request_whole(const char *text)
{
    const char *const end = strstr(text, "\r\n\r\n");
    if (end == NULL) {
        return 0;
    }
    const char *const length = strstr(text, "Content-Length: ");
    const size_t body = length == NULL || length > end ? 0 : strtoul(length + 16, NULL, 10);
    return strlen(end + 4) >= body;
}

static char *request_read(int fd)
{
    char *const text = calloc(1, REQUEST_BYTES_MAX);
    size_t used = 0;
    while (text != NULL && used < REQUEST_BYTES_MAX - 1 && !request_whole(text)) {
        const ssize_t got = read(fd, text + used, REQUEST_BYTES_MAX - 1 - used);
        if (got <= 0) {
            break;
        }
        used += (size_t)got;
    }
    return text;
}

static void reply_send(int fd, const struct api_reply *reply)
{
    const char *at = reply->data;
    size_t left = reply->len == 0 ? strlen(at) : reply->len;
    while (left > 0) {
        const char *const end = reply->pause_ms > 0 ? memchr(at, '\n', left) : NULL;
        const size_t piece = end != NULL ? (size_t)(end - at) + 1 : left;
        const ssize_t put = send(fd, at, piece, MSG_NOSIGNAL); /* The client may have left. */
        if (put <= 0) {
            return;
        }
        at += put;
        left -= (size_t)put;
        (void)poll(NULL, 0, reply->pause_ms);
    }
}

static void *serve(void *context)
{
    struct api_server *const server = context;
    for (size_t i = 0; i < server->replies_count; i++) {
        struct pollfd polled[] = {{.fd = server->listener, .events = POLLIN},
                                  {.fd = server->stop[0], .events = POLLIN}};
        if (poll(polled, 2, WAIT_MS) <= 0 || polled[0].revents == 0) {
            return NULL;
        }
        const int fd = accept(server->listener, NULL, NULL);
        if (fd < 0) {
            return NULL;
        }
        server->requests[i] = request_read(fd);
        struct api_reply reply = server->replies[i];
        char *const made =
            reply.make == NULL ? NULL : reply.make(server->requests[i], reply.context);
        if (made != NULL) {
            reply = (struct api_reply){.data = made};
        }
        reply_send(fd, &reply);
        free(made);
        (void)close(fd);
    }
    if (server->replies_count > 0) { /* With none it plays a daemon that never answers. */
        (void)shutdown(server->listener, SHUT_RDWR); /* One more is refused, not left waiting. */
    }
    return NULL;
}

struct api_server *api_server_start(const struct api_reply *replies, size_t count)
{
    assert_true(count <= API_SERVER_REPLIES_MAX);
    struct api_server *const server = calloc(1, sizeof(*server));
    assert_non_null(server);
    scratch_make(server->folder, sizeof(server->folder));
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(server->path, sizeof(server->path), "%s/spean.sock", server->folder);
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", server->path);
    server->replies = replies;
    server->replies_count = count;
    server->listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_true(server->listener >= 0);
    assert_int_equal(bind(server->listener, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(server->listener, BACKLOG), 0);
    assert_int_equal(pipe(server->stop), 0);
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
    return server;
}

const char *api_server_path(const struct api_server *server)
{
    return server->path;
}

void api_server_stop(struct api_server *server)
{
    (void)close(server->stop[1]);
    assert_int_equal(pthread_join(server->thread, NULL), 0);
    (void)close(server->stop[0]);
    (void)close(server->listener);
    scratch_remove(server->folder);
}

const char *api_server_request(const struct api_server *server, size_t i)
{
    assert_true(i < API_SERVER_REPLIES_MAX);
    return server->requests[i];
}

void api_server_free(struct api_server *server)
{
    for (size_t i = 0; i < API_SERVER_REPLIES_MAX; i++) {
        free(server->requests[i]);
    }
    free(server);
}

const char *api_http(int status, const char *json)
{
    static _Thread_local char text[REQUEST_BYTES_MAX];
    const int len = snprintf(text, sizeof(text),
                             "HTTP/1.1 %d X\r\nContent-Type: application/json\r\n"
                             "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
                             status, strlen(json), json);
    assert_true(len > 0 && (size_t)len < sizeof(text));
    return text;
}

void talk_run(struct talk *talk, const struct api_say *says, size_t count, const char *const *words)
{
    struct api_reply replies[API_SERVER_REPLIES_MAX] = {{.data = NULL}};
    char *texts[API_SERVER_REPLIES_MAX] = {NULL};
    const char *all[CLI_WORDS_MAX + 1];
    assert_true(count <= API_SERVER_REPLIES_MAX);
    for (size_t i = 0; i < count; i++) {
        texts[i] = says[i].make == NULL ? strdup(api_http(says[i].status, says[i].json)) : NULL;
        replies[i] =
            (struct api_reply){.data = texts[i], .make = says[i].make, .context = says[i].context};
    }
    size_t used = 0;
    while (words[used] != NULL) {
        assert_true(used < CLI_WORDS_MAX - 2);
        all[used] = words[used];
        used++;
    }
    talk->server = api_server_start(replies, count);
    all[used++] = "--socket";
    all[used++] = api_server_path(talk->server);
    all[used] = NULL;
    cli_run_words(&talk->result, all);
    api_server_stop(talk->server);
    for (size_t i = 0; i < count; i++) {
        free(texts[i]);
    }
}

void talk_fini(struct talk *talk)
{
    cli_result_fini(&talk->result);
    api_server_free(talk->server);
}

json_t *asked_body(const struct talk *talk, size_t i)
{
    const char *const request = api_server_request(talk->server, i);
    assert_non_null(request);
    const char *const end = strstr(request, "\r\n\r\n");
    assert_non_null(end);
    return json_loads(end + 4, JSON_REJECT_DUPLICATES, NULL);
}

void assert_asked(const struct talk *talk, size_t i, const char *line, const char *json)
{
    const char *const request = api_server_request(talk->server, i);
    assert_non_null(request);
    const size_t len = strlen(line);
    if (strncmp(request, line, len) != 0 || strncmp(request + len, " HTTP/", 6) != 0) {
        fail_msg("asked \"%.60s\", not \"%s\"", request, line);
    }
    if (json != NULL && strcmp(json, "*") == 0) {
        return;
    }
    json_t *const body = asked_body(talk, i);
    json_t *const wanted = json == NULL ? NULL : json_loads(json, JSON_REJECT_DUPLICATES, NULL);
    assert_int_equal(json == NULL, wanted == NULL);
    const int same = body == NULL && wanted == NULL ? 1 : json_equal(body, wanted);
    if (!same) {
        fail_msg("asked %s, not with %s", request, json == NULL ? "nothing" : json);
    }
    json_decref(body);
    json_decref(wanted);
}

void assert_asked_times(const struct talk *talk, size_t count)
{
    for (size_t i = 0; i < API_SERVER_REPLIES_MAX; i++) {
        assert_int_equal(api_server_request(talk->server, i) != NULL, i < count);
    }
}

void scratch_make(char *path, size_t cap)
{
    const int len = snprintf(path, cap, "/tmp/spean-test-XXXXXX");
    assert_true(len > 0 && (size_t)len < cap);
    assert_non_null(mkdtemp(path));
}

void scratch_remove(const char *path)
{
    DIR *const folder = opendir(path);
    assert_non_null(folder);
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        (void)unlinkat(dirfd(folder), entry->d_name, 0); /* "." and ".." stay. */
    }
    (void)closedir(folder);
    assert_int_equal(rmdir(path), 0);
}

void scratch_write(const char *folder, const char *name, const char *text, char *out, size_t cap)
{
    const int len = snprintf(out, cap, "%s/%s", folder, name);
    assert_true(len > 0 && (size_t)len < cap);
    const int fd = open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    const size_t text_len = strlen(text);
    assert_int_equal(write(fd, text, text_len), (ssize_t)text_len);
    assert_int_equal(close(fd), 0);
}
