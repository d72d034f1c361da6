/* tests/support/foldkit.h - small histories of changes to one record part, for tests of folding. */
#ifndef SPEAN_TESTS_SUPPORT_FOLDKIT_H
#define SPEAN_TESTS_SUPPORT_FOLDKIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/change.h"
#include "protocol/fold.h"
#include "protocol/schema.h"

#define FOLDKIT_ENTRIES_MAX 512u
#define FOLDKIT_OPS_MAX     8u
#define FOLDKIT_LOGS_MAX    8u
#define FOLDKIT_BYTES_MAX   1024u
#define FOLDKIT_STATE_BYTES 262144u

/* One operation. Value: a number below 128, or for a strike the item (log, seq, index). */
struct foldkit_op {
    uint64_t field;
    uint64_t kind;
    uint64_t verb;
    uint8_t value;
    struct spean_dot struck;
};

/* A row that names the entry at seq of log, or, if it lies, an entry that never was. */
struct foldkit_row {
    uint64_t log;
    uint64_t seq;
    bool lies;
};

struct foldkit_entry {
    uint64_t log;
    uint64_t seq;
    uint64_t time;
    struct spean_id id; /* Follows from log and seq. */
    bool creates;
    uint8_t fixed; /* When it creates: the value of fixed field 1. */
    uint32_t ops_count;
    struct foldkit_op ops[FOLDKIT_OPS_MAX];
    uint32_t rows_count;
    struct foldkit_row rows[FOLDKIT_LOGS_MAX];

    /* Made by foldkit_seal(). */
    uint8_t content[FOLDKIT_BYTES_MAX];
    struct spean_change change;
};

/* A history, and which of its entries have arrived. */
struct foldkit {
    uint32_t count;
    struct foldkit_entry entries[FOLDKIT_ENTRIES_MAX];
    bool arrived[FOLDKIT_ENTRIES_MAX];
    bool missing[FOLDKIT_ENTRIES_MAX]; /* A row of it did not count when it was folded. */
};

struct foldkit *foldkit_new(void);
void foldkit_free(struct foldkit *k);

/* Append an entry without operations; fill it in, rows ascending by log, then call foldkit_seal().
 */
struct foldkit_entry *foldkit_add(struct foldkit *k, uint64_t log, uint64_t seq, uint64_t time);
void foldkit_seal(struct foldkit *k);

/* Append an entry of one operation, which has seen the entries of rows. */
struct foldkit_entry *foldkit_write(struct foldkit *k, uint64_t log, uint64_t seq, uint64_t kind,
                                    uint64_t verb, uint8_t value);
void foldkit_saw(struct foldkit_entry *e, uint64_t log, uint64_t seq);

struct spean_part *foldkit_part(void);

/* Let the entry at index arrive: fold it, and fold again what waited for it. */
void foldkit_arrive(struct foldkit *k, struct spean_part *part, uint32_t index);

/* Fold all, in the order given or (NULL) as they were added. */
struct spean_part *foldkit_fold(struct foldkit *k, const uint32_t *order);

/* Encode part into buf, which has FOLDKIT_STATE_BYTES. */
struct spean_view foldkit_state(const struct spean_part *part, uint8_t *buf);

/* Replace *part by what its encoding decodes to. */
void foldkit_reload(struct spean_part **part);

/* The number that an encoded value is. */
uint8_t foldkit_number(struct spean_view value);

#endif
