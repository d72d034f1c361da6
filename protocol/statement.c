#include "protocol/statement.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/domains.h"
#include "protocol/hash.h"
#include "protocol/sign.h"
#include "protocol/writer.h"

#define KEY_ADMIN    1u
#define KEY_RECOVERY 2u
#define KEY_SEALING  3u
#define KEY_HANDLE   4u
#define KEY_NODES    5u
#define KEY_CUTS     6u
#define KEYS_COUNT   6u

#define ACCEPTANCE_BYTES (SPEAN_ID_BYTES + SPEAN_HANDLE_BYTES + 3 * SPEAN_KEY_BYTES)

static void read_key(struct spean_reader *r, struct spean_key *key)
{
    spean_reader_bin_fixed(r, key->bytes, sizeof(key->bytes));
}

static void read_admin(struct spean_reader *r, struct spean_statement *s)
{
    s->has_admin = true;
    (void)spean_reader_array(r, 2, 2);
    s->threshold = (uint32_t)spean_reader_uint(r, SPEAN_ADMINS_MAX);
    s->admins_count = spean_reader_array(r, 1, SPEAN_ADMINS_MAX);
    for (uint32_t i = 0; i < s->admins_count && !spean_reader_failed(r); i++) {
        read_key(r, &s->admins[i]);
        if (i > 0 && spean_key_compare(&s->admins[i - 1], &s->admins[i]) >= 0) {
            spean_reader_fail(r, SPEAN_EFORMAT);
        }
    }
    if (s->threshold == 0 || s->threshold > s->admins_count) {
        spean_reader_fail(r, SPEAN_EFORMAT);
    }
}

static void read_sealing(struct spean_reader *r, struct spean_statement *s)
{
    s->has_sealing = true;
    (void)spean_reader_array(r, 2, 2);
    s->generation = (uint32_t)spean_reader_uint(r, SPEAN_ORG_GENERATIONS_MAX);
    if (s->generation == 0) {
        spean_reader_fail(r, SPEAN_EFORMAT);
    }
    read_key(r, &s->sealing);
}

static void read_node(struct spean_reader *r, struct spean_statement_node *node)
{
    (void)spean_reader_array(r, 4, 4);
    read_key(r, &node->signing);
    read_key(r, &node->sealing);
    read_key(r, &node->transport);
    spean_reader_bin_fixed(r, node->acceptance.bytes, sizeof(node->acceptance.bytes));
}

static void read_cut(struct spean_reader *r, struct spean_statement_cut *cut)
{
    (void)spean_reader_array(r, 3, 3);
    read_key(r, &cut->signing);
    spean_cut_read(r, &cut->cut);
}

/* Check the rows of a list and return them without the head of the array. */
static struct spean_view read_nodes(struct spean_reader *r)
{
    const uint32_t count = spean_reader_array(r, 1, SPEAN_ORG_NODES_MAX);
    const uint8_t *const start = r->pos;
    struct spean_statement_node last;
    for (uint32_t i = 0; i < count && !spean_reader_failed(r); i++) {
        struct spean_statement_node node;
        read_node(r, &node);
        if (i > 0 && spean_key_compare(&last.signing, &node.signing) >= 0) {
            spean_reader_fail(r, SPEAN_EFORMAT);
        }
        last = node;
    }
    const struct spean_view rows = {start, (size_t)(r->pos - start)};
    return rows;
}

static struct spean_view read_cuts(struct spean_reader *r)
{
    const uint32_t count = spean_reader_array(r, 1, SPEAN_ORG_NODES_MAX);
    const uint8_t *const start = r->pos;
    struct spean_statement_cut last;
    for (uint32_t i = 0; i < count && !spean_reader_failed(r); i++) {
        struct spean_statement_cut cut;
        read_cut(r, &cut);
        if (i > 0 && spean_key_compare(&last.signing, &cut.signing) >= 0) {
            spean_reader_fail(r, SPEAN_EFORMAT);
        }
        last = cut;
    }
    const struct spean_view rows = {start, (size_t)(r->pos - start)};
    return rows;
}

static void read_change(struct spean_reader *r, struct spean_statement *s)
{
    switch (spean_reader_uint(r, UINT64_MAX)) {
    case KEY_ADMIN:
        read_admin(r, s);
        return;
    case KEY_RECOVERY:
        s->has_recovery = true;
        spean_reader_bin_fixed(r, s->recovery.bytes, sizeof(s->recovery.bytes));
        return;
    case KEY_SEALING:
        read_sealing(r, s);
        return;
    case KEY_HANDLE:
        s->has_handle = true;
        spean_reader_bin_fixed(r, s->handle.bytes, sizeof(s->handle.bytes));
        return;
    case KEY_NODES:
        s->nodes = read_nodes(r);
        return;
    case KEY_CUTS:
        s->cuts = read_cuts(r);
        return;
    default:
        spean_reader_fail(r, SPEAN_EFORMAT);
    }
}

/* P3.3: exactly admin, recovery and sealing, generation 1. */
static bool first_version_complete(const struct spean_statement *s)
{
    return s->has_admin && s->has_recovery && s->has_sealing && s->generation == 1 &&
           !s->has_handle && s->nodes.len == 0 && s->cuts.len == 0;
}

spean_err spean_statement_decode(struct spean_statement *statement,
                                 const struct spean_document *doc)
{
    assert(statement != NULL);
    assert(doc != NULL);

    if (doc->type != SPEAN_DOCUMENT_STATEMENT) {
        return SPEAN_EFORMAT;
    }
    memset(statement, 0, sizeof(*statement));
    struct spean_reader r;
    spean_reader_init(&r, doc->changes); /* Its keys ascend: the envelope's decoder has checked. */
    const uint32_t count = spean_reader_map(&r, KEYS_COUNT);
    for (uint32_t i = 0; i < count && !spean_reader_failed(&r); i++) {
        read_change(&r, statement);
    }
    if (count == 0 || (statement->has_handle && statement->nodes.len == 0) ||
        (doc->version == 1 && !first_version_complete(statement))) {
        spean_reader_fail(&r, SPEAN_EFORMAT);
    }
    return spean_reader_end(&r);
}

bool spean_statement_next_node(struct spean_reader *r, struct spean_statement_node *node)
{
    assert(r != NULL);
    assert(node != NULL);

    if (r->pos == r->end || spean_reader_failed(r)) {
        return false;
    }
    read_node(r, node);
    return !spean_reader_failed(r);
}

bool spean_statement_next_cut(struct spean_reader *r, struct spean_statement_cut *cut)
{
    assert(r != NULL);
    assert(cut != NULL);

    if (r->pos == r->end || spean_reader_failed(r)) {
        return false;
    }
    read_cut(r, cut);
    return !spean_reader_failed(r);
}

static int key_order(const void *a, const void *b)
{
    return spean_key_compare(a, b);
}

static int node_order(const void *a, const void *b)
{
    const struct spean_statement_node *const left = a;
    const struct spean_statement_node *const right = b;
    return spean_key_compare(&left->signing, &right->signing);
}

static int cut_order(const void *a, const void *b)
{
    const struct spean_statement_cut *const left = a;
    const struct spean_statement_cut *const right = b;
    return spean_key_compare(&left->signing, &right->signing);
}

static void write_key(struct spean_writer *w, const struct spean_key *key)
{
    spean_writer_bin(w, key->bytes, sizeof(key->bytes));
}

static void write_admin(struct spean_writer *w, const struct spean_statement_draft *draft)
{
    qsort(draft->admins, draft->admins_count, sizeof(*draft->admins), key_order);
    spean_writer_uint(w, KEY_ADMIN);
    spean_writer_array(w, 2);
    spean_writer_uint(w, draft->threshold);
    spean_writer_array(w, draft->admins_count);
    for (uint32_t i = 0; i < draft->admins_count; i++) {
        write_key(w, &draft->admins[i]);
    }
}

static void write_nodes(struct spean_writer *w, const struct spean_statement_draft *draft)
{
    qsort(draft->nodes, draft->nodes_count, sizeof(*draft->nodes), node_order);
    spean_writer_uint(w, KEY_NODES);
    spean_writer_array(w, draft->nodes_count);
    for (uint32_t i = 0; i < draft->nodes_count; i++) {
        const struct spean_statement_node *const node = &draft->nodes[i];
        spean_writer_array(w, 4);
        write_key(w, &node->signing);
        write_key(w, &node->sealing);
        write_key(w, &node->transport);
        spean_writer_bin(w, node->acceptance.bytes, sizeof(node->acceptance.bytes));
    }
}

static void write_cuts(struct spean_writer *w, const struct spean_statement_draft *draft)
{
    qsort(draft->cuts, draft->cuts_count, sizeof(*draft->cuts), cut_order);
    spean_writer_uint(w, KEY_CUTS);
    spean_writer_array(w, draft->cuts_count);
    for (uint32_t i = 0; i < draft->cuts_count; i++) {
        spean_writer_array(w, 3);
        write_key(w, &draft->cuts[i].signing);
        spean_cut_write(w, &draft->cuts[i].cut);
    }
}

static void write_changes(struct spean_writer *w, const struct spean_statement_draft *draft)
{
    const bool present[] = {draft->admins_count > 0, draft->recovery != NULL,
                            draft->sealing != NULL,  draft->handle != NULL,
                            draft->nodes_count > 0,  draft->cuts_count > 0};
    uint32_t count = 0;
    for (size_t i = 0; i < sizeof(present) / sizeof(present[0]); i++) {
        count += present[i] ? 1 : 0;
    }
    spean_writer_map(w, count);
    if (draft->admins_count > 0) {
        write_admin(w, draft);
    }
    if (draft->recovery != NULL) {
        spean_writer_uint(w, KEY_RECOVERY);
        spean_writer_bin(w, draft->recovery->bytes, sizeof(draft->recovery->bytes));
    }
    if (draft->sealing != NULL) {
        spean_writer_uint(w, KEY_SEALING);
        spean_writer_array(w, 2);
        spean_writer_uint(w, draft->generation);
        write_key(w, draft->sealing);
    }
    if (draft->handle != NULL) {
        spean_writer_uint(w, KEY_HANDLE);
        spean_writer_bin(w, draft->handle->bytes, sizeof(draft->handle->bytes));
    }
    if (draft->nodes_count > 0) {
        write_nodes(w, draft);
    }
    if (draft->cuts_count > 0) {
        write_cuts(w, draft);
    }
}

spean_err spean_statement_compose(const struct spean_statement_draft *draft, uint8_t *buf,
                                  size_t cap, struct spean_view *out)
{
    assert(draft != NULL);
    assert(out != NULL);

    struct spean_writer w;
    spean_writer_init(&w, buf, cap);
    spean_document_write_head(&w, SPEAN_DOCUMENT_STATEMENT, draft->version, &draft->previous);
    write_changes(&w, draft);
    struct spean_view body;
    const spean_err err = spean_writer_end(&w, &body);
    if (err != SPEAN_OK) {
        return err;
    }

    /* What we write passes the same door as what we are sent. */
    struct spean_document doc;
    struct spean_statement statement;
    if (body.len > SPEAN_DOCUMENT_BYTES_MAX) {
        return SPEAN_ELIMIT;
    }
    if (spean_document_begin(&doc, body) != SPEAN_OK ||
        spean_statement_decode(&statement, &doc) != SPEAN_OK) {
        return SPEAN_EINPUT;
    }
    *out = body;
    return SPEAN_OK;
}

struct spean_id spean_statement_recovery(const struct spean_key *recovery)
{
    assert(recovery != NULL);

    struct spean_id hash;
    spean_hash(hash.bytes, sizeof(hash.bytes), SPEAN_DOMAIN_RECOVERY, recovery->bytes,
               sizeof(recovery->bytes));
    return hash;
}

static void acceptance_bytes(uint8_t out[ACCEPTANCE_BYTES], const struct spean_statement_node *node,
                             const struct spean_id *org, const struct spean_handle *handle)
{
    memcpy(out, org->bytes, sizeof(org->bytes));
    out += sizeof(org->bytes);
    memcpy(out, handle->bytes, sizeof(handle->bytes));
    out += sizeof(handle->bytes);
    memcpy(out, node->signing.bytes, SPEAN_KEY_BYTES);
    memcpy(out + SPEAN_KEY_BYTES, node->sealing.bytes, SPEAN_KEY_BYTES);
    memcpy(out + (size_t)2 * SPEAN_KEY_BYTES, node->transport.bytes, SPEAN_KEY_BYTES);
}

void spean_statement_accept(struct spean_statement_node *node, const struct spean_id *org,
                            const struct spean_handle *handle, const uint8_t seed[SPEAN_KEY_BYTES])
{
    assert(node != NULL);

    uint8_t bytes[ACCEPTANCE_BYTES];
    acceptance_bytes(bytes, node, org, handle);
    const struct spean_view msg = {bytes, sizeof(bytes)};
    spean_sign(&node->acceptance, SPEAN_DOMAIN_NODE, msg, seed);
}

spean_err spean_statement_accepted(const struct spean_statement_node *node,
                                   const struct spean_id *org, const struct spean_handle *handle)
{
    assert(node != NULL);

    uint8_t bytes[ACCEPTANCE_BYTES];
    acceptance_bytes(bytes, node, org, handle);
    const struct spean_view msg = {bytes, sizeof(bytes)};
    return spean_verify(&node->acceptance, SPEAN_DOMAIN_NODE, msg, &node->signing);
}
