/*
 * protocol/change.h - the content of a change: what somebody wrote into a part of a record
 * (PROTOCOL.md, 9).
 *
 * Decoding checks everything that can be checked without knowing the schema, the author or other
 * entries, and allocates nothing: what it gives are views into the content, which must outlive
 * them. Decoded changes are safe to walk without further checks.
 */
#ifndef SPEAN_PROTOCOL_CHANGE_H
#define SPEAN_PROTOCOL_CHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/err.h"
#include "protocol/limits.h"
#include "protocol/reader.h"
#include "protocol/writer.h"

#define SPEAN_CHANGE_RANDOM_BYTES 16u
#define SPEAN_CHANGE_FIXED_MAX    256u /* Fixed fields of a record. */
#define SPEAN_CHANGE_BYTES_MAX    SPEAN_BODY_BYTES_MAX

/* Verbs of operations; by kind. */
enum spean_verb {
    SPEAN_VERB_WRITE = 0,  /* value, strictest, one-way */
    SPEAN_VERB_REMOVE = 0, /* set */
    SPEAN_VERB_ADD = 1,
    SPEAN_VERB_STRIKE = 0, /* list */
    SPEAN_VERB_APPEND = 1
};

/* The name of an operation, so of a list item: where it stands (P9.2, P10.2). */
struct spean_dot {
    uint64_t log; /* Short name. */
    uint64_t seq;
    uint32_t index; /* Of the operation in its change. */
};

struct spean_operation {
    uint64_t field;
    uint64_t kind;             /* enum spean_kind, or one that is not known. */
    uint64_t verb;             /* enum spean_verb, or anything where the kind is not known. */
    struct spean_view value;   /* Encoded. */
    struct spean_view encoded; /* The whole operation; not read when encoding. */
};

/* One row of a context: the author had read every body of this part in log up to seq. */
struct spean_context_row {
    uint64_t log; /* Short name. */
    uint64_t seq;
    uint64_t entry; /* First 8 bytes of the entry's id, big-endian. */
};

/*
 * Say whether a row of a context counts: whether the entry at seq on the accepted chain of the log
 * with this short name has an id that begins with these 8 bytes (P9.3).
 */
typedef bool spean_row_counts(void *ctx, const struct spean_context_row *row);

struct spean_change {
    uint64_t type;
    struct spean_record_id record;
    uint64_t part;
    uint64_t schema_version;
    struct spean_view actor; /* Pseudonym, at most SPEAN_ACTOR_BYTES_MAX. */
    bool creates;
    uint8_t random[SPEAN_CHANGE_RANDOM_BYTES]; /* When it creates. */
    struct spean_view fixed;                   /* When it creates: the encoded map. */
    uint32_t operations_count;
    struct spean_view operations; /* One after the other. */
    uint32_t rows_count;
    struct spean_view rows; /* One after the other. */
};

/*
 * Decode and check the content of a change. SPEAN_EFORMAT: not canonical, an operation of a known
 * kind with another verb or a malformed item name, a field or element written twice, rows that do
 * not ascend; SPEAN_ELIMIT: above a named limit. Set the change aside after both. *out is written
 * on success only.
 */
SPEAN_CHECK spean_err spean_change_decode(struct spean_view content, struct spean_change *out);

/*
 * Encode a change at buf; *out is then a view of it. Of change everything is read but the counts
 * and views of operations and rows, which come beside it; rows ascend by log.
 * SPEAN_EINPUT: decoding would refuse it, *out and the meaning of buf are then undefined.
 * SPEAN_ELIMIT: cap is too small.
 */
SPEAN_CHECK spean_err spean_change_encode(const struct spean_change *change,
                                          const struct spean_operation *operations,
                                          uint32_t operations_count,
                                          const struct spean_context_row *rows, uint32_t rows_count,
                                          uint8_t *buf, size_t cap, struct spean_view *out);

/* Take the next operation from *left, which began as change->operations; false at its end. */
bool spean_operation_next(struct spean_view *left, struct spean_operation *out);

/* Take the next row from *left, which began as the rows of a change or grant; false at its end. */
bool spean_context_row_next(struct spean_view *left, struct spean_context_row *out);

/* Say whether count rows are a context: at most SPEAN_CONTEXT_ROWS_MAX, none of seq 0, ascending by
 * log. */
bool spean_context_fits(const struct spean_context_row *rows, uint32_t count);

/* Read or write a context, as changes and grants carry it; errors stick to r or w. What is read
 * lies one after the other, without the head of the array. */
struct spean_view spean_context_read(struct spean_reader *r, uint32_t *count);
void spean_context_write(struct spean_writer *w, const struct spean_context_row *rows,
                         uint32_t count);

/* Encode the name of a list item, which is the value of a strike, at buf; it is at most
 * SPEAN_DOT_BYTES_MAX. */
#define SPEAN_DOT_BYTES_MAX 24u
struct spean_view spean_dot_encode(const struct spean_dot *dot, uint8_t buf[SPEAN_DOT_BYTES_MAX]);

/* Read the value of a strike. SPEAN_EFORMAT, SPEAN_ELIMIT: it names no item. */
SPEAN_CHECK spean_err spean_dot_decode(struct spean_view value, struct spean_dot *out);

/* Order dots by log, seq, index: negative, 0, positive. */
int spean_dot_compare(const struct spean_dot *a, const struct spean_dot *b);

/*
 * Check that value is one canonical value within the limits of SCHEMA.md, section 4.
 * SPEAN_EFORMAT, SPEAN_ELIMIT.
 */
SPEAN_CHECK spean_err spean_value_check(struct spean_view value);

/* Read one operation, or the map of fixed fields, as decoding a change does; errors stick to r. */
void spean_operation_read(struct spean_reader *r, struct spean_operation *out);
struct spean_view spean_fixed_read(struct spean_reader *r);

/* Find a field in the encoded map of fixed fields of a decoded change; false if it is not there. */
bool spean_fixed_get(struct spean_view fixed, uint64_t field, struct spean_view *value);

/* Derive the id of the record that author's organisation creates with random (P9.1). */
void spean_record_id_derive(struct spean_record_id *out, const struct spean_id *ledger,
                            const struct spean_id *author,
                            const uint8_t random[SPEAN_CHANGE_RANDOM_BYTES]);

#endif
