/*
 * store/history.h - what was written of a record, change by change.
 *
 * The state of a record (store/record.h) keeps what counts now; its changes also say what was
 * written before that, by whom and when. They are in the order of the clocks of those who wrote
 * them, then of their logs: the same order on every node that has the same.
 *
 * In it are changes that were folded or set aside, those that are not here yet though we could read
 * them, and those of an erased part, of which only the headers are left. A public change that was
 * erased is in it until its record is folded without it.
 */
#ifndef SPEAN_STORE_HISTORY_H
#define SPEAN_STORE_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/aside.h"
#include "protocol/authority.h"
#include "protocol/bytes.h"
#include "protocol/change.h"
#include "protocol/err.h"
#include "protocol/limits.h"
#include "store/db.h"
#include "store/keystore.h"

/* Where a change stands. */
struct spean_history_place {
    uint64_t time_s; /* Of the header. */
    uint64_t log;    /* Short name. */
    uint64_t seq;
};

enum spean_history_fate {
    SPEAN_HISTORY_FOLDED,
    SPEAN_HISTORY_ASIDE,
    SPEAN_HISTORY_WAITING, /* Its body is not here yet, or it is not judged yet. */
    SPEAN_HISTORY_ERASED
};

struct spean_history_change {
    struct spean_history_place place;
    enum spean_history_fate fate;
    enum spean_aside aside; /* Why it is set aside; SPEAN_ASIDE_NOT for any other fate. */
    uint32_t part;
    uint32_t number; /* Of the log. */
    struct spean_id log;
    struct spean_id org;
    struct spean_id entry;
};

/*
 * Fill out, with room for cap (1 or more), with the changes of a record behind *after (NULL: from
 * the first one on), ascending. *more: there are others behind. Reads the header of every change of
 * the record, whatever cap is. A record that nobody knows has none. SPEAN_ELOCKED. SPEAN_ECORRUPT:
 * verify the store.
 */
SPEAN_CHECK spean_err spean_history_list(struct spean_tx *tx, const struct spean_keys *keys,
                                         const struct spean_authority *authority,
                                         const struct spean_record_id *record,
                                         const struct spean_history_place *after,
                                         struct spean_history_change *out, uint32_t cap,
                                         uint32_t *count, bool *more);

/*
 * Open what a change says into buf, which the caller wipes, also after an error; *out is then views
 * of it, or of the store where it is public. SPEAN_ENOTFOUND: its body or its key is not here, or
 * it is erased. SPEAN_EFORMAT: it cannot be opened. SPEAN_ELOCKED. SPEAN_ECORRUPT: its body is
 * damaged.
 */
SPEAN_CHECK spean_err spean_history_read(struct spean_tx *tx, const struct spean_keys *keys,
                                         const struct spean_history_change *change,
                                         uint8_t buf[SPEAN_BODY_BYTES_MAX],
                                         struct spean_change *out);

#endif
