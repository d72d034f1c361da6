/*
 * protocol/fold.h - the folded state of one part of a record (PROTOCOL.md, 10).
 *
 * A part takes changes in any order, any of them any number of times, and comes to the same state,
 * byte for byte. What a change may do has been judged before (protocol/role.h); nothing here looks
 * at a clock, a schema or another record.
 */
#ifndef SPEAN_PROTOCOL_FOLD_H
#define SPEAN_PROTOCOL_FOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/change.h"
#include "protocol/err.h"
#include "protocol/hash.h"

/*
 * What one part may hold: fields, elements, rows of clocks, list items, one-way writes, strikes of
 * items not held and unknown operations together. None of them ever becomes less by folding more,
 * so a part is above the limit in every order or in none.
 */
#define SPEAN_PART_ROWS_MAX 1048576u

struct spean_part;  /* Opaque. */
struct spean_field; /* Belongs to its part; valid until the part is changed or freed. */

/* A change and where it stands. Views are read during the call only. */
struct spean_fold_input {
    const struct spean_change *change; /* Decoded, and allowed to its author. */
    uint64_t log;                      /* Short name. */
    uint64_t seq;
    struct spean_id entry;
    uint64_t time; /* Of the header. */
    struct spean_id org;
};

/* One write as it is shown. Views are valid until the part is changed or freed. */
struct spean_write {
    struct spean_dot dot;
    uint64_t time; /* What the author's clock said. */
    struct spean_id entry;
    struct spean_id org; /* The author's. */
    struct spean_view actor;
    struct spean_view value; /* Encoded. */
    bool struck;             /* List items only. */
};

/* Create the empty state of a part in *out. SPEAN_ENOMEM. Free it with spean_part_free(). */
SPEAN_CHECK spean_err spean_part_new(struct spean_part **out, uint64_t type,
                                     const struct spean_record_id *record, uint64_t part);
void spean_part_free(struct spean_part *part); /* NULL is allowed. Wipes what it held. */

/*
 * Fold a change into part. *rows_missing says whether a row of its context did not count: when the
 * entry that such a row names arrives, apply the same change again, or fold all from the start;
 * both give the same. A change that is taken back by a cut cannot be unfolded: fold what remains
 * from the start. Applying a change again changes nothing.
 * SPEAN_EINPUT: the change is to another part. SPEAN_ELIMIT: the part would be above
 * SPEAN_PART_ROWS_MAX, which is so in every order: show it as too large. SPEAN_ENOMEM. After the
 * latter two part can only be freed.
 */
SPEAN_CHECK spean_err spean_part_apply(struct spean_part *part,
                                       const struct spean_fold_input *input,
                                       spean_row_counts *row_counts, void *ctx, bool *rows_missing);

/* Return a length that none of the encodings below exceeds. Walks what is here of the part. */
size_t spean_part_encoded_max(const struct spean_part *part);

/* Encode the canonical state (P10.9) at buf; *out is then a view of it. SPEAN_ELIMIT: cap. No row
 * of part is kept elsewhere (assert). */
SPEAN_CHECK spean_err spean_part_encode(const struct spean_part *part, uint8_t *buf, size_t cap,
                                        struct spean_view *out);

/*
 * Read a canonical state back; folding goes on from it as if it had never been encoded. Encoding
 * what was read gives the same bytes. SPEAN_EFORMAT, SPEAN_ELIMIT: not a canonical state; fold from
 * the start. SPEAN_ENOMEM. *out is written on success only.
 */
SPEAN_CHECK spean_err spean_part_decode(struct spean_view state, struct spean_part **out);

/* Compute the state hash: of the canonical state, encoded. */
void spean_part_hash(struct spean_id *out, struct spean_view state);

/* Begin to hash a canonical state that comes in pieces; spean_hash_end() gives the state hash. */
void spean_part_hash_begin(struct spean_hash *h);

/* -- Rows kept elsewhere --------------------------------------------------------------------- */

/*
 * A list only grows, and one change touches few of its items. So whoever stores a part may keep
 * each item, and each strike that names no item held, as a row elsewhere: what is left is the
 * trunk, which only counts them. Before a change is folded into a trunk, the rows that its
 * operations name are taken back (spean_fold_item(), spean_part_hold_item(), _strike()); after it,
 * the writes of the list fields are the rows to be kept, and the trunk is encoded anew. A row that
 * is an item by then and was a strike before is a strike no longer. So what is folded, and what the
 * canonical state is, does not depend on what is kept where.
 */

/*
 * Give the list item that the operation at index of an input appends or strikes; false: it is
 * about no list.
 */
bool spean_fold_item(const struct spean_fold_input *input, const struct spean_operation *op,
                     uint32_t index, struct spean_dot *item);

/*
 * Encode the trunk of part at buf, as what it is when all rows of its lists are kept elsewhere;
 * *out is then a view of it, and *state_len the length of the canonical state. SPEAN_ELIMIT: cap.
 */
SPEAN_CHECK spean_err spean_part_encode_trunk(const struct spean_part *part, uint8_t *buf,
                                              size_t cap, struct spean_view *out,
                                              size_t *state_len);

/* Read a trunk back; errors as of spean_part_decode(). */
SPEAN_CHECK spean_err spean_part_decode_trunk(struct spean_view trunk, struct spean_part **out);

/* Say whether rows of the list with this number are kept elsewhere. */
bool spean_part_is_away(const struct spean_part *part, uint64_t field);

/*
 * Take back a row that is kept elsewhere. SPEAN_EFORMAT: by the trunk there is none more, or it is
 * here already; fold from the start. SPEAN_ENOMEM.
 */
SPEAN_CHECK spean_err spean_part_hold_item(struct spean_part *part, uint64_t field,
                                           const struct spean_write *item);
SPEAN_CHECK spean_err spean_part_hold_strike(struct spean_part *part, uint64_t field,
                                             const struct spean_dot *dot);

#define SPEAN_ITEM_BYTES_MAX (SPEAN_VALUE_BYTES_MAX + 256u)

/* Encode an item as in the canonical state at buf; *out is then a view of it. SPEAN_ELIMIT: cap.
 * Read it back; views are into bytes. SPEAN_EFORMAT, SPEAN_ELIMIT: it is none. */
SPEAN_CHECK spean_err spean_item_encode(const struct spean_write *item, uint8_t *buf, size_t cap,
                                        struct spean_view *out);
SPEAN_CHECK spean_err spean_item_decode(struct spean_view bytes, struct spean_write *out);

/* Where the canonical state of a part goes, when all rows of its lists are kept elsewhere. Each
 * returns SPEAN_OK, or an error that ends it. */
struct spean_part_sink {
    /* Take the next bytes. */
    spean_err (*bytes)(void *ctx, struct spean_view bytes);
    /* Take the rows of a list, of which there are count: its items by time, entry and index, each
     * as spean_item_encode() gives it, or its strikes by dot, as spean_dot_encode() does. */
    spean_err (*items)(void *ctx, uint64_t field, uint32_t count);
    spean_err (*strikes)(void *ctx, uint64_t field, uint32_t count);
    void *ctx;
};

/*
 * Give the canonical state of part to a sink, piece by piece; buf has room for
 * spean_part_encoded_max(). No row of part is here (assert). Errors are those of the sink.
 */
SPEAN_CHECK spean_err spean_part_pour(const struct spean_part *part, uint8_t *buf, size_t cap,
                                      const struct spean_part_sink *sink);

/* -- Showing --------------------------------------------------------------------------------- */

/* What a part is, and what its creating change said where that is among the changes folded. */
struct spean_part_info {
    uint64_t type;
    struct spean_record_id record;
    uint64_t part;
    bool created; /* The two below are there. */
    struct spean_id owner;
    struct spean_view fixed; /* Encoded map; valid until the part is changed or freed. */
};

void spean_part_get_info(const struct spean_part *part, struct spean_part_info *out);

/* Return the count of fields, the field at index, or the field of that number and kind or NULL.
 * They ascend by number, then kind. */
size_t spean_part_fields_count(const struct spean_part *part);
const struct spean_field *spean_part_field(const struct spean_part *part, size_t index);
const struct spean_field *spean_part_find(const struct spean_part *part, uint64_t field,
                                          uint64_t kind);

uint64_t spean_field_number(const struct spean_field *field);
uint64_t spean_field_kind(const struct spean_field *field); /* enum spean_kind; a known one. */

/*
 * The writes of a field: siblings of a value or strictest field, every write of a one-way field,
 * every item of a list that is not kept elsewhere, in canonical order (a list's is the order to
 * show). A set has none.
 */
size_t spean_field_writes_count(const struct spean_field *field);
void spean_field_get_write(const struct spean_field *field, size_t index, struct spean_write *out);

/* Say whether the item of a list, or the strike, that is named is here; and how many items, or
 * strikes that name no item held, are kept elsewhere. */
bool spean_field_holds(const struct spean_field *field, const struct spean_dot *dot);
uint32_t spean_field_items_away(const struct spean_field *field);
uint32_t spean_field_strikes_away(const struct spean_field *field);

/* The strikes of a list that name no item held and are not kept elsewhere, ascending. */
size_t spean_field_strikes_count(const struct spean_field *field);
void spean_field_get_strike(const struct spean_field *field, size_t index, struct spean_dot *out);

/* Say whether a value field has unequal siblings; false for every other kind. */
bool spean_field_conflict(const struct spean_field *field);

/*
 * Give the write that is shown: of a value field the provisional one (P10.3), of a one-way field
 * the one with the lowest entry id. False if the field has no write or is of another kind.
 */
bool spean_field_get_shown(const struct spean_field *field, struct spean_write *out);

/*
 * Elements of a set that were ever added or removed, ascending. Give the encoded element at index
 * and say whether it is in the set.
 */
size_t spean_field_elements_count(const struct spean_field *field);
bool spean_field_get_element(const struct spean_field *field, size_t index,
                             struct spean_view *element);

/* Give the lowest dot of the adds that keep the element at index in the set; false: none does, it
 * is not in it. */
bool spean_field_get_element_dot(const struct spean_field *field, size_t index,
                                 struct spean_dot *out);

/* Operations of kinds that are not known, ascending by dot; operation is encoded. */
size_t spean_part_unknown_count(const struct spean_part *part);
void spean_part_get_unknown(const struct spean_part *part, size_t index, struct spean_dot *dot,
                            struct spean_view *operation);

#endif
