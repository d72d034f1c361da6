/*
 * store/author.h - what this node writes: drafts become entries of its own log.
 *
 * Each function here makes one commit, signed and durable when it returns SPEAN_OK, in a write
 * transaction of its own; after an error nothing was written. It passes every check that a peer
 * would make: schema, writers, grants, chain. What we write is never set aside by others.
 *
 * The daemon folds at once after each commit (spean_fold_step() until no more), so that what was
 * written can be read, and the next commit finds the keys of this one. A commit on entries that are
 * not folded yet is refused (SPEAN_EWAIT).
 */
#ifndef SPEAN_STORE_AUTHOR_H
#define SPEAN_STORE_AUTHOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/aside.h"
#include "protocol/authority.h"
#include "protocol/bytes.h"
#include "protocol/err.h"
#include "protocol/run.h"
#include "store/db.h"
#include "store/draft.h"
#include "store/keystore.h"

/* Fill out with len bytes that nobody can foresee: keys, nonces, salts. */
typedef void spean_author_random(void *ctx, uint8_t *out, size_t len);

/* Who writes. All of it is lent. */
struct spean_author {
    struct spean_db *db;
    const struct spean_keys *keys;
    const struct spean_authority *authority;
    const struct spean_log *log; /* This node's; NULL: it has none. */
    uint64_t now_s;              /* Our clock, to INT64_MAX: it goes into headers as it is. */
    spean_author_random *random; /* NULL: libsodium's. Another one is for tests. */
    void *random_ctx;
};

/* What was written. */
struct spean_author_done {
    struct spean_place head; /* Of the log now; in a dry run, as it was. */
    uint64_t first_seq;      /* Of the commit. */
    uint32_t entries_count;
    uint32_t bytes; /* By P5.6. */
};

/* Where a draft is wrong. */
#define SPEAN_AUTHOR_NO_ITEM UINT32_MAX
struct spean_author_problem {
    uint32_t item;          /* Of the draft, or SPEAN_AUTHOR_NO_ITEM: it concerns all of it. */
    uint64_t field;         /* 0: no field in particular. */
    enum spean_aside aside; /* With SPEAN_EDENIED: why others would set it aside, if they would. */
    bool has_org;
    struct spean_id org; /* Of an audience, that cannot be reached. */
};

/*
 * Write a draft. actor is the pseudonym of the person who does it, at most SPEAN_ACTOR_BYTES_MAX of
 * text, perhaps empty. dry_run: everything but the writing. done and problem may be NULL; *problem
 * is written after every error.
 *   SPEAN_EINPUT     nothing in the draft, a change without operations, a record of another type
 *                    than the draft says, or an actor that is no text
 *   SPEAN_EDENIED    this organisation may not write a field, or not grant this (problem->aside);
 *                    or problem->org is no active member
 *   SPEAN_ENOTFOUND  the record is not known, no key of the part is held, or no sealing key of
 *                    problem->org is known
 *   SPEAN_EEXISTS    the record is there already; or the part, for a first grant, has a key
 *   SPEAN_ELIMIT     above 256 entries, 128 KiB, or a body's length (problem->item): make two; or
 *                    a part is too large, or its audience, generations or grants are at their limit
 *   SPEAN_ESTATE     the log is not open, or disputed; the part is erased; or the draft was begun
 *                    for another log, or is committed already
 *   SPEAN_EWAIT      own entries are not folded yet: fold, then try again; or this node lacks its
 *                    organisation's newest sealing secret, which another of its nodes hands out
 *   SPEAN_ELOCKED    unlock first
 *   SPEAN_EFULL      the map, the disk, or the charter's quota of this log
 *   SPEAN_EBUSY      a write transaction is open
 *   SPEAN_ENOMEM, SPEAN_EMEMLOCK, SPEAN_ECORRUPT, SPEAN_EIO
 * Any other is a fault of this program: write nothing more.
 */
SPEAN_CHECK spean_err spean_author_commit(const struct spean_author *author,
                                          struct spean_draft *draft, struct spean_view actor,
                                          bool dry_run, struct spean_author_done *done,
                                          struct spean_author_problem *problem);

/*
 * Write a heads entry: how far this node has seen the logs that moved since its last one, its own
 * included (P5.10). Once a day, as the charter says. SPEAN_EEXISTS: none moved. Above
 * SPEAN_HEADS_ROWS_MAX, those that did not fit come with the next one. Others as above.
 */
SPEAN_CHECK spean_err spean_author_heads(const struct spean_author *author,
                                         struct spean_author_done *done);

/*
 * Hand the organisation's sealing secrets, of all generations held, to its open nodes (P8.6).
 * SPEAN_EWAIT: this node lacks the newest itself. SPEAN_EEXISTS: there is no other open node.
 * Others as above.
 */
SPEAN_CHECK spean_err spean_author_orgkey(const struct spean_author *author,
                                          struct spean_author_done *done);

#endif
