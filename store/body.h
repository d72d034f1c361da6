/*
 * store/body.h - bodies of entries, and which entries bear which tag.
 *
 * Every entry with a tag has one row in the index: under the tag, then whether its body is held,
 * then log and seq. So the bodies that are lacking under a tag are one range, and so are those that
 * wait for their key.
 */
#ifndef SPEAN_STORE_BODY_H
#define SPEAN_STORE_BODY_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/err.h"
#include "protocol/run.h"
#include "store/db.h"
#include "store/logs.h"

/*
 * Read the body of an entry of log number; *out is a view into the store. It is checked against the
 * header. SPEAN_ENOTFOUND: it is not held. SPEAN_ECORRUPT: it is damaged; drop it with
 * spean_body_del(), it is then lacking and can be fetched again.
 */
SPEAN_CHECK spean_err spean_body_get(struct spean_tx *tx, uint32_t number,
                                     const struct spean_header *header, struct spean_view *out);

/* Say whether the body of an entry of log is refused when it comes with it, and given to nobody,
 * because its part was erased, or it was itself and is destroyed (P8.7). Errors as for
 * spean_tx_get(). */
SPEAN_CHECK spean_err spean_body_refused(struct spean_tx *tx, const struct spean_id *log,
                                         const struct spean_run_entry *entry, bool *refused);

/*
 * Keep a body that arrived on its own. SPEAN_EEXISTS: it is held, and nothing changed; a damaged
 * one is replaced. SPEAN_ENOTFOUND: there is no such entry. SPEAN_ESIGNATURE: it is not the body
 * that the header announced; ask somebody else. SPEAN_EDENIED: it was erased, or its part, and it
 * is not kept. SPEAN_ECORRUPT: the header is damaged. Others stick to tx.
 */
SPEAN_CHECK spean_err spean_body_put(struct spean_tx *tx, const struct spean_logs_row *row,
                                     uint64_t seq, struct spean_view body);

/*
 * Drop a body: because it is damaged, or erased for ever. It counts as lacking from then on, so
 * whoever erases remembers the tag and asks no more for it. SPEAN_ENOTFOUND: it is not held.
 */
SPEAN_CHECK spean_err spean_body_del(struct spean_tx *tx, const struct spean_logs_row *row,
                                     uint64_t seq);

/*
 * Read one of the bodies that a peer asks for by tag (P13.10). SPEAN_ENOTFOUND: there is no such
 * entry, it bears another tag or none, or its body is not held, hidden or damaged: to the peer all
 * of these are one answer. SPEAN_ECORRUPT: the header is damaged.
 */
SPEAN_CHECK spean_err spean_body_load(struct spean_tx *tx, const struct spean_logs_row *row,
                                      const struct spean_tag *tag, uint64_t seq,
                                      struct spean_view *out);

/* Write the body of a new entry, if it has one, and its row in the index. For store/log.h, which
 * has checked it; place as in store/entries.h. Errors stick to tx. */
spean_err spean_body_put_new(struct spean_tx *tx, uint32_t number,
                             const struct spean_run_entry *entry, enum spean_tx_place place);

/* Remove body and row in the index of an entry that goes. For store/log.h. Errors stick to tx. */
spean_err spean_body_forget(struct spean_tx *tx, uint32_t number,
                            const struct spean_header *header);

/* -- Entries under a tag --------------------------------------------------------------------- */

enum spean_body_state {
    SPEAN_BODY_LACKING,
    SPEAN_BODY_HELD,
};

struct spean_tagged {
    uint32_t number; /* Of the log. */
    uint64_t seq;
};

/*
 * Give the first entry that bears tag, whose body is in that state, and that stands at from or
 * behind it (by log number, then seq): to walk over all. SPEAN_ENOTFOUND: no more. SPEAN_ECORRUPT.
 */
SPEAN_CHECK spean_err spean_body_next(struct spean_tx *tx, const struct spean_tag *tag,
                                      enum spean_body_state state, const struct spean_tagged *from,
                                      struct spean_tagged *out);

/* Give the first tag, at from or behind it, that any entry bears. SPEAN_ENOTFOUND: no more.
 * SPEAN_ECORRUPT. */
SPEAN_CHECK spean_err spean_body_next_tag(struct spean_tx *tx, const struct spean_tag *from,
                                          struct spean_tag *out);

/*
 * Fill seqs, with room for cap, with the entries of log number that bear tag and whose bodies are
 * lacking, ascending and at from or above: one group of a FETCH. *more: there are others behind.
 */
SPEAN_CHECK spean_err spean_body_lacking(struct spean_tx *tx, const struct spean_tag *tag,
                                         uint32_t number, uint64_t from, uint64_t *seqs,
                                         uint32_t cap, uint32_t *count, bool *more);

#endif
