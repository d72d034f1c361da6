/* node/matching.h - whether a record is one of those that somebody looks for. */
#ifndef SPEAN_NODE_MATCHING_H
#define SPEAN_NODE_MATCHING_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "node/records.h"
#include "protocol/bytes.h"
#include "protocol/err.h"
#include "protocol/fold.h"

/* One thing asked for: which name it has in a query or body, and what was given; NULL: nothing. */
struct spean_matching_term {
    const char *name;
    const char *value;
};

/*
 * Read terms, of which none has a value yet, from the query, or from body where it is not NULL.
 * False: the body has something else in it, or something that is no string (refused).
 */
bool spean_matching_read(struct spean_records *at, json_t *body, struct spean_matching_term *terms,
                         size_t count);

/* Make the query of a text that was typed (store/searchkey.h); *out stays NULL where it is NULL.
 * False: it is empty, or there is no memory (refused). */
bool spean_matching_query(struct spean_records *at, const struct spean_matching_term *term,
                          char **out);

/* Say whether text, encoded str or code, is wanted; wanted NULL: any is. */
bool spean_matching_text(struct spean_view value, const char *wanted);

/*
 * Say whether a member of a set, or sub-field sub of it where that is not 0, is the text wanted;
 * wanted NULL: any set will do.
 */
bool spean_matching_member(const struct spean_part *part, uint64_t field, uint64_t sub,
                           const char *wanted);

/* Give the text of sub-field sub in an encoded map; empty: it has none. */
struct spean_view spean_matching_sub(struct spean_view map, uint64_t sub);

/* Say whether every word of query stands within text, both by their search keys. Text that is no
 * UTF-8 has no words. */
bool spean_matching_words(struct spean_view text, const char *query);

/* Say whether every word of query stands within one of the names in part, which may be NULL. */
bool spean_matching_names(const struct spean_part *part, const char *query);

#endif
