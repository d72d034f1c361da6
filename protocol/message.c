#include "protocol/message.h"

#include <assert.h>
#include <string.h>

#include "protocol/evidence.h"
#include "protocol/writer.h"

#define MAGIC_BYTES    8u
#define HELLO_ELEMENTS 11u
#define NUMBERS_MAX    UINT32_MAX

static const uint8_t magic[MAGIC_BYTES] = {'s', 'p', 'e', 'a', 'n', 0, 0, 0};

/* Elements of each message, its type included; 0 for types that do not exist. */
static const uint8_t elements_of[] = {
    [SPEAN_MESSAGE_HELLO] = HELLO_ELEMENTS,
    [SPEAN_MESSAGE_REFUSE] = 3,
    [SPEAN_MESSAGE_TITLES] = 4,
    [SPEAN_MESSAGE_DOCUMENTS] = 3,
    [SPEAN_MESSAGE_EVIDENCE] = 2,
    [SPEAN_MESSAGE_DIGEST] = 3,
    [SPEAN_MESSAGE_ROWS] = 4,
    [SPEAN_MESSAGE_WANT] = 5,
    [SPEAN_MESSAGE_RUN] = 4,
    [SPEAN_MESSAGE_END] = 3,
    [SPEAN_MESSAGE_MORE] = 3,
    [SPEAN_MESSAGE_FETCH] = 6,
    [SPEAN_MESSAGE_BODIES] = 4,
    [SPEAN_MESSAGE_HEAD] = 4,
    [SPEAN_MESSAGE_SYNCED] = 3,
    [SPEAN_MESSAGE_PING] = 2,
    [SPEAN_MESSAGE_PONG] = 2,
    [SPEAN_MESSAGE_HELD] = 4,
    [SPEAN_MESSAGE_OFFER] = 2,
    [SPEAN_MESSAGE_JOIN] = 4,
    [SPEAN_MESSAGE_CHALLENGE] = 2,
    [SPEAN_MESSAGE_STANDING] = 2,
    [SPEAN_MESSAGE_ASIDE] = 7,
    [SPEAN_MESSAGE_BRANCH] = 5,
    [SPEAN_MESSAGE_NODE] = 7,
};

#define TYPES_COUNT (sizeof(elements_of) / sizeof(elements_of[0]))

bool spean_standing_is_final(uint64_t standing)
{
    return standing == SPEAN_STANDING_REFUSED || standing == SPEAN_STANDING_EXPIRED;
}

static void read_id(struct spean_reader *r, struct spean_id *id)
{
    spean_reader_bin_fixed(r, id->bytes, sizeof(id->bytes));
}

static uint32_t read_number(struct spean_reader *r)
{
    return (uint32_t)spean_reader_uint(r, NUMBERS_MAX);
}

/* The bytes read since start, as a list of count elements. */
static struct spean_list list_since(const struct spean_reader *r, const uint8_t *start,
                                    uint32_t count)
{
    const size_t len = spean_reader_failed(r) ? 0 : (size_t)(r->pos - start);
    return (struct spean_list){len > 0 ? count : 0, {start, len}};
}

static void read_place(struct spean_reader *r, struct spean_place *place)
{
    place->seq = spean_reader_uint(r, UINT64_MAX);
    read_id(r, &place->entry);
    if (place->seq == 0) {
        spean_reader_fail(r, SPEAN_EFORMAT);
    }
}

static void read_hello(struct spean_reader *r, struct spean_hello *hello)
{
    uint8_t word[MAGIC_BYTES];
    spean_reader_bin_fixed(r, word, sizeof(word));
    if (memcmp(word, magic, sizeof(magic)) != 0) {
        spean_reader_fail(r, SPEAN_EFORMAT);
    }
    hello->lowest = spean_reader_uint(r, UINT64_MAX);
    hello->highest = spean_reader_uint(r, UINT64_MAX);
    spean_reader_bin_fixed(r, hello->handle.bytes, sizeof(hello->handle.bytes));
    read_id(r, &hello->org);
    spean_reader_bin_fixed(r, hello->signing.bytes, sizeof(hello->signing.bytes));
    read_id(r, &hello->authority);
    read_id(r, &hello->frontier);
    const uint32_t features = spean_reader_array(r, 0, SPEAN_FEATURES_MAX);
    for (uint32_t i = 0; i < features && !spean_reader_failed(r); i++) {
        (void)spean_reader_uint(r, UINT64_MAX); /* Version 1 has none: unknown ones are ignored. */
    }
    hello->time = spean_reader_uint(r, INT64_MAX);
}

static struct spean_list read_titles(struct spean_reader *r)
{
    const uint32_t count = spean_reader_array(r, 0, SPEAN_MESSAGE_HEADS_MAX);
    const uint8_t *start = r->pos;
    struct spean_id before = {0};
    for (uint32_t i = 0; i < count && !spean_reader_failed(r); i++) {
        struct spean_place title; /* A title is a version from 1 and an id, like a place. */
        (void)spean_reader_array(r, 2, 2);
        read_place(r, &title);
        if (i > 0 && spean_id_compare(&title.entry, &before) <= 0) {
            spean_reader_fail(r, SPEAN_EFORMAT);
        }
        before = title.entry;
    }
    return list_since(r, start, count);
}

static struct spean_list read_chains(struct spean_reader *r)
{
    const uint32_t count = spean_reader_array(r, 0, SPEAN_MESSAGE_TITLES_MAX);
    const uint8_t *start = r->pos;
    struct spean_id before = {0};
    for (uint32_t i = 0; i < count && !spean_reader_failed(r); i++) {
        struct spean_id org;
        (void)spean_reader_array(r, 2, 2);
        read_id(r, &org);
        (void)read_titles(r);
        if (i > 0 && spean_id_compare(&org, &before) <= 0) {
            spean_reader_fail(r, SPEAN_EFORMAT);
        }
        before = org;
    }
    return list_since(r, start, count);
}

static struct spean_list read_documents(struct spean_reader *r)
{
    const uint32_t count = spean_reader_array(r, 0, SPEAN_MESSAGE_DOCS_MAX);
    const uint8_t *start = r->pos;
    for (uint32_t i = 0; i < count && !spean_reader_failed(r); i++) {
        (void)spean_reader_bin(r, 1, SPEAN_FRAME_BYTES_MAX);
    }
    return list_since(r, start, count);
}

static void read_digest(struct spean_reader *r, struct spean_message *m)
{
    const struct spean_view names =
        spean_reader_bin(r, 0, (size_t)SPEAN_EXCLUDED_MAX * SPEAN_SHORT_BYTES);
    m->as.digest.buckets = spean_reader_bin(r, SPEAN_BUCKETS_BYTES, SPEAN_BUCKETS_BYTES).data;
    m->as.digest.excluded = names;
    m->as.digest.excluded_count = (uint32_t)(names.len / SPEAN_SHORT_BYTES);
    if (names.len % SPEAN_SHORT_BYTES != 0) {
        spean_reader_fail(r, SPEAN_EFORMAT);
        return;
    }
    for (size_t i = SPEAN_SHORT_BYTES; i < names.len; i += SPEAN_SHORT_BYTES) {
        if (memcmp(names.data + i - SPEAN_SHORT_BYTES, names.data + i, SPEAN_SHORT_BYTES) >= 0) {
            spean_reader_fail(r, SPEAN_EFORMAT);
        }
    }
}

static void read_rows(struct spean_reader *r, struct spean_message *m)
{
    m->as.rows.buckets = spean_reader_uint(r, UINT64_MAX);
    const uint32_t count = spean_reader_array(r, 0, SPEAN_MESSAGE_ROWS_MAX);
    const uint8_t *start = r->pos;
    struct spean_id before = {0};
    for (uint32_t i = 0; i < count && !spean_reader_failed(r); i++) {
        struct spean_id log;
        struct spean_place ignored;
        (void)spean_reader_array(r, 3, 3);
        read_id(r, &log);
        read_place(r, &ignored);
        if (i > 0 && spean_id_compare(&log, &before) <= 0) {
            spean_reader_fail(r, SPEAN_EFORMAT);
        }
        before = log;
    }
    m->as.rows.rows = list_since(r, start, count);
    m->as.rows.more = spean_reader_bool(r);
}

static void read_want(struct spean_reader *r, struct spean_message *m)
{
    m->as.want.want = read_number(r);
    read_id(r, &m->as.want.log);
    const uint32_t count = spean_reader_array(r, 0, SPEAN_PLACES_MAX);
    for (uint32_t i = 0; i < count && !spean_reader_failed(r); i++) {
        (void)spean_reader_array(r, 2, 2);
        read_place(r, &m->as.want.places[i]);
        if (i > 0 && m->as.want.places[i].seq >= m->as.want.places[i - 1].seq) {
            spean_reader_fail(r, SPEAN_EFORMAT);
        }
    }
    m->as.want.places_count = count;
    m->as.want.bytes = spean_reader_uint(r, UINT64_MAX);
    if (m->as.want.want == 0) {
        spean_reader_fail(r, SPEAN_EFORMAT); /* 0 names pushes. */
    }
}

static void read_fetch(struct spean_reader *r, struct spean_message *m)
{
    m->as.fetch.fetch = read_number(r);
    read_id(r, &m->as.fetch.log);
    spean_reader_bin_fixed(r, m->as.fetch.tag.bytes, sizeof(m->as.fetch.tag.bytes));
    read_id(r, &m->as.fetch.proof);
    const uint32_t count = spean_reader_array(r, 1, SPEAN_FETCH_SEQS_MAX);
    for (uint32_t i = 0; i < count && !spean_reader_failed(r); i++) {
        m->as.fetch.seqs[i] = spean_reader_uint(r, UINT64_MAX);
        if (m->as.fetch.seqs[i] == 0 || (i > 0 && m->as.fetch.seqs[i] <= m->as.fetch.seqs[i - 1])) {
            spean_reader_fail(r, SPEAN_EFORMAT);
        }
    }
    m->as.fetch.seqs_count = count;
}

static void read_bodies(struct spean_reader *r, struct spean_message *m)
{
    m->as.bodies.fetch = read_number(r);
    const uint32_t count = spean_reader_array(r, 0, SPEAN_FETCH_SEQS_MAX);
    const uint8_t *start = r->pos;
    uint64_t before = 0;
    for (uint32_t i = 0; i < count && !spean_reader_failed(r); i++) {
        (void)spean_reader_array(r, 2, 2);
        const uint64_t seq = spean_reader_uint(r, UINT64_MAX);
        (void)spean_reader_bin(r, 1, SPEAN_BODY_BYTES_MAX);
        if (seq <= before) {
            spean_reader_fail(r, SPEAN_EFORMAT);
        }
        before = seq;
    }
    m->as.bodies.items = list_since(r, start, count);
    m->as.bodies.more = spean_reader_bool(r);
}

/* The run's own decoder checks it, and it ends the frame: what is left is the run. */
static struct spean_view read_rest(struct spean_reader *r)
{
    const struct spean_view rest = {r->pos, (size_t)(r->end - r->pos)};
    r->pos = r->end;
    if (rest.len == 0) {
        spean_reader_fail(r, SPEAN_EFORMAT);
    }
    return rest;
}

static void read_run(struct spean_reader *r, struct spean_message *m)
{
    m->as.run.want = read_number(r);
    read_id(r, &m->as.run.log);
    m->as.run.run = read_rest(r);
}

static void read_aside(struct spean_reader *r, struct spean_message *m)
{
    static const struct spean_id none;
    m->as.aside.want = read_number(r);
    read_id(r, &m->as.aside.log);
    m->as.aside.after.seq = spean_reader_uint(r, UINT64_MAX);
    read_id(r, &m->as.aside.after.entry);
    struct spean_place before = m->as.aside.after;
    const uint32_t count = spean_reader_array(r, 0, SPEAN_ASIDE_HELD_MAX);
    for (uint32_t i = 0; i < count && !spean_reader_failed(r); i++) {
        (void)spean_reader_array(r, 2, 2);
        read_place(r, &m->as.aside.held[i]);
        if (spean_place_compare(&m->as.aside.held[i], &before) <= 0) {
            spean_reader_fail(r, SPEAN_EFORMAT);
        }
        before = m->as.aside.held[i];
    }
    m->as.aside.held_count = count;
    m->as.aside.more = spean_reader_bool(r);
    const bool start = m->as.aside.after.seq == 0;
    if (m->as.aside.want == 0 || (m->as.aside.more && count == 0) ||
        (start && !spean_id_equal(&m->as.aside.after.entry, &none))) {
        spean_reader_fail(r, SPEAN_EFORMAT);
    }
}

static void read_branch(struct spean_reader *r, struct spean_message *m)
{
    m->as.branch.want = read_number(r);
    read_id(r, &m->as.branch.log);
    read_id(r, &m->as.branch.previous);
    m->as.branch.run = read_rest(r);
}

static void read_content_of_sync(struct spean_reader *r, struct spean_message *m)
{
    switch (m->type) {
    case SPEAN_MESSAGE_DIGEST:
        read_digest(r, m);
        break;
    case SPEAN_MESSAGE_ROWS:
        read_rows(r, m);
        break;
    case SPEAN_MESSAGE_WANT:
        read_want(r, m);
        break;
    case SPEAN_MESSAGE_RUN:
        read_run(r, m);
        break;
    case SPEAN_MESSAGE_END:
        m->as.end.want = read_number(r);
        m->as.end.status = spean_reader_uint(r, SPEAN_END_NOT_SERVED);
        break;
    case SPEAN_MESSAGE_MORE:
        m->as.more.want = read_number(r);
        m->as.more.bytes = spean_reader_uint(r, UINT64_MAX);
        break;
    case SPEAN_MESSAGE_FETCH:
        read_fetch(r, m);
        break;
    case SPEAN_MESSAGE_BODIES:
        read_bodies(r, m);
        break;
    case SPEAN_MESSAGE_HEAD:
    case SPEAN_MESSAGE_HELD:
        read_id(r, &m->as.place.log);
        read_place(r, &m->as.place.place);
        break;
    case SPEAN_MESSAGE_SYNCED:
        read_id(r, &m->as.synced.frontier);
        m->as.synced.missing = spean_reader_uint(r, UINT64_MAX);
        break;
    case SPEAN_MESSAGE_ASIDE:
        read_aside(r, m);
        break;
    case SPEAN_MESSAGE_BRANCH:
        read_branch(r, m);
        break;
    case SPEAN_MESSAGE_HELLO:
    case SPEAN_MESSAGE_REFUSE:
    case SPEAN_MESSAGE_TITLES:
    case SPEAN_MESSAGE_DOCUMENTS:
    case SPEAN_MESSAGE_OFFER:
    case SPEAN_MESSAGE_EVIDENCE:
    case SPEAN_MESSAGE_PING:
    case SPEAN_MESSAGE_PONG:
    case SPEAN_MESSAGE_STANDING:
    case SPEAN_MESSAGE_JOIN:
    case SPEAN_MESSAGE_CHALLENGE:
    case SPEAN_MESSAGE_NODE:
        break; /* Handled by the caller. */
    }
}

static void read_node(struct spean_reader *r, struct spean_message *m)
{
    spean_reader_bin_fixed(r, m->as.node.handle.bytes, sizeof(m->as.node.handle.bytes));
    read_id(r, &m->as.node.org);
    spean_reader_bin_fixed(r, m->as.node.signing.bytes, sizeof(m->as.node.signing.bytes));
    spean_reader_bin_fixed(r, m->as.node.sealing.bytes, sizeof(m->as.node.sealing.bytes));
    spean_reader_bin_fixed(r, m->as.node.acceptance.bytes, sizeof(m->as.node.acceptance.bytes));
    read_id(r, &m->as.node.mac);
}

static void read_content(struct spean_reader *r, struct spean_message *m)
{
    switch (m->type) {
    case SPEAN_MESSAGE_HELLO:
        read_hello(r, &m->as.hello);
        break;
    case SPEAN_MESSAGE_REFUSE:
        m->as.refuse.rule = spean_reader_uint(r, UINT64_MAX);
        m->as.refuse.text = spean_reader_str(r, 0, SPEAN_REFUSE_BYTES_MAX);
        break;
    case SPEAN_MESSAGE_TITLES:
        m->as.titles.charter = read_titles(r);
        m->as.titles.orgs = read_chains(r);
        m->as.titles.more = spean_reader_bool(r);
        break;
    case SPEAN_MESSAGE_DOCUMENTS:
        m->as.documents.documents = read_documents(r);
        m->as.documents.more = spean_reader_bool(r);
        break;
    case SPEAN_MESSAGE_OFFER:
        m->as.documents.documents = read_documents(r);
        m->as.documents.more = false;
        break;
    case SPEAN_MESSAGE_EVIDENCE:
        m->as.evidence = spean_reader_bin(r, 1, SPEAN_EVIDENCE_BYTES_MAX);
        break;
    case SPEAN_MESSAGE_PING:
    case SPEAN_MESSAGE_PONG:
        m->as.number = spean_reader_uint(r, UINT64_MAX);
        break;
    case SPEAN_MESSAGE_STANDING:
        m->as.number = spean_reader_uint(r, SPEAN_STANDING_MEMBER);
        if (m->as.number == 0) {
            spean_reader_fail(r, SPEAN_EFORMAT);
        }
        break;
    case SPEAN_MESSAGE_JOIN:
        spean_reader_bin_fixed(r, m->as.join.handle.bytes, sizeof(m->as.join.handle.bytes));
        m->as.join.documents = read_documents(r);
        read_id(r, &m->as.join.mac);
        break;
    case SPEAN_MESSAGE_CHALLENGE:
        spean_reader_bin_fixed(r, m->as.fresh, sizeof(m->as.fresh));
        break;
    case SPEAN_MESSAGE_NODE:
        read_node(r, m);
        break;
    case SPEAN_MESSAGE_DIGEST:
    case SPEAN_MESSAGE_ROWS:
    case SPEAN_MESSAGE_WANT:
    case SPEAN_MESSAGE_RUN:
    case SPEAN_MESSAGE_END:
    case SPEAN_MESSAGE_MORE:
    case SPEAN_MESSAGE_FETCH:
    case SPEAN_MESSAGE_BODIES:
    case SPEAN_MESSAGE_HEAD:
    case SPEAN_MESSAGE_HELD:
    case SPEAN_MESSAGE_ASIDE:
    case SPEAN_MESSAGE_BRANCH:
    case SPEAN_MESSAGE_SYNCED:
        read_content_of_sync(r, m);
        break;
    }
}

spean_err spean_message_decode(struct spean_view frame, struct spean_message *out)
{
    if (frame.len > SPEAN_FRAME_BYTES_MAX) {
        return SPEAN_ELIMIT;
    }
    struct spean_reader r;
    spean_reader_init(&r, frame);
    const uint32_t elements = spean_reader_array(&r, 2, HELLO_ELEMENTS);
    const uint64_t type = spean_reader_uint(&r, UINT64_MAX);
    if (spean_reader_failed(&r)) {
        return r.err;
    }
    if (type >= TYPES_COUNT || elements_of[type] != elements || elements == 0) {
        return SPEAN_EFORMAT;
    }
    out->type = (enum spean_message_type)type;
    read_content(&r, out);
    return spean_reader_end(&r);
}

/* Begin on what is left of a list; false when nothing is. */
static bool list_begin(struct spean_list *list, struct spean_reader *r)
{
    if (list->count == 0) {
        return false;
    }
    spean_reader_init(r, list->bytes);
    return true;
}

/* Take what was read off the list. Decoding has checked it, so failing is our own mistake. */
static void list_take(struct spean_list *list, const struct spean_reader *r)
{
    assert(!spean_reader_failed(r));
    list->bytes = (struct spean_view){r->pos, (size_t)(r->end - r->pos)};
    list->count--;
}

bool spean_title_next(struct spean_list *list, uint64_t *version, struct spean_id *id)
{
    struct spean_reader r;
    struct spean_place title;
    if (!list_begin(list, &r)) {
        return false;
    }
    (void)spean_reader_array(&r, 2, 2);
    read_place(&r, &title);
    list_take(list, &r);
    *version = title.seq;
    *id = title.entry;
    return true;
}

bool spean_chain_next(struct spean_list *list, struct spean_id *org, struct spean_list *titles)
{
    struct spean_reader r;
    if (!list_begin(list, &r)) {
        return false;
    }
    (void)spean_reader_array(&r, 2, 2);
    read_id(&r, org);
    *titles = read_titles(&r);
    list_take(list, &r);
    return true;
}

bool spean_document_next(struct spean_list *list, struct spean_view *document)
{
    struct spean_reader r;
    if (!list_begin(list, &r)) {
        return false;
    }
    *document = spean_reader_bin(&r, 1, SPEAN_FRAME_BYTES_MAX);
    list_take(list, &r);
    return true;
}

bool spean_row_next(struct spean_list *list, struct spean_frontier_row *row)
{
    struct spean_reader r;
    if (!list_begin(list, &r)) {
        return false;
    }
    (void)spean_reader_array(&r, 3, 3);
    read_id(&r, &row->log);
    read_place(&r, &row->head);
    list_take(list, &r);
    return true;
}

bool spean_bodies_next(struct spean_list *list, uint64_t *seq, struct spean_view *body)
{
    struct spean_reader r;
    if (!list_begin(list, &r)) {
        return false;
    }
    (void)spean_reader_array(&r, 2, 2);
    *seq = spean_reader_uint(&r, UINT64_MAX);
    *body = spean_reader_bin(&r, 1, SPEAN_BODY_BYTES_MAX);
    list_take(list, &r);
    return true;
}

static void write_id(struct spean_writer *w, const struct spean_id *id)
{
    spean_writer_bin(w, id->bytes, sizeof(id->bytes));
}

static void write_place(struct spean_writer *w, const struct spean_place *place)
{
    spean_writer_uint(w, place->seq);
    write_id(w, &place->entry);
}

static void write_list(struct spean_writer *w, const struct spean_list *list)
{
    spean_writer_array(w, list->count);
    spean_writer_raw(w, list->bytes);
}

static void write_hello(struct spean_writer *w, const struct spean_hello *hello)
{
    spean_writer_bin(w, magic, sizeof(magic));
    spean_writer_uint(w, hello->lowest);
    spean_writer_uint(w, hello->highest);
    spean_writer_bin(w, hello->handle.bytes, sizeof(hello->handle.bytes));
    write_id(w, &hello->org);
    spean_writer_bin(w, hello->signing.bytes, sizeof(hello->signing.bytes));
    write_id(w, &hello->authority);
    write_id(w, &hello->frontier);
    spean_writer_array(w, 0);
    spean_writer_uint(w, hello->time);
}

static void write_want(struct spean_writer *w, const struct spean_message *m)
{
    assert(m->as.want.places_count <= SPEAN_PLACES_MAX);
    spean_writer_uint(w, m->as.want.want);
    write_id(w, &m->as.want.log);
    spean_writer_array(w, m->as.want.places_count);
    for (uint32_t i = 0; i < m->as.want.places_count; i++) {
        spean_writer_array(w, 2);
        write_place(w, &m->as.want.places[i]);
    }
    spean_writer_uint(w, m->as.want.bytes);
}

static void write_fetch(struct spean_writer *w, const struct spean_message *m)
{
    assert(m->as.fetch.seqs_count <= SPEAN_FETCH_SEQS_MAX);
    spean_writer_uint(w, m->as.fetch.fetch);
    write_id(w, &m->as.fetch.log);
    spean_writer_bin(w, m->as.fetch.tag.bytes, sizeof(m->as.fetch.tag.bytes));
    write_id(w, &m->as.fetch.proof);
    spean_writer_array(w, m->as.fetch.seqs_count);
    for (uint32_t i = 0; i < m->as.fetch.seqs_count; i++) {
        spean_writer_uint(w, m->as.fetch.seqs[i]);
    }
}

static void write_aside(struct spean_writer *w, const struct spean_message *m)
{
    assert(m->as.aside.held_count <= SPEAN_ASIDE_HELD_MAX);
    spean_writer_uint(w, m->as.aside.want);
    write_id(w, &m->as.aside.log);
    write_place(w, &m->as.aside.after);
    spean_writer_array(w, m->as.aside.held_count);
    for (uint32_t i = 0; i < m->as.aside.held_count; i++) {
        spean_writer_array(w, 2);
        write_place(w, &m->as.aside.held[i]);
    }
    spean_writer_bool(w, m->as.aside.more);
}

static void write_content_of_sync(struct spean_writer *w, const struct spean_message *m)
{
    switch (m->type) {
    case SPEAN_MESSAGE_DIGEST:
        spean_writer_bin(w, m->as.digest.excluded.data, m->as.digest.excluded.len);
        spean_writer_bin(w, m->as.digest.buckets, SPEAN_BUCKETS_BYTES);
        break;
    case SPEAN_MESSAGE_ROWS:
        spean_writer_uint(w, m->as.rows.buckets);
        write_list(w, &m->as.rows.rows);
        spean_writer_bool(w, m->as.rows.more);
        break;
    case SPEAN_MESSAGE_WANT:
        write_want(w, m);
        break;
    case SPEAN_MESSAGE_RUN:
        spean_writer_uint(w, m->as.run.want);
        write_id(w, &m->as.run.log);
        spean_writer_raw(w, m->as.run.run);
        break;
    case SPEAN_MESSAGE_END:
        spean_writer_uint(w, m->as.end.want);
        spean_writer_uint(w, m->as.end.status);
        break;
    case SPEAN_MESSAGE_MORE:
        spean_writer_uint(w, m->as.more.want);
        spean_writer_uint(w, m->as.more.bytes);
        break;
    case SPEAN_MESSAGE_FETCH:
        write_fetch(w, m);
        break;
    case SPEAN_MESSAGE_BODIES:
        spean_writer_uint(w, m->as.bodies.fetch);
        write_list(w, &m->as.bodies.items);
        spean_writer_bool(w, m->as.bodies.more);
        break;
    case SPEAN_MESSAGE_HEAD:
    case SPEAN_MESSAGE_HELD:
        write_id(w, &m->as.place.log);
        write_place(w, &m->as.place.place);
        break;
    case SPEAN_MESSAGE_SYNCED:
        write_id(w, &m->as.synced.frontier);
        spean_writer_uint(w, m->as.synced.missing);
        break;
    case SPEAN_MESSAGE_ASIDE:
        write_aside(w, m);
        break;
    case SPEAN_MESSAGE_BRANCH:
        spean_writer_uint(w, m->as.branch.want);
        write_id(w, &m->as.branch.log);
        write_id(w, &m->as.branch.previous);
        spean_writer_raw(w, m->as.branch.run);
        break;
    case SPEAN_MESSAGE_HELLO:
    case SPEAN_MESSAGE_REFUSE:
    case SPEAN_MESSAGE_TITLES:
    case SPEAN_MESSAGE_DOCUMENTS:
    case SPEAN_MESSAGE_OFFER:
    case SPEAN_MESSAGE_EVIDENCE:
    case SPEAN_MESSAGE_PING:
    case SPEAN_MESSAGE_PONG:
    case SPEAN_MESSAGE_STANDING:
    case SPEAN_MESSAGE_JOIN:
    case SPEAN_MESSAGE_CHALLENGE:
    case SPEAN_MESSAGE_NODE:
        break; /* Handled by the caller. */
    }
}

static void write_node(struct spean_writer *w, const struct spean_message *m)
{
    spean_writer_bin(w, m->as.node.handle.bytes, sizeof(m->as.node.handle.bytes));
    write_id(w, &m->as.node.org);
    spean_writer_bin(w, m->as.node.signing.bytes, sizeof(m->as.node.signing.bytes));
    spean_writer_bin(w, m->as.node.sealing.bytes, sizeof(m->as.node.sealing.bytes));
    spean_writer_bin(w, m->as.node.acceptance.bytes, sizeof(m->as.node.acceptance.bytes));
    write_id(w, &m->as.node.mac);
}

static void write_content(struct spean_writer *w, const struct spean_message *m)
{
    switch (m->type) {
    case SPEAN_MESSAGE_HELLO:
        write_hello(w, &m->as.hello);
        break;
    case SPEAN_MESSAGE_REFUSE:
        spean_writer_uint(w, m->as.refuse.rule);
        spean_writer_str(w, m->as.refuse.text.data, m->as.refuse.text.len);
        break;
    case SPEAN_MESSAGE_TITLES:
        write_list(w, &m->as.titles.charter);
        write_list(w, &m->as.titles.orgs);
        spean_writer_bool(w, m->as.titles.more);
        break;
    case SPEAN_MESSAGE_DOCUMENTS:
        write_list(w, &m->as.documents.documents);
        spean_writer_bool(w, m->as.documents.more);
        break;
    case SPEAN_MESSAGE_OFFER:
        write_list(w, &m->as.documents.documents);
        break;
    case SPEAN_MESSAGE_EVIDENCE:
        spean_writer_bin(w, m->as.evidence.data, m->as.evidence.len);
        break;
    case SPEAN_MESSAGE_PING:
    case SPEAN_MESSAGE_PONG:
    case SPEAN_MESSAGE_STANDING:
        spean_writer_uint(w, m->as.number);
        break;
    case SPEAN_MESSAGE_JOIN:
        spean_writer_bin(w, m->as.join.handle.bytes, sizeof(m->as.join.handle.bytes));
        write_list(w, &m->as.join.documents);
        write_id(w, &m->as.join.mac);
        break;
    case SPEAN_MESSAGE_CHALLENGE:
        spean_writer_bin(w, m->as.fresh, sizeof(m->as.fresh));
        break;
    case SPEAN_MESSAGE_NODE:
        write_node(w, m);
        break;
    case SPEAN_MESSAGE_DIGEST:
    case SPEAN_MESSAGE_ROWS:
    case SPEAN_MESSAGE_WANT:
    case SPEAN_MESSAGE_RUN:
    case SPEAN_MESSAGE_END:
    case SPEAN_MESSAGE_MORE:
    case SPEAN_MESSAGE_FETCH:
    case SPEAN_MESSAGE_BODIES:
    case SPEAN_MESSAGE_HEAD:
    case SPEAN_MESSAGE_HELD:
    case SPEAN_MESSAGE_ASIDE:
    case SPEAN_MESSAGE_BRANCH:
    case SPEAN_MESSAGE_SYNCED:
        write_content_of_sync(w, m);
        break;
    }
}

spean_err spean_message_encode(const struct spean_message *m, uint8_t *buf, size_t cap,
                               struct spean_view *out)
{
    assert((size_t)m->type < TYPES_COUNT);
    struct spean_writer w;
    spean_writer_init(&w, buf, cap < SPEAN_FRAME_BYTES_MAX ? cap : SPEAN_FRAME_BYTES_MAX);
    spean_writer_array(&w, elements_of[m->type]);
    spean_writer_uint(&w, m->type);
    write_content(&w, m);
    return spean_writer_end(&w, out);
}
