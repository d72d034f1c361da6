/* tools/agencyimport.h - `spean agency import`. */
#ifndef SPEAN_TOOLS_AGENCYIMPORT_H
#define SPEAN_TOOLS_AGENCYIMPORT_H

#include "tools/call.h"
#include "tools/problem.h"

#define SPEAN_AGENCYIMPORT_CHUNK 500u /* Agencies in one request. */

/* Read the HSDS file, send its agencies in chunks, and say what became of them. Exit 3: some rows,
 * or parts of them, could not be taken. 1: none could. */
SPEAN_CHECK enum spean_exit spean_agencyimport_run(struct spean_call *call,
                                                   struct spean_problem *problem);

#endif
