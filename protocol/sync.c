#include "protocol/sync.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/alloc.h"
#include "protocol/entry.h"
#include "protocol/sync_internal.h"

#define EFFECTS_FIRST     64u
#define ARENA_BLOCK_BYTES (SPEAN_FRAME_BYTES_MAX + 65536u) /* One large message and small ones. */

/* Memory that effects point to. */
struct arena_block {
    struct arena_block *next;
    size_t used;
    size_t cap;
    max_align_t data[];
};

void sync_no_memory(struct spean_sync *s)
{
    s->failed = SPEAN_ENOMEM;
}

void sync_try(struct spean_sync *s, spean_err err)
{
    if (err != SPEAN_OK) {
        s->failed = err;
    }
}

static size_t round_up(size_t len)
{
    return (len + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
}

void *sync_alloc(struct spean_sync *s, size_t len)
{
    const size_t size = round_up(len);
    struct arena_block *block = s->blocks;
    if (block == NULL || size > block->cap - block->used) {
        const size_t cap = size > ARENA_BLOCK_BYTES ? size : ARENA_BLOCK_BYTES;
        block = malloc(sizeof(*block) + cap);
        if (block == NULL) {
            sync_no_memory(s);
            return NULL;
        }
        *block = (struct arena_block){.next = s->blocks, .used = 0, .cap = cap};
        s->blocks = block;
    }
    void *memory = (uint8_t *)block->data + block->used;
    block->used += size;
    return memory;
}

/* Keep len bytes of the last allocation, which is at memory, and take back the rest. */
static void arena_trim(struct spean_sync *s, const uint8_t *memory, size_t len)
{
    struct arena_block *block = s->blocks;
    block->used = (size_t)(memory - (const uint8_t *)block->data) + round_up(len);
    assert(block->used <= block->cap);
}

/* Free what the last step's effects pointed to; one block of the usual size is kept. */
static void arena_reset(struct spean_sync *s)
{
    struct arena_block *kept = NULL;
    while (s->blocks != NULL) {
        struct arena_block *next = s->blocks->next;
        if (kept == NULL && s->blocks->cap == ARENA_BLOCK_BYTES) {
            kept = s->blocks;
            kept->used = 0;
            kept->next = NULL;
        } else {
            free(s->blocks);
        }
        s->blocks = next;
    }
    s->blocks = kept;
}

struct spean_sync_effect *sync_effect(struct spean_sync *s, enum spean_sync_effect_kind kind,
                                      const struct link *link)
{
    void *effects = s->effects;
    if (s->effects_count == SYNC_EFFECTS_MAX ||
        spean_alloc_more(&effects, &s->effects_cap, s->effects_count, sizeof(*s->effects)) !=
            SPEAN_OK) {
        sync_no_memory(s);
        return &s->effects[s->effects_count - 1];
    }
    s->effects = effects;
    struct spean_sync_effect *effect = &s->effects[s->effects_count];
    memset(effect, 0, sizeof(*effect));
    effect->kind = kind;
    effect->link = link != NULL ? link->id : 0;
    s->effects_count++;
    return effect;
}

void sync_send(struct spean_sync *s, struct link *link, const struct spean_message *m)
{
    uint8_t *buf = sync_alloc(s, SPEAN_FRAME_BYTES_MAX);
    if (buf == NULL) {
        return;
    }
    struct spean_view frame = {0};
    const spean_err err = spean_message_encode(m, buf, SPEAN_FRAME_BYTES_MAX, &frame);
    assert(err == SPEAN_OK); /* Whoever composes a message keeps it within a frame. */
    arena_trim(s, buf, frame.len);
    sync_effect(s, SPEAN_SYNC_SEND, link)->as.message = frame;
}

void sync_report(struct spean_sync *s, const struct link *link, enum spean_sync_report_kind kind,
                 spean_err err, uint64_t count)
{
    struct spean_sync_effect *effect = sync_effect(s, SPEAN_SYNC_REPORT, link);
    effect->as.report.kind = kind;
    effect->as.report.err = err;
    effect->as.report.count = count;
    if (link != NULL) {
        effect->as.report.org = link->org;
    }
}

void sync_peer_holds(struct spean_sync *s, const struct link *link, const struct spean_id *log,
                     const struct spean_place *place)
{
    struct spean_sync_effect *effect = sync_effect(s, SPEAN_SYNC_PEER_HOLDS, link);
    effect->as.holds.org = link->org;
    effect->as.holds.signing = link->signing;
    effect->as.holds.log = *log;
    effect->as.holds.place = *place;
}

void sync_end(struct spean_sync *s, struct link *link, spean_err err)
{
    if (link->phase == PHASE_ENDED) {
        return;
    }
    link->phase = PHASE_ENDED;
    for (size_t i = 0; i < SPEAN_WANTS_MAX; i++) {
        if (link->wants[i].id != 0) {
            sync_want_close(s, link, &link->wants[i]);
        }
    }
    sync_effect(s, SPEAN_SYNC_DROP, link)->as.drop.err = err;
}

void sync_refuse(struct spean_sync *s, struct link *link, uint64_t rule, spean_err err)
{
    if (link->phase == PHASE_ENDED) {
        return;
    }
    const char *text = spean_err_text(err);
    struct spean_message m = {.type = SPEAN_MESSAGE_REFUSE};
    m.as.refuse.rule = rule;
    m.as.refuse.text = (struct spean_view){(const uint8_t *)text, strlen(text)};
    sync_send(s, link, &m);
    sync_report(s, link, SPEAN_REPORT_PEER_BROKE, err, rule);
    sync_end(s, link, err);
}

struct link *sync_link(struct spean_sync *s, uint64_t id)
{
    for (size_t i = 0; i < SPEAN_SYNC_LINKS_MAX; i++) {
        if (s->links[i] != NULL && s->links[i]->id == id) {
            return s->links[i];
        }
    }
    return NULL;
}

bool sync_peer_stands(const struct spean_sync *s, const struct link *link)
{
    return spean_authority_peer(s->authority, &link->transport, &link->org, &link->signing) != NULL;
}

bool sync_asks(const struct spean_sync *s, const struct link *link)
{
    const bool ours_lower =
        memcmp(s->config.transport.bytes, link->transport.bytes, sizeof(link->transport.bytes)) < 0;
    if (link->dialled == ours_lower) {
        return true; /* The lower key dialled this one. */
    }
    for (size_t i = 0; i < SPEAN_SYNC_LINKS_MAX; i++) {
        const struct link *other = s->links[i];
        if (other != NULL && other != link && other->dialled == ours_lower &&
            other->phase >= PHASE_DOCUMENTS && other->phase <= PHASE_FETCH &&
            spean_key_equal(&other->transport, &link->transport)) {
            return false;
        }
    }
    return true;
}

bool sync_peer_is_relay(const struct spean_sync *s, const struct link *link)
{
    return link->hello_received &&
           spean_authority_is_relay(s->authority, &link->org, &link->signing);
}

/* -- Exclusions ------------------------------------------------------------------------------ */

static uint32_t excluded_index(const struct spean_sync *s, uint64_t name)
{
    uint32_t i = 0;
    while (i < s->excluded_count && s->excluded[i] < name) {
        i++;
    }
    return i;
}

bool sync_is_excluded(const struct spean_sync *s, const struct spean_id *log)
{
    return spean_excluded_has((struct spean_excluded){s->excluded, s->excluded_count}, log);
}

void sync_exclude(struct spean_sync *s, const struct spean_id *log)
{
    if (sync_is_excluded(s, log) || s->excluded_count == SPEAN_EXCLUDED_MAX) {
        return;
    }
    void *names = s->excluded;
    if (spean_alloc_more(&names, &s->excluded_cap, s->excluded_count, sizeof(*s->excluded)) !=
        SPEAN_OK) {
        sync_no_memory(s);
        return;
    }
    s->excluded = names;
    const uint64_t name = spean_short_of(log);
    const uint32_t i = excluded_index(s, name);
    memmove(&s->excluded[i + 1], &s->excluded[i], (s->excluded_count - i) * sizeof(*s->excluded));
    s->excluded[i] = name;
    s->excluded_count++;
    s->exclusions_serial++;
}

void sync_include(struct spean_sync *s, const struct spean_id *log)
{
    if (!sync_is_excluded(s, log)) {
        return;
    }
    const uint32_t i = excluded_index(s, spean_short_of(log));
    s->excluded_count--;
    s->exclusions_serial++;
    memmove(&s->excluded[i], &s->excluded[i + 1], (s->excluded_count - i) * sizeof(*s->excluded));
}

/* -- Appends --------------------------------------------------------------------------------- */

struct append *sync_append_begin(struct spean_sync *s, struct link *link)
{
    uint32_t of_link = 0;
    for (uint32_t i = 0; i < s->appends_count; i++) {
        of_link += s->appends[i].link == link->id ? 1 : 0;
    }
    if (of_link == SYNC_APPENDS_LINK_MAX || s->appends_count == SYNC_APPENDS_MAX) {
        /* It brings crumbs faster than they can be stored; a new session asks for what is left. */
        sync_end(s, link, SPEAN_ELIMIT);
        return NULL;
    }
    void *appends = s->appends;
    if (spean_alloc_more(&appends, &s->appends_cap, s->appends_count, sizeof(*s->appends)) !=
        SPEAN_OK) {
        sync_no_memory(s);
        return NULL;
    }
    s->appends = appends;
    struct append *a = &s->appends[s->appends_count++];
    *a = (struct append){.token = s->next_token++, .link = link->id};
    return a;
}

static void on_stored(struct spean_sync *s, const struct spean_sync_event *event, bool stored)
{
    uint32_t i = 0;
    while (i < s->appends_count && s->appends[i].token != event->as.durable.token) {
        i++;
    }
    if (i == s->appends_count) {
        return;
    }
    const struct append a = s->appends[i];
    s->appends_count--;
    memmove(&s->appends[i], &s->appends[i + 1], (s->appends_count - i) * sizeof(*s->appends));
    if (a.aside) {
        sync_aside_durable(s, &a, stored);
    } else if (a.fetch != 0) {
        sync_bodies_durable(s, &a, stored, event->as.durable.bad);
    } else if (stored) {
        sync_want_durable(s, &a);
    } else {
        sync_want_not_durable(s, &a);
    }
}

/* -- Links ----------------------------------------------------------------------------------- */

static void link_free(struct link *link)
{
    if (link == NULL) {
        return;
    }
    for (size_t i = 0; i < SPEAN_WANTS_MAX; i++) {
        free(link->wants[i].suspect);
    }
    spean_frontier_free(link->target);
    spean_frontier_free(link->theirs);
    spean_frontier_free(link->owed);
    spean_frontier_free(link->pushed);
    free(link->their_titles);
    free(link->their_chains);
    free(link->excluded);
    free(link);
}

static struct link *link_new(struct spean_sync *s, const struct spean_sync_event *event)
{
    struct link *link = calloc(1, sizeof(*link));
    if (link == NULL || spean_frontier_new(&link->target) != SPEAN_OK ||
        spean_frontier_new(&link->theirs) != SPEAN_OK ||
        spean_frontier_new(&link->owed) != SPEAN_OK ||
        spean_frontier_new(&link->pushed) != SPEAN_OK) {
        link_free(link);
        sync_no_memory(s);
        return NULL;
    }
    link->id = event->link;
    link->mode = event->as.up.mode;
    link->dialled = event->as.up.dialled;
    link->transport = event->as.up.transport;
    link->phase = link->mode == SPEAN_LINK_MEMBER ? PHASE_HELLO : PHASE_LOBBY;
    link->received_ms = s->now_ms;
    link->pinged_ms = s->now_ms;
    link->progress_ms = s->now_ms;
    link->allowance = SYNC_ALLOWANCE_FIRST;
    return link;
}

static void on_up(struct spean_sync *s, const struct spean_sync_event *event)
{
    assert(sync_link(s, event->link) == NULL);
    size_t slot = 0;
    while (slot < SPEAN_SYNC_LINKS_MAX && s->links[slot] != NULL) {
        slot++;
    }
    if (slot == SPEAN_SYNC_LINKS_MAX) {
        struct spean_sync_effect *effect = sync_effect(s, SPEAN_SYNC_DROP, NULL);
        effect->link = event->link;
        effect->as.drop.err = SPEAN_ELIMIT;
        return;
    }
    s->links[slot] = link_new(s, event);
    if (s->links[slot] != NULL) {
        sync_session_up(s, s->links[slot], event->as.up.join);
        if (event->as.up.admitted) {
            sync_session_admitted(s, s->links[slot]);
        }
    }
}

static void on_down(struct spean_sync *s, uint64_t id)
{
    struct link *gone = sync_link(s, id);
    if (gone == NULL) {
        return;
    }
    for (size_t i = 0; i < SPEAN_WANTS_MAX; i++) {
        if (gone->wants[i].id != 0) {
            sync_want_close(s, gone, &gone->wants[i]);
        }
    }
    for (size_t i = 0; i < SPEAN_SYNC_LINKS_MAX; i++) {
        if (s->links[i] == gone) {
            s->links[i] = NULL;
        }
    }
    link_free(gone);
    sync_want_again(s); /* What it was asked for may be had from others. */
}

/* -- Messages -------------------------------------------------------------------------------- */

static void on_session_message(struct spean_sync *s, struct link *link,
                               const struct spean_message *m)
{
    switch (m->type) {
    case SPEAN_MESSAGE_TITLES:
        sync_session_titles(s, link, m);
        break;
    case SPEAN_MESSAGE_DOCUMENTS:
        sync_session_documents(s, link, m);
        break;
    case SPEAN_MESSAGE_EVIDENCE:
        sync_fork_evidence(s, link, m);
        break;
    case SPEAN_MESSAGE_DIGEST:
        sync_compare_digest(s, link, m);
        break;
    case SPEAN_MESSAGE_ROWS:
        sync_compare_rows(s, link, m);
        break;
    case SPEAN_MESSAGE_SYNCED:
        sync_compare_synced(s, link, m);
        break;
    case SPEAN_MESSAGE_WANT:
        sync_serve_want(s, link, m);
        break;
    case SPEAN_MESSAGE_MORE:
        sync_serve_more(s, link, m);
        break;
    case SPEAN_MESSAGE_FETCH:
        sync_serve_fetch(s, link, m);
        break;
    case SPEAN_MESSAGE_RUN:
        sync_want_run(s, link, m);
        break;
    case SPEAN_MESSAGE_END:
        sync_want_end(s, link, m);
        break;
    case SPEAN_MESSAGE_BODIES:
        sync_bodies_received(s, link, m);
        break;
    case SPEAN_MESSAGE_HEAD:
        sync_compare_head(s, link, m);
        break;
    case SPEAN_MESSAGE_HELD:
        sync_serve_held(s, link, m);
        break;
    case SPEAN_MESSAGE_ASIDE:
        sync_aside_serve(s, link, m);
        break;
    case SPEAN_MESSAGE_BRANCH:
        sync_aside_branch(s, link, m);
        break;
    case SPEAN_MESSAGE_HELLO:
    case SPEAN_MESSAGE_REFUSE:
    case SPEAN_MESSAGE_PING:
    case SPEAN_MESSAGE_PONG:
    case SPEAN_MESSAGE_OFFER:
    case SPEAN_MESSAGE_JOIN:
    case SPEAN_MESSAGE_CHALLENGE:
    case SPEAN_MESSAGE_STANDING:
    case SPEAN_MESSAGE_NODE:
        sync_refuse(s, link, 1301, SPEAN_ESTATE);
        break;
    }
}

/* Messages that any phase takes. Returns whether m was one. */
static bool on_plain_message(struct spean_sync *s, struct link *link, const struct spean_message *m)
{
    if (m->type == SPEAN_MESSAGE_PING) {
        const struct spean_message pong = {.type = SPEAN_MESSAGE_PONG, .as.number = m->as.number};
        sync_send(s, link, &pong);
        return true;
    }
    if (m->type == SPEAN_MESSAGE_REFUSE) {
        sync_report(s, link, SPEAN_REPORT_PEER_REFUSED, SPEAN_EDENIED, m->as.refuse.rule);
        sync_end(s, link, SPEAN_EDENIED);
        return true;
    }
    if (m->type == SPEAN_MESSAGE_PONG) {
        if (m->as.number == link->ping_number) {
            link->answered_number = link->ping_number;
        }
        return true;
    }
    /* Who asked again while it was being admitted is told so twice (P12.3). */
    return link->mode == SPEAN_LINK_JOINING && m->type == SPEAN_MESSAGE_STANDING;
}

static void on_message(struct spean_sync *s, struct link *link, struct spean_view frame)
{
    if (link == NULL || link->phase == PHASE_ENDED) {
        return;
    }
    link->received_ms = s->now_ms;
    link->pings_lost = 0;
    if (link->unanswered) {
        link->unanswered = false;
        sync_report(s, link, SPEAN_REPORT_ANSWERED, SPEAN_OK, 0);
    }
    struct spean_message *m = sync_alloc(s, sizeof(*m));
    if (m == NULL) {
        return;
    }
    const spean_err err = spean_message_decode(frame, m);
    if (err != SPEAN_OK) {
        sync_refuse(s, link, 1301, err);
        return;
    }
    if (link->phase == PHASE_LOBBY) {
        sync_session_lobby(s, link, m, frame);
        return;
    }
    if (on_plain_message(s, link, m)) {
        return;
    }
    link->progress_ms = s->now_ms;
    if (m->type == SPEAN_MESSAGE_HELLO) {
        sync_session_hello(s, link, m);
        return;
    }
    if (link->phase == PHASE_HELLO &&
        (m->type == SPEAN_MESSAGE_JOIN || m->type == SPEAN_MESSAGE_NODE)) {
        sync_session_admitted(s, link);
        return;
    }
    if (link->phase == PHASE_HELLO && link->dialled && m->type == SPEAN_MESSAGE_OFFER) {
        sync_session_offered(s, link, m);
        return;
    }
    if (link->phase == PHASE_HELLO) {
        sync_refuse(s, link, 1302, SPEAN_ESTATE);
        return;
    }
    if (!sync_peer_stands(s, link) && link->mode == SPEAN_LINK_MEMBER) {
        sync_end(s, link, SPEAN_EDENIED); /* P13.4: nothing more is said to it. */
        return;
    }
    on_session_message(s, link, m);
}

/* -- Time ------------------------------------------------------------------------------------ */

static bool is_serving(const struct link *link)
{
    for (size_t i = 0; i < SPEAN_WANTS_MAX; i++) {
        if (link->serves[i].id != 0) {
            return true;
        }
    }
    return false;
}

/* Whether the peer owes us a word. A message lost on a link that lives is found this way. */
static bool is_owed(const struct link *link)
{
    return link->phase < PHASE_FETCH || (!link->synced_received && !is_serving(link)) ||
           sync_want_open(link) || sync_bodies_open(link) || sync_aside_open(link) ||
           spean_frontier_count(link->pushed) > 0;
}

/* How long nothing but PING and PONG may come while something is owed (P13.13). */
static uint64_t patience_ms(const struct link *link)
{
    const uint64_t at_floor = (uint64_t)SPEAN_RUN_BYTES_MAX * 1000 / SYNC_RATE_FLOOR;
    /* Messages keep their order: what was sent before a PONG has come before it. */
    const bool overtaken =
        link->answered_number >= link->progress_ms + SYNC_STALL_MS - SPEAN_SYNC_PING_BUSY_MS;
    const bool whole = overtaken || link->quick || link->phase == PHASE_HELLO;
    return whole ? SYNC_STALL_MS : SYNC_STALL_MS + at_floor;
}

static void end_silent(struct spean_sync *s, struct link *link)
{
    sync_report(s, link, SPEAN_REPORT_PEER_SILENT, SPEAN_OK, link->pings_lost);
    sync_end(s, link, SPEAN_OK); /* A new session finds out what is missing. */
}

static void send_ping(struct spean_sync *s, struct link *link)
{
    link->pings_lost += link->pings_lost < SPEAN_SYNC_PINGS_LOST_MAX ? 1 : 0;
    link->pinged_ms = s->now_ms;
    link->ping_number = s->now_ms;
    const struct spean_message m = {.type = SPEAN_MESSAGE_PING, .as.number = link->ping_number};
    sync_send(s, link, &m);
}

/* Say once that the peer does not answer: long before the session ends for it (P13.13). */
static void tell_unanswered(struct spean_sync *s, struct link *link)
{
    if (link->pings_lost > 0 && !link->unanswered &&
        s->now_ms - link->pinged_ms >= SPEAN_SYNC_PING_BUSY_MS) {
        link->unanswered = true;
        sync_report(s, link, SPEAN_REPORT_UNANSWERED, SPEAN_OK, link->pings_lost);
    }
}

/* Send PING if nothing came for long enough; owed: the deadline for that is another. */
static void ping(struct spean_sync *s, struct link *link, bool owed)
{
    const bool busy = (owed || is_serving(link)) && link->phase != PHASE_HELLO;
    const uint64_t interval = busy ? SPEAN_SYNC_PING_BUSY_MS : SPEAN_SYNC_PING_IDLE_MS;
    /* Who is owed something wants to know whether it is on its way, whatever else comes. */
    const uint64_t heard = owed ? link->progress_ms : link->received_ms;
    const uint64_t last = heard > link->pinged_ms ? heard : link->pinged_ms;
    if (s->now_ms - last < interval) {
        return;
    }
    if (link->pings_lost == SPEAN_SYNC_PINGS_LOST_MAX && !owed) {
        end_silent(s, link);
        return;
    }
    send_ping(s, link);
}

static void tick(struct spean_sync *s, struct link *link)
{
    if (link->phase == PHASE_ENDED || link->phase == PHASE_LOBBY) {
        return;
    }
    const bool owed = is_owed(link);
    if (!owed) {
        link->progress_ms = s->now_ms; /* Who owes nothing has its minute before it. */
    }
    if (owed && s->now_ms - link->progress_ms >= patience_ms(link)) {
        end_silent(s, link);
        return;
    }
    if (link->paused_until_ms != 0 && s->now_ms >= link->paused_until_ms) {
        link->paused_until_ms = 0;
        if (link->phase == PHASE_FETCH) {
            sync_want_next(s, link);
        }
    }
    tell_unanswered(s, link);
    ping(s, link, owed);
}

/* -- The step -------------------------------------------------------------------------------- */

static void set_own_log(struct spean_sync *s)
{
    const struct spean_ledger *ledger = spean_authority_ledger(s->authority);
    if (ledger != NULL) {
        const struct spean_id id = ledger->id;
        spean_log_id(&s->own_log, &id, &s->config.org, &s->config.signing);
    }
    s->relay = spean_authority_is_relay(s->authority, &s->config.org, &s->config.signing);
}

spean_err spean_sync_new(const struct spean_sync_config *config,
                         const struct spean_authority *authority, struct spean_sync **out)
{
    struct spean_sync *s = calloc(1, sizeof(*s));
    if (s == NULL) {
        return SPEAN_ENOMEM;
    }
    s->config = *config;
    s->authority = authority;
    s->next_token = 1;
    s->next_request = 1;
    s->effects = calloc(EFFECTS_FIRST, sizeof(*s->effects));
    s->effects_cap = EFFECTS_FIRST;
    if (s->effects == NULL || spean_frontier_new(&s->frontier) != SPEAN_OK ||
        spean_run_new(&s->run) != SPEAN_OK || spean_run_new(&s->other) != SPEAN_OK) {
        spean_sync_free(s);
        return SPEAN_ENOMEM;
    }
    set_own_log(s);
    *out = s;
    return SPEAN_OK;
}

void spean_sync_free(struct spean_sync *s)
{
    if (s == NULL) {
        return;
    }
    for (size_t i = 0; i < SPEAN_SYNC_LINKS_MAX; i++) {
        link_free(s->links[i]);
    }
    while (s->blocks != NULL) {
        struct arena_block *next = s->blocks->next;
        free(s->blocks);
        s->blocks = next;
    }
    spean_frontier_free(s->frontier);
    spean_run_free(s->run);
    spean_run_free(s->other);
    free(s->excluded);
    free(s->appends);
    free(s->effects);
    free(s);
}

spean_err spean_sync_hold(struct spean_sync *s, const struct spean_id *log,
                          const struct spean_place *head, enum spean_log_standing standing)
{
    s->failed = SPEAN_OK;
    if (standing != SPEAN_LOG_GOING) {
        sync_exclude(s, log);
    }
    const spean_err err = spean_frontier_set(s->frontier, log, head);
    return err != SPEAN_OK ? err : s->failed;
}

/* What is on its way to the disk above the head of log is not on its chain any more. */
static void forget_appends(struct spean_sync *s, const struct spean_id *log, uint64_t head)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < s->appends_count; i++) {
        const struct append *a = &s->appends[i];
        if (a->fetch != 0 || a->aside || a->place.seq <= head || !spean_id_equal(&a->log, log)) {
            s->appends[kept++] = *a;
        }
    }
    s->appends_count = kept;
}

static void on_moved_back(struct spean_sync *s, const struct spean_sync_event *event)
{
    (void)sync_want_abandon(s, &event->as.committed.log); /* Documents bring a new comparison. */
    forget_appends(s, &event->as.committed.log, event->as.committed.head.seq);
    sync_include(s, &event->as.committed.log);
    if (spean_frontier_set(s->frontier, &event->as.committed.log, &event->as.committed.head) !=
        SPEAN_OK) {
        sync_no_memory(s);
    }
}

/* Compare anew on every link that is past it. */
static void compare_again(struct spean_sync *s)
{
    for (size_t i = 0; i < SPEAN_SYNC_LINKS_MAX; i++) {
        if (s->links[i] != NULL && s->links[i]->phase == PHASE_FETCH) {
            sync_compare_begin(s, s->links[i]);
        }
    }
}

/* A log is excluded or no longer: peers learn of it by a new DIGEST (P13.5). */
static void on_paused(struct spean_sync *s, const struct spean_sync_event *event)
{
    const struct spean_id *log = &event->as.paused.log;
    if (sync_is_excluded(s, log) == event->as.paused.paused) {
        return;
    }
    if (event->as.paused.paused) {
        (void)sync_want_abandon(s, log);
        sync_exclude(s, log);
    } else {
        sync_include(s, log);
    }
    compare_again(s);
}

/* A metered link has given what it may for now, or may give again. */
static void on_saving(struct spean_sync *s, bool saving)
{
    const bool ends = s->saving && !saving;
    s->saving = saving;
    if (ends) {
        compare_again(s);
    }
}

static void on_committed(struct spean_sync *s, const struct spean_sync_event *event)
{
    /* What was asked for began below the new head. If it still is of interest, it is a fork. */
    const bool wanted = sync_want_abandon(s, &event->as.committed.log);
    if (spean_frontier_set(s->frontier, &event->as.committed.log, &event->as.committed.head) !=
        SPEAN_OK) {
        sync_no_memory(s);
        return;
    }
    sync_serve_moved(s, &event->as.committed.log, NULL);
    if (wanted) {
        sync_want_again(s);
    }
}

static void on_loaded_run(struct spean_sync *s, struct link *link,
                          const struct spean_sync_event *event)
{
    if (event->as.loaded_run.purpose != SPEAN_LOAD_COMPARE) {
        sync_serve_loaded(s, link, event);
        return;
    }
    for (size_t i = 0; i < SPEAN_WANTS_MAX; i++) {
        if (link->wants[i].id == event->as.loaded_run.want && link->wants[i].suspect != NULL) {
            sync_fork_loaded(s, link, &link->wants[i], event);
            return;
        }
    }
}

static void on_evidence_loaded(struct spean_sync *s, struct link *link, struct spean_view bytes)
{
    const struct spean_message m = {.type = SPEAN_MESSAGE_EVIDENCE, .as.evidence = bytes};
    sync_send(s, link, &m);
}

/* Events that are about one link; without it they have no meaning any more. */
static void on_link_event(struct spean_sync *s, struct link *link,
                          const struct spean_sync_event *event)
{
    if (link == NULL || link->phase == PHASE_ENDED) {
        return;
    }
    if (link->hello_received && link->mode == SPEAN_LINK_MEMBER && !sync_peer_stands(s, link)) {
        sync_end(s, link, SPEAN_EDENIED); /* P13.4: also what was asked before is not served. */
        return;
    }
    if (event->kind == SPEAN_SYNC_LOADED_RUN) {
        on_loaded_run(s, link, event);
    } else if (event->kind == SPEAN_SYNC_LOADED_BODIES) {
        sync_serve_bodies(s, link, event);
    } else if (event->kind == SPEAN_SYNC_LOADED_LACKING) {
        sync_bodies_lacking(s, link, event);
    } else if (event->kind == SPEAN_SYNC_LOADED_HELD_ASIDE) {
        sync_aside_held(s, link, event);
    } else if (event->kind == SPEAN_SYNC_LOADED_BRANCH) {
        sync_aside_loaded(s, link, event);
    } else if (event->kind == SPEAN_SYNC_LOADED_EVIDENCE) {
        on_evidence_loaded(s, link, event->as.message);
    } else if (event->kind == SPEAN_SYNC_LOADED_DOCUMENTS) {
        sync_session_loaded_documents(s, link, event);
    } else if (event->kind == SPEAN_SYNC_DOCUMENTS_PUT) {
        sync_session_documents_put(s, link, event->as.documents_put.err);
    }
}

/* What a full disk held up is asked for again; and whether the peer is there at all. */
static void resume(struct spean_sync *s, struct link *link)
{
    link->paused_until_ms = 0;
    if (link->phase > PHASE_HELLO && link->phase != PHASE_LOBBY && link->pings_lost == 0) {
        send_ping(s, link);
    }
    if (link->phase == PHASE_FETCH) {
        sync_want_next(s, link);
        sync_bodies_load(s, link);
    }
}

/* Events that concern every link. */
static void on_each_link(struct spean_sync *s, enum spean_sync_event_kind kind)
{
    for (size_t i = 0; i < SPEAN_SYNC_LINKS_MAX; i++) {
        struct link *link = s->links[i];
        if (link == NULL || link->phase == PHASE_ENDED) {
            continue;
        }
        if (kind == SPEAN_SYNC_TIMER) {
            tick(s, link);
        } else if (kind == SPEAN_SYNC_RESUME) {
            resume(s, link);
        } else if (kind == SPEAN_SYNC_AUTHORITY) {
            sync_session_authority(s, link);
        } else if (link->phase == PHASE_FETCH) {
            sync_bodies_load(s, link);
        }
    }
}

static void dispatch(struct spean_sync *s, const struct spean_sync_event *event)
{
    switch (event->kind) {
    case SPEAN_SYNC_PEER_UP:
        on_up(s, event);
        break;
    case SPEAN_SYNC_PEER_DOWN:
        on_down(s, event->link);
        break;
    case SPEAN_SYNC_MESSAGE:
        on_message(s, sync_link(s, event->link), event->as.message);
        break;
    case SPEAN_SYNC_ASK_AGAIN:
        sync_session_ask_again(s, sync_link(s, event->link), event->as.message);
        break;
    case SPEAN_SYNC_DURABLE:
    case SPEAN_SYNC_NOT_DURABLE:
        on_stored(s, event, event->kind == SPEAN_SYNC_DURABLE);
        break;
    case SPEAN_SYNC_LOADED_PLACES:
        sync_want_places(s, event);
        break;
    case SPEAN_SYNC_LOADED_RUN:
    case SPEAN_SYNC_LOADED_BODIES:
    case SPEAN_SYNC_LOADED_LACKING:
    case SPEAN_SYNC_LOADED_HELD_ASIDE:
    case SPEAN_SYNC_LOADED_BRANCH:
    case SPEAN_SYNC_LOADED_EVIDENCE:
    case SPEAN_SYNC_LOADED_DOCUMENTS:
    case SPEAN_SYNC_DOCUMENTS_PUT:
        on_link_event(s, sync_link(s, event->link), event);
        break;
    case SPEAN_SYNC_AUTHORITY:
        set_own_log(s);
        on_each_link(s, event->kind);
        break;
    case SPEAN_SYNC_COMMITTED:
        on_committed(s, event);
        break;
    case SPEAN_SYNC_CUT:
        on_moved_back(s, event);
        break;
    case SPEAN_SYNC_SAVING:
        on_saving(s, event->as.saving);
        break;
    case SPEAN_SYNC_PAUSED:
        on_paused(s, event);
        break;
    case SPEAN_SYNC_LACKING:
    case SPEAN_SYNC_RESUME:
    case SPEAN_SYNC_TIMER:
        on_each_link(s, event->kind);
        break;
    }
}

spean_err spean_sync_step(struct spean_sync *s, const struct spean_sync_event *event)
{
    s->effects_count = 0;
    s->failed = SPEAN_OK;
    arena_reset(s);
    s->now_ms = event->now_ms;
    s->now_s = event->now_s;
    dispatch(s, event);
    return s->failed;
}

bool spean_sync_fetching(const struct spean_sync *sync)
{
    assert(sync != NULL);
    for (size_t i = 0; i < SPEAN_SYNC_LINKS_MAX; i++) {
        if (sync->links[i] != NULL && sync_want_open(sync->links[i])) {
            return true;
        }
    }
    return false;
}

uint32_t spean_sync_effects_count(const struct spean_sync *s)
{
    return s->effects_count;
}

const struct spean_sync_effect *spean_sync_effect(const struct spean_sync *s, uint32_t i)
{
    assert(i < s->effects_count);
    return &s->effects[i];
}

const struct spean_frontier *spean_sync_frontier(const struct spean_sync *s)
{
    return s->frontier;
}

/* Whether nothing is under way between us and the peer of link. */
static bool link_is_quiet(const struct spean_sync *s, const struct link *link)
{
    const struct spean_place own = spean_frontier_get(s->frontier, &s->own_log);
    if (link->phase == PHASE_LOBBY || link->phase == PHASE_ENDED) {
        return true;
    }
    if (link->phase != PHASE_FETCH || !link->synced_sent || !link->synced_received ||
        sync_want_open(link) || spean_frontier_count(link->pushed) > 0 ||
        spean_frontier_get(link->theirs, &s->own_log).seq < own.seq) {
        return false;
    }
    return !sync_bodies_open(link);
}

bool spean_sync_is_quiet(const struct spean_sync *s)
{
    for (size_t i = 0; i < SPEAN_SYNC_LINKS_MAX; i++) {
        if (s->links[i] != NULL && !link_is_quiet(s, s->links[i])) {
            return false;
        }
    }
    return s->appends_count == 0;
}

spean_err spean_sync_encode_challenge(const uint8_t fresh[SPEAN_FRESH_BYTES], uint8_t *buf,
                                      size_t cap, struct spean_view *out)
{
    struct spean_message m = {.type = SPEAN_MESSAGE_CHALLENGE};
    memcpy(m.as.fresh, fresh, sizeof(m.as.fresh));
    return spean_message_encode(&m, buf, cap, out);
}

spean_err spean_sync_encode_standing(uint32_t standing, uint8_t *buf, size_t cap,
                                     struct spean_view *out)
{
    const struct spean_message m = {.type = SPEAN_MESSAGE_STANDING, .as.number = standing};
    return spean_message_encode(&m, buf, cap, out);
}
