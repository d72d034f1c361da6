/* Asking for runs at the receiver's pace and taking them in (P13.6, P13.7, P13.8). */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/sync_internal.h"

bool sync_want_open(const struct link *link)
{
    for (size_t i = 0; i < SPEAN_WANTS_MAX; i++) {
        if (link->wants[i].id != 0) {
            return true;
        }
    }
    return false;
}

void sync_want_close(struct spean_sync *s, struct link *link, struct want *w)
{
    assert(w->credit + w->unstored <= s->window_used);
    s->window_used -= w->credit + w->unstored;
    free(w->suspect);
    memset(w, 0, sizeof(*w));
    link->next_target = 0;
}

bool sync_want_abandon(struct spean_sync *s, const struct spean_id *log)
{
    bool any = false;
    for (size_t i = 0; i < SPEAN_SYNC_LINKS_MAX; i++) {
        struct link *link = s->links[i];
        for (size_t k = 0; link != NULL && k < SPEAN_WANTS_MAX; k++) {
            if (link->wants[k].id != 0 && spean_id_equal(&link->wants[k].log, log)) {
                sync_want_close(s, link, &link->wants[k]);
                any = true;
            }
        }
    }
    return any;
}

static bool is_wanted(const struct spean_sync *s, const struct spean_id *log)
{
    for (size_t i = 0; i < SPEAN_SYNC_LINKS_MAX; i++) {
        const struct link *link = s->links[i];
        for (size_t k = 0; link != NULL && k < SPEAN_WANTS_MAX; k++) {
            if (link->wants[k].id != 0 && spean_id_equal(&link->wants[k].log, log)) {
                return true;
            }
        }
    }
    return false;
}

/* Whether entries of log are on their way to the disk: nothing more of it is taken until then. */
static bool is_being_stored(const struct spean_sync *s, const struct spean_id *log)
{
    for (uint32_t i = 0; i < s->appends_count; i++) {
        if (s->appends[i].fetch == 0 && !s->appends[i].aside &&
            spean_id_equal(&s->appends[i].log, log)) {
            return true;
        }
    }
    return false;
}

/* Whether a row of the peer's says that it has what we lack and may take. */
static bool is_ahead(const struct spean_sync *s, const struct spean_frontier_row *row)
{
    if (sync_is_excluded(s, &row->log)) {
        return false;
    }
    const struct spean_log *log = spean_authority_log(s->authority, &row->log);
    if (log == NULL || log->status == SPEAN_LOG_ASIDE) {
        return false;
    }
    const struct spean_place ours = spean_frontier_get(s->frontier, &row->log);
    if (log->cut.closed && ours.seq >= log->cut.seq) {
        return false;
    }
    const bool differs =
        row->head.seq == ours.seq && !spean_id_equal(&row->head.entry, &ours.entry);
    return row->head.seq > ours.seq || differs;
}

/* Bytes that may still be asked for over link. The last run of a want may overdraw its credit, so
 * that more is used than the window has. */
static uint64_t window_left(const struct spean_sync *s, const struct link *link)
{
    uint64_t used = 0;
    for (size_t i = 0; i < SPEAN_WANTS_MAX; i++) {
        used += link->wants[i].credit + link->wants[i].unstored;
    }
    const uint64_t left = used < link->allowance ? link->allowance - used : 0;
    const uint64_t all = s->window_used < SPEAN_SYNC_WINDOW_ALL_BYTES
                             ? SPEAN_SYNC_WINDOW_ALL_BYTES - s->window_used
                             : 0;
    return left < all ? left : all;
}

/* What a want is opened with, and how much room that needs. */
static uint64_t first_credit(const struct link *link)
{
    const uint64_t share = link->allowance / SYNC_ALLOWANCE_STEP;
    return share < SYNC_WANT_BYTES_FIRST ? share : SYNC_WANT_BYTES_FIRST;
}

/* Bytes came: ask for more at once on a link that carries them quickly, for less on a slow one. */
static void measure(const struct spean_sync *s, struct link *link, uint64_t bytes)
{
    link->due_bytes += bytes;
    if (link->due_bytes < link->allowance / SYNC_ALLOWANCE_STEP) {
        return; /* Too few to tell. */
    }
    const uint64_t took_ms = s->now_ms - link->due_ms;
    link->due_bytes = 0;
    link->due_ms = s->now_ms;
    link->quick = took_ms <= SYNC_QUICK_MS;
    if (link->quick) {
        const bool near = link->allowance > SPEAN_SYNC_WINDOW_BYTES / SYNC_ALLOWANCE_STEP;
        link->allowance = near ? SPEAN_SYNC_WINDOW_BYTES : link->allowance * SYNC_ALLOWANCE_STEP;
    } else if (took_ms > SYNC_SLOW_MS) {
        const bool near = link->allowance < SYNC_ALLOWANCE_MIN * SYNC_ALLOWANCE_STEP;
        link->allowance = near ? SYNC_ALLOWANCE_MIN : link->allowance / SYNC_ALLOWANCE_STEP;
    }
}

/* Credit for w, of link. If nothing was asked for before, bytes are due from now. */
static void give_credit(struct spean_sync *s, struct link *link, struct want *w, uint64_t bytes)
{
    uint64_t open = 0;
    for (size_t i = 0; i < SPEAN_WANTS_MAX; i++) {
        open += link->wants[i].credit;
    }
    if (open == 0) {
        link->due_ms = s->now_ms;
        link->due_bytes = 0;
    }
    w->credit += bytes;
    s->window_used += bytes;
}

static void send_want(struct spean_sync *s, struct link *link, struct want *w)
{
    struct spean_message m = {.type = SPEAN_MESSAGE_WANT};
    m.as.want.want = w->id;
    m.as.want.log = w->log;
    m.as.want.places_count = w->places_count;
    memcpy(m.as.want.places, w->places, w->places_count * sizeof(w->places[0]));
    m.as.want.bytes = w->credit; /* Given when it was opened. */
    w->asked = true;
    sync_send(s, link, &m);
}

static void open_want(struct spean_sync *s, struct link *link, struct want *w,
                      const struct spean_id *log)
{
    w->id = s->next_request++;
    w->log = *log;
    w->durable = spean_frontier_get(s->frontier, log);
    w->pending = w->durable;
    w->told = spean_frontier_get(link->theirs, log).seq;
    give_credit(s, link, w, first_credit(link));
    if (w->durable.seq == 0) {
        send_want(s, link, w);
        return;
    }
    sync_effect(s, SPEAN_SYNC_LOAD_PLACES, link)->as.load_places.log = *log;
}

static struct want *free_want(struct link *link)
{
    for (size_t i = 0; i < SPEAN_WANTS_MAX; i++) {
        if (link->wants[i].id == 0) {
            return &link->wants[i];
        }
    }
    return NULL;
}

void sync_want_next(struct spean_sync *s, struct link *link)
{
    if (s->saving || link->phase != PHASE_FETCH || link->paused_until_ms != 0 ||
        !sync_asks(s, link)) {
        return;
    }
    struct want *w = free_want(link);
    while (w != NULL && link->next_target < spean_frontier_count(link->theirs) &&
           window_left(s, link) >= first_credit(link)) {
        const struct spean_frontier_row row =
            *spean_frontier_row(link->theirs, link->next_target++);
        if (is_ahead(s, &row) && !is_wanted(s, &row.log) && !is_being_stored(s, &row.log)) {
            open_want(s, link, w, &row.log);
            w = free_want(link);
        }
    }
}

/* Keep the windows of link's wants full: ask for more when half of one is used. */
static void top_up(struct spean_sync *s, struct link *link)
{
    for (size_t i = 0; i < SPEAN_WANTS_MAX && !s->saving; i++) {
        struct want *w = &link->wants[i];
        const uint64_t left = window_left(s, link);
        if (w->id == 0 || !w->asked || w->no_more || left == 0 ||
            w->credit + w->unstored > link->allowance / 2) {
            continue;
        }
        give_credit(s, link, w, left);
        const struct spean_message m = {.type = SPEAN_MESSAGE_MORE,
                                        .as.more = {w->id, left + w->debt}};
        w->debt = 0;
        sync_send(s, link, &m);
    }
}

/* A window got room, or a log is no longer asked for elsewhere. */
void sync_want_again(struct spean_sync *s)
{
    for (size_t i = 0; i < SPEAN_SYNC_LINKS_MAX; i++) {
        struct link *link = s->links[i];
        if (link == NULL || link->phase == PHASE_ENDED) {
            continue;
        }
        link->next_target = 0;
        sync_want_next(s, link);
        top_up(s, link);
        sync_compare_caught_up(s, link);
    }
}

void sync_want_places(struct spean_sync *s, const struct spean_sync_event *event)
{
    struct link *link = sync_link(s, event->link);
    for (size_t i = 0; link != NULL && i < SPEAN_WANTS_MAX; i++) {
        struct want *w = &link->wants[i];
        if (w->id == 0 || w->asked || !spean_id_equal(&w->log, &event->as.loaded_places.log)) {
            continue;
        }
        const uint32_t count = event->as.loaded_places.count;
        w->places_count = count < SPEAN_PLACES_MAX ? count : SPEAN_PLACES_MAX;
        memcpy(w->places, event->as.loaded_places.places, w->places_count * sizeof(w->places[0]));
        send_want(s, link, w);
        return;
    }
}

/* -- Taking in ------------------------------------------------------------------------------- */

/* The rule that a run broke by failing to decode or verify. */
static uint64_t rule_of(spean_err err)
{
    return err == SPEAN_ESIGNATURE ? 505 : err == SPEAN_ELIMIT ? 506 : 507;
}

/* Whether the run passes the place that the peer had named with another entry there. */
static bool belies_row(const struct spean_sync *s, const struct link *link,
                       const struct spean_id *log)
{
    static const struct spean_id unknown = {{0}};
    const struct spean_place named = spean_frontier_get(link->theirs, log);
    const struct spean_run_entry *first = spean_run_entry(s->run, 0);
    if (named.seq < first->header.seq || named.seq > spean_run_last(s->run).seq ||
        spean_id_equal(&named.entry, &unknown)) {
        return false;
    }
    const uint32_t i = (uint32_t)(named.seq - first->header.seq);
    return !spean_id_equal(&spean_run_entry(s->run, i)->id, &named.entry);
}

/* Whether a sealed body did not travel with the run in hand. */
static bool run_lacks(const struct spean_sync *s)
{
    for (uint32_t i = 0; i < spean_run_count(s->run); i++) {
        const struct spean_run_entry *entry = spean_run_entry(s->run, i);
        if (entry->header.has_tag && entry->body.len == 0) {
            return true;
        }
    }
    return false;
}

/* A run of w came, of so many bytes; returns how many of them go beyond what was asked for. */
static uint64_t pay(const struct spean_sync *s, struct link *link, struct want *w, uint64_t bytes)
{
    const uint64_t overdraft = bytes > w->credit ? bytes - w->credit : 0;
    measure(s, link, bytes);
    w->credit -= bytes - overdraft;
    w->debt += overdraft;
    return overdraft;
}

void sync_want_suspected(struct spean_sync *s, struct link *link, struct want *w, uint64_t bytes)
{
    const uint64_t overdraft = pay(s, link, w, bytes);
    s->window_used -= bytes - overdraft; /* It is not stored. */
}

static void hand_over(struct spean_sync *s, struct link *link, struct want *w,
                      const struct spean_id *log)
{
    struct append *a = sync_append_begin(s, link);
    if (a == NULL) {
        return;
    }
    a->log = *log;
    a->place = spean_run_last(s->run);
    a->size = spean_run_size(s->run);
    a->want = w != NULL ? w->id : 0;
    a->lacks = run_lacks(s);
    if (w != NULL) {
        s->window_used += pay(s, link, w, a->size);
        w->unstored += a->size;
        w->pending = a->place;
        w->first = w->first != 0 ? w->first : spean_run_entry(s->run, 0)->header.seq;
    }
    if (spean_id_equal(log, &s->own_log)) {
        sync_report(s, link, SPEAN_REPORT_OWN_LOG_AHEAD, SPEAN_OK, a->place.seq);
    }
    struct spean_sync_effect *effect = sync_effect(s, SPEAN_SYNC_APPEND, link);
    effect->as.append.token = a->token;
    effect->as.append.run = s->run;
    effect->as.append.from = link->transport;
}

void sync_want_take(struct spean_sync *s, struct link *link, struct want *w,
                    const struct spean_id *log, struct spean_view run,
                    const struct spean_place *after)
{
    const struct spean_log *known = spean_authority_log(s->authority, log);
    if (known == NULL) {
        sync_refuse(s, link, 407, SPEAN_EDENIED);
        return;
    }
    const struct spean_place cut = {known->cut.seq, known->cut.entry};
    spean_err err = spean_run_decode(s->run, run, log, after);
    if (err == SPEAN_OK) {
        err = spean_run_verify(s->run, &known->signing, known->cut.closed ? &cut : NULL);
    }
    if (err != SPEAN_OK) {
        sync_refuse(s, link, rule_of(err), err);
        return;
    }
    if (known->cut.closed && spean_run_last(s->run).seq > cut.seq) {
        sync_aside_offered(s, link, known);
        if (w != NULL) {
            sync_want_close(s, link, w);
        }
        return;
    }
    if (belies_row(s, link, log)) {
        sync_refuse(s, link, 1305, SPEAN_EFORK);
        return;
    }
    hand_over(s, link, w, log);
}

static bool place_before(const struct want *w, uint64_t first_seq, struct spean_place *out)
{
    if (first_seq == 1) {
        *out = (struct spean_place){0};
        return true;
    }
    for (uint32_t i = 0; i < w->places_count; i++) {
        if (w->places[i].seq == first_seq - 1) {
            *out = w->places[i];
            return true;
        }
    }
    return false;
}

static void send_held(struct spean_sync *s, struct link *link, const struct spean_id *log,
                      const struct spean_place *place)
{
    const struct spean_message m = {.type = SPEAN_MESSAGE_HELD, .as.place = {*log, *place}};
    sync_send(s, link, &m);
}

/* Tell those who pushed log too, while it came from elsewhere, how far it is held now. */
static void send_owed(struct spean_sync *s, const struct spean_id *log)
{
    const struct spean_place held = spean_frontier_get(s->frontier, log);
    const struct spean_place none = {0};
    for (size_t i = 0; i < SPEAN_SYNC_LINKS_MAX; i++) {
        struct link *link = s->links[i];
        if (link != NULL && link->phase == PHASE_FETCH &&
            spean_frontier_get(link->owed, log).seq > 0) {
            sync_try(s, spean_frontier_set(link->owed, log, &none));
            send_held(s, link, log, &held);
        }
    }
}

/* A run that nobody asked for: taken if it extends what is held, else a word about a head. */
static void take_pushed(struct spean_sync *s, struct link *link, const struct spean_message *m,
                        uint64_t first_seq)
{
    const struct spean_id *log = &m->as.run.log;
    const struct spean_place head = spean_frontier_get(s->frontier, log);
    if (sync_is_excluded(s, log)) {
        if (link->phase == PHASE_FETCH && link->exclusions_named != s->exclusions_serial) {
            sync_compare_begin(s, link); /* It is told, so that it does not wait for HELD. */
        }
        return;
    }
    if (is_wanted(s, log) || is_being_stored(s, log)) {
        /* Another peer was quicker. The author waits for HELD all the same. */
        sync_try(s, spean_frontier_set(link->owed, log, &(struct spean_place){first_seq, {{0}}}));
        return;
    }
    if (first_seq == head.seq + 1) {
        sync_want_take(s, link, NULL, log, m->as.run.run, &head);
    } else if (first_seq > head.seq) {
        const struct spean_place told = {first_seq, {{0}}};
        sync_compare_told(s, link, log, &told);
        sync_want_next(s, link);
    } else {
        send_held(s, link, log, &head);
    }
}

void sync_want_run(struct spean_sync *s, struct link *link, const struct spean_message *m)
{
    uint64_t first_seq = 0;
    const spean_err err = spean_run_first_seq(m->as.run.run, &first_seq);
    if (err != SPEAN_OK || first_seq == 0) {
        sync_refuse(s, link, 507, SPEAN_EFORMAT);
        return;
    }
    if (m->as.run.want == 0) {
        take_pushed(s, link, m, first_seq);
        return;
    }
    struct want *w = NULL;
    for (size_t i = 0; i < SPEAN_WANTS_MAX; i++) {
        if (link->wants[i].id == m->as.run.want) {
            w = &link->wants[i];
        }
    }
    if (w == NULL) {
        return; /* Given up meanwhile. */
    }
    struct spean_place after;
    if (!w->asked || w->no_more || w->suspect != NULL || w->credit == 0 ||
        !spean_id_equal(&w->log, &m->as.run.log)) {
        sync_refuse(s, link, 1306, SPEAN_ESTATE);
    } else if (first_seq == w->pending.seq + 1) {
        after = w->pending;
        sync_want_take(s, link, w, &w->log, m->as.run.run, &after);
    } else if (w->first != 0 && first_seq >= w->first && first_seq <= w->pending.seq) {
        return; /* A repetition changes nothing (P13.7). */
    } else if (first_seq <= w->pending.seq && place_before(w, first_seq, &after)) {
        sync_fork_suspect(s, link, w, m->as.run.run, &after);
    } else {
        sync_refuse(s, link, 1306, SPEAN_EGAP);
    }
}

/* -- Ending ---------------------------------------------------------------------------------- */

/* All that the peer had is durable here. */
static void finish(struct spean_sync *s, struct link *link, struct want *w)
{
    const struct spean_id log = w->log;
    if (spean_frontier_get(link->theirs, &log).seq == w->told) {
        /* Whatever it said it held, this is what it gave. */
        sync_try(s, spean_frontier_set(link->theirs, &log, &w->durable));
        sync_peer_holds(s, link, &log, &w->durable);
    }
    sync_want_close(s, link, w);
    sync_serve_moved(s, &log, link);
    sync_want_again(s);
    sync_compare_settle(s, link);
}

void sync_want_repeated(struct spean_sync *s, struct link *link, struct want *w)
{
    if (w->no_more && w->unstored == 0) {
        finish(s, link, w);
        return;
    }
    top_up(s, link);
}

void sync_want_end(struct spean_sync *s, struct link *link, const struct spean_message *m)
{
    if (sync_aside_end(s, link, m)) {
        return;
    }
    for (size_t i = 0; i < SPEAN_WANTS_MAX; i++) {
        struct want *w = &link->wants[i];
        if (w->id == 0 || w->id != m->as.end.want) {
            continue;
        }
        s->window_used -= w->credit;
        w->credit = 0;
        w->no_more = true;
        if (w->unstored == 0 && w->suspect == NULL) {
            finish(s, link, w);
        }
        return;
    }
}

static struct want *want_of(struct link *link, uint32_t id)
{
    for (size_t i = 0; i < SPEAN_WANTS_MAX; i++) {
        if (id != 0 && link->wants[i].id == id) {
            return &link->wants[i];
        }
    }
    return NULL;
}

/* A relay carries what came without its body as soon as somebody has it. */
static void load_everywhere(struct spean_sync *s)
{
    for (size_t i = 0; i < SPEAN_SYNC_LINKS_MAX; i++) {
        if (s->links[i] != NULL && s->links[i]->phase == PHASE_FETCH) {
            sync_bodies_load(s, s->links[i]);
        }
    }
}

void sync_want_durable(struct spean_sync *s, const struct append *a)
{
    const struct spean_place held = spean_frontier_get(s->frontier, &a->log);
    if (a->place.seq > held.seq &&
        spean_frontier_set(s->frontier, &a->log, &a->place) != SPEAN_OK) {
        sync_no_memory(s);
        return;
    }
    send_owed(s, &a->log);
    if (s->relay && a->lacks) {
        load_everywhere(s);
    }
    struct link *link = sync_link(s, a->link);
    if (link == NULL || link->phase == PHASE_ENDED) {
        sync_serve_moved(s, &a->log, NULL);
        sync_want_again(s);
        return;
    }
    send_held(s, link, &a->log, &a->place);
    sync_compare_told(s, link, &a->log, &a->place);

    struct want *w = want_of(link, a->want);
    if (w == NULL) {
        sync_serve_moved(s, &a->log, link);
        sync_want_again(s);
        sync_compare_settle(s, link);
        return;
    }
    w->durable = a->place;
    w->unstored -= a->size;
    s->window_used -= a->size;
    if (w->no_more && w->unstored == 0 && w->suspect == NULL) {
        finish(s, link, w);
        return;
    }
    sync_want_next(s, link);
    top_up(s, link);
}

void sync_want_not_durable(struct spean_sync *s, const struct append *a)
{
    struct link *link = sync_link(s, a->link);
    struct want *w = link != NULL ? want_of(link, a->want) : NULL;
    if (w != NULL) {
        sync_want_close(s, link, w);
    }
    if (link != NULL) {
        link->paused_until_ms = s->now_ms + SYNC_PAUSE_MS;
    }
}
