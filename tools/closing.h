/*
 * tools/closing.h - `spean case close` and `spean case reopen`.
 *
 * Both write everything that they change in one entry. Refusals of both: exit 6 where the case
 * stands so already; otherwise as spean_call_request().
 */
#ifndef SPEAN_TOOLS_CLOSING_H
#define SPEAN_TOOLS_CLOSING_H

#include "tools/call.h"
#include "tools/problem.h"

/*
 * Close the case with --reason, a code of the list closure_reason, on the day --on or today. Exit
 * 2: no list has that code, or the day lies ahead or before the case was opened. Exit 3: closed,
 * but referrals of it are not at their end; each is named with the command that goes on with it.
 */
SPEAN_CHECK enum spean_exit spean_closing_run(struct spean_call *call,
                                              struct spean_problem *problem);

/* Take a case up again, with --status or as active; day and reason of its closing are cleared. Exit
 * 2: --status is one of a closed case. */
SPEAN_CHECK enum spean_exit spean_closing_reopen(struct spean_call *call,
                                                 struct spean_problem *problem);

#endif
