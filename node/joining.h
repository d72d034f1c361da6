/* node/joining.h - this node's own way into a ledger: the invitation it uses, and how it stands. */
#ifndef SPEAN_NODE_JOINING_H
#define SPEAN_NODE_JOINING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/err.h"
#include "protocol/invite.h"
#include "protocol/join.h"
#include "store/db.h"
#include "store/keystore.h"

#define JOINING_FRAME_BYTES_MAX    262144u
#define JOINING_ENDPOINT_BYTES_MAX (SPEAN_INVITE_ENDPOINT_BYTES_MAX + 8u)

struct spean_core;

/* Plain value; no secret but in frame, which is sealed at rest. */
struct joining {
    bool active; /* There is an invitation, used or in use. */
    struct spean_key transport;
    char endpoint[JOINING_ENDPOINT_BYTES_MAX]; /* "tcp://host:port" */
    struct spean_id statement;              /* Id of our last version, or as spean_join_node(). */
    uint32_t standing;                      /* As the other side said last; 0: nothing yet. */
    char digits[SPEAN_JOIN_DIGITS_LEN + 1]; /* Empty before CHALLENGE. */
    uint8_t *frame;                         /* The JOIN or NODE message. */
    size_t frame_len;
};

void joining_fini(struct joining *j);

/*
 * Compose the JOIN for an invitation. documents is our whole statement chain; statement the id of
 * its last. SPEAN_EINPUT: they do not fit into one message. SPEAN_ENOMEM. After an error j is
 * empty.
 */
SPEAN_CHECK spean_err joining_make(struct joining *j, const struct spean_invite *invite,
                                   const struct spean_key *own_transport,
                                   const struct spean_id *statement,
                                   const struct spean_view *documents, uint32_t documents_count);

/* The same for a further node of the org that the invitation names (P12.5): compose its NODE. */
SPEAN_CHECK spean_err joining_make_node(struct joining *j, const struct spean_invite *invite,
                                        const struct spean_statement_node *node);

/* Keep what was composed, sealed: it is used again after a restart. SPEAN_ELOCKED, SPEAN_ENOMEM;
 * others stick to tx. */
SPEAN_CHECK spean_err joining_keep(const struct joining *j, struct spean_tx *tx,
                                   const struct spean_keys *keys);

/* Read back what joining_keep() kept. SPEAN_ENOTFOUND: nothing. SPEAN_ELOCKED. SPEAN_ECORRUPT. */
SPEAN_CHECK spean_err joining_load(struct joining *j, struct spean_tx *tx,
                                   const struct spean_keys *keys);

#endif
