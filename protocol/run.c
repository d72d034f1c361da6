#include "protocol/run.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/reader.h"
#include "protocol/writer.h"

#define RUN_ELEMENTS   5u
#define ENTRY_ELEMENTS 5u
#define ENTRY_ELEMENTS_LATER                                                                       \
    7u /* A format above 1 adds its number and the elements it appends.                            \
        */
#define TAG_NONE UINT32_MAX

struct spean_run {
    struct spean_id log;
    uint32_t count;
    uint32_t size;
    bool has_signature;
    struct spean_signature signature;
    struct spean_run_entry entries[SPEAN_RUN_ENTRIES_MAX];
    size_t headers_len;
    uint8_t headers[SPEAN_RUN_BYTES_MAX];
};

/* The tags of a run being decoded: views into its bytes. */
struct tag_list {
    uint32_t count;
    struct spean_tag tags[SPEAN_RUN_ENTRIES_MAX];
};

spean_err spean_run_new(struct spean_run **out)
{
    struct spean_run *run = malloc(sizeof(*run));
    if (run == NULL) {
        return SPEAN_ENOMEM;
    }
    run->count = 0;
    run->size = 0;
    *out = run;
    return SPEAN_OK;
}

void spean_run_free(struct spean_run *run)
{
    free(run);
}

spean_err spean_run_first_seq(struct spean_view bytes, uint64_t *out)
{
    struct spean_reader r;
    spean_reader_init(&r, bytes);
    (void)spean_reader_array(&r, RUN_ELEMENTS, RUN_ELEMENTS);
    const uint64_t seq = spean_reader_uint(&r, UINT64_MAX);
    if (spean_reader_failed(&r)) {
        return r.err;
    }
    *out = seq;
    return SPEAN_OK;
}

static bool tag_known(const struct tag_list *list, uint32_t count, const struct spean_tag *tag)
{
    for (uint32_t i = 0; i < count; i++) {
        if (spean_tag_equal(&list->tags[i], tag)) {
            return true;
        }
    }
    return false;
}

/* A tag that is there twice would give the same entries another encoding (P1.1). */
static void read_tags(struct spean_reader *r, struct tag_list *list)
{
    list->count = spean_reader_array(r, 0, SPEAN_RUN_ENTRIES_MAX);
    for (uint32_t i = 0; i < list->count && !spean_reader_failed(r); i++) {
        spean_reader_bin_fixed(r, list->tags[i].bytes, sizeof(list->tags[i].bytes));
        if (tag_known(list, i, &list->tags[i])) {
            spean_reader_fail(r, SPEAN_EFORMAT);
        }
    }
}

/* Tags are indexed in order of first use: each index is at most one above those before (P1.1). */
static void read_tag_index(struct spean_reader *r, const struct tag_list *list, uint32_t *used,
                           struct spean_header *h)
{
    h->has_tag = !spean_reader_nil(r);
    if (!h->has_tag || spean_reader_failed(r)) {
        return;
    }
    const uint32_t index = (uint32_t)spean_reader_uint(r, SPEAN_RUN_ENTRIES_MAX);
    if (index >= list->count || index > *used) {
        spean_reader_fail(r, SPEAN_EFORMAT);
        return;
    }
    *used += index == *used ? 1 : 0;
    h->tag = list->tags[index];
}

static void read_body(struct spean_reader *r, struct spean_run_entry *e)
{
    if (spean_reader_peek(r) == SPEAN_READER_BIN) {
        e->body = spean_reader_bin(r, 1, SPEAN_BODY_BYTES_MAX);
        e->header.body_len = (uint32_t)e->body.len;
        spean_body_hash(&e->header.body_hash, e->body);
        return;
    }
    (void)spean_reader_array(r, 2, 2);
    e->header.body_len = (uint32_t)spean_reader_uint(r, SPEAN_BODY_BYTES_MAX);
    spean_reader_bin_fixed(r, e->header.body_hash.bytes, sizeof(e->header.body_hash.bytes));
}

static void read_format(struct spean_reader *r, uint32_t elements, struct spean_header *h)
{
    h->format = SPEAN_ENTRY_FORMAT;
    if (elements == ENTRY_ELEMENTS) {
        return;
    }
    h->format = spean_reader_uint(r, UINT64_MAX);
    h->rest = spean_reader_bin(r, 1, SPEAN_HEADER_BYTES_MAX);
    struct spean_reader rest;
    spean_reader_init(&rest, h->rest);
    while (rest.pos < rest.end && !spean_reader_failed(&rest)) {
        (void)spean_reader_value(&rest, SPEAN_HEADER_BYTES_MAX);
        h->rest_count++;
    }
    if (elements != ENTRY_ELEMENTS_LATER || h->format <= SPEAN_ENTRY_FORMAT ||
        spean_reader_failed(&rest) || h->rest_count > 6) {
        spean_reader_fail(r, SPEAN_EFORMAT);
    }
}

/* Apply a signed delta to a time; both ends stay within 0 .. INT64_MAX (P5.2). */
static uint64_t shift_time(struct spean_reader *r, uint64_t time, int64_t delta)
{
    const int64_t before = (int64_t)time;
    if (delta < 0 ? before + delta < 0 : delta > INT64_MAX - before) {
        spean_reader_fail(r, SPEAN_EFORMAT);
        return time;
    }
    return (uint64_t)(before + delta);
}

/* Encode the header that was put together, keep its bytes, compute the id. */
static spean_err seal_entry(struct spean_run *run, struct spean_run_entry *e)
{
    if (e->header.body_len == 0) {
        return SPEAN_EFORMAT;
    }
    const spean_err err =
        spean_header_encode(&e->header, run->headers + run->headers_len,
                            sizeof(run->headers) - run->headers_len, &e->header_bytes);
    if (err != SPEAN_OK) {
        return err;
    }
    const uint32_t size = (uint32_t)e->header_bytes.len + e->header.body_len;
    if (size > SPEAN_RUN_BYTES_MAX - run->size) {
        return SPEAN_ELIMIT;
    }
    run->headers_len += e->header_bytes.len;
    run->size += size;
    spean_entry_id(&e->id, &run->log, e->header_bytes);
    return SPEAN_OK;
}

static spean_err read_entries(struct spean_run *run, struct spean_reader *r,
                              const struct tag_list *tags, const struct spean_place *after,
                              uint64_t time)
{
    const uint32_t count = spean_reader_array(r, 1, SPEAN_RUN_ENTRIES_MAX);
    uint32_t tags_used = 0;
    struct spean_place place = *after;

    for (uint32_t i = 0; i < count && !spean_reader_failed(r); i++) {
        struct spean_run_entry *e = &run->entries[i];
        memset(e, 0, sizeof(*e));
        const uint32_t elements = spean_reader_array(r, ENTRY_ELEMENTS, ENTRY_ELEMENTS_LATER);
        e->header.kind = spean_reader_uint(r, UINT64_MAX);
        e->header.flags = spean_reader_uint(r, UINT64_MAX);
        const int64_t delta = spean_reader_int(r);
        if (i == 0 && delta != 0) {
            spean_reader_fail(r, SPEAN_EFORMAT);
        }
        time = shift_time(r, time, delta);
        e->header.time = time;
        read_tag_index(r, tags, &tags_used, &e->header);
        read_body(r, e);
        read_format(r, elements, &e->header);
        if (spean_reader_failed(r)) {
            break;
        }
        e->header.seq = place.seq + 1;
        e->header.previous = place.entry;
        const spean_err err = seal_entry(run, e);
        if (err != SPEAN_OK) {
            return err;
        }
        place = (struct spean_place){e->header.seq, e->id};
        run->count = i + 1;
    }
    if (tags_used != tags->count) {
        spean_reader_fail(r, SPEAN_EFORMAT);
    }
    return r->err;
}

spean_err spean_run_decode(struct spean_run *run, struct spean_view bytes,
                           const struct spean_id *log, const struct spean_place *after)
{
    run->log = *log;
    run->count = 0;
    run->size = 0;
    run->headers_len = 0;
    run->has_signature = false;

    struct spean_reader r;
    struct tag_list tags;
    spean_reader_init(&r, bytes);
    (void)spean_reader_array(&r, RUN_ELEMENTS, RUN_ELEMENTS);
    const uint64_t first_seq = spean_reader_uint(&r, UINT64_MAX);
    const uint64_t time = spean_reader_uint(&r, INT64_MAX);
    read_tags(&r, &tags);
    spean_err err = r.err;
    if (err == SPEAN_OK && (after->seq == UINT64_MAX || first_seq != after->seq + 1 ||
                            first_seq > UINT64_MAX - SPEAN_RUN_ENTRIES_MAX)) {
        return SPEAN_EGAP;
    }
    if (err == SPEAN_OK) {
        err = read_entries(run, &r, &tags, after, time);
    }
    if (err == SPEAN_OK && !spean_reader_nil(&r)) {
        spean_reader_bin_fixed(&r, run->signature.bytes, sizeof(run->signature.bytes));
        run->has_signature = true;
    }
    if (err == SPEAN_OK) {
        err = spean_reader_end(&r);
    }
    if (err != SPEAN_OK) {
        run->count = 0;
    }
    return err;
}

spean_err spean_run_verify(const struct spean_run *run, const struct spean_key *signing,
                           const struct spean_place *cut)
{
    assert(run->count > 0);
    const struct spean_run_entry *last = &run->entries[run->count - 1];
    const bool at_cut =
        cut != NULL && cut->seq == last->header.seq && spean_id_equal(&cut->entry, &last->id);
    if ((last->header.flags & SPEAN_ENTRY_ENDS_COMMIT) == 0 && !at_cut) {
        return SPEAN_EFORMAT;
    }
    if (!run->has_signature) {
        return at_cut ? SPEAN_OK : SPEAN_ESIGNATURE;
    }
    return spean_commit_verify(&run->signature, &run->log, &last->id, signing);
}

int spean_place_compare(const struct spean_place *a, const struct spean_place *b)
{
    if (a->seq != b->seq) {
        return a->seq < b->seq ? -1 : 1;
    }
    return spean_id_compare(&a->entry, &b->entry);
}

uint32_t spean_run_count(const struct spean_run *run)
{
    return run->count;
}

const struct spean_run_entry *spean_run_entry(const struct spean_run *run, uint32_t i)
{
    assert(i < run->count);
    return &run->entries[i];
}

const struct spean_id *spean_run_log(const struct spean_run *run)
{
    return &run->log;
}

struct spean_place spean_run_last(const struct spean_run *run)
{
    assert(run->count > 0);
    const struct spean_run_entry *last = &run->entries[run->count - 1];
    return (struct spean_place){last->header.seq, last->id};
}

uint32_t spean_run_size(const struct spean_run *run)
{
    return run->size;
}

const struct spean_signature *spean_run_signature(const struct spean_run *run)
{
    return run->has_signature ? &run->signature : NULL;
}

/* What encoding works out first: every header, and the distinct tags in order of first use. */
struct plan {
    struct spean_header headers[SPEAN_RUN_ENTRIES_MAX];
    uint32_t tag_of[SPEAN_RUN_ENTRIES_MAX];
    uint32_t tags_count;
    uint32_t tag_first[SPEAN_RUN_ENTRIES_MAX]; /* Entry that uses tag i first. */
};

static uint32_t plan_tag(struct plan *p, uint32_t entry)
{
    if (!p->headers[entry].has_tag) {
        return TAG_NONE;
    }
    /* Tags repeat in bursts: look from the newest. */
    for (uint32_t i = p->tags_count; i > 0; i--) {
        if (spean_tag_equal(&p->headers[p->tag_first[i - 1]].tag, &p->headers[entry].tag)) {
            return i - 1;
        }
    }
    p->tag_first[p->tags_count] = entry;
    return p->tags_count++;
}

static spean_err plan_run(struct plan *p, const struct spean_run_source *sources, uint32_t count)
{
    size_t size = 0;
    p->tags_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        const spean_err err = spean_header_decode(sources[i].header, &p->headers[i]);
        if (err != SPEAN_OK) {
            return err;
        }
        const struct spean_header *h = &p->headers[i];
        assert(i == 0 || h->seq == p->headers[i - 1].seq + 1);
        assert(sources[i].body.len == 0 || sources[i].body.len == h->body_len);
        size += sources[i].header.len + h->body_len;
        if (size > SPEAN_RUN_BYTES_MAX) {
            return SPEAN_ELIMIT;
        }
        p->tag_of[i] = plan_tag(p, i);
    }
    return SPEAN_OK;
}

static void write_entry(struct spean_writer *w, const struct spean_header *h, uint64_t time_before,
                        uint32_t tag, struct spean_view body)
{
    const bool later = h->format > SPEAN_ENTRY_FORMAT;
    spean_writer_array(w, later ? ENTRY_ELEMENTS_LATER : ENTRY_ELEMENTS);
    spean_writer_uint(w, h->kind);
    spean_writer_uint(w, h->flags);
    spean_writer_int(w, (int64_t)(h->time - time_before));
    if (tag == TAG_NONE) {
        spean_writer_nil(w);
    } else {
        spean_writer_uint(w, tag);
    }
    if (body.len > 0) {
        spean_writer_bin(w, body.data, body.len);
    } else {
        spean_writer_array(w, 2);
        spean_writer_uint(w, h->body_len);
        spean_writer_bin(w, h->body_hash.bytes, sizeof(h->body_hash.bytes));
    }
    if (later) {
        spean_writer_uint(w, h->format);
        spean_writer_bin(w, h->rest.data, h->rest.len);
    }
}

static void write_run(struct spean_writer *w, const struct plan *p,
                      const struct spean_run_source *sources, uint32_t count,
                      const struct spean_signature *signature)
{
    spean_writer_array(w, RUN_ELEMENTS);
    spean_writer_uint(w, p->headers[0].seq);
    spean_writer_uint(w, p->headers[0].time);
    spean_writer_array(w, p->tags_count);
    for (uint32_t i = 0; i < p->tags_count; i++) {
        const struct spean_tag *tag = &p->headers[p->tag_first[i]].tag;
        spean_writer_bin(w, tag->bytes, sizeof(tag->bytes));
    }
    spean_writer_array(w, count);
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t before = p->headers[i > 0 ? i - 1 : 0].time;
        write_entry(w, &p->headers[i], before, p->tag_of[i], sources[i].body);
    }
    if (signature != NULL) {
        spean_writer_bin(w, signature->bytes, sizeof(signature->bytes));
    } else {
        spean_writer_nil(w);
    }
}

spean_err spean_run_encode(const struct spean_run_source *sources, uint32_t count,
                           const struct spean_signature *signature, uint8_t *buf, size_t cap,
                           struct spean_view *out)
{
    assert(count > 0);
    assert(count <= SPEAN_RUN_ENTRIES_MAX);

    struct plan *p = malloc(sizeof(*p));
    if (p == NULL) {
        return SPEAN_ENOMEM;
    }
    spean_err err = plan_run(p, sources, count);
    if (err == SPEAN_OK) {
        struct spean_writer w;
        spean_writer_init(&w, buf, cap);
        write_run(&w, p, sources, count, signature);
        err = spean_writer_end(&w, out);
    }
    free(p);
    return err;
}
