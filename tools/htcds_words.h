/* tools/htcds_words.h - words of HTCDS and our codes for them; what is mapped to what stands in
 * protocol/codelists.csv. */
#ifndef SPEAN_TOOLS_HTCDS_WORDS_H
#define SPEAN_TOOLS_HTCDS_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "protocol/codes.h"
#include "tools/codewords.h"

/* Codes of HTCDS that are kept as issues of a case; each list ends with NULL. */
extern const char *const spean_htcds_methods[];      /* vic_MethodsOfControl */
extern const char *const spean_htcds_exploitation[]; /* vic_TypeOfExploitation */

/* Find the word of a list that text is, or is the label of. NULL: none. */
const char *spean_htcds_word_find(const char *const *list, const char *text);

/* Give the word of HTCDS that one of the lists is written as: "Other" of either list. */
const char *spean_htcds_word_show(const char *word);

/* Write our code of list for a word or label, as spean_codewords_take() does. */
bool spean_htcds_code_read(const struct spean_codewords *words, const char *list, const char *text,
                           char out[SPEAN_CODE_BYTES_MAX + 1]);

/* Write the word of HTCDS for a code of list; the code itself where there is none. */
void spean_htcds_code_show(const struct spean_codewords *words, const char *list, const char *code,
                           char out[SPEAN_CODEWORDS_TERM_BYTES]);

/* Write the word of HTCDS that an issue means. False: there is none. */
bool spean_htcds_issue_show(const struct spean_codewords *words, const char *code,
                            char out[SPEAN_CODEWORDS_TERM_BYTES]);

/* Write the issue for a word of the lists above: the last that is mapped to it (debt rather than
 * recruitment_fee), else one of its own, "htcds:physical_threats". */
void spean_htcds_issue_read(const struct spean_codewords *words, const char *word,
                            char out[SPEAN_CODE_BYTES_MAX + 1]);

#endif
