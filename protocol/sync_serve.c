/* Answering requests for runs and bodies, pushing and announcing what is new (P13.6, P13.9,
 * P13.10). */
#include <assert.h>
#include <string.h>

#include "protocol/partkey.h"
#include "protocol/sync_internal.h"
#include "protocol/writer.h"

#define SERVE_CREDIT_BYTES_MAX (16 * 1024 * 1024)
#define BODIES_FRAME_BYTES     (SPEAN_FRAME_BYTES_MAX / 2)

/* -- Runs ------------------------------------------------------------------------------------ */

static void load_run(struct spean_sync *s, const struct link *link, enum spean_load_purpose purpose,
                     const struct serve *serve)
{
    struct spean_place *places = sync_alloc(s, serve->places_count * sizeof(serve->places[0]) + 1);
    if (places == NULL) {
        return;
    }
    memcpy(places, serve->places, serve->places_count * sizeof(serve->places[0]));
    struct spean_sync_effect *effect = sync_effect(s, SPEAN_SYNC_LOAD_RUN, link);
    effect->as.load_run.purpose = purpose;
    effect->as.load_run.want = serve->id;
    effect->as.load_run.log = serve->log;
    effect->as.load_run.places = places;
    effect->as.load_run.places_count = serve->places_count;
    effect->as.load_run.bytes_max = SPEAN_RUN_BYTES_MAX;
    if (purpose == SPEAN_LOAD_SERVE && serve->credit < SPEAN_RUN_BYTES_MAX) {
        assert(serve->credit >= 0); /* Who has overdrawn waits for MORE. */
        effect->as.load_run.bytes_max = (uint32_t)serve->credit;
    }
    effect->as.load_run.org = link->org;
    effect->as.load_run.signing = link->signing;
}

static struct serve *serve_of(struct link *link, uint32_t id)
{
    for (size_t i = 0; i < SPEAN_WANTS_MAX; i++) {
        if (link->serves[i].id == id) {
            return &link->serves[i];
        }
    }
    return NULL;
}

static void end_serve(struct spean_sync *s, struct link *link, struct serve *serve,
                      enum spean_want_end status)
{
    const struct spean_message m = {.type = SPEAN_MESSAGE_END, .as.end = {serve->id, status}};
    sync_send(s, link, &m);
    serve->id = 0;
}

static int64_t credit_of(uint64_t bytes)
{
    return bytes < SERVE_CREDIT_BYTES_MAX ? (int64_t)bytes : SERVE_CREDIT_BYTES_MAX;
}

void sync_serve_want(struct spean_sync *s, struct link *link, const struct spean_message *m)
{
    struct serve *serve = serve_of(link, 0);
    if (serve == NULL || serve_of(link, m->as.want.want) != NULL) {
        sync_refuse(s, link, 1306, SPEAN_ELIMIT);
        return;
    }
    serve->id = m->as.want.want;
    serve->log = m->as.want.log;
    serve->places_count = m->as.want.places_count;
    memcpy(serve->places, m->as.want.places, sizeof(serve->places[0]) * serve->places_count);
    serve->credit = credit_of(m->as.want.bytes);
    if (s->saving || spean_authority_log(s->authority, &serve->log) == NULL ||
        sync_is_excluded(s, &serve->log)) {
        end_serve(s, link, serve, SPEAN_END_NOT_SERVED);
        return;
    }
    serve->loading = true;
    load_run(s, link, SPEAN_LOAD_SERVE, serve);
}

void sync_serve_more(struct spean_sync *s, struct link *link, const struct spean_message *m)
{
    struct serve *serve = m->as.more.want != 0 ? serve_of(link, m->as.more.want) : NULL;
    if (serve == NULL) {
        return; /* END is on its way. */
    }
    const int64_t credit = serve->credit + credit_of(m->as.more.bytes);
    serve->credit = credit < SERVE_CREDIT_BYTES_MAX ? credit : SERVE_CREDIT_BYTES_MAX;
    if (!serve->loading && serve->credit > 0) {
        serve->loading = true;
        load_run(s, link, SPEAN_LOAD_SERVE, serve);
    }
}

static void send_run(struct spean_sync *s, struct link *link, uint32_t want,
                     const struct spean_sync_event *event)
{
    const struct spean_message m = {
        .type = SPEAN_MESSAGE_RUN,
        .as.run = {want, event->as.loaded_run.log, event->as.loaded_run.run}};
    sync_send(s, link, &m);
}

static void send_head(struct spean_sync *s, struct link *link, const struct spean_id *log,
                      const struct spean_place *head)
{
    const struct spean_message m = {.type = SPEAN_MESSAGE_HEAD, .as.place = {*log, *head}};
    sync_send(s, link, &m);
}

/* What was loaded to be pushed: pushed if it reaches the head, else announced (P13.9). */
static void push_loaded(struct spean_sync *s, struct link *link,
                        const struct spean_sync_event *event)
{
    const struct spean_id *log = &event->as.loaded_run.log;
    if (!event->as.loaded_run.served || event->as.loaded_run.run.len == 0) {
        return;
    }
    const struct spean_place told = spean_frontier_get(link->theirs, log);
    if (event->as.loaded_run.more || event->as.loaded_run.first_seq != told.seq + 1) {
        const struct spean_place head = spean_frontier_get(s->frontier, log);
        send_head(s, link, log, &head);
        return;
    }
    send_run(s, link, 0, event);
    sync_try(s, spean_frontier_set(link->pushed, log, &event->as.loaded_run.last));
}

void sync_serve_loaded(struct spean_sync *s, struct link *link,
                       const struct spean_sync_event *event)
{
    if (event->as.loaded_run.purpose == SPEAN_LOAD_PUSH) {
        push_loaded(s, link, event);
        return;
    }
    struct serve *serve = serve_of(link, event->as.loaded_run.want);
    if (serve == NULL || serve->id == 0 || !serve->loading) {
        return;
    }
    serve->loading = false;
    if (!event->as.loaded_run.served || event->as.loaded_run.run.len == 0) {
        end_serve(s, link, serve,
                  event->as.loaded_run.served ? SPEAN_END_NO_MORE : SPEAN_END_NOT_SERVED);
        return;
    }
    send_run(s, link, serve->id, event);
    serve->credit -= event->as.loaded_run.size;
    serve->places_count = 1;
    serve->places[0] = event->as.loaded_run.last;
    if (!event->as.loaded_run.more) {
        end_serve(s, link, serve, SPEAN_END_NO_MORE);
    } else if (serve->credit > 0) {
        serve->loading = true;
        load_run(s, link, SPEAN_LOAD_SERVE, serve);
    }
}

/* -- What is new ----------------------------------------------------------------------------- */

static bool is_live(const struct link *link)
{
    return link->phase == PHASE_FETCH && link->synced_sent && link->synced_received;
}

static void moved_on(struct spean_sync *s, struct link *link, const struct spean_id *log)
{
    const struct spean_place head = spean_frontier_get(s->frontier, log);
    const struct spean_place told = spean_frontier_get(link->theirs, log);
    const struct spean_excluded excluded = {link->excluded, link->excluded_count};
    if (!is_live(link) || told.seq >= head.seq || !sync_peer_stands(s, link) ||
        spean_excluded_has(excluded, log)) {
        return;
    }
    const bool pushes = s->relay || spean_id_equal(log, &s->own_log);
    if (!pushes) {
        send_head(s, link, log, &head);
        return;
    }
    if (spean_frontier_get(link->pushed, log).seq > told.seq) {
        return; /* One run at a time; HELD brings the next. */
    }
    const struct serve push = {.log = *log, .places_count = told.seq > 0, .places = {told}};
    load_run(s, link, SPEAN_LOAD_PUSH, &push);
}

void sync_serve_moved(struct spean_sync *s, const struct spean_id *log, const struct link *from)
{
    if (sync_is_excluded(s, log)) {
        return;
    }
    for (size_t i = 0; i < SPEAN_SYNC_LINKS_MAX; i++) {
        if (s->links[i] != NULL && s->links[i] != from) {
            moved_on(s, s->links[i], log);
        }
    }
}

void sync_serve_since(struct spean_sync *s, struct link *link)
{
    for (size_t i = 0; i < spean_frontier_count(s->frontier); i++) {
        const struct spean_frontier_row *row = spean_frontier_row(s->frontier, i);
        if (row->head.seq > spean_frontier_get(link->target, &row->log).seq &&
            !sync_is_excluded(s, &row->log)) {
            moved_on(s, link, &row->log);
        }
    }
}

void sync_serve_held(struct spean_sync *s, struct link *link, const struct spean_message *m)
{
    const struct spean_id *log = &m->as.place.log;
    /* When both sides dial, what one link tells holds for the other (P13.12). */
    for (size_t i = 0; i < SPEAN_SYNC_LINKS_MAX; i++) {
        if (s->links[i] != NULL && spean_key_equal(&s->links[i]->transport, &link->transport)) {
            sync_compare_told(s, s->links[i], log, &m->as.place.place);
        }
    }
    sync_peer_holds(s, link, log, &m->as.place.place);
    /* Lower than what was pushed: it had some of it, and gets the rest pushed from there. */
    const struct spean_place none = {0};
    sync_try(s, spean_frontier_set(link->pushed, log, &none));
    moved_on(s, link, log);
}

/* -- Bodies ---------------------------------------------------------------------------------- */

/* Where the peer's FETCH stands among those that are not answered whole; answers_count: not there.
 */
static uint32_t answer_of(const struct link *link, uint32_t fetch)
{
    uint32_t i = 0;
    while (i < link->answers_count && link->answers[i].fetch != fetch) {
        i++;
    }
    return i;
}

/* What a relay shows for what it carries and cannot open. */
static const struct spean_id no_proof = {{0}};

void sync_serve_fetch(struct spean_sync *s, struct link *link, const struct spean_message *m)
{
    const bool open = answer_of(link, m->as.fetch.fetch) < link->answers_count;
    if (open || link->answers_count == SPEAN_SYNC_FETCHES_MAX) {
        sync_refuse(s, link, 1310, SPEAN_ELIMIT);
        return;
    }
    struct spean_tag tag;
    spean_partkey_tag(&tag, &m->as.fetch.proof, &m->as.fetch.log);
    const bool unproven = spean_id_equal(&m->as.fetch.proof, &no_proof);
    if (!unproven && !spean_tag_equal(&tag, &m->as.fetch.tag)) {
        sync_refuse(s, link, 1310, SPEAN_EDENIED);
        return;
    }
    uint64_t *seqs = sync_alloc(s, m->as.fetch.seqs_count * sizeof(*seqs));
    if (seqs == NULL) {
        return;
    }
    memcpy(seqs, m->as.fetch.seqs, m->as.fetch.seqs_count * sizeof(*seqs));
    link->answers[link->answers_count++] = (struct answer){m->as.fetch.fetch, unproven};
    struct spean_sync_effect *effect = sync_effect(s, SPEAN_SYNC_LOAD_BODIES, link);
    effect->as.load_bodies.fetch = m->as.fetch.fetch;
    effect->as.load_bodies.log = m->as.fetch.log;
    effect->as.load_bodies.tag = m->as.fetch.tag;
    effect->as.load_bodies.count = m->as.fetch.seqs_count;
    effect->as.load_bodies.seqs = seqs;
}

static void send_bodies(struct spean_sync *s, struct link *link, uint32_t fetch,
                        const struct spean_body_item *items, uint32_t count, bool more)
{
    uint8_t *buf = sync_alloc(s, SPEAN_FRAME_BYTES_MAX);
    if (buf == NULL) {
        return;
    }
    struct spean_writer w;
    spean_writer_init(&w, buf, SPEAN_FRAME_BYTES_MAX);
    for (uint32_t i = 0; i < count; i++) {
        spean_writer_array(&w, 2);
        spean_writer_uint(&w, items[i].seq);
        spean_writer_bin(&w, items[i].body.data, items[i].body.len);
    }
    struct spean_message m = {.type = SPEAN_MESSAGE_BODIES};
    m.as.bodies.fetch = fetch;
    m.as.bodies.items.count = count;
    m.as.bodies.more = more;
    const spean_err err = spean_writer_end(&w, &m.as.bodies.items.bytes);
    assert(err == SPEAN_OK); /* The caller keeps within a frame. */
    sync_send(s, link, &m);
}

void sync_serve_bodies(struct spean_sync *s, struct link *link,
                       const struct spean_sync_event *event)
{
    const struct spean_body_item *items = event->as.loaded_bodies.items;
    const uint32_t answer = answer_of(link, event->as.loaded_bodies.fetch);
    if (answer == link->answers_count) {
        return;
    }
    /* Who showed no proof must be a relay when it is served, not only when it asked (P13.4). */
    const bool allowed = !link->answers[answer].unproven || sync_peer_is_relay(s, link);
    const uint32_t total = allowed ? event->as.loaded_bodies.count : 0;
    if (!event->as.loaded_bodies.more) {
        link->answers[answer] = link->answers[--link->answers_count];
    }
    uint32_t first = 0;
    do {
        size_t size = 0;
        uint32_t end = first;
        while (end < total && (end == first || size + items[end].body.len < BODIES_FRAME_BYTES)) {
            size += items[end].body.len;
            end++;
        }
        send_bodies(s, link, event->as.loaded_bodies.fetch, items + first, end - first,
                    end < total || event->as.loaded_bodies.more);
        first = end;
    } while (first < total);
}
