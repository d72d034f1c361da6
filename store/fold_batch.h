/*
 * store/fold_batch.h - the insides of the fold, shared by fold.c (steps), fold_logs.c (logs and
 * their ends), fold_cache.c (parts and records at hand), fold_change.c, fold_grant.c,
 * fold_erasure.c, and by check_records.c, which looks whether all is as the fold would make it.
 * Everybody else uses store/fold.h.
 *
 * All work is done on one entry at a time and can be done again at any time with the same outcome;
 * what has to be done again is put into the queue (entries) or marked as dirty (parts).
 */
#ifndef SPEAN_STORE_FOLD_BATCH_H
#define SPEAN_STORE_FOLD_BATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/aside.h"
#include "protocol/authority.h"
#include "protocol/bytes.h"
#include "protocol/change.h"
#include "protocol/fold.h"
#include "protocol/grant.h"
#include "protocol/heads.h"
#include "protocol/id_map.h"
#include "protocol/limits.h"
#include "protocol/run.h"
#include "store/db.h"
#include "store/fold.h"
#include "store/keystore.h"
#include "store/logs.h"
#include "store/partkeys.h"
#include "store/record.h"

#define SPEAN_FOLD_TAGS        512u  /* Tags whose keys are at hand; a power of two. */
#define FOLD_UNJUDGED_MAX      64u   /* Parts whose grants are judged later in a batch. */
#define SPEAN_FOLD_PAIRS       64u   /* Pair keys at hand; a power of two. */
#define SPEAN_FOLD_SECRETS_MAX 16u   /* Of the org, found in one step. */
#define SPEAN_FOLD_SLOTS       8192u /* Twice SPEAN_FOLD_PARTS_MAX; a power of two. */

/* A log as it stands in this batch. */
struct fold_log {
    struct spean_logs_row row;
    const struct spean_log *log; /* What the authority says; NULL: nothing of it counts. */
    uint64_t end;                /* Up to which its chain counts. */
    uint64_t cursor;             /* Up to which it is folded. */
    struct spean_place seen;     /* The highest end that something may depend on. */
    uint64_t unknown;            /* Entries of unknown kinds up to the cursor. */
};

/* A part at hand. */
struct fold_part {
    struct spean_part_name name;
    struct spean_part *state; /* NULL: nothing is folded, or it is too large. Of its list items
                                 those that this batch is about. */
    bool too_large;
    bool erased;
    bool changed;    /* To be written. */
    bool anew;       /* And list items that were kept go. */
    uint64_t *named; /* Short names of logs that contexts named in this batch. */
    uint32_t named_count;
    uint32_t named_cap;
};

/* A record at hand. */
struct fold_record {
    struct spean_record_id id;
    struct spean_record *record; /* NULL: not known. */
};

/* Keys at hand, in locked memory; all zero: none. */
struct fold_tag {
    struct spean_tag tag;
    struct spean_part_name part;
    uint32_t number;
    uint32_t generation;
    bool superseded; /* A key of a higher generation is held. */
    uint8_t key[SPEAN_KEY_BYTES];
};

struct fold_pair {
    bool node; /* Of nodes, not of orgs. */
    struct spean_key ours;
    struct spean_key theirs;
    uint8_t key[SPEAN_KEY_BYTES];
};

struct fold_secrets {
    struct fold_tag tags[SPEAN_FOLD_TAGS];
    struct fold_pair pairs[SPEAN_FOLD_PAIRS];
    struct spean_grant_key found[SPEAN_FOLD_SECRETS_MAX]; /* Of the org, to be kept. */
    uint8_t pair_keys[SPEAN_KEYS_ORG_MAX][SPEAN_KEY_BYTES];
};

struct spean_fold {
    struct spean_db *db;
    struct spean_keys *keys;
    struct spean_id org;
    struct spean_key signing;
    struct fold_secrets *secrets;
    uint32_t found_count;          /* Of secrets->found. */
    uint8_t *body;                 /* Room for the content of one body; wiped after each step. */
    uint8_t *erased_proofs;        /* Room for those of one erasure. */
    struct spean_heads_row *heads; /* Room for those of one entry. */
    struct fold_log *logs;         /* By number. */
    uint32_t logs_count;
    uint32_t logs_cap;
    struct spean_id_map log_numbers;
    struct fold_part *parts; /* At hand in this batch. */
    uint32_t parts_count;
    struct fold_record *records;
    uint32_t records_count;
    uint16_t *part_slots; /* Index + 1 into parts, by hash. */
    uint16_t *record_slots;
    struct fold_accepted *accepted; /* Grants of the part that was asked about last, or NULL. */
};

/*
 * For a check, which folds as ever but on a read transaction: rows are not written but must be
 * there. Bit n of wrong: in table n something is not as it should be.
 */
struct fold_look {
    const struct spean_part_name
        *part; /* Whose changes are at hand; NULL: see that they are listed. */
    uint64_t wrong;
    uint64_t work; /* Bytes read, more or less. */
    bool grants;   /* They are opened again: the keys for that are at hand. */
    bool noted;    /* The change at hand belongs to its part. */
    bool lacking;  /* A body of a change could not be read. */
};

/* A part of which a grant was opened and the grants are not judged yet. */
struct fold_unjudged {
    struct spean_part_name part;
    struct spean_id proof; /* Of the key that its last grant gives. */
};

/* One step. */
struct fold_batch {
    struct spean_fold *fold;
    struct spean_tx *tx;
    const struct spean_authority *authority;
    struct spean_id ledger;
    uint64_t now_s;
    uint32_t left;     /* Entries to go. */
    bool erased_some;  /* Public entries were erased by somebody. */
    bool relay;        /* The charter names our node, or did. */
    bool keep_secrets; /* Stop here: a secret of the org is to be kept first. */
    bool again;        /* The entry at hand was worked on before. */
    bool refolding;    /* Its part is being folded from the start. */
    struct fold_unjudged unjudged[FOLD_UNJUDGED_MAX]; /* The oldest first. */
    uint32_t unjudged_count;
    bool record_set;        /* Meanwhile a record was taken over from a creating change. */
    struct fold_look *look; /* NULL: what is folded is written. */
};

/* An entry that is worked on. */
struct fold_place {
    struct fold_log *log;
    const struct spean_run_entry *entry;
};

/* -- fold_logs.c ----------------------------------------------------------------------------- */

/* Load all logs; take back what a cut took. SPEAN_ECORRUPT, SPEAN_ENOMEM; others stick. */
SPEAN_CHECK spean_err fold_logs_load(struct fold_batch *b);

/* Write back how far a log is folded. Errors stick to tx. */
spean_err fold_log_save(struct fold_batch *b, const struct fold_log *log);

/* The log with this id or short name, or NULL: nothing of it is kept, or counts. */
struct fold_log *fold_log_find(struct fold_batch *b, const struct spean_id *id);
struct fold_log *fold_log_by_short(struct fold_batch *b, uint64_t name);

/* The key of rows about an entry. */
struct spean_db_key fold_place_key(uint32_t number, uint64_t seq);

/* Load all logs and change nothing. *settled: no log has more to fold, none was cut. */
SPEAN_CHECK spean_err fold_logs_look(struct fold_batch *b, bool *settled);

/* Write a row; or, in a check, see that it is there. Errors stick to tx. */
spean_err fold_row_put(struct fold_batch *b, enum spean_table table, const struct spean_db_key *key,
                       struct spean_view value);

/* In a check: note that something is wrong in a table. */
void fold_look_wrong(struct fold_batch *b, enum spean_table table);

/* Look at an entry again, unless its log is not folded that far yet. Errors stick to tx. */
spean_err fold_requeue(struct fold_batch *b, uint32_t number, uint64_t seq);

/* Fold a part again. Errors stick to tx. */
spean_err fold_mark_dirty(struct fold_batch *b, const struct spean_part_name *part);

/* Set an entry aside, or (SPEAN_ASIDE_NOT) not any more. Errors stick to tx. */
spean_err fold_set_aside(struct fold_batch *b, uint32_t number, uint64_t seq,
                         enum spean_aside reason);

/*
 * Call each for every row of a table whose key begins with prefix; rows may be written and deleted
 * meanwhile, also in that table, but none behind the one at hand is made. Views are gone with the
 * first write.
 */
typedef spean_err fold_row(struct fold_batch *b, void *ctx, struct spean_view key,
                           struct spean_view value);
SPEAN_CHECK spean_err fold_each(struct fold_batch *b, enum spean_table table,
                                struct spean_view prefix, fold_row *each, void *ctx);

/* Move every row of a table that ends with log number and seq, and begins with prefix, to the
 * queue. */
SPEAN_CHECK spean_err fold_requeue_all(struct fold_batch *b, enum spean_table table,
                                       struct spean_view prefix);

/* For spean_fold_status(): up to where the chain of a log counts, and entries of unknown kinds. */
SPEAN_CHECK spean_err spean_fold_end(struct spean_tx *tx, const struct spean_authority *authority,
                                     const struct spean_logs_row *row, uint64_t *end);
SPEAN_CHECK spean_err spean_fold_unknown(struct spean_tx *tx, uint32_t number, uint64_t *count);

/* -- fold_cache.c ---------------------------------------------------------------------------- */

/* Say whether one entry more may be worked on before parts must be written. */
bool fold_cache_room(const struct fold_batch *b);

/* Give a part at hand, reading it if need be. SPEAN_ENOMEM, SPEAN_ECORRUPT. */
SPEAN_CHECK spean_err fold_part_take(struct fold_batch *b, const struct spean_part_name *name,
                                     struct fold_part **out);

/* Begin a part anew, with nothing folded. */
void fold_part_clear(struct fold_part *part);

/* Give a record at hand. */
SPEAN_CHECK spean_err fold_record_take(struct fold_batch *b, const struct spean_record_id *id,
                                       struct fold_record **out);

/* Take over what is known of a record, or that nothing is (info NULL). Errors stick to tx. */
spean_err fold_record_set(struct fold_batch *b, struct fold_record *record,
                          const struct spean_record_info *info);

/* Write what changed. SPEAN_ENOMEM; others stick to tx. */
SPEAN_CHECK spean_err fold_cache_write(struct fold_batch *b);

/* Forget all; wipes. */
void fold_cache_clear(struct spean_fold *fold);

/* -- fold_change.c --------------------------------------------------------------------------- */

/* Work on a change. */
SPEAN_CHECK spean_err fold_change(struct fold_batch *b, const struct fold_place *place);

/* Fold a dirty part again from its changes. */
SPEAN_CHECK spean_err fold_part_again(struct fold_batch *b, const struct spean_part_name *name);

/* Read and work on one entry, whatever its kind (fold.c). */
SPEAN_CHECK spean_err fold_entry(struct fold_batch *b, uint32_t number, uint64_t seq);

/*
 * Say whether a row of what nodes have seen was said by an entry that is folded, and give its seq
 * (fold.c). Errors as spean_entries_get().
 */
SPEAN_CHECK spean_err fold_seen_belongs(struct fold_batch *b, struct spean_view key,
                                        struct spean_view value, uint64_t *said, bool *belongs);

/*
 * Begin to look within the read transaction of b (fold.c). *settled: nothing waits to be folded,
 * so everything is as folding it again would make it.
 */
SPEAN_CHECK spean_err fold_look_begin(struct fold_batch *b, bool *settled);

/* Wipe what was at hand: after each step. */
void fold_wipe(struct spean_fold *fold);

/* -- fold_grant.c ---------------------------------------------------------------------------- */

/* Work on a part grant, or an org-key grant. */
SPEAN_CHECK spean_err fold_grant(struct fold_batch *b, const struct fold_place *place,
                                 struct spean_view content);
SPEAN_CHECK spean_err fold_orgkey(struct fold_batch *b, const struct fold_place *place,
                                  struct spean_view content);

/* Judge the grants of a part again: the owner is known, one is gone, or the part is erased. */
SPEAN_CHECK spean_err fold_grants_judge(struct fold_batch *b, const struct spean_part_name *part);

/* In a check: judge the grants of a part again, and see that what came of it is as it was. */
SPEAN_CHECK spean_err fold_grants_look(struct fold_batch *b, const struct spean_part_name *part);

/* Judge the grants of all parts of which some were opened in this batch. */
SPEAN_CHECK spean_err fold_grants_settle(struct fold_batch *b);

/* The same for the part whose last grant gives the key that has tag in log, if that is one of them:
 * *settled. */
SPEAN_CHECK spean_err fold_grants_settle_tag(struct fold_batch *b, const struct spean_id *log,
                                             const struct spean_tag *tag, bool *settled);

/* Let keys show in logs that are new to the authority: those numbered first and up in it. */
SPEAN_CHECK spean_err fold_tags_fill(struct fold_batch *b, uint32_t first);

/* Forget keys at hand, because a key was removed. */
void fold_tags_forget(struct spean_fold *fold);

/*
 * Say whether the grants of a part give the key with this proof if owner owns the record: only
 * then a creating change under it counts. Otherwise a grant in a wrong name could make known the
 * record that turns the grant down.
 */
SPEAN_CHECK spean_err fold_grants_give(struct fold_batch *b, const struct spean_part_name *part,
                                       const struct spean_id *proof, const struct spean_id *owner,
                                       bool *give);

/*
 * Say whether a newer generation leaves the author of a change out without covering it (P8.5).
 * row_counts is told of each row that matters; errors of it stick to tx.
 */
SPEAN_CHECK spean_err fold_left_out(struct fold_batch *b, const struct spean_part_name *part,
                                    const struct spean_id *owner,
                                    const struct spean_grant_change *change,
                                    spean_row_counts *row_counts, void *ctx, bool *left_out);

/* Forget what that function has at hand. */
void fold_accepted_drop(struct spean_fold *fold);

/* -- fold_erasure.c -------------------------------------------------------------------------- */

/* Work on an erasure. */
SPEAN_CHECK spean_err fold_erasure(struct fold_batch *b, const struct fold_place *place,
                                   struct spean_view content);

/* Say whether a part, or a public entry, is erased. */
SPEAN_CHECK spean_err fold_part_erased(struct fold_batch *b, const struct spean_part_name *part,
                                       bool *erased);
SPEAN_CHECK spean_err fold_place_erased(struct fold_batch *b, const struct fold_place *place,
                                        bool *erased);

/* Refuse bodies of erased parts in logs that are new, as fold_tags_fill(). */
SPEAN_CHECK spean_err fold_erasures_fill(struct fold_batch *b, uint32_t first);

/* Take back what the erasures in a log did; the rows of log number are then gone. */
SPEAN_CHECK spean_err fold_erasures_take_back(struct fold_batch *b, uint32_t number);

#endif
