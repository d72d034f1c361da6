/*
 * protocol/authority_internal.h - what authority.c keeps and authority_view.c answers from.
 *
 * Nobody else includes it.
 */
#ifndef SPEAN_PROTOCOL_AUTHORITY_INTERNAL_H
#define SPEAN_PROTOCOL_AUTHORITY_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/authority.h"
#include "protocol/bytes.h"
#include "protocol/id_map.h"
#include "protocol/ledger_chain.h"
#include "protocol/org_chain.h"

#define AUTHORITY_NONE            SPEAN_ID_MAP_NONE
#define AUTHORITY_SHORT_AMBIGUOUS (UINT32_MAX - 1) /* Two logs share the short name. */

/* Where an org stands with the charter in force; pending while the charter does not name it. */
enum standing { STANDING_PENDING, STANDING_ACTIVE, STANDING_REMOVED, STANDING_ELSEWHERE };

struct org_slot {
    struct spean_id id;
    enum standing standing;
    struct spean_org_chain chain;
};

struct log_slot {
    struct spean_log log;
    uint32_t org;            /* Number of its slot. */
    uint32_t transport_next; /* Another log with the same transport key, or AUTHORITY_NONE. */
};

struct spean_authority {
    bool has_handle;
    struct spean_handle handle;
    struct spean_ledger_chain charter;
    struct org_slot *orgs; /* In the order in which they became known. */
    uint32_t orgs_count;
    uint32_t orgs_cap;
    uint32_t pending_count;
    uint32_t *order; /* Numbers of orgs, ascending by id. */
    uint32_t order_cap;
    struct log_slot *logs;
    uint32_t logs_count;
    uint32_t logs_cap;
    struct spean_id_map org_numbers;
    struct spean_id_map statement_orgs; /* From statement id to the number of its org. */
    struct spean_id_map log_numbers;
    struct spean_id_map short_numbers; /* By short name and zeros. */
    struct spean_id_map transport_numbers;
};

/* The charter in force; NULL before the genesis is held. */
static inline const struct spean_ledger *authority_ledger(const struct spean_authority *a)
{
    return a->charter.chain.versions_count == 0 ? NULL : &a->charter.ledger;
}

/* Say whether a statement of the org is held. */
static inline bool authority_org_held(const struct org_slot *slot)
{
    return slot->chain.chain.versions_count > 0;
}

#endif
