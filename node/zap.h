/*
 * node/zap.h - answers libzmq's question whether a connection with this key may come in (ZAP,
 * RFC 27). It must be bound before any data socket: without a handler CURVE lets everybody in.
 */
#ifndef SPEAN_NODE_ZAP_H
#define SPEAN_NODE_ZAP_H

#include <stdbool.h>
#include <stddef.h>

#include "protocol/bytes.h"
#include "protocol/err.h"

#define SPEAN_ZAP_DOMAIN          "spean"
#define SPEAN_ZAP_DOMAIN_SELFTEST "spean-selftest" /* Nobody is ever admitted to it. */

#define SPEAN_ZAP_FIELD_BYTES_MAX 255u /* Of a request's frames; RFC 27 asks for no more. */
#define SPEAN_ZAP_USER_ID_BYTES   (2u * SPEAN_KEY_BYTES) /* The key in lower-case hex. */

/* Say whether the holder of key may connect in domain. Called from spean_zap_work() only. */
typedef bool spean_zap_decide(void *ctx, const char *domain, const struct spean_key *key);

struct spean_zap; /* Opaque. */

/*
 * Bind the handler in the context zmq. The caller frees it after all data sockets of zmq.
 * SPEAN_EEXISTS: the context has one already. SPEAN_EIO, SPEAN_ENOMEM: cannot start.
 */
SPEAN_CHECK spean_err spean_zap_new(struct spean_zap **out, void *zmq, spean_zap_decide *decide,
                                    void *ctx);
void spean_zap_free(struct spean_zap *zap); /* NULL is allowed. */

/* The socket to poll for input; it belongs to zap. */
void *spean_zap_socket(const struct spean_zap *zap);

/*
 * Answer at most requests_max requests. An admitted peer's messages carry its key as User-Id.
 * Returns how many were malformed or not CURVE, and therefore refused unasked.
 */
size_t spean_zap_work(struct spean_zap *zap, size_t requests_max);

#endif
