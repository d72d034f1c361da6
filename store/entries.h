/*
 * store/entries.h - headers of entries as they are stored, by log and seq.
 *
 * An entry that is read is checked as one from a peer: its header decodes, bears its seq, and gives
 * its id. Bodies are store/body.h's: body is an empty view here.
 */
#ifndef SPEAN_STORE_ENTRIES_H
#define SPEAN_STORE_ENTRIES_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/err.h"
#include "protocol/run.h"
#include "store/db.h"
#include "store/logs.h"

/* The key of an entry, a body, a signature: log number and seq. */
struct spean_db_key spean_entries_key(uint32_t number, uint64_t seq);

/*
 * Read the entry at seq; views are into the store. SPEAN_ENOTFOUND: none is held there.
 * SPEAN_ECORRUPT: what is stored there is not that entry.
 */
SPEAN_CHECK spean_err spean_entries_get(struct spean_tx *tx, const struct spean_logs_row *row,
                                        uint64_t seq, struct spean_run_entry *out);

/* Read the id of the entry at seq; all zero for seq 0. Errors as above. */
SPEAN_CHECK spean_err spean_entries_id(struct spean_tx *tx, const struct spean_logs_row *row,
                                       uint64_t seq, struct spean_id *out);

/* Read the signature kept of the entry at seq. SPEAN_ENOTFOUND: none is. SPEAN_ECORRUPT: damaged.
 * It was verified when it was kept. */
SPEAN_CHECK spean_err spean_entries_signature(struct spean_tx *tx, const struct spean_logs_row *row,
                                              uint64_t seq, struct spean_signature *out);

/* The highest seq at or below seq whose signature is kept. SPEAN_ENOTFOUND: there is none. */
SPEAN_CHECK spean_err spean_entries_signed_below(struct spean_tx *tx,
                                                 const struct spean_logs_row *row, uint64_t seq,
                                                 uint64_t *out);

/* Write an entry; place is SPEAN_TX_AT_END where its log has the highest number and it extends the
 * log. For store/log.h, which has checked it. Errors stick to tx. */
spean_err spean_entries_put(struct spean_tx *tx, uint32_t number,
                            const struct spean_run_entry *entry, enum spean_tx_place place);

/* Consecutive entries of one log, read in order. The caller's memory; fields are private. */
struct spean_entries_scan {
    struct spean_cursor cursor;
    struct spean_logs_row row;
    uint64_t seq; /* Of the entry to come. */
    bool begun;
};

/* Begin at from (1 or above). End it before its transaction. */
SPEAN_CHECK spean_err spean_entries_scan_init(struct spean_entries_scan *scan, struct spean_tx *tx,
                                              const struct spean_logs_row *row, uint64_t from);
void spean_entries_scan_fini(struct spean_entries_scan *scan);

/*
 * Read the next entry, up to row->head. SPEAN_ENOTFOUND: that was all. SPEAN_ECORRUPT: it is
 * damaged or missing.
 */
SPEAN_CHECK spean_err spean_entries_scan_next(struct spean_entries_scan *scan,
                                              struct spean_run_entry *out);

#endif
