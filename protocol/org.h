/*
 * protocol/org.h - what is in force in one organisation after one version of its statement (P3).
 *
 * A plain value made by applying versions in order. Several branches are protocol/org_chain.h's.
 */
#ifndef SPEAN_PROTOCOL_ORG_H
#define SPEAN_PROTOCOL_ORG_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/cut.h"
#include "protocol/document.h"
#include "protocol/err.h"
#include "protocol/limits.h"

/* A node that the org ever had; its signing key names its log. */
struct spean_org_node {
    struct spean_key signing;
    struct spean_key sealing;
    struct spean_key transport;
    struct spean_cut cut; /* The org's own; a charter may cut lower (P4.5). */
};

/* Read the fields; only this module writes them. All zero: no version applied yet. */
struct spean_org {
    struct spean_id id;   /* Of the org: the id of version 1. */
    struct spean_id head; /* Id of the last version applied. */
    uint64_t version;     /* Its number; 0: none. */
    uint64_t recoveries;  /* Versions signed by the recovery key so far. */
    uint32_t threshold;   /* Of the admin keys. */
    uint32_t admins_count;
    struct spean_key admins[SPEAN_ADMINS_MAX]; /* Ascending. */
    struct spean_id recovery;                  /* Hash of the recovery key. */
    bool has_handle;                           /* From the first version with nodes. */
    struct spean_handle handle;                /* Of the ledger. */
    uint32_t generation;                       /* Of the sealing key in force. */
    uint32_t sealing_cap;
    struct spean_key *sealing; /* One for each generation from 1. */
    uint32_t nodes_count;
    uint32_t nodes_cap;
    struct spean_org_node *nodes; /* Ascending by signing key, open and closed. */
};

void spean_org_init(struct spean_org *org);
void spean_org_fini(struct spean_org *org);

/* Make a copy in *to, which is ended apart from *from. SPEAN_ENOMEM: *to is as after init. */
SPEAN_CHECK spean_err spean_org_copy(struct spean_org *to, const struct spean_org *from);

/*
 * Judge a document against what is in force, and put it in force.
 * SPEAN_EFORMAT, SPEAN_ELIMIT, SPEAN_ESIGNATURE: it is no valid version for anybody.
 * SPEAN_ECHAIN: it does not follow org->head. SPEAN_EDENIED: the keys that signed are not those
 * that rule P3.3 or P3.5 calls for. SPEAN_ESTATE: it breaks P3.2, P3.4, P3.6, P3.7 or P3.8: a key
 * is used twice, a log is unknown, a cut is not lower, a generation is skipped.
 * In all these cases refuse the document. SPEAN_ENOMEM: try again. After an error org is as before.
 */
SPEAN_CHECK spean_err spean_org_apply(struct spean_org *org, const struct spean_document *doc);

/* The same for a body that was judged before: signatures and signers are not asked for again. */
SPEAN_CHECK spean_err spean_org_replay(struct spean_org *org, const struct spean_document *doc);

/* Look up a node by its signing key; NULL if the org never had it. */
const struct spean_org_node *spean_org_node_get(const struct spean_org *org,
                                                const struct spean_key *signing);

/* The public sealing key of a generation; NULL if there is none. */
const struct spean_key *spean_org_sealing_get(const struct spean_org *org, uint64_t generation);

/* Take over the cuts of logs that org knows from another branch, the lower of each; settle them
 * after the last branch (P3.9). */
void spean_org_join_cuts(struct spean_org *org, const struct spean_org *other);
void spean_org_settle_cuts(struct spean_org *org);

#endif
