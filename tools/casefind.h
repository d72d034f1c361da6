/* tools/casefind.h - `spean case list` and `spean case find`. */
#ifndef SPEAN_TOOLS_CASEFIND_H
#define SPEAN_TOOLS_CASEFIND_H

#include "tools/call.h"
#include "tools/problem.h"

/* The flags by which both choose; nothing personal. */
#define SPEAN_CASEFIND_FLAGS                                                                       \
    {.name = "status",                                                                             \
     .kind = SPEAN_KIND_TEXT,                                                                      \
     .value = "CODE",                                                                              \
     .help = N_("only this status, a code of the list case_status: active, follow_up")},           \
        {.name = "issue",                                                                          \
         .kind = SPEAN_KIND_TEXT,                                                                  \
         .value = "CODE",                                                                          \
         .help = N_("only with this issue, a code of the list issue: debt, unpaid_wages")},        \
        {.name = "risk",                                                                           \
         .kind = SPEAN_KIND_TEXT,                                                                  \
         .value = "CODE",                                                                          \
         .help = N_("only at this risk, a code of the list risk_level: low, high")},               \
        {.name = "opened-from",                                                                    \
         .kind = SPEAN_KIND_TEXT,                                                                  \
         .value = "DATE",                                                                          \
         .help = N_("only opened on that day or later: 2026-11-22, 2026-11 or 2026")},             \
        {.name = "opened-to",                                                                      \
         .kind = SPEAN_KIND_TEXT,                                                                  \
         .value = "DATE",                                                                          \
         .help = N_("only opened on that day, in that month or year, or earlier")},                \
    {                                                                                              \
        .name = "due", .kind = SPEAN_KIND_NONE,                                                    \
        .help = N_("only those whose time is up; see case retain")                                 \
    }

/* List the cases that the flags choose. Errors as spean_listing_print(). */
SPEAN_CHECK enum spean_exit spean_casefind_list(struct spean_call *call,
                                                struct spean_problem *problem);

/* Find cases by a name or contact, asked for or read, or by a code, and by the flags. Errors also
 * of spean_call_private(). */
SPEAN_CHECK enum spean_exit spean_casefind_run(struct spean_call *call,
                                               struct spean_problem *problem);

#endif
