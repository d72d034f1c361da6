/*
 * store/log.h - logs grow by runs and are cut back; each in the caller's transaction.
 *
 * Held of a log is one unbroken chain from seq 1 to its head. Signatures are kept where runs ended
 * (P5.6), so that from each of those places the next is at most one run away.
 */
#ifndef SPEAN_STORE_LOG_H
#define SPEAN_STORE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/authority.h"
#include "protocol/bytes.h"
#include "protocol/err.h"
#include "protocol/run.h"
#include "store/db.h"
#include "store/logs.h"

/* Whether a body that travels with a run is kept: false when room is short. One that was erased
 * never is (P8.7). The entry is kept in any case. */
typedef bool spean_log_keep(void *ctx, const struct spean_header *header);

struct spean_log_arrival {
    const struct spean_key *from; /* Transport key of the peer; NULL: this node wrote it. */
    uint64_t now_s;
    spean_log_keep *keep; /* NULL: every body is kept. */
    void *ctx;
};

/*
 * Append a run that was decoded and verified, with the bodies that travelled, its signature and its
 * arrival. Of a run that begins below the head, what is above is appended. log is what the
 * authority says of it.
 *   SPEAN_EEXISTS  all of it is held already: as good as appended; nothing was written
 *   SPEAN_EGAP     it begins above the head: fetch what is between
 *   SPEAN_EFORK    it contradicts the chain held, or the cut: make evidence
 *   SPEAN_ESTATE   it ends above the cut of its log, or its log is disputed and not cut
 *   SPEAN_ELIMIT   too many logs
 *   SPEAN_ECORRUPT the row of the log, or its head, is damaged
 * After these tx is as before; others stick to it. No allocation.
 */
SPEAN_CHECK spean_err spean_log_append(struct spean_tx *tx, const struct spean_run *run,
                                       const struct spean_log *log,
                                       const struct spean_log_arrival *arrival);

/*
 * Append a commit that this node made: count headers with bodies, and the signature of the last.
 * It passes every check that a peer's would. scratch is used for that; it then holds the run, as
 * decoded from buf, which has SPEAN_LOG_RUN_BYTES_MAX, and *out is the run as it travels with all
 * its bodies. SPEAN_EINPUT: an entry has no body. SPEAN_ECHAIN: a header names another entry before
 * it or another body than is given. Others as above, and those of spean_run_encode(),
 * spean_run_decode() and spean_run_verify(): faults of this program; write nothing more.
 */
#define SPEAN_LOG_RUN_BYTES_MAX (SPEAN_RUN_BYTES_MAX + 512u)
SPEAN_CHECK spean_err spean_log_commit(struct spean_tx *tx, const struct spean_log *log,
                                       const struct spean_run_source *sources, uint32_t count,
                                       const struct spean_signature *signature,
                                       struct spean_run *scratch, uint8_t *buf,
                                       struct spean_view *out);

/*
 * Cut a log back to place, which is on the chain held: what stands above it is set aside, and the
 * head moves down. One call moves at most SPEAN_LOG_CUT_ENTRIES entries and ends at a place from
 * which can be served; *more says that the head is still above place: commit and call again.
 * SPEAN_EFORK: place is not on the chain. SPEAN_EGAP: it is above the head. SPEAN_ENOTFOUND:
 * nothing of the log is kept. SPEAN_ECORRUPT: the row or an entry is damaged. tx has failed then.
 */
#define SPEAN_LOG_CUT_ENTRIES 4096u
SPEAN_CHECK spean_err spean_log_cut_back(struct spean_tx *tx, const struct spean_id *log,
                                         const struct spean_place *place, bool *more);

/*
 * Make what is held of a log agree with its cut, once its cut has changed and for every log at
 * start: a log held beyond its cut is cut back to it; one held on another branch than the cut names
 * goes back to where evidence says that the branches part, or to nothing; a log whose dispute is
 * thereby settled goes on. An open log stays as it is. *head is the head then. *more as above, and
 * errors.
 */
SPEAN_CHECK spean_err spean_log_settle(struct spean_tx *tx, const struct spean_log *log,
                                       struct spean_place *head, bool *more);

/* -- Set aside ------------------------------------------------------------------------------- */

/* Beyond this, of a log, entries are set aside without their bodies. */
#define SPEAN_LOG_ASIDE_BYTES_MAX 67108864u

/* An entry that a cut took back; header_bytes and body (empty: not held) are views into the store.
 */
struct spean_log_aside {
    struct spean_run_entry entry;
    bool has_signature;
    struct spean_signature signature;
};

/* A place in the list: begin with all zero. */
struct spean_log_aside_at {
    uint64_t seq;
    struct spean_id entry;
};

/*
 * Give the entry set aside of a log that comes behind *at (by seq, then id), and move *at to it.
 * Serve it to nodes of the log's org alone (P5.9). SPEAN_ENOTFOUND: no more. SPEAN_ECORRUPT: it is
 * damaged; *at has moved to it, so the next call gives the one behind.
 */
SPEAN_CHECK spean_err spean_log_aside_next(struct spean_tx *tx, const struct spean_logs_row *row,
                                           struct spean_log_aside_at *at,
                                           struct spean_log_aside *out);

/* Get one entry set aside. SPEAN_ENOTFOUND: it is not. SPEAN_ECORRUPT. */
SPEAN_CHECK spean_err spean_log_aside_get(struct spean_tx *tx, const struct spean_logs_row *row,
                                          uint64_t seq, const struct spean_id *entry,
                                          struct spean_log_aside *out);

/* Drop the body of an entry that is set aside, which was erased. Write the row back afterwards, as
 * below. Errors stick to tx. */
SPEAN_CHECK spean_err spean_log_aside_drop_body(struct spean_tx *tx, struct spean_logs_row *row,
                                                const struct spean_log_aside *aside);

/*
 * Set an entry aside that was never on the chain held, without its body if that is under an erased
 * tag; one that is set aside stays as it is. Write the row back afterwards: aside_bytes counts it.
 * For store/beyond.h. SPEAN_ENOMEM; others stick.
 */
SPEAN_CHECK spean_err spean_log_aside_put(struct spean_tx *tx, struct spean_logs_row *row,
                                          const struct spean_log_aside *aside);

/* Read a row of what is set aside. For store/check.h. SPEAN_ECORRUPT: it is damaged. */
SPEAN_CHECK spean_err spean_log_aside_decode(const struct spean_logs_row *row,
                                             struct spean_view key, struct spean_view value,
                                             struct spean_log_aside *out);

#endif
