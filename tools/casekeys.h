/* tools/casekeys.h - what cases are called by in JSON of other systems, as columns of HTCDS. */
#ifndef SPEAN_TOOLS_CASEKEYS_H
#define SPEAN_TOOLS_CASEKEYS_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "tools/caserows.h"

/* The column that a key stands for; NULL: cases have no field for it. */
const char *spean_casekeys_column(enum spean_caserows_format format, const char *key);

/* Say whether the key holds what the system calls the case by: 0 if not; of several the one with
 * the lowest rank counts. */
size_t spean_casekeys_id_rank(enum spean_caserows_format format, const char *key);

/* Say whether the key is what a server of forms notes about a submission for itself, and nothing
 * that anybody answered. */
bool spean_casekeys_is_bookkeeping(const char *key);

/* What the system calls the case by: the value of the first of its keys for that, whatever order
 * they stand in, which is not null. Borrowed from object; NULL: it has none. */
json_t *spean_casekeys_id(enum spean_caserows_format format, const json_t *object);

/* The name of the format as a source of cases: "primero"; NULL: it has none of its own. */
const char *spean_casekeys_source(enum spean_caserows_format format);

#endif
