/* Real CURVE sockets on loopback, ports chosen by the kernel, deadlines instead of waits. */
#include "node/transport.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <sodium.h>
#include <zmq.h>

#define DEADLINE_MS 20000
#define NODES_MAX   4u
#define KEYS_MAX    8u
#define HELD_MAX    1024u

/* One node: its transport, whom it admits, and what it was told. */
struct node {
    struct spean_transport *t;
    const char *proxy;
    uint64_t skew_ms; /* Added to its clock. */
    uint8_t secret[SPEAN_KEY_BYTES];
    struct spean_key key;
    uint32_t frame_bytes_max;
    bool echo;
    bool refuse_in_call; /* Drop the link from within on_message(). */

    enum spean_admission others;
    struct {
        struct spean_key key;
        enum spean_admission admission;
    } known[KEYS_MAX];
    size_t known_count;

    struct spean_link *link; /* The newest that is up. */
    size_t ups;
    size_t downs;
    size_t messages;
    size_t writables;
    size_t told;
    size_t len;
    uint8_t last[64]; /* The last message's beginning. */
    uint32_t order[HELD_MAX];
    enum spean_down reason;
    char peer[5]; /* Of the last event. */
};

static struct node nodes[NODES_MAX];
static size_t nodes_count;

static uint64_t clock_ms(void)
{
    struct timespec ts;
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &ts), 0);
    return (uint64_t)ts.tv_sec * 1000u + (uint64_t)ts.tv_nsec / 1000000u;
}

static enum spean_admission on_classify(void *ctx, const struct spean_key *key)
{
    const struct node *n = ctx;
    for (size_t i = 0; i < n->known_count; i++) {
        if (spean_key_equal(&n->known[i].key, key)) {
            return n->known[i].admission;
        }
    }
    return n->others;
}

static void on_up(void *ctx, struct spean_link *link)
{
    struct node *n = ctx;
    n->ups++;
    n->link = link;
}

static void on_message(void *ctx, struct spean_link *link, struct spean_view view)
{
    struct node *n = ctx;
    if (n->messages < HELD_MAX && view.len >= sizeof(uint32_t)) {
        memcpy(&n->order[n->messages], view.data, sizeof(uint32_t));
    }
    n->messages++;
    n->len = view.len;
    memcpy(n->last, view.data, view.len < sizeof(n->last) ? view.len : sizeof(n->last));
    if (n->echo) {
        assert_int_equal(spean_transport_send(n->t, link, view), SPEAN_OK);
    }
    if (n->refuse_in_call) {
        spean_transport_drop(n->t, link);
    }
}

static void on_down(void *ctx, struct spean_link *link, enum spean_down reason)
{
    struct node *n = ctx;
    n->downs++;
    n->reason = reason;
    if (n->link == link) {
        n->link = NULL;
    }
}

static void on_writable(void *ctx, struct spean_link *link)
{
    struct node *n = ctx;
    (void)link;
    n->writables++;
}

static void on_event(void *ctx, enum spean_net_event event, const char *peer, uint64_t count)
{
    struct node *n = ctx;
    assert_true(strlen(spean_net_event_name(event)) > 0);
    assert_true(strlen(peer) == 0 || strlen(peer) == 4);
    assert_true(count > 0);
    n->told++;
    (void)snprintf(n->peer, sizeof(n->peer), "%s", peer);
}

/* Make node i's keys anew; it admits nobody yet. */
static struct node *node_make(void)
{
    assert_true(nodes_count < NODES_MAX);
    struct node *n = &nodes[nodes_count++];
    *n = (struct node){.others = SPEAN_ADMIT_REFUSE};
    (void)crypto_box_keypair(n->key.bytes, n->secret);
    return n;
}

static spean_err node_try(struct node *n, const char *bind)
{
    struct spean_transport_options options = {
        .secret = n->secret,
        .key = n->key,
        .binds = {bind},
        .socks_proxy = n->proxy,
        .frame_bytes_max = n->frame_bytes_max,
        .calls = {n, on_classify, on_up, on_message, on_down, on_writable, on_event},
    };
    return spean_transport_new(&n->t, &options);
}

static void node_start(struct node *n)
{
    assert_int_equal(node_try(n, "tcp://127.0.0.1:*"), SPEAN_OK);
}

static void node_knows(struct node *n, const struct node *other, enum spean_admission admission)
{
    for (size_t i = 0; i < n->known_count; i++) {
        if (spean_key_equal(&n->known[i].key, &other->key)) {
            n->known[i].admission = admission;
            return;
        }
    }
    assert_true(n->known_count < KEYS_MAX);
    n->known[n->known_count].key = other->key;
    n->known[n->known_count++].admission = admission;
}

static void members(struct node *a, struct node *b)
{
    node_knows(a, b, SPEAN_ADMIT_MEMBER);
    node_knows(b, a, SPEAN_ADMIT_MEMBER);
}

static void node_dial(struct node *from, const struct node *to)
{
    assert_int_equal(spean_transport_dial(from->t, &to->key, spean_transport_bound(to->t, 0)),
                     SPEAN_OK);
}

static spean_err node_send(struct node *n, const char *text)
{
    const struct spean_view view = {.data = (const uint8_t *)text, .len = strlen(text)};
    return spean_transport_send(n->t, n->link, view);
}

static bool node_got(const struct node *n, const char *text)
{
    return n->messages > 0 && n->len == strlen(text) && memcmp(n->last, text, n->len) == 0;
}

static void node_work(struct node *n)
{
    (void)spean_transport_work(n->t, clock_ms() + n->skew_ms, 64);
}

/* Poll all running nodes once, for a short while at most, and work them. */
static void pump(void)
{
    zmq_pollitem_t items[NODES_MAX * 16];
    size_t count = 0;
    for (size_t i = 0; i < nodes_count; i++) {
        size_t added = 0;
        if (nodes[i].t != NULL) {
            assert_int_equal(spean_transport_poll_items(nodes[i].t, items + count, 16, &added),
                             SPEAN_OK);
            count += added;
        }
    }
    (void)zmq_poll(items, (int)count, 5);
    for (size_t i = 0; i < nodes_count; i++) {
        if (nodes[i].t != NULL) {
            node_work(&nodes[i]);
        }
    }
}

/* Work all nodes until condition holds; fails after the deadline. */
#define UNTIL(condition)                                                                           \
    do {                                                                                           \
        const uint64_t deadline_ms = clock_ms() + DEADLINE_MS;                                     \
        bool holds = (condition); /* Evaluated once a round: it may send. */                       \
        while (!holds && clock_ms() < deadline_ms) {                                               \
            pump();                                                                                \
            holds = (condition);                                                                   \
        }                                                                                          \
        assert_true(holds);                                                                        \
    } while (0)

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < nodes_count; i++) {
        spean_transport_free(nodes[i].t);
    }
    nodes_count = 0;
    return 0;
}

/* A peer that does not use our transport and so can misbehave. */
struct raw {
    void *zmq;
    void *socket;
    struct spean_key key;
};

static void raw_connect(struct raw *raw, const struct node *to, const char *routing_id)
{
    uint8_t secret[SPEAN_KEY_BYTES];
    const int linger_ms = 0;
    const int patience_ms = DEADLINE_MS;
    (void)crypto_box_keypair(raw->key.bytes, secret);
    raw->zmq = zmq_ctx_new();
    raw->socket = zmq_socket(raw->zmq, ZMQ_DEALER);
    assert_non_null(raw->socket);
    (void)zmq_setsockopt(raw->socket, ZMQ_LINGER, &linger_ms, sizeof(linger_ms));
    (void)zmq_setsockopt(raw->socket, ZMQ_RCVTIMEO, &patience_ms, sizeof(patience_ms));
    (void)zmq_setsockopt(raw->socket, ZMQ_CURVE_PUBLICKEY, raw->key.bytes, SPEAN_KEY_BYTES);
    (void)zmq_setsockopt(raw->socket, ZMQ_CURVE_SECRETKEY, secret, SPEAN_KEY_BYTES);
    (void)zmq_setsockopt(raw->socket, ZMQ_CURVE_SERVERKEY, to->key.bytes, SPEAN_KEY_BYTES);
    if (routing_id != NULL) {
        (void)zmq_setsockopt(raw->socket, ZMQ_ROUTING_ID, routing_id, strlen(routing_id));
    }
    assert_int_equal(zmq_connect(raw->socket, spean_transport_bound(to->t, 0)), 0);
}

static void raw_close(struct raw *raw)
{
    (void)zmq_close(raw->socket);
    (void)zmq_ctx_term(raw->zmq);
}

/* A node of another make, with n's keys, that a dials. It lets everybody in. */
static void raw_listen(struct raw *raw, const struct node *n, struct node *a)
{
    char endpoint[SPEAN_TRANSPORT_ENDPOINT_BYTES];
    size_t len = sizeof(endpoint);
    const int on = 1;
    const int patience_ms = DEADLINE_MS;
    raw->zmq = zmq_ctx_new();
    raw->socket = zmq_socket(raw->zmq, ZMQ_ROUTER);
    assert_non_null(raw->socket);
    (void)zmq_setsockopt(raw->socket, ZMQ_RCVTIMEO, &patience_ms, sizeof(patience_ms));
    (void)zmq_setsockopt(raw->socket, ZMQ_CURVE_SECRETKEY, n->secret, SPEAN_KEY_BYTES);
    (void)zmq_setsockopt(raw->socket, ZMQ_CURVE_SERVER, &on, sizeof(on));
    assert_int_equal(zmq_bind(raw->socket, "tcp://127.0.0.1:*"), 0);
    assert_int_equal(zmq_getsockopt(raw->socket, ZMQ_LAST_ENDPOINT, endpoint, &len), 0);
    assert_int_equal(spean_transport_dial(a->t, &n->key, endpoint), SPEAN_OK);
}

static void raw_send(const struct raw *raw, const char *text, int flags)
{
    assert_true(zmq_send(raw->socket, text, strlen(text), flags) >= 0);
}

/* Two members, a dialling b, with a link. */
static void pair_up(struct node **a, struct node **b)
{
    *a = node_make();
    *b = node_make();
    members(*a, *b);
    node_start(*a);
    node_start(*b);
    node_dial(*a, *b);
    UNTIL((*a)->link != NULL);
    assert_int_equal(node_send(*a, "hello"), SPEAN_OK);
    UNTIL((*b)->link != NULL);
}

/* Exchange ----------------------------------------------------------------------------------- */

static void members_exchange_messages_both_ways_and_know_each_other_by_key(void **state)
{
    (void)state;
    struct node *a, *b;
    pair_up(&a, &b);
    assert_true(node_got(b, "hello"));
    assert_int_equal(node_send(b, "welcome"), SPEAN_OK);
    UNTIL(node_got(a, "welcome"));

    assert_true(spean_key_equal(spean_link_key(a->link), &b->key));
    assert_true(spean_key_equal(spean_link_key(b->link), &a->key));
    assert_true(spean_link_dialled(a->link));
    assert_false(spean_link_dialled(b->link));
    assert_int_equal(spean_link_admission(b->link), SPEAN_ADMIT_MEMBER);
    assert_int_equal(spean_transport_dial_state(a->t, &b->key), SPEAN_DIAL_UP);
    assert_int_equal(a->ups, 1);
    assert_int_equal(b->ups, 1);
}

static void an_answer_may_be_sent_from_within_the_call(void **state)
{
    (void)state;
    struct node *a, *b;
    pair_up(&a, &b);
    b->echo = true;
    assert_int_equal(node_send(a, "echo"), SPEAN_OK);
    UNTIL(node_got(a, "echo"));
}

static void two_dialled_nodes_keep_their_links_apart(void **state)
{
    (void)state;
    struct node *hub, *b;
    pair_up(&hub, &b);
    struct node *c = node_make();
    members(hub, c);
    node_start(c);
    node_dial(hub, c);
    const struct spean_link *to_b = hub->link;
    UNTIL(hub->ups == 2);
    assert_ptr_not_equal(hub->link, to_b);
    assert_true(spean_key_equal(spean_link_key(hub->link), &c->key));
    assert_true(spean_link_id(hub->link) > spean_link_id(to_b));

    assert_int_equal(node_send(hub, "for c"), SPEAN_OK);
    UNTIL(node_got(c, "for c"));
    assert_true(node_got(b, "hello"));
}

/* The door ----------------------------------------------------------------------------------- */

static void a_key_that_is_refused_never_comes_up_and_its_holder_is_told(void **state)
{
    (void)state;
    struct node *a = node_make();
    struct node *b = node_make();
    node_knows(a, b, SPEAN_ADMIT_MEMBER);
    node_start(a);
    node_start(b);
    node_dial(a, b);
    UNTIL(spean_transport_dial_state(a->t, &b->key) == SPEAN_DIAL_REFUSED);
    assert_true(spean_transport_count(b->t, SPEAN_NET_INBOUND_REFUSED) > 0);
    assert_int_equal(a->ups, 0);
    assert_int_equal(b->ups, 0);

    members(a, b); /* Once admitted, it gets in by itself: the dial goes on. */
    UNTIL(a->link != NULL);
}

static void an_unknown_key_comes_up_in_the_lobby_and_is_marked(void **state)
{
    (void)state;
    struct node *a = node_make();
    struct node *b = node_make();
    node_knows(a, b, SPEAN_ADMIT_LOBBY); /* The inviter is not a member to the newcomer either. */
    b->others = SPEAN_ADMIT_LOBBY;
    node_start(a);
    node_start(b);
    node_dial(a, b);
    UNTIL(a->link != NULL);
    assert_int_equal(node_send(a, "knock"), SPEAN_OK);
    UNTIL(node_got(b, "knock"));
    assert_int_equal(spean_link_admission(b->link), SPEAN_ADMIT_LOBBY);
}

/* A member a and a node b to whom all others are unknown. */
static void open_lobby(struct node **a, struct node **b)
{
    *a = node_make();
    *b = node_make();
    members(*a, *b);
    (*b)->others = SPEAN_ADMIT_LOBBY;
    node_start(*a);
    node_start(*b);
}

static void the_lobby_admits_so_many_a_minute_and_members_always(void **state)
{
    (void)state;
    struct node *a, *b;
    open_lobby(&a, &b);
    struct raw strangers[SPEAN_TRANSPORT_LOBBY_PER_MINUTE_MAX + 1];
    for (size_t i = 0; i < SPEAN_TRANSPORT_LOBBY_PER_MINUTE_MAX + 1; i++) {
        raw_connect(&strangers[i], b, NULL); /* And says nothing. */
    }
    UNTIL(spean_transport_count(b->t, SPEAN_NET_LOBBY_FULL) == 1);
    node_dial(a, b);
    UNTIL(a->link != NULL);
    b->skew_ms = 60000;
    raw_close(&strangers[0]);
    raw_connect(&strangers[0], b, NULL);
    raw_send(&strangers[0], "knock", 0);
    UNTIL(node_got(b, "knock"));
    for (size_t i = 0; i < SPEAN_TRANSPORT_LOBBY_PER_MINUTE_MAX + 1; i++) {
        raw_close(&strangers[i]);
    }
}

static void the_lobby_holds_so_many_at_once_and_members_always(void **state)
{
    (void)state;
    struct node *a, *b;
    open_lobby(&a, &b);
    struct raw strangers[SPEAN_TRANSPORT_LOBBY_LINKS_MAX + 1];
    for (size_t i = 0; i < SPEAN_TRANSPORT_LOBBY_LINKS_MAX; i++) {
        raw_connect(&strangers[i], b, NULL);
        raw_send(&strangers[i], "knock", 0);
    }
    UNTIL(b->ups == SPEAN_TRANSPORT_LOBBY_LINKS_MAX);
    b->skew_ms = 60000; /* A new minute, but nobody has left. */
    raw_connect(&strangers[SPEAN_TRANSPORT_LOBBY_LINKS_MAX], b, NULL);
    UNTIL(spean_transport_count(b->t, SPEAN_NET_LOBBY_FULL) == 1);
    node_dial(a, b);
    UNTIL(a->link != NULL);
    for (size_t i = 0; i < SPEAN_TRANSPORT_LOBBY_LINKS_MAX + 1; i++) {
        raw_close(&strangers[i]);
    }
}

static void a_wrong_server_key_is_shown_as_such(void **state)
{
    (void)state;
    struct node *a = node_make();
    struct node *b = node_make();
    struct node *old = node_make(); /* The key that b had before it rotated. */
    members(a, b);
    node_knows(a, old, SPEAN_ADMIT_MEMBER);
    node_start(a);
    node_start(b);
    assert_int_equal(spean_transport_dial(a->t, &old->key, spean_transport_bound(b->t, 0)),
                     SPEAN_OK);
    UNTIL(spean_transport_dial_state(a->t, &old->key) == SPEAN_DIAL_CUT);
    UNTIL(spean_transport_count(b->t, SPEAN_NET_INBOUND_PROTOCOL) > 0);
    assert_int_equal(a->ups, 0);
}

static void nobody_at_the_endpoint_is_shown_as_such(void **state)
{
    (void)state;
    struct node *a, *b;
    pair_up(&a, &b);
    struct node *c = node_make();
    node_knows(c, b, SPEAN_ADMIT_MEMBER);
    node_start(c);
    char endpoint[SPEAN_TRANSPORT_ENDPOINT_BYTES];
    (void)snprintf(endpoint, sizeof(endpoint), "%s", spean_transport_bound(b->t, 0));
    spean_transport_free(b->t);
    b->t = NULL;
    assert_int_equal(spean_transport_dial(c->t, &b->key, endpoint), SPEAN_OK);
    UNTIL(spean_transport_dial_state(c->t, &b->key) == SPEAN_DIAL_UNREACHABLE);
}

static void a_node_does_not_dial_itself_or_a_refused_key_or_the_same_key_twice(void **state)
{
    (void)state;
    struct node *a, *b;
    pair_up(&a, &b);
    const struct node *stranger = node_make();
    a->others = SPEAN_ADMIT_MEMBER;
    assert_int_equal(spean_transport_dial(a->t, &a->key, "tcp://127.0.0.1:1"), SPEAN_EDENIED);
    assert_int_equal(spean_transport_dial(a->t, &b->key, "tcp://127.0.0.1:1"), SPEAN_EEXISTS);
    a->others = SPEAN_ADMIT_REFUSE;
    assert_int_equal(spean_transport_dial(a->t, &stranger->key, "tcp://127.0.0.1:1"),
                     SPEAN_EDENIED);
}

static void an_endpoint_that_is_not_tcp_is_refused(void **state)
{
    (void)state;
    static const char *const endpoints[] = {
        "", "127.0.0.1:1", "inproc://x", "ipc:///tmp/x", "tcp://127.0.0.1", "tcp://"};
    struct node *a = node_make();
    struct node *b = node_make();
    members(a, b);
    for (size_t i = 0; i < sizeof(endpoints) / sizeof(endpoints[0]); i++) {
        assert_int_equal(node_try(b, endpoints[i]), SPEAN_EINPUT);
        assert_null(b->t);
    }
    node_start(a);
    for (size_t i = 0; i < sizeof(endpoints) / sizeof(endpoints[0]); i++) {
        assert_int_equal(spean_transport_dial(a->t, &b->key, endpoints[i]), SPEAN_EINPUT);
    }
    assert_int_equal(spean_transport_dial_state(a->t, &b->key), SPEAN_DIAL_NONE);
}

static void a_frame_limit_below_the_handshakes_own_is_refused(void **state)
{
    (void)state;
    struct node *a = node_make();
    a->frame_bytes_max = 1023;
    assert_int_equal(node_try(a, NULL), SPEAN_EINPUT);
    a->frame_bytes_max = 1024;
    assert_int_equal(node_try(a, NULL), SPEAN_OK);
}

static void a_proxy_is_the_only_way_out_once_it_is_set(void **state)
{
    (void)state;
    struct node *a = node_make();
    struct node *b = node_make();
    members(a, b);
    a->proxy = "127.0.0.1:1"; /* Nothing listens there. */
    node_start(a);
    node_start(b);
    node_dial(a, b);
    UNTIL(spean_transport_dial_state(a->t, &b->key) == SPEAN_DIAL_UNREACHABLE);
    assert_int_equal(spean_transport_count(b->t, SPEAN_NET_ACCEPTED), 0);
}

static void a_dial_through_an_unreachable_proxy_can_be_ended_without_an_abort(void **state)
{
    (void)state;
    struct node *a = node_make();
    struct node *b = node_make();
    members(a, b);
    a->proxy = "127.0.0.1:1";
    node_start(a);
    node_start(b);
    for (int i = 0; i < 3; i++) {
        node_dial(a, b);
        const uint64_t before = spean_transport_count(a->t, SPEAN_NET_DIAL_UNREACHABLE);
        UNTIL(spean_transport_count(a->t, SPEAN_NET_DIAL_UNREACHABLE) > before);
        spean_transport_undial(a->t, &b->key);
        pump();
        assert_int_equal(spean_transport_dial_state(a->t, &b->key), SPEAN_DIAL_NONE);
    }
}

static void version_6_addresses_serve_as_well(void **state)
{
    (void)state;
    struct node *a = node_make();
    struct node *b = node_make();
    members(a, b);
    node_start(a);
    if (node_try(b, "tcp://[::1]:*") != SPEAN_OK) {
        skip(); /* This machine has no IPv6 loopback. */
    }
    node_dial(a, b);
    UNTIL(a->link != NULL);
}

static void a_taken_address_is_said_to_be_taken(void **state)
{
    (void)state;
    struct node *a = node_make();
    struct node *b = node_make();
    node_start(a);
    assert_int_equal(node_try(b, spean_transport_bound(a->t, 0)), SPEAN_EEXISTS);
}

static void a_node_that_only_dials_needs_no_endpoint(void **state)
{
    (void)state;
    struct node *a = node_make();
    struct node *b = node_make();
    members(a, b);
    assert_int_equal(node_try(a, NULL), SPEAN_OK);
    assert_string_equal(spean_transport_bound(a->t, 0), "");
    node_start(b);
    node_dial(a, b);
    UNTIL(a->link != NULL);
    spean_transport_rebind(a->t); /* Nothing to bind: nothing happens. */
    assert_int_equal(node_send(a, "hello"), SPEAN_OK);
    UNTIL(node_got(b, "hello"));
    assert_int_equal(a->downs, 0);
}

/* Hostile peers ------------------------------------------------------------------------------ */

static void a_message_of_several_frames_is_dropped_and_counted(void **state)
{
    (void)state;
    struct node *b = node_make();
    b->others = SPEAN_ADMIT_MEMBER;
    node_start(b);
    struct raw raw;
    raw_connect(&raw, b, NULL);
    raw_send(&raw, "", ZMQ_SNDMORE);
    raw_send(&raw, "enveloped", 0);
    raw_send(&raw, "plain", 0);
    UNTIL(b->messages > 0);
    assert_true(node_got(b, "plain"));
    assert_int_equal(b->messages, 1);
    assert_int_equal(spean_transport_count(b->t, SPEAN_NET_FRAMES), 1);
    assert_true(spean_key_equal(spean_link_key(b->link), &raw.key));
    raw_close(&raw);
}

static void a_dialled_nodes_message_of_several_frames_is_dropped_and_counted(void **state)
{
    (void)state;
    struct node *a = node_make();
    struct node *b = node_make();
    node_knows(a, b, SPEAN_ADMIT_MEMBER);
    node_start(a);
    struct raw raw;
    raw_listen(&raw, b, a);
    UNTIL(a->link != NULL);
    assert_int_equal(node_send(a, "hello"), SPEAN_OK);
    uint8_t route[16];
    const int route_len = zmq_recv(raw.socket, route, sizeof(route), 0);
    assert_true(route_len > 0);
    assert_true(zmq_send(raw.socket, route, (size_t)route_len, ZMQ_SNDMORE) >= 0);
    raw_send(&raw, "", ZMQ_SNDMORE);
    raw_send(&raw, "enveloped", 0);
    assert_true(zmq_send(raw.socket, route, (size_t)route_len, ZMQ_SNDMORE) >= 0);
    raw_send(&raw, "plain", 0);
    UNTIL(a->messages > 0);
    assert_true(node_got(a, "plain"));
    assert_int_equal(a->messages, 1);
    assert_int_equal(spean_transport_count(a->t, SPEAN_NET_FRAMES), 1);
    raw_close(&raw);
}

static void a_peer_that_chooses_its_routing_id_is_not_heard(void **state)
{
    (void)state;
    struct node *b = node_make();
    b->others = SPEAN_ADMIT_MEMBER;
    node_start(b);
    struct raw raw;
    raw_connect(&raw, b, "i-am-somebody");
    raw_send(&raw, "hello", 0);
    UNTIL(spean_transport_count(b->t, SPEAN_NET_ROUTE) == 1);
    assert_int_equal(b->ups, 0);
    raw_close(&raw);
}

static void the_longest_message_passes_and_a_longer_one_is_not_sent(void **state)
{
    (void)state;
    struct node *a = node_make();
    struct node *b = node_make();
    members(a, b);
    a->frame_bytes_max = 5000;
    b->frame_bytes_max = 5000;
    node_start(a);
    node_start(b);
    node_dial(a, b);
    UNTIL(a->link != NULL);
    static const uint8_t bytes[5001];
    struct spean_view view = {.data = bytes, .len = sizeof(bytes)};
    assert_int_equal(spean_transport_send(a->t, a->link, view), SPEAN_ELIMIT);
    view.len--;
    assert_int_equal(spean_transport_send(a->t, a->link, view), SPEAN_OK);
    UNTIL(b->messages == 1);
    assert_int_equal(b->len, 5000);
    assert_int_equal(a->downs, 0);
}

static void an_oversize_frame_cuts_its_sender_alone(void **state)
{
    (void)state;
    struct node *a = node_make();
    struct node *b = node_make();
    struct node *c = node_make();
    members(a, b);
    members(c, b);
    a->frame_bytes_max = 5001;
    b->frame_bytes_max = 5000;
    node_start(a);
    node_start(b);
    node_start(c);
    node_dial(c, b);
    UNTIL(c->link != NULL);
    assert_int_equal(node_send(c, "one"), SPEAN_OK);
    UNTIL(node_got(b, "one"));
    node_dial(a, b);
    UNTIL(a->link != NULL);

    static const uint8_t bytes[5001];
    const struct spean_view view = {.data = bytes, .len = sizeof(bytes)};
    assert_int_equal(spean_transport_send(a->t, a->link, view), SPEAN_OK);
    UNTIL(a->downs == 1);
    assert_int_equal(a->reason, SPEAN_DOWN_LOST);
    assert_int_equal(node_send(c, "two"), SPEAN_OK);
    UNTIL(node_got(b, "two"));
    assert_int_equal(c->downs, 0);
    assert_int_equal(b->messages, 2);
}

static void a_message_that_never_ends_is_cut(void **state)
{
    (void)state;
    struct node *b = node_make();
    b->others = SPEAN_ADMIT_MEMBER;
    b->frame_bytes_max = 64 * 1024;
    node_start(b);
    struct raw raw;
    raw_connect(&raw, b, NULL);
    raw_send(&raw, "hello", 0);
    UNTIL(b->link != NULL);

    /* libzmq sends nothing of a message before its end is there, so it has one, far away. */
    static char chunk[64 * 1024];
    for (size_t sent = 0; sent < 48u * 1024u * 1024u; sent += sizeof(chunk)) {
        assert_true(zmq_send(raw.socket, chunk, sizeof(chunk), ZMQ_SNDMORE) >= 0);
    }
    raw_send(&raw, "end", 0);
    const uint64_t until_ms = clock_ms() + DEADLINE_MS;
    while (spean_transport_count(b->t, SPEAN_NET_ENDLESS) == 0 && clock_ms() < until_ms) {
        b->skew_ms += 1000; /* Let it look the connection over each time. */
        pump();
    }
    assert_int_equal(spean_transport_count(b->t, SPEAN_NET_ENDLESS), 1);
    UNTIL(b->downs == 1);
    assert_int_equal(b->reason, SPEAN_DOWN_LOST);
    assert_int_equal(b->messages, 1);
    raw_close(&raw);
}

static void a_connection_that_says_nothing_is_cut(void **state)
{
    (void)state;
    struct node *a = node_make();
    struct node *b = node_make();
    members(a, b);
    node_start(a);
    node_start(b);
    node_dial(a, b);
    UNTIL(a->link != NULL);
    UNTIL(spean_transport_count(b->t, SPEAN_NET_ACCEPTED) == 1);
    b->skew_ms = SPEAN_TRANSPORT_SILENT_MS;
    UNTIL(a->downs == 1);
    assert_int_equal(spean_transport_count(b->t, SPEAN_NET_SILENT), 1);
    assert_int_equal(b->ups, 0);
}

static void the_newest_connection_of_a_key_replaces_the_older(void **state)
{
    (void)state;
    struct node *a, *b;
    pair_up(&a, &b);
    struct node *copy = node_make(); /* A copied folder: the same keys elsewhere. */
    copy->key = a->key;
    memcpy(copy->secret, a->secret, sizeof(copy->secret));
    node_knows(copy, b, SPEAN_ADMIT_MEMBER);
    node_start(copy);
    node_dial(copy, b);
    UNTIL(copy->link != NULL);
    assert_int_equal(node_send(copy, "me too"), SPEAN_OK);
    UNTIL(node_got(b, "me too"));
    assert_int_equal(b->downs, 1);
    assert_int_equal(b->reason, SPEAN_DOWN_REPLACED);
    UNTIL(a->downs == 1);
}

static void a_flood_of_events_is_told_once_a_minute(void **state)
{
    (void)state;
    struct node *b = node_make();
    b->others = SPEAN_ADMIT_MEMBER;
    node_start(b);
    struct raw raw;
    raw_connect(&raw, b, NULL);
    raw_send(&raw, "hello", 0);
    for (size_t i = 0; i < 40; i++) {
        raw_send(&raw, "", ZMQ_SNDMORE);
        raw_send(&raw, "", 0);
    }
    UNTIL(spean_transport_count(b->t, SPEAN_NET_FRAMES) == 40);
    assert_int_equal(b->told, 2); /* accepted, frames_dropped */
    char peer[5];
    (void)sodium_bin2hex(peer, sizeof(peer), raw.key.bytes, 2);
    assert_string_equal(b->peer, peer);
    b->skew_ms = 60000;
    raw_send(&raw, "", ZMQ_SNDMORE);
    raw_send(&raw, "", 0);
    UNTIL(spean_transport_count(b->t, SPEAN_NET_FRAMES) == 41);
    assert_int_equal(b->told, 3);
    raw_close(&raw);
}

/* Dropping and revoking ---------------------------------------------------------------------- */

static void a_dropped_inbound_link_is_mute_while_another_goes_on(void **state)
{
    (void)state;
    struct node *a, *b;
    pair_up(&a, &b);
    struct spean_link *dropped = b->link;
    struct node *c = node_make();
    members(c, b);
    node_start(c);
    node_dial(c, b);
    UNTIL(c->link != NULL);
    assert_int_equal(node_send(c, "first"), SPEAN_OK);
    UNTIL(node_got(b, "first"));

    spean_transport_drop(b->t, dropped);
    assert_int_equal(node_send(a, "ignored"), SPEAN_OK);
    UNTIL(spean_transport_count(b->t, SPEAN_NET_MUTE) == 1);
    assert_int_equal(node_send(c, "second"), SPEAN_OK);
    UNTIL(node_got(b, "second"));
    assert_int_equal(b->messages, 3);
    assert_int_equal(b->downs, 0);
}

static void a_link_dropped_from_within_a_call_gets_no_further_call(void **state)
{
    (void)state;
    struct node *a, *b;
    pair_up(&a, &b);
    a->refuse_in_call = true;
    assert_int_equal(node_send(b, "one"), SPEAN_OK); /* Both before it can drop the link. */
    assert_int_equal(node_send(b, "two"), SPEAN_OK);
    UNTIL(a->messages == 1);
    UNTIL(b->downs == 1); /* The dialled connection is gone, */
    assert_int_equal(a->messages, 1);
    assert_int_equal(a->downs, 0);
    assert_int_equal(spean_transport_dial_state(a->t, &b->key), SPEAN_DIAL_NONE); /* for good. */
}

static void an_undialled_node_is_left_and_may_be_dialled_again(void **state)
{
    (void)state;
    struct node *a, *b;
    pair_up(&a, &b);
    spean_transport_undial(a->t, &b->key);
    node_dial(a, b); /* At once, while the old one is still closing. */
    UNTIL(a->ups == 2);
    assert_int_equal(a->downs, 0);
    UNTIL(b->downs == 1);
    assert_int_equal(node_send(a, "again"), SPEAN_OK);
    UNTIL(node_got(b, "again"));
}

static void a_key_refused_later_is_cut_off_at_once_and_others_stay(void **state)
{
    (void)state;
    struct node *a, *b;
    pair_up(&a, &b);
    struct spean_link *revoked = b->link;
    struct node *c = node_make();
    members(c, b);
    node_start(c);
    node_dial(c, b);
    UNTIL(c->link != NULL);
    assert_int_equal(node_send(c, "first"), SPEAN_OK);
    UNTIL(node_got(b, "first"));

    assert_int_equal(node_send(a, "too late"), SPEAN_OK);
    node_knows(b, a, SPEAN_ADMIT_REFUSE);
    spean_transport_reclassify(b->t);
    const struct spean_view view = {.data = (const uint8_t *)"x", .len = 1};
    assert_int_equal(spean_transport_send(b->t, revoked, view), SPEAN_ESTATE);
    UNTIL(b->downs == 1);
    assert_int_equal(b->reason, SPEAN_DOWN_REFUSED);
    UNTIL(a->downs == 1);
    UNTIL(spean_transport_dial_state(a->t, &b->key) == SPEAN_DIAL_REFUSED);
    assert_true(node_got(b, "first"));
    assert_int_equal(node_send(c, "second"), SPEAN_OK);
    UNTIL(node_got(b, "second"));
    assert_int_equal(c->downs, 0);
}

static void a_dialled_key_refused_later_is_not_dialled_any_more(void **state)
{
    (void)state;
    struct node *a, *b;
    pair_up(&a, &b);
    node_knows(a, b, SPEAN_ADMIT_REFUSE);
    spean_transport_reclassify(a->t);
    assert_int_equal(node_send(a, "x"), SPEAN_ESTATE);
    UNTIL(a->downs == 1);
    assert_int_equal(a->reason, SPEAN_DOWN_REFUSED);
    assert_int_equal(spean_transport_dial_state(a->t, &b->key), SPEAN_DIAL_NONE);
    UNTIL(b->downs == 1);
}

static void a_newcomer_who_became_a_member_gets_a_new_link_on_the_same_connection(void **state)
{
    (void)state;
    struct node *a = node_make();
    struct node *b = node_make();
    node_knows(a, b, SPEAN_ADMIT_MEMBER);
    b->others = SPEAN_ADMIT_LOBBY;
    node_start(a);
    node_start(b);
    node_dial(a, b);
    UNTIL(a->link != NULL);
    assert_int_equal(node_send(a, "knock"), SPEAN_OK);
    UNTIL(b->link != NULL);
    const uint64_t lobby_id = spean_link_id(b->link);

    node_knows(b, a, SPEAN_ADMIT_MEMBER);
    spean_transport_reclassify(b->t);
    UNTIL(b->ups == 2);
    assert_int_equal(b->downs, 1);
    assert_int_equal(b->reason, SPEAN_DOWN_RECLASSIFIED);
    assert_int_equal(spean_link_admission(b->link), SPEAN_ADMIT_MEMBER);
    assert_true(spean_link_id(b->link) > lobby_id);
    assert_int_equal(node_send(b, "come in"), SPEAN_OK);
    UNTIL(node_got(a, "come in"));
    assert_int_equal(a->downs, 0);

    assert_true(spean_link_again(b->link));
}

static void a_dialled_link_whose_class_changed_is_dialled_anew(void **state)
{
    (void)state;
    struct node *a, *b;
    pair_up(&a, &b);
    node_knows(a, b, SPEAN_ADMIT_LOBBY);
    spean_transport_reclassify(a->t);
    UNTIL(a->ups == 2);
    assert_int_equal(a->reason, SPEAN_DOWN_RECLASSIFIED);
    assert_int_equal(spean_link_admission(a->link), SPEAN_ADMIT_LOBBY);
    UNTIL(b->downs == 1); /* So that the other side does not go on with the old session. */
    assert_int_equal(node_send(a, "anew"), SPEAN_OK);
    UNTIL(node_got(b, "anew"));
    assert_int_equal(b->ups, 2);
    assert_false(spean_link_again(b->link));
}

static void after_a_rebind_peers_come_back_to_the_same_endpoint(void **state)
{
    (void)state;
    struct node *a, *b;
    pair_up(&a, &b);
    char before[SPEAN_TRANSPORT_ENDPOINT_BYTES];
    (void)snprintf(before, sizeof(before), "%s", spean_transport_bound(b->t, 0));
    spean_transport_rebind(b->t);
    UNTIL(b->downs == 1);
    assert_int_equal(b->reason, SPEAN_DOWN_REBOUND);
    UNTIL(a->ups == 2);
    assert_string_equal(spean_transport_bound(b->t, 0), before);
    assert_int_equal(node_send(a, "back"), SPEAN_OK);
    UNTIL(node_got(b, "back"));
    assert_int_equal(b->ups, 2);

    spean_transport_undial(a->t, &b->key); /* Nothing of either connection is kept. */
    UNTIL(b->downs == 2);
    UNTIL(spean_transport_wait_ms(b->t, clock_ms()) == -1);
}

/* Coming and going --------------------------------------------------------------------------- */

static void when_the_dialling_node_goes_the_inbound_link_goes_down(void **state)
{
    (void)state;
    struct node *a, *b;
    pair_up(&a, &b);
    spean_transport_free(a->t);
    a->t = NULL;
    UNTIL(b->downs == 1);
    assert_int_equal(b->reason, SPEAN_DOWN_LOST);
}

static void a_node_that_restarts_is_dialled_again(void **state)
{
    (void)state;
    struct node *a, *b;
    pair_up(&a, &b);
    char endpoint[SPEAN_TRANSPORT_ENDPOINT_BYTES];
    (void)snprintf(endpoint, sizeof(endpoint), "%s", spean_transport_bound(b->t, 0));
    spean_transport_free(b->t);
    b->t = NULL;
    b->link = NULL;
    UNTIL(a->downs == 1);
    assert_int_equal(a->reason, SPEAN_DOWN_LOST);
    assert_int_equal(spean_transport_dial_state(a->t, &b->key), SPEAN_DIAL_LOST);

    assert_int_equal(node_try(b, endpoint), SPEAN_OK);
    UNTIL(a->ups == 2);
    assert_int_equal(node_send(a, "you are back"), SPEAN_OK);
    UNTIL(node_got(b, "you are back"));
}

static void after_the_connection_broke_nothing_is_queued_for_the_next_one(void **state)
{
    (void)state;
    struct node *a, *b;
    pair_up(&a, &b);
    spean_transport_free(b->t);
    b->t = NULL;
    spean_err err = SPEAN_OK;
    const uint64_t until_ms = clock_ms() + DEADLINE_MS;
    while (err != SPEAN_ESTATE && clock_ms() < until_ms) {
        err = node_send(a, "to whom?"); /* Without work, so that only sending can notice. */
    }
    assert_int_equal(err, SPEAN_ESTATE);
    assert_int_equal(a->downs, 0); /* It is told when there is work, not from within. */
    UNTIL(a->downs == 1);
}

/* Fill the pipe from a node to another that does not read; returns how many went in. */
static uint32_t fill(struct node *from)
{
    static uint8_t bytes[SPEAN_TRANSPORT_FRAME_BYTES_MAX];
    for (uint32_t i = 0; i < HELD_MAX; i++) {
        memcpy(bytes, &i, sizeof(i));
        const spean_err err = spean_transport_send(
            from->t, from->link, (struct spean_view){.data = bytes, .len = sizeof(bytes)});
        if (err == SPEAN_EBUSY) {
            return i;
        }
        assert_int_equal(err, SPEAN_OK);
    }
    fail_msg("the pipe never filled");
    return 0;
}

static void expect_full_pipe_loses_nothing(struct node *from, struct node *to)
{
    to->messages = 0;
    uint32_t sent = fill(from);
    assert_int_equal(from->writables, 0);
    UNTIL(from->writables > 0);
    static uint8_t bytes[SPEAN_TRANSPORT_FRAME_BYTES_MAX];
    memcpy(bytes, &sent, sizeof(sent));
    const struct spean_view kept = {.data = bytes, .len = sizeof(bytes)};
    UNTIL(spean_transport_send(from->t, from->link, kept) == SPEAN_OK);
    sent++;
    UNTIL(to->messages == sent);
    for (uint32_t i = 0; i < sent; i++) {
        assert_int_equal(to->order[i], i);
    }
    assert_int_equal(from->downs, 0);
}

static void a_full_pipe_to_a_dialled_node_says_busy_and_loses_nothing(void **state)
{
    (void)state;
    struct node *a, *b;
    pair_up(&a, &b);
    expect_full_pipe_loses_nothing(a, b);
}

static void a_full_pipe_to_an_inbound_node_says_busy_and_loses_nothing(void **state)
{
    (void)state;
    struct node *a, *b;
    pair_up(&a, &b);
    expect_full_pipe_loses_nothing(b, a);
}

static void one_work_hands_over_no_more_than_its_budget(void **state)
{
    (void)state;
    struct node *a, *b;
    pair_up(&a, &b);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(node_send(a, "one of ten"), SPEAN_OK);
    }
    const uint64_t until_ms = clock_ms() + DEADLINE_MS;
    while (b->messages < 11 && clock_ms() < until_ms) {
        const size_t before = b->messages;
        const size_t done = spean_transport_work(b->t, clock_ms(), 3);
        assert_true(done <= 3);
        assert_int_equal(b->messages - before, done);
    }
    assert_int_equal(b->messages, 11);
}

static void an_idle_node_sleeps_and_one_with_something_due_does_not(void **state)
{
    (void)state;
    struct node *a = node_make();
    node_start(a);
    assert_int_equal(spean_transport_wait_ms(a->t, clock_ms()), -1);
    spean_transport_rebind(a->t);
    assert_int_equal(spean_transport_wait_ms(a->t, clock_ms()), 0);
}

static void too_few_poll_items_are_refused(void **state)
{
    (void)state;
    struct node *a, *b;
    pair_up(&a, &b);
    zmq_pollitem_t items[8];
    size_t count = 0;
    for (size_t cap = 0; cap < 5; cap++) {
        assert_int_equal(spean_transport_poll_items(a->t, items, cap, &count), SPEAN_ELIMIT);
        assert_int_equal(count, 0);
    }
    assert_int_equal(spean_transport_poll_items(a->t, items, 5, &count), SPEAN_OK);
    assert_int_equal(count, 5);
}

#define TEST(name) cmocka_unit_test_teardown(name, tear_down)

int main(void)
{
    if (sodium_init() < 0) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        TEST(members_exchange_messages_both_ways_and_know_each_other_by_key),
        TEST(an_answer_may_be_sent_from_within_the_call),
        TEST(two_dialled_nodes_keep_their_links_apart),
        TEST(a_key_that_is_refused_never_comes_up_and_its_holder_is_told),
        TEST(an_unknown_key_comes_up_in_the_lobby_and_is_marked),
        TEST(the_lobby_admits_so_many_a_minute_and_members_always),
        TEST(the_lobby_holds_so_many_at_once_and_members_always),
        TEST(a_wrong_server_key_is_shown_as_such),
        TEST(nobody_at_the_endpoint_is_shown_as_such),
        TEST(a_node_does_not_dial_itself_or_a_refused_key_or_the_same_key_twice),
        TEST(an_endpoint_that_is_not_tcp_is_refused),
        TEST(a_frame_limit_below_the_handshakes_own_is_refused),
        TEST(a_proxy_is_the_only_way_out_once_it_is_set),
        TEST(a_dial_through_an_unreachable_proxy_can_be_ended_without_an_abort),
        TEST(version_6_addresses_serve_as_well),
        TEST(a_taken_address_is_said_to_be_taken),
        TEST(a_node_that_only_dials_needs_no_endpoint),
        TEST(a_message_of_several_frames_is_dropped_and_counted),
        TEST(a_dialled_nodes_message_of_several_frames_is_dropped_and_counted),
        TEST(a_peer_that_chooses_its_routing_id_is_not_heard),
        TEST(the_longest_message_passes_and_a_longer_one_is_not_sent),
        TEST(an_oversize_frame_cuts_its_sender_alone),
        TEST(a_message_that_never_ends_is_cut),
        TEST(a_connection_that_says_nothing_is_cut),
        TEST(the_newest_connection_of_a_key_replaces_the_older),
        TEST(a_flood_of_events_is_told_once_a_minute),
        TEST(a_dropped_inbound_link_is_mute_while_another_goes_on),
        TEST(a_link_dropped_from_within_a_call_gets_no_further_call),
        TEST(an_undialled_node_is_left_and_may_be_dialled_again),
        TEST(a_key_refused_later_is_cut_off_at_once_and_others_stay),
        TEST(a_dialled_key_refused_later_is_not_dialled_any_more),
        TEST(a_dialled_link_whose_class_changed_is_dialled_anew),
        TEST(a_newcomer_who_became_a_member_gets_a_new_link_on_the_same_connection),
        TEST(after_a_rebind_peers_come_back_to_the_same_endpoint),
        TEST(when_the_dialling_node_goes_the_inbound_link_goes_down),
        TEST(a_node_that_restarts_is_dialled_again),
        TEST(after_the_connection_broke_nothing_is_queued_for_the_next_one),
        TEST(a_full_pipe_to_a_dialled_node_says_busy_and_loses_nothing),
        TEST(a_full_pipe_to_an_inbound_node_says_busy_and_loses_nothing),
        TEST(one_work_hands_over_no_more_than_its_budget),
        TEST(an_idle_node_sleeps_and_one_with_something_due_does_not),
        TEST(too_few_poll_items_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
