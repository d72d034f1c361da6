#include "tools/codesinuse.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "protocol/codes.h"
#include "tools/jsonget.h"
#include "tools/pages.h"

#define NAME_BYTES (2u * SPEAN_CODE_BYTES_MAX + 2u)

/* Records that are being looked through. */
struct looking {
    const char *list; /* NULL: every one. */
    json_t *found;    /* By list and code: what is to be appended. */
};

/* Count a code that a record has. */
static spean_err code_count(struct looking *looking, const char *list, const char *code)
{
    char name[NAME_BYTES];
    (void)snprintf(name, sizeof(name), "%s %s", list, code); /* Fits: two codes. */
    json_t *item = json_object_get(looking->found, name);
    if (item == NULL) {
        item = json_pack("{s:s,s:s,s:s}", "list", list, "code", code, "standing", "unknown");
        if (json_object_set_new(looking->found, name, item) != 0) {
            return SPEAN_ENOMEM;
        }
    }
    const json_int_t times = spean_jsonget_number(item, "times") + 1;
    return json_object_set_new(item, "times", json_integer(times)) == 0 ? SPEAN_OK : SPEAN_ENOMEM;
}

static enum spean_exit record_take(void *ctx, json_t *record, struct spean_problem *problem)
{
    struct looking *const looking = ctx;
    spean_err err = SPEAN_OK;
    const char *list;
    const char *code;
    json_t *codes;
    json_t *meaning;
    json_object_foreach(json_object_get(record, "codes"), list, codes)
    {
        if (looking->list != NULL && strcmp(looking->list, list) != 0) {
            continue;
        }
        json_object_foreach(codes, code, meaning)
        {
            const char *const standing = spean_jsonget_text(meaning, "standing");
            if (err == SPEAN_OK && strcmp(standing, "unknown") == 0) {
                err = code_count(looking, list, code);
            }
        }
    }
    return err == SPEAN_OK ? SPEAN_EXIT_DONE : spean_problem_err(problem, err, "codes");
}

enum spean_exit spean_codesinuse_add(struct spean_call *call, const char *list, json_t *items,
                                     struct spean_problem *problem)
{
    assert(json_is_array(items));
    static const char *const paths[] = {"/v1/export?type=agency", "/v1/export?type=case"};
    struct looking looking = {.list = list, .found = json_object()};
    enum spean_exit exit =
        looking.found == NULL ? spean_problem_err(problem, SPEAN_ENOMEM, "codes") : SPEAN_EXIT_DONE;
    for (size_t i = 0; exit == SPEAN_EXIT_DONE && i < sizeof(paths) / sizeof(paths[0]); i++) {
        exit = spean_pages_each(call, paths[i], record_take, NULL, &looking, problem);
    }
    const char *name;
    json_t *item;
    json_object_foreach(looking.found, name, item)
    {
        if (exit == SPEAN_EXIT_DONE && json_array_append(items, item) != 0) {
            exit = spean_problem_err(problem, SPEAN_ENOMEM, "codes");
        }
    }
    json_decref(looking.found);
    return exit;
}
