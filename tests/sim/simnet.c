#include "tests/sim/simnet.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/alloc.h"
#include "protocol/entry.h"
#include "protocol/message.h"
#include "protocol/partkey.h"
#include "tests/support/identitykit.h"

#define ENTRIES_MAX    20000u
#define DOCUMENTS_MAX  64u
#define FLIGHTS_MAX    8192u
#define TRANSCRIPT_MAX (4u * 1024u * 1024u)
#define REDIAL_MS      1000u
#define STORE_MS       5u
#define TICK_MS        1000u
#define WALL_START_S   1790000000u
#define CLOCK_START_MS 1000u
#define ASIDE_MAX      1024u

const struct sim_faults sim_no_faults = {.seed = 1, .latency_ms = 0};

static const char *const type_names[32] = {
    [1] = "HELLO",      [2] = "REFUSE",    [3] = "TITLES",  [4] = "DOCUMENTS", [5] = "EVIDENCE",
    [6] = "DIGEST",     [7] = "ROWS",      [8] = "WANT",    [9] = "RUN",       [10] = "END",
    [11] = "MORE",      [12] = "FETCH",    [13] = "BODIES", [14] = "HEAD",     [15] = "SYNCED",
    [16] = "PING",      [17] = "PONG",     [18] = "HELD",   [20] = "OFFER",    [21] = "JOIN",
    [22] = "CHALLENGE", [23] = "STANDING", [24] = "ASIDE",  [25] = "BRANCH"};

struct entry {
    struct spean_view header;
    uint8_t *header_bytes;
    uint8_t *body; /* NULL: not held. */
    size_t body_len;
    struct spean_id id;
    bool signed_here;
    struct spean_signature signature;
    struct spean_tag tag;
    bool has_tag;
};

/* What a cut took back, or what was fetched beyond it; by seq, then id. */
struct shelf {
    uint32_t count;
    struct entry entries[ASIDE_MAX];
    uint64_t seqs[ASIDE_MAX];
    struct spean_id previous[ASIDE_MAX];
};

struct chain {
    struct spean_id log;
    uint32_t count;
    struct entry *entries;
};

struct pending {
    uint64_t token;
    uint64_t due_ms;
    bool stored;
    bool bad;
};

struct node {
    uint32_t index;
    struct spean_statement_node keys;
    struct spean_id org;
    struct spean_authority *authority;
    struct spean_sync *sync;
    struct chain chains[SIM_NODES_MAX];
    struct shelf *shelves[SIM_NODES_MAX];
    uint32_t aside_room; /* Entries. */
    bool disputed[SIM_NODES_MAX];
    uint64_t told[SIM_NODES_MAX][SIM_NODES_MAX]; /* By peer, author. */
    uint8_t *documents[DOCUMENTS_MAX];
    struct spean_view document_views[DOCUMENTS_MAX];
    struct spean_id document_ids[DOCUMENTS_MAX];
    uint32_t documents_count;
    bool documents_full;
    bool holds_key[256]; /* By part. */
    struct pending *pending;
    uint32_t pending_count;
    uint32_t runs_left; /* Until the disk is full. */
    uint8_t *evidence[SIM_NODES_MAX];
    size_t evidence_len[SIM_NODES_MAX];
};

struct wire {
    bool dialled; /* Somebody wants it. */
    bool up;
    uint64_t redial_ms;
    uint64_t id;      /* Of this incarnation; both ends use it. */
    uint64_t last_ms; /* Nothing overtakes what was sent before, unless reordered. */
    uint64_t
        busy_ms[2]; /* Until when what was sent takes, by direction: towards the dialled first. */
};

struct flight {
    uint64_t due_ms;
    uint64_t wire;
    uint32_t from, to;
    uint8_t *frame;
    size_t len;
};

/* A question of the step, to be answered after it. Effects live until the next step only. */
struct question {
    uint32_t node;
    struct spean_sync_effect effect;
    void *memory; /* What the effect points to. */
};

struct sim {
    struct question *questions;
    uint32_t questions_count, questions_cap;
    uint32_t count;
    struct node nodes[SIM_NODES_MAX];
    struct wire wires[SIM_NODES_MAX][SIM_NODES_MAX]; /* Dialler, dialled. */
    struct flight flights[FLIGHTS_MAX];
    uint32_t flights_count;
    uint64_t now_ms;
    uint64_t next_tick_ms;
    uint64_t next_wire;
    struct sim_faults faults;
    uint32_t bytes_per_s; /* 0: no limit. */
    uint64_t random;
    uint8_t audience_of_part[256];
    struct sim_counts counts;
    struct fixture_document *charter;          /* The last version. */
    struct spean_id statements[SIM_NODES_MAX]; /* Version 2 of each org. */
    struct fixture_document last_statement;    /* Of the last node's org. */
    char *transcript;
    size_t transcript_len;
    bool silenced[SIM_NODES_MAX];
    bool deafened[SIM_NODES_MAX];
    bool full_pipe[SIM_NODES_MAX];
    struct spean_view last[SIM_NODES_MAX][SIM_NODES_MAX][32]; /* By sender, receiver, type. */
};

static void step_once(struct sim *sim, struct node *node, struct spean_sync_event *event);
static void step(struct sim *sim, struct node *node, struct spean_sync_event *event);

static void require(bool condition, const char *what)
{
    if (!condition) {
        (void)fprintf(stderr, "simnet: %s\n", what);
        abort();
    }
}

static void *must(void *memory)
{
    require(memory != NULL, "out of memory");
    return memory;
}

/* xorshift64*: the only randomness of a simulation. */
static uint32_t roll(struct sim *sim, uint32_t below)
{
    sim->random ^= sim->random >> 12;
    sim->random ^= sim->random << 25;
    sim->random ^= sim->random >> 27;
    return (uint32_t)((sim->random * UINT64_C(2685821657736338717)) >> 33) % below;
}

/* -- Stores ---------------------------------------------------------------------------------- */

static struct chain *chain_of(struct node *node, const struct spean_id *log)
{
    for (uint32_t i = 0; i < SIM_NODES_MAX; i++) {
        if (node->chains[i].entries != NULL && spean_id_equal(&node->chains[i].log, log)) {
            return &node->chains[i];
        }
    }
    return NULL;
}

static struct spean_place place_of(const struct chain *c, uint32_t seq)
{
    return seq == 0 ? (struct spean_place){0} : (struct spean_place){seq, c->entries[seq - 1].id};
}

static void keep(struct chain *c, struct spean_view header, struct spean_view body,
                 const struct spean_signature *signature)
{
    require(c->count < ENTRIES_MAX, "too many entries");
    struct entry *e = &c->entries[c->count++];
    struct spean_header h;
    require(spean_header_decode(header, &h) == SPEAN_OK, "bad header");
    e->header_bytes = must(malloc(header.len));
    memcpy(e->header_bytes, header.data, header.len);
    e->header = (struct spean_view){e->header_bytes, header.len};
    if (body.len > 0) {
        e->body = must(malloc(body.len));
        memcpy(e->body, body.data, body.len);
    }
    e->body_len = h.body_len;
    e->has_tag = h.has_tag;
    e->tag = h.tag;
    spean_entry_id(&e->id, &c->log, e->header);
    e->signed_here = signature != NULL;
    if (signature != NULL) {
        e->signature = *signature;
    }
}

static void drop_above(struct chain *c, uint32_t count)
{
    while (c->count > count) {
        struct entry *e = &c->entries[--c->count];
        free(e->header_bytes);
        free(e->body);
        memset(e, 0, sizeof(*e));
    }
}

static struct entry copy_entry(const struct entry *from)
{
    struct entry e = *from;
    e.header_bytes = must(malloc(from->header.len));
    memcpy(e.header_bytes, from->header.data, from->header.len);
    e.header = (struct spean_view){e.header_bytes, from->header.len};
    if (from->body != NULL) {
        e.body = must(malloc(from->body_len));
        memcpy(e.body, from->body, from->body_len);
    }
    return e;
}

static void free_shelf(struct shelf *shelf)
{
    for (uint32_t i = 0; shelf != NULL && i < shelf->count; i++) {
        free(shelf->entries[i].header_bytes);
        free(shelf->entries[i].body);
    }
    free(shelf);
}

static struct spean_place shelved(const struct shelf *shelf, uint32_t i)
{
    return (struct spean_place){shelf->seqs[i], shelf->entries[i].id};
}

/* Put a copy of an entry on the shelf, in order; one that is there already stays. */
static void shelve(struct shelf *shelf, const struct entry *from)
{
    struct spean_header h;
    require(spean_header_decode(from->header, &h) == SPEAN_OK, "bad header");
    const struct spean_place place = {h.seq, from->id};
    uint32_t i = 0;
    while (i < shelf->count) {
        const struct spean_place other = shelved(shelf, i);
        const int order = spean_place_compare(&other, &place);
        if (order == 0) {
            return;
        }
        if (order > 0) {
            break;
        }
        i++;
    }
    require(shelf->count < ASIDE_MAX, "too much set aside");
    memmove(&shelf->entries[i + 1], &shelf->entries[i], (shelf->count - i) * sizeof(*from));
    memmove(&shelf->seqs[i + 1], &shelf->seqs[i], (shelf->count - i) * sizeof(h.seq));
    memmove(&shelf->previous[i + 1], &shelf->previous[i], (shelf->count - i) * sizeof(h.previous));
    shelf->entries[i] = copy_entry(from);
    shelf->seqs[i] = h.seq;
    shelf->previous[i] = h.previous;
    shelf->count++;
}

static void write_entry(struct chain *c, const struct spean_statement_node *keys, unsigned seed_of,
                        const struct spean_tag *tag, uint8_t salt)
{
    (void)keys;
    uint8_t body[300];
    memset(body, (int)(c->count % 251), sizeof(body));
    body[0] = salt;
    struct spean_header h = {.format = 1,
                             .seq = c->count + 1,
                             .previous = place_of(c, c->count).entry,
                             .time = WALL_START_S + c->count,
                             .kind = SPEAN_ENTRY_CHANGE,
                             .flags = SPEAN_ENTRY_ENDS_COMMIT,
                             .has_tag = tag != NULL,
                             .body_len = sizeof(body)};
    if (tag != NULL) {
        h.tag = *tag;
    }
    spean_body_hash(&h.body_hash, (struct spean_view){body, sizeof(body)});
    uint8_t buf[SPEAN_HEADER_BYTES_MAX];
    struct spean_view header = {0};
    require(spean_header_encode(&h, buf, sizeof(buf), &header) == SPEAN_OK, "encode");
    struct spean_id id;
    spean_entry_id(&id, &c->log, header);
    uint8_t seed[SPEAN_KEY_BYTES];
    fixture_seed(seed, seed_of);
    struct spean_signature signature;
    spean_commit_sign(&signature, &c->log, &id, seed);
    keep(c, header, (struct spean_view){body, sizeof(body)}, &signature);
}

/* -- Building -------------------------------------------------------------------------------- */

static unsigned admin_of(uint32_t node)
{
    return 1 + 20 * node;
}

static unsigned key_of(uint32_t node)
{
    return 10 + 20 * node;
}

static void add_document(struct node *node, const struct fixture_document *d)
{
    struct spean_authority_change change;
    const spean_err err =
        spean_authority_add(node->authority, d->view, SPEAN_PENDING_REFUSE, &change);
    require(err == SPEAN_OK || err == SPEAN_EEXISTS, "a document of the fixture is refused");
    if (err == SPEAN_EEXISTS) {
        return;
    }
    require(node->documents_count < DOCUMENTS_MAX, "too many documents");
    require(d->view.len > 0, "an empty document");
    uint8_t *copy = must(malloc(d->view.len));
    memcpy(copy, d->view.data, d->view.len);
    node->documents[node->documents_count] = copy;
    node->document_views[node->documents_count] = (struct spean_view){copy, d->view.len};
    node->document_ids[node->documents_count] = d->doc.id;
    node->documents_count++;
}

static void start_node(struct sim *sim, struct node *node)
{
    const struct spean_ledger *ledger = spean_authority_ledger(node->authority);
    for (uint32_t i = 0; i < sim->count; i++) {
        struct chain *c = &node->chains[i];
        const struct node *author = &sim->nodes[i];
        spean_log_id(&c->log, &ledger->id, &author->org, &author->keys.signing);
        c->entries = must(calloc(ENTRIES_MAX, sizeof(*c->entries)));
    }
    const struct spean_sync_config config = {.handle = spean_handle_of(&ledger->id),
                                             .org = node->org,
                                             .signing = node->keys.signing,
                                             .transport = node->keys.transport};
    require(spean_sync_new(&config, node->authority, &node->sync) == SPEAN_OK, "sync_new");
}

static struct sim *new_ledger(uint32_t count, bool sharing, struct sim_faults faults)
{
    struct sim *sim = must(calloc(1, sizeof(*sim)));
    struct fixture_document *v1 = must(calloc(count, sizeof(*v1)));
    struct fixture_document *v2 = must(calloc(count, sizeof(*v2)));
    struct fixture_document *charters = must(calloc(count, sizeof(*charters)));
    sim->count = count;
    sim->faults = faults;
    sim->random = faults.seed * 2 + 1;
    sim->now_ms = CLOCK_START_MS;
    sim->next_tick_ms = CLOCK_START_MS + TICK_MS;
    sim->next_wire = 1;
    sim->transcript = must(calloc(1, TRANSCRIPT_MAX));
    sim->charter = must(calloc(1, sizeof(*sim->charter)));

    fixture_org_first(&v1[0], admin_of(0));
    fixture_genesis(&charters[0], &v1[0].doc.id, admin_of(0) + 5);
    const struct spean_handle handle = spean_handle_of(&charters[0].doc.id);
    for (uint32_t i = 0; i < count; i++) {
        struct node *node = &sim->nodes[i];
        const bool second = sharing && i + 1 == count; /* Of the first org. */
        if (second) {
            v1[i] = v1[0];
            charters[i] = charters[i - 1];
        } else if (i > 0) {
            fixture_org_first(&v1[i], admin_of(i));
            fixture_charter_member(&charters[i], &charters[i - 1].doc, &v1[i].doc.id,
                                   SPEAN_MEMBER_ACTIVE, admin_of(0) + 5);
        }
        node->index = i;
        node->org = v1[i].doc.id;
        node->runs_left = UINT32_MAX;
        node->aside_room = ASIDE_MAX;
        for (uint32_t k = 0; k < count; k++) {
            node->shelves[k] = must(calloc(1, sizeof(*node->shelves[k])));
        }
        node->pending = must(calloc(FLIGHTS_MAX, sizeof(*node->pending)));
        node->keys = fixture_node(key_of(i), &node->org, &handle);
        const uint32_t of = second ? 0 : i;
        fixture_org_node(&v2[i], second ? &v2[0].doc : &v1[i].doc, &node->org, &handle, !second,
                         key_of(i), admin_of(of));
        require(spean_authority_new(&node->authority, NULL) == SPEAN_OK, "authority_new");
    }
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < count; k++) {
            add_document(&sim->nodes[i], &charters[k]);
        }
        for (uint32_t k = 0; k < count; k++) {
            add_document(&sim->nodes[i], &v1[k]);
            add_document(&sim->nodes[i], &v2[k]);
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        start_node(sim, &sim->nodes[i]);
    }
    sim->charter->doc = charters[count - 1].doc;
    for (uint32_t i = 0; i < count; i++) {
        sim->statements[i] = v2[i].doc.id;
    }
    sim->last_statement.doc = v2[count - 1].doc;
    free(v1);
    free(v2);
    free(charters);
    return sim;
}

struct sim *sim_new(uint32_t count, struct sim_faults faults)
{
    return new_ledger(count, false, faults);
}

struct sim *sim_new_sharing(uint32_t count, struct sim_faults faults)
{
    return new_ledger(count, true, faults);
}

void sim_free(struct sim *sim)
{
    if (sim == NULL) {
        return;
    }
    for (uint32_t i = 0; i < sim->count; i++) {
        struct node *node = &sim->nodes[i];
        spean_sync_free(node->sync);
        spean_authority_free(node->authority);
        for (uint32_t k = 0; k < sim->count; k++) {
            drop_above(&node->chains[k], 0);
            free(node->chains[k].entries);
            free(node->evidence[k]);
            free_shelf(node->shelves[k]);
        }
        for (uint32_t k = 0; k < node->documents_count; k++) {
            free(node->documents[k]);
        }
        free(node->pending);
    }
    for (uint32_t i = 0; i < sim->flights_count; i++) {
        free(sim->flights[i].frame);
    }
    for (size_t i = 0; i < sizeof(sim->last) / sizeof(struct spean_view); i++) {
        free((uint8_t *)(uintptr_t)(&sim->last[0][0][0])[i].data);
    }
    for (uint32_t i = 0; i < sim->questions_count; i++) {
        free(sim->questions[i].memory);
    }
    free(sim->questions);
    free(sim->charter);
    free(sim->transcript);
    free(sim);
}

/* -- The network ----------------------------------------------------------------------------- */

static uint8_t *copy_of(struct spean_view frame)
{
    uint8_t *copy = must(malloc(frame.len));
    memcpy(copy, frame.data, frame.len);
    return copy;
}

static void transcribe(struct sim *sim, uint32_t from, uint32_t to, struct spean_view frame)
{
    struct spean_message *m = must(malloc(sizeof(*m)));
    const bool good = spean_message_decode(frame, m) == SPEAN_OK;
    const char *name = good && type_names[m->type] != NULL ? type_names[m->type] : "?";
    sim->counts.messages++;
    sim->counts.bytes += frame.len;
    if (good) {
        sim->counts.by_type[m->type]++;
        struct spean_view *last = &sim->last[from][to][m->type];
        free((uint8_t *)(uintptr_t)last->data);
        *last = (struct spean_view){copy_of(frame), frame.len};
    }
    if (sim->transcript_len + 64 < TRANSCRIPT_MAX) {
        const int len = snprintf(sim->transcript + sim->transcript_len, 64, "%c>%c %s\n",
                                 (char)('A' + from), (char)('A' + to), name);
        sim->transcript_len += (size_t)len;
    }
    free(m);
}

static struct wire *wire_by_id(struct sim *sim, uint64_t id, uint32_t *from, uint32_t *to)
{
    for (uint32_t i = 0; i < sim->count; i++) {
        for (uint32_t k = 0; k < sim->count; k++) {
            if (sim->wires[i][k].up && sim->wires[i][k].id == id) {
                *from = i;
                *to = k;
                return &sim->wires[i][k];
            }
        }
    }
    return NULL;
}

static void fly(struct sim *sim, const struct flight *flight)
{
    require(sim->flights_count < FLIGHTS_MAX, "too many messages in flight");
    sim->flights[sim->flights_count++] = *flight;
}

static void cut_wire(struct sim *sim, struct wire *wire, uint32_t from, uint32_t to)
{
    if (!wire->up) {
        return;
    }
    wire->up = false;
    wire->redial_ms = sim->now_ms + REDIAL_MS;
    struct spean_sync_event down = {.kind = SPEAN_SYNC_PEER_DOWN, .link = wire->id};
    step(sim, &sim->nodes[from], &down);
    down.link = wire->id;
    step(sim, &sim->nodes[to], &down);
}

/* When len bytes are over that would be there by due, behind what was sent before them. */
static uint64_t carried_at(const struct sim *sim, uint64_t *busy_ms, uint64_t due, size_t len)
{
    const uint64_t from = *busy_ms > due ? *busy_ms : due;
    *busy_ms = from + (uint64_t)len * 1000 / sim->bytes_per_s;
    return *busy_ms;
}

static void transmit(struct sim *sim, uint64_t link, uint32_t sender, struct spean_view frame)
{
    uint32_t dialler = 0;
    uint32_t dialled = 0;
    struct wire *wire = wire_by_id(sim, link, &dialler, &dialled);
    if (wire == NULL) {
        return;
    }
    const uint32_t to = sender == dialler ? dialled : dialler;
    transcribe(sim, sender, to, frame);
    if (sim->silenced[sender] || sim->deafened[to] || roll(sim, 1000) < sim->faults.lost) {
        return;
    }
    uint64_t due = sim->now_ms + 1 + roll(sim, sim->faults.latency_ms + 1);
    const bool overtakes = roll(sim, 1000) < sim->faults.reordered;
    if (sim->bytes_per_s > 0) {
        due = carried_at(sim, &wire->busy_ms[sender == dialler ? 0 : 1], due, frame.len);
    } else {
        due = !overtakes && due < wire->last_ms ? wire->last_ms : due;
        wire->last_ms = overtakes ? wire->last_ms : due;
    }
    struct flight flight = {due, link, sender, to, copy_of(frame), frame.len};
    fly(sim, &flight);
    if (roll(sim, 1000) < sim->faults.repeated) {
        flight.frame = copy_of(frame);
        fly(sim, &flight);
    }
    if (roll(sim, 1000) < sim->faults.cut) {
        wire->redial_ms = sim->now_ms; /* Cut below, not inside a step. */
        wire->last_ms = UINT64_MAX;
    }
}

static void connect_wire(struct sim *sim, struct wire *wire, uint32_t from, uint32_t to)
{
    wire->up = true;
    wire->id = sim->next_wire++;
    wire->last_ms = 0;
    wire->busy_ms[0] = 0;
    wire->busy_ms[1] = 0;
    struct spean_sync_event up = {.kind = SPEAN_SYNC_PEER_UP, .link = wire->id};
    up.as.up.mode = SPEAN_LINK_MEMBER;
    up.as.up.transport = sim->nodes[from].keys.transport;
    const bool admitted =
        spean_authority_log_by_transport(sim->nodes[to].authority, &up.as.up.transport) != NULL;
    if (!admitted) {
        up.as.up.mode = SPEAN_LINK_LOBBY;
    }
    step(sim, &sim->nodes[to], &up);
    up = (struct spean_sync_event){.kind = SPEAN_SYNC_PEER_UP, .link = wire->id};
    up.as.up.mode = SPEAN_LINK_MEMBER;
    up.as.up.dialled = true;
    up.as.up.transport = sim->nodes[to].keys.transport;
    step(sim, &sim->nodes[from], &up);
}

/* -- Effects --------------------------------------------------------------------------------- */

static void keep_pending(struct node *node, struct pending pending)
{
    require(node->pending_count < FLIGHTS_MAX, "too much to store at once");
    node->pending[node->pending_count++] = pending;
}

static void on_append(struct sim *sim, struct node *node, const struct spean_sync_effect *effect)
{
    const struct spean_run *run = effect->as.append.run;
    struct chain *c = chain_of(node, spean_run_log(run));
    require(c != NULL, "append to an unknown log");
    const bool stored = node->runs_left > 0;
    if (stored) {
        node->runs_left -= node->runs_left == UINT32_MAX ? 0 : 1;
        require(spean_run_entry(run, 0)->header.seq == c->count + 1, "append does not extend");
        for (uint32_t i = 0; i < spean_run_count(run); i++) {
            const struct spean_run_entry *e = spean_run_entry(run, i);
            const bool last = i + 1 == spean_run_count(run);
            keep(c, e->header_bytes, e->body, last ? spean_run_signature(run) : NULL);
        }
    }
    keep_pending(node,
                 (struct pending){effect->as.append.token, sim->now_ms + STORE_MS, stored, false});
}

static void on_put_bodies(struct sim *sim, struct node *node,
                          const struct spean_sync_effect *effect)
{
    struct chain *c = chain_of(node, &effect->as.put_bodies.log);
    bool bad = false;
    for (uint32_t i = 0; c != NULL && i < effect->as.put_bodies.count; i++) {
        const struct spean_body_item *item = &effect->as.put_bodies.items[i];
        struct entry *e = item->seq <= c->count ? &c->entries[item->seq - 1] : NULL;
        struct spean_header h;
        if (e != NULL && e->body == NULL && spean_header_decode(e->header, &h) == SPEAN_OK &&
            spean_body_check(&h, item->body) == SPEAN_OK) {
            e->body = copy_of(item->body);
        } else if (e != NULL && e->body == NULL) {
            bad = true;
        }
    }
    keep_pending(node,
                 (struct pending){effect->as.put_bodies.token, sim->now_ms + STORE_MS, true, bad});
}

static void part_key(uint8_t key[SPEAN_KEY_BYTES], uint8_t part)
{
    memset(key, part, SPEAN_KEY_BYTES);
}

static struct spean_tag tag_of(uint8_t part, const struct spean_id *log, struct spean_id *proof)
{
    uint8_t key[SPEAN_KEY_BYTES];
    struct spean_tag tag;
    part_key(key, part);
    spean_partkey_proof(proof, key, &(struct spean_keyed_part){.part = part});
    spean_partkey_tag(&tag, proof, log);
    return tag;
}

static bool is_relay(const struct node *node, const struct spean_id *org,
                     const struct spean_key *signing)
{
    return spean_authority_is_relay(node->authority, org, signing);
}

/* Whether the body of e may travel unasked to org (P6.4): to the audience of its part. */
static bool may_travel(const struct sim *sim, const struct chain *c, const struct entry *e,
                       const struct spean_id *org)
{
    if (!e->has_tag) {
        return true;
    }
    for (uint32_t part = 1; part < 256; part++) {
        struct spean_id proof;
        if (sim->audience_of_part[part] == 0) {
            continue;
        }
        const struct spean_tag tag = tag_of((uint8_t)part, &c->log, &proof);
        for (uint32_t i = 0; spean_tag_equal(&tag, &e->tag) && i < sim->count; i++) {
            if (spean_id_equal(org, &sim->nodes[i].org)) {
                return (sim->audience_of_part[part] >> i & 1) != 0;
            }
        }
    }
    return false;
}

/* The seq that places lead to: the highest that is on our chain. */
static uint32_t start_of(const struct chain *c, const struct spean_sync_effect *effect)
{
    for (uint32_t i = 0; i < effect->as.load_run.places_count; i++) {
        const struct spean_place *place = &effect->as.load_run.places[i];
        if (place->seq <= c->count &&
            spean_id_equal(&c->entries[place->seq - 1].id, &place->entry)) {
            return (uint32_t)place->seq;
        }
    }
    return 0;
}

/* The last signed entry above start that a run can end on within bytes_max, or the first there is;
 * start if there is none. */
static uint32_t end_of(const struct chain *c, uint32_t start, uint32_t bytes_max)
{
    uint32_t end = start;
    size_t size = 0;
    for (uint32_t i = start; i < c->count && i - start < SPEAN_RUN_ENTRIES_MAX; i++) {
        size += c->entries[i].header.len + c->entries[i].body_len;
        if (size > SPEAN_RUN_BYTES_MAX || (size > bytes_max && end > start)) {
            break;
        }
        end = c->entries[i].signed_here ? i + 1 : end;
    }
    return end;
}

static void on_load_run(struct sim *sim, struct node *node, const struct spean_sync_effect *effect)
{
    static uint8_t buf[SPEAN_FRAME_BYTES_MAX];
    struct chain *c = chain_of(node, &effect->as.load_run.log);
    struct spean_sync_event event = {.kind = SPEAN_SYNC_LOADED_RUN, .link = effect->link};
    event.as.loaded_run.purpose = effect->as.load_run.purpose;
    event.as.loaded_run.want = effect->as.load_run.want;
    event.as.loaded_run.log = effect->as.load_run.log;
    event.as.loaded_run.served = c != NULL;
    if (c != NULL) {
        const uint32_t start = start_of(c, effect);
        const uint32_t end = end_of(c, start, effect->as.load_run.bytes_max);
        struct spean_run_source sources[SPEAN_RUN_ENTRIES_MAX];
        for (uint32_t i = start; i < end; i++) {
            const struct entry *e = &c->entries[i];
            const bool travels =
                e->body != NULL && !effect->as.load_run.headers &&
                (is_relay(node, &effect->as.load_run.org, &effect->as.load_run.signing) ||
                 may_travel(sim, c, e, &effect->as.load_run.org));
            sources[i - start].header = e->header;
            sources[i - start].body = (struct spean_view){e->body, travels ? e->body_len : 0};
            event.as.loaded_run.size += (uint32_t)(e->header.len + e->body_len);
        }
        if (end > start) {
            require(spean_run_encode(sources, end - start, &c->entries[end - 1].signature, buf,
                                     sizeof(buf), &event.as.loaded_run.run) == SPEAN_OK,
                    "run_encode");
        }
        event.as.loaded_run.first_seq = start + 1;
        event.as.loaded_run.last = place_of(c, end);
        event.as.loaded_run.more = end < c->count;
    }
    step_once(sim, node, &event);
}

static void on_load_places(struct sim *sim, struct node *node,
                           const struct spean_sync_effect *effect)
{
    struct spean_place places[SPEAN_PLACES_MAX];
    struct chain *c = chain_of(node, &effect->as.load_places.log);
    struct spean_sync_event event = {.kind = SPEAN_SYNC_LOADED_PLACES, .link = effect->link};
    event.as.loaded_places.log = effect->as.load_places.log;
    event.as.loaded_places.places = places;
    uint32_t below = 0;
    uint32_t next = 0; /* 0, 1, 2, 4 ... signed places below the head. */
    for (uint32_t seq = c != NULL ? c->count : 0; seq > 0; seq--) {
        if (!c->entries[seq - 1].signed_here) {
            continue;
        }
        if (below == next && event.as.loaded_places.count < SPEAN_PLACES_MAX) {
            places[event.as.loaded_places.count++] = place_of(c, seq);
            next = next == 0 ? 1 : 2 * next;
        }
        below++;
    }
    step_once(sim, node, &event);
}

static void on_load_bodies(struct sim *sim, struct node *node,
                           const struct spean_sync_effect *effect)
{
    struct spean_body_item items[SPEAN_FETCH_SEQS_MAX];
    struct chain *c = chain_of(node, &effect->as.load_bodies.log);
    struct spean_sync_event event = {.kind = SPEAN_SYNC_LOADED_BODIES, .link = effect->link};
    event.as.loaded_bodies.fetch = effect->as.load_bodies.fetch;
    event.as.loaded_bodies.items = items;
    for (uint32_t i = 0; c != NULL && i < effect->as.load_bodies.count; i++) {
        const uint64_t seq = effect->as.load_bodies.seqs[i];
        const struct entry *e = seq <= c->count ? &c->entries[seq - 1] : NULL;
        if (e != NULL && e->body != NULL && e->has_tag &&
            spean_tag_equal(&e->tag, &effect->as.load_bodies.tag)) {
            items[event.as.loaded_bodies.count++] =
                (struct spean_body_item){seq, {e->body, e->body_len}};
        }
    }
    step_once(sim, node, &event);
}

/* What one answer to LOAD_LACKING is made of. */
struct lacking {
    struct spean_sync_event event;
    struct spean_fetch_group groups[SPEAN_SYNC_FETCHES_MAX];
    uint64_t seqs[SPEAN_SYNC_FETCHES_MAX][SPEAN_FETCH_SEQS_MAX];
    uint32_t skip; /* Groups that were given before. */
};

static void add_lacking(struct lacking *l, const struct chain *c, uint8_t part, bool proven)
{
    struct spean_fetch_group group = {.log = c->log};
    uint64_t seqs[SPEAN_FETCH_SEQS_MAX];
    struct spean_id proof;
    group.tag = tag_of(part, &c->log, &proof);
    for (uint32_t k = 0; k < c->count && group.seqs_count < SPEAN_FETCH_SEQS_MAX; k++) {
        const struct entry *e = &c->entries[k];
        if (e->has_tag && e->body == NULL && spean_tag_equal(&e->tag, &group.tag)) {
            seqs[group.seqs_count++] = k + 1;
        }
    }
    l->event.as.loaded_lacking.missing += group.seqs_count;
    if (group.seqs_count == 0) {
        return;
    }
    if (l->skip > 0) {
        l->skip--;
        return;
    }
    const uint32_t i = l->event.as.loaded_lacking.count;
    if (i == SPEAN_SYNC_FETCHES_MAX) {
        l->event.as.loaded_lacking.more = true;
        return;
    }
    memcpy(l->seqs[i], seqs, sizeof(seqs));
    group.seqs = l->seqs[i];
    group.proof = proven ? proof : (struct spean_id){{0}};
    l->groups[i] = group;
    l->event.as.loaded_lacking.count++;
}

/* What node may read, or carries as a relay. Places in the walk count groups. */
static void on_load_lacking(struct sim *sim, struct node *node,
                            const struct spean_sync_effect *effect)
{
    static struct lacking l;
    memset(&l, 0, sizeof(l));
    l.event = (struct spean_sync_event){.kind = SPEAN_SYNC_LOADED_LACKING, .link = effect->link};
    l.event.as.loaded_lacking.groups = l.groups;
    l.skip = effect->as.load_lacking.at.number;
    for (uint32_t part = 1; part < 256; part++) {
        for (uint32_t i = 0; i < sim->count && sim->audience_of_part[part] != 0; i++) {
            const bool may_hold = effect->as.load_lacking.relay ||
                                  spean_id_equal(&effect->as.load_lacking.org, &sim->nodes[i].org);
            if (node->holds_key[part]) {
                add_lacking(&l, &node->chains[i], (uint8_t)part, true);
            } else if (effect->as.load_lacking.carries && may_hold) {
                add_lacking(&l, &node->chains[i], (uint8_t)part, false);
            }
        }
    }
    l.event.as.loaded_lacking.next.number =
        effect->as.load_lacking.at.number + l.event.as.loaded_lacking.count;
    step_once(sim, node, &l.event);
}

static void on_load_documents(struct sim *sim, struct node *node,
                              const struct spean_sync_effect *effect)
{
    struct spean_view documents[DOCUMENTS_MAX];
    struct spean_sync_event event = {.kind = SPEAN_SYNC_LOADED_DOCUMENTS, .link = effect->link};
    event.as.loaded_documents.documents = documents;
    for (uint32_t i = 0; i < effect->as.load_documents.count; i++) {
        for (uint32_t k = 0; k < node->documents_count; k++) {
            if (spean_id_equal(&node->document_ids[k],
                               &effect->as.load_documents.names[i].title.id)) {
                documents[event.as.loaded_documents.count++] = node->document_views[k];
            }
        }
    }
    step_once(sim, node, &event);
}

/* Logs that a document closed move back to their cuts. */
static void apply_cuts(struct sim *sim, struct node *node)
{
    for (uint32_t i = 0; i < sim->count; i++) {
        struct chain *c = &node->chains[i];
        const struct spean_log *log = spean_authority_log(node->authority, &c->log);
        if (log == NULL || !log->cut.closed || c->count <= log->cut.seq) {
            continue;
        }
        for (uint32_t k = (uint32_t)log->cut.seq; k < c->count; k++) {
            shelve(node->shelves[i], &c->entries[k]);
        }
        drop_above(c, (uint32_t)log->cut.seq);
        node->disputed[i] = false;
        struct spean_sync_event event = {.kind = SPEAN_SYNC_CUT};
        event.as.committed.log = c->log;
        event.as.committed.head = place_of(c, c->count);
        step_once(sim, node, &event);
    }
}

static void authority_changed(struct sim *sim, struct node *node)
{
    apply_cuts(sim, node);
    struct spean_sync_event event = {.kind = SPEAN_SYNC_AUTHORITY};
    step_once(sim, node, &event);
}

static void on_put_documents(struct sim *sim, struct node *node,
                             const struct spean_sync_effect *effect)
{
    struct spean_sync_event event = {.kind = SPEAN_SYNC_DOCUMENTS_PUT, .link = effect->link};
    if (node->documents_full) {
        event.as.documents_put.err = SPEAN_EFULL;
        step_once(sim, node, &event);
        return;
    }
    struct fixture_document *d = must(malloc(sizeof(*d)));
    bool changed = false;
    for (uint32_t i = 0; i < effect->as.put_documents.count; i++) {
        const struct spean_view bytes = effect->as.put_documents.documents[i];
        require(bytes.len <= sizeof(d->bytes), "document too long");
        memcpy(d->bytes, bytes.data, bytes.len);
        d->view = (struct spean_view){d->bytes, bytes.len};
        struct spean_authority_change change;
        spean_err err = spean_document_decode(&d->doc, d->view);
        if (err == SPEAN_OK) {
            err = spean_authority_add(node->authority, d->view, SPEAN_PENDING_REFUSE, &change);
        }
        if (err == SPEAN_EEXISTS) {
            continue;
        }
        if (err != SPEAN_OK) {
            event.as.documents_put.err = err;
            if (err == SPEAN_ELIMIT || err == SPEAN_EWAIT || err == SPEAN_EGAP) {
                continue;
            }
            break;
        }
        changed = true;
        uint8_t *copy = copy_of(bytes);
        node->documents[node->documents_count] = copy;
        node->document_views[node->documents_count] = (struct spean_view){copy, bytes.len};
        node->document_ids[node->documents_count] = d->doc.id;
        node->documents_count++;
    }
    free(d);
    if (changed) {
        authority_changed(sim, node);
    }
    step_once(sim, node, &event);
}

static void on_evidence(struct sim *sim, struct node *node, const struct spean_sync_effect *effect)
{
    for (uint32_t i = 0; i < sim->count; i++) {
        if (spean_id_equal(&node->chains[i].log, &effect->as.evidence.log)) {
            node->disputed[i] = true;
            free(node->evidence[i]);
            node->evidence[i] = copy_of(effect->as.evidence.bytes);
            node->evidence_len[i] = effect->as.evidence.bytes.len;
        }
    }
}

static void on_load_evidence(struct sim *sim, struct node *node,
                             const struct spean_sync_effect *effect)
{
    for (uint32_t i = 0; i < sim->count; i++) {
        if (node->disputed[i]) {
            struct spean_sync_event event = {.kind = SPEAN_SYNC_LOADED_EVIDENCE,
                                             .link = effect->link};
            event.as.message = (struct spean_view){node->evidence[i], node->evidence_len[i]};
            step_once(sim, node, &event);
        }
    }
}

static void on_holds(struct sim *sim, struct node *node, const struct spean_key *signing,
                     const struct spean_id *log, uint64_t seq)
{
    for (uint32_t peer = 0; peer < sim->count; peer++) {
        for (uint32_t author = 0; author < sim->count; author++) {
            if (spean_key_equal(&sim->nodes[peer].keys.signing, signing) &&
                spean_id_equal(&node->chains[author].log, log)) {
                node->told[peer][author] = seq;
            }
        }
    }
}

/* What is taken as proven has to be there, if the peer speaks the truth. */
static void on_holds_all(struct sim *sim, struct node *node, const struct spean_sync_effect *effect)
{
    for (size_t i = 0; i < effect->as.holds_all.count; i++) {
        const struct spean_frontier_row *row = &effect->as.holds_all.rows[i];
        on_holds(sim, node, &effect->as.holds_all.signing, &row->log, row->head.seq);
        for (uint32_t peer = 0; peer < sim->count; peer++) {
            const struct chain *theirs = chain_of(&sim->nodes[peer], &row->log);
            require(
                !spean_key_equal(&sim->nodes[peer].keys.signing, &effect->as.holds_all.signing) ||
                    (theirs != NULL && theirs->count >= row->head.seq),
                "a peer holds what equality proved");
        }
    }
}

static struct shelf *shelf_of(struct node *node, const struct spean_id *log)
{
    const struct chain *c = chain_of(node, log);
    require(c != NULL, "set aside of an unknown log");
    return node->shelves[c - node->chains];
}

static void on_set_aside(struct sim *sim, struct node *node, const struct spean_sync_effect *effect)
{
    const struct spean_run *run = effect->as.append.run;
    const struct spean_log *log = spean_authority_log(node->authority, spean_run_log(run));
    struct shelf *shelf = shelf_of(node, spean_run_log(run));
    const bool stored = shelf->count < node->aside_room;
    struct chain scratch = {.log = *spean_run_log(run),
                            .entries = must(calloc(ENTRIES_MAX, sizeof(struct entry)))};
    for (uint32_t i = 0; stored && i < spean_run_count(run); i++) {
        const struct spean_run_entry *e = spean_run_entry(run, i);
        const bool last = i + 1 == spean_run_count(run);
        keep(&scratch, e->header_bytes, e->body, last ? spean_run_signature(run) : NULL);
        if (e->header.seq > log->cut.seq) {
            shelve(shelf, &scratch.entries[i]);
        }
    }
    drop_above(&scratch, 0);
    free(scratch.entries);
    keep_pending(node,
                 (struct pending){effect->as.append.token, sim->now_ms + STORE_MS, stored, false});
}

static void on_load_held_aside(struct sim *sim, struct node *node,
                               const struct spean_sync_effect *effect)
{
    struct spean_place held[SPEAN_ASIDE_HELD_MAX];
    const struct shelf *shelf = shelf_of(node, &effect->as.load_held_aside.log);
    struct spean_sync_event event = {.kind = SPEAN_SYNC_LOADED_HELD_ASIDE, .link = effect->link};
    event.as.loaded_held_aside.want = effect->as.load_held_aside.want;
    event.as.loaded_held_aside.held = held;
    event.as.loaded_held_aside.full = shelf->count >= node->aside_room;
    for (uint32_t i = 0; i < shelf->count; i++) {
        const struct spean_place place = shelved(shelf, i);
        if (!shelf->entries[i].signed_here ||
            spean_place_compare(&place, &effect->as.load_held_aside.after) <= 0) {
            continue;
        }
        if (event.as.loaded_held_aside.count == SPEAN_ASIDE_HELD_MAX) {
            event.as.loaded_held_aside.more = true;
            break;
        }
        held[event.as.loaded_held_aside.count++] = place;
    }
    step_once(sim, node, &event);
}

static bool is_named(const struct spean_sync_effect *effect, const struct spean_place *place)
{
    for (uint32_t i = 0; i < effect->as.load_branch.held_count; i++) {
        if (spean_place_compare(&effect->as.load_branch.held[i], place) == 0) {
            return true;
        }
    }
    return false;
}

/* The index of what is to be given next; count: nothing. */
static uint32_t next_of(const struct shelf *shelf, const struct spean_sync_effect *effect)
{
    const uint32_t held = effect->as.load_branch.held_count;
    for (uint32_t i = 0; i < shelf->count; i++) {
        const struct spean_place place = shelved(shelf, i);
        if (effect->as.load_branch.more &&
            spean_place_compare(&effect->as.load_branch.held[held - 1], &place) < 0) {
            break;
        }
        if (shelf->entries[i].signed_here &&
            spean_place_compare(&place, &effect->as.load_branch.after) > 0 &&
            !is_named(effect, &place)) {
            return i;
        }
    }
    return shelf->count;
}

/* The index of the entry before entry i of what is set aside, if that is not signed; count: none.
 */
static uint32_t unsigned_before(const struct shelf *shelf, uint32_t i)
{
    for (uint32_t k = 0; k < shelf->count; k++) {
        if (shelf->seqs[k] + 1 == shelf->seqs[i] && !shelf->entries[k].signed_here &&
            spean_id_equal(&shelf->entries[k].id, &shelf->previous[i])) {
            return k;
        }
    }
    return shelf->count;
}

static void on_load_branch(struct sim *sim, struct node *node,
                           const struct spean_sync_effect *effect)
{
    static uint8_t buf[SPEAN_FRAME_BYTES_MAX];
    struct spean_run_source sources[SPEAN_RUN_ENTRIES_MAX];
    const struct shelf *shelf = shelf_of(node, &effect->as.load_branch.log);
    const uint32_t last = next_of(shelf, effect);
    struct spean_sync_event event = {.kind = SPEAN_SYNC_LOADED_BRANCH, .link = effect->link};
    event.as.loaded_branch.want = effect->as.load_branch.want;
    event.as.loaded_branch.log = effect->as.load_branch.log;
    uint32_t first = SPEAN_RUN_ENTRIES_MAX;
    for (uint32_t i = last; i < shelf->count; i = unsigned_before(shelf, i)) {
        const struct entry *e = &shelf->entries[i];
        sources[--first] =
            (struct spean_run_source){e->header, {e->body, e->body != NULL ? e->body_len : 0}};
        event.as.loaded_branch.previous = shelf->previous[i];
    }
    if (last < shelf->count) {
        require(spean_run_encode(&sources[first], SPEAN_RUN_ENTRIES_MAX - first,
                                 &shelf->entries[last].signature, buf, sizeof(buf),
                                 &event.as.loaded_branch.run) == SPEAN_OK,
                "run_encode");
    }
    step_once(sim, node, &event);
}

static void on_report(struct sim *sim, const struct spean_sync_effect *effect)
{
    sim->counts.by_report[effect->as.report.kind]++;
    sim->counts.equal += effect->as.report.kind == SPEAN_REPORT_EQUAL;
    if (effect->as.report.kind == SPEAN_REPORT_PEER_BROKE) {
        sim->counts.broke++;
        sim->counts.last_rule = effect->as.report.count;
    }
}

static void on_drop(struct sim *sim, uint64_t link)
{
    uint32_t from = 0;
    uint32_t to = 0;
    struct wire *wire = wire_by_id(sim, link, &from, &to);
    sim->counts.drops++;
    if (wire != NULL) {
        wire->last_ms = UINT64_MAX; /* Cut before anything else happens; see sim_run(). */
    }
}

/* Effects that are done with at once. */
static void carry_out(struct sim *sim, struct node *node, const struct spean_sync_effect *effect)
{
    if (effect->kind == SPEAN_SYNC_SEND) {
        transmit(sim, effect->link, node->index, effect->as.message);
    } else if (effect->kind == SPEAN_SYNC_DROP) {
        on_drop(sim, effect->link);
    } else if (effect->kind == SPEAN_SYNC_APPEND) {
        on_append(sim, node, effect);
    } else if (effect->kind == SPEAN_SYNC_SET_ASIDE) {
        on_set_aside(sim, node, effect);
    } else if (effect->kind == SPEAN_SYNC_PUT_BODIES) {
        on_put_bodies(sim, node, effect);
    } else if (effect->kind == SPEAN_SYNC_EVIDENCE) {
        on_evidence(sim, node, effect);
    } else if (effect->kind == SPEAN_SYNC_REPORT) {
        on_report(sim, effect);
    } else if (effect->kind == SPEAN_SYNC_PEER_HOLDS) {
        on_holds(sim, node, &effect->as.holds.signing, &effect->as.holds.log,
                 effect->as.holds.place.seq);
    } else if (effect->kind == SPEAN_SYNC_PEER_HOLDS_ALL) {
        on_holds_all(sim, node, effect);
    }
}

/* Effects that are questions: the answer is another step. */
static void answer(struct sim *sim, struct node *node, const struct spean_sync_effect *effect)
{
    if (effect->kind == SPEAN_SYNC_LOAD_RUN) {
        on_load_run(sim, node, effect);
    } else if (effect->kind == SPEAN_SYNC_LOAD_PLACES) {
        on_load_places(sim, node, effect);
    } else if (effect->kind == SPEAN_SYNC_LOAD_BODIES) {
        on_load_bodies(sim, node, effect);
    } else if (effect->kind == SPEAN_SYNC_LOAD_LACKING) {
        on_load_lacking(sim, node, effect);
    } else if (effect->kind == SPEAN_SYNC_LOAD_DOCUMENTS) {
        on_load_documents(sim, node, effect);
    } else if (effect->kind == SPEAN_SYNC_PUT_DOCUMENTS) {
        on_put_documents(sim, node, effect);
    } else if (effect->kind == SPEAN_SYNC_LOAD_HELD_ASIDE) {
        on_load_held_aside(sim, node, effect);
    } else if (effect->kind == SPEAN_SYNC_LOAD_BRANCH) {
        on_load_branch(sim, node, effect);
    } else if (effect->kind == SPEAN_SYNC_LOAD_EVIDENCE) {
        on_load_evidence(sim, node, effect);
    }
}

static bool is_question(enum spean_sync_effect_kind kind)
{
    return kind == SPEAN_SYNC_LOAD_RUN || kind == SPEAN_SYNC_LOAD_PLACES ||
           kind == SPEAN_SYNC_LOAD_BODIES || kind == SPEAN_SYNC_LOAD_LACKING ||
           kind == SPEAN_SYNC_LOAD_DOCUMENTS || kind == SPEAN_SYNC_PUT_DOCUMENTS ||
           kind == SPEAN_SYNC_LOAD_EVIDENCE || kind == SPEAN_SYNC_LOAD_HELD_ASIDE ||
           kind == SPEAN_SYNC_LOAD_BRANCH;
}

static void *copy_array(const void *from, size_t count, size_t size)
{
    void *copy = must(malloc(count * size + 1));
    if (count > 0) {
        memcpy(copy, from, count * size);
    }
    return copy;
}

static void ask(struct sim *sim, const struct node *node, const struct spean_sync_effect *effect)
{
    void *questions = sim->questions;
    require(spean_alloc_more(&questions, &sim->questions_cap, sim->questions_count,
                             sizeof(*sim->questions)) == SPEAN_OK,
            "out of memory");
    sim->questions = questions;
    struct question *q = &sim->questions[sim->questions_count++];
    *q = (struct question){.node = node->index, .effect = *effect};
    struct spean_sync_effect *kept = &q->effect;
    if (effect->kind == SPEAN_SYNC_LOAD_RUN) {
        q->memory = copy_array(effect->as.load_run.places, effect->as.load_run.places_count,
                               sizeof(struct spean_place));
        kept->as.load_run.places = q->memory;
    } else if (effect->kind == SPEAN_SYNC_LOAD_BRANCH) {
        q->memory = copy_array(effect->as.load_branch.held, effect->as.load_branch.held_count,
                               sizeof(struct spean_place));
        kept->as.load_branch.held = q->memory;
    } else if (effect->kind == SPEAN_SYNC_LOAD_BODIES) {
        q->memory =
            copy_array(effect->as.load_bodies.seqs, effect->as.load_bodies.count, sizeof(uint64_t));
        kept->as.load_bodies.seqs = q->memory;
    } else if (effect->kind == SPEAN_SYNC_LOAD_DOCUMENTS) {
        q->memory = copy_array(effect->as.load_documents.names, effect->as.load_documents.count,
                               sizeof(struct spean_document_name));
        kept->as.load_documents.names = q->memory;
    } else if (effect->kind == SPEAN_SYNC_PUT_DOCUMENTS) {
        /* Views into the frame, which outlives this; only the array is the step's. */
        q->memory = copy_array(effect->as.put_documents.documents, effect->as.put_documents.count,
                               sizeof(struct spean_view));
        kept->as.put_documents.documents = q->memory;
    }
}

/* Take a step; what it asks waits for answer_all(). */
static void step_once(struct sim *sim, struct node *node, struct spean_sync_event *event)
{
    event->now_ms = sim->now_ms;
    event->now_s = WALL_START_S + sim->now_ms / 1000;
    require(spean_sync_step(node->sync, event) == SPEAN_OK, "step failed");
    const uint32_t count = spean_sync_effects_count(node->sync);
    sim->counts.effects_most = count > sim->counts.effects_most ? count : sim->counts.effects_most;
    for (uint32_t i = 0; i < count; i++) {
        const struct spean_sync_effect *effect = spean_sync_effect(node->sync, i);
        if (is_question(effect->kind)) {
            ask(sim, node, effect);
        } else {
            carry_out(sim, node, effect);
        }
    }
}

/* Answer everything that was asked, and what the answers ask. */
static void answer_all(struct sim *sim)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < sim->questions_count; i++) {
        const struct question q = sim->questions[i]; /* The array may move. */
        const bool is_run = q.effect.kind == SPEAN_SYNC_LOAD_RUN &&
                            q.effect.as.load_run.purpose != SPEAN_LOAD_COMPARE;
        if (sim->full_pipe[q.node] && (is_run || q.effect.kind == SPEAN_SYNC_LOAD_BODIES)) {
            sim->questions[kept++] = q;
            continue;
        }
        answer(sim, &sim->nodes[q.node], &q.effect);
        free(q.memory);
    }
    sim->questions_count = kept;
}

static void step(struct sim *sim, struct node *node, struct spean_sync_event *event)
{
    step_once(sim, node, event);
    answer_all(sim);
}

/* -- Running --------------------------------------------------------------------------------- */

static void work_wires(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->count; i++) {
        for (uint32_t k = 0; k < sim->count; k++) {
            struct wire *wire = &sim->wires[i][k];
            if (wire->up && wire->last_ms == UINT64_MAX) {
                cut_wire(sim, wire, i, k);
            }
            if (wire->dialled && !wire->up && sim->now_ms >= wire->redial_ms) {
                connect_wire(sim, wire, i, k);
            }
        }
    }
}

static bool deliver_one(struct sim *sim)
{
    uint32_t best = UINT32_MAX;
    for (uint32_t i = 0; i < sim->flights_count; i++) {
        if (sim->flights[i].due_ms <= sim->now_ms &&
            (best == UINT32_MAX || sim->flights[i].due_ms < sim->flights[best].due_ms)) {
            best = i;
        }
    }
    if (best == UINT32_MAX) {
        return false;
    }
    const struct flight flight = sim->flights[best];
    sim->flights_count--;
    memmove(&sim->flights[best], &sim->flights[best + 1],
            (sim->flights_count - best) * sizeof(sim->flights[0]));
    uint32_t from = 0;
    uint32_t to = 0;
    if (wire_by_id(sim, flight.wire, &from, &to) != NULL) {
        struct spean_sync_event event = {.kind = SPEAN_SYNC_MESSAGE, .link = flight.wire};
        event.as.message = (struct spean_view){flight.frame, flight.len};
        step(sim, &sim->nodes[flight.to], &event);
    }
    free(flight.frame);
    return true;
}

static bool store_one(struct sim *sim, struct node *node)
{
    if (node->pending_count == 0 || node->pending[0].due_ms > sim->now_ms) {
        return false;
    }
    const struct pending done = node->pending[0];
    node->pending_count--;
    memmove(&node->pending[0], &node->pending[1], node->pending_count * sizeof(done));
    struct spean_sync_event event = {.kind =
                                         done.stored ? SPEAN_SYNC_DURABLE : SPEAN_SYNC_NOT_DURABLE};
    event.as.durable.token = done.token;
    event.as.durable.bad = done.bad;
    step(sim, node, &event);
    return true;
}

static void tick_all(struct sim *sim)
{
    sim->next_tick_ms += TICK_MS;
    for (uint32_t i = 0; i < sim->count; i++) {
        struct spean_sync_event event = {.kind = SPEAN_SYNC_TIMER};
        step(sim, &sim->nodes[i], &event);
    }
}

static bool is_quiet(const struct sim *sim)
{
    bool quiet = sim->flights_count == 0;
    for (uint32_t i = 0; i < sim->count; i++) {
        quiet = quiet && sim->nodes[i].pending_count == 0;
        for (uint32_t k = 0; k < sim->count; k++) {
            const struct wire *wire = &sim->wires[i][k];
            quiet = quiet && wire->dialled == wire->up && wire->last_ms != UINT64_MAX;
        }
    }
    return quiet;
}

static void run_ms(struct sim *sim)
{
    work_wires(sim);
    while (deliver_one(sim)) {
        work_wires(sim);
    }
    for (uint32_t i = 0; i < sim->count; i++) {
        while (store_one(sim, &sim->nodes[i])) {
        }
    }
    if (sim->now_ms >= sim->next_tick_ms) {
        tick_all(sim);
    }
    sim->now_ms++;
}

void sim_run(struct sim *sim, uint64_t ms)
{
    for (uint64_t i = 0; i < ms; i++) {
        run_ms(sim);
    }
}

bool sim_settle(struct sim *sim, uint64_t ms)
{
    for (uint64_t i = 0; i < ms; i++) {
        run_ms(sim);
        if (is_quiet(sim)) {
            return true;
        }
    }
    return false;
}

void sim_settle_all(struct sim *sim)
{
    require(sim_settle(sim, SIM_SETTLE_MS), "quiet");
    sim_check(sim);
}

/* -- Acting ---------------------------------------------------------------------------------- */

void sim_rate(struct sim *sim, uint32_t bytes_per_s)
{
    sim->bytes_per_s = bytes_per_s;
}

void sim_heal(struct sim *sim)
{
    sim->faults = (struct sim_faults){0};
}

void sim_dial(struct sim *sim, uint32_t from, uint32_t to)
{
    sim->wires[from][to].dialled = true;
    sim->wires[from][to].redial_ms = sim->now_ms;
}

void sim_hang_up(struct sim *sim, uint32_t from, uint32_t to)
{
    sim->wires[from][to].dialled = false;
    cut_wire(sim, &sim->wires[from][to], from, to);
}

static void committed(struct sim *sim, struct node *node)
{
    struct chain *c = &node->chains[node->index];
    struct spean_sync_event event = {.kind = SPEAN_SYNC_COMMITTED};
    event.as.committed.log = c->log;
    event.as.committed.head = place_of(c, c->count);
    step(sim, node, &event);
}

void sim_commit(struct sim *sim, uint32_t index, uint32_t count)
{
    struct node *node = &sim->nodes[index];
    for (uint32_t i = 0; i < count; i++) {
        write_entry(&node->chains[index], &node->keys, key_of(index), NULL, 1);
    }
    committed(sim, node);
}

void sim_commit_sealed(struct sim *sim, uint32_t index, uint8_t part, uint32_t audience)
{
    struct node *node = &sim->nodes[index];
    struct spean_id proof;
    const struct spean_tag tag = tag_of(part, &node->chains[index].log, &proof);
    sim->audience_of_part[part] = (uint8_t)audience;
    for (uint32_t i = 0; i < sim->count; i++) {
        sim->nodes[i].holds_key[part] = sim->nodes[i].holds_key[part] || (audience >> i & 1) != 0;
    }
    write_entry(&node->chains[index], &node->keys, key_of(index), &tag, 2);
    committed(sim, node);
}

void sim_grant(struct sim *sim, uint8_t part, uint32_t index)
{
    sim->audience_of_part[part] |= (uint8_t)(1u << index);
    sim->nodes[index].holds_key[part] = true;
    struct spean_sync_event event = {.kind = SPEAN_SYNC_LACKING};
    step(sim, &sim->nodes[index], &event);
}

void sim_fork(struct sim *sim, uint32_t author, uint64_t above, uint32_t at, uint32_t count)
{
    struct node *node = &sim->nodes[at];
    struct chain *c = &node->chains[author];
    drop_above(c, (uint32_t)above);
    for (uint32_t i = 0; i < count; i++) {
        write_entry(c, &sim->nodes[author].keys, key_of(author), NULL, 0xff);
    }
    struct spean_sync_event event = {.kind = SPEAN_SYNC_CUT};
    event.as.committed.log = c->log;
    event.as.committed.head = place_of(c, c->count);
    step(sim, node, &event);
}

void sim_refuse_documents(struct sim *sim, uint32_t index, bool full)
{
    sim->nodes[index].documents_full = full;
}

void sim_fill_disk(struct sim *sim, uint32_t index, uint32_t runs)
{
    sim->nodes[index].runs_left = runs;
}

/* Write the next version of the charter at steward. */
static void put_charter(struct sim *sim, struct node *steward,
                        const struct spean_charter_draft *draft)
{
    struct fixture_document *next = must(calloc(1, sizeof(*next)));
    fixture_charter(next, draft, SIGNED_BY(admin_of(0) + 5));
    add_document(steward, next);
    free(sim->charter);
    sim->charter = next;
    authority_changed(sim, steward);
    answer_all(sim);
}

void sim_resume(struct sim *sim, uint32_t index)
{
    struct spean_sync_event event = {.kind = SPEAN_SYNC_RESUME};
    step(sim, &sim->nodes[index], &event);
}

void sim_remove(struct sim *sim, uint32_t index)
{
    struct node *steward = &sim->nodes[0];
    const struct chain *c = &steward->chains[index];
    struct spean_charter_member member = {sim->nodes[index].org, SPEAN_MEMBER_REMOVED};
    struct spean_charter_cut cut = {.org = sim->nodes[index].org,
                                    .signing = sim->nodes[index].keys.signing,
                                    .cut = {true, c->count, place_of(c, c->count).entry}};
    const struct spean_charter_draft draft = {.version = sim->charter->doc.version + 1,
                                              .previous = sim->charter->doc.id,
                                              .members_count = 1,
                                              .members = &member,
                                              .cuts_count = 1,
                                              .cuts = &cut};
    put_charter(sim, steward, &draft);
}

void sim_pause(struct sim *sim, uint32_t at, uint32_t author, bool paused)
{
    struct spean_sync_event event = {.kind = SPEAN_SYNC_PAUSED};
    event.as.paused.log = sim_log(sim, author);
    event.as.paused.paused = paused;
    step(sim, &sim->nodes[at], &event);
}

void sim_save(struct sim *sim, uint32_t at, bool saving)
{
    struct spean_sync_event event = {.kind = SPEAN_SYNC_SAVING};
    event.as.saving = saving;
    step(sim, &sim->nodes[at], &event);
}

void sim_relay(struct sim *sim, uint32_t index, bool named)
{
    struct node *steward = &sim->nodes[0];
    struct spean_relay relay = {.org = sim->nodes[index].org,
                                .signing = sim->nodes[index].keys.signing};
    const struct spean_charter_draft draft = {.version = sim->charter->doc.version + 1,
                                              .previous = sim->charter->doc.id,
                                              .has_relays = true,
                                              .relays_count = named ? 1 : 0,
                                              .relays = &relay};
    put_charter(sim, steward, &draft);
}

void sim_close_first(struct sim *sim, uint32_t at, uint64_t seq)
{
    struct fixture_document *next = must(calloc(1, sizeof(*next)));
    struct spean_statement_cut cut = {
        .signing = sim->nodes[0].keys.signing,
        .cut = {true, seq, place_of(&sim->nodes[at].chains[0], (uint32_t)seq).entry}};
    const struct spean_statement_draft draft = {.version = sim->last_statement.doc.version + 1,
                                                .previous = sim->last_statement.doc.id,
                                                .cuts_count = 1,
                                                .cuts = &cut};
    fixture_statement(next, &draft, SIGNED_BY(admin_of(0)));
    add_document(&sim->nodes[at], next);
    sim->last_statement.doc = next->doc;
    free(next);
    authority_changed(sim, &sim->nodes[at]);
    answer_all(sim);
}

uint32_t sim_aside(const struct sim *sim, uint32_t node, uint32_t author)
{
    return sim->nodes[node].shelves[author]->count;
}

void sim_aside_room(struct sim *sim, uint32_t node, uint32_t entries)
{
    sim->nodes[node].aside_room = entries;
}

void sim_inject(struct sim *sim, uint32_t from, uint32_t to, struct spean_view frame)
{
    const struct wire *wire =
        sim->wires[from][to].up ? &sim->wires[from][to] : &sim->wires[to][from];
    require(wire->up, "no connection to inject into");
    struct spean_sync_event event = {.kind = SPEAN_SYNC_MESSAGE, .link = wire->id};
    event.as.message = frame;
    step(sim, &sim->nodes[to], &event);
}

/* -- Playing a node by hand ------------------------------------------------------------------ */

void sim_silence(struct sim *sim, uint32_t node)
{
    sim->silenced[node] = true;
}

void sim_deafen(struct sim *sim, uint32_t node)
{
    sim->deafened[node] = true;
}

bool sim_connected(const struct sim *sim, uint32_t a, uint32_t b)
{
    return sim->wires[a][b].up || sim->wires[b][a].up;
}

struct spean_view sim_last(const struct sim *sim, uint32_t from, uint32_t to, uint64_t type)
{
    return sim->last[from][to][type];
}

struct spean_tag sim_tag(const struct sim *sim, uint32_t author, uint8_t part)
{
    struct spean_id proof;
    return tag_of(part, &sim->nodes[author].chains[author].log, &proof);
}

struct spean_id sim_log(const struct sim *sim, uint32_t author)
{
    return sim->nodes[0].chains[author].log;
}

struct spean_place sim_place(const struct sim *sim, uint32_t node, uint32_t author, uint64_t seq)
{
    return place_of(&sim->nodes[node].chains[author], (uint32_t)seq);
}

struct spean_view sim_run_of(const struct sim *sim, uint32_t node, uint32_t author, uint64_t first,
                             uint64_t last, uint8_t *buf)
{
    const struct chain *c = &sim->nodes[node].chains[author];
    struct spean_run_source sources[SPEAN_RUN_ENTRIES_MAX];
    require(first > 0 && first <= last && last <= c->count, "no such entries");
    require(last - first < SPEAN_RUN_ENTRIES_MAX, "too many entries for a run");
    for (uint64_t seq = first; seq <= last; seq++) {
        const struct entry *e = &c->entries[seq - 1];
        sources[seq - first].header = e->header;
        sources[seq - first].body = (struct spean_view){e->body, e->body != NULL ? e->body_len : 0};
    }
    struct spean_view run = {0};
    require(spean_run_encode(sources, (uint32_t)(last - first + 1), &c->entries[last - 1].signature,
                             buf, SPEAN_FRAME_BYTES_MAX, &run) == SPEAN_OK,
            "run_encode");
    return run;
}

void sim_full_pipe(struct sim *sim, uint32_t node, bool full)
{
    sim->full_pipe[node] = full;
    answer_all(sim);
}

uint32_t sim_unstored(const struct sim *sim, uint32_t node)
{
    return sim->nodes[node].pending_count;
}

void sim_restore(struct sim *sim, uint32_t index, uint32_t author, uint64_t count)
{
    struct node *node = &sim->nodes[index];
    struct chain *c = &node->chains[author];
    drop_above(c, (uint32_t)count);
    struct spean_sync_event event = {.kind = SPEAN_SYNC_CUT};
    event.as.committed.log = c->log;
    event.as.committed.head = place_of(c, c->count);
    step(sim, node, &event);
}

void sim_branch_charter(struct sim *sim, uint32_t at, uint32_t count, uint64_t delay)
{
    struct fixture_document *next = must(calloc(1, sizeof(*next)));
    struct spean_id previous = sim->charter->doc.id;
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t erasure_delay_s = delay + i;
        const struct spean_charter_draft draft = {.version = sim->charter->doc.version + 1 + i,
                                                  .previous = previous,
                                                  .erasure_delay_s = &erasure_delay_s};
        fixture_charter(next, &draft, SIGNED_BY(admin_of(0) + 5));
        add_document(&sim->nodes[at], next);
        previous = next->doc.id;
    }
    free(next);
    authority_changed(sim, &sim->nodes[at]);
}

void sim_branch_statement(struct sim *sim, uint32_t org, uint32_t at, uint32_t count, unsigned key)
{
    struct fixture_document *next = must(calloc(1, sizeof(*next)));
    struct spean_id previous = sim->statements[org];
    for (uint32_t i = 0; i < count; i++) {
        const struct spean_key sealing = fixture_x25519(key + i);
        const struct spean_statement_draft draft = {
            .version = 3 + i, .previous = previous, .generation = 2 + i, .sealing = &sealing};
        fixture_statement(next, &draft, SIGNED_BY(admin_of(org)));
        add_document(&sim->nodes[at], next);
        previous = next->doc.id;
    }
    free(next);
    authority_changed(sim, &sim->nodes[at]);
}

/* -- Looking --------------------------------------------------------------------------------- */

bool sim_quiet(const struct sim *sim, uint32_t index)
{
    return spean_sync_is_quiet(sim->nodes[index].sync);
}

bool sim_equal(const struct sim *sim, uint32_t a, uint32_t b)
{
    for (uint32_t i = 0; i < sim->count; i++) {
        const struct chain *x = &sim->nodes[a].chains[i];
        const struct chain *y = &sim->nodes[b].chains[i];
        if (sim->nodes[a].disputed[i] && sim->nodes[b].disputed[i]) {
            continue;
        }
        if (x->count != y->count ||
            (x->count > 0 &&
             !spean_id_equal(&x->entries[x->count - 1].id, &y->entries[y->count - 1].id))) {
            return false;
        }
    }
    return true;
}

bool sim_authority_equal(const struct sim *sim, uint32_t a, uint32_t b)
{
    struct spean_id x;
    struct spean_id y;
    spean_authority_digest(sim->nodes[a].authority, &x);
    spean_authority_digest(sim->nodes[b].authority, &y);
    return spean_id_equal(&x, &y);
}

uint32_t sim_heads(const struct sim *sim, uint32_t at, uint32_t org)
{
    struct spean_authority_org found;
    require(spean_authority_org(sim->nodes[at].authority, &sim->nodes[org].org, &found) == SPEAN_OK,
            "no such org");
    return found.heads_count;
}

uint32_t sim_charter_heads(const struct sim *sim, uint32_t at)
{
    const struct spean_id ledger = spean_authority_ledger(sim->nodes[at].authority)->id;
    return spean_authority_heads(sim->nodes[at].authority, &ledger, NULL, 0);
}

uint64_t sim_height(const struct sim *sim, uint32_t node, uint32_t author)
{
    return sim->nodes[node].chains[author].count;
}

uint32_t sim_bodies(const struct sim *sim, uint32_t node, uint32_t author)
{
    const struct chain *c = &sim->nodes[node].chains[author];
    uint32_t held = 0;
    for (uint32_t i = 0; i < c->count; i++) {
        held += c->entries[i].body != NULL;
    }
    return held;
}

bool sim_fetching(const struct sim *sim, uint32_t node)
{
    return spean_sync_fetching(sim->nodes[node].sync);
}

uint64_t sim_told(const struct sim *sim, uint32_t node, uint32_t peer, uint32_t author)
{
    return sim->nodes[node].told[peer][author];
}

bool sim_disputed(const struct sim *sim, uint32_t node, uint32_t author)
{
    return sim->nodes[node].disputed[author];
}

void sim_check(const struct sim *sim)
{
    for (uint32_t n = 0; n < sim->count; n++) {
        for (uint32_t i = 0; i < sim->count; i++) {
            const struct chain *c = &sim->nodes[n].chains[i];
            struct spean_id previous = {{0}};
            for (uint32_t k = 0; k < c->count; k++) {
                struct spean_header h;
                require(spean_header_decode(c->entries[k].header, &h) == SPEAN_OK, "header");
                require(spean_id_equal(&h.previous, &previous) && h.seq == k + 1, "chain");
                previous = c->entries[k].id;
            }
            require(c->count == 0 || c->entries[c->count - 1].signed_here, "unsigned head");
            const struct spean_place held =
                spean_frontier_get(spean_sync_frontier(sim->nodes[n].sync), &c->log);
            require(held.seq <= c->count, "frontier promises more than is stored");
        }
    }
}

struct sim_counts sim_counts(const struct sim *sim)
{
    return sim->counts;
}

const char *sim_transcript(const struct sim *sim)
{
    return sim->transcript;
}

void sim_transcript_clear(struct sim *sim)
{
    sim->transcript_len = 0;
    sim->transcript[0] = '\0';
}
