#include "tools/pages.h"

#include <assert.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tools/client.h"
#include "tools/i18n.h"
#include "tools/interrupt.h"
#include "tools/listing.h"
#include "tools/out.h"

#define PAGE_ITEMS "200" /* Whole records, of up to some tens of KiB. */

static uint64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* Cannot fail for this clock. */
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Get one page after the place next. */
static enum spean_exit page_get(struct spean_call *call, const char *path, const char *next,
                                json_t **page, struct spean_problem *problem)
{
    char full[SPEAN_CLIENT_PATH_BYTES_MAX];
    const int len = snprintf(full, sizeof(full), "%s", path);
    if (len < 0 || (unsigned)len >= sizeof(full) ||
        spean_listing_query(full, "limit", PAGE_ITEMS) != SPEAN_OK ||
        spean_listing_query(full, "after", next) != SPEAN_OK) {
        return spean_problem_usage(problem, "%s", _("what is asked for is too long"));
    }
    const enum spean_exit exit = spean_call_request(call, "GET", full, NULL, page, problem);
    if (exit == SPEAN_EXIT_DONE && !json_is_array(json_object_get(*page, "items"))) {
        json_decref(*page);
        *page = NULL;
        return spean_problem_set(problem, SPEAN_EXIT_FAILED, "bad_reply",
                                 _("the daemon's answer to %s is no list"), path);
    }
    return exit;
}

enum spean_exit spean_pages_each(struct spean_call *call, const char *path,
                                 enum spean_exit (*take)(void *ctx, json_t *item,
                                                         struct spean_problem *problem),
                                 void *ctx, struct spean_problem *problem)
{
    assert(call != NULL);
    assert(take != NULL);
    char next[SPEAN_CLIENT_PATH_BYTES_MAX] = "";
    uint64_t rows = 0;
    enum spean_exit exit = SPEAN_EXIT_DONE;
    do {
        json_t *page = NULL;
        exit = spean_interrupted() ? spean_interrupt_problem(problem)
                                   : page_get(call, path, next, &page, problem);
        const json_t *const items = json_object_get(page, "items");
        for (size_t i = 0; exit == SPEAN_EXIT_DONE && i < json_array_size(items); i++) {
            exit = take(ctx, json_array_get(items, i), problem);
            rows++;
        }
        const char *const place = json_string_value(json_object_get(page, "next"));
        if (exit == SPEAN_EXIT_DONE && place != NULL &&
            (strlen(place) >= sizeof(next) || strcmp(place, next) == 0)) {
            exit = spean_problem_set(problem, SPEAN_EXIT_FAILED, "bad_reply",
                                     _("the daemon's pages of %s have no end"), path);
        }
        (void)snprintf(next, sizeof(next), "%s", place == NULL ? "" : place);
        json_decref(page);
        spean_out_progress(spean_call_out(call), now_ms(), _("%" PRIu64 " rows"), rows);
    } while (exit == SPEAN_EXIT_DONE && next[0] != '\0');
    spean_out_progress_end(spean_call_out(call));
    return exit;
}
