/* store/evidence.h - the proof kept that a log forked: one for each (P5.8). */
#ifndef SPEAN_STORE_EVIDENCE_H
#define SPEAN_STORE_EVIDENCE_H

#include "protocol/authority.h"
#include "protocol/bytes.h"
#include "protocol/err.h"
#include "protocol/evidence.h"
#include "store/db.h"

/*
 * Keep evidence that was verified, and mark its log as disputed. SPEAN_EEXISTS: one is kept
 * already and stays; the log is marked all the same. SPEAN_EFORMAT, SPEAN_ELIMIT, SPEAN_EINPUT: it
 * is none, or of another log. Others stick to tx.
 */
SPEAN_CHECK spean_err spean_evidence_put(struct spean_tx *tx, const struct spean_log *log,
                                         struct spean_view bytes);

/* Look up the evidence about a log; *bytes and *out (NULL: not wanted) view the store.
 * SPEAN_ENOTFOUND: there is none. SPEAN_ECORRUPT: it is damaged. */
SPEAN_CHECK spean_err spean_evidence_get(struct spean_tx *tx, const struct spean_id *log,
                                         struct spean_view *bytes, struct spean_evidence *out);

/*
 * Give the evidence about the first log whose id is above *after (NULL: any), in *log and *bytes.
 * SPEAN_ENOTFOUND: no more. SPEAN_ECORRUPT: it is damaged; *log is set, so go on behind it.
 */
SPEAN_CHECK spean_err spean_evidence_next(struct spean_tx *tx, const struct spean_id *after,
                                          struct spean_id *log, struct spean_view *bytes);

#endif
