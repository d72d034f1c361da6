/*
 * node/permit.h - which role may do what: one table of every route of the local API.
 *
 * Each role may do all that the roles below it may. A route that is not in the table is our own
 * mistake; a test holds the table against the routes.
 */
#ifndef SPEAN_NODE_PERMIT_H
#define SPEAN_NODE_PERMIT_H

#include <stdbool.h>

#include "node/core.h"
#include "node/reply.h"
#include "node/request.h"
#include "node/route.h"
#include "store/person.h"

/* The lowest role that may use a route. False: the table has no such row. */
bool spean_permit_needs(const char *method, const char *path, enum spean_person_role *out);

/*
 * Find the person behind request->caller, put its pseudonym into request->actor, and say whether it
 * may use the route; false: reply says why not (403). Where nobody was ever entered, the user of
 * the daemon is an admin without a name. ctx is a struct spean_core. On the API thread.
 */
bool spean_permit_check(const struct spean_route *route, struct spean_request *request, void *ctx,
                        struct spean_reply *reply);

#endif
