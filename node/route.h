/* node/route.h - the table of what the local API answers, and how a path finds its row. */
#ifndef SPEAN_NODE_ROUTE_H
#define SPEAN_NODE_ROUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/queue.h"
#include "node/reply.h"
#include "node/request.h"
#include "protocol/err.h"

#define SPEAN_ROUTE_SEGMENTS_MAX 8u
#define SPEAN_ROUTE_ALLOW_BYTES  64u

#define SPEAN_ROUTE_READ     (1u << 0) /* Answered on the API thread by read(). */
#define SPEAN_ROUTE_WRITE    (1u << 1) /* Done by the core: check(), then run(). */
#define SPEAN_ROUTE_BIG_BODY (1u << 2) /* May bring SPEAN_API_BIG_BODY_BYTES_MAX: imports. */

/* One row. Tables are static and constant; where two rows fit, the upper one counts. */
struct spean_route {
    const char *method; /* "GET", "POST", "PUT", "PATCH" or "DELETE". */
    const char *path;   /* "/v1/agencies/{id}": a `{name}` stands for one whole segment. */
    uint32_t flags;     /* One of READ and WRITE, and perhaps others. */
    const char *query;  /* Names the query may have, "limit after"; NULL: none. A WRITE knows
                           dry_run besides. */
    const char *body;   /* Keys the body may have, "" none; NULL: the handler judges them. */

    /* READ: fill reply, on the API thread. ctx is what spean_api_start() was given. */
    void (*read)(const struct spean_request *request, void *ctx, struct spean_reply *reply);

    /*
     * WRITE: look at job->request on the API thread, put what the core needs into job->data, and
     * return true to go on. To refuse, fill job->reply and return false. NULL: nothing to check.
     */
    bool (*check)(struct spean_job *job, void *ctx);

    /* WRITE: becomes job->run; see node/queue.h. It does nothing where the query says dry_run=1,
     * and its answer then says "dry_run": true. */
    void (*run)(struct spean_job *job, void *core);
};

/* Assert that every row is well formed. A row that is not is our own mistake. */
void spean_route_assert(const struct spean_route *routes, size_t count);

/*
 * Find the row for method and path (without query, still percent-encoded), put its parameters
 * into request, and give it in *out. SPEAN_ENOTFOUND: no row has this path. SPEAN_ESTATE: rows
 * have it for other methods only; spean_route_allow() names them. SPEAN_EINPUT, SPEAN_ELIMIT: a
 * parameter does not decode. After an error request has no parameters.
 */
SPEAN_CHECK spean_err spean_route_find(const struct spean_route *routes, size_t count,
                                       const char *method, const char *path,
                                       struct spean_request *request,
                                       const struct spean_route **out);

/*
 * Whether a request says nothing that its row does not know, in the query or as a key of the body:
 * what was meant, and misspelt, must not be passed over. dry_run is 1, limit as in
 * spean_request_page(). False: reply says what is wrong.
 */
bool spean_route_fits(const struct spean_route *route, const struct spean_request *request,
                      struct spean_reply *reply);

/* Write the methods that path knows to out, as an Allow header wants them: "GET, POST". */
void spean_route_allow(const struct spean_route *routes, size_t count, const char *path,
                       char out[SPEAN_ROUTE_ALLOW_BYTES]);

#endif
