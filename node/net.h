/*
 * node/net.h - what the listener and the dialer share: links, counters, and the owner's calls.
 * Inner part of node/transport.h; nobody else includes it.
 */
#ifndef SPEAN_NODE_NET_H
#define SPEAN_NODE_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "node/socket.h"
#include "node/transport.h"

#define SPEAN_NET_RETRY_MS          10u   /* First wait after a full pipe of the listener's, */
#define SPEAN_NET_RETRY_MAX_MS      1000u /* doubled up to this. */
#define SPEAN_NET_GUARD_MS          1000u /* How often connections are looked over. */
#define SPEAN_NET_EVENT_EVERY_MS    60000u
#define SPEAN_NET_BUFFERS_BYTES_MAX (2u * 1024u * 1024u) /* Frame headers, decoder, handshake. */

/* Only a link that is up is served. The others wait for node/listener.c or node/dialer.c. */
enum spean_link_state {
    SPEAN_LINK_UP,
    SPEAN_LINK_ENDING, /* on_down() is owed, with reason. */
    SPEAN_LINK_MUTE,   /* Nothing is owed; what it says is ignored. */
};

struct spean_dial;

struct spean_link {
    uint64_t id;
    struct spean_key key;
    enum spean_admission admission;
    enum spean_link_state state;
    enum spean_down reason;
    struct spean_dial *dial; /* NULL: inbound. */
    uint32_t route;          /* Inbound: the routing id that the listener gave it. */
    bool again;              /* Inbound: the connection was another link before. */
    bool blocked;            /* SPEAN_EBUSY was said and on_writable() is owed. */
    uint32_t retry_ms;
    uint64_t retry_at_ms;
};

struct spean_net {
    void *zmq;
    bool zmq_stays;  /* A socket could not be closed: the context cannot end before the process. */
    uint8_t *secret; /* Locked memory. */
    struct spean_key key;
    uint32_t frame_bytes_max;
    bool has_proxy;
    char socks_proxy[SPEAN_TRANSPORT_ENDPOINT_BYTES];
    struct spean_transport_calls calls;
    uint64_t now_ms;
    uint64_t last_link_id;
    uint64_t last_monitor;
    bool unsettled; /* A link or dial was marked; the next work must not wait. */
    uint64_t counts[SPEAN_NET_EVENTS_COUNT];
    uint64_t told_at_ms[SPEAN_NET_EVENTS_COUNT];
};

/* Count event; tell the owner unless told within the minute. key NULL: nobody's. */
void spean_net_note(struct spean_net *net, enum spean_net_event event, const struct spean_key *key);

/* A new link that is up, not yet announced; NULL without memory. Freed with free(). */
struct spean_link *spean_net_link_new(struct spean_net *net, const struct spean_key *key,
                                      enum spean_admission admission);

/* Mark link as ending unless it is already. */
void spean_net_link_end(struct spean_net *net, struct spean_link *link, enum spean_down reason);

/* Ask classify() again about a link that is up; mark it as ending if the answer changed. */
void spean_net_link_reclassify(struct spean_net *net, struct spean_link *link);

/* Say on_down() for a link that is ending; after it is mute. */
void spean_net_link_down(struct spean_net *net, struct spean_link *link);

/*
 * Whether a connection on fd, of which taken bytes were shown to us, has more in libzmq than its
 * queue can hold: then somebody sends a message that never ends.
 */
bool spean_net_is_endless(const struct spean_net *net, int fd, uint64_t taken);

#endif
