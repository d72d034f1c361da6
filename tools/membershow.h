/* tools/membershow.h - `spean member show`: one organisation of the ledger and its nodes. */
#ifndef SPEAN_TOOLS_MEMBERSHOW_H
#define SPEAN_TOOLS_MEMBERSHOW_H

#include "tools/call.h"
#include "tools/problem.h"

/* Print the member that the argument `org` names, as the members, the status and the logs have it.
 * Errors as spean_recording_org() and spean_call_request(). */
SPEAN_CHECK enum spean_exit spean_membershow_run(struct spean_call *call,
                                                 struct spean_problem *problem);

#endif
