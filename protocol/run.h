/*
 * protocol/run.h - consecutive entries of one log as they travel and are accepted (P5.6, P5.7).
 *
 * A run omits what its receiver can derive. Decoding restores every header and computes every
 * entry's id from the place it starts at, so after spean_run_decode() the chain inside the run
 * and up to that place holds by construction; spean_run_verify() then asks who vouches for it.
 */
#ifndef SPEAN_PROTOCOL_RUN_H
#define SPEAN_PROTOCOL_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/entry.h"
#include "protocol/err.h"
#include "protocol/limits.h"

/* A place in a log: seq 0 with an all-zero id is the place before its first entry. */
struct spean_place {
    uint64_t seq;
    struct spean_id entry;
};

/* The order of seq, then entry id: below, equal to or above 0. */
int spean_place_compare(const struct spean_place *a, const struct spean_place *b);

struct spean_run_entry {
    struct spean_header header;
    struct spean_view header_bytes; /* Belongs to the run. */
    struct spean_id id;
    struct spean_view body; /* View into the decoded bytes; len 0 when it does not travel. */
};

struct spean_run; /* Opaque; one allocation, to be used for many runs in turn. */

/* SPEAN_ENOMEM. The caller frees *out with spean_run_free(). */
SPEAN_CHECK spean_err spean_run_new(struct spean_run **out);
void spean_run_free(struct spean_run *run); /* NULL is allowed. */

/*
 * Tell at which seq the run in bytes starts, without judging the rest: the receiver must know the
 * entry before it. SPEAN_EFORMAT: no run.
 */
SPEAN_CHECK spean_err spean_run_first_seq(struct spean_view bytes, uint64_t *out);

/*
 * Decode bytes as a run of log that follows the place *after. Views in the result live as long as
 * bytes. SPEAN_EFORMAT: malformed; SPEAN_ELIMIT: above P5.6; SPEAN_EGAP: it starts elsewhere.
 * After an error the run is empty.
 */
SPEAN_CHECK spean_err spean_run_decode(struct spean_run *run, struct spean_view bytes,
                                       const struct spean_id *log, const struct spean_place *after);

/*
 * Check that the run's end is vouched for: by the signature that it carries, or by *cut (NULL for
 * none) standing exactly at its last entry. SPEAN_ESIGNATURE: neither, refuse the whole run;
 * SPEAN_EFORMAT: it ends inside a commit.
 */
SPEAN_CHECK spean_err spean_run_verify(const struct spean_run *run, const struct spean_key *signing,
                                       const struct spean_place *cut);

uint32_t spean_run_count(const struct spean_run *run); /* Entries; 0 after an error. */
const struct spean_run_entry *spean_run_entry(const struct spean_run *run, uint32_t i);
const struct spean_id *spean_run_log(const struct spean_run *run);
struct spean_place spean_run_last(const struct spean_run *run); /* Place of the last entry. */
uint32_t spean_run_size(const struct spean_run *run);           /* By P5.6. */

/* The signature at the end, NULL when a cut stands there. Belongs to the run. */
const struct spean_signature *spean_run_signature(const struct spean_run *run);

/* One entry to compose a run from. */
struct spean_run_source {
    struct spean_view header; /* As stored. */
    struct spean_view body;   /* Len 0 when it does not travel. */
};

/*
 * Encode count sources, which follow one another in a log, at buf. signature NULL: the last one is
 * a cut. SPEAN_ELIMIT: above P5.6 or cap; SPEAN_EFORMAT: a stored header is damaged.
 */
SPEAN_CHECK spean_err spean_run_encode(const struct spean_run_source *sources, uint32_t count,
                                       const struct spean_signature *signature, uint8_t *buf,
                                       size_t cap, struct spean_view *out);

#endif
