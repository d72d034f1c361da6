#include "tests/unit/store/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "protocol/body.h"
#include "protocol/erasure.h"
#include "protocol/hash.h"
#include "protocol/heads.h"
#include "protocol/partkey.h"
#include "protocol/writer.h"
#include "store/body.h"
#include "store/check_records.h"
#include "store/documents.h"
#include "store/log.h"

#define ADMIN(org) (0x10u + 0x10u * (org))
#define NODE(log)  (0x81u + (log))

/* A grant: an array and the head of a bin, the commitment; and at its end boxes, each an array and
 * two bins. */
#define COMMITMENT_AT 3u
#define HINT_AT       3u
#define BOX_AT        (HINT_AT + SPEAN_GRANT_HINT_BYTES + 2u)
#define BOX_BYTES     (BOX_AT + SPEAN_GRANT_BOX_BYTES)

/* -- Documents ------------------------------------------------------------------------------- */

unsigned world_org_of(unsigned log)
{
    return log < WORLD_ORGS ? log : 0;
}

/* Keep the newest document of a chain for the nodes. */
static void keep(struct world *w, const struct fixture_document *d)
{
    assert_true(w->docs_count < WORLD_DOCS_MAX);
    uint8_t *copy = malloc(d->view.len);
    assert_non_null(copy);
    memcpy(copy, d->view.data, d->view.len);
    w->docs[w->docs_count] = copy;
    w->docs_len[w->docs_count] = d->view.len;
    w->docs_count++;
}

static void sealing_of(unsigned n, uint8_t secret[SPEAN_KEY_BYTES], struct spean_key *key)
{
    memset(secret, (int)n, SPEAN_KEY_BYTES);
    secret[1] = 0x5a;
    assert_int_equal(crypto_scalarmult_base(key->bytes, secret), 0);
}

static void org_first(struct world *w, unsigned org)
{
    struct world_org *o = &w->orgs[org];
    o->admin = ADMIN(org);
    sealing_of(0xa0 + org, o->secret, &o->sealing);
    struct spean_key admin = fixture_key(o->admin);
    const struct spean_id recovery = fixture_recovery(o->admin + 1);
    const struct spean_statement_draft draft = {.version = 1,
                                                .threshold = 1,
                                                .admins_count = 1,
                                                .admins = &admin,
                                                .recovery = &recovery,
                                                .generation = 1,
                                                .sealing = &o->sealing};
    fixture_statement(&o->last, &draft, SIGNED_BY(o->admin));
    o->id = o->last.doc.id;
    keep(w, &o->last);
}

static void org_node(struct world *w, unsigned log, bool first)
{
    struct world_org *o = &w->orgs[world_org_of(log)];
    const struct spean_handle handle = spean_handle_of(&w->ledger);
    struct spean_statement_node row = {.signing = fixture_key(NODE(log)),
                                       .transport = fixture_x25519(2 * NODE(log) + 1)};
    uint8_t secret[SPEAN_KEY_BYTES];
    uint8_t seed[SPEAN_KEY_BYTES];
    sealing_of(0xc0 + log, secret, &row.sealing);
    fixture_seed(seed, NODE(log));
    spean_statement_accept(&row, &o->id, &handle, seed);
    const struct spean_statement_draft draft = {.version = o->last.doc.version + 1,
                                                .previous = o->last.doc.id,
                                                .handle = first ? &handle : NULL,
                                                .nodes_count = 1,
                                                .nodes = &row};
    fixture_statement(&o->last, &draft, SIGNED_BY(o->admin));
    keep(w, &o->last);
}

static void log_begin(struct world *w, unsigned log)
{
    struct logkit *k = logkit_new((uint8_t)(log + 1));
    fixture_seed(k->seed, NODE(log));
    k->signing = fixture_key(NODE(log));
    spean_log_id(&k->log, &w->ledger, &w->orgs[world_org_of(log)].id, &k->signing);
    w->logs[log] = k;
}

void world_open_second(struct world *w)
{
    org_node(w, WORLD_ORGS, false);
}

void world_cut(struct world *w, unsigned log, uint64_t seq)
{
    const struct spean_id entry = logkit_place(w->logs[log], (uint32_t)seq).entry;
    world_cut_at(w, log, seq, &entry);
}

void world_cut_at(struct world *w, unsigned log, uint64_t seq, const struct spean_id *entry)
{
    struct world_org *o = &w->orgs[world_org_of(log)];
    struct spean_statement_cut cut = {.signing = fixture_key(NODE(log)),
                                      .cut = {.closed = true, .seq = seq, .entry = *entry}};
    const struct spean_statement_draft draft = {.version = o->last.doc.version + 1,
                                                .previous = o->last.doc.id,
                                                .cuts_count = 1,
                                                .cuts = &cut};
    fixture_statement(&o->last, &draft, SIGNED_BY(o->admin));
    keep(w, &o->last);
}

void world_steward(struct world *w, unsigned org)
{
    struct spean_steward steward = {.org = w->orgs[org].id, .key = fixture_key(ADMIN(org))};
    const struct spean_charter_draft draft = {.version = w->charter.doc.version + 1,
                                              .previous = w->charter.doc.id,
                                              .threshold = 1,
                                              .stewards_count = 1,
                                              .stewards = &steward};
    if (org == 0) {
        fixture_charter(&w->charter, &draft, SIGNED_BY(ADMIN(0), ADMIN(1)));
    } else {
        fixture_charter(&w->charter, &draft, SIGNED_BY(ADMIN(0), ADMIN(org)));
    }
    keep(w, &w->charter);
}

void world_relay(struct world *w, unsigned log)
{
    struct spean_relay relay = {.org = w->orgs[world_org_of(log)].id,
                                .signing = w->logs[log]->signing};
    const struct spean_charter_draft draft = {.version = w->charter.doc.version + 1,
                                              .previous = w->charter.doc.id,
                                              .has_relays = true,
                                              .relays_count = 1,
                                              .relays = &relay};
    fixture_charter(&w->charter, &draft, SIGNED_BY(ADMIN(0)));
    keep(w, &w->charter);
}

struct world *world_new(void)
{
    struct world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    w->clock = 1790000000u;
    org_first(w, 0);
    fixture_genesis(&w->charter, &w->orgs[0].id, ADMIN(0));
    w->ledger = w->charter.doc.id;
    keep(w, &w->charter);
    org_node(w, 0, true);
    for (unsigned org = 1; org < WORLD_ORGS; org++) {
        org_first(w, org);
        const struct spean_document before = w->charter.doc;
        fixture_charter_member(&w->charter, &before, &w->orgs[org].id, SPEAN_MEMBER_ACTIVE,
                               ADMIN(0));
        keep(w, &w->charter);
        org_node(w, org, true);
    }
    for (unsigned log = 0; log < WORLD_LOGS; log++) {
        log_begin(w, log);
    }
    return w;
}

void world_free(struct world *w)
{
    for (unsigned i = 0; i < WORLD_LOGS; i++) {
        logkit_free(w->logs[i]);
    }
    for (uint32_t i = 0; i < w->docs_count; i++) {
        free(w->docs[i]);
    }
    free(w);
}

/* -- Entries --------------------------------------------------------------------------------- */

struct spean_record_id world_record(const struct world *w, unsigned org, uint8_t random)
{
    uint8_t bytes[SPEAN_CHANGE_RANDOM_BYTES];
    memset(bytes, random, sizeof(bytes));
    struct spean_record_id id;
    spean_record_id_derive(&id, &w->ledger, &w->orgs[org].id, bytes);
    return id;
}

struct spean_view world_fixed_none(void)
{
    static const uint8_t map[] = {0x80};
    return (struct spean_view){map, sizeof(map)};
}

struct spean_view world_fixed_referral(const struct world *w, unsigned from, unsigned to,
                                       uint8_t *buf)
{
    struct spean_writer writer;
    spean_writer_init(&writer, buf, WORLD_BYTES_MAX);
    spean_writer_map(&writer, 2);
    spean_writer_uint(&writer, SPEAN_FIELD_REFERRAL_FROM);
    spean_writer_bin(&writer, w->orgs[from].id.bytes, SPEAN_ID_BYTES);
    spean_writer_uint(&writer, SPEAN_FIELD_REFERRAL_TO);
    spean_writer_bin(&writer, w->orgs[to].id.bytes, SPEAN_ID_BYTES);
    struct spean_view out;
    assert_int_equal(spean_writer_end(&writer, &out), SPEAN_OK);
    return out;
}

uint64_t world_raw(struct world *w, unsigned log, enum spean_entry_kind kind,
                   const struct spean_tag *tag, struct spean_view body)
{
    logkit_add_body(w->logs[log], kind, tag, body, w->clock++, true);
    return w->logs[log]->count;
}

static uint64_t add_public(struct world *w, unsigned log, enum spean_entry_kind kind,
                           const struct spean_tag *tag, struct spean_view content)
{
    static uint8_t body[SPEAN_BODY_BYTES_MAX];
    uint8_t salt[SPEAN_BODY_SALT_BYTES] = {0};
    spean_u64_put(salt, w->salt++);
    struct spean_view view;
    assert_int_equal(spean_body_wrap(body, sizeof(body), salt, content, &view), SPEAN_OK);
    return world_raw(w, log, kind, tag, view);
}

/* The tag of a key for a part in a log. */
static struct spean_tag tag_in(const struct world *w, unsigned log, const uint8_t *key,
                               const struct spean_keyed_part *part)
{
    struct spean_id proof;
    struct spean_tag tag;
    spean_partkey_proof(&proof, key, part);
    spean_partkey_tag(&tag, &proof, &w->logs[log]->log);
    return tag;
}

static uint64_t add_sealed(struct world *w, unsigned log, const struct world_change *c,
                           struct spean_view content)
{
    static uint8_t body[SPEAN_BODY_BYTES_MAX];
    uint8_t nonce[SPEAN_AEAD_NONCE_BYTES] = {0};
    spean_u64_put(nonce, w->salt++);
    struct spean_view view;
    const struct logkit *k = w->logs[log];
    const struct spean_keyed_part part = {c->record, c->sealed_as != 0 ? c->sealed_as : c->part};
    const struct spean_tag tag = tag_in(w, log, c->key, &part);
    assert_int_equal(spean_body_seal(body, sizeof(body), c->key, nonce, &k->log, k->count + 1, &tag,
                                     content, &view),
                     SPEAN_OK);
    return world_raw(w, log, SPEAN_ENTRY_CHANGE, &tag, view);
}

static int compare_rows(const void *a, const void *b)
{
    const struct spean_context_row *x = a;
    const struct spean_context_row *y = b;
    return (x->log > y->log) - (x->log < y->log);
}

uint64_t world_write(struct world *w, unsigned log, const struct world_change *c)
{
    static const uint8_t actor[] = {'k', 'i', 'm'};
    struct spean_operation ops[WORLD_OPS_MAX];
    struct spean_context_row rows[WORLD_ROWS_MAX];
    for (uint32_t i = 0; i < c->ops_count; i++) {
        ops[i] = (struct spean_operation){
            .field = c->ops[i].field, .kind = c->ops[i].kind, .verb = c->ops[i].verb};
        ops[i].value =
            c->ops[i].bytes.len > 0 ? c->ops[i].bytes : (struct spean_view){&c->ops[i].value, 1};
    }
    for (uint32_t i = 0; i < c->rows_count; i++) {
        const struct logkit *k = w->logs[c->rows[i].log];
        const bool there = c->rows[i].seq <= k->count;
        const struct spean_id id =
            there ? logkit_place(k, (uint32_t)c->rows[i].seq).entry : (struct spean_id){{0}};
        rows[i] = (struct spean_context_row){spean_short_of(&k->log), c->rows[i].seq,
                                             spean_short_of(&id) ^ (c->rows[i].lies ? 1u : 0u)};
    }
    qsort(rows, c->rows_count, sizeof(rows[0]), compare_rows);
    struct spean_change change = {.type = c->type,
                                  .record = c->record,
                                  .part = c->part,
                                  .schema_version = 1,
                                  .actor = {actor, sizeof(actor)},
                                  .creates = c->creates,
                                  .fixed = c->fixed};
    memset(change.random, c->random, sizeof(change.random));
    static uint8_t buf[WORLD_BYTES_MAX];
    struct spean_view content;
    assert_int_equal(spean_change_encode(&change, ops, c->ops_count, rows, c->rows_count, buf,
                                         sizeof(buf), &content),
                     SPEAN_OK);
    return c->key == NULL ? add_public(w, log, SPEAN_ENTRY_CHANGE, NULL, content)
                          : add_sealed(w, log, c, content);
}

static int compare_ids(const void *a, const void *b)
{
    return spean_id_compare(a, b);
}

static int compare_boxes(const void *a, const void *b)
{
    return memcmp(a, b, BOX_BYTES);
}

/* Commit to key in a grant that is encoded, and put another one into its boxes, as an author would
 * who hands out different keys. */
static void lie(const struct spean_grant_outer *outer, const struct spean_keyed_part *part,
                const uint8_t *key, const uint8_t *boxed, uint8_t *buf, size_t len)
{
    struct spean_id proof;
    struct spean_id commitment;
    spean_partkey_proof(&proof, key, part);
    spean_partkey_commitment(&commitment, &proof, &outer->place.log);
    memcpy(buf + COMMITMENT_AT, commitment.bytes, sizeof(commitment.bytes));
    uint8_t *const boxes = buf + len - outer->receivers_count * BOX_BYTES;
    for (uint32_t i = 0; i < outer->receivers_count; i++) {
        const struct spean_grant_receiver *const to = &outer->receivers[i];
        uint8_t said[4 * SPEAN_ID_BYTES + SPEAN_AEAD_NONCE_BYTES];
        uint8_t ad[SPEAN_ID_BYTES + 12 + SPEAN_GRANT_HINT_BYTES] = {0};
        uint8_t hint[16];
        uint8_t *const row = boxes + i * BOX_BYTES;
        memcpy(said, to->pair_key, SPEAN_KEY_BYTES);
        memcpy(said + 32, outer->place.author.bytes, SPEAN_ID_BYTES);
        memcpy(said + 64, to->party.bytes, SPEAN_ID_BYTES);
        memcpy(said + 96, commitment.bytes, SPEAN_ID_BYTES);
        memcpy(said + 128, outer->nonce, sizeof(outer->nonce));
        spean_hash(hint, sizeof(hint), "spean/hint/1", said, sizeof(said));
        memcpy(ad, outer->place.log.bytes, SPEAN_ID_BYTES);
        spean_u64_put(ad + SPEAN_ID_BYTES, outer->place.seq);
        memcpy(ad + sizeof(ad) - SPEAN_GRANT_HINT_BYTES, hint, SPEAN_GRANT_HINT_BYTES);
        memcpy(row + HINT_AT, hint, SPEAN_GRANT_HINT_BYTES);
        assert_int_equal(spean_aead_seal(row + BOX_AT, SPEAN_GRANT_BOX_BYTES, to->pair_key,
                                         outer->nonce, (struct spean_view){ad, sizeof(ad)},
                                         (struct spean_view){boxed, SPEAN_KEY_BYTES}),
                         SPEAN_OK);
    }
    qsort(boxes, outer->receivers_count, BOX_BYTES, compare_boxes);
}

uint64_t world_grant(struct world *w, unsigned log, const struct world_grant *g)
{
    static uint8_t pairs[WORLD_ORGS][SPEAN_KEY_BYTES];
    static uint8_t buf[SPEAN_GRANT_BYTES_MAX];
    const struct world_org *author = &w->orgs[world_org_of(log)];
    struct spean_grant_receiver receivers[WORLD_ORGS];
    struct spean_grant_terms terms = {.record = g->record,
                                      .part = g->part,
                                      .generation = g->generation,
                                      .owner = w->orgs[g->owner].id};
    for (unsigned org = 0; org < WORLD_ORGS; org++) {
        if ((g->audience & (1u << org)) == 0) {
            continue;
        }
        assert_int_equal(
            spean_grant_pair(pairs[org], author->secret, &author->sealing, &w->orgs[org].sealing),
            SPEAN_OK);
        receivers[terms.audience_count] =
            (struct spean_grant_receiver){w->orgs[org].id, pairs[org]};
        terms.audience[terms.audience_count++] = w->orgs[org].id;
    }
    qsort(terms.audience, terms.audience_count, sizeof(terms.audience[0]), compare_ids);
    struct spean_grant_outer outer = {
        .place = {w->logs[log]->log, w->logs[log]->count + 1, author->id},
        .author_generation = 1,
        .key = g->sealed_alike ? g->boxed : g->key,
        .receivers = receivers,
        .receivers_count = terms.audience_count,
    };
    spean_u64_put(outer.nonce, w->salt++);
    struct spean_view content;
    const struct logkit *seen = w->logs[g->seen];
    const struct spean_id id = logkit_place(seen, (uint32_t)g->seen_seq).entry;
    const struct spean_context_row row = {spean_short_of(&seen->log), g->seen_seq,
                                          spean_short_of(&id)};
    struct spean_grant_key older = {.generation = g->generation - 1};
    if (g->older != NULL) {
        memcpy(older.key, g->older, sizeof(older.key));
    }
    const struct spean_grant_lists lists = {.older = &older,
                                            .older_count = g->older != NULL ? 1 : 0,
                                            .rows = &row,
                                            .rows_count = g->seen_seq > 0 ? 1 : 0};
    assert_int_equal(spean_grant_encode(&outer, &terms, &lists, buf, sizeof(buf), &content),
                     SPEAN_OK);
    const struct spean_keyed_part part = {g->record, g->part};
    const struct spean_tag tag = tag_in(w, log, g->key, &part);
    if (g->boxed != NULL) {
        lie(&outer, &part, g->key, g->boxed, buf, content.len);
    }
    if (g->wrong_box) {
        buf[content.len - 1] ^= 1; /* The last byte of the last box. */
    }
    return add_public(w, log, SPEAN_ENTRY_GRANT, &tag, content);
}

struct world_grant world_referral_grant(const struct spean_part_name *part, const uint8_t *key)
{
    return (struct world_grant){.record = part->record,
                                .part = part->part,
                                .generation = 1,
                                .key = key,
                                .owner = 0,
                                .audience = WORLD_BOTH};
}

struct world_change world_referral_change(const struct spean_part_name *part, const uint8_t *key)
{
    return (struct world_change){
        .type = SPEAN_TYPE_REFERRAL, .record = part->record, .part = part->part, .key = key};
}

struct world_change world_referral_create(const struct world *w, const struct spean_part_name *part,
                                          const uint8_t *key, uint8_t random, uint8_t *buf)
{
    struct world_change change = world_referral_change(part, key);
    change.creates = true;
    change.random = random;
    change.fixed = world_fixed_referral(w, 0, 1, buf);
    return change;
}

uint64_t world_erase_part(struct world *w, unsigned log, const struct spean_part_name *part,
                          const uint8_t *key)
{
    struct spean_id proof;
    const struct spean_keyed_part keyed = spean_part_keyed(part);
    spean_partkey_proof(&proof, key, &keyed);
    return world_erase_proof(w, log, part, &proof);
}

uint64_t world_erase_proof(struct world *w, unsigned log, const struct spean_part_name *part,
                           const struct spean_id *proof)
{
    uint8_t buf[WORLD_BYTES_MAX];
    struct spean_view content;
    assert_int_equal(spean_erasure_encode_part(&part->record, part->part, proof, 1, NULL, buf,
                                               sizeof(buf), &content),
                     SPEAN_OK);
    return add_public(w, log, SPEAN_ENTRY_ERASURE, NULL, content);
}

uint64_t world_erase_places(struct world *w, unsigned log, const struct world_place *places,
                            uint32_t count)
{
    uint8_t buf[WORLD_BYTES_MAX];
    struct spean_erasure_place named[WORLD_PLACES_MAX];
    struct spean_view content;
    assert_true(count <= WORLD_PLACES_MAX);
    for (uint32_t i = 0; i < count; i++) {
        const struct logkit *of = w->logs[places[i].log];
        named[i] = (struct spean_erasure_place){of->log, places[i].seq,
                                                logkit_place(of, (uint32_t)places[i].seq).entry};
    }
    assert_int_equal(spean_erasure_encode_places(named, count, NULL, buf, sizeof(buf), &content),
                     SPEAN_OK);
    return add_public(w, log, SPEAN_ENTRY_ERASURE, NULL, content);
}

uint64_t world_erase_place(struct world *w, unsigned log, unsigned of, uint64_t seq)
{
    const struct world_place place = {of, seq};
    return world_erase_places(w, log, &place, 1);
}

uint64_t world_heads(struct world *w, unsigned log, unsigned of, uint64_t seq)
{
    uint8_t buf[WORLD_BYTES_MAX];
    struct spean_heads_row row = {.log = spean_short_of(&w->logs[of]->log), .seq = seq};
    struct spean_view content;
    assert_int_equal(spean_heads_encode(&row, 1, buf, sizeof(buf), &content), SPEAN_OK);
    return add_public(w, log, SPEAN_ENTRY_HEADS, NULL, content);
}

uint64_t world_orgkey(struct world *w, unsigned log, const struct spean_key *to)
{
    static uint8_t buf[SPEAN_GRANT_BYTES_MAX];
    uint8_t ours[SPEAN_KEY_BYTES];
    uint8_t pair[SPEAN_KEY_BYTES];
    struct spean_key our_key;
    sealing_of(0xc0 + log, ours, &our_key);
    assert_int_equal(spean_grant_node_pair(pair, ours, &our_key, to), SPEAN_OK);
    struct spean_grant_receiver receiver = {.pair_key = pair};
    memcpy(receiver.party.bytes, to->bytes, SPEAN_ID_BYTES);
    uint8_t wrapping[SPEAN_KEY_BYTES];
    memset(wrapping, 0x3c, sizeof(wrapping));
    struct spean_grant_outer outer = {
        .place = {.log = w->logs[log]->log, .seq = w->logs[log]->count + 1},
        .key = wrapping,
        .receivers = &receiver,
        .receivers_count = 1};
    memcpy(outer.place.author.bytes, our_key.bytes, SPEAN_ID_BYTES);
    spean_u64_put(outer.nonce, w->salt++);
    struct spean_grant_key secret = {.generation = 1};
    memcpy(secret.key, w->orgs[world_org_of(log)].secret, SPEAN_KEY_BYTES);
    struct spean_view content;
    assert_int_equal(spean_grant_encode_secrets(&outer, &secret, 1, buf, sizeof(buf), &content),
                     SPEAN_OK);
    const struct spean_tag tag = tag_in(w, log, wrapping, NULL);
    return add_public(w, log, SPEAN_ENTRY_ORGKEY, &tag, content);
}

/* -- Nodes ----------------------------------------------------------------------------------- */

static void fold_begin(struct node *n)
{
    const struct spean_key signing = fixture_key(NODE(n->log));
    assert_int_equal(spean_fold_new(n->db, n->keys, &n->w->orgs[n->org].id, &signing, &n->fold),
                     SPEAN_OK);
}

struct node *node_new_bare(struct world *w, unsigned log)
{
    static const uint8_t credential[32] = {1, 2, 3};
    const struct spean_unlock unlock = {.kind = SPEAN_UNLOCK_CREDENTIAL,
                                        .bytes = {credential, sizeof(credential)}};
    struct node *n = calloc(1, sizeof(*n));
    assert_non_null(n);
    n->w = w;
    n->log = log;
    n->org = world_org_of(log);
    n->budget = 1000;
    (void)fixture_store_setup(&n->fixture);
    n->db = ((struct fixture *)n->fixture)->db;
    assert_int_equal(spean_keys_new(&n->keys), SPEAN_OK);
    assert_int_equal(spean_keys_create(n->keys, n->db, &unlock), SPEAN_OK);
    assert_int_equal(spean_authority_new(&n->authority, NULL), SPEAN_OK);
    assert_int_equal(spean_run_new(&n->run), SPEAN_OK);
    fold_begin(n);
    node_documents(n);
    return n;
}

struct node *node_new(struct world *w, unsigned log)
{
    struct node *n = node_new_bare(w, log);
    assert_int_equal(spean_keys_add_org(n->keys, n->db, 1, w->orgs[n->org].secret), SPEAN_OK);
    return n;
}

void node_free(struct node *n)
{
    spean_fold_free(n->fold);
    spean_run_free(n->run);
    spean_authority_free(n->authority);
    spean_keys_free(n->keys);
    (void)fixture_teardown(&n->fixture);
    free(n);
}

void node_documents_kept(struct node *n)
{
    struct spean_tx *tx;
    assert_int_equal(spean_tx_begin(n->db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
    for (; n->docs_count < n->w->docs_count; n->docs_count++) {
        const struct spean_view doc = {n->w->docs[n->docs_count], n->w->docs_len[n->docs_count]};
        struct spean_authority_change change;
        uint32_t kept;
        assert_int_equal(
            spean_documents_put(tx, n->authority, &doc, 1, SPEAN_PENDING_KEEP, &change, &kept),
            SPEAN_OK);
    }
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
}

void node_documents(struct node *n)
{
    struct spean_tx *tx;
    node_documents_kept(n);
    assert_int_equal(spean_tx_begin(n->db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
    for (uint32_t i = 0; i < spean_authority_logs_count(n->authority); i++) {
        const struct spean_log *log = spean_authority_log_at(n->authority, i);
        struct spean_logs_row row;
        struct spean_place head;
        bool more;
        if (spean_logs_get(tx, &log->id, &row) == SPEAN_OK) {
            assert_int_equal(spean_log_settle(tx, log, &head, &more), SPEAN_OK);
        }
    }
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
}

static void check_note(void *ctx, const struct spean_check_problem *problem)
{
    char text[SPEAN_CHECK_TEXT_BYTES];
    (void)ctx;
    spean_check_describe(problem, text);
    print_error("%s\n", text);
}

void node_check(struct node *n)
{
    struct spean_check_records *check;
    assert_int_equal(spean_check_records_new(n->db, n->authority, n->keys, &n->w->orgs[n->org].id,
                                             check_note, NULL, &check),
                     SPEAN_OK);
    bool done = false;
    while (!done) {
        assert_int_equal(spean_check_records_step(check, &done), SPEAN_OK);
    }
    const uint64_t problems = spean_check_records_problems(check);
    spean_check_records_free(check);
    assert_int_equal(problems, 0);
}

struct spean_tx *node_read(struct node *n)
{
    struct spean_tx *tx;
    assert_int_equal(spean_tx_begin(n->db, SPEAN_TX_READ, &tx), SPEAN_OK);
    return tx;
}

uint64_t node_held(struct node *n, unsigned log)
{
    struct spean_tx *tx = node_read(n);
    struct spean_logs_row row = {0};
    const spean_err err = spean_logs_get(tx, &n->w->logs[log]->log, &row);
    spean_tx_abort(tx);
    return err == SPEAN_OK ? row.head.seq : 0;
}

static void take_one(struct node *n, unsigned log, uint32_t seq, bool bodies)
{
    static uint8_t buf[SPEAN_FRAME_BYTES_MAX];
    const struct logkit *k = n->w->logs[log];
    const struct spean_view bytes = logkit_run(k, seq, seq, bodies, buf);
    const struct spean_place after = logkit_place(k, seq - 1);
    const struct spean_log_arrival arrival = {.now_s = WORLD_NOW_S};
    const struct spean_log *known = spean_authority_log(n->authority, &k->log);
    assert_non_null(known);
    assert_int_equal(spean_run_decode(n->run, bytes, &k->log, &after), SPEAN_OK);
    struct spean_tx *tx;
    assert_int_equal(spean_tx_begin(n->db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
    assert_int_equal(spean_log_append(tx, n->run, known, &arrival), SPEAN_OK);
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
}

void node_take(struct node *n, unsigned log, uint64_t seq, bool bodies)
{
    for (uint64_t s = node_held(n, log) + 1; s <= seq; s++) {
        take_one(n, log, (uint32_t)s, bodies);
    }
}

void node_take_all(struct node *n)
{
    for (unsigned log = 0; log < WORLD_LOGS; log++) {
        if (n->w->logs[log]->count > 0) {
            node_take(n, log, n->w->logs[log]->count, true);
        }
    }
}

void node_body(struct node *n, unsigned log, uint64_t seq)
{
    const struct logkit_entry *e = &n->w->logs[log]->entries[seq - 1];
    struct spean_tx *tx;
    struct spean_logs_row row;
    assert_int_equal(spean_tx_begin(n->db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
    assert_int_equal(spean_logs_get(tx, &n->w->logs[log]->log, &row), SPEAN_OK);
    assert_int_equal(spean_body_put(tx, &row, seq, (struct spean_view){e->body, e->body_len}),
                     SPEAN_OK);
    assert_int_equal(spean_fold_body(tx, row.number, seq), SPEAN_OK);
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
}

void node_fold(struct node *n)
{
    bool more = true;
    for (uint32_t i = 0; more; i++) {
        assert_true(i < 10000); /* It comes to an end. */
        assert_int_equal(spean_fold_step(n->fold, n->authority, n->budget, WORLD_NOW_S, &more),
                         SPEAN_OK);
    }
    node_check(n);
}

/* -- What is shown --------------------------------------------------------------------------- */

static void hash_part(struct node *n, struct spean_tx *tx, struct spean_hash *h,
                      const struct spean_record_id *record, const struct spean_record_part *part)
{
    const struct spean_part_name name = {*record, part->part};
    const uint8_t flags = (uint8_t)(part->folded | part->erased << 1 | part->too_large << 2 |
                                    part->incomplete << 3 | part->behind << 4);
    spean_hash_update(h, &part->part, sizeof(part->part));
    spean_hash_update(h, &flags, 1);
    uint8_t *state;
    size_t len;
    if (spean_record_state(tx, n->keys, &name, &state, &len) == SPEAN_OK) {
        spean_hash_update(h, state, len);
        free(state);
    }
}

static void hash_record(struct node *n, struct spean_tx *tx, struct spean_hash *h,
                        const struct spean_record_id *id)
{
    struct spean_record *record;
    struct spean_record_info info;
    assert_int_equal(spean_record_get(tx, n->keys, id, &record), SPEAN_OK);
    spean_record_get_info(record, &info);
    spean_hash_update(h, id->bytes, sizeof(id->bytes));
    spean_hash_update(h, &info.type, sizeof(info.type));
    spean_hash_update(h, info.owner.bytes, sizeof(info.owner.bytes));
    spean_hash_update(h, info.fixed.data, info.fixed.len);
    spean_record_free(record);
    struct spean_record_part parts[SPEAN_RECORD_PARTS_MAX];
    uint32_t count;
    assert_int_equal(spean_record_parts(tx, id, parts, &count), SPEAN_OK);
    for (uint32_t i = 0; i < count; i++) {
        hash_part(n, tx, h, id, &parts[i]);
    }
}

struct spean_id node_shown(struct node *n)
{
    struct spean_tx *tx = node_read(n);
    struct spean_hash h;
    struct spean_id out;
    spean_hash_begin(&h, "shown", sizeof(out.bytes));
    const struct spean_record_id none = {{0}};
    struct spean_record_id id;
    spean_err err = spean_record_prefix(tx, &none, 0, NULL, &id);
    while (err == SPEAN_OK) {
        hash_record(n, tx, &h, &id);
        err = spean_record_prefix(tx, &none, 0, &id, &id);
    }
    assert_int_equal(err, SPEAN_ENOTFOUND);
    spean_tx_abort(tx);
    for (unsigned log = 0; log < WORLD_LOGS; log++) {
        for (uint64_t seq = 1; seq <= node_held(n, log); seq++) {
            const uint8_t aside = (uint8_t)node_aside(n, log, seq);
            spean_hash_update(&h, &aside, 1);
        }
    }
    spean_hash_end(&h, out.bytes, sizeof(out.bytes));
    return out;
}

enum spean_aside node_aside(struct node *n, unsigned log, uint64_t seq)
{
    struct spean_tx *tx = node_read(n);
    struct spean_logs_row row;
    struct spean_fold_aside aside;
    enum spean_aside reason = SPEAN_ASIDE_NOT;
    assert_int_equal(spean_logs_get(tx, &n->w->logs[log]->log, &row), SPEAN_OK);
    if (spean_fold_aside_next(tx, row.number, seq, &aside) == SPEAN_OK &&
        aside.number == row.number && aside.seq == seq) {
        assert_int_equal(aside.since_s, WORLD_NOW_S);
        reason = aside.reason;
    }
    spean_tx_abort(tx);
    return reason;
}

uint8_t node_value(struct node *n, const struct spean_part_name *name, uint64_t field)
{
    struct spean_tx *tx = node_read(n);
    struct spean_part *part = NULL;
    uint8_t value = 255;
    if (spean_record_part(tx, n->keys, name, &part) == SPEAN_OK) {
        const struct spean_field *f = spean_part_find(part, field, SPEAN_KIND_VALUE);
        struct spean_write write;
        if (f != NULL && spean_field_conflict(f)) {
            value = 254;
        } else if (f != NULL && spean_field_get_shown(f, &write)) {
            value = write.value.data[0];
        }
        spean_part_free(part);
    }
    spean_tx_abort(tx);
    return value;
}

void node_wipe(struct node *n)
{
    static const enum spean_table tables[] = {
        SPEAN_TABLE_LOGS,          SPEAN_TABLE_LOG_IDS,    SPEAN_TABLE_ARRIVALS,
        SPEAN_TABLE_ENTRIES,       SPEAN_TABLE_SIGNATURES, SPEAN_TABLE_BODIES,
        SPEAN_TABLE_TAGS,          SPEAN_TABLE_ASIDE,      SPEAN_TABLE_ERASURES,
        SPEAN_TABLE_ERASED_PLACES, SPEAN_TABLE_PART_TAGS};
    struct spean_tx *tx;
    assert_int_equal(spean_tx_begin(n->db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
    assert_int_equal(spean_fold_reset(tx), SPEAN_OK);
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        assert_int_equal(spean_tx_clear(tx, tables[i]), SPEAN_OK);
    }
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
    spean_fold_free(n->fold);
    fold_begin(n);
}
