/* node/alike.h - records that may be, or that somebody decided to be, about the same. */
#ifndef SPEAN_NODE_ALIKE_H
#define SPEAN_NODE_ALIKE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "node/records.h"
#include "protocol/err.h"

#define SPEAN_ALIKE_HINTS_MAX  5u   /* Told; nobody reads more. */
#define SPEAN_ALIKE_LOOKED_MAX 256u /* Looked at; a name that more bear says nothing. */
#define SPEAN_ALIKE_SAME_MAX   64u  /* Records that are one; a person has few. */

/*
 * Answer with a record that was made just now, as spean_records_answer_new() does, and
 * "looks_like": [{id, code, why}], the other agencies or cases that have a name of it. A case with
 * another year of birth, or an agency of another country, is none of them. why: same_name, or
 * same_name_and_birth_year. It is a hint to look, never a refusal, and left out if it fails.
 */
void spean_alike_answer_new(struct spean_records *at, const struct spean_record_id *record);

/*
 * GET of the agency or case that the path names, with "same": [{id, code}], all that people decided
 * to be the same, whichever of them says so, also by way of another.
 */
void spean_alike_get(struct spean_records *at, uint64_t type);

/*
 * Give in *same, a new array of {id, code}, the agencies or cases that people decided to be the
 * same as item, as spean_alike_get() does. *first says whether item stands for them in a list: no
 * other of them that listing wants has a lower id. SPEAN_ENOMEM, SPEAN_ECORRUPT.
 */
SPEAN_CHECK spean_err spean_alike_one(struct spean_records *at,
                                      const struct spean_records_listing *listing,
                                      const struct spean_records_item *item, bool *first,
                                      json_t **same);

#endif
