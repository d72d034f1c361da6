/*
 * store/author_internal.h - a commit in the making, shared by author.c (the commit as a whole),
 * author_change.c, author_grant.c, author_erase.c and author_heads.c (its entries).
 */
#ifndef SPEAN_STORE_AUTHOR_INTERNAL_H
#define SPEAN_STORE_AUTHOR_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/change.h"
#include "protocol/entry.h"
#include "protocol/err.h"
#include "protocol/grant.h"
#include "protocol/limits.h"
#include "protocol/run.h"
#include "store/author.h"
#include "store/db.h"
#include "store/draft_internal.h"
#include "store/log.h"
#include "store/logs.h"
#include "store/partkeys.h"

/* A part's key that this very commit grants. */
struct spean_author_key {
    struct spean_part_name part;
    uint8_t key[SPEAN_KEY_BYTES];
    struct spean_id proof;
};

/* In locked memory. */
struct spean_author_secrets {
    uint32_t granted_count;
    struct spean_author_key granted[SPEAN_DRAFT_ITEMS_MAX];
    struct spean_partkey held; /* The one looked up last. */
    uint8_t pairs[SPEAN_GRANT_BOXES_MAX][SPEAN_KEY_BYTES];
    uint8_t wrapping[SPEAN_KEY_BYTES];
};

struct spean_author_work {
    const struct spean_author *author;
    const struct spean_draft *draft; /* NULL: the entry is none of a draft. */
    struct spean_view actor;
    struct spean_tx *tx;
    bool is_new;               /* Nothing of the log is held yet. */
    struct spean_logs_row row; /* Of the log before. */
    struct spean_place head;   /* The last entry made. */
    uint32_t count;
    struct spean_run_source sources[SPEAN_RUN_ENTRIES_MAX];
    size_t bytes_len;
    uint8_t *bytes;   /* SPEAN_RUN_BYTES_MAX: each body, then its header; so P5.6 holds. */
    uint8_t *content; /* SPEAN_BODY_BYTES_MAX: of the entry being made; wiped at the end. */
    uint8_t *run_buf; /* SPEAN_LOG_RUN_BYTES_MAX */
    struct spean_run *run;
    struct spean_context_row rows[SPEAN_CONTEXT_ROWS_MAX];
    struct spean_author_secrets *secrets;
    struct spean_author_problem problem;
};

/* Draw len random bytes. */
void spean_author_draw(const struct spean_author *author, uint8_t *out, size_t len);

/* Where the next body goes; *cap is how long it may be. */
uint8_t *spean_author_room(struct spean_author_work *work, size_t *cap);

/*
 * Make an entry of body, which lies where spean_author_room() said; tag NULL: it bears none. ends:
 * it is the last of the commit. SPEAN_ELIMIT: the commit would be too large.
 */
SPEAN_CHECK spean_err spean_author_entry(struct spean_author_work *work, enum spean_entry_kind kind,
                                         const struct spean_tag *tag, struct spean_view body,
                                         bool ends);

/* The same, of the public body of content. */
SPEAN_CHECK spean_err spean_author_public(struct spean_author_work *work,
                                          enum spean_entry_kind kind, const struct spean_tag *tag,
                                          struct spean_view content, bool ends);

/* The seq of the entry to come. */
uint64_t spean_author_seq(const struct spean_author_work *work);

/* Make the entries of a change of the draft: itself, and perhaps the first grant of its part. */
SPEAN_CHECK spean_err spean_author_put_change(struct spean_author_work *work,
                                              const struct spean_draft_item *item, bool ends);

/* Make the entry of a grant of the draft. */
SPEAN_CHECK spean_err spean_author_put_grant(struct spean_author_work *work,
                                             const struct spean_draft_item *item, bool ends);

/* Make the entry of an erasure of the draft. */
SPEAN_CHECK spean_err spean_author_put_erasure(struct spean_author_work *work,
                                               const struct spean_draft_item *item, bool ends);

/* Grant a first key of a part to our own organisation alone. */
SPEAN_CHECK spean_err spean_author_put_own(struct spean_author_work *work,
                                           const struct spean_part_name *part);

/* The key of a part that this commit grants; NULL: it grants none. */
const struct spean_author_key *spean_author_granted(const struct spean_author_work *work,
                                                    const struct spean_part_name *part);

/* Say in *erased whether a part is. */
SPEAN_CHECK spean_err spean_author_erased(struct spean_author_work *work,
                                          const struct spean_part_name *part, bool *erased);

/* Refuse with SPEAN_EDENIED, for the reason for which others would set the entry aside. */
SPEAN_CHECK spean_err spean_author_deny(struct spean_author_work *work, enum spean_aside aside);

/* Begin a commit: all that does not depend on what is written. End it after an error too. */
SPEAN_CHECK spean_err spean_author_begin(struct spean_author_work **out,
                                         const struct spean_author *author);

/* Sign and append what was made, and make it durable unless dry_run. */
SPEAN_CHECK spean_err spean_author_finish(struct spean_author_work *work, bool dry_run,
                                          struct spean_author_done *done);
void spean_author_end(struct spean_author_work *work); /* NULL is allowed. */

#endif
