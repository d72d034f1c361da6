/*
 * tools/codewords.h - what words of other systems mean as codes of ours: by the table that the
 * program brings along, and by what members of the ledger published and added as records.
 *
 * A word is a code, a term of another standard that is mapped to one, or a label of one in any
 * language. What a steward published counts before the table, and that before what a member added;
 * a code that is mapped to another (code map) stands for that one.
 */
#ifndef SPEAN_TOOLS_CODEWORDS_H
#define SPEAN_TOOLS_CODEWORDS_H

#include <stdbool.h>

#include <jansson.h>

#include "protocol/codes.h"
#include "protocol/err.h"

#define SPEAN_CODEWORDS_TERM_BYTES 96u /* A term of another standard, with a NUL. */

/* Where words are looked up; zeroes: in the program's table alone. */
struct spean_codewords {
    json_t *added;   /* {"<list>": [rows of GET /v1/codes that have a record]}; NULL: none. */
    json_t *unknown; /* {"<list> <code>": 3}: what was taken as it was, though no list has it; NULL:
                        nobody asks. */
};

/* Begin with nothing added, and count what is unknown; the caller frees *words with
 * spean_codewords_fini(). SPEAN_ENOMEM. */
SPEAN_CHECK spean_err spean_codewords_init(struct spean_codewords *words);
void spean_codewords_fini(struct spean_codewords *words); /* Also of zeroes. */

/* Add a row of GET /v1/codes, which is borrowed; one without a record is passed over: the program's
 * table has it. SPEAN_ENOMEM. */
SPEAN_CHECK spean_err spean_codewords_add(struct spean_codewords *words, json_t *row);

/* Say whether two words are the same but for case, spaces, hyphens and other marks of ASCII. */
bool spean_codewords_same(const char *a, const char *b);

/* Write the code of list that text means. False: no list has it. */
bool spean_codewords_find(const struct spean_codewords *words, const char *list, const char *text,
                          char out[SPEAN_CODE_BYTES_MAX + 1]);

/*
 * Write the code of list that text means, else text itself if it has the form of a code, for lists
 * grow; that is counted in words->unknown. False: it is none.
 */
bool spean_codewords_take(const struct spean_codewords *words, const char *list, const char *text,
                          char out[SPEAN_CODE_BYTES_MAX + 1]);

/* Write the term of a standard ("HTCDS") for a code of list. False: there is none. */
bool spean_codewords_term(const struct spean_codewords *words, const char *list, const char *code,
                          const char *standard, char out[SPEAN_CODEWORDS_TERM_BYTES]);

/* Write the code of list to which a term of a standard is mapped: of several of the program's
 * table the last, which is the narrowest. False: there is none. */
bool spean_codewords_mapped(const struct spean_codewords *words, const char *list, const char *term,
                            const char *standard, char out[SPEAN_CODE_BYTES_MAX + 1]);

#endif
