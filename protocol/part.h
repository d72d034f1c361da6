/*
 * protocol/part.h - the insides of a folded part, shared by part.c (memory and order), fold.c
 * (folding), part_state.c (the canonical state, and its rows kept elsewhere) and part_show.c
 * (reading). Everybody else uses protocol/fold.h.
 *
 * Writes that are covered are forgotten at once: clocks only rise, so they would be covered for
 * ever, and one that comes again is recognised by the clock. So siblings, members and clocks are
 * all there is to know, and the canonical state is enough to go on from.
 */
#ifndef SPEAN_PROTOCOL_PART_H
#define SPEAN_PROTOCOL_PART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/change.h"
#include "protocol/clock.h"
#include "protocol/err.h"
#include "protocol/fold.h"
#include "protocol/sorted.h"

/* A sibling, one-way write or list item that is held. Followed by actor and value. */
struct spean_part_write {
    struct spean_dot dot;
    uint64_t time;
    struct spean_id entry;
    struct spean_id org;
    bool struck; /* List items only. */
    size_t actor_len;
    size_t value_len;
    uint8_t bytes[]; /* Actor, then value. */
};

/* A set's element. */
struct spean_part_element {
    struct spean_clock clock;
    struct spean_sorted dots; /* struct spean_dot: adds that are not covered. */
    size_t len;
    uint8_t bytes[];
};

struct spean_part_unknown {
    struct spean_dot dot;
    size_t len;
    uint8_t bytes[];
};

/* What of it is used depends on the kind. */
struct spean_field {
    uint64_t number;
    uint64_t kind;
    struct spean_clock clock;    /* value, strictest, one-way */
    struct spean_sorted writes;  /* struct spean_part_write, in canonical order; set: none */
    struct spean_sorted by_dot;  /* list: the same writes, by dot */
    struct spean_sorted strikes; /* list: struct spean_dot, of items not held */
    uint32_t items_away;         /* list: kept elsewhere, beside those here; see fold.h */
    uint32_t strikes_away;
    struct spean_sorted elements; /* set: struct spean_part_element, by their bytes */
};

struct spean_part {
    uint64_t type;
    struct spean_record_id record;
    uint64_t part;
    bool created;
    struct spean_id owner;
    uint8_t *fixed; /* When created: the encoded map. */
    size_t fixed_len;
    struct spean_sorted fields;   /* struct spean_field, by number and kind */
    struct spean_sorted unknowns; /* struct spean_part_unknown, by dot */
    size_t rows_count;            /* As SPEAN_PART_ROWS_MAX counts, also what is kept elsewhere. */
    size_t bytes_away;            /* That the rows kept elsewhere take in the canonical state. */
};

/* Find or make the field of that number and kind. SPEAN_ELIMIT, SPEAN_ENOMEM. */
SPEAN_CHECK spean_err spean_part_take_field(struct spean_part *part, uint64_t number, uint64_t kind,
                                            struct spean_field **out);

/* Find or make the element of a set field. SPEAN_ELIMIT, SPEAN_ENOMEM. */
SPEAN_CHECK spean_err spean_part_take_element(struct spean_part *part, struct spean_field *field,
                                              struct spean_view bytes,
                                              struct spean_part_element **out);

/* Raise a clock of part, counting its rows. SPEAN_ELIMIT, SPEAN_ENOMEM. */
SPEAN_CHECK spean_err spean_part_raise(struct spean_part *part, struct spean_clock *clock,
                                       uint64_t log, uint64_t seq);

/* Put a sibling or one-way write in its place; one that is there already stays as it is. */
SPEAN_CHECK spean_err spean_part_add_write(struct spean_part *part, struct spean_field *field,
                                           const struct spean_write *write);

/* Forget the siblings of a value or strictest field, or the adds of an element, that are covered.
 */
void spean_part_drop_covered(struct spean_field *field);
void spean_part_drop_covered_dots(struct spean_part_element *element);

/* Put a list item in its place, struck if it is said here or by a strike that came before. */
SPEAN_CHECK spean_err spean_part_add_item(struct spean_part *part, struct spean_field *field,
                                          const struct spean_write *item);

/* Put an item, or a strike, that was counted before in its place. SPEAN_EFORMAT: it is there. */
SPEAN_CHECK spean_err spean_part_hold_item_at(struct spean_field *field,
                                              const struct spean_write *item);
SPEAN_CHECK spean_err spean_part_hold_strike_at(struct spean_field *field,
                                                const struct spean_dot *dot);

/* Strike a list item, or keep the strike until the item comes. */
SPEAN_CHECK spean_err spean_part_add_strike(struct spean_part *part, struct spean_field *field,
                                            const struct spean_dot *dot);

/* Add an uncovered add to an element; one that is there already stays as it is. */
SPEAN_CHECK spean_err spean_part_add_dot(struct spean_part_element *element,
                                         const struct spean_dot *dot);

SPEAN_CHECK spean_err spean_part_add_unknown(struct spean_part *part, const struct spean_dot *dot,
                                             struct spean_view operation);

/* Take what a creating change says. SPEAN_ENOMEM. */
SPEAN_CHECK spean_err spean_part_set_created(struct spean_part *part, const struct spean_id *owner,
                                             struct spean_view fixed);

/* Order list items: by time, entry, index. */
int spean_part_compare_items(const void *a, const void *b);

/* Give what is shown of a held write. */
void spean_part_view_write(const struct spean_part_write *held, struct spean_write *out);

#endif
