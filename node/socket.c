#include "node/socket.h"

#include <assert.h>
#include <errno.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/*
 * Debian's zmq.h hides this one behind ZMQ_BUILD_DRAFT_API, but the library has it, and without
 * it a connection for which no ZAP handler is found is let in.
 */
#ifndef ZMQ_ZAP_ENFORCE_DOMAIN
#define ZMQ_ZAP_ENFORCE_DOMAIN 93
#endif

#define WIRE_FRAME_BYTES 42u /* CURVE's overhead and ZMTP's long frame header. */

struct int_option {
    int name;
    int value;
};

static const struct int_option common[] = {
    {ZMQ_LINGER, 0}, /* The log is the queue. */
    {ZMQ_IPV6, 1},
    {ZMQ_SNDHWM, SPEAN_SOCKET_HWM},
    {ZMQ_RCVHWM, SPEAN_SOCKET_HWM},
    {ZMQ_HANDSHAKE_IVL, 20000},
    {ZMQ_HEARTBEAT_IVL, 0}, /* Otherwise a full queue and a cut meet in an assertion. */
    {ZMQ_TCP_KEEPALIVE, 1},
    {ZMQ_TCP_KEEPALIVE_IDLE, 60},
    {ZMQ_TCP_KEEPALIVE_INTVL, 20},
    {ZMQ_TCP_KEEPALIVE_CNT, 4},
};

static const struct int_option listener_only[] = {
    {ZMQ_ROUTER_MANDATORY, 1}, /* A full pipe says so instead of dropping silently. */
    {ZMQ_ROUTER_HANDOVER, 0},  /* Nobody takes over a session by naming its routing id. */
    {ZMQ_CURVE_SERVER, 1},
    {ZMQ_ZAP_ENFORCE_DOMAIN, 1},
};

static const struct int_option dialer_only[] = {
    {ZMQ_IMMEDIATE, 1}, /* Nothing is queued for a connection that does not stand. */
    {ZMQ_CONNECT_TIMEOUT, 15000},
    {ZMQ_RECONNECT_IVL, SPEAN_RECONNECT_MS},
    {ZMQ_RECONNECT_IVL_MAX, SPEAN_RECONNECT_MAX_MS},
};

spean_err spean_socket_err(int number)
{
    switch (number) {
    case EAGAIN:
    case EINTR:
        return SPEAN_EBUSY;
    case ENOMEM:
        return SPEAN_ENOMEM;
    case EINVAL:
    case EPROTONOSUPPORT:
    case ENODEV:
        return SPEAN_EINPUT;
    case EADDRINUSE:
        return SPEAN_EEXISTS;
    case EHOSTUNREACH:
        return SPEAN_ESTATE;
    default:
        return SPEAN_EIO;
    }
}

static bool set_ints(void *socket, const struct int_option *table, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (zmq_setsockopt(socket, table[i].name, &table[i].value, sizeof(int)) != 0) {
            return false;
        }
    }
    return true;
}

static bool set_keys(void *socket, const struct spean_socket_options *options)
{
    const int64_t frame_bytes_max = (int64_t)options->frame_bytes_max + SPEAN_CURVE_OVERHEAD_BYTES;
    return set_ints(socket, common, sizeof(common) / sizeof(common[0])) &&
           zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &frame_bytes_max, sizeof(frame_bytes_max)) == 0 &&
           zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, options->key->bytes, SPEAN_KEY_BYTES) == 0 &&
           zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, options->secret, SPEAN_KEY_BYTES) == 0;
}

static bool set_listener(void *socket, const struct spean_socket_options *options)
{
    /* Option order matters: CURVE_PUBLICKEY makes a client, CURVE_SERVER a server again. */
    return set_keys(socket, options) &&
           zmq_setsockopt(socket, ZMQ_ZAP_DOMAIN, options->zap_domain,
                          strlen(options->zap_domain)) == 0 &&
           set_ints(socket, listener_only, sizeof(listener_only) / sizeof(listener_only[0]));
}

static bool set_dialer(void *socket, const struct spean_socket_options *options)
{
    const char *proxy = options->socks_proxy;
    return set_keys(socket, options) &&
           zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, options->peer_key->bytes, SPEAN_KEY_BYTES) ==
               0 &&
           set_ints(socket, dialer_only, sizeof(dialer_only) / sizeof(dialer_only[0])) &&
           (proxy == NULL || zmq_setsockopt(socket, ZMQ_SOCKS_PROXY, proxy, strlen(proxy)) == 0);
}

static spean_err make(void **out, void *zmq, int type, const struct spean_socket_options *options)
{
    void *socket = zmq_socket(zmq, type);
    if (socket == NULL) {
        return spean_socket_err(errno);
    }
    const bool set =
        type == ZMQ_ROUTER ? set_listener(socket, options) : set_dialer(socket, options);
    if (!set) {
        const spean_err err = spean_socket_err(errno);
        spean_socket_close(socket);
        return err;
    }
    *out = socket;
    return SPEAN_OK;
}

spean_err spean_socket_listener(void **out, void *zmq, const struct spean_socket_options *options)
{
    assert(out != NULL);
    assert(options->zap_domain != NULL && options->zap_domain[0] != '\0');
    return make(out, zmq, ZMQ_ROUTER, options);
}

spean_err spean_socket_dialer(void **out, void *zmq, const struct spean_socket_options *options)
{
    assert(out != NULL);
    assert(options->peer_key != NULL);
    return make(out, zmq, ZMQ_DEALER, options);
}

void spean_socket_close(void *socket)
{
    spean_socket_close_after(socket, 0);
}

void spean_socket_close_after(void *socket, int linger_ms)
{
    if (socket == NULL) {
        return;
    }
    (void)zmq_setsockopt(socket, ZMQ_LINGER, &linger_ms, sizeof(linger_ms)); /* Ours: it stands. */
    (void)zmq_close(socket); /* Fails only for what is no socket. */
}

bool spean_socket_more(void *socket)
{
    int more = 0;
    size_t len = sizeof(more);
    const int rc = zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &len);
    assert(rc == 0); /* RCVMORE of a live socket cannot fail. */
    return more != 0;
}

bool spean_socket_receive(void *socket, struct spean_received *in)
{
    *in = (struct spean_received){.frames = 0};
    (void)zmq_msg_init(&in->last); /* Documented to return 0. */
    for (;;) {
        if (zmq_msg_recv(&in->last, socket, ZMQ_DONTWAIT) < 0) {
            if (errno == EINTR && in->frames > 0) {
                continue; /* libzmq shows only whole messages: the next frame is there. */
            }
            (void)zmq_msg_close(&in->last);
            return false;
        }
        const size_t len = zmq_msg_size(&in->last);
        if (in->frames == 0) {
            in->first_len = len;
            memcpy(in->first, zmq_msg_data(&in->last),
                   len < sizeof(in->first) ? len : sizeof(in->first));
        }
        in->frames++;
        in->wire_bytes += len + WIRE_FRAME_BYTES;
        if (!zmq_msg_more(&in->last)) {
            return true;
        }
    }
}

uint64_t spean_socket_tcp_read(int fd)
{
    struct tcp_info info;
    socklen_t len = sizeof(info);
    int unread = 0;
    memset(&info, 0, sizeof(info));
    if (fd < 0 || getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0 ||
        ioctl(fd, SIOCINQ, &unread) != 0) {
        return 0;
    }
    const uint64_t waiting = unread > 0 ? (uint64_t)unread : 0;
    return info.tcpi_bytes_received > waiting ? info.tcpi_bytes_received - waiting : 0;
}
