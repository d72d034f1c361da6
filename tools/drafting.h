/* tools/drafting.h - a referral before it is sent: making the draft, and what they would see. */
#ifndef SPEAN_TOOLS_DRAFTING_H
#define SPEAN_TOOLS_DRAFTING_H

#include "tools/call.h"
#include "tools/problem.h"

/* `spean referral create`: make a draft of --from and the flags. Exit 2 also where case, target or
 * service is missing. */
SPEAN_CHECK enum spean_exit spean_drafting_create(struct spean_call *call,
                                                  struct spean_problem *problem);

/* `spean referral preview`: show who will see what, and when. Exit 3: it could not be sent as it
 * is; why is told. */
SPEAN_CHECK enum spean_exit spean_drafting_preview(struct spean_call *call,
                                                   struct spean_problem *problem);

#endif
