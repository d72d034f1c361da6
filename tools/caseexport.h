/* tools/caseexport.h - `spean case export`. */
#ifndef SPEAN_TOOLS_CASEEXPORT_H
#define SPEAN_TOOLS_CASEEXPORT_H

#include "tools/call.h"
#include "tools/problem.h"

/*
 * Write all cases into the file of --out: as rows with the names of HTCDS (csv, json), or whole
 * with who wrote what (jsonl); or with --for-person the person's own copy of one. Errors of
 * spean_sink_open() and spean_call_request(); after an error there is no file.
 */
SPEAN_CHECK enum spean_exit spean_caseexport_run(struct spean_call *call,
                                                 struct spean_problem *problem);

#endif
