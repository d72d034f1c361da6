/* store/serve.h - runs and places of logs, as other nodes ask for them (P13.6). */
#ifndef SPEAN_STORE_SERVE_H
#define SPEAN_STORE_SERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/authority.h"
#include "protocol/bytes.h"
#include "protocol/err.h"
#include "protocol/limits.h"
#include "protocol/run.h"
#include "store/db.h"
#include "store/log.h"

/* Whether the body of an entry may travel to the asker (P6.4). Untagged ones are asked for, too;
 * sealed ones that an erasure hides are not: they travel to nobody (P8.7). */
typedef bool spean_serve_travels(void *ctx, const struct spean_header *header);

struct spean_serve_request {
    const struct spean_log *log; /* What the authority says: nothing beyond its cut is served. */
    const struct spean_place *places; /* Descending. */
    uint32_t places_count;            /* 0: from the first entry. */
    uint32_t bytes_max;               /* By P5.6; at least up to the next signature kept. */
    spean_serve_travels *travels;     /* NULL: no body travels. */
    void *ctx;
};

struct spean_served {
    struct spean_view run; /* At buf; len 0: nothing is held above. The rest is then 0. */
    uint64_t first_seq;
    struct spean_place last;
    uint32_t size;       /* By P5.6. */
    bool more;           /* More is held above last. */
    uint32_t bodies_bad; /* Held, but damaged: they did not travel. Run the check. */
};

/*
 * Compose the longest run within bytes_max that begins above the highest of the places that is on
 * our chain, or above the start. SPEAN_LOG_RUN_BYTES_MAX is enough for cap.
 * SPEAN_ENOTFOUND: nothing of this log is held. SPEAN_ECORRUPT: what is held is damaged.
 * SPEAN_ELIMIT: cap. SPEAN_ENOMEM.
 */
SPEAN_CHECK spean_err spean_serve_run(struct spean_tx *tx,
                                      const struct spean_serve_request *request, uint8_t *buf,
                                      size_t cap, struct spean_served *out);

/*
 * Name places of a log: its head, and below it the ones at distances that double, where signatures
 * are kept; descending. *count is 0 when nothing is held. SPEAN_ECORRUPT.
 */
SPEAN_CHECK spean_err spean_serve_places(struct spean_tx *tx, const struct spean_id *log,
                                         struct spean_place out[SPEAN_PLACES_MAX], uint32_t *count);

#endif
