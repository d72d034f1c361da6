/* tools/stepping.h - the steps of a referral: one table row each, one way to take them all. */
#ifndef SPEAN_TOOLS_STEPPING_H
#define SPEAN_TOOLS_STEPPING_H

#include <jansson.h>

#include "tools/call.h"
#include "tools/problem.h"

#define SPEAN_STEPPING_TEXT_MAX 32768u /* Bytes of a note; the most that a value holds. */

/*
 * The handler of "referral send", "accept", "complete" and the other steps: make the step that the
 * flags describe for the argument `referral`, have the daemon take it, and tell. Errors as
 * spean_call_request(), spean_call_private() and spean_recording_text().
 */
SPEAN_CHECK enum spean_exit spean_stepping_run(struct spean_call *call,
                                               struct spean_problem *problem);

/*
 * Read a moment as a person gives it, "2026-11-25T09:00:00Z" or "72h" from now, and put it into
 * *value in the daemon's form. Exit 2: it is neither; flag is named.
 */
SPEAN_CHECK enum spean_exit spean_stepping_time(const char *flag, const char *text, json_t **value,
                                                struct spean_problem *problem);

#endif
