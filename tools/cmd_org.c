#include "tools/groups.h"

#include <inttypes.h>
#include <string.h>

#include <jansson.h>

#include "tools/agencyedit.h"
#include "tools/call.h"
#include "tools/grid.h"
#include "tools/i18n.h"
#include "tools/idtext.h"
#include "tools/jsonget.h"
#include "tools/out.h"
#include "tools/show.h"

static void node_add(struct spean_grid *grid, const json_t *node)
{
    static const char *const keys[] = {"signing", "sealing", "transport"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        char key[SPEAN_IDTEXT_SHORT_BYTES];
        spean_idtext_short(spean_jsonget_text(node, keys[i]), key);
        spean_grid_cell(grid, "%s", key);
    }
    spean_grid_cell(grid, "%s", spean_jsonget_text(node, "standing"));
}

static enum spean_exit nodes_print(struct spean_out *out, const json_t *nodes,
                                   struct spean_problem *problem)
{
    static const char *const columns[] = {N_("NODE"), N_("SEALING KEY"), N_("TRANSPORT KEY"),
                                          N_("STANDING")};
    struct spean_grid *grid = NULL;
    if (json_array_size(nodes) == 0) {
        return SPEAN_EXIT_DONE;
    }
    if (spean_grid_new(&grid) != SPEAN_OK) {
        return spean_problem_err(problem, SPEAN_ENOMEM, "org show");
    }
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
        spean_grid_column(grid, _(columns[i]), false);
    }
    for (size_t i = 0; i < json_array_size(nodes); i++) {
        node_add(grid, json_array_get(nodes, i));
    }
    spean_out_grid(out, grid);
    spean_grid_free(grid);
    return SPEAN_EXIT_DONE;
}

/* What the statement says, keys by their beginnings. */
static void statement_print(struct spean_out *out, const json_t *statement)
{
    const json_t *const admins = json_object_get(statement, "admins");
    if (!json_is_object(statement)) {
        spean_out_line(out, "%s", _("Its statement has not come here yet."));
        return;
    }
    spean_out_line(out, _("Statement:   version %" PRId64 ", sealing key generation %" PRId64),
                   spean_jsonget_number(statement, "version"),
                   spean_jsonget_number(statement, "generation"));
    for (size_t i = 0; i < json_array_size(admins); i++) {
        char key[SPEAN_IDTEXT_SHORT_BYTES];
        const char *const hex = json_string_value(json_array_get(admins, i));
        spean_idtext_short(hex == NULL ? "" : hex, key);
        spean_out_line(out, _("Admin key:   %s"), key);
    }
    const int64_t threshold = spean_jsonget_number(statement, "threshold");
    spean_out_line(out,
                   COUNTED_(threshold, "Signatures:  %" PRId64 " admin key signs a new version",
                            "Signatures:  %" PRId64 " admin keys sign a new version"),
                   threshold);
}

static enum spean_exit print(struct spean_call *call, json_t *org, struct spean_problem *problem)
{
    struct spean_out *const out = spean_call_out(call);
    const json_t *const statement = json_object_get(org, "statement");
    json_t *const agency = json_object_get(org, "agency");
    char who[SPEAN_WHO_BYTES_MAX];
    spean_jsonget_who(org, "org", "name", who);
    spean_out_json(out, org);
    spean_out_line(out, "%s", who);
    statement_print(out, statement);
    const enum spean_exit exit = nodes_print(out, json_object_get(statement, "nodes"), problem);
    if (exit != SPEAN_EXIT_DONE) {
        return exit;
    }
    if (!json_is_object(agency)) {
        spean_out_line(out, "%s",
                       spean_jsonget_true(org, "locked")
                           ? _("Its record cannot be read while the node is locked.")
                           : _("It has no record yet: that is written once it is in a ledger."));
        return SPEAN_EXIT_DONE;
    }
    const spean_err err = spean_show_record(out, agency, NULL, spean_call_globals(call)->lang);
    spean_out_next(out, "spean org edit");
    return err == SPEAN_OK ? SPEAN_EXIT_DONE : spean_problem_err(problem, err, "org show");
}

static enum spean_exit show_run(struct spean_call *call, struct spean_problem *problem)
{
    json_t *org = NULL;
    const enum spean_exit exit = spean_call_request(call, "GET", "/v1/org", NULL, &org, problem);
    if (org == NULL) {
        return exit;
    }
    const enum spean_exit printed = print(call, org, problem);
    json_decref(org);
    return printed;
}

static enum spean_exit edit_run(struct spean_call *call, struct spean_problem *problem)
{
    json_t *org = NULL;
    enum spean_exit exit = spean_call_request(call, "GET", "/v1/org", NULL, &org, problem);
    if (org == NULL) {
        return exit;
    }
    const char *const id = spean_jsonget_text(json_object_get(org, "agency"), "id");
    if (id[0] != '\0') {
        exit = spean_agencyedit_run(call, id, problem);
    } else if (spean_jsonget_true(org, "locked")) {
        exit =
            spean_problem_set(problem, SPEAN_EXIT_LOCKED, "locked", "%s", _("the node is locked"));
        spean_problem_hint(problem, "%s", _("unlock it: spean unlock"));
    } else {
        exit = spean_problem_set(problem, SPEAN_EXIT_STATE, "wrong_state", "%s",
                                 _("your organisation has no record yet"));
        spean_problem_hint(problem, "%s",
                           _("it is written once the node is in a ledger: spean ledger found, or "
                             "spean member join"));
    }
    json_decref(org);
    return exit;
}

static const struct spean_flag edit_flags[] = {SPEAN_AGENCYEDIT_FLAGS, {0}};

static const struct spean_command commands[] = {
    {
        .path = "org show",
        .summary = N_("Show your organisation: its keys, nodes and public record"),
        .text = N_("Prints what its statement says, keys by their first digits, and the agency "
                   "record that every member of the ledger sees: names, endpoints, services."),
        .inverse = SPEAN_INVERSE_READS,
        .examples = (const char *const[]){"spean org show", NULL},
        .run = show_run,
    },
    {
        .path = "org edit",
        .summary = N_("Change the public record of your organisation"),
        .text = N_("Changes the fields that are given and no others; what has no flag, as "
                   "services, comes by --from. All members of the ledger will see it. Keys and "
                   "nodes are changed elsewhere: spean node."),
        .flags = edit_flags,
        .inverse = "org edit",
        .examples = (const char *const[]){"spean org edit --name en=\"Bridge Legal Aid\"",
                                          "spean org edit --from services.json", NULL},
        .run = edit_run,
    },
    {0},
};

const struct spean_group spean_group_org = {
    .name = "org",
    .summary = N_("Your own organisation"),
    .commands = commands,
};
