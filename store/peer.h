/*
 * store/peer.h - what is known of other nodes: when we last met, and what they said they hold.
 *
 * For status ("Osaka has everything up to yesterday"), never for deciding what to serve or fetch.
 */
#ifndef SPEAN_STORE_PEER_H
#define SPEAN_STORE_PEER_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/err.h"
#include "protocol/frontier.h"
#include "protocol/run.h"
#include "store/db.h"

#define SPEAN_PEERS_MAX 65536u

/* A node of an org. */
struct spean_peer {
    struct spean_id org;
    struct spean_key signing;
};

enum spean_peer_way {
    SPEAN_PEER_DIALLED,  /* We called. */
    SPEAN_PEER_ANSWERED, /* It called. */
    SPEAN_PEER_BUNDLE,   /* A file came from it. */
};

struct spean_peer_row {
    uint32_t number; /* This store's own. */
    struct spean_peer peer;
    uint64_t contact_s; /* Seconds since 1970 by our clock; 0: only heard of. */
    enum spean_peer_way way;
};

/* Note that we met a peer. SPEAN_ELIMIT: SPEAN_PEERS_MAX are known; nothing was noted. */
SPEAN_CHECK spean_err spean_peer_contact(struct spean_tx *tx, const struct spean_peer *peer,
                                         enum spean_peer_way way, uint64_t now_s);

/* Note that a peer said that it durably holds log up to place. Later word replaces earlier.
 * SPEAN_ELIMIT as above. SPEAN_ENOTFOUND: nothing of the log is kept here. */
SPEAN_CHECK spean_err spean_peer_holds(struct spean_tx *tx, const struct spean_peer *peer,
                                       const struct spean_id *log, const struct spean_place *place);

/* The same of several logs at once, but only what is more than it said before: reading costs what
 * is held, writing what is new. Logs of which nothing is kept here are passed over. */
SPEAN_CHECK spean_err spean_peer_holds_all(struct spean_tx *tx, const struct spean_peer *peer,
                                           const struct spean_frontier_row *rows, size_t count);

/* Look up a peer. SPEAN_ENOTFOUND: it is not known. SPEAN_ECORRUPT. */
SPEAN_CHECK spean_err spean_peer_get(struct spean_tx *tx, const struct spean_peer *peer,
                                     struct spean_peer_row *out);

/* Give the first peer behind *after in the order of org and signing key (NULL: any).
 * SPEAN_ENOTFOUND: no more. SPEAN_ECORRUPT. */
SPEAN_CHECK spean_err spean_peer_next(struct spean_tx *tx, const struct spean_peer *after,
                                      struct spean_peer_row *out);

/* Up to where a peer said that it holds log. SPEAN_ENOTFOUND: it never said. SPEAN_ECORRUPT. */
SPEAN_CHECK spean_err spean_peer_head(struct spean_tx *tx, const struct spean_peer *peer,
                                      const struct spean_id *log, struct spean_place *out);

/* Give the first log with at least number from of which the peer with that number said that it
 * holds something: to walk over all. SPEAN_ENOTFOUND: no more. SPEAN_ECORRUPT. */
SPEAN_CHECK spean_err spean_peer_next_head(struct spean_tx *tx, uint32_t peer, uint32_t from,
                                           uint32_t *log, struct spean_place *out);

/* For each log number below count, give the highest seq that any peer said it holds; 0: none did.
 * SPEAN_ECORRUPT. */
SPEAN_CHECK spean_err spean_peer_highest(struct spean_tx *tx, uint64_t *highest, uint32_t count);

/* Read the value of a row that says what a peer holds. For store/check.h. SPEAN_ECORRUPT. */
SPEAN_CHECK spean_err spean_peer_head_decode(struct spean_view value, struct spean_place *out);

#endif
