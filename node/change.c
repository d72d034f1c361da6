/* Documents that arrive: judged, made durable, and acted on at once (P13.4). */
#include <stdlib.h>
#include <string.h>

#include "node/core_internal.h"
#include "store/documents.h"
#include "store/log.h"
#include "store/logs.h"

/* Settle one log in transactions of bounded size; *moved says whether its head is another now. */
static spean_err settle_log(struct spean_core *core, const struct spean_log *log,
                            struct spean_place *head, bool *moved)
{
    bool more = true;
    *moved = false;
    while (more) {
        struct spean_tx *tx = NULL;
        struct spean_logs_row before;
        spean_err err = spean_tx_begin(core->db, SPEAN_TX_WRITE, &tx);
        if (err != SPEAN_OK) {
            return err;
        }
        err = spean_logs_get(tx, &log->id, &before);
        if (err == SPEAN_ENOTFOUND) {
            spean_tx_abort(tx);
            return SPEAN_OK; /* Nothing of it is held. */
        }
        if (err == SPEAN_OK) {
            err = spean_log_settle(tx, log, head, &more);
        }
        if (err != SPEAN_OK) {
            spean_tx_abort(tx);
            return err;
        }
        *moved = *moved || before.head.seq != head->seq || before.standing != SPEAN_LOG_GOING;
        err = spean_tx_commit(tx);
        if (err != SPEAN_OK) {
            return err;
        }
    }
    return SPEAN_OK;
}

spean_err core_settle_logs(struct spean_core *core)
{
    const uint32_t count = spean_authority_logs_count(core->authority);
    for (uint32_t i = 0; i < count; i++) {
        const struct spean_log log = *spean_authority_log_at(core->authority, i);
        struct spean_place head = {0};
        bool moved = false;
        const spean_err err = log.cut.closed ? settle_log(core, &log, &head, &moved) : SPEAN_OK;
        if (err != SPEAN_OK) {
            return err;
        }
        if (moved) {
            SPEAN_JOURNAL_EVENT(core->journal, SPEAN_JOURNAL_WARNING, "log_cut",
                                spean_journal_number("log", spean_short_of(&log.id)),
                                spean_journal_number("seq", head.seq));
            struct spean_sync_event event = {.kind = SPEAN_SYNC_CUT};
            event.as.committed.log = log.id;
            event.as.committed.head = head;
            core_step(core, &event);
        }
    }
    return SPEAN_OK;
}

/* What was kept is durable: cut logs, drop peers, tell the others. */
static spean_err act(struct spean_core *core, uint32_t flags)
{
    if ((flags & (SPEAN_CHANGED_FORK | SPEAN_CHANGED_FROZEN)) != 0) {
        SPEAN_JOURNAL_EVENT(core->journal, SPEAN_JOURNAL_ERROR, "documents_fork",
                            spean_journal_number("flags", flags));
    }
    core->fold_pending = true;
    if ((flags & (SPEAN_CHANGED_CLOSED | SPEAN_CHANGED_REMOVED)) != 0) {
        const spean_err err = core_settle_logs(core);
        if (err != SPEAN_OK) {
            return err;
        }
    }
    struct spean_sync_event event = {.kind = SPEAN_SYNC_AUTHORITY};
    core_step(core, &event);
    core->lobby_pending = true;
    if (core->transport != NULL) {
        spean_transport_reclassify(core->transport);
    }
    core->next_dial_ms = 0;
    return SPEAN_OK;
}

spean_err spean_core_put_documents(struct spean_core *core, const struct spean_view *documents,
                                   uint32_t count, enum spean_authority_pending pending)
{
    core_flush(core);
    if (core->failed != SPEAN_OK) {
        return core->failed;
    }
    struct spean_authority_change *changes = calloc(count + 1, sizeof(*changes));
    struct spean_tx *tx = NULL;
    spean_err err = changes == NULL ? SPEAN_ENOMEM : spean_tx_begin(core->db, SPEAN_TX_WRITE, &tx);
    if (err != SPEAN_OK) {
        free(changes);
        return err;
    }
    uint32_t kept = 0;
    (void)pthread_rwlock_wrlock(&core->lock);
    const spean_err judged =
        spean_documents_put(tx, core->authority, documents, count, pending, changes, &kept);
    (void)pthread_rwlock_unlock(&core->lock);
    err = spean_tx_commit(tx);
    uint32_t flags = 0;
    for (uint32_t i = 0; i < kept; i++) {
        flags |= changes[i].flags;
    }
    free(changes);
    if (err != SPEAN_OK) {
        core_fail(core, err, "documents"); /* The authority knows what the store does not. */
        return err;
    }
    err = kept > 0 ? act(core, flags) : SPEAN_OK;
    if (err != SPEAN_OK) {
        core_fail(core, err, "settle");
        return err;
    }
    return judged;
}
