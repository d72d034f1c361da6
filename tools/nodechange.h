/* tools/nodechange.h - which nodes speak for the organisation: letting one in, and retiring one. */
#ifndef SPEAN_TOOLS_NODECHANGE_H
#define SPEAN_TOOLS_NODECHANGE_H

#include <jansson.h>

#include "tools/call.h"
#include "tools/problem.h"

/*
 * Find the one item of GET /v1/nodes that the argument "node" of the command names: by its name, or
 * by the beginning of its signing key, however that was typed. *row belongs to list. Exit 5: there
 * is none. 6: there are several.
 */
SPEAN_CHECK enum spean_exit spean_nodechange_find(const struct spean_call *call, const json_t *list,
                                                  const json_t **row,
                                                  struct spean_problem *problem);

/*
 * `spean node approve`. Has the digits compared, and signs the version of the statement that adds
 * the node. Exit 5: nobody of that key waits. 9: the digits differ. 4: the admin key is not this
 * organisation's, or cannot decide alone. 6: the statement has that key already.
 */
SPEAN_CHECK enum spean_exit spean_nodechange_approve(struct spean_call *call,
                                                     struct spean_problem *problem);

/*
 * `spean node retire`. Has it confirmed by the organisation's name, and signs the version that
 * closes the node's log where it stands here. Exit 6: it is the last open node, or retired already.
 */
SPEAN_CHECK enum spean_exit spean_nodechange_retire(struct spean_call *call,
                                                    struct spean_problem *problem);

#endif
