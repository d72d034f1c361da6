#include "tools/groups.h"

#include <errno.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "tools/call.h"
#include "tools/client.h"
#include "tools/grid.h"
#include "tools/i18n.h"
#include "tools/jsonget.h"
#include "tools/listing.h"
#include "tools/out.h"

#define DECIMAL 10

/* What a role is called for people. */
static const char *role_text(const char *role)
{
    if (strcmp(role, "admin") == 0) {
        return _("admin");
    }
    return strcmp(role, "coordinator") == 0 ? _("coordinator") : _("case worker");
}

static void person_add(struct spean_grid *grid, const json_t *item)
{
    const struct passwd *const user = getpwuid((uid_t)spean_jsonget_number(item, "uid"));
    spean_grid_cell(grid, "%s", spean_jsonget_text(item, "name"));
    spean_grid_cell(grid, "%s", role_text(spean_jsonget_text(item, "role")));
    if (user != NULL) {
        spean_grid_cell(grid, "%s", user->pw_name);
    } else {
        spean_grid_cell(grid, "%lld", (long long)spean_jsonget_number(item, "uid"));
    }
    spean_grid_cell(grid, "%s", spean_jsonget_true(item, "retired") ? _("retired") : "-");
}

static enum spean_exit list_run(struct spean_call *call, struct spean_problem *problem)
{
    static const char *const columns[] = {N_("PERSON"), N_("ROLE"), N_("USER"), N_("STANDING"),
                                          NULL};
    return spean_listing_print(call, "/v1/persons", columns, person_add, problem);
}

/* The number of a user of this machine, given by name or as a number. */
static enum spean_exit user_find(const char *given, json_int_t *uid, struct spean_problem *problem)
{
    const struct passwd *const user = getpwnam(given);
    char *end = NULL;
    if (user != NULL) {
        *uid = (json_int_t)user->pw_uid;
        return SPEAN_EXIT_DONE;
    }
    errno = 0;
    const unsigned long long number = strtoull(given, &end, DECIMAL);
    if (errno != 0 || end == given || *end != '\0' || given[0] == '-' || number >= UINT32_MAX) {
        (void)spean_problem_usage(problem, _("this machine has no user \"%s\""), given);
        spean_problem_hint(problem, "%s", _("give a login name, or the number of a user"));
        return SPEAN_EXIT_USAGE;
    }
    *uid = (json_int_t)number;
    return SPEAN_EXIT_DONE;
}

static enum spean_exit add_run(struct spean_call *call, struct spean_problem *problem)
{
    struct spean_out *const out = spean_call_out(call);
    const char *const name = spean_call_value(call, "name");
    json_t *reply = NULL;
    json_int_t uid = 0;
    enum spean_exit exit = user_find(spean_call_value(call, "user"), &uid, problem);
    if (exit != SPEAN_EXIT_DONE) {
        return exit;
    }
    json_t *const body = json_pack("{s:s,s:s,s:I}", "name", name, "role",
                                   spean_call_value(call, "role"), "uid", uid);
    exit = body == NULL ? spean_problem_err(problem, SPEAN_ENOMEM, "person add")
                        : spean_call_request(call, "POST", "/v1/persons", body, &reply, problem);
    json_decref(body);
    if (reply == NULL) {
        return exit;
    }
    spean_out_json(out, reply);
    spean_out_done(out, _("%s may use this node as %s"), name,
                   role_text(spean_jsonget_text(reply, "role")));
    spean_out_note(out, "%s",
                   _("Partners see the pseudonym beside what this person writes, and nothing else "
                     "of it."));
    spean_out_next(out, "spean person list");
    json_decref(reply);
    return SPEAN_EXIT_DONE;
}

static enum spean_exit retire_run(struct spean_call *call, struct spean_problem *problem)
{
    struct spean_out *const out = spean_call_out(call);
    const char *const name = spean_call_value(call, "name");
    char path[SPEAN_CLIENT_PATH_BYTES_MAX];
    json_t *reply = NULL;
    const spean_err err = spean_client_path(path, "/v1/persons/%s/retire", name);
    if (err != SPEAN_OK) {
        return spean_problem_err(problem, err, "person retire");
    }
    const enum spean_exit exit = spean_call_request(call, "POST", path, NULL, &reply, problem);
    if (reply == NULL) {
        return exit;
    }
    spean_out_json(out, reply);
    json_decref(reply);
    spean_out_done(out, _("%s may not use this node any more"), name);
    spean_out_note(out, "%s", _("What this person wrote stays; the pseudonym is not given again."));
    spean_out_next(out, "spean person list");
    return SPEAN_EXIT_DONE;
}

static const struct spean_flag add_flags[] = {
    {.name = "role",
     .kind = SPEAN_KIND_CHOICE,
     .value = "ROLE",
     .choices = "case_worker|coordinator|admin",
     .required = true,
     .help = N_("each may do what those before it may")},
    {.name = "user",
     .kind = SPEAN_KIND_TEXT,
     .value = "USER",
     .required = true,
     .help = N_("the person's user of this machine, by login name or number")},
    {0},
};

static const struct spean_arg name_args[] = {
    {.name = "name", .kind = SPEAN_KIND_TEXT, .help = N_("the pseudonym, which partners see")},
    {0},
};

static const struct spean_command commands[] = {
    {
        .path = "person list",
        .summary = N_("Show who may use this node"),
        .text = N_("Lists the people of this node: pseudonym, role, and the user of this machine "
                   "by whom the node knows them."),
        .inverse = SPEAN_INVERSE_READS,
        .examples = (const char *const[]){"spean person list", NULL},
        .run = list_run,
    },
    {
        .path = "person add",
        .summary = N_("Let somebody use this node"),
        .text = N_("Case workers keep cases, consents and referrals. Coordinators also import, "
                   "export, verify, and look into what was set aside. Admins also decide about "
                   "members, nodes and persons. The pseudonym stands beside everything that the "
                   "person writes, for ever: choose one that says nothing. Where several users of "
                   "a machine share a node, set socket_group for its daemon."),
        .flags = add_flags,
        .args = name_args,
        .inverse = "person retire",
        .examples =
            (const char *const[]){"spean person add sokha --role case_worker --user sokha", NULL},
        .run = add_run,
    },
    {
        .path = "person retire",
        .summary = N_("Let somebody use this node no more"),
        .text =
            N_("Takes a person's access to this node away at once. What the person wrote stays, "
               "with its pseudonym, which nobody is given again."),
        .args = name_args,
        .inverse = "person add",
        .examples = (const char *const[]){"spean person retire sokha", NULL},
        .run = retire_run,
    },
    {0},
};

const struct spean_group spean_group_person = {
    .name = "person",
    .summary = N_("People who use this node"),
    .commands = commands,
};
