#include "tools/pages.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
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

enum spean_exit
spean_pages_each(struct spean_call *call, const char *path,
                 enum spean_exit (*take)(void *ctx, json_t *item, struct spean_problem *problem),
                 void (*tell)(void *ctx, uint64_t now_ms), void *ctx, struct spean_problem *problem)
{
    assert(call != NULL);
    assert(take != NULL);
    const struct spean_listing_ask ask = {.path = path, .limit = PAGE_ITEMS};
    char next[SPEAN_CLIENT_PATH_BYTES_MAX] = "";
    uint64_t rows = 0;
    enum spean_exit exit = SPEAN_EXIT_DONE;
    do {
        json_t *page = NULL;
        exit = spean_interrupted() ? spean_interrupt_problem(problem)
                                   : spean_listing_page(call, &ask, next, &page, problem);
        const json_t *const items = json_object_get(page, "items");
        for (size_t i = 0; exit == SPEAN_EXIT_DONE && i < json_array_size(items); i++) {
            exit = take(ctx, json_array_get(items, i), problem);
            rows++;
        }
        json_decref(page);
        const bool more = exit == SPEAN_EXIT_DONE && next[0] != '\0';
        if (more && tell != NULL) {
            tell(ctx, now_ms());
        } else if (more) {
            spean_out_progress(spean_call_out(call), now_ms(),
                               COUNTED_(rows, "%" PRIu64 " row", "%" PRIu64 " rows"), rows);
        }
    } while (exit == SPEAN_EXIT_DONE && next[0] != '\0');
    spean_out_progress_end(spean_call_out(call));
    return exit;
}
