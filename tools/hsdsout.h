/*
 * tools/hsdsout.h - agencies as organizations of HSDS 3 JSON, such that tools/hsds.h reads back
 * what is written.
 *
 * HSDS has no languages: texts are written in one, else as spean_show_text() chooses. Where an
 * agency was exported and is imported again, what is written of the record as it is now is
 * subtracted from what the file says; so what was not touched asks for nothing.
 */
#ifndef SPEAN_TOOLS_HSDSOUT_H
#define SPEAN_TOOLS_HSDSOUT_H

#include <jansson.h>

#include "protocol/err.h"
#include "tools/codewords.h"

/* The organization of an agency as the API shows it, a new object; texts in lang (may be NULL).
 * NULL: no memory. */
json_t *spean_hsdsout_show(const json_t *record, const char *lang);

/*
 * Take out of the edit of an organization what record would say if it were exported in lang and
 * read with words. SPEAN_ENOMEM.
 */
SPEAN_CHECK spean_err spean_hsdsout_subtract(json_t *edit, const json_t *record, const char *lang,
                                             const struct spean_codewords *words);

#endif
