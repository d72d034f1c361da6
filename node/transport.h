/*
 * node/transport.h - moves opaque messages between peers whose transport keys are proven. It
 * knows nothing of the protocol and keeps no message: the log is the queue.
 *
 * A link is one connection with one proven key, from on_up to on_down; a peer that reconnects
 * gets a new link. Any message may be lost when a link goes down. One thread uses a transport.
 */
#ifndef SPEAN_NODE_TRANSPORT_H
#define SPEAN_NODE_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zmq.h>

#include "protocol/bytes.h"
#include "protocol/err.h"

#define SPEAN_TRANSPORT_FRAME_BYTES_MAX      (256u * 1024u) /* Default limit of a message. */
#define SPEAN_TRANSPORT_BINDS_MAX            4u
#define SPEAN_TRANSPORT_DIALS_MAX            256u
#define SPEAN_TRANSPORT_INBOUND_MAX          1024u  /* Connections; further ones are cut. */
#define SPEAN_TRANSPORT_LOBBY_LINKS_MAX      32u    /* At once. */
#define SPEAN_TRANSPORT_LOBBY_PER_MINUTE_MAX 32u    /* Admissions; members are never counted. */
#define SPEAN_TRANSPORT_SILENT_MS            60000u /* For a first message, then it is cut. */
#define SPEAN_TRANSPORT_POLL_ITEMS_MAX       (3u + 2u * SPEAN_TRANSPORT_DIALS_MAX)
#define SPEAN_TRANSPORT_ENDPOINT_BYTES       256u /* With the zero. */

struct spean_transport; /* Opaque. */
struct spean_link;      /* Opaque. */

/* What the holder of a transport key may do. */
enum spean_admission {
    SPEAN_ADMIT_REFUSE,
    SPEAN_ADMIT_LOBBY, /* Unknown: may show statements and no more; limited in number. */
    SPEAN_ADMIT_MEMBER,
};

/* Why a link ended. */
enum spean_down {
    SPEAN_DOWN_LOST,         /* The connection broke or the peer closed it. */
    SPEAN_DOWN_REFUSED,      /* classify() now refuses the key. */
    SPEAN_DOWN_RECLASSIFIED, /* classify() now says otherwise; on_up() with a new link follows. */
    SPEAN_DOWN_REPLACED,     /* The same key connected again; the newer connection counts. */
    SPEAN_DOWN_REBOUND,      /* The listener was made anew; honest peers come back. */
};

/*
 * What happened that a person may want to know. X(code, name): name is stable, for logs and
 * counters. The first group comes from strangers too.
 */
#define SPEAN_NET_TABLE(X)                                                                         \
    X(SPEAN_NET_ACCEPTED, "accepted")                                                              \
    X(SPEAN_NET_ACCEPT_FAILED, "accept_failed")        /* Out of file descriptors? */              \
    X(SPEAN_NET_INBOUND_FULL, "inbound_full")          /* INBOUND_MAX was reached. */              \
    X(SPEAN_NET_INBOUND_CUT, "inbound_handshake_cut")  /* Hung up during the handshake. */         \
    X(SPEAN_NET_INBOUND_PROTOCOL, "inbound_wrong_key") /* Holds an old key of ours? */             \
    X(SPEAN_NET_INBOUND_REFUSED, "inbound_refused")    /* By classify(). */                        \
    X(SPEAN_NET_LOBBY_FULL, "lobby_full")              /* By the limits above. */                  \
    X(SPEAN_NET_ZAP_MALFORMED, "zap_malformed")        /* Not CURVE. */                            \
    X(SPEAN_NET_SILENT, "silent_cut")                  /* Connected and said nothing. */           \
    X(SPEAN_NET_ENDLESS, "endless_cut")                /* A message that never ends. */            \
    X(SPEAN_NET_FRAMES, "frames_dropped")              /* A message not of one frame. */           \
    X(SPEAN_NET_ROUTE, "route_dropped")                /* It chose a routing id itself. */         \
    X(SPEAN_NET_IDENTITY, "identity_dropped")          /* User-Id absent, or another key's. */     \
    X(SPEAN_NET_MUTE, "mute_dropped")                  /* From a link that is not served. */       \
    X(SPEAN_NET_REPLACED, "replaced")                  /* See SPEAN_DOWN_REPLACED. */              \
    X(SPEAN_NET_DIAL_UNREACHABLE, "dial_unreachable")  /* See enum spean_dial_state. */            \
    X(SPEAN_NET_DIAL_CUT, "dial_handshake_cut")                                                    \
    X(SPEAN_NET_DIAL_PROTOCOL, "dial_protocol")                                                    \
    X(SPEAN_NET_DIAL_REFUSED, "dial_refused")                                                      \
    X(SPEAN_NET_DIAL_LOST, "dial_lost")                                                            \
    X(SPEAN_NET_REBOUND, "rebound")                                                                \
    X(SPEAN_NET_BIND_FAILED, "bind_failed") /* After a rebind; it is tried again. */

#define SPEAN_NET_ENUM(code, name) code,
enum spean_net_event { SPEAN_NET_TABLE(SPEAN_NET_ENUM) SPEAN_NET_EVENTS_COUNT };
#undef SPEAN_NET_ENUM

/* How the node that we dial answers. */
enum spean_dial_state {
    SPEAN_DIAL_NONE,        /* That key is not dialled. */
    SPEAN_DIAL_TRYING,      /* Nothing has gone wrong yet. */
    SPEAN_DIAL_UP,          /* There is a link. */
    SPEAN_DIAL_UNREACHABLE, /* Nobody answers there: offline, or another address. */
    SPEAN_DIAL_CUT,         /* It hangs up at our hello: wrong key, it may have rotated. */
    SPEAN_DIAL_PROTOCOL,    /* Something else answers there. */
    SPEAN_DIAL_REFUSED,     /* It does not admit our key, or not yet. */
    SPEAN_DIAL_LOST,        /* There was a link; it is dialled again. */
};

/*
 * The owner's side. A callback may send, drop, dial, undial and reclassify; it must not work or
 * free the transport. All but classify and on_event are called from spean_transport_work() only.
 */
struct spean_transport_calls {
    void *ctx;

    /* Say what key may do, from memory: it stands between a stranger and the door. */
    enum spean_admission (*classify)(void *ctx, const struct spean_key *key);

    void (*on_up)(void *ctx, struct spean_link *link);

    /* One message; view lives until the call returns. */
    void (*on_message)(void *ctx, struct spean_link *link, struct spean_view view);

    /* The last call about link; it is freed after. Not called after spean_transport_drop(). */
    void (*on_down)(void *ctx, struct spean_link *link, enum spean_down reason);

    /* After SPEAN_EBUSY: link may take messages again. Sending may still say SPEAN_EBUSY. */
    void (*on_writable)(void *ctx, struct spean_link *link);

    /*
     * count is how often it has happened so far; peer the first four hex digits of a key, or "".
     * At most one call a minute for each kind of event, so that strangers cannot fill a log.
     */
    void (*on_event)(void *ctx, enum spean_net_event event, const char *peer, uint64_t count);
};

/* Borrowed for spean_transport_new(); everything kept is copied. */
struct spean_transport_options {
    const uint8_t *secret;                        /* SPEAN_KEY_BYTES; copied to locked memory. */
    struct spean_key key;                         /* The public key of secret. */
    const char *binds[SPEAN_TRANSPORT_BINDS_MAX]; /* "tcp://[::]:7431"; NULL ends it early. */
    const char *socks_proxy;                      /* "127.0.0.1:9050" for all dials, or NULL. */
    uint32_t frame_bytes_max; /* 0: SPEAN_TRANSPORT_FRAME_BYTES_MAX; at least 1024. */
    struct spean_transport_calls calls;
};

/*
 * Start: handler first, then the self-test (node/selftest.h), then the listeners. It owns the one
 * ZeroMQ context of the process. Blocks for the self-test. Start libsodium before.
 * SPEAN_EINPUT: an endpoint, the proxy or the limit is not usable. SPEAN_EEXISTS: an address is
 * taken. SPEAN_EDENIED: the self-test saw a stranger let in: never start such a node. SPEAN_EIO,
 * SPEAN_ENOMEM: as named.
 */
SPEAN_CHECK spean_err spean_transport_new(struct spean_transport **out,
                                          const struct spean_transport_options *options);

/* Close everything; what was not sent is lost. No callback is made. NULL is allowed. */
void spean_transport_free(struct spean_transport *t);

/* The endpoint really bound for binds[i], with its port; "" beyond the last. Belongs to t. */
const char *spean_transport_bound(const struct spean_transport *t, size_t i);

/*
 * Write what to poll into items, which has room for cap, and how many into *count. Ask again
 * before each zmq_poll(): sockets come and go. SPEAN_ELIMIT: cap is too small;
 * SPEAN_TRANSPORT_POLL_ITEMS_MAX is always enough.
 */
SPEAN_CHECK spean_err spean_transport_poll_items(const struct spean_transport *t,
                                                 zmq_pollitem_t *items, size_t cap, size_t *count);

/* How long to poll at most, in ms from now_ms; -1 for ever. */
long spean_transport_wait_ms(const struct spean_transport *t, uint64_t now_ms);

/*
 * Do what is due and hand over at most budget messages, fairly between links. now_ms comes from a
 * clock that never goes back. Returns the number handed over; if that is budget, there may be
 * more: the next zmq_poll() returns at once.
 */
size_t spean_transport_work(struct spean_transport *t, uint64_t now_ms, size_t budget);

/*
 * Dial the node with this key at endpoint ("tcp://host:port") and again whenever the link breaks,
 * after 1 s at first and at most 3 minutes. A host name is resolved on libzmq's only I/O thread:
 * prefer addresses.
 * SPEAN_EEXISTS: key is dialled already; undial it to change its endpoint. SPEAN_EDENIED:
 * classify() refuses key, or it is our own. SPEAN_ELIMIT: DIALS_MAX. SPEAN_EINPUT: not a usable
 * endpoint. SPEAN_EIO, SPEAN_ENOMEM: no socket to be had.
 */
SPEAN_CHECK spean_err spean_transport_dial(struct spean_transport *t, const struct spean_key *key,
                                           const char *endpoint);

/* Stop dialling key; its dialled link, if any, is dropped. Not dialled: nothing happens. */
void spean_transport_undial(struct spean_transport *t, const struct spean_key *key);

/* How dialling key goes, and one English sentence part about it for people. */
enum spean_dial_state spean_transport_dial_state(const struct spean_transport *t,
                                                 const struct spean_key *key);

/*
 * Send one message. SPEAN_EBUSY: the pipe is full; keep the message, stop reading that peer's
 * requests, try again at on_writable(). SPEAN_ESTATE: the link is ending; on_down() follows.
 * SPEAN_ELIMIT: longer than frame_bytes_max. SPEAN_EIO: lost; the link is ending.
 */
SPEAN_CHECK spean_err spean_transport_send(struct spean_transport *t, struct spean_link *link,
                                           struct spean_view view);

/*
 * Stop serving link: no callback about it any more, and link must not be used again. What was
 * sent may still leave within a second. A dialled peer is not dialled again; an inbound one is
 * ignored until it hangs up and reconnects.
 */
void spean_transport_drop(struct spean_transport *t, struct spean_link *link);

/*
 * Authority changed: ask classify() again for every link and dial. A link whose class changed comes
 * down; an inbound one comes up again on its connection (spean_link_again()), a dialled one is
 * dialled again at once, so that both sides begin anew. When this returns nothing more
 * goes to or comes from a refused key; on_down() follows. If one of them is inbound, the listener
 * is made anew, which all inbound peers notice (libzmq cannot disconnect one of them).
 */
void spean_transport_reclassify(struct spean_transport *t);

/* Make the listener anew at the same endpoints. on_down() follows for every inbound link. */
void spean_transport_rebind(struct spean_transport *t);

/* How often event has happened, and its stable name. */
uint64_t spean_transport_count(const struct spean_transport *t, enum spean_net_event event);
const char *spean_net_event_name(enum spean_net_event event);

/* What is fixed for a link's life. The key belongs to link. */
uint64_t spean_link_id(const struct spean_link *link); /* From 1, never used twice. */
const struct spean_key *spean_link_key(const struct spean_link *link);
enum spean_admission spean_link_admission(const struct spean_link *link);
bool spean_link_dialled(const struct spean_link *link);

/* Whether an inbound connection was a link of another class before: its peer does not know yet. */
bool spean_link_again(const struct spean_link *link);

/* Stable names for logs: "lost". */
const char *spean_down_name(enum spean_down reason);

#endif
