/*
 * store/fold.h: the same entries, bodies and keys give the same records, in whatever order they
 * arrive, in batches of whatever size, and folded from the start (P10.1).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/body.h"
#include "tests/unit/store/world.h"

#define EVENTS_MAX 16u
#define FIELDS     4u
#define SEEDS      12u
#define CHANGES    120u

#define GENERATIONS   4u
#define KEYS          2u /* Of each generation. */
#define GRANT_LOGS    3u
#define STORIES       6u
#define STORY_ENTRIES 45u

static const uint8_t key_a[SPEAN_KEY_BYTES] = {0xa1};
static const uint8_t key_b[SPEAN_KEY_BYTES] = {0xb2};
static const uint8_t key_c[SPEAN_KEY_BYTES] = {0xc3};

/* Something that arrives: the next entry of a log, with or without its body; a body by itself; or
 * the documents that are new. */
enum arrival { ENTRY, HEADER, BODY, DOCUMENTS };

struct event {
    enum arrival kind;
    unsigned log;
    uint64_t seq;
};

struct history {
    struct world *w;
    struct spean_part_name part;
    uint8_t fixed[WORLD_BYTES_MAX];
    uint32_t count;
    struct event events[EVENTS_MAX];
};

static int setup(void **state)
{
    struct history *h = calloc(1, sizeof(*h));
    assert_non_null(h);
    h->w = world_new();
    h->part = (struct spean_part_name){world_record(h->w, 0, 7), SPEAN_PART_STEPS};
    *state = h;
    return 0;
}

static int teardown(void **state)
{
    struct history *h = *state;
    world_free(h->w);
    free(h);
    return 0;
}

/* -- Writing --------------------------------------------------------------------------------- */

static void happens(struct history *h, enum arrival kind, unsigned log, uint64_t seq)
{
    assert_true(h->count < EVENTS_MAX);
    h->events[h->count].kind = kind;
    h->events[h->count].log = log;
    h->events[h->count].seq = seq;
    h->count++;
}

static uint64_t grants(struct history *h, unsigned log, uint64_t generation, const uint8_t *key)
{
    struct world_grant grant = world_referral_grant(&h->part, key);
    grant.generation = generation;
    return world_grant(h->w, log, &grant);
}

static uint64_t creates(struct history *h)
{
    const struct world_change change = world_referral_create(h->w, &h->part, key_a, 7, h->fixed);
    return world_write(h->w, 0, &change);
}

/* A write of a value that either may write; it has seen (log, seq), if seq is not 0. */
static uint64_t writes(struct history *h, unsigned log, const uint8_t *key, uint8_t value,
                       unsigned seen, uint64_t seq)
{
    struct world_change change = world_referral_change(&h->part, key);
    change.ops_count = 1;
    change.ops[0] = (struct world_op){.field = 3001, .kind = SPEAN_KIND_VALUE, .value = value};
    change.rows_count = seq > 0 ? 1 : 0;
    change.rows[0].log = seen;
    change.rows[0].seq = seq;
    return world_write(h->w, log, &change);
}

/* A write of some value, by whomever. */
static uint64_t writes_as(struct history *h, unsigned log, const uint8_t *key, uint64_t field,
                          uint8_t value)
{
    struct world_change change = world_referral_change(&h->part, key);
    change.ops_count = 1;
    change.ops[0] = (struct world_op){.field = field, .kind = SPEAN_KIND_VALUE, .value = value};
    return world_write(h->w, log, &change);
}

/* -- Permuting ------------------------------------------------------------------------------- */

static void take(struct node *n, const struct event *event)
{
    switch (event->kind) {
    case ENTRY:
    case HEADER:
        node_take(n, event->log, event->seq, event->kind == ENTRY);
        break;
    case BODY:
        node_body(n, event->log, event->seq);
        break;
    case DOCUMENTS:
        node_documents(n);
        break;
    }
}

/* Say whether event may come now: entries of one log come in order, bodies after their entry. */
static bool may_come(const struct history *h, uint32_t taken, uint32_t event)
{
    const struct event *e = &h->events[event];
    for (uint32_t i = 0; i < h->count; i++) {
        const struct event *before = &h->events[i];
        const bool is_entry = before->kind == ENTRY || before->kind == HEADER;
        if ((taken & (1u << i)) != 0 || !is_entry || before->log != e->log || i == event) {
            continue;
        }
        if (e->kind == BODY ? before->seq <= e->seq : before->seq < e->seq) {
            return false;
        }
    }
    return true;
}

/* Go to the next order in which the events may come; false after the last. */
struct orders {
    uint32_t order[EVENTS_MAX];
    uint32_t depth;
    uint32_t taken;
    bool begun;
};

static bool orders_next(const struct history *h, struct orders *o)
{
    uint32_t candidate = 0;
    if (!o->begun) {
        o->begun = true;
    } else if (o->depth > 0) {
        o->depth--;
        candidate = o->order[o->depth] + 1;
        o->taken &= ~(1u << o->order[o->depth]);
    }
    while (o->depth < h->count) {
        while (candidate < h->count &&
               ((o->taken & (1u << candidate)) != 0 || !may_come(h, o->taken, candidate))) {
            candidate++;
        }
        if (candidate < h->count) {
            o->order[o->depth++] = candidate;
            o->taken |= 1u << candidate;
            candidate = 0;
            continue;
        }
        if (o->depth == 0) {
            return false;
        }
        o->depth--;
        candidate = o->order[o->depth] + 1;
        o->taken &= ~(1u << o->order[o->depth]);
    }
    return true;
}

/* Let node n see everything in every order, folding after each event or at the end only, and at
 * last once more from the start: always the same is shown. Returns how many orders there were. */
static uint32_t permute(struct history *h, struct node *n)
{
    struct spean_id expected = {{0}};
    struct orders orders = {0};
    uint32_t count = 0;
    while (orders_next(h, &orders)) {
        node_wipe(n);
        n->budget = 1 + count % 5;
        for (uint32_t i = 0; i < h->count; i++) {
            take(n, &h->events[orders.order[i]]);
            if (count % 3 != 2) {
                node_fold(n);
            }
        }
        node_fold(n);
        const struct spean_id shown = node_shown(n);
        if (count == 0) {
            expected = shown;
        }
        assert_memory_equal(shown.bytes, expected.bytes, sizeof(shown.bytes));
        count++;
    }
    struct spean_tx *tx;
    assert_int_equal(spean_tx_begin(n->db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
    assert_int_equal(spean_fold_reset(tx), SPEAN_OK);
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
    node_fold(n);
    const struct spean_id again = node_shown(n);
    assert_memory_equal(again.bytes, expected.bytes, sizeof(again.bytes));
    return count;
}

static void keys_records_and_writes_may_come_in_any_order(void **state)
{
    struct history *h = *state;
    happens(h, ENTRY, 0, grants(h, 0, 1, key_a));
    happens(h, ENTRY, 0, creates(h));
    const uint64_t first = writes(h, 0, key_a, 1, 0, 0);
    happens(h, ENTRY, 0, first);
    happens(h, ENTRY, 1, writes(h, 1, key_a, 2, 0, first));
    happens(h, ENTRY, 1, writes(h, 1, key_a, 3, 0, first));
    happens(h, ENTRY, 0, writes(h, 0, key_a, 4, 0, 0));
    struct node *n = node_new(h->w, 1);
    assert_int_equal(permute(h, n), 15);
    assert_int_equal(node_value(n, &h->part, 3001), 254);
    node_free(n);
}

static void bodies_may_come_before_or_after_their_key(void **state)
{
    struct history *h = *state;
    const uint64_t grant = grants(h, 0, 1, key_a);
    const uint64_t create = creates(h);
    happens(h, ENTRY, 0, grant);
    happens(h, HEADER, 0, create);
    happens(h, BODY, 0, create);
    const uint64_t write = writes(h, 1, key_a, 2, 0, create);
    happens(h, HEADER, 1, write);
    happens(h, BODY, 1, write);
    struct node *n = node_new(h->w, 1);
    assert_int_equal(permute(h, n), 10);
    assert_int_equal(node_value(n, &h->part, 3001), 2);
    node_free(n);
}

static void generations_may_come_in_any_order(void **state)
{
    struct history *h = *state;
    happens(h, ENTRY, 0, grants(h, 0, 1, key_a));
    happens(h, ENTRY, 0, creates(h));
    happens(h, ENTRY, 1, grants(h, 1, 2, key_b));
    happens(h, ENTRY, 1, writes(h, 1, key_b, 2, 0, 0));
    happens(h, ENTRY, 0, grants(h, 0, 3, key_c));
    happens(h, ENTRY, 0, writes(h, 0, key_c, 3, 1, h->w->logs[1]->count));
    struct node *n = node_new(h->w, 0);
    assert_int_equal(permute(h, n), 15);
    assert_int_equal(node_value(n, &h->part, 3001), 3);
    node_free(n);
}

static void who_is_left_out_is_so_in_every_order(void **state)
{
    struct history *h = *state;
    happens(h, ENTRY, 0, grants(h, 0, 1, key_a));
    happens(h, ENTRY, 0, creates(h));
    happens(h, ENTRY, 1, writes(h, 1, key_a, 2, 0, 0));
    const uint64_t read = writes(h, 1, key_a, 3, 0, 0);
    happens(h, ENTRY, 1, read);
    const struct world_grant second = {.record = h->part.record,
                                       .part = h->part.part,
                                       .generation = 2,
                                       .key = key_b,
                                       .owner = 0,
                                       .audience = 1,
                                       .seen = 1,
                                       .seen_seq = read};
    happens(h, ENTRY, 0, world_grant(h->w, 0, &second));
    happens(h, ENTRY, 1, writes(h, 1, key_a, 4, 0, 0));
    struct node *n = node_new(h->w, 0);
    assert_int_equal(permute(h, n), 20);
    assert_int_equal(node_value(n, &h->part, 3001), 3);
    node_free(n);
}

static void erasures_may_come_in_any_order(void **state)
{
    struct history *h = *state;
    happens(h, ENTRY, 0, grants(h, 0, 1, key_a));
    happens(h, ENTRY, 0, creates(h));
    happens(h, ENTRY, 0, world_erase_part(h->w, 0, &h->part, key_a));
    happens(h, ENTRY, 1, writes(h, 1, key_a, 2, 0, 0));
    happens(h, ENTRY, 1, world_erase_part(h->w, 1, &h->part, key_a));
    struct node *n = node_new(h->w, 0);
    assert_int_equal(permute(h, n), 10);
    assert_int_equal(node_value(n, &h->part, 3001), 255);
    node_free(n);
}

/* What is said of an entry that was opened goes with the key that opened it. */
static void what_is_set_aside_is_hidden_with_its_part_in_every_order(void **state)
{
    struct history *h = *state;
    struct world_change other = world_referral_change(&h->part, key_a);
    other.sealed_as = h->part.part; /* It bears the tag of this part and names another one. */
    other.part = h->part.part + 1;
    happens(h, ENTRY, 0, grants(h, 0, 1, key_a));
    happens(h, ENTRY, 0, creates(h));
    happens(h, ENTRY, 0, world_erase_part(h->w, 0, &h->part, key_a));
    happens(h, ENTRY, 1, world_write(h->w, 1, &other));
    struct node *n = node_new(h->w, 0);
    assert_int_equal(permute(h, n), 4);
    assert_int_equal(node_aside(n, 1, 1), SPEAN_ASIDE_NOT);
    node_free(n);
}

/* The same of a public entry that is erased. */
static void what_is_set_aside_is_hidden_with_its_entry_in_every_order(void **state)
{
    static const uint8_t nonsense[SPEAN_BODY_SALT_BYTES + 1] = {0xc1};
    struct history *h = *state;
    const uint64_t seq = world_raw(h->w, 1, SPEAN_ENTRY_CHANGE, NULL,
                                   (struct spean_view){nonsense, sizeof(nonsense)});
    happens(h, ENTRY, 1, seq);
    happens(h, ENTRY, 0, world_erase_place(h->w, 0, 1, seq));
    struct node *n = node_new(h->w, 0);
    assert_int_equal(permute(h, n), 2);
    assert_int_equal(node_aside(n, 1, seq), SPEAN_ASIDE_NOT);
    node_free(n);
}

/* A party grants the key as if the part were its own, to one more: that counts for nothing, also
 * where it came before anybody knew whose the record is. */
static void a_key_reaches_whom_its_owner_names_in_every_order(void **state)
{
    struct history *h = *state;
    struct world_grant false_one = world_referral_grant(&h->part, key_a);
    false_one.owner = 1;
    false_one.audience = 1u << 0 | 1u << 2;
    happens(h, ENTRY, 0, grants(h, 0, 1, key_a));
    happens(h, ENTRY, 0, creates(h));
    happens(h, ENTRY, 1, world_grant(h->w, 1, &false_one));
    happens(h, ENTRY, 2, writes_as(h, 2, key_a, 4001, 5));
    struct node *n = node_new(h->w, 0);
    assert_int_equal(permute(h, n), 12);
    assert_int_equal(node_value(n, &h->part, 4001), 255);
    node_free(n);
}

/* The second node of an organisation hands the key on, and its log is cut before that. */
static void whom_a_cut_takes_a_key_from_no_longer_writes(void **state)
{
    struct history *h = *state;
    struct world_grant wider = world_referral_grant(&h->part, key_a);
    wider.audience = WORLD_BOTH | 1u << 2;
    (void)grants(h, 0, 1, key_a);
    (void)creates(h);
    world_open_second(h->w);
    const uint64_t keep = grants(h, 4, 1, key_a);
    (void)world_grant(h->w, 4, &wider);
    (void)writes_as(h, 2, key_a, 4001, 5);
    struct node *before = node_new(h->w, 0);
    node_take_all(before);
    node_fold(before);
    assert_int_equal(node_value(before, &h->part, 4001), 5);
    world_cut(h->w, 4, keep);
    struct node *after = node_new(h->w, 0);
    node_take(after, 0, h->w->logs[0]->count, true);
    node_take(after, 2, h->w->logs[2]->count, true);
    node_take(after, 4, keep, true);
    node_fold(after);
    node_documents(before);
    node_fold(before);
    assert_int_equal(node_value(before, &h->part, 4001), 255);
    assert_int_equal(node_value(after, &h->part, 4001), 255);
    node_free(before);
    node_free(after);
}

/* A cut comes with the documents, before or after what it cuts was folded. */
static void a_cut_may_come_at_any_time(void **state)
{
    struct history *h = *state;
    (void)grants(h, 0, 1, key_a);
    const uint64_t create = creates(h);
    const uint64_t keep = writes(h, 1, key_a, 2, 0, create);
    const uint64_t gone = writes(h, 1, key_a, 3, 0, create);
    const uint64_t own = writes(h, 0, key_a, 4, 1, gone);
    happens(h, ENTRY, 0, create);
    happens(h, ENTRY, 1, keep);
    happens(h, ENTRY, 1, gone);
    happens(h, ENTRY, 0, own);
    struct node *nodes[EVENTS_MAX];
    for (uint32_t when = 0; when <= h->count; when++) {
        nodes[when] = node_new(h->w, 0);
    }
    world_cut(h->w, 1, keep);
    struct spean_id expected = {{0}};
    for (uint32_t when = 0; when <= h->count; when++) {
        struct node *n = nodes[when];
        for (uint32_t i = 0; i <= h->count; i++) {
            const bool is_cut = i < h->count && h->events[i].seq == gone && h->events[i].log == 1;
            if (i == when) {
                node_documents(n);
            }
            if (i < h->count && !(is_cut && when <= i)) {
                take(n, &h->events[i]);
            }
            node_fold(n);
        }
        const struct spean_id shown = node_shown(n);
        expected = when == 0 ? shown : expected;
        assert_memory_equal(shown.bytes, expected.bytes, sizeof(shown.bytes));
        assert_int_equal(node_value(n, &h->part, 3001), 254); /* 2 and 4: nobody saw both. */
        node_free(n);
    }
}

/* -- At random ------------------------------------------------------------------------------- */

static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* A change of some kind to some field, by one of both organisations, which has seen some of the
 * other's entries. */
static void write_some(struct history *h, uint32_t *seed)
{
    uint8_t dot_bytes[SPEAN_DOT_BYTES_MAX];
    static const uint64_t kinds[FIELDS] = {SPEAN_KIND_VALUE, SPEAN_KIND_SET, SPEAN_KIND_LIST,
                                           SPEAN_KIND_STRICTEST};
    const unsigned log = next(seed) % 2;
    const uint32_t field = next(seed) % FIELDS;
    const uint8_t *keys[] = {key_a, key_b};
    struct world_change change = world_referral_change(&h->part, keys[next(seed) % 2]);
    change.ops_count = 1;
    change.ops[0] = (struct world_op){
        .field = 3001 + field, .kind = kinds[field], .value = (uint8_t)(next(seed) % 8)};
    if (kinds[field] == SPEAN_KIND_SET) {
        change.ops[0].verb = next(seed) % 2;
    }
    if (kinds[field] == SPEAN_KIND_LIST) {
        change.ops[0].verb = next(seed) % 3 == 0 ? SPEAN_VERB_STRIKE : SPEAN_VERB_APPEND;
    }
    if (kinds[field] == SPEAN_KIND_LIST && change.ops[0].verb == SPEAN_VERB_STRIKE) {
        /* What it names may come later, be no item, or never come. */
        const struct spean_dot dot = {.log = spean_short_of(&h->w->logs[next(seed) % 2]->log),
                                      .seq = 1 + next(seed) % CHANGES};
        change.ops[0].bytes = spean_dot_encode(&dot, dot_bytes);
    }
    if (next(seed) % 3 != 0) {
        change.rows_count = 1;
        change.rows[0].log = 1 - log;
        change.rows[0].seq = 1 + next(seed) % (h->w->logs[1 - log]->count + 2);
        change.rows[0].lies = next(seed) % 16 == 0;
    }
    if (next(seed) % 16 == 0) {
        change.ops[0].field = 1002 + 1000u * (next(seed) % 2); /* Sometimes another's. */
    }
    (void)world_write(h->w, log, &change);
}

/* Hand everything to a node in some order, with bodies sometimes late. */
static void arrive_some(struct history *h, struct node *n, uint32_t *seed)
{
    static bool late[2][CHANGES + 8];
    memset(late, 0, sizeof(late));
    n->budget = 1 + next(seed) % 40;
    for (;;) {
        const bool done =
            node_held(n, 0) == h->w->logs[0]->count && node_held(n, 1) == h->w->logs[1]->count;
        if (done) {
            break;
        }
        const unsigned log = next(seed) % 2;
        const uint64_t held = node_held(n, log);
        if (held == h->w->logs[log]->count) {
            continue;
        }
        const bool with = next(seed) % 4 != 0;
        late[log][held + 1] = !with;
        node_take(n, log, held + 1, with);
        if (next(seed) % 4 == 0) {
            node_fold(n);
        }
    }
    for (unsigned log = 0; log < 2; log++) {
        for (uint64_t seq = h->w->logs[log]->count; seq > 0; seq--) {
            if (late[log][seq]) {
                node_body(n, log, seq);
            }
            if (late[log][seq] && next(seed) % 3 == 0) {
                node_fold(n);
            }
        }
    }
    node_fold(n);
}

static void long_histories_come_to_one_state(void **state)
{
    struct history *h = *state;
    uint32_t seed = 20261122;
    (void)grants(h, 0, 1, key_a);
    (void)creates(h);
    (void)grants(h, 1, 2, key_b);
    for (uint32_t i = 0; i < CHANGES; i++) {
        write_some(h, &seed);
    }
    struct node *n = node_new(h->w, 1);
    node_take_all(n);
    node_fold(n);
    const struct spean_id expected = node_shown(n);
    for (uint32_t i = 0; i < SEEDS; i++) {
        node_wipe(n);
        arrive_some(h, n, &seed);
        const struct spean_id shown = node_shown(n);
        assert_memory_equal(shown.bytes, expected.bytes, sizeof(shown.bytes));
    }
    node_free(n);
}

/* -- Generations at random ------------------------------------------------------------------- */

static const uint8_t generation_keys[GENERATIONS][KEYS][SPEAN_KEY_BYTES] = {
    {{0xa1}, {0xa2}}, {{0xb1}, {0xb2}}, {{0xc1}, {0xc2}}, {{0xd1}, {0xd2}}};

/* A grant of some generation by somebody, to some, who has seen some. */
static void grant_some(struct history *h, uint32_t *seed)
{
    const unsigned log = next(seed) % GRANT_LOGS;
    const uint32_t at = next(seed) % GENERATIONS;
    struct world_grant grant =
        world_referral_grant(&h->part, generation_keys[at][next(seed) % KEYS]);
    grant.generation = at + 1;
    grant.owner = next(seed) % 8 == 0 ? 1 : 0;
    grant.audience = 1u | (next(seed) % 4 != 0 ? 2u : 0u) | (next(seed) % 3 == 0 ? 4u : 0u);
    grant.seen = (log + 1 + next(seed) % (GRANT_LOGS - 1)) % GRANT_LOGS;
    if (at > 0 && h->w->logs[grant.seen]->count > 0 && next(seed) % 3 != 0) {
        grant.seen_seq = 1 + next(seed) % h->w->logs[grant.seen]->count;
    }
    if (at > 0 && next(seed) % 3 == 0) {
        grant.older = generation_keys[at - 1][next(seed) % KEYS];
    }
    (void)world_grant(h->w, log, &grant);
}

/* A write under some key by somebody. */
static void write_under_some(struct history *h, uint32_t *seed)
{
    const unsigned log = next(seed) % GRANT_LOGS;
    const uint8_t *key = generation_keys[next(seed) % GENERATIONS][next(seed) % KEYS];
    const uint64_t field = log == 2 || next(seed) % 2 == 0 ? 4001 : 3001;
    (void)writes_as(h, log, key, field, (uint8_t)(next(seed) % 100));
}

/* An erasure of the part, by whomever and of some key, or of an entry. */
static void erase_some(struct history *h, uint32_t *seed)
{
    const unsigned log = next(seed) % GRANT_LOGS;
    const unsigned of = next(seed) % GRANT_LOGS;
    const uint64_t count = h->w->logs[of]->count;
    if (next(seed) % 4 == 0) {
        const uint8_t *key = generation_keys[next(seed) % GENERATIONS][next(seed) % KEYS];
        (void)world_erase_part(h->w, log, &h->part, key);
    } else if (count > 0) {
        (void)world_erase_place(h->w, log, of, 1 + next(seed) % count);
    }
}

/* A public change of some agency, or one of which nothing is as it should be. */
static void write_public_some(struct history *h, uint32_t *seed)
{
    const unsigned log = next(seed) % GRANT_LOGS;
    struct world_change change = {.type = SPEAN_TYPE_AGENCY,
                                  .record = world_record(h->w, log, 9),
                                  .part = next(seed) % 8 == 0 ? 1 : 0,
                                  .fixed = world_fixed_none(),
                                  .creates = next(seed) % 3 == 0,
                                  .random = 9,
                                  .ops_count = 1};
    change.ops[0] = (struct world_op){.field = next(seed) % 4 == 0 ? 5001 : 16,
                                      .kind = SPEAN_KIND_VALUE,
                                      .value = (uint8_t)(next(seed) % 100)};
    (void)world_write(h->w, log, &change);
}

/* Write a story of everything. */
static void tell(struct history *h, uint32_t story, uint32_t *seed)
{
    struct world *const w = world_new();
    world_free(h->w);
    h->w = w;
    h->part.record = world_record(w, 0, 7);
    if (story % 2 == 0) {
        (void)grants(h, 0, 1, generation_keys[0][0]);
    }
    const struct world_change create =
        world_referral_create(w, &h->part, generation_keys[0][0], 7, h->fixed);
    (void)world_write(w, 0, &create);
    for (uint32_t i = 0; i < STORY_ENTRIES; i++) {
        const uint32_t what = next(seed) % 24;
        if (what < 8) {
            grant_some(h, seed);
        } else if (what < 19) {
            write_under_some(h, seed);
        } else if (what < 23 || story % 4 == 0) {
            write_public_some(h, seed);
        } else {
            erase_some(h, seed);
        }
    }
}

static bool all_taken(struct history *h, struct node *n)
{
    bool all = true;
    for (unsigned log = 0; log < GRANT_LOGS; log++) {
        all = all && node_held(n, log) == h->w->logs[log]->count;
    }
    return all;
}

/* Hand everything to a node, some entries of a log at a time, folding in batches of some size now
 * and then, or all at once at the end. */
static void arrive_in_batches(struct history *h, struct node *n, uint32_t *seed)
{
    static const uint32_t budgets[] = {1, 2, 3, 5, 8, 1000};
    const uint32_t often = next(seed) % 4;
    n->budget = budgets[next(seed) % (sizeof(budgets) / sizeof(budgets[0]))];
    while (!all_taken(h, n)) {
        const unsigned log = next(seed) % GRANT_LOGS;
        const uint64_t upto = node_held(n, log) + 1 + next(seed) % 6;
        const uint64_t count = h->w->logs[log]->count;
        node_take(n, log, upto < count ? upto : count, true);
        if (often > 0 && next(seed) % often == 0) {
            node_fold(n);
        }
    }
    node_fold(n);
}

/* Several generations of a part, granted and written under in one batch: neither its size nor the
 * order says which grants count, and what is folded under them. */
static void generations_in_one_batch_come_to_one_state(void **state)
{
    struct history *h = *state;
    for (uint32_t story = 0; story < STORIES; story++) {
        uint32_t seed = 20261122 + story;
        tell(h, story, &seed);
        struct node *n = node_new(h->w, 1);
        struct spean_id expected = {{0}};
        for (uint32_t i = 0; i < SEEDS; i++) {
            node_wipe(n);
            arrive_in_batches(h, n, &seed);
            const struct spean_id shown = node_shown(n);
            expected = i == 0 ? shown : expected;
            assert_memory_equal(shown.bytes, expected.bytes, sizeof(shown.bytes));
        }
        node_free(n);
    }
}

/* A cut takes back what was folded as if it had never come. */
static void a_cut_leaves_what_there_would_be_without_what_it_cuts(void **state)
{
    struct history *h = *state;
    for (uint32_t story = 0; story < STORIES; story++) {
        uint32_t seed = 11222026 + story;
        tell(h, story, &seed);
        struct node *before = node_new(h->w, story % 3);
        arrive_in_batches(h, before, &seed);
        const unsigned log = next(&seed) % GRANT_LOGS;
        const uint64_t keep = 1 + next(&seed) % h->w->logs[log]->count;
        world_cut(h->w, log, keep);
        node_documents(before);
        node_fold(before);
        struct node *after = node_new(h->w, story % 3);
        for (unsigned i = 0; i < GRANT_LOGS; i++) {
            node_take(after, i, i == log ? keep : h->w->logs[i]->count, true);
        }
        node_fold(after);
        const struct spean_id expected = node_shown(after);
        const struct spean_id shown = node_shown(before);
        assert_memory_equal(shown.bytes, expected.bytes, sizeof(shown.bytes));
        node_free(before);
        node_free(after);
    }
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(keys_records_and_writes_may_come_in_any_order),
        T(bodies_may_come_before_or_after_their_key),
        T(generations_may_come_in_any_order),
        T(who_is_left_out_is_so_in_every_order),
        T(erasures_may_come_in_any_order),
        T(what_is_set_aside_is_hidden_with_its_part_in_every_order),
        T(what_is_set_aside_is_hidden_with_its_entry_in_every_order),
        T(a_key_reaches_whom_its_owner_names_in_every_order),
        T(whom_a_cut_takes_a_key_from_no_longer_writes),
        T(a_cut_may_come_at_any_time),
        T(long_histories_come_to_one_state),
        T(generations_in_one_batch_come_to_one_state),
        T(a_cut_leaves_what_there_would_be_without_what_it_cuts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
