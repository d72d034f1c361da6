/*
 * store/destroy.h - what an erasure hid is destroyed when the charter's delay is over (P8.7).
 *
 * The fold hides a part, or a public change, at once and notes when (store/fold.h); until it is due
 * a cut can still take the erasure back. Then, in this order: bodies of changes, also of those set
 * aside, grants that were opened and their bodies, folded values and names are deleted in one
 * transaction, and with the last part of a record what this node noted of it for itself
 * (store/local.h); the store is written anew, so that no free page holds them (spean_db_rewrite());
 * and only then the part counts as destroyed and may be receipted. A crash in between is gone on
 * from. What stays is that the part was erased and under which tags, or the entry by its id, so
 * that nothing of it is taken again, and the headers, so that the chain verifies.
 *
 * Nothing here needs the keys. The thread that writes to the store.
 */
#ifndef SPEAN_STORE_DESTROY_H
#define SPEAN_STORE_DESTROY_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/authority.h"
#include "protocol/err.h"
#include "store/db.h"
#include "store/logs.h"
#include "store/partkeys.h"

enum spean_destroy_stage {
    SPEAN_DESTROY_HIDDEN = 1, /* Waits for the delay. */
    SPEAN_DESTROY_DELETED,    /* Waits for the store to be written anew. */
    SPEAN_DESTROY_DONE
};

/* A public entry. */
struct spean_destroy_place {
    struct spean_id log;
    uint64_t seq;
    struct spean_id entry;
};

struct spean_destroy_row {
    enum spean_destroy_stage stage;
    uint64_t since_s; /* When it was hidden; when destroyed, once that is done. By our clock. */
};

/* Tell how far the destruction of a part is. SPEAN_ENOTFOUND: no erasure of it binds us.
 * SPEAN_ECORRUPT. */
SPEAN_CHECK spean_err spean_destroy_get(struct spean_tx *tx, const struct spean_part_name *part,
                                        struct spean_destroy_row *out);

/* The same of a public entry; SPEAN_ENOTFOUND: no erasure that counts names it. */
SPEAN_CHECK spean_err spean_destroy_get_place(struct spean_tx *tx,
                                              const struct spean_destroy_place *place,
                                              struct spean_destroy_row *out);

/*
 * Destroy what was hidden delay_s ago or earlier, in transactions of its own; *destroyed counts the
 * parts and public entries. The store is written anew once for all of them. Call it at start, after
 * folding, and now and then: the cost of doing nothing is one look. SPEAN_EBUSY, SPEAN_EFULL,
 * SPEAN_ENOMEM: some of it waits, call again later; a store is written anew into as much room as it
 * takes. SPEAN_ECORRUPT, SPEAN_EIO: verify the store.
 */
SPEAN_CHECK spean_err spean_destroy_due(struct spean_db *db,
                                        const struct spean_authority *authority, uint64_t now_s,
                                        uint64_t delay_s, uint32_t *destroyed);

/* -- For the fold ---------------------------------------------------------------------------- */

/* Note that a part, or a public entry, is hidden from now on, unless that is known. Errors stick to
 * tx. */
spean_err spean_destroy_note(struct spean_tx *tx, const struct spean_part_name *part,
                             uint64_t now_s);
spean_err spean_destroy_note_place(struct spean_tx *tx, const struct spean_destroy_place *place,
                                   uint64_t now_s);

/* Destroy a grant of a part that came when the rest was destroyed already, as *late says; that it
 * was is found after another delay. Errors stick to tx. */
spean_err spean_destroy_late(struct spean_tx *tx, const struct spean_part_name *part,
                             const struct spean_logs_row *log, uint64_t seq, uint64_t now_s,
                             bool *late);

/* Forget that, because no erasure of the part, or the entry, is left; what was deleted stays so.
 * Errors stick. */
spean_err spean_destroy_forget(struct spean_tx *tx, const struct spean_part_name *part);
spean_err spean_destroy_forget_place(struct spean_tx *tx, const struct spean_destroy_place *place);

#endif
