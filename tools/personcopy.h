/*
 * tools/personcopy.h - what a case says about a person, for that person: a page to read and print.
 *
 * Left out are other people (who to ask for at a number, who holds a document, lent money or was
 * paid, from whom things are to be kept) and what the office notes for itself (risk, what it takes
 * for the same case, ids). docs/DECISIONS.md says why.
 */
#ifndef SPEAN_TOOLS_PERSONCOPY_H
#define SPEAN_TOOLS_PERSONCOPY_H

#include <stdio.h>

#include <jansson.h>

/*
 * Write the copy of a case as HTML into file, whose errors the caller asks for. record is the case
 * as the API shows it, referrals an array of those made of it (NULL: none); labels of codes are in
 * lang (may be NULL) where there are any.
 */
void spean_personcopy_write(const json_t *record, const json_t *referrals, const char *lang,
                            FILE *file);

#endif
