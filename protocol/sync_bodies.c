/* Asking for the bodies that we may read and lack, and counting them (P6.4, P13.10, P13.11). */
#include <assert.h>
#include <string.h>

#include "protocol/sync_internal.h"

static void load(struct spean_sync *s, struct link *link)
{
    link->lacking_loading = true;
    struct spean_sync_effect *effect = sync_effect(s, SPEAN_SYNC_LOAD_LACKING, link);
    effect->as.load_lacking.org = link->org;
    effect->as.load_lacking.relay = sync_peer_is_relay(s, link);
    /* Before documents are exchanged the peer may not know yet that we are one. */
    effect->as.load_lacking.carries = s->relay && link->phase == PHASE_FETCH;
    effect->as.load_lacking.at = link->lacking_at;
}

void sync_bodies_load(struct spean_sync *s, struct link *link)
{
    if (link->lacking_loading) {
        link->lacking_again = true;
        return;
    }
    link->lacking_again = false;
    link->lacking_got = false;
    link->lacking_at = (struct spean_fetch_at){0};
    load(s, link);
}

bool sync_bodies_open(const struct link *link)
{
    for (size_t i = 0; i < SPEAN_SYNC_FETCHES_MAX; i++) {
        if (link->fetches[i].id != 0) {
            return true;
        }
    }
    return false;
}

static struct fetch *fetch_of(struct link *link, uint32_t id)
{
    for (size_t i = 0; i < SPEAN_SYNC_FETCHES_MAX; i++) {
        if (link->fetches[i].id == id) {
            return &link->fetches[i];
        }
    }
    return NULL;
}

static void send_fetch(struct spean_sync *s, struct link *link, struct fetch *fetch,
                       const struct spean_fetch_group *group)
{
    assert(group->seqs_count > 0);
    assert(group->seqs_count <= SPEAN_FETCH_SEQS_MAX);
    memset(fetch, 0, sizeof(*fetch));
    fetch->id = s->next_request++;
    fetch->log = group->log;
    fetch->seqs_count = group->seqs_count;
    memcpy(fetch->seqs, group->seqs, group->seqs_count * sizeof(fetch->seqs[0]));
    struct spean_message m = {.type = SPEAN_MESSAGE_FETCH};
    m.as.fetch.fetch = fetch->id;
    m.as.fetch.log = group->log;
    m.as.fetch.tag = group->tag;
    m.as.fetch.proof = group->proof;
    m.as.fetch.seqs_count = group->seqs_count;
    for (uint32_t i = 0; i < group->seqs_count; i++) {
        m.as.fetch.seqs[i] = group->seqs[i];
    }
    sync_send(s, link, &m);
}

/*
 * One round of fetches is over. The walk goes on where it was, so that what the peer does not hold
 * is asked of it once; at its end it begins anew if it brought something, or something new came in.
 */
static void round_over(struct spean_sync *s, struct link *link)
{
    if (sync_bodies_open(link)) {
        return;
    }
    link->lacking_loading = false;
    if (link->lacking_more) {
        load(s, link);
    } else if (link->lacking_got || link->lacking_again) {
        sync_bodies_load(s, link);
    }
}

void sync_bodies_lacking(struct spean_sync *s, struct link *link,
                         const struct spean_sync_event *event)
{
    const bool changed = link->missing != event->as.loaded_lacking.missing;
    link->missing = event->as.loaded_lacking.missing;
    if (link->phase == PHASE_FETCH && !sync_want_open(link) && (!link->synced_sent || changed)) {
        sync_compare_send_synced(s, link);
    }
    if (s->saving) {
        link->lacking_more = false;
        round_over(s, link);
        return;
    }
    link->lacking_more = event->as.loaded_lacking.more;
    link->lacking_at = event->as.loaded_lacking.next;
    assert(event->as.loaded_lacking.count <= SPEAN_SYNC_FETCHES_MAX);
    for (uint32_t i = 0; i < event->as.loaded_lacking.count; i++) {
        struct fetch *fetch = fetch_of(link, 0);
        assert(fetch != NULL); /* None was open when it was loaded. */
        send_fetch(s, link, fetch, &event->as.loaded_lacking.groups[i]);
    }
    round_over(s, link);
}

/* Take the seqs of items off what was asked for; false: one was not asked for, or came before. */
static bool take_asked(struct fetch *fetch, const struct spean_body_item *items, uint32_t count)
{
    uint32_t left = 0;
    uint32_t item = 0;
    for (uint32_t i = 0; i < fetch->seqs_count; i++) {
        if (item < count && items[item].seq == fetch->seqs[i]) {
            item++;
        } else {
            fetch->seqs[left++] = fetch->seqs[i];
        }
    }
    fetch->seqs_count = left;
    return item == count;
}

static void put_bodies(struct spean_sync *s, struct link *link, struct fetch *fetch,
                       struct spean_list list)
{
    struct spean_body_item *items = sync_alloc(s, list.count * sizeof(*items));
    if (items == NULL) {
        return;
    }
    uint32_t count = 0;
    const uint32_t total = list.count;
    while (count < total && spean_bodies_next(&list, &items[count].seq, &items[count].body)) {
        count++;
    }
    if (!take_asked(fetch, items, count)) {
        sync_refuse(s, link, 1310, SPEAN_EDENIED);
        return;
    }
    struct append *a = sync_append_begin(s, link);
    if (a == NULL) {
        return;
    }
    a->fetch = fetch->id;
    fetch->unstored++;
    struct spean_sync_effect *effect = sync_effect(s, SPEAN_SYNC_PUT_BODIES, link);
    effect->as.put_bodies.token = a->token;
    effect->as.put_bodies.log = fetch->log;
    effect->as.put_bodies.count = count;
    effect->as.put_bodies.items = items;
}

void sync_bodies_received(struct spean_sync *s, struct link *link, const struct spean_message *m)
{
    struct fetch *fetch = m->as.bodies.fetch != 0 ? fetch_of(link, m->as.bodies.fetch) : NULL;
    if (fetch == NULL || fetch->last) {
        return; /* A repetition. */
    }
    fetch->last = !m->as.bodies.more;
    if (m->as.bodies.items.count > 0) {
        put_bodies(s, link, fetch, m->as.bodies.items);
    }
    if (link->phase != PHASE_ENDED && fetch->last && fetch->unstored == 0) {
        fetch->id = 0;
        round_over(s, link);
    }
}

void sync_bodies_durable(struct spean_sync *s, const struct append *a, bool stored, bool bad)
{
    struct link *link = sync_link(s, a->link);
    struct fetch *fetch = link != NULL ? fetch_of(link, a->fetch) : NULL;
    if (fetch == NULL) {
        return;
    }
    assert(fetch->unstored > 0);
    fetch->unstored--;
    if (bad) {
        sync_refuse(s, link, 1310, SPEAN_ESIGNATURE);
        return;
    }
    link->lacking_got = link->lacking_got || stored;
    if (fetch->last && fetch->unstored == 0) {
        fetch->id = 0;
        round_over(s, link);
    }
}
