/* tools/listing.h - all pages of a list, as one. */
#ifndef SPEAN_TOOLS_LISTING_H
#define SPEAN_TOOLS_LISTING_H

#include <jansson.h>

#include "tools/call.h"
#include "tools/grid.h"
#include "tools/problem.h"

#define SPEAN_LISTING_ITEMS_MAX 100000u /* More than anybody reads; ask for less then. */

/*
 * Get every page of path ("/v1/agencies?kind=union") and put {"items": [...]} of all of them into
 * *list; the caller frees it. Errors as spean_call_request(); exit 1 also for what is no list, and
 * for more than SPEAN_LISTING_ITEMS_MAX.
 */
SPEAN_CHECK enum spean_exit spean_listing_get(struct spean_call *call, const char *path,
                                              json_t **list, struct spean_problem *problem);

/* Which list: its path, the body to ask with by POST or NULL for GET, and how many items of it a
 * page has at the most ("200"). */
struct spean_listing_ask {
    const char *path;
    const json_t *body;
    const char *limit;
};

/*
 * Get one page from the place next on ("": the first) into *page, whose "items" is an array; the
 * caller frees it. next is then the place of the page behind it, "" at the end. Errors as
 * spean_call_request(); exit 1 also for what is no list, or has no end.
 */
SPEAN_CHECK enum spean_exit spean_listing_page(struct spean_call *call,
                                               const struct spean_listing_ask *ask,
                                               char next[SPEAN_CLIENT_PATH_BYTES_MAX],
                                               json_t **page, struct spean_problem *problem);

/* Append name=value to a path, behind '?' or '&' as needed; value NULL or "" appends nothing.
 * SPEAN_ELIMIT: too long. */
SPEAN_CHECK spean_err spean_listing_query(char path[SPEAN_CLIENT_PATH_BYTES_MAX], const char *name,
                                          const char *value);

/*
 * Get the list and print it: as JSON, or as a grid with these columns (headings to be translated,
 * ends with NULL), one row for each item, which row_add fills. Errors as spean_listing_get().
 */
SPEAN_CHECK enum spean_exit
spean_listing_print(struct spean_call *call, const char *path, const char *const *columns,
                    void (*row_add)(struct spean_grid *, const json_t *),
                    struct spean_problem *problem);

/* Print a list, {"items": [...]}, likewise. */
SPEAN_CHECK enum spean_exit spean_listing_show(struct spean_call *call, const json_t *list,
                                               const char *const *columns,
                                               void (*row_add)(struct spean_grid *, const json_t *),
                                               struct spean_problem *problem);

/* The same for a list that is asked for by POST with body, because it says whom; body NULL: GET. */
SPEAN_CHECK enum spean_exit spean_listing_find(struct spean_call *call, const char *path,
                                               const json_t *body, const char *const *columns,
                                               void (*row_add)(struct spean_grid *, const json_t *),
                                               struct spean_problem *problem);

#endif
