/*
 * protocol/statement.h - the changes that one version of an org statement carries (P3.1).
 *
 * Decoding checks what can be seen in the version alone. What the version before allows is judged
 * by protocol/org.h.
 */
#ifndef SPEAN_PROTOCOL_STATEMENT_H
#define SPEAN_PROTOCOL_STATEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/cut.h"
#include "protocol/document.h"
#include "protocol/err.h"
#include "protocol/limits.h"
#include "protocol/reader.h"

/* A node that comes in, and its signature that it agrees (P3.4). */
struct spean_statement_node {
    struct spean_key signing;
    struct spean_key sealing;
    struct spean_key transport;
    struct spean_signature acceptance;
};

struct spean_statement_cut {
    struct spean_key signing;
    struct spean_cut cut;
};

/* One decoded version. The views lie in the document's bytes. */
struct spean_statement {
    bool has_admin;
    uint32_t threshold;
    uint32_t admins_count;
    struct spean_key admins[SPEAN_ADMINS_MAX]; /* Ascending. */
    bool has_recovery;
    struct spean_id recovery;
    bool has_sealing;
    uint32_t generation;
    struct spean_key sealing;
    bool has_handle;
    struct spean_handle handle;
    struct spean_view nodes; /* Read with spean_statement_next_node(). */
    struct spean_view cuts;  /* Read with spean_statement_next_cut(). */
};

/*
 * Read the changes of a decoded document.
 * SPEAN_EFORMAT: it is no statement, has an unknown key, an empty or unsorted list, or a key that
 * version 1 may not have or lacks (P3.1, P3.3). SPEAN_ELIMIT: a number or count is above its limit.
 */
SPEAN_CHECK spean_err spean_statement_decode(struct spean_statement *statement,
                                             const struct spean_document *doc);

/*
 * Read the next node or cut from a reader that was begun on statement->nodes or ->cuts. False: no
 * more. Decoding has checked them all, so nothing else can go wrong.
 */
bool spean_statement_next_node(struct spean_reader *r, struct spean_statement_node *node);
bool spean_statement_next_cut(struct spean_reader *r, struct spean_statement_cut *cut);

/* What to write into a new version. Lists are put in order in place; leave out by NULL or 0. */
struct spean_statement_draft {
    uint64_t version;         /* The one before plus 1. */
    struct spean_id previous; /* Id of the one before; nothing in version 1. */
    uint32_t threshold;       /* Of the admin keys, when admins_count is above 0. */
    uint32_t admins_count;
    struct spean_key *admins;        /* All of them, old and new. */
    const struct spean_id *recovery; /* By spean_statement_recovery(). */
    uint32_t generation;             /* Of the sealing key, when there is one. */
    const struct spean_key *sealing;
    const struct spean_handle *handle; /* With the first nodes only. */
    uint32_t nodes_count;
    struct spean_statement_node *nodes;
    uint32_t cuts_count;
    struct spean_statement_cut *cuts;
};

/*
 * Write the body of a version into buf; SPEAN_DOCUMENT_BYTES_MAX suffices. Sign it next with
 * spean_document_begin() and spean_document_sign().
 * SPEAN_EINPUT: the draft is not a version that anybody would accept. SPEAN_ELIMIT: it is too
 * large; make two versions of it. *out is unchanged.
 */
SPEAN_CHECK spean_err spean_statement_compose(const struct spean_statement_draft *draft,
                                              uint8_t *buf, size_t cap, struct spean_view *out);

/* The hash of an Ed25519 recovery key that a statement carries (P3.2). */
struct spean_id spean_statement_recovery(const struct spean_key *recovery);

/* Sign a node's acceptance with the seed of its signing key; its three keys are set before. */
void spean_statement_accept(struct spean_statement_node *node, const struct spean_id *org,
                            const struct spean_handle *handle, const uint8_t seed[SPEAN_KEY_BYTES]);

/* SPEAN_ESIGNATURE: the node never agreed to be this org's in this ledger; refuse the version. */
SPEAN_CHECK spean_err spean_statement_accepted(const struct spean_statement_node *node,
                                               const struct spean_id *org,
                                               const struct spean_handle *handle);

#endif
