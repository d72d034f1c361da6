/* node/monitor.h - what libzmq tells about one socket's connections, from its I/O thread. */
#ifndef SPEAN_NODE_MONITOR_H
#define SPEAN_NODE_MONITOR_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/err.h"

enum spean_monitor_kind {
    SPEAN_MONITOR_ACCEPTED,           /* value: descriptor of the connection. */
    SPEAN_MONITOR_ACCEPT_FAILED,      /* value: errno; EMFILE means too few descriptors. */
    SPEAN_MONITOR_CONNECTED,          /* value: descriptor. */
    SPEAN_MONITOR_ATTEMPT_FAILED,     /* An attempt to connect came to nothing. */
    SPEAN_MONITOR_RETRIED,            /* Could not connect; value: ms until it tries again. */
    SPEAN_MONITOR_HANDSHAKE_DONE,     /* Both keys are proven, and the handler has admitted. */
    SPEAN_MONITOR_HANDSHAKE_CUT,      /* The other end hung up: it cannot read our hello. */
    SPEAN_MONITOR_HANDSHAKE_PROTOCOL, /* The other end does not speak CURVE with our key. */
    SPEAN_MONITOR_HANDSHAKE_AUTH,     /* A ZAP handler, ours or theirs, refused. */
    SPEAN_MONITOR_DISCONNECTED,       /* value: descriptor; it is closed after this. */
};

struct spean_monitor_event {
    enum spean_monitor_kind kind;
    int value;
};

struct spean_monitor; /* Opaque. */

/*
 * Watch socket; do it before bind or connect. number is unlike that of every other monitor of
 * the context zmq. Free it before socket is closed. SPEAN_EIO, SPEAN_ENOMEM: not watched.
 */
SPEAN_CHECK spean_err spean_monitor_new(struct spean_monitor **out, void *zmq, void *socket,
                                        uint64_t number);
void spean_monitor_free(struct spean_monitor *m); /* NULL is allowed. */

/* The socket to poll for input; it belongs to m. */
void *spean_monitor_socket(const struct spean_monitor *m);

/* Take the next event; false if none waits. */
bool spean_monitor_next(struct spean_monitor *m, struct spean_monitor_event *event);

#endif
