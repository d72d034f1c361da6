#include "tools/client.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <curl/curl.h>
#include <sodium.h>

#include "store/setup.h"
#include "tools/i18n.h"
#include "tools/interrupt.h"
#include "tools/vformat.h"

#define REPLY_BYTES_FIRST 16384u
#define URL_BASE          "http://localhost"
#define STATUS_NO_CONTENT 204

struct spean_client {
    CURL *curl;
    char *home;
    bool own_socket; /* The socket is in the home. */
    long reply_ms;
};

/* Whoever takes the lines of a reply. */
struct lines {
    bool endless;
    spean_client_take *take;
    void *ctx;
    struct spean_problem *problem;
    enum spean_exit exit; /* What take said last. */
};

/* The reply as it comes in. */
struct received {
    char *data;
    size_t len;
    size_t room;
    bool too_large;
    CURL *curl;
    struct lines *lines; /* NULL: it is wanted whole. */
    long silent_ms_max;  /* 0: silence does not end it. */
    uint64_t heard_ms;   /* When something came last. */
    bool silent;         /* It ended for that reason. */
};

static uint64_t now_ms(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* Cannot fail for this clock. */
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

/* Set what holds for every request. libcurl's own defaults would follow proxies and redirects. */
static bool curl_prepare(CURL *curl, const char *socket_path)
{
    return curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket_path) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOPROXY, "*") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HTTP09_ALLOWED, 0L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, SPEAN_CLIENT_CONNECT_MS) == CURLE_OK;
}

enum spean_exit spean_client_new(const char *socket_path, const char *home,
                                 struct spean_client **out, struct spean_problem *problem)
{
    assert(socket_path != NULL);
    assert(home != NULL);
    assert(out != NULL);
    struct spean_client *const client = calloc(1, sizeof(*client));
    if (client == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(client);
        return spean_problem_err(problem, SPEAN_ENOMEM, "libcurl");
    }
    client->reply_ms = SPEAN_CLIENT_REPLY_MS;
    client->home = strdup(home);
    client->own_socket = strncmp(socket_path, home, strlen(home)) == 0;
    client->curl = curl_easy_init();
    if (client->home == NULL || client->curl == NULL || !curl_prepare(client->curl, socket_path)) {
        spean_client_free(client);
        return spean_problem_err(problem, SPEAN_ENOMEM, "libcurl");
    }
    *out = client;
    return SPEAN_EXIT_DONE;
}

void spean_client_free(struct spean_client *client)
{
    if (client == NULL) {
        return;
    }
    curl_easy_cleanup(client->curl);
    free(client->home);
    free(client);
    curl_global_cleanup();
}

void spean_client_wait(struct spean_client *client, long reply_ms)
{
    assert(client != NULL);
    assert(reply_ms > 0);
    client->reply_ms = reply_ms;
}

/* Hand on the whole lines that are there, and keep what is left. False: to be broken off. */
static bool lines_give(struct received *reply)
{
    struct lines *const lines = reply->lines;
    size_t done = 0;
    for (;;) {
        char *const line = reply->data + done;
        char *const end = memchr(line, '\n', reply->len - done);
        if (end == NULL || lines->exit != SPEAN_EXIT_DONE) {
            break;
        }
        *end = '\0';
        done += (size_t)(end - line) + 1;
        if (line[0] != '\0') {
            lines->exit = lines->take(lines->ctx, line, lines->problem);
        }
    }
    reply->len -= done;
    memmove(reply->data, reply->data + done, reply->len);
    reply->too_large = reply->len > SPEAN_CLIENT_LINE_BYTES_MAX;
    return lines->exit == SPEAN_EXIT_DONE && !reply->too_large;
}

static long status_of(CURL *curl)
{
    long status = 0;
    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status); /* 0 is no good status. */
    return status;
}

static bool is_good(long status)
{
    return status >= 200 && status < 300;
}

/* libcurl hands over bytes of the reply; another count than theirs breaks off. */
static size_t reply_take(char *data, size_t size, size_t count, void *context)
{
    struct received *const reply = context;
    const size_t len = size * count; /* libcurl: size is 1. */
    if (len > SPEAN_CLIENT_REPLY_BYTES_MAX - reply->len) {
        reply->too_large = true;
        return 0;
    }
    if (len > reply->room - reply->len) {
        size_t room = reply->room == 0 ? REPLY_BYTES_FIRST : reply->room;
        while (len > room - reply->len) {
            room *= 2; /* Bounded: len and reply->len together are within the limit. */
        }
        char *const more = realloc(reply->data, room);
        if (more == NULL) {
            return 0;
        }
        reply->data = more;
        reply->room = room;
    }
    memcpy(reply->data + reply->len, data, len);
    reply->len += len;
    reply->heard_ms = now_ms();
    if (reply->lines != NULL && is_good(status_of(reply->curl)) && !lines_give(reply)) {
        return 0;
    }
    return len;
}

/* libcurl asks now and then whether to go on. */
static int stop_if_over(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    struct received *const reply = context;
    (void)a; /* Its figures are of no interest. */
    (void)b;
    (void)c;
    (void)d;
    reply->silent =
        reply->silent_ms_max > 0 && now_ms() - reply->heard_ms > (uint64_t)reply->silent_ms_max;
    return spean_interrupted() || reply->silent ? 1 : 0;
}

static CURLcode perform(struct spean_client *client, const char *method, const char *url,
                        const char *body, struct received *reply)
{
    CURL *const curl = client->curl;
    const bool endless = reply->lines != NULL && reply->lines->endless;
    /* libcurl's own limit of slowness counts bytes a second, of which an empty line is too few. */
    reply->silent_ms_max = endless ? client->reply_ms : 0;
    reply->heard_ms = now_ms();
    /* No "Expect: 100-continue": it would cost a second for each large body. */
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    struct curl_slist *const more = headers == NULL ? NULL : curl_slist_append(headers, "Expect:");
    CURLcode code = CURLE_OUT_OF_MEMORY;
    if (more == NULL) {
        goto out;
    }
    const struct {
        CURLoption option;
        long value;
    } numbers[] = {
        {CURLOPT_HTTPGET, 1L},
        {CURLOPT_NOPROGRESS, 0L},
        {CURLOPT_TIMEOUT_MS, endless ? 0L : client->reply_ms},
    };
    code = CURLE_OK;
    for (size_t i = 0; code == CURLE_OK && i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        code = curl_easy_setopt(curl, numbers[i].option, numbers[i].value);
    }
    if (code == CURLE_OK && body != NULL) {
        code = curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
    }
    if (code == CURLE_OK && body != NULL) {
        code = curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    }
    if (code != CURLE_OK ||
        (code = curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method)) != CURLE_OK ||
        (code = curl_easy_setopt(curl, CURLOPT_URL, url)) != CURLE_OK ||
        (code = curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers)) != CURLE_OK ||
        (code = curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, reply_take)) != CURLE_OK ||
        (code = curl_easy_setopt(curl, CURLOPT_WRITEDATA, reply)) != CURLE_OK ||
        (code = curl_easy_setopt(curl, CURLOPT_XFERINFODATA, reply)) != CURLE_OK ||
        (code = curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, stop_if_over)) != CURLE_OK) {
        goto out;
    }
    code = curl_easy_perform(curl);
out:
    curl_slist_free_all(headers);
    return code;
}

/* Nobody listens: because nobody was started, or because there is nothing to start. */
static enum spean_exit refuse_no_daemon(const struct spean_client *client,
                                        struct spean_problem *problem)
{
    char *const store = spean_format("%s/%s", client->home, SPEAN_HOME_STORE);
    const bool none = client->own_socket && store != NULL && access(store, F_OK) != 0;
    free(store);
    if (none) {
        (void)spean_problem_set(problem, SPEAN_EXIT_NO_STORE, "no_store",
                                _("there is no node in %s"), client->home);
        spean_problem_hint(problem, "%s", _("make one: spean init, or say where it is: --home"));
        return SPEAN_EXIT_NO_STORE;
    }
    (void)spean_problem_set(problem, SPEAN_EXIT_NO_DAEMON, "daemon_not_running", "%s",
                            _("the daemon is not running"));
    spean_problem_hint(problem, _("start it: speand --home %s"), client->home);
    return SPEAN_EXIT_NO_DAEMON;
}

/* Describe what went wrong before there was a whole reply. */
static enum spean_exit refuse_transport(const struct spean_client *client, const char *method,
                                        CURLcode code, const struct received *reply,
                                        struct spean_problem *problem)
{
    if (spean_interrupted()) {
        return spean_interrupt_problem(problem);
    }
    if (code == CURLE_COULDNT_CONNECT) {
        long number = 0;
        (void)curl_easy_getinfo(client->curl, CURLINFO_OS_ERRNO, &number); /* 0 serves, too. */
        if (number == EACCES || number == EPERM) {
            return spean_problem_set(problem, SPEAN_EXIT_DENIED, "not_permitted", "%s",
                                     _("the daemon's socket belongs to another user"));
        }
        return refuse_no_daemon(client, problem);
    }
    if (reply->too_large) {
        (void)spean_problem_set(problem, SPEAN_EXIT_FAILED, "too_large", "%s",
                                _("the daemon's reply is too large"));
    } else if (code == CURLE_OPERATION_TIMEDOUT || reply->silent) {
        (void)spean_problem_set(problem, SPEAN_EXIT_FAILED, "timeout", "%s",
                                _("the daemon did not answer in time"));
    } else {
        (void)spean_problem_set(problem, SPEAN_EXIT_FAILED, "broken_reply",
                                _("the daemon broke off: %s"), curl_easy_strerror(code));
    }
    if (strcmp(method, "GET") != 0) {
        spean_problem_hint(problem, "%s",
                           _("the change may have been made: look before you repeat it"));
    }
    return SPEAN_EXIT_FAILED;
}

static enum spean_exit exit_of_status(long status)
{
    static const struct {
        long status;
        enum spean_exit exit;
    } rows[] = {
        {400, SPEAN_EXIT_USAGE},  {403, SPEAN_EXIT_DENIED}, {404, SPEAN_EXIT_NOT_FOUND},
        {409, SPEAN_EXIT_STATE},  {412, SPEAN_EXIT_STATE},  {422, SPEAN_EXIT_USAGE},
        {423, SPEAN_EXIT_LOCKED},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].status == status) {
            return rows[i].exit;
        }
    }
    return SPEAN_EXIT_FAILED;
}

/* Take the exit code that the daemon gives, if it is one of ours and no success. */
static enum spean_exit exit_of_reply(long status, const json_t *given)
{
#define EXIT_NUMBER(code, number, name, text) code,
    static const enum spean_exit known[] = {SPEAN_EXIT_TABLE(EXIT_NUMBER)};
#undef EXIT_NUMBER
    for (size_t i = 0; json_is_integer(given) && i < sizeof(known) / sizeof(known[0]); i++) {
        if (known[i] != SPEAN_EXIT_DONE && json_integer_value(given) == (json_int_t)known[i]) {
            return known[i];
        }
    }
    return exit_of_status(status);
}

/* Make the daemon's error object ours. */
static enum spean_exit refuse_reply(long status, const json_t *reply, struct spean_problem *problem)
{
    const json_t *const error = json_object_get(reply, "error");
    const char *const code = json_string_value(json_object_get(error, "code"));
    const char *const message = json_string_value(json_object_get(error, "message"));
    const char *const hint = json_string_value(json_object_get(error, "hint"));
    if (code == NULL || code[0] == '\0' || message == NULL) {
        return spean_problem_set(problem, exit_of_status(status), "bad_reply",
                                 _("the daemon refused with HTTP status %ld"), status);
    }
    const enum spean_exit exit = exit_of_reply(status, json_object_get(error, "exit"));
    (void)spean_problem_set(problem, exit, code, "%s", message);
    spean_problem_hint(problem, "%s", hint == NULL ? "" : hint);
    return exit;
}

static enum spean_exit reply_read(long status, const struct received *received, json_t **reply,
                                  struct spean_problem *problem)
{
    /* An empty reply must say that it is one: libcurl also takes headers cut short for an end. */
    json_t *const json = status == STATUS_NO_CONTENT
                             ? json_object()
                             : json_loadb(received->len == 0 ? "" : received->data, received->len,
                                          JSON_REJECT_DUPLICATES, NULL);
    const bool good = is_good(status);
    if (good && json_is_object(json)) {
        *reply = json;
        return SPEAN_EXIT_DONE;
    }
    enum spean_exit exit;
    if (good) {
        exit = spean_problem_set(problem, SPEAN_EXIT_FAILED, "bad_reply", "%s",
                                 _("the daemon's reply is not a JSON object"));
    } else {
        exit = refuse_reply(status, json, problem);
    }
    json_decref(json);
    return exit;
}

enum spean_exit spean_client_request(struct spean_client *client, const char *method,
                                     const char *path, const json_t *body, json_t **reply,
                                     struct spean_problem *problem)
{
    assert(client != NULL);
    assert(path != NULL);
    assert(path[0] == '/');
    assert(reply != NULL);

    struct received received = {0};
    char *const url = spean_format("%s%s", URL_BASE, path);
    char *const text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);
    enum spean_exit exit;
    if (url == NULL || (body != NULL && text == NULL)) {
        exit = spean_problem_err(problem, SPEAN_ENOMEM, path);
    } else {
        const CURLcode code = perform(client, method, url, text, &received);
        if (code == CURLE_OK) {
            exit = reply_read(status_of(client->curl), &received, reply, problem);
        } else {
            exit = refuse_transport(client, method, code, &received, problem);
        }
    }
    free(received.data);
    if (text != NULL) {
        sodium_memzero(text, strlen(text)); /* Passphrases and names of people pass through it. */
        free(text);
    }
    free(url);
    return exit;
}

enum spean_exit spean_client_lines(struct spean_client *client, const char *path, bool endless,
                                   spean_client_take *take, void *ctx,
                                   struct spean_problem *problem)
{
    assert(client != NULL);
    assert(path != NULL);
    assert(path[0] == '/');
    assert(take != NULL);

    struct lines lines = {.endless = endless, .take = take, .ctx = ctx, .problem = problem};
    struct received received = {.curl = client->curl, .lines = &lines};
    json_t *none = NULL;
    char *const url = spean_format("%s%s", URL_BASE, path);
    enum spean_exit exit = SPEAN_EXIT_DONE;
    if (url == NULL) {
        return spean_problem_err(problem, SPEAN_ENOMEM, path);
    }
    const CURLcode code = perform(client, "GET", url, NULL, &received);
    if (lines.exit != SPEAN_EXIT_DONE) {
        exit = lines.exit;
    } else if (code != CURLE_OK) {
        exit = refuse_transport(client, "GET", code, &received, problem);
    } else if (!is_good(status_of(client->curl))) {
        exit = reply_read(status_of(client->curl), &received, &none, problem);
    }
    free(received.data);
    free(url);
    return exit;
}

/* Append one byte to out, percent-encoded unless RFC 3986 calls it unreserved or raw is set. */
static spean_err path_put(char *out, size_t *used, unsigned char byte, bool raw)
{
    static const char hex[] = "0123456789ABCDEF";
    const bool plain = raw || (byte < 0x80 && (isalnum(byte) || strchr("-._~", byte) != NULL));
    const size_t need = plain ? 1 : 3;
    if (need >= SPEAN_CLIENT_PATH_BYTES_MAX - *used) {
        return SPEAN_ELIMIT;
    }
    if (plain) {
        out[(*used)++] = (char)byte;
    } else {
        out[(*used)++] = '%';
        out[(*used)++] = hex[byte >> 4];
        out[(*used)++] = hex[byte & 15u];
    }
    return SPEAN_OK;
}

spean_err spean_client_path(char out[SPEAN_CLIENT_PATH_BYTES_MAX], const char *pattern, ...)
{
    assert(out != NULL);
    assert(pattern != NULL);
    size_t used = 0;
    spean_err err = SPEAN_OK;
    va_list args;
    va_start(args, pattern);
    for (const char *at = pattern; err == SPEAN_OK && *at != '\0'; at++) {
        if (at[0] == '%' && at[1] == 's') {
            at++;
            const char *value = va_arg(args, const char *);
            for (; err == SPEAN_OK && *value != '\0'; value++) {
                err = path_put(out, &used, (unsigned char)*value, false);
            }
        } else {
            assert(at[0] != '%' || at[1] == '%');
            at += at[0] == '%';
            err = path_put(out, &used, (unsigned char)*at, true);
        }
    }
    va_end(args);
    out[used] = '\0';
    return err;
}
