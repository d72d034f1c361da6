#include "node/dialer.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "node/monitor.h"

/*
 * One node that we dial. libzmq repeats attempts to connect; anything that comes further and then
 * ends takes the socket with it, because libzmq would go on with the old one and mix what was
 * queued for and by two connections.
 */
struct spean_dial {
    struct spean_key key;
    char endpoint[SPEAN_TRANSPORT_ENDPOINT_BYTES];
    void *socket; /* NULL while it waits for redial_at_ms. */
    struct spean_monitor *monitor;
    struct spean_link *link;
    enum spean_dial_state state;
    bool handshaken;
    bool lost;    /* The connection ended, or never came to a handshake. */
    bool again;   /* libzmq has already made another: what waits may be from that one. */
    bool anew;    /* Its class changed: dialled again at once. */
    bool removed; /* Not dialled any more; forgotten when settled. */
    bool fragile; /* See park(). */
    int fd;
    int linger_ms;
    uint64_t taken;
    uint64_t up_at_ms;
    uint64_t delay_ms;
    uint64_t redial_at_ms;
};

/* A socket that cannot be closed yet. */
struct parked {
    struct spean_key key;
    char endpoint[SPEAN_TRANSPORT_ENDPOINT_BYTES];
    void *socket;
    struct spean_monitor *monitor;
};

struct spean_dialer {
    struct spean_net *net;
    uint64_t guard_at_ms;
    size_t next; /* Which dial is read first, so that none starves the others. */
    size_t count;
    struct spean_dial *dials[SPEAN_TRANSPORT_DIALS_MAX];
    size_t parked_count; /* With count at most SPEAN_TRANSPORT_DIALS_MAX. */
    struct parked parked[SPEAN_TRANSPORT_DIALS_MAX];
};

/* Opening and closing ----------------------------------------------------------------------- */

/*
 * Put a socket aside instead of closing it. In 4.3.4 a socket whose last attempt to connect through
 * a SOCKS proxy failed aborts the process when it is closed ("Bad file descriptor" in epoll.cpp):
 * the connecter keeps the handle of its closed descriptor. It lets go of it when it connects.
 */
static void park(struct spean_dialer *d, const struct spean_dial *dial)
{
    assert(d->parked_count < SPEAN_TRANSPORT_DIALS_MAX);
    struct parked *p = &d->parked[d->parked_count++];
    p->key = dial->key;
    memcpy(p->endpoint, dial->endpoint, sizeof(p->endpoint));
    p->socket = dial->socket;
    p->monitor = dial->monitor;
}

/* Go on with the socket parked for the same key and endpoint, if there is one. */
static bool unpark(struct spean_dialer *d, struct spean_dial *dial)
{
    for (size_t i = 0; i < d->parked_count; i++) {
        struct parked *p = &d->parked[i];
        if (spean_key_equal(&p->key, &dial->key) && strcmp(p->endpoint, dial->endpoint) == 0) {
            dial->socket = p->socket;
            dial->monitor = p->monitor;
            dial->fragile = true;
            *p = d->parked[--d->parked_count];
            return true;
        }
    }
    return false;
}

/* Close parked sockets that have connected after all. */
static void close_parked(struct spean_dialer *d)
{
    size_t i = 0;
    while (i < d->parked_count) {
        struct parked *p = &d->parked[i];
        struct spean_monitor_event event;
        bool connected = false;
        while (spean_monitor_next(p->monitor, &event)) {
            connected = event.kind == SPEAN_MONITOR_CONNECTED ||
                        (connected && event.kind != SPEAN_MONITOR_ATTEMPT_FAILED);
        }
        if (!connected) {
            i++;
            continue;
        }
        spean_monitor_free(p->monitor);
        spean_socket_close(p->socket);
        *p = d->parked[--d->parked_count];
    }
}

static void close_socket(struct spean_dialer *d, struct spean_dial *dial)
{
    if (dial->fragile) {
        park(d, dial);
    } else {
        spean_monitor_free(dial->monitor);
        spean_socket_close_after(dial->socket, dial->linger_ms);
    }
    dial->monitor = NULL;
    dial->socket = NULL;
    dial->handshaken = false;
    dial->lost = false;
    dial->again = false;
    dial->fragile = false;
    dial->fd = -1;
    dial->taken = 0;
}

static spean_err open_socket(struct spean_dialer *d, struct spean_dial *dial)
{
    struct spean_net *net = d->net;
    if (unpark(d, dial)) {
        return SPEAN_OK;
    }
    const struct spean_socket_options options = {.secret = net->secret,
                                                 .key = &net->key,
                                                 .socks_proxy =
                                                     net->has_proxy ? net->socks_proxy : NULL,
                                                 .frame_bytes_max = net->frame_bytes_max,
                                                 .peer_key = &dial->key};
    spean_err err = spean_socket_dialer(&dial->socket, net->zmq, &options);
    if (err == SPEAN_OK) {
        err = spean_monitor_new(&dial->monitor, net->zmq, dial->socket, ++net->last_monitor);
    }
    if (err == SPEAN_OK && zmq_connect(dial->socket, dial->endpoint) != 0) {
        err = spean_socket_err(errno);
    }
    if (err != SPEAN_OK) {
        close_socket(d, dial);
    }
    return err;
}

/* Dial again after a delay that doubles, and varies so that not all come back at once. */
static void schedule(struct spean_net *net, struct spean_dial *dial, bool lasted)
{
    if (lasted) {
        dial->delay_ms = SPEAN_RECONNECT_MS;
    }
    dial->redial_at_ms =
        net->now_ms + dial->delay_ms + randombytes_uniform((uint32_t)(dial->delay_ms / 2));
    dial->delay_ms =
        dial->delay_ms < SPEAN_RECONNECT_MAX_MS / 2 ? dial->delay_ms * 2 : SPEAN_RECONNECT_MAX_MS;
}

spean_err spean_dialer_new(struct spean_dialer **out, struct spean_net *net)
{
    assert(out != NULL);
    assert(net != NULL);

    struct spean_dialer *d = calloc(1, sizeof(*d));
    if (d == NULL) {
        return SPEAN_ENOMEM;
    }
    d->net = net;
    *out = d;
    return SPEAN_OK;
}

spean_err spean_dialer_poll_items(const struct spean_dialer *d, zmq_pollitem_t *items, size_t cap,
                                  size_t *count)
{
    for (size_t i = 0; i < d->count; i++) {
        const struct spean_dial *dial = d->dials[i];
        if (dial->socket == NULL) {
            continue;
        }
        if (*count > cap || cap - *count < 2) {
            return SPEAN_ELIMIT;
        }
        const bool blocked = dial->link != NULL && dial->link->blocked;
        const short events = blocked ? ZMQ_POLLIN | ZMQ_POLLOUT : ZMQ_POLLIN;
        items[(*count)++] = (zmq_pollitem_t){.socket = dial->socket, .fd = -1, .events = events};
        items[(*count)++] = (zmq_pollitem_t){
            .socket = spean_monitor_socket(dial->monitor), .fd = -1, .events = ZMQ_POLLIN};
    }
    return SPEAN_OK;
}

uint64_t spean_dialer_due_ms(const struct spean_dialer *d)
{
    uint64_t due_ms = d->parked_count > 0 ? d->guard_at_ms : UINT64_MAX;
    for (size_t i = 0; i < d->count; i++) {
        const struct spean_dial *dial = d->dials[i];
        const uint64_t at_ms = dial->socket == NULL ? dial->redial_at_ms : d->guard_at_ms;
        due_ms = at_ms < due_ms ? at_ms : due_ms;
    }
    return due_ms;
}

/* Connections -------------------------------------------------------------------------------- */

/* The attempt or link has ended, because of state; a later cause does not hide an earlier one. */
static void lose(struct spean_net *net, struct spean_dial *dial, enum spean_dial_state state,
                 enum spean_net_event event)
{
    if (!dial->lost) {
        dial->lost = true;
        dial->state = state;
        net->unsettled = true;
        spean_net_note(net, event, &dial->key);
    }
}

/* Take notice of what happened, without calling anybody. */
static void watch(struct spean_net *net, struct spean_dial *dial)
{
    struct spean_monitor_event event;
    while (dial->monitor != NULL && spean_monitor_next(dial->monitor, &event)) {
        switch (event.kind) {
        case SPEAN_MONITOR_CONNECTED:
            dial->again = dial->again || dial->lost;
            dial->fd = event.value;
            dial->fragile = false;
            break;
        case SPEAN_MONITOR_ATTEMPT_FAILED:
            dial->fragile = net->has_proxy;
            break;
        case SPEAN_MONITOR_HANDSHAKE_DONE:
            dial->handshaken = true;
            break;
        case SPEAN_MONITOR_RETRIED:
            if (!dial->lost && !dial->handshaken) { /* libzmq goes on by itself. */
                dial->state = SPEAN_DIAL_UNREACHABLE;
                spean_net_note(net, SPEAN_NET_DIAL_UNREACHABLE, &dial->key);
            }
            break;
        case SPEAN_MONITOR_HANDSHAKE_CUT:
            lose(net, dial, SPEAN_DIAL_CUT, SPEAN_NET_DIAL_CUT);
            break;
        case SPEAN_MONITOR_HANDSHAKE_PROTOCOL:
            lose(net, dial, SPEAN_DIAL_PROTOCOL, SPEAN_NET_DIAL_PROTOCOL);
            break;
        case SPEAN_MONITOR_HANDSHAKE_AUTH:
            lose(net, dial, SPEAN_DIAL_REFUSED, SPEAN_NET_DIAL_REFUSED);
            break;
        case SPEAN_MONITOR_DISCONNECTED:
            lose(net, dial, SPEAN_DIAL_LOST, SPEAN_NET_DIAL_LOST);
            break;
        case SPEAN_MONITOR_ACCEPTED:
        case SPEAN_MONITOR_ACCEPT_FAILED:
            break;
        }
    }
}

static void dial_free(struct spean_dialer *d, struct spean_dial *dial)
{
    close_socket(d, dial);
    free(dial->link);
    free(dial);
}

void spean_dialer_free(struct spean_dialer *d)
{
    if (d == NULL) {
        return;
    }
    for (size_t i = 0; i < d->count; i++) {
        watch(d->net, d->dials[i]); /* Whether it has become fragile. */
        d->dials[i]->linger_ms = 0;
        dial_free(d, d->dials[i]);
    }
    close_parked(d);
    d->net->zmq_stays = d->parked_count > 0;
    for (size_t i = 0; i < d->parked_count; i++) {
        spean_monitor_free(d->parked[i].monitor);
    }
    free(d);
}

static void come_up(struct spean_net *net, struct spean_dial *dial)
{
    const enum spean_admission admission = net->calls.classify(net->calls.ctx, &dial->key);
    if (admission == SPEAN_ADMIT_REFUSE) {
        dial->removed = true;
        net->unsettled = true;
        return;
    }
    struct spean_link *link = spean_net_link_new(net, &dial->key, admission);
    if (link == NULL) {
        lose(net, dial, SPEAN_DIAL_LOST, SPEAN_NET_DIAL_LOST);
        return;
    }
    link->dial = dial;
    dial->link = link;
    dial->state = SPEAN_DIAL_UP;
    dial->up_at_ms = net->now_ms;
    net->calls.on_up(net->calls.ctx, link);
}

static void attend(struct spean_dialer *d, struct spean_dial *dial)
{
    struct spean_net *net = d->net;
    if (dial->removed) {
        return;
    }
    if (dial->socket == NULL && net->now_ms >= dial->redial_at_ms &&
        open_socket(d, dial) != SPEAN_OK) {
        schedule(net, dial, false); /* Out of sockets or descriptors: later, then. */
        return;
    }
    watch(net, dial);
    if (dial->handshaken && !dial->lost && dial->link == NULL) {
        come_up(net, dial);
    }
}

void spean_dialer_watch(struct spean_dialer *d)
{
    const bool guard = d->net->now_ms >= d->guard_at_ms;
    if (guard) {
        d->guard_at_ms = d->net->now_ms + SPEAN_NET_GUARD_MS;
        close_parked(d);
    }
    for (size_t i = 0; i < d->count; i++) {
        struct spean_dial *dial = d->dials[i];
        attend(d, dial);
        if (guard && !dial->lost && spean_net_is_endless(d->net, dial->fd, dial->taken)) {
            spean_net_note(d->net, SPEAN_NET_ENDLESS, &dial->key);
            lose(d->net, dial, SPEAN_DIAL_LOST, SPEAN_NET_DIAL_LOST);
            dial->again = true; /* Nothing more is read from it. */
        }
    }
}

/* Messages ----------------------------------------------------------------------------------- */

static bool is_served(const struct spean_dial *dial)
{
    return dial->socket != NULL && !dial->removed && !dial->again && dial->link != NULL &&
           dial->link->state == SPEAN_LINK_UP;
}

static size_t read_dial(struct spean_net *net, struct spean_dial *dial, size_t budget)
{
    size_t count = 0;
    struct spean_received in;
    while (count < budget && is_served(dial) && spean_socket_receive(dial->socket, &in)) {
        count++;
        dial->taken += in.wire_bytes;
        if (in.frames == 1) {
            const struct spean_view view = {.data = zmq_msg_data(&in.last),
                                            .len = zmq_msg_size(&in.last)};
            net->calls.on_message(net->calls.ctx, dial->link, view);
        } else {
            spean_net_note(net, SPEAN_NET_FRAMES, &dial->key);
        }
        (void)zmq_msg_close(&in.last); /* Ours and initialised: cannot fail. */
    }
    return count;
}

size_t spean_dialer_read(struct spean_dialer *d, size_t budget, size_t each)
{
    size_t count = 0;
    const size_t dials_count = d->count; /* Dialling from a callback appends; those wait. */
    for (size_t i = 0; i < dials_count && count < budget; i++) {
        struct spean_dial *dial = d->dials[(d->next + i) % dials_count];
        const size_t left = budget - count;
        count += read_dial(d->net, dial, left < each ? left : each);
    }
    d->next = dials_count > 0 ? (d->next + 1) % dials_count : 0;
    return count;
}

spean_err spean_dialer_send(struct spean_dialer *d, struct spean_link *link, struct spean_view view)
{
    struct spean_dial *dial = link->dial;
    watch(d->net, dial); /* Else it could go out on a connection that knows nothing of us. */
    if (dial->lost || dial->removed || dial->socket == NULL) {
        return SPEAN_ESTATE;
    }
    if (zmq_send(dial->socket, view.data, view.len, ZMQ_DONTWAIT) >= 0) {
        return SPEAN_OK;
    }
    const spean_err err = spean_socket_err(errno);
    if (err == SPEAN_EBUSY) {
        link->blocked = true;
        return SPEAN_EBUSY;
    }
    lose(d->net, dial, SPEAN_DIAL_LOST, SPEAN_NET_DIAL_LOST);
    return SPEAN_EIO;
}

/* What is owed ------------------------------------------------------------------------------- */

static bool is_writable(const struct spean_dial *dial)
{
    int events = 0;
    size_t len = sizeof(events);
    return zmq_getsockopt(dial->socket, ZMQ_EVENTS, &events, &len) == 0 &&
           (events & ZMQ_POLLOUT) != 0;
}

static void settle_link(struct spean_net *net, struct spean_dial *dial)
{
    struct spean_link *link = dial->link;
    if (link->state == SPEAN_LINK_UP && link->blocked && !dial->lost && is_writable(dial)) {
        link->blocked = false;
        net->calls.on_writable(net->calls.ctx, link);
        return;
    }
    if (dial->lost) {
        spean_net_link_end(net, link, SPEAN_DOWN_LOST);
    }
    if (link->state == SPEAN_LINK_ENDING) {
        const bool again = link->reason == SPEAN_DOWN_RECLASSIFIED;
        spean_net_link_down(net, link);
        if (again && !dial->lost && !dial->removed) {
            dial->lost = true; /* The other side began a session that we know nothing of now. */
            dial->anew = true;
            dial->state = SPEAN_DIAL_TRYING;
        }
    }
}

/* Bring one dial to rest; false: it is to be forgotten. */
static bool settle(struct spean_dialer *d, struct spean_dial *dial)
{
    struct spean_net *net = d->net;
    if (dial->link != NULL) {
        settle_link(net, dial);
    }
    const bool owes = dial->link != NULL && dial->link->state != SPEAN_LINK_MUTE;
    if (owes || !(dial->lost || dial->removed)) {
        return true;
    }
    const bool lasted =
        dial->link != NULL && net->now_ms - dial->up_at_ms >= SPEAN_DIALER_LASTED_MS;
    free(dial->link);
    dial->link = NULL;
    close_socket(d, dial);
    if (dial->anew) {
        dial->anew = false;
        dial->redial_at_ms = net->now_ms;
    } else if (!dial->removed) {
        schedule(net, dial, lasted);
    }
    return !dial->removed;
}

void spean_dialer_settle(struct spean_dialer *d)
{
    size_t i = 0;
    while (i < d->count) {
        if (settle(d, d->dials[i])) {
            i++;
            continue;
        }
        dial_free(d, d->dials[i]);
        d->dials[i] = d->dials[--d->count];
    }
}

static struct spean_dial *find(const struct spean_dialer *d, const struct spean_key *key)
{
    for (size_t i = 0; i < d->count; i++) {
        if (!d->dials[i]->removed && spean_key_equal(&d->dials[i]->key, key)) {
            return d->dials[i];
        }
    }
    return NULL;
}

spean_err spean_dialer_dial(struct spean_dialer *d, const struct spean_key *key,
                            const char *endpoint)
{
    if (find(d, key) != NULL) {
        return SPEAN_EEXISTS;
    }
    close_parked(d);
    if (d->count + d->parked_count >= SPEAN_TRANSPORT_DIALS_MAX) {
        return SPEAN_ELIMIT;
    }
    if (strncmp(endpoint, "tcp://", strlen("tcp://")) != 0 ||
        strlen(endpoint) >= SPEAN_TRANSPORT_ENDPOINT_BYTES) {
        return SPEAN_EINPUT;
    }
    struct spean_dial *dial = calloc(1, sizeof(*dial));
    if (dial == NULL) {
        return SPEAN_ENOMEM;
    }
    dial->key = *key;
    memcpy(dial->endpoint, endpoint, strlen(endpoint) + 1);
    dial->state = SPEAN_DIAL_TRYING;
    dial->delay_ms = SPEAN_RECONNECT_MS;
    dial->fd = -1;
    const spean_err err = open_socket(d, dial);
    if (err != SPEAN_OK) {
        dial_free(d, dial);
        return err;
    }
    d->dials[d->count++] = dial;
    return SPEAN_OK;
}

static void remove_dial(struct spean_dialer *d, struct spean_dial *dial)
{
    dial->removed = true;
    d->net->unsettled = true;
    if (dial->link != NULL) {
        dial->link->state = SPEAN_LINK_MUTE;
        dial->linger_ms = SPEAN_DIALER_DROP_LINGER_MS;
    }
}

void spean_dialer_undial(struct spean_dialer *d, const struct spean_key *key)
{
    struct spean_dial *dial = find(d, key);
    if (dial != NULL) {
        remove_dial(d, dial);
    }
}

void spean_dialer_drop(struct spean_dialer *d, struct spean_link *link)
{
    remove_dial(d, link->dial);
}

enum spean_dial_state spean_dialer_state(const struct spean_dialer *d, const struct spean_key *key)
{
    const struct spean_dial *dial = find(d, key);
    return dial != NULL ? dial->state : SPEAN_DIAL_NONE;
}

void spean_dialer_reclassify(struct spean_dialer *d)
{
    struct spean_net *net = d->net;
    for (size_t i = 0; i < d->count; i++) {
        struct spean_dial *dial = d->dials[i];
        if (dial->link != NULL) {
            spean_net_link_reclassify(net, dial->link);
        }
        if (net->calls.classify(net->calls.ctx, &dial->key) == SPEAN_ADMIT_REFUSE) {
            dial->removed = true;
            dial->linger_ms = 0;
            net->unsettled = true;
        }
    }
}
