/* tools/codesinuse.h - codes that stand in agencies and cases, and that no list has. */
#ifndef SPEAN_TOOLS_CODESINUSE_H
#define SPEAN_TOOLS_CODESINUSE_H

#include <jansson.h>

#include "tools/call.h"
#include "tools/problem.h"

/*
 * Append to items one {"list", "code", "standing": "unknown", "times"} for each such code of list,
 * or of every list (NULL); times is in how many records it stands. Reads every agency and case,
 * page by page, and tells progress. Errors as spean_pages_each().
 */
SPEAN_CHECK enum spean_exit spean_codesinuse_add(struct spean_call *call, const char *list,
                                                 json_t *items, struct spean_problem *problem);

#endif
