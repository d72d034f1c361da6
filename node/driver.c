/* Carrying out what the sync step decides: messages go out, runs go to the disk, answers come back
 * as events. A promise to a peer follows the commit because the event that leads to it does. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "node/core_internal.h"
#include "store/beyond.h"
#include "store/body.h"
#include "store/documents.h"
#include "store/evidence.h"
#include "store/log.h"
#include "store/logs.h"
#include "store/peer.h"
#include "store/serve.h"

/* -- The batch ------------------------------------------------------------------------------- */

static void tell_stored(struct spean_core *core, bool stored)
{
    uint64_t tokens[CORE_BATCH_TOKENS_MAX];
    bool bad[CORE_BATCH_TOKENS_MAX];
    const uint32_t count = core->batch_tokens_count;
    memcpy(tokens, core->batch_tokens, count * sizeof(tokens[0]));
    memcpy(bad, core->batch_bad, count * sizeof(bad[0]));
    core->batch_tokens_count = 0;
    core->batch_bytes = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct spean_sync_event event = {.kind =
                                             stored ? SPEAN_SYNC_DURABLE : SPEAN_SYNC_NOT_DURABLE};
        event.as.durable.token = tokens[i];
        event.as.durable.bad = bad[i];
        core_step(core, &event);
    }
}

void core_flush(struct spean_core *core)
{
    if (core->batch == NULL) {
        return;
    }
    if (core->failed != SPEAN_OK) {
        spean_tx_abort(core->batch); /* Nobody was promised any of it. */
        core->batch = NULL;
        return;
    }
    const spean_err err = spean_tx_commit(core->batch);
    core->batch = NULL;
    if (err != SPEAN_OK && err != SPEAN_EFULL) {
        core_fail(core, err, "commit");
        return;
    }
    if (err == SPEAN_EFULL) {
        SPEAN_JOURNAL_EVENT(core->journal, SPEAN_JOURNAL_ERROR, "disk_full",
                            spean_journal_number("runs", core->batch_tokens_count));
        if (core->urgent) {
            (void)spean_core_make_room(core, "erasure"); /* What was not kept comes again. */
        }
    }
    core->fold_pending = core->fold_pending || core->batch_tokens_count > 0;
    tell_stored(core, err == SPEAN_OK);
    core_quota_tell(core);
}

/* The batch, begun if there is none; NULL: it could not be, and the process ends. */
static struct spean_tx *batch(struct spean_core *core)
{
    if (core->batch == NULL) {
        const spean_err err = spean_tx_begin(core->db, SPEAN_TX_WRITE, &core->batch);
        if (err != SPEAN_OK) {
            core->batch = NULL;
            core_fail(core, err, "begin");
        }
    }
    return core->batch;
}

static void add_token(struct spean_core *core, uint64_t token, size_t bytes, bool bad)
{
    assert(core->batch_tokens_count < CORE_BATCH_TOKENS_MAX); /* core_step() sees to it. */
    core->batch_bad[core->batch_tokens_count] = bad;
    core->batch_tokens[core->batch_tokens_count++] = token;
    core->batch_bytes += bytes;
}

static void push_deferred(struct spean_core *core, struct deferred *kept)
{
    kept->next = NULL;
    if (core->deferred_last != NULL) {
        core->deferred_last->next = kept;
    } else {
        core->deferred_first = kept;
    }
    core->deferred_last = kept;
}

/* Remember to tell the sync step, when this step is over, that an append was not kept. */
static void defer_refused(struct spean_core *core, uint64_t token)
{
    struct deferred *kept = calloc(1, sizeof(*kept));
    if (kept == NULL) {
        core_fail(core, SPEAN_ENOMEM, "defer");
        return;
    }
    kept->effect.kind = SPEAN_SYNC_APPEND;
    kept->effect.as.append.token = token;
    push_deferred(core, kept);
}

static void append(struct spean_core *core, const struct spean_sync_effect *effect)
{
    const struct spean_run *run = effect->as.append.run;
    const struct spean_log *log = spean_authority_log(core->authority, spean_run_log(run));
    struct spean_tx *tx = core_room_takes_run(core, run) ? batch(core) : NULL;
    if (tx == NULL || log == NULL) {
        defer_refused(core, effect->as.append.token);
        return;
    }
    const struct spean_log_arrival arrival = {.from = &effect->as.append.from,
                                              .now_s = core_now_s(),
                                              .keep = core_room_keeps_body,
                                              .ctx = core};
    const spean_err err = spean_log_append(tx, run, log, &arrival);
    if (err == SPEAN_EGAP || err == SPEAN_EFORK || err == SPEAN_ECORRUPT) {
        /* The sync step and the store disagree about a head: only a fault of ours can do that. */
        core_fail(core, err, "append");
        return;
    }
    if (err == SPEAN_ESTATE) {
        /* Its log was cut or disputed meanwhile: nothing was kept, and the peer hears nothing. */
        defer_refused(core, effect->as.append.token);
        return;
    }
    /* SPEAN_EEXISTS is as good; a transaction that failed is told of when it is committed. */
    add_token(core, effect->as.append.token, spean_run_size(run), false);
    if (err == SPEAN_OK) {
        core_quota_check(core, tx, log);
    }
}

/* Beyond a quota, while room is short, and of a log that is open again, nothing is kept: whoever
 * asked must hear. */
static void set_aside(struct spean_core *core, const struct spean_sync_effect *effect)
{
    const struct spean_run *run = effect->as.append.run;
    const struct spean_log *log = spean_authority_log(core->authority, spean_run_log(run));
    struct spean_tx *tx = core_room_takes_bodies(core) ? batch(core) : NULL;
    const bool closed = log != NULL && log->status != SPEAN_LOG_OPEN;
    const spean_err err = tx != NULL && closed ? spean_beyond_keep(tx, run, log) : SPEAN_ESTATE;
    if (tx != NULL && (err == SPEAN_OK || spean_tx_err(tx) != SPEAN_OK)) {
        add_token(core, effect->as.append.token, spean_run_size(run), false);
        return;
    }
    SPEAN_JOURNAL_EVENT(core->journal, SPEAN_JOURNAL_WARNING, "aside_not_kept",
                        spean_journal_text("err", spean_err_name(err)));
    defer_refused(core, effect->as.append.token);
}

static void put_bodies(struct spean_core *core, const struct spean_sync_effect *effect)
{
    struct spean_tx *tx = core_room_takes_bodies(core) ? batch(core) : NULL;
    struct spean_logs_row row;
    if (tx == NULL || spean_logs_get(tx, &effect->as.put_bodies.log, &row) != SPEAN_OK) {
        /* Its log was cut to nothing, or the disk is full; whoever waits for it must hear. */
        defer_refused(core, effect->as.put_bodies.token);
        return;
    }
    size_t bytes = 0;
    bool bad = false;
    for (uint32_t i = 0; i < effect->as.put_bodies.count; i++) {
        const struct spean_body_item *item = &effect->as.put_bodies.items[i];
        const spean_err err = spean_body_put(tx, &row, item->seq, item->body);
        bytes += item->body.len;
        if (err == SPEAN_OK) {
            (void)spean_fold_body(tx, row.number, item->seq); /* Its errors stick to tx. */
        }
        if (err == SPEAN_ESIGNATURE) {
            bad = true;
            SPEAN_JOURNAL_EVENT(core->journal, SPEAN_JOURNAL_WARNING, "body_refused",
                                spean_journal_number("link", effect->link),
                                spean_journal_number("seq", item->seq));
        }
    }
    add_token(core, effect->as.put_bodies.token, bytes, bad);
}

static void put_evidence(struct spean_core *core, const struct spean_sync_effect *effect)
{
    struct spean_tx *tx = batch(core);
    const struct spean_log *log = spean_authority_log(core->authority, &effect->as.evidence.log);
    if (tx == NULL || log == NULL) {
        return;
    }
    const spean_err err = spean_evidence_put(tx, log, effect->as.evidence.bytes);
    if (err == SPEAN_OK) {
        SPEAN_JOURNAL_EVENT(core->journal, SPEAN_JOURNAL_ERROR, "fork",
                            spean_journal_number("log", spean_short_of(&log->id)));
    }
}

static void note_holds(struct spean_core *core, const struct spean_sync_effect *effect)
{
    for (uint32_t i = 0; i < core->holds_count; i++) {
        struct peer_holds *known = &core->holds[i];
        if (spean_id_equal(&known->log, &effect->as.holds.log) &&
            spean_key_equal(&known->signing, &effect->as.holds.signing)) {
            known->place = effect->as.holds.place;
            return;
        }
    }
    if (core->holds_count == CORE_HOLDS_MAX) {
        core_write_peers(core);
    }
    core->holds[core->holds_count++] =
        (struct peer_holds){effect->as.holds.org, effect->as.holds.signing, effect->as.holds.log,
                            effect->as.holds.place};
}

void core_note_met(struct spean_core *core, const struct spean_peer *peer, enum spean_peer_way way,
                   uint64_t at_s)
{
    uint32_t i = 0;
    while (i < core->met_count && !spean_key_equal(&core->met[i].peer.signing, &peer->signing)) {
        i++;
    }
    if (i < CORE_MET_MAX) { /* Whoever is left out is met again. */
        core->met[i] = (struct peer_met){*peer, way, at_s};
        core->met_count += i == core->met_count ? 1 : 0;
    }
}

/* Status alone reads this: a peer too many, or a log not held here, is not noted. */
static void ignore_unless_stuck(struct spean_core *core, struct spean_tx *tx)
{
    const spean_err stuck = spean_tx_err(tx);
    if (stuck != SPEAN_OK && stuck != SPEAN_EFULL) {
        core_fail(core, stuck, "peers");
    }
}

/* A log of which nothing is held yet has no row; what a peer told of it needs one. */
static spean_err write_holds(struct spean_core *core, struct spean_tx *tx,
                             const struct peer_holds *known)
{
    const struct spean_peer peer = {known->org, known->signing};
    const spean_err err = spean_peer_holds(tx, &peer, &known->log, &known->place);
    const struct spean_log *log = spean_authority_log(core->authority, &known->log);
    if (err != SPEAN_ENOTFOUND || log == NULL) {
        return err;
    }
    struct spean_logs_row row;
    const spean_err opened = spean_logs_open(tx, log, &row);
    return opened == SPEAN_OK ? spean_peer_holds(tx, &peer, &known->log, &known->place) : opened;
}

void core_write_peers(struct spean_core *core)
{
    const bool any = core->failed == SPEAN_OK && core->room.step != SPEAN_ROOM_NONE &&
                     core->holds_count + core->met_count > 0;
    struct spean_tx *tx = any ? batch(core) : NULL;
    for (uint32_t i = 0; tx != NULL && i < core->met_count; i++) {
        const struct peer_met *met = &core->met[i];
        if (spean_peer_contact(tx, &met->peer, met->way, met->at_s) != SPEAN_OK) {
            ignore_unless_stuck(core, tx);
        }
    }
    for (uint32_t i = 0; tx != NULL && i < core->holds_count; i++) {
        if (write_holds(core, tx, &core->holds[i]) != SPEAN_OK) {
            ignore_unless_stuck(core, tx);
        }
    }
    core->holds_count = 0;
    core->met_count = 0;
}

/* Write down that a peer holds what was compared; what it told meanwhile is at least that. */
static void write_holds_all(struct spean_core *core, const struct spean_sync_effect *effect)
{
    const struct spean_peer peer = {effect->as.holds_all.org, effect->as.holds_all.signing};
    const bool may = core->failed == SPEAN_OK && core->room.step != SPEAN_ROOM_NONE;
    core_write_peers(core);
    struct spean_tx *tx = may ? batch(core) : NULL;
    if (tx != NULL && spean_peer_holds_all(tx, &peer, effect->as.holds_all.rows,
                                           effect->as.holds_all.count) != SPEAN_OK) {
        ignore_unless_stuck(core, tx);
    }
}

/* -- Immediate and deferred effects ---------------------------------------------------------- */

static void drop(struct spean_core *core, const struct spean_sync_effect *effect)
{
    struct core_link *link = core_link_find(core, effect->link);
    if (link != NULL) {
        SPEAN_JOURNAL_EVENT(core->journal, SPEAN_JOURNAL_INFO, "peer_drop",
                            spean_journal_number("link", effect->link),
                            spean_journal_text("err", spean_err_name(effect->as.drop.err)));
    }
}

/* What an effect points to, and how long that is. */
static const void *pointed_to(const struct spean_sync_effect *effect, size_t *len)
{
    *len = 0;
    if (effect->kind == SPEAN_SYNC_LOAD_RUN) {
        *len = effect->as.load_run.places_count * sizeof(*effect->as.load_run.places);
        return effect->as.load_run.places;
    }
    if (effect->kind == SPEAN_SYNC_LOAD_BRANCH) {
        *len = effect->as.load_branch.held_count * sizeof(*effect->as.load_branch.held);
        return effect->as.load_branch.held;
    }
    if (effect->kind == SPEAN_SYNC_LOAD_BODIES) {
        *len = effect->as.load_bodies.count * sizeof(*effect->as.load_bodies.seqs);
        return effect->as.load_bodies.seqs;
    }
    if (effect->kind == SPEAN_SYNC_LOAD_DOCUMENTS) {
        *len = effect->as.load_documents.count * sizeof(*effect->as.load_documents.names);
        return effect->as.load_documents.names;
    }
    if (effect->kind == SPEAN_SYNC_LOBBY_JOIN) {
        *len = effect->as.join.message.len;
        return effect->as.join.message.data;
    }
    return NULL;
}

/* Copy what an effect points to; the sync step's memory is gone with its next step. */
static void copy_pointed_to(struct deferred *kept, const void *from, size_t len)
{
    void *const to = kept->memory;
    if (len > 0) {
        memcpy(to, from, len);
    }
    if (kept->effect.kind == SPEAN_SYNC_LOAD_RUN) {
        kept->effect.as.load_run.places = to;
    } else if (kept->effect.kind == SPEAN_SYNC_LOAD_BRANCH) {
        kept->effect.as.load_branch.held = to;
    } else if (kept->effect.kind == SPEAN_SYNC_LOAD_BODIES) {
        kept->effect.as.load_bodies.seqs = to;
    } else if (kept->effect.kind == SPEAN_SYNC_LOAD_DOCUMENTS) {
        kept->effect.as.load_documents.names = to;
    } else if (kept->effect.kind == SPEAN_SYNC_LOBBY_JOIN) {
        kept->effect.as.join.message.data = to;
    }
}

/* Documents are an array of views: views first, then the bytes, all in one block. */
static size_t documents_len(const struct spean_sync_effect *effect)
{
    size_t len = effect->as.put_documents.count * sizeof(struct spean_view);
    for (uint32_t i = 0; i < effect->as.put_documents.count; i++) {
        len += effect->as.put_documents.documents[i].len;
    }
    return len;
}

static void copy_documents(struct deferred *kept, const struct spean_sync_effect *effect)
{
    struct spean_view *views = (struct spean_view *)kept->memory;
    uint8_t *bytes = (uint8_t *)(views + effect->as.put_documents.count);
    for (uint32_t i = 0; i < effect->as.put_documents.count; i++) {
        const struct spean_view from = effect->as.put_documents.documents[i];
        memcpy(bytes, from.data, from.len);
        views[i] = (struct spean_view){bytes, from.len};
        bytes += from.len;
    }
    kept->effect.as.put_documents.documents = views;
}

static void defer(struct spean_core *core, const struct spean_sync_effect *effect)
{
    size_t len = 0;
    const void *from = pointed_to(effect, &len);
    const bool documents = effect->kind == SPEAN_SYNC_PUT_DOCUMENTS;
    len = documents ? documents_len(effect) : len;
    struct deferred *kept = malloc(sizeof(*kept) + len);
    if (kept == NULL) {
        core_fail(core, SPEAN_ENOMEM, "defer");
        return;
    }
    kept->effect = *effect;
    kept->len = len;
    if (documents) {
        copy_documents(kept, effect);
    } else {
        copy_pointed_to(kept, from, len);
    }
    push_deferred(core, kept);
}

void core_drop_deferred(struct spean_core *core)
{
    while (core->deferred_first != NULL) {
        struct deferred *next = core->deferred_first->next;
        free(core->deferred_first);
        core->deferred_first = next;
    }
    core->deferred_last = NULL;
}

static void carry_out(struct spean_core *core, const struct spean_sync_effect *effect)
{
    struct core_link *link = core_link_find(core, effect->link);
    switch (effect->kind) {
    case SPEAN_SYNC_SEND:
        if (link != NULL) {
            core_link_send(core, link, effect->as.message);
        }
        break;
    case SPEAN_SYNC_APPEND:
        append(core, effect);
        break;
    case SPEAN_SYNC_SET_ASIDE:
        set_aside(core, effect);
        break;
    case SPEAN_SYNC_PUT_BODIES:
        put_bodies(core, effect);
        break;
    case SPEAN_SYNC_EVIDENCE:
        put_evidence(core, effect);
        break;
    case SPEAN_SYNC_PEER_HOLDS:
        note_holds(core, effect);
        break;
    case SPEAN_SYNC_PEER_HOLDS_ALL:
        write_holds_all(core, effect);
        break;
    case SPEAN_SYNC_REPORT:
        core_partner_report(core, link, effect);
        if (effect->as.report.kind == SPEAN_REPORT_OWN_LOG_AHEAD) {
            defer(core, effect);
        }
        break;
    case SPEAN_SYNC_LOBBY_ANSWER:
        core_lobby_answer(core, effect);
        break;
    case SPEAN_SYNC_DROP:
        drop(core, effect);
        defer(core, effect);
        break;
    case SPEAN_SYNC_LOAD_RUN:
    case SPEAN_SYNC_LOAD_PLACES:
    case SPEAN_SYNC_LOAD_BODIES:
    case SPEAN_SYNC_LOAD_LACKING:
    case SPEAN_SYNC_LOAD_HELD_ASIDE:
    case SPEAN_SYNC_LOAD_BRANCH:
    case SPEAN_SYNC_LOAD_EVIDENCE:
    case SPEAN_SYNC_LOAD_DOCUMENTS:
    case SPEAN_SYNC_PUT_DOCUMENTS:
    case SPEAN_SYNC_LOBBY_JOIN:
        defer(core, effect);
        break;
    }
}

void core_step(struct spean_core *core, struct spean_sync_event *event)
{
    if (core->sync == NULL || core->failed != SPEAN_OK) {
        return;
    }
    event->now_ms = core_now_ms();
    event->now_s = core_now_s();
    const spean_err err = spean_sync_step(core->sync, event);
    if (err != SPEAN_OK) {
        core_fail(core, err, "sync_step");
        return;
    }
    const uint32_t count = spean_sync_effects_count(core->sync);
    for (uint32_t i = 0; i < count && core->failed == SPEAN_OK; i++) {
        carry_out(core, spean_sync_effect(core->sync, i));
    }
}

/* -- Answering ------------------------------------------------------------------------------- */

/* A read transaction for one answer; NULL: none is to be had, and the process ends. */
static struct spean_tx *reading(struct spean_core *core)
{
    struct spean_tx *tx = NULL;
    const spean_err err = spean_tx_begin(core->db, SPEAN_TX_READ, &tx);
    if (err != SPEAN_OK) {
        core_fail(core, err, "read");
        return NULL;
    }
    return tx;
}

static void load_run(struct spean_core *core, const struct spean_sync_effect *effect)
{
    struct spean_tx *tx = reading(core);
    if (tx == NULL) {
        return;
    }
    struct core_travel travel = {.core = core,
                                 .tx = tx,
                                 .org = effect->as.load_run.org,
                                 .relay = spean_authority_is_relay(core->authority,
                                                                   &effect->as.load_run.org,
                                                                   &effect->as.load_run.signing)};
    struct spean_serve_request request = {
        .log = spean_authority_log(core->authority, &effect->as.load_run.log),
        .places = effect->as.load_run.places,
        .places_count = effect->as.load_run.places_count,
        .bytes_max = effect->as.load_run.bytes_max,
        .travels = effect->as.load_run.headers ? NULL : core_body_travels,
        .ctx = &travel};
    struct spean_served served = {0};
    spean_err err = SPEAN_ENOTFOUND;
    if (request.log != NULL) {
        err = spean_serve_run(tx, &request, core->frame, SPEAN_FRAME_BYTES_MAX, &served);
    }
    if (err == SPEAN_ECORRUPT || served.bodies_bad > 0) {
        SPEAN_JOURNAL_EVENT(core->journal, SPEAN_JOURNAL_ERROR, "stored_bytes_damaged",
                            spean_journal_number("bodies", served.bodies_bad));
    }
    struct spean_sync_event event = {.kind = SPEAN_SYNC_LOADED_RUN, .link = effect->link};
    event.as.loaded_run.purpose = effect->as.load_run.purpose;
    event.as.loaded_run.want = effect->as.load_run.want;
    event.as.loaded_run.log = effect->as.load_run.log;
    event.as.loaded_run.served = err == SPEAN_OK;
    event.as.loaded_run.run = served.run;
    event.as.loaded_run.first_seq = served.first_seq;
    event.as.loaded_run.last = served.last;
    event.as.loaded_run.size = served.size;
    event.as.loaded_run.more = served.more;
    core_step(core, &event);
    spean_tx_abort(tx);
}

static void load_places(struct spean_core *core, const struct spean_sync_effect *effect)
{
    struct spean_tx *tx = reading(core);
    if (tx == NULL) {
        return;
    }
    struct spean_place places[SPEAN_PLACES_MAX];
    struct spean_sync_event event = {.kind = SPEAN_SYNC_LOADED_PLACES, .link = effect->link};
    event.as.loaded_places.log = effect->as.load_places.log;
    event.as.loaded_places.places = places;
    if (spean_serve_places(tx, &effect->as.load_places.log, places,
                           &event.as.loaded_places.count) != SPEAN_OK) {
        event.as.loaded_places.count = 0;
    }
    core_step(core, &event);
    spean_tx_abort(tx);
}

static void load_bodies(struct spean_core *core, const struct spean_sync_effect *effect)
{
    struct spean_tx *tx = reading(core);
    if (tx == NULL) {
        return;
    }
    struct spean_body_item items[SPEAN_FETCH_SEQS_MAX];
    struct spean_logs_row row;
    struct spean_sync_event event = {.kind = SPEAN_SYNC_LOADED_BODIES, .link = effect->link};
    event.as.loaded_bodies.fetch = effect->as.load_bodies.fetch;
    event.as.loaded_bodies.items = items;
    const bool known = spean_logs_get(tx, &effect->as.load_bodies.log, &row) == SPEAN_OK;
    for (uint32_t i = 0; known && i < effect->as.load_bodies.count; i++) {
        const uint64_t seq = effect->as.load_bodies.seqs[i];
        struct spean_view body;
        if (spean_body_load(tx, &row, &effect->as.load_bodies.tag, seq, &body) == SPEAN_OK) {
            items[event.as.loaded_bodies.count++] = (struct spean_body_item){seq, body};
        }
    }
    core_step(core, &event);
    spean_tx_abort(tx);
}

static void load_held_aside(struct spean_core *core, const struct spean_sync_effect *effect)
{
    struct spean_tx *tx = reading(core);
    if (tx == NULL) {
        return;
    }
    struct spean_beyond_held held;
    struct spean_sync_event event = {.kind = SPEAN_SYNC_LOADED_HELD_ASIDE, .link = effect->link};
    event.as.loaded_held_aside.want = effect->as.load_held_aside.want;
    event.as.loaded_held_aside.held = held.places;
    if (spean_beyond_held(tx, &effect->as.load_held_aside.log, &effect->as.load_held_aside.after,
                          &held) == SPEAN_OK) {
        event.as.loaded_held_aside.count = held.count;
        event.as.loaded_held_aside.more = held.more;
        event.as.loaded_held_aside.full = held.full;
    } else {
        event.as.loaded_held_aside.full = true; /* Damaged: more of it would not help. */
    }
    core_step(core, &event);
    spean_tx_abort(tx);
}

static void load_branch(struct spean_core *core, const struct spean_sync_effect *effect)
{
    struct spean_tx *tx = reading(core);
    if (tx == NULL) {
        return;
    }
    const struct spean_beyond_request request = {.log = &effect->as.load_branch.log,
                                                 .after = effect->as.load_branch.after,
                                                 .held = effect->as.load_branch.held,
                                                 .held_count = effect->as.load_branch.held_count,
                                                 .more = effect->as.load_branch.more};
    struct spean_beyond_branch branch = {0};
    struct spean_sync_event event = {.kind = SPEAN_SYNC_LOADED_BRANCH, .link = effect->link};
    event.as.loaded_branch.want = effect->as.load_branch.want;
    event.as.loaded_branch.log = effect->as.load_branch.log;
    if (spean_beyond_serve(tx, &request, core->frame, SPEAN_FRAME_BYTES_MAX, &branch) == SPEAN_OK) {
        event.as.loaded_branch.run = branch.run;
        event.as.loaded_branch.previous = branch.previous;
    }
    core_step(core, &event);
    spean_tx_abort(tx);
}

static void load_evidence(struct spean_core *core, const struct spean_sync_effect *effect)
{
    struct spean_tx *tx = reading(core);
    struct spean_id log = {{0}};
    const struct spean_id *after = NULL;
    struct spean_view bytes;
    spean_err err = tx != NULL ? SPEAN_OK : SPEAN_ENOTFOUND;
    while (err != SPEAN_ENOTFOUND) {
        err = spean_evidence_next(tx, after, &log, &bytes);
        after = &log;
        if (err == SPEAN_OK) {
            struct spean_sync_event event = {.kind = SPEAN_SYNC_LOADED_EVIDENCE,
                                             .link = effect->link};
            event.as.message = bytes;
            core_step(core, &event);
        } else if (err != SPEAN_ECORRUPT) {
            break;
        }
    }
    if (tx != NULL) {
        spean_tx_abort(tx);
    }
}

static void load_documents(struct spean_core *core, const struct spean_sync_effect *effect)
{
    const uint32_t total = effect->as.load_documents.count;
    struct spean_tx *tx = reading(core);
    struct spean_view *views = calloc(total + 1, sizeof(*views));
    if (tx != NULL && views != NULL) {
        struct spean_sync_event event = {.kind = SPEAN_SYNC_LOADED_DOCUMENTS, .link = effect->link};
        event.as.loaded_documents.documents = views;
        for (uint32_t i = 0; i < total; i++) {
            const struct spean_document_name *name = &effect->as.load_documents.names[i];
            if (spean_documents_get(tx, &name->chain, &name->title,
                                    &views[event.as.loaded_documents.count]) == SPEAN_OK) {
                event.as.loaded_documents.count++;
            }
        }
        core_step(core, &event);
    }
    if (views == NULL) {
        core_fail(core, SPEAN_ENOMEM, "load_documents");
    }
    free(views);
    if (tx != NULL) {
        spean_tx_abort(tx);
    }
}

static void put_documents(struct spean_core *core, const struct spean_sync_effect *effect)
{
    const spean_err err =
        spean_core_put_documents(core, effect->as.put_documents.documents,
                                 effect->as.put_documents.count, SPEAN_PENDING_REFUSE);
    struct spean_sync_event event = {.kind = SPEAN_SYNC_DOCUMENTS_PUT, .link = effect->link};
    /* A stranger may offer what we cannot place: that is no fault, and nothing of it is kept. */
    const bool excused =
        effect->as.put_documents.lobby && (err == SPEAN_EWAIT || err == SPEAN_EGAP);
    event.as.documents_put.err = excused ? SPEAN_OK : err;
    core_step(core, &event);
}

static void end_link(struct spean_core *core, const struct spean_sync_effect *effect)
{
    struct core_link *link = core_link_find(core, effect->link);
    if (link != NULL) {
        core_partner_down(core, link);
        core_dial_failed(core, link);
        spean_transport_drop(core->transport, link->link);
        core_link_remove(core, link);
    }
    struct spean_sync_event event = {.kind = SPEAN_SYNC_PEER_DOWN, .link = effect->link};
    core_step(core, &event);
}

static void answer(struct spean_core *core, const struct spean_sync_effect *effect)
{
    if (effect->kind == SPEAN_SYNC_LOAD_RUN) {
        load_run(core, effect);
    } else if (effect->kind == SPEAN_SYNC_LOAD_PLACES) {
        load_places(core, effect);
    } else if (effect->kind == SPEAN_SYNC_LOAD_BODIES) {
        load_bodies(core, effect);
    } else if (effect->kind == SPEAN_SYNC_LOAD_LACKING) {
        core_load_lacking(core, effect);
    } else if (effect->kind == SPEAN_SYNC_LOAD_HELD_ASIDE) {
        load_held_aside(core, effect);
    } else if (effect->kind == SPEAN_SYNC_LOAD_BRANCH) {
        load_branch(core, effect);
    } else if (effect->kind == SPEAN_SYNC_LOAD_EVIDENCE) {
        load_evidence(core, effect);
    } else if (effect->kind == SPEAN_SYNC_LOAD_DOCUMENTS) {
        load_documents(core, effect);
    } else if (effect->kind == SPEAN_SYNC_PUT_DOCUMENTS) {
        put_documents(core, effect);
    } else if (effect->kind == SPEAN_SYNC_LOBBY_JOIN) {
        core_lobby_join(core, effect);
    } else if (effect->kind == SPEAN_SYNC_DROP) {
        end_link(core, effect);
    } else if (effect->kind == SPEAN_SYNC_REPORT) {
        core_retire(core);
    } else if (effect->kind == SPEAN_SYNC_APPEND) {
        struct spean_sync_event event = {.kind = SPEAN_SYNC_NOT_DURABLE};
        event.as.durable.token = effect->as.append.token;
        core_step(core, &event);
    }
}

/* Whether a run of ours is to be compared with one that came: nothing is sent for it. */
static bool is_comparison(const struct spean_sync_effect *effect)
{
    return effect->kind == SPEAN_SYNC_LOAD_RUN && effect->as.load_run.purpose == SPEAN_LOAD_COMPARE;
}

/* Runs and bodies for a link whose pipe is full wait until it is not. */
static bool is_held_up(struct spean_core *core, const struct spean_sync_effect *effect)
{
    if (is_comparison(effect)) {
        return false;
    }
    if (effect->kind != SPEAN_SYNC_LOAD_RUN && effect->kind != SPEAN_SYNC_LOAD_BODIES &&
        effect->kind != SPEAN_SYNC_LOAD_BRANCH) {
        return false;
    }
    const struct core_link *link = core_link_find(core, effect->link);
    return link != NULL && link->first != NULL;
}

static struct deferred *take_comparison(struct spean_core *core)
{
    struct deferred *before = NULL;
    struct deferred *at = core->deferred_first;
    while (at != NULL && !is_comparison(&at->effect)) {
        before = at;
        at = at->next;
    }
    if (at == NULL) {
        return NULL;
    }
    if (before != NULL) {
        before->next = at->next;
    } else {
        core->deferred_first = at->next;
    }
    core->deferred_last = at->next == NULL ? before : core->deferred_last;
    return at;
}

void core_compare(struct spean_core *core)
{
    struct deferred *next = take_comparison(core);
    while (next != NULL) {
        answer(core, &next->effect);
        free(next);
        next = core->failed == SPEAN_OK ? take_comparison(core) : NULL;
    }
}

void core_drain(struct spean_core *core)
{
    struct deferred *held_first = NULL;
    struct deferred *held_last = NULL;
    while (core->deferred_first != NULL && core->failed == SPEAN_OK) {
        struct deferred *next = core->deferred_first;
        core->deferred_first = next->next;
        core->deferred_last = next->next != NULL ? core->deferred_last : NULL;
        next->next = NULL;
        if (is_held_up(core, &next->effect)) {
            if (held_last != NULL) {
                held_last->next = next;
            } else {
                held_first = next;
            }
            held_last = next;
            continue;
        }
        answer(core, &next->effect);
        free(next);
        if (core->batch_bytes >= CORE_BATCH_BYTES_MAX ||
            core->batch_tokens_count > CORE_BATCH_TOKENS_MAX / 2) {
            core_flush(core);
        }
    }
    if (held_last != NULL) {
        held_last->next = core->deferred_first;
        core->deferred_first = held_first;
        core->deferred_last = core->deferred_last != NULL ? core->deferred_last : held_last;
    }
}
