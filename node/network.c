/* What the transport tells, as events of the sync step; and opening and closing both. */
#include <stdio.h>
#include <string.h>

#include "node/core_internal.h"
#include "store/logs.h"

#define JOIN_BYTES_MAX SPEAN_FRAME_BYTES_MAX

static enum spean_admission classify(void *ctx, const struct spean_key *key)
{
    const struct spean_core *core = ctx;
    if (core->joining.active && spean_key_equal(key, &core->joining.transport)) {
        return SPEAN_ADMIT_MEMBER; /* Its key came with the invitation. */
    }
    return spean_authority_log_by_transport(core->authority, key) != NULL ? SPEAN_ADMIT_MEMBER
                                                                          : SPEAN_ADMIT_LOBBY;
}

static void on_up(void *ctx, struct spean_link *transport_link)
{
    struct spean_core *core = ctx;
    struct core_link *link = core->sync_paused ? NULL : core_link_add(core, transport_link);
    if (link == NULL) {
        spean_transport_drop(core->transport, transport_link);
        return;
    }
    struct spean_sync_event event = {.kind = SPEAN_SYNC_PEER_UP, .link = link->id};
    event.as.up.transport = link->transport;
    event.as.up.dialled = link->dialled;
    event.as.up.mode = spean_link_admission(transport_link) == SPEAN_ADMIT_MEMBER
                           ? SPEAN_LINK_MEMBER
                           : SPEAN_LINK_LOBBY;
    event.as.up.admitted =
        event.as.up.mode == SPEAN_LINK_MEMBER && spean_link_again(transport_link);
    if (link->dialled && core_lobby_join_message(core, &link->transport, core->frame,
                                                 JOIN_BYTES_MAX, &event.as.up.join)) {
        event.as.up.mode = SPEAN_LINK_JOINING;
    }
    core_step(core, &event);
}

static void on_message(void *ctx, struct spean_link *transport_link, struct spean_view view)
{
    struct spean_core *core = ctx;
    struct core_link *link = core_link_find(core, spean_link_id(transport_link));
    if (link == NULL) {
        return;
    }
    link->heard_s = core_now_s();
    struct spean_sync_event event = {.kind = SPEAN_SYNC_MESSAGE, .link = link->id};
    event.as.message = view;
    core_traffic_count(core, view.len);
    core_step(core, &event);
    core_compare(core);
    if (core->batch_bytes >= CORE_BATCH_BYTES_MAX ||
        core->batch_tokens_count > CORE_BATCH_TOKENS_MAX / 2) {
        core_flush(core);
    }
}

static void on_down(void *ctx, struct spean_link *transport_link, enum spean_down reason)
{
    struct spean_core *core = ctx;
    struct core_link *link = core_link_find(core, spean_link_id(transport_link));
    if (link == NULL) {
        return;
    }
    SPEAN_JOURNAL_EVENT(core->journal, SPEAN_JOURNAL_INFO, "peer_down",
                        spean_journal_number("link", link->id),
                        spean_journal_text("reason", spean_down_name(reason)));
    struct spean_sync_event event = {.kind = SPEAN_SYNC_PEER_DOWN, .link = link->id};
    core_partner_down(core, link);
    core_link_remove(core, link);
    core_step(core, &event);
}

static void on_writable(void *ctx, struct spean_link *transport_link)
{
    struct spean_core *core = ctx;
    struct core_link *link = core_link_find(core, spean_link_id(transport_link));
    if (link != NULL) {
        core_link_flush(core, link);
    }
}

static void on_event(void *ctx, enum spean_net_event event, const char *peer, uint64_t count)
{
    const struct spean_core *core = ctx;
    SPEAN_JOURNAL_EVENT(core->journal, SPEAN_JOURNAL_INFO, spean_net_event_name(event),
                        spean_journal_text("peer", peer), spean_journal_number("count", count));
}

/* Tell the sync step what the store holds. */
static spean_err hold_logs(struct spean_core *core)
{
    struct spean_tx *tx = NULL;
    spean_err err = spean_tx_begin(core->db, SPEAN_TX_READ, &tx);
    if (err != SPEAN_OK) {
        return err;
    }
    struct spean_logs_row row;
    uint32_t from = 0;
    while (err == SPEAN_OK && (err = spean_logs_next(tx, from, &row)) == SPEAN_OK) {
        err = spean_sync_hold(core->sync, &row.log, &row.head, row.standing);
        from = row.number + 1;
    }
    spean_tx_abort(tx);
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

static spean_err open_sync(struct spean_core *core)
{
    const struct spean_sync_config config = {.handle = core->handle,
                                             .org = core->org,
                                             .signing = core->signing,
                                             .transport = core->transport_key};
    const spean_err err = spean_sync_new(&config, core->authority, &core->sync);
    return err == SPEAN_OK ? hold_logs(core) : err;
}

/* "host:port" and "*:port" of the configuration as libzmq wants them. */
static void bind_endpoint(const struct spean_config *config, char *out, size_t cap)
{
    (void)snprintf(out, cap, "tcp://%s", config->listen);
}

spean_err core_network_open(struct spean_core *core)
{
    char endpoint[SPEAN_ENDPOINT_BYTES_MAX + 8];
    bind_endpoint(core->config, endpoint, sizeof(endpoint));
    struct spean_transport_options options = {
        .secret = spean_keys_transport_secret(core->keys),
        .key = core->transport_key,
        .socks_proxy = core->config->socks_proxy[0] != '\0' ? core->config->socks_proxy : NULL,
        .calls = {.ctx = core,
                  .classify = classify,
                  .on_up = on_up,
                  .on_message = on_message,
                  .on_down = on_down,
                  .on_writable = on_writable,
                  .on_event = on_event}};
    options.binds[0] = core->config->listen[0] != '\0' ? endpoint : NULL;
    spean_err err = open_sync(core);
    if (err == SPEAN_OK) {
        err = spean_transport_new(&core->transport, &options);
    }
    if (err != SPEAN_OK) {
        core_network_close(core);
        return err;
    }
    SPEAN_JOURNAL_EVENT(core->journal, SPEAN_JOURNAL_INFO, "network_open",
                        spean_journal_text("endpoint", spean_transport_bound(core->transport, 0)));
    core->next_dial_ms = 0;
    core->traffic.saving = false; /* The new sync step has not been told. */
    core_traffic_tick(core);      /* Before anybody is asked for anything. */
    return SPEAN_OK;
}

void core_network_close(struct spean_core *core)
{
    spean_transport_free(core->transport);
    core->transport = NULL;
    for (size_t i = 0; i < CORE_LINKS_MAX; i++) {
        if (core->links[i].id != 0) {
            core_partner_down(core, &core->links[i]);
            core_link_remove(core, &core->links[i]);
        }
    }
    core_drop_deferred(core);
    spean_sync_free(core->sync);
    core->sync = NULL;
}
