#include "tools/groups.h"

#include <jansson.h>

#include "tools/call.h"
#include "tools/grid.h"
#include "tools/i18n.h"
#include "tools/jsonget.h"
#include "tools/out.h"
#include "tools/show.h"

#define REPLY_MS 7200000L /* Two hours: a large store on a slow disk. */

/* What was looked at and how much of it, then what is wrong. */
static enum spean_exit print(struct spean_call *call, json_t *reply, struct spean_problem *problem)
{
    struct spean_out *const out = spean_call_out(call);
    const json_t *const problems = json_object_get(reply, "problems");
    struct spean_grid *grid;
    spean_err err = spean_grid_new(&grid);
    if (err != SPEAN_OK) {
        return spean_problem_err(problem, err, "verify");
    }
    spean_grid_column(grid, NULL, false);
    spean_grid_column(grid, NULL, true);
    const char *key;
    json_t *value;
    json_object_foreach(reply, key, value)
    {
        if (err == SPEAN_OK && json_is_integer(value)) {
            err = spean_show_row(grid, key, value);
        }
    }
    spean_out_json(out, reply);
    spean_out_grid(out, grid);
    spean_grid_free(grid);
    if (err != SPEAN_OK) {
        return spean_problem_err(problem, err, "verify");
    }
    for (size_t i = 0; i < json_array_size(problems); i++) {
        const json_t *const row = json_array_get(problems, i);
        const char *const text = json_string_value(row);
        spean_out_line(out, "! %s", text == NULL ? spean_jsonget_text(row, "message") : text);
    }
    if (!spean_jsonget_true(reply, "ok")) {
        spean_out_line(out, "%s", _("The store is damaged. Stop writing, and restore a backup."));
        return SPEAN_EXIT_INTEGRITY;
    }
    spean_out_done(out, "%s", _("every hash, signature and reference holds"));
    return SPEAN_EXIT_DONE;
}

static enum spean_exit verify_run(struct spean_call *call, struct spean_problem *problem)
{
    json_t *reply = NULL;
    enum spean_exit exit = spean_call_wait(call, REPLY_MS, problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = spean_call_request(call, "POST", "/v1/verify", NULL, &reply, problem);
    }
    if (reply == NULL) {
        return exit;
    }
    const enum spean_exit printed = print(call, reply, problem);
    json_decref(reply);
    return printed;
}

static const struct spean_command commands[] = {
    {
        .path = "verify",
        .summary = N_("Check the whole store"),
        .text = N_("Reads everything that is stored while the node goes on, and checks every "
                   "hash, signature and reference. It changes nothing. The exit code is 9 where "
                   "something does not hold."),
        .inverse = SPEAN_INVERSE_READS,
        .examples = (const char *const[]){"spean verify", NULL},
        .run = verify_run,
    },
    {0},
};

const struct spean_group spean_group_verify = {
    .name = "verify",
    .summary = N_("Check the store"),
    .commands = commands,
};
