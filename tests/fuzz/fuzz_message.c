/*
 * Frames of any bytes. One that is accepted has lists that can be walked to their ends, and is
 * encoded again to the same bytes; only HELLO may differ, in features that are ignored.
 */
#include <assert.h>
#include <string.h>

#include "protocol/message.h"
#include "tests/fuzz/fuzz.h"

static void walk_titles(struct spean_list titles)
{
    uint64_t version = 0;
    struct spean_id id;
    uint32_t left = titles.count;
    while (spean_title_next(&titles, &version, &id)) {
        assert(version > 0);
        left--;
    }
    assert(left == 0);
}

static void walk_chains(struct spean_list chains)
{
    struct spean_id before;
    struct spean_id org;
    struct spean_list titles;
    const uint32_t count = chains.count;
    for (uint32_t i = 0; spean_chain_next(&chains, &org, &titles); i++) {
        assert(i < count);
        assert(i == 0 || spean_id_compare(&before, &org) < 0);
        walk_titles(titles);
        before = org;
    }
    assert(chains.count == 0);
}

static void walk_documents(struct spean_list documents)
{
    struct spean_view document;
    while (spean_document_next(&documents, &document)) {
        assert(document.len > 0);
    }
    assert(documents.count == 0);
}

static void walk_rows(struct spean_list rows)
{
    struct spean_frontier_row row;
    while (spean_row_next(&rows, &row)) {
        assert(row.head.seq > 0);
    }
    assert(rows.count == 0);
}

static void walk_bodies(struct spean_list bodies)
{
    uint64_t before = 0;
    uint64_t seq = 0;
    struct spean_view body;
    while (spean_bodies_next(&bodies, &seq, &body)) {
        assert(seq > before);
        assert(body.len > 0 && body.len <= SPEAN_BODY_BYTES_MAX);
        before = seq;
    }
    assert(bodies.count == 0);
}

static void walk(const struct spean_message *m)
{
    if (m->type == SPEAN_MESSAGE_TITLES) {
        walk_titles(m->as.titles.charter);
        walk_chains(m->as.titles.orgs);
    } else if (m->type == SPEAN_MESSAGE_DOCUMENTS || m->type == SPEAN_MESSAGE_OFFER) {
        walk_documents(m->as.documents.documents);
    } else if (m->type == SPEAN_MESSAGE_JOIN) {
        walk_documents(m->as.join.documents);
    } else if (m->type == SPEAN_MESSAGE_ROWS) {
        walk_rows(m->as.rows.rows);
    } else if (m->type == SPEAN_MESSAGE_BODIES) {
        walk_bodies(m->as.bodies.items);
    } else if (m->type == SPEAN_MESSAGE_WANT) {
        assert(m->as.want.want != 0);
        assert(m->as.want.places_count <= SPEAN_PLACES_MAX);
    } else if (m->type == SPEAN_MESSAGE_ASIDE) {
        assert(m->as.aside.want != 0);
        assert(m->as.aside.held_count <= SPEAN_ASIDE_HELD_MAX);
        assert(m->as.aside.held_count > 0 || !m->as.aside.more);
    } else if (m->type == SPEAN_MESSAGE_FETCH) {
        assert(m->as.fetch.seqs_count > 0);
        assert(m->as.fetch.seqs_count <= SPEAN_FETCH_SEQS_MAX);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct spean_message m;
    static uint8_t buf[SPEAN_FRAME_BYTES_MAX];
    if (spean_message_decode((struct spean_view){data, size}, &m) != SPEAN_OK) {
        return 0;
    }
    walk(&m);
    struct spean_view again = {0};
    const spean_err err = spean_message_encode(&m, buf, sizeof(buf), &again);
    assert(err == SPEAN_OK);
    if (m.type != SPEAN_MESSAGE_HELLO) {
        assert(again.len == size);
        assert(memcmp(again.data, data, size) == 0);
    }
    return 0;
}
