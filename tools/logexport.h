/* tools/logexport.h - `spean log export`: logs as JSON lines that anybody can check. */
#ifndef SPEAN_TOOLS_LOGEXPORT_H
#define SPEAN_TOOLS_LOGEXPORT_H

#include "tools/call.h"
#include "tools/problem.h"

/*
 * Write the log of the argument, or all, into the file of --out, in the form of docs/API.md. Errors
 * of spean_sink_open() and spean_call_request(); after an error there is no file.
 */
SPEAN_CHECK enum spean_exit spean_logexport_run(struct spean_call *call,
                                                struct spean_problem *problem);

#endif
