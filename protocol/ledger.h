/*
 * protocol/ledger.h - what is in force in the ledger after one version of its charter (P4).
 *
 * A plain value made by applying versions in order. Several branches are protocol/ledger_chain.h's.
 */
#ifndef SPEAN_PROTOCOL_LEDGER_H
#define SPEAN_PROTOCOL_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/charter.h"
#include "protocol/document.h"
#include "protocol/err.h"
#include "protocol/limits.h"

/* Where an org stands. */
enum spean_ledger_standing {
    SPEAN_STANDING_ACTIVE,
    SPEAN_STANDING_REMOVED,  /* For ever. */
    SPEAN_STANDING_ELSEWHERE /* Only a branch that is not in force made it a member (P4.6). */
};

struct spean_ledger_member {
    struct spean_id org;
    enum spean_ledger_standing standing;
};

/* Read the fields; only this module writes them. All zero: no version applied yet. */
struct spean_ledger {
    struct spean_id id;   /* Of the ledger: the id of version 1. */
    struct spean_id head; /* Id of the last version applied. */
    uint64_t version;     /* Its number; 0: none. */
    char name[SPEAN_LEDGER_NAME_BYTES_MAX + 1];
    uint32_t threshold; /* Of the stewards' charter keys. */
    uint32_t stewards_count;
    struct spean_steward stewards[SPEAN_STEWARDS_MAX]; /* Ascending by key. */
    uint64_t quota_bytes;                              /* Per log; 0: none was set. */
    uint64_t heads_interval_s;                         /* 0: none was set. */
    uint64_t erasure_delay_s;
    uint64_t entry_format; /* The highest that may be written. */
    struct spean_id schema;
    uint32_t members_count;
    uint32_t members_cap;
    struct spean_ledger_member *members; /* Ascending by org. */
    uint32_t relays_count;
    struct spean_relay *relays; /* Ascending. */
    uint32_t cuts_count;
    uint32_t cuts_cap;
    struct spean_charter_cut *cuts; /* Ascending by org and signing key. */
    uint32_t pins_count;
    uint32_t pins_cap;
    struct spean_pin *pins; /* Ascending by org; the latest of each. */
};

void spean_ledger_init(struct spean_ledger *ledger);
void spean_ledger_fini(struct spean_ledger *ledger);

/* Make a copy in *to, which is ended apart from *from. SPEAN_ENOMEM: *to is as after init. */
SPEAN_CHECK spean_err spean_ledger_copy(struct spean_ledger *to, const struct spean_ledger *from);

/*
 * Judge a document against what is in force, and put it in force. other is what the head that key
 * 10 names has in force, NULL when the document has no such key.
 * SPEAN_EFORMAT, SPEAN_ELIMIT, SPEAN_ESIGNATURE: it is no valid version for anybody.
 * SPEAN_ECHAIN: it does not follow ledger->head, or does not join other. SPEAN_EDENIED: the keys
 * that signed are not those that P4.2, P4.3 or P4.6 calls for. SPEAN_ESTATE: it breaks P4.2, P4.3,
 * P4.4 or P4.5: a steward's org is no member, a removed org comes back, a cut is not lower, or it
 * speaks of an org that was never a member.
 * In all these cases refuse the document. SPEAN_ENOMEM: try again. After an error ledger is as
 * before.
 */
SPEAN_CHECK spean_err spean_ledger_apply(struct spean_ledger *ledger,
                                         const struct spean_document *doc,
                                         const struct spean_ledger *other);

/* The same for a body that was judged before: signatures and signers are not asked for again. */
SPEAN_CHECK spean_err spean_ledger_replay(struct spean_ledger *ledger,
                                          const struct spean_document *doc,
                                          const struct spean_ledger *other);

/*
 * Take over what another branch removed and cut; orgs that only it made members are listed as
 * being elsewhere when list_others is set (P4.6). Settle the cuts after the last branch.
 * SPEAN_ENOMEM: ledger may have taken over a part.
 */
SPEAN_CHECK spean_err spean_ledger_join(struct spean_ledger *ledger,
                                        const struct spean_ledger *other, bool list_others);
void spean_ledger_settle_cuts(struct spean_ledger *ledger);

/* Look up an org, a steward by org, a cut, a pin; NULL or false: there is none. */
const struct spean_ledger_member *spean_ledger_member_get(const struct spean_ledger *ledger,
                                                          const struct spean_id *org);
bool spean_ledger_is_active(const struct spean_ledger *ledger, const struct spean_id *org);
bool spean_ledger_is_steward(const struct spean_ledger *ledger, const struct spean_id *org);
bool spean_ledger_is_relay(const struct spean_ledger *ledger, const struct spean_id *org,
                           const struct spean_key *signing);
const struct spean_cut *spean_ledger_cut_get(const struct spean_ledger *ledger,
                                             const struct spean_id *org,
                                             const struct spean_key *signing);
const struct spean_pin *spean_ledger_pin_get(const struct spean_ledger *ledger,
                                             const struct spean_id *org);

#endif
