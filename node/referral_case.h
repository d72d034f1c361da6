/* node/referral_case.h - which part of a case a referral shows, and a case made of that. */
#ifndef SPEAN_NODE_REFERRAL_CASE_H
#define SPEAN_NODE_REFERRAL_CASE_H

#include <jansson.h>
#include <stdbool.h>

#include "node/edit.h"
#include "node/records.h"
#include "protocol/err.h"
#include "protocol/schema.h"

/* Say whether sections, an array of codes, has the section of a case's field. */
bool spean_referral_section_chosen(const json_t *sections, const struct spean_schema_field *field);

/* The section of the case that a field of a referral's payload shows; NULL: of none. */
const char *spean_referral_section_of(const struct spean_schema_field *of_referral);

/* The field of a referral's preview that shows a case's field to everybody asked; 0: none. */
uint64_t spean_referral_preview_field(uint64_t case_field);

/*
 * Add to edit what the case gives to preview and, by the sections chosen, to payload. Values that a
 * newer program wrote and this one does not understand are left out. SPEAN_ELIMIT: it is too much.
 * SPEAN_ENOMEM.
 */
SPEAN_CHECK spean_err spean_referral_copy_case(const struct spean_records_item *item,
                                               const json_t *sections, struct spean_edit *edit);

/* The numbers of a referral's fields that a case says something in, a new array; NULL: no memory.
 */
json_t *spean_referral_said_by_case(const struct spean_records_item *item);

/* The other way round: add to edit, which is of a case, what preview and payload of a referral say
 * of the person. Errors as above. */
SPEAN_CHECK spean_err spean_referral_copy_back(const struct spean_records_item *item,
                                               struct spean_edit *edit);

/* Add to edit, which is of another referral, what this one says of the person. Errors as above. */
SPEAN_CHECK spean_err spean_referral_copy_on(const struct spean_records_item *item,
                                             struct spean_edit *edit);

/* Add one field as it is, if it has a value. Errors as above. */
SPEAN_CHECK spean_err spean_referral_copy_same(const struct spean_records_item *item,
                                               uint64_t number, struct spean_edit *edit);

#endif
