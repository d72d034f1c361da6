/*
 * node/socket.h - makes the two kinds of data socket, with every option that libzmq 4.3.4 needs
 * to be safe on the open internet, and reads their messages frame by frame.
 */
#ifndef SPEAN_NODE_SOCKET_H
#define SPEAN_NODE_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zmq.h>

#include "protocol/bytes.h"
#include "protocol/err.h"

#define SPEAN_SOCKET_HWM             64 /* Messages per link and direction; honest peers pull. */
#define SPEAN_SOCKET_ENDPOINT_BYTES  256u
#define SPEAN_SOCKET_FRAME_BYTES_MIN 1024u /* The limit also holds for the handshake's frames. */
#define SPEAN_CURVE_OVERHEAD_BYTES   33u   /* Of a CURVE frame, within ZMQ_MAXMSGSIZE. */
#define SPEAN_RECONNECT_MS           1000
#define SPEAN_RECONNECT_MAX_MS       120000

/* What both ends of a link are made of. Everything is borrowed for the call. */
struct spean_socket_options {
    const uint8_t *secret;            /* SPEAN_KEY_BYTES of our transport secret key. */
    const struct spean_key *key;      /* Our transport public key. */
    const char *zap_domain;           /* Not empty; dialled sockets do not use it. */
    const char *socks_proxy;          /* "host:port" or NULL; dialled sockets only. */
    uint32_t frame_bytes_max;         /* Of a payload; a longer one cuts its sender. */
    const struct spean_key *peer_key; /* Of the node that is dialled. */
};

/* Translate an errno that a zmq_ function left. EAGAIN and EINTR become SPEAN_EBUSY. */
spean_err spean_socket_err(int number);

/*
 * Make a ROUTER that serves CURVE, or a DEALER that dials with it; not bound or connected yet.
 * The caller closes it with spean_socket_close(). SPEAN_EIO: an option was refused (no socket is
 * better than one without it) or no socket is left. SPEAN_EINPUT: a value is not usable.
 */
SPEAN_CHECK spean_err spean_socket_listener(void **out, void *zmq,
                                            const struct spean_socket_options *options);
SPEAN_CHECK spean_err spean_socket_dialer(void **out, void *zmq,
                                          const struct spean_socket_options *options);

/* Close at once; what was not sent is lost. NULL is allowed. */
void spean_socket_close(void *socket);

/* Close, but let what was handed over leave for at most linger_ms. */
void spean_socket_close_after(void *socket, int linger_ms);

/* Whether the message being read from socket has further frames. */
bool spean_socket_more(void *socket);

/* A message as it arrived: its first and last frame, which may be the same one. */
struct spean_received {
    size_t frames;
    uint64_t wire_bytes; /* What it took on the wire, about. */
    uint8_t first[8];    /* The first frame's first bytes. */
    size_t first_len;
    zmq_msg_t last;
};

/*
 * Read one whole message if one waits; false if none does. After true the caller closes in->last
 * with zmq_msg_close().
 */
bool spean_socket_receive(void *socket, struct spean_received *in);

/*
 * How many bytes libzmq has read from TCP connection fd, 0 if the kernel will not say. libzmq
 * shows a message only when its last frame is there and does not count the frames before it, so
 * this is the only way to notice a message that never ends.
 */
uint64_t spean_socket_tcp_read(int fd);

#endif
