/* protocol/codes.h - the code lists that the program brings along: names, labels, mappings.
 *
 * The rows are those of protocol/codelists.csv, in its order, the rows of one list together. They
 * are a beginning, not a limit: members add local codes and stewards publish new ones as records,
 * so a code that is not here is valid, kept, and shown as it is. Everything returned is constant
 * and lives as long as the program.
 */
#ifndef SPEAN_PROTOCOL_CODES_H
#define SPEAN_PROTOCOL_CODES_H

#include <stdbool.h>
#include <stddef.h>

#include "protocol/bytes.h"

#define SPEAN_CODE_BYTES_MAX 64u

struct spean_code {
    const char *list;
    const char *code;
    const char *label_en;
    const char *label_ja; /* "" where no official term exists. */
    const char *maps_to;  /* Terms of other standards, "" for none; "ours" where we wrote it. */
};

/* Return every row; *count is their number. */
const struct spean_code *spean_codes_all(size_t *count);

/* Return the first row of list, *count of them follow on; NULL and 0 if the list is not known. */
const struct spean_code *spean_codes_list(const char *list, size_t *count);

/* Return the row of code in list, or NULL if it is not known. */
const struct spean_code *spean_codes_find(const char *list, struct spean_view code);

/* Say whether code is 1 to SPEAN_CODE_BYTES_MAX bytes of a-z, 0-9 and _ . : - */
bool spean_codes_valid(struct spean_view code);

#endif
