/* tools/agencyexport.h - `spean agency export`. */
#ifndef SPEAN_TOOLS_AGENCYEXPORT_H
#define SPEAN_TOOLS_AGENCYEXPORT_H

#include "tools/call.h"
#include "tools/problem.h"

/*
 * Write all agencies into the file of --out: as HSDS 3 JSON, or whole with who wrote what (jsonl).
 * Errors of spean_sink_open() and spean_call_request(); after an error there is no file.
 */
SPEAN_CHECK enum spean_exit spean_agencyexport_run(struct spean_call *call,
                                                   struct spean_problem *problem);

#endif
