/*
 * node/codebook.h - what codes mean here: those that stewards published and members added as
 * records, and those that the program brings along (SCHEMA.md, code and code_list).
 *
 * Nothing is kept in memory: the fold lets each code lead to its records (SPEAN_LOOKUP_CODE) in the
 * transaction that folds them, so whoever reads sees what was durable when the reading began.
 *
 * A published record counts before the program's own row, and that before local records; of
 * several records alike the one with the lowest id counts. Labels that the one that counts lacks
 * in a language come from the program's row.
 */
#ifndef SPEAN_NODE_CODEBOOK_H
#define SPEAN_NODE_CODEBOOK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "node/records.h"
#include "protocol/bytes.h"
#include "protocol/codes.h"
#include "protocol/err.h"

#define SPEAN_CODEBOOK_RECORDS_MAX 256u   /* Of one code that are looked at: the lowest ids. */
#define SPEAN_CODEBOOK_ITEMS_MAX   20000u /* Of one list of codes; more are left out. */

/* Where the meaning of a code comes from. */
enum spean_codebook_standing {
    SPEAN_CODEBOOK_UNKNOWN,   /* No list has it: it is shown as it is. */
    SPEAN_CODEBOOK_LOCAL,     /* A member added it. */
    SPEAN_CODEBOOK_BUILT_IN,  /* The program brings it along. */
    SPEAN_CODEBOOK_PUBLISHED, /* A steward stands behind it. */
};

/* What was found of a code. */
struct spean_codebook_code {
    enum spean_codebook_standing standing;
    bool has_record; /* The best record, even where the program's own row counts before it. */
    struct spean_record_id record;
    bool has_own; /* A record of our own organisation; the lowest id. */
    struct spean_record_id own;
};

/* Find a code of a list; list and code are codes of at most SPEAN_CODE_BYTES_MAX bytes.
 * SPEAN_ELOCKED, SPEAN_ECORRUPT, SPEAN_ENOMEM. */
SPEAN_CHECK spean_err spean_codebook_find(struct spean_records *at, const char *list,
                                          const char *code, struct spean_codebook_code *out);

/* Find the record of a list that counts, and our own one, likewise. */
SPEAN_CHECK spean_err spean_codebook_find_list(struct spean_records *at, const char *list,
                                               struct spean_codebook_code *out);

/* Show a code as GET /v1/codes does in *out, a new object. Errors likewise. */
SPEAN_CHECK spean_err spean_codebook_show(struct spean_records *at, const char *list,
                                          const char *code, json_t **out);

/* Show a list as GET /v1/code-lists does in *out, a new object. Errors likewise. */
SPEAN_CHECK spean_err spean_codebook_show_list(struct spean_records *at, const char *list,
                                               json_t **out);

/* Say whether today is within the dates that a shown code or list is valid on. */
bool spean_codebook_in_force(const struct spean_records *at, const json_t *shown);

/*
 * Add to a record as it is shown what each code in it means: record["codes"][list][code] is
 * {"labels", "standing", "in_force", "superseded_by" or absent, "mapped_to" or absent}. Errors
 * likewise.
 */
SPEAN_CHECK spean_err spean_codebook_explain(struct spean_records *at, json_t *record);

#endif
