/*
 * store/beyond.h - entries that are set aside, beyond the cut of their log or on the other branch
 * of a fork, as nodes of the log's org fetch them from others (P5.9, P13.14).
 *
 * They are named by the entries among them whose signatures are kept, in the order of seq, then id:
 * each of these ends a run of what stands between the signed entry before it, or whatever is not
 * set aside, and itself. What no signed entry follows cannot be verified by others and stays here.
 */
#ifndef SPEAN_STORE_BEYOND_H
#define SPEAN_STORE_BEYOND_H

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

struct spean_beyond_held {
    uint32_t count;
    struct spean_place places[SPEAN_ASIDE_HELD_MAX]; /* Of signed entries, ascending. */
    bool more;                                       /* There are others behind the last. */
    bool full; /* SPEAN_LOG_ASIDE_BYTES_MAX is reached: take no more of this log. */
};

/* Name what is set aside of a log behind *after (seq 0: all). SPEAN_ECORRUPT. */
SPEAN_CHECK spean_err spean_beyond_held(struct spean_tx *tx, const struct spean_id *log,
                                        const struct spean_place *after,
                                        struct spean_beyond_held *out);

struct spean_beyond_request {
    const struct spean_id *log;
    struct spean_place after;       /* Seq 0: from the start. */
    const struct spean_place *held; /* By the asker, ascending. */
    uint32_t held_count;
    bool more; /* It holds others behind the last of these: only what is before is asked for. */
};

struct spean_beyond_branch {
    struct spean_view run;    /* At buf. */
    struct spean_id previous; /* What the first entry follows; all zero: nothing. */
    struct spean_place last;
};

/*
 * Compose the run that ends at the first signed entry behind request->after which the asker does
 * not hold, with the bodies that are held and not hidden by an erasure. SPEAN_LOG_RUN_BYTES_MAX is
 * enough for cap. Give it to nodes of the log's org alone. One that is damaged, or longer than a
 * run may be, is left out, for the check to tell. SPEAN_ENOTFOUND: there is none. SPEAN_ELIMIT:
 * cap. SPEAN_ECORRUPT, SPEAN_ENOMEM.
 */
SPEAN_CHECK spean_err spean_beyond_serve(struct spean_tx *tx,
                                         const struct spean_beyond_request *request, uint8_t *buf,
                                         size_t cap, struct spean_beyond_branch *out);

/*
 * Set aside what a run, decoded and verified by its signature, has beyond the cut of its log or off
 * the chain that is held; what is on that chain, or may come to be, is left out, and so are bodies
 * under erased tags. SPEAN_ELIMIT: the quota SPEAN_LOG_ASIDE_BYTES_MAX is reached, or there are too
 * many logs; nothing was kept. SPEAN_ECORRUPT. Others stick to tx.
 */
SPEAN_CHECK spean_err spean_beyond_keep(struct spean_tx *tx, const struct spean_run *run,
                                        const struct spean_log *log);

#endif
