/*
 * store/logs.h - the table of logs: what is held of each, and when it arrived.
 *
 * A log gets its number, from 0 upwards, when the first thing about it is kept; the number stays
 * and begins the keys of all that is kept by log. It is this store's own and goes nowhere else.
 */
#ifndef SPEAN_STORE_LOGS_H
#define SPEAN_STORE_LOGS_H

#include <stdint.h>

#include "protocol/authority.h"
#include "protocol/bytes.h"
#include "protocol/err.h"
#include "protocol/frontier.h"
#include "protocol/run.h"
#include "protocol/sync.h"
#include "store/db.h"

/* A copy of a row; it is out of date after the next append or cut. */
struct spean_logs_row {
    uint32_t number;
    struct spean_id log;
    struct spean_id org;
    struct spean_key signing;
    struct spean_place head; /* Seq 0: no entry is held. */
    uint64_t bytes;          /* Of all entries held, counted as P5.6 does: for quotas. */
    enum spean_log_standing standing;
    uint64_t aside_bytes;   /* Of entries set aside, as they are stored: store/log.h. */
    uint64_t allowed_bytes; /* Up to which a person let it grow; 0: nobody did. */
};

/* Look up a log. SPEAN_ENOTFOUND: nothing of it is kept. SPEAN_ECORRUPT. */
SPEAN_CHECK spean_err spean_logs_get(struct spean_tx *tx, const struct spean_id *log,
                                     struct spean_logs_row *out);

/* Look up a log by its number. Errors as above. */
SPEAN_CHECK spean_err spean_logs_at(struct spean_tx *tx, uint32_t number,
                                    struct spean_logs_row *out);

/* Give the first log whose number is at least from: to walk over all. SPEAN_ENOTFOUND: none. */
SPEAN_CHECK spean_err spean_logs_next(struct spean_tx *tx, uint32_t from,
                                      struct spean_logs_row *out);

/*
 * Look up a log and give it a number and a row if it has none.
 * SPEAN_ELIMIT: SPEAN_FRONTIER_LOGS_MAX logs are known; keep nothing of this one. SPEAN_ECORRUPT.
 */
SPEAN_CHECK spean_err spean_logs_open(struct spean_tx *tx, const struct spean_log *log,
                                      struct spean_logs_row *out);

/* Write a row back. For the modules of the store. Errors stick to tx. */
spean_err spean_logs_put(struct spean_tx *tx, const struct spean_logs_row *row);

/* Write every row anew that has no allowed_bytes yet, as a store of format 2 may. For store/db.h.
 * SPEAN_ECORRUPT. Others stick to tx. */
SPEAN_CHECK spean_err spean_logs_migrate(struct spean_tx *tx);

/* Say that a log is paused, disputed or goes on. SPEAN_ENOTFOUND: nothing of it is kept. */
SPEAN_CHECK spean_err spean_logs_set_standing(struct spean_tx *tx, const struct spean_id *log,
                                              enum spean_log_standing standing);

/*
 * Fill an empty frontier with the head of every log of which an entry is held, disputed and paused
 * ones too. Settle the logs that were cut first (store/log.h): what is held ends at the cut then.
 * SPEAN_ECORRUPT, SPEAN_ENOMEM.
 */
SPEAN_CHECK spean_err spean_logs_frontier(struct spean_tx *tx, struct spean_frontier *frontier);

/* How and when a run came here. Entries that this node wrote have no arrival. */
struct spean_arrival {
    uint64_t first_seq;
    uint64_t last_seq;
    struct spean_key from; /* Transport key of the peer; all zero: a bundle. */
    uint64_t time;         /* Seconds since 1970 by our clock. */
};

/* Keep an arrival. For store/log.h. Errors stick to tx. */
spean_err spean_logs_put_arrival(struct spean_tx *tx, uint32_t number,
                                 const struct spean_arrival *arrival);

/* Let the arrivals of log number end at seq, where it was cut. For store/log.h. SPEAN_ECORRUPT: one
 * is damaged. Others stick to tx. */
SPEAN_CHECK spean_err spean_logs_cut_arrivals(struct spean_tx *tx, uint32_t number, uint64_t seq);

/* Give the first arrival of log number whose last seq is at least seq. SPEAN_ENOTFOUND: none. */
SPEAN_CHECK spean_err spean_logs_next_arrival(struct spean_tx *tx, uint32_t number, uint64_t seq,
                                              struct spean_arrival *out);

#endif
