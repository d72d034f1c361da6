/* What the core tells who started it: that it is alive, and in one line what it does. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "node/core_internal.h"
#include "node/notify.h"

void spean_core_supervise(struct spean_core *core, const struct spean_notify *notify,
                          uint64_t alive_ms)
{
    assert(core != NULL);
    assert(notify != NULL);

    core->supervisor = (struct core_supervisor){.notify = notify, .alive_ms = alive_ms};
}

/* Only the core thread writes what is known of partners, so that it needs no lock to read it. */
static void status_of(const struct spean_core *core, char text[SPEAN_NOTIFY_STATUS_BYTES_MAX])
{
    if (spean_keys_locked(core->keys)) {
        (void)snprintf(text, SPEAN_NOTIFY_STATUS_BYTES_MAX, "locked; 'spean unlock' opens it");
        return;
    }
    uint32_t connected = 0;
    for (uint32_t i = 0; i < core->partners_count; i++) {
        connected += core->partners[i].connected ? 1 : 0;
    }
    (void)snprintf(text, SPEAN_NOTIFY_STATUS_BYTES_MAX, "open; connected nodes: %" PRIu32,
                   connected);
}

void core_supervise_turn(struct spean_core *core)
{
    struct core_supervisor *const s = &core->supervisor;
    if (s->notify == NULL) {
        return;
    }
    const uint64_t now = core_now_ms();
    spean_err err = SPEAN_OK;
    if (s->alive_ms > 0 && now >= s->next_alive_ms) {
        s->next_alive_ms = now + s->alive_ms;
        err = spean_notify_watchdog(s->notify);
    }
    char text[SPEAN_NOTIFY_STATUS_BYTES_MAX];
    status_of(core, text);
    if (err == SPEAN_OK && strcmp(text, s->told) != 0) {
        (void)memcpy(s->told, text, sizeof(text));
        err = spean_notify_status(s->notify, text);
    }
    if (err != SPEAN_OK) {
        SPEAN_JOURNAL_EVENT(core->journal, SPEAN_JOURNAL_WARNING, "notify_failed",
                            spean_journal_text("socket", "NOTIFY_SOCKET"));
    }
}
