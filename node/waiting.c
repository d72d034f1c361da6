/* Requests that wait until every partner that is connected is in step. */
#include <string.h>

#include "node/answer.h"
#include "node/core_internal.h"
#include "node/handlers.h"
#include "store/partkeys.h"

/* Whether bodies that we may read are still to come. */
static bool lacks_bodies(struct spean_core *core)
{
    struct spean_tx *tx = NULL;
    uint64_t count = 0;
    if (spean_tx_begin(core->db, SPEAN_TX_READ, &tx) != SPEAN_OK) {
        return true;
    }
    const spean_err err = spean_partkeys_lacking_count(tx, &count);
    spean_tx_abort(tx);
    return err != SPEAN_OK || count > 0;
}

/* Whether nothing more is to be done with the partners that are connected: there is one, and every
 * one of them is in step. */
static bool is_settled(struct spean_core *core)
{
    if (core->fold_pending || core->settle_pending || core->sync == NULL ||
        !spean_sync_is_quiet(core->sync)) {
        return false;
    }
    uint32_t connected = 0;
    for (uint32_t i = 0; i < core->partners_count; i++) {
        const struct spean_partner *partner = &core->partners[i];
        if (partner->connected && (!partner->equal || partner->silent)) {
            return false;
        }
        connected += partner->connected ? 1 : 0;
    }
    return connected > 0 && !lacks_bodies(core);
}

static bool is_connected_to(const struct spean_core *core, const struct spean_id *org)
{
    for (uint32_t i = 0; i < core->partners_count; i++) {
        if (core->partners[i].connected && spean_id_equal(&core->partners[i].org, org)) {
            return true;
        }
    }
    return false;
}

/* Whether every other member is in step: who is not connected may hold something new. */
static bool in_step(struct spean_core *core)
{
    const struct spean_ledger *ledger = spean_authority_ledger(core->authority);
    if (ledger == NULL || !is_settled(core)) {
        return false;
    }
    for (uint32_t i = 0; i < ledger->members_count; i++) {
        const struct spean_ledger_member *member = &ledger->members[i];
        if (member->standing == SPEAN_STANDING_ACTIVE &&
            !spean_id_equal(&member->org, &core->org) && !is_connected_to(core, &member->org)) {
            return false;
        }
    }
    return true;
}

static void finish(struct spean_core *core, struct spean_job *job)
{
    const bool now = in_step(core);
    core_write_peers(core);
    core_flush(core);
    struct spean_core_view view;
    if (spean_answer_begin(core, &view, &job->reply)) {
        json_t *body = json_object();
        (void)json_object_set_new(body, "in_step", json_boolean(now));
        (void)json_object_set_new(body, "partners", spean_status_partners(&view));
        spean_core_view_end(&view);
        spean_answer_written(job, body);
    }
    spean_queue_answer(job);
}

void core_wait_for_step(struct spean_core *core, struct spean_job *job, uint64_t wait_s)
{
    if (wait_s == 0 || is_settled(core) || core->waiting_count == CORE_WAITING_MAX) {
        finish(core, job);
        return;
    }
    core->waiting[core->waiting_count++] =
        (struct core_waiting){job, core_now_ms() + wait_s * 1000u};
}

void core_waiting_turn(struct spean_core *core, bool stopping)
{
    const bool done = core->waiting_count > 0 && is_settled(core);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < core->waiting_count; i++) {
        const struct core_waiting waiting = core->waiting[i];
        if (done || stopping || core_now_ms() >= waiting.until_ms) {
            finish(core, waiting.job);
        } else {
            core->waiting[kept++] = waiting;
        }
    }
    core->waiting_count = kept;
}
