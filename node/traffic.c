/* What went over the network today, the day's cap, and pausing all of it. */
#include <stdio.h>
#include <string.h>

#include "node/core_internal.h"
#include "node/reply.h"

#define DAY_S     86400u
#define ROW_BYTES 16u
#define WRITE_MS  5000u

static struct spean_view key_of(const char *name)
{
    return (struct spean_view){(const uint8_t *)name, strlen(name)};
}

static const char traffic_key[] = "traffic";
static const char paused_key[] = "sync_paused";

/* Read the count and its day. False: nothing was counted yet. */
static bool row_get(struct spean_tx *tx, uint64_t *day, uint64_t *bytes)
{
    struct spean_view row;
    if (spean_tx_get(tx, SPEAN_TABLE_META, key_of(traffic_key), &row) != SPEAN_OK ||
        row.len != ROW_BYTES) {
        return false;
    }
    *day = spean_u64_get(row.data);
    *bytes = spean_u64_get(row.data + ROW_BYTES / 2);
    return true;
}

static bool is_paused(struct spean_tx *tx)
{
    struct spean_view row;
    return spean_tx_get(tx, SPEAN_TABLE_META, key_of(paused_key), &row) == SPEAN_OK;
}

void core_traffic_load(struct spean_core *core, struct spean_tx *tx)
{
    (void)row_get(tx, &core->traffic.day, &core->traffic.bytes);
    core->sync_paused = is_paused(tx);
}

void core_traffic_count(struct spean_core *core, size_t len)
{
    core->traffic.bytes += len;
    core->traffic.changed = true;
}

void core_traffic_write(struct spean_core *core)
{
    if (!core->traffic.changed || core->failed != SPEAN_OK) {
        return;
    }
    struct spean_tx *tx = NULL;
    uint8_t row[ROW_BYTES];
    spean_u64_put(row, core->traffic.day);
    spean_u64_put(row + ROW_BYTES / 2, core->traffic.bytes);
    core_flush(core);
    if (spean_tx_begin(core->db, SPEAN_TX_WRITE, &tx) != SPEAN_OK) {
        return; /* With the next tick. */
    }
    (void)spean_tx_put(tx, SPEAN_TABLE_META, key_of(traffic_key),
                       (struct spean_view){row, sizeof(row)});
    const spean_err err = spean_tx_commit(tx);
    if (err != SPEAN_OK && err != SPEAN_EFULL) {
        core_fail(core, err, "traffic");
        return;
    }
    core->traffic.changed = false;
    core->traffic.next_write_ms = core_now_ms() + WRITE_MS;
}

void core_traffic_tick(struct spean_core *core)
{
    const uint64_t today = core_now_s() / DAY_S;
    const uint64_t cap = core->config->day_cap_bytes;
    if (core->traffic.day != today) {
        core->traffic.day = today;
        core->traffic.bytes = 0;
        core->traffic.changed = true;
    }
    const bool saving = cap > 0 && core->traffic.bytes >= cap;
    const bool flips = core->sync != NULL && saving != core->traffic.saving;
    if (flips || core_now_ms() >= core->traffic.next_write_ms) {
        core_traffic_write(core);
    }
    if (flips) {
        core->traffic.saving = saving;
        SPEAN_JOURNAL_EVENT(core->journal, SPEAN_JOURNAL_WARNING,
                            saving ? "day_cap_reached" : "day_cap_over",
                            spean_journal_number("bytes", core->traffic.bytes));
        struct spean_sync_event event = {.kind = SPEAN_SYNC_SAVING};
        event.as.saving = saving;
        core_step(core, &event);
    }
}

spean_err core_pause_sync(struct spean_core *core, bool paused)
{
    struct spean_tx *tx = NULL;
    core_flush(core);
    spean_err err = spean_tx_begin(core->db, SPEAN_TX_WRITE, &tx);
    if (err != SPEAN_OK) {
        return err;
    }
    if (paused) {
        const uint8_t yes = 1;
        (void)spean_tx_put(tx, SPEAN_TABLE_META, key_of(paused_key), (struct spean_view){&yes, 1});
    } else {
        (void)spean_tx_del(tx, SPEAN_TABLE_META, key_of(paused_key)); /* Perhaps it is not there. */
    }
    err = spean_tx_commit(tx);
    if (err == SPEAN_OK) {
        core->sync_paused = paused;
        core->next_dial_ms = 0;
        for (size_t i = 0; paused && i < CORE_LINKS_MAX; i++) {
            core->links[i].hung_up = core->links[i].id != 0; /* When the turn ends. */
        }
    }
    return err;
}

json_t *core_traffic_status(const struct spean_core_view *view, json_t *problems)
{
    const uint64_t cap = view->core->config->day_cap_bytes;
    const bool paused = is_paused(view->tx);
    uint64_t day = 0;
    uint64_t bytes = 0;
    if (!row_get(view->tx, &day, &bytes) || day != core_now_s() / DAY_S) {
        bytes = 0;
    }
    const bool saving = cap > 0 && bytes >= cap;
    if (paused) {
        (void)json_array_append_new(
            problems,
            json_string("sync is paused: nothing goes out or comes in; spean sync resume"));
    }
    if (saving) {
        char text[200];
        (void)snprintf(text, sizeof(text),
                       "the day's cap of %llu bytes is used up: until midnight UTC only documents "
                       "and what is being written go out and come in",
                       (unsigned long long)cap);
        (void)json_array_append_new(problems, json_string(text));
    }
    json_t *sync = json_object();
    (void)json_object_set_new(sync, "paused", json_boolean(paused));
    (void)json_object_set_new(sync, "saving", json_boolean(saving));
    (void)json_object_set_new(sync, "bytes_today", spean_json_u64(bytes));
    (void)json_object_set_new(sync, "cap", cap > 0 ? spean_json_u64(cap) : json_null());
    return sync;
}
