/*
 * node/dialplan.h - when to dial a node again, and at which of its endpoints. No sockets and no
 * clock: the caller tells what the transport says and what time it is.
 *
 * An endpoint that leads to no link is left for the next one that the node's agency record names,
 * and each round takes twice as long as the one before. A session that ends badly is begun again no
 * sooner than SPEAN_DIALPLAN_MS later, and twice as late with each further one: two nodes that
 * refuse each other must not keep each other busy. An endpoint that no record names any more is
 * dialled no more; a link over it that lives is left alone.
 */
#ifndef SPEAN_NODE_DIALPLAN_H
#define SPEAN_NODE_DIALPLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "node/transport.h"
#include "protocol/bytes.h"

#define SPEAN_DIALPLAN_MS            10000u  /* Before the next try, at first. */
#define SPEAN_DIALPLAN_MS_MAX        300000u /* And at last. */
#define SPEAN_DIALPLAN_ENDPOINTS_MAX 8u      /* Of one node; what is beyond is not tried. */

/* How dialling one node goes. Starts as zeros and its key. */
struct spean_dialplan {
    struct spean_key key;
    char endpoint[SPEAN_TRANSPORT_ENDPOINT_BYTES]; /* Dialled last; "": none was. */
    uint64_t since_ms;                             /* It is dialled since then. */
    uint32_t tries;                                /* Endpoints in a row that led to no link. */
    uint32_t failures;                             /* Sessions in a row that ended badly. */
    uint64_t not_before_ms;                        /* The next session. */
};

/* What to do about a node now. */
enum spean_dialplan_next {
    SPEAN_DIALPLAN_LEAVE,  /* As it is. */
    SPEAN_DIALPLAN_DIAL,   /* Dial plan->endpoint, which is another perhaps; undial first. */
    SPEAN_DIALPLAN_UNDIAL, /* It has no endpoint any more. */
};

/* Where a node can be dialled, as records name it; each is shorter than
 * SPEAN_TRANSPORT_ENDPOINT_BYTES. */
struct spean_dialplan_endpoints {
    uint32_t count;
    const char *at[SPEAN_DIALPLAN_ENDPOINTS_MAX];
};

/* Decide, and note what is decided as done. state is what the transport says of the key; hurry:
 * somebody asked, so that nothing is waited for. */
enum spean_dialplan_next spean_dialplan_next(struct spean_dialplan *plan,
                                             const struct spean_dialplan_endpoints *endpoints,
                                             enum spean_dial_state state, bool hurry,
                                             uint64_t now_ms);

/* A session on a link that we dialled ended badly; or did what it was for. */
void spean_dialplan_failed(struct spean_dialplan *plan, uint64_t now_ms);
void spean_dialplan_worked(struct spean_dialplan *plan);

#endif
