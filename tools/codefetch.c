#include "tools/codefetch.h"

#include <assert.h>
#include <stddef.h>

#include <jansson.h>

#include "tools/listing.h"

enum spean_exit spean_codefetch_all(struct spean_call *call, struct spean_codewords *out,
                                    struct spean_problem *problem)
{
    assert(out != NULL);
    struct spean_codewords words;
    json_t *list = NULL;
    const enum spean_exit exit = spean_listing_get(call, "/v1/codes", &list, problem);
    if (exit != SPEAN_EXIT_DONE) {
        return exit;
    }
    const json_t *const items = json_object_get(list, "items");
    spean_err err = spean_codewords_init(&words);
    for (size_t i = 0; err == SPEAN_OK && i < json_array_size(items); i++) {
        err = spean_codewords_add(&words, json_array_get(items, i));
        if (err != SPEAN_OK) {
            spean_codewords_fini(&words);
        }
    }
    json_decref(list);
    if (err != SPEAN_OK) {
        return spean_problem_err(problem, err, "/v1/codes");
    }
    *out = words;
    return SPEAN_EXIT_DONE;
}
