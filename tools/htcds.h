/*
 * tools/htcds.h - cases as rows with the column names of HTCDS 2.0 (IOM), both ways by one table.
 *
 * A row is a JSON object of column name to text; a column that is absent says nothing, an empty
 * text says that there is nothing. What a column cannot hold of a case (a second passport, a name
 * in a third script) is not in the row, and an edit that is made of the row leaves it alone: only
 * cells that differ from what the case shows become part of the edit. So a row that was not touched
 * asks for nothing.
 *
 * HTCDS has no columns for a case's own identity, for names in a second script and for some codes;
 * these are called spean_....
 */
#ifndef SPEAN_TOOLS_HTCDS_H
#define SPEAN_TOOLS_HTCDS_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "protocol/err.h"
#include "tools/codewords.h"

#define SPEAN_HTCDS_ID        "spean_ID" /* The column that has the record id. */
#define SPEAN_HTCDS_WHY_BYTES 256u

/* What is wrong with a row. */
struct spean_htcds_why {
    const char *column; /* NULL: no column in particular. */
    char text[SPEAN_HTCDS_WHY_BYTES];
};

/* The columns that an export has, in their order; index is below the count. */
size_t spean_htcds_columns_count(void);
const char *spean_htcds_column(size_t index);

/*
 * Find the column that heading stands for: its name, with or without underscores as forms have
 * them, its label in the official template, or one of the names that are misspelt there. NULL: none
 * that a case has a field for.
 */
const char *spean_htcds_column_find(const char *heading);

/* Say whether heading is the label of a column, and not a name. */
bool spean_htcds_is_label(const char *heading);

/* Say whether cells of a column, by its name, hold several words. */
bool spean_htcds_is_multiple(const char *column);

/* The row of a record as the API shows it, a new object with all columns; texts in lang (may be
 * NULL) where there are several, codes as words tells (may be NULL). NULL: no memory. */
json_t *spean_htcds_show(const json_t *record, const char *lang,
                         const struct spean_codewords *words);

/*
 * Make of a row the edit of a record, or of a new one (record NULL); texts are in lang, which may
 * be NULL where there are none, words as words tells. Columns that are not known are passed over.
 * SPEAN_EINPUT: a cell cannot be understood, *why says which. SPEAN_ENOMEM. *edit is a new object,
 * empty where nothing is to be done.
 */
SPEAN_CHECK spean_err spean_htcds_edit(const json_t *row, const json_t *record, const char *lang,
                                       const struct spean_codewords *words, json_t **edit,
                                       struct spean_htcds_why *why);

#endif
