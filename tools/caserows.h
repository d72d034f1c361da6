/*
 * tools/caserows.h - a file of cases, row by row, whatever system it comes from: CSV or JSON with
 * the column names of HTCDS (forms of KoBo among them), JSON in the shape of Primero or OSCaR.
 *
 * CSV is read as it streams by, so memory does not grow with the file; a file that can be read
 * twice is, so that one that is broken is refused before its first row is used.
 */
#ifndef SPEAN_TOOLS_CASEROWS_H
#define SPEAN_TOOLS_CASEROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "tools/problem.h"

#define SPEAN_CASEROWS_MAX 1000000u
#define SPEAN_CASEROWS_JSON_MAX                                                                    \
    ((size_t)64 << 20) /* Bytes of a JSON file, which is read whole.                               \
                        */
#define SPEAN_CASEROWS_ID_BYTES    192u
#define SPEAN_CASEROWS_PLACE_BYTES 64u

enum spean_caserows_format {
    SPEAN_CASEROWS_CSV,
    SPEAN_CASEROWS_JSON,
    SPEAN_CASEROWS_PRIMERO,
    SPEAN_CASEROWS_OSCAR
};

/* Which of two header rows is right where they disagree, as in the official spreadsheet. */
enum spean_caserows_header {
    SPEAN_CASEROWS_HEADER_UNSAID,
    SPEAN_CASEROWS_HEADER_NAMES,
    SPEAN_CASEROWS_HEADER_LABELS
};

struct spean_caserows_options {
    const char *path; /* "-" for standard input. */
    enum spean_caserows_format format;
    enum spean_caserows_header header;
    const char *id_column; /* What its system calls a row by; NULL: the format's own, if any. */
};

struct spean_caserows; /* Opaque. */

/* One row; it lives until the next. */
struct spean_caserow {
    json_t *cells; /* As tools/htcds.h has them. */
    char place[SPEAN_CASEROWS_PLACE_BYTES];
    char id[SPEAN_CASEROWS_ID_BYTES]; /* "": its system gave it none. */
    const char *error;                /* NULL, or why the row cannot be used. */
};

/*
 * Open a file in *out, which the caller frees. Exit 2: it is no CSV or JSON of that shape, with the
 * line and column; none of its columns is known; the header rows disagree and nobody said which is
 * right; or id_column is none of its columns. Otherwise as spean_input_bytes().
 */
SPEAN_CHECK enum spean_exit spean_caserows_open(const struct spean_caserows_options *options,
                                                struct spean_caserows **out,
                                                struct spean_problem *problem);
void spean_caserows_free(struct spean_caserows *rows); /* NULL is allowed. */

/* Give the next row; *more false: there is none. Exit 2: nothing behind this place can be read.
 * 130: interrupted while waiting for standard input. */
SPEAN_CHECK enum spean_exit spean_caserows_next(struct spean_caserows *rows,
                                                struct spean_caserow *row, bool *more,
                                                struct spean_problem *problem);

/* {"prs_Salutation": 12}: what cases have no field for, and how often it had a value; borrowed. */
json_t *spean_caserows_left(struct spean_caserows *rows);

#endif
