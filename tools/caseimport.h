/* tools/caseimport.h - `spean case import`. */
#ifndef SPEAN_TOOLS_CASEIMPORT_H
#define SPEAN_TOOLS_CASEIMPORT_H

#include "tools/call.h"
#include "tools/problem.h"

#define SPEAN_CASEIMPORT_CHUNK      250u  /* Cases in one request. */
#define SPEAN_CASEIMPORT_ERRORS_MAX 1000u /* Kept for --json; all are counted. */

/*
 * Read the file, send its cases in chunks while it is read, and say what became of them. Exit 3:
 * some rows could not be taken. 1: none could. 130: interrupted; what was sent is kept, and the
 * same file changes nothing of it the next time.
 */
SPEAN_CHECK enum spean_exit spean_caseimport_run(struct spean_call *call,
                                                 struct spean_problem *problem);

#endif
