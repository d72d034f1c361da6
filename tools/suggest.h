/* tools/suggest.h - what was probably meant by a mistyped word. */
#ifndef SPEAN_TOOLS_SUGGEST_H
#define SPEAN_TOOLS_SUGGEST_H

#include <stddef.h>

#define SPEAN_SUGGEST_DISTANCE_MAX 2u  /* Further away it is a guess, not a suggestion. */
#define SPEAN_SUGGEST_BYTES_MAX    64u /* Longer words are nobody's typing error. */

/*
 * Count the insertions, deletions, substitutions and swaps of neighbours between a and b (optimal
 * string alignment). More than SPEAN_SUGGEST_BYTES_MAX bytes in either: SIZE_MAX.
 */
size_t spean_suggest_distance(const char *a, const char *b);

/* The best candidate so far; start with {0}. */
struct spean_suggestion {
    const char *word; /* NULL: nothing near enough. Borrowed from the caller. */
    size_t distance;
};

/* Offer candidate for typed. Of equal ones the first offered stays. A word of which more than half
 * would have to change is not near, unless candidate begins with it. */
void spean_suggest_offer(struct spean_suggestion *best, const char *typed, const char *candidate);

#endif
