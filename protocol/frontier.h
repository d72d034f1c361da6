/* protocol/frontier.h - the highest entry held, per log, and digests over them (P13.5). */
#ifndef SPEAN_PROTOCOL_FRONTIER_H
#define SPEAN_PROTOCOL_FRONTIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/err.h"
#include "protocol/limits.h"
#include "protocol/run.h"

#define SPEAN_BUCKETS_COUNT       64u
#define SPEAN_BUCKET_DIGEST_BYTES 8u

struct spean_frontier_row {
    struct spean_id log;
    struct spean_place head; /* seq is never 0 in a frontier. */
};

struct spean_frontier; /* Opaque. */

/* Create an empty frontier. The caller frees it with spean_frontier_free(). SPEAN_ENOMEM. */
SPEAN_CHECK spean_err spean_frontier_new(struct spean_frontier **out);
void spean_frontier_free(struct spean_frontier *f); /* NULL is allowed. */

/* Copy from over f. SPEAN_ENOMEM: f is as before. */
SPEAN_CHECK spean_err spean_frontier_copy(struct spean_frontier *f,
                                          const struct spean_frontier *from);

/* Return the head of log, a place with seq 0 when nothing of it is held. */
struct spean_place spean_frontier_get(const struct spean_frontier *f, const struct spean_id *log);

/*
 * Set the head of log, forwards or (after a cut) backwards; seq 0 removes the row.
 * SPEAN_ELIMIT: SPEAN_FRONTIER_LOGS_MAX logs; refuse the entry. SPEAN_ENOMEM. f is then unchanged.
 */
SPEAN_CHECK spean_err spean_frontier_set(struct spean_frontier *f, const struct spean_id *log,
                                         const struct spean_place *head);

/* Rows in ascending order of log. A row pointer lives until the next set, copy or free. */
size_t spean_frontier_count(const struct spean_frontier *f);
const struct spean_frontier_row *spean_frontier_row(const struct spean_frontier *f, size_t i);

/* The bucket of a log, 0 to SPEAN_BUCKETS_COUNT - 1. */
uint32_t spean_frontier_bucket(const struct spean_id *log);

/* Index of the first row of a bucket (or where it would be); bucket may be SPEAN_BUCKETS_COUNT. */
size_t spean_frontier_bucket_start(const struct spean_frontier *f, uint32_t bucket);

/* Short names (spean_short_of()) in ascending order; rows of these logs are left out. */
struct spean_excluded {
    const uint64_t *shorts;
    size_t count;
};

/* Digest of one bucket, without the excluded logs. */
void spean_frontier_bucket_digest(const struct spean_frontier *f, uint32_t bucket,
                                  struct spean_excluded excluded,
                                  uint8_t out[SPEAN_BUCKET_DIGEST_BYTES]);

/* Digest of the whole frontier, without the excluded logs. */
void spean_frontier_digest(const struct spean_frontier *f, struct spean_excluded excluded,
                           struct spean_id *out);

bool spean_excluded_has(struct spean_excluded excluded, const struct spean_id *log);

#endif
