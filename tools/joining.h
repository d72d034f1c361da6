/* tools/joining.h - asking to be taken into a ledger, and waiting for the answer. */
#ifndef SPEAN_TOOLS_JOINING_H
#define SPEAN_TOOLS_JOINING_H

#include "tools/call.h"
#include "tools/command.h"
#include "tools/problem.h"

#define SPEAN_JOINING_WAIT_S 600u /* Unless --wait says otherwise. */

/* The flags that both read. */
#define SPEAN_JOINING_FLAGS                                                                        \
    {.name = "file",                                                                               \
     .kind = SPEAN_KIND_FILE,                                                                      \
     .value = "FILE",                                                                              \
     .help = N_("read the code from FILE, or from standard input if it is -")},                    \
    {                                                                                              \
        .name = "wait", .kind = SPEAN_KIND_NUMBER, .value = "SECONDS",                             \
        .help = N_("how long to wait for their approval; otherwise ten minutes")                   \
    }

/*
 * `spean member join`. With a code: sign this node into the invitation's ledger and have the daemon
 * knock; without one, or where it knocks with that code already: look how it stands. Then wait
 * until it is decided, or --wait seconds. Exit 3: not decided yet; the daemon goes on by itself,
 * and the same command looks again. 4: sent away. 6: the invitation has expired. 130: interrupted;
 * the daemon goes on likewise.
 */
SPEAN_CHECK enum spean_exit spean_joining_run(struct spean_call *call,
                                              struct spean_problem *problem);

/*
 * `spean node join`. Where the home has no node yet: make one of the organisation that the
 * invitation names, and exit 3; its daemon has to be started. Then, with the same code again: have
 * the daemon knock, and wait as above. Exit 6 also where the home has another organisation's node.
 */
SPEAN_CHECK enum spean_exit spean_joining_node_run(struct spean_call *call,
                                                   struct spean_problem *problem);

#endif
