#include "tests/support/logkit.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/sign.h"

#define FILL_BODY_BYTES 64u
#define FILL_TIME       1790000000u

struct logkit *logkit_new(uint8_t number)
{
    struct logkit *k = calloc(1, sizeof(*k));
    assert(k != NULL);
    k->entries = calloc(LOGKIT_ENTRIES_MAX, sizeof(*k->entries));
    assert(k->entries != NULL);
    memset(k->seed, number, sizeof(k->seed));
    spean_sign_public(&k->signing, k->seed);
    struct spean_id ledger;
    struct spean_id org;
    memset(ledger.bytes, 0xaa, sizeof(ledger.bytes));
    memset(org.bytes, number, sizeof(org.bytes));
    spean_log_id(&k->log, &ledger, &org, &k->signing);
    return k;
}

void logkit_free(struct logkit *k)
{
    if (k == NULL) {
        return;
    }
    for (uint32_t i = 0; i < k->count; i++) {
        free(k->entries[i].body);
    }
    free(k->entries);
    free(k);
}

struct logkit *logkit_branch(const struct logkit *k, uint32_t count)
{
    assert(count <= k->count);
    struct logkit *branch = calloc(1, sizeof(*branch));
    assert(branch != NULL);
    *branch = *k;
    branch->count = count;
    branch->entries = calloc(LOGKIT_ENTRIES_MAX, sizeof(*branch->entries));
    assert(branch->entries != NULL);
    for (uint32_t i = 0; i < count; i++) {
        struct logkit_entry *e = &branch->entries[i];
        *e = k->entries[i];
        e->header.data = e->header_buf;
        e->body = malloc(e->body_len);
        assert(e->body != NULL);
        memcpy(e->body, k->entries[i].body, e->body_len);
    }
    return branch;
}

struct spean_place logkit_place(const struct logkit *k, uint32_t seq)
{
    assert(seq <= k->count);
    if (seq == 0) {
        return (struct spean_place){0};
    }
    return (struct spean_place){seq, k->entries[seq - 1].id};
}

void logkit_add_body(struct logkit *k, enum spean_entry_kind kind, const struct spean_tag *tag,
                     struct spean_view body, uint64_t time, bool ends_commit)
{
    assert(k->count < LOGKIT_ENTRIES_MAX);
    struct logkit_entry *e = &k->entries[k->count];
    e->body = malloc(body.len);
    assert(e->body != NULL);
    memcpy(e->body, body.data, body.len);
    e->body_len = body.len;
    e->ends_commit = ends_commit;

    struct spean_header h = {.format = SPEAN_ENTRY_FORMAT,
                             .seq = k->count + 1,
                             .previous = logkit_place(k, k->count).entry,
                             .time = time,
                             .kind = kind,
                             .flags = ends_commit ? SPEAN_ENTRY_ENDS_COMMIT : 0,
                             .has_tag = tag != NULL,
                             .body_len = (uint32_t)body.len};
    if (tag != NULL) {
        h.tag = *tag;
    }
    spean_body_hash(&h.body_hash, (struct spean_view){e->body, e->body_len});
    const spean_err err = spean_header_encode(&h, e->header_buf, sizeof(e->header_buf), &e->header);
    assert(err == SPEAN_OK);
    spean_entry_id(&e->id, &k->log, e->header);
    if (ends_commit) {
        spean_commit_sign(&e->signature, &k->log, &e->id, k->seed);
    }
    k->count++;
}

void logkit_add(struct logkit *k, enum spean_entry_kind kind, const struct spean_tag *tag,
                size_t body_len, uint8_t fill, uint64_t time, bool ends_commit)
{
    uint8_t *body = malloc(body_len);
    assert(body != NULL);
    memset(body, fill, body_len);
    logkit_add_body(k, kind, tag, (struct spean_view){body, body_len}, time, ends_commit);
    free(body);
}

void logkit_fill(struct logkit *k, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        logkit_add(k, SPEAN_ENTRY_CHANGE, NULL, FILL_BODY_BYTES, (uint8_t)(k->count + 1),
                   FILL_TIME + k->count, true);
    }
}

struct spean_view logkit_run(const struct logkit *k, uint32_t first, uint32_t last, bool bodies,
                             uint8_t *buf)
{
    assert(first > 0 && first <= last && last <= k->count);
    assert(last - first < SPEAN_RUN_ENTRIES_MAX);
    struct spean_run_source sources[SPEAN_RUN_ENTRIES_MAX];
    for (uint32_t seq = first; seq <= last; seq++) {
        const struct logkit_entry *e = &k->entries[seq - 1];
        sources[seq - first].header = e->header;
        sources[seq - first].body = (struct spean_view){e->body, bodies ? e->body_len : 0};
    }
    const struct logkit_entry *end = &k->entries[last - 1];
    struct spean_view run = {0};
    const spean_err err =
        spean_run_encode(sources, last - first + 1, end->ends_commit ? &end->signature : NULL, buf,
                         SPEAN_FRAME_BYTES_MAX, &run);
    assert(err == SPEAN_OK);
    return run;
}
