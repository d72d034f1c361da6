/* Documents that arrive: judged, made durable, and acted on at once (P13.4). */
#include <stdlib.h>
#include <string.h>

#include "node/core_internal.h"
#include "store/documents.h"
#include "store/file.h"
#include "store/log.h"
#include "store/logs.h"

#define DOCUMENTS_ROOM_BYTES (1u << 20) /* The pages that change with them, generously. */

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
        core_supervise_turn(core); /* Much may be taken back. */
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

void core_cut_logs(struct spean_core *core)
{
    spean_err err = core_settle_logs(core);
    if (err == SPEAN_EFULL && spean_core_make_room(core, "cut")) {
        err = core_settle_logs(core);
    }
    core->cuts_pending = err == SPEAN_EFULL;
    if (err != SPEAN_OK && err != SPEAN_EFULL) {
        core_fail(core, err, "settle");
    }
}

/* What was kept is durable: cut logs, drop peers, tell the others. */
static void act(struct spean_core *core, uint32_t flags)
{
    if ((flags & (SPEAN_CHANGED_FORK | SPEAN_CHANGED_FROZEN)) != 0) {
        SPEAN_JOURNAL_EVENT(core->journal, SPEAN_JOURNAL_ERROR, "documents_fork",
                            spean_journal_number("flags", flags));
    }
    core->fold_pending = true;
    if ((flags & (SPEAN_CHANGED_CLOSED | SPEAN_CHANGED_REMOVED)) != 0) {
        core->urgent = true;
        core_cut_logs(core);
    }
    struct spean_sync_event event = {.kind = SPEAN_SYNC_AUTHORITY};
    core_step(core, &event);
    core->lobby_pending = true;
    if (core->transport != NULL) {
        spean_transport_reclassify(core->transport);
    }
    core->next_dial_ms = 0;
}

/* One try to judge documents and keep them; *flags says what they changed, *kept how many. */
static spean_err judge_and_keep(struct spean_core *core, const struct spean_view *documents,
                                uint32_t count, enum spean_authority_pending pending,
                                uint32_t *kept, uint32_t *flags, spean_err *judged)
{
    struct spean_authority_change *changes = calloc(count + 1, sizeof(*changes));
    struct spean_tx *tx = NULL;
    spean_err err = changes == NULL ? SPEAN_ENOMEM : spean_tx_begin(core->db, SPEAN_TX_WRITE, &tx);
    if (err != SPEAN_OK) {
        free(changes);
        return err;
    }
    *kept = 0;
    *flags = 0;
    (void)pthread_rwlock_wrlock(&core->lock);
    *judged = spean_documents_put(tx, core->authority, documents, count, pending, changes, kept);
    (void)pthread_rwlock_unlock(&core->lock);
    err = spean_tx_commit(tx);
    for (uint32_t i = 0; i < *kept; i++) {
        *flags |= changes[i].flags;
    }
    free(changes);
    if (err == SPEAN_EFULL) {
        const spean_err reloaded = core_reload_authority(core); /* It knows what was not kept. */
        if (reloaded != SPEAN_OK) {
            core_fail(core, reloaded, "reload");
        }
    } else if (err != SPEAN_OK) {
        core_fail(core, err, "documents");
    }
    return err;
}

/* Let go of the ballast before documents meet the full disk: then nothing has to be undone. */
static void make_room(struct spean_core *core, const struct spean_view *documents, uint32_t count)
{
    size_t bytes = DOCUMENTS_ROOM_BYTES;
    for (uint32_t i = 0; i < count && bytes < UINT32_MAX / 2; i++) {
        bytes += documents[i].len;
    }
    if (spean_file_room(spean_db_dir_fd(core->db), (uint32_t)bytes) == SPEAN_EFULL) {
        (void)spean_core_make_room(core, "documents");
    }
}

spean_err spean_core_put_documents(struct spean_core *core, const struct spean_view *documents,
                                   uint32_t count, enum spean_authority_pending pending)
{
    core_flush(core);
    if (core->failed != SPEAN_OK) {
        return core->failed;
    }
    make_room(core, documents, count);
    uint32_t kept = 0;
    uint32_t flags = 0;
    spean_err judged = SPEAN_OK;
    spean_err err = judge_and_keep(core, documents, count, pending, &kept, &flags, &judged);
    if (err == SPEAN_EFULL && core->failed == SPEAN_OK && spean_core_make_room(core, "documents")) {
        err = judge_and_keep(core, documents, count, pending, &kept, &flags, &judged);
    }
    if (err != SPEAN_OK) {
        return err;
    }
    if (kept > 0) {
        act(core, flags);
    }
    return core->failed != SPEAN_OK ? core->failed : judged;
}
