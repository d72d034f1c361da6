/* store/record_names.h - the names by which people look for a record. */
#ifndef SPEAN_STORE_RECORD_NAMES_H
#define SPEAN_STORE_RECORD_NAMES_H

#include "protocol/bytes.h"
#include "protocol/err.h"
#include "protocol/fold.h"

/* Take one name, which is not empty; the view lives as long as the call. An error ends it. */
typedef spean_err spean_record_name(void *ctx, struct spean_view text);

/*
 * Call each for every name in a part: of an agency its names and aliases in every language, of a
 * case every name of the person as a whole, as family and given name together, and in kana. All
 * siblings of a conflict count. A value that is no name is passed over. Errors are those of each.
 */
SPEAN_CHECK spean_err spean_record_names(const struct spean_part *part, spean_record_name *each,
                                         void *ctx);

#endif
