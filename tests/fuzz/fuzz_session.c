/*
 * The sync step driven by a script of events: peers come and go, say true, false and garbled
 * things, and a store answers late, in parts, or not. After each step must hold: nothing is
 * promised that is not durable, the windows add up and hold, one message brings at most one
 * append, which continues the log, and nothing goes to who was dropped or removed.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/entry.h"
#include "protocol/evidence.h"
#include "protocol/message.h"
#include "protocol/partkey.h"
#include "protocol/sync.h"
#include "protocol/sync_internal.h"
#include "protocol/writer.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/identitykit.h"

#define ORGS        3u /* 0 is the node under test. */
#define LINKS       4u
#define ENTRIES     48u /* Of each branch of each log. */
#define SHARED      20u /* Entries before the branches part. */
#define STEPS_MAX   400u
#define PENDING_MAX 4096u
#define LOADS_MAX   256u
#define EFFECTS_MAX 256u

struct made_entry {
    uint8_t bytes[SPEAN_HEADER_BYTES_MAX];
    struct spean_view header;
    struct spean_id id;
    struct spean_signature signature;
};

/* What never changes: three orgs with a node each, and two branches of each log. */
struct world {
    struct fixture_document documents[3 * ORGS];
    struct fixture_document removal; /* Of org 1. */
    struct fixture_document relays;  /* Names our node as one. */
    uint32_t documents_count;
    struct spean_id ledger;
    struct spean_id orgs[ORGS];
    struct spean_statement_node nodes[ORGS];
    struct spean_id logs[ORGS];
    struct made_entry entries[ORGS][2][ENTRIES + 1]; /* From 1. */
};

struct pending {
    uint64_t token;
    bool bodies;
    bool taken_back; /* By a cut. */
    uint32_t log;
    uint64_t seq;
};

struct peer {
    bool up, dropped, hello;
    uint64_t id;
    uint32_t org;
    enum spean_link_mode mode;
    uint32_t want, want_log; /* The last WANT to it. */
    uint64_t buckets;        /* Of the last ROWS to it. */
    struct spean_message fetch;
    uint32_t puts; /* Of documents. */
};

struct run_state {
    const uint8_t *pos, *end;
    struct spean_authority *authority;
    struct spean_sync *sync;
    bool relay;
    bool removed;
    uint64_t now_ms, next_link;
    struct peer peers[LINKS];
    uint64_t appended[ORGS], durable[ORGS];
    struct spean_id ids[ORGS][ENTRIES + 1];
    struct pending pending[PENDING_MAX];
    uint32_t pending_count;
    struct spean_sync_effect loads[LOADS_MAX];
    struct spean_place load_places[LOADS_MAX];
    uint32_t loads_count;
    struct spean_message m;
};

static struct world *world;
static struct run_state state;

static uint8_t take(void)
{
    return state.pos < state.end ? *state.pos++ : 0;
}

/* -- The world --------------------------------------------------------------------------------- */

static void make_entry(uint32_t org, uint32_t branch, uint32_t seq)
{
    struct made_entry *e = &world->entries[org][branch][seq];
    const uint8_t body[60] = {(uint8_t)branch, (uint8_t)seq};
    struct spean_header h = {.format = 1,
                             .seq = seq,
                             .time = 1790000000 + seq,
                             .kind = SPEAN_ENTRY_CHANGE,
                             .flags = SPEAN_ENTRY_ENDS_COMMIT,
                             .body_len = sizeof(body)};
    h.previous = world->entries[org][branch][seq - 1].id;
    spean_body_hash(&h.body_hash, (struct spean_view){body, sizeof(body)});
    const spean_err err = spean_header_encode(&h, e->bytes, sizeof(e->bytes), &e->header);
    assert(err == SPEAN_OK);
    spean_entry_id(&e->id, &world->logs[org], e->header);
    uint8_t seed[SPEAN_KEY_BYTES];
    fixture_seed(seed, 10 + 20 * org);
    spean_commit_sign(&e->signature, &world->logs[org], &e->id, seed);
}

static void make_world(void)
{
    world = calloc(1, sizeof(*world));
    assert(world != NULL);
    struct fixture_document *d = world->documents;
    struct fixture_document *first = calloc(ORGS, sizeof(*first));
    assert(first != NULL);
    for (uint32_t i = 0; i < ORGS; i++) {
        fixture_org_first(&first[i], 1 + 20 * i);
        world->orgs[i] = first[i].doc.id;
    }
    fixture_genesis(&d[0], &world->orgs[0], 6);
    world->ledger = d[0].doc.id;
    const struct spean_handle handle = spean_handle_of(&world->ledger);
    fixture_charter_member(&d[1], &d[0].doc, &world->orgs[1], SPEAN_MEMBER_ACTIVE, 6);
    fixture_charter_member(&d[2], &d[1].doc, &world->orgs[2], SPEAN_MEMBER_ACTIVE, 6);
    fixture_charter_member(&world->removal, &d[2].doc, &world->orgs[1], SPEAN_MEMBER_REMOVED, 6);
    for (uint32_t i = 0; i < ORGS; i++) {
        fixture_org_first(&d[3 + 2 * i], 1 + 20 * i);
        fixture_org_node(&d[4 + 2 * i], &first[i].doc, &world->orgs[i], &handle, true, 10 + 20 * i,
                         1 + 20 * i);
        world->nodes[i] = fixture_node(10 + 20 * i, &world->orgs[i], &handle);
        spean_log_id(&world->logs[i], &world->ledger, &world->orgs[i], &world->nodes[i].signing);
        for (uint32_t seq = 1; seq <= ENTRIES; seq++) {
            make_entry(i, 0, seq);
            world->entries[i][1][seq] = world->entries[i][0][seq];
            world->entries[i][1][seq].header.data = world->entries[i][1][seq].bytes;
            if (seq > SHARED) {
                make_entry(i, 1, seq);
            }
        }
    }
    struct spean_relay relay = {.org = world->orgs[0], .signing = world->nodes[0].signing};
    const struct spean_charter_draft draft = {.version = d[2].doc.version + 1,
                                              .previous = d[2].doc.id,
                                              .has_relays = true,
                                              .relays_count = 1,
                                              .relays = &relay};
    fixture_charter(&world->relays, &draft, SIGNED_BY(6));
    world->documents_count = 3 + 2 * ORGS;
    free(first);
}

static void make_authority(void)
{
    struct spean_authority_change change;
    spean_err err = spean_authority_new(&state.authority, NULL);
    assert(err == SPEAN_OK);
    for (uint32_t i = 0; i < world->documents_count; i++) {
        err = spean_authority_add(state.authority, world->documents[i].view, SPEAN_PENDING_REFUSE,
                                  &change);
        assert(err == SPEAN_OK);
    }
    if (state.relay) {
        err =
            spean_authority_add(state.authority, world->relays.view, SPEAN_PENDING_REFUSE, &change);
        assert(err == SPEAN_OK);
    }
}

/* The number of a log; ORGS: none of ours. */
static uint32_t number_of(const struct spean_id *log)
{
    uint32_t i = 0;
    while (i < ORGS && !spean_id_equal(log, &world->logs[i])) {
        i++;
    }
    return i;
}

static struct spean_id take_log(uint32_t *number)
{
    *number = take() % (ORGS + 1);
    static const struct spean_id unknown = {{0x99}};
    return *number < ORGS ? world->logs[*number] : unknown;
}

static struct spean_place made_place(uint32_t log, uint32_t branch, uint32_t seq)
{
    if (seq == 0 || seq > ENTRIES || log >= ORGS) {
        return (struct spean_place){seq, {{0xee}}};
    }
    return (struct spean_place){seq, world->entries[log][branch][seq].id};
}

/* -- After each step --------------------------------------------------------------------------- */

static struct peer *peer_by_id(uint64_t id)
{
    for (uint32_t i = 0; i < LINKS; i++) {
        if (state.peers[i].up && state.peers[i].id == id) {
            return &state.peers[i];
        }
    }
    return NULL;
}

static void check_promise(const struct spean_id *log, const struct spean_place *place)
{
    const uint32_t number = number_of(log);
    assert(number < ORGS);
    assert(place->seq <= state.durable[number]);
    assert(spean_id_equal(&place->entry, &state.ids[number][place->seq]));
}

static void check_send(const struct spean_sync_effect *effect, enum spean_sync_event_kind cause)
{
    struct peer *peer = peer_by_id(effect->link);
    assert(peer != NULL);
    assert(!peer->dropped);
    struct spean_message *m = &state.m;
    if (cause == SPEAN_SYNC_PEER_UP && peer->mode == SPEAN_LINK_JOINING) {
        return; /* What the caller gave. */
    }
    const spean_err err = spean_message_decode(effect->as.message, m);
    assert(err == SPEAN_OK);
    if (m->type == SPEAN_MESSAGE_HELD || m->type == SPEAN_MESSAGE_HEAD) {
        check_promise(&m->as.place.log, &m->as.place.place);
    } else if (m->type == SPEAN_MESSAGE_RUN) {
        assert(cause == SPEAN_SYNC_LOADED_RUN);
    } else if (m->type == SPEAN_MESSAGE_BODIES) {
        assert(cause == SPEAN_SYNC_LOADED_BODIES);
    } else if (m->type == SPEAN_MESSAGE_WANT) {
        assert(m->as.want.bytes > 0 && m->as.want.bytes <= SPEAN_SYNC_WINDOW_BYTES);
        peer->want = m->as.want.want;
        peer->want_log = number_of(&m->as.want.log);
        assert(peer->want_log < ORGS);
    } else if (m->type == SPEAN_MESSAGE_MORE) {
        assert(m->as.more.bytes > 0 &&
               m->as.more.bytes <= SPEAN_SYNC_WINDOW_BYTES + SPEAN_RUN_BYTES_MAX);
    } else if (m->type == SPEAN_MESSAGE_ROWS) {
        peer->buckets = m->as.rows.buckets;
    } else if (m->type == SPEAN_MESSAGE_FETCH) {
        peer->fetch = *m;
    }
    const bool says_much = m->type == SPEAN_MESSAGE_RUN || m->type == SPEAN_MESSAGE_BODIES ||
                           m->type == SPEAN_MESSAGE_HEAD;
    assert(!says_much || peer->mode != SPEAN_LINK_MEMBER || !state.removed || peer->org != 1);
}

static void check_append(const struct spean_sync_effect *effect)
{
    const struct spean_run *run = effect->as.append.run;
    const uint32_t log = number_of(spean_run_log(run));
    assert(log < ORGS);
    const struct spean_log *known = spean_authority_log(state.authority, spean_run_log(run));
    assert(known != NULL);
    const spean_err err = spean_run_verify(run, &known->signing, NULL);
    assert(err == SPEAN_OK);
    assert(!known->cut.closed || spean_run_last(run).seq <= known->cut.seq);
    const struct spean_header *first = &spean_run_entry(run, 0)->header;
    assert(first->seq == state.appended[log] + 1);
    assert(spean_id_equal(&first->previous, &state.ids[log][state.appended[log]]));
    for (uint32_t i = 0; i < spean_run_count(run); i++) {
        state.ids[log][++state.appended[log]] = spean_run_entry(run, i)->id;
    }
    assert(state.pending_count < PENDING_MAX);
    state.pending[state.pending_count++] =
        (struct pending){.token = effect->as.append.token, .log = log, .seq = state.appended[log]};
}

static void keep_load(const struct spean_sync_effect *effect)
{
    if (state.loads_count == LOADS_MAX) {
        return; /* A store that never answers. */
    }
    struct spean_sync_effect *kept = &state.loads[state.loads_count];
    *kept = *effect;
    if (effect->kind == SPEAN_SYNC_LOAD_RUN && effect->as.load_run.places_count > 0) {
        state.load_places[state.loads_count] = effect->as.load_run.places[0];
    }
    state.loads_count++;
}

static void carry_out(const struct spean_sync_effect *effect, enum spean_sync_event_kind cause)
{
    struct peer *peer = peer_by_id(effect->link);
    if (effect->kind == SPEAN_SYNC_SEND) {
        check_send(effect, cause);
    } else if (effect->kind == SPEAN_SYNC_DROP && peer != NULL) {
        peer->dropped = true;
    } else if (effect->kind == SPEAN_SYNC_APPEND) {
        check_append(effect);
    } else if (effect->kind == SPEAN_SYNC_SET_ASIDE) {
        const struct spean_log *log =
            spean_authority_log(state.authority, spean_run_log(effect->as.append.run));
        assert(log != NULL && log->status != SPEAN_LOG_OPEN);
        assert(number_of(&log->id) == 0); /* Of our own org. */
        assert(state.pending_count < PENDING_MAX);
        state.pending[state.pending_count++] =
            (struct pending){.token = effect->as.append.token, .bodies = true};
    } else if (effect->kind == SPEAN_SYNC_PUT_BODIES) {
        assert(state.pending_count < PENDING_MAX);
        state.pending[state.pending_count++] =
            (struct pending){.token = effect->as.put_bodies.token, .bodies = true};
    } else if (effect->kind == SPEAN_SYNC_PUT_DOCUMENTS) {
        assert(peer != NULL);
        peer->puts++;
    } else if (effect->kind == SPEAN_SYNC_EVIDENCE) {
        struct spean_evidence e;
        const spean_err err = spean_evidence_decode(effect->as.evidence.bytes, &e);
        assert(err == SPEAN_OK);
    } else if (effect->kind >= SPEAN_SYNC_LOAD_RUN && effect->kind <= SPEAN_SYNC_LOAD_DOCUMENTS) {
        keep_load(effect);
    }
}

/* The windows add up, and hold but for what the last run of each want overdraws. */
static void check_windows(void)
{
    uint64_t all = 0;
    uint64_t overdraft = 0;
    for (size_t i = 0; i < SPEAN_SYNC_LINKS_MAX; i++) {
        const struct link *link = state.sync->links[i];
        uint64_t used = 0;
        uint64_t wants = 0;
        for (size_t k = 0; link != NULL && k < SPEAN_WANTS_MAX; k++) {
            used += link->wants[k].credit + link->wants[k].unstored;
            wants += link->wants[k].id != 0;
        }
        assert(used <= SPEAN_SYNC_WINDOW_BYTES + wants * SPEAN_RUN_BYTES_MAX);
        assert(link == NULL || link->phase != PHASE_ENDED || wants == 0);
        assert(link == NULL || spean_frontier_count(link->theirs) <= ORGS);
        assert(link == NULL || spean_frontier_count(link->target) <= ORGS);
        all += used;
        overdraft += wants * SPEAN_RUN_BYTES_MAX;
    }
    assert(all == state.sync->window_used);
    assert(all <= SPEAN_SYNC_WINDOW_ALL_BYTES + overdraft);
    assert(state.sync->appends_count <= state.pending_count);
}

static void step(struct spean_sync_event *event)
{
    event->now_ms = state.now_ms;
    event->now_s = 1790000000 + state.now_ms / 1000;
    const spean_err err = spean_sync_step(state.sync, event);
    assert(err == SPEAN_OK);
    const uint32_t count = spean_sync_effects_count(state.sync);
    assert(count <= EFFECTS_MAX);
    uint32_t appends = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct spean_sync_effect *effect = spean_sync_effect(state.sync, i);
        appends += effect->kind == SPEAN_SYNC_APPEND;
        carry_out(effect, event->kind);
    }
    assert(appends <= (event->kind == SPEAN_SYNC_MESSAGE ? 1 : 0));
    for (uint32_t i = 0; i < ORGS; i++) {
        const struct spean_place held =
            spean_frontier_get(spean_sync_frontier(state.sync), &world->logs[i]);
        assert(held.seq <= state.durable[i]);
        assert(spean_id_equal(&held.entry, &state.ids[i][held.seq]));
    }
    check_windows();
}

/* -- Peers and what they say ------------------------------------------------------------------- */

static struct peer *take_peer(void)
{
    return &state.peers[take() % LINKS];
}

static void up(void)
{
    struct peer *peer = take_peer();
    const uint8_t how = take();
    if (peer->up) {
        return;
    }
    memset(peer, 0, sizeof(*peer));
    peer->up = true;
    peer->id = state.next_link++;
    peer->org = 1 + how % 2;
    struct spean_sync_event event = {.kind = SPEAN_SYNC_PEER_UP, .link = peer->id};
    event.as.up.transport = world->nodes[peer->org].transport;
    event.as.up.dialled = (how & 2) != 0;
    event.as.up.join = (struct spean_view){(const uint8_t *)"join", 4};
    if ((how & 0xf0) == 0xf0) {
        event.as.up.mode = event.as.up.dialled ? SPEAN_LINK_JOINING : SPEAN_LINK_LOBBY;
    }
    peer->mode = event.as.up.mode;
    step(&event);
}

static void down(void)
{
    struct peer *peer = take_peer();
    if (!peer->up) {
        return;
    }
    struct spean_sync_event event = {.kind = SPEAN_SYNC_PEER_DOWN, .link = peer->id};
    peer->up = false;
    step(&event);
}

static void say_frame(const struct peer *peer, struct spean_view frame)
{
    uint8_t *exact = malloc(frame.len + 1); /* ASan sees a read of one too many. */
    assert(exact != NULL);
    memcpy(exact, frame.data, frame.len);
    struct spean_sync_event event = {.kind = SPEAN_SYNC_MESSAGE, .link = peer->id};
    event.as.message = (struct spean_view){exact, frame.len};
    step(&event);
    free(exact);
}

static void say(const struct peer *peer, const struct spean_message *m)
{
    static uint8_t buf[SPEAN_FRAME_BYTES_MAX];
    struct spean_view frame = {0};
    const spean_err err = spean_message_encode(m, buf, sizeof(buf), &frame);
    assert(err == SPEAN_OK);
    say_frame(peer, frame);
}

static void say_any(const struct peer *peer)
{
    static uint8_t empty[1];
    const size_t left = (size_t)(state.end - state.pos);
    const size_t len = take() < left ? *(state.pos - 1) : left;
    const size_t have = (size_t)(state.end - state.pos);
    const struct spean_view frame = {have > 0 ? state.pos : empty, len < have ? len : have};
    state.pos += frame.len;
    say_frame(peer, frame);
}

static void say_hello(struct peer *peer)
{
    const uint8_t how = take();
    struct spean_message m = {.type = SPEAN_MESSAGE_HELLO};
    struct spean_hello *hello = &m.as.hello;
    hello->lowest = (how & 1) != 0 ? 99 : 1;
    hello->highest = (how & 1) != 0 ? 99 : 1 + (how >> 1 & 1);
    hello->handle = spean_handle_of(&world->ledger);
    hello->handle.bytes[0] ^= (how & 0xc0) == 0xc0 ? 1 : 0;
    hello->org = world->orgs[peer->org];
    hello->signing = world->nodes[(how & 0x38) == 0x38 ? 0 : peer->org].signing;
    spean_authority_digest(state.authority, &hello->authority);
    hello->authority.bytes[0] ^= (how & 4) != 0 ? 1 : 0;
    spean_frontier_digest(spean_sync_frontier(state.sync), (struct spean_excluded){NULL, 0},
                          &hello->frontier);
    hello->frontier.bytes[0] ^= (how & 8) != 0 ? 1 : 0;
    hello->time = 1790000000;
    say(peer, &m);
}

/* A list of up to three rows or titles, in order. */
static struct spean_list take_rows(uint8_t buf[512], bool titles)
{
    struct spean_list list = {0};
    struct spean_writer w;
    spean_writer_init(&w, buf, 512);
    const uint8_t which = take();
    for (uint32_t i = 0; i < ORGS; i++) {
        uint32_t log = i; /* In order of their ids. */
        for (uint32_t k = 0; k < ORGS; k++) {
            uint32_t below = 0;
            for (uint32_t n = 0; n < ORGS; n++) {
                const struct spean_id *of = titles ? world->orgs : world->logs;
                below += spean_id_compare(&of[n], &of[k]) < 0;
            }
            log = below == i ? k : log;
        }
        if ((which >> i & 1) == 0) {
            continue;
        }
        const struct spean_place place = made_place(log, which >> 3 & 1, 1 + take() % 60);
        spean_writer_array(&w, titles ? 2 : 3);
        spean_writer_bin(&w, titles ? world->orgs[log].bytes : world->logs[log].bytes,
                         SPEAN_ID_BYTES);
        if (titles) {
            spean_writer_array(&w, 1);
            spean_writer_array(&w, 2);
        }
        spean_writer_uint(&w, place.seq);
        spean_writer_bin(&w, place.entry.bytes, SPEAN_ID_BYTES);
        list.count++;
    }
    const spean_err err = spean_writer_end(&w, &list.bytes);
    assert(err == SPEAN_OK);
    return list;
}

static void say_documents(const struct peer *peer)
{
    static uint8_t buf[2 * SPEAN_DOCUMENT_ENCODED_BYTES_MAX];
    const uint8_t how = take();
    struct spean_writer w;
    spean_writer_init(&w, buf, sizeof(buf));
    struct spean_message m = {.type = SPEAN_MESSAGE_DOCUMENTS};
    if ((how & 1) != 0) {
        const struct spean_view *view = &world->documents[how % world->documents_count].view;
        spean_writer_bin(&w, view->data, view->len);
        m.as.documents.documents.count = 1;
    }
    m.as.documents.more = (how & 2) != 0;
    m.type = (how & 0xf0) == 0xf0 ? SPEAN_MESSAGE_OFFER : SPEAN_MESSAGE_DOCUMENTS;
    const spean_err err = spean_writer_end(&w, &m.as.documents.documents.bytes);
    assert(err == SPEAN_OK);
    say(peer, &m);
}

/* Entries first to last of a branch as a run, with or without bodies. */
static struct spean_view made_run(uint32_t log, uint32_t branch, uint32_t first, uint32_t last,
                                  bool bodies, uint8_t *buf)
{
    struct spean_run_source sources[ENTRIES];
    uint8_t made[ENTRIES][60];
    for (uint32_t seq = first; seq <= last; seq++) {
        const uint32_t from = seq > SHARED ? branch : 0;
        memset(made[seq - first], 0, sizeof(made[0]));
        made[seq - first][0] = (uint8_t)from;
        made[seq - first][1] = (uint8_t)seq;
        sources[seq - first].header = world->entries[log][branch][seq].header;
        sources[seq - first].body = (struct spean_view){made[seq - first], bodies ? 60 : 0};
    }
    struct spean_view run = {0};
    const spean_err err =
        spean_run_encode(sources, last - first + 1, &world->entries[log][branch][last].signature,
                         buf, SPEAN_FRAME_BYTES_MAX, &run);
    assert(err == SPEAN_OK);
    return run;
}

static void say_run(const struct peer *peer)
{
    static uint8_t buf[SPEAN_FRAME_BYTES_MAX];
    const uint8_t how = take();
    uint32_t log = 0;
    struct spean_message m = {.type = SPEAN_MESSAGE_RUN};
    m.as.run.log = take_log(&log);
    m.as.run.want = (how & 1) != 0 ? peer->want : (how & 2) != 0 ? take() : 0;
    if ((how & 1) != 0 && (how & 2) == 0 && peer->want != 0) {
        log = peer->want_log;
        m.as.run.log = world->logs[log];
    }
    const uint32_t of = log < ORGS ? log : 0;
    /* Mostly what continues the log, so that something comes of it. */
    uint32_t first = (how & 4) != 0 ? 1 + take() % ENTRIES : (uint32_t)state.appended[of] + 1;
    first = first > ENTRIES ? ENTRIES : first;
    const uint32_t left = ENTRIES - first + 1;
    const uint32_t last = first + take() % left;
    m.as.run.run = made_run(of, how >> 3 & 1, first, last, (how & 16) == 0, buf);
    if ((how & 0xe0) == 0xe0) {
        buf[take() % m.as.run.run.len] ^= 1;
    }
    say(peer, &m);
}

static void say_evidence(const struct peer *peer)
{
    static uint8_t buf[3][SPEAN_FRAME_BYTES_MAX];
    const uint8_t how = take();
    const uint32_t log = how % ORGS;
    const uint32_t at = (how & 4) != 0 ? SHARED : SHARED - 1;
    struct spean_evidence e = {.log = world->logs[log], .after = made_place(log, 0, at)};
    e.runs[0] = made_run(log, 0, at + 1, at + 2, (how & 8) != 0, buf[0]);
    e.runs[1] = made_run(log, how >> 4 & 1, at + 1, at + 1, false, buf[1]);
    struct spean_message m = {.type = SPEAN_MESSAGE_EVIDENCE};
    const spean_err err =
        spean_evidence_encode(&e, buf[2], SPEAN_EVIDENCE_BYTES_MAX, &m.as.evidence);
    assert(err == SPEAN_OK);
    say(peer, &m);
}

static void say_request(const struct peer *peer)
{
    struct spean_message m = {.type = SPEAN_MESSAGE_WANT};
    uint32_t log = 0;
    const uint8_t how = take();
    if ((how & 3) == 0) {
        m.as.want.log = take_log(&log);
        m.as.want.want = 1 + take() % 12;
        m.as.want.places_count = how >> 2 & 1;
        m.as.want.places[0] = made_place(log, how >> 3 & 1, 1 + take() % 60);
        m.as.want.bytes = (how & 16) != 0 ? UINT64_MAX : (uint64_t)take() * 512;
    } else if ((how & 3) == 1) {
        m.type = SPEAN_MESSAGE_MORE;
        m.as.more.want = take() % 12;
        m.as.more.bytes = (how & 16) != 0 ? UINT64_MAX : (uint64_t)take() * 512;
    } else if ((how & 3) == 2) {
        m.type = SPEAN_MESSAGE_END;
        m.as.end.want = (how & 4) != 0 ? peer->want : take();
        m.as.end.status = how >> 3 & 1;
        if ((how & 16) != 0) {
            m.type = SPEAN_MESSAGE_ASIDE;
            memset(&m.as.aside, 0, sizeof(m.as.aside));
            m.as.aside.want = 1 + take();
            m.as.aside.log = take_log(&log);
        }
    } else {
        m.type = SPEAN_MESSAGE_FETCH;
        m.as.fetch.fetch = take();
        m.as.fetch.log = take_log(&log);
        m.as.fetch.seqs_count = 1;
        m.as.fetch.seqs[0] = 1 + take();
        spean_partkey_tag(&m.as.fetch.tag, &m.as.fetch.proof, &m.as.fetch.log);
        m.as.fetch.tag.bytes[0] ^= how >> 7;
    }
    say(peer, &m);
}

static void say_bodies(const struct peer *peer)
{
    uint8_t buf[128];
    const uint8_t how = take();
    struct spean_message m = {.type = SPEAN_MESSAGE_BODIES};
    struct spean_writer w;
    spean_writer_init(&w, buf, sizeof(buf));
    const struct spean_message *asked = &peer->fetch;
    m.as.bodies.fetch = asked->as.fetch.fetch;
    m.as.bodies.more = (how & 1) != 0;
    if ((how & 2) != 0) {
        const uint32_t count = asked->as.fetch.seqs_count;
        const uint64_t seq = count > 0 ? asked->as.fetch.seqs[take() % count] : 1;
        spean_writer_array(&w, 2);
        spean_writer_uint(&w, (how & 4) != 0 ? UINT64_C(1) + take() : seq);
        spean_writer_bin(&w, "body", 4);
        m.as.bodies.items.count = 1;
    }
    const spean_err err = spean_writer_end(&w, &m.as.bodies.items.bytes);
    assert(err == SPEAN_OK);
    say(peer, &m);
}

static void say_compared(const struct peer *peer)
{
    uint8_t buf[512];
    uint8_t buckets[SPEAN_BUCKETS_BYTES];
    uint8_t names[2 * SPEAN_SHORT_BYTES] = {0};
    const uint8_t how = take();
    struct spean_message m = {.type = SPEAN_MESSAGE_DIGEST};
    if ((how & 3) == 0) {
        const struct spean_excluded none = {NULL, 0};
        for (uint32_t b = 0; b < SPEAN_BUCKETS_COUNT; b++) {
            spean_frontier_bucket_digest(spean_sync_frontier(state.sync), b, none,
                                         buckets + (size_t)b * SPEAN_BUCKET_DIGEST_BYTES);
            buckets[(size_t)b * SPEAN_BUCKET_DIGEST_BYTES] ^= (how & 4) != 0 ? 1 : 0;
        }
        memcpy(names + SPEAN_SHORT_BYTES, world->logs[how >> 4 & 1].bytes, SPEAN_SHORT_BYTES);
        m.as.digest.buckets = buckets;
        m.as.digest.excluded = (struct spean_view){names, (how & 8) != 0 ? sizeof(names) : 0};
    } else if ((how & 3) == 1) {
        m.type = SPEAN_MESSAGE_ROWS;
        m.as.rows.buckets = (how & 4) != 0 ? UINT64_MAX : peer->buckets;
        m.as.rows.rows = take_rows(buf, false);
        m.as.rows.more = (how & 8) != 0;
    } else if ((how & 3) == 2) {
        m.type = SPEAN_MESSAGE_SYNCED;
        spean_frontier_digest(spean_sync_frontier(state.sync), (struct spean_excluded){NULL, 0},
                              &m.as.synced.frontier);
        m.as.synced.frontier.bytes[0] ^= how >> 7;
    } else {
        uint32_t log = 0;
        m.type = (how & 4) != 0 ? SPEAN_MESSAGE_HEAD : SPEAN_MESSAGE_HELD;
        m.as.place.log = take_log(&log);
        m.as.place.place = made_place(log, how >> 3 & 1, 1 + take() % 60);
    }
    say(peer, &m);
}

static void say_titles(const struct peer *peer)
{
    uint8_t buf[512];
    const uint8_t how = take();
    struct spean_message m = {.type = SPEAN_MESSAGE_TITLES};
    m.as.titles.orgs = take_rows(buf, true);
    m.as.titles.more = (how & 1) != 0;
    say(peer, &m);
}

static void talk(void)
{
    struct peer *peer = take_peer();
    const uint8_t what = take() % 11;
    if (!peer->up || peer->dropped) {
        return;
    }
    static void (*const by_what[])(const struct peer *) = {
        say_any,     say_any, say_compared, say_compared, say_titles,  say_documents,
        say_request, say_run, say_run,      say_bodies,   say_evidence};
    if (what == 0) {
        say_hello(peer);
        return;
    }
    by_what[what](peer);
}

/* -- The store --------------------------------------------------------------------------------- */

static void tell_stored(bool stored, bool bad)
{
    const struct pending done = state.pending[0];
    state.pending_count--;
    memmove(&state.pending[0], &state.pending[1], state.pending_count * sizeof(done));
    if (stored && !done.bodies && !done.taken_back) {
        state.durable[done.log] = done.seq;
    }
    struct spean_sync_event event = {.kind = stored ? SPEAN_SYNC_DURABLE : SPEAN_SYNC_NOT_DURABLE};
    event.as.durable.token = done.token;
    event.as.durable.bad = done.bodies && bad;
    step(&event);
}

/* A batch reaches the disk, or nothing of it does. */
static void store(void)
{
    const uint8_t how = take();
    if ((how & 0x0f) != 0x0f) {
        for (uint32_t i = 0; i <= how % 4u && state.pending_count > 0; i++) {
            tell_stored(true, (how & 0x80) != 0);
        }
        return;
    }
    for (uint32_t i = 0; i < ORGS; i++) {
        state.appended[i] = state.durable[i];
    }
    for (uint32_t count = state.pending_count; count > 0; count--) {
        tell_stored(false, false);
    }
}

static void answer_run(const struct spean_sync_effect *load, const struct spean_place *place)
{
    static uint8_t buf[SPEAN_FRAME_BYTES_MAX];
    const uint32_t log = number_of(&load->as.load_run.log);
    const uint8_t how = take();
    struct spean_sync_event event = {.kind = SPEAN_SYNC_LOADED_RUN, .link = load->link};
    event.as.loaded_run.purpose = load->as.load_run.purpose;
    event.as.loaded_run.want = load->as.load_run.want;
    event.as.loaded_run.log = load->as.load_run.log;
    event.as.loaded_run.served = log < ORGS && (how & 0x1f) != 0x1f;
    uint64_t start = 0;
    if (log < ORGS && load->as.load_run.places_count > 0 && place->seq <= state.durable[log] &&
        spean_id_equal(&state.ids[log][place->seq], &place->entry)) {
        start = place->seq;
    }
    if (event.as.loaded_run.served && start < state.durable[log]) {
        const uint64_t held = state.durable[log];
        const uint64_t last = start + 1 + how % (held - start);
        const uint32_t branch =
            spean_id_equal(&state.ids[log][last], &world->entries[log][1][last].id);
        event.as.loaded_run.run = made_run(log, branch, (uint32_t)start + 1, (uint32_t)last,
                                           !load->as.load_run.headers, buf);
        event.as.loaded_run.first_seq = start + 1;
        event.as.loaded_run.last = (struct spean_place){last, state.ids[log][last]};
        event.as.loaded_run.size = (uint32_t)(last - start) * 200;
        event.as.loaded_run.more = last < held;
    }
    step(&event);
}

static void answer_places(const struct spean_sync_effect *load)
{
    struct spean_place places[3];
    const uint32_t log = number_of(&load->as.load_places.log);
    assert(log < ORGS);
    struct spean_sync_event event = {.kind = SPEAN_SYNC_LOADED_PLACES, .link = load->link};
    event.as.loaded_places.log = load->as.load_places.log;
    event.as.loaded_places.places = places;
    for (uint64_t below = 0; below < 3 && state.durable[log] > below; below++) {
        const uint64_t seq = state.durable[log] - below;
        places[event.as.loaded_places.count++] = (struct spean_place){seq, state.ids[log][seq]};
    }
    step(&event);
}

static void answer_lacking(const struct spean_sync_effect *load)
{
    static const uint64_t seqs[] = {1, 2, 5};
    const uint8_t how = take();
    struct spean_fetch_group groups[2];
    struct spean_sync_event event = {.kind = SPEAN_SYNC_LOADED_LACKING, .link = load->link};
    event.as.loaded_lacking.groups = groups;
    event.as.loaded_lacking.count = how % 3;
    event.as.loaded_lacking.missing = how;
    event.as.loaded_lacking.more = how % 16 == 15;
    for (uint32_t i = 0; i < 2; i++) {
        groups[i] =
            (struct spean_fetch_group){.log = world->logs[i], .seqs_count = 3, .seqs = seqs};
    }
    step(&event);
}

static void answer_documents(const struct spean_sync_effect *load)
{
    const uint8_t how = take();
    struct spean_sync_event event = {.kind = SPEAN_SYNC_LOADED_DOCUMENTS, .link = load->link};
    event.as.loaded_documents.documents = &world->documents[0].view;
    event.as.loaded_documents.count = how & 1;
    step(&event);
}

static void answer_aside(const struct spean_sync_effect *load)
{
    static uint8_t buf[SPEAN_FRAME_BYTES_MAX];
    const uint8_t how = take();
    struct spean_sync_event event = {.link = load->link};
    if (load->kind == SPEAN_SYNC_LOAD_HELD_ASIDE) {
        event.kind = SPEAN_SYNC_LOADED_HELD_ASIDE;
        event.as.loaded_held_aside.want = load->as.load_held_aside.want;
        event.as.loaded_held_aside.full = (how & 1) != 0;
    } else {
        const uint32_t log = number_of(&load->as.load_branch.log);
        event.kind = SPEAN_SYNC_LOADED_BRANCH;
        event.as.loaded_branch.want = load->as.load_branch.want;
        event.as.loaded_branch.log = load->as.load_branch.log;
        if ((how & 1) != 0 && log < ORGS) {
            event.as.loaded_branch.run = made_run(log, 0, 2, 3, true, buf);
            event.as.loaded_branch.previous = world->entries[log][0][1].id;
        }
    }
    step(&event);
}

/* Answer the oldest question, or the newest. */
static void answer(void)
{
    if (state.loads_count == 0) {
        return;
    }
    const uint32_t i = (take() & 1) != 0 ? state.loads_count - 1 : 0;
    const struct spean_sync_effect load = state.loads[i];
    const struct spean_place place = state.load_places[i];
    state.loads_count--;
    memmove(&state.loads[i], &state.loads[i + 1], (state.loads_count - i) * sizeof(load));
    memmove(&state.load_places[i], &state.load_places[i + 1],
            (state.loads_count - i) * sizeof(place));
    struct spean_sync_event event = {.link = load.link};
    if (load.kind == SPEAN_SYNC_LOAD_RUN) {
        answer_run(&load, &place);
    } else if (load.kind == SPEAN_SYNC_LOAD_PLACES) {
        answer_places(&load);
    } else if (load.kind == SPEAN_SYNC_LOAD_LACKING) {
        answer_lacking(&load);
    } else if (load.kind == SPEAN_SYNC_LOAD_HELD_ASIDE || load.kind == SPEAN_SYNC_LOAD_BRANCH) {
        answer_aside(&load);
    } else if (load.kind == SPEAN_SYNC_LOAD_DOCUMENTS) {
        answer_documents(&load);
    } else if (load.kind == SPEAN_SYNC_LOAD_BODIES) {
        const struct spean_body_item item = {7, {(const uint8_t *)"body", 4}};
        event.kind = SPEAN_SYNC_LOADED_BODIES;
        event.as.loaded_bodies.fetch = load.as.load_bodies.fetch;
        event.as.loaded_bodies.items = &item;
        event.as.loaded_bodies.count = take() & 1;
        step(&event);
    }
}

static void documents_put(void)
{
    struct peer *peer = take_peer();
    const uint8_t how = take();
    if (!peer->up || peer->puts == 0) {
        return;
    }
    peer->puts--;
    struct spean_sync_event event = {.kind = SPEAN_SYNC_DOCUMENTS_PUT, .link = peer->id};
    event.as.documents_put.err = (how & 7) == 7 ? SPEAN_ESIGNATURE : SPEAN_OK;
    step(&event);
}

/* -- What else happens ------------------------------------------------------------------------- */

static void commit(void)
{
    if (state.appended[0] != state.durable[0] || state.durable[0] == ENTRIES) {
        return; /* A node that fetches its own entries back writes nothing. */
    }
    const uint64_t seq = ++state.durable[0];
    state.appended[0] = seq;
    const uint32_t branch =
        spean_id_equal(&state.ids[0][seq - 1], &world->entries[0][0][seq - 1].id) ? 0 : 1;
    state.ids[0][seq] = world->entries[0][branch][seq].id;
    struct spean_sync_event event = {.kind = SPEAN_SYNC_COMMITTED};
    event.as.committed.log = world->logs[0];
    event.as.committed.head = (struct spean_place){seq, state.ids[0][seq]};
    step(&event);
}

static void cut(uint32_t log, uint64_t seq)
{
    const uint64_t head = seq < state.durable[log] ? seq : state.durable[log];
    for (uint32_t i = 0; i < state.pending_count; i++) {
        struct pending *p = &state.pending[i];
        p->taken_back = p->taken_back || (!p->bodies && p->log == log);
    }
    state.durable[log] = head;
    state.appended[log] = head;
    struct spean_sync_event event = {.kind = SPEAN_SYNC_CUT};
    event.as.committed.log = world->logs[log];
    event.as.committed.head = (struct spean_place){head, state.ids[log][head]};
    step(&event);
}

static void authority(void)
{
    const uint8_t how = take();
    struct spean_sync_event event = {.kind = SPEAN_SYNC_AUTHORITY};
    if (how == 0x77 && !state.removed) {
        struct spean_authority_change change;
        const spean_err err = spean_authority_add(state.authority, world->removal.view,
                                                  SPEAN_PENDING_REFUSE, &change);
        assert(err == SPEAN_OK);
        state.removed = true;
        cut(1, 0);
        if ((take() & 1) != 0) {
            answer(); /* The event is late. */
        }
    }
    step(&event);
}

static void pause_log(void)
{
    const uint8_t how = take();
    struct spean_sync_event event = {.kind = SPEAN_SYNC_PAUSED};
    event.as.paused.log = world->logs[1 + how % (ORGS - 1)]; /* Not our own. */
    event.as.paused.paused = (how & 0x80) != 0;
    step(&event);
}

static void pass_time(void)
{
    const uint8_t how = take();
    state.now_ms += (how & 0x80) != 0 ? (uint64_t)how * 1000 : how;
    struct spean_sync_event event = {.kind = SPEAN_SYNC_TIMER};
    step(&event);
}

static void happen(void)
{
    struct spean_sync_event lacking = {.kind = SPEAN_SYNC_LACKING};
    switch (take() % 24) {
    case 0:
    case 1:
        up();
        break;
    case 2:
        down();
        break;
    case 3:
    case 4:
    case 5:
        store();
        break;
    case 6:
    case 7:
    case 8:
    case 9:
        answer();
        break;
    case 10:
        documents_put();
        break;
    case 11:
        commit();
        break;
    case 12:
        cut(take() % ORGS, take() % 32);
        break;
    case 13:
        authority();
        break;
    case 14:
        pass_time();
        break;
    case 15:
        step(&lacking);
        break;
    case 16:
        pause_log();
        break;
    default:
        talk();
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (world == NULL) {
        make_world();
    }
    const bool relay = size > 0 && (data[0] & 1) != 0;
    struct spean_authority *kept = state.removed || state.relay != relay ? NULL : state.authority;
    if (kept == NULL) {
        spean_authority_free(state.authority);
    }
    memset(&state, 0, sizeof(state));
    state.pos = data;
    state.end = data + size;
    (void)take(); /* Whether we are a relay. */
    state.relay = relay;
    state.authority = kept;
    state.next_link = 1;
    state.now_ms = 1000;
    if (kept == NULL) {
        make_authority();
    }
    const struct spean_sync_config config = {.handle = spean_handle_of(&world->ledger),
                                             .org = world->orgs[0],
                                             .signing = world->nodes[0].signing,
                                             .transport = world->nodes[0].transport};
    const spean_err err = spean_sync_new(&config, state.authority, &state.sync);
    assert(err == SPEAN_OK);
    for (uint32_t i = 0; i < STEPS_MAX && state.pos < state.end; i++) {
        happen();
    }
    spean_sync_free(state.sync);
    state.sync = NULL;
    return 0;
}
