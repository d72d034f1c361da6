/*
 * tools/compose.h - the documents that a person signs with the admin key: founding a ledger, a
 * first node, a new member.
 *
 * Everything that a document builds on comes from the daemon and is verified here again, whole
 * chains of it, before the organisation's or the steward's key signs; and what was signed is
 * applied to that chain, so that nothing leaves that partners would refuse.
 */
#ifndef SPEAN_TOOLS_COMPOSE_H
#define SPEAN_TOOLS_COMPOSE_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "protocol/bytes.h"
#include "protocol/charter.h"
#include "protocol/err.h"
#include "protocol/limits.h"
#include "store/adminkey.h"

#define SPEAN_COMPOSE_DELAY_S 259200u /* Of erasures in a new ledger: three days. */

/* A new document, as the daemon takes it. */
struct spean_composed {
    json_t *hex; /* A string; the caller frees it. */
    struct spean_id id;
    uint64_t version;
};

/*
 * Compose version 1 of a charter: the ledger name, founded by the org of admin, its charter key the
 * only steward, its org the only member. Erasures destroy after erasure_delay_s. random is
 * SPEAN_CHARTER_RANDOM_BYTES fresh bytes.
 * SPEAN_EINPUT: the name is empty, too long or not UTF-8. SPEAN_ENOMEM.
 */
SPEAN_CHECK spean_err spean_compose_genesis(const struct spean_adminkey *admin, const char *name,
                                            uint64_t erasure_delay_s,
                                            const uint8_t random[SPEAN_CHARTER_RANDOM_BYTES],
                                            struct spean_composed *out);

/*
 * Compose the version of the org's statement that opens its first node in the ledger of handle.
 * node is the answer to GET /v1/node, acceptance that to POST /v1/node/accept. Where the statement
 * has this node in this ledger already, its last version is given again.
 * SPEAN_EDENIED: the admin key is another organisation's, or cannot sign alone. SPEAN_ESTATE: the
 * organisation belongs to another ledger. SPEAN_EFORMAT, SPEAN_ECHAIN, SPEAN_ESIGNATURE, ...: what
 * the daemon said does not hold. SPEAN_ENOMEM.
 */
SPEAN_CHECK spean_err spean_compose_node(const struct spean_adminkey *admin, const json_t *node,
                                         const struct spean_handle *handle,
                                         const json_t *acceptance, struct spean_composed *out);

/*
 * Compose the version that adds a further node, as a row of GET /v1/nodes that waits names it.
 * SPEAN_ESTATE: the statement has that key already, or belongs to no ledger. SPEAN_ESIGNATURE: the
 * node never agreed. Otherwise as spean_compose_node().
 */
SPEAN_CHECK spean_err spean_compose_further(const struct spean_adminkey *admin, const json_t *node,
                                            const json_t *row, struct spean_composed *out);

/*
 * Compose the version that closes a node's log at the head that the row names. SPEAN_ESTATE: it is
 * closed already, or no such node. SPEAN_ELIMIT: it is the last open one. Otherwise as
 * spean_compose_node().
 */
SPEAN_CHECK spean_err spean_compose_retired(const struct spean_adminkey *admin, const json_t *node,
                                            const json_t *row, struct spean_composed *out);

/* Say whether the statement in node (GET /v1/node) opens this very node in the ledger of handle, so
 * that no acceptance is needed. False also where the statement does not hold. */
bool spean_compose_node_opened(const json_t *node, const struct spean_handle *handle);

/*
 * Check a newcomer as GET /v1/pending gives it: the statements are a chain of the org that the row
 * names, for the ledger of handle, with a node; give the org. SPEAN_EFORMAT, SPEAN_ECHAIN,
 * SPEAN_ESIGNATURE, SPEAN_ESTATE: they are not; send it away. SPEAN_ENOMEM.
 */
SPEAN_CHECK spean_err spean_compose_newcomer(const json_t *pending,
                                             const struct spean_handle *handle,
                                             struct spean_id *org);

/*
 * Compose the charter version that makes org an active member. charter is the answer to GET
 * /v1/charter.
 * SPEAN_EEXISTS: it is one. SPEAN_ESTATE: it was removed, which is for ever. SPEAN_EDENIED: admin
 * holds no steward's key, or the charter wants several. Otherwise as spean_compose_node().
 */
SPEAN_CHECK spean_err spean_compose_member(const struct spean_adminkey *admin,
                                           const json_t *charter, const struct spean_id *org,
                                           struct spean_composed *out);

/*
 * Compose the charter version that names, or with named false no longer names, the node with this
 * signing key of org as a relay; the other relays stay. SPEAN_EEXISTS: it is so already. Otherwise
 * as spean_compose_member().
 */
SPEAN_CHECK spean_err spean_compose_relay(const struct spean_adminkey *admin, const json_t *charter,
                                          const struct spean_relay *relay, bool named,
                                          struct spean_composed *out);

/* Work out the handle of the ledger whose charter was given. Errors as spean_compose_member(). */
SPEAN_CHECK spean_err spean_compose_handle(const json_t *charter, struct spean_handle *handle);

#endif
