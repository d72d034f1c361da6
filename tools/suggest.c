#include "tools/suggest.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t spean_suggest_distance(const char *a, const char *b)
{
    assert(a != NULL);
    assert(b != NULL);
    const size_t a_len = strlen(a);
    const size_t b_len = strlen(b);
    if (a_len > SPEAN_SUGGEST_BYTES_MAX || b_len > SPEAN_SUGGEST_BYTES_MAX) {
        return SIZE_MAX;
    }

    size_t rows[3][SPEAN_SUGGEST_BYTES_MAX + 1]; /* Row i lives in rows[i % 3]. */
    for (size_t j = 0; j <= b_len; j++) {
        rows[0][j] = j;
    }
    for (size_t i = 1; i <= a_len; i++) {
        size_t *const row = rows[i % 3];
        const size_t *const above = rows[(i - 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            const size_t change = above[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = smaller(change, smaller(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = smaller(row[j], rows[(i - 2) % 3][j - 2] + 1);
            }
        }
    }
    return rows[a_len % 3][b_len];
}

void spean_suggest_offer(struct spean_suggestion *best, const char *typed, const char *candidate)
{
    assert(best != NULL);
    const size_t distance = spean_suggest_distance(typed, candidate);
    const bool begins = strncmp(candidate, typed, strlen(typed)) == 0;
    if (distance > SPEAN_SUGGEST_DISTANCE_MAX || distance >= strlen(candidate) ||
        (!begins && 2 * distance > strlen(typed))) {
        return;
    }
    if (best->word == NULL || distance < best->distance) {
        best->word = candidate;
        best->distance = distance;
    }
}
