#include "node/follow.h"

#include <assert.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#define INPUT_BYTES_MAX 4096u /* A client that follows has nothing more to say. */

struct spean_follow {
    struct evhttp_request *http; /* Borrowed. */
    spean_reply_lines *lines;
    void *ctx;
    struct spean_request *request; /* Owned. */
    struct spean_stream stream;
    struct event *look;
    uint32_t silent_ms; /* For how long nothing was written. */
};

static struct timeval timeval_of_ms(uint32_t ms)
{
    return (struct timeval){.tv_sec = (time_t)(ms / 1000),
                            .tv_usec = (suseconds_t)(ms % 1000) * 1000};
}

bool spean_follow_asked(const struct spean_request *request)
{
    const char *const asked = spean_request_query(request, "follow");
    return asked != NULL && strcmp(asked, "1") == 0;
}

static struct bufferevent *connection_of(const struct spean_follow *follow)
{
    return evhttp_connection_get_bufferevent(evhttp_request_get_connection(follow->http));
}

/* Put each line into out. False: no memory. */
static bool lines_print(const json_t *lines, struct evbuffer *out)
{
    for (size_t i = 0; i < json_array_size(lines); i++) {
        char *const text = json_dumps(json_array_get(lines, i), JSON_COMPACT);
        const bool added = text != NULL && evbuffer_add(out, text, strlen(text)) == 0 &&
                           evbuffer_add(out, "\n", 1) == 0;
        free(text);
        if (!added) {
            return false;
        }
    }
    return true;
}

/* Ask the route for lines and put them into out. False: reply says why there will be no more. */
static bool lines_make(struct spean_follow *follow, struct evbuffer *out, struct spean_reply *reply)
{
    json_t *const lines = json_array();
    bool good = false;
    if (lines == NULL) {
        spean_reply_error(reply, SPEAN_ENOMEM, NULL, NULL);
    } else if (follow->lines(follow->request, follow->ctx, &follow->stream, lines, reply)) {
        good = lines_print(lines, out);
        if (!good) {
            spean_reply_error(reply, SPEAN_ENOMEM, NULL, NULL);
        }
    }
    json_decref(lines);
    return good;
}

/* libevent: time to look for news. */
static void on_look(int fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct spean_follow *const follow = arg;
    if (evbuffer_get_length(bufferevent_get_output(connection_of(follow))) > 0) {
        return; /* It has not read the last ones: the time limit for writing runs. */
    }
    struct spean_reply reply = {.status = 0};
    struct evbuffer *const out = evbuffer_new();
    bool good = out != NULL && lines_make(follow, out, &reply);
    follow->silent_ms += SPEAN_FOLLOW_LOOK_MS;
    if (good && evbuffer_get_length(out) == 0 && follow->silent_ms >= SPEAN_FOLLOW_ALIVE_MS) {
        good = evbuffer_add(out, "\n", 1) == 0;
    }
    if (good && evbuffer_get_length(out) > 0) {
        follow->silent_ms = 0;
        evhttp_send_reply_chunk(follow->http, out);
    }
    if (out != NULL) {
        evbuffer_free(out);
    }
    spean_reply_fini(&reply);
    if (!good) {
        spean_follow_end(follow); /* The client asks again, and learns why not. */
    }
}

/* The client may be silent for as long as it likes, but not leave unread what it asked for. */
static void connection_prepare(const struct spean_follow *follow, uint32_t timeout_ms)
{
    struct bufferevent *const connection = connection_of(follow);
    const struct timeval timeout = timeval_of_ms(timeout_ms);
    (void)bufferevent_set_timeouts(connection, NULL, &timeout); /* Else evhttp's own stay. */
    bufferevent_setwatermark(connection, EV_READ, 0, INPUT_BYTES_MAX);
}

static void answer_begin(const struct spean_follow *follow, struct evbuffer *first)
{
    struct evkeyvalq *const headers = evhttp_request_get_output_headers(follow->http);
    /* What cannot be added, for want of memory, is left out. */
    (void)evhttp_add_header(headers, "Content-Type", "application/x-ndjson; charset=utf-8");
    (void)evhttp_add_header(headers, "Cache-Control", "no-store");
    (void)evhttp_add_header(headers, "X-Content-Type-Options", "nosniff");
    (void)evhttp_add_header(headers, "Connection", "close");
    evhttp_send_reply_start(follow->http, 200, NULL);
    evhttp_send_reply_chunk(follow->http, first); /* Nothing is sent for an empty one. */
}

spean_err spean_follow_new(struct evhttp_request *http, spean_reply_lines *lines, void *ctx,
                           struct spean_request *request, uint32_t timeout_ms,
                           struct spean_reply *reply, struct spean_follow **out)
{
    assert(lines != NULL);
    struct spean_follow *const follow = calloc(1, sizeof(*follow));
    struct evbuffer *const first = evbuffer_new();
    if (follow == NULL || first == NULL) {
        goto no_memory;
    }
    follow->http = http;
    follow->lines = lines;
    follow->ctx = ctx;
    follow->request = request;
    request = NULL;
    follow->look = event_new(evhttp_connection_get_base(evhttp_request_get_connection(http)), -1,
                             EV_PERSIST, on_look, follow);
    const struct timeval pause = timeval_of_ms(SPEAN_FOLLOW_LOOK_MS);
    if (follow->look == NULL || event_add(follow->look, &pause) != 0) {
        goto no_memory;
    }
    if (!lines_make(follow, first, reply)) {
        evbuffer_free(first);
        spean_follow_free(follow);
        return SPEAN_EINPUT;
    }
    connection_prepare(follow, timeout_ms);
    answer_begin(follow, first);
    evbuffer_free(first);
    *out = follow;
    return SPEAN_OK;
no_memory:
    spean_reply_error(reply, SPEAN_ENOMEM, NULL, NULL);
    if (first != NULL) {
        evbuffer_free(first);
    }
    spean_request_free(request);
    spean_follow_free(follow);
    return SPEAN_ENOMEM;
}

void spean_follow_free(struct spean_follow *follow)
{
    if (follow == NULL) {
        return;
    }
    if (follow->look != NULL) {
        event_free(follow->look);
    }
    if (follow->stream.seen_free != NULL) {
        follow->stream.seen_free(follow->stream.seen);
    }
    spean_request_free(follow->request);
    free(follow);
}

void spean_follow_end(struct spean_follow *follow)
{
    assert(follow != NULL);
    (void)event_del(follow->look); /* It was added: nothing can fail. */
    evhttp_send_reply_end(follow->http);
}
