/*
 * protocol/charter.h - the changes that one version of the charter carries (P4.1).
 *
 * Decoding checks what can be seen in the version alone. What the version before allows is judged
 * by protocol/ledger.h.
 */
#ifndef SPEAN_PROTOCOL_CHARTER_H
#define SPEAN_PROTOCOL_CHARTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/cut.h"
#include "protocol/document.h"
#include "protocol/err.h"
#include "protocol/limits.h"
#include "protocol/reader.h"

#define SPEAN_CHARTER_RANDOM_BYTES 16u

/* A charter key and the member org whose steward holds it. */
struct spean_steward {
    struct spean_id org;
    struct spean_key key;
};

enum spean_member_status { SPEAN_MEMBER_ACTIVE = 1, SPEAN_MEMBER_REMOVED = 2 };

struct spean_charter_member {
    struct spean_id org;
    enum spean_member_status status;
};

/* A node that carries every member's bodies. */
struct spean_relay {
    struct spean_id org;
    struct spean_key signing;
};

struct spean_charter_cut {
    struct spean_id org;
    struct spean_key signing;
    struct spean_cut cut;
};

/* The branch of an org's statement that counts (P4.8). */
struct spean_pin {
    struct spean_id org;
    struct spean_id statement;
};

/* One decoded version. The views lie in the document's bytes. */
struct spean_charter {
    bool has_stewards;
    uint32_t threshold;
    uint32_t stewards_count;
    struct spean_steward stewards[SPEAN_STEWARDS_MAX]; /* Ascending by key. */
    struct spean_view members;                         /* Read with spean_charter_next_member(). */
    bool has_relays;
    struct spean_view relays; /* All of them, possibly none. */
    bool has_quota;
    uint64_t quota_bytes; /* Per log. */
    bool has_heads_interval;
    uint64_t heads_interval_s;
    bool has_erasure_delay;
    uint64_t erasure_delay_s;
    bool has_entry_format;
    uint64_t entry_format;
    bool has_schema;
    struct spean_id schema;
    struct spean_view cuts;
    struct spean_view pins;
    bool has_join;
    struct spean_id join;
    struct spean_view name;   /* Version 1 only. */
    struct spean_view random; /* Version 1 only. */
};

/*
 * Read the changes of a decoded document.
 * SPEAN_EFORMAT: it is no charter, has an unknown key, an unsorted list, an empty one where that
 * says nothing, a threshold of half the stewards or less, or a key that its version may not have or
 * lacks (P4.1, P4.2). SPEAN_ELIMIT: a number or count is above its limit.
 */
SPEAN_CHECK spean_err spean_charter_decode(struct spean_charter *charter,
                                           const struct spean_document *doc);

/* Read the next row from a reader begun on the view of that list. False: no more. */
bool spean_charter_next_member(struct spean_reader *r, struct spean_charter_member *member);
bool spean_charter_next_relay(struct spean_reader *r, struct spean_relay *relay);
bool spean_charter_next_cut(struct spean_reader *r, struct spean_charter_cut *cut);
bool spean_charter_next_pin(struct spean_reader *r, struct spean_pin *pin);

/* What to write into a new version. Lists are put in order in place; leave out by NULL or 0. */
struct spean_charter_draft {
    uint64_t version;         /* The one before plus 1. */
    struct spean_id previous; /* Id of the one before; nothing in version 1. */
    uint32_t threshold;       /* Of the stewards, when stewards_count is above 0. */
    uint32_t stewards_count;
    struct spean_steward *stewards; /* All of them, old and new. */
    uint32_t members_count;
    struct spean_charter_member *members; /* Those whose status changes. */
    bool has_relays;
    uint32_t relays_count;
    struct spean_relay *relays; /* All of them, old and new. */
    const uint64_t *quota_bytes;
    const uint64_t *heads_interval_s;
    const uint64_t *erasure_delay_s;
    const uint64_t *entry_format;
    const struct spean_id *schema;
    uint32_t cuts_count;
    struct spean_charter_cut *cuts;
    uint32_t pins_count;
    struct spean_pin *pins;
    const struct spean_id *join; /* The other head. */
    struct spean_view name;      /* Version 1 only. */
    const uint8_t *random;       /* Version 1 only: SPEAN_CHARTER_RANDOM_BYTES. */
};

/*
 * Write the body of a version into buf; SPEAN_DOCUMENT_BYTES_MAX suffices. Sign it next with
 * spean_document_begin() and spean_document_sign().
 * SPEAN_EINPUT: the draft is not a version that anybody would accept. SPEAN_ELIMIT: it is too
 * large; make two versions of it. *out is unchanged.
 */
SPEAN_CHECK spean_err spean_charter_compose(const struct spean_charter_draft *draft, uint8_t *buf,
                                            size_t cap, struct spean_view *out);

#endif
