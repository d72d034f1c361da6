/* How much of one log of others is kept: a log that grows beyond it is paused (P13.5). */
#include <inttypes.h>
#include <stdio.h>

#include "node/answer.h"
#include "node/core_internal.h"
#include "store/logs.h"

static uint64_t quota_of(const struct spean_core *core, const struct spean_logs_row *row)
{
    const uint64_t quota = (uint64_t)core->config->log_quota_mib << 20;
    return quota > 0 && row->allowed_bytes > quota ? row->allowed_bytes : quota;
}

void core_quota_check(struct spean_core *core, struct spean_tx *tx, const struct spean_log *log)
{
    const struct spean_log *own = spean_core_own_log(core);
    struct spean_logs_row row;
    /* A closed log ends at its cut, and whoever cut it saw to its length. */
    if (log->cut.closed || (own != NULL && spean_id_equal(&own->id, &log->id)) ||
        spean_logs_get(tx, &log->id, &row) != SPEAN_OK || row.standing != SPEAN_LOG_GOING) {
        return;
    }
    const uint64_t quota = quota_of(core, &row);
    if (quota == 0 || row.bytes <= quota) {
        return;
    }
    if (spean_logs_set_standing(tx, &log->id, SPEAN_LOG_PAUSED) == SPEAN_OK) { /* Else tx failed. */
        core->pause_pending = true;
        SPEAN_JOURNAL_EVENT(core->journal, SPEAN_JOURNAL_WARNING, "log_paused",
                            spean_journal_number("log", spean_short_of(&log->id)),
                            spean_journal_number("bytes", row.bytes));
    }
}

static void tell(struct spean_core *core, const struct spean_id *log, bool paused)
{
    struct spean_sync_event event = {.kind = SPEAN_SYNC_PAUSED};
    event.as.paused.log = *log;
    event.as.paused.paused = paused;
    core_step(core, &event);
}

void core_quota_tell(struct spean_core *core)
{
    struct spean_tx *tx = NULL;
    if (!core->pause_pending || spean_tx_begin(core->db, SPEAN_TX_READ, &tx) != SPEAN_OK) {
        return; /* Until the next flush. */
    }
    core->pause_pending = false;
    uint32_t from = 0;
    struct spean_logs_row row;
    while (spean_logs_next(tx, from, &row) == SPEAN_OK) {
        from = row.number + 1;
        if (row.standing == SPEAN_LOG_PAUSED) {
            tell(core, &row.log, true); /* Again: no harm. */
        }
    }
    spean_tx_abort(tx);
}

/* Let the row say that the log is paused, or may grow by another quota. */
static spean_err row_set(const struct spean_core *core, struct spean_tx *tx,
                         const struct spean_log *log, bool paused)
{
    struct spean_logs_row row;
    spean_err err = spean_logs_open(tx, log, &row);
    if (err != SPEAN_OK) {
        return err;
    }
    if (row.standing == SPEAN_LOG_DISPUTED) {
        return SPEAN_ESTATE;
    }
    if (!paused) {
        row.allowed_bytes = row.bytes + ((uint64_t)core->config->log_quota_mib << 20);
    }
    row.standing = paused ? SPEAN_LOG_PAUSED : SPEAN_LOG_GOING;
    return spean_logs_put(tx, &row);
}

spean_err core_pause_log(struct spean_core *core, const struct spean_log *log, bool paused)
{
    struct spean_tx *tx = NULL;
    core_flush(core);
    spean_err err = spean_tx_begin(core->db, SPEAN_TX_WRITE, &tx);
    if (err != SPEAN_OK) {
        return err;
    }
    err = row_set(core, tx, log, paused);
    if (err != SPEAN_OK) {
        spean_tx_abort(tx);
        return err;
    }
    err = spean_tx_commit(tx);
    if (err == SPEAN_OK) {
        tell(core, &log->id, paused);
    }
    return err;
}

void core_quota_problems(const struct spean_core_view *view, json_t *problems)
{
    uint32_t from = 0;
    struct spean_logs_row row;
    while (spean_logs_next(view->tx, from, &row) == SPEAN_OK) {
        from = row.number + 1;
        if (row.standing != SPEAN_LOG_PAUSED) {
            continue;
        }
        json_t *who = json_object();
        char text[512];
        spean_answer_org(who, "org", "name", view, &row.org);
        const char *name = json_string_value(json_object_get(who, "name"));
        const char *org = json_string_value(json_object_get(who, "org"));
        (void)snprintf(text, sizeof(text),
                       "a log of %.200s is paused at entry %" PRIu64
                       ": nothing more of it is taken; spean log resume %016" PRIx64,
                       name != NULL ? name : (org != NULL ? org : "?"), row.head.seq,
                       spean_short_of(&row.log));
        json_decref(who);
        (void)json_array_append_new(problems, json_string(text));
    }
}
