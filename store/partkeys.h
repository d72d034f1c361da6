/*
 * store/partkeys.h - keys of parts that were granted to us, and the tags under which they show.
 *
 * The fold (store/fold.h) fills these tables from grants; everybody else reads. A key, its proof
 * and its audience are sealed at rest: who is party to what is nobody's business but the parties'.
 * So a locked node knows no audience. It still carries what needs no key: it serves sealed bodies
 * to relays and to whoever shows the key proof (P13.10), and refuses bodies under erased tags.
 */
#ifndef SPEAN_STORE_PARTKEYS_H
#define SPEAN_STORE_PARTKEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/authority.h"
#include "protocol/bytes.h"
#include "protocol/entry.h"
#include "protocol/err.h"
#include "protocol/limits.h"
#include "protocol/partkey.h"
#include "store/db.h"
#include "store/keystore.h"

#define SPEAN_PARTKEYS_AUDIENCE_MAX 256u /* Of all grants of one key; the lowest ids count. */

/* A part of a record. */
struct spean_part_name {
    struct spean_record_id record;
    uint32_t part;
};

/* A key that is held by an accepted grant. Wipe it with spean_partkeys_wipe() after use. */
struct spean_partkey {
    uint32_t number; /* This store's own, from 1. */
    struct spean_part_name part;
    uint32_t generation; /* From 1. */
    uint8_t key[SPEAN_KEY_BYTES];
    struct spean_id proof;
    struct spean_id owner;       /* Of the record, as the grants say. */
    struct spean_id granted_log; /* The grant it came with first. */
    uint64_t granted_seq;
    uint32_t audience_count;
    struct spean_id audience[SPEAN_PARTKEYS_AUDIENCE_MAX]; /* Ascending. */
};

void spean_partkeys_wipe(struct spean_partkey *key);

/* Say whether org is in the audience of key. */
bool spean_partkeys_reaches(const struct spean_partkey *key, const struct spean_id *org);

/*
 * Each gives a key in *out. SPEAN_ENOTFOUND: none is held (an erased one neither). SPEAN_ELOCKED.
 * SPEAN_ECORRUPT: the row is damaged. Others as for spean_tx_get().
 */

/* The key whose tag this is, in whatever log. */
SPEAN_CHECK spean_err spean_partkeys_by_tag(struct spean_tx *tx, const struct spean_keys *keys,
                                            const struct spean_tag *tag, struct spean_partkey *out);

/*
 * The key to seal the next change under (P7.2): of the highest generation; of several of one
 * generation, which two parties opened unseen by each other, the one with the lowest proof.
 */
SPEAN_CHECK spean_err spean_partkeys_newest(struct spean_tx *tx, const struct spean_keys *keys,
                                            const struct spean_part_name *part,
                                            struct spean_partkey *out);

/* The first key of a part with at least this generation and number: to walk over all, begin at
 * (0, 0) and go on at (generation, number + 1). */
SPEAN_CHECK spean_err spean_partkeys_next(struct spean_tx *tx, const struct spean_keys *keys,
                                          const struct spean_part_name *part, uint32_t generation,
                                          uint32_t number, struct spean_partkey *out);

/*
 * Say whether the body of an entry travels unasked to nodes of org (P6.4): what is not sealed does;
 * of what is, the part's audience decides. Where that is not known (no key, locked, damaged) it
 * does not: then the body is for relays alone, and for whoever shows the key proof.
 */
bool spean_partkeys_travels(struct spean_tx *tx, const struct spean_keys *keys,
                            const struct spean_header *header, const struct spean_id *org);

/* Say whether a body under tag is refused, because its part was erased (P8.7), as the
 * store does by itself. Needs no keys. Errors as for spean_tx_get(). */
SPEAN_CHECK spean_err spean_partkeys_refused(struct spean_tx *tx, const struct spean_tag *tag,
                                             bool *refused);

/* -- Bodies that are lacking ----------------------------------------------------------------- */

/* One group of a FETCH (P13.1): bodies of one log under one tag that we can read and lack. */
struct spean_lacking {
    struct spean_tag tag;
    uint32_t number; /* Of the log in this store. */
    struct spean_id log;
    struct spean_id proof; /* Show it to the one asked. */
    uint64_t seqs[SPEAN_FETCH_SEQS_MAX];
    uint32_t seqs_count;
};

/* Where the scan is; begin with all zero. */
struct spean_lacking_at {
    struct spean_tag tag;
    uint64_t seq; /* Under that tag, at this or above. */
};

/*
 * Give the next group that org may hold: it is in the audience of the key. org is NULL for a relay:
 * every group. SPEAN_ENOTFOUND: no more. SPEAN_ELOCKED, SPEAN_ECORRUPT. Cost follows what is
 * lacking. What a body that arrives is, tell spean_fold_body().
 */
SPEAN_CHECK spean_err spean_partkeys_lacking(struct spean_tx *tx, const struct spean_keys *keys,
                                             const struct spean_id *org,
                                             struct spean_lacking_at *at,
                                             struct spean_lacking *out);

/* Count the bodies that we can read and lack: the number in SYNCED. Needs no keys. */
SPEAN_CHECK spean_err spean_partkeys_lacking_count(struct spean_tx *tx, uint64_t *count);

/* -- For the fold ---------------------------------------------------------------------------- */

/* Write a key, new (number 0, which is then set) or in the place of its row. Sticks to tx. */
spean_err spean_partkeys_put(struct spean_tx *tx, const struct spean_keys *keys,
                             struct spean_partkey *key);

/* Remove a key; its tags are the caller's to remove. Errors stick to tx. */
spean_err spean_partkeys_del(struct spean_tx *tx, const struct spean_partkey *key);

/* Say which key a tag is of; number 0: it is refused for ever. Errors stick to tx. */
spean_err spean_partkeys_put_tag(struct spean_tx *tx, const struct spean_tag *tag, uint32_t number);

/* Forget what a tag is. Errors stick to tx. */
spean_err spean_partkeys_del_tag(struct spean_tx *tx, const struct spean_tag *tag);

/* Forget of what keys tags are; those that are refused stay refused. Errors stick to tx. */
spean_err spean_partkeys_reset_tags(struct spean_tx *tx);

/* Say that bodies of a part under tag, which is of log number, may be lacking, so that they are
 * looked for; or, with wanted false, that they are not any more. Errors stick to tx. */
spean_err spean_partkeys_want(struct spean_tx *tx, const struct spean_tag *tag,
                              const struct spean_part_name *part, uint32_t number, bool wanted);

/*
 * Count the grants of a part in log number that count (P8.4), and give the seq of the last, 0 for
 * none. Needs no keys. SPEAN_ECORRUPT.
 */
SPEAN_CHECK spean_err spean_partkeys_grants(struct spean_tx *tx, const struct spean_part_name *part,
                                            uint32_t number, uint32_t *count, uint64_t *last_seq);

/* Say whether bodies of a part are lacking that we could read. Needs no keys. */
SPEAN_CHECK spean_err spean_partkeys_lacks(struct spean_tx *tx, const struct spean_part_name *part,
                                           bool *lacks);

/* Look up which key has tag; 0: it is refused for ever. SPEAN_ENOTFOUND. SPEAN_ECORRUPT. */
SPEAN_CHECK spean_err spean_partkeys_number_of(struct spean_tx *tx, const struct spean_tag *tag,
                                               uint32_t *number);

/* Look up a key by number. Errors as above. */
SPEAN_CHECK spean_err spean_partkeys_get(struct spean_tx *tx, const struct spean_keys *keys,
                                         uint32_t number, struct spean_partkey *out);

/* Look up the first key whose number is at least from: to walk over all. Errors as above. */
SPEAN_CHECK spean_err spean_partkeys_scan(struct spean_tx *tx, const struct spean_keys *keys,
                                          uint32_t from, struct spean_partkey *out);

/* The key of rows about a part: record, then part. Start of longer ones. */
struct spean_db_key spean_part_name_key(const struct spean_part_name *part);
#define SPEAN_PART_NAME_BYTES 20u

/* Read a part back from the start of such a key. SPEAN_ECORRUPT: it is too short. */
SPEAN_CHECK spean_err spean_part_name_decode(struct spean_view key, struct spean_part_name *out);

bool spean_part_name_equal(const struct spean_part_name *a, const struct spean_part_name *b);

/* The part as key proofs take it. */
struct spean_keyed_part spean_part_keyed(const struct spean_part_name *part);

#endif
