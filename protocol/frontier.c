#include "protocol/frontier.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/domains.h"
#include "protocol/hash.h"

#define ROWS_FIRST    16u
#define H8_HASH_BYTES 16u /* H8 is the first 8 bytes of a 16-byte hash (P1.3). */
#define BUCKET_SHIFT  2u  /* Buckets go by the first 6 bits. */

struct spean_frontier {
    struct spean_frontier_row *rows; /* Ascending by log. */
    size_t count;
    size_t cap;
};

spean_err spean_frontier_new(struct spean_frontier **out)
{
    struct spean_frontier *f = calloc(1, sizeof(*f));
    if (f == NULL) {
        return SPEAN_ENOMEM;
    }
    *out = f;
    return SPEAN_OK;
}

void spean_frontier_free(struct spean_frontier *f)
{
    if (f == NULL) {
        return;
    }
    free(f->rows);
    free(f);
}

spean_err spean_frontier_copy(struct spean_frontier *f, const struct spean_frontier *from)
{
    if (from->count > f->cap) {
        struct spean_frontier_row *rows = realloc(f->rows, from->count * sizeof(*rows));
        if (rows == NULL) {
            return SPEAN_ENOMEM;
        }
        f->rows = rows;
        f->cap = from->count;
    }
    if (from->count > 0) {
        memcpy(f->rows, from->rows, from->count * sizeof(*f->rows));
    }
    f->count = from->count;
    return SPEAN_OK;
}

/* Index of the first row whose log is not below log. */
static size_t lower_bound(const struct spean_frontier *f, const struct spean_id *log)
{
    size_t low = 0;
    size_t high = f->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (spean_id_compare(&f->rows[middle].log, log) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool is_at(const struct spean_frontier *f, size_t i, const struct spean_id *log)
{
    return i < f->count && spean_id_equal(&f->rows[i].log, log);
}

struct spean_place spean_frontier_get(const struct spean_frontier *f, const struct spean_id *log)
{
    const size_t i = lower_bound(f, log);
    return is_at(f, i, log) ? f->rows[i].head : (struct spean_place){0};
}

static spean_err grow(struct spean_frontier *f)
{
    if (f->count < f->cap) {
        return SPEAN_OK;
    }
    if (f->count >= SPEAN_FRONTIER_LOGS_MAX) {
        return SPEAN_ELIMIT;
    }
    const size_t cap = f->cap < ROWS_FIRST ? ROWS_FIRST : 2 * f->cap;
    struct spean_frontier_row *rows = realloc(f->rows, cap * sizeof(*rows));
    if (rows == NULL) {
        return SPEAN_ENOMEM;
    }
    f->rows = rows;
    f->cap = cap;
    return SPEAN_OK;
}

spean_err spean_frontier_set(struct spean_frontier *f, const struct spean_id *log,
                             const struct spean_place *head)
{
    const size_t i = lower_bound(f, log);
    if (is_at(f, i, log)) {
        f->rows[i].head = *head;
        if (head->seq == 0) {
            f->count--;
            memmove(&f->rows[i], &f->rows[i + 1], (f->count - i) * sizeof(*f->rows));
        }
        return SPEAN_OK;
    }
    if (head->seq == 0) {
        return SPEAN_OK;
    }
    if (f->count >= SPEAN_FRONTIER_LOGS_MAX) {
        return SPEAN_ELIMIT;
    }
    const spean_err err = grow(f);
    if (err != SPEAN_OK) {
        return err;
    }
    memmove(&f->rows[i + 1], &f->rows[i], (f->count - i) * sizeof(*f->rows));
    f->rows[i] = (struct spean_frontier_row){*log, *head};
    f->count++;
    return SPEAN_OK;
}

size_t spean_frontier_count(const struct spean_frontier *f)
{
    return f->count;
}

const struct spean_frontier_row *spean_frontier_row(const struct spean_frontier *f, size_t i)
{
    assert(i < f->count);
    return &f->rows[i];
}

uint32_t spean_frontier_bucket(const struct spean_id *log)
{
    return log->bytes[0] >> BUCKET_SHIFT;
}

size_t spean_frontier_bucket_start(const struct spean_frontier *f, uint32_t bucket)
{
    assert(bucket <= SPEAN_BUCKETS_COUNT);
    if (bucket == SPEAN_BUCKETS_COUNT) {
        return f->count;
    }
    struct spean_id first = {0};
    first.bytes[0] = (uint8_t)(bucket << BUCKET_SHIFT);
    return lower_bound(f, &first);
}

bool spean_excluded_has(struct spean_excluded excluded, const struct spean_id *log)
{
    const uint64_t name = spean_short_of(log);
    size_t low = 0;
    size_t high = excluded.count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (excluded.shorts[middle] < name) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < excluded.count && excluded.shorts[low] == name;
}

void spean_frontier_bucket_digest(const struct spean_frontier *f, uint32_t bucket,
                                  struct spean_excluded excluded,
                                  uint8_t out[SPEAN_BUCKET_DIGEST_BYTES])
{
    const size_t end = spean_frontier_bucket_start(f, bucket + 1);
    struct spean_hash h;
    spean_hash_begin(&h, SPEAN_DOMAIN_BUCKET, H8_HASH_BYTES);
    for (size_t i = spean_frontier_bucket_start(f, bucket); i < end; i++) {
        const struct spean_frontier_row *row = &f->rows[i];
        if (spean_excluded_has(excluded, &row->log)) {
            continue;
        }
        uint8_t seq[8];
        spean_u64_put(seq, row->head.seq);
        spean_hash_update(&h, row->log.bytes, sizeof(row->log.bytes));
        spean_hash_update(&h, seq, sizeof(seq));
        spean_hash_update(&h, row->head.entry.bytes, sizeof(row->head.entry.bytes));
    }
    uint8_t digest[H8_HASH_BYTES];
    spean_hash_end(&h, digest, sizeof(digest));
    memcpy(out, digest, SPEAN_BUCKET_DIGEST_BYTES);
}

void spean_frontier_digest(const struct spean_frontier *f, struct spean_excluded excluded,
                           struct spean_id *out)
{
    struct spean_hash h;
    spean_hash_begin(&h, SPEAN_DOMAIN_FRONTIER, sizeof(out->bytes));
    for (uint32_t bucket = 0; bucket < SPEAN_BUCKETS_COUNT; bucket++) {
        uint8_t digest[SPEAN_BUCKET_DIGEST_BYTES];
        spean_frontier_bucket_digest(f, bucket, excluded, digest);
        spean_hash_update(&h, digest, sizeof(digest));
    }
    spean_hash_end(&h, out->bytes, sizeof(out->bytes));
}
