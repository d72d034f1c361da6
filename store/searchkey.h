/*
 * store/searchkey.h - text as it is compared when somebody looks for a name. Never shown, never
 * stored, and never identity: many Vietnamese names differ in their marks alone.
 *
 * A key is NFKC, case folded; without characters that nobody sees (Khmer is full of them); without
 * marks on Latin letters, đ as d. Marks of other scripts stay: in Khmer and kana they make other
 * words. White space and the middle dot between kana are one space, or none between two characters
 * of scripts that are written without spaces, so that a Japanese name is found with one and
 * without. What looks or sounds alike is one spelling (store/searchfold.h), except in keys of whole
 * names, by which stores keep lookups.
 */
#ifndef SPEAN_STORE_SEARCHKEY_H
#define SPEAN_STORE_SEARCHKEY_H

#include <stdbool.h>

#include "protocol/bytes.h"
#include "protocol/err.h"

#define SPEAN_SEARCHKEY_WORDS_MAX 64u /* Of one name or query; those behind count as one. */

/*
 * Make the key of UTF-8 text in *out, NUL-terminated; free it with spean_searchkey_free().
 * SPEAN_EINPUT: the text is no UTF-8. SPEAN_ENOMEM.
 */
SPEAN_CHECK spean_err spean_searchkey_new(struct spean_view text, char **out);
void spean_searchkey_free(char *key); /* Wipes it. NULL is allowed. */

/*
 * Make the key of a whole name: its words in one order, whichever of family and given name comes
 * first. Empty where no character of the text counts. Errors as above.
 */
SPEAN_CHECK spean_err spean_searchkey_name(struct spean_view text, char **out);

/* Make a query of what somebody typed: the keys of its words, with one space between. Empty where
 * there are none. Errors as above. */
SPEAN_CHECK spean_err spean_searchkey_query(struct spean_view text, char **out);

/* Say whether each word of a query stands somewhere within key; the empty query's do. */
bool spean_searchkey_match(const char *key, const char *query);

#endif
