/* tools/approving.h - letting a newcomer in, once people have compared the digits. */
#ifndef SPEAN_TOOLS_APPROVING_H
#define SPEAN_TOOLS_APPROVING_H

#include <jansson.h>

#include "tools/call.h"
#include "tools/command.h"
#include "tools/problem.h"
#include "tools/unlocking.h"

/* The flags of a command that approves. */
#define SPEAN_APPROVING_FLAGS                                                                      \
    {.name = "digits",                                                                             \
     .kind = SPEAN_KIND_TEXT,                                                                      \
     .value = "DIGITS",                                                                            \
     .help = N_("the eight digits that they read out, instead of being asked")},                   \
        SPEAN_FLAG_ADMIN_KEY, SPEAN_FLAG_ADMIN_PASSPHRASE_FILE

/*
 * `spean member approve`. Checks the newcomer's statement, has the digits compared, and signs the
 * charter version that takes it in. Exit 5: nobody of that id waits. 9: the digits differ, or the
 * statement does not hold: somebody may be in between. 4: the admin key is no steward's, or cannot
 * decide alone. 6: it was removed before, which is for ever.
 */
SPEAN_CHECK enum spean_exit spean_approving_run(struct spean_call *call,
                                                struct spean_problem *problem);

/*
 * Have the digits that the other side reads out, given as --digits or asked for, compared with
 * those of row. Exit 9: they differ; refuse is the command that sends them away. 2: they are no
 * digits.
 */
SPEAN_CHECK enum spean_exit spean_approving_digits(struct spean_call *call, const json_t *row,
                                                   const char *refuse,
                                                   struct spean_problem *problem);

#endif
