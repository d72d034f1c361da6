/* protocol/sorted.h - a growing array of pointers that its user keeps in order. */
#ifndef SPEAN_PROTOCOL_SORTED_H
#define SPEAN_PROTOCOL_SORTED_H

#include <stdbool.h>
#include <stddef.h>

#include "protocol/err.h"

/* The caller's memory; all zero is empty. What is pointed to belongs to the caller. */
struct spean_sorted {
    void **items; /* For reading, and for changing what does not move an item. */
    size_t count;
    size_t cap;
};

/* Order key against an item: negative, 0, positive. */
typedef int spean_sorted_compare(const void *key, const void *item);

/* Free the array, not what its items point to. */
void spean_sorted_fini(struct spean_sorted *s);

/* Return the index of the item that equals key, or where it belongs; *found tells which. A key
 * above the last item is found at once: most things arrive in order. */
size_t spean_sorted_find(const struct spean_sorted *s, const void *key,
                         spean_sorted_compare *compare, bool *found);

/* Put item at index, which is at most the count. SPEAN_ENOMEM: nothing changed. */
SPEAN_CHECK spean_err spean_sorted_insert(struct spean_sorted *s, size_t index, void *item);

/* Take out the item at index. */
void spean_sorted_remove(struct spean_sorted *s, size_t index);

#endif
