#include "protocol/clock.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define CAP_FIRST 4u

void spean_clock_fini(struct spean_clock *c)
{
    assert(c != NULL);

    free(c->rows);
    *c = (struct spean_clock){0};
}

/* Return the index of the row of log, or where it belongs. */
static uint32_t find(const struct spean_clock *c, uint64_t log)
{
    uint32_t low = 0;
    uint32_t high = c->count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (c->rows[middle].log < log) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

bool spean_clock_covers(const struct spean_clock *c, uint64_t log, uint64_t seq)
{
    assert(c != NULL);

    const uint32_t at = find(c, log);
    return at < c->count && c->rows[at].log == log && seq <= c->rows[at].seq;
}

static spean_err grow(struct spean_clock *c)
{
    assert(c->cap <= UINT32_MAX / 2);

    const uint32_t cap = c->cap == 0 ? CAP_FIRST : c->cap * 2;
    struct spean_clock_row *const rows = realloc(c->rows, cap * sizeof(*rows));
    if (rows == NULL) {
        return SPEAN_ENOMEM;
    }
    c->rows = rows;
    c->cap = cap;
    return SPEAN_OK;
}

spean_err spean_clock_raise(struct spean_clock *c, uint64_t log, uint64_t seq)
{
    assert(c != NULL);

    const uint32_t at = find(c, log);
    if (seq == 0) {
        return SPEAN_OK;
    }
    if (at < c->count && c->rows[at].log == log) {
        if (seq > c->rows[at].seq) {
            c->rows[at].seq = seq;
        }
        return SPEAN_OK;
    }
    if (c->count == c->cap) {
        const spean_err err = grow(c);
        if (err != SPEAN_OK) {
            return err;
        }
    }
    memmove(&c->rows[at + 1], &c->rows[at], (c->count - at) * sizeof(c->rows[0]));
    c->rows[at] = (struct spean_clock_row){log, seq};
    c->count++;
    return SPEAN_OK;
}
