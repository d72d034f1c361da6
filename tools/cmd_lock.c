#include "tools/groups.h"

#include <jansson.h>

#include "tools/call.h"
#include "tools/i18n.h"
#include "tools/out.h"

static enum spean_exit lock_run(struct spean_call *call, struct spean_problem *problem)
{
    struct spean_out *const out = spean_call_out(call);
    json_t *reply = NULL;
    const enum spean_exit exit =
        spean_call_request(call, "POST", "/v1/lock", NULL, &reply, problem);
    if (reply == NULL) {
        return exit;
    }
    spean_out_json(out, reply);
    json_decref(reply);
    spean_out_done(out, "%s", _("locked: the keys are gone from this machine's memory"));
    spean_out_note(out, "%s",
                   _("It goes on receiving from partners, but nobody reads or writes here now."));
    spean_out_next(out, "spean unlock");
    return SPEAN_EXIT_DONE;
}

static const struct spean_command commands[] = {
    {
        .path = "lock",
        .summary = N_("Lock the node: take its keys out of memory"),
        .text = N_("Wipes the keys that sign, open and read records from the daemon's memory. The "
                   "daemon stays connected and keeps what partners send, sealed. Lock when you "
                   "leave the office. Partners notice nothing."),
        .inverse = "unlock",
        .examples = (const char *const[]){"spean lock", NULL},
        .run = lock_run,
    },
    {0},
};

const struct spean_group spean_group_lock = {
    .name = "lock",
    .summary = N_("Lock the node"),
    .commands = commands,
};
