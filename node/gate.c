#include "node/gate.h"

#include <assert.h>
#include <event2/buffer.h>
#include <event2/keyvalq_struct.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>

static const char *const hosts_allowed[] = {"localhost", "spean"};

#define HOSTS_COUNT (sizeof(hosts_allowed) / sizeof(hosts_allowed[0]))

#define DIGITS      "0123456789"
#define TOKEN_CHARS "!#$%&'*+-.^_`|~" DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

/* The headers that decide how a request is framed and for whom it is. */
struct framing {
    const char *host;
    const char *length;
    const char *transfer;
    const char *encoding;
    const char *type;
    bool repeated;  /* One of the above came twice. */
    bool malformed; /* A name that is no token, such as "Content-Length ". */
};

static void framing_add(struct framing *framing, const char *name, const char *value)
{
    const struct {
        const char *name;
        const char **value;
    } known[] = {
        {"Host", &framing->host},
        {"Content-Length", &framing->length},
        {"Transfer-Encoding", &framing->transfer},
        {"Content-Encoding", &framing->encoding},
        {"Content-Type", &framing->type},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcasecmp(known[i].name, name) == 0) {
            framing->repeated = framing->repeated || *known[i].value != NULL;
            *known[i].value = value;
        }
    }
}

static struct framing framing_read(struct evhttp_request *http)
{
    struct framing framing = {.host = NULL};
    const struct evkeyvalq *headers = evhttp_request_get_input_headers(http);
    const struct evkeyval *header = NULL;
    TAILQ_FOREACH(header, headers, next)
    {
        const size_t len = strlen(header->key);
        if (len == 0 || strspn(header->key, TOKEN_CHARS) != len) {
            framing.malformed = true;
        }
        framing_add(&framing, header->key, header->value);
    }
    return framing;
}

static bool refuse(struct spean_reply *reply, int status, const char *message)
{
    spean_reply_refuse(reply, status, SPEAN_EINPUT, message, NULL);
    return false;
}

static bool host_check(const struct framing *framing, struct spean_reply *reply)
{
    if (framing->host == NULL) {
        return refuse(reply, 400, "the request has no Host header");
    }
    for (size_t i = 0; i < HOSTS_COUNT; i++) {
        if (strcasecmp(hosts_allowed[i], framing->host) == 0) {
            return true;
        }
    }
    return refuse(reply, 421, "this host is not served here; use http://localhost/");
}

static bool length_check(const struct framing *framing, struct spean_reply *reply)
{
    if (framing->length != NULL && framing->transfer != NULL) {
        return refuse(reply, 400, "Content-Length and Transfer-Encoding exclude each other");
    }
    if (framing->length != NULL && (framing->length[0] == '\0' ||
                                    strspn(framing->length, DIGITS) != strlen(framing->length))) {
        return refuse(reply, 400, "Content-Length is not a number");
    }
    if (framing->transfer != NULL && strcasecmp(framing->transfer, "chunked") != 0) {
        return refuse(reply, 400, "the only Transfer-Encoding served here is chunked");
    }
    return true;
}

static bool type_is_json(const char *type)
{
    static const char json[] = "application/json";
    const size_t len = sizeof(json) - 1;
    return type != NULL && strncasecmp(type, json, len) == 0 &&
           (type[len] == '\0' || type[len] == ';' || type[len] == ' ');
}

static bool body_check(const struct framing *framing, struct evhttp_request *http,
                       struct spean_reply *reply)
{
    const bool empty = evbuffer_get_length(evhttp_request_get_input_buffer(http)) == 0;
    const bool announced =
        framing->transfer != NULL || (framing->length != NULL && strcmp(framing->length, "0") != 0);
    if (evhttp_request_get_command(http) == EVHTTP_REQ_GET && (announced || !empty)) {
        return refuse(reply, 400, "a GET has no body");
    }
    if (framing->encoding != NULL) {
        return refuse(reply, 415, "a body may not be compressed");
    }
    if (!empty && !type_is_json(framing->type)) {
        return refuse(reply, 415, "a body must come with Content-Type: application/json");
    }
    return true;
}

bool spean_gate_check(struct evhttp_request *http, struct spean_reply *reply)
{
    assert(http != NULL);
    assert(reply != NULL);
    const struct framing framing = framing_read(http);
    if (framing.malformed) {
        return refuse(reply, 400, "a header name is malformed");
    }
    if (framing.repeated) {
        return refuse(reply, 400, "a header that may come once came twice");
    }
    return host_check(&framing, reply) && length_check(&framing, reply) &&
           body_check(&framing, http, reply);
}
