#include "tools/listing.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "tools/client.h"
#include "tools/i18n.h"
#include "tools/out.h"

#define PAGE_ITEMS "1000"

spean_err spean_listing_query(char path[SPEAN_CLIENT_PATH_BYTES_MAX], const char *name,
                              const char *value)
{
    assert(path != NULL);
    assert(name != NULL);
    char tail[SPEAN_CLIENT_PATH_BYTES_MAX];
    if (value == NULL || value[0] == '\0') {
        return SPEAN_OK;
    }
    const spean_err err =
        spean_client_path(tail, strchr(path, '?') == NULL ? "?%s=%s" : "&%s=%s", name, value);
    if (err != SPEAN_OK || strlen(tail) >= SPEAN_CLIENT_PATH_BYTES_MAX - strlen(path)) {
        return SPEAN_ELIMIT;
    }
    memcpy(path + strlen(path), tail, strlen(tail) + 1);
    return SPEAN_OK;
}

/* Take the place of the page behind this one into next. */
static enum spean_exit next_take(const json_t *page, const char *path,
                                 char next[SPEAN_CLIENT_PATH_BYTES_MAX],
                                 struct spean_problem *problem)
{
    const char *const place = json_string_value(json_object_get(page, "next"));
    if (!json_is_array(json_object_get(page, "items"))) {
        return spean_problem_set(problem, SPEAN_EXIT_FAILED, "bad_reply",
                                 _("the daemon's answer to %s is no list"), path);
    }
    if (place == NULL) {
        next[0] = '\0';
        return SPEAN_EXIT_DONE;
    }
    const size_t len = strlen(place);
    if (len >= SPEAN_CLIENT_PATH_BYTES_MAX || strcmp(place, next) == 0) {
        return spean_problem_set(problem, SPEAN_EXIT_FAILED, "bad_reply",
                                 _("the daemon's pages of %s have no end"), path);
    }
    memcpy(next, place, len + 1);
    return SPEAN_EXIT_DONE;
}

enum spean_exit spean_listing_page(struct spean_call *call, const struct spean_listing_ask *ask,
                                   char next[SPEAN_CLIENT_PATH_BYTES_MAX], json_t **page,
                                   struct spean_problem *problem)
{
    assert(call != NULL);
    assert(ask != NULL);
    assert(page != NULL);
    char full[SPEAN_CLIENT_PATH_BYTES_MAX];
    const int len = snprintf(full, sizeof(full), "%s", ask->path);
    if (len < 0 || (unsigned)len >= sizeof(full) ||
        spean_listing_query(full, "limit", ask->limit) != SPEAN_OK ||
        spean_listing_query(full, "after", next) != SPEAN_OK) {
        return spean_problem_usage(problem, "%s", _("what is asked for is too long"));
    }
    json_t *got = NULL;
    enum spean_exit exit = ask->body == NULL
                               ? spean_call_request(call, "GET", full, NULL, &got, problem)
                               : spean_call_ask(call, full, ask->body, &got, problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = next_take(got, ask->path, next, problem);
    }
    if (exit != SPEAN_EXIT_DONE) {
        json_decref(got);
        return exit;
    }
    *page = got;
    return SPEAN_EXIT_DONE;
}

/* Get the page behind the place next, and move its items to the end of all. */
static enum spean_exit page_add(struct spean_call *call, const struct spean_listing_ask *ask,
                                json_t *all, char next[SPEAN_CLIENT_PATH_BYTES_MAX],
                                struct spean_problem *problem)
{
    json_t *page = NULL;
    enum spean_exit exit = spean_listing_page(call, ask, next, &page, problem);
    if (exit != SPEAN_EXIT_DONE) {
        return exit;
    }
    json_t *const items = json_object_get(page, "items");
    if (json_array_size(items) > SPEAN_LISTING_ITEMS_MAX - json_array_size(all)) {
        exit = spean_problem_set(problem, SPEAN_EXIT_FAILED, "limit", _("more than %u items"),
                                 SPEAN_LISTING_ITEMS_MAX);
    } else if (json_array_extend(all, items) != 0) {
        exit = spean_problem_err(problem, SPEAN_ENOMEM, ask->path);
    }
    json_decref(page);
    return exit;
}

static enum spean_exit pages_get(struct spean_call *call, const char *path, const json_t *body,
                                 json_t **list, struct spean_problem *problem)
{
    const struct spean_listing_ask ask = {.path = path, .body = body, .limit = PAGE_ITEMS};
    char next[SPEAN_CLIENT_PATH_BYTES_MAX] = "";
    json_t *const all = json_array();
    if (all == NULL) {
        return spean_problem_err(problem, SPEAN_ENOMEM, path);
    }
    enum spean_exit exit = page_add(call, &ask, all, next, problem);
    while (exit == SPEAN_EXIT_DONE && next[0] != '\0') {
        exit = page_add(call, &ask, all, next, problem);
    }
    if (exit != SPEAN_EXIT_DONE) {
        json_decref(all);
        return exit;
    }
    *list = json_pack("{s:o}", "items", all); /* It takes all, also when it fails. */
    return *list == NULL ? spean_problem_err(problem, SPEAN_ENOMEM, path) : SPEAN_EXIT_DONE;
}

enum spean_exit spean_listing_get(struct spean_call *call, const char *path, json_t **list,
                                  struct spean_problem *problem)
{
    assert(call != NULL);
    assert(path != NULL);
    assert(list != NULL);
    return pages_get(call, path, NULL, list, problem);
}

enum spean_exit spean_listing_print(struct spean_call *call, const char *path,
                                    const char *const *columns,
                                    void (*row_add)(struct spean_grid *, const json_t *),
                                    struct spean_problem *problem)
{
    return spean_listing_find(call, path, NULL, columns, row_add, problem);
}

enum spean_exit spean_listing_show(struct spean_call *call, const json_t *list,
                                   const char *const *columns,
                                   void (*row_add)(struct spean_grid *, const json_t *),
                                   struct spean_problem *problem)
{
    assert(columns != NULL);
    assert(row_add != NULL);
    struct spean_grid *grid = NULL;
    if (spean_grid_new(&grid) != SPEAN_OK) {
        return spean_problem_err(problem, SPEAN_ENOMEM, "list");
    }
    const json_t *const items = json_object_get(list, "items");
    for (; *columns != NULL; columns++) {
        spean_grid_column(grid, _(*columns), false);
    }
    for (size_t i = 0; i < json_array_size(items); i++) {
        row_add(grid, json_array_get(items, i));
    }
    spean_out_json(spean_call_out(call), list);
    spean_out_grid(spean_call_out(call), grid);
    spean_grid_free(grid);
    return SPEAN_EXIT_DONE;
}

enum spean_exit spean_listing_find(struct spean_call *call, const char *path, const json_t *body,
                                   const char *const *columns,
                                   void (*row_add)(struct spean_grid *, const json_t *),
                                   struct spean_problem *problem)
{
    json_t *list = NULL;
    enum spean_exit exit = pages_get(call, path, body, &list, problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = spean_listing_show(call, list, columns, row_add, problem);
    }
    json_decref(list);
    return exit;
}
