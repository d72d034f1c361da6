/* protocol/erasure.h - entries that call for destruction (P8.7). */
#ifndef SPEAN_PROTOCOL_ERASURE_H
#define SPEAN_PROTOCOL_ERASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/err.h"
#include "protocol/limits.h"

#define SPEAN_ERASURE_PLACES_MAX       1024u /* More than a body holds. */
#define SPEAN_ERASURE_REASON_BYTES_MAX SPEAN_VALUE_BYTES_MAX

/* An entry, named in full. */
struct spean_erasure_place {
    struct spean_id log;
    uint64_t seq;
    struct spean_id entry;
};

/* A decoded erasure, of a part or of public entries. Views into what was decoded. */
struct spean_erasure {
    bool of_part; /* Else of places. */
    struct spean_record_id record;
    uint64_t part;
    uint32_t proofs_count;
    struct spean_view proofs;
    uint32_t places_count;
    struct spean_view places;
    bool has_reason;
    struct spean_view reason; /* As its author sealed it. */
};

/*
 * Encode at buf the erasure of a part by the key proofs of all its generations (1 to
 * SPEAN_PART_GENERATIONS_MAX), or of public entries (1 to SPEAN_ERASURE_PLACES_MAX; nodes obey
 * them, the command that writes them is a later step). reason is NULL for none. SPEAN_ELIMIT: a
 * count or the reason is above its limit, or cap too small.
 */
SPEAN_CHECK spean_err spean_erasure_encode_part(const struct spean_record_id *record, uint64_t part,
                                                const struct spean_id *proofs,
                                                uint32_t proofs_count,
                                                const struct spean_view *reason, uint8_t *buf,
                                                size_t cap, struct spean_view *out);
SPEAN_CHECK spean_err spean_erasure_encode_places(const struct spean_erasure_place *places,
                                                  uint32_t places_count,
                                                  const struct spean_view *reason, uint8_t *buf,
                                                  size_t cap, struct spean_view *out);

/* Decode an erasure's content. SPEAN_EFORMAT, SPEAN_ELIMIT: set the entry aside. */
SPEAN_CHECK spean_err spean_erasure_decode(struct spean_view content, struct spean_erasure *out);

/* Give proof or place index (below its count). */
void spean_erasure_proof(const struct spean_erasure *erasure, uint32_t index, struct spean_id *out);

/* Take the next place from *left, which began as erasure->places; false at its end. */
bool spean_erasure_place_next(struct spean_view *left, struct spean_erasure_place *out);

/* Whom an erasure binds. */
enum spean_erasure_reach {
    SPEAN_ERASURE_NOBODY, /* Set it aside: SPEAN_ASIDE_ERASER. */
    SPEAN_ERASURE_OWN,    /* Nodes of the author's organisation, and relays. */
    SPEAN_ERASURE_ALL
};

/*
 * Judge who may erase (P8.7). Of a part, owner is the record's and being a steward says nothing; of
 * a public entry, owner is the organisation of its log, and all places have to give
 * SPEAN_ERASURE_ALL. While the owner is not known the erasure waits, except where it binds this
 * node whoever the owner is (spean_erasure_binds()).
 */
enum spean_erasure_reach spean_erasure_may(bool of_part, const struct spean_id *author,
                                           bool author_is_steward, const struct spean_id *owner);

/* Say whether an erasure of that reach by author binds a node of org; a relay of another org only
 * refuses what is under the proofs, whoever shows them. */
bool spean_erasure_binds(enum spean_erasure_reach reach, const struct spean_id *author,
                         const struct spean_id *org);

#endif
