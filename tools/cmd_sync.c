#include "tools/groups.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include <jansson.h>

#include "tools/call.h"
#include "tools/client.h"
#include "tools/i18n.h"
#include "tools/jsonget.h"
#include "tools/listing.h"
#include "tools/out.h"
#include "tools/partners.h"

#define WAIT_S_MAX      3600u /* What the daemon takes. */
#define REPLY_EXTRA_MS  30000L
#define SECONDS_IN_TEXT 24u

static enum spean_exit print(struct spean_call *call, const json_t *reply,
                             struct spean_problem *problem)
{
    struct spean_out *const out = spean_call_out(call);
    spean_out_json(out, reply);
    const spean_err err =
        spean_partners_print(out, json_object_get(reply, "partners"), (int64_t)time(NULL));
    if (err != SPEAN_OK) {
        return spean_problem_err(problem, err, "sync now");
    }
    if (spean_jsonget_true(reply, "in_step")) {
        spean_out_done(out, "%s", _("in step with every partner"));
        return SPEAN_EXIT_DONE;
    }
    spean_out_note(out, "%s",
                   _("Not in step with everybody yet. The node goes on by itself; offline is "
                     "normal."));
    spean_out_next(out, "spean status");
    return SPEAN_EXIT_ATTENTION;
}

static enum spean_exit now_run(struct spean_call *call, struct spean_problem *problem)
{
    const uint64_t wait_s = spean_call_number(call, "wait", 0);
    char path[SPEAN_CLIENT_PATH_BYTES_MAX] = "/v1/sync";
    char seconds[SECONDS_IN_TEXT];
    if (wait_s > WAIT_S_MAX) {
        return spean_problem_usage(problem, _("--wait is more than %u seconds"), WAIT_S_MAX);
    }
    (void)snprintf(seconds, sizeof(seconds), "%" PRIu64, wait_s); /* 20 digits fit. */
    const spean_err err = wait_s == 0 ? SPEAN_OK : spean_listing_query(path, "wait_s", seconds);
    if (err != SPEAN_OK) {
        return spean_problem_err(problem, err, "sync now");
    }
    json_t *reply = NULL;
    enum spean_exit exit = spean_call_wait(call, (long)wait_s * 1000L + REPLY_EXTRA_MS, problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = spean_call_request(call, "POST", path, NULL, &reply, problem);
    }
    if (reply == NULL) {
        return exit;
    }
    const enum spean_exit printed = print(call, reply, problem);
    json_decref(reply);
    return printed;
}

/* Pause everything, or let it go on. */
static enum spean_exit set_run(struct spean_call *call, bool paused, struct spean_problem *problem)
{
    struct spean_out *const out = spean_call_out(call);
    json_t *reply = NULL;
    const enum spean_exit exit = spean_call_request(
        call, "POST", paused ? "/v1/sync/pause" : "/v1/sync/resume", NULL, &reply, problem);
    if (reply == NULL) {
        return exit;
    }
    spean_out_json(out, reply);
    json_decref(reply);
    if (paused) {
        spean_out_done(out, "%s", _("sync is paused: nothing goes out or comes in"));
        spean_out_note(out, "%s",
                       _("Work goes on, and is kept here. It stays paused when the computer starts "
                         "again."));
        spean_out_next(out, "spean sync resume");
    } else {
        spean_out_done(out, "%s", _("sync goes on"));
        spean_out_next(out, "spean status");
    }
    return SPEAN_EXIT_DONE;
}

static enum spean_exit pause_run(struct spean_call *call, struct spean_problem *problem)
{
    return set_run(call, true, problem);
}

static enum spean_exit resume_run(struct spean_call *call, struct spean_problem *problem)
{
    return set_run(call, false, problem);
}

static const struct spean_command commands[] = {
    {
        .path = "sync now",
        .summary = N_("Dial every partner now, instead of when it is due"),
        .text = N_("The node dials by itself; this only saves waiting. With --wait it returns "
                   "once every partner that can be reached is in step. The exit code is 3 while "
                   "somebody is not."),
        .flags =
            (const struct spean_flag[]){
                {.name = "wait",
                 .kind = SPEAN_KIND_NUMBER,
                 .value = "SECONDS",
                 .help = N_("how long to wait at most, up to 3600; otherwise not at all")},
                {0},
            },
        .inverse = SPEAN_INVERSE_READS,
        .examples = (const char *const[]){"spean sync now", "spean sync now --wait 60", NULL},
        .run = now_run,
    },
    {
        .path = "sync pause",
        .summary = N_("Let nothing go out or come in for now"),
        .text = N_("Hangs up on every partner and dials nobody until \"spean sync resume\", also "
                   "after a restart. For an expensive link, or while something is looked into. "
                   "Nobody is told why; to partners this node is offline."),
        .inverse = "sync resume",
        .examples = (const char *const[]){"spean sync pause", NULL},
        .run = pause_run,
    },
    {
        .path = "sync resume",
        .summary = N_("Sync again after a pause"),
        .text = N_("Dials partners at once, and answers them again."),
        .inverse = "sync pause",
        .examples = (const char *const[]){"spean sync resume", NULL},
        .run = resume_run,
    },
    {0},
};

const struct spean_group spean_group_sync = {
    .name = "sync",
    .summary = N_("Keeping in step with partners"),
    .commands = commands,
};
