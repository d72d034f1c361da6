#include "tools/groups.h"

#include <jansson.h>

#include "tools/approving.h"
#include "tools/call.h"
#include "tools/client.h"
#include "tools/grid.h"
#include "tools/i18n.h"
#include "tools/inviting.h"
#include "tools/joining.h"
#include "tools/jsonget.h"
#include "tools/listing.h"
#include "tools/membershow.h"
#include "tools/out.h"
#include "tools/relaying.h"
#include "tools/unlocking.h"

static enum spean_exit invite_run(struct spean_call *call, struct spean_problem *problem)
{
    return spean_inviting_run(call, false, problem);
}

static enum spean_exit invitations_run(struct spean_call *call, struct spean_problem *problem)
{
    return spean_inviting_list(call, false, problem);
}

static void pending_add(struct spean_grid *grid, const json_t *item)
{
    char who[SPEAN_WHO_BYTES_MAX];
    char since[SPEAN_WHEN_BYTES_MAX];
    spean_jsonget_who(item, "org", "name", who);
    spean_jsonget_when(item, "since", since);
    spean_grid_cell(grid, "%s", who);
    spean_grid_cell(grid, "%s", spean_jsonget_text(item, "digits"));
    spean_grid_cell(grid, "%s", since);
}

static enum spean_exit pending_run(struct spean_call *call, struct spean_problem *problem)
{
    static const char *const columns[] = {N_("ORGANISATION"), N_("DIGITS"), N_("WAITING SINCE"),
                                          NULL};
    return spean_listing_print(call, "/v1/pending", columns, pending_add, problem);
}

static bool has_relay(const json_t *item)
{
    const json_t *const nodes = json_object_get(item, "nodes");
    bool any = false;
    for (size_t i = 0; i < json_array_size(nodes); i++) {
        any = any || spean_jsonget_true(json_array_get(nodes, i), "relay");
    }
    return any;
}

static void member_add(struct spean_grid *grid, const json_t *item)
{
    char who[SPEAN_WHO_BYTES_MAX];
    spean_jsonget_who(item, "org", "name", who);
    spean_grid_cell(grid, "%s%s", who, spean_jsonget_true(item, "self") ? _("  (we)") : "");
    spean_grid_cell(grid, "%s", spean_jsonget_text(item, "status"));
    spean_grid_cell(grid, "%s", spean_jsonget_true(item, "steward") ? _("yes") : "-");
    spean_grid_cell(grid, "%zu", json_array_size(json_object_get(item, "nodes")));
    spean_grid_cell(grid, "%s", has_relay(item) ? _("yes") : "-");
}

static enum spean_exit list_run(struct spean_call *call, struct spean_problem *problem)
{
    static const char *const columns[] = {N_("ORGANISATION"), N_("STATUS"), N_("STEWARD"),
                                          N_("NODES"),        N_("RELAY"),  NULL};
    return spean_listing_print(call, "/v1/members", columns, member_add, problem);
}

static enum spean_exit refuse_run(struct spean_call *call, struct spean_problem *problem)
{
    struct spean_out *const out = spean_call_out(call);
    char path[SPEAN_CLIENT_PATH_BYTES_MAX];
    json_t *reply = NULL;
    const char *const org = spean_call_value(call, "org");
    const spean_err err = spean_client_path(path, "/v1/pending/%s/refuse", org);
    if (err != SPEAN_OK) {
        return spean_problem_err(problem, err, "member refuse");
    }
    const enum spean_exit exit = spean_call_request(call, "POST", path, NULL, &reply, problem);
    if (reply == NULL) {
        return exit;
    }
    spean_out_json(out, reply);
    json_decref(reply);
    spean_out_done(out, _("%s was sent away; it is no member and got nothing"), org);
    spean_out_next(out, "spean member invite");
    return SPEAN_EXIT_DONE;
}

static const struct spean_flag invite_flags[] = {SPEAN_INVITING_FLAGS, {0}};

static const struct spean_flag join_flags[] = {
    SPEAN_JOINING_FLAGS,
    SPEAN_FLAG_ADMIN_KEY,
    SPEAN_FLAG_ADMIN_PASSPHRASE_FILE,
    {0},
};

static const struct spean_flag approve_flags[] = {SPEAN_APPROVING_FLAGS, {0}};

static const struct spean_flag relay_flags[] = {
    SPEAN_FLAG_ADMIN_KEY,
    SPEAN_FLAG_ADMIN_PASSPHRASE_FILE,
    {0},
};

static const struct spean_question relay_questions[] = {
    SPEAN_QUESTION_ADMIN_PASSPHRASE,
    {0},
};

static const struct spean_arg relay_args[] = {
    {.name = "node",
     .kind = SPEAN_KIND_ID,
     .help = N_("the member's id, or its node's signing key, or the beginning of one")},
    {0},
};

static const struct spean_arg org_args[] = {
    {.name = "org", .kind = SPEAN_KIND_ID, .help = N_("the newcomer's id, or its beginning")},
    {0},
};

static const struct spean_command commands[] = {
    {
        .path = "member invite",
        .summary = N_("Invite an organisation to the ledger"),
        .text = N_("Makes a code for one organisation. Whoever has it can knock at this node and "
                   "nothing more: you see who it is, compare eight digits by telephone, and "
                   "approve. An invitation that is not used expires by itself."),
        .flags = invite_flags,
        .inverse = "member uninvite",
        .examples =
            (const char *const[]){"spean member invite",
                                  "spean member invite --expires 2d --out invitation.txt", NULL},
        .run = invite_run,
    },
    {
        .path = "member invitations",
        .summary = N_("Show which invitations are open"),
        .text = N_(
            "Lists the invitations of organisations that were made here, not used and not taken "
            "back, and how long each can be used. Their codes are shown once, when they are made."),
        .inverse = SPEAN_INVERSE_READS,
        .examples = (const char *const[]){"spean member invitations", NULL},
        .run = invitations_run,
    },
    {
        .path = "member uninvite",
        .summary = N_("Take an invitation back"),
        .text =
            N_("Nobody can knock by its code any more; whoever tries is told that it has expired. "
               "Once somebody has knocked by it, send them away instead: \"spean member refuse\"."),
        .args = (const struct spean_arg[]){SPEAN_INVITING_NUMBER, {0}},
        .inverse = "member invite",
        .examples = (const char *const[]){"spean member uninvite 3", NULL},
        .run = spean_inviting_cancel,
    },
    {
        .path = "member join",
        .summary = N_("Ask to be taken into the ledger that an invitation names"),
        .text = N_("Signs this node into the ledger with the admin key, knocks at the node that "
                   "sent the invitation, and shows eight digits to compare by telephone. Then it "
                   "waits for their approval. Interrupt it as you like: the daemon goes on by "
                   "itself, and \"spean member join\" without a code looks again. A code in a "
                   "file stays out of the list of commands that this machine remembers."),
        .flags = join_flags,
        .args =
            (const struct spean_arg[]){
                {.name = "code",
                 .kind = SPEAN_KIND_TEXT,
                 .optional = true,
                 .help = N_("the invitation: SPEAN1:...")},
                {0},
            },
        .questions = (const struct spean_question[]){SPEAN_QUESTION_ADMIN_PASSPHRASE, {0}},
        .inverse = SPEAN_INVERSE_NONE,
        .examples = (const char *const[]){"spean member join --file invitation.txt",
                                          "spean member join --wait 0", NULL},
        .run = spean_joining_run,
    },
    {
        .path = "member pending",
        .summary = N_("Show who has knocked and waits for approval"),
        .text = N_("Lists the organisations that hold an invitation of yours and wait, each with "
                   "the eight digits that they must read out to you."),
        .inverse = SPEAN_INVERSE_READS,
        .examples = (const char *const[]){"spean member pending", NULL},
        .run = pending_run,
    },
    {
        .path = "member approve",
        .summary = N_("Let a newcomer into the ledger"),
        .text = N_("Call the newcomer on a number that you know and have the eight digits read to "
                   "you; if they are those of this side, the charter's next version, signed with "
                   "the admin key, makes it a member. All members see that, and by whom."),
        .flags = approve_flags,
        .args = org_args,
        .questions =
            (const struct spean_question[]){
                {.name = "digits", .text = N_("Call them and type the eight digits they read out")},
                SPEAN_QUESTION_ADMIN_PASSPHRASE,
                {0},
            },
        .inverse = SPEAN_INVERSE_NONE,
        .examples =
            (const char *const[]){"spean member approve 7f3a-91c4",
                                  "spean member approve 7f3a-91c4 --digits \"1234 5678\"", NULL},
        .run = spean_approving_run,
    },
    {
        .path = "member refuse",
        .summary = N_("Send a newcomer away"),
        .text = N_("Takes the newcomer off the list and tells its node so. Its invitation is used "
                   "up; to let it try again, invite it again."),
        .args = org_args,
        .inverse = "member invite",
        .examples = (const char *const[]){"spean member refuse 7f3a-91c4", NULL},
        .run = refuse_run,
    },
    {
        .path = "member list",
        .summary = N_("Show the members of the ledger"),
        .text = N_("Lists every organisation that is or was a member, whether it is a steward, "
                   "how many nodes it has, and whether one of them is a relay."),
        .inverse = SPEAN_INVERSE_READS,
        .examples = (const char *const[]){"spean member list", NULL},
        .run = list_run,
    },
    {
        .path = "member show",
        .summary = N_("Show a member and its nodes"),
        .text = N_("Shows an organisation's standing, when something of theirs last came and by "
                   "which way, its sealing key's generation, and its nodes: signing key, "
                   "log, how much of it is here, and whether that is paused."),
        .args =
            (const struct spean_arg[]){
                {.name = "org",
                 .kind = SPEAN_KIND_ID,
                 .help = N_("the member's id, or its beginning")},
                {0},
            },
        .inverse = SPEAN_INVERSE_READS,
        .examples = (const char *const[]){"spean member show 7f3a-91c4", NULL},
        .run = spean_membershow_run,
    },
    {
        .path = "member relay add",
        .summary = N_("Have a member's node carry what others write"),
        .text = N_("Signs the charter version that names the node as a relay. A relay holds every "
                   "sealed record and opens none: partners who are never online at the same time "
                   "sync through it. It should run always and be reachable: say so in its agency's "
                   "endpoints, or let the others join by its invitation. A member with one node is "
                   "named by its id, one with several by the signing key of the node."),
        .flags = relay_flags,
        .args = relay_args,
        .questions = relay_questions,
        .inverse = "member relay remove",
        .examples = (const char *const[]){"spean member relay add 7f3a-91c4", NULL},
        .run = spean_relaying_add,
    },
    {
        .path = "member relay remove",
        .summary = N_("Have a node carry no longer"),
        .text = N_("Signs the charter version that no longer names the node. From then on it gets "
                   "headers, and what its own organisation is party to, as every member does. What "
                   "it carried before stays there; it never could open it."),
        .flags = relay_flags,
        .args = relay_args,
        .questions = relay_questions,
        .inverse = "member relay add",
        .examples = (const char *const[]){"spean member relay remove 7f3a-91c4", NULL},
        .run = spean_relaying_remove,
    },
    {0},
};

const struct spean_group spean_group_member = {
    .name = "member",
    .summary = N_("Organisations that share the ledger"),
    .commands = commands,
};
