#include "node/listener.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "node/monitor.h"
#include "node/zap.h"

#define USER_ID     "User-Id" /* As RFC 27 names it; zmq.h's own name for it is a draft. */
#define ROUTE_BYTES 5u        /* The routing ids that libzmq gives: a zero and 32 bits. */

/* One TCP connection, from when it is accepted. It has a link from its first message on. */
struct connection {
    int fd;
    bool gone; /* Disconnected; fd may be another connection's by now. */
    uint64_t since_ms;
    uint64_t cut_at_ms; /* When we shut it down; 0: not. */
    uint64_t taken;     /* Bytes of its messages that were shown to us. */
    struct spean_link *link;
};

struct spean_listener {
    struct spean_net *net;
    void *socket; /* NULL while it is being rebound. */
    struct spean_monitor *monitor;
    char bound[SPEAN_TRANSPORT_BINDS_MAX][SPEAN_TRANSPORT_ENDPOINT_BYTES];
    size_t bound_count;
    bool rebind;
    uint64_t closed_at_ms; /* For a rebind. */
    uint64_t rebind_at_ms;
    uint64_t guard_at_ms;
    size_t connections_count;
    struct connection connections[SPEAN_TRANSPORT_INBOUND_MAX];
};

/* Opening and closing ----------------------------------------------------------------------- */

static void close_socket(struct spean_listener *l)
{
    spean_monitor_free(l->monitor);
    spean_socket_close(l->socket);
    l->monitor = NULL;
    l->socket = NULL;
}

/* Bind endpoint and keep under i what it became: a "*" port has been chosen once and for all. */
static spean_err bind_one(struct spean_listener *l, size_t i, const char *endpoint)
{
    if (zmq_bind(l->socket, endpoint) != 0) {
        return spean_socket_err(errno);
    }
    char bound[SPEAN_TRANSPORT_ENDPOINT_BYTES];
    size_t len = sizeof(bound);
    if (zmq_getsockopt(l->socket, ZMQ_LAST_ENDPOINT, bound, &len) != 0) {
        return SPEAN_EIO;
    }
    memcpy(l->bound[i], bound, len);
    return SPEAN_OK;
}

static spean_err open_socket(struct spean_listener *l)
{
    struct spean_net *net = l->net;
    /*
     * libzmq numbers peers from rand(), and a peer that names the next number as its own makes
     * it abort ("Assertion failed: ok" in socket_base.cpp). Whoever comes in must not guess it,
     * and libzmq seeds rand() with the time.
     */
    srand(randombytes_random());
    const struct spean_socket_options options = {.secret = net->secret,
                                                 .key = &net->key,
                                                 .zap_domain = SPEAN_ZAP_DOMAIN,
                                                 .frame_bytes_max = net->frame_bytes_max};
    spean_err err = spean_socket_listener(&l->socket, net->zmq, &options);
    if (err == SPEAN_OK) {
        err = spean_monitor_new(&l->monitor, net->zmq, l->socket, ++net->last_monitor);
    }
    for (size_t i = 0; err == SPEAN_OK && i < l->bound_count; i++) {
        err = bind_one(l, i, l->bound[i]);
    }
    if (err != SPEAN_OK) {
        close_socket(l);
    }
    return err;
}

static bool endpoint_fits(const char *endpoint)
{
    return strncmp(endpoint, "tcp://", strlen("tcp://")) == 0 &&
           strlen(endpoint) < SPEAN_TRANSPORT_ENDPOINT_BYTES;
}

spean_err spean_listener_new(struct spean_listener **out, struct spean_net *net,
                             const char *const *binds)
{
    assert(out != NULL);
    assert(net != NULL);

    struct spean_listener *l = calloc(1, sizeof(*l));
    if (l == NULL) {
        return SPEAN_ENOMEM;
    }
    l->net = net;
    spean_err err = SPEAN_OK;
    while (l->bound_count < SPEAN_TRANSPORT_BINDS_MAX && binds[l->bound_count] != NULL) {
        const char *endpoint = binds[l->bound_count];
        if (!endpoint_fits(endpoint)) {
            err = SPEAN_EINPUT;
            break;
        }
        memcpy(l->bound[l->bound_count], endpoint, strlen(endpoint) + 1);
        l->bound_count++;
    }
    if (err == SPEAN_OK && l->bound_count > 0) {
        err = open_socket(l);
    }
    if (err != SPEAN_OK) {
        spean_listener_free(l);
        return err;
    }
    *out = l;
    return SPEAN_OK;
}

void spean_listener_free(struct spean_listener *l)
{
    if (l == NULL) {
        return;
    }
    for (size_t i = 0; i < l->connections_count; i++) {
        free(l->connections[i].link);
    }
    close_socket(l);
    free(l);
}

const char *spean_listener_bound(const struct spean_listener *l, size_t i)
{
    return i < l->bound_count ? l->bound[i] : "";
}

spean_err spean_listener_poll_items(const struct spean_listener *l, zmq_pollitem_t *items,
                                    size_t cap, size_t *count)
{
    if (l->socket == NULL) {
        return SPEAN_OK;
    }
    if (*count > cap || cap - *count < 2) {
        return SPEAN_ELIMIT;
    }
    items[(*count)++] = (zmq_pollitem_t){.socket = l->socket, .fd = -1, .events = ZMQ_POLLIN};
    items[(*count)++] = (zmq_pollitem_t){
        .socket = spean_monitor_socket(l->monitor), .fd = -1, .events = ZMQ_POLLIN};
    return SPEAN_OK;
}

uint64_t spean_listener_due_ms(const struct spean_listener *l)
{
    if (l->bound_count > 0 && l->socket == NULL) {
        return l->rebind_at_ms;
    }
    uint64_t due_ms = l->connections_count > 0 ? l->guard_at_ms : UINT64_MAX;
    for (size_t i = 0; i < l->connections_count; i++) {
        const struct spean_link *link = l->connections[i].link;
        if (link != NULL && link->blocked && link->retry_at_ms < due_ms) {
            due_ms = link->retry_at_ms;
        }
    }
    return due_ms;
}

/* Connections -------------------------------------------------------------------------------- */

/*
 * Hang up on one connection. libzmq has no call for it, but the descriptor is this process's own:
 * libzmq sees the end of the stream as if the peer had closed. Only after watch(), so that fd
 * has not been closed and given to another; if it has in between, that one connects again.
 */
static void cut(struct spean_listener *l, struct connection *c)
{
    if (c->gone || c->cut_at_ms != 0) {
        return;
    }
    (void)shutdown(c->fd, SHUT_RDWR); /* Fails when the peer was faster. */
    c->cut_at_ms = l->net->now_ms > 0 ? l->net->now_ms : 1;
}

static struct connection *find_fd(struct spean_listener *l, int fd)
{
    for (size_t i = 0; i < l->connections_count; i++) {
        if (!l->connections[i].gone && l->connections[i].fd == fd) {
            return &l->connections[i];
        }
    }
    return NULL;
}

static struct connection *find_route(struct spean_listener *l, uint32_t route)
{
    for (size_t i = 0; i < l->connections_count; i++) {
        const struct spean_link *link = l->connections[i].link;
        if (link != NULL && link->route == route) {
            return &l->connections[i];
        }
    }
    return NULL;
}

static void accepted(struct spean_listener *l, int fd)
{
    spean_net_note(l->net, SPEAN_NET_ACCEPTED, NULL);
    if (l->connections_count == SPEAN_TRANSPORT_INBOUND_MAX) {
        spean_net_note(l->net, SPEAN_NET_INBOUND_FULL, NULL);
        (void)shutdown(fd, SHUT_RDWR); /* As in cut(). */
        return;
    }
    l->connections[l->connections_count++] =
        (struct connection){.fd = fd, .since_ms = l->net->now_ms};
}

static void disconnected(struct spean_listener *l, int fd)
{
    struct connection *c = find_fd(l, fd);
    if (c != NULL) {
        c->gone = true;
        l->net->unsettled = true;
    }
}

static void watch(struct spean_listener *l)
{
    struct spean_monitor_event event;
    while (l->monitor != NULL && spean_monitor_next(l->monitor, &event)) {
        switch (event.kind) {
        case SPEAN_MONITOR_ACCEPTED:
            accepted(l, event.value);
            break;
        case SPEAN_MONITOR_DISCONNECTED:
            disconnected(l, event.value);
            break;
        case SPEAN_MONITOR_ACCEPT_FAILED:
            spean_net_note(l->net, SPEAN_NET_ACCEPT_FAILED, NULL);
            break;
        case SPEAN_MONITOR_HANDSHAKE_CUT:
            spean_net_note(l->net, SPEAN_NET_INBOUND_CUT, NULL);
            break;
        case SPEAN_MONITOR_HANDSHAKE_PROTOCOL:
            spean_net_note(l->net, SPEAN_NET_INBOUND_PROTOCOL, NULL);
            break;
        case SPEAN_MONITOR_HANDSHAKE_AUTH: /* Counted where it was decided. */
        case SPEAN_MONITOR_HANDSHAKE_DONE: /* Its first message makes it a link. */
        case SPEAN_MONITOR_CONNECTED:
        case SPEAN_MONITOR_ATTEMPT_FAILED:
        case SPEAN_MONITOR_RETRIED:
            break;
        }
    }
}

static void guard(struct spean_listener *l, struct connection *c)
{
    const uint64_t now_ms = l->net->now_ms;
    if (c->gone) {
        return;
    }
    if (c->cut_at_ms != 0) {
        const bool refused = c->link != NULL && c->link->reason == SPEAN_DOWN_REFUSED;
        l->rebind = l->rebind || (refused && now_ms - c->cut_at_ms >= SPEAN_LISTENER_CUT_MS);
        return;
    }
    if (c->link == NULL && now_ms - c->since_ms >= SPEAN_TRANSPORT_SILENT_MS) {
        spean_net_note(l->net, SPEAN_NET_SILENT, NULL);
        cut(l, c);
        return;
    }
    if (spean_net_is_endless(l->net, c->fd, c->taken)) {
        spean_net_note(l->net, SPEAN_NET_ENDLESS, c->link != NULL ? &c->link->key : NULL);
        cut(l, c);
    }
}

void spean_listener_watch(struct spean_listener *l)
{
    watch(l);
    if (l->net->now_ms < l->guard_at_ms) {
        return;
    }
    l->guard_at_ms = l->net->now_ms + SPEAN_NET_GUARD_MS;
    for (size_t i = 0; i < l->connections_count; i++) {
        guard(l, &l->connections[i]);
    }
}

/* Messages ----------------------------------------------------------------------------------- */

/*
 * The connection that a message came by: by its routing id if it has spoken before, else by its
 * descriptor, after hearing of every connection that ended before the message was read.
 * NULL: it is gone.
 */
static struct connection *find_sender(struct spean_listener *l, uint32_t route, zmq_msg_t *last)
{
    struct connection *known = find_route(l, route);
    if (known != NULL) {
        return known;
    }
    watch(l);
    struct connection *fresh = find_fd(l, zmq_msg_get(last, ZMQ_SRCFD));
    return fresh != NULL && fresh->link == NULL ? fresh : NULL;
}

/* The proven key of a message's sender. 4.3.4's ROUTER loses it on all frames but the last. */
static bool sender_key(zmq_msg_t *last, struct spean_key *key)
{
    const char *hex = zmq_msg_gets(last, USER_ID);
    size_t len = 0;
    const char *end = NULL;
    return hex != NULL && strlen(hex) == SPEAN_ZAP_USER_ID_BYTES &&
           sodium_hex2bin(key->bytes, sizeof(key->bytes), hex, strlen(hex), NULL, &len, &end) ==
               0 &&
           len == sizeof(key->bytes);
}

/* End other links of the same key: a node dials us once, so the newest connection counts. */
static void replace(struct spean_listener *l, const struct spean_key *key)
{
    for (size_t i = 0; i < l->connections_count; i++) {
        struct connection *c = &l->connections[i];
        if (c->link != NULL && c->link->state == SPEAN_LINK_UP &&
            spean_key_equal(&c->link->key, key)) {
            spean_net_note(l->net, SPEAN_NET_REPLACED, key);
            spean_net_link_end(l->net, c->link, SPEAN_DOWN_REPLACED);
            spean_net_link_down(l->net, c->link);
            cut(l, c);
        }
    }
}

/* Make the link of a connection that speaks for the first time. False: no memory. */
static bool come_up(struct spean_listener *l, struct connection *c, const struct spean_key *key,
                    uint32_t route)
{
    struct spean_net *net = l->net;
    const enum spean_admission admission = net->calls.classify(net->calls.ctx, key);
    struct spean_link *link = spean_net_link_new(net, key, admission);
    if (link == NULL) {
        cut(l, c);
        return false;
    }
    link->route = route;
    if (admission == SPEAN_ADMIT_REFUSE) { /* Authority changed since the handshake. */
        link->state = SPEAN_LINK_MUTE;
        link->reason = SPEAN_DOWN_REFUSED;
        c->link = link;
        cut(l, c);
        return true;
    }
    replace(l, key);
    c->link = link;
    net->calls.on_up(net->calls.ctx, link);
    return true;
}

static void take(struct spean_listener *l, struct spean_received *in)
{
    struct spean_net *net = l->net;
    if (in->first_len != ROUTE_BYTES || in->first[0] != 0) {
        spean_net_note(net, SPEAN_NET_ROUTE, NULL);
        return;
    }
    uint32_t route;
    memcpy(&route, in->first + 1, sizeof(route));
    struct connection *c = find_sender(l, route, &in->last);
    if (c == NULL) {
        spean_net_note(net, SPEAN_NET_MUTE, NULL);
        return;
    }
    c->taken += in->wire_bytes;
    struct spean_key key;
    if (in->frames != 2) {
        spean_net_note(net, SPEAN_NET_FRAMES, c->link != NULL ? &c->link->key : NULL);
        return;
    }
    if (!sender_key(&in->last, &key) ||
        (c->link != NULL && !spean_key_equal(&key, &c->link->key))) {
        spean_net_note(net, SPEAN_NET_IDENTITY, c->link != NULL ? &c->link->key : NULL);
        return;
    }
    if (c->link == NULL && !come_up(l, c, &key, route)) {
        return;
    }
    if (c->link->state != SPEAN_LINK_UP) {
        spean_net_note(net, SPEAN_NET_MUTE, &c->link->key);
        return;
    }
    const struct spean_view view = {.data = zmq_msg_data(&in->last),
                                    .len = zmq_msg_size(&in->last)};
    net->calls.on_message(net->calls.ctx, c->link, view);
}

size_t spean_listener_read(struct spean_listener *l, size_t budget)
{
    size_t count = 0;
    struct spean_received in;
    while (count < budget && l->socket != NULL && !l->rebind &&
           spean_socket_receive(l->socket, &in)) {
        count++;
        take(l, &in);
        (void)zmq_msg_close(&in.last); /* Ours and initialised: cannot fail. */
    }
    return count;
}

spean_err spean_listener_send(struct spean_listener *l, struct spean_link *link,
                              struct spean_view view)
{
    uint8_t route[ROUTE_BYTES] = {0};
    memcpy(route + 1, &link->route, sizeof(link->route));
    if (l->socket == NULL) {
        return SPEAN_ESTATE; /* Being rebound; the link is marked. */
    }
    if (zmq_send(l->socket, route, sizeof(route), ZMQ_DONTWAIT | ZMQ_SNDMORE) < 0) {
        const spean_err err = spean_socket_err(errno);
        if (err == SPEAN_EBUSY) {
            link->blocked = true;
            link->retry_at_ms = l->net->now_ms + link->retry_ms;
            return SPEAN_EBUSY;
        }
        spean_net_link_end(l->net, link, SPEAN_DOWN_LOST);
        return err == SPEAN_ESTATE ? SPEAN_ESTATE : SPEAN_EIO;
    }
    int rc;
    do {
        rc = zmq_send(l->socket, view.data, view.len, ZMQ_DONTWAIT);
    } while (rc < 0 && errno == EINTR);
    if (rc < 0) {
        spean_listener_rebind(l); /* Half a message is in it: nothing else would end it. */
        return SPEAN_EIO;
    }
    link->retry_ms = SPEAN_NET_RETRY_MS;
    return SPEAN_OK;
}

/* What is owed ------------------------------------------------------------------------------- */

void spean_listener_reclassify(struct spean_listener *l)
{
    watch(l);
    for (size_t i = 0; i < l->connections_count; i++) {
        struct connection *c = &l->connections[i];
        if (c->link == NULL) {
            continue;
        }
        spean_net_link_reclassify(l->net, c->link);
        if (c->link->state == SPEAN_LINK_ENDING && c->link->reason == SPEAN_DOWN_REFUSED) {
            cut(l, c);
        }
    }
}

void spean_listener_rebind(struct spean_listener *l)
{
    l->rebind = l->bound_count > 0;
    l->net->unsettled = true;
    for (size_t i = 0; i < l->connections_count; i++) {
        if (l->connections[i].link != NULL) {
            spean_net_link_end(l->net, l->connections[i].link, SPEAN_DOWN_REBOUND);
        }
    }
}

/* After a link's class changed: the same connection, as a new link. */
static void come_up_again(struct spean_listener *l, struct connection *c)
{
    struct spean_net *net = l->net;
    struct spean_link *old = c->link;
    const enum spean_admission admission = net->calls.classify(net->calls.ctx, &old->key);
    struct spean_link *link =
        admission == SPEAN_ADMIT_REFUSE ? NULL : spean_net_link_new(net, &old->key, admission);
    if (link == NULL) {
        old->reason = SPEAN_DOWN_REFUSED;
        cut(l, c);
        return;
    }
    link->route = old->route;
    link->again = true;
    c->link = link;
    free(old);
    net->calls.on_up(net->calls.ctx, link);
}

static void settle_connection(struct spean_listener *l, struct connection *c)
{
    struct spean_net *net = l->net;
    struct spean_link *link = c->link;
    if (link == NULL) {
        return;
    }
    if (c->gone) {
        spean_net_link_end(net, link, SPEAN_DOWN_LOST);
    }
    if (link->state == SPEAN_LINK_ENDING) {
        spean_net_link_down(net, link);
        if (link->reason == SPEAN_DOWN_RECLASSIFIED && !c->gone && !l->rebind) {
            come_up_again(l, c);
        }
        return;
    }
    if (link->state == SPEAN_LINK_UP && link->blocked && net->now_ms >= link->retry_at_ms) {
        link->blocked = false;
        link->retry_ms = link->retry_ms < SPEAN_NET_RETRY_MAX_MS / 2 ? link->retry_ms * 2
                                                                     : SPEAN_NET_RETRY_MAX_MS;
        net->calls.on_writable(net->calls.ctx, link);
    }
}

/* Forget connections that are gone and owe nothing. */
static void sweep(struct spean_listener *l)
{
    size_t kept = 0;
    for (size_t i = 0; i < l->connections_count; i++) {
        struct connection *c = &l->connections[i];
        if (c->gone && (c->link == NULL || c->link->state == SPEAN_LINK_MUTE)) {
            free(c->link);
            continue;
        }
        l->connections[kept++] = *c;
    }
    l->connections_count = kept;
}

static void reopen(struct spean_listener *l)
{
    if (l->net->now_ms < l->rebind_at_ms) {
        return;
    }
    const spean_err err = open_socket(l);
    if (err == SPEAN_OK) {
        spean_net_note(l->net, SPEAN_NET_REBOUND, NULL);
        return;
    }
    /* The old socket gives its port up a moment after it closed: that is no failure yet. */
    const uint64_t closed_ms = l->net->now_ms - l->closed_at_ms;
    if (err != SPEAN_EEXISTS || closed_ms >= SPEAN_LISTENER_TAKEN_MS) {
        spean_net_note(l->net, SPEAN_NET_BIND_FAILED, NULL);
    }
    l->rebind_at_ms = l->net->now_ms + SPEAN_LISTENER_REBIND_MS;
}

void spean_listener_settle(struct spean_listener *l)
{
    if (l->rebind) {
        spean_listener_rebind(l); /* Marks what has come up since. */
    }
    for (size_t i = 0; i < l->connections_count; i++) {
        settle_connection(l, &l->connections[i]);
    }
    if (l->rebind) {
        for (size_t i = 0; i < l->connections_count; i++) {
            l->connections[i].gone = true;
        }
        l->rebind = false;
        l->rebind_at_ms = 0;
        l->closed_at_ms = l->net->now_ms;
        close_socket(l);
    }
    sweep(l);
    if (l->bound_count > 0 && l->socket == NULL) {
        reopen(l);
    }
}

size_t spean_listener_lobby_count(const struct spean_listener *l)
{
    size_t count = 0;
    for (size_t i = 0; i < l->connections_count; i++) {
        const struct spean_link *link = l->connections[i].link;
        count +=
            link != NULL && link->state == SPEAN_LINK_UP && link->admission == SPEAN_ADMIT_LOBBY
                ? 1
                : 0;
    }
    return count;
}
