/* Links that the sync step knows, and messages that wait because a pipe is full. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "node/core_internal.h"

struct core_link *core_link_find(struct spean_core *core, uint64_t id)
{
    for (size_t i = 0; id != 0 && i < CORE_LINKS_MAX; i++) {
        if (core->links[i].id == id) {
            return &core->links[i];
        }
    }
    return NULL;
}

struct core_link *core_link_add(struct spean_core *core, struct spean_link *link)
{
    for (size_t i = 0; i < CORE_LINKS_MAX; i++) {
        if (core->links[i].id == 0) {
            core->links[i] =
                (struct core_link){.id = spean_link_id(link),
                                   .link = link,
                                   .transport = *spean_link_key(link),
                                   .dialled = spean_link_dialled(link),
                                   .lobby = spean_link_admission(link) == SPEAN_ADMIT_LOBBY,
                                   .up_ms = core_now_ms()};
            return &core->links[i];
        }
    }
    return NULL;
}

void core_link_remove(struct spean_core *core, struct core_link *link)
{
    (void)core;
    while (link->first != NULL) {
        struct outbox_message *next = link->first->next;
        free(link->first);
        link->first = next;
    }
    memset(link, 0, sizeof(*link));
}

static void keep(struct core_link *link, struct spean_view message)
{
    struct outbox_message *kept = message.len <= CORE_OUTBOX_BYTES_MAX - link->bytes
                                      ? malloc(sizeof(*kept) + message.len)
                                      : NULL;
    if (kept == NULL) {
        link->overflowed = true; /* Nothing is lost: the peer asks again in its next session. */
        return;
    }
    kept->next = NULL;
    kept->len = message.len;
    memcpy(kept->data, message.data, message.len);
    if (link->last != NULL) {
        link->last->next = kept;
    } else {
        link->first = kept;
    }
    link->last = kept;
    link->bytes += message.len;
}

void core_link_send(struct spean_core *core, struct core_link *link, struct spean_view message)
{
    if (link->first != NULL) {
        keep(link, message);
        return;
    }
    const spean_err err = spean_transport_send(core->transport, link->link, message);
    if (err == SPEAN_EBUSY) {
        keep(link, message);
    }
    if (err == SPEAN_OK) {
        core_traffic_count(core, message.len);
    }
    /* Other errors: the link is ending, and on_down() follows. */
}

void core_link_flush(struct spean_core *core, struct core_link *link)
{
    while (link->first != NULL) {
        struct outbox_message *message = link->first;
        const struct spean_view view = {message->data, message->len};
        if (spean_transport_send(core->transport, link->link, view) == SPEAN_EBUSY) {
            return;
        }
        core_traffic_count(core, message->len);
        link->first = message->next;
        link->last = link->first != NULL ? link->last : NULL;
        link->bytes -= message->len;
        free(message);
    }
}

void core_links_reap(struct spean_core *core)
{
    for (size_t i = 0; i < CORE_LINKS_MAX; i++) {
        struct core_link *link = &core->links[i];
        const bool overstayed = link->lobby && core_now_ms() - link->up_ms > CORE_LOBBY_MS;
        if (link->id == 0 || (!link->overflowed && !overstayed && !link->hung_up)) {
            continue;
        }
        struct spean_sync_event down = {.kind = SPEAN_SYNC_PEER_DOWN, .link = link->id};
        SPEAN_JOURNAL_EVENT(core->journal, SPEAN_JOURNAL_WARNING,
                            link->hung_up      ? "hung_up"
                            : link->overflowed ? "outbox_full"
                                               : "lobby_overstayed",
                            spean_journal_number("link", link->id));
        spean_transport_drop(core->transport, link->link);
        core_partner_down(core, link);
        core_dial_failed(core, link);
        core_link_remove(core, link);
        core_step(core, &down);
    }
}
