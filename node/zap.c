#include "node/zap.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "node/socket.h"

#define ZAP_ENDPOINT  "inproc://zeromq.zap.01"
#define ZAP_VERSION   "1.0"
#define ZAP_ADMITTED  "200"
#define ZAP_REFUSED   "400" /* Not 300: 4.3.4 then leaves the connection open, without a word. */
#define ZAP_MALFORMED "500"

/* A CURVE request, as RFC 27 orders its frames. */
enum { VERSION, REQUEST_ID, DOMAIN, ADDRESS, IDENTITY, MECHANISM, CREDENTIALS, FIELDS_COUNT };

struct field {
    size_t len;
    char data[SPEAN_ZAP_FIELD_BYTES_MAX + 1]; /* A zero behind it. */
};

struct spean_zap {
    void *socket;
    spean_zap_decide *decide;
    void *ctx;
    struct field request[FIELDS_COUNT];
};

spean_err spean_zap_new(struct spean_zap **out, void *zmq, spean_zap_decide *decide, void *ctx)
{
    assert(out != NULL);
    assert(zmq != NULL);
    assert(decide != NULL);

    struct spean_zap *zap = calloc(1, sizeof(*zap));
    if (zap == NULL) {
        return SPEAN_ENOMEM;
    }
    zap->decide = decide;
    zap->ctx = ctx;
    zap->socket = zmq_socket(zmq, ZMQ_REP);
    if (zap->socket == NULL || zmq_bind(zap->socket, ZAP_ENDPOINT) != 0) {
        const spean_err err = spean_socket_err(errno);
        spean_zap_free(zap);
        return err;
    }
    *out = zap;
    return SPEAN_OK;
}

void spean_zap_free(struct spean_zap *zap)
{
    if (zap == NULL) {
        return;
    }
    spean_socket_close(zap->socket);
    free(zap);
}

void *spean_zap_socket(const struct spean_zap *zap)
{
    assert(zap != NULL);
    return zap->socket;
}

/* Read all frames of one request. False: none waits. *fits says that it had the right shape. */
static bool request_read(struct spean_zap *zap, bool *fits)
{
    memset(zap->request, 0, sizeof(zap->request));
    size_t frames = 0;
    bool more = true;
    *fits = true;
    while (more) {
        char spare[SPEAN_ZAP_FIELD_BYTES_MAX];
        char *into = frames < FIELDS_COUNT ? zap->request[frames].data : spare;
        const int len = zmq_recv(zap->socket, into, SPEAN_ZAP_FIELD_BYTES_MAX, ZMQ_DONTWAIT);
        if (len < 0 && errno == EINTR && frames > 0) {
            continue;
        }
        if (len < 0) {
            return false;
        }
        *fits = *fits && frames < FIELDS_COUNT && len <= (int)SPEAN_ZAP_FIELD_BYTES_MAX;
        if (*fits) {
            zap->request[frames].len = (size_t)len;
        }
        frames++;
        more = spean_socket_more(zap->socket);
    }
    *fits = *fits && frames == FIELDS_COUNT;
    return true;
}

static bool field_is(const struct field *field, const char *text)
{
    return field->len == strlen(text) && memcmp(field->data, text, field->len) == 0;
}

static bool request_is_curve(const struct spean_zap *zap)
{
    return field_is(&zap->request[VERSION], ZAP_VERSION) && zap->request[REQUEST_ID].len > 0 &&
           zap->request[DOMAIN].len == strlen(zap->request[DOMAIN].data) &&
           field_is(&zap->request[MECHANISM], "CURVE") &&
           zap->request[CREDENTIALS].len == SPEAN_KEY_BYTES;
}

static void answer(struct spean_zap *zap, const char *status, const char *user_id)
{
    const struct field *id = &zap->request[REQUEST_ID];
    const struct {
        const void *data;
        size_t len;
    } frames[] = {
        {ZAP_VERSION, strlen(ZAP_VERSION)}, {id->data, id->len},
        {status, strlen(status)},           {"", 0},
        {user_id, strlen(user_id)},         {"", 0},
    };
    const size_t count = sizeof(frames) / sizeof(frames[0]);
    for (size_t i = 0; i < count; i++) {
        const int flags = ZMQ_DONTWAIT | (i + 1 < count ? ZMQ_SNDMORE : 0);
        int rc;
        do {
            rc = zmq_send(zap->socket, frames[i].data, frames[i].len, flags);
        } while (rc < 0 && errno == EINTR);
        /* A REP that has just received always takes its answer; if the asker is gone, it drops. */
        assert(rc >= 0);
    }
}

size_t spean_zap_work(struct spean_zap *zap, size_t requests_max)
{
    assert(zap != NULL);

    size_t malformed = 0;
    for (size_t i = 0; i < requests_max; i++) {
        bool fits;
        if (!request_read(zap, &fits)) {
            break;
        }
        if (!fits || !request_is_curve(zap)) {
            malformed++;
            answer(zap, ZAP_MALFORMED, "");
            continue;
        }
        struct spean_key key;
        char user_id[SPEAN_ZAP_USER_ID_BYTES + 1];
        memcpy(key.bytes, zap->request[CREDENTIALS].data, sizeof(key.bytes));
        (void)sodium_bin2hex(user_id, sizeof(user_id), key.bytes, sizeof(key.bytes));
        if (zap->decide(zap->ctx, zap->request[DOMAIN].data, &key)) {
            answer(zap, ZAP_ADMITTED, user_id);
        } else {
            answer(zap, ZAP_REFUSED, "");
        }
    }
    return malformed;
}
