#include "node/transport.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "node/dialer.h"
#include "node/listener.h"
#include "node/net.h"
#include "node/selftest.h"
#include "node/zap.h"

#define ZAP_REQUESTS_MAX 64u /* In one work; strangers must not starve the members. */
#define LISTENER_SHARE   16u /* Messages of one round, */
#define DIAL_SHARE       4u  /* and of each dialled link. */
#define MINUTE_MS        60000u

struct spean_transport {
    struct spean_net net;
    struct spean_zap *zap;
    struct spean_listener *listener;
    struct spean_dialer *dialer;
    uint64_t lobby_since_ms; /* Begin of the minute in which lobby_admitted is counted. */
    size_t lobby_admitted;
};

/* Who may come in ---------------------------------------------------------------------------- */

static bool admit_to_lobby(struct spean_transport *t, const struct spean_key *key)
{
    if (t->net.now_ms - t->lobby_since_ms >= MINUTE_MS) {
        t->lobby_since_ms = t->net.now_ms;
        t->lobby_admitted = 0;
    }
    if (t->lobby_admitted >= SPEAN_TRANSPORT_LOBBY_PER_MINUTE_MAX ||
        spean_listener_lobby_count(t->listener) >= SPEAN_TRANSPORT_LOBBY_LINKS_MAX) {
        spean_net_note(&t->net, SPEAN_NET_LOBBY_FULL, key);
        return false;
    }
    t->lobby_admitted++;
    return true;
}

static enum spean_admission classify(struct spean_transport *t, const struct spean_key *key)
{
    if (spean_key_equal(key, &t->net.key)) {
        return SPEAN_ADMIT_REFUSE; /* Ourselves, or a copy of us. */
    }
    return t->net.calls.classify(t->net.calls.ctx, key);
}

static bool decide(void *ctx, const char *domain, const struct spean_key *key)
{
    struct spean_transport *t = ctx;
    if (strcmp(domain, SPEAN_ZAP_DOMAIN) != 0) {
        return false; /* The self-test's stranger. */
    }
    switch (classify(t, key)) {
    case SPEAN_ADMIT_MEMBER:
        return true;
    case SPEAN_ADMIT_LOBBY:
        return admit_to_lobby(t, key);
    case SPEAN_ADMIT_REFUSE:
        break;
    }
    spean_net_note(&t->net, SPEAN_NET_INBOUND_REFUSED, key);
    return false;
}

/* Start and end ------------------------------------------------------------------------------ */

static spean_err copy_options(struct spean_net *net, const struct spean_transport_options *options)
{
    const char *proxy = options->socks_proxy;
    const uint32_t frame_bytes_max =
        options->frame_bytes_max > 0 ? options->frame_bytes_max : SPEAN_TRANSPORT_FRAME_BYTES_MAX;
    if (frame_bytes_max < SPEAN_SOCKET_FRAME_BYTES_MIN ||
        (proxy != NULL && strlen(proxy) >= sizeof(net->socks_proxy))) {
        return SPEAN_EINPUT;
    }
    net->secret = sodium_malloc(SPEAN_KEY_BYTES);
    if (net->secret == NULL) {
        return SPEAN_ENOMEM;
    }
    memcpy(net->secret, options->secret, SPEAN_KEY_BYTES);
    net->key = options->key;
    net->calls = options->calls;
    net->frame_bytes_max =
        options->frame_bytes_max > 0 ? options->frame_bytes_max : SPEAN_TRANSPORT_FRAME_BYTES_MAX;
    if (proxy != NULL) {
        net->has_proxy = true;
        memcpy(net->socks_proxy, proxy, strlen(proxy) + 1);
    }
    return SPEAN_OK;
}

static spean_err start(struct spean_transport *t, const struct spean_transport_options *options)
{
    spean_err err = copy_options(&t->net, options);
    if (err != SPEAN_OK) {
        return err;
    }
    t->net.zmq = zmq_ctx_new();
    if (t->net.zmq == NULL) {
        return SPEAN_ENOMEM;
    }
    err = spean_zap_new(&t->zap, t->net.zmq, decide, t);
    if (err == SPEAN_OK) {
        err = spean_selftest_run(t->net.zmq, t->zap);
    }
    if (err == SPEAN_OK) {
        err = spean_dialer_new(&t->dialer, &t->net);
    }
    if (err == SPEAN_OK) {
        err = spean_listener_new(&t->listener, &t->net, options->binds);
    }
    return err;
}

spean_err spean_transport_new(struct spean_transport **out,
                              const struct spean_transport_options *options)
{
    assert(out != NULL);
    assert(options != NULL);
    assert(options->secret != NULL);
    assert(options->calls.classify != NULL);
    assert(options->calls.on_up != NULL);
    assert(options->calls.on_message != NULL);
    assert(options->calls.on_down != NULL);
    assert(options->calls.on_writable != NULL);

    struct spean_transport *t = calloc(1, sizeof(*t));
    if (t == NULL) {
        return SPEAN_ENOMEM;
    }
    const spean_err err = start(t, options);
    if (err != SPEAN_OK) {
        spean_transport_free(t);
        return err;
    }
    *out = t;
    return SPEAN_OK;
}

void spean_transport_free(struct spean_transport *t)
{
    if (t == NULL) {
        return;
    }
    spean_dialer_free(t->dialer);
    spean_listener_free(t->listener);
    spean_zap_free(t->zap); /* Last: what still knocks now finds no handler and is refused. */
    while (t->net.zmq != NULL && !t->net.zmq_stays && zmq_ctx_term(t->net.zmq) != 0 &&
           errno == EINTR) {
        /* A signal came; term is to be repeated. */
    }
    sodium_free(t->net.secret);
    free(t);
}

const char *spean_transport_bound(const struct spean_transport *t, size_t i)
{
    assert(t != NULL);
    return spean_listener_bound(t->listener, i);
}

/* The loop ----------------------------------------------------------------------------------- */

spean_err spean_transport_poll_items(const struct spean_transport *t, zmq_pollitem_t *items,
                                     size_t cap, size_t *count)
{
    assert(t != NULL);
    assert(count != NULL);

    size_t used = 0;
    if (cap == 0) {
        return SPEAN_ELIMIT;
    }
    items[used++] =
        (zmq_pollitem_t){.socket = spean_zap_socket(t->zap), .fd = -1, .events = ZMQ_POLLIN};
    spean_err err = spean_listener_poll_items(t->listener, items, cap, &used);
    if (err == SPEAN_OK) {
        err = spean_dialer_poll_items(t->dialer, items, cap, &used);
    }
    if (err == SPEAN_OK) {
        *count = used;
    }
    return err;
}

long spean_transport_wait_ms(const struct spean_transport *t, uint64_t now_ms)
{
    assert(t != NULL);

    if (t->net.unsettled) {
        return 0;
    }
    const uint64_t listener_ms = spean_listener_due_ms(t->listener);
    const uint64_t dialer_ms = spean_dialer_due_ms(t->dialer);
    const uint64_t due_ms = listener_ms < dialer_ms ? listener_ms : dialer_ms;
    if (due_ms == UINT64_MAX) {
        return -1;
    }
    if (due_ms <= now_ms) {
        return 0;
    }
    return due_ms - now_ms < INT_MAX ? (long)(due_ms - now_ms) : INT_MAX;
}

size_t spean_transport_work(struct spean_transport *t, uint64_t now_ms, size_t budget)
{
    assert(t != NULL);
    assert(now_ms >= t->net.now_ms); /* The clock never goes back. */

    t->net.now_ms = now_ms;
    const size_t malformed = spean_zap_work(t->zap, ZAP_REQUESTS_MAX);
    for (size_t i = 0; i < malformed; i++) {
        spean_net_note(&t->net, SPEAN_NET_ZAP_MALFORMED, NULL);
    }
    spean_listener_watch(t->listener);
    spean_dialer_watch(t->dialer);

    size_t done = 0;
    size_t round = 1;
    while (round > 0 && done < budget) {
        const size_t left = budget - done;
        round = spean_listener_read(t->listener, left < LISTENER_SHARE ? left : LISTENER_SHARE);
        round += spean_dialer_read(t->dialer, left - round, DIAL_SHARE);
        done += round;
    }

    t->net.unsettled = false; /* Whatever is marked from here on waits for the next work. */
    spean_listener_settle(t->listener);
    spean_dialer_settle(t->dialer);
    return done;
}

/* What the owner asks ------------------------------------------------------------------------ */

spean_err spean_transport_dial(struct spean_transport *t, const struct spean_key *key,
                               const char *endpoint)
{
    assert(t != NULL);
    assert(key != NULL);
    assert(endpoint != NULL);

    if (classify(t, key) == SPEAN_ADMIT_REFUSE) {
        return SPEAN_EDENIED;
    }
    return spean_dialer_dial(t->dialer, key, endpoint);
}

void spean_transport_undial(struct spean_transport *t, const struct spean_key *key)
{
    assert(t != NULL);
    spean_dialer_undial(t->dialer, key);
}

enum spean_dial_state spean_transport_dial_state(const struct spean_transport *t,
                                                 const struct spean_key *key)
{
    assert(t != NULL);
    return spean_dialer_state(t->dialer, key);
}

spean_err spean_transport_send(struct spean_transport *t, struct spean_link *link,
                               struct spean_view view)
{
    assert(t != NULL);
    assert(link != NULL);

    if (view.len > t->net.frame_bytes_max) {
        return SPEAN_ELIMIT;
    }
    if (link->state != SPEAN_LINK_UP) {
        return SPEAN_ESTATE;
    }
    return link->dial != NULL ? spean_dialer_send(t->dialer, link, view)
                              : spean_listener_send(t->listener, link, view);
}

void spean_transport_drop(struct spean_transport *t, struct spean_link *link)
{
    assert(t != NULL);
    assert(link != NULL);

    link->blocked = false;
    link->state = SPEAN_LINK_MUTE;
    if (link->dial != NULL) {
        spean_dialer_drop(t->dialer, link);
    }
}

void spean_transport_reclassify(struct spean_transport *t)
{
    assert(t != NULL);
    spean_listener_reclassify(t->listener);
    spean_dialer_reclassify(t->dialer);
}

void spean_transport_rebind(struct spean_transport *t)
{
    assert(t != NULL);
    spean_listener_rebind(t->listener);
}

uint64_t spean_transport_count(const struct spean_transport *t, enum spean_net_event event)
{
    assert(t != NULL);
    assert((size_t)event < SPEAN_NET_EVENTS_COUNT);
    return t->net.counts[event];
}
