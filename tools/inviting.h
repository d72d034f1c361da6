/* tools/inviting.h - invitations, for another organisation or for one more node. */
#ifndef SPEAN_TOOLS_INVITING_H
#define SPEAN_TOOLS_INVITING_H

#include <stdbool.h>

#include "tools/call.h"
#include "tools/command.h"
#include "tools/problem.h"

/* The flags that spean_inviting_run() reads. */
#define SPEAN_INVITING_FLAGS                                                                       \
    {.name = "expires",                                                                            \
     .kind = SPEAN_KIND_TEXT,                                                                      \
     .value = "TIME",                                                                              \
     .help = N_("how long it can be used: 12h, 7d; otherwise seven days")},                        \
        {.name = "endpoint",                                                                       \
         .kind = SPEAN_KIND_TEXT,                                                                  \
         .value = "HOST:PORT",                                                                     \
         .help = N_("where they reach this node; otherwise what it is configured to say")},        \
        {.name = "out",                                                                            \
         .kind = SPEAN_KIND_FILE,                                                                  \
         .value = "FILE",                                                                          \
         .help = N_("write the code into a new FILE instead of showing it")},                      \
    {                                                                                              \
        .name = "qr", .help = N_("show it as a QR code, too")                                      \
    }

/* The argument of spean_inviting_cancel(). */
#define SPEAN_INVITING_NUMBER                                                                      \
    {                                                                                              \
        .name = "number", .kind = SPEAN_KIND_NUMBER, .help = N_("the invitation's number")         \
    }

/* `spean member invite`, or with node `spean node invite`. Errors as spean_call_request(). */
SPEAN_CHECK enum spean_exit spean_inviting_run(struct spean_call *call, bool node,
                                               struct spean_problem *problem);

/* `spean member invitations`, or with node `spean node invitations`. Errors as
 * spean_listing_get(). */
SPEAN_CHECK enum spean_exit spean_inviting_list(struct spean_call *call, bool node,
                                                struct spean_problem *problem);

/* Take back the invitation that the argument "number" names. Exit 5: there is none that is open. 6:
 * somebody has knocked with it. Others as spean_call_request(). */
SPEAN_CHECK enum spean_exit spean_inviting_cancel(struct spean_call *call,
                                                  struct spean_problem *problem);

#endif
