/* node/lobby.h - what a stranger at our door turned out to be; for node/lobby*.c only. */
#ifndef SPEAN_NODE_LOBBY_H
#define SPEAN_NODE_LOBBY_H

#include <stdbool.h>
#include <stdint.h>

#include "node/core.h"
#include "protocol/bytes.h"
#include "protocol/err.h"
#include "protocol/join.h"
#include "protocol/message.h"

/* A JOIN or a NODE that was read. The documents are views into its frame. */
struct core_candidate {
    bool node; /* A further node of our org (P12.5). */
    struct spean_id org;
    struct spean_join join;
    uint32_t documents_count;
    struct spean_view *documents; /* The caller frees the array. */
    uint8_t mac[SPEAN_JOIN_MAC_BYTES];
};

/*
 * Judge a NODE, whose frame is kept as its one document; c->join has handle and both transport
 * keys. SPEAN_EDENIED, SPEAN_ESIGNATURE, SPEAN_ESTATE: it is not one that our org could take in.
 * SPEAN_ENOMEM.
 */
SPEAN_CHECK spean_err core_candidate_node(struct spean_core *core, const struct spean_message *m,
                                          struct spean_view frame, struct core_candidate *c);

/* Read the node of such a frame again. SPEAN_ECORRUPT: it is none. SPEAN_ENOMEM. */
SPEAN_CHECK spean_err core_lobby_read_node(struct spean_view frame,
                                           const struct spean_key *transport,
                                           struct spean_statement_node *out);

#endif
