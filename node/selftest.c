#include "node/selftest.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <zmq.h>

#include "node/monitor.h"
#include "node/socket.h"

#define ZAP_REQUESTS_MAX 16u

struct attempt {
    void *listener;
    void *dialer;
    struct spean_monitor *monitor;
};

static int64_t now_ms(void)
{
    struct timespec ts = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &ts); /* Cannot fail for this clock. */
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Make both sockets with keys of their own: ours say nothing here. */
static spean_err attempt_sockets(struct attempt *a, void *zmq)
{
    uint8_t secrets[2][SPEAN_KEY_BYTES];
    struct spean_key keys[2];
    (void)crypto_box_keypair(keys[0].bytes, secrets[0]); /* Documented to return 0. */
    (void)crypto_box_keypair(keys[1].bytes, secrets[1]);

    const struct spean_socket_options listener = {.secret = secrets[0],
                                                  .key = &keys[0],
                                                  .zap_domain = SPEAN_ZAP_DOMAIN_SELFTEST,
                                                  .frame_bytes_max = SPEAN_SOCKET_FRAME_BYTES_MIN};
    const struct spean_socket_options dialer = {.secret = secrets[1],
                                                .key = &keys[1],
                                                .frame_bytes_max = SPEAN_SOCKET_FRAME_BYTES_MIN,
                                                .peer_key = &keys[0]};
    spean_err err = spean_socket_listener(&a->listener, zmq, &listener);
    if (err == SPEAN_OK) {
        err = spean_socket_dialer(&a->dialer, zmq, &dialer);
    }
    sodium_memzero(secrets, sizeof(secrets));
    return err;
}

static spean_err attempt_connect(struct attempt *a, void *zmq)
{
    char endpoint[SPEAN_SOCKET_ENDPOINT_BYTES];
    size_t len = sizeof(endpoint);
    const spean_err err = spean_monitor_new(&a->monitor, zmq, a->listener, 0);
    if (err != SPEAN_OK) {
        return err;
    }
    if ((zmq_bind(a->listener, "tcp://127.0.0.1:*") != 0 &&
         zmq_bind(a->listener, "tcp://[::1]:*") != 0) ||
        zmq_getsockopt(a->listener, ZMQ_LAST_ENDPOINT, endpoint, &len) != 0 ||
        zmq_connect(a->dialer, endpoint) != 0) {
        return SPEAN_EIO;
    }
    return SPEAN_OK;
}

/* The verdict that an event of the listener gives; SPEAN_EBUSY: none yet. */
static spean_err verdict(enum spean_monitor_kind kind)
{
    switch (kind) {
    case SPEAN_MONITOR_HANDSHAKE_AUTH:
        return SPEAN_OK;
    case SPEAN_MONITOR_HANDSHAKE_DONE:
        return SPEAN_EDENIED;
    case SPEAN_MONITOR_HANDSHAKE_CUT:
    case SPEAN_MONITOR_HANDSHAKE_PROTOCOL:
        return SPEAN_EIO;
    case SPEAN_MONITOR_ACCEPTED:
    case SPEAN_MONITOR_ACCEPT_FAILED:
    case SPEAN_MONITOR_CONNECTED:
    case SPEAN_MONITOR_ATTEMPT_FAILED:
    case SPEAN_MONITOR_RETRIED:
    case SPEAN_MONITOR_DISCONNECTED:
        break;
    }
    return SPEAN_EBUSY;
}

static spean_err attempt_watch(struct attempt *a, struct spean_zap *zap)
{
    const int64_t deadline_ms = now_ms() + SPEAN_SELFTEST_DEADLINE_MS;
    zmq_pollitem_t items[] = {
        {.socket = spean_monitor_socket(a->monitor), .events = ZMQ_POLLIN},
        {.socket = zap != NULL ? spean_zap_socket(zap) : NULL, .fd = -1, .events = ZMQ_POLLIN},
    };
    const int items_count = zap != NULL ? 2 : 1;

    for (int64_t left_ms = SPEAN_SELFTEST_DEADLINE_MS; left_ms > 0;
         left_ms = deadline_ms - now_ms()) {
        if (zmq_poll(items, items_count, (long)left_ms) < 0 && errno != EINTR) {
            return SPEAN_EIO;
        }
        if (zap != NULL) {
            (void)spean_zap_work(zap, ZAP_REQUESTS_MAX); /* Counts are for data sockets. */
        }
        struct spean_monitor_event event;
        while (spean_monitor_next(a->monitor, &event)) {
            const spean_err err = verdict(event.kind);
            if (err != SPEAN_EBUSY) {
                return err;
            }
        }
    }
    return SPEAN_EIO;
}

spean_err spean_selftest_run(void *zmq, struct spean_zap *zap)
{
    assert(zmq != NULL);

    struct attempt a = {0};
    spean_err err = attempt_sockets(&a, zmq);
    if (err == SPEAN_OK) {
        err = attempt_connect(&a, zmq);
    }
    if (err == SPEAN_OK) {
        err = attempt_watch(&a, zap);
    }
    spean_socket_close(a.dialer);
    spean_monitor_free(a.monitor);
    spean_socket_close(a.listener);
    return err == SPEAN_OK || err == SPEAN_EDENIED ? err : SPEAN_EIO;
}
