/* tools/codefetch.h - what members of the ledger published and added to the lists of codes. */
#ifndef SPEAN_TOOLS_CODEFETCH_H
#define SPEAN_TOOLS_CODEFETCH_H

#include "tools/call.h"
#include "tools/codewords.h"
#include "tools/problem.h"

/* Ask the daemon for every code that has a record; the caller frees *out with
 * spean_codewords_fini(). Errors as spean_listing_get(); then *out is unchanged. */
SPEAN_CHECK enum spean_exit spean_codefetch_all(struct spean_call *call,
                                                struct spean_codewords *out,
                                                struct spean_problem *problem);

#endif
