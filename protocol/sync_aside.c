/* Entries beyond a cut, and the other branch of a fork: fetched by nodes of the log's org, and
 * given to nobody else (P5.9, P13.14). */
#include <assert.h>
#include <string.h>

#include "protocol/sync_internal.h"

/* Whether entries of log are set aside for the nodes of org: it is closed, and theirs. */
static bool is_for(const struct spean_log *log, const struct spean_id *org)
{
    return log != NULL && log->status != SPEAN_LOG_OPEN && spean_id_equal(&log->org, org);
}

bool sync_aside_open(const struct link *link)
{
    return link->aside.id != 0 && link->aside.asked;
}

/* -- Asking ---------------------------------------------------------------------------------- */

/* Load what is held behind the place that was reached, to ask for what is not. */
static void load_held(struct spean_sync *s, const struct link *link)
{
    struct spean_sync_effect *effect = sync_effect(s, SPEAN_SYNC_LOAD_HELD_ASIDE, link);
    effect->as.load_held_aside.want = link->aside.id;
    effect->as.load_held_aside.log = link->aside.log;
    effect->as.load_held_aside.after = link->aside.after;
}

/* Ask about the next log of ours that was closed. */
static void ask_next(struct spean_sync *s, struct link *link)
{
    memset(&link->aside, 0, sizeof(link->aside));
    const uint32_t count = spean_authority_logs_count(s->authority);
    while (link->next_aside < count) {
        const struct spean_log *log = spean_authority_log_at(s->authority, link->next_aside++);
        if (is_for(log, &s->config.org)) {
            link->aside.id = s->next_request++;
            link->aside.log = log->id;
            load_held(s, link);
            return;
        }
    }
}

void sync_aside_begin(struct spean_sync *s, struct link *link)
{
    if (link->aside.id == 0 && sync_asks(s, link)) {
        link->next_aside = 0;
        ask_next(s, link);
    }
}

void sync_aside_held(struct spean_sync *s, struct link *link, const struct spean_sync_event *event)
{
    struct aside *aside = &link->aside;
    if (aside->id == 0 || aside->id != event->as.loaded_held_aside.want || aside->asked) {
        return;
    }
    if (event->as.loaded_held_aside.full) {
        ask_next(s, link); /* There is no room for more of this log. */
        return;
    }
    struct spean_message m = {.type = SPEAN_MESSAGE_ASIDE};
    const uint32_t count = event->as.loaded_held_aside.count;
    assert(count <= SPEAN_ASIDE_HELD_MAX);
    m.as.aside.want = aside->id;
    m.as.aside.log = aside->log;
    m.as.aside.after = aside->after;
    m.as.aside.held_count = count;
    m.as.aside.more = event->as.loaded_held_aside.more;
    memcpy(m.as.aside.held, event->as.loaded_held_aside.held, count * sizeof(m.as.aside.held[0]));
    assert(count > 0 || !m.as.aside.more);
    aside->more = m.as.aside.more;
    aside->last_held = count > 0 ? m.as.aside.held[count - 1] : aside->after;
    aside->asked = true;
    sync_send(s, link, &m);
}

static void set_aside(struct spean_sync *s, struct link *link, uint32_t want,
                      const struct spean_id *log)
{
    struct append *a = sync_append_begin(s, link);
    if (a == NULL) {
        return;
    }
    a->aside = true;
    a->want = want;
    a->log = *log;
    a->place = spean_run_last(s->run);
    struct spean_sync_effect *effect = sync_effect(s, SPEAN_SYNC_SET_ASIDE, link);
    effect->as.append.token = a->token;
    effect->as.append.run = s->run;
    effect->as.append.from = link->transport;
}

void sync_aside_offered(struct spean_sync *s, struct link *link, const struct spean_log *log)
{
    sync_report(s, link, SPEAN_REPORT_SET_ASIDE, SPEAN_EDENIED, spean_run_count(s->run));
    if (is_for(log, &s->config.org)) {
        const struct spean_id id = log->id;
        set_aside(s, link, 0, &id);
    }
}

void sync_aside_branch(struct spean_sync *s, struct link *link, const struct spean_message *m)
{
    struct aside *aside = &link->aside;
    if (aside->id == 0 || aside->id != m->as.branch.want) {
        return; /* Over, or never asked. */
    }
    uint64_t first_seq = 0;
    const struct spean_log *log = spean_authority_log(s->authority, &aside->log);
    spean_err err = spean_run_first_seq(m->as.branch.run, &first_seq);
    if (err != SPEAN_OK || first_seq == 0 || log == NULL || !aside->asked ||
        !spean_id_equal(&aside->log, &m->as.branch.log)) {
        sync_refuse(s, link, 509, SPEAN_ESTATE);
        return;
    }
    const struct spean_place after = {first_seq - 1, m->as.branch.previous};
    err = spean_run_decode(s->run, m->as.branch.run, &aside->log, &after);
    if (err == SPEAN_OK) {
        err = spean_run_verify(s->run, &log->signing, NULL);
    }
    const struct spean_place last = err == SPEAN_OK ? spean_run_last(s->run) : after;
    if (err == SPEAN_OK && spean_place_compare(&last, &aside->after) <= 0) {
        err = SPEAN_ESTATE; /* Behind what was reached: it would never end. */
    }
    if (err != SPEAN_OK) {
        sync_refuse(s, link, 509, err);
        return;
    }
    aside->asked = false;
    aside->after = last;
    const struct spean_id id = aside->log;
    set_aside(s, link, aside->id, &id);
}

void sync_aside_durable(struct spean_sync *s, const struct append *a, bool stored)
{
    struct link *link = sync_link(s, a->link);
    if (link == NULL || link->phase == PHASE_ENDED || a->want == 0 || link->aside.id != a->want) {
        return;
    }
    if (stored) {
        load_held(s, link);
    } else {
        ask_next(s, link); /* No room: another session tries again. */
    }
}

bool sync_aside_end(struct spean_sync *s, struct link *link, const struct spean_message *m)
{
    struct aside *aside = &link->aside;
    if (!sync_aside_open(link) || aside->id != m->as.end.want) {
        return false;
    }
    if (m->as.end.status == SPEAN_END_NO_MORE && aside->more) {
        aside->asked = false;
        aside->after = aside->last_held;
        load_held(s, link);
    } else {
        ask_next(s, link);
    }
    return true;
}

/* -- Answering ------------------------------------------------------------------------------- */

static void end_answer(struct spean_sync *s, struct link *link, uint32_t want,
                       enum spean_want_end status)
{
    const struct spean_message m = {.type = SPEAN_MESSAGE_END, .as.end = {want, status}};
    link->aside_answer = 0;
    sync_send(s, link, &m);
}

void sync_aside_serve(struct spean_sync *s, struct link *link, const struct spean_message *m)
{
    if (link->aside_answer != 0) {
        sync_refuse(s, link, 509, SPEAN_ELIMIT);
        return;
    }
    const uint32_t want = m->as.aside.want;
    if (!is_for(spean_authority_log(s->authority, &m->as.aside.log), &link->org)) {
        end_answer(s, link, want, SPEAN_END_NOT_SERVED);
        return;
    }
    const size_t len = m->as.aside.held_count * sizeof(m->as.aside.held[0]);
    struct spean_place *held = sync_alloc(s, len + 1);
    if (held == NULL) {
        return;
    }
    memcpy(held, m->as.aside.held, len);
    link->aside_answer = want;
    struct spean_sync_effect *effect = sync_effect(s, SPEAN_SYNC_LOAD_BRANCH, link);
    effect->as.load_branch.want = want;
    effect->as.load_branch.log = m->as.aside.log;
    effect->as.load_branch.after = m->as.aside.after;
    effect->as.load_branch.held = held;
    effect->as.load_branch.held_count = m->as.aside.held_count;
    effect->as.load_branch.more = m->as.aside.more;
}

void sync_aside_loaded(struct spean_sync *s, struct link *link,
                       const struct spean_sync_event *event)
{
    const uint32_t want = event->as.loaded_branch.want;
    const struct spean_id *log = &event->as.loaded_branch.log;
    if (link->aside_answer == 0 || link->aside_answer != want) {
        return;
    }
    if (!is_for(spean_authority_log(s->authority, log), &link->org)) {
        end_answer(s, link, want, SPEAN_END_NOT_SERVED); /* It was when it was asked. */
        return;
    }
    if (event->as.loaded_branch.run.len == 0) {
        end_answer(s, link, want, SPEAN_END_NO_MORE);
        return;
    }
    link->aside_answer = 0;
    struct spean_message m = {.type = SPEAN_MESSAGE_BRANCH};
    m.as.branch.want = want;
    m.as.branch.log = *log;
    m.as.branch.previous = event->as.loaded_branch.previous;
    m.as.branch.run = event->as.loaded_branch.run;
    sync_send(s, link, &m);
}
