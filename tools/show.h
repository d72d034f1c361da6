/* tools/show.h - records and their values as a person reads them. */
#ifndef SPEAN_TOOLS_SHOW_H
#define SPEAN_TOOLS_SHOW_H

#include <jansson.h>

#include "tools/grid.h"
#include "tools/out.h"

#define SPEAN_SHOW_STATE_BYTES 256u
#define SPEAN_SHOW_DEPTH_MAX   16u /* Values nest 5 deep; what is deeper shows as "...". */

struct spean_schema_value;

/*
 * Write a value of the API as one line: money in its currency, maps as "name: value, ...", arrays
 * set apart by semicolons. NULL: no memory. The caller frees it.
 */
char *spean_show_value(json_t *value);

/* The same of a field of a record, whose codes stand with what they mean in lang (may be NULL):
 * looks is what the schema says of it (NULL: nothing), codes the member of the record. */
char *spean_show_coded(json_t *value, const struct spean_schema_value *looks, const json_t *codes,
                       const char *lang);

/* The state of a referral and what is flagged about it: "accepted, closed_while_live". */
void spean_show_state(const json_t *referral, char out[SPEAN_SHOW_STATE_BYTES]);

/*
 * What a step of a referral says beside its reason, with what codes mean as above: "assigned_ref:
 * worker-3, first_contact_by: 2026-11-25"; empty where that is nothing. NULL: no memory. The caller
 * frees it.
 */
char *spean_show_step(const json_t *step, const json_t *codes, const char *lang);

/* The text of a value of several languages: in lang (may be NULL), else in English, else the first;
 * "" if it has none. It belongs to text. */
const char *spean_show_text(json_t *text, const char *lang);

/* Add rows "label  value" to a grid of two columns: one for each element of an array, the label on
 * the first alone. SPEAN_ENOMEM. */
SPEAN_CHECK spean_err spean_show_row(struct spean_grid *grid, const char *label, json_t *value);

/*
 * What a code of a list means, in lang as above, by the member `codes` of a record (docs/API.md);
 * "" where nobody says. It belongs to codes.
 */
const char *spean_show_label(const json_t *codes, const char *list, const char *code,
                             const char *lang);

#define SPEAN_SHOW_SAME_BYTES 128u

/* Write what the line of a list says to be the same, " = KH-2611-0002-A", as many as there is room
 * for; "": nothing. */
void spean_show_same(const json_t *line, char out[SPEAN_SHOW_SAME_BYTES]);

/* Tell, as talk, which other records a new one looks like, and why. */
void spean_show_alike(struct spean_out *out, const json_t *record);

/* Print until when a case is kept, in one line, "-" for what nobody said; nothing if nobody said
 * anything. */
void spean_show_retention(struct spean_out *out, const json_t *retention);

/* Print a line for each code of a record that is in no list, not in force, or superseded. */
void spean_show_codes(struct spean_out *out, const json_t *record);

/*
 * Print a record: its code and id, every field but those in but (ends with NULL; may be NULL), what
 * is in conflict, and what has not arrived. Codes stand with what they mean, in lang (may be NULL)
 * where there is a label in it. SPEAN_ENOMEM: nothing was printed.
 */
SPEAN_CHECK spean_err spean_show_record(struct spean_out *out, json_t *record,
                                        const char *const *but, const char *lang);

/* Print every member of an object that is no record, one row or more each. Errors likewise. */
SPEAN_CHECK spean_err spean_show_object(struct spean_out *out, json_t *object);

#endif
