/* The bytes of tests/vectors/messages.json: every session message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protocol/message.h"
#include "tests/support/vectorkit.h"

static struct spean_view written(const struct spean_writer *w)
{
    struct spean_view out;
    assert_int_equal(spean_writer_end(w, &out), SPEAN_OK);
    return out;
}

static void write_place(struct spean_writer *w, const struct spean_place *place)
{
    spean_writer_uint(w, place->seq);
    spean_writer_bin(w, place->entry.bytes, sizeof(place->entry.bytes));
}

static void write_titles(struct spean_writer *w, const json_t *titles)
{
    size_t i;
    json_t *title;
    json_array_foreach(titles, i, title)
    {
        const struct spean_id id = vector_id(title, "id");
        spean_writer_array(w, 2);
        spean_writer_uint(w, vector_uint(title, "version"));
        spean_writer_bin(w, id.bytes, sizeof(id.bytes));
    }
}

static struct spean_list titles_list(struct vectorkit *kit, const json_t *v)
{
    struct spean_writer w;
    vectorkit_writer(kit, &w);
    write_titles(&w, vector_list(v, "charter"));
    return (struct spean_list){vector_count(v, "charter"), written(&w)};
}

static struct spean_list chains_list(struct vectorkit *kit, const json_t *v)
{
    struct spean_writer w;
    vectorkit_writer(kit, &w);
    size_t i;
    json_t *chain;
    json_array_foreach(vector_list(v, "statements"), i, chain)
    {
        const struct spean_id org = vector_id(chain, "org");
        spean_writer_array(&w, 2);
        spean_writer_bin(&w, org.bytes, sizeof(org.bytes));
        spean_writer_array(&w, vector_count(chain, "heads"));
        write_titles(&w, vector_list(chain, "heads"));
    }
    return (struct spean_list){(uint32_t)i, written(&w)};
}

static struct spean_list documents_list(struct vectorkit *kit, const json_t *v)
{
    struct spean_writer w;
    vectorkit_writer(kit, &w);
    size_t i;
    json_t *document;
    json_array_foreach(vector_list(v, "documents"), i, document)
    {
        const struct spean_view bytes = vector_hex(kit, document);
        spean_writer_bin(&w, bytes.data, bytes.len);
    }
    return (struct spean_list){(uint32_t)i, written(&w)};
}

static struct spean_list rows_list(struct vectorkit *kit, const json_t *v)
{
    struct spean_writer w;
    vectorkit_writer(kit, &w);
    size_t i;
    json_t *row;
    json_array_foreach(vector_list(v, "rows"), i, row)
    {
        const struct spean_id log = vector_id(row, "log");
        const struct spean_place place = vector_place(row);
        spean_writer_array(&w, 3);
        spean_writer_bin(&w, log.bytes, sizeof(log.bytes));
        write_place(&w, &place);
    }
    return (struct spean_list){(uint32_t)i, written(&w)};
}

static struct spean_list bodies_list(struct vectorkit *kit, const json_t *v)
{
    struct spean_writer w;
    vectorkit_writer(kit, &w);
    size_t i;
    json_t *item;
    json_array_foreach(vector_list(v, "bodies"), i, item)
    {
        const struct spean_view body = vector_bytes(kit, item, "body");
        spean_writer_array(&w, 2);
        spean_writer_uint(&w, vector_uint(item, "seq"));
        spean_writer_bin(&w, body.data, body.len);
    }
    return (struct spean_list){(uint32_t)i, written(&w)};
}

static void fill_hello(struct spean_message *m, const json_t *v)
{
    m->as.hello = (struct spean_hello){
        .lowest = vector_uint(v, "lowest"),
        .highest = vector_uint(v, "highest"),
        .handle = vector_handle(v, "handle"),
        .org = vector_id(v, "org"),
        .signing = vector_key(v, "signing"),
        .authority = vector_id(v, "authority"),
        .frontier = vector_id(v, "frontier"),
        .time = vector_uint(v, "time"),
    };
}

static void fill_digest(struct vectorkit *kit, struct spean_message *m, const json_t *v)
{
    const uint32_t names = vector_count(v, "excluded");
    uint8_t *const excluded = vectorkit_alloc(kit, names, SPEAN_SHORT_BYTES);
    uint8_t *const buckets = vectorkit_alloc(kit, SPEAN_BUCKETS_BYTES, 1);
    size_t i;
    json_t *value;
    json_array_foreach(vector_list(v, "excluded"), i, value)
    {
        const struct spean_view name = vector_hex(kit, value);
        for (size_t k = 0; k < SPEAN_SHORT_BYTES; k++) {
            excluded[i * SPEAN_SHORT_BYTES + k] = name.data[k];
        }
    }
    json_array_foreach(vector_list(v, "buckets"), i, value)
    {
        const struct spean_view digest = vector_hex(kit, value);
        for (size_t k = 0; k < SPEAN_BUCKET_DIGEST_BYTES; k++) {
            buckets[i * SPEAN_BUCKET_DIGEST_BYTES + k] = digest.data[k];
        }
    }
    m->as.digest.excluded_count = names;
    m->as.digest.excluded = (struct spean_view){excluded, names * SPEAN_SHORT_BYTES};
    m->as.digest.buckets = buckets;
}

static void fill_rows(struct vectorkit *kit, struct spean_message *m, const json_t *v)
{
    size_t i;
    json_t *bucket;
    json_array_foreach(vector_list(v, "buckets"), i, bucket)
    {
        m->as.rows.buckets |= UINT64_C(1) << json_integer_value(bucket);
    }
    m->as.rows.rows = rows_list(kit, v);
    m->as.rows.more = vector_bool(v, "more");
}

static void fill_want(struct spean_message *m, const json_t *v)
{
    m->as.want.want = (uint32_t)vector_uint(v, "want");
    m->as.want.log = vector_id(v, "log");
    m->as.want.bytes = vector_uint(v, "bytes");
    m->as.want.places_count = vector_count(v, "places");
    size_t i;
    json_t *place;
    json_array_foreach(vector_list(v, "places"), i, place)
    {
        m->as.want.places[i] = vector_place(place);
    }
}

static void fill_aside(struct spean_message *m, const json_t *v)
{
    m->as.aside.want = (uint32_t)vector_uint(v, "want");
    m->as.aside.log = vector_id(v, "log");
    m->as.aside.after = vector_place(v);
    m->as.aside.more = vector_bool(v, "more");
    m->as.aside.held_count = vector_count(v, "held");
    size_t i;
    json_t *place;
    json_array_foreach(vector_list(v, "held"), i, place)
    {
        m->as.aside.held[i] = vector_place(place);
    }
}

static void fill_fetch(struct spean_message *m, const json_t *v)
{
    m->as.fetch.fetch = (uint32_t)vector_uint(v, "fetch");
    m->as.fetch.log = vector_id(v, "log");
    m->as.fetch.tag = vector_tag(v, "tag");
    m->as.fetch.proof = vector_id(v, "proof");
    m->as.fetch.seqs_count = vector_count(v, "seqs");
    size_t i;
    json_t *seq;
    json_array_foreach(vector_list(v, "seqs"), i, seq)
    {
        m->as.fetch.seqs[i] = (uint64_t)json_integer_value(seq);
    }
}

/* Messages about documents and joining. */
static void fill_documents(struct vectorkit *kit, struct spean_message *m, const json_t *v)
{
    if (m->type == SPEAN_MESSAGE_TITLES) {
        m->as.titles.charter = titles_list(kit, v);
        m->as.titles.orgs = chains_list(kit, v);
        m->as.titles.more = vector_bool(v, "more");
    } else if (m->type == SPEAN_MESSAGE_EVIDENCE) {
        m->as.evidence = vector_bytes(kit, v, "evidence");
    } else if (m->type == SPEAN_MESSAGE_JOIN) {
        m->as.join.handle = vector_handle(v, "handle");
        m->as.join.documents = documents_list(kit, v);
        m->as.join.mac = vector_id(v, "mac");
    } else if (m->type == SPEAN_MESSAGE_NODE) {
        m->as.node.handle = vector_handle(v, "handle");
        m->as.node.org = vector_id(v, "org");
        m->as.node.signing = vector_key(v, "signing");
        m->as.node.sealing = vector_key(v, "sealing");
        vector_fixed(v, "acceptance", m->as.node.acceptance.bytes,
                     sizeof(m->as.node.acceptance.bytes));
        m->as.node.mac = vector_id(v, "mac");
    } else if (m->type == SPEAN_MESSAGE_CHALLENGE) {
        vector_fixed(v, "fresh", m->as.fresh, sizeof(m->as.fresh));
    } else {
        m->as.documents.documents = documents_list(kit, v);
        m->as.documents.more = vector_has(v, "more") && vector_bool(v, "more");
    }
}

/* Messages with nothing but numbers, a log and a place. */
static void fill_small(struct vectorkit *kit, struct spean_message *m, const json_t *v)
{
    if (m->type == SPEAN_MESSAGE_REFUSE) {
        m->as.refuse.rule = vector_uint(v, "rule");
        m->as.refuse.text = vector_str(v, "text");
    } else if (m->type == SPEAN_MESSAGE_RUN) {
        m->as.run.want = (uint32_t)vector_uint(v, "want");
        m->as.run.log = vector_id(v, "log");
        m->as.run.run = vector_bytes(kit, v, "run");
    } else if (m->type == SPEAN_MESSAGE_END) {
        m->as.end.want = (uint32_t)vector_uint(v, "want");
        m->as.end.status = vector_uint(v, "status");
    } else if (m->type == SPEAN_MESSAGE_MORE) {
        m->as.more.want = (uint32_t)vector_uint(v, "want");
        m->as.more.bytes = vector_uint(v, "bytes");
    } else if (m->type == SPEAN_MESSAGE_HEAD || m->type == SPEAN_MESSAGE_HELD) {
        m->as.place.log = vector_id(v, "log");
        m->as.place.place = vector_place(v);
    } else if (m->type == SPEAN_MESSAGE_SYNCED) {
        m->as.synced.frontier = vector_id(v, "frontier");
        m->as.synced.missing = vector_uint(v, "missing");
    } else {
        m->as.number = vector_uint(v, "number");
    }
}

static void fill(struct vectorkit *kit, struct spean_message *m, const json_t *v)
{
    *m = (struct spean_message){.type = (enum spean_message_type)vector_uint(v, "type")};
    switch ((int)m->type) {
    case SPEAN_MESSAGE_HELLO:
        fill_hello(m, v);
        break;
    case SPEAN_MESSAGE_TITLES:
    case SPEAN_MESSAGE_DOCUMENTS:
    case SPEAN_MESSAGE_EVIDENCE:
    case SPEAN_MESSAGE_OFFER:
    case SPEAN_MESSAGE_JOIN:
    case SPEAN_MESSAGE_CHALLENGE:
    case SPEAN_MESSAGE_NODE:
        fill_documents(kit, m, v);
        break;
    case SPEAN_MESSAGE_DIGEST:
        fill_digest(kit, m, v);
        break;
    case SPEAN_MESSAGE_ROWS:
        fill_rows(kit, m, v);
        break;
    case SPEAN_MESSAGE_WANT:
        fill_want(m, v);
        break;
    case SPEAN_MESSAGE_FETCH:
        fill_fetch(m, v);
        break;
    case SPEAN_MESSAGE_ASIDE:
        fill_aside(m, v);
        break;
    case SPEAN_MESSAGE_BRANCH:
        m->as.branch.want = (uint32_t)vector_uint(v, "want");
        m->as.branch.log = vector_id(v, "log");
        m->as.branch.previous = vector_id(v, "previous");
        m->as.branch.run = vector_bytes(kit, v, "run");
        break;
    case SPEAN_MESSAGE_BODIES:
        m->as.bodies.fetch = (uint32_t)vector_uint(v, "fetch");
        m->as.bodies.items = bodies_list(kit, v);
        m->as.bodies.more = vector_bool(v, "more");
        break;
    default:
        fill_small(kit, m, v);
    }
}

/* We say no features yet, and read a peer's without asking what they are. */
static bool has_features(const json_t *v)
{
    return vector_has(v, "features") && vector_count(v, "features") > 0;
}

static void messages_have_the_vectors_bytes(void **state)
{
    (void)state;
    struct vectorkit *const kit = vectorkit_open("messages.json");
    uint32_t seen = 0;
    size_t i;
    json_t *v;
    json_array_foreach(vectorkit_list(kit, "messages"), i, v)
    {
        struct spean_message m;
        fill(kit, &m, v);
        seen |= UINT32_C(1) << m.type;
        struct spean_view frame;
        assert_int_equal(spean_message_encode(&m, vectorkit_alloc(kit, SPEAN_FRAME_BYTES_MAX, 1),
                                              SPEAN_FRAME_BYTES_MAX, &frame),
                         SPEAN_OK);
        if (!has_features(v)) {
            assert_vector_view(v, "frame", frame);
        }
    }
    assert_int_equal(seen, 0x7f7fffe); /* 1 to 18 and 20 to 26 */
    vectorkit_close(kit);
}

static void messages_decode_and_encode_to_the_same_bytes(void **state)
{
    (void)state;
    struct vectorkit *const kit = vectorkit_open("messages.json");
    size_t i;
    json_t *v;
    json_array_foreach(vectorkit_list(kit, "messages"), i, v)
    {
        struct spean_message m;
        struct spean_view frame;
        assert_int_equal(spean_message_decode(vector_bytes(kit, v, "frame"), &m), SPEAN_OK);
        assert_int_equal(m.type, vector_uint(v, "type"));
        assert_int_equal(spean_message_encode(&m, vectorkit_alloc(kit, SPEAN_FRAME_BYTES_MAX, 1),
                                              SPEAN_FRAME_BYTES_MAX, &frame),
                         SPEAN_OK);
        if (!has_features(v)) {
            assert_vector_view(v, "frame", frame);
        }
    }
    vectorkit_close(kit);
}

static void malformed_messages_are_refused(void **state)
{
    (void)state;
    struct vectorkit *const kit = vectorkit_open("messages.json");
    size_t i;
    json_t *v;
    json_array_foreach(vectorkit_list(kit, "refused"), i, v)
    {
        struct spean_message m;
        assert_refused(v, spean_message_decode(vector_bytes(kit, v, "encoded"), &m));
    }
    vectorkit_close(kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_have_the_vectors_bytes),
        cmocka_unit_test(messages_decode_and_encode_to_the_same_bytes),
        cmocka_unit_test(malformed_messages_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
