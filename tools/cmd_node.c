#include "tools/groups.h"

#include <stddef.h>

#include <jansson.h>

#include "tools/approving.h"
#include "tools/call.h"
#include "tools/choosing.h"
#include "tools/client.h"
#include "tools/grid.h"
#include "tools/i18n.h"
#include "tools/idtext.h"
#include "tools/inviting.h"
#include "tools/joining.h"
#include "tools/jsonget.h"
#include "tools/listing.h"
#include "tools/nodechange.h"
#include "tools/out.h"
#include "tools/unlocking.h"

static enum spean_exit invite_run(struct spean_call *call, struct spean_problem *problem)
{
    return spean_inviting_run(call, true, problem);
}

static enum spean_exit invitations_run(struct spean_call *call, struct spean_problem *problem)
{
    return spean_inviting_list(call, true, problem);
}

static void node_add(struct spean_grid *grid, const json_t *item)
{
    char key[SPEAN_IDTEXT_SHORT_BYTES];
    char seen[SPEAN_WHEN_BYTES_MAX];
    const char *const name = spean_jsonget_text(item, "name");
    const char *const digits = spean_jsonget_text(item, "digits");
    spean_idtext_short(spean_jsonget_text(item, "signing"), key);
    spean_jsonget_when(item, "last_seen", seen);
    spean_grid_cell(grid, "%s%s", name[0] == '\0' ? "-" : name,
                    spean_jsonget_true(item, "self") ? _("  (this one)") : "");
    spean_grid_cell(grid, "%s", key);
    spean_grid_cell(grid, "%s", spean_jsonget_text(item, "standing"));
    spean_grid_cell(grid, "%s", digits[0] == '\0' ? "-" : digits);
    spean_grid_cell(grid, "%s", seen);
}

static enum spean_exit list_run(struct spean_call *call, struct spean_problem *problem)
{
    static const char *const columns[] = {N_("NODE"),   N_("KEY"),       N_("STANDING"),
                                          N_("DIGITS"), N_("LAST SEEN"), NULL};
    return spean_listing_print(call, "/v1/nodes", columns, node_add, problem);
}

/* Ask the daemon to refuse the node that was named, or to change it by body. */
static enum spean_exit ask(struct spean_call *call, const json_t *body, json_t **reply,
                           struct spean_problem *problem)
{
    char path[SPEAN_CLIENT_PATH_BYTES_MAX];
    const json_t *row = NULL;
    json_t *list = NULL;
    enum spean_exit exit = spean_listing_get(call, "/v1/nodes", &list, problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = spean_nodechange_find(call, list, &row, problem);
    }
    if (exit == SPEAN_EXIT_DONE) {
        const char *const key = spean_jsonget_text(row, "signing");
        const spean_err err = body == NULL ? spean_client_path(path, "/v1/nodes/%s/refuse", key)
                                           : spean_client_path(path, "/v1/nodes/%s", key);
        exit = err == SPEAN_OK ? spean_call_request(call, body == NULL ? "POST" : "PATCH", path,
                                                    body, reply, problem)
                               : spean_problem_err(problem, err, spean_call_path(call));
    }
    json_decref(list);
    return exit;
}

static enum spean_exit refuse_run(struct spean_call *call, struct spean_problem *problem)
{
    struct spean_out *const out = spean_call_out(call);
    json_t *reply = NULL;
    const enum spean_exit exit = ask(call, NULL, &reply, problem);
    if (reply == NULL) {
        return exit;
    }
    spean_out_json(out, reply);
    json_decref(reply);
    spean_out_done(out, "%s", _("that node was sent away; it got nothing"));
    spean_out_next(out, "spean node invite");
    return SPEAN_EXIT_DONE;
}

static enum spean_exit rename_run(struct spean_call *call, struct spean_problem *problem)
{
    struct spean_out *const out = spean_call_out(call);
    const char *const name = spean_call_value(call, "name");
    json_t *reply = NULL;
    json_t *const body = json_pack("{s:s}", "name", name);
    if (body == NULL) {
        return spean_problem_err(problem, SPEAN_ENOMEM, "node rename");
    }
    const enum spean_exit exit = ask(call, body, &reply, problem);
    json_decref(body);
    if (reply == NULL) {
        return exit;
    }
    spean_out_json(out, reply);
    json_decref(reply);
    spean_out_done(out, _("the node is called %s"), name);
    spean_out_note(out, "%s", _("Every member sees this name: it should not be a person's."));
    spean_out_next(out, "spean node list");
    return SPEAN_EXIT_DONE;
}

static const struct spean_flag invite_flags[] = {SPEAN_INVITING_FLAGS, {0}};

static const struct spean_flag join_flags[] = {
    SPEAN_JOINING_FLAGS,
    SPEAN_CHOOSING_FLAGS,
    {0},
};

static const struct spean_flag approve_flags[] = {SPEAN_APPROVING_FLAGS, {0}};

static const struct spean_flag retire_flags[] = {
    SPEAN_FLAG_CONFIRM,
    SPEAN_FLAG_ADMIN_KEY,
    SPEAN_FLAG_ADMIN_PASSPHRASE_FILE,
    {0},
};

static const struct spean_arg node_args[] = {
    {.name = "node", .kind = SPEAN_KIND_TEXT, .help = N_("its name, or the beginning of its key")},
    {0},
};

static const struct spean_command commands[] = {
    {
        .path = "node invite",
        .summary = N_("Invite one more machine of this organisation"),
        .text = N_("Makes a code for one more node of your own organisation, on a second laptop or "
                   "a server. The other machine knocks at this node with it; you compare eight "
                   "digits and approve. An invitation that is not used expires by itself."),
        .flags = invite_flags,
        .inverse = "node uninvite",
        .examples =
            (const char *const[]){"spean node invite", "spean node invite --out node.txt", NULL},
        .run = invite_run,
    },
    {
        .path = "node invitations",
        .summary = N_("Show which invitations are open"),
        .text = N_("Lists the invitations of machines of your own organisation that were made "
                   "here, not used and not taken back, and how long each can be used. Their codes "
                   "are shown once, when they are made."),
        .inverse = SPEAN_INVERSE_READS,
        .examples = (const char *const[]){"spean node invitations", NULL},
        .run = invitations_run,
    },
    {
        .path = "node uninvite",
        .summary = N_("Take an invitation back"),
        .text =
            N_("Nobody can knock by its code any more; whoever tries is told that it has expired. "
               "Once somebody has knocked by it, send them away instead: \"spean node refuse\"."),
        .args = (const struct spean_arg[]){SPEAN_INVITING_NUMBER, {0}},
        .inverse = "node invite",
        .examples = (const char *const[]){"spean node uninvite 3", NULL},
        .run = spean_inviting_cancel,
    },
    {
        .path = "node join",
        .summary = N_("Make this machine one more node of your organisation"),
        .text = N_("Run it twice on the new machine. The first time it makes an empty node, with "
                   "keys of its own; then start its daemon. The second time, with the same code, "
                   "the node knocks at the one that invited it and shows eight digits to compare. "
                   "Once it is approved it fetches everything that your organisation may read. "
                   "Without a code it looks how that stands."),
        .flags = join_flags,
        .args =
            (const struct spean_arg[]){
                {.name = "code",
                 .kind = SPEAN_KIND_TEXT,
                 .optional = true,
                 .help = N_("the invitation: SPEANNODE1:...")},
                {0},
            },
        .questions =
            (const struct spean_question[]){
                {.name = "passphrase", .text = N_("A passphrase for this node"), .secret = true},
                {0},
            },
        .inverse = "node retire",
        .examples = (const char *const[]){"spean node join --file node.txt",
                                          "spean node join --wait 0", NULL},
        .run = spean_joining_node_run,
    },
    {
        .path = "node list",
        .summary = N_("Show the nodes of this organisation"),
        .text = N_("Lists every node that this organisation has or had, and those that have "
                   "knocked and wait, with the eight digits that they must show."),
        .inverse = SPEAN_INVERSE_READS,
        .examples = (const char *const[]){"spean node list", NULL},
        .run = list_run,
    },
    {
        .path = "node approve",
        .summary = N_("Let one more node in"),
        .text =
            N_("Compare the eight digits that the new machine shows with those of this side; "
               "if they are the same, the next version of your organisation's statement, signed "
               "with the admin key, makes it one of your nodes."),
        .flags = approve_flags,
        .args = node_args,
        .questions =
            (const struct spean_question[]){
                {.name = "digits", .text = N_("Type the eight digits that the other node shows")},
                SPEAN_QUESTION_ADMIN_PASSPHRASE,
                {0},
            },
        .inverse = "node retire",
        .examples =
            (const char *const[]){"spean node approve 4821-9037",
                                  "spean node approve 4821-9037 --digits \"1234 5678\"", NULL},
        .run = spean_nodechange_approve,
    },
    {
        .path = "node refuse",
        .summary = N_("Send a node away that has knocked"),
        .text = N_("Tells the node that it is not let in. Its invitation is used up; to let it try "
                   "again, invite it again."),
        .args = node_args,
        .inverse = "node invite",
        .examples = (const char *const[]){"spean node refuse 4821-9037", NULL},
        .run = refuse_run,
    },
    {
        .path = "node rename",
        .summary = N_("Give a node of this organisation a name"),
        .text = N_("The name stands in your organisation's agency record, where every member sees "
                   "it: name the machine, not a person."),
        .args =
            (const struct spean_arg[]){
                {.name = "node",
                 .kind = SPEAN_KIND_TEXT,
                 .help = N_("its name, or the beginning of its key")},
                {.name = "name", .kind = SPEAN_KIND_TEXT, .help = N_("the new name")},
                {0},
            },
        .inverse = "node rename",
        .examples = (const char *const[]){"spean node rename 4821-9037 kratie-laptop", NULL},
        .run = rename_run,
    },
    {
        .path = "node retire",
        .summary = N_("Shut a node of this organisation out, for ever"),
        .text = N_("Signs, with the admin key, that nothing counts which this node writes from now "
                   "on. What it wrote before stays. Everybody who learns of it drops the node at "
                   "once and gives it nothing more. For a machine that was stolen, tell your "
                   "partners too: until they learn of it they go on speaking to it."),
        .flags = retire_flags,
        .args = node_args,
        .questions = (const struct spean_question[]){SPEAN_QUESTION_ADMIN_PASSPHRASE, {0}},
        .inverse = SPEAN_INVERSE_NONE,
        .examples =
            (const char *const[]){"spean node retire kratie-laptop",
                                  "spean node retire kratie-laptop --confirm \"Bridge Legal Aid\"",
                                  NULL},
        .run = spean_nodechange_retire,
    },
    {0},
};

const struct spean_group spean_group_node = {
    .name = "node",
    .summary = N_("Machines of this organisation"),
    .commands = commands,
};
