/*
 * node/fold_text.h - text as it is compared when somebody looks for a name: NFKC, case folded,
 * without characters that nobody sees (Khmer is full of them). For finding, never for identity.
 */
#ifndef SPEAN_NODE_FOLD_TEXT_H
#define SPEAN_NODE_FOLD_TEXT_H

#include <jansson.h>
#include <stdbool.h>

#include "protocol/err.h"

/* Fold UTF-8 text into *out; the caller frees it. SPEAN_EINPUT: it is no UTF-8. SPEAN_ENOMEM. */
SPEAN_CHECK spean_err spean_fold_text(const char *text, char **out);

/*
 * Say whether folded text stands within one of the strings of json: a text by language, or an
 * array of such. The empty text stands in every one.
 */
bool spean_fold_text_within(json_t *json, const char *folded);

#endif
