/*
 * node/api.h - the local API: HTTP and JSON on a Unix socket, served on a thread of its own.
 *
 * What evhttp cannot parse as HTTP (a malformed request line or header, more than
 * SPEAN_API_HEADER_BYTES_MAX of header, a body over the largest limit, Content-Length together
 * with Transfer-Encoding) it refuses itself: 400 or 413 with a short HTML text, connection closed.
 * Everything else is answered with `application/json; charset=utf-8`, errors as node/reply.h says;
 * answers that go on are `application/x-ndjson` (node/follow.h), and figures are plain text.
 * After any answer from 400 on the connection is closed. `curl --unix-socket` can speak to it.
 */
#ifndef SPEAN_NODE_API_H
#define SPEAN_NODE_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "node/journal.h"
#include "node/local.h"
#include "node/queue.h"
#include "node/route.h"
#include "protocol/err.h"

#define SPEAN_API_HEADER_BYTES_MAX   16384u
#define SPEAN_API_BODY_BYTES_MAX     1048576u
#define SPEAN_API_BIG_BODY_BYTES_MAX 67108864u /* Routes with SPEAN_ROUTE_BIG_BODY. */
#define SPEAN_API_REQUESTS_MAX       256u      /* Being answered at one time; beyond it 503. */
#define SPEAN_API_TIMEOUT_MS         30000u

struct spean_api; /* Opaque. */

/* All of it is copied or, where it is a pointer, lent until spean_api_stop() returns. */
struct spean_api_config {
    const char *socket_path;
    gid_t group;         /* Whose members may connect, or SPEAN_LOCAL_NO_GROUP. */
    uint32_t timeout_ms; /* For a silent or slow client; 0: SPEAN_API_TIMEOUT_MS. */
    /* Whether the caller may use the route, on the API thread; false: reply says why not. It may
     * set request->actor. NULL: whoever may connect may do everything. */
    bool (*permit)(const struct spean_route *route, struct spean_request *request, void *ctx,
                   struct spean_reply *reply);
    struct spean_queue *queue;       /* Where writes go; its answers are collected by the API. */
    const struct spean_journal *log; /* Callers refused, connections that cannot be taken. */
};

/*
 * Serve routes on config->socket_path from a new thread; ctx is given to every handler, on that
 * thread. Handlers of READ routes and checks of WRITE routes are never run concurrently. *out is
 * to be ended with spean_api_stop(). Errors as spean_local_listen(); SPEAN_ENOMEM; SPEAN_EIO: no
 * thread or descriptor to be had.
 */
SPEAN_CHECK spean_err spean_api_start(const struct spean_api_config *config,
                                      const struct spean_route *routes, size_t routes_count,
                                      void *ctx, struct spean_api **out);

/*
 * Stop: remove the socket, accept nothing more, let the requests that are being answered finish
 * for at most deadline_ms, close what is left, join the thread, free api. Close the queue before:
 * then every write in it has its answer and the deadline is not needed. Answers that come later
 * stay in the queue and are freed with it. NULL is allowed.
 */
void spean_api_stop(struct spean_api *api, uint32_t deadline_ms);

#endif
