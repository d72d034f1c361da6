/* node/case_new.h - what every case has from its first day, above all its code. */
#ifndef SPEAN_NODE_CASE_NEW_H
#define SPEAN_NODE_CASE_NEW_H

#include "node/records.h"
#include "protocol/caseid.h"

/* The numbers of one month that were found taken, or given out and not written yet; begins as zero.
 */
struct spean_case_numbers {
    struct spean_caseid last; /* Number 0: none yet. */
};

/*
 * Make the next code of this month that no case has, and remember it in numbers. SPEAN_ELIMIT: they
 * are used up. Others as spean_record_lookup() and spean_setup_get().
 */
SPEAN_CHECK spean_err spean_case_code_next(struct spean_records *at,
                                           struct spean_case_numbers *numbers,
                                           char out[SPEAN_CASEID_LEN + 1]);

/* Say whether the edit writes this field. */
bool spean_case_edit_gives(const struct spean_edit *edit, uint64_t field);

/* Add text as the value of a field. Errors of spean_edit_add_json(). */
SPEAN_CHECK spean_err spean_case_edit_text(struct spean_edit *edit, uint64_t field,
                                           const char *text);

/*
 * Add to edit, which makes a case, what it does not give: a code of this month, the status active,
 * today as the day of opening. Two cases made in one commit would get the same code: make two.
 * SPEAN_ELIMIT: this month's numbers are used up, or the edit is full. Others as above.
 */
SPEAN_CHECK spean_err spean_case_defaults(struct spean_records *at, struct spean_edit *edit);

/* Say whether people edit this field: the link to referrals is written by sending one. */
bool spean_case_editable(const struct spean_schema_field *field);

#endif
