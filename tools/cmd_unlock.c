#include "tools/groups.h"

#include <jansson.h>

#include "protocol/text.h"
#include "store/secret.h"
#include "tools/call.h"
#include "tools/i18n.h"
#include "tools/out.h"
#include "tools/unlocking.h"

/* Make the request's body of what opens the keystore. */
static enum spean_exit body_make(const struct spean_unlock *unlock, json_t **body,
                                 struct spean_problem *problem)
{
    const struct spean_view bytes = unlock->bytes;
    if (unlock->kind == SPEAN_UNLOCK_CREDENTIAL) {
        char hex[2 * SPEAN_WRAP_CREDENTIAL_BYTES + 1];
        spean_text_hex_encode(hex, sizeof(hex), bytes);
        *body = json_pack("{s:s}", "credential", hex);
    } else {
        if (!spean_text_valid(bytes)) {
            return spean_problem_usage(problem, "%s", _("the passphrase is not UTF-8 text"));
        }
        *body = json_pack("{s:s%}", "passphrase", (const char *)bytes.data, bytes.len);
    }
    return *body == NULL ? spean_problem_err(problem, SPEAN_ENOMEM, "unlock") : SPEAN_EXIT_DONE;
}

static enum spean_exit tell(struct spean_call *call, const json_t *reply)
{
    struct spean_out *const out = spean_call_out(call);
    spean_out_json(out, reply);
    spean_out_done(out, "%s", _("unlocked: records can be read and written on this machine"));
    spean_out_next(out, "spean status");
    return SPEAN_EXIT_DONE;
}

static enum spean_exit unlock_with(struct spean_call *call, char *buf,
                                   struct spean_problem *problem)
{
    static const struct spean_unlocking names = {.credential = "credential",
                                                 .passphrase_file = "passphrase-file",
                                                 .passphrase_fd = "passphrase-fd",
                                                 .question = "passphrase"};
    struct spean_unlock unlock;
    json_t *body = NULL;
    json_t *reply = NULL;
    enum spean_exit exit = spean_unlocking_get(call, &names, buf, &unlock, problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = body_make(&unlock, &body, problem);
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = spean_call_request(call, "POST", "/v1/unlock", body, &reply, problem);
    }
    json_decref(body);
    if (reply == NULL) {
        return exit;
    }
    exit = tell(call, reply);
    json_decref(reply);
    return exit;
}

static enum spean_exit unlock_run(struct spean_call *call, struct spean_problem *problem)
{
    void *buf = NULL;
    const spean_err err = spean_secret_alloc(SPEAN_UNLOCKING_BYTES, &buf);
    if (err != SPEAN_OK) {
        return spean_problem_err(problem, err, "unlock");
    }
    const enum spean_exit exit = unlock_with(call, buf, problem);
    spean_secret_free(buf);
    return exit;
}

static const struct spean_flag unlock_flags[] = {SPEAN_UNLOCKING_FLAGS, {0}};

static const struct spean_command commands[] = {
    {
        .path = "unlock",
        .summary = N_("Unlock the node with its passphrase"),
        .text = N_("Gives the daemon what opens its keystore, so that records can be read and "
                   "written until it is locked or stopped. The passphrase is asked for, or comes "
                   "from a file that nobody else may read; it is never a word of the command."),
        .flags = unlock_flags,
        .questions =
            (const struct spean_question[]){
                {.name = "passphrase", .text = N_("Passphrase of this node"), .secret = true},
                {0},
            },
        .inverse = "lock",
        .examples = (const char *const[]){"spean unlock",
                                          "spean unlock --credential /run/credentials/spean", NULL},
        .run = unlock_run,
    },
    {0},
};

const struct spean_group spean_group_unlock = {
    .name = "unlock",
    .summary = N_("Unlock the node"),
    .commands = commands,
};
