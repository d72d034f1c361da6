#include "tools/groups.h"

#include <jansson.h>

#include "protocol/version.h"
#include "store/db.h"
#include "tools/call.h"
#include "tools/i18n.h"
#include "tools/out.h"

static enum spean_exit version_run(struct spean_call *call, struct spean_problem *problem)
{
    struct spean_out *const out = spean_call_out(call);
    json_t *const object =
        json_pack("{s:s,s:i,s:i}", "program", spean_version(), "protocol",
                  (int)SPEAN_PROTOCOL_VERSION, "store_format", (int)SPEAN_STORE_FORMAT);
    if (object == NULL) {
        return spean_problem_err(problem, SPEAN_ENOMEM, "version");
    }
    spean_out_json(out, object);
    json_decref(object);
    spean_out_line(out, "spean %s", spean_version());
    spean_out_line(out, _("protocol %u"), SPEAN_PROTOCOL_VERSION);
    spean_out_line(out, _("store format %u"), SPEAN_STORE_FORMAT);
    return SPEAN_EXIT_DONE;
}

static const struct spean_command commands[] = {
    {
        .path = "version",
        .summary = N_("Show the versions of this program, its protocol and its store"),
        .text = N_("Prints the version of this program, the version of the protocol that it speaks "
                   "with partners, and the format in which it keeps its store. A partner's node "
                   "with another protocol version says so by itself when the two meet."),
        .inverse = SPEAN_INVERSE_READS,
        .examples = (const char *const[]){"spean version", "spean version --json", NULL},
        .run = version_run,
    },
    {0},
};

const struct spean_group spean_group_version = {
    .name = "version",
    .summary = N_("This program"),
    .commands = commands,
};
