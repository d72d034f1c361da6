#include "tools/groups.h"

#include <jansson.h>

#include "store/secret.h"
#include "tools/call.h"
#include "tools/grid.h"
#include "tools/i18n.h"
#include "tools/jsonget.h"
#include "tools/out.h"
#include "tools/show.h"
#include "tools/storecheck.h"
#include "tools/unlocking.h"

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
    const json_int_t skipped = json_integer_value(json_object_get(reply, "not_checked"));
    if (skipped > 0) {
        spean_out_warn(out,
                       COUNTED_(skipped,
                                "not checked: %lld part of a record, because it is locked, lacks a "
                                "body, or waits to be folded",
                                "not checked: %lld parts of records, because they are locked, lack "
                                "a body, or wait to be folded"),
                       (long long)skipped);
    }
    if (!spean_jsonget_true(reply, "ok")) {
        spean_out_line(out, "%s", _("The store is damaged. Stop writing, and restore a backup."));
        return SPEAN_EXIT_INTEGRITY;
    }
    spean_out_done(out, "%s",
                   _("every hash, signature, reference and record that was checked holds"));
    return SPEAN_EXIT_DONE;
}

static bool is_given_unlock(const struct spean_call *call)
{
    return spean_call_given(call, "credential") || spean_call_given(call, "passphrase-file") ||
           spean_call_given(call, "passphrase-fd");
}

/* Check the store of a node that is stopped; what opens it is read into buf, if it was given. */
static enum spean_exit check_with(struct spean_call *call, char *buf, json_t **reply,
                                  struct spean_problem *problem)
{
    static const struct spean_unlocking names = {.credential = "credential",
                                                 .passphrase_file = "passphrase-file",
                                                 .passphrase_fd = "passphrase-fd"};
    char home[SPEAN_PATH_BYTES_MAX];
    struct spean_unlock unlock;
    const bool given = is_given_unlock(call);
    enum spean_exit exit = spean_call_home(call, home, problem);
    if (exit == SPEAN_EXIT_DONE && given) {
        exit = spean_unlocking_get(call, &names, buf, &unlock, problem);
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = spean_storecheck(home, given ? &unlock : NULL, reply, problem);
    }
    if (exit == SPEAN_EXIT_DONE) {
        spean_out_note(spean_call_out(call), "%s",
                       given ? _("No daemon answers: the store was opened here.")
                             : _("No daemon answers: the store was opened here, locked. What is "
                                 "sealed was not checked; --credential or --passphrase-file "
                                 "unlocks it."));
    }
    return exit;
}

static enum spean_exit check_stopped(struct spean_call *call, json_t **reply,
                                     struct spean_problem *problem)
{
    void *buf = NULL;
    const spean_err err = spean_secret_alloc(SPEAN_UNLOCKING_BYTES, &buf);
    if (err != SPEAN_OK) {
        return spean_problem_err(problem, err, "verify");
    }
    const enum spean_exit exit = check_with(call, buf, reply, problem);
    spean_secret_free(buf);
    return exit;
}

static enum spean_exit verify_run(struct spean_call *call, struct spean_problem *problem)
{
    json_t *reply = NULL;
    struct spean_problem asked = {.code = ""};
    enum spean_exit exit = spean_call_wait(call, REPLY_MS, &asked);
    if (exit == SPEAN_EXIT_DONE) {
        exit = spean_call_ask(call, "/v1/verify", NULL, &reply, &asked);
    }
    if (exit == SPEAN_EXIT_NO_DAEMON) {
        exit = check_stopped(call, &reply, problem);
    } else {
        *problem = asked;
    }
    if (reply == NULL) {
        return exit;
    }
    const enum spean_exit printed = print(call, reply, problem);
    json_decref(reply);
    return printed;
}

static const struct spean_flag verify_flags[] = {SPEAN_UNLOCKING_FLAGS, {0}};

static const struct spean_command commands[] = {
    {
        .path = "verify",
        .summary = N_("Check the whole store"),
        .text = N_("Reads everything that is stored while the node goes on, checks every hash, "
                   "signature and reference, and folds every record again from its changes to "
                   "compare. It changes nothing. Where the daemon does not run the store is opened "
                   "here, and what is sealed is checked if a flag says how to unlock it. What "
                   "could not be checked is counted. The exit code is 9 where something does not "
                   "hold."),
        .flags = verify_flags,
        .inverse = SPEAN_INVERSE_READS,
        .examples = (const char *const[]){"spean verify",
                                          "spean verify --credential /run/credentials/spean", NULL},
        .run = verify_run,
    },
    {0},
};

const struct spean_group spean_group_verify = {
    .name = "verify",
    .summary = N_("Check the store"),
    .commands = commands,
};
