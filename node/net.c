#include "node/net.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

void spean_net_note(struct spean_net *net, enum spean_net_event event, const struct spean_key *key)
{
    const uint64_t count = ++net->counts[event];
    if (count > 1 && net->now_ms - net->told_at_ms[event] < SPEAN_NET_EVENT_EVERY_MS) {
        return;
    }
    net->told_at_ms[event] = net->now_ms;
    if (net->calls.on_event == NULL) {
        return;
    }
    char peer[5] = "";
    if (key != NULL) {
        (void)snprintf(peer, sizeof(peer), "%02x%02x", key->bytes[0], key->bytes[1]);
    }
    net->calls.on_event(net->calls.ctx, event, peer, count);
}

struct spean_link *spean_net_link_new(struct spean_net *net, const struct spean_key *key,
                                      enum spean_admission admission)
{
    struct spean_link *link = calloc(1, sizeof(*link));
    if (link == NULL) {
        return NULL;
    }
    link->id = ++net->last_link_id;
    link->key = *key;
    link->admission = admission;
    link->state = SPEAN_LINK_UP;
    link->retry_ms = SPEAN_NET_RETRY_MS;
    return link;
}

void spean_net_link_end(struct spean_net *net, struct spean_link *link, enum spean_down reason)
{
    if (link->state != SPEAN_LINK_UP) {
        return;
    }
    link->state = SPEAN_LINK_ENDING;
    link->reason = reason;
    link->blocked = false;
    net->unsettled = true;
}

void spean_net_link_reclassify(struct spean_net *net, struct spean_link *link)
{
    const bool waits = link->state == SPEAN_LINK_ENDING && link->reason == SPEAN_DOWN_RECLASSIFIED;
    if (link->state != SPEAN_LINK_UP && !waits) {
        return;
    }
    const enum spean_admission now = net->calls.classify(net->calls.ctx, &link->key);
    if (now == SPEAN_ADMIT_REFUSE) {
        spean_net_link_end(net, link, SPEAN_DOWN_REFUSED);
        link->reason = SPEAN_DOWN_REFUSED; /* Also when it was to come up again otherwise. */
        return;
    }
    if (now != link->admission) {
        spean_net_link_end(net, link, SPEAN_DOWN_RECLASSIFIED);
    }
}

void spean_net_link_down(struct spean_net *net, struct spean_link *link)
{
    assert(link->state == SPEAN_LINK_ENDING);
    net->calls.on_down(net->calls.ctx, link, link->reason);
    link->state = SPEAN_LINK_MUTE;
}

bool spean_net_is_endless(const struct spean_net *net, int fd, uint64_t taken)
{
    const uint64_t read = spean_socket_tcp_read(fd);
    const uint64_t queue = (uint64_t)SPEAN_SOCKET_HWM * net->frame_bytes_max;
    return read > taken && read - taken > queue + SPEAN_NET_BUFFERS_BYTES_MAX;
}

uint64_t spean_link_id(const struct spean_link *link)
{
    assert(link != NULL);
    return link->id;
}

const struct spean_key *spean_link_key(const struct spean_link *link)
{
    assert(link != NULL);
    return &link->key;
}

enum spean_admission spean_link_admission(const struct spean_link *link)
{
    assert(link != NULL);
    return link->admission;
}

bool spean_link_dialled(const struct spean_link *link)
{
    assert(link != NULL);
    return link->dial != NULL;
}

bool spean_link_again(const struct spean_link *link)
{
    assert(link != NULL);
    return link->again;
}

const char *spean_net_event_name(enum spean_net_event event)
{
    static const char *const names[] = {
#define NAME(code, name) [code] = (name),
        SPEAN_NET_TABLE(NAME)
#undef NAME
    };
    assert((size_t)event < SPEAN_NET_EVENTS_COUNT);
    return names[event];
}

const char *spean_down_name(enum spean_down reason)
{
    static const char *const names[] = {
        [SPEAN_DOWN_LOST] = "lost",
        [SPEAN_DOWN_REFUSED] = "refused",
        [SPEAN_DOWN_RECLASSIFIED] = "reclassified",
        [SPEAN_DOWN_REPLACED] = "replaced",
        [SPEAN_DOWN_REBOUND] = "rebound",
    };
    assert((size_t)reason < sizeof(names) / sizeof(names[0]));
    return names[reason];
}
