/*
 * node/core.h - the node itself: one thread that owns the store's writes, the sync step and the
 * transport; handlers of the local API reach it through this header.
 *
 * Threads. The core thread runs spean_core_run() and every write handler. The API thread runs read
 * handlers: each opens a view with spean_core_view_begin(), which lends it the authority, the keys
 * and a read transaction until spean_core_view_end(); the core changes neither meanwhile.
 */
#ifndef SPEAN_NODE_CORE_H
#define SPEAN_NODE_CORE_H

#include <stdbool.h>
#include <stdint.h>

#include "node/config.h"
#include "node/journal.h"
#include "node/notify.h"
#include "node/queue.h"
#include "protocol/authority.h"
#include "protocol/err.h"
#include "protocol/sync.h"
#include "store/db.h"
#include "store/keystore.h"
#include "store/room.h"
#include "store/wrap.h"

#define SPEAN_CORE_PARTNERS_MAX 256u

struct spean_core; /* Opaque. */

/*
 * Open the store in config->home and what follows from it. unlock NULL: start locked.
 * SPEAN_ENOTFOUND: no store there. SPEAN_EBUSY: another process has it. SPEAN_EPASSPHRASE; others
 * of spean_db_open(), spean_keys_unlock(), spean_documents_load() and spean_transport_new(): *why
 * says more, and the process ends. config and journal are lent.
 */
#define SPEAN_CORE_WHY_BYTES 1280u
SPEAN_CHECK spean_err spean_core_new(const struct spean_config *config,
                                     const struct spean_journal *journal,
                                     const struct spean_unlock *unlock, struct spean_core **out,
                                     char why[SPEAN_CORE_WHY_BYTES]);
void spean_core_free(struct spean_core *core); /* NULL is allowed. */

/*
 * While it serves, tell who started it every alive_ms (0: never) that the core is alive, and what
 * it does when that changes. notify is lent and outlives the serving. A turn ends within a second
 * or so, but for writing the store anew after an erasure, which takes as long as copying the
 * store: allow for that (`WatchdogSec=`).
 */
void spean_core_supervise(struct spean_core *core, const struct spean_notify *notify,
                          uint64_t alive_ms);

/*
 * Serve until a signal says stop (readable on signal_fd, a signalfd). Returns SPEAN_OK, or the
 * error after which the process must end and verify at the next start.
 */
SPEAN_CHECK spean_err spean_core_run(struct spean_core *core, int signal_fd);

/* Where jobs for the core go. Belongs to core. */
struct spean_queue *spean_core_queue(struct spean_core *core);

/* -- For read handlers, on the API thread ---------------------------------------------------- */

struct spean_core_view {
    struct spean_core *core;
    struct spean_tx *tx;
    const struct spean_authority *authority; /* Knows nothing while there is no ledger. */
    const struct spean_keys *keys;           /* Perhaps locked. */
};

/* SPEAN_EBUSY, SPEAN_EIO, SPEAN_ECORRUPT: as spean_tx_begin(). End it, soon, if it succeeded. */
SPEAN_CHECK spean_err spean_core_view_begin(struct spean_core *core, struct spean_core_view *view);
void spean_core_view_end(struct spean_core_view *view);

/* -- Facts that do not change while the core lives ------------------------------------------- */

const struct spean_id *spean_core_org(const struct spean_core *core);
const struct spean_config *spean_core_config(const struct spean_core *core);

/* -- For write handlers, on the core thread -------------------------------------------------- */

struct spean_db *spean_core_db(struct spean_core *core);
struct spean_keys *spean_core_keys(struct spean_core *core);
const struct spean_authority *spean_core_authority(const struct spean_core *core);

/* This node's public keys; false before the first unlock. */
bool spean_core_public_keys(const struct spean_core *core, struct spean_key *signing,
                            struct spean_key *sealing, struct spean_key *transport);

/*
 * Whether people may write: false when room is short (store/room.h). A revocation, a withdrawal or
 * an erasure may always be written: say so with spean_core_urgent() before, so that it is folded
 * too; and if it meets SPEAN_EFULL, try once more when spean_core_make_room() says true.
 */
bool spean_core_takes_writes(const struct spean_core *core);
void spean_core_urgent(struct spean_core *core);

/* Let go of the ballast. False: there was none. why is for the journal. */
bool spean_core_make_room(struct spean_core *core, const char *why);

/* The name of a step for answers: "no_bodies". */
const char *spean_core_room_name(const struct spean_room *room);

/* The log this node writes; NULL: it has none in force (no ledger, locked out, closed). */
const struct spean_log *spean_core_own_log(const struct spean_core *core);

/*
 * Judge documents, make them durable, act on what they change (logs opened or cut, peers dropped),
 * tell the sync step. Errors are those of spean_documents_put(); nothing was kept then.
 * SPEAN_EFULL: not even what is kept back for documents was enough. SPEAN_EIO, SPEAN_ECORRUPT: the
 * process ends.
 */
SPEAN_CHECK spean_err spean_core_put_documents(struct spean_core *core,
                                               const struct spean_view *documents, uint32_t count,
                                               enum spean_authority_pending pending);

/* This node founds or joins the ledger with this handle: begin to sync. SPEAN_ESTATE: it is in
 * one. SPEAN_ENOMEM, and those of spean_transport_new(). */
SPEAN_CHECK spean_err spean_core_enter(struct spean_core *core, const struct spean_handle *handle);

/* The head of this node's log moved; its commit is durable. */
void spean_core_committed(struct spean_core *core);

/* Open or wipe the keys. Errors of spean_keys_unlock(); of entering the network at first unlock. */
SPEAN_CHECK spean_err spean_core_unlock(struct spean_core *core, const struct spean_unlock *unlock);

/* Say whether unlock would open the keys, and leave them as they are. Errors of
 * spean_keys_unlock(). */
SPEAN_CHECK spean_err spean_core_unlock_try(struct spean_core *core,
                                            const struct spean_unlock *unlock);
void spean_core_lock(struct spean_core *core);

/* Dial every partner again now, and ask again for what a full disk held up. */
void spean_core_sync_now(struct spean_core *core);

/* What a partner's node is to us, as the last session left it. Any thread. */
struct spean_partner {
    struct spean_id org;
    struct spean_key transport;
    bool connected;
    bool silent;      /* It stopped answering, on every link with it. */
    bool equal;       /* Equality of headers was proven and nothing came since. */
    uint64_t missing; /* Bodies we lacked then. */
    uint64_t clock_apart_s;
    spean_err broke; /* Why the last session ended badly; SPEAN_OK: it did not. */
};

#endif
