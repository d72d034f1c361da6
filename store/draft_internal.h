/* store/draft_internal.h - the insides of a draft, for draft.c and for those who write it. */
#ifndef SPEAN_STORE_DRAFT_INTERNAL_H
#define SPEAN_STORE_DRAFT_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/change.h"
#include "protocol/err.h"
#include "protocol/limits.h"
#include "store/draft.h"

enum spean_draft_kind {
    SPEAN_DRAFT_CREATE,
    SPEAN_DRAFT_CHANGE,
    SPEAN_DRAFT_GRANT,
    SPEAN_DRAFT_ERASE
};

struct spean_draft_item {
    enum spean_draft_kind kind;
    struct spean_record_id record;
    uint64_t type;
    uint32_t part;

    /* Of a change. */
    uint8_t random[SPEAN_CHANGE_RANDOM_BYTES]; /* When it creates, and so is fixed. */
    struct spean_view fixed;
    uint32_t ops_first;
    uint32_t ops_count;

    /* Of a grant. */
    enum spean_draft_grant how;
    uint32_t audience_count;
    struct spean_id audience[SPEAN_AUDIENCE_ORGS_MAX]; /* Ascending, our own among them. */
};

struct spean_draft {
    struct spean_id ledger;
    struct spean_id log;
    struct spean_id org;
    bool committed;
    uint32_t items_count;
    uint32_t items_cap;
    struct spean_draft_item *items;
    uint32_t ops_count;
    uint32_t ops_cap;
    struct spean_operation *ops; /* Of all changes, one change after the other. */
    size_t bytes_len;
    uint8_t *bytes; /* SPEAN_DRAFT_BYTES_MAX; views of items and ops point here. */
};

/* The item that creates a record; NULL: the draft does not. */
const struct spean_draft_item *spean_draft_creation(const struct spean_draft *draft,
                                                    const struct spean_record_id *record);

/* Put org in its place among count ascending ones; orgs has SPEAN_AUDIENCE_ORGS_MAX.
 * SPEAN_EEXISTS: it is there. SPEAN_ELIMIT: there is no room. */
SPEAN_CHECK spean_err spean_draft_add_org(struct spean_id *orgs, uint32_t *count,
                                          const struct spean_id *org);

#endif
