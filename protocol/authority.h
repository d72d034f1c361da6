/*
 * protocol/authority.h - who is a member, which logs there are, where they are closed: all that
 * follows from the charter and every org's statement together (P2, P3, P4, P13.3).
 *
 * The caller keeps the documents' bytes, in the order in which they were added. Adding them in that
 * order to a new authority gives the same one again, also where a charter forked and each node
 * goes on with the branch that it had first (P4.6).
 */
#ifndef SPEAN_PROTOCOL_AUTHORITY_H
#define SPEAN_PROTOCOL_AUTHORITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/cut.h"
#include "protocol/document.h"
#include "protocol/err.h"
#include "protocol/ledger.h"
#include "protocol/org.h"

#define SPEAN_AUTHORITY_LOGS_MAX 65536u
#define SPEAN_AUTHORITY_PENDING_MAX                                                                \
    64u /* Orgs whose statements are kept before they are members. */

struct spean_authority; /* Opaque. */

/* Why entries of a log count, or up to where. */
enum spean_log_status {
    SPEAN_LOG_OPEN,    /* Its node may write and connect. */
    SPEAN_LOG_CLOSED,  /* Entries up to the cut count. */
    SPEAN_LOG_REMOVED, /* The same; its org is no member any more. */
    SPEAN_LOG_ASIDE    /* Opened by a branch that is not in force: cut at 0 (P3.9). */
};

/* A log that is or was an active member's. */
struct spean_log {
    struct spean_id id;
    struct spean_id org;
    struct spean_key signing;
    struct spean_key sealing;   /* Of its node. */
    struct spean_key transport; /* Of its node. */
    enum spean_log_status status;
    struct spean_cut cut; /* The lowest (P4.5); not closed while the status is open. */
    bool relay;           /* The charter names its node as one. */
};

/* An org with a statement, or one that the charter names. */
struct spean_authority_org {
    struct spean_id id;
    const struct spean_org *org; /* In force; NULL while no statement is held. */
    bool named;                  /* By any version held of the charter; else it is pending. */
    bool active;                 /* A member. */
    bool removed;                /* Was a member. */
    bool frozen;                 /* Two branches, neither in force (P3.9). */
    uint32_t heads_count;        /* Above 1: its chain has forked. */
};

/* The version and id of a document, as TITLES lists them. */
struct spean_title {
    uint64_t version;
    struct spean_id id;
};

/* What one document changed. More than one flag may be set. */
#define SPEAN_CHANGED_LEDGER (1u << 0) /* The charter in force is another version. */
#define SPEAN_CHANGED_ORG    (1u << 1) /* So is the statement in force of an org. */
#define SPEAN_CHANGED_OPENED (1u << 2) /* A log counts that did not, or counts further up. */
#define SPEAN_CHANGED_CLOSED                                                                       \
    (1u << 3)                           /* A log closed or its cut moved: drop peers, fold again.  \
                                         */
#define SPEAN_CHANGED_MEMBER  (1u << 4) /* An org became a member. */
#define SPEAN_CHANGED_REMOVED (1u << 5) /* A member was removed: drop its peers. */
#define SPEAN_CHANGED_FORK    (1u << 6) /* The chain has a new branch: tell people. */
#define SPEAN_CHANGED_FROZEN  (1u << 7) /* An org became frozen: tell people. */
#define SPEAN_CHANGED_THAWED  (1u << 8) /* An org is no longer frozen. */
#define SPEAN_CHANGED_FULL    (1u << 9) /* A log was left out: SPEAN_AUTHORITY_LOGS_MAX. */

struct spean_authority_change {
    enum spean_document_type type;
    struct spean_id chain; /* Ledger id or org id. */
    struct spean_title title;
    uint32_t flags;
    bool pending; /* Of an org that is no member yet. */
};

/* Whether a statement of an org that the charter does not name is kept. */
enum spean_authority_pending { SPEAN_PENDING_REFUSE, SPEAN_PENDING_KEEP };

/*
 * Create an authority that knows nothing. handle: the ledger that this node was invited to, whose
 * genesis alone it accepts (P12.4); NULL for any. The caller frees it.
 */
SPEAN_CHECK spean_err spean_authority_new(struct spean_authority **out,
                                          const struct spean_handle *handle);
void spean_authority_free(struct spean_authority *a); /* NULL is allowed. */

/*
 * Judge a document and take over what it says; *change tells what that changed. Persist the bytes
 * under (chain, version, id), in order, then act on the flags.
 * SPEAN_EEXISTS: it is held; nothing changed. SPEAN_EGAP: the version before, or the head it joins,
 * is not held; ask for it. SPEAN_EWAIT: it is of an org that is no member and pending ones are
 * refused; nothing is kept. SPEAN_EDENIED: wrong signers, or the genesis of another ledger.
 * SPEAN_ELIMIT, SPEAN_EFORMAT, SPEAN_EVERSION, SPEAN_ESIGNATURE, SPEAN_ECHAIN, SPEAN_ESTATE: it is
 * invalid, as in protocol/org.h and protocol/ledger.h; refuse it and drop who sent it.
 * After these the authority is as before. SPEAN_ENOMEM: free it and build it anew.
 */
SPEAN_CHECK spean_err spean_authority_add(struct spean_authority *a, struct spean_view bytes,
                                          enum spean_authority_pending pending,
                                          struct spean_authority_change *change);

/*
 * Everything returned below belongs to the authority and is valid until the next document is added.
 */

/* The charter in force; NULL before the genesis is held. */
const struct spean_ledger *spean_authority_ledger(const struct spean_authority *a);

/* Logs are numbered from 0 in the order in which they became known; numbers stay. */
uint32_t spean_authority_logs_count(const struct spean_authority *a);
const struct spean_log *spean_authority_log_at(const struct spean_authority *a, uint32_t number);

/* Look up a log; NULL: not one of this ledger, or its org's statement has not arrived. */
const struct spean_log *spean_authority_log(const struct spean_authority *a,
                                            const struct spean_id *log);

/* The log with this short name; NULL: none, or several, which a short name cannot tell apart. */
const struct spean_log *spean_authority_log_by_short(const struct spean_authority *a,
                                                     const uint8_t name[SPEAN_SHORT_BYTES]);

/*
 * The log of an open node of an active member that has this transport key; NULL: to the lobby with
 * it. An org can list another's key, so who a peer is it says itself (spean_authority_peer()).
 */
const struct spean_log *spean_authority_log_by_transport(const struct spean_authority *a,
                                                         const struct spean_key *transport);

/*
 * The log of the peer that proved this transport key and calls itself a node of org (P13.2); NULL:
 * refuse it. Ask again whenever something is served: a log that was open may be closed (P13.4).
 */
const struct spean_log *spean_authority_peer(const struct spean_authority *a,
                                             const struct spean_key *transport,
                                             const struct spean_id *org,
                                             const struct spean_key *signing);

/* Orgs ascending by id, those included that are pending or have no statement yet. */
uint32_t spean_authority_orgs_count(const struct spean_authority *a);
struct spean_authority_org spean_authority_org_at(const struct spean_authority *a, uint32_t index);

/* Look up an org. SPEAN_ENOTFOUND: neither named by the charter nor pending. */
SPEAN_CHECK spean_err spean_authority_org(const struct spean_authority *a,
                                          const struct spean_id *id,
                                          struct spean_authority_org *out);

bool spean_authority_is_member(const struct spean_authority *a, const struct spean_id *org);

/* Say whether org is an active member that the charter in force names a steward of. */
bool spean_authority_is_steward(const struct spean_authority *a, const struct spean_id *org);

/* Say whether the charter names the node with this signing key of org as a relay, and the node is
 * open: every body travels to it (P6.4). */
bool spean_authority_is_relay(const struct spean_authority *a, const struct spean_id *org,
                              const struct spean_key *signing);

/* An org's public sealing key of a generation; NULL: unknown. */
const struct spean_key *spean_authority_sealing(const struct spean_authority *a,
                                                const struct spean_id *org, uint64_t generation);

/* The highest entry format that may be written; 0 before the genesis is held. */
uint64_t spean_authority_entry_format(const struct spean_authority *a);

/* The digest over all heads (P13.3); pending orgs are left out. */
void spean_authority_digest(const struct spean_authority *a, struct spean_id *out);

/*
 * Give the heads of a chain (ledger id or org id) ascending by id, at most cap of them; returns how
 * many there are, 0 for a chain that is not held.
 */
uint32_t spean_authority_heads(const struct spean_authority *a, const struct spean_id *chain,
                               struct spean_title *out, uint32_t cap);

/* Say whether a version of a chain (ledger id or org id) is held. */
bool spean_authority_has(const struct spean_authority *a, const struct spean_id *chain,
                         const struct spean_id *version);

/*
 * List the documents of a chain that whoever has these heads (none: count 0) lacks, in the order in
 * which they can be added; the caller frees *out. An empty list is NULL. Where no head is known
 * here and one is of a higher version than all of ours, the list is empty: the other side is
 * ahead, sends what it has, and a fork shows in the round after. A pending org's chain is listed
 * like any other: the caller decides whom it sends that to.
 * SPEAN_ENOTFOUND: no such chain is held. SPEAN_ENOMEM.
 */
SPEAN_CHECK spean_err spean_authority_lacking(const struct spean_authority *a,
                                              const struct spean_id *chain,
                                              const struct spean_title *heads, uint32_t heads_count,
                                              struct spean_title **out, uint32_t *out_count);

#endif
