/* tools/relaying.h - naming the nodes that carry for others. */
#ifndef SPEAN_TOOLS_RELAYING_H
#define SPEAN_TOOLS_RELAYING_H

#include "tools/call.h"
#include "tools/problem.h"

/*
 * `spean member relay add` and `remove`: sign the charter version that names, or no longer names,
 * the node of a member as a relay. The argument is the beginning of the id of the org, if it has
 * one node, or of the node's signing key. Exit 5: no such member or node. 6: several begin like
 * this, or the org has several nodes. 4: the admin key is no steward's, or cannot decide alone.
 */
SPEAN_CHECK enum spean_exit spean_relaying_add(struct spean_call *call,
                                               struct spean_problem *problem);
SPEAN_CHECK enum spean_exit spean_relaying_remove(struct spean_call *call,
                                                  struct spean_problem *problem);

#endif
