/* node/lobby.h - what a stranger at our door turned out to be, and how it is sent away; for
 * node/lobby*.c and the routes about newcomers only. */
#ifndef SPEAN_NODE_LOBBY_H
#define SPEAN_NODE_LOBBY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/core.h"
#include "protocol/bytes.h"
#include "protocol/err.h"
#include "protocol/join.h"
#include "protocol/message.h"
#include "store/lobby.h"

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

/* Whether bytes begin with these digits, of which there must be four at least. */
bool core_lobby_begins(const uint8_t *bytes, size_t len, const char *prefix);

/*
 * Send away the one newcomer that waits and that picks says is meant by prefix; of a dry run
 * nothing is kept. SPEAN_ENOTFOUND: there is none. SPEAN_EEXISTS: several are meant. SPEAN_ELOCKED;
 * others as spean_tx_begin(). After an error all of them wait as before.
 */
SPEAN_CHECK spean_err core_lobby_refuse(struct spean_core *core, const char *prefix,
                                        bool (*picks)(const struct spean_lobby_newcomer *newcomer,
                                                      const char *prefix),
                                        bool dry);

#endif
