#include "node/monitor.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "node/socket.h"

#define EVENT_BYTES 6u /* Event number (16 bits) and value (32 bits), in host order. */

struct spean_monitor {
    void *watched;
    void *pair;
};

static const struct {
    int event;
    enum spean_monitor_kind kind;
} kinds[] = {
    {ZMQ_EVENT_ACCEPTED, SPEAN_MONITOR_ACCEPTED},
    {ZMQ_EVENT_ACCEPT_FAILED, SPEAN_MONITOR_ACCEPT_FAILED},
    {ZMQ_EVENT_CONNECTED, SPEAN_MONITOR_CONNECTED},
    {ZMQ_EVENT_CLOSED, SPEAN_MONITOR_ATTEMPT_FAILED},
    {ZMQ_EVENT_CONNECT_RETRIED, SPEAN_MONITOR_RETRIED},
    {ZMQ_EVENT_HANDSHAKE_SUCCEEDED, SPEAN_MONITOR_HANDSHAKE_DONE},
    {ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL, SPEAN_MONITOR_HANDSHAKE_CUT},
    {ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL, SPEAN_MONITOR_HANDSHAKE_PROTOCOL},
    {ZMQ_EVENT_HANDSHAKE_FAILED_AUTH, SPEAN_MONITOR_HANDSHAKE_AUTH},
    {ZMQ_EVENT_DISCONNECTED, SPEAN_MONITOR_DISCONNECTED},
};

#define KINDS_COUNT (sizeof(kinds) / sizeof(kinds[0]))

static bool watch(struct spean_monitor *m, void *zmq, uint64_t number)
{
    char name[64];
    (void)snprintf(name, sizeof(name), "inproc://spean.monitor.%" PRIu64, number);
    int events = 0;
    for (size_t i = 0; i < KINDS_COUNT; i++) {
        events |= kinds[i].event;
    }

    m->pair = zmq_socket(zmq, ZMQ_PAIR);
    if (m->pair == NULL) {
        return false;
    }
    /*
     * No high-water mark: libzmq's I/O thread sends these events blocking, with a lock held that
     * zmq_close() takes, so a full pipe would stop all traffic and then us.
     */
    const int unlimited = 0;
    return zmq_setsockopt(m->pair, ZMQ_RCVHWM, &unlimited, sizeof(unlimited)) == 0 &&
           zmq_socket_monitor(m->watched, name, events) == 0 && zmq_connect(m->pair, name) == 0;
}

spean_err spean_monitor_new(struct spean_monitor **out, void *zmq, void *socket, uint64_t number)
{
    assert(out != NULL);
    assert(socket != NULL);

    struct spean_monitor *m = calloc(1, sizeof(*m));
    if (m == NULL) {
        return SPEAN_ENOMEM;
    }
    m->watched = socket;
    if (!watch(m, zmq, number)) {
        const spean_err err = spean_socket_err(errno);
        spean_monitor_free(m);
        return err;
    }
    *out = m;
    return SPEAN_OK;
}

void spean_monitor_free(struct spean_monitor *m)
{
    if (m == NULL) {
        return;
    }
    (void)zmq_socket_monitor(m->watched, NULL, 0); /* Stops it; fails only if it never began. */
    spean_socket_close(m->pair);
    free(m);
}

void *spean_monitor_socket(const struct spean_monitor *m)
{
    assert(m != NULL);
    return m->pair;
}

/* Decode the first frame of an event; false for one that we did not ask for. */
static bool decode(const uint8_t bytes[EVENT_BYTES], struct spean_monitor_event *event)
{
    uint16_t number;
    int32_t value;
    memcpy(&number, bytes, sizeof(number));
    memcpy(&value, bytes + sizeof(number), sizeof(value));
    for (size_t i = 0; i < KINDS_COUNT; i++) {
        if (kinds[i].event == number) {
            *event = (struct spean_monitor_event){.kind = kinds[i].kind, .value = value};
            return true;
        }
    }
    return false;
}

bool spean_monitor_next(struct spean_monitor *m, struct spean_monitor_event *event)
{
    assert(m != NULL);
    assert(event != NULL);

    struct spean_received in;
    while (spean_socket_receive(m->pair, &in)) {
        /* The second frame is an address; nobody needs to know where people connect from. */
        const bool taken = in.first_len == EVENT_BYTES && decode(in.first, event);
        (void)zmq_msg_close(&in.last); /* Ours and initialised: cannot fail. */
        if (taken) {
            return true;
        }
    }
    return false;
}
