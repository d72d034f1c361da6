/* tools/pages.h - a long list of the API, page by page, each item as it comes. */
#ifndef SPEAN_TOOLS_PAGES_H
#define SPEAN_TOOLS_PAGES_H

#include <stdint.h>

#include <jansson.h>

#include "tools/call.h"
#include "tools/problem.h"

/*
 * Get every page of path ("/v1/export?type=case") and hand each item, borrowed, to take, which may
 * end it with its own exit. tell says behind a page how far it is; NULL: as "N rows". Exit 130:
 * interrupted. Errors as spean_call_request().
 */
SPEAN_CHECK enum spean_exit spean_pages_each(struct spean_call *call, const char *path,
                                             enum spean_exit (*take)(void *ctx, json_t *item,
                                                                     struct spean_problem *problem),
                                             void (*tell)(void *ctx, uint64_t now_ms), void *ctx,
                                             struct spean_problem *problem);

#endif
