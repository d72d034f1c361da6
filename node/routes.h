/* node/routes.h - every route of the local API in one table (docs/API.md). */
#ifndef SPEAN_NODE_ROUTES_H
#define SPEAN_NODE_ROUTES_H

#include <stddef.h>

#include "node/route.h"

/* Handlers get a struct spean_core as ctx and as core. The table is static. */
const struct spean_route *spean_routes(size_t *count);

#endif
