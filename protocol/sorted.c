#include "protocol/sorted.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CAP_FIRST 4u

void spean_sorted_fini(struct spean_sorted *s)
{
    assert(s != NULL);

    free(s->items);
    *s = (struct spean_sorted){0};
}

size_t spean_sorted_find(const struct spean_sorted *s, const void *key,
                         spean_sorted_compare *compare, bool *found)
{
    assert(s != NULL);
    assert(compare != NULL);
    assert(found != NULL);

    *found = false;
    if (s->count == 0 || compare(key, s->items[s->count - 1]) > 0) {
        return s->count;
    }
    size_t low = 0;
    size_t high = s->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = compare(key, s->items[middle]);
        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order > 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

spean_err spean_sorted_insert(struct spean_sorted *s, size_t index, void *item)
{
    assert(s != NULL);
    assert(index <= s->count);

    if (s->count == s->cap) {
        assert(s->cap <= SIZE_MAX / 2 / sizeof(s->items[0]));
        const size_t cap = s->cap == 0 ? CAP_FIRST : s->cap * 2;
        void **const items = realloc(s->items, cap * sizeof(s->items[0]));
        if (items == NULL) {
            return SPEAN_ENOMEM;
        }
        s->items = items;
        s->cap = cap;
    }
    memmove(&s->items[index + 1], &s->items[index], (s->count - index) * sizeof(s->items[0]));
    s->items[index] = item;
    s->count++;
    return SPEAN_OK;
}

void spean_sorted_remove(struct spean_sorted *s, size_t index)
{
    assert(s != NULL);
    assert(index < s->count);

    memmove(&s->items[index], &s->items[index + 1], (s->count - index - 1) * sizeof(s->items[0]));
    s->count--;
}
