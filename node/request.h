/* node/request.h - one request to the local API, read strictly. */
#ifndef SPEAN_NODE_REQUEST_H
#define SPEAN_NODE_REQUEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "protocol/change.h"
#include "protocol/err.h"

#define SPEAN_TARGET_BYTES_MAX    4096u /* Path and query as they arrive. */
#define SPEAN_REQUEST_PARAMS_MAX  4u    /* `{name}` places in one route. */
#define SPEAN_QUERY_PAIRS_MAX     16u
#define SPEAN_REQUEST_VALUE_BYTES 256u /* One decoded parameter, without its NUL. */
#define SPEAN_JSON_DEPTH_MAX      32u
#define SPEAN_PAGE_LIMIT_DEFAULT  100u
#define SPEAN_PAGE_LIMIT_MAX      1000u

/* Who is at the other end of the socket, as the kernel told when it connected. */
struct spean_caller {
    uid_t uid;
    gid_t gid;
    pid_t pid;
};

/* One `name=value` of a query, or one `{name}` of a path; decoded, without control characters. */
struct spean_param {
    char name[SPEAN_REQUEST_VALUE_BYTES + 1];
    char value[SPEAN_REQUEST_VALUE_BYTES + 1];
};

/* Owned by whoever holds it; free with spean_request_free(). Nothing in it points outside it. */
struct spean_request {
    struct spean_caller caller;
    char actor[SPEAN_ACTOR_BYTES_MAX + 1]; /* Pseudonym of the person behind it; "": none known. */
    struct spean_param params[SPEAN_REQUEST_PARAMS_MAX];
    struct spean_param query[SPEAN_QUERY_PAIRS_MAX];
    uint32_t params_count;
    uint32_t query_count;
    json_t *body; /* An object; an empty one when the request had no body. */
};

/* A stretch of a list: at most limit items after the cursor, which is "" at the start. */
struct spean_page {
    uint32_t limit;
    const char *after; /* Lives as long as the request. */
};

/* A passphrase or credential in the body is wiped. NULL is allowed. */
void spean_request_free(struct spean_request *request);

/*
 * Decode text[0..len) from percent encoding into out, NUL-terminated. '+' stands for itself.
 * SPEAN_EINPUT: a broken escape, a control character, or not UTF-8. SPEAN_ELIMIT: longer than
 * SPEAN_REQUEST_VALUE_BYTES. After an error out holds nothing of use.
 */
SPEAN_CHECK spean_err spean_percent_decode(const char *text, size_t len,
                                           char out[SPEAN_REQUEST_VALUE_BYTES + 1]);

/*
 * Read a query (what follows the '?', NULL for none) into request. SPEAN_EINPUT: a pair without
 * '=' or name, an empty pair, a name given twice, or a value that does not decode. SPEAN_ELIMIT:
 * too many pairs or too long a value. After an error query_count is 0.
 */
SPEAN_CHECK spean_err spean_request_query_read(struct spean_request *request, const char *query);

/* The value of a path's `{name}`; a route that has none of this name is our own mistake. */
const char *spean_request_param(const struct spean_request *request, const char *name);

/* The value of a query parameter, NULL when it was not given. */
const char *spean_request_query(const struct spean_request *request, const char *name);

/* Read `limit` and `after`. SPEAN_EINPUT: limit is not a number from 1 to SPEAN_PAGE_LIMIT_MAX. */
SPEAN_CHECK spean_err spean_request_page(const struct spean_request *request,
                                         struct spean_page *out);

/* Read the cursor of a list whose cursors are numbers; "" is 0. SPEAN_EINPUT: it is none, or above
 * max. */
SPEAN_CHECK spean_err spean_request_after(const struct spean_page *page, uint64_t max,
                                          uint64_t *out);

/*
 * Read JSON text into *out, which the caller releases with json_decref(). It must be one object,
 * in UTF-8, with no key twice, no NUL, and nested at most SPEAN_JSON_DEPTH_MAX deep. SPEAN_ELIMIT:
 * nested too deep. SPEAN_EINPUT: anything else; where[] then says what and where, in English.
 */
#define SPEAN_JSON_WHERE_BYTES 200u
SPEAN_CHECK spean_err spean_json_read(const char *text, size_t len, json_t **out,
                                      char where[SPEAN_JSON_WHERE_BYTES]);

#endif
