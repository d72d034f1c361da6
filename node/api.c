#include "node/api.h"

#include <assert.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/time.h>
#include <unistd.h>

#include "node/follow.h"
#include "node/gate.h"

#define ACCEPT_PAUSE_MS 100u /* After accept() failed, usually for want of descriptors. */

#define UID_UNKNOWN ((uid_t)-1)

static const char content_json[] = "application/json; charset=utf-8";
static const char content_text[] = "text/plain; version=0.0.4; charset=utf-8"; /* Prometheus'. */

/* Sent when even an error object could not be built. */
static const char out_of_memory[] =
    "{\"error\":{\"code\":\"no_memory\",\"message\":\"memory is exhausted\",\"hint\":\"\","
    "\"exit\":1}}";

struct exchange;

/* Everything but `thread`, `stop_fd` and `local` belongs to the API thread once it runs. */
struct spean_api {
    const struct spean_route *routes;
    size_t routes_count;
    void *ctx;
    bool (*permit)(const struct spean_route *, struct spean_request *, void *,
                   struct spean_reply *);
    struct spean_queue *queue;
    uid_t own_uid;
    gid_t group;
    const struct spean_journal *log;

    struct event_base *base;
    struct evhttp *http;
    struct evhttp_bound_socket *bound;
    struct evconnlistener *listener; /* NULL: handed to http, or none. */
    struct event *answers_event;
    struct event *stop_event;
    struct event *accept_event; /* Ends a pause in accepting. */
    struct exchange *exchanges; /* First of a list. */
    uint32_t exchanges_count;
    uint32_t followers_count;
    uint32_t timeout_ms;
    bool stopping;

    int stop_fd; /* Written once, by spean_api_stop(): the deadline in ms, plus one. */
    struct spean_local local;
    pthread_t thread;
};

/*
 * One request on its way to an answer. Client and core may each leave first: it is freed when
 * neither needs it any more.
 */
struct exchange {
    struct spean_api *api;
    struct evhttp_request *http; /* NULL: the client has gone. */
    bool with_core;              /* A job in the queue points here. */
    struct spean_follow *follow; /* The answer goes on; NULL: it is one object. */
    struct exchange *next;
    struct exchange *previous;
};

/* For the one callback whose argument belongs to evhttp. */
static _Thread_local struct spean_api *api_of_thread;

static struct timeval timeval_of_ms(uint32_t ms)
{
    const struct timeval value = {.tv_sec = (time_t)(ms / 1000),
                                  .tv_usec = (suseconds_t)(ms % 1000) * 1000};
    return value;
}

static void exchange_free(struct exchange *exchange)
{
    struct spean_api *api = exchange->api;
    if (exchange->previous != NULL) {
        exchange->previous->next = exchange->next;
    } else {
        api->exchanges = exchange->next;
    }
    if (exchange->next != NULL) {
        exchange->next->previous = exchange->previous;
    }
    api->exchanges_count--;
    api->followers_count -= exchange->follow != NULL;
    spean_follow_free(exchange->follow);
    free(exchange);
    if (api->stopping && api->exchanges_count == 0) {
        (void)event_base_loopexit(api->base, NULL); /* If it fails the deadline ends the loop. */
    }
}

/*
 * evhttp: the connection of an unanswered request has gone, and the request with it. evhttp 2.1
 * does not read while a request is being answered, so mostly it learns of this when it writes.
 */
static void on_connection_closed(struct evhttp_connection *connection, void *arg)
{
    (void)connection;
    struct exchange *exchange = arg;
    if (evhttp_request_get_connection(exchange->http) == NULL) {
        evhttp_request_free(exchange->http); /* It was being answered: evhttp let go of it. */
    }
    exchange->http = NULL;
    if (!exchange->with_core) {
        exchange_free(exchange);
    }
}

/* evhttp: the answer is written; the connection may live on with another request. */
static void on_answer_written(struct evhttp_request *http, void *arg)
{
    evhttp_connection_set_closecb(evhttp_request_get_connection(http), NULL, NULL);
    exchange_free(arg);
}

static struct exchange *exchange_new(struct spean_api *api, struct evhttp_request *http)
{
    if (api->exchanges_count == SPEAN_API_REQUESTS_MAX) {
        return NULL;
    }
    struct exchange *exchange = calloc(1, sizeof(*exchange));
    if (exchange == NULL) {
        return NULL;
    }
    exchange->api = api;
    exchange->http = http;
    exchange->next = api->exchanges;
    if (api->exchanges != NULL) {
        api->exchanges->previous = exchange;
    }
    api->exchanges = exchange;
    api->exchanges_count++;
    evhttp_connection_set_closecb(evhttp_request_get_connection(http), on_connection_closed,
                                  exchange);
    evhttp_request_set_on_complete_cb(http, on_answer_written, exchange);
    return exchange;
}

static void text_release(const void *data, size_t len, void *text)
{
    (void)data;
    (void)len;
    free(text);
}

/* Headers that cannot be added, for want of memory, are left out; the answer stays correct. */
static void headers_add(struct spean_api *api, struct evhttp_request *http, int status,
                        const char *type)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(http);
    (void)evhttp_add_header(headers, "Content-Type", type);
    (void)evhttp_add_header(headers, "Cache-Control", "no-store");
    (void)evhttp_add_header(headers, "X-Content-Type-Options", "nosniff");
    if (status == 503) {
        (void)evhttp_add_header(headers, "Retry-After", "1");
    }
    if (status >= 400 || api->stopping) {
        (void)evhttp_add_header(headers, "Connection", "close");
    }
}

static void answer_send(struct spean_api *api, struct evhttp_request *http,
                        struct spean_reply *reply)
{
    assert(reply->status != 0); /* Every handler says something. */
    const bool plain = reply->text != NULL;
    char *text = plain                 ? reply->text
                 : reply->body != NULL ? json_dumps(reply->body, JSON_COMPACT)
                                       : NULL;
    reply->text = NULL; /* It is evbuffer's then. */
    const int status = text != NULL ? reply->status : spean_reply_status(SPEAN_ENOMEM);
    struct evbuffer *body = evhttp_request_get_output_buffer(http);
    headers_add(api, http, status, plain ? content_text : content_json);
    if (text == NULL) {
        (void)evbuffer_add_reference(body, out_of_memory, sizeof(out_of_memory) - 1, NULL, NULL);
    } else if (evbuffer_add_reference(body, text, strlen(text), text_release, text) != 0) {
        free(text); /* The client sees an answer with no body, which is an error to it. */
    }
    evhttp_send_reply(http, status, NULL, NULL);
}

static const char *method_name(enum evhttp_cmd_type command)
{
    static const struct {
        enum evhttp_cmd_type command;
        const char *name;
    } names[] = {
        {EVHTTP_REQ_GET, "GET"},     {EVHTTP_REQ_POST, "POST"},     {EVHTTP_REQ_PUT, "PUT"},
        {EVHTTP_REQ_PATCH, "PATCH"}, {EVHTTP_REQ_DELETE, "DELETE"},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i].command == command) {
            return names[i].name;
        }
    }
    return "";
}

/* Split the target into path and query, and find the row for it. */
static const struct spean_route *route_choose(struct spean_api *api, struct evhttp_request *http,
                                              struct spean_request *request,
                                              struct spean_reply *reply)
{
    const char *target = evhttp_request_get_uri(http);
    const size_t len = strlen(target);
    if (len > SPEAN_TARGET_BYTES_MAX) {
        spean_reply_refuse(reply, 414, SPEAN_ELIMIT, "the path is too long", NULL);
        return NULL;
    }
    char path[SPEAN_TARGET_BYTES_MAX + 1];
    memcpy(path, target, len + 1);
    char *mark = strchr(path, '?');
    if (mark != NULL) {
        *mark = '\0';
    }
    const struct spean_route *route = NULL;
    spean_err err =
        spean_route_find(api->routes, api->routes_count,
                         method_name(evhttp_request_get_command(http)), path, request, &route);
    if (err == SPEAN_ENOTFOUND) {
        spean_reply_refuse(reply, 404, err, "there is no such path", NULL);
        return NULL;
    }
    if (err == SPEAN_ESTATE) {
        char allow[SPEAN_ROUTE_ALLOW_BYTES];
        spean_route_allow(api->routes, api->routes_count, path, allow);
        (void)evhttp_add_header(evhttp_request_get_output_headers(http), "Allow", allow);
        spean_reply_refuse(reply, 405, SPEAN_EINPUT, "this path has no such method", allow);
        return NULL;
    }
    if (err == SPEAN_OK) {
        err = spean_request_query_read(request, mark != NULL ? mark + 1 : NULL);
    }
    if (err != SPEAN_OK) {
        spean_reply_error(reply, SPEAN_EINPUT, "the path or query cannot be read", NULL);
        return NULL;
    }
    return route;
}

/* Read the body as the route wants it. False: the refusal is in reply. */
static bool body_read(const struct spean_route *route, struct evhttp_request *http,
                      struct spean_request *request, struct spean_reply *reply)
{
    struct evbuffer *buffer = evhttp_request_get_input_buffer(http);
    const size_t len = evbuffer_get_length(buffer);
    const bool big = (route->flags & SPEAN_ROUTE_BIG_BODY) != 0;
    if (len > (big ? SPEAN_API_BIG_BODY_BYTES_MAX : SPEAN_API_BODY_BYTES_MAX)) {
        spean_reply_refuse(reply, 413, SPEAN_ELIMIT, "the body is too large", NULL);
        return false;
    }
    char where[SPEAN_JSON_WHERE_BYTES] = "memory is exhausted";
    spean_err err = SPEAN_ENOMEM;
    if (len == 0) {
        request->body = json_object();
        err = request->body != NULL ? SPEAN_OK : SPEAN_ENOMEM;
    } else {
        unsigned char *text = evbuffer_pullup(buffer, -1);
        if (text != NULL) {
            err = spean_json_read((const char *)text, len, &request->body, where);
            sodium_memzero(text, len); /* It may be a passphrase, and is not needed any more. */
        }
    }
    if (err == SPEAN_ELIMIT) {
        spean_reply_refuse(reply, 400, err, "the JSON is nested too deeply", NULL);
    } else if (err != SPEAN_OK) {
        spean_reply_error(reply, err, where, NULL);
    }
    return err == SPEAN_OK;
}

/* Hand a checked write to the core. True: it is on its way; false: the answer is in reply. */
static bool write_submit(struct exchange *exchange, const struct spean_route *route,
                         struct spean_request *request, struct spean_reply *reply)
{
    struct spean_api *api = exchange->api;
    struct spean_job *job = NULL;
    if (spean_job_new(request, &job) != SPEAN_OK) {
        spean_request_free(request);
        spean_reply_error(reply, SPEAN_ENOMEM, NULL, NULL);
        return false;
    }
    job->run = route->run;
    job->owner = exchange;
    if (route->check != NULL && !route->check(job, api->ctx)) {
        *reply = job->reply;
        memset(&job->reply, 0, sizeof(job->reply)); /* The body has moved. */
        spean_job_free(job);
        return false;
    }
    exchange->with_core = true;
    const spean_err err = spean_queue_submit(api->queue, job);
    if (err == SPEAN_OK) {
        return true;
    }
    exchange->with_core = false;
    spean_job_free(job);
    spean_reply_refuse(reply, 503, SPEAN_EBUSY,
                       err == SPEAN_EBUSY ? "too many changes are waiting" : "the node is stopping",
                       "nothing was changed; try again");
    return false;
}

/* Begin an answer that goes on; request is taken. False: the answer is in reply. */
static bool follow_begin(struct exchange *exchange, struct spean_request *request,
                         struct spean_reply *reply)
{
    struct spean_api *api = exchange->api;
    if (api->followers_count == SPEAN_FOLLOW_MAX) {
        spean_request_free(request);
        spean_reply_refuse(reply, 503, SPEAN_EBUSY, "too many clients follow what happens",
                           "end one of them");
        return false;
    }
    if (spean_follow_new(exchange->http, reply->follow, api->ctx, request, api->timeout_ms, reply,
                         &exchange->follow) != SPEAN_OK) {
        return false;
    }
    api->followers_count++;
    return true;
}

static bool caller_check(struct spean_api *api, struct evhttp_request *http,
                         struct spean_caller *caller, struct spean_reply *reply)
{
    const int fd =
        bufferevent_getfd(evhttp_connection_get_bufferevent(evhttp_request_get_connection(http)));
    if (spean_local_caller(fd, caller) == SPEAN_OK &&
        spean_local_allowed(caller, fd, api->own_uid, api->group)) {
        return true;
    }
    SPEAN_JOURNAL_EVENT(api->log, SPEAN_JOURNAL_WARNING, "api_caller_refused",
                        spean_journal_number("uid", caller->uid));
    spean_reply_error(reply, SPEAN_EDENIED, "this user may not speak to the node",
                      "use the account that the node runs under");
    return false;
}

/* Answer a request into reply and return true; false: the core will answer it, or the answer has
 * begun and goes on. */
static bool request_serve(struct exchange *exchange, struct spean_reply *reply)
{
    struct spean_api *api = exchange->api;
    if (api->stopping) {
        spean_reply_refuse(reply, 503, SPEAN_EBUSY, "the node is stopping", NULL);
        return true;
    }
    struct spean_caller caller = {.uid = UID_UNKNOWN};
    if (!caller_check(api, exchange->http, &caller, reply) ||
        !spean_gate_check(exchange->http, reply)) {
        return true;
    }
    struct spean_request *request = calloc(1, sizeof(*request));
    if (request == NULL) {
        spean_reply_error(reply, SPEAN_ENOMEM, NULL, NULL);
        return true;
    }
    request->caller = caller;
    const struct spean_route *route = route_choose(api, exchange->http, request, reply);
    const bool may =
        route != NULL && (api->permit == NULL || api->permit(route, request, api->ctx, reply));
    if (!may || !body_read(route, exchange->http, request, reply) ||
        !spean_route_fits(route, request, reply)) {
        spean_request_free(request);
        return true;
    }
    if ((route->flags & SPEAN_ROUTE_WRITE) != 0) {
        return !write_submit(exchange, route, request, reply);
    }
    route->read(request, api->ctx, reply);
    if (reply->follow != NULL) {
        return !follow_begin(exchange, request, reply);
    }
    spean_request_free(request);
    return true;
}

/* evhttp: a whole request is here. */
static void on_request(struct evhttp_request *http, void *arg)
{
    struct spean_api *api = arg;
    struct spean_reply reply = {.status = 0};
    struct exchange *exchange = exchange_new(api, http);
    if (exchange == NULL) {
        spean_reply_refuse(&reply, 503, SPEAN_EBUSY, "too many requests at one time", NULL);
        answer_send(api, http, &reply);
    } else if (request_serve(exchange, &reply)) {
        answer_send(api, http, &reply);
    }
    spean_reply_fini(&reply);
}

/* libevent: the core has answered. */
static void on_answers(int fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct spean_api *api = arg;
    struct spean_job *job = spean_queue_collect(api->queue);
    while (job != NULL) {
        struct exchange *exchange = job->owner;
        exchange->with_core = false;
        if (exchange->http != NULL) {
            answer_send(api, exchange->http, &job->reply);
        } else {
            exchange_free(exchange); /* The change is made; nobody waits for the news. */
        }
        spean_job_free(job);
        job = spean_queue_collect(api->queue);
    }
}

/* libevent: spean_api_stop() was called. */
static void on_stop(int fd, short what, void *arg)
{
    (void)what;
    struct spean_api *api = arg;
    uint64_t value = 0;
    const ssize_t got = read(fd, &value, sizeof(value));
    assert(got == (ssize_t)sizeof(value));
    (void)got;
    api->stopping = true;
    evhttp_del_accept_socket(api->http, api->bound); /* This closes the socket too. */
    api->bound = NULL;
    for (struct exchange *exchange = api->exchanges; exchange != NULL; exchange = exchange->next) {
        if (exchange->follow != NULL) {
            spean_follow_end(exchange->follow);
        }
    }
    const struct timeval deadline = timeval_of_ms((uint32_t)(value - 1));
    const struct timeval now = {.tv_sec = 0};
    if (event_base_loopexit(api->base, api->exchanges_count > 0 ? &deadline : &now) != 0) {
        (void)event_base_loopbreak(api->base); /* No memory for a timer: stop at once. */
    }
}

/* libevent: accept() failed. The socket stays readable, so going on at once would spin. */
static void on_accept_error(struct evconnlistener *listener, void *arg)
{
    (void)arg; /* It is evhttp's. */
    struct spean_api *api = api_of_thread;
    const int code = errno;
    const struct timeval pause = timeval_of_ms(ACCEPT_PAUSE_MS);
    if (event_add(api->accept_event, &pause) == 0 && evconnlistener_disable(listener) == 0) {
        SPEAN_JOURNAL_EVENT(api->log, SPEAN_JOURNAL_WARNING, "api_accept_failed",
                            spean_journal_number("errno", (uint64_t)code));
    }
}

static void on_accept_again(int fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct spean_api *api = arg;
    if (api->bound != NULL &&
        evconnlistener_enable(evhttp_bound_socket_get_listener(api->bound)) != 0) {
        const struct timeval pause = timeval_of_ms(ACCEPT_PAUSE_MS);
        (void)event_add(api->accept_event, &pause); /* It was just removed, so there is room. */
    }
}

static void *thread_main(void *arg)
{
    struct spean_api *api = arg;
    api_of_thread = api;
    const int failed = event_base_dispatch(api->base);
    assert(failed >= 0); /* Its descriptors are ours and open. */
    (void)failed;
    return NULL;
}

/* Free what is there of a half-built or stopped API. Its thread does not run. */
static void api_free(struct spean_api *api)
{
    if (api->http != NULL) {
        evhttp_free(api->http); /* Closes every connection; unanswered exchanges learn of it. */
    }
    struct exchange *exchange = api->exchanges; /* Those whose jobs are still with the core. */
    while (exchange != NULL) {
        struct exchange *next = exchange->next;
        spean_follow_free(exchange->follow);
        free(exchange);
        exchange = next;
    }
    if (api->listener != NULL) {
        evconnlistener_free(api->listener);
    }
    if (api->answers_event != NULL) {
        event_free(api->answers_event);
    }
    if (api->stop_event != NULL) {
        event_free(api->stop_event);
    }
    if (api->accept_event != NULL) {
        event_free(api->accept_event);
    }
    if (api->base != NULL) {
        event_base_free(api->base);
    }
    if (api->stop_fd >= 0) {
        (void)close(api->stop_fd); /* An event counter holds nothing to lose. */
    }
    spean_local_close(&api->local);
    free(api);
}

/* One thread uses the base, and other threads wake it through descriptors: no locks are needed. */
static struct event_base *base_new(void)
{
    struct event_config *config = event_config_new();
    if (config == NULL) {
        return NULL;
    }
    struct event_base *base = NULL;
    if (event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK) == 0) {
        base = event_base_new_with_config(config);
    }
    event_config_free(config);
    return base;
}

static spean_err events_make(struct spean_api *api)
{
    api->base = base_new();
    if (api->base == NULL) {
        return SPEAN_ENOMEM;
    }
    api->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (api->stop_fd < 0) {
        return SPEAN_EIO;
    }
    api->answers_event = event_new(api->base, spean_queue_answers_fd(api->queue),
                                   EV_READ | EV_PERSIST, on_answers, api);
    api->stop_event = event_new(api->base, api->stop_fd, EV_READ, on_stop, api);
    api->accept_event = evtimer_new(api->base, on_accept_again, api);
    if (api->answers_event == NULL || api->stop_event == NULL || api->accept_event == NULL ||
        event_add(api->answers_event, NULL) != 0 || event_add(api->stop_event, NULL) != 0) {
        return SPEAN_ENOMEM;
    }
    return SPEAN_OK;
}

static spean_err server_make(struct spean_api *api)
{
    api->http = evhttp_new(api->base);
    if (api->http == NULL) {
        return SPEAN_ENOMEM;
    }
    const struct timeval timeout = timeval_of_ms(api->timeout_ms);
    evhttp_set_timeout_tv(api->http, &timeout);
    evhttp_set_max_headers_size(api->http, SPEAN_API_HEADER_BYTES_MAX);
    /* evhttp knows no routes: what is too much for most of them is refused in body_read(). */
    evhttp_set_max_body_size(api->http, SPEAN_API_BIG_BODY_BYTES_MAX);
    evhttp_set_allowed_methods(api->http, UINT16_MAX); /* 405 comes from us, with Allow. */
    evhttp_set_gencb(api->http, on_request, api);
    api->listener = evconnlistener_new(
        api->base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, api->local.fd);
    if (api->listener == NULL) {
        return SPEAN_ENOMEM;
    }
    api->local.fd = -1; /* The listener closes it. */
    evconnlistener_set_error_cb(api->listener, on_accept_error);
    api->bound = evhttp_bind_listener(api->http, api->listener);
    if (api->bound == NULL) {
        return SPEAN_ENOMEM;
    }
    api->listener = NULL; /* evhttp frees it. */
    return SPEAN_OK;
}

/* Signals are for the main thread, and a client that has gone must not kill us with SIGPIPE. */
static spean_err thread_start(struct spean_api *api)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all); /* Cannot fail on a valid set. */
    if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0) {
        return SPEAN_EIO;
    }
    const int failed = pthread_create(&api->thread, NULL, thread_main, api);
    const int unmasked = pthread_sigmask(SIG_SETMASK, &before, NULL);
    assert(unmasked == 0);
    (void)unmasked;
    return failed == 0 ? SPEAN_OK : SPEAN_EIO;
}

spean_err spean_api_start(const struct spean_api_config *config, const struct spean_route *routes,
                          size_t routes_count, void *ctx, struct spean_api **out)
{
    assert(config != NULL);
    assert(config->queue != NULL);
    assert(config->log != NULL);
    assert(out != NULL);
    spean_route_assert(routes, routes_count);
    json_object_seed(0); /* Before there are threads: random, against chosen keys. */

    struct spean_api *api = calloc(1, sizeof(*api));
    if (api == NULL) {
        return SPEAN_ENOMEM;
    }
    api->routes = routes;
    api->routes_count = routes_count;
    api->ctx = ctx;
    api->permit = config->permit;
    api->queue = config->queue;
    api->own_uid = geteuid();
    api->group = config->group;
    api->log = config->log;
    api->stop_fd = -1;
    api->local.fd = -1;
    api->timeout_ms = config->timeout_ms > 0 ? config->timeout_ms : SPEAN_API_TIMEOUT_MS;
    spean_err err = spean_local_listen(config->socket_path, config->group, &api->local);
    if (err == SPEAN_OK) {
        err = events_make(api);
    }
    if (err == SPEAN_OK) {
        err = server_make(api);
    }
    if (err == SPEAN_OK) {
        err = thread_start(api);
    }
    if (err != SPEAN_OK) {
        api_free(api);
        return err;
    }
    *out = api;
    return SPEAN_OK;
}

void spean_api_stop(struct spean_api *api, uint32_t deadline_ms)
{
    if (api == NULL) {
        return;
    }
    spean_local_close(&api->local); /* While it listens, so that no other socket is hit. */
    const uint64_t value = (uint64_t)deadline_ms + 1;
    const ssize_t wrote = write(api->stop_fd, &value, sizeof(value));
    assert(wrote == (ssize_t)sizeof(value)); /* The counter was 0: it cannot be full. */
    (void)wrote;
    const int failed = pthread_join(api->thread, NULL);
    assert(failed == 0);
    (void)failed;
    api_free(api);
}
